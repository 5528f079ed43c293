"""Backups (Spec/08 §8.6): the header, the parts behind it, and the items in them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nacl import bindings, exceptions, pwhash

from .encoding import cbor
from .errors import CBORError, Damaged, NewerVersion, NotABackup, Unfinished, WrongPassphrase
from .suite.hashing import KDF, H

MAGIC = b"HFBK"
VERSION = 1
MAX_HEADER = 1_024
MAX_ITEM = 4 << 20
CHUNK = 65_536
OVERHEAD = 17
STREAM_HEADER = 24
MEMORY = range(64 << 20, (1 << 30) + 1)
PASSES = range(1, 17)
EVENT = 8
_SEALED_KEY = 72
_NONCE = 24
_MESSAGE_TAG, _FINAL_TAG = 0, 3


Form = Callable[[cbor.Value], bool]


def _bytes(least: int, most: int) -> Form:
    return lambda value: isinstance(value, bytes) and least <= len(value) <= most


def _number(most: int) -> Form:
    return lambda value: type(value) is int and 0 <= value <= most


def _text(most: int) -> Form:
    return lambda value: isinstance(value, str) and 0 < len(value.encode()) <= most


def _or_null(form: Form) -> Form:
    return lambda value: value is None or form(value)


def _heads(value: cbor.Value) -> bool:
    forms = (_bytes(16, 16), _COUNT, _DIGEST)
    return isinstance(value, list) and all(isinstance(head, list) and _fits(head, forms) for head in value)


_CONTENT, _DIGEST, _COUNT = _bytes(0, MAX_ITEM), _bytes(32, 32), _number(2**64 - 1)

ROWS: dict[int, tuple[Form, ...]] = {
    1: (_DIGEST, _COUNT, _CONTENT),
    2: (_DIGEST, _CONTENT),
    3: (_bytes(16, 16), _or_null(_DIGEST), _CONTENT),
    4: (_DIGEST, _CONTENT, _or_null(_CONTENT), _heads),
    5: (_DIGEST, _number(1), _COUNT, _DIGEST, _CONTENT),
    6: (_text(32), _bytes(0, 255), _CONTENT),
    7: (_DIGEST, _number(1), _COUNT, lambda value: isinstance(value, bool), _CONTENT),
    EVENT: (_number(2**63 - 1), _or_null(_DIGEST), _CONTENT),
    9: (_text(255), _CONTENT),
}
"""The fields of each kind of row."""


@dataclass(frozen=True)
class Header:
    """Who may open a backup."""

    id: bytes
    memory: int
    passes: int
    salt: bytes
    by_passphrase: bytes
    by_vault: bytes

    @property
    def associated(self) -> bytes:
        numbers = self.memory.to_bytes(8, "big") + self.passes.to_bytes(8, "big")
        return b"handfast backup" + self.id + numbers + self.salt

    def encode(self) -> bytes:
        """The beginning of the file, up to the first part."""
        content = cbor.encode([self.id, self.memory, self.passes, self.salt, self.by_passphrase, self.by_vault])
        return MAGIC + bytes([VERSION]) + len(content).to_bytes(2, "big") + content

    @classmethod
    def decode(cls, content: bytes) -> Header:
        """Raises `Damaged`."""
        try:
            value = cbor.decode(content)
        except CBORError:
            raise Damaged("header") from None
        match value:
            case [bytes(id_), int(memory), int(passes), bytes(salt), bytes(by_passphrase), bytes(by_vault)]:
                sizes = (len(id_), len(salt), len(by_passphrase), len(by_vault))
                if sizes == (16, 16, _SEALED_KEY, _SEALED_KEY) and memory in MEMORY and passes in PASSES:
                    return cls(id_, memory, passes, salt, by_passphrase, by_vault)
        raise Damaged("header")

    def passphrase_key(self, passphrase: bytes) -> bytes:
        return pwhash.argon2id.kdf(32, passphrase, self.salt, opslimit=self.passes, memlimit=self.memory)

    def open(self, passphrase: bytes) -> bytes:
        """The backup's key. Raises `WrongPassphrase`."""
        nonce, sealed = self.by_passphrase[:_NONCE], self.by_passphrase[_NONCE:]
        try:
            return bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
                sealed, self.associated, nonce, self.passphrase_key(passphrase)
            )
        except exceptions.CryptoError:
            raise WrongPassphrase() from None


def make_header(key: bytes, passphrase: bytes, memory: int, passes: int) -> Header:
    """A header that a passphrase opens; what stands for the vault is random, as for a vault that is gone."""
    bare = Header(os.urandom(16), memory, passes, os.urandom(16), b"", os.urandom(_SEALED_KEY))
    nonce = os.urandom(_NONCE)
    sealed = bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(
        key, bare.associated, nonce, bare.passphrase_key(passphrase)
    )
    return Header(bare.id, memory, passes, bare.salt, nonce + sealed, bare.by_vault)


