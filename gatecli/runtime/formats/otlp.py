"""OpenTelemetry traces as OTLP JSON: one document, or one export request a line (Collector file exporter, SDK).

Ids are hex, or base64 as protobuf's own JSON writer has them; enums are numbers or names; integers are numbers or
strings. Old and new attribute names are both read: https://opentelemetry.io/docs/specs/semconv/
"""

import base64
import binascii
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import IO

import msgspec

from gatecli.errors import EvidenceError
from gatecli.runtime.recording import Basis, Entry, Frame, Raised, Recording, SpanKind, TraceSpan

MAX_SPANS = 1_000_000
MAX_LINE_BYTES = 128 * 1024 * 1024
_MAX_TRACEBACK_CHARACTERS = 100_000
_MAX_TRACEBACK_FRAMES = 500

_KINDS: dict[int | str, SpanKind] = {
    **dict(enumerate(SpanKind, start=1)),
    **{f"SPAN_KIND_{kind.name}": kind for kind in SpanKind},
}
_ERROR_CODES = (2, "2", "STATUS_CODE_ERROR")
# Exception groups are drawn with bars before each line.
_TRACEBACK_FRAME = re.compile(r'^[ |]{0,80}File "([^"\n]{1,4096})", line ([0-9]{1,9}), in ([^\n]{1,500})$', re.M)
_REVISION = re.compile(r"[0-9a-f]{7,64}")
_NANOSECONDS = re.compile(r"[0-9]{1,19}")
# Consistent probability sampling puts its rejection threshold, of 2**56, into tracestate:
# https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/
_THRESHOLD = re.compile(r"(?:^|,)\s*ot=(?:[^,]*;)?th:([0-9a-f]{1,14})(?:[;,]|\s*$)")
_LEAST_PROBABILITY = 1e-6

_Integer = int | float | str | None


class Value(msgspec.Struct, rename="camel", gc=False):
    """An attribute's value; lists, maps and bytes are left out."""

    string_value: str | None = None
    int_value: _Integer = None
    double_value: _Integer = None
    bool_value: bool | None = None


class Attribute(msgspec.Struct, gc=False):
    """A key with its value."""

    key: str = ""
    value: Value | None = None


class Event(msgspec.Struct, gc=False):
    """Something that happened in a span, such as an exception."""

    name: str = ""
    attributes: list[Attribute] | None = None


class Status(msgspec.Struct, gc=False):
    """How a span ended: code 2 is an error."""

    code: int | str | None = None


class Span(msgspec.Struct, rename="camel", gc=False):
    """One operation."""

    trace_id: str = ""
    span_id: str = ""
    parent_span_id: str | None = None
    trace_state: str | None = None
    name: str = ""
    kind: int | str | None = None
    start_time_unix_nano: _Integer = None
    end_time_unix_nano: _Integer = None
    attributes: list[Attribute] | None = None
    events: list[Event] | None = None
    status: Status | None = None


class ScopeSpans(msgspec.Struct, gc=False):
    """The spans of one instrumentation library."""

    spans: list[Span] | None = None


class Resource(msgspec.Struct, gc=False):
    """The process that made the spans."""

    attributes: list[Attribute] | None = None


class ResourceSpans(msgspec.Struct, rename="camel", gc=False):
    """The spans of one process."""

    resource: Resource | None = None
    scope_spans: list[ScopeSpans] | None = None


class Request(msgspec.Struct, rename="camel", gc=False):
    """One export request, or a whole document."""

    resource_spans: list[ResourceSpans] | None = None


def matches(head: bytes) -> bool:
    """Whether the bytes start a JSON object that names ``resourceSpans``."""
    return head.lstrip().startswith(b"{") and b'"resourceSpans"' in head


def read(stream: IO[bytes]) -> Recording:
    """Read one document or a stream of lines.

    Raises:
        EvidenceError: cut off, malformed, without spans, or above a bound.
    """
    return recorded(_requests(stream), "otlp-json")


def recorded(requests: Iterable[Request], kind: str) -> Recording:
    """The spans of all requests as one recording, of whatever form they were read from.

    Raises:
        EvidenceError: there are none, or more than ``MAX_SPANS``.
    """
    frames: dict[Frame, int] = {}
    spans: list[TraceSpan] = []
    resources = _Resources()
    for request in requests:
        for group in request.resource_spans or ():
            attributes = _attributes(group.resource.attributes if group.resource else None)
            found = [span for scope in group.scope_spans or () for span in scope.spans or ()]
            resources.add(attributes, len(found))
            if len(spans) + len(found) > MAX_SPANS:
                raise EvidenceError(f"more than {MAX_SPANS:,} spans", "take a shorter time, or split by service")
            spans += [_span(span, attributes.get("service.name"), frames) for span in found]
    if not spans:
        raise EvidenceError("the file holds no spans", "logs and metrics are not read; export traces")
    times = [span for span in spans if span.start_ns]
    return Recording(
        kind=kind,
        basis=Basis.SPANS,
        frames=tuple(frames),
        spans=tuple(spans),
        clock="wall",
        started_at=min((span.start_ns for span in times), default=0) / 1e9 or None,
        ended_at=max((span.end_ns for span in times), default=0) / 1e9 or None,
        python=resources.first("process.runtime.version"),
        service=resources.only("service.name"),
        environment=resources.first("deployment.environment.name", "deployment.environment"),
        revision=resources.revision()[0],
        revision_source=resources.revision()[1],
        warnings=(*resources.warnings(), *_warnings(spans)),
    )


