"""SD-CWT: issued, held, presented and verified (Spec/10 §10.3, §10.4)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from .credential import (
    ALGORITHMS,
    MAX_AGE,
    MAX_CREDENTIAL,
    MAX_DISCLOSURES,
    MAX_NAME,
    MAX_PRESENTATION,
    NUMBERS,
    SKEW,
    Claims,
    IssuerKeys,
    Path,
    Shown,
    Signer,
    Status,
    Step,
    Times,
    VerificationKey,
    chosen,
    decode_cbor,
    is_on_way,
    leads_to,
)
from .encoding import cbor
from .encoding.cbor import Simple, Tag
from .errors import (
    ClaimExists,
    ContradictoryTimes,
    CredentialAlgorithm,
    CredentialDepth,
    CredentialSize,
    DuplicateDigest,
    ForbiddenClaim,
    InvalidClaim,
    MisplacedDisclosure,
    MissingClaim,
    MissingHolderKey,
    NotRedactable,
    ReservedName,
    TokenHeader,
    TokenHeaderMissing,
    TokenMalformed,
    TokenType,
    TooManyDisclosures,
    UndisclosedDigest,
    UnknownClaim,
    UnknownIssuerKey,
    UnreferencedDisclosure,
    UnsupportedAlgorithm,
    UnsupportedHash,
    WrongAudience,
    WrongCredentialAudience,
    WrongHolderKey,
    WrongNonce,
    in_binding,
)

ISS, SUB, AUD, EXP, NBF, IAT, CTI, CNF, VCT, CNONCE, STATUS = 1, 2, 3, 4, 5, 6, 7, 8, 11, 39, 65_535
_VISIBLE = {ISS, AUD, EXP, NBF, IAT, CTI, CNF, CNONCE, STATUS}
_OWN = {ISS, SUB, EXP, NBF, IAT, CNF, VCT, STATUS}
"""Claims with a place of their own in `Shown`."""
DIGESTS = Simple(59)
ELEMENT = 60
_MARKS = {58, 60, 62}
SALT = 16
TYPE = (293, "application/sd-cwt")
BINDING_TYPE = (294, "application/kb+cwt")
SHA_256 = -16
MAX_DEPTH = 16


def digest_of(disclosure: bytes) -> bytes:
    return hashlib.sha256(cbor.encode(disclosure)).digest()


# ---- reading ----


@dataclass(frozen=True)
class Signed:
    """A COSE_Sign1 with headers that were read; nobody has verified it."""

    header: Claims
    protected: bytes = field(repr=False)
    unprotected: Claims = field(repr=False)
    payload: bytes = field(repr=False)
    signature: bytes = field(repr=False)

    @property
    def algorithm(self) -> str:
        return ALGORITHMS[self.header[1]]

    @property
    def value(self) -> Tag:
        return Tag(18, [self.protected, self.unprotected, self.payload, self.signature])

    @classmethod
    def of(cls, value: cbor.Value, labels: Collection[int], types: Collection[int | str]) -> Signed:
        match value:
            case Tag(18, [bytes(protected), unprotected, bytes(payload), bytes(signature)]):
                header, unprotected = _map(decode_cbor(protected)) if protected else {}, _map(unprotected)
            case _:
                raise TokenMalformed("no COSE_Sign1 with a payload")
        if header.keys() - labels:
            raise TokenHeader(str(header.keys() - labels))
        if 1 not in header:
            raise TokenHeaderMissing("alg")
        if type(header[1]) is not int or header[1] not in ALGORITHMS:
            raise UnsupportedAlgorithm(str(header[1]))
        if 16 not in header:
            raise TokenHeaderMissing("typ")
        if header[16] not in types:
            raise TokenType(str(header[16]))
        return cls(header, protected, unprotected, payload, signature)

    @classmethod
    def sign(cls, header: Claims, unprotected: Claims, payload: Claims, signer: Signer) -> Signed:
        protected, encoded = cbor.encode(header), cbor.encode(payload)
        signature = signer.sign(cbor.encode(["Signature1", protected, b"", encoded]))
        return cls(header, protected, unprotected, encoded, signature)

    def verify(self, key: VerificationKey) -> None:
        """Raises `CredentialAlgorithm` or `TokenSignature`."""
        if key.algorithm != self.algorithm:
            raise CredentialAlgorithm()
        key.verify(cbor.encode(["Signature1", self.protected, b"", self.payload]), self.signature)


def _map(value: cbor.Value) -> Claims:
    """A map by its keys; a key that names nothing here stands as its encoding, which is no name either."""
    if isinstance(value, cbor.Pairs):
        return {key if type(key) in (int, str, Simple) else cbor.encode(key): item for key, item in value}
    if not isinstance(value, dict):
        raise TokenMalformed("no map")
    return value


@dataclass(frozen=True)
class Disclosure:
    """What opens a digest: an entry of a map, an element of an array, or nothing (a decoy)."""

    encoded: bytes = field(repr=False)
    parts: list[cbor.Value] = field(repr=False)

    @property
    def digest(self) -> bytes:
        return digest_of(self.encoded)

    @classmethod
    def of(cls, value: cbor.Value) -> Disclosure:
        if not isinstance(value, bytes):
            raise TokenMalformed("a disclosure")
        parts = decode_cbor(value)
        if not isinstance(parts, list) or not 1 <= len(parts) <= 3:
            raise TokenMalformed("a disclosure")
        if not isinstance(parts[0], bytes) or len(parts[0]) != SALT:
            raise TokenMalformed("a salt")
        return cls(value, parts)


@dataclass(frozen=True)
class Credential:
    """A credential with its disclosures, whose claims were put together; no signature is verified yet."""

    signed: Signed
    disclosures: tuple[Disclosure, ...]

    @classmethod
    def decode(cls, data: bytes) -> Credential:
        """Raises a `ClaimError`."""
        if len(data) > MAX_CREDENTIAL:
            raise CredentialSize()
        return cls.of(decode_cbor(data))

    @classmethod
    def of(cls, value: cbor.Value) -> Credential:
        signed = Signed.of(value, {1, 4, 16, 170}, TYPE)
        if not isinstance(signed.header.get(4, b""), bytes):
            raise TokenHeader("kid")
        if signed.header.get(170, SHA_256) != SHA_256:
            raise UnsupportedHash()
        if signed.unprotected.keys() - {17}:
            raise TokenHeader("unprotected")
        found = signed.unprotected.get(17, [None])
        if not isinstance(found, list) or not found:
            raise TokenMalformed("disclosures")
        if len(found) > MAX_DISCLOSURES:
            raise TooManyDisclosures()
        disclosures = tuple(map(Disclosure.of, found)) if 17 in signed.unprotected else ()
        return cls(signed, disclosures)

    @property
    def payload(self) -> Claims:
        return _map(decode_cbor(self.signed.payload))

    def encode(self) -> bytes:
        return cbor.encode(self.signed.value)

    def with_disclosures(self, chosen: Sequence[Disclosure]) -> Credential:
        unprotected: Claims = {17: [disclosure.encoded for disclosure in chosen]} if chosen else {}
        signed = self.signed
        return Credential(
            Signed(signed.header, signed.protected, unprotected, signed.payload, signed.signature), tuple(chosen)
        )

    def check_issuer(self, issuer_keys: IssuerKeys) -> None:
        """Step 2 of §10.4."""
        issuer = _text(self.payload, ISS)
        if issuer is None:
            raise MissingClaim("iss")
        key = issuer_keys(issuer, self.signed.header.get(4))
        if key is None:
            raise UnknownIssuerKey()
        self.signed.verify(key)

    @property
    def holder_key(self) -> VerificationKey:
        confirmation = self.payload.get(CNF)
        if confirmation is None:
            raise MissingHolderKey()
        if not isinstance(confirmation, dict) or confirmation.keys() != {1}:
            raise InvalidClaim("cnf")
        return VerificationKey.of_cose(confirmation[1])

    def reveal(self) -> Revealed:
        """Step 4 of §10.4."""
        return Revealed(self)

    def hold(self, key: VerificationKey, issuer_keys: IssuerKeys, now: int, skew: int = SKEW) -> Shown:
        """What a holder makes of what its issuer sent. Raises a `ClaimError`."""
        self.check_issuer(issuer_keys)
        if self.holder_key != key:
            raise WrongHolderKey()
        _, shown = self._in_full()
        shown.times.check(now, skew)
        return shown

    def _in_full(self) -> tuple[Revealed, Shown]:
        """What a holder has: every digest is disclosed."""
        revealed = self.reveal()
        if revealed.undisclosed:
            raise UndisclosedDigest()
        return revealed, revealed.shown()

    def present(self, paths: Sequence[Path], audience: str, nonce: bytes, now: int, signer: Signer) -> bytes:
        """A presentation of what the paths lead to. Raises a `ClaimError`."""
        if self.holder_key != signer.key:
            raise WrongHolderKey()
        revealed, _ = self._in_full()
        shown = self.with_disclosures(chosen(paths, revealed.claims, self.disclosures, revealed.places))
        header: Claims = {1: NUMBERS[signer.key.algorithm], 13: shown.signed.value, 16: 294}
        payload: Claims = {AUD: audience, IAT: now, CNONCE: nonce}
        presentation = cbor.encode(Signed.sign(header, {}, payload, signer).value)
        if len(presentation) > MAX_PRESENTATION:
            raise CredentialSize()
        return presentation


class Revealed:
    """The claims of a credential with its disclosures in their places."""

    def __init__(self, credential: Credential) -> None:
        self._disclosures = {one.digest: number for number, one in enumerate(credential.disclosures)}
        if len(self._disclosures) != len(credential.disclosures):
            raise DuplicateDigest()
        self._credential = credential
        self._seen: set[bytes] = set()
        self.places: list[Path | None] = [None] * len(credential.disclosures)
        """Where each disclosure stands; None for a decoy."""
        self._used = [False] * len(credential.disclosures)
        self.undisclosed = 0
        self.undisclosed_at_top = 0
        self.claims: Claims = self._walk_map(credential.payload, (), 1)
        if not all(self._used):
            raise UnreferencedDisclosure(str(self._used.index(False)))

    def _walk(self, value: cbor.Value, place: Path, depth: int) -> cbor.Value:
        if isinstance(value, (dict, cbor.Pairs, list, Tag)) and (depth := depth + 1) > MAX_DEPTH:
            raise CredentialDepth()
        match value:
            case dict() | cbor.Pairs():
                return self._walk_map(_map(value), place, depth)
            case list():
                return self._walk_array(value, place, depth)
            case Tag():
                if value.number in _MARKS:
                    raise ReservedName(f"tag {value.number}")
                return Tag(value.number, self._walk(value.value, place, depth))
            case Simple(59):
                raise ReservedName("simple(59)")
        return value

    def _walk_map(self, value: Claims, place: Path, depth: int) -> Claims:
        found: Claims = {}
        for name, item in value.items():
            if name != DIGESTS:
                found[_name(name)] = self._walk(item, (*place, _step(name)), depth)
        for digest in self._digests(value.get(DIGESTS, [])):
            number = self._take(digest)
            if number is None:
                self.undisclosed_at_top += not place
                continue
            match self._credential.disclosures[number].parts:
                case [_]:
                    continue
                case [_, item, name]:
                    if not place and _name(name) in _VISIBLE:
                        raise NotRedactable(str(name))
                    if _name(name) in found:
                        raise ClaimExists(str(name))
                    self.places[number] = (*place, _step(name))
                    found[name] = self._walk(item, (*place, _step(name)), depth)
                case _:
                    raise MisplacedDisclosure()
        return found

    def _walk_array(self, value: list[cbor.Value], place: Path, depth: int) -> list[cbor.Value]:
        found: list[cbor.Value] = []
        for item in value:
            if not isinstance(item, Tag) or item.number != ELEMENT:
                found.append(self._walk(item, (*place, len(found)), depth))
                continue
            number = self._take(*self._digests([item.value]))
            if number is None:
                continue
            match self._credential.disclosures[number].parts:
                case [_]:
                    continue
                case [_, inner]:
                    self.places[number] = (*place, len(found))
                    found.append(self._walk(inner, (*place, len(found)), depth))
                case _:
                    raise MisplacedDisclosure()
        return found

    @staticmethod
    def _digests(value: cbor.Value) -> list[bytes]:
        if not isinstance(value, list) or not all(isinstance(one, bytes) and len(one) == 32 for one in value):
            raise ReservedName("digests")
        return value

    def _take(self, digest: bytes) -> int | None:
        """The number of the disclosure that a digest stands for."""
        if digest in self._seen:
            raise DuplicateDigest()
        self._seen.add(digest)
        number = self._disclosures.get(digest)
        if number is None:
            self.undisclosed += 1
        else:
            self._used[number] = True
        return number

    def shown(self) -> Shown:
        """Step 5 of §10.4."""
        claims = self.claims
        issuer, subject = _text(claims, ISS), _text(claims, SUB)
        if issuer is None:
            raise MissingClaim("iss")
        if subject is None and not self.undisclosed_at_top:
            raise MissingClaim("sub")
        _text(claims, AUD)
        for name in (CTI, CNONCE):
            if not isinstance(claims.get(name, b""), bytes):
                raise InvalidClaim(str(name))
        type_ = claims.get(VCT)
        if type_ is not None and not isinstance(type_, str):
            if type(type_) is not int or not 0 <= type_ <= 65_535:
                raise InvalidClaim("vct")
            type_ = str(type_)
        elif VCT in claims and type_ is None:
            raise InvalidClaim("vct")
        times = Times.read(claims, IAT, NBF, EXP)
        times.check_order()
        return Shown(
            issuer,
            type_,
            subject,
            {name: item for name, item in claims.items() if name not in _OWN},
            tuple(place for place in self.places if place is not None),
            times,
            self._credential.holder_key,
            Status.of(claims[STATUS]) if STATUS in claims else None,
        )


def _name(name: cbor.Value) -> int | str:
    if type(name) is int and -(2**63) <= name < 2**63:
        return name
    if isinstance(name, str) and 1 <= len(name.encode()) <= MAX_NAME:
        return name
    raise ReservedName(repr(name))


def _step(name: int | str) -> Step:
    return (name,) if isinstance(name, int) else name


def _text(claims: Claims, name: int) -> str | None:
    if name not in claims:
        return None
    if not isinstance(value := claims[name], str):
        raise InvalidClaim(str(name))
    return value


# ---- verifying ----


def verify(
    presentation: bytes,
    audience: str,
    nonce: bytes,
    issuer_keys: IssuerKeys,
    now: int,
    skew: int = SKEW,
    maximum_age: int = MAX_AGE,
) -> Shown:
    """What a presentation shows, in the steps of §10.4. Raises a `ClaimError`."""
    if len(presentation) > MAX_PRESENTATION:
        raise CredentialSize()
    with in_binding():
        binding = Signed.of(decode_cbor(presentation), {1, 13, 16}, BINDING_TYPE)
    if 13 not in binding.header:
        raise TokenHeaderMissing("kcwt")
    if binding.unprotected:
        raise TokenHeader("unprotected")
    if len(cbor.encode(binding.header[13])) > MAX_CREDENTIAL:
        raise CredentialSize()
    credential = Credential.of(binding.header[13])
    credential.check_issuer(issuer_keys)
    holder_key = credential.holder_key
    with in_binding():
        binding.verify(holder_key)
        bound = _map(decode_cbor(binding.payload))
    revealed = credential.reveal()
    shown = revealed.shown()
    if _text(revealed.claims, AUD) not in (None, audience):
        raise WrongCredentialAudience()
    shown.times.check(now, skew)
    _check_binding(bound, shown.times, audience, nonce, now, skew, maximum_age)
    return shown


def _check_binding(
    bound: Claims, credential: Times, audience: str, nonce: bytes, now: int, skew: int, maximum_age: int
) -> None:
    """Step 7 of §10.4."""
    _check_names(bound, 1)
    if {ISS, SUB} & bound.keys():
        raise ForbiddenClaim()
    if (found := _text(bound, AUD)) is None:
        raise MissingClaim("aud")
    if found != audience:
        raise WrongAudience()
    if CNONCE not in bound:
        raise MissingClaim("cnonce")
    if not isinstance(bound[CNONCE], bytes) or not isinstance(bound.get(CTI, b""), bytes):
        raise InvalidClaim("cnonce or cti")
    if bound[CNONCE] != nonce:
        raise WrongNonce()
    if not {IAT, CTI} & bound.keys():
        raise MissingClaim("iat")
    times = Times.read(bound, IAT, NBF, EXP)
    issued = times.issued_at
    if issued is None and (times.expires is not None or times.not_before is not None):
        raise ContradictoryTimes("exp or nbf without iat")
    times.check(now, skew)
    times.check_order()
    begin, end = credential.not_before, credential.expires
    for time, bounds in (
        (times.expires, (None, end)),
        (times.not_before, (begin, None)),
        (issued, (credential.issued_at, None)),
    ):
        least, most = bounds
        if time is not None and ((least is not None and time < least) or (most is not None and time > most)):
            raise ContradictoryTimes("beyond the credential's")
    if any(time is not None and end is not None and time >= end for time in (times.not_before, issued)):
        raise ContradictoryTimes("after the credential's end")
    if issued is not None and begin is not None and issued < begin:
        raise ContradictoryTimes("before the credential's beginning")
    times.check_age(now, skew, maximum_age)


def _check_names(value: cbor.Value, depth: int) -> None:
    """No marks of redaction, and no deeper than 16."""
    if isinstance(value, (dict, cbor.Pairs, list, Tag)) and depth > MAX_DEPTH:
        raise CredentialDepth()
    match value:
        case dict() | cbor.Pairs():
            for name, item in _map(value).items():
                _name(name)
                _check_names(item, depth + 1)
        case list():
            for item in value:
                _check_names(item, depth + 1)
        case Tag():
            if value.number in _MARKS:
                raise ReservedName(f"tag {value.number}")
            _check_names(value.value, depth + 1)
        case Simple(59):
            raise ReservedName("simple(59)")


# ---- issuing ----


@dataclass(frozen=True)
class Content:
    """What an issuer says."""

    issuer: str
    type: str
    subject: str
    claims: Claims
    times: Times
    status: Status | None = None
    redacting: tuple[Path, ...] = ()
    decoys: int = 0

    def payload(self, holder: VerificationKey) -> Claims:
        found: Claims = {ISS: self.issuer, SUB: self.subject, CNF: {1: holder.cose}, VCT: self.type}
        times = {EXP: self.times.expires, NBF: self.times.not_before, IAT: self.times.issued_at}
        found |= {name: time for name, time in times.items() if time is not None}
        if self.status is not None:
            found[STATUS] = self.status.value
        return found | self.claims


def issue(content: Content, holder: VerificationKey, signer: Signer, key_id: bytes | None = None) -> Credential:
    """A credential with all its disclosures. Raises a `ClaimError`."""
    payload = content.payload(holder)
    for path in content.redacting:
        if not leads_to(path, payload):
            raise UnknownClaim(str(path))
    made: list[bytes] = []
    redacted = _redact(payload, (), content.redacting, made)
    decoys = [cbor.encode([os.urandom(SALT)]) for _ in range(content.decoys)]
    if decoys:
        redacted[DIGESTS] = sorted([*redacted.get(DIGESTS, []), *map(digest_of, decoys)])
    disclosures = [*made, *decoys]
    header: Claims = {1: NUMBERS[signer.key.algorithm], 16: 293, 170: SHA_256} | ({} if key_id is None else {4: key_id})
    signed = Signed.sign(header, {17: disclosures} if disclosures else {}, redacted, signer)
    credential = Credential.of(signed.value)
    credential.reveal().shown()
    if len(credential.encode()) > MAX_CREDENTIAL:
        raise CredentialSize()
    return credential


def _redact(value: cbor.Value, place: Path, paths: Sequence[Path], made: list[bytes]) -> Any:
    """A value without what is redacted of it: what stands within another before that."""

    def is_redacted(at: Path) -> bool:
        return any(len(at) == len(path) and is_on_way(at, path) for path in paths)

    def redact(item: cbor.Value, at: Path, *name: cbor.Value) -> bytes:
        """The digest that stands for an item."""
        salt = os.urandom(SALT)
        made.append(cbor.encode([salt, _redact(item, at, paths, made), *name]))
        return digest_of(made[-1])

    match value:
        case dict() | cbor.Pairs():
            found: Claims = {}
            digests: list[bytes] = []
            for name, item in sorted(_map(value).items(), key=lambda entry: cbor.encode(entry[0])):
                at = (*place, _step(name))
                if is_redacted(at):
                    digests.append(redact(item, at, name))
                else:
                    found[name] = _redact(item, at, paths, made)
            return found | ({DIGESTS: sorted(digests)} if digests else {})
        case list():
            items = []
            for number, item in enumerate(value):
                at = (*place, number)
                whole = not is_redacted(at)
                items.append(_redact(item, at, paths, made) if whole else Tag(ELEMENT, redact(item, at)))
            return items
        case Tag():
            return Tag(value.number, _redact(value.value, place, paths, made))
    return value
