"""From spans to calls, latencies, errors, callers and entry points."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from gatecli.model import FunctionId
from gatecli.runtime.critical_path import CriticalTimes
from gatecli.runtime.entries import Entry, Routes
from gatecli.runtime.frames import Match
from gatecli.runtime.recording import Basis, Context, Durations, Operation, Recording, SpanKind, TraceSpan
from gatecli.runtime.times import Times

_T = TypeVar("_T")


@dataclass(slots=True)
class Operations:
    """Spans of one function or entry point.

    ``count`` and ``errors`` are scaled by the sampling ratio where it is known; ``is_scaled`` says whether it always
    was. ``by_entry`` splits ``count`` by entry point. ``durations`` are of spans that were added up where they are
    kept, ``times`` of those that were added up while they were read.
    """

    count: float = 0.0
    errors: float = 0.0
    is_scaled: bool = True
    milliseconds: list[float] = field(default_factory=list)
    durations: list[Durations] = field(default_factory=list)
    times: list[Times] = field(default_factory=list)
    first_ns: int | None = None
    last_ns: int | None = None
    by_entry: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def add(self, span: TraceSpan, entry: str | None) -> None:
        """Count one span."""
        count = 1.0 if span.count is None else span.count
        self.count += count
        self.errors += count if span.error else 0.0
        self.is_scaled &= span.count is not None
        if entry is not None:
            self.by_entry[entry] += count
        if span.start_ns and span.end_ns >= span.start_ns:
            self.milliseconds.append((span.end_ns - span.start_ns) / 1e6)
            self.first_ns = min(self.first_ns or span.start_ns, span.start_ns)
            self.last_ns = max(self.last_ns or span.end_ns, span.end_ns)

    def add_up(self, operation: Operation) -> None:
        """Count spans that were added up before."""
        self.count += operation.count
        self.errors += operation.errors
        self.is_scaled &= operation.is_scaled
        if operation.durations is not None:
            self.durations.append(operation.durations)
        if operation.times is not None:
            self.times.append(operation.times)
        if operation.first_ns and operation.last_ns:
            self.first_ns = min(self.first_ns or operation.first_ns, operation.first_ns)
            self.last_ns = max(self.last_ns or operation.last_ns, operation.last_ns)

    def percentiles(self, *parts: float) -> list[float]:
        """Nearest-rank percentiles of the durations in milliseconds, ``parts`` of 0..1; there is at least one."""
        ordered = sorted(self.milliseconds)
        return [ordered[max(0, math.ceil(part * len(ordered)) - 1)] for part in parts]


@dataclass(slots=True)
class Traces:
    """Sums over all recordings of spans.

    ``entries`` are by id. ``raised`` has the exceptions that passed through a function, by type, each once a trace.
    ``critical`` is what requests wait for. ``warnings`` come with the position of their recording.
    """

    functions: dict[FunctionId, Operations] = field(default_factory=lambda: defaultdict(Operations))
    entries: dict[str, tuple[Entry, Operations]] = field(default_factory=dict)
    edges: dict[tuple[FunctionId, FunctionId], float] = field(default_factory=lambda: defaultdict(float))
    raised: dict[FunctionId, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    critical: CriticalTimes = field(default_factory=CriticalTimes)
    warnings: list[tuple[int, str]] = field(default_factory=list)


def trace(
    recordings: Iterable[tuple[Recording, Sequence[Match]]],
    routes: Routes,
    service: str | None,
) -> Traces:
    """Add up the recordings of spans.

    With ``service``, spans of other services only serve as the context of its own.
    """
    traces = Traces()
    for position, (recording, matches) in enumerate(recordings):
        if recording.operations:
            warnings = _add_up(recording, matches, routes, service, traces)
            traces.warnings += [(position, warning) for warning in warnings]
            _add_critical(recording.spans, matches, routes, service, traces)
        elif recording.basis is Basis.SPANS:
            warnings = _add(recording, matches, routes, service, traces)
            traces.warnings += [(position, warning) for warning in warnings]
    return traces


def _entry(span: TraceSpan | Operation, matches: Sequence[Match], routes: Routes) -> Entry | None:
    """The entry point of a server or consumer span, with its handler as far as it is known."""
    if span.entry is None:
        return None
    id = f"{span.entry.kind} {span.entry.name}"
    handler = _function(span.code, matches) or routes.handler(id) or _function(span.entry.frame, matches)
    return Entry(id=id, kind=span.entry.kind, handler=handler)


def _function(frame: int | None, matches: Sequence[Match]) -> FunctionId | None:
    function = matches[frame].function if frame is not None else None
    return function.id if function else None


def _add_up(
    recording: Recording, matches: Sequence[Match], routes: Routes, service: str | None, traces: Traces
) -> Iterator[str]:
    """Add spans that were added up before: where they are kept, only of the service that was asked for."""
    operations = recording.operations
    entries = [_entry(operation, matches, routes) for operation in operations]
    functions = _functions(operations, entries, matches)
    own = [_is_own(operation, service) for operation in operations]
    unrouted = 0
    for operation, entry, function, ours in zip(operations, entries, functions, own, strict=True):
        if not ours:
            continue
        unrouted += operation.spans if operation.is_server and entry is None else 0
        if entry is not None:
            known, sums = traces.entries.get(entry.id, (entry, Operations()))
            sums.add_up(operation)
            traces.entries[entry.id] = known if known.handler else entry, sums
        if function is None:
            continue
        traces.functions[function].add_up(operation)
        for position, count in operation.entered:
            if (through := entries[position]) is not None:
                traces.functions[function].by_entry[through.id] += count
        for position, count in operation.calls:
            callee = functions[position]
            if callee is not None and callee != function:
                traces.edges[function, callee] += count
    _add_contexts(recording.contexts, entries, functions, own, traces)
    for passed in recording.raised:
        if service is None or passed.service in (None, service):
            found = ((type, _function(frame, matches)) for type, frame in passed.places)
            for type, id in {(type, id) for type, id in found if id is not None}:
                traces.raised[id][type] += passed.times
    if unrouted:
        yield f"{unrouted:,} requests matched no route and are left out"


def _add_contexts(
    contexts: Sequence[Context],
    entries: Sequence[Entry | None],
    functions: Sequence[FunctionId | None],
    own: Sequence[bool],
    traces: Traces,
) -> None:
    """Callers and entry points, each the nearest above; contexts come behind the one above them."""
    inside: list[FunctionId | None] = []
    entered: list[str | None] = []
    for context in contexts:
        caller = inside[context.above] if context.above is not None else None
        through = entered[context.above] if context.above is not None else None
        entry, function = entries[context.operation], functions[context.operation]
        entered.append(entry.id if entry else through)
        inside.append(function or caller)
        if function is None or not own[context.operation]:
            continue
        if (came_in := entered[-1]) is not None:
            traces.functions[function].by_entry[came_in] += context.count
        if caller is not None and caller != function:
            traces.edges[caller, function] += context.count


def _functions(
    spans: Sequence[TraceSpan | Operation], entries: Sequence[Entry | None], matches: Sequence[Match]
) -> list[FunctionId | None]:
    return [
        (entry.handler if entry else None) or _function(span.code, matches)
        for span, entry in zip(spans, entries, strict=True)
    ]


def _is_own(span: TraceSpan | Operation, service: str | None) -> bool:
    return service is None or span.service in (None, service)


def _add_critical(
    spans: Sequence[TraceSpan], matches: Sequence[Match], routes: Routes, service: str | None, traces: Traces
) -> None:
    """What requests wait for."""
    parents = _parents(spans)
    entries = [_entry(span, matches, routes) for span in spans]
    functions = _functions(spans, entries, matches)
    own = [_is_own(span, service) for span in spans]
    traces.critical.add(
        spans,
        parents,
        [function if ours else None for function, ours in zip(functions, own, strict=True)],
        _roots(spans, parents, [entry if ours else None for entry, ours in zip(entries, own, strict=True)]),
    )


def _add(
    recording: Recording,
    matches: Sequence[Match],
    routes: Routes,
    service: str | None,
    traces: Traces,
) -> Iterator[str]:
    spans, repeated = _distinct(recording.spans)
    if repeated:
        yield f"{repeated:,} spans are recorded twice and counted once"
    entries = [_entry(span, matches, routes) for span in spans]
    functions = _functions(spans, entries, matches)
    parents = _parents(spans)
    inside = _contexts(parents, functions)
    entered = _contexts(parents, [entry.id if entry else None for entry in entries])
    seen: set[tuple[str, FunctionId, str]] = set()
    unrouted = 0
    for index, span in enumerate(spans):
        if not _is_own(span, service):
            continue
        entry, function, parent = entries[index], functions[index], parents[index]
        unrouted += span.kind is SpanKind.SERVER and entry is None
        if entry is not None:
            known, operations = traces.entries.get(entry.id, (entry, Operations()))
            operations.add(span, None)
            traces.entries[entry.id] = known if known.handler else entry, operations
        if function is not None:
            traces.functions[function].add(span, entered[index])
            caller = inside[parent] if parent is not None else None
            if caller is not None and caller != function:
                traces.edges[caller, function] += 1.0 if span.count is None else span.count
        for type, id in _raised(span, matches):
            if (span.trace, id, type) not in seen:
                seen.add((span.trace, id, type))
                traces.raised[id][type] += 1
    _add_critical(spans, matches, routes, service, traces)
    if unrouted:
        yield f"{unrouted:,} requests matched no route and are left out"


def _roots(spans: Sequence[TraceSpan], parents: list[int | None], entries: Sequence[Entry | None]) -> dict[int, str]:
    """The spans by which work came in from outside, with their entry points; nobody waits for a job."""
    entered = _contexts(parents, entries)
    roots = {}
    for index, entry in enumerate(entries):
        parent = parents[index]
        is_outermost = parent is None or entered[parent] is None
        if entry is not None and (is_outermost or spans[index].kind is SpanKind.CONSUMER):
            roots[index] = entry.id
    return roots


def _raised(span: TraceSpan, matches: Sequence[Match]) -> Iterator[tuple[str, FunctionId]]:
    for raised in span.raised:
        for frame in raised.frames:
            if (id := _function(frame, matches)) is not None:
                yield raised.type, id


def _distinct(spans: tuple[TraceSpan, ...]) -> tuple[list[TraceSpan], int]:
    """The spans, each once: a collector that retries writes some again."""
    seen: dict[tuple[str, str], list[SpanKind]] = {}
    result = []
    for span in spans:
        if span.id:
            kinds = seen.setdefault((span.trace, span.id), [])
            if span.kind in kinds:  # the two ends of a call may have one id (Zipkin)
                continue
            kinds.append(span.kind)
        result.append(span)
    return result, len(spans) - len(result)


def _parents(spans: Sequence[TraceSpan]) -> list[int | None]:
    """The index of each span's parent, None where it is not in the recording."""
    index = {(span.trace, span.id): position for position, span in enumerate(spans) if span.id}
    return [index.get((span.trace, span.parent)) if span.parent else None for span in spans]


def _contexts(parents: list[int | None], own: Sequence[_T | None]) -> list[_T | None]:
    """For each span its own value or that of the nearest ancestor that has one; a cycle of parents has none."""
    result: list[_T | None] = [None] * len(own)
    done = [False] * len(own)
    for start in range(len(own)):
        path: list[int] = []
        on_path: set[int] = set()
        current: int | None = start
        while current is not None and not done[current] and current not in on_path:
            path.append(current)
            on_path.add(current)
            current = parents[current]
        value = result[current] if current is not None and done[current] else None
        for position in reversed(path):
            if own[position] is not None:
                value = own[position]
            result[position] = value
            done[position] = True
    return result
