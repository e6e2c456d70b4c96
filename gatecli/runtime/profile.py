"""The runtime profile: one sorted JSON document, plain or gzipped, schema ``gate.runtime-profile/1``.

The types are the document (reference: runtime data §15.1). Shares are 0..1, times of latency milliseconds, calls whole
numbers in the window, and calls per minute follow from ``observed_seconds``. What is not known is null or left out,
never 0. Edges are written as columns (``edges.EdgeTable``) and may also be a list of rows, as other tools write them.
"""

import gzip
import io
import zlib
from bisect import bisect_left
from collections.abc import Sequence
from operator import ge
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta as Bound

from gatecli.errors import UsageError
from gatecli.runtime.complaints import complaint
from gatecli.runtime.edges import Edge, Edges, EdgeTable, problem
from gatecli.runtime.function_rows import LazyRows, decoder
from gatecli.writing import write_whole

SCHEMA = "gate.runtime-profile/1"
DEFAULT_PATH = Path(".gate/profile.json.gz")
# 20,000 functions and 200,000 edges are some 30 MB.
MAX_BYTES = 512 * 1024 * 1024

_GZIP = b"\x1f\x8b"

Share = Annotated[float, Bound(ge=0, le=1)]
Amount = Annotated[float, Bound(ge=0)]
Count = Annotated[int, Bound(ge=0, le=2**63 - 1)]


class Document(msgspec.Struct, frozen=True, gc=False):
    """A part of the profile."""


class Window(Document, frozen=True, kw_only=True):
    """When was observed: RFC 3339 times, and the seconds in which something was (less, if only in slices)."""

    start: str | None = None
    end: str | None = None
    observed_seconds: Amount | None = None


class Source(Document, frozen=True, kw_only=True):
    """One recording that went in, with how many of its project frames were matched to a function.

    ``selective`` says that only chosen functions were counted: one that is absent may have run all the same.
    """

    kind: str
    file: str
    sha256: str
    basis: Literal["counted", "spans", "sampled", "coverage"]
    selective: bool = False
    clock: str | None = None
    samples: Count | None = None
    rate_hz: Amount | None = None
    sampling_ratio: Share | None = None
    processes: Count | None = None
    python: str | None = None
    frames_project: Count = 0
    frames_matched: Count = 0
    warnings: tuple[str, ...] = ()


class Meta(Document, frozen=True, kw_only=True):
    """Where the profile is from. ``path_prefixes`` are the recorded folders that were found to be the project's."""

    service: str | None = None
    environment: str | None = None
    window: Window = Window()
    revision: str | None = None
    revision_source: str | None = None
    path_prefixes: tuple[str, ...] = ()
    generated_at: str | None = None
    generator: str | None = None
    sources: tuple[Source, ...] = ()


class TimeShare(Document, frozen=True, kw_only=True, omit_defaults=True):
    """A part of all time; ``pm95`` is the half width of its 95 % interval, null where it was measured, not sampled."""

    share: Share
    pm95: Amount | None = None
    samples: Count | None = None


class Latency(Document, frozen=True, kw_only=True, omit_defaults=True):
    """Durations in milliseconds of ``n`` operations."""

    mean: Amount | None = None
    p50: Amount | None = None
    p95: Amount | None = None
    p99: Amount | None = None
    n: Count = 0


class EntryShare(Document, frozen=True, kw_only=True, omit_defaults=True):
    """An entry point and its share of a function's weight."""

    id: str
    share: Share | None = None


CallsBasis = Literal["counted", "counted_scaled", "spans_scaled", "estimated"]
"""How calls were got: every one counted, counted in windows and scaled up, or as spans."""

_COUNTED: frozenset[CallsBasis] = frozenset({"counted", "counted_scaled"})


def is_same_basis(one: CallsBasis | None, other: CallsBasis | None) -> bool:
    """Whether calls may be added and compared: both counted, if in windows or not, or got in the same way."""
    return one == other or {one, other} == _COUNTED


def basis_of_sum(one: CallsBasis | None, other: CallsBasis | None) -> CallsBasis | None:
    """The basis of calls added up of the same basis: scaled up, if a part of them is."""
    return "counted_scaled" if "counted_scaled" in (one, other) else one or other


def interval_of_sum(rows: "Sequence[ProfiledFunction]") -> tuple[int | None, int | None]:
    """The 95 % interval of calls added up, taken to be off together; (None, None) where every call was counted."""
    if all(row.calls_low is None for row in rows):
        return None, None
    low = sum(row.calls or 0 if row.calls_low is None else row.calls_low for row in rows)
    high = [row.calls if row.calls_low is None else row.calls_high for row in rows]
    known = [calls for calls in high if calls is not None]
    return low, sum(known) if len(known) == len(high) else None


