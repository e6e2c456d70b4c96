"""From a profile to a tree of what production does: entry points, their handlers, what those call.

A profile keeps pairs of caller and callee, so the tree is put together the way gprof does it: a function's share goes
to its callers as the pairs say (Graham, Kessler, McKusick, "gprof: a call graph execution profiler", 1982, §4).
"""

import heapq
import math
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import count

from gatecli.model import CallFrame, CallTree, FunctionId, Measure
from gatecli.runtime.attach import function_id
from gatecli.runtime.entries import label
from gatecli.runtime.profile import Profile, ProfiledFunction

MAX_FRAMES = 400
"""Frames of one tree: more than a reader tells apart."""

MAX_DEPTH = 60

MIN_SHARE = 0.002
"""Below this part of the tree a frame is thinner than a pixel or two; it is kept where it leads to a touched one."""

_TOUCHED_FIRST = 10.0
"""How much more a frame counts that leads to a touched function, when there is no room for all."""

_ROUNDING = 1e-4


@dataclass(slots=True)
class _Node:
    key: str | None
    label: str
    share: float
    entry: str | None
    path: frozenset[str]
    children: list["_Node"] = field(default_factory=list)

    def frozen(self) -> CallFrame:
        ordered = sorted(self.children, key=lambda node: (-node.share, node.label))
        return CallFrame(
            label=self.label,
            function=function_id(self.key) if self.key is not None else None,
            share=min(1.0, self.share),
            children=tuple(child.frozen() for child in ordered),
        )


@dataclass(frozen=True, slots=True)
class _Calls:
    """Who is called by whom.

    ``callees`` are by caller, with how often or how long; ``came_in`` the sum of that by callee. ``shares`` are of each
    function by any way. ``leads`` reach a touched function.
    """

    measure: Measure
    rows: Mapping[str, ProfiledFunction]
    callees: Mapping[str, list[tuple[str, int]]]
    came_in: Mapping[str, int]
    shares: Mapping[str, float]
    leads: frozenset[str]

    def callees_of(self, caller: str) -> dict[str, float]:
        """What a function calls, each with its share of all that comes by this caller."""
        found: dict[str, float] = defaultdict(float)
        for callee, weight in self.callees.get(caller, ()):
            if callee in self.shares:
                found[callee] += self.shares[callee] * min(1.0, weight / self._whole(callee))
        return found

    def _whole(self, callee: str) -> int:
        row = self.rows.get(callee)
        return (row.time_total.samples if row and row.time_total else None) or self.came_in[callee]

    def split(self, key: str) -> dict[str, float]:
        """How a function's share is split by entry point."""
        row = self.rows.get(key)
        return {entry.id: entry.share or 0.0 for entry in row.entry_points} if row else {}

    def most(self, key: str, entry: str | None) -> float:
        """The share that a function can have below an entry point."""
        split = self.split(key)
        if entry is None or not split:
            return math.inf
        # Only the largest parts are in the profile: what they leave may be of any other entry point.
        part = split.get(entry, max(0.0, 1.0 - sum(split.values())))
        if self.measure is Measure.TIME:
            return part * self.shares.get(key, 0.0)
        return math.inf if part > _ROUNDING else 0.0


def call_tree(profile: Profile, touched: Collection[FunctionId]) -> CallTree | None:
    """The tree of a profile; None where it does not say who calls whom.

    Where time was recorded the widths are of time, else of calls. ``touched`` are ids at the profile's revision: what
    leads to them is kept first.
    """
    calls = _calls(profile, frozenset(map(str, touched)))
    if calls is None:
        return None
    roots = _roots(profile, calls)
    truncated = _grow(roots, calls)
    frames = tuple(node.frozen() for node in sorted(roots, key=lambda node: (-node.share, node.label)))
    return CallTree(measure=calls.measure, frames=frames, truncated=truncated) if frames else None


def _calls(profile: Profile, touched: frozenset[str]) -> _Calls | None:
    times = {row.id: row.time_total for row in profile.functions if row.time_total is not None}
    sampled = any(time.samples for time in times.values())
    callees: dict[str, list[tuple[str, int]]] = defaultdict(list)
    came_in: dict[str, int] = defaultdict(int)
    for edge in profile.edges:
        # Sampled and counted figures are not mixed: where time was sampled, only what was sampled splits it.
        weight = edge.samples if sampled else edge.calls
        if weight and edge.caller != edge.callee:
            callees[edge.caller].append((edge.callee, weight))
            came_in[edge.callee] += weight
    if not callees:
        return None
    whole = sum(came_in.values())
    if times:
        shares = {id: time.share for id, time in times.items()}
    else:
        shares = {id: calls / whole for id, calls in came_in.items()}
    return _Calls(
        measure=Measure.TIME if times else Measure.CALLS,
        rows={row.id: row for row in profile.functions},
        callees=callees,
        came_in=came_in,
        shares=shares,
        leads=_leads(callees, touched),
    )


