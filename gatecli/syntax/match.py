"""Both sides of a change to function changes: what was added, removed, edited, renamed, moved or only reformatted.

Functions are matched by qualified name in the same file first, then (over all files of the change) by equal shape,
then by similar tokens. A line belongs to the innermost function that holds it; blank lines outside functions belong to
nobody.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

from gatecli.errors import EvidenceError
from gatecli.model import (
    Behaviour,
    ChangeKind,
    FileChange,
    FileStatus,
    FileType,
    FunctionChange,
    FunctionKind,
    ParsedFile,
    ParseStatus,
)
from gatecli.syntax import behaviour, normalise, signature
from gatecli.syntax.complexity import complexity
from gatecli.syntax.kinds import kind_of, why_not_parsed
from gatecli.syntax.languages import is_read, read_module
from gatecli.syntax.pairing import pair_by_code
from gatecli.syntax.python import Module
from gatecli.syntax.relations import with_relations
from gatecli.syntax.sides import Matched, Side, sides


def changed_functions(
    files: Iterable[FileChange],
) -> tuple[tuple[FunctionChange, ...], tuple[ParsedFile, ...]]:
    """The touched functions of a change, in file and line order, and how each file was read."""
    matched: list[Matched] = []
    removed: list[Side] = []
    added: list[Side] = []
    parsed: list[ParsedFile] = []
    for file in files:
        status, before, after = _read(file)
        parsed.append(replace(status, kind=kind_of(file.path)))
        if before is None and after is None:
            continue
        removed_lines, added_lines = _touched_lines(file, before, after)
        old = sides(before, file.before, removed_lines)
        new = sides(after, file.after, added_lines)
        pairs, old_left, new_left = _pair_by_name(old, new)
        moved_file = file.old_path is not None and before is not None and file.old_path != file.path
        matched.extend(found for a, b in pairs if (found := _judge_pair(a, b, moved_file)) is not None)
        removed.extend(old_left)
        added.extend(new_left)
    matched.extend(_renamed(a, b) for a, b in pair_by_code(removed, added) if _counts(a) or _counts(b))
    matched.extend(_one_sided(side, ChangeKind.REMOVED) for side in removed if _counts(side))
    matched.extend(_one_sided(side, ChangeKind.ADDED) for side in added if _counts(side))
    changes = sorted(
        with_relations(matched),
        key=lambda change: (change.id.path, change.function.span.first_line, change.id.qualname, change.kind),
    )
    return tuple(changes), tuple(parsed)


def _read(file: FileChange) -> tuple[ParsedFile, Module | None, Module | None]:
    """Parse both sides of a file, and say how far that went."""
    if not is_read(file.path) and not (file.old_path and is_read(file.old_path)):
        reason = why_not_parsed(kind_of(file.path))
        return ParsedFile(path=file.path, status=ParseStatus.NOT_PYTHON, reason=reason), None, None
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
        reason = (after.reason if after else None) or "syntax errors: judged as far as it parses"
    elif before and before.error_lines:
        reason = "syntax errors before the change"
    else:
        return ParsedFile(path=file.path, status=ParseStatus.PARSED, reason=reason or None), before, after
    return ParsedFile(path=file.path, status=ParseStatus.PARTIAL, error_lines=errors, reason=reason), before, after


def _touched_lines(
    file: FileChange, before: Module | None, after: Module | None
) -> tuple[Iterable[int], Iterable[int]]:
    """The lines that went and those that came; all of a copy came, as its original is still where it was."""
    if file.status is FileStatus.COPIED and after is not None:
        return (), range(1, after.functions[0].span.end_line + 1)
    hunks = [(hunk.removed, hunk.added) for hunk in file.hunks]
    if before is not None and after is not None and before.is_derived and after.is_derived:
        old, new = (normalise.source_lines(module.source) for module in (before, after))
        hunks = [_differing(old, removed, new, added) for removed, added in hunks]
    return chain.from_iterable(gone for gone, _ in hunks), chain.from_iterable(came for _, came in hunks)


def _differing(old: Sequence[bytes], removed: range, new: Sequence[bytes], added: range) -> tuple[range, range]:
    """The lines of a hunk without those at both ends whose code is the same: in JSON, a last line gets a comma."""
    shorter = min(len(removed), len(added))
    first = next((n for n in range(shorter) if old[removed[n] - 1] != new[added[n] - 1]), shorter)
    rest = range(1, shorter - first + 1)
    last = next((n for n in rest if old[removed[-n] - 1] != new[added[-n] - 1]), shorter - first + 1) - 1
    return removed[first : len(removed) - last], added[first : len(added) - last]


def _module(path: str, source: bytes | None) -> Module | None:
    return read_module(path, source) if source is not None and is_read(path) else None


def _pair_by_name(old: list[Side], new: list[Side]) -> tuple[list[tuple[Side, Side]], list[Side], list[Side]]:
    """Pairs with the same qualified name; repeated definitions pair by equal shape first, then in order."""
    groups: dict[str, list[Side]] = defaultdict(list)
    for side in old:
        groups[_plain(side)].append(side)
    pairs: list[tuple[Side, Side]] = []
    new_left: list[Side] = []
    fresh: dict[str, list[Side]] = defaultdict(list)
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


def _plain(side: Side) -> str:
    """The qualified name without the ``#2`` of repeated definitions, on every level."""
    return ".".join(part.partition("#")[0] for part in side.id.qualname.split("."))


