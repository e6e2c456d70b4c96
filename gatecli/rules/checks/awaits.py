"""E11: a coroutine that was awaited and now is only made: its body does not run."""

from collections import Counter
from collections.abc import Iterator

from gatecli.model import SignatureKind
from gatecli.rules import code
from gatecli.rules.code import View
from gatecli.rules.matching import Pattern
from gatecli.rules.observation import Observation, seen
from gatecli.rules.spec import Rule
from gatecli.rules.wording import snippet

_AWAITED = Pattern("(await (call) @key) @match")
_DISCARDED = Pattern("(expression_statement (call) @match)")


def await_dropped(rule: Rule, view: View) -> Iterator[Observation]:
    """Calls that were awaited and whose result is now thrown away, unless the callee stopped being a coroutine."""
    no_longer_async = {
        touched.change.id.name
        for touched in view.functions
        if any(clause.kind is SignatureKind.NO_LONGER_ASYNC for clause in touched.change.signature)
    }
    for touched in view.functions:
        before, after, behaviour = touched.before, touched.after, touched.change.behaviour
        if before is None or after is None or not before.function.is_async or not after.function.is_async:
            continue
        if behaviour is None or not behaviour.awaits.removed:
            continue
        lost = Counter(code.callee(match["key"]) for match in view.own(_AWAITED, before))
        lost.subtract(code.callee(match["key"]) for match in view.own(_AWAITED, after))
        batches = {
            name.removesuffix(".execute")
            for match in view.own(_AWAITED, after)
            if (name := code.callee(match["key"])).endswith(".execute")
        }
        known = Counter(code.callee(match["match"]) for match in view.own(_DISCARDED, before))
        for match in view.own(_DISCARDED, after):
            name = code.callee(match["match"])
            if known[name] > 0:
                known[name] -= 1
            elif lost[name] > 0 and name.rpartition(".")[2] not in no_longer_async and not _is_in(name, batches):
                lost[name] -= 1
                yield seen(touched, code.line(match["match"]), f"no longer awaits {snippet(name)}", name)


def _is_in(name: str, batches: set[str]) -> bool:
    """Whether a call only queues a command in a batch (a pipeline) whose ``execute`` is awaited."""
    return name.rpartition(".")[0] in batches
