from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gatecli.errors import UsageError
from gatecli.history.signals import SIGNALS, Signal
from gatecli.reports.weights import as_yaml, summary
from gatecli.scoring import backtest, fitting, standing
from gatecli.scoring.learn import MOST_MOVED, learn
from gatecli.scoring.learned import PERCENTILES, Head, Learned, prior, read_learned
from tests.scoring.histories import past


def test_the_prior_is_shipped_and_reads_back_as_it_is_written() -> None:
    assert read_learned(as_yaml(prior()).encode(), "prior") == prior()
    assert len(prior().taught.repositories) >= 8


def test_enough_bad_changes_move_the_weights_but_not_far() -> None:
    learned = learn(past(rate=0.3), prior())
    before, after = prior().by_signal()[Signal.FILES], learned.by_signal()[Signal.FILES]
    assert after.points[Head.ANY][-1] > before.points[Head.ANY][-1]
    for weight in learned.signals:
        for head in Head:
            old = np.diff([0, *prior().by_signal()[weight.id].points[head]])
            assert (np.abs(np.diff([0, *weight.points[head]]) - old) <= MOST_MOVED).all()
    assert after.low is not None
    assert after.high is not None
    assert after.low[Head.ANY] <= after.points[Head.ANY][-1] <= after.high[Head.ANY]
    assert read_learned(as_yaml(learned).encode(), "learned") == learned
    assert "files: " in summary(learned, prior())


def test_few_bad_changes_move_only_the_intercept() -> None:
    learned = learn(past(rate=0.005), prior())
    assert [one.points for one in learned.signals] == [one.points for one in prior().signals]
    assert learned.intercepts != prior().intercepts
    assert "too few bad changes" in summary(learned, prior())


def test_a_signal_that_says_nothing_gets_no_points_of_its_own() -> None:
    nothing = replace(prior(), signals=tuple(
        replace(one, points={head: (0,) * len(one.above) for head in Head}) for one in prior().signals
    ))  # fmt: skip
    learned = learn(past(rate=0.3), nothing).by_signal()
    assert learned[Signal.FILES].points[Head.ANY][-1] > 10
    assert learned[Signal.LINES_ADDED].points[Head.ANY][-1] <= 3


@pytest.mark.parametrize("rate", [0.0, 10.0])
def test_no_bad_change_or_nothing_but_bad_ones(rate: float) -> None:
    history = past(300, rate=rate)
    if rate:
        known = np.arange(300) + 1
        history = replace(history, known_at=dict.fromkeys(Head, known))
    result = backtest.examine(history, backtest.replay_scores(history, prior()))
    assert result.heads[Head.ANY]["gate"].auc is None
    assert [one.points for one in learn(history, prior()).signals] == [one.points for one in prior().signals]


@pytest.mark.parametrize("count", [1, 2, 7, 199, 251])
def test_a_short_history_is_scored_by_the_prior(count: int) -> None:
    history = past(count)
    scores = backtest.replay_scores(history, prior())
    assert len(scores.points) == count
    assert backtest.examine(history, scores).changes == count
    assert len(learn(history, prior()).standing) == 101


def test_what_comes_later_moves_no_earlier_score() -> None:
    """Outcomes and changes of the future are shuffled; origins are where they were."""
    history, random = past(1_000, rate=0.4), np.random.default_rng(1)
    cut = 600
    values = history.values.copy()
    values[cut:] = values[cut:][random.permutation(400)]
    known = {
        head: np.where(rows >= cut, random.permutation(1_000) % 400 + cut, rows)
        for head, rows in history.known_at.items()
    }
    other = replace(history, values=values, known_at=known)
    one, two = (backtest.replay_scores(each, prior()) for each in (history, other))
    assert (one.points[:cut] == two.points[:cut]).all()
    for head in Head:
        assert (one.probability[head][:cut] == two.probability[head][:cut]).all()
    for name in one.baselines:
        assert (one.baselines[name][:cut] == two.baselines[name][:cut]).all()
    assert not (one.points[cut:] == two.points[cut:]).all()


