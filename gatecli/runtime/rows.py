"""Sums of recordings as the rows of a profile: functions, edges and entry points."""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import msgspec

from gatecli.model import Function, FunctionId, FunctionKind
from gatecli.runtime.counted import Counts
from gatecli.runtime.edges import Edge
from gatecli.runtime.frames import Match, Rule
from gatecli.runtime.profile import EntryPoint, EntryShare, Latency, ProfiledFunction, TimeShare
from gatecli.runtime.recording import Durations
from gatecli.runtime.sampled import Samples
from gatecli.runtime.times import Times, together
from gatecli.runtime.traces import Operations, Traces

MAX_ENTRY_POINTS = 10_000
MAX_ENTRY_SHARES = 20
MAX_ERROR_TYPES = 20
MAX_TEXT = 300

_RULES = tuple(Rule)
_Kind = Literal["function", "method", "async", "generator", "async_generator", "class_body", "module"]
_EntryKind = Literal["http", "task", "cron", "cli", "consumer", "thread"]
_ENTRY_KINDS: dict[str, _EntryKind] = {
    "http": "http", "task": "task", "cron": "cron", "cli": "cli", "consumer": "consumer", "thread": "thread",
    "grpc": "http",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """All that was added up, with the seconds that counts (``counted_s``) and spans (``spans_s``) are of."""

    functions: Mapping[FunctionId, Function]
    matches: tuple[Sequence[Match], ...]
    samples: Samples
    counts: Counts
    traces: Traces
    counted_s: float | None
    spans_s: float | None


def function_rows(sums: Sums, edges: Sequence[Edge]) -> tuple[ProfiledFunction, ...]:
    """One row for each function that has a figure, sorted by id."""
    rules: dict[FunctionId, int] = {}
    sources: dict[FunctionId, set[int]] = defaultdict(set)
    for position, matches in enumerate(sums.matches):
        for match in matches:
            if match.function is not None and match.rule is not None:
                id = match.function.id
                rules[id] = min(rules.get(id, len(_RULES)), _RULES.index(match.rule))
                sources[id].add(position)
    pairs = {(edge.caller, edge.callee) for edge in edges}
    callers = Counter(callee for _, callee in pairs)
    callees = Counter(caller for caller, _ in pairs)
    found = {*sums.counts.functions, *sums.samples.weights, *sums.traces.functions, *sums.traces.raised}
    return tuple(
        msgspec.structs.replace(
            _function_row(sums.functions[id], sums),
            match=_RULES[rules[id]].value if id in rules else "route",
            sources=tuple(sorted(sources[id])),
            callers=callers[str(id)] if pairs else None,
            callees=callees[str(id)] if pairs else None,
        )
        for id in sorted(found & sums.functions.keys())
    )


def _function_row(function: Function, sums: Sums) -> ProfiledFunction:
    id = function.id
    operations = sums.traces.functions.get(id)
    calls, per_minute, basis = _calls(id, sums)
    raised = sums.traces.raised.get(id, Counter[str]())
    counted = sums.counts.functions.get(id)
    errors = round(operations.errors) if operations else raised.total() or None
    error_rate = _part(operations.errors, operations.count) if operations else None
    if errors is None and counted is not None and counted.errors is not None:
        errors, error_rate = counted.errors, _part(counted.errors, counted.calls)
    own_code, own, total = _times(id, sums)
    waited, waited_basis = _critical(id, sums)
    return ProfiledFunction(
        id=str(id),
        kind=_kind(function),
        first_line=function.span.first_line,
        def_line=function.span.def_line,
        end_line=function.span.end_line,
        calls=calls,
        calls_per_min=per_minute,
        calls_basis=basis,
        calls_overcounted=basis == "counted" and sums.counts.functions[id].overcounted,
        time_self=own_code,
        time_own=own,
        time_total=total,
        errors=errors,
        error_rate=error_rate,
        error_types={text(type): count for type, count in sorted(raised.most_common(MAX_ERROR_TYPES))} or None,
        latency_ms=_latency(operations) if operations else _added_up(counted.durations) if counted else None,
        entry_points=_entry_shares(id, sums),
        critical_path_share=waited,
        critical_path_basis=waited_basis,
        first_seen=moment_ns(operations.first_ns) if operations else None,
        last_seen=moment_ns(operations.last_ns) if operations else None,
    )


def _kind(function: Function) -> _Kind:
    if function.kind is FunctionKind.MODULE:
        return "module"
    if function.kind is FunctionKind.CLASS_BODY:
        return "class_body"
    if function.is_generator:
        return "async_generator" if function.is_async else "generator"
    if function.is_async:
        return "async"
    return "method" if function.kind is FunctionKind.METHOD else "function"


_CallsBasis = Literal["counted", "spans_scaled", "estimated"]


def _calls(id: FunctionId, sums: Sums) -> tuple[int | None, float | None, _CallsBasis | None]:
    """Calls in the window, per minute, and their basis: of one kind of source, one with a known window first."""
    counted = sums.counts.functions.get(id)
    operations = sums.traces.functions.get(id)
    if counted is not None and counted.calls and (operations is None or sums.counted_s or not sums.spans_s):
        return counted.calls, _per_minute(counted.calls, sums.counted_s), "counted"
    if operations is not None:
        basis: _CallsBasis = "spans_scaled" if operations.is_scaled else "estimated"
        return round(operations.count), _per_minute(operations.count, sums.spans_s), basis
    return None, None, None


def _times(id: FunctionId, sums: Sums) -> tuple[TimeShare | None, TimeShare | None, TimeShare | None]:
    """Share of time in the function, with its library code, and with all it calls; sampled, else measured."""
    samples = sums.samples
    if samples.count:
        if (weight := samples.weights.get(id)) is None:
            return None, None, None
        own = _sampled(weight.own, samples.count) if samples.has_chains else None
        return _sampled(weight.leaf, samples.count), own, _sampled(weight.total, samples.count)
    counted = sums.counts.functions.get(id)
    if counted is None or not sums.counts.seconds:
        return None, None, None
    total = None if counted.total_s is None else _measured(counted.total_s, sums.counts.seconds)
    return _measured(counted.self_s, sums.counts.seconds), None, total


def _critical(id: FunctionId, sums: Sums) -> tuple[float | None, Literal["trace", "inclusive"] | None]:
    """The share of the critical path of the entry points that reach a function; without traces, of their samples."""
    traced = sums.traces.critical.share(id)
    if traced is not None:
        return round(traced, 6), "trace"
    if not (by_entry := sums.samples.by_entry.get(id)):
        return None, None
    whole = sum(weight for entry, weight in sums.samples.entries.items() if entry.id in by_entry)
    return _part(sum(by_entry.values()), whole), "inclusive"


def _sampled(weight: float, count: int) -> TimeShare:
    share = min(1.0, weight / count)
    # Half of the 95 % interval of a binomial share (normal approximation).
    margin = 1.96 * math.sqrt(share * (1 - share) / count)
    return TimeShare(share=round(share, 6), pm95=round(margin, 6), samples=round(weight))


def _measured(seconds: float, of: float) -> TimeShare:
    return TimeShare(share=round(min(1.0, seconds / of), 6))


def _latency(operations: Operations) -> Latency | None:
    times = operations.milliseconds
    if operations.times:
        alone = Times()
        alone.add([round(time * 1e6) for time in times])
        return _timed(together([*operations.times, alone]))
    if not times:
        return _added_up(operations.durations)
    p50, p95, p99 = (round(value, 3) for value in operations.percentiles(0.5, 0.95, 0.99))
    return Latency(mean=round(sum(times) / len(times), 3), p50=p50, p95=p95, p99=p99, n=len(times))


def _timed(times: Times) -> Latency:
    p50, p95, p99 = (round(value, 3) for value in times.percentiles_ms(0.5, 0.95, 0.99))
    return Latency(mean=round(times.mean_ms, 3), p50=p50, p95=p95, p99=p99, n=times.count)


def _added_up(durations: Sequence[Durations]) -> Latency | None:
    """Durations of several: percentiles cannot be added up, so they are those of the most calls."""
    if not durations:
        return None
    most = max(durations, key=lambda one: one.count)
    count = sum(one.count for one in durations)
    known = [(one.mean, one.count) for one in durations if one.mean is not None]
    of = sum(count for _, count in known)
    return Latency(
        mean=round(sum(mean * count for mean, count in known) / of, 3) if of else None,
        p50=_rounded(most.p50),
        p95=_rounded(most.p95),
        p99=_rounded(most.p99),
        n=count,
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _entry_shares(id: FunctionId, sums: Sums) -> tuple[EntryShare, ...]:
    """The entry points that the most of the function's spans, else of its samples, came in by."""
    traced = sums.traces.functions.get(id)
    weights: Mapping[str, float] = traced.by_entry if traced and traced.by_entry else sums.samples.by_entry.get(id, {})
    whole = sum(weights.values())
    largest = sorted(weights.items(), key=lambda item: (-item[1], item[0]))[:MAX_ENTRY_SHARES]
    return tuple(EntryShare(id=text(entry), share=_part(weight, whole)) for entry, weight in largest)


def edge_rows(sums: Sums) -> tuple[Edge, ...]:
    """The calls between functions, one row for each basis."""
    rows = [
        Edge(caller=str(caller), callee=str(callee), calls=calls, basis="counted")
        for (caller, callee), calls in sums.counts.edges.items()
    ]
    rows += [
        Edge(caller=str(caller), callee=str(callee), calls=max(1, round(calls)), basis="spans")
        for (caller, callee), calls in sums.traces.edges.items()
    ]
    rows += [
        Edge(caller=str(caller), callee=str(callee), samples=max(1, round(weight)), basis="sampled")
        for (caller, callee), weight in sums.samples.edges.items()
    ]
    return tuple(sorted(rows, key=lambda edge: (edge.caller, edge.callee, edge.basis)))


def entry_rows(sums: Sums) -> tuple[EntryPoint, ...]:
    """The entry points with the most traffic: weights are of spans where there are any, else of samples."""
    whole = sum(operations.count for _, operations in sums.traces.entries.values())
    rows = {
        id: EntryPoint(
            id=text(id),
            kind=_ENTRY_KINDS.get(entry.kind or ""),
            handler=str(entry.handler) if entry.handler else None,
            calls_per_min=_per_minute(operations.count, sums.spans_s),
            error_rate=_part(operations.errors, operations.count),
            latency_ms=_latency(operations),
            weight=_part(operations.count, whole),
        )
        for id, (entry, operations) in sums.traces.entries.items()
    }
    for entry, weight in sums.samples.entries.items():
        if entry.id not in rows:
            rows[entry.id] = EntryPoint(
                id=text(entry.id),
                kind=_ENTRY_KINDS.get(entry.kind or ""),
                handler=str(entry.handler) if entry.handler else None,
                weight=None if whole else _part(weight, sums.samples.count),
            )
    heaviest = sorted(rows.values(), key=lambda row: (-(row.weight or 0.0), row.id))[:MAX_ENTRY_POINTS]
    return tuple(sorted(heaviest, key=lambda row: row.id))


def _per_minute(count: float, seconds: float | None) -> float | None:
    return round(count / (seconds / 60), 6) if seconds else None


def _part(part: float, whole: float) -> float | None:
    return round(min(1.0, part / whole), 6) if whole else None


def moment_ns(nanoseconds: int | None) -> str | None:
    """RFC 3339 in UTC, to the second."""
    return moment(nanoseconds / 1e9) if nanoseconds else None


def moment(seconds: float | None) -> str | None:
    """RFC 3339 in UTC, to the second; None for no time, or one outside the calendar."""
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return None


def text(value: str) -> str:
    """Text of a recording as the profile holds it: valid Unicode, of bounded length."""
    return value[:MAX_TEXT].encode("utf-8", "replace").decode()
