"""Runs the steps of ``action.yml`` as GitHub's runner would: each script under bash, with the documented environment.

https://docs.github.com/en/actions/reference/workflows-and-actions/variables
"""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.github.fake import SLUG, TOKEN, FakeGitHub

ROOT = Path(__file__).resolve().parents[2]
ACTION = ROOT / "action.yml"
_EXPRESSION = re.compile(r"\$\{\{\s*([\w.-]+)\s*\}\}")
_COMMAND = re.compile(r"^\s*::(?P<name>[\w-]+)")
SAFE = "async def price(items):\n    return sum(items)\n"
SLOWER = "import time\n\n\nasync def price(items):\n    time.sleep(1)\n    return sum(items)\n"
TIMEOUT_S = 600  # a step that hangs, not one that is slow on a busy machine

# What `pip install` would have put there, but that nothing waits.
_GATE = """#!{python} -I
import sys, time
time.sleep = lambda seconds: None
sys.path.insert(0, {root!r})
from gatecli.cli.main import main
main()
"""


@dataclass
class Result:
    """How a job ended: ``code`` of the first step that failed, or 0."""

    code: int
    outputs: dict[str, str]
    log: str
    errors: str
    summary: str

    @property
    def commands(self) -> set[str]:
        """The workflow commands that the runner would obey."""
        return {found["name"] for line in self.log.splitlines() if (found := _COMMAND.match(line))}


@dataclass
class Job:
    """A job with one step, the action: where it runs, what triggered it and what the action is given."""

    home: Path
    server: Path
    github: FakeGitHub
    event: dict[str, Any]
    inputs: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    workspace: Path = field(init=False)
    temp: Path = field(init=False)

    def __post_init__(self) -> None:
        """Make the folders of a fresh runner."""
        self.workspace, self.temp = self.home / "work", self.home / "temp"
        self.workspace.mkdir(parents=True)
        self.temp.mkdir()

    def install(self) -> None:
        """Put gate where the first step would have installed it."""
        venv = self.temp / f"gate-venv-{ROOT.name}"
        (venv / "bin").mkdir(parents=True, exist_ok=True)
        program = venv / "bin" / "gate"
        program.write_text(_GATE.format(python=sys.executable, root=str(ROOT)))
        program.chmod(0o755)
        (venv / "installed").write_text("bin\n")

    def run(self) -> Result:
        """Run every step that has a script, in order, until one fails."""
        action = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
        unknown = set(self.inputs) - set(action["inputs"])
        assert not unknown, unknown
        values = {"github.token": TOKEN, "runner.temp": str(self.temp)}
        for name, one in action["inputs"].items():
            values[f"inputs.{name}"] = self.inputs.get(name, self._expand(one["default"], values))
        log, errors, code = "", "", 0
        summary = self.home / "summary"
        summary.write_text("")
        for number, step in enumerate(action["runs"]["steps"]):
            if "run" not in step:
                continue
            assert step["shell"] == "bash"
            found, code = self._step(number, step, values, summary)
            log, errors = log + found.stdout, errors + found.stderr
            if code:
                break
        outputs = {name: self._expand(one["value"], values) for name, one in action["outputs"].items()}
        return Result(code=code, outputs=outputs, log=log, errors=errors, summary=summary.read_text(encoding="utf-8"))

    def _step(
        self, number: int, step: dict[str, Any], values: dict[str, str], summary: Path
    ) -> "tuple[subprocess.CompletedProcess[str], int]":
        script, output = self.home / f"step-{number}.sh", self.home / f"output-{number}"
        script.write_text(step["run"], encoding="utf-8")
        output.write_text("")
        extra = {name: self._expand(value, values) for name, value in step.get("env", {}).items()}
        found = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.workspace,
            env=self._environment(output, summary) | extra,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=TIMEOUT_S,
            check=False,
        )
        if "id" in step:
            for line in output.read_text(encoding="utf-8").splitlines():
                name, separator, value = line.partition("=")
                assert separator, f"the runner would fail on this output: {line!r}"
                values[f"steps.{step['id']}.outputs.{name}"] = value
        return found, found.returncode

    def _expand(self, text: str, values: dict[str, str]) -> str:
        """Outputs that no step has set are empty, as GitHub has them; anything else has to exist."""

        def value(match: re.Match[str]) -> str:
            name = match[1]
            assert name in values or name.startswith("steps."), name
            return values.get(name, "")

        return _EXPRESSION.sub(value, text)

    def _environment(self, output: Path, summary: Path) -> dict[str, str]:
        event = self.home / "event.json"
        event.write_text(json.dumps(self.event), encoding="utf-8")
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "CI": "true",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_API_URL": self.github.url,
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_REPOSITORY": SLUG,
            "GITHUB_RUN_ID": "77",
            "GITHUB_SERVER_URL": self.server.as_uri(),
            "GITHUB_STEP_SUMMARY": str(summary),
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_ARCH": "X64",
            "RUNNER_OS": "Linux",
            "RUNNER_TEMP": str(self.temp),
            **self.environment,
        }


def statuses(fake: FakeGitHub) -> list[tuple[str, str]]:
    return [(one["state"], one["description"]) for one in reversed(fake.statuses)]


def ended(job: Job, code: int) -> Result:
    """Run it; whatever happens, the token is nowhere and the runner is given no command but annotations."""
    result = job.run()
    shown = result.log + result.errors + result.summary
    assert result.code == code, shown
    assert TOKEN not in shown
    assert "Traceback" not in shown
    assert result.commands <= {"error", "warning", "notice"}
    assert not list(job.home.rglob("pwned"))
    return result
