"""``gate profile record -- CMD``: run a command with the sensor in it, and make the profile of what it did."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from gatecli.cli.profile_summary import print_summary

RECORD_EPILOG = """\b
From Python 3.12 on a sensor listens inside the program; on older versions py-spy samples it from outside.
The exit code is the command's. Without gate beside it: GATE_RECORD=FILE python -m shop, where gate is installed.

\b
Examples:
  gate profile record -- python -m shop
  gate profile record --duty 1 -- pytest -q
  gate profile record -o night.json.gz -- gunicorn shop.web:app
"""


def record(
    command: Annotated[list[str], typer.Argument(metavar="COMMAND", help="What to run, behind --.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Default: .gate/profile.json.gz.")
    ] = None,
    duty: Annotated[
        float, typer.Option(metavar="PART", min=0, max=1, help="Part of the time in which calls are counted.")
    ] = 0.05,
    environment: Annotated[str | None, typer.Option(metavar="NAME", help="Where it runs, such as production.")] = None,
    repo: Annotated[Path, typer.Option(metavar="DIR", help="The repository.")] = Path(),
) -> None:
    """Run a command and record which functions of the repository it calls, how often, and with what errors."""
    from gatecli import pipeline
    from gatecli.runtime.profile import save

    code, profile = pipeline.record_profile(command, directory=repo, duty=duty, environment=environment)
    target = output or pipeline.default_profile(repo)
    save(profile, target)
    print_summary(profile, target, sys.stderr)
    raise typer.Exit(code)
