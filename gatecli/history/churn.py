"""How often each touched function changed before, and by whom: ``git log -L`` for all of them in one pass.

Every function's lines at the base revision are followed backwards through the hunks of past commits. A hunk that
touches them is a change of the function by that commit's author; the lines it replaced are followed on, as
git's line-log does (https://github.com/git/git/blob/master/line-log.c).
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import accumulate

from gatecli.model import (
    Authorship,
    FunctionChange,
    FunctionHistory,
    FunctionId,
    FunctionKind,
    HistoryStatus,
    Hunk,
    PastCommit,
    Person,
)

MAX_COMMITS = 10_000
MAX_RANGES = 64
"""Above this many separate pieces a function is followed as one span from the first to the last of them."""

Range = tuple[int, int]
"""Lines ``start`` to ``end - 1``, counted from 0."""

_CONTAINERS = (FunctionKind.MODULE, FunctionKind.CLASS_BODY)


def look_up(
    commits: Iterable[PastCommit],
    functions: Iterable[FunctionChange],
    *,
    shallow: bool,
    base_available: bool,
    identify: Callable[[Person], str] = str,
) -> dict[FunctionId, FunctionHistory]:
    """The history of every touched function, by its id after the change.

    Args:
        commits: Before the change, newest first, with ``-U0`` hunks of at least the touched paths (old ones too).
        functions: Those of the change. A module or class body is followed by its replaced lines alone: what else of
            its span is its own is not known here.
        shallow: The clone is cut off; counts are lower bounds then, and the status says so. The same holds for
            functions that still have lines after ``MAX_COMMITS``.
        base_available: Whether there is a base revision with a history at all.
        identify: What two mentions of one person share.
    """
    followed = {}
    found = {}
    for function in functions:
        if function.before is None:
            found[function.id] = FunctionHistory(status=HistoryStatus.NEW, changes=0)
        elif not base_available:
            found[function.id] = FunctionHistory(status=HistoryStatus.UNAVAILABLE)
        else:
            followed[function.id] = _Followed(path=function.before.id.path, ranges=_start(function))
    _follow(commits, followed.values(), identify)
    found.update((id, _history(state, cut=shallow or state.cut)) for id, state in followed.items())
    return found


@dataclass(slots=True)
class _Followed:
    """A function on its way back: where its lines are now, and who touched them so far."""

    path: str
    ranges: tuple[Range, ...]
    changes: int = 0
    authors: dict[str, Authorship] = field(default_factory=dict)
    last_at: int | None = None
    cut: bool = False


def _start(function: FunctionChange) -> tuple[Range, ...]:
    assert function.before is not None, "only functions that existed before are followed"
    if function.before.kind in _CONTAINERS:
        return _joined([(line - 1, line) for line in function.removed_lines])
    return ((function.before.span.first_line - 1, function.before.span.end_line),)


def _follow(commits: Iterable[PastCommit], functions: Iterable[_Followed], identify: Callable[[Person], str]) -> None:
    by_path: dict[str, list[_Followed]] = {}
    for function in functions:
        by_path.setdefault(function.path, []).append(function)
    for number, commit in enumerate(commits):
        if number == MAX_COMMITS:
            for function in functions:
                function.cut = bool(function.ranges)
            return
        for path, hunks in commit.files:
            if alive := [function for function in by_path.get(path, ()) if function.ranges]:
                index = _Index.of(hunks)
                for function in alive:
                    touched, function.ranges = index.before(function.ranges)
                    if touched:
                        _count(function, commit, identify(commit.author))


def _count(function: _Followed, commit: PastCommit, key: str) -> None:
    known = function.authors.get(key)
    function.authors[key] = Authorship(
        person=known.person if known else commit.author,
        changes=known.changes + 1 if known else 1,
        last_at=max(known.last_at, commit.committed_at) if known else commit.committed_at,
    )
    function.changes += 1
    function.last_at = max(function.last_at or commit.committed_at, commit.committed_at)


def _history(state: _Followed, *, cut: bool) -> FunctionHistory:
    return FunctionHistory(
        status=HistoryStatus.SHALLOW if cut else HistoryStatus.KNOWN,
        changes=state.changes,
        authors=tuple(sorted(state.authors.values(), key=lambda one: (-one.changes, -one.last_at, str(one.person)))),
        last_changed_at=state.last_at,
    )


@dataclass(frozen=True, slots=True)
class _Index:
    """The hunks of one file in one commit, in line order, ready to look up: bounds of both sides, and line shifts."""

    old: tuple[Range, ...]
    new: tuple[Range, ...]
    ends: tuple[int, ...]
    shifts: tuple[int, ...]

    @classmethod
    def of(cls, hunks: Iterable[Hunk]) -> "_Index":
        ordered = sorted(hunks, key=lambda hunk: (hunk.new_start, hunk.new_count))
        new = tuple((hunk.new_start - 1, hunk.new_start - 1 + hunk.new_count) for hunk in ordered)
        return cls(
            old=tuple((hunk.old_start - 1, hunk.old_start - 1 + hunk.old_count) for hunk in ordered),
            new=new,
            ends=tuple(end for _, end in new),
            shifts=tuple(accumulate((hunk.old_count - hunk.new_count for hunk in ordered), initial=0)),
        )

    def before(self, ranges: tuple[Range, ...]) -> tuple[bool, tuple[Range, ...]]:
        """Whether a hunk touches the lines, and where they came from.

        A pure deletion touches lines only where it stands between two of them.
        """
        touched = False
        pieces: list[Range] = []
        for start, end in ranges:
            cursor = start
            position = bisect_right(self.ends, start)
            while position < len(self.new) and self.new[position][0] < end:
                touched = True
                pieces += [self._shifted(cursor, self.new[position][0]), self.old[position]]
                cursor = self.new[position][1]
                position += 1
            pieces.append(self._shifted(cursor, end))
        return touched, _joined(pieces)

    def _shifted(self, start: int, end: int) -> Range:
        shift = self.shifts[bisect_right(self.ends, start)]
        return start + shift, end + shift


def _joined(pieces: Iterable[Range]) -> tuple[Range, ...]:
    """The same lines as few, ordered, separate ranges."""
    joined: list[Range] = []
    for start, end in sorted(piece for piece in pieces if piece[0] < piece[1]):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return tuple(joined) if len(joined) <= MAX_RANGES else ((joined[0][0], joined[-1][1]),)
