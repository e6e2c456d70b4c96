"""``gate grant``: excuse changes of a kind from requirements beforehand, signed, for some paths and a time."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gatecli.cli.signing import Key, Principal, ending, signer
from gatecli.cli.signoff import Repo
from gatecli.errors import UsageError

EPILOG = """\b
Examples:
  gate grant --requirement "cooling-off" --path docs/ --for 30d --reason "words do no harm"
  gate grant --requirement "senior signs the AI-written change" --path tests/ --to dana --for 7d --reason "test sprint"
"""


def grant(
    requirement: Annotated[
        list[str], typer.Option(metavar="NAME", help="What need not be met (NAME or BEGINNING*); repeatable.")
    ],
    path: Annotated[
        list[str], typer.Option(metavar="PATTERN", help="Gitignore pattern of files; a change touches no other.")
    ],
    until: Annotated[str, typer.Option("--for", metavar="WHEN", help="A length (7d) or a time with zone.")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; every report shows it.")],
    to: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Whose changes: a name, a team or seniors; repeatable; default: anybody's."),
    ] = None,
    key: Key = None,
    principal: Principal = None,
    repo: Repo = Path(),
) -> None:
    """Add a signed grant to .gate/grants.yml; it holds once it is on the base branch, and ends by itself."""
    import time

    import msgspec

    from gatecli.cli.check import write_file
    from gatecli.config.grants import GRANTS_PATH, Grant, read_grants, write_grants
    from gatecli.sources import signatures
    from gatecli.sources.git import Repository
    from gatecli.sources.standing import slug

    repository = Repository.open(repo)
    who = signer(repository, principal, key)
    if not all(text.strip() for text in (*requirement, *path, *(to or ()), reason)):
        raise UsageError("a grant with an empty requirement, path, name or reason", "say what it is for")
    one = Grant(
        requirements=tuple(requirement),
        paths=tuple(path),
        to=tuple(to or ()),
        since=_written(datetime.fromtimestamp(time.time(), UTC)),
        until=_written(datetime.fromtimestamp(ending(until, what="a grant"), UTC)),
        reason=reason,
        by=who.name,
        repository=slug(repository),
    )
    signature = signatures.sign(one.payload, who.key, namespace=signatures.GRANT)
    file = repository.root / GRANTS_PATH
    before = read_grants(lambda _: file.read_bytes() if file.is_file() else None)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_file(file, write_grants((*before, msgspec.structs.replace(one, signature=signature))))
    typer.echo(f"{', '.join(one.requirements)}: granted for {', '.join(one.paths)} until {one.until}")
    typer.echo(f"it holds once it is on the base branch: commit {GRANTS_PATH} and push it there")


def _written(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
