"""The log of decisions: one JSON object a line, each holding the hash of the line before.

A line that was changed, taken out or put in breaks the chain, and every answer that hangs on the log is an error then.
What the chain cannot show is a log that was cut off at its end or written anew from its start: keep a copy of ``head``
elsewhere.
"""

import hashlib
import os
from pathlib import Path

import msgspec

from gatecli.errors import EvidenceError, UsageError
from gatecli.model import Decision, Memory, Passed, ProvenanceClass, Report, SignerKind, Waiver

MAX_BYTES = 500_000_000
CLOCK_SKEW_S = 600
START = "0" * 64


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One judged change, as it was answered; ``previous`` is the sha256 of the line before."""

    number: int
    at: int
    digest: str
    base: str | None
    head: str | None
    decision: Decision
    outcome: Decision
    exit_code: int
    lines: int
    by_agent: bool
    humans: tuple[str, ...]
    services: tuple[str, ...]
    policy: str
    requirements: dict[str, str]
    previous: str
    waivers: tuple[Waiver, ...] = ()


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """The entries that could be read, the hash of the last line, and what is wrong with the file."""

    entries: tuple[Entry, ...] = ()
    head: str = START
    problem: str | None = None


def read(path: Path) -> Log:
    """The log of a file; an absent one is empty. Reading stops at the first line that is not what was written."""
    try:
        data = path.read_bytes() if path.exists() else b""
    except OSError as error:
        return Log(problem=f"{path} cannot be read: {error.strerror}")
    if len(data) > MAX_BYTES:
        return Log(problem=f"{path} has more than {MAX_BYTES:,} bytes")
    entries: list[Entry] = []
    head, problem = START, None
    lines = data.split(b"\n")
    if lines.pop():
        problem = "its last line was not written whole"
    for number, line in enumerate(lines, start=1):
        try:
            entry = msgspec.json.decode(line, type=Entry)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            problem = f"line {number:,} is no entry"
            break
        if entry.number != number or entry.previous != head:
            problem = f"line {number:,} does not follow from the one before: something was changed, removed or added"
            break
        if entries and entry.at < entries[-1].at - CLOCK_SKEW_S:
            problem = f"line {number:,} is older than the one before: a clock was set back"
            break
        entries.append(entry)
        head = hashlib.sha256(line).hexdigest()
    return Log(entries=tuple(entries), head=head, problem=problem)


def memory(log: Log, digest: str) -> Memory:
    """What pace wants to know: when a content was first seen, and what has passed."""
    passed = tuple(
        Passed(
            digest=one.digest, at=one.at, lines=one.lines, by_agent=one.by_agent,
            humans=len(one.humans), services=one.services,
        )
        for one in log.entries
        if one.outcome is Decision.PASS
    )  # fmt: skip
    first = next((one.at for one in log.entries if one.digest == digest), None)
    return Memory(first_seen=first, passed=passed, problem=log.problem)


def append(path: Path, report: Report) -> Entry:
    """Write a decision at the end of the log, in one go.

    Raises:
        EvidenceError: the log is damaged: nothing is added to it.
        UsageError: it cannot be written.
    """
    log = read(path)
    if log.problem is not None:
        raise EvidenceError(f"the record of decisions {path} is damaged: {log.problem}", "gate audit verify says where")
    change, usage = report.case.change, report.case.usage
    entry = Entry(
        number=len(log.entries) + 1,
        at=report.generated_at,
        digest=change.digest,
        base=change.base,
        head=change.head,
        decision=report.verdict.decision,
        outcome=report.verdict.outcome,
        exit_code=report.exit_code,
        lines=change.added_count + change.deleted_count,
        by_agent=report.case.provenance.klass is not ProvenanceClass.NO_EVIDENCE,
        humans=tuple(one.person for one in report.signoff.approvals if one.kind is SignerKind.HUMAN),
        services=tuple(sorted({name for one in usage.values() for name in one.services})),
        policy=report.policy.sha256,
        requirements={one.name: one.status.value for one in report.signoff.requirements},
        previous=log.head,
        waivers=report.signoff.waivers,
    )
    line = msgspec.json.encode(entry) + b"\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(handle, line)
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}", "name a file with --ledger") from error
    return entry
