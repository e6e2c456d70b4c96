"""Where a change stands among the past ones of its repository, by the weights that its newest base has."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache

from gatecli import config
from gatecli.errors import EvidenceError, UsageError
from gatecli.model import (
    FileChange,
    FileStatus,
    MainlineChange,
    MainlineFile,
    Person,
    Piece,
    SourceKind,
    Standing,
)
from gatecli.pipeline.places import author_of, cache_folder
from gatecli.pipeline.request import Request
from gatecli.replaying import LEARN, NotKnownError, known_before
from gatecli.sources.source import Source
from gatecli.syntax.python import is_python


def place_change(origin: Source, request: Request) -> Standing | None:
    """The place of a change; None where nothing was learned here, and a problem where it cannot be told.

    Tests are told by the policy of the base alone, as they were when it was learned.
    """
    from gatecli.history.witness import witnesses
    from gatecli.scoring.learned import PATH, OtherSchemaError
    from gatecli.scoring.placing import place
    from gatecli.scoring.remembered import read_remembered

    data = origin.governing.read(PATH)
    if data is None:
        return None
    try:
        learned = read_remembered(data, PATH, cache_folder())
        settings, _ = config.load(origin.governing.read)
    except UsageError as error:
        remedy = error.hint if isinstance(error, OtherSchemaError) else "run gate learn, and commit what it writes"
        return Standing(problem=str(error), remedy=remedy, broken=True)
    change, repository = origin.change, origin.repository
    at = change.base or change.merge_base or (repository.head() if repository else None)
    if repository is None or at is None:
        return Standing(problem="there is no history here")
    if any(file.partial for file in change.files):
        return Standing(problem="the files are not at hand in the state the patch was made from")
    looked_at = next_change(origin, now=request.now)
    outlines = _Outlines(origin.change.files)
    paths = [path for file in looked_at.files for path in (file.old_path, file.new_path) if path and is_python(path)]
    try:
        with known_before(repository, at, settings, cache_folder(), paths) as known:
            known.state.pieces = outlines.before(known.state.pieces)
            evidence = witnesses(known.state, looked_at)
            seen = known.state.step(looked_at)
    except NotKnownError as error:
        return Standing(problem=error.message, remedy=error.hint)
    except EvidenceError as error:
        return Standing(problem=f"the past cannot be read: {error.message}", remedy=error.hint)
    if not seen.python_files:
        return Standing(problem="no Python code is changed, and only code is compared")
    found = place(learned, known.certain(seen.values), evidence, missing=known.missing)
    return replace(found, remedy=LEARN) if known.missing and not found.problem else found


def next_change(origin: Source, *, now: int) -> MainlineChange:
    """The change at hand as the next one of the mainline, as the back-test would read it once it is merged.

    What is not committed is of now, and of whoever git is configured for. No commit is taken to be later than now: a
    date in the future would let the past fade.
    """
    change = origin.change
    files = [one for file in change.files for one in _mainline_files(file)]
    who, message = _who_says_what(origin)
    at = min(change.revisions[0].committed_at, now) if change.kind is SourceKind.RANGE and change.revisions else now
    return MainlineChange(
        sha=change.head or "",
        author=who,
        committed_at=at,
        message=message,
        files=tuple(sorted(files, key=lambda file: os.fsencode(file.path))),
    )


def _who_says_what(origin: Source) -> tuple[Person, str]:
    """The author and the message: of one step of the mainline its own, of a branch the newest and the oldest one's.

    A branch is named by its first commit more often than by its last; what its merge will say is not known yet.
    """
    change, revisions = origin.change, origin.change.revisions
    if not revisions:
        return Person(name="", email=author_of(origin.root)), ""
    newest = revisions[0]
    if change.kind is SourceKind.RANGE and origin.repository is not None and change.head is not None:
        parents = origin.repository.text("rev-list", "--no-walk", "--parents", change.head, "--").split()[1:]
        if parents and parents[0] == change.merge_base:
            brought = [one.author for one in revisions if one.sha in parents[1:2]]
            return (brought or [newest.author])[0], newest.message
    return newest.author, revisions[-1].message


def _mainline_files(file: FileChange) -> Iterator[MainlineFile]:
    """A file as the mainline is read: one that is renamed and edited goes, and another one comes."""
    modes = [mode for mode in (file.old_mode, file.new_mode) if mode]
    if modes and not any(mode.startswith("10") for mode in modes):
        return  # a link or a submodule
    gone, came = file.status is not FileStatus.ADDED, file.status is not FileStatus.DELETED
    if file.status is FileStatus.COPIED:
        yield _mainline_file(file, None, file.path)
    elif file.status is FileStatus.RENAMED and file.before != file.after:
        yield _mainline_file(file, file.old_path, None)
        yield _mainline_file(file, None, file.path)
    else:
        yield _mainline_file(file, file.old_path if gone else None, file.path if came else None)


def _mainline_file(file: FileChange, old: str | None, new: str | None) -> MainlineFile:
    added = deleted = 0
    if is_python(new or old or ""):
        was_python = old is not None and is_python(old)  # what becomes code by its name comes with all its lines
        is_whole = new is None or not was_python
        added = _lines(file.after if new else None) if is_whole else file.added_count
        deleted = _lines(file.before if was_python else None) if is_whole else file.deleted_count
    return MainlineFile(old, new, _id(_BEFORE, old), _id(_AFTER, new), added, deleted)


def _lines(content: bytes | None) -> int:
    return content.count(b"\n") + (not content.endswith(b"\n")) if content else 0


_BEFORE, _AFTER = "before:", "after:"


def _id(side: str, path: str | None) -> str | None:
    return side + path if path is not None else None


class _Outlines:
    """The outlines of the files of the change at hand, made when they are asked for."""

    def __init__(self, files: Iterable[FileChange]) -> None:
        self._contents: dict[str, tuple[str, bytes | None]] = {}
        for file in files:
            self._contents[_AFTER + file.path] = file.path, file.after
            if file.old_path is not None:
                self._contents[_BEFORE + file.old_path] = file.old_path, file.before

    def before(self, past: Callable[[str], tuple[Piece, ...]]) -> Callable[[str], tuple[Piece, ...]]:
        """The pieces of these files, and those of the past for every other."""
        from gatecli.syntax.outline import outline
        from gatecli.syntax.python import read_module  # what the check itself has read is not parsed again

        @cache
        def pieces(blob: str) -> tuple[Piece, ...]:
            if blob not in self._contents:
                return past(blob)
            path, content = self._contents[blob]
            return outline(path, content, read_module) if content else ()

        return pieces
