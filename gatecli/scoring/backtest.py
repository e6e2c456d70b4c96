"""What the gate would have caught: every change scored with what was known before it, refitted as time goes on.

The first part of the history is scored by the prior alone. From then on the weights are learned anew at each origin,
from changes old enough for their outcome to be known that day, and score the changes up to the next origin.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gatecli.history.signals import SIGNALS, Signal
from gatecli.model import BandAsk
from gatecli.scoring import baselines, learn, measures, placing, standing
from gatecli.scoring.learned import POINTS_PER_UNIT, Band, Head, Learned, steps_of
from gatecli.scoring.past import Past

ORIGINS = 8
WARM_UP = 0.2
"""The share of the history that the prior alone scores."""
TESTED = 0.4
"""The last share of the history is what the figures are of."""
LINES_PER_HOUR = 300
"""How fast code is reviewed with care (reference: §2.5, 200 to 400 lines an hour)."""
MOST_MISSED = 25
STRONGEST = 4

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The shares of changes that are looked at, and that somebody senior looks at, 0..1."""

    review: float = 0.20
    senior: float = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """What each change got: points in all (of the head ``any``), and the probability of each head."""

    points: Floats
    probability: Mapping[Head, Floats]
    by_head: Mapping[Head, Floats]
    baselines: Mapping[str, Floats]
    columns: NDArray[np.float32]
    steps: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """What a signal said of a change, and its points."""

    signal: Signal
    points: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """A bad change that would have passed: where it stood that day, and what spoke for a look, strongest first."""

    sha: str
    subject: str
    head: Head
    points: int
    percentile: float
    signals: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What looking at the review band costs, over the changes that were tested."""

    changes: int
    lines: int
    hours: float
    weeks: float
    caught: int
    bad: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BackTest:
    """The answer of a back-test.

    ``heads`` maps each head to the ranking of each score on the same changes, ``gains`` each score to its curve,
    ``ahead`` each baseline to how far gate's AUC is above it, with bounds. ``authors`` are changes, bad ones and those
    of them that would have been reviewed. ``passed_bad`` counts what ``missed`` begins to list.
    ``immediate`` are changes that were taken back within the hour (not bad ones), and those of them that would be
    reviewed.
    """

    changes: int
    tested: int
    budget: Budget
    first: str
    last: str
    base_rate: Mapping[Head, float]
    heads: Mapping[Head, Mapping[str, measures.Ranking]]
    gains: Mapping[str, tuple[float, ...]]
    ahead: Mapping[str, tuple[float, float, float]]
    calibration: Mapping[Head, measures.Calibration]
    authors: Mapping[str, tuple[int, int, int]]
    bands: tuple[Band, ...]
    catches: tuple[int, ...]
    missed: tuple[Missed, ...]
    passed_bad: int
    cost: Cost
    apart: Mapping[str, int]
    immediate: tuple[int, int]
    learned_from: int
    shallow: bool


def replay_scores(past: Past, prior: Learned, progress: Callable[[int, int], None] = lambda *_: None) -> Scores:
    """The scores of every change, each by weights that could be had on its day."""
    first = {one.id: one.above for one in prior.signals}
    columns = standing.replayed(past.values, first)
    classic = baselines.kamei_columns(past)
    count = len(past)
    points = {head: np.zeros(count) for head in Head}
    probability = {head: np.zeros(count) for head in Head}
    kamei = np.zeros(count)
    steps = np.zeros((count, columns.shape[1] if count else 0), dtype=np.float64)
    edges = _origins(count)
    for done, (start, end) in enumerate(edges):
        progress(done, len(edges))
        rows = learn.training_rows(past, int(past.number[start]), int(past.times[:start].max(initial=0)))
        for head in Head:
            bad = past.bad_before(head, int(past.number[start]))[rows]
            fitted = learn.fit_head(columns[rows], bad, prior, head)
            points[head][start:end] = fitted.points(columns[start:end])
            linear = (points[head][start:end] + fitted.intercept) / POINTS_PER_UNIT
            probability[head][start:end] = 1 / (1 + np.exp(-np.clip(linear, -40, 40)))
            if head is Head.ANY:
                steps[start:end] = fitted.steps
                kamei[start:end] = baselines.kamei(classic, rows, bad, slice(start, end))
    progress(len(edges), len(edges))
    return Scores(
        points=points[Head.ANY],
        probability=probability,
        by_head=points,
        baselines={"lines added": past.column(SIGNALS[0]), "churn": past.lines, "Kamei-14 regression": kamei},
        columns=columns,
        steps=steps,
    )


def examine(past: Past, scores: Scores, budget: Budget = Budget()) -> BackTest:
    """The figures of a back-test, on the last part of the history."""
    count = len(past)
    tested = slice(int(count * (1 - TESTED)), count)
    lines = past.lines[tested]
    rivals = {"gate": scores.points, **scores.baselines, "smallest first": -past.lines}
    heads = {}
    for head in Head:
        bad = past.bad(head)[tested]
        own = rivals | {"gate": scores.by_head[head]}
        heads[head] = {name: measures.ranking(bad, score[tested], lines) for name, score in own.items()}
    bad = past.bad(Head.ANY)[tested]
    both = bool(bad.any()) and not bool(bad.all())
    standing_of = _standings(scores.points)
    reviewed = standing_of >= 1 - budget.review
    return BackTest(
        changes=count,
        tested=len(bad),
        budget=budget,
        first=past.shas[tested.start],
        last=past.shas[-1],
        base_rate={head: float(past.bad(head)[tested].mean()) for head in Head},
        heads=heads,
        gains={name: measures.gain(bad, score[tested]) for name, score in rivals.items()},
        ahead={
            name: measures.difference(bad, scores.points[tested], score[tested])
            for name, score in (scores.baselines if both else {}).items()
        },
        calibration={
            head: measures.calibration(past.bad(head)[tested], scores.probability[head][tested]) for head in Head
        },
        authors=_authors(past.agent[tested], bad, reviewed[tested]),
        bands=bands(past, scores, budget),
        catches=catches(past, scores),
        missed=_missed(past, scores, standing_of, reviewed, tested.start),
        passed_bad=int((bad & ~reviewed[tested]).sum()),
        cost=_cost(past, reviewed, tested),
        apart=past.apart,
        immediate=_hits(past.immediate[tested], reviewed[tested]),
        learned_from=int(past.bad(Head.ANY)[: tested.start].sum()),
        shallow=past.shallow,
    )


def _hits(some: NDArray[np.bool_], reviewed: NDArray[np.bool_]) -> tuple[int, int]:
    return int(some.sum()), int((some & reviewed).sum())


def bands(past: Past, scores: Scores, budget: Budget = Budget()) -> tuple[Band, ...]:
    """From how many points on each budget is used up on the last changes, and what it caught in the tested part."""
    tested, above, bad = _tested(past, scores)
    points = scores.points[tested]
    found = []
    for share, asks in ((budget.review, BandAsk.REVIEW), (budget.senior, BandAsk.SENIOR)):
        caught = int((bad & (above >= 1 - share)).sum())
        least = int(np.quantile(points[-standing.WINDOW :], 1 - share, method="higher")) if len(points) else 0
        found.append(Band(share=share, points=least, caught=caught, bad=int(bad.sum()), asks=asks))
    return tuple(found)


def catches(past: Past, scores: Scores) -> tuple[int, ...]:
    """The bad changes of the tested part that stood in the top 1, 2, … 100 % on their day."""
    _, above, bad = _tested(past, scores)
    return tuple(int((bad & (above >= 1 - part / 100)).sum()) for part in range(1, 101))


def _tested(past: Past, scores: Scores) -> tuple[slice, Floats, NDArray[np.bool_]]:
    """The part that figures are of, where its changes stood on their day, and which of them are bad."""
    tested = slice(int(len(past) * (1 - TESTED)), len(past))
    return tested, _standings(scores.points)[tested], past.bad(Head.ANY)[tested]


def _origins(count: int) -> list[tuple[int, int]]:
    """The first part, and then ``ORIGINS`` parts of equal length."""
    edges = [0, *np.linspace(count * WARM_UP, count, ORIGINS + 1).astype(int).tolist()]
    return [(start, end) for start, end in pairwise(edges) if start < end]


def _standings(points: Floats) -> Floats:
    """The share of the last changes before each that had fewer points; half of the equal ones count."""
    found = np.zeros(len(points))
    for start in range(0, len(points), standing.BLOCK):
        before = np.sort(points[max(0, start - standing.WINDOW) : start] if start else points[: standing.BLOCK])
        block = points[start : start + standing.BLOCK]
        low, high = np.searchsorted(before, block, side="left"), np.searchsorted(before, block, side="right")
        found[start : start + standing.BLOCK] = (low + high) / 2 / len(before)
    return found


def _authors(
    agent: NDArray[np.bool_], bad: NDArray[np.bool_], reviewed: NDArray[np.bool_]
) -> dict[str, tuple[int, int, int]]:
    """Changes, bad ones and those of them that would have been reviewed, by who wrote them."""
    kinds = {"signs of an agent": agent, "no sign of an agent": ~agent}
    return {
        name: (int(one.sum()), int((one & bad).sum()), int((one & bad & reviewed).sum())) for name, one in kinds.items()
    }


def _missed(past: Past, scores: Scores, above: Floats, reviewed: NDArray[np.bool_], start: int) -> tuple[Missed, ...]:
    bad = past.bad(Head.ANY)
    rows = [row for row in range(start, len(past)) if bad[row] and not reviewed[row]]
    rows.sort(key=lambda row: (above[row], row))
    return tuple(
        Missed(
            sha=past.shas[row],
            subject=past.subjects[row],
            head=Head.REVERT if past.known_at[Head.REVERT][row] >= 0 else Head.REGRESSION,
            points=int(scores.points[row]),
            percentile=float(above[row]),
            signals=reasons(past, scores, row)[:STRONGEST],
        )
        for row in rows[:MOST_MISSED]
    )


def reasons(past: Past, scores: Scores, row: int) -> tuple[Reason, ...]:
    """What each signal of a change said on its day that had points, strongest first; in the words of ``gate check``."""
    gained = scores.columns[row] * scores.steps[row]
    found, at = [], 0
    for number, signal in enumerate(SIGNALS):
        part = slice(at, at + steps_of(signal))
        at = part.stop
        if points := int(gained[part].sum()):
            text = placing.sentence(signal, float(past.values[row, number]), int(scores.columns[row, part].sum()))
            found.append(Reason(signal=signal, points=points, text=text))
    return tuple(sorted(found, key=lambda one: -one.points))


def _cost(past: Past, looked_at: NDArray[np.bool_], tested: slice) -> Cost:
    reviewed = looked_at[tested]
    bad = past.bad(Head.ANY)[tested]
    lines = int(np.minimum(past.lines[tested], 1_000)[reviewed].sum())
    return Cost(
        changes=int(reviewed.sum()),
        lines=lines,
        hours=lines / LINES_PER_HOUR,
        weeks=_weeks(past.times[tested]),
        caught=int((bad & reviewed).sum()),
        bad=int(bad.sum()),
    )


def _weeks(times: NDArray[np.int64]) -> float:
    """How many weeks some changes took, one at least: nine tenths of them, scaled, as a commit may claim any date."""
    if not len(times):
        return 1.0
    first, last = np.quantile(times, (0.05, 0.95))
    return max(1.0, float(last - first) / 0.9 / (7 * 86_400))
