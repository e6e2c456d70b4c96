"""Both sides of a change to function changes: what was added, removed, edited, renamed, moved or only reformatted.

Functions are matched by qualified name in the same file first, then (over all files of the change) by equal shape,
then by similar tokens. A line belongs to the innermost function that holds it; blank lines outside functions belong to
nobody.
"""

import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from gatecli.errors import EvidenceError
from gatecli.model import (
    ChangeKind,
    FileChange,
    FileStatus,
    FileType,
    Function,
    FunctionChange,
    FunctionId,
    FunctionKind,
    ParsedFile,
    ParseStatus,
)
from gatecli.syntax import normalise, signature
from gatecli.syntax.python import Module, is_python, owners, read_module

# Below this many tokens two equal bodies are no evidence of a move ("return None" is everywhere).
MIN_TOKENS_TO_MOVE = 40
# Dice coefficient over leaf tokens from which two functions count as one that was renamed and edited.
MIN_SIMILARITY = 0.7
# Similarity is quadratic in the functions that are left over: above this much to compare, only equal code is matched,
# and above this much code none at all. What is not matched is listed as removed and added.
MAX_COMPARED_TOKENS = 10_000_000
MAX_PAIRED_BYTES = 10_000_000

_CONTAINERS = (FunctionKind.MODULE, FunctionKind.CLASS_BODY)
_START_OF_LINE = re.compile(rb"(?:\n|\A)[ \t\f]*\Z")
_REST_OF_LINE = re.compile(rb"[ \t\f]*(?:#|\n|\Z)")
_MAX_INDENT = 200


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """One function on one side, with the touched lines that are its own; the module is read again when it is asked for.

    A large change has many functions to pair across files: their sources are kept, not their trees.
    """

    path: str
    source: bytes
    index: int
    function: Function
    lines: tuple[int, ...]

    @property
    def module(self) -> Module:
        return read_module(self.path, self.source)


def changed_functions(
    files: Iterable[FileChange],
) -> tuple[tuple[FunctionChange, ...], tuple[ParsedFile, ...]]:
    """The touched functions of a change, in file and line order, and how each file was read."""
    changes: list[FunctionChange] = []
    removed: list[_Side] = []
    added: list[_Side] = []
    parsed: list[ParsedFile] = []
    for file in files:
        status, before, after = _read(file)
        parsed.append(status)
        if before is None and after is None:
            continue
        old = _sides(before, file.before, chain.from_iterable(hunk.removed for hunk in file.hunks))
        new = _sides(after, file.after, _added_lines(file, after))
        pairs, old_left, new_left = _pair_by_name(old, new)
        moved_file = file.old_path is not None and before is not None and file.old_path != file.path
        changes.extend(change for a, b in pairs if (change := _judge_pair(a, b, moved_file)) is not None)
        removed.extend(old_left)
        added.extend(new_left)
    for a, b in _pair_by_code(removed, added):
        changes.append(_renamed(a, b))
    changes.extend(_one_sided(side, ChangeKind.REMOVED) for side in removed if _counts(side))
    changes.extend(_one_sided(side, ChangeKind.ADDED) for side in added if _counts(side))
    changes.sort(key=lambda change: (change.id.path, change.function.span.first_line, change.id.qualname, change.kind))
    return tuple(changes), tuple(parsed)


def _read(file: FileChange) -> tuple[ParsedFile, Module | None, Module | None]:
    """Parse both sides of a file, and say how far that went."""
    if not is_python(file.path) and not (file.old_path and is_python(file.old_path)):
        return ParsedFile(path=file.path, status=ParseStatus.NOT_PYTHON), None, None
    reason = file.type.value if file.type is not FileType.REGULAR else "; ".join(file.notes)
    if file.type is not FileType.REGULAR or (file.before is None and file.after is None):
        status = ParseStatus.NOT_PARSED if file.hunks or file.binary or file.notes else ParseStatus.PARSED
        return ParsedFile(path=file.path, status=status, reason=reason or None), None, None
    try:
        before = _module(file.old_path or file.path, file.before) if file.status is not FileStatus.COPIED else None
        after = _module(file.path, file.after)
    except EvidenceError as error:
        return ParsedFile(path=file.path, status=ParseStatus.NOT_PARSED, reason=error.message), None, None
    errors = after.error_lines if after else ()
    if file.partial:
        reason = "only the lines of the patch were at hand"
    elif errors:
        reason = "syntax errors: judged as far as it parses"
    elif before and before.error_lines:
        reason = "syntax errors before the change"
    else:
        return ParsedFile(path=file.path, status=ParseStatus.PARSED, reason=reason or None), before, after
    return ParsedFile(path=file.path, status=ParseStatus.PARTIAL, error_lines=errors, reason=reason), before, after


