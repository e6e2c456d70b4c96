"""OpenTelemetry traces as OTLP protobuf: one request, or messages behind their length (Collector, ``format: proto``).

https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto
"""

from collections.abc import Iterator
from typing import IO, NamedTuple

from gatecli.errors import EvidenceError
from gatecli.runtime.formats.otlp_spans import Spans, nanoseconds
from gatecli.runtime.formats.protobuf import BYTES, FIXED32, FIXED64, VARINT, damaged, fields, signed, text, varint
from gatecli.runtime.recording import Recording

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
"""One span, or one resource."""

BATCH_SPANS = 1_000
_PREFIX_BYTES = 4
_KEY = 0x0A  # field 1, which holds a message
# resource, scope_spans, schema_url
_INNER_KEYS = (0x0A, 0x12, 0x1A)
_MAX_VARINT_BYTES = 10


def matches(head: bytes) -> bool:
    """Whether the bytes start a request, with or without its length."""
    return _is_request(head) or _is_prefixed(head)


def read(stream: IO[bytes]) -> Recording:
    """Read one file, in memory that does not grow with it.

    Raises:
        EvidenceError: cut off, malformed, without spans, or above a bound.
    """
    spans = Spans("otlp-protobuf", _read_attributes, _read_exceptions)
    for message in _messages(stream):
        for number, wire in message.fields():
            if (number, wire) == (1, BYTES):
                _add_process(message.part(), spans)
            else:
                message.skip(wire)
    return spans.recording()


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


class _Part:
    """A message in a stream, of ``left`` bytes, or to the end of the stream."""

    def __init__(self, stream: IO[bytes], left: int | None, ahead: bytes = b"") -> None:
        self._stream, self._left, self._ahead = stream, left, ahead

    def take(self, size: int) -> bytes:
        """The next bytes."""
        if self._left is not None:
            if size > self._left:
                raise damaged()
            self._left -= size
        content, self._ahead = self._ahead[:size], self._ahead[size:]
        content += self._stream.read(size - len(content)) if len(content) < size else b""
        if len(content) < size:
            raise damaged()
        return content

    def varint(self) -> int:
        """The next number."""
        value = 0
        for shift in range(0, 7 * _MAX_VARINT_BYTES, 7):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value & 0xFFFF_FFFF_FFFF_FFFF
        raise damaged()

    def fields(self) -> Iterator[tuple[int, int]]:
        """Number and wire type of each field, whose content is next."""
        while self._left != 0:
            if self._left is None and not self._ahead:
                self._ahead = self._stream.read(1)
                if not self._ahead:
                    return
            key = self.varint()
            if not key >> 3:
                raise damaged()
            yield key >> 3, key & 7

    def part(self) -> "_Part":
        """The message that is next, to be read before anything else."""
        size = self.varint()
        ahead, self._ahead = self._ahead, b""
        if self._left is not None:
            if size > self._left:
                raise damaged()
            self._left -= size
        return _Part(self._stream, size, ahead)

    def content(self) -> bytes:
        """The message that is next, whole.

        Raises:
            EvidenceError: it is cut off or above a bound.
        """
        size = self.varint()
        if size > MAX_MESSAGE_BYTES:
            raise EvidenceError(f"a message of more than {MAX_MESSAGE_BYTES:,} bytes", "record or copy the file again")
        return self.take(size)

    def skip(self, wire: int) -> None:
        """Pass over what is next."""
        if wire == VARINT:
            self.varint()
        elif wire == BYTES:
            self.content()
        elif wire in (FIXED32, FIXED64):
            self.take(8 if wire == FIXED64 else 4)
        else:
            raise damaged()


def _messages(stream: IO[bytes]) -> Iterator[_Part]:
    head = stream.read(64)
    if _is_request(head):
        yield _Part(stream, None, head)
        return
    while head:
        head += stream.read(max(0, _PREFIX_BYTES - len(head)))
        if len(head) < _PREFIX_BYTES:
            raise damaged()
        size, ahead = int.from_bytes(head[:_PREFIX_BYTES], "big"), head[_PREFIX_BYTES:]
        yield _Part(stream, size, ahead[:size])
        head = ahead[size:] or stream.read(_PREFIX_BYTES)


