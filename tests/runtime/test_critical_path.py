"""What a request waits for: each step of CRISP's algorithm by hand, in milliseconds."""

from collections import defaultdict
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecli.model import FunctionId
from gatecli.runtime.critical_path import CriticalTimes, critical_path
from gatecli.runtime.entries import Routes
from gatecli.runtime.frames import resolve
from gatecli.runtime.profile import ProfiledFunction
from gatecli.runtime.recording import Basis, Entry, Frame, Recording, SpanKind, Stack, TraceSpan
from gatecli.runtime.traces import trace
from gatecli.syntax.python import read_functions
from tests.runtime.support import SHOP, build, rows, shop

MS = 1_000_000
START = 1_000  # an hour on the clock, or any other moment but 0, which stands for "not known"

Tree = dict[str, tuple[str | None, float, float]]


def spans_of(tree: Tree, kinds: dict[str, SpanKind] | None = None, **fields: Any) -> list[TraceSpan]:
    """Spans by name: parent, start and end in milliseconds; a start below -999 is not known."""
    return [
        TraceSpan(
            trace="t", id=name, parent=parent, service="shop", name=name,
            kind=(kinds or {}).get(name, SpanKind.INTERNAL),
            start_ns=max(0, int((START + start) * MS)), end_ns=int((START + end) * MS), **fields,
        )
        for name, (parent, start, end) in tree.items()
    ]  # fmt: skip


def path(tree: Tree, kinds: dict[str, SpanKind] | None = None) -> dict[str, float]:
    """The spans on the critical path of ``r``, with the milliseconds that are their own."""
    spans = spans_of(tree, kinds)
    names = [span.id for span in spans]
    children = defaultdict(list)
    for index, span in enumerate(spans):
        if span.parent is not None:
            children[names.index(span.parent)].append(index)
    return {names[step.span]: step.exclusive_ns / MS for step in critical_path(names.index("r"), spans, children)}


CLIENT = {"c": SpanKind.CLIENT, "s": SpanKind.SERVER}


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        pytest.param({"r": (None, 0, 100)}, {"r": 100}, id="1: the root alone"),
        pytest.param(
            {"x": (None, 0, 500), "r": ("x", 0, 100), "a": ("r", 10, 30), "b": ("x", 200, 300)},
            {"r": 80, "a": 20},
            id="1: the root that was asked for, not what is above or beside it",
        ),
        pytest.param(
            {"r": (None, 0, 100), "a": ("r", -20, 30), "b": ("r", 90, 130)},
            {"r": 60, "a": 30, "b": 10},
            id="2: children are cut to their parent",
        ),
        pytest.param(
            {"r": (None, 0, 100), "a": ("r", 110, 150), "b": ("a", 10, 20)},
            {"r": 100},
            id="2: a child outside its parent goes with all below it",
        ),
        pytest.param(
            {"r": (None, 0, 100), "a": ("r", 50, 150), "b": ("a", 120, 140)},
            {"r": 50, "a": 50},
            id="2: what is below a cut child is cut as well",
        ),
        pytest.param({"r": (None, 0, 100), "a": ("r", 40, 60), "b": ("a", 45, 50)},
                     {"r": 80, "a": 15, "b": 5}, id="3: a span and what is on the path below it"),
        pytest.param({"r": (None, 0, 100), "a": ("r", 0, 60), "b": ("r", 10, 90)},
                     {"r": 20, "b": 80}, id="4: of two at once, the one that returns last"),
        pytest.param({"r": (None, 0, 100), "a": ("r", 0, 30), "b": ("r", 30, 90)},
                     {"r": 10, "a": 30, "b": 60}, id="5: and the one that ended as it began"),
        pytest.param({"r": (None, 0, 100), "a": ("r", 0, 20), "b": ("r", 0, 40), "c": ("r", 50, 90)},
                     {"r": 20, "b": 40, "c": 40}, id="5: the last of those that ended before"),
        pytest.param({"r": (None, 0, 1000), "a": ("r", 0, 505), "b": ("r", 500, 1000)},
                     {"r": 0, "a": 505, "b": 500}, id="6: 0.5 % of overlap is a clock's error"),
        pytest.param({"r": (None, 0, 1000), "a": ("r", 0, 510), "b": ("r", 500, 1000)},
                     {"r": 500, "b": 500}, id="6: 1 % is not"),
        pytest.param({"r": (None, 0, 1000), "a": ("r", 0, 505), "b": ("r", 500, 1000), "c": ("r", 502, 700)},
                     {"r": 500, "b": 500}, id="6: nor where a third child begins in it"),
        pytest.param({"r": (None, 0, 1000), "a": ("r", 0, 505), "b": ("r", 500, 1000), "c": ("r", 100, 502)},
                     {"r": 98, "b": 500, "c": 402}, id="6: nor where one ends in it, which is then what comes before"),
        pytest.param({"r": (None, 0, 90), "a": ("r", 0, 30), "b": ("r", 30, 60), "c": ("r", 60, 90)},
                     {"r": 0, "a": 30, "b": 30, "c": 30}, id="7: on to the start"),
        pytest.param({"r": (None, 0, 1000), "a": ("r", 0, 505), "b": ("r", 500, 1000), "d": ("a", 0, 505)},
                     {"r": 0, "a": 0, "b": 500, "d": 505}, id="8: never less than nothing"),
        pytest.param({"r": (None, 0, 100), "c": ("r", 10, 50), "s": ("c", 5, 55)},
                     {"r": 60, "c": 0, "s": 50}, id="2: another machine's clock is not cut"),
    ],
)  # fmt: skip
def test_the_steps(tree: Tree, expected: dict[str, float]) -> None:
    assert path(tree, CLIENT if "s" in tree else None) == expected


