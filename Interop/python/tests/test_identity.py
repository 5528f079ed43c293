"""Key events, logs and forks (Spec/02), invitations and bundles (Spec/03)."""

from __future__ import annotations

import os

import pytest
from parties import NOW, Inviter

from handfast.bundle import make_bundle, read_bundle
from handfast.encoding import cbor, cose
from handfast.errors import (
    BundleExpired,
    BundleNotYetValid,
    HandfastError,
    KeyLogError,
    KeyLogFork,
    KeyLogTooShort,
    ProtocolError,
    WrongSigner,
)
from handfast.identity import TYPE, Identity, KeyLog, commitment, read_event
from handfast.invitation import Invitation
from handfast.suite.signing import SigningKey
from handfast.suite.xwing import SealingKey


def test_a_log_reads_as_it_was_written() -> None:
    identity = Identity.create(NOW, "shop.example").rotated(NOW).rotated(NOW).revoked(NOW)
    log = KeyLog.read(event.encoded for event in identity.log.events)
    assert log.id == identity.id and len(log) == 4 and log.revoked and log.name.startswith("hf:")
    assert all(len(event.encoded) <= 2_048 for event in log.events)


def reason(log: KeyLog, event: bytes) -> str:
    with pytest.raises(KeyLogError) as caught:
        log.copy().append(read_event(event))
    return caught.value.reason


def test_refused_events() -> None:
    one = Identity.create(NOW)
    two = one.rotated(NOW)
    three = two.rotated(NOW)
    log = one.log
    assert not log.copy().append(one.inception), "the same inception changes nothing"
    assert not two.log.copy().append(two.log.last), "nor does an event that the log has"
    assert reason(log, Identity.create(NOW).inception.encoded) == "inceptionRepeated"
    assert reason(log, three.log.last.encoded) == "wrongSequence"
    assert reason(log, Identity.create(NOW).rotated(NOW).log.last.encoded) == "wrongIdentity"
    thief = Identity(one.signing, SigningKey(os.urandom(32)), one.sealing, one.log)
    payload = {
        0: 2,
        1: 1,
        2: cose.ed25519_key(thief.next.public),
        6: NOW,
        7: one.id,
        8: 1,
        9: one.id,
    }
    assert reason(log, cose.sign(thief.next, TYPE, cbor.encode(payload))) == "uncommittedKey"
    payload = {0: 2, 1: 1, 2: cose.ed25519_key(one.next.public), 6: NOW, 7: one.id, 8: 1, 9: bytes(32)}
    assert reason(log, cose.sign(one.next, TYPE, cbor.encode(payload))) == "wrongPreviousDigest"
    ended = one.revoked(NOW)
    payload = {0: 2, 1: 1, 2: cose.ed25519_key(one.next.public), 6: NOW, 7: one.id, 8: 2, 9: ended.log.last.digest}
    assert reason(ended.log, cose.sign(one.next, TYPE, cbor.encode(payload))) == "revoked"
    with pytest.raises(KeyLogError) as caught:
        KeyLog.read([two.log.last.encoded])
    assert caught.value.reason == "inceptionExpected"
    assert one.inception.next == commitment(one.next.public)


def test_two_valid_events_of_one_number_are_a_fork() -> None:
    one = Identity.create(NOW)
    ours, theirs = one.rotated(NOW), one.revoked(NOW)
    with pytest.raises(KeyLogFork):
        ours.log.append(theirs.log.last)
    with pytest.raises(KeyLogFork):
        theirs.log.append(ours.log.last)


def test_a_log_holds_64_events() -> None:
    identity = Identity.create(NOW)
    for _ in range(62):
        identity = identity.rotated(NOW)
    with pytest.raises(KeyLogError) as caught:
        identity.rotated(NOW)
    assert caught.value.reason == "full" and len(identity.revoked(NOW).log) == 64
    assert len(make_bundle(identity, identity.sealing.public, NOW, NOW).encoded) <= 131_072


def test_mutated_events_are_refused() -> None:
    event = Identity.create(NOW).rotated(NOW).log.last.encoded
    for place in range(0, len(event), 3):
        mutated = bytearray(event)
        mutated[place] ^= 0x10
        with pytest.raises(ProtocolError):
            read_event(bytes(mutated))


def test_invitations() -> None:
    invitation = Inviter.create().invitation
    uri = str(invitation)
    assert Invitation.parse(uri) == invitation and len(uri) <= 200
    long = Invitation(type(invitation.relay)("h" * 32, 65_535, bytes(32)), bytes(16), bytes(32), 64, bytes(16))
    assert len(str(long)) <= 200
    for bad in (uri[1:], uri.upper(), uri + "=", uri + "A", "handfast:", uri[:-4], uri + "A" * 100):
        with pytest.raises(HandfastError):
            Invitation.parse(bad)


def test_bundles() -> None:
    inviter = Inviter.create()
    invitation, bundle = inviter.invitation, inviter.bundle
    assert read_bundle(bundle.encoded).hash == bundle.hash
    for now in (NOW - 3_600, NOW + 86_400 + 3_600):
        bundle.check(invitation, now)
    with pytest.raises(BundleNotYetValid):
        bundle.check(invitation, NOW - 3_601)
    with pytest.raises(BundleExpired):
        bundle.check(invitation, NOW + 86_400 + 3_601)
    with pytest.raises(WrongSigner):
        bundle.check(Inviter.create().invitation, NOW)
    with pytest.raises(KeyLogTooShort):
        bundle.check(Invitation(invitation.relay, invitation.queue, invitation.signer, 2, invitation.ticket), NOW)
    with pytest.raises(ProtocolError):
        make_bundle(inviter.signer, SealingKey(os.urandom(32)).public, NOW, NOW + 172_801)
    with pytest.raises(KeyLogError):
        make_bundle(inviter.signer.revoked(NOW), inviter.key.public, NOW, NOW)
    for place in range(0, len(bundle.encoded), 7):
        mutated = bytearray(bundle.encoded)
        mutated[place] ^= 1
        with pytest.raises(ProtocolError):
            read_bundle(bytes(mutated))
