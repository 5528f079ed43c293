"""Checking what was presented in answer to a request, check by check (Spec/10 §10.9, §10.10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from . import sd_cwt, sd_jwt, status_list
from .claims import CHECKS, Check, CheckOutcome, Each, Key, Presentation, Presented, Query, Request, Step, Wanted
from .credential import IssuerKeys, Shown, VerificationKey
from .encoding.cbor import Tag
from .encoding.text import base64url
from .errors import (
    ClaimError,
    ClaimExists,
    ContradictoryTimes,
    CredentialAlgorithm,
    CredentialKey,
    DuplicateDigest,
    IssuedInFuture,
    KeyBindingTooOld,
    MisplacedDisclosure,
    MissingHolderKey,
    MissingKeyBinding,
    NotRedactable,
    NotYetValid,
    PrivateKey,
    StatusListError,
    TokenExpired,
    TokenMalformed,
    TokenSignature,
    UndisclosedDigest,
    UnknownIssuerKey,
    UnreferencedDisclosure,
    UnsupportedAlgorithm,
    UnsupportedHash,
    UnsupportedKey,
    WrongAudience,
    WrongBinding,
    WrongCredentialAudience,
    WrongHolderKey,
    WrongNonce,
)

_DISCLOSURES = (
    UnsupportedHash,
    DuplicateDigest,
    UnreferencedDisclosure,
    MisplacedDisclosure,
    UndisclosedDigest,
    ClaimExists,
    NotRedactable,
)
_HOLDER = (
    UnsupportedKey,
    CredentialKey,
    PrivateKey,
    MissingHolderKey,
    MissingKeyBinding,
    WrongBinding,
    WrongHolderKey,
)
_TIMES = (TokenExpired, NotYetValid, IssuedInFuture, ContradictoryTimes, KeyBindingTooOld)


def check_of(error: ClaimError) -> str:
    """Which check it is that a credential does not pass."""
    match error:
        case UnknownIssuerKey():
            return "issuer"
        case TokenSignature() | UnsupportedAlgorithm() | CredentialAlgorithm():
            return "holder" if error.in_binding else "signature"
        case WrongAudience() | WrongCredentialAudience():
            return "audience"
        case WrongNonce():
            return "nonce"
    for kinds, check in ((_DISCLOSURES, "signature"), (_HOLDER, "holder"), (_TIMES, "time")):
        if isinstance(error, kinds):
            return check
    return "form"


@dataclass(frozen=True)
class TrustedIssuer:
    """Whose word is taken, for these types or for all."""

    name: str
    key: VerificationKey
    types: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Proved:
    """What a query brought, where every check of it holds."""

    query: int
    shown: Shown
    is_own_word: bool


class _Failed(Exception):
    def __init__(self, check: str) -> None:
        super().__init__(check)
        self.check = check


@dataclass(frozen=True)
class Verifier:
    """A verifier in one relationship, at one moment; identities by their names, `hf:…`."""

    audience: str
    peer: str
    peer_key: bytes
    """The key in force at the record of the presentation."""
    issuers: tuple[TrustedIssuer, ...]
    now: int

    def judge(self, answer: Presentation, request: Request, asked: int) -> tuple[list[Check], list[Proved]]:
        """Every check of every query, and what is proved."""
        checks, proved = list[Check](), list[Proved]()
        for number, query in enumerate(request.credentials):
            try:
                found = self._verify(number, answer, query, request, asked)
            except _Failed as failed:
                outcomes = {failed.check: CheckOutcome.FAILED}
                default = CheckOutcome.SKIPPED
            else:
                proved.append(found)
                absent = {"status": found.shown.status is None, "issuer": found.is_own_word}
                outcomes = {name: CheckOutcome.ABSENT for name, is_absent in absent.items() if is_absent}
                default = CheckOutcome.HELD
            checks += [Check(number, name, outcomes.get(name, default)) for name in CHECKS]
        return checks, proved

    def _verify(self, number: int, answer: Presentation, query: Query, request: Request, asked: int) -> Proved:
        presented = next((one for one in answer.presentations if one.query == number), None)
        if presented is None:
            raise _Failed("form")
        try:
            shown = self._read(presented, request.nonce, asked)
        except ClaimError as error:
            raise _Failed(check_of(error)) from error
        if shown.type != query.type:
            raise _Failed("type")
        is_own_word = shown.issuer == self.peer
        self._check_issuer(shown, query, is_own_word)
        if request.maximum_age is not None and (shown.times.issued_at or 0) < self.now - request.maximum_age:
            raise _Failed("time")
        if shown.status is not None and not self._is_valid(shown, presented):
            raise _Failed("status")
        if not all(_satisfies(wanted, shown.claims) for wanted in query.claims):
            raise _Failed("query")
        return Proved(number, shown, is_own_word)

    def _read(self, presented: Presented, nonce: bytes, asked: int) -> Shown:
        keys = {issuer.name: issuer.key for issuer in self.issuers}
        keys[self.peer] = VerificationKey("EdDSA", self.peer_key)
        find: IssuerKeys = lambda issuer, _: keys.get(issuer)  # noqa: E731
        # Nobody can have answered before it was asked.
        age = max(0, self.now - asked)
        if presented.format == "dc+sd-cwt":
            return sd_cwt.verify(presented.presentation, self.audience, nonce, find, self.now, maximum_age=age)
        try:
            text = presented.presentation.decode("utf-8")
        except UnicodeDecodeError as error:
            raise TokenMalformed() from error
        return sd_jwt.verify(text, self.audience, base64url(nonce), find, self.now, maximum_age=age)

    def _check_issuer(self, shown: Shown, query: Query, is_own_word: bool) -> None:
        if is_own_word:
            if not query.self_asserted:
                raise _Failed("issuer")
            if shown.holder_key != VerificationKey("EdDSA", self.peer_key):
                raise _Failed("holder")
            return
        trusted = [one for one in self.issuers if one.name == shown.issuer]
        if not any(one.types is None or query.type in one.types for one in trusted):
            raise _Failed("issuer")
        if query.issuers is not None and shown.issuer not in query.issuers:
            raise _Failed("issuer")

    def _is_valid(self, shown: Shown, presented: Presented) -> bool:
        if shown.status is None or presented.status_token is None:
            return False
        keys = [(one.key.algorithm, one.key.raw) for one in self.issuers if one.name == shown.issuer]
        try:
            token = status_list.verify(presented.status_token, shown.status.uri, keys)
            status_list.check_use(token, self.now)
            return token.statuses[shown.status.index] == 0
        except StatusListError:
            return False


def _satisfies(wanted: Wanted, claims: Any) -> bool:
    found = _values(wanted.path, claims)
    if wanted.value is None:
        return bool(found)
    return any(type(value) is type(wanted.value) and value == wanted.value for value in found)


def _values(path: Sequence[Step], value: Any) -> list[Any]:
    """What a path leads to."""
    if not path:
        return [value]
    if isinstance(value, Tag):
        return _values(path, value.value)
    step, rest = path[0], path[1:]
    match step:
        case Each():
            return [found for item in value for found in _values(rest, item)] if isinstance(value, list) else []
        case int():
            return _values(rest, value[step]) if isinstance(value, list) and step < len(value) else []
        case Key(number):
            return _values(rest, value[number]) if isinstance(value, dict) and number in value else []
    return _values(rest, value[step]) if isinstance(value, dict) and step in value else []
