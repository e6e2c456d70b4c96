"""Where code came from and went, beyond one function before and one after: extracted, split, merged, lifted.

Known is only what the code shows. A function counts as taken out of another one where most of it is code that the other
lost, and the other names it now where it did not before (or is gone). Read backwards that is a merge.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from gatecli.model import FunctionChange, FunctionId, FunctionKind, Relation, RelationKind
from gatecli.syntax import normalise
from gatecli.syntax.python import MODULE
from gatecli.syntax.sides import Matched, Side

# A smaller function may be anything's part.
MIN_PART_SHINGLES = 15
# How much of a part must be code that the whole lost, in threes of tokens: its head and some names are new.
MIN_CONTAINED = 0.5
# And where the other is gone, so that no call of it shows the relation: tests are made of alike code.
MIN_CONTAINED_UNCALLED = 0.7
# Of functions that are gone this many parts are looked for in their file, and a name leads to this many.
MAX_PARTS = 50
# And this many threes of tokens are compared in all: in a larger change not every relation is known.
MAX_COMPARED_SHINGLES = 2_000_000
# A class became a module where this part of its methods are functions of one module now.
MIN_LIFTED = 0.5

_NAMES = re.compile(rb"[^\W\d]\w*")
_CALLED = (FunctionKind.FUNCTION, FunctionKind.METHOD)


@dataclass(frozen=True, slots=True, eq=False)
class _Whole:
    """A function that may have lost a part: the side that had it, and what is left of it, if anything."""

    had: Side
    left: Side | None


def with_relations(matched: list[Matched]) -> Iterator[FunctionChange]:
    """The changes, each with what is known of it."""
    found: dict[Side, list[Relation]] = defaultdict(list)
    _parts(matched, found)
    for one in matched:
        if one.before is not None and one.after is not None and (relation := _rehomed(one.before, one.after)):
            found[one.after].append(relation)
    _lifted(matched, found)
    for one in matched:
        sides = [side for side in (one.after, one.before) if side is not None]
        relations = tuple(relation for side in sides for relation in found.get(side, ()))
        yield replace(one.change, relations=relations) if relations else one.change


# --------------------------------------------------------------------------- parts of functions


def _parts(matched: list[Matched], found: dict[Side, list[Relation]]) -> None:
    called = [one for one in matched if one.change.function.kind in _CALLED]
    added = [one.after for one in called if one.before is None and one.after is not None]
    removed = [one.before for one in called if one.after is None and one.before is not None]
    forward = [_Whole(one.before, one.after) for one in called if one.before is not None]
    backward = [_Whole(one.after, one.before) for one in called if one.after is not None]
    for parts, wholes, of_part, of_whole in (
        (added, forward, RelationKind.EXTRACTED_FROM, RelationKind.SPLIT_INTO),
        (removed, backward, RelationKind.MERGED_INTO, RelationKind.MERGED_FROM),
    ):
        taken = list(_taken_out(parts, wholes))
        for part, some in _grouped((part, whole.had) for part, whole in taken).items():
            found[part].append(Relation(kind=of_part, others=_ids(some)))
        for had, some in _grouped((whole.had, part) for part, whole in taken).items():
            if len(some) > 1 or of_whole is RelationKind.MERGED_FROM:
                found[had].append(Relation(kind=of_whole, others=_ids(some)))


def _grouped(pairs: Iterable[tuple[Side, Side]]) -> dict[Side, list[Side]]:
    groups: dict[Side, list[Side]] = defaultdict(list)
    for key, side in pairs:
        groups[key].append(side)
    return groups


def _ids(sides: Iterable[Side]) -> tuple[FunctionId, ...]:
    return tuple(sorted(side.id for side in sides))


def _taken_out(parts: list[Side], wholes: list[_Whole]) -> Iterator[tuple[Side, _Whole]]:
    """Which part was taken out of which function."""
    by_name: dict[bytes, list[Side]] = defaultdict(list)
    by_path: dict[str, list[Side]] = defaultdict(list)
    for part in parts:
        by_name[part.id.name.encode()].append(part)
        by_path[part.id.path].append(part)
    code: dict[Side, Counter[normalise.Shingle]] = {}
    left = MAX_COMPARED_SHINGLES
    for whole in wholes:
        least = MIN_CONTAINED_UNCALLED if whole.left is None else MIN_CONTAINED
        likely = _likely(whole, by_name, by_path)
        if not likely:
            continue
        lost = _shingles(whole.had)
        if whole.left is not None:
            lost = lost - _shingles(whole.left)
        for part in likely:
            held = code[part] if part in code else code.setdefault(part, _shingles(part))
            size = held.total()
            left -= len(held)
            if left < 0:
                return
            if size >= MIN_PART_SHINGLES and _common(held, lost) >= least * size:
                yield part, whole


def _common(held: Counter[normalise.Shingle], lost: Counter[normalise.Shingle]) -> int:
    """How much of the first the second holds."""
    return sum(min(number, lost[shingle]) for shingle, number in held.items())


def _likely(whole: _Whole, by_name: dict[bytes, list[Side]], by_path: dict[str, list[Side]]) -> list[Side]:
    """The parts that what is left of a function began to name; of one that is gone, those in its file."""
    if whole.left is None:
        return by_path.get(whole.had.id.path, [])[:MAX_PARTS]
    names = _names(whole.left) - _names(whole.had) if by_name else set()
    return [part for name in sorted(names & by_name.keys()) for part in by_name[name][:MAX_PARTS]]


def _names(side: Side) -> set[bytes]:
    """The words on the touched lines of a function."""
    lines = normalise.source_lines(side.module.source)
    return {word for line in side.lines for word in _NAMES.findall(lines[line - 1])}


def _shingles(side: Side) -> Counter[normalise.Shingle]:
    return normalise.shingles(side.module, side.index)


# --------------------------------------------------------------------------- classes


def _rehomed(before: Side, after: Side) -> Relation | None:
    """A method that became a function of a module, or the reverse."""
    kinds = before.function.kind, after.function.kind
    if kinds == (FunctionKind.METHOD, FunctionKind.FUNCTION):
        return Relation(kind=RelationKind.WAS_METHOD_OF, others=(_parent(before.id),))
    if kinds == (FunctionKind.FUNCTION, FunctionKind.METHOD):
        return Relation(kind=RelationKind.BECAME_METHOD_OF, others=(_parent(after.id),))
    return None


def _parent(id: FunctionId) -> FunctionId:
    return FunctionId(path=id.path, qualname=id.qualname.rpartition(".")[0] or MODULE)


def _lifted(matched: list[Matched], found: dict[Side, list[Relation]]) -> None:
    """Classes whose methods became the functions of a module, and the reverse."""
    pairs = [(one.before, one.after) for one in matched if one.before is not None and one.after is not None]
    gone = {one.before.id: one.before for one in matched if one.before is not None and one.after is None}
    come = {one.after.id: one.after for one in matched if one.after is not None and one.before is None}
    for classes, of_class, moves in (
        (gone, RelationKind.BECAME_MODULE, pairs),
        (come, RelationKind.WAS_MODULE, [(after, before) for before, after in pairs]),
    ):
        homes: dict[FunctionId, Counter[str]] = defaultdict(Counter)
        for method, function in moves:
            if method.function.kind is FunctionKind.METHOD and _parent(method.id) in classes:
                homes[_parent(method.id)][function.id.path if _is_top(function) else ""] += 1
        left = Counter(_parent(id) for id, side in classes.items() if side.function.kind is FunctionKind.METHOD)
        for id, counted in homes.items():
            path, number = max(counted.items(), key=lambda item: (item[1], item[0]))
            if path and number > 1 and number >= MIN_LIFTED * (counted.total() + left[id]):
                others = (FunctionId(path=path, qualname=MODULE),)
                found[classes[id]].append(Relation(kind=of_class, others=others))


def _is_top(side: Side) -> bool:
    return side.function.kind is FunctionKind.FUNCTION and "." not in side.id.qualname
