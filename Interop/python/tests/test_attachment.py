"""Attachments (Spec/09): sealing and opening, the messages, and a whole file over a relay."""

from __future__ import annotations

import os

import pytest
from test_rejoin import play

from handfast.attachment import (
    CHUNK,
    DECLINE,
    GONE,
    HAVE,
    OFFER,
    WANT,
    Attachment,
    Opener,
    Receiving,
    Sending,
    Transfer,
    nonces,
    seal,
    unknown,
)
from handfast.errors import AttachmentDigestMismatch, ChunkRefused, MalformedBody
from handfast.party import Party
from handfast.record import Ephemeral


def opened(attachment: Attachment, chunks: list[bytes]) -> bytes:
    opener = Opener(attachment)
    for chunk in chunks:
        opener.take(chunk)
    return opener.finish()


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 512, 1_000])
def test_what_was_sealed_opens(size: int) -> None:
    content = os.urandom(size)
    attachment, chunks = seal(content, "photo.jpg", 256, "image/jpeg")
    assert len(chunks) == attachment.count == len(nonces(attachment.header, chunks)) == max(1, -(-size // 256))
    assert opened(Attachment.of(attachment.body), chunks) == content


def test_the_first_fault_ends_it() -> None:
    attachment, chunks = seal(os.urandom(600), "file", 256)
    for changed, reason, number in (
        ([chunks[1]], "notAuthentic", 0),
        ([chunks[0], chunks[0]], "notAuthentic", 1),
        ([chunks[0][:-1]], "wrongLength", 0),
        ([chunks[0], chunks[2]], "wrongLength", 1),
        (chunks[:2], "missing", 2),
        ([*chunks, chunks[0]], "beyondEnd", 3),
    ):
        with pytest.raises(ChunkRefused) as refusal:
            opened(attachment, changed)
        assert (refusal.value.reason, refusal.value.number) == (reason, number)
    other = Attachment.of(attachment.body | {"digest": bytes(32)})
    with pytest.raises(AttachmentDigestMismatch):
        opened(other, chunks)


def pass_on(receiving: Receiving, sending: Sending, lost: set[int]) -> int:
    """The messages of one transfer, in which the chunks of these places are lost once; how many were sent."""
    count, waiting = 0, [receiving.want()]
    while waiting:
        message = waiting.pop(0)
        if message.type in (WANT, HAVE, DECLINE):
            waiting += sending.take(message)
            continue
        count += 1
        if message.type == CHUNK and message.chunk in lost:
            lost.remove(message.chunk)
        else:
            waiting += receiving.take(message)
        if not waiting and receiving.content is None:
            waiting = list(receiving.take(Transfer(OFFER, 7)))
    return count


@pytest.mark.parametrize("lost", [set(), {0}, {63, 64}, {199}])
def test_lost_chunks_come_again(lost: set[int]) -> None:
    content = os.urandom(199 * 256 + 9)
    attachment, chunks = seal(content, "file", 256)
    receiving, sending = Receiving(7, Opener(attachment)), Sending(7, chunks)
    count = pass_on(receiving, sending, set(lost))
    assert receiving.content == content and sending.ended == HAVE
    assert count == 200 if not lost else count < 500


def test_messages_are_read_strictly() -> None:
    for message in (Transfer(WANT, 1, 2, 3, 4), Transfer(CHUNK, 1, 2, chunk=3, data=b"x"), Transfer(GONE, 9)):
        assert Transfer.of(Ephemeral.decode(message.message.encode())) == message
    for body in ({}, {"record": -1}, {"record": 1, "round": 1, "from": 4, "until": 4}):
        with pytest.raises(MalformedBody):
            Transfer.of(Ephemeral(WANT, body))
    assert unknown(Transfer(WANT, 3)) == Transfer(GONE, 3) and unknown(Transfer(HAVE, 3)) is None


def test_a_file_over_a_relay() -> None:
    content = os.urandom(300_000)

    async def scene(ann: Party, shop: Party) -> None:
        number = await ann.attach(content, "photo.jpg", media_type="image/jpeg", text="Look")
        while not ann.sendings[number].ended:
            for party in (shop, ann):
                try:
                    await party.receive(0.05)
                except TimeoutError:
                    pass
        assert shop.receivings[number].content == content and ann.sendings[number].ended == HAVE

    play(scene)


def test_a_new_epoch_takes_up_a_file_again() -> None:
    content = os.urandom(200_000)

    async def scene(ann: Party, shop: Party) -> None:
        number = await ann.attach(content, "file")
        await shop.receive()
        await shop.rejoin()
        for _ in range(60):
            if number in shop.receivings and shop.receivings[number].content is not None:
                break
            for party in (ann, shop):
                try:
                    await party.receive(0.05)
                except TimeoutError:
                    pass
        assert shop.receivings[number].content == content

    play(scene)
