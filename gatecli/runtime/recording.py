"""What a reader returns: one recording of a running program, neutral of the tool that made it.

A recording has a table of frames; stacks, records and spans point into it by index, so that each distinct frame is
matched to a function once. Which of them it holds depends on the tool:

- ``stacks``: samples with their whole call chain (py-spy, austin, speedscope, pprof, pyinstrument, Sentry);
- ``records``: figures for each function without chains (pstats, viztracer, Prometheus counters, 3.15's sampler);
- ``spans``: traced operations (OTLP, Jaeger);
- ``operations``: spans that were added up where they are kept (ClickHouse, span metrics), or while they were read;
- ``covered``: lines that tests executed (coverage);
- ``profile``: rows that gate made before.

What there are millions of is a ``Struct``: it is made and hashed in a fraction of the time of a dataclass.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from gatecli.runtime.times import Times

if TYPE_CHECKING:
    from gatecli.runtime.profile import Profile


class Basis(StrEnum):
    """How the figures were got. Counted and spans give calls, sampled gives shares of time; they are never mixed.

    Coverage gives neither, only which tests execute what; a profile brings rows with a basis of their own.
    """

    COUNTED = "counted"
    SPANS = "spans"
    SAMPLED = "sampled"
    COVERAGE = "coverage"
    PROFILE = "profile"


class Frame(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A place in the program, as the tool named it.

    ``file`` is the recorded path (absolute, shortened, or None); ``name`` a bare or qualified name, with ``<locals>``
    where the tool wrote it, or a whole dotted name with its module if ``dotted``. ``line`` is the executing line,
    ``first_line`` the code object's first line (the first decorator).
    """

    file: str | None
    name: str
    line: int | None = None
    first_line: int | None = None
    dotted: bool = False


class Stack(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Samples with the same call chain: ``frames`` root first, ``weight`` in the recording's own unit."""

    frames: tuple[int, ...]
    weight: float
    samples: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """How long ``count`` calls took, in milliseconds; None where that was not asked for."""

    count: int
    mean: float | None = None
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Figures of one frame without call chains.

    ``self_weight``/``total_weight`` are seconds in a counted recording and samples in a sampled one; ``total_weight``
    is None where the tool's figure cannot be trusted. ``callers`` are frames with their calls (counted) or samples.
    ``errors`` are the calls that failed, None where that was not recorded.
    """

    frame: int
    calls: int | None
    self_weight: float | None = None
    total_weight: float | None = None
    callers: tuple[tuple[int, int], ...] = ()
    errors: int | None = None
    durations: Durations | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """A line, as a frame, and the tests that executed it, as positions in the recording's ``tests``."""

    frame: int
    tests: tuple[int, ...]


class SpanKind(StrEnum):
    """The role of a span, in OpenTelemetry's words."""

    INTERNAL = "internal"
    SERVER = "server"
    CLIENT = "client"
    PRODUCER = "producer"
    CONSUMER = "consumer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What traffic comes in by: ``kind`` http, task or consumer, and its name ("POST /orders/<int:size>").

    ``frame`` is the handler where the name is a function's dotted name, as a Celery task's is by default.
    """

    kind: str
    name: str
    frame: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """An exception that a span recorded: its type and the frames of its traceback, outermost first."""

    type: str
    frames: tuple[int, ...]


class TraceSpan(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One traced operation; times are Unix nanoseconds.

    ``code`` is the frame that the span names as its function. ``count`` is how many operations the span stands for,
    None where the sampling ratio is not in the data. ``start_ns`` is 0 where the time is not known.
    """

    trace: str
    id: str
    parent: str | None
    service: str | None
    name: str
    kind: SpanKind
    start_ns: int
    end_ns: int
    error: bool = False
    code: int | None = None
    entry: Entry | None = None
    raised: tuple[Raised, ...] = ()
    count: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """Spans of one function or entry point, added up where they are kept or while they were read.

    ``count`` and ``errors`` are scaled by the sampling ratio where ``is_scaled``; ``spans`` are as recorded. ``calls``
    are other operations, by position, whose spans this one's are the nearest above, ``entered`` the entry points that
    it was reached by; each with a number of spans. Where there are ``contexts``, they say both, and exactly.
    """

    count: float
    errors: float = 0.0
    spans: int = 0
    service: str | None = None
    is_server: bool = False
    entry: Entry | None = None
    code: int | None = None
    is_scaled: bool = False
    durations: Durations | None = None
    times: Times | None = None
    first_ns: int | None = None
    last_ns: int | None = None
    calls: tuple[tuple[int, float], ...] = ()
    entered: tuple[tuple[int, float], ...] = ()


class Context(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Spans of one operation with the same operations above them: ``above`` is the position of an earlier context."""

    operation: int
    above: int | None
    count: float


class Passed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Exceptions of ``times`` traces, each by the same types and frames; all of them in one service."""

    service: str | None = None
    places: frozenset[tuple[str, int]]
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One file of runtime data, as read.

    ``kind`` names the format and producer; ``clock`` is wall, cpu or None. ``started_at``/``ended_at`` are UTC epoch
    seconds, ``window_s`` the seconds observed where the data says so. ``resumed_generators`` and ``resumed_coroutines``
    say that each resumption of one was counted as a call, ``selective`` that only chosen functions were counted, so
    that absence says nothing. With ``operations``, ``spans`` are a sample of whole traces, which only tells what
    requests wait for, and ``raised`` has the exceptions.
    ``file`` and ``sha256`` are of the bytes on disk, or of what an engine answered.
    """

    kind: str
    basis: Basis
    frames: tuple[Frame, ...]
    stacks: Sequence[Stack] = ()
    records: tuple[Record, ...] = ()
    spans: tuple[TraceSpan, ...] = ()
    operations: tuple[Operation, ...] = ()
    contexts: tuple[Context, ...] = ()
    raised: tuple[Passed, ...] = ()
    covered: tuple[Covered, ...] = ()
    tests: tuple[str, ...] = ()
    profile: "Profile | None" = None
    clock: str | None = None
    samples: int | None = None
    rate_hz: float | None = None
    processes: int | None = None
    window_s: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    python: str | None = None
    service: str | None = None
    environment: str | None = None
    revision: str | None = None
    revision_source: str | None = None
    resumed_generators: bool = False
    resumed_coroutines: bool = False
    selective: bool = False
    warnings: tuple[str, ...] = ()
    file: str = ""
    sha256: str = ""
