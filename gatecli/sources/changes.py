"""What changed: a range of commits, the index, the working tree or a patch, each as one ``Change``."""

import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path

from gatecli.errors import EvidenceError, UsageError
from gatecli.model import Change, FileChange, FileStatus, Revision, SourceKind
from gatecli.sources.git import DIFF_FLAGS, EMPTY_TREE, MAX_REVISIONS, Repository
from gatecli.sources.patch import PatchFile, parse
from gatecli.sources.rebuild import file_changes, file_type, hunks_between
from gatecli.sources.trees import read_file

MAX_PATCH_BYTES = 200_000_000
MAX_TOTAL_BYTES = 200_000_000

# Windows takes a command line of 32,767 characters.
MAX_PATHS_TEXT = 20_000

_PYTHON = ("*.py", "*.pyi")
_GLOBS = {"GIT_LITERAL_PATHSPECS": "0"}

# git looks at this many bytes to tell text from binary (buffer_is_binary in xdiff-interface.c).
_BINARY_PROBE = 8_000

_STATUS = {
    "A": FileStatus.ADDED,
    "D": FileStatus.DELETED,
    "M": FileStatus.MODIFIED,
    "R": FileStatus.RENAMED,
    "C": FileStatus.COPIED,
    "T": FileStatus.TYPE_CHANGED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """One raw diff entry: modes, blob ids (all zeros: not stored) and paths."""

    old_mode: str
    new_mode: str
    old_blob: str
    new_blob: str
    status: str
    old_path: str
    path: str


def read_range(repository: Repository, revisions: str) -> Change:
    """``BASE`` and ``BASE...HEAD`` measure from the merge base like a pull request, ``BASE..HEAD`` compares trees."""
    base_name, dots, head_name = _split_range(revisions)
    base, head = repository.resolve(base_name), repository.resolve(head_name or "HEAD")
    start = base if dots == ".." else repository.merge_base(base, head)
    out = repository.diff(start, head)
    return _change(
        repository,
        out,
        kind=SourceKind.RANGE,
        base=base,
        head=head,
        merge_base=start,
        branch=repository.branch() if not head_name else None,
    )


def read_commit(repository: Repository, revision: str) -> Change:
    """What one commit did to its first parent; a merge brings all that it merged.

    Raises:
        UsageError: there is no such commit.
        EvidenceError: the clone lacks its parent.
    """
    head = repository.resolve(revision)
    parents = repository.text("rev-list", "--no-walk", "--parents", head, "--").split()[1:]
    # In a shallow clone the last commit seems to have no parent: its diff would be all that there was.
    if not parents and repository.is_shallow:
        raise EvidenceError(
            f"what {head[:12]} changed is not known: this clone is shallow, and ends there",
            "git fetch --unshallow (GitHub Actions: fetch-depth: 0)",
        )
    parent = parents[0] if parents else None
    return _change(
        repository,
        repository.diff(parent or EMPTY_TREE, head),
        kind=SourceKind.RANGE,
        base=parent,
        head=head,
        merge_base=parent,
        branch=None,
    )


def read_staged(repository: Repository) -> Change:
    """What the next commit would hold."""
    head = repository.head()
    out = repository.diff("--cached", head or EMPTY_TREE)
    return _change(
        repository,
        out,
        kind=SourceKind.STAGED,
        base=head,
        head=None,
        merge_base=head,
        branch=repository.branch(),
    )


def read_worktree(repository: Repository) -> Change:
    """All that would be new on the default branch: commits since the merge base, uncommitted and untracked files."""
    if repository.bare:
        raise UsageError(f"{repository.root} is a bare repository", "name the revisions: gate check BASE...HEAD")
    if undecided := repository.conflicts():
        raise EvidenceError(f"{undecided[0]} has an unresolved merge conflict", "resolve it, then run gate again")
    head, default = repository.head(), repository.default_branch()
    base = repository.resolve(default) if default else head
    start = repository.merge_base(base, head) if base and head else None
    with tempfile.TemporaryDirectory(prefix="gate-") as folder:
        env = repository.index_with_untracked(Path(folder, "index"))
        out = repository.diff(start or EMPTY_TREE, env=env)
    return _change(
        repository,
        out,
        kind=SourceKind.WORKTREE,
        base=base,
        head=head,
        merge_base=start,
        branch=repository.branch(),
    )


def read_patch(data: bytes, name: str, read: Callable[[str], bytes | None]) -> Change:
    """A unified diff; ``read`` gives the content of a path where the patch was made, or None.

    Raises:
        UsageError: it holds no diff, or is too large.
        EvidenceError: it is cut off or malformed.
    """
    if len(data) > MAX_PATCH_BYTES:
        raise UsageError(f"{name} has {len(data):,} bytes, more than {MAX_PATCH_BYTES:,}", "split it")
    patch = parse(data, name=name)
    files = file_changes(patch.files, read)
    partial = sum(file.partial for file in files)
    warnings = []
    if partial:
        warnings.append(
            f"{partial} of {len(files)} files are not at hand in the state the patch was made from: "
            "judged by the lines of the patch alone"
        )
    if patch.unseen:
        shown = "; ".join(line[:200] for line in patch.unseen[:3])
        warnings.append(f"{len(patch.unseen)} files are named without their content ({shown}): make it with diff -N")
    return Change(
        kind=SourceKind.PATCH,
        base=None,
        head=patch.revisions[0].sha if patch.revisions else None,
        merge_base=None,
        digest=_digest(data),
        files=files,
        revisions=patch.revisions,
        warnings=tuple(warnings),
    )


def read_python_between(
    repository: Repository, old: str, new: str, choose: Callable[[list[tuple[str | None, str]]], Collection[str]]
) -> tuple[tuple[FileChange, ...], int]:
    """The chosen Python files that differ between two commits, with both sides, and how many differ in all.

    ``choose`` is given the old path (None: the file is new) and the new path of each, and returns new paths. Only what
    it returns is read.

    Raises:
        EvidenceError: the clone lacks one of them.
    """
    listing = ("diff", "--raw", "-z", "-M", "--no-abbrev", "--no-ext-diff", old, new, "--", *_PYTHON)
    entries, _ = _split_output(repository.run(*listing, env=_GLOBS))
    pairs = [(None if entry.status == "A" else entry.old_path, entry.path) for entry in entries]
    chosen = set(choose(pairs))
    if not chosen:
        return (), len(pairs)
    names = sorted({path for pair in pairs if pair[1] in chosen for path in pair if path is not None})
    if sum(map(len, names)) <= MAX_PATHS_TEXT:
        out = repository.run("diff", *DIFF_FLAGS, old, new, "--", *names)
    else:
        out = repository.run("diff", *DIFF_FLAGS, old, new, "--", *_PYTHON, env=_GLOBS)
    entries, patch = _split_output(out)
    sections = parse(patch, name="git diff").files if patch else ()
    return tuple(_files(repository, entries, sections, on_disk=False, wanted=chosen)), len(pairs)


def read_content(repository: Repository, base: str, head: str) -> tuple[str, dict[str, str]]:
    """The digest of a commit's change against the merge base with another, and that of each file's part.

    Raises:
        EvidenceError: the clone lacks some of it.
    """
    entries, patch = _split_output(repository.diff(repository.merge_base(base, head), head))
    return _digest(patch), _file_digests(entries, patch)


def _split_range(revisions: str) -> tuple[str, str, str]:
    for dots in ("...", ".."):
        base, found, head = revisions.partition(dots)
        if found:
            return base or "HEAD", dots, head
    return revisions, "...", ""


def _digest(patch: bytes) -> str:
    """sha256 of a patch without its ``index`` lines: blob ids change with a rebase, the content does not."""
    digest = hashlib.sha256()
    for line in patch.split(b"\n"):
        if not line.startswith(b"index "):
            digest.update(line + b"\n")
    return digest.hexdigest()


def _file_digests(entries: "list[_Entry]", patch: bytes) -> dict[str, str]:
    """The digest of each file's section of a patch, by its path after the change; a type change has two sections."""
    heads = [match.start() for match in re.finditer(rb"^diff --git ", patch, re.MULTILINE)]
    sections = [patch[start:end] for start, end in pairwise([*heads, len(patch)])]
    counts = [2 if entry.status == "T" else 1 for entry in entries]
    if sum(counts) != len(sections):
        return {}
    ends = list(accumulate(counts))
    return {
        entry.path: _digest(b"".join(sections[end - count : end]).removesuffix(b"\n"))
        for entry, count, end in zip(entries, counts, ends, strict=True)
    }


def _change(
    repository: Repository,
    out: bytes,
    *,
    kind: SourceKind,
    base: str | None,
    head: str | None,
    merge_base: str | None,
    branch: str | None,
) -> Change:
    entries, patch = _split_output(out)
    sections = parse(patch, name="git diff").files if patch else ()
    warnings = []
    if repository.is_shallow:
        warnings.append("the clone is shallow: the history of the touched functions is cut off")
    revisions: tuple[Revision, ...] = ()
    if head and merge_base != head:
        revisions = repository.revisions(merge_base or EMPTY_TREE, head)
    return Change(
        kind=kind,
        base=base,
        head=head,
        merge_base=merge_base,
        digest=_digest(patch),
        files=tuple(_files(repository, entries, sections, on_disk=kind is SourceKind.WORKTREE)),
        revisions=revisions,
        more_revisions=len(revisions) == MAX_REVISIONS,
        branch=branch,
        warnings=tuple(warnings),
        file_digests=_file_digests(entries, patch),
    )


def _split_output(out: bytes) -> tuple[list[_Entry], bytes]:
    """The raw entries at the head of ``git diff --raw -z -p``, and the patch behind them."""
    entries = []
    position = 0
    while out[position : position + 1] == b":":
        end = out.index(b"\0", position)
        old_mode, new_mode, old_blob, new_blob, status = out[position + 1 : end].decode("ascii").split(" ")
        stop = out.index(b"\0", end + 1)
        old_path = path = os.fsdecode(out[end + 1 : stop])
        position = stop + 1
        if status[0] in "RC":
            stop = out.index(b"\0", position)
            path = os.fsdecode(out[position:stop])
            position = stop + 1
        if status[0] == "U":
            raise EvidenceError(f"{path} has an unresolved merge conflict", "resolve it, then run gate again")
        entries.append(
            _Entry(
                old_mode=old_mode,
                new_mode=new_mode,
                old_blob=old_blob,
                new_blob=new_blob,
                status=status[0],
                old_path=old_path,
                path=path,
            )
        )
    return entries, out[position:].removeprefix(b"\0")


def _files(
    repository: Repository,
    entries: list[_Entry],
    sections: tuple[PatchFile, ...],
    *,
    on_disk: bool,
    wanted: Collection[str] | None = None,
) -> Iterator[FileChange]:
    """Raw entries joined with their patch sections, which stand in the same order (a type change has two).

    Of entries that are not ``wanted`` (None: all are) nothing is read.
    """
    expected = sum(2 if entry.status == "T" else 1 for entry in entries)
    if expected != len(sections):
        raise EvidenceError(
            f"git diff named {len(entries)} files but showed {len(sections)} patches",
            "report this with the git version",
        )
    remaining = iter(sections)
    budget = _Budget(left=MAX_TOTAL_BYTES)
    for entry in entries:
        parts = [next(remaining) for _ in range(2 if entry.status == "T" else 1)]
        if wanted is None or entry.path in wanted:
            yield _file(repository, entry, parts, budget, on_disk)


def _file(
    repository: Repository, entry: _Entry, parts: list[PatchFile], budget: "_Budget", on_disk: bool
) -> FileChange:
    notes: list[str] = []
    before = _content(entry.old_mode, lambda: repository.blob(entry.old_blob), budget, notes)
    # git names a blob id for a working-tree file when it looked for renames, without storing the blob.
    after = _content(
        entry.new_mode,
        lambda: read_file(repository.root, entry.path) if on_disk else repository.blob(entry.new_blob),
        budget,
        notes,
    )
    binary = any(part.binary for part in parts)
    hunks = tuple(hunk for part in parts for hunk in part.replaced)
    if binary and (before or after) and not any(b"\0" in (side or b"")[:_BINARY_PROBE] for side in (before, after)):
        # A `-diff` or `binary` attribute, which the change itself may have added, must not hide code.
        binary, hunks = False, hunks_between(before, after)
        notes.append("marked binary by .gitattributes, judged as text")
    return FileChange(
        path=entry.path,
        old_path=None if entry.status == "A" else entry.old_path,
        status=_STATUS.get(entry.status, FileStatus.MODIFIED),
        type=file_type(entry.new_mode if entry.new_mode.strip("0") else entry.old_mode),
        old_mode=entry.old_mode if entry.old_mode.strip("0") else None,
        new_mode=entry.new_mode if entry.new_mode.strip("0") else None,
        binary=binary,
        hunks=hunks,
        before=None if binary else before,
        after=None if binary else after,
        notes=tuple(notes),
    )


@dataclass(slots=True)
class _Budget:
    """How many bytes of content one change may still read."""

    left: int


def _content(mode: str, read: Callable[[], bytes | None], budget: _Budget, notes: list[str]) -> bytes | None:
    """One side's content, None for what is no regular file; what could not be read is noted."""
    if not mode.startswith("100"):
        return None
    content = read() if budget.left > 0 else None
    if content is None:
        notes.append("not read (too large, or no regular file): judged as a whole")
    else:
        budget.left -= len(content)
    return content
