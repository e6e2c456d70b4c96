"""One small recording of every format, made from three values: a name, an amount (calls, samples or time), an index."""

import json
import marshal
import sqlite3
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gatecli.runtime.profile import Meta, Profile, ProfiledFunction, Source, Window, encode
from tests.runtime.formats.wire import message, number, varint

FILE = "/app/shop/pricing.py"
_AMOUNT = "\ue000"
_CALLS = 123_454_321


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """What a recording is made of; ``amount`` is written as ``literal`` where a format is text.

    ``index`` is one of a table of the format that has ``0`` alone; ``start`` and ``end`` are nanoseconds.
    """

    name: str = "price_order"
    amount: Any = 5
    literal: str = "5"
    index: int = 0
    start: int = 1_700_000_000_000_000_000
    end: int = 1_700_000_000_005_000_000


def _json(values: Values, document: Any) -> bytes:
    """JSON in which the amount stands as it was written, valid or not."""
    return json.dumps(document, separators=(",", ":")).replace(json.dumps(_AMOUNT), values.literal).encode()


def _collapsed(values: Values) -> bytes:
    return f"main ({FILE}:1);{values.name} ({FILE}:26) {values.literal}\n".encode("utf-8", "surrogatepass")


def _austin(values: Values) -> bytes:
    stack = f"P1;T0:1;{FILE}:{values.name}:26 {values.literal}"
    return f"# austin: 3.7.0\n# interval: 100\n# mode: wall\n\n{stack}\n".encode("utf-8", "surrogatepass")


def _python_315(values: Values) -> bytes:
    return f"tid:1;__main__.py:main:3;pricing.py:{values.name}:26 {values.literal}\n".encode("utf-8", "surrogatepass")


def _sampler_lines(values: Values) -> bytes:
    records = (
        {"type": "meta", "v": 0, "run_id": "a", "sample_interval_usec": 1000, "mode": "wall"},
        {"type": "string_table", "v": 0, "run_id": "a", "strings": [
            {"str_id": 0, "value": values.name}, {"str_id": 1, "value": FILE}]},
        {"type": "frame_table", "v": 0, "run_id": "a", "frames": [
            {"frame_id": 0, "path_str_id": 1, "func_str_id": values.index, "line": 26}]},
        {"type": "agg", "v": 0, "run_id": "a", "kind": "frame", "scope": "final", "samples_total": _AMOUNT,
         "entries": [{"frame_id": values.index, "self": _AMOUNT, "cumulative": _AMOUNT}]},
        {"type": "end", "v": 0, "run_id": "a", "samples_total": _AMOUNT},
    )  # fmt: skip
    return b"\n".join(_json(values, record) for record in records) + b"\n"


def _speedscope(values: Values, profile: dict[str, Any]) -> bytes:
    frames = [{"name": values.name, "file": FILE, "line": 26}]
    return _json(values, {"$schema": "https://www.speedscope.app/file-format-schema.json",
                          "shared": {"frames": frames}, "profiles": [profile], "exporter": "x"})  # fmt: skip


def _speedscope_sampled(values: Values) -> bytes:
    return _speedscope(values, {"type": "sampled", "unit": "milliseconds", "startValue": 0, "endValue": 9,
                                "samples": [[values.index]], "weights": [_AMOUNT]})  # fmt: skip


def _speedscope_evented(values: Values) -> bytes:
    start = min(values.start, 1) if values.start <= values.end else 9
    events = [{"type": "O", "frame": values.index, "at": start}, {"type": "C", "frame": values.index, "at": _AMOUNT}]
    return _speedscope(values, {"type": "evented", "unit": "seconds", "startValue": 0, "endValue": 9,
                                "events": events})  # fmt: skip


def _chrome(values: Values) -> bytes:
    start = 0 if values.start <= values.end else -5
    event = {"ph": "X", "name": f"{values.name} ({FILE}:26)", "ts": start, "dur": _AMOUNT, "pid": 1, "tid": 1}
    return _json(values, {"traceEvents": [event], "viztracer_metadata": {"version": "1.0.0"}})


