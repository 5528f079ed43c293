"""The ledger of one relationship (Spec/05 §5.2, §5.3, §5.5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from . import bodies
from .encoding import cbor
from .errors import (
    BodyDigestMismatch,
    BodyMissing,
    KeyEventRefused,
    KeyLogError,
    KeyLogFork,
    LastSeenAhead,
    LastSeenMismatch,
    LastSeenWentBack,
    MissingRecord,
    NotAllowed,
    PreviousMismatch,
    ProtocolError,
    RecordAfterEnd,
    RecordNotAtHand,
    RecordSignature,
    ReservedType,
    WrongDirection,
    WrongRelationship,
)
from .identity import Identity, KeyEvent, KeyLog, read_event
from .record import Direction, Entry, Record, Reference, make_entry, read_body

_KEY_EVENTS = (bodies.ROTATE, bodies.REVOKE)


class State(Enum):
    """States of a relationship (§5.5)."""

    GREETED = "greeted"
    WELCOMED = "welcomed"
    LIVE = "live"
    ENDING = "ending"
    ENDED = "ended"
    FROZEN = "frozen"


class Outcome(Enum):
    """What came of a received record (§5.2)."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    FORK = "fork"


@dataclass
class Side:
    """One direction: its records and the key log of who signs them."""

    direction: Direction
    log: KeyLog
    entries: list[Entry] = field(default_factory=list)
    keys: list[bytes] = field(default_factory=list)
    """The key in force at each record."""
    ended: bool = False
    revoked: bool = False

    def latest(self, relationship: bytes) -> Reference:
        return self.entries[-1].record.reference if self.entries else Reference(0, relationship)

    def last_seen(self, relationship: bytes) -> Reference:
        return self.entries[-1].record.last_seen if self.entries else Reference(0, relationship)

    def reference(self, number: int, relationship: bytes) -> Reference | None:
        if number == 0:
            return Reference(0, relationship)
        return self.entries[number - 1].record.reference if number <= len(self.entries) else None

    def take(self, entry: Entry, log: KeyLog) -> None:
        self.log = log
        self.entries.append(entry)
        self.keys.append(log.signing_key)
        self.ended |= entry.record.type == bodies.END
        self.revoked |= entry.record.type == bodies.REVOKE


def check_next(relationship: bytes, side: Side, other: Side, entry: Entry, erasable: bool = False) -> KeyLog:
    """Steps 1 and 3 to 9 of §5.2 for a record that is new; the log after it. Raises a `LedgerError` or `KeyLogFork`.

    `erasable` is for an export, where a body that carries no key event may be gone.
    """
    record = entry.record
    if record.relationship != relationship:
        raise WrongRelationship()
    if record.direction != side.direction:
        raise WrongDirection()
    if entry.body is None and not (erasable and record.family != "relationship"):
        raise BodyMissing()
    before = side.latest(relationship)
    if record.number != before.number + 1:
        raise MissingRecord(f"{record.number} after {before.number}")
    if record.previous != before.hash:
        raise PreviousMismatch()
    _check_last_seen(relationship, side, other, record)
    body: dict[str, cbor.Value] = {}
    if entry.body is not None:
        if not entry.digest_matches:
            raise BodyDigestMismatch()
        body = read_body(entry.body)
        bodies.check(record.type, body)
    if side.revoked or (side.ended and record.type != bodies.REVOKE):
        raise RecordAfterEnd()
    log = _log_after(side.log, record, body)
    record.verify(log.signing_key)
    return log


def _check_last_seen(relationship: bytes, side: Side, other: Side, record: Record) -> None:
    if record.last_seen.number < side.last_seen(relationship).number:
        raise LastSeenWentBack()
    ours = other.reference(record.last_seen.number, relationship)
    if ours is None:
        raise LastSeenAhead()
    if ours.hash != record.last_seen.hash:
        raise LastSeenMismatch()


def _log_after(log: KeyLog, record: Record, body: dict[str, cbor.Value]) -> KeyLog:
    if record.type not in _KEY_EVENTS:
        return log
    try:
        event = read_event(body["event"])
        log = log.copy()
        if not log.append(event):
            raise KeyLogError("wrongSequence", "it adds nothing to the log")
    except KeyLogFork:
        try:
            record.verify(event.signing_key)
        except RecordSignature as error:
            raise KeyEventRefused() from error
        raise
    except ProtocolError as error:
        raise KeyEventRefused() from error
    return log


