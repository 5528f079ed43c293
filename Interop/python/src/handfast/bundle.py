"""Bundles (Spec/03 §3.2)."""

from __future__ import annotations

from dataclasses import dataclass, field

from .encoding import cbor, cose
from .errors import (
    BundleExpired,
    BundleNotYetValid,
    KeyLogError,
    KeyLogTooShort,
    Malformed,
    TooLarge,
    UnsupportedVersion,
    WrongSigner,
    reading,
)
from .identity import MAX_EVENT, MAX_EVENTS, SUITE, Identity, KeyLog
from .invitation import Invitation
from .suite.hashing import H

TYPE = "handfast-bundle+cose"
MAX_SIZE = 131_072
MAX_VALIDITY = 172_800
CLOCK_DIFFERENCE = 3_600
MAX_FAMILIES = 64


@dataclass(frozen=True)
class Bundle:
    """A bundle that its own log signs. `check` holds it against an invitation and a clock."""

    encoded: bytes = field(repr=False)
    log: KeyLog
    sealing_key: bytes = field(repr=False)
    not_before: int
    expires: int
    families: tuple[str, ...] = ()

    @property
    def hash(self) -> bytes:
        return H("bundle", self.encoded)

    def check(self, invitation: Invitation, now: int) -> None:
        """Raises `WrongSigner`, `KeyLogTooShort`, `BundleNotYetValid` or `BundleExpired`."""
        with reading("bundle"):
            if self.log.id != invitation.signer:
                raise WrongSigner()
            if len(self.log) < invitation.events:
                raise KeyLogTooShort()
            if now < self.not_before - CLOCK_DIFFERENCE:
                raise BundleNotYetValid("or this clock is slow")
            if now > self.expires + CLOCK_DIFFERENCE:
                raise BundleExpired("or this clock is fast")


def make_bundle(
    signer: Identity, sealing_key: bytes, not_before: int, expires: int, families: tuple[str, ...] = ()
) -> Bundle:
    """A bundle signed by the current key of `signer`."""
    payload = {
        1: SUITE,
        2: signer.id,
        3: [event.encoded for event in signer.log.events],
        4: cose.x_wing_key(sealing_key),
        5: not_before,
        6: expires,
        7: list(families),
    }
    return read_bundle(cose.sign(signer.signing, TYPE, cbor.encode(payload)))


def read_bundle(data: bytes) -> Bundle:
    """Reads a bundle and verifies it under its own log. Raises a `ProtocolError`."""
    with reading("bundle"):
        if len(data) > MAX_SIZE:
            raise TooLarge(f"{len(data)} bytes")
        signed = cose.read_sign1(data, TYPE)
        found = cbor.fields(cbor.decode(signed.content), range(1, 8))
        if cbor.uint(found[1]) != SUITE:
            raise UnsupportedVersion(f"suite {found[1]}")
        signer = cbor.byte_string(found[2], 32)
        events = [cbor.byte_string(event, most=MAX_EVENT) for event in cbor.array(found[3], MAX_EVENTS)]
        sealing_key = cose.read_x_wing(found[4])
        not_before, expires = cbor.uint(found[5]), cbor.uint(found[6])
        families = tuple(cbor.text(family, 0, 64) for family in cbor.array(found[7], MAX_FAMILIES))
        if not not_before <= expires <= not_before + MAX_VALIDITY:
            raise Malformed("validity")
        log = KeyLog.read(events)
        if log.id != signer:
            raise WrongSigner()
        if log.revoked:
            raise KeyLogError("revoked")
        signed.verify(log.signing_key)
        return Bundle(data, log, sealing_key, not_before, expires, families)
