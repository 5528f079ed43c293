"""Vectors of both implementations, and fresh ones of each for the other."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from make_vectors import make
from swift import PROGRAM, Stage
from vector_ops import OPERATIONS, check, read_folder

INTEROP = Path(__file__).parents[2]
RELEASED = sorted((INTEROP / "vectors/released").iterdir())
FOLDERS = [INTEROP / "vectors", INTEROP / "python/vectors", *RELEASED]
CASES = [case for folder in FOLDERS for case in read_folder(folder)]
NAMES = [f"{file['layer']}: {vector['name']}" for file, vector in CASES]

beside_swift = pytest.mark.skipif(not PROGRAM, reason="HANDFAST does not name the program `handfast`")


@pytest.mark.parametrize(("file", "vector"), CASES, ids=NAMES)
def test_vector(file: dict[str, Any], vector: dict[str, Any]) -> None:
    check(file, vector)


def test_every_layer_is_made_by_both() -> None:
    ours, theirs = ({path.name for path in (INTEROP / one).glob("*.json")} for one in ("python/vectors", "vectors"))
    assert ours == theirs
    made = {(file["layer"], vector["op"]) for file, vector in read_folder(INTEROP / "python/vectors")}
    assert made == OPERATIONS.keys()


@beside_swift
def test_swift_finds_the_vectors_of_this_package_right(tmp_path: Path) -> None:
    make(tmp_path / "fresh")
    for folder in (INTEROP / "python/vectors", tmp_path / "fresh"):
        said = asyncio.run(Stage(tmp_path).run("vectors", "check", str(folder)))
        assert f"{len(list(folder.iterdir()))} files hold" in said


@beside_swift
def test_this_package_finds_fresh_vectors_of_swift_right(tmp_path: Path) -> None:
    asyncio.run(Stage(tmp_path).run("vectors", "make", str(tmp_path / "fresh")))
    cases = read_folder(tmp_path / "fresh")
    assert len(cases) > 300
    for file, vector in cases:
        check(file, vector)