class Ledger:
    """Both directions of a relationship as one side holds them, and the state that follows from them."""

    def __init__(
        self, relationship: bytes, role: Direction, own: Identity, peer: KeyEvent | None, state: State
    ) -> None:
        self.relationship = relationship
        self.role = role
        self.identity = own
        self.own = Side(role, own.log)
        self.peer = Side(role.other, KeyLog(peer)) if peer is not None else None
        self.state = state
        self.end_owed = False
        self.evidence: list[bytes] = []

    # ---- own records ----

    def sign(self, time: int, type_: str, body: dict[str, cbor.Value], thread: bytes | None = None) -> Entry:
        """Signs the next record of this side. Raises `NotAllowed`, `ReservedType` or `MalformedBody`."""
        if type_ in _KEY_EVENTS:
            raise ReservedType("rotate and revoke make their own bodies")
        return self._sign(self.identity, time, type_, body, thread)

    def rotate(self, time: int) -> Entry:
        """Rotates the own identity and says so."""
        return self._key_event(self.identity.rotated, bodies.ROTATE, time)

    def revoke(self, time: int) -> Entry:
        """Revokes the own identity, which ends the relationship."""
        return self._key_event(self.identity.revoked, bodies.REVOKE, time)

    def _key_event(self, change: Callable[[int], Identity], type_: str, time: int) -> Entry:
        self._check_may_sign(type_)
        identity = change(time)
        entry = self._sign(identity, time, type_, {"event": identity.log.last.encoded}, None)
        self.identity = identity
        return entry

    def _check_may_sign(self, type_: str) -> None:
        allowed = (
            self.state in (State.WELCOMED, State.LIVE)
            or (self.state is State.GREETED and self.peer is None)
            or (self.state is State.ENDING and type_ == bodies.REVOKE)
            or (self.state is State.ENDED and self.end_owed and type_ == bodies.END)
        )
        if not allowed:
            raise NotAllowed(f"{type_} while {self.state.value}")

    def _sign(
        self, identity: Identity, time: int, type_: str, body: dict[str, cbor.Value], thread: bytes | None
    ) -> Entry:
        self._check_may_sign(type_)
        bodies.check(type_, body)
        seen = self.peer.latest(self.relationship) if self.peer is not None else Reference(0, self.relationship)
        before = self.own.latest(self.relationship)
        entry = make_entry(
            identity.signing,
            self.relationship,
            self.role,
            before.number + 1,
            before.hash,
            seen,
            time,
            type_,
            body,
            thread,
        )
        read_body(entry.body or b"")
        self.own.take(entry, identity.log)
        if type_ == bodies.REVOKE:
            self.state, self.end_owed = State.ENDED, False
        elif type_ == bodies.END:
            self.state = State.ENDED if self.state is State.ENDED else State.ENDING
            self.end_owed = False
        return entry

    # ---- the peer's ----

    def welcomed_by(self, peer: KeyEvent) -> None:
        """The invitee's welcome opened: the inviter's keys are pinned."""
        self.peer = Side(self.role.other, KeyLog(peer))
        self.state = State.LIVE

    def first_envelope(self) -> None:
        """The invitee's first envelope opened at the inviter."""
        if self.state is State.WELCOMED:
            self.state = State.LIVE

    def close(self) -> None:
        """The holder closes without a record."""
        self.state, self.end_owed = State.ENDED, False

    def receive(self, entry: Entry) -> Outcome:
        """Takes a record of the peer (§5.2). Raises a `LedgerError`; then nothing changed."""
        if self.peer is None or self.state not in (State.WELCOMED, State.LIVE, State.ENDING):
            raise NotAllowed(f"nothing is received while {self.state.value}")
        record = entry.record
        if record.relationship != self.relationship:
            raise WrongRelationship()
        if record.direction != self.peer.direction:
            raise WrongDirection()
        if 1 <= record.number <= len(self.peer.entries):
            return self._known(record)
        try:
            log = check_next(self.relationship, self.peer, self.own, entry)
        except KeyLogFork as fork:
            self._freeze(fork.ours, fork.theirs)
            return Outcome.FORK
        self.peer.take(entry, log)
        if record.type == bodies.REVOKE:
            self.state, self.end_owed = State.ENDED, False
        elif record.type == bodies.END:
            self.end_owed = self.state is not State.ENDING
            self.state = State.ENDED
        return Outcome.ACCEPTED

    def _known(self, record: Record) -> Outcome:
        assert self.peer is not None
        ours = self.peer.entries[record.number - 1].record
        if ours.hash == record.hash:
            return Outcome.DUPLICATE
        record.verify(self.peer.keys[record.number - 1])
        self._freeze(ours.encoded, record.encoded)
        return Outcome.FORK

    def _freeze(self, ours: bytes, theirs: bytes) -> None:
        self.evidence += [ours, theirs]
        self.state = State.FROZEN

    # ---- erasing ----

    def erase(self, direction: Direction, number: int) -> None:
        """Erases salt and body of a record. Raises `NotErasable`."""
        side = self.own if direction is self.role else self.peer
        if side is None or not 1 <= number <= len(side.entries):
            raise RecordNotAtHand()
        side.entries[number - 1] = side.entries[number - 1].erased

    def entries(self, direction: Direction) -> list[Entry]:
        side = self.own if direction is self.role else self.peer
        return list(side.entries) if side is not None else []
