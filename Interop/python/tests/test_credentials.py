"""SD-CWT beside two COSE libraries that know nothing of it: `pycose` and `cwt` check the signatures of what ours made,
this file reads the disclosures by the draft, and `handfast` verifies what `cwt` signed."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cwt import COSE, COSEKey
from pycose.keys import CoseKey
from pycose.messages import Sign1Message
from swift import PROGRAM, Stage

INTEROP = Path(__file__).parents[2]
EXAMPLES = json.loads((INTEROP / "third-party/sd-cwt/examples.json").read_text())
VECTORS = json.loads((INTEROP / "vectors/sd-cwt.json").read_text())
REDACTED = cbor2.CBORSimpleValue(59)
ALGORITHMS = {(1, 6): -8, (2, 1): -7, (2, 2): -35}

beside_swift = pytest.mark.skipif(not PROGRAM, reason="HANDFAST does not name the program `handfast`")


def check_signature(signed: bytes, key: dict[int, Any]) -> dict[Any, Any]:
    """The payload of a COSE_Sign1, if both libraries find that this key signed it."""
    algorithm = ALGORITHMS[key[1], key[-1]]
    message = Sign1Message.decode(signed)
    message.key = CoseKey.from_dict(key)
    assert message.verify_signature()
    header = cbor2.loads(cbor2.loads(signed).value[0])
    named = {**key, 3: algorithm} | ({2: header[4]} if 4 in header else {})
    _, _, payload = COSE.new().decode_with_headers(signed, COSEKey.new(named))
    assert payload == message.payload
    claims = cbor2.loads(payload)
    assert isinstance(claims, dict)
    return claims


def digest(disclosure: bytes) -> bytes:
    return hashlib.sha256(cbor2.dumps(disclosure)).digest()


def reveal(value: Any, disclosures: dict[bytes, list[Any]]) -> Any:
    """A claim with what was disclosed of it, and without what was not."""
    if isinstance(value, dict):
        shown = {key: reveal(item, disclosures) for key, item in value.items() if key != REDACTED}
        for found in (disclosures.pop(name, [b""]) for name in value.get(REDACTED, [])):
            if len(found) == 3:
                assert found[2] not in shown
                shown[found[2]] = reveal(found[1], disclosures)
        return shown
    if isinstance(value, list):
        items = []
        for item in value:
            if isinstance(item, cbor2.CBORTag) and item.tag == 60:
                found = disclosures.pop(item.value, [b""])
                items += [reveal(found[1], disclosures)] if len(found) == 2 else []
            else:
                items.append(reveal(item, disclosures))
        return items
    return value


def read_credential(credential: cbor2.CBORTag, issuer_key: dict[int, Any]) -> dict[Any, Any]:
    """The claims of a credential with its disclosures in their places."""
    claims = check_signature(cbor2.dumps(credential), issuer_key)
    encoded = credential.value[1].get(17, [])
    disclosures = {digest(disclosure): cbor2.loads(disclosure) for disclosure in encoded}
    assert len(disclosures) == len(encoded)
    revealed = reveal(claims, disclosures)
    assert not disclosures
    assert isinstance(revealed, dict)
    return revealed


def read_presentation(presentation: bytes, issuer_key: dict[int, Any], audience: str, nonce: bytes) -> dict[Any, Any]:
    """The claims that a presentation shows."""
    credential = cbor2.loads(cbor2.loads(presentation).value[0])[13]
    claims = read_credential(credential, issuer_key)
    binding = check_signature(presentation, claims[8][1])
    assert (binding[3], binding[39]) == (audience, nonce)
    assert not {1, 2} & binding.keys()
    return claims


def presentations() -> Iterator[Any]:
    common = VECTORS["common"]
    for vector in VECTORS["vectors"]:
        if vector["op"] == "verify" and "out" in vector:
            yield pytest.param(common | vector["in"], vector["out"], id=vector["name"])


@pytest.mark.parametrize(("given", "out"), list(presentations()))
def test_ours_are_read_by_others(given: dict[str, Any], out: dict[str, Any]) -> None:
    claims = read_presentation(
        bytes.fromhex(given["presentation"]),
        cbor2.loads(bytes.fromhex(given["issuerKey"])),
        given["audience"],
        bytes.fromhex(given["nonce"]),
    )
    assert claims[1] == out["issuer"]
    assert claims[11] == out["type"]
    assert claims.get(2) == out.get("subject")
    assert claims.get(4) == out.get("expires")
    named = {1, 2, 4, 5, 6, 8, 11, 65535}
    others = {key: value for key, value in claims.items() if key not in named}
    assert others == cbor2.loads(bytes.fromhex(out["claims"]))


def test_the_examples_are_read_alike() -> None:
    issuer_key = cbor2.loads(bytes.fromhex(EXAMPLES["keys"]["issuer"]))
    for example in EXAMPLES["issued"]:
        read_credential(cbor2.loads(bytes.fromhex(example["bytes"])), issuer_key)
    for example in EXAMPLES["presented"]:
        read_presentation(
            bytes.fromhex(example["bytes"]), issuer_key, EXAMPLES["audience"], bytes.fromhex(EXAMPLES["nonce"])
        )


@beside_swift
def test_what_others_signed_is_verified(tmp_path: Path) -> None:
    issuer = ec.generate_private_key(ec.SECP256R1())
    numbers = issuer.private_numbers()
    point = {-2: numbers.public_numbers.x.to_bytes(32, "big"), -3: numbers.public_numbers.y.to_bytes(32, "big")}
    issuer_key = {1: 2, -1: 1, **point}
    holder = ed25519.Ed25519PrivateKey.generate()
    holder_key = {1: 1, -1: 6, -2: holder.public_key().public_bytes_raw()}
    name = cbor2.dumps([b"n" * 16, "Ada", "given_name"])
    element = cbor2.dumps([b"e" * 16, "en"])
    hidden = cbor2.dumps([b"h" * 16, "Berg", "family_name"])
    payload = {
        1: "https://issuer.example",
        2: "person",
        4: 1_900_000_000,
        6: 1_790_000_000,
        8: {1: holder_key},
        11: 65_000,
        "languages": ["no", cbor2.CBORTag(60, digest(element))],
        REDACTED: [digest(name), digest(hidden)],
    }
    credential = COSE.new().encode(
        cbor2.dumps(payload),
        COSEKey.new({**issuer_key, 3: -7, -4: numbers.private_value.to_bytes(32, "big")}),
        protected={1: -7, 16: 293},
        unprotected={17: [element, name]},
    )
    binding = {3: "https://shop.example", 6: 1_790_100_000, 39: b"nonce"}
    presentation = COSE.new().encode(
        cbor2.dumps(binding),
        COSEKey.new({**holder_key, 3: -8, -4: holder.private_bytes_raw()}),
        protected={1: -8, 13: cbor2.loads(credential), 16: 294},
        unprotected={},
    )
    given = {
        "presentation": presentation.hex(),
        "audience": "https://shop.example",
        "nonce": b"nonce".hex(),
        "now": 1_790_100_001,
        "issuer": "https://issuer.example",
        "issuerKey": cbor2.dumps(issuer_key).hex(),
    }
    shown = {"given_name": "Ada", "languages": ["no", "en"]}
    out = {"claims": cbor2.dumps(dict(sorted(shown.items(), key=lambda entry: len(entry[0])))).hex(), "type": "65000"}
    vector = {"name": "signed by cwt", "op": "verify", "in": given, "out": out}
    folder = tmp_path / "vectors"
    folder.mkdir()
    (folder / "sd-cwt.json").write_text(json.dumps({"format": 1, "layer": "sd-cwt", "vectors": [vector]}))
    said = asyncio.run(Stage(tmp_path).run("vectors", "check", str(folder)))
    assert "1 file" in said
