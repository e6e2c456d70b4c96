"""The other flow: the past, replayed as if the gate had stood there.

mainline → outlines of its functions → signals of each change → outcomes → weights and figures. Nothing is checked out;
the outlines are kept by blob id, so that an interrupted run goes on where it was and the next one is fast.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from gatecli.errors import UsageError
from gatecli.model import FileKind, MainlineChange, Piece
from gatecli.sources.git import Repository

if TYPE_CHECKING:
    from gatecli.config import Config
    from gatecli.history.replay import Replay, Replayed
    from gatecli.scoring.past import Past
    from gatecli.syntax.outlines import Outlines

Progress = Callable[[str, int, int], None]
"""What is being done, how much of it is done, and how much there is."""

MIN_BLOBS_TO_SHARE = 400
AGENTS_SINCE = 1_655_769_600
"""The day on which the first coding assistant was sold to everybody (GitHub Copilot, 21 June 2022)."""
MAX_LABELS = 10_000_000

_SETTINGS = frozenset(
    {
        *(FileKind.DEPENDENCIES, FileKind.LOCK, FileKind.CONTAINER, FileKind.WORKFLOW, FileKind.INFRASTRUCTURE),
        *(FileKind.ENVIRONMENT, FileKind.CONFIGURATION, FileKind.BUILD, FileKind.SQL),
    }
)


def replay_past(
    directory: Path,
    *,
    revision: str = "HEAD",
    folder: Path,
    labels: Mapping[str, bool] | None = None,
    progress: Progress = lambda *_: None,
) -> "Past":
    """The signals and outcomes of every change of the mainline up to a revision.

    Args:
        directory: The repository.
        revision: Where the mainline ends.
        folder: Where outlines are kept between runs.
        labels: Outcomes from elsewhere, by commit, in place of those that the history names.
        progress: Told of every part that is done.

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
    outlines = Outlines(folder)
    try:
        _outline_all(repository, changes, outlines, progress)
        replay = new_replay(outlines.get, _settings(repository, revision))
        past = collect(
            _stepped(replay, changes, progress),
            labels=labels,
            incidents=_incidents(repository, revision),
            shallow=repository.is_shallow,
        )
    finally:
        outlines.close()
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


def new_replay(pieces: "Callable[[str], tuple[Piece, ...]]", settings: "Config") -> "Replay":
    """An empty replay that knows a repository's tests, settings and agents."""
    from gatecli.history.replay import Replay
    from gatecli.rules.paths import matches
    from gatecli.syntax.kinds import kind_of
    from gatecli.syntax.python import is_python

    return Replay(
        pieces=pieces,
        is_test=cache(lambda path: matches(settings.paths.tests, path)),
        is_setting=cache(lambda path: kind_of(path) in _SETTINGS),
        is_code=is_python,
        is_agent=_has_agent,
    )


def _has_agent(change: MainlineChange) -> bool:
    """Whether a commit says that an agent wrote it."""
    from gatecli.model import Change, ProvenanceClass, Revision, SourceKind
    from gatecli.provenance import trailers

    if change.committed_at < AGENTS_SINCE:
        return False
    one = Revision(
        sha=change.sha,
        author=change.author,
        committer=change.author,
        authored_at=change.committed_at,
        committed_at=change.committed_at,
        message=change.message,
    )
    asked = Change(kind=SourceKind.RANGE, base=None, head=None, merge_base=None, digest="", files=(), revisions=(one,))
    return trailers.read(asked).klass is not ProvenanceClass.NO_EVIDENCE


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
            found[str(row["sha"])] = row["bad"] is True or row["bad"] == 1
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise UsageError(
                f"{path}:{number}: not an outcome: {line[:80]!r}", 'each line is {"sha": "…", "bad": true}'
            ) from error
    return found


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


# --------------------------------------------------------------------------- outlines


def _outline_all(
    repository: Repository, changes: Iterable[MainlineChange], outlines: "Outlines", progress: Progress
) -> None:
    """Find out the outlines that are not kept yet, with all processors; each part is kept as it comes."""
    from gatecli.history.replay import MAX_FILES
    from gatecli.syntax.outlines import chunks
    from gatecli.syntax.python import is_python

    path_of: dict[str, str] = {}
    for change in changes:
        for file in [file for file in change.files if is_python(file.path)][:MAX_FILES]:
            path_of.update((blob, file.path) for blob in (file.before, file.after) if blob)
    missing = outlines.missing(path_of)
    parts = [(str(repository.root), [(blob, path_of[blob]) for blob in part]) for part in chunks(missing)]
    done = 0
    progress("reading functions", done, len(missing))
    for found in _outlined(parts, share=len(missing) >= MIN_BLOBS_TO_SHARE):
        outlines.keep(found)
        done += len(found)
        progress("reading functions", done, len(missing))


_Part = tuple[str, list[tuple[str, str]]]


def _outlined(parts: Sequence[_Part], *, share: bool) -> Iterator[dict[str, tuple[Piece, ...]]]:
    if not share or (os.cpu_count() or 1) < 2:
        yield from map(outline_part, parts)
        return
    with ProcessPoolExecutor() as pool:
        yield from pool.map(outline_part, parts)


def outline_part(part: _Part) -> dict[str, tuple[Piece, ...]]:
    """The outlines of some blobs; one that is not there or too large has no pieces."""
    from gatecli.syntax.outline import outline

    root, wanted = part
    contents = Repository.open(Path(root)).blobs([blob for blob, _ in wanted])
    return {
        blob: outline(path, content) if content else () for (blob, path), content in zip(wanted, contents, strict=True)
    }
