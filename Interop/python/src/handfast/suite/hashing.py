"""Labelled BLAKE2b (Spec/02 §2.1): every hash and derivation has a personalisation of its own."""

from __future__ import annotations

import hashlib

Part = bytes | int


def _personal(label: str) -> bytes:
    encoded = label.encode("ascii")
    if not 0 < len(encoded) <= 12:
        raise ValueError("a label has 1 to 12 characters")
    return b"HF1." + encoded


def _absorb(state: hashlib.blake2b, parts: tuple[Part, ...]) -> bytes:
    for part in parts:
        data = part.to_bytes(8, "little") if isinstance(part, int) else part
        state.update(len(data).to_bytes(8, "little"))
        state.update(data)
    return state.digest()


def H(label: str, *parts: Part) -> bytes:
    """The 32-byte hash of the parts under a label."""
    return _absorb(hashlib.blake2b(digest_size=32, person=_personal(label)), parts)


def KDF(key: bytes, label: str, *parts: Part, n: int) -> bytes:
    """`n` ≤ 64 bytes derived from a 32-byte key under a label."""
    if len(key) != 32:
        raise ValueError("a key has 32 bytes")
    return _absorb(hashlib.blake2b(key=key, digest_size=n, person=_personal(label)), parts)
