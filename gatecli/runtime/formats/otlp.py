"""OpenTelemetry traces as OTLP JSON: one document, or one export request a line (Collector file exporter, SDK).

Ids are hex, or base64 as protobuf's own JSON writer has them; enums are numbers or names; integers are numbers or
strings. https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from collections.abc import Callable, Iterable, Iterator
from typing import IO, Annotated, Any, Generic, TypeVar

import msgspec

from gatecli.errors import EvidenceError
from gatecli.runtime.complaints import complaint
from gatecli.runtime.formats.otlp_document import Document
from gatecli.runtime.formats.otlp_spans import LATEST_NS, Spans, nanoseconds
from gatecli.runtime.recording import Recording

MAX_LINE_BYTES = 16 * 1024 * 1024
"""A longer line is read as a document: in parts."""

_T = TypeVar("_T")
_NONE = msgspec.Raw(b"")


class Value(msgspec.Struct, rename="camel", gc=False):
    """An attribute's value; lists, maps and bytes are left out."""

    string_value: str | None = None
    int_value: int | float | str | None = None
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


_Kind = TypeVar("_Kind")
_Time = TypeVar("_Time")
_Nanoseconds = Annotated[int, msgspec.Meta(ge=0, le=LATEST_NS)]


class Span(msgspec.Struct, Generic[_Kind, _Time], rename="camel", gc=False):
    """One operation; its attributes are decoded where they are not known yet."""

    trace_id: str = ""
    span_id: str = ""
    parent_span_id: str | None = None
    trace_state: str | None = None
    name: str = ""
    kind: _Kind | None = None
    start_time_unix_nano: _Time = 0  # type: ignore[assignment]
    end_time_unix_nano: _Time = 0  # type: ignore[assignment]
    attributes: msgspec.Raw = _NONE
    events: list[Event] | None = None
    status: Status | None = None


class ScopeSpans(msgspec.Struct, Generic[_Kind, _Time], gc=False):
    """The spans of one instrumentation library."""

    spans: list[Span[_Kind, _Time]] | None = None


class Resource(msgspec.Struct, gc=False):
    """The process that made the spans."""

    attributes: list[Attribute] | None = None


class ResourceSpans(msgspec.Struct, Generic[_Kind, _Time], rename="camel", gc=False):
    """The spans of one process."""

    resource: Resource | None = None
    scope_spans: list[ScopeSpans[_Kind, _Time]] | None = None


class Request(msgspec.Struct, Generic[_Kind, _Time], rename="camel", gc=False):
    """One export request, or a whole document."""

    resource_spans: list[ResourceSpans[_Kind, _Time]] | None = None


class _Decoder(Generic[_T]):
    """Decodes a document, or a part of it."""

    def __init__(self, usual: type[_T], any: type[_T], spans: Callable[[_T], Iterable[Span[Any, Any]]]) -> None:
        self._usual = msgspec.json.Decoder(usual, strict=False)
        self._any = msgspec.json.Decoder(any)
        self._spans = spans

    def decode(self, text: bytes) -> _T:
        try:
            return self._usual.decode(text)
        except msgspec.ValidationError:
            result = self._any.decode(text)
        for span in self._spans(result):
            span.start_time_unix_nano = nanoseconds(span.start_time_unix_nano)
            span.end_time_unix_nano = nanoseconds(span.end_time_unix_nano)
        return result


def _spans_of(request: Request[Any, Any]) -> Iterator[Span[Any, Any]]:
    for group in request.resource_spans or ():
        for scope in group.scope_spans or ():
            yield from scope.spans or ()


# What nearly all writers write, with numbers in text made numbers at once; and whatever there may be.
_REQUEST: _Decoder[Any] = _Decoder(Request[int, _Nanoseconds], Request[int | str, int | float | str | None], _spans_of)
_SPANS: _Decoder[Any] = _Decoder(list[Span[int, _Nanoseconds]], list[Span[int | str, int | float | str | None]], iter)
_RESOURCE = msgspec.json.Decoder(Resource | None)
_ATTRIBUTES = msgspec.json.Decoder(list[Attribute] | None)


def matches(head: bytes) -> bool:
    """Whether the bytes start a JSON object that names ``resourceSpans``."""
    return head.lstrip().startswith(b"{") and b'"resourceSpans"' in head


def read(stream: IO[bytes]) -> Recording:
    """Read one document or a stream of lines, in memory that does not grow with it.

    Raises:
        EvidenceError: cut off, malformed, without spans, or above a bound.
    """
    spans = Spans("otlp-json", _read_attributes, _read_exceptions)
    number = 0
    while line := stream.readline(MAX_LINE_BYTES):
        number += 1
        is_whole = len(line) < MAX_LINE_BYTES or line.endswith(b"\n")
        if not line.strip():
            continue
        try:
            request = _REQUEST.decode(line) if is_whole else None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            if number > 1 or isinstance(error, msgspec.ValidationError):
                raise _damaged(f"line {number:,} is not an OTLP request", error) from error
            request = None
        try:
            if request is None:  # too long, or the first of many of one document
                _read_document(Document(stream, line), spans)
            else:
                _add(request, spans)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            what = "not an OTLP document" if request is None else f"line {number:,} is not an OTLP request"
            raise _damaged(what, error) from error
    return spans.recording()


def _damaged(what: str, error: Exception) -> EvidenceError:
    return EvidenceError(f"{what}: {complaint(error)}", "was the file cut off?")


def _add(request: Request[Any, Any], spans: Spans) -> None:
    for group in request.resource_spans or ():
        resource = _as_text(group.resource.attributes if group.resource else None)
        for scope in group.scope_spans or ():
            spans.add(resource, scope.spans or [])  # type: ignore[arg-type]


def _read_document(document: Document, spans: Spans) -> None:
    for resource, found in document.groups():
        process = _RESOURCE.decode(resource) if resource else None
        spans.add(_as_text(process.attributes if process else None), _SPANS.decode(found))


def _read_attributes(content: bytes) -> dict[str, str]:
    return _as_text(_ATTRIBUTES.decode(content)) if content else {}


def _read_exceptions(events: list[Event]) -> Iterator[dict[str, str]]:
    return (_as_text(event.attributes) for event in events if event.name == "exception")


def _as_text(attributes: list[Attribute] | None) -> dict[str, str]:
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
