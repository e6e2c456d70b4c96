"""The shell lines of README and of the page about reports, as a reader would paste them: each one runs.

In a clone of a repository whose branch has a finding, under ``sh``, with ``gate`` on the path.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from gatecli.reports import FORMATS
from tests.conftest import GitRepo

ROOT = Path(__file__).resolve().parents[2]
REPORTS = (ROOT / "docs" / "reports.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
SAFE = "async def price_order(items):\n    return sum(items)\n"
SLOWER = "import time\n\n\nasync def price_order(items):\n    time.sleep(1)\n    return sum(items)\n"

GATE = f'#!/bin/sh\nexec "{sys.executable}" -c "from gatecli.cli.main import main; main()" "$@"\n'
# The comment goes to a file: there is no pull request here.
GH = '#!/bin/sh\n[ "$*" = "pr comment --body-file -" ] && cat > "$HOME/comment.md"\n'

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the lines run under sh")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.M | re.S)


def lines(text: str) -> list[str]:
    return [line.partition("  #")[0].rstrip() for line in text.splitlines() if line.startswith(("gate ", "git "))]


def of_the_reports_page() -> list[str]:
    shell = [line for block in blocks(REPORTS, "sh") for line in lines(block)]
    return shell + [step["run"] for block in blocks(REPORTS, "yaml") for step in yaml.safe_load(block) if "run" in step]


def of_the_readme() -> list[str]:
    (use,) = (block for block in blocks(README, "sh") if "gate check --staged" in block)
    # What needs a recording, a commit that caused an incident, or a key of one's own has its own tests.
    return [line for line in lines(use) if not re.search(r"…|\bSHA\b|^gate approve", line)]


@pytest.fixture
def clone(make_repo: Callable[..., GitRepo], tmp_path: Path) -> Path:
    """The clone of a branch that is ahead of main, with something staged."""
    remote = make_repo("server")
    remote.commit({"shop/pricing.py": SAFE})
    remote.git("checkout", "-q", "-b", "topic")
    remote.commit({"shop/pricing.py": SLOWER})
    remote.git("checkout", "-q", "main")  # the clone takes it for the default branch
    folder = tmp_path / "clone"
    remote.git("clone", "-q", "--branch", "topic", remote.path.as_uri(), str(folder))
    (folder / "shop" / "cart.py").write_text("def empty():\n    return []\n")
    GitRepo(folder).git("add", "shop/cart.py")
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, text in (("gate", GATE), ("gh", GH)):
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    return folder


@pytest.mark.parametrize("line", dict.fromkeys([*of_the_reports_page(), *of_the_readme()]))
def test_every_line_runs_as_it_stands(line: str, clone: Path, tmp_path: Path) -> None:
    if "| jq " in line and shutil.which("jq") is None:
        pytest.skip("jq is not installed")
    environment = {
        "PATH": f"{tmp_path / 'tools'}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "LANG": "C.UTF-8",
        "GITHUB_BASE_REF": "main",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "step-summary.md"),
        **{name: os.environ[name] for name in ("PYTHONPATH", "XDG_CACHE_HOME") if name in os.environ},
    }
    if line.startswith("cat summary.md"):
        (clone / "summary.md").write_text("of the step before\n")
    ran = subprocess.run(["sh", "-c", line], cwd=clone, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode in (0, 3), ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr
    for name in [*re.findall(r"--report \w+=(\S+)", line), *re.findall(r"> (\w+\.html)$", line)]:
        assert (clone / name).stat().st_size > 0
    if "| gh " in line:
        assert "**gate: review**" in (tmp_path / "comment.md").read_text(encoding="utf-8")
    if "| jq " in line:
        assert ran.stdout.startswith("review\n")


def test_the_page_shows_every_format() -> None:
    shown = {found for line in of_the_reports_page() for found in re.findall(r"--report (\w+)", line)}
    assert shown == set(FORMATS)
