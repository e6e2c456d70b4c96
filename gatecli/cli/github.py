"""``gate github``: what a pull request says, and what gate says on it."""

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatecli.errors import EXIT_INCOMPLETE, EXIT_PASS, UsageError

if TYPE_CHECKING:
    from gatecli.reports.judgement import Judgement
    from gatecli.sources.github import GitHub

_EPILOG = """\b
Environment, as GitHub Actions sets it: GITHUB_REPOSITORY, GITHUB_API_URL, GITHUB_EVENT_PATH, GITHUB_SERVER_URL and
GITHUB_RUN_ID. The token is GITHUB_TOKEN (else GH_TOKEN); without one, public repositories can be read.
"""

_WORKFLOWS = """\b
Workflows:
  pull-request   judge every pull request, and again after a review (the default)
  code-scanning  the same, with the findings in code scanning and the reports kept
  forks          a second one beside it, which may write on pull requests from forks
  again          every hour, for windows, freezes and cooling-off
  profile        a profile of production every night

\b
Examples:
  gate github workflow > .github/workflows/gate.yml
  gate github workflow forks > .github/workflows/gate-forks.yml
  gate github workflow --action acme/gate@0123456789abcdef0123456789abcdef01234567
"""

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, epilog=_EPILOG)

Number = Annotated[int, typer.Argument(metavar="PULL", min=1, help="Number of the pull request.")]
Repository = Annotated[
    str | None, typer.Option("--repository", metavar="OWNER/NAME", help="Default: GITHUB_REPOSITORY.")
]


class CommentOption(StrEnum):
    """``--comment``."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class WorkflowOption(StrEnum):
    """``gate github workflow NAME``: those of ``gatecli.reports.workflows``, whose import would slow every command."""

    PULL_REQUEST = "pull-request"
    CODE_SCANNING = "code-scanning"
    FORKS = "forks"
    AGAIN = "again"
    PROFILE = "profile"


@app.command("locate")
def locate(
    pull: Annotated[
        int | None, typer.Option("--pull", metavar="NUMBER", min=1, help="The pull request; default: the event's.")
    ] = None,
    event: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The event of a workflow; default: GITHUB_EVENT_PATH.")
    ] = None,
    repository: Repository = None,
) -> None:
    """Print which pull request a run is about and which commits to judge, one NAME=VALUE a line."""
    from gatecli.sources import github_event

    path = event or (Path(os.environ["GITHUB_EVENT_PATH"]) if os.environ.get("GITHUB_EVENT_PATH") else None)
    about = github_event.Event() if path is None else github_event.read_event(_read(path))
    target = github_event.locate(_connect(repository), about, number=pull, warn=_say)
    for name, value in (
        ("number", target.number),
        ("base", target.base),
        ("base-branch", target.base_branch),
        ("head", target.head),
        ("branch", target.branch or "head"),
        ("commit", target.commit),
    ):
        sys.stdout.write(f"{name}={value}\n")


@app.command("approvals")
def approvals(pull: Number, repository: Repository = None) -> None:
    """Print what `gate check --approvals FILE` reads: GitHub's answers on a pull request and its reviews."""
    import json

    answers, missing = _connect(repository).answers(pull)
    if missing is not None:
        _say(missing)
    sys.stdout.write(json.dumps(answers) + "\n")


