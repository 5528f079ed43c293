"""A new epoch (Spec/04 §4.8, §4.9; Spec/05 on what follows): lost channels, restored copies, crossed rejoins."""

from __future__ import annotations

import asyncio
import copy
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from parties import NOW, Pair
from toy_relay import ToyRelay

from handfast import rejoin
from handfast.errors import (
    AwaitingOwnRecords,
    KeyLogError,
    LastSeenMismatch,
    Malformed,
    MissingRecord,
    NotAllowed,
    NotAuthentic,
    ProtocolError,
    RecordSignature,
    SignatureRefused,
    TooLarge,
    UnknownResume,
    UnknownTag,
)
from handfast.export import Export, compare, verify
from handfast.identity import Identity
from handfast.ledger import Outcome, ReturnedOutcome, State, merged
from handfast.party import Host, Party
from handfast.record import Reference, read_body
from handfast.rejoin import Policy, Resumes, Verdict


@dataclass
class Epoch:
    """Both ends of one relationship with their resume secrets."""

    pair: Pair
    asker: Resumes
    answerer: Resumes

    @classmethod
    def create(cls) -> Epoch:
        pair = Pair.meet(first=2)
        resumes = Resumes(), Resumes()
        for one, welcome in zip(resumes, (pair.at_invitee, pair.at_inviter), strict=True):
            one.add(0, welcome.resume)
        return cls(pair, *resumes)

    def ask(self, epoch: int = 1, resumed: int | None = 0) -> tuple[bytes, rejoin.Pending]:
        ann = self.pair.invitee_ledger
        key = self.pair.inviter_ledger.identity.sealing.public
        return rejoin.ask(ann.relationship, epoch, resumed, self.asker, ann.heads(), ann.identity, key, NOW)

    def open(self, data: bytes) -> rejoin.Received:
        shop = self.pair.inviter_ledger
        assert shop.peer is not None
        return rejoin.open_rejoin(data, shop.relationship, shop.identity, shop.peer.log)

    def answer(self, received: rejoin.Received) -> tuple[bytes, rejoin.Rejoined]:
        shop = self.pair.inviter_ledger
        return rejoin.answer(received, self.answerer, shop.heads(), shop.identity, NOW)

    def finish(self, pending: rejoin.Pending, envelope: bytes) -> rejoin.Rejoined:
        ann = self.pair.invitee_ledger
        assert ann.peer is not None
        return rejoin.open_rejoined(pending, envelope, ann.peer.log, NOW)


def test_an_epoch_begins() -> None:
    both = Epoch.create()
    data, pending = both.ask()
    received = both.open(data)
    assert (received.epoch, received.resumed, received.hash) == (1, 0, pending.hash)
    assert received.heads(both.pair.invitee_ledger.relationship) == both.pair.invitee_ledger.heads()
    envelope, at_answerer = both.answer(received)
    at_asker = both.finish(pending, envelope)
    assert at_asker.resume == at_answerer.resume
    assert at_asker.heads(both.pair.invitee_ledger.relationship) == both.pair.inviter_ledger.heads()
    for sender, receiver in ((at_asker, at_answerer), (at_answerer, at_asker)) * 3:
        sealed = sender.channel.seal(rejoin.Kind.EPHEMERAL, b"on", NOW)
        assert receiver.channel.open(sealed, NOW).bodies[0].content == b"on"


def test_key_events_that_the_peer_lacks_are_shown() -> None:
    both = Epoch.create()
    both.pair.invitee_ledger.rotate(NOW)
    both.pair.inviter_ledger.rotate(NOW)
    data, pending = both.ask()
    assert len(both.open(data).log) == 2 and len(both.pair.inviter_ledger.peer.log) == 1  # type: ignore[union-attr]
    assert len(both.finish(pending, both.answer(both.open(data))[0]).log) == 2


