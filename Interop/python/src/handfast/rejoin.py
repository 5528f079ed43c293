"""A new epoch (Spec/04 §4.8): rejoin, and rejoined, which answers it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from . import ratchet
from .address import Address, read_replies
from .encoding import cbor, cose
from .envelope import MAX_ENVELOPE, Kind
from .errors import (
    HandfastError,
    KeyLogError,
    LastSeenAhead,
    LastSeenMismatch,
    Malformed,
    MissingRecord,
    NotAuthentic,
    PreviousMismatch,
    TooLarge,
    TooManyHeld,
    TooManySkipped,
    UnknownResume,
    UnknownTag,
    UnsupportedVersion,
    reading,
)
from .handshake import pad_signed, resume_secret, unpad_signed
from .identity import MAX_EVENT, Identity, KeyLog, read_event
from .padding import padme
from .record import Heads
from .suite import hpke, xwing
from .suite.agreement import AgreementKey
from .suite.hashing import KDF, H
from .suite.mlkem import EncapsulationKey

TYPE = "handfast-rejoin+cose"
ANSWER_TYPE = "handfast-rejoined+cose"
VERSION = b"\x02"
MAX_EPOCH = 2**32 - 1
MAX_SHOWN = 24
KEPT_EPOCHS = 4
MAX_IN_A_ROW = 4
PAUSE = 3_600
_LOSSES = (TooManySkipped, TooManyHeld, MissingRecord, PreviousMismatch, LastSeenAhead, LastSeenMismatch)
_SEALED = 1 + xwing.ENCAPSULATION


@dataclass
class Resumes:
    """The resume secrets of the latest epochs."""

    secrets: dict[int, bytes] = field(default_factory=dict, repr=False)

    def add(self, epoch: int, secret: bytes) -> None:
        self.secrets[epoch] = secret
        for old in sorted(self.secrets)[:-KEPT_EPOCHS]:
            del self.secrets[old]

    def latest(self, most: int) -> int | None:
        return max((epoch for epoch in self.secrets if epoch <= most), default=None)

    def of(self, epoch: int | None) -> bytes:
        """Empty where no epoch is resumed. Raises `UnknownResume`."""
        if epoch is None:
            return b""
        if epoch not in self.secrets:
            raise UnknownResume(f"epoch {epoch}", "rejoin")
        return self.secrets[epoch]


class Verdict(Enum):
    """What becomes of a rejoin that opened (§4.9)."""

    ANSWERED = "answered before"
    DROPPED = "the own one stands"
    STALE = "cannot be answered"
    ANSWER = "answer"


@dataclass
class Policy:
    """What one side remembers of epochs, so that both come to the same one (§4.9)."""

    begun: int = 0
    """The last epoch that began here."""
    shown_addresses: int = 0
    """The epoch of the rejoin that last showed where the peer receives without being answered."""
    named: int = 0
    """The last that began, was asked for, or that this side was asked for."""
    answered: bytes | None = None
    instead_of: bytes | None = None
    """The hash of a rejoin of the peer's that could not be answered."""
    most: int | None = MAX_EPOCH
    """The latest epoch that both may remember; None for none."""
    shown: KeyLog | None = None
    """The peer's log as a verified rejoin showed it: an own one is sealed to its X-Wing key."""
    noted: bool = False
    """Whether something that a peer may cause asks for a rejoin: one an hour at most."""
    in_a_row: int = 0
    last: int | None = None

    # ---- causes ----

    def opened(self) -> None:
        self.in_a_row = 0

    def refused(self, refusal: HandfastError | None) -> None:
        """An envelope was held (None), or it or a record in it was refused."""
        if refusal is None or isinstance(refusal, (UnknownTag, NotAuthentic)):
            self.in_a_row += 1
            self.noted |= self.in_a_row >= MAX_IN_A_ROW
        self.noted |= isinstance(refusal, _LOSSES)

    def could_not_open(self, hash_: bytes) -> None:
        self.noted, self.instead_of = True, hash_

    def is_due(self, now: int) -> bool:
        return self.noted and (self.last is None or now - self.last >= PAUSE)

    def asked(self, now: int) -> None:
        """A noted cause has led to a rejoin."""
        self.noted, self.in_a_row, self.last = False, 0, now

    # ---- which epoch ----

    def sealing_key(self, log: KeyLog) -> bytes:
        return (self.shown if self.shown is not None and len(self.shown) > len(log) else log).sealing_key

    def plan(self, resumes: Resumes) -> tuple[int, int | None, bytes | None]:
        """Epoch, resumed epoch and `instead of` of the next rejoin."""
        self.named += 1
        resumed = None if self.most is None else resumes.latest(min(self.most, self.named - 1))
        return self.named, resumed, self.instead_of

    def judge(self, received: Received, pending: Pending | None, resumes: Resumes, own_goes_first: bool) -> Verdict:
        """`own_goes_first`: whether the own id is the lower one."""
        if received.hash == self.answered:
            return Verdict.ANSWERED
        self.named = max(self.named, received.epoch)
        self.most = received.resumed
        self.shown = received.log
        if pending is not None and received.instead_of != pending.hash:
            if pending.epoch > received.epoch or (pending.epoch == received.epoch and own_goes_first):
                return Verdict.DROPPED
        if received.epoch <= self.begun or (received.resumed is not None and received.resumed not in resumes.secrets):
            self.could_not_open(received.hash)
            return Verdict.STALE
        return Verdict.ANSWER

    def shows_addresses(self, received: Received) -> bool:
        """Whether a rejoin that is not answered tells where the peer receives: none that came before does."""
        if received.epoch <= max(self.begun, self.shown_addresses) or not received.addresses:
            return False
        self.shown_addresses = received.epoch
        return True

    def begins(self, epoch: int, answered: bytes | None = None) -> None:
        self.begun, self.named = epoch, max(self.named, epoch)
        self.answered, self.instead_of, self.most = answered, None, MAX_EPOCH
        self.noted, self.in_a_row = False, 0


