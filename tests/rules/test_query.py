"""What is news to a query: compared by function, as multisets, wherever the code went."""

import pytest

from gatecli.rules import registry
from gatecli.rules.spec import Rule, read_rule
from tests.rules.support import case_of

RULE = """
id: probe
code: X01
family: own
severity: review
asks: A test?
why: A test.
points: {value: 1, source: a test}
remedy: None.
since: 0.1.0
match:
%s
examples:
  - {name: a, flags: true, files: {a.py: {after: ""}}}
  - {name: b, flags: true, files: {a.py: {after: ""}}}
  - {name: c, flags: false, files: {a.py: {after: ""}}}
  - {name: d, flags: false, files: {a.py: {after: ""}}}
"""
SLEEP = "query: '((call function: (_) @key) @match (#eq? @key \"sleep\"))'"


def probe(*match: str) -> Rule:
    return read_rule((RULE % "\n".join(f"  {line}" for line in match)).encode(), "probe.yml", ())


def found(rule: Rule, before: str | None, after: str | None, **more: tuple[str | None, str | None]) -> list[str]:
    files = {"a.py": (before, after), **{name.replace("_py", ".py"): sides for name, sides in more.items()}}
    return [f"{finding.path}:{finding.line} {finding.message}" for finding in registry.run((rule,), case_of(files))]


ADDED = probe("side: added", "says: 'now sleeps: {text}'", SLEEP)
REMOVED = probe("side: removed", "says: 'no longer sleeps: {text}'", SLEEP)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("def f():\n    go()\n", "def f():\n    go()\n    sleep(1)\n", ["a.py:3 a.f now sleeps: sleep(1)"]),
        # The key is the same, so another argument is no news.
        ("def f():\n    sleep(1)\n", "def f():\n    sleep(2)\n", []),
        # A second one is, and of equal ones it is the one on the changed line.
        (
            "def f():\n    sleep(1)\n",
            "def f():\n    sleep(1)\n    sleep(1)\n",
            ["a.py:3 a.f now sleeps: sleep(1)"],
        ),
        (None, "def f():\n    sleep(1)\n", ["a.py:2 a.f now sleeps: sleep(1)"]),
        # Renamed, the rest is the same.
        (
            "def f(x):\n    go(x)\n    sleep(1)\n    return x\n",
            "def g(x):\n    go(x)\n    sleep(1)\n    return x\n",
            [],
        ),
        # Reformatted.
        ("def f():\n    sleep(1)\n", "def f():\n    sleep(\n        1,\n    )\n", []),
        # Moved to another function of the change.
        (
            "def f():\n    go()\n    sleep(1)\n",
            "def f():\n    go()\n    wait()\n\n\ndef wait():\n    sleep(1)\n",
            [],
        ),
        # Text is no code.
        ("def f():\n    go()\n", "def f():\n    go('sleep(1)')  # sleep(1)\n", []),
    ],
)
def test_added(before: str | None, after: str, expected: list[str]) -> None:
    assert found(ADDED, before, after) == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        # Anchored at the line that follows.
        (
            "def f():\n    go()\n    sleep(1)\n    end()\n",
            "def f():\n    go()\n    end()\n",
            ["a.py:3 a.f no longer sleeps: sleep(1)"],
        ),
        # The last line went: the function's own last line, not what comes after it.
        (
            "def f():\n    go()\n    sleep(1)\n\n\ndef g():\n    pass\n",
            "def f():\n    go()\n\n\ndef g():\n    pass\n",
            ["a.py:2 a.f no longer sleeps: sleep(1)"],
        ),
        # The function went with it.
        ("def f():\n    sleep(1)\n\n\ndef g():\n    go()\n", "def g():\n    go()\n", []),
        # Nothing of the file is left.
        ("def f():\n    sleep(1)\n", None, []),
    ],
)
def test_removed(before: str, after: str | None, expected: list[str]) -> None:
    assert found(REMOVED, before, after) == expected


