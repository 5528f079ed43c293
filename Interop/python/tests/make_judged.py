"""Vectors of `judge` in the layer `claim`: requests, answers, and what a verifier makes of them."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from make_claims import URI, cwt
from vector_layer import NOW, Layer

from handfast import sd_cwt, sd_jwt
from handfast.claims import Each, Key, Presentation, Presented, Query, Request, Wanted
from handfast.credential import Ed25519Signer, P256Signer, Signer, Status, Times
from handfast.encoding import cbor
from handfast.encoding.text import base32, base64url

ISSUER = "https://id.example"
SAID: dict[Any, Any] = {"name": "Ada", "adult": True, "level": 3, "tags": ["a", "b"], "home": {"city": "Oslo"}}


class Scene:
    """A vendor, a customer with a credential of each format, and the issuer of both."""

    def __init__(self) -> None:
        self.issuer, self.holder, self.peer = (Ed25519Signer(os.urandom(32)) for _ in range(3))
        self.curve: Signer = P256Signer(b"\0" + os.urandom(31))
        self.audience, self.peer_id, self.nonce = os.urandom(32), os.urandom(32), os.urandom(16)

    def name(self, identity: bytes) -> str:
        return f"hf:{base32(identity)}"

    def cwt(
        self, holder: Signer | None = None, audience: str | None = None, at: int = NOW - 10, **changes: Any
    ) -> Presented:
        times = changes.pop("times", Times.of(NOW - 1_000, NOW - 1_000, NOW + 1_000))
        given: dict[str, Any] = {"issuer": ISSUER, "type": "person", "subject": "1", "claims": SAID | {-5: [1]}}
        given |= {"redacting": (("name",), ("home",), ("tags", 0)), "status": Status(URI, 3)} | changes
        shown = given.pop("shown", [("name",)])
        signer, token = given.pop("signer", self.issuer), given.pop("token", self.token(0))
        key = given.pop("key", (holder or self.holder).key)
        credential = sd_cwt.issue(sd_cwt.Content(times=times, **given), key, signer)
        # Signed by whoever is asked, whether the key is its own or not.
        chosen = [
            one for one, place in zip(credential.disclosures, credential.reveal().places, strict=True) if place in shown
        ]
        header = {1: -8, 13: credential.with_disclosures(chosen).signed.value, 16: 294}
        payload = {3: audience or self.name(self.audience), 6: at, 39: self.nonce}
        signed = sd_cwt.Signed.sign(header, {}, payload, holder or self.holder)
        return Presented(0, "dc+sd-cwt", cbor.encode(signed.value), token)

    def jwt(self) -> Presented:
        times = Times.of(NOW - 1_000, None, NOW + 1_000)
        content = sd_jwt.Content(ISSUER, "person", SAID, times, redacting=(("name",), ("tags", 1)))
        credential = sd_jwt.issue(content, self.curve.key, self.issuer)
        nonce = base64url(self.nonce)
        presentation = credential.present([("name",)], self.name(self.audience), nonce, NOW - 10, self.curve)
        return Presented(1, "dc+sd-jwt", presentation.encode())

    def word(self) -> Presented:
        """The customer's own word."""
        me = self.name(self.peer_id)
        given = {"issuer": me, "type": "size", "subject": me, "claims": {"shoe": 43}, "redacting": (), "status": None}
        return replace(self.cwt(self.peer, signer=self.peer, token=None, **given), query=2)

    def token(self, status: int, **claims: Any) -> bytes:
        return cwt(self.issuer.sign, "EdDSA", bytes([status << 3, 0]), 1, None, claims)


