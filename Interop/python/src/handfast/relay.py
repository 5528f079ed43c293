"""A client of a relay (Spec/07): every verb, replies by number, pushes in order."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from .address import Relay
from .encoding import cbor, cose
from .errors import LinkError, MalformedFrame, RelayError
from .frames import Frame, Verb, read_answer
from .link import PING_AFTER, Link
from .suite.hashing import H
from .suite.signing import SigningKey

MAX_REQUESTS = 64
WINDOW = 1_000
WINDOW_BYTES = 4 << 20


class Status(IntEnum):
    """What came of one item of a put (§7.2)."""

    OK = 0
    BEHIND = 1
    GAP = 2
    REFUSED = 3
    FULL = 4
    CLOSED = 5
    TOO_LARGE = 6
    PAUSED = 7
    THROTTLED = 8


@dataclass(frozen=True)
class Put:
    """Envelopes for one queue, from a number on; without envelopes it asks."""

    queue: bytes
    capability: bytes = field(repr=False)
    first: int
    envelopes: Sequence[bytes] = ()


@dataclass(frozen=True)
class PutResult:
    status: Status
    next: int
    digest: bytes
    expired: int = 0
    room: int = 0
    wait: int = 0


@dataclass(frozen=True)
class Policy:
    """What the owner of a queue lets come (§7.4); every 0 stands for the relay's own limit."""

    queue: bytes
    paused: bool = False
    rate: int = 0
    burst: int = 0
    waiting_bytes: int = 0
    message_bytes: int = 0
    retention: int = 0


class Refusal(IntEnum):
    """Why a sender was turned away, as the owner of the queue is told."""

    NONE = 0
    FULL = 1
    THROTTLED = 2
    TOO_LARGE = 3
    SERVICE_FULL = 4


@dataclass(frozen=True)
class Notice:
    """What became of messages that the owner of a queue does not get."""

    position: int
    queue: bytes
    expired: int
    refusal: Refusal


@dataclass(frozen=True)
class Message:
    """Something stored for this service: an envelope or, in a knock queue, a hello."""

    position: int
    queue: bytes
    data: bytes = field(repr=False)


def capability_digest(capability: bytes) -> bytes:
    """What a queue's owner tells the relay of the capability to send."""
    return H("capability", capability)


def chain_digest(before: bytes, envelope: bytes) -> bytes:
    """The running digest of a queue; it starts as 32 zeros."""
    return H("queue chain", before, envelope)


def attach_proof(key: SigningKey, handshake_hash: bytes) -> bytes:
    """The signature that shows on one connection who owns a service."""
    return key.sign(H("attach", handshake_hash, cbor.encode(cose.ed25519_key(key.public))))


