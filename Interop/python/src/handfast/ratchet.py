"""The ratchet (Spec/04): steps, chains, post-quantum steps, skipped keys and held envelopes.

A `Channel` changes only when an envelope has authenticated and its body has been parsed. The clock comes in as `now`,
in seconds.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field, replace

from .envelope import Body, Envelope, Header, HeaderBlock, Kind, seal
from .errors import (
    ChainExhausted,
    Cryptography,
    HandfastError,
    Malformed,
    NotAuthentic,
    TooManyHeld,
    TooManySkipped,
    UnknownTag,
    reading,
)
from .suite import mlkem, stream
from .suite.agreement import AgreementKey
from .suite.hashing import KDF, H
from .suite.mlkem import EncapsulationKey

MAX_SKIPPED = 256
SKIPPED_LIFE = 7 * 86_400
MAX_HELD = 256
MAX_HELD_BYTES = 1_048_576
LAST_INDEX = 65_535
REPEATS = 8
STEP_AGE = 86_400
STEP_COUNT = 32
TURN_AFTER = 64
TURN_AGE = 86_400


@dataclass(frozen=True)
class SendingChain:
    """What is sent under one step of our own."""

    keys: bytes = field(repr=False)
    header_key: bytes = field(repr=False)
    n: int
    previous_length: int
    ct: bytes = field(repr=False)
    offer: bytes = field(repr=False)


@dataclass(frozen=True)
class ReceivingChain:
    """What is received under one step of the peer."""

    keys: bytes = field(repr=False)
    header_key: bytes = field(repr=False)
    n: int
    started: int
    has_content: bool
    """Whether more than turns came by it: turns are not answered by turns."""


@dataclass(frozen=True)
class SkippedKey:
    """The key of a message that was passed over."""

    header_key: bytes = field(repr=False)
    index: int
    message_key: bytes = field(repr=False)
    time: int

    @property
    def tag(self) -> bytes:
        return HeaderBlock(self.header_key, self.index).tag


@dataclass(frozen=True)
class State:
    """§4.7's list, unchanging: each message gives a new one."""

    root: bytes = field(repr=False)
    own_key: AgreementKey
    peer_key: bytes
    next_send_header: bytes = field(repr=False)
    next_receive_header: bytes = field(repr=False)
    sending: SendingChain | None
    receiving: ReceivingChain | None
    turn_pending: bool
    own_offer: EncapsulationKey | None
    peer_offer: bytes | None = field(repr=False)
    used_offer: bytes
    last_post_quantum: int
    steps: int
    skipped: tuple[SkippedKey, ...] = ()
    held: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Opening:
    """What came of an envelope: the bodies that opened (held ones may follow), or that it is held."""

    bodies: tuple[Body, ...]
    held: bool = False


def _digest(offer: bytes) -> bytes:
    """How a used key of the peer is remembered; it never leaves this side."""
    return hashlib.sha256(offer).digest()


def advance(keys: bytes) -> tuple[bytes, bytes]:
    """The keys that a chain has left and the message key (§4.2)."""
    if len(keys) == 32:
        keys = stream.chacha20(keys, bytes(12), 256)
    return keys[32:], keys[:32]


@dataclass(frozen=True)
class Step:
    """What one step derives (§4.1)."""

    root: bytes = field(repr=False)
    chain_key: bytes = field(repr=False)
    next_header: bytes = field(repr=False)

    @classmethod
    def derive(cls, root: bytes, dh: bytes, ss: bytes, sender: bytes, receiver: bytes, ek: bytes, ct: bytes) -> Step:
        transcript = H("step", sender, receiver, ek, ct)
        both = KDF(root, "ratchet", dh, ss, transcript, n=64)
        return cls(both[:32], both[32:], KDF(root, "ratchet hdr", dh, ss, transcript, n=32))


