"""Prometheus text, CSV and JSON tables, coverage, and traces that are not OTLP JSON."""

import io
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from gatecli.errors import EvidenceError, GateError, UsageError
from gatecli.model import Grade, UsageStatus
from gatecli.runtime.attach import attach
from gatecli.runtime.formats import coverage, jaeger, otlp_protobuf, prometheus, table
from gatecli.runtime.recording import Basis, Covered, Frame, Record, Recording, SpanKind
from gatecli.runtime.summary import summarise
from tests.runtime.formats.samples import CSV, content
from tests.runtime.support import PROFILES, build, change, recording, rows


def text(module: Any, content: str) -> Recording:
    assert module.matches(content.encode())
    found = module.read(io.BytesIO(content.encode()))
    assert isinstance(found, Recording)
    return found


# --------------------------------------------------------------------------- Prometheus

METRICS = """# TYPE function_calls_total counter
function_calls_total{module="shop.pricing",function="price_order",result="ok",service_name="shop"} 5.0
function_calls_total{module="shop.pricing",function="price_order",result="error",service_name="shop"} 2 1700000000000
function_calls_total{module="shop.store",function="Store.save",caller_module="shop.pricing",caller_function="pay"} 3
function_calls_total{module="shop.store",function="Store.idle",result="ok"} 0.0
function_calls_duration_seconds_sum{module="shop.pricing",function="price_order"} 0.25
function_calls_duration_seconds_count{module="shop.pricing",function="price_order"} 7
rpc_calls_total{module="shop.rpc",function="call"} 9
process_start_time_seconds 1.7e+09
build_info{commit="0123abc",version="1.2.3"} 1.0
http_requests_total{handler="/a{b}",note="say \\"hi\\"\\n"} 3 # {trace_id="x"} 0.5
"""


def test_counters_with_a_module_and_a_function() -> None:
    price, save, idle = (
        Frame(file=None, name=f"shop.{name}", dotted=True)
        for name in ("pricing.price_order", "store.Store.save", "store.Store.idle")
    )
    assert text(prometheus, METRICS) == Recording(
        kind="prometheus",
        basis=Basis.COUNTED,
        frames=(price, save, idle, Frame(file=None, name="shop.pricing.pay", dotted=True)),
        records=(
            Record(frame=0, calls=7, total_weight=0.25, errors=2),
            Record(frame=1, calls=3, callers=((3, 3),)),
            Record(frame=2, calls=0, errors=0),
        ),
        clock="wall",
        started_at=1.7e9,
        service="shop",
        revision="0123abc",
        revision_source="build_info",
        selective=True,
        warnings=(
            "only functions that function_calls_total counts are here: absence says nothing",
            "1 counted functions were not called since the process started",
            "other counters are left out: rpc_calls_total",
        ),
    )


def test_errors_of_counters_are_in_the_profile() -> None:
    row = rows(build(text(prometheus, METRICS), window_s=60.0))["shop/pricing.py::price_order"]
    assert (row.calls, row.calls_per_min, row.errors, row.error_rate) == (7, 7.0, 2, round(2 / 7, 6))


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        ("# TYPE x counter\nx 1\n", UsageError, "no counter has labels for a function"),
        ('# TYPE x counter\nx_total{module="a",function="b"} -1\n', EvidenceError, "has the count -1"),
        ('# TYPE x counter\nx_total{module="a",function="b"} +Inf\n', EvidenceError, "has the count inf"),
        ('# TYPE x counter\nx_total{module="a",function="b"} 1e30\n', EvidenceError, "has the count 1e\\+30"),
        ('# TYPE x counter\nx_total{module="a",function="b"} x\n', EvidenceError, "line 2 has no number"),
        ('# TYPE x counter\nx_total{module="a",func', EvidenceError, "line 2 is not Prometheus text"),
        ('# TYPE x counter\nx_total{module="a" function="b"} 1\n', EvidenceError, "line 2 has a malformed label"),
        ("# TYPE x counter\n<html>\n", EvidenceError, "line 2 is not Prometheus text"),
        ("# TYPE x counter\n" + "x" * 100_000, EvidenceError, "line 2 has more than 65,536 bytes"),
    ],
)
def test_prometheus_text_that_is_wrong(content: str, kind: type[GateError], message: str) -> None:
    with pytest.raises(kind, match=message):
        text(prometheus, content)


def test_a_counter_that_is_nan_was_not_called() -> None:
    assert text(prometheus, 'x_total{module="a",function="b"} NaN\n').records[0].calls == 0


# --------------------------------------------------------------------------- tables


def test_a_table_as_a_query_answers_it() -> None:
    found = text(table, CSV)
    assert found.frames == (
        Frame(file="/app/shop/pricing.py", name="shop.pricing.price_order", first_line=24),
        Frame(file=None, name="shop.store.AuditedStore.audit", dotted=True),
    )
    assert found.records == (
        Record(frame=0, calls=70_000, total_weight=12.5, errors=35),
        Record(frame=1, calls=1_400, total_weight=3.0, errors=0),
    )
    assert (found.service, found.revision, found.selective) == ("shop", "0123456789abcdef", True)


