"""The log of decisions: one JSON object a line, each holding the hash of the line before.

A line that was changed, taken out or put in breaks the chain, and every answer that hangs on the log is an error then.
What the chain cannot show is a log that was cut off at its end or written anew from its start: sign it (``seal.py``),
or keep a copy of ``head`` elsewhere. Who decides by it and adds to it holds a lock: runs at the same time do not break
the chain, and none of them overlooks what another has just let pass.
"""

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from gatecli.errors import EvidenceError, UsageError
from gatecli.model import AuditStamp, Decision, Memory, Passed, ProvenanceClass, Report, SignerKind, Waiver

MAX_BYTES = 500_000_000
CLOCK_SKEW_S = 600
MAX_TRIES = 30
"""Ten seconds each, where the system does not wait by itself."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The log while nobody else may add to it: what is read of it holds until something is appended."""

    path: Path
    log: Log
    handle: int

    def append(self, report: Report, key: Path | None = None) -> AuditStamp:
        """Write a decision at the end of the log, in one go; with a key, sign the log.

        Raises:
            EvidenceError: the log is damaged: nothing is added to it.
            UsageError: it cannot be written or signed.
        """
        from gatecli.ledger import seal

        log = self.log
        if log.problem is not None:
            raise EvidenceError(
                f"the record of decisions {self.path} is damaged: {log.problem}", "gate audit verify says where"
            )
        line = msgspec.json.encode(entry := _entry(report, log))
        try:
            os.write(self.handle, line + b"\n")
            os.fsync(self.handle)
        except OSError as error:
            raise _unwritable(self.path, error) from error
        head = hashlib.sha256(line).hexdigest()
        if key is not None:
            whole = Log(entries=(*log.entries, entry), hashes=(*log.hashes, head))
            seal.sign(self.path, whole, key, at=report.generated_at)
        return AuditStamp(entry=entry.number, head=head)


@contextmanager
def held(path: Path) -> Iterator[Record]:
    """The log of a file, begun where there is none; whoever else wants to decide by it and to add to it waits.

    What is decided by it is added to it in one hold: of two runs that read first and add later both may see the last
    place that a limit leaves.

    Raises:
        UsageError: it cannot be opened or locked.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab+")
    except OSError as error:
        raise _unwritable(path, error) from error
    with file, _locked(file.fileno(), path):
        file.seek(0)
        yield Record(path=path, log=_read(file.read(MAX_BYTES + 1), path), handle=file.fileno())


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(f"cannot write {path}: {error.strerror}", "name a file with --ledger")


@contextmanager
def _locked(handle: int, path: Path) -> Iterator[None]:
    """Nobody else holds the log meanwhile; whoever wants to waits."""
    try:
        _lock(handle)
    except OSError as error:
        raise UsageError(
            f"cannot lock {path}: {error.strerror}", "keep it on a disk that can lock files, and run gate again"
        ) from error
    try:
        yield
    finally:
        _unlock(handle)


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        for left in reversed(range(MAX_TRIES)):
            os.lseek(handle, MAX_BYTES, os.SEEK_SET)  # a byte that no reader of the log wants
            try:
                msvcrt.locking(handle, msvcrt.LK_LOCK, 1)  # tries for ten seconds
            except OSError:
                if not left:
                    raise
            else:
                return

    def _unlock(handle: int) -> None:
        os.lseek(handle, MAX_BYTES, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX)

    def _unlock(handle: int) -> None:
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
