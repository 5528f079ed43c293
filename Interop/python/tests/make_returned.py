"""Vectors of the layer `returned`: heads, and records that come back after a rejoin."""

from __future__ import annotations

import os
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from vector_layer import NOW, Layer, fresh
from vector_ops import b, encoded

from handfast.encoding import cbor
from handfast.identity import Identity
from handfast.ledger import Ledger
from handfast.record import Entry, Heads, Reference, draft
from handfast.suite.signing import SigningKey

if TYPE_CHECKING:
    from make_vectors import Meeting


def heads(layer: Layer) -> None:
    relationship = fresh()

    def given(own: list[int], peer: Reference) -> dict[str, str]:
        value = Heads(tuple(Reference(number, os.urandom(32)) for number in own), peer).value
        return {"relationship": relationship, "heads": cbor.encode(value).hex()}

    start, some = Reference(0, b(relationship)), Reference(2**40, os.urandom(32))
    for latest in (0, 1, 2, 3, 1_000_000):
        layer.add(f"heads of {latest} records", "heads", **given(Heads.numbers(latest), some))
    layer.add("heads before any record", "heads", **given([], start))
    layer.add("64 heads", "heads", **given(list(range(64, 0, -1)), start))
    for name, own in (("ascend", [1, 2]), ("repeat", [7, 7]), ("name record 0", [1, 0])):
        layer.refuse(f"heads that {name}", "heads", "inconsistent", **given(own, some))
    layer.refuse("another relationship's start", "heads", "inconsistent", **given([3], Reference(0, os.urandom(32))))
    layer.refuse("65 heads", "heads", "malformed/sizeExceeded", **given(list(range(65, 0, -1)), start))
    good = given([3, 2], some)["heads"]
    for name, data, error in (
        ("cut short", good[:-2], "truncated"),
        ("a byte more", good + "00", "trailingBytes"),
        ("three items", "83" + good[2:] + "00", "wrongLength"),
        ("a map", "a0", "wrongType"),
        ("a hash of 31 bytes", "828082" + "01" + "581f" + fresh(31), "wrongLength"),
        ("a negative number", "828082" + "20" + "5820" + fresh(), "outOfRange"),
    ):
        layer.refuse(f"heads: {name}", "heads", f"malformed/{error}", relationship=relationship, heads=data)


class Scene:
    """A relationship, the inviter's ledger at several times, and what was said in it."""

    def __init__(self, meeting: Meeting) -> None:
        self.ann, self.shop = meeting.ledgers
        self.given = {
            "hello": meeting.greeting.hello.hex(),
            "bundle": meeting.bundle.encoded.hex(),
            "bundleSeed": meeting.bundle_seed,
            "identity": meeting.inviter,
        }
        self.held: list[Entry] = list(meeting.hello.entries)
        """What the inviter holds, in the order in which it was committed."""

    def say(self, text: str) -> Entry:
        """The inviter says something, and the invitee receives it."""
        return self.tell(self.shop.sign(NOW, "message/text", {"text": text}))

    def tell(self, entry: Entry) -> Entry:
        self.ann.receive(entry)
        self.held.append(entry)
        return entry

    def hear(self, text: str) -> Entry:
        entry = self.ann.sign(NOW, "message/text", {"text": text})
        self.shop.receive(entry)
        self.held.append(entry)
        return entry

    def copy(self) -> Ledger:
        """A copy of the inviter's vault."""
        return deepcopy(self.shop)

    def next(self, key: SigningKey, type_: str = "message/text", **changes: Any) -> Entry:
        """The inviter's next record, made by hand."""
        before = changes.get("before", self.shop.own.latest(self.shop.relationship))
        seen = changes.get("seen", self.ann.own.latest(self.shop.relationship))
        relationship = changes.get("relationship", self.shop.relationship)
        number, body = changes.get("number", before.number + 1), changes.get("body", {"text": "by hand"})
        made = draft(relationship, self.shop.role, number, before.hash, seen, NOW, type_, body)
        return made.signed(key)


