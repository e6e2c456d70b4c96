"""Spans added up while they are read, in memory that does not grow with their number.

A trace is put together from its spans, which may come in any order and far from each other, and is over when nothing of
it came for a while. Then each of its spans is counted in a context: its operation, below the operations above it. From
contexts, who calls whom and what came in where follow as exactly as from the spans themselves (``traces``); what
requests wait for is told from a sample of whole traces, chosen by a hash of their id.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from operator import sub
from typing import NamedTuple
from zlib import crc32

from gatecli.errors import EvidenceError
from gatecli.runtime.recording import Context, Entry, Operation, Passed, Raised, SpanKind, TraceSpan
from gatecli.runtime.times import Times

HELD_SPANS = 100_000
"""A trace is over when this many spans of others came since its last one."""

MAX_TRACE_SPANS = 50_000
"""A trace with more is counted in parts."""

SAMPLED_SPANS = 20_000
"""What requests wait for is told from about as many spans, in whole traces."""

MAX_OPERATIONS = 100_000
MAX_CONTEXTS = 300_000
MAX_PLACES = 100_000


class Key(NamedTuple):
    """What makes spans one operation."""

    service: str | None
    kind: SpanKind
    code: int | None
    entry: Entry | None


class More(NamedTuple):
    """What most spans do not have: how many operations it stands for, a failure, exceptions."""

    stands_for: float | None
    error: bool
    raised: tuple[Raised, ...]


Row = tuple[str, str | None, int, int, int, More | None]
"""A span: its id and its parent's, the position of its operation, start and end in nanoseconds, and more."""


class _Operation:
    """What is added up of one operation."""

    __slots__ = ("errors", "first_ns", "is_named", "key", "last_ns", "scaled", "spans", "timeless", "times", "weight")

    def __init__(self, key: Key) -> None:
        self.key = key
        # Whether it is a function or an entry point: anything else is only a step between those.
        self.is_named = key.code is not None or key.entry is not None
        self.times = Times()
        self.spans = self.scaled = self.timeless = 0
        self.weight = self.errors = 0.0  # of the spans that are scaled; of all
        self.first_ns: int | None = None
        self.last_ns: int | None = None

    def add(self, rows: list[Row]) -> None:
        """Add spans up."""
        self.spans += len(rows)
        starts, ends = [row[3] for row in rows], [row[4] for row in rows]
        durations = list(map(sub, ends, starts))
        if not min(starts) or min(durations) < 0:
            timed = [row for row in rows if row[3] and row[4] >= row[3]]
            self.timeless += len(rows) - len(timed)
            starts, ends = [row[3] for row in timed], [row[4] for row in timed]
            durations = list(map(sub, ends, starts))
        if starts:
            first, last = min(starts), max(ends)
            self.first_ns = first if self.first_ns is None else min(self.first_ns, first)
            self.last_ns = last if self.last_ns is None else max(self.last_ns, last)
            self.times.add(durations)


class _Context:
    """The ``rows`` are those that are not added up yet."""

    __slots__ = ("above", "below", "count", "operation", "rows")

    def __init__(self, operation: int, above: "_Context | None") -> None:
        self.operation, self.above = operation, above
        self.below: dict[int, _Context] = {}
        self.rows: list[Row] = []
        self.count = 0.0


