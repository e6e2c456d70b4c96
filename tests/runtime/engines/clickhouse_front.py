"""The real ClickHouse, in process, behind as much of its HTTP interface as gate speaks, with the Collector's table."""

import gzip
import json
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

# https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/exporter/clickhouseexporter
TABLE = """
CREATE TABLE otel.otel_traces (
  Timestamp DateTime64(9), TraceId String, SpanId String, ParentSpanId String, TraceState String,
  SpanName LowCardinality(String), SpanKind LowCardinality(String), ServiceName LowCardinality(String),
  ResourceAttributes Map(LowCardinality(String), String), ScopeName String, ScopeVersion String,
  SpanAttributes Map(LowCardinality(String), String), Duration UInt64,
  StatusCode LowCardinality(String), StatusMessage String,
  Events Nested (Timestamp DateTime64(9), Name LowCardinality(String), Attributes Map(LowCardinality(String), String)),
  Links Nested (TraceId String, SpanId String, TraceState String, Attributes Map(LowCardinality(String), String))
) ENGINE = MergeTree PARTITION BY toDate(Timestamp) ORDER BY (ServiceName, SpanName, toDateTime(Timestamp))"""
_KINDS = ("Unspecified", "Internal", "Server", "Client", "Producer", "Consumer")
_STATUS = ("Unset", "Ok", "Error")


class Front:
    """A database and its address; ``asked`` are the questions, ``sent`` the bytes of all answers."""

    def __init__(self) -> None:
        self.address = ""
        self.asked: list[str] = []
        self.sent = 0
        self._statements: Queue[tuple[str, Queue[Any]]] = Queue()

    def run(self, statement: str) -> bytes:
        """What a statement answers; the engine is only ever used by one thread."""
        answer: Queue[Any] = Queue()
        self._statements.put((statement, answer))
        found = answer.get()
        if isinstance(found, Exception):
            raise found
        return bytes(found)

    def insert(self, rows: Iterable[dict[str, Any]]) -> None:
        """Add spans to the table."""
        lines = "\n".join(json.dumps(row) for row in rows)
        self.run(f"INSERT INTO otel.otel_traces FORMAT JSONEachRow\n{lines}")

    def serve_statements(self) -> None:
        """Work for the thread that owns the engine."""
        from chdb import session

        engine = session.Session()
        while (item := self._statements.get())[0]:
            statement, answer = item
            try:
                answer.put(engine.query(statement).bytes())
            except Exception as error:
                answer.put(error)
        engine.close()
        item[1].put(b"")

    def close(self) -> None:
        answer: Queue[Any] = Queue()
        self._statements.put(("", answer))
        answer.get()


@contextmanager
def front() -> Iterator[Front]:
    """An empty database with its table, behind a port of this machine."""
    database = Front()
    threading.Thread(target=database.serve_statements, daemon=True).start()
    database.run("CREATE DATABASE IF NOT EXISTS otel")
    database.run("DROP TABLE IF EXISTS otel.otel_traces")
    database.run(TABLE)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = self.rfile.read(int(self.headers["Content-Length"])).decode()
            database.asked.append(question)
            try:
                status, body = 200, database.run(question)
            except Exception as error:
                status, body = 404, str(error).encode()
            self.send_response(status)
            if "enable_http_compression=1" in self.path and "gzip" in self.headers["Accept-Encoding"]:
                level = re.search(r"http_zlib_compression_level=(\d)", self.path)
                body = gzip.compress(body, int(level[1]) if level else 3)
                self.send_header("Content-Encoding", "gzip")
            database.sent += len(body)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    database.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield database
    finally:
        server.shutdown()
        server.server_close()
        database.close()


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """OTLP JSON lines as the Collector's exporter writes them to the table."""
    for line in path.read_text().splitlines():
        for group in json.loads(line)["resourceSpans"]:
            resource = _texts(group["resource"]["attributes"])
            for scope in group["scopeSpans"]:
                yield from (_row(span, resource, scope.get("scope", {})) for span in scope["spans"])


def _row(span: dict[str, Any], resource: dict[str, str], scope: dict[str, Any]) -> dict[str, Any]:
    start, end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
    events = span.get("events", [])
    return {
        "Timestamp": _moment(start),
        "TraceId": span["traceId"],
        "SpanId": span["spanId"],
        "ParentSpanId": span.get("parentSpanId", ""),
        "TraceState": span.get("traceState", ""),
        "SpanName": span["name"],
        "SpanKind": _KINDS[span.get("kind", 0)],
        "ServiceName": resource.get("service.name", ""),
        "ResourceAttributes": resource,
        "ScopeName": scope.get("name", ""),
        "ScopeVersion": scope.get("version", ""),
        "SpanAttributes": _texts(span.get("attributes", [])),
        "Duration": end - start,
        "StatusCode": _STATUS[span.get("status", {}).get("code", 0)],
        "StatusMessage": span.get("status", {}).get("message", ""),
        "Events.Timestamp": [_moment(int(event["timeUnixNano"])) for event in events],
        "Events.Name": [event["name"] for event in events],
        "Events.Attributes": [_texts(event.get("attributes", [])) for event in events],
    }


def _moment(nanoseconds: int) -> str:
    return f"{nanoseconds // 10**9}.{nanoseconds % 10**9:09}"


def _texts(attributes: list[dict[str, Any]]) -> dict[str, str]:
    return {one["key"]: str(next(iter(one["value"].values()), "")) for one in attributes}
