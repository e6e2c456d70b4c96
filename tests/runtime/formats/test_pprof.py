"""pprof, made field by field."""

import io
from contextlib import suppress

import pytest

from gatecli.errors import EvidenceError, GateError, UsageError
from gatecli.runtime.formats import pprof, protobuf
from gatecli.runtime.recording import Basis, Frame, Recording, Stack


def varint(value: int) -> bytes:
    value &= 2**64 - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def message(field: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return varint(field << 3 | 2) + varint(len(content)) + content


STRINGS = ("", "samples", "count", "cpu", "nanoseconds", "main", "Order.of", "/app/shop/models.py", "alloc-space")
COLUMNS = message(1, number(1, 1), number(2, 2)) + message(1, number(1, 3), number(2, 4))
FUNCTIONS = message(5, number(1, 1), number(2, 5), number(4, 7)) + message(
    5, number(1, 2), number(2, 6), number(4, 7), number(5, 31)
)
LOCATIONS = message(4, number(1, 1), message(4, number(1, 1), number(2, 12))) + message(
    # Two lines: the call is inlined, the caller last.
    4,
    number(1, 2),
    message(4, number(1, 2), number(2, 33)),
    message(4, number(1, 1), number(2, 14)),
)
TABLE = b"".join(message(6, text.encode()) for text in STRINGS)
SAMPLES = message(2, message(1, varint(1)), message(2, varint(3), varint(30_000))) + message(
    2, number(1, 2), number(1, 1), number(2, 1), number(2, 10_000)
)
TIMES = (
    number(9, 1_700_000_000_000_000_000) + number(10, 2_000_000_000) + message(11, number(1, 3)) + number(12, 10_000)
)


def read(*parts: bytes) -> Recording:
    return pprof.read(io.BytesIO(b"".join(parts)))


def test_a_profile_is_read_whole() -> None:
    data = COLUMNS + SAMPLES + LOCATIONS + FUNCTIONS + TABLE + TIMES
    assert pprof.matches(data)
    assert read(data) == Recording(
        kind="pprof",
        basis=Basis.SAMPLED,
        frames=(
            Frame(file="/app/shop/models.py", name="main", line=12),
            Frame(file="/app/shop/models.py", name="main", line=14),
            Frame(file="/app/shop/models.py", name="Order.of", line=33, first_line=31),
        ),
        stacks=(Stack(frames=(0,), weight=30_000, samples=3), Stack(frames=(0, 1, 2), weight=10_000, samples=1)),
        clock="cpu",
        samples=4,
        rate_hz=100_000.0,
        window_s=2.0,
        started_at=1_700_000_000.0,
        ended_at=1_700_000_002.0,
    )


def test_samples_follow_from_the_period_where_they_are_not_counted() -> None:
    data = message(1, number(1, 3), number(2, 4)) + message(2, number(1, 1), number(2, 50_000))
    assert read(data, LOCATIONS, FUNCTIONS, TABLE, TIMES).samples == 5
    found = read(data, LOCATIONS, FUNCTIONS, TABLE)
    assert (found.samples, found.rate_hz) == (1, None)
    assert found.warnings == ("the number of samples is not in the file: its rows are counted, fewer than it",)


MEMORY = message(1, number(1, 8), number(2, 2))


@pytest.mark.parametrize(
    ("parts", "kind", "text"),
    [
        ((MEMORY, message(2, number(1, 1), number(2, 5)), LOCATIONS, FUNCTIONS, TABLE), UsageError, "alloc-space"),
        ((COLUMNS, LOCATIONS, FUNCTIONS, TABLE), EvidenceError, "no samples"),
        ((COLUMNS, SAMPLES, FUNCTIONS, TABLE), EvidenceError, "location 1, which is not in the file"),
        ((COLUMNS, SAMPLES, LOCATIONS, TABLE), EvidenceError, "function 1, which is not in the file"),
        ((COLUMNS, SAMPLES, LOCATIONS, FUNCTIONS), EvidenceError, "string 1 is not one of the 0"),
        ((COLUMNS, message(2, number(1, 1), number(2, 5)), TABLE), EvidenceError, "1 values for 2 types"),
        ((COLUMNS, message(2, number(1, 1), number(2, -1), number(2, -1)), TABLE), EvidenceError, "no samples"),
        ((COLUMNS, b"\x12\x7f"), EvidenceError, "damaged or cut off"),
        ((COLUMNS, b"\x0b\x01"), EvidenceError, "damaged or cut off"),
        ((COLUMNS, b"\x00\x01"), EvidenceError, "damaged or cut off"),
        ((COLUMNS, b"\x48" + b"\xff" * 11), EvidenceError, "damaged or cut off"),
        ((COLUMNS, number(2, 7)), EvidenceError, "damaged or cut off"),
    ],
)
def test_what_is_wrong_is_said(parts: tuple[bytes, ...], kind: type[GateError], text: str) -> None:
    with pytest.raises(kind, match=text) as error:
        read(*parts)
    assert error.value.hint


def test_a_stack_that_blows_up_is_refused() -> None:
    """A thousand references to a location of a thousand inlined lines are a million frames in 15 KB."""
    location = message(4, number(1, 1), *[message(4, number(1, 1), number(2, 12))] * 1_000)
    sample = message(2, message(1, varint(1) * 1_000), number(2, 1), number(2, 1))
    with pytest.raises(EvidenceError, match="more than 20,000 frames"):
        read(COLUMNS, sample, location, FUNCTIONS, TABLE)


def test_every_truncation_is_refused_or_read() -> None:
    data = COLUMNS + SAMPLES + LOCATIONS + FUNCTIONS + TABLE + TIMES
    for end in range(len(data)):
        with suppress(GateError):
            read(data[:end])


@pytest.mark.parametrize("value", [0, 1, 127, 128, 300, 2**32, 2**63, 2**64 - 1])
def test_varints(value: int) -> None:
    assert protobuf.varint(memoryview(varint(value)), 0) == (value, len(varint(value)))


def test_signed_numbers() -> None:
    assert [protobuf.signed(value) for value in (0, 2**63 - 1, 2**63, 2**64 - 1)] == [0, 2**63 - 1, -(2**63), -1]
