"""pprof, made field by field."""

import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecli.errors import EvidenceError, GateError, UsageError
from gatecli.runtime.formats import pprof, pprof_samples, protobuf
from gatecli.runtime.recording import Basis, Frame, Recording, Stack
from tests.runtime.formats.wire import message, number, varint

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


LABEL = message(3, number(1, 3), number(3, 140))
FIELDS = st.one_of(
    st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 300), max_size=6).map(
        lambda ids: message(1, *(varint(id) for id in ids))
    ),
    st.integers(0, 2**64 - 1).map(lambda id: number(1, id)),
    st.lists(st.integers(-5, 2**63 - 1), max_size=3).map(lambda values: message(2, *(varint(v) for v in values))),
    st.integers(-5, 1_000).map(lambda value: number(2, value)),
    st.sampled_from([LABEL, number(9, 2**40), b""]),
    st.sampled_from([b"\x19" + bytes(8), b"\x82\x01\x01", b"\x0a\x05\x80", b"\x0a\x02\x01\x80", b"\x12", b"\x10\xff"]),
)


@given(st.lists(st.lists(FIELDS, max_size=6).map(b"".join), min_size=1, max_size=8), st.integers(1, 3))
def test_samples_by_columns_are_those_one_by_one(samples: list[bytes], columns: int) -> None:
    import numpy as np

    data, bounds = b"", [0]
    for sample in samples:
        data += sample
        bounds.append(len(data))
    begins, ends = np.array(bounds[:-1]), np.array(bounds[1:])
    quick = pprof_samples.by_columns(np.frombuffer(data, dtype=np.uint8), begins, ends, columns)
    try:
        slow = pprof_samples.one_by_one(data, bounds[:-1], bounds[1:], columns)
    except EvidenceError:
        assert quick is None, "what is wrong is said where samples are read one by one"
        return
    if quick is not None:
        assert quick.locations.tolist() == slow.locations.tolist()
        assert quick.ends.tolist() == slow.ends.tolist()
        assert quick.values.tolist() == slow.values.tolist()


@pytest.mark.parametrize("is_packed", [True, False])
def test_what_profilers_write_is_read_by_columns(is_packed: bool) -> None:
    import numpy as np

    ids, values = (1, 300, 70_000), (1, 10_000_000)
    if is_packed:
        sample = message(1, *(varint(id) for id in ids)) + message(2, *(varint(value) for value in values)) + LABEL
    else:  # as Go does for one or two
        sample = b"".join(number(1, id) for id in ids) + b"".join(number(2, value) for value in values)
    found = pprof_samples.by_columns(
        np.frombuffer(sample, dtype=np.uint8), np.array([0]), np.array([len(sample)]), len(values)
    )
    assert found is not None
    assert (found.locations.tolist(), found.ends.tolist(), found.values.tolist()) == ([*ids], [3], [[*values]])


@given(st.lists(st.tuples(st.lists(st.integers(1, 4), max_size=4), st.integers(0, 3)), max_size=10))
def test_many_samples_add_up_as_each_by_itself(samples: list[tuple[list[int], int]]) -> None:
    """Locations 1 and 2 of the file, 3 with a number far off, and 4, a call without lines."""
    far = 10**15
    more = message(4, number(1, far), message(4, number(1, 2), number(2, 40))) + message(4, number(1, 4))
    written = [
        message(2, message(1, *(varint(far if id == 3 else id) for id in ids)), message(2, varint(1), varint(weight)))
        for ids, weight in samples
    ]
    frames = {1: ["main:12"], 2: ["main:14", "Order.of:33"], 3: ["Order.of:40"], 4: []}  # root first
    expected = [([frame for id in reversed(ids) for frame in frames[id]], weight) for ids, weight in samples if weight]
    if not expected:
        return
    found = read(COLUMNS, *written, LOCATIONS, more, FUNCTIONS, TABLE)
    names = [f"{frame.name}:{frame.line}" for frame in found.frames]
    assert [([names[step] for step in stack.frames], stack.weight) for stack in found.stacks] == expected
    assert found.samples == len(expected)
