"""Identities: key events, key logs and forks (Spec/02)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum

from .encoding import cbor, cose
from .encoding.text import base32
from .errors import KeyLogError, KeyLogFork, Malformed, OutOfRange, TooLarge, UnsupportedVersion, reading
from .suite.hashing import H
from .suite.signing import SigningKey
from .suite.xwing import SealingKey

TYPE = "handfast-key-event+cose"
MAX_EVENT = 2_048
MAX_EVENTS = 64
SUITE = 1
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class Kind(IntEnum):
    """Field 0 of a key event."""

    INCEPTION = 0
    ROTATION = 1
    REVOCATION = 2


_KEYS: dict[Kind, set[int]] = {
    Kind.INCEPTION: {0, 1, 2, 3, 4, 6},
    Kind.ROTATION: {0, 1, 2, 3, 4, 6, 7, 8, 9},
    Kind.REVOCATION: {0, 1, 2, 6, 7, 8, 9},
}


@dataclass(frozen=True)
class KeyEvent:
    """One event whose signature verifies under the key it names (§2.2). Its place in a log is the log's to check."""

    encoded: bytes = field(repr=False)
    payload: bytes = field(repr=False)
    kind: Kind
    signing_key: bytes
    created: int
    next: bytes | None = None
    sealing_key: bytes | None = field(default=None, repr=False)
    domain: str | None = None
    id: bytes = b""
    number: int = 0
    previous: bytes = b""

    @property
    def digest(self) -> bytes:
        """What the next event names as the one before; that of the inception is the id."""
        return self.id if self.kind is Kind.INCEPTION else H("key event", self.payload)


def read_event(data: bytes) -> KeyEvent:
    """Reads an event and verifies its own signature. Raises a `ProtocolError`."""
    with reading("key event"):
        if len(data) > MAX_EVENT:
            raise TooLarge(f"{len(data)} bytes")
        signed = cose.read_sign1(data, TYPE)
        event = _read_payload(data, signed.content)
        signed.verify(event.signing_key)
        return event


def _read_payload(encoded: bytes, payload: bytes) -> KeyEvent:
    value = cbor.decode(payload)
    kind_number = cbor.fields(value, (), range(10)).get(0, -1)
    if type(kind_number) is not int or kind_number not in tuple(Kind):
        raise OutOfRange("kind of event")
    kind = Kind(kind_number)
    found = cbor.fields(value, _KEYS[kind], {5} if kind is Kind.INCEPTION else ())
    if cbor.uint(found[1]) != SUITE:
        raise UnsupportedVersion(f"suite {found[1]}")
    signing_key = cose.read_ed25519(found[2])
    later = kind is not Kind.INCEPTION
    keyed = kind is not Kind.REVOCATION
    domain = cbor.text(found[5], 1, 253) if 5 in found else None
    if domain is not None:
        labels = domain.split(".")
        if len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
            raise Malformed("domain is not of A-labels")
    return KeyEvent(
        encoded,
        payload,
        kind,
        signing_key,
        next=cbor.byte_string(found[3], 32) if keyed else None,
        sealing_key=cose.read_x_wing(found[4]) if keyed else None,
        domain=domain,
        created=cbor.uint(found[6]),
        id=cbor.byte_string(found[7], 32) if later else H("identity", payload),
        number=cbor.uint(found[8], 1, MAX_EVENTS - 1) if later else 0,
        previous=cbor.byte_string(found[9], 32) if later else b"",
    )


def commitment(public: bytes) -> bytes:
    """`next`: what an event says of the signing key to come."""
    return H("next key", cbor.encode(cose.ed25519_key(public)))


