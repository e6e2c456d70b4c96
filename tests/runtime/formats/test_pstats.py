"""pstats dumps of every Python from 3.8 on, of yappi, and of the 3.15 sampler."""

import io
import marshal as stdlib
from typing import Any

import pytest

from gatecli.errors import EvidenceError
from gatecli.runtime.formats import pstats
from gatecli.runtime.recording import Basis, Frame, Record, Recording
from tests.runtime.support import PROFILES, recording

MODELS = "/srv/shop/releases/42/src/shop/models.py"
MIXED = "several threads are mixed (cProfile of Python 3.12 or newer): callers and total times left out"


def parse(table: Any) -> Recording:
    data = table if isinstance(table, bytes) else stdlib.dumps(table)
    assert pstats.matches(data[:65_536]), "detected by its content"
    return pstats.read(io.BytesIO(data))


def test_a_dump_is_read_whole() -> None:
    table = {
        ("~", 0, "<built-in method builtins.exec>"): (1, 1, 0.25, 2.0, {}),
        ("/app/shop/a.py", 10, "run"): (
            3,
            5,
            0.5,
            1.75,
            {("~", 0, "<built-in method builtins.exec>"): (1, 2, 0.1, 0.2)},
        ),
        ("/app/shop/a.py", 20, "leaf"): (7, 7, 1.0, 1.0, {("/app/shop/a.py", 10, "run"): (7, 7, 1.0, 1.0)}),
    }
    assert parse(table) == Recording(
        kind="pstats",
        basis=Basis.COUNTED,
        frames=(
            Frame(file="~", name="<built-in method builtins.exec>"),
            Frame(file="/app/shop/a.py", name="run", first_line=10),
            Frame(file="/app/shop/a.py", name="leaf", first_line=20),
        ),
        records=(
            Record(frame=0, calls=1, self_weight=0.25, total_weight=2.0),
            Record(frame=1, calls=5, self_weight=0.5, total_weight=1.75, callers=((0, 2),)),
            Record(frame=2, calls=7, self_weight=1.0, total_weight=1.0, callers=((1, 7),)),
        ),
        clock="wall",
        environment="profile-run",
        resumed_generators=True,
        resumed_coroutines=True,
    )


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.10", "3.11", "3.12", "3.13"])
def test_dumps_of_every_python(version: str) -> None:
    found = recording(f"cprofile-{version}.pstats")
    totals = {
        found.frames[record.frame].first_line: record for record in found.records
        if found.frames[record.frame].file == MODELS and found.frames[record.frame].name in ("total", "validate")
    }  # fmt: skip
    assert found.python == version
    # Item.total, Item.validate, Order.total, Order.validate: two names, told apart by their first lines.
    assert sorted(totals) == [10, 14, 24, 28]
    is_mixed = version in ("3.12", "3.13")
    assert (MIXED in found.warnings) is is_mixed
    assert any(record.callers for record in found.records) is not is_mixed
    assert all((record.total_weight is None) is is_mixed for record in found.records)


def test_a_caller_that_has_no_entry_of_its_own_is_a_frame() -> None:
    found = parse({("a.py", 1, "f"): (1, 1, 0.0, 0.0, {("gone.py", 2, "g"): (1, 1, 0.0, 0.0)})})
    assert [frame.name for frame in found.frames] == ["f", "g"]
    assert found.records[0].callers == ((1, 1),)


def test_yappi_is_told_from_cprofile() -> None:
    found = recording("yappi.pstats")
    names = {found.frames[record.frame].name: record for record in found.records}
    assert "AuditedStore.save" in names  # the class of self, which cProfile never writes
    assert (found.resumed_generators, found.resumed_coroutines) == (True, False)
    assert MIXED not in found.warnings
    assert names["main"].callers, "yappi keeps threads apart, so callers are kept"


def test_yappi_writes_the_two_counts_the_other_way_round() -> None:
    found = parse({("a.py", 1, "A.f"): (9, 4, 0.0, 0.0, {})})
    assert found.records[0].calls == 9


