"""COSE keys and COSE_Sign1 (Spec/01 §1.3 and §1.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import (
    CBORError,
    InvalidKey,
    MissingHeader,
    MissingKey,
    PayloadMissing,
    PayloadPresent,
    UnknownKey,
    UnprotectedHeader,
    UnsupportedHeader,
    WrongAlgorithm,
    WrongContentType,
    WrongCurve,
    WrongKeyType,
    WrongType,
)
from ..suite import mlkem, signing, xwing
from . import batch, cbor

EDDSA = -8
ML_KEM_768 = -70_001
X_WING = -70_002


# ---- keys ----


def ed25519_key(key: bytes) -> dict[int, cbor.Value]:
    """The COSE_Key map of an Ed25519 key."""
    return {1: 1, -1: 6, -2: key}


def x25519_key(key: bytes) -> dict[int, cbor.Value]:
    return {1: 1, -1: 4, -2: key}


def ml_kem_key(key: bytes) -> dict[int, cbor.Value]:
    return {1: 7, 3: ML_KEM_768, -1: key}


def x_wing_key(key: bytes) -> dict[int, cbor.Value]:
    return {1: 7, 3: X_WING, -1: key}


def _entries(value: cbor.Value, kty: int, keys: tuple[int, ...]) -> dict[int, cbor.Value]:
    if isinstance(value, cbor.Pairs) or not isinstance(value, dict):
        raise WrongType("COSE_Key")
    if 1 not in value:
        raise MissingKey("1")
    if type(value[1]) is not int or value[1] != kty:
        raise WrongKeyType(str(value[1]))
    for key in value:
        if key not in keys:
            raise UnknownKey(str(key))
    for key in keys:
        if key not in value:
            raise MissingKey(str(key))
    return value


def _curve_key(value: cbor.Value, curve: int) -> bytes:
    entries = _entries(value, 1, (1, -1, -2))
    if type(entries[-1]) is not int or entries[-1] != curve:
        raise WrongCurve(str(entries[-1]))
    return _key_bytes(entries[-2], 32)


def _key_bytes(value: cbor.Value, size: int) -> bytes:
    if len(key := cbor.byte_string(value)) != size:
        raise InvalidKey(f"{len(key)} bytes, not {size}")
    return key


def _akp_key(value: cbor.Value, algorithm: int, size: int) -> bytes:
    entries = _entries(value, 7, (1, 3, -1))
    if type(entries[3]) is not int or entries[3] != algorithm:
        raise WrongAlgorithm(str(entries[3]))
    return _key_bytes(entries[-1], size)


def read_ed25519(value: cbor.Value) -> bytes:
    """The 32 bytes of an Ed25519 key, canonical and not of small order."""
    key = _curve_key(value, 6)
    signing.check_public_key(key)
    return key


def read_x25519(value: cbor.Value) -> bytes:
    return _curve_key(value, 4)


def read_ml_kem(value: cbor.Value) -> bytes:
    """The 1,184 bytes of an ML-KEM-768 key, its coefficients below the modulus."""
    key = _akp_key(value, ML_KEM_768, mlkem.PUBLIC_KEY)
    mlkem.check_public_key(key)
    return key


def read_x_wing(value: cbor.Value) -> bytes:
    key = _akp_key(value, X_WING, xwing.PUBLIC_KEY)
    xwing.check_public_key(key)
    return key


# ---- signatures ----


@dataclass(frozen=True)
class Sign1:
    """A COSE_Sign1 as it was read: nothing is verified yet."""

    type: str
    protected: bytes
    payload: bytes | None
    signature: bytes
    proof: batch.Proof | None = None

    def encode(self) -> bytes:
        header = self.proof.header if self.proof is not None else {}
        return cbor.encode(cbor.Tag(18, [self.protected, header, self.payload, self.signature]))

    def verify(self, key: bytes, external: bytes = b"", detached: bytes | None = None) -> None:
        """Raises `InvalidSignature`."""
        payload = self.payload if detached is None else detached
        assert payload is not None
        signing.verify(key, _to_be_signed(self.protected, external, payload), self.signature)

    def verify_batch(self, key: bytes, digest: bytes) -> None:
        """Whether the batch of this content is signed by a key. Raises `InvalidSignature`."""
        assert self.proof is not None
        signing.verify(key, _to_be_signed(batch.HEADER, b"", self.proof.root(digest)), self.signature)

    @property
    def content(self) -> bytes:
        """The payload of one that is not detached."""
        if self.payload is None:
            raise PayloadMissing()
        return self.payload


def protected_header(type_: str) -> bytes:
    return cbor.encode({1: EDDSA, 16: type_})


def _to_be_signed(protected: bytes, external: bytes, payload: bytes) -> bytes:
    return cbor.encode(["Signature1", protected, external, payload])


def sign(key: signing.SigningKey, type_: str, payload: bytes, external: bytes = b"", detached: bool = False) -> bytes:
    """The bytes of a COSE_Sign1; its payload is null where it is detached."""
    protected = protected_header(type_)
    signature = key.sign(_to_be_signed(protected, external, payload))
    return Sign1(type_, protected, None if detached else payload, signature).encode()


def sign_batch(key: signing.SigningKey, type_: str, contents: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
    """COSE_Sign1 of several payloads, each beside the digest that stands for it, under one signature (§1.7)."""
    root, proofs = batch.build([digest for _, digest in contents])
    signature = key.sign(_to_be_signed(batch.HEADER, b"", root))
    return [
        Sign1(type_, protected_header(type_), payload, signature, proof).encode()
        for (payload, _), proof in zip(contents, proofs, strict=True)
    ]


def read_sign1(data: bytes, type_: str | None, detached: bool = False, batched: bool = False) -> Sign1:
    """Reads a COSE_Sign1 and compares its type, unless the caller does so later. Raises a class of §1.6.

    Only where `batched` may it hold the proof of a batch signature.
    """
    try:
        return _read_sign1(data, type_, detached, batched)
    except CBORError as error:
        error.in_signature = True
        raise


def _read_sign1(data: bytes, type_: str | None, detached: bool, batched: bool) -> Sign1:
    protected, unprotected, payload, signature = cbor.items(cbor.tagged(cbor.decode(data), 18), 4)
    found = _type_in(cbor.byte_string(protected))
    if type_ is not None and found != type_:
        raise WrongContentType(found)
    if not isinstance(unprotected, (dict, cbor.Pairs)):
        raise WrongType("unprotected header")
    proof = None
    if len(unprotected):
        if not batched:
            raise UnprotectedHeader()
        proof = batch.Proof.of(unprotected)
    if detached and payload is not None:
        raise PayloadPresent()
    if not detached and payload is None:
        raise PayloadMissing()
    if payload is not None:
        cbor.byte_string(payload)
    return Sign1(found, protected, payload, cbor.byte_string(signature, 64), proof)


def _type_in(protected: bytes) -> str:
    if not protected:
        raise MissingHeader()
    header = cbor.decode(protected)
    if isinstance(header, cbor.Pairs) or not isinstance(header, dict):
        raise WrongType("protected header")
    for label in header:
        if type(label) is not int or label not in (1, 16):
            raise UnsupportedHeader(str(label))
    if 1 not in header or 16 not in header:
        raise MissingHeader()
    if header[1] != EDDSA or type(header[1]) is not int:
        raise WrongAlgorithm(str(header[1]))
    return cbor.text(header[16], 0, 64)
