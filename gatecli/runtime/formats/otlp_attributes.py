"""What a span's attributes say, in OpenTelemetry's words, old and new: its function, its entry point, its exceptions.

https://opentelemetry.io/docs/specs/semconv/
"""

import re

from gatecli.runtime.recording import Entry, Frame, Raised, SpanKind

PREFIXES = ("code", "http", "rpc", "messaging", "celery")
"""The first words of the attributes that are read; a span without any of them is only a step between others."""

_MAX_TRACEBACK_CHARACTERS = 100_000
_MAX_TRACEBACK_FRAMES = 500

# Exception groups are drawn with bars before each line.
_TRACEBACK_FRAME = re.compile(r'^[ |]{0,80}File "([^"\n]{1,4096})", line ([0-9]{1,9}), in ([^\n]{1,500})$', re.M)
# Consistent probability sampling puts its rejection threshold, of 2**56, into tracestate:
# https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/
_THRESHOLD = re.compile(r"(?:^|,)\s*ot=(?:[^,]*;)?th:([0-9a-f]{1,14})(?:[;,]|\s*$)")
_LEAST_PROBABILITY = 1e-6


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
    if kind is SpanKind.SERVER:
        return _served(attributes)
    if kind is SpanKind.CONSUMER and (task := attributes.get("celery.task_name")):
        frame = Frame(file=None, name=task, dotted=True)
        return Entry(kind="task", name=task, frame=frames.setdefault(frame, len(frames)))
    if kind is SpanKind.CONSUMER:
        queue = attributes.get("messaging.destination.name", attributes.get("messaging.destination"))
        return Entry(kind="consumer", name=queue) if queue else None
    return None


def _served(attributes: dict[str, str]) -> Entry | None:
    """A request of HTTP by its route, of a remote procedure call by service and method.

    ``rpc.service`` is the full name (``shop.v1.Orders``) and ``rpc.method`` the last part, or since version 1.39 of the
    conventions the whole: https://opentelemetry.io/docs/specs/semconv/rpc/rpc-spans/
    """
    if (route := attributes.get("http.route")) is not None:
        method = attributes.get("http.request.method", attributes.get("http.method", ""))
        return Entry(kind="http", name=f"{method} /{route.lstrip('/')}".lstrip())
    if attributes.get("rpc.system", attributes.get("rpc.system.name", "grpc")) != "grpc":
        return None
    if procedure := attributes.get("rpc.method", "").strip("/"):
        called = attributes.get("rpc.service", "").strip("/")
        return Entry(kind="grpc", name=f"{called}/{procedure}" if called and "/" not in procedure else procedure)
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


def adjusted_count(trace_state: str | None) -> float | None:
    """How many operations a sampled span stands for, as its ``tracestate`` says."""
    if not trace_state or len(trace_state) > 1024 or (match := _THRESHOLD.search(trace_state)) is None:
        return None
    probability = 1 - int(match.group(1).ljust(14, "0"), 16) / 2**56
    return 1 / probability if probability >= _LEAST_PROBABILITY else None
