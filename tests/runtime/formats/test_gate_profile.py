"""gate's own profiles as an input: several become one, and count nothing twice."""

import io
import json
from pathlib import Path

import msgspec
import pytest

from gatecli.errors import GateError, UsageError
from gatecli.runtime import formats
from gatecli.runtime.formats import gate_profile
from gatecli.runtime.profile import (
    EntryPoint,
    EntryShare,
    Latency,
    Meta,
    Profile,
    ProfiledFunction,
    Source,
    Window,
    encode,
    save,
)
from tests.runtime.support import SHOP, Files, build, profile, recording, rows

PRICE = "shop/pricing.py::price_order"


def again(*profiles: Profile, **options: object) -> Profile:
    return build(*(gate_profile.read(io.BytesIO(encode(profile))) for profile in profiles), **options)


def made(sha256: str, calls: int, seconds: float, **options: object) -> Profile:
    row = ProfiledFunction(id=PRICE, kind="function", calls=calls, calls_per_min=calls / seconds * 60,
                           calls_basis="spans_scaled", sources=(0,))  # fmt: skip
    source = Source(kind="otlp-json", file=sha256, sha256=sha256, basis="spans")
    return Profile(
        meta=Meta(window=Window(observed_seconds=seconds), sources=(source,)),
        functions=(msgspec.structs.replace(row, **options),),
    )


def test_a_profile_comes_back_as_it_was() -> None:
    names = ("pyspy.raw.txt", "cprofile-3.10.pstats", "otlp.flask.jsonl", "coverage.sqlite")
    before = profile(*names, window_s=600.0)
    after = again(before)
    assert after.functions == before.functions
    assert (after.edges, after.entry_points, after.tests) == (before.edges, before.entry_points, before.tests)
    assert (after.meta.sources, after.meta.window) == (before.meta.sources, before.meta.window)
    assert after.unmatched == before.unmatched


def test_samples_of_two_profiles_are_those_of_both_recordings() -> None:
    """Imported apart and merged, or imported at once: the same shares, margins and callers."""
    at_once = profile("pyspy.raw.txt", "pyspy.function.raw.txt")
    merged = again(profile("pyspy.raw.txt"), profile("pyspy.function.raw.txt"))
    assert [(row.id, row.time_self, row.time_own, row.time_total) for row in merged.functions] == [
        (row.id, row.time_self, row.time_own, row.time_total) for row in at_once.functions
    ]
    assert merged.edges == at_once.edges
    assert [row.callers for row in merged.functions] == [row.callers for row in at_once.functions]
    # Which of its two sources has a function, by position among all sources.
    assert {row.sources for row in merged.functions} <= {(0,), (1,), (0, 1)}


def test_a_recording_and_a_profile_are_added_too() -> None:
    merged = build(recording("pyspy.raw.txt"), gate_profile.read(io.BytesIO(encode(profile("pyspy.function.raw.txt")))))
    assert [source.file for source in merged.meta.sources] == ["pyspy.raw.txt", "pyspy.function.raw.txt"]
    assert merged.functions == again(profile("pyspy.raw.txt"), profile("pyspy.function.raw.txt")).functions


def test_calls_and_the_time_they_are_of_are_added() -> None:
    """60 calls in a minute and 30 in two are 90 in three: 30 a minute."""
    one = made("a", 60, 60.0, latency_ms=Latency(mean=1.0, p50=1.0, p95=2.0, p99=3.0, n=60), error_rate=0.5, errors=30,
               error_types={"KeyError": 30}, entry_points=(EntryShare(id="http /a", share=1.0),))  # fmt: skip
    two = made("b", 30, 120.0, latency_ms=Latency(mean=4.0, p50=4.0, p95=5.0, p99=6.0, n=30), error_rate=0.0, errors=0,
               entry_points=(EntryShare(id="http /b", share=1.0),))  # fmt: skip
    found = again(one, two)
    assert found.meta.window.observed_seconds == 180.0
    row = found.functions[0]
    assert (row.calls, row.calls_per_min, row.calls_basis) == (90, 30.0, "spans_scaled")
    assert (row.errors, row.error_rate, row.error_types) == (30, round(1 / 3, 6), {"KeyError": 30})
    assert row.latency_ms == Latency(mean=2.0, p50=1.0, p95=2.0, p99=3.0, n=90)
    assert row.entry_points == (EntryShare(id="http /a", share=0.666667), EntryShare(id="http /b", share=0.333333))
    assert row.sources == (0, 1)