def judged(layer: Layer) -> None:
    scene = Scene()
    person = Query("person", (Wanted(("name",)), Wanted(("adult",), True)))
    request = Request(
        "dpv:IdentityVerification",
        (person, replace(person, issuers=(ISSUER,)), Query("size", (Wanted(("shoe",), 43),), self_asserted=True)),
        scene.nonce,
        maximum_age=2_000,
    )
    answer = Presentation(4, (scene.cwt(), scene.jwt(), scene.word()))
    trusted = {"issuer": ISSUER, "key": cbor.encode(scene.issuer.key.cose).hex()}

    def add(name: str, **changes: Any) -> None:
        asking, answering = changes.pop("request", request), changes.pop("answer", answer)
        given = {
            "audience": scene.audience.hex(),
            "peer": scene.peer_id.hex(),
            "peerKey": scene.peer.key.raw.hex(),
            "issuers": [trusted],
            "now": NOW,
            "asked": NOW - 100,
            "request": cbor.encode(asking.body).hex(),
            "present": cbor.encode(answering.body).hex(),
        }
        layer.add(f"judge, {name}", "judge", **given | changes)

    def first(name: str, presented: Presented) -> None:
        add(name, answer=replace(answer, presentations=(presented, *answer.presentations[1:])))

    def asking(name: str, **changes: Any) -> None:
        add(name, request=replace(request, credentials=(replace(person, **changes), *request.credentials[1:])))

    add("all hold")
    add("a refusal", answer=Presentation(4, reason="no"))
    add("one alone", answer=Presentation(4, answer.presentations[1:2]))
    add("nobody is trusted", issuers=[])
    add("trusted for other types", issuers=[trusted | {"types": ["people", "Person"]}])
    add("trusted for this type", issuers=[trusted | {"types": ["size", "person"]}])
    add("another key", issuers=[trusted | {"key": cbor.encode(scene.peer.key.cose).hex()}])
    add("a key of another algorithm", issuers=[trusted | {"key": cbor.encode(scene.curve.key.cose).hex()}])
    add("for another verifier", audience=os.urandom(32).hex())
    add("another peer", peer=os.urandom(32).hex())
    add("another key of the peer", peerKey=scene.holder.key.raw.hex())
    add("to another request", request=replace(request, nonce=os.urandom(16)))
    add("too old for the verifier", request=replace(request, maximum_age=999))
    add("as old as may be", request=replace(request, maximum_age=1_000))
    add("after its end", now=NOW + 1_060)
    add("before it began", now=NOW - 1_061)
    add("signed before the request", now=NOW + 70, asked=NOW + 65)
    add("answered late", now=NOW + 900, asked=NOW - 10)
    asking("of another type", type="Person")
    asking("of named issuers", issuers=("https://id.example/", ISSUER))
    asking("of other issuers", issuers=("https://id.example/",))
    asking("the own word is enough, too", self_asserted=True)
    for wanted in (
        Wanted(("home",)),
        Wanted(("tags", 0), "b"),
        Wanted(("tags", 1)),
        Wanted(("tags", Each.EACH), "b"),
        Wanted(("tags", Each.EACH), "a"),
        Wanted((Key(-5), 0), 1),
        Wanted((Key(-5), 0), True),
        Wanted(("level",), 3),
        Wanted(("level",), True),
        Wanted(("level",), "3"),
        Wanted(("adult",), 1),
        Wanted(("adult",), False),
        Wanted(("name",), "ada"),
        Wanted(("name", "x")),
    ):
        asking(f"wanted {wanted.path} {wanted.value!r}", claims=(wanted,))
    stranger = Ed25519Signer(os.urandom(32))
    first("bound by another key", scene.cwt(stranger, key=scene.holder.key))
    first("for somebody else", scene.cwt(audience="https://shop.example"))
    first("signed by a stranger", scene.cwt(signer=stranger))
    first("of an unknown issuer", scene.cwt(issuer="https://other.example"))
    first("of a peer who vouches for itself unasked", scene.cwt(issuer=scene.name(scene.peer_id), signer=scene.peer))
    first("signed in the future", scene.cwt(at=NOW + 61))
    first("that begins later", scene.cwt(times=Times.of(NOW - 1_000, None, NOW - 60)))
    first("without a time", scene.cwt(times=Times.of(None, None, None)))
    first("no COSE_Sign1", replace(scene.cwt(), presentation=b"\xd2\x80"))
    first("of the other format", replace(scene.cwt(), format="dc+sd-jwt"))
    first("without a token of the list", scene.cwt(token=None))
    first("a token of no status", scene.cwt(status=None, token=b"any"))
    first("revoked", scene.cwt(token=scene.token(1)))
    first("of another list", scene.cwt(token=scene.token(0, **{"2": URI + "0"})))
    first("a token that has ended", scene.cwt(token=scene.token(0, **{"6": NOW - 900, "4": NOW - 60})))
    first("a token kept too long", scene.cwt(token=scene.token(0, **{"6": NOW - 900, "65534": 60})))
    first("a place that the list does not have", scene.cwt(status=Status(URI, 16)))
    word = scene.word()
    for name, changes in (
        ("own word not asked for", {"self_asserted": None}),
        ("own word refused", {"self_asserted": False}),
        ("own word of another type", {"type": "shoe"}),
        ("own word of named issuers", {"issuers": (ISSUER,)}),
    ):
        last = replace(request.credentials[2], **changes)
        add(name, request=replace(request, credentials=(*request.credentials[:2], last)))
    foreign = replace(
        scene.cwt(
            stranger,
            issuer=scene.name(scene.peer_id),
            type="size",
            signer=scene.peer,
            claims={"shoe": 43},
            redacting=(),
            status=None,
        ),
        query=2,
    )
    add("own word bound to another key", answer=Presentation(4, (*answer.presentations[:2], foreign)))
    add("own word twice", answer=Presentation(4, (replace(word, query=0), replace(word, query=1), word)))
