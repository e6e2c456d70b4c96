"""What a policy may require, as it is written: conditions, asks, tiers, pace.

Numbers in a condition mean "at least". There is no regular expression anywhere: patterns of paths are gitignore's, and
names may end in ``*``.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

import msgspec

from gatecli.model import Binding, IncidentSeverity, Mode, ProvenanceClass, SignerKind

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Texts = Annotated[tuple[Text, ...], msgspec.Meta(max_length=500)]
Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Hours = Annotated[float, msgspec.Meta(ge=0, le=8_760)]
Clock = Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$")]


class IncidentsAsked(msgspec.Struct, frozen=True, kw_only=True):
    """How many incidents came from the touched functions, at least: of those that are as grave, and as young.

    ``severity`` counts those and what is graver, ``within_days`` those that began so many days ago at most;
    ``neighbours`` counts the incidents of functions one call away as well.
    """

    count: Count = 1
    within_days: Count | None = None
    severity: IncidentSeverity | None = None
    neighbours: bool = False


class Condition(msgspec.Struct, frozen=True, kw_only=True, rename={"not_": "not"}):
    """Everything that is named has to hold; an empty condition always does.

    What is not known counts as if it held: missing evidence never asks for less.
    """

    all: tuple["Condition", ...] | None = None
    any: tuple["Condition", ...] | None = None
    not_: "Condition | None" = None
    tier: Name | None = None
    provenance: tuple[ProvenanceClass, ...] | None = None
    tools: Texts | None = None
    operator_in: Texts | None = None
    author_in: Texts | None = None
    paths: Texts | None = None
    only_paths: Texts | None = None
    zones: Texts | None = None
    files: Count | None = None
    lines: Count | None = None
    rules: Texts | None = None
    points: Count | None = None
    likelihood: Count | None = None
    top_share: Share | None = None
    traffic_share: Share | None = None
    calls_per_minute: Annotated[float, msgspec.Meta(ge=0)] | None = None
    entry_points: Texts | None = None
    services: Texts | None = None
    destructive_schema: Literal[True] | None = None
    irreversible: Literal[True] | None = None
    crosses_boundary: Literal[True] | None = None
    incidents: Count | IncidentsAsked | None = None
    drift: Literal["outside_scope", "undeclared"] | None = None


EVIDENCE = frozenset(
    {
        *("rules", "points", "likelihood", "traffic_share", "calls_per_minute", "entry_points", "services"),
        *("top_share", "destructive_schema", "irreversible", "crosses_boundary", "incidents"),
    }
)
"""Conditions that look at what was found: more of it must never ask for less, so no ``not`` stands before one."""


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """Who has to say yes: ``count`` different people (or agents) of a role or of a list, each bound to the content.

    ``another_model`` wants an agent whose model family is none of those that wrote the change. In ``any`` one of
    several asks is enough, ``all`` wants each of them.
    """

    count: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1
    kind: SignerKind = SignerKind.HUMAN
    role: Literal["anyone", "senior", "owner"] = "anyone"
    among: Texts | None = None
    another_model: bool = False
    bind: Binding = Binding.FILES
    sources: Texts | None = None
    any: tuple["Ask", ...] | None = None
    all: tuple["Ask", ...] | None = None


class Required(msgspec.Struct, frozen=True, kw_only=True, rename={"if_": "if"}):
    """A named requirement: when it applies, and every ask of it; one without ``requires`` is met where it applies."""

    name: Name
    why: Text = ""
    if_: Condition = msgspec.field(default_factory=Condition)
    requires: Annotated[tuple[Ask, ...], msgspec.Meta(max_length=50)] = ()
    mode: Mode = Mode.ENFORCE
    level: Literal["review", "block"] = "review"


class Border(msgspec.Struct, frozen=True, kw_only=True):
    """What the code of a zone may reach beyond it: the zones it imports from, and the hosts it talks to."""

    imports: Annotated[tuple[Name, ...], msgspec.Meta(max_length=500)] = ()
    hosts: Texts = ()


class CoolingOff(msgspec.Struct, frozen=True, kw_only=True):
    """How long a content has to lie before it merges, from when its digest was first seen; the longest counts."""

    hours: Hours = 0
    hours_per_100_lines: Hours = 0
    tiers: Mapping[Name, Hours] = {}
    at_most_hours: Hours = 168
    waived_by: Annotated[int, msgspec.Meta(ge=1, le=100)] | None = None


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """When a change may merge: days and hours of the clock on the wall of an IANA zone; the end does not belong to it.

    ``until`` before ``start`` is past midnight, on the day after those that are named.
    """

    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...]
    start: Clock = "00:00"
    until: Clock = "24:00"
    zone: Name = "UTC"


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """How many agent-written changes may pass within some hours, in each service or in the whole repository."""

    changes: Count
    hours: Annotated[float, msgspec.Meta(gt=0, le=8_760)] = 24
    per: Literal["service", "repository"] = "repository"


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """How many lines may pass within some days without a human who approved them."""

    lines: Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]
    days: Annotated[float, msgspec.Meta(gt=0, le=366)] = 7


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How fast changes may go; ``applies`` says to which, None: all.

    ``review_seconds_per_100_lines`` is the least time between a push and an approval of it that counts.
    """

    applies: Condition = msgspec.field(default_factory=Condition)
    cooling_off: CoolingOff | None = None
    review_seconds_per_100_lines: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 0
    windows: Annotated[tuple[Window, ...], msgspec.Meta(max_length=50)] = ()
    limits: Annotated[tuple[Limit, ...], msgspec.Meta(max_length=50)] = ()
    budget: Budget | None = None


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """Who may lift open requirements off one change, how many of them together, and for how long at most."""

    signed_by: Annotated[tuple[Text, ...], msgspec.Meta(min_length=1, max_length=500)]
    count: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1
    at_most_hours: Annotated[float, msgspec.Meta(gt=0, le=720)] = 24


class Grants(msgspec.Struct, frozen=True, kw_only=True):
    """Who may excuse changes of a kind beforehand, and for how long at most."""

    signed_by: Annotated[tuple[Text, ...], msgspec.Meta(min_length=1, max_length=500)]
    at_most_days: Annotated[float, msgspec.Meta(gt=0, le=366)] = 30


def parts(condition: Condition) -> Iterator[tuple[Condition, bool]]:
    """A condition and all that stand in it, each with whether an odd number of ``not`` stands before it."""
    waiting = [(condition, False)]
    while waiting:
        one, negated = waiting.pop()
        yield one, negated
        waiting += [(part, negated) for part in (*(one.all or ()), *(one.any or ()))]
        waiting += [(one.not_, not negated)] if one.not_ is not None else []


def looks_at_evidence(condition: Condition, tiers: Mapping[str, Condition]) -> bool:
    """Whether it depends on what was found, itself or by a tier."""
    return any(
        any(getattr(one, name) is not None for name in EVIDENCE)
        or (one.tier is not None and one.tier in tiers and looks_at_evidence(tiers[one.tier], tiers))
        for one, _ in parts(condition)
    )
