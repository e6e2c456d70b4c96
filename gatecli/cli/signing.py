"""What the commands that sign have in common: whose key, which findings were looked at, and when it ends."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from gatecli.errors import EvidenceError, UsageError

if TYPE_CHECKING:
    from gatecli.model import Change, Finding, Report
    from gatecli.sources.git import Repository


def default_branch(repository: "Repository") -> str:
    """The branch that a change is for where none is named."""
    branch = repository.default_branch()
    if branch is None:
        raise UsageError("there is no default branch to compare with", "name the change: gate approve BASE...HEAD")
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


def keep(repository: "Repository", ref: str, change: "Change", line: str, *, anchor_text: str, signer: str) -> None:
    """Keep something signed as a line of notes: on the commit, and on the content, which a rebase leaves as it is."""
    from gatecli.model import Person
    from gatecli.sources import notes

    assert change.head is not None, "a range has a head"
    person = Person(name=signer, email=signer)
    notes.append_note(repository, ref, change.head, line, by=person)
    place = notes.anchor(anchor_text, like=change.head)
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
