"""Comments that say a finding is accepted: ``# gate: ignore[rule] until=2026-12-31 reason="why"``.

A rule, a date and a reason are mandatory. The comment counts for the line it stands on, for the line below a comment of
its own, and on a ``def`` (or above its decorators) for the whole function. What the change itself adds has no effect on
this change: whoever writes the code cannot excuse it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from gatecli.model import FileChange, FileStatus
from gatecli.rules.lines import MAX_FILE, decoded

_MARK = re.compile(
    r"(?:#|//|--|/\*|<!--|;|\{#)\s{0,10}gate:\s{0,10}ignore\b(?:\[([^\]\n]{0,300})\])?([^\n]{0,600})", re.IGNORECASE
)
_UNTIL = re.compile(r"\buntil\s{0,3}=\s{0,3}[\"']?([\w/.-]{1,30})")
_REASON = re.compile(r"\breason\s{0,3}=\s{0,3}(?:\"([^\"\n]{0,300})\"|'([^'\n]{0,300})')")
_COMMENT_ONLY = re.compile(r"\s{0,400}(?:#|//|--|/\*|<!--|;|\{#|@)")
MIN_REASON = 8
"""Characters of a reason that says something."""

MAX_MARKS = 1_000


@dataclass(frozen=True, slots=True)
class Ignore:
    """One comment: the rules it names, the day it ends (None: not readable) and why; the lines it counts for.

    ``added`` says that the change brings it or edits it.
    """

    path: str
    line: int
    rules: frozenset[str]
    until: date | None
    reason: str
    covers: range
    added: bool

    def problem(self, known: frozenset[str], today: date | None, max_days: int) -> str:
        """Why it does not count, empty if it does."""
        unknown = sorted(rule for rule in self.rules if known and rule not in known)
        if not self.rules:
            return "names no rule: write ignore[rule-id]"
        if unknown:
            return f"names a rule that does not exist: {unknown[0][:60]!r}"
        if self.until is None:
            return "has no end: write until=YYYY-MM-DD"
        if len(self.reason) < MIN_REASON:
            return "has a reason that says nothing" if self.reason else 'has no reason: write reason="…"'
        if today is None:
            return ""
        if self.until < today:
            return f"ended on {self.until}"
        if self.until > today + timedelta(days=max_days):
            return f"ends on {self.until}, later than the {max_days} days that the policy allows"
        return ""


def read_ignores(file: FileChange) -> Iterator[Ignore]:
    """The comments of the new side of a file, in their order."""
    if file.after is None or file.binary or b"gate:" not in file.after or len(file.after) > MAX_FILE:
        return
    lines = decoded(file.after).split("\n")
    is_new = file.status in (FileStatus.ADDED, FileStatus.COPIED)
    added = range(1, len(lines) + 1) if is_new else {line for hunk in file.hunks for line in hunk.added}
    marked = 0
    for number, text in enumerate(lines, 1):
        found = _MARK.search(text[:2_000]) if "gate:" in text else None
        if found is None or marked >= MAX_MARKS:
            continue
        marked += 1
        named, rest = found[1] or "", found[2]
        until, reason = _UNTIL.search(rest), _REASON.search(rest)
        yield Ignore(
            path=file.path,
            line=number,
            rules=frozenset(filter(None, re.split(r"[\s,]{1,10}", named))),
            until=_day(until[1]) if until else None,
            reason=(reason[1] or reason[2] or "").strip() if reason else "",
            covers=_covered(lines, number, alone=_COMMENT_ONLY.match(text) is not None),
            added=number in added,
        )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _covered(lines: list[str], number: int, *, alone: bool) -> range:
    """The lines from the comment to the first one below that is neither a comment nor a decorator."""
    end = number
    while alone and end < len(lines) and end < number + 20 and _COMMENT_ONLY.match(lines[end]):
        end += 1
    return range(number, end + 1 + alone)
