"""Public vectors of Interop/third-party/."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from handfast.encoding import cbor
from handfast.errors import CBORError, Cryptography, InvalidKey, InvalidSignature
from handfast.suite import agreement, hpke, mlkem, signing, stream, xwing

ROOT = Path(__file__).parents[2] / "third-party"


def load(path: str) -> Any:
    return json.loads((ROOT / path).read_text())


# The appendix has encodings that are right CBOR and not deterministic, or not of the subset.
SUBSET_TAGS = {"c249010000000000000000", "c349010000000000000000"}


@pytest.mark.parametrize("case", load("cbor-test-vectors/appendix_a.json"), ids=lambda case: case["hex"][:40])
def test_cbor_appendix_a(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["hex"])
    try:
        value = cbor.decode(data)
    except CBORError:
        assert not case["roundtrip"] or "simple" in str(case.get("diagnostic")) or case.get("diagnostic") == "undefined"
        return
    assert cbor.encode(value) == data
    if "decoded" in case and case["hex"] not in SUBSET_TAGS:
        assert value == case["decoded"]
    assert case["roundtrip"]


def test_xwing() -> None:
    for case in load("xwing/test-vectors.json"):
        key = xwing.SealingKey(bytes.fromhex(case["sk"]))
        assert key.public.hex() == case["pk"]
        xwing.check_public_key(key.public)
        assert key.decapsulate(bytes.fromhex(case["ct"])).hex() == case["ss"]
        shared, encapsulation = xwing.encapsulate(key.public)
        assert key.decapsulate(encapsulation) == shared and len(encapsulation) == xwing.ENCAPSULATION


def test_hpke() -> None:
    vectors = [
        v for v in load("hpke-pq/test-vectors.json") if (v["kem_id"], v["kdf_id"], v["aead_id"]) == (25722, 1, 3)
    ]
    assert vectors
    for case in vectors:
        key = xwing.SealingKey(bytes.fromhex(case["skRm"]))
        assert key.public.hex() == case["pkRm"]
        info = bytes.fromhex(case["info"])
        context = hpke.receiver(key, bytes.fromhex(case["enc"]), info)
        assert (context.key.hex(), context.base_nonce.hex()) == (case["key"], case["base_nonce"])
        assert context.exporter_secret.hex() == case["exporter_secret"]
        first = case["encryptions"][0]
        plaintext = bytes.fromhex(first["pt"])
        assert context.open(bytes.fromhex(first["ct"]), bytes.fromhex(first["aad"])) == plaintext
        for export in case["exports"]:
            assert (
                context.export(bytes.fromhex(export["exporter_context"]), export["L"]).hex() == export["exported_value"]
            )


def test_chacha20_blocks() -> None:
    key = bytes(32)
    expected = "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"  # RFC 8439 A.1, 1
    assert stream.chacha20(key, bytes(12), 64)[:32].hex() == expected


def test_ed25519_wycheproof_and_edge_cases() -> None:
    for group in load("wycheproof/ed25519_test.json")["testGroups"]:
        key = bytes.fromhex(group["publicKey"]["pk"])
        for case in group["tests"]:
            arguments = key, bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"])
            if case["result"] == "valid":
                signing.verify(*arguments)
            else:
                with pytest.raises(InvalidSignature):
                    signing.verify(*arguments)
    refused = {"low_order_A", "low_order_R", "non_canonical_A", "non_canonical_R", "low_order_residue", "reencoded_k"}
    for case in load("cctv/ed25519vectors.json"):
        arguments = bytes.fromhex(case["key"]), case["msg"].encode(), bytes.fromhex(case["sig"])
        if refused & set(case["flags"] or []):
            with pytest.raises(InvalidSignature):
                signing.verify(*arguments)
        else:
            signing.verify(*arguments)


def test_mlkem_wycheproof() -> None:
    for group in load("wycheproof/mlkem_768_test.json")["testGroups"]:
        for case in group["tests"]:
            seed = bytes.fromhex(case["seed"])
            if len(seed) != 64:
                continue
            key = mlkem.EncapsulationKey(seed)
            if "ek" in case and case["result"] == "valid":
                assert key.public.hex() == case["ek"]
            if case["result"] == "valid":
                assert key.decapsulate(bytes.fromhex(case["c"])).hex() == case["K"]
            else:
                with pytest.raises(Cryptography):
                    key.decapsulate(bytes.fromhex(case["c"]))
    refused = 0
    for group in load("wycheproof/mlkem_768_encaps_test.json")["testGroups"]:
        for case in group["tests"]:
            try:
                mlkem.check_public_key(bytes.fromhex(case["ek"]))
            except InvalidKey:
                assert case["result"] == "invalid"
                refused += 1
    assert refused


def test_x25519_wycheproof() -> None:
    zero = 0
    for group in load("wycheproof/x25519_test.json")["testGroups"]:
        for case in group["tests"]:
            secret, public = bytes.fromhex(case["private"]), bytes.fromhex(case["public"])
            if int(case["shared"], 16) == 0:
                with pytest.raises(Cryptography):
                    agreement.x25519(secret, public)
                zero += 1
            else:
                assert agreement.x25519(secret, public).hex() == case["shared"]
    assert zero


def test_floats_keep_their_type_and_shortest_form() -> None:
    assert cbor.encode(1.0).hex() == "f93c00"
    assert cbor.encode(-0.0).hex() == "f98000"
    assert cbor.encode(math.nan).hex() == "f97e00"
    assert cbor.encode(65505.0).hex() == "fa477fe100"
