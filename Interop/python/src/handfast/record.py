"""Records and entries (Spec/05 §5.1, §5.2, §5.7)."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from enum import IntEnum

from .encoding import cbor, cose
from .errors import (
    BodyTooLarge,
    CBORError,
    InvalidSignature,
    LedgerMalformed,
    MalformedBody,
    MalformedRecord,
    MalformedType,
    NotErasable,
    RecordSignature,
    SizeExceeded,
    TooMany,
    WrongLength,
    WrongType,
    reading_as,
)
from .suite.hashing import H
from .suite.signing import SigningKey

TYPE = "handfast-record+cose"
MAX_BODY = 61_440
MAX_RECORD = 1_024
MAX_PAYLOAD = 512
MAX_ENTRY = 62_496
MAX_ENTRIES = 64
MAX_FIRST_ENTRIES = 16
MAX_CONTENT = 63_261
MAX_TYPE = 64
_TYPE = re.compile(r"[a-z][a-z0-9-]*/[a-z][a-z0-9-]*")


class Direction(IntEnum):
    """Who signed: field 2 of a record."""

    INVITEE = 0
    INVITER = 1

    @property
    def other(self) -> Direction:
        return Direction(1 - self)


@dataclass(frozen=True)
class Reference:
    """A number in a direction with the hash of the record there; 0 with the relationship's id."""

    number: int
    hash: bytes


@dataclass(frozen=True)
class Record:
    """A record as it was read; its signature is not verified yet."""

    encoded: bytes = field(repr=False)
    signed: cose.Sign1 = field(repr=False)
    relationship: bytes
    direction: Direction
    number: int
    previous: bytes
    last_seen: Reference
    time: int
    type: str
    thread: bytes | None
    body_digest: bytes

    @property
    def hash(self) -> bytes:
        return H("record", self.signed.protected, self.signed.content)

    @property
    def reference(self) -> Reference:
        return Reference(self.number, self.hash)

    def verify(self, key: bytes) -> None:
        """Raises `RecordSignature`, for another COSE type, too (§5.2, step 9)."""
        if self.signed.type != TYPE:
            raise RecordSignature(self.signed.type)
        try:
            if self.signed.proof is None:
                self.signed.verify(key)
            else:
                self.signed.verify_in_batch(key, self.hash)
        except InvalidSignature:
            raise RecordSignature() from None

    @property
    def family(self) -> str:
        return self.type.split("/")[0]


def read_record(data: bytes) -> Record:
    """Reads the bytes of a record. Raises `MalformedRecord`, `LedgerMalformed` or `MalformedType`."""
    with reading_as(MalformedRecord):
        signed = cose.read_sign1(data, None, batched=True)
        if len(signed.content) > MAX_PAYLOAD:
            raise SizeExceeded(f"payload of {len(signed.content)} bytes")
    with reading_as(LedgerMalformed):
        found = cbor.fields(cbor.decode(signed.content), (1, 2, 3, 4, 5, 6, 7, 9), (8,))
        number, seen = cbor.items(found[5], 2)
        type_ = cbor.text(found[7])
        if len(type_) > MAX_TYPE or not _TYPE.fullmatch(type_):
            raise MalformedType(type_)
        return Record(
            data,
            signed,
            cbor.byte_string(found[1], 32),
            Direction(cbor.uint(found[2], 0, 1)),
            cbor.uint(found[3]),
            cbor.byte_string(found[4], 32),
            Reference(cbor.uint(number), cbor.byte_string(seen, 32)),
            cbor.uint(found[6]),
            type_,
            cbor.byte_string(found[8], 16) if 8 in found else None,
            cbor.byte_string(found[9], 32),
        )


