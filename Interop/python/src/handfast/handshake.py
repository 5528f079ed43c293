"""The handshake (Spec/03 §3.3, §3.4): hello, welcome, and the proof that stays of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field

from . import ratchet
from .address import Address, read_addresses
from .bundle import Bundle
from .encoding import cbor, cose
from .encoding.text import proquints
from .envelope import Kind
from .errors import KeyLogError, Malformed, TooLarge, TooMany, UnsupportedVersion, WrongBundle, reading
from .identity import MAX_EVENT, MAX_EVENTS, Identity, KeyEvent, KeyLog, read_event
from .identity import Kind as EventKind
from .padding import padme
from .record import MAX_FIRST_ENTRIES, Entry, read_entries
from .suite import hpke, xwing
from .suite.agreement import AgreementKey
from .suite.hashing import KDF, H
from .suite.mlkem import EncapsulationKey
from .suite.xwing import SealingKey

HELLO_TYPE = "handfast-hello+cose"
WELCOME_TYPE = "handfast-welcome+cose"
MAX_HELLO = 32_768
_HEAD = 33
_SEALED = _HEAD + xwing.ENCAPSULATION


@dataclass(frozen=True)
class Exchange:
    """What both sides know once a hello is made or opened."""

    bundle_hash: bytes
    encapsulation: bytes = field(repr=False)
    hello_hash: bytes
    invitee: KeyEvent
    root: bytes = field(repr=False)

    @property
    def relationship(self) -> bytes:
        return relationship_id(self.bundle_hash, self.encapsulation, self.invitee.id)

    @property
    def transcript(self) -> bytes:
        return H("transcript", self.bundle_hash, self.hello_hash)


def relationship_id(bundle_hash: bytes, encapsulation: bytes, invitee: bytes) -> bytes:
    return H("relationship", bundle_hash, encapsulation, invitee)


def bundle_hash_of(hello: bytes) -> bytes:
    """Which bundle a hello is for, so that the inviter finds its key. Raises a `ProtocolError`."""
    if len(hello) > MAX_HELLO:
        raise TooLarge(f"{len(hello)} bytes", "hello")
    if len(hello) < _SEALED + padme(0) + 16:
        raise Malformed("shorter than its parts", "hello")
    if hello[:1] != b"\x01":
        raise UnsupportedVersion(hello[:1].hex(), "hello")
    return hello[1:_HEAD]


def resume_secret(root: bytes) -> bytes:
    """What a later epoch shows of the one that begins with this root (§4.8)."""
    return KDF(root, "resume", n=32)


def _root(context: hpke.Context, ticket: bytes, transcript: bytes) -> bytes:
    return KDF(context.export(b"HF1.root", 32), "root", ticket, transcript, n=32)


# ---- hello, the invitee's side ----


@dataclass(frozen=True)
class Greeting:
    """The invitee between hello and welcome."""

    hello: bytes = field(repr=False)
    exchange: Exchange
    bundle: Bundle
    agreement: AgreementKey
    kem: EncapsulationKey


def greet(
    bundle: Bundle,
    ticket: bytes,
    identity: Identity,
    addresses: tuple[Address, ...],
    now: int,
    first: Callable[[bytes], tuple[Entry, ...]] = lambda relationship: (),
) -> Greeting:
    """Makes a hello. `first` signs the first records, given the relationship's id."""
    agreement, kem = AgreementKey(os.urandom(32)), EncapsulationKey(os.urandom(64))
    head = b"\x01" + bundle.hash
    encapsulation, context = hpke.sender(bundle.sealing_key, b"HF1.hello" + bundle.hash)
    entries = first(relationship_id(bundle.hash, encapsulation, identity.id))
    if len(entries) > MAX_FIRST_ENTRIES:
        raise TooMany(f"{len(entries)} first records")
    payload = cbor.encode(
        {
            1: identity.inception.encoded,
            2: [address.value for address in addresses],
            3: cose.x25519_key(agreement.public),
            4: cose.ml_kem_key(kem.public),
            5: ticket,
            6: [entry.value for entry in entries],
            7: now,
        }
    )
    signed = cose.sign(identity.signing, HELLO_TYPE, payload, external=bundle.hash + encapsulation)
    if _SEALED + padme(2 + len(signed)) + 16 > MAX_HELLO:
        raise TooLarge("first records", "hello")
    hello = head + encapsulation + context.seal(pad_signed(signed), head)
    hello_hash = H("hello", hello)
    root = _root(context, ticket, H("transcript", bundle.hash, hello_hash))
    exchange = Exchange(bundle.hash, encapsulation, hello_hash, identity.inception, root)
    return Greeting(hello, exchange, bundle, agreement, kem)


