"""E06: rate limits, circuit breakers and semaphores that were removed, or that now allow twice as much."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gatecli.rules import code
from gatecli.rules.checks.guards import Guard, decorator_guards, lost_guards, observed, with_guards
from gatecli.rules.checks.numbers import replaced
from gatecli.rules.code import Code, Touched, View
from gatecli.rules.matching import Pattern
from gatecli.rules.observation import Observation, seen
from gatecli.rules.spec import Rule
from gatecli.rules.wording import amount, snippet

if TYPE_CHECKING:
    from tree_sitter import Node

FACTOR = 2
_DECORATOR = re.compile(
    r"(?i)(?:^|[._])(?:rate_?limit(?:ed)?|ratelimit|throttled?|throttle_classes|limiter\.limit|circuit|circuit_?breaker|breaker|bulkhead)(?:$|\()"
)
_WITH = re.compile(
    r"(?i)(?:^|[._])(?:\w{0,40}semaphore|\w{0,40}sem|\w{0,20}limiter|rate_?limit(?:er)?|throttle|circuit_?breaker|breaker)$"
)
_LIMIT = re.compile(
    r"(?i)(?:^|_)(?:rate_?limit|throttle|max_concurren(?:t|cy)\w{0,20}|concurrency_limit|max_requests|burst)\w{0,20}$"
)
_CLASSES = Pattern("""
((assignment left: (identifier) @key right: (_) @value) @match (#any-of? @key "throttle_classes" "throttle_scope"))
""")
_SIZED = Pattern("""
((call function: [(identifier) (attribute)] @key arguments: (argument_list . (integer) @value)) @match
  (#match? @key "(^|[.])(Semaphore|BoundedSemaphore|CapacityLimiter|RateLimiter|AsyncLimiter)$"))
""")
_RATE = re.compile(r"^[\"'](\d{1,9})\s{0,3}(?:/|per)\s{0,3}(\d{0,5})\s{0,2}([a-z]{1,10})")
_RATES = Pattern("""
((string) @match (#match? @match "^.[0-9]{1,9} ?(/|per) ?[0-9]{0,5} ?(s|m|h|d|sec|second|min|minute|hour|day)s?.$"))
""")


def limit_removed(rule: Rule, view: View) -> Iterator[Observation]:
    """Limits that a surviving function lost, and limits that allow at least twice as much."""
    for lost in lost_guards(view, _limits):
        yield observed(lost, f"is no longer limited by `{snippet(lost.guard.text)}` when it calls {snippet(lost.name)}")
    for touched in view.functions:
        if touched.before is not None and touched.after is not None:
            yield from _classes(view, touched, touched.before, touched.after)
            yield from _raised(view, touched, touched.before, touched.after)


def _limits(view: View, side: Code) -> list[Guard]:
    return [*decorator_guards(view, side, _DECORATOR), *with_guards(view, side, _WITH)]


def _classes(view: View, touched: Touched, before: Code, after: Code) -> Iterator[Observation]:
    kept = {code.text(match["key"]) for match in view.own(_CLASSES, after) if code.normal(match["value"]) != "[ ]"}
    for match in view.own(_CLASSES, before):
        name = code.text(match["key"])
        if name not in kept and code.normal(match["value"]) not in ("[ ]", "None"):
            line = touched.line_after(code.line(match["match"]))
            yield seen(touched, line, f"is no longer limited by `{snippet(code.text(match['match']))}`", name)


def _raised(view: View, touched: Touched, before: Code, after: Code) -> Iterator[Observation]:
    pairs = [(f"{name}", old, new) for name, old, new in replaced(view, before, after, _is_limit)]
    old_sizes = {code.text(match["key"]): match["value"] for match in view.own(_SIZED, before)}
    pairs += [
        (name, old_sizes[name], match["value"])
        for match in view.own(_SIZED, after)
        if (name := code.text(match["key"])) in old_sizes
    ]
    old_rates, new_rates = view.own(_RATES, before), view.own(_RATES, after)
    if len(old_rates) == len(new_rates):
        pairs += [("the rate", one["match"], other["match"]) for one, other in zip(old_rates, new_rates, strict=True)]
    for name, old, new in pairs:
        was, now = _per_second(old), _per_second(new)
        if was and now and now >= FACTOR * was:
            says = f"raises {snippet(name)} from {_shown(old)} to {_shown(new)}"
            yield seen(touched, code.line(new), says, name)


def _is_limit(name: str) -> bool:
    return bool(_LIMIT.search(name))


_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def _per_second(node: "Node") -> float | None:
    """A rate in events a second, a plain number as it is."""
    found = _RATE.match(code.text(node))
    if found is None:
        return code.number(node)
    return float(found[1]) / (float(found[2] or 1) * _SECONDS.get(found[3][0], 1))


def _shown(node: "Node") -> str:
    value = code.number(node)
    return amount(value) if value is not None else snippet(code.text(node).strip("\"'"))
