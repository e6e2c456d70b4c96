"""The walk through docs/sign-off.md, run as it stands there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.policy.shop import needs_ssh

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
        "exit 3: her own word does not count",
        "signed: the approval of ravi@shop.example counts for …",
        "exit 0: signed",
    ]
