"""Several profiles as one: calls, samples and the times they are of are added, as of one day after another.

Figures that cannot be added are not: percentiles are those of the profile with the most operations behind them, and
measured shares (of cProfile and its like), whose seconds no profile keeps, those of the first.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import TypeVar

import msgspec

from gatecli.errors import UsageError
from gatecli.runtime.edges import Edge
from gatecli.runtime.profile import (
    EntryPoint,
    EntryShare,
    Latency,
    Profile,
    ProfiledFunction,
    Source,
    TimeShare,
    Unmatched,
    UnmatchedFrame,
    Window,
    basis_of_sum,
    interval_of_sum,
    is_same_basis,
)

_MAX_EXAMPLES = 50
_T = TypeVar("_T")


def renamed(profile: Profile, ids: Mapping[str, str], warnings: Sequence[str]) -> Profile:
    """A profile with new ids; functions that have none are left out. ``warnings`` go to its first source."""
    known = [row for row in profile.functions if row.id in ids]
    functions = {ids[row.id]: msgspec.structs.replace(row, id=ids[row.id]) for row in known}
    sources = list(profile.meta.sources)
    if sources and warnings:
        sources[0] = msgspec.structs.replace(sources[0], warnings=(*sources[0].warnings, *warnings))
    frames = Counter(profile.unmatched.frames)
    frames["no such function"] += len(profile.functions) - len(known)
    return msgspec.structs.replace(
        profile,
        meta=msgspec.structs.replace(profile.meta, sources=tuple(sources)),
        functions=tuple(functions[id] for id in sorted(functions)),
        edges=tuple(
            msgspec.structs.replace(edge, caller=ids[edge.caller], callee=ids[edge.callee])
            for edge in profile.edges
            if edge.caller in ids and edge.callee in ids
        ),
        entry_points=tuple(
            msgspec.structs.replace(entry, handler=ids.get(entry.handler) if entry.handler else None)
            for entry in profile.entry_points
        ),
        tests=profile.tests and {ids.get(id, id): tests for id, tests in profile.tests.items()},
        unmatched=msgspec.structs.replace(profile.unmatched, frames=dict(frames)),
    )


def merged(profiles: Sequence[Profile]) -> Profile:
    """All profiles as one; the first is of the recordings that are new, and may be empty.

    Raises:
        UsageError: the same recording is in two of them, so that it would count twice.
    """
    if len(profiles) == 1:
        return profiles[0]
    _check_sources(profiles)
    used = [profile for profile in profiles if profile.meta.sources or profile.functions or profile.tests]
    ids = sorted({row.id for profile in used for row in profile.functions})
    rows = [{row.id: row for row in profile.functions} for profile in used]
    edges = _edges(used)
    scales = _Scales(used)
    pairs = {(edge.caller, edge.callee) for edge in edges}
    callers, callees = Counter(callee for _, callee in pairs), Counter(caller for caller, _ in pairs)
    tests = [profile.tests for profile in used if profile.tests is not None]
    first = profiles[0].meta
    return Profile(
        meta=msgspec.structs.replace(
            first,
            service=first.service or _only(profile.meta.service for profile in used),
            environment=first.environment or ", ".join(sorted({p.meta.environment or "" for p in used} - {""})) or None,
            window=_window(used),
            path_prefixes=tuple(sorted({prefix for profile in used for prefix in profile.meta.path_prefixes})),
            sources=tuple(source for profile in used for source in profile.meta.sources),
        ),
        functions=tuple(
            msgspec.structs.replace(
                _function([of.get(id) for of in rows], scales),
                callers=callers[id] if pairs else None,
                callees=callees[id] if pairs else None,
            )
            for id in ids
        ),
        edges=edges,
        entry_points=_entry_points(used, scales),
        tests={id: _union(of.get(id, ()) for of in tests) for id in sorted({id for of in tests for id in of})}
        if tests
        else None,
        unmatched=_unmatched(used),
    )


def _check_sources(profiles: Iterable[Profile]) -> None:
    seen: dict[str, Source] = {}
    for profile in profiles:
        for source in profile.meta.sources:
            if source.sha256 and source.sha256 in seen:
                raise UsageError(
                    f"{source.file} is the same recording as {seen[source.sha256].file}: it would count twice",
                    "import each recording into one of the profiles only",
                )
            seen[source.sha256] = source


class _Scales:
    """What the figures of each profile are of: samples, minutes, and where its sources begin."""

    def __init__(self, profiles: Sequence[Profile]) -> None:
        self.samples = [
            sum(source.samples or 0 for source in profile.meta.sources if source.basis == "sampled")
            for profile in profiles
        ]
        counts = [any(source.basis in ("counted", "spans") for source in p.meta.sources) for p in profiles]
        windows = [profile.meta.window.observed_seconds for profile in profiles]
        known = [window for window, is_counted in zip(windows, counts, strict=True) if is_counted]
        self.minutes = sum(window or 0.0 for window in known) / 60 if all(known) else 0.0
        self.offsets = [sum(len(p.meta.sources) for p in profiles[:position]) for position in range(len(profiles))]


def _function(rows: Sequence[ProfiledFunction | None], scales: _Scales) -> ProfiledFunction:
    found = [row for row in rows if row is not None]
    first = found[0]
    counted = [row for row in found if row.calls is not None]
    # Calls that were got in different ways are not added: those with a rate are kept.
    basis = next((row.calls_basis for row in counted if row.calls_per_min is not None), None)
    basis = basis or next((row.calls_basis for row in counted), None)
    counted = [row for row in counted if is_same_basis(row.calls_basis, basis)]
    basis = reduce(basis_of_sum, (row.calls_basis for row in counted), basis)
    calls = sum(row.calls or 0 for row in counted) if counted else None
    low, high = interval_of_sum(counted)
    failed = [row for row in found if row.errors is not None]
    errors = sum(row.errors or 0 for row in failed) if failed else None
    types: Counter[str] = Counter()
    for row in found:
        types.update(row.error_types or {})
    return msgspec.structs.replace(
        first,
        calls=calls,
        calls_per_min=round(calls / scales.minutes, 6) if calls is not None and scales.minutes else None,
        calls_basis=basis,
        calls_low=low,
        calls_high=high,
        calls_overcounted=any(row.calls_overcounted for row in counted),
        time_self=_time([row.time_self if row else None for row in rows], scales),
        time_own=_time([row.time_own if row else None for row in rows], scales),
        time_total=_time([row.time_total if row else None for row in rows], scales),
        errors=errors,
        error_rate=_error_rate(found),
        error_types=dict(sorted(types.items())) or None,
        latency_ms=_latency([row.latency_ms for row in found]),
        entry_points=_entry_shares(found),
        first_seen=min((row.first_seen for row in found if row.first_seen), default=None),
        last_seen=max((row.last_seen for row in found if row.last_seen), default=None),
        critical_path_share=_mean((row.critical_path_share, row.calls or 1) for row in found),
        sources=tuple(
            offset + source
            for offset, row in zip(scales.offsets, rows, strict=True)
            for source in (row.sources if row else ())
        ),
    )


def _time(times: Sequence[TimeShare | None], scales: _Scales) -> TimeShare | None:
    """Samples of all samples; a function that one profile did not see had none of that profile's."""
    sampled = [time for time in times if time is not None and time.samples is not None]
    if not sampled:
        return next((time for time in times if time is not None), None) if not any(scales.samples) else None
    count, whole = sum(time.samples or 0 for time in sampled), sum(scales.samples)
    share = min(1.0, count / whole) if whole else 0.0
    margin = 1.96 * math.sqrt(share * (1 - share) / whole) if whole else None
    return TimeShare(share=round(share, 6), pm95=None if margin is None else round(margin, 6), samples=count)


