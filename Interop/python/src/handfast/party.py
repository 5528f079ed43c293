"""One party of one relationship over real relays: handshake, channel and ledger put together (Spec/03 to Spec/07).

Everything is in memory, so a party lives as long as its process. That is enough to meet another implementation.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from . import attachment as attachments
from . import bodies, handshake
from .address import Address, Relay
from .bundle import Bundle, make_bundle, read_bundle
from .encoding import cbor
from .envelope import Body, Kind
from .errors import (
    HandfastError,
    KeyLogFork,
    LedgerError,
    LinkError,
    MalformedBody,
    NotAllowed,
    ProtocolError,
    RelayError,
)
from .export import Export
from .handshake import Proof
from .identity import Identity
from .invitation import Invitation
from .ledger import Ledger, Outcome, State
from .ratchet import Channel
from .record import Direction, Entry, Ephemeral, contents, encode_content, read_body, read_content
from .rejoin import (
    Pending,
    Policy,
    Rejoined,
    Resumes,
    Verdict,
    answer,
    ask,
    is_rejoin,
    open_rejoin,
    open_rejoined,
    rejoin_hash,
)
from .relay import Message, Put, RelayClient, Status, chain_digest
from .suite.signing import SigningKey
from .suite.xwing import SealingKey


def _now() -> int:
    return int(time.time())


@dataclass
class Sender:
    """The way to one queue of the peer: what was put counts, and its digest is compared (§7.2)."""

    client: RelayClient
    address: Address
    next: int = 0
    digest: bytes = bytes(32)

    async def put(self, envelope: bytes) -> None:
        """Raises `LinkError` where the relay does not store the envelope as the next."""
        put = Put(self.address.queue, self.address.capability, self.next, [envelope])
        (result,) = await self.client.put(put)
        self.next, self.digest = self.next + 1, chain_digest(self.digest, envelope)
        if result.status is not Status.OK or (result.next, result.digest) != (self.next, self.digest):
            raise LinkError(f"put: {result.status.name}")


class Party:
    """A party after the handshake. `receive` takes what its relay pushes; the other methods sign and send."""

    def __init__(self, own: RelayClient, sender: Sender, queue: bytes, channel: Channel, ledger: Ledger, proof: Proof):
        self.own = own
        self.sender = sender
        self.queue = queue
        self.channel: Channel | None = channel
        """None between a rejoin of this side and its answer."""
        self.ledger = ledger
        self.proof = proof
        self.words = ""
        self.resumes = Resumes()
        self.policy = Policy()
        self.pending: Pending | None = None
        self.sendings: dict[int, attachments.Sending] = {}
        self.receivings: dict[int, attachments.Receiving] = {}
        """Attachments of either side by the number of their record."""
        self.without_resume = False
        """Whether an epoch began without the secret of an earlier one: to be shown to a person."""
        self.refusals: list[HandfastError] = []

    # ---- meeting ----

    @classmethod
    async def accept(cls, uri: str, home: Relay | None = None, wait: float = 60.0, name: str | None = None) -> Self:
        """Accepts an invitation; `home` is the relay where this party has its queue, else the inviter's.

        With a name its first record, which travels in hello, introduces this party.
        """
        invitation = Invitation.parse(uri)
        theirs = await RelayClient.connect(invitation.relay)
        bundle = read_bundle(await theirs.fetch(invitation.queue))
        bundle.check(invitation, _now())
        own, address = await _move_in(home or invitation.relay)
        identity = Identity.create(_now())
        ledgers: list[Ledger] = []

        def first(relationship: bytes) -> tuple[Entry, ...]:
            ledgers.append(Ledger(relationship, Direction.INVITEE, identity, None, State.GREETED))
            return () if name is None else (ledgers[0].sign(_now(), bodies.INTRODUCE, {"name": name}),)

        greeting = handshake.greet(bundle, invitation.ticket, identity, (address,), _now(), first)
        await theirs.knock(invitation.queue, invitation.knock, greeting.hello)
        async with asyncio.timeout(wait):
            message = await _next(own)
        welcome = handshake.open_welcome(greeting, message.data, _now())
        inviter = welcome.proof.inviter
        (ledger,) = ledgers
        ledger.welcomed_by(handshake.read_inception(inviter), welcome.signer)
        sender = Sender(await RelayClient.connect(welcome.addresses[0].relay), welcome.addresses[0])
        await theirs.close()
        party = cls(own, sender, address.queue, welcome.channel, ledger, welcome.proof)
        party.words = welcome.words
        party.resumes.add(0, welcome.resume)
        party._take(welcome.entries)
        await own.ack(message.position)
        await party._send(Kind.TURN, b"")
        return party

    # ---- sending ----

    async def _send(self, kind: Kind, content: bytes) -> None:
        if self.channel is None:
            raise NotAllowed("a rejoin waits for its answer")
        await self.sender.put(self.channel.seal(kind, content, _now()))
        self.channel.renew_salt()

    async def _records(self, *entries: Entry) -> None:
        await self._send(Kind.RECORDS, encode_content(entries))

    async def say(self, *texts: str) -> None:
        """Sends texts as records of one envelope."""
        await self._records(*(self.ledger.sign(_now(), bodies.TEXT, {"text": text}) for text in texts))

    async def batch(self, *texts: str) -> None:
        """Sends texts as records under one signature, of one envelope."""
        await self._records(*self.ledger.sign_batch(_now(), [(bodies.TEXT, {"text": text}) for text in texts]))

    async def record(self, type_: str, body: dict[str, cbor.Value], thread: bytes | None = None) -> None:
        await self._records(self.ledger.sign(_now(), type_, body, thread))

    async def attach(
        self, content: bytes, name: str, media_type: str | None = None, text: str | None = None
    ) -> int:
        """Sends the record of a file; `receive` serves its chunks as the peer asks for them (§9.4)."""
        attachment, chunks = attachments.seal(content, name, media_type=media_type, text=text)
        entry = self.ledger.sign(_now(), attachments.TYPE, attachment.body)
        self.sendings[entry.record.number] = attachments.Sending(entry.record.number, chunks)
        await self._records(entry)
        return entry.record.number

    async def ephemeral(self, message: Ephemeral) -> None:
        await self._send(Kind.EPHEMERAL, message.encode())

    async def rotate(self) -> None:
        await self._records(self.ledger.rotate(_now()))

    async def revoke(self) -> None:
        await self._records(self.ledger.revoke(_now()))

    async def end(self, reason: str | None = None) -> None:
        await self.record(bodies.END, {} if reason is None else {"reason": reason})

    # ---- receiving ----

    async def receive(self, wait: float = 30.0) -> list[Entry | Ephemeral]:
        """What the next message of this party's queue says; what it refuses is in `refusals`. Raises `TimeoutError`."""
        async with asyncio.timeout(wait):
            message = await _next(self.own)
        news: list[Entry | Ephemeral] = []
        try:
            if is_rejoin(message.data):
                await self._answer(message.data)
            elif self.pending is not None:
                await self._rejoined(self.pending, message.data)
            else:
                assert self.channel is not None
                opening = self.channel.open(message.data, _now())
                if opening.held:
                    self.policy.refused(None)
                for body in opening.bodies:
                    self.policy.opened()
                    self.ledger.first_envelope()
                    news += self._read(body)
        except HandfastError as refusal:
            self._refuse(refusal)
        await self.own.ack(message.position)
        if self.channel is not None:
            await self._follow(news)
            await self._transfer(news)
        if self.policy.is_due(now := _now()) and self.ledger.may_rejoin:
            self.policy.asked(now)
            await self.rejoin()
        if self.channel is None:
            return news
        if (restated := self.ledger.restate_rotation(_now())) is not None:
            await self._records(restated)
        if self.ledger.end_owed and self.ledger.awaited is None:
            await self.end()
        elif self.channel.turn_due(_now()) and self.ledger.state is not State.ENDED:
            await self._send(Kind.TURN, b"")
        return news

    def _refuse(self, refusal: HandfastError) -> None:
        self.refusals.append(refusal)
        self.policy.refused(refusal)

    def _read(self, body: Body) -> list[Entry | Ephemeral]:
        if body.kind is Kind.EPHEMERAL:
            return [Ephemeral.decode(body.content)]
        if body.kind is Kind.TURN:
            return []
        entries = read_content(body.content)
        if body.kind is not Kind.RETURNED:
            return list(self._take(entries))
        news: list[Entry | Ephemeral] = []
        for entry in entries:
            try:
                if self.ledger.receive_returned(entry) is Outcome.ACCEPTED:
                    news.append(entry)
            except LedgerError as refusal:
                self._refuse(refusal)
        return news

    def _take(self, entries: Sequence[Entry]) -> list[Entry]:
        """Takes entries one by one (§5.2): each stands or falls by itself."""
        accepted: list[Entry] = []
        for entry in entries:
            try:
                if self.ledger.receive(entry) is Outcome.ACCEPTED:
                    accepted.append(entry)
            except LedgerError as refusal:
                self._refuse(refusal)
        return accepted

    async def _follow(self, news: Sequence[Entry | Ephemeral]) -> None:
        """Sends to where the peer receives from now on, and so shows it that its record is known (§5.11)."""
        for item in news:
            if not isinstance(item, Entry) or item.record.type != bodies.MOVE or item.body is None:
                continue
            if item.record.direction is self.ledger.own.direction:
                continue
            await self._turn_to(bodies.addresses(read_body(item.body)))
            await self._send(Kind.TURN, b"")

    async def _turn_to(self, addresses: Sequence[Address]) -> bool:
        """Sends to the first of these from now on; whether it is another queue than before."""
        if not addresses or addresses[0].queue == self.sender.address.queue:
            return False
        await self.sender.client.close()
        self.sender = Sender(await RelayClient.connect(addresses[0].relay), addresses[0])
        return True

    # ---- attachments (§9.4) ----

    async def _transfer(self, news: Sequence[Entry | Ephemeral]) -> None:
        for item in news:
            if isinstance(item, Entry) and item.record.type == attachments.TYPE and item.body is not None:
                attachment = attachments.Attachment.of(read_body(item.body))
                receiving = attachments.Receiving(item.record.number, attachments.Opener(attachment))
                self.receivings[item.record.number] = receiving
                await self.ephemeral(receiving.want().message)
            elif isinstance(item, Ephemeral) and item.type in attachments.MESSAGES:
                await self._take_transfer(item)

    async def _take_transfer(self, message: Ephemeral) -> None:
        try:
            transfer = attachments.Transfer.of(message)
            to_sender = transfer.type in attachments.TO_SENDER
            file = (self.sendings if to_sender else self.receivings).get(transfer.record)
            if file is None:
                answers = iter([attachments.unknown(transfer)])
            else:
                answers = file.take(transfer)
            for answer_ in answers:
                if answer_ is not None:
                    await self.ephemeral(answer_.message)
        except LedgerError as refusal:
            self.refusals.append(refusal)
            if not isinstance(refusal, MalformedBody):
                del self.receivings[transfer.record]
                await self.ephemeral(attachments.Transfer(attachments.DECLINE, transfer.record).message)

    # ---- a new epoch (§4.8, §4.9) ----

    async def rejoin(self) -> None:
        """Asks for a new epoch; `receive` opens the answer."""
        epoch, resumed, instead_of = self.policy.plan(self.resumes)
        assert self.ledger.peer is not None
        data, self.pending = ask(
            self.ledger.relationship,
            epoch,
            resumed,
            self.resumes,
            self.ledger.heads(),
            self.ledger.identity,
            self.policy.sealing_key(self.ledger.peer.log),
            _now(),
            instead_of,
        )
        self.channel = None
        await self.sender.put(data)

    async def _rejoined(self, pending: Pending, envelope: bytes) -> None:
        assert self.ledger.peer is not None
        try:
            rejoined = open_rejoined(pending, envelope, self.ledger.peer.log, _now())
        except ProtocolError:
            # It is no answer: acknowledged and not counted.
            return
        lacking = self._begin(pending.epoch, rejoined)
        await self._turn_to(rejoined.addresses)
        if not lacking:
            await self._send(Kind.TURN, b"")
        await self._return(lacking)

    async def _answer(self, data: bytes) -> None:
        ledger = self.ledger
        if ledger.peer is None or not ledger.answers_rejoin:
            return
        try:
            received = open_rejoin(data, ledger.relationship, ledger.identity, ledger.peer.log)
        except KeyLogFork as fork:
            ledger.freeze(fork)
            return
        except ProtocolError:
            self.policy.could_not_open(rejoin_hash(ledger.relationship, data))
            raise
        goes_first = ledger.own.log.id < ledger.peer.log.id
        verdict = self.policy.judge(received, self.pending, self.resumes, goes_first)
        if verdict is not Verdict.ANSWER:
            # An own one would else go to where the peer listens no more.
            if self.policy.shows_addresses(received) and await self._turn_to(received.addresses):
                self.policy.noted = False
                await self.rejoin()
            return
        heads = ledger.heads()
        envelope, rejoined = answer(received, self.resumes, heads, ledger.identity, _now())
        self.without_resume |= received.resumed is None
        lacking = self._begin(received.epoch, rejoined, received.hash)
        ledger.first_envelope()
        await self._turn_to(received.addresses)
        await self.sender.put(envelope)
        await self._return(lacking)

    def _begin(self, epoch: int, rejoined: Rejoined, answered: bytes | None = None) -> list[Entry]:
        """Goes over to the new epoch; what the peer lacks."""
        self.channel, self.pending = rejoined.channel, None
        self.channel.renew_salt()
        self.resumes.add(epoch, rejoined.resume)
        self.policy.begins(epoch, answered)
        return self.ledger.reconcile(rejoined.heads(self.ledger.relationship))

    async def _return(self, entries: Sequence[Entry]) -> None:
        for content in contents(entries):
            await self._send(Kind.RETURNED, content)
        # What was on its way is lost with the old epoch.
        for receiving in self.receivings.values():
            if receiving.content is None and not receiving.gone:
                await self.ephemeral(receiving.want(new_round=True).message)
        for sending in self.sendings.values():
            if not sending.ended:
                await self.ephemeral(attachments.Transfer(attachments.OFFER, sending.record).message)

    async def close(self) -> None:
        await self.own.close()
        await self.sender.client.close()

    def export(self) -> Export:
        return Export.of(self.ledger, self.proof)


