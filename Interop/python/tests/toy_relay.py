"""A relay in memory for the tests of the client: every verb of Spec/07, no limits, no durability."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from typing import Any

from handfast.address import Relay
from handfast.encoding import cbor, cose
from handfast.errors import InvalidSignature
from handfast.frames import Verb, read_request
from handfast.link import Link, Packet, packet, read_packet
from handfast.noise import Handshake
from handfast.relay import capability_digest, chain_digest
from handfast.suite.agreement import AgreementKey
from handfast.suite.hashing import H
from handfast.suite.signing import verify


@dataclass
class Service:
    acknowledged: int = 0
    last: int = 0
    waiting: list[tuple[int, bytes, bytes]] = field(default_factory=list)
    subscriber: Link | None = None

    async def store(self, queue: bytes, data: bytes) -> None:
        self.last += 1
        self.waiting.append((self.last, queue, data))
        if self.subscriber is not None:
            await self.subscriber.send(cbor.encode([32, 0, [[self.last, queue, data]]]))


@dataclass
class Queue:
    service: Service
    kind: int
    digest: bytes
    next: int = 0
    chain: bytes = bytes(32)
    closed: bool = False
    paused: bool = False
    knocks: list[bytes] = field(default_factory=list)
    bundles: list[Any] = field(default_factory=list)


class Refused(Exception):
    pass


class ToyRelay:
    def __init__(self) -> None:
        self.key = AgreementKey(os.urandom(32))
        self.services: dict[bytes, Service] = {}
        self.queues: dict[bytes, Queue] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> Relay:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return Relay("127.0.0.1", self.server.sockets[0].getsockname()[1], self.key.public)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handshake = Handshake(self.key.public, self.key)
        handshake.read_first(await read_packet(reader, Packet.FIRST))
        message, transport = handshake.write_second()
        writer.write(packet(Packet.SECOND, message))
        link, mine = Link(reader, writer, transport), []
        while (frame := await link.receive()) is not None:
            verb, number, rest = read_request(frame)
            try:
                result = await self._answer(link, mine, verb, rest)
            except Refused as refusal:
                await link.send(cbor.encode([65, number, refusal.args[0]]))
                continue
            await link.send(cbor.encode([64, number, *result]))
            if verb == Verb.SUBSCRIBE:
                for item in mine[0].waiting:
                    if item[0] > rest[0]:
                        await link.send(cbor.encode([32, 0, [list(item)]]))
                mine[0].subscriber = link
        await link.close()

    async def _answer(self, link: Link, mine: list[Service], verb: Verb, rest: list[Any]) -> list[Any]:
        if verb in (Verb.OPEN, Verb.ADMIT, Verb.PUBLISH, Verb.SUBSCRIBE, Verb.ACK, Verb.CLOSE, Verb.POLICY) and not mine:
            raise Refused(2)
        match verb:
            case Verb.ATTACH:
                key = cose.read_ed25519(rest[0])
                try:
                    verify(key, H("attach", link.hash, cbor.encode(rest[0])), rest[1])
                except InvalidSignature:
                    raise Refused(3) from None
                mine.append(service := self.services.setdefault(key, Service()))
                return [service.acknowledged, service.last]
            case Verb.OPEN:
                for queue, kind, digest in rest[0]:
                    opened = self.queues.setdefault(queue, Queue(mine[0], kind, digest))
                    opened.digest = digest
                    if kind == 2:
                        opened.next, opened.chain = 0, bytes(32)
            case Verb.ADMIT:
                self.queues[rest[0]].knocks = rest[1]
            case Verb.PUBLISH:
                self.queues[rest[0]].bundles = rest[1]
            case Verb.FETCH:
                if rest[0] not in self.queues:
                    raise Refused(3)
                if not self.queues[rest[0]].bundles:
                    raise Refused(6)
                return [self.queues[rest[0]].bundles[-1][2]]
            case Verb.KNOCK:
                queue = self.queues.get(rest[0])
                if queue is None or rest[1] not in queue.knocks:
                    raise Refused(3)
                await queue.service.store(rest[0], rest[2])
            case Verb.PUT:
                return [[await self._put(*item) for item in rest[0]]]
            case Verb.ACK:
                mine[0].acknowledged = rest[0]
                mine[0].waiting = [item for item in mine[0].waiting if item[0] > rest[0]]
            case Verb.POLICY:
                for name, policy in rest[0]:
                    self.queues[name].paused = policy[0] == 1
            case Verb.CLOSE:
                for name in rest[0]:
                    self.queues[name].closed = True
            case _:
                pass
        return []

    async def _put(self, name: bytes, capability: bytes, first: int, envelopes: list[bytes]) -> list[Any]:
        queue = self.queues.get(name)
        if queue is None or queue.digest != capability_digest(capability):
            return [3, 0, bytes(32), 0]
        if queue.closed:
            return [5, queue.next, queue.chain, 0]
        if queue.paused:
            return [7, queue.next, queue.chain, 0]
        if first != queue.next and envelopes:
            return [1 if first < queue.next else 2, queue.next, queue.chain, 0]
        for envelope in envelopes:
            queue.next, queue.chain = queue.next + 1, chain_digest(queue.chain, envelope)
            await queue.service.store(name, envelope)
        return [0, queue.next, queue.chain, 0]
