"""What went wrong before, and in which functions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from gatecli import config
from gatecli.model import Blast, ChangeKind, FunctionChange, FunctionHistory, FunctionId, Incident, Recollection, Usage
from gatecli.pipeline.evidence import notes_of_git_ai
from gatecli.sources import source
from gatecli.sources.source import Source

if TYPE_CHECKING:
    from gatecli.history.causes import Cause
    from gatecli.history.memory import Surroundings


MAX_CAUSES_FOLLOWED = 5
"""Causes of incidents from which moved files are followed: each takes git a comparison of two trees."""


def recall_incidents(
    origin: Source,
    functions: tuple[FunctionChange, ...],
    history: Mapping[FunctionId, FunctionHistory],
    usage: Mapping[FunctionId, Usage],
    blast: Mapping[FunctionId, Blast],
    *,
    half_life_days: float,
    now: int,
) -> tuple[Recollection, ...]:
    """What went wrong before in some functions, as the newest base knows it."""
    from gatecli.config.incidents import read_incidents
    from gatecli.history import memory

    incidents = read_incidents(origin.governing.read)
    if not incidents:
        return ()
    around = _surroundings(origin, functions, incidents, usage, blast)
    return memory.recall(incidents, functions, history, around, now=now, half_life_days=half_life_days)


def _surroundings(
    origin: Source,
    functions: tuple[FunctionChange, ...],
    incidents: Sequence[Incident],
    usages: Mapping[FunctionId, Usage],
    blasts: Mapping[FunctionId, Blast],
) -> "Surroundings":
    """Who is next to the touched functions, and which functions stand before the change."""
    from gatecli.history.memory import Surroundings
    from gatecli.syntax import match
    from gatecli.syntax.callees import callees
    from gatecli.syntax.languages import is_read, read_functions

    names = {id.name.encode() for incident in incidents for id in incident.functions}

    files = cache(lambda: frozenset(origin.base.paths()))
    touched = {change.before.id.path for change in functions if change.before is not None}

    @cache
    def standing(path: str) -> frozenset[FunctionId]:
        content = origin.base.read(path) if is_read(path) else None
        return frozenset(one.id for one in read_functions(path, content)) if content is not None else frozenset()

    @cache
    def called(path: str) -> Mapping[FunctionId, tuple[FunctionId, ...]]:
        content = origin.head.read(path)
        named = content is not None and any(name in content for name in names)
        return callees(origin.head, path) if named else {}

    def neighbours(change: FunctionChange) -> Iterator[FunctionId]:
        usage, blast = usages.get(change.id), blasts.get(change.id)
        yield from (caller.id for caller in (blast.callers if blast else ()) if caller.depth == 1)
        yield from (*usage.callers, *usage.callees) if usage else ()
        yield from called(change.id.path).get(change.id, ())

    followed: list[str] = []

    def moved(incident: Incident) -> Mapping[FunctionId, FunctionId]:
        """Where the functions went that stood in files which are gone."""
        found: dict[FunctionId, FunctionId] = {}
        gone = [id for id in incident.functions if id.path not in files()]
        paths = {id.path for id in gone}
        for cause in incident.caused_by[: MAX_CAUSES_FOLLOWED - len(followed)]:
            followed.append(cause)
            if touched <= origin.standing_at(cause, touched):
                continue  # no file was moved here since
            drift = origin.drift(cause, lambda pairs: [new for old, new in pairs if old in paths])
            renamed = {file.old_path: file.path for file in drift.files} if drift is not None else {}
            found.update({id: replace(id, path=renamed[id.path]) for id in gone if id.path in renamed})
            # In a file that was also edited a function may be called otherwise.
            changes, _ = match.changed_functions(drift.files) if drift is not None else ((), ())
            found.update({change.before.id: change.id for change in changes if change.before is not None})
        return found

    return Surroundings(
        exists=lambda id: id in standing(id.path),
        has_file=lambda path: path in files(),
        neighbours=neighbours,
        moved=moved,
    )


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
