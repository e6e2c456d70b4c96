"""Who reads a setting: how code may spell its name, and how many are searched for."""

import pytest

from gatecli.rules import examples, registry
from gatecli.rules.checks.readers import MAX_LOOKED_UP, TOO_MANY, spellings
from gatecli.rules.spec import Example, FileSides
from tests.rules.support import rule


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("PAYMENT_TIMEOUT", {"PAYMENT_TIMEOUT", "payment_timeout"}),
        (
            "payments.timeoutSeconds",
            {
                "timeoutSeconds",
                "timeout_seconds",
                "TIMEOUT_SECONDS",
                "payments_timeout_seconds",
                "PAYMENTS_TIMEOUT_SECONDS",
            },
        ),
        ("replicas", set()),
        ("web.replicas", {"web_replicas", "WEB_REPLICAS"}),
        ("the pool_size of create_engine", set()),
        ("", set()),
    ],
)
def test_spellings(path: str, words: set[str]) -> None:
    assert spellings(path) == words


def test_readers_are_searched_for_a_bounded_number_of_settings() -> None:
    numbers = range(MAX_LOOKED_UP + 4)
    example = Example(
        name="a test",
        flags=True,
        tree={"shop/pay.py": "".join(f"def f{number}():\n    return TIMEOUT_OF_{number}\n" for number in numbers)},
        files={
            f"shop/settings_{number}.py": FileSides(
                before="".join(f"TIMEOUT_OF_{one} = 3\n" for one in numbers if one % 2 == number),
                after="".join(f"TIMEOUT_OF_{one} = 30\n" for one in numbers if one % 2 == number),
            )
            for number in (0, 1)
        },
    )
    case, around = examples.case_of(example), examples.around_of(example)
    said = [finding.message for finding in registry.run((rule("timeout-changed"),), case, around=around)]
    assert len(said) == len(numbers)
    assert sum("read by shop/pay.py::f" in message for message in said) == MAX_LOOKED_UP
    assert sum(message.endswith(TOO_MANY) for message in said) == 4


def test_a_choice_beyond_those_that_are_looked_up_is_said_all_the_same() -> None:
    """Else a change of twenty other settings would hide it."""
    others = "".join(f"pool_size_{number}: {{}}\n" for number in range(MAX_LOOKED_UP))
    case = examples.case_of(
        Example(
            name="a test",
            flags=True,
            files={
                "deploy/a.yml": FileSides(before=others.replace("{}", "3"), after=others.replace("{}", "30")),
                "deploy/b.yml": FileSides(before="cache_backend: redis\n", after="cache_backend: memory\n"),
            },
        )
    )
    (said,) = (one.message for one in registry.run((rule("setting-changed"),), case) if one.path == "deploy/b.yml")
    assert said.endswith(f"changes cache_backend from redis to memory{TOO_MANY}")
