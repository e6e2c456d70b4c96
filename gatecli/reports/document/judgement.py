"""What speaks for and against the change: the profile that was asked, findings, points, incidents, the verdict."""

from typing import Annotated

import msgspec

from gatecli.model import (
    BandAsk,
    Closeness,
    Confidence,
    Decision,
    Grade,
    IncidentSeverity,
    Outcome,
    ProvenanceClass,
    ScorePart,
    Severity,
)
from gatecli.reports.document.units import Line, Object, Points, Seconds


class Reason(Object):
    """One sentence with a number a human can check; ``remedy`` is that of the finding behind it."""

    text: str
    points: Points
    rule: str | None
    path: str | None
    line: Line | None
    remedy: str | None


class Verdict(Object):
    """``decision`` is what the change needs, ``outcome`` what is left of it once sign-offs are counted."""

    decision: Decision
    outcome: Decision
    reasons: list[Reason]
    incomplete: Annotated[list[str], msgspec.Meta(description="Evidence that was asked for and could not be had.")]


class Match(Object):
    """How many touched functions the profile knows."""

    touched: int
    observed: int
    not_observed: int
    unmatched: int


class Profile(Object):
    """Which profile was asked and how far it can be trusted."""

    path: str
    service: str | None
    environment: str | None
    sources: list[str]
    window_s: Seconds | None
    revision: str | None
    commits_behind: int | None
    changed_since: int
    age_s: Seconds | None
    functions: int
    grade: Grade
    match: Match
    warnings: list[str]


class Evidence(Object):
    """A fact that a human can check."""

    kind: str
    text: str
    path: str | None
    line: Line | None
    value: float | None


class Finding(Object):
    """One rule's answer on one subject; an unknown or an error is never a pass."""

    rule: str
    code: str
    severity: Severity
    outcome: Outcome
    confidence: Confidence
    message: str
    path: str
    line: Line | None
    function: str | None
    points: Points
    evidence: list[Evidence]
    remedy: str
    fingerprint: str


class Without(Object):
    """What the change would be without this rule or feature; what the policy requires by name is taken to stay."""

    total: Points
    decision: Decision


class Contribution(Object):
    """Points with their reason. ``without`` is null where it adds nothing, and below the thirty strongest."""

    rule: str
    points: Points
    text: str
    part: ScorePart
    path: str | None
    line: Line | None
    function: str | None
    without: Without | None


class StandingBand(Object):
    """A share of changes that is looked at: from how many points on, by whom, and what it caught in the back-test."""

    share: Annotated[float, msgspec.Meta(gt=0, le=1)]
    points: Points
    asks: BandAsk
    caught: int
    bad: int


class PastChange(Object):
    """An earlier change that a signal speaks of; ``at`` is UTC epoch seconds."""

    sha: str
    subject: str
    at: int


class SignalEvidence(Object):
    """What a signal is about: the first of ``count`` files, functions or words, and an earlier change."""

    about: list[str]
    count: int
    change: PastChange | None


class SignalPoints(Object):
    """What one signal of the past adds, on the scale of the learned weights, and what it is about.

    ``without`` is the percentile without it, ``band_without`` the share of the band it would be in, null for none.
    """

    signal: str
    points: Points
    text: str
    evidence: SignalEvidence
    without: Annotated[float, msgspec.Meta(ge=0, le=1)] | None
    band_without: Annotated[float, msgspec.Meta(gt=0, le=1)] | None


class Caught(Object):
    """How many of the bad changes of the back-test stood in a top share of all changes."""

    share: Annotated[float, msgspec.Meta(gt=0, le=1)]
    caught: int
    bad: int


class Standing(Object):
    """The place among the last ``changes`` changes of this repository up to ``day``, by ``.gate/weights.yml``.

    Its points are no part of ``total``. Where ``problem`` says why the change was not ranked, they are null. Where
    ``missing`` says what of the past is not at hand, points and percentile are the least they can be. ``level`` is what
    looking at all changes from this one up caught in the back-test.
    """

    points: Points | None
    percentile: Annotated[float, msgspec.Meta(ge=0, le=1)] | None
    changes: int
    day: str
    band: StandingBand | None
    bands: list[StandingBand]
    level: Caught | None
    signals: list[SignalPoints]
    missing: str
    problem: str | None
    remedy: str


class Score(Object):
    """``total`` is ``likelihood`` plus ``exposure``; ``standing`` is null where nothing was learned here."""

    likelihood: Points
    exposure: Points
    total: Points
    percentile: Annotated[float, msgspec.Meta(description="Place among this repository's past changes, 0 to 1.")] | None
    standing: Standing | None
    contributions: list[Contribution]


class AgentName(Object):
    """A tool that wrote code, and its model where that is known."""

    tool: str
    model: str | None


class Incident(Object):
    """What went wrong before in touched functions (``same``), or one call from them (``neighbour``).

    ``freshness`` is 1 on the day of the incident and halves with every half-life since; ``functions`` are the touched
    ones, ``provenance`` and ``agents`` say who wrote the commits in ``caused_by``, null where nobody looked;
    ``handled_by`` who ended it, as its record or the commits that repaired it tell, but nobody who caused it.
    """

    id: str
    date: str
    severity: IncidentSeverity
    closeness: Closeness
    age_days: int
    freshness: float
    lesson: str
    url: str | None
    caused_by: list[str]
    provenance: ProvenanceClass | None
    agents: list[AgentName]
    functions: list[str]
    handled_by: list[str]