class Channel:
    """One end of a channel after the handshake."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.renew_salt()

    def renew_salt(self) -> None:
        """To be called after every commit (§4.4); the salt is never stored."""
        self.salt = os.urandom(8)

    # ---- sending ----

    def seal(self, kind: Kind, content: bytes, now: int) -> bytes:
        """The next envelope. Raises `ChainExhausted`, `TooLarge`, or `Malformed` for a turn with content."""
        if kind is Kind.TURN and content:
            raise Malformed("a turn has no content", "envelope")
        state = self._step(now) if self.state.turn_pending else self.state
        chain = state.sending
        if chain is None:
            raise Malformed("nothing was received yet", "channel")
        if chain.n > LAST_INDEX:
            raise ChainExhausted()
        envelope, chain = seal_next(chain, state.own_key.public, self.salt, kind, content)
        self.state = replace(state, sending=chain)
        return envelope

    def _step(self, now: int) -> State:
        state = self.state
        own = AgreementKey(os.urandom(32))
        dh = own.agree(state.peer_key)
        ek = state.peer_offer or b""
        ct, ss = b"", b""
        if ek:
            ss, ct = mlkem.encapsulate(ek)
        step = Step.derive(state.root, dh, ss, own.public, state.peer_key, ek, ct)
        steps, last = (0, now) if ct else (state.steps + 1, state.last_post_quantum)
        offer = state.own_offer
        if offer is None and (steps >= STEP_COUNT or now - last >= STEP_AGE):
            offer = EncapsulationKey(os.urandom(64))
        return replace(
            state,
            root=step.root,
            own_key=own,
            next_send_header=step.next_header,
            turn_pending=False,
            sending=SendingChain(
                step.chain_key,
                state.next_send_header,
                0,
                state.sending.n if state.sending else 0,
                ct,
                offer.public if offer else b"",
            ),
            own_offer=offer,
            peer_offer=None,
            used_offer=_digest(ek) if ek else state.used_offer,
            steps=steps,
            last_post_quantum=last,
        )

    def turn_due(self, now: int) -> bool:
        """Whether an empty message should renew the keys of a peer that alone is writing (§4.2)."""
        chain = self.state.receiving
        return (
            chain is not None
            and self.state.turn_pending
            and chain.has_content
            and (chain.n >= TURN_AFTER or now - chain.started >= TURN_AGE)
        )

    # ---- opening ----

    def open(self, envelope: bytes, now: int) -> Opening:
        """Opens an envelope, and what it lets open of those held. Raises a `ProtocolError`; then nothing changed."""
        with reading("envelope"):
            result = _open(self.state, Envelope(envelope), now)
            if result is None:
                self.state = _hold(self.state, envelope)
                return Opening((), held=True)
        before, (state, body) = self.state, result
        bodies = [body]
        if state.held and _chain(state) != _chain(before):
            waiting, state = state.held, replace(state, held=())
            for data in waiting:
                try:
                    result = _open(state, Envelope(data), now)
                except HandfastError:
                    continue
                if result is None:
                    state = _hold(state, data)
                else:
                    state, body = result
                    bodies.append(body)
        self.state = state
        return Opening(tuple(bodies))


def _chain(state: State) -> bytes | None:
    """What names the chain that is received."""
    return state.receiving.header_key if state.receiving is not None else None


def seal_next(
    chain: SendingChain, ratchet_key: bytes, salt: bytes, kind: Kind, content: bytes, nonce: bytes | None = None
) -> tuple[bytes, SendingChain]:
    """The next envelope of a chain; `nonce` takes the place of the tag in a welcome (§3.4)."""
    keys, message_key = advance(chain.keys)
    masks = HeaderBlock(chain.header_key, chain.n)
    ct = chain.ct if chain.n < REPEATS else b""
    header = Header(bool(ct), bool(chain.ct), chain.previous_length, salt, ratchet_key)
    tag = masks.tag if nonce is None else nonce
    offer = chain.offer if chain.n < REPEATS else b""
    return seal(tag, masks, header, ct, message_key, kind, content, offer), replace(chain, keys=keys, n=chain.n + 1)


def _hold(state: State, envelope: bytes) -> State:
    if envelope in state.held:
        return state
    if len(state.held) >= MAX_HELD or sum(map(len, state.held)) + len(envelope) > MAX_HELD_BYTES:
        raise TooManyHeld()
    return replace(state, held=(*state.held, envelope))


def _open(state: State, envelope: Envelope, now: int) -> tuple[State, Body] | None:
    """The state after this envelope and its body; None where it is to be held."""
    state = replace(state, skipped=tuple(key for key in state.skipped if now - key.time < SKIPPED_LIFE))
    place = _locate(state, envelope.tag)
    if isinstance(place, SkippedKey):
        return _open_skipped(state, envelope, place)
    is_next, index = place
    if is_next:
        return _open_next(state, envelope, index, now)
    assert state.receiving is not None
    return _open_in(state, state.receiving, envelope, index, now)


def _locate(state: State, tag: bytes) -> SkippedKey | tuple[bool, int]:
    """§4.7's order. A pair is (whether of the next chain, index)."""
    chain = state.receiving
    if chain is not None and chain.n <= LAST_INDEX and HeaderBlock(chain.header_key, chain.n).tag == tag:
        return False, chain.n
    if HeaderBlock(state.next_receive_header, 0).tag == tag:
        return True, 0
    for key in state.skipped:
        if key.tag == tag:
            return key
    if chain is not None:
        for index in range(chain.n + 1, min(chain.n + MAX_SKIPPED, LAST_INDEX) + 1):
            if HeaderBlock(chain.header_key, index).tag == tag:
                return False, index
    for index in range(1, MAX_SKIPPED + 1):
        if HeaderBlock(state.next_receive_header, index).tag == tag:
            return True, index
    raise UnknownTag()


