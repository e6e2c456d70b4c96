"""From counted records (cProfile and its like) to calls, measured times and callers."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from gatecli.model import Function, FunctionId
from gatecli.runtime.frames import Match, wraps
from gatecli.runtime.recording import Basis, Durations, Recording


@dataclass(slots=True)
class Count:
    """Calls, and measured seconds with and without what was called; ``total_s`` is None where it is not known.

    ``overcounted`` says that resumptions of a generator or coroutine were counted as calls, ``errors`` are failed ones.
    """

    calls: int = 0
    self_s: float = 0.0
    total_s: float | None = 0.0
    overcounted: bool = False
    errors: int | None = None
    durations: list[Durations] = field(default_factory=list)


@dataclass(slots=True)
class Counts:
    """Sums over all counted recordings; ``seconds`` is all the time that was measured.

    ``warnings`` come with the position of their recording.
    """

    seconds: float = 0.0
    functions: dict[FunctionId, Count] = field(default_factory=lambda: defaultdict(Count))
    edges: dict[tuple[FunctionId, FunctionId], int] = field(default_factory=lambda: defaultdict(int))
    warnings: list[tuple[int, str]] = field(default_factory=list)


def count(recordings: Iterable[tuple[Recording, Sequence[Match]]]) -> Counts:
    """Add up the counted recordings."""
    counts = Counts()
    for position, (recording, matches) in enumerate(recordings):
        if recording.basis is Basis.COUNTED:
            _add_functions(recording, matches, counts)
            if hidden := _add_edges(recording, matches, counts):
                counts.warnings.append(
                    (position, f"{hidden:,} callers are hidden by wrappers: call counts do not tell who reached which")
                )
    return counts


def _add_functions(recording: Recording, matches: Sequence[Match], counts: Counts) -> None:
    for record in recording.records:
        counts.seconds += record.self_weight or 0.0
        match = matches[record.frame]
        if match.function is None:
            continue
        total = counts.functions[match.function.id]
        total.self_s += record.self_weight or 0.0
        if match.inner:  # its calls are not the function's, and its time below is in the function's already
            continue
        total.calls += record.calls or 0
        if record.durations is not None:
            total.durations.append(record.durations)
        if record.errors is not None:
            total.errors = (total.errors or 0) + record.errors
        if record.total_weight is None or total.total_s is None:
            total.total_s = None
        else:
            total.total_s += record.total_weight
        is_resumed = recording.resumed_coroutines if match.function.is_async else recording.resumed_generators
        total.overcounted |= is_resumed and (match.function.is_async or match.function.is_generator)


def _add_edges(recording: Recording, matches: Sequence[Match], counts: Counts) -> int:
    """Add the calls between functions; returns how many callers could not be told."""
    callers: dict[FunctionId, dict[FunctionId, tuple[Function, int]]] = defaultdict(dict)
    callees: dict[FunctionId, set[FunctionId]] = defaultdict(set)
    functions: dict[FunctionId, Function] = {}
    for record in recording.records:
        function = matches[record.frame].function
        if function is None or matches[record.frame].inner:
            continue
        functions[function.id] = function
        for frame, calls in record.callers:
            caller = matches[frame].function
            if caller is not None and caller.id != function.id:
                before = callers[function.id].get(caller.id, (caller, 0))[1]
                callers[function.id][caller.id] = caller, before + calls
                callees[caller.id].add(function.id)
    hidden = 0
    for id, function in functions.items():
        for caller, calls in callers[id].values():
            found = list(_behind(caller, function, calls, callers, callees, set()))
            hidden += None in found
            for edge in found:
                if edge is not None and edge[0] != id:
                    counts.edges[edge[0], id] += edge[1]
    return hidden


def _behind(
    caller: Function,
    function: Function,
    calls: int,
    callers: dict[FunctionId, dict[FunctionId, tuple[Function, int]]],
    callees: dict[FunctionId, set[FunctionId]],
    seen: set[FunctionId],
) -> Iterator[tuple[FunctionId, int] | None]:
    """Who calls a function, and how often, seen through its wrappers; None where that cannot be told.

    Counts of a shared wrapper do not say which of its callers reached which function, unless there is only one.
    """
    if not wraps(caller, function):
        yield caller.id, calls
        return
    above = list(callers[caller.id].values())
    if caller.id in seen or not above or (len(above) > 1 and len(callees[caller.id]) > 1):
        yield None
        return
    seen.add(caller.id)
    for outer, outer_calls in above:
        yield from _behind(outer, function, calls if len(above) == 1 else outer_calls, callers, callees, seen)
