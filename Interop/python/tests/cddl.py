"""`Spec/handfast.cddl` over real bytes, by `pycddl`.

pycddl (0.6) holds `.cbor` against every item of the array around it, looks at the first only of an array's arrays, and
takes any map for `{}`. So embedded bytes and items of lists are looked up in `PLACES` and each is held against its rule
by itself; `tests/test_cddl.py` sees to it that `PLACES` names what the CDDL does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import cbor2
from pycddl import Schema, ValidationError

TEXT = (Path(__file__).parents[3] / "Spec" / "handfast.cddl").read_text()
RULES = {name: body.strip() for name, body in re.findall(r"^([a-z0-9-]+) = (.*(?:\n[ }\])].*)*)", TEXT, re.MULTILINE)}

Path_ = tuple[Any, ...]
EACH = ...
"""Every item of an array."""

PLACES: dict[str, dict[Path_, str]] = {
    "key-log": {(EACH,): "key-event"},
    "bundle-payload": {(3,): "key-log"},
    "hello-payload": {(1,): "key-event", (2, EACH): "address", (6, EACH): "entry"},
    "welcome-content": {
        (1,): "key-event",
        (2, EACH): "address",
        (3,): "welcome-signature",
        (4,): "welcome-signature",
        (5, EACH): "entry",
        (6, EACH): "key-event",
    },
    "proof": {
        (0,): "bundle",
        (5,): "key-event",
        (6,): "key-event",
        (7,): "welcome-signature",
        (8,): "welcome-signature",
        (9, EACH): "key-event",
    },
    "shown-events": {(EACH,): "key-event"},
    "heads": {(0,): "own-heads", (1,): "reference"},
    "own-heads": {(EACH,): "reference"},
    "rejoin-payload": {(3,): "heads", (4,): "shown-events", (9, EACH): "address"},
    "rejoined-content": {(1,): "heads", (2,): "rejoined-signature", (3,): "shown-events", (4, EACH): "address"},
    "inclusion": {(-1, EACH): "inclusion-proof"},
    "inclusion-proof": {(2, EACH): "digest"},
    "whole-entry": {(0,): "record", (2,): "body"},
    "erased-entry": {(0,): "record"},
    "records-content": {(EACH,): "entry"},
    "export": {(4,): "proof", (5, EACH): "entry", (6, EACH): "entry"},
    "anonymous-parameters": {(2,): "anonymous-schema"},
    "rotate-body": {("event",): "key-event"},
    "revoke-body": {("event",): "key-event"},
    "move-body": {("addresses", EACH): "address"},
    "endorse-body": {("event",): "key-event"},
    "claim-request-body": {("credentials", EACH): "credential-query"},
    "credential-query": {("claims", EACH): "wanted-claim"},
    "wanted-claim": {("path",): "claim-path"},
    "claim-present-body": {("presentations", EACH): "presented"},
    "claim-result-body": {("checks", EACH): "claim-check"},
    "open": {(2, EACH): "opened"},
    "publish": {(3, EACH): "published"},
    "put": {(2, EACH): "put-item"},
    "stored": {(2, EACH): "stored-item"},
    "push": {(2, EACH): "pushed"},
    "pushed-notice": {(2,): "notice"},
    "policy": {(2, EACH): "policy-setting"},
    "policy-setting": {(1,): "queue-policy"},
}


class Refused(Exception):
    """Bytes are not as the CDDL has them."""


def embedded(rule: str) -> set[str]:
    """What byte strings of a rule hold."""
    return set(re.findall(r"\.cbor ([a-z0-9-]+)", RULES[rule]))


@cache
def _schema(start: str, apart: frozenset[str]) -> Schema:
    text = re.sub(r" \.cbor [a-z0-9-]+(<[^>]*>)?", "", TEXT)
    body = re.sub(r" \.cbor [a-z0-9-]+(<[^>]*>)?", "", RULES.get(start, start))
    for name in apart:
        body = re.sub(rf"(?<![a-z0-9-]){name}(?![a-z0-9-])", "any", body)
    return Schema(f"start-of-all = {body}\n{text}")


def _find(value: Any, path: Path_) -> Iterator[Any]:
    if not path:
        yield value
    elif path[0] is EACH:
        for item in value:
            yield from _find(item, path[1:])
    elif not isinstance(value, dict) or path[0] in value:
        yield from _find(value[path[0]], path[1:])


def check(rule: str, data: bytes) -> None:
    """Raises `Refused` unless the bytes are as a rule says, and what they hold as its own rule says."""
    body = RULES[rule]
    if re.fullmatch(r"[a-z0-9-]+( / [a-z0-9-]+)+", body):
        return _check_any(rule, body.split(" / "), data)
    places = PLACES.get(rule, {})
    _hold(rule, rule, frozenset(places.values()) - embedded(rule), data)
    value = cbor2.loads(data)
    # Where all of its items are looked up by themselves, pycddl counts none.
    if re.fullmatch(r"\[[a-z0-9-]+(, [a-z0-9-]+)*\]", body) and len(value) != body.count(",") + 1:
        raise Refused(f"{rule}: {len(value)} items")
    if signed := re.fullmatch(r'(signed|batched|detached)<("[^"]*")(?:, ([a-z0-9-]+))?>', body):
        form, type_, content = signed.groups()
        header, unprotected, payload, _ = value.value
        _hold(rule, f"header<{type_}>", frozenset(), header)
        if form == "batched" and list(unprotected) == [396]:
            check("inclusion", cbor2.dumps(unprotected[396]))
        elif unprotected or form == "batched":
            raise Refused(f"{rule}: something in the unprotected header")
        if content is not None:
            check(content, payload)
    for path, inner in places.items():
        try:
            found = list(_find(value, path))
            is_there = any(True for _ in _find(value, path[:-1]))
        except (IndexError, TypeError):
            raise Refused(f"{rule}: nothing at {path}") from None
        if path[-1] is EACH and is_there and (bounds := re.search(rf"\[(\d*)\*(\d*) {inner}\]", body)):
            if not int(bounds[1] or 0) <= len(found) <= int(bounds[2] or len(found)):
                raise Refused(f"{rule}: {len(found)} items at {path}")
        for item in found:
            check(inner, item if inner in embedded(rule) else cbor2.dumps(item))


def _check_any(rule: str, names: list[str], data: bytes) -> None:
    refusals = []
    for name in names:
        try:
            return check(name, data)
        except Refused as refusal:
            refusals.append(str(refusal))
    raise Refused(f"{rule}: " + "; ".join(refusals))


def _hold(rule: str, start: str, apart: frozenset[str], data: bytes) -> None:
    try:
        _schema(start, apart).validate_cbor(data)
    except ValidationError as error:
        raise Refused(f"{rule}: {error}") from error