def _pyinstrument(values: Values) -> bytes:
    inner = {"function": values.name, "file_path": FILE, "line_no": 26, "time": _AMOUNT, "children": []}
    root = {"function": "main", "file_path": FILE, "line_no": 1, "time": _AMOUNT, "children": [inner]}
    return _json(values, {"start_time": 1.7e9, "duration": 1.0, "sample_count": 5, "root_frame": root})


def _sentry(values: Values) -> bytes:
    times = (values.start, values.end)
    return _json(values, {
        "profile": {
            "frames": [{"abs_path": FILE, "function": values.name, "lineno": 26}], "stacks": [[values.index]],
            "samples": [{"stack_id": values.index, "thread_id": "1", "elapsed_since_start_ns": str(at - times[0])}
                        for at in times] + [{"stack_id": 0, "thread_id": "1", "elapsed_since_start_ns": _AMOUNT}],
            "thread_metadata": {"1": {"name": "MainThread"}},
        },
        "environment": "prod", "release": "shop@1", "timestamp": "2026-11-21T01:00:00Z",
        "runtime": {"name": "CPython", "version": "3.12.1"}, "transactions": [{"active_thread_id": "1"}],
    })  # fmt: skip


def _otlp_json(values: Values) -> bytes:
    attributes = [{"key": "code.function.name", "value": {"stringValue": values.name}},
                  {"key": "code.file.path", "value": {"stringValue": FILE}},
                  {"key": "code.line.number", "value": {"intValue": _AMOUNT}}]  # fmt: skip
    span = {"traceId": "ab" * 16, "spanId": "cd" * 8, "parentSpanId": "ef" * 8, "name": values.name, "kind": 2,
            "startTimeUnixNano": str(values.start), "endTimeUnixNano": str(values.end),
            "droppedEventsCount": _AMOUNT, "attributes": attributes}  # fmt: skip
    scopes = [{"scope": {}, "spans": [span]}]
    return _json(values, {"resourceSpans": [{"resource": {"attributes": []}, "scopeSpans": scopes}]}) + b"\n"


def _otlp_protobuf(values: Values) -> bytes:
    name = values.name.encode("utf-8", "surrogatepass")
    line = (
        int(values.amount)
        if isinstance(values.amount, int)
        else struct.unpack("<q", struct.pack("<d", values.amount))[0]
    )
    span = (
        message(1, b"\xab" * 16) + message(2, b"\xcd" * 8) + message(4, b"\xef" * 8) + message(5, name) + number(6, 2)
        + _fixed(7, values.start) + _fixed(8, values.end)
        + message(9, message(1, b"code.function.name") + message(2, message(1, name)))
        + message(9, message(1, b"code.file.path") + message(2, message(1, FILE.encode())))
        + message(9, message(1, b"code.line.number") + message(2, number(3, line)))
    )  # fmt: skip
    return message(1, message(1, b"") + message(2, message(2, span)))


def _jaeger(values: Values) -> bytes:
    span = {"traceID": "ab" * 16, "spanID": "cd" * 8, "operationName": values.name, "processID": "p1",
            "references": [{"refType": "CHILD_OF", "traceID": "ab" * 16, "spanID": "ef" * 8}],
            "startTime": values.start // 1000, "duration": (values.end - values.start) // 1000,
            "tags": [{"key": "code.function.name", "type": "string", "value": values.name},
                     {"key": "code.file.path", "type": "string", "value": FILE},
                     {"key": "code.line.number", "type": "int64", "value": _AMOUNT}], "logs": []}  # fmt: skip
    processes = {"p1": {"serviceName": "shop", "tags": []}}
    return _json(values, {"data": [{"traceID": "ab" * 16, "spans": [span], "processes": processes}]})


def _pprof(values: Values) -> bytes:
    strings = ["", "samples", "count", "cpu", "nanoseconds", values.name, FILE]
    value = int(values.amount) if values.amount == values.amount and abs(values.amount) < 2**70 else 2**63
    columns = message(1, number(1, 1) + number(2, 2)) + message(1, number(1, 3) + number(2, 4))
    sample = message(2, number(1, values.index + 1) + number(2, value) + number(2, value))
    location = message(4, number(1, 1) + message(4, number(1, values.index + 1) + number(2, 26)))
    function = message(5, number(1, 1) + number(2, 5 + values.index) + number(4, 6) + number(5, 26))
    table = b"".join(message(6, text.encode("utf-8", "surrogatepass")) for text in strings)
    return columns + sample + location + function + table + number(9, values.start) + number(12, 10_000)


