"""``gate override``: lift open requirements off one change in an emergency, signed, with a reason and an end."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatecli.cli.signing import (
    Acknowledge,
    Key,
    Principal,
    Signer,
    change_to_sign,
    ending,
    looked_at,
    sign_and_keep,
    signer,
)
from gatecli.cli.signoff import Approvals, Ledger, Organisation, Profile, Repo, Revisions
from gatecli.errors import EXIT_PASS, EXIT_REVIEW, UsageError

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
    acknowledge: Acknowledge = None,
    key: Key = None,
    principal: Principal = None,
    approvals: Approvals = None,
    profile: Profile = None,
    ledger: Ledger = None,
    organisation: Organisation = None,
    repo: Repo = Path(),
) -> int:
    """Lift open requirements off this very content until a time. The policy says who may (override.signed_by)."""
    from gatecli import pipeline
    from gatecli.cli.check import read_file
    from gatecli.reports.text import plain

    if not reason.strip():
        raise UsageError("an override gives a reason", "such as --reason 'incident 42: orders fail'")
    origin, repository = change_to_sign(repo, revisions, command="gate override")
    who = signer(repository, principal, key)
    ends = ending(until, what="an override")
    request = pipeline.Request(
        profile=profile, organisation=organisation, approvals=read_file(approvals), ledger=ledger
    )
    report = pipeline.judge(origin, request)
    lifted = _lifted(report, requirement or [])
    question = f"lift {', '.join(lifted)}?"
    findings = looked_at(report, acknowledge or [], command="gate override", question=question)
    _sign(origin, report, who, ends, reason, lifted, findings)
    said = pipeline.said_of(origin, request, report)
    sentence, code = _outcome(said, who.name, report.generated_at, lifted, ends)
    sys.stdout.write(plain(sentence) + "\n")
    sys.stdout.write("share it:  git push origin refs/notes/gate-overrides\n")
    return code


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
    who: Signer,
    ends: int,
    reason: str,
    lifted: tuple[str, ...],
    findings: "list[Finding]",
) -> None:
    from gatecli.policy.approvals import waived
    from gatecli.sources.signatures import OVERRIDE
    from gatecli.sources.standing import standing

    change = origin.change
    statement = waived.make(
        change,
        standing(origin.repository, change, origin.asked),
        by=who.name,
        at=report.generated_at,
        until=ends,
        reason=reason,
        requirements=lifted,
        policy=report.policy.sha256,
        acknowledged=(one.fingerprint for one in findings),
    )
    anchor_text = waived.anchor_text(change.digest)
    sign_and_keep(origin, statement, who, namespace=OVERRIDE, ref=waived.REF, anchor_text=anchor_text)


def _outcome(said: "Counted", by: str, at: int, lifted: tuple[str, ...], ends: int) -> tuple[str, int]:
    """Whether it counts, in one sentence and as an exit code: one that does not leaves the sign-off outstanding."""
    from gatecli.reports.text import moment

    if any(one.by == by and one.at == at for one in said.waivers):
        return f"signed: {by} lifts {', '.join(lifted)} until {moment(ends)}", EXIT_PASS
    why = next((one.reason for one in said.dismissed if one.by == by and one.source == "override"), "not found")
    return f"signed, but it does not count: {why}", EXIT_REVIEW
