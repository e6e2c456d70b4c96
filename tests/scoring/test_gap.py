"""How old a change must be to be learned from."""

from dataclasses import replace

import numpy as np
import pytest

from gatecli.scoring.learn import training_rows
from gatecli.scoring.learned import Head
from gatecli.scoring.past import GAP_DAYS, HORIZON_DAYS, LEAST_GAP_DAYS, Past
from tests.scoring.histories import DAY, past


def told_after(days: int, *, every: int = 10, count: int = 1_000) -> Past:
    """A change a day, each tenth taken back so many days later."""
    number = np.arange(count)
    known = np.where((number % every == 0) & (number + days < count), number + days, -1)
    return replace(past(count), known_at={Head.ANY: known, Head.REVERT: known, Head.REGRESSION: np.full(count, -1)})


@pytest.mark.parametrize(("days", "gap"), [(2, LEAST_GAP_DAYS), (20, 20), (60, 60), (200, HORIZON_DAYS)])
def test_the_gap_is_how_long_outcomes_took_here(days: int, gap: int) -> None:
    history = told_after(days)
    assert history.gap_days(1_000) == gap
    assert training_rows(history, 1_000, 999 * DAY)[-1] == 999 - gap


def test_few_outcomes_say_nothing_of_the_delay() -> None:
    assert told_after(2, every=60).gap_days(1_000) == GAP_DAYS
    assert told_after(2).gap_days(0) == GAP_DAYS


def test_outcomes_of_the_future_do_not_move_the_gap() -> None:
    history = told_after(20)
    known = {head: np.where(rows >= 500, rows + 300, rows) for head, rows in history.known_at.items()}
    assert replace(history, known_at=known).gap_days(500) == history.gap_days(500) == 20


def test_dates_that_run_backwards_leave_a_gap_within_bounds() -> None:
    history = told_after(20)
    assert replace(history, times=history.times[::-1].copy()).gap_days(1_000) == LEAST_GAP_DAYS
