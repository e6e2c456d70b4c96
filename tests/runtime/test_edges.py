"""Edges as columns: the same calls as the rows they were made of, whoever asks."""

import json

from hypothesis import given
from hypothesis import strategies as st

from gatecli.runtime.edges import Edge, Edges
from gatecli.runtime.profile import Meta, Profile, decode, encode

IDS = [f"a.py::f{number}" for number in range(6)]
ROWS = st.lists(
    st.builds(
        lambda caller, callee, basis, weight: Edge(
            caller=caller,
            callee=callee,
            basis=basis,
            calls=None if basis == "sampled" else weight,
            samples=weight if basis == "sampled" else None,
        ),
        st.sampled_from(IDS),
        st.sampled_from(IDS),
        st.sampled_from(["counted", "sampled", "spans"]),
        st.none() | st.integers(0, 2**63 - 1),
    ),
    unique_by=lambda edge: (edge.caller, edge.callee, edge.basis),
)


def ordered(rows: list[Edge]) -> list[Edge]:
    return sorted(rows, key=repr)


@given(ROWS)
def test_columns_hold_the_rows(rows: list[Edge]) -> None:
    edges = Edges.of(rows)
    assert ordered(list(edges)) == ordered(rows)
    assert (len(edges), edges) == (len(rows), Edges.of(reversed(rows)))
    assert edges == rows
    assert list(edges.called()) == sorted({edge.callee for edge in rows})


@given(ROWS, st.sets(st.sampled_from([*IDS, "gone"])))
def test_callers_and_callees(rows: list[Edge], wanted: set[str]) -> None:
    edges = Edges.of(rows)
    for id in wanted:
        assert ordered(edges.callers(id)) == ordered([edge for edge in rows if edge.callee == id])
    assert ordered(edges.callees(wanted)) == ordered([edge for edge in rows if edge.caller in wanted])


@given(ROWS)
def test_renamed_edges_are_those_of_renamed_rows(rows: list[Edge]) -> None:
    """Two functions become one: both have its edges then."""
    names = {IDS[0]: "b.py::g", IDS[1]: IDS[2]}
    edges = Edges.of(rows).renamed(lambda id: names.get(id, id))
    expected = [
        Edge(
            caller=names.get(edge.caller, edge.caller),
            callee=names.get(edge.callee, edge.callee),
            calls=edge.calls,
            samples=edge.samples,
            basis=edge.basis,
        )
        for edge in rows
    ]
    assert edges == expected
    assert ordered(edges.callers(IDS[2])) == ordered([edge for edge in expected if edge.callee == IDS[2]])


@given(ROWS)
def test_rows_in_a_file_are_read_like_columns(rows: list[Edge]) -> None:
    made = decode(encode(Profile(meta=Meta(), edges=tuple(rows))))
    by_hand = {
        "schema": "gate.runtime-profile/1",
        "meta": {},
        "edges": [{name: getattr(edge, name) for name in Edge.__struct_fields__} for edge in rows],
    }
    read = decode(json.dumps(by_hand).encode())
    assert read.calls() is read.calls(), "the columns are made once, not for each who asks"
    assert isinstance(read.edges, Edges)
    assert read.edges.table == Edges.of(reversed(rows)).table
    assert made.calls() == read.calls()
