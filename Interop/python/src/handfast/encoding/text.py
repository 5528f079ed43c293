"""Bytes as text (Spec/01 §1.5): base32, base64url, hex and proquints, each with one form only."""

from __future__ import annotations

from ..errors import InvalidCharacter, InvalidLength, NonZeroTrailingBits

_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
_BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_HEX = "0123456789abcdef"
_CONSONANTS = "bdfghjklmnprstvz"
_VOWELS = "aiou"


def _encode(data: bytes, alphabet: str, width: int) -> str:
    count = -(-len(data) * 8 // width)
    number = int.from_bytes(data, "big") << count * width - len(data) * 8
    return "".join(alphabet[number >> width * i & (1 << width) - 1] for i in reversed(range(count)))


def _decode(text: str, alphabet: str, width: int) -> bytes:
    number = 0
    for character in text:
        if (value := alphabet.find(character)) < 0:
            raise InvalidCharacter(repr(character))
        number = number << width | value
    size, left = divmod(len(text) * width, 8)
    if left >= width:
        raise InvalidLength(str(len(text)))
    if number & (1 << left) - 1:
        raise NonZeroTrailingBits()
    return (number >> left).to_bytes(size, "big")


def base32(data: bytes) -> str:
    """RFC 4648 §6 in lower case, without padding."""
    return _encode(data, _BASE32, 5)


def from_base32(text: str) -> bytes:
    return _decode(text, _BASE32, 5)


def base64url(data: bytes) -> str:
    """RFC 4648 §5, without padding."""
    return _encode(data, _BASE64URL, 6)


def from_base64url(text: str) -> bytes:
    return _decode(text, _BASE64URL, 6)


def from_hex(text: str) -> bytes:
    """Lower case only; the other direction is ``bytes.hex``."""
    return _decode(text, _HEX, 4)


def proquints(data: bytes) -> str:
    """Words of five letters, 16 bits each, joined by "-" (arXiv 0901.4016)."""
    if len(data) % 2:
        raise InvalidLength("odd number of bytes")
    return "-".join(_word(data[i] << 8 | data[i + 1]) for i in range(0, len(data), 2))


def _word(bits: int) -> str:
    return (
        _CONSONANTS[bits >> 12]
        + _VOWELS[bits >> 10 & 3]
        + _CONSONANTS[bits >> 6 & 15]
        + _VOWELS[bits >> 4 & 3]
        + _CONSONANTS[bits & 15]
    )


def from_proquints(text: str) -> bytes:
    if not text:
        return b""
    if len(text) % 6 != 5:
        raise InvalidLength(f"{len(text)} characters")
    out = bytearray()
    for start in range(0, len(text), 6):
        word, separator = text[start : start + 5], text[start + 5 : start + 6]
        if separator not in ("", "-"):
            raise InvalidCharacter(repr(separator))
        bits = 0
        for place, letter in enumerate(word):
            alphabet, width = (_VOWELS, 2) if place % 2 else (_CONSONANTS, 4)
            if (value := alphabet.find(letter)) < 0:
                raise InvalidCharacter(repr(letter))
            bits = bits << width | value
        out += bits.to_bytes(2, "big")
    return bytes(out)
