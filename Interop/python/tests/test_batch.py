"""Batches of records: in one relationship, and across those of a public identity (Spec/01 §1.7, Spec/05 §5.9)."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from parties import NOW, Inviter, Pair

from handfast.encoding import batch, cbor, cose
from handfast.errors import (
    HandfastError,
    InvalidProof,
    KeyEventRefused,
    NotEndorsed,
    RecordSignature,
    UnprotectedHeader,
)
from handfast.export import Export, verify
from handfast.identity import Identity
from handfast.ledger import Ledger, Outcome
from handfast.record import Direction, Entry, read_record, sign_batch

TEXTS = [("message/text", {"text": f"line {number}"}) for number in range(100)]


def again(entry: Entry) -> Entry:
    return Entry.of(cbor.decode(cbor.encode(entry.value)))


def test_a_path_leads_to_the_root_of_every_size() -> None:
    for count in [*range(1, 35), 100]:
        digests = [os.urandom(32) for _ in range(count)]
        root, proofs = batch.build(digests)
        assert {proof.root(digest) for digest, proof in zip(digests, proofs, strict=True)} == {root}
        for proof in proofs:
            assert batch.Proof.of(cbor.decode(cbor.encode(proof.header))) == proof
            assert proof.root(os.urandom(32)) != root


def test_a_batch_is_accepted_record_by_record() -> None:
    met = Pair.meet(first=1)
    ann, shop = met.invitee_ledger, met.inviter_ledger
    entries = ann.sign_batch(NOW, TEXTS)
    assert len({entry.record.signed.signature for entry in entries}) == 1
    assert all(shop.receive(again(entry)) is Outcome.ACCEPTED for entry in entries)
    shop.receive(ann.sign(NOW, "message/text", {"text": "alone"}))
    assert shop.receive(again(entries[3])) is Outcome.DUPLICATE
    verify(Export.decode(Export.of(shop, met.proof).encode()))


def test_what_a_batch_does_not_hold_is_refused() -> None:
    met = Pair.meet(first=1)
    ann, shop = met.invitee_ledger, met.inviter_ledger
    signed = ann.sign_batch(NOW, TEXTS[:3])[0].record.signed
    proof = signed.proof
    assert proof is not None
    for change in (
        {"signature": bytes(64)},
        {"proof": replace(proof, index=2)},
        {"proof": replace(proof, path=(os.urandom(32), *proof.path[1:]))},
        {"proof": None},
    ):
        entry = Entry(read_record(replace(signed, **change).encode()), *ann.own.entries[-3].value[1:])
        with pytest.raises(RecordSignature):
            shop.receive(entry)
    for size, index, path in ((6, 1, 3), (5, 0, 3), (6, 6, 3), (6, 0, 2), (6, 0, 4), (0, 0, 0), (2**16 + 2, 0, 16)):
        with pytest.raises(HandfastError) as refusal:
            read_record(replace(signed, proof=batch.Proof(size, index, (bytes(32),) * path)).encode())
        assert isinstance(refusal.value.__cause__, InvalidProof)
    event = replace(cose.read_sign1(met.inviter.signer.inception.encoded, None), proof=proof).encode()
    with pytest.raises(UnprotectedHeader):
        cose.read_sign1(event, None)


def public() -> tuple[Inviter, list[Pair]]:
    shop = Inviter.create(domain="shop.example")
    return shop, [Pair.meet(first=1, inviter=shop) for _ in range(3)]


def broadcast(signer: Identity, ledgers: list[Ledger], type_: str = "message/text") -> list[Entry]:
    body = {"name": "Shop"} if type_ == "relationship/introduce" else {"text": "to all"}
    entries = sign_batch(signer.signing, [ledger.draft(NOW, type_, body) for ledger in ledgers])
    for ledger, entry in zip(ledgers, entries, strict=True):
        ledger.take_own(entry)
    return entries


def test_a_public_identity_signs_across_relationships() -> None:
    shop, pairs = public()
    for entry, pair in zip(broadcast(shop.signer, [pair.inviter_ledger for pair in pairs]), pairs, strict=True):
        assert pair.invitee_ledger.receive(again(entry)) is Outcome.ACCEPTED
        verify(Export.decode(Export.of(pair.invitee_ledger, pair.at_invitee.proof).encode()))


def test_a_person_does_not() -> None:
    pairs = [Pair.meet(first=1) for _ in range(2)]
    (entry, _) = broadcast(pairs[0].inviter.signer, [pair.inviter_ledger for pair in pairs])
    with pytest.raises(RecordSignature):
        pairs[0].invitee_ledger.receive(again(entry))


def test_an_endorsing_key_signs_no_record_alone_and_none_of_the_relationship() -> None:
    shop, (pair, *_) = public()
    alone = pair.inviter_ledger.draft(NOW, "message/text", {"text": "alone"}).signed(shop.signer.signing)
    with pytest.raises(RecordSignature):
        pair.invitee_ledger.receive(again(alone))
    (named,) = broadcast(shop.signer, [pair.inviter_ledger], "relationship/introduce")
    with pytest.raises(RecordSignature):
        pair.invitee_ledger.receive(again(named))


def test_a_new_key_counts_from_the_record_that_tells_of_it() -> None:
    shop, (pair, *_) = public()
    ours, theirs = pair.inviter_ledger, pair.invitee_ledger
    rotated = shop.signer.rotated(NOW + 1)
    (told,) = ours.endorse(NOW + 1, rotated)
    assert theirs.receive(again(told)) is Outcome.ACCEPTED
    (entry,) = broadcast(rotated, [ours])
    assert theirs.receive(again(entry)) is Outcome.ACCEPTED
    (known,) = [ours._sign(ours.identity, NOW, "relationship/endorse", {"event": rotated.log.last.encoded}, None)]
    with pytest.raises(KeyEventRefused):
        theirs.receive(again(known))
    verify(Export.decode(Export.of(theirs, pair.at_invitee.proof).encode()))


def test_an_old_key_does_not_count_and_a_revoked_one_neither() -> None:
    for change in (Identity.rotated, Identity.revoked):
        shop, (pair, *_) = public()
        changed = change(shop.signer, NOW + 1)
        pair.invitee_ledger.receive(pair.inviter_ledger.endorse(NOW + 1, changed)[0])
        (old,) = broadcast(shop.signer, [pair.inviter_ledger])
        with pytest.raises(RecordSignature):
            pair.invitee_ledger.receive(old)


def test_who_is_not_endorsed_tells_of_nobody() -> None:
    shop, (pair, *_) = public()
    ann = pair.invitee_ledger
    event = shop.signer.rotated(NOW + 1).log.last.encoded
    with pytest.raises(NotEndorsed):
        pair.inviter_ledger.receive(ann._sign(ann.identity, NOW, "relationship/endorse", {"event": event}, None))
    with pytest.raises(NotEndorsed):
        ann.endorse(NOW, shop.signer)


def test_two_stories_of_the_endorsing_identity_are_a_fork() -> None:
    shop, (pair, *_) = public()
    ours, theirs = pair.inviter_ledger, pair.invitee_ledger
    theirs.receive(ours.endorse(NOW, shop.signer.rotated(NOW + 1))[0])
    other = shop.signer.rotated(NOW + 2).log.last.encoded
    entry = ours._sign(ours.identity, NOW, "relationship/endorse", {"event": other}, None)
    assert theirs.receive(entry) is Outcome.FORK and theirs.state.value == "frozen"
    assert theirs.entries(Direction.INVITER)[-1].record.number == 2
