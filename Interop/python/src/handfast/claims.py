"""Asking for claims, showing them and saying what came of it: the bodies of the family `claim` (Spec/10 §10.9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from .encoding import cbor
from .errors import MalformedBody
from .text_rule import is_shown_text

REQUEST = "claim/request"
PRESENT = "claim/present"
RESULT = "claim/result"
MAX_PURPOSE = 256
MAX_DESCRIPTION = 1_024
MAX_IDENTIFIER = 512
MAX_NAME = 256
MAX_REASON = 512
MAX_QUERIES = 8
MAX_CLAIMS = 64
MAX_ISSUERS = 16
MAX_STEPS = 16
MAX_PRESENTATION = 49_152
FORMATS = ("dc+sd-cwt", "dc+sd-jwt")
CHECKS = ("form", "issuer", "signature", "type", "time", "holder", "audience", "nonce", "status", "query")
INTEGER = range(-(2**63), 2**63)
COUNT = range(1, 2**64)

Body = dict[str, cbor.Value]


class Each(Enum):
    """The step to each element of an array."""

    EACH = None


@dataclass(frozen=True)
class Key:
    """The step to the value under an integer key."""

    number: int


Step = str | int | Key | Each
"""A name, the place of an element, an integer key, or each element."""


# ---- claim/request ----


@dataclass(frozen=True)
class Wanted:
    """A claim that is asked for, and what it has to be."""

    path: tuple[Step, ...]
    value: bool | int | str | None = None

    @property
    def item(self) -> Body:
        return _present(path=[_step_item(step) for step in self.path], value=self.value)

    @classmethod
    def of(cls, item: cbor.Value) -> Wanted:
        found = _map(item, "claim")
        steps = _array(found, "path", 1, MAX_STEPS)
        value = found.get("value")
        if "value" in found:
            match value:
                case bool():
                    pass
                case int() if value in INTEGER:
                    pass
                case str() if len(value.encode()) <= MAX_NAME:
                    pass
                case _:
                    raise MalformedBody("value")
        return cls(tuple(map(_step, steps)), value)


@dataclass(frozen=True)
class Query:
    """A credential that is asked for."""

    type: str
    claims: tuple[Wanted, ...] = ()
    issuers: tuple[str, ...] | None = None
    self_asserted: bool | None = None

    @property
    def item(self) -> Body:
        return _present(
            type=self.type,
            claims=[claim.item for claim in self.claims],
            issuers=None if self.issuers is None else list(self.issuers),
            selfAsserted=self.self_asserted,
        )

    @classmethod
    def of(cls, item: cbor.Value) -> Query:
        found = _map(item, "query")
        claims = tuple(map(Wanted.of, _array(found, "claims", 0, MAX_CLAIMS)))
        if len({claim.path for claim in claims}) != len(claims):
            raise MalformedBody("a claim is asked for twice")
        issuers = None
        if "issuers" in found:
            issuers = tuple(
                _shown(issuer, "issuer", MAX_IDENTIFIER) for issuer in _array(found, "issuers", 1, MAX_ISSUERS)
            )
        self_asserted = found.get("selfAsserted")
        if "selfAsserted" in found and not isinstance(self_asserted, bool):
            raise MalformedBody("selfAsserted")
        return cls(_shown(found.get("type"), "type", MAX_IDENTIFIER), claims, issuers, self_asserted)


@dataclass(frozen=True)
class Request:
    """What a verifier wants to know, and what for."""

    purpose: str
    credentials: tuple[Query, ...]
    nonce: bytes
    description: str | None = None
    maximum_age: int | None = None

    @property
    def body(self) -> Body:
        return _present(
            purpose=self.purpose,
            description=self.description,
            credentials=[query.item for query in self.credentials],
            maximumAge=self.maximum_age,
            nonce=self.nonce,
        )

    @classmethod
    def of(cls, body: Body) -> Request:
        """Raises `MalformedBody`."""
        nonce = body.get("nonce")
        if not isinstance(nonce, bytes) or len(nonce) != 16:
            raise MalformedBody("nonce")
        return cls(
            _shown(body.get("purpose"), "purpose", MAX_PURPOSE),
            tuple(map(Query.of, _array(body, "credentials", 1, MAX_QUERIES))),
            nonce,
            _shown(body["description"], "description", MAX_DESCRIPTION) if "description" in body else None,
            _number(body, "maximumAge", COUNT) if "maximumAge" in body else None,
        )


# ---- claim/present ----


@dataclass(frozen=True)
class Presented:
    """A credential that is shown for a query."""

    query: int
    format: str
    presentation: bytes = field(repr=False)
    status_token: bytes | None = field(default=None, repr=False)

    @property
    def item(self) -> Body:
        return _present(
            query=self.query, format=self.format, presentation=self.presentation, statusToken=self.status_token
        )

    @classmethod
    def of(cls, item: cbor.Value) -> Presented:
        found = _map(item, "presentation")
        format_ = found.get("format")
        if format_ not in FORMATS:
            raise MalformedBody("format")
        return cls(
            _number(found, "query", range(MAX_QUERIES)),
            format_,
            _bytes(found, "presentation"),
            _bytes(found, "statusToken") if "statusToken" in found else None,
        )


@dataclass(frozen=True)
class Presentation:
    """The answer to a request; without anything shown it is a refusal."""

    request: int
    presentations: tuple[Presented, ...] = ()
    reason: str | None = None

    @property
    def body(self) -> Body:
        shown = [presented.item for presented in self.presentations]
        return _present(request=self.request, presentations=shown, reason=self.reason)

    @classmethod
    def of(cls, body: Body) -> Presentation:
        """Raises `MalformedBody`."""
        shown = tuple(map(Presented.of, _array(body, "presentations", 0, MAX_QUERIES)))
        queries = [presented.query for presented in shown]
        if queries != sorted(set(queries)):
            raise MalformedBody("queries are not in order")
        if shown and "reason" in body:
            raise MalformedBody("a reason beside presentations")
        reason = _shown(body["reason"], "reason", MAX_REASON) if "reason" in body else None
        return cls(_number(body, "request", COUNT), shown, reason)


# ---- claim/result ----


class CheckOutcome(Enum):
    """What came of a check."""

    HELD = "held"
    FAILED = "failed"
    ABSENT = "absent"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Check:
    """One check of what was shown for a query."""

    query: int
    check: str
    outcome: CheckOutcome
    reason: str | None = None

    @property
    def item(self) -> Body:
        return _present(query=self.query, check=self.check, outcome=self.outcome.value, reason=self.reason)

    @classmethod
    def of(cls, item: cbor.Value) -> Check:
        found = _map(item, "check")
        check, outcome = found.get("check"), found.get("outcome")
        if check not in CHECKS or outcome not in [one.value for one in CheckOutcome]:
            raise MalformedBody("check or outcome")
        if "reason" in found and outcome != CheckOutcome.FAILED.value:
            raise MalformedBody("a reason beside a check that has not failed")
        reason = _shown(found["reason"], "reason", MAX_REASON) if "reason" in found else None
        return cls(_number(found, "query", range(MAX_QUERIES)), check, CheckOutcome(outcome), reason)


@dataclass(frozen=True)
class Result:
    """What came of a presentation, check by check."""

    request: int
    presentation: int
    checks: tuple[Check, ...]

    @property
    def accepted(self) -> bool:
        return all(check.outcome in (CheckOutcome.HELD, CheckOutcome.ABSENT) for check in self.checks)

    @property
    def body(self) -> Body:
        return _present(
            request=self.request, presentation=self.presentation, checks=[check.item for check in self.checks]
        )

    @classmethod
    def of(cls, body: Body) -> Result:
        """Raises `MalformedBody`."""
        checks = tuple(map(Check.of, _array(body, "checks", len(CHECKS), MAX_QUERIES * len(CHECKS))))
        if [(check.query, check.check) for check in checks] != expected_checks(len(checks) // len(CHECKS)):
            raise MalformedBody("checks are not in order")
        return cls(_number(body, "request", COUNT), _number(body, "presentation", COUNT), checks)


def expected_checks(queries: int) -> list[tuple[int, str]]:
    """Every check of so many queries, in order."""
    return [(query, check) for query in range(queries) for check in CHECKS]


# ---- reading ----


def _present(**values: Any) -> Body:
    return {name: value for name, value in values.items() if value is not None}


def _map(value: cbor.Value, name: str) -> Body:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise MalformedBody(name)
    return value


def _array(found: Body, name: str, least: int, most: int) -> Sequence[cbor.Value]:
    value = found.get(name)
    if not isinstance(value, list) or not least <= len(value) <= most:
        raise MalformedBody(name)
    return value


def _shown(value: cbor.Value, name: str, most: int) -> str:
    """A text of 1 to so many bytes that a person may be shown."""
    if not isinstance(value, str) or not is_shown_text(value, most):
        raise MalformedBody(name)
    return value


def _number(found: Body, name: str, bounds: range) -> int:
    value = found.get(name)
    if type(value) is not int or value not in bounds:
        raise MalformedBody(name)
    return value


def _bytes(found: Body, name: str) -> bytes:
    value = found.get(name)
    if not isinstance(value, bytes) or not 1 <= len(value) <= MAX_PRESENTATION:
        raise MalformedBody(name)
    return value


def _step(item: cbor.Value) -> Step:
    match item:
        case None:
            return Each.EACH
        case str():
            return _shown(item, "path", MAX_NAME)
        case bool():
            raise MalformedBody("path")
        case int() if 0 <= item < 2**63:
            return item
        case [int(number)] if type(number) is int and number in INTEGER:
            return Key(number)
    raise MalformedBody("path")


def _step_item(step: Step) -> cbor.Value:
    match step:
        case Each():
            return None
        case Key(number):
            return [number]
    return step
