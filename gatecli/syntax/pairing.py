"""Renames and moves: pairs of functions with equal code, then with similar code, among what the names left over."""

import re
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, product

from gatecli.model import FunctionId, FunctionKind
from gatecli.syntax import normalise
from gatecli.syntax.sides import Side

# Below this many tokens two equal bodies are no evidence of a move ("return None" is everywhere).
MIN_TOKENS_TO_MOVE = 40
# How alike two functions must be to count as one that was renamed and edited: the Dice coefficient over their leaf
# tokens, and a part of it for the words that their names share. Measured on labelled cases (docs/benchmarks.md).
MIN_LIKENESS = 0.65
NAME_WEIGHT = 0.15
# The same where neither the file nor the name is the same, and how many leaf tokens there must be.
MIN_LIKENESS_ANYWHERE = 0.9
MIN_LEAVES_ANYWHERE = 20
# Likeness is compared in groups (of a file, of a name), small groups first, as long as there are this many tokens to
# compare; and above this much code nothing is paired at all. What is not matched is listed as removed and added.
MAX_COMPARED_TOKENS = 10_000_000
MAX_PAIRED_BYTES = 10_000_000

_Homes = dict[FunctionId, FunctionId]
"""Which function, class or module each that was paired became."""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

# The ways in which two functions with equal code may be one, best first; "anywhere" asks for more code to be sure.
_AFFINITIES: tuple[Callable[[FunctionId], str], ...] = (
    lambda id: id.qualname,
    lambda id: id.name,
    lambda id: id.path,
    lambda id: "anywhere",
)


def pair_by_code(removed: list[Side], added: list[Side]) -> Iterator[tuple[Side, Side]]:
    """Renames and moves among what the names left over; what is paired is taken out of both lists."""
    old = [side for side in removed if side.function.kind is not FunctionKind.MODULE]
    new = [side for side in added if side.function.kind is not FunctionKind.MODULE]
    if not old or not new or sum(map(_size, chain(old, new))) > MAX_PAIRED_BYTES:
        return
    homes: _Homes = {}
    for find in (_equal_pairs, _kept_pairs, _similar_pairs, _kept_pairs):
        found = list(find(old, new, homes))
        homes |= {a.id: b.id for a, b in found}
        paired = {side for pair in found for side in pair}
        for sides in (removed, added, old, new):
            sides[:] = [side for side in sides if side not in paired]
        yield from found


def _size(side: Side) -> int:
    node = side.module.nodes[side.index]
    return node.end_byte - node.start_byte


def _equal_pairs(old: list[Side], new: list[Side], _: _Homes) -> Iterator[tuple[Side, Side]]:
    """Equal code, but for the name."""
    shapes = {side: normalise.body_shape(side.module, side.index) for side in chain(old, new)}
    paired: set[Side] = set()
    for affinity in _AFFINITIES:
        waiting: dict[tuple[bytes, str], deque[Side]] = defaultdict(deque)
        for side in old:
            if side not in paired:
                waiting[shapes[side][0], affinity(side.id)].append(side)
        for side in new:
            shape, tokens = shapes[side]
            same = waiting.get((shape, affinity(side.id))) if side not in paired else None
            if same and (affinity is not _AFFINITIES[-1] or tokens >= MIN_TOKENS_TO_MOVE):
                first = same.popleft()
                paired |= {first, side}
                yield first, side


def _kept_pairs(old: list[Side], new: list[Side], homes: _Homes) -> Iterator[tuple[Side, Side]]:
    """What kept its name inside a class or function that got another one."""
    waiting = {(side.id.path, side.id.qualname): side for side in new}
    moved = dict(homes)
    for side in old:  # outer before inner
        home, _, name = side.id.qualname.rpartition(".")
        target = moved.get(FunctionId(path=side.id.path, qualname=home))
        found = waiting.pop((target.path, f"{target.qualname}.{name}"), None) if target is not None else None
        if found is not None and _same_kind(side, found):
            moved[side.id] = found.id
            yield side, found


