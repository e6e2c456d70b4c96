"""Syntax trees: the grammar, what is asked of a tree, and how much of one is walked at all.

Nothing here recurses, and everything takes time linear in the tree: source is written by anyone.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING

from gatecli.errors import EvidenceError

if TYPE_CHECKING:
    from tree_sitter import Language, Node, Query, Tree

# Above this a source is parsed with a bound on the work, which costs a quarter more time. The parser reads ordinary
# code at 5 to 10 MB a second, and asks 5 to 11 times a kilobyte whether to go on; what is no Python takes it seconds a
# megabyte, most where it tells that it recovers from an error.
MAX_UNWATCHED_BYTES = 300_000
MAX_PARSER_WORK = 50_000
_COST_OF_RECOVERY = 50
_CHUNK = 1 << 16

# CPython 3.11 compiles 2,992 levels of calls, operators or branches and refuses the next, brackets at 200.
MAX_DEPTH = 3_000
# Three megabytes of ordinary code; the rules need about 5 seconds for the 400,000 matches of such a function.
MAX_NODES = 600_000
MAX_RUN = 1_000
_STRIDE = 200

# Every landmark has one of these words; looking for them first takes a third of the time that trying every node takes.
# A word costs a walk past its siblings and up its parents: where that adds up, walking the tree is the shorter way.
_KEYWORD = re.compile(rb"\b(?:def|class|lambda|yield|import)\b")
_MAX_KEYWORD_COST = 400_000_000


@cache
def language() -> "Language":
    """The Python grammar."""
    import tree_sitter_python
    from tree_sitter import Language

    return Language(tree_sitter_python.language())


@cache
def query(source: str) -> "Query":
    """A compiled tree-sitter query; compiled once a process."""
    from tree_sitter import Query

    return Query(language(), source)


def parse(source: bytes) -> "Tree":
    """The syntax tree of a UTF-8 source.

    Raises:
        EvidenceError: the parser gave up (what stands there is not Python, and too long to recover from), or the tree
            is too large, too deep or too wide for later stages to walk in reasonable time.
    """
    tree = _parsed(source)
    _check_size(tree.root_node)
    if tree.root_node.has_error:
        _check_runs(tree.root_node)
    return tree


def _parsed(source: bytes) -> "Tree":
    from tree_sitter import Parser

    parser = Parser(language())
    if len(source) <= MAX_UNWATCHED_BYTES:
        return parser.parse(source)
    # A tree of chunks asks for its chunks again at every ``Node.text``: it only helps to make one of the whole source.
    try:
        watched = parser.parse(lambda start, _: source[start : start + _CHUNK], progress_callback=_watch())
    except ValueError as error:
        raise EvidenceError("the parser gave up: the file is too large, or too much of it is not Python") from error
    return parser.parse(source, old_tree=watched)


def _watch() -> Callable[[int, bool], bool]:
    """A callback that stops the parser after a fixed amount of work: the same on every machine."""
    work = 0

    def progress(_: int, has_error: bool) -> bool:
        nonlocal work
        work += _COST_OF_RECOVERY if has_error else 1
        return work > MAX_PARSER_WORK

    return progress


def _check_size(root: "Node") -> None:
    """Refuse a tree of more than ``MAX_NODES`` or nested deeper than ``MAX_DEPTH``.

    Going one node further in document order goes down by one level at most: a look at every ``_STRIDE``-th node misses
    no nesting that is ``_STRIDE`` levels deeper than the bound.
    """
    nodes = root.descendant_count
    if nodes > MAX_NODES:
        raise EvidenceError(f"its syntax tree has {nodes:,} nodes, more than the {MAX_NODES:,} that are judged")
    cursor = root.walk()
    for position in range(0, nodes, _STRIDE):
        cursor.goto_descendant(position)
        if cursor.depth > MAX_DEPTH:
            line = cursor.node.start_point.row + 1 if cursor.node is not None else 1
            raise EvidenceError(f"line {line} is nested more than {MAX_DEPTH:,} levels deep")


def _check_runs(root: "Node") -> None:
    """Refuse an error of more than ``MAX_RUN`` marks in a row.

    At each of them a query looks for a named node among the next ones: it takes the square of their number.
    """
    cursor = root.walk()
    run = 0
    while (node := cursor.node) is not None:
        run = 0 if node.is_named else run + 1
        if run > MAX_RUN:
            line = node.start_point.row + 1
            raise EvidenceError(f"line {line} has more than {MAX_RUN:,} marks in a row that the grammar cannot place")
        if node.has_error and cursor.goto_first_child():
            run = 0
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return
            run = 0


def children(node: "Node") -> list["Node"]:
    """The children of a node. ``Node.children`` would keep them, and theirs, for as long as the node lives."""
    cursor = node.walk()
    found: list[Node] = []
    more = cursor.goto_first_child()
    while more and cursor.node is not None:
        found.append(cursor.node)
        more = cursor.goto_next_sibling()
    return found


def captures(pattern: str, node: "Node") -> dict[str, list["Node"]]:
    """The nodes that a query captures under a node, by capture name, in document order."""
    from tree_sitter import QueryCursor

    found = QueryCursor(query(pattern)).captures(node)
    # The binding collects the nodes of a capture in a set: their order changes from run to run.
    return {name: sorted(nodes, key=lambda n: (n.start_byte, -n.end_byte)) for name, nodes in found.items()}


def landmarks(root: "Node", source: bytes) -> dict[str, list["Node"]]:
    """The definitions, decorated definitions, named lambdas, yields and imports of a file, by kind, in document order.

    Kinds: ``definition``, ``decorated``, ``bound``, ``yield``, ``import``, ``from``.
    """
    words = [*_KEYWORD.finditer(source)]
    found: dict[str, list[Node]] = defaultdict(list)
    if len(words) * len(source) > _MAX_KEYWORD_COST:
        for node, outer in _walked(root):
            for kind, one in _landmark(node, outer):
                found[kind].append(one)
        words = []
    for word in words:
        inner = root.descendant_for_byte_range(word.start(), word.end())
        parent = inner.parent if inner is not None and inner.type.encode() == word[0] else None
        for kind, one in _landmark(parent, parent.parent) if parent is not None else ():
            found[kind].append(one)
    return {kind: sorted(nodes, key=lambda n: (n.start_byte, -n.end_byte)) for kind, nodes in found.items()}


def _walked(root: "Node") -> Iterator[tuple["Node", "Node | None"]]:
    """Every node that may be a landmark, with its parent: in time linear in the tree.

    A query, and asking a node for its parent, take the square of the nesting.
    """
    cursor = root.walk()
    parents: list[Node] = []
    while True:
        node = cursor.node
        if node is not None and node.is_named and node.type in _MARKED:
            yield node, parents[-1] if parents else None
        if node is not None and cursor.goto_first_child():
            parents.append(node)
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return
            parents.pop()


def _landmark(node: "Node", outer: "Node | None") -> Iterator[tuple[str, "Node"]]:
    if node.type in ("function_definition", "class_definition"):
        yield "definition", node
        if outer is not None and outer.type == "decorated_definition":
            yield "decorated", outer
    elif node.type == "lambda" and outer is not None:
        target = outer.child_by_field_name("left")
        is_assigned = outer.type == "assignment" and outer.child_by_field_name("right") == node
        if (is_assigned and target is not None and target.type in ("identifier", "attribute")) or (
            outer.type == "named_expression"
        ):
            yield "bound", outer
    elif node.type in _STATEMENTS:
        yield _STATEMENTS[node.type], node


_STATEMENTS = {"yield": "yield", "import_statement": "import", "import_from_statement": "from"}
_MARKED = frozenset({"function_definition", "class_definition", "lambda", *_STATEMENTS})


def error_lines(root: "Node") -> tuple[int, ...]:
    """The lines of what the grammar could not place; Python that it does not know yet is none of them.

    That is defaults of type parameters (``[T = int]``, https://peps.python.org/pep-0696/) and lazy imports
    (https://peps.python.org/pep-0810/): the functions around them are right, and what stands there counts as code.

    A walk that goes down only where an error is: a query's time grows with the square of a file of open brackets, and
    ``Node.parent`` and ``Node.next_sibling`` search from the root.
    """
    lines: set[int] = set()
    lazy: dict[int, int] = {}  # depth → line of a ``lazy`` that waits for the node behind it
    cursor = root.walk()
    parents: list[Node] = []
    while (node := cursor.node) is not None:
        line, depth = node.start_point.row + 1, len(parents)
        waiting = lazy.pop(depth, None)
        if waiting is not None and not (node.type in _IMPORTS and line == waiting):
            lines.add(waiting)
        if _is_lazy(node):
            lazy[depth] = line
        elif (node.is_error or node.is_missing) and not (parents and _is_default(node, parents[-1])):
            lines.add(line)
        if node.has_error and cursor.goto_first_child():
            parents.append(node)
            continue
        while not cursor.goto_next_sibling():
            if (last := lazy.pop(len(parents), None)) is not None:
                lines.add(last)
            if not cursor.goto_parent():
                return tuple(sorted(lines))
            parents.pop()
    return tuple(sorted(lines))


_IMPORTS = ("import_statement", "import_from_statement")


def _is_lazy(node: "Node") -> bool:
    return node.is_error and node.end_byte - node.start_byte == len(b"lazy") and node.text == b"lazy"


def _is_default(error: "Node", parent: "Node") -> bool:
    return parent.type == "type_parameter" and b"=" in (error.text or b"")
