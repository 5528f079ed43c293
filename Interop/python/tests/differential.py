"""Two readers, one input after another: this package and the program `handfast`.

`python tests/differential.py PROGRAM [--seconds 60 | --count N] [--seed N]` makes CBOR of every kind that §1.1 and §1.2
speak of, right and wrong, and changes structures of the vectors at any depth. It stops at the first input on which the
two do not agree: on whether it is accepted, on its value or, for CBOR alone, on the class of the refusal. Of a
structure with several faults either may name the one that it meets first.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from vector_ops import OPERATIONS, READ, Refused, class_of

from handfast.encoding import cbor
from handfast.encoding.text import base64url, from_base64url
from handfast.errors import HandfastError

ROOT = Path(__file__).parents[3]
BATCH = 256
LONGEST = 4_096
Answer = dict[str, Any]

# What reads bytes of others, and where they stand in its input.
READERS = READ | {
    ("ledger", "verify"): "proof",
    ("returned", "heads"): "heads",
    ("relay", "request"): "frame",
    ("relay", "answer"): "frame",
    ("claim", "request"): "body",
    ("claim", "present"): "body",
    ("claim", "result"): "body",
    ("claim", "judge"): "present",
    ("sd-cwt", "key"): "bytes",
    ("sd-cwt", "present"): "credential",
    ("sd-cwt", "verify"): "presentation",
    ("sd-jwt", "json"): "text",
    ("sd-jwt", "read"): "credential",
    ("sd-jwt", "verify"): "presentation",
    ("status-list", "inflate"): "compressed",
    ("status-list", "verify"): "token",
    ("anonymous", "check"): "presentation",
}


class Question(NamedTuple):
    """An operation of the vectors with its input."""

    layer: str
    op: str
    given: dict[str, Any]

    @property
    def line(self) -> str:
        return json.dumps({"layer": self.layer, "op": self.op, "in": self.given})


class Disagreement(Exception):
    """Both looked at the same bytes and saw something else."""


# ---- what to begin with ----


def corpus() -> list[bytes]:
    """Inputs that are kept: vectors of CBOR and what the fuzzers of the decoders begin with."""
    vectors = json.loads((ROOT / "Interop/vectors/cbor.json").read_text())["vectors"]
    found = [data for vector in vectors if (data := bytes.fromhex(vector["in"]["bytes"]))]
    for folder in ("Corpus", "Regressions"):
        for path in sorted((ROOT / "Fuzz" / folder).glob("*/*")):
            if 0 < path.stat().st_size <= LONGEST:
                found.append(path.read_bytes())
    return found


# ---- values made up ----


class Writer:
    """Writes random items; now and then one head, order or text is not as it must be."""

    def __init__(self, source: random.Random, wrong: float) -> None:
        self.source = source
        self.wrong = wrong

    def faulty(self) -> bool:
        return self.source.random() < self.wrong

    def head(self, major: int, argument: int) -> bytes:
        sizes = [size for size in (0, 1, 2, 4, 8) if argument < (24 if size == 0 else 1 << 8 * size)]
        size = self.source.choice(sizes) if self.faulty() else sizes[0]
        if self.faulty():
            return bytes([major << 5 | self.source.choice((28, 29, 30, 31))])
        if size == 0:
            return bytes([major << 5 | argument])
        return bytes([major << 5 | {1: 24, 2: 25, 4: 26, 8: 27}[size]]) + argument.to_bytes(size, "big")

    def number(self) -> int:
        edges = (0, 1, 23, 24, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1)
        return self.source.choice(edges) if self.source.random() < 0.6 else self.source.getrandbits(64)

    def length(self, true: int) -> int:
        """The length that a head announces."""
        if self.faulty():
            return max(0, true + self.source.choice((-1, 1, 2, 200, 2**32, 2**63 - true)))
        return true

    def text(self) -> bytes:
        pieces = ["", "a", "name", "ü", "水", "🙂", "e\u0301", "\u0000", "x" * 23, "y" * 24, "\ufeff", "\uffff"]
        text = "".join(self.source.choices(pieces, k=self.source.randrange(3))).encode()
        if self.faulty():
            bad = ("ff", "c080", "eda080", "f4908080", "e282", "80", "f888808080")
            text += bytes.fromhex(self.source.choice(bad))
        return text

    def float(self) -> bytes:
        edges = (0.0, -0.0, 1.0, 1.5, 65_504.0, 65_505.0, 5.960464477539063e-8, 6.103515625e-5, 1e300, 3.4e38, 0.1)
        special = (float("inf"), float("-inf"), float("nan"), 2.0**-24, 2.0**-25, 2.0**-149, 2.0**-150, 16_777_217.0)
        bits = struct.unpack(">d", self.source.randbytes(8))[0]
        value = self.source.choice((*edges, *special, bits, float(self.source.randrange(70_000))))
        forms = [(0xF9, ">e"), (0xFA, ">f"), (0xFB, ">d")]
        if not self.faulty():
            for head, form in forms:
                try:
                    packed = struct.pack(form, value)
                except OverflowError:
                    continue
                if struct.unpack(form, packed)[0] == value or value != value:
                    return bytes([head]) + packed
        head, size = self.source.choice(((0xF9, 2), (0xFA, 4), (0xFB, 8)))
        nan = {2: b"\x7e\x01", 4: b"\x7f\xc0\x00\x00", 8: b"\x7f\xf8" + bytes(6)}[size]
        return bytes([head]) + self.source.choice((self.source.randbytes(size), nan, bytes(size)))

    def item(self, depth: int = 0) -> bytes:
        kind = self.source.randrange(12)
        if depth > 20 or (kind >= 7 and self.source.random() < depth * 0.04):
            kind = self.source.randrange(7)
        match kind:
            case 0 | 1:
                return self.head(kind, self.number())
            case 2:
                data = self.source.randbytes(self.source.choice((0, 1, 2, 23, 24, 32)))
                return self.head(2, self.length(len(data))) + data
            case 3 | 4:
                text = self.text()
                return self.head(3, self.length(len(text))) + text
            case 5:
                return self.float()
            case 6:
                others = ("f7", "e0", "f0", "f814", "f820", "f8ff", "fc", "fd", "fe", "ff")
                return bytes.fromhex(self.source.choice(others if self.faulty() else ("f4", "f5", "f6")))
            case 7:
                return self.head(6, self.number()) + self.item(depth + 1)
            case 8 | 9:
                items = [self.item(depth + 1) for _ in range(self.source.choice((0, 1, 1, 2, 3, 24)))]
                return self.head(4, self.length(len(items))) + b"".join(items)
            case _:
                return self.map(depth)

    def map(self, depth: int) -> bytes:
        entries = {self.item(depth + 1): self.item(depth + 1) for _ in range(self.source.choice((0, 1, 2, 4)))}
        keys = sorted(entries)
        if keys and self.faulty():
            keys.append(self.source.choice(keys))
            if self.source.random() < 0.5:
                keys.sort()
        if self.faulty():
            self.source.shuffle(keys)
        return self.head(5, self.length(len(keys))) + b"".join(key + entries[key] for key in keys)

    def nested(self) -> bytes:
        """Containers around the bound of their depth."""
        depth = self.source.randrange(13, 20)
        wrap = (b"\x81", b"\xc1", b"\xa1\x00", b"\x82\xf6", b"\xd8\x20")
        return b"".join(self.source.choices(wrap, k=depth)) + self.source.choice((b"\x00", b"\x80", b"\xa0", b"\x40"))


# ---- inputs changed ----


def heads(data: bytes) -> list[tuple[int, int]]:
    """Where items begin, and where they end, as far as these bytes can be read."""
    found: list[tuple[int, int]] = []

    def item(at: int, depth: int) -> int:
        initial, start = data[at], at
        major, additional = initial >> 5, initial & 31
        at += 1
        argument = additional
        if 24 <= additional <= 27:
            size = 1 << additional - 24
            argument = int.from_bytes(data[at : at + size], "big")
            at += size
        if major in (2, 3):
            at += argument
        elif major in (4, 5) and depth < 40:
            for _ in range(min(argument * (major - 3), 300)):
                at = item(at, depth + 1)
        elif major == 6 and depth < 40:
            at = item(at, depth + 1)
        found.append((start, min(at, len(data))))
        return at

    try:
        item(0, 0)
    except (IndexError, RecursionError):
        pass
    return [place for place in found if place[0] < len(data)] or [(0, len(data))]


def mutate(source: random.Random, data: bytes, other: bytes) -> bytes:
    """The same bytes with one thing changed that means something to a reader."""
    start, end = source.choice(heads(data))
    begin, stop = source.choice(heads(data))
    taken, given = data[start:end], data[begin:stop]
    match source.randrange(12):
        case 0:  # another major type or argument
            return data[:start] + bytes([source.randrange(256)]) + data[start + 1 :]
        case 1:  # one more or one less
            return data[:start] + bytes([(data[start] + source.choice((-1, 1, 32, -32))) & 255]) + data[start + 1 :]
        case 2:  # the head one size wider
            major, additional = data[start] >> 5, data[start] & 31
            if additional < 24:
                return data[:start] + bytes([major << 5 | 24, additional]) + data[start + 1 :]
            return data[:start] + bytes([min(data[start] + 1, 255)]) + bytes(1) + data[start + 1 :]
        case 3:
            return data[:start] + taken + taken + data[end:]
        case 4:
            return data[:start] + data[end:]
        case 5 if end <= begin:
            return data[:start] + given + data[end:begin] + taken + data[stop:]
        case 6:
            return data[:start] + given + data[end:]
        case 7:
            place = source.randrange(len(data))
            return data[:place] + bytes([data[place] ^ 1 << source.randrange(8)]) + data[place + 1 :]
        case 8:
            return data[: source.randrange(len(data))]
        case 9:
            return data + source.choice((b"\x00", b"\xff", taken))
        case 10:
            begin, stop = source.choice(heads(other))
            return data[:start] + other[begin:stop] + data[end:]
        case _:
            wrap = source.choice((b"\x81", b"\xc1", b"\xa1\x00", b"\x9f", b"\x5f", b"\x7f", b"\xd9\x00\x01", b"\xf8"))
            return data[:start] + wrap + data[start:]


def mutate_within(source: random.Random, data: bytes) -> bytes:
    """The same with one thing changed, within byte strings as well; the lengths around it are right."""
    try:
        value = cbor.decode(data)
    except HandfastError:
        return mutate(source, data, data)
    places = list(_byte_strings(value, ()))
    if not places or source.random() < 0.3:
        return mutate(source, data, data)
    return cbor.encode(_changed(source, value, source.choice(places)))


def _byte_strings(value: cbor.Value, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    match value:
        case bytes() if len(value) > 4:
            yield path
        case list():
            for place, item in enumerate(value):
                yield from _byte_strings(item, (*path, place))
        case dict():
            for key, item in value.items():
                yield from _byte_strings(item, (*path, key))
        case cbor.Tag():
            yield from _byte_strings(value.value, (*path, None))


def _changed(source: random.Random, value: cbor.Value, path: tuple[Any, ...]) -> cbor.Value:
    if not path:
        return mutate_within(source, value)
    if isinstance(value, cbor.Tag):
        return cbor.Tag(value.number, _changed(source, value.value, path[1:]))
    value[path[0]] = _changed(source, value[path[0]], path[1:])
    return value


def structures(source: random.Random) -> Iterator[Question]:
    """Without an end: what the vectors show, changed."""
    kept: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for path in sorted((ROOT / "Interop/vectors").glob("*.json")):
        file = json.loads(path.read_text())
        for vector in file["vectors"]:
            operation = file["layer"], vector["op"]
            given = file.get("common", {}) | vector["in"]
            if given.get(READERS.get(operation, "")):
                kept.setdefault(operation, []).append(given)
    while True:
        operation = source.choice(sorted(kept))
        field, given = READERS[operation], source.choice(kept[operation])
        change = changed_jwt if operation in JWTS else changed_text
        yield Question(*operation, given | {field: change(source, field, given[field])})


def changed_text(source: random.Random, field: str, text: str) -> str:
    if field == "uri":
        try:
            data = from_base64url(text.removeprefix("handfast:"))
        except HandfastError:
            return text
        return "handfast:" + base64url(mutate(source, data, data) if data else data)
    data = bytes.fromhex(text)
    for _ in range(source.choice((1, 1, 1, 2))):
        data = mutate_within(source, data) or b"\x00"
    return data.hex()


JWTS = {("sd-jwt", "read"), ("sd-jwt", "verify")}


def changed_jwt(source: random.Random, field: str, text: str) -> str:
    """One of the parts of a JWT or one disclosure with another byte or value, the others as they were."""
    parts = re.split(r"([.~])", text)
    place = max(range(len(parts)), key=lambda place: (len(parts[place]) > 1) * source.random())
    try:
        data = from_base64url(parts[place])
    except HandfastError:
        return text
    parts[place] = base64url(changed_json(source, data))
    return "".join(parts)


def changed_json(source: random.Random, data: bytes) -> bytes:
    tokens = re.findall(rb'"(?:[^"\\]|\\.)*"|[-0-9.eE+]+|true|false|null|[^"]', data) or [b""]
    place, other = source.randrange(len(tokens)), source.choice(tokens)
    match source.randrange(5):
        case 0:
            tokens[place] = other
        case 1:
            tokens[place] += other
        case 2:
            del tokens[place]
        case 3:
            values = (b"null", b"1", b"-1", b"1.5", b"1e999", b'""', b'"a"', b"[]", b"{}", b'"_sd"', b'"..."', b'"exp"')
            tokens[place] = source.choice(values)
        case _:
            at = source.randrange(len(data) or 1)
            return data[:at] + source.randbytes(1) + data[at + 1 :]
    return b"".join(tokens)


def questions(source: random.Random) -> Iterator[Question]:
    """Mostly CBOR, and a structure now and then: they take longer."""
    items, others = inputs(source), structures(source)
    while True:
        if source.random() < 0.1:
            yield next(others)
        else:
            yield Question("cbor", "decode", {"bytes": next(items).hex()})


def inputs(source: random.Random) -> Iterator[bytes]:
    """Without an end: made up, mutated, and mutated again."""
    kept = corpus()
    yield from kept
    while True:
        match source.randrange(8):
            case 0:
                made = Writer(source, 0).item()
            case 1 | 2:
                made = Writer(source, 0.03).item()
            case 3:
                made = Writer(source, 0).nested()
            case _:
                made = source.choice(kept)
                for _ in range(source.choice((1, 1, 1, 2, 4))):
                    made = mutate(source, made, source.choice(kept)) or b"\x00"
        made = made[:LONGEST]
        if made and source.random() < 0.02:
            kept[source.randrange(len(kept))] = made
        yield made


# ---- both answers ----


def ours(question: Question) -> Answer:
    try:
        return {"out": OPERATIONS[question.layer, question.op](question.given)}
    except (HandfastError, Refused) as error:
        return {"error": class_of(error)}


def agree(question: Question, mine: Answer, theirs: Answer) -> bool:
    if question.layer == "cbor":
        return mine == theirs
    if "out" in mine and "out" in theirs:
        return all(mine["out"].get(field) == value for field, value in theirs["out"].items())
    return "error" in mine and "error" in theirs


class Other:
    """`handfast vectors answer`, which answers line by line."""

    def __init__(self, program: str) -> None:
        self._process = subprocess.Popen(
            [program, "vectors", "answer"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def answers(self, batch: list[Question]) -> list[Answer]:
        process = self._process
        assert process.stdin is not None and process.stdout is not None
        # Both pipes are bounded: who only wrote would wait for a reader that waits for it.
        writing = threading.Thread(target=self._write, args=("".join(question.line + "\n" for question in batch),))
        writing.start()
        lines = [process.stdout.readline() for _ in batch]
        writing.join()
        if not lines[-1]:
            asked = "\n".join(question.line for question in batch)
            raise Disagreement(f"the program ended ({process.wait()}) at one of these:\n{asked}")
        return [json.loads(line) for line in lines]

    def _write(self, text: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(text)
            self._process.stdin.flush()
        except BrokenPipeError:
            pass

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def run(program: str, seed: int, goes_on: Callable[[int], bool]) -> Counter[str]:
    """How often each class was seen by both. Raises `Disagreement`."""
    other, seen, source = Other(program), Counter[str](), questions(random.Random(seed))
    try:
        while goes_on(seen.total()):
            batch = [next(source) for _ in range(BATCH)]
            for question, theirs in zip(batch, other.answers(batch), strict=True):
                mine = ours(question)
                if not agree(question, mine, theirs):
                    raise Disagreement(f"seed {seed}, {question.line}\n  Python {mine}\n  Swift  {theirs}")
                seen[mine.get("error", "accepted") if question.layer == "cbor" else question.layer] += 1
    finally:
        other.close()
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--count", type=int, help="in the place of --seconds")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    began = time.monotonic()

    def goes_on(done: int) -> bool:
        if arguments.count is not None:
            return done < arguments.count
        return time.monotonic() - began < arguments.seconds

    try:
        seen = run(arguments.program, arguments.seed, goes_on)
    except Disagreement as found:
        sys.exit(f"The two do not agree: {found}")
    rate = seen.total() / (time.monotonic() - began)
    print(f"{seen.total()} inputs, {rate:.0f}/s: " + ", ".join(f"{name} {count}" for name, count in seen.most_common()))


if __name__ == "__main__":
    main()
