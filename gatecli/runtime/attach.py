"""From a profile to the usage of the functions of a change, and to what a blast radius is made of.

A function that the profile does not have is not a function without traffic. Which of the two is known depends on the
source: an always-on count knows, samples bound it, spans say nothing (reference: runtime data §15.5).
"""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping

from gatecli.model import FunctionChange, FunctionId, Usage, UsageStatus
from gatecli.runtime.carry import Since, as_of
from gatecli.runtime.edges import Edge
from gatecli.runtime.entries import label
from gatecli.runtime.profile import Profile, ProfiledFunction
from gatecli.runtime.summary import GOOD_MATCHED, project_frames, sample_count


def attach(
    profile: Profile | None, functions: tuple[FunctionChange, ...], since: Mapping[FunctionId, Since] | None = None
) -> dict[FunctionId, Usage]:
    """The usage of each touched function, looked up by its id before the change; ``reason`` says what is missing.

    ``since`` says what happened to functions between the recording and the change, by their ids before the change.
    """
    if profile is None:
        return {change.id: Usage(status=UsageStatus.NO_PROFILE, reason="no profile") for change in functions}
    callers, callees = _neighbours(profile, {str(change.base_id) for change in functions})
    result = {}
    for change in functions:
        key = str(change.base_id)
        row = profile.function(key) if change.before is not None else None
        past = since.get(change.base_id) if since and change.before is not None else None
        if row is None:
            result[change.id] = _absent(profile, change, is_new=past is not None and past.was is None)
        else:
            observed = _observed(profile, row, callers.get(key, ()), callees.get(key, ()))
            result[change.id] = as_of(observed, change.base_id, past) if past else observed
    return result


def usage_of(profile: Profile, id: FunctionId) -> Usage | None:
    """The usage of any function by its id at the base revision, None where the profile does not have it."""
    row = profile.function(str(id))
    return _observed(profile, row, (), ()) if row is not None else None


def tests_of(profile: Profile, functions: Iterable[FunctionChange]) -> dict[FunctionId, tuple[str, ...]] | None:
    """The tests that executed each function; None where the profile does not know of tests."""
    if profile.tests is None:
        return None
    return {change.id: profile.tests.get(str(change.base_id), ()) for change in functions}


def _neighbours(
    profile: Profile, wanted: Collection[str]
) -> tuple[dict[str, tuple[FunctionId, ...]], dict[str, tuple[FunctionId, ...]]]:
    """Callers and callees of the wanted functions, those with the most calls or samples first."""
    callers: dict[str, Counter[str]] = defaultdict(Counter)
    callees: dict[str, Counter[str]] = defaultdict(Counter)
    calls = profile.calls()
    for edge in (edge for id in wanted for edge in calls.callers(id)):
        callers[edge.callee][edge.caller] += edge.calls or edge.samples or 0
    for edge in calls.callees(wanted):
        callees[edge.caller][edge.callee] += edge.calls or edge.samples or 0
    return _ranked(callers), _ranked(callees)


def _ranked(weights: Mapping[str, Counter[str]]) -> dict[str, tuple[FunctionId, ...]]:
    return {
        key: tuple(function_id(id) for id, _ in sorted(ids.items(), key=lambda item: (-item[1], item[0])))
        for key, ids in weights.items()
    }


def _observed(
    profile: Profile, row: ProfiledFunction, callers: tuple[FunctionId, ...], callees: tuple[FunctionId, ...]
) -> Usage:
    latency = row.latency_ms
    share, margin = _share_with_margin(profile, row)
    sources = profile.meta.sources
    kinds = dict.fromkeys(sources[index].kind for index in row.sources if index < len(sources))
    return Usage(
        status=UsageStatus.OBSERVED,
        calls_per_minute=row.calls_per_min,
        share=share,
        share_margin=margin,
        self_share=row.time_self.share if row.time_self else None,
        error_rate=row.error_rate,
        p50_ms=latency.p50 if latency else None,
        p95_ms=latency.p95 if latency else None,
        entry_points=tuple((label(entry.id), entry.share) for entry in row.entry_points),
        callers=callers,
        callees=callees,
        critical_path_share=row.critical_path_share,
        critical_path_basis=row.critical_path_basis,
        services=(profile.meta.service,) if profile.meta.service else (),
        basis=_basis(row),
        source=", ".join(kinds) or None,
        confidence=_confidence(profile, row),
        reason=_without_rate(row),
    )


