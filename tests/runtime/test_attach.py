"""Usage of touched functions, the grade of a profile, and what a blast radius is made of."""

from typing import Any

import msgspec
import pytest

from gatecli.model import Grade, ProfileSummary, Usage, UsageStatus
from gatecli.runtime.attach import attach, callers_in, entry_points_of, function_id, traffic_share
from gatecli.runtime.edges import Edge
from gatecli.runtime.profile import (
    EntryPoint,
    EntryShare,
    Latency,
    Meta,
    Profile,
    ProfiledFunction,
    Source,
    TimeShare,
    Unmatched,
    UnmatchedFrame,
    Window,
)
from gatecli.runtime.summary import summarise
from tests.runtime.support import GENERATED_AT, change, profile, shop

NOW = GENERATED_AT
SAMPLED = Source(
    kind="pyspy-raw", file="a.txt", sha256="", basis="sampled", samples=887, frames_project=432, frames_matched=432
)
COUNTED = Source(kind="pstats", file="b.pstats", sha256="", basis="counted", frames_project=50, frames_matched=50)
TRACED = Source(kind="otlp-json", file="c.jsonl", sha256="", basis="spans", frames_project=5, frames_matched=5)


def row(key: str, **fields: Any) -> ProfiledFunction:
    return ProfiledFunction(**{"id": key, "kind": "function", "match": "qualname", "sources": (0,), **fields})


def of(
    *rows: ProfiledFunction, sources: tuple[Source, ...] = (SAMPLED,), meta: dict[str, Any] | None = None, **rest: Any
) -> Profile:
    return Profile(meta=Meta(**{"sources": sources, "revision": "0" * 40, **(meta or {})}), functions=rows, **rest)


A, B, C = "shop/a.py::f", "shop/a.py::g", "shop/b.py::h"


def test_everything_that_is_known() -> None:
    found = of(
        row(
            A,
            calls=700,
            calls_per_min=70.0,
            calls_basis="counted",
            time_self=TimeShare(share=0.1),
            time_total=TimeShare(share=0.2, pm95=0.03, samples=177),
            error_rate=0.01,
            latency_ms=Latency(p50=1.0, p95=5.0, n=700),
            entry_points=(EntryShare(id="http POST /orders", share=0.75), EntryShare(id="task t", share=0.25)),
            critical_path_share=0.4,
            sources=(0, 1),
        ),
        sources=(SAMPLED, COUNTED),
        meta={"service": "shop"},
        edges=(
            Edge(caller=B, callee=A, samples=3, basis="sampled"),
            Edge(caller=C, callee=A, samples=9, basis="sampled"),
            Edge(caller=A, callee=C, calls=9, basis="counted"),
            Edge(caller=B, callee=C, calls=9, basis="counted"),
        ),
    )
    assert attach(found, (change(A),)) == {
        function_id(A): Usage(
            status=UsageStatus.OBSERVED,
            calls_per_minute=70.0,
            share=0.2,
            share_margin=0.03,
            self_share=0.1,
            error_rate=0.01,
            p50_ms=1.0,
            p95_ms=5.0,
            entry_points=(("POST /orders", 0.75), ("task t", 0.25)),
            callers=(function_id(C), function_id(B)),
            callees=(function_id(C),),
            critical_path_share=0.4,
            services=("shop",),
            basis="counted",
            source="pyspy-raw, pstats",
            confidence="high",
        )
    }


def test_functions_are_looked_up_by_what_they_were_called_before() -> None:
    found = of(row(A), row(B))
    usage = attach(found, (change("shop/new.py::renamed", before=A), change(B, before=None)))
    assert usage[function_id("shop/new.py::renamed")].status is UsageStatus.OBSERVED
    # A new function that took the name of an old one has no runtime data of its own.
    assert usage[function_id(B)] == Usage(status=UsageStatus.UNMATCHED, reason="new function")


def test_without_a_profile() -> None:
    assert attach(None, (change(A),)) == {function_id(A): Usage(status=UsageStatus.NO_PROFILE, reason="no profile")}


AMBIGUOUS = Unmatched(
    examples=(
        UnmatchedFrame(file="C:\\x\\a.py", name="K.g", line=None, weight=1.0, reason="ambiguous"),
        UnmatchedFrame(file="/x/b.py", name="f", line=None, weight=1.0, reason="no such function"),
    )
)


