"""Reads vectors/hf1.json as another implementation would."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from make_vectors import NOW

from handfast import handshake
from handfast.bundle import read_bundle
from handfast.export import Export, compare, verify
from handfast.handshake import Exchange, Greeting
from handfast.identity import KeyLog
from handfast.invitation import Invitation
from handfast.relay import attach_proof, capability_digest, chain_digest
from handfast.suite.agreement import AgreementKey
from handfast.suite.hashing import KDF, H
from handfast.suite.mlkem import EncapsulationKey
from handfast.suite.signing import SigningKey
from handfast.suite.xwing import SealingKey


@pytest.fixture(scope="module")
def vectors() -> dict[str, Any]:
    value: dict[str, Any] = json.loads((Path(__file__).parents[1] / "vectors/hf1.json").read_text())
    return value


def test_hashes(vectors: dict[str, Any]) -> None:
    for case in vectors["hashes"]:
        parts, key = [bytes.fromhex(part) for part in case["parts"]], bytes.fromhex(case["key"])
        assert H(case["label"], *parts).hex() == case["H"]
        assert KDF(key, case["label"], *parts, n=64).hex() == case["KDF64"]
        assert KDF(key, case["label"], *parts, n=32).hex() == case["KDF32"]


def test_identity(vectors: dict[str, Any]) -> None:
    case = vectors["identity"]
    log = KeyLog.read(bytes.fromhex(event) for event in case["events"])
    assert [event.digest.hex() for event in log.events] == case["digests"]
    assert log.name == case["name"] and log.events[0].domain == case["domain"]


def test_from_invitation_to_chain(vectors: dict[str, Any]) -> None:
    invitation = Invitation.parse(vectors["invitation"]["uri"])
    assert str(invitation) == vectors["invitation"]["uri"]
    assert invitation.knock.hex() == vectors["invitation"]["knock"]
    bundle = read_bundle(bytes.fromhex(vectors["bundle"]["bytes"]))
    bundle.check(invitation, NOW)
    assert bundle.hash.hex() == vectors["bundle"]["hash"]

    case = vectors["hello"]
    data = bytes.fromhex(case["bytes"])
    hello = handshake.open_hello(data, bundle, SealingKey(bytes.fromhex(vectors["bundle"]["x_wing_seed"])))
    exchange: Exchange = hello.exchange
    assert hello.ticket == invitation.ticket and exchange.invitee.id.hex() == case["invitee"]
    for name in ("hello_hash", "relationship", "transcript", "root"):
        assert getattr(exchange, name).hex() == case[name], name

    agreement = AgreementKey(bytes.fromhex(case["x25519_secret"]))
    kem = EncapsulationKey(bytes.fromhex(case["ml_kem_seed"]))
    greeting = Greeting(data, exchange, bundle, agreement, kem)
    case = vectors["welcome"]
    welcome = handshake.open_welcome(greeting, bytes.fromhex(case["envelope"]), NOW)
    assert welcome.words == case["words"] and welcome.proof.ratchet_key.hex() == case["ratchet_key"]
    assert welcome.channel.state.root.hex() == case["root_after"]

    state = welcome.channel.state
    for order in (vectors["chain"], vectors["chain"][::-1]):
        welcome.channel.state = replace(state)
        for item in order:
            (body,) = welcome.channel.open(bytes.fromhex(item["envelope"]), NOW).bodies
            assert (body.kind, body.content.hex()) == (item["kind"], item["content"])


def test_exports(vectors: dict[str, Any]) -> None:
    one, other = (Export.decode(bytes.fromhex(vectors[name])) for name in ("export", "export_of_the_other"))
    assert verify(one).sides[0].log.id.hex() == vectors["hello"]["invitee"]
    assert verify(other).sides[1].log.id.hex() == vectors["welcome"]["inviter"]
    assert one.invitee[2].body is None and other.invitee[2].body is not None
    compare(one, other)


def test_relay(vectors: dict[str, Any]) -> None:
    case = {name: bytes.fromhex(value) for name, value in vectors["relay"].items()}
    assert capability_digest(case["capability"]) == case["capability_digest"]
    assert chain_digest(bytes(32), bytes.fromhex(vectors["hello"]["bytes"])) == case["queue_digest_of_hello"]
    assert attach_proof(SigningKey(case["service_seed"]), case["handshake_hash"]) == case["attach_signature"]
