"""Damage to recordings: what disks, networks and enemies do to a file."""

import copy
import io
import json
import random
import re
from functools import lru_cache
from typing import Any

from gatecli.errors import GateError
from gatecli.model import Function
from gatecli.runtime.formats import Reader
from gatecli.runtime.profile import encode
from gatecli.syntax.python import read_functions
from tests.runtime.support import build

_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
_HOSTILE_NUMBERS = (
    b"-1",
    b"0",
    b"1e400",
    b"-1e308",
    b"NaN",
    b"Infinity",
    b"18446744073709551616",
    b"9223372036854775807",
    b"9" * 400,
    b"1.5",
    b"null",
    b'"x"',
    b"[]",
)
_HOSTILE_VALUES: tuple[Any, ...] = (
    -1,
    0,
    2**31,
    2**63,
    2**64,
    -(2**63),
    1e308,
    -0.5,
    float("nan"),
    True,
    None,
    "",
    "1",
    "\ud800",
    "\x1b[2J::error::",
    "a::b::c",
    "<module>",
    "../../../etc/passwd.py",
    "shop/pricing.py",
    [],
    {},
    [[]],
    {"": None},
)
_HOSTILE_TEXTS = (
    b"\\ud800",
    b"\x1b[2J\x07",
    b"::error::x",
    b"a::b::c",
    b"../" * 20 + b"etc/passwd",
    b"\xff\xfe",
    b"\0",
    b"x" * 5_000,
)


def mutated(data: bytes, rng: random.Random) -> bytes:
    """A copy with one to four kinds of damage."""
    if data[:1] in (b"{", b"[") and rng.random() < 0.6:
        return _structure(data, rng)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        data = rng.choice((_flip, _flip, _cut, _truncate, _repeat, _number, _number, _text, _nest, _splice))(data, rng)
    return data


def _structure(data: bytes, rng: random.Random) -> bytes:
    """Values of a JSON document, or of one of its lines, become others: what is read is still JSON."""
    lines = data.split(b"\n")
    at = rng.choice([index for index, line in enumerate(lines) if line.strip()])
    try:
        document = json.loads(lines[at] if at or len(lines) > 1 else data)
    except ValueError:
        return _number(data, rng)
    for _ in range(rng.choice((1, 1, 2, 5))):
        _replace(document, rng)
    lines[at] = json.dumps(document).encode()
    return b"\n".join(lines)


def _replace(document: Any, rng: random.Random) -> None:
    """Something somewhere below becomes hostile, goes away, or is there again."""
    while True:
        places = list(document) if isinstance(document, dict) else list(range(len(document)))
        if not places:
            return
        place = rng.choice(places)
        inner = document[place]
        if isinstance(inner, dict | list) and inner and rng.random() < 0.9:
            document = inner
            continue
        action = rng.randrange(4)
        if action == 0:
            del document[place]
        elif action == 1 and isinstance(document, list):
            document += document[place : place + 1] * rng.choice((1, 50))
        else:
            document[place] = copy.deepcopy(rng.choice(_HOSTILE_VALUES))
        return


def _flip(data: bytes, rng: random.Random) -> bytes:
    copy = bytearray(data)
    for _ in range(rng.randint(1, 8) if copy else 0):
        copy[rng.randrange(len(copy))] ^= 1 << rng.randrange(8)
    return bytes(copy)


def _cut(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + data[at + rng.randint(1, 60) :]


def _truncate(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _repeat(data: bytes, rng: random.Random) -> bytes:
    at, size = rng.randrange(len(data) + 1), rng.randint(1, 400)
    return data[:at] + data[at : at + size] * rng.randint(2, 5) + data[at + size :]


def _number(data: bytes, rng: random.Random) -> bytes:
    """One of the numbers of a text becomes a hostile one."""
    start = rng.randrange(len(data) + 1)
    if (found := _NUMBER.search(data, start)) is None:
        return _flip(data, rng)
    return data[: found.start()] + rng.choice(_HOSTILE_NUMBERS) + data[found.end() :]


def _text(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice(_HOSTILE_TEXTS) + data[at:]


def _nest(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice((b"[", b'{"children":[', b'{"a":')) * rng.choice((5, 5_000)) + data[at:]


def _splice(data: bytes, rng: random.Random) -> bytes:
    one, other = rng.randrange(len(data) + 1), rng.randrange(len(data) + 1)
    return data[:one] + data[other : other + rng.randint(1, 200)] + data[one:]


@lru_cache(maxsize=64)
def _functions_of(path: str, source: bytes) -> tuple[Function, ...]:
    return read_functions(path, source)


def outcome(reader: Reader, data: bytes) -> str:
    """What reading and importing comes to: ``read``, or the kind of gate's error; anything else is raised."""
    try:
        # RecursionError and MemoryError are what formats.read turns into an error of gate's.
        encode(build(reader.read(io.BytesIO(data)), functions_of=_functions_of))
    except (GateError, RecursionError) as error:
        return type(error).__name__
    return "read"
