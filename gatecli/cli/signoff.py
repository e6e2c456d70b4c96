"""``gate signoff``: what is required, what is met, what was not counted and why, and who can give the rest."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gatecli.model import Report

EPILOG = """\b
Examples:
  gate signoff origin/main...HEAD                        the tree of what is required
  gate signoff origin/main...HEAD --report markdown      for a comment
  gate signoff --report json | jq .tree
"""


class TreeFormat(StrEnum):
    """``--report``."""

    TERMINAL = "terminal"
    JSON = "json"
    MARKDOWN = "markdown"


Revisions = Annotated[
    str | None,
    typer.Argument(
        metavar="REVISIONS", help="BASE...HEAD, as in gate check; default: what is not on the default branch yet."
    ),
]
Approvals = Annotated[
    Path | None, typer.Option(metavar="FILE", help="GitHub's REST answers: {pull_request, reviews, commits}.")
]
Profile = Annotated[str | None, typer.Option(metavar="PATH_OR_URL", help="Runtime profile; default: the policy's.")]
Ledger = Annotated[
    Path | None, typer.Option(metavar="FILE", envvar="GATE_LEDGER", help="Record of decisions: read, not added to.")
]
Organisation = Annotated[
    Path | None,
    typer.Option(
        metavar="PATH", envvar="GATE_ORGANISATION", help="Policy laid over the repository's, which cannot weaken it."
    ),
]
Policy = Annotated[
    Path | None, typer.Option(metavar="PATH", help="Policy; default: .gate/policy.yml of the newest base.")
]
Format = Annotated[TreeFormat, typer.Option("--report", metavar="terminal|json|markdown", help="How to say it.")]
Repo = Annotated[Path, typer.Option(metavar="DIR", help="The repository.")]


def signoff(
    revisions: Revisions = None,
    policy: Policy = None,
    approvals: Approvals = None,
    profile: Profile = None,
    ledger: Ledger = None,
    organisation: Organisation = None,
    report: Format = TreeFormat.TERMINAL,
    repo: Repo = Path(),
) -> int:
    """Show what must happen before a change merges, how far that is, who can give the rest, and the command."""
    answer = judged(revisions, policy, approvals, profile, ledger, repo, organisation=organisation)
    show(answer, report)
    return answer.exit_code


def judged(
    revisions: str | None,
    policy: Path | None,
    approvals: Path | None,
    profile: str | None,
    ledger: Path | None,
    repo: Path,
    *,
    organisation: Path | None = None,
    supposed: tuple[str, ...] = (),
) -> "Report":
    """Judge a change; nothing is recorded."""
    from gatecli import pipeline
    from gatecli.cli.check import read_file

    origin = pipeline.open_source(repo, revisions=revisions)
    request = pipeline.Request(
        profile=profile,
        policy=policy,
        organisation=organisation,
        approvals=read_file(approvals),
        ledger=ledger,
        supposed=supposed,
    )
    return pipeline.judge(origin, request)


def show(answer: "Report", format: TreeFormat) -> None:
    """Print the tree."""
    from gatecli.reports import tree

    sys.stdout.write(tree.render(format.value, answer))
