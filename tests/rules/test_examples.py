"""Every example of every shipped rule is a test; and the runner tells a wrong example from a right one."""

from dataclasses import replace
from pathlib import PurePosixPath

import pytest

from gatecli import config
from gatecli.model import Severity
from gatecli.rules import examples
from gatecli.rules.spec import Example, FileSides, Rule
from tests.rules.support import SHIPPED, rule


@pytest.mark.parametrize(
    ("rule", "example"),
    [pytest.param(rule, example, id=f"{rule.id}: {example.name}") for rule in SHIPPED for example in rule.examples],
)
def test_example(rule: Rule, example: Example) -> None:
    assert examples.judge(rule, example) == ""


def test_a_rule_lies_in_the_folder_of_its_family() -> None:
    root = config.data_root()
    found = {PurePosixPath(path.relative_to(root).as_posix()) for path in root.glob("*/*.yml")}
    assert found == {PurePosixPath(rule.family, f"{rule.id}.yml") for rule in SHIPPED}


LOSES_LOGIN = Example(
    name="loses its login",
    flags=True,
    files={"a.py": FileSides(before="@login_required\ndef f(r):\n    go()\n", after="def f(r):\n    go()\n")},
)
UNTOUCHED = Example(
    name="adds a line", flags=False, files={"a.py": FileSides(before="x = 1\n", after="x = 1\ny = 2\n")}
)


@pytest.mark.parametrize(
    ("example", "reason"),
    [
        (LOSES_LOGIN, ""),
        (UNTOUCHED, ""),
        (replace(LOSES_LOGIN, flags=False), "flagged: a.f lost its access check `@login_required`"),
        (replace(UNTOUCHED, flags=True), "not flagged"),
        (
            replace(LOSES_LOGIN, says="38 %"),
            "does not say '38 %': a.f lost its access check `@login_required`",
        ),
        (replace(LOSES_LOGIN, severity=Severity.NOTE), "not note but block"),
        (replace(UNTOUCHED, missed="nobody can know"), ""),
        (
            replace(LOSES_LOGIN, flags=False, missed="nobody can know"),
            "flagged, so it is no known miss any more (take missed away, say flags: true): "
            "a.f lost its access check `@login_required`",
        ),
    ],
)
def test_a_wrong_example_fails(example: Example, reason: str) -> None:
    assert examples.judge(rule("access-removed"), example) == reason


def test_failures_name_rule_and_example() -> None:
    wrong = replace(rule("access-removed"), examples=(LOSES_LOGIN, replace(UNTOUCHED, flags=True)))
    assert examples.failures([wrong]) == (
        examples.Failure(rule="access-removed", example="adds a line", reason="not flagged"),
    )