def test_two_that_rotated_at_once_open_each_others_rejoin() -> None:
    both = Epoch.create()
    key = both.pair.inviter_ledger.identity.sealing.public
    rotation = both.pair.inviter_ledger.rotate(NOW)
    ann = both.pair.invitee_ledger
    data, _ = rejoin.ask(ann.relationship, 1, 0, both.asker, ann.heads(), ann.identity, key, NOW)
    assert both.open(data).epoch == 1
    ann.receive(rotation)
    both.pair.inviter_ledger.receive(ann.sign(NOW, "message/text", {"text": "seen"}))
    with pytest.raises(NotAuthentic):
        both.open(data)


def test_an_old_key_asks_for_nothing() -> None:
    both = Epoch.create()
    before = copy.deepcopy(both.pair.invitee_ledger)
    both.pair.inviter_ledger.receive(both.pair.invitee_ledger.rotate(NOW))
    both.pair.invitee_ledger = before
    with pytest.raises(SignatureRefused):
        both.open(both.ask()[0])


def test_a_revoked_identity_does_not_rejoin() -> None:
    both = Epoch.create()
    both.pair.invitee_ledger.revoke(NOW)
    with pytest.raises(KeyLogError):
        both.open(both.ask()[0])


def test_refusals() -> None:
    both = Epoch.create()
    data, pending = both.ask()
    envelope, _ = both.answer(both.open(data))
    for changed, refusal in (
        (data[:1_392], Malformed),
        (data + bytes(65_000), TooLarge),
        (b"\x01" + data[1:], ProtocolError),
        (data[:200] + bytes([data[200] ^ 1]) + data[201:], NotAuthentic),
        (data[:-1], NotAuthentic),
    ):
        with pytest.raises(refusal):
            both.open(changed)
    other = Epoch.create()
    with pytest.raises(NotAuthentic):
        other.open(data)
    with pytest.raises(ProtocolError):
        both.finish(both.ask()[1], envelope)
    for place in (1, 20, 100, len(envelope) - 1):
        with pytest.raises(ProtocolError):
            both.finish(pending, envelope[:place] + bytes([envelope[place] ^ 1]) + envelope[place + 1 :])
    both.asker.add(3, bytes(32))
    with pytest.raises(UnknownResume):
        both.answer(both.open(both.ask(4, 3)[0]))
    with pytest.raises(Malformed):
        both.open(both.ask(3, 3)[0])


def test_without_the_resume_secret_no_root_is_alike() -> None:
    both = Epoch.create()
    both.answerer.add(0, os.urandom(32))
    data, pending = both.ask()
    envelope, _ = both.answer(both.open(data))
    with pytest.raises(ProtocolError):
        both.finish(pending, envelope)
    data, pending = both.ask(resumed=None)
    both.finish(pending, both.answer(both.open(data))[0])


def test_four_secrets_are_kept() -> None:
    resumes = Resumes()
    for epoch in range(7):
        resumes.add(epoch, bytes([epoch]) * 32)
    assert sorted(resumes.secrets) == [3, 4, 5, 6] and resumes.latest(4) == 4 and resumes.latest(2) is None


# ---- which rejoin stands ----


def judged(policy: Policy, epoch: int, pending: int | None = None, **more: Any) -> Verdict:
    both = Epoch.create()
    received = both.open(both.ask(epoch, more.get("resumed", 0))[0])
    own = None
    if pending is not None:
        own = rejoin.Pending(pending, more.get("hash", b"own"), b"", *[None] * 2)  # type: ignore[arg-type]
    return policy.judge(received, own, both.answerer, more.get("first", False))


def test_the_higher_epoch_stands_then_the_lower_id() -> None:
    assert judged(Policy(), 1) is Verdict.ANSWER
    assert judged(Policy(), 2, pending=1) is Verdict.ANSWER
    assert judged(Policy(), 1, pending=2) is Verdict.DROPPED
    assert judged(Policy(), 1, pending=1, first=True) is Verdict.DROPPED
    assert judged(Policy(), 1, pending=1, first=False) is Verdict.ANSWER
    assert judged(Policy(begun=1), 1) is Verdict.STALE


