"""Jaeger's JSON: what its UI downloads and ``GET /api/traces`` answers; times are microseconds."""

from typing import IO, Any

import msgspec

from gatecli.errors import EvidenceError
from gatecli.runtime.formats.documents import Count, decode, keys
from gatecli.runtime.formats.otlp_attributes import code_frame, entry, raised
from gatecli.runtime.recording import Basis, Frame, Recording, SpanKind, TraceSpan

MAX_SPANS = 1_000_000

_KINDS = {kind.value: kind for kind in SpanKind}
_NANOSECONDS = 1_000
# What a Unix time in microseconds can be: up to the year 2286.
_LATEST_US = 10**16


class _Tag(msgspec.Struct, gc=False):
    key: str
    value: Any = None


class _Log(msgspec.Struct, gc=False):
    fields: list[_Tag] | None = None


class _Reference(msgspec.Struct, rename={"type": "refType", "span": "spanID"}, gc=False):
    type: str = "CHILD_OF"
    span: str = ""


class _Span(msgspec.Struct, gc=False):
    traceID: str  # noqa: N815
    spanID: str  # noqa: N815
    operationName: str = ""  # noqa: N815
    references: list[_Reference] | None = None
    parentSpanID: str | None = None  # noqa: N815
    startTime: Count = 0  # noqa: N815
    duration: Count = 0
    tags: list[_Tag] | None = None
    logs: list[_Log] | None = None
    processID: str | None = None  # noqa: N815


class _Process(msgspec.Struct, rename={"service": "serviceName"}, gc=False):
    service: str | None = None
    tags: list[_Tag] | None = None


class _Trace(msgspec.Struct, gc=False):
    spans: list[_Span] | None = None
    processes: dict[str, _Process] | None = None


class _Answer(msgspec.Struct):
    data: list[_Trace] | None


def matches(head: bytes) -> bool:
    """Whether the bytes start a JSON object with Jaeger's keys."""
    return {b"data", b"traceID", b"spanID"} <= keys(head)


def read(stream: IO[bytes]) -> Recording:
    """Read one answer or download.

    Raises:
        EvidenceError: cut off, malformed, without spans, or above a bound.
    """
    answer = decode(stream, _Answer, "a Jaeger document")
    frames: dict[Frame, int] = {}
    spans: list[TraceSpan] = []
    said: dict[str, dict[str, None]] = {}
    for trace in answer.data or ():
        processes = trace.processes or {}
        for process in processes.values():
            for key, value in (*_attributes(process.tags).items(), ("service.name", process.service or "")):
                said.setdefault(key, {})[value] = None
        if len(spans) + len(trace.spans or ()) > MAX_SPANS:
            raise EvidenceError(f"more than {MAX_SPANS:,} spans", "ask for fewer traces, or a shorter time")
        spans += [_span(span, processes, frames) for span in trace.spans or ()]
    if not spans:
        raise EvidenceError("the file holds no spans", "did the search find any trace?")
    services = [name for name in said.get("service.name", ()) if name]
    warnings = ["the traces are those that a search gave: calls are counted as recorded, a lower bound"]
    if len(services) > 1:
        warnings.append(f"the spans come from {len(services):,} services")
    times = [span for span in spans if span.start_ns]
    return Recording(
        kind="jaeger",
        basis=Basis.SPANS,
        frames=tuple(frames),
        spans=tuple(spans),
        clock="wall",
        started_at=min((span.start_ns for span in times), default=0) / 1e9 or None,
        ended_at=max((span.end_ns for span in times), default=0) / 1e9 or None,
        service=services[0] if len(services) == 1 else None,
        environment=next(iter(said.get("deployment.environment.name", said.get("deployment.environment", ()))), None),
        revision=_only(said.get("vcs.ref.head.revision")),
        revision_source="vcs.ref.head.revision" if _only(said.get("vcs.ref.head.revision")) else None,
        warnings=tuple(warnings),
    )


def _only(values: dict[str, None] | None) -> str | None:
    return next(iter(values)) if values and len(values) == 1 else None


def _span(span: _Span, processes: dict[str, _Process], frames: dict[Frame, int]) -> TraceSpan:
    attributes = _attributes(span.tags)
    kind = _KINDS.get(attributes.get("span.kind", "").lower(), SpanKind.INTERNAL)
    process = processes.get(span.processID or "")
    logs = [_attributes(log.fields) for log in span.logs or ()]
    parents = [reference.span for reference in span.references or () if reference.type == "CHILD_OF"]
    start = span.startTime if span.startTime < _LATEST_US else 0
    return TraceSpan(
        trace=span.traceID.lower(),
        id=span.spanID.lower(),
        parent=(parents[0] if parents else span.parentSpanID or "").lower() or None,
        service=process.service if process else None,
        name=span.operationName,
        kind=kind,
        start_ns=start * _NANOSECONDS,
        end_ns=(start + span.duration) * _NANOSECONDS if start and span.duration < _LATEST_US else 0,
        error=attributes.get("error") == "true" or attributes.get("otel.status_code") == "ERROR",
        code=code_frame(attributes, frames),
        entry=entry(attributes, kind, frames),
        raised=tuple(raised(log, frames) for log in logs if log.get("event") == "exception"),
    )


def _attributes(tags: list[_Tag] | None) -> dict[str, str]:
    """Tags as text; anything but text, numbers and truth values is left out."""
    result = {}
    for tag in tags or ():
        if isinstance(tag.value, bool):
            result[tag.key] = "true" if tag.value else "false"
        elif isinstance(tag.value, str | int) and (isinstance(tag.value, str) or abs(tag.value) < 2**64):
            result[tag.key] = str(tag.value)
    return result
