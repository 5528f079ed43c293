"""A live relationship with a node of the Swift package over its relay, on loopback, in both roles."""

from __future__ import annotations

import asyncio
import copy
import os
import shutil
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from swift import PROGRAM, Node, Stage, stage, start_relay

from handfast.attachment import HAVE
from handfast.envelope import Kind
from handfast.export import Export, compare, verify
from handfast.ledger import State
from handfast.party import Host, Party
from handfast.record import Direction, Entry, Ephemeral, encode_content, read_body

pytestmark = pytest.mark.skipif(not PROGRAM, reason="HANDFAST does not name the program `handfast`")
LIMIT = 100.0


async def texts(party: Party, count: int) -> list[str]:
    """The next texts of the peer, and everything that comes on the way."""
    found: list[str] = []
    while len(found) < count:
        for item in await party.receive():
            if isinstance(item, Entry) and item.record.type == "message/text" and item.body is not None:
                found.append(str(read_body(item.body)["text"]))
    return found


async def converse(node: Node, peer: str, party: Party, steps: int) -> None:
    """Both speak in turn, which is a step of the ratchet each time."""
    for number in range(steps):
        await party.say(f"ping {number}")
        assert (await node.texts(peer, number + 1))[number] == f"ping {number}"
        await node.run("send", peer, f"pong {number}", "--wait", "0")
        assert await texts(party, 1) == [f"pong {number}"]


async def exchange(node: Node, peer: str, party: Party) -> None:
    """Batches both ways, a message to whoever listens, and new signing keys on both sides."""
    have = len(await node.texts(peer, 0))
    batch = [f"line {number}" for number in range(64)]
    await party.batch(*batch)
    assert (await node.texts(peer, have + 64))[have:] == batch
    lines = [f"answer {number}" for number in range(150)]
    await node.run("send", peer, "--lines", "--wait", "0", stdin="\n".join(lines))
    assert await texts(party, 150) == lines

    await node.run("send", peer, "--ephemeral", "on my way", "--wait", "0")
    (message,) = await party.receive()
    assert isinstance(message, Ephemeral) and message.body["text"] == "on my way"
    await party.ephemeral(Ephemeral("presence/typing", {}))

    await node.run("rotate", peer, "--wait", "0")
    while len(party.ledger.peer.log) < 2:  # type: ignore[union-attr]
        await party.receive()
    await node.run("send", peer, "under my new key", "--wait", "0")
    assert await texts(party, 1) == ["under my new key"]
    await party.rotate()
    await party.say("under mine, too")
    assert (await node.texts(peer, have + 65))[-1] == "under mine, too"


async def files(node: Node, peer: str, party: Party) -> None:
    """A file each way, of several chunks."""
    content = os.urandom(300_000)
    number = await party.attach(content, "photo.jpg", media_type="image/jpeg", text="from Python")
    while not party.sendings[number].ended:
        await party.receive()
    assert party.sendings[number].ended == HAVE
    saved = node.scene.folder / "saved.jpg"
    await node.run("attachment", "save", peer, str(number), str(saved))
    assert saved.read_bytes() == content
    sent = node.scene.folder / "sent.bin"
    sent.write_bytes(content[::-1])
    await node.run("send", peer, "--attach", str(sent), "--wait", "0", "from Swift")
    while not any(file.content for file in party.receivings.values()):
        await party.receive()
    (received,) = party.receivings.values()
    assert received.content == content[::-1] and received.opener.attachment.text == "from Swift"


async def anew(node: Node, peer: str, party: Party) -> None:
    """New epochs: asked for by either side, and by one that is a copy of an older self."""
    have = len(await node.texts(peer, 0))
    begun = party.policy.begun
    await party.rejoin()
    while party.channel is None:
        await party.receive()
    await party.say("in an epoch of mine")
    assert (await node.texts(peer, have + 1))[-1] == "in an epoch of mine"

    await node.run("rejoin", peer, "--wait", "0")
    while party.policy.begun < begun + 2:
        await party.receive()
    await party.say("in an epoch of yours")
    assert (await node.texts(peer, have + 2))[-1] == "in an epoch of yours"
    await node.run("send", peer, "still here", "--wait", "0")
    assert await texts(party, 1) == ["still here"]

    before = copy.deepcopy((party.ledger, party.resumes, party.policy))
    await party.say("lost here")
    await node.texts(peer, have + 3)
    await node.run("send", peer, "and this", "--wait", "0")
    assert await texts(party, 1) == ["and this"]
    party.ledger, party.resumes, party.policy = before
    party.ledger.sign(int(time.time()), "message/text", {"text": "did not know better"})
    await party.rejoin()
    assert await texts(party, 1) == ["and this"]
    assert [read_body(entry.body or b"")["text"] for entry in party.ledger.void] == ["did not know better"]
    await party.say("back")
    assert (await node.texts(peer, have + 4))[-2:] == ["lost here", "back"]
    assert party.policy.begun == begun + 3 and not party.without_resume


