"""Bodies of the types of this version (Spec/05 §5.3, §5.7)."""

from __future__ import annotations

import re

from . import attachment, claims
from .encoding import cbor
from .errors import MalformedBody, ProtocolError
from .identity import Kind, read_event
from .text_rule import is_shown_text

INTRODUCE = "relationship/introduce"
ROTATE = "relationship/rotate"
REVOKE = "relationship/revoke"
ENDORSE = "relationship/endorse"
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


def _text(body: dict[str, cbor.Value], key: str, most: int) -> None:
    value = body.get(key)
    if not isinstance(value, str) or not is_shown_text(value, most):
        raise MalformedBody(key)
