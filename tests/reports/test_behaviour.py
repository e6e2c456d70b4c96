"""What a function does otherwise, in words."""

import pytest

from gatecli.model import Behaviour, Fact, Facts
from gatecli.reports import behaviour


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("calls", "queue.put", "calls queue.put"),
        ("raises", "raise", "re-raises"),
        ("returns", "return", "returns without a value"),
        ("returns", "return total", "returns total"),
    ],
)
def test_a_statement_without_a_value_is_said_in_words(name: str, text: str, said: str) -> None:
    facts = {name: Facts(added=(Fact(text=text, line=1),))}
    assert behaviour.added(Behaviour(**facts)) == [said]
