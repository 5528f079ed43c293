"""The operations of the layers link and relay (Interop/vectors/README.md), as `vector_ops` has those of the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from handfast.encoding import cbor, cose
from handfast.errors import HandshakeEnded, LinkTruncated, TooManyHandshakes
from handfast.frames import Verb, read_answer, read_request
from handfast.link import MAX_COOKIES, Frames, Link, Packet, packet, read_one_of, read_packet, read_second
from handfast.noise import Handshake, Transport
from handfast.relay import attach_proof, capability_digest, chain_digest
from handfast.suite.agreement import AgreementKey
from handfast.suite.hashing import H
from handfast.suite.signing import SigningKey

Fields = dict[str, Any]
b = bytes.fromhex


def sides(given: Fields) -> tuple[Handshake, Handshake]:
    """Client and server before the first message."""
    server, client_key, server_key = (
        AgreementKey(b(given[name])) for name in ("serverKey", "clientEphemeral", "serverEphemeral")
    )
    client = Handshake(server.public, ephemeral=client_key)
    return client, Handshake(server.public, server, server_key)


def connected(given: Fields) -> tuple[Transport, Transport]:
    client, server = sides(given)
    server.read_first(client.write_first())
    second, at_server = server.write_second()
    _, at_client = client.read_second(second)
    return at_client, at_server


def shake(given: Fields) -> Fields:
    client, server = sides(given)
    first = client.write_first()
    found = {
        "serverPublicKey": AgreementKey(b(given["serverKey"])).public.hex(),
        "first": packet(Packet.FIRST, first).hex(),
        "hashAfterFirst": client._h.hex(),
        "chainingKeyAfterFirst": client._ck.hex(),
    }
    server.read_first(first)
    second, at_server = server.write_second()
    _, at_client = client.read_second(second)
    assert at_client.hash == at_server.hash
    return found | {
        "second": packet(Packet.SECOND, second).hex(),
        "handshakeHash": at_client.hash.hex(),
        "chainingKey": client._ck.hex(),
        "clientToServer": at_client.sending.key.hex(),
        "serverToClient": at_server.sending.key.hex(),
    }


class Written:
    """In the place of a connection: what a link writes."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data

    async def drain(self) -> None:
        pass


async def send_steps(given: Fields) -> Fields:
    transports = dict(zip(("client", "server"), connected(given), strict=True))
    packets = []
    for step in given["steps"]:
        written: Any = Written()
        link = Link(asyncio.StreamReader(), written, transports[step["from"]])
        await link.send(*map(b, step["frames"]))
        packets.append(written.data.hex())
    return {"packets": packets}


async def read_first(reader: asyncio.StreamReader, cookie: bytes, write: Callable[[bytes], None]) -> bytes:
    """The first message that a server answers; with a cookie of its own it is under load."""
    asked, shown = 0, None
    while True:
        expected = [Packet.FIRST] + [Packet.COOKIE] * (shown is None)
        kind, message = await read_one_of(reader, *expected)
        if kind is Packet.COOKIE:
            shown = message
        elif shown == cookie or not cookie:
            return message
        elif asked == MAX_COOKIES:
            raise TooManyHandshakes()
        else:
            asked, shown = asked + 1, None
            write(packet(Packet.COOKIE, cookie))


async def receive(given: Fields, at_server: bool) -> Fields:
    reader = asyncio.StreamReader()
    for chunk in given["chunks"]:
        reader.feed_data(b(chunk))
    reader.feed_eof()
    client, server = sides(given)
    written, transport, frames, found = Written(), None, Frames(), list[str]()
    try:
        if at_server:
            server.read_first(await read_first(reader, b(given.get("cookie", "")), written.write))
            message, transport = server.write_second()
            written.write(packet(Packet.SECOND, message))
        else:
            first = packet(Packet.FIRST, client.write_first())
            _, transport = client.read_second(await read_second(reader, first, written.write))
        while True:
            message = await read_packet(reader, Packet.TRANSPORT)
            found += [frame.hex() for frame in frames.feed(transport.open(message))]
    except (EOFError, LinkTruncated) as error:
        # Without an end of TCP the rest of a packet or frame is yet to come.
        if given["ends"] and transport is None:
            raise HandshakeEnded() from None
        if given["ends"] and (isinstance(error, LinkTruncated) or not frames.empty):
            raise LinkTruncated() from None
    name = transport.hash.hex() if transport is not None else ""
    return {"reply": written.data.hex(), "handshakeHash": name, "frames": found}


