"""Status list tokens beside `openvc-core`: it reads those of the vectors, and this package reads what it issues."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from openvc.keys import Ed25519SigningKey
from openvc.status import (
    build_status_list_token,
    check_token_status,
    new_status_list,
    set_status,
    verify_status_list_token,
)

from handfast import status_list
from handfast.encoding.text import base64url, from_base64url

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/status-list.json").read_text())["vectors"]
SIGNED = [
    vector
    for vector in VECTORS
    if vector["op"] == "verify" and vector["name"] in ("verify, jwt, least", "verify, jwt, with all")
]
URI = "https://issuer.example/status/1"


@pytest.mark.parametrize("vector", SIGNED, ids=[vector["name"] for vector in SIGNED])
def test_openvc_reads_our_tokens(vector: dict[str, Any]) -> None:
    given, out = vector["in"], vector["out"]
    token = bytes.fromhex(given["token"]).decode()
    key = {"kty": "OKP", "crv": "Ed25519", "x": base64url(bytes.fromhex(given["keys"][0]["key"]))}
    now = datetime.fromtimestamp(out["issuedAt"], UTC)
    claims = verify_status_list_token(token, public_key_jwk=key, expected_uri=given["uri"], now=now)
    statuses = status_list.StatusList(bytes.fromhex(out["bytes"]), out["bits"])
    for index in range(len(statuses)):
        credential = {"status": {"status_list": {"idx": index, "uri": given["uri"]}}}
        result = check_token_status(credential, resolve_status_list_token=lambda _: claims)
        assert result is not None
        assert result.status == statuses[index]


def test_we_read_tokens_of_openvc() -> None:
    key = Ed25519SigningKey.generate("https://issuer.example#1")
    statuses = new_status_list(64, bits=2)
    set_status(statuses, 7, 1, bits=2)
    set_status(statuses, 9, 2, bits=2)
    token = build_status_list_token(
        signing_key=key, uri=URI, status_list=statuses, bits=2, issued_at=1_800_000_000, ttl=60
    )
    public = from_base64url(key.public_jwk()["x"])
    read = status_list.verify(token.encode(), URI, [("EdDSA", public)])
    assert [read.statuses[index] for index in (6, 7, 8, 9)] == [0, 1, 0, 2]
    assert read.issued_at == 1_800_000_000 and read.time_to_live == 60