@pytest.mark.parametrize(
    "content",
    [
        "function,file,calls\nprice_order,shop/pricing.py,7\n",
        "\ufefffunction;file;calls\r\nprice_order;shop/pricing.py;7\r\n",
        "calls\tfunction\tfile\n7\tprice_order\tshop/pricing.py\n",
        '{"function": "price_order", "file": "shop/pricing.py", "calls": "7", "other": [1]}\n',
        '[{"function": "price_order", "file": "shop/pricing.py", "calls": 7}]',
        "func,calls\nshop/pricing.py::price_order,7\n",
        "module,name,count\nshop.pricing,price_order,7.0\n",
    ],
)
def test_the_forms_of_a_table(content: str) -> None:
    found = build(text(table, content), window_s=60.0)
    assert [(row.id, row.calls) for row in found.functions] == [("shop/pricing.py::price_order", 7)]


def test_a_table_of_samples() -> None:
    found = text(table, "function,file,samples,self\nf,a.py,30,10\ng,a.py,20,20\n")
    assert (found.basis, found.samples) == (Basis.SAMPLED, 30)
    assert found.records[0] == Record(frame=0, calls=None, self_weight=10, total_weight=30)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("function,calls\n", "the table has no rows"),
        ("function,calls\nf\n", "line 2 has 1 cells for 2 columns"),
        ("function,calls\nf,-1\n", "row 2: calls '-1' is no figure"),
        ("function,calls\nf,nan\n", "row 2: calls 'nan' is no figure"),
        ("function,calls\nf,1e99\n", "row 2: calls '1e99' is no figure"),
        ("function,calls\nf,18446744073709551616\n", "row 2: calls '18446744073709551616' is too large"),
        ('[{"function":"f","calls":18446744073709551616}]', r"row 1: calls '2\^64 or more' is too large"),
        ("function,calls\n,1\n", "row 2 names no function"),
        ("function,calls,errors\nf,1,2\n", "more errors than calls"),
        ('function,calls\n"f,1\n', "line 2 is no row of a table"),
        ("function,samples\nf,0\n", "the table holds no samples"),
        ('[{"function":"f","calls":1},5]', "not a table"),
        ('{"function":"f","calls":1}\n{"function"', "line 2 is not a row of a table"),
    ],
)
def test_tables_that_are_wrong(content: str, message: str) -> None:
    with pytest.raises(EvidenceError, match=message):
        text(table, content)


@pytest.mark.parametrize("head", ["name,age\nx,3\n", '{"name": "x", "version": 1}', "hello, calls", '[{"a": {}}]', ""])
def test_what_is_no_table(head: str) -> None:
    assert not table.matches(head.encode())


# --------------------------------------------------------------------------- coverage

SCHEMA = """CREATE TABLE file (id integer primary key, path text); CREATE TABLE context (id integer, context text);
CREATE TABLE line_bits (file_id integer, context_id integer, numbits blob);
CREATE TABLE arc (file_id integer, context_id integer, fromno integer, tono integer);
INSERT INTO file VALUES (1, '/app/shop/a.py'); INSERT INTO context VALUES (1, ''), (2, 't.py::test_a[x]|run');"""


def database(sql: str) -> bytes:
    connection = sqlite3.connect(":memory:")
    connection.executescript(sql)
    data = connection.serialize()
    connection.close()
    return data


def test_line_bits_and_arcs() -> None:
    """Bits 1 and 3 of the first byte and 0 of the second are lines 1, 3 and 8; negative ends are entries and exits."""
    data = database(
        SCHEMA + "INSERT INTO line_bits VALUES (1, 2, X'0A01'), (1, 1, X'FF');"
        "INSERT INTO arc VALUES (1, 2, -1, 20), (1, 2, 20, 21), (1, 1, 5, 6);"
    )
    found = coverage.read(io.BytesIO(data))
    assert [frame.line for frame in found.frames] == [1, 3, 8, 20, 21]
    assert (found.tests, found.covered[0]) == (("t.py::test_a[x]",), Covered(frame=0, tests=(0,)))
    assert found.basis is Basis.COVERAGE


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT 1, 2, i, i FROM n"


@pytest.mark.parametrize(
    ("data", "kind", "message"),
    [
        (database("CREATE TABLE x (y)"), UsageError, "a sqlite file, but not of coverage"),
        (database(SCHEMA), UsageError, "does not say which test executed a line"),
        (
            database(
                SCHEMA.replace(
                    "CREATE TABLE arc (file_id integer, context_id integer, fromno integer, tono integer)",
                    f"CREATE VIEW arc (file_id, context_id, fromno, tono) AS {ENDLESS}",
                )
            ),
            EvidenceError,
            "a table of coverage's is none",
        ),
        (database(SCHEMA)[:5_000], EvidenceError, "sqlite data is damaged"),
        (b"SQLite format 3\0" + bytes(4_000), EvidenceError, "sqlite data is damaged"),
        (b'{"meta":{},"files":{"a.py":{"executed_lines":[1]}}}', UsageError, "does not say which test"),
        (b'{"meta":{},"files":{"a.py":{"contexts":{"-1":["t"]}}}}', EvidenceError, "'-1' is no line number"),
        (b'{"meta":{},"files":[]}', EvidenceError, "not a coverage report"),
    ],
)
def test_coverage_that_is_wrong(data: bytes, kind: type[GateError], message: str) -> None:
    with pytest.raises(kind, match=message) as error:
        coverage.read(io.BytesIO(data))
    assert error.value.hint


