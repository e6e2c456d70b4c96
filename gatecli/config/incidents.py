"""The memory of a repository: ``.gate/incidents.yml`` says what went wrong, what caused it, and who ended it."""

import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import msgspec

from gatecli.config.document import Document, Problem, mismatches, parse, refuse
from gatecli.model import AgentName, FunctionId, Incident, IncidentSeverity, ProvenanceClass

INCIDENTS_PATH = ".gate/incidents.yml"
MAX_FUNCTIONS = 500
"""Of one incident: a cause that touched more points at nothing."""

ID = r"^[A-Za-z0-9#][A-Za-z0-9._#/:-]{0,99}$"

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Commit = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{7,64}$")]
_Function = Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f\x7f]{1,4096}::[^\x00-\x1f\x7f]{1,1000}$")]


class Agent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A tool that wrote the cause, and its model where that is known."""

    tool: _Name
    model: _Name | None = None


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An incident as it is written down."""

    id: Annotated[str, msgspec.Meta(pattern=ID)]
    date: datetime.date
    severity: IncidentSeverity
    caused_by: Annotated[tuple[_Commit, ...], msgspec.Meta(max_length=50)]
    lesson: _Text | None = None
    url: Annotated[str, msgspec.Meta(pattern=r"^https?://\S{1,2000}$")] | None = None
    provenance: ProvenanceClass | None = None
    agents: Annotated[tuple[Agent, ...], msgspec.Meta(max_length=50)] = ()
    functions: Annotated[tuple[_Function, ...], msgspec.Meta(max_length=MAX_FUNCTIONS)] = ()
    fixed_by: Annotated[tuple[_Commit, ...], msgspec.Meta(max_length=50)] = ()
    handled_by: Annotated[tuple[_Name, ...], msgspec.Meta(max_length=50)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    incidents: tuple[Entry, ...] | None = None


def read_incidents(read: Callable[[str], bytes | None]) -> tuple[Incident, ...]:
    """All incidents of a tree, in the order of the file; none without the file.

    Raises:
        UsageError: the file has problems: what it remembers is not known then.
    """
    data = read(INCIDENTS_PATH)
    return decode_incidents(data, INCIDENTS_PATH) if data is not None else ()


def decode_incidents(data: bytes, where: str) -> tuple[Incident, ...]:
    """The incidents of a file's content.

    Raises:
        UsageError: it has problems; the message lists every one with its line.
    """
    document = parse(data, where)
    if document.value is None:
        return ()
    refuse([*document.problems, *mismatches(document, _File)], where)
    entries = msgspec.convert(document.value, _File).incidents or ()
    refuse(_problems(document, entries), where)
    return tuple(map(_incident, entries))


def _problems(document: Document, entries: tuple[Entry, ...]) -> list[Problem]:
    problems = []
    first: dict[str, int] = {}
    for number, entry in enumerate(entries):
        line = document.lines.get(("incidents", number), 1)
        if first.setdefault(entry.id, line) != line:
            problems.append(Problem(line, f"incident {entry.id} is there already, at line {first[entry.id]}"))
        if not entry.caused_by and not entry.functions:
            problems.append(Problem(line, f"incident {entry.id} names no cause and no function"))
    return problems


def _incident(entry: Entry) -> Incident:
    return Incident(
        id=entry.id,
        day=entry.date,
        severity=entry.severity,
        caused_by=entry.caused_by,
        lesson=entry.lesson or "",
        url=entry.url,
        functions=tuple(map(function_id, entry.functions)),
        provenance=entry.provenance,
        agents=tuple(AgentName(tool=agent.tool, model=agent.model) for agent in entry.agents),
        fixed_by=entry.fixed_by,
        handled_by=entry.handled_by,
    )


def entry_of(incident: Incident) -> Entry:
    """An incident as it is written down."""
    return Entry(
        id=incident.id,
        date=incident.day,
        severity=incident.severity,
        caused_by=incident.caused_by,
        lesson=incident.lesson or None,
        url=incident.url,
        provenance=incident.provenance,
        agents=tuple(Agent(tool=agent.tool, model=agent.model) for agent in incident.agents),
        functions=tuple(map(str, incident.functions)),
        fixed_by=incident.fixed_by,
        handled_by=incident.handled_by,
    )


def function_id(text: str) -> FunctionId:
    """``path::qualname``; a path may hold two colons, a qualified name cannot."""
    path, _, qualname = text.rpartition("::")
    return FunctionId(path=path, qualname=qualname)


# What teams call the four: by number (SEV-1, P2, 3), or by word; a fifth is as minor as the fourth, 0 as grave as 1.
_SEVERITY = re.compile(r"(?:sev(?:erity)?|p(?:rio(?:rity)?)?)?[-_ :]?([0-5])", re.IGNORECASE)
_WORDS = {
    **dict.fromkeys(("critical", "blocker"), IncidentSeverity.SEV1),
    **dict.fromkeys(("high", "major"), IncidentSeverity.SEV2),
    **dict.fromkeys(("medium", "moderate"), IncidentSeverity.SEV3),
    **dict.fromkeys(("low", "minor"), IncidentSeverity.SEV4),
}


def severity_of(text: str) -> IncidentSeverity | None:
    """The severity that a word or number means; None where it means none."""
    if match := _SEVERITY.fullmatch(text.strip()):
        return IncidentSeverity(f"sev{min(4, max(1, int(match[1])))}")
    return _WORDS.get(text.strip().casefold())
