"""A function's own code, and how many ways lead through it. Nothing here recurses."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from gatecli.syntax.sides import Side
from gatecli.syntax.trees import children

if TYPE_CHECKING:
    from tree_sitter import Node

_DEFINITIONS = frozenset({"function_definition", "class_definition", "decorated_definition"})
# One more way through the code each. McCabe, "A Complexity Measure", IEEE Transactions on Software Engineering SE-2(4),
# 1976, https://doi.org/10.1109/TSE.1976.233837: decisions plus one, a compound condition counting once for each part.
# Which Python nodes decide is as radon counts them (https://radon.readthedocs.io/en/latest/intro.html), but that an
# ``else`` of a loop decides nothing, and ``case _`` is the else of its match.
_DECISIONS = frozenset(
    {
        "if_statement",
        "elif_clause",
        "conditional_expression",
        "for_statement",
        "while_statement",
        "except_clause",
        "except_group_clause",
        "assert_statement",
        "boolean_operator",
        "for_in_clause",
        "if_clause",
        "case_clause",
    }
)


def complexity(side: Side, nodes: "Iterable[Node] | None" = None) -> int | None:
    """McCabe's cyclomatic number of a function's own code; None for a module or class body.

    ``nodes`` are the function's own, where they are at hand. Decorators and defaults run before it does: not counted.
    """
    if side.is_container:
        return None
    root = side.module.nodes[side.index]
    start = _body_start(root)
    return 1 + sum(node.start_byte >= start and _decides(node) for node in nodes or own_nodes(root))


def own_nodes(root: "Node", lines: tuple[int, ...] | None = None) -> Iterator["Node"]:
    """A function's nodes in document order, without what is defined inside it; on these lines only, if given."""
    body = root.child_by_field_name("definition") if root.type == "decorated_definition" else None
    mine = {root.id, body.id if body is not None else root.id}
    pending = [root]
    while pending:
        node = pending.pop()
        if node.type in _DEFINITIONS and node.id not in mine:
            continue
        if lines is not None and not _touches(node, lines):
            continue
        yield node
        if node.child_count:
            pending.extend(reversed(children(node)))


def _touches(node: "Node", lines: tuple[int, ...]) -> bool:
    """Whether one of the lines (in order) is one of the node's."""
    position = bisect_left(lines, node.start_point.row + 1)
    return position < len(lines) and lines[position] <= node.end_point.row + 1


def _body_start(node: "Node") -> int:
    for name in ("definition", "right", "value"):  # of a decorated function, of a lambda that is bound
        node = node.child_by_field_name(name) or node
    body = node.child_by_field_name("body")
    return body.start_byte if body is not None else node.start_byte


def _decides(node: "Node") -> bool:
    if node.type not in _DECISIONS or not node.is_named:
        return False
    return node.type != "case_clause" or not _is_wildcard(node)


def _is_wildcard(case: "Node") -> bool:
    """Whether a case takes whatever is left: ``case _:``. A guard counts for itself."""
    patterns = [child for child in case.named_children if child.type == "case_pattern"]
    return [pattern.text for pattern in patterns] == [b"_"]
