"""What the commands that sign have in common: who signs what, which findings were looked at, and when it ends."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatecli.errors import EvidenceError, UsageError

if TYPE_CHECKING:
    from gatecli.model import Finding, Report
    from gatecli.sources.git import Repository
    from gatecli.sources.source import Source

Key = Annotated[
    Path | None, typer.Option("--key", metavar="FILE", help="SSH key to sign with; default: git's user.signingKey.")
]
Principal = Annotated[
    str | None, typer.Option("--as", metavar="NAME", help="Who you are in the list of keys; default: git's user.email.")
]
Acknowledge = Annotated[
    list[str] | None,
    typer.Option("--acknowledge", metavar="ID", help="A finding that you looked at, by its id; repeatable."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Who signs, as the list of keys calls them, and with which key."""

    name: str
    key: Path


def signer(repository: "Repository", principal: str | None, key: Path | None) -> Signer:
    """Who was named, else whom git is configured for."""
    name = principal or setting(repository, "user.email", "--as NAME")
    return Signer(name=name, key=key or signing_key(repository))


def change_to_sign(repo: Path, revisions: str | None, *, command: str) -> "tuple[Source, Repository]":
    """The commits that were named, or what is not on the default branch yet; there has to be something in them."""
    from gatecli import pipeline
    from gatecli.model import SourceKind
    from gatecli.sources.git import Repository

    repository = Repository.open(repo)
    range = revisions or f"{default_branch(repository, command)}...HEAD"
    origin = pipeline.open_source(repo, revisions=range)
    if origin.change.kind is not SourceKind.RANGE or not origin.change.files:
        raise UsageError(f"{range} changes nothing: there is nothing to sign", "name the change: BASE...HEAD")
    return origin, repository


def default_branch(repository: "Repository", command: str) -> str:
    """The branch that a change is for where none is named."""
    branch = repository.default_branch()
    if branch is None:
        raise UsageError("there is no default branch to compare with", f"name the change: {command} BASE...HEAD")
    return branch


def setting(repository: "Repository", name: str, option: str) -> str:
    """A setting of git; ``option`` stands for it on the command line."""
    try:
        return repository.text("config", "--get", name)
    except EvidenceError:
        raise UsageError(f"git has no {name}", f"set it with git config {name}, or give {option}") from None


def signing_key(repository: "Repository") -> Path:
    """The file of the key that git signs with."""
    name = setting(repository, "user.signingKey", "--key FILE")
    if name.startswith(("key::", "ssh-")) or not Path(name).expanduser().is_file():
        raise UsageError("git's user.signingKey names no file with an SSH key", "give one with --key FILE")
    return Path(name).expanduser()


def looked_at(report: "Report", acknowledged: list[str], *, command: str, question: str) -> "list[Finding]":
    """The findings that the signer has acknowledged: all that ask for review or block, or nothing is signed.

    ``command`` is what they typed, and ``question`` what they agree to at last, at a terminal.
    """
    from gatecli import reports
    from gatecli.reports.text import plain

    asked = [one for one in report.findings if one.asks_for_somebody]
    unknown = sorted(set(acknowledged) - {one.id for one in asked})
    if unknown:
        known = ", ".join(one.id for one in asked) or "none"
        raise UsageError(f"no finding of this change is called {unknown[0]}", f"its findings: {known}")
    left = [one for one in asked if one.id not in acknowledged]
    if not sys.stdin.isatty():
        if left:
            options = " ".join(f"--acknowledge {one.id}" for one in left)
            what = "\n".join(f"  {one.id}  {one.path}:{one.line or 1}  {one.message}" for one in left)
            raise UsageError(f"not acknowledged yet:\n{what}", f"look at each, then: {command} {options}")
        return asked
    sys.stderr.write(reports.render("terminal", report))
    for number, one in enumerate(left, start=1):
        sys.stderr.write(f"\n[{number} of {len(left)}] {plain(one.id)} {one.severity}: {plain(one.message)}\n")
        sys.stderr.write(f"  {plain(one.path)}:{one.line or 1}\n")
        sys.stderr.writelines(f"  {plain(fact.text)}\n" for fact in one.evidence)
        if typer.prompt(f"type {one.id} to acknowledge it", err=True, default="", show_default=False).strip() != one.id:
            raise UsageError("nothing was signed: a finding was not acknowledged")
    if not typer.confirm(question, err=True):
        raise UsageError("nothing was signed")
    return asked


def sign_and_keep(
    origin: "Source", statement: bytes, signer: Signer, *, namespace: str, ref: str, anchor_text: str
) -> None:
    """Sign a statement, and keep it as a line of notes: on the commit, and on the content, which a rebase leaves."""
    from gatecli.model import Person
    from gatecli.policy.approvals import statements
    from gatecli.sources import notes, signatures

    repository, head = origin.repository, origin.change.head
    assert repository is not None, "a range is of a repository"
    assert head is not None, "a range has a head"
    line = statements.line(statement, signatures.sign(statement, signer.key, namespace=namespace))
    person = Person(name=signer.name, email=signer.name)
    notes.append_note(repository, ref, head, line, by=person)
    place = notes.anchor(anchor_text, like=head)
    notes.append_note(repository, ref, place, line, by=person, anchor_text=anchor_text)


def ending(text: str, *, what: str) -> int:
    """Epoch seconds of an end: a length from now (3h, 7d) or a time with zone.

    Raises:
        UsageError: it is neither, or over; ``what`` would end then.
    """
    import time

    from gatecli.config.freeze import is_moment, moment
    from gatecli.pipeline import seconds

    now = int(time.time())
    if is_moment(text):
        at = moment(text)
    else:
        try:
            at = now + int(seconds(text))
        except (UsageError, OverflowError):
            raise UsageError(f"{text!r} is no time to end {what}", "such as 3h, 7d or 2026-12-01T08:00+01:00") from None
    if at <= now:
        raise UsageError(f"{text} is over already", "name a time to come")
    return at
