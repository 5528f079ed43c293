"""The ledger of one relationship (Spec/05 §5.2, §5.3, §5.5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import NamedTuple

from . import bodies
from .encoding import cbor
from .errors import (
    AwaitingOwnRecords,
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
    NotEndorsed,
    PreviousMismatch,
    ProtocolError,
    RecordAfterEnd,
    RecordNotAtHand,
    ReservedType,
    WrongDirection,
    WrongRelationship,
)
from .identity import Identity, KeyEvent, KeyLog, read_event
from .record import Direction, Draft, Entry, Heads, Keys, Record, Reference, draft, read_body, sign_batch

_KEY_EVENTS = (bodies.ROTATE, bodies.REVOKE, bodies.ENDORSE)


class State(Enum):
    """States of a relationship (§5.5)."""

    GREETED = "greeted"
    WELCOMED = "welcomed"
    LIVE = "live"
    ENDING = "ending"
    ENDED = "ended"
    FROZEN = "frozen"


class ReturnedOutcome(Enum):
    """What came of an own record that the peer returned after a rejoin."""

    BACK = "back"
    KNOWN = "known"


class Outcome(Enum):
    """What came of a received record (§5.2)."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    FORK = "fork"


class Logs(NamedTuple):
    """Key logs of a side: its own, and that of the identity that endorses it."""

    own: KeyLog
    endorser: KeyLog | None


@dataclass
class Side:
    """One direction: its records and the key log of who signs them."""

    direction: Direction
    log: KeyLog
    first_endorser: KeyLog | None = None
    endorser: KeyLog | None = None
    """Whose key may sign batches across relationships for this side (§5.9)."""
    entries: list[Entry] = field(default_factory=list)
    keys: list[Keys] = field(default_factory=list)
    """The keys in force at each record."""
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

    def endorsed_by(self, signer: KeyLog) -> None:
        """The bundle's signer vouched for this side in `welcome`; it counts where it names a domain."""
        if self.direction is Direction.INVITER and signer.events[0].domain is not None:
            self.first_endorser = self.endorser = signer

    @property
    def in_force(self) -> Keys:
        endorsing = self.endorser.signing_key if self.endorser is not None and not self.endorser.revoked else None
        return Keys(self.log.signing_key, endorsing)

    def take(self, entry: Entry, logs: Logs) -> None:
        """Takes a record together with what it made of the logs."""
        self.log = logs.own
        self.entries.append(entry)
        # From the record after it on an endorsing event counts.
        self.keys.append(self.in_force)
        self.endorser = logs.endorser
        self.ended |= entry.record.type == bodies.END
        self.revoked |= entry.record.type == bodies.REVOKE


def _before(relationship: bytes, side: Side, number: int) -> Side:
    """A direction as it was before the record of this number."""
    found = Side(side.direction, KeyLog(side.log.events[0]), side.first_endorser, side.first_endorser)
    for entry in side.entries[: number - 1]:
        body = read_body(entry.body) if entry.body is not None else {}
        found.take(entry, _logs_after(found, entry.record, body))
    return found


def merged(own: Sequence[Entry], peer: Sequence[Entry]) -> list[Entry]:
    """Entries of both directions, each after those that it has seen."""
    found, own_left, peer_left = list[Entry](), list(own), list(peer)
    while own_left and peer_left:
        own_first = peer_left[0].record.last_seen.number >= own_left[0].record.number
        found.append((own_left if own_first else peer_left).pop(0))
    return found + own_left + peer_left


def check_next(relationship: bytes, side: Side, other: Side, entry: Entry, erasable: bool = False) -> Logs:
    """Steps 1 and 3 to 9 of §5.2 for a record that is new; the logs after it. Raises a `LedgerError` or `KeyLogFork`.

    `erasable` is for an export, where a body that carries no key event may be gone.
    """
    record = entry.record
    if record.relationship != relationship:
        raise WrongRelationship()
    if record.direction != side.direction:
        raise WrongDirection()
    if entry.body is None and not (erasable and record.erasable):
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
    logs = _logs_after(side, record, body)
    record.verify(replace(side.in_force, pairwise=logs.own.signing_key))
    return logs


def _check_last_seen(relationship: bytes, side: Side, other: Side, record: Record) -> None:
    if record.last_seen.number < side.last_seen(relationship).number:
        raise LastSeenWentBack()
    ours = other.reference(record.last_seen.number, relationship)
    if ours is None:
        raise LastSeenAhead()
    if ours.hash != record.last_seen.hash:
        raise LastSeenMismatch()


