"""Recordings of the sample program to profiles: every project frame resolves, and the figures are the recorded ones."""

import itertools
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecli.errors import UsageError
from gatecli.model import FunctionId
from gatecli.runtime.profile import Edge, EntryPoint, EntryShare, Latency, ProfiledFunction, TimeShare, Window, encode
from gatecli.runtime.recording import Basis, Frame, Record, Recording, Stack
from tests.runtime.support import REVISION, SHOP, Files, build, profile, recording, rows, shop

# File → project frames, and distinct functions. The first two are those of the reference's own table.
SAMPLES = {
    "pyspy.raw.txt": (432, 28),
    "pyspy.function.raw.txt": (291, 27),
    "cprofile.pstats": (52, 48),
    "yappi.pstats": (54, 48),
    "otlp.manual.jsonl": (2, 2),
    "otlp.flask.jsonl": (1, 1),
    **{f"cprofile-3.{minor}.pstats": (49, 44) for minor in (8, 9, 10, 11)},
    **{f"cprofile-3.{minor}.pstats": (52, 48) for minor in (12, 13)},
}


@pytest.mark.parametrize(("name", "expected"), SAMPLES.items())
def test_every_project_frame_of_the_samples_resolves(name: str, expected: tuple[int, int]) -> None:
    found = profile(name)
    source = found.meta.sources[0]
    assert (source.frames_matched, source.frames_project) == (expected[0], expected[0])
    assert len(found.functions) == expected[1]
    assert {reason: count for reason, count in found.unmatched.frames.items() if reason.startswith(("no ", "amb"))} == {
        "ambiguous": 0,
        "no such file": 0,
        "no such function": 0,
    }


@pytest.mark.parametrize("name", ["austin.raw.txt", "pyspy-3.8.raw.txt", "pyspy-3.10.function.threads.raw.txt"])
def test_samples_of_other_tools_and_versions_resolve_too(name: str) -> None:
    source = profile(name).meta.sources[0]
    assert source.frames_matched == source.frames_project > 80


@pytest.mark.parametrize("prefix", ["/srv/release-42/", "/venv/lib/python3.12/site-packages/", "C:\\app\\", ""])
@pytest.mark.parametrize("name", ["cprofile.pstats", "austin.raw.txt"])
def test_the_prefix_does_not_matter(name: str, prefix: str) -> None:
    moved = recording(name)
    here = "/srv/shop/releases/42/src/"
    frames = tuple(
        msgspec.structs.replace(frame, file=prefix + frame.file.removeprefix(here))
        if (frame.file or "").startswith(here)
        else frame
        for frame in moved.frames
        if frame.file is not None
    )
    assert build(replace(moved, frames=frames)).functions == profile(name).functions


def test_names_without_their_class_are_matched_by_line() -> None:
    old, new = rows(profile("pyspy-3.8.raw.txt")), rows(profile("pyspy.raw.txt"))
    assert old["shop/store.py::AuditedStore.save"].match == "line"
    assert new["shop/store.py::AuditedStore.save"].match == "qualname"
    functions = rows(profile("pyspy-3.10.function.threads.raw.txt"))
    assert functions["shop/store.py::AuditedStore.save"].match == "first-line"


def test_sampled_figures() -> None:
    """887 samples, counted in the text by hand: audit 148 as leaf and in all, __call__ 485 in all."""
    found = rows(profile("pyspy.raw.txt"))
    audit, call = found["shop/store.py::AuditedStore.audit"], found["shop/checkout.py::Checkout.__call__"]
    # ±1.96·√(p(1-p)/n) with p = 148/887: the ±2.5 points of the reference.
    assert (
        audit.time_self == audit.time_own == audit.time_total == TimeShare(share=0.166855, pm95=0.024537, samples=148)
    )
    assert call.time_total is not None
    assert (call.time_total.samples, call.time_total.share) == (485, round(485 / 887, 6))
    assert (audit.calls, audit.calls_per_min, audit.calls_basis) == (None, None, None)
    assert audit.entry_points == (EntryShare(id="shop/__main__.py::main", share=1.0),)
    assert (audit.callers, audit.callees) == (1, 0)


def test_counted_figures() -> None:
    found = profile("cprofile-3.10.pstats", window_s=600.0)
    of = rows(found)["shop/models.py::Order.validate"]
    assert (of.calls, of.calls_per_min, of.calls_basis, of.calls_overcounted) == (400, 40.0, "counted", False)
    assert of.time_self is not None
    assert (of.time_self.pm95, of.time_self.samples) == (None, None)  # measured, not sampled
    assert rows(found)["shop/aio.py::Notifier.send"].calls_overcounted
    assert (
        Edge(
            caller="shop/models.py::Order.validate",
            callee="shop/models.py::Item.validate",
            calls=16_000,
            basis="counted",
        )
        in found.edges
    )
    assert found.meta.window.observed_seconds == 600.0
    assert found.meta.environment == "profile-run"


