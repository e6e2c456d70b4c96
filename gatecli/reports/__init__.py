"""How to say it: one renderer a format, all of the same facts (``summary``), all of inert text (``text``)."""

from gatecli.errors import UsageError
from gatecli.model import Report

FORMATS = ("terminal", "json", "markdown", "html", "sarif", "github", "junit", "gitlab", "svg")
"""The formats that ``render`` knows."""


def render(format: str, report: Report, *, source_url: str | None = None) -> str:
    """The report in a format, as text for a file: ``terminal`` is 100 columns without colour.

    ``source_url`` is what a path of the head is appended to to read it; with it, Markdown and HTML link places.

    Raises UsageError for a format that does not exist.
    """
    match format:
        case "terminal":
            return _terminal(report)
        case "json":
            from gatecli.reports import json

            return json.to_json(report).decode()
        case "markdown":
            from gatecli.reports import markdown

            return markdown.render(report, source_url=source_url)
        case "html":
            from gatecli.reports import html

            return html.render(report, source_url=source_url)
        case "sarif":
            from gatecli.reports import sarif

            return sarif.render(report)
        case "github":
            from gatecli.reports import annotations

            return annotations.render(report)
        case "junit":
            from gatecli.reports import junit

            return junit.render(report)
        case "gitlab":
            from gatecli.reports import gitlab

            return gitlab.render(report)
        case "svg":
            from gatecli.reports import svg

            return svg.render(report)
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