def _open_skipped(state: State, envelope: Envelope, key: SkippedKey) -> tuple[State, Body]:
    header = envelope.header(HeaderBlock(key.header_key, key.index))
    body = _finish(envelope, key.message_key, header)
    # Its offer is not taken: the peer may have erased that secret since, and repeats one that is still open.
    return replace(state, skipped=tuple(other for other in state.skipped if other is not key)), body


def _open_next(state: State, envelope: Envelope, index: int, now: int) -> tuple[State, Body] | None:
    masks = HeaderBlock(state.next_receive_header, index)
    header = envelope.header(masks)
    if header.ct_used and not header.ct_follows:
        if index < REPEATS:
            raise NotAuthentic("the head of its chain without the ciphertext")
        return None
    before = state.receiving
    passed = header.previous_length - (before.n if before else 0)
    if passed < 0:
        raise NotAuthentic("a length below what was opened")
    if passed + index > MAX_SKIPPED:
        raise TooManySkipped()
    ek, ct, ss = b"", b"", b""
    if header.ct_used:
        if state.own_offer is None:
            raise NotAuthentic("a ciphertext for no key of ours")
        ek, ct = state.own_offer.public, envelope.ct(masks)
        ss = state.own_offer.decapsulate(ct)
    try:
        dh = state.own_key.agree(header.ratchet_key)
    except Cryptography:
        raise NotAuthentic("X25519 gives zero") from None
    step = Step.derive(state.root, dh, ss, header.ratchet_key, state.own_key.public, ek, ct)
    if before is not None:
        for _ in range(passed):
            before, state = _skip(before, state, now)
    chain = ReceivingChain(step.chain_key, state.next_receive_header, 0, now, False)
    state = replace(
        state,
        root=step.root,
        peer_key=header.ratchet_key,
        next_receive_header=step.next_header,
        turn_pending=True,
        own_offer=None if header.ct_used else state.own_offer,
        steps=0 if header.ct_used else state.steps + 1,
        last_post_quantum=now if header.ct_used else state.last_post_quantum,
    )
    return _open_in(state, chain, envelope, index, now)


def _open_in(state: State, chain: ReceivingChain, envelope: Envelope, index: int, now: int) -> tuple[State, Body]:
    header = envelope.header(HeaderBlock(chain.header_key, index))
    if header.ratchet_key != state.peer_key:
        raise NotAuthentic("header of another chain")
    while chain.n < index:
        chain, state = _skip(chain, state, now)
    keys, message_key = advance(chain.keys)
    body = _finish(envelope, message_key, header)
    chain = replace(chain, keys=keys, n=index + 1, has_content=chain.has_content or body.kind is not Kind.TURN)
    return _take_offer(replace(state, receiving=chain), body), body


