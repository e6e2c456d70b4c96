"""The blast radius as a graph: from the entry points by way of the callers to the change, drawn as SVG."""

import math

from gatecli.model import FunctionId
from gatecli.reports import picture
from gatecli.reports.html.context import Context
from gatecli.reports.html.elements import Html, join, section, tag
from gatecli.reports.html.layered import Placed, place
from gatecli.reports.picture import Edge, Graph, Node
from gatecli.reports.summary import Row
from gatecli.reports.text import count, plain, rate, share

MAX_NODES = 40

_WIDTH, _HEIGHT, _GAP, _SPACE = 184, 46, 64, 60
_MARGIN = 4
_BEND = 24
_LETTERS = 24
_WIDEST = 9.0


def blast(page: Context) -> Html | None:
    """The graph, the same in words, and what its lines mean; None where nothing is known to reach the change."""
    graph = picture.graph(page.rows, most=MAX_NODES)
    if graph is None:
        return None
    nodes: list[Node] = [*graph.entries, *graph.callers, *(row.function.id for row in graph.rows)]
    numbers = {node: number for number, node in enumerate(nodes)}
    edges = [edge for edge in graph.edges if edge.source != edge.target]
    placed = place(
        len(nodes), [(numbers[edge.source], numbers[edge.target]) for edge in edges], gap=_GAP, bend_gap=_BEND
    )
    lead = ["Solid lines are known calls, dashed ones possible calls or ways that are not recorded. "]
    lead.append("The wider a line, the more traffic.")
    if graph.total > graph.drawn:
        lead.append(f" Drawn are {graph.drawn:,} of {graph.total:,} functions and entry points.")
    if graph.bounded:
        lead.append(" There are more callers than could be followed.")
    svg = _svg(page, graph, nodes, numbers, edges, placed)
    label = "The blast radius as a drawing"
    drawing = tag("div", svg, class_="scroll", tabindex="0", role="group", aria_label=label)
    return section("blast", "Blast radius", drawing, _in_words(page, edges), lead=lead)


def _svg(
    page: Context, graph: Graph, nodes: list[Node], numbers: dict[Node, int], edges: list[Edge], placed: Placed
) -> Html:
    width = placed.layers * (_WIDTH + _SPACE) - _SPACE + 2 * _MARGIN
    height = placed.height + _HEIGHT + 2 * _MARGIN
    most = max((edge.traffic for edge in edges if edge.traffic is not None), default=0.0)
    rows = {row.function.id: row for row in graph.rows}
    lines = [_line(edge, numbers, placed, most) for edge in edges]
    boxes = [_box(page, node, number, placed, rows) for number, node in enumerate(nodes)]
    said = (
        f"{count(len(graph.entries), 'entry point')} and {count(len(graph.callers), 'caller')} lead to "
        f"{count(len(graph.rows), 'touched function')}"
    )
    return tag(
        "svg",
        tag("g", lines, class_="edges"),
        tag("g", boxes, class_="nodes"),
        class_="blast",
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        width=f"{width:.0f}",
        height=f"{height:.0f}",
        style=f"--natural:{width:.0f}px",
        role="group",
        aria_label=said,
    )


def _centre(point: tuple[int, float]) -> tuple[float, float]:
    layer, y = point
    return _MARGIN + layer * (_WIDTH + _SPACE) + _WIDTH / 2, _MARGIN + y + _HEIGHT / 2


def _line(edge: Edge, numbers: dict[Node, int], placed: Placed, most: float) -> Html:
    source, target = numbers[edge.source], numbers[edge.target]
    (x, y), (end_x, end_y) = _centre(placed.nodes[source]), _centre(placed.nodes[target])
    forward = 1 if end_x > x else -1
    path = [f"M{x + forward * _WIDTH / 2:.1f} {y:.1f}"]
    at_x, at_y = x + forward * _WIDTH / 2, y
    for bend in placed.bends.get((source, target), ()):
        bend_x, bend_y = _centre(bend)
        path.append(_curve(at_x, at_y, bend_x - forward * _WIDTH / 2, bend_y))
        at_x, at_y = bend_x + forward * _WIDTH / 2, bend_y
        path.append(f"L{at_x:.1f} {at_y:.1f}")
    path.append(_curve(at_x, at_y, end_x - forward * _WIDTH / 2, end_y))
    width = max(1.5, _WIDEST * math.sqrt(edge.traffic / most)) if edge.traffic is not None and most else 1.5
    return tag(
        "path",
        tag("title", _said(edge)),
        d=" ".join(path),
        class_="sure" if edge.certain else "maybe",
        stroke_width=f"{width:.1f}",
        data_from=source,
        data_to=target,
    )