@app.command("artifact")
def artifact(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The artifact's name.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where its one file goes.")],
    repository: Repository = None,
) -> None:
    """Fetch the one file of the newest artifact of that name that the default branch made, such as a profile."""
    from gatecli.sources import github_artifact

    content = github_artifact.newest_file(_connect(repository), name)
    partial = output.with_name(f"{output.name}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(output)
    except OSError as error:
        raise UsageError(f"cannot write {output}: {error.strerror}", "check the path") from error


@app.command("outputs")
def outputs(report: Annotated[Path, typer.Argument(metavar="REPORT", help="A JSON report.")]) -> None:
    """Print the outputs of the action from a JSON report, one NAME=VALUE a line."""
    from gatecli.reports.judgement import read_document

    document = read_document(_read(report))
    for name, value in (
        ("verdict", document.verdict.decision),
        ("outcome", document.verdict.outcome),
        ("score", document.score.total),
        ("sign-off", document.signoff.status),
    ):
        sys.stdout.write(f"{name}={value}\n")


@app.command("publish")
def publish(
    pull: Number,
    report: Annotated[Path, typer.Option(metavar="FILE", help="The JSON report; if there is none, that is said.")],
    markdown: Annotated[Path, typer.Option(metavar="FILE", help="The Markdown report of the same run.")],
    head: Annotated[str, typer.Option(metavar="COMMIT", help="The commit that was to be judged.")],
    base: Annotated[
        str | None, typer.Option(metavar="BRANCH", help="The branch it was judged for; default: not compared.")
    ] = None,
    commit: Annotated[
        str | None, typer.Option(metavar="COMMIT", help="Gets the status; default: --head (a merge queue has its own).")
    ] = None,
    comment: Annotated[
        CommentOption, typer.Option(help="auto: none is begun for a pass, and one that is there is kept up to date.")
    ] = CommentOption.AUTO,
    status: Annotated[bool, typer.Option("--status/--no-status", help="Set the commit status.")] = True,
    request_reviewers: Annotated[
        bool, typer.Option("--request-reviewers/--no-request-reviewers", help="Ask who can give a missing sign-off.")
    ] = False,
    label: Annotated[
        bool, typer.Option("--label/--no-label", help="Keep one label: gate: pass, review or block.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be written. So it is without a token.")
    ] = False,
    repository: Repository = None,
) -> int:
    """Bring a pull request up to date with a report: comment, status, reviewers, label."""
    from gatecli.reports import publishing

    judged = _judged(report, markdown, head)
    done = publishing.publish(
        _connect(repository),
        publishing.Place(number=pull, base=base, commit=commit or judged.head, link=_link()),
        judged,
        publishing.Wanted(
            comment=publishing.Commenting(comment.value), status=status, reviewers=request_reviewers, label=label
        ),
        say=_say,
        dry_run=dry_run,
    )
    return EXIT_PASS if done else EXIT_INCOMPLETE


@app.command("workflow", epilog=_WORKFLOWS)
def workflow(
    name: Annotated[WorkflowOption, typer.Argument(metavar="NAME", help="Which one; the names are below.")] = (
        WorkflowOption.PULL_REQUEST
    ),
    action: Annotated[
        str | None,
        typer.Option(metavar="OWNER/REPO@COMMIT", help="The action; default: where this gate was installed from."),
    ] = None,
) -> None:
    """Print a workflow that is ready for .github/workflows, with the action pinned by its full hash."""
    from gatecli.reports.workflows import FILES, Workflow, render
    from gatecli.sources import installation

    server = os.environ.get("GITHUB_SERVER_URL", installation.SERVER).rstrip("/")
    found = installation.installed(server=server) if action is None else installation.named(action, server=server)
    for doubt in found.doubts:
        _say(doubt)
    wanted = Workflow(name.value)
    sys.stdout.write(render(wanted, server=found.server, repository=found.repository, commit=found.commit))
    _say(
        f"for .github/workflows/{FILES[wanted]} on the default branch; the action is {found.repository}@{found.commit}"
    )
    if wanted is Workflow.PROFILE:
        _say("yours to fill in: the engine and its address, the service, and the secret that holds its token")


def _judged(report: Path, markdown: Path, head: str) -> "Judgement":
    """The report, or that there is none: then no earlier answer may stand."""
    from gatecli.reports.judgement import failure, judgement, read_document

    try:
        found = judgement(read_document(_read(report)), _read(markdown).decode("utf-8", "replace"))
    except UsageError as error:
        _say(error.message)
        return failure(head)
    if found.head != head:
        _say(f"the report is of {found.head[:12]}, not of {head[:12]}")
        return failure(head)
    return found


def _connect(repository: str | None) -> "GitHub":
    from gatecli.sources import github

    return github.connect(os.environ, repository=repository)


def _link() -> str | None:
    """Where this run can be read, if it is one."""
    import re

    server, slug, run = (os.environ.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID"))
    url = f"{server}/{slug}/actions/runs/{run}"
    return url if re.fullmatch(r"https?://[\w.:-]+/[\w.-]+/[\w.-]+/actions/runs/\d+", url, re.ASCII) else None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", "check the path") from error


def _say(text: str) -> None:
    from gatecli.reports.text import plain

    sys.stderr.write(f"gate: {plain(text)}\n")
