"""Values that have a name (arguments, constants, defaults, mapping entries), compared on both sides of a change."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gatecli.rules import code
from gatecli.rules.checks.durations import seconds
from gatecli.rules.code import Code, View
from gatecli.rules.matching import Pattern
from gatecli.rules.wording import snippet

if TYPE_CHECKING:
    from tree_sitter import Node

_SETTINGS = Pattern("""
(assignment left: [(identifier) (attribute)] @key right: (_) @value) @match
(pair key: (string) @key value: (_) @value) @match
(default_parameter name: (_) @key value: (_) @value) @match
(typed_default_parameter name: (_) @key value: (_) @value) @match
""")
_MAX_NAME = 100

IsNamed = Callable[[str], bool]


def calls(view: View, side: Code | None) -> "dict[str, list[Node]]":
    """The calls of a function by the name they go to; none of a side that there is not."""
    return view.calls(side) if side is not None else {}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An argument that a call no longer gives: the value it had, and the call as it is now."""

    callee: str
    key: str
    value: "Node"
    call: "Node"


def left_out(view: View, before: Code, after: Code, is_named: IsNamed) -> Iterator[LeftOut]:
    """Named arguments that fewer calls to the same function give, while more of them go without."""
    old, new = calls(view, before), calls(view, after)
    for name in sorted(old.keys() & new.keys()):
        for key in sorted({key for call in old[name] for key in code.keywords(call) if is_named(key)}):
            was = [call for call in old[name] if key in code.keywords(call)]
            now = [call for call in new[name] if key in code.keywords(call)]
            bare = [call for call in new[name] if key not in code.keywords(call) and not code.has_splat(call)]
            more_bare = len(bare) > len(old[name]) - len(was)
            if len(now) < len(was) and more_bare and positional(bare[-1]) <= positional(was[0]):
                yield LeftOut(name, key, code.keywords(was[0])[key], bare[-1])


_HANDED_ON = """
(pair key: (string) @key value: (_) @value) @match
(assignment left: (subscript subscript: (string) @key) right: (_) @value) @match
((call function: (attribute attribute: (identifier) @how)
  arguments: (argument_list . (string) @key . (_) @value)) @match (#eq? @how "setdefault"))
((call function: (identifier) @how
  arguments: (argument_list (keyword_argument name: (identifier) @key value: (_) @value))) @match (#eq? @how "dict"))
"""


def handed_on_less(view: View, before: Code, after: Code, is_named: IsNamed) -> Iterator[LeftOut]:
    """Named arguments in dictionaries for a call (``post(url, **options)``) that is still made, and gives none now."""
    splats = {name: found for name, found in calls(view, after).items() if any(map(code.has_splat, found))}
    was = [name for name, found in calls(view, before).items() if name in splats and any(map(code.has_splat, found))]
    if not was:
        return
    now = _handed_on(view, after)
    given = {key for found in calls(view, after).values() for call in found for key in code.keywords(call)}
    for key, value in _handed_on(view, before).items():
        if is_named(key) and key not in now and key not in given:
            yield LeftOut(was[0], key, value, next(call for call in splats[was[0]] if code.has_splat(call)))


def _handed_on(view: View, side: Code) -> dict[str, "Node"]:
    return {code.text(match["key"]).strip("\"'"): match["value"] for match in view.own(Pattern(_HANDED_ON), side)}


def positional(call: "Node") -> int:
    """How many arguments a call gives by position."""
    return len(code.positionals(call))


def replaced(view: View, before: Code, after: Code, is_named: IsNamed) -> Iterator[tuple[str, "Node", "Node"]]:
    """What it is, its value before and its value after, for each name whose value is another now."""
    yield from _replaced_arguments(view, before, after, is_named)
    old, new = _settings(view, before, is_named), _settings(view, after, is_named)
    for name in sorted(old.keys() & new.keys()):
        pairs = zip(_without(old[name], new[name]), _without(new[name], old[name]), strict=False)
        for one, other in pairs:
            yield snippet(name), one, other


