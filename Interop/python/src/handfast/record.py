"""Records and entries (Spec/05 §5.1, §5.2, §5.7)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from .encoding import cbor, cose
from .errors import (
    BodyTooLarge,
    CBORError,
    Inconsistent,
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
MAX_REFERENCES = 64
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
class Heads:
    """How far both directions have come at one side: some of its own records, descending, and one of the other's."""

    own: tuple[Reference, ...]
    peer: Reference

    @property
    def value(self) -> list[cbor.Value]:
        return [[[one.number, one.hash] for one in self.own], [self.peer.number, self.peer.hash]]

    @staticmethod
    def numbers(latest: int) -> list[int]:
        """The numbers that are named of a direction: the latest and those 1, 3, 7, 15, … before it."""
        found, distance = list[int](), 0
        while distance < latest:
            found.append(latest - distance)
            distance = 2 * distance + 1
        return found

    @classmethod
    def of(cls, value: cbor.Value, relationship: bytes) -> Heads:
        """Raises `LedgerMalformed` or `Inconsistent`."""
        with reading_as(LedgerMalformed):
            own, peer = cbor.items(value, 2)
            found = cls(tuple(_reference(one) for one in cbor.array(own, MAX_REFERENCES)), _reference(peer))
        numbers = [one.number for one in found.own]
        if 0 in numbers or sorted(set(numbers), reverse=True) != numbers:
            raise Inconsistent("heads do not descend")
        if found.peer.number == 0 and found.peer.hash != relationship:
            raise Inconsistent("the start of another relationship")
        return found


def _reference(value: cbor.Value) -> Reference:
    number, hash_ = cbor.items(value, 2)
    return Reference(cbor.uint(number), cbor.byte_string(hash_, 32))


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

    @property
    def is_batched(self) -> bool:
        return self.signed.proof is not None

    def verify(self, keys: Keys) -> None:
        """Raises `RecordSignature`, for another COSE type, too (§5.2, step 9)."""
        if self.signed.type != TYPE:
            raise RecordSignature(self.signed.type)
        for key in keys.of(self):
            try:
                if self.signed.proof is None:
                    self.signed.verify(key)
                else:
                    self.signed.verify_batch(key, self.hash)
            except InvalidSignature:
                continue
            return
        raise RecordSignature()

    @property
    def family(self) -> str:
        return self.type.split("/")[0]

    @property
    def erasable(self) -> bool:
        """Whether verification does without the body: of its family, a move's alone."""
        return self.type == "relationship/move" or self.family != "relationship"


@dataclass(frozen=True)
class Keys:
    """What may sign a record: its sender's key in force, and the key that endorses the sender (§5.9)."""

    pairwise: bytes
    endorsing: bytes | None = None

    def of(self, record: Record) -> list[bytes]:
        endorsed = self.endorsing is not None and record.is_batched and record.family != "relationship"
        return [self.pairwise, self.endorsing] if endorsed and self.endorsing is not None else [self.pairwise]


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
        if not self.record.erasable:
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


def contents(entries: Sequence[Entry]) -> Iterator[bytes]:
    """The contents of as many envelopes as the entries need, in their order."""
    waiting, size = list[Entry](), 3
    for entry in entries:
        encoded = len(cbor.encode(entry.value))
        if len(waiting) == MAX_ENTRIES or size + encoded > MAX_CONTENT:
            yield encode_content(tuple(waiting))
            waiting, size = [], 3
        waiting.append(entry)
        size += encoded
    if waiting:
        yield encode_content(tuple(waiting))


@dataclass(frozen=True)
class Draft:
    """A record that nobody has signed yet, with salt and body. Its hash does not wait for a signature (§5.1)."""

    payload: bytes = field(repr=False)
    salt: bytes
    body: bytes = field(repr=False)

    @property
    def hash(self) -> bytes:
        return H("record", cose.protected_header(TYPE), self.payload)

    def signed(self, key: SigningKey) -> Entry:
        return self.entry(cose.sign(key, TYPE, self.payload))

    def entry(self, record: bytes) -> Entry:
        return Entry(read_record(record), self.salt, self.body)


def draft(
    relationship: bytes,
    direction: Direction,
    number: int,
    previous: bytes,
    last_seen: Reference,
    time: int,
    type_: str,
    body: dict[str, cbor.Value],
    thread: bytes | None = None,
) -> Draft:
    """A record over a fresh salt and this body."""
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
    return Draft(cbor.encode(payload), salt, encoded)


def sign_batch(key: SigningKey, drafts: Sequence[Draft]) -> list[Entry]:
    """Several records under one signature (§5.9)."""
    records = cose.sign_batch(key, TYPE, [(draft.payload, draft.hash) for draft in drafts])
    return [draft.entry(record) for draft, record in zip(drafts, records, strict=True)]


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