def _added_lines(file: FileChange, after: Module | None) -> Iterable[int]:
    """The lines of the new side that came; all of them in a copy, whose original is still where it was."""
    if file.status is FileStatus.COPIED and after is not None:
        return range(1, after.functions[0].span.end_line + 1)
    return chain.from_iterable(hunk.added for hunk in file.hunks)


def _module(path: str, source: bytes | None) -> Module | None:
    return read_module(path, source) if source is not None and is_python(path) else None


def _sides(module: Module | None, source: bytes | None, lines: Iterable[int]) -> list[_Side]:
    """Every function of a module with its touched lines; blank lines are nobody's outside functions."""
    if module is None or source is None:
        return []
    text = normalise.source_lines(module.source)
    shared = _shared_lines(module)
    touched: dict[int, list[int]] = defaultdict(list)
    for line, innermost in owners(module.functions, lines).items():
        blank = line > len(text) or not text[line - 1].strip()
        for index in sorted(shared.get(line, ()) or (innermost,)):
            if not (blank and module.functions[index].kind in _CONTAINERS):
                touched[index].append(line)
    return [
        _Side(module.path, source, index, function, tuple(touched.get(index, ())))
        for index, function in enumerate(module.functions)
    ]


def _shared_lines(module: Module) -> dict[int, set[int]]:
    """Lines on which a lambda begins or ends amid other code, and all the functions that have code there."""
    shared: dict[int, set[int]] = defaultdict(set)
    enclosing: list[int] = []
    for index, (function, node) in enumerate(zip(module.functions, module.nodes, strict=True)):
        while enclosing and module.nodes[enclosing[-1]].end_byte <= node.start_byte:
            enclosing.pop()
        if function.kind is FunctionKind.LAMBDA:
            if _START_OF_LINE.search(module.source, max(0, node.start_byte - _MAX_INDENT), node.start_byte) is None:
                shared[function.span.first_line].update((index, enclosing[-1]))
            if _REST_OF_LINE.match(module.source, node.end_byte) is None:
                shared[function.span.end_line].update((index, enclosing[-1]))
        enclosing.append(index)
    return shared


def _pair_by_name(old: list[_Side], new: list[_Side]) -> tuple[list[tuple[_Side, _Side]], list[_Side], list[_Side]]:
    """Pairs with the same qualified name; repeated definitions pair by equal shape first, then in order."""
    groups: dict[str, list[_Side]] = defaultdict(list)
    for side in old:
        groups[_plain(side)].append(side)
    pairs: list[tuple[_Side, _Side]] = []
    new_left: list[_Side] = []
    fresh: dict[str, list[_Side]] = defaultdict(list)
    for side in new:
        fresh[_plain(side)].append(side)
    for name, candidates in fresh.items():
        known = groups.pop(name, [])
        if len(known) > 1 or len(candidates) > 1:
            same = list(_same_shape(known, candidates))
            pairs.extend(same)
            known = [side for side in known if all(side is not a for a, _ in same)]
            candidates = [side for side in candidates if all(side is not b for _, b in same)]
        pairs.extend(zip(known, candidates, strict=False))
        groups[name] = known[len(candidates) :]
        new_left.extend(candidates[len(known) :])
    old_left = [side for left in groups.values() for side in left]
    return pairs, old_left, new_left


def _plain(side: _Side) -> str:
    """The qualified name without the ``#2`` of repeated definitions, on every level."""
    return ".".join(part.partition("#")[0] for part in side.function.id.qualname.split("."))


def _same_shape(old: list[_Side], new: list[_Side]) -> Iterator[tuple[_Side, _Side]]:
    by_shape: dict[bytes, list[_Side]] = defaultdict(list)
    for side in old:
        by_shape[normalise.body_shape(side.module, side.index)[0]].append(side)
    for side in new:
        same = by_shape.get(normalise.body_shape(side.module, side.index)[0])
        if same:
            yield same.pop(0), side


def _judge_pair(before: _Side, after: _Side, moved_file: bool) -> FunctionChange | None:
    """The change of a function that kept its name, or None where it was not touched."""
    if not before.lines and not after.lines:
        is_module = after.function.kind is FunctionKind.MODULE
        return _change(before, after, ChangeKind.MOVED) if moved_file and is_module else None
    same_text = normalise.own_text(before.module, before.index) == normalise.own_text(after.module, after.index)
    same_ends = before.module.crlf == after.module.crlf
    if same_text and same_ends and (after.function.kind in _CONTAINERS or not (before.lines and after.lines)):
        return None  # a diff may also blame the lines between two look-alikes on one of them
    if same_text and same_ends:
        kind = ChangeKind.MOVED
    elif same_text or normalise.same_own_code(before.module, before.index, after.module, after.index):
        kind = ChangeKind.COSMETIC
    else:
        kind = ChangeKind.EDITED
    return _change(before, after, kind)