async def move(node: Node, peer: str, party: Party) -> None:
    """The node receives elsewhere from now on: this party follows, and the node leaves its old relay."""
    have = len(await node.texts(peer, 0))
    address, relay = await start_relay(node.scene, "elsewhere")
    await node.run("move", peer, "--relay", address, "--wait", "0")
    while party.sender.address.relay != relay:
        await party.receive()
    await party.say("by the new relay")
    assert (await node.texts(peer, have + 1))[-1] == "by the new relay"
    await node.until(lambda answer: answer.get("moving") is None, "show", peer)


async def one_sided(node: Node, peer: str, party: Party) -> None:
    """After 64 messages of one chain, whoever only listens turns: in both directions."""
    have = len(await node.texts(peer, 0))
    before = party.channel.state.root
    for number in range(70):
        await party.say(f"one-sided {number}")
    # The node answers by an empty message, the only thing that it sends.
    await party.receive()
    assert party.channel.state.root != before
    await party.say("under new keys")
    assert (await node.texts(peer, have + 71))[-1] == "under new keys"


async def settle(node: Node, peer: str, party: Party) -> None:
    """Both have ended; their exports agree by both verifiers, record by record."""
    while party.ledger.state is not State.ENDED:
        await party.receive()
    await node.until(lambda shown: shown["state"] == "ended", "show", peer)
    assert party.refusals == []
    ours, theirs = node.scene.folder / "python.ledger", node.scene.folder / "swift.ledger"
    ours.write_bytes(party.export().encode())
    await node.run("ledger", "export", peer, str(theirs))
    exports = [Export.decode(path.read_bytes()) for path in (ours, theirs)]
    for export in exports:
        verify(export)
    compare(*exports)
    for direction in Direction:
        one, other = ([entry.value for entry in export.entries(direction)] for export in exports)
        assert one == other
    assert exports[0].role is not exports[1].role and exports[0].proof == exports[1].proof
    verdict = await node.scene.run("ledger", "verify", str(ours), str(theirs))
    assert "hold the same records" in verdict


def play(folder: Path, scene: Callable[[Stage], Awaitable[None]]) -> None:
    async def within() -> None:
        async with asyncio.timeout(LIMIT), stage(folder) as opened:
            await scene(opened)

    asyncio.run(within())


def test_python_accepts_the_invitation_of_a_swift_node(tmp_path: Path) -> None:
    async def scene(opened: Stage) -> None:
        address, _ = await start_relay(opened)
        node = await Node.start(opened, address, "Shop", "--public", "shop.example")
        uri = (await node.ask("invite", "--label", "Py"))["uri"]
        party = await Party.accept(uri, name="Python")
        shown = await node.until(lambda shown: shown["state"] == "live", "show", "Py")
        assert shown["words"] == party.words and shown["name"] == "Python"
        assert party.ledger.peer is not None
        (introduced,) = party.ledger.entries(Direction.INVITER)
        assert introduced.body is not None and read_body(introduced.body)["name"] == "Shop"
        await exchange(node, "Py", party)
        await node.run("broadcast", "--all", "to all customers", "--wait", "0")
        assert await texts(party, 1) == ["to all customers"]
        assert party.ledger.entries(Direction.INVITER)[-1].record.is_batched
        await files(node, "Py", party)
        await one_sided(node, "Py", party)
        await move(node, "Py", party)
        await anew(node, "Py", party)
        await party.end("moved")
        await settle(node, "Py", party)
        await party.close()

    play(tmp_path, scene)


def test_swift_node_accepts_the_invitation_of_python(tmp_path: Path) -> None:
    async def scene(opened: Stage) -> None:
        address, relay = await start_relay(opened)
        node = await Node.start(opened, address, "Ann")
        host = await Host.open(relay)
        await node.run("accept", str(await host.invite()), "--label", "Py", "--wait", "0")
        party = await host.welcome("Python")
        shown = await node.until(lambda shown: shown["state"] == "live", "show", "Py")
        assert shown["words"] == party.words and shown["name"] == "Python"
        while party.ledger.state is not State.LIVE:
            await party.receive()
        await exchange(node, "Py", party)
        await files(node, "Py", party)
        await anew(node, "Py", party)
        await node.run("end", "Py", "--reason", "moving away", "--wait", "0")
        await settle(node, "Py", party)
        await party.close()
        await host.close()

    play(tmp_path, scene)