class KeyLog:
    """The events of one identity, each checked against those before (§2.2)."""

    def __init__(self, inception: KeyEvent) -> None:
        if inception.kind is not Kind.INCEPTION:
            raise KeyLogError("inceptionExpected")
        self.events = [inception]

    @classmethod
    def read(cls, events: Iterable[bytes]) -> KeyLog:
        """A log from its events as they travel."""
        log: KeyLog | None = None
        for data in events:
            event = read_event(data)
            if log is None:
                log = cls(event)
            elif not log.append(event):
                raise KeyLogError("inceptionRepeated" if event.kind is Kind.INCEPTION else "wrongSequence")
        if log is None:
            raise KeyLogError("inceptionExpected")
        return log

    def copy(self) -> KeyLog:
        log = KeyLog(self.events[0])
        log.events = list(self.events)
        return log

    @property
    def id(self) -> bytes:
        return self.events[0].id

    @property
    def name(self) -> str:
        """`hf:` and the id in base32."""
        return "hf:" + base32(self.id)

    @property
    def last(self) -> KeyEvent:
        return self.events[-1]

    @property
    def signing_key(self) -> bytes:
        """The key in force: that of the last event."""
        return self.last.signing_key

    @property
    def sealing_key(self) -> bytes:
        """The X-Wing key in force."""
        return next(event.sealing_key for event in reversed(self.events) if event.sealing_key is not None)

    @property
    def revoked(self) -> bool:
        return self.last.kind is Kind.REVOCATION

    def __len__(self) -> int:
        return len(self.events)

    def append(self, event: KeyEvent) -> bool:
        """Adds an event; false where the log has it. The checks are in the order of §2.2.

        Raises `KeyLogError`, or `KeyLogFork` where a valid event contradicts one of the log.
        """
        if event.kind is Kind.INCEPTION:
            if event.id == self.id:
                return False
            raise KeyLogError("inceptionRepeated")
        if event.id != self.id:
            raise KeyLogError("wrongIdentity")
        if event.number > len(self):
            raise KeyLogError("wrongSequence")
        before = self.events[event.number - 1]
        if event.previous != before.digest:
            raise KeyLogError("wrongPreviousDigest")
        if before.kind is Kind.REVOCATION:
            raise KeyLogError("revoked")
        if commitment(event.signing_key) != before.next:
            raise KeyLogError("uncommittedKey")
        if event.number < len(self):
            ours = self.events[event.number]
            if ours.payload == event.payload:
                return False
            raise KeyLogFork(ours.encoded, event.encoded)
        # Only a revocation takes the last place, so that every identity can be revoked.
        if len(self) == MAX_EVENTS - (event.kind is Kind.ROTATION):
            raise KeyLogError("full")
        self.events.append(event)
        return True


@dataclass
class Identity:
    """An identity with its secrets: the key that signs and the one that will."""

    signing: SigningKey = field(repr=False)
    next: SigningKey = field(repr=False)
    sealing: SealingKey = field(repr=False)
    log: KeyLog
    older: tuple[SealingKey, ...] = field(default=(), repr=False)
    """X-Wing keys before this one, the latest first, that the peer may still seal to (§4.8)."""

    @classmethod
    def create(cls, created: int, domain: str | None = None) -> Identity:
        signing, following, sealing = (
            SigningKey(os.urandom(32)),
            SigningKey(os.urandom(32)),
            SealingKey(os.urandom(32)),
        )
        payload: dict[int, cbor.Value] = {
            0: Kind.INCEPTION.value,
            1: SUITE,
            2: cose.ed25519_key(signing.public),
            3: commitment(following.public),
            4: cose.x_wing_key(sealing.public),
            6: created,
        }
        if domain is not None:
            payload[5] = domain
        return cls(signing, following, sealing, KeyLog(_signed(signing, payload)))

    @property
    def id(self) -> bytes:
        return self.log.id

    @property
    def inception(self) -> KeyEvent:
        return self.log.events[0]

    def _later(self, kind: Kind, created: int) -> dict[int, cbor.Value]:
        return {
            0: kind.value,
            1: SUITE,
            2: cose.ed25519_key(self.next.public),
            6: created,
            7: self.id,
            8: len(self.log),
            9: self.log.last.digest,
        }

    def rotated(self, created: int) -> Identity:
        """This identity after a rotation; it itself is left as it is until the caller has committed."""
        following, sealing = SigningKey(os.urandom(32)), SealingKey(os.urandom(32))
        payload = self._later(Kind.ROTATION, created)
        payload |= {3: commitment(following.public), 4: cose.x_wing_key(sealing.public)}
        log = self.log.copy()
        log.append(_signed(self.next, payload))
        return Identity(self.next, following, sealing, log, (self.sealing, *self.older))

    def revoked(self, created: int) -> Identity:
        """This identity after its revocation, with the key that signs the revocation's record as the last."""
        log = self.log.copy()
        log.append(_signed(self.next, self._later(Kind.REVOCATION, created)))
        return Identity(self.next, self.next, self.sealing, log)


def _signed(key: SigningKey, payload: dict[int, cbor.Value]) -> KeyEvent:
    return read_event(cose.sign(key, TYPE, cbor.encode(payload)))
