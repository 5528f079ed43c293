"""Writes vectors/hf1.json anew. Its bytes differ each time, since keys and nonces are random."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from handfast import handshake
from handfast.address import Address, Relay
from handfast.bundle import make_bundle
from handfast.encoding.text import proquints
from handfast.envelope import Kind
from handfast.export import Export
from handfast.identity import Identity
from handfast.invitation import Invitation
from handfast.ledger import Ledger, State
from handfast.record import Direction, Entry, Ephemeral, encode_content
from handfast.relay import attach_proof, capability_digest, chain_digest
from handfast.suite.hashing import KDF, H
from handfast.suite.signing import SigningKey
from handfast.suite.xwing import SealingKey

PATH = Path(__file__).parents[1] / "vectors/hf1.json"
NOW = 1_800_000_000


def hashes() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for label, parts in (
        ("identity", [b""]),
        ("relationship", [b"a", b"", b"bc"]),
        ("queue chain", [bytes(32), b"\xff" * 300]),
    ):
        key = bytes(range(32))
        found.append(
            {
                "label": label,
                "parts": [part.hex() for part in parts],
                "H": H(label, *parts).hex(),
                "key": key.hex(),
                "KDF64": KDF(key, label, *parts, n=64).hex(),
                "KDF32": KDF(key, label, *parts, n=32).hex(),
            }
        )
    return found


def make() -> dict[str, Any]:
    signer = Identity.create(NOW, "shop.example").rotated(NOW + 1)
    sealing, ticket = SealingKey(os.urandom(32)), os.urandom(16)
    bundle = make_bundle(signer, sealing.public, NOW, NOW + 172_800, ("message", "relationship"))
    relay = Relay("relay.example", 7_447, os.urandom(32))
    invitation = Invitation(relay, os.urandom(16), signer.id, 2, ticket)
    ledgers: list[Ledger] = []
    invitee = Identity.create(NOW)

    def first(relationship: bytes) -> tuple[Entry, ...]:
        ledgers.append(Ledger(relationship, Direction.INVITEE, invitee, None, State.GREETED))
        return (ledgers[0].sign(NOW, "relationship/introduce", {"name": "Ann"}),)

    addresses = (Address(relay, os.urandom(16), os.urandom(32)),)
    greeting = handshake.greet(bundle, ticket, invitee, addresses, NOW, first)
    hello = handshake.open_hello(greeting.hello, bundle, sealing)
    pairwise, ann = Identity.create(NOW), ledgers[0]
    shop = Ledger(ann.relationship, Direction.INVITER, pairwise, invitee.inception, State.WELCOMED)
    for entry in hello.entries:
        shop.receive(entry)
    later = signer.rotated(NOW + 2)
    entries = (shop.sign(NOW, "relationship/introduce", {"name": "Shop", "url": "https://shop.example"}),)
    envelope, welcome = handshake.welcome(hello, bundle, later, pairwise, addresses, NOW, entries)
    ann.welcomed_by(pairwise.inception)
    ann.receive(entries[0])
    said = shop.sign(NOW, "message/text", {"text": "Grüezi", "language": "de-CH"}, bytes(16))
    ann.receive(said)
    contents = [(Kind.RECORDS, encode_content((said,)))]
    contents += [(Kind.EPHEMERAL, Ephemeral("presence/typing", {"n": n}).encode()) for n in range(10)]
    contents += [(Kind.TURN, b"")]
    chain = [
        {
            "n": n,
            "kind": kind.value,
            "content": content.hex(),
            "envelope": welcome.channel.seal(kind, content, NOW).hex(),
        }
        for n, (kind, content) in enumerate(contents, 1)
    ]
    for entry in (
        ann.sign(NOW, "message/text", {"text": "kept"}),
        ann.sign(NOW, "message/text", {"text": "erased"}),
        ann.rotate(NOW + 3),
        ann.sign(NOW + 4, "relationship/end", {"reason": "moved"}),
    ):
        shop.receive(entry)
    ann.receive(shop.sign(NOW + 5, "relationship/end", {}))
    ann.erase(Direction.INVITEE, 3)
    service, h = SigningKey(os.urandom(32)), os.urandom(64)
    return {
        "hashes": hashes(),
        "identity": {
            "events": [event.encoded.hex() for event in later.log.events],
            "digests": [event.digest.hex() for event in later.log.events],
            "name": later.log.name,
            "domain": "shop.example",
        },
        "invitation": {
            "uri": str(invitation),
            "host": relay.host,
            "port": relay.port,
            "relay_key": relay.key.hex(),
            "queue": invitation.queue.hex(),
            "signer": signer.id.hex(),
            "events": 2,
            "ticket": ticket.hex(),
            "knock": invitation.knock.hex(),
        },
        "bundle": {"bytes": bundle.encoded.hex(), "hash": bundle.hash.hex(), "x_wing_seed": sealing.seed.hex()},
        "hello": {
            "bytes": greeting.hello.hex(),
            "hello_hash": greeting.exchange.hello_hash.hex(),
            "relationship": greeting.exchange.relationship.hex(),
            "transcript": greeting.exchange.transcript.hex(),
            "root": greeting.exchange.root.hex(),
            "invitee": invitee.id.hex(),
            "x25519_secret": greeting.agreement.secret.hex(),
            "ml_kem_seed": greeting.kem.seed.hex(),
        },
        "welcome": {
            "envelope": envelope.hex(),
            "inviter": pairwise.id.hex(),
            "ratchet_key": welcome.proof.ratchet_key.hex(),
            "root_after": welcome.channel.state.root.hex(),
            "words": welcome.words,
        },
        "chain": chain,
        "export": Export.of(ann, welcome.proof).encode().hex(),
        "export_of_the_other": Export.of(shop, welcome.proof).encode().hex(),
        "relay": {
            "capability": bytes(range(32)).hex(),
            "capability_digest": capability_digest(bytes(range(32))).hex(),
            "queue_digest_of_hello": chain_digest(bytes(32), greeting.hello).hex(),
            "service_seed": service.seed.hex(),
            "handshake_hash": h.hex(),
            "attach_signature": attach_proof(service, h).hex(),
        },
        "proquints": {"bytes": "7f000001", "text": proquints(bytes([127, 0, 0, 1]))},
    }


if __name__ == "__main__":
    PATH.parent.mkdir(exist_ok=True)
    PATH.write_text(json.dumps(make(), indent=1) + "\n")
