"""pprof (``profile.proto``), as Pyroscope, Datadog, Google Cloud Profiler, Parca and ``go tool pprof`` write it.

Function names are qualified from Python 3.11 on, lines are executing lines, and ``start_line`` is 0 from every Python
producer: https://github.com/google/pprof/blob/main/proto/profile.proto
"""

import itertools
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO

from gatecli.errors import EvidenceError, UsageError
from gatecli.runtime.formats.documents import line_number
from gatecli.runtime.formats.protobuf import BYTES, Field, damaged, fields, numbers, signed, text, varint
from gatecli.runtime.formats.stack_table import MAX_DEPTH, StackTable
from gatecli.runtime.recording import Basis, Frame, Recording

MAX_BYTES = 256 * 1024 * 1024

# Columns that are time or samples of time, best first; never memory, locks or exceptions.
_TIMES = ("cpu", "cpu-time", "wall", "wall-time", "samples", "sample", "cpu-samples", "wall-samples")
_SAMPLES = {
    "cpu": ("samples", "sample"),
    "cpu-time": ("cpu-samples",),
    "wall": ("samples", "sample"),
    "wall-time": ("wall-samples",),
}
_TYPE_KEY, _SAMPLE_KEY = 0x0A, 0x12
_COUNTS = ("samples", "sample", "cpu-samples", "wall-samples")


@dataclass(slots=True)
class _Message:
    """The parts of a profile before their indices are followed."""

    strings: list[str] = field(default_factory=list)
    columns: list[int] = field(default_factory=list)
    locations: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    functions: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    time_ns: int = 0
    duration_ns: int = 0
    period: int = 0
    period_type: int = 0

    def string(self, index: int) -> str:
        if not 0 <= index < len(self.strings):
            raise EvidenceError(f"string {index} is not one of the {len(self.strings):,} in the file", "record again")
        return self.strings[index]


def matches(head: bytes) -> bool:
    """Whether the bytes start a profile: with a sample type (two numbers), or as Datadog's with a sample."""
    data = memoryview(head)
    try:
        key, position = varint(data, 0)
        size, position = varint(data, position)
        inner, _ = varint(data, position)
    except EvidenceError:
        return False
    if key == _SAMPLE_KEY:
        return inner in (0x08, 0x0A, 0x10, 0x12)
    return key == _TYPE_KEY and size <= 22 and inner in (0x08, 0x10)


def read(stream: IO[bytes]) -> Recording:
    """Read one profile that is not compressed.

    Raises:
        EvidenceError: cut off, an index without a target, without samples, or above a bound.
        UsageError: it holds memory or locks, not time.
    """
    data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise EvidenceError(f"more than {MAX_BYTES:,} bytes of pprof", "record for a shorter time")
    view = memoryview(data)
    message = _message(view)
    names = [message.string(index).lower() for index in message.columns]
    table = StackTable()
    # Samples stand before what they point to, and are read twice: kept, a million of them take half a gigabyte.
    column, name = _column(names, (_sample(content, len(names))[1] for content in _samples(view)))
    counts = next((names.index(other) for other in _SAMPLES.get(name, ()) if other in names), None)
    chains = _Chains(message, table)
    for content in _samples(view):
        locations, values = _sample(content, len(names))
        weight = values[column]
        if weight > 0:
            samples = weight if name in _COUNTS else max(0, values[counts]) if counts is not None else 1
            table.add(chains.of(locations), float(weight), samples)
    stacks = table.stacks
    samples, warnings = table.samples, table.warnings()
    if name not in _COUNTS and counts is None:
        if message.period > 0 and message.string(message.period_type).lower() == name:
            samples = max(1, round(sum(stack.weight for stack in stacks) / message.period))
        else:
            warnings.append("the number of samples is not in the file: its rows are counted, fewer than it")
    return Recording(
        kind="pprof",
        basis=Basis.SAMPLED,
        frames=table.frames,
        stacks=stacks,
        clock="cpu" if name.startswith("cpu") else "wall" if name.startswith("wall") else None,
        samples=samples,
        rate_hz=round(1e9 / message.period, 3) if name in ("cpu", "wall") and message.period > 0 else None,
        window_s=message.duration_ns / 1e9 if message.duration_ns > 0 else None,
        started_at=message.time_ns / 1e9 if message.time_ns > 0 else None,
        ended_at=(message.time_ns + max(0, message.duration_ns)) / 1e9 if message.time_ns > 0 else None,
        warnings=tuple(warnings),
    )