@dataclass(frozen=True)
class Backup:
    """What a file holds: the items of each part, as they are encoded."""

    header: Header
    parts: list[list[bytes]]
    unfinished: bool
    """Whether a crash has left something behind the last part."""


def read(data: bytes, passphrase: bytes) -> Backup:
    """Raises `NotABackup`, `NewerVersion`, `Unfinished`, `Damaged` or `WrongPassphrase`."""
    if data[: len(MAGIC)] != MAGIC:
        raise NotABackup()
    if len(data) < 7:
        raise Unfinished()
    if data[4] != VERSION:
        raise NewerVersion()
    length = int.from_bytes(data[5:7], "big")
    if length > MAX_HEADER:
        raise Damaged("header")
    if len(data) < 7 + length:
        raise Unfinished()
    header = Header.decode(data[7 : 7 + length])
    key = header.open(passphrase)
    offset = 7 + length
    chain = H("backup file", data[:offset])
    parts: list[list[bytes]] = []
    while offset < len(data):
        rest = data[offset + 8 :]
        size = int.from_bytes(data[offset : offset + 8], "big")
        if len(data) < offset + 8 or size == 0 or size > len(rest):
            if not parts:
                raise Unfinished()
            return Backup(header, parts, unfinished=True)
        content, last = _open_part(rest[:size], KDF(key, "backup part", len(parts), chain, n=32))
        parts.append(_items(content))
        chain = H("backup file", chain, last)
        offset += 8 + size
    if not parts:
        raise Unfinished()
    return Backup(header, parts, unfinished=False)


def _open_part(part: bytes, key: bytes) -> tuple[bytes, bytes]:
    """The plaintext of a part and its last sealed chunk."""
    if len(part) < STREAM_HEADER + OVERHEAD:
        raise Damaged("part")
    state = bindings.crypto_secretstream_xchacha20poly1305_state()
    bindings.crypto_secretstream_xchacha20poly1305_init_pull(state, part[:STREAM_HEADER], key)
    content, rest = b"", part[STREAM_HEADER:]
    while True:
        chunk, rest = rest[: CHUNK + OVERHEAD], rest[CHUNK + OVERHEAD :]
        try:
            plain, tag = bindings.crypto_secretstream_xchacha20poly1305_pull(state, chunk)
        except (exceptions.CryptoError, exceptions.ValueError, RuntimeError):
            raise Damaged("chunk") from None
        if (tag == _FINAL_TAG) != (not rest):
            raise Damaged("end of a part")
        content += plain
        if not rest:
            return content, chunk


def read_item(item: bytes) -> list[cbor.Value]:
    """Raises `Damaged` for what has not the form of §8.6."""
    try:
        value = cbor.decode(item)
    except CBORError:
        raise Damaged("item") from None
    match value:
        case [0, int(), int(), int()]:
            return list(value)
        case [int(kind), bytes(name), bytes(mark), content] if kind in ROWS and len(name) == len(mark) == 16:
            if content is None and kind != EVENT:
                return list(value)
            if isinstance(content, list) and _fits(content, ROWS[kind]):
                return list(value)
    raise Damaged("item")


def _fits(fields: list[cbor.Value], forms: tuple[Form, ...]) -> bool:
    return len(fields) == len(forms) and all(form(field) for field, form in zip(fields, forms, strict=True))


def _items(content: bytes) -> list[bytes]:
    found: list[bytes] = []
    while content:
        size = int.from_bytes(content[:4], "big")
        if len(content) < 4 + size or size > MAX_ITEM:
            raise Damaged("item")
        item, content = content[4 : 4 + size], content[4 + size :]
        read_item(item)
        found.append(item)
    return found


def write(header: Header, key: bytes, parts: Sequence[Sequence[bytes]]) -> bytes:
    """A file of these parts, each of encoded items."""
    data = header.encode()
    chain = H("backup file", data)
    for number, items in enumerate(parts):
        state = bindings.crypto_secretstream_xchacha20poly1305_state()
        part_key = KDF(key, "backup part", number, chain, n=32)
        part = bindings.crypto_secretstream_xchacha20poly1305_init_push(state, part_key)
        content = b"".join(len(item).to_bytes(4, "big") + item for item in items)
        while True:
            chunk, content = content[:CHUNK], content[CHUNK:]
            tag = _MESSAGE_TAG if content else _FINAL_TAG
            sealed = bindings.crypto_secretstream_xchacha20poly1305_push(state, chunk, tag=tag)
            part += sealed
            if not content:
                break
        data += len(part).to_bytes(8, "big") + part
        chain = H("backup file", chain, sealed)
    return data
