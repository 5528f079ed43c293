"""The operations of Interop/vectors/README.md by this package: input to output, as that file's tables name them.

Whatever the package would draw at random stands in the input; `drawing` puts it in the place of the randomness.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import anonymous_ops
import claim_ops
import sd_ops
import status_ops
import wire_ops
from parties import make_entry

from handfast import attachment, backup, bodies, handshake, rejoin
from handfast.address import Address, Relay
from handfast.bundle import Bundle, make_bundle, read_bundle
from handfast.encoding import batch, cbor, cose, text
from handfast.envelope import Envelope, HeaderBlock, Kind
from handfast.errors import (
    Cryptography,
    ExportsDisagree,
    HandfastError,
    LedgerMalformed,
    NotAuthentic,
    RefusedEntry,
    WrongLength,
    reading_as,
)
from handfast.export import Export, compare, verify
from handfast.handshake import Exchange, Greeting, Hello
from handfast.identity import Identity, KeyLog, read_event
from handfast.invitation import Invitation
from handfast.ledger import Ledger, Outcome, ReturnedOutcome
from handfast.ledger import State as LedgerState
from handfast.padding import padme
from handfast.ratchet import (
    Channel,
    ReceivingChain,
    SendingChain,
    SkippedKey,
    State,
    Step,
    advance,
)
from handfast.record import (
    Direction,
    Entry,
    Ephemeral,
    Heads,
    Keys,
    Reference,
    encode_content,
    read_body,
    read_content,
)
from handfast.record import read_record as decode_record
from handfast.recovery import RecoveryRoot
from handfast.suite import hpke, mlkem, signing, stream, xwing
from handfast.suite.agreement import AgreementKey
from handfast.suite.hashing import KDF, H
from handfast.suite.mlkem import EncapsulationKey
from handfast.suite.signing import SigningKey
from handfast.suite.xwing import SealingKey

Fields = dict[str, Any]


def b(value: str) -> bytes:
    return bytes.fromhex(value)


@contextmanager
def drawing(*values: bytes, encapsulation: tuple[bytes, bytes] | None = None) -> Iterator[None]:
    """In the place of randomness these values, in order; `encapsulation` is a shared secret and its ciphertext."""
    waiting = list(values)

    def urandom(size: int) -> bytes:
        value = waiting.pop(0)
        assert len(value) == size
        return value

    def encapsulate(key: bytes) -> tuple[bytes, bytes]:
        assert encapsulation is not None
        return encapsulation

    with patch("os.urandom", urandom), patch("handfast.suite.mlkem.encapsulate", encapsulate):
        yield
    assert not waiting


# ---- primitives ----


def primitive(operation: Callable[[Fields], Fields]) -> Callable[[Fields], Fields]:
    """Names refusals as the layer of primitives does."""

    def named(given: Fields) -> Fields:
        try:
            return operation(given)
        except NotAuthentic as error:
            raise Refused("authenticationFailed") from error
        except Cryptography as error:
            raise Refused("smallOrderResult") from error

    return named


class Refused(Exception):
    """A refusal of a class that this package names otherwise."""


def sized(value: str, size: int) -> bytes:
    """Bytes of a fixed size; in this package the decoder of CBOR sees to that."""
    if len(b(value)) != size:
        raise WrongLength(str(len(b(value))))
    return b(value)


def hash_(given: Fields) -> Fields:
    label = given["label"]
    return {
        "personalisation": (b"HF1." + label.encode()).ljust(16, b"\0").hex(),
        "digest": H(label, *map(b, given["parts"])).hex(),
    }


def kdf(given: Fields) -> Fields:
    label, parts = given["label"], map(b, given["parts"])
    return {
        "personalisation": (b"HF1." + label.encode()).ljust(16, b"\0").hex(),
        "output": KDF(b(given["key"]), label, *parts, n=given["length"]).hex(),
    }


def ed25519_sign(given: Fields) -> Fields:
    key = SigningKey(b(given["seed"]))
    return {"publicKey": key.public.hex(), "signature": key.sign(b(given["message"])).hex()}


def ed25519_verify(given: Fields) -> Fields:
    key = sized(given["publicKey"], 32)
    signing.check_public_key(key)
    signing.verify(key, b(given["message"]), sized(given["signature"], 64))
    return {}


def x25519(given: Fields) -> Fields:
    key = AgreementKey(sized(given["privateKey"], 32))
    return {"publicKey": key.public.hex(), "sharedSecret": key.agree(sized(given["peer"], 32)).hex()}


def mlkem768(given: Fields) -> Fields:
    key = EncapsulationKey(sized(given["seed"], 64))
    shared = key.decapsulate(sized(given["ciphertext"], mlkem.CIPHERTEXT))
    return {"publicKey": key.public.hex(), "sharedSecret": shared.hex()}


def mlkem768_public_key(given: Fields) -> Fields:
    mlkem.check_public_key(sized(given["publicKey"], mlkem.PUBLIC_KEY))
    return {}


def hpke_open(given: Fields) -> Fields:
    key = SealingKey(sized(given["seed"], 32))
    context = hpke.receiver(key, sized(given["encapsulation"], xwing.ENCAPSULATION), b(given["info"]))
    return {
        "publicKey": key.public.hex(),
        "plaintext": context.open(b(given["ciphertext"]), b(given["aad"])).hex(),
        "exported": context.export(b(given["exportContext"]), 32).hex(),
    }


def aead_seal(given: Fields) -> Fields:
    sealed = stream.seal(*(b(given[name]) for name in ("key", "nonce", "plaintext", "aad")))
    return {"ciphertext": sealed.hex()}


def aead_open(given: Fields) -> Fields:
    opened = stream.open_sealed(*(b(given[name]) for name in ("key", "nonce", "ciphertext", "aad")))
    return {"plaintext": opened.hex()}


def chain(given: Fields) -> Fields:
    keys, messages = b(given["chainKey"]), []
    for _ in range(given["count"]):
        keys, message = advance(keys)
        messages.append({"messageKey": message.hex(), "left": keys.hex()})
    return {"messages": messages}


def header_stream(given: Fields) -> Fields:
    block = HeaderBlock(b(given["headerKey"]), given["index"])
    mask = block.mask_header(bytes(45))
    return {"tag": block.tag.hex(), "headerMask": mask.hex(), "ciphertextMask": block.ct_mask.hex()}


def padding(given: Fields) -> Fields:
    return {"padded": padme(given["size"])}


# ---- encoding ----


def shown(value: cbor.Value) -> Fields:
    match value:
        case None:
            return {"null": None}
        case bool():
            return {"bool": value}
        case int():
            return {"int": str(value)}
        case float():
            return {"float": struct.pack(">d", value).hex()}
        case bytes():
            return {"bytes": value.hex()}
        case str():
            return {"text": value}
        case list():
            return {"array": [shown(item) for item in value]}
        case cbor.Pairs():
            return {"map": [[shown(key), shown(item)] for key, item in value]}
        case dict():
            return {"map": [[shown(key), shown(item)] for key, item in value.items()]}
        case cbor.Tag():
            return {"tag": [shown(value.number), shown(value.value)]}
    raise TypeError(type(value))


def decode(given: Fields) -> Fields:
    value = cbor.decode(b(given["bytes"]))
    return {"value": shown(value), "encoded": cbor.encode(value).hex()}


_KEYS: dict[str, tuple[Callable[[cbor.Value], bytes], Callable[[bytes], cbor.Value]]] = {
    "ed25519": (cose.read_ed25519, cose.ed25519_key),
    "x25519": (cose.read_x25519, cose.x25519_key),
    "ml-kem-768": (cose.read_ml_kem, cose.ml_kem_key),
    "x-wing": (cose.read_x_wing, cose.x_wing_key),
}


def key(given: Fields) -> Fields:
    read, write = _KEYS[given["kind"]]
    raw = read(cbor.decode(b(given["bytes"])))
    return {"raw": raw.hex(), "encoded": cbor.encode(write(raw)).hex()}


def sign(given: Fields) -> Fields:
    own, external, payload = SigningKey(b(given["seed"])), b(given["externalData"]), b(given["payload"])
    signed = cose.sign(own, given["type"], payload, external)
    parts = cose.read_sign1(signed, given["type"])
    return {
        "publicKey": own.public.hex(),
        "protected": parts.protected.hex(),
        "toBeSigned": cbor.encode(["Signature1", parts.protected, external, payload]).hex(),
        "signature": parts.signature.hex(),
        "signed": signed.hex(),
        "detached": cose.sign(own, given["type"], payload, external, detached=True).hex(),
    }


def verify_signed(given: Fields) -> Fields:
    found = cose.read_sign1(b(given["signed"]), given["type"])
    if found.payload is not None and len(found.payload) > 1_024:
        raise Refused("sizeExceeded")
    found.verify(b(given["publicKey"]), b(given["externalData"]))
    return {"payload": found.content.hex()}


def verify_detached(given: Fields) -> Fields:
    found = cose.read_sign1(b(given["signed"]), given["type"], detached=True)
    found.verify(b(given["publicKey"]), b(given["externalData"]), b(given["payload"]))
    return {}


def textual(read: Callable[[str], bytes]) -> Callable[[Fields], Fields]:
    return lambda given: {"bytes": read(given["text"]).hex()}


# ---- identity ----


def identity(given: Fields) -> Identity:
    with drawing(*(b(given[name]) for name in ("signing", "next", "sealing"))):
        found = Identity.create(given["created"], given.get("domain"))
    for event in given.get("events", ()):
        if event["kind"] == "rotation":
            with drawing(b(event["next"]), b(event["sealing"])):
                found = found.rotated(event["created"])
        else:
            found = found.revoked(event["created"])
    return found


def encoded_log(log: KeyLog) -> str:
    return cbor.encode([event.encoded for event in log.events]).hex()


def read_log(data: str) -> KeyLog:
    with handshake.reading("key log"):
        return KeyLog.read(cbor.byte_string(event, most=2_048) for event in cbor.array(cbor.decode(b(data)), 64))


def log_fields(log: KeyLog) -> Fields:
    found = {
        "id": log.id.hex(),
        "idText": log.name,
        "head": log.last.digest.hex(),
        "currentKey": log.signing_key.hex(),
        "sealingKey": next(event.sealing_key for event in reversed(log.events) if event.sealing_key).hex(),
        "isRevoked": log.revoked,
        "eventCount": len(log),
    }
    return found if log.events[0].domain is None else found | {"domain": log.events[0].domain}


def make_log(given: Fields) -> Fields:
    log = identity(given["identity"]).log
    events = [
        {"event": event.encoded.hex(), "digest": event.digest.hex(), "signingKey": event.signing_key.hex()}
        | ({"next": event.next.hex()} if event.next is not None else {})
        for event in log.events
    ]
    return {"events": events} | log_fields(log)


def append(given: Fields) -> Fields:
    log = read_log(given["log"])
    log.append(read_event(b(given["event"])))
    return log_fields(log)


def read_id(given: Fields) -> Fields:
    name = given["text"]
    with handshake.reading("id"):
        if not name.startswith("hf:"):
            raise handshake.Malformed("an id begins with hf:")
        if len(found := text.from_base32(name[3:])) != 32:
            raise handshake.Malformed("an id has 32 bytes")
        return {"id": found.hex()}


def recovery_key(given: Fields) -> Fields:
    root, salt = RecoveryRoot(b(given["root"])), b(given["salt"])
    key = root.next_key(salt)
    return {
        "name": root.name.hex(),
        "words": root.words,
        "seed": key.seed.hex(),
        "publicKey": key.public.hex(),
        "next": root.promise(salt).hex(),
    }


# ---- handshake ----


def make_invitation(given: Fields) -> Fields:
    relay = Relay(given["host"], given["port"], b(given["relayKey"]))
    made = Invitation(relay, b(given["queue"]), b(given["signer"]), given["events"], b(given["ticket"]))
    content = text.from_base64url(str(made).removeprefix("handfast:"))
    return {"uri": str(made), "cbor": content.hex(), "knock": made.knock.hex()}


def parse_invitation(given: Fields) -> Fields:
    found = Invitation.parse(given["uri"])
    return {
        "host": found.relay.host,
        "port": found.relay.port,
        "relayKey": found.relay.key.hex(),
        "queue": found.queue.hex(),
        "signer": found.signer.hex(),
        "events": found.events,
        "ticket": found.ticket.hex(),
        "knock": found.knock.hex(),
    }


def bundle_fields(bundle: Bundle) -> Fields:
    return {
        "hash": bundle.hash.hex(),
        "signerID": bundle.log.id.hex(),
        "signingKey": bundle.log.signing_key.hex(),
        "eventCount": len(bundle.log),
        "sealingKey": bundle.sealing_key.hex(),
        "notBefore": bundle.not_before,
        "expires": bundle.expires,
        "families": list(bundle.families),
    }


def make_bundle_(given: Fields) -> Fields:
    sealing = SealingKey(b(given["sealing"])).public
    signer, families = identity(given["signer"]), tuple(given["families"])
    made = make_bundle(signer, sealing, given["notBefore"], given["expires"], families)
    return {"bundle": made.encoded.hex()} | bundle_fields(made)


def verify_bundle(given: Fields) -> Fields:
    return bundle_fields(read_bundle(b(given["bundle"])))


def accept_bundle(given: Fields) -> Fields:
    read_bundle(b(given["bundle"])).check(Invitation.parse(given["uri"]), given["now"])
    return {}


def addresses(given: Sequence[Fields]) -> tuple[Address, ...]:
    return tuple(
        Address(Relay(one["host"], one["port"], b(one["relayKey"])), b(one["queue"]), b(one["capability"]))
        for one in given
    )


def shown_addresses(found: Sequence[Address]) -> list[Fields]:
    return [
        {
            "host": one.relay.host,
            "port": one.relay.port,
            "relayKey": one.relay.key.hex(),
            "queue": one.queue.hex(),
            "capability": one.capability.hex(),
        }
        for one in found
    ]


def entries(given: Sequence[str]) -> tuple[Entry, ...]:
    return tuple(Entry.of(cbor.decode(b(one))) for one in given)


def open_hello_(given: Fields) -> tuple[Hello, Bundle]:
    bundle = read_bundle(b(given["bundle"]))
    return handshake.open_hello(b(given["hello"]), bundle, SealingKey(b(given["bundleSeed"]))), bundle


def open_hello(given: Fields) -> Fields:
    hello, bundle = open_hello_(given)
    data, exchange = b(given["hello"]), hello.exchange
    context = hpke.receiver(SealingKey(b(given["bundleSeed"])), exchange.encapsulation, b"HF1.hello" + bundle.hash)
    plaintext = context.open(data[1_153:], data[:33])
    return {
        "bundleHash": bundle.hash.hex(),
        "exported": context.export(b"HF1.root", 32).hex(),
        "signed": plaintext[2 : 2 + int.from_bytes(plaintext[:2], "big")].hex(),
        "inviteeID": exchange.invitee.id.hex(),
        "inviteeKey": exchange.invitee.signing_key.hex(),
        "addresses": shown_addresses(hello.addresses),
        "ratchetKey": hello.ratchet_key.hex(),
        "kemKey": hello.kem_key.hex(),
        "ticket": hello.ticket.hex(),
        "knock": H("knock", hello.ticket).hex(),
        "entries": [cbor.encode(item).hex() for item in hello.items],
        "created": hello.created,
        "helloHash": exchange.hello_hash.hex(),
        "relationship": exchange.relationship.hex(),
        "transcript": exchange.transcript.hex(),
        "root": exchange.root.hex(),
    }


@contextmanager
def watching_seal(given: Fields) -> Iterator[Fields]:
    """What a sender gives to HPKE, whose encapsulation is `given`; nothing is sealed."""
    seen: Fields = {}

    class Context:
        def seal(self, plaintext: bytes, associated: bytes) -> bytes:
            seen.update(plaintext=plaintext.hex(), aad=associated.hex())
            return b""

        def export(self, context: bytes, length: int) -> bytes:
            return bytes(length)

    def sender(key: bytes, info: bytes) -> tuple[bytes, Context]:
        seen["info"] = info.hex()
        return b(given["encapsulation"]), Context()

    with patch("handfast.suite.hpke.sender", sender):
        yield seen


def make_hello(given: Fields) -> Fields:
    own, first = identity(given["identity"]), entries(given["entries"])

    class Bundled:
        hash = b(given["bundleHash"])
        sealing_key = b""

    bundle: Any = Bundled()
    with watching_seal(given) as seen, drawing(b(given["ratchetKey"]), b(given["kemSeed"])):
        made = handshake.greet(
            bundle, b(given["ticket"]), own, addresses(given["addresses"]), given["created"], lambda _: first
        )
    return seen | {
        "externalData": (bundle.hash + b(given["encapsulation"])).hex(),
        "inviteeID": own.id.hex(),
        "relationship": made.exchange.relationship.hex(),
    }


def make_welcome(given: Fields) -> Fields:
    hello, bundle = open_hello_(given)
    own, signer = identity(given["identity"]), identity(given["signer"])
    secret, nonce, salt = b(given["ratchetKey"]), b(given["nonce"]), b(given["salt"])
    ct, shared = b(given["ciphertext"]), b(given["sharedSecret"])
    with drawing(secret, nonce, salt, encapsulation=(shared, ct)):
        envelope, made = handshake.welcome(
            hello, bundle, signer, own, addresses(given["addresses"]), given["now"], entries(given["entries"])
        )
    mine = AgreementKey(secret)
    values = (mine.public, hello.ratchet_key, hello.kem_key, ct)
    step = Step.derive(hello.exchange.root, mine.agree(hello.ratchet_key), shared, *values)
    header_key = KDF(hello.exchange.root, "welcome hdr", nonce, n=32)
    header = Envelope(envelope).header(HeaderBlock(header_key, 0))
    body = Envelope(envelope).open(advance(step.chain_key)[1], header)
    digest = handshake.welcome_digest(
        hello.exchange.relationship, bundle.hash, hello.exchange.hello_hash, own.inception, mine.public, ct
    )
    return {
        "step": H("step", *values).hex(),
        "headerKey": header_key.hex(),
        "chainKey": step.chain_key.hex(),
        "messageKey": advance(step.chain_key)[1].hex(),
        "header": header.encode().hex(),
        "digest": digest.hex(),
        "pairwiseSignature": made.proof.pairwise_signature.hex(),
        "signerSignature": made.proof.signer_signature.hex(),
        "content": body[3 : 3 + int.from_bytes(body[1:3], "big")].hex(),
        "welcome": envelope.hex(),
        "words": made.words,
        "state": shown_state(made.channel.state),
    }


def open_welcome(given: Fields) -> Fields:
    pending = given["pending"]
    bundle = read_bundle(b(pending["bundle"]))
    inception = handshake.read_inception(b(pending["inception"]))
    names = ("encapsulation", "helloHash")
    exchange = Exchange(bundle.hash, *(b(pending[name]) for name in names), inception, b(pending["root"]))
    secrets = AgreementKey(b(pending["ratchetKey"])), EncapsulationKey(b(pending["kemSeed"]))
    found = handshake.open_welcome(Greeting(b"", exchange, bundle, *secrets), b(given["welcome"]), given["now"])
    inviter = handshake.read_inception(found.proof.inviter)
    return {
        "relationship": exchange.relationship.hex(),
        "inviterID": inviter.id.hex(),
        "inviterKey": inviter.signing_key.hex(),
        "addresses": shown_addresses(found.addresses),
        "entries": [cbor.encode(item).hex() for item in found.items],
        "words": found.words,
        "state": shown_state(found.channel.state),
    }


# ---- ratchet ----


def shown_state(state: State) -> Fields:
    found: Fields = {
        "root": state.root.hex(),
        "ownRatchetKey": state.own_key.secret.hex(),
        "peerRatchetKey": state.peer_key.hex(),
        "previousLength": 0,
        "nextSendingHeaderKey": state.next_send_header.hex(),
        "nextReceivingHeaderKey": state.next_receive_header.hex(),
        "steps": state.steps,
        "last": state.last_post_quantum,
        "skipped": [shown_skipped(key) for key in state.skipped],
        "held": [envelope.hex() for envelope in state.held],
    }
    if state.sending is not None:
        found["previousLength"] = state.sending.n if state.turn_pending else state.sending.previous_length
    if state.sending is not None and not state.turn_pending:
        found["sending"] = {
            "keys": state.sending.keys.hex(),
            "headerKey": state.sending.header_key.hex(),
            "next": state.sending.n,
            "usedCiphertext": bool(state.sending.ct),
        }
        if state.sending.ct and state.sending.n < 8:
            found["sending"]["ciphertext"] = state.sending.ct.hex()
    if state.receiving is not None:
        found["receiving"] = {
            "keys": state.receiving.keys.hex(),
            "headerKey": state.receiving.header_key.hex(),
            "next": state.receiving.n,
            "began": state.receiving.started,
            "hasContent": state.receiving.has_content,
        }
    if state.own_offer is not None:
        found["ownOffer"] = state.own_offer.seed.hex()
    if state.peer_offer is not None:
        found["peerOffer"] = state.peer_offer.hex()
    return found


def shown_skipped(key: SkippedKey) -> Fields:
    return {
        "headerKey": key.header_key.hex(),
        "index": key.index,
        "messageKey": key.message_key.hex(),
        "expires": key.time + 7 * 86_400,
    }


def read_skipped(given: Fields) -> SkippedKey:
    found = (b(given["headerKey"]), given["index"], b(given["messageKey"]))
    return SkippedKey(*found, given["expires"] - 7 * 86_400)


def read_state(given: Fields) -> State:
    sending = given.get("sending")
    receiving = given.get("receiving")
    offer = given.get("ownOffer")
    if sending is not None:
        chain_out: SendingChain | None = SendingChain(
            b(sending["keys"]),
            b(sending["headerKey"]),
            sending["next"],
            given["previousLength"],
            b(sending.get("ciphertext", "")),
            EncapsulationKey(b(offer)).public if offer else b"",
        )
    elif given["previousLength"]:
        chain_out = SendingChain(b"", b"", given["previousLength"], 0, b"", b"")
    else:
        chain_out = None
    return State(
        b(given["root"]),
        AgreementKey(b(given["ownRatchetKey"])),
        b(given["peerRatchetKey"]),
        b(given["nextSendingHeaderKey"]),
        b(given["nextReceivingHeaderKey"]),
        chain_out,
        ReceivingChain(
            b(receiving["keys"]),
            b(receiving["headerKey"]),
            receiving["next"],
            receiving["began"],
            receiving["hasContent"],
        )
        if receiving is not None
        else None,
        sending is None,
        EncapsulationKey(b(offer)) if offer else None,
        b(given["peerOffer"]) if "peerOffer" in given else None,
        b"",
        given["last"],
        given["steps"],
        tuple(read_skipped(key) for key in given["skipped"]),
        tuple(map(b, given["held"])),
    )


def ratchet_step(given: Fields) -> Fields:
    own = AgreementKey(b(given["privateKey"]))
    receiver, ek, ct = (b(given[name]) for name in ("receiver", "encapsulationKey", "ciphertext"))
    try:
        dh = own.agree(receiver)
    except Cryptography as error:
        raise Refused("smallOrderResult") from error
    step = Step.derive(b(given["root"]), dh, b(given["sharedSecret"]), own.public, receiver, ek, ct)
    return {
        "sender": own.public.hex(),
        "dh": dh.hex(),
        "step": H("step", own.public, receiver, ek, ct).hex(),
        "root": step.root.hex(),
        "chainKey": step.chain_key.hex(),
        "nextHeaderKey": step.next_header.hex(),
    }


class Conversation:
    """Two channels and what went between them."""

    def __init__(self, given: Fields) -> None:
        self.channels = {side: Channel(read_state(given[side])) for side in ("invitee", "inviter")}
        self.released: dict[str, list[Fields]] = {"invitee": [], "inviter": []}
        self.envelopes: list[bytes] = []

    def run(self, step: Fields) -> Fields:
        self.envelopes.append(b"")
        side, now = step["side"], step["now"]
        channel = self.channels[side]
        match step["do"]:
            case "seal":
                self.envelopes[-1] = self._seal(channel, step)
                return {"envelope": self.envelopes[-1].hex()}
            case "open":
                envelope = b(step["envelope"]) if "envelope" in step else self.envelopes[step["of"]]
                return self._open(side, envelope, now)
            case "lose":
                for _ in range(step["count"]):
                    channel.seal(Kind.EPHEMERAL, b"", now)
            case "deliver":
                other = "inviter" if side == "invitee" else "invitee"
                for _ in range(step["count"]):
                    found = self._open(other, channel.seal(Kind.EPHEMERAL, b"", now), now)
                    assert found == {"kind": 2, "content": ""}
            case "release":
                opened, self.released[side] = self.released[side], []
                return {"opened": opened}
            case "turnIsDue":
                return {"isDue": channel.turn_due(now)}
        return {}

    @staticmethod
    def _seal(channel: Channel, step: Fields) -> bytes:
        channel.salt = b(step["salt"])
        drawn = [b(step[name]) for name in ("ratchetKey", "offerSeed") if name in step]
        shared = (b(step["sharedSecret"]), b(step["ciphertext"])) if "ciphertext" in step else None
        with drawing(*drawn, encapsulation=shared):
            return channel.seal(Kind(step["kind"]), b(step["content"]), step["now"])

    def _open(self, side: str, envelope: bytes, now: int) -> Fields:
        try:
            opening = self.channels[side].open(envelope, now)
        except HandfastError as error:
            return {"error": class_of(error)}
        if opening.held:
            return {"held": True}
        found = [{"kind": body.kind.value, "content": body.content.hex()} for body in opening.bodies]
        self.released[side] += found[1:]
        return found[0]


def conversation(given: Fields) -> Fields:
    talk = Conversation(given)
    steps = [talk.run(step) for step in given["steps"]]
    return {"steps": steps} | {side: shown_state(channel.state) for side, channel in talk.channels.items()}


# ---- envelope ----


def seal_envelope(given: Fields) -> Fields:
    state, content = read_state(given["state"]), b(given["content"])
    channel = Channel(state)
    channel.salt = b(given["salt"])
    before = state.sending
    envelope = channel.seal(Kind(given["kind"]), content, given["now"])
    assert before is not None
    message_key = advance(before.keys)[1]
    header = Envelope(envelope).header(HeaderBlock(before.header_key, before.n))
    return {
        "messageKey": message_key.hex(),
        "nonce": header.nonce.hex(),
        "tag": envelope[1:17].hex(),
        "header": header.encode().hex(),
        "maskedHeader": envelope[17:62].hex(),
        "body": Envelope(envelope).open(message_key, header).hex(),
        "envelope": envelope.hex(),
    }


def open_envelope(given: Fields) -> Fields:
    opening = Channel(read_state(given["state"])).open(b(given["envelope"]), given["now"])
    if opening.held:
        return {"held": True}
    return {"kind": opening.bodies[0].kind.value, "content": opening.bodies[0].content.hex()}


# ---- records and ledger ----


def make_record(given: Fields) -> Fields:
    seen = Reference(given["lastSeen"]["sequence"], b(given["lastSeen"]["hash"]))
    with drawing(b(given["salt"])):
        made = make_entry(
            SigningKey(b(given["seed"])),
            b(given["relationship"]),
            Direction(given["direction"]),
            given["sequence"],
            b(given["previous"]),
            seen,
            given["time"],
            given["type"],
            read_body(b(given["body"])),
            b(given["thread"]) if "thread" in given else None,
        )
    return {
        "bodyDigest": made.record.body_digest.hex(),
        "payload": made.record.signed.content.hex(),
        "protected": made.record.signed.protected.hex(),
        "record": made.record.encoded.hex(),
        "hash": made.record.hash.hex(),
        "entry": cbor.encode(made.value).hex(),
    }


def read_entry(data: str) -> Entry:
    with reading_as(LedgerMalformed):
        value = cbor.decode(b(data))
    return Entry.of(value)


def read_record(given: Fields) -> Fields:
    entry = read_entry(given["entry"])
    record = entry.record
    found = {
        "relationship": record.relationship.hex(),
        "direction": record.direction.value,
        "sequence": record.number,
        "previous": record.previous.hex(),
        "lastSeen": shown_reference(record.last_seen),
        "time": record.time,
        "type": record.type,
        "bodyDigest": record.body_digest.hex(),
        "hash": record.hash.hex(),
    }
    optional = {"thread": record.thread, "salt": entry.salt, "body": entry.body}
    return found | {name: value.hex() for name, value in optional.items() if value is not None}


def shown_reference(reference: Reference) -> Fields:
    return {"sequence": reference.number, "hash": reference.hash.hex()}


def record_content(given: Fields) -> Fields:
    found = read_content(b(given["content"]))
    return {"hashes": [entry.record.hash.hex() for entry in found], "encoded": encode_content(found).hex()}


def erase(given: Fields) -> Fields:
    return {"entry": cbor.encode(read_entry(given["entry"]).erased.value).hex()}


def encode_entries(given: Fields) -> Fields:
    return {"size": len(encode_content((read_entry(given["entry"]),) * given["count"]))}


def ephemeral_text(given: Fields) -> Fields:
    made = Ephemeral("message/typing", {"text": "a" * given["letters"]}).encode()
    return {"size": len(Ephemeral.decode(made).encode())}


def ephemeral(given: Fields) -> Fields:
    found = Ephemeral.decode(b(given["content"]))
    shown = {"type": found.type, "body": cbor.encode(found.body).hex(), "encoded": found.encode().hex()}
    return shown if found.thread is None else shown | {"thread": found.thread.hex()}


def receive(given: Fields) -> Fields:
    hello, _ = open_hello_(given)
    relationship = hello.exchange.relationship
    own = identity(given["identity"])
    ledger = Ledger(relationship, Direction.INVITER, own, hello.exchange.invitee, LedgerState.WELCOMED)
    for message in given["own"]:
        with drawing(b(message["salt"])):
            ledger.sign(message["time"], "message/text", {"text": message["text"]})
    results = [received(ledger, entry) for entry in given["entries"]]
    assert ledger.peer is not None
    return {
        "relationship": relationship.hex(),
        "ownHashes": [entry.record.hash.hex() for entry in ledger.own.entries],
        "results": results,
        "state": ledger.state.value,
        "owesEnd": ledger.end_owed,
        "peerHead": shown_reference(ledger.peer.latest(relationship)),
        "peerKey": ledger.peer.log.signing_key.hex(),
    }


def received(ledger: Ledger, data: str) -> Fields:
    try:
        entry = read_entry(data)
        outcome = ledger.receive(entry)
    except HandfastError as error:
        return {"error": class_of(error)}
    found: Fields = {"outcome": outcome.value}
    if outcome is not Outcome.ACCEPTED:
        return found
    body = read_body(entry.body or b"")
    match entry.record.type:
        case "relationship/introduce":
            found |= {name: body[name] for name in ("name", "url") if name in body}
        case "relationship/rotate":
            found["effect"] = "rotated"
        case "relationship/revoke":
            found["effect"] = "revoked"
        case "relationship/move":
            found["effect"] = "moved"
            found["addresses"] = [cbor.encode(address.value).hex() for address in bodies.addresses(body)]
        case "relationship/end":
            found |= {"effect": "ended", "mustAnswer": ledger.end_owed}
            found |= {"reason": body["reason"]} if "reason" in body else {}
        case "message/text":
            found |= {name: body[name] for name in ("text", "language") if name in body}
        case _:
            found["effect"] = "unknownType"
    return found


def export_file(given: Fields) -> bytes:
    sides = [[cbor.decode(b(entry)) for entry in given[side]] for side in ("invitee", "inviter")]
    proof = cbor.decode(b(given["proof"]))
    value = [given.get("version", 1), b(given["relationship"]), given["role"], proof, *sides]
    return cbor.encode(dict(enumerate(value, 1)))


def verify_file(data: bytes) -> Fields:
    export = Export.decode(data)
    verified = verify(export)
    inviter = handshake.read_inception(export.proof.inviter)
    bundle = read_bundle(export.proof.bundle)
    digest, _ = handshake.check_welcome(export.proof, bundle, export.relationship, inviter)
    transcript = H("transcript", bundle.hash, export.proof.hello_hash)
    found: Fields = {
        "relationship": export.relationship.hex(),
        "signerID": verified.signer.id.hex(),
        "words": handshake.words(transcript, digest),
    }
    for name, side in zip(("invitee", "inviter"), verified.sides, strict=True):
        found[name] = {
            "id": side.log.id.hex(),
            "eventCount": len(side.log),
            "count": len(side.entries),
            "head": side.latest(export.relationship).hash.hex(),
            "erased": sum(entry.body is None for entry in side.entries),
            "hasEnded": side.ended or side.revoked,
        }
    return found


def agree(given: Fields) -> Fields:
    exports = [Export.decode(export_file(given | given[name])) for name in ("first", "second")]
    for export in exports:
        verify(export)
    compare(*exports)
    counts = {direction: [len(export.entries(direction)) for export in exports] for direction in Direction}
    return {
        "inviteeCount": min(counts[Direction.INVITEE]),
        "inviterCount": min(counts[Direction.INVITER]),
        "isComplete": all(len(set(count)) == 1 for count in counts.values()),
    }


# ---- batches ----


def tree(given: Fields) -> Fields:
    leaves = [batch.leaf_hash(b(leaf)) for leaf in given["leaves"]]
    root, paths = batch.tree(leaves)
    return {
        "leafHashes": [leaf.hex() for leaf in leaves],
        "root": root.hex(),
        "paths": [[one.hex() for one in path] for path in paths],
    }


def sign_batch_(given: Fields) -> Fields:
    key, payloads = SigningKey(b(given["seed"])), [b(payload) for payload in given["payloads"]]
    protected = cose.protected_header("handfast-record+cose")
    hashes = [H("record", protected, payload) for payload in payloads]
    with drawing(*map(b, given["salts"])):
        records = cose.sign_batch(key, "handfast-record+cose", list(zip(payloads, hashes, strict=True)))
    proof = cose.read_sign1(records[0], None, batched=True).proof
    assert proof is not None
    root = proof.root(hashes[0])
    pairs = zip(hashes, given["salts"], strict=True)
    salted = [leaf for digest, salt in pairs for leaf in (batch.leaf_hash(digest), b(salt))]
    to_be_signed = cbor.encode(["Signature1", batch.HEADER, b"", root])
    return {
        "protected": protected.hex(),
        "hashes": [digest.hex() for digest in hashes],
        "leafHashes": [leaf.hex() for leaf in salted],
        "root": root.hex(),
        "toBeSigned": to_be_signed.hex(),
        "signature": key.sign(to_be_signed).hex(),
        "records": [record.hex() for record in records],
    }


def verify_record(given: Fields) -> Fields:
    found = decode_record(b(given["record"]))
    found.verify(Keys(b(given["key"]), b(given["endorsingKey"]) if "endorsingKey" in given else None))
    if (proof := found.signed.proof) is None:
        return {"hash": found.hash.hex()}
    return {
        "hash": found.hash.hex(),
        "treeSize": proof.size,
        "leafIndex": proof.index,
        "path": [one.hex() for one in proof.path],
        "root": proof.root(found.hash).hex(),
    }


# ---- rejoin ----


def ask(given: Fields) -> Fields:
    own, relationship, resumed = identity(given["identity"]), b(given["relationship"]), given.get("resumed")
    resumes = rejoin.Resumes({resumed: bytes(32)} if resumed is not None else {})
    instead_of = b(given["insteadOf"]) if "insteadOf" in given else None
    heads = Heads.of(cbor.decode(b(given["heads"])), relationship)
    with watching_seal(given) as seen, drawing(b(given["ratchetKey"]), b(given["kemSeed"])):
        to = addresses(given.get("addresses", ()))
        rejoin.ask(relationship, given["epoch"], resumed, resumes, heads, own, b"", given["created"], instead_of, to)
    return seen | {"externalData": (relationship + b(given["encapsulation"])).hex()}


def open_rejoin_(given: Fields) -> rejoin.Received:
    own, log = identity(given["identity"]), read_log(given["log"])
    return rejoin.open_rejoin(b(given["rejoin"]), b(given["relationship"]), own, log)


def open_rejoin(given: Fields) -> Fields:
    found, data = open_rejoin_(given), b(given["rejoin"])
    info = b"HF1.rejoin" + b(given["relationship"])
    context = hpke.receiver(identity(given["identity"]).sealing, data[1:1_121], info)
    plaintext = context.open(data[1_121:], data[:1])
    optional = {"resumed": found.resumed, "insteadOf": found.instead_of.hex() if found.instead_of else None}
    optional["addresses"] = shown_addresses(found.addresses) or None
    return {
        "exported": context.export(b"HF1.root", 32).hex(),
        "signed": plaintext[2 : 2 + int.from_bytes(plaintext[:2], "big")].hex(),
        "epoch": found.epoch,
        "heads": cbor.encode(found.item).hex(),
        "eventCount": len(found.log),
        "ratchetKey": found.ratchet_key.hex(),
        "kemKey": found.kem_key.hex(),
        "created": found.created,
        "hash": found.hash.hex(),
    } | {name: value for name, value in optional.items() if value is not None}


def answer(given: Fields) -> Fields:
    found, own = open_rejoin_(given), identity(given["identity"])
    resumes = rejoin.Resumes({kept["epoch"]: b(kept["secret"]) for kept in given["resumes"]})
    secret, nonce, salt = b(given["ratchetKey"]), b(given["nonce"]), b(given["salt"])
    ct, shared = b(given["ciphertext"]), b(given["sharedSecret"])
    heads = Heads.of(cbor.decode(b(given["heads"])), b(given["relationship"]))
    with drawing(secret, nonce, salt, encapsulation=(shared, ct)):
        to = addresses(given.get("addresses", ()))
        envelope, made = rejoin.answer(found, resumes, heads, own, given["now"], to)
    resume = resumes.secrets[found.resumed] if found.resumed is not None else b""
    root = KDF(b(open_rejoin(given)["exported"]), "rejoin root", resume, found.hash, n=32)
    named = [cbor.encode([address.value for address in to])] if to else []
    mine = AgreementKey(secret)
    values = (mine.public, found.ratchet_key, found.kem_key, ct)
    step = Step.derive(root, mine.agree(found.ratchet_key), shared, *values)
    header_key = KDF(root, "welcome hdr", nonce, n=32)
    header = Envelope(envelope).header(HeaderBlock(header_key, 0))
    body = Envelope(envelope).open(advance(step.chain_key)[1], header)
    content = body[3 : 3 + int.from_bytes(body[1:3], "big")]
    return {
        "root": root.hex(),
        "step": H("step", *values).hex(),
        "headerKey": header_key.hex(),
        "chainKey": step.chain_key.hex(),
        "messageKey": advance(step.chain_key)[1].hex(),
        "header": header.encode().hex(),
        "digest": H("rejoined", found.hash, b(given["heads"]), mine.public, ct, *named).hex(),
        "signature": cbor.decode(content)[2].hex(),
        "content": content.hex(),
        "rejoined": envelope.hex(),
        "resume": made.resume.hex(),
        "state": shown_state(made.channel.state),
    }


def open_rejoined(given: Fields) -> Fields:
    pending = given["pending"]
    hash_, root, secret, seed = (b(pending[name]) for name in ("hash", "root", "ratchetKey", "kemSeed"))
    kept = rejoin.Pending(pending["epoch"], hash_, root, AgreementKey(secret), EncapsulationKey(seed))
    found = rejoin.open_rejoined(kept, b(given["rejoined"]), read_log(given["log"]), given["now"])
    named = {"addresses": shown_addresses(found.addresses)} if found.addresses else {}
    return {
        "heads": cbor.encode(found.item).hex(),
        "eventCount": len(found.log),
        "resume": found.resume.hex(),
        "state": shown_state(found.channel.state),
    } | named


def encoded(*found: Entry) -> list[str]:
    return [cbor.encode(entry.value).hex() for entry in found]


# ---- what comes back after a rejoin ----


def read_heads(given: Fields) -> Fields:
    relationship = b(given["relationship"])
    found = decode_heads(given["heads"], relationship)
    return {
        "own": [shown_reference(one) for one in found.own],
        "peer": shown_reference(found.peer),
        "encoded": cbor.encode(found.value).hex(),
        "numbers": Heads.numbers(found.own[0].number if found.own else 0),
    }


def decode_heads(data: str, relationship: bytes) -> Heads:
    with reading_as(LedgerMalformed):
        value = cbor.decode(b(data))
    return Heads.of(value, relationship)


def give_back(given: Fields) -> Fields:
    hello, bundle = open_hello_(given)
    relationship, own = hello.exchange.relationship, identity(given["identity"])
    ledger = Ledger(relationship, Direction.INVITER, own, hello.exchange.invitee, LedgerState.WELCOMED)
    ledger.own.endorsed_by(bundle.log)
    assert ledger.peer is not None
    for entry in given["held"]:
        ledger.receive_returned(read_entry(entry))
    found: Fields = {"heads": cbor.encode(ledger.heads().value).hex()}
    if "theirs" in given:
        order = [entry.record for entry in ledger.reconcile(decode_heads(given["theirs"], relationship))]
        found |= {
            "resent": [record.number for record in order if record.direction is ledger.role],
            "returned": [record.number for record in order if record.direction is not ledger.role],
            "order": [record.hash.hex() for record in order],
            "awaits": ledger.awaited.number if ledger.awaited is not None else 0,
        }
    if "signing" in given:
        with drawing(b(given["salt"])):
            ledger.sign(given["now"], "message/text", {"text": given["signing"]})
    results = [came_back(ledger, entry) for entry in given["entries"]]
    return found | {
        "results": results,
        "state": ledger.state.value,
        "ownHead": shown_reference(ledger.own.latest(relationship)),
        "peerHead": shown_reference(ledger.peer.latest(relationship)),
    }


def came_back(ledger: Ledger, data: str) -> Fields:
    void = len(ledger.void)
    outcome = ledger.receive_returned(read_entry(data))
    if outcome is not ReturnedOutcome.BACK:
        return {"outcome": outcome.value}
    return {"outcome": "restored", "void": [entry.record.number for entry in ledger.void[void:]]}


# ---- attachments ----


def seal_attachment(given: Fields) -> Fields:
    header = b(given["header"])
    chunks = attachment.seal_chunks(b(given["content"]), b(given["key"]), header, given["chunkSize"])
    return {
        "chunkCount": len(chunks),
        "nonces": [nonce.hex() for nonce in attachment.nonces(header, chunks)],
        "chunks": [chunk.hex() for chunk in chunks],
        "digest": attachment.digest(header, chunks).hex(),
    }


def open_attachment(given: Fields) -> Fields:
    sizes = given["contentSize"], given["chunkSize"]
    secrets = (b(given[name]) for name in ("key", "header", "digest"))
    opener = attachment.Opener(attachment.Attachment("file", *sizes, *secrets))
    for chunk in given["chunks"]:
        opener.take(b(chunk))
    return {"content": opener.finish().hex()}


def read_attachment(given: Fields) -> Fields:
    found = attachment.Attachment.of(read_body(b(given["body"])))
    last = found.sealed_size(found.count - 1)
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in found.body.items()} | {
        "chunkCount": found.count,
        "sealedSize": found.size + found.count * attachment.OVERHEAD,
        "lastChunkSealedSize": last,
    }


def read_transfer(given: Fields) -> Fields:
    message = Ephemeral.decode(b(given["content"]))
    if message.type not in attachment.MESSAGES:
        return {"type": message.type}
    found = attachment.Transfer.of(message).message
    shown_body = {name: value.hex() if isinstance(value, bytes) else value for name, value in found.body.items()}
    return {"type": found.type} | shown_body


# ---- backups ----


def open_backup(given: Fields) -> Fields:
    found = backup.read(b(given["file"]), given["passphrase"].encode())
    return {"parts": [[item.hex() for item in part] for part in found.parts], "isUnfinished": found.unfinished}


def read_backup_item(given: Fields) -> Fields:
    return {"encoded": cbor.encode(backup.read_item(b(given["item"]))).hex()}


_SIDES = ("invitee", "inviter")


def class_of(error: BaseException) -> str:
    """The class of a refusal as vectors write it."""
    match error:
        case RefusedEntry(direction=direction, number=number, __cause__=cause) if cause is not None:
            return f"refusedEntry/{_SIDES[direction]}/{number}/{class_of(cause)}"
        case ExportsDisagree(direction=int(direction), number=number):
            return f"exportsDisagree/{_SIDES[direction]}/{number}"
        case HandfastError():
            return error.path.replace(".", "/")
    return str(error)


OPERATIONS: dict[tuple[str, str], Callable[[Fields], Fields]] = {
    ("primitives", "hash"): primitive(hash_),
    ("primitives", "kdf"): primitive(kdf),
    ("primitives", "ed25519Sign"): primitive(ed25519_sign),
    ("primitives", "ed25519Verify"): primitive(ed25519_verify),
    ("primitives", "x25519"): primitive(x25519),
    ("primitives", "mlkem768"): primitive(mlkem768),
    ("primitives", "mlkem768PublicKey"): primitive(mlkem768_public_key),
    ("primitives", "hpkeOpen"): primitive(hpke_open),
    ("primitives", "aeadSeal"): primitive(aead_seal),
    ("primitives", "aeadOpen"): primitive(aead_open),
    ("primitives", "chain"): primitive(chain),
    ("primitives", "headerStream"): primitive(header_stream),
    ("primitives", "padding"): primitive(padding),
    ("cbor", "decode"): decode,
    ("cose", "key"): key,
    ("cose", "sign"): sign,
    ("cose", "verify"): verify_signed,
    ("cose", "verifyDetached"): verify_detached,
    ("cose", "base32"): textual(text.from_base32),
    ("cose", "base64url"): textual(text.from_base64url),
    ("cose", "hex"): textual(text.from_hex),
    ("cose", "proquint"): textual(text.from_proquints),
    ("keylog", "make"): make_log,
    ("keylog", "verify"): lambda given: log_fields(read_log(given["log"])),
    ("keylog", "append"): append,
    ("keylog", "id"): read_id,
    ("keylog", "recoveryKey"): recovery_key,
    ("keylog", "recoveryWords"): lambda given: {"name": RecoveryRoot.read(given["words"]).name.hex()},
    ("invitation", "make"): make_invitation,
    ("invitation", "parse"): parse_invitation,
    ("bundle", "make"): make_bundle_,
    ("bundle", "verify"): verify_bundle,
    ("bundle", "accept"): accept_bundle,
    ("handshake", "makeHello"): make_hello,
    ("handshake", "openHello"): open_hello,
    ("handshake", "makeWelcome"): make_welcome,
    ("handshake", "openWelcome"): open_welcome,
    ("ratchet", "step"): ratchet_step,
    ("ratchet", "conversation"): conversation,
    ("envelope", "seal"): seal_envelope,
    ("envelope", "open"): open_envelope,
    ("record", "make"): make_record,
    ("record", "read"): read_record,
    ("record", "content"): record_content,
    ("record", "erase"): erase,
    ("record", "encode"): encode_entries,
    ("record", "ephemeral"): ephemeral,
    ("record", "ephemeralText"): ephemeral_text,
    ("record", "receive"): receive,
    ("ledger", "verify"): lambda given: verify_file(export_file(given)),
    ("ledger", "verifyFile"): lambda given: verify_file(b(given["file"])),
    ("ledger", "agree"): agree,
    ("batch-proof", "tree"): tree,
    ("batch-proof", "sign"): sign_batch_,
    ("batch-proof", "verify"): verify_record,
    ("batch-proof", "ledger"): lambda given: verify_file(export_file(given)),
    ("rejoin", "ask"): ask,
    ("rejoin", "open"): open_rejoin,
    ("rejoin", "answer"): answer,
    ("rejoin", "openRejoined"): open_rejoined,
    ("returned", "heads"): read_heads,
    ("returned", "return"): give_back,
    ("attachment", "seal"): seal_attachment,
    ("attachment", "open"): open_attachment,
    ("attachment", "body"): read_attachment,
    ("attachment", "message"): read_transfer,
    ("backup", "open"): open_backup,
    ("backup", "item"): read_backup_item,
    **anonymous_ops.OPERATIONS,
    **wire_ops.OPERATIONS,
    **status_ops.OPERATIONS,
    **claim_ops.OPERATIONS,
    **sd_ops.OPERATIONS,
}

READ = {
    ("cose", "key"): "bytes",
    ("cose", "verify"): "signed",
    ("cose", "verifyDetached"): "signed",
    ("keylog", "verify"): "log",
    ("keylog", "append"): "event",
    ("invitation", "parse"): "uri",
    ("bundle", "verify"): "bundle",
    ("handshake", "openHello"): "hello",
    ("handshake", "openWelcome"): "welcome",
    ("envelope", "open"): "envelope",
    ("rejoin", "open"): "rejoin",
    ("rejoin", "openRejoined"): "rejoined",
    ("record", "read"): "entry",
    ("record", "content"): "content",
    ("record", "ephemeral"): "content",
    ("batch-proof", "verify"): "record",
    ("ledger", "verifyFile"): "file",
    ("attachment", "body"): "body",
    ("attachment", "message"): "content",
    ("anonymous", "parameters"): "parameters",
}
"""Operations that read bytes of others, and where the bytes stand in their input."""


# ---- checking ----


def check(file: Fields, vector: Fields) -> None:
    """Raises `AssertionError` where this package and a vector differ."""
    assert file["format"] == 1
    given = file.get("common", {}) | vector["in"]
    name = f"{file['layer']}: {vector['name']}"
    try:
        found = OPERATIONS[file["layer"], vector["op"]](given)
    except (HandfastError, Refused) as error:
        assert "error" in vector, (name, class_of(error))
        assert class_of(error) == vector["error"], (name, class_of(error), vector["error"])
        return
    assert "error" not in vector, (name, "was not refused")
    # A file may leave out what it does not want to be compared.
    for field, expected in vector["out"].items():
        assert found.get(field) == expected, (name, field, found.get(field), expected)


def read_folder(folder: Path) -> list[tuple[Fields, Fields]]:
    """Every vector of a folder with its file."""
    files = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    return [(file, vector) for file in files for vector in file["vectors"]]
