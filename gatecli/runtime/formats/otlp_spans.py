"""The spans of OTLP, of whatever form they were read from, as one recording.

A small recording keeps each span; from ``KEPT_SPANS`` on they are added up while they are read (``trace_sums``).
"""

import base64
import binascii
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, Protocol

from gatecli.errors import EvidenceError
from gatecli.runtime import trace_sums
from gatecli.runtime.formats.otlp_attributes import PREFIXES, adjusted_count, code_frame, entry, raised
from gatecli.runtime.recording import Basis, Frame, Raised, Recording, SpanKind, TraceSpan
from gatecli.runtime.trace_sums import Key, More, Row, TraceSums

KEPT_SPANS = 50_000
MAX_FRAMES = 500_000
# Attributes that were seen before are not read again; where they hold an id, each is new.
_MAX_KNOWN = 50_000

_KINDS: dict[int | str | None, SpanKind] = {
    **dict(enumerate(SpanKind, start=1)),
    **{f"SPAN_KIND_{kind.name}": kind for kind in SpanKind},
}
_ERROR_CODES = (2, "2", "STATUS_CODE_ERROR")
_REVISION = re.compile(r"[0-9a-f]{7,64}")
_NANOSECONDS = re.compile(r"[0-9]{1,19}")
LATEST_NS = 2**63 - 1
_READ = re.compile(rb"\\|(?:%s)\." % "|".join(PREFIXES).encode())
"""What attributes hold that say anything, or an escape that may hide it."""


class RawSpan(Protocol):
    """A span as it stands in the file; times are 0 where there is no usable one.

    Attributes are bytes in the form of the file, events whatever the reader makes of them.
    """

    trace_id: str
    span_id: str
    parent_span_id: str | None
    trace_state: str | None
    name: str
    kind: int | str | None
    start_time_unix_nano: int
    end_time_unix_nano: int
    attributes: Any
    events: Any
    status: Any


Attributes = Callable[[bytes], dict[str, str]]
"""Reads attributes as text; lists and maps are left out."""
Exceptions = Callable[[Any], Iterable[dict[str, str]]]
"""Reads the attributes of the events that are exceptions."""


class Spans:
    """Takes the spans of one file, group by group; ``recording`` is what they come to."""

    def __init__(self, kind: str, attributes: Attributes, exceptions: Exceptions) -> None:
        self._kind, self._attributes, self._exceptions = kind, attributes, exceptions
        self._frames: dict[Frame, int] = {}
        self._resources = _Resources()
        self._kept: list[TraceSpan] = []
        self._sums: TraceSums | None = None
        # The operation of attributes, by service.
        self._known: dict[str | None, dict[tuple[int | str | None, bytes], int]] = {}

    def add(self, resource: dict[str, str], spans: list[RawSpan]) -> None:
        """Take spans of one process.

        Raises:
            EvidenceError: there are too many different functions or entry points.
        """
        self._resources.add(resource, len(spans))
        service = resource.get("service.name")
        if self._sums is None and len(self._kept) + len(spans) > KEPT_SPANS:
            self._sums = TraceSums()
            for kept in self._kept:
                self._sums.add(kept)
            self._kept.clear()
        if self._sums is None:
            self._kept += [self._whole(span, service) for span in spans]
        else:
            self._add_up(self._sums, service, spans)
        if len(self._frames) > MAX_FRAMES:
            raise EvidenceError(f"more than {MAX_FRAMES:,} different frames", "split the file by service")

    def _add_up(self, sums: TraceSums, service: str | None, spans: list[RawSpan]) -> None:
        known = self._known.setdefault(service, {})
        rows_of, last, append = sums.rows, None, list[Row]().append
        for span in spans:
            attributes = bytes(span.attributes)
            operation = known.get((span.kind, attributes))
            if operation is None:
                if len(known) >= _MAX_KNOWN:
                    known.clear()
                operation = known[span.kind, attributes] = self._operation(sums, service, span.kind, attributes)
            more = None
            if span.events or span.trace_state or ((status := span.status) is not None and status.code):
                more = self._more(span)
            if (trace := span.trace_id) != last:
                append, last = rows_of(trace).append, trace
            append(
                (
                    span.span_id,
                    span.parent_span_id,
                    operation,
                    span.start_time_unix_nano,
                    span.end_time_unix_nano,
                    more,
                )
            )
        sums.added(len(spans))

    def _operation(self, sums: TraceSums, service: str | None, kind: int | str | None, attributes: bytes) -> int:
        role = _KINDS.get(kind, SpanKind.INTERNAL)
        if not _READ.search(attributes):
            return sums.operation(Key(service, role, None, None))
        read = self._attributes(attributes)
        key = Key(service, role, code_frame(read, self._frames), entry(read, role, self._frames))
        return sums.operation(key)

    def _more(self, span: RawSpan) -> More | None:
        count, error = adjusted_count(span.trace_state), _is_error(span)
        passed = self._raised(span)
        return More(count, error, passed) if count is not None or error or passed else None

    def _raised(self, span: RawSpan) -> tuple[Raised, ...]:
        return tuple(raised(event, self._frames) for event in self._exceptions(span.events)) if span.events else ()

    def _whole(self, span: RawSpan, service: str | None) -> TraceSpan:
        attributes = self._attributes(bytes(span.attributes))
        kind = _KINDS.get(span.kind, SpanKind.INTERNAL)
        return TraceSpan(
            trace=_identifier(span.trace_id),
            id=_identifier(span.span_id),
            parent=_identifier(span.parent_span_id) or None,
            service=service,
            name=span.name,
            kind=kind,
            start_ns=span.start_time_unix_nano,
            end_ns=span.end_time_unix_nano,
            error=_is_error(span),
            code=code_frame(attributes, self._frames),
            entry=entry(attributes, kind, self._frames),
            raised=self._raised(span),
            count=adjusted_count(span.trace_state),
        )

    def recording(self) -> Recording:
        """All of them; called once.

        Raises:
            EvidenceError: there are none.
        """
        resources = self._resources
        common = Recording(
            kind=self._kind,
            basis=Basis.SPANS,
            frames=(),
            clock="wall",
            python=resources.first("process.runtime.version"),
            service=resources.only("service.name"),
            environment=resources.first("deployment.environment.name", "deployment.environment"),
            revision=resources.revision()[0],
            revision_source=resources.revision()[1],
        )
        said = resources.warnings()
        if self._sums is not None:
            return _added_up(common, self._sums, tuple(self._frames), said)
        if not self._kept:
            raise EvidenceError("the file holds no spans", "logs and metrics are not read; export traces")
        times = [span for span in self._kept if span.start_ns]
        unscaled = any(span.count is None for span in self._kept)
        timeless = sum(not span.start_ns or span.end_ns < span.start_ns for span in self._kept)
        return replace(
            common,
            frames=tuple(self._frames),
            spans=tuple(self._kept),
            started_at=min((span.start_ns for span in times), default=0) / 1e9 or None,
            ended_at=max((span.end_ns for span in times), default=0) / 1e9 or None,
            warnings=(*said, *_warnings(unscaled, timeless)),
        )


