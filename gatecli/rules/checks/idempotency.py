"""E09: what made doing something twice the same as doing it once."""

import re
from collections import Counter
from collections.abc import Iterator

from gatecli.model import Confidence
from gatecli.rules import code
from gatecli.rules.checks.numbers import calls, left_out
from gatecli.rules.code import Code, Touched, View
from gatecli.rules.matching import Pattern
from gatecli.rules.observation import Observation, seen
from gatecli.rules.spec import Rule
from gatecli.rules.wording import snippet

_KEYS = re.compile(
    r"(?i)idempot\w{0,30}|dedup(?:e|lication)?_?(?:key|id|token)?|ignore_conflicts|update_conflicts|MessageDeduplicationId"
)
_HEADER = Pattern("""
((pair key: (string (string_content) @key) value: (_) @value) @match
  (#match? @key "(?i)^(x-)?(idempotency|deduplication|dedupe)[-_]?(key|id|token)$"))
""")
_ONCE = {"get_or_create": ("create",), "update_or_create": ("create", "update"), "sadd_once": ("sadd",)}
_CONFLICT = re.compile(r"(?:^|\.)on_conflict_do_(?:nothing|update)$")
_INSERT = re.compile(r"(?:^|\.)insert(?:\(\))?(?:$|\.)")
_GUARDS = Pattern("""
(if_statement condition: (_) @key consequence: (block . [(return_statement) (continue_statement)])) @match
""")
_SEEN = re.compile(
    r"(?i)\balready_|(?:^|[._])(?:is_|was_|has_been_)?(?:processed|handled|delivered)\b"
    r"|duplicate|idempoten|dedup|seen_before"
)


def dedupe_removed(rule: Rule, view: View) -> Iterator[Observation]:
    """Keys, guards and conflict clauses that a surviving function lost while it still does the thing."""
    for touched in view.functions:
        if touched.before is None or touched.after is None:
            continue
        for gone in left_out(view, touched.before, touched.after, _is_key):
            says = f"no longer gives {snippet(gone.callee)} its {gone.key} (was {snippet(code.text(gone.value))})"
            yield seen(touched, code.line(gone.call), says, f"{gone.callee} {gone.key}")
        yield from _headers(view, touched, touched.before, touched.after)
        yield from _unconditional(view, touched, touched.before, touched.after)
        yield from _guards(view, touched, touched.before, touched.after)


def _is_key(name: str) -> bool:
    return bool(_KEYS.fullmatch(name))


def _headers(view: View, touched: Touched, before: Code, after: Code) -> Iterator[Observation]:
    """``{"Idempotency-Key": …}`` that went away from a function which still makes the same call."""
    kept = code.text(after.node).lower()
    for match in view.own(_HEADER, before):
        name = code.text(match["key"])
        called = calls(view, before).keys() & calls(view, after).keys()
        if name.lower() not in kept and called:
            line = touched.line_after(code.line(match["match"]))
            yield seen(
                touched, line, f"no longer gives its {snippet(name)} (was {snippet(code.text(match['value']))})", name
            )


def _unconditional(view: View, touched: Touched, before: Code, after: Code) -> Iterator[Observation]:
    """``get_or_create`` that became ``create``, and an insert that lost its conflict clause."""
    old, new = calls(view, before), calls(view, after)
    for name in old:
        root, _, last = name.rpartition(".")
        for plain in _ONCE.get(last, ()):
            bare = f"{root}.{plain}"
            if len(new.get(name, ())) < len(old[name]) and len(new.get(bare, ())) > len(old.get(bare, ())):
                says = f"now calls {snippet(bare)} where it had {last}: done twice, it is there twice"
                yield seen(touched, code.line(new[bare][-1]), says, f"{name} {plain}")
    lost = [name for name in old if _CONFLICT.search(name)]
    if lost and not any(_CONFLICT.search(name) for name in new) and any(map(_INSERT.search, new)):
        says = f"no longer says what to do on a conflict (was {lost[0].rpartition('.')[2]})"
        yield seen(touched, touched.line_after(code.line(old[lost[0]][0])), says, lost[0])


def _guards(view: View, touched: Touched, before: Code, after: Code) -> Iterator[Observation]:
    """``if already_done: return`` that went away."""
    kept = Counter(code.normal(match["key"]) for match in view.own(_GUARDS, after))
    text_after = code.text(after.node)
    for match in view.own(_GUARDS, before):
        condition = code.text(match["key"])
        named = _SEEN.search(condition[:400])
        if named is None or kept[code.normal(match["key"])] > 0 or named[0].strip("._") in text_after:
            continue
        line = touched.line_after(code.line(match["match"]))
        says = f"no longer stops if `{snippet(condition)}`"
        yield seen(touched, line, says, code.normal(match["key"]), confidence=Confidence.MEDIUM)
