"""Makes vectors in the form of Interop/vectors/README.md: `python tests/make_vectors.py DIR`.

Keys and nonces are random, so every run gives others. Outputs come from this package alone.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import anonymous_ops
from make_claims import claims, sd_cwts, sd_jwts, status_lists
from make_judged import judged
from make_returned import returned
from make_wire import link, relay
from vector_layer import NOW, Layer, fresh
from vector_ops import Conversation, Fields, addresses, b, encoded, encoded_log, export_file, identity, shown_state

from handfast import anonymous, backup, handshake
from handfast.attachment import MESSAGES, Transfer, seal
from handfast.bundle import Bundle, make_bundle
from handfast.encoding import cbor, cose
from handfast.encoding.text import base32, base64url, proquints
from handfast.envelope import Kind
from handfast.export import Export
from handfast.handshake import Greeting, Hello
from handfast.identity import Identity
from handfast.invitation import Invitation
from handfast.ledger import Ledger, State
from handfast.ratchet import STEP_AGE, STEP_COUNT
from handfast.record import Direction, Draft, Entry, Ephemeral, Heads, Reference, encode_content
from handfast.rejoin import Resumes, ask
from handfast.suite import hpke, mlkem
from handfast.suite.mlkem import EncapsulationKey
from handfast.suite.signing import SigningKey
from handfast.suite.xwing import SealingKey

FOLDER = Path(__file__).parents[1] / "vectors"


def primitives() -> Layer:
    layer = Layer("primitives")
    for label, parts in (
        ("identity", [""]),
        ("relationship", ["61", "", "6263"]),
        ("queue chain", [fresh(), fresh(300)]),
    ):
        layer.add(f"hash, {label}", "hash", label=label, parts=parts)
        layer.add(f"kdf, {label}", "kdf", label=label, key=fresh(), parts=parts, length=64)
    seed, message = fresh(), fresh(99)
    signed = layer.add("sign", "ed25519Sign", seed=seed, message=message)
    layer.add("verify", "ed25519Verify", publicKey=signed["publicKey"], message=message, signature=signed["signature"])
    peer = layer.add("agree", "x25519", privateKey=fresh(), peer="09".ljust(64, "0"))["publicKey"]
    layer.add("agree with another", "x25519", privateKey=fresh(), peer=peer)
    seed = fresh(64)
    _, ct = mlkem.encapsulate(EncapsulationKey(b(seed)).public)
    key = layer.add("decapsulate", "mlkem768", seed=seed, ciphertext=ct.hex())["publicKey"]
    layer.add("ML-KEM key", "mlkem768PublicKey", publicKey=key)
    sealing, info, aad = SealingKey(os.urandom(32)), fresh(41), fresh(33)
    encapsulation, context = hpke.sender(sealing.public, b(info))
    layer.add(
        "open",
        "hpkeOpen",
        seed=sealing.seed.hex(),
        encapsulation=encapsulation.hex(),
        info=info,
        aad=aad,
        ciphertext=context.seal(b"sealed in Python", b(aad)).hex(),
        exportContext=b"HF1.root".hex(),
    )
    key, nonce = fresh(), "00000000" + fresh(8)
    sealed = layer.add("seal", "aeadSeal", key=key, nonce=nonce, aad=aad, plaintext=fresh(100))
    layer.add("open", "aeadOpen", key=key, nonce=nonce, aad=aad, ciphertext=sealed["ciphertext"])
    layer.add("chain", "chain", chainKey=fresh(), count=9)
    for index in (0, 1, 8, 65_535):
        layer.add(f"header stream at {index}", "headerStream", headerKey=fresh(), index=index)
    for size in (0, 256, 257, 5_000, 64_000):
        layer.add(f"padding of {size}", "padding", size=size)
    return layer


def encoding() -> Layer:
    layer = Layer("cbor")
    values: list[cbor.Value] = [
        0,
        23,
        24,
        2**64 - 1,
        -1,
        -(2**64),
        b"",
        "Grüezi",
        [1, [2, []]],
        {},
        True,
        None,
        1.5,
        -0.0,
    ]
    values += [{1: "one", 2: {"b": 1, "aa": [False]}, -1: b"x"}, cbor.Tag(18, [b"", {}, None]), list(range(300)), 1e300]
    for value in values:
        layer.add(repr(value)[:40], "decode", bytes=cbor.encode(value).hex())
    return layer


def signatures() -> Layer:
    layer = Layer("cose")
    seed, payload, external = fresh(), fresh(40), fresh(9)
    given = {"type": "handfast-record+cose", "externalData": external}
    made = layer.add("sign", "sign", seed=seed, payload=payload, **given)
    layer.add("verify", "verify", signed=made["signed"], publicKey=made["publicKey"], **given)
    detached = cose.sign(SigningKey(b(seed)), given["type"], b(payload), b(external), detached=True).hex()
    layer.add(
        "verify detached", "verifyDetached", signed=detached, payload=payload, publicKey=made["publicKey"], **given
    )
    sealing = SealingKey(os.urandom(32)).public
    keys = {
        "ed25519": cose.ed25519_key(b(made["publicKey"])),
        "x25519": cose.x25519_key(os.urandom(32)),
        "ml-kem-768": cose.ml_kem_key(sealing[: mlkem.PUBLIC_KEY]),
        "x-wing": cose.x_wing_key(sealing),
    }
    for kind, key in keys.items():
        layer.add(f"{kind} key", "key", kind=kind, bytes=cbor.encode(key).hex())
    for size in (0, 1, 2, 3, 4, 5, 32):
        data = os.urandom(size)
        layer.add(f"base32 of {size}", "base32", text=base32(data))
        layer.add(f"base64url of {size}", "base64url", text=base64url(data))
        layer.add(f"hex of {size}", "hex", text=data.hex())
    layer.add("words", "proquint", text=proquints(os.urandom(12)))
    return layer


def person(created: int = NOW - 60, **more: Any) -> Fields:
    """An identity as its seeds."""
    return {"signing": fresh(), "next": fresh(), "sealing": fresh(), "created": created} | more


def rotation(created: int = NOW - 30) -> Fields:
    return {"kind": "rotation", "created": created, "next": fresh(), "sealing": fresh()}


def key_logs() -> Layer:
    layer = Layer("keylog")
    short = person()
    long = short | {"events": [rotation(), rotation()]}
    revoked = long | {"events": [*long["events"], {"kind": "revocation", "created": NOW}]}
    for name, one in (("inception", short), ("public", person(domain="shop.example")), ("two", long), ("end", revoked)):
        made = layer.add(f"make, {name}", "make", identity=one)
        layer.add(f"verify, {name}", "verify", log=encoded_log(identity(one).log))
        layer.add(f"id, {name}", "id", text=made["idText"])
    before, after = identity(long).log, identity(revoked).log
    layer.add("append a revocation", "append", log=encoded_log(before), event=after.last.encoded.hex())
    words = layer.add("recovery key", "recoveryKey", root=fresh(), salt=fresh(16))["words"]
    layer.add("recovery words", "recoveryWords", words=words)
    layer.add("recovery words, one a line", "recoveryWords", words=words.upper().replace("-", "\n"))
    layer.refuse("recovery words cut short", "recoveryWords", "malformed", words=words[:-6])
    return layer


def address() -> Fields:
    return {"host": "192.0.2.7", "port": 7_447, "relayKey": fresh(), "queue": fresh(16), "capability": fresh()}


class Meeting:
    """A hello, a welcome, and the ledgers of both; every secret is known."""

    def __init__(self) -> None:
        self.signer, self.bundle_seed, self.ticket = person(), fresh(), fresh(16)
        self.invitee, self.inviter = person(), person()
        self.addresses = {"invitee": [address()], "inviter": [address(), address()]}
        sealing = SealingKey(b(self.bundle_seed)).public
        self.bundle: Bundle = make_bundle(identity(self.signer), sealing, NOW, NOW + 172_800, ("message",))
        self.ledgers: list[Ledger] = []
        self.greeting: Greeting = handshake.greet(
            self.bundle,
            b(self.ticket),
            identity(self.invitee),
            addresses(self.addresses["invitee"]),
            NOW,
            self._first,
        )
        self.hello: Hello = handshake.open_hello(self.greeting.hello, self.bundle, SealingKey(b(self.bundle_seed)))
        exchange = self.greeting.exchange
        shop = Ledger(
            exchange.relationship, Direction.INVITER, identity(self.inviter), exchange.invitee, State.WELCOMED
        )
        for entry in self.hello.entries:
            shop.receive(entry)
        self.ledgers.append(shop)
        self.ledgers[0].welcomed_by(identity(self.inviter).inception)

    def _first(self, relationship: bytes) -> tuple[Entry, ...]:
        self.ledgers.append(Ledger(relationship, Direction.INVITEE, identity(self.invitee), None, State.GREETED))
        return (self.ledgers[0].sign(NOW, "relationship/introduce", {"name": "Ann"}),)

    def say(self, role: int, text: str) -> Entry:
        """A record that both ledgers take."""
        entry = self.ledgers[role].sign(NOW + 9, "message/text", {"text": text})
        self.ledgers[1 - role].receive(entry)
        return entry


def invitations(meeting: Meeting) -> Layer:
    layer = Layer("invitation")
    for host in ("relay.example", "2001:db8::7"):
        made = layer.add(
            f"make, {host}",
            "make",
            host=host,
            port=7_447,
            relayKey=fresh(),
            queue=fresh(16),
            signer=meeting.bundle.log.id.hex(),
            events=1,
            ticket=meeting.ticket,
        )
        layer.add(f"parse, {host}", "parse", uri=made["uri"])
    return layer


def bundles(meeting: Meeting) -> Layer:
    layer = Layer("bundle")
    made = layer.add(
        "make",
        "make",
        signer=person(events=[rotation()], domain="shop.example"),
        sealing=fresh(),
        notBefore=NOW,
        expires=NOW + 86_400,
        families=["message"],
    )
    layer.add("verify", "verify", bundle=made["bundle"])
    relay = addresses([address()])[0].relay
    uri = str(Invitation(relay, os.urandom(16), meeting.bundle.log.id, 1, b(meeting.ticket)))
    layer.add("accept", "accept", bundle=meeting.bundle.encoded.hex(), uri=uri, now=NOW - 3_600)
    return layer


def handshakes(meeting: Meeting) -> tuple[Layer, Fields, Fields]:
    """The layer, and the states of invitee and inviter after the welcome."""
    layer = Layer("handshake")
    greeting, exchange = meeting.greeting, meeting.greeting.exchange
    given = {"hello": greeting.hello.hex(), "bundle": meeting.bundle.encoded.hex(), "bundleSeed": meeting.bundle_seed}
    secrets = {"ratchetKey": greeting.agreement.secret.hex(), "kemSeed": greeting.kem.seed.hex()}
    layer.add(
        "make hello",
        "makeHello",
        identity=meeting.invitee,
        addresses=meeting.addresses["invitee"],
        ticket=meeting.ticket,
        entries=encoded(*meeting.hello.entries),
        created=NOW,
        bundleHash=meeting.bundle.hash.hex(),
        encapsulation=exchange.encapsulation.hex(),
        **secrets,
    )
    layer.add("open hello", "openHello", **given)
    shared, ct = mlkem.encapsulate(meeting.hello.kem_key)
    welcome = layer.add(
        "make welcome of a signer that has rotated since",
        "makeWelcome",
        identity=meeting.inviter,
        signer=meeting.signer | {"events": [rotation()]},
        addresses=meeting.addresses["inviter"],
        entries=encoded(meeting.say(1, "Welcome")),
        now=NOW + 10,
        nonce=fresh(16),
        salt=fresh(8),
        ratchetKey=fresh(),
        ciphertext=ct.hex(),
        sharedSecret=shared.hex(),
        **given,
    )
    pending = secrets | {
        "root": exchange.root.hex(),
        "bundle": given["bundle"],
        "encapsulation": exchange.encapsulation.hex(),
        "helloHash": exchange.hello_hash.hex(),
        "inception": exchange.invitee.encoded.hex(),
    }
    opened = layer.add("open welcome", "openWelcome", pending=pending, welcome=welcome["welcome"], now=NOW + 20)
    return layer, opened["state"], welcome["state"]


class Talk:
    """A conversation that is made step by step: what a step draws depends on the ones before."""

    def __init__(self, invitee: Fields, inviter: Fields) -> None:
        self.talk = Conversation({"invitee": invitee, "inviter": inviter})
        self.steps: list[Fields] = []
        self.results: list[Fields] = []

    def do(self, side: str, do: str, now: int, **more: Any) -> Fields:
        self.steps.append({"side": side, "do": do, "now": now} | more)
        self.results.append(self.talk.run(self.steps[-1]))
        return self.results[-1]

    def seal(self, side: str, now: int, content: bytes) -> int:
        """The number of the step."""
        state, drawn = self.talk.channels[side].state, {}
        if state.turn_pending:
            drawn["ratchetKey"] = fresh()
            steps, last = state.steps + 1, state.last_post_quantum
            if state.peer_offer is not None:
                shared, ct = mlkem.encapsulate(state.peer_offer)
                drawn |= {"ciphertext": ct.hex(), "sharedSecret": shared.hex()}
                steps, last = 0, now
            if state.own_offer is None and (steps >= STEP_COUNT or now - last >= STEP_AGE):
                drawn["offerSeed"] = fresh(64)
        self.do(side, "seal", now, kind=Kind.EPHEMERAL.value, content=content.hex(), salt=fresh(8), **drawn)
        return len(self.steps) - 1


def ratchet(invitee: Fields, inviter: Fields) -> Layer:
    layer = Layer("ratchet")
    for name in ("step", "step with ML-KEM"):
        key = EncapsulationKey(os.urandom(64)).public
        shared, ct = mlkem.encapsulate(key) if "ML" in name else (b"", b"")
        layer.add(
            name,
            "step",
            root=fresh(),
            privateKey=fresh(),
            receiver=SealingKey(os.urandom(32)).public[mlkem.PUBLIC_KEY :].hex(),
            encapsulationKey=key.hex() if shared else "",
            ciphertext=ct.hex(),
            sharedSecret=shared.hex(),
        )
    for seed in range(3):
        talk = conversation(random.Random(seed), invitee, inviter)
        out = {"steps": talk.results} | {side: shown_state(c.state) for side, c in talk.talk.channels.items()}
        given = {"invitee": invitee, "inviter": inviter, "steps": talk.steps}
        layer.vectors.append({"name": f"random schedule {seed}", "op": "conversation", "in": given, "out": out})
    return layer


def conversation(source: random.Random, invitee: Fields, inviter: Fields) -> Talk:
    """Both write at random; envelopes come in another order, twice, or never."""
    talk, now = Talk(invitee, inviter), NOW + 60
    waiting: dict[str, list[int]] = {"invitee": [], "inviter": []}
    for _ in range(90):
        side, other = source.sample(("invitee", "inviter"), 2)
        now += source.choice((1, 60, 9_000))
        if source.random() < 0.5:
            waiting[other].append(talk.seal(side, now, source.randbytes(source.choice((3, 300)))))
        elif waiting[side]:
            place = min(int(source.expovariate(0.4)), len(waiting[side]) - 1)
            number = waiting[side][place]
            if source.random() < 0.9:
                del waiting[side][place]
            if source.random() < 0.9:
                talk.do(side, "open", now, of=number)
                talk.do(side, "release", now)
        else:
            talk.do(side, "turnIsDue", now)
    return talk


def envelopes(meeting: Meeting, invitee: Fields, inviter: Fields) -> Layer:
    layer = Layer("envelope")
    talk = Talk(invitee, inviter)
    first = talk.seal("invitee", NOW + 60, b"")
    talk.do("inviter", "open", NOW + 60, of=first)
    states = {side: shown_state(channel.state) for side, channel in talk.talk.channels.items()}
    contents = [(0, b""), (1, encode_content((meeting.say(0, "Grüezi"),)))]
    contents += [(2, Ephemeral("presence/typing", {"n": n}).encode()) for n in range(2)] + [(2, os.urandom(5_000))]
    for kind, content in contents:
        given = {"state": states["invitee"], "kind": kind, "content": content.hex(), "salt": fresh(8), "now": NOW + 61}
        made = layer.add(f"seal kind {kind}, {len(content)} bytes", "seal", **given)
        layer.add(f"open it, {kind}", "open", state=states["inviter"], envelope=made["envelope"], now=NOW + 62)
    return layer


def records(meeting: Meeting) -> Layer:
    layer = Layer("record")
    relationship = meeting.greeting.exchange.relationship.hex()
    body = cbor.encode({"text": "Grüezi", "language": "de-CH"}).hex()
    for thread in (None, fresh(16)):
        made = layer.add(
            "make",
            "make",
            seed=fresh(),
            relationship=relationship,
            direction=0,
            sequence=2**32,
            previous=fresh(),
            lastSeen={"sequence": 7, "hash": fresh()},
            time=NOW,
            type="message/text",
            salt=fresh(16),
            body=body,
            **({} if thread is None else {"thread": thread}),
        )
        layer.add("read", "read", entry=made["entry"])
        layer.add("erase", "erase", entry=made["entry"])
        layer.add("encode", "encode", entry=made["entry"], count=9)
    told = [*meeting.hello.entries, *(meeting.say(0, f"text {number}") for number in range(3))]
    layer.add("content", "content", content=encode_content(tuple(told[1:])).hex())
    layer.add("long text", "ephemeralText", letters=61_000)
    layer.add("ephemeral", "ephemeral", content=Ephemeral("a/b", {"n": [1.5, None]}, os.urandom(16)).encode().hex())
    ledger = meeting.ledgers[0]
    rotated = ledger.rotate(NOW + 70)
    after = ledger.sign(NOW + 71, "shop/unknown", {"anything": True})
    ended = ledger.sign(NOW + 72, "relationship/end", {"reason": "moved"})
    for entry in (rotated, after, ended):
        meeting.ledgers[1].receive(entry)
    # A relationship of its own, in which the inviter has said these two things before.
    given = {"hello": meeting.greeting.hello.hex(), "bundle": meeting.bundle.encoded.hex()}
    own = [{"text": "Welcome", "time": NOW, "salt": fresh(16)}]
    layer.add(
        "what does not see the same records of ours",
        "receive",
        **given,
        bundleSeed=meeting.bundle_seed,
        identity=meeting.inviter,
        own=own,
        entries=encoded(*told, rotated),
    )
    alone = Meeting()
    told = [*alone.hello.entries, alone.say(0, "before")]
    told += [alone.ledgers[0].rotate(NOW + 1), alone.ledgers[0].sign(NOW, "shop/unknown", {})]
    moved = {"addresses": [cbor.encode(address.value) for address in alone.hello.addresses]}
    told += [alone.ledgers[0].sign(NOW, "relationship/move", moved)]
    told += [told[0], alone.ledgers[0].sign(NOW, "relationship/end", {"reason": "moved"})]
    layer.add(
        "an introduction, a rotation, a move, a repetition and the end",
        "receive",
        hello=alone.greeting.hello.hex(),
        bundle=alone.bundle.encoded.hex(),
        bundleSeed=alone.bundle_seed,
        identity=alone.inviter,
        own=[],
        entries=encoded(*told),
    )
    return layer


def ledgers(meeting: Meeting) -> Layer:
    layer = Layer("ledger")
    meeting.ledgers[0].receive(meeting.ledgers[1].sign(NOW + 80, "relationship/end", {}))
    signer = identity(meeting.signer)
    shop: Identity = identity(meeting.inviter)
    to = addresses(meeting.addresses["inviter"])
    _, made = handshake.welcome(meeting.hello, meeting.bundle, signer, shop, to, NOW)
    proof = cbor.encode(made.proof.value).hex()
    meeting.ledgers[0].erase(Direction.INVITEE, 2)
    exports = [Export.of(ledger, made.proof) for ledger in meeting.ledgers]
    common = {"relationship": exports[0].relationship.hex(), "proof": proof, "role": 0}
    sides = [{"invitee": encoded(*one.invitee), "inviter": encoded(*one.inviter)} for one in exports]
    for name, side in zip(("of the invitee, one body erased", "of the inviter"), sides, strict=True):
        layer.add(f"verify, {name}", "verify", **common, **side)
    layer.add("file", "verifyFile", file=export_file(common | sides[0]).hex())
    layer.add("agree", "agree", **common, first=sides[0], second=sides[1])
    shorter = {"invitee": sides[1]["invitee"][:1], "inviter": []}
    layer.add("agree, one goes on", "agree", **common, first=sides[0], second=shorter)
    return layer


def batches(meeting: Meeting) -> Layer:
    layer = Layer("batch-proof")
    for size in (1, 6, 13):
        layer.add(f"tree of {size}", "tree", leaves=[fresh(8) for _ in range(size)])
    ann, shop = meeting.ledgers
    texts = [("message/text", {"text": f"line {number}"}) for number in range(5)]
    drafts, head = list[Draft](), ann.own.latest(ann.relationship)
    for type_, body in texts:
        drafts.append(ann.draft(NOW + 20, type_, body, head))
        head = Reference(head.number + 1, drafts[-1].hash)
    given = {"payloads": [one.payload.hex() for one in drafts], "salts": [fresh() for _ in drafts]}
    made = layer.add("batch of five", "sign", seed=ann.identity.signing.seed.hex(), **given)
    key = ann.identity.signing.public.hex()
    for number, record in enumerate(made["records"]):
        layer.add(f"record {number} of five", "verify", record=record, key=key)
    layer.add("under the endorsing key", "verify", record=made["records"][0], key=fresh(), endorsingKey=key)
    for one, record in zip(drafts, made["records"], strict=True):
        ann.take_own(one.entry(b(record)))
        shop.receive(ann.own.entries[-1])
    sides = {direction.name.lower(): encoded(*shop.entries(direction)) for direction in Direction}
    to = addresses(meeting.addresses["inviter"])
    signer, own = identity(meeting.signer), identity(meeting.inviter)
    _, welcomed = handshake.welcome(meeting.hello, meeting.bundle, signer, own, to, NOW)
    proof = cbor.encode(welcomed.proof.value).hex()
    layer.add("a batch among others", "ledger", relationship=ann.relationship.hex(), role=0, proof=proof, **sides)
    return layer


def rejoins() -> Layer:
    layer = Layer("rejoin")
    relationship = fresh()
    asker, answerer = person(events=[rotation(), rotation()]), person(events=[rotation()])
    mine, theirs = identity(asker), identity(answerer)
    known = {name: cbor.encode([one.inception.encoded]).hex() for name, one in (("asker", mine), ("answerer", theirs))}

    def heads() -> Heads:
        return Heads(tuple(Reference(number, os.urandom(32)) for number in (5, 4, 2)), Reference(9, os.urandom(32)))

    for resumed in (2, None):
        # Who resumes nothing was restored, and receives elsewhere.
        elsewhere = addresses([address(), address()] if resumed is None else [])
        secret, ratchet_key, kem_seed = os.urandom(32), os.urandom(32), os.urandom(64)
        resumes = Resumes({2: secret})
        told, other = heads(), os.urandom(32)
        common = {"relationship": relationship, "epoch": 3, "heads": cbor.encode(told.value).hex(), "created": NOW}
        drawn = {"ratchetKey": ratchet_key.hex(), "kemSeed": kem_seed.hex()}
        if resumed is not None:
            common["resumed"] = resumed
        layer.add(f"ask, resuming {resumed}", "ask", identity=asker, encapsulation=fresh(1_120), **common, **drawn)
        with drawing_first(ratchet_key, kem_seed):
            data, pending = ask(
                b(relationship), 3, resumed, resumes, told, mine, theirs.sealing.public, NOW, other, elsewhere
            )
        given = {"rejoin": data.hex(), "relationship": relationship, "identity": answerer, "log": known["asker"]}
        layer.add(f"open, resuming {resumed}", "open", **given)
        shared, ct = mlkem.encapsulate(pending.kem.public)
        answered = layer.add(
            f"answer, resuming {resumed}",
            "answer",
            resumes=[{"epoch": 2, "secret": secret.hex()}],
            heads=cbor.encode(heads().value).hex(),
            now=NOW + 5,
            nonce=fresh(16),
            salt=fresh(8),
            ratchetKey=fresh(),
            ciphertext=ct.hex(),
            sharedSecret=shared.hex(),
            **({"addresses": [address()]} if resumed is None else {}),
            **given,
        )
        kept = {"epoch": 3, "hash": pending.hash.hex(), "root": pending.root.hex()} | drawn
        layer.add(
            f"open rejoined, resuming {resumed}",
            "openRejoined",
            pending=kept,
            log=known["answerer"],
            rejoined=answered["rejoined"],
            now=NOW + 9,
        )
    return layer


@contextmanager
def drawing_first(*values: bytes) -> Iterator[None]:
    """These values in the place of the first random ones."""
    waiting, draw = list(values), os.urandom
    with patch("os.urandom", lambda size: waiting.pop(0) if waiting else draw(size)):
        yield


def attachments() -> Layer:
    layer = Layer("attachment")
    for size in (0, 300, 512, 700):
        key, header, content = fresh(), fresh(24), fresh(size)
        made = layer.add(f"seal {size}", "seal", key=key, header=header, chunkSize=256, content=content)
        layer.add(
            f"open {size}",
            "open",
            key=key,
            header=header,
            chunkSize=256,
            contentSize=size,
            digest=made["digest"],
            chunks=made["chunks"],
        )
    attachment, chunks = seal(os.urandom(1_000), "Rechnung.pdf", 256, "application/pdf", "Anbei", "de")
    layer.add("body", "body", body=cbor.encode(attachment.body).hex())
    for type_ in MESSAGES:
        message = Transfer(type_, 3, 7, 1, 4, 2, chunks[2]).message
        layer.add(type_, "message", content=message.encode().hex())
    return layer


def anonymous_claims() -> Layer:
    layer = Layer("anonymous")

    def scalar() -> str:
        return anonymous_ops.shown(anonymous.draw())

    layer.add("hash", "hash", label="VALUE", items=["", "00", fresh(40)])
    for value in (0, -1, 2**63 - 1, "", "Grüße", b"", os.urandom(256)):
        layer.add(f"value, {type(value).__name__}", "value", value=cbor.encode(value).hex())
    key = anonymous.IssuerKey(anonymous.draw())
    schema = anonymous.Schema("https://shop.example/member", 86_400, ("level", "since", "token", "discount"))
    parameters = anonymous.Parameters(key.public, schema).encode().hex()
    layer.add("parameters", "parameters", parameters=parameters)
    master, nonce, identity = fresh(), fresh(), fresh()
    for scope in ("relationship", "vendor"):
        layer.add(f"pseudonym, {scope}", "pseudonym", master=master, scope=scope, identity=identity)
    shared: Fields = {"parameters": parameters}
    secrets = {"blinding": scalar(), "blindingMask": scalar(), "secretMask": scalar()}
    asked = layer.add("request", "request", **shared, master=master, nonce=nonce, **secrets)
    epoch = NOW // 86_400
    values = [cbor.encode(value).hex() for value in ("gold", 2019, os.urandom(8), -5)]
    x = anonymous_ops.shown(key.x)
    issued = layer.add(
        "issue",
        "issue",
        **shared,
        key=x,
        request=asked["request"],
        nonce=nonce,
        epoch=epoch,
        values=values,
        exponent=(exponent := scalar()),
        mask=scalar(),
    )
    layer.add(
        "finish",
        "finish",
        **shared,
        request=asked["request"],
        blinding=secrets["blinding"],
        issuance=issued["issuance"],
        now=NOW,
    )
    kept = {"signature": issued["signature"], "exponent": exponent, "total": issued["total"]}
    kept |= {"blinding": secrets["blinding"], "epoch": epoch, "values": values}
    for show, scope in (([], "relationship"), (["level"], "vendor"), (list(schema.attributes), "relationship")):
        place = {"scope": scope, "identity": identity, "nonce": fresh(), "verifier": fresh()}
        place |= {"relationship": fresh()}
        drawn = {name: scalar() for name in ("first", "second", "exponentMask", "firstMask", "secondMask")}
        masks = [scalar() for _ in range(6 - len(show))]
        made = layer.add(
            f"present, {len(show)} shown",
            "present",
            **shared,
            master=master,
            **kept,
            show=show,
            **place,
            **drawn,
            messageMasks=masks,
        )
        given = shared | place | {"presentation": made["presentation"], "now": NOW}
        checked = layer.add(f"check, {len(show)} shown", "check", **given)
        layer.add(f"verify, {len(show)} shown", "verify", **given, key=x)
        question = checked["question"]
        answer = layer.add(f"confirm, {len(show)} shown", "confirm", key=x, question=question, mask=scalar())
        layer.add(f"confirmed, {len(show)} shown", "confirmed", **given, confirmation=answer["confirmation"])
    return layer


def backups() -> Layer:
    layer, passphrase, key = Layer("backup"), "of paper", os.urandom(32)

    def row(kind: int, content: list[cbor.Value] | None) -> bytes:
        return cbor.encode([kind, os.urandom(16), os.urandom(16), content])

    first = cbor.encode([0, 0, NOW, 3])
    rows = [row(2, [os.urandom(32), b"identity"]), row(8, [3, None, b"event"]), row(5, None)]
    for item in (first, *rows, row(6, ["copy", b"key", b""])):
        layer.add("item", "item", item=item.hex())
    layer.refuse("event that is gone", "item", "damaged", item=row(8, None).hex())
    header = backup.make_header(key, passphrase.encode(), 64 << 20, 2)
    chunk = backup.CHUNK - len(first) - 8 - len(row(9, ["f", bytes(65_000)])) + 65_000
    exact = [first, row(9, ["f", bytes(chunk)])]
    files = {"two parts": [[first, *rows], [cbor.encode([0, 1, NOW, 3])]], "a part of exactly one chunk": [exact]}
    for name, parts in files.items():
        layer.add(name, "open", file=backup.write(header, key, parts).hex(), passphrase=passphrase)
    data = backup.write(header, key, files["two parts"])
    given = {"file": data.hex(), "passphrase": passphrase}
    layer.refuse("another passphrase", "open", "wrongPassphrase", **given | {"passphrase": "of papers"})
    layer.refuse("a changed byte", "open", "damaged", **given | {"file": (data[:-9] + b"?" + data[-8:]).hex()})
    layer.refuse("no part", "open", "unfinished", file=header.encode().hex(), passphrase=passphrase)
    return layer


def make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    meeting = Meeting()
    handshaken, invitee, inviter = handshakes(meeting)
    made = [primitives(), encoding(), signatures(), key_logs(), invitations(meeting), bundles(meeting), handshaken]
    made += [ratchet(invitee, inviter), envelopes(meeting, invitee, inviter), records(meeting), ledgers(meeting)]
    made += [rejoins(), returned(Meeting()), batches(Meeting()), backups(), attachments(), link(), relay()]
    asked = claims()
    judged(asked)
    made += [asked, sd_cwts(), sd_jwts(), anonymous_claims(), status_lists()]
    for layer in made:
        layer.damage()
        layer.write(folder)


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