def test_the_next_rejoin_resumes_what_both_remember() -> None:
    policy, resumes = Policy(), Resumes({0: bytes(32), 1: bytes(32)})
    policy.begins(1)
    assert policy.plan(resumes) == (2, 1, None)
    assert judged(policy, 1) is Verdict.STALE
    epoch, resumed, instead_of = policy.plan(resumes)
    assert (epoch, resumed) == (3, 0) and instead_of is not None
    assert judged(policy, 9, resumed=None) is Verdict.ANSWER
    assert policy.plan(resumes)[:2] == (10, None)


def test_a_rejoin_that_cannot_be_answered_tells_once_where_the_peer_receives() -> None:
    both = Epoch.create()
    ann, key = both.pair.invitee_ledger, both.pair.inviter_ledger.identity.sealing.public
    elsewhere = both.pair.hello.addresses
    data, _ = rejoin.ask(
        ann.relationship, 3, 0, both.asker, ann.heads(), ann.identity, key, NOW, addresses=elsewhere
    )
    received, policy = both.open(data), Policy(begun=2)
    assert policy.judge(received, None, Resumes(), False) is Verdict.STALE
    assert policy.shows_addresses(received)
    assert not policy.shows_addresses(received)
    assert not Policy(begun=3).shows_addresses(received)


def test_losses_ask_for_one_rejoin_an_hour() -> None:
    policy = Policy()
    for _ in range(3):
        policy.refused(UnknownTag())
    policy.opened()
    for _ in range(3):
        policy.refused(None)
    assert not policy.is_due(NOW)
    policy.refused(NotAuthentic())
    assert policy.is_due(NOW)
    policy.asked(NOW)
    policy.refused(MissingRecord())
    assert not policy.is_due(NOW + 3_599) and policy.is_due(NOW + 3_600)
    policy.begins(1)
    assert not policy.is_due(NOW + 9_999)


# ---- what either side lacks ----


def talk(both: Pair, count: int) -> None:
    for number in range(count):
        both.inviter_ledger.receive(both.invitee_ledger.sign(NOW, "message/text", {"text": f"ask {number}"}))
        both.invitee_ledger.receive(both.inviter_ledger.sign(NOW, "message/text", {"text": f"answer {number}"}))


def settle(both: Pair) -> list[Outcome | ReturnedOutcome]:
    """Both tell their heads and send what the other lacks."""
    one, other = both.invitee_ledger, both.inviter_ledger
    heads = one.heads(), other.heads()
    sent = other.reconcile(heads[0]), one.reconcile(heads[1])
    return [ledger.receive_returned(entry) for ledger, given in ((one, sent[0]), (other, sent[1])) for entry in given]


def alike(both: Pair) -> None:
    for side in ("own", "peer"):
        other = "peer" if side == "own" else "own"
        mine, theirs = getattr(both.invitee_ledger, side), getattr(both.inviter_ledger, other)
        assert [entry.record.hash for entry in mine.entries] == [entry.record.hash for entry in theirs.entries]
    for ledger in (both.invitee_ledger, both.inviter_ledger):
        assert ledger.awaited is None
    verify_both(both)


def verify_both(both: Pair) -> None:
    exports = [Export.of(ledger, both.proof) for ledger in (both.invitee_ledger, both.inviter_ledger)]
    for export in exports:
        verify(export)
    compare(*exports)


@pytest.mark.parametrize("back", ["invitee", "inviter", "both"])
@pytest.mark.parametrize("count", [1, 5, 40])
def test_a_restored_side_gets_everything_back(back: str, count: int) -> None:
    both = Pair.meet(first=2)
    talk(both, 3)
    old = copy.deepcopy((both.invitee_ledger, both.inviter_ledger))
    talk(both, count)
    both.inviter_ledger.receive(both.invitee_ledger.sign(NOW, "message/text", {"text": "last"}))
    if back != "inviter":
        both.invitee_ledger = old[0]
    if back != "invitee":
        both.inviter_ledger = old[1]
    settle(both)
    alike(both)
    assert (len(both.invitee_ledger.own.entries) == 6 + count) is (back != "both")
    talk(both, 2)


