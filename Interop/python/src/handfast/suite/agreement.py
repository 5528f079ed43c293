"""X25519 (RFC 7748) that refuses an all-zero result (Spec/04 §4.1)."""

from __future__ import annotations

from dataclasses import dataclass, field

from nacl import bindings
from nacl.exceptions import CryptoError

from ..errors import Cryptography


def x25519(secret: bytes, public: bytes) -> bytes:
    """Raises `Cryptography` where the shared secret is all zero."""
    try:
        shared = bindings.crypto_scalarmult(secret, public)
    except (CryptoError, RuntimeError) as error:
        raise Cryptography("X25519 gives zero") from error
    if shared == bytes(32):
        raise Cryptography("X25519 gives zero")
    return shared


@dataclass(frozen=True)
class AgreementKey:
    """An X25519 key pair of a 32-byte secret."""

    secret: bytes = field(repr=False)

    @property
    def public(self) -> bytes:
        return bindings.crypto_scalarmult_base(self.secret)

    def agree(self, public: bytes) -> bytes:
        return x25519(self.secret, public)
