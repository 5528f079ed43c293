"""The operations of the layer `status-list`."""

from __future__ import annotations

from typing import Any

from handfast import status_list
from handfast.status_list import StatusList, Token
from handfast.suite.signing import SigningKey

Fields = dict[str, Any]
b = bytes.fromhex


def make_list(given: Fields) -> Fields:
    statuses = StatusList.empty(given["count"], given["bits"])
    for entry in given["entries"]:
        statuses[entry["index"]] = entry["status"]
    return {"bytes": statuses.data.hex(), "compressed": statuses.stream.hex()}


def inflate(given: Fields) -> Fields:
    statuses = StatusList.inflate(b(given["compressed"]), given["bits"])
    return {"bytes": statuses.data.hex(), "count": len(statuses)}


def status(given: Fields) -> Fields:
    return {"status": StatusList(b(given["bytes"]), given["bits"])[given["index"]]}


def sign(given: Fields) -> Fields:
    key = SigningKey(b(given["seed"]))
    token = Token(
        given["uri"],
        given["issuedAt"],
        given.get("expires"),
        given.get("timeToLive"),
        StatusList(b(given["bytes"]), given["bits"]),
    )
    make = {"cwt": token.cwt, "jwt": token.jwt}[given["format"]]
    return {"token": make(key, given.get("keyID")).hex()}


def verify(given: Fields) -> Fields:
    keys = [(key["algorithm"], b(key["key"])) for key in given["keys"]]
    token = status_list.verify(b(given["token"]), given["uri"], keys)
    return {
        "issuedAt": token.issued_at,
        "expires": token.expires,
        "timeToLive": token.time_to_live,
        "bits": token.statuses.bits,
        "bytes": token.statuses.data.hex(),
    }


def use(given: Fields) -> Fields:
    token = Token(
        "https://issuer.example/1",
        given["issuedAt"],
        given.get("expires"),
        given.get("timeToLive"),
        StatusList.empty(8, 1),
    )
    return {
        "usableUntil": status_list.check_use(
            token, given["now"], given.get("fetchedAt"), given.get("maximumAge"), given["clockSkew"]
        )
    }


OPERATIONS = {
    ("status-list", "list"): make_list,
    ("status-list", "inflate"): inflate,
    ("status-list", "status"): status,
    ("status-list", "sign"): sign,
    ("status-list", "verify"): verify,
    ("status-list", "use"): use,
}