@dataclass(frozen=True)
class Entry:
    """A record with its salt and body, or without both once they are erased."""

    record: Record
    salt: bytes | None = None
    body: bytes | None = field(default=None, repr=False)

    @property
    def value(self) -> list[cbor.Value]:
        return [self.record.encoded, self.salt, self.body]

    @property
    def erased(self) -> Entry:
        """Raises `NotErasable` where verification needs the body."""
        if self.record.family == "relationship":
            raise NotErasable()
        return Entry(self.record)

    @classmethod
    def of(cls, value: cbor.Value) -> Entry:
        with reading_as(LedgerMalformed):
            encoded, salt, body = cbor.items(value, 3)
            record = cbor.byte_string(encoded, most=MAX_RECORD)
            if (salt is None) != (body is None):
                raise WrongType("salt without body, or body without salt")
            if salt is not None:
                cbor.byte_string(salt, 16)
                cbor.byte_string(body, most=MAX_BODY)
        return cls(read_record(record), salt, body)

    @property
    def digest_matches(self) -> bool:
        if self.salt is None or self.body is None:
            return False
        return H("body", self.salt, self.body) == self.record.body_digest


def read_entries(items: list[cbor.Value]) -> tuple[Entry, ...]:
    """The entries of an envelope, of hello, of welcome or of an export. Raises a `LedgerError`."""
    return tuple(Entry.of(item) for item in items)


def read_content(content: bytes) -> tuple[Entry, ...]:
    """The entries of an envelope of kind 1. Raises a `LedgerError`."""
    with reading_as(LedgerMalformed):
        if not (value := cbor.array(cbor.decode(content, MAX_CONTENT), MAX_ENTRIES)):
            raise WrongLength("no entry")
    return read_entries(value)


def encode_content(entries: tuple[Entry, ...]) -> bytes:
    """The content of an envelope of kind 1."""
    if not 1 <= len(entries) <= MAX_ENTRIES:
        raise TooMany(f"{len(entries)} entries")
    content = cbor.encode([entry.value for entry in entries])
    if len(content) > MAX_CONTENT:
        raise TooMany("too large for one envelope")
    return content


def make_entry(
    key: SigningKey,
    relationship: bytes,
    direction: Direction,
    number: int,
    previous: bytes,
    last_seen: Reference,
    time: int,
    type_: str,
    body: dict[str, cbor.Value],
    thread: bytes | None = None,
) -> Entry:
    """Signs a record over a fresh salt and this body."""
    encoded = cbor.encode(body)
    if len(encoded) > MAX_BODY:
        raise BodyTooLarge(f"{len(encoded)} bytes")
    salt = os.urandom(16)
    payload: dict[int, cbor.Value] = {
        1: relationship,
        2: direction.value,
        3: number,
        4: previous,
        5: [last_seen.number, last_seen.hash],
        6: time,
        7: type_,
        9: H("body", salt, encoded),
    }
    if thread is not None:
        payload[8] = thread
    return Entry(read_record(cose.sign(key, TYPE, cbor.encode(payload))), salt, encoded)


def read_body(data: bytes) -> dict[str, cbor.Value]:
    """The map of a body: text keys, deterministic. Raises `BodyTooLarge` or `MalformedBody`."""
    if len(data) > MAX_BODY:
        raise BodyTooLarge(f"{len(data)} bytes")
    try:
        value = cbor.decode(data, MAX_BODY)
    except CBORError as error:
        raise MalformedBody(error.code) from None
    if isinstance(value, cbor.Pairs) or not isinstance(value, dict) or not all(type(key) is str for key in value):
        raise MalformedBody("a body is a map with text keys")
    return value


@dataclass(frozen=True)
class Ephemeral:
    """Content of kind 2 (§5.4): authenticated by the channel, signed by nobody."""

    type: str
    body: dict[str, cbor.Value]
    thread: bytes | None = None

    def encode(self) -> bytes:
        value: dict[int, cbor.Value] = {1: self.type, 3: self.body}
        if self.thread is not None:
            value[2] = self.thread
        return cbor.encode(value)

    @classmethod
    def decode(cls, content: bytes) -> Ephemeral:
        with reading_as(LedgerMalformed):
            found = cbor.fields(cbor.decode(content, MAX_CONTENT), (1, 3), (2,))
            type_ = cbor.text(found[1])
            thread = cbor.byte_string(found[2], 16) if 2 in found else None
        if len(type_) > MAX_TYPE or not _TYPE.fullmatch(type_):
            raise MalformedType(type_)
        return cls(type_, read_body(cbor.encode(found[3])), thread)
