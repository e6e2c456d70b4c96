"""OpenTelemetry traces as OTLP protobuf: one request, or messages behind their length (Collector, ``format: proto``).

https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto
"""

from collections.abc import Iterator
from typing import IO

from gatecli.errors import EvidenceError
from gatecli.runtime.formats import otlp
from gatecli.runtime.formats.protobuf import BYTES, FIXED64, VARINT, damaged, fields, signed, text, varint
from gatecli.runtime.recording import Recording

MAX_BYTES = 256 * 1024 * 1024
_PREFIX_BYTES = 4
_KEY = 0x0A  # field 1, which holds a message
# resource, scope_spans, schema_url
_INNER_KEYS = (0x0A, 0x12, 0x1A)


def matches(head: bytes) -> bool:
    """Whether the bytes start a request, with or without its length."""
    return _is_request(head) or _is_prefixed(head)


def read(stream: IO[bytes]) -> Recording:
    """Read one file.

    Raises:
        EvidenceError: cut off, malformed, without spans, or above a bound.
    """
    data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise EvidenceError(f"more than {MAX_BYTES:,} bytes of protobuf", "take a shorter time, or split by service")
    return otlp.recorded((_request(message) for message in _messages(memoryview(data))), "otlp-protobuf")


def _is_request(head: bytes) -> bool:
    data = memoryview(head)
    try:
        key, position = varint(data, 0)
        _, position = varint(data, position)
        inner, _ = varint(data, position)
    except EvidenceError:
        return False
    return key == _KEY and inner in _INNER_KEYS


def _is_prefixed(head: bytes) -> bool:
    return bool(head[:_PREFIX_BYTES].strip(b"\0")) and head[0] < 16 and _is_request(head[_PREFIX_BYTES:])


def _messages(data: memoryview) -> Iterator[memoryview]:
    if _is_request(bytes(data[:64])):
        yield data
        return
    position = 0
    while position < len(data):
        size = int.from_bytes(data[position : position + _PREFIX_BYTES], "big")
        position += _PREFIX_BYTES
        if size > len(data) - position:
            raise damaged()
        yield data[position : position + size]
        position += size


def _parts(data: memoryview, number: int) -> Iterator[memoryview]:
    """The messages of a repeated field."""
    return (content for found, wire, _, content in fields(data) if found == number and wire == BYTES)


def _request(data: memoryview) -> otlp.Request:
    return otlp.Request(resource_spans=[_group(part) for part in _parts(data, 1)])


def _group(data: memoryview) -> otlp.ResourceSpans:
    resource = otlp.Resource(attributes=[_attribute(item) for part in _parts(data, 1) for item in _parts(part, 1)])
    scopes = [otlp.ScopeSpans(spans=[_span(span) for span in _parts(scope, 2)]) for scope in _parts(data, 2)]
    return otlp.ResourceSpans(resource=resource, scope_spans=scopes)


def _span(data: memoryview) -> otlp.Span:
    span = otlp.Span(attributes=[], events=[])
    attributes, events = [], []
    for number, wire, value, content in fields(data):
        if (number, wire) == (1, BYTES):
            span.trace_id = content.hex()
        elif (number, wire) == (2, BYTES):
            span.span_id = content.hex()
        elif (number, wire) == (3, BYTES):
            span.trace_state = text(content)
        elif (number, wire) == (4, BYTES):
            span.parent_span_id = content.hex()
        elif (number, wire) == (5, BYTES):
            span.name = text(content)
        elif (number, wire) == (6, VARINT):
            span.kind = value
        elif (number, wire) == (7, FIXED64):
            span.start_time_unix_nano = value
        elif (number, wire) == (8, FIXED64):
            span.end_time_unix_nano = value
        elif (number, wire) == (9, BYTES):
            attributes.append(_attribute(content))
        elif (number, wire) == (11, BYTES):
            events.append(_event(content))
        elif (number, wire) == (15, BYTES):
            codes = [code for found, kind, code, _ in fields(content) if (found, kind) == (3, VARINT)]
            span.status = otlp.Status(code=codes[-1] if codes else None)
    span.attributes, span.events = attributes, events
    return span


def _event(data: memoryview) -> otlp.Event:
    event = otlp.Event(attributes=[_attribute(part) for part in _parts(data, 3)])
    for name in _parts(data, 2):
        event.name = text(name)
    return event


def _attribute(data: memoryview) -> otlp.Attribute:
    attribute = otlp.Attribute()
    for number, wire, _, content in fields(data):
        if (number, wire) == (1, BYTES):
            attribute.key = text(content)
        elif (number, wire) == (2, BYTES):
            attribute.value = _value(content)
    return attribute


def _value(data: memoryview) -> otlp.Value:
    result = otlp.Value()
    for number, wire, value, content in fields(data):
        if (number, wire) == (1, BYTES):
            result.string_value = text(content)
        elif (number, wire) == (2, VARINT):
            result.bool_value = bool(value)
        elif (number, wire) == (3, VARINT):
            result.int_value = signed(value)
    return result
