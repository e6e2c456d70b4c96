"""Where a change stands among those of its repository's past, by what became of them."""

import math
from dataclasses import dataclass, field
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
class PastChange:
    """An earlier change that a signal speaks of; ``at`` is when it was committed, in UTC epoch seconds."""

    sha: str
    subject: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalEvidence:
    """What a signal of the past is about: files, functions (``path::qualname``) or words, and an earlier change.

    ``about`` names the first few of ``count``.
    """

    about: tuple[str, ...] = ()
    count: int = 0
    change: PastChange | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalPoints:
    """What one signal of the past adds, the sentence that says it, and what it is about.

    ``without`` is the percentile that the change would have without it, ``band_without`` the share of the band.
    """

    signal: str
    points: int
    text: str
    evidence: SignalEvidence = field(default_factory=SignalEvidence)
    without: float | None = None
    band_without: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Caught:
    """How many of the bad changes of the back-test stood in a top share of all changes."""

    share: float
    caught: int
    bad: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The place of a change by the weights that were learned from this repository's history.

    ``points`` and ``signals`` (strongest first) are on the scale of those weights: what the past says, without rules
    and without traffic. They are no part of the score's total. ``percentile`` is the share of the last ``changes``
    changes up to ``day`` that had fewer points, half of the equal ones counted; ``band`` the strictest one reached,
    and ``level`` what looking at all changes from this one up caught in the back-test. ``catches`` are the bad changes
    in its top 1, 2, … 100 %.

    Where ``missing`` names what of the past is not at hand, ``points`` and ``percentile`` are the least that they can
    be, and a band that is not reached may still be.

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
    level: Caught | None = None
    catches: tuple[int, ...] = ()
    missing: str = ""
    problem: str | None = None
    remedy: str = ""
    broken: bool = False

    def caught_in(self, share: float) -> Caught | None:
        """What looking at the top share of changes caught in the back-test; None where that is not known."""
        if not self.catches:
            return None
        part = min(100, max(1, math.ceil(round(100 * share, 6))))
        return Caught(share=part / 100, caught=self.catches[part - 1], bad=self.catches[-1])
