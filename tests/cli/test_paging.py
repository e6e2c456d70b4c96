import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from gatecli.cli import paging

pytestmark = pytest.mark.skipif(os.name == "nt", reason="a pseudo-terminal needs POSIX")

SCRIPT = """
from gatecli.cli import paging
from tests.reports import sample
paging.show(sample.{name}(), show_all=True)
"""


def at_a_terminal(name: str, tmp_path: Path, **environment: str) -> tuple[str, bool]:
    """What a terminal of 24 lines gets, and whether it came by the pager."""
    import pty

    used = tmp_path / "pager-was-used"
    pager = tmp_path / "pager"
    pager.write_text(f"#!/bin/sh\ntouch {used}\ncat\n")
    pager.chmod(0o755)
    kept = {key: value for key, value in os.environ.items() if key not in ("CI", "NO_COLOR", "PAGER", "MANPAGER")}
    env = kept | {"PAGER": str(pager), "LINES": "24", "COLUMNS": "100", "TERM": "xterm-256color"} | environment
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", SCRIPT.format(name=name)]
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=env, cwd=root) as process:
        os.close(theirs)
        written = b""
        while True:
            try:
                piece = os.read(ours, 65_536)
            except OSError:  # Linux says so where the other end is closed
                break
            if not piece:
                break
            written += piece
        assert process.wait(60) == 0, written.decode()
    os.close(ours)
    return written.decode(), used.exists()


@pytest.mark.skipif(shutil.which("sh") is None, reason="needs a shell for the pager")
@pytest.mark.parametrize(
    ("name", "environment", "paged"),
    [
        ("review", {}, True),
        ("empty", {}, False),
        ("review", {"CI": "true"}, False),
        ("review", {"LINES": "500"}, False),
    ],
)
def test_a_long_report_at_a_terminal_is_paged(
    name: str, environment: dict[str, str], paged: bool, tmp_path: Path
) -> None:
    written, used = at_a_terminal(name, tmp_path, **environment)
    assert used is paged
    assert "head a71b0d4" in written
    assert "\x1b[" in written, "colours go through the pager"


def test_a_pipe_is_never_paged() -> None:
    assert not paging.pages(Console(file=io.StringIO(), force_terminal=True), {})
    command = [sys.executable, "-c", SCRIPT.format(name="review")]
    environment = os.environ | {"PAGER": "false"}
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(command, capture_output=True, env=environment, cwd=root, check=True)
    assert b" REVIEW  4 of 11 functions matter" in done.stdout
    assert b"\x1b" not in done.stdout
