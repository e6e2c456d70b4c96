"""What git is asked about a repository: revisions, history, content, differences."""

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryFile

from gatecli.errors import EvidenceError, UsageError
from gatecli.model import ChangedFiles, PastCommit, Revision, Tree
from gatecli.sources.git_command import Commands, command, failure, scrub_environment
from gatecli.sources.revisions import REVISION_FORMAT, parse_revisions

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

# A file above this is named in the report but not read; far above any source written by hand.
MAX_BLOB_BYTES = 20_000_000
MAX_REVISIONS = 1_000
MAX_UNTRACKED = 2_000
MAX_CHANGED_FILES_BYTES = 4_000_000
"""Of names, about 60,000 files; three hundred commits of an ordinary repository have a tenth of that."""

# One canonical diff serves the hunks and the digest (reference: approval and provenance, §3).
DIFF_FLAGS = (
    "--raw",
    "-z",
    "-p",
    "-U3",
    "-M",
    "-C",
    "--diff-algorithm=myers",  # also where .gitattributes names a driver with another one
    "--ignore-submodules=dirty",  # also where .gitmodules says to ignore them all
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--no-abbrev",
    "--full-index",
    "--binary",
    "--src-prefix=a/",
    "--dst-prefix=b/",
)


# Names that git reads one way only, whatever else is called so: a whole reference, HEAD, a whole commit id.
_PLAIN = re.compile(r"(?:refs/|(?:HEAD|[0-9a-f]{40}(?:[0-9a-f]{24})?)(?![^~^@:]))")