def returns(layer: Layer, scene: Scene) -> None:
    def add(name: str, held: list[Entry], entries: list[Entry], **more: Any) -> None:
        layer.add(name, "return", **scene.given, held=encoded(*held), entries=encoded(*entries), **more)

    def refuse(name: str, error: str, held: list[Entry], entry: Entry) -> None:
        layer.refuse(name, "return", error, **scene.given, held=encoded(*held), entries=encoded(entry))

    ann, shop, relationship = scene.ann, scene.shop, scene.shop.relationship
    key = shop.identity.signing
    introduced = scene.held[0]
    first = scene.say("One")
    heard = scene.hear("Heard")
    before = scene.copy()
    second, third = scene.say("Two"), scene.say("Three")
    for entry in shop.sign_batch(NOW, [("message/text", {"text": f"line {number}"}) for number in range(3)]):
        scene.tell(entry)
    told = list(scene.held)
    add("everything comes back, a batch among it", [], told)
    add("everything is known", told, told)
    add("half of it comes back", told[:3], [*told[:2], *told[3:], told[0]])
    add("a body that the peer has erased", told[:3], [second.erased])
    back = Reference(third.record.number, third.record.hash)
    theirs = Heads((ann.own.entries[0].record.reference,), back)
    add("an own record is awaited, and comes", told[:3], [second, third], theirs=cbor.encode(theirs.value).hex())
    for name, known in (
        ("nothing is held there", Heads((), Reference(0, relationship))),
        ("all is held there", ann.heads()),
        ("one direction is held there", Heads((), ann.heads().peer)),
        ("another record is held there", Heads(ann.heads().own, Reference(2, os.urandom(32)))),
    ):
        add(f"heads: {name}", told, [], theirs=cbor.encode(known.value).hex())
    layer.refuse(
        "signing while a record is awaited",
        "return",
        "awaitingOwnRecords",
        **scene.given,
        held=encoded(*told[:3]),
        entries=[],
        theirs=cbor.encode(theirs.value).hex(),
        signing="Too soon",
        salt=fresh(16),
        now=NOW,
    )
    # Another copy of the inviter's vault has said other things.
    otherwise = before.sign(NOW, "message/text", {"text": "Two, said otherwise"})
    add("what a copy said is void", [*told[:3], otherwise], [second, third])
    ending = before.sign(NOW, "relationship/end", {})
    add("an end that a copy said is void", [*told[:3], otherwise, ending], [second])
    seen_by_peer = draft(
        relationship, ann.role, 3, heard.record.hash, otherwise.record.reference, NOW, "message/text", {"text": "Yes"}
    ).signed(ann.identity.signing)
    add("two copies were at work", [*told[:3], otherwise, seen_by_peer], [second])
    twice = draft(
        relationship, ann.role, 2, introduced.record.hash, first.record.reference, NOW, "message/text", {"text": "No"}
    ).signed(ann.identity.signing)
    add("the peer contradicts itself", told[:3], [twice])

    refuse("one is missing before it", "missingRecord", told[:3], third)
    refuse("it has seen what has not come back", "lastSeenAhead", [introduced, first], second)
    stranger = SigningKey(os.urandom(32))
    refuse("signed by a stranger", "invalidSignature", told, scene.next(stranger))
    refuse("instead of another, by a stranger", "invalidSignature", [*told[:3], otherwise], forged(second, stranger))
    refuse("of another relationship", "wrongRelationship", told, scene.next(key, relationship=os.urandom(32)))
    refuse("after another record", "previousMismatch", told, scene.next(key, before=Reference(6, os.urandom(32))))
    refuse("it has seen another record", "lastSeenMismatch", told, scene.next(key, seen=Reference(2, os.urandom(32))))
    refuse("it has seen less", "lastSeenWentBack", told, scene.next(key, seen=Reference(0, relationship)))
    body = scene.next(key)
    refuse("another body", "bodyDigestMismatch", told, Entry(body.record, body.salt, cbor.encode({"text": "other"})))
    refuse("a body of no form", "malformedBody", told, scene.next(key, body={"txt": "a"}))
    refuse("number 0", "missingRecord", told, scene.next(key, number=0))
    endings(layer, scene)


def forged(entry: Entry, key: SigningKey) -> Entry:
    """The same, signed by another key."""
    record = entry.record
    parts = record.relationship, record.direction, record.number, record.previous, record.last_seen, record.time
    return draft(*parts, record.type, {"text": "forged"}).signed(key)


def endings(layer: Layer, scene: Scene) -> None:
    """Rotations, ends and revocations that come back."""
    shop, told = scene.shop, list(scene.held)

    def add(name: str, *entries: Entry) -> None:
        layer.add(name, "return", **scene.given, held=encoded(*told), entries=encoded(*entries))

    def refuse(name: str, error: str, held: list[Entry], entry: Entry) -> None:
        layer.refuse(name, "return", error, **scene.given, held=encoded(*held), entries=encoded(entry))

    other = scene.copy()
    old: Identity = shop.identity
    rotated, after = shop.rotate(NOW), shop.sign(NOW, "message/text", {"text": "by the new key"})
    add("a rotation comes back", rotated, after)
    refuse("a rotation without its body", "bodyMissing", told, Entry(rotated.record))
    refuse("signed by the key before", "invalidSignature", [*told, rotated, after], scene.next(old.signing))
    contradicting = other.rotate(NOW)
    again = scene.next(other.identity.signing, "relationship/rotate", body={"event": other.identity.log.last.encoded})
    refuse("a rotation that contradicts one before", "keyEventRefused/keyLogFork", [*told, rotated, after], again)
    add("a rotation that another copy made is known again", contradicting, contradicting)
    ended = shop.sign(NOW, "relationship/end", {"reason": "moved"})
    add("an end comes back", rotated, after, ended)
    refuse(
        "a record after the end", "recordAfterEnd", [*told, rotated, after, ended], scene.next(shop.identity.signing)
    )
    add("a revocation comes back", rotated, after, ended, shop.revoke(NOW))


def returned(meeting: Meeting) -> Layer:
    layer = Layer("returned")
    heads(layer)
    returns(layer, Scene(meeting))
    return layer
