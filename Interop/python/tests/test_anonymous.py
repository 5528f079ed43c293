"""Anonymous claims beyond the vectors: what must not verify."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from handfast import anonymous
from handfast.anonymous import Binding, IssuerKey, Parameters, Presentation, Schema, Scope
from handfast.errors import AnonymousError, NotIssued
from handfast.suite import ristretto

NOW = 20_000 * 86_400
KEY = IssuerKey(anonymous.draw())
PARAMETERS = Parameters(KEY.public, Schema("member", 86_400, ("level", "since")))
SECRET = anonymous.holder_secret(os.urandom(32))
SCOPE = Scope("relationship", os.urandom(32))
BINDING = Binding(os.urandom(32), os.urandom(32), os.urandom(32))


def credential() -> anonymous.Credential:
    nonce = os.urandom(32)
    asked, blinding = anonymous.request(nonce, SECRET, PARAMETERS)
    issued = KEY.issue(asked, nonce, 20_000, ("gold", 2019), PARAMETERS)
    return anonymous.finish(asked, blinding, issued, PARAMETERS, NOW)


def verify(shown: Presentation) -> dict[str, anonymous.Value]:
    return shown.verify(KEY, PARAMETERS, SCOPE, BINDING, NOW)


def test_a_presentation_verifies_and_none_that_was_changed() -> None:
    made = anonymous.present(credential(), SECRET, ["level"], PARAMETERS, SCOPE, BINDING)
    assert verify(made) == {"level": "gold"}
    data = made.encode()
    assert Presentation.decode(data) == made
    for place in range(0, len(data), 7):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        with pytest.raises(AnonymousError):
            verify(Presentation.decode(changed))


def test_what_nobody_issued_does_not_verify() -> None:
    forged = replace(credential(), signature=ristretto.derive(os.urandom(64)))
    made = anonymous.present(forged, SECRET, [], PARAMETERS, SCOPE, BINDING)
    with pytest.raises(NotIssued):
        verify(made)