def _curve(x: float, y: float, end_x: float, end_y: float) -> str:
    middle = (x + end_x) / 2
    return f"C{middle:.1f} {y:.1f} {middle:.1f} {end_y:.1f} {end_x:.1f} {end_y:.1f}"


def _box(page: Context, node: Node, number: int, placed: Placed, rows: dict[FunctionId, Row]) -> Html:
    x, y = _centre(placed.nodes[number])
    left, top = x - _WIDTH / 2, y - _HEIGHT / 2
    row = rows.get(node) if isinstance(node, FunctionId) else None
    kind = "touched" if row else "caller" if isinstance(node, FunctionId) else "entry"
    name, below = _name(node), _below(node, row)
    corner = _HEIGHT / 2 if kind == "entry" else 6
    inner = (
        tag("title", f"{node}{f', {below}' if row else ''}"),
        tag("rect", x=f"{left:.1f}", y=f"{top:.1f}", width=_WIDTH, height=_HEIGHT, rx=f"{corner:g}"),
        tag("text", _shortened(name), x=f"{x:.1f}", y=f"{y - (4 if below else -4):.1f}", class_="name"),
        tag("text", _shortened(below), x=f"{x:.1f}", y=f"{y + 13:.1f}", class_="figure") if below else None,
    )
    anchor = page.anchors.get(node) if isinstance(node, FunctionId) else None
    if anchor:
        return tag("a", inner, href=f"#{anchor}", class_=kind, data_node=number)
    return tag("g", inner, class_=kind, data_node=number)


def _name(node: Node) -> str:
    """What a box is called, without the module where there is no room for it."""
    if not isinstance(node, FunctionId):
        return node
    label = picture.label(node)
    return label if len(label) <= _LETTERS else node.qualname


def _below(node: Node, row: Row | None) -> str:
    """The second line of a box: the traffic of a touched function, the file of a caller."""
    if row is None:
        return node.path if isinstance(node, FunctionId) else ""
    usage = row.usage
    if usage is None or usage.calls_per_minute is None:
        return ""
    part = row.blast.share if row.blast and row.blast.share is not None else usage.share
    return f"{rate(usage.calls_per_minute)} a minute" + (f" · {share(part)}" if part is not None else "")


def _shortened(text: str) -> str:
    """A label that fits its box: the end says more than the start."""
    shown = plain(text)
    return shown if len(shown) <= _LETTERS else f"…{shown[len(shown) - _LETTERS + 1 :]}"


def _said(edge: Edge) -> str:
    carried = f", {rate(edge.traffic)} a minute" if edge.traffic is not None else ""
    return f"{edge.source} → {edge.target}{carried}{'' if edge.certain else ' (possible, or not recorded)'}"


def _in_words(page: Context, edges: list[Edge]) -> Html:
    rows = [
        tag(
            "tr",
            tag("td", _shown(page, edge.source)),
            tag("td", _shown(page, edge.target)),
            tag("td", rate(edge.traffic), class_="number"),
            tag("td", "known call" if edge.certain else "possible, or a way that is not recorded"),
        )
        for edge in edges
    ]
    heads = tag("tr", *(tag("th", head, scope="col") for head in ("from", "to", "a minute", "how sure")))
    table = tag("table", tag("thead", heads), tag("tbody", rows))
    scroll = tag("div", table, class_="scroll", tabindex="0", role="group", aria_label="The blast radius as a table")
    return tag("details", tag("summary", f"The same as a table ({count(len(edges), 'line')})"), scroll)


def _shown(page: Context, node: Node) -> Html:
    return page.function(node) if isinstance(node, FunctionId) else join(node)
