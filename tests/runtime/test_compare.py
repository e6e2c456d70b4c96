"""Two profiles compared: what differs, and what chance could explain."""

import random
from statistics import NormalDist
from typing import Any

import pytest

from gatecli.runtime import compare as module
from gatecli.runtime.compare import (
    Comparison,
    Difference,
    Figure,
    Trend,
    compare,
    p95_interval,
    two_proportions,
    two_rates,
)
from gatecli.runtime.profile import Latency, Meta, Profile, ProfiledFunction, Source, TimeShare
from tests.runtime.support import profile

F = "a.py::f"


def source(basis: Any, samples: int | None = None) -> Source:
    return Source(kind="x", file="x", sha256="", basis=basis, samples=samples)


def sampled(samples: int, **shares: float) -> Profile:
    rows = tuple(
        ProfiledFunction(id=f"a.py::{name}", kind="function", time_total=TimeShare(share=share))
        for name, share in sorted(shares.items())
    )
    return Profile(meta=Meta(sources=(source("sampled", samples),)), functions=rows)


def counted(**fields: Any) -> Profile:
    rows = (ProfiledFunction(id=F, kind="function", **fields),) if fields else ()
    return Profile(meta=Meta(sources=(source("counted"),)), functions=rows)


def calls(count: int, per_min: float, **fields: Any) -> Profile:
    return counted(calls=count, calls_per_min=per_min, calls_basis="counted", **fields)


def scaled(count: int, per_min: float, low: int, high: int | None) -> Profile:
    return counted(calls=count, calls_per_min=per_min, calls_basis="counted_scaled", calls_low=low, calls_high=high)


def said(found: Comparison) -> list[tuple[str, str, str]]:
    return [(d.id.removeprefix("a.py::"), d.trend.value, d.figure.value) for d in found.differences]


def p_of(z: float) -> float:
    return 2 * NormalDist().cdf(-abs(z))


@pytest.mark.parametrize(
    ("part", "of", "other", "of_other", "z"),
    [
        (0.10, 1000, 0.15, 1000, 0.05 / (0.125 * 0.875 * 0.002) ** 0.5),
        (0.15, 1000, 0.10, 1000, 0.05 / (0.125 * 0.875 * 0.002) ** 0.5),
        (0.30, 200, 0.30, 400, 0.0),
        (0.0, 1000, 0.02, 1000, 0.02 / (0.01 * 0.99 * 0.002) ** 0.5),
    ],
)
def test_two_proportions(part: float, of: int, other: float, of_other: int, z: float) -> None:
    assert two_proportions(part, of, other, of_other) == pytest.approx(p_of(z))


@pytest.mark.parametrize(
    "case", [(0.0, 100, 0.05, 100), (0.5, 0, 0.5, 10), (1.0, 50, 1.0, 50), (0.001, 900, 0.002, 900)]
)
def test_too_few_cases_for_shares(case: tuple[float, int, float, int]) -> None:
    """Fewer than five expected on one side: the normal approximation does not hold."""
    assert two_proportions(*case) is None


def test_two_rates() -> None:
    """100 calls in ten minutes and 150 in ten: 150 of 250, where 125 ± √62.5 are expected."""
    assert two_rates(100, 10.0, 150, 15.0) == pytest.approx(p_of(25 / 62.5**0.5))
    assert two_rates(100, 10.0, 50, 10.0) == pytest.approx(1.0)
    assert two_rates(3, 1.0, 4, 2.0) is None
    assert two_rates(0, 1.0, 400, 2.0) is None


@pytest.mark.parametrize(
    ("latency", "expected"),
    [
        (Latency(p50=10, p95=100, p99=200, n=10_000), (85.964, 114.036)),
        (Latency(p50=10, p95=100, p99=200, n=196), None),
        (Latency(p95=100, p99=100, n=10_000), (100, 100)),
        (Latency(p50=10, p95=100, n=10_000), None),
        (Latency(p50=10, p95=100, p99=200), None),
    ],
)
def test_the_interval_of_a_percentile(latency: Latency, expected: tuple[float, float] | None) -> None:
    """2.576·√(0.95·0.05/10,000) is 0.0056 of rank; 0.04 of rank are 100 ms."""
    assert p95_interval(latency) == (pytest.approx(expected, abs=0.001) if expected else None)


def test_the_interval_holds_what_it_promises() -> None:
    """Of samples of one distribution, the interval of the 95th percentile misses the true one in few."""
    random.seed(7)
    missed = 0
    for _ in range(200):  # exponential times, whose 95th percentile is -ln 0.05
        times = sorted(random.expovariate(1.0) for _ in range(2_000))
        found = p95_interval(Latency(p50=times[999], p95=times[1899], p99=times[1979], n=2_000))
        assert found is not None
        missed += not found[0] <= 2.9957 <= found[1]
    assert missed <= 6  # 2 of 200 expected; more than 6 has a chance of 1 in 200


