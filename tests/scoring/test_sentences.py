"""What a signal says of a change reads as a sentence, whatever its value."""

import pytest

from gatecli.history.signals import SIGNALS, Signal
from gatecli.model import Standing, StandingBand
from gatecli.reports import standing
from gatecli.scoring.placing import sentence


@pytest.mark.parametrize(
    ("signal", "value", "text"),
    [
        (Signal.FUNCTIONS, 1, "1 function touched"),
        (Signal.FUNCTIONS, 1204, "1,204 functions touched"),
        (Signal.LINES_ADDED, 1, "1 line of code added"),
        (Signal.FLOW, 1, "1 function with another control flow"),
        (Signal.FILE_FIXES, 1.02, "a file with 1 recent repair"),
        (Signal.FILE_FIXES, 2.34, "a file with 2.3 recent repairs"),
        (Signal.FILE_FIXES, 0.5, "a file with less than one recent repair"),
        (Signal.FILE_FIXES, 0.001, "a file with old repairs alone"),
        (Signal.FUNCTION_REVERTS, 1, "a function with 1 recent revert"),
        (Signal.BUSY, 7.25, "files with 7.2 recent changes in all"),
        (Signal.INEXPERIENCE, 1, "the author's first change here"),
        (Signal.INEXPERIENCE, 1 / 4, "the author made 3 changes here before"),
        (Signal.EXPERIENCE, 1, "an author with 1 change here"),
        (Signal.MISSING_PARTNERS, 1, "1 file that usually changed along, left out"),
        (Signal.FILE_AUTHORS, 1, "a file with 1 author"),
        (Signal.EVER_REVERTED, 2, "a file with 2 changes taken back, ever"),
    ],
)
def test_one_is_one_and_more_are_more(signal: Signal, value: float, text: str) -> None:
    assert sentence(signal, value, 0) == text


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("value", [1e-9, 0.04, 0.5, 0.999, 1, 1.04, 2, 1e9])
def test_every_signal_says_something_of_every_value(signal: Signal, value: float) -> None:
    text = sentence(signal, value, 1)
    assert text == " ".join(text.split())
    assert "{" not in text
    assert not text.startswith("1 ") or not text.split()[1].endswith("s")


def test_a_share_is_said_of_what_has_one_and_fewer_of_what_is_few() -> None:
    assert sentence(Signal.FILES, 3, 2) == "3 files, more than 75 % of changes here"
    assert (
        sentence(Signal.INEXPERIENCE, 1 / 4, 3)
        == "the author made 3 changes here before, fewer than 90 % of changes here"
    )
    assert sentence(Signal.INEXPERIENCE, 1, 4) == "the author's first change here"


@pytest.mark.parametrize("inside", [True, False])
def test_where_nothing_bad_is_known_no_catch_is_claimed(inside: bool) -> None:
    band = StandingBand(share=0.2, points=18, caught=0, bad=0)
    found = standing.caught(Standing(points=20, percentile=0.9, bands=(band,), band=band if inside else None))
    assert found is not None
    assert found.startswith("not in a band: ") != inside
    assert found.endswith("(from 18 points on) catches is not known, as the back-test knew no bad change")
