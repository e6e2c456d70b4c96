"""Traces in ClickHouse, in the table of the OpenTelemetry Collector: added up there, over its HTTP interface.

https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/exporter/clickhouseexporter ·
https://clickhouse.com/docs/interfaces/http

Five questions, each answered with at most some thousand rows however many spans there are: what there is; calls,
errors and latencies by function and entry point; who calls whom and what comes in where, from the parents of spans;
exceptions by the functions they passed through; and the skeletons of some whole traces, for the critical path.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, TypeVar

import msgspec

from gatecli.config import FetchConfig
from gatecli.errors import EvidenceError, UsageError
from gatecli.runtime.complaints import complaint
from gatecli.runtime.engines import clickhouse_sql as sql
from gatecli.runtime.engines.url import Question
from gatecli.runtime.recording import (
    Basis,
    Durations,
    Entry,
    Frame,
    Operation,
    Passed,
    Recording,
    SpanKind,
    TraceSpan,
)

MAX_OPERATIONS = 100_000
MAX_EDGES = 500_000
# Who calls whom is told from at most this many whole traces, chosen by a hash of their id, and scaled up.
MAX_TRACES = 100_000
# What requests wait for is told from about this many spans, in whole traces.
SAMPLED_SPANS = 20_000

_MORE_BITS = 2

_TABLE = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_]{0,100}\.)?[A-Za-z_][A-Za-z0-9_]{0,100}")
_REVISION = re.compile(r"[0-9a-f]{7,64}")
_Key = Annotated[int, msgspec.Meta(ge=0)]
"""A part of a hash, only compared."""
_Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_Amount = Annotated[float, msgspec.Meta(ge=0, le=1e18)]
_Moment = Annotated[int, msgspec.Meta(ge=0, le=2**33)]
"""Epoch seconds, until 2242: in nanoseconds they fit in 63 bits."""
_Row = TypeVar("_Row")


class _Stock(msgspec.Struct, array_like=True):
    """What there is in the window: of all services but for ``own``, which is of the one that was asked for."""

    spans: _Count
    own: _Count
    traces: _Count
    first_s: _Amount
    services: list[str]
    revisions: list[str]
    environments: list[str]
    pythons: list[str]


class _Sum(msgspec.Struct, array_like=True):
    """All spans of one operation: count, how many of them without a sampling ratio, errors, milliseconds."""

    key: _Key
    entry_kind: str
    entry_name: str
    code: str
    file: str
    line: str
    count: _Amount
    unscaled: _Amount
    errors: _Amount
    mean: _Amount
    percentiles: list[_Amount]
    first_s: _Moment
    last_s: _Moment
    spans: _Count


class _Relations(msgspec.Struct, array_like=True):
    """What leads to an operation, as its callers or as the entry points that it was reached by, and how often each."""

    below: _Key
    is_entry: bool
    above: list[_Key]
    counts: list[_Amount]


class _Raised(msgspec.Struct, array_like=True):
    """A frame of the traceback of an exception."""

    type: str
    file: str
    line: str
    name: str
    count: _Count


class _Skeleton(msgspec.Struct, array_like=True):
    """The spans of a trace: the position of each one's parent (from 1, 0 for none), kind, operation, times in
    microseconds."""

    parents: list[_Count]
    kinds: list[str]
    keys: list[_Key]
    starts: list[_Count]
    durations: list[_Count]


def fetch(source: FetchConfig, ask: Callable[[Question], bytes], started: float, ended: float) -> Recording:
    """Ask for all that a profile needs of the time between two moments (UTC epoch seconds).

    Raises:
        UsageError: the table is none, or there are no spans.
        EvidenceError: an answer is cut off, or not what was asked for.
    """
    if _TABLE.fullmatch(source.table) is None:
        raise UsageError(f"{source.table!r} is no table of ClickHouse", "such as otel.otel_traces")
    scope = sql.Scope(
        table=source.table, start_ms=round(started * 1000), end_ms=round(ended * 1000), service=source.service
    )

    def rows(query: str, kind: type[_Row]) -> list[_Row]:
        body = f"{query}\nFORMAT JSONCompactEachRow".encode()
        # Keys are 64-bit numbers: as text they would be longer, and as JavaScript's numbers wrong.
        settings = "output_format_json_quote_64bit_integers=0&enable_http_compression=1"
        settings += "&http_zlib_compression_level=9"
        url = f"{source.url}{'&' if '?' in source.url else '?'}{settings}"
        return list(_decoded(ask(Question(url=url, body=body)), kind))

    stock = next(iter(rows(sql.stock(scope), _Stock)), None)
    if stock is None or not stock.own:
        of = f" of {source.service}" if source.service else ""
        others = f": there is {', '.join(sorted(stock.services))[:200]}" if stock and stock.services else ""
        raise UsageError(
            f"{source.table} has no spans{of} in this time{others}", "check --service, --window and --table"
        )
    sums = rows(sql.operations(scope, MAX_OPERATIONS), _Sum)
    every = -(-stock.traces // MAX_TRACES) or 1
    mask = _mask([one.key for one in sums])
    relations = rows(sql.relations(scope, every, mask, MAX_EDGES), _Relations)
    some = -(-stock.spans // SAMPLED_SPANS) or 1
    skeletons = rows(sql.skeletons(scope, every=some, mask=mask, limit=SAMPLED_SPANS), _Skeleton)
    raised = rows(sql.exceptions(scope, MAX_OPERATIONS), _Raised)
    sums = [msgspec.structs.replace(one, key=one.key & mask) for one in sums]
    return _recording(stock, sums, relations, skeletons, raised, every)


def _mask(keys: Sequence[int]) -> int:
    """The low bits of keys that tell them apart, and two more.

    Hashes do not compress: the fewer of their bits cross the wire, the better. What came in since the first question
    and looks like one of them is the rarer the more there are: to be told apart they need about twice the bits of
    their number, so one new operation in thousands is taken for another.
    """
    bits = max(1, len(keys).bit_length())
    while bits < sql.KEY_BITS and len({0, *(key & ((1 << bits) - 1) for key in keys)}) <= len(keys):
        bits += 1
    return (1 << min(sql.KEY_BITS, bits + _MORE_BITS)) - 1


def _decoded(content: bytes, kind: type[_Row]) -> Iterator[_Row]:
    """A row a line; what went wrong while the answer was sent stands at its end, as text."""
    decoder = msgspec.json.Decoder(kind)
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            yield decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            said = line.decode("utf-8", "replace").strip()
            if "DB::Exception" in said:
                raise EvidenceError(f"ClickHouse gave up: {said[:300]}", "ask for a shorter --window") from None
            raise EvidenceError(
                f"line {number:,} of ClickHouse's answer is none: {complaint(error)}", "was it cut off?"
            ) from None


def _recording(
    stock: _Stock,
    sums: Sequence[_Sum],
    relations: Sequence[_Relations],
    skeletons: Sequence[_Skeleton],
    raised: Sequence[_Raised],
    every: int,
) -> Recording:
    frames: dict[Frame, int] = {}
    positions = {one.key: position for position, one in enumerate(sums)}
    calls: dict[int, list[tuple[int, float]]] = defaultdict(list)
    entered: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for relation in relations:
        below = positions.get(relation.below)
        if len(relation.above) != len(relation.counts):
            raise EvidenceError("ClickHouse's answer tells how often of others than it names", "was it cut off?")
        for key, count in zip(relation.above, relation.counts, strict=True):
            above = positions.get(key)
            if above is None or below is None:
                continue
            if relation.is_entry:
                entered[below].append((above, count * every))
            else:
                calls[above].append((below, count * every))
    operations = tuple(
        _operation(one, frames, tuple(calls[position]), tuple(entered[position])) for position, one in enumerate(sums)
    )
    spans = tuple(
        span for number, trace in enumerate(skeletons) for span in _spans(str(number), trace, operations, positions)
    )
    exceptions = tuple(
        Passed(
            places=frozenset(
                ((one.type or "exception", frames.setdefault(_frame(one.name, one.file, one.line), len(frames))),)
            ),
            times=one.count,
        )
        for one in raised
    )
    revisions = [revision for revision in stock.revisions if _REVISION.fullmatch(revision)]
    return Recording(
        kind="clickhouse",
        basis=Basis.SPANS,
        frames=tuple(frames),
        spans=spans,
        operations=operations,
        raised=exceptions,
        clock="wall",
        started_at=stock.first_s,
        service=stock.services[0] if len(stock.services) == 1 else None,
        environment=stock.environments[0] if len(stock.environments) == 1 else None,
        python=stock.pythons[0] if len(stock.pythons) == 1 else None,
        revision=revisions[0] if len(revisions) == 1 else None,
        revision_source="vcs.ref.head.revision" if len(revisions) == 1 else None,
        warnings=tuple(_warnings(stock, sums, relations, every)),
    )


def _warnings(stock: _Stock, sums: Sequence[_Sum], relations: Sequence[_Relations], every: int) -> Iterator[str]:
    if any(one.unscaled for one in sums):
        yield "the sampling ratio is not in the data: calls are counted as recorded, a lower bound"
    if len(stock.services) > 1:
        yield f"the spans come from {len(stock.services):,} services"
    if len(stock.revisions) > 1:
        yield f"the spans come from {len(stock.revisions):,} revisions"
    if every > 1:
        yield f"callers and entry points are told from every {every:,}th trace"
    if len(sums) >= MAX_OPERATIONS:
        yield f"only the {MAX_OPERATIONS:,} busiest operations are here"
    if sum(len(one.above) for one in relations) >= MAX_EDGES:
        yield f"only the {MAX_EDGES:,} busiest calls between operations are here"


def _operation(
    one: _Sum, frames: dict[Frame, int], calls: tuple[tuple[int, float], ...], entered: tuple[tuple[int, float], ...]
) -> Operation:
    entry = None
    if one.entry_kind:
        frame = Frame(file=None, name=one.entry_name, dotted=True) if one.entry_kind == "task" else None
        index = frames.setdefault(frame, len(frames)) if frame else None
        entry = Entry(kind=one.entry_kind, name=one.entry_name, frame=index)
    code = frames.setdefault(_frame(one.code, one.file, "", one.line), len(frames)) if one.code else None
    p50, p95, p99 = (one.percentiles + [0.0] * 3)[:3]
    return Operation(
        count=one.count,
        errors=min(one.errors, one.count),
        entry=entry,
        code=code,
        is_scaled=not one.unscaled,
        durations=Durations(count=one.spans, mean=one.mean, p50=p50, p95=p95, p99=p99),
        first_ns=one.first_s * 1_000_000_000 or None,
        last_ns=one.last_s * 1_000_000_000 or None,
        calls=calls,
        entered=entered,
    )


def _frame(name: str, file: str, line: str = "", first_line: str = "") -> Frame:
    return Frame(
        file=file or None,
        name=name,
        line=_number(line),
        first_line=_number(first_line),
        dotted="." in name and not line,
    )


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[1-9][0-9]{0,8}", text) else None


def _spans(
    name: str, trace: _Skeleton, operations: Sequence[Operation], positions: dict[int, int]
) -> Iterator[TraceSpan]:
    """The spans of a trace as far as its skeleton tells."""
    columns = zip(trace.parents, trace.kinds, trace.keys, trace.starts, trace.durations, strict=False)
    for number, (parent, kind, key, start, duration) in enumerate(columns, start=1):
        operation = operations[positions[key]] if key in positions else None
        yield TraceSpan(
            trace=name,
            id=str(number),
            parent=str(parent) if parent else None,
            service=None,
            name="",
            kind=_KINDS.get(kind.upper().removeprefix("SPAN_KIND_"), SpanKind.INTERNAL),
            start_ns=1_000 * start,
            end_ns=1_000 * (start + duration),
            code=operation.code if operation else None,
            entry=operation.entry if operation else None,
        )


_KINDS = {kind.name: kind for kind in SpanKind}