class RelayClient:
    """One connection to a relay. Refusals come as `RelayError`, the end of the connection as `LinkError`."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._next = 1
        self._replies: dict[int, asyncio.Future[list[cbor.Value]]] = {}
        self._slots = asyncio.Semaphore(MAX_REQUESTS)
        self._messages: asyncio.Queue[Message | None] = asyncio.Queue()
        self.notices: list[Notice] = []
        self._last_position = 0
        self._window: list[tuple[int, int]] = []
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._keep_alive())]

    @classmethod
    async def connect(cls, relay: Relay) -> RelayClient:
        return cls(await Link.connect(relay))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._link.close()
        self._end(LinkError("closed"))

    # ---- verbs ----

    async def attach(self, key: SigningKey) -> tuple[int, int]:
        """Acknowledged and last position of the service of this key."""
        proof = attach_proof(key, self._link.hash)
        acknowledged, last = await self._request(Verb.ATTACH, cose.ed25519_key(key.public), proof, results=2)
        return cbor.uint(acknowledged), cbor.uint(last)

    async def open_knock_queue(self, queue: bytes) -> None:
        await self._request(Verb.OPEN, [[queue, 0, b""]])

    async def open_send_queues(self, queues: Sequence[tuple[bytes, bytes]]) -> None:
        """Opens queues, each with the capability that its sender will show."""
        await self._request(Verb.OPEN, [[queue, 1, capability_digest(capability)] for queue, capability in queues])

    async def admit(self, queue: bytes, knocks: Sequence[bytes]) -> None:
        """Sets the knocks that a knock queue accepts."""
        await self._request(Verb.ADMIT, queue, list(knocks))

    async def publish(self, queue: bytes, bundles: Sequence[tuple[int, int, bytes]]) -> None:
        """Sets the bundles of a knock queue: not before, expires, bundle."""
        await self._request(Verb.PUBLISH, queue, [list(bundle) for bundle in bundles])

    async def fetch(self, queue: bytes) -> bytes:
        """The bundle in force."""
        (bundle,) = await self._request(Verb.FETCH, queue, results=1)
        return cbor.byte_string(bundle)

    async def knock(self, queue: bytes, knock: bytes, hello: bytes) -> None:
        await self._request(Verb.KNOCK, queue, knock, hello)

    async def put(self, *puts: Put) -> list[PutResult]:
        """Appends envelopes, each item by itself."""
        value = [[put.queue, put.capability, put.first, list(put.envelopes)] for put in puts]
        (results,) = await self._request(Verb.PUT, value, results=1)
        items = cbor.array(results, len(puts), len(puts))
        return [PutResult(Status(item[0]), *item[1:]) for item in items]

    async def subscribe(self, after: int) -> None:
        """Asks for everything above `after`; `messages` gives it."""
        self._last_position = after
        await self._request(Verb.SUBSCRIBE, after)

    async def ack(self, position: int) -> None:
        self._window = [item for item in self._window if item[0] > position]
        await self._request(Verb.ACK, position)

    async def set_policies(self, *policies: Policy) -> None:
        """Sets what comes by queues, in place of what was set before."""
        values: list[cbor.Value] = []
        for policy in policies:
            limits = [policy.waiting_bytes, policy.message_bytes, policy.retention]
            values.append([policy.queue, [int(policy.paused), policy.rate, policy.burst, *limits]])
        await self._request(Verb.POLICY, values)

    async def close_queues(self, *queues: bytes) -> None:
        """Closes queues for good."""
        await self._request(Verb.CLOSE, list(queues))

    async def ping(self) -> None:
        await self._request(Verb.PING)

    async def message(self) -> Message | None:
        """The next message pushed; None once the connection has ended."""
        message = await self._messages.get()
        if message is None:
            self._messages.put_nowait(None)
        return message

    # ---- frames ----

    async def _request(self, verb: Verb, *arguments: cbor.Value, results: int = 0) -> list[cbor.Value]:
        async with self._slots:
            if self._tasks[0].done():
                raise LinkError("the connection has ended")
            while self._next in self._replies:
                self._next = self._next % (2**32 - 1) + 1
            number, self._next = self._next, self._next % (2**32 - 1) + 1
            reply: asyncio.Future[list[cbor.Value]] = asyncio.get_running_loop().create_future()
            self._replies[number] = reply
            try:
                await self._link.send(Frame(verb, number, list(arguments)).encode())
                found = await reply
            finally:
                self._replies.pop(number, None)
        if len(found) != results:
            raise LinkError("a reply of another form")
        return found

    async def _read(self) -> None:
        error: BaseException = LinkError("the relay ended the connection")
        try:
            while (frame := await self._link.receive()) is not None:
                self._take(read_answer(frame))
        except (LinkError, RelayError) as refusal:
            error = refusal
        except MalformedFrame as refusal:
            error = LinkError(f"a frame that cannot be read: {refusal}")
        finally:
            self._end(error)

    def _take(self, frame: Frame) -> None:
        match frame.verb:
            case Verb.PUSH:
                for position, queue, content in frame.fields[0]:
                    if isinstance(content, bytes):
                        self._push(Message(position, queue, content))
                    else:
                        self._push(Notice(position, queue, content[0], Refusal(content[1])))
            case Verb.REFUSAL:
                refusal = RelayError(frame.fields[0])
                if frame.request == 0:
                    raise refusal
                self._reply(frame.request).set_exception(refusal)
            case _:
                self._reply(frame.request).set_result(frame.fields)

    def _reply(self, number: int) -> asyncio.Future[list[cbor.Value]]:
        reply = self._replies.pop(number, None)
        if reply is None:
            raise LinkError("a reply to no request")
        if reply.cancelled():
            return asyncio.get_running_loop().create_future()
        return reply

    def _push(self, message: Message | Notice) -> None:
        if message.position <= self._last_position:
            raise LinkError("positions that do not grow")
        if len(self._window) >= WINDOW or sum(size for _, size in self._window) > WINDOW_BYTES:
            raise LinkError("more than the window")
        self._window.append((message.position, len(message.data) if isinstance(message, Message) else 0))
        self._last_position = message.position
        if isinstance(message, Notice):
            self.notices.append(message)
            return
        self._messages.put_nowait(message)

    def _end(self, error: BaseException) -> None:
        for reply in self._replies.values():
            if not reply.done():
                reply.set_exception(error)
        self._messages.put_nowait(None)

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(PING_AFTER)
            await self.ping()
