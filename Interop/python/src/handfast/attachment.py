"""Attachments (Spec/09): a file in sealed chunks, the record that names it, and the messages that fetch it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from nacl import bindings

from .encoding import cbor
from .errors import AttachmentDigestMismatch, ChunkRefused, MalformedBody
from .record import Ephemeral
from .suite.hashing import H
from .suite.stream import xor

TYPE = "message/attachment"
WANT = "message/attachment-want"
HAVE = "message/attachment-have"
DECLINE = "message/attachment-decline"
CHUNK = "message/attachment-chunk"
OFFER = "message/attachment-offer"
GONE = "message/attachment-gone"
MESSAGES = (WANT, HAVE, DECLINE, CHUNK, OFFER, GONE)
TO_SENDER = (WANT, HAVE, DECLINE)

KEY = 32
HEADER = 24
OVERHEAD = 17
LEAST_CHUNK = 256
CHUNK_SIZE = 60_416
MAX_SIZE = 1 << 40
AHEAD = 64
_MESSAGE_TAG, _FINAL_TAG = 0, 3
_NAME = re.compile("[^/\\\\\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]+")
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+")
_LANGUAGE = re.compile(r"[A-Za-z0-9-]{2,35}")


# ---- the record ----


@dataclass(frozen=True)
class Attachment:
    """What the body of a `message/attachment` says (§9.1)."""

    name: str
    size: int
    chunk_size: int
    key: bytes = field(repr=False)
    header: bytes
    digest: bytes
    media_type: str | None = None
    text: str | None = None
    language: str | None = None

    @property
    def count(self) -> int:
        """How many chunks there are: at least one."""
        return max(1, -(-self.size // self.chunk_size))

    def sealed_size(self, chunk: int) -> int:
        """The length of a sealed chunk."""
        last = chunk == self.count - 1
        return (self.size - chunk * self.chunk_size if last else self.chunk_size) + OVERHEAD

    @property
    def body(self) -> dict[str, cbor.Value]:
        found: dict[str, cbor.Value] = {
            "name": self.name,
            "contentSize": self.size,
            "chunkSize": self.chunk_size,
            "key": self.key,
            "header": self.header,
            "digest": self.digest,
        }
        optional = {"encodingFormat": self.media_type, "text": self.text, "language": self.language}
        return found | {key: value for key, value in optional.items() if value is not None}

    @classmethod
    def of(cls, body: dict[str, cbor.Value]) -> Attachment:
        """Raises `MalformedBody`."""
        name, media_type = _text(body, "name"), _optional(body, "encodingFormat")
        if not _NAME.fullmatch(name) or len(name.encode()) > 255 or name in (".", ".."):
            raise MalformedBody("name")
        if media_type is not None and not (len(media_type) <= 127 and _MEDIA_TYPE.fullmatch(media_type)):
            raise MalformedBody("encodingFormat")
        if (language := _optional(body, "language")) is not None and not _LANGUAGE.fullmatch(language):
            raise MalformedBody("language")
        return cls(
            name,
            _number(body, "contentSize", 0, MAX_SIZE),
            _number(body, "chunkSize", LEAST_CHUNK, CHUNK_SIZE),
            _bytes(body, "key", KEY),
            _bytes(body, "header", HEADER),
            _bytes(body, "digest", 32),
            media_type,
            _optional(body, "text"),
            language,
        )


def _text(body: dict[str, cbor.Value], key: str) -> str:
    if not isinstance(value := body.get(key), str):
        raise MalformedBody(key)
    return value


def _optional(body: dict[str, cbor.Value], key: str) -> str | None:
    return _text(body, key) if key in body else None


def _number(body: dict[str, cbor.Value], key: str, least: int = 0, most: int = 2**64 - 1) -> int:
    if type(value := body.get(key)) is not int or not least <= value <= most:
        raise MalformedBody(key)
    return value


def _bytes(body: dict[str, cbor.Value], key: str, size: int | None = None) -> bytes:
    if not isinstance(value := body.get(key), bytes) or (size is not None and len(value) != size):
        raise MalformedBody(key)
    return value


# ---- sealing and opening ----


class _Stream:
    """A secretstream under a key and a header; libsodium's opener begins with any header, and seals as well."""

    def __init__(self, key: bytes, header: bytes) -> None:
        self._state = bindings.crypto_secretstream_xchacha20poly1305_state()
        bindings.crypto_secretstream_xchacha20poly1305_init_pull(self._state, header, key)

    def seal(self, chunk: bytes, tag: int) -> bytes:
        return bytes(bindings.crypto_secretstream_xchacha20poly1305_push(self._state, chunk, None, tag))

    def open(self, sealed: bytes) -> tuple[bytes, int]:
        """Raises `RuntimeError` where it is not the next chunk."""
        chunk, tag = bindings.crypto_secretstream_xchacha20poly1305_pull(self._state, sealed, None)
        return bytes(chunk), int(tag)


