"""``gate approve``: sign a change with one's own key, after looking at its risks."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gatecli.cli.signoff import Organisation
from gatecli.errors import UsageError

if TYPE_CHECKING:
    from gatecli.model import Counted, Finding, Report
    from gatecli.sources.source import Source

EPILOG = """\b
Examples:
  gate approve origin/main...HEAD                       show the risks, ask about each, sign
  gate approve origin/main...HEAD --acknowledge M02-1f3a9c2e --key ~/.ssh/id_ed25519
  gate approve origin/main...HEAD --verdict object      say no: it stands until you say otherwise
  git push origin refs/notes/gate-approvals             let the others have it
"""


class VerdictOption(StrEnum):
    """``--verdict``."""

    APPROVE = "approve"
    OBJECT = "object"
    WITHDRAW = "withdraw"


def approve(
    revisions: Annotated[
        str | None, typer.Argument(help="BASE...HEAD, as in gate check; default: the default branch to HEAD.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="SSH key to sign with; default: git's user.signingKey.")
    ] = None,
    principal: Annotated[
        str | None,
        typer.Option("--as", metavar="NAME", help="Who you are in the list of keys; default: git's user.email."),
    ] = None,
    acknowledge: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="A finding that you looked at, by its id; repeatable.")
    ] = None,
    verdict: Annotated[
        VerdictOption, typer.Option(metavar="approve|object|withdraw", help="What you say of it.")
    ] = VerdictOption.APPROVE,
    profile: Annotated[
        str | None, typer.Option(metavar="PATH_OR_URL", help="Runtime profile; default: the policy's.")
    ] = None,
    organisation: Organisation = None,
    repo: Annotated[Path, typer.Option(metavar="DIR", help="The repository.")] = Path(),
) -> None:
    """Sign a change with your SSH key: bound to its content, its base and the policy, kept as a git note."""
    from gatecli import pipeline
    from gatecli.cli.signing import default_branch, setting, signing_key
    from gatecli.model import SourceKind
    from gatecli.reports.text import plain
    from gatecli.sources.git import Repository

    repository = Repository.open(repo)
    range = revisions or f"{default_branch(repository)}...HEAD"
    origin = pipeline.open_source(repo, revisions=range)
    if origin.change.kind is not SourceKind.RANGE or not origin.change.files:
        raise UsageError(f"{range} changes nothing: there is nothing to sign", "name the change: BASE...HEAD")
    signer, private = principal or setting(repository, "user.email", "--as NAME"), key or signing_key(repository)
    request = pipeline.Request(profile=profile, organisation=organisation)
    report = pipeline.judge(origin, request)
    named = _looked_at(report, acknowledge or [], verdict)
    at = _sign(origin, report, signer, private, named, verdict.value)
    said = pipeline.said_of(origin, request, report)
    sys.stdout.write(plain(_outcome(said, signer, at, verdict, report)) + "\n")
    sys.stdout.write("share it:  git push origin refs/notes/gate-approvals\n")


def _looked_at(report: "Report", acknowledged: list[str], verdict: VerdictOption) -> "list[Finding]":
    """Nobody has to have looked at a risk to say no."""
    from gatecli.cli.signing import looked_at

    files, digest = len(report.case.change.files), report.case.change.digest[:12]
    if verdict is not VerdictOption.APPROVE:
        return []
    return looked_at(
        report, acknowledged, command="gate approve", question=f"sign these {files:,} files, sha256 {digest}?"
    )


def _sign(
    origin: "Source",
    report: "Report",
    signer: str,
    key: Path,
    named: "list[Finding]",
    verdict: Literal["approve", "object", "withdraw"],
) -> int:
    """Sign and keep it. Returns when."""
    from gatecli.cli.signing import keep
    from gatecli.policy.approvals import signed
    from gatecli.sources import signatures
    from gatecli.sources.standing import standing

    change, repository = origin.change, origin.repository
    assert repository is not None, "a range is of a repository"
    statement = signed.make(
        change,
        standing(repository, change, origin.asked),
        by=signer,
        at=report.generated_at,
        policy=report.policy.sha256,
        acknowledged=(one.fingerprint for one in named),
        verdict=verdict,
    )
    line = signed.line(statement, signatures.sign(statement, key))
    keep(repository, signed.REF, change, line, anchor_text=signed.anchor_text(change.digest), signer=signer)
    return report.generated_at


def _outcome(said: "Counted", signer: str, at: int, verdict: VerdictOption, report: "Report") -> str:
    """Whether it counts, in one sentence."""
    digest = report.case.change.digest[:12]
    if verdict is not VerdictOption.APPROVE:
        return f"signed: {signer} says {verdict.value} of {digest}"
    if any(one.person == signer and one.at == at for one in said.approvals):
        return f"signed: the approval of {signer} counts for {digest}"
    why = next((one.reason for one in said.dismissed if one.by == signer), "it was not found again")
    return f"signed, but it does not count: {why}"
