"""pprof (``profile.proto``), as Pyroscope, Datadog, Google Cloud Profiler, Parca and ``go tool pprof`` write it.

Function names are qualified from Python 3.11 on, lines are executing lines, and ``start_line`` is 0 from every Python
producer: https://github.com/google/pprof/blob/main/proto/profile.proto
"""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from gatecli.errors import EvidenceError, UsageError
from gatecli.runtime.formats.documents import line_number
from gatecli.runtime.formats.pprof_samples import SAMPLE_KEY, Batch, Samples
from gatecli.runtime.formats.protobuf import BYTES, Field, damaged, fields, signed, text, varint
from gatecli.runtime.formats.stack_table import MAX_DEPTH, MAX_STEPS, StackTable, name_warnings, no_samples
from gatecli.runtime.recording import Basis, Frame, Recording
from gatecli.runtime.stacks import Stacks

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_BYTES = 256 * 1024 * 1024
MAX_SAMPLES = 8_000_000
# Frames of the samples that are decoded at once: some inlined calls at each of four million locations.
_MAX_BATCH_STEPS = 20_000_000

# Columns that are time or samples of time, best first; never memory, locks or exceptions.
_TIMES = ("cpu", "cpu-time", "wall", "wall-time", "samples", "sample", "cpu-samples", "wall-samples")
_SAMPLES = {
    "cpu": ("samples", "sample"),
    "cpu-time": ("cpu-samples",),
    "wall": ("samples", "sample"),
    "wall-time": ("wall-samples",),
}
_TYPE_KEY = 0x0A
_INDEX = "int64"
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
    if key == SAMPLE_KEY:
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
    rows = Samples(data)
    message = _message(rows.others())
    names = [message.string(index).lower() for index in message.columns]
    column, name = _column(names, rows)
    counts = next((names.index(other) for other in _SAMPLES.get(name, ()) if other in names), None)
    chains = _Chains(message)
    for batch in rows.batches(len(names)):
        weights = batch.values[:, column]
        chains.add(batch, weights, weights if name in _COUNTS else None if counts is None else batch.values[:, counts])
    stacks = chains.stacks()
    samples, warnings = chains.samples, name_warnings(chains.frames)
    if name not in _COUNTS and counts is None:
        if message.period > 0 and message.string(message.period_type).lower() == name:
            samples = max(1, round(float(stacks.weights.sum()) / message.period))
        else:
            warnings.append("the number of samples is not in the file: its rows are counted, fewer than it")
    return Recording(
        kind="pprof",
        basis=Basis.SAMPLED,
        frames=chains.frames,
        stacks=stacks,
        clock="cpu" if name.startswith("cpu") else "wall" if name.startswith("wall") else None,
        samples=samples,
        rate_hz=round(1e9 / message.period, 3) if name in ("cpu", "wall") and message.period > 0 else None,
        window_s=message.duration_ns / 1e9 if message.duration_ns > 0 else None,
        started_at=message.time_ns / 1e9 if message.time_ns > 0 else None,
        ended_at=(message.time_ns + max(0, message.duration_ns)) / 1e9 if message.time_ns > 0 else None,
        warnings=tuple(warnings),
    )


def _message(found: Iterable[Field]) -> _Message:
    message = _Message()
    for number, wire, value, content in found:
        if number == 2 or (number in (1, 4, 5, 6, 11) and wire != BYTES):
            raise damaged()
        if number == 1:
            message.columns.append(_first_numbers(content, 1)[0])
        elif number == 4:
            id, lines = _location(content)
            message.locations[id & (2**64 - 1)] = lines
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


def _column(names: list[str], rows: Samples) -> tuple[int, str]:
    """The best column of time that holds anything; it is looked for until that is known."""
    known = [names.index(name) for name in _TIMES if name in names]
    if not known:
        raise UsageError(
            f"the profile holds {', '.join(names)[:100] or 'nothing'}, not time", "take the CPU or wall-clock profile"
        )
    holding: set[int] = set()
    for batch in rows.batches(len(names)):
        holding.update(column for column in known if (batch.values[:, column] > 0).any())
        if known[0] in holding:
            break
    for column in known:
        if column in holding:
            return column, names[column]
    raise EvidenceError("the recording holds no samples", "was the process idle?")


