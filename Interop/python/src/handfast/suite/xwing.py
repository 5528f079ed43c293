"""X-Wing (draft-connolly-cfrg-xwing-kem): ML-KEM-768 and X25519 as one key encapsulation."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field

from . import mlkem
from .agreement import AgreementKey

PUBLIC_KEY = 1_216
ENCAPSULATION = 1_120
_LABEL = bytes.fromhex("5c2e2f2f5e5c")


def check_public_key(key: bytes) -> None:
    """Raises `InvalidKey` where the ML-KEM part is not canonical."""
    mlkem.check_public_key(key[: mlkem.PUBLIC_KEY])


def _combine(ss_m: bytes, ss_x: bytes, ct_x: bytes, pk_x: bytes) -> bytes:
    return hashlib.sha3_256(ss_m + ss_x + ct_x + pk_x + _LABEL).digest()


def encapsulate(key: bytes) -> tuple[bytes, bytes]:
    """A fresh shared secret (32 bytes) and its encapsulation (1,120 bytes)."""
    pk_m, pk_x = key[: mlkem.PUBLIC_KEY], key[mlkem.PUBLIC_KEY :]
    ephemeral = AgreementKey(os.urandom(32))
    ss_m, ct_m = mlkem.encapsulate(pk_m)
    ct_x = ephemeral.public
    return _combine(ss_m, ephemeral.agree(pk_x), ct_x, pk_x), ct_m + ct_x


@dataclass(frozen=True)
class SealingKey:
    """An X-Wing key pair, made from a 32-byte seed."""

    seed: bytes = field(repr=False)

    def _parts(self) -> tuple[mlkem.EncapsulationKey, AgreementKey]:
        expanded = hashlib.shake_256(self.seed).digest(96)
        return mlkem.EncapsulationKey(expanded[:64]), AgreementKey(expanded[64:])

    @property
    def public(self) -> bytes:
        kem, agreement = self._parts()
        return kem.public + agreement.public

    def decapsulate(self, encapsulation: bytes) -> bytes:
        kem, agreement = self._parts()
        ct_m, ct_x = encapsulation[: mlkem.CIPHERTEXT], encapsulation[mlkem.CIPHERTEXT :]
        return _combine(kem.decapsulate(ct_m), agreement.agree(ct_x), ct_x, agreement.public)
