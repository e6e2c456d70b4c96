"""OTLP JSON: both file forms, both spellings of ids and enums, both generations of attribute names."""

import io
import json
from typing import Any

import pytest

from gatecli.errors import EvidenceError
from gatecli.runtime import trace_sums
from gatecli.runtime.formats import otlp, otlp_document, otlp_spans
from gatecli.runtime.recording import Basis, Entry, Frame, Raised, Recording, SpanKind, TraceSpan
from tests.runtime.support import REVISION, recording

TRACE = "70e3b64c731c936f1008c585ca67dc01"
START = 1_795_223_501_044_000_000
TRACEBACK = """\
Traceback (most recent call last):
  File "/app/shop/web.py", line 28, in boom
    raise
  |   File "/app/shop/a.py", line 3, in C.f
    x
"""


def attributes(values: dict[str, Any]) -> list[dict[str, Any]]:
    def typed(value: Any) -> dict[str, Any]:
        if isinstance(value, bool):
            return {"boolValue": value}
        return {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}

    return [{"key": key, "value": typed(value)} for key, value in values.items()]


def span(values: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    return {
        "traceId": TRACE,
        "spanId": "7302878b7bd8a84d",
        "name": "x",
        "kind": 1,
        "startTimeUnixNano": str(START),
        "endTimeUnixNano": str(START + 1_500_000),
        "attributes": attributes(values or {}),
        "status": {},
        **fields,
    }


def request(*spans: dict[str, Any], resource: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "resourceSpans": [
            {"resource": {"attributes": attributes(resource or {})}, "scopeSpans": [{"spans": list(spans)}]}
        ]
    }


def parse(*requests: Any) -> Recording:
    text = "".join(item if isinstance(item, str) else f"{json.dumps(item)}\n" for item in requests)
    return otlp.read(io.BytesIO(text.encode("utf-8", "surrogatepass")))


def test_a_request_is_read_whole() -> None:
    found = parse(
        request(
            span(
                {"http.request.method": "POST", "http.route": "/orders/<int:size>", "http.response.status_code": 500},
                kind=2,
                name="POST /orders/<int:size>",
                parentSpanId="f98bb953b7248689",
                status={"code": 2, "message": "boom"},
                traceState="vendor=1,ot=rv:1;th:8",
                events=[
                    {
                        "name": "exception",
                        "attributes": attributes(
                            {
                                "exception.type": "shop.errors.Boom",
                                "exception.stacktrace": TRACEBACK,
                            }
                        ),
                    },
                    {"name": "log", "attributes": attributes({"exception.type": "not this"})},
                ],
            ),
            resource={
                "service.name": "shop",
                "vcs.ref.head.revision": REVISION,
                "service.version": "1.2.3",
                "deployment.environment.name": "prod",
                "process.runtime.version": "3.12.1",
            },
        )
    )
    assert found == Recording(
        kind="otlp-json",
        basis=Basis.SPANS,
        frames=(
            Frame(file="/app/shop/web.py", name="boom", line=28),
            Frame(file="/app/shop/a.py", name="C.f", line=3),
        ),
        spans=(
            TraceSpan(
                trace=TRACE,
                id="7302878b7bd8a84d",
                parent="f98bb953b7248689",
                service="shop",
                name="POST /orders/<int:size>",
                kind=SpanKind.SERVER,
                start_ns=START,
                end_ns=START + 1_500_000,
                error=True,
                entry=Entry(kind="http", name="POST /orders/<int:size>"),
                raised=(Raised(type="shop.errors.Boom", frames=(0, 1)),),
                count=2.0,
            ),
        ),
        clock="wall",
        started_at=START / 1e9,
        ended_at=(START + 1_500_000) / 1e9,
        python="3.12.1",
        service="shop",
        environment="prod",
        revision=REVISION,
        revision_source="vcs.ref.head.revision",
    )


def test_a_document_over_many_lines_is_the_same_as_one_line() -> None:
    document = request(span(), span(spanId="1" * 16))
    assert parse(json.dumps(document, indent=2)) == parse(document)


def test_requests_of_several_lines_add_up_and_other_signals_are_passed_over() -> None:
    found = parse(request(span()), "\n", {"resourceLogs": []}, request(span(spanId="1" * 16)))
    assert [item.id for item in found.spans] == ["7302878b7bd8a84d", "1" * 16]


def test_enum_names_and_base64_ids_as_protobuf_writes_them() -> None:
    found = parse(
        request(
            span(
                traceId="cOO2THMck28QCMWFymfcAQ==",
                spanId="cwKHi3vYqE0=",
                parentSpanId="+Yu5U7ckhok=",
                kind="SPAN_KIND_CONSUMER",
                status={"code": "STATUS_CODE_ERROR"},
            )
        )
    ).spans[0]
    assert (found.trace, found.id, found.parent) == (TRACE, "7302878b7bd8a84d", "f98bb953b7248689")
    assert (found.kind, found.error) == (SpanKind.CONSUMER, True)


@pytest.mark.parametrize(
    ("values", "frame"),
    [
        (
            {"code.function.name": "shop.a.C.f", "code.file.path": "/app/shop/a.py", "code.line.number": 7},
            Frame(file="/app/shop/a.py", name="shop.a.C.f", first_line=7, dotted=True),
        ),
        (
            {"code.namespace": "shop.a.C", "code.function": "f", "code.filepath": "/app/shop/a.py", "code.lineno": "7"},
            Frame(file="/app/shop/a.py", name="shop.a.C.f", first_line=7, dotted=True),
        ),
        ({"code.function": "f", "code.filepath": "/a.py"}, Frame(file="/a.py", name="f")),
        ({"code.function.name": "f", "code.line.number": -3}, Frame(file=None, name="f")),
        ({"code.filepath": "/a.py", "code.lineno": 3}, None),
        ({"code.function.name": ""}, None),
        ({}, None),
    ],
)
def test_code_attributes(values: dict[str, Any], frame: Frame | None) -> None:
    found = parse(request(span(values)))
    index = found.spans[0].code
    assert (found.frames[index] if index is not None else None) == frame


@pytest.mark.parametrize(
    ("kind", "values", "entry"),
    [
        (
            2,
            {"http.method": "GET", "http.route": "orders/<int:size>/"},
            Entry(kind="http", name="GET /orders/<int:size>/"),
        ),
        (2, {"http.route": "/x"}, Entry(kind="http", name="/x")),
        (2, {"http.method": "GET", "http.target": "/nope"}, None),
        (1, {"http.method": "GET", "http.route": "/x"}, None),
        (3, {"http.method": "GET", "http.route": "/x"}, None),
        (5, {"celery.task_name": "shop.tasks.settle"}, Entry(kind="task", name="shop.tasks.settle", frame=0)),
        (4, {"celery.task_name": "shop.tasks.settle"}, None),
        (5, {"messaging.destination.name": "orders"}, Entry(kind="consumer", name="orders")),
        (5, {"messaging.destination": "orders"}, Entry(kind="consumer", name="orders")),
        (5, {}, None),
        (
            2,
            {"rpc.system": "grpc", "rpc.service": "shop.v1.Orders", "rpc.method": "Place"},
            Entry(kind="grpc", name="shop.v1.Orders/Place"),
        ),
        (
            2,
            {"rpc.system.name": "grpc", "rpc.method": "/shop.v1.Orders/Place"},
            Entry(kind="grpc", name="shop.v1.Orders/Place"),
        ),
        (2, {"rpc.system": "jsonrpc", "rpc.method": "place"}, None),
        (3, {"rpc.system": "grpc", "rpc.service": "shop.v1.Orders", "rpc.method": "Place"}, None),
        (99, {"http.route": "/x"}, None),
        (None, {"http.route": "/x"}, None),
    ],
)
def test_entry_points(kind: int | None, values: dict[str, Any], entry: Entry | None) -> None:
    assert parse(request(span(values, kind=kind))).spans[0].entry == entry


@pytest.mark.parametrize(
    ("state", "count"),
    [
        (None, None),
        ("", None),
        ("vendor=th:8", None),
        ("ot=th:0", 1.0),
        ("ot=th:8", 2.0),
        ("ot=th:c", 4.0),
        ("a=b, ot=rv:0;th:c;x:y,z=1", 4.0),
        ("ot=th:ffffffffffffff", None),  # one of 2**56: no sampler does that
        ("ot=th:zz", None),
        ("ot=th:8" + "," * 5_000, None),
    ],
)
def test_the_sampling_ratio(state: str | None, count: float | None) -> None:
    assert parse(request(span(traceState=state))).spans[0].count == count


@pytest.mark.parametrize(
    ("resource", "revision"),
    [
        ({"service.version": "1.2.3"}, (None, None)),
        ({"service.version": "a1b2c3d"}, ("a1b2c3d", "service.version")),
        ({"vcs.ref.head.revision": REVISION, "service.version": "a1b2c3d"}, (REVISION, "vcs.ref.head.revision")),
        ({"vcs.ref.head.revision": "main; rm -rf"}, (None, None)),
        ({}, (None, None)),
    ],
)
def test_the_revision(resource: dict[str, Any], revision: tuple[str | None, str | None]) -> None:
    found = parse(request(span(), resource=resource))
    assert (found.revision, found.revision_source) == revision


def test_several_revisions_and_services_are_said_and_not_mixed() -> None:
    found = parse(
        request(span(), resource={"service.name": "a", "vcs.ref.head.revision": "1" * 40}),
        request(span(spanId="1" * 16), resource={"service.name": "b", "vcs.ref.head.revision": "2" * 40}),
    )
    assert (found.service, found.revision) == (None, None)
    assert [item.service for item in found.spans] == ["a", "b"]
    assert found.warnings[:2] == ("the spans come from 2 revisions", "the spans come from 2 services")


@pytest.mark.parametrize("field", ["attributes", "events", "status", "parentSpanId", "traceState", "kind"])
def test_null_is_as_good_as_absent(field: str) -> None:
    assert len(parse(request(span(**{field: None}))).spans) == 1


@pytest.mark.parametrize("time", [None, "", "-5", "1.5", "nan", "1e30", 0, "9" * 30, 1.5])
def test_a_span_without_times_is_kept_and_said(time: Any) -> None:
    found = parse(request(span(startTimeUnixNano=time)))
    assert found.spans[0].start_ns == 0
    assert "1 spans have no usable times and are left out of latencies" in found.warnings
    assert found.started_at is None


def test_a_span_that_ends_before_it_starts_is_said() -> None:
    found = parse(request(span(endTimeUnixNano=str(START - 1))))
    assert "1 spans have no usable times and are left out of latencies" in found.warnings


DEEP = "[" * 100_000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"resourceSpans":[]}', "holds no spans"),
        ('{"resourceSpans":null}', "holds no spans"),
        ('{"resourceLogs":[]}', "holds no spans"),
        ('{"resourceSpans":[{"scopeSpans":[{"spans":[{"tra', "not an OTLP document"),
        ('{"resourceSpans":{}}', "line 1 is not an OTLP request: Expected `array | null`, got `object`"),
        ('{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":5}]}]}]}', "Expected `str`, got `int`"),
        ('{"resourceSpans":[{"scopeSpans":[{"spans":[{"kind":[]}]}]}]}', "line 1 is not an OTLP request"),
        (json.dumps(request(span())) + '\n{"resourceSpans":[{"sco', "line 2 is not an OTLP request"),
        (json.dumps(request(span())) + "\n\x1b[31m", "line 2 is not an OTLP request"),
        (json.dumps(request(span())) + "\n[]", "line 2 is not an OTLP request"),
        ('{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"\udc80"}]}]}]}', "OTLP"),
        ('{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"\\ud800"}]}]}]}', "OTLP"),
    ],
)
def test_damaged_files_are_refused(text: str, message: str) -> None:
    with pytest.raises(EvidenceError) as error:
        parse(text)
    assert message in error.value.message


