"""Two parties in memory, for the tests."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from handfast import bundle as bundles
from handfast import handshake
from handfast.address import Address, Relay
from handfast.bundle import Bundle
from handfast.handshake import Greeting, Hello, Proof, Welcome
from handfast.identity import Identity
from handfast.invitation import Invitation
from handfast.ledger import Ledger, Outcome, State
from handfast.record import Direction, Entry, draft
from handfast.suite.signing import SigningKey
from handfast.suite.xwing import SealingKey

NOW = 1_800_000_000


def make_entry(key: SigningKey, *parts: Any, **named: Any) -> Entry:
    """A record that one key signs alone."""
    return draft(*parts, **named).signed(key)


def relay() -> Relay:
    return Relay("127.0.0.1", 7_447, os.urandom(32))


def address() -> Address:
    return Address(relay(), os.urandom(16), os.urandom(32))


@dataclass
class Inviter:
    """Who invites: its signer, a bundle and the bundle's key."""

    signer: Identity
    key: SealingKey
    bundle: Bundle
    ticket: bytes

    @classmethod
    def create(cls, now: int = NOW, domain: str | None = None) -> Inviter:
        signer, key = Identity.create(now, domain), SealingKey(os.urandom(32))
        return cls(
            signer, key, bundles.make_bundle(signer, key.public, now, now + 86_400, ("message",)), os.urandom(16)
        )

    @property
    def invitation(self) -> Invitation:
        return Invitation(relay(), os.urandom(16), self.signer.id, len(self.bundle.log), self.ticket)


@dataclass
class Pair:
    """Both ends of one relationship after the welcome."""

    inviter: Inviter
    greeting: Greeting
    hello: Hello
    envelope: bytes
    at_inviter: Welcome
    at_invitee: Welcome
    invitee_ledger: Ledger
    inviter_ledger: Ledger

    @property
    def proof(self) -> Proof:
        return self.at_inviter.proof

    @classmethod
    def meet(
        cls, first: int = 0, now: int = NOW, rotate_signer: bool = False, inviter: Inviter | None = None
    ) -> Pair:
        inviter = inviter or Inviter.create(now)
        parsed = Invitation.parse(str(inviter.invitation))
        received = bundles.read_bundle(inviter.bundle.encoded)
        received.check(parsed, now)

        own = Identity.create(now)
        ledgers: list[Ledger] = []

        def sign_first(relationship: bytes) -> tuple[Entry, ...]:
            ledgers.append(Ledger(relationship, Direction.INVITEE, own, None, State.GREETED))
            return tuple(ledgers[0].sign(now, "message/text", {"text": f"first {i}"}) for i in range(first))

        greeting = handshake.greet(received, parsed.ticket, own, (address(),), now, sign_first)
        hello = handshake.open_hello(greeting.hello, inviter.bundle, inviter.key)
        assert hello.ticket == inviter.ticket
        pairwise = Identity.create(now)
        theirs = Ledger(
            hello.exchange.relationship, Direction.INVITER, pairwise, hello.exchange.invitee, State.WELCOMED
        )
        for entry in hello.entries:
            assert theirs.receive(entry) is Outcome.ACCEPTED
        entries = (theirs.sign(now, "relationship/introduce", {"name": "Shop"}),)
        signer = inviter.signer.rotated(now) if rotate_signer else inviter.signer
        envelope, at_inviter = handshake.welcome(hello, inviter.bundle, signer, pairwise, (address(),), now, entries)
        at_invitee = handshake.open_welcome(greeting, envelope, now)
        theirs.own.endorsed_by(at_inviter.signer)
        ledgers[0].welcomed_by(pairwise.inception, at_invitee.signer)
        for entry in at_invitee.entries:
            assert ledgers[0].receive(entry) is Outcome.ACCEPTED
        return cls(inviter, greeting, hello, envelope, at_inviter, at_invitee, ledgers[0], theirs)
