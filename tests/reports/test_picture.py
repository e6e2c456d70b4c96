import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecli.model import Blast, Caller, Certainty, EdgeBasis, FunctionId, Usage, UsageStatus
from gatecli.reports import picture, summary
from gatecli.reports.summary import Row
from tests.reports import sample
from tests.reports.payloads import PAYLOADS


def row(id: FunctionId, blast: Blast, usage: Usage | None = None) -> Row:
    return Row(function=sample.touched(id), usage=usage, blast=blast, history=None, risk=5, notable=True)


def f(name: str) -> FunctionId:
    return sample.fid("shop/a.py", name)


def test_a_chain_is_drawn_from_the_entry_point_to_the_function() -> None:
    blast = Blast(
        callers=(sample.call(f("near"), 1, 100.0), sample.call(f("far"), 2, 400.0, via=f("near"))),
        entry_points=("POST /a",),
    )
    drawn = picture.graph((row(f("touched"), blast),))
    assert drawn is not None
    assert picture.source(drawn).split("\n") == [
        "flowchart LR",
        '  n0(["POST /a"]):::entry',
        '  n1["a.near"]:::caller',
        '  n2["a.far"]:::caller',
        '  n3["a.touched"]:::touched',
        "  n0 -.-> n2",
        "  n1 --> n3",
        "  n2 --> n1",
        "  linkStyle 1 stroke-width:4px",
        "  linkStyle 2 stroke-width:8px",
        *(f"  {style}" for style in picture._STYLES),
    ]


def test_an_entry_point_goes_to_the_function_where_the_way_is_not_known() -> None:
    blast = Blast(callers=(sample.call(f("one"), 1, 1.0),), entry_points=("POST /a", "POST /b"))
    drawn = picture.graph((row(f("touched"), blast),))
    assert drawn is not None
    assert [(edge.source, edge.target, edge.certain) for edge in drawn.edges[:2]] == [
        ("POST /a", f("touched"), False),
        ("POST /b", f("touched"), False),
    ]


def test_an_entry_point_is_not_drawn_past_a_touched_function_on_its_way() -> None:
    inner = row(f("inner"), Blast(callers=(sample.call(f("outer"), 1, 1.0),), entry_points=("POST /a",)))
    outer = row(f("outer"), Blast(entry_points=("POST /a",)))
    drawn = picture.graph((inner, outer))
    assert drawn is not None
    assert [(edge.source, edge.target) for edge in drawn.edges] == [("POST /a", f("outer")), (f("outer"), f("inner"))]


def test_traffic_of_an_entry_point_is_its_part_of_the_calls() -> None:
    usage = Usage(status=UsageStatus.OBSERVED, calls_per_minute=100.0, entry_points=(("POST /a", 0.25),))
    drawn = picture.graph((row(f("touched"), Blast(), usage),))
    assert drawn is not None
    assert [edge.traffic for edge in drawn.edges] == [25.0]


@pytest.mark.parametrize("certainty", list(Certainty))
def test_a_possible_call_is_dotted(certainty: Certainty) -> None:
    caller = Caller(id=f("near"), basis=EdgeBasis.STATIC, certainty=certainty)
    drawn = picture.graph((row(f("touched"), Blast(callers=(caller,))),))
    assert drawn is not None
    arrow = "-->" if certainty is Certainty.CERTAIN else "-.->"
    assert f"  n0 {arrow} n1" in picture.source(drawn)


def test_nothing_known_is_not_drawn() -> None:
    assert picture.graph(()) is None
    assert picture.graph((row(f("touched"), Blast()),)) is None


def test_a_function_that_calls_itself_is_no_edge() -> None:
    drawn = picture.graph((row(f("touched"), Blast(callers=(sample.call(f("touched"), 1, 1.0),))),))
    assert drawn is not None
    assert drawn.edges == ()


def test_bounds() -> None:
    drawn = picture.graph(summary.rows(sample.large()))
    assert drawn is not None
    assert (drawn.drawn, drawn.total, drawn.bounded) == (25, 241, True)
    assert len(drawn.edges) == 100


GRAMMAR = re.compile(
    r'  n\d+(\["[^"`\n]*(\n[^"`\n]*)?"\]|\(\["[^"`\n]*"\]\)):::\w+|  n\d+ -\.?->? n\d+|  n\d+ --> n\d+'
    r"|  linkStyle [\d,]+ stroke-width:\dpx|  classDef \w+ [\w:#,-]+|flowchart LR"
)


def obeys_grammar(source: str) -> None:
    for line in re.split(r"\n(?= {2})", source):
        assert GRAMMAR.fullmatch(line), line
        assert "%%" not in line


@pytest.mark.parametrize("name", PAYLOADS)
def test_hostile_labels_stay_labels(name: str) -> None:
    drawn = picture.graph(summary.rows(sample.hostile(PAYLOADS[name])))
    assert drawn is not None
    obeys_grammar(picture.source(drawn))


ids = st.builds(sample.fid, st.just("a.py"), st.sampled_from("abcdef"))
callers = st.builds(
    Caller,
    id=ids,
    basis=st.sampled_from(EdgeBasis),
    certainty=st.sampled_from(Certainty),
    depth=st.integers(1, 4),
    calls_per_minute=st.one_of(st.none(), st.floats()),
    via=st.one_of(st.none(), ids),
)
blasts = st.builds(
    Blast,
    callers=st.lists(callers, max_size=12).map(tuple),
    entry_points=st.lists(st.sampled_from(["x", "y"])).map(tuple),
)


@given(st.lists(st.tuples(ids, blasts), max_size=8, unique_by=lambda pair: pair[0]))
def test_any_graph_is_drawn_whole(parts: list[tuple[FunctionId, Blast]]) -> None:
    drawn = picture.graph(tuple(row(id, blast) for id, blast in parts))
    if drawn is None:
        return
    source = picture.source(drawn)
    obeys_grammar(source)
    declared = re.findall(r"^  (n\d+)[\[(]", source, re.MULTILINE)
    used = set(re.findall(r"^  (n\d+) -\S+ (n\d+)$", source, re.MULTILINE))
    assert len(declared) == drawn.drawn <= picture.MAX_NODES
    assert {name for pair in used for name in pair} <= set(declared)
    assert drawn.drawn <= drawn.total
    links = [int(index) for group in re.findall(r"linkStyle ([\d,]+)", source) for index in group.split(",")]
    assert len(links) == len(set(links))
    assert all(index < len(drawn.edges) for index in links)