# The traces of CRISP's own tests, span by span as ``name<parent start-end``, a name with a number is one operation with
# those of the same letter; what is expected is the "opTimeExclusive" of their answers.
# https://github.com/uber-research/CRISP/tree/2710c0b/test_cases
CRISP = [
    pytest.param("r 0-100", "r=100", id="1"),
    pytest.param("r 0-100, a<r 10-60", "r=50 a=50", id="2"),
    pytest.param("r 0-100, a<r 0-100", "r=0 a=100", id="3"),
    pytest.param("r 0-100, a<r 10-60, b<a 20-30", "r=50 a=40 b=10", id="4"),
    pytest.param("r 0-100, a<r 10-30, a2<r 40-50, a3<r 60-90", "r=40 a=60", id="5"),
    pytest.param("r 0-100, a<r 10-30, b<r 40-50, c<r 60-90", "r=40 a=20 b=10 c=30", id="6"),
    pytest.param("r 0-100, a<r 10-110, b<a 40-50", "r=10 a=80 b=10", id="7"),
    pytest.param("r 0-100, a<r 10-70, b<a 20-120", "r=40 a=10 b=50", id="8"),
    pytest.param("r 0-100, a<r 110-160, b<a 120-150, c<r 60-90", "r=70 c=30", id="9"),
    pytest.param("r 0-1000, a<r 10-210, b<r 209-309, c<r 308-608", "r=400 a=200 b=100 c=300", id="10"),
    pytest.param("r 0-100, a<r 30-60", "r=70 a=30", id="11"),
    pytest.param("r 0-100, a<r 10-70, b<a 25-45, c<a 30-50", "r=40 a=40 c=20", id="12, 13"),
    pytest.param("r 0-80, a<r 10-30, b<r 20-45, c<r 40-65", "r=35 a=20 c=25", id="14"),
    pytest.param(
        "r 0-100, a<r 10-20, b<r 25-35, c<r 40-50, d<r 55-65, e<r 70-80, f<r 85-100",
        "r=35 a=10 b=10 c=10 d=10 e=10 f=15",
        id="15",
    ),
    pytest.param(
        "r 0-110, a<r 10-20, b<r 15-35, c<r 30-40, d<r 50-60, e<r 70-100, f<e 80-90",
        "r=50 a=10 c=10 d=10 e=20 f=10",
        id="16",
    ),
    pytest.param("r 0-100, a<r 20-70, b<a 30-50, c<r 80-90", "r=40 a=30 b=20 c=10", id="17"),
    pytest.param(
        "r 0-250, a<r 10-110, b<a 30-40, c<a 50-60, d<a 70-80, e<r 120-220, f<e 140-200, g<f 150-170, h<f 180-190",
        "r=50 a=70 b=10 c=10 d=10 e=40 f=30 g=20 h=10",
        id="18",
    ),
    pytest.param("r 0-600, a<r 10-210, b<r 205-305, c<r 300-600", "r=0 a=200 b=100 c=300", id="19, 20, 21"),
    pytest.param("r 0-300, a<r 50-100, a2<r 150-200, a3<r 250-300", "r=150 a=150", id="22"),
    pytest.param(
        "r 0-700, a<r 50-350, b<a 100-150, b2<a 200-250, b3<a 300-350, "
        "a2<r 400-700, b4<a2 450-500, b5<a2 550-600, b6<a2 650-700",
        "r=100 a=300 b=300",
        id="23, 24, 25",
    ),
]