# ---- hello, the inviter's side ----


@dataclass(frozen=True)
class Hello:
    """A hello that opened.

    The caller checks next, in this order, that its ticket is known and unspent, and its entries, by a `Ledger` (§3.3).
    """

    exchange: Exchange
    addresses: tuple[Address, ...]
    ratchet_key: bytes
    kem_key: bytes = field(repr=False)
    ticket: bytes = field(repr=False)
    items: tuple[cbor.Value, ...]
    created: int

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Raises a `LedgerError` where an item is no entry."""
        return read_entries(list(self.items))


def open_hello(hello: bytes, bundle: Bundle, key: SealingKey) -> Hello:
    """Opens a hello in the order of §3.3. Raises a `ProtocolError`."""
    with reading("hello"):
        if bundle_hash_of(hello) != bundle.hash:
            raise WrongBundle()
        encapsulation = hello[_HEAD:_SEALED]
        context = hpke.receiver(key, encapsulation, b"HF1.hello" + bundle.hash)
        signed = cose.read_sign1(unpad_signed(context.open(hello[_SEALED:], hello[:_HEAD])), HELLO_TYPE)
        found = cbor.fields(cbor.decode(signed.content), range(1, 8))
        inception = read_inception(cbor.byte_string(found[1]))
        addresses = read_addresses(found[2])
        ratchet_key, kem_key = cose.read_x25519(found[3]), cose.read_ml_kem(found[4])
        ticket = cbor.byte_string(found[5], 16)
        items = tuple(cbor.array(found[6], MAX_FIRST_ENTRIES))
        created = cbor.uint(found[7])
        signed.verify(inception.signing_key, external=bundle.hash + encapsulation)
        hello_hash = H("hello", hello)
        root = _root(context, ticket, H("transcript", bundle.hash, hello_hash))
        exchange = Exchange(bundle.hash, encapsulation, hello_hash, inception, root)
        return Hello(exchange, addresses, ratchet_key, kem_key, ticket, items, created)


def pad_signed(signed: bytes) -> bytes:
    """The plaintext of hello and rejoin: a length, COSE_Sign1, zeros."""
    return (len(signed).to_bytes(2, "big") + signed).ljust(padme(2 + len(signed)), b"\0")


def unpad_signed(plaintext: bytes) -> bytes:
    """Raises `Malformed`."""
    length = int.from_bytes(plaintext[:2], "big")
    if len(plaintext) < 2 + length or any(plaintext[2 + length :]):
        raise Malformed("padding")
    return plaintext[2 : 2 + length]


def read_inception(data: bytes) -> KeyEvent:
    event = read_event(data)
    KeyLog(event)
    return event


# ---- welcome ----


@dataclass(frozen=True)
class Proof:
    """What shows later that these two identities met by this bundle (§5.6)."""

    bundle: bytes = field(repr=False)
    encapsulation: bytes = field(repr=False)
    hello_hash: bytes
    ciphertext: bytes = field(repr=False)
    ratchet_key: bytes
    invitee: bytes = field(repr=False)
    inviter: bytes = field(repr=False)
    pairwise_signature: bytes = field(repr=False)
    signer_signature: bytes = field(repr=False)
    signer_events: tuple[bytes, ...] = field(repr=False)

    @property
    def value(self) -> list[cbor.Value]:
        return [
            self.bundle,
            self.encapsulation,
            self.hello_hash,
            self.ciphertext,
            self.ratchet_key,
            self.invitee,
            self.inviter,
            self.pairwise_signature,
            self.signer_signature,
            list(self.signer_events),
        ]


def welcome_digest(
    relationship: bytes, bundle_hash: bytes, hello_hash: bytes, inviter: KeyEvent, ratchet_key: bytes, ciphertext: bytes
) -> bytes:
    """What both of the inviter's keys sign."""
    return H("welcome", relationship, bundle_hash, hello_hash, inviter.payload, ratchet_key, ciphertext)


def words(transcript: bytes, digest: bytes) -> str:
    """Six words that two people compare (§3.4)."""
    return proquints(H("words", transcript, digest)[:12])


