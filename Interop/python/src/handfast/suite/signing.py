"""Strict Ed25519 (Spec/01 §1.4): one answer for every verifier."""

from __future__ import annotations

from dataclasses import dataclass, field

from nacl import bindings
from nacl.exceptions import BadSignatureError

from ..errors import InvalidKey, InvalidSignature

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P


def _order_8_y() -> int:
    """The y coordinate of a point of order 8, up to its sign."""
    # A point of order 8 doubles to one of order 4, whose y is 0: y² + x² = 0, so −x² + y² = 1 + d x² y² gives
    # 2 y² = 1 − d y⁴.
    root = _sqrt((1 + _D) % _P)
    assert root is not None
    for candidate in (root, -root):
        y = _sqrt((candidate - 1) * pow(_D, -1, _P) % _P)
        if y is not None:
            return y
    raise AssertionError("edwards25519 has points of order 8")


def _sqrt(square: int) -> int | None:
    root = pow(square, (_P + 3) // 8, _P)
    if root * root % _P != square % _P:
        root = root * pow(2, (_P - 1) // 4, _P) % _P
    return root if root * root % _P == square % _P else None


_Y8 = _order_8_y()
_SMALL_ORDER_Y = {0, 1, _P - 1, _Y8, _P - _Y8}


def _sound_point(encoded: bytes) -> bool:
    """Whether this is canonical and not of small order. What is no point of the curve verifies nothing (§1.3)."""
    y = int.from_bytes(encoded, "little") & (1 << 255) - 1
    return y < _P and y not in _SMALL_ORDER_Y


def check_public_key(key: bytes) -> None:
    """Raises `InvalidKey` unless the key is canonical and not of small order."""
    if len(key) != 32 or not _sound_point(key):
        raise InvalidKey("Ed25519")


def verify(key: bytes, message: bytes, signature: bytes) -> None:
    """Raises `InvalidSignature`."""
    if (
        len(signature) != 64
        or int.from_bytes(signature[32:], "little") >= _L
        or not _sound_point(signature[:32])
        or not _sound_point(key)
    ):
        raise InvalidSignature()
    try:
        bindings.crypto_sign_open(signature + message, key)
    except BadSignatureError as error:
        raise InvalidSignature() from error


@dataclass(frozen=True)
class SigningKey:
    """An Ed25519 key made from a 32-byte seed."""

    seed: bytes = field(repr=False)

    @property
    def public(self) -> bytes:
        return bindings.crypto_sign_seed_keypair(self.seed)[0]

    def sign(self, message: bytes) -> bytes:
        secret = bindings.crypto_sign_seed_keypair(self.seed)[1]
        return bindings.crypto_sign(message, secret)[:64]
