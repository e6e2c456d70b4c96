"""Calls, latencies, errors, callers and entry points from spans."""

from typing import Any

import pytest

from gatecli.model import FunctionId
from gatecli.runtime.entries import Routes
from gatecli.runtime.frames import resolve
from gatecli.runtime.recording import Basis, Entry, Frame, Raised, Recording, SpanKind, TraceSpan
from gatecli.runtime.traces import Operations, Traces, trace
from gatecli.syntax.python import read_functions
from tests.runtime.support import SHOP, shop

FRAMES = (
    Frame(file="/app/shop/deco.py", name="shop.pricing.price_order", first_line=9, dotted=True),
    Frame(file="/app/shop/checkout.py", name="shop.checkout.Checkout.__call__", first_line=11, dotted=True),
    Frame(file="/app/shop/web.py", name="boom", line=28),
    Frame(file="/app/shop/store.py", name="save", line=17),
    Frame(file="/venv/lib/python3.12/site-packages/flask/app.py", name="run", line=1),
    Frame(file=None, name="shop.store.Store.save", dotted=True),
)
PRICE, CALL, BOOM, SAVE = (
    shop("pricing.py::price_order"),
    shop("checkout.py::Checkout.__call__"),
    shop("web.py::boom"),
    shop("store.py::Store.save"),
)
MS = 1_000_000
_ids = iter(range(10**9))


def span(id: str | None = None, parent: str | None = None, *, at: int = 1, ms: float = 1.0, **fields: Any) -> TraceSpan:
    start = at * 1_000 * MS
    return TraceSpan(
        **{
            "trace": "t",
            "id": f"span{next(_ids)}" if id is None else id,
            "parent": parent,
            "service": "shop",
            "name": "x",
            "kind": SpanKind.INTERNAL,
            "start_ns": start,
            "end_ns": start + int(ms * MS),
            **fields,
        }
    )


def server(id: str, name: str = "POST /orders", **fields: Any) -> TraceSpan:
    return span(id, kind=SpanKind.SERVER, entry=Entry(kind="http", name=name), **fields)


def add_up(*spans: TraceSpan, routes: dict[str, FunctionId] | None = None, service: str | None = None) -> Traces:
    recording = Recording(kind="otlp-json", basis=Basis.SPANS, frames=FRAMES, spans=spans)
    matches = resolve([FRAMES], tree=SHOP, functions_of=read_functions).matches[0]
    return trace([(recording, matches)], Routes(routes or {}), service)


def test_calls_latencies_and_times() -> None:
    found = add_up(span(code=0, at=5, ms=2), span(code=0, at=3, ms=4, error=True), span(code=4))
    assert found.functions == {
        PRICE: Operations(
            count=2.0,
            errors=1.0,
            is_scaled=False,
            milliseconds=[2.0, 4.0],
            first_ns=3_000 * MS,
            last_ns=5_002 * MS,
        )
    }


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([7.0], [7.0, 7.0, 7.0]),
        ([4.0, 1.0, 3.0, 2.0], [2.0, 4.0, 4.0]),
        ([float(n) for n in range(100, 0, -1)], [50.0, 95.0, 99.0]),
    ],
)
def test_percentiles_are_by_nearest_rank(times: list[float], expected: list[float]) -> None:
    assert Operations(milliseconds=times).percentiles(0.5, 0.95, 0.99) == expected


def test_the_sampling_ratio_scales_calls_and_errors() -> None:
    found = add_up(span(code=0, count=4.0, error=True), span(code=0, count=2.0))
    assert (found.functions[PRICE].count, found.functions[PRICE].errors, found.functions[PRICE].is_scaled) == (
        6,
        4,
        True,
    )
    mixed = add_up(span(code=0, count=4.0), span(code=0))
    assert (mixed.functions[PRICE].count, mixed.functions[PRICE].is_scaled) == (5, False)


def test_callers_are_the_nearest_functions_above() -> None:
    found = add_up(
        server("s"),
        span("call", "s", code=1),
        span("between", "call"),
        span("price", "between", code=0),
        span("again", "price", code=0),
        span("orphan", "gone", code=0),
    )
    assert found.edges == {(CALL, PRICE): 1}
    assert found.functions[PRICE].count == 3
    assert found.functions[PRICE].by_entry == {"http POST /orders": 2}
    assert found.functions[CALL].by_entry == {"http POST /orders": 1}