def _add_process(process: _Part, spans: Spans) -> None:
    resource: dict[str, str] | None = None
    waiting: list[_Span] = []
    size = 0
    for number, wire in process.fields():
        if (number, wire) == (1, BYTES):
            resource = {**(resource or {}), **_attributes(process.content(), 1)}
        elif (number, wire) == (2, BYTES):
            for content in _spans(process.part()):
                # Writers put the resource first; where one does not, the spans wait for it.
                waiting.append(_Span(content))
                size += len(content)
                if resource is None and size > MAX_MESSAGE_BYTES:
                    raise EvidenceError(
                        f"a resource behind more than {MAX_MESSAGE_BYTES:,} bytes of its spans", "split the file"
                    )
                if resource is not None and len(waiting) >= BATCH_SPANS:
                    spans.add(resource, waiting)  # type: ignore[arg-type]
                    waiting, size = [], 0
        else:
            process.skip(wire)
    spans.add(resource or {}, waiting)  # type: ignore[arg-type]


def _spans(scope: _Part) -> Iterator[bytes]:
    for number, wire in scope.fields():
        if (number, wire) == (2, BYTES):
            yield scope.content()
        else:
            scope.skip(wire)


class _Status(NamedTuple):
    code: int


class _Span:
    """One operation; its attributes are a message of their own, with only those."""

    __slots__ = (
        "attributes", "end_time_unix_nano", "events", "kind", "name", "parent_span_id", "span_id",
        "start_time_unix_nano", "status", "trace_id", "trace_state",
    )  # fmt: skip

    def __init__(self, content: bytes) -> None:
        self.trace_id = self.span_id = self.name = ""
        self.parent_span_id: str | None = None
        self.trace_state: str | None = None
        self.kind: int | None = None
        self.start_time_unix_nano = self.end_time_unix_nano = 0
        self.status: _Status | None = None
        self.events: list[bytes] = []
        attributes = []
        for number, wire, value, part in fields(memoryview(content)):
            if wire == BYTES:
                if number == 9:
                    attributes.append(part)
                elif number == 1:
                    self.trace_id = part.hex()
                elif number == 2:
                    self.span_id = part.hex()
                elif number == 4:
                    self.parent_span_id = part.hex()
                elif number == 5:
                    self.name = text(part)
                elif number == 3:
                    self.trace_state = text(part)
                elif number == 11:
                    self.events.append(bytes(part))
                elif number == 15:
                    codes = [code for found, kind, code, _ in fields(part) if (found, kind) == (3, VARINT)]
                    self.status = _Status(codes[-1]) if codes else None
            elif (number, wire) == (7, FIXED64):
                self.start_time_unix_nano = nanoseconds(value)
            elif (number, wire) == (8, FIXED64):
                self.end_time_unix_nano = nanoseconds(value)
            elif (number, wire) == (6, VARINT):
                self.kind = value
        self.attributes = _packed(attributes)


def _packed(parts: list[memoryview]) -> bytes:
    """Messages as one with a field 1 for each."""
    packed: list[bytes | bytearray | memoryview] = []
    for part in parts:
        size = len(part)
        prefix = bytearray(b"\x0a")
        while size > 0x7F:
            prefix.append(size & 0x7F | 0x80)
            size >>= 7
        prefix.append(size)
        packed += [prefix, part]
    return b"".join(packed)


def _read_attributes(content: bytes) -> dict[str, str]:
    return _attributes(content, 1)


def _read_exceptions(events: list[bytes]) -> Iterator[dict[str, str]]:
    for event in events:
        if [text(name) for name in _parts(event, 2)][-1:] == ["exception"]:
            yield _attributes(event, 3)


def _parts(content: bytes | memoryview, number: int) -> Iterator[memoryview]:
    """The messages of a repeated field."""
    return (part for found, wire, _, part in fields(memoryview(content)) if found == number and wire == BYTES)


def _attributes(content: bytes | memoryview, number: int) -> dict[str, str]:
    """The attributes of a field as text; lists and maps are left out."""
    result = {}
    for part in _parts(content, number):
        key, value = "", None
        for found, wire, _, inner in fields(part):
            if (found, wire) == (1, BYTES):
                key = text(inner)
            elif (found, wire) == (2, BYTES):
                value = _value(inner)
        if value is not None:
            result[key] = value
    return result


def _value(data: memoryview) -> str | None:
    result = None
    for number, wire, value, content in fields(data):
        if (number, wire) == (1, BYTES):
            result = text(content)
        elif (number, wire) == (2, VARINT):
            result = "true" if value else "false"
        elif (number, wire) == (3, VARINT):
            result = str(signed(value))
    return result