def _same_shape(old: list[Side], new: list[Side]) -> Iterator[tuple[Side, Side]]:
    by_shape: dict[bytes, list[Side]] = defaultdict(list)
    for side in old:
        by_shape[normalise.body_shape(side.module, side.index)[0]].append(side)
    for side in new:
        same = by_shape.get(normalise.body_shape(side.module, side.index)[0])
        if same:
            yield same.pop(0), side


def _judge_pair(before: Side, after: Side, moved_file: bool) -> Matched | None:
    """The change of a function that kept its name, or None where it was not touched."""
    if not before.lines and not after.lines:
        is_module = after.function.kind is FunctionKind.MODULE
        return _matched(before, after, ChangeKind.MOVED) if moved_file and is_module else None
    same_text = normalise.own_text(before.module, before.index) == normalise.own_text(after.module, after.index)
    same_ends = before.module.crlf == after.module.crlf
    if same_text and same_ends and (after.is_container or not (before.lines and after.lines)):
        return None  # a diff may also blame the lines between two look-alikes on one of them
    if same_text and same_ends:
        kind = ChangeKind.MOVED
    elif same_text or normalise.same_own_code(before.module, before.index, after.module, after.index):
        kind = ChangeKind.COSMETIC
    else:
        kind = ChangeKind.EDITED
    return _matched(before, after, kind, is_edited=kind is ChangeKind.EDITED)


def _renamed(before: Side, after: Side) -> Matched:
    is_move = before.path != after.path and before.id.name == after.id.name
    shapes = [normalise.body_shape(side.module, side.index)[0] for side in (before, after)]
    kind = ChangeKind.MOVED if is_move else ChangeKind.RENAMED
    return _matched(before, after, kind, is_edited=shapes[0] != shapes[1])


def _matched(before: Side, after: Side, kind: ChangeKind, *, is_edited: bool = False) -> Matched:
    change = FunctionChange(
        id=after.id,
        kind=kind,
        before=before.function,
        after=after.function,
        changed_lines=after.lines,
        removed_lines=before.lines,
        signature=signature.differences(before.function, after.function),
        behaviour=behaviour.between(before, after) if is_edited else None,
    )
    return Matched(before, after, change)


def _counts(side: Side) -> bool:
    """Whether a one-sided function is worth a row: containers only where lines of their own changed."""
    return bool(side.lines) or not side.is_container


def _one_sided(side: Side, kind: ChangeKind) -> Matched:
    is_added = kind is ChangeKind.ADDED
    number = complexity(side)
    change = FunctionChange(
        id=side.id,
        kind=kind,
        before=None if is_added else side.function,
        after=side.function if is_added else None,
        changed_lines=side.lines if is_added else (),
        removed_lines=() if is_added else side.lines,
        behaviour=None if side.is_container else Behaviour(complexity=(None, number) if is_added else (number, None)),
    )
    return Matched(None if is_added else side, side if is_added else None, change)
