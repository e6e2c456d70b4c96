"""The mainline up to a commit as a state that knows what happened before: replayed, kept, and brought forward.

Both ``gate backtest``, which asks what every past change looked like on its day, and ``gate check``, which asks that of
the change at hand, look with this one state: what the one learned from is what the other sees.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from gatecli.errors import GateError
from gatecli.model import FileKind, MainlineChange, Piece
from gatecli.sources.git import Repository

if TYPE_CHECKING:
    from gatecli.config import Config
    from gatecli.history.replay import Replay
    from gatecli.syntax.outlines import Outlines

Progress = Callable[[str, int, int], None]
"""What is being done, how much of it is done, and how much there is."""

AGENTS_SINCE = 1_655_769_600
"""The day on which the first coding assistant was sold to everybody (GitHub Copilot, 21 June 2022)."""
MIN_BLOBS_TO_SHARE = 400
MAX_FORWARD = 300
"""So many changes are taken in on the way to the asked commit; more are a matter of minutes, and of ``gate learn``."""
MAX_AT_ONCE = 400
"""A mainline of so few changes is replayed on the spot where nothing is kept of it."""
# What is looked at where the history is too long to replay on the spot: so many last changes of so many touched files,
# not older than eight half-lives, from where on a change counts a two-hundredth.
MAX_OF_FILES = 120
MAX_FILES_NOW = 30
YEARS_S = 2 * 365 * 86_400
LEARN = "run gate learn (or gate backtest) on this machine once, which reads all of the history and keeps it"
ELSEWHERE = "what the author and others did in other files, and long ago, is not at hand"

_SETTINGS = frozenset(
    {
        *(FileKind.DEPENDENCIES, FileKind.LOCK, FileKind.CONTAINER, FileKind.WORKFLOW, FileKind.INFRASTRUCTURE),
        *(FileKind.ENVIRONMENT, FileKind.CONFIGURATION, FileKind.BUILD, FileKind.SQL),
    }
)


class NotKnownError(GateError):
    """What happened before a commit is not at hand; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known before a change; ``missing`` says what is not, and is empty where nothing lacks."""

    state: "Replay"
    missing: str = ""

    def certain(self, values: Sequence[float]) -> tuple[float, ...]:
        """Of the values of signals those that are no higher than if nothing were missing, 0 for the others."""
        from gatecli.history.signals import OF_ALL_THE_PAST, SIGNALS

        if not self.missing:
            return tuple(values)
        return tuple(0.0 if signal in OF_ALL_THE_PAST else value for signal, value in zip(SIGNALS, values, strict=True))


def facts_path(repository: Repository, folder: Path) -> Path:
    """Where the facts of a repository are kept: one file for all its working trees."""
    common = Path(repository.root, repository.text("rev-parse", "--git-common-dir")).resolve()
    return folder / f"facts-past-{sha256(os.fsencode(common)).hexdigest()[:16]}.sqlite"


def keep(
    repository: Repository, replay: "Replay", changes: Sequence[MainlineChange], settings: "Config", folder: Path
) -> str | None:
    """Keep the state after some changes for later checks; why not, where that cannot be done."""
    import sqlite3

    from gatecli.history.kept import Kept, Stamp

    if repository.is_shallow:
        return "this clone is shallow"
    stamp = Stamp(revision=changes[-1].sha, changes=len(changes), method=_method(settings))
    path = facts_path(repository, folder)
    try:
        for one in path.parent.glob(f"{path.name}*"):
            one.unlink()  # also where it is damaged
        with closing(Kept(path)) as kept:
            kept.save(replay, stamp, after=None)
    except (sqlite3.Error, OSError, UnicodeError) as error:
        return str(error)
    return None


@contextmanager
def known_before(
    repository: Repository, commit: str, settings: "Config", folder: Path, paths: Sequence[str] = ()
) -> "Iterator[Known]":
    """The state of the mainline up to a commit, that commit included; a throw-away one, to look at a change with.

    Where nothing is kept that could be brought to this commit, and its history is too long to replay now, it is that of
    the last changes of some paths alone: those that the change touches.

    Raises:
        NotKnownError: the past cannot be read.
    """
    import sqlite3

    import msgspec

    from gatecli.syntax.outlines import Outlines

    if repository.is_shallow:
        raise NotKnownError("this clone is shallow", "git fetch --unshallow (GitHub Actions: fetch-depth: 0)")
    with closing(Outlines(folder)) as outlines, ExitStack() as stack:
        try:
            kept = _from_kept(repository, commit, settings, folder, outlines, stack)
            known = Known(state=kept) if kept else _at_once(repository, commit, settings, outlines, paths)
            yield known
        except (sqlite3.Error, OSError, UnicodeError, msgspec.MsgspecError) as error:
            raise NotKnownError(f"what is kept of the past here cannot be read: {error}", LEARN) from error


def _from_kept(
    repository: Repository, commit: str, settings: "Config", folder: Path, outlines: "Outlines", stack: ExitStack
) -> "Replay | None":
    """What is kept, with the changes since; None where there is nothing, or nothing that leads to the commit."""
    from gatecli.history.kept import Kept, Stamp
    from gatecli.sources.mainline import leads_to, read_mainline

    path = facts_path(repository, folder)
    if not path.exists():
        return None
    kept = stack.enter_context(closing(Kept(path)))
    stamp = kept.stamp()
    if stamp is None or stamp.method != _method(settings):
        return None
    replay = kept.replay(stamp, new_replay(outlines.get, settings))
    if stamp.revision == commit:
        return replay
    if not leads_to(repository, stamp.revision, commit, at_most=MAX_FORWARD):
        return None
    changes = list(read_mainline(repository, commit, after=stamp.revision))
    outline_all(repository, changes, outlines)
    for change in changes:
        replay.step(change)
    now = Stamp(revision=commit, changes=stamp.changes + len(changes), method=stamp.method)
    with suppress(UnicodeError):  # a path that is no text: known for now, brought forward again the next time
        kept.save(replay, now, after=stamp)
    return replay


def _at_once(
    repository: Repository, commit: str, settings: "Config", outlines: "Outlines", paths: Sequence[str]
) -> Known:
    """The whole line where it is short, else that of some paths."""
    from gatecli.sources.mainline import read_mainline, read_of_paths

    most = f"--max-count={MAX_AT_ONCE + 1}"
    if int(repository.text("rev-list", "--first-parent", "--count", most, commit, "--")) <= MAX_AT_ONCE:
        changes, missing = list(read_mainline(repository, commit)), ""
    else:
        since = int(repository.text("log", "-1", "--format=%ct", commit, "--")) - YEARS_S
        some = list(dict.fromkeys(paths))[:MAX_FILES_NOW]
        limits = {"since": max(1, since), "at_most": MAX_OF_FILES}
        changes = read_of_paths(repository, commit, some, **limits) if some else []
        missing = ELSEWHERE
    replay = new_replay(outlines.get, settings)
    outline_all(repository, changes, outlines)
    for change in changes:
        replay.step(change)
    return Known(state=replay, missing=missing)


def _method(settings: "Config") -> str:
    from gatecli.history import kept
    from gatecli.syntax.outline import SCHEMA

    return kept.method(str(SCHEMA), *settings.paths.tests)


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


def outline_all(
    repository: Repository,
    changes: Iterable[MainlineChange],
    outlines: "Outlines",
    progress: Progress = lambda *_: None,
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
    from gatecli.syntax.workers import mapped

    yield from mapped(outline_part, parts)


def outline_part(part: _Part) -> dict[str, tuple[Piece, ...]]:
    """The outlines of some blobs; one that is not there or too large has no pieces."""
    from gatecli.syntax.outline import outline

    root, wanted = part
    contents = Repository.open(Path(root)).blobs([blob for blob, _ in wanted])
    return {
        blob: outline(path, content) if content else () for (blob, path), content in zip(wanted, contents, strict=True)
    }