def test_moves_may_be_news() -> None:
    strict = probe("side: added", "says: now sleeps", "moves: false", SLEEP)
    before = "def f():\n    go()\n    sleep(1)\n"
    after = "def f():\n    go()\n    wait()\n\n\ndef wait():\n    sleep(1)\n"
    assert found(strict, before, after) == ["a.py:7 a.wait now sleeps"]


def test_moved_to_another_file() -> None:
    before = "def f():\n    go()\n    sleep(1)\n"
    assert found(ADDED, before, "def f():\n    go()\n", b_py=(None, "def g():\n    sleep(1)\n")) == []


CHANGED = probe(
    "side: changed",
    "says: '{key} was {before}, is {after}'",
    "query: '(assignment left: (identifier) @key right: (_) @value) @match'",
)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("A = 1\nB = 2\n", "A = 1\nB = 3\n", ["a.py:2 a.py B was 2, is 3"]),
        ("A = 1\n", "A = 1\nB = 3\n", []),
        ("A = 1\nB = 2\n", "B = 2\nA = 1\n", []),
        ("A = 'x'\nB = 1\n", 'A = "x"\nB = 1\nC = 1\n', []),
        ("A = 1\nA = 2\n", "A = 1\nA = 3\n", ["a.py:2 a.py A was 2, is 3"]),
    ],
)
def test_changed(before: str, after: str, expected: list[str]) -> None:
    assert found(CHANGED, before, after) == expected


LOOP = probe("side: added", "says: sleeps in a loop", "where: {in_loop: true}", SLEEP)
OUTSIDE = probe("side: added", "says: sleeps outside", "where: {in_loop: false}", SLEEP)


@pytest.mark.parametrize(
    ("body", "in_loop"),
    [
        ("for x in y:\n        sleep(x)", True),
        ("while sleep(1):\n        pass", True),
        ("while x:\n        sleep(1)", True),
        ("return [sleep(x) for x in y]", True),
        ("return {x: sleep(x) for x in y}", True),
        ("return [x for x in y if sleep(x)]", True),
        ("for x in sleep(1):\n        pass", False),
        ("return [x for x in sleep(1)]", False),
        ("for x in y:\n        pass\n    else:\n        sleep(1)", False),
        ("if x:\n        sleep(1)", False),
    ],
)
def test_what_runs_once_an_item(body: str, in_loop: bool) -> None:
    after = f"def f(x, y):\n    {body}\n"
    assert bool(found(LOOP, None, after)) is in_loop
    assert bool(found(OUTSIDE, None, after)) is not in_loop


def test_a_function_inside_a_loop_is_not_the_loop() -> None:
    assert found(LOOP, None, "for x in y:\n    def f():\n        sleep(1)\n") == []


def test_async_is_the_function_that_holds_it() -> None:
    rule = probe("side: added", "says: sleeps", "where: {in_async: true}", SLEEP)
    after = "async def f():\n    sleep(1)\n    def g():\n        sleep(2)\n"
    assert found(rule, None, after) == ["a.py:2 a.f sleeps"]


def test_code_in_a_message_is_cut_shown_and_never_filled_in() -> None:
    hidden = "\u202e{key}\x1b[31m"
    after = f"def f():\n    sleep('{hidden}' + '{'x' * 300}')\n"
    (line,) = found(ADDED, None, after)
    text = line.removeprefix("a.py:2 a.f now sleeps: ")
    assert text.startswith("sleep('?{key}?[31m' + 'xxx")
    assert len(text) == 80
    assert text.endswith("x…")


GROWS = probe("side: added", "grows: true", "says: 'now sleeps: {text}'", "query: '((call) @match @key)'")


@pytest.mark.parametrize(
    ("before", "after", "count"),
    [
        ("def f():\n    sleep(1)\n", "def f():\n    sleep(2)\n", 0),  # written another way
        ("def f():\n    sleep(1)\n", "def f():\n    sleep(2)\n    sleep(3)\n", 1),
        ("def f():\n    sleep(1)\n    sleep(2)\n", "def f():\n    sleep(3)\n", 0),
        (None, "def f():\n    sleep(1)\n", 1),
    ],
)
def test_only_what_there_is_more_of(before: str | None, after: str, count: int) -> None:
    assert len(found(GROWS, before, after)) == count
