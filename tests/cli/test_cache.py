"""``gate cache``: built, shown, cleared."""

import pytest
from typer.testing import CliRunner

from gatecli.cli.main import app
from tests.conftest import GitRepo


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["cache", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_build_info_clear(repo: GitRepo) -> None:
    repo.commit({"a.py": "def f(): ...\n", "b.py": "f()\n", "c.txt": "f"}, "first")
    assert run("build", "--repo", str(repo.path)) == "2 Python files, 2 of them new\n"
    assert run("build", "--repo", str(repo.path)) == "2 Python files, 0 of them new\n"
    assert "2 files of code" in run("info")
    assert run("clear").endswith("MB freed\n")
    assert "0 files of code" in run("info")


def test_a_repository_without_a_commit(repo: GitRepo) -> None:
    from gatecli.errors import UsageError

    with pytest.raises(UsageError, match="no commit yet"):
        CliRunner().invoke(app, ["cache", "build", "--repo", str(repo.path)], catch_exceptions=False)
