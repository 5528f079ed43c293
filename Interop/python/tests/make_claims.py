"""Vectors of the layers `claim`, `status-list`, `sd-cwt` and `sd-jwt`."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from vector_layer import NOW, Layer, fresh
from vector_ops import Fields, b

from handfast import sd_jwt
from handfast.claims import (
    CHECKS,
    Check,
    CheckOutcome,
    Each,
    Key,
    Presentation,
    Presented,
    Query,
    Request,
    Result,
    Wanted,
)
from handfast.credential import Ed25519Signer, P256Signer, Status, Times, VerificationKey
from handfast.encoding import cbor, strict_json
from handfast.encoding.text import base64url
from handfast.status_list import CWT, JWT
from handfast.suite.signing import SigningKey

# ---- claim ----

BAD_TEXTS = ("", "a\nb", "a\u2066b", "\u0085", None, 1, b"a", ["a"])


def claims() -> Layer:
    layer = Layer("claim")
    path = ("address", Key(-7), Each.EACH, 2)
    wanted = (Wanted(path), Wanted(("age_over_18",), False), Wanted(("n",), -(2**63)), Wanted(("t",), "Grüezi\n"))
    query = Query("https://id.example/person", wanted, ("https://id.example", "hf:other"), True)
    asked = Request("dpv:AgeVerification", (query, Query("name")), os.urandom(16), "Wein ist für Erwachsene", 2**40)
    add(layer, "request", asked.body)
    requests(layer, asked.body)
    shown = Presented(1, "dc+sd-cwt", os.urandom(99), os.urandom(9)), Presented(6, "dc+sd-jwt", b"eyJ")
    for answer in (Presentation(9, shown), Presentation(1), Presentation(2**40, reason="heute nicht")):
        add(layer, "present", answer.body)
    presentations(layer, Presentation(9, shown).body)
    outcomes = {"form": CheckOutcome.HELD, "nonce": CheckOutcome.FAILED, "status": CheckOutcome.ABSENT}
    checks = tuple(
        Check(query, name, outcomes.get(name, CheckOutcome.SKIPPED), "it is another's" if name == "nonce" else None)
        for query in range(2)
        for name in CHECKS
    )
    add(layer, "result", Result(9, 4, checks).body)
    results(layer, Result(9, 4, checks).body)
    return layer


def add(layer: Layer, operation: str, body: cbor.Value) -> None:
    count = len(layer.vectors)
    layer.add(f"{operation} {count}", operation, body=cbor.encode(body).hex())
    layer.add(f"{operation} {count}, further keys", operation, body=cbor.encode(body | {"zz": None, "é": []}).hex())


def refuse(layer: Layer, operation: str, body: cbor.Value, cases: dict[tuple[Any, ...], tuple[Any, ...]]) -> None:
    """Each case is a place in the body and what it may not be; `...` in the place of a value takes the key away."""
    for place, values in cases.items():
        for value in values:
            changed = replaced(body, place, value)
            at, kind = ".".join(map(str, place)), "missing" if value is ... else repr(value)[:24]
            layer.refuse(f"{operation}, {at}: {kind}", operation, "malformedBody", body=cbor.encode(changed).hex())


def replaced(value: Any, place: tuple[Any, ...], by: Any) -> Any:
    if not place:
        return by
    first, rest = place[0], place[1:]
    if isinstance(value, dict):
        found = replaced(value.get(first), rest, by)
        return {key: item for key, item in value.items() if key != first} | ({} if found is ... else {first: found})
    return [replaced(item, rest, by) if index == first else item for index, item in enumerate(value)]


def requests(layer: Layer, body: cbor.Value) -> None:
    query, place = ("credentials", 0), ("credentials", 0, "claims", 0)
    one = body["credentials"][1]
    numbers = (0, -1, None, 1.5, "1", True)
    refuse(
        layer,
        "request",
        body,
        {
            ("purpose",): (..., *BAD_TEXTS, "a" * 257),
            ("description",): (*BAD_TEXTS, "é" * 513),
            ("maximumAge",): numbers,
            ("nonce",): (..., None, bytes(15), bytes(17), "a" * 16),
            ("credentials",): (..., None, [], {}, [one] * 9, [7]),
            (*query, "type"): (..., *BAD_TEXTS, "a" * 513),
            (*query, "claims"): (..., None, {}, [{"path": ["a"]}] * 2, [{"path": [n]} for n in range(65)]),
            (*query, "issuers"): (None, [], ["a"] * 17, *([text] for text in BAD_TEXTS), ["a" * 513]),
            (*query, "selfAsserted"): (None, 0, "true"),
            (*query, 1): (2,),
            (*place, "path"): (..., None, [], "a", [[]], [["a"]], [[1, 2]], [1.0], [True], [b"a"], [{}], [-1], [2**63]),
            (*place, "path", 0): ("", "a\nb", "a" * 257, [2**63], [-(2**63) - 1], [None]),
            (*place, "value"): (None, 1.5, 2**63, -(2**63) - 1, "a" * 257, b"a", [True], {}),
        },
    )
    refuse(layer, "request", body, {(*place, "path"): ([None] * 17,)})
    whole = cbor.encode(body)
    for name, data in (("cut short", whole[:-1]), ("a byte more", whole + b"\0"), ("a text", b"\x61a")):
        layer.refuse(f"request, {name}", "request", "malformedBody", body=data.hex())


def presentations(layer: Layer, body: cbor.Value) -> None:
    shown = body["presentations"]
    one = ("presentations", 0)
    refuse(
        layer,
        "present",
        body,
        {
            ("request",): (..., 0, -1, None, "9", 1.5),
            ("presentations",): (..., None, {}, shown[::-1], [shown[0]] * 2, [7]),
            ("reason",): ("beside what is shown", None),
            (*one, "query"): (..., None, 8, -1, "0"),
            (*one, "format"): (..., None, "", "dc+sd-JWT", "vc+sd-jwt", 1),
            (*one, "presentation"): (..., None, b"", "eyJ"),
            (*one, "statusToken"): (None, b"", "eyJ"),
            (*one, 1): (2,),
        },
    )
    refusal = {"request": 9, "presentations": []}
    refuse(layer, "present", refusal, {("reason",): (*BAD_TEXTS, "a" * 513)})


def results(layer: Layer, body: cbor.Value) -> None:
    checks, first = body["checks"], ("checks", 0)
    failed = ("checks", CHECKS.index("nonce"))
    refuse(
        layer,
        "result",
        body,
        {
            ("request",): (..., 0, None),
            ("presentation",): (..., 0, -1, None),
            ("checks",): (..., None, [], checks[:-1], checks[10:], [*checks, checks[0]], checks * 5, checks[::-1]),
            (*first, "query"): (..., None, 1, -1),
            (*first, "check"): (..., None, "issuer", "Form", 1),
            (*first, "outcome"): (..., None, "true", True),
            (*first, "reason"): ("beside what holds", None),
            (*failed, "reason"): (*BAD_TEXTS, "a" * 513),
        },
    )


# ---- status-list ----

URI = "https://issuer.example/status/1"
Sign = Callable[[bytes], bytes]


def status_lists() -> Layer:
    layer = Layer("status-list")
    lists(layer)
    streams(layer)
    for algorithm, sign, public in signers():
        keys = [{"algorithm": algorithm, "key": public.hex()}]
        for data in (os.urandom(1), os.urandom(999)):
            for bits in (1, 8):
                for name, token in (
                    ("cwt", cwt(sign, algorithm, data, bits)),
                    ("jwt", jwt(sign, algorithm, data, bits)),
                ):
                    layer.add(
                        f"verify, {name}, {algorithm}, {len(data)} bytes of {bits} bits",
                        "verify",
                        token=token.hex(),
                        uri=URI,
                        keys=keys,
                    )
        refused_tokens(layer, sign, algorithm, keys)
    signed(layer)
    uses(layer)
    return layer


def lists(layer: Layer) -> None:
    for bits in (1, 2, 4, 8):
        entries = [{"index": index, "status": (1 << bits) - 1} for index in (0, 3, 99)]
        made = layer.add(f"list, {bits} bits", "list", bits=bits, count=100, entries=entries)
        # Another zlib may compress to other bytes.
        layer.vectors[-1]["out"] = {"bytes": made["bytes"]}
        layer.add(f"inflate, {bits} bits", "inflate", bits=bits, compressed=made["compressed"])
        for index in (0, 1, 3, 99):
            layer.add(f"status, {bits} bits, {index}", "status", bits=bits, bytes=made["bytes"], index=index)
        beyond = len(b(made["bytes"])) * 8 // bits
        given = {"bits": bits, "bytes": made["bytes"], "index": beyond}
        layer.refuse(f"status, {bits} bits, beyond the end", "status", "indexOutOfRange", **given)
        entry = [{"index": 0, "status": 1 << bits}]
        if bits < 8:
            layer.refuse(f"list, {bits} bits, too large", "list", "statusTooLarge", bits=bits, count=9, entries=entry)
    layer.refuse("list of no entries", "list", "wrongCount", bits=1, count=0, entries=[])
    layer.refuse("list of 16 bits", "list", "wrongBits", bits=16, count=9, entries=[])


def streams(layer: Layer) -> None:
    data = os.urandom(300)
    stream = zlib.compress(data, 9)
    for level in (0, 1, 6):
        layer.add(f"inflate, level {level}", "inflate", bits=2, compressed=zlib.compress(data, level).hex())
    raw = zlib.compressobj(9, zlib.DEFLATED, -15)
    dictionary = zlib.compressobj(9, zlib.DEFLATED, 15, 8, zlib.Z_DEFAULT_STRATEGY, data[:100])
    for name, found, error in (
        ("nothing", b"", "compressionTruncated"),
        ("two bytes", stream[:2], "compressionTruncated"),
        ("without its last byte", stream[:-1], "compressionTruncated"),
        ("a byte more", stream + b"\0", "compressionTrailing"),
        ("twice", stream * 2, "compressionTrailing"),
        ("another checksum", stream[:-1] + bytes([stream[-1] ^ 1]), "compressionDamaged"),
        ("raw deflate", raw.compress(data) + raw.flush(), "compressionDamaged"),
        ("a preset dictionary", dictionary.compress(data) + dictionary.flush(), "compressionDamaged"),
        ("no entries", zlib.compress(b""), "wrongCount"),
        ("too many entries", zlib.compress(bytes((1 << 21) + 1), 9), "inflatedTooLarge"),
    ):
        layer.refuse(f"inflate, {name}", "inflate", error, bits=1, compressed=found.hex())
    for bits in (0, 3, 16):
        layer.refuse(f"inflate, {bits} bits", "inflate", "wrongBits", bits=bits, compressed=stream.hex())


def signers() -> Iterator[tuple[str, Sign, bytes]]:
    own = SigningKey(os.urandom(32))
    yield "EdDSA", own.sign, own.public
    for algorithm, curve, hash_, size in (
        ("ES256", ec.SECP256R1(), hashes.SHA256(), 32),
        ("ES384", ec.SECP384R1(), hashes.SHA384(), 48),
    ):
        yield algorithm, *ecdsa(ec.generate_private_key(curve), hash_, size)


def ecdsa(key: ec.EllipticCurvePrivateKey, hash_: hashes.HashAlgorithm, size: int) -> tuple[Sign, bytes]:
    numbers = key.public_key().public_numbers()

    def sign(message: bytes) -> bytes:
        halves = decode_dss_signature(key.sign(message, ec.ECDSA(hash_)))
        return b"".join(half.to_bytes(size, "big") for half in halves)

    return sign, b"".join(number.to_bytes(size, "big") for number in (numbers.x, numbers.y))


NUMBERS = {"EdDSA": -8, "ES256": -7, "ES384": -35}


def cwt(
    sign: Sign, algorithm: str, data: bytes, bits: int, header: Fields | None = None, claims: Fields | None = None
) -> bytes:
    protected: Any = {"1": NUMBERS[algorithm], "16": CWT} | (header or {})
    payload: Any = {"2": URI, "6": NOW, "65533": {"lst": zlib.compress(data), "bits": bits}} | (claims or {})
    parts = [
        cbor.encode({int(key): value for key, value in part.items() if value is not ...})
        for part in (protected, payload)
    ]
    signature = sign(cbor.encode(["Signature1", parts[0], b"", parts[1]]))
    return cbor.encode(cbor.Tag(18, [parts[0], {}, parts[1], signature]))


def jwt(
    sign: Sign, algorithm: str, data: bytes, bits: int, header: Fields | None = None, claims: Fields | None = None
) -> bytes:
    protected: Any = {"alg": algorithm, "typ": JWT} | (header or {})
    list_ = {"bits": bits, "lst": base64url(zlib.compress(data))}
    payload: Any = {"sub": URI, "iat": NOW, "status_list": list_} | (claims or {})
    signing = ".".join(
        base64url(json.dumps({key: value for key, value in part.items() if value is not ...}).encode())
        for part in (protected, payload)
    )
    return f"{signing}.{base64url(sign(signing.encode()))}".encode()


def refused_tokens(layer: Layer, sign: Sign, algorithm: str, keys: list[Fields]) -> None:
    data, other = os.urandom(10), {"EdDSA": "ES256", "ES256": "ES384", "ES384": "EdDSA"}[algorithm]
    strangers = {name: public.hex() for name, _, public in signers()}

    def refuse(name: str, error: str, token: bytes, uri: str = URI, keys: list[Fields] = keys) -> None:
        layer.refuse(f"verify, {algorithm}, {name}", "verify", error, token=token.hex(), uri=uri, keys=keys)

    for format_, make in (("cwt", cwt), ("jwt", jwt)):
        good = make(sign, algorithm, data, 1)
        refuse(f"{format_} of another list", "wrongSubject", good, uri=URI + "1")
        refuse(f"{format_} without keys", "token/unknownIssuerKey", good, keys=[])
        wrong = [{"algorithm": other, "key": strangers[other]}]
        refuse(f"{format_} with a key of {other}", "token/unknownIssuerKey", good, keys=wrong)
        refuse(f"{format_} that names {other}", "token/unknownIssuerKey", make(sign, other, data, 1))
        stranger = [{"algorithm": algorithm, "key": strangers[algorithm]}]
        refuse(f"{format_} of a stranger", "token/invalidSignature", good, keys=stranger)
        short = make(lambda message: sign(message)[:-1], algorithm, data, 1)
        refuse(f"{format_} with a short signature", "token/invalidSignature", short)
        refuse(f"{format_}, bits of 3", "wrongBits", make(sign, algorithm, data, 3))
        refuse(f"{format_}, an empty list", "wrongCount", make(sign, algorithm, b"", 1))
        names = ("16", "4", "65534", "6", "2") if format_ == "cwt" else ("typ", "exp", "ttl", "iat", "sub")
        type_, exp, ttl, iat, sub = names
        refuse(f"{format_} without a type", "token/missingHeader", make(sign, algorithm, data, 1, {type_: ...}))
        refuse(f"{format_} of another type", "token/wrongType", make(sign, algorithm, data, 1, {type_: "JWT"}))
        for name, claims, error in (
            ("exp at iat", {exp: NOW}, "wrongTimes"),
            ("exp is a text", {exp: "1"}, "token/invalidClaim"),
            ("ttl of 0", {ttl: 0}, "token/invalidClaim"),
            ("iat is negative", {iat: -1}, "token/invalidClaim"),
            ("no iat", {iat: ...}, "token/missingClaim"),
            ("sub is a number", {sub: 1}, "token/invalidClaim"),
            ("no sub", {sub: ...}, "token/missingClaim"),
        ):
            refuse(f"{format_}, {name}", error, make(sign, algorithm, data, 1, None, claims))


def signed(layer: Layer) -> None:
    for format_ in ("cwt", "jwt"):
        least = {"seed": fresh(), "format": format_, "uri": URI, "issuedAt": NOW, "bits": 4, "bytes": fresh(20)}
        most = least | {"keyID": "1", "expires": NOW + 9, "timeToLive": 7}
        for name, given in (("least", least), ("with all", most)):
            layer.add(f"sign, {format_}, {name}", "sign", **given)
            # JSON has many forms, and zlib many streams.
            layer.vectors[-1]["out"] = {}
        layer.refuse(f"sign, {format_}, no scheme", "sign", "wrongURI", **least | {"uri": "issuer.example"})
        layer.refuse(f"sign, {format_}, exp at iat", "sign", "wrongTimes", **most | {"expires": NOW})
        layer.refuse(f"sign, {format_}, ttl of 0", "sign", "wrongTimes", **most | {"timeToLive": 0})


def uses(layer: Layer) -> None:
    token = {"issuedAt": NOW, "expires": NOW + 500, "timeToLive": 100, "clockSkew": 10}
    for name, given in (
        ("fetched", token | {"fetchedAt": NOW + 50, "now": NOW + 160}),
        ("stapled", token | {"now": NOW + 110}),
        ("before iat, within the skew", token | {"now": NOW - 10}),
        ("no end", {"issuedAt": NOW, "clockSkew": 0, "now": NOW + 2**32}),
        ("the verifier's end", {"issuedAt": NOW, "clockSkew": 0, "maximumAge": 5, "now": NOW + 5}),
        ("exp alone", {"issuedAt": NOW, "expires": NOW + 5, "clockSkew": 1, "now": NOW + 5}),
    ):
        layer.add(f"use, {name}", "use", **given)
    for name, error, given in (
        ("fetched too long ago", "stale", token | {"fetchedAt": NOW + 50, "now": NOW + 161}),
        ("stapled too long ago", "stale", token | {"now": NOW + 111}),
        ("expired", "token/expired", token | {"now": NOW + 510}),
        ("from the future", "token/issuedInFuture", token | {"now": NOW - 11}),
        ("too old", "tooOld", token | {"maximumAge": 20, "now": NOW + 31}),
    ):
        layer.refuse(f"use, {name}", "use", error, **given)


# ---- sd-cwt and sd-jwt ----

ISSUER = "https://issuer.example"
AUDIENCE = "https://vendor.example"
SAID = {
    "given_name": "Ada",
    "address": {"street": "Main 1", "country": "DE", "geo": [48.137, 11.575]},
    "nationalities": ["DE", "GB", "NO"],
    "degrees": [{"type": "BSc", "year": 2019}, {"type": "MSc", "year": 2021}],
    "age_over_18": True,
}
REDACTING: list[list[Any]] = [
    ["given_name"],
    ["address"],
    ["address", "street"],
    ["nationalities", None],
    ["degrees", 1],
    ["degrees", None, "year"],
]
CHOICES: list[list[list[Any]]] = [
    [],
    [["given_name"]],
    [["address"]],
    [["address", "street"], ["age_over_18"]],
    [["nationalities", None]],
    [["nationalities", 2], ["degrees", 1, "type"]],
    [["degrees", None, "year"]],
    REDACTING,
]


def sd_cwts() -> Layer:
    layer = Layer("sd-cwt")
    issuer_seed, holder_seed = fresh(), fresh()
    issuer, holder, other = (Ed25519Signer(b(seed)) for seed in (issuer_seed, holder_seed, fresh()))
    p256 = P256Signer(os.urandom(32))
    for signer in (issuer, p256):
        layer.add(f"key, {signer.key.algorithm}", "key", bytes=cbor.encode(signer.key.cose).hex())
    keys(layer, issuer.key, p256.key)
    shared = {"issuer": ISSUER, "issuerKey": cbor.encode(issuer.key.cose).hex()}
    holder_key = cbor.encode(holder.key.cose).hex()
    claims = cbor.encode(SAID | {-65_537: b"\1\2", 501: {7: "seven"}}).hex()
    redacting = [*REDACTING, [[501]], [[501], [7]], [[2]]]
    asked = {
        "issuerSeed": issuer_seed,
        "holderKey": holder_key,
        "issuer": ISSUER,
        "type": "https://issuer.example/person",
        "subject": "ada",
        "issuedAt": NOW - 1_000,
        "notBefore": NOW - 1_000,
        "expires": NOW + 90_000,
        "status": {"uri": URI, "index": 70_000},
        "claims": claims,
        "redacting": redacting,
        "decoyCount": 3,
    }
    made = layer.add("issue", "issue", **asked, keyID=b"1".hex(), salts=fresh(15 * 16))
    least = asked | {"redacting": [], "decoyCount": 0, "claims": "a0"}
    for name in ("notBefore", "expires", "status"):
        del least[name]
    plain = layer.add("issue, nothing redacted", "issue", **least, salts="")["credential"]
    held = {"credential": made["credential"], "holderKey": holder_key, "now": NOW, **shared}
    layer.add("hold", "hold", **held)
    layer.add("hold, nothing redacted", "hold", **held | {"credential": plain})
    another = cbor.encode(other.key.cose).hex()
    layer.refuse("hold another's", "hold", "wrongHolderKey", **held | {"holderKey": another})
    layer.refuse("hold, expired", "hold", "expired", **held | {"now": NOW + 90_060})
    layer.refuse("hold what another signed", "hold", "invalidSignature", **held | {"issuerKey": another})
    for name, error in (("issuer", "unknownIssuerKey"),):
        layer.refuse(f"hold, another {name}", "hold", error, **held | {name: "https://other.example"})
    place = {"audience": AUDIENCE, "nonce": fresh(16)}
    for number, chosen in enumerate([*CHOICES, [[[501], [7]]], [[[2]], [[-65_537]]]]):
        given = {"credential": made["credential"], "disclosing": chosen, "issuedAt": NOW, "holderSeed": holder_seed}
        shown = layer.add(f"present {number}", "present", **given, **place)["presentation"]
        check = shared | place | {"presentation": shown, "now": NOW + 60}
        layer.add(f"verify {number}", "verify", **check)
        if number in (0, len(CHOICES) - 1):
            wrong_presentations(layer, number, check)
    for name, error, changes in (
        ("what is not there", "unknownClaim", {"disclosing": [["family_name"]]}),
        ("an element that is not there", "unknownClaim", {"disclosing": [["nationalities", 3]]}),
        ("with another key", "wrongHolderKey", {"holderSeed": fresh()}),
    ):
        layer.refuse(f"present {name}", "present", error, **given | place | changes)
    return layer


def keys(layer: Layer, ed25519: VerificationKey, p256: VerificationKey) -> None:
    for name, value, error in (
        ("an array", [], "malformed"),
        ("no type", {-1: 6, -2: ed25519.raw}, "unsupportedKey"),
        ("with an algorithm", ed25519.cose | {3: -8}, "malformed"),
        ("x is a text", ed25519.cose | {-2: "x"}, "malformed"),
        ("without y", {key: item for key, item in p256.cose.items() if key != -3}, "malformed"),
        ("y is a sign", p256.cose | {-3: True}, "malformed"),
        ("Ed448", ed25519.cose | {-1: 7}, "unsupportedKey"),
        ("symmetric", {1: 4, -1: bytes(32)}, "malformed"),
        ("secp256k1", p256.cose | {-1: 8}, "unsupportedKey"),
        ("private", ed25519.cose | {-4: bytes(32)}, "privateKey"),
        ("off its curve", p256.cose | {-3: p256.cose[-2]}, "invalidKey"),
        ("small order", ed25519.cose | {-2: b"\1" + bytes(31)}, "invalidKey"),
        ("33 bytes", ed25519.cose | {-2: bytes(33)}, "invalidKey"),
    ):
        layer.refuse(f"key, {name}", "key", error, bytes=cbor.encode(value).hex())


def wrong_presentations(layer: Layer, number: int, given: Fields) -> None:
    for name, error, changes in (
        ("for another", "wrongAudience", {"audience": ISSUER}),
        ("to another request", "wrongNonce", {"nonce": fresh(16)}),
        ("later", "keyBindingTooOld", {"now": NOW + 661}),
        ("before", "issuedInFuture", {"now": NOW - 61}),
        ("after the end", "expired", {"now": NOW + 90_060}),
        ("of a stranger", "unknownIssuerKey", {"issuer": AUDIENCE}),
        ("cut short", "cbor/truncated", {"presentation": given["presentation"][:-2]}),
        ("a byte more", "cbor/trailingBytes", {"presentation": given["presentation"] + "00"}),
    ):
        if layer.name == "sd-jwt" and error.startswith("cbor"):
            continue
        layer.refuse(f"verify {number}, {name}", "verify", error, **given | changes)


def sd_jwts() -> Layer:
    layer = Layer("sd-jwt")
    for text in (
        "0",
        "-0",
        "[1e2, -2.5E-3, 0.1, 18446744073709551615, 123456789012345678]",
        '{"z": 1, "aa": {"b": "\\u00e9\\ud83d\\ude00"}, "": []}',
        "[" * 16 + "]" * 16,
    ):
        layer.add(f"json {text[:20]}", "json", text=text.encode().hex())
    for text, error in (
        ("", "truncated"),
        ("tru", "truncated"),
        ('{"a"', "truncated"),
        ('"\\u12', "truncated"),
        ("-", "truncated"),
        ("1.", "truncated"),
        ("trux", "unexpectedCharacter"),
        ("-01", "unexpectedCharacter"),
        ("1.e5", "unexpectedCharacter"),
        (".5", "unexpectedCharacter"),
        ("[1 2]", "unexpectedCharacter"),
        ("{1:2}", "unexpectedCharacter"),
        ("{,}", "unexpectedCharacter"),
        ("'a'", "unexpectedCharacter"),
        ('"\\x"', "unexpectedCharacter"),
        ("1]", "trailingBytes"),
        ("{} {}", "trailingBytes"),
        ('"\\udc00"', "invalidText"),
        ('"\\ud800\\u0041"', "invalidText"),
        ('{"a": 1, "a": 1}', "duplicateName"),
        ("[" * 17 + "]" * 17, "depthExceeded"),
        ("-18446744073709551616", "numberOutOfRange"),
        ("1e999", "numberOutOfRange"),
    ):
        layer.refuse(f"json {text[:20]}", "json", f"json/{error}", text=text.encode().hex())
    seed, scalar = fresh(), "00" + fresh(31)
    issuer, holder, p256 = Ed25519Signer(os.urandom(32)), Ed25519Signer(b(seed)), P256Signer(b(scalar))
    for signer in (issuer, p256):
        layer.add(f"key, {signer.key.algorithm}", "key", jwk=strict_json.encode(signer.key.jwk))
    for owner, signer, secret in (
        ("Ed25519", holder, {"holderSeed": seed}),
        ("P-256", p256, {"holderScalar": scalar}),
    ):
        content = sd_jwt.Content(
            ISSUER,
            "https://issuer.example/person",
            SAID,
            Times.of(NOW - 1_000, None, NOW + 90_000),
            "ada",
            Status(URI, 5),
            tuple(map(tuple, [*REDACTING, ["sub"]])),
            2,
        )
        credential = sd_jwt.issue(content, signer.key, issuer, "1").text
        layer.add(f"read, {owner}", "read", credential=credential)
        shared = {"issuer": ISSUER, "issuerKey": strict_json.encode(issuer.key.jwk), "audience": AUDIENCE}
        shared |= {"nonce": base64url(os.urandom(16))}
        for number, chosen in enumerate([*CHOICES, [["sub"]]]):
            given = {"credential": credential, "disclose": chosen, "issuedAt": NOW, **secret}
            place = {name: shared[name] for name in ("audience", "nonce")}
            shown = layer.add(f"present {number}, {owner}", "present", **given, **place)["presentation"]
            if owner == "P-256":
                # Such a signature differs each time.
                layer.vectors[-1]["out"] = {}
            check = shared | {"presentation": shown, "now": NOW + 60}
            layer.add(f"verify {number}, {owner}", "verify", **check)
            if number in (0, len(CHOICES) - 1):
                wrong_presentations(layer, number, check)
        layer.refuse(f"read what is presented, {owner}", "read", "unexpectedKeyBinding", credential=shown)
        layer.refuse(
            f"verify what is not bound, {owner}", "verify", "missingKeyBinding", **check | {"presentation": credential}
        )
        given |= place
        absent = given | {"disclose": [["family_name"]]}
        layer.refuse(f"present what is not there, {owner}", "present", "unknownClaim", **absent)
        another = {name: value for name, value in given.items() if name not in secret} | {"holderSeed": fresh()}
        layer.refuse(f"present with another key, {owner}", "present", "wrongHolderKey", **another)
    return layer