@pytest.mark.parametrize(("spans", "expected"), CRISP)
def test_crisp_s_own_cases(spans: str, expected: str) -> None:
    tree: Tree = {}
    for one in spans.split(", "):
        place, _, times = one.partition(" ")
        name, _, parent = place.partition("<")
        start, _, end = times.partition("-")
        tree[name] = parent or None, int(start), int(end)
    found: dict[str, float] = defaultdict(float)
    for name, own in path(tree).items():
        found[name[0]] += own
    assert found == {name: int(own) for name, _, own in (one.partition("=") for one in expected.split())}


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        ({"r": (None, 0, -1)}, {}),
        ({"r": (None, -START, 10)}, {}),
        ({"r": (None, 0, 100), "a": ("r", 30, 20)}, {"r": 100}),
        ({"r": (None, 0, 100), "a": ("r", -START, 20)}, {"r": 100}),
        ({"r": (None, 0, 0), "a": ("r", 0, 0)}, {"r": 0, "a": 0}),
        ({"r": ("a", 0, 100), "a": ("r", 0, 60)}, {"r": 40, "a": 60}),  # a cycle of parents
    ],
)
def test_times_and_parents_that_cannot_be(tree: Tree, expected: dict[str, float]) -> None:
    assert path(tree) == expected


_moment = st.integers(-5, 25)


@given(st.lists(st.tuples(st.integers(0, 8), _moment, _moment), max_size=9))
def test_each_nanosecond_is_counted_once(below: list[tuple[int, int, int]]) -> None:
    """Without clock errors, what is on the path adds up to the request, whatever ran at once or out of order."""
    tree: Tree = {"r": (None, 0.0, 10_000.0)}
    for position, (parent, start, end) in enumerate(below):
        tree[str(position)] = ("r" if parent >= position else str(parent), 100.0 * start, 100.0 * end)
    found = path(tree)
    assert sum(found.values()) == 10_000
    assert min(found.values()) >= 0


def test_a_hundred_thousand_spans() -> None:
    """Deep and wide at once, in time that grows with the number of spans."""
    deep: list[tuple[str, str | None, int, int]] = [("0", None, 0, 10**6)]
    deep += [(str(i), str(i - 1), i, 10**6 - i) for i in range(1, 50_000)]
    wide = [(f"w{i}", "0", 2 * i, 2 * i + 1) for i in range(50_000)]
    spans = [
        TraceSpan(trace="t", id=id, parent=parent, service=None, name=id, kind=SpanKind.INTERNAL,
                  start_ns=1 + start, end_ns=1 + end)
        for id, parent, start, end in [*deep, *wide]
    ]  # fmt: skip
    index = {span.id: position for position, span in enumerate(spans)}
    f, g = FunctionId(path="a.py", qualname="f"), FunctionId(path="a.py", qualname="g")
    times = CriticalTimes()
    parents = [index[span.parent] if span.parent else None for span in spans]
    times.add(spans, parents, [f if position % 2 else g for position in range(len(spans))], {0: "http /"})
    assert times.whole == {"http /": 10**6}
    assert times.share(g) == 1.0


# --------------------------------------------------------------------------- 9: by function, summed over requests

FRAMES = (
    Frame(file="/app/shop/pricing.py", name="shop.pricing.price_order", first_line=24, dotted=True),
    Frame(file="/app/shop/checkout.py", name="shop.checkout.Checkout.__call__", first_line=11, dotted=True),
)
PRICE, CALL = shop("pricing.py::price_order"), shop("checkout.py::Checkout.__call__")


