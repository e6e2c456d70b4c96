"""How to say it: one renderer a format, all of the same facts (``summary``), all of inert text (``text``)."""

from gatecli.errors import UsageError
from gatecli.model import Report

FORMATS = ("terminal", "json", "markdown")
"""The formats that ``render`` knows."""


def render(format: str, report: Report) -> str:
    """The report in a format, as text for a file: ``terminal`` is 100 columns without colour.

    Raises UsageError for a format that does not exist.
    """
    if format == "json":
        from gatecli.reports import json

        return json.to_json(report).decode()
    if format == "markdown":
        from gatecli.reports import markdown

        return markdown.render(report)
    if format == "terminal":
        return _terminal(report)
    from gatecli.reports.text import plain

    raise UsageError(f"there is no report format {plain(format, 40)!r}", f"formats: {', '.join(FORMATS)}")


def _terminal(report: Report) -> str:
    from io import StringIO

    from rich.console import Console

    from gatecli.reports import terminal

    file = StringIO()
    console = Console(file=file, width=100, force_terminal=False, color_system=None, legacy_windows=False)
    terminal.render(report, console)
    return file.getvalue()
