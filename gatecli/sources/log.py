"""The output of ``git log -p -U0`` to past commits: only where lines were replaced is kept, never the lines.

And that of ``git diff-tree --stdin --name-status``: all files of some commits.
"""

import os
import re
from collections.abc import Iterator

from gatecli.model import ChangedFiles, Hunk, PastCommit, Person
from gatecli.sources.patch import plain_path
from gatecli.sources.revisions import epoch

_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


def parse_log(out: bytes) -> Iterator[PastCommit]:
    """Commits newest first, from the format ``NUL sha NUL name NUL email NUL time NUL subject NUL`` and a patch.

    Hunk lines are counted, so nothing in a file can pass for a header, not even NUL bytes, which git prints where an
    attribute calls a binary file text.
    """
    head: list[bytes] | None = None
    files: list[tuple[str, tuple[Hunk, ...]]] = []
    for item in _items(iter(out.split(b"\n"))):
        if isinstance(item, tuple):
            files.append(item)
            continue
        if head is not None:
            yield _commit(head, files)
        head, files = item, []
    if head is not None:
        yield _commit(head, files)


def parse_changed_files(out: bytes) -> dict[str, ChangedFiles]:
    """The files of each commit, from ``sha NUL (status NUL path [NUL new path] NUL)*``; an unfinished end is left out.

    A path may look like anything: what a field means follows from its place.
    """
    found: dict[str, ChangedFiles] = {}
    sha: str | None = None
    files: list[tuple[str, str]] = []
    fields = iter(out.split(b"\0")[:-1])
    for field in fields:
        if len(field) >= 40:  # SHA-1 or SHA-256; a status has at most four characters
            if sha is not None:
                found[sha] = tuple(files)
            sha, files = field.decode("ascii"), []
            continue
        old = next(fields, None)
        new = next(fields, None) if field.startswith(b"R") else old
        if old is None or new is None:
            return found
        files.append((os.fsdecode(old), os.fsdecode(new)))
    if sha is not None:
        found[sha] = tuple(files)
    return found


def _commit(head: list[bytes], files: list[tuple[str, tuple[Hunk, ...]]]) -> PastCommit:
    sha, name, mail, at, subject = (field.decode("utf-8", "replace") for field in head)
    return PastCommit(
        sha=sha,
        author=Person(name=name, email=mail),
        committed_at=epoch(at),
        subject=subject,
        files=tuple(files),
    )


def _items(lines: Iterator[bytes]) -> Iterator[list[bytes] | tuple[str, tuple[Hunk, ...]]]:
    """The five fields of each commit, followed by its files."""
    old = new = ""
    hunks: list[Hunk] = []
    for line in lines:
        is_commit = line.startswith(b"\0") and line.count(b"\0") == 6
        if hunks and (is_commit or line.startswith(b"diff --git ")):
            yield new if new != "/dev/null" else old, tuple(hunks)
            hunks = []
        if is_commit:
            yield line.split(b"\0")[1:6]
        elif line.startswith(b"--- "):
            old = plain_path(line[4:])
        elif line.startswith(b"+++ "):
            new = plain_path(line[4:])
        elif match := _HUNK.match(line):
            hunk = _hunk(match)
            hunks.append(hunk)
            left = hunk.old_count + hunk.new_count
            while left and (body := next(lines, None)) is not None:
                left -= not body.startswith(b"\\")  # "\ No newline at end of file" is no line
    if hunks:
        yield new if new != "/dev/null" else old, tuple(hunks)


def _hunk(match: re.Match[bytes]) -> Hunk:
    old_count = int(match[2]) if match[2] is not None else 1
    new_count = int(match[4]) if match[4] is not None else 1
    return Hunk(
        old_start=int(match[1]) + (old_count == 0),
        old_count=old_count,
        new_start=int(match[3]) + (new_count == 0),
        new_count=new_count,
    )
