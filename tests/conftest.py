"""Real git repositories for tests: fixed people and dates, none of the machine's git configuration."""

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says something of the machine, not of the code: timings never make a test fail.
settings.register_profile("gate", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("gate")

# Commits are a minute apart from here on, so that commit ids are the same on every machine.
FIRST_COMMIT_AT = 1_700_000_000

_IDENTITY = {
    "GIT_AUTHOR_NAME": "Ines Example",
    "GIT_AUTHOR_EMAIL": "ines@shop.example",
    "GIT_COMMITTER_NAME": "Ines Example",
    "GIT_COMMITTER_EMAIL": "ines@shop.example",
}


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Facts of files are kept in a folder of the test, not in the user's cache."""
    folder = tmp_path_factory.mktemp("cache")
    for variable in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(folder))


@pytest.fixture(autouse=True)
def no_type_checker(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The optional checker is asked only by its own tests: reports must not depend on what is installed."""
    if "test_types" not in request.node.nodeid:
        monkeypatch.setattr("gatecli.syntax.types.program", lambda: None)


@dataclass
class GitRepo:
    """A repository on disk, driven with the git program itself: what gate says of it is checked against that."""

    path: Path
    commits: int = field(default=0)

    def git(self, *arguments: str | bytes, check: bool = True, env: dict[str, str] | None = None) -> str:
        """Run git here and return its output, as text with ``os.fsdecode``."""
        at = f"{FIRST_COMMIT_AT + 60 * self.commits} +0000"
        full = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
            **_IDENTITY,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_DATE": at,
            "GIT_COMMITTER_DATE": at,
            "LC_ALL": "C",
            **(env or {}),
        }
        command = ["git", "-c", "protocol.file.allow=always", *arguments]
        result = subprocess.run(command, cwd=self.path, capture_output=True, env=full, check=False)
        if check and result.returncode:
            raise AssertionError(f"git {arguments} failed: {os.fsdecode(result.stderr)}")
        return os.fsdecode(result.stdout)

    def write(self, path: str, content: str | bytes) -> Path:
        """Write one file, with its folders."""
        file = self.path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def commit(
        self,
        files: dict[str, str | bytes | None] | None = None,
        message: str = "change",
        *,
        env: dict[str, str] | None = None,
    ) -> str:
        """Write files (None deletes one), commit everything, and return the commit id."""
        for path, content in (files or {}).items():
            if content is None:
                (self.path / path).unlink()
            else:
                self.write(path, content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message, env=env)
        self.commits += 1
        return self.head()

    def head(self) -> str:
        """The id of the commit that is checked out."""
        return self.git("rev-parse", "HEAD").strip()


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder with nothing in it."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def clean_environment(empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration of whoever runs the tests reaches git; what a test does to GIT_* is undone after it."""
    for name in [name for name in os.environ if name.startswith("GIT_") and not name.startswith("GIT_PYTHON_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(empty_home))
    monkeypatch.setenv("USERPROFILE", str(empty_home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(empty_home / ".config"))


@pytest.fixture
def make_repo(tmp_path: Path) -> Callable[..., GitRepo]:
    """A function that makes a repository with a branch ``main`` and no commit: ``make_repo(name="repo", *options)``."""

    def make(name: str = "repo", *options: str) -> GitRepo:
        path = tmp_path / name
        path.mkdir(parents=True)
        repo = GitRepo(path)
        repo.git("init", "--quiet", "--initial-branch=main", "--template=", *options)
        return repo

    return make


@pytest.fixture
def repo(make_repo: Callable[..., GitRepo]) -> GitRepo:
    """One empty repository with a branch ``main``."""
    return make_repo()