def _change(before: _Side, after: _Side, kind: ChangeKind) -> FunctionChange:
    return FunctionChange(
        id=after.function.id,
        kind=kind,
        before=before.function,
        after=after.function,
        changed_lines=after.lines,
        removed_lines=before.lines,
        signature=signature.differences(before.function, after.function),
    )


def _pair_by_code(removed: list[_Side], added: list[_Side]) -> Iterator[tuple[_Side, _Side]]:
    """Renames and moves among what the names left over; what is paired is taken out of both lists."""
    old = [side for side in removed if side.function.kind not in _CONTAINERS]
    new = [side for side in added if side.function.kind not in _CONTAINERS]
    if not old or not new or sum(map(_size, chain(old, new))) > MAX_PAIRED_BYTES:
        return
    for pairs in (_equal_pairs(old, new), _similar_pairs(old, new)):
        found = list(pairs)
        paired = {side for pair in found for side in pair}
        for sides in (removed, added, old, new):
            sides[:] = [side for side in sides if side not in paired]
        yield from found


def _size(side: _Side) -> int:
    node = side.module.nodes[side.index]
    return node.end_byte - node.start_byte


# The ways in which two functions with equal code may be one, best first; "anywhere" asks for more code to be sure.
_AFFINITIES: tuple[Callable[[FunctionId], str], ...] = (
    lambda id: id.qualname,
    lambda id: id.name,
    lambda id: id.path,
    lambda id: "anywhere",
)


def _equal_pairs(old: list[_Side], new: list[_Side]) -> Iterator[tuple[_Side, _Side]]:
    shapes = {side: normalise.body_shape(side.module, side.index) for side in chain(old, new)}
    paired: set[_Side] = set()
    for affinity in _AFFINITIES:
        waiting: dict[tuple[bytes, str], deque[_Side]] = defaultdict(deque)
        for side in old:
            if side not in paired:
                waiting[shapes[side][0], affinity(side.function.id)].append(side)
        for side in new:
            shape, tokens = shapes[side]
            same = waiting.get((shape, affinity(side.function.id))) if side not in paired else None
            if same and (affinity is not _AFFINITIES[-1] or tokens >= MIN_TOKENS_TO_MOVE):
                first = same.popleft()
                paired |= {first, side}
                yield first, side


def _similar_pairs(old: list[_Side], new: list[_Side]) -> Iterator[tuple[_Side, _Side]]:
    old_bags = [normalise.token_bag(side.module, side.index) for side in old]
    new_bags = [normalise.token_bag(side.module, side.index) for side in new]
    if len(new) * sum(map(len, old_bags)) + len(old) * len(new) > MAX_COMPARED_TOKENS:
        return
    scored = []
    for i, a in enumerate(old):
        for j, b in enumerate(new):
            if a.function.kind is b.function.kind and _related(a, b):
                common = sum((old_bags[i] & new_bags[j]).values())
                dice = 2 * common / max(1, old_bags[i].total() + new_bags[j].total())
                if dice >= MIN_SIMILARITY:
                    scored.append((dice, _affinity(a, b), -i, -j))
    used_old: set[int] = set()
    used_new: set[int] = set()
    for _, _, i, j in sorted(scored, reverse=True):
        if -i not in used_old and -j not in used_new:
            used_old.add(-i)
            used_new.add(-j)
            yield old[-i], new[-j]


def _related(old: _Side, new: _Side) -> bool:
    """Whether a small or edited body may be the same function: same file, or same name elsewhere."""
    return old.function.id.path == new.function.id.path or old.function.id.name == new.function.id.name


def _affinity(old: _Side, new: _Side) -> int:
    a, b = old.function.id, new.function.id
    return 4 * (a.qualname == b.qualname) + 2 * (a.name == b.name) + (a.path == b.path)


def _renamed(before: _Side, after: _Side) -> FunctionChange:
    a, b = before.function.id, after.function.id
    same_file = before.module.path == after.module.path
    return _change(before, after, ChangeKind.RENAMED if same_file or a.name != b.name else ChangeKind.MOVED)


def _counts(side: _Side) -> bool:
    """Whether a one-sided function is worth a row: containers only where lines of their own changed."""
    return bool(side.lines) or side.function.kind not in _CONTAINERS


def _one_sided(side: _Side, kind: ChangeKind) -> FunctionChange:
    is_added = kind is ChangeKind.ADDED
    return FunctionChange(
        id=side.function.id,
        kind=kind,
        before=None if is_added else side.function,
        after=side.function if is_added else None,
        changed_lines=side.lines if is_added else (),
        removed_lines=() if is_added else side.lines,
    )
