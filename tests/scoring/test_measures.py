import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecli.scoring import measures


def test_figures_of_a_small_example() -> None:
    bad = np.array([True, False, True, False, False, False, False, False, False, False])
    found = measures.ranking(bad, np.arange(10, 0, -1.0), np.ones(10))
    assert found.auc == pytest.approx(15 / 16)
    assert found.recall == (0.0, 0.5, 0.5, 1.0)
    assert found.lift == (0.0, 5.0, 2.5, 2.0)
    assert (found.by_effort, found.read, found.first_hit) == (0.5, 0.2, 0)


@pytest.mark.parametrize("bad", [[True, True], [False, False]])
def test_without_both_kinds_there_is_nothing_to_rank(bad: list[bool]) -> None:
    found = measures.ranking(np.array(bad), np.zeros(2), np.ones(2))
    assert (found.auc, found.interval, found.by_effort) == (None, None, None)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=40))
def test_the_area_counts_pairs(rows: list[tuple[bool, int]]) -> None:
    bad, score = np.array([one for one, _ in rows]), np.array([float(one) for _, one in rows])
    if bad.all() or not bad.any():
        return
    pairs = [(a > b) + (a == b) / 2 for a in score[bad] for b in score[~bad]]
    assert measures.area(bad, score) == pytest.approx(sum(pairs) / len(pairs))


def test_probabilities_that_hold_have_no_error() -> None:
    bad = np.tile([True, False, False, False], 500)
    exact, wrong = measures.calibration(bad, np.full(2_000, 0.25)), measures.calibration(bad, np.full(2_000, 0.5))
    assert (exact.error, exact.skill) == (pytest.approx(0, abs=0.01), pytest.approx(0))
    assert wrong.error == pytest.approx(0.25, abs=0.01)
    assert wrong.skill < 0


def test_a_difference_has_bounds_around_it() -> None:
    bad = np.arange(200) % 4 == 0
    mean, low, high = measures.difference(bad, bad.astype(float), np.zeros(200))
    assert (mean, low, high) == (0.5, 0.5, 0.5)
