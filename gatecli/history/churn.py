"""How often each touched function changed before, and by whom: ``git log -L`` for all of them in one pass.

Every function's lines at the base revision are followed backwards through the hunks of past commits. A hunk that
touches them is a change of the function by that commit's author; the lines it replaced are followed on, as
git's line-log does (https://github.com/git/git/blob/master/line-log.c).
"""

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from gatecli.history import cochange
from gatecli.model import (
    Authorship,
    ChangedFiles,
    CoChange,
    FunctionChange,
    FunctionHistory,
    FunctionId,
    FunctionKind,
    HistoryStatus,
    Hunk,
    PastCommit,
    Person,
)

MAX_COMMITS = 300
"""More commits than this say nothing new about who knows a function."""
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
    files_of: Callable[[Sequence[str]], Mapping[str, ChangedFiles]] = lambda _: {},
    in_change: Collection[str] = (),
    exists: Callable[[str], bool] = lambda _: True,
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
        files_of: All files of some commits; asked at most once, for what changes together with the functions.
        in_change: The paths of the change, before and after it.
        exists: Whether there is a file of that path before the change.
    """
    followed: dict[FunctionId, _Followed] = {}
    found = {}
    for function in functions:
        if function.before is None:
            found[function.id] = FunctionHistory(status=HistoryStatus.NEW, changes=0)
        elif not base_available:
            found[function.id] = FunctionHistory(status=HistoryStatus.UNAVAILABLE)
        else:
            followed[function.id] = _Followed(path=function.before.id.path, ranges=_start(function))
    _follow(commits, followed.values(), identify)
    often = [state.commits for state in followed.values() if len(state.commits) >= cochange.MIN_TOGETHER]
    asked = dict.fromkeys(commit for commits_of_one in often for commit in commits_of_one)
    files = files_of(list(asked)) if asked else {}
    for id, state in followed.items():
        partners = cochange.partners(state.commits, files, leave_out={state.path, *in_change}, exists=exists)
        found[id] = _history(state, partners, cut=shallow or state.cut)
    return found


@dataclass(slots=True)
class _Followed:
    """A function on its way back: where its lines are now, and who touched them so far."""

    path: str
    ranges: tuple[Range, ...]
    commits: list[str] = field(default_factory=list)
    authors: dict[str, Authorship] = field(default_factory=dict)
    first_at: int | None = None
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
    function.commits.append(commit.sha)
    # A commit without a readable date has none, and would make everything as old as 1970.
    function.first_at = min((at for at in (function.first_at, commit.committed_at) if at), default=None)
    function.last_at = max(function.last_at or commit.committed_at, commit.committed_at)


def _history(state: _Followed, partners: tuple[CoChange, ...], *, cut: bool) -> FunctionHistory:
    return FunctionHistory(
        status=HistoryStatus.SHALLOW if cut else HistoryStatus.KNOWN,
        changes=len(state.commits),
        authors=tuple(sorted(state.authors.values(), key=lambda one: (-one.changes, -one.last_at, str(one.person)))),
        first_changed_at=state.first_at,
        last_changed_at=state.last_at,
        cochange=partners,
        commits=tuple(state.commits),
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
