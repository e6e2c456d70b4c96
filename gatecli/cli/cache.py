"""``gate cache``: what gate remembers of files between runs."""

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

EPILOG = """\b
Examples:
  gate cache build       look at every file of HEAD once, so that the first check is as fast as the later ones
  gate cache info        where it is, and how large
  gate cache clear       forget everything
"""


@app.command()
def info() -> None:
    """Show where facts are kept, and how much that is: of files, of the past of repositories, of learned weights."""
    from gatecli.pipeline import cache_folder
    from gatecli.syntax.cache import FactCache

    with FactCache(cache_folder()) as cache:
        kept = cache.info()
    typer.echo(f"{kept.path}\n{kept.files:,} files of code, {kept.size / 1e6:,.1f} MB in all")


@app.command()
def clear() -> None:
    """Forget the facts of all files; they are found out again when they are needed."""
    from gatecli.pipeline import cache_folder
    from gatecli.syntax.cache import FactCache

    with FactCache(cache_folder()) as cache:
        freed = cache.clear()
    typer.echo(f"{freed / 1e6:,.1f} MB freed")


@app.command(epilog=EPILOG)
def build(
    repo: Annotated[Path, typer.Option(metavar="DIR", help="The repository.")] = Path(),
) -> None:
    """Look at every Python file of HEAD now, with all processors: after a clone, or in a nightly job."""
    from rich.console import Console
    from rich.progress import Progress

    from gatecli.pipeline import build_index

    console = Console(stderr=True)
    done = total = 0
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("reading", total=None)
        for done, total in build_index(repo):
            progress.update(task, completed=done, total=total)
    sys.stdout.write(f"{total:,} Python files, {done:,} of them new\n")