def _mean(values: Iterable[tuple[float | None, float]]) -> float | None:
    """The mean of what is known, weighted."""
    known = [(value, weight) for value, weight in values if value is not None]
    whole = sum(weight for _, weight in known)
    return round(sum(value * weight for value, weight in known) / whole, 6) if whole else None


def _error_rate(rows: Iterable[ProfiledFunction]) -> float | None:
    return _mean((row.error_rate, row.calls or 0) for row in rows)


def _latency(latencies: Iterable[Latency | None]) -> Latency | None:
    known = [latency for latency in latencies if latency is not None]
    if not known:
        return None
    most = max(known, key=lambda latency: latency.n)
    mean = _mean((latency.mean, latency.n) for latency in known)
    return msgspec.structs.replace(most, mean=mean, n=sum(latency.n for latency in known))


def _entry_shares(rows: Sequence[ProfiledFunction]) -> tuple[EntryShare, ...]:
    """Of each entry point the share of the function's weight, its calls or else its samples."""
    weights: Counter[str] = Counter()
    is_counted = any(row.calls and row.entry_points for row in rows)
    whole = 0
    for row in rows:
        weight = (row.calls if is_counted else row.time_total and row.time_total.samples) or 0
        if row.entry_points:
            whole += weight
        for entry in row.entry_points:
            weights[entry.id] += (entry.share or 0.0) * weight  # type: ignore[assignment]
    if not whole:
        return next((row.entry_points for row in rows if row.entry_points), ())
    ordered = sorted(weights.items(), key=lambda item: (-item[1], item[0]))
    return tuple(EntryShare(id=id, share=round(min(1.0, weight / whole), 6)) for id, weight in ordered[:20])


