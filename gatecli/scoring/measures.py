"""How well a score ranks and a probability holds: the figures of a back-test, each with an interval by the bootstrap.

Arrays are one value a change. Ties are broken at random with a fixed seed: a constant score gets no credit.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

BUDGETS = (0.05, 0.10, 0.20, 0.50)
BINS = 10
BOOTSTRAPS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """How a score ranks ``bad`` of ``changes``: recall at each of ``BUDGETS``, and what reading by lines finds.

    ``interval`` is that of the AUC, 95 %. ``by_effort`` is the recall within the first 20 % of the changed lines,
    ``read`` the share of changes that those are; ``first_hit`` how many good changes come before the first bad one.
    None where there is no bad change, or no good one.
    """

    changes: int
    bad: int
    auc: float | None
    interval: tuple[float, float] | None
    recall: tuple[float, ...]
    by_effort: float | None
    read: float | None
    first_hit: int | None

    @property
    def lift(self) -> tuple[float, ...]:
        """How many times more bad changes each budget holds than as many at random."""
        return tuple(found / budget for found, budget in zip(self.recall, BUDGETS, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """One bar of the reliability picture: changes of similar probability, what was said and what came of them."""

    changes: int
    said: float
    came: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How far probabilities hold: Brier's score, its skill against the base rate, the expected calibration error."""

    brier: float
    skill: float
    error: float
    bins: tuple[Bin, ...]


def ranking(bad: Flags, score: Floats, lines: Floats, *, seed: int = 0) -> Ranking:
    """The figures of one score."""
    order = _riskiest_first(score, seed)
    hits = bad[order]
    total, count = int(bad.sum()), len(bad)
    if not total or total == count:
        none = (0.0,) * len(BUDGETS)
        return Ranking(
            changes=count, bad=total, auc=None, interval=None, recall=none, by_effort=None, read=None, first_hit=None
        )
    cost = np.minimum(lines, 1_000)[order]  # one vendored folder must not be the whole budget
    within = int(np.searchsorted(np.cumsum(cost), 0.2 * cost.sum(), side="right"))
    return Ranking(
        changes=count,
        bad=total,
        auc=area(bad, score),
        interval=_interval(bad, score, seed),
        recall=tuple(float(hits[: int(count * budget)].sum() / total) for budget in BUDGETS),
        by_effort=float(hits[:within].sum() / total),
        read=within / count,
        first_hit=int(np.argmax(hits)),
    )


def gain(bad: Flags, score: Floats, *, seed: int = 0) -> tuple[float, ...]:
    """The share of the bad changes within the riskiest 0, 5, 10 … 100 % of changes; empty where there is none."""
    hits = bad[_riskiest_first(score, seed)]
    total = int(bad.sum())
    return tuple(float(hits[: len(bad) * part // 20].sum() / total) for part in range(21)) if total else ()


def area(bad: Flags, score: Floats) -> float:
    """The chance that a bad change ranks above a good one, ties counting half."""
    ordered = np.sort(score[~bad])
    wins = np.searchsorted(ordered, score[bad], side="left") + np.searchsorted(ordered, score[bad], side="right")
    return float(wins.mean() / 2 / len(ordered))


def calibration(bad: Flags, probability: Floats) -> Calibration:
    """How well probabilities hold, in bins of equally many changes."""
    rate = bad.mean()
    brier = float(np.mean((probability - bad) ** 2))
    base = float(rate * (1 - rate))
    parts = [part for part in np.array_split(np.argsort(probability, kind="stable"), BINS) if len(part)]
    bins = tuple(
        Bin(changes=len(part), said=float(probability[part].mean()), came=float(bad[part].mean())) for part in parts
    )
    error = sum(one.changes * abs(one.said - one.came) for one in bins) / len(bad)
    return Calibration(brier=brier, skill=1 - brier / base if base else 0.0, error=float(error), bins=bins)


def difference(bad: Flags, one: Floats, other: Floats, *, seed: int = 0) -> tuple[float, float, float]:
    """By how much the AUC of one score is above the other's on the same rows, with the bounds of 95 %."""
    drawn = [area(bad[rows], one[rows]) - area(bad[rows], other[rows]) for rows in _resampled(bad, seed)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return area(bad, one) - area(bad, other), float(low), float(high)


def _riskiest_first(score: Floats, seed: int) -> NDArray[np.int64]:
    return np.lexsort((np.random.default_rng(seed).random(len(score)), -score))


def _interval(bad: Flags, score: Floats, seed: int) -> tuple[float, float]:
    drawn = [area(bad[rows], score[rows]) for rows in _resampled(bad, seed)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def _resampled(bad: Flags, seed: int) -> list[NDArray[np.int64]]:
    """Rows drawn with replacement, bad and good ones apart, so that no draw lacks either."""
    random = np.random.default_rng(seed)
    groups = np.flatnonzero(bad), np.flatnonzero(~bad)
    return [np.concatenate([random.choice(group, len(group)) for group in groups]) for _ in range(BOOTSTRAPS)]
