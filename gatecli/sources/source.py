"""Where a change comes from: the change itself, and the trees and history that the later stages may ask about it."""

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from gatecli.errors import EvidenceError, UsageError
from gatecli.model import Change, ChangedFiles, FileChange, PastCommit, SourceKind, Tree
from gatecli.sources.changes import read_commit, read_patch, read_python_between, read_range, read_staged, read_worktree
from gatecli.sources.git import Repository
from gatecli.sources.trees import CommitTree, DirectoryTree, EmptyTree, Governing

# Path-limited history is read newest first: one commit more than history/churn.py follows, which tells that it is cut.
MAX_PAST_COMMITS = 301
MAX_LOG_PATHS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """What lies between the revision that was recorded and the one before the change.

    The latter has ``behind`` commits that the former lacks, and lacks ``ahead`` of its. ``files`` are those that were
    chosen of the ``differing`` Python files.
    """

    behind: int = 0
    ahead: int = 0
    files: tuple[FileChange, ...] = ()
    differing: int = 0


@dataclass(frozen=True, kw_only=True)
class Source:
    """A change with its surroundings.

    ``base`` is the tree before the change, ``head`` the tree in which callers are
    looked for, ``root`` the folder that relative paths are meant from, ``repository`` None where there is none.
    ``asked`` is the range as it was named, ``read_ms`` how long reading took.
    """

    change: Change
    base: Tree
    head: Tree
    root: Path
    repository: Repository | None
    asked: str | None = None
    read_ms: float = 0.0

    @property
    def is_shallow(self) -> bool:
        """Whether the history is cut off."""
        return self.repository is not None and self.repository.is_shallow

    def drift(self, revision: str, choose: Callable[[list[tuple[str | None, str]]], Collection[str]]) -> "Drift | None":
        """What happened between a revision and the one before the change; None where the revision is not at hand.

        ``choose`` picks the Python files to read, see ``read_python_between``. Nothing is read where the two are one.
        """
        start = self.start
        if self.repository is None or start is None:
            return None
        try:
            deployed = self.repository.resolve(revision)
        except UsageError:
            return None
        if deployed == start:
            return Drift()
        try:
            behind, ahead = self.repository.distance(deployed, start)
            files, differing = read_python_between(self.repository, deployed, start, choose)
        except EvidenceError:
            return None
        return Drift(behind=behind, ahead=ahead, files=files, differing=differing)

    def standing_at(self, revision: str, paths: Collection[str]) -> frozenset[str]:
        """Which of some files there were at a revision; all of them where that is not at hand."""
        if self.repository is None:
            return frozenset(paths)
        names = sorted(paths)[:MAX_LOG_PATHS]
        try:
            out = self.repository.run("ls-tree", "-z", "--name-only", "--full-tree", revision, "--", *names)
        except EvidenceError:
            return frozenset(paths)
        return frozenset(os.fsdecode(row) for row in out.split(b"\0") if row).union(set(paths).difference(names))

    @cached_property
    def governing(self) -> Governing:
        """The tree that judges: the newest base, so that no policy or key counts that was replaced since.

        A branch cannot be kept stale to be judged by what held when it began. Many stages read it: it is listed once.
        """
        change = self.change
        if self.repository is None or change.base in (None, change.merge_base):
            return Governing(self.base)
        return Governing(self.repository.tree(change.base))

    @property
    def start(self) -> str | None:
        """The commit before the change."""
        return self.change.merge_base or (self.repository.head() if self.repository else None)

    @contextmanager
    def checkout(self) -> Iterator[Path]:
        """A folder with the Python files of ``head``: the working tree, or a copy of the commit for the time being.

        The copy is made of the objects themselves: ``git archive`` would run the filters that attributes name.
        """
        repository = self.repository
        if not isinstance(self.head, CommitTree) or (repository and repository.is_checked_out(self.change.head)):
            yield self.root
            return
        with TemporaryDirectory(prefix="gate-") as folder:
            for path in self.head.paths():
                if path.endswith((".py", ".pyi")) and (content := self.head.read(path)) is not None:
                    target = Path(folder, path)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(content)
            yield Path(folder)

    def log(self, paths: Sequence[str]) -> Iterator[PastCommit]:
        """The commits before the change that touched one of the paths, newest first; none without a history."""
        start = self.start
        if self.repository is None or start is None:
            return iter(())
        return self.repository.log(start, paths[:MAX_LOG_PATHS], limit=MAX_PAST_COMMITS)

    def changed_files(self, commits: Sequence[str]) -> dict[str, ChangedFiles]:
        """All files of some commits that ``log`` named, see ``Repository.changed_files``."""
        return self.repository.changed_files(commits) if self.repository is not None and commits else {}


def open_range(directory: Path, revisions: str) -> Source:
    """Commits: ``BASE``, ``BASE...HEAD`` (from the merge base) or ``BASE..HEAD`` (two trees)."""
    repository = Repository.open(directory)
    change = read_range(repository, revisions)
    return replace(_source(repository, change, head=repository.tree(change.head)), asked=revisions)


def open_commit(directory: Path, revision: str) -> Source:
    """One past commit, as it changed its first parent (the empty tree, where it has none)."""
    repository = Repository.open(directory)
    change = read_commit(repository, revision)
    parent = change.merge_base
    return Source(
        change=change,
        base=repository.tree(parent) if parent else EmptyTree(),
        head=repository.tree(change.head),
        root=repository.root,
        repository=repository,
    )


def open_staged(directory: Path) -> Source:
    """The index, as the next commit would hold it."""
    repository = Repository.open(directory)
    return _source(repository, read_staged(repository), head=repository.tree(None))


def open_worktree(directory: Path) -> Source:
    """Everything that is not yet on the default branch, uncommitted and untracked files included."""
    repository = Repository.open(directory)
    return _source(repository, read_worktree(repository), head=repository.tree(None))


def open_tree(directory: Path) -> Source:
    """No change at all: the files as they are, and their history."""
    try:
        repository = Repository.open(directory)
    except UsageError:
        folder = DirectoryTree(directory)
        return Source(change=_no_change(None), base=folder, head=folder, root=directory, repository=None)
    head = repository.head()
    tree = repository.tree(head if repository.bare else None) if head or not repository.bare else EmptyTree()
    return _source(repository, _no_change(head), head=tree)


def _no_change(at: str | None) -> Change:
    return Change(kind=SourceKind.WORKTREE, base=at, head=at, merge_base=at, digest="", files=())


def open_patch(directory: Path, data: bytes, name: str) -> Source:
    """A patch, against the repository or folder it stands in; where its files are not at hand, by its lines alone."""
    try:
        repository = Repository.open(directory)
    except UsageError:
        folder = DirectoryTree(directory)
        change = read_patch(data, name, folder.read)
        at_hand = any(not file.partial for file in change.files)
        tree: Tree = folder if at_hand else EmptyTree()
        return Source(change=change, base=tree, head=tree, root=directory, repository=None)
    head = repository.head()
    tree = repository.tree(head if repository.bare else None) if head or not repository.bare else EmptyTree()
    read: Callable[[str], bytes | None] = tree.read
    return _source(repository, read_patch(data, name, read), head=tree)


def _source(repository: Repository, change: Change, *, head: Tree) -> Source:
    start = change.merge_base or repository.head()
    base = repository.tree(start) if start else EmptyTree()
    return Source(change=change, base=base, head=head, root=repository.root, repository=repository)
