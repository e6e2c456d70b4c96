"""E08, E12: what a function raises: no longer, so that callers get a default; or newly, so that it reaches a user."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gatecli.model import Caller, Confidence, FunctionId
from gatecli.rules import code
from gatecli.rules.checks.handlers import handled
from gatecli.rules.code import Code, Touched, View
from gatecli.rules.matching import Pattern, search_one
from gatecli.rules.observation import Observation, seen
from gatecli.rules.spec import Rule
from gatecli.rules.wording import listed, snippet

if TYPE_CHECKING:
    from tree_sitter import Node

_BRANCHES = Pattern("""
(if_statement condition: (_) @key consequence: (block) @body) @match
(elif_clause condition: (_) @key consequence: (block) @body) @match
""")
_RAISES = Pattern("(raise_statement (_) @key) @match")
_TRIES = Pattern("(try_statement body: (block) @body) @match")
_DEFAULTS = frozenset({"none", "false", "true", "integer", "string", "list", "dictionary", "tuple"})
_BROAD = frozenset({"Exception", "BaseException"})

# What a framework answers with on purpose: a status, not a failure.
_ANSWERS = (
    *("Http", "HTTP", "Validation", "Permission", "NotFound", "Unauthorized", "Forbidden", "Redirect", "APIError"),
    *("SynapseError", "AuthError", "GraphQLError", "BadRequest", "Abort", "Suspicious", "Exit", "UsageError"),
    *("NotImplementedError", "StopIteration", "StopAsyncIteration", "AssertionError", "AttributeError", "Retry"),
)
MAX_CALLERS = 40
"""Callers whose code is read to see whether they catch."""


def raise_replaced(rule: Rule, view: View) -> Iterator[Observation]:
    """E08: a branch of the same condition that raised, and now returns a constant or goes on."""
    for touched in view.functions:
        behaviour = touched.change.behaviour
        if touched.before is None or touched.after is None or behaviour is None or not behaviour.raises.removed:
            continue
        now = {condition: body for condition, body, _ in _branches(view, touched.after)}
        for condition, body, shown in _branches(view, touched.before):
            raised, after = _last(body), now.get(condition)
            if after is None or raised is None or raised.type != "raise_statement":
                continue
            instead = _default(_last(after))
            if instead:
                what = snippet(code.text(raised).removeprefix("raise").strip() or "again")
                says = f"now {instead} if `{shown}`, where it raised {what}"
                yield seen(touched, code.line(after), says, condition)


def _branches(view: View, side: Code) -> "Iterator[tuple[str, Node, str]]":
    for match in view.own(_BRANCHES, side):
        yield code.normal(match["key"]), match["body"], snippet(code.text(match["key"]))


def _last(block: "Node") -> "Node | None":
    statements = [child for child in block.named_children if child.type != "comment"]
    return statements[-1] if statements else None


def _default(statement: "Node | None") -> str:
    """What a branch does instead of raising, empty if it is more than a default."""
    if statement is None or statement.type == "pass_statement":
        return "goes on"
    if statement.type != "return_statement":
        return ""
    value = statement.named_children[0] if statement.named_children else None
    if value is None or value.type == "none":
        return "returns None"
    is_constant = value.type in _DEFAULTS and value.named_child_count <= 2
    return f"returns {snippet(code.text(value))}" if is_constant else ""


# --------------------------------------------------------------------------- what reaches a user


def exception_escapes(rule: Rule, view: View) -> Iterator[Observation]:
    """E12: a new exception in a function that an entry point reaches, which nobody on the way is seen to catch."""
    for touched in view.functions:
        if touched.before is None or touched.after is None or touched.blast is None or touched.is_container:
            continue
        behaviour = touched.change.behaviour
        if not touched.blast.entry_points or behaviour is None or not behaviour.raises.added:
            continue
        known = {_raised(match["key"]) for match in view.own(_RAISES, touched.before)}
        tries = [_guarded(match["match"], match["body"]) for match in view.own(_TRIES, touched.after)]
        for match in view.own(_RAISES, touched.after):
            name = _raised(match["key"])
            if not name or name in known or any(part in name for part in _ANSWERS) or not name[:1].isupper():
                continue
            if any(start <= match["match"].start_byte < end and _catches(types, name) for start, end, types in tries):
                continue
            known.add(name)
            caught = _caught_on_the_way(view, touched, name)
            if caught is not True:
                where = listed(touched.blast.entry_points)
                says = f"can now raise {snippet(name)}, which nothing on the way to {where} is seen to catch"
                confidence = Confidence.HIGH if caught is False else Confidence.LOW
                yield seen(touched, code.line(match["match"]), says, name, confidence=confidence)


def _raised(node: "Node") -> str:
    return code.callee(node).rpartition(".")[2] if node.type in ("call", "identifier", "attribute") else ""


_Guarded = tuple[int, int, tuple[str, ...]]


def _guarded(statement: "Node", body: "Node") -> _Guarded:
    """The bytes of a try and the names it catches; ``Exception`` for a bare handler."""
    clauses = [child for child in statement.named_children if child.type == "except_clause"]
    names = [name.rpartition(".")[2] for clause in clauses for name in (handled(clause) or ("Exception",))]
    return body.start_byte, body.end_byte, tuple(names)


def _catches(types: tuple[str, ...], name: str) -> bool:
    return name in types or not _BROAD.isdisjoint(types)


def _caught_on_the_way(view: View, touched: Touched, name: str) -> bool | None:
    """Whether every way up catches it (True), one was read and does not (False), or none could be read (None)."""
    callers = touched.blast.callers[:MAX_CALLERS] if touched.blast is not None else ()
    if not callers:
        return False
    catching: set[FunctionId] = set()
    unread: set[FunctionId] = set()
    for caller in callers:
        found = _caller_catches(view, caller, name)
        if found:
            catching.add(caller.id)
        elif found is None:
            unread.add(caller.id)
    by_id = {caller.id: caller for caller in callers}
    passed_on = {caller.via for caller in callers if caller.via is not None}
    tops = [caller for caller in callers if caller.id not in passed_on]
    ways = [_way_down(by_id, top) for top in tops]
    open_ways = [way for way in ways if catching.isdisjoint(way)]
    if not open_ways:
        return True
    return False if any(unread.isdisjoint(way) for way in open_ways) else None


def _way_down(callers: dict[FunctionId, Caller], top: Caller) -> list[FunctionId]:
    way: list[FunctionId] = []
    caller: Caller | None = top
    while caller is not None and caller.id not in way:
        way.append(caller.id)
        caller = callers.get(caller.via) if caller.via is not None else None
    return way


def _caller_catches(view: View, caller: Caller, name: str) -> bool | None:
    """Whether the call of a caller stands in a try that catches; None where its code or the line is not known."""
    module = view.at_head(caller.id.path)
    if module is None or caller.line is None:
        return None
    return any(
        match["body"].start_point.row < caller.line <= match["body"].end_point.row + 1
        and _catches(_guarded(match["match"], match["body"])[2], name)
        for match in search_one(_TRIES, module.nodes[0])
    )
