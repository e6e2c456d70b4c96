"""``gate context``: what to know before touching a function."""

import sys
from pathlib import Path
from typing import Annotated

import typer

EPILOG = """\b
Examples:
  gate context shop/pricing.py::price_order     one function
  gate context shop/pricing.py                  every function of a file
  gate context shop/pricing.py --json           for a program
"""


def context(
    target: Annotated[
        str, typer.Argument(metavar="PATH[::QUALNAME]", help="From the root of the repository; all of it, or one.")
    ],
    profile: Annotated[
        str | None, typer.Option(metavar="PATH_OR_URL", help="Runtime profile; default: the policy's.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Schema gate-context/1.")] = False,
    repo: Annotated[Path, typer.Option(metavar="DIR", help="The repository.")] = Path(),
) -> None:
    """What is known of a function: traffic, entry points, callers, callees, tests, owners, history."""
    from gatecli.agents.context import look_up, to_json, to_text
    from gatecli.pipeline import Request

    request = Request(profile=profile)
    found = look_up(repo, target, request)
    sys.stdout.write(to_json(found).decode() if as_json else to_text(found, request.now))
