"""Noise, packets, frames and the relay's client, on loopback."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest
from parties import NOW
from toy_relay import ToyRelay

from handfast import bundle as bundles
from handfast import handshake
from handfast.address import Address, Relay
from handfast.envelope import Kind
from handfast.errors import HandfastError, LinkError, RelayError
from handfast.identity import Identity
from handfast.invitation import Invitation
from handfast.ledger import Ledger, State
from handfast.link import MAX_FRAME, Frames, Link
from handfast.noise import Handshake
from handfast.record import Direction, encode_content, read_content
from handfast.relay import Policy, Put, RelayClient, Status, chain_digest
from handfast.suite.agreement import AgreementKey
from handfast.suite.signing import SigningKey
from handfast.suite.xwing import SealingKey

VECTOR = Path(__file__).parents[2] / "third-party/cacophony/noise-nk-25519-chachapoly-blake2b.json"


def test_cacophony() -> None:
    vector = {k: v for k, v in json.loads(VECTOR.read_text())["vectors"][0].items()}
    responder_key = AgreementKey(bytes.fromhex(vector["resp_static"]))
    assert responder_key.public.hex() == vector["init_remote_static"]
    prologue = bytes.fromhex(vector["init_prologue"])
    client = Handshake(
        responder_key.public, ephemeral=AgreementKey(bytes.fromhex(vector["init_ephemeral"])), prologue=prologue
    )
    server = Handshake(
        responder_key.public, responder_key, AgreementKey(bytes.fromhex(vector["resp_ephemeral"])), prologue
    )
    messages = [(bytes.fromhex(m["payload"]), bytes.fromhex(m["ciphertext"])) for m in vector["messages"]]
    assert client.write_first(messages[0][0]) == messages[0][1]
    assert server.read_first(messages[0][1]) == messages[0][0]
    second, at_server = server.write_second(messages[1][0])
    assert second == messages[1][1]
    payload, at_client = client.read_second(second)
    assert payload == messages[1][0]
    assert at_client.hash == at_server.hash and at_client.hash.hex() == vector["handshake_hash"]
    for number, (payload, ciphertext) in enumerate(messages[2:]):
        sender, receiver = (at_client, at_server) if number % 2 == 0 else (at_server, at_client)
        assert sender.sending.encrypt(payload) == ciphertext
        assert receiver.receiving.decrypt(ciphertext) == payload


def test_frames_need_not_align() -> None:
    frames = Frames()
    data = b"\0\0\0\x01a\0\0\0\x03bcd"
    assert [f for byte in data for f in frames.feed(bytes([byte]))] == [b"a", b"bcd"] and frames.empty
    for length in (0, MAX_FRAME + 1):
        with pytest.raises(LinkError):
            list(Frames().feed(length.to_bytes(4, "big")))


async def _two_parties() -> None:
    toy = ToyRelay()
    relay = await toy.start()
    shop, ann = await RelayClient.connect(relay), await RelayClient.connect(relay)
    with pytest.raises(RelayError) as caught:
        await shop.open_knock_queue(os.urandom(16))
    assert caught.value.number == 2
    assert await shop.attach(SigningKey(os.urandom(32))) == (0, 0)
    await ann.attach(SigningKey(os.urandom(32)))
    await asyncio.gather(shop.ping(), ann.ping(), shop.ping())

    signer, bundle_key, ticket, knock_queue = (
        Identity.create(NOW),
        SealingKey(os.urandom(32)),
        os.urandom(16),
        os.urandom(16),
    )
    bundle = bundles.make_bundle(signer, bundle_key.public, NOW, NOW + 86_400)
    invitation = Invitation(relay, knock_queue, signer.id, 1, ticket)
    await shop.open_knock_queue(knock_queue)
    with pytest.raises(RelayError):
        await ann.fetch(knock_queue)
    await shop.admit(knock_queue, [invitation.knock])
    await shop.publish(knock_queue, [(bundle.not_before, bundle.expires, bundle.encoded)])
    await shop.subscribe(0)
    await ann.subscribe(0)

    at_ann, at_shop = (Address(relay, os.urandom(16), os.urandom(32)) for _ in range(2))
    await ann.open_send_queues([(at_ann.queue, at_ann.capability)])
    await shop.open_send_queues([(at_shop.queue, at_shop.capability)])
    fetched = bundles.read_bundle(await ann.fetch(knock_queue))
    fetched.check(Invitation.parse(str(invitation)), NOW)
    own = Identity.create(NOW)
    greeting = handshake.greet(fetched, ticket, own, (at_ann,), NOW)
    await ann.knock(knock_queue, invitation.knock, greeting.hello)

    message = await shop.message()
    assert message is not None and message.queue == knock_queue
    hello = handshake.open_hello(message.data, bundle, bundle_key)
    pairwise = Identity.create(NOW)
    envelope, at_inviter = handshake.welcome(hello, bundle, signer, pairwise, (at_shop,), NOW)
    target = hello.addresses[0]
    (result,) = await shop.put(Put(target.queue, target.capability, 0, [envelope]))
    assert result.status is Status.OK and result.next == 1 and result.digest == chain_digest(bytes(32), envelope)
    await shop.ack(message.position)
    (gap, behind) = await shop.put(
        Put(target.queue, target.capability, 5, [envelope]), Put(target.queue, target.capability, 0, [envelope])
    )
    assert (gap.status, behind.status) == (Status.GAP, Status.BEHIND)
    (refused,) = await shop.put(Put(target.queue, bytes(32), 1, [envelope]))
    assert refused.status is Status.REFUSED

    message = await ann.message()
    assert message is not None
    at_invitee = handshake.open_welcome(greeting, message.data, NOW)
    ledger = Ledger(greeting.exchange.relationship, Direction.INVITEE, own, pairwise.inception, State.LIVE)
    entries = tuple(ledger.sign(NOW, "message/text", {"text": f"{n}"}) for n in range(5))
    sealed = at_invitee.channel.seal(Kind.RECORDS, encode_content(entries), NOW)
    target = at_invitee.addresses[0]
    await ann.put(Put(target.queue, target.capability, 0, [sealed]))
    message = await shop.message()
    assert message is not None
    theirs = Ledger(hello.exchange.relationship, Direction.INVITER, pairwise, own.inception, State.WELCOMED)
    for entry in read_content(at_inviter.channel.open(message.data, NOW).bodies[0].content):
        theirs.receive(entry)
    assert len(theirs.entries(Direction.INVITEE)) == 5
    await shop.set_policies(Policy(at_shop.queue, paused=True, rate=60, burst=5))
    (paused,) = await ann.put(Put(target.queue, target.capability, 1, [sealed]))
    assert (paused.status, paused.next) == (Status.PAUSED, 1)
    await shop.close_queues(at_shop.queue)
    (closed,) = await ann.put(Put(target.queue, target.capability, 1, [sealed]))
    assert closed.status is Status.CLOSED
    await shop.close()
    await ann.close()
    toy.server.close()


def test_two_parties_over_a_relay() -> None:
    asyncio.run(asyncio.wait_for(_two_parties(), 20))


async def _wrong_key() -> None:
    toy = ToyRelay()
    relay = await toy.start()
    with pytest.raises(LinkError):
        await Link.connect(Relay(relay.host, relay.port, AgreementKey(os.urandom(32)).public))
    toy.server.close()


@pytest.mark.filterwarnings("ignore")
def test_a_server_without_the_key_is_no_relay() -> None:
    asyncio.run(asyncio.wait_for(_wrong_key(), 20))


async def _large_frames() -> None:
    toy = ToyRelay()
    link = await Link.connect(await toy.start())
    with pytest.raises(LinkError):
        await link.send(bytes(MAX_FRAME + 1))
    await link.close()
    toy.server.close()


def test_a_frame_beyond_the_bound_is_not_sent() -> None:
    asyncio.run(asyncio.wait_for(_large_frames(), 20))


def test_errors_are_of_one_family() -> None:
    assert issubclass(LinkError, HandfastError) and str(RelayError(3)) == "relayError (refused)"
