"""The other flow: the past, replayed as if the gate had stood there.

mainline → outlines of its functions → signals of each change → outcomes → weights and figures. Nothing is checked out;
the outlines are kept by blob id, so that an interrupted run goes on where it was and the next one is fast. What is
known in the end is kept as well: ``gate check`` looks at the next change with it.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gatecli.errors import UsageError
from gatecli.model import MainlineChange
from gatecli.replaying import Progress, keep, new_replay, outline_all
from gatecli.sources.git import Repository

if TYPE_CHECKING:
    from gatecli.config import Config
    from gatecli.history.replay import Replay, Replayed
    from gatecli.scoring.past import Past

MAX_LABELS = 10_000_000
_COMMIT = re.compile(r"[0-9a-fA-F]{40}(?:[0-9a-fA-F]{24})?")


def replay_past(
    directory: Path,
    *,
    revision: str = "HEAD",
    folder: Path,
    labels: Mapping[str, bool] | None = None,
    progress: Progress = lambda *_: None,
    warn: Callable[[str], None] = lambda _: None,
) -> "Past":
    """The signals and outcomes of every change of the mainline up to a revision.

    Args:
        directory: The repository.
        revision: Where the mainline ends.
        folder: Where outlines are kept between runs.
        labels: Outcomes from elsewhere, by commit, in place of those that the history names.
        progress: Told of every part that is done.
        warn: Told why what is known in the end could not be kept.

    Raises:
        UsageError: there is no repository, no such revision, or no change of Python code.
        EvidenceError: objects are missing.
    """
    from gatecli.scoring.past import collect
    from gatecli.sources.mainline import read_mainline
    from gatecli.syntax.outlines import Outlines

    repository = Repository.open(directory)
    if revision == "HEAD" and repository.head() is None:
        raise UsageError(f"{directory} has no commit yet", "commit something first")
    progress("reading history", 0, 0)
    changes = list(read_mainline(repository, revision))
    with Outlines(folder) as outlines:
        settings = _settings(repository, revision)
        outline_all(repository, changes, outlines, progress)
        replay = new_replay(outlines.get, settings)
        past = collect(
            _stepped(replay, changes, progress),
            labels=labels,
            incidents=_incidents(repository, revision),
            shallow=repository.is_shallow,
        )
        progress("keeping what is known", 0, 0)
        if lost := keep(repository, replay, changes, settings, folder):
            warn(f"what happened here could not be kept for later checks: {lost}")
    if not len(past):
        raise UsageError(
            f"no change of the {len(changes):,} on this line touches Python code",
            "name the revision of a branch with code: gate backtest main",
        )
    return past


def _incidents(repository: Repository, revision: str) -> dict[str, int]:
    """The causes that are written down in ``.gate/incidents.yml``, and the end of the day of each incident."""
    from datetime import UTC, datetime

    from gatecli.config.incidents import read_incidents

    return {
        cause: int(datetime(one.day.year, one.day.month, one.day.day, tzinfo=UTC).timestamp()) + 86_400
        for one in read_incidents(repository.tree(revision).read)
        for cause in one.caused_by
    }


def read_labels(path: Path) -> dict[str, bool]:
    """Outcomes from a file of one JSON object a line: ``{"sha": …, "bad": true}``.

    Raises:
        UsageError: the file cannot be read, or a line is not such an object.
    """
    import gzip

    try:
        content = path.read_bytes()
        text = (gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content).decode("utf-8")
    except (OSError, EOFError, UnicodeError) as error:
        raise UsageError(f"cannot read {path}: {error}", "give a file of JSON lines: sha, bad") from error
    found: dict[str, bool] = {}
    for number, line in enumerate(text.splitlines()[:MAX_LABELS], 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            found[_commit(row["sha"])] = _YES_OR_NO[row["bad"]]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise UsageError(
                f"{path}:{number}: not an outcome: {line[:80]!r}",
                'each line is {"sha": "…", "bad": true}: a whole commit id, and true or false',
            ) from error
    return found


_YES_OR_NO = {True: True, False: False}
"""1 and 0 are the same; a word such as "yes" is neither, and must not be taken for good."""


def _commit(sha: str) -> str:
    """A whole commit id, however it is written; TypeError where it is none."""
    if not isinstance(sha, str) or not _COMMIT.fullmatch(sha.strip()):
        raise TypeError(f"{sha!r} is no whole commit id")
    return sha.strip().lower()


def _settings(repository: Repository, revision: str) -> "Config":
    from gatecli import config

    settings, _ = config.load(repository.tree(revision).read)
    return settings


def _stepped(replay: "Replay", changes: Sequence[MainlineChange], progress: Progress) -> "Iterator[Replayed]":
    for number, change in enumerate(changes):
        if number % 200 == 0:
            progress("replaying", number, len(changes))
        yield replay.step(change)
    progress("replaying", len(changes), len(changes))
