"""Both sides of each file of a patch, from the tree it stands in or, where that fails, from its lines alone."""

from collections.abc import Callable, Iterator

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
        lineage = latest.pop(file.old_path or "", None) if file.status is not FileStatus.COPIED else None
        if lineage is None:
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
        type=file_type(last.new_mode or first.old_mode),
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
    if any(file.binary for file in lineage):
        return None, None
    if first.status is FileStatus.ADDED:
        after = _follow(_joined(first, drop=b"-"), lineage[1:])
        return None if after is None and last.status is not FileStatus.DELETED else (None, after)
    if first.status is FileStatus.DELETED and len(lineage) == 1:
        return _joined(first, drop=b"+"), None
    for name in dict.fromkeys((first.old_path, last.path)):
        content = read(name) if name is not None else None
        if content is None:
            continue
        if (after := _follow(content, lineage)) is not None:
            return content, None if last.status is FileStatus.DELETED else after
        if (before := _follow_back(content, lineage)) is not None:
            return before, content
    return None


def _follow(content: bytes, lineage: list[PatchFile]) -> bytes | None:
    result: bytes | None = content
    for file in lineage:
        result = _apply(result, file.hunks, old=b"+", new=b"-") if result is not None else None
    return result


def _follow_back(content: bytes, lineage: list[PatchFile]) -> bytes | None:
    result: bytes | None = content
    for file in reversed(lineage):
        result = _apply(result, file.hunks, old=b"-", new=b"+") if result is not None else None
    return result


def file_type(mode: str | None) -> FileType:
    """What a git mode stands for."""
    return {"120000": FileType.SYMLINK, "160000": FileType.SUBMODULE}.get(mode or "", FileType.REGULAR)


def _joined(file: PatchFile, drop: bytes) -> bytes:
    lines = [line for hunk in file.hunks for line in hunk.side(drop)]
    return b"\n".join(lines) + (b"\n" if lines else b"")


def _apply(content: bytes, hunks: tuple[PatchHunk, ...], *, old: bytes, new: bytes) -> bytes | None:
    """The content with each hunk's one side replaced by its other, None where a hunk does not fit exactly."""
    lines = content.split(b"\n")
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
    return b"\n".join(result + lines[position:])


def _sparse(hunks: tuple[PatchHunk, ...], drop: bytes) -> bytes:
    """One side as far as the hunks show it, every line at its number; the heading git found stands before its hunk."""
    lines: list[bytes] = []
    for hunk in hunks:
        start = (hunk.old_start if drop == b"+" else hunk.new_start) - 1
        if start < len(lines):
            start = len(lines)
        gap = start - len(lines)
        lines += [b""] * gap
        if gap and hunk.heading.lstrip().startswith((b"def ", b"class ", b"async def ")):
            lines[-1] = hunk.heading.rstrip()
        lines += hunk.side(drop)
    return b"\n".join(lines) + b"\n"


def hunks_between(before: bytes | None, after: bytes | None) -> tuple[Hunk, ...]:
    """Replaced blocks between two contents, where no diff is at hand (lines compared whole)."""
    import difflib

    old = before.split(b"\n") if before else []
    new = after.split(b"\n") if after else []
    if old and old[-1] == b"":
        old.pop()
    if new and new[-1] == b"":
        new.pop()
    matcher = difflib.SequenceMatcher(a=old, b=new, autojunk=len(old) + len(new) > 20_000)
    return tuple(
        Hunk(old_start=a + 1, old_count=b - a, new_start=c + 1, new_count=d - c)
        for tag, a, b, c, d in matcher.get_opcodes()
        if tag != "equal"
    )
