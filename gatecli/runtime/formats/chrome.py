"""Chrome's trace events: viztracer (every call, counted) and py-spy's ``chrometrace`` (sampled).

https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import IO, Any

import msgspec

from gatecli.errors import EvidenceError, UsageError
from gatecli.runtime.formats.documents import Amount, Count, Time, decode, keys, line_number
from gatecli.runtime.formats.stack_table import MAX_DEPTH, StackTable
from gatecli.runtime.recording import Basis, Frame, Record, Recording

MAX_EVENTS = 10_000_000

_MICROSECONDS = 1e-6
_LINE = re.compile(r"[0-9]{1,9}")
_Thread = tuple[int | str | None, int | str | None]


class _Event(msgspec.Struct, gc=False):
    ph: str
    name: str = ""
    ts: Time | None = None
    dur: Amount | None = None
    pid: int | str | None = None
    tid: int | str | None = None
    cat: str | None = None
    args: Any = None


class _Metadata(msgspec.Struct, rename={"base_ns": "baseTimeNanoseconds"}):
    overflow: bool = False
    base_ns: Count | None = None


class _Trace(msgspec.Struct, rename={"events": "traceEvents"}):
    events: list[_Event]
    viztracer_metadata: _Metadata | None = None


def matches(head: bytes) -> bool:
    """Whether the bytes start an object with ``traceEvents``, or a list of events."""
    if b"traceEvents" in keys(head):
        return True
    start = head.lstrip()
    return start[:1] == b"[" and {b"ph", b"ts"} <= keys(start[1:])


def read(stream: IO[bytes]) -> Recording:
    """Read one trace.

    Raises:
        EvidenceError: cut off, malformed, without calls, or above a bound.
        UsageError: its events do not name a file.
    """
    document = decode(stream, list[_Event] | _Trace, "a trace of Chrome's")  # type: ignore[arg-type]
    trace = document if isinstance(document, _Trace) else _Trace(events=document)
    if len(trace.events) > MAX_EVENTS:
        raise EvidenceError(f"more than {MAX_EVENTS:,} events", "record for a shorter time")
    calls = [event for event in trace.events if event.ph in ("X", "B", "E") and event.ts is not None]
    if not calls:
        raise EvidenceError("the trace holds no calls", "was it on while the program ran?")
    if all(event.cat == "py-spy" for event in calls):
        return _sampled(calls)
    return _counted(calls, trace.viztracer_metadata or _Metadata())


def _frame(event: _Event) -> Frame | None:
    """``qualname (path:first line)`` as viztracer names a call, or the place in the arguments."""
    if isinstance(event.args, dict):
        file, line = event.args.get("filename", event.args.get("file")), event.args.get("line")
        if isinstance(file, str):
            return Frame(file=file, name=event.name, line=line_number(line) if type(line) is int else None)
    name, bracket, place = event.name.removesuffix(")").rpartition(" (")
    file, _, number = place.rpartition(":")
    if bracket and file and event.name.endswith(")") and _LINE.fullmatch(number):
        return Frame(file=file, name=name, first_line=line_number(int(number)))
    return None


def _sampled(events: list[_Event]) -> Recording:
    """Samples that are alike were merged: each stretch between two changes of a stack is one at least."""
    table = StackTable()
    stacks: dict[_Thread, list[int]] = defaultdict(list)
    last: dict[_Thread, float] = {}
    for event in events:
        thread = event.pid, event.tid
        stack, at = stacks[thread], event.ts or 0.0
        if stack and at > last[thread]:
            table.add(stack, (at - last[thread]) * _MICROSECONDS)
        last[thread] = max(at, last.get(thread, at))
        if event.ph == "B":
            stack.append(table.frame(_frame(event) or Frame(file=None, name=event.name)))
        elif event.ph == "E" and stack:
            stack.pop()
        else:
            raise EvidenceError("an event ends a call that did not begin", "record it again")
    found = table.stacks
    times = [event.ts or 0.0 for event in events]
    return Recording(
        kind="chrome (py-spy)",
        basis=Basis.SAMPLED,
        frames=table.frames,
        stacks=found,
        samples=sum(table.samples),
        window_s=(max(times) - min(times)) * _MICROSECONDS or None,
        processes=len({event.pid for event in events}),
        warnings=(
            "the number of samples is not in the file: changes of the stack are counted, fewer than it",
            *table.warnings(),
        ),
    )


_Interval = tuple[float, float, int]


class _Counts:
    """Calls, microseconds and callers of each frame."""

    def __init__(self) -> None:
        self.calls: Counter[int] = Counter()
        self.own: defaultdict[int, float] = defaultdict(float)
        self.total: defaultdict[int, float] = defaultdict(float)
        self.callers: Counter[tuple[int, int]] = Counter()

    def add(self, intervals: list[_Interval]) -> None:
        """Add the calls of one thread; one that outlasts its caller is cut to it."""
        active: Counter[int] = Counter()
        stack: list[tuple[float, int]] = []
        for start, end, frame in sorted(intervals, key=lambda call: (call[0], -call[1])):
            while stack and stack[-1][0] <= start:
                active[stack.pop()[1]] -= 1
            if stack:
                end = min(end, stack[-1][0])
                self.own[stack[-1][1]] -= end - start
                self.callers[frame, stack[-1][1]] += 1
            self.calls[frame] += 1
            self.own[frame] += end - start
            if not active[frame]:
                self.total[frame] += end - start
            active[frame] += 1
            stack.append((end, frame))
            if len(stack) > MAX_DEPTH:
                raise EvidenceError(f"a stack of more than {MAX_DEPTH:,} calls", "record for a shorter time")

    def records(self) -> tuple[Record, ...]:
        by_frame: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for (frame, caller), calls in self.callers.items():
            by_frame[frame].append((caller, calls))
        return tuple(
            Record(
                frame=frame,
                calls=calls,
                self_weight=max(0.0, self.own[frame]) * _MICROSECONDS,
                total_weight=self.total[frame] * _MICROSECONDS,
                callers=tuple(by_frame[frame]),
            )
            for frame, calls in self.calls.items()
        )


def _counted(events: list[_Event], metadata: _Metadata) -> Recording:
    """Calls of Python functions; those of C are part of their callers."""
    frames: dict[Frame, int] = {}
    threads: dict[_Thread, list[_Interval]] = defaultdict(list)
    for thread, start, end, event in _calls(events):
        if (frame := _frame(event)) is not None:
            threads[thread].append((start, end, frames.setdefault(frame, len(frames))))
    if not frames:
        raise UsageError("no event of the trace names a file", "record with viztracer, or py-spy --format chrometrace")
    counts = _Counts()
    for intervals in threads.values():
        counts.add(intervals)
    first = min(start for intervals in threads.values() for start, _, _ in intervals)
    last = max(end for intervals in threads.values() for _, end, _ in intervals)
    base = metadata.base_ns / 1e9 if metadata.base_ns else None
    warnings = ["each resumption of a generator or coroutine is a call of its own"]
    if metadata.overflow:
        warnings.append("viztracer's buffer was too small: the earliest calls are lost (--tracer_entries)")
    return Recording(
        kind="chrome",
        basis=Basis.COUNTED,
        frames=tuple(frames),
        records=counts.records(),
        clock="wall",
        processes=len({pid for pid, _ in threads}),
        # No window: how often something ran in a minute of a profiler's run is no rate of anything.
        started_at=base + first * _MICROSECONDS if base else None,
        ended_at=base + last * _MICROSECONDS if base else None,
        environment="profile-run",
        resumed_generators=True,
        resumed_coroutines=True,
        warnings=tuple(warnings),
    )


def _calls(events: list[_Event]) -> Iterator[tuple[_Thread, float, float, _Event]]:
    """Complete events, and pairs of begin and end; what has no end is left out."""
    open_: dict[_Thread, list[_Event]] = defaultdict(list)
    for event in events:
        thread, at = (event.pid, event.tid), event.ts or 0.0
        if event.ph == "X" and event.dur is not None:
            yield thread, at, at + event.dur, event
        elif event.ph == "B":
            open_[thread].append(event)
        elif event.ph == "E" and open_[thread]:
            begin = open_[thread].pop()
            yield thread, begin.ts or 0.0, max(at, begin.ts or 0.0), begin
