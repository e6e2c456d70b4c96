"""The newest artifact of a name that the default branch made: a file that a workflow kept, such as the profile."""

import io
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from gatecli.errors import EvidenceError, UsageError
from gatecli.sources.github import GitHub, RepositoryName, read
from gatecli.sources.github_api import MAX_FILE_BYTES

_MAX_NAME = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """What a run kept; GitHub lists the newest first."""

    id: int
    name: str
    expired: bool = False
    workflow_run: "ArtifactRun | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactRun:
    """The run that made an artifact: of which repository, and of which repository's branch."""

    head_branch: str | None = None
    repository_id: int | None = None
    head_repository_id: int | None = None


def newest_file(github: GitHub, name: str) -> bytes:
    """The one file in the newest artifact of that name that a run of the repository's own default branch kept.

    A fork may call its branch as the default one: it must not choose the profile that it is judged by.

    Raises:
        UsageError: no artifact can have that name.
        EvidenceError: there is none, or it holds no file or several.
    """
    if not 0 < len(name) <= _MAX_NAME or not name.isprintable():
        raise UsageError("no artifact can have that name", "give the name that the workflow keeps it by")
    found = _newest(github.artifacts(name), name, github.repository())
    if found is None:
        raise EvidenceError(
            f"no run of the default branch keeps an artifact {name!r}, or it has expired",
            "run the workflow that makes it, or keep it for longer (retention-days)",
        )
    return unpack(github.artifact(found.id), name)


def _newest(answers: Iterable[object], name: str, repository: RepositoryName) -> Artifact | None:
    for one in (read(answer, Artifact) for answer in answers):
        run = one.workflow_run
        is_own = run is not None and run.repository_id is not None and run.repository_id == run.head_repository_id
        if one.name == name and not one.expired and is_own and run and run.head_branch == repository.default_branch:
            return one
    return None


def unpack(archive: bytes, name: str) -> bytes:
    """The one file of an archive; its name in there is not used."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as whole:
            files = [one for one in whole.infolist() if not one.is_dir()]
            if len(files) != 1:
                raise EvidenceError(f"artifact {name!r} holds {len(files):,} files", "keep one file in it")
            with whole.open(files[0]) as file:
                content = file.read(MAX_FILE_BYTES + 1)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError, ValueError) as error:
        raise EvidenceError(f"artifact {name!r} is no archive that can be read", "make it again") from error
    if len(content) > MAX_FILE_BYTES:
        raise EvidenceError(f"artifact {name!r} has more than {MAX_FILE_BYTES:,} bytes", "keep a smaller file in it")
    return content
