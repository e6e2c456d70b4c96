"""Both sides of each file of a patch, from the tree it stands in or, where that fails, from its lines alone."""

import hashlib
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher

from gatecli.errors import EvidenceError
from gatecli.model import FileChange, FileStatus, FileType, Hunk
from gatecli.sources.patch import PatchFile, PatchHunk


def file_changes(files: tuple[PatchFile, ...], read: Callable[[str], bytes | None]) -> tuple[FileChange, ...]:
    """Both sides of each file of a patch.

    ``read`` gives today's content of a path: taken as the old side where the patch applies to it, as the new side
    where it is already applied. Elsewhere both sides are rebuilt from the hunks, the other lines blank, and the file
    is ``partial``. A file that a series touches several times is one change, unless it is partial.
    """
    return tuple(change for lineage in _lineages(files) for change in _lineage_changes(lineage, read))


def _lineages(files: tuple[PatchFile, ...]) -> list[list[PatchFile]]:
    """The sections of a series by file, followed through its renames, in the order of their first appearance."""
    lineages: list[list[PatchFile]] = []
    latest: dict[str, list[PatchFile]] = {}
    for file in files:
        if file.path is None and file.old_path is None:
            raise EvidenceError("a file section of the patch names no file", "give the whole patch, with its headers")
        # A file that comes may be one that an earlier patch took away; the source of a copy stays what it was.
        known = None if file.status is FileStatus.COPIED else file.old_path or file.path
        lineage = latest.pop(known, None) if known is not None else None
        if lineage is None or _type(lineage[-1]) is not _type(file):
            lineage = []
            lineages.append(lineage)
        lineage.append(file)
        latest[file.path or file.old_path or ""] = lineage
    return lineages


def _lineage_changes(lineage: list[PatchFile], read: Callable[[str], bytes | None]) -> Iterator[FileChange]:
    first, last = lineage[0], lineage[-1]
    sides = _whole_sides(lineage, read)
    if sides is None:
        for file in lineage:
            before = None if file.status is FileStatus.ADDED else _sparse(file.hunks, drop=b"+")
            after = None if file.status is FileStatus.DELETED else _sparse(file.hunks, drop=b"-")
            yield _file_change(file, file, before, after, file.replaced, partial=True)
        return
    before, after = sides
    hunks = first.replaced if len(lineage) == 1 else hunks_between(before, after)
    yield _file_change(first, last, before, after, hunks, partial=False)


def _file_change(
    first: PatchFile,
    last: PatchFile,
    before: bytes | None,
    after: bytes | None,
    hunks: tuple[Hunk, ...],
    *,
    partial: bool,
) -> FileChange:
    status = last.status
    if first is not last and status is not FileStatus.DELETED:
        moved = first.old_path != last.path
        status = FileStatus.ADDED if first.old_path is None else FileStatus.RENAMED if moved else FileStatus.MODIFIED
    return FileChange(
        path=last.path or last.old_path or "",
        old_path=first.old_path,
        status=status,
        type=_type(last),
        old_mode=first.old_mode,
        new_mode=last.new_mode,
        binary=last.binary,
        partial=partial,
        hunks=hunks,
        before=before,
        after=after,
    )


def _whole_sides(
    lineage: list[PatchFile], read: Callable[[str], bytes | None]
) -> tuple[bytes | None, bytes | None] | None:
    """Both sides in full, None where the patches fit no content that is at hand."""
    first, last = lineage[0], lineage[-1]
    if any(file.binary or _type(file) is not FileType.REGULAR for file in lineage):
        return None, None
    if first.status is FileStatus.ADDED:
        return _pair(None, _follow(b"", lineage), last)
    if first.status is FileStatus.DELETED:
        shown = _joined(first)
        return _pair(shown, _follow(shown, lineage), last)
    for name in dict.fromkeys((first.old_path, last.path)):
        content = read(name) if name is not None else None
        if content is None:
            continue
        applied = last.new_blob is not None and _is_blob(content, last.new_blob)
        if not applied and (after := _follow(content, lineage)) is not None:
            return _pair(content, after, last)
        if (before := _follow_back(content, lineage)) is not None:
            return before, content
    return None


def _pair(before: bytes | None, after: bytes | None, last: PatchFile) -> tuple[bytes | None, bytes | None] | None:
    """Both sides, of which a file that is deleted in the end has no new one; None where the patches did not fit."""
    if last.status is FileStatus.DELETED:
        return before, None
    return None if after is None else (before, after)


def _follow(content: bytes, lineage: list[PatchFile]) -> bytes | None:
    result: bytes | None = content
    for file in lineage:
        before = result
        result = _apply(before, file.hunks, old=b"+", new=b"-") if before is not None else None
        _check(file, before, result)
    return result


def _follow_back(content: bytes, lineage: list[PatchFile]) -> bytes | None:
    result: bytes | None = content
    for file in reversed(lineage):
        after = result
        result = _apply(after, file.hunks, old=b"-", new=b"+") if after is not None else None
    return result


def _check(file: PatchFile, before: bytes | None, after: bytes | None) -> None:
    """The blob ids, where the first names the content at hand, show that no hunk is missing.

    Raises:
        EvidenceError: the patch starts from this content and does not lead to the one it names.
    """
    if before is None or after is None or not file.old_blob or not file.new_blob:
        return
    if file.status is not FileStatus.DELETED and _is_blob(before, file.old_blob) and not _is_blob(after, file.new_blob):
        raise EvidenceError(
            f"the patch for {file.path} does not lead to the content that its index line names",
            "it was cut off or edited after it was made: make it again, and give the whole of it",
        )


