"""``gate`` with streams that are closed or full: the verdict stands, or a line says why there is none."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import GitRepo

GATE = f"{shlex.quote(sys.executable)} -c 'import sys; from gatecli.cli.main import main; main()'"


def shell(repo: GitRepo, line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["bash", "-c", line], cwd=repo.path, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def shop(repo: GitRepo) -> GitRepo:
    """A branch that drops a table: a block, whatever happens to the report."""
    repo.commit({"shop/migrations/0001_first.py": "x = 1\n"})
    repo.git("checkout", "-q", "-b", "topic")
    repo.commit({"shop/migrations/0002_drop.sql": "DROP TABLE orders;\n"})
    return repo


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_change_no_verdict(shop: GitRepo, closed: str) -> None:
    expected = shell(shop, f"{GATE} check main...topic")
    found = shell(shop, f"{GATE} check main...topic {closed}")
    assert expected.returncode not in (0, 2, 4), expected.stderr
    assert (found.returncode, found.stderr) == (expected.returncode, "")


@pytest.mark.parametrize("stdin", ["<&-", "</dev/null"])
def test_a_patch_from_nowhere_is_no_change_that_passes(shop: GitRepo, stdin: str) -> None:
    found = shell(shop, f"{GATE} check --diff - {stdin}")
    assert (found.returncode, found.stderr.split("\n")[0]) == (2, "gate: there is no patch on stdin")


def test_an_empty_pipe_says_that_nothing_changed(shop: GitRepo) -> None:
    found = shell(shop, f"true | {GATE} check --diff -")
    assert (found.returncode, "nothing changed" in found.stdout) == (0, True)


def test_an_error_with_no_stream_to_tell_it_still_fails(shop: GitRepo) -> None:
    assert shell(shop, f"{GATE} check no-such-branch 2>&-").returncode == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("line", ["check main...topic", "check main...topic --report json", "rules list", "--help"])
def test_a_full_disk_is_named_and_fails(shop: GitRepo, line: str) -> None:
    found = shell(shop, f"{GATE} {line} >/dev/full")
    assert found.returncode == 4
    assert found.stderr.startswith("gate: No space left on device")
    assert "internal error" not in found.stderr
    assert "Traceback" not in found.stderr
