"""Status lists and their tokens (Spec/10 §10.8)."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .credential import ALGORITHMS, VerificationKey, is_status_uri
from .encoding import cbor, strict_json
from .encoding.text import base64url, from_base64url
from .errors import (
    CBORError,
    ClaimError,
    CompressedTooLarge,
    CompressionDamaged,
    CompressionTrailing,
    CompressionTruncated,
    IndexOutOfRange,
    InflatedTooLarge,
    InvalidClaim,
    IssuedInFuture,
    JSONError,
    MissingClaim,
    Stale,
    StatusTooLarge,
    TextError,
    TokenCBOR,
    TokenExpired,
    TokenHeader,
    TokenHeaderMissing,
    TokenJSON,
    TokenMalformed,
    TokenRefused,
    TokenSignature,
    TokenText,
    TokenType,
    TooOld,
    UnknownIssuerKey,
    UnsupportedAlgorithm,
    WrongBits,
    WrongCount,
    WrongSubject,
    WrongTimes,
    WrongURI,
)
from .suite import signing

MAX_ENTRIES = 1 << 24
MAX_STREAM = 4 << 20
MAX_TOKEN = 8 << 20
CWT = "application/statuslist+cwt"
JWT = "statuslist+jwt"


# ---- lists ----


class StatusList:
    """Entries of 1, 2, 4 or 8 bits, from the least significant bit of the first byte."""

    def __init__(self, data: bytes | bytearray, bits: int) -> None:
        check_bits(bits)
        self.data = bytearray(data)
        self.bits = bits
        if not 0 < len(self.data) <= MAX_ENTRIES * bits // 8:
            raise WrongCount(str(len(self)))

    @classmethod
    def empty(cls, count: int, bits: int) -> StatusList:
        check_bits(bits)
        if not 0 < count <= MAX_ENTRIES:
            raise WrongCount(str(count))
        return cls(bytes((count * bits + 7) // 8), bits)

    @classmethod
    def inflate(cls, stream: bytes, bits: int) -> StatusList:
        """The list of a zlib stream, of which no more is inflated than a list may have."""
        check_bits(bits)
        if len(stream) > MAX_STREAM:
            raise CompressedTooLarge()
        maximum = MAX_ENTRIES * bits // 8
        inflater = zlib.decompressobj()
        try:
            data = inflater.decompress(stream, maximum + 1)
        except zlib.error as error:
            raise CompressionDamaged() from error
        if len(data) > maximum:
            raise InflatedTooLarge()
        if not inflater.eof:
            raise CompressionTruncated()
        if inflater.unused_data:
            raise CompressionTrailing()
        return cls(data, bits)

    def __len__(self) -> int:
        return len(self.data) * 8 // self.bits

    def __getitem__(self, index: int) -> int:
        at, shift = self._place(index)
        return self.data[at] >> shift & (1 << self.bits) - 1

    def __setitem__(self, index: int, status: int) -> None:
        at, shift = self._place(index)
        if status >= 1 << self.bits:
            raise StatusTooLarge(str(status))
        self.data[at] = self.data[at] & ~((1 << self.bits) - 1 << shift) | status << shift

    def _place(self, index: int) -> tuple[int, int]:
        if not 0 <= index < len(self):
            raise IndexOutOfRange(str(index))
        return divmod(index * self.bits, 8)

    @property
    def stream(self) -> bytes:
        return zlib.compress(bytes(self.data), 9)


def check_bits(bits: int) -> None:
    if bits not in (1, 2, 4, 8):
        raise WrongBits(str(bits))


# ---- tokens ----


@dataclass(frozen=True)
class Token:
    """A list as its issuer publishes it; times in seconds since 1970, the time to live in seconds."""

    uri: str
    issued_at: int
    expires: int | None
    time_to_live: int | None
    statuses: StatusList

    def __post_init__(self) -> None:
        if not is_status_uri(self.uri):
            raise WrongURI()
        if self.time_to_live == 0 or (self.expires is not None and self.expires <= self.issued_at):
            raise WrongTimes()

    def cwt(self, key: signing.SigningKey, key_id: str | None = None) -> bytes:
        header: dict[int, cbor.Value] = {1: -8, 16: CWT}
        if key_id is not None:
            header[4] = key_id.encode()
        claims: dict[int, cbor.Value] = {
            2: self.uri,
            6: self.issued_at,
            65_533: {"lst": self.statuses.stream, "bits": self.statuses.bits},
        }
        if self.expires is not None:
            claims[4] = self.expires
        if self.time_to_live is not None:
            claims[65_534] = self.time_to_live
        protected, payload = cbor.encode(header), cbor.encode(claims)
        signature = key.sign(cbor.encode(["Signature1", protected, b"", payload]))
        return cbor.encode(cbor.Tag(18, [protected, {}, payload, signature]))

    def jwt(self, key: signing.SigningKey, key_id: str | None = None) -> bytes:
        header = {"alg": "EdDSA", "typ": JWT} | ({} if key_id is None else {"kid": key_id})
        claims: dict[str, Any] = {
            "sub": self.uri,
            "iat": self.issued_at,
            "status_list": {"bits": self.statuses.bits, "lst": base64url(self.statuses.stream)},
        }
        if self.expires is not None:
            claims["exp"] = self.expires
        if self.time_to_live is not None:
            claims["ttl"] = self.time_to_live
        parts = (json.dumps(part, separators=(",", ":")).encode() for part in (header, claims))
        signed = ".".join(base64url(part) for part in parts)
        return f"{signed}.{base64url(key.sign(signed.encode()))}".encode()


Keys = list[tuple[str, bytes]]
"""Algorithms with public keys: 32 bytes of Ed25519, x and y of a curve."""


def verify(token: bytes, uri: str, keys: Keys) -> Token:
    """The token of a list that one of the keys has signed. Raises a `StatusListError`."""
    try:
        claims = _cwt(token, keys) if token[:1] == b"\xd2" else _jwt(token, keys)
    except ClaimError as error:
        raise TokenRefused() from error
    subject, issued_at, expires, time_to_live, bits, stream = claims
    if subject != uri:
        raise WrongSubject()
    return Token(uri, issued_at, expires, time_to_live, StatusList.inflate(stream, bits))


def _cwt(token: bytes, keys: Keys) -> tuple[Any, ...]:
    def decode(data: bytes) -> Any:
        try:
            return cbor.decode(data, MAX_TOKEN, unsorted=True)
        except CBORError as error:
            raise TokenCBOR() from error

    whole = decode(token)
    match whole:
        case cbor.Tag(18, [bytes(protected), dict() | cbor.Pairs(), bytes(payload), bytes(signature)]):
            pass
        case _:
            raise TokenMalformed()
    header = _map(decode(protected)) if protected else {}
    if 1 not in header:
        raise TokenHeaderMissing("alg")
    if type(header[1]) is not int or header[1] not in ALGORITHMS:
        raise UnsupportedAlgorithm(str(header[1]))
    if 2 in header:
        raise TokenHeader("crit")
    if 16 not in header:
        raise TokenHeaderMissing("typ")
    if header[16] != CWT:
        raise TokenType()
    _check_signature(ALGORITHMS[header[1]], cbor.encode(["Signature1", protected, b"", payload]), signature, keys)
    claims = _map(decode(payload))
    return _claims(claims, (2, 6, 4, 65_534, 65_533), bytes)


def _map(value: Any) -> dict[Any, Any]:
    if isinstance(value, cbor.Pairs):
        return {key: item for key, item in value if isinstance(key, (int, str)) and not isinstance(key, bool)}
    if not isinstance(value, dict):
        raise TokenMalformed()
    return value


def _jwt(token: bytes, keys: Keys) -> tuple[Any, ...]:
    if len(token) > MAX_TOKEN or token.count(b".") != 2:
        raise TokenMalformed()

    def decode(part: str) -> bytes:
        try:
            return from_base64url(part)
        except TextError as error:
            raise TokenText() from error

    parts = token.decode("latin-1").split(".")
    header = _json(decode(parts[0]))
    if "crit" in header:
        raise TokenHeader("crit")
    if "alg" not in header:
        raise TokenHeaderMissing("alg")
    if header["alg"] not in ALGORITHMS.values():
        raise UnsupportedAlgorithm(str(header["alg"]))
    if "typ" not in header:
        raise TokenHeaderMissing("typ")
    if header["typ"] != JWT:
        raise TokenType()
    signature, claims = decode(parts[2]), _json(decode(parts[1]))
    _check_signature(header["alg"], token.rpartition(b".")[0], signature, keys)
    found = _claims(claims, ("sub", "iat", "exp", "ttl", "status_list"), str)
    return *found[:5], decode(found[5])


def _json(data: bytes) -> dict[str, Any]:
    try:
        value = strict_json.decode(data, MAX_TOKEN)
    except JSONError as error:
        raise TokenJSON() from error
    if not isinstance(value, dict):
        raise TokenMalformed()
    return value


def _claims(claims: dict[Any, Any], names: tuple[Any, ...], kind: type) -> tuple[Any, ...]:
    """Subject, times, bits and stream, for what they must be."""
    subject, issued_at, expires, time_to_live, list_ = names
    statuses = _claim(claims, list_, lambda value: isinstance(value, dict))
    bits = _claim(statuses, "bits", lambda value: type(value) is int and value >= 0)
    stream = _claim(statuses, "lst", lambda value: isinstance(value, kind))
    found = (
        _claim(claims, subject, lambda value: isinstance(value, str)),
        int(_claim(claims, issued_at, _is_seconds)),
        *(int(_claim(claims, name, _is_seconds)) if name in claims else None for name in (expires, time_to_live)),
    )
    if found[3] == 0:
        raise InvalidClaim("ttl")
    return *found, bits, stream


def _claim(claims: dict[Any, Any], name: Any, fits: Callable[[Any], bool]) -> Any:
    if name not in claims:
        raise MissingClaim(str(name))
    if not fits(claims[name]):
        raise InvalidClaim(str(name))
    return claims[name]


def _is_seconds(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value <= 1 << 53


def _check_signature(algorithm: str, message: bytes, signature: bytes, keys: Keys) -> None:
    candidates = [key for name, key in keys if name == algorithm]
    if not candidates:
        raise UnknownIssuerKey()
    if not any(VerificationKey(algorithm, key).has_signed(message, signature) for key in candidates):
        raise TokenSignature()


# ---- age ----


def check_use(
    token: Token, now: int, fetched_at: int | None = None, maximum_age: int | None = None, skew: int = 60
) -> int | None:
    """The last second at which the token may be used, without the skew; stapled unless it was fetched."""
    if token.expires is not None and now >= token.expires + skew:
        raise TokenRefused() from TokenExpired()
    if now + skew < token.issued_at:
        raise TokenRefused() from IssuedInFuture()
    if maximum_age is not None and now > token.issued_at + maximum_age + skew:
        raise TooOld()
    kept = None
    if token.time_to_live is not None:
        kept = (token.issued_at if fetched_at is None else fetched_at) + token.time_to_live
        if now > kept + skew:
            raise Stale()
    ends = [
        None if token.expires is None else token.expires - 1,
        None if maximum_age is None else token.issued_at + maximum_age,
        kept,
    ]
    return min((end for end in ends if end is not None), default=None)