class _Places:
    """The frames of each location, followed when a sample first names it."""

    def __init__(self, message: _Message, table: StackTable) -> None:
        import numpy as np

        self._message, self._table = message, table
        self._known = sorted(message.locations)
        self._ids = np.array(self._known, dtype=np.uint64)
        # Profilers number their locations from 1 on: then where an id is need not be looked for.
        self._at: NDArray[np.int64] | None = None
        self._single: NDArray[np.int32] | None = None
        if self._known and self._known[-1] < 4 * len(self._known) + 1_000:
            self._at = np.full(self._known[-1] + 1, -1, dtype=np.int64)
            self._at[self._ids.view(_INDEX)] = np.arange(len(self._ids))
            self._single = np.full(len(self._at), -1, dtype=np.int32)
        self.begins = np.full(len(self._ids), -1, dtype=np.int64)
        self.lengths = np.zeros(len(self._ids), dtype=np.int64)
        self._frames = array("i")

    @property
    def frames(self) -> "NDArray[np.int32]":
        """The frames of all locations that were followed, innermost first."""
        import numpy as np

        return np.array(self._frames, dtype=np.int32)

    def of(self, locations: "NDArray[np.uint64]") -> "NDArray[np.int64]":
        """The position of each location, which is followed where it is new.

        Raises:
            EvidenceError: a location, or what it points to, is not in the file.
        """
        import numpy as np

        if self._at is not None:
            found = self._at[np.minimum(locations, np.uint64(len(self._at) - 1)).view(np.int64)]
        else:
            found = np.minimum(np.searchsorted(self._ids, locations), max(0, len(self._ids) - 1))
        known = self._ids[found] == locations if len(self._ids) else np.zeros(len(locations), dtype=np.bool_)
        if not known.all():
            location = int(locations[~known][0])
            raise EvidenceError(f"a sample names location {location}, which is not in the file", "record it again")
        new = found[self.begins[found] < 0]
        if len(new):
            positions, firsts = np.unique(new, return_index=True)
            for position in positions[np.argsort(firsts)].tolist():
                self._follow(position)
            self._note_single()
        return found

    def single(self, locations: "NDArray[np.uint64]") -> "NDArray[np.int32] | None":
        """The frame of each location, where all were followed before and have one frame each."""
        if self._single is None or (len(locations) and int(locations.max()) >= len(self._single)):
            return None
        frames: NDArray[np.int32] = self._single[locations.view(_INDEX)]
        return frames if not len(frames) or int(frames.min()) >= 0 else None

    def _note_single(self) -> None:
        if self._single is not None:
            ones = self.lengths == 1
            self._single[self._ids[ones].view(_INDEX)] = self.frames[self.begins[ones]]

    def _follow(self, position: int) -> None:
        self.begins[position] = len(self._frames)
        # Frames are numbered outermost first, as they stand in a stack.
        lines = self._message.locations[self._known[position]]
        frames = [self._frame(function, line) for function, line in reversed(lines)]
        self._frames.extend(reversed(frames))
        self.lengths[position] = len(frames)

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


class _Chains:
    """Samples as call chains, root first. Those that are alike stay apart: what adds them up does so by function."""

    def __init__(self, message: _Message) -> None:
        self._table = StackTable()
        self._places = _Places(message, self._table)
        self._steps: list[NDArray[np.int32]] = []
        self._lengths: list[NDArray[np.int64]] = []
        self._weights: list[NDArray[np.int64]] = []
        self._samples: list[NDArray[np.int64]] = []
        self._sum = 0.0
        self._steps_left, self._rows_left = MAX_STEPS, MAX_SAMPLES

    @property
    def frames(self) -> tuple[Frame, ...]:
        """The distinct frames, in the order in which they came."""
        return self._table.frames

    @property
    def samples(self) -> int:
        """The samples of all stacks."""
        return round(self._sum)

    def add(self, batch: Batch, weights: "NDArray[np.int64]", samples: "NDArray[np.int64] | None") -> None:
        """Add the samples that weigh anything, each as so many samples, or one."""
        import numpy as np

        counts = np.diff(batch.ends, prepend=0)
        kept = weights > 0
        locations = batch.locations if kept.all() else batch.locations[np.repeat(kept, counts)]
        lengths = counts[kept]
        steps = self._places.single(locations)
        if steps is None:
            steps, lengths = self._expanded(locations, lengths)
        self._check(lengths)
        ends = np.cumsum(lengths)
        root_first = np.repeat(2 * ends - lengths - 1, lengths)
        root_first -= np.arange(len(root_first))
        self._steps.append(steps[root_first])
        self._lengths.append(lengths)
        self._weights.append(weights[kept])
        self._samples.append(np.maximum(samples[kept], 0) if samples is not None else np.ones_like(weights[kept]))
        self._sum += float(self._samples[-1].sum(dtype=np.float64))

    def _expanded(
        self, locations: "NDArray[np.uint64]", counts: "NDArray[np.int64]"
    ) -> "tuple[NDArray[np.int32], NDArray[np.int64]]":
        """The frames of locations, leaf first, and how many each sample has: a location may have none or several."""
        import numpy as np

        places = self._places.of(locations)
        sizes = self._places.lengths[places]
        ends = np.cumsum(sizes)
        so_far = np.concatenate(([0], ends))
        lengths = np.diff(so_far[np.cumsum(counts)], prepend=0)
        if len(lengths) and (int(lengths.max()) > MAX_DEPTH or int(so_far[-1]) > _MAX_BATCH_STEPS):
            raise EvidenceError(
                f"a stack of more than {MAX_DEPTH:,} frames, or inlined calls without end", "record it again"
            )
        index = np.repeat(self._places.begins[places] - (ends - sizes), sizes) + np.arange(int(so_far[-1]))
        return self._places.frames[index], lengths

    def _check(self, lengths: "NDArray[np.int64]") -> None:
        self._steps_left -= int(lengths.sum())
        self._rows_left -= len(lengths)
        if self._steps_left < 0:
            raise EvidenceError(f"more than {MAX_STEPS:,} frames in all stacks", "record for a shorter time")
        if self._rows_left < 0:
            raise EvidenceError(f"more than {MAX_SAMPLES:,} samples", "record for a shorter time")

    def stacks(self) -> Stacks:
        """All that was added."""
        import numpy as np

        weights = np.concatenate(self._weights) if self._weights else np.zeros(0, dtype=np.int64)
        if not len(weights):
            raise no_samples()
        steps, self._steps = np.concatenate(self._steps), []
        ends = np.cumsum(np.concatenate(self._lengths))
        return Stacks(steps, ends, weights.astype(np.float64), np.concatenate(self._samples))
