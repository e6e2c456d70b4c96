"""``gate freeze`` and ``gate unfreeze``: the kill switch."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatecli.errors import UsageError

if TYPE_CHECKING:
    from gatecli.config.freeze import Freeze

EPILOG = """\b
Examples:
  gate freeze --until 3h --reason "incident 42"                             nothing merges for three hours
  gate freeze --scope shop/pay/ --scope service:pay --until 2026-12-01T08:00+01:00 --reason "incident 42"
  gate freeze --scope shop/ --until 7d --reason "what would it stop?" --dry-run
  gate unfreeze --scope shop/pay/
"""

Scopes = Annotated[
    list[str] | None,
    typer.Option("--scope", metavar="SCOPE", help="A gitignore pattern or service:NAME; default: everything."),
]
Repo = Annotated[Path, typer.Option(metavar="DIR", help="The repository.")]


def freeze(
    until: Annotated[str, typer.Option(metavar="WHEN", help="A length (3h, 7d) or a time with zone.")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; every report shows it.")],
    scope: Scopes = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would stop, and stop nothing.")] = False,
    repo: Repo = Path(),
) -> None:
    """Stop merges, of everything or of a scope, until a time; it holds once it is on the base branch."""
    from gatecli.config.freeze import EVERYTHING, Freeze
    from gatecli.pipeline import author_of

    one = Freeze(
        scope=tuple(scope or (EVERYTHING,)), until=_time(until), reason=reason, by=author_of(repo), dry_run=dry_run
    )
    path, freezes = _read(repo)
    _save(path, (*freezes, one))
    what = "would be frozen (dry run)" if dry_run else "is frozen"
    typer.echo(f"{', '.join(one.scope)} {what} until {one.until}")
    typer.echo(f"it holds once it is on the base branch: git add {path.name} in .gate, commit and push it there")


def unfreeze(scope: Scopes = None, repo: Repo = Path()) -> None:
    """Take back the freezes of a scope (default: all of them)."""
    path, freezes = _read(repo)
    kept = tuple(one for one in freezes if scope and not set(scope) >= set(one.scope))
    if len(kept) == len(freezes):
        known = "; ".join(", ".join(one.scope) for one in freezes) or "nothing"
        raise UsageError("no freeze has this scope and no other", f"frozen: {known}")
    _save(path, kept)
    typer.echo(f"{len(freezes) - len(kept):,} taken back; it holds once it is on the base branch")


def _read(repo: Path) -> "tuple[Path, tuple[Freeze, ...]]":
    from gatecli.config.freeze import FREEZE_PATH, read_freezes
    from gatecli.pipeline import root_of

    path = root_of(repo) / FREEZE_PATH
    return path, read_freezes(lambda _: path.read_bytes() if path.is_file() else None)


def _save(path: Path, freezes: "tuple[Freeze, ...]") -> None:
    from gatecli.cli.check import write_file
    from gatecli.config.freeze import write_freezes

    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, write_freezes(freezes))


def _time(text: str) -> str:
    from gatecli.cli.signing import ending
    from gatecli.config.freeze import is_moment

    at = ending(text, what="a freeze")
    return text if is_moment(text) else datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