def test_calls_of_different_kinds_are_not_added() -> None:
    counted = made("b", 1_000, 60.0, calls_basis="counted", calls_per_min=None)
    assert rows(again(made("a", 60, 60.0), counted))[PRICE].calls == 60


@pytest.mark.parametrize(("high", "expected"), [(140, (120, 200)), (None, (120, None))])
def test_what_is_known_of_scaled_calls_is_added(high: int | None, expected: tuple[int, int | None]) -> None:
    one = made("a", 60, 60.0, calls_basis="counted")
    two = made("b", 100, 60.0, calls_basis="counted_scaled", calls_low=60, calls_high=high)
    row = rows(again(one, two))[PRICE]
    assert (row.calls, row.calls_basis, (row.calls_low, row.calls_high)) == (160, "counted_scaled", expected)


def test_entry_points_are_those_of_all_the_time() -> None:
    point = EntryPoint(id="http GET /a", kind="http", calls_per_min=30.0, weight=1.0)
    one = msgspec.structs.replace(made("a", 1, 60.0), entry_points=(point,))
    (found,) = again(one, made("b", 1, 120.0)).entry_points
    assert found.calls_per_min == 10.0  # 30 in three minutes


def test_a_recording_in_two_profiles_would_count_twice() -> None:
    with pytest.raises(UsageError, match=r"is the same recording as .*: it would count twice") as error:
        again(profile("pyspy.raw.txt"), profile("pyspy.raw.txt", "austin.raw.txt"))
    assert error.value.hint


def test_functions_that_the_tree_no_longer_has_are_said_to_be_gone() -> None:
    before = profile("pyspy.raw.txt")
    tree = Files({path: content for path, content in SHOP.files.items() if path != "shop/store.py"})
    after = again(before, tree=tree)
    gone = [row.id for row in before.functions if row.id.startswith("shop/store.py::")]
    assert [row.id for row in after.functions] == [row.id for row in before.functions if row.id not in gone]
    assert after.unmatched.frames["no such function"] == len(gone) > 3
    assert not any(edge.callee in gone or edge.caller in gone for edge in after.edges)


def test_profiles_are_told_by_content_gzipped_or_not(tmp_path: Path) -> None:
    save(profile("pyspy.raw.txt"), tmp_path / "a.json.gz")
    found = formats.read(tmp_path / "a.json.gz")
    assert (found.kind, found.ended_at, found.warnings) == ("gate-profile", None, ())


def document(**row: object) -> str:
    head = '{"schema":"gate.runtime-profile/1","meta":{},"functions":['
    return head + json.dumps({"id": "a.py::b", "kind": "function", **row}) + "]}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"schema":"gate.runtime-profile/9","meta":{}}', "this gate reads 'gate.runtime-profile/1'"),
        ('{"schema":"gate.runtime-profile/1","meta":{}}', "names no function"),
        ('{"schema":"gate.runtime-profile/1","meta"', "not a runtime profile"),
        (document(calls=-1), "not a valid runtime profile"),
        (document(calls=2**64), "not a valid runtime profile"),
        (document(calls=10**399), "not a valid runtime profile"),
        (document(errors=1.5), "not a valid runtime profile"),
        (document(time_total={"share": 2}), "not a valid runtime profile"),
    ],
)
def test_profiles_that_are_wrong(text: str, message: str) -> None:
    assert gate_profile.matches(text.encode())
    with pytest.raises(GateError) as error:
        gate_profile.read(io.BytesIO(text.encode()))
    assert message in error.value.message
    assert error.value.hint
