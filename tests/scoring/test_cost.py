"""What looking at the review band would have cost."""

from dataclasses import replace

import pytest

from gatecli.scoring import backtest
from gatecli.scoring.learned import prior
from gatecli.scoring.past import Past
from tests.scoring.histories import DAY, past


def weeks(one: Past) -> float:
    return backtest.examine(one, backtest.replay_scores(one, prior())).cost.weeks


def long_after_1970(count: int) -> Past:
    made = past(count)
    return replace(made, times=made.times + 1_700_000_000)


def test_the_weeks_are_those_of_the_tested_part() -> None:
    assert weeks(long_after_1970(700)) == pytest.approx(40, rel=0.05)  # the last 280 of 700 days


@pytest.mark.parametrize("stray", [0, 1, 4_102_444_800])
def test_a_commit_that_claims_another_century_does_not_stretch_the_weeks(stray: int) -> None:
    made = long_after_1970(700)
    times = made.times.copy()
    times[-100] = stray
    assert weeks(replace(made, times=times)) == pytest.approx(40, rel=0.05)


def test_less_than_a_week_counts_as_one() -> None:
    made = long_after_1970(20)
    assert weeks(replace(made, times=made.times[0] + made.number * DAY // 100)) == 1
