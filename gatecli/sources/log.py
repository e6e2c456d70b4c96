"""The output of ``git log -p -U0`` to past commits: only where lines were replaced is kept, never the lines."""

import re
from collections.abc import Iterator

from gatecli.model import Hunk, PastCommit, Person
from gatecli.sources.patch import plain_path

_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


def parse_log(out: bytes) -> Iterator[PastCommit]:
    """Commits newest first, from the format ``NUL sha NUL name NUL email NUL time NUL subject NUL`` and a patch.

    Hunk lines are counted, so nothing in a file can pass for a header; content with NUL bytes is binary to git and
    never printed.
    """
    fields = out.split(b"\0")
    for i in range(1, len(fields) - 5, 6):
        sha, name, mail, at, subject, patch = fields[i : i + 6]
        yield PastCommit(
            sha=sha.decode("ascii", "replace"),
            author=Person(name=name.decode("utf-8", "replace"), email=mail.decode("utf-8", "replace")),
            committed_at=int(at) if at.isdigit() else 0,
            subject=subject.decode("utf-8", "replace"),
            files=tuple(_files(patch)),
        )


def _files(patch: bytes) -> Iterator[tuple[str, tuple[Hunk, ...]]]:
    old = new = ""
    hunks: list[Hunk] = []
    lines = iter(patch.split(b"\n"))
    for line in lines:
        if line.startswith(b"diff --git "):
            if hunks:
                yield new if new != "/dev/null" else old, tuple(hunks)
            hunks = []
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
