"""How risky, and what must happen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gatecli.model.functions import FunctionId
from gatecli.model.standing import Standing


class ScorePart(StrEnum):
    """Which of the two shown figures a contribution belongs to."""

    LIKELIHOOD = "likelihood"
    EXPOSURE = "exposure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """Points with their reason: +10 doubles the odds of a bad outcome, or the traffic touched."""

    rule: str
    points: int
    text: str
    part: ScorePart = ScorePart.LIKELIHOOD
    path: str | None = None
    line: int | None = None
    function: FunctionId | None = None


class Decision(StrEnum):
    """The gate's answer."""

    PASS = "pass"
    REVIEW = "review"
    BLOCK = "block"


@dataclass(frozen=True, slots=True, kw_only=True)
class Without:
    """What the change would be without one thing that adds points: the total that is left, and the decision then."""

    total: int
    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """``total = likelihood + exposure``; ``standing`` is where the repository's past puts this change.

    ``without`` says by rule (or feature) what would be if it had not added its points. ``standing`` is None where
    nothing was learned from the past here.
    """

    likelihood: int
    exposure: int
    total: int
    contributions: tuple[Contribution, ...] = ()
    standing: Standing | None = None
    by_function: Mapping[FunctionId, int] = field(default_factory=dict)
    without: Mapping[str, Without] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One sentence with a number a human can check, strongest first."""

    text: str
    points: int = 0
    rule: str | None = None
    path: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """``decision`` is what the change needs; ``outcome`` what is left of it once sign-offs are counted."""

    decision: Decision
    outcome: Decision
    reasons: tuple[Reason, ...] = ()
    incomplete: tuple[str, ...] = ()