def test_what_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp_spans, "KEPT_SPANS", 0)
    monkeypatch.setattr(trace_sums, "MAX_OPERATIONS", 3)
    with pytest.raises(EvidenceError, match="more than 3 different functions and entry points"):
        parse(request(*(span({"code.function.name": f"f{number}"}) for number in range(4))))
    monkeypatch.setattr(otlp_spans, "MAX_FRAMES", 2)
    with pytest.raises(EvidenceError, match="more than 2 different frames"):
        parse(request(*(span({"code.function.name": f"f{number}"}) for number in range(3))))
    monkeypatch.setattr(otlp_document, "MAX_VALUE_BYTES", 100)
    monkeypatch.setattr(otlp_document, "_READ_BYTES", 10)
    monkeypatch.setattr(otlp, "MAX_LINE_BYTES", 50)
    with pytest.raises(EvidenceError, match="a part has more than 100 bytes"):
        parse(request(span({"a": "b" * 1_000})))


def test_a_hostile_traceback_takes_no_time_and_is_cut() -> None:
    for text in (
        "\n" * 200_000,
        " " * 200_000,
        '  File "' * 20_000,
        '  File "a.py", line 1, in f\n' * 20_000,
        '  File "' + "a" * 90_000 + '", line 1, in f',
    ):
        event = {"name": "exception", "attributes": attributes({"exception.stacktrace": text})}
        found = parse(request(span(events=[event])))
        assert len(found.spans[0].raised[0].frames) <= 500


@pytest.mark.parametrize(
    ("name", "spans", "entries"),
    [
        (
            "otlp.flask.jsonl",
            5,
            {"POST /orders/<int:size>", "GET /orders/<int:size>/receipt", "GET /orders/boom"},
        ),
        ("otlp.fastapi.jsonl", 9, {"POST /v2/orders/{size}", "GET /v2/orders/{code}/notice"}),
        ("otlp.celery.jsonl", 4, {"shop.tasks.settle", "shop.tasks.fail"}),
        ("otlp.manual.jsonl", 2, set()),
    ],
)
def test_the_samples(name: str, spans: int, entries: set[str]) -> None:
    found = recording(name)
    assert len(found.spans) == spans
    assert {item.entry.name for item in found.spans if item.entry} == entries
    assert (found.service, found.environment, found.revision) == ("shop", "prod", REVISION)
