"""The log of decisions: one JSON object a line, each holding the hash of the line before.

A line that was changed, taken out or put in breaks the chain, and every answer that hangs on the log is an error then.
What the chain cannot show is a log that was cut off at its end or written anew from its start: sign it (``seal.py``),
or keep a copy of ``head`` elsewhere. Who adds to it holds a lock: runs at the same time do not break the chain.
"""

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from gatecli.errors import EvidenceError, UsageError
from gatecli.model import AuditStamp, Decision, Memory, Passed, ProvenanceClass, Report, SignerKind, Waiver

MAX_BYTES = 500_000_000
CLOCK_SKEW_S = 600
MAX_INCIDENTS = 50
"""Of one entry: what is beyond is in the report that it names."""
START = "0" * 64


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One judged change, as it was answered; ``previous`` is the sha256 of the line before.

    ``incidents`` are the ids of those that the change brought to mind, freshest first.
    """

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
    incidents: tuple[str, ...] = ()


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """The entries that could be read, what is wrong with the file, and the hashes: of no line, then of each."""

    entries: tuple[Entry, ...] = ()
    hashes: tuple[str, ...] = (START,)
    problem: str | None = None

    @property
    def head(self) -> str:
        """The hash of the last line."""
        return self.hashes[-1]


def read(path: Path) -> Log:
    """The log of a file; an absent one is empty. Reading stops at the first line that is not what was written."""
    try:
        data = path.read_bytes() if path.exists() else b""
    except OSError as error:
        return Log(problem=f"{path} cannot be read: {error.strerror}")
    return _read(data, path)


def _read(data: bytes, path: Path) -> Log:
    if len(data) > MAX_BYTES:
        return Log(problem=f"{path} has more than {MAX_BYTES:,} bytes")
    entries: list[Entry] = []
    hashes, problem = [START], None
    lines = data.split(b"\n")
    if lines.pop():
        problem = "its last line was not written whole"
    for number, line in enumerate(lines, start=1):
        try:
            entry = msgspec.json.decode(line, type=Entry)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            problem = f"line {number:,} is no entry"
            break
        if entry.number != number or entry.previous != hashes[-1]:
            problem = f"line {number:,} does not follow from the one before: something was changed, removed or added"
            break
        if entries and entry.at < entries[-1].at - CLOCK_SKEW_S:
            problem = f"line {number:,} is older than the one before: a clock was set back"
            break
        entries.append(entry)
        hashes.append(hashlib.sha256(line).hexdigest())
    return Log(entries=tuple(entries), hashes=tuple(hashes), problem=problem)


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


def append(path: Path, report: Report, key: Path | None = None) -> AuditStamp:
    """Write a decision at the end of the log, in one go and one at a time; with a key, sign the log.

    Raises:
        EvidenceError: the log is damaged: nothing is added to it.
        UsageError: it cannot be written or signed.
    """
    from gatecli.ledger import seal

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab+") as file, _locked(file.fileno()):
            file.seek(0)
            log = _read(file.read(MAX_BYTES + 1), path)
            if log.problem is not None:
                raise EvidenceError(
                    f"the record of decisions {path} is damaged: {log.problem}", "gate audit verify says where"
                )
            line = msgspec.json.encode(entry := _entry(report, log))
            os.write(file.fileno(), line + b"\n")
            os.fsync(file.fileno())
            head = hashlib.sha256(line).hexdigest()
            if key is not None:
                whole = Log(entries=(*log.entries, entry), hashes=(*log.hashes, head))
                seal.sign(path, whole, key, at=report.generated_at)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}", "name a file with --ledger") from error
    return AuditStamp(entry=entry.number, head=head)


@contextmanager
def _locked(handle: int) -> Iterator[None]:
    """Nobody else adds to the log meanwhile; whoever wants to waits."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(handle, MAX_BYTES, os.SEEK_SET)  # a byte that no reader of the log wants
        msvcrt.locking(handle, msvcrt.LK_LOCK, 1)
        try:
            yield
        finally:
            os.lseek(handle, MAX_BYTES, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(handle, fcntl.LOCK_UN)


def _entry(report: Report, log: Log) -> Entry:
    change, usage = report.case.change, report.case.usage
    return Entry(
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
        incidents=tuple(one.incident.id for one in report.case.incidents[:MAX_INCIDENTS]),
    )
