"""Exports of a ledger and their verification (Spec/05 §5.6)."""

from __future__ import annotations

from dataclasses import dataclass, field

from . import bodies
from .bodies import ENDORSE
from .bundle import MAX_SIZE, Bundle, read_bundle
from .encoding import cbor
from .errors import (
    CBORError,
    DifferentRelationships,
    ExportsDisagree,
    HandfastError,
    Handshake,
    HandshakeMismatch,
    KeyEventRefused,
    KeyLogError,
    KeyLogFork,
    LedgerError,
    LedgerMalformed,
    LedgerVersion,
    ProtocolError,
    RefusedEntry,
    reading,
    reading_as,
)
from .handshake import Proof, check_welcome, read_inception, relationship_id
from .identity import MAX_EVENT, MAX_EVENTS, KeyEvent, KeyLog
from .ledger import Ledger, Side, check_next
from .record import Direction, Entry, read_entries
from .suite import mlkem, xwing

MAX_EXPORT = 1 << 30


def _shown(entry: Entry) -> Entry:
    """Who reads an export must not learn how to send to its parties (§5.1)."""
    return entry.erased if entry.record.type == bodies.MOVE else entry


@dataclass(frozen=True)
class Export:
    """A ledger with what verification needs. `verify` says whether to believe it."""

    relationship: bytes
    role: Direction
    proof: Proof = field(repr=False)
    invitee: tuple[Entry, ...] = field(repr=False)
    inviter: tuple[Entry, ...] = field(repr=False)

    @classmethod
    def of(cls, ledger: Ledger, proof: Proof) -> Export:
        return cls(
            ledger.relationship,
            ledger.role,
            proof,
            *(tuple(map(_shown, ledger.entries(direction))) for direction in Direction),
        )

    def entries(self, direction: Direction) -> tuple[Entry, ...]:
        return self.invitee if direction is Direction.INVITEE else self.inviter

    def encode(self) -> bytes:
        return cbor.encode(
            {
                1: 1,
                2: self.relationship,
                3: self.role.value,
                4: self.proof.value,
                5: [entry.value for entry in self.invitee],
                6: [entry.value for entry in self.inviter],
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> Export:
        """Raises a `LedgerError`."""
        with reading_as(LedgerMalformed):
            value = cbor.decode(data, MAX_EXPORT)
            if isinstance(value, dict) and type(version := value.get(1)) is int and version != 1:
                raise LedgerVersion(str(version))
            found = cbor.fields(value, range(1, 7))
            cbor.uint(found[1], 1, 1)
            relationship, role = cbor.byte_string(found[2], 32), Direction(cbor.uint(found[3], 0, 1))
            proof = _read_proof(found[4])
            invitee, inviter = (cbor.array(found[side], len(data)) for side in (5, 6))
        return cls(relationship, role, proof, read_entries(invitee), read_entries(inviter))


def _read_proof(value: cbor.Value) -> Proof:
    bundle, encapsulation, hello_hash, ct, ratchet_key, invitee, inviter, pairwise, signer, events = cbor.items(
        value, 10
    )
    return Proof(
        cbor.byte_string(bundle, most=MAX_SIZE),
        cbor.byte_string(encapsulation, xwing.ENCAPSULATION),
        cbor.byte_string(hello_hash, 32),
        cbor.byte_string(ct, mlkem.CIPHERTEXT),
        cbor.byte_string(ratchet_key, 32),
        cbor.byte_string(invitee, most=MAX_EVENT),
        cbor.byte_string(inviter, most=MAX_EVENT),
        cbor.byte_string(pairwise),
        cbor.byte_string(signer),
        tuple(cbor.byte_string(e, most=MAX_EVENT) for e in cbor.array(events, MAX_EVENTS)),
    )


@dataclass(frozen=True)
class Verified:
    """What a verified export proves: who exchanged these records, and which signer vouched for the inviter."""

    relationship: bytes
    signer: KeyLog
    sides: tuple[Side, Side]


def verify(export: Export) -> Verified:
    """Checks an export by itself. Raises a `LedgerError`."""
    bundle, signer, invitee, inviter = _check_handshake(export)
    sides = Side(Direction.INVITEE, KeyLog(invitee)), Side(Direction.INVITER, KeyLog(inviter))
    whole = Side(Direction.INVITEE, KeyLog(invitee)), Side(Direction.INVITER, KeyLog(inviter))
    for side in whole:
        side.entries = list(export.entries(side.direction))
    sides[1].endorsed_by(signer)
    for side in sides:
        for number, entry in enumerate(export.entries(side.direction), 1):
            try:
                logs = check_next(export.relationship, side, whole[side.direction.other], entry, erasable=True)
            except KeyLogFork as fork:
                raise RefusedEntry(side.direction, number) from _told_once(entry, fork)
            except HandfastError as error:
                raise RefusedEntry(side.direction, number) from error
            side.take(entry, logs)
    return Verified(export.relationship, bundle.log, sides)


def _check_handshake(export: Export) -> tuple[Bundle, KeyLog, KeyEvent, KeyEvent]:
    proof = export.proof
    try:
        invitee, inviter = read_inception(proof.invitee), read_inception(proof.inviter)
        bundle = read_bundle(proof.bundle)
        relationship = relationship_id(bundle.hash, proof.encapsulation, invitee.id)
        with reading("welcome"):
            _, signer = check_welcome(proof, bundle, relationship, inviter)
        if relationship != export.relationship:
            raise HandshakeMismatch()
    except (ProtocolError, CBORError) as error:
        raise Handshake() from error
    except LedgerError:
        raise
    except HandfastError as error:
        raise Handshake() from error
    return bundle, signer, invitee, inviter


def _told_once(entry: Entry, fork: KeyLogFork) -> HandfastError:
    """In an export an endorsing event that contradicts a known one is refused like one that is known (§5.9)."""
    if entry.record.type != ENDORSE:
        return fork
    refused = KeyEventRefused()
    refused.__cause__ = KeyLogError("wrongSequence")
    return refused


def compare(one: Export, other: Export) -> None:
    """Whether two verified exports agree: each direction of one is a prefix of the other's. Raises a `LedgerError`."""
    if one.relationship != other.relationship:
        raise DifferentRelationships()
    if read_inception(one.proof.inviter).id != read_inception(other.proof.inviter).id:
        raise ExportsDisagree("two inviters")
    for direction in Direction:
        pairs = zip(one.entries(direction), other.entries(direction), strict=False)
        for number, (ours, theirs) in enumerate(pairs, 1):
            if ours.record.hash != theirs.record.hash:
                raise ExportsDisagree(direction=direction, number=number)
