"""The calls between functions: hundreds of thousands of them, of which a change asks for a few.

They are kept in columns, by callee, and become rows only where they are asked for: two hundred thousand rows would
take longer to make than all else that gate does with a profile.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, chain, compress, count, pairwise
from operator import ge
from typing import Annotated, Literal, overload

import msgspec
from msgspec import Meta as Bound

EdgeBasis = Literal["counted", "sampled", "spans"]
_Count = Annotated[int, Bound(ge=0, le=2**63 - 1)]
_BASES: tuple[EdgeBasis, ...] = ("counted", "sampled", "spans")


class Edge(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One function calls another; ids of both, with calls or samples as the basis says."""

    caller: str
    callee: str
    calls: _Count | None = None
    samples: _Count | None = None
    basis: EdgeBasis


class Columns(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Edges of one basis by callee: how many callers each has, then all callers and their calls or samples.

    Functions are positions in the table's ``ids``; ``callees`` is ascending.
    """

    callees: list[_Count] = []
    sizes: list[_Count] = []
    callers: list[_Count] = []
    weights: list[_Count | None] = []


class EdgeTable(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """All edges as they are written."""

    ids: list[str] = []
    counted: Columns = Columns()
    sampled: Columns = Columns()
    spans: Columns = Columns()


def problem(table: EdgeTable) -> str | None:
    """What makes a table no list of edges, None where it is one."""
    for basis in _BASES:
        columns: Columns = getattr(table, basis)
        callers = len(columns.callers)
        if len(columns.sizes) != len(columns.callees) or sum(columns.sizes) != callers:
            return f"the {basis} edges have {sum(columns.sizes):,} callers by size and {callers:,} in their list"
        if len(columns.weights) != callers:
            return f"the {basis} edges have {callers:,} callers and {len(columns.weights):,} weights"
        if callers and max(max(columns.callers), max(columns.callees)) >= len(table.ids):
            return f"the {basis} edges name functions that are not among their ids"
        if any(map(ge, columns.callees, columns.callees[1:])):
            return f"the callees of the {basis} edges are not in order"
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """The columns of one basis, with where the callers of each callee begin."""

    basis: EdgeBasis
    columns: Columns
    starts: list[int]

    def callers_of(self, callee: int) -> range:
        """The places of the edges that lead to a function."""
        at = bisect_left(self.columns.callees, callee)
        if self.columns.callees[at : at + 1] != [callee]:
            return range(0)
        return range(self.starts[at], self.starts[at + 1])


class Edges(Sequence[Edge]):
    """Edges as a sequence of rows, and by function."""

    def __init__(self, table: EdgeTable) -> None:
        self.table = table
        self._groups = [
            _Group(basis=basis, columns=columns, starts=[0, *accumulate(columns.sizes)])
            for basis in _BASES
            if (columns := getattr(table, basis)).callers
        ]

    @staticmethod
    def of(rows: Iterable[Edge]) -> "Edges":
        """The rows as columns."""
        return rows if isinstance(rows, Edges) else Edges(_table(rows))

    def callers(self, callee: str) -> list[Edge]:
        """The edges that lead to a function."""
        return [
            self._edge(group, place, position)
            for position in self._positions(callee)
            for group in self._groups
            for place in group.callers_of(position)
        ]

    def callees(self, callers: Collection[str]) -> list[Edge]:
        """The edges that go out from any of the functions, found in one walk over all."""
        wanted = frozenset(chain.from_iterable(map(self._positions, callers)))
        return [
            self._edge(group, place, group.columns.callees[bisect_left(group.starts, place + 1) - 1])
            for group in (self._groups if wanted else ())
            for place in compress(count(), map(wanted.__contains__, group.columns.callers))
        ]

    def called(self) -> Iterator[str]:
        """The functions that have a caller, each once."""
        positions = {position for group in self._groups for position in group.columns.callees}
        return iter(dict.fromkeys(self.table.ids[position] for position in sorted(positions)))

    def renamed(self, name: Callable[[str], str]) -> "Edges":
        """The same edges between functions of other names; two functions may become one."""
        return Edges(msgspec.structs.replace(self.table, ids=[name(id) for id in self.table.ids]))

    def _positions(self, id: str) -> tuple[int, ...]:
        """Where a function stands among the ids: more than once where two became one."""
        if id not in self._first:
            return ()
        return self._others.get(id, (self._first[id],))

    @cached_property
    def _first(self) -> dict[str, int]:
        return dict(zip(self.table.ids, range(len(self.table.ids)), strict=True))

    @cached_property
    def _others(self) -> dict[str, tuple[int, ...]]:
        ids = self.table.ids
        if len(self._first) == len(ids):
            return {}
        repeated = {id for id, times in Counter(ids).items() if times > 1}
        return {id: tuple(place for place, one in enumerate(ids) if one == id) for id in repeated}

    def _edge(self, group: _Group, place: int, callee: int) -> Edge:
        ids, weight = self.table.ids, group.columns.weights[place]
        sampled = group.basis == "sampled"
        return Edge(
            caller=ids[group.columns.callers[place]],
            callee=ids[callee],
            calls=None if sampled else weight,
            samples=weight if sampled else None,
            basis=group.basis,
        )

    def __iter__(self) -> Iterator[Edge]:
        for group in self._groups:
            for callee, (start, end) in zip(group.columns.callees, pairwise(group.starts), strict=True):
                yield from (self._edge(group, place, callee) for place in range(start, end))

    def __len__(self) -> int:
        return sum(len(group.columns.callers) for group in self._groups)

    @overload
    def __getitem__(self, index: int) -> Edge: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Edge, ...]: ...
    def __getitem__(self, index: int | slice) -> Edge | tuple[Edge, ...]:
        return tuple(self)[index]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return sorted(self, key=_weighted) == sorted(other, key=_weighted)

    def __hash__(self) -> int:
        return len(self)

    def __repr__(self) -> str:
        return f"Edges({list(self)!r})"


def _weighted(edge: Edge) -> tuple[str, str, str, int, int]:
    none = -1
    return (
        edge.callee,
        edge.caller,
        edge.basis,
        none if edge.calls is None else edge.calls,
        none if edge.samples is None else edge.samples,
    )


def _table(rows: Iterable[Edge]) -> EdgeTable:
    """The same edges give the same table, in whatever order they come."""
    of_basis: dict[EdgeBasis, list[Edge]] = {basis: [] for basis in _BASES}
    names: set[str] = set()
    for edge in rows:
        of_basis[edge.basis].append(edge)
        names.update((edge.caller, edge.callee))
    ids = sorted(names)
    positions = dict(zip(ids, range(len(ids)), strict=True))
    columns = {basis: _columns(basis, edges, positions) for basis, edges in of_basis.items()}
    return EdgeTable(ids=ids, counted=columns["counted"], sampled=columns["sampled"], spans=columns["spans"])


def _columns(basis: EdgeBasis, edges: Sequence[Edge], positions: dict[str, int]) -> Columns:
    # A callee and its caller as one number: two hundred thousand of those are sorted in half the time of pairs.
    size = len(positions)
    keys = [positions[edge.callee] * size + positions[edge.caller] for edge in edges]
    order = sorted(range(len(keys)), key=keys.__getitem__)
    sizes = Counter(keys[place] // size for place in order)
    return Columns(
        callees=list(sizes),
        sizes=list(sizes.values()),
        callers=[keys[place] % size for place in order],
        weights=[edges[place].samples if basis == "sampled" else edges[place].calls for place in order],
    )
