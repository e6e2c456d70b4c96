"""What went wrong before in the touched functions, or one call from them, and how fresh that is.

A function is known again by its id, and by its lines: where the history of its lines leads to a commit that caused an
incident, it came from there whatever it is called today.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from gatecli.model import (
    ChangeKind,
    Closeness,
    FunctionChange,
    FunctionHistory,
    FunctionId,
    FunctionKind,
    HistoryStatus,
    Incident,
    Recollection,
)

_CONTAINERS = (FunctionKind.MODULE, FunctionKind.CLASS_BODY)
_CUT = (HistoryStatus.SHALLOW, HistoryStatus.UNAVAILABLE)
_SHORTEST = 7
"""Characters of the shortest name of a commit that is written down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What recalling asks about the code before the change.

    ``exists`` and ``has_file`` say whether a function and a file are there, ``neighbours`` which functions call a
    touched one or are called by it, ``moved`` what the functions of an incident are called today whose file is gone.
    """

    exists: Callable[[FunctionId], bool] = lambda _: True
    has_file: Callable[[str], bool] = lambda _: True
    neighbours: Callable[[FunctionChange], Iterable[FunctionId]] = lambda _: ()
    moved: Callable[[Incident], Mapping[FunctionId, FunctionId]] = lambda _: {}


def recall(
    incidents: Iterable[Incident],
    functions: Iterable[FunctionChange],
    history: Mapping[FunctionId, FunctionHistory],
    around: Surroundings,
    *,
    now: int,
    half_life_days: float,
) -> tuple[Recollection, ...]:
    """The incidents that a change brings to mind, freshest first; ``now`` is UTC epoch seconds.

    Functions that are new, or only reformatted, remember nothing. The body of a module or class remembers an incident
    only where its touched lines came from the cause: everything else that stands there is not what went wrong.
    """
    touched = _Touched.of(functions, history)
    found = []
    for incident in incidents if touched.functions else ():
        same = _same(incident, touched, around)
        near = () if same else _near(incident, touched, around)
        if same or near:
            days = max(0, (datetime.fromtimestamp(now, UTC).date() - incident.day).days)
            found.append(
                Recollection(
                    incident=incident,
                    closeness=Closeness.SAME if same else Closeness.NEIGHBOUR,
                    touched=tuple(sorted(same or near)),
                    age_days=days,
                    freshness=0.5 ** (days / half_life_days),
                )
            )
    return tuple(sorted(found, key=lambda one: (-one.freshness, one.incident.severity, one.incident.id)))


def remembered(
    history: Mapping[FunctionId, FunctionHistory], recalled: Iterable[Recollection]
) -> dict[FunctionId, FunctionHistory]:
    """The history of each function with the ids of the incidents that came from it."""
    names: dict[FunctionId, list[str]] = {}
    for one in recalled:
        for id in one.touched if one.closeness is Closeness.SAME else ():
            names.setdefault(id, []).append(one.incident.id)
    return {
        id: replace(past, incidents=tuple(names[id])) if id in names else past for id, past in history.items()
    }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Touched:
    """The touched functions that can remember, and by which past commits their lines were written."""

    functions: tuple[FunctionChange, ...]
    by_commit: Mapping[str, tuple[FunctionChange, ...]]
    history: Mapping[FunctionId, FunctionHistory]

    @classmethod
    def of(cls, functions: Iterable[FunctionChange], history: Mapping[FunctionId, FunctionHistory]) -> "_Touched":
        able = tuple(one for one in functions if one.before is not None and one.kind is not ChangeKind.COSMETIC)
        by_commit: dict[str, list[FunctionChange]] = {}
        for one in able:
            for commit in history[one.id].commits if one.id in history else ():
                by_commit.setdefault(commit[:_SHORTEST], []).append(one)
        return cls(functions=able, by_commit={name: tuple(found) for name, found in by_commit.items()}, history=history)

    def written_by(self, cause: str) -> list[FunctionChange]:
        """Those whose lines a commit left, of which the whole name or its beginning is known."""
        return [
            one
            for one in self.by_commit.get(cause[:_SHORTEST], ())
            if any(commit.startswith(cause) for commit in self.history[one.id].commits)
        ]

    def is_cut(self, function: FunctionChange) -> bool:
        """Whether its past is not known to the end."""
        past = self.history.get(function.id)
        return past is None or past.status in _CUT


def _same(incident: Incident, touched: _Touched, around: Surroundings) -> set[FunctionId]:
    """The touched functions that the incident came from."""
    listed = frozenset(incident.functions)
    by_lines = {one.id for cause in incident.caused_by for one in touched.written_by(cause)}
    found = set()
    for one in touched.functions:
        assert one.before is not None, "only functions that existed before can remember"
        if one.before.kind in _CONTAINERS:
            is_named = one.base_id in listed
            if (one.id in by_lines and (is_named or not listed)) or (is_named and touched.is_cut(one)):
                found.add(one.id)
        elif one.base_id in listed or (one.id in by_lines and not listed):
            found.add(one.id)
    return found or _elsewhere(incident, touched, by_lines, around)


def _elsewhere(
    incident: Incident, touched: _Touched, by_lines: set[FunctionId], around: Surroundings
) -> set[FunctionId]:
    """The touched functions that the incident's became: under another name, or in another file."""
    functions = [one for one in touched.functions if one.before and one.before.kind not in _CONTAINERS]
    renamed = {one.id for one in functions if one.id in by_lines}
    if renamed and not all(map(around.exists, incident.functions)):
        return renamed
    if all(around.has_file(id.path) for id in incident.functions):
        return set()
    today = set(around.moved(incident).values())
    return {one.id for one in functions if one.base_id in today}


def _near(incident: Incident, touched: _Touched, around: Surroundings) -> set[FunctionId]:
    """The touched functions that call one of the incident's, or are called by it."""
    listed = frozenset(incident.functions)
    if not listed:
        return set()
    return {one.id for one in touched.functions if not listed.isdisjoint(around.neighbours(one))}
