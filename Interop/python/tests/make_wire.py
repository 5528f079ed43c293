"""Vectors of the layers `link` and `relay`."""

from __future__ import annotations

import os
from typing import Any

from vector_layer import Layer, fresh
from vector_ops import b
from wire_ops import connected, sides

from handfast.encoding import cbor, cose
from handfast.frames import MAX_BUNDLE, MAX_BUNDLES, MAX_PUT, MAX_REQUEST, Verb
from handfast.link import MAX_FRAME, MAX_PLAINTEXT, Packet, packet
from handfast.noise import Transport
from handfast.suite.signing import SigningKey

TRANSPORT = Packet.TRANSPORT


# ---- link ----


def frame(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def turned(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


class Wire:
    """Both sides of one connection: each call makes them anew, so that packets are numbered from 0."""

    def __init__(self) -> None:
        self.keys = {name: fresh() for name in ("serverKey", "clientEphemeral", "serverEphemeral")}
        client, server = sides(self.keys)
        first = client.write_first()
        server.read_first(first)
        self.first, self.second = packet(Packet.FIRST, first), packet(Packet.SECOND, server.write_second()[0])

    def packets(self, *plaintexts: bytes, of_client: bool = True) -> list[bytes]:
        sender: Transport = connected(self.keys)[0 if of_client else 1]
        return [packet(TRANSPORT, sender.sending.encrypt(plaintext)) for plaintext in plaintexts]


def link() -> Layer:
    layer, wire = Layer("link"), Wire()
    layer.add("handshake", "handshake", **wire.keys)
    frames = [fresh(size) for size in (1, 40, 66_000, 3)]
    steps = [
        {"from": "server", "frames": frames[:1]},
        {"from": "client", "frames": frames[1:2]},
        {"from": "client", "frames": frames[1:]},
        {"from": "server", "frames": frames[:2]},
    ]
    layer.add("frames both ways, one over several packets", "send", **wire.keys, steps=steps)

    def receive(
        name: str,
        chunks: list[bytes],
        at_server: bool = True,
        ends: bool = False,
        error: str = "",
        cookie: bytes = b"",
    ) -> None:
        given: dict[str, Any] = wire.keys | {"chunks": [chunk.hex() for chunk in chunks], "ends": ends}
        if cookie:
            given["cookie"] = cookie.hex()
        operation = "serverReceive" if at_server else "clientReceive"
        if error:
            layer.refuse(f"{'server' if at_server else 'client'}: {name}", operation, error, **given)
        else:
            layer.add(name, operation, **given)

    stream = frame(os.urandom(300)) + frame(b"x") + frame(os.urandom(9))
    (whole,) = wire.packets(stream)
    receive("three frames in one packet", [wire.first + whole], ends=True)
    receive("byte by byte", [bytes([byte]) for byte in wire.first + whole], ends=True)
    parts = wire.packets(*(stream[start : start + 7] for start in range(0, len(stream), 7)))
    receive("frames over many packets", [wire.first, *parts], ends=True)
    receive("a frame of which a part has come", [wire.first, *parts[:2]])
    large = frame(os.urandom(MAX_PLAINTEXT))
    receive("more than one packet holds", [wire.first, *wire.packets(large[:MAX_PLAINTEXT], large[MAX_PLAINTEXT:])])
    (back,) = wire.packets(stream, of_client=False)
    receive("at the client", [wire.second, back], at_server=False, ends=True)

    one, two = wire.packets(frame(b"one"), frame(b"two"))
    small_order = bytes([1]) + bytes(31)
    for name, chunks, error in (
        ("second message first", [wire.second], "unexpectedPacket"),
        ("transport before the handshake", [one], "unexpectedPacket"),
        ("handshake again", [wire.first, wire.first], "unexpectedPacket"),
        ("cookie when open", [wire.first, packet(Packet.COOKIE, os.urandom(16))], "unexpectedPacket"),
        ("type 5", [b"\5" + wire.first[1:]], "unexpectedPacket"),
        ("first message of 0 bytes", [b"\1\0\0"], "packetLength"),
        ("first message of 49 bytes", [b"\1\0\61" + bytes(49)], "packetLength"),
        ("first message changed", [turned(wire.first, 50)], "handshakeRefused"),
        ("first message for another server", [Wire().first], "handshakeRefused"),
        ("small-order ephemeral key", [wire.first[:3] + small_order + wire.first[35:]], "handshakeRefused"),
        ("transport of 16 bytes", [wire.first, packet(TRANSPORT, os.urandom(16))], "packetLength"),
        ("changed", [wire.first, turned(one, len(one) - 1)], "damagedPacket"),
        ("twice", [wire.first, one, one], "damagedPacket"),
        ("one is missing", [wire.first, two], "damagedPacket"),
        ("its own packet back", [wire.first, back], "damagedPacket"),
        ("frame of no bytes", [wire.first, *wire.packets(frame(b""))], "frameLength"),
        ("frame too long", [wire.first, *wire.packets((MAX_FRAME + 1).to_bytes(4, "big"))], "frameLength"),
    ):
        receive(name, chunks, error=error)
    for name, chunks, error in (
        ("end before the handshake", [], "handshakeEnded"),
        ("end within the handshake", [wire.first[:50]], "handshakeEnded"),
        ("end within the head of a packet", [wire.first, one[:2]], "truncated"),
        ("end within a packet", [wire.first, one[:-1]], "truncated"),
        ("end within the length of a frame", [wire.first, *wire.packets(b"\0\0\0")], "truncated"),
        ("end within a frame", [wire.first, *wire.packets(frame(b"one")[:-1])], "truncated"),
    ):
        receive(name, chunks, ends=True, error=error)
    for name, chunks, error in (
        ("first message", [wire.first], "unexpectedPacket"),
        ("second message changed", [turned(wire.second, 40)], "wrongServerKey"),
        ("second message of another server", [Wire().second], "wrongServerKey"),
        ("small-order ephemeral key", [wire.second[:3] + small_order + wire.second[35:]], "wrongServerKey"),
        ("second message of 47 bytes", [b"\2\0\57" + wire.second[3:-1]], "packetLength"),
    ):
        receive(name, chunks, at_server=False, error=error)

    cookie = os.urandom(16)
    shown, stale = packet(Packet.COOKIE, cookie), packet(Packet.COOKIE, os.urandom(16))
    receive("under load, no cookie", [wire.first], cookie=cookie)
    receive("under load, the cookie brought back", [wire.first, shown, wire.first, whole], cookie=cookie)
    receive("under load, a stale cookie first", [stale + wire.first, shown + wire.first], cookie=cookie)
    receive("a cookie that nobody asked for", [shown + wire.first])
    receive("cookies at the client", [stale, shown, wire.second], at_server=False)
    receive("under load, three times without", [wire.first] * 3, cookie=cookie, error="tooManyHandshakes")
    receive("two cookies at once", [shown + shown], cookie=cookie, error="unexpectedPacket")
    receive("cookie of 15 bytes", [packet(Packet.COOKIE, cookie[1:])], error="packetLength")
    receive("three cookies", [shown] * 3, at_server=False, error="unexpectedPacket")
    return layer


# ---- relay ----


def relay() -> Layer:
    layer = Layer("relay")
    attached = layer.add("attach", "attach", seed=fresh(), handshakeHash=fresh(64), request=70_000)
    layer.add("capability", "capability", capability=fresh())
    layer.add("queue chain", "queueChain", envelopes=[fresh(size) for size in (1, 334, 5_000)])
    layer.add("request attach", "request", frame=attached["frame"])
    requests(layer, b(attached["frame"]))
    answers(layer)
    return layer


def encoded(*items: cbor.Value) -> str:
    return cbor.encode([int(item) if isinstance(item, Verb) else item for item in items]).hex()


def requests(layer: Layer, attach: bytes) -> None:
    queue, knock, key = os.urandom(16), os.urandom(32), SigningKey(os.urandom(32))
    put = [queue, os.urandom(32), 7, [os.urandom(20)]]
    bundle = [0, 2**40, os.urandom(9)]
    for name, items in {
        "open": (Verb.OPEN, 1, [[queue, 0, b""], [os.urandom(16), 1, knock]]),
        "open 1,000": (Verb.OPEN, 1, [[number.to_bytes(16, "big"), 0, b""] for number in range(1_000)]),
        "admit": (Verb.ADMIT, 2, queue, [knock]),
        "admit nobody": (Verb.ADMIT, 2, queue, []),
        "publish": (Verb.PUBLISH, 3, queue, [bundle] * MAX_BUNDLES),
        "fetch": (Verb.FETCH, 4, queue),
        "knock": (Verb.KNOCK, 5, queue, knock, os.urandom(50)),
        "put": (Verb.PUT, 6, [put, [queue, knock, 2**64 - 1 >> 1, []]]),
        "put 4,096 envelopes": (Verb.PUT, 6, [[queue, knock, 0, [b"e"] * (MAX_PUT // 2)]] * 2),
        "subscribe": (Verb.SUBSCRIBE, 7, 300),
        "ack": (Verb.ACK, 8, 0),
        "close": (Verb.CLOSE, 9, [queue, queue]),
        "policy": (Verb.POLICY, 10, [[queue, [0, 0, 0, 0, 0, 0]], [knock[:16], [1, 60, 5, 2**20, 4_096, 86_400]]]),
        "policy at its bounds": (Verb.POLICY, 11, [[queue, [1, 3_600_000, 10_000, 2**32 - 1, 2**32 - 1, 2**32 - 1]]]),
        "ping": (Verb.PING, MAX_REQUEST),
    }.items():
        layer.add(f"request {name}", "request", frame=encoded(*items))
    shown = cose.ed25519_key(key.public)
    for name, frame_ in {
        "cut short": attach[:-1].hex(),
        "a byte behind": attach.hex() + "00",
        "a map": "a10b01",
        "a verb not in shortest form": "82180b01",
        "empty": "80",
        "verb alone": "810b",
        "verb 13": encoded(13, 1),
        "verb is a text": encoded("ping", 1),
        "a push": encoded(Verb.PUSH, 0, [[1, queue, b"x"]]),
        "number 0": encoded(Verb.PING, 0),
        "number 2^32": encoded(Verb.PING, 2**32),
        "a field too many": encoded(Verb.FETCH, 1, queue, None),
        "a field too few": encoded(Verb.KNOCK, 1, queue, knock),
        "six items": encoded(Verb.KNOCK, 1, queue, knock, b"hello", b""),
        "attach with another key": encoded(Verb.ATTACH, 1, cose.x25519_key(os.urandom(32)), bytes(64)),
        "attach with a short signature": encoded(Verb.ATTACH, 1, shown, bytes(63)),
        "open nothing": encoded(Verb.OPEN, 1, []),
        "open 1,001": encoded(Verb.OPEN, 1, [[number.to_bytes(16, "big"), 0, b""] for number in range(1_001)]),
        "open of kind 3": encoded(Verb.OPEN, 1, [[queue, 3, knock]]),
        "knock queue with a capability": encoded(Verb.OPEN, 1, [[queue, 0, knock]]),
        "send queue without one": encoded(Verb.OPEN, 1, [[queue, 1, b""]]),
        "queue of 17 bytes": encoded(Verb.FETCH, 1, os.urandom(17)),
        "knock of 31 bytes": encoded(Verb.ADMIT, 1, queue, [os.urandom(31)]),
        "publish nothing": encoded(Verb.PUBLISH, 1, queue, []),
        "publish 17 bundles": encoded(Verb.PUBLISH, 1, queue, [bundle] * (MAX_BUNDLES + 1)),
        "bundle of 131,073 bytes": encoded(Verb.PUBLISH, 1, queue, [[0, 1, bytes(MAX_BUNDLE + 1)]]),
        "bundle with a time before 1970": encoded(Verb.PUBLISH, 1, queue, [[-1, 1, b"x"]]),
        "put nothing": encoded(Verb.PUT, 1, []),
        "put 257 items": encoded(Verb.PUT, 1, [[queue, knock, 0, []]] * 257),
        "put 4,097 envelopes": encoded(Verb.PUT, 1, [[queue, knock, 0, [b"e"] * (MAX_PUT // 2)]] * 2 + [put]),
        "put an empty envelope": encoded(Verb.PUT, 1, [[queue, knock, 0, [b""]]]),
        "capability of 31 bytes": encoded(Verb.PUT, 1, [[queue, os.urandom(31), 0, []]]),
        "ack of a number with a fraction": encoded(Verb.ACK, 1, 1.5),
        "subscribe after nothing": encoded(Verb.SUBSCRIBE, 1, None),
        "close nothing": encoded(Verb.CLOSE, 1, []),
        "policy of nothing": encoded(Verb.POLICY, 1, []),
        "policy 2 for paused": encoded(Verb.POLICY, 1, [[queue, [2, 0, 0, 0, 0, 0]]]),
        "policy with a rate alone": encoded(Verb.POLICY, 1, [[queue, [0, 60, 0, 0, 0, 0]]]),
        "policy with a burst alone": encoded(Verb.POLICY, 1, [[queue, [0, 0, 5, 0, 0, 0]]]),
        "policy of 10,001 at once": encoded(Verb.POLICY, 1, [[queue, [0, 60, 10_001, 0, 0, 0]]]),
        "policy of a retention of 2^32": encoded(Verb.POLICY, 1, [[queue, [0, 0, 0, 0, 0, 2**32]]]),
        "policy of seven values": encoded(Verb.POLICY, 1, [[queue, [0, 0, 0, 0, 0, 0, 0]]]),
    }.items():
        layer.refuse(f"request: {name}", "request", "malformed", frame=frame_)


def answers(layer: Layer) -> None:
    queue, digest = os.urandom(16), os.urandom(32)
    for name, items in {
        "done": (Verb.REPLY, 1),
        "attached": (Verb.REPLY, MAX_REQUEST, 7, 2**40),
        "bundle": (Verb.REPLY, 2, os.urandom(30)),
        "results": (Verb.REPLY, 3, [[status, 9, digest, 300] for status in range(8)]),
        "throttled": (Verb.REPLY, 4, [[8, 9, digest, 0, 0, 3_600], [8, 9, digest, 1, 10_000, 0]]),
        **{f"error {error}": (Verb.REFUSAL, error - 1, error) for error in range(1, 11)},
        "push": (Verb.PUSH, 0, [[1, queue, b"x"], [2**40, queue, os.urandom(300)]]),
        "push of notices": (
            Verb.PUSH,
            0,
            [[1, queue, [2**40, 0]], [2, queue, [0, 1]], [3, queue, [7, 2]], [4, queue, [0, 3]], [5, queue, [0, 4]]],
        ),
    }.items():
        layer.add(f"answer {name}", "answer", frame=encoded(*items))
    for name, items in {
        "a request": (Verb.PING, 1),
        "verb 66": (66, 1),
        "number 2^32": (Verb.REPLY, 2**32),
        "error 0": (Verb.REFUSAL, 1, 0),
        "error 11": (Verb.REFUSAL, 1, 11),
        "refusal without an error": (Verb.REFUSAL, 1),
        "one position": (Verb.REPLY, 1, 7),
        "positions and more": (Verb.REPLY, 1, 7, 8, 9),
        "no results": (Verb.REPLY, 1, []),
        "257 results": (Verb.REPLY, 1, [[0, 1, digest, 0]] * 257),
        "status 9": (Verb.REPLY, 1, [[9, 1, digest, 0]]),
        "result of three": (Verb.REPLY, 1, [[0, 1, digest]]),
        "throttled without a time": (Verb.REPLY, 1, [[8, 1, digest, 0]]),
        "a time without throttling": (Verb.REPLY, 1, [[7, 1, digest, 0, 0, 0]]),
        "throttled for 3,601 s": (Verb.REPLY, 1, [[8, 1, digest, 0, 0, 3_601]]),
        "notice of refusal 5": (Verb.PUSH, 0, [[1, queue, [0, 5]]]),
        "notice of three": (Verb.PUSH, 0, [[1, queue, [0, 1, 0]]]),
        "digest of 33 bytes": (Verb.REPLY, 1, [[0, 1, digest + b"x", 0]]),
        "push that answers": (Verb.PUSH, 1, [[1, queue, b"x"]]),
        "push of nothing": (Verb.PUSH, 0, []),
        "push of 257": (Verb.PUSH, 0, [[1, queue, b"x"]] * 257),
        "push of 65,615 bytes": (Verb.PUSH, 0, [[1, queue, bytes(65_615)]]),
    }.items():
        layer.refuse(f"answer: {name}", "answer", "malformed", frame=encoded(*items))