class ProfiledFunction(Document, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of one function; lines are those at ``meta.revision``. What is not known is not written.

    ``calls_low`` and ``calls_high`` are the 95 % interval of calls that were counted in windows and scaled up; without
    the latter nothing says how many they are at most.
    """

    id: str
    kind: Literal["function", "method", "async", "generator", "async_generator", "class_body", "module"]
    first_line: Count | None = None
    def_line: Count | None = None
    end_line: Count | None = None
    body_hash: str | None = None
    calls: Count | None = None
    calls_per_min: Amount | None = None
    calls_basis: CallsBasis | None = None
    calls_low: Count | None = None
    calls_high: Count | None = None
    calls_overcounted: bool = False
    time_self: TimeShare | None = None
    time_own: TimeShare | None = None
    time_total: TimeShare | None = None
    cpu_seconds_per_min: Amount | None = None
    errors: Count | None = None
    error_rate: Share | None = None
    error_types: dict[str, Count] | None = None
    latency_ms: Latency | None = None
    entry_points: tuple[EntryShare, ...] = ()
    critical_path_share: Share | None = None
    critical_path_basis: Literal["trace", "inclusive"] | None = None
    callers: Count | None = None
    callees: Count | None = None
    first_seen: str | None = None
    last_seen: str | None = None
    match: str | None = None
    sources: tuple[Count, ...] = ()


class EntryPoint(Document, frozen=True, kw_only=True):
    """Where traffic comes in; ``weight`` is its share of all that came in."""

    id: str
    kind: Literal["http", "task", "cron", "cli", "consumer", "thread"] | None = None
    handler: str | None = None
    calls_per_min: Amount | None = None
    error_rate: Share | None = None
    latency_ms: Latency | None = None
    weight: Share | None = None


class UnmatchedFrame(Document, frozen=True, kw_only=True):
    """A frame that is no function of the tree, how much weight it has, and why."""

    file: str | None
    name: str
    line: Count | None
    weight: Amount
    reason: str


class Unmatched(Document, frozen=True, kw_only=True):
    """Frames that were not matched, by reason, and the heaviest of them."""

    frames: dict[str, Count] = {}
    examples: tuple[UnmatchedFrame, ...] = ()


class Profile(Document, frozen=True, kw_only=True):
    """A whole profile; functions and entry points are sorted by id, and no id is there twice."""

    schema: Literal["gate.runtime-profile/1"] = "gate.runtime-profile/1"
    meta: Meta
    functions: Sequence[ProfiledFunction] = ()
    edges: Sequence[Edge] = ()
    entry_points: tuple[EntryPoint, ...] = ()
    tests: dict[str, tuple[str, ...]] | None = None
    unmatched: Unmatched = Unmatched()

    def calls(self) -> Edges:
        """The edges by function."""
        return Edges.of(self.edges)

    def ids(self) -> Sequence[str]:
        """The ids of all functions, in order."""
        return self.functions.ids if isinstance(self.functions, LazyRows) else [row.id for row in self.functions]

    def function(self, id: str) -> ProfiledFunction | None:
        """The function of an id."""
        if isinstance(self.functions, LazyRows):
            return self.functions.find(id)
        index = bisect_left(self.functions, id, key=_id)
        return self.functions[index] if self.functions[index : index + 1] and self.functions[index].id == id else None

    def has_file(self, path: str) -> bool:
        """Whether any function of a file is there."""
        prefix = f"{path}::"
        if isinstance(self.functions, LazyRows):
            at = bisect_left(self.functions.ids, prefix)
            return any(id.startswith(prefix) for id in self.functions.ids[at : at + 1])
        index = bisect_left(self.functions, prefix, key=_id)
        return any(row.id.startswith(prefix) for row in self.functions[index : index + 1])


def _id(row: ProfiledFunction) -> str:
    return row.id


class _Header(msgspec.Struct):
    schema: object = None


class _Written(msgspec.Struct):
    """A profile as it stands in a file."""

    schema: Literal["gate.runtime-profile/1"]
    meta: Meta
    functions: list[msgspec.Raw] = []
    edges: EdgeTable | tuple[Edge, ...] = ()
    entry_points: tuple[EntryPoint, ...] = ()
    tests: dict[str, tuple[str, ...]] | None = None
    unmatched: Unmatched = Unmatched()

    def profile(self) -> Profile:
        """The profile, with the functions in order.

        Raises:
            UsageError: a function is there twice, or the edges are none.
        """
        functions = _functions(self.functions)
        if isinstance(self.edges, EdgeTable) and (wrong := problem(self.edges)) is not None:
            raise UsageError(f"not a valid runtime profile: {wrong}", _REMAKE)
        return Profile(
            meta=self.meta,
            functions=functions,
            edges=Edges(self.edges) if isinstance(self.edges, EdgeTable) else Edges.of(self.edges),
            entry_points=self.entry_points,
            tests=self.tests,
            unmatched=self.unmatched,
        )


def _functions(texts: Sequence[msgspec.Raw]) -> Sequence[ProfiledFunction]:
    """The rows of a list, in order: those that gate wrote when they are asked for, others at once."""
    if (lazy := LazyRows.of(texts, decoder(ProfiledFunction, _invalid))) is not None:
        return lazy
    functions = msgspec.json.decode(b"[" + b",".join(map(bytes, texts)) + b"]", type=tuple[ProfiledFunction, ...])
    ids = [row.id for row in functions]
    if any(map(ge, ids, ids[1:])):
        functions = tuple(sorted(functions, key=_id))
        if len(set(ids)) < len(ids):
            raise UsageError("not a valid runtime profile: a function is there twice", _REMAKE)
    return functions


def _invalid(text: str) -> UsageError:
    return UsageError(f"not a valid runtime profile: {text}", _REMAKE)


def load(path: Path) -> Profile:
    """Read a profile file.

    Raises:
        UsageError: no such file, or it is not a whole and valid profile.
    """
    try:
        if not path.is_file():
            raise UsageError(f"no profile at {path}", "make one: gate profile import FILE, or name it with --profile")
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(f"{path}: more than {MAX_BYTES:,} bytes", "import fewer recordings at once")
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})", "check its permissions") from error
    try:
        return decode(content)
    except UsageError as error:
        raise UsageError(f"{path}: {error.message}", error.hint) from error


def decode(content: bytes) -> Profile:
    """Read a profile from its bytes, plain or gzipped.

    Raises:
        UsageError: not a whole and valid profile.
    """
    text = _inflated(content) if content.startswith(_GZIP) else content
    try:
        return msgspec.json.decode(text, type=_Written).profile()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _explained(text, error) from error


_REMAKE = "make it again: gate profile import FILE"


def _inflated(content: bytes) -> bytes:
    """The content of a gzip file, which may have several members; in one go, as ``gzip`` takes twice as long."""
    parts = []
    left = MAX_BYTES
    while content:
        member = zlib.decompressobj(16 + zlib.MAX_WBITS)
        try:
            parts.append(member.decompress(content, left + 1))
        except zlib.error as error:
            raise UsageError("the gzip data is damaged or cut off", _REMAKE) from error
        left -= len(parts[-1])
        if left < 0:
            raise UsageError(f"more than {MAX_BYTES:,} bytes of content", "import fewer recordings at once")
        if not member.eof:
            raise UsageError("the gzip data is damaged or cut off", _REMAKE)
        content = member.unused_data.lstrip(b"\0")  # padding, as tapes have it
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _explained(text: bytes, error: Exception) -> UsageError:
    """What is wrong, in the user's terms: another kind of file, another version, or a broken one."""
    if not text.strip():
        return UsageError("the profile is empty", _REMAKE)
    try:
        schema = msgspec.json.decode(text, type=_Header).schema
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        schema = None
    if isinstance(schema, str) and schema != SCHEMA and schema.startswith("gate.runtime-profile/"):
        return UsageError(f"the profile has schema {schema[:60]!r}, this gate reads {SCHEMA!r}", _REMAKE)
    if schema != SCHEMA:
        return UsageError(
            f"not a runtime profile (schema {SCHEMA!r})", "turn a recording into one: gate profile import FILE"
        )
    return UsageError(f"not a valid runtime profile: {complaint(error, 300)}", _REMAKE)


def encode(profile: Profile) -> bytes:
    """The profile as JSON with one function and entry point a line, sorted; the same profile, the same bytes."""
    parts: dict[str, list[Any]] = {
        "functions": sorted(profile.functions, key=_id),
        "entry_points": sorted(profile.entry_points, key=lambda entry: entry.id),
    }
    encoder = msgspec.json.Encoder(order="deterministic")
    lines = [b'{"schema":' + encoder.encode(profile.schema), b'"meta":' + encoder.encode(profile.meta)]
    for name, rows in parts.items():
        body = b",\n".join(encoder.encode(row) for row in rows)
        lines.append(b'"' + name.encode() + b'":[' + (b"\n" + body + b"\n" if body else b"") + b"]")
    lines.insert(3, b'"edges":' + encoder.encode(_sorted_table(profile.edges)))
    lines.append(b'"tests":' + encoder.encode(profile.tests))
    lines.append(b'"unmatched":' + encoder.encode(profile.unmatched) + b"}")
    return b",\n".join(lines) + b"\n"


def _sorted_table(edges: Sequence[Edge]) -> EdgeTable:
    return Edges.of(tuple(edges)).table


def save(profile: Profile, path: Path) -> None:
    """Write a profile, gzipped where the name ends in ``.gz``: whole or not at all.

    Raises:
        UsageError: the file cannot be written.
    """
    content = encode(profile)
    if path.suffix == ".gz":
        content = _deflated(content)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror})", "name another file with --output") from error


def _deflated(content: bytes) -> bytes:
    buffer = io.BytesIO()
    # No name and no time: the same profile gives the same bytes.
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, compresslevel=6, mtime=0) as file:
        file.write(content)
    return buffer.getvalue()
