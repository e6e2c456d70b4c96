"""The blast radius as one Mermaid picture: entry points, the callers on the way, the touched functions.

A solid arrow is a call that is known; a dotted one is a call that may happen, or a way that is not recorded between.
Arrows are as wide as the traffic they carry, where it is known.
"""

import math
from dataclasses import dataclass, field, replace

from gatecli.model import Caller, Certainty, FunctionId
from gatecli.reports.summary import Row, entry_points
from gatecli.reports.text import mermaid, rate, share

MAX_NODES = 25
"""More boxes than this are not read, and GitHub shows them too small to be."""

_MAX_EDGES = 100
_WIDEST = 8  # pixels

_STYLES = (
    "classDef entry fill:#dbeafe,stroke:#1d4ed8,color:#1e3a8a",
    "classDef caller fill:#f3f4f6,stroke:#6b7280,color:#1f2937",
    "classDef touched fill:#fde68a,stroke:#b45309,color:#1f2937,stroke-width:2px",
)

Node = FunctionId | str
"""A function, or an entry point by its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """``source`` reaches ``target``; ``traffic`` in calls per minute, None where it is not known."""

    source: Node
    target: Node
    certain: bool
    traffic: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """What is drawn: nodes in order, of ``total`` that are known."""

    rows: tuple[Row, ...]
    entries: tuple[str, ...]
    callers: tuple[FunctionId, ...]
    edges: tuple[Edge, ...]
    total: int
    bounded: bool = field(default=False)

    @property
    def drawn(self) -> int:
        """How many nodes are drawn."""
        return len(self.rows) + len(self.entries) + len(self.callers)


def graph(rows: tuple[Row, ...], most: int = MAX_NODES) -> Graph | None:
    """The part of the blast radius that is worth drawing, at most ``most`` nodes of it.

    None where nothing is known to reach the change. A quarter of the nodes are touched functions, a third entry points.
    """
    reached = [row for row in rows if row.blast and (row.blast.callers or entry_points(row))]
    shown = tuple(reached[: most // 4])
    if not shown:
        return None
    entries = _shown_entries(shown, most // 3)
    callers = _shown_callers(shown, most - len(shown) - len(entries))
    edges = _merged([*_entry_edges(shown, entries, callers), *_calls(shown, callers)])[:_MAX_EDGES]
    everything: set[Node] = {row.function.id for row in reached}
    for row in reached:
        everything.update(entry_points(row))
        everything.update(caller.id for caller in _callers(row))
    return Graph(
        rows=shown,
        entries=entries,
        callers=callers,
        edges=edges,
        total=len(everything),
        bounded=any(row.blast.truncated for row in reached if row.blast),
    )


def _callers(row: Row) -> tuple[Caller, ...]:
    return row.blast.callers if row.blast else ()


def _shown_entries(rows: tuple[Row, ...], room: int) -> tuple[str, ...]:
    """Entry points of the riskiest functions first, the busiest of each first."""
    return tuple(dict.fromkeys(name for row in rows for name in entry_points(row)[:room]))[:room]


def _shown_callers(rows: tuple[Row, ...], room: int) -> tuple[FunctionId, ...]:
    """The nearest and busiest callers, each only with the way from it to what it reaches."""
    touched = {row.function.id for row in rows}
    chosen: dict[FunctionId, None] = {}
    candidates = [caller for row in rows for caller in _callers(row) if caller.id not in touched]
    for caller in sorted(candidates, key=lambda each: (each.depth, -(each.calls_per_minute or 0.0), each.id)):
        on_the_way = caller.via is None or caller.via in touched or caller.via in chosen
        if len(chosen) < room and on_the_way:
            chosen[caller.id] = None
    return tuple(chosen)


def _calls(rows: tuple[Row, ...], callers: tuple[FunctionId, ...]) -> list[Edge]:
    drawn = {*callers, *(row.function.id for row in rows)}
    edges = []
    for row in rows:
        for caller in _callers(row):
            target = caller.via or row.function.id
            if caller.id in drawn and target in drawn and caller.id != target:
                known = caller.certainty is Certainty.CERTAIN and (caller.depth == 1 or caller.via is not None)
                edges.append(
                    Edge(source=caller.id, target=target, certain=known, traffic=_positive(caller.calls_per_minute))
                )
    return edges


def _positive(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) and value > 0 else None


def _entry_edges(rows: tuple[Row, ...], entries: tuple[str, ...], callers: tuple[FunctionId, ...]) -> list[Edge]:
    """From each entry point to where its way is first known.

    That is the function itself, unless there is only one way in: one entry point and one outermost caller.
    """
    direct = {row.function.id: {caller.id for caller in _callers(row)} for row in rows}
    entered = {row.function.id: set(entry_points(row)) for row in rows}
    edges = []
    for row in rows:
        id = row.function.id
        target = _only_way_in(row, callers) or id
        weights = dict(row.usage.entry_points) if row.usage else {}
        for name in entry_points(row):
            through = any(name in names for other, names in entered.items() if other != id and other in direct[id])
            if name in entries and not through:
                edges.append(Edge(source=name, target=target, certain=False, traffic=_traffic(row, weights.get(name))))
    return edges


def _only_way_in(row: Row, callers: tuple[FunctionId, ...]) -> FunctionId | None:
    outermost = {caller.id for caller in _callers(row)} - {caller.via for caller in _callers(row)}
    if len(entry_points(row)) == 1 and len(outermost) == 1 and outermost <= set(callers):
        return outermost.pop()
    return None


def _traffic(row: Row, weight: float | None) -> float | None:
    calls = row.usage.calls_per_minute if row.usage else None
    return _positive(calls * weight) if calls is not None and weight is not None else None


def _merged(edges: list[Edge]) -> tuple[Edge, ...]:
    """One edge a pair: certain if any is, with the most traffic seen on it."""
    merged: dict[tuple[Node, Node], Edge] = {}
    for edge in edges:
        pair = (edge.source, edge.target)
        seen = merged.get(pair, edge)
        known = [value for value in (seen.traffic, edge.traffic) if value is not None]
        merged[pair] = replace(edge, certain=seen.certain or edge.certain, traffic=max(known, default=None))
    return tuple(merged.values())


# --------------------------------------------------------------------------- Mermaid


def source(drawn: Graph) -> str:
    """The picture in Mermaid's flowchart language; every label is inert."""
    names: dict[Node, str] = {}
    lines = ["flowchart LR"]
    for entry in drawn.entries:
        names[entry] = f"n{len(names)}"
        lines.append(f'  {names[entry]}(["{mermaid(entry, 40)}"]):::entry')
    for caller in drawn.callers:
        names[caller] = f"n{len(names)}"
        lines.append(f'  {names[caller]}["{mermaid(label(caller), 48)}"]:::caller')
    for row in drawn.rows:
        names[row.function.id] = f"n{len(names)}"
        lines.append(f'  {names[row.function.id]}["{_touched(row)}"]:::touched')
    for edge in drawn.edges:
        arrow = "-->" if edge.certain else "-.->"
        lines.append(f"  {names[edge.source]} {arrow} {names[edge.target]}")
    lines += [f"  {style}" for style in (*_widths(drawn.edges), *_STYLES)]
    return "\n".join(lines)


