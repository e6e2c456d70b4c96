"""The critical path of a request: the spans that would have to be faster for it to be faster.

The algorithm of CRISP, by Zhang and others, "CRISP: Critical Path Analysis of Large-Scale Microservice Architectures",
USENIX ATC 2022, https://www.usenix.org/conference/atc22/presentation/zhang-zhizhou. From the last child to return, back
over those that returned before the next one began; what a span holds apart from its children on the path is its own.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from gatecli.model import FunctionId
from gatecli.runtime.recording import SpanKind, TraceSpan

MAX_REQUESTS = 50_000
"""Of more requests than this, only every n-th is followed: shares are as good, and it takes as long as all else."""

TOLERANCE = 0.01
"""Children that overlap by less than this part of their parent's duration still count as one after the other."""


@dataclass(slots=True)
class CriticalTimes:
    """Nanoseconds on critical paths, summed over requests.

    ``whole`` is by entry point; ``functions`` by function and entry point, each with all that runs below it.
    """

    whole: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    functions: dict[FunctionId, dict[str, float]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(float))
    )

    def share(self, id: FunctionId) -> float | None:
        """The part, 0..1, of the time of the requests that reach a function which they wait for it."""
        times = self.functions.get(id)
        whole = sum(self.whole[entry] for entry in times) if times else 0.0
        return min(1.0, sum(times.values()) / whole) if times and whole else None

    def add(
        self,
        spans: Sequence[TraceSpan],
        parents: Sequence[int | None],
        functions: Sequence[FunctionId | None],
        roots: Mapping[int, str],
    ) -> None:
        """Add the requests of a recording.

        Args:
            spans: All of it.
            parents: The index of each span's parent.
            functions: The function of each span, as far as it has one.
            roots: Spans by which requests came in, with their entry points. Each is a request of its own.
        """
        children: dict[int, list[int]] = defaultdict(list)
        for index, parent in enumerate(parents):
            if parent is not None and index not in roots:
                children[parent].append(index)
        every = -(-len(roots) // MAX_REQUESTS) or 1
        for root, entry in islice(roots.items(), 0, None, every):
            self._add_request(root, entry, spans, functions, children)

    def _add_request(
        self,
        root: int,
        entry: str,
        spans: Sequence[TraceSpan],
        functions: Sequence[FunctionId | None],
        children: Mapping[int, Sequence[int]],
    ) -> None:
        weight = spans[root].count or 1.0
        steps = list(critical_path(root, spans, children))
        below = {step.span: step.exclusive_ns for step in steps}
        for step in reversed(steps):
            if step.parent is not None:
                below[step.parent] += below[step.span]
        self.whole[entry] += weight * below.get(root, 0)
        for span, function in _outermost(steps, functions):
            self.functions[function][entry] += weight * below[span]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A span on the critical path (by index), the one above it, and the nanoseconds that are its own."""

    span: int
    parent: int | None
    exclusive_ns: int


def _outermost(steps: list[Step], functions: Sequence[FunctionId | None]) -> Iterator[tuple[int, FunctionId]]:
    """The spans of functions that are not in a span of the same function: what recurs counts once."""
    above: list[tuple[int, FunctionId | None]] = []
    running: Counter[FunctionId] = Counter()
    for step in steps:
        while above and above[-1][0] != step.parent:
            _, ended = above.pop()
            if ended is not None:
                running[ended] -= 1
        function = functions[step.span]
        above.append((step.span, function))
        if function is not None:
            if not running[function]:
                yield step.span, function
            running[function] += 1


@dataclass(frozen=True, slots=True)
class _Timed:
    """A span as it is seen by its parent: cut to the time that the parent runs."""

    span: int
    start: int
    end: int

    @property
    def duration(self) -> int:
        return self.end - self.start


def critical_path(root: int, spans: Sequence[TraceSpan], children: Mapping[int, Sequence[int]]) -> Iterator[Step]:
    """The critical path of one request, from its root down, parents before their children; nothing without times.

    ``children`` are the spans below each span. One that has no times, or that ran outside its parent, is left out
    with all below it.
    """
    top = _Timed(root, spans[root].start_ns, spans[root].end_ns)
    if not top.start or top.end < top.start:
        return
    waiting: list[tuple[_Timed, int | None]] = [(top, None)]
    seen = {root}
    while waiting:
        current, parent = waiting.pop()
        fresh = [index for index in children.get(current.span, ()) if index not in seen]
        seen.update(fresh)
        below = [timed for index in fresh if (timed := _cut(index, current, spans)) is not None]
        path = _last_returning(below, current.duration)
        own = max(0, current.duration - sum(child.duration for child in path))
        yield Step(span=current.span, parent=parent, exclusive_ns=own)
        waiting.extend((child, current.span) for child in path)


def _cut(index: int, parent: _Timed, spans: Sequence[TraceSpan]) -> _Timed | None:
    """A child within the time of its parent, None where it ran outside of it.

    What a client waits for on another machine is left as it is: the two clocks differ.
    """
    span = spans[index]
    if not span.start_ns or span.end_ns < span.start_ns:
        return None
    if span.kind is SpanKind.SERVER and spans[parent.span].kind is SpanKind.CLIENT:
        return _Timed(index, span.start_ns, span.end_ns)
    if span.start_ns > parent.end or span.end_ns < parent.start:
        return None
    return _Timed(index, max(span.start_ns, parent.start), min(span.end_ns, parent.end))


def _last_returning(children: list[_Timed], parent_ns: int) -> list[_Timed]:
    """The child that returns last, then the last of those that ended before it began, and so on to the first."""
    if not children:
        return []
    ordered = sorted(children, key=lambda child: (-child.end, -child.start, child.span))
    edges = sorted(edge for child in children for edge in (child.start, child.end))
    path = [ordered[0]]
    for child in ordered[1:]:
        if _happens_before(child, path[-1], parent_ns, edges):
            path.append(child)
    return path


def _happens_before(child: _Timed, later: _Timed, parent_ns: int, edges: Sequence[int]) -> bool:
    if child.end <= later.start:
        return True
    overlap = child.end - later.start
    if child.start >= later.start or overlap >= TOLERANCE * parent_ns:
        return False
    # Two of the edges in the overlap are its ends; any other is of a third child, which may be what was waited for.
    return bisect_right(edges, child.end) - bisect_left(edges, later.start) == 2
