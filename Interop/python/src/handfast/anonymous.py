"""Anonymous claims (Spec/11, experimental): issue blindly, show some attributes and a pseudonym, verify."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .encoding import cbor
from .errors import (
    AnonymousEncoding,
    Blocklisted,
    CBORError,
    ConfirmationNotProven,
    EpochAhead,
    EpochNotShown,
    Expired,
    IdentityPoint,
    InvalidSchema,
    InvalidValue,
    IssuanceNotProven,
    NotIssued,
    OutOfRange,
    PresentationNotProven,
    RequestNotProven,
    SizeExceeded,
    UnknownAttribute,
    WrongIndices,
    WrongIssuer,
    WrongType,
    WrongValueCount,
)
from .suite import ristretto
from .suite.ristretto import Point, encode_scalar

Value = int | str | bytes
Item = bytes | int | str | Point

EPOCH, FIRST = 2, 3
MAX_ATTRIBUTES = 31
MAX_VALUE = 256
MAX_INT = 2**63 - 1
SCHEMA, PARAMETERS, REQUEST, LARGE, QUESTION = 4_096, 4_160, 256, 12_288, 80


# ---- §11.2 ----


def items(*parts: Item) -> bytes:
    out = b""
    for part in parts:
        match part:
            case int():
                data = part.to_bytes(8, "little")
            case str():
                data = part.encode()
            case Point():
                data = part.encode()
            case _:
                data = part
        out += len(data).to_bytes(8, "little") + data
    return out


def _uniform(label: str, parts: tuple[Item, ...]) -> bytes:
    return ristretto.expand(items(*parts), b"HANDFAST-V1-ANON-" + label.encode(), 64)


def to_point(label: str, *parts: Item) -> Point:
    return ristretto.derive(_uniform(label, parts))


def to_scalar(label: str, *parts: Item) -> int:
    return ristretto.reduce(_uniform(label, parts))


def draw() -> int:
    """A uniform scalar other than 0."""
    while True:
        if scalar := ristretto.reduce(os.urandom(64)):
            return scalar


def read_point(data: bytes, name: str) -> Point:
    """Raises `NonCanonicalPoint` or `IdentityPoint`."""
    point = ristretto.decode(data, name)
    if point.is_identity:
        raise IdentityPoint(name)
    return point


def read_scalars(data: bytes) -> list[int]:
    return [ristretto.decode_scalar(data[start : start + 32]) for start in range(0, len(data), 32)]


@contextmanager
def _reading(structure: str) -> Iterator[None]:
    try:
        yield
    except CBORError as error:
        raise AnonymousEncoding(error.detail, structure) from error


# ---- §11.3 ----


def read_value(value: cbor.Value) -> Value:
    if type(value) is int:
        if not -MAX_INT - 1 <= value <= MAX_INT:
            raise OutOfRange(str(value))
        return value
    if isinstance(value, bytes):
        return cbor.byte_string(value, most=MAX_VALUE)
    if isinstance(value, str):
        return cbor.text(value, most=MAX_VALUE)
    raise WrongType("value")


def scalar_of(value: Value) -> int:
    return to_scalar("VALUE", cbor.encode(value))


def _visible(text: str, most: int) -> bool:
    return 0 < len(text) <= most and all("\x21" <= letter <= "\x7e" for letter in text)


@dataclass(frozen=True)
class Schema:
    type: str
    epoch_length: int
    attributes: tuple[str, ...]

    def __post_init__(self) -> None:
        names = self.attributes
        if not (_visible(self.type, 128) and 3_600 <= self.epoch_length <= 315_360_000):
            raise InvalidSchema("type or length of an epoch")
        if not (0 < len(names) <= MAX_ATTRIBUTES and len(set(names)) == len(names)):
            raise InvalidSchema("attributes")
        if not all(_visible(name, 64) for name in names):
            raise InvalidSchema("name of an attribute")

    @property
    def n(self) -> int:
        return len(self.attributes) + 1

    def encode(self) -> bytes:
        return cbor.encode({1: self.type, 2: self.epoch_length, 3: list(self.attributes)})

    @classmethod
    def decode(cls, data: bytes) -> Schema:
        with _reading("schema"):
            found = cbor.fields(cbor.decode(data, SCHEMA), {1, 2, 3})
            names = tuple(cbor.text(name, most=64) for name in cbor.array(found[3], MAX_ATTRIBUTES))
            return cls(cbor.text(found[1], most=128), cbor.uint(found[2]), names)

    def index(self, name: str) -> int:
        if name not in self.attributes:
            raise UnknownAttribute(name)
        return FIRST + self.attributes.index(name)

    def check_epoch(self, epoch: int, now: int) -> None:
        current = now // self.epoch_length
        if epoch < current:
            raise Expired(f"{epoch}, and it is {current}")
        if epoch > current + 1:
            raise EpochAhead(f"{epoch}, and it is {current}")


# ---- §11.4 ----


@dataclass(frozen=True)
class Parameters:
    issuer: Point
    schema: Schema

    def __post_init__(self) -> None:
        if self.issuer.is_identity:
            raise IdentityPoint("issuer's key")

    @property
    def _seed(self) -> tuple[Item, ...]:
        return self.issuer, self.schema.encode(), self.schema.n

    @cached_property
    def p1(self) -> Point:
        return to_point("GENERATOR", "P1")

    @cached_property
    def q(self) -> Point:
        return to_point("GENERATOR", *self._seed, "Q")

    @cached_property
    def h(self) -> list[Point]:
        return [to_point("GENERATOR", *self._seed, "H", index) for index in range(self.schema.n + 2)]

    @cached_property
    def domain(self) -> int:
        return to_scalar("DOMAIN", *self._seed, self.q, *self.h)

    @cached_property
    def base(self) -> Point:
        return self.p1 + self.domain * self.q

    def encode(self) -> bytes:
        return cbor.encode({1: self.issuer.encode(), 2: self.schema.encode()})

    @classmethod
    def decode(cls, data: bytes) -> Parameters:
        with _reading("parameters"):
            found = cbor.fields(cbor.decode(data, PARAMETERS), {1, 2})
            issuer = read_point(cbor.byte_string(found[1], 32), "issuer's key")
            return cls(issuer, Schema.decode(cbor.byte_string(found[2], most=SCHEMA)))

    def messages(self, epoch: int, values: Sequence[Value]) -> dict[int, Value]:
        """The values of a credential from number 2 on."""
        if len(values) != len(self.schema.attributes):
            raise WrongValueCount(f"{len(values)}, not {len(self.schema.attributes)}")
        for value in values:
            if not isinstance(value, int) and len(value if isinstance(value, bytes) else value.encode()) > MAX_VALUE:
                raise InvalidValue("too long")
        return dict(enumerate((epoch, *values), EPOCH))

    def total(self, commitment: Point, messages: dict[int, Value]) -> Point:
        """B."""
        return sum((scalar_of(value) * self.h[i] for i, value in messages.items()), self.base + commitment)


# ---- §11.5 ----


def holder_secret(master: bytes) -> int:
    assert len(master) >= 32
    derived = HKDF(SHA256(), 64, salt=None, info=b"HANDFAST-V1-ANON-HOLDER").derive(master)
    return ristretto.reduce(derived)


@dataclass(frozen=True)
class Scope:
    name: str
    identity: bytes

    @cached_property
    def point(self) -> Point:
        return to_point("PSEUDONYM", self.name, self.identity)


# ---- §11.6 ----


@dataclass(frozen=True)
class Request:
    commitment: Point
    challenge: int
    blinding_response: int
    secret_response: int

    def encode(self) -> bytes:
        scalars = self.challenge, self.blinding_response, self.secret_response
        return cbor.encode({1: self.commitment.encode(), 2: b"".join(map(encode_scalar, scalars))})

    @classmethod
    def decode(cls, data: bytes) -> Request:
        with _reading("request"):
            found = cbor.fields(cbor.decode(data, REQUEST), {1, 2})
            commitment = read_point(cbor.byte_string(found[1], 32), "commitment")
            return cls(commitment, *read_scalars(cbor.byte_string(found[2], 96)))

    def mask(self, parameters: Parameters) -> Point:
        h = parameters.h
        return self.blinding_response * h[0] + self.secret_response * h[1] - self.challenge * self.commitment

    def verify(self, nonce: bytes, parameters: Parameters) -> None:
        if _request_challenge(parameters, self.commitment, self.mask(parameters), nonce) != self.challenge:
            raise RequestNotProven()


def _request_challenge(parameters: Parameters, commitment: Point, mask: Point, nonce: bytes) -> int:
    return to_scalar("REQUEST", encode_scalar(parameters.domain), commitment, mask, nonce)


def request(nonce: bytes, secret: int, parameters: Parameters) -> tuple[Request, int]:
    """A request, and the blinding factor to keep. Draws r, r̃, s̃."""
    blinding, blinding_mask, secret_mask = draw(), draw(), draw()
    h = parameters.h
    commitment = blinding * h[0] + secret * h[1]
    c = _request_challenge(parameters, commitment, blinding_mask * h[0] + secret_mask * h[1], nonce)
    responses = (blinding_mask + c * blinding) % ristretto.ORDER, (secret_mask + c * secret) % ristretto.ORDER
    return Request(commitment, c, *responses), blinding


@dataclass(frozen=True)
class Issuance:
    signature: Point
    exponent: int
    challenge: int
    response: int
    epoch: int
    values: tuple[Value, ...]

    def encode(self) -> bytes:
        scalars = b"".join(map(encode_scalar, (self.exponent, self.challenge, self.response)))
        return cbor.encode({1: self.signature.encode(), 2: scalars, 3: self.epoch, 4: list(self.values)})

    @classmethod
    def decode(cls, data: bytes) -> Issuance:
        with _reading("issuance"):
            found = cbor.fields(cbor.decode(data, LARGE), {1, 2, 3, 4})
            signature = read_point(cbor.byte_string(found[1], 32), "signature")
            scalars = cbor.byte_string(found[2], 96)
            epoch = cbor.uint(found[3], most=MAX_INT)
            values = tuple(read_value(value) for value in cbor.array(found[4], MAX_ATTRIBUTES))
            exponent, challenge, response = read_scalars(scalars)
            return cls(signature, exponent, challenge, response, epoch, values)

    def masks(self, issuer: Point, total: Point) -> tuple[Point, Point]:
        """T_G and T_A."""
        g = ristretto.generator()
        key = issuer + self.exponent * g
        return (
            self.response * g - self.challenge * key,
            self.response * self.signature - self.challenge * total,
        )


def _issuance_challenge(
    parameters: Parameters, exponent: int, signature: Point, total: Point, masks: tuple[Point, Point]
) -> int:
    domain = encode_scalar(parameters.domain)
    return to_scalar("ISSUANCE", domain, encode_scalar(exponent), signature, total, *masks)


@dataclass(frozen=True)
class IssuerKey:
    x: int = field(repr=False)

    @cached_property
    def public(self) -> Point:
        return self.x * ristretto.generator()

    def issue(
        self, asked: Request, nonce: bytes, epoch: int, values: Sequence[Value], parameters: Parameters
    ) -> Issuance:
        """Draws e, k."""
        if parameters.issuer != self.public:
            raise WrongIssuer()
        messages = parameters.messages(epoch, values)
        asked.verify(nonce, parameters)
        total = parameters.total(asked.commitment, messages)
        exponent = draw()
        while not (key := (self.x + exponent) % ristretto.ORDER):
            exponent = draw()
        signature = ristretto.inverse(key) * total
        k = draw()
        c = _issuance_challenge(parameters, exponent, signature, total, (k * ristretto.generator(), k * signature))
        return Issuance(signature, exponent, c, (k + c * key) % ristretto.ORDER, epoch, tuple(values))

    def confirm(self, question: Question) -> Confirmation:
        """Draws k (§11.8)."""
        if self.x * question.signature != question.product:
            raise NotIssued()
        k = draw()
        masks = k * ristretto.generator(), k * question.signature
        c = to_scalar("CONFIRMATION", self.public, question.signature, question.product, *masks)
        return Confirmation(c, (k + c * self.x) % ristretto.ORDER)


@dataclass(frozen=True)
class Credential:
    signature: Point
    exponent: int
    total: Point
    blinding: int
    epoch: int
    values: tuple[Value, ...]


def finish(asked: Request, blinding: int, issued: Issuance, parameters: Parameters, now: int) -> Credential:
    parameters.schema.check_epoch(issued.epoch, now)
    total = parameters.total(asked.commitment, parameters.messages(issued.epoch, issued.values))
    masks = issued.masks(parameters.issuer, total)
    if _issuance_challenge(parameters, issued.exponent, issued.signature, total, masks) != issued.challenge:
        raise IssuanceNotProven()
    return Credential(issued.signature, issued.exponent, total, blinding, issued.epoch, issued.values)


# ---- §11.7 ----


@dataclass(frozen=True)
class Binding:
    nonce: bytes
    verifier: bytes
    relationship: bytes


@dataclass(frozen=True)
class Presentation:
    points: tuple[Point, Point, Point, Point]
    """Ā, B̄, D, N."""
    challenge: int
    responses: tuple[int, int, int]
    """ê, r̂₁, r̂₃."""
    hidden: tuple[int, ...]
    shown: dict[int, Value]

    def encode(self) -> bytes:
        scalars = self.challenge, *self.responses, *self.hidden
        points = b"".join(point.encode() for point in self.points)
        return cbor.encode({1: points, 2: b"".join(map(encode_scalar, scalars)), 3: self.shown})

    @classmethod
    def decode(cls, data: bytes) -> Presentation:
        with _reading("presentation"):
            found = cbor.fields(cbor.decode(data, LARGE), {1, 2, 3})
            encoded = cbor.byte_string(found[1], 128)
            named = zip(range(0, 128, 32), ("Ā", "B̄", "D", "N"), strict=True)
            points = tuple(read_point(encoded[start : start + 32], name) for start, name in named)
            run = cbor.byte_string(found[2], most=32 * (4 + MAX_ATTRIBUTES + 2))
            if len(run) % 32 or len(run) < 128:
                raise WrongIndices()
            scalars = read_scalars(run)
            if not isinstance(found[3], dict) or any(type(key) is not int for key in found[3]):
                raise WrongType("shown values")
            if len(found[3]) > MAX_ATTRIBUTES + 1:
                raise SizeExceeded("shown values")
            shown = {index: read_value(value) for index, value in found[3].items()}
        return cls(points, scalars[0], (scalars[1], scalars[2], scalars[3]), tuple(scalars[4:]), shown)  # type: ignore[arg-type]

    def commitments(self, parameters: Parameters, scope: Scope) -> tuple[Point, Point, Point]:
        """T₁, T₂, T₃."""
        signature, product, randomised, pseudonym = self.points
        c, (e, r1, r3) = self.challenge, self.responses
        known = sum((scalar_of(value) * parameters.h[i] for i, value in self.shown.items()), parameters.base)
        hidden = (index for index in range(len(parameters.h)) if index not in self.shown)
        masked = (m * parameters.h[j] for j, m in zip(hidden, self.hidden, strict=True))
        return (
            c * product + e * signature + r1 * randomised,
            sum(masked, c * known + r3 * randomised),
            self.hidden[1] * scope.point - c * pseudonym,
        )

    def check(
        self,
        parameters: Parameters,
        scope: Scope,
        binding: Binding,
        now: int,
        blocklist: Collection[Point] = (),
    ) -> dict[str, Value]:
        """All checks but the last (§11.7): the attributes that are shown, by name."""
        numbers = range(EPOCH, len(parameters.h))
        if any(i not in numbers for i in self.shown) or len(self.shown) + len(self.hidden) != len(parameters.h):
            raise WrongIndices()
        epoch = self.shown.get(EPOCH)
        if not isinstance(epoch, int) or epoch < 0:
            raise EpochNotShown()
        parameters.schema.check_epoch(epoch, now)
        commitments = self.commitments(parameters, scope)
        found = _presentation_challenge(parameters, self.points, commitments, scope, binding, self.shown)
        if found != self.challenge:
            raise PresentationNotProven()
        if self.points[3] in blocklist:
            raise Blocklisted()
        return {parameters.schema.attributes[i - FIRST]: value for i, value in self.shown.items() if i >= FIRST}

    def verify(
        self,
        key: IssuerKey,
        parameters: Parameters,
        scope: Scope,
        binding: Binding,
        now: int,
        blocklist: Collection[Point] = (),
    ) -> dict[str, Value]:
        if key.public != parameters.issuer:
            raise WrongIssuer()
        found = self.check(parameters, scope, binding, now, blocklist)
        if key.x * self.points[0] != self.points[1]:
            raise NotIssued()
        return found

    @property
    def question(self) -> Question:
        return Question(self.points[0], self.points[1])


def _presentation_challenge(
    parameters: Parameters,
    points: tuple[Point, ...],
    commitments: tuple[Point, ...],
    scope: Scope,
    binding: Binding,
    shown: dict[int, Value],
) -> int:
    bound: list[Item] = [scope.name, scope.identity, binding.nonce, binding.verifier, binding.relationship]
    for index in sorted(shown):
        bound += [index, cbor.encode(shown[index])]
    return to_scalar("PRESENTATION", encode_scalar(parameters.domain), *points, *commitments, *bound)


def present(
    credential: Credential,
    secret: int,
    names: Collection[str],
    parameters: Parameters,
    scope: Scope,
    binding: Binding,
) -> Presentation:
    """Draws r₁, r₂, ẽ, r̃₁, r̃₃ and the m̃_j."""
    messages = parameters.messages(credential.epoch, credential.values)
    show = {EPOCH, *(parameters.schema.index(name) for name in names)}
    shown = {index: messages[index] for index in sorted(show)}
    hidden = {0: credential.blinding, 1: secret} | {
        index: scalar_of(value) for index, value in messages.items() if index not in show
    }
    r1, r2 = draw(), draw()
    d = r2 * credential.total
    a = r1 * r2 * credential.signature
    points = a, r1 * d - credential.exponent * a, d, secret * scope.point
    e_mask, r1_mask, r3_mask = draw(), draw(), draw()
    masks = {index: draw() for index in hidden}
    commitments = (
        e_mask * a + r1_mask * d,
        sum((mask * parameters.h[index] for index, mask in masks.items()), r3_mask * d),
        masks[1] * scope.point,
    )
    c = _presentation_challenge(parameters, points, commitments, scope, binding, shown)
    order = ristretto.ORDER
    responses = (
        (e_mask + c * credential.exponent) % order,
        (r1_mask - c * r1) % order,
        (r3_mask - c * ristretto.inverse(r2)) % order,
    )
    return Presentation(
        points, c, responses, tuple((masks[index] + c * m) % order for index, m in hidden.items()), shown
    )


# ---- §11.8 ----


@dataclass(frozen=True)
class Question:
    signature: Point
    product: Point

    def encode(self) -> bytes:
        return cbor.encode({1: self.signature.encode() + self.product.encode()})

    @classmethod
    def decode(cls, data: bytes) -> Question:
        with _reading("question"):
            found = cbor.byte_string(cbor.fields(cbor.decode(data, QUESTION), {1})[1], 64)
            return cls(read_point(found[:32], "Ā"), read_point(found[32:], "B̄"))


@dataclass(frozen=True)
class Confirmation:
    challenge: int
    response: int

    def encode(self) -> bytes:
        return cbor.encode({1: encode_scalar(self.challenge) + encode_scalar(self.response)})

    @classmethod
    def decode(cls, data: bytes) -> Confirmation:
        with _reading("confirmation"):
            found = cbor.byte_string(cbor.fields(cbor.decode(data, QUESTION), {1})[1], 64)
            return cls(*read_scalars(found))

    def verify(self, question: Question, issuer: Point) -> None:
        c, z = self.challenge, self.response
        masks = z * ristretto.generator() - c * issuer, z * question.signature - c * question.product
        if to_scalar("CONFIRMATION", issuer, question.signature, question.product, *masks) != c:
            raise ConfirmationNotProven()