def _added_up(common: Recording, sums: TraceSums, frames: tuple[Frame, ...], said: Iterable[str]) -> Recording:
    sums.finish()
    operations = sums.summed()
    return replace(
        common,
        frames=frames,
        spans=tuple(sums.sampled()),
        operations=tuple(operations),
        contexts=tuple(sums.contexts()),
        raised=tuple(sums.passed()),
        started_at=min((one.first_ns for one in operations if one.first_ns), default=0) / 1e9 or None,
        ended_at=max((one.last_ns for one in operations if one.last_ns), default=0) / 1e9 or None,
        warnings=(
            *said,
            *_warnings(any(not one.is_scaled for one in operations), sum(one.timeless for one in sums.operations)),
            *_cut(sums),
        ),
    )


def _cut(sums: TraceSums) -> Iterator[str]:
    """What was not looked at, or may be wrong, because not all spans are held at once."""
    if sums.repeated:
        yield f"{sums.repeated:,} spans are recorded twice and counted once"
    if sums.orphans:
        yield (
            f"{sums.orphans:,} spans name a parent that is not in the file, or more than {trace_sums.HELD_SPANS:,} "
            "spans away: what called them is not known"
        )
    if sums.is_cut:
        yield "there are too many ways to reach a function: of some, the callers are left out"
    yield f"what requests wait for is told from a sample of up to {trace_sums.SAMPLED_SPANS:,} spans, in whole traces"


def _warnings(is_unscaled: bool, timeless: int) -> Iterator[str]:
    if is_unscaled:
        yield "the sampling ratio is not in the data: calls are counted as recorded, a lower bound"
    if timeless:
        yield f"{timeless:,} spans have no usable times and are left out of latencies"


class _Resources:
    """What the processes that wrote the spans say of themselves, by number of spans."""

    def __init__(self) -> None:
        self._seen: dict[str, Counter[str]] = {}

    def add(self, attributes: dict[str, str], spans: int) -> None:
        for key, value in attributes.items():
            if key in _RESOURCE_KEYS:
                self._seen.setdefault(key, Counter())[value] += spans

    def first(self, *keys: str) -> str | None:
        """The most frequent value of the first key that has one."""
        for key in keys:
            if key in self._seen:
                return self._seen[key].most_common(1)[0][0]
        return None

    def only(self, key: str) -> str | None:
        values = self._seen.get(key, Counter[str]())
        return next(iter(values)) if len(values) == 1 else None

    def revision(self) -> tuple[str | None, str | None]:
        for key in ("vcs.ref.head.revision", "service.version"):
            value = self.only(key)
            if value is not None and _REVISION.fullmatch(value):
                return value, key
        return None, None

    def warnings(self) -> Iterator[str]:
        for key, what in (("vcs.ref.head.revision", "revisions"), ("service.name", "services")):
            if (count := len(self._seen.get(key, ()))) > 1:
                yield f"the spans come from {count:,} {what}"


_RESOURCE_KEYS = frozenset(
    (
        "service.name",
        "service.version",
        "vcs.ref.head.revision",
        "deployment.environment.name",
        "deployment.environment",
        "process.runtime.version",
    )
)


def _is_error(span: RawSpan) -> bool:
    status = span.status
    return status is not None and bool(status.code) and status.code in _ERROR_CODES


def _identifier(text: str | None) -> str:
    """A trace (32 hex digits) or span (16) id; base64 of the same bytes has 24 and 12 characters."""
    if not text:
        return ""
    if len(text) in (16, 32):
        return text.lower()
    if len(text) in (12, 24):
        try:
            return base64.b64decode(text, validate=True).hex()
        except (binascii.Error, ValueError):
            return text
    return text.lower()


def nanoseconds(value: object) -> int:
    """Unix nanoseconds of 63 bits, 0 where there is no usable time."""
    if type(value) is int:
        return value if 0 <= value <= LATEST_NS else 0
    text = value if type(value) is str else str(value)
    time = int(text) if _NANOSECONDS.fullmatch(text) else 0
    return time if time <= LATEST_NS else 0
