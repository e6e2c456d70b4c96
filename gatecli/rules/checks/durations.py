"""Part of C02: the same time in another unit is no other default: ``60``, ``60_000`` and ``timedelta(minutes=1)``."""

from typing import TYPE_CHECKING

from gatecli.rules import code
from gatecli.syntax.trees import parse

if TYPE_CHECKING:
    from tree_sitter import Node

_SECONDS = {
    **{"microseconds": 1e-6, "milliseconds": 1e-3, "seconds": 1.0, "minutes": 60.0, "hours": 3_600.0},
    **{"days": 86_400.0, "weeks": 604_800.0},
}
_PLAIN = (1.0, 1e-3)
"""What a bare number counts: seconds, as most of Python does, or milliseconds."""


def same_time(before: str, after: str) -> bool:
    """Whether two values are one time, and at least one of them says its unit."""
    old, new = _value(before), _value(after)
    if old is None or new is None:
        return False
    one, other = seconds(old), seconds(new)
    if one is not None and other is not None:
        return _is_equal(one, other)
    given, plain = (one, code.number(new)) if one is not None else (other, code.number(old))
    return given is not None and plain is not None and any(_is_equal(given, plain * unit) for unit in _PLAIN)


def _is_equal(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-9 * max(abs(one), abs(other))


def _value(text: str) -> "Node | None":
    statement = parse(text.encode("utf-8", "replace")).root_node.named_children
    return statement[0].named_children[0] if statement and statement[0].named_children else None


def seconds(node: "Node") -> float | None:
    """What a call such as ``timedelta(minutes=1)`` comes to."""
    given = code.keywords(node) if node.type == "call" else {}
    if not given or not given.keys() <= _SECONDS.keys():
        return None
    total = 0.0
    for unit, value in given.items():
        amount = code.number(value)
        if amount is None:
            return None
        total += _SECONDS[unit] * amount
    return total
