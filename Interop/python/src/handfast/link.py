"""Links (Spec/06): packets, frames, and a client over asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from enum import IntEnum

from .address import Relay
from .errors import (
    ConnectionLost,
    FrameLength,
    HandshakeEnded,
    HandshakeTimedOut,
    LinkError,
    LinkTruncated,
    PacketLength,
    Silent,
    UnexpectedPacket,
    Unreachable,
)
from .noise import MESSAGE, Handshake, Transport

MAX_FRAME = 1_048_576
MAX_PLAINTEXT = 65_519
COOKIE = 16
MAX_COOKIES = 2
HANDSHAKE_TIME = 10.0
SILENCE = 90.0
PING_AFTER = 30.0


class Packet(IntEnum):
    """Types of packets (§6.2)."""

    FIRST = 1
    SECOND = 2
    TRANSPORT = 3
    COOKIE = 4


_LENGTHS = {
    Packet.FIRST: (MESSAGE, MESSAGE),
    Packet.SECOND: (MESSAGE, MESSAGE),
    Packet.TRANSPORT: (17, 65_535),
    Packet.COOKIE: (COOKIE, COOKIE),
}


def packet(type_: Packet, message: bytes) -> bytes:
    return bytes([type_]) + len(message).to_bytes(2, "big") + message


async def read_packet(reader: asyncio.StreamReader, expected: Packet) -> bytes:
    """The content of the next packet. Raises `LinkError`, or `EOFError` at an end between packets."""
    return (await read_one_of(reader, expected))[1]


async def read_one_of(reader: asyncio.StreamReader, *expected: Packet) -> tuple[Packet, bytes]:
    """Type and content of the next packet. Raises as `read_packet`."""
    head = await reader.read(1)
    if not head:
        raise EOFError
    try:
        head += await reader.readexactly(2)
        length = int.from_bytes(head[1:], "big")
        if head[0] not in expected:
            raise UnexpectedPacket(f"type {head[0]}")
        kind = Packet(head[0])
        least, most = _LENGTHS[kind]
        if not least <= length <= most:
            raise PacketLength(f"{length} bytes")
        return kind, await reader.readexactly(length)
    except asyncio.IncompleteReadError as error:
        raise LinkTruncated("within a packet") from error


async def read_second(reader: asyncio.StreamReader, first: bytes, write: Callable[[bytes], None]) -> bytes:
    """The second handshake message. A cookie that comes in its place is brought back with the first (§6.6)."""
    for _ in range(MAX_COOKIES):
        kind, message = await read_one_of(reader, Packet.SECOND, Packet.COOKIE)
        if kind is Packet.SECOND:
            return message
        write(packet(Packet.COOKIE, message) + first)
    return await read_packet(reader, Packet.SECOND)


class Frames:
    """Cuts a byte stream into frames; room is made as bytes arrive."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Raises `LinkError` at a length out of bounds, after the frames that came whole before it."""
        self._waiting += data
        while len(self._waiting) >= 4:
            length = int.from_bytes(self._waiting[:4], "big")
            if not 1 <= length <= MAX_FRAME:
                raise FrameLength(f"{length} bytes")
            if len(self._waiting) < 4 + length:
                return
            frame = bytes(self._waiting[4 : 4 + length])
            del self._waiting[: 4 + length]
            yield frame

    @property
    def empty(self) -> bool:
        """Whether a connection may end here."""
        return not self._waiting


class Link:
    """An open connection. `frames` may be read by one task while any others send."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, transport: Transport) -> None:
        self._reader = reader
        self._writer = writer
        self._transport = transport
        self._frames = Frames()
        self._pending: list[bytes] = []
        self._fault: LinkError | None = None

    @property
    def hash(self) -> bytes:
        """h: the name of this connection."""
        return self._transport.hash

    @classmethod
    async def connect(cls, relay: Relay) -> Link:
        """Connects as a client that knows the server's key. Raises `LinkError`."""
        try:
            async with asyncio.timeout(HANDSHAKE_TIME):
                reader, writer = await asyncio.open_connection(relay.host, relay.port)
                try:
                    handshake = Handshake(relay.key)
                    first = packet(Packet.FIRST, handshake.write_first())
                    writer.write(first)
                    # The packet's length leaves no room for a payload.
                    _, transport = handshake.read_second(await read_second(reader, first, writer.write))
                except BaseException:
                    writer.close()
                    raise
        except (EOFError, LinkTruncated, ConnectionError) as error:
            raise HandshakeEnded("or a server without this key") from error
        except TimeoutError as error:
            raise HandshakeTimedOut() from error
        except OSError as error:
            raise Unreachable(str(error)) from error
        return cls(reader, writer, transport)

    async def send(self, *frames: bytes) -> None:
        """Sends frames in as few packets as they fill."""
        data = bytearray()
        for frame in frames:
            if not 1 <= len(frame) <= MAX_FRAME:
                raise FrameLength(f"{len(frame)} bytes")
            data += len(frame).to_bytes(4, "big") + frame
        for start in range(0, len(data), MAX_PLAINTEXT):
            part = bytes(data[start : start + MAX_PLAINTEXT])
            self._writer.write(packet(Packet.TRANSPORT, self._transport.sending.encrypt(part)))
        await self._writer.drain()

    async def receive(self) -> bytes | None:
        """The next frame; None where the connection ended between two. Raises `LinkError`."""
        while not self._pending:
            if self._fault is not None:
                raise self._fault
            try:
                async with asyncio.timeout(SILENCE):
                    message = await read_packet(self._reader, Packet.TRANSPORT)
            except EOFError:
                if self._frames.empty:
                    return None
                raise LinkTruncated("within a frame") from None
            except TimeoutError as error:
                raise Silent() from error
            except OSError as error:
                raise ConnectionLost() from error
            plaintext = self._transport.open(message)
            try:
                for frame in self._frames.feed(plaintext):
                    self._pending.append(frame)
            except LinkError as fault:
                self._fault = fault
        return self._pending.pop(0)

    async def close(self) -> None:
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            pass
