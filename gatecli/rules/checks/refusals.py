"""A01 and E13: branches that refused to go on, and no longer stand in the function.

A refusal is an ``if`` whose branch ends by raising, or by answering that something is forbidden.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gatecli.model import ChangeKind, Confidence
from gatecli.rules import code
from gatecli.rules.code import Code, Touched, View
from gatecli.rules.matching import Pattern
from gatecli.rules.observation import Observation, seen
from gatecli.rules.spec import Rule
from gatecli.rules.wording import snippet

if TYPE_CHECKING:
    from tree_sitter import Node

_BRANCHES = Pattern("""
(if_statement condition: (_) @key consequence: (block) @body) @match
(elif_clause condition: (_) @key consequence: (block) @body) @match
""")
# What the refusal of a stranger is called: exceptions, answers, and the two statuses (RFC 9110, 15.5.2 and 15.5.4).
_FORBIDS = re.compile(
    r"PermissionDenied|Forbidden|Not(?:Authori[sz]ed|Authenticated|Permitted)|Unauthori[sz]ed|AuthError|AccessDenied"
    r"|AuthenticationFailed|AuthenticationError|login_url|redirect_to_login|handle_no_permission"
    r"|\b(?:403|401)\b|HTTP_40[13]"
)
# What a call that refuses in a branch's place is called.
_CHECKS = re.compile(r"(?i)(?:^|[._])(?:check|validat|ensure|verif|assert|clean|require|guard|restrict|enforce|refuse)")
_WORD = re.compile(r"[\w.]{1,200}")
_MAX_STATEMENT = 400
_TELLING = 5
"""Characters from which the name of a call says what a function is about."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A branch that refuses: its condition (normalised, and as the source has it), what it does, on which line."""

    condition: str
    shown: str
    answer: str
    line: int

    @property
    def name(self) -> str:
        """The name of what it raises or returns."""
        words = _WORD.findall(self.answer)
        return words[1] if len(words) > 1 else self.answer

    @property
    def forbids(self) -> bool:
        """Whether it is about who asks, and not about what is asked."""
        return bool(_FORBIDS.search(self.answer))


def refusals(view: View, side: Code | None) -> list[Refusal]:
    """The refusals in a function's own code."""
    found = []
    for match in view.own(_BRANCHES, side) if side is not None else ():
        last = _last(match["body"])
        if last is not None and _refuses(last):
            answer = " ".join(code.text(last)[:_MAX_STATEMENT].split())
            condition = match["key"]
            found.append(Refusal(code.normal(condition), code.text(condition), answer, code.line(match["match"])))
    return found


def _last(block: "Node") -> "Node | None":
    statements = [child for child in block.named_children if child.type != "comment"]
    return statements[-1] if statements else None


def _refuses(statement: "Node") -> bool:
    if statement.type == "raise_statement":
        return True
    answers = statement.type in ("return_statement", "expression_statement")
    return answers and bool(_FORBIDS.search(code.text(statement)[:_MAX_STATEMENT]))


def _still_answers(touched: Touched, refusal: Refusal) -> bool:
    """Whether the function holds the same answer as often as before: under ``else``, say."""
    before, after = (
        " ".join(code.text(side.node).split()).count(refusal.answer) if side is not None else 0
        for side in (touched.before, touched.after)
    )
    return 0 < before <= after


@dataclass(frozen=True, slots=True)
class LostRefusal:
    """A refusal that no function of the change has any more."""

    touched: Touched
    refusal: Refusal


def lost(view: View) -> Iterator[LostRefusal]:
    """The refusals that surviving functions have fewer of, unless another function of the change has its like.

    Its like is one of the same condition, or one in the same file that answers by the same name.
    """
    gained = [
        (touched.change.id.path, refusal)
        for touched in view.functions
        for refusal in _surplus(refusals(view, touched.after), refusals(view, touched.before))
    ]
    came = Counter(refusal.condition for _, refusal in gained)
    answered = Counter((path, refusal.name) for path, refusal in gained)
    for touched in view.functions:
        if not touched.survives or touched.is_container or touched.change.behaviour is None:
            continue
        old, new = refusals(view, touched.before), refusals(view, touched.after)
        if len(new) >= len(old):
            continue
        for refusal in _surplus(old, new)[: len(old) - len(new)]:
            answer = (touched.change.id.path, refusal.name)
            if _still_answers(touched, refusal):
                continue
            if came[refusal.condition] > 0:
                came[refusal.condition] -= 1
            elif answered[answer] > 0:
                answered[answer] -= 1
            else:
                yield LostRefusal(touched, refusal)


