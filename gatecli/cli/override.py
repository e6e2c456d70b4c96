"""``gate override``: lift open requirements off one change in an emergency, signed, with a reason and an end."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatecli.cli.signoff import Approvals, Ledger, Organisation, Profile, Repo, Revisions
from gatecli.errors import UsageError

if TYPE_CHECKING:
    from gatecli.model import Counted, Finding, Report
    from gatecli.sources.source import Source

EPILOG = """\b
Examples:
  gate override origin/main...HEAD --reason "incident 42: orders fail" --for 4h
  gate override origin/main...HEAD --reason "incident 42" --requirement "change window" --key ~/.ssh/id_ed25519
  git push origin refs/notes/gate-overrides            let the others have it
"""


def override(
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; every report shows it.")],
    revisions: Revisions = None,
    until: Annotated[str, typer.Option("--for", metavar="WHEN", help="A length (3h) or a time with zone.")] = "4h",
    requirement: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="What to lift; repeatable; default: all that is open.")
    ] = None,
    acknowledge: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="A finding that you looked at, by its id; repeatable.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="SSH key to sign with; default: git's user.signingKey.")
    ] = None,
    principal: Annotated[
        str | None,
        typer.Option("--as", metavar="NAME", help="Who you are in the list of keys; default: git's user.email."),
    ] = None,
    approvals: Approvals = None,
    profile: Profile = None,
    ledger: Ledger = None,
    organisation: Organisation = None,
    repo: Repo = Path(),
) -> None:
    """Lift open requirements off this very content until a time. The policy says who may (override.signed_by)."""
    from gatecli import pipeline
    from gatecli.cli import signing
    from gatecli.cli.check import read_file
    from gatecli.model import SourceKind
    from gatecli.reports.text import plain
    from gatecli.sources.git import Repository

    if not reason.strip():
        raise UsageError("an override gives a reason", "such as --reason 'incident 42: orders fail'")
    repository = Repository.open(repo)
    range = revisions or f"{signing.default_branch(repository)}...HEAD"
    origin = pipeline.open_source(repo, revisions=range)
    if origin.change.kind is not SourceKind.RANGE or not origin.change.files:
        raise UsageError(f"{range} changes nothing: there is nothing to override", "name the change: BASE...HEAD")
    signer = principal or signing.setting(repository, "user.email", "--as NAME")
    private = key or signing.signing_key(repository)
    ends = signing.ending(until, what="an override")
    request = pipeline.Request(
        profile=profile, organisation=organisation, approvals=read_file(approvals), ledger=ledger
    )
    report = pipeline.judge(origin, request)
    lifted = _lifted(report, requirement or [])
    question = f"lift {', '.join(lifted)}?"
    findings = signing.looked_at(report, acknowledge or [], command="gate override", question=question)
    _sign(origin, report, signer, private, ends, reason, lifted, findings)
    said = pipeline.said_of(origin, request, report)
    sys.stdout.write(plain(_outcome(said, signer, report.generated_at, lifted, ends)) + "\n")
    sys.stdout.write("share it:  git push origin refs/notes/gate-overrides\n")


def _lifted(report: "Report", wanted: list[str]) -> tuple[str, ...]:
    """The open requirements that were named, by default all that an override can lift."""
    from gatecli.model import Mode, RequirementStatus
    from gatecli.policy.layers import ORGANISATION
    from gatecli.policy.pace import FREEZE

    tree = report.signoff.tree
    open_ = [one.text for one in tree if one.status is RequirementStatus.UNSATISFIED and one.mode is Mode.ENFORCE]
    names = dict.fromkeys(name.removeprefix(ORGANISATION) for name in open_)
    can = [name for name in names if not name.startswith(FREEZE)]
    if unknown := sorted(set(wanted) - set(can)):
        raise UsageError(f"nothing that is open is called {unknown[0]!r}", f"open: {'; '.join(can) or 'nothing'}")
    if not can:
        frozen = "a freeze is ended with gate unfreeze" if open_ else "gate signoff shows what is required"
        raise UsageError("nothing is open that an override could lift", frozen)
    return tuple(wanted or can)


def _sign(
    origin: "Source",
    report: "Report",
    signer: str,
    key: Path,
    ends: int,
    reason: str,
    lifted: tuple[str, ...],
    findings: "list[Finding]",
) -> None:
    from gatecli.cli.signing import keep
    from gatecli.policy.approvals import signed, waived
    from gatecli.sources import signatures
    from gatecli.sources.standing import standing

    change, repository = origin.change, origin.repository
    assert repository is not None, "a range is of a repository"
    statement = waived.make(
        change,
        standing(repository, change, origin.asked),
        by=signer,
        at=report.generated_at,
        until=ends,
        reason=reason,
        requirements=lifted,
        policy=report.policy.sha256,
        acknowledged=(one.fingerprint for one in findings),
    )
    line = signed.line(statement, signatures.sign(statement, key, namespace=signatures.OVERRIDE))
    keep(repository, waived.REF, change, line, anchor_text=waived.anchor_text(change.digest), signer=signer)


def _outcome(said: "Counted", signer: str, at: int, lifted: tuple[str, ...], ends: int) -> str:
    """Whether it counts, in one sentence."""
    from gatecli.reports.text import moment

    if any(one.by == signer and one.at == at for one in said.waivers):
        return f"signed: {signer} lifts {', '.join(lifted)} until {moment(ends)}"
    why = next((one.reason for one in said.dismissed if one.by == signer and one.source == "override"), "not found")
    return f"signed, but it does not count: {why}"
