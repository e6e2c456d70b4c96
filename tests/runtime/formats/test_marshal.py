"""The decoder against the standard library's, and against hostile input."""

import marshal as stdlib
import random
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecli.errors import EvidenceError
from gatecli.runtime.formats import marshal
from tests.runtime.support import PROFILES

DUMPS = sorted(path.name for path in PROFILES.glob("*.pstats"))

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=("Cs",)), max_size=300)
)
keys = st.text(st.characters(exclude_categories=("Cs",)), max_size=20) | st.tuples(
    st.text(max_size=5, alphabet="aé\n:"), st.integers(0, 2**40), st.text(max_size=5)
)
tables = st.dictionaries(keys, st.tuples(scalars, scalars, st.dictionaries(keys, st.tuples(scalars))), max_size=5)


@pytest.mark.parametrize("name", DUMPS)
def test_every_python_version_s_dump_reads_as_the_standard_library_reads_it(name: str) -> None:
    data = (PROFILES / name).read_bytes()
    assert marshal.loads(data) == stdlib.loads(data)


@given(tables, st.sampled_from([3, 4]))
def test_what_marshal_writes_is_read(table: dict[object, object], version: int) -> None:
    assert marshal.loads(stdlib.dumps(table, version)) == table


def test_shared_values_are_read_by_reference() -> None:
    name = "shared"
    assert marshal.loads(stdlib.dumps({name: (name, name, 1.5), "other": name})) == {
        "shared": ("shared", "shared", 1.5),
        "other": "shared",
    }


def nested(depth: int) -> bytes:
    return b")\x01" * depth + b"N"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "cut off"),
        (b"{", "cut off"),
        (b"(\xff\xff\xff\x7f", "a count of 2,147,483,647"),
        (b"(\xff\xff\xff\xff", "a count of -1"),
        (b"a\x10\x00\x00\x00abc", "a count of 16"),
        (b"a\x07\x00\x00\x00abc", "cut off"),
        (b"z\xffabc", "cut off"),
        (stdlib.dumps(compile("1", "x", "eval")), "holds a code object at byte 0"),
        (stdlib.dumps({"f": compile("1", "x", "eval")}), "holds a code object"),
        (stdlib.dumps(1j), "holds a value of type 'y'"),
        (stdlib.dumps({1, 2}), "holds a value of type '<'"),
        (b"\x80", "holds a value of type '\\x00'"),
        (b"r\x00\x00\x00\x00", "a reference to nothing"),
        (b"\xa9\x01r\x00\x00\x00\x00", "a reference to nothing"),  # a tuple that holds itself
        (b"\xfb{0N0", "a key is not a flat tuple"),
        (b"{" + nested(3) + b"N0", "a key is not a flat tuple"),
        (b")\x010", "a value is missing"),
        (b"{N0", "a value is missing"),
        (b"l\xff\xff\xff\x7f", "a number of 2147483647 digits"),
        (b"l\x00\x00\x00\x80", "a number of 2147483648 digits"),
        (nested(marshal.MAX_DEPTH + 1), "nested too deep"),
        (nested(100_000), "nested too deep"),
    ],
)
def test_hostile_data_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(EvidenceError) as error:
        marshal.loads(data)
    assert message in error.value.message


def test_exponential_references_end_at_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight levels of a thousand references each are 10**24 values once walked, but few in the file."""
    monkeypatch.setattr(marshal, "MAX_VALUES", 5_000)
    level = b"\xa9\x00"
    data = b"(\x09\x00\x00\x00" + level
    for index in range(8):
        data += b"\xa8\x84\x03\x00\x00" + b"r" + bytes([index, 0, 0, 0]) + b"r\x00\x00\x00\x00" * 899
    with pytest.raises(EvidenceError, match="more than 5,000 values"):
        marshal.loads(data)


def test_only_gate_errors_come_of_damaged_dumps() -> None:
    data = bytearray((PROFILES / "cprofile-3.13.pstats").read_bytes()[:3_000])
    rng = random.Random(7)
    for _ in range(2_000):
        damaged = bytearray(data[: rng.randrange(1, len(data))])
        for _ in range(rng.randrange(4)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        with suppress(EvidenceError):
            marshal.loads(bytes(damaged))


@given(st.binary(max_size=200))
def test_only_gate_errors_come_of_noise(data: bytes) -> None:
    with suppress(EvidenceError):
        marshal.loads(b"{" + data)