def test_post_quantum_steps_are_answered_both_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(opened: Stage) -> None:
        address, _ = await start_relay(opened)
        node = await Node.start(opened, address, "Shop")
        party = await Party.accept((await node.ask("invite", "--label", "Py"))["uri"])
        await node.until(lambda shown: shown["state"] == "live", "show", "Py")
        assert not party.channel.state.used_offer
        # The 32nd step after the handshake is the node's: it offers a key, and the 33rd answers it.
        await converse(node, "Py", party, 17)
        assert party.channel.state.used_offer and party.channel.state.steps == 1
        assert party.channel.state.own_offer is None

        # A day later, by this side's clock alone, a step is due here.
        tomorrow = int(time.time()) + 86_401
        monkeypatch.setattr("handfast.party._now", lambda: tomorrow)
        await party.say("with an offer")
        assert party.channel.state.own_offer is not None
        await node.texts("Py", 18)
        await node.run("send", "Py", "with the answer", "--wait", "0")
        assert await texts(party, 1) == ["with the answer"]
        assert party.channel.state.own_offer is None and party.channel.state.last_post_quantum == tomorrow
        await party.say("and on")
        await node.texts("Py", 19)
        await party.end()
        await settle(node, "Py", party)
        await party.close()

    play(tmp_path, scene)


def test_a_swift_node_whose_vault_was_copied_back_gets_its_records_back(tmp_path: Path) -> None:
    async def scene(opened: Stage) -> None:
        address, _ = await start_relay(opened)
        node = await Node.start(opened, address, "Shop")
        party = await Party.accept((await node.ask("invite", "--label", "Py"))["uri"])
        await party.say("before")
        await node.texts("Py", 1)
        await node.sleep()
        shutil.copytree(node.vault, tmp_path / "copy")
        await node.wake()
        await node.run("send", "Py", "said after the copy", "--wait", "0")
        assert await texts(party, 1) == ["said after the copy"]
        await party.say("heard after the copy")
        await node.texts("Py", 2)
        await node.sleep()
        shutil.rmtree(node.vault)
        shutil.copytree(tmp_path / "copy", node.vault)
        await node.wake()
        while party.policy.begun == 0:
            await party.receive()
        assert await node.texts("Py", 2) == ["before", "heard after the copy"]
        await node.run("send", "Py", "here again", "--wait", "0")
        assert await texts(party, 1) == ["here again"]
        party.refusals.clear()
        await party.end()
        await settle(node, "Py", party)
        await party.close()

    play(tmp_path, scene)


def test_what_a_swift_node_refuses_costs_nothing(tmp_path: Path) -> None:
    async def scene(opened: Stage) -> None:
        address, _ = await start_relay(opened)
        node = await Node.start(opened, address, "Shop")
        party = await Party.accept((await node.ask("invite", "--label", "Py"))["uri"])
        now = int(time.time())

        def sealed(*entries: Entry) -> bytes:
            return party.channel.seal(Kind.RECORDS, encode_content(entries), now)

        # An entry that came without its body, beside the same with it: each stands or falls by itself.
        first = party.ledger.sign(now, "message/text", {"text": "first"})
        await party.sender.put(sealed(first.erased, first))
        # Bytes of nobody, an envelope twice, and a changed one.
        await party.sender.put(os.urandom(334))
        second = sealed(party.ledger.sign(now, "message/text", {"text": "second"}))
        await party.sender.put(second[:-1] + bytes([second[-1] ^ 1]))
        for _ in range(2):
            await party.sender.put(second)
        # An envelope before the one that was sealed before it.
        early = party.channel.seal(Kind.EPHEMERAL, Ephemeral("presence/typing", {}).encode(), now)
        await party.sender.put(sealed(party.ledger.sign(now, "message/text", {"text": "third"})))
        await party.sender.put(early)
        await party.say("fourth")
        assert await node.texts("Py", 4) == ["first", "second", "third", "fourth"]
        await node.run("send", "Py", "still here", "--wait", "0")
        assert await texts(party, 1) == ["still here"]
        await party.end()
        await settle(node, "Py", party)
        await party.close()

    play(tmp_path, scene)


def test_command_line_meets_a_swift_node(tmp_path: Path) -> None:
    async def scene(opened: Stage) -> None:
        address, _ = await start_relay(opened)
        node = await Node.start(opened, address, "Shop")
        uri = (await node.ask("invite", "--label", "Py"))["uri"]
        ours, theirs = tmp_path / "ours.ledger", tmp_path / "theirs.ledger"
        file = tmp_path / "file.txt"
        file.write_text("sent from the command line")
        talk = ("accept", uri, "--say", "one", "--say", "two", "--batch", "--rotate", "--until", "1", "--end")
        talk += ("--attach", str(file), "--rejoin")
        said = await handfast(*talk, "--export", str(ours))
        shown = await node.until(lambda shown: shown["state"] == "ended", "show", "Py")
        assert f"words {shown['words']}" in said
        assert await node.texts("Py", 2) == ["one", "two"]
        await node.run("ledger", "export", "Py", str(theirs))
        assert "5 + 2 records" in await handfast("verify", str(ours), str(theirs))

    play(tmp_path, scene)


async def handfast(*arguments: str) -> str:
    """What `python -m handfast` prints; it has to succeed."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "handfast", *arguments, stdout=PIPE)
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0
    return output.decode()
