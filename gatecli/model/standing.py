"""Where a change stands among those of its repository's past, by what became of them."""

from dataclasses import dataclass
from enum import StrEnum


class BandAsk(StrEnum):
    """Who looks at the changes of a band."""

    REVIEW = "review"
    SENIOR = "senior"


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingBand:
    """A share of changes that is looked at, from how many learned points on, and what that caught in the back-test.

    ``caught`` of ``bad`` changes; both 0 where no bad change is known.
    """

    share: float
    points: int
    caught: int
    bad: int
    asks: BandAsk = BandAsk.REVIEW


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalPoints:
    """What one signal of the past adds, and the sentence that says it."""

    signal: str
    points: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The place of a change by the weights that were learned from this repository's history.

    ``points`` and ``signals`` (strongest first) are on the scale of those weights: what the past says, without rules
    and without traffic. They are no part of the score's total. ``percentile`` is the share of the last ``changes``
    changes up to ``day`` that had fewer points, half of the equal ones counted; ``band`` the strictest one reached.

    Where ``problem`` says why the change could not be ranked, the figures are None; ``broken`` means that the weights
    themselves cannot be read.
    """

    points: int | None = None
    percentile: float | None = None
    changes: int = 0
    day: str = ""
    signals: tuple[SignalPoints, ...] = ()
    bands: tuple[StandingBand, ...] = ()
    band: StandingBand | None = None
    problem: str | None = None
    remedy: str = ""
    broken: bool = False
