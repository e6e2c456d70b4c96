"""Weights that history teaches: points for where a change stands among the changes of its repository.

Every signal has up to four thresholds, the values at fixed percentiles of a repository's past, and for each head the
points of every step reached: they never fall and are never negative. A head is one kind of bad outcome: a
regression that a later change names, a revert, or either.

The same document is the prior that gate ships (``rules/prior.yml``) and what ``gate learn`` writes
(``.gate/weights.yml``).
"""

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from itertools import pairwise
from typing import Annotated, Literal

import msgspec

from gatecli.config import read_data
from gatecli.config.document import Document, Problem, mismatches, parse, refuse
from gatecli.errors import UsageError
from gatecli.history.signals import SIGNALS, Signal
from gatecli.model import BandAsk

PATH = ".gate/weights.yml"
SCHEMA = "gate-weights/1"
_A_SCHEMA = re.compile(r"gate-weights/\d{1,4}")
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
Total = Annotated[int, msgspec.Meta(ge=0, le=100_000)]
Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]
Threshold = Annotated[float, msgspec.Meta(ge=0, le=1e12)]
MAX_BANDS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalWeight:
    """The steps of one signal: a value above ``above[i]`` has reached step i, for ``points[head][i]`` in all.

    ``prior`` are the points that it was learned from, ``low`` and ``high`` the bounds of 95 % of the highest step, and
    ``count`` the changes that reached the first one; None in the prior itself.
    """

    id: Signal
    above: tuple[Threshold, ...]
    points: Mapping[Head, tuple[Points, ...]]
    prior: Mapping[Head, tuple[Points, ...]] | None = None
    low: Mapping[Head, Total] | None = None
    high: Mapping[Head, Total] | None = None
    count: Count | None = None

    def steps(self, value: float) -> int:
        """How many steps a value has reached."""
        return sum(value > one for one in self.above)


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A share of changes that is looked at, from how many points on and by whom, and how many bad ones that held."""

    share: Annotated[float, msgspec.Meta(gt=0, le=1)]
    points: Total
    caught: Count
    bad: Count
    asks: BandAsk = BandAsk.REVIEW


@dataclass(frozen=True, slots=True, kw_only=True)
class Taught:
    """What the weights come from: the newest commit that was read, its day, changes, and bad ones by head."""

    day: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    changes: Count
    bad: Mapping[Head, Count]
    revision: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{40,64}$")] | None = None
    repositories: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """All weights, the intercept of each head in points, and where past changes stood.

    ``standing`` are the totals at each percentile from 0 to 100 of the last ``compared`` changes; ``bands`` what the
    last back-test caught, and ``catches`` how many bad changes stood in its top 1, 2, … 100 %.
    """

    schema: Literal["gate-weights/1"]
    taught: Taught
    intercepts: Mapping[Head, Annotated[float, msgspec.Meta(ge=-10_000, le=10_000)]]
    signals: tuple[SignalWeight, ...]
    compared: Count = 0
    standing: tuple[Total, ...] = ()
    bands: tuple[Band, ...] = field(default=())
    catches: tuple[Count, ...] = ()

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
        """The share of past changes with fewer points, half of the equal ones counted, 0..1; None: none are recorded.

        As the back-test counts, so that what it says of a band holds for the changes that are put there.
        """
        if len(self.standing) < 2:
            return None
        return (bisect_left(self.standing, points) + bisect_right(self.standing, points)) / 2 / len(self.standing)


class OtherSchemaError(UsageError):
    """Weights that another version of gate wrote."""


def read_learned(data: bytes, where: str) -> Learned:
    """Weights from YAML.

    Raises:
        OtherSchemaError: they are of a schema that this version does not read.
        UsageError: not valid, or weights, places or bands that contradict themselves; every problem with its line.
    """
    document = parse(data, where)
    _refuse_other_schema(document, where)
    found = [*document.problems, *mismatches(document, Learned)]
    if not found:
        found = list(_contradictions(msgspec.convert(document.value, Learned), document))
    refuse(found, where)
    return msgspec.convert(document.value, Learned)


def _refuse_other_schema(document: Document, where: str) -> None:
    schema = document.value.get("schema") if isinstance(document.value, dict) else None
    if isinstance(schema, str) and _A_SCHEMA.fullmatch(schema) and schema != SCHEMA:
        line = document.lines.get(("schema",), 1)
        raise OtherSchemaError(
            f"{where}:{line}: another version of gate wrote it: schema {schema}, this one reads {SCHEMA}",
            "use that version here too, or run gate learn with this one and commit what it writes",
        )


def _contradictions(learned: Learned, document: Document) -> Iterator[Problem]:
    """What types cannot say. More of a signal, and a smaller band, must never be worth less."""
    for name, by_head in (("intercepts", learned.intercepts), ("taught.bad", learned.taught.bad)):
        if missing := [head for head in Head if head not in by_head]:
            yield document.problem(tuple(name.split(".")), f"{name} has no {', '.join(missing)}")
    seen: set[Signal] = set()
    for number, weight in enumerate(learned.signals):
        at = "signals", number
        if weight.id in seen:
            yield document.problem((*at, "id"), f"{weight.id} is weighed twice: keep one")
        seen.add(weight.id)
        if not 0 < len(weight.above) <= steps_of(weight.id) or list(weight.above) != sorted(weight.above):
            text = f"{weight.id} needs up to {steps_of(weight.id)} thresholds that do not fall"
            yield document.problem((*at, "above"), text)
        for head in Head:
            points = weight.points.get(head, ())
            if len(points) != len(weight.above) or list(points) != sorted(points):
                text = f"{weight.id} needs {len(weight.above)} points for {head} that do not fall"
                yield document.problem((*at, "points"), text)
    if list(learned.standing) != sorted(learned.standing) or len(learned.standing) not in (0, 101):
        yield document.problem(("standing",), "standing needs the totals at each percentile from 0 to 100, rising")
    if list(learned.catches) != sorted(learned.catches) or len(learned.catches) not in (0, 100):
        text = "catches needs the bad changes in the top 1 to 100 %, never falling"
        yield document.problem(("catches",), text)
    yield from _band_problems(learned.bands, document)


def _band_problems(bands: tuple[Band, ...], document: Document) -> Iterator[Problem]:
    if len(bands) > MAX_BANDS:
        yield document.problem(("bands",), f"{len(bands):,} bands, at most {MAX_BANDS} are read")
    for number, band in enumerate(bands):
        if band.caught > band.bad:
            text = f"a band cannot have caught {band.caught:,} of {band.bad:,} bad changes"
            yield document.problem(("bands", number, "caught"), text)
    for (number, wider), (_, narrower) in pairwise(enumerate(bands)):
        if narrower.share >= wider.share or narrower.points < wider.points:
            text = "of two bands the later is the smaller one, and begins at no fewer points"
            yield document.problem(("bands", number + 1), text)


@cache
def prior() -> Learned:
    """The weights that gate ships, learned from public repositories."""
    return read_learned(read_data(PRIOR), f"rules/{PRIOR}")


def steps_of(signal: Signal) -> int:
    """How many steps a signal can have."""
    return 1 if signal in YES_OR_NO else len(PERCENTILES)


COLUMNS = tuple((signal, step) for signal in SIGNALS for step in range(1, steps_of(signal) + 1))
"""A column of the regression: the change has reached a step of a signal."""
