"""Bodies of the types of this version (Spec/05 §5.3, §5.7)."""

from __future__ import annotations

import re

from . import attachment, claims
from .address import MAX_ADDRESSES, Address
from .encoding import cbor
from .errors import HandfastError, MalformedBody, ProtocolError
from .identity import Kind, read_event
from .text_rule import is_shown_text

INTRODUCE = "relationship/introduce"
ROTATE = "relationship/rotate"
REVOKE = "relationship/revoke"
ENDORSE = "relationship/endorse"
MOVE = "relationship/move"
END = "relationship/end"
TEXT = "message/text"
_EVENTS = {ROTATE: {Kind.ROTATION}, REVOKE: {Kind.REVOCATION}, ENDORSE: {Kind.ROTATION, Kind.REVOCATION}}
_LANGUAGE = re.compile(r"[A-Za-z0-9-]{2,35}")


def check(type_: str, body: dict[str, cbor.Value]) -> None:
    """Raises `MalformedBody` where a body of a known type lacks something or is out of bounds."""
    match type_:
        case "relationship/introduce":
            _text(body, "name", 256)
            if "url" in body:
                _text(body, "url", 2_048)
        case "relationship/rotate" | "relationship/revoke" | "relationship/endorse":
            data = body.get("event")
            if not isinstance(data, bytes):
                raise MalformedBody("event")
            try:
                event = read_event(data)
            except ProtocolError as error:
                raise MalformedBody(f"event: {error.path}") from None
            if event.kind not in _EVENTS[type_]:
                raise MalformedBody("a key event of another kind")
        case "relationship/move":
            addresses(body)
        case "relationship/end":
            if "reason" in body:
                _text(body, "reason", 1_024)
        case attachment.TYPE:
            attachment.Attachment.of(body)
        case claims.REQUEST:
            claims.Request.of(body)
        case claims.PRESENT:
            claims.Presentation.of(body)
        case claims.RESULT:
            claims.Result.of(body)
        case "message/text":
            if not isinstance(body.get("text"), str):
                raise MalformedBody("text")
            if "language" in body and not (isinstance(body["language"], str) and _LANGUAGE.fullmatch(body["language"])):
                raise MalformedBody("language")


def addresses(body: dict[str, cbor.Value]) -> tuple[Address, ...]:
    """Where the sender of a move receives from now on. Raises `MalformedBody`."""
    given = body.get("addresses")
    if not isinstance(given, list) or not 1 <= len(given) <= MAX_ADDRESSES:
        raise MalformedBody("addresses")
    found: list[Address] = []
    for data in given:
        if not isinstance(data, bytes):
            raise MalformedBody("addresses")
        try:
            found.append(Address.of(cbor.decode(data)))
        except HandfastError as error:
            raise MalformedBody(f"addresses: {error}") from None
    if len({address.queue for address in found}) < len(found):
        raise MalformedBody("addresses: one queue twice")
    return tuple(found)


def _text(body: dict[str, cbor.Value], key: str, most: int) -> None:
    value = body.get(key)
    if not isinstance(value, str) or not is_shown_text(value, most):
        raise MalformedBody(key)