def digest(header: bytes, chunks: Sequence[bytes]) -> bytes:
    return H("attachment", header, *chunks)


def seal(
    content: bytes,
    name: str,
    chunk_size: int = CHUNK_SIZE,
    media_type: str | None = None,
    text: str | None = None,
    language: str | None = None,
) -> tuple[Attachment, list[bytes]]:
    """A file under a fresh key: what its record says, and the sealed chunks."""
    key, header = os.urandom(KEY), os.urandom(HEADER)
    chunks = seal_chunks(content, key, header, chunk_size)
    made = Attachment(
        name, len(content), chunk_size, key, header, digest(header, chunks), media_type, text, language
    )
    return Attachment.of(made.body), chunks


def seal_chunks(content: bytes, key: bytes, header: bytes, chunk_size: int) -> list[bytes]:
    stream = _Stream(key, header)
    parts = [content[start : start + chunk_size] for start in range(0, len(content), chunk_size)] or [b""]
    return [stream.seal(part, _MESSAGE_TAG) for part in parts[:-1]] + [stream.seal(parts[-1], _FINAL_TAG)]


def nonces(header: bytes, chunks: Sequence[bytes]) -> list[bytes]:
    """The nonce under which each chunk is sealed (§9.2)."""
    part, found = header[16:], list[bytes]()
    for counter, sealed in enumerate(chunks, 1):
        found.append(counter.to_bytes(4, "little") + part)
        part = xor(part, sealed[-16:-8])
    return found


class Opener:
    """Opens chunks as they come. Nothing of it is the file before `finish` (§9.3)."""

    def __init__(self, attachment: Attachment) -> None:
        self.attachment = attachment
        self._stream = _Stream(attachment.key, attachment.header)
        self._sealed: list[bytes] = []
        self._content: list[bytes] = []

    @property
    def next(self) -> int:
        """The number of the chunk that is needed next; all are here when it is the count."""
        return len(self._sealed)

    def take(self, sealed: bytes) -> None:
        """Raises `ChunkRefused`."""
        number, count = self.next, self.attachment.count
        if number == count:
            raise ChunkRefused("beyondEnd", number)
        if len(sealed) != self.attachment.sealed_size(number):
            raise ChunkRefused("wrongLength", number)
        try:
            chunk, tag = self._stream.open(sealed)
        except RuntimeError:
            raise ChunkRefused("notAuthentic", number) from None
        if tag != (_FINAL_TAG if number == count - 1 else _MESSAGE_TAG):
            raise ChunkRefused("wrongTag", number)
        self._sealed.append(sealed)
        self._content.append(chunk)

    def finish(self) -> bytes:
        """The file. Raises `ChunkRefused` or `AttachmentDigestMismatch`."""
        if self.next < self.attachment.count:
            raise ChunkRefused("missing", self.next)
        if digest(self.attachment.header, self._sealed) != self.attachment.digest:
            raise AttachmentDigestMismatch()
        return b"".join(self._content)


# ---- the messages ----