@dataclass(frozen=True)
class Welcome:
    """What either side has once a welcome is made or opened."""

    channel: ratchet.Channel
    resume: bytes = field(repr=False)
    proof: Proof
    signer: KeyLog
    words: str
    addresses: tuple[Address, ...]
    items: tuple[cbor.Value, ...]

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Raises a `LedgerError` where an item is no entry."""
        return read_entries(list(self.items))


def welcome(
    hello: Hello,
    bundle: Bundle,
    signer: Identity,
    identity: Identity,
    addresses: tuple[Address, ...],
    now: int,
    entries: tuple[Entry, ...] = (),
) -> tuple[bytes, Welcome]:
    """The inviter's welcome and its channel. `signer` may have rotated since the bundle."""
    exchange = hello.exchange
    begun = own, ct, _ = ratchet.begin_as_inviter(exchange.root, hello.ratchet_key, hello.kem_key)
    digest = welcome_digest(
        exchange.relationship, exchange.bundle_hash, exchange.hello_hash, identity.inception, own.public, ct
    )
    pairwise = cose.sign(identity.signing, WELCOME_TYPE, digest, detached=True)
    signers = cose.sign(signer.signing, WELCOME_TYPE, digest, detached=True)
    later = tuple(event.encoded for event in signer.log.events[len(bundle.log) :])
    content = cbor.encode(
        {
            1: identity.inception.encoded,
            2: [address.value for address in addresses],
            3: pairwise,
            4: signers,
            5: [entry.value for entry in entries],
            6: list(later),
        }
    )
    envelope, channel = ratchet.first_envelope(
        exchange.root, begun, hello.ratchet_key, hello.kem_key, Kind.WELCOME, content, now
    )
    proof = Proof(
        bundle.encoded,
        exchange.encapsulation,
        exchange.hello_hash,
        ct,
        own.public,
        exchange.invitee.encoded,
        identity.inception.encoded,
        pairwise,
        signers,
        later,
    )
    items = tuple(entry.value for entry in entries)
    shown = words(exchange.transcript, digest)
    return envelope, Welcome(channel, resume_secret(exchange.root), proof, signer.log, shown, addresses, items)


def open_welcome(greeting: Greeting, envelope: bytes, now: int) -> Welcome:
    """The invitee opens a welcome. Raises a `ProtocolError`."""
    with reading("welcome"):
        exchange, bundle = greeting.exchange, greeting.bundle
        channel, body, ratchet_key, ct = ratchet.open_first(
            exchange.root, greeting.agreement, greeting.kem, envelope, Kind.WELCOME, now
        )
        found = cbor.fields(cbor.decode(body.content), range(1, 7))
        inviter = read_inception(cbor.byte_string(found[1]))
        addresses = read_addresses(found[2])
        pairwise, signers = cbor.byte_string(found[3]), cbor.byte_string(found[4])
        items = tuple(cbor.array(found[5], MAX_FIRST_ENTRIES))
        later = tuple(cbor.byte_string(event, most=MAX_EVENT) for event in cbor.array(found[6], MAX_EVENTS))
        proof = Proof(
            bundle.encoded,
            exchange.encapsulation,
            exchange.hello_hash,
            ct,
            ratchet_key,
            exchange.invitee.encoded,
            inviter.encoded,
            pairwise,
            signers,
            later,
        )
        digest, log = check_welcome(proof, bundle, exchange.relationship, inviter)
        shown = words(exchange.transcript, digest)
        return Welcome(channel, resume_secret(exchange.root), proof, log, shown, addresses, items)


def check_welcome(proof: Proof, bundle: Bundle, relationship: bytes, inviter: KeyEvent) -> tuple[bytes, KeyLog]:
    """Verifies both signatures of a welcome; what they sign, and the signer's log."""
    log = bundle.log.copy()
    for event in proof.signer_events:
        if not log.append(found := read_event(event)):
            raise KeyLogError("inceptionRepeated" if found.kind is EventKind.INCEPTION else "wrongSequence")
    if log.revoked:
        raise KeyLogError("revoked")
    digest = welcome_digest(relationship, bundle.hash, proof.hello_hash, inviter, proof.ratchet_key, proof.ciphertext)
    for key, data in ((inviter.signing_key, proof.pairwise_signature), (log.signing_key, proof.signer_signature)):
        cose.read_sign1(data, WELCOME_TYPE, detached=True).verify(key, detached=digest)
    return digest, log
