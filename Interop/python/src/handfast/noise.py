"""Noise_NK_25519_ChaChaPoly_BLAKE2b (Noise rev. 34), as links use it (Spec/06 §6.1)."""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass, field

from .errors import Cryptography, DamagedPacket, HandshakeRefused, NotAuthentic, WrongServerKey
from .suite import stream
from .suite.agreement import AgreementKey

NAME = b"Noise_NK_25519_ChaChaPoly_BLAKE2b"
PROLOGUE = b"HF1.link"
MESSAGE = 48


def _hkdf(chaining_key: bytes, material: bytes) -> tuple[bytes, bytes]:
    temporary = hmac.digest(chaining_key, material, "blake2b")
    first = hmac.digest(temporary, b"\x01", "blake2b")
    return first, hmac.digest(temporary, first + b"\x02", "blake2b")


@dataclass
class CipherState:
    """A key with its counter of messages."""

    key: bytes = field(repr=False)
    n: int = 0

    def _nonce(self) -> bytes:
        nonce = bytes(4) + self.n.to_bytes(8, "little")
        self.n += 1
        return nonce

    def encrypt(self, plaintext: bytes, associated: bytes = b"") -> bytes:
        return stream.seal(self.key, self._nonce(), plaintext, associated)

    def decrypt(self, ciphertext: bytes, associated: bytes = b"") -> bytes:
        """Raises `NotAuthentic`."""
        return stream.open_sealed(self.key, self._nonce(), ciphertext, associated)


@dataclass(frozen=True)
class Transport:
    """What a finished handshake gives each side."""

    sending: CipherState
    receiving: CipherState
    hash: bytes

    def open(self, message: bytes) -> bytes:
        """The plaintext of the next packet. Raises `DamagedPacket`."""
        try:
            return self.receiving.decrypt(message)
        except NotAuthentic:
            raise DamagedPacket() from None


class Handshake:
    """One side of the handshake; a responder has its static key, an initiator knows that key's public part."""

    def __init__(
        self,
        responder: bytes,
        static: AgreementKey | None = None,
        ephemeral: AgreementKey | None = None,
        prologue: bytes = PROLOGUE,
    ) -> None:
        self._h = NAME.ljust(64, b"\0")
        self._ck = self._h
        self._key: CipherState | None = None
        self._responder = responder
        self._static = static
        self._ephemeral = ephemeral or AgreementKey(os.urandom(32))
        self._remote = b""
        self._mix_hash(prologue)
        self._mix_hash(responder)

    def _mix_hash(self, data: bytes) -> None:
        self._h = hashlib.blake2b(self._h + data).digest()

    def _mix_dh(self, key: AgreementKey, public: bytes) -> None:
        self._ck, key_material = _hkdf(self._ck, key.agree(public))
        self._key = CipherState(key_material[:32])

    def _seal(self, payload: bytes) -> bytes:
        assert self._key is not None
        sealed = self._key.encrypt(payload, self._h)
        self._mix_hash(sealed)
        return sealed

    def _open(self, sealed: bytes) -> bytes:
        assert self._key is not None
        payload = self._key.decrypt(sealed, self._h)
        self._mix_hash(sealed)
        return payload

    def _split(self, initiator: bool) -> Transport:
        first, second = _hkdf(self._ck, b"")
        ciphers = CipherState(first[:32]), CipherState(second[:32])
        sending, receiving = ciphers if initiator else ciphers[::-1]
        return Transport(sending, receiving, self._h)

    # ---- initiator: → e, es; ← e, ee ----

    def write_first(self, payload: bytes = b"") -> bytes:
        public = self._ephemeral.public
        self._mix_hash(public)
        self._mix_dh(self._ephemeral, self._responder)
        return public + self._seal(payload)

    def read_second(self, message: bytes) -> tuple[bytes, Transport]:
        """Raises `WrongServerKey`."""
        public = message[:32]
        self._mix_hash(public)
        try:
            self._mix_dh(self._ephemeral, public)
            return self._open(message[32:]), self._split(True)
        except (Cryptography, NotAuthentic):
            raise WrongServerKey() from None

    # ---- responder ----

    def read_first(self, message: bytes) -> bytes:
        """Raises `HandshakeRefused`."""
        assert self._static is not None
        self._remote = message[:32]
        self._mix_hash(self._remote)
        try:
            self._mix_dh(self._static, self._remote)
            return self._open(message[32:])
        except (Cryptography, NotAuthentic):
            raise HandshakeRefused() from None

    def write_second(self, payload: bytes = b"") -> tuple[bytes, Transport]:
        public = self._ephemeral.public
        self._mix_hash(public)
        self._mix_dh(self._ephemeral, self._remote)
        return public + self._seal(payload), self._split(False)
