"""What comes from npm and from the system for checking reports; a test that needs one is skipped where it is missing.

``npm ci --prefix tests/node`` puts it there; ``GATE_NODE_MODULES`` names another folder of packages.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[1] / "node"
MODULES = Path(os.environ.get("GATE_NODE_MODULES") or SCRIPTS / "node_modules").resolve()


def package_file(path: str) -> Path:
    """A file of an installed package."""
    file = MODULES / path
    if not file.is_file():
        pytest.skip(f"{path} is not installed: npm ci --prefix tests/node")
    return file


def program(*names: str) -> str:
    """The first of the programs that is installed."""
    for name in names:
        if found := shutil.which(name):
            return found
    pytest.skip(f"{' or '.join(names)} is not installed")


def run(script: str, *arguments: str | Path, stdin: str = "") -> str:
    """What a script of ``tests/node`` prints; its first argument is the folder of packages."""
    command = [program("node"), str(SCRIPTS / script), str(MODULES), *map(str, arguments)]
    done = subprocess.run(
        command, input=stdin, capture_output=True, encoding="utf-8", timeout=300, check=False, cwd=MODULES.parent
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