def _is_blob(content: bytes, id: str) -> bool:
    """Whether a possibly abbreviated blob id is that of a content (sha1, or sha256 in repositories that use it)."""
    blob = b"blob %d\0%b" % (len(content), content)
    return any(hashlib.new(name, blob, usedforsecurity=False).hexdigest().startswith(id) for name in ("sha1", "sha256"))


def file_type(mode: str | None) -> FileType:
    """What a git mode stands for."""
    return {"120000": FileType.SYMLINK, "160000": FileType.SUBMODULE}.get(mode or "", FileType.REGULAR)


def _type(file: PatchFile) -> FileType:
    return file_type(file.new_mode or file.old_mode)


def _joined(file: PatchFile) -> bytes:
    """The content that a deletion shows."""
    return b"".join(line for hunk in file.hunks for line in hunk.side(b"+"))


def _apply(content: bytes, hunks: tuple[PatchHunk, ...], *, old: bytes, new: bytes) -> bytes | None:
    """The content with each hunk's one side replaced by its other, None where a hunk does not fit exactly."""
    lines = _lines(content)
    result: list[bytes] = []
    position = 0
    forward = old == b"+"
    for hunk in hunks:
        start = (hunk.old_start if forward else hunk.new_start) - 1
        expected = hunk.side(old)
        if start < position or tuple(lines[start : start + len(expected)]) != expected:
            return None
        result += lines[position:start]
        result += hunk.side(new)
        position = start + len(expected)
    return b"".join(result + lines[position:])


def _lines(content: bytes) -> list[bytes]:
    """The lines with their ends; nothing but ``\\n`` ends a line, as in git."""
    lines = [line + b"\n" for line in content.split(b"\n")]
    lines[-1] = lines[-1].removesuffix(b"\n")
    return lines if lines[-1] else lines[:-1]


def _sparse(hunks: tuple[PatchHunk, ...], drop: bytes) -> bytes:
    """One side as far as the hunks show it, every line at its number; the heading git found stands before its hunk."""
    lines: list[bytes] = []
    for hunk in hunks:
        start = (hunk.old_start if drop == b"+" else hunk.new_start) - 1
        gap = max(0, start - len(lines))
        lines += [b"\n"] * gap
        if gap and hunk.heading.lstrip().startswith((b"def ", b"class ", b"async def ")):
            lines[-1] = hunk.heading.rstrip() + b"\n"
        lines += hunk.side(drop)
    return b"".join(lines)


# difflib compares each line with each: a block with more pairs than this counts as replaced whole.
MAX_LINE_PAIRS = 4_000_000


def hunks_between(before: bytes | None, after: bytes | None) -> tuple[Hunk, ...]:
    """Replaced blocks between two contents, where no diff is at hand (lines compared whole)."""
    old, new = _lines(before or b""), _lines(after or b"")
    hunks: list[Hunk] = []
    i = j = 0
    for a, b in (*_anchors(old, new), (len(old), len(new))):
        hunks += _hunks_in_block(old, new, range(i, a), range(j, b))
        i, j = a + 1, b + 1
    return tuple(hunks)


def _anchors(old: list[bytes], new: list[bytes]) -> Iterator[tuple[int, int]]:
    """The longest run, in the order of both sides, of lines that stand once on each (patience diff)."""
    once_old, once_new = _once(old), _once(new)
    pairs = [(i, once_new[line]) for line, i in once_old.items() if line in once_new]
    tails: list[int] = []  # the smallest end of a run, by its length
    ends: list[int] = []  # which pair that is
    previous: list[int | None] = []
    for number, (_, j) in enumerate(pairs):
        length = bisect_left(tails, j)
        tails[length : length + 1] = [j]
        previous.append(ends[length - 1] if length else None)
        ends[length : length + 1] = [number]
    chain: list[tuple[int, int]] = []
    current = ends[-1] if ends else None
    while current is not None:
        chain.append(pairs[current])
        current = previous[current]
    return reversed(chain)


def _once(lines: list[bytes]) -> dict[bytes, int]:
    count = Counter(lines)
    return {line: number for number, line in enumerate(lines) if count[line] == 1}


def _hunks_in_block(old: list[bytes], new: list[bytes], rows: range, columns: range) -> Iterator[Hunk]:
    """Replaced blocks between two blocks of lines, their common start and end left out."""
    while rows and columns and old[rows[0]] == new[columns[0]]:
        rows, columns = rows[1:], columns[1:]
    while rows and columns and old[rows[-1]] == new[columns[-1]]:
        rows, columns = rows[:-1], columns[:-1]
    if not rows and not columns:
        return
    codes: Sequence[tuple[str, int, int, int, int]] = [("replace", 0, len(rows), 0, len(columns))]
    if rows and columns and len(rows) * len(columns) <= MAX_LINE_PAIRS:
        codes = SequenceMatcher(a=old[rows.start : rows.stop], b=new[columns.start : columns.stop]).get_opcodes()
    for tag, a, b, c, d in codes:
        if tag != "equal":
            yield Hunk(
                old_start=rows.start + a + 1,
                old_count=b - a,
                new_start=columns.start + c + 1,
                new_count=d - c,
            )
