"""Weights that history teaches: points for where a change stands among the changes of its repository.

Every signal has up to four thresholds, the values at fixed percentiles of a repository's past, and for each head the
points of every step reached: they never fall and are never negative. A head is one kind of bad outcome: a
regression that a later change names, a revert, or either.

The same document is the prior that gate ships (``rules/prior.yml``) and what ``gate learn`` writes
(``.gate/weights.yml``).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Annotated, Literal

import msgspec

from gatecli.config import decode, read_data
from gatecli.errors import UsageError
from gatecli.history.replay import SIGNALS, Signal

PATH = ".gate/weights.yml"
PRIOR = "prior.yml"
PERCENTILES = (0.50, 0.75, 0.90, 0.97)
POINTS_PER_UNIT = 10 / math.log(2)
"""Points for one unit of log-odds: +10 doubles the odds."""

YES_OR_NO = frozenset(
    {
        *(Signal.FOLLOW_UP, Signal.RELAND, Signal.UNDOES, Signal.FIX, Signal.NOT_FIX, Signal.PRODUCT),
        *(Signal.SETTINGS, Signal.SWITCH, Signal.UPGRADE, Signal.SPEED, Signal.REMOVE, Signal.REWORK),
        *(Signal.TRY, Signal.ADD, Signal.TESTLESS, Signal.AGENT, Signal.AGAIN),
    }
)
"""Signals that are there or not: they have one step."""


class Head(StrEnum):
    """What a probability is one of."""

    ANY = "any"
    REVERT = "revert"
    REGRESSION = "regression"


Points = Annotated[int, msgspec.Meta(ge=0, le=100)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalWeight:
    """The steps of one signal: a value above ``above[i]`` has reached step i, for ``points[head][i]`` in all.

    ``prior`` are the points that it was learned from, ``low`` and ``high`` the bounds of 95 % of the highest step, and
    ``count`` the changes that reached the first one; None in the prior itself.
    """

    id: Signal
    above: tuple[float, ...]
    points: Mapping[Head, tuple[Points, ...]]
    prior: Mapping[Head, tuple[Points, ...]] | None = None
    low: Mapping[Head, int] | None = None
    high: Mapping[Head, int] | None = None
    count: int | None = None

    def steps(self, value: float) -> int:
        """How many steps a value has reached."""
        return sum(value > one for one in self.above)


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A share of changes that is looked at, from how many points on, and how many of the bad ones that held."""

    share: Annotated[float, msgspec.Meta(gt=0, le=1)]
    points: int
    caught: int
    bad: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Taught:
    """What the weights come from: the newest commit that was read, its day, changes, and bad ones by head."""

    day: str
    changes: int
    bad: Mapping[Head, int]
    revision: str | None = None
    repositories: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """All weights, the intercept of each head in points, and where past changes stood.

    ``standing`` are the totals at each percentile from 0 to 100; ``bands`` what the last back-test caught.
    """

    schema: Literal["gate-weights/1"]
    taught: Taught
    intercepts: Mapping[Head, float]
    signals: tuple[SignalWeight, ...]
    standing: tuple[int, ...] = ()
    bands: tuple[Band, ...] = field(default=())

    def points(self, signal: Signal, value: float, head: Head = Head.ANY) -> int:
        """The points of a signal's value for a head; 0 for a signal that has no weight."""
        weight = self.by_signal().get(signal)
        reached = weight.steps(value) if weight else 0
        return weight.points[head][reached - 1] if weight and reached else 0

    def by_signal(self) -> dict[Signal, SignalWeight]:
        """The weights by their signal."""
        return {weight.id: weight for weight in self.signals}

    def probability(self, points: float, head: Head) -> float:
        """The probability that goes with a head's points."""
        return 1 / (1 + math.exp(-(points + self.intercepts[head]) / POINTS_PER_UNIT))

    def percentile(self, points: int) -> float | None:
        """The share of past changes with fewer points, 0..1; None where none are recorded."""
        if len(self.standing) < 2:
            return None
        return sum(one < points for one in self.standing) / len(self.standing)


def read_learned(data: bytes, where: str) -> Learned:
    """Weights from YAML.

    Raises:
        UsageError: not valid, a signal weighed twice, or points that fall from one step to the next.
    """
    learned = decode(data, Learned, where)
    ids = [weight.id for weight in learned.signals]
    for weight in learned.signals:
        if ids.count(weight.id) > 1:
            raise UsageError(f"{where}: {weight.id} is weighed twice", "keep one")
        if list(weight.above) != sorted(weight.above):
            raise UsageError(f"{where}: the thresholds of {weight.id} do not rise", "order them")
        for head, points in weight.points.items():
            if len(points) != len(weight.above) or list(points) != sorted(points):
                raise UsageError(
                    f"{where}: {weight.id} needs {len(weight.above)} points for {head} that do not fall",
                    "gate learn writes them",
                )
    return learned


@cache
def prior() -> Learned:
    """The weights that gate ships, learned from public repositories."""
    return read_learned(read_data(PRIOR), f"rules/{PRIOR}")


def steps_of(signal: Signal) -> int:
    """How many steps a signal can have."""
    return 1 if signal in YES_OR_NO else len(PERCENTILES)


COLUMNS = tuple((signal, step) for signal in SIGNALS for step in range(1, steps_of(signal) + 1))
"""A column of the regression: the change has reached a step of a signal."""
