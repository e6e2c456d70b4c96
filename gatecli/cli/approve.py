"""``gate approve``: sign a change with one's own key, after looking at its risks."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gatecli.cli.signing import Acknowledge, Key, Principal, Signer, change_to_sign, looked_at, sign_and_keep, signer
from gatecli.cli.signoff import Organisation, Profile, Repo, Revisions
from gatecli.errors import EXIT_PASS, EXIT_REVIEW

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
    revisions: Revisions = None,
    key: Key = None,
    principal: Principal = None,
    acknowledge: Acknowledge = None,
    verdict: Annotated[
        VerdictOption, typer.Option(metavar="approve|object|withdraw", help="What you say of it.")
    ] = VerdictOption.APPROVE,
    profile: Profile = None,
    organisation: Organisation = None,
    repo: Repo = Path(),
) -> int:
    """Sign a change with your SSH key: bound to its content, its base and the policy, kept as a git note."""
    from gatecli import pipeline
    from gatecli.reports.text import plain

    origin, repository = change_to_sign(repo, revisions, command="gate approve")
    who = signer(repository, principal, key)
    request = pipeline.Request(profile=profile, organisation=organisation)
    report = pipeline.judge(origin, request)
    named = _looked_at(report, acknowledge or [], verdict)
    _sign(origin, report, who, named, verdict.value)
    said = pipeline.said_of(origin, request, report)
    sentence, code = _outcome(said, who.name, verdict, report)
    sys.stdout.write(plain(sentence) + "\n")
    sys.stdout.write("share it:  git push origin refs/notes/gate-approvals\n")
    return code


def _looked_at(report: "Report", acknowledged: list[str], verdict: VerdictOption) -> "list[Finding]":
    """Nobody has to have looked at a risk to say no."""
    files, digest = len(report.case.change.files), report.case.change.digest[:12]
    if verdict is not VerdictOption.APPROVE:
        return []
    return looked_at(
        report, acknowledged, command="gate approve", question=f"sign these {files:,} files, sha256 {digest}?"
    )


def _sign(
    origin: "Source",
    report: "Report",
    who: Signer,
    named: "list[Finding]",
    verdict: Literal["approve", "object", "withdraw"],
) -> None:
    from gatecli.policy.approvals import signed
    from gatecli.sources.signatures import NAMESPACE
    from gatecli.sources.standing import standing

    change = origin.change
    statement = signed.make(
        change,
        standing(origin.repository, change, origin.asked),
        by=who.name,
        at=report.generated_at,
        policy=report.policy.sha256,
        acknowledged=(one.fingerprint for one in named),
        verdict=verdict,
    )
    anchor_text = signed.anchor_text(change.digest)
    sign_and_keep(origin, statement, who, namespace=NAMESPACE, ref=signed.REF, anchor_text=anchor_text)


def _outcome(said: "Counted", by: str, verdict: VerdictOption, report: "Report") -> tuple[str, int]:
    """Whether it counts, in one sentence and as an exit code: one that does not leaves the sign-off outstanding."""
    digest, at = report.case.change.digest[:12], report.generated_at
    if verdict is not VerdictOption.APPROVE:
        return f"signed: {by} says {verdict.value} of {digest}", EXIT_PASS
    if any(one.person == by and one.at == at for one in said.approvals):
        return f"signed: the approval of {by} counts for {digest}", EXIT_PASS
    why = next((one.reason for one in said.dismissed if one.by == by), "it was not found again")
    return f"signed, but it does not count: {why}", EXIT_REVIEW