def _skip(chain: ReceivingChain, state: State, now: int) -> tuple[ReceivingChain, State]:
    keys, message_key = advance(chain.keys)
    skipped = (*state.skipped, SkippedKey(chain.header_key, chain.n, message_key, now))[-MAX_SKIPPED:]
    return replace(chain, keys=keys, n=chain.n + 1), replace(state, skipped=skipped)


def _finish(envelope: Envelope, message_key: bytes, header: Header) -> Body:
    body = Body.decode(envelope.open(message_key, header))
    if body.kind in (Kind.WELCOME, Kind.REJOINED):
        raise Malformed("not the first of its epoch")
    return body


def _take_offer(state: State, body: Body) -> State:
    if body.offer is None or _digest(body.offer) == state.used_offer:
        return state
    return replace(state, peer_offer=body.offer)


# ---- the first step (§3.4, §4.1) ----


def begin_as_inviter(root: bytes, peer_key: bytes, peer_offer: bytes) -> tuple[AgreementKey, bytes, Step]:
    """The inviter's first ratchet key, its ciphertext, and what the step gives."""
    own = AgreementKey(os.urandom(32))
    ss, ct = mlkem.encapsulate(peer_offer)
    return own, ct, Step.derive(root, own.agree(peer_key), ss, own.public, peer_key, peer_offer, ct)


def first_envelope(
    root: bytes,
    begun: tuple[AgreementKey, bytes, Step],
    peer_key: bytes,
    peer_offer: bytes,
    kind: Kind,
    content: bytes,
    now: int,
) -> tuple[bytes, Channel]:
    """The first envelope of an epoch, a welcome or rejoined, and the channel of who made it."""
    own, ct, step = begun
    nonce = os.urandom(16)
    header_key = KDF(root, "welcome hdr", nonce, n=32)
    channel = inviter_channel(root, own, peer_key, peer_offer, ct, step, header_key, now)
    assert channel.state.sending is not None
    envelope, chain = seal_next(channel.state.sending, own.public, channel.salt, kind, content, nonce)
    channel.state = replace(channel.state, sending=chain)
    return envelope, channel


def inviter_channel(
    root: bytes,
    own: AgreementKey,
    peer_key: bytes,
    peer_offer: bytes,
    ct: bytes,
    step: Step,
    header_key: bytes,
    now: int,
) -> Channel:
    """The inviter's channel before its first envelope."""
    return Channel(
        State(
            step.root,
            own,
            peer_key,
            step.next_header,
            KDF(root, "invitee hdr", n=32),
            SendingChain(step.chain_key, header_key, 0, 0, ct, b""),
            None,
            False,
            None,
            None,
            _digest(peer_offer),
            now,
            0,
        )
    )


def open_first(
    root: bytes, own_key: AgreementKey, own_offer: EncapsulationKey, encoded: bytes, kind: Kind, now: int
) -> tuple[Channel, Body, bytes, bytes]:
    """The channel of who opens the first envelope of an epoch, its body, the peer's ratchet key and the ciphertext."""
    envelope = Envelope(encoded)
    header_key = KDF(root, "welcome hdr", envelope.tag, n=32)
    masks = HeaderBlock(header_key, 0)
    header = envelope.header(masks)
    if not header.ct_follows or header.previous_length:
        raise NotAuthentic("header of a first envelope")
    ct = envelope.ct(masks)
    try:
        dh = own_key.agree(header.ratchet_key)
    except Cryptography:
        raise NotAuthentic("X25519 gives zero") from None
    step = Step.derive(root, dh, own_offer.decapsulate(ct), header.ratchet_key, own_key.public, own_offer.public, ct)
    keys, message_key = advance(step.chain_key)
    body = Body.decode(envelope.open(message_key, header))
    if body.kind is not kind:
        raise Malformed(f"no {kind.name.lower()}")
    state = State(
        step.root,
        own_key,
        header.ratchet_key,
        KDF(root, "invitee hdr", n=32),
        step.next_header,
        None,
        ReceivingChain(keys, header_key, 1, now, True),
        True,
        None,
        None,
        b"",
        now,
        0,
    )
    return Channel(_take_offer(state, body)), body, header.ratchet_key, ct