def request(number: int, *below: tuple[str, str, int | None, int, int], entry: str = "POST /orders", ms: int = 100,
            count: float | None = None, kind: SpanKind = SpanKind.SERVER) -> list[TraceSpan]:  # fmt: skip
    """A request with spans below it: id, parent, frame, start and end."""
    at = 10_000 * number
    made = [("r", None, None, 0, ms), *below]
    return [
        TraceSpan(
            trace=str(number), id=id, parent=parent, service="shop", name=id,
            kind=kind if id == "r" else SpanKind.INTERNAL, code=code, count=count,
            entry=Entry(kind="http", name=entry) if id == "r" else None,
            start_ns=(at + start) * MS, end_ns=(at + end) * MS,
        )
        for id, parent, code, start, end in made
    ]  # fmt: skip


def add_up(*requests: list[TraceSpan], service: str | None = None) -> CriticalTimes:
    spans = tuple(span for request in requests for span in request)
    recording = Recording(kind="otlp-json", basis=Basis.SPANS, frames=FRAMES, spans=spans)
    matches = resolve([FRAMES], tree=SHOP, functions_of=read_functions).matches[0]
    return trace([(recording, matches)], Routes({}), service).critical


def test_shares_are_of_the_requests_that_reach_the_function() -> None:
    found = add_up(
        request(1, ("a", "r", 0, 0, 20), ("b", "a", 1, 5, 15)),
        request(2, ("a", "r", 0, 0, 60)),
        request(3, entry="GET /health", ms=1_000),
    )
    assert found.whole == {"http POST /orders": 200 * MS, "http GET /health": 1_000 * MS}
    assert found.share(PRICE) == (20 + 60) / 200
    assert found.share(CALL) == 10 / 200
    assert found.share(shop("store.py::Store.save")) is None


def test_what_runs_beside_the_path_is_waited_for_by_nobody() -> None:
    found = add_up(request(1, ("a", "r", 0, 0, 80), ("b", "r", 1, 0, 90)))
    assert (found.share(PRICE), found.share(CALL)) == (None, 0.9)


def test_recursion_counts_once_and_sampling_is_scaled() -> None:
    nested = request(1, ("a", "r", 0, 0, 40), ("b", "a", 0, 0, 40), ("c", "r", 0, 50, 60))
    assert add_up(nested).share(PRICE) == 0.5
    assert add_up(nested, request(2, ms=100, count=3.0)).share(PRICE) == 50 / 400


def test_a_job_is_no_part_of_the_request_that_sent_it() -> None:
    job = TraceSpan(trace="1", id="j", parent="r", service="shop", name="settle", kind=SpanKind.CONSUMER, code=1,
                    entry=Entry(kind="task", name="settle"), start_ns=10_010 * MS, end_ns=10_090 * MS)  # fmt: skip
    found = add_up([*request(1), job])
    assert found.whole == {"http POST /orders": 100 * MS, "task settle": 80 * MS}
    assert found.share(CALL) == 1.0


def test_other_services_are_waited_for_but_are_not_ours() -> None:
    upstream = TraceSpan(trace="1", id="u", parent=None, service="web", name="u", kind=SpanKind.SERVER,
                         entry=Entry(kind="http", name="/"), start_ns=10_000 * MS, end_ns=11_000 * MS)  # fmt: skip
    ours = request(1, ("a", "r", 0, 0, 50))
    called = [upstream, *(span if span.id != "r" else _under(span, "u") for span in ours)]
    assert add_up(called, service="shop").whole == {"http POST /orders": 100 * MS}
    assert add_up(called).whole == {"http /": 1_000 * MS}
    assert add_up(called, service="shop").share(PRICE) == 0.5


def _under(span: TraceSpan, parent: str) -> TraceSpan:
    return msgspec.structs.replace(span, parent=parent)


def found_rows(**parts: Any) -> dict[str, ProfiledFunction]:
    return rows(build(Recording(frames=FRAMES, sha256="1", **parts)))


def test_the_profile_says_which_of_the_two_it_is() -> None:
    traced = found_rows(kind="otlp-json", basis=Basis.SPANS, spans=tuple(request(1, ("a", "r", 0, 0, 25))))
    row = traced[str(PRICE)]
    assert (row.critical_path_share, row.critical_path_basis) == (0.25, "trace")
    stacks = (Stack(frames=(1,), weight=3.0, samples=3), Stack(frames=(1, 0), weight=1.0, samples=1))
    sampled = found_rows(kind="pyspy-raw", basis=Basis.SAMPLED, stacks=stacks, samples=4)
    shares = {id: (row.critical_path_share, row.critical_path_basis) for id, row in sampled.items()}
    assert shares == {str(PRICE): (0.25, "inclusive"), str(CALL): (1.0, "inclusive")}
