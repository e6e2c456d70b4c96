"""Rules that are a tree-sitter query: what one side of a function has and the other has not.

Matches are compared by enclosing function and normal text, as multisets: what stood there before is no news, nor what
went from one function of the change to another.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gatecli.rules import code
from gatecli.rules.code import Code, Touched, View
from gatecli.rules.matching import Captures, Pattern
from gatecli.rules.observation import Observation, seen
from gatecli.rules.spec import Match, Rule, Side, fill
from gatecli.rules.wording import snippet

if TYPE_CHECKING:
    from tree_sitter import Node

LOOPS = Pattern("""
(for_statement body: (block) @match)
(while_statement condition: (_) @match)
(while_statement body: (block) @match)
(list_comprehension body: (_) @match)
(set_comprehension body: (_) @match)
(dictionary_comprehension body: (_) @match)
(generator_expression body: (_) @match)
(if_clause) @match
""")
"""What runs once an item; the iterable of a loop runs once."""

LAMBDAS = Pattern("(lambda body: (_) @match)")
"""What does not run where it stands, but where it is called: in a thread, mostly."""


@dataclass(frozen=True, slots=True)
class _Found:
    """One match: what it is compared by, and (side ``changed``) what must differ."""

    node: "Node"
    key: str
    value: str
    shown_key: str
    shown_value: str


def observe(rule: Rule, view: View) -> Iterator[Observation]:
    """What the rule's query sees as news."""
    match = rule.match
    came: list[tuple[Touched, _Found]] = []
    went: list[tuple[Touched, _Found]] = []
    for touched in view.functions:
        old = _matches(view, match, touched.before)
        new = _matches(view, match, touched.after)
        if match.side is Side.CHANGED:
            yield from (_changed(match, touched, a, b) for a, b in _differing(old, new))
            continue
        more = len(new) - len(old) if match.grows else len(new)
        news = _surplus(new, old, touched.change.changed_lines)
        came += [(touched, found) for found in news[: max(0, more)]]
        went += [(touched, found) for found in _surplus(old, new, touched.change.removed_lines)]
    if match.side is Side.ADDED:
        for touched, found in _not_moved(came, went, match.moves):
            yield _observation(match, touched, found, code.line(found.node))
    elif match.side is Side.REMOVED:
        for touched, found in _not_moved(went, came, match.moves):
            if touched.survives:
                yield _observation(match, touched, found, touched.line_after(code.line(found.node)))


def _matches(view: View, match: Match, side: Code | None) -> list[_Found]:
    if side is None or match.where.in_async not in (None, side.function.is_async):
        return []
    found = view.own(Pattern(match.query), side)
    if found and match.where.in_async:
        later = code.merged(code.byte_range(item["match"]) for item in view.own(LAMBDAS, side))
        found = [item for item in found if not code.is_within(later, item["match"])]
    if found and match.where.in_loop is not None:
        loops = loop_ranges(view, side)
        found = [item for item in found if code.is_within(loops, item["match"]) is match.where.in_loop]
    return [_found(item) for item in found]


def loop_ranges(view: View, side: Code) -> list[code.Range]:
    """The byte ranges of the function that run once an item of a loop."""
    return code.merged(code.byte_range(item["match"]) for item in view.own(LOOPS, side))


def _found(item: Captures) -> _Found:
    node = item["match"]
    key, value = item.get("key", node), item.get("value", node)
    return _Found(node, code.normal(key), code.normal(value), code.text(key), code.text(value))


def _surplus(here: list[_Found], there: list[_Found], lines: tuple[int, ...]) -> list[_Found]:
    """The matches that one side has more of than the other, of equal ones those on touched lines first."""
    left = Counter(found.key for found in here)
    left.subtract(found.key for found in there)
    touched = set(lines)
    result = []
    for found in sorted(here, key=lambda found: code.line(found.node) not in touched):
        if left[found.key] > 0:
            left[found.key] -= 1
            result.append(found)
    return sorted(result, key=lambda found: found.node.start_byte)


def _not_moved(
    news: list[tuple[Touched, _Found]], counterpart: list[tuple[Touched, _Found]], moves: bool
) -> Iterator[tuple[Touched, _Found]]:
    elsewhere = Counter(found.key for _, found in counterpart) if moves else Counter[str]()
    for touched, found in news:
        if elsewhere[found.key] > 0:
            elsewhere[found.key] -= 1
        else:
            yield touched, found


def _differing(old: list[_Found], new: list[_Found]) -> Iterator[tuple[_Found, _Found]]:
    """Matches with the same key and another value, paired in order."""
    before: dict[str, list[_Found]] = defaultdict(list)
    for found in old:
        before[found.key].append(found)
    after: dict[str, list[_Found]] = defaultdict(list)
    for found in new:
        after[found.key].append(found)
    for key, found_after in after.items():
        common = Counter(found.value for found in before[key]) & Counter(found.value for found in found_after)
        yield from zip(_without(before[key], common), _without(found_after, common), strict=False)


def _without(found: list[_Found], common: Counter[str]) -> list[_Found]:
    left = common.copy()
    result = []
    for item in found:
        if left[item.value] > 0:
            left[item.value] -= 1
        else:
            result.append(item)
    return result


def _observation(match: Match, touched: Touched, found: _Found, line: int) -> Observation:
    values = {
        "text": snippet(code.text(found.node)),
        "key": snippet(found.shown_key),
        "value": snippet(found.shown_value),
    }
    return seen(touched, line, fill(match.says, values), found.key, shown=code.text(found.node))


def _changed(match: Match, touched: Touched, old: _Found, new: _Found) -> Observation:
    values = {
        "text": snippet(code.text(new.node)),
        "key": snippet(new.shown_key),
        "value": snippet(new.shown_value),
        "before": snippet(old.shown_value),
        "after": snippet(new.shown_value),
    }
    return seen(
        touched,
        code.line(new.node),
        fill(match.says, values),
        f"{new.key} {old.value} {new.value}",
        shown=code.text(new.node),
    )
