"""Patterns take a bounded time on any text: what may be written in a rule, and those that gate ships."""

import re

import pytest

from gatecli.rules.pattern import MAX_LINE, compiled, why_unsafe
from gatecli.rules.spec import Line
from tests.rules import adversarial
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
def test_shipped_patterns_end(id: str, line: Line) -> None:
    for pattern in filter(None, (line.pattern, line.unless, line.stood)):
        for text in [*HOSTILE, *adversarial.texts(compiled(pattern), MAX_LINE)]:
            compiled(pattern).search(text)


EXPRESSIONS = [pytest.param(value, id=name) for name, value in adversarial.expressions().items()]


@pytest.mark.parametrize("value", EXPRESSIONS)
def test_expressions_of_the_code_end(value: re.Pattern[str]) -> None:
    for text in [*HOSTILE, *adversarial.texts(value, MAX_LINE)]:
        value.search(text)


@pytest.mark.parametrize("value", EXPRESSIONS)
def test_no_expression_of_the_code_divides_a_text_in_many_ways(value: re.Pattern[str]) -> None:
    assert adversarial.ambiguous(value) == []


@pytest.mark.parametrize(
    ("text", "is_ambiguous"),
    [
        ("(a+)+b", True),
        (r"(?:\w+\s?)*$", True),
        ("(?:a|b+)*", True),
        ("(?:a{0,9}){0,9}", True),
        ("((?:a*)b?)*", True),
        (r"(?:\.\d{1,9}){0,5}", False),
        (r"(?:[^()]|\([^()]{0,60}\)){0,120}", False),
        ("a+b+c?", False),
        (r"(?:\w{1,20}\s{1,9}){0,5}", False),
        (r"(?:\w{1,20}\s{0,9}){0,5}", True),
        (r"(?:[a-c]{1,9}|b){0,5}", True),
    ],
)
def test_what_divides_a_text_in_many_ways_is_found(text: str, is_ambiguous: bool) -> None:
    assert bool(adversarial.ambiguous(re.compile(text))) is is_ambiguous


def test_the_hostile_texts_are_made_of_the_expression() -> None:
    made = set(adversarial.texts(re.compile(r"x(?:ab{1,9})?y"), 10))
    assert {"xabababababab"[:10] + "!", "xa" + "b" * 8 + "!", "xaby" * 2 + "xa"} & made
