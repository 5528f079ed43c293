"""Two whole parties over a relay: meet, talk, rotate, end, export."""

from __future__ import annotations

import asyncio

from toy_relay import ToyRelay

from handfast.export import Export, compare, verify
from handfast.ledger import State
from handfast.party import Host, Party
from handfast.record import Entry, Ephemeral


async def _meet() -> tuple[ToyRelay, Host, Party, Party]:
    toy = ToyRelay()
    host = await Host.open(await toy.start())
    uri = str(await host.invite())
    ann, shop = await asyncio.gather(Party.accept(uri), host.welcome("Shop"))
    assert ann.words == shop.words
    await shop.receive()
    assert shop.ledger.state is State.LIVE
    return toy, host, ann, shop


async def _story() -> None:
    toy, host, ann, shop = await _meet()
    await ann.say("Is the green one in stock?", "Or the blue one?")
    news = await shop.receive()
    assert [entry.record.number for entry in news if isinstance(entry, Entry)] == [1, 2]
    await shop.rotate()
    await shop.say("Both are.")
    await shop.ephemeral(Ephemeral("presence/typing", {}))
    assert len([*await ann.receive(), *await ann.receive()]) == 2
    assert await ann.receive() == [Ephemeral("presence/typing", {})]
    await ann.end("moved")
    await shop.receive()
    assert shop.ledger.state is State.ENDED and not shop.ledger.end_owed
    await ann.receive()
    assert ann.ledger.state is State.ENDED and not ann.refusals and not shop.refusals
    exports = [Export.decode(party.export().encode()) for party in (ann, shop)]
    for export in exports:
        verify(export)
    compare(*exports)
    for party in (ann, shop):
        await party.close()
    await host.close()
    toy.server.close()


def test_two_parties_meet_talk_and_end() -> None:
    asyncio.run(asyncio.wait_for(_story(), 20))


async def _many() -> None:
    toy, host, ann, shop = await _meet()
    for number in range(70):
        await ann.say(str(number))
    for _ in range(70):
        await shop.receive()
    assert len(await ann.receive()) == 0, "an empty message turns the ratchet"
    await ann.say("under new keys")
    assert len(await shop.receive()) == 1 and not shop.refusals
    for party in (ann, shop):
        await party.close()
    await host.close()
    toy.server.close()


def test_one_sided_traffic_is_answered_by_an_empty_message() -> None:
    asyncio.run(asyncio.wait_for(_many(), 20))


async def _refused() -> None:
    toy, host, ann, shop = await _meet()
    entry = ann.ledger.sign(1_800_000_000, "message/text", {"text": "whole"})
    await ann._records(entry.erased, entry)
    assert await shop.receive() == [entry]
    assert [refusal.code for refusal in shop.refusals] == ["bodyMissing"]
    for party in (ann, shop):
        await party.close()
    await host.close()
    toy.server.close()


def test_a_refused_entry_leaves_the_others_of_its_envelope() -> None:
    asyncio.run(asyncio.wait_for(_refused(), 20))