def attach(given: Fields) -> Fields:
    key, h = SigningKey(b(given["seed"])), b(given["handshakeHash"])
    shown, signature = cose.ed25519_key(key.public), attach_proof(key, h)
    return {
        "serviceKey": key.public.hex(),
        "digest": H("attach", h, cbor.encode(shown)).hex(),
        "signature": signature.hex(),
        "frame": cbor.encode([int(Verb.ATTACH), given["request"], shown, signature]).hex(),
    }


def queue_chain(given: Fields) -> Fields:
    digest, digests = bytes(32), []
    for envelope in given["envelopes"]:
        digest = chain_digest(digest, b(envelope))
        digests.append(digest.hex())
    return {"digests": digests}


def request(given: Fields) -> Fields:
    frame = read_request(b(given["frame"]))
    found: Fields = {"request": frame.request, "encoded": frame.encode().hex(), "verb": frame.verb.name.lower()}
    match frame.verb, *frame.fields:
        case Verb.ATTACH, key, signature:
            found |= {"serviceKey": key[-2].hex(), "signature": signature.hex()}
        case Verb.OPEN, queues:
            found["queues"] = [
                {"queue": queue.hex(), "kind": kind} | ({"capability": digest.hex()} if kind else {})
                for queue, kind, digest in queues
            ]
        case Verb.ADMIT, queue, knocks:
            found |= {"queue": queue.hex(), "knocks": [knock.hex() for knock in knocks]}
        case Verb.PUBLISH, queue, bundles:
            shown = [{"notBefore": begin, "expires": end, "bundle": data.hex()} for begin, end, data in bundles]
            found |= {"queue": queue.hex(), "bundles": shown}
        case Verb.FETCH, queue:
            found["queue"] = queue.hex()
        case Verb.KNOCK, queue, knock, hello:
            found |= {"queue": queue.hex(), "knock": knock.hex(), "hello": hello.hex()}
        case Verb.PUT, items:
            found["items"] = [
                {
                    "queue": queue.hex(),
                    "capability": capability.hex(),
                    "first": first,
                    "envelopes": [envelope.hex() for envelope in envelopes],
                }
                for queue, capability, first, envelopes in items
            ]
        case Verb.SUBSCRIBE, position:
            found["after"] = position
        case Verb.ACK, position:
            found["position"] = position
        case Verb.POLICY, settings:
            names = ("rate", "burst", "waitingBytes", "messageBytes", "retention")
            found["settings"] = [
                {"queue": queue.hex(), "paused": policy[0] == 1} | dict(zip(names, policy[1:], strict=True))
                for queue, policy in settings
            ]
        case Verb.CLOSE, queues:
            found["queues"] = [queue.hex() for queue in queues]
    return found


def answer(given: Fields) -> Fields:
    frame = read_answer(b(given["frame"]))
    found: Fields = {"encoded": frame.encode().hex()}
    if frame.verb is not Verb.PUSH:
        found["request"] = frame.request
    match frame.verb, *frame.fields:
        case Verb.PUSH, items:
            found["push"] = [
                {"position": position, "queue": queue.hex()} | pushed(content) for position, queue, content in items
            ]
        case Verb.REFUSAL, error:
            found["error"] = error
        case Verb.REPLY, bytes(bundle):
            found["bundle"] = bundle.hex()
        case Verb.REPLY, acknowledged, last:
            found |= {"acknowledged": acknowledged, "last": last}
        case Verb.REPLY, results:
            found["results"] = [result(*item) for item in results]
    return found


def pushed(content: Any) -> Fields:
    if isinstance(content, bytes):
        return {"bytes": content.hex()}
    expired, refusal = content
    return {"notice": {"expired": expired, "refusal": refusal}}


def result(status: int, following: int, digest: bytes, expired: int, *throttle: int) -> Fields:
    found: Fields = {"status": status, "next": following, "digest": digest.hex(), "expired": expired}
    return found | dict(zip(("room", "wait"), throttle, strict=False))


OPERATIONS = {
    ("link", "handshake"): shake,
    ("link", "send"): lambda given: asyncio.run(send_steps(given)),
    ("link", "serverReceive"): lambda given: asyncio.run(receive(given, True)),
    ("link", "clientReceive"): lambda given: asyncio.run(receive(given, False)),
    ("relay", "request"): request,
    ("relay", "answer"): answer,
    ("relay", "attach"): attach,
    ("relay", "capability"): lambda given: {"digest": capability_digest(b(given["capability"])).hex()},
    ("relay", "queueChain"): queue_chain,
}
