"""What a strict decoder refuses (Spec/01), and that cbor2 reads what is written."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import cbor2
import pytest

from handfast.encoding import cbor, cose, text
from handfast.errors import (
    CBORError,
    COSEError,
    DepthExceeded,
    DuplicateKey,
    HandfastError,
    IndefiniteLength,
    InvalidCharacter,
    InvalidKey,
    InvalidLength,
    InvalidSignature,
    InvalidUTF8,
    MissingHeader,
    NonMinimal,
    NonZeroTrailingBits,
    PayloadMissing,
    PayloadPresent,
    SizeExceeded,
    TrailingBytes,
    Truncated,
    UnknownKey,
    UnprotectedHeader,
    UnsortedKeys,
    Unsupported,
    UnsupportedHeader,
    WrongAlgorithm,
    WrongContentType,
    WrongCurve,
    WrongKeyType,
    WrongLength,
    WrongTag,
    WrongType,
)
from handfast.suite import signing, xwing
from handfast.suite.signing import SigningKey

EXAMPLES = Path(__file__).parents[2] / "third-party/cose-examples"


@pytest.mark.parametrize(
    ("encoded", "refusal"),
    [
        ("", Truncated),
        ("1801", NonMinimal),
        ("190018", NonMinimal),
        ("1a0000ffff", NonMinimal),
        ("1b00000000ffffffff", NonMinimal),
        ("580161", NonMinimal),
        ("19", Truncated),
        ("4261", Truncated),
        ("8201", Truncated),
        ("9a7fffffff", Truncated),
        ("ba7fffffff", Truncated),
        ("0000", TrailingBytes),
        ("5f4161ff", IndefiniteLength),
        ("9f01ff", IndefiniteLength),
        ("bf0101ff", IndefiniteLength),
        ("ff", IndefiniteLength),
        ("a202000100", UnsortedKeys),
        ("a201000100", DuplicateKey),
        ("a2616100416100", UnsortedKeys),
        ("61ff", InvalidUTF8),
        ("63eda080", InvalidUTF8),
        ("f7", Unsupported),
        ("f0", Unsupported),
        ("f818", Unsupported),
        ("f8ff", Unsupported),
        ("1c", Unsupported),
        ("fc", Unsupported),
        ("fa3f800000", NonMinimal),
        ("fb3ff0000000000000", NonMinimal),
        ("f97e01", NonMinimal),
        ("fa7fc00000", NonMinimal),
        ("81" * 17 + "00", DepthExceeded),
        ("c1" * 17 + "00", DepthExceeded),
    ],
)
def test_refusals(encoded: str, refusal: type[CBORError]) -> None:
    with pytest.raises(refusal):
        cbor.decode(bytes.fromhex(encoded))


def test_depth_and_size_bounds() -> None:
    deepest = bytes.fromhex("81" * 16 + "00")
    assert cbor.encode(cbor.decode(deepest)) == deepest
    with pytest.raises(SizeExceeded):
        cbor.decode(b"\x40", limit=0)


def test_map_keys_of_mixed_types_stay_apart() -> None:
    data = cbor.encode(cbor.Pairs([(1, 0), (True, 1), (1.0, 2), ("1", 3), (b"1", 4), (cbor.Tag(1, 1), 5)]))
    value = cbor.decode(data)
    assert isinstance(value, cbor.Pairs) and len(value) == 6 and cbor.encode(value) == data


def _random_value(source: random.Random, depth: int) -> Any:
    kind = source.randrange(8 if depth < 4 else 6)
    match kind:
        case 0:
            return source.getrandbits(source.randrange(65))
        case 1:
            return -1 - source.getrandbits(source.randrange(65))
        case 2:
            return source.randbytes(source.randrange(40))
        case 3:
            return "".join(chr(source.choice((65, 233, 8_364, 128_512))) for _ in range(source.randrange(10)))
        case 4:
            return source.choice((True, False, None))
        case 5:
            return source.choice((0.5, -0.0, 1e300, 3.4028234663852886e38, source.random()))
        case 6:
            return [_random_value(source, depth + 1) for _ in range(source.randrange(5))]
        case _:
            return {source.randrange(-50, 50): _random_value(source, depth + 1) for _ in range(source.randrange(5))}


def test_random_values_and_their_mutations() -> None:
    source = random.Random(4)
    for _ in range(400):
        value = _random_value(source, 0)
        data = cbor.encode(value)
        assert cbor.decode(data) == value and cbor2.loads(data) == value
        mutated = bytearray(data)
        mutated[source.randrange(len(data))] ^= 1 << source.randrange(8)
        try:
            again = cbor.decode(bytes(mutated))
        except CBORError:
            continue
        assert cbor.encode(again) == mutated


def test_texts() -> None:
    for size in range(20):
        data = os.urandom(size)
        assert text.from_base32(text.base32(data)) == data
        assert text.from_base64url(text.base64url(data)) == data
        assert text.from_hex(data.hex()) == data
        if size % 2 == 0:
            assert text.from_proquints(text.proquints(data)) == data
    assert text.base32(b"foobar") == "mzxw6ytboi" and text.base64url(b"\xfb\xff") == "-_8"
    assert text.proquints(bytes([127, 0, 0, 1])) == "lusab-babad"
    for decoder, encoded, refusal in (
        (text.from_base32, "MZ", InvalidCharacter),
        (text.from_base32, "mz=", InvalidCharacter),
        (text.from_base32, "a", InvalidLength),
        (text.from_base32, "aaa", InvalidLength),
        (text.from_base32, "aaaaaa", InvalidLength),
        (text.from_base32, "mz", NonZeroTrailingBits),
        (text.from_base64url, "AAAAA", InvalidLength),
        (text.from_base64url, "AB", NonZeroTrailingBits),
        (text.from_base64url, "A+", InvalidCharacter),
        (text.from_hex, "0", InvalidLength),
        (text.from_hex, "0A", InvalidCharacter),
        (text.from_proquints, "lusa", InvalidLength),
        (text.from_proquints, "lusab_babad", InvalidCharacter),
        (text.from_proquints, "lusaB", InvalidCharacter),
    ):
        with pytest.raises(refusal):
            decoder(encoded)


def test_keys() -> None:
    key = SigningKey(os.urandom(32)).public
    assert len(cbor.encode(cose.ed25519_key(key))) == 40 and cose.read_ed25519(cose.ed25519_key(key)) == key
    sealing = xwing.SealingKey(os.urandom(32)).public
    assert len(cbor.encode(cose.x_wing_key(sealing))) == 1_229 and cose.read_x_wing(cose.x_wing_key(sealing)) == sealing
    assert len(cbor.encode(cose.ml_kem_key(sealing[:1184]))) == 1_197
    for value, refusal in (
        (cose.x25519_key(key), WrongCurve),
        (cose.ml_kem_key(sealing[:1184]), WrongKeyType),
        ({1: 1, -1: 6}, CBORError),
        ({1: 1, 3: -8, -1: 6, -2: key}, UnknownKey),
        ({1: 1, -1: 6, -2: key[1:]}, InvalidKey),
        ({1: 1, -1: 6, -2: bytes(32)}, InvalidKey),
        ({1: 1, -1: 6, -2: b"\xff" * 32}, InvalidKey),
        ([], WrongType),
    ):
        with pytest.raises(refusal):
            cose.read_ed25519(value)
    with pytest.raises(WrongAlgorithm):
        cose.read_x_wing(cose.ml_kem_key(sealing[:1184]))
    with pytest.raises(InvalidKey):
        cose.read_ml_kem(cose.ml_kem_key(b"\xff" * 1184))


def test_small_order_points_are_refused() -> None:
    for y in (
        "00" * 32,
        "01" + "00" * 31,
        "ec" + "ff" * 30 + "7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    ):
        for sign in (0, 0x80):
            encoded = bytearray(bytes.fromhex(y))
            encoded[31] |= sign
            with pytest.raises(InvalidKey):
                signing.check_public_key(bytes(encoded))


def _examples() -> list[Path]:
    """Those with one signature by Ed25519."""
    found = sorted(EXAMPLES.glob("eddsa-examples/eddsa-sig-0*.json"))
    inputs = {path: json.loads(path.read_text())["input"] for path in found}
    return [path for path in found if inputs[path].get("sign0", {"key": {}})["key"].get("crv") == "Ed25519"]


@pytest.mark.parametrize("path", _examples(), ids=lambda path: path.stem)
def test_cose_eddsa_examples(path: Path) -> None:
    """The signature structure is that of RFC 9052, though the examples' headers are not ours."""
    example = json.loads(path.read_text())
    sign = example["input"]["sign0"]
    protected, _, payload, signature = cbor2.loads(bytes.fromhex(example["output"]["cbor"])).value
    cose.Sign1("", protected, payload, signature).verify(bytes.fromhex(sign["key"]["x_hex"]))
    with pytest.raises(HandfastError):
        cose.read_sign1(bytes.fromhex(example["output"]["cbor"]), "x")


