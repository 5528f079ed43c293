"""What SD-CWT and SD-JWT VC have in common: keys, paths, times, and what a verifier learns (Spec/10 §10.2 to §10.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from cryptography.exceptions import InvalidSignature as NoSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from .encoding import cbor
from .encoding.text import base64url, from_base64url
from .errors import (
    CBORError,
    ContradictoryTimes,
    CredentialKey,
    HandfastError,
    InvalidClaim,
    InvalidKey,
    IssuedInFuture,
    KeyBindingTooOld,
    NotYetValid,
    PrivateKey,
    TextError,
    TokenCBOR,
    TokenExpired,
    TokenMalformed,
    TokenSignature,
    TokenText,
    UnknownClaim,
    UnsupportedKey,
)
from .suite import signing

MAX_CREDENTIAL = 32_768
MAX_PRESENTATION = 49_152
MAX_DISCLOSURES = 128
MAX_NAME = 255
SKEW = 60
MAX_AGE = 600
ALGORITHMS = {-8: "EdDSA", -7: "ES256", -35: "ES384", -19: "EdDSA", -9: "ES256", -51: "ES384"}
NUMBERS = {"EdDSA": -8, "ES256": -7, "ES384": -35}
_CURVES: dict[str, tuple[ec.EllipticCurve, hashes.HashAlgorithm, int, int, str]] = {
    "ES256": (ec.SECP256R1(), hashes.SHA256(), 32, 1, "P-256"),
    "ES384": (ec.SECP384R1(), hashes.SHA384(), 48, 2, "P-384"),
}

Key = tuple[int]
"""A step of a path to the value under an integer key; others are texts, places of elements, and None for each."""
Step = str | int | Key | None
Path = tuple[Step, ...]
Claims = dict[Any, Any]
Disclosed = TypeVar("Disclosed")


# ---- keys ----


@dataclass(frozen=True)
class VerificationKey:
    """A public key and the one algorithm that it is used with: 32 bytes of Ed25519, x and y of a curve."""

    algorithm: str
    raw: bytes

    def __post_init__(self) -> None:
        try:
            if self.algorithm == "EdDSA":
                if len(self.raw) != 32:
                    raise CredentialKey()
                signing.check_public_key(self.raw)
            else:
                ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[self.algorithm][0], b"\x04" + self.raw)
        except (InvalidKey, ValueError):
            raise CredentialKey() from None

    def has_signed(self, message: bytes, signature: bytes) -> bool:
        if self.algorithm == "EdDSA":
            try:
                signing.verify(self.raw, message, signature)
            except HandfastError:
                return False
            return True
        curve, hash_, size, _, _ = _CURVES[self.algorithm]
        if len(signature) != 2 * size:
            return False
        halves = (int.from_bytes(half, "big") for half in (signature[:size], signature[size:]))
        public = ec.EllipticCurvePublicKey.from_encoded_point(curve, b"\x04" + self.raw)
        try:
            public.verify(encode_dss_signature(*halves), message, ec.ECDSA(hash_))
        except NoSignature:
            return False
        return True

    def verify(self, message: bytes, signature: bytes) -> None:
        """Raises `TokenSignature`."""
        if not self.has_signed(message, signature):
            raise TokenSignature()

    @property
    def cose(self) -> Claims:
        if self.algorithm == "EdDSA":
            return {1: 1, -1: 6, -2: self.raw}
        _, _, size, curve, _ = _CURVES[self.algorithm]
        return {1: 2, -1: curve, -2: self.raw[:size], -3: self.raw[size:]}

    @classmethod
    def of_cose(cls, value: cbor.Value) -> VerificationKey:
        """The key of a COSE_Key. Raises a `ClaimError`."""
        if not isinstance(value, dict):
            raise TokenMalformed("no map with integer keys")
        if -4 in value:
            raise PrivateKey()
        if not {1, -1} <= value.keys():
            raise UnsupportedKey()
        kind, curve = value[1], value[-1]
        if type(kind) is not int or type(curve) is not int:
            raise TokenMalformed("type or curve")
        algorithm = {(1, 6): "EdDSA", (2, 1): "ES256", (2, 2): "ES384"}.get((kind, curve))
        if algorithm is None:
            raise UnsupportedKey()
        names = (-2,) if algorithm == "EdDSA" else (-2, -3)
        parts = [part for name in names if isinstance(part := value.get(name), bytes)]
        if value.keys() != {1, -1, *names} or len(parts) != len(names):
            raise TokenMalformed("entries of a key")
        size = 32 if algorithm == "EdDSA" else _CURVES[algorithm][2]
        if any(len(part) != size for part in parts):
            raise CredentialKey()
        return cls(algorithm, b"".join(parts))

    @property
    def jwk(self) -> dict[str, Any]:
        if self.algorithm == "EdDSA":
            return {"kty": "OKP", "crv": "Ed25519", "x": base64url(self.raw)}
        _, _, size, _, curve = _CURVES[self.algorithm]
        return {"kty": "EC", "crv": curve, "x": base64url(self.raw[:size]), "y": base64url(self.raw[size:])}

    @classmethod
    def of_jwk(cls, value: Any) -> VerificationKey:
        """The key of a JWK. Raises a `ClaimError`."""
        if not isinstance(value, dict):
            raise TokenMalformed("no object")
        if value.keys() & {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}:
            raise PrivateKey()
        kind, curve = value.get("kty"), value.get("crv")
        if not isinstance(kind, str):
            raise TokenMalformed("kty")
        if kind not in ("OKP", "EC"):
            raise UnsupportedKey()
        if not isinstance(curve, str):
            raise TokenMalformed("crv")
        found = {("OKP", "Ed25519"): "EdDSA", ("EC", "P-256"): "ES256", ("EC", "P-384"): "ES384"}.get((kind, curve))
        if found is None or value.get("alg", found) != found or value.get("use", "sig") != "sig":
            raise UnsupportedKey()
        size, names = (32, ("x",)) if found == "EdDSA" else (_CURVES[found][2], ("x", "y"))
        parts = []
        for name in names:
            if not isinstance(text := value.get(name), str):
                raise TokenMalformed(name)
            try:
                parts.append(from_base64url(text))
            except TextError as error:
                raise TokenText() from error
            if len(parts[-1]) != size:
                raise TokenMalformed(f"{len(parts[-1])} bytes")
        return cls(found, b"".join(parts))


class Signer(Protocol):
    """Who signs a credential or a presentation."""

    @property
    def key(self) -> VerificationKey: ...

    def sign(self, message: bytes) -> bytes: ...


class Ed25519Signer:
    def __init__(self, seed: bytes) -> None:
        self._key = signing.SigningKey(seed)
        self.key = VerificationKey("EdDSA", self._key.public)

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


class P256Signer:
    def __init__(self, scalar: bytes) -> None:
        self._key = ec.derive_private_key(int.from_bytes(scalar, "big"), ec.SECP256R1())
        numbers = self._key.public_key().public_numbers()
        self.key = VerificationKey("ES256", numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big"))

    def sign(self, message: bytes) -> bytes:
        halves = decode_dss_signature(self._key.sign(message, ec.ECDSA(hashes.SHA256())))
        return b"".join(half.to_bytes(32, "big") for half in halves)


IssuerKeys = Callable[[str, Any], VerificationKey | None]
"""The key of an issuer by its name and the key id of a header; None where it is not known."""


# ---- what a verifier learns ----


@dataclass(frozen=True)
class Status:
    """Where the status of a credential stands (§10.8)."""

    uri: str
    index: int

    @classmethod
    def of(cls, value: Any) -> Status:
        """Raises `InvalidClaim`."""
        reference = value.get("status_list") if isinstance(value, dict) else None
        if not isinstance(reference, dict):
            raise InvalidClaim("status")
        index, uri = reference.get("idx"), reference.get("uri")
        if type(index) is not int or not 0 <= index < 2**64 or not isinstance(uri, str) or not is_status_uri(uri):
            raise InvalidClaim("status")
        return cls(uri, index)

    @property
    def value(self) -> Claims:
        return {"status_list": {"idx": self.index, "uri": self.uri}}


def is_status_uri(uri: str) -> bool:
    """Whether it is 1 to 1,024 bytes of visible ASCII with a scheme."""
    scheme, colon, _ = uri.partition(":")
    return bool(scheme and colon) and len(uri) <= 1_024 and all("!" <= character <= "~" for character in uri)


@dataclass(frozen=True)
class Times:
    """When something was issued and holds, in seconds since 1970."""

    issued_at: int | float | None
    not_before: int | float | None
    expires: int | float | None

    @classmethod
    def of(cls, issued_at: Any, not_before: Any, expires: Any) -> Times:
        """Raises `InvalidClaim`."""
        for time in (issued_at, not_before, expires):
            if time is not None and (type(time) not in (int, float) or not 0 <= time <= 2**53):
                raise InvalidClaim(f"time {time}")
        return cls(issued_at, not_before, expires)

    @classmethod
    def read(cls, claims: Claims, issued_at: int | str, not_before: int | str, expires: int | str) -> Times:
        """Those that stand in claims under these names. Raises `InvalidClaim`."""
        names = (issued_at, not_before, expires)
        for name in names:
            if name in claims and claims[name] is None:
                raise InvalidClaim(str(name))
        return cls.of(*map(claims.get, names))

    def check_order(self) -> None:
        """Raises `ContradictoryTimes` unless nbf ≤ iat < exp and nbf < exp."""
        begin, issued, end = self.not_before, self.issued_at, self.expires
        if begin is not None and issued is not None and begin > issued:
            raise ContradictoryTimes("nbf after iat")
        if end is not None and any(time is not None and time >= end for time in (begin, issued)):
            raise ContradictoryTimes("exp not after them")

    def check(self, now: int, skew: int = SKEW) -> None:
        """Raises `TokenExpired`, `NotYetValid` or `IssuedInFuture` (§10.4, step 6)."""
        if self.expires is not None and now >= self.expires + skew:
            raise TokenExpired()
        if self.not_before is not None and now + skew < self.not_before:
            raise NotYetValid()
        if self.issued_at is not None and now + skew < self.issued_at:
            raise IssuedInFuture()

    def check_age(self, now: int, skew: int, maximum: int) -> None:
        """Raises `KeyBindingTooOld` for a proof that was made longer ago."""
        if self.issued_at is not None and self.issued_at + maximum + skew < now:
            raise KeyBindingTooOld()


@dataclass(frozen=True)
class Shown:
    """What a credential says, as far as it was disclosed; the same for both formats."""

    issuer: str
    type: str | None
    subject: str | None
    claims: Claims
    """All others."""
    disclosed: tuple[Path, ...]
    """Where what was disclosed stands, in the order of the disclosures."""
    times: Times
    holder_key: VerificationKey
    status: Status | None


def decode_cbor(data: bytes) -> cbor.Value:
    """Raises `TokenCBOR`."""
    try:
        return cbor.decode(data, simple=True)
    except CBORError as error:
        raise TokenCBOR() from error


def leads_to(path: Path, value: Any) -> bool:
    """Whether there is a claim where a path leads; each element of none is there, too."""
    if isinstance(value, cbor.Tag) and path:
        return leads_to(path, value.value)
    if not path:
        return True
    step, rest = path[0], path[1:]
    match step:
        case None:
            return isinstance(value, list) and (not value or any(leads_to(rest, item) for item in value))
        case int():
            return isinstance(value, list) and 0 <= step < len(value) and leads_to(rest, value[step])
        case _:
            name = step[0] if isinstance(step, tuple) else step
            return isinstance(value, dict) and name in value and leads_to(rest, value[name])


def is_on_way(place: Path, path: Path) -> bool:
    """Whether a path goes through a place, or ends there."""
    return len(place) <= len(path) and all(
        wanted == step or (wanted is None and isinstance(step, int)) for step, wanted in zip(place, path, strict=False)
    )


def chosen(
    paths: Sequence[Path], claims: Claims, disclosures: Iterable[Disclosed], places: Iterable[Path | None]
) -> list[Disclosed]:
    """The disclosures that stand on the way of a path. Raises `UnknownClaim` where a path leads to nothing."""
    for path in paths:
        if not leads_to(path, claims):
            raise UnknownClaim(str(path))
    return [
        disclosure
        for disclosure, place in zip(disclosures, places, strict=True)
        if place is not None and any(is_on_way(place, path) for path in paths)
    ]
