"""The differential fuzzer, for a moment and always the same; `make fuzz-differential` goes on."""

from __future__ import annotations

import pytest
from differential import READERS, run
from swift import PROGRAM

SEED = 20_260_101
COUNT = 6_000
SEEN = {
    "accepted",
    "truncated",
    "trailingBytes",
    "nonMinimal",
    "indefiniteLength",
    "unsortedKeys",
    "duplicateKey",
    "depthExceeded",
    "unsupported",
    "invalidUTF8",
    *(layer for layer, _ in READERS),
}


@pytest.mark.skipif(not PROGRAM, reason="HANDFAST does not name the program `handfast`")
def test_both_read_the_same() -> None:
    seen = run(PROGRAM, SEED, lambda done: done < COUNT)
    assert seen.keys() == SEEN
    assert min(seen.values()) >= 5
