"""The report at a terminal: in a pager where it is longer than the screen, as git does it, else straight."""

import os
from collections.abc import Mapping

from rich.console import Console

from gatecli.model import Report
from gatecli.reports import terminal

# As git starts it: leave at once if all fits, let colours through, leave the text on the screen.
# https://git-scm.com/docs/git-config#Documentation/git-config.txt-corepager
LESS = "FRX"


def show(report: Report, *, show_all: bool = False, source_url: str | None = None) -> None:
    """Write the report to stdout.

    ``PAGER=cat`` turns the pager off; a CI run or a pipe never has one. ``source_url`` is what a path is appended to to
    open it.
    """
    console = Console(highlight=False)
    if not pages(console, os.environ):
        terminal.render(report, console, show_all=show_all, source_url=source_url)
        return
    with console.capture() as capture:
        terminal.render(report, console, show_all=show_all, source_url=source_url)
    text = capture.get()
    if text.count("\n") < console.height:
        console.file.write(text)
        return
    from rich.pager import SystemPager

    os.environ.setdefault("LESS", LESS)
    SystemPager().show(text)


def pages(console: Console, environment: Mapping[str, str]) -> bool:
    """Whether someone sits in front of it who can turn pages."""
    import sys

    return console.is_terminal and sys.stdin.isatty() and sys.stdout.isatty() and not environment.get("CI")