class TraceSums:
    """Takes spans one after the other; ``finish`` once, then ask what they come to."""

    def __init__(self) -> None:
        self.operations: list[_Operation] = []
        self.young: dict[str, list[Row]] = {}
        """The traces of which there are new spans; see ``rows``."""
        self.repeated = 0
        self.orphans = 0
        self._keys: dict[Key, int] = {}
        self._top = _Context(-1, None)
        self._contexts: list[_Context] = []
        self._steps: dict[int, list[Row]] = {}  # of operations that have no context
        self._old: dict[str, list[Row]] = {}
        self._held = 0
        self._passed: Counter[tuple[str | None, frozenset[tuple[str, int]]]] = Counter()
        self._sample: dict[str, list[Row]] = {}
        self._sampled = 0
        self._limit = 2**32

    def operation(self, key: Key) -> int:
        """The position of an operation.

        Raises:
            EvidenceError: there are too many.
        """
        found = self._keys.setdefault(key, len(self.operations))
        if found == len(self.operations):
            if found >= MAX_OPERATIONS:
                raise EvidenceError(
                    f"more than {MAX_OPERATIONS:,} different functions and entry points",
                    "is http.route a whole URL, or code.function.name made up? Split the file by service",
                )
            self.operations.append(_Operation(key))
        return found

    def rows(self, trace: str) -> list[Row]:
        """The spans of a trace that is not over, to which one more will be added."""
        rows = self.young.get(trace)
        if rows is None:
            rows = self.young[trace] = self._old.pop(trace, [])
        return rows

    def added(self, count: int) -> None:
        """Told now and then how many spans were added: traces that are over are added up."""
        self._held += count
        if self._held >= HELD_SPANS:
            self._close(self._old)
            self._old, self.young, self._held = self.young, {}, 0
            for trace, rows in self._old.items():
                if len(rows) > MAX_TRACE_SPANS:
                    self._close({trace: rows})
                    self._old[trace] = []

    def add(self, span: TraceSpan) -> None:
        """Add one span that was read whole."""
        key = Key(span.service, span.kind, span.code, span.entry)
        more = (
            More(span.count, span.error, span.raised) if span.count is not None or span.error or span.raised else None
        )
        row = span.id, span.parent, self.operation(key), span.start_ns, span.end_ns, more
        self.rows(span.trace).append(row)
        self.added(1)

    def finish(self) -> None:
        """There are no more spans."""
        self._close(self._old)
        self._close(self.young)
        self._old, self.young = {}, {}

    # --------------------------------------------------------------------------- a trace that is over

    def _close(self, traces: dict[str, list[Row]]) -> None:
        """Add traces up."""
        for trace, rows in traces.items():
            if len({row[0] for row in rows}) < len(rows):
                rows = self._distinct(rows)
            if rows:
                self._place(rows)
                if crc32(trace.encode("utf-8", "replace")) < self._limit:
                    self._keep(trace, rows)
        for context in self._contexts:
            if context.rows:
                context.count += len(context.rows)
                self.operations[context.operation].add(context.rows)
                context.rows = []
        for operation, rows in self._steps.items():
            self.operations[operation].add(rows)
        self._steps.clear()

    def _distinct(self, rows: list[Row]) -> list[Row]:
        """The spans, each once: a collector that retries writes some again."""
        seen: set[tuple[str, SpanKind]] = set()
        result = []
        for row in rows:
            key = row[0], self.operations[row[2]].key.kind  # the two ends of a call may have one id (Zipkin)
            if key not in seen or not row[0]:
                seen.add(key)
                result.append(row)
        self.repeated += len(rows) - len(result)
        return result

    def _place(self, rows: list[Row]) -> None:
        """Put the spans of a trace into their contexts: what is done for every span, is done here and not called."""
        if rows[0][1] and not rows[-1][1]:  # they came as they ended: parents come first where they can
            rows.reverse()
        placed: dict[str | None, _Context] = {None: self._top, "": self._top}
        late: list[Row] = []
        unusual: list[Row] = []
        put, get = self._put, placed.get
        for row in rows:
            id, parent, number, _, _, more = row
            if more is not None:
                unusual.append(row)
            above = get(parent)
            if above is None:
                late.append(row)
                continue
            context = above.below.get(number)
            if context is None:
                context = put(row, above)
            else:
                context.rows.append(row)
            if id:
                placed[id] = context
        if late:
            self._place_late(late, placed)
        if unusual:
            self._add_more(unusual, placed)

    def _put(self, row: Row, above: _Context) -> _Context:
        number = row[2]
        if number == above.operation:
            above.rows.append(row)
            return above
        found = above.below.get(number)
        if found is None:
            if not self.operations[number].is_named:
                self._steps.setdefault(number, []).append(row)
                return above
            found = self._context(above, number)
        found.rows.append(row)
        return found

    def _place_late(self, rows: list[Row], placed: dict[str | None, _Context]) -> None:
        """Spans that come before their parent, or whose parent is not there; nothing is above those in a circle."""
        at = {row[0]: position for position, row in enumerate(rows) if row[0]}
        done = [False] * len(rows)
        for first in range(len(rows)):
            path: list[int] = []
            current: int | None = first
            while current is not None and not done[current]:
                done[current] = True
                path.append(current)
                parent = rows[current][1]
                current = None if parent in placed else at.get(parent or "")
            if not path:
                continue
            parent = rows[path[-1]][1]
            self.orphans += parent not in placed and parent not in at
            above = placed.get(parent, self._top)
            for position in reversed(path):
                above = self._put(rows[position], above)
                if rows[position][0]:
                    placed[rows[position][0]] = above

    def _context(self, above: _Context, operation: int) -> _Context:
        """A context that is new; where there are too many, one without what is above it."""
        if len(self._contexts) >= MAX_CONTEXTS:
            above = self._top
            if operation in above.below:
                return above.below[operation]
        made = above.below[operation] = _Context(operation, above if above is not self._top else None)
        self._contexts.append(made)
        return made

    def _add_more(self, rows: list[Row], placed: dict[str | None, _Context]) -> None:
        passed: dict[str | None, set[tuple[str, int]]] = {}
        for id, _, number, _, _, more in rows:
            if more is None:
                continue
            operation = self.operations[number]
            if more.stands_for is not None:
                operation.scaled += 1
                operation.weight += more.stands_for
                if operation.is_named and id in placed:
                    placed[id].count += more.stands_for - 1.0
            if more.error:
                operation.errors += 1.0 if more.stands_for is None else more.stands_for
            for raised in more.raised:
                passed.setdefault(operation.key.service, set()).update((raised.type, frame) for frame in raised.frames)
        for service, places in passed.items():
            self._pass(service, places)

    def _pass(self, service: str | None, places: set[tuple[str, int]]) -> None:
        if len(self._passed) < MAX_PLACES:
            self._passed[service, frozenset(places)] += 1
        else:  # a function with two of the frames counts twice
            self._passed.update((service, frozenset((place,))) for place in places)

    def _keep(self, trace: str, rows: list[Row]) -> None:
        """Keep a trace for the sample; where that is too many, half of them go, by the same hash."""
        self._sample.setdefault(trace, []).extend(rows[:MAX_TRACE_SPANS])
        self._sampled += min(len(rows), MAX_TRACE_SPANS)
        while self._sampled > SAMPLED_SPANS and self._limit > 1:
            self._limit //= 2
            for other in [name for name in self._sample if crc32(name.encode("utf-8", "replace")) >= self._limit]:
                self._sampled -= len(self._sample.pop(other))

    # --------------------------------------------------------------------------- what it comes to

    def sampled(self) -> Iterator[TraceSpan]:
        """The spans of the sample, as far as they say what requests wait for."""
        for trace, rows in self._sample.items():
            for id, parent, number, start, end, more in rows:
                key = self.operations[number].key
                yield TraceSpan(
                    trace=trace,
                    id=id,
                    parent=parent or None,
                    service=key.service,
                    name="",
                    kind=key.kind,
                    start_ns=start,
                    end_ns=end,
                    code=key.code,
                    entry=key.entry,
                    count=more.stands_for if more else None,
                )

    def summed(self) -> Sequence[Operation]:
        """A row for each operation."""
        return tuple(
            Operation(
                count=one.spans - one.scaled + one.weight,
                errors=one.errors,
                spans=one.spans,
                service=one.key.service,
                is_server=one.key.kind is SpanKind.SERVER,
                entry=one.key.entry,
                code=one.key.code,
                is_scaled=one.scaled == one.spans,
                times=one.times if one.times.count else None,
                first_ns=one.first_ns,
                last_ns=one.last_ns,
            )
            for one in self.operations
        )

    def contexts(self) -> Iterator[Context]:
        """The contexts, each behind the one above it."""
        at = {id(one): position for position, one in enumerate(self._contexts)}
        for one in self._contexts:
            above = at[id(one.above)] if one.above is not None else None
            yield Context(operation=one.operation, above=above, count=one.count)

    def passed(self) -> Iterator[Passed]:
        """The exceptions, by the frames that they passed through in a trace."""
        for (service, places), times in self._passed.items():
            yield Passed(service=service, places=places, times=times)

    @property
    def is_cut(self) -> bool:
        """Whether there were too many contexts to keep."""
        return len(self._contexts) >= MAX_CONTEXTS