def _leads(callees: Mapping[str, list[tuple[str, int]]], touched: frozenset[str]) -> frozenset[str]:
    callers: dict[str, list[str]] = defaultdict(list)
    for caller, called in callees.items():
        for callee, _ in called:
            callers[callee].append(caller)
    found, left = set(touched), list(touched)
    while left:
        new = set(callers.get(left.pop(), ())) - found
        found |= new
        left += new
    return frozenset(found)


# --------------------------------------------------------------------------- where traffic comes in


def _roots(profile: Profile, calls: _Calls) -> list[_Node]:
    """The entry points with what each starts; without any, the functions that nobody calls."""
    handlers = {entry.id: entry.handler for entry in profile.entry_points}
    known: dict[str, float] = {}
    if calls.measure is Measure.CALLS:
        known = {entry.id: entry.weight for entry in profile.entry_points if entry.weight}
    else:
        for key, share in calls.shares.items():
            for entry, part in calls.split(key).items():
                known[entry] = max(known.get(entry, 0.0), share * part)
    roots = []
    for entry, share in _heaviest(known):
        root = _Node(key=None, label=label(entry), share=share, entry=entry, path=frozenset())
        handler = handlers.get(entry)
        if handler is not None:
            root.children.append(_child(handler, min(share, calls.most(handler, entry)), root))
        roots.append(root)
    return roots or [
        _Node(key=key, label=_label(key), share=share, entry=None, path=frozenset((key,)))
        for key, share in _heaviest(_uncalled(calls))
    ]


def _uncalled(calls: _Calls) -> dict[str, float]:
    started = [key for key in calls.callees if key not in calls.came_in]
    if calls.measure is Measure.TIME:
        return {key: calls.shares.get(key, 0.0) for key in started}
    return {key: sum(calls.callees_of(key).values()) for key in started}


def _heaviest(shares: Mapping[str, float]) -> list[tuple[str, float]]:
    known = [(key, share) for key, share in shares.items() if share > 0]
    return sorted(known, key=lambda item: (-item[1], item[0]))[: MAX_FRAMES // 2]


def _label(key: str) -> str:
    """``checkout.Checkout.place``: enough to know a function by."""
    path, _, qualname = key.rpartition("::")
    return f"{path.rpartition('/')[2].removesuffix('.py')}.{qualname}"


def _child(key: str, share: float, parent: _Node) -> _Node:
    return _Node(key=key, label=_label(key), share=share, entry=parent.entry, path=parent.path | {key})


# --------------------------------------------------------------------------- what they call


def _grow(roots: list[_Node], calls: _Calls) -> bool:
    """Add what is called, the heaviest frames first; returns whether something was left out."""
    least = MIN_SHARE * sum(root.share for root in roots)
    nodes = [child for root in roots for child in root.children] or roots
    frames = len(roots) + len(nodes)
    order = count()
    heap = [(_rank(node, calls), next(order), node) for node in nodes if node.key is not None]
    heapq.heapify(heap)
    left_out = False
    while heap:
        _, _, node = heapq.heappop(heap)
        for key, share in _held(node, calls):
            if frames >= MAX_FRAMES or len(node.path) >= MAX_DEPTH or (share < least and key not in calls.leads):
                left_out = True
                continue
            frames += 1
            child = _child(key, share, node)
            node.children.append(child)
            heapq.heappush(heap, (_rank(child, calls), next(order), child))
    return left_out


def _rank(node: _Node, calls: _Calls) -> float:
    return -node.share * (_TOUCHED_FIRST if node.key in calls.leads else 1.0)


def _held(node: _Node, calls: _Calls) -> list[tuple[str, float]]:
    """What a frame calls with the share that each has of it, together at most its own; recursion is not followed."""
    assert node.key is not None, "an entry point has its handler from the start"
    found = {key: share for key, share in calls.callees_of(node.key).items() if key not in node.path}
    # Calls, unlike times, do not add up to the caller's own: they share its width.
    whole = calls.shares.get(node.key) if calls.measure is Measure.TIME else sum(found.values())
    if not whole:
        return []
    scaled = [(key, min(share * node.share / whole, calls.most(key, node.entry))) for key, share in found.items()]
    held, room = [], node.share
    for key, share in sorted(
        scaled, key=lambda item: (_is_nested(item[0]), item[0] not in calls.leads, -item[1], item[0])
    ):
        taken = min(share, room)
        # What does not fit was counted twice: a decorator's wrapper holds the time of what it wraps.
        if taken > share / 2:
            held.append((key, taken))
            room -= taken
    return held


def _is_nested(key: str) -> bool:
    """Whether it looks like a function inside a function, as the wrappers of decorators are (PEP 8 names)."""
    return key.rpartition("::")[2].rpartition(".")[0].rpartition(".")[2][:1].islower()
