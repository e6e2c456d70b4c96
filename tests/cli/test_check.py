"""``gate check`` as users run it: exit codes, where output goes, and what bad input answers."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path

import pytest

from gatecli.cli.main import run
from tests.conftest import GitRepo

SAFE = "def price(items):\n    return sum(items)\n"
SLOWER = "import time\n\n\nasync def price(items):\n    time.sleep(1)\n    return sum(items)\n"
SETTINGS = "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n    operations = [{}]\n"
DROP = SETTINGS.format('migrations.DeleteModel(name="Order")')


@pytest.fixture
def shop(repo: GitRepo, monkeypatch: pytest.MonkeyPatch) -> GitRepo:
    """A repository with one function on main, and the process inside it."""
    repo.commit({"shop/pricing.py": SAFE, "README.md": "shop\n"})
    repo.git("checkout", "-q", "-b", "topic")
    monkeypatch.chdir(repo.path)
    return repo


def gate(*arguments: str) -> int:
    return run(["check", *arguments])


# --------------------------------------------------------------------------- exit codes


def test_a_pass_exits_0_and_prints_only_the_report(shop: GitRepo, capfd: pytest.CaptureFixture[str]) -> None:
    shop.commit({"README.md": "a shop\n"})
    assert gate("main") == 0
    out, err = capfd.readouterr()
    assert out.lstrip().startswith("PASS")
    assert err == ""


def test_an_empty_change_passes_and_says_so(shop: GitRepo, capfd: pytest.CaptureFixture[str]) -> None:
    assert gate() == 0
    assert "nothing changed" in capfd.readouterr().out


def test_a_dropped_table_exits_1(shop: GitRepo, capfd: pytest.CaptureFixture[str]) -> None:
    shop.commit({"shop/migrations/0002_drop.py": DROP})
    assert gate("main") == 1
    assert capfd.readouterr().out.lstrip().startswith("BLOCK")


def test_a_blocking_call_in_async_code_exits_3(shop: GitRepo, capfd: pytest.CaptureFixture[str]) -> None:
    shop.commit({"shop/pricing.py": SLOWER})
    assert gate("main") == 3
    assert capfd.readouterr().out.lstrip().startswith("REVIEW")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--mode", "advise"], 0),
        (["--fail-on", "never"], 0),
        (["--fail-on", "block"], 1),
        (["--mode", "enforce"], 1),
    ],
)
def test_mode_and_fail_on_decide_what_a_block_exits_with(shop: GitRepo, arguments: list[str], code: int) -> None:
    shop.commit({"shop/migrations/0002_drop.py": DROP})
    assert gate("main", *arguments) == code


def test_a_required_profile_that_is_missing_exits_4(make_repo: Callable[..., GitRepo]) -> None:
    repo = make_repo()
    repo.commit({".gate/policy.yml": "version: 1\nprofile: {required: true}\n", "a.py": SAFE})
    repo.git("checkout", "-q", "-b", "topic")
    repo.commit({"a.py": SAFE.replace("sum", "max")})
    assert gate("main", "--repo", str(repo.path)) == 4


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["no-such-branch"], "unknown revision: no-such-branch", "git fetch"),
        (["main", "--staged"], "exclude each other", "one of them"),
        (["--profile", "nowhere.json"], "no profile at nowhere.json", "gate profile import"),
        (["--policy", "nowhere.yml"], "nowhere.yml", "check the path"),
        (["--diff", "nowhere.patch"], "cannot read nowhere.patch", "check the path"),
        (["--report", "pdf"], "unknown report format: pdf", "terminal"),
        (["--report", "json", "--report", "markdown"], "both go to stdout", "json=gate.json"),
        (["--report", "json=no/such/folder/x.json"], "cannot write", "folder"),
        (["--approvals", "README.md", "main"], "README.md", ""),
        (["--repo", "/nonexistent-folder"], "is not a folder", "--repo"),
    ],
)
def test_wrong_usage_exits_2_and_says_what_to_do(
    shop: GitRepo, capfd: pytest.CaptureFixture[str], arguments: list[str], message: str, hint: str
) -> None:
    shop.commit({"README.md": "changed\n"})
    if "--approvals" in arguments:
        message = "approvals"
    assert gate(*arguments) == 2
    out, err = capfd.readouterr()
    assert out == "" or "--report" in arguments
    assert err.startswith("gate: ")
    assert message in err
    assert hint in err
    assert "Traceback" not in err


def test_an_unknown_option_exits_2(shop: GitRepo, capfd: pytest.CaptureFixture[str]) -> None:
    assert gate("--frobnicate") == 2
    assert "No such option" in capfd.readouterr().err


def test_outside_a_repository_says_so(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert gate("--repo", str(tmp_path)) == 2
    assert "not inside a git repository" in capfd.readouterr().err


def test_unrelated_histories_exit_4(shop: GitRepo, capfd: pytest.CaptureFixture[str]) -> None:
    shop.git("checkout", "-q", "--orphan", "island")
    shop.commit({"other.py": SAFE})
    assert gate("main...island") == 4
    assert "no merge base" in capfd.readouterr().err
    assert gate("main..island") in (0, 1, 3)


def test_the_policy_is_read_from_the_base_and_every_problem_named(
    make_repo: Callable[..., GitRepo], capfd: pytest.CaptureFixture[str]
) -> None:
    repo = make_repo()
    repo.commit({".gate/policy.yml": "version: 1\nmodes: advise\nbands: {review: many}\n", "a.py": SAFE})
    repo.git("checkout", "-q", "-b", "topic")
    repo.commit({".gate/policy.yml": "version: 1\n", "a.py": SAFE.replace("sum", "max")})
    assert gate("main", "--repo", str(repo.path)) == 2
    err = capfd.readouterr().err
    assert ".gate/policy.yml:2" in err
    assert "did you mean" in err
    assert "bands.review" in err


# --------------------------------------------------------------------------- patches


def test_a_patch_on_stdin_outside_a_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    patch = tmp_path / "change.patch"
    patch.write_text(
        "--- a/shop/pricing.py\n+++ b/shop/pricing.py\n@@ -1,2 +1,2 @@\n def price(items):\n-    return sum(items)\n"
        "+    return max(items)\n"
    )
    with patch.open("rb") as stream:
        monkeypatch.setattr(sys, "stdin", TextIOWrapper(stream))
        assert gate("--diff", "-", "--repo", str(tmp_path), "--report", "json") in (0, 3)
    document = json.loads(capfd.readouterr().out)
    assert [function["id"] for function in document["functions"]] == ["shop/pricing.py::price"]
    assert document["change"]["files"][0]["parse_status"] == "partial"


@pytest.mark.parametrize(
    ("patch", "code"),
    [
        (b"", 0),
        (b"not a patch\n", 2),
        (b"--- a/x.py\n+++ b/x.py\n@@ -1,3 +1,3 @@\n one\n", 4),
        (b"@@ -1 +1 @@\n-a\n+b\n", 4),
        (b"diff --cc x.py\n", 2),
        (b"--- a/x.py\n+++ b/x.py\n@@ -1 +99999999999 @@\n-a\n+b\n", 4),
        (b"\xff\xfe\x00\x00", 2),
    ],
)
def test_a_bad_patch_is_never_a_pass(tmp_path: Path, patch: bytes, code: int) -> None:
    file = tmp_path / "x.patch"
    file.write_bytes(patch)
    assert gate("--diff", str(file), "--repo", str(tmp_path)) == code


# --------------------------------------------------------------------------- streams


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from gatecli.cli.main import main; main()", *arguments]


def test_a_closed_pipe_keeps_the_verdict(shop: GitRepo) -> None:
    shop.commit({"shop/migrations/0002_drop.py": DROP})
    read, write = os.pipe()
    os.close(read)
    result = subprocess.run(
        command("check", "main", "--report", "json"), stdout=write, stderr=subprocess.PIPE, check=False, timeout=60
    )
    os.close(write)
    assert result.returncode == 1
    assert result.stderr == b""


@pytest.mark.skipif(os.name == "nt", reason="signals of a terminal")
def test_ctrl_c_exits_130_without_a_traceback(shop: GitRepo) -> None:
    process = subprocess.Popen(
        command("check", "--diff", "-"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # What runs in the background of a script is started deaf to it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdin is not None
    process.stdin.write(b"--- a/x\n" * 50_000)  # more than a pipe holds: once it is written, gate is reading
    process.stdin.flush()
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=600)
    assert process.returncode == 130
    assert b"Traceback" not in err


def test_hostile_paths_and_messages_are_inert(shop: GitRepo, capfd: pytest.CaptureFixture[str]) -> None:
    shop.commit(
        {"a\x1b[31m::error::.py": SAFE, "::set-output name=x::.py": SAFE, b"caf\xe9.py".decode("latin-1"): SAFE},
        "\x1b]0;owned\x07\n::error::owned",
    )
    for format in ("terminal", "json", "markdown"):
        gate("main", "--report", format, "--all")
        out = capfd.readouterr().out
        assert "\x1b" not in out
        assert not any(line.startswith("::") for line in out.splitlines())


def test_reports_are_written_whole_and_stdout_stays_empty(
    shop: GitRepo, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shop.commit({"shop/pricing.py": SLOWER})
    files = {format: tmp_path / f"report.{format}" for format in ("json", "markdown", "terminal")}
    reports = [argument for format, file in files.items() for argument in ("--report", f"{format}={file}")]
    assert gate("main", *reports) == 3
    assert capfd.readouterr().out == ""
    assert json.loads(files["json"].read_bytes())["exit_code"] == 3
    assert files["markdown"].read_text().startswith("<!-- gate-report -->")
    assert "REVIEW" in files["terminal"].read_text()
    assert sorted(tmp_path.glob(".report*")) == []


def test_staged_and_working_tree_are_judged(shop: GitRepo, capfd: pytest.CaptureFixture[str]) -> None:
    shop.write("shop/pricing.py", SLOWER)
    shop.git("add", "--all")
    shop.write("shop/untracked.py", SAFE)
    gate("--staged", "--report", "json")
    staged = json.loads(capfd.readouterr().out)
    assert [file["path"] for file in staged["change"]["files"]] == ["shop/pricing.py"]
    gate("--report", "json")
    worktree = json.loads(capfd.readouterr().out)
    assert [file["path"] for file in worktree["change"]["files"]] == ["shop/pricing.py", "shop/untracked.py"]
