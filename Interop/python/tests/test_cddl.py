"""Every structure of the vectors is as `Spec/handfast.cddl` says, and none that lacks a key or has one too many."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import cbor2
import cddl
import pytest
from vector_ops import Fields

from handfast.encoding.text import from_base64url

INTEROP = Path(__file__).parents[2]
Structure = tuple[str, bytes]

# Which rule the fields of an operation are as, in its input and its output.
FIELDS: dict[tuple[str, str], dict[str, str]] = {
    ("keylog", "append"): {"event": "key-event"},
    ("invitation", "make"): {"cbor": "invitation"},
    ("bundle", "make"): {"bundle": "bundle"},
    ("bundle", "verify"): {"bundle": "bundle"},
    ("handshake", "makeHello"): {"entries": "entry"},
    ("handshake", "openHello"): {"signed": "hello-content", "entries": "entry"},
    ("handshake", "makeWelcome"): {
        "content": "welcome-content",
        "pairwiseSignature": "welcome-signature",
        "signerSignature": "welcome-signature",
        "entries": "entry",
    },
    ("handshake", "openWelcome"): {"entries": "entry"},
    ("record", "make"): {"record": "record", "payload": "record-payload", "entry": "entry", "body": "body"},
    ("record", "read"): {"entry": "entry", "body": "body"},
    ("record", "content"): {"content": "records-content"},
    ("record", "ephemeral"): {"content": "ephemeral-content"},
    ("rejoin", "ask"): {"heads": "heads"},
    ("rejoin", "open"): {"signed": "rejoin-content", "heads": "heads"},
    ("rejoin", "answer"): {"content": "rejoined-content", "signature": "rejoined-signature", "heads": "heads"},
    ("batch-proof", "sign"): {"payloads": "record-payload", "records": "record"},
    ("batch-proof", "ledger"): {"proof": "proof", "invitee": "entry", "inviter": "entry"},
    ("ledger", "verify"): {"proof": "proof", "invitee": "entry", "inviter": "entry"},
    ("ledger", "verifyFile"): {"file": "export"},
    ("attachment", "body"): {"body": "attachment-body"},
    ("attachment", "message"): {"content": "ephemeral-content"},
    ("claim", "request"): {"body": "claim-request-body", "encoded": "claim-request-body"},
    ("claim", "present"): {"body": "claim-present-body", "encoded": "claim-present-body"},
    ("claim", "judge"): {"request": "claim-request-body", "present": "claim-present-body"},
    ("claim", "result"): {"body": "claim-result-body", "encoded": "claim-result-body"},
    ("anonymous", "parameters"): {"parameters": "anonymous-parameters"},
    ("anonymous", "request"): {"request": "anonymous-request"},
    ("anonymous", "issue"): {"request": "anonymous-request", "issuance": "anonymous-issuance"},
    ("anonymous", "present"): {"presentation": "anonymous-presentation"},
    ("anonymous", "check"): {"presentation": "anonymous-presentation", "question": "anonymous-question"},
    ("anonymous", "confirm"): {"question": "anonymous-question", "confirmation": "anonymous-confirmation"},
    ("relay", "request"): {"frame": "relay-request"},
    ("relay", "answer"): {"frame": "relay-frame"},
    ("relay", "attach"): {"frame": "attach"},
    # pycddl knows no simple values, so what may hold one is left to `test_credentials.py`.
    ("sd-cwt", "issue"): {"credential": "sd-cwt"},
    ("sd-cwt", "present"): {"presentation": "sd-cwt-presentation"},
}
KEYS = {"ed25519": "ed25519-key", "x25519": "x25519-key", "ml-kem-768": "ml-kem-768-key", "x-wing": "x-wing-key"}


def structures(file: Fields, vector: Fields) -> Iterator[Structure]:
    """What a vector that is not refused shows of the CDDL's structures."""
    given, out = file.get("common", {}) | vector["in"], vector.get("out", {})
    operation = file["layer"], vector["op"]
    for field, rule in FIELDS.get(operation, {}).items():
        for value in (given.get(field), out.get(field)):
            for data in value if isinstance(value, list) else [value]:
                if isinstance(data, str):
                    yield rule, bytes.fromhex(data)
    match operation:
        case ("keylog", "verify" | "append"):
            yield "key-log", bytes.fromhex(given["log"])
        case ("keylog", "make"):
            for event in out.get("events", []):
                yield "key-event", bytes.fromhex(event["event"])
        case ("invitation", "parse"):
            yield "invitation", from_base64url(given["uri"].removeprefix("handfast:"))
        case ("cose", "key"):
            yield KEYS[given["kind"]], bytes.fromhex(given["bytes"])
        case ("status-list", "verify") if given["token"].startswith("d2") and "further" not in vector["name"]:
            yield "status-list-claims", cbor2.loads(bytes.fromhex(given["token"])).value[2]
        case ("record", "receive"):
            for entry, result in zip(given["entries"], out["results"], strict=True):
                if "outcome" in result:
                    yield "entry", bytes.fromhex(entry)


FILES = [json.loads(path.read_text()) for path in sorted(INTEROP.glob("**/vectors/*.json"))]
# What this opens is refused later, by the ledger (§3.3).
LATER = "hello: entries that are none"
CASES = [(file, vector) for file in FILES for vector in file["vectors"] if vector["name"] != LATER]
SHOWN = [
    pytest.param(*structure, id=f"{file['layer']}: {vector['name']}, {structure[0]}")
    for file, vector in CASES
    if "error" not in vector
    for structure in structures(file, vector)
]
# What CDDL can see of a refusal. It knows bounds and shapes, not order, lengths of texts in bytes, or signatures.
SEEN = re.compile(r"(malformed|encoding|signature)?/?(missingKey|unknownKey|wrongCurve|wrongKeyType|wrongAlgorithm)")
REFUSED = [
    pytest.param(*structure, id=f"{file['layer']}: {vector['name']}, {structure[0]}")
    for file, vector in CASES
    if SEEN.fullmatch(vector.get("error", ""))
    for structure in list(structures(file, vector))[:1]
]