@pytest.mark.parametrize(
    ("sources", "window", "key", "status", "reason"),
    [
        ((SAMPLED,), None, B, "not_observed", "not seen in 887 samples (at most 0.34 % of the time)"),
        ((COUNTED,), None, B, "not_observed", "never called in the recorded run"),
        ((COUNTED,), 604_800.0, B, "not_observed", "never called in 7 days"),
        ((COUNTED,), 90.0, B, "not_observed", "never called in 90 seconds"),
        (
            (SAMPLED, COUNTED),
            7_200.0,
            B,
            "not_observed",
            "never called in 2 hours; not seen in 887 samples (at most 0.34 % of the time)",
        ),
        ((TRACED,), 604_800.0, B, "not_observed", "no span names it, which does not say that it did not run"),
        (
            (SAMPLED,),
            None,
            C,
            "not_observed",
            "not seen in 887 samples (at most 0.34 % of the time); nothing in its file was",
        ),
        (
            (msgspec.structs.replace(SAMPLED, frames_project=100, frames_matched=80),),
            None,
            C,
            "unmatched",
            "file not in the profile, of whose 100 project frames only 80 are matched",
        ),
    ],
)
def test_why_there_is_no_figure(
    sources: tuple[Source, ...], window: float | None, key: str, status: str, reason: str
) -> None:
    found = of(row(A), sources=sources, meta={"window": Window(observed_seconds=window)})
    assert attach(found, (change(key),))[function_id(key)] == Usage(status=UsageStatus(status), reason=reason)


def test_ambiguous_frames_may_be_the_function_s() -> None:
    found = of(row(A), unmatched=AMBIGUOUS)
    usage = attach(found, (change(B), change("shop/a.py::other"), change("shop/b.py::f")))
    assert usage[function_id(B)].reason == "ambiguous: the profile has frames that may be of several"
    assert usage[function_id("shop/a.py::other")].status is UsageStatus.NOT_OBSERVED
    assert "nothing in its file was" in str(usage[function_id("shop/b.py::f")].reason)


@pytest.mark.parametrize(
    ("samples", "bound"),
    [(1, "100.00"), (3, "100.00"), (4, "75.00"), (1_000, "0.30"), (887, "0.34"), (10_000_000, "0.01")],
)
def test_the_rule_of_three_is_rounded_up(samples: int, bound: str) -> None:
    found = of(row(A), sources=(msgspec.structs.replace(SAMPLED, samples=samples),))
    assert f"(at most {bound} % of the time)" in str(attach(found, (change(B),))[function_id(B)].reason)


@pytest.mark.parametrize(
    ("fields", "basis", "reason"),
    [
        ({"calls": 7, "calls_per_min": 1.0, "calls_basis": "counted"}, "counted", None),
        ({"calls": 7, "calls_basis": "counted"}, "counted", "7 calls recorded, but not in how much time"),
        ({"calls": 7, "calls_per_min": 1.0, "calls_basis": "spans_scaled"}, "spans", None),
        ({"calls": 7, "calls_per_min": 1.0, "calls_basis": "estimated"}, "spans", None),
        ({"time_total": TimeShare(share=0.1)}, "sampled", "sampled: shares of time, no calls"),
        ({"errors": 3}, None, "seen only in tracebacks"),
        (
            {"calls": 7, "calls_per_min": 1.0, "calls_basis": "counted", "calls_overcounted": True},
            "counted",
            "each resumption of the generator or coroutine is counted as a call",
        ),
    ],
)
def test_the_basis_of_the_figures(fields: dict[str, Any], basis: str | None, reason: str | None) -> None:
    usage = attach(of(row(A, **fields)), (change(A),))[function_id(A)]
    assert (usage.basis, usage.reason) == (basis, reason)


@pytest.mark.parametrize(
    ("match", "revision", "confidence"),
    [
        ("qualname", "0" * 40, "high"),
        ("qualname", None, "high"),
        ("dotted", None, "high"),
        ("route", None, "high"),
        ("first-line", "0" * 40, "high"),
        ("first-line", None, "low"),
        ("line", "0" * 40, "medium"),
        ("line", None, "low"),
        ("unique-name", "0" * 40, "medium"),
        (None, "0" * 40, "medium"),
    ],
)
def test_how_sure_the_match_is(match: str | None, revision: str | None, confidence: str) -> None:
    usage = attach(of(row(A, match=match), meta={"revision": revision}), (change(A),))[function_id(A)]
    assert usage.confidence == confidence


