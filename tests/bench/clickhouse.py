"""What crosses the wire when ClickHouse adds up, against the spans: ``python -m tests.bench.clickhouse [SPANS]``.

The engine is the real one, in process (``chdb``), behind HTTP on this machine. The table is the Collector's, with 12
spans a trace: a server span, internal ones that name a function, and client ones that do not. Requests of a route run
through the same functions, but for one in twenty. gate's answers cross the wire compressed (``gzip -9``); what a
download has is told plain and compressed in the same way.
"""

import gzip
import sys
import time

from gatecli.config import Engine, FetchConfig
from gatecli.runtime import engines
from tests.runtime.engines.clickhouse_front import Front, front
from tests.runtime.support import build

NOW = 1_795_223_600
FUNCTIONS = 2_000
ROUTES = 100
_MADE = """
INSERT INTO otel.otel_traces
WITH intDiv(number, 12) AS trace, number % 12 AS span, cityHash64(number) AS chance,
  cityHash64(trace) % {routes} AS route, cityHash64(route, span, if(chance % 20 = 0, chance % 7, 0)) AS place
SELECT toDateTime64({start} + trace / {traces} * 600000 + span / 1000, 9) AS Timestamp,
  lower(hex(MD5(toString(trace)))) AS TraceId, leftPad(lower(hex(number + 1)), 16, '0') AS SpanId,
  if(span = 0, '', leftPad(lower(hex(trace * 12 + cityHash64(route, span) % span + 1)), 16, '0')) AS ParentSpanId,
  '' AS TraceState,
  multiIf(span = 0, concat('POST /route/', toString(route)), span % 4 = 3, 'SELECT', 'work') AS SpanName,
  multiIf(span = 0, 'Server', span % 4 = 3, 'Client', 'Internal') AS SpanKind, 'shop' AS ServiceName,
  map('service.name', 'shop', 'deployment.environment.name', 'production', 'process.runtime.version', '3.12.1',
    'vcs.ref.head.revision', '0123456789abcdef0123456789abcdef01234567', 'host.name', 'web-1', 'telemetry.sdk.name',
    'opentelemetry', 'telemetry.sdk.language', 'python') AS ResourceAttributes,
  'shop' AS ScopeName, '1' AS ScopeVersion,
  multiIf(span = 0, map('http.route', concat('/route/', toString(route)), 'http.request.method', 'POST',
      'http.response.status_code', '200', 'url.path', '/route/x', 'server.address', 'shop.example'),
    span % 4 = 3, map('db.system', 'postgresql', 'db.statement', 'SELECT id, total FROM orders WHERE id = $1'),
    map('code.function.name',
      concat('shop.m', toString(place % {functions} % 50), '.f', toString(place % {functions})),
      'code.file.path', '/app/shop/m.py', 'code.line.number', '10', 'thread.id', '140')) AS SpanAttributes,
  1000000 * (13 - span) + chance % 1000000 AS Duration, if(chance % 100 = 0, 'Error', 'Unset') AS StatusCode,
  '' AS StatusMessage, [], [], [], [], [], [], []
FROM numbers({spans})"""


def downloaded(database: Front, columns: str, format: str) -> tuple[int, int, float]:
    """Bytes of the spans themselves, plain and as the answers to gate's questions are compressed, and seconds."""
    began = time.perf_counter()
    content = database.run(f"SELECT {columns} FROM otel.otel_traces FORMAT {format}")
    seconds = time.perf_counter() - began
    return len(content), len(gzip.compress(content, 9)), seconds


def main() -> None:
    """Fill the table, ask, and download."""
    spans = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with front() as database:
        database.run(
            _MADE.format(start=NOW - 600_000, traces=spans // 12 + 1, spans=spans, routes=ROUTES, functions=FUNCTIONS)
        )
        source = FetchConfig(engine=Engine.CLICKHOUSE, url=database.address, table="otel.otel_traces", service="shop")
        began = time.perf_counter()
        recording = engines.fetch(source, now=NOW, window_s=7 * 86_400)
        asked_s, asked = time.perf_counter() - began, database.sent
        profile = build(recording)
        print(f"{spans:,} spans: {len(recording.operations):,} operations, {len(profile.entry_points):,} entry points")
        print(f"pushed down: {asked:,} bytes, {asked_s:.1f} s")
        needed = "Timestamp, TraceId, SpanId, ParentSpanId, TraceState, SpanKind, ServiceName, SpanAttributes, Duration"
        for title, columns, format in (
            ("all columns, JSON", "*", "JSONEachRow"),
            ("needed columns, JSON", needed, "JSONEachRow"),
            ("needed columns, Parquet (compressed)", needed, "Parquet"),
        ):
            size, compressed, seconds = downloaded(database, columns, format)
            print(f"{title}: {size:,} bytes ({size / asked:.0f} x), {seconds:.1f} s; "
                  f"as gzip {compressed:,} ({compressed / asked:.0f} x)", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