# --------------------------------------------------------------------------- traces


def test_protobuf_is_what_the_json_of_it_is() -> None:
    """The sample is the second export of otlp.flask.jsonl's run, encoded by OpenTelemetry itself."""
    found = recording("otlp.flask.pb")
    names = {span.name for span in found.spans}
    assert names <= {span.name for span in recording("otlp.flask.jsonl").spans}
    for span in found.spans:
        assert (len(span.trace), len(span.id), span.service) == (32, 16, "shop")
        assert span.end_ns > span.start_ns > 1_795_000_000 * 10**9
    assert any(span.kind is SpanKind.SERVER and span.entry is not None for span in found.spans)


def test_protobuf_behind_its_length_as_the_collector_writes_it() -> None:
    data = (PROFILES / "otlp.flask.pb").read_bytes()
    packed = len(data).to_bytes(4, "big") + data
    assert otlp_protobuf.matches(packed)
    assert len(otlp_protobuf.read(io.BytesIO(packed * 2)).spans) == 2 * len(recording("otlp.flask.pb").spans)
    with pytest.raises(EvidenceError, match="damaged or cut off"):
        otlp_protobuf.read(io.BytesIO(packed + packed[:-1]))


def test_jaeger_says_what_it_is() -> None:
    found = jaeger.read(io.BytesIO(content("jaeger.json")))
    lines = recording("otlp.flask.jsonl")
    assert [(s.trace, s.id, s.parent, s.kind, s.error, s.entry) for s in sorted(found.spans, key=lambda s: s.id)] == [
        (s.trace, s.id, s.parent, s.kind, s.error, s.entry) for s in sorted(lines.spans, key=lambda s: s.id)
    ]
    assert found.service == "shop"
    assert found.warnings == ("the traces are those that a search gave: calls are counted as recorded, a lower bound",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"startTime": -1}, "not a Jaeger document"),
        ({"startTime": 2**64}, "not a Jaeger document"),
        ({"tags": [{"value": 3}]}, "not a Jaeger document"),
    ],
)
def test_jaeger_that_is_wrong(change: dict[str, Any], message: str) -> None:
    document = json.loads(content("jaeger.json"))
    document["data"][0]["spans"][0].update(change)
    with pytest.raises(EvidenceError, match=message):
        jaeger.read(io.BytesIO(json.dumps(document).encode()))
    with pytest.raises(EvidenceError, match="holds no spans"):
        jaeger.read(io.BytesIO(b'{"data": []}'))


def test_times_that_are_none() -> None:
    document = json.loads(content("jaeger.json"))
    document["data"][0]["spans"][0].update(startTime=10**17, duration=10**18)
    assert (0, 0) in [(s.start_ns, s.end_ns) for s in jaeger.read(io.BytesIO(json.dumps(document).encode())).spans]


def test_a_file_of_coverage_is_told_by_its_content(tmp_path: Path) -> None:
    assert coverage.matches((PROFILES / "coverage.sqlite").read_bytes()[:100])
    assert not coverage.matches(b'{"files": {}}')


# --------------------------------------------------------------------------- what their absence says


def test_a_counter_of_chosen_functions_says_nothing_of_others() -> None:
    counter = 'calls_total{module="shop.pricing",function="price_order"} 5\n'
    found = build(text(prometheus, counter), window_s=60.0)
    touched = change("shop/checkout.py::Checkout.receipt")
    usage = attach(found, (touched,))[touched.id]
    assert usage.status is UsageStatus.NOT_OBSERVED
    assert usage.reason == "no counter names it, which does not say that it did not run; nothing in its file was"


def test_counters_and_tests_do_not_make_a_thin_sample_good() -> None:
    """93 samples are too few, whatever else is known."""
    thin = [recording("sentry.profile.json")]
    for others in ([], [text(prometheus, METRICS)], [recording("coverage.sqlite")]):
        found = build(*thin, *others, revision="0123abc" + "0" * 33)
        assert summarise(found, "p", {}, (), 1_795_224_000).grade is Grade.WEAK


def test_a_table_of_the_busiest_does_not_bound_the_rest() -> None:
    found = build(text(table, "function,file,samples,self\nprice_order,shop/pricing.py,9000,9000\n"))
    touched = change("shop/checkout.py::Checkout.receipt")
    assert "samples" not in (attach(found, (touched,))[touched.id].reason or "")