def _requests(stream: IO[bytes]) -> Iterator[Request]:
    """Each line as a request; or all of it as one, where the first line is not JSON by itself."""
    decoder = msgspec.json.Decoder(Request)
    number = 0
    while line := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            raise EvidenceError(f"line {number:,} has more than {MAX_LINE_BYTES:,} bytes", "write JSON lines instead")
        if not line.strip():
            continue
        try:
            request = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            if number > 1 or isinstance(error, msgspec.ValidationError):
                raise EvidenceError(
                    f"line {number:,} is not an OTLP request: {error}", "was the file cut off?"
                ) from error
            yield _document(decoder, line + stream.read(MAX_LINE_BYTES))
            return
        yield request


def _document(decoder: "msgspec.json.Decoder[Request]", text: bytes) -> Request:
    if len(text) >= MAX_LINE_BYTES:
        raise EvidenceError(f"a document of more than {MAX_LINE_BYTES:,} bytes", "write JSON lines instead")
    try:
        return decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EvidenceError(f"not an OTLP document: {error}", "was the file cut off?") from error


class _Resources:
    """What the processes that wrote the spans say of themselves, by number of spans."""

    def __init__(self) -> None:
        self._seen: dict[str, Counter[str]] = {}

    def add(self, attributes: dict[str, str], spans: int) -> None:
        for key, value in attributes.items():
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


def _warnings(spans: list[TraceSpan]) -> Iterator[str]:
    if any(span.count is None for span in spans):
        yield "the sampling ratio is not in the data: calls are counted as recorded, a lower bound"
    if timeless := sum(not span.start_ns or span.end_ns < span.start_ns for span in spans):
        yield f"{timeless:,} spans have no usable times and are left out of latencies"


def _span(span: Span, service: str | None, frames: dict[Frame, int]) -> TraceSpan:
    attributes = _attributes(span.attributes)
    kind = _KINDS.get(span.kind, SpanKind.INTERNAL) if span.kind is not None else SpanKind.INTERNAL
    return TraceSpan(
        trace=_identifier(span.trace_id),
        id=_identifier(span.span_id),
        parent=_identifier(span.parent_span_id) or None,
        service=service,
        name=span.name,
        kind=kind,
        start_ns=_time(span.start_time_unix_nano),
        end_ns=_time(span.end_time_unix_nano),
        error=span.status is not None and span.status.code in _ERROR_CODES,
        code=code_frame(attributes, frames),
        entry=entry(attributes, kind, frames),
        raised=tuple(
            raised(_attributes(event.attributes), frames) for event in span.events or () if event.name == "exception"
        ),
        count=_adjusted_count(span.trace_state),
    )


def code_frame(attributes: dict[str, str], frames: dict[Frame, int]) -> int | None:
    """The frame that a span's ``code.*`` attributes name, added to ``frames``; None without them."""
    name = attributes.get("code.function.name")
    namespace = attributes.get("code.namespace")
    if name is None and (name := attributes.get("code.function")) is not None and namespace:
        name = f"{namespace}.{name}"
    if not name:
        return None
    line = attributes.get("code.line.number", attributes.get("code.lineno", ""))
    frame = Frame(
        file=attributes.get("code.file.path", attributes.get("code.filepath")),
        name=name,
        first_line=int(line) if re.fullmatch(r"[1-9][0-9]{0,8}", line) else None,
        dotted="." in name,
    )
    return frames.setdefault(frame, len(frames))


def entry(attributes: dict[str, str], kind: SpanKind, frames: dict[Frame, int]) -> Entry | None:
    """What a server or consumer span says the traffic came in by; None for one that matched no route."""
    if kind is SpanKind.SERVER and (route := attributes.get("http.route")) is not None:
        method = attributes.get("http.request.method", attributes.get("http.method", ""))
        return Entry(kind="http", name=f"{method} /{route.lstrip('/')}".lstrip())
    if kind is SpanKind.CONSUMER and (task := attributes.get("celery.task_name")):
        frame = Frame(file=None, name=task, dotted=True)
        return Entry(kind="task", name=task, frame=frames.setdefault(frame, len(frames)))
    if kind is SpanKind.CONSUMER:
        queue = attributes.get("messaging.destination.name", attributes.get("messaging.destination"))
        return Entry(kind="consumer", name=queue) if queue else None
    return None


def raised(attributes: dict[str, str], frames: dict[Frame, int]) -> Raised:
    """An exception event: its type, and the frames of its traceback."""
    text = attributes.get("exception.stacktrace", "")[-_MAX_TRACEBACK_CHARACTERS:]
    found = _TRACEBACK_FRAME.findall(text)[-_MAX_TRACEBACK_FRAMES:]
    places = [Frame(file=file, name=name, line=int(line) or None) for file, line, name in found]
    return Raised(
        type=attributes.get("exception.type", "exception"),
        frames=tuple(frames.setdefault(place, len(frames)) for place in places),
    )


def _attributes(attributes: list[Attribute] | None) -> dict[str, str]:
    """Attributes as text; lists and maps are left out."""
    result = {}
    for attribute in attributes or ():
        value = attribute.value
        if value is None:
            continue
        if value.string_value is not None:
            result[attribute.key] = value.string_value
        elif value.int_value is not None:
            result[attribute.key] = str(value.int_value)
        elif value.bool_value is not None:
            result[attribute.key] = "true" if value.bool_value else "false"
    return result


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


def _time(value: _Integer) -> int:
    """Unix nanoseconds, 0 where there is no usable time."""
    text = value if type(value) is str else str(value)
    return int(text) if _NANOSECONDS.fullmatch(text) else 0


def _adjusted_count(trace_state: str | None) -> float | None:
    """How many operations a sampled span stands for."""
    if not trace_state or len(trace_state) > 1024 or (match := _THRESHOLD.search(trace_state)) is None:
        return None
    probability = 1 - int(match.group(1).ljust(14, "0"), 16) / 2**56
    return 1 / probability if probability >= _LEAST_PROBABILITY else None
