"""What went wrong before, and in which functions."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gatecli import config
from gatecli.config import Config
from gatecli.model import (
    Blast,
    ChangeKind,
    FunctionChange,
    FunctionHistory,
    FunctionId,
    Incident,
    Person,
    Recollection,
    Usage,
)
from gatecli.pipeline.evidence import notes_of_git_ai
from gatecli.pipeline.governing import MAILMAP
from gatecli.pipeline.surroundings import Around
from gatecli.sources import source
from gatecli.sources.git import Repository
from gatecli.sources.source import Source

if TYPE_CHECKING:
    from gatecli.history.causes import Cause


MAX_REPAIRS = 50

MAX_HANDLED = 10
"""Recalled incidents, freshest first, of which it is asked who ended them: git is asked for each of their commits."""


def recall_incidents(
    origin: Source,
    functions: tuple[FunctionChange, ...],
    history: Mapping[FunctionId, FunctionHistory],
    usage: Mapping[FunctionId, Usage],
    blast: Mapping[FunctionId, Blast],
    settings: Config,
    *,
    now: int,
) -> tuple[Recollection, ...]:
    """What went wrong before in some functions, as the newest base knows it, and who ended it."""
    from gatecli.config.incidents import read_incidents
    from gatecli.history import memory

    incidents = read_incidents(origin.governing.read)
    if not incidents:
        return ()
    around = Around(
        origin=origin,
        touched={change.before.id.path for change in functions if change.before is not None},
        names={id.name.encode() for incident in incidents for id in incident.functions},
        usages=usage,
        blasts=blast,
    )
    surroundings = memory.Surroundings(
        exists=around.exists, has_file=around.has_file, neighbours=around.neighbours, moved=around.moved
    )
    half_life = settings.incidents.half_life_days
    recalled = memory.recall(incidents, functions, history, surroundings, now=now, half_life_days=half_life)
    return _with_handlers(origin, recalled, settings)


def _with_handlers(origin: Source, recalled: tuple[Recollection, ...], settings: Config) -> tuple[Recollection, ...]:
    """The incidents with those who ended them, as far as the record or the history of the base tells."""
    from gatecli.history.handling import handlers
    from gatecli.provenance import identity

    asked = recalled[:MAX_HANDLED]
    known = identity.directory(settings.people, origin.governing.tree.read(MAILMAP))
    at = origin.change.base or origin.start
    told = _repairs(origin.repository, at, [one.incident for one in asked]) if origin.repository and at else {}
    found = [
        replace(
            one,
            handlers=handlers(
                one.incident,
                fixed=told.get(one.incident.id, ()),
                caused=_authors(origin, one.incident.caused_by),
                identify=known.key,
            ),
        )
        for one in asked
    ]
    return (*found, *recalled[MAX_HANDLED:])


def _repairs(
    repository: Repository, at: str, incidents: Sequence[Incident]
) -> Mapping[str, Sequence[tuple[str, Person]]]:
    """By incident the commits that repaired it and who wrote them: as its record says, else as later messages do."""
    from gatecli.history.handling import repairing
    from gatecli.sources import messages

    silent = [one for one in incidents if not one.fixed_by]
    causes = [cause for one in silent for cause in one.caused_by]
    since = min((one.day for one in silent), default=None)
    later = messages.mentioning(repository, at, causes, since=since) if since is not None else ()
    found = {one.id: [(fix.sha, fix.author) for fix in repairing(one, later)] for one in silent}
    for one in incidents:
        for commit in one.fixed_by:
            found.setdefault(one.id, []).extend((commit, who) for who in messages.authors(repository, commit))
    return found


def _authors(origin: Source, commits: Sequence[str]) -> list[Person]:
    from gatecli.sources import messages

    repository = origin.repository
    return [who for commit in commits for who in messages.authors(repository, commit)] if repository else []


def with_repairs(directory: Path, incident: Incident) -> Incident:
    """An incident with the whole ids of the commits that repaired it: those it names, else those that say they did.

    Raises:
        UsageError: there is no such commit.
    """
    from gatecli.history.handling import repairing
    from gatecli.sources import messages

    repository = Repository.open(directory)
    named = tuple(map(repository.resolve, incident.fixed_by))
    if not named:
        later = messages.mentioning(repository, repository.resolve("HEAD"), incident.caused_by, since=incident.day)
        named = tuple(one.sha for one in repairing(incident, later))
    return replace(incident, fixed_by=tuple(dict.fromkeys(named))[:MAX_REPAIRS])


def trace_cause(directory: Path, revision: str) -> "Cause":
    """What a past commit changed, against its (first) parent.

    Raises:
        UsageError: there is no such commit.
        EvidenceError: the clone lacks its parent or some of its content.
    """
    from gatecli.history.causes import Cause
    from gatecli.provenance import agent_trace, trailers
    from gatecli.rules.paths import matches
    from gatecli.syntax import match

    origin = source.open_commit(directory, revision)
    settings, _ = config.load(origin.base.read)
    change = origin.change
    assert change.head is not None, "a commit is its own head"
    changed, _ = match.changed_functions(change.files)
    functions = [
        one.id
        for one in changed
        if one.kind is not ChangeKind.COSMETIC and not matches(settings.paths.tests, one.id.path)
    ]
    return Cause(
        commit=change.head,
        subject=change.revisions[0].subject,
        functions=tuple(functions),
        provenance=trailers.read(
            change,
            people=settings.people,
            attested=notes_of_git_ai(origin),
            traces=origin.head.read(agent_trace.PATH),
        ),
    )
