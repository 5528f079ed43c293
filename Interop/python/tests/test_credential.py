"""SD-CWT and SD-JWT VC of this package: the documents' own examples, and what is issued, shown in part, and changed."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from handfast import sd_cwt, sd_jwt
from handfast.credential import Ed25519Signer, P256Signer, Signer, Times, VerificationKey, decode_cbor
from handfast.encoding.text import from_base64url
from handfast.errors import ClaimError, InvalidClaim, NotRedactable

THIRD_PARTY = Path(__file__).parents[2] / "third-party"
CWT = json.loads((THIRD_PARTY / "sd-cwt/examples.json").read_text())
ISSUER = "https://example.com/issuer"
ISSUER_KEY = VerificationKey.of_jwk(
    {
        "kty": "EC",
        "crv": "P-256",
        "x": "b28d4MwZMjw8-00CG4xfnn9SLMVMM19SlqZpVb_uNtQ",
        "y": "Xv5zWwuoaTgdS6hV43yI6gBwTnjukmFQQnJ_kCxzqk8",
    }
)
HOLDER = P256Signer(from_base64url("5K5SCos8zf9zRemGGUl6yfok-_NiiryNZsvANWMhF-I"))
NOW = 1_800_000_000


def of_cwt(name: str) -> VerificationKey:
    return VerificationKey.of_cose(decode_cbor(bytes.fromhex(CWT["keys"][name])))


def text(path: str) -> str:
    return (THIRD_PARTY / "sd-jwt" / path).read_text().replace("\n", "")


def contents(path: str) -> dict[str, Any]:
    found = json.loads((THIRD_PARTY / "sd-jwt" / path).read_text())
    assert isinstance(found, dict)
    return found


# ---- the documents' examples ----


@pytest.mark.parametrize("example", CWT["issued"], ids=lambda example: example["name"])
def test_sd_cwts_of_the_draft_are_held(example: dict[str, str]) -> None:
    credential = sd_cwt.Credential.decode(bytes.fromhex(example["bytes"]))
    shown = credential.hold(of_cwt("holder"), lambda *_: of_cwt("issuer"), CWT["time"])
    assert len(shown.disclosed) >= 1 and credential.encode().hex() == example["bytes"]


@pytest.mark.parametrize("example", CWT["presented"], ids=lambda example: example["name"])
def test_presentations_of_the_draft_are_verified(example: dict[str, str]) -> None:
    given = CWT["audience"], bytes.fromhex(CWT["nonce"]), lambda *_: of_cwt("issuer"), CWT["time"]
    shown = sd_cwt.verify(bytes.fromhex(example["bytes"]), *given)
    assert shown.issuer == "https://issuer.example" and shown.disclosed


@pytest.mark.parametrize("kind", ["issuance", "presentation"])
@pytest.mark.parametrize("example", ["simple_structured", "complex_ekyc", "address_only_recursive"])
def test_sd_jwts_of_the_rfc_are_put_together(example: str, kind: str) -> None:
    token, disclosures, _ = sd_jwt._parts(text(f"{example}/sd_jwt_{kind}.txt"))
    read = sd_jwt.JWS.read(token, "example+sd-jwt", 32_768)
    read.verify(ISSUER_KEY)
    claims = sd_jwt.Credential(read, disclosures).claims
    if kind == "presentation":
        assert claims == contents(f"{example}/verified_contents.json")
    else:
        assert contents(f"{example}/user_claims.json").items() <= claims.items()


@pytest.mark.parametrize("example", ["vc-draft", "vc-identity", "vc-pid"])
def test_sd_jwt_vcs_of_the_draft_are_verified(example: str) -> None:
    presentation = text(f"{example}/sd_jwt_presentation.txt")
    made = sd_jwt.JWS.read(presentation.rpartition("~")[2], "kb+jwt", 32_768).claims["iat"]
    given = "https://example.com/verifier", "1234567890", lambda issuer, _: ISSUER_KEY if issuer == ISSUER else None
    shown = sd_jwt.verify(presentation, *given, made)
    expected = contents(f"{example}/verified_contents.json")
    assert shown.claims.items() <= expected.items() and len(shown.claims) == len(expected) - 5
    assert (shown.type, shown.times.expires) == (expected["vct"], 1_883_000_000)


@pytest.mark.parametrize("example", ["vc-identity", "vc-pid"])
def test_sd_jwt_vcs_of_the_draft_are_presented(example: str) -> None:
    credential = sd_jwt.Credential.read(text(f"{example}/sd_jwt_issuance.txt"))
    credential.hold(lambda *_: ISSUER_KEY, 1_700_000_000)
    shown = sd_jwt.verify(
        credential.present(credential.places, "a", "n", 1_700_000_000, HOLDER),
        "a",
        "n",
        lambda *_: ISSUER_KEY,
        1_700_000_000,
    )
    assert shown.claims.items() <= contents(f"{example}/user_claims.json").items()


# ---- what is issued here ----

CLAIMS = {"name": "Ada", "address": {"city": "Oslo", "lines": ["a", "b"]}, "languages": ["no", "en"], "adult": True}
PATHS: list[tuple[Any, ...]] = [
    ("name",),
    ("address",),
    ("address", "city"),
    ("address", "lines", 1),
    ("languages", 0),
    ("languages", 1),
    ("adult",),
]
SIGNERS: list[tuple[Signer, Signer]] = [
    (Ed25519Signer(os.urandom(32)), P256Signer(b"\0" + os.urandom(31))),
    (P256Signer(b"\0" + os.urandom(31)), Ed25519Signer(os.urandom(32))),
]


def expected(shown: list[tuple[Any, ...]], redacted: list[tuple[Any, ...]]) -> set[tuple[Any, ...]]:
    """Of what is redacted, what a path goes through or ends at."""
    return {path for path in redacted if any(one[: len(path)] == path for one in shown)}


@pytest.mark.parametrize("seed", range(40))
def test_a_verifier_learns_what_is_chosen(seed: int) -> None:
    source = random.Random(seed)
    redacted = [path for path in PATHS if source.random() < 0.6]
    chosen = [path for path in PATHS if source.random() < 0.4]
    issuer, holder = SIGNERS[seed % 2]
    times = Times.of(NOW - 100, None, NOW + 100)
    for module, nonce in ((sd_cwt, b"nonce"), (sd_jwt, "nonce")):
        kind: Any = module
        content = kind.Content(
            "issuer", "type", claims=CLAIMS, times=times, subject="s", redacting=tuple(redacted), decoys=2
        )
        credential = kind.issue(content, holder.key, issuer)
        assert credential.hold(*([holder.key] if module is sd_cwt else []), lambda *_: issuer.key, NOW).claims == CLAIMS
        presentation = credential.present(chosen, "vendor", nonce, NOW, holder)
        shown = kind.verify(presentation, "vendor", nonce, lambda *_: issuer.key, NOW)
        # Elements that were dropped shorten their array, so places are compared where none were.
        if not any(isinstance(step, int) for path in redacted for step in path):
            assert set(shown.disclosed) == expected(chosen, redacted)
        assert len(shown.disclosed) == len(expected(chosen, redacted))
        assert (shown.issuer, shown.type, shown.subject) == ("issuer", "type", "s")


@pytest.mark.parametrize("seed", range(60))
def test_nothing_changed_is_verified(seed: int) -> None:
    source, (issuer, holder) = random.Random(seed), SIGNERS[seed % 2]
    times = Times.of(NOW - 100, None, None)
    given: dict[str, Any] = {"claims": CLAIMS, "times": times, "subject": "s", "redacting": tuple(PATHS)}
    cwt = sd_cwt.issue(sd_cwt.Content("issuer", "type", **given), holder.key, issuer)
    jwt = sd_jwt.issue(sd_jwt.Content("issuer", "type", **given), holder.key, issuer)
    place = source.random()
    data = bytearray(cwt.present(PATHS[:3], "vendor", b"n", NOW, holder))
    data[int(place * len(data))] ^= 1 << source.randrange(8)
    with pytest.raises(ClaimError):
        sd_cwt.verify(bytes(data), "vendor", b"n", lambda *_: issuer.key, NOW)
    letters = list(jwt.present(PATHS[:3], "vendor", "n", NOW, holder))
    at = int(place * len(letters))
    letters[at] = source.choice([letter for letter in "Ab9-_.~" if letter != letters[at]])
    with pytest.raises(ClaimError):
        sd_jwt.verify("".join(letters), "vendor", "n", lambda *_: issuer.key, NOW)


def test_an_issuer_says_nothing_that_its_holder_would_refuse() -> None:
    issuer, holder = SIGNERS[0]
    times = Times.of(NOW, None, None)
    with pytest.raises(InvalidClaim):
        sd_jwt.issue(sd_jwt.Content("issuer", "type", CLAIMS, times, subject=""), holder.key, issuer)
    with pytest.raises(InvalidClaim):
        Times.of(-1, None, None)
    with pytest.raises(NotRedactable):
        sd_cwt.issue(sd_cwt.Content("issuer", "type", "s", {}, times, redacting=(((1,),),)), holder.key, issuer)
