"""The frames between a relay and its clients (Spec/07 §7.1): read strictly, whichever side they come from."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from .encoding import cbor, cose
from .envelope import MAX_ENVELOPE
from .errors import CBORError, COSEError, MalformedFrame

MAX_REQUEST = 2**32 - 1
MAX_BUNDLE = 131_072
MAX_QUEUES = 1_000
MAX_KNOCKS = 10_000
MAX_BUNDLES = 16
MAX_ITEMS = 256
MAX_PUT = 4_096


class Verb(IntEnum):
    """First item of a frame."""

    ATTACH = 1
    OPEN = 2
    ADMIT = 3
    PUBLISH = 4
    FETCH = 5
    KNOCK = 6
    PUT = 7
    SUBSCRIBE = 8
    ACK = 9
    CLOSE = 10
    PING = 11
    PUSH = 32
    REPLY = 64
    REFUSAL = 65


class Frame(NamedTuple):
    """A frame that was read; `fields` is what stands after its request's number, in the form of its verb."""

    verb: Verb
    request: int
    fields: list[cbor.Value]

    def encode(self) -> bytes:
        return cbor.encode([int(self.verb), self.request, *self.fields])


def read_request(data: bytes) -> Frame:
    """A client's frame. Raises `MalformedFrame`."""
    try:
        frame = _read(data, 1)
        _check_request(frame)
    except (CBORError, COSEError) as error:
        raise MalformedFrame(error.path) from None
    return frame


def read_answer(data: bytes) -> Frame:
    """A relay's frame. Raises `MalformedFrame`."""
    try:
        frame = _read(data, 0)
        _check_answer(frame)
    except (CBORError, COSEError) as error:
        raise MalformedFrame(error.path) from None
    return frame


def _read(data: bytes, least: int) -> Frame:
    verb, request, *fields = cbor.array(cbor.decode(data), 5, 2)
    if cbor.uint(verb) not in list(Verb):
        raise MalformedFrame(f"verb {verb}")
    return Frame(Verb(verb), cbor.uint(request, least, MAX_REQUEST), fields)


def _check_request(frame: Frame) -> None:
    match frame.verb, *frame.fields:
        case Verb.ATTACH, key, signature:
            cose.read_ed25519(key)
            cbor.byte_string(signature, 64)
        case Verb.OPEN, opened:
            for item in cbor.array(opened, MAX_QUEUES, 1):
                queue, kind, digest = cbor.items(item, 3)
                _queue(queue)
                cbor.byte_string(digest, 32 * cbor.uint(kind, 0, 1))
        case Verb.ADMIT, queue, knocks:
            _queue(queue)
            for knock in cbor.array(knocks, MAX_KNOCKS):
                cbor.byte_string(knock, 32)
        case Verb.PUBLISH, queue, bundles:
            _queue(queue)
            for item in cbor.array(bundles, MAX_BUNDLES, 1):
                not_before, expires, bundle = cbor.items(item, 3)
                cbor.uint(not_before), cbor.uint(expires)
                cbor.byte_string(bundle, most=MAX_BUNDLE)
        case Verb.FETCH, queue:
            _queue(queue)
        case Verb.KNOCK, queue, knock, hello:
            _queue(queue)
            cbor.byte_string(knock, 32)
            # Too large a one can be read, and is refused by error 4; so are envelopes of a put, by status 6.
            cbor.byte_string(hello)
        case Verb.PUT, items:
            _check_put(cbor.array(items, MAX_ITEMS, 1))
        case ((Verb.SUBSCRIBE | Verb.ACK), position):
            cbor.uint(position)
        case Verb.CLOSE, queues:
            for queue in cbor.array(queues, MAX_QUEUES, 1):
                _queue(queue)
        case (Verb.PING,):
            pass
        case _:
            raise MalformedFrame("fields of no request")


def _check_put(items: list[cbor.Value]) -> None:
    count = 0
    for item in items:
        queue, capability, first, envelopes = cbor.items(item, 4)
        _queue(queue)
        cbor.byte_string(capability, 32)
        cbor.uint(first)
        for envelope in cbor.array(envelopes, MAX_PUT):
            if not cbor.byte_string(envelope):
                raise MalformedFrame("an empty envelope")
        if (count := count + len(envelopes)) > MAX_PUT:
            raise MalformedFrame("too many envelopes")


def _check_answer(frame: Frame) -> None:
    match frame.verb, *frame.fields:
        case (Verb.REPLY,):
            pass
        case Verb.REPLY, bytes(bundle):
            cbor.byte_string(bundle, most=MAX_BUNDLE)
        case Verb.REPLY, results:
            for item in cbor.array(results, MAX_ITEMS, 1):
                status, following, digest = cbor.items(item, 3)
                cbor.uint(status, 0, 6), cbor.uint(following)
                cbor.byte_string(digest, 32)
        case Verb.REPLY, acknowledged, last:
            cbor.uint(acknowledged), cbor.uint(last)
        case Verb.REFUSAL, error:
            cbor.uint(error, 1, 8)
        case Verb.PUSH, items if frame.request == 0:
            for item in cbor.array(items, MAX_ITEMS, 1):
                position, queue, data = cbor.items(item, 3)
                cbor.uint(position)
                _queue(queue)
                cbor.byte_string(data, most=MAX_ENVELOPE)
        case _:
            raise MalformedFrame("fields of no answer")


def _queue(value: cbor.Value) -> None:
    cbor.byte_string(value, 16)