@dataclass
class Host:
    """Who invites: a knock queue at a relay with a bundle and tickets."""

    client: RelayClient
    relay: Relay
    queue: bytes
    signer: Identity
    key: SealingKey
    bundle: Bundle
    tickets: set[bytes] = field(default_factory=set)

    @classmethod
    async def open(cls, relay: Relay) -> Self:
        client = await RelayClient.connect(relay)
        await client.attach(SigningKey(os.urandom(32)))
        queue, now = os.urandom(16), _now()
        signer, key = Identity.create(now), SealingKey(os.urandom(32))
        bundle = make_bundle(signer, key.public, now, now + 86_400)
        await client.open_knock_queue(queue)
        await client.publish(queue, [(bundle.not_before, bundle.expires, bundle.encoded)])
        await client.subscribe(0)
        return cls(client, relay, queue, signer, key, bundle)

    async def invite(self) -> Invitation:
        """An invitation with a fresh ticket."""
        ticket = os.urandom(16)
        invitation = Invitation(self.relay, self.queue, self.signer.id, len(self.bundle.log), ticket)
        self.tickets.add(ticket)
        await self.client.admit(self.queue, [replace(invitation, ticket=known).knock for known in self.tickets])
        return invitation

    async def welcome(self, name: str, wait: float = 60.0) -> Party:
        """Welcomes who knocks next. Raises a `HandfastError` or `TimeoutError`."""
        async with asyncio.timeout(wait):
            message = await _next(self.client)
        hello = handshake.open_hello(message.data, self.bundle, self.key)
        if hello.ticket not in self.tickets:
            raise RelayError(3)
        identity = Identity.create(_now())
        relationship = hello.exchange.relationship
        ledger = Ledger(relationship, Direction.INVITER, identity, hello.exchange.invitee, State.WELCOMED)
        for entry in hello.entries:
            ledger.receive(entry)
        self.tickets.remove(hello.ticket)
        own, address = await _move_in(self.relay)
        entries = (ledger.sign(_now(), bodies.INTRODUCE, {"name": name}),)
        envelope, welcome = handshake.welcome(hello, self.bundle, self.signer, identity, (address,), _now(), entries)
        target = hello.addresses[0]
        ledger.own.endorsed_by(welcome.signer)
        sender = Sender(await RelayClient.connect(target.relay), target)
        await sender.put(envelope)
        welcome.channel.renew_salt()
        await self.client.ack(message.position)
        party = Party(own, sender, address.queue, welcome.channel, ledger, welcome.proof)
        party.words = welcome.words
        party.resumes.add(0, welcome.resume)
        return party

    async def close(self) -> None:
        await self.client.close()


async def _move_in(relay: Relay) -> tuple[RelayClient, Address]:
    """A fresh service with one send queue at a relay."""
    client = await RelayClient.connect(relay)
    await client.attach(SigningKey(os.urandom(32)))
    address = Address(relay, os.urandom(16), os.urandom(32))
    await client.open_send_queues([(address.queue, address.capability)])
    await client.subscribe(0)
    return client, address


async def _next(client: RelayClient) -> Message:
    message = await client.message()
    if message is None:
        raise LinkError("the relay ended the connection")
    return message