def test_sign1_refusals() -> None:
    key = SigningKey(os.urandom(32))
    good = cose.sign(key, "a+cose", b"payload", b"external")
    cose.read_sign1(good, "a+cose").verify(key.public, b"external")
    with pytest.raises(InvalidSignature):
        cose.read_sign1(good, "a+cose").verify(key.public)
    protected = cbor.encode({1: -8, 16: "a+cose"})
    sig = bytes(64)
    for value, detached, refusal in (
        (cbor.Tag(18, [protected, {}, None, sig]), False, PayloadMissing),
        (cbor.Tag(18, [protected, {}, b"", sig]), True, PayloadPresent),
        (cbor.Tag(18, [protected, {4: b"k"}, b"", sig]), False, UnprotectedHeader),
        (cbor.Tag(18, [cbor.encode({1: -8}), {}, b"", sig]), False, MissingHeader),
        (cbor.Tag(18, [cbor.encode({1: -7, 16: "a+cose"}), {}, b"", sig]), False, WrongAlgorithm),
        (cbor.Tag(18, [cbor.encode({1: -8, 4: b"", 16: "a+cose"}), {}, b"", sig]), False, UnsupportedHeader),
        (cbor.Tag(18, [cbor.encode({1: -8, 16: "b+cose"}), {}, b"", sig]), False, WrongContentType),
        (cbor.Tag(18, [protected, {}, b"", sig[1:]]), False, WrongLength),
        (cbor.Tag(17, []), False, WrongTag),
        ([protected, {}, b"", sig], False, WrongType),
    ):
        with pytest.raises(refusal):
            cose.read_sign1(cbor.encode(value), "a+cose", detached)


def test_every_mutated_bit_of_a_signature_is_refused() -> None:
    key = SigningKey(os.urandom(32))
    good = cose.sign(key, "a+cose", b"payload")
    for place in range(len(good) * 8):
        mutated = bytearray(good)
        mutated[place // 8] ^= 1 << place % 8
        with pytest.raises((CBORError, COSEError)):
            cose.read_sign1(bytes(mutated), "a+cose").verify(key.public)