RECENT = {"window": Window(end="2026-11-20T01:13:20Z", observed_seconds=3_600.0)}


def test_the_summary() -> None:
    found = of(
        row(A),
        row(B),
        sources=(msgspec.structs.replace(SAMPLED, samples=1_000, warnings=("one", "two")), COUNTED),
        meta={**RECENT, "service": "shop", "environment": "production"},
    )
    changes = (change(A), change("shop/a.py::gone"), change("shop/a.py::new", before=None))
    assert summarise(found, "p.json", attach(found, changes), changes, NOW) == ProfileSummary(
        path="p.json",
        service="shop",
        environment="production",
        sources=("pyspy-raw, 1,000 samples", "pstats"),
        window_s=3_600.0,
        revision="0" * 40,
        age_s=86_400.0,
        functions=2,
        grade=Grade.GOOD,
        touched=3,
        observed=1,
        not_observed=1,
        unmatched=1,
        warnings=("one", "two"),
    )


def graded(
    *,
    sources: tuple[Source, ...] = (COUNTED,),
    end: str | None = "2026-11-20T01:13:20Z",
    revision: str | None = "0" * 40,
    environment: str | None = "production",
    rows: tuple[ProfiledFunction, ...] = (row(A),),
) -> tuple[str, tuple[str, ...]]:
    meta = {"window": Window(end=end), "revision": revision, "environment": environment}
    found = summarise(of(*rows, sources=sources, meta=meta), "p", {}, (), NOW)
    return str(found.grade), found.warnings


def samples(count: int, *, project: int = 100, matched: int = 100) -> Source:
    return msgspec.structs.replace(SAMPLED, samples=count, frames_project=project, frames_matched=matched)


@pytest.mark.parametrize(
    ("changes", "grade", "warning"),
    [
        ({}, "good", None),
        ({"sources": (TRACED,)}, "good", None),
        ({"sources": (samples(1_000),)}, "good", None),
        ({"sources": (samples(999),)}, "usable", "the profile has 999 samples, too few to tell what is cold"),
        ({"sources": (samples(300),)}, "usable", None),
        ({"sources": (samples(299),)}, "weak", None),
        ({"sources": (samples(5), COUNTED)}, "good", None),
        ({"revision": None}, "usable", "the recorded revision is not known: matches by line may be wrong"),
        ({"sources": (samples(5_000, matched=90),)}, "good", None),
        (
            {"sources": (samples(5_000, matched=89),)},
            "usable",
            "only 89 of 100 project frames are matched to a function",
        ),
        ({"sources": (samples(5_000, matched=49),)}, "weak", None),
        ({"sources": (samples(5_000, project=0, matched=0),)}, "good", None),
        ({"end": "2026-11-07T01:13:20Z"}, "good", None),  # 14 days
        ({"end": "2026-11-07T01:13:19Z"}, "usable", "the profile is 14 days old"),
        ({"end": "2026-08-23T01:13:20Z"}, "usable", "the profile is 90 days old"),
        ({"end": "2026-08-23T01:13:19Z"}, "weak", "the profile is 90 days old"),
        ({"end": None}, "usable", "when the profile was recorded is not known"),
        ({"end": "yesterday"}, "usable", "when the profile was recorded is not known"),
        ({"end": "2026-11-21T09:13:20Z"}, "good", None),  # clocks differ by hours
        ({"end": "2030-01-01T00:00:00Z"}, "usable", "the profile is from the future: its age is not known"),
        ({"environment": "profile-run"}, "usable", "the profile is from a profiler run, not from production"),
        ({"rows": ()}, "weak", "the profile names no function of the repository"),
    ],
)
def test_the_grade(changes: dict[str, Any], grade: str, warning: str | None) -> None:
    found, warnings = graded(**changes)
    assert found == grade
    if warning is not None:
        assert warning in warnings
    elif grade == "good":
        assert warnings == ()


def test_losing_evidence_never_improves_the_grade() -> None:
    order = ["weak", "usable", "good"]
    losses: list[dict[str, Any]] = [
        {"revision": None}, {"end": None}, {"environment": "profile-run"}, {"rows": ()}, {"sources": (samples(10),)},
    ]  # fmt: skip
    for loss in losses:
        for other in losses:
            assert order.index(graded(**{**loss, **other})[0]) <= order.index(graded(**loss)[0]) or "sources" in other


