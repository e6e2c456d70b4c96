"""E03, E04: retries that went away, and retries without an end, which hurt a neighbour most when it is down."""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gatecli.rules import code
from gatecli.rules.checks.guards import Guard, decorator_guards, guard, lost_guards, observed
from gatecli.rules.checks.lookups import TRY
from gatecli.rules.checks.numbers import calls, figure, left_out, replaced
from gatecli.rules.code import Code, Touched, View
from gatecli.rules.matching import Pattern
from gatecli.rules.observation import Observation, seen
from gatecli.rules.spec import Rule
from gatecli.rules.wording import amount, listed, snippet

if TYPE_CHECKING:
    from tree_sitter import Node

_LOOP = Pattern("[(for_statement body: (block) @body) (while_statement body: (block) @body)] @match")
_ASKS_AGAIN = re.compile(r"(?:^|\.)(?:self|task|cls|current_task|celery_task)\.(?:retry|reschedule)$")
_ASSIGNED = Pattern("(assignment left: (identifier) @key right: (_)) @match")
_RETRY_NAME = re.compile(r"(?i)(?:^|[._])(?:retry|retries|retrying|asyncretrying|retryable|on_exception)(?:$|[._(])")
_RETRY_LOOP = re.compile(r"(?i)retr(?:y|ies)|attempt|tries")
_ATTEMPTS = re.compile(r"(?i)(?:^|_)(?:retries|attempts|tries|retry_count|retry_limit|retry_budget)$")
_RETRY_SETTING = re.compile(r"(?i)max_retries|max_attempts|retries|autoretry_for|retry_kwargs|num_retries")
_LISTS = frozenset({"tuple", "list", "set"})
_RETRIED = re.compile(
    r"(?i)(?:\w{0,40}_)?(?:method_whitelist|allowed_methods|status_forcelist|autoretry_for|retry_on|retryable\w{0,20})"
)


def retry_removed(rule: Rule, view: View) -> Iterator[Observation]:
    """E03: a retry went away and what it repeated is now done once, or its attempts were at least halved."""
    for lost in lost_guards(view, _retries):
        yield observed(lost, f"no longer retries {snippet(lost.name)} (was `{snippet(lost.guard.text)}`)")
    settled = _settled_for_class(view)
    asking = [_asks_again(view, touched.after) - _asks_again(view, touched.before) for touched in view.functions]
    gained = sum(asking, Counter[str]())
    for touched in view.functions:
        if touched.before is None or touched.after is None:
            continue
        for name in sorted(_asks_again(view, touched.before) - _asks_again(view, touched.after)):
            if not gained[name]:
                line = code.line(calls(view, touched.before)[name][0])
                says = f"no longer asks to be run again with {snippet(name)}"
                yield seen(touched, touched.line_after(line), says, name)
        for gone in left_out(view, touched.before, touched.after, _is_retry_setting):
            if (touched.change.id.path, gone.key) in settled:
                continue
            says = f"no longer gives {snippet(gone.callee)} its {gone.key} (was {snippet(code.text(gone.value))})"
            yield seen(touched, code.line(gone.call), says, f"{gone.callee} {gone.key}")
        for what, old, new in replaced(view, touched.before, touched.after, _is_retried):
            yield from _fewer(touched, what, old, new)
        yield from _stops_earlier(view, touched, touched.before, touched.after)
        for what, old, new in replaced(view, touched.before, touched.after, _is_attempts):
            was, now = figure(old), figure(new)
            if was is not None and now is not None and 0 <= now < was and (now <= 1 or 2 * now <= was):
                says = f"lowers {what} from {amount(was)} to {amount(now)}"
                yield seen(touched, code.line(new), says, what)


_STOPS = {"stop_after_attempt": "max_attempt_number", "Retry": "total"}
"""What counts attempts by its first argument, or one of this name (tenacity, urllib3)."""


def _stops_earlier(view: View, touched: Touched, before: Code, after: Code) -> Iterator[Observation]:
    for name, old in calls(view, before).items():
        key = _STOPS.get(name.rpartition(".")[2])
        new = calls(view, after).get(name, [])
        if key is None or len(old) != len(new):
            continue
        for one, other in zip(old, new, strict=True):
            was, now = _attempts(one, key), _attempts(other, key)
            if was is not None and now is not None and now < was and (now <= 1 or 2 * now <= was):
                says = f"lowers {snippet(name)} from {amount(was)} to {amount(now)} attempts"
                yield seen(touched, code.line(other), says, name)


def _attempts(call: "Node", key: str) -> float | None:
    given = code.positionals(call)
    return figure(code.keywords(call).get(key, given[0] if given else None))


def _asks_again(view: View, side: Code | None) -> Counter[str]:
    """The calls by which a task asks its queue to run it again."""
    return Counter({name: len(found) for name, found in calls(view, side).items() if _ASKS_AGAIN.search(name)})


def _settled_for_class(view: View) -> set[tuple[str, str]]:
    """Path and name of the retry settings that a class or module of the change gained: they hold for its calls."""
    gained: set[tuple[str, str]] = set()
    for touched in view.functions:
        if touched.is_container and touched.after is not None:
            names = {code.text(match["key"]) for match in view.own(_ASSIGNED, touched.after)}
            if touched.before is not None:
                names -= {code.text(match["key"]) for match in view.own(_ASSIGNED, touched.before)}
            gained |= {(touched.change.id.path, name) for name in names if _is_retry_setting(name)}
    return gained


