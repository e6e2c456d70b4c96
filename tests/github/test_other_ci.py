"""The shell lines of the GitLab and Jenkins recipes, run for real: under sh, with what each server sets.

https://docs.gitlab.com/ci/variables/predefined_variables/
https://www.jenkins.io/doc/book/pipeline/multibranch/#additional-environment-variables
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from tests.conftest import GitRepo

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "github.md").read_text(encoding="utf-8")
SAFE = "async def price(items):\n    return sum(items)\n"
SLOWER = "import time\n\n\nasync def price(items):\n    time.sleep(1)\n    return sum(items)\n"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the recipes run under sh")


def gitlab() -> list[str]:
    (text,) = re.findall(r"^## GitLab CI\n\n```yaml\n(.*?)^```$", PAGE, re.M | re.S)
    lines: list[str] = yaml.safe_load(text)["gate"]["script"]
    return lines


def jenkins() -> list[str]:
    """The scripts of its ``sh`` steps, as Groovy reads them: in ''' a backslash before a line end joins the lines."""
    (text,) = re.findall(r"^## Jenkins\n\n```groovy\n(.*?)^```$", PAGE, re.M | re.S)
    found = re.findall(r"sh(?: '|\(returnStatus: true, script: ''')(.*?)(?:'''\)|'$)", text, re.M | re.S)
    return [re.sub(r"\\\n *", "", line) for line in found]


@pytest.fixture
def checkout(make_repo: Callable[..., GitRepo], tmp_path: Path) -> Callable[..., Path]:
    """A server with a branch and its target, and a clone of the branch as a runner has it."""

    def call(*options: str, target: str = "main", branch: str = "topic", content: str = SLOWER) -> Path:
        remote = make_repo("server")
        remote.commit({"shop/pricing.py": SAFE})
        if target != "main":
            remote.git("branch", "-m", target)
        remote.git("checkout", "-q", "-b", branch)
        remote.commit({"shop/pricing.py": content})
        folder = tmp_path / "work"
        remote.git("clone", "-q", *options, "--branch", branch, remote.path.as_uri(), str(folder))
        return folder

    return call


def run(lines: list[str], folder: Path, tmp_path: Path, **environment: str) -> int:
    """The exit code of the first line that fails. ``pip install`` is left out: gate is this one."""
    tools = tmp_path / "tools"
    tools.mkdir()
    gate = f'#!/bin/sh\nexec "{sys.executable}" -c "from gatecli.cli.main import main; main()" "$@"\n'
    for place in (tools / "gate", folder / ".gate-venv" / "bin" / "gate"):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(gate)
        place.chmod(0o755)
    env = {
        "PATH": f"{tools}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "CI": "true",
        "LANG": "C.UTF-8",
        **environment,
    }
    env |= {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
    for line in lines:
        if "pip install" in line:
            continue
        command = ["sh", "-e", "-c", line]
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr
        if done.returncode:
            assert done.returncode == 3, done.stdout + done.stderr
            return done.returncode
    return 0


TARGETS = ["release/2.0", "$(touch${IFS}pwned)"]


@pytest.mark.parametrize("target", TARGETS)
def test_gitlab_s_lines_judge_a_merge_request(checkout: Callable[..., Path], tmp_path: Path, target: str) -> None:
    folder = checkout(target=target)
    assert len(gitlab()) == 3
    assert run(gitlab(), folder, tmp_path, CI_MERGE_REQUEST_TARGET_BRANCH_NAME=target) == 3
    issues = json.loads((folder / "gl-code-quality-report.json").read_text())
    (issue,) = (one for one in issues if one["severity"] == "major")
    assert issue["location"]["path"] == "shop/pricing.py"
    assert ElementTree.parse(folder / "gate.xml").getroot().attrib["failures"] != "0"
    assert (folder / "gate.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert not list(tmp_path.rglob("pwned"))


@pytest.mark.parametrize("target", TARGETS)
def test_jenkins_lines_judge_a_change_request_also_in_a_shallow_clone(
    checkout: Callable[..., Path], tmp_path: Path, target: str
) -> None:
    folder = checkout("--depth=1", "--no-single-branch", target=target)
    assert len(jenkins()) == 4
    assert run(jenkins(), folder, tmp_path, CHANGE_TARGET=target) == 3
    assert ElementTree.parse(folder / "gate.xml").getroot().attrib["failures"] != "0"
    assert (folder / "gate.html").is_file()
    assert not list(tmp_path.rglob("pwned"))


def test_a_change_that_passes_ends_well_on_both(checkout: Callable[..., Path], tmp_path: Path) -> None:
    folder = checkout(content=SAFE + "\n# said\n")
    assert run(gitlab(), folder, tmp_path, CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main") == 0
    assert json.loads((folder / "gl-code-quality-report.json").read_text()) == []
