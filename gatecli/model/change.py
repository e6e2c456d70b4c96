"""What changed: files, hunks and revisions of a change."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class FileStatus(StrEnum):
    """What happened to a file, in git's words."""

    ADDED = "added"
    DELETED = "deleted"
    MODIFIED = "modified"
    RENAMED = "renamed"
    COPIED = "copied"
    TYPE_CHANGED = "type-changed"


class FileType(StrEnum):
    """What a path is, from its git mode."""

    REGULAR = "file"
    SYMLINK = "symlink"
    SUBMODULE = "submodule"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A name and an address as a commit states them: a claim, not an identity."""

    name: str
    email: str

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One commit of the change, newest first in ``Change.revisions``."""

    sha: str
    author: Person
    committer: Person
    authored_at: int
    committed_at: int
    message: str

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return self.message.split("\n", 1)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunk:
    """A replaced block of lines, without context (as ``git diff -U0`` counts).

    ``old_start`` and ``new_start`` are 1-based; a side with count 0 holds no line, and its start is the line that
    follows, where git names the one before.
    """

    old_start: int
    old_count: int
    new_start: int
    new_count: int

    @property
    def removed(self) -> range:
        """Line numbers of the old side that went away."""
        return range(self.old_start, self.old_start + self.old_count)

    @property
    def added(self) -> range:
        """Line numbers of the new side that came."""
        return range(self.new_start, self.new_start + self.new_count)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """One file of the change, with its content on both sides where it could be had.

    ``before``/``after`` are None where that side has no content: the file did not exist, is binary, a submodule, or
    too large to read (``notes`` says which). ``partial`` means the sides were rebuilt from the hunks of a patch alone:
    lines outside the hunks are blank.
    """

    path: str
    old_path: str | None
    status: FileStatus
    type: FileType = FileType.REGULAR
    old_mode: str | None = None
    new_mode: str | None = None
    binary: bool = False
    partial: bool = False
    hunks: tuple[Hunk, ...] = ()
    before: bytes | None = None
    after: bytes | None = None
    notes: tuple[str, ...] = ()

    @property
    def added_count(self) -> int:
        """Lines added."""
        return sum(hunk.new_count for hunk in self.hunks)

    @property
    def deleted_count(self) -> int:
        """Lines deleted."""
        return sum(hunk.old_count for hunk in self.hunks)


class SourceKind(StrEnum):
    """Where the change was read from."""

    RANGE = "range"
    STAGED = "staged"
    WORKTREE = "worktree"
    PATCH = "patch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to be judged: files with both sides, and the commits that made them.

    ``base`` is the revision asked for, ``merge_base`` the commit the change is measured from (as a pull request is),
    ``head`` the newest commit or None for uncommitted content. ``digest`` is the sha256 of the canonical diff: equal
    digests mean equal content, also after a rebase. ``file_digests`` are those of each file's part of it, by path.
    ``more_revisions`` says that there are older commits than those in ``revisions``. ``warnings`` are what could not be
    known (shallow clone, missing objects, a malformed patch section): never silent.
    """

    kind: SourceKind
    base: str | None
    head: str | None
    merge_base: str | None
    digest: str
    files: tuple[FileChange, ...]
    revisions: tuple[Revision, ...] = ()
    more_revisions: bool = False
    branch: str | None = None
    warnings: tuple[str, ...] = ()
    file_digests: Mapping[str, str] = field(default_factory=dict)

    @property
    def added_count(self) -> int:
        """Lines added over all files."""
        return sum(file.added_count for file in self.files)

    @property
    def deleted_count(self) -> int:
        """Lines deleted over all files."""
        return sum(file.deleted_count for file in self.files)