def test_mixed_threads_have_no_callers_and_no_totals() -> None:
    found = profile("cprofile.pstats")
    assert found.edges == ()
    assert {row.time_total for row in found.functions} == {None}
    assert {(row.callers, row.callees) for row in found.functions} == {(None, None)}
    # Self times are right all the same; audit had 0.0417 of 0.3853 s.
    assert rows(found)["shop/store.py::AuditedStore.audit"].time_self == TimeShare(share=0.108263)


ROUTES = {
    "POST /orders/<int:size>": shop("web.py::create_order"),
    "GET orders/<int:size>/receipt/": shop("web.py::receipt"),
    "/orders/boom": shop("web.py::boom"),
    "GET /gone": FunctionId(path="shop/gone.py", qualname="gone"),
}


def test_traced_figures() -> None:
    found = profile("otlp.flask.jsonl", routes=ROUTES, window_s=60.0, revision=REVISION)
    assert found.functions[0] == ProfiledFunction(
        id="shop/web.py::boom",
        kind="function",
        first_line=26,
        def_line=27,
        end_line=28,
        calls=1,
        calls_per_min=1.0,
        calls_basis="estimated",
        errors=1,
        error_rate=1.0,
        error_types={"RuntimeError": 1},
        latency_ms=Latency(mean=1.92, p50=1.92, p95=1.92, p99=1.92, n=1),
        entry_points=(EntryShare(id="http GET /orders/boom", share=1.0),),
        critical_path_share=1.0,
        critical_path_basis="trace",
        first_seen="2026-11-21T01:11:39Z",
        last_seen="2026-11-21T01:11:39Z",
        match="qualname",
        sources=(0,),
    )
    assert found.entry_points[0] == EntryPoint(
        id="http GET /orders/<int:size>/receipt",
        kind="http",
        handler="shop/web.py::receipt",
        calls_per_min=2.0,
        error_rate=0.0,
        latency_ms=Latency(mean=0.552, p50=0.495, p95=0.609, p99=0.609, n=2),
        weight=0.5,
    )
    assert [row.match for row in found.functions] == ["qualname", "route", "route"]
    assert (found.meta.service, found.meta.environment) == ("shop", "prod")
    assert (found.meta.revision, found.meta.revision_source) == (REVISION, "vcs.ref.head.revision")
    assert "1 requests matched no route and are left out" in found.meta.sources[0].warnings


def test_routes_without_a_handler_are_entry_points_all_the_same() -> None:
    found = profile("otlp.fastapi.jsonl")
    assert [(entry.id, entry.handler, entry.weight) for entry in found.entry_points] == [
        ("http GET /v2/orders/{code}/notice", None, 0.5),
        ("http POST /v2/orders/{size}", None, 0.5),
    ]
    assert found.functions == ()


def test_tasks_by_name() -> None:
    found = profile("otlp.celery.jsonl")
    assert [(entry.id, entry.kind, entry.error_rate) for entry in found.entry_points] == [
        ("task shop.tasks.fail", "task", 1.0),
        ("task shop.tasks.settle", "task", 0.0),
    ]
    # The recorder itself defined the tasks: its file is not in the tree, and that nothing matched is said.
    assert [(example.file, example.reason) for example in found.unmatched.examples] == [
        ("/opt/vn/otelrun.py", "no such file")
    ]


def test_traced_functions_and_their_callers() -> None:
    found = profile("otlp.manual.jsonl")
    assert [(row.id, row.match, row.calls) for row in found.functions] == [
        ("shop/checkout.py::Checkout.__call__", "dotted", 1),
        ("shop/pricing.py::price_order", "dotted", 1),  # the recorded file and line are the wrapper's
    ]
    assert found.edges == (
        Edge(
            caller="shop/checkout.py::Checkout.__call__", callee="shop/pricing.py::price_order", calls=1, basis="spans"
        ),
    )


