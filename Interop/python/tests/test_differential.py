"""The differential fuzzer of the two CBOR decoders, for a moment and always the same; `make fuzz-differential` goes on."""

from __future__ import annotations

import pytest
from differential import run
from swift import PROGRAM

SEED = 20_260_101
COUNT = 4_000
CLASSES = {
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
}


@pytest.mark.skipif(not PROGRAM, reason="HANDFAST does not name the program `handfast`")
def test_both_decoders_say_the_same() -> None:
    seen = run(PROGRAM, SEED, lambda done: done < COUNT)
    assert seen.keys() == CLASSES
    assert min(seen.values()) >= 5
