"""ristretto255 (RFC 9496) on Python's integers, for want of a binding; and expand_message_xmd (RFC 9380 §5.3.1).

Its time depends on what it computes with: it is for tests.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache

from ..errors import NonCanonicalPoint, NonCanonicalScalar

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
SIZE = 32
D = -121665 * pow(121666, -1, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)


def _is_negative(value: int) -> bool:
    return value % P & 1 == 1


def _absolute(value: int) -> int:
    value %= P
    return P - value if value & 1 else value


def _sqrt_ratio(numerator: int, denominator: int) -> tuple[bool, int]:
    """RFC 9496 §4.2: whether numerator / denominator is a square, and a root of it or of its multiple by SQRT_M1."""
    u, v = numerator % P, denominator % P
    root = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    check = v * root * root % P
    correct, flipped, flipped_i = check == u, check == -u % P, check == -u * SQRT_M1 % P
    if flipped or flipped_i:
        root = root * SQRT_M1 % P
    return correct or flipped, _absolute(root)


def _root(square: int) -> int:
    was_square, root = _sqrt_ratio(square, 1)
    assert was_square
    return root


ONE_MINUS_D_SQ = (1 - D * D) % P
D_MINUS_ONE_SQ = (D - 1) ** 2 % P
INVSQRT_A_MINUS_D = _sqrt_ratio(1, -1 - D)[1]
# Of the two roots RFC 9496 §4.1 takes the one that is negative.
SQRT_AD_MINUS_ONE = P - _root(-D - 1)


@dataclass(frozen=True)
class Point:
    """In extended coordinates; equal where the encodings are."""

    x: int
    y: int
    z: int
    t: int

    def __add__(self, other: Point) -> Point:
        a = (self.y - self.x) * (other.y - other.x) % P
        b = (self.y + self.x) * (other.y + other.x) % P
        c = 2 * D * self.t * other.t % P
        d = 2 * self.z * other.z % P
        e, f, g, h = b - a, d - c, d + c, b + a
        return Point(e * f % P, g * h % P, f * g % P, e * h % P)

    def __neg__(self) -> Point:
        return Point(-self.x % P, self.y, self.z, -self.t % P)

    def __sub__(self, other: Point) -> Point:
        return self + -other

    def __rmul__(self, scalar: int) -> Point:
        total, power = IDENTITY, self
        for bit in reversed(f"{scalar % ORDER:b}"):
            if bit == "1":
                total = total + power
            power = power + power
        return total

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Point) and self.encode() == other.encode()

    def __hash__(self) -> int:
        return hash(self.encode())

    def encode(self) -> bytes:
        """RFC 9496 §4.3.2."""
        u1 = (self.z + self.y) * (self.z - self.y) % P
        u2 = self.x * self.y % P
        _, inverse = _sqrt_ratio(1, u1 * u2 * u2)
        d1, d2 = inverse * u1 % P, inverse * u2 % P
        z_inverse = d1 * d2 * self.t % P
        x, y, d_inverse = self.x, self.y, d2
        if _is_negative(self.t * z_inverse):
            x, y, d_inverse = self.y * SQRT_M1 % P, self.x * SQRT_M1 % P, d1 * INVSQRT_A_MINUS_D % P
        if _is_negative(x * z_inverse):
            y = -y % P
        return _absolute(d_inverse * (self.z - y)).to_bytes(SIZE, "little")

    @property
    def is_identity(self) -> bool:
        return self.encode() == bytes(SIZE)


IDENTITY = Point(0, 1, 1, 0)


def decode(data: bytes, name: str = "point") -> Point:
    """RFC 9496 §4.3.1. Raises `NonCanonicalPoint`."""
    s = int.from_bytes(data, "little")
    if len(data) != SIZE or s >= P or _is_negative(s):
        raise NonCanonicalPoint(name)
    u1, u2 = (1 - s * s) % P, (1 + s * s) % P
    v = (-D * u1 * u1 - u2 * u2) % P
    was_square, inverse = _sqrt_ratio(1, v * u2 * u2)
    x_den = inverse * u2 % P
    y_den = inverse * x_den * v % P
    x = _absolute(2 * s * x_den)
    y = u1 * y_den % P
    t = x * y % P
    if not was_square or _is_negative(t) or y == 0:
        raise NonCanonicalPoint(name)
    return Point(x, y, 1, t)


@cache
def generator() -> Point:
    return decode(bytes.fromhex("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76"))


def decode_scalar(data: bytes, name: str = "scalar") -> int:
    """A number below the order. Raises `NonCanonicalScalar`."""
    number = int.from_bytes(data, "little")
    if len(data) != SIZE or number >= ORDER:
        raise NonCanonicalScalar(name)
    return number


def encode_scalar(scalar: int) -> bytes:
    return (scalar % ORDER).to_bytes(SIZE, "little")


def inverse(scalar: int) -> int:
    return pow(scalar, -1, ORDER)


# ---- hashing ----


def _map(half: bytes) -> Point:
    """RFC 9496 §4.3.4, MAP."""
    t = int.from_bytes(half, "little") % 2**255 % P
    r = SQRT_M1 * t * t % P
    u = (r + 1) * ONE_MINUS_D_SQ % P
    v = (-1 - r * D) * (r + D) % P
    was_square, s = _sqrt_ratio(u, v)
    c = P - 1
    if not was_square:
        s, c = -_absolute(s * t) % P, r
    n = (c * (r - 1) * D_MINUS_ONE_SQ - v) % P
    w0, w1, w2, w3 = 2 * s * v % P, n * SQRT_AD_MINUS_ONE % P, (1 - s * s) % P, (1 + s * s) % P
    return Point(w0 * w3 % P, w2 * w1 % P, w1 * w3 % P, w0 * w2 % P)


def derive(uniform: bytes) -> Point:
    """The point of 64 uniform bytes."""
    assert len(uniform) == 64
    return _map(uniform[:32]) + _map(uniform[32:])


def reduce(uniform: bytes) -> int:
    """The scalar of 64 uniform bytes."""
    assert len(uniform) == 64
    return int.from_bytes(uniform, "little") % ORDER


def expand(message: bytes, tag: bytes, count: int) -> bytes:
    """expand_message_xmd with SHA-512."""
    assert 0 < len(tag) < 256 and 0 < count <= 255 * 64
    suffix = tag + bytes([len(tag)])
    first = hashlib.sha512(bytes(128) + message + count.to_bytes(2, "big") + b"\0" + suffix).digest()
    block, out = bytes(64), b""
    for index in range(1, -(-count // 64) + 1):
        mixed = bytes(left ^ right for left, right in zip(first, block, strict=True))
        block = hashlib.sha512(mixed + bytes([index]) + suffix).digest()
        out += block
    return out[:count]
