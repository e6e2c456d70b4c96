"""Points for touching again what an incident came from: ``rules/incidents.yml``."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated

import msgspec

from gatecli.config import decode, read_data
from gatecli.model import Case, Closeness, Contribution, FunctionId, IncidentSeverity, Recollection

RULE = "incident-memory"
MOST_OF_LESSON = 120
"""Characters of a lesson in a reason; the reports' lists of incidents have all of it."""

_Points = Annotated[int, msgspec.Meta(ge=0, le=100)]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryWeights:
    """What an incident is worth on its day, by severity; the part for a neighbour; the most of all together."""

    severities: Mapping[IncidentSeverity, _Points]
    neighbour: Annotated[float, msgspec.Meta(ge=0, le=1)]
    most_points: _Points
    source: str

    def points(self, one: Recollection) -> int:
        """The points of one incident, as fresh and as near as it is."""
        part = 1.0 if one.closeness is Closeness.SAME else self.neighbour
        return round(self.severities.get(one.incident.severity, 0) * one.freshness * part)


@cache
def memory_weights() -> MemoryWeights:
    """The shipped weights."""
    return decode(read_data("incidents.yml"), MemoryWeights, "rules/incidents.yml")


def contributions(case: Case) -> Iterator[Contribution]:
    """One contribution an incident that is not forgotten, most points first, as far as they go."""
    weights = memory_weights()
    left = weights.most_points
    for points, one in sorted(((weights.points(one), one) for one in case.incidents), key=lambda pair: -pair[0]):
        given = min(points, left)
        left -= given
        if given:
            yield _contribution(case, one, given)


def of_function(case: Case, function: FunctionId) -> int:
    """What the incidents that touch one function are worth."""
    weights = memory_weights()
    return min(weights.most_points, sum(weights.points(one) for one in case.incidents if function in one.touched))


def _contribution(case: Case, one: Recollection, points: int) -> Contribution:
    first = next(function for function in case.functions if function.id == one.touched[0])
    return Contribution(
        rule=RULE,
        points=points,
        text=said(one),
        path=first.id.path,
        line=first.after.span.def_line if first.after else None,
        function=first.id,
    )


def said(one: Recollection) -> str:
    """What is remembered, in one sentence."""
    incident = one.incident
    name = one.touched[0].name if one.touched[0].qualname != "<module>" else f"the body of {one.touched[0].path}"
    more = f" and {len(one.touched) - 1:,} more" if len(one.touched) > 1 else ""
    how = "came from" if one.closeness is Closeness.SAME else "came from what stands one call from"
    text = f"incident {incident.id} ({incident.severity}, {incident.day}) {how} {name}{more}"
    if not incident.lesson:
        return text
    lesson = incident.lesson if len(incident.lesson) <= MOST_OF_LESSON else incident.lesson[: MOST_OF_LESSON - 1] + "…"
    return f"{text}; lesson: {' '.join(lesson.split())}"
