"""ristretto255 against the vectors of the RFCs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from handfast.errors import NonCanonicalPoint, NonCanonicalScalar
from handfast.suite import ristretto

RFC = Path(__file__).parents[2] / "third-party/rfc"


def load(name: str) -> Any:
    return json.loads((RFC / name).read_text())


def test_expands_as_rfc_9380() -> None:
    file = load("rfc9380.json")
    for vector in file["vectors"]:
        assert (
            ristretto.expand(vector["message"].encode(), file["tag"].encode(), vector["count"]).hex()
            == vector["output"]
        )


def test_points_as_rfc_9496() -> None:
    file = load("rfc9496.json")
    for factor, encoding in enumerate(file["multiples"]["encodings"]):
        assert (factor * ristretto.generator()).encode().hex() == encoding
        assert ristretto.decode(bytes.fromhex(encoding)).encode().hex() == encoding
    for entry in file["invalid"]["encodings"]:
        with pytest.raises(NonCanonicalPoint):
            ristretto.decode(bytes.fromhex(entry["encoding"]))
    for vector in file["derivations"]["vectors"]:
        assert ristretto.derive(bytes.fromhex(vector["uniform"])).encode().hex() == vector["encoding"]


def test_blinds_as_rfc_9497() -> None:
    file = load("rfc9497.json")
    key = ristretto.decode_scalar(bytes.fromhex(file["privateKey"]))
    for vector in file["vectors"]:
        uniform = ristretto.expand(bytes.fromhex(vector["input"]), bytes.fromhex(file["tag"]), 64)
        blinded = ristretto.decode_scalar(bytes.fromhex(vector["blind"])) * ristretto.derive(uniform)
        assert blinded.encode().hex() == vector["blindedElement"]
        assert (key * blinded).encode().hex() == vector["evaluationElement"]


def test_scalars() -> None:
    for number in (ristretto.ORDER, ristretto.ORDER + 1, 2**256 - 1):
        with pytest.raises(NonCanonicalScalar):
            ristretto.decode_scalar(number.to_bytes(32, "little"))
    point = ristretto.derive(os.urandom(64))
    scalar = ristretto.reduce(os.urandom(64))
    assert ristretto.inverse(scalar) * (scalar * point) == point
    assert (point - point).is_identity