def _surplus(here: list[Refusal], there: list[Refusal]) -> list[Refusal]:
    left = Counter(refusal.condition for refusal in here) - Counter(refusal.condition for refusal in there)
    found = []
    for refusal in here:
        if left[refusal.condition] > 0:
            left[refusal.condition] -= 1
            found.append(refusal)
    return found


# --------------------------------------------------------------------------- who is refused


def forbidden_less(view: View, gained: set[tuple[str, str]]) -> Iterator[Observation]:
    """Part of A01: a refusal of who may not is gone; ``gained`` is where other access checks were added."""
    for one in lost(view):
        if one.refusal.forbids:
            id = one.touched.change.id
            is_replaced = not gained.isdisjoint({(id.path, id.qualname.partition(".")[0]), (id.path, "")})
            is_replaced = is_replaced or _checks_now(one.touched)
            says = f"no longer refuses if `{snippet(one.refusal.shown)}` (was `{snippet(one.refusal.answer)}`)"
            confidence = Confidence.MEDIUM if is_replaced else Confidence.HIGH
            line = one.touched.line_after(one.refusal.line)
            yield seen(one.touched, line, says, one.refusal.condition, confidence=confidence)
    yield from _rewritten(view, gained)


def _checks_now(touched: Touched) -> bool:
    """Whether the function now calls something whose name says that it checks."""
    behaviour = touched.change.behaviour
    return behaviour is not None and any(_CHECKS.search(call.text) for call in behaviour.calls.added)


def _rewritten(view: View, gained: set[tuple[str, str]]) -> Iterator[Observation]:
    """A function that refused is gone, and what does its work now in the same file refuses nobody."""
    added = [touched for touched in view.functions if touched.change.kind is ChangeKind.ADDED]
    for touched in view.functions:
        if touched.change.kind is not ChangeKind.REMOVED or touched.file.after is None:
            continue
        forbids = [refusal for refusal in refusals(view, touched.before) if refusal.forbids]
        path = touched.change.id.path
        heirs = [heir for heir in added if heir.change.id.path == path and not heir.is_container]
        if not forbids or not heirs or any(where == path for where, _ in gained):
            continue
        work = _telling(view, touched.before)
        heir_work = set[str]().union(*(_telling(view, heir.after) for heir in heirs))
        if any(refusals(view, heir.after) for heir in heirs) or 2 * len(work & heir_work) < len(work) or not work:
            continue
        says = f"was rewritten, and nothing refuses any more if `{snippet(forbids[0].shown)}`"
        says += f" (was `{snippet(forbids[0].answer)}`)"
        line = heirs[0].change.function.span.def_line
        yield seen(touched, line, says, forbids[0].condition, confidence=Confidence.MEDIUM)


def _telling(view: View, side: Code | None) -> set[str]:
    """The last names of what a function calls, without those that are everywhere."""
    found = view.own(code.CALLS, side) if side is not None else []
    names = {code.callee(match["match"]).rpartition(".")[2] for match in found}
    return {name for name in names if len(name) >= _TELLING}


# --------------------------------------------------------------------------- what is refused


def guard_removed(rule: Rule, view: View) -> Iterator[Observation]:
    """E13: a function no longer raises for something that it refused, and nothing of the change does in its place."""
    for one in lost(view):
        if one.refusal.forbids or _checks_now(one.touched):
            continue
        says = f"no longer refuses if `{snippet(one.refusal.shown)}` (was `{snippet(one.refusal.answer)}`)"
        yield seen(one.touched, one.touched.line_after(one.refusal.line), says, one.refusal.condition)
