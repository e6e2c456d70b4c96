"""How git is run: by this module alone.

Every command runs without a shell, with paths as literals, NUL-separated output, and none of the user's settings that
change output or start programs: external diffs, text conversion, file-system monitors, hooks, replacement objects,
lazy fetching over the network (a partial clone lacks an object: that is said, not fetched).
"""

import os
import weakref
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from gatecli.errors import EvidenceError, UsageError

if TYPE_CHECKING:
    from git.cmd import Git

TIMEOUT_S = 300

# GIT_* variables that say how to reach git or ssh, as pre-commit keeps them; every other one (GIT_DIR, GIT_WORK_TREE,
# GIT_EXTERNAL_DIFF, ... as set inside hooks) would make git answer about another repository or run a program.
# https://github.com/pre-commit/pre-commit/blob/main/pre_commit/git.py
_KEPT = frozenset({"GIT_EXEC_PATH", "GIT_SSL_CAINFO", "GIT_SSL_NO_VERIFY", "GIT_INDEX_FILE"})

_ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_PAGER": "cat",
    "LC_ALL": "C",
}

_SETTINGS = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.quotePath=true",
    "core.attributesFile=/dev/null",
    "core.warnAmbiguousRefs=true",
    "color.ui=false",
    "diff.noprefix=false",
    "diff.mnemonicPrefix=false",
    "diff.algorithm=myers",
    "diff.indentHeuristic=true",
    "diff.interHunkContext=0",
    "diff.suppressBlankEmpty=false",
    "diff.relative=false",
    "diff.submodule=short",
    "submodule.recurse=false",
    "diff.orderFile=/dev/null",
    "diff.renameLimit=2000",
    "diff.autoRefreshIndex=true",
    "log.follow=false",
    "log.showSignature=false",
    "log.mailmap=false",
)


class Commands:
    """git commands in a folder; ``root`` is the top of the repository (the git directory itself where it is bare)."""

    def __init__(self, root: Path, *, bare: bool) -> None:
        self.root = root
        self.bare = bare

    @cached_property
    def program(self) -> "Git":
        """git in this folder; one process of it stays, and reads objects."""
        try:
            from git.cmd import Git
        except ImportError as error:  # GitPython looks for the program when it is imported
            raise UsageError("git is not installed, or not on PATH", "install git 2.30 or newer") from error
        git = Git(str(self.root))
        git.update_environment(**_ENVIRONMENT)
        weakref.finalize(self, git.clear_cache)  # ends the process that reads objects
        return git

    def execute(
        self, arguments: Sequence[str], *, env: dict[str, str] | None = None, istream: BinaryIO | None = None
    ) -> tuple[int, bytes, bytes]:
        """Exit code, output and complaints of a command, whichever way it ends."""
        from git.exc import GitCommandNotFound

        try:
            status, out, err = self.program.execute(
                command(arguments),
                with_extended_output=True,
                with_exceptions=False,
                stdout_as_string=False,
                strip_newline_in_stdout=False,
                kill_after_timeout=None if os.name == "nt" else TIMEOUT_S,
                env=env,
                istream=istream,
            )
        except GitCommandNotFound as error:
            raise UsageError("git is not installed, or not on PATH", "install git 2.30 or newer") from error
        return status, _bytes(out), _bytes(err)

    def run(self, *arguments: str, env: dict[str, str] | None = None) -> bytes:
        """The output of a git command.

        Raises:
            EvidenceError: git failed; objects that a shallow or partial clone lacks get their own hint.
        """
        status, out, err = self.execute(arguments, env=env)
        if status:
            raise failure(arguments, err)
        return out

    def text(self, *arguments: str) -> str:
        """The output of a git command that answers with one line."""
        return self.run(*arguments).decode("utf-8", "surrogateescape").removesuffix("\n")

    def stream(self, *arguments: str, env: dict[str, str] | None = None) -> Iterator[bytes]:
        """The NUL-separated fields of a command's output, as they come: what is too much to hold at once.

        Raises:
            EvidenceError: git failed.
        """
        process = self.program.execute(command(arguments), as_process=True, env=env)
        assert process.stdout is not None, "GitPython pipes it"
        assert process.stderr is not None, "GitPython pipes it"
        rest = b""
        while chunk := process.stdout.read(1 << 20):
            *fields, rest = (rest + chunk).split(b"\0")
            yield from fields
        yield rest
        complaints = process.stderr.read()
        if process.proc is not None and process.proc.wait():
            raise failure(arguments, complaints)


def scrub_environment() -> None:
    """Take hostile GIT_* variables out of this process: GitPython starts every command with its environment."""
    for name in [name for name in os.environ if name.startswith("GIT_") and name not in _KEPT]:
        if not name.startswith("GIT_PYTHON_"):
            del os.environ[name]


def command(arguments: Sequence[str]) -> list[str]:
    """A whole command line, free of the user's settings."""
    return ["git", *(word for setting in _SETTINGS for word in ("-c", setting)), *arguments]


_MISSING_OBJECT = (
    *("promisor", "missing blob", "bad object", "unable to read", "fetch", "not allowed"),
    *("failed to traverse parents", "cannot simplify commit"),
)


def failure(arguments: Sequence[str], err: bytes) -> EvidenceError:
    """What went wrong, in git's words, and what helps against it."""
    lines = err.decode("utf-8", "replace").strip().split("\n")
    message = next((line for line in lines if line.startswith("fatal:")), lines[0]) or "no message"
    lowered = " ".join(lines).lower()
    if any(sign in lowered for sign in _MISSING_OBJECT):
        hint = (
            "the clone lacks objects (shallow or partial): git fetch --unshallow, or clone again without --filter; "
            "git fsck names what else is lost"
        )
    elif "timeout" in lowered:
        hint = "the repository is slow to read: try git gc, or git commit-graph write --changed-paths"
    else:
        hint = "run the command yourself to see more, or check the repository with git fsck"
    return EvidenceError(f"git {arguments[0]} failed: {message[:300]}", hint)


def _bytes(value: object) -> bytes:
    """GitPython answers a killed or empty command with text or None."""
    if isinstance(value, bytes):
        return value
    return value.encode("utf-8", "replace") if isinstance(value, str) else b""
