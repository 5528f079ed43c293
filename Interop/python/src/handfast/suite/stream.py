"""ChaCha20 and ChaCha20-Poly1305 (RFC 8439) as Spec/03 and Spec/04 use them."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

from ..errors import NotAuthentic

TAG = 16


def chacha20(key: bytes, nonce: bytes, length: int, block: int = 0) -> bytes:
    """`length` bytes of key stream from a block on; the nonce has 12 bytes."""
    return Cipher(ChaCha20(key, block.to_bytes(4, "little") + nonce), mode=None).encryptor().update(bytes(length))


def seal(key: bytes, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
    return ChaCha20Poly1305(key).encrypt(nonce, plaintext, associated)


def open_sealed(key: bytes, nonce: bytes, ciphertext: bytes, associated: bytes) -> bytes:
    """Raises `NotAuthentic`."""
    if len(ciphertext) < TAG:
        raise NotAuthentic("shorter than its tag")
    try:
        return ChaCha20Poly1305(key).decrypt(nonce, ciphertext, associated)
    except InvalidTag as error:
        raise NotAuthentic() from error


def xor(data: bytes, mask: bytes) -> bytes:
    """Bytes combined one by one; both have one length."""
    return bytes(a ^ b for a, b in zip(data, mask, strict=True))