def _samples(data: memoryview) -> Iterator[memoryview]:
    return (content for number, _, _, content in fields(data) if number == 2)


def _message(data: memoryview) -> _Message:
    message = _Message()
    for number, wire, value, content in fields(data):
        if number in (1, 2, 4, 5, 6, 11) and wire != BYTES:
            raise damaged()
        if number == 1:
            message.columns.append(_first_numbers(content, 1)[0])
        elif number == 4:
            id, lines = _location(content)
            message.locations[id] = lines
        elif number == 5:
            id, name, file, start = _first_numbers(content, 1, 2, 4, 5)
            message.functions[id] = name, file, start
        elif number == 6:
            message.strings.append(text(content))
        elif number == 9:
            message.time_ns = signed(value)
        elif number == 10:
            message.duration_ns = signed(value)
        elif number == 11:
            message.period_type = _first_numbers(content, 1)[0]
        elif number == 12:
            message.period = signed(value)
    return message


def _first_numbers(content: memoryview, *wanted: int) -> list[int]:
    """The numbers of a small message, by field, 0 where it has none."""
    found = {number: signed(value) for number, wire, value, _ in fields(content) if wire != BYTES}
    return [found.get(number, 0) for number in wanted]


def _location(content: memoryview) -> tuple[int, list[tuple[int, int]]]:
    """A location's id and its lines as (function, line), the innermost of inlined calls first."""
    id, lines = 0, []
    for number, wire, value, inner in fields(content):
        if number == 1:
            id = signed(value)
        elif number == 4 and wire == BYTES:
            function, line = _first_numbers(inner, 1, 2)
            lines.append((function, line))
    return id, lines


def _sample(content: memoryview, columns: int) -> tuple["array[int]", tuple[int, ...]]:
    """A sample's locations, leaf first, and its values."""
    locations: list[int] = []
    values: list[int] = []
    found: Field
    for found in fields(content):
        if found[0] == 1:
            locations += numbers(found)
        elif found[0] == 2:
            values += map(signed, numbers(found))
    if len(values) != columns or len(locations) > MAX_DEPTH:
        raise EvidenceError(f"a sample has {len(values):,} values for {columns:,} types", "record it again")
    return array("Q", locations), tuple(values)


def _column(names: list[str], rows: Iterable[tuple[int, ...]]) -> tuple[int, str]:
    """The best column of time that holds anything; it is looked for until that is known."""
    known = [names.index(name) for name in _TIMES if name in names]
    if not known:
        raise UsageError(
            f"the profile holds {', '.join(names)[:100] or 'nothing'}, not time", "take the CPU or wall-clock profile"
        )
    holding: set[int] = set()
    for values in rows:
        holding.update(column for column in known if values[column] > 0)
        if known[0] in holding:
            break
    for column in known:
        if column in holding:
            return column, names[column]
    raise EvidenceError("the recording holds no samples", "was the process idle?")


class _Chains:
    """Locations as frames, each followed once."""

    def __init__(self, message: _Message, table: StackTable) -> None:
        self._message = message
        self._table = table
        self._frames: dict[int, list[int]] = {}

    def of(self, locations: Sequence[int]) -> list[int]:
        """The call chain of a sample, root first."""
        try:
            parts = [self._frames[location] for location in reversed(locations)]
        except KeyError:
            for location in locations:
                if location not in self._frames:
                    self._frames[location] = self._resolved(location)
            parts = [self._frames[location] for location in reversed(locations)]
        chain = list(itertools.chain.from_iterable(parts))
        if len(chain) > MAX_DEPTH:
            raise EvidenceError(f"a stack of more than {MAX_DEPTH:,} frames", "record it again")
        return chain

    def _resolved(self, location: int) -> list[int]:
        if location not in self._message.locations:
            raise EvidenceError(f"a sample names location {location}, which is not in the file", "record it again")
        return [self._frame(function, line) for function, line in reversed(self._message.locations[location])]

    def _frame(self, function: int, line: int) -> int:
        if function not in self._message.functions:
            raise EvidenceError(f"a location names function {function}, which is not in the file", "record it again")
        name, file, start = self._message.functions[function]
        return self._table.frame(
            Frame(
                file=self._message.string(file) or None,
                name=self._message.string(name),
                line=line_number(line),
                first_line=line_number(start),
            )
        )