class Repository(Commands):
    """A git repository."""

    @classmethod
    def open(cls, directory: Path) -> "Repository":
        """The repository that holds a folder.

        Raises:
            UsageError: the folder is in none, or git refuses to read it (another owner).
        """
        scrub_environment()
        if not directory.is_dir():
            raise UsageError(f"{directory} is not a folder", "give an existing folder with --repo")
        here = cls(directory, bare=False)
        status, out, err = here.execute(["rev-parse", "--is-bare-repository", "--absolute-git-dir"])
        if status:
            if b"dubious ownership" in err:
                raise UsageError(
                    f"git refuses to read {directory}: it belongs to another user",
                    f"if you trust it: git config --global --add safe.directory {directory}",
                )
            raise UsageError(
                f"{directory} is not inside a git repository",
                "run gate inside one, name one with --repo DIR, or judge a patch: gate check --diff FILE",
            )
        bare, git_dir = out.decode("utf-8", "surrogateescape").split("\n")[:2]
        if bare == "true":
            return cls(Path(git_dir), bare=True)
        if here.text("rev-parse", "--is-inside-git-dir") == "true":
            raise UsageError(
                f"{directory} is inside the git directory {git_dir}", "run gate where the files are, or give --repo DIR"
            )
        top = here.text("rev-parse", "--show-toplevel")
        return cls(Path(top), bare=False)

    @classmethod
    def create(cls, directory: Path) -> "Repository":
        """A new repository in a folder, on branch ``main``."""
        scrub_environment()
        here = cls(directory, bare=False)
        here.run("init", "--quiet", "--initial-branch=main", "--template=")
        return here

    # ----------------------------------------------------------------- revisions

    def resolve(self, revision: str) -> str:
        """The commit id of a revision.

        Raises:
            UsageError: there is no such commit, or several: of a tag and a branch with one name git takes the tag, and
                whoever may push a tag must not choose what a change is measured from.
        """
        name = f"{revision}^{{commit}}"
        status, out, err = self.execute(["rev-parse", "--verify", "--end-of-options", name.replace("\0", "?")])
        if not status and b"is ambiguous" in err and not _PLAIN.match(revision):
            raise UsageError(
                f"{revision} is the name of several things here, such as a tag and a branch",
                "name it whole: refs/heads/main, refs/remotes/origin/main, refs/tags/v1",
            )
        if status or not out.strip():
            hint = "see `git branch --all`; in CI, fetch it first: git fetch origin BRANCH"
            if os.path.exists(revision):  # noqa: PTH110 - a revision may be what Path refuses: too long, a NUL in it
                hint = "that is a path: a change is named by its base, such as gate check origin/main...HEAD"
            if self.is_shallow:
                hint = "this clone is shallow: git fetch --unshallow (GitHub Actions: fetch-depth: 0)"
            raise UsageError(f"unknown revision: {revision}", hint)
        return out.decode("ascii").strip()

    @cached_property
    def is_shallow(self) -> bool:
        """Whether history was cut off by ``--depth``."""
        return self.text("rev-parse", "--is-shallow-repository") == "true"

    def head(self) -> str | None:
        """The commit that is checked out, None before the first commit."""
        status, out, _ = self.execute(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])
        return None if status else out.decode("ascii").strip()

    def is_clean(self) -> bool:
        """Whether the tracked files are those of the commit that is checked out."""
        status, out, _ = self.execute(["status", "--porcelain", "--untracked-files=no"])
        return not status and not out.strip()

    def branch(self) -> str | None:
        """The branch that is checked out, None where HEAD is detached."""
        status, out, _ = self.execute(["symbolic-ref", "--short", "--quiet", "HEAD"])
        return None if status else out.decode("utf-8", "surrogateescape").strip()

    def default_branch(self) -> str | None:
        """What the remote calls its default branch, else the first of the usual names that exists."""
        status, out, _ = self.execute(["symbolic-ref", "--quiet", "refs/remotes/origin/HEAD"])
        if not status:
            return out.decode("utf-8", "surrogateescape").strip()
        for name in ("origin/main", "origin/master", "main", "master", "trunk", "develop"):
            status, _, _ = self.execute(["rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"])
            if not status:
                return name
        return None

    def merge_base(self, base: str, head: str) -> str:
        """The commit where two revisions parted.

        Raises:
            EvidenceError: there is none, or a shallow clone cannot know it.
        """
        status, out, err = self.execute(["merge-base", base, head])
        if status == 0:
            return out.decode("ascii").split()[0]
        if err.strip() and status != 1:
            raise failure(("merge-base",), err)
        if self.is_shallow:
            raise EvidenceError(
                f"no merge base of {base[:12]} and {head[:12]} in this shallow clone",
                "git fetch --unshallow (GitHub Actions: fetch-depth: 0)",
            )
        raise EvidenceError(
            f"no merge base: {base[:12]} and {head[:12]} share no history",
            "to compare the two trees as they are, give two dots: gate check BASE..HEAD",
        )

    def distance(self, old: str, new: str) -> tuple[int, int]:
        """How many commits the second revision has that the first lacks, and the other way round."""
        lacking, having = self.text("rev-list", "--left-right", "--count", f"{old}...{new}", "--").split()
        return int(having), int(lacking)

    def revisions(self, base: str, head: str) -> tuple[Revision, ...]:
        """The commits of ``base..head``, newest first, at most ``MAX_REVISIONS``."""
        out = self.run(
            "log",
            "-z",
            f"--max-count={MAX_REVISIONS}",
            "--encoding=UTF-8",
            REVISION_FORMAT,
            f"{base}..{head}" if base != EMPTY_TREE else head,
            "--",
        )
        return parse_revisions(out)

    def log(self, at: str, paths: Sequence[str], *, limit: int) -> Iterator[PastCommit]:
        """The newest commits (no merges) that changed one of the paths, with the lines they replaced."""
        from gatecli.sources.log import parse_log

        if not paths:
            return iter(())
        out = self.run(
            "log",
            "--no-merges",
            f"--max-count={limit}",
            "--encoding=UTF-8",
            "--format=%x00%H%x00%an%x00%ae%x00%ct%x00%s%x00",
            "-p",
            "-U0",
            "--no-renames",
            "--no-ext-diff",
            "--no-textconv",
            "--no-color",
            "--src-prefix=a/",
            "--dst-prefix=b/",
            at,
            "--",
            *paths,
        )
        return parse_log(out)

    def changed_files(self, commits: Sequence[str]) -> dict[str, ChangedFiles]:
        """All files that some commits changed; merges and first commits (which create everything) have none.

        Renames without any change are told, those cost nothing. Commits that come after ``MAX_CHANGED_FILES_BYTES``
        of names are left out, and those that git cannot read.
        """
        from gatecli.sources.log import parse_changed_files

        with TemporaryFile() as asked:
            asked.write("".join(f"{commit}\n" for commit in commits).encode("ascii"))
            asked.seek(0)
            process = self.program.execute(
                command(["diff-tree", "--stdin", "-r", "-z", "-M100%", "--name-status", "--no-ext-diff"]),
                as_process=True,
                istream=asked,
            )
            assert process.stdout is not None, "GitPython pipes it"
            out: bytes = process.stdout.read(MAX_CHANGED_FILES_BYTES)
            is_whole = not process.stdout.read(1)
        if is_whole:
            return parse_changed_files(out)
        del process  # ends it
        found = parse_changed_files(out[: out.rfind(b"\0") + 1])
        if found:
            found.popitem()  # the last is cut
        return found

    # ----------------------------------------------------------------- content

    def blob(self, name: str) -> bytes | None:
        """The content of one object, None where it is larger than ``MAX_BLOB_BYTES``.

        Raises:
            EvidenceError: a shallow or partial clone lacks it.
        """
        try:
            _, _, size, stream = self.program.stream_object_data(name)
            if size > MAX_BLOB_BYTES:
                return None  # the stream drains itself
            return bytes(stream.read(size))
        except ValueError as error:
            raise EvidenceError(
                f"the repository lacks object {name[:12]}",
                "the clone is shallow or partial: git fetch --unshallow, or clone again without --filter",
            ) from error

    def blobs(self, names: Sequence[str]) -> Iterator[bytes | None]:
        """The contents of many objects in their order, None for one that is too large or not there.

        One process answers for all: asking for each on its own costs a turn of two processes an object.
        """
        with TemporaryFile() as asked:
            asked.write("".join(f"{name}\n" for name in names).encode("ascii"))
            asked.seek(0)
            status, out, err = self.execute(["cat-file", "--batch"], istream=asked)
        if status:
            raise failure(("cat-file",), err)
        at = 0
        for _ in names:
            end = out.index(b"\n", at)
            header = out[at:end].split()
            if len(header) != 3:  # "<name> missing"
                at = end + 1
                yield None
                continue
            size = int(header[2])
            yield out[end + 1 : end + 1 + size] if size <= MAX_BLOB_BYTES else None
            at = end + 1 + size + 1

    def entries(self, revision: str) -> tuple[dict[str, str], frozenset[str]]:
        """Every regular file of a commit, path → blob id, and the paths of its symbolic links and submodules."""
        out = self.run("ls-tree", "-r", "-z", "--full-tree", revision)
        files, others = {}, set()
        for row in out.split(b"\0"):
            meta, _, path = row.partition(b"\t")
            if meta.startswith(b"100"):
                files[os.fsdecode(path)] = meta.split()[2].decode("ascii")
            elif meta:
                others.add(os.fsdecode(path))
        return files, frozenset(others)

    def index_ids(self) -> dict[str, str]:
        """The regular files that are in the working tree as in the index: path → blob id."""
        changed = set(self.run("ls-files", "--modified", "-z").split(b"\0"))
        result = {}
        for row in self.run("ls-files", "--stage", "-z").split(b"\0"):
            meta, _, path = row.partition(b"\t")
            mode, _, rest = meta.partition(b" ")
            if mode.startswith(b"100") and rest.endswith(b" 0") and path not in changed:
                result[os.fsdecode(path)] = rest.partition(b" ")[0].decode("ascii")
        return result

    def is_checked_out(self, commit: str | None) -> bool:
        """Whether the working tree holds a commit, with no tracked file changed."""
        if self.bare or commit is None or self.head() != commit:
            return False
        return not self.run("status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all")

    def grep(self, words: Iterable[str], revision: str | None) -> list[str]:
        """The Python files that contain one of the identifiers, at a commit or (None) in the working tree.

        One expression, not one ``-e`` a word: git tries each of those on each line, which takes six times as long.
        """
        any_word = "|".join(sorted(word for word in words if word.isidentifier()))
        if not any_word:
            return []
        where = [revision] if revision else ["--untracked"]
        python = ["--", "*.py", "*.pyi"]
        status, out, err = self.execute(
            # --text: a `binary` attribute must not hide a caller
            [
                "grep",
                "-l",
                "-z",
                "--text",
                "-w",
                "-E",
                "--full-name",
                "--no-color",
                "-e",
                f"({any_word})",
                *where,
                *python,
            ],
            env={"GIT_LITERAL_PATHSPECS": "0"},
        )
        if status > 1:
            raise failure(("grep",), err)
        prefix = f"{revision}:" if revision else ""
        return [os.fsdecode(path).removeprefix(prefix) for path in out.split(b"\0") if path]

    def diff(self, *arguments: str, env: dict[str, str] | None = None) -> bytes:
        """The canonical diff: raw entries, then the patch, of what ``git diff`` is asked to compare."""
        return self.run("diff", *DIFF_FLAGS, *arguments, "--", env=env)

    def index_with_untracked(self, copy: Path) -> dict[str, str]:
        """A throw-away index in which untracked files are announced; returns the environment that names it.

        Raises:
            UsageError: there are more untracked files than anyone would review.
        """
        out = self.run("ls-files", "--others", "--exclude-standard", "-z")
        paths = [path for path in out.split(b"\0") if path and not path.endswith(b"/")]  # no repositories inside
        if len(paths) > MAX_UNTRACKED:
            raise UsageError(
                f"{len(paths):,} untracked files in {self.root}",
                "name them in .gitignore, or judge commits only: gate check BASE...HEAD",
            )
        index = Path(os.environ.get("GIT_INDEX_FILE") or self.text("rev-parse", "--git-path", "index"))
        index = index if index.is_absolute() else self.root / index
        env = {"GIT_INDEX_FILE": str(copy)}
        if index.exists():
            # With its time: git re-reads files as new as the index, whose change the size and time would not show.
            shutil.copy2(index, copy)
        else:
            self.run("read-tree", "--empty", env=env)
        if paths:
            names = copy.with_suffix(".paths")
            names.write_bytes(b"\0".join(paths))
            self.run("add", "--intent-to-add", f"--pathspec-from-file={names}", "--pathspec-file-nul", env=env)
        return env

    def conflicts(self) -> tuple[str, ...]:
        """The paths that a merge left undecided."""
        out = self.run("ls-files", "--unmerged", "-z")
        return tuple(os.fsdecode(row.partition(b"\t")[2]) for row in out.split(b"\0") if row)

    def tree(self, revision: str | None) -> Tree:
        """The files of a commit, or (None) of the working tree."""
        from gatecli.sources.trees import CommitTree, WorkTree

        return WorkTree(self) if revision is None else CommitTree(self, self.resolve(revision))
