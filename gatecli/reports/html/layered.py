"""Placing a graph in layers from left to right, so that edges are short and cross little (Sugiyama's method).

Layers by the longest way; long edges get a bend in every layer they pass; the order within layers by the mean of the
neighbours, swept to and fro. See https://en.wikipedia.org/wiki/Layered_graph_drawing
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

SWEEPS = 8

Edge = tuple[int, int]
_Bend = tuple[int, int, int]
_Point = int | _Bend
"""A node by its number, or a bend of an edge: its two nodes and the layer it passes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Node → (layer, y), edge → (layer, y) of its bends from source to target; y from 0 to ``height``."""

    nodes: Mapping[int, tuple[int, float]]
    bends: Mapping[Edge, tuple[tuple[int, float], ...]]
    layers: int
    height: float


def place(count: int, edges: Iterable[Edge], *, gap: float, bend_gap: float) -> Placed:
    """Lay out the nodes 0 to ``count``, in an order worth keeping; ``gap`` apart, edges ``bend_gap`` from each other.

    Edges that would close a circle are placed as if they ran the other way.
    """
    forward = _without_circles(count, edges)
    layer = _layers(count, forward)
    chains = {edge: _chain(edge, turned, layer) for edge, turned in forward.items()}
    rows = _rows(layer, chains.values())
    links = [pair for chain in chains.values() for pair in pairwise(chain)]
    before: dict[_Point, list[_Point]] = defaultdict(list)
    after: dict[_Point, list[_Point]] = defaultdict(list)
    for left, right in links:
        before[right].append(left)
        after[left].append(right)
    for sweep in range(SWEEPS):
        _sort(rows if sweep % 2 == 0 else rows[::-1], before if sweep % 2 == 0 else after)
    heights = _closed_up(_heights(rows, before, after, gap, bend_gap), gap)
    return Placed(
        nodes={node: (layer[node], heights[node]) for node in range(count)},
        bends={
            edge: tuple((at[2], heights[at]) for at in _bends(chain[::-1] if forward[edge] else chain))
            for edge, chain in chains.items()
        },
        layers=max(layer, default=-1) + 1,
        height=max(heights.values(), default=0.0),
    )


def _without_circles(count: int, edges: Iterable[Edge]) -> dict[Edge, bool]:
    """Each edge, and whether it has to be turned round so that no circle is left."""
    out: dict[int, list[int]] = defaultdict(list)
    for source, target in edges:
        if source != target:
            out[source].append(target)
    turned: dict[Edge, bool] = {}
    is_open: dict[int, bool] = {}
    for start in range(count):
        if start in is_open:
            continue
        is_open[start] = True
        stack = [(start, iter(out[start]))]
        while stack:
            node, rest = stack[-1]
            target = next(rest, -1)
            if target < 0:
                is_open[node] = False
                stack.pop()
                continue
            turned[node, target] = is_open.get(target, False)
            if target not in is_open:
                is_open[target] = True
                stack.append((target, iter(out[target])))
    return turned


def _layers(count: int, forward: Mapping[Edge, bool]) -> list[int]:
    """The length of the longest way to each node."""
    out: dict[int, list[int]] = defaultdict(list)
    waiting = [0] * count
    for edge, turned in forward.items():
        first, second = edge[::-1] if turned else edge
        out[first].append(second)
        waiting[second] += 1
    layer = [0] * count
    ready = [node for node in range(count) if not waiting[node]]
    for node in ready:
        for target in out[node]:
            layer[target] = max(layer[target], layer[node] + 1)
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    return layer


def _chain(edge: Edge, turned: bool, layer: Sequence[int]) -> list[_Point]:
    """The edge from left to right, with a bend for each layer it passes."""
    first, last = edge[::-1] if turned else edge
    return [first, *((first, last, step) for step in range(layer[first] + 1, layer[last])), last]


def _bends(chain: Iterable[_Point]) -> list[_Bend]:
    return [point for point in chain if isinstance(point, tuple)]


def _rows(layer: Sequence[int], chains: Iterable[list[_Point]]) -> list[list[_Point]]:
    rows: list[list[_Point]] = [[] for _ in range(max(layer, default=-1) + 1)]
    for node, at in enumerate(layer):
        rows[at].append(node)
    for bend in dict.fromkeys(bend for chain in chains for bend in _bends(chain)):
        rows[bend[2]].append(bend)
    return rows


def _sort(rows: list[list[_Point]], neighbours: Mapping[_Point, list[_Point]]) -> None:
    """Order each row by the mean place of the neighbours in the row before it; those without keep theirs."""
    for above, row in pairwise(rows):
        places = {node: index / max(1, len(above) - 1) for index, node in enumerate(above)}
        own = {node: index / max(1, len(row) - 1) for index, node in enumerate(row)}

        def mean(node: _Point, places: Mapping[_Point, float] = places, own: Mapping[_Point, float] = own) -> float:
            known = [places[other] for other in neighbours.get(node, ()) if other in places]
            return sum(known) / len(known) if known else own[node]

        row.sort(key=mean)


def _heights(
    rows: list[list[_Point]],
    before: Mapping[_Point, list[_Point]],
    after: Mapping[_Point, list[_Point]],
    gap: float,
    bend_gap: float,
) -> dict[_Point, float]:
    """Each node near the mean of its neighbours, as far as the space between nodes allows."""
    y: dict[_Point, float] = {}
    for row in rows:
        at = -sum(_space(first, second, gap, bend_gap) for first, second in pairwise(row)) / 2
        for index, node in enumerate(row):
            at += _space(row[index - 1], node, gap, bend_gap) if index else 0.0
            y[node] = at
    for sweep in range(2 * SWEEPS):
        neighbours = (before, after)[sweep % 2]
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            wanted = []
            for node in row:
                near = [y[other] for other in neighbours.get(node, ())]
                wanted.append(sum(near) / len(near) if near else y[node])
            y.update(zip(row, _spread(row, wanted, gap, bend_gap), strict=True))
    return y


def _closed_up(heights: Mapping[_Point, float], gap: float) -> dict[_Point, float]:
    """The heights from 0 on, without empty bands across the whole picture: parts that no edge joins drift apart."""
    closed: dict[_Point, float] = {}
    at, last = 0.0, min(heights.values(), default=0.0)
    for point in sorted(heights, key=heights.__getitem__):
        at += min(heights[point] - last, gap)
        closed[point], last = at, heights[point]
    return closed


def _spread(row: list[_Point], wanted: list[float], gap: float, bend_gap: float) -> list[float]:
    """Heights as close to the wanted ones as keeps the order and the space: pushed down, then up, and the mean."""
    down, up = list(wanted), list(wanted)
    for index in range(1, len(row)):
        down[index] = max(down[index], down[index - 1] + _space(row[index - 1], row[index], gap, bend_gap))
    for index in range(len(row) - 2, -1, -1):
        up[index] = min(up[index], up[index + 1] - _space(row[index], row[index + 1], gap, bend_gap))
    return [(low + high) / 2 for low, high in zip(down, up, strict=True)]


def _space(first: _Point, second: _Point, gap: float, bend_gap: float) -> float:
    bends = isinstance(first, tuple) + isinstance(second, tuple)
    return (gap, (gap + bend_gap) / 2, bend_gap)[bends]