def _share_with_margin(profile: Profile, row: ProfiledFunction) -> tuple[float | None, float | None]:
    """The function's share of the traffic where it was traced, else of the time, which has a margin if sampled."""
    total = row.time_total
    if (traffic := traced_share(profile, [row])) is not None:
        return traffic, None
    return (total.share, total.pm95) if total else (None, None)


def _basis(row: ProfiledFunction) -> str | None:
    if row.calls_basis is not None:
        return "counted" if row.calls_basis.startswith("counted") else "spans"
    return "sampled" if row.time_total or row.time_self else None


def _confidence(profile: Profile, row: ProfiledFunction) -> str:
    """How sure it is that the figures are this function's; lines mean little if the revision is not known."""
    if row.match in ("qualname", "dotted", "route"):
        return "high"
    if profile.meta.revision is None:
        return "low"
    return "high" if row.match == "first-line" else "medium"


def _without_rate(row: ProfiledFunction) -> str | None:
    if row.calls_overcounted:
        return "each resumption of the generator or coroutine is counted as a call"
    if row.calls_per_min is not None:
        return None
    if row.calls is not None:
        return f"{row.calls:,} calls recorded, but not in how much time"
    if row.time_total:
        return "sampled: shares of time, no calls"
    return "seen only in tracebacks" if row.errors else "it ran, too rarely to tell how often"


def _absent(profile: Profile, change: FunctionChange, *, is_new: bool) -> Usage:
    """Why there is no figure, and whether that says that the function did not run."""
    id = change.base_id
    if change.before is None:
        return Usage(status=UsageStatus.UNMATCHED, reason="new function")
    if is_new:
        return Usage(status=UsageStatus.UNMATCHED, reason="newer than the profile")
    if _is_ambiguous(profile, id):
        return Usage(status=UsageStatus.UNMATCHED, reason="ambiguous: the profile has frames that may be of several")
    known = profile.has_file(id.path)
    project, matched = project_frames(profile)
    if not known and matched < GOOD_MATCHED * project:
        reason = f"file not in the profile, of whose {project:,} project frames only {matched:,} are matched"
        return Usage(status=UsageStatus.UNMATCHED, reason=reason)
    named_by = "span" if any(source.basis == "spans" for source in profile.meta.sources) else "counter"
    claims = list(_claims(profile)) or [f"no {named_by} names it, which does not say that it did not run"]
    return Usage(
        status=UsageStatus.NOT_OBSERVED, reason="; ".join([*claims, *([] if known else ["nothing in its file was"])])
    )


def _is_ambiguous(profile: Profile, id: FunctionId) -> bool:
    file = id.path.rpartition("/")[2]
    return any(
        example.reason == "ambiguous"
        and example.name.rpartition(".")[2] == id.name
        and (example.file is None or example.file.replace("\\", "/").rpartition("/")[2] == file)
        for example in profile.unmatched.examples
    )


def _claims(profile: Profile) -> Iterator[str]:
    """What the sources say of a function they do not have."""
    window = profile.meta.window.observed_seconds
    if any(source.basis == "counted" and not source.selective for source in profile.meta.sources):
        yield "never called in the recorded run" if window is None else f"never called in {_length(window)}"
    if samples := sample_count(profile):
        # Nothing in n samples bounds the share at 3/n with 95 % confidence ("rule of three"); rounded up.
        bound = math.ceil(min(1.0, 3 / samples) * 10_000) / 100
        yield f"not seen in {samples:,} samples (at most {bound:.2f} % of the time)"


