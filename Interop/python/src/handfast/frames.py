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
MAX_RATE = 3_600_000
MAX_BURST = 10_000
MAX_WAIT = 3_600
THROTTLED = 8


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
    POLICY = 12
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
                cbor.byte_string(digest, 32 if cbor.uint(kind, 0, 2) else 0)
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
        case Verb.POLICY, settings:
            for setting in cbor.array(settings, MAX_QUEUES, 1):
                queue, policy = cbor.items(setting, 2)
                _queue(queue)
                _check_policy(policy)
        case (Verb.PING,):
            pass
        case _:
            raise MalformedFrame("fields of no request")


def _check_policy(policy: cbor.Value) -> None:
    paused, rate, burst, *limits = cbor.items(policy, 6)
    cbor.uint(paused, 0, 1), cbor.uint(rate, 0, MAX_RATE), cbor.uint(burst, 0, MAX_BURST)
    if (rate == 0) != (burst == 0):
        raise MalformedFrame("a rate without a burst, or a burst without a rate")
    for limit in limits:
        cbor.uint(limit, 0, 2**32 - 1)


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
                _check_result(item)
        case Verb.REPLY, acknowledged, last:
            cbor.uint(acknowledged), cbor.uint(last)
        case Verb.REFUSAL, error:
            cbor.uint(error, 1, 10)
        case Verb.PUSH, items if frame.request == 0:
            for item in cbor.array(items, MAX_ITEMS, 1):
                position, queue, content = cbor.items(item, 3)
                cbor.uint(position)
                _queue(queue)
                if isinstance(content, bytes):
                    cbor.byte_string(content, most=MAX_ENVELOPE)
                    continue
                expired, refusal = cbor.items(content, 2)
                cbor.uint(expired), cbor.uint(refusal, 0, 4)
        case _:
            raise MalformedFrame("fields of no answer")


def _check_result(item: cbor.Value) -> None:
    status, following, digest, expired, *throttle = cbor.array(item, 6, 4)
    cbor.uint(status, 0, THROTTLED), cbor.uint(following), cbor.uint(expired)
    cbor.byte_string(digest, 32)
    if len(throttle) != (2 if status == THROTTLED else 0):
        raise MalformedFrame("a time without throttling, or throttling without a time")
    for value, most in zip(throttle, (MAX_BURST, MAX_WAIT), strict=False):
        cbor.uint(value, 0, most)


def _queue(value: cbor.Value) -> None:
    cbor.byte_string(value, 16)