def test_callers_with_their_rates() -> None:
    found = of(
        row(A, calls=100, calls_per_min=10.0, calls_basis="counted"),
        row(B, calls=100, calls_per_min=None, calls_basis="counted"),
        edges=(
            Edge(caller=B, callee=A, calls=25, basis="counted"),
            Edge(caller=C, callee=A, calls=75, basis="counted"),
            Edge(caller=C, callee=A, samples=3, basis="sampled"),
            Edge(caller="x.py::y", callee=A, calls=5, basis="spans"),  # not of what the rate is of
            Edge(caller=A, callee=B, calls=5, basis="counted"),
            Edge(caller=A, callee=C, samples=5, basis="sampled"),
        ),
    )
    callers = callers_in(found)
    assert callers[function_id(A)] == (
        (function_id(C), 7.5),
        (function_id(B), 2.5),
        (function_id("x.py::y"), None),
    )
    assert callers[function_id(B)] == ((function_id(A), None),)
    assert callers[function_id(C)] == ((function_id(A), None),)
    assert set(callers) == {function_id(A), function_id(B), function_id(C)}
    assert (len(callers), callers.get(function_id("x.py::y")), function_id("x.py::y") in callers) == (3, None, False)


def test_entry_points_by_handler() -> None:
    found = of(
        entry_points=(
            EntryPoint(id="http GET /a", handler=A, weight=0.5),
            EntryPoint(id="http GET /b", handler=A),
            EntryPoint(id="task t", handler=None, weight=0.1),
        )
    )
    assert entry_points_of(found) == {function_id(A): (("GET /a", 0.5), ("GET /b", None))}


ENTRIES = (
    EntryPoint(id="http GET /a", handler=A, weight=0.5, error_rate=0.0),
    EntryPoint(id="http GET /b", handler=B, weight=0.3, error_rate=0.0),
    EntryPoint(id="task t", handler=None, weight=0.2, error_rate=0.0),
)


@pytest.mark.parametrize(
    ("keys", "share"),
    [
        ((A,), 0.5),
        ((A, B), 0.8),
        ((C,), 0.7),  # GET /a and the task reach it
        ((A, B, C), 1.0),
        (("x.py::y",), None),  # traces do not say what they do not name
        ((), None),
    ],
)
def test_traffic_through_functions_by_requests(keys: tuple[str, ...], share: float | None) -> None:
    reached = row(C, entry_points=(EntryShare(id="http GET /a", share=0.9), EntryShare(id="task t", share=0.1)))
    found = of(row(A), row(B), reached, sources=(TRACED,), entry_points=ENTRIES)
    result = traffic_share(found, [function_id(key) for key in keys])
    assert result == (None if share is None else pytest.approx(share))


def timed(key: str, share: float, **entries: float) -> ProfiledFunction:
    shares = tuple(EntryShare(id=entry, share=part) for entry, part in entries.items())
    return row(key, time_total=TimeShare(share=share), entry_points=shares)


@pytest.mark.parametrize(
    ("rows", "share"),
    [
        ((timed(A, 0.4, x=1.0),), 0.4),
        ((timed(A, 0.4, x=1.0), timed(B, 0.3, y=1.0)), 0.7),  # of different entry points: they add up
        ((timed(A, 0.4, x=1.0), timed(B, 0.3, x=1.0)), 0.4),  # one calls the other, or at least so much
        ((timed(A, 0.4), timed(B, 0.6)), 0.6),
        ((timed(A, 0.9, x=1.0), timed(B, 0.9, y=1.0)), 1.0),
        ((row(A),), None),
    ],
)
def test_traffic_through_functions_by_time(rows: tuple[ProfiledFunction, ...], share: float | None) -> None:
    result = traffic_share(of(*rows), [function_id(row.id) for row in rows])
    assert result == (None if share is None else pytest.approx(share))


def test_traffic_of_the_sample() -> None:
    found = profile("pyspy.raw.txt")
    assert traffic_share(found, [shop("checkout.py::Checkout.__call__")]) == pytest.approx(485 / 887, abs=1e-6)
    # 140 of 887 samples are in the receipts thread, all others of main: together they are their sum.
    both = traffic_share(found, [shop("checkout.py::Checkout.__call__"), shop("__main__.py::background")])
    assert both == pytest.approx((485 + 140) / 887, abs=1e-5)


def test_ids_of_paths_with_colons() -> None:
    assert function_id("a::b.py::f").path == "a::b.py"
    assert function_id("nothing") == function_id("::nothing")
