"""``gate policy``: start one, check it, see why it asks for what, try another one, and its schema for editors."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from gatecli.cli.signoff import (
    Approvals,
    Format,
    Ledger,
    Organisation,
    Policy,
    Profile,
    Repo,
    Revisions,
    TreeFormat,
    judged,
    show,
)
from gatecli.errors import EXIT_PASS, UsageError

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

EPILOG = """\b
Examples:
  gate policy init                                           write a first .gate/policy.yml
  gate policy validate                                       every mistake in it, with its line
  gate policy explain origin/main...HEAD                     which requirements apply to a change, and why
  gate policy simulate origin/main...HEAD --policy new.yml --approve ravi
  gate policy schema > .gate/policy.schema.json              for your editor
"""

_TEMPLATE = """\
# yaml-language-server: $schema=https://json-schema.org/draft/2020-12/schema
# What must happen before a change merges: `gate policy schema` has every key, `gate policy validate` every mistake.
# It is read from the newest commit of the base: a change cannot loosen the policy that judges it.
version: 1
mode: advise                 # off | shadow | advise | enforce: begin by looking at what it says

people:
  seniors: []                # addresses, names or logins

tiers:
  critical:
    any:
      - traffic_share: 0.05  # 5 % of production runs through what changes
      - destructive_schema: true

requirements:
  - name: a critical change has two people behind it
    if: {tier: critical}
    requires: [{count: 2, kind: human}, {role: senior}]
  - name: everything else    # a policy in which no requirement applies fails
"""


@app.command()
def init(repo: Repo = Path()) -> None:
    """Write a first policy, which only advises."""
    from gatecli.cli.check import write_file
    from gatecli.config import POLICY_PATH
    from gatecli.pipeline import root_of

    path = root_of(repo) / POLICY_PATH
    if path.exists():
        raise UsageError(f"{path} exists already", "gate policy validate reads it")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, _TEMPLATE)
    typer.echo(f"{path}: it advises; commit it to the default branch, and set mode: enforce when you trust it")


@app.command()
def validate(
    path: Annotated[Path | None, typer.Argument(metavar="PATH", help="Default: .gate/policy.yml here.")] = None,
    repo: Repo = Path(),
) -> None:
    """Read a policy, and the freezes beside it, and name every mistake with its line."""
    from gatecli.config import POLICY_PATH
    from gatecli.pipeline import root_of, validate_policy

    folder = root_of(repo)
    settings = validate_policy(folder, path or folder / POLICY_PATH)
    count = len(settings.requirements)
    typer.echo(f"valid: mode {settings.mode}, {count} requirement{'' if count == 1 else 's'} by name")


@app.command()
def explain(
    revisions: Revisions = None,
    policy: Policy = None,
    profile: Profile = None,
    ledger: Ledger = None,
    organisation: Organisation = None,
    report: Format = TreeFormat.TERMINAL,
    repo: Repo = Path(),
) -> int:
    """Show which requirements apply to a change and why, and which do not."""
    show(judged(revisions, policy, None, profile, ledger, repo, organisation=organisation), report)
    return EXIT_PASS


@app.command()
def simulate(
    revisions: Revisions = None,
    policy: Annotated[Path | None, typer.Option(metavar="PATH", help="The policy to try.")] = None,
    approve: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Somebody who is supposed to approve; repeatable.")
    ] = None,
    approvals: Approvals = None,
    profile: Profile = None,
    ledger: Ledger = None,
    organisation: Organisation = None,
    report: Format = TreeFormat.TERMINAL,
    repo: Repo = Path(),
) -> int:
    """Show what a policy would say of a change if some people approved it; it decides nothing."""
    sys.stderr.write("a simulation: nobody approved anything by it\n")
    people = tuple(approve or ())
    answer = judged(revisions, policy, approvals, profile, ledger, repo, organisation=organisation, supposed=people)
    show(answer, report)
    return EXIT_PASS


@app.command()
def schema() -> None:
    """Print the JSON Schema of the policy, for editors."""
    from gatecli.config.schema import schema as described

    sys.stdout.write(described())
