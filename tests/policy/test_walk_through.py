"""The walk through docs/sign-off.md, run as it stands there, and the tree of the demo from blocked to unblocked."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gatecli.cli.main import run
from gatecli.errors import EXIT_PASS, EXIT_REVIEW
from tests.conftest import GitRepo
from tests.policy.shop import DANA, RAVI, needs_ssh

PAGE = Path(__file__).parents[2] / "docs" / "sign-off.md"


@needs_ssh
@pytest.mark.skipif(shutil.which("bash") is None, reason="the walk-through is a shell script and there is no bash")
def test_every_line_runs_and_the_exit_codes_are_those_of_the_page(tmp_path: Path) -> None:
    found = re.search(r"<!-- walk-through -->\n```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    assert found is not None
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text("[user]\n  name = Ines Duarte\n  email = ines@shop.example\n")
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "HOME": str(home), "PATH": programs, "NO_COLOR": "1", "COLUMNS": "100"}
    command = ["bash", "-euc", found[1]]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    said = [line for line in done.stdout.splitlines() if line.startswith(("exit ", "signed"))]
    assert [re.sub(r"[0-9a-f]{12}", "…", line) for line in said] == [
        "exit 3: who has to sign, and why",
        "signed, but it does not count: prompted the agent",
        "exit 3: signed in vain",
        "exit 3: her own word does not count",
        "signed: the approval of ravi@shop.example counts for …",
        "exit 0: signed",
    ]


BY_AGENT = "senior signs the AI-written change"


@needs_ssh
def test_the_tree_of_the_demo_from_blocked_on_the_right_people_to_signed(tmp_path: Path, capfd) -> None:
    shop = tmp_path / "shop"
    assert run(["demo", "--into", str(shop)]) == 0
    keys = {name: _key(tmp_path, name) for name in (RAVI, DANA)}
    repo = GitRepo(shop)
    repo.git("switch", "--quiet", "main")
    listed = "".join(f'{name} namespaces="gate-approval" {_public(key)}\n' for name, key in keys.items())
    repo.commit({".gate/allowed_signers": listed}, "Who may sign")
    repo.git("switch", "--quiet", "claude/discounts-by-article")
    repo.git("rebase", "--quiet", "main")

    code, said = _signoff(shop, capfd)
    assert (code, said["status"]) == (EXIT_REVIEW, "outstanding")
    assert {one["status"] for one in said["tree"]} == {"unsatisfied"}
    (row,) = (one for one in said["tree"] if one["text"] == BY_AGENT)
    assert row["why"] == "claude wrote this change, and Dana Novak is not on the senior list"
    assert [one["person"] for one in row["who"]] == ["Mei Tanaka", "Ravi Menon"]  # Ines rebased it
    assert any("gate approve" in command for command in said["commands"])

    assert _approve(shop, DANA, keys[DANA], capfd) == EXIT_REVIEW
    code, said = _signoff(shop, capfd)
    assert (code, said["approvals"]) == (EXIT_REVIEW, [])
    assert [(one["by"], one["reason"]) for one in said["dismissed"]] == [(DANA, "prompted the agent")]

    assert _approve(shop, RAVI, keys[RAVI], capfd) == EXIT_PASS
    code, said = _signoff(shop, capfd)
    assert (code, said["status"]) == (EXIT_PASS, "satisfied")
    assert {one["status"] for one in said["tree"]} == {"satisfied"}
    assert [one["person"] for one in said["approvals"]] == [RAVI]
    assert [one["by"] for one in said["dismissed"]] == [DANA]
    assert run(["check", "main", "--repo", str(shop)]) == EXIT_PASS
    assert "ravi@shop.example" in capfd.readouterr().out

    repo.commit({"shop/pricing.py": repo.git("show", "HEAD:shop/pricing.py") + "\n# one line more\n"}, "One line more")
    code, said = _signoff(shop, capfd)
    assert (code, said["approvals"]) == (EXIT_REVIEW, [])


def _key(folder: Path, name: str) -> Path:
    path = folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)], check=True)
    return path


def _public(key: Path) -> str:
    return Path(f"{key}.pub").read_text(encoding="utf-8").strip()


def _signoff(shop: Path, capfd) -> tuple[int, dict]:
    capfd.readouterr()
    code = run(["signoff", "main...HEAD", "--repo", str(shop), "--report", "json"])
    return code, json.loads(capfd.readouterr().out)


def _approve(shop: Path, name: str, key: Path, capfd) -> int:
    """``gate approve``, acknowledging every finding that it asks for."""
    signer = ["--as", name, "--key", str(key), "--repo", str(shop)]
    run(["approve", "main...HEAD", *signer])
    asked = re.findall(r"--acknowledge ([A-Z]+\d+-[0-9a-f]{8})", capfd.readouterr().err)
    assert asked
    return run(["approve", "main...HEAD", *signer, *(f"--acknowledge={id}" for id in asked)])
