"""JSON as Spec/10 §10.5 reads it: one value, no name twice, bounded. Written compactly, names in the order of CBOR."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from ..errors import (
    JSONDepth,
    JSONDuplicateName,
    JSONInvalidText,
    JSONNumber,
    JSONSize,
    JSONTrailing,
    JSONTruncated,
    JSONUnexpected,
)

MAX_DEPTH = 16
_SPACE = " \t\n\r"
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_PART_OF_NUMBER = re.compile(r"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?(?:[eE][+-]?)?)?")
_PLAIN = re.compile(r'[^"\\\x00-\x1f]+')
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WORDS = {"true": True, "false": False, "null": None}

Value = Any


def decode(data: bytes, limit: int) -> Value:
    """The one value of these bytes. Raises a `JSONError`."""
    if len(data) > limit:
        raise JSONSize(f"{len(data)} bytes, at most {limit}")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise JSONInvalidText() from error
    reader = _Reader(text)
    value = reader.value(0)
    reader.space()
    if reader.at != len(text):
        raise JSONTrailing(str(reader.at))
    return value


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def space(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in _SPACE:
            self.at += 1

    def peek(self) -> str:
        if self.at == len(self.text):
            raise JSONTruncated()
        return self.text[self.at]

    def take(self) -> str:
        character = self.peek()
        self.at += 1
        return character

    def unexpected(self) -> NoReturn:
        self.peek()
        raise JSONUnexpected(f"at {self.at}")

    def value(self, depth: int) -> Value:
        self.space()
        match self.peek():
            case "{":
                return self.object(depth + 1)
            case "[":
                return self.array(depth + 1)
            case '"':
                return self.string()
            case "t" | "f" | "n":
                return self.word()
            case character if character == "-" or "0" <= character <= "9":
                return self.number()
        self.unexpected()

    def enter(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise JSONDepth()
        self.at += 1

    def object(self, depth: int) -> dict[str, Value]:
        self.enter(depth)
        found: dict[str, Value] = {}
        while True:
            self.space()
            if self.peek() == "}" and not found:
                break
            if self.peek() != '"':
                self.unexpected()
            name = self.string()
            if name in found:
                raise JSONDuplicateName(name)
            self.space()
            if self.peek() != ":":
                self.unexpected()
            self.at += 1
            found[name] = self.value(depth)
            if self.ends("}"):
                return found
        self.at += 1
        return found

    def array(self, depth: int) -> list[Value]:
        self.enter(depth)
        found: list[Value] = []
        self.space()
        if self.peek() == "]":
            self.at += 1
            return found
        while True:
            found.append(self.value(depth))
            if self.ends("]"):
                return found

    def ends(self, end: str) -> bool:
        """Whether the container ends here; otherwise a comma says that it goes on."""
        self.space()
        character = self.peek()
        if character not in (end, ","):
            self.unexpected()
        self.at += 1
        return character == end

    def word(self) -> bool | None:
        for word, value in _WORDS.items():
            if self.text[self.at] == word[0]:
                for character in word:
                    if self.peek() != character:
                        self.unexpected()
                    self.at += 1
                return value
        self.unexpected()

    def number(self) -> int | float:
        match = _NUMBER.match(self.text, self.at)
        if match is None:
            begun = _PART_OF_NUMBER.match(self.text, self.at)
            self.at = begun.end() if begun is not None else self.at
            self.unexpected()
        self.at = match.end()
        # What goes on as a number does not, such as 01 and 1., is one that is damaged.
        if self.at < len(self.text) and self.text[self.at] in "0123456789.eE":
            rest = _PART_OF_NUMBER.match(self.text, match.start())
            self.at = max(self.at, rest.end() if rest is not None else 0)
            self.unexpected()
        text = match[0]
        if match[1] is None and match[2] is None:
            if abs(number := int(text)) >= 2**64:
                raise JSONNumber(text)
            return number
        if not math.isfinite(double := float(text)):
            raise JSONNumber(text)
        return double

    def string(self) -> str:
        self.at += 1
        found: list[str] = []
        while True:
            plain = _PLAIN.match(self.text, self.at)
            if plain is not None:
                found.append(plain[0])
                self.at = plain.end()
            match self.peek():
                case '"':
                    self.at += 1
                    return "".join(found)
                case "\\":
                    self.at += 1
                    found.append(self.escape())
                case _:
                    self.unexpected()

    def escape(self) -> str:
        character = self.take()
        if character != "u":
            if character not in _ESCAPES:
                self.at -= 1
                self.unexpected()
            return _ESCAPES[character]
        unit = self.hex()
        if not 0xD800 <= unit < 0xE000:
            return chr(unit)
        if unit >= 0xDC00 or self.text[self.at : self.at + 2] != "\\u":
            raise JSONInvalidText("a surrogate by itself")
        self.at += 2
        low = self.hex()
        if not 0xDC00 <= low < 0xE000:
            raise JSONInvalidText("a surrogate by itself")
        return chr(0x10000 + (unit - 0xD800 << 10) + low - 0xDC00)

    def hex(self) -> int:
        digits = ""
        for _ in range(4):
            if self.peek() not in "0123456789abcdefABCDEF":
                self.unexpected()
            digits += self.take()
        return int(digits, 16)


def encode(value: Value) -> str:
    """A value as compact JSON."""
    match value:
        case dict():
            names = sorted(value, key=lambda name: (len(name.encode()), name.encode()))
            return "{" + ",".join(f"{_quoted(name)}:{encode(value[name])}" for name in names) + "}"
        case list():
            return "[" + ",".join(map(encode, value)) + "]"
        case str():
            return _quoted(value)
    return json.dumps(value, allow_nan=False)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub("[\x00-\x1f]", lambda match: f"\\u{ord(match[0]):04x}", escaped) + '"'
