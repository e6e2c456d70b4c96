"""Who is reached when a touched function misbehaves: its callers, theirs, up to the entry points.

One search for all touched functions: each level asks the tree once for the files that hold the wanted names. Certain
callers are followed; possible ones (an unknown receiver) and users of a touched class body are named but not followed,
or everything would reach everything. Edges that the profile saw are followed as well.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

from gatecli.model import (
    Blast,
    Caller,
    Certainty,
    ChangeKind,
    EdgeBasis,
    FunctionChange,
    FunctionId,
    FunctionKind,
    Tree,
)
from gatecli.syntax.calls import MAX_SITES, Target, Use, target_of, uses_in
from gatecli.syntax.entrypoints import EntryPoints
from gatecli.syntax.imports import Project, names_of
from gatecli.syntax.indexed import IndexedTree
from gatecli.syntax.inference.engine import Inference
from gatecli.syntax.inference.program import Program

if TYPE_CHECKING:
    from gatecli.syntax.types import TypeServer

# Bounds of one search, so that cost follows the diff: a bound that was hit shows as ``truncated``.
MAX_TARGETS = 300
MAX_DEPTH = 6
MAX_FILES = 250
MAX_UNLIKELY_FILES = 60
MAX_UNLIKELY_FURTHER_UP = 10
MAX_NODES = 300
MAX_CALLERS = 60
MAX_POSSIBLE = 20
MAX_CALLS_KEPT = 8

_CONTAINERS = (FunctionKind.MODULE, FunctionKind.CLASS_BODY)

ProfileCallers = Mapping[FunctionId, tuple[tuple[FunctionId, float | None], ...]]
ShareOf = Callable[[Iterable[FunctionId]], float | None]


@dataclass(frozen=True, slots=True)
class _Edge:
    caller: FunctionId
    certainty: Certainty
    basis: EdgeBasis
    line: int | None
    calls_per_minute: float | None = None
    calls: tuple[str, ...] = ()


@dataclass(slots=True)
class _Graph:
    """Callers by callee, as far as the search went; ``cut`` are the functions whose callers were not all looked for."""

    edges: dict[FunctionId, dict[FunctionId, _Edge]] = field(default_factory=lambda: defaultdict(dict))
    labels: dict[FunctionId, list[str]] = field(default_factory=lambda: defaultdict(list))
    files_read: int = 0
    cut: set[FunctionId] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Search:
    """What a search looks in, and whom it asks."""

    tree: Tree
    inference: Inference
    is_test: Callable[[str], bool]
    types: "TypeServer | None"
    entries: EntryPoints


def trace(
    changes: tuple[FunctionChange, ...],
    tree: Tree,
    *,
    profile_callers: ProfileCallers,
    profile_entry_points: Mapping[FunctionId, tuple[str, ...]],
    share_of: ShareOf,
    is_test: Callable[[str], bool],
    types: "TypeServer | None" = None,
    routes: Mapping[str, str] | None = None,
) -> dict[FunctionId, Blast]:
    """The blast radius of each touched function that is neither a test nor merely reformatted.

    ``share_of`` tells which part of the observed traffic runs through a function (None: not known), ``is_test`` which
    paths hold tests: they are no callers. ``types`` is asked about receivers that the text leaves open. ``routes`` are
    handlers by label that the policy names.
    """
    wanted = [change for change in changes if _is_traced(change) and not is_test(change.id.path)]
    graph = _search(wanted[:MAX_TARGETS], tree, profile_callers, is_test, types, routes)
    for id, labels in profile_entry_points.items():
        graph.labels[id] = [*labels]
    result = {}
    for position, change in enumerate(wanted):
        blast = _blast(change, graph, share_of)
        if types is not None:
            blast = replace(blast, checked_by=types.name, unchecked=types.problem)
        result[change.id] = replace(blast, truncated=True) if position >= MAX_TARGETS else blast
    return result


def _is_traced(change: FunctionChange) -> bool:
    return change.kind is not ChangeKind.COSMETIC and "/migrations/" not in f"/{change.id.path}"


def _search(
    changes: list[FunctionChange],
    tree: Tree,
    profile_callers: ProfileCallers,
    is_test: Callable[[str], bool],
    types: "TypeServer | None",
    routes: Mapping[str, str] | None,
) -> _Graph:
    graph = _Graph()
    project = Project(tree, tree.names if isinstance(tree, IndexedTree) else None)
    entries = EntryPoints(project, tree, named=routes, is_test=is_test)
    search = _Search(tree, Inference(Program(tree, project)), is_test, types, entries)
    _follow(graph, search, changes, profile_callers)
    entries.add_mounts()
    graph.labels.update((id, [*labels]) for id, labels in entries.labels().items())
    if entries.is_cut:
        graph.cut.update(id for change in changes for id in (change.id, change.base_id))
    return graph


def _follow(graph: _Graph, search: "_Search", changes: list[FunctionChange], profile_callers: ProfileCallers) -> None:
    """Fill the graph, level by level."""
    frontier: dict[FunctionId, Target] = {}
    asked: set[FunctionId] = set()
    for change in changes:
        for id in {change.id, change.base_id}:
            asked.add(id)
            if target := target_of(id, change.function.kind):
                frontier[id] = target
    _add_entries(search, {change.id.path for change in changes if change.after})
    _follow_profile(graph, asked, profile_callers)
    for depth in range(MAX_DEPTH):
        reached = _level(graph, search, frontier, MAX_UNLIKELY_FURTHER_UP if depth else MAX_UNLIKELY_FILES)
        fresh = {id: kind for id, kind in reached.items() if id not in asked}
        asked.update(fresh)
        if len(asked) > MAX_NODES:
            graph.cut.update(fresh)
            return
        _follow_profile(graph, fresh, profile_callers)
        # Where production showed who calls a caller, its code is not searched for more of them.
        unseen = ((id, kind) for id, kind in fresh.items() if not graph.edges.get(id))
        frontier = {id: target for id, kind in unseen if (target := target_of(id, kind)) is not None}
        if not frontier:
            return
    graph.cut.update(frontier)


def _add_entries(search: "_Search", paths: Iterable[str]) -> None:
    """Take in what files say about entry points."""
    for path in sorted(paths):
        module = search.inference.program.module(path)
        if module is not None:
            search.entries.add(module, names_of(module))


def _level(
    graph: _Graph, search: "_Search", frontier: Mapping[FunctionId, Target], unlikely_files: int
) -> dict[FunctionId, FunctionKind]:
    """The uses of all functions of one level; returns the certain callers, to be followed."""
    by_name: dict[str, list[Target]] = defaultdict(list)
    for target in frontier.values():
        by_name[target.name].append(target)
    reached: dict[FunctionId, FunctionKind] = {}
    unlikely: Counter[str] = Counter()
    for path, source in search.tree.grep(sorted(by_name), lambda path: not search.is_test(path)) if by_name else ():
        if graph.files_read >= MAX_FILES:
            graph.cut.update(frontier)
            break
        targets = _worth_reading(graph, path, source, by_name, unlikely, unlikely_files)
        if not targets:
            continue
        graph.files_read += 1
        if search.inference.program.module(path) is None:
            graph.cut.update(
                target.id for found in targets.values() for target in found
            )  # nobody can say how it is used
            continue
        reached |= _uses(graph, search, path, targets)
    return reached


def _worth_reading(
    graph: _Graph,
    path: str,
    source: bytes,
    by_name: Mapping[str, list[Target]],
    unlikely: Counter[str],
    unlikely_files: int,
) -> dict[str, list[Target]]:
    """The targets that a file may refer to.

    A file that names neither the module nor the class of a method reaches it on an object that it was handed. Of those
    the first ``unlikely_files`` a name are read, or a function called ``get`` would have half of the tree parsed.
    """
    chosen: dict[str, list[Target]] = {}
    for name, targets in by_name.items():
        if name.encode() not in source or _reference(name).search(source) is None:
            continue
        if source.count(name.encode()) > MAX_SITES:
            graph.cut.update(target.id for target in targets)
        likely = [target for target in targets if target.id.path == path or any(h in source for h in target.homes)]
        methods = [target for target in targets if target.owner is not None and target not in likely]
        if methods and unlikely[name] < unlikely_files:
            unlikely[name] += 1
            likely += methods
        else:
            graph.cut.update(target.id for target in methods)
        if likely:
            chosen[name] = likely
    return chosen


@cache
def _reference(name: str) -> "re.Pattern[bytes]":
    """A name said other than to define it: overrides stand in many files that never call them."""
    word = re.escape(name.encode())
    return re.compile(word + rb"\b(?<!\w" + word + rb")(?<!\bdef " + word + rb")(?<!\bclass " + word + rb")")


def _uses(
    graph: _Graph, search: "_Search", path: str, targets: Mapping[str, list[Target]]
) -> dict[FunctionId, FunctionKind]:
    """Add the uses of one file to the graph; returns the callers to be followed."""
    inference = search.inference
    owned = {target.id: target for found in targets.values() for target in found}
    uses = list(uses_in(inference, path, targets, search.types.definitions if search.types else None))
    _add_entries(search, {use.caller.path for use in uses} | ({path} if uses else set()))
    reached = {}
    for use in uses:
        _add_use(graph, use)
        followed = use.certainty is Certainty.CERTAIN and owned[use.target].kind not in _CONTAINERS
        kind = inference.project.kind(use.caller)
        if followed and not use.is_handed_on and kind is not None and kind not in _CONTAINERS:
            reached[use.caller] = kind
    return reached


def _add_use(graph: _Graph, use: Use) -> None:
    """The first use gives the line, the surest the certainty; the texts of all calls are kept, up to a bound."""
    calls = (use.call,) if use.call is not None else ()
    known = graph.edges[use.target].get(use.caller)
    if known is None:
        graph.edges[use.target][use.caller] = _Edge(use.caller, use.certainty, EdgeBasis.STATIC, use.line, calls=calls)
        return
    graph.edges[use.target][use.caller] = replace(
        known,
        certainty=min(known.certainty, use.certainty, key=[Certainty.CERTAIN, Certainty.POSSIBLE].index),
        basis=EdgeBasis.STATIC if known.basis is EdgeBasis.STATIC else EdgeBasis.BOTH,
        line=use.line if known.line is None else known.line,
        calls=tuple(dict.fromkeys((*known.calls, *calls)))[:MAX_CALLS_KEPT],
    )


def _follow_profile(graph: _Graph, ids: Iterable[FunctionId], profile_callers: ProfileCallers) -> None:
    """Add the edges that the profile saw above some functions, level by level."""
    seen = set(ids)
    level = list(seen)
    for _ in range(MAX_DEPTH):
        above = [caller for id in level for caller in _add_profile_edges(graph, id, profile_callers)]
        level = [caller for caller in dict.fromkeys(above) if caller not in seen]
        seen.update(level)
        if len(seen) > MAX_NODES:
            graph.cut.update(level)
            return


def _add_profile_edges(graph: _Graph, id: FunctionId, profile_callers: ProfileCallers) -> list[FunctionId]:
    callers = []
    for caller, calls in profile_callers.get(id, ()):
        if caller == id:
            continue
        known = graph.edges[id].get(caller)
        basis = EdgeBasis.PROFILE if known is None or known.basis is EdgeBasis.PROFILE else EdgeBasis.BOTH
        seen = known or _Edge(caller, Certainty.CERTAIN, basis, None)
        graph.edges[id][caller] = replace(seen, certainty=Certainty.CERTAIN, basis=basis, calls_per_minute=calls)
        callers.append(caller)
    return callers


def _blast(change: FunctionChange, graph: _Graph, share_of: ShareOf) -> Blast:
    """One function's part of the graph: breadth first, so that ``depth`` is the shortest way."""
    start = {change.id, change.base_id}
    callers: dict[FunctionId, Caller] = {}
    labels = [label for id in sorted(start) for label in graph.labels.get(id, ())]
    frontier = sorted(start)
    truncated = not graph.cut.isdisjoint(start)
    depth = possible = 0
    while frontier and depth < MAX_DEPTH:
        depth += 1
        following = []
        for callee in frontier:
            for edge in sorted(graph.edges.get(callee, {}).values(), key=lambda e: (e.certainty, e.caller)):
                if edge.caller in start or edge.caller in callers:
                    continue
                if edge.certainty is Certainty.POSSIBLE:
                    possible += 1
                if len(callers) >= MAX_CALLERS or possible > MAX_POSSIBLE:
                    truncated = True
                    continue
                callers[edge.caller] = Caller(
                    id=edge.caller,
                    basis=edge.basis,
                    certainty=edge.certainty,
                    depth=depth,
                    line=edge.line,
                    calls_per_minute=edge.calls_per_minute,
                    via=None if depth == 1 else callee,
                    calls=edge.calls,
                )
                if edge.certainty is Certainty.CERTAIN:
                    truncated = truncated or edge.caller in graph.cut
                    following.append(edge.caller)
                    labels += graph.labels.get(edge.caller, ())
        frontier = following
    reached = tuple(callers.values())
    return Blast(
        callers=reached,
        entry_points=tuple(dict.fromkeys(labels)),
        share=share_of(start),
        static_only=all(caller.basis is EdgeBasis.STATIC for caller in reached),
        depth=max((caller.depth for caller in reached), default=0),
        truncated=truncated,
    )
