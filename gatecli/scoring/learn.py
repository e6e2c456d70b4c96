"""Weights from a repository's own outcomes, drawn to the prior: few labels move them little, and never by much."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from gatecli.history.signals import SIGNALS
from gatecli.scoring import fitting, standing
from gatecli.scoring.learned import POINTS_PER_UNIT, Band, Head, Learned, SignalWeight, Taught, steps_of
from gatecli.scoring.past import MAX_FILES, Past

ENOUGH_BAD = 30
"""With fewer known bad changes the prior stays and only the intercept moves (reference: §6)."""
RIDGE = 30.0
"""How strongly weights are drawn to the prior: the value that the reference found to work (§2.3)."""
MOST_MOVED = 10
"""Points by which one refit may move a step."""
LAST = 1_000
"""The intercept is that of so many last changes, or of all where those hold too few bad ones; places are among them."""
DECIMALS = 4

Floats = NDArray[np.float64]
_DAY = 86_400
_LAST_DAY = 253_402_214_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """The points of one head by column of the design, cumulative within a signal; its intercept in points."""

    steps: Floats
    intercept: float
    low: Floats
    high: Floats
    is_local: bool

    def points(self, columns: NDArray[np.float32]) -> Floats:
        """The points of changes, from their columns."""
        return np.asarray(columns @ self.steps, dtype=np.float64)


def increments(weights: Learned, head: Head) -> Floats:
    """The points that each further step of each signal adds, in the order of the columns."""
    known = weights.by_signal()
    found: list[float] = []
    for signal in SIGNALS:
        points = known[signal].points.get(head, ()) if signal in known else ()
        padded = [*points, *[points[-1] if points else 0] * (steps_of(signal) - len(points))]
        found += [after - before for before, after in zip([0, *padded], padded, strict=False)]
    return np.array(found, dtype=np.float64)


def fit_head(columns: NDArray[np.float32], bad: NDArray[np.bool_], weights: Learned, head: Head) -> Fitted:
    """The points of a head, from rows whose outcome is known."""
    prior = increments(weights, head)
    outcome = bad.astype(np.float64)
    is_local = int(bad.sum()) >= ENOUGH_BAD and not bad.all()
    steps, spread = prior, np.zeros(len(prior))
    if is_local:
        learned, _, error = fitting.fit(columns, outcome, prior=prior / POINTS_PER_UNIT, ridge=RIDGE)
        moved = np.clip(learned * POINTS_PER_UNIT, prior - MOST_MOVED, prior + MOST_MOVED)
        steps, spread = np.maximum(np.rint(moved), 0), error * POINTS_PER_UNIT
    linear = columns @ steps / POINTS_PER_UNIT
    last = slice(-LAST, None) if outcome[-LAST:].sum() >= ENOUGH_BAD else slice(None)
    base = weights.intercepts[head]
    if len(outcome):
        base = fitting.intercept(linear[last], outcome[last]) * POINTS_PER_UNIT
    return Fitted(
        steps=steps,
        intercept=float(base),
        low=np.maximum(0, steps - 1.96 * spread),
        high=steps + 1.96 * spread,
        is_local=is_local,
    )


def training_rows(past: Past, number: int, at: int) -> NDArray[np.int64]:
    """The rows that may be learned from on a day: old enough for their outcome to be known, and no imports.

    Nor those that were taken back within the hour: neither a fault that anybody met nor a change that held.
    """
    old = (past.number < number) & (past.times <= at - past.gap_days(number) * _DAY) & (past.files <= MAX_FILES)
    return np.flatnonzero(old & ~past.immediate)


def learn(past: Past, weights: Learned) -> Learned:
    """The weights of a repository, from all of its past."""
    first: standing.Thresholds = {one.id: one.above for one in weights.signals}
    above = first
    if len(past) >= standing.ENOUGH:
        found = standing.thresholds(past.values[-standing.WINDOW :])
        # As they are written: who reads the file must count as who wrote it.
        above = {signal: tuple(round(value, DECIMALS) for value in values) for signal, values in found.items()}
    columns = standing.replayed(past.values, first)
    newest = int(past.times.max()) if len(past) else 0
    rows = training_rows(past, int(past.number.max()) + 1 if len(past) else 0, newest)
    heads = {head: fit_head(columns[rows], past.bad(head)[rows], weights, head) for head in Head}
    totals = standing.reached(past.values[-LAST:], above) @ heads[Head.ANY].steps if len(past) else np.zeros(0)
    return replace(
        weights,
        taught=Taught(
            day=_day(newest),
            changes=len(rows),
            bad={head: int(past.bad(head)[rows].sum()) for head in Head},
            revision=past.shas[-1] if len(past) else None,
        ),
        intercepts={head: round(heads[head].intercept, 1) for head in Head},
        signals=tuple(_weights(past, heads, weights, above)),
        compared=len(totals),
        standing=tuple(int(value) for value in np.percentile(totals, range(101), method="lower"))
        if len(totals)
        else (),
        bands=(),
        catches=(),
    )


def _day(at: int) -> str:
    """The day of a commit, the last one that a calendar has for what git dates later."""
    return datetime.fromtimestamp(min(at, _LAST_DAY), UTC).date().isoformat()


def with_bands(learned: Learned, bands: tuple[Band, ...], catches: tuple[int, ...] = ()) -> Learned:
    """The weights with bands that begin where their own points have no more than the share of changes above them.

    ``catches`` are the bad changes that stood in the top 1, 2, … 100 % of the back-test.
    """
    most = learned.standing[-1] + 1 if learned.standing else 0
    starts = {
        band.share: next(points for points in range(most + 1) if (learned.percentile(points) or 0) >= 1 - band.share)
        for band in (bands if learned.standing else ())
    }
    return replace(
        learned,
        bands=tuple(replace(band, points=starts[band.share]) for band in bands if band.share in starts),
        catches=catches if learned.standing else (),
    )


def _weights(
    past: Past, heads: Mapping[Head, Fitted], weights: Learned, above: standing.Thresholds
) -> list[SignalWeight]:
    known, found, at = weights.by_signal(), [], 0
    for signal in SIGNALS:
        part = slice(at, at + steps_of(signal))
        at = part.stop
        if signal not in known:
            continue
        points = {head: _cumulative(fitted.steps[part]) for head, fitted in heads.items()}
        found.append(
            SignalWeight(
                id=signal,
                above=above[signal],
                points=points,
                prior=known[signal].points,
                low={head: int(fitted.low[part].sum()) for head, fitted in heads.items() if fitted.is_local},
                high={head: int(np.ceil(fitted.high[part].sum())) for head, fitted in heads.items() if fitted.is_local},
                count=int((past.column(signal) > above[signal][0]).sum()),
            )
        )
    return found


def _cumulative(steps: Floats) -> tuple[int, ...]:
    return tuple(int(value) for value in np.cumsum(steps))
