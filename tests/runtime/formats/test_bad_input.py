"""Every kind of bad input against every format: one clear error of gate's, or figures that can be true."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from gatecli.errors import GateError
from gatecli.runtime import formats
from gatecli.runtime.profile import encode
from tests.runtime.formats.small import MAKERS, Values
from tests.runtime.support import build, rows

FORMATS = sorted(MAKERS)
AMOUNTS = {
    "negative": Values(amount=-5, literal="-5"),
    "a fraction": Values(amount=0.5, literal="0.5"),
    "zero": Values(amount=0, literal="0"),
    "not a number": Values(amount=math.nan, literal="NaN"),
    "infinite": Values(amount=math.inf, literal="Infinity"),
    "more than a double": Values(amount=math.inf, literal="1e400"),
    "64 bits": Values(amount=2**64, literal=str(2**64)),
    "63 bits": Values(amount=2**63 - 1, literal=str(2**63 - 1)),
    "400 digits": Values(amount=10**400, literal="9" * 400),
    "5,000 digits": Values(amount=2**61, literal="9" * 5_000),
    "a word": Values(amount=-0.0, literal='"five"'),
    "nothing": Values(amount=1e-320, literal="null"),
}
NAMES = {
    "an escape": "\x1b[2Jprice_order\x07",
    "a command of GitHub": "::error::price_order",
    "two colons": "price_order::of::it",
    "no text": "",
    "half a character": "price\ud800order",
    "a NUL": "price\0order",
    "right to left": "price\u202eredro",
    "long": "price_order" * 30_000,
    "a path": "../../../etc/passwd",
    "separators": 'price;order (a.py:1) 7\n,"x",\t{}',
    "a dotted chain": "." * 20_000,
    "locals": "f.<locals>." * 5_000 + "g",
}
TIMES = {
    "backwards": (2_000_000_000_000_000_000, 1_700_000_000_000_000_000),
    "at once": (1_700_000_000_000_000_000, 1_700_000_000_000_000_000),
    "before 1970": (-5_000_000_000, -1_000_000_000),
    "never": (0, 0),
    "64 bits": (2**64 - 1, 2**64 - 1),
    "beyond 64 bits": (2**64, 2**65),
    "a thousand years": (1_700_000_000_000_000_000, 2**63 - 1),
}


def imported(content: bytes, folder: Path) -> dict[str, Any] | None:
    """The profile of a recording, None where it was refused with something to do about it."""
    path = folder / "recording"
    path.write_bytes(content)
    try:
        document: dict[str, Any] = json.loads(encode(build(formats.read(path), window_s=60.0)))
    except GateError as error:
        refused = error
    else:
        check(document)
        return document
    assert refused.hint
    assert str(refused).isprintable()
    assert len(str(refused)) < 1_000
    return None


def check(value: Any, name: str = "") -> None:
    """Figures are finite and not negative, shares are shares, texts can be written."""
    if isinstance(value, dict):
        for key, inner in value.items():
            check(key)
            check(inner, key)
    elif isinstance(value, list):
        for inner in value:
            check(inner, name)
    elif isinstance(value, str):
        value.encode()
    elif isinstance(value, int | float):
        assert math.isfinite(value), name
        assert value >= 0, name
        if name in ("share", "self_share", "error_rate", "critical_path_share"):
            assert value <= 1, name


@pytest.mark.parametrize("format", FORMATS)
def test_whole_recordings_are_read(format: str, tmp_path: Path) -> None:
    assert imported(MAKERS[format](Values()), tmp_path) is not None


@pytest.mark.parametrize("amount", AMOUNTS)
@pytest.mark.parametrize("format", FORMATS)
def test_amounts(format: str, amount: str, tmp_path: Path) -> None:
    imported(MAKERS[format](AMOUNTS[amount]), tmp_path)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("format", FORMATS)
def test_names(format: str, name: str, tmp_path: Path) -> None:
    imported(MAKERS[format](Values(name=NAMES[name])), tmp_path)


@pytest.mark.parametrize("index", [1, 7, 2**31, 2**63])
@pytest.mark.parametrize("format", ["jsonl", "speedscope-sampled", "speedscope-evented", "sentry", "pprof", "gate",
                                    "coverage-sqlite"])  # fmt: skip
def test_indices_out_of_range(format: str, index: int, tmp_path: Path) -> None:
    """What points nowhere is refused; a gate profile's sources and a file of coverage's are only left out."""
    content = MAKERS[format](Values(index=index if format != "coverage-sqlite" else index % 2**31))
    assert (imported(content, tmp_path) is None) or format in ("gate", "coverage-sqlite")


@pytest.mark.parametrize("index", [-1, -(2**31)])
@pytest.mark.parametrize("format", ["jsonl", "speedscope-sampled", "speedscope-evented", "sentry", "gate"])
def test_negative_indices_count_from_no_end(format: str, index: int, tmp_path: Path) -> None:
    assert imported(MAKERS[format](Values(index=index)), tmp_path) is None


@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize("format", ["speedscope-evented", "chrome", "sentry", "otlp-json", "otlp-protobuf", "jaeger",
                                    "pprof"])  # fmt: skip
def test_times(format: str, times: str, tmp_path: Path) -> None:
    start, end = TIMES[times]
    imported(MAKERS[format](Values(start=start, end=end)), tmp_path)


@pytest.mark.parametrize("format", FORMATS)
def test_parts_of_a_recording(format: str, tmp_path: Path) -> None:
    """Cut off everywhere, with something behind it, twice in one file, and beside one of another format."""
    content = MAKERS[format](Values())
    for end in range(0, len(content), 1 + len(content) // 1_000):
        imported(content[:end], tmp_path)
    for other in FORMATS:
        imported(content + MAKERS[other](Values()), tmp_path)
    for behind in (b"\0" * 100, b"<html>502 Bad Gateway</html>", b"\xff\xfe", b"\n" * 1_000, b"}" * 50):
        imported(content + behind, tmp_path)
        imported(behind + content, tmp_path)


@pytest.mark.parametrize("first", FORMATS)
def test_any_two_formats_stand_in_one_profile(first: str, tmp_path: Path) -> None:
    for second in FORMATS:
        if first < second:
            for name in (first, second):
                (tmp_path / name).write_bytes(MAKERS[name](Values()))
            profile = build(*(formats.read(tmp_path / name) for name in (first, second)), window_s=60.0)
            check(json.loads(encode(profile)))
            assert rows(profile) or {first, second} == {"coverage-json", "coverage-sqlite"}