def is_rejoin(data: bytes) -> bool:
    """Tells a rejoin from an envelope of the same queue."""
    return data[:1] == VERSION


def rejoin_hash(relationship: bytes, data: bytes) -> bytes:
    return H("rejoin", relationship, data)


def _root(context: hpke.Context, resume: bytes, hash_: bytes) -> bytes:
    return KDF(context.export(b"HF1.root", 32), "rejoin root", resume, hash_, n=32)


def _shown(identity: Identity) -> list[cbor.Value]:
    return [event.encoded for event in identity.log.events[1:][-MAX_SHOWN:]]


def _read_shown(value: cbor.Value, log: KeyLog) -> KeyLog:
    """The log with the events that a rejoin shows; it serves that rejoin's signature alone."""
    log = log.copy()
    for event in cbor.array(value, MAX_SHOWN):
        log.append(read_event(cbor.byte_string(event, most=MAX_EVENT)))
    if log.revoked:
        raise KeyLogError("revoked")
    return log


def _answer_digest(
    hash_: bytes, heads: cbor.Value, ratchet_key: bytes, ct: bytes, addresses: cbor.Value | None
) -> bytes:
    named = () if addresses is None else (cbor.encode(addresses),)
    return H("rejoined", hash_, cbor.encode(heads), ratchet_key, ct, *named)


# ---- the asker ----


@dataclass(frozen=True)
class Pending:
    """The asker between rejoin and rejoined; it has no channel meanwhile."""

    epoch: int
    hash: bytes
    root: bytes = field(repr=False)
    agreement: AgreementKey
    kem: EncapsulationKey


def ask(
    relationship: bytes,
    epoch: int,
    resumed: int | None,
    resumes: Resumes,
    heads: Heads,
    identity: Identity,
    peer_key: bytes,
    now: int,
    instead_of: bytes | None = None,
    addresses: Sequence[Address] = (),
) -> tuple[bytes, Pending]:
    """A rejoin, sealed to the peer's X-Wing key; with addresses where this side receives elsewhere from now on."""
    agreement, kem = AgreementKey(os.urandom(32)), EncapsulationKey(os.urandom(64))
    encapsulation, context = hpke.sender(peer_key, b"HF1.rejoin" + relationship)
    payload: dict[int, cbor.Value] = {
        1: epoch,
        3: heads.value,
        4: _shown(identity),
        5: cose.x25519_key(agreement.public),
        6: cose.ml_kem_key(kem.public),
        7: now,
    }
    if resumed is not None:
        payload[2] = resumed
    if instead_of is not None:
        payload[8] = instead_of
    if addresses:
        payload[9] = [address.value for address in addresses]
    signed = cose.sign(identity.signing, TYPE, cbor.encode(payload), external=relationship + encapsulation)
    data = VERSION + encapsulation + context.seal(pad_signed(signed), VERSION)
    hash_ = rejoin_hash(relationship, data)
    return data, Pending(epoch, hash_, _root(context, resumes.of(resumed), hash_), agreement, kem)


@dataclass(frozen=True)
class Rejoined:
    """What either side has once an answer is made or opened."""

    channel: ratchet.Channel
    resume: bytes = field(repr=False)
    item: cbor.Value = field(repr=False)
    log: KeyLog
    """The peer's log with what it showed; the ledger's grows by records alone."""
    addresses: tuple[Address, ...] = ()
    """Where the peer receives from now on; empty where nothing has changed."""

    def heads(self, relationship: bytes) -> Heads:
        """The peer's. Raises a `LedgerError` where the item is none."""
        return Heads.of(self.item, relationship)


