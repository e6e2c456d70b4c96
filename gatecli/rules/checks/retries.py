"""E04: retries without an end: what hurts a neighbour most when it is already down."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gatecli.rules import code
from gatecli.rules.code import Code, View
from gatecli.rules.observation import Observation, seen
from gatecli.rules.spec import Rule
from gatecli.rules.wording import snippet

if TYPE_CHECKING:
    from tree_sitter import Node

_CALLS = "(call) @match"
_DECORATORS = "(decorator [(identifier) (attribute)] @key) @match"
_LOOPS = "(while_statement condition: [(true) (integer)] body: (block) @body) @match"
_BOUNDLESS = '((keyword_argument name: (identifier) @key value: (none)) @match (#eq? @key "max_retries"))'

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
    for match in view.own(_CALLS, side):
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
