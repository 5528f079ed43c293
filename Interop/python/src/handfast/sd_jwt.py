"""SD-JWT VC: issued, read, presented and verified (Spec/10 §10.5, §10.6)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .credential import (
    MAX_AGE,
    MAX_CREDENTIAL,
    MAX_DISCLOSURES,
    MAX_PRESENTATION,
    NUMBERS,
    SKEW,
    Claims,
    IssuerKeys,
    Path,
    Shown,
    Signer,
    Status,
    Times,
    VerificationKey,
    chosen,
    is_on_way,
    leads_to,
)
from .encoding import strict_json
from .encoding.text import base64url, from_base64url
from .errors import (
    ClaimExists,
    CredentialAlgorithm,
    CredentialDepth,
    CredentialSize,
    DuplicateDigest,
    InvalidClaim,
    JSONError,
    MisplacedDisclosure,
    MissingClaim,
    MissingHolderKey,
    MissingKeyBinding,
    NotRedactable,
    ReservedName,
    TextError,
    TokenHeader,
    TokenHeaderMissing,
    TokenJSON,
    TokenMalformed,
    TokenText,
    TokenType,
    TooManyDisclosures,
    UnexpectedKeyBinding,
    UnknownClaim,
    UnknownIssuerKey,
    UnreferencedDisclosure,
    UnsupportedAlgorithm,
    UnsupportedHash,
    WrongAudience,
    WrongBinding,
    WrongCredentialAudience,
    WrongHolderKey,
    WrongNonce,
    in_binding,
)

TYPE = "dc+sd-jwt"
BINDING_TYPE = "kb+jwt"
DIGESTS, ELEMENT, HASH = "_sd", "...", "_sd_alg"
RESERVED = {DIGESTS, ELEMENT, HASH}
_HASHES = {"sha-256": hashlib.sha256, "sha-384": hashlib.sha384, "sha-512": hashlib.sha512}
_VISIBLE = {"iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "aka_vcts", "status"}
_OWN = {"iss", "vct", "sub", "iat", "nbf", "exp", "cnf", "status"}
"""Claims with a place of their own in `Shown`."""
SALT = 16
MAX_DEPTH = 16


# ---- JWS ----


def _decoded(text: str) -> bytes:
    try:
        return from_base64url(text)
    except TextError as error:
        raise TokenText() from error


def _json(data: bytes, limit: int) -> Any:
    try:
        return strict_json.decode(data, limit)
    except JSONError as error:
        raise TokenJSON() from error


@dataclass(frozen=True)
class JWS:
    """A JWS in compact form that was read; nobody has verified it."""

    text: str = field(repr=False)
    header: Claims
    claims: Claims
    signature: bytes = field(repr=False)

    @classmethod
    def read(cls, text: str, type_: str, limit: int) -> JWS:
        if len(parts := text.split(".")) != 3:
            raise TokenMalformed("no three parts")
        header, claims = (_json(_decoded(part), limit) for part in parts[:2])
        if not isinstance(header, dict) or not isinstance(claims, dict):
            raise TokenMalformed("no object")
        if "crit" in header:
            raise TokenHeader("crit")
        for name in ("alg", "typ"):
            if name not in header:
                raise TokenHeaderMissing(name)
        if header["alg"] not in list(NUMBERS):
            raise UnsupportedAlgorithm(str(header["alg"]))
        if header["typ"] != type_:
            raise TokenType(str(header["typ"]))
        if not isinstance(header.get("kid", ""), str):
            raise TokenMalformed("kid")
        return cls(text, header, claims, _decoded(parts[2]))

    @classmethod
    def sign(cls, claims: Claims, type_: str, signer: Signer, key_id: str | None = None) -> str:
        header = {"alg": signer.key.algorithm, "typ": type_} | ({} if key_id is None else {"kid": key_id})
        message = ".".join(base64url(strict_json.encode(part).encode()) for part in (header, claims))
        return f"{message}.{base64url(signer.sign(message.encode()))}"

    def verify(self, key: VerificationKey) -> None:
        """Raises `CredentialAlgorithm` or `TokenSignature`."""
        if key.algorithm != self.header["alg"]:
            raise CredentialAlgorithm()
        key.verify(self.text.rpartition(".")[0].encode(), self.signature)


# ---- credentials ----


@dataclass(frozen=True)
class Disclosure:
    """What opens a digest: a member of an object or an element of an array."""

    text: str
    parts: list[Any] = field(repr=False)

    @classmethod
    def read(cls, text: str) -> Disclosure:
        parts = _json(_decoded(text), MAX_CREDENTIAL)
        if not isinstance(parts, list) or len(parts) not in (2, 3) or not isinstance(parts[0], str):
            raise TokenMalformed("a disclosure")
        if len(parts) == 3:
            if not isinstance(parts[1], str):
                raise TokenMalformed("the name of a disclosure")
            if parts[1] in RESERVED:
                raise ReservedName(parts[1])
        return cls(text, parts)


class Credential:
    """A credential with its disclosures in their places; no signature is verified yet."""

    def __init__(self, token: JWS, disclosures: Sequence[str]) -> None:
        self.token = token
        name = token.claims.get(HASH, "sha-256")
        if name not in list(_HASHES):
            raise UnsupportedHash(str(name))
        self._hash = _HASHES[name]
        self.disclosures = tuple(map(Disclosure.read, disclosures))
        self._numbers = {self.digest(one.text): number for number, one in enumerate(self.disclosures)}
        if len(self._numbers) != len(self.disclosures):
            raise DuplicateDigest()
        self._seen: set[str] = set()
        self._found: list[Path | None] = [None] * len(self.disclosures)
        self.claims = self._object(token.claims, (), 1)
        if None in self._found:
            raise UnreferencedDisclosure(str(self._found.index(None)))
        self.places: list[Path] = [place for place in self._found if place is not None]

    @classmethod
    def read(cls, text: str) -> Credential:
        """What an issuer gave. Raises a `ClaimError`."""
        if len(text.encode()) > MAX_CREDENTIAL:
            raise CredentialSize()
        token, disclosures, binding = _parts(text)
        if binding:
            raise UnexpectedKeyBinding()
        found = cls(JWS.read(token, TYPE, MAX_CREDENTIAL), disclosures)
        found.shown()
        return found

    def digest(self, text: str) -> str:
        return base64url(self._hash(text.encode()).digest())

    @property
    def text(self) -> str:
        return _joined(self.token.text, self.disclosures)

    # ---- putting together ----

    def _value(self, value: Any, place: Path, depth: int) -> Any:
        if isinstance(value, (dict, list)) and (depth := depth + 1) > MAX_DEPTH:
            raise CredentialDepth()
        if isinstance(value, dict):
            return self._object(value, place, depth)
        return self._array(value, place, depth) if isinstance(value, list) else value

    def _object(self, value: Claims, place: Path, depth: int) -> Claims:
        found: Claims = {}
        for name, item in value.items():
            if name not in RESERVED:
                found[name] = self._value(item, (*place, name), depth)
            elif name == ELEMENT or (name == HASH and place):
                raise ReservedName(name)
        digests = value.get(DIGESTS, [])
        if not isinstance(digests, list):
            raise TokenMalformed(DIGESTS)
        for digest in digests:
            if (number := self._take(digest)) is None:
                continue
            parts = self.disclosures[number].parts
            if len(parts) != 3:
                raise MisplacedDisclosure()
            if parts[1] in found:
                raise ClaimExists(parts[1])
            self._found[number] = at = (*place, parts[1])
            found[parts[1]] = self._value(parts[2], at, depth)
        return found

    def _array(self, value: list[Any], place: Path, depth: int) -> list[Any]:
        found: list[Any] = []
        for item in value:
            at = (*place, len(found))
            if not isinstance(item, dict) or item.keys() != {ELEMENT}:
                found.append(self._value(item, at, depth))
                continue
            if (number := self._take(item[ELEMENT])) is None:
                continue
            parts = self.disclosures[number].parts
            if len(parts) != 2:
                raise MisplacedDisclosure()
            self._found[number] = at
            found.append(self._value(parts[1], at, depth))
        return found

    def _take(self, digest: Any) -> int | None:
        """The number of the disclosure that a digest stands for."""
        if not isinstance(digest, str):
            raise TokenMalformed("a digest")
        if digest in self._seen:
            raise DuplicateDigest()
        self._seen.add(digest)
        return self._numbers.get(digest)

    # ---- steps 2 and 4 of §10.6 ----

    def shown(self) -> Shown:
        for place in self.places:
            if place[0] in _VISIBLE:
                raise NotRedactable(str(place[0]))
        claims = self.claims
        issuer, type_ = (_text(claims, name) for name in ("iss", "vct"))
        for name, value in (("iss", issuer), ("vct", type_)):
            if value is None:
                raise MissingClaim(name)
        assert issuer is not None
        if "cnf" not in claims:
            raise MissingHolderKey()
        confirmation = claims["cnf"]
        if not isinstance(confirmation, dict) or "jwk" not in confirmation:
            raise InvalidClaim("cnf")
        return Shown(
            issuer,
            type_,
            _text(claims, "sub"),
            {name: value for name, value in claims.items() if name not in _OWN},
            tuple(self.places),
            Times.read(claims, "iat", "nbf", "exp"),
            VerificationKey.of_jwk(confirmation["jwk"]),
            Status.of(claims["status"]) if "status" in claims else None,
        )

    def check_audience(self, audience: str) -> None:
        if "aud" not in self.claims:
            return
        found = self.claims["aud"]
        if not isinstance(found, str) and not (isinstance(found, list) and all(isinstance(one, str) for one in found)):
            raise InvalidClaim("aud")
        if audience not in ([found] if isinstance(found, str) else found):
            raise WrongCredentialAudience()

    def hold(self, issuer_keys: IssuerKeys, now: int, skew: int = SKEW) -> Shown:
        """What a holder makes of what its issuer sent. Raises a `ClaimError`."""
        _check_issuer(self.token, issuer_keys)
        shown = self.shown()
        shown.times.check(now, skew)
        return shown

    def present(self, paths: Sequence[Path], audience: str, nonce: str, now: int, signer: Signer) -> str:
        """A presentation of what the paths lead to. Raises a `ClaimError`."""
        if self.shown().holder_key != signer.key:
            raise WrongHolderKey()
        bound = _joined(self.token.text, chosen(paths, self.claims, self.disclosures, self.places))
        claims = {"iat": now, "aud": audience, "nonce": nonce, "sd_hash": self.digest(bound)}
        presentation = bound + JWS.sign(claims, BINDING_TYPE, signer)
        if len(presentation) > MAX_PRESENTATION:
            raise CredentialSize()
        return presentation


def _parts(text: str) -> tuple[str, list[str], str]:
    """Credential, disclosures and key binding."""
    token, *disclosures = text.split("~")
    if not disclosures:
        raise TokenMalformed("no ~")
    binding = disclosures.pop()
    if len(disclosures) > MAX_DISCLOSURES:
        raise TooManyDisclosures()
    return token, disclosures, binding


def _joined(token: str, disclosures: Sequence[Disclosure]) -> str:
    return token + "~" + "".join(disclosure.text + "~" for disclosure in disclosures)


def _text(claims: Claims, name: str) -> str | None:
    if name not in claims:
        return None
    if not isinstance(value := claims[name], str) or not value:
        raise InvalidClaim(name)
    return value


def _check_issuer(token: JWS, issuer_keys: IssuerKeys) -> None:
    """Step 2 of §10.6."""
    issuer = _text(token.claims, "iss")
    if issuer is None:
        raise MissingClaim("iss")
    key = issuer_keys(issuer, token.header.get("kid"))
    if key is None:
        raise UnknownIssuerKey()
    token.verify(key)


# ---- verifying ----


def verify(
    presentation: str,
    audience: str,
    nonce: str,
    issuer_keys: IssuerKeys,
    now: int,
    skew: int = SKEW,
    maximum_age: int = MAX_AGE,
) -> Shown:
    """What a presentation shows, in the steps of §10.6. Raises a `ClaimError`."""
    if len(presentation.encode()) > MAX_PRESENTATION:
        raise CredentialSize()
    text, disclosures, proof = _parts(presentation)
    if not proof:
        raise MissingKeyBinding()
    token = JWS.read(text, TYPE, MAX_CREDENTIAL)
    _check_issuer(token, issuer_keys)
    credential = Credential(token, disclosures)
    shown = credential.shown()
    shown.times.check(now, skew)
    credential.check_audience(audience)

    with in_binding():
        binding = JWS.read(proof, BINDING_TYPE, MAX_PRESENTATION)
        binding.verify(shown.holder_key)
    claims = binding.claims
    times = Times.read(claims, "iat", "nbf", "exp")
    if times.issued_at is None:
        raise MissingClaim("iat")
    times.check(now, skew)
    times.check_age(now, skew, maximum_age)
    bound = credential.digest(presentation[: -len(proof)])
    for name, expected, refusal in (
        ("aud", audience, WrongAudience),
        ("nonce", nonce, WrongNonce),
        ("sd_hash", bound, WrongBinding),
    ):
        if name not in claims:
            raise MissingClaim(name)
        if not isinstance(claims[name], str):
            raise InvalidClaim(name)
        if claims[name] != expected:
            raise refusal()
    return shown


# ---- issuing ----


@dataclass(frozen=True)
class Content:
    """What an issuer says."""

    issuer: str
    type: str
    claims: Claims
    times: Times
    subject: str | None = None
    status: Status | None = None
    redacting: tuple[Path, ...] = ()
    decoys: int = 0

    def payload(self, holder: VerificationKey) -> Claims:
        named: Claims = {"sub": self.subject, "exp": self.times.expires, "nbf": self.times.not_before}
        named |= {"iat": self.times.issued_at, "status": None if self.status is None else self.status.value}
        found: Claims = {"iss": self.issuer, "vct": self.type, "cnf": {"jwk": holder.jwk}}
        return found | {name: value for name, value in named.items() if value is not None} | self.claims


def issue(content: Content, holder: VerificationKey, signer: Signer, key_id: str | None = None) -> Credential:
    """A credential with all its disclosures. Raises a `ClaimError`."""
    payload = content.payload(holder)
    for path in content.redacting:
        if not leads_to(path, payload):
            raise UnknownClaim(str(path))
    made: list[str] = []
    redacted = _redact(payload, (), content.redacting, made)
    decoys = [_digest(base64url(os.urandom(32))) for _ in range(content.decoys)]
    if decoys:
        redacted[DIGESTS] = sorted([*redacted.get(DIGESTS, []), *decoys])
    text = JWS.sign(redacted, TYPE, signer, key_id)
    return Credential.read(text + "~" + "".join(disclosure + "~" for disclosure in made))


def _digest(text: str) -> str:
    return base64url(hashlib.sha256(text.encode()).digest())


def _redact(value: Any, place: Path, paths: Sequence[Path], made: list[str]) -> Any:
    """A value without what is redacted of it: what stands within another before that."""

    def is_redacted(at: Path) -> bool:
        return any(len(at) == len(path) and is_on_way(at, path) for path in paths)

    def redact(item: Any, at: Path, *name: str) -> str:
        """The digest that stands for an item."""
        parts = [base64url(os.urandom(SALT)), *name, _redact(item, at, paths, made)]
        made.append(base64url(strict_json.encode(parts).encode()))
        return _digest(made[-1])

    if isinstance(value, dict):
        found: Claims = {}
        digests: list[str] = []
        for name, item in value.items():
            at = (*place, name)
            if is_redacted(at):
                digests.append(redact(item, at, name))
            else:
                found[name] = _redact(item, at, paths, made)
        return found | ({DIGESTS: sorted(digests)} if digests else {})
    if isinstance(value, list):
        return [
            {ELEMENT: redact(item, (*place, number))}
            if is_redacted((*place, number))
            else _redact(item, (*place, number), paths, made)
            for number, item in enumerate(value)
        ]
    return value
