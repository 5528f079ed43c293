"""Where a party is written to (Spec/03 §3.1, §3.3)."""

from __future__ import annotations

from dataclasses import dataclass, field

from .encoding import cbor
from .errors import Malformed

MAX_ADDRESSES = 4


@dataclass(frozen=True)
class Relay:
    """A relay: host, port and its link key (X25519)."""

    host: str
    port: int
    key: bytes

    def __post_init__(self) -> None:
        # Without brackets, so that a host and a port together read one way only.
        if not 1 <= len(self.host) <= 253 or not all("!" <= c <= "~" and c not in "/[]" for c in self.host):
            raise Malformed("host", "relay")
        if not 1 <= self.port <= 65_535:
            raise Malformed("port", "relay")

    @classmethod
    def of(cls, host: cbor.Value, port: cbor.Value, key: cbor.Value) -> Relay:
        return cls(cbor.text(host, 1, 253), cbor.uint(port, 1, 65_535), cbor.byte_string(key, 32))

    @property
    def items(self) -> list[cbor.Value]:
        return [self.host, self.port, self.key]


@dataclass(frozen=True)
class Address:
    """A queue at a relay, and the capability to send to it."""

    relay: Relay
    queue: bytes
    capability: bytes = field(repr=False)

    @classmethod
    def of(cls, value: cbor.Value) -> Address:
        host, port, key, queue, capability = cbor.items(value, 5)
        return cls(Relay.of(host, port, key), cbor.byte_string(queue, 16), cbor.byte_string(capability, 32))

    @property
    def value(self) -> list[cbor.Value]:
        return [*self.relay.items, self.queue, self.capability]


def read_addresses(value: cbor.Value) -> tuple[Address, ...]:
    """One to four addresses."""
    return tuple(Address.of(item) for item in cbor.array(value, MAX_ADDRESSES, 1))


def read_replies(value: cbor.Value) -> tuple[Address, ...]:
    """One to four addresses, each with a queue of its own, as a rejoin names them."""
    addresses = read_addresses(value)
    if len({address.queue for address in addresses}) < len(addresses):
        raise Malformed("addresses: one queue twice")
    return addresses
