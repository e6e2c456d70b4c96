"""``gate audit``: the record of decisions."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatecli.errors import EvidenceError, UsageError

if TYPE_CHECKING:
    from gatecli.ledger.audit import Log

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

EPILOG = """\b
Examples:
  gate check origin/main...HEAD --ledger decisions.jsonl    judge, and record the answer
  gate audit log --ledger decisions.jsonl                   what was decided
  gate audit verify --ledger decisions.jsonl                whether a line was changed, removed or added
  gate audit sign --ledger decisions.jsonl --key ci         sign it as it stands
  gate audit verify --ledger decisions.jsonl --signers .gate/allowed_signers --expect-head 3f9c…
"""

Ledger = Annotated[Path, typer.Option(metavar="FILE", envvar="GATE_LEDGER", help="The record of decisions.")]


@app.command("log")
def show(
    ledger: Ledger,
    most: Annotated[int, typer.Option("--most", min=1, metavar="N", help="How many, newest last.")] = 20,
) -> None:
    """List decisions, newest last."""
    from gatecli.reports.text import listed, moment, plain

    for one in _whole(ledger).entries[-most:]:
        by = f"by {', '.join(one.humans)}" if one.humans else "no human"
        head = (one.head or "uncommitted")[:12]
        after = f"  after {listed(one.incidents, 3)}" if one.incidents else ""
        typer.echo(
            plain(f"{one.number}  {moment(one.at)}  {one.outcome}  {head}  {one.lines:,} lines  {by}{after}", 200)
        )


@app.command()
def sign(
    ledger: Ledger,
    key: Annotated[
        Path, typer.Option(metavar="FILE", envvar="GATE_LEDGER_KEY", help="SSH key, listed for gate-audit.")
    ],
) -> None:
    """Sign the record as it stands, with ssh-keygen; the signature lies beside it."""
    import time

    from gatecli.ledger import seal

    log = _whole(ledger)
    seal.sign(ledger, log, key, at=int(time.time()))
    typer.echo(f"{len(log.entries):,} decisions signed; head {log.head}: {seal.place(ledger)}")


@app.command()
def verify(
    ledger: Ledger,
    signers: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keys that may sign it: ssh-keygen's ALLOWED SIGNERS.")
    ] = None,
    expect_head: Annotated[
        str | None, typer.Option(metavar="SHA256", help="A hash that was printed before: it has to be in the record.")
    ] = None,
) -> None:
    """Check the chain of hashes, the signature, and a hash that was kept; prints the hash to keep elsewhere."""
    log = _whole(ledger)
    said = f"{len(log.entries):,} decisions, whole"
    if expect_head is not None:
        if expect_head not in log.hashes:
            raise EvidenceError(
                f"no decision in {ledger} has the hash {expect_head[:64]}", "the record was cut off or written anew"
            )
        said += f"; {len(log.entries) - log.hashes.index(expect_head):,} since the hash that was kept"
    if signers is not None:
        said += f"; signed by {_signed(ledger, log, signers)}"
    typer.echo(f"{said}; head {log.head}")


def _signed(ledger: Path, log: "Log", signers: Path) -> str:
    import time

    from gatecli.cli.check import read_file
    from gatecli.ledger import seal
    from gatecli.sources.signatures import Keys

    keys = Keys(allowed=read_file(signers) or b"")
    if not log.entries:
        raise UsageError(f"{ledger} has no decision that could be signed", "gate check --ledger FILE records one")
    if (why := seal.problem(ledger, log, keys, None, now=int(time.time()))) is not None:
        raise EvidenceError(f"{ledger}: {why}", "compare it with a copy that was kept elsewhere, or sign it again")
    return seal.signer(ledger, keys) or "nobody"


@app.command()
def export(ledger: Ledger) -> None:
    """Print the whole record as one JSON document."""
    import msgspec

    log = _whole(ledger)
    data = msgspec.json.encode({"schema": "gate-audit/1", "head": log.head, "entries": log.entries})
    sys.stdout.write(msgspec.json.format(data, indent=2).decode() + "\n")


def _whole(ledger: Path) -> "Log":
    from gatecli.ledger import audit

    if not ledger.is_file():
        raise UsageError(f"there is no record at {ledger}", "gate check --ledger FILE begins one")
    log = audit.read(ledger)
    if log.problem is not None:
        raise EvidenceError(f"{ledger} is damaged: {log.problem}", "compare it with a copy that was kept elsewhere")
    return log
