"""Padmé (Spec/04 §4.6)."""

from __future__ import annotations

LEAST = 256


def padme(size: int) -> int:
    """The size to which `size` bytes are padded: 256 or more, rounded up to few significant bits."""
    size = max(LEAST, size)
    exponent = size.bit_length() - 1
    multiple = 1 << exponent - exponent.bit_length()
    return -(-size // multiple) * multiple
