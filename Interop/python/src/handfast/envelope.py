"""Envelope, header and body (Spec/04 §4.2, §4.4 to §4.6)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from .errors import Cryptography, InvalidKey, Malformed, NotAuthentic, TooLarge, UnsupportedVersion
from .padding import padme
from .suite import mlkem, stream

VERSION = 1
TAG = 16
HEADER = 45
OVERHEAD = 1 + TAG + HEADER + stream.TAG
PREFIX = 3
MAX_ENVELOPE = 65_614
MAX_CONTENT = 63_261
_CT_FOLLOWS, _CT_USED = 1, 2


class Kind(IntEnum):
    """What a body holds (§4.5)."""

    TURN = 0
    RECORDS = 1
    EPHEMERAL = 2
    WELCOME = 3
    REJOINED = 4
    RETURNED = 5


@dataclass(frozen=True)
class Header:
    """The masked part of an envelope."""

    ct_follows: bool
    ct_used: bool
    previous_length: int
    salt: bytes
    ratchet_key: bytes

    def encode(self) -> bytes:
        flags = _CT_FOLLOWS * self.ct_follows | _CT_USED * self.ct_used
        return bytes([flags]) + self.previous_length.to_bytes(4, "big") + self.salt + self.ratchet_key

    @classmethod
    def decode(cls, data: bytes) -> Header:
        flags = data[0]
        if flags not in (0, _CT_USED, _CT_USED | _CT_FOLLOWS):
            raise NotAuthentic("flags")
        return cls(bool(flags & 1), bool(flags & 2), int.from_bytes(data[1:5], "big"), data[5:13], data[13:45])

    @property
    def nonce(self) -> bytes:
        return bytes(4) + self.salt


@dataclass(frozen=True)
class HeaderBlock:
    """Tag and masks of message `n` of a chain (§4.2)."""

    header_key: bytes = field(repr=False)
    n: int

    @property
    def octets(self) -> bytes:
        return stream.chacha20(self.header_key, bytes(12), 64, self.n)

    @property
    def tag(self) -> bytes:
        return self.octets[:TAG]

    @property
    def ct_mask(self) -> bytes:
        nonce = bytes(4) + (self.n + 1).to_bytes(8, "little")
        return stream.chacha20(self.header_key, nonce, mlkem.CIPHERTEXT)

    def mask_header(self, header: bytes) -> bytes:
        return stream.xor(header, self.octets[TAG : TAG + HEADER])

    def mask_ct(self, ct: bytes) -> bytes:
        return stream.xor(ct, self.ct_mask)


@dataclass(frozen=True)
class Envelope:
    """An envelope cut into its parts; nothing in it is known to be authentic."""

    encoded: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.encoded) > MAX_ENVELOPE:
            raise TooLarge(f"{len(self.encoded)} bytes", "envelope")
        if len(self.encoded) < OVERHEAD + padme(PREFIX):
            raise Malformed("shorter than an empty envelope", "envelope")
        if self.encoded[:1] != bytes([VERSION]):
            raise UnsupportedVersion(self.encoded[:1].hex(), "envelope")

    @property
    def tag(self) -> bytes:
        return self.encoded[1 : 1 + TAG]

    def header(self, masks: HeaderBlock) -> Header:
        return Header.decode(masks.mask_header(self.encoded[1 + TAG : 1 + TAG + HEADER]))

    def ct(self, masks: HeaderBlock) -> bytes:
        start = 1 + TAG + HEADER
        if len(self.encoded) < OVERHEAD + PREFIX + mlkem.CIPHERTEXT:
            raise NotAuthentic("too short for its ciphertext", "envelope")
        return masks.mask_ct(self.encoded[start : start + mlkem.CIPHERTEXT])

    def open(self, message_key: bytes, header: Header) -> bytes:
        """The padded body. Raises `NotAuthentic`."""
        start = 1 + TAG + HEADER + (mlkem.CIPHERTEXT if header.ct_follows else 0)
        return stream.open_sealed(message_key, header.nonce, self.encoded[start:], self.encoded[:start])


def seal(
    tag: bytes,
    masks: HeaderBlock,
    header: Header,
    ct: bytes,
    message_key: bytes,
    kind: Kind,
    content: bytes,
    offer: bytes,
) -> bytes:
    """An envelope; `ct` and `offer` are empty where it carries none."""
    if len(content) > MAX_CONTENT:
        raise TooLarge(f"{len(content)} bytes of content", "envelope")
    body = bytes([kind | (0x80 if offer else 0)]) + len(content).to_bytes(2, "big") + offer + content
    body += bytes(padme(len(body) + len(ct)) - len(ct) - len(body))
    head = bytes([VERSION]) + tag + masks.mask_header(header.encode()) + (masks.mask_ct(ct) if ct else b"")
    return head + stream.seal(message_key, header.nonce, body, head)


@dataclass(frozen=True)
class Body:
    """What an envelope said."""

    kind: Kind
    content: bytes = field(repr=False)
    offer: bytes | None = field(default=None, repr=False)

    @classmethod
    def decode(cls, data: bytes) -> Body:
        if len(data) < PREFIX:
            raise Malformed("body")
        number, length, rest = data[0] & 0x7F, int.from_bytes(data[1:3], "big"), data[3:]
        if number not in tuple(Kind):
            raise Malformed(f"kind {number}")
        offer = None
        if data[0] & 0x80:
            if len(rest) < mlkem.PUBLIC_KEY:
                raise Malformed("too short for its ML-KEM key")
            offer, rest = rest[: mlkem.PUBLIC_KEY], rest[mlkem.PUBLIC_KEY :]
            try:
                mlkem.check_public_key(offer)
            except InvalidKey as error:
                raise Cryptography("ML-KEM key") from error
        if length > min(len(rest), MAX_CONTENT) or (number == Kind.TURN and length):
            raise Malformed("content length")
        if any(rest[length:]):
            raise Malformed("padding")
        return cls(Kind(number), rest[:length], offer)