def _pstats(values: Values) -> bytes:
    key, main = (FILE, 26, values.name), (FILE, 1, "main")
    entry = (values.amount, values.amount, values.amount, values.amount)
    return marshal.dumps({main: (1, 1, 0.1, 0.5, {}), key: (*entry, {main: entry})}, 4)


def _coverage_json(values: Values) -> bytes:
    contexts = {values.literal: [f"tests/test_a.py::{values.name}"]}
    return _json(
        values,
        {"meta": {"format": 3, "version": "7.0"}, "files": {FILE: {"executed_lines": [26], "contexts": contexts}}},
    )


def _coverage_sqlite(values: Values) -> bytes:
    connection = sqlite3.connect(":memory:")
    connection.executescript(
        "CREATE TABLE file (id integer primary key, path text); CREATE TABLE context (id integer, context text);"
        "CREATE TABLE line_bits (file_id integer, context_id integer, numbits blob);"
        "CREATE TABLE arc (file_id integer, context_id integer, fromno integer, tono integer);"
    )
    text = values.name.encode("utf-8", "surrogatepass")
    connection.execute("INSERT INTO file VALUES (1, ?)", [FILE])
    connection.execute("INSERT INTO context VALUES (1, CAST(? AS TEXT))", [b"tests/test_a.py::" + text + b"|run"])
    amount = values.amount if not isinstance(values.amount, int) or abs(values.amount) < 2**63 else str(values.amount)
    connection.execute("INSERT INTO arc VALUES (?, 1, 26, ?)", [1 + values.index, amount])
    data = connection.serialize()
    connection.close()
    return data


def _prometheus(values: Values) -> bytes:
    name = values.name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    line = f'function_calls_total{{module="shop.pricing",function="{name}"}} {values.literal}'
    return f"# TYPE function_calls_total counter\n{line}\n".encode("utf-8", "surrogatepass")


def _csv(values: Values) -> bytes:
    name = values.name.replace('"', '""')
    return f'file,line,function,calls\n{FILE},26,"{name}",{values.literal}\n'.encode("utf-8", "surrogatepass")


def _rows(values: Values) -> bytes:
    return _json(values, [{"file": FILE, "line": 26, "function": values.name, "calls": _AMOUNT}])


def _gate(values: Values) -> bytes:
    name = values.name.encode("utf-8", "replace").decode()
    row = ProfiledFunction(id=f"shop/pricing.py::{name}", kind="function", calls=_CALLS, calls_per_min=_CALLS,
                           calls_basis="spans_scaled", errors=_CALLS, sources=(values.index,))  # fmt: skip
    source = Source(kind="otlp-json", file="a", sha256="0" * 64, basis="spans")
    profile = Profile(meta=Meta(window=Window(observed_seconds=60.0), sources=(source,)), functions=(row,))
    text = encode(profile).decode()
    return text.replace(f"{_CALLS}.0", values.literal).replace(f"{_CALLS}", values.literal).encode()


def _fixed(field: int, value: int) -> bytes:
    return varint(field << 3 | 1) + (value & 2**64 - 1).to_bytes(8, "little")


MAKERS: dict[str, Callable[[Values], bytes]] = {
    "collapsed": _collapsed, "austin": _austin, "python-collapsed": _python_315, "jsonl": _sampler_lines,
    "speedscope-sampled": _speedscope_sampled, "speedscope-evented": _speedscope_evented, "chrome": _chrome,
    "pyinstrument": _pyinstrument, "sentry": _sentry, "otlp-json": _otlp_json, "otlp-protobuf": _otlp_protobuf,
    "jaeger": _jaeger, "pprof": _pprof, "pstats": _pstats, "coverage-json": _coverage_json,
    "coverage-sqlite": _coverage_sqlite, "prometheus": _prometheus, "csv": _csv, "rows": _rows, "gate": _gate,
}  # fmt: skip
"""A maker for each format, and for each of its forms that is read by other code."""
