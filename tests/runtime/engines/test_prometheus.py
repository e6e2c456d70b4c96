"""Prometheus: the server itself where it is installed, its answers word for word where it is not."""

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from gatecli.config import Engine, FetchConfig
from gatecli.errors import EvidenceError, GateError, UsageError
from gatecli.runtime import engines
from gatecli.runtime.recording import Recording
from tests.runtime.engines import fake
from tests.runtime.support import REVISION, build, rows, shop

PRICE, CHECKOUT = "shop/pricing.py::price_order", "shop/checkout.py::Checkout.__call__"


@pytest.fixture
def engine() -> Iterator[fake.Engine]:
    with fake.engine() as found:
        yield found


def fetch(address: str, **options: Any) -> Recording:
    window_s = options.pop("window_s", 3_600)
    now = options.pop("now", 1_795_223_600)
    return engines.fetch(FetchConfig(engine=Engine.PROMETHEUS, url=address, **options), now=now, window_s=window_s)


def vector(*series: tuple[dict[str, str], object]) -> bytes:
    result = [{"metric": metric, "value": [1435781451.781, str(value)]} for metric, value in series]
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode()


@pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="prometheus is not installed: apt-get install prometheus"
)
def test_the_server_itself(tmp_path: Path) -> None:
    pytest.importorskip("prometheus_client", reason="prometheus_client is not installed")
    web, exporter = (free_port() for _ in range(2))
    config = tmp_path / "prometheus.yml"
    config.write_text(
        "global: {scrape_interval: 250ms, scrape_timeout: 200ms}\n"
        f"scrape_configs: [{{job_name: shop, static_configs: [{{targets: ['127.0.0.1:{exporter}']}}]}}]\n"
    )
    commands = [
        [sys.executable, str(Path(__file__).with_name("exporter.py")), str(exporter)],
        ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'data'}",
         f"--web.listen-address=127.0.0.1:{web}", "--log.level=error"],
    ]  # fmt: skip
    address = f"http://127.0.0.1:{web}"
    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for command in commands]
    try:
        wait_for_scrapes(address)
        profile = build(fetch(address, service="shop", now=time.time(), window_s=60), revision=REVISION)
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(10)
    found = rows(profile)
    assert found.keys() == {PRICE, CHECKOUT}
    price = found[PRICE]
    assert price.calls is not None
    assert price.calls > 20
    assert price.error_rate == pytest.approx(0.1, abs=0.05)
    assert price.latency_ms is not None
    assert 1 < (price.latency_ms.p95 or 0) <= 10, "the bucket of 1 to 10 ms"
    assert [(edge.caller, edge.callee) for edge in profile.edges] == [(CHECKOUT, PRICE)]
    assert profile.meta.revision_source == "build_info"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def wait_for_scrapes(address: str) -> None:
    """Until a rate can be told; a slow machine is no failure, a server that never starts is."""
    query = f"{address}/api/v1/query?query=count_over_time(function_calls_total%5B30s%5D)%20%3E%205"
    for _ in range(300):
        try:
            with urllib.request.urlopen(query) as response:
                if json.load(response)["data"]["result"]:
                    return
        except OSError:
            pass
        time.sleep(0.1)
    pytest.fail("prometheus did not scrape anything in 30 s")


