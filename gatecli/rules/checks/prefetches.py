"""D09: queries that no longer bring related rows along, so that each row asks for its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gatecli.rules import code
from gatecli.rules.code import Code, View
from gatecli.rules.observation import Observation, seen
from gatecli.rules.spec import Rule
from gatecli.rules.wording import listed

if TYPE_CHECKING:
    from tree_sitter import Node

_TOGETHER = frozenset(
    {"select_related", "prefetch_related", "joinedload", "selectinload", "subqueryload", "contains_eager"}
)


@dataclass(frozen=True, slots=True)
class _Fetch:
    """What a query brings along, the query that it is said of, and the line."""

    names: tuple[str, ...]
    query: str
    line: int


def prefetch_removed(rule: Rule, view: View) -> Iterator[Observation]:
    """Relations that a function's queries brought along and no function of the change does, while it still queries."""
    came = {name for touched in view.functions for one in _fetches(view, touched.after) for name in one.names}
    for touched in view.functions:
        if touched.before is None or touched.after is None or touched.change.behaviour is None:
            continue
        called = [code.callee(match["match"]) for match in view.own(code.CALLS, touched.after)]
        for fetch in _fetches(view, touched.before):
            gone = [name for name in fetch.names if name not in came]
            if gone and any(name.startswith(f"{fetch.query}.") for name in called):
                says = f"no longer brings {listed(gone)} along with {fetch.query}: each row asks for its own"
                yield seen(touched, touched.line_after(fetch.line), says, " ".join(gone))


def _fetches(view: View, side: Code | None) -> list[_Fetch]:
    found = []
    for match in view.own(code.CALLS, side) if side is not None else ():
        call = match["match"]
        root, _, last = code.callee(call).rpartition(".")
        arguments = call.child_by_field_name("arguments")
        if last in _TOGETHER and arguments is not None and root:
            names = tuple(_name(node) for node in arguments.named_children if node.type != "comment")
            first_call = root.partition("(")[0]
            query = first_call.rpartition(".")[0] or first_call if "(" in root else root
            found.append(_Fetch(names or ("everything",), query, code.line(call)))
    return found


def _name(argument: "Node") -> str:
    """``"lines"``, ``Prefetch("lines", …)`` and ``Order.lines`` are all lines."""
    if argument.type == "call":
        arguments = argument.child_by_field_name("arguments")
        first = arguments.named_children[:1] if arguments is not None else []
        return _name(first[0]) if first else code.text(argument)
    text = code.text(argument)
    return text.strip("\"'") if argument.type == "string" else text.rpartition(".")[2]
