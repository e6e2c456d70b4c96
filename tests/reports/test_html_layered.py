from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gatecli.reports.html.layered import Placed, place


def layers(placed: Placed) -> list[int]:
    return [placed.nodes[node][0] for node in sorted(placed.nodes)]


def placed(count: int, *edges: tuple[int, int]) -> Placed:
    return place(count, edges, gap=60, bend_gap=20)


def test_calls_run_from_left_to_right() -> None:
    assert layers(placed(4, (0, 1), (1, 2), (0, 2), (3, 2))) == [0, 1, 2, 0]


def test_a_long_edge_bends_in_every_layer_it_passes() -> None:
    found = placed(4, (0, 1), (1, 2), (2, 3), (0, 3))
    assert [layer for layer, _ in found.bends[0, 3]] == [1, 2]
    assert found.bends[0, 1] == ()


def test_a_circle_is_drawn_backwards() -> None:
    found = placed(3, (0, 1), (1, 2), (2, 0))
    assert layers(found) == [0, 1, 2]
    assert [layer for layer, _ in found.bends[2, 0]] == [1]


def test_a_call_to_itself_is_left_out() -> None:
    assert placed(1, (0, 0)).bends == {}


def test_nodes_are_ordered_so_that_edges_do_not_cross() -> None:
    found = placed(4, (0, 3), (1, 2))
    assert (found.nodes[0][1] < found.nodes[1][1]) == (found.nodes[3][1] < found.nodes[2][1])


def test_a_caller_stands_in_the_middle_of_what_it_calls() -> None:
    found = placed(4, (0, 1), (0, 2), (0, 3))
    assert found.nodes[0][1] == (found.nodes[1][1] + found.nodes[3][1]) / 2


def test_nothing_is_placed_nowhere() -> None:
    assert placed(0) == Placed(nodes={}, bends={}, layers=0, height=0.0)


@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=40))
def test_every_node_has_its_own_room(edges: list[tuple[int, int]]) -> None:
    found = place(12, edges, gap=60, bend_gap=20)
    assert set(found.nodes) == set(range(12))
    assert set(found.bends) == {(a, b) for a, b in edges if a != b}
    rows: dict[int, list[float]] = {}
    for layer, y in found.nodes.values():
        assert 0 <= y <= found.height + 1e-6
        rows.setdefault(layer, []).append(y)
    for heights in rows.values():
        ordered = sorted(heights)
        assert all(below - above >= 60 - 1e-6 for above, below in pairwise(ordered))
    for (source, target), bends in found.bends.items():
        ends = found.nodes[source][0], found.nodes[target][0]
        assert ends[0] != ends[1]
        step = 1 if ends[1] > ends[0] else -1
        assert [layer for layer, _ in bends] == list(range(ends[0] + step, ends[1], step))


@given(st.lists(st.tuples(st.integers(0, 29), st.integers(0, 29)), max_size=40))
def test_no_band_across_the_picture_is_empty(edges: list[tuple[int, int]]) -> None:
    found = place(30, edges, gap=60, bend_gap=20)
    points = [*found.nodes.values(), *(bend for bends in found.bends.values() for bend in bends)]
    assert all(below - above <= 60 + 1e-6 for above, below in pairwise(sorted(y for _, y in points)))
    assert min(y for _, y in points) == 0


@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=40))
def test_the_same_graph_is_placed_the_same(edges: list[tuple[int, int]]) -> None:
    assert place(12, edges, gap=60, bend_gap=20) == place(12, edges, gap=60, bend_gap=20)
