"""Two profiles compared: what is new, gone, hotter, slower, fails more, and whether chance alone could explain it.

- Shares of samples and error rates: the two-proportion z test (NIST/SEMATECH e-Handbook of Statistical Methods, §7.3.3,
  https://www.itl.nist.gov/div898/handbook/prc/section3/prc33.htm), from five expected cases on either side on.
- Calls: the conditional test of two Poisson rates (Przyborowski and Wilenski, Biometrika 31, 1940), and a fifth more
  or less at least: calls come in bursts, which that test does not know of.
- Latency: the distribution-free 99 % intervals of the two 95th percentiles do not meet (Conover, Practical
  Nonparametric Statistics, 3rd ed., §3.2). How far a rank is in milliseconds is taken from the 95th and 99th
  percentile, which makes the intervals too wide rather than too narrow where ever longer times are ever rarer.
- Of all that was tested, 5 % of what is reported may be chance (Benjamini and Hochberg, J. R. Stat. Soc. B 57, 1995).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from gatecli.runtime.profile import Latency, Profile, ProfiledFunction, is_same_basis

FALSE_DISCOVERIES = 0.05
LEAST_EXPECTED = 5
LEAST_CHANGE = 0.2
"""How much calls per minute must differ, as a part of what they were."""

_Z99 = 2.576


class Trend(StrEnum):
    """What became of a function, in the words of the report."""

    NEW = "new"
    GONE = "gone"
    HOTTER = "hotter"
    COOLER = "cooler"
    SLOWER = "slower"
    FASTER = "faster"
    MORE_ERRORS = "more errors"
    FEWER_ERRORS = "fewer errors"


class Figure(StrEnum):
    """What was compared."""

    SHARE = "share of time"
    CALLS = "calls per minute"
    P95 = "p95"
    ERRORS = "error rate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One figure of one function in both profiles, None where it is not there.

    ``p_value`` is None where the figures were counted, so that there is no chance in them, or compared by intervals.
    """

    id: str
    trend: Trend
    figure: Figure
    before: float | None
    after: float | None
    p_value: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What differs for certain, the largest differences of each trend first.

    ``chance`` is the number of differences that chance could explain, ``untold`` of those with too little data to say.
    """

    differences: tuple[Difference, ...]
    chance: int = 0
    untold: int = 0


def compare(before: Profile, after: Profile) -> Comparison:
    """What changed from one profile to the other, function by function, by id."""
    old, new = _functions(before), _functions(after)
    found: list[Difference | None] = []
    for id in sorted({*old, *new}):
        one, other = old.get(id), new.get(id)
        if one is None or other is None:
            found += _one_sided(id, one, other, before, after)
        else:
            found += _shares(one, other, before, after)
            found += _calls(one, other)
            found += _errors(one, other)
            found += _latencies(one, other)
    tested = [difference for difference in found if difference is not None]
    kept = _significant(tested)
    order = list(Trend)
    return Comparison(
        differences=tuple(sorted(kept, key=lambda d: (order.index(d.trend), -_size(d), d.id, d.figure))),
        chance=len(tested) - len(kept),
        untold=found.count(None),
    )


def _functions(profile: Profile) -> dict[str, ProfiledFunction]:
    return {row.id: row for row in profile.functions if row.kind not in ("module", "class_body")}


def _size(difference: Difference) -> float:
    return abs((difference.after or 0.0) - (difference.before or 0.0))


def _samples(profile: Profile) -> int:
    return sum(source.samples or 0 for source in profile.meta.sources if source.basis == "sampled")


def _one_sided(
    id: str, one: ProfiledFunction | None, other: ProfiledFunction | None, before: Profile, after: Profile
) -> Iterator[Difference | None]:
    """A function that only one of the profiles has: certain where calls were counted, else a matter of chance."""
    row = one or other
    assert row is not None, "one of the two has it"
    trend = Trend.NEW if one is None else Trend.GONE
    missing_in = before if one is None else after
    if row.calls is not None and any(source.basis != "sampled" for source in missing_in.meta.sources):
        old, new = (side.calls_per_min if side else None for side in (one, other))
        yield Difference(id=id, trend=trend, figure=Figure.CALLS, before=old, after=new)
    elif row.time_total is not None:
        shares = [side.time_total.share if side and side.time_total else 0.0 for side in (one, other)]
        p_value = two_proportions(shares[0], _samples(before), shares[1], _samples(after))
        old, new = (side.time_total.share if side and side.time_total else None for side in (one, other))
        found = Difference(id=id, trend=trend, figure=Figure.SHARE, before=old, after=new, p_value=p_value)
        yield found if p_value is not None else None


def _shares(
    one: ProfiledFunction, other: ProfiledFunction, before: Profile, after: Profile
) -> Iterator[Difference | None]:
    if one.time_total is None or other.time_total is None or not (_samples(before) and _samples(after)):
        return
    old, new = one.time_total.share, other.time_total.share
    if old != new:
        yield _told(one.id, Figure.SHARE, old, new, two_proportions(old, _samples(before), new, _samples(after)))


def _calls(one: ProfiledFunction, other: ProfiledFunction) -> Iterator[Difference | None]:
    if not is_same_basis(one.calls_basis, other.calls_basis) or not one.calls_per_min or not other.calls_per_min:
        return
    old, new = one.calls_per_min, other.calls_per_min
    if abs(new - old) < LEAST_CHANGE * old:
        return
    if one.calls_low is not None or other.calls_low is not None:
        apart = _apart(one, other)
        found = _told(one.id, Figure.CALLS, old, new, 0.0 if apart else 1.0)
        yield replace(found, p_value=None) if found and apart else found
        return
    p_value = two_rates(one.calls or 0, one.calls_per_min, other.calls or 0, other.calls_per_min)
    yield _told(one.id, Figure.CALLS, old, new, p_value)


def _apart(one: ProfiledFunction, other: ProfiledFunction) -> bool:
    """Whether the 95 % intervals of calls per minute have nothing in common; one that is open above reaches all."""
    lows, highs = [], []
    for row in (one, other):
        per_call = (row.calls_per_min or 0.0) / max(row.calls or 0, 1)
        low, high = (row.calls, row.calls) if row.calls_low is None else (row.calls_low, row.calls_high)
        lows.append((low or 0) * per_call)
        highs.append(math.inf if high is None else high * per_call)
    return lows[0] > highs[1] or lows[1] > highs[0]


def _errors(one: ProfiledFunction, other: ProfiledFunction) -> Iterator[Difference | None]:
    if one.error_rate is None or other.error_rate is None or one.error_rate == other.error_rate:
        return
    p_value = two_proportions(one.error_rate, one.calls or 0, other.error_rate, other.calls or 0)
    yield _told(one.id, Figure.ERRORS, one.error_rate, other.error_rate, p_value)


_RISE = {
    Figure.SHARE: (Trend.HOTTER, Trend.COOLER),
    Figure.CALLS: (Trend.HOTTER, Trend.COOLER),
    Figure.ERRORS: (Trend.MORE_ERRORS, Trend.FEWER_ERRORS),
    Figure.P95: (Trend.SLOWER, Trend.FASTER),
}


def _told(id: str, figure: Figure, old: float, new: float, p_value: float | None) -> Difference | None:
    """A difference to be tested, None where there is too little data for the test."""
    if p_value is None:
        return None
    trend = _RISE[figure][new < old]
    return Difference(id=id, trend=trend, figure=figure, before=old, after=new, p_value=p_value)


def _latencies(one: ProfiledFunction, other: ProfiledFunction) -> Iterator[Difference | None]:
    if one.latency_ms is None or other.latency_ms is None:
        return
    old, new = one.latency_ms.p95, other.latency_ms.p95
    if old is None or new is None or old == new:
        return
    was, is_now = p95_interval(one.latency_ms), p95_interval(other.latency_ms)
    if was is None or is_now is None:
        yield None
        return
    apart = was[1] < is_now[0] or is_now[1] < was[0]
    found = _told(one.id, Figure.P95, old, new, 0.0 if apart else 1.0)
    yield replace(found, p_value=None) if found and apart else found


def two_proportions(part: float, of: int, other_part: float, of_other: int) -> float | None:
    """The two-sided p value of two shares of so many cases being one; None for too few cases to say."""
    if not of or not of_other:
        return None
    pooled = (part * of + other_part * of_other) / (of + of_other)
    if min(of, of_other) * min(pooled, 1 - pooled) < LEAST_EXPECTED:
        return None
    error = math.sqrt(pooled * (1 - pooled) * (1 / of + 1 / of_other))
    return _two_sided((other_part - part) / error)


def two_rates(count: int, rate: float, other_count: int, other_rate: float) -> float | None:
    """The two-sided p value of two rates being one, each from so many events; None for too few events to say."""
    if count <= 0 or other_count <= 0:
        return None
    time, other_time = count / rate, other_count / other_rate
    total = count + other_count
    part = other_time / (time + other_time)
    if total * min(part, 1 - part) < LEAST_EXPECTED:
        return None
    return _two_sided((other_count - total * part) / math.sqrt(total * part * (1 - part)))


def _two_sided(z: float) -> float:
    return math.erfc(abs(z) / math.sqrt(2))


def p95_interval(latency: Latency) -> tuple[float, float] | None:
    """The 99 % interval of the 95th percentile in milliseconds; None where the operations are too few for one."""
    if latency.p95 is None or latency.p99 is None or not latency.n:
        return None
    ranks = _Z99 * math.sqrt(0.95 * 0.05 / latency.n)
    if ranks > 0.04:
        return None
    spread = ranks * max(0.0, latency.p99 - latency.p95) / 0.04
    return latency.p95 - spread, latency.p95 + spread


def _significant(tested: Sequence[Difference]) -> list[Difference]:
    """What is certain, and what passes the step-up procedure of Benjamini and Hochberg."""
    chancy = sorted(difference.p_value for difference in tested if difference.p_value is not None)
    passing = [p for rank, p in enumerate(chancy, start=1) if p <= FALSE_DISCOVERIES * rank / len(chancy)]
    limit = max(passing, default=-1.0)
    return [difference for difference in tested if difference.p_value is None or difference.p_value <= limit]
