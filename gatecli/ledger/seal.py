"""The signature of a log of decisions: how many there were, and the hash of the last one, signed by whoever keeps it.

It lies beside the log (``decisions.jsonl.sig``) and covers every line up to that one, as each holds the hash of the one
before. A log that was cut off or written anew after it was signed no longer has that line. Whoever holds the key, or
can take the signature away with the log, is not stopped: keep a signature, or its hash, elsewhere.
"""

from pathlib import Path

import msgspec

from gatecli.errors import UsageError
from gatecli.ledger.audit import Log
from gatecli.sources import signatures
from gatecli.sources.signatures import AUDIT, Keys
from gatecli.writing import write_whole

SCHEMA = "gate-audit-head/1"
MAX_BYTES = 100_000


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """What is signed: the number of decisions, the hash of the last line, and when (epoch seconds)."""

    schema: str
    number: int
    head: str
    at: int


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """A statement, as the text that was signed, and its signature."""

    statement: str
    signature: str


def place(log: Path) -> Path:
    """Where the signature of a log lies."""
    return log.with_name(f"{log.name}.sig")


def sign(path: Path, log: Log, key: Path, *, at: int) -> None:
    """Sign the whole log, in place of an earlier signature.

    Raises:
        UsageError: ssh-keygen is missing, does not sign with this key, or the file cannot be written.
    """
    statement = Statement(schema=SCHEMA, number=len(log.entries), head=log.head, at=at)
    text = msgspec.json.encode(statement, order="sorted")
    signed = Seal(statement=text.decode(), signature=signatures.sign(text, key, namespace=AUDIT))
    try:
        write_whole(place(path), msgspec.json.encode(signed) + b"\n")
    except OSError as error:
        raise UsageError(f"cannot write {place(path)}: {error.strerror}", "check the folder of the record") from error


def problem(path: Path, log: Log, keys: Keys, by: tuple[str, ...] | None, *, now: int) -> str | None:
    """Why a log is not what one of some people signed, None if it is; an empty log needs no signature.

    Args:
        path: The log's file.
        log: What was read of it.
        keys: Those that may sign.
        by: The names that their keys are listed under; None: any.
        now: Epoch seconds.
    """
    if not place(path).is_file():
        return "it is not signed" if log.entries else None
    sealed = _read(path)
    if sealed is None:
        return "its signature cannot be read"
    signed, statement = sealed
    name = signatures.signer(signed.signature, keys)
    if name is None:
        return "its signature was made by no key that is listed"
    checked = signatures.check(signed.statement.encode(), signed.signature, name, keys, now=now, namespace=AUDIT)
    if checked.problem is not None:
        return checked.problem
    if by is not None and not set(by) & {name, *checked.names}:
        return f"{name} signed it, who is none of {', '.join(by[:3])}"
    if statement.schema != SCHEMA:
        return "it is signed in a form that this version does not know"
    if statement.number > len(log.entries):
        return f"{statement.number - len(log.entries):,} signed decisions are missing at its end: it was cut off"
    if log.hashes[statement.number] != statement.head:
        return "it was written anew since it was signed"
    if statement.number < len(log.entries):
        return f"its last {len(log.entries) - statement.number:,} decisions are not signed"
    return None


def signer(path: Path, keys: Keys) -> str | None:
    """Who made the signature of a log, None where it is unknown or there is none."""
    sealed = _read(path)
    return signatures.signer(sealed[0].signature, keys) if sealed else None


def _read(path: Path) -> tuple[Seal, Statement] | None:
    try:
        with place(path).open("rb") as file:
            sealed = msgspec.json.decode(file.read(MAX_BYTES), type=Seal)
        return sealed, msgspec.json.decode(sealed.statement, type=Statement)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