def _edges(profiles: Iterable[Profile]) -> tuple[Edge, ...]:
    sums: dict[tuple[str, str, str], Edge] = {}
    for profile in profiles:
        for edge in profile.edges:
            key = edge.caller, edge.callee, edge.basis
            known = sums.get(key)
            if known is not None:
                edge = msgspec.structs.replace(
                    edge, calls=_sum(edge.calls, known.calls), samples=_sum(edge.samples, known.samples)
                )
            sums[key] = edge
    return tuple(sums[key] for key in sorted(sums))


def _sum(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else one + other


def _entry_points(profiles: Sequence[Profile], scales: _Scales) -> tuple[EntryPoint, ...]:
    """Rates are of all minutes together, weights of all the traffic that came in."""
    found: dict[str, list[tuple[EntryPoint, float]]] = {}
    for profile in profiles:
        minutes = (profile.meta.window.observed_seconds or 0.0) / 60
        for entry in profile.entry_points:
            found.setdefault(entry.id, []).append((entry, minutes))
    rows = []
    for id in sorted(found):
        entries = found[id]
        rates = [(entry.calls_per_min * minutes) for entry, minutes in entries if entry.calls_per_min is not None]
        weight = _mean((entry.weight, minutes or 1.0) for entry, minutes in entries)
        rows.append(
            msgspec.structs.replace(
                entries[0][0],
                handler=next((entry.handler for entry, _ in entries if entry.handler), None),
                calls_per_min=round(sum(rates) / scales.minutes, 6) if rates and scales.minutes else None,
                error_rate=_mean((entry.error_rate, minutes or 1.0) for entry, minutes in entries),
                latency_ms=_latency([entry.latency_ms for entry, _ in entries]),
                weight=None if weight is None else min(1.0, weight),
            )
        )
    return tuple(rows)


def _window(profiles: Sequence[Profile]) -> Window:
    windows = [profile.meta.window for profile in profiles]
    seconds = [window.observed_seconds for window in windows if window.observed_seconds]
    return Window(
        start=min((window.start for window in windows if window.start), default=None),
        end=max((window.end for window in windows if window.end), default=None),
        observed_seconds=round(sum(seconds), 3) if seconds else None,
    )


def _unmatched(profiles: Iterable[Profile]) -> Unmatched:
    frames: Counter[str] = Counter()
    examples: list[UnmatchedFrame] = []
    for profile in profiles:
        frames.update(profile.unmatched.frames)
        examples += profile.unmatched.examples
    examples.sort(key=lambda example: (-example.weight, example.file or "", example.name, example.line or 0))
    return Unmatched(frames=dict(frames), examples=tuple(examples[:_MAX_EXAMPLES]))


def _union(groups: Iterable[Sequence[_T]]) -> tuple[_T, ...]:
    return tuple(sorted({item for group in groups for item in group}))  # type: ignore[type-var]


def _only(values: Iterable[str | None]) -> str | None:
    known = {value for value in values if value}
    return known.pop() if len(known) == 1 else None