def label(id: FunctionId) -> str:
    """``checkout.Checkout.total``: enough to know it by, short enough for a box."""
    module = id.path.rpartition("/")[2].removesuffix(".py")
    return f"{module}.{id.qualname}"


def _touched(row: Row) -> str:
    usage = row.usage
    figures = [f"{rate(usage.calls_per_minute)} a minute"] if usage and usage.calls_per_minute is not None else []
    figures += [share(usage.share)] if usage and usage.share is not None else []
    name = mermaid(label(row.function.id), 48)
    # Not <br/>: beside one, Mermaid 12 takes every "\n" that a name holds for the end of a line too. Blanks before the
    # end of a line are Markdown that Mermaid 11 does not know.
    return f"{name.rstrip()}\n{mermaid(', '.join(figures))}" if figures else name


def _widths(edges: tuple[Edge, ...]) -> list[str]:
    """``linkStyle`` lines: widths by the square root of the traffic, so that a hundredth of it is still seen."""
    most = max((edge.traffic for edge in edges if edge.traffic is not None), default=0.0)
    groups: dict[int, list[int]] = {}
    for index, edge in enumerate(edges):
        if edge.traffic is not None:
            width = max(1, round(_WIDEST * math.sqrt(edge.traffic / most)))
            groups.setdefault(width, []).append(index)
    return [
        f"linkStyle {','.join(map(str, indices))} stroke-width:{width}px" for width, indices in sorted(groups.items())
    ]
