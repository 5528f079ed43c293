"""What makes the vectors of one file: each operation run once, and what came of it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from vector_ops import OPERATIONS, READ, Fields, Refused, class_of

from handfast.errors import HandfastError

NOW = 1_800_000_000

DAMAGED = READ | {
    ("primitives", "ed25519Verify"): "signature",
    ("primitives", "x25519"): "peer",
    ("primitives", "mlkem768"): "ciphertext",
    ("primitives", "mlkem768PublicKey"): "publicKey",
    ("primitives", "hpkeOpen"): "ciphertext",
    ("primitives", "aeadOpen"): "ciphertext",
    ("cbor", "decode"): "bytes",
    ("record", "erase"): "entry",
    ("backup", "item"): "item",
    ("anonymous", "finish"): "issuance",
    ("anonymous", "verify"): "presentation",
    ("anonymous", "confirmed"): "confirmation",
}
"""Which input of an operation is damaged."""


def fresh(size: int = 32) -> str:
    return os.urandom(size).hex()


class Layer:
    """The vectors of one file."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.vectors: list[Fields] = []

    def add(self, name: str, operation: str, **given: Any) -> Fields:
        """Adds what the operation makes of its input."""
        out = {field: value for field, value in OPERATIONS[self.name, operation](given).items() if value is not None}
        self.vectors.append({"name": name, "op": operation, "in": given, "out": out})
        return out

    def refuse(self, name: str, operation: str, error: str, **given: Any) -> None:
        """Adds what the operation must refuse, for this one reason."""
        try:
            OPERATIONS[self.name, operation](given)
        except (HandfastError, Refused) as refusal:
            assert class_of(refusal) == error, (self.name, name, class_of(refusal), error)
            self.vectors.append({"name": name, "op": operation, "in": given, "error": error})
            return
        raise AssertionError(f"{self.name}: {name} is accepted")

    def damage(self) -> None:
        """Adds the first input of each operation cut short and with a byte more, which nothing of ours takes."""
        done: set[str] = set()
        for vector in list(self.vectors):
            operation, given = vector["op"], vector["in"]
            field = DAMAGED.get((self.name, operation))
            if field is None or operation in done or "error" in vector:
                continue
            done.add(operation)
            for name, value in (("cut short", given[field][:-2]), ("a byte more", given[field] + "00")):
                changed = given | {field: value}
                try:
                    OPERATIONS[self.name, operation](changed)
                except (HandfastError, Refused) as refusal:
                    self.refuse(f"{vector['name']}, {name}", operation, class_of(refusal), **changed)
                else:
                    raise AssertionError(f"{self.name}: {vector['name']}, {name}, is accepted")

    def write(self, folder: Path) -> None:
        value = {"format": 1, "layer": self.name, "vectors": self.vectors}
        (folder / f"{self.name}.json").write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")
