"""Commits by what their messages say, and who wrote what a commit brought."""

from collections.abc import Iterable
from datetime import date, timedelta

from gatecli.model import Person, Revision
from gatecli.sources.git import Repository
from gatecli.sources.revisions import REVISION_FORMAT, parse_revisions

MAX_MENTIONS = 200
MAX_BROUGHT = 50
"""Commits of a merge whose authors are asked for."""
_SHORTEST = 7


def mentioning(repository: Repository, at: str, commits: Iterable[str], *, since: date) -> tuple[Revision, ...]:
    """The commits up to ``at`` whose message names one of some others, by seven characters at least; newest first.

    Only what was committed since a day is read: what ends an incident comes after it, and the walk ends there.
    """
    names = sorted({commit[:_SHORTEST] for commit in commits})
    if not names:
        return ()
    # A day is one of somebody's zone.
    start = since - timedelta(days=1) if since > date.min else since
    wanted = [f"--grep={name}" for name in names]
    limits = [f"--max-count={MAX_MENTIONS}", f"--since={start.isoformat()}T00:00:00Z"]
    return _log(repository, "--fixed-strings", "--regexp-ignore-case", *limits, *wanted, at)


def authors(repository: Repository, commit: str) -> tuple[Person, ...]:
    """Who wrote a commit; of a merge, who wrote what it brought. Nobody where it is not in this clone."""
    found = _log(repository, "--ignore-missing", f"--max-count={MAX_BROUGHT}", commit, f"^{commit}^1")
    merged = [one for one in found if not one.sha.startswith(commit)]
    return tuple(dict.fromkeys(one.author for one in merged or found))


def _log(repository: Repository, *arguments: str) -> tuple[Revision, ...]:
    return parse_revisions(repository.run("log", "-z", "--encoding=UTF-8", REVISION_FORMAT, *arguments, "--"))
