"""Which other files usually change with a function: a hint at what a change may have forgotten.

The thresholds, support and confidence of an association rule, are judgements (https://doi.org/10.1109/TSE.2005.72).
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence

from gatecli.model import ChangedFiles, CoChange

MIN_TOGETHER = 3
MIN_SHARE = 0.5
MAX_FILES = 30
"""Commits of more files are imports, releases and reformattings: their files have nothing to do with each other."""
MAX_PARTNERS = 3


def partners(
    commits: Sequence[str],
    files: Mapping[str, ChangedFiles],
    *,
    leave_out: Collection[str],
    exists: Callable[[str], bool],
) -> tuple[CoChange, ...]:
    """The files that at least half of a function's changes, and at least three, changed too; the most frequent first.

    Args:
        commits: That changed the function, newest first.
        files: Those of each commit, as far as known. A file that was renamed counts under its newest name.
        leave_out: Paths to name in no case: the function's own and those of the change.
        exists: Whether a file is there before the change; asked only of those that would be named.
    """
    if len(commits) < MIN_TOGETHER:
        return ()
    together: Counter[str] = Counter()
    name_now: dict[str, str] = {}
    for commit in commits:
        changed = files.get(commit, ())
        names = {name_now.get(new, new) for _, new in changed}
        name_now |= {old: name_now.get(new, new) for old, new in changed if old != new}
        if len(changed) <= MAX_FILES:
            together.update(names)
    least = max(MIN_TOGETHER, MIN_SHARE * len(commits))
    often = sorted(((-times, path) for path, times in together.items() if times >= least and path not in leave_out))
    found = [CoChange(path=path, together=-times, changes=len(commits)) for times, path in often if exists(path)]
    return tuple(found[:MAX_PARTNERS])