def test_it_ranks_what_it_learned_to() -> None:
    history = past(2_000, rate=0.3)
    result = backtest.examine(history, backtest.replay_scores(history, prior()))
    gate, size = result.heads[Head.ANY]["gate"], result.heads[Head.ANY]["lines added"]
    assert (gate.auc or 0) > 0.65 > (size.auc or 0)
    assert result.ahead["lines added"][1] > 0
    assert result.calibration[Head.ANY].error < 0.1
    review, senior = result.bands
    assert review.points <= senior.points
    assert review.caught >= senior.caught
    assert result.passed_bad == review.bad - review.caught
    assert all(one.percentile < 0.8 for one in result.missed)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60), st.floats(0, 1e6), st.floats(0, 1e6))
def test_more_of_a_signal_never_reaches_fewer_steps(values: list[float], low: float, high: float) -> None:
    low, high = sorted((low, high))
    history = np.zeros((len(values), len(SIGNALS)))
    history[:, 0] = values
    above = standing.thresholds(history)
    rows = np.zeros((2, len(SIGNALS)))
    rows[:, 0] = low, high
    steps = standing.reached(rows, above)[:, : len(PERCENTILES)].sum(1)
    assert steps[0] <= steps[1]
    assert list(above[SIGNALS[0]]) == sorted(above[SIGNALS[0]])


def test_weights_are_never_negative_and_drawn_to_the_prior() -> None:
    random = np.random.default_rng(0)
    design = (random.random((4_000, 2)) < 0.5).astype(np.float32)
    bad = (random.random(4_000) < 1 / (1 + np.exp(2 - design[:, 0] + design[:, 1]))).astype(float)
    free, _, _ = fitting.fit(design, bad, ridge=0.1, signed=True)
    assert free == pytest.approx([1, -1], abs=0.2)
    kept, _, _ = fitting.fit(design, bad, ridge=0.1)
    assert kept[1] == 0
    drawn, _, _ = fitting.fit(design, bad, ridge=1e7, prior=np.array([0.3, 0.2]))
    assert drawn == pytest.approx([0.3, 0.2], abs=0.01)


@pytest.mark.parametrize("pull", [0.6, 1.5])
def test_a_fit_that_begins_far_from_the_answer_ends_no_worse_than_it_began(pull: float) -> None:
    random = np.random.default_rng(3)
    size = random.normal(size=(3_000, 20)) + 2 * random.normal(size=(3_000, 1))
    design = np.concatenate([size > cut for cut in (-1, 0, 1, 2)], axis=1).astype(np.float32)
    bad = (random.random(3_000) < 1 / (1 + np.exp(3 - size[:, 0]))).astype(float)
    prior = np.full(80, pull)

    def loss(weights: NDArray[np.float64], base: float) -> float:
        linear = design @ weights + base
        return float((np.logaddexp(0, linear) - bad * linear).sum() + 5 * np.square(weights - prior).sum())

    weights, base, _ = fitting.fit(design, bad, prior=prior, ridge=10)
    assert weights.max() < 5
    assert loss(weights, base[0]) < 0.9 * loss(prior, fitting.intercept(design @ prior, bad))


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("id: files\n", "id: lines-added\n", "twice"),
        ("gate-weights/1", "gate-weights/9", "another version of gate wrote it"),
        ("id: files\n", "id: luck\n", "luck"),
    ],
)
def test_weights_that_are_wrong_are_refused(old: str, new: str, complaint: str) -> None:
    text = as_yaml(prior())
    assert old in text
    with pytest.raises(UsageError, match=complaint):
        read_learned(text.replace(old, new, 1).encode(), "weights.yml")


def test_points_that_fall_are_refused() -> None:
    first = prior().signals[0]
    falling = replace(first, points=dict.fromkeys(Head, (5, 4, 3, 2)))
    broken: Learned = replace(prior(), signals=(falling, *prior().signals[1:]))
    with pytest.raises(UsageError, match="do not fall"):
        read_learned(as_yaml(broken).encode(), "weights.yml")