def _length(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"


# --------------------------------------------------------------------------- what a blast radius is made of


def function_id(key: str) -> FunctionId:
    """The id that a profile writes as ``path::qualname``."""
    path, _, qualname = key.rpartition("::")
    return FunctionId(path=path, qualname=qualname)


class Callers(Mapping[FunctionId, tuple[tuple[FunctionId, float | None], ...]]):
    """The recorded callers of each function, with their calls per minute; ids are made when they are asked for."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._calls = profile.calls()

    def __getitem__(self, id: FunctionId) -> tuple[tuple[FunctionId, float | None], ...]:
        key = str(id)
        edges = self._calls.callers(key)
        if not edges:
            raise KeyError(id)
        rates: dict[str, float | None] = {}
        for edge in edges:
            rate = _edge_rate(edge, self._profile.function(key))
            rates[edge.caller] = rate if rate is not None else rates.get(edge.caller)
        ordered = sorted(rates.items(), key=lambda item: (-(item[1] or 0.0), item[0]))
        return tuple((function_id(caller), rate) for caller, rate in ordered)

    def __iter__(self) -> Iterator[FunctionId]:
        return map(function_id, self._calls.called())

    def __len__(self) -> int:
        return sum(1 for _ in self._calls.called())


def _edge_rate(edge: Edge, callee: ProfiledFunction | None) -> float | None:
    """Calls per minute over an edge: its part of the callee's calls, where both were got in the same way."""
    if callee is None or not callee.calls or callee.calls_per_min is None or edge.calls is None:
        return None
    if edge.basis != _basis(callee):
        return None
    return callee.calls_per_min * min(1.0, edge.calls / callee.calls)


def callers_in(profile: Profile) -> Callers:
    """Callee → its recorded callers with their calls per minute (None: not known)."""
    return Callers(profile)


def entry_points_of(profile: Profile) -> dict[FunctionId, tuple[tuple[str, float | None], ...]]:
    """The functions that handle an entry point → the labels of those, each with its share of all observed traffic."""
    handled: dict[FunctionId, list[tuple[str, float | None]]] = defaultdict(list)
    for entry in profile.entry_points:
        if entry.handler is not None:
            handled[function_id(entry.handler)].append((label(entry.id), entry.weight))
    return {id: tuple(entries) for id, entries in handled.items()}


def traced_share(profile: Profile, rows: Collection[ProfiledFunction]) -> float | None:
    """The share of all traced requests and jobs that came in by an entry point that reaches one of the functions."""
    ids = {row.id for row in rows}
    named = {entry.id for row in rows for entry in row.entry_points}
    weights = [
        entry.weight
        for entry in profile.entry_points
        # Only an entry point that was traced has an error rate.
        if entry.error_rate is not None and entry.weight is not None and (entry.handler in ids or entry.id in named)
    ]
    return min(1.0, sum(weights)) if weights else None


def traffic_share(profile: Profile, function_ids: Collection[FunctionId]) -> float | None:
    """The share of observed traffic, 0..1, that runs through any of the functions; None where it is not known.

    Where entry points were traced, it is the share of all requests and jobs that came in by one that reaches a
    function. Else it is a share of time: the inclusive share of the functions, joined by entry point, which is exact
    for one function and for functions that call each other, and a lower bound otherwise.
    """
    rows = [row for id in sorted(map(str, function_ids)) if (row := profile.function(id)) is not None]
    if (traffic := traced_share(profile, rows)) is not None:
        return traffic
    shares = [(row, row.time_total.share) for row in rows if row.time_total is not None]
    if not shares:
        return None
    by_entry: dict[str, float] = defaultdict(float)
    for row, share in shares:
        for entry in row.entry_points:
            by_entry[entry.id] = max(by_entry[entry.id], share * (entry.share or 0.0))
    return min(1.0, max(max(share for _, share in shares), sum(by_entry.values())))