def test_the_sampler_of_python_315() -> None:
    table = {
        ("/app/shop/a.py", 12, "C.run"): (0, 8, 0.0, 0.008, {}),
        ("/app/shop/a.py", 30, "C.leaf"): (6, 6, 0.006, 0.006, {("/app/shop/a.py", 12, "C.run"): 6}),
        ("/app/shop/a.py", 31, "C.leaf"): (2, 2, 0.002, 0.002, {("/app/shop/a.py", 12, "C.run"): 2}),
        ("__sampled__",): True,
    }
    assert parse(table) == Recording(
        kind="pstats-sampled",
        basis=Basis.SAMPLED,
        frames=(
            Frame(file="/app/shop/a.py", name="C.run", line=12),
            Frame(file="/app/shop/a.py", name="C.leaf", line=30),
            Frame(file="/app/shop/a.py", name="C.leaf", line=31),
        ),
        records=(
            Record(frame=0, calls=None, self_weight=0, total_weight=8),
            Record(frame=1, calls=None, self_weight=6, total_weight=6, callers=((0, 6),)),
            Record(frame=2, calls=None, self_weight=2, total_weight=2, callers=((0, 2),)),
        ),
        samples=8,
        rate_hz=1000.0,
    )


KEY = ("a.py", 1, "f")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({}, "holds no function"),
        ({("__sampled__",): True}, "holds no function"),
        ({("__sampled__",): True, KEY: (0, 0, 0.0, 0.0, {})}, "holds no samples"),
        ({("a.py", 1): (1, 1, 0.0, 0.0, {})}, "a key is not (file, line, name)"),
        ({("a.py", "1", "f"): (1, 1, 0.0, 0.0, {})}, "a key is not (file, line, name)"),
        ({("a.py", -2, "f"): (1, 1, 0.0, 0.0, {})}, "a key is not (file, line, name)"),
        ({("a.py", True, "f"): (1, 1, 0.0, 0.0, {})}, "a key is not (file, line, name)"),
        ({KEY: (1, 1, 0.0, 0.0)}, "are not five"),
        ({KEY: None}, "are not five"),
        ({KEY: (1, 1, 0.0, 0.0, ())}, "are not five"),
        ({KEY: (-1, 1, 0.0, 0.0, {})}, "a count that is no count"),
        ({KEY: (1, 1.5, 0.0, 0.0, {})}, "a count that is no count"),
        ({KEY: (1, True, 0.0, 0.0, {})}, "a count that is no count"),
        ({KEY: (1, 2**70, 0.0, 0.0, {})}, "a count that is too large"),
        ({KEY: (1, 1, float("nan"), 0.0, {})}, "a time that is no time"),
        ({KEY: (1, 1, 0.0, float("inf"), {})}, "a time that is no time"),
        ({KEY: (1, 1, "0", 0.0, {})}, "a time that is no time"),
        ({KEY: (1, 1, 0.0, 0.0, {KEY: (1, 1)})}, "a count that is no count"),
        ({KEY: (1, 1, 0.0, 0.0, {KEY: -3})}, "a count that is no count"),
        ({KEY: (1, 1, 0.0, 0.0, {"x": 3})}, "a key is not (file, line, name)"),
    ],
)
def test_what_is_no_profile_is_refused(table: Any, message: str) -> None:
    with pytest.raises(EvidenceError) as error:
        pstats.read(io.BytesIO(stdlib.dumps(table)))
    assert message in error.value.message


def test_a_clock_that_ran_back_is_no_time() -> None:
    assert parse({KEY: (1, 1, -1e-9, -0.5, {})}).records[0] == Record(
        frame=0, calls=1, self_weight=0.0, total_weight=0.0
    )


def test_a_shared_callers_dict_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pstats, "MAX_EDGES", 50)
    callers = {("a.py", line, "g"): (1, 1, 0.0, 0.0) for line in range(10)}
    table = {("a.py", line, "f"): (1, 1, 0.0, 0.0, callers) for line in range(10)}
    with pytest.raises(EvidenceError, match="more than 50 pairs"):
        parse(table)


def test_too_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pstats, "MAX_BYTES", 100)
    with pytest.raises(EvidenceError, match="more than 100 bytes"):
        pstats.read(io.BytesIO((PROFILES / "cprofile.pstats").read_bytes()))
