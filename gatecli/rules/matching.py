"""Searching code with tree-sitter queries: all of a run's patterns in one pass over the tree.

A pass costs its nodes once, whatever the number of patterns; seventy passes of one pattern each take six times as long.
"""

from bisect import bisect_right
from collections import defaultdict
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING

from gatecli.syntax.trees import query

if TYPE_CHECKING:
    from tree_sitter import Node, Query

Captures = dict[str, "Node"]
"""One match of a query: the first node of each capture name; ``match`` is always there."""


class Pattern(str):
    """A tree-sitter query on Python, of a rule or of a check; ``@match`` says where each of its matches stands."""

    __slots__ = ()


def search(patterns: tuple[str, ...], node: "Node") -> dict[str, list[Captures]]:
    """The matches of each pattern under a node, in document order, without those that lack a ``@match``."""
    from tree_sitter import QueryCursor

    joined, sources = _joined(patterns)
    found: dict[str, list[Captures]] = defaultdict(list)
    for number, captured in QueryCursor(joined).matches(node):
        if "match" in captured:
            found[sources[number]].append({name: nodes[0] for name, nodes in captured.items()})
    for matches in found.values():
        matches.sort(key=lambda match: (match["match"].start_byte, -match["match"].end_byte))
    return found


def search_one(pattern: str, node: "Node") -> list[Captures]:
    """The matches of one pattern under a node, as ``search`` finds them."""
    return search((pattern,), node)[pattern]


@cache
def _joined(patterns: tuple[str, ...]) -> "tuple[Query, tuple[str, ...]]":
    """One query of all the patterns, and of which of them each of its alternatives is."""
    joined = query("\n".join(patterns))
    starts = [0, *accumulate(len(pattern.encode()) + 1 for pattern in patterns)]
    numbers = range(joined.pattern_count)
    return joined, tuple(patterns[bisect_right(starts, joined.start_byte_for_pattern(n)) - 1] for n in numbers)