def test_hotter_and_cooler() -> None:
    found = compare(sampled(10_000, up=0.10, down=0.30, same=0.2), sampled(10_000, up=0.14, down=0.25, same=0.202))
    assert said(found) == [("up", "hotter", "share of time"), ("down", "cooler", "share of time")]
    assert (found.chance, found.untold) == (1, 0)
    assert found.differences[0].p_value == pytest.approx(p_of(0.04 / (0.12 * 0.88 * 0.0002) ** 0.5))


def test_new_and_gone_among_samples() -> None:
    """Two of 1,000 samples may have been missed before; 50 were not."""
    found = compare(sampled(1_000, old=0.05), sampled(1_000, new=0.05, rare=0.002))
    assert said(found) == [("new", "new", "share of time"), ("old", "gone", "share of time")]
    assert (found.chance, found.untold) == (0, 1)


def test_new_and_gone_among_counts_are_certain() -> None:
    found = compare(calls(3, 0.5), counted())
    assert found.differences == (Difference(id=F, trend=Trend.GONE, figure=Figure.CALLS, before=0.5, after=None),)
    found = compare(counted(), calls(1, 0.1))
    assert found.differences == (Difference(id=F, trend=Trend.NEW, figure=Figure.CALLS, before=None, after=0.1),)


@pytest.mark.parametrize(
    ("before", "after", "expected", "left"),
    [
        (calls(6_000, 100.0), calls(9_000, 150.0), [("f", "hotter", "calls per minute")], (0, 0)),
        (calls(9_000, 150.0), calls(6_000, 100.0), [("f", "cooler", "calls per minute")], (0, 0)),
        (calls(6_000, 100.0), calls(6_600, 110.0), [], (0, 0)),  # a tenth is no news, however sure
        (calls(6, 1.0), calls(9, 1.5), [], (1, 0)),
        (calls(2, 1.0), calls(4, 2.0), [], (0, 1)),
        (calls(6_000, 100.0), counted(calls=9_000, calls_per_min=150.0, calls_basis="estimated"), [], (0, 0)),
        # Counted in windows and scaled up: the intervals decide, not how many calls they are.
        (calls(6_000, 100.0), scaled(9_000, 150.0, 6_100, 12_000), [("f", "hotter", "calls per minute")], (0, 0)),
        (calls(6_000, 100.0), scaled(9_000, 150.0, 5_900, 12_000), [], (1, 0)),
        (scaled(6_000, 100.0, 1_000, None), calls(9_000, 150.0), [], (1, 0)),
        (scaled(6_000, 100.0, 5_000, None), calls(3_000, 50.0), [("f", "cooler", "calls per minute")], (0, 0)),
        (calls(9_000, 10.0, error_rate=0.01), calls(9_000, 10.0, error_rate=0.02),
         [("f", "more errors", "error rate")], (0, 0)),
        (calls(9_000, 10.0, error_rate=0.02), calls(9_000, 10.0, error_rate=0.01),
         [("f", "fewer errors", "error rate")], (0, 0)),
        (calls(900, 10.0, error_rate=0.01), calls(900, 10.0, error_rate=0.011), [], (1, 0)),
        (calls(90, 10.0, error_rate=0.01), calls(90, 10.0, error_rate=0.0), [], (0, 1)),
    ],
)  # fmt: skip
def test_calls_and_errors(before: Profile, after: Profile, expected: list[Any], left: tuple[int, int]) -> None:
    found = compare(before, after)
    assert (said(found), (found.chance, found.untold)) == (expected, left)


@pytest.mark.parametrize(
    ("p95", "n", "expected", "left"),
    [
        (170, 5_000, [("f", "slower", "p95")], (0, 0)),
        (60, 5_000, [("f", "faster", "p95")], (0, 0)),
        (103, 5_000, [], (1, 0)),
        (170, 100, [], (0, 1)),
        (100, 5_000, [], (0, 0)),
    ],
)
def test_latency(p95: float, n: int, expected: list[Any], left: tuple[int, int]) -> None:
    before = counted(latency_ms=Latency(p50=10, p95=100, p99=200, n=5_000))
    found = compare(before, counted(latency_ms=Latency(p50=10, p95=p95, p99=2 * p95, n=n)))
    assert (said(found), (found.chance, found.untold)) == (expected, left)


def test_many_tests_find_something_by_chance() -> None:
    """One in twenty would be "significant" at 5 %: the limit falls with the number of tests."""
    made = [Difference(id=str(i), trend=Trend.HOTTER, figure=Figure.SHARE, before=0, after=1, p_value=p)
            for i, p in enumerate((0.01, 0.02, 0.03, 0.04, 0.6))]  # fmt: skip
    assert [d.p_value for d in module._significant(made)] == [0.01, 0.02, 0.03, 0.04]
    assert module._significant([d for d in made if d.p_value in (0.02, 0.6)]) == [made[1]]
    assert module._significant([made[1], made[4], made[4]]) == []


def test_a_profile_beside_itself() -> None:
    recorded = profile("pyspy.raw.txt")
    assert compare(recorded, recorded) == Comparison(differences=())
