"""``gate approve``: sign a change with one's own key, after looking at its risks."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gatecli.errors import EvidenceError, UsageError

if TYPE_CHECKING:
    from gatecli.model import Counted, Finding, Report
    from gatecli.sources.git import Repository
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
    repo: Annotated[Path, typer.Option(metavar="DIR", help="The repository.")] = Path(),
) -> None:
    """Sign a change with your SSH key: bound to its content, its base and the policy, kept as a git note."""
    from gatecli import pipeline
    from gatecli.model import SourceKind
    from gatecli.reports.text import plain
    from gatecli.sources.git import Repository

    repository = Repository.open(repo)
    range = revisions or f"{_default_branch(repository)}...HEAD"
    origin = pipeline.open_source(repo, revisions=range)
    if origin.change.kind is not SourceKind.RANGE or not origin.change.files:
        raise UsageError(f"{range} changes nothing: there is nothing to sign", "name the change: BASE...HEAD")
    signer, private = principal or _setting(repository, "user.email", "--as NAME"), key or _signing_key(repository)
    request = pipeline.Request(profile=profile)
    report = pipeline.judge(origin, request)
    named = _looked_at(report, acknowledge or [], verdict)
    at = _sign(origin, report, signer, private, named, verdict.value)
    said = pipeline.said_of(origin, request, report)
    sys.stdout.write(plain(_outcome(said, signer, at, verdict, report)) + "\n")
    sys.stdout.write("share it:  git push origin refs/notes/gate-approvals\n")


def _default_branch(repository: "Repository") -> str:
    branch = repository.default_branch()
    if branch is None:
        raise UsageError("there is no default branch to compare with", "name the change: gate approve BASE...HEAD")
    return branch


def _setting(repository: "Repository", name: str, option: str) -> str:
    try:
        return repository.text("config", "--get", name)
    except EvidenceError:
        raise UsageError(f"git has no {name}", f"set it with git config {name}, or give {option}") from None


def _signing_key(repository: "Repository") -> Path:
    name = _setting(repository, "user.signingKey", "--key FILE")
    if name.startswith(("key::", "ssh-")) or not Path(name).expanduser().is_file():
        raise UsageError("git's user.signingKey names no file with an SSH key", "give one with --key FILE")
    return Path(name).expanduser()


# --------------------------------------------------------------------------- looking


def _looked_at(report: "Report", acknowledged: list[str], verdict: VerdictOption) -> "list[Finding]":
    """The findings that the signer has acknowledged: all that ask for review or block, or nothing is signed."""
    from gatecli import reports
    from gatecli.reports.text import plain

    asked = [one for one in report.findings if one.asks_for_somebody]
    unknown = sorted(set(acknowledged) - {one.id for one in asked})
    if unknown:
        known = ", ".join(one.id for one in asked) or "none"
        raise UsageError(f"no finding of this change is called {unknown[0]}", f"its findings: {known}")
    if verdict is not VerdictOption.APPROVE:
        return []
    left = [one for one in asked if one.id not in acknowledged]
    if not sys.stdin.isatty():
        if left:
            options = " ".join(f"--acknowledge {one.id}" for one in left)
            what = "\n".join(f"  {one.id}  {one.path}:{one.line or 1}  {one.message}" for one in left)
            raise UsageError(f"not acknowledged yet:\n{what}", f"look at each, then: gate approve {options}")
        return asked
    sys.stderr.write(reports.render("terminal", report))
    for number, one in enumerate(left, start=1):
        sys.stderr.write(f"\n[{number} of {len(left)}] {plain(one.id)} {one.severity}: {plain(one.message)}\n")
        sys.stderr.write(f"  {plain(one.path)}:{one.line or 1}\n")
        sys.stderr.writelines(f"  {plain(fact.text)}\n" for fact in one.evidence)
        if typer.prompt(f"type {one.id} to acknowledge it", err=True, default="", show_default=False).strip() != one.id:
            raise UsageError("nothing was signed: a finding was not acknowledged")
    files = len(report.case.change.files)
    if not typer.confirm(f"sign these {files:,} files, sha256 {report.case.change.digest[:12]}?", err=True):
        raise UsageError("nothing was signed")
    return asked


# --------------------------------------------------------------------------- signing


def _sign(
    origin: "Source",
    report: "Report",
    signer: str,
    key: Path,
    named: "list[Finding]",
    verdict: Literal["approve", "object", "withdraw"],
) -> int:
    """Sign and keep it: on the commit, and on the content, which a rebase leaves as it is. Returns when."""
    from gatecli.model import Person
    from gatecli.policy.approvals import signed
    from gatecli.sources import notes, signatures
    from gatecli.sources.standing import standing

    change, repository = origin.change, origin.repository
    assert repository is not None, "a range is of a repository"
    assert change.head is not None, "a range has a head"
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
    text = signed.anchor_text(change.digest)
    person = Person(name=signer, email=signer)
    notes.append_note(repository, signed.REF, change.head, line, by=person)
    place = notes.anchor(text, like=change.head)
    notes.append_note(repository, signed.REF, place, line, by=person, anchor_text=text)
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
