"""Calls that lost what protected them: a try, a retry, a transaction, a lock, a deadline.

A guard counts as lost only where the function survives with fewer guards than before and something that stood inside
one now stands bare. So a deleted call, a moved block and a narrowed ``try`` are no news.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gatecli.rules import code
from gatecli.rules.checks.handlers import handled
from gatecli.rules.checks.numbers import replaced
from gatecli.rules.code import Code, Range, Touched, View
from gatecli.rules.observation import Observation, seen
from gatecli.rules.spec import Rule
from gatecli.rules.wording import amount, snippet

if TYPE_CHECKING:
    from tree_sitter import Node

_CALLS = "(call) @match"
_WRITES = """
(assignment left: (attribute) @key) @match
(augmented_assignment left: (_) @key) @match
"""
_TRY = "(try_statement body: (block) @body) @match"
_WITH = "(with_statement (with_clause) @clause body: (block) @body) @match"
_LOOP = "[(for_statement body: (block) @body) (while_statement body: (block) @body)] @match"
_DECORATOR = "(decorator (_) @key) @match"

_RETRY_NAME = re.compile(r"(?i)(?:^|[._])(?:retry|retries|retrying|asyncretrying|retryable|on_exception)(?:$|[._(])")
_RETRY_LOOP = re.compile(r"(?i)retr(?:y|ies)|attempt|tries")
_ATTEMPTS = re.compile(r"(?i)(?:^|_)(?:retries|attempts|tries|retry_count|retry_limit)$")
_TRANSACTION = re.compile(r"(?i)(?:^|[._])(?:\w{0,40}atomic|atomic\w{0,40}|begin|begin_nested|savepoint|transaction)$")
_LOCK = re.compile(r"(?i)(?:^|[._])(?:\w{0,40}_)?(?:lock|rlock|mutex|semaphore|advisory_lock|critical_section)$")
_DEADLINE = re.compile(r"(?:^|\.)(?:wait_for|timeout|timeout_at|fail_after|move_on_after)$")
_SUPPRESS = re.compile(r"(?:^|\.)suppress$")

# What nobody guards on purpose; a guard around nothing else is not missed.
_HARMLESS = re.compile(
    r"^(?:len|str|int|float|bool|repr|list|dict|set|tuple|print|isinstance|getattr|hasattr|super|range|enumerate|zip"
    r"|sorted|(?:self\.|cls\.)?_?(?:log|logger|logging)\.\w+|warnings\.warn|.*\.(?:append|format|join|items|keys|values))$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """A range of code that something protects, and how the source says so."""

    range: Range
    line: int
    text: str


Guards = Callable[[View, Code], list[Guard]]


def try_removed(rule: Rule, view: View) -> Iterator[Observation]:
    """E02: a try went away and what it held now stands bare."""
    for touched, guard, name in _lost(view, _tries):
        yield _seen(touched, guard, f"no longer handles failures of {snippet(name)} (was `{snippet(guard.text)}`)")


def retry_removed(rule: Rule, view: View) -> Iterator[Observation]:
    """E03: a retry went away and what it repeated is now done once."""
    for touched, guard, name in _lost(view, _retries):
        yield _seen(touched, guard, f"no longer retries {snippet(name)} (was `{snippet(guard.text)}`)")
    for touched in view.functions:
        if touched.before is None or touched.after is None:
            continue
        for what, old, new in replaced(view, touched.before, touched.after, _is_attempts):
            was, now = code.number(old), code.number(new)
            if was is not None and now is not None and 0 <= now < was and (now <= 1 or 2 * now <= was):
                says = f"lowers {what} from {amount(was)} to {amount(now)}"
                yield seen(touched, code.line(new), says, what)


def _is_attempts(name: str) -> bool:
    return bool(_ATTEMPTS.search(name))


def transaction_removed(rule: Rule, view: View) -> Iterator[Observation]:
    """D02: a transaction or lock went away and what it held together no longer is."""
    for touched, guard, name in _lost(view, _transactions):
        yield _seen(touched, guard, f"no longer holds `{snippet(guard.text)}` around {snippet(name)}")
    yield from _row_locks(view)


def deadline_removed(view: View) -> Iterator[Observation]:
    """Part of E05: ``wait_for`` or a timeout block went away and what it bounded may now take for ever."""
    for touched, guard, name in _lost(view, _deadlines):
        yield _seen(touched, guard, f"no longer bounds how long {snippet(name)} may take (was `{snippet(guard.text)}`)")


def _seen(touched: Touched, guard: Guard, says: str) -> Observation:
    return seen(touched, touched.line_after(guard.line), says, guard.text)


def _lost(view: View, guards: Guards) -> Iterator[tuple[Touched, Guard, str]]:
    """Each lost guard with the first thing that it protected."""
    guarded_now = _called_under(view, guards)
    for touched in view.functions:
        if touched.before is None or touched.after is None or touched.is_container:
            continue
        old = guards(view, touched.before)
        if not old or len(guards(view, touched.after)) >= len(old):
            continue
        if touched.change.id.name in guarded_now:
            continue  # the guard went up to a caller
        before, after = _names(view, touched.before, old), _names(view, touched.after, guards(view, touched.after))
        bare = {name for name in after.outside if after.outside[name] > before.outside[name]}
        lost = [
            (node.start_byte, name)
            for name, node in _items(view, touched.before)
            if name in bare and before.inside[name] > after.inside[name] and not _HARMLESS.match(name)
        ]
        for guard in old:
            position = bisect_left(lost, (guard.range[0], ""))
            if position < len(lost) and lost[position][0] < guard.range[1]:
                yield touched, guard, lost[position][1]


@dataclass(frozen=True, slots=True)
class _Names:
    inside: Counter[str]
    outside: Counter[str]


def _names(view: View, side: Code, guards: list[Guard]) -> _Names:
    """How often each call or write stands under a guard, and how often bare."""
    ranges = code.merged(guard.range for guard in guards)
    names = _Names(Counter(), Counter())
    for name, node in _items(view, side):
        (names.inside if code.is_within(ranges, node) else names.outside)[name] += 1
    return names


def _items(view: View, side: Code) -> list[tuple[str, "Node"]]:
    """Calls and writes of shared state by name, in document order."""
    found = [(code.callee(match["match"]), match["match"]) for match in view.own(_CALLS, side)]
    found += [(code.text(match["key"]), match["match"]) for match in view.own(_WRITES, side)]
    return sorted(found, key=lambda item: item[1].start_byte)


def _called_under(view: View, guards: Guards) -> frozenset[str]:
    """The last names of what the touched functions now call under a guard and did not before."""
    names: set[str] = set()
    for touched in view.functions:
        if touched.after is None or not (held := guards(view, touched.after)):
            continue
        after = _names(view, touched.after, held).inside
        if touched.before is not None:
            after -= _names(view, touched.before, guards(view, touched.before)).inside
        names |= {name.rpartition(".")[2] for name in after}
    return frozenset(names)


# --------------------------------------------------------------------------- what protects


def _tries(view: View, side: Code) -> list[Guard]:
    found = []
    for match in view.own(_TRY, side):
        clauses = [child for child in match["match"].children if child.type.startswith("except")]
        types = [name for clause in clauses for name in handled(clause)]
        if clauses and not (types and all("Import" in name or "ModuleNotFound" in name for name in types)):
            found.append(_guard(match["body"], clauses[0], f"except {', '.join(types)}".strip()))
    return found + _with_guards(view, side, _SUPPRESS)


def _retries(view: View, side: Code) -> list[Guard]:
    found = _decorators(view, side, _RETRY_NAME)
    tries = [match["match"].start_byte for match in view.own(_TRY, side)]
    for match in view.own(_LOOP, side):
        loop, body = match["match"], match["body"]
        header = code.text(loop)[: body.start_byte - loop.start_byte].strip()
        first_try = bisect_left(tries, body.start_byte)
        holds_try = first_try < len(tries) and tries[first_try] < body.end_byte
        if holds_try and _RETRY_LOOP.search(header[:400]):
            found.append(_guard(body, loop, header))
    return found


def _transactions(view: View, side: Code) -> list[Guard]:
    return [
        *_decorators(view, side, _TRANSACTION),
        *_with_guards(view, side, _TRANSACTION),
        *_with_guards(view, side, _LOCK),
    ]


def _deadlines(view: View, side: Code) -> list[Guard]:
    found = _with_guards(view, side, _DEADLINE)
    for match in view.own(_CALLS, side):
        call = match["match"]
        arguments = call.child_by_field_name("arguments")
        if arguments is not None and code.callee(call).rpartition(".")[2] == "wait_for":
            found.append(_guard(arguments, call, code.callee(call)))
    return found


def _guard(held: "Node", at: "Node", text: str) -> Guard:
    return Guard(range=code.byte_range(held), line=code.line(at), text=text)


def _decorators(view: View, side: Code, name: re.Pattern[str]) -> list[Guard]:
    """Decorators of the function itself: they protect all of it."""
    node = side.node
    if node.type != "decorated_definition":
        return []
    return [
        Guard(range=code.byte_range(node), line=code.line(child), text=code.text(child))
        for child in node.children
        if child.type == "decorator" and child.named_children and name.search(code.callee(child.named_children[0]))
    ]


def _with_guards(view: View, side: Code, name: re.Pattern[str]) -> list[Guard]:
    found = []
    for match in view.own(_WITH, side):
        for item in match["clause"].named_children:
            value = item.child_by_field_name("value") if item.type == "with_item" else None
            if value is not None and value.type == "as_pattern" and value.named_children:
                value = value.named_children[0]
            if value is not None and name.search(code.callee(value)):
                found.append(_guard(match["body"], match["match"], f"with {code.text(value)}"))
    return found


def _row_locks(view: View) -> Iterator[Observation]:
    """``select_for_update`` taken out of a query that is still there."""
    for touched in view.functions:
        if touched.before is None or touched.after is None:
            continue
        old, new = _locked(view, touched.before), _locked(view, touched.after)
        if len(new) >= len(old) or _lock_helpers(view, touched.after) > _lock_helpers(view, touched.before):
            continue
        queries = {code.callee(match["match"]) for match in view.own(_CALLS, touched.after)}
        for root, node in old:
            if root not in {known for known, _ in new} and any(name.startswith(root + ".") for name in queries):
                says = f"no longer locks the rows it reads from {snippet(root)} (select_for_update)"
                yield seen(touched, touched.line_after(code.line(node)), says, code.callee(node))
                break


def _locked(view: View, side: Code) -> list[tuple[str, "Node"]]:
    found = []
    for match in view.own(_CALLS, side):
        root, dot, last = code.callee(match["match"]).rpartition(".")
        if last == "select_for_update" and dot:
            before_call, is_chain, _ = root.partition("(")
            manager = before_call.rpartition(".")[0] if is_chain else ""
            found.append((manager or before_call, match["match"]))
    return found


def _lock_helpers(view: View, side: Code) -> int:
    """How many calls go to a helper that locks by its name: ``lines_select_for_update()``."""
    names = (code.callee(match["match"]).rpartition(".")[2] for match in view.own(_CALLS, side))
    return sum("select_for_update" in name and name != "select_for_update" for name in names)
