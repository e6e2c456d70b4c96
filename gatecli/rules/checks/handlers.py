"""E01, E07: exception handlers that catch more than before, swallow what they catch, or no longer tell anyone."""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gatecli.rules import code
from gatecli.rules.code import Code, Touched, View
from gatecli.rules.matching import Pattern
from gatecli.rules.observation import Observation, seen
from gatecli.rules.spec import Rule
from gatecli.rules.wording import listed, snippet

if TYPE_CHECKING:
    from tree_sitter import Node

_CLAUSES = Pattern("(except_clause) @match")
_SUPPRESSED = Pattern("""
((with_item value: (call function: [(identifier) (attribute)] @how arguments: (argument_list) @key)) @match
  (#match? @how "(^|[.])suppress$") (#match? @key "\\\\b(Base)?Exception\\\\b"))
""")
_RAISES = Pattern("(raise_statement) @match")
_BROAD = frozenset({"Exception", "BaseException", "builtins.Exception"})
_CONSTANTS = frozenset({"none", "false", "true", "integer", "float", "string", "list", "dictionary", "tuple"})


@dataclass(frozen=True, slots=True)
class _Handler:
    """An ``except``: ``swallows`` if it only goes on, ``defaults`` if at most it sets a constant before."""

    types: tuple[str, ...]
    swallows: bool
    defaults: bool
    raises: bool
    text: str
    node: "Node"

    @property
    def is_broad(self) -> bool:
        return not self.types or not _BROAD.isdisjoint(self.types)

    @property
    def shown(self) -> str:
        return listed(self.types) if self.types else "everything"


@dataclass(frozen=True, slots=True)
class _Before:
    """What a function handled before and no longer does."""

    narrower: _Handler | None
    has_broad: bool
    by_types: Mapping[tuple[str, ...], _Handler]

    @classmethod
    def of(cls, handlers: list[_Handler]) -> "_Before":
        return cls(
            narrower=next((handler for handler in handlers if not handler.is_broad), None),
            has_broad=any(handler.is_broad for handler in handlers),
            by_types={handler.types: handler for handler in reversed(handlers)},
        )


def handled(clause: "Node") -> tuple[str, ...]:
    """The exception types an ``except`` names, none for a bare one."""
    named = [child for child in clause.named_children if child.type not in ("block", "comment")]
    if not named:
        return ()
    value = named[0]
    if value.type == "as_pattern" and value.named_children:
        value = value.named_children[0]
    if value.type == "parenthesized_expression" and value.named_children:
        value = value.named_children[0]
    items = value.named_children if value.type in ("tuple", "list") else [value]
    return tuple(code.callee(item) for item in items if item.type != "comment")


def broadened(rule: Rule, view: View) -> Iterator[Observation]:
    """Handlers that one side has and the other has not, judged against what the function had before."""
    gone = [_only(view, touched.before, touched.after) for touched in view.functions]
    moved = Counter(handler.text for handlers in gone for handler in handlers)
    for touched, handlers in zip(view.functions, gone, strict=True):
        before = _Before.of(handlers)
        for handler in _only(view, touched.after, touched.before):
            if moved[handler.text] > 0:
                moved[handler.text] -= 1
            elif says := _judged(handler, before):
                yield seen(touched, code.line(handler.node), says, handler.text)
        yield from _suppressed(view, touched)


def _suppressed(view: View, touched: Touched) -> Iterator[Observation]:
    """``with suppress(Exception)``, where the function had neither that nor a handler that catches as much."""
    if touched.after is None:
        return
    old = view.own(_SUPPRESSED, touched.before) if touched.before is not None else []
    if old or any(handler.is_broad for handler in _handlers(view, touched.before)):
        return
    for match in view.own(_SUPPRESSED, touched.after)[:1]:
        what = code.text(match["match"])
        yield seen(touched, code.line(match["match"]), f"now swallows what goes wrong: {snippet(what)}", what)


_TELLS = re.compile(
    r"\b(?:log|logger|logging|_logger|LOG|_log)\.\w{1,20}\(|capture_exception|record_exception|capture_message"
    r"|\b(?:metrics?|statsd|stats|counter|span)\b[\w.]{0,60}\.(?:incr?|increment|add|labels|record\w{0,20}|set_status)\("
)
_MAX_CLAUSE = 20_000


def told_less(rule: Rule, view: View) -> Iterator[Observation]:
    """E07: handlers of the same exceptions that logged, counted or reported, and now only go on."""
    for touched in view.functions:
        if touched.before is None or touched.after is None:
            continue
        silent = _silent(view, touched.before)
        for types, clause in _clauses(view, touched.before):
            told = _TELLS.search(code.text(clause)[:_MAX_CLAUSE])
            if not told or types in silent:
                continue
            now = [after for kept, after in _clauses(view, touched.after) if kept == types]
            if now and not any(_speaks(after) for after in now):
                what = listed(types) if types else "everything"
                says = f"no longer tells anyone of {what} (was `{told[0]}…)`)"
                yield seen(touched, code.line(now[0]), says, code.normal(now[0]))


