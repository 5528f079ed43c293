"""ML-KEM-768 (FIPS 203) by way of `cryptography`, with keys made from their 64-byte seed d ‖ z."""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey

from ..errors import Cryptography, InvalidKey

PUBLIC_KEY = 1_184
CIPHERTEXT = 1_088
_Q = 3_329


def check_public_key(key: bytes) -> None:
    """Raises `InvalidKey` where a coefficient is not below the modulus (§1.3)."""
    if len(key) != PUBLIC_KEY:
        raise InvalidKey("ML-KEM-768: length")
    for i in range(0, 1_152, 3):
        if key[i] | (key[i + 1] & 15) << 8 >= _Q or key[i + 1] >> 4 | key[i + 2] << 4 >= _Q:
            raise InvalidKey("ML-KEM-768: coefficient")


def encapsulate(key: bytes) -> tuple[bytes, bytes]:
    """A fresh shared secret (32 bytes) and its ciphertext."""
    check_public_key(key)
    return MLKEM768PublicKey.from_public_bytes(key).encapsulate()


@dataclass(frozen=True)
class EncapsulationKey:
    """An ML-KEM-768 key pair."""

    seed: bytes = field(repr=False)

    @property
    def public(self) -> bytes:
        return MLKEM768PrivateKey.from_seed_bytes(self.seed).public_key().public_bytes_raw()

    def decapsulate(self, ciphertext: bytes) -> bytes:
        try:
            return MLKEM768PrivateKey.from_seed_bytes(self.seed).decapsulate(ciphertext)
        except ValueError as error:
            raise Cryptography("ML-KEM ciphertext") from error
