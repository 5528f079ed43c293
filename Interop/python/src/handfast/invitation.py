"""Invitations (Spec/03 §3.1)."""

from __future__ import annotations

from dataclasses import dataclass, field

from .address import Relay
from .encoding import cbor, text
from .errors import Malformed, TooLarge, UnsupportedVersion, reading
from .suite.hashing import H

SCHEME = "handfast:"
MAX_LENGTH = 200


@dataclass(frozen=True)
class Invitation:
    """Who invites, where to knock, and the ticket that opens once."""

    relay: Relay
    queue: bytes
    signer: bytes
    events: int
    ticket: bytes = field(repr=False)

    @property
    def knock(self) -> bytes:
        """All that the relay learns of the ticket."""
        return knock(self.ticket)

    def __str__(self) -> str:
        if not 1 <= self.events <= 64:
            raise Malformed(f"{self.events} events", "invitation")
        content = cbor.encode([1, *self.relay.items, self.queue, self.signer, self.events, self.ticket])
        uri = SCHEME + text.base64url(content)
        if len(uri) > MAX_LENGTH:
            raise TooLarge(f"{len(uri)} characters", "invitation")
        return uri

    @classmethod
    def parse(cls, uri: str) -> Invitation:
        with reading("invitation"):
            if len(uri) > MAX_LENGTH:
                raise TooLarge(f"{len(uri)} characters")
            if not uri.startswith(SCHEME):
                raise Malformed("no handfast: URI")
            values = cbor.decode(text.from_base64url(uri[len(SCHEME) :]))
            if isinstance(values, list) and values and type(values[0]) is int and values[0] != 1:
                raise UnsupportedVersion(str(values[0]))
            version, host, port, key, queue, signer, events, ticket = cbor.items(values, 8)
            cbor.uint(version, 1, 1)
            return cls(
                Relay.of(host, port, key),
                cbor.byte_string(queue, 16),
                cbor.byte_string(signer, 32),
                cbor.uint(events, 1, 64),
                cbor.byte_string(ticket, 16),
            )


def knock(ticket: bytes) -> bytes:
    return H("knock", ticket)
