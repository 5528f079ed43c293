"""The operations of the layer `claim`."""

from __future__ import annotations

from typing import Any

from handfast import claims
from handfast.claim_verifier import TrustedIssuer, Verifier
from handfast.claims import Presentation, Request, Result
from handfast.credential import VerificationKey, decode_cbor
from handfast.encoding import cbor
from handfast.encoding.text import base32
from handfast.record import read_body

Fields = dict[str, Any]
b = bytes.fromhex


def given_body(given: Fields) -> dict[str, cbor.Value]:
    return read_body(b(given["body"]))


def encoded(value: Request | Presentation | Result) -> Fields:
    return {"encoded": cbor.encode(value.body).hex()}


def present(**values: Any) -> Fields:
    return {name: value for name, value in values.items() if value is not None}


def shown_value(value: bool | int | str) -> Fields:
    kind = {bool: "bool", int: "int", str: "text"}[type(value)]
    return {kind: str(value) if kind == "int" else value}


def request(given: Fields) -> Fields:
    found = Request.of(given_body(given))
    queries = [
        present(
            type=query.type,
            claims=[
                present(
                    path=[claims._step_item(step) for step in claim.path],
                    value=None if claim.value is None else shown_value(claim.value),
                )
                for claim in query.claims
            ],
            issuers=None if query.issuers is None else list(query.issuers),
            selfAsserted=query.self_asserted,
        )
        for query in found.credentials
    ]
    return encoded(found) | present(
        purpose=found.purpose,
        description=found.description,
        credentials=queries,
        maximumAge=found.maximum_age,
        nonce=found.nonce.hex(),
    )


def presentation(given: Fields) -> Fields:
    found = Presentation.of(given_body(given))
    shown = [
        present(
            query=one.query,
            format=one.format,
            presentation=one.presentation.hex(),
            statusToken=None if one.status_token is None else one.status_token.hex(),
        )
        for one in found.presentations
    ]
    return encoded(found) | present(request=found.request, presentations=shown, reason=found.reason)


def result(given: Fields) -> Fields:
    found = Result.of(given_body(given))
    checks = [
        present(query=check.query, check=check.check, outcome=check.outcome.value, reason=check.reason)
        for check in found.checks
    ]
    return encoded(found) | {
        "request": found.request,
        "presentation": found.presentation,
        "checks": checks,
        "isAccepted": found.accepted,
    }


def judge(given: Fields) -> Fields:
    issuers = [
        TrustedIssuer(
            one["issuer"],
            VerificationKey.of_cose(decode_cbor(b(one["key"]))),
            tuple(one["types"]) if "types" in one else None,
        )
        for one in given["issuers"]
    ]
    own, peer = (f"hf:{base32(b(given[name]))}" for name in ("audience", "peer"))
    verifier = Verifier(own, peer, b(given["peerKey"]), tuple(issuers), given["now"])
    asked = Request.of(read_body(b(given["request"])))
    answer = Presentation.of(read_body(b(given["present"])))
    checks, proved = verifier.judge(answer, asked, given["asked"])
    return {
        "checks": [{"query": check.query, "check": check.check, "outcome": check.outcome.value} for check in checks],
        "shown": [
            {
                "query": one.query,
                "isOwnWord": one.is_own_word,
                "issuer": one.shown.issuer,
                "claims": cbor.encode(one.shown.claims).hex(),
            }
            for one in proved
        ],
    }


OPERATIONS = {
    ("claim", "request"): request,
    ("claim", "present"): presentation,
    ("claim", "result"): result,
    ("claim", "judge"): judge,
}
