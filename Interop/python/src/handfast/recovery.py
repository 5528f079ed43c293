"""The recovery root: next keys that derive from words on paper (Spec/02 §2.4)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .encoding.text import from_proquints, proquints
from .errors import Malformed, reading
from .identity import commitment
from .suite.hashing import KDF, H
from .suite.signing import SigningKey

_CHECKSUM = 4


@dataclass(frozen=True)
class RecoveryRoot:
    """32 bytes that no vault holds."""

    secret: bytes = field(repr=False)

    @classmethod
    def read(cls, words: str) -> RecoveryRoot:
        """Reads 18 words; spaces, line ends and capitals do not matter. Raises `Malformed`."""
        text = "-".join(word for word in re.split(r"[-\s]+", words.lower()) if word)
        with reading("recovery words"):
            data = from_proquints(text)
        if len(data) != 32 + _CHECKSUM:
            raise Malformed("18 words expected", "recovery words")
        root = cls(data[:32])
        if root._checksum != data[32:]:
            raise Malformed("a word is wrong", "recovery words")
        return root

    @property
    def words(self) -> str:
        return proquints(self.secret + self._checksum)

    @property
    def _checksum(self) -> bytes:
        return H("recovery sum", self.secret)[:_CHECKSUM]

    @property
    def name(self) -> bytes:
        """What a vault keeps of it."""
        return KDF(self.secret, "recovery id", n=32)[:16]

    def next_key(self, salt: bytes) -> SigningKey:
        return SigningKey(KDF(self.secret, "recovery key", salt, n=32))

    def promise(self, salt: bytes) -> bytes:
        """What an event says of that key."""
        return commitment(self.next_key(salt).public)
