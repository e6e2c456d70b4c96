"""OTLP JSON that is added up while it is read: what it comes to is what its spans come to."""

import json
import random
from typing import Any

import pytest

from gatecli.runtime import trace_sums
from gatecli.runtime.entries import Routes
from gatecli.runtime.formats import otlp, otlp_document, otlp_spans
from gatecli.runtime.frames import Match
from gatecli.runtime.paths import Reason
from gatecli.runtime.recording import Recording
from gatecli.runtime.traces import Operations, trace
from gatecli.syntax.python import read_functions
from tests.runtime.formats.test_otlp import START, TRACEBACK, attributes, parse, request, span


def spans_of_all_kinds(number: int) -> list[dict[str, Any]]:
    """Traces of some spans each, in the order of their ends, with what may go wrong with them."""
    chance = random.Random(number)
    found = []
    for one in range(number):
        for place in range(chance.randrange(1, 9)):
            boom = {"exception.type": "Boom", "exception.stacktrace": TRACEBACK}
            found.append(
                span(
                    chance.choice(
                        (
                            {"code.function.name": chance.choice(("shop.a.f", "shop.a.g", "lib.h"))},
                            {"thread.id": place},
                            {"http.method": "GET", "http.route": chance.choice(("/a", "/b"))},
                            {"http.target": "/none"},
                        )
                    ),
                    traceId=f"{one:032x}",
                    spanId=f"{place:016x}",
                    parentSpanId=f"{chance.choice((place - 1, chance.randrange(place), 99)):016x}" if place else "",
                    kind=chance.choice((1, 2, "SPAN_KIND_CLIENT")),
                    startTimeUnixNano=chance.choice((str(START + place), START, "never")),
                    status=chance.choice(({}, {"code": 2})),
                    traceState=chance.choice(("", "ot=th:8")),
                    events=[{"name": "exception", "attributes": attributes(boom)}] if not place else [],
                )
            )
    return found[::-1] + found[:number]


@pytest.mark.parametrize("number", [1, 5, 60])
def test_what_is_added_up_while_it_is_read_is_what_the_spans_come_to(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    spans = spans_of_all_kinds(number)
    whole = parse(request(*spans, resource={"service.name": "shop"}))
    monkeypatch.setattr(otlp_spans, "KEPT_SPANS", number)
    streamed = parse(*(request(one, resource={"service.name": "shop"}) for one in spans))
    assert streamed.operations
    assert not whole.operations
    assert (streamed.started_at, streamed.ended_at) == (whole.started_at, whole.ended_at)
    for service in (None, "shop", "other"):
        one, other = (come_to(recording, service) for recording in (whole, streamed))
        assert one == other
        assert one["functions"] or service == "other" or number == 1


def come_to(recording: Recording, service: str | None) -> dict[str, Any]:
    """What a recording says of each function, whatever its figures are kept in."""
    matches = [
        Match(function=FUNCTION[frame.name]) if frame.name in FUNCTION else Match(reason=Reason.THIRD_PARTY)
        for frame in recording.frames
    ]
    found = trace([(recording, matches)], Routes({"GET /a": FUNCTION["shop.a.g"].id}), service)
    return {
        "functions": {id: figures(operations) for id, operations in found.functions.items()},
        "entries": {id: (entry, figures(operations)) for id, (entry, operations) in found.entries.items()},
        "edges": dict(found.edges),
        "raised": dict(found.raised),
        "critical": {id: found.critical.share(id) for id in found.functions},
        "unrouted": [text for _, text in found.warnings if "no route" in text],
    }


def figures(operations: Operations) -> Any:
    times = [round(time * 1e6) for time in operations.milliseconds]
    times += [time for kept in operations.times for time in kept.kept]
    return (
        operations.count,
        operations.errors,
        operations.is_scaled,
        operations.first_ns,
        operations.last_ns,
        dict(operations.by_entry),
        sorted(times),
    )


FUNCTION = {
    function.id.qualname if function.id.qualname == "boom" else f"shop.a.{function.id.qualname}": function
    for function in read_functions("shop/a.py", b"def f(): pass\ndef g(): pass\ndef boom(): pass\n")
}


def test_a_trace_is_over_when_nothing_of_it_came_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp_spans, "KEPT_SPANS", 0)
    monkeypatch.setattr(trace_sums, "HELD_SPANS", 2)
    above = span({"code.function.name": "shop.a.f"}, spanId="a" * 16)
    below = span({"code.function.name": "shop.a.g"}, spanId="b" * 16, parentSpanId="a" * 16)
    others = [span(traceId=f"{number:032x}", spanId="c" * 16) for number in range(6)]
    f, g = FUNCTION["shop.a.f"].id, FUNCTION["shop.a.g"].id
    near = parse(request(above), *(request(one) for one in others[:2]), request(below))
    assert come_to(near, None)["edges"] == {(f, g): 1}
    far = parse(request(above), *(request(one) for one in others), request(below))
    assert come_to(far, None)["edges"] == {}
    assert "1 spans name a parent that is not in the file, or more than 2 spans away" in far.warnings[1]


def test_a_document_is_read_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    document = {"schemaUrl": 'a "b" [', **request(*spans_of_all_kinds(20), resource={"service.name": "shop"}), "z": -1}
    document["resourceSpans"] += request(span({"note": '}]\\"{'}), span())["resourceSpans"]
    document["resourceSpans"][1]["scopeSpans"] += [{"scope": None, "spans": []}, {}]
    late = request(span(), resource={"service.name": "late"})["resourceSpans"][0]
    document["resourceSpans"].append(dict(reversed(late.items())))
    whole = parse(document)
    monkeypatch.setattr(otlp, "MAX_LINE_BYTES", 100)
    monkeypatch.setattr(otlp_document, "BATCH_SPANS", 3)
    monkeypatch.setattr(otlp_document, "_READ_BYTES", 7)
    assert parse(document) == parse(json.dumps(document, indent=2)) == whole
    assert parse(json.dumps(document, separators=(",", ":")) + "\n\n") == whole
    assert parse(document, document).spans == (*whole.spans, *whole.spans)
