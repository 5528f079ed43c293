"""Batch signatures: the way from one content to the root of a Merkle tree (Spec/01 §1.7)."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from ..errors import InvalidProof, MissingKey, UnknownKey, UnprotectedHeader, WrongType
from . import cbor

LABEL = 396
INCLUSION = -1
MAX_LEAVES = 65_536
MAX_PATH = 16
HEADER = cbor.encode({1: -8, 16: "handfast-batch+cose", 395: 1})


def leaf_hash(digest: bytes) -> bytes:
    return sha256(b"\0" + digest).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()


def to_be_signed(root: bytes) -> bytes:
    """What the signature of a batch is over."""
    return cbor.encode(["Signature1", HEADER, b"", root])


@dataclass(frozen=True)
class Proof:
    """The place of one content in a batch."""

    size: int
    index: int
    path: tuple[bytes, ...]

    @property
    def header(self) -> dict[int, cbor.Value]:
        """The unprotected header that holds it."""
        proof = cbor.encode([self.size, self.index, list(self.path)])
        return {LABEL: {INCLUSION: [proof]}}

    def root(self, digest: bytes) -> bytes:
        """The root to which the path leads from the content that this digest stands for."""
        found = leaf_hash(digest)
        for is_right, sibling in zip(_sides(self.index, self.size), self.path, strict=True):
            found = node_hash(sibling, found) if is_right else node_hash(found, sibling)
        return found


def _sides(index: int, size: int) -> list[bool]:
    """For each hash of a path, from the leaf up, whether it stands to the left of the way."""
    sides = []
    last = size - 1
    while last > 0:
        if index % 2 == 1 or index < last:
            sides.append(index % 2 == 1)
        index, last = index // 2, last // 2
    return sides


def read_header(value: dict[object, cbor.Value]) -> Proof:
    """The proof in an unprotected header that is not empty. Raises a class of §1.6."""
    if list(value) != [LABEL]:
        raise UnprotectedHeader()
    proofs = value[LABEL]
    if isinstance(proofs, cbor.Pairs) or not isinstance(proofs, dict):
        raise WrongType("proofs")
    if INCLUSION not in proofs:
        raise MissingKey(str(INCLUSION))
    if len(proofs) != 1:
        raise UnknownKey("another kind of proof")
    (encoded,) = cbor.items(proofs[INCLUSION], 1)
    size, index, path = cbor.items(cbor.decode(cbor.byte_string(encoded)), 3)
    proof = Proof(
        cbor.uint(size),
        cbor.uint(index),
        tuple(cbor.byte_string(item, 32) for item in cbor.array(path, MAX_PATH)),
    )
    fits = proof.size <= MAX_LEAVES and proof.index < proof.size and proof.size % 2 == 0 and proof.index % 2 == 0
    if not fits or len(proof.path) != len(_sides(proof.index, proof.size)):
        raise InvalidProof()
    return proof