def test_what_a_restored_side_said_meanwhile_is_void() -> None:
    both = Pair.meet(first=2)
    old = copy.deepcopy(both.invitee_ledger)
    talk(both, 1)
    both.invitee_ledger = old
    old.sign(NOW, "message/text", {"text": "did not know"})
    old.end_owed = False
    old.sign(NOW, "relationship/end", {})
    assert old.state is State.ENDING
    outcomes = settle(both)
    assert ReturnedOutcome.BACK in outcomes and old.state is State.LIVE
    assert [read_body(entry.body or b"").get("text") for entry in old.void] == ["did not know", None]
    alike(both)


def test_nothing_is_signed_before_own_records_are_back() -> None:
    both = Pair.meet(first=2)
    old = copy.deepcopy(both.invitee_ledger)
    talk(both, 1)
    old.reconcile(both.inviter_ledger.heads())
    with pytest.raises(AwaitingOwnRecords):
        old.sign(NOW, "message/text", {"text": "too early"})


def test_a_void_rotation_is_said_again() -> None:
    both = Pair.meet(first=2)
    old = copy.deepcopy(both.invitee_ledger)
    talk(both, 1)
    both.invitee_ledger = old
    old.rotate(NOW + 5)
    settle(both)
    assert len(old.own.log) == 1 and len(old.identity.log) == 2
    restated = old.restate_rotation(NOW + 6)
    assert restated is not None and both.inviter_ledger.receive(restated) is Outcome.ACCEPTED
    assert old.restate_rotation(NOW + 6) is None
    alike(both)


def test_copies_of_both_sides_at_work_freeze_both() -> None:
    both = Pair.meet(first=2)
    ann, shop = both.invitee_ledger, copy.deepcopy(both.inviter_ledger)
    other = copy.deepcopy(ann).sign(NOW, "message/text", {"text": "another"})
    talk(both, 1)
    shop.receive(other)
    heads = ann.heads(), shop.heads()
    (returned,) = shop.reconcile(heads[0])
    (refused,) = ann.reconcile(heads[1])
    assert ann.receive_returned(returned) is Outcome.FORK
    assert ann.state is State.FROZEN and ann.awaited is None and not ann.may_rejoin and ann.answers_rejoin
    with pytest.raises(LastSeenMismatch):
        shop.receive_returned(refused)
    with pytest.raises(NotAllowed):
        ann.receive_returned(other)
    (own,) = ann.reconcile(shop.heads())
    assert shop.receive_returned(own) is Outcome.FORK
    assert shop.state is State.FROZEN and not shop.answers_rejoin
    assert sorted(shop.evidence) == sorted(ann.evidence)


def test_a_forged_own_record_freezes_nothing() -> None:
    both = Pair.meet(first=2)
    ann = both.invitee_ledger
    forger = copy.deepcopy(ann)
    forger.identity = Identity.create(NOW)
    forged = forger.sign(NOW, "message/text", {"text": "another"})
    talk(both, 1)
    with pytest.raises(RecordSignature):
        ann.receive_returned(forged)
    assert ann.state is State.LIVE


def test_entries_of_both_directions_follow_what_they_have_seen() -> None:
    both = Pair.meet(first=2)
    talk(both, 4)
    peer = both.invitee_ledger.peer
    assert peer is not None
    seen = {0: 0, 1: 0}
    for entry in merged(both.invitee_ledger.own.entries, peer.entries):
        record = entry.record
        assert record.last_seen.number <= seen[record.direction.other]
        seen[record.direction] = record.number
    assert seen == {0: 6, 1: 5}


def test_heads_reach_back_in_growing_steps() -> None:
    both = Pair.meet(first=2)
    talk(both, 38)
    heads = both.invitee_ledger.heads()
    assert [one.number for one in heads.own] == [40, 39, 37, 33, 25, 9]
    assert heads.peer == both.inviter_ledger.own.latest(both.invitee_ledger.relationship)
    assert Pair.meet().invitee_ledger.heads().own == ()
    assert rejoin.Heads((), Reference(0, bytes(32))).value == [[], [0, bytes(32)]]


