"""Records, ledger, rotation, forks, ends and exports."""

from __future__ import annotations

import random

import pytest
from parties import NOW, Pair, make_entry

from handfast.errors import (
    BodyDigestMismatch,
    BodyMissing,
    ExportsDisagree,
    HandfastError,
    LastSeenAhead,
    LastSeenMismatch,
    LastSeenWentBack,
    LedgerError,
    MalformedBody,
    MissingRecord,
    NotAllowed,
    NotErasable,
    PreviousMismatch,
    RecordAfterEnd,
    RecordSignature,
    RefusedEntry,
    ReservedType,
    WrongDirection,
    WrongRelationship,
)
from handfast.export import Export, compare, verify
from handfast.identity import Identity
from handfast.ledger import Ledger, Outcome, State
from handfast.record import Direction, Entry, Reference, encode_content, read_content, read_record


def pair() -> tuple[Pair, Ledger, Ledger]:
    met = Pair.meet(first=2)
    return met, met.invitee_ledger, met.inviter_ledger


def pass_on(entry: Entry, to: Ledger) -> Outcome:
    return to.receive(read_content(encode_content((entry,)))[0])


def test_a_conversation_verifies_on_both_sides() -> None:
    met, ann, shop = pair()
    for number in range(3):
        assert pass_on(ann.sign(NOW, "message/text", {"text": f"ask {number}"}), shop) is Outcome.ACCEPTED
        assert pass_on(shop.sign(NOW, "message/text", {"text": "answer", "language": "en"}), ann) is Outcome.ACCEPTED
        assert pass_on(ann.rotate(NOW), shop) is Outcome.ACCEPTED
    one, other = Export.of(ann, met.at_invitee.proof), Export.of(shop, met.at_inviter.proof)
    verified = verify(Export.decode(one.encode()))
    assert len(verified.sides[0].log) == 4 and verified.relationship == ann.relationship
    verify(Export.decode(other.encode()))
    compare(one, other)


def test_an_erased_body_still_verifies_but_not_of_the_relationship_family() -> None:
    met, ann, shop = pair()
    pass_on(ann.sign(NOW, "message/text", {"text": "forget me"}), shop)
    shop.erase(Direction.INVITEE, 3)
    with pytest.raises(NotErasable):
        shop.erase(Direction.INVITER, 1)
    export = Export.of(shop, met.proof)
    verify(Export.decode(export.encode()))
    without = Export(export.relationship, export.role, export.proof, export.invitee, (Entry(export.inviter[0].record),))
    with pytest.raises(RefusedEntry) as caught:
        verify(Export.decode(without.encode()))
    assert caught.value.path == "refusedEntry.bodyMissing"
    with pytest.raises(BodyMissing):
        ann.receive(shop.sign(NOW, "message/text", {"text": "x"}).erased)


def test_every_mutated_export_is_refused_or_says_the_same() -> None:
    met, ann, shop = pair()
    pass_on(ann.rotate(NOW), shop)
    data = Export.of(ann, met.proof).encode()
    source = random.Random(3)
    role = data.index(bytes([3, 0, 4]), 30)
    for place in source.sample(range(len(data)), 250):
        mutated = bytearray(data)
        mutated[place] ^= 1 << source.randrange(8)
        if place == role + 1:
            continue
        with pytest.raises(HandfastError):
            verify(Export.decode(bytes(mutated)))
            pytest.fail(f"byte {place}")


def test_refusals_in_the_order_of_the_spec() -> None:
    met, ann, shop = pair()
    key, relationship = ann.identity.signing, ann.relationship
    before, seen = ann.own.latest(relationship), ann.peer.latest(relationship) if ann.peer else Reference(0, b"")

    def forged(**change: object) -> Entry:
        arguments: dict[str, object] = dict(
            key=key,
            relationship=relationship,
            direction=Direction.INVITEE,
            number=before.number + 1,
            previous=before.hash,
            last_seen=seen,
            time=NOW,
            type_="message/text",
            body={"text": "x"},
        )
        return make_entry(**(arguments | change))  # type: ignore[arg-type]

    good = forged()
    cases: list[tuple[Entry, type[LedgerError]]] = [
        (forged(relationship=bytes(32)), WrongRelationship),
        (forged(direction=Direction.INVITER), WrongDirection),
        (forged(number=before.number + 2), MissingRecord),
        (forged(number=0), MissingRecord),
        (forged(previous=bytes(32)), PreviousMismatch),
        (forged(last_seen=Reference(9, bytes(32))), LastSeenAhead),
        (forged(last_seen=Reference(1, bytes(32))), LastSeenMismatch),
        (forged(body={"txt": "x"}), MalformedBody),
        (Entry(good.record, good.salt, b"\xa0"), BodyDigestMismatch),
        (good.erased, BodyMissing),
        (forged(key=Identity.create(NOW).signing), RecordSignature),
        (forged(number=1, key=Identity.create(NOW).signing), RecordSignature),
    ]
    for entry, refusal in cases:
        with pytest.raises(refusal):
            shop.receive(entry)
    assert pass_on(forged(), shop) is Outcome.ACCEPTED
    with pytest.raises((MissingRecord, LastSeenWentBack)):
        shop.receive(
            forged(
                number=before.number + 2,
                previous=shop.peer.latest(relationship).hash if shop.peer else b"",
                last_seen=Reference(0, relationship),
            )
        )


