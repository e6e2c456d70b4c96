"""What a signal says of a change, as a person would."""

import pytest

from gatecli.history.signals import Signal
from gatecli.scoring.placing import sentence


@pytest.mark.parametrize(
    ("signal", "value", "steps", "said"),
    [
        (Signal.FUNCTIONS, 1.0, 0, "1 function touched"),
        (Signal.FUNCTIONS, 1_204.0, 4, "1,204 functions touched, more than 97 % of changes here"),
        (Signal.FILE_REVERTS, 1.0, 1, "a file with 1 recent revert, more than 50 % of changes here"),
        (Signal.FILE_REVERTS, 0.4, 1, "a file with less than one recent revert, more than 50 % of changes here"),
        (Signal.FILE_REVERTS, 0.01, 0, "a file with old reverts alone"),
        (Signal.NEW_TO_FILES, 0.5, 1, "the author never changed 50 % of its files, more than 50 % of changes here"),
        (Signal.NEW_TO_FILES, 1.0, 2, "the author never changed any of its files, as in at most 25 % of changes here"),
        (Signal.NEW_TO_AREA, 1.0, 0, "the author never changed anything in any of its folders"),
        (Signal.INEXPERIENCE, 1.0, 4, "the author's first change here"),
        (Signal.INEXPERIENCE, 0.25, 2, "the author made 3 changes here before, fewer than 75 % of changes here"),
        (Signal.UNDOES, 1.0, 1, "it takes an earlier change back"),
    ],
)
def test_sentence(signal: Signal, value: float, steps: int, said: str) -> None:
    assert sentence(signal, value, steps) == said
