"""D06, D08: loops with a query behind a call, be the query new or the call, and loops within loops."""

from collections import defaultdict
from collections.abc import Iterator

from gatecli.model import Certainty, Confidence, Evidence
from gatecli.rules import code
from gatecli.rules.checks.contracts import callers_outside
from gatecli.rules.code import Code, Touched, View
from gatecli.rules.matching import Pattern, search_one
from gatecli.rules.observation import Observation, seen
from gatecli.rules.paths import matches
from gatecli.rules.query import LOOPS, loop_ranges
from gatecli.rules.spec import Rule
from gatecli.rules.wording import snippet

_QUERIES = Pattern("""
((call function: (attribute attribute: (identifier) @verb)) @match
  (#any-of? @verb "execute" "executemany" "fetchone" "fetchall" "scalar" "scalars" "get_or_create" "update_or_create"))
((call function: (attribute object: (attribute attribute: (identifier) @manager))) @match
  (#any-of? @manager "objects" "_default_manager" "_base_manager"))
((call function: (attribute object: (identifier) @library)) @match
  (#any-of? @library "requests" "httpx"))
((call function: [(identifier) (attribute)] @name) @match
  (#match? @name "(^|[.])urlopen$"))
""")


def io_behind_loop(rule: Rule, view: View) -> Iterator[Observation]:
    """Calls in a loop, of functions that the change adds or edits and that query, where the loop did not call them."""
    querying: dict[str, list[tuple[Touched, tuple[str, int]]]] = defaultdict(list)
    for touched in view.functions:
        if (query := _query(view, touched.after)) is not None:
            querying[touched.change.id.name].append((touched, query))
    for touched in view.functions:
        if touched.after is None or not querying:
            continue
        added = _calls_in_loops(view, touched.after)
        before = _calls_in_loops(view, touched.before) if touched.before is not None else {}
        for name in sorted((added.keys() & querying.keys()) - before.keys()):
            for callee, query in querying[name]:
                if _calls(callee, touched):
                    where = Evidence(kind="query", text=snippet(query[0]), path=callee.change.id.path, line=query[1])
                    says = f"now calls {callee.change.id.qualname} in a loop, which queries: {snippet(query[0])}"
                    yield seen(touched, added[name], says, name, evidence=(where,))
    yield from _called_in_loops(rule, view)


MAX_CALLERS = 20
MAX_READ = 200
"""Callers of a function that now queries whose code is read to see whether they loop, and files that are, in all."""


def _applies(rule: Rule, path: str) -> bool:
    """Whether the rule looks at a file: what runs once, as a migration does, may loop."""
    return not rule.filters.paths or matches(rule.filters.paths, path)


def _called_in_loops(rule: Rule, view: View) -> Iterator[Observation]:
    """Functions that query and did not before, where code that the change does not touch calls them in a loop."""
    looping: dict[str, frozenset[int]] = {}
    for touched in view.functions:
        behaviour = touched.change.behaviour
        if touched.before is None or touched.after is None or behaviour is None or not behaviour.calls.added:
            continue
        query = _query(view, touched.after)
        if query is None or _query(view, touched.before) is not None:
            continue
        for caller in callers_outside(view, touched)[:MAX_CALLERS]:
            path = caller.id.path
            if not _applies(rule, path):
                continue
            if path not in looping and len(looping) < MAX_READ:
                looping[path] = _loop_lines(view, path)
            if caller.line in looping.get(path, ()):
                where = Evidence(kind="caller", text=str(caller.id), path=path, line=caller.line)
                says = f"now queries ({snippet(query[0])}), and {snippet(str(caller.id))} calls it in a loop"
                sure = Confidence.HIGH if caller.certainty is Certainty.CERTAIN else Confidence.LOW
                yield seen(touched, query[1], says, query[0], evidence=(where,), confidence=sure)
                break


def _loop_lines(view: View, path: str) -> frozenset[int]:
    """The lines of a file at the head revision that run once an item of a loop."""
    module = view.at_head(path)
    loops = [match["match"] for match in search_one(LOOPS, module.nodes[0])] if module is not None else []
    return frozenset(line for node in loops for line in range(node.start_point.row + 1, node.end_point.row + 2))


def _query(view: View, side: Code | None) -> tuple[str, int] | None:
    """The first query of a function that runs by itself, with its line."""
    found = view.own(_QUERIES, side) if side is not None else []
    return (code.text(found[0]["match"]), code.line(found[0]["match"])) if found else None


def _calls_in_loops(view: View, side: Code) -> dict[str, int]:
    """Last name of each call that stands in a loop → the line of the first."""
    loops = loop_ranges(view, side)
    lines: dict[str, int] = {}
    for match in view.own(code.CALLS, side) if loops else ():
        node = match["match"]
        if code.is_within(loops, node):
            lines.setdefault(code.callee(node).rpartition(".")[2], code.line(node))
    return lines


def _calls(callee: Touched, caller: Touched) -> bool:
    """Whether the caller is known to call the callee, be it by a receiver of unknown type."""
    callers = callee.blast.callers if callee.blast is not None else ()
    return any(one.id == caller.change.id and one.depth == 1 for one in callers)


# --------------------------------------------------------------------------- loops in loops


_ITERATIONS = Pattern("""
(for_statement right: (_) @over body: (block) @match)
(while_statement body: (block) @match)
(list_comprehension (for_in_clause right: (_) @over)) @match
(set_comprehension (for_in_clause right: (_) @over)) @match
(dictionary_comprehension (for_in_clause right: (_) @over)) @match
(generator_expression (for_in_clause right: (_) @over)) @match
""")


def loop_nested(rule: Rule, view: View) -> Iterator[Observation]:
    """D08: loops now stand deeper in each other than before; one over a literal does not count."""
    for touched in view.functions:
        if touched.before is None or touched.after is None or touched.is_container or touched.change.behaviour is None:
            continue
        was, _ = _depth(view, touched.before)
        now, line = _depth(view, touched.after)
        if now > max(was, 1):
            says = f"now loops {now} deep where it looped {was} deep: its cost grows with the product of the sizes"
            yield seen(touched, line, says, f"depth {now}")


def _depth(view: View, side: Code) -> tuple[int, int | None]:
    """How deep loops stand in each other, and the line of the innermost one."""
    deepest, line = 0, None
    open_ends: list[int] = []
    for match in view.own(_ITERATIONS, side):
        node = match["match"]
        if "over" in match and match["over"].type in ("list", "tuple", "string", "set"):
            continue
        while open_ends and open_ends[-1] <= node.start_byte:
            open_ends.pop()
        open_ends.append(node.end_byte)
        if len(open_ends) > deepest:
            deepest, line = len(open_ends), code.line(node)
    return deepest, line