def test_different_bases_stand_side_by_side() -> None:
    found = profile("pyspy.raw.txt", "cprofile-3.10.pstats", "otlp.flask.jsonl", routes=ROUTES, window_s=3_600.0)
    merged, sampled = rows(found), rows(profile("pyspy.raw.txt"))
    price = merged["shop/pricing.py::price_order"]
    assert (price.calls, price.calls_basis) == (400, "counted")
    assert price.time_total == sampled["shop/pricing.py::price_order"].time_total  # not of cProfile's seconds
    assert price.sources == (0, 1)
    counted_only = merged["shop/store.py::Store.count"]
    assert (counted_only.calls, counted_only.time_total, counted_only.time_self) == (1, None, None)
    assert {edge.basis for edge in found.edges} == {"counted", "sampled"}
    assert all((edge.calls is None) is (edge.basis == "sampled") for edge in found.edges)
    # Weights of entry points are of one kind: requests, where there are any.
    assert sum(entry.weight for entry in found.entry_points if entry.weight is not None) == pytest.approx(1.0)
    assert {entry.id: entry.weight for entry in found.entry_points}["shop/__main__.py::main"] is None
    assert found.meta.environment == "prod, profile-run"


def spans_of(start: float, end: float, name: str = "otlp.manual.jsonl") -> Recording:
    return replace(recording(name), started_at=start, ended_at=end, sha256="")


@pytest.mark.parametrize(
    ("stretches", "window", "rate"),
    [
        ([(1_000.0, 1_600.0)], 600.0, 0.1),
        ([(1_000.0, 1_300.0), (1_300.0, 1_600.0)], 600.0, 0.2),
        ([(1_000.0, 1_600.0), (1_000.0, 1_600.0)], 600.0, 0.2),  # two replicas at once
        ([(1_000.0, 1_300.0), (9_000.0, 9_300.0)], 600.0, 0.2),  # a gap is not observed
        ([(1_000.0, 1_059.0)], None, None),  # too short for a rate
    ],
)
def test_spans_give_their_own_window(
    stretches: list[tuple[float, float]], window: float | None, rate: float | None
) -> None:
    found = build(*(spans_of(start, end) for start, end in stretches))
    assert found.meta.window.observed_seconds == window
    assert found.functions[0].calls_per_min == rate
    assert any("no calls per minute" in warning for warning in found.meta.sources[0].warnings) is (rate is None)


def test_a_pstats_file_has_no_window_and_says_so() -> None:
    found = profile("cprofile-3.8.pstats")
    assert {row.calls_per_min for row in found.functions} == {None}
    assert (
        "the time that the counts are of is not known: no calls per minute (give --window)"
        in found.meta.sources[0].warnings
    )


def test_counts_with_a_known_time_win_over_counts_without() -> None:
    found = rows(build(recording("cprofile-3.10.pstats"), spans_of(1_000.0, 1_600.0)))
    price = found["shop/pricing.py::price_order"]
    assert (price.calls, price.calls_per_min, price.calls_basis) == (1, 0.1, "estimated")
    assert found["shop/models.py::Order.of"].calls_basis == "counted"


@pytest.mark.parametrize(
    ("revision", "expected", "warns"),
    [
        (None, (None, None), True),
        (REVISION, (REVISION, "vcs.ref.head.revision"), False),
        ("f" * 40, ("f" * 40, "flag"), True),
    ],
)
def test_the_revision_is_that_of_the_tree(revision: str | None, expected: tuple[Any, Any], warns: bool) -> None:
    found = profile("otlp.manual.jsonl", revision=revision)
    assert (found.meta.revision, found.meta.revision_source) == expected
    assert any("recorded at revision" in warning for warning in found.meta.sources[0].warnings) is warns


def test_where_it_is_from() -> None:
    found = profile("austin.raw.txt", service="shop", environment="staging")
    assert (found.meta.service, found.meta.environment) == ("shop", "staging")
    assert found.meta.path_prefixes == ("/srv/shop/releases/42/src/",)
    assert (found.meta.generated_at, found.meta.generator) == ("2026-11-21T01:13:20Z", "gate 0.1.0")
    source = found.meta.sources[0]
    assert (source.kind, source.basis, source.clock, source.samples, source.rate_hz, source.processes) == (
        "austin",
        "sampled",
        "wall",
        197,
        100.0,
        1,
    )


def test_a_drifted_tree_is_said() -> None:
    """Ten lines were put above: names still match, and the lines that do not fit are counted."""
    moved = Files({"shop/pricing.py": b"\n" * 50 + b"def tax_rate(country):\n    return 1\n", "shop/__init__.py": b""})
    found = build(
        Recording(
            kind="pyspy-raw",
            basis=Basis.SAMPLED,
            frames=(
                Frame(file="shop/pricing.py", name="Tax.rate", line=8),
                Frame(file="shop/pricing.py", name="tax_rate", line=8),
            ),
            stacks=(Stack(frames=(1,), weight=5, samples=5),),
            samples=5,
        ),
        tree=moved,
    )
    assert rows(found)["shop/pricing.py::tax_rate"].match == "qualname"
    assert found.meta.sources[0].warnings == (
        "1 frames have the name of a function but not its lines: was another revision recorded?",
    )