@dataclass(frozen=True)
class Transfer:
    """One of the six messages of §9.4; `start` and `until` are of a want, `chunk` and `data` of a chunk."""

    type: str
    record: int
    round: int = 0
    start: int = 0
    until: int = 0
    chunk: int = 0
    data: bytes = field(default=b"", repr=False)

    @property
    def message(self) -> Ephemeral:
        body: dict[str, cbor.Value] = {"record": self.record}
        if self.type == WANT:
            body |= {"round": self.round, "from": self.start, "until": self.until}
        elif self.type == CHUNK:
            body |= {"round": self.round, "chunk": self.chunk, "data": self.data}
        return Ephemeral(self.type, body)

    @classmethod
    def of(cls, message: Ephemeral) -> Transfer:
        """Raises `MalformedBody`."""
        body = message.body
        record = _number(body, "record")
        if message.type == WANT:
            start, until = _number(body, "from"), _number(body, "until")
            if not start < until <= start + AHEAD:
                raise MalformedBody("until")
            return cls(message.type, record, _number(body, "round", 0, 2**32 - 1), start, until)
        if message.type == CHUNK:
            data, chunk = _bytes(body, "data"), _number(body, "chunk")
            return cls(message.type, record, _number(body, "round", 0, 2**32 - 1), chunk=chunk, data=data)
        return cls(message.type, record)


def unknown(message: Transfer) -> Transfer | None:
    """What to answer about a record that is unknown here, or no attachment."""
    answers = {WANT: GONE, OFFER: DECLINE}
    return Transfer(answers[message.type], message.record) if message.type in answers else None


@dataclass
class Sending:
    """A file on its way out: what it was asked for, and what of it has gone."""

    record: int
    chunks: list[bytes] = field(repr=False)
    round: int = 0
    sent: int = 0
    until: int = 0
    ended: str = ""
    """How the receiver ended it: `HAVE` or `DECLINE`."""

    def take(self, message: Transfer) -> Iterator[Transfer]:
        """What a message of the receiver asks for."""
        if message.type in (HAVE, DECLINE):
            self.ended = message.type
        elif message.type == WANT and not self.ended:
            if message.round != self.round:
                self.round, self.sent = message.round, message.start
            self.sent, self.until = max(self.sent, message.start), min(message.until, len(self.chunks))
            for number in range(self.sent, self.until):
                yield Transfer(CHUNK, self.record, self.round, chunk=number, data=self.chunks[number])
            self.sent = max(self.sent, self.until)
        elif message.type == WANT:
            yield Transfer(GONE, self.record)


@dataclass
class Receiving:
    """A file on its way in."""

    record: int
    opener: Opener
    round: int = 1
    asked: int = 0
    content: bytes | None = field(default=None, repr=False)
    gone: bool = False

    def want(self, new_round: bool = False) -> Transfer:
        """Asks for the chunks from the next one on."""
        self.round += new_round
        start = self.opener.next
        self.asked = min(start + AHEAD, self.opener.attachment.count)
        return Transfer(WANT, self.record, self.round, start, self.asked)

    def take(self, message: Transfer) -> Iterator[Transfer]:
        """What to answer. Raises `ChunkRefused` or `AttachmentDigestMismatch`; then the file is declined."""
        if message.type == GONE:
            self.gone = True
        elif self.content is not None:
            if message.type == OFFER:
                yield Transfer(HAVE, self.record)
        elif message.type == OFFER:
            yield self.want(new_round=True)
        elif message.type == CHUNK and message.chunk == self.opener.next:
            self.opener.take(message.data)
            if self.opener.next == self.opener.attachment.count:
                self.content = self.opener.finish()
                yield Transfer(HAVE, self.record)
            elif self.asked - self.opener.next <= AHEAD // 2 and self.asked < self.opener.attachment.count:
                yield self.want()
        elif message.type == CHUNK and message.chunk > self.opener.next and message.round == self.round:
            yield self.want(new_round=True)