# ---- over a relay ----


def play(scene: Callable[[Party, Party], Awaitable[None]], refusals: int = 0) -> None:
    async def within() -> None:
        toy = ToyRelay()
        host = await Host.open(await toy.start())
        uri = str(await host.invite())
        ann, shop = await asyncio.gather(Party.accept(uri, name="Ann"), host.welcome("Shop"))
        await shop.receive()
        await scene(ann, shop)
        for party in (ann, shop):
            assert len(party.refusals) <= refusals
            await party.close()
        await host.close()
        toy.server.close()

    asyncio.run(asyncio.wait_for(within(), 20))


async def converse(one: Party, other: Party) -> None:
    for sender, receiver in ((one, other), (other, one)) * 2:
        await sender.say("on")
        assert len(await receiver.receive()) == 1


def test_either_side_begins_a_new_epoch_over_a_relay() -> None:
    async def scene(ann: Party, shop: Party) -> None:
        for one, other in ((ann, shop), (shop, ann), (ann, shop)):
            await converse(one, other)
            await one.rejoin()
            await other.receive()
            await one.receive()
            assert one.channel is not None and one.policy.begun == other.policy.begun
            await other.receive()
        await converse(ann, shop)
        assert ann.policy.begun == 3 and not ann.without_resume

    play(scene)


def test_crossed_rejoins_come_to_one_epoch() -> None:
    async def scene(ann: Party, shop: Party) -> None:
        await asyncio.gather(ann.rejoin(), shop.rejoin())
        await asyncio.gather(ann.receive(), shop.receive())
        first, second = (ann, shop) if ann.pending is not None else (shop, ann)
        await first.receive()
        await second.receive()
        assert ann.policy.begun == shop.policy.begun == 1
        await converse(ann, shop)

    play(scene)


def test_a_restored_party_comes_back_over_a_relay() -> None:
    async def scene(ann: Party, shop: Party) -> None:
        kept = copy.deepcopy((ann.ledger, ann.resumes, ann.policy))
        await converse(ann, shop)
        ann.ledger, ann.resumes, ann.policy = kept
        await ann.rejoin()
        await shop.receive()
        for _ in range(3):
            await ann.receive(2)
            if len(ann.ledger.own.entries) == 3:
                break
        assert ann.ledger.awaited is None
        await ann.say("back")
        while len(shop.ledger.peer.entries) < 4:  # type: ignore[union-attr]
            await shop.receive()
        compare(ann.export(), shop.export())

    play(scene)


def test_noise_and_a_lost_channel_lead_to_a_new_epoch() -> None:
    async def scene(ann: Party, shop: Party) -> None:
        for _ in range(4):
            await ann.sender.put(b"\x01" + os.urandom(333))
            await shop.receive()
        assert shop.channel is None
        await ann.receive()
        await shop.receive()
        await ann.receive()
        await converse(ann, shop)

    play(scene, refusals=4)


def test_a_rejoin_that_cannot_be_answered_is_answered_by_one_that_can() -> None:
    async def scene(ann: Party, shop: Party) -> None:
        # The invitee's resume secrets are those of nobody, and its identity may go first or not.
        ann.resumes.secrets = {0: bytes(32), 7: bytes(32)}
        ann.policy.named = 8
        await ann.rejoin()
        await shop.receive()
        assert shop.channel is None and shop.pending is not None
        await ann.receive()
        assert ann.pending is None and ann.policy.begun == 10 and shop.policy.most == 7
        # It resumed epoch 0, whose secrets differ: the answer does not open, which a day or a person mends.
        await shop.receive()
        shop.resumes.secrets = {}
        await shop.rejoin()
        await ann.receive()
        await shop.receive()
        await ann.receive()
        assert ann.without_resume and ann.policy.begun == 11
        await converse(ann, shop)

    play(scene, refusals=1)
