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

from gatecli.model import Confidence
from gatecli.rules import code
from gatecli.rules.checks.handlers import handled
from gatecli.rules.checks.lookups import TRY, bare_lookups
from gatecli.rules.code import Code, Range, Touched, View
from gatecli.rules.matching import Pattern
from gatecli.rules.observation import Observation, seen
from gatecli.rules.spec import Rule
from gatecli.rules.wording import snippet

if TYPE_CHECKING:
    from tree_sitter import Node

# What is read through something else, which a mapper of objects fetches then; calls are counted as calls.
_READS = Pattern("(attribute object: (attribute object: (identifier))) @match")
_WRITES = Pattern("""
(assignment left: (attribute) @key) @match
(augmented_assignment left: (_) @key) @match
""")
_WITH = Pattern("(with_statement (with_clause) @clause body: (block) @body) @match")

_TRANSACTION = re.compile(
    r"(?i)(?:(?:^|[._])(?:\w{0,40}atomic|atomic\w{0,40}|begin_nested|savepoint)|(?:^|\.)(?:begin|\w{0,20}(?<!start_)transaction))$"
)
_LOCK = re.compile(r"(?i)(?:^|[._])(?:\w{0,40}_)?(?:lock|rlock|mutex|advisory_lock|critical_section)$")
_DEADLINE = re.compile(r"(?:^|\.)(?:wait_for|timeout|timeout_at|fail_after|move_on_after)$")
_SUPPRESS = re.compile(r"(?:^|\.)suppress$")

# Words in the names of calls that leave the process, where failure is an everyday matter.
_OUTSIDE = re.compile(
    r"gets?|post|put|patch|delete|fetch\w*|send|request\w*|recv|receive|read|write|open|load|dump|download|upload|connect"
    r"|execute\w*|query|filter|first|save|create|update|commit|flush|publish|charge|call|notify|session|cursor|objects"
    r"|client|http|db|redis|storage|bucket|socket|lookup|resolve|run|submit|push|pull|sync|stream|api|remote"
)