def _speaks(clause: "Node") -> bool:
    """Whether a handler tells someone, be it by raising or by a helper that handles errors."""
    text = code.text(clause)[:_MAX_CLAUSE]
    return bool(
        _TELLS.search(text) or re.search(r"\braise\b|\b\w{0,40}(?:error|exc|fail|log|report|warn)\w{0,40}\(", text)
    )


def _silent(view: View, side: Code) -> set[tuple[str, ...]]:
    """What some handler of a function handled without telling anyone."""
    return {types for types, clause in _clauses(view, side) if not _speaks(clause)}


def _clauses(view: View, side: Code) -> "list[tuple[tuple[str, ...], Node]]":
    return [(handled(match["match"]), match["match"]) for match in view.own(_CLAUSES, side)]


def _judged(handler: _Handler, before: _Before) -> str:
    """What is worse than before, in words; empty if nothing is."""
    if handler.is_broad and handler.swallows and not _cleans_up(handler.node):
        was = f" where it handled {before.narrower.shown}" if before.narrower else ""
        return f"now swallows {handler.shown} without a trace{was}"
    if handler.is_broad and not handler.raises and before.narrower and not before.has_broad:
        return f"now catches {handler.shown} where it caught {before.narrower.shown}"
    same = before.by_types.get(handler.types)
    if handler.swallows and same is not None and not same.defaults:
        return f"now swallows {handler.shown} that it {'raised on' if same.raises else 'handled'} before"
    return ""


# What is tried once more on the way out: that it fails changes nothing for anyone.
_CLEANS = frozenset(
    {"remove", "unlink", "rmtree", "rmdir", "close", "aclose", "cancel", "kill", "terminate", "disconnect"}
)


def _cleans_up(clause: "Node") -> bool:
    """Whether all that was tried is to clean up."""
    body = clause.parent.child_by_field_name("body") if clause.parent is not None else None
    statements = [child for child in body.named_children if child.type != "comment"] if body is not None else []
    calls = [_awaited(child.named_children[0]) for child in statements if child.type == "expression_statement"]
    return bool(statements) and len(calls) == len(statements) and all(_cleans(call) for call in calls)


def _awaited(node: "Node") -> "Node":
    return node.named_children[0] if node.type == "await" and node.named_children else node


def _cleans(node: "Node") -> bool:
    return node.type == "call" and code.callee(node).rpartition(".")[2] in _CLEANS


def _only(view: View, side: Code | None, other: Code | None) -> list[_Handler]:
    """The handlers of a side that the other has no equal of."""
    there = Counter((handler.types, handler.swallows) for handler in _handlers(view, other))
    result = []
    for handler in _handlers(view, side):
        key = (handler.types, handler.swallows)
        if there[key] > 0:
            there[key] -= 1
        else:
            result.append(handler)
    return result


def _handlers(view: View, side: Code | None) -> list[_Handler]:
    if side is None:
        return []
    raises = [match["match"].start_byte for match in view.own(_RAISES, side)]
    result = []
    for match in view.own(_CLAUSES, side):
        clause = match["match"]
        first_raise = bisect_left(raises, clause.start_byte)
        result.append(
            _Handler(
                types=handled(clause),
                swallows=_swallows(clause),
                defaults=_swallows(clause, or_defaults=True),
                raises=first_raise < len(raises) and raises[first_raise] < clause.end_byte,
                text=code.normal(clause),
                node=clause,
            )
        )
    return result


def _swallows(clause: "Node", *, or_defaults: bool = False) -> bool:
    """Whether the body does nothing but go on: pass, continue, break, or the return of a constant."""
    body = next((child for child in clause.named_children if child.type == "block"), None)
    if body is None:
        return False
    statements = [child for child in body.named_children if child.type != "comment"]
    return all(_goes_on(one) or (or_defaults and _sets_constant(one)) for one in statements)


def _sets_constant(statement: "Node") -> bool:
    inner = statement.named_children[0] if statement.type == "expression_statement" else None
    value = inner.child_by_field_name("right") if inner is not None and inner.type == "assignment" else None
    return value is not None and value.type in _CONSTANTS and value.named_child_count <= 2


def _goes_on(statement: "Node") -> bool:
    if statement.type in ("pass_statement", "continue_statement", "break_statement"):
        return True
    if statement.type == "expression_statement":
        return all(child.type in ("ellipsis", "string") for child in statement.named_children)
    if statement.type != "return_statement":
        return False
    return all(child.type in _CONSTANTS and child.named_child_count <= 2 for child in statement.named_children)