def _logs_after(side: Side, record: Record, body: dict[str, cbor.Value]) -> Logs:
    if record.type not in _KEY_EVENTS:
        return Logs(side.log, side.endorser)
    endorses = record.type == bodies.ENDORSE
    log = side.endorser if endorses else side.log
    if log is None:
        raise NotEndorsed()
    event = read_event(body["event"])
    log = log.copy()
    try:
        if not log.append(event):
            raise KeyLogError("wrongSequence", "it adds nothing to the log")
    except KeyLogFork:
        # A contradiction counts only in a record that its sender signed.
        record.verify(Keys(side.log.signing_key if endorses else event.signing_key))
        raise
    except ProtocolError as error:
        raise KeyEventRefused() from error
    return Logs(side.log, log) if endorses else Logs(log, side.endorser)


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
        self.awaited: Reference | None = None
        """An own record that the peer holds and this side does not know: until it is back nothing is signed."""
        self.void: list[Entry] = []
        """Own records that a returned one contradicted, to be said again by a person."""
        self.evidence: list[bytes] = []
        self.own_fork: int | None = None
        """The own record that contradicts another own one, where this side froze over it."""

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

    def endorse(self, time: int, signer: Identity) -> list[Entry]:
        """Says what became of the identity that endorses this side since it was last told (§5.9)."""
        if self.own.endorser is None:
            raise NotEndorsed()
        made = []
        for event in signer.log.events[len(self.own.endorser) :]:
            log = self.own.endorser.copy()
            log.append(event)
            made.append(self._sign(self.identity, time, bodies.ENDORSE, {"event": event.encoded}, None, log))
        return made

    def _key_event(self, change: Callable[[int], Identity], type_: str, time: int) -> Entry:
        self._check_may_sign(type_)
        identity = change(time)
        entry = self._sign(identity, time, type_, {"event": identity.log.last.encoded}, None)
        self.identity = identity
        return entry

    def _check_may_sign(self, type_: str) -> None:
        if self.awaited is not None:
            raise AwaitingOwnRecords(f"up to {self.awaited.number}")
        allowed = (
            self.state in (State.WELCOMED, State.LIVE)
            or (self.state is State.GREETED and self.peer is None)
            or (self.state is State.ENDING and type_ == bodies.REVOKE)
            or (self.state is State.ENDED and self.end_owed and type_ == bodies.END)
        )
        if not allowed:
            raise NotAllowed(f"{type_} while {self.state.value}")

    def sign_batch(self, time: int, messages: Sequence[tuple[str, dict[str, cbor.Value]]]) -> list[Entry]:
        """Signs several records at once (§5.9)."""
        drafts, head = list[Draft](), self.own.latest(self.relationship)
        for type_, body in messages:
            drafts.append(self.draft(time, type_, body, head))
            head = Reference(head.number + 1, drafts[-1].hash)
        entries = sign_batch(self.identity.signing, drafts)
        for entry in entries:
            self.take_own(entry)
        return entries

    def draft(self, time: int, type_: str, body: dict[str, cbor.Value], head: Reference | None = None) -> Draft:
        """The next record, for a batch of this side or of who endorses it; `take_own` takes it once it is signed."""
        if type_.split("/")[0] == "relationship" and type_ != bodies.INTRODUCE:
            raise ReservedType(type_)
        return self._draft(time, type_, body, None, head)

    def take_own(self, entry: Entry) -> None:
        """Adds a record of this side that a batch signed."""
        self.own.take(entry, Logs(self.own.log, self.own.endorser))

    def _draft(
        self,
        time: int,
        type_: str,
        body: dict[str, cbor.Value],
        thread: bytes | None,
        head: Reference | None = None,
    ) -> Draft:
        self._check_may_sign(type_)
        bodies.check(type_, body)
        seen = self.peer.latest(self.relationship) if self.peer is not None else Reference(0, self.relationship)
        before = head or self.own.latest(self.relationship)
        made = draft(self.relationship, self.role, before.number + 1, before.hash, seen, time, type_, body, thread)
        read_body(made.body)
        return made

    def _sign(
        self,
        identity: Identity,
        time: int,
        type_: str,
        body: dict[str, cbor.Value],
        thread: bytes | None,
        endorser: KeyLog | None = None,
    ) -> Entry:
        entry = self._draft(time, type_, body, thread).signed(identity.signing)
        self.own.take(entry, Logs(identity.log, endorser or self.own.endorser))
        if type_ == bodies.REVOKE:
            self.state, self.end_owed = State.ENDED, False
        elif type_ == bodies.END:
            self.state = State.ENDED if self.state is State.ENDED else State.ENDING
            self.end_owed = False
        return entry

    # ---- the peer's ----

    def welcomed_by(self, peer: KeyEvent, signer: KeyLog | None = None) -> None:
        """The invitee's welcome opened: the inviter's keys are pinned, and who vouched for them is known."""
        self.peer = Side(self.role.other, KeyLog(peer))
        if signer is not None:
            self.peer.endorsed_by(signer)
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
            logs = check_next(self.relationship, self.peer, self.own, entry)
        except KeyLogFork as fork:
            self._freeze(fork.ours, fork.theirs)
            return Outcome.FORK
        self.peer.take(entry, logs)
        self._forget_older()
        if record.type == bodies.REVOKE:
            self.state, self.end_owed = State.ENDED, False
        elif record.type == bodies.END:
            self.end_owed = self.state is not State.ENDING
            self.state = State.ENDED
        return Outcome.ACCEPTED

    def _forget_older(self) -> None:
        """X-Wing keys that the peer has seen replaced seal nothing more to this side."""
        assert self.peer is not None
        seen = self.peer.last_seen(self.relationship).number
        unseen = sum(entry.record.type == bodies.ROTATE for entry in self.own.entries[seen:])
        self.identity.older = self.identity.older[:unseen]

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

    # ---- after a rejoin (§5.10) ----

    @property
    def may_rejoin(self) -> bool:
        return self.state in (State.WELCOMED, State.LIVE, State.ENDING)

    @property
    def answers_rejoin(self) -> bool:
        return self.may_rejoin or (self.state is State.FROZEN and self.own_fork is not None)

    def freeze(self, fork: KeyLogFork) -> None:
        """The peer showed an event that contradicts its log."""
        self._freeze(fork.ours, fork.theirs)

    def heads(self) -> Heads:
        """How far both directions have come here."""
        assert self.peer is not None
        return Heads(
            tuple(self.own.entries[number - 1].record.reference for number in Heads.numbers(len(self.own.entries))),
            self.peer.latest(self.relationship),
        )

    def reconcile(self, theirs: Heads) -> list[Entry]:
        """What the peer lacks, of both directions; sets what this side lacks of its own."""
        assert self.peer is not None
        if self.own_fork is not None:
            return [self.own.entries[self.own_fork - 1]]
        alike = next((one.number for one in theirs.own if self._holds(self.peer, one)), 0)
        returned = self.peer.entries[alike:]
        self.awaited = None if self._holds(self.own, theirs.peer) else theirs.peer
        resent = self.own.entries[theirs.peer.number :] if self.awaited is None else []
        return merged(resent, returned)

    def _holds(self, side: Side, reference: Reference) -> bool:
        return side.reference(reference.number, self.relationship) == reference

    def receive_returned(self, entry: Entry) -> Outcome | ReturnedOutcome:
        """Takes an entry of either direction from an envelope of kind 5. Raises a `LedgerError`."""
        if entry.record.direction is not self.role:
            return self.receive(entry)
        if self.peer is None or not self.may_rejoin:
            raise NotAllowed(f"nothing is received while {self.state.value}")
        number = entry.record.number
        if 1 <= number <= len(self.own.entries) and self._holds(self.own, entry.record.reference):
            return ReturnedOutcome.KNOWN
        before, void = self.own, list[Entry]()
        if 1 <= number <= len(self.own.entries):
            if number <= self.peer.last_seen(self.relationship).number:
                return self._own_fork(entry.record)
            before, void = _before(self.relationship, self.own, number), self.own.entries[number - 1 :]
        try:
            logs = check_next(self.relationship, before, self.peer, entry, erasable=True)
        except KeyLogFork as fork:
            raise KeyEventRefused() from fork
        before.take(entry, logs)
        self.own = before
        self.void += void
        if before.revoked:
            self.state, self.end_owed = State.ENDED, False
        elif before.ended:
            self.state = State.ENDING
        elif self.state is State.ENDING:
            self.state = State.LIVE
        if self.awaited is not None and self._holds(self.own, self.awaited):
            self.awaited = None
        return ReturnedOutcome.BACK

    def _own_fork(self, record: Record) -> Outcome:
        """The peer's records have seen another own record of this number than the one that it returns."""
        record.verify(self.own.keys[record.number - 1])
        self._freeze(self.own.entries[record.number - 1].record.encoded, record.encoded)
        self.own_fork, self.awaited = record.number, None
        return Outcome.FORK

    def restate_rotation(self, time: int) -> Entry | None:
        """A rotation whose record is void is said again; None where there is none."""
        if len(self.identity.log) == len(self.own.log) or self.awaited is not None or not self.may_rejoin:
            return None
        if len(self.identity.log) > len(self.own.log) + 1:
            raise NotAllowed("of several rotations only the last one's key is left")
        return self._sign(self.identity, time, bodies.ROTATE, {"event": self.identity.log.last.encoded}, None)

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