def test_repeats_are_ignored_and_contradictions_freeze() -> None:
    _, ann, shop = pair()
    before = ann.own.latest(ann.relationship)
    entry = ann.sign(NOW, "message/text", {"text": "one"})
    assert pass_on(entry, shop) is Outcome.ACCEPTED
    assert pass_on(entry, shop) is Outcome.DUPLICATE
    other = make_entry(
        ann.identity.signing,
        ann.relationship,
        Direction.INVITEE,
        3,
        before.hash,
        entry.record.last_seen,
        NOW,
        "message/text",
        {"text": "two"},
    )
    assert pass_on(other, shop) is Outcome.FORK
    assert shop.state is State.FROZEN and len(shop.evidence) == 2
    with pytest.raises(NotAllowed):
        shop.sign(NOW, "message/text", {"text": "x"})


def test_a_contradicting_key_event_freezes() -> None:
    _, ann, shop = pair()
    one, two = ann.identity.rotated(NOW), ann.identity.rotated(NOW + 1)
    pass_on(ann.rotate(NOW), shop)
    assert shop.peer is not None and one.log.last.payload != two.log.last.payload
    latest = shop.peer.latest(shop.relationship)
    record = make_entry(
        two.signing,
        ann.relationship,
        Direction.INVITEE,
        latest.number + 1,
        latest.hash,
        shop.own.latest(shop.relationship),
        NOW,
        "relationship/rotate",
        {"event": two.log.last.encoded},
    )
    assert pass_on(record, shop) is Outcome.FORK and shop.state is State.FROZEN


def test_the_old_key_signs_nothing_after_a_rotation() -> None:
    _, ann, shop = pair()
    old = ann.identity
    pass_on(ann.rotate(NOW), shop)
    ann.identity = old
    with pytest.raises(RecordSignature):
        pass_on(ann.sign(NOW, "message/text", {"text": "x"}), shop)


def test_ends_are_answered_and_final() -> None:
    met, ann, shop = pair()
    end = ann.sign(NOW, "relationship/end", {"reason": "moved"})
    assert ann.state is State.ENDING
    late = shop.sign(NOW, "message/text", {"text": "on its way"})
    assert pass_on(late, ann) is Outcome.ACCEPTED
    pass_on(end, shop)
    assert shop.state is State.ENDED and shop.end_owed
    owed = shop.sign(NOW, "relationship/end", {})
    with pytest.raises(NotAllowed):
        shop.sign(NOW, "relationship/end", {})
    pass_on(owed, ann)
    assert ann.state is State.ENDED and not ann.end_owed
    verify(Export.decode(Export.of(ann, met.proof).encode()))
    after = make_entry(
        shop.identity.signing,
        shop.relationship,
        Direction.INVITER,
        owed.record.number + 1,
        owed.record.hash,
        owed.record.last_seen,
        NOW,
        "message/text",
        {"text": "x"},
    )
    export = Export.of(ann, met.proof)
    longer = Export(export.relationship, export.role, export.proof, export.invitee, (*export.inviter, after))
    with pytest.raises(RefusedEntry) as caught:
        verify(longer)
    assert isinstance(caught.value.__cause__, RecordAfterEnd)


def test_revocation_ends_even_after_an_end() -> None:
    met, ann, shop = pair()
    pass_on(ann.sign(NOW, "relationship/end", {}), shop)
    revoke = ann.revoke(NOW)
    assert ann.state is State.ENDED
    export = Export.of(ann, met.proof)
    assert verify(Export.decode(export.encode())).sides[0].log.revoked and export.invitee[-1] == revoke


def test_exports_that_differ_disagree() -> None:
    met, ann, shop = pair()
    entry = ann.sign(NOW, "message/text", {"text": "one"})
    other = make_entry(
        ann.identity.signing,
        ann.relationship,
        Direction.INVITEE,
        3,
        entry.record.previous,
        entry.record.last_seen,
        NOW,
        "message/text",
        {"text": "two"},
    )
    pass_on(other, shop)
    one, two = Export.of(ann, met.proof), Export.of(shop, met.proof)
    verify(one), verify(two)
    with pytest.raises(ExportsDisagree):
        compare(one, two)


def test_own_side_checks_bodies_and_types() -> None:
    _, ann, _ = pair()
    with pytest.raises(ReservedType):
        ann.sign(NOW, "relationship/rotate", {"event": b""})
    for type_, body in (
        ("relationship/introduce", {"name": ""}),
        ("relationship/introduce", {"name": "a\nb"}),
        ("relationship/introduce", {"name": "a\u202eb"}),
        ("relationship/end", {"reason": "x" * 1_025}),
        ("message/text", {"text": "x", "language": "e"}),
    ):
        with pytest.raises(MalformedBody):
            ann.sign(NOW, type_, body)
    ann.sign(NOW, "relationship/later", {"unknown": [1.5, None]})


def test_the_hash_does_not_depend_on_the_signature() -> None:
    _, ann, _ = pair()
    entry = ann.sign(NOW, "message/text", {"text": "x"})
    encoded = bytearray(entry.record.encoded)
    encoded[-1] ^= 1
    assert read_record(bytes(encoded)).hash == entry.record.hash