def test_what_was_not_matched_is_told_heaviest_first() -> None:
    frames = (
        Frame(file="/x/shop/pricing.py", name="gone", line=3),
        Frame(file="/x/shop/lost.py", name="f", line=1),
        Frame(file="/x/shop/pricing.py", name="tax_rate", line=8),
        Frame(file="/usr/lib/python3.12/re/__init__.py", name="compile", line=1),
    )
    stacks = (Stack(frames=(2, 0), weight=2, samples=2), Stack(frames=(2, 1, 3), weight=7, samples=7))
    found = build(Recording(kind="x", basis=Basis.SAMPLED, frames=frames, stacks=stacks, samples=9))
    assert found.unmatched.frames == {
        "special": 0,
        "stdlib": 1,
        "third-party": 0,
        "ambiguous": 0,
        "no such file": 1,
        "no such function": 1,
    }
    assert [(example.name, example.weight, example.reason) for example in found.unmatched.examples] == [
        ("f", 7.0, "no such file"),
        ("gone", 2.0, "no such function"),
    ]
    assert (found.meta.sources[0].frames_project, found.meta.sources[0].frames_matched) == (4, 2)


@pytest.mark.parametrize(
    ("recordings", "options", "message"),
    [
        ([], {}, "no recording to import"),
        (
            ["pyspy.raw.txt", "otlp.manual.jsonl", "pyspy.raw.txt"],
            {},
            "pyspy.raw.txt is the same recording as pyspy.raw.txt",
        ),
        (["pyspy.raw.txt"], {"window_s": 0.0}, "is no length of time"),
        (["pyspy.raw.txt"], {"window_s": -1.0}, "is no length of time"),
        (["pyspy.raw.txt"], {"window_s": float("nan")}, "is no length of time"),
        (["pyspy.raw.txt"], {"window_s": float("inf")}, "is no length of time"),
    ],
)
def test_wrong_use(recordings: list[str], options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        profile(*recordings, **options)


def test_the_same_recordings_give_the_same_bytes_in_any_order_of_the_tree() -> None:
    names = ("pyspy.raw.txt", "cprofile-3.10.pstats")
    again = Files(dict(reversed(SHOP.files.items())))
    assert encode(profile(*names)) == encode(profile(*names, tree=again))


FUNCTIONS = (
    ("shop/store.py", "Store.save", 16),
    ("shop/store.py", "Store.count", 20),
    ("shop/aio.py", "notify_all", 22),
    ("shop/web.py", "boom", 28),
    ("lib.py", "x", 1),
    ("<string>", "<module>", 1),
)


@given(st.lists(st.tuples(st.lists(st.integers(0, 5), max_size=6), st.integers(1, 50)), min_size=1, max_size=8))
def test_shares_are_shares(stacks: list[tuple[list[int], int]]) -> None:
    """0 ≤ self ≤ own ≤ total ≤ 1 for every function, and the own times of all are at most all of the time."""
    found = build(
        Recording(
            kind="x",
            basis=Basis.SAMPLED,
            frames=tuple(Frame(file=file, name=name, line=line) for file, name, line in FUNCTIONS),
            stacks=tuple(Stack(frames=tuple(chain), weight=weight, samples=weight) for chain, weight in stacks),
            samples=sum(weight for _, weight in stacks),
        )
    )
    for row in found.functions:
        assert row.time_self is not None
        assert row.time_own is not None
        assert row.time_total is not None
        assert 0 <= row.time_self.share <= row.time_own.share <= row.time_total.share <= 1
        assert sum(entry.share or 0 for entry in row.entry_points) == pytest.approx(1, abs=1e-5)
    assert sum(row.time_own.share for row in found.functions if row.time_own) <= 1 + 1e-5
    assert sum(entry.weight or 0 for entry in found.entry_points) <= 1 + 1e-5


def test_a_recording_added_never_lowers_what_is_known() -> None:
    for first, second in itertools.permutations(["pyspy.raw.txt", "cprofile-3.10.pstats", "otlp.manual.jsonl"], 2):
        assert {row.id for row in profile(first).functions} <= {row.id for row in profile(first, second).functions}


def test_a_record_without_calls_is_no_call() -> None:
    frames = (Frame(file="shop/web.py", name="boom", first_line=26),)
    found = build(Recording(kind="x", basis=Basis.COUNTED, frames=frames, records=(Record(frame=0, calls=None),)))
    assert (found.functions[0].calls, found.functions[0].calls_basis) == (None, None)
    assert found.meta.window == Window()
