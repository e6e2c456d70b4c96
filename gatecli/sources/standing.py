"""What approvals are held against: the content at a commit, the tree that a merge would make, the branch it is for."""

import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass

from gatecli.errors import EvidenceError, UsageError
from gatecli.model import Change, SourceKind
from gatecli.sources.changes import read_content
from gatecli.sources.git import Repository

_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SLUG = re.compile(r"[:/]([\w.-]{1,100}/[\w.-]{1,100}?)(?:\.git)?/?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A change by what it says: the sha256 of its canonical diff, and of each file's part of it, by path."""

    digest: str
    files: dict[str, str]


def _nothing(_: str) -> Content | None:
    return None


def _never(_: str) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The facts about a change that an approval is held against.

    ``merge_tree`` is the tree that merging it into the base would make: None if it conflicts or is not known.
    ``content_of`` reads what the change was at a former head, None where that is not at hand; ``is_before`` says
    whether a commit is the base or one of its ancestors. ``target`` is the branch that the change is for and
    ``repository`` its ``owner/name``, both None where nothing says so.
    """

    merge_tree: Callable[[], str | None] = lambda: None
    content_of: Callable[[str], Content | None] = _nothing
    is_before: Callable[[str], bool] = _never
    target: str | None = None
    repository: str | None = None


def standing(repository: Repository | None, change: Change, asked: str | None = None) -> Standing:
    """The facts about a change; ``asked`` is the revision range as it was named."""
    if repository is None or change.kind is not SourceKind.RANGE or change.base is None or change.head is None:
        return Standing()
    base, head = change.base, change.head
    return Standing(
        merge_tree=lambda: _merge_tree(repository, base, head),
        content_of=lambda commit: _content_of(repository, base, commit),
        is_before=lambda commit: _is_before(repository, commit, base),
        target=_target(repository, re.split(r"\.{2,3}", asked)[0], base) if asked else None,
        repository=slug(repository),
    )


def _target(repository: Repository, revision: str, base: str) -> str | None:
    """The branch that a revision names; a bare commit stands for the default branch where that is at it."""
    if (named := branch_name(repository, revision)) is not None:
        return named
    default = repository.default_branch()
    return branch_name(repository, default) if default and repository.resolve(default) == base else None


def branch_name(repository: Repository, revision: str) -> str | None:
    """The branch that a revision names, without its remote; None for anything else."""
    try:
        full = repository.text("rev-parse", "--symbolic-full-name", "--verify", "--quiet", "--end-of-options", revision)
    except EvidenceError:
        return None
    lines = full.splitlines()
    name = lines[-1] if lines else ""
    if name.startswith("refs/heads/"):
        return name.removeprefix("refs/heads/")
    return name.split("/", 3)[3] if name.startswith("refs/remotes/") and name.count("/") >= 3 else None


def _merge_tree(repository: Repository, base: str, head: str) -> str | None:
    """``git merge-tree --write-tree`` (git 2.38), its objects thrown away: judging writes nothing."""
    try:
        objects = repository.text("rev-parse", "--path-format=absolute", "--git-path", "objects")
        with tempfile.TemporaryDirectory(prefix="gate-") as folder:
            aside = {
                "GIT_OBJECT_DIRECTORY": folder,
                "GIT_ALTERNATE_OBJECT_DIRECTORIES": objects,
            }
            out = repository.run("merge-tree", "--write-tree", base, head, env=aside)
    except EvidenceError:
        return None
    tree = out.decode("ascii", "replace").strip()
    return tree if _SHA.fullmatch(tree) else None


def _content_of(repository: Repository, base: str, commit: str) -> Content | None:
    if not _SHA.fullmatch(commit):
        return None
    try:
        there = repository.resolve(commit)
        digest, files = read_content(repository, base, there)
    except (EvidenceError, UsageError):
        return None
    return Content(digest=digest, files=files)


def _is_before(repository: Repository, commit: str, base: str) -> bool:
    if not _SHA.fullmatch(commit):
        return False
    try:
        return commit == base or repository.merge_base(repository.resolve(commit), base) == commit
    except (EvidenceError, UsageError):
        return False


def slug(repository: Repository) -> str | None:
    """``owner/name`` of the remote that a clone is of, in lower case."""
    try:
        url = repository.text("config", "--get", "remote.origin.url")
    except EvidenceError:
        return None
    match = _SLUG.search(url)
    return match[1].casefold() if match else None