def open_rejoined(pending: Pending, envelope: bytes, log: KeyLog, now: int) -> Rejoined:
    """The asker opens the answer. Raises a `ProtocolError`."""
    with reading("rejoined"):
        channel, body, ratchet_key, ct = ratchet.open_first(
            pending.root, pending.agreement, pending.kem, envelope, Kind.REJOINED, now
        )
        found = cbor.fields(cbor.decode(body.content), range(1, 4), (4,))
        signature = cose.read_sign1(cbor.byte_string(found[2]), ANSWER_TYPE, detached=True)
        addresses = read_replies(found[4]) if 4 in found else ()
        shown = _read_shown(found[3], log)
        digest = _answer_digest(pending.hash, found[1], ratchet_key, ct, found.get(4))
        signature.verify(shown.signing_key, detached=digest)
        return Rejoined(channel, resume_secret(pending.root), found[1], shown, addresses)


# ---- the answerer ----


@dataclass(frozen=True)
class Received:
    """A rejoin that opened and verified. Whether it stands is for the answerer to judge (§4.9)."""

    hash: bytes
    epoch: int
    resumed: int | None
    item: cbor.Value = field(repr=False)
    log: KeyLog
    ratchet_key: bytes
    kem_key: bytes = field(repr=False)
    created: int
    instead_of: bytes | None
    addresses: tuple[Address, ...]
    """Where the asker receives from now on; empty where nothing has changed."""
    context: hpke.Context = field(repr=False)

    def heads(self, relationship: bytes) -> Heads:
        """Raises a `LedgerError` where the item is none."""
        return Heads.of(self.item, relationship)


def open_rejoin(data: bytes, relationship: bytes, identity: Identity, log: KeyLog) -> Received:
    """Opens a rejoin in the order of §4.8. Raises a `ProtocolError`."""
    with reading("rejoin"):
        if len(data) > MAX_ENVELOPE:
            raise TooLarge(f"{len(data)} bytes")
        if len(data) < _SEALED + padme(0) + 16:
            raise Malformed("shorter than its parts")
        if not is_rejoin(data):
            raise UnsupportedVersion(data[:1].hex())
        encapsulation = data[1:_SEALED]
        for key in (identity.sealing, *identity.older):
            context = hpke.receiver(key, encapsulation, b"HF1.rejoin" + relationship)
            try:
                plaintext = context.open(data[_SEALED:], VERSION)
                break
            except NotAuthentic:
                continue
        else:
            raise NotAuthentic()
        signed = cose.read_sign1(unpad_signed(plaintext), TYPE)
        found = cbor.fields(cbor.decode(signed.content), (1, 3, 4, 5, 6, 7), (2, 8, 9))
        epoch = cbor.uint(found[1], 1, MAX_EPOCH)
        resumed = cbor.uint(found[2], 0, MAX_EPOCH) if 2 in found else None
        if resumed is not None and resumed >= epoch:
            raise Malformed("resumes a later epoch")
        ratchet_key, kem_key = cose.read_x25519(found[5]), cose.read_ml_kem(found[6])
        created = cbor.uint(found[7])
        instead_of = cbor.byte_string(found[8], 32) if 8 in found else None
        addresses = read_replies(found[9]) if 9 in found else ()
        shown = _read_shown(found[4], log)
        signed.verify(shown.signing_key, external=relationship + encapsulation)
        hash_ = rejoin_hash(relationship, data)
        return Received(
            hash_, epoch, resumed, found[3], shown, ratchet_key, kem_key, created, instead_of, addresses, context
        )


def answer(
    received: Received,
    resumes: Resumes,
    heads: Heads,
    identity: Identity,
    now: int,
    addresses: Sequence[Address] = (),
) -> tuple[bytes, Rejoined]:
    """Rejoined, the first envelope of the epoch. Raises `UnknownResume`."""
    root = _root(received.context, resumes.of(received.resumed), received.hash)
    begun = own, ct, _ = ratchet.begin_as_inviter(root, received.ratchet_key, received.kem_key)
    named: list[cbor.Value] | None = [address.value for address in addresses] or None
    digest = _answer_digest(received.hash, heads.value, own.public, ct, named)
    fields: dict[int, cbor.Value] = {
        1: heads.value,
        2: cose.sign(identity.signing, ANSWER_TYPE, digest, detached=True),
        3: _shown(identity),
    }
    if named is not None:
        fields[4] = named
    content = cbor.encode(fields)
    envelope, channel = ratchet.first_envelope(
        root, begun, received.ratchet_key, received.kem_key, Kind.REJOINED, content, now
    )
    return envelope, Rejoined(channel, resume_secret(root), received.item, received.log, received.addresses)