def _similar_pairs(old: list[Side], new: list[Side], _: _Homes) -> Iterator[tuple[Side, Side]]:
    """The most alike first; a function that kept its name, class or file before one that did not."""
    bags = {side: normalise.token_bag(side.module, side.index) for side in chain(old, new)}
    totals = {side: bag.total() for side, bag in bags.items()}
    words = {side: _words(side.id.name) for side in chain(old, new)}
    order = {side: number for number, side in enumerate(chain(old, new))}
    scored: list[tuple[float, int, int, int, Side, Side]] = []
    for a, b, least in _candidates(old, new, bags):
        named = NAME_WEIGHT * _dice(words[a], words[b])
        small, large = sorted((totals[a], totals[b]))
        if 2 * small < (least - named) * (small + large):  # no pair of these sizes can be alike enough
            continue
        likeness = 2 * (bags[a] & bags[b]).total() / max(1, small + large) + named
        if likeness >= least:
            scored.append((-likeness, -_affinity(a, b), order[a], order[b], a, b))
    paired: set[Side] = set()
    for *_rank, a, b in sorted(scored, key=lambda row: row[:4]):
        if a not in paired and b not in paired:
            paired |= {a, b}
            yield a, b


def _candidates(
    old: list[Side], new: list[Side], bags: dict[Side, Counter[bytes]]
) -> Iterator[tuple[Side, Side, float]]:
    """Pairs of a kind that may be one function, and how alike they must be."""
    groups: list[tuple[float, list[Side], list[Side]]] = []
    for least, affinity in _GROUPS:
        enough = MIN_LEAVES_ANYWHERE if least == MIN_LIKENESS_ANYWHERE else 0
        before, after = (
            _grouped((side for side in sides if bags[side].total() >= enough), affinity) for sides in (old, new)
        )
        groups += [(least, before[key], after[key]) for key in before.keys() & after.keys()]
    left = MAX_COMPARED_TOKENS
    seen: set[tuple[Side, Side]] = set()
    for least, some_old, some_new in sorted(
        groups, key=lambda group: (group[0], len(group[1]) * len(group[2]), group[1][0].id)
    ):
        left -= len(some_new) * sum(len(bags[side]) for side in some_old) + len(some_old) * len(some_new)
        if left < 0:
            return
        for pair in product(some_old, some_new):
            if _same_kind(*pair) and pair not in seen:
                seen.add(pair)
                yield (*pair, least)


_GROUPS: tuple[tuple[float, Callable[[Side], str]], ...] = (
    (MIN_LIKENESS, lambda side: side.id.path),
    (MIN_LIKENESS, lambda side: side.id.name.strip("_")),
    (MIN_LIKENESS_ANYWHERE, lambda side: "anywhere"),
)


def _words(name: str) -> Counter[str]:
    """The words of a name: ``get_HTTPStatus`` has get, http and status."""
    return Counter(word.lower() for word in _WORD.findall(name))


def _dice(a: Counter[str], b: Counter[str]) -> float:
    return 2 * (a & b).total() / max(1, a.total() + b.total())


def _grouped(sides: Iterable[Side], key: Callable[[Side], str]) -> dict[str, list[Side]]:
    groups: dict[str, list[Side]] = defaultdict(list)
    for side in sides:
        groups[key(side)].append(side)
    return groups


def _same_kind(old: Side, new: Side) -> bool:
    """A method may become a function, and the reverse; a class or a lambda stays one."""
    kinds = {old.function.kind, new.function.kind}
    return len(kinds) == 1 or kinds == {FunctionKind.FUNCTION, FunctionKind.METHOD}


def _affinity(old: Side, new: Side) -> int:
    a, b = old.id, new.id
    return 4 * (a.qualname == b.qualname) + 2 * (a.name == b.name) + (a.path == b.path)
