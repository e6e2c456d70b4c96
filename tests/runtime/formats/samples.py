"""A sample of each format that has a reader, real ones where a tool made them, and its content inflated."""

import gzip
import json

from gatecli.runtime import formats
from gatecli.runtime.formats import Reader
from gatecli.runtime.profile import encode
from tests.runtime.support import PROFILES, build, recording

# As python -m profiling.sampling run --jsonl writes it (3.15.2).
JSONL = "\n".join(
    json.dumps(record, separators=(",", ":"))
    for record in (
        {"type": "meta", "v": 0, "run_id": "a", "sample_interval_usec": 1000, "mode": "wall"},
        {"type": "string_table", "v": 0, "run_id": "a", "strings": [
            {"str_id": 0, "value": "AuditedStore.audit"},
            {"str_id": 1, "value": "/srv/shop/releases/42/src/shop/store.py"},
            {"str_id": 2, "value": "main"},
            {"str_id": 3, "value": "/srv/shop/releases/42/src/shop/__main__.py"},
            {"str_id": 4, "value": "<GC>"},
            {"str_id": 5, "value": "~"},
        ]},
        {"type": "frame_table", "v": 0, "run_id": "a", "frames": [
            {"frame_id": 0, "path_str_id": 1, "func_str_id": 0, "line": 31, "end_line": 31, "col": 8, "end_col": 20},
            {"frame_id": 1, "path_str_id": 1, "func_str_id": 0, "line": 32},
            {"frame_id": 2, "path_str_id": 3, "func_str_id": 2, "line": 25},
            {"frame_id": 3, "path_str_id": 5, "func_str_id": 4, "line": 0, "synthetic": True},
        ]},
        {"type": "agg", "v": 0, "run_id": "a", "kind": "frame", "scope": "final", "samples_total": 40, "entries": [
            {"frame_id": 0, "self": 25, "cumulative": 25},
            {"frame_id": 1, "self": 5, "cumulative": 5},
            {"frame_id": 2, "self": 8, "cumulative": 40},
            {"frame_id": 3, "self": 2, "cumulative": 2},
        ]},
        {"type": "end", "v": 0, "run_id": "a", "samples_total": 40},
    )
) + "\n"  # fmt: skip

# What ClickHouse answers to FORMAT CSVWithNames: the columns of the query in docs/profiles.md.
CSV = (
    '"ServiceName","func","file","line","calls","errors","total_s","revision"\n'
    '"shop","shop.pricing.price_order","/app/shop/pricing.py",24,70000,35,12.5,"0123456789abcdef"\n'
    '"shop","shop.store.AuditedStore.audit","",0,1400,0,3,"0123456789abcdef"\n'
)

ROWS = json.dumps(
    [
        {"function": "shop/pricing.py::price_order", "samples": 90, "self_samples": 40},
        {"function": "price_lines", "file": "/app/shop/pricing.py", "line": 43, "samples": 50, "self_samples": 50},
    ]
)


def jaeger() -> bytes:
    """The spans of a sample as Jaeger's UI would give them."""
    lines = [json.loads(line) for line in (PROFILES / "otlp.flask.jsonl").read_text().splitlines() if line]
    spans = []
    for group in (group for line in lines for group in line["resourceSpans"]):
        for span in (span for scope in group["scopeSpans"] for span in scope["spans"]):
            start, end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
            kind = ("internal", "server", "client", "producer", "consumer")[span["kind"] - 1]
            tags = [*_tags(span["attributes"]), {"key": "span.kind", "type": "string", "value": kind}]
            if span.get("status", {}).get("code") == 2:
                tags.append({"key": "error", "type": "bool", "value": True})
            parent = span.get("parentSpanId")
            spans.append(
                {
                    "traceID": span["traceId"],
                    "spanID": span["spanId"],
                    "operationName": span["name"],
                    "references": [{"refType": "CHILD_OF", "traceID": span["traceId"], "spanID": parent}] if parent
                    else [],
                    "startTime": start // 1000,
                    "duration": end // 1000 - start // 1000,
                    "tags": tags,
                    "logs": [
                        {
                            "timestamp": int(event["timeUnixNano"]) // 1000,
                            "fields": [
                                {"key": "event", "type": "string", "value": event["name"]},
                                *_tags(event["attributes"]),
                            ],
                        }
                        for event in span.get("events", ())
                    ],
                    "processID": "p1",
                    "warnings": None,
                }
            )  # fmt: skip
    processes = {"p1": {"serviceName": "shop", "tags": []}}
    traces = [
        {"traceID": trace, "spans": [span for span in spans if span["traceID"] == trace], "processes": processes}
        for trace in dict.fromkeys(span["traceID"] for span in spans)
    ]
    return json.dumps({"data": traces, "total": 0, "limit": 0, "errors": None}).encode()


def _tags(attributes: list[dict[str, dict[str, object]]]) -> list[dict[str, object]]:
    result: list[dict[str, object]] = []
    for attribute in attributes:
        ((kind, value),) = attribute["value"].items()
        if kind == "intValue":
            value = int(str(value))
        result.append({"key": attribute["key"], "type": "string", "value": value})
    return result


def gate_profile() -> bytes:
    """A profile of gate's own, of counts, samples, spans and tests."""
    names = ("pyspy.raw.txt", "cprofile-3.10.pstats", "otlp.flask.jsonl", "coverage.json.gz")
    return encode(build(*map(recording, names), window_s=600.0))


_MADE = {
    "python-3.15.jsonl": lambda: JSONL.encode(),
    "clickhouse.csv": lambda: CSV.encode(),
    "rows.json": lambda: ROWS.encode(),
    "jaeger.json": jaeger,
    "gate.json": gate_profile,
}

SAMPLES = {
    "pyspy.speedscope.json": "speedscope (py-spy)",
    "pyinstrument.speedscope.json": "speedscope (pyinstrument)",
    "pyspy.chrometrace.json.gz": "chrome (py-spy)",
    "viztracer.json.gz": "chrome",
    "pyinstrument.json": "pyinstrument",
    "pyroscope-python.pprof": "pprof",
    "datadog-python.pprof.gz": "pprof",
    "sentry.profile.json": "sentry",
    "otlp.flask.pb": "otlp-protobuf",
    "coverage.json.gz": "coverage",
    "coverage.sqlite": "coverage",
    "autometrics.prom": "prometheus",
    "python-3.15.jsonl": "python-jsonl",
    "clickhouse.csv": "table",
    "rows.json": "table",
    "jaeger.json": "jaeger",
    "gate.json": "gate-profile",
    "pyspy.raw.txt": "pyspy-raw",
    "austin.raw.txt": "austin",
    "cprofile-3.8.pstats": "pstats",
    "yappi.pstats": "pstats",
    "otlp.flask.jsonl": "otlp-json",
}
"""Each sample with the kind that it is read as."""


def content(name: str) -> bytes:
    """The bytes that a reader gets."""
    if name in _MADE:
        return _MADE[name]()
    data = (PROFILES / name).read_bytes()
    return gzip.decompress(data) if name.endswith(".gz") else data


def reader(name: str) -> Reader:
    """The reader that a sample's content chooses."""
    head = content(name)[: formats.HEAD_BYTES]
    return next(reader for reader in formats.READERS if reader.matches(head))
