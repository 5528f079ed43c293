"""HPKE base mode (RFC 9180): X-Wing, HKDF-SHA256, ChaCha20-Poly1305; one message, with export (Spec/03 §3.3)."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

from . import stream, xwing

_SUITE = b"HPKE" + (0x647A).to_bytes(2, "big") + (1).to_bytes(2, "big") + (3).to_bytes(2, "big")


def _extract(salt: bytes, label: bytes, ikm: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + _SUITE + label + ikm, hashlib.sha256)


def _expand(prk: bytes, label: bytes, info: bytes, length: int) -> bytes:
    labelled = length.to_bytes(2, "big") + b"HPKE-v1" + _SUITE + label + info
    out, block = b"", b""
    while len(out) < length:
        block = hmac.digest(prk, block + labelled + bytes([len(out) // 32 + 1]), hashlib.sha256)
        out += block
    return out[:length]


@dataclass(frozen=True)
class Context:
    """What both sides hold after setup. Only the first message (sequence number 0) is ever sealed."""

    key: bytes = field(repr=False)
    base_nonce: bytes
    exporter_secret: bytes = field(repr=False)

    def seal(self, plaintext: bytes, associated: bytes) -> bytes:
        return stream.seal(self.key, self.base_nonce, plaintext, associated)

    def open(self, ciphertext: bytes, associated: bytes) -> bytes:
        """Raises `NotAuthentic`."""
        return stream.open_sealed(self.key, self.base_nonce, ciphertext, associated)

    def export(self, context: bytes, length: int) -> bytes:
        return _expand(self.exporter_secret, b"sec", context, length)


def _schedule(shared: bytes, info: bytes) -> Context:
    context = b"\x00" + _extract(b"", b"psk_id_hash", b"") + _extract(b"", b"info_hash", info)
    secret = _extract(shared, b"secret", b"")
    return Context(
        _expand(secret, b"key", context, 32),
        _expand(secret, b"base_nonce", context, 12),
        _expand(secret, b"exp", context, 32),
    )


def sender(public_key: bytes, info: bytes) -> tuple[bytes, Context]:
    """The encapsulation and the context of who seals."""
    shared, encapsulation = xwing.encapsulate(public_key)
    return encapsulation, _schedule(shared, info)


def receiver(key: xwing.SealingKey, encapsulation: bytes, info: bytes) -> Context:
    return _schedule(key.decapsulate(encapsulation), info)
