"""The files of a commit, a working tree or a plain folder, behind ``model.Tree``."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from gatecli.errors import EvidenceError, UsageError
from gatecli.model import Tree

if TYPE_CHECKING:
    from gatecli.sources.git import Repository

MAX_FILE_BYTES = 10_000_000
MAX_FILES = 200_000
# So many files are read by one process, and stand in memory together.
BATCH = 500
_SKIPPED_FOLDERS = frozenset({".git", ".hg", ".venv", "venv", "node_modules", "__pycache__", ".tox", ".mypy_cache"})


Keep = Callable[[str], bool] | None


class CommitTree:
    """The regular files of one commit."""

    def __init__(self, repository: "Repository", sha: str) -> None:
        self._repository = repository
        self._sha = sha

    @cached_property
    def _entries(self) -> tuple[dict[str, str], frozenset[str]]:
        return self._repository.entries(self._sha)

    @property
    def _files(self) -> dict[str, str]:
        return self._entries[0]

    @property
    def others(self) -> frozenset[str]:
        """The paths of what is no file: symbolic links and submodules."""
        return self._entries[1]

    def paths(self) -> Iterable[str]:
        """Every file path."""
        return self._files.keys()

    def ids(self) -> Mapping[str, str]:
        """The blob id of every file."""
        return self._files

    def read(self, path: str) -> bytes | None:
        """The content of a file, None where there is none or it is too large."""
        name = self._files.get(path)
        return self._repository.blob(name) if name is not None else None

    def read_all(self, paths: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
        """The contents of many files, in their order."""
        for start in range(0, len(paths), BATCH):
            known = [path for path in paths[start : start + BATCH] if path in self._files]
            found = dict(zip(known, self._repository.blobs([self._files[path] for path in known]), strict=True))
            yield from ((path, found.get(path)) for path in paths[start : start + BATCH])

    def grep(self, words: Iterable[str], keep: Keep = None) -> Iterator[tuple[str, bytes]]:
        """The Python files that contain one of the identifiers, with their content."""
        found = [path for path in self._repository.grep(words, self._sha) if keep is None or keep(path)]
        for path, content in self.read_all(found):
            if content is not None:
                yield path, content


@dataclass(frozen=True, slots=True)
class Governing:
    """The files that judge, of the revision whose word counts: one that stands there is read, or it is an error.

    To take a policy that is too large, or a symbolic link, for one that is not there would be to judge without it.
    ``tree`` is the same without that care: for files that git or the forge does not read there either.
    """

    tree: Tree

    def paths(self) -> Iterator[str]:
        """Every path, also of what is no regular file."""
        yield from self.tree.paths()
        yield from self._others()

    def read(self, path: str) -> bytes | None:
        """The content of a file, None where there is none.

        Raises:
            EvidenceError: something stands there that cannot be read.
        """
        content = self.tree.read(path)
        if content is None and path in self.tree.ids():
            raise EvidenceError(f"{path} of the base is too large to read", "gate judges by it: make it smaller")
        if content is None and not self._others().isdisjoint([path, *map(str, PurePosixPath(path).parents)]):
            raise EvidenceError(
                f"{path} of the base is, or lies behind, a symbolic link or a submodule",
                "gate judges by it, and follows neither: commit the file itself",
            )
        return content

    def _others(self) -> frozenset[str]:
        return self.tree.others if isinstance(self.tree, CommitTree) else frozenset()


class WorkTree:
    """The working tree of a repository: tracked and untracked files, not the ignored ones."""

    def __init__(self, repository: "Repository") -> None:
        self._repository = repository

    def paths(self) -> Iterable[str]:
        """Every file path."""
        out = self._repository.run("ls-files", "--cached", "--others", "--exclude-standard", "-z")
        return [os.fsdecode(path) for path in out.split(b"\0") if path]

    def ids(self) -> Mapping[str, str]:
        """The blob ids of the tracked files that are as the index has them."""
        return self._ids

    @cached_property
    def _ids(self) -> dict[str, str]:
        return self._repository.index_ids()

    def read(self, path: str) -> bytes | None:
        """The content of a regular file, None where there is none or it is too large."""
        return read_file(self._repository.root, path)

    def read_all(self, paths: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
        """The contents of many files, in their order."""
        return ((path, self.read(path)) for path in paths)

    def grep(self, words: Iterable[str], keep: Keep = None) -> Iterator[tuple[str, bytes]]:
        """The Python files that contain one of the identifiers, with their content."""
        for path in self._repository.grep(words, None):
            if (keep is None or keep(path)) and (content := self.read(path)) is not None:
                yield path, content


class EmptyTree:
    """No file at all: before the first commit, or where nothing but a patch is at hand."""

    def paths(self) -> Iterable[str]:
        """No path."""
        return ()

    def ids(self) -> Mapping[str, str]:
        """No id."""
        return {}

    def read(self, path: str) -> bytes | None:
        """No content."""
        return None

    def read_all(self, paths: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
        """The contents of many files, in their order."""
        return ((path, self.read(path)) for path in paths)

    def grep(self, words: Iterable[str], keep: Keep = None) -> Iterator[tuple[str, bytes]]:
        """No match."""
        return iter(())


class DirectoryTree:
    """The files below a folder that is no repository."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def paths(self) -> Iterator[str]:
        """Every file path but those of tool folders, at most ``MAX_FILES``."""
        count = 0
        for folder, folders, files in os.walk(self._root):
            folders[:] = sorted(name for name in folders if name not in _SKIPPED_FOLDERS)
            for name in sorted(files):
                count += 1
                if count > MAX_FILES:
                    raise UsageError(f"more than {MAX_FILES:,} files below {self._root}", "name a smaller folder")
                yield Path(folder, name).relative_to(self._root).as_posix()

    def ids(self) -> Mapping[str, str]:
        """No id: nothing but reading a file says what is in it."""
        return {}

    def read(self, path: str) -> bytes | None:
        """The content of a regular file, None where there is none or it is too large."""
        return read_file(self._root, path)

    def read_all(self, paths: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
        """The contents of many files, in their order."""
        return ((path, self.read(path)) for path in paths)

    def grep(self, words: Iterable[str], keep: Keep = None) -> Iterator[tuple[str, bytes]]:
        """The Python files that contain one of the identifiers, with their content."""
        alternatives = b"|".join(re.escape(word.encode("utf-8", "surrogateescape")) for word in words)
        if not alternatives:
            return
        pattern = re.compile(rb"\b(?:" + alternatives + rb")\b")
        for path in self.paths():
            wanted = path.endswith((".py", ".pyi")) and (keep is None or keep(path))
            if wanted and (content := self.read(path)) and pattern.search(content):
                yield path, content


def read_file(root: Path, path: str) -> bytes | None:
    """A regular file below a root; never follows a link out of it, never opens a device or a pipe."""
    if path.startswith("/") or ".." in path.split("/"):
        return None
    full = root / path
    try:
        if full.is_symlink() or not full.is_file() or full.stat().st_size > MAX_FILE_BYTES:
            return None
        if not full.resolve().is_relative_to(root.resolve()):
            return None
        return full.read_bytes()
    except (OSError, ValueError):
        return None
