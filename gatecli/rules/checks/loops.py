"""D06: a loop that now calls a function of the same change which queries a database or the network."""

from collections.abc import Iterator

from gatecli.model import Evidence
from gatecli.rules import code
from gatecli.rules.code import Code, Touched, View
from gatecli.rules.observation import Observation, seen
from gatecli.rules.query import loop_ranges
from gatecli.rules.spec import Rule
from gatecli.rules.wording import snippet

_CALLS = "(call) @match"
_QUERIES = """
((call function: (attribute attribute: (identifier) @verb)) @match
  (#any-of? @verb "execute" "executemany" "fetchone" "fetchall" "scalar" "scalars" "get_or_create" "update_or_create"))
((call function: (attribute object: (attribute attribute: (identifier) @manager))) @match
  (#any-of? @manager "objects" "_default_manager" "_base_manager"))
((call function: (attribute object: (identifier) @library)) @match
  (#any-of? @library "requests" "httpx"))
((call function: [(identifier) (attribute)] @name) @match
  (#match? @name "(^|[.])urlopen$"))
"""


def io_behind_loop(rule: Rule, view: View) -> Iterator[Observation]:
    """Calls in a loop, of functions that the change adds or edits and that query, where the loop did not call them."""
    querying = [(touched, query) for touched in view.functions if (query := _query(view, touched.after)) is not None]
    for touched in view.functions:
        if touched.after is None:
            continue
        added = _calls_in_loops(view, touched.after)
        for callee, query in querying:
            call = added.get(callee.change.id.name)
            if call is None or not _calls(callee, touched):
                continue
            if touched.before is not None and callee.change.id.name in _calls_in_loops(view, touched.before):
                continue
            where = Evidence(kind="query", text=snippet(query[0]), path=callee.change.id.path, line=query[1])
            says = f"now calls {callee.change.id.qualname} in a loop, which queries: {snippet(query[0])}"
            yield seen(touched, call, says, callee.change.id.name, evidence=(where,))


def _query(view: View, side: Code | None) -> tuple[str, int] | None:
    """The first query of a function that runs by itself, with its line."""
    found = view.own(_QUERIES, side) if side is not None else []
    return (code.text(found[0]["match"]), code.line(found[0]["match"])) if found else None


def _calls_in_loops(view: View, side: Code) -> dict[str, int]:
    """Last name of each call that stands in a loop → the line of the first."""
    loops = loop_ranges(view, side)
    lines: dict[str, int] = {}
    for match in view.own(_CALLS, side) if loops else ():
        node = match["match"]
        if code.is_within(loops, node):
            lines.setdefault(code.callee(node).rpartition(".")[2], code.line(node))
    return lines


def _calls(callee: Touched, caller: Touched) -> bool:
    """Whether the caller is known to call the callee, be it by a receiver of unknown type."""
    callers = callee.blast.callers if callee.blast is not None else ()
    return any(one.id == caller.change.id and one.depth == 1 for one in callers)
