"""The vectors that the Swift implementation made (Interop/vectors), read by this one."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from vector_ops import OPERATIONS, Refused, class_of

from handfast.errors import HandfastError

FOLDER = Path(__file__).parents[2] / "vectors"
FILES = [json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))]
LAYERS = {layer for layer, _ in OPERATIONS}
CASES = [(file, vector) for file in FILES if file["layer"] in LAYERS for vector in file["vectors"]]
NAMES = [f"{file['layer']}: {vector['name']}" for file, vector in CASES]


def settled(name: str) -> str:
    """A class without what Spec leaves open: which part of a record is malformed, and what of a body."""
    return re.sub(r"malformedBody/.*", "malformedBody", re.sub(r"^malformed(Part|Record)/", "malformed/", name))


def alike(ours: str, theirs: str) -> bool:
    """Whether two classes of refusals are one."""
    # A record of another COSE type is refused where its type is read, or where its signature is verified.
    if (ours, theirs) == ("malformedRecord/wrongType", "invalidSignature"):
        return True
    return settled(ours) == settled(theirs)


def same(value: Any, expected: Any) -> bool:
    """Equal, classes of refusals as `alike` has them."""
    if isinstance(value, dict) and isinstance(expected, dict) and "error" in value and "error" in expected:
        return alike(value["error"], expected["error"])
    if isinstance(value, list) and isinstance(expected, list):
        return len(value) == len(expected) and all(map(same, value, expected))
    return bool(value == expected)


@pytest.mark.parametrize(("file", "vector"), CASES, ids=NAMES)
def test_vector(file: dict[str, Any], vector: dict[str, Any]) -> None:
    assert file["format"] == 1
    operation = OPERATIONS[file["layer"], vector["op"]]
    given = file.get("common", {}) | vector["in"]
    if "error" in vector:
        with pytest.raises((HandfastError, Refused)) as refusal:
            operation(given)
        ours = class_of(refusal.value)
        assert alike(ours, vector["error"]), (ours, vector["error"])
        return
    found = operation(given)
    # A file may leave out what it does not want to be compared.
    for name, expected in vector["out"].items():
        assert same(found.get(name), expected), (name, found.get(name), expected)
