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
"""

Ledger = Annotated[Path, typer.Option(metavar="FILE", envvar="GATE_LEDGER", help="The record of decisions.")]


@app.command("log")
def show(
    ledger: Ledger,
    most: Annotated[int, typer.Option("--most", min=1, metavar="N", help="How many, newest last.")] = 20,
) -> None:
    """List decisions, newest last."""
    from gatecli.reports.text import moment, plain

    for one in _whole(ledger).entries[-most:]:
        by = f"by {', '.join(one.humans)}" if one.humans else "no human"
        head = (one.head or "uncommitted")[:12]
        typer.echo(plain(f"{one.number}  {moment(one.at)}  {one.outcome}  {head}  {one.lines:,} lines  {by}", 200))


@app.command()
def verify(ledger: Ledger) -> None:
    """Check the chain of hashes; prints the number of decisions and the hash to keep elsewhere."""
    log = _whole(ledger)
    typer.echo(f"{len(log.entries):,} decisions, whole; head {log.head}")


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
