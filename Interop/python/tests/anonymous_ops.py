"""The operations of the layer `anonymous` by this package (Interop/vectors/README.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from handfast import anonymous
from handfast.anonymous import (
    Binding,
    Confirmation,
    Credential,
    Issuance,
    IssuerKey,
    Parameters,
    Presentation,
    Question,
    Request,
    Scope,
    Value,
)
from handfast.encoding import cbor
from handfast.errors import AnonymousEncoding, CBORError
from handfast.suite import ristretto
from handfast.suite.ristretto import Point, encode_scalar

Fields = dict[str, Any]


def b(value: str) -> bytes:
    return bytes.fromhex(value)


def scalar(value: str) -> int:
    return ristretto.decode_scalar(b(value))


def shown(value: int | Point) -> str:
    return (value.encode() if isinstance(value, Point) else encode_scalar(value)).hex()


@contextmanager
def drawing(*scalars: str) -> Iterator[None]:
    """These scalars in the place of random ones."""
    waiting = [scalar(value) for value in scalars]
    with patch("handfast.anonymous.draw", lambda: waiting.pop(0)):
        yield
    assert not waiting


def parameters(given: Fields) -> Parameters:
    return Parameters.decode(b(given["parameters"]))


def value(item: str) -> Value:
    try:
        return anonymous.read_value(cbor.decode(b(item)))
    except CBORError as error:
        raise AnonymousEncoding(error.detail) from error


def values(given: Fields) -> tuple[Value, ...]:
    return tuple(value(item) for item in given["values"])


def scope(given: Fields) -> Scope:
    return Scope(given["scope"], b(given["identity"]))


def binding(given: Fields) -> Binding:
    return Binding(b(given["nonce"]), b(given["verifier"]), b(given["relationship"]))


def hash_(given: Fields) -> Fields:
    parts = tuple(b(part) for part in given["items"])
    uniform = ristretto.expand(anonymous.items(*parts), b"HANDFAST-V1-ANON-" + given["label"].encode(), 64)
    return {
        "uniform": uniform.hex(),
        "point": shown(anonymous.to_point(given["label"], *parts)),
        "scalar": shown(anonymous.to_scalar(given["label"], *parts)),
    }


def value_(given: Fields) -> Fields:
    return {"scalar": shown(anonymous.scalar_of(value(given["value"])))}


def parameters_(given: Fields) -> Fields:
    found = parameters(given)
    return {
        "issuer": shown(found.issuer),
        "type": found.schema.type,
        "epochLength": found.schema.epoch_length,
        "attributes": list(found.schema.attributes),
        "p1": shown(found.p1),
        "q": shown(found.q),
        "generators": [shown(point) for point in found.h],
        "domain": shown(found.domain),
        "base": shown(found.base),
        "encoded": found.encode().hex(),
    }


def pseudonym(given: Fields) -> Fields:
    secret = anonymous.holder_secret(b(given["master"]))
    point = scope(given).point
    return {"secret": shown(secret), "scopePoint": shown(point), "pseudonym": shown(secret * point)}


def request(given: Fields) -> Fields:
    with drawing(given["blinding"], given["blindingMask"], given["secretMask"]):
        found, _ = anonymous.request(b(given["nonce"]), anonymous.holder_secret(b(given["master"])), parameters(given))
    return {
        "commitment": shown(found.commitment),
        "commitmentMask": shown(found.mask(parameters(given))),
        "challenge": shown(found.challenge),
        "blindingResponse": shown(found.blinding_response),
        "secretResponse": shown(found.secret_response),
        "request": found.encode().hex(),
    }


def issue(given: Fields) -> Fields:
    asked = Request.decode(b(given["request"]))
    with drawing(given["exponent"], given["mask"]):
        found = IssuerKey(scalar(given["key"])).issue(
            asked, b(given["nonce"]), given["epoch"], values(given), parameters(given)
        )
    total = parameters(given).total(asked.commitment, parameters(given).messages(found.epoch, found.values))
    masks = found.masks(parameters(given).issuer, total)
    return {
        "total": shown(total),
        "signature": shown(found.signature),
        "generatorMask": shown(masks[0]),
        "signatureMask": shown(masks[1]),
        "challenge": shown(found.challenge),
        "response": shown(found.response),
        "issuance": found.encode().hex(),
    }


def finish(given: Fields) -> Fields:
    asked = Request.decode(b(given["request"]))
    issued = Issuance.decode(b(given["issuance"]))
    found = anonymous.finish(asked, scalar(given["blinding"]), issued, parameters(given), given["now"])
    return {"epoch": found.epoch, "values": [cbor.encode(value).hex() for value in found.values]}


def present(given: Fields) -> Fields:
    credential = Credential(
        anonymous.read_point(b(given["signature"]), "signature"),
        scalar(given["exponent"]),
        anonymous.read_point(b(given["total"]), "total"),
        scalar(given["blinding"]),
        given["epoch"],
        values(given),
    )
    names = ("first", "second", "exponentMask", "firstMask", "secondMask")
    with drawing(*(given[name] for name in names), *given["messageMasks"]):
        secret = anonymous.holder_secret(b(given["master"]))
        found = anonymous.present(credential, secret, given["show"], parameters(given), scope(given), binding(given))
    return presentation_fields(found, given) | {"presentation": found.encode().hex()}


def presentation_fields(found: Presentation, given: Fields) -> Fields:
    points = zip(("hiddenSignature", "product", "randomised", "pseudonym"), found.points, strict=True)
    names = "signatureCommitment", "messageCommitment", "pseudonymCommitment"
    commitments = zip(names, found.commitments(parameters(given), scope(given)), strict=True)
    return {name: shown(point) for name, point in points} | {name: shown(point) for name, point in commitments}


def check(given: Fields) -> Fields:
    found = Presentation.decode(b(given["presentation"]))
    block = [anonymous.read_point(b(point), "pseudonym") for point in given.get("blocklist", [])]
    arguments = parameters(given), scope(given), binding(given), given["now"], block
    if "key" in given:
        claims = found.verify(IssuerKey(scalar(given["key"])), *arguments)
    else:
        claims = found.check(*arguments)
    return presentation_fields(found, given) | {
        "epoch": found.shown[anonymous.EPOCH],
        "values": {name: cbor.encode(claims[name]).hex() for name in sorted(claims)},
        "question": found.question.encode().hex(),
    }


def confirm(given: Fields) -> Fields:
    question = Question.decode(b(given["question"]))
    with drawing(given["mask"]):
        found = IssuerKey(scalar(given["key"])).confirm(question)
    return {
        "challenge": shown(found.challenge),
        "response": shown(found.response),
        "confirmation": found.encode().hex(),
    }


def confirmed(given: Fields) -> Fields:
    fields = check({name: value for name, value in given.items() if name != "key"})
    question = Question.decode(b(fields["question"]))
    Confirmation.decode(b(given["confirmation"])).verify(question, parameters(given).issuer)
    return {"values": fields["values"]}


OPERATIONS: dict[tuple[str, str], Callable[[Fields], Fields]] = {
    ("anonymous", "hash"): hash_,
    ("anonymous", "value"): value_,
    ("anonymous", "parameters"): parameters_,
    ("anonymous", "pseudonym"): pseudonym,
    ("anonymous", "request"): request,
    ("anonymous", "issue"): issue,
    ("anonymous", "finish"): finish,
    ("anonymous", "present"): present,
    ("anonymous", "verify"): check,
    ("anonymous", "check"): lambda given: check({name: value for name, value in given.items() if name != "key"}),
    ("anonymous", "confirm"): confirm,
    ("anonymous", "confirmed"): confirmed,
}