def _fewer(touched: Touched, what: str, old: "Node", new: "Node") -> Iterator[Observation]:
    """A list of what is retried that lost entries."""
    if old.type not in _LISTS or new.type not in _LISTS:
        return
    kept = {code.normal(item) for item in new.named_children}
    gone = [code.text(item) for item in old.named_children if code.normal(item) not in kept]
    if gone and len(new.named_children) < len(old.named_children):
        yield seen(touched, code.line(new), f"no longer has {listed(gone)} in {what}", what)


def _is_retried(name: str) -> bool:
    return bool(_RETRIED.fullmatch(name))


def _is_retry_setting(name: str) -> bool:
    return bool(_RETRY_SETTING.fullmatch(name))


def _is_attempts(name: str) -> bool:
    return bool(_ATTEMPTS.search(name))


def _retries(view: View, side: Code) -> list[Guard]:
    found = decorator_guards(view, side, _RETRY_NAME)
    tries = [match["match"].start_byte for match in view.own(TRY, side)]
    for match in view.own(_LOOP, side):
        loop, body = match["match"], match["body"]
        header = code.text(loop)[: body.start_byte - loop.start_byte].strip()
        first_try = bisect_left(tries, body.start_byte)
        holds_try = first_try < len(tries) and tries[first_try] < body.end_byte
        if holds_try and _RETRY_LOOP.search(header[:400]):
            found.append(guard(body, loop, header))
    return found


# --------------------------------------------------------------------------- E04

_DECORATORS = Pattern("(decorator [(identifier) (attribute)] @key) @match")
_LOOPS = Pattern("(while_statement condition: [(true) (integer)] body: (block) @body) @match")
_BOUNDLESS = Pattern('((keyword_argument name: (identifier) @key value: (none)) @match (#eq? @key "max_retries"))')

_RETRY = re.compile(r"(?:^|\.)(?:retry|on_exception|on_predicate|retry_on_exception)$")
_LIBRARIES = (b"tenacity", b"backoff", b"retry")
_BOUND = re.compile(r"stop|tries|attempts|max|limit|timeout|delay_limit|giveup|times|count|total|n$")
_WAITS = re.compile(r"(?i)sleep|wait|backoff|delay")
_LEAVES = frozenset({"raise_statement", "return_statement", "break_statement"})
_SCOPES = frozenset({"function_definition", "class_definition", "lambda"})


def retry_unbounded(rule: Rule, view: View) -> Iterator[Observation]:
    """Retries that a function has more of than before and that nothing ends."""
    libraries: dict[int, bool] = {}  # by module: whether it names one, asked once for all of its functions
    for touched in view.functions:
        if touched.after is None:
            continue
        known = Counter(text for text, _, _ in _unbounded(view, touched.before, libraries))
        for text, says, line in _unbounded(view, touched.after, libraries):
            if known[text] > 0:
                known[text] -= 1
            else:
                yield seen(touched, line, says, text)


def _unbounded(view: View, side: Code | None, libraries: dict[int, bool]) -> Iterator[tuple[str, str, int]]:
    """Text, sentence and line of each."""
    if side is None:
        return
    if id(side.module) not in libraries:
        libraries[id(side.module)] = any(library in side.module.source for library in _LIBRARIES)
    if libraries[id(side.module)]:
        yield from _decorated(view, side)
    for match in view.own(_BOUNDLESS, side):
        yield "max_retries", "now retries without an end (max_retries=None)", code.line(match["match"])
    for match in view.own(_LOOPS, side):
        if _repeats_for_ever(match["body"]):
            line = code.line(match["match"])
            yield "while True", "now repeats a failed call at once and for ever (while True)", line


def _decorated(view: View, side: Code) -> Iterator[tuple[str, str, int]]:
    """``@retry`` of tenacity, backoff or retrying without a bound on attempts or time."""
    for match in view.own(_DECORATORS, side):
        if _RETRY.search(name := code.callee(match["key"])):
            yield name, f"now retries without an end (@{snippet(name)})", code.line(match["match"])
    for match in view.own(code.CALLS, side):
        call = match["match"]
        parent = call.parent
        name = code.callee(call)
        if parent is None or parent.type != "decorator" or not _RETRY.search(name) or code.has_splat(call):
            continue
        if not any(_BOUND.search(key) for key in code.keywords(call)) and not _has_number(call):
            yield name, f"now retries without an end (@{snippet(code.text(call))})", code.line(call)


def _has_number(call: "Node") -> bool:
    arguments = call.child_by_field_name("arguments")
    return arguments is not None and any(child.type == "integer" for child in arguments.named_children)


def _repeats_for_ever(body: "Node") -> bool:
    """Whether a loop is left when the try in it succeeds, and goes on at once when it fails."""
    if _WAITS.search(code.text(body)[:20_000]):
        return False
    for statement in body.named_children:
        if statement.type != "try_statement":
            continue
        tried = statement.child_by_field_name("body")
        clauses = [child for child in statement.named_children if child.type == "except_clause"]
        if tried is None or not clauses or not _leaves(tried):
            continue
        if any(not _leaves(clause) for clause in clauses):
            return True
    return False


def _leaves(node: "Node") -> bool:
    """Whether something in a block leaves the loop or the function."""
    pending = [node]
    while pending:
        current = pending.pop()
        if current.type in _LEAVES:
            return True
        if current.type not in _SCOPES:
            pending.extend(current.named_children)
    return False
