"""Handshake, ratchet and envelope: two ends over calm and random schedules."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from parties import NOW, Inviter, Pair

from handfast import handshake
from handfast.envelope import MAX_CONTENT, Body, Header, HeaderBlock, Kind
from handfast.errors import (
    ChainExhausted,
    HandfastError,
    NotAuthentic,
    ProtocolError,
    TooLarge,
    TooManyHeld,
    TooManySkipped,
    UnknownTag,
    WrongBundle,
)
from handfast.padding import padme
from handfast.ratchet import LAST_INDEX, Channel, seal_next


def test_both_ends_agree_after_the_handshake() -> None:
    pair = Pair.meet(first=3, rotate_signer=True)
    assert pair.at_inviter.words == pair.at_invitee.words and len(pair.at_inviter.words.split("-")) == 6
    assert pair.at_inviter.proof == pair.at_invitee.proof
    assert pair.at_invitee.channel.state.root == pair.at_inviter.channel.state.root


def test_hello_of_another_bundle_is_refused() -> None:
    pair = Pair.meet()
    other = Inviter.create()
    with pytest.raises(WrongBundle):
        handshake.open_hello(pair.greeting.hello, other.bundle, other.key)


def test_every_mutated_byte_of_hello_and_welcome_is_refused() -> None:
    pair = Pair.meet(first=1)
    source = random.Random(1)
    for data, opener in (
        (pair.greeting.hello, lambda d: handshake.open_hello(d, pair.inviter.bundle, pair.inviter.key)),
        (pair.envelope, lambda d: handshake.open_welcome(pair.greeting, d, NOW)),
    ):
        places = sorted({*range(0, 200), *source.sample(range(len(data)), 150), len(data) - 1})
        for place in places:
            mutated = bytearray(data)
            mutated[place] ^= 1 << source.randrange(8)
            with pytest.raises(HandfastError):
                opener(bytes(mutated))
        for cut in (0, 1, 33, 61, 100, len(data) - 1):
            with pytest.raises(HandfastError):
                opener(data[:cut])


def ends() -> tuple[Channel, Channel]:
    pair = Pair.meet()
    return pair.at_invitee.channel, pair.at_inviter.channel


def one(channel: Channel, envelope: bytes, now: int = NOW) -> Body:
    opening = channel.open(envelope, now)
    assert not opening.held and len(opening.bodies) == 1
    return opening.bodies[0]


def test_first_messages_both_ways_and_sizes() -> None:
    invitee, inviter = ends()
    envelope = invitee.seal(Kind.TURN, b"", NOW)
    assert len(envelope) == 78 + 256
    assert one(inviter, envelope).kind is Kind.TURN
    again = inviter.seal(Kind.EPHEMERAL, b"x" * MAX_CONTENT, NOW)
    assert len(again) == 78 + padme(3 + MAX_CONTENT)
    assert one(invitee, again).content == b"x" * MAX_CONTENT
    with pytest.raises(TooLarge):
        inviter.seal(Kind.EPHEMERAL, b"x" * (MAX_CONTENT + 1), NOW)


def test_inviter_may_write_before_the_invitee_answers() -> None:
    invitee, inviter = ends()
    for number in range(12):
        assert one(invitee, inviter.seal(Kind.EPHEMERAL, bytes([number]), NOW)).content == bytes([number])


def test_a_refusal_changes_nothing() -> None:
    invitee, inviter = ends()
    envelope = invitee.seal(Kind.EPHEMERAL, b"hello", NOW)
    source = random.Random(2)
    for place in range(len(envelope)):
        mutated = bytearray(envelope)
        mutated[place] ^= 1 << source.randrange(8)
        before = inviter.state
        with pytest.raises(ProtocolError):
            inviter.open(bytes(mutated), NOW)
        assert inviter.state is before
    assert one(inviter, envelope).content == b"hello"
    with pytest.raises(UnknownTag):
        inviter.open(envelope, NOW)


def test_skipping_within_bounds_and_beyond() -> None:
    invitee, inviter = ends()
    envelopes = [invitee.seal(Kind.EPHEMERAL, n.to_bytes(2, "big"), NOW) for n in range(260)]
    with pytest.raises(UnknownTag):
        inviter.open(envelopes[257], NOW)
    assert one(inviter, envelopes[256]).content == (256).to_bytes(2, "big")
    for n in (255, 0, 100):
        assert one(inviter, envelopes[n]).content == n.to_bytes(2, "big")
    with pytest.raises(UnknownTag):
        inviter.open(envelopes[1], NOW + 8 * 86_400)


def test_a_chain_length_that_skips_too_much_is_refused() -> None:
    invitee, inviter = ends()
    one(inviter, invitee.seal(Kind.TURN, b"", NOW))
    for _ in range(257):
        invitee.seal(Kind.EPHEMERAL, b"lost", NOW)
    one(invitee, inviter.seal(Kind.TURN, b"", NOW))
    with pytest.raises(TooManySkipped):
        inviter.open(invitee.seal(Kind.TURN, b"", NOW), NOW)


def test_a_chain_ends_on_both_sides() -> None:
    invitee, inviter = ends()
    one(inviter, invitee.seal(Kind.TURN, b"", NOW))
    at_last = replace(invitee.state.sending, n=LAST_INDEX)  # type: ignore[type-var]
    invitee.state = replace(invitee.state, sending=at_last)
    assert inviter.state.receiving is not None
    inviter.state = replace(inviter.state, receiving=replace(inviter.state.receiving, n=LAST_INDEX))
    assert one(inviter, invitee.seal(Kind.EPHEMERAL, b"last", NOW)).content == b"last"
    with pytest.raises(ChainExhausted):
        invitee.seal(Kind.EPHEMERAL, b"", NOW)
    assert invitee.state.sending is not None
    beyond, _ = seal_next(invitee.state.sending, invitee.state.own_key.public, bytes(8), Kind.EPHEMERAL, b"")
    with pytest.raises(UnknownTag):
        inviter.open(beyond, NOW)
    turn(inviter, invitee, NOW)
    assert turn(invitee, inviter, NOW).content == b"turn"


def test_what_two_chains_skip_counts_together() -> None:
    for more, refused in ((56, False), (57, True)):
        invitee, inviter = ends()
        one(inviter, invitee.seal(Kind.TURN, b"", NOW))
        for _ in range(200):
            invitee.seal(Kind.EPHEMERAL, b"lost", NOW)
        one(invitee, inviter.seal(Kind.TURN, b"", NOW))
        envelopes = [invitee.seal(Kind.EPHEMERAL, b"next", NOW) for _ in range(more + 1)]
        if refused:
            with pytest.raises(TooManySkipped):
                inviter.open(envelopes[more], NOW)
        else:
            assert one(inviter, envelopes[more]).content == b"next"


def test_a_header_that_cannot_be_is_not_authentic() -> None:
    invitee, inviter = ends()
    for _ in range(2):
        one(inviter, invitee.seal(Kind.EPHEMERAL, b"", NOW))
    one(invitee, inviter.seal(Kind.TURN, b"", NOW))
    invitee.seal(Kind.TURN, b"", NOW)
    chain, key = invitee.state.sending, invitee.state.own_key.public
    assert chain is not None and chain.previous_length == 2
    chain = replace(chain, n=0)
    ct_without_offer = replace(chain, ct=bytes(1_088))
    for wrong in (replace(chain, previous_length=1), ct_without_offer):
        envelope, _ = seal_next(wrong, key, bytes(8), Kind.TURN, b"")
        with pytest.raises(NotAuthentic):
            inviter.open(envelope, NOW)
    masks = HeaderBlock(chain.header_key, 0)
    for flags in (1, 2, 4, 7, 255):
        header = bytes([flags]) + Header(False, False, 2, bytes(8), key).encode()[1:]
        head = b"\x01" + masks.tag + masks.mask_header(header)
        with pytest.raises(NotAuthentic):
            inviter.open(head + bytes(300), NOW)


def turn(sender: Channel, receiver: Channel, now: int) -> Body:
    return one(receiver, sender.seal(Kind.EPHEMERAL, b"turn", now), now)


def test_post_quantum_step_after_a_day_and_after_32_steps() -> None:
    invitee, inviter = ends()
    later = NOW + 86_401
    assert turn(invitee, inviter, later).offer is not None
    before = inviter.state.root
    assert len(inviter.seal(Kind.TURN, b"", later)) == 78 + padme(3 + 1_088)
    assert inviter.state.root != before
    invitee, inviter = ends()
    offers = 0
    for number in range(40):
        sender, receiver = (invitee, inviter) if number % 2 == 0 else (inviter, invitee)
        offers += turn(sender, receiver, NOW).offer is not None
    assert offers >= 1
    assert invitee.state.steps < 32 and inviter.state.steps < 32


def test_an_envelope_whose_ciphertext_has_not_come_is_held() -> None:
    invitee, inviter = ends()
    later = NOW + 86_401
    turn(invitee, inviter, later)
    envelopes = [inviter.seal(Kind.EPHEMERAL, bytes([n]), later) for n in range(10)]
    assert invitee.open(envelopes[9], later).held
    assert invitee.open(envelopes[8], later).held
    assert invitee.open(envelopes[9], later).held
    bodies = invitee.open(envelopes[3], later).bodies
    assert {body.content[0] for body in bodies} == {3, 8, 9}
    assert one(invitee, envelopes[0], later).content == b"\0"
    assert one(invitee, invitee_answer(invitee, inviter, later), later).content == b"back"


def invitee_answer(invitee: Channel, inviter: Channel, now: int) -> bytes:
    one(inviter, invitee.seal(Kind.EPHEMERAL, b"to", now), now)
    return inviter.seal(Kind.EPHEMERAL, b"back", now)


@pytest.mark.parametrize("seed", range(12))
def test_random_schedules(seed: int) -> None:
    """Both write at random; envelopes are reordered, repeated and lost; every one that arrives is read once."""
    source = random.Random(seed)
    sides = ends()
    waiting: tuple[list[bytes], list[bytes]] = ([], [])
    sent: tuple[set[bytes], set[bytes]] = (set(), set())
    seen: tuple[set[bytes], set[bytes]] = (set(), set())
    now = NOW
    for step in range(400):
        side = source.randrange(2)
        now += source.choice((1, 60, 7_200))
        if source.random() < 0.5 and (side == 0 or sides[1].state.sending is not None):
            content = source.randbytes(source.choice((8, 300))) + bytes([step % 256])
            waiting[1 - side].append(sides[side].seal(Kind.EPHEMERAL, content, now))
            sent[side].add(content)
        elif waiting[side]:
            place = min(int(source.expovariate(0.6)), len(waiting[side]) - 1)
            envelope = waiting[side][place]
            if source.random() < 0.9:
                del waiting[side][place]
            try:
                opening = sides[side].open(envelope, now)
            except UnknownTag:
                continue
            for body in opening.bodies:
                assert body.content in sent[1 - side] and body.content not in seen[1 - side], seed
                seen[1 - side].add(body.content)
    for side in (0, 1):
        for envelope in waiting[side]:
            try:
                bodies = sides[side].open(envelope, now).bodies
            except UnknownTag:
                continue
            seen[1 - side].update(body.content for body in bodies)
    assert seen == sent, seed


def test_one_sided_traffic_asks_for_a_turn() -> None:
    invitee, inviter = ends()
    for number in range(64):
        assert not inviter.turn_due(NOW), number
        one(inviter, invitee.seal(Kind.EPHEMERAL, b"", NOW))
    assert inviter.turn_due(NOW) and not invitee.turn_due(NOW)


def test_turns_are_not_answered_by_turns() -> None:
    invitee, inviter = ends()
    for _ in range(64):
        one(inviter, invitee.seal(Kind.TURN, b"", NOW))
    assert not inviter.turn_due(NOW + 86_400)
    one(inviter, invitee.seal(Kind.EPHEMERAL, b"", NOW))
    assert inviter.turn_due(NOW)


def test_a_chain_of_a_day_asks_for_a_turn() -> None:
    invitee, inviter = ends()
    one(inviter, invitee.seal(Kind.EPHEMERAL, b"", NOW))
    assert not inviter.turn_due(NOW + 86_399) and inviter.turn_due(NOW + 86_400)


def test_a_renewed_salt_gives_another_nonce() -> None:
    invitee, inviter = ends()
    copy = Channel(invitee.state)
    assert invitee.seal(Kind.EPHEMERAL, b"same", NOW) != copy.seal(Kind.EPHEMERAL, b"same", NOW)


def test_another_channel_cannot_open() -> None:
    invitee, _ = ends()
    _, other = ends()
    with pytest.raises((UnknownTag, NotAuthentic)):
        other.open(invitee.seal(Kind.TURN, b"", NOW), NOW)


def test_padme() -> None:
    assert [padme(n) for n in (0, 256, 257, 300, 1_000, 65_535, 65_536)] == [256, 256, 272, 304, 1_024, 65_536, 65_536]


def test_held_envelopes_are_bounded() -> None:
    invitee, inviter = ends()
    later = NOW + 86_401
    turn(invitee, inviter, later)
    envelopes = [inviter.seal(Kind.EPHEMERAL, bytes(60_000), later) for _ in range(26)]
    held = 0
    with pytest.raises(TooManyHeld):
        for envelope in envelopes[8:]:
            assert invitee.open(envelope, later).held
            held += 1
    assert held == 17
    assert len(invitee.open(envelopes[0], later).bodies) == 18


def test_an_offer_that_comes_late_is_not_taken_for_a_new_one() -> None:
    """The peer has erased the secret of a key that was answered two answers ago: a step to it could never be opened."""
    invitee, inviter = ends()
    now = NOW + 86_401
    assert turn(invitee, inviter, now).offer is not None
    late = invitee.seal(Kind.EPHEMERAL, b"late", now)
    turn(inviter, invitee, now)
    turn(invitee, inviter, now)
    turn(inviter, invitee, now)
    now += 86_401
    assert turn(invitee, inviter, now).offer is not None
    turn(inviter, invitee, now)
    turn(invitee, inviter, now)
    body = one(inviter, late, now)
    assert body.content == b"late" and body.offer is not None
    assert inviter.state.peer_offer is None
    turn(inviter, invitee, now)


def test_an_offer_whose_message_was_skipped_waits_for_the_next_chain() -> None:
    invitee, inviter = ends()
    now = NOW + 86_401
    envelopes = [invitee.seal(Kind.EPHEMERAL, bytes([n]), now) for n in range(9)]
    assert one(inviter, envelopes[8], now).offer is None
    late = one(inviter, envelopes[0], now)
    assert late.offer is not None and inviter.state.peer_offer is None
    turn(inviter, invitee, now)
    assert turn(invitee, inviter, now).offer == late.offer == inviter.state.peer_offer
