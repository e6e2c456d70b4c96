"""Patterns take a bounded time on any text: what may be written in a rule, and those that gate ships."""

import importlib
import pkgutil
import re

import pytest

from gatecli.rules import checks, pattern
from gatecli.rules.pattern import MAX_LINE, compiled, why_unsafe
from tests.rules.support import SHIPPED


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a{0,80}b", ""),
        (r"[*+]\*\+a?(?:b|c)?", ""),
        ("(?i)x{1,400}", ""),
        ("a*", "repeats without a bound"),
        ("a+", "repeats without a bound"),
        ("a{3,}", "repeats without a bound"),
        ("(a{0,9}){0,9}", "a group is repeated"),
        ("(a|b){2}", "a group is repeated"),
        ("a{0,401}", "more than 400 repetitions"),
        ("(", "not a regular expression"),
        ("a" * 2_001, "more than 2,000 characters"),
    ],
)
def test_what_a_rule_may_say(text: str, problem: str) -> None:
    found = why_unsafe(text)
    assert problem in found
    assert bool(found) is bool(problem)


HOSTILE = [
    "a" * MAX_LINE,
    " " * MAX_LINE,
    "\t " * (MAX_LINE // 2),
    "curl " * (MAX_LINE // 5),
    "curl x | " * (MAX_LINE // 9),
    '"' * MAX_LINE,
    "${{ github.event.issue." * (MAX_LINE // 23),
    "ignore all of the " * (MAX_LINE // 18),
    "a." * (MAX_LINE // 2),
    "[" * MAX_LINE,
    "x=1," * (MAX_LINE // 4),
    "(?P<a>" * (MAX_LINE // 6),
    "0" * MAX_LINE,
    "ALTER TABLE a ADD a " * (MAX_LINE // 20),
    "- uses: a/b@" * (MAX_LINE // 12),
    "a-_." * (MAX_LINE // 4) + "!",
]

LINES = [(rule.id, line) for rule in SHIPPED for line in rule.match.lines]


@pytest.mark.parametrize(("id", "line"), LINES, ids=[f"{id}-{number}" for number, (id, _) in enumerate(LINES)])
def test_shipped_patterns_end(id: str, line: object) -> None:
    for text in HOSTILE:
        compiled(line.pattern).search(text)  # type: ignore[attr-defined]
        if line.unless:  # type: ignore[attr-defined]
            compiled(line.unless).search(text)  # type: ignore[attr-defined]


MODULES = [
    importlib.import_module(f"{checks.__name__}.{found.name}") for found in pkgutil.iter_modules(checks.__path__)
]
PATTERNS = [
    pytest.param(value, id=f"{module.__name__.rpartition('.')[2]}.{name}")
    for module in [*MODULES, pattern, importlib.import_module("gatecli.rules.ignores")]
    for name, value in vars(module).items()
    if isinstance(value, re.Pattern) and isinstance(value.pattern, str)
]


@pytest.mark.parametrize("value", PATTERNS)
def test_patterns_of_checks_end(value: re.Pattern[str]) -> None:
    for text in HOSTILE:
        value.search(text)
