"""Tokens of draft-schlesinger-cfrg-act are signed as credentials of Spec/11 §11.4 are."""

from __future__ import annotations

import json
from pathlib import Path

from blake3 import blake3

from handfast.encoding import cbor
from handfast.suite import ristretto

FILE = json.loads((Path(__file__).parents[2] / "third-party/act/tokens.json").read_text())


def prefixed(data: bytes) -> bytes:
    return len(data).to_bytes(8, "big") + data


def generator(separator: bytes, counter: int) -> ristretto.Point:
    seed = blake3(prefixed(separator)).digest()
    hashed = blake3(prefixed(separator) + prefixed(seed) + prefixed(counter.to_bytes(4, "little")))
    return ristretto.derive(hashed.digest(length=64))


def test_tokens_satisfy_the_equation_of_a_credential() -> None:
    separator = FILE["domainSeparator"].encode()
    h1, h2, h3, h4 = (generator(separator, counter) for counter in range(4))
    secret = cbor.decode(bytes.fromhex(FILE["secretKey"]))
    x, public = ristretto.decode_scalar(secret[1]), ristretto.decode(secret[2])
    assert x * ristretto.generator() == public == ristretto.decode(cbor.decode(bytes.fromhex(FILE["publicKey"])))
    for token in FILE["tokens"]:
        fields = cbor.decode(bytes.fromhex(token))
        a = ristretto.decode(fields[1])
        e, k, r, c, ctx = (ristretto.decode_scalar(fields[key]) for key in range(2, 7))
        total = ristretto.generator() + c * h1 + k * h2 + r * h3 + ctx * h4
        assert (e + x) * a == total
        assert (e + x) * a + h1 != total