def _replaced_arguments(
    view: View, before: Code, after: Code, is_named: IsNamed
) -> Iterator[tuple[str, "Node", "Node"]]:
    old, new = _arguments(view, before, is_named), _arguments(view, after, is_named)
    for place in sorted(old.keys() & new.keys()):
        pairs = zip(_without(old[place], new[place]), _without(new[place], old[place]), strict=False)
        for one, other in pairs:
            yield f"the {snippet(place[1])} of {snippet(place[0])}", one, other


def _arguments(view: View, side: Code, is_named: IsNamed) -> dict[tuple[str, str], list["Node"]]:
    """Values by callee and keyword."""
    result: dict[tuple[str, str], list[Node]] = defaultdict(list)
    for name, found in calls(view, side).items():
        for call in found:
            for key, value in code.keywords(call).items():
                if is_named(key):
                    result[name, key].append(value)
    return result


_MAX_WRAPPED = 4
_PLAIN = re.compile(r"\d{1,12}(?:\.\d{1,6})?")
_CASTS = frozenset({"int", "float", "round"})
_ASKED = re.compile(
    r"(?:^|[.])(?:environ[.]get|getenv|env(?:iron)?(?:[.](?:get|int|float|str))?|config|get_?env|get_?int|Field|get_?setting)$"
)
_TIMES = re.compile(r"(?:^|[.])(?:Client)?Timeout$")


def figure(node: "Node | None", depth: int = 0) -> float | None:
    """What a setting comes to where nothing else is set; a time in seconds, of several numbers the largest.

    ``10``, ``int(os.environ.get("POOL_SIZE", "10"))``, ``env.int("POOL_SIZE", default=10)``, ``Field(10, ge=1)``,
    ``timedelta(seconds=10)``, ``httpx.Timeout(10)``, ``(3, 10)``.
    """
    if node is None or depth > _MAX_WRAPPED:
        return None
    if node.type == "string":
        text = code.text(node).strip("\"'")
        return float(text) if _PLAIN.fullmatch(text) else None
    if node.type == "boolean_operator":
        return figure(node.child_by_field_name("right"), depth + 1)
    if node.type == "tuple":
        values = [figure(child, depth + 1) for child in node.named_children]
        return max((value for value in values if value is not None), default=None)
    if node.type != "call":
        return code.number(node)
    if (time := seconds(node)) is not None:
        return time
    return _figure_of_call(node, depth)


def _figure_of_call(call: "Node", depth: int) -> float | None:
    name, named, given = code.callee(call), code.keywords(call), code.positionals(call)
    if name in _CASTS and given:
        return figure(given[0], depth + 1)
    if _TIMES.search(name):
        values = [figure(one, depth + 1) for one in (*given, *named.values())]
        return max((value for value in values if value is not None), default=None)
    if not _ASKED.search(name):
        return None
    at = 0 if name.rpartition(".")[2] == "Field" else 1
    return figure(named.get("default", given[at] if len(given) > at else None), depth + 1)


def word(node: "Node | None") -> str | None:
    """The text that a setting is where nothing else is set, as of ``figure``."""
    if node is not None and node.type == "call" and _ASKED.search(code.callee(node)):
        given = code.positionals(node)
        node = code.keywords(node).get("default", given[1] if len(given) > 1 else None)
    if node is None or node.type != "string" or any(child.type == "interpolation" for child in node.named_children):
        return None
    return code.text(node)


def _settings(view: View, side: Code, is_named: IsNamed) -> dict[str, list["Node"]]:
    """Values by the name that they are set under; one name may be set in several dictionaries."""
    result: dict[str, list[Node]] = defaultdict(list)
    for match in view.own(_SETTINGS, side):
        name = code.text(match["key"]).strip("\"'")
        if len(name) <= _MAX_NAME and is_named(name):
            result[name].append(match["value"])
    return result


def _without(values: list["Node"], others: list["Node"]) -> list["Node"]:
    """The values that the other side has no equal of."""
    left = Counter(code.normal(value) for value in others)
    result = []
    for value in values:
        if left[text := code.normal(value)] > 0:
            left[text] -= 1
        else:
            result.append(value)
    return result