# What nobody guards on purpose; a guard around nothing else is not missed.
_HARMLESS = re.compile(
    r"^(?:len|str|int|float|bool|repr|list|dict|set|tuple|print|isinstance|getattr|hasattr|super|range|enumerate|zip"
    r"|sorted|.*(?:Error|Exception|Warning)|(?:.*[._])?(?:config|conf|settings|options|kwargs|params|headers|environ|experimental)\.get|(?:self\.|cls\.)?_?(?:log|logger|logging)\.\w+|warnings\.warn|.*\.(?:append|format|join|items|keys|values))$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """A range of code that something protects, and how the source says so."""

    range: Range
    line: int
    text: str


Guards = Callable[[View, Code], list[Guard]]


def try_removed(rule: Rule, view: View) -> Iterator[Observation]:
    """E02: a try went away and what it held now stands bare; a note unless that goes out of the process by its name.

    The call must be made as before: with other arguments (``allow_none=True``) it may fail in other ways.
    """
    said = set()
    for lost in lost_guards(view, _tries, exact=True):
        if lost.touched.after is not None and _is_tried(view, lost.touched.after, lost.name):
            continue
        said.add((lost.touched.change.id, lost.guard.line))
        is_io = any(_OUTSIDE.fullmatch(word) for word in re.split(r"[^a-zA-Z]+", lost.name.lower()))
        says = f"no longer handles failures of {snippet(lost.name)} (was `{snippet(lost.guard.text)}`)"
        yield observed(lost, says, is_sure=is_io)
    for bare in bare_lookups(view):
        if (bare.touched.change.id, bare.line) not in said:
            says = f"no longer handles that {snippet(bare.name)} may be gone (was `{snippet(bare.text)}`)"
            line = bare.touched.line_after(bare.line)
            yield seen(bare.touched, line, says, bare.text, confidence=Confidence.LOW)


def transaction_removed(rule: Rule, view: View) -> Iterator[Observation]:
    """D02: a transaction or lock went away and what it held together no longer is."""
    for lost in lost_guards(view, _transactions):
        yield observed(lost, f"no longer holds `{snippet(lost.guard.text)}` around {snippet(lost.name)}")
    yield from _row_locks(view)


def deadline_removed(view: View) -> Iterator[Observation]:
    """Part of E05: ``wait_for`` or a timeout block went away and what it bounded may now take for ever."""
    for lost in lost_guards(view, _deadlines):
        was = snippet(lost.guard.text)
        yield observed(lost, f"no longer bounds how long {snippet(lost.name)} may take (was `{was}`)")


@dataclass(frozen=True, slots=True)
class _Lost:
    """A guard that went away, and the first thing that it protected; ``moved`` if another function got its like."""

    touched: Touched
    guard: Guard
    name: str
    moved: bool


def observed(lost: _Lost, says: str, *, is_sure: bool = True) -> Observation:
    """An observation where a lost guard stood; a guess if it may have moved."""
    confidence = Confidence.HIGH if is_sure and not lost.moved else Confidence.LOW
    line = lost.touched.line_after(lost.guard.line)
    return seen(lost.touched, line, says, lost.guard.text, confidence=confidence)


def lost_guards(view: View, guards: Guards, *, exact: bool = False) -> Iterator[_Lost]:
    """The guards that a surviving function has fewer of, if something that one protected now stands bare.

    With ``exact`` two calls are the same only if their arguments are.
    """
    called, gained = _called_under(view, guards), _gained(view, guards)
    for touched in view.functions:
        if touched.before is None or touched.after is None or touched.is_container:
            continue
        old, new = guards(view, touched.before), guards(view, touched.after)
        if len(new) >= len(old) or touched.change.id.name in called:
            continue  # as many as before, or the guard went up to a caller
        left = Counter(guard.text for guard in old) - Counter(guard.text for guard in new)
        bare = _bare(_Held.of(view, touched.before, old, exact), _Held.of(view, touched.after, new, exact))
        for guard in old:
            position = bisect_left(bare, (guard.range[0], ""))
            if left[guard.text] > 0 and position < len(bare) and bare[position][0] < guard.range[1]:
                left[guard.text] -= 1
                moved = (touched.change.id.path, guard.text) in gained
                yield _Lost(touched, guard, _telling(bare[position : position + 20], guard.range[1]), moved)


def _bare(was: "_Held", now: "_Held") -> list[tuple[int, str]]:
    """Where (start byte before) and what stood under a guard and now does not, in document order."""
    lost = {key for key in now.outside if now.outside[key] > was.outside[key] and was.inside[key] > now.inside[key]}
    return [
        (item.node.start_byte, item.name) for item in was.items if item.key in lost and not _HARMLESS.match(item.name)
    ]


def _telling(bare: list[tuple[int, str]], end: int) -> str:
    """The name that says most of what a guard held: a method or function before a class."""
    names = [name for start, name in bare if start < end]
    return next((name for name in names if not name.rpartition(".")[2][:1].isupper()), names[0])


def _gained(view: View, guards: Guards) -> set[tuple[str, str]]:
    """Path and text of the guards that a function has more of than before."""
    gained: set[tuple[str, str]] = set()
    for touched in view.functions:
        if touched.after is None:
            continue
        new = Counter(guard.text for guard in guards(view, touched.after))
        if touched.before is not None:
            new -= Counter(guard.text for guard in guards(view, touched.before))
        gained |= {(touched.change.id.path, text) for text in new}
    return gained


@dataclass(frozen=True, slots=True)
class _Item:
    """A call or a write of shared state: what it is compared by, and how a message names it."""

    key: str
    name: str
    node: "Node"


@dataclass(frozen=True, slots=True)
class _Held:
    """What a function calls and writes in document order; how often each stands under a guard, and how often bare."""

    items: list[_Item]
    inside: Counter[str]
    outside: Counter[str]

    @classmethod
    def of(cls, view: View, side: Code, guards: list[Guard], exact: bool = False) -> "_Held":
        """What one side of a function holds."""
        items = []
        for match in view.own(code.CALLS, side):
            name = code.callee(match["match"])
            items.append(_Item(code.normal(match["match"]) if exact else name, name, match["match"]))
        if exact:
            reads = [match["match"] for match in view.own(_READS, side)]
            items.extend(
                _Item(text, text, node) for node in reads if not _is_called(node) and (text := code.text(node))
            )
        written = ((code.text(match["key"]), match["match"]) for match in view.own(_WRITES, side))
        items.extend(_Item(key, key, node) for key, node in written)
        items.sort(key=lambda item: item.node.start_byte)
        ranges = code.merged(guard.range for guard in guards)
        under = [code.is_within(ranges, item.node) for item in items]
        inside = Counter(item.key for item, is_under in zip(items, under, strict=True) if is_under)
        return cls(items, inside, Counter(item.key for item in items) - inside)


def _is_called(node: "Node") -> bool:
    """Whether a name is that of a call, or goes on to another name."""
    return node.parent is not None and node.parent.type in ("call", "attribute", "decorator")


def _called_under(view: View, guards: Guards) -> frozenset[str]:
    """The last names of what the touched functions now call under a guard and did not before."""
    names: set[str] = set()
    for touched in view.functions:
        if touched.after is None or not (held := guards(view, touched.after)):
            continue
        after = _Held.of(view, touched.after, held).inside
        if touched.before is not None:
            after = after - _Held.of(view, touched.before, guards(view, touched.before)).inside
        names |= {name.rpartition(".")[2] for name in after}
    return frozenset(names)


# --------------------------------------------------------------------------- what protects


def _tries(view: View, side: Code) -> list[Guard]:
    found = []
    for match in view.own(TRY, side):
        clauses = [child for child in match["match"].children if child.type.startswith("except")]
        types = [name for clause in clauses for name in handled(clause)]
        if clauses and not (types and all("Import" in name or "ModuleNotFound" in name for name in types)):
            found.append(guard(match["body"], clauses[0], f"except {', '.join(types)}".strip()))
    return found + with_guards(view, side, _SUPPRESS)


def _is_tried(view: View, side: Code, name: str) -> bool:
    """Whether each call of a name stands in a try, be it one that only asks whether a module is there."""
    ranges = code.merged(
        code.byte_range(match["body"])
        for match in view.own(TRY, side)
        if any(child.type.startswith("except") for child in match["match"].children)
    )
    calls = view.calls(side).get(name, [])
    return bool(calls) and all(code.is_within(ranges, call) for call in calls)


def _transactions(view: View, side: Code) -> list[Guard]:
    return [
        *decorator_guards(view, side, _TRANSACTION),
        *with_guards(view, side, _TRANSACTION),
        *with_guards(view, side, _LOCK),
    ]


def _deadlines(view: View, side: Code) -> list[Guard]:
    found = with_guards(view, side, _DEADLINE)
    for match in view.own(code.CALLS, side):
        call = match["match"]
        arguments = call.child_by_field_name("arguments")
        if arguments is not None and code.callee(call).rpartition(".")[2] == "wait_for":
            found.append(guard(arguments, call, code.callee(call)))
    return found


def guard(held: "Node", at: "Node", text: str) -> Guard:
    """A guard over what a node holds, at the line of another."""
    return Guard(range=code.byte_range(held), line=code.line(at), text=text)


def decorator_guards(view: View, side: Code, name: re.Pattern[str]) -> list[Guard]:
    """Decorators of the function itself: they protect all of it."""
    node = side.node
    if node.type != "decorated_definition":
        return []
    return [
        Guard(range=code.byte_range(node), line=code.line(child), text=code.text(child))
        for child in node.children
        if child.type == "decorator" and child.named_children and name.search(code.callee(child.named_children[0]))
    ]


def with_guards(view: View, side: Code, name: re.Pattern[str]) -> list[Guard]:
    """The ``with`` blocks whose context manager has such a name."""
    found = []
    for match in view.own(_WITH, side):
        for item in match["clause"].named_children:
            value = item.child_by_field_name("value") if item.type == "with_item" else None
            if value is not None and value.type == "as_pattern" and value.named_children:
                value = value.named_children[0]
            if value is not None and name.search(code.callee(value)):
                found.append(guard(match["body"], match["match"], f"with {code.text(value)}"))
    return found


def _row_locks(view: View) -> Iterator[Observation]:
    """``select_for_update`` taken out of a query that is still there."""
    for touched in view.functions:
        if touched.before is None or touched.after is None:
            continue
        old, new = _locked(view, touched.before), _locked(view, touched.after)
        if len(new) >= len(old) or _lock_helpers(view, touched.after) > _lock_helpers(view, touched.before):
            continue
        queries = {code.callee(match["match"]) for match in view.own(code.CALLS, touched.after)}
        for root, node in old:
            if root not in {known for known, _ in new} and any(name.startswith(root + ".") for name in queries):
                says = (
                    f"no longer locks the rows it reads from {snippet(root)} ({code.callee(node).rpartition('.')[2]})"
                )
                yield seen(touched, touched.line_after(code.line(node)), says, code.callee(node))
                break


_ROW_LOCKS = ("select_for_update", "with_for_update")


def _locked(view: View, side: Code) -> list[tuple[str, "Node"]]:
    found = []
    for match in view.own(code.CALLS, side):
        root, dot, last = code.callee(match["match"]).rpartition(".")
        if last in _ROW_LOCKS and dot:
            before_call, is_chain, _ = root.partition("(")
            manager = before_call.rpartition(".")[0] if is_chain else ""
            found.append((manager or before_call, match["match"]))
    return found


def _lock_helpers(view: View, side: Code) -> int:
    """How many calls go to a helper that locks by its name: ``lines_select_for_update()``."""
    names = (code.callee(match["match"]).rpartition(".")[2] for match in view.own(code.CALLS, side))
    return sum("select_for_update" in name and name != "select_for_update" for name in names)
