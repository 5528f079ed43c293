"""Deterministic CBOR, the subset of Spec/01 §1.1, with the limits of §1.2.

Values are ``int``, ``bytes``, ``str``, ``bool``, ``None``, ``float``, ``list``, ``dict``, `Tag` and `Pairs`. Nothing is
decoded that would not encode to the same bytes again.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Collection
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ..errors import (
    BelowBound,
    DepthExceeded,
    DuplicateKey,
    IndefiniteLength,
    InvalidUTF8,
    MissingKey,
    NonMinimal,
    OutOfRange,
    SizeExceeded,
    TrailingBytes,
    Truncated,
    UnknownKey,
    UnsortedKeys,
    Unsupported,
    WrongLength,
    WrongTag,
    WrongType,
)

MAX_DEPTH = 16
MAX_INPUT = 1_048_576

Value = Any


@dataclass(frozen=True)
class Tag:
    """A tag with its content; tags are kept and not interpreted."""

    number: int
    value: Value


@dataclass(frozen=True)
class Simple:
    """A simple value without a meaning of its own, which credentials may hold (§10.3)."""

    number: int


class Pairs(tuple[tuple[Value, Value], ...]):
    """A map with keys of mixed or nested types, which a dict would confuse: to Python 1, 1.0 and true are one key."""


# ---- encoding ----


def encode(value: Value) -> bytes:
    """The one encoding of a value."""
    out = bytearray()
    _encode(value, out, 0)
    return bytes(out)


def _head(major: int, argument: int, out: bytearray) -> None:
    if argument < 24:
        out.append(major << 5 | argument)
        return
    for additional, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if argument < 1 << 8 * size:
            out.append(major << 5 | additional)
            out += argument.to_bytes(size, "big")
            return
    raise OutOfRange("integer beyond 64 bits")


def _encode(value: Value, out: bytearray, depth: int) -> None:
    if isinstance(value, (list, tuple, dict, Tag)):
        depth += 1
        if depth > MAX_DEPTH:
            raise DepthExceeded()
    match value:
        case bool():
            out.append(0xF5 if value else 0xF4)
        case None:
            out.append(0xF6)
        case int():
            _head(*((0, value) if value >= 0 else (1, -1 - value)), out)
        case float():
            out += _float(value)
        case Simple():
            out += bytes([0xE0 | value.number] if value.number < 20 else [0xF8, value.number])
        case bytes() | bytearray():
            _head(2, len(value), out)
            out += value
        case str():
            try:
                text = value.encode("utf-8")
            except UnicodeEncodeError as error:
                raise InvalidUTF8() from error
            _head(3, len(text), out)
            out += text
        case Tag():
            _head(6, value.number, out)
            _encode(value.value, out, depth)
        case dict() | Pairs():
            entries: list[tuple[bytes, Value]] = []
            for key, item in value.items() if isinstance(value, dict) else value:
                encoded = bytearray()
                _encode(key, encoded, depth)
                entries.append((bytes(encoded), item))
            entries.sort(key=lambda entry: entry[0])
            if any(a[0] == b[0] for a, b in pairwise(entries)):
                raise DuplicateKey()
            _head(5, len(entries), out)
            for encoded_key, item in entries:
                out += encoded_key
                _encode(item, out, depth)
        case list() | tuple():
            _head(4, len(value), out)
            for item in value:
                _encode(item, out, depth)
        case _:
            raise Unsupported(type(value).__name__)


def _float(value: float) -> bytes:
    if math.isnan(value):
        return b"\xf9\x7e\x00"
    for head, form in ((0xF9, ">e"), (0xFA, ">f")):
        try:
            packed = struct.pack(form, value)
        except OverflowError:
            continue
        if struct.unpack(form, packed)[0] == value:
            return bytes([head]) + packed
    return b"\xfb" + struct.pack(">d", value)


# ---- decoding ----


def decode(data: bytes, limit: int = MAX_INPUT, unsorted: bool = False, simple: bool = False) -> Value:
    """The value of exactly these bytes. Raises a `CBORError` where they are not its one encoding.

    Keys may stand in any order where `unsorted`, as in tokens of others (§10.8.2), and `Simple` values may occur where
    `simple`, as in credentials (§10.3).
    """
    if len(data) > limit:
        raise SizeExceeded(f"{len(data)} bytes, at most {limit}")
    decoder = _Decoder(data, unsorted, simple)
    value = decoder.item(0)
    if decoder.position != len(data):
        raise TrailingBytes()
    return value


class _Decoder:
    def __init__(self, data: bytes, unsorted: bool, simple: bool) -> None:
        self.data = data
        self.unsorted = unsorted
        self.simple_values = simple
        self.position = 0

    def take(self, count: int) -> bytes:
        if count > len(self.data) - self.position:
            raise Truncated()
        self.position += count
        return self.data[self.position - count : self.position]

    def argument(self, additional: int) -> int:
        if additional < 24:
            return additional
        if additional == 31:
            raise IndefiniteLength()
        if additional > 27:
            raise Unsupported("reserved head")
        size = 1 << additional - 24
        argument = int.from_bytes(self.take(size), "big")
        if argument < (24 if size == 1 else 1 << 4 * size):
            raise NonMinimal()
        return argument

    def item(self, depth: int) -> Value:
        initial = self.take(1)[0]
        major, additional = initial >> 5, initial & 31
        if major == 7:
            return self.simple(additional)
        if additional == 31 and major in (0, 1, 6):
            raise Unsupported("reserved head")
        argument = self.argument(additional)
        if major == 0:
            return argument
        if major == 1:
            return -1 - argument
        if major == 2:
            return self.take(argument)
        if major == 3:
            try:
                return self.take(argument).decode("utf-8")
            except UnicodeDecodeError as error:
                raise InvalidUTF8() from error
        if major != 6 and argument * (major - 3) > len(self.data) - self.position:
            raise Truncated()
        if depth == MAX_DEPTH:
            raise DepthExceeded()
        if major == 6:
            return Tag(argument, self.item(depth + 1))
        if major == 4:
            return [self.item(depth + 1) for _ in range(argument)]
        return self.map(argument, depth + 1)

    def map(self, count: int, depth: int) -> Value:
        previous = b""
        seen: set[bytes] = set()
        pairs: list[tuple[Value, Value]] = []
        for _ in range(count):
            start = self.position
            key = self.item(depth)
            encoded = self.data[start : self.position]
            if encoded < previous and not self.unsorted:
                raise UnsortedKeys()
            if encoded in seen:
                raise DuplicateKey()
            seen.add(encoded)
            previous = encoded
            pairs.append((key, self.item(depth)))
        kinds = {type(key) for key, _ in pairs}
        if len(kinds) <= 1 and kinds <= {int, str, bytes}:
            return dict(pairs)
        return Pairs(pairs)

    def simple(self, additional: int) -> Value:
        match additional:
            case 20:
                return False
            case 21:
                return True
            case 22:
                return None
            case 25 | 26 | 27:
                raw = self.take(1 << additional - 24)
                number: float = struct.unpack({25: ">e", 26: ">f", 27: ">d"}[additional], raw)[0]
                if _float(number) != bytes([0xE0 | additional]) + raw:
                    raise NonMinimal("floating-point number")
                return number
            case 31:
                raise IndefiniteLength("break")
            case 24 if self.simple_values:
                if (number := self.take(1)[0]) < 32:
                    raise NonMinimal("simple value")
                return Simple(number)
            case _ if additional < 20 and self.simple_values:
                return Simple(additional)
            case _:
                raise Unsupported("simple value")


# ---- reading structures ----


def fields(value: Value, required: Collection[int], optional: Collection[int] = ()) -> dict[int, Value]:
    """A map of the protocol with exactly these integer keys (§1.1)."""
    if isinstance(value, Pairs) or not isinstance(value, dict):
        raise WrongType("map with integer keys" if isinstance(value, Pairs) else "map")
    if any(type(key) is not int for key in value):
        raise WrongType("key of a map")
    # In the order of their encodings: a key is missing where its place is passed.
    for key in sorted({*required, *value}, key=lambda key: (key < 0, abs(key))):
        if key not in value:
            raise MissingKey(str(key))
        if key not in required and key not in optional:
            raise UnknownKey(str(key))
    return value


def items(value: Value, count: int) -> list[Value]:
    """An array of exactly `count` items."""
    if len(found := array(value, MAX_INPUT)) != count:
        raise WrongLength(f"{len(found)} items, not {count}")
    return found


def array(value: Value, most: int, least: int = 0) -> list[Value]:
    """An array of `least` to `most` items."""
    if not isinstance(value, list):
        raise WrongType("array")
    if len(value) < least:
        raise BelowBound(f"{len(value)} items, at least {least}")
    if len(value) > most:
        raise SizeExceeded(f"{len(value)} items, at most {most}")
    return value


def byte_string(value: Value, size: int | None = None, most: int | None = None) -> bytes:
    """A byte string, of one size or of at most so many bytes."""
    if not isinstance(value, bytes):
        raise WrongType("byte string")
    if size is not None and len(value) != size:
        raise WrongLength(f"{len(value)} bytes, not {size}")
    if most is not None and len(value) > most:
        raise SizeExceeded(f"{len(value)} bytes, at most {most}")
    return value


def uint(value: Value, least: int = 0, most: int = 2**64 - 1) -> int:
    """An unsigned integer within bounds."""
    if type(value) is not int:
        raise WrongType("unsigned integer")
    if value < 0 or value > most:
        raise OutOfRange(f"{value}, not {least} to {most}")
    if value < least:
        raise BelowBound(f"{value}, not {least} to {most}")
    return value


def text(value: Value, least: int = 0, most: int | None = None) -> str:
    """A text, bounded in bytes of UTF-8."""
    if not isinstance(value, str):
        raise WrongType("text")
    length = len(value.encode("utf-8"))
    if length < least:
        raise BelowBound(f"{length} bytes, at least {least}")
    if most is not None and length > most:
        raise SizeExceeded(f"{length} bytes, at most {most}")
    return value


def tagged(value: Value, number: int) -> Value:
    """The content of a tag."""
    if not isinstance(value, Tag):
        raise WrongType("tag")
    if value.number != number:
        raise WrongTag(str(value.number))
    return value.value