def test_parents_that_go_in_a_circle_end() -> None:
    found = add_up(span("a", "b", code=0), span("b", "c"), span("c", "a"), span("d", "d", code=1))
    assert (found.functions[PRICE].count, found.functions[CALL].count) == (1, 1)
    assert found.edges == {}


def test_a_long_chain_of_parents_takes_no_stack() -> None:
    spans = [span("0", code=1), *(span(str(n), str(n - 1)) for n in range(1, 20_000)), span("end", "19999", code=0)]
    assert add_up(*reversed(spans)).edges == {(CALL, PRICE): 1}


def test_a_route_names_its_handler() -> None:
    found = add_up(
        server("s", "GET /boom", ms=8, error=True),
        span("c", "s", code=0),
        routes={"GET /boom/": BOOM, "POST /boom": CALL},
    )
    entry, operations = found.entries["http GET /boom"]
    assert (entry.handler, operations.count, operations.errors) == (BOOM, 1, 1)
    assert found.functions[BOOM].milliseconds == [8.0]
    assert found.functions[BOOM].by_entry == {"http GET /boom": 1}
    assert found.edges == {(BOOM, PRICE): 1}


def test_code_on_the_server_span_names_the_handler_better() -> None:
    found = add_up(server("a", code=1), server("b"), routes={"POST /orders": BOOM})
    assert found.entries["http POST /orders"][0].handler == CALL
    assert found.entries["http POST /orders"][1].count == 2


def test_a_task_s_name_is_its_function() -> None:
    task = Entry(kind="task", name="shop.store.Store.save", frame=5)
    found = add_up(span(kind=SpanKind.CONSUMER, entry=task))
    assert found.entries["task shop.store.Store.save"][0].handler == SAVE
    assert found.functions[SAVE].count == 1


def test_requests_without_a_route_are_left_out_and_said() -> None:
    found = add_up(span(kind=SpanKind.SERVER), span(kind=SpanKind.SERVER), server("s"))
    assert list(found.entries) == ["http POST /orders"]
    assert found.warnings == [(0, "2 requests matched no route and are left out")]


def test_exceptions_pass_through_functions_once_a_trace() -> None:
    boom = Raised(type="Boom", frames=(4, 2, 3, 3))
    found = add_up(
        span("a", raised=(boom,)),
        span("b", "a", raised=(boom, Raised(type="Other", frames=(2,)))),
        span("c", trace="u", raised=(boom,)),
    )
    assert found.raised == {BOOM: {"Boom": 2, "Other": 1}, SAVE: {"Boom": 2}}


def test_a_span_that_was_written_twice_counts_once() -> None:
    found = add_up(span("a", code=0), span("a", code=0), span("", code=0), span("", code=0))
    assert found.functions[PRICE].count == 3
    assert found.warnings == [(0, "1 spans are recorded twice and counted once")]


def test_a_client_and_a_server_may_share_an_id() -> None:
    found = add_up(span("a", kind=SpanKind.CLIENT, code=0), server("a"))
    assert (found.functions[PRICE].count, found.entries["http POST /orders"][1].count) == (1, 1)


def test_another_service_is_only_context() -> None:
    spans = (server("front", service="web"), span("c", "front", code=1, service="web"), span("p", "c", code=0))
    found = add_up(*spans, service="shop")
    assert (list(found.functions), found.entries, found.edges) == ([PRICE], {}, {(CALL, PRICE): 1})
    assert set(add_up(*spans).functions) == {PRICE, CALL}


@pytest.mark.parametrize("fields", [{"start_ns": 0}, {"start_ns": 10 * MS, "end_ns": 9 * MS}])
def test_spans_without_usable_times_are_calls_without_latency(fields: dict[str, int]) -> None:
    found = add_up(span(code=0, **fields)).functions[PRICE]
    assert (found.count, found.milliseconds, found.first_ns) == (1, [], None)
