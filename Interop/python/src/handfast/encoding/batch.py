"""Batch signatures (Spec/01 §1.7): one signature over the root of a Merkle tree, and each content's way there."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..errors import InvalidProof, UnprotectedHeader
from . import cbor

LABEL = 396
MAX_CONTENTS = 32_768
MAX_TREE = 2 * MAX_CONTENTS
MAX_PATH = 16
HEADER = cbor.encode({1: -8, 16: "handfast-batch+cose", 395: 1})


def leaf_hash(digest: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + digest).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def path_length(index: int, size: int) -> int:
    """How many hashes the path of a leaf has (RFC 9162 §2.1.3.1)."""
    length, last = 0, size - 1
    while last:
        length += index & 1 or index < last
        index, last = index >> 1, last >> 1
    return length


@dataclass(frozen=True)
class Proof:
    """Where a content stands in its batch, and the hashes beside its way to the root."""

    size: int
    index: int
    path: tuple[bytes, ...] = field(repr=False)

    @classmethod
    def of(cls, value: cbor.Value) -> Proof:
        """Reads the unprotected header of a content of a batch."""
        if isinstance(value, cbor.Pairs) or list(value) != [LABEL]:
            raise UnprotectedHeader()
        (proof,) = cbor.items(cbor.fields(value[LABEL], (-1,))[-1], 1)
        size, index, path = cbor.items(cbor.decode(cbor.byte_string(proof)), 3)
        hashes = tuple(cbor.byte_string(item, 32) for item in cbor.array(path, MAX_PATH))
        size, index = cbor.uint(size), cbor.uint(index)
        if not 2 <= size <= MAX_TREE or size % 2 or index % 2 or index >= size:
            raise InvalidProof(f"leaf {index} of {size}")
        if len(hashes) != path_length(index, size):
            raise InvalidProof(f"{len(hashes)} hashes")
        return cls(size, index, hashes)

    @property
    def header(self) -> dict[int, cbor.Value]:
        """The unprotected header that carries it."""
        return {LABEL: {-1: [cbor.encode([self.size, self.index, list(self.path)])]}}

    def root(self, digest: bytes) -> bytes:
        """The root that this content leads to (RFC 9162 §2.1.3.2)."""
        found, index, last = leaf_hash(digest), self.index, self.size - 1
        for beside in self.path:
            if index & 1 or index == last:
                found = _node(beside, found)
                while not index & 1:
                    index, last = index >> 1, last >> 1
            else:
                found = _node(found, beside)
            index, last = index >> 1, last >> 1
        return found


def tree(leaves: Sequence[bytes]) -> tuple[bytes, list[list[bytes]]]:
    """The root over hashes of leaves, and the path of each."""
    level, height = list(leaves), 0
    paths: list[list[bytes]] = [[] for _ in leaves]
    while len(level) > 1:
        for leaf, path in enumerate(paths):
            if (beside := leaf >> height ^ 1) < len(level):
                path.append(level[beside])
        pairs = [_node(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level, height = pairs + level[len(level) & ~1 :], height + 1
    return level[0], paths


def build(digests: Sequence[bytes]) -> tuple[bytes, list[Proof]]:
    """The root over these contents, each beside a fresh salt, and the proof of each."""
    if not 1 <= len(digests) <= MAX_CONTENTS:
        raise InvalidProof(f"{len(digests)} contents")
    leaves = [hash_ for digest in digests for hash_ in (leaf_hash(digest), os.urandom(32))]
    root, paths = tree(leaves)
    return root, [Proof(len(leaves), 2 * place, tuple(paths[2 * place])) for place in range(len(digests))]