def test_span_metrics_where_no_function_is_counted(engine: fake.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {
        "function_calls_total": vector(),
        "calls_total": vector(
            ({"span_name": "POST orders/<int:size>", "span_kind": "SPAN_KIND_SERVER"}, 90.4),
            ({"span_name": "POST orders/<int:size>", "span_kind": "SPAN_KIND_SERVER",
              "status_code": "STATUS_CODE_ERROR"}, 9.6),
            ({"span_name": "run/shop.tasks.settle", "span_kind": "SPAN_KIND_CONSUMER"}, 50),
            ({"span_name": "shop.pricing.price_order", "span_kind": "SPAN_KIND_INTERNAL"}, 100),
            ({"span_name": "SELECT", "span_kind": "SPAN_KIND_CLIENT"}, 1_000),
        ),
        "histogram_quantile(0.95": vector(
            ({"span_name": "POST orders/<int:size>", "span_kind": "SPAN_KIND_SERVER"}, 12.5),
            ({"span_name": "SELECT", "span_kind": "SPAN_KIND_CLIENT"}, "NaN"),
        ),
    }  # fmt: skip
    asked = answer_queries(engine, answers, monkeypatch)
    profile = build(fetch(engine.address, service='sh"op'), routes={"POST /orders/<int:size>": shop("web.py::boom")})
    entry = next(entry for entry in profile.entry_points if entry.kind == "http")
    assert (entry.id, entry.handler) == ("http POST /orders/<int:size>", "shop/web.py::boom")
    assert entry.calls_per_min == pytest.approx(100 / 60, rel=0.01)
    assert entry.error_rate == pytest.approx(0.096)
    assert entry.latency_ms is not None
    assert entry.latency_ms.p95 == 12.5
    assert {row.id: row.calls for row in profile.functions} == {"shop/web.py::boom": 100, PRICE: 100}
    assert any('traces_span_metrics_calls_total{service_name="sh\\"op"}[3600s]' in query for query in asked)


def answer_queries(engine: fake.Engine, answers: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the engine answer by a part of the query; what it was asked."""
    asked: list[str] = []
    real = engines.ask

    def ask(question: Any, **limits: Any) -> bytes:
        query = parse_qs(question.body.decode())["query"][0]
        asked.append(query)
        body = next((answer for part, answer in answers.items() if part in query), vector())
        engine.answer("/api/v1/query", body)
        return real(question, **limits)

    monkeypatch.setattr(engines, "ask", ask)
    return asked


def test_a_counter_of_ones_own(engine: fake.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {
        "my_total": vector(({"code_namespace": "shop.pricing", "code_function": "price_order"}, 700)),
        "my_errors": vector(({"code_namespace": "shop.pricing", "code_function": "price_order"}, 7)),
    }
    asked = answer_queries(engine, answers, monkeypatch)
    queries = {"calls": "sum by (code_namespace, code_function) (increase(my_total[{window}]))", "errors": "my_errors"}
    price = rows(build(fetch(engine.address, queries=queries)))[PRICE]
    assert (price.calls, price.errors, price.calls_per_min) == (700, 7, pytest.approx(700 / 60))
    assert asked == ["sum by (code_namespace, code_function) (increase(my_total[3600s]))", "my_errors"]


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (200, vector(), "neither function_calls_total nor traces_span_metrics_calls_total has anything"),
        (200, b"<!DOCTYPE html><title>Sign in</title>", "the answer is a web page, no data"),
        (200, b'{"status":"success","data":{"resultType":"matrix","result":[]}}', "gives a matrix, not a vector"),
        (200, b'{"status":"error","errorType":"timeout","error":"query timed out"}', "was refused: query timed out"),
        (200, b'{"status":"success","data":{"resultType":"vec', "not an answer of Prometheus"),
        (200, b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"x"]}]}}',
         "not an answer of Prometheus"),
        (200, b"[" * 100_000, "not an answer of Prometheus"),
        (200, b"", "not an answer of Prometheus"),
        (400, b'{"status":"error","error":"parse error"}', 'status 400: {"status":"error","error":"parse error"}'),
        (401, b"<html>no</html>", "status 401"),
    ],
)  # fmt: skip
def test_answers_that_are_none(engine: fake.Engine, status: int, body: bytes, message: str) -> None:
    engine.answer("/api/v1/query", body, status)
    with pytest.raises(GateError) as error:
        fetch(engine.address)
    assert message in error.value.message
    assert engine.address in error.value.message


def test_unknown_queries() -> None:
    with pytest.raises(UsageError, match="unknown query 'cals'"):
        fetch("http://127.0.0.1:1", queries={"cals": "x"})


def test_an_engine_that_is_down_or_slow(engine: fake.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gatecli.runtime.engines.url._PAUSES_S", (0.01, 0.01))
    with pytest.raises(EvidenceError, match=r"http://127\.0\.0\.1:1/api/v1/query cannot be fetched"):
        fetch("http://127.0.0.1:1")
    engine.answer("/api/v1/query", b"busy", 503)
    with pytest.raises(EvidenceError, match="status 503: busy"):
        fetch(engine.address)
    assert len(engine.asked) == 3, "asked again twice"
    engine.pause_s = 1.0
    with pytest.raises(EvidenceError, match=r"did not answer in 0\.2 s"):
        fetch(engine.address, timeout_s=0.2)