@pytest.mark.parametrize(("rule", "data"), SHOWN)
def test_vectors_are_as_the_cddl(rule: str, data: bytes) -> None:
    cddl.check(rule, data)


@pytest.mark.parametrize(("rule", "data"), REFUSED)
def test_refused_vectors_are_not_as_the_cddl(rule: str, data: bytes) -> None:
    with pytest.raises(cddl.Refused):
        cddl.check(rule, data)


def test_every_place_is_of_the_cddl() -> None:
    for name in cddl.RULES:
        if name in cddl.PLACES or not cddl.RULES[name].startswith("#6.18("):
            places = cddl.PLACES.get(name, {}).values()
            assert cddl.embedded(name) <= set(places), name
            assert all(place in cddl.RULES for place in places), name


# ---- one item too many or too few ----


@cache
def samples() -> dict[str, bytes]:
    """The longest structure of each rule, those within others included: the one with the most keys and items."""
    found: dict[str, bytes] = {}

    def walk(rule: str, data: bytes) -> None:
        rule = alternative(rule, data)
        if len(data) > len(found.get(rule, b"")):
            found[rule] = data
        value = cbor2.loads(data)
        if signed := re.fullmatch(r'(?:signed|batched)<"[^"]*", ([a-z0-9-]+)>', cddl.RULES[rule]):
            walk(signed[1], value.value[2])
            if value.value[1]:
                walk("inclusion", cbor2.dumps(value.value[1][396]))
        for path, inner in cddl.PLACES.get(rule, {}).items():
            for item in cddl._find(value, path):
                walk(inner, item if inner in cddl.embedded(rule) else cbor2.dumps(item))

    for parameter in SHOWN:
        walk(*parameter.values)  # type: ignore[arg-type]
    return found


def alternative(rule: str, data: bytes) -> str:
    """The one of a choice that holds."""
    if not re.fullmatch(r"[a-z0-9-]+( / [a-z0-9-]+)+", cddl.RULES[rule]):
        return rule
    for name in cddl.RULES[rule].split(" / "):
        try:
            cddl.check(name, data)
        except cddl.Refused:
            continue
        return alternative(name, data)
    raise AssertionError(rule)


# A list of any length, or a map that may hold what the reader does not know.
OPEN = {"body", "attachment-body", "key-log", "records-content", "own-heads", "shown-events", "claim-path"}
OPEN |= {"claim-request-body", "credential-query", "wanted-claim", "claim-present-body", "presented"}
OPEN |= {"claim-result-body", "claim-check"}
OPTIONAL: dict[str, set[Any]] = {
    "inception": {5},
    "rejoin-payload": {2, 8, 9},
    "rejoined-content": {4},
    "record-payload": {8},
    "ephemeral-content": {2},
    "status-list-claims": {4, 65_534},
}


def changed(rule: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The same with one key or item missing or too many."""
    match value:
        case cbor2.CBORTag():
            for name, inner in changed(rule, value.value):
                yield name, cbor2.CBORTag(value.tag, inner)
            yield "another tag", cbor2.CBORTag(value.tag - 1, value.value)
        case dict():
            for key in value.keys() - OPTIONAL.get(rule, set()):
                yield f"without {key}", {other: item for other, item in value.items() if other != key}
            yield "with 99", value | {99: 0}
            yield "with a text", value | {"name": "Ann"}
        case list() | tuple():
            yield "without the last", value[:-1]
            yield "with one more", [*value, 0]
            yield "with the first twice", [value[0], *value]


def test_a_key_or_item_too_many_or_too_few_is_refused() -> None:
    shapes = {rule: data for rule, data in samples().items() if rule not in OPEN}
    assert len(shapes) >= 40, (len(shapes), sorted(cddl.RULES.keys() - shapes.keys()))
    for rule, data in shapes.items():
        cddl.check(rule, data)
        for name, value in changed(rule, cbor2.loads(data)):
            with pytest.raises(cddl.Refused):
                cddl.check(rule, cbor2.dumps(value))
                pytest.fail(f"{rule} {name} is as the CDDL says")


# Of the rules for claims a grammar says what is there, how often and how long; not order, nor what a person is shown.
IN_GRAMMAR = re.compile(
    r": missing$|: None$|: \[?''|is null|is empty|no \w+$|nine|of (17|257|513|1025|49,153) |no such name|(?<!below) 0$"
)


def test_refused_claims_are_not_as_the_cddl() -> None:
    refused = 0
    for file, vector in CASES:
        operation = file["layer"], vector["op"]
        if operation[0] == "claim" and "error" in vector and IN_GRAMMAR.search(vector["name"]):
            with pytest.raises(cddl.Refused):
                cddl.check(FIELDS[operation]["body"], bytes.fromhex(vector["in"]["body"]))
                pytest.fail(vector["name"])
            refused += 1
    assert refused > 90, refused


def test_an_unprotected_header_is_refused() -> None:
    for rule in ("single-record", "batched-record", "key-event", "bundle", "hello-content", "welcome-signature"):
        signed = cbor2.loads(samples()[rule])
        protected, _, *rest = signed.value
        with pytest.raises(cddl.Refused):
            cddl.check(rule, cbor2.dumps(cbor2.CBORTag(signed.tag, [protected, {4: b"kid"}, *rest])))
