"""The operations of the layers `sd-cwt` and `sd-jwt`."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from handfast import sd_cwt, sd_jwt
from handfast.credential import (
    Ed25519Signer,
    IssuerKeys,
    P256Signer,
    Path,
    Shown,
    Status,
    Times,
    VerificationKey,
    decode_cbor,
)
from handfast.encoding import cbor, strict_json
from handfast.errors import JSONError, TokenJSON

Fields = dict[str, Any]
b = bytes.fromhex


def cose_key(data: str) -> VerificationKey:
    return VerificationKey.of_cose(decode_cbor(b(data)))


def paths(given: list[list[Any]]) -> tuple[Path, ...]:
    return tuple(tuple(tuple(step) if isinstance(step, list) else step for step in path) for path in given)


def issuer_keys(given: Fields) -> IssuerKeys:
    key = cose_key(given["issuerKey"])
    return lambda issuer, _: key if issuer == given["issuer"] else None


def present(**values: Any) -> Fields:
    return {name: value for name, value in values.items() if value is not None}


def seconds(time: int | float | None) -> int | None:
    return None if time is None else int(time)


def shown_fields(shown: Shown, claims: Any, disclosed: list[Any], holder_key: str) -> Fields:
    status = None if shown.status is None else {"uri": shown.status.uri, "index": shown.status.index}
    return present(
        issuer=shown.issuer,
        type=shown.type,
        subject=shown.subject,
        claims=claims,
        disclosed=disclosed,
        issuedAt=seconds(shown.times.issued_at),
        notBefore=seconds(shown.times.not_before),
        expires=seconds(shown.times.expires),
        holderKey=holder_key,
        status=status,
    )


def cwt_fields(shown: Shown) -> Fields:
    disclosed = [[list(step) if isinstance(step, tuple) else step for step in path] for path in shown.disclosed]
    key = cbor.encode(shown.holder_key.cose).hex()
    return shown_fields(shown, cbor.encode(shown.claims).hex(), disclosed, key)


def key(given: Fields) -> Fields:
    found = cose_key(given["bytes"])
    return {"algorithm": found.algorithm, "encoded": cbor.encode(found.cose).hex()}


def issue(given: Fields) -> Fields:
    status = Status(given["status"]["uri"], given["status"]["index"]) if "status" in given else None
    claims = decode_cbor(b(given["claims"]))
    content = sd_cwt.Content(
        given["issuer"],
        given["type"],
        given["subject"],
        dict(claims) if isinstance(claims, cbor.Pairs) else claims,
        Times.of(given.get("issuedAt"), given.get("notBefore"), given.get("expires")),
        status,
        paths(given["redacting"]),
        given["decoyCount"],
    )
    salts = b(given["salts"])
    waiting = [salts[start : start + 16] for start in range(0, len(salts), 16)]
    key_id = b(given["keyID"]) if "keyID" in given else None
    with patch("os.urandom", lambda size: waiting.pop(0)):
        made = sd_cwt.issue(content, cose_key(given["holderKey"]), Ed25519Signer(b(given["issuerSeed"])), key_id)
    assert not waiting
    return {"credential": made.encode().hex(), "disclosures": [one.encoded.hex() for one in made.disclosures]}


def hold(given: Fields) -> Fields:
    credential = sd_cwt.Credential.decode(b(given["credential"]))
    return cwt_fields(credential.hold(cose_key(given["holderKey"]), issuer_keys(given), given["now"]))


def present_cwt(given: Fields) -> Fields:
    credential = sd_cwt.Credential.decode(b(given["credential"]))
    signer = Ed25519Signer(b(given["holderSeed"]))
    chosen, nonce = paths(given["disclosing"]), b(given["nonce"])
    return {
        "presentation": credential.present(chosen, given["audience"], nonce, given["issuedAt"], signer).hex(),
    }


def verify_cwt(given: Fields) -> Fields:
    return cwt_fields(
        sd_cwt.verify(b(given["presentation"]), given["audience"], b(given["nonce"]), issuer_keys(given), given["now"])
    )


# ---- sd-jwt ----


def read_json(text: bytes) -> Any:
    try:
        return strict_json.decode(text, 4_096)
    except JSONError as error:
        raise TokenJSON() from error


def json(given: Fields) -> Fields:
    value = read_json(b(given["text"]))
    return {"cbor": cbor.encode(value).hex(), "written": strict_json.encode(value)}


def jwk(given: Fields) -> Fields:
    found = VerificationKey.of_jwk(read_json(given["jwk"].encode()))
    return {"algorithm": found.algorithm, "written": strict_json.encode(found.jwk)}


def jwt_fields(shown: Shown) -> Fields:
    disclosed = [
        "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path) for path in shown.disclosed
    ]
    claims, key = strict_json.encode(shown.claims), strict_json.encode(shown.holder_key.jwk)
    return shown_fields(shown, claims, [path.removeprefix(".") for path in disclosed], key)


def read(given: Fields) -> Fields:
    return jwt_fields(sd_jwt.Credential.read(given["credential"]).shown())


def present_jwt(given: Fields) -> Fields:
    credential = sd_jwt.Credential.read(given["credential"])
    scalar = given.get("holderScalar")
    signer = Ed25519Signer(b(given["holderSeed"])) if scalar is None else P256Signer(b(scalar))
    chosen = paths(given["disclose"])
    return {"presentation": credential.present(chosen, given["audience"], given["nonce"], given["issuedAt"], signer)}


def verify_jwt(given: Fields) -> Fields:
    key = VerificationKey.of_jwk(read_json(given["issuerKey"].encode()))
    return jwt_fields(
        sd_jwt.verify(
            given["presentation"],
            given["audience"],
            given["nonce"],
            lambda issuer, _: key if issuer == given["issuer"] else None,
            given["now"],
        )
    )


OPERATIONS = {
    ("sd-cwt", "key"): key,
    ("sd-cwt", "issue"): issue,
    ("sd-cwt", "hold"): hold,
    ("sd-cwt", "present"): present_cwt,
    ("sd-cwt", "verify"): verify_cwt,
    ("sd-jwt", "json"): json,
    ("sd-jwt", "key"): jwk,
    ("sd-jwt", "read"): read,
    ("sd-jwt", "present"): present_jwt,
    ("sd-jwt", "verify"): verify_jwt,
}
