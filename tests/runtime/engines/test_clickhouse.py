"""ClickHouse itself, asked over HTTP: what it adds up is what gate adds up from the same spans in a file."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gatecli.config import Engine, FetchConfig
from gatecli.errors import EvidenceError, UsageError
from gatecli.runtime import engines, formats
from gatecli.runtime.engines import clickhouse, clickhouse_sql
from gatecli.runtime.profile import Profile
from gatecli.runtime.recording import Recording
from tests.runtime.support import PROFILES, build, rows, shop

pytest.importorskip("chdb", reason="chdb (ClickHouse in process) is not installed: pip install -e '.[recorders]'")

from tests.runtime.engines import clickhouse_front

NOW = 1_795_223_600
CODE = ("shop.pricing.price_order", "shop.pricing.price_lines", "shop.store.Store.save", "shop.models.Item.total")
ROUTES = {"POST /orders/<int:size>": shop("web.py::create_order"), "GET /orders/boom": shop("web.py::boom")}


@pytest.fixture(scope="module")
def server() -> Iterator[clickhouse_front.Front]:
    with clickhouse_front.front() as found:
        yield found


@pytest.fixture
def database(server: clickhouse_front.Front) -> clickhouse_front.Front:
    server.run("TRUNCATE TABLE otel.otel_traces")
    server.asked.clear()
    return server


def fetch(database: clickhouse_front.Front, **options: Any) -> Recording:
    source = FetchConfig(
        **{"engine": Engine.CLICKHOUSE, "url": database.address, "table": "otel.otel_traces", **options}
    )
    return engines.fetch(source, now=NOW, window_s=7 * 86_400)


def comparable(profile: Profile) -> dict[str, Any]:
    """All that traces tell, without what is of the file or of the engine."""
    return {
        "functions": [
            (r.id, r.calls, r.errors, r.error_rate, r.error_types, r.entry_points, r.critical_path_share)
            for r in profile.functions
        ],
        "latencies": [(r.id, r.latency_ms and (r.latency_ms.mean, r.latency_ms.n)) for r in profile.functions],
        "edges": profile.calls(),
        "entries": [(e.id, e.kind, e.handler, e.error_rate, e.weight) for e in profile.entry_points],
    }


@pytest.mark.parametrize("name", ["otlp.manual.jsonl", "otlp.flask.jsonl", "otlp.fastapi.jsonl", "otlp.celery.jsonl"])
def test_the_samples_give_what_their_files_give(database: clickhouse_front.Front, name: str) -> None:
    database.insert(clickhouse_front.rows(PROFILES / name))
    here = build(formats.read(PROFILES / name))
    there = build(fetch(database))
    assert comparable(there) == comparable(here)
    assert there.meta.service == here.meta.service
    assert there.meta.environment == here.meta.environment
    assert len(database.asked) == 5


def made_up(seed: int) -> str:
    """A few hundred traces through two services, as OTLP JSON lines."""
    chance = random.Random(seed)
    lines = []
    for trace in range(200):
        spans: dict[str, list[dict[str, Any]]] = {"shop": [], "mail": []}
        placed: list[tuple[str, int, int]] = []
        for number in range(chance.randrange(1, 12)):
            id = f"{trace * 100 + number + 1:016x}"
            parent, start, end = chance.choice(placed) if placed else ("", 0, 10**9)
            start = chance.randrange(start, start + (end - start) // 2 + 1)
            end = chance.randrange(start, end + 1)
            attributes, kind, service = {}, 1, "shop"
            if number == 0:
                method, _, route = chance.choice([*ROUTES, "GET /unknown"]).partition(" ")
                attributes, kind = {"http.route": route, "http.request.method": method}, 2
                if route == "/unknown":
                    attributes = {"rpc.system": "grpc", "rpc.service": "shop.v1.Orders", "rpc.method": "Place"}
            elif chance.random() < 0.6:
                attributes = {"code.function.name": chance.choice(CODE)}
            elif chance.random() < 0.3:
                service = "mail"
            spans[service].append(
                {
                    "traceId": f"{trace + 1:032x}",
                    "spanId": id,
                    **({"parentSpanId": parent} if parent else {}),
                    **({"traceState": "ot=th:8"} if trace % 2 else {}),
                    "name": "x",
                    "kind": kind,
                    "startTimeUnixNano": str((NOW - 3_600 + trace) * 10**9 + start),
                    "endTimeUnixNano": str((NOW - 3_600 + trace) * 10**9 + end),
                    "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()],
                    "status": {"code": 2} if chance.random() < 0.1 else {},
                }
            )
            placed.append((id, start, end))
        lines.append(
            json.dumps(
                {
                    "resourceSpans": [
                        {
                            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]},
                            "scopeSpans": [{"spans": of}],
                        }
                        for service, of in spans.items()
                    ]
                }
            )
        )
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("service", [None, "shop"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_traces_through_two_services(
    database: clickhouse_front.Front, tmp_path: Path, seed: int, service: str | None
) -> None:
    """Callers and entry points are found through the spans of the other service, half of the traces are sampled."""
    path = tmp_path / "traces.jsonl"
    path.write_text(made_up(seed))
    database.insert(clickhouse_front.rows(path))
    here = comparable(build(formats.read(path), service=service, routes=ROUTES))
    there = comparable(build(fetch(database, service=service), service=service, routes=ROUTES))
    # What a sampled trace stands for is not known for each edge: callers are counted as recorded.
    for profile in (here, there):
        profile["edges"] = {(edge.caller, edge.callee) for edge in profile["edges"]}
        assert profile["edges"]
        for position, (id, calls, errors, rate, types, entries, waited) in enumerate(profile["functions"]):
            reached = sorted(entry.id for entry in entries)
            waited = None if waited is None else round(waited, 1)
            profile["functions"][position] = id, calls, errors, rate, types, reached, waited
    assert there["entries"] == here["entries"]
    assert there["edges"] == here["edges"]
    assert [row[:6] for row in there["functions"]] == [row[:6] for row in here["functions"]]
    assert there["latencies"] == here["latencies"]


def test_a_fleet_is_sampled_by_whole_traces(
    database: clickhouse_front.Front, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "traces.jsonl"
    path.write_text(made_up(4).replace('"traceState": "ot=th:8", ', ""))
    database.insert(clickhouse_front.rows(path))
    whole = build(fetch(database), routes=ROUTES)
    monkeypatch.setattr(clickhouse, "MAX_TRACES", 50)
    monkeypatch.setattr(clickhouse, "SAMPLED_SPANS", 300)
    recording = fetch(database)
    part = build(recording, routes=ROUTES)
    assert len(recording.spans) < 600
    assert any("every 4th trace" in warning for warning in recording.warnings)
    assert [(r.id, r.calls, r.latency_ms) for r in part.functions] == [
        (r.id, r.calls, r.latency_ms) for r in whole.functions
    ]
    calls = sum(edge.calls or 0 for edge in whole.edges)
    assert 0.4 * calls < sum(edge.calls or 0 for edge in part.edges) < 2 * calls
    price = rows(part)["shop/pricing.py::price_order"].critical_path_share
    assert price is not None
    assert price == pytest.approx(rows(whole)["shop/pricing.py::price_order"].critical_path_share, abs=0.2)


def test_nothing_of_that_service(database: clickhouse_front.Front) -> None:
    database.insert(clickhouse_front.rows(PROFILES / "otlp.flask.jsonl"))
    with pytest.raises(UsageError, match=r"no spans of its' \\ in this time: there is shop"):
        fetch(database, service="its' \\")


def test_an_empty_table(database: clickhouse_front.Front) -> None:
    with pytest.raises(UsageError, match=r"otel\.otel_traces has no spans in this time$"):
        fetch(database)


def test_what_clickhouse_refuses(database: clickhouse_front.Front) -> None:
    with pytest.raises(EvidenceError, match=r"status 404: .*Code: 60\. DB::Exception"):
        fetch(database, table="otel.gone")
    with pytest.raises(UsageError, match="is no table of ClickHouse"):
        fetch(database, table="otel_traces; DROP TABLE otel_traces")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"Code: 241. DB::Exception: Memory limit exceeded", "ClickHouse gave up: Code: 241"),
        (b"[1,1,1,0,[],[],[],[]]\nCode: 159. DB::Exception: Timeout", "ClickHouse gave up: Code: 159"),
        (b"[1,2,", "line 1 of ClickHouse's answer is none"),
        (b"[-1,1,1,0,[],[],[],[]]", "line 1 of ClickHouse's answer is none"),
        (b'{"data":[]}', "line 1 of ClickHouse's answer is none"),
        (b"\xff", "line 1 of ClickHouse's answer is none"),
        (b"", "has no spans"),
    ],
)
def test_other_answers(answer: bytes, message: str) -> None:
    source = FetchConfig(engine=Engine.CLICKHOUSE, url="http://x")
    with pytest.raises((EvidenceError, UsageError)) as error:
        clickhouse.fetch(source, lambda question: answer, 0, 1)
    assert message in error.value.message


@pytest.mark.parametrize("text", ["shop", "it's", "\\", "'; DROP TABLE x --", "é\n\0"])
def test_quoting(server: clickhouse_front.Front, text: str) -> None:
    answer = server.run(f"SELECT {clickhouse_sql.quoted(text)} FORMAT JSONCompactEachRow")
    assert json.loads(answer) == [text]


def test_keys_are_sent_as_short_as_they_can_be_told_apart() -> None:
    chance = random.Random(1)
    keys = [chance.getrandbits(48) for _ in range(2_000)]
    mask = clickhouse._mask(keys)
    assert len({key & mask for key in keys} - {0}) == 2_000
    assert 20 < mask.bit_length() < 40
    assert clickhouse._mask([]) == 0b111
    assert clickhouse._mask([2**47, 2**47 + 2**46]) == 2**48 - 1, "they differ in the highest bits alone"
