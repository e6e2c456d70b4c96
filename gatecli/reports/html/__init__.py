"""The report as one HTML file that needs nothing else: no network, no library, readable without its script too.

The charts are lists, tables and SVG that are written here, not drawn in the browser by a charting library: they can be
read by a screen reader, searched, printed and compared byte for byte, and no text of the change ever meets a script.
"""

import base64
import hashlib
from functools import cache
from pathlib import Path

from gatecli.model import Report
from gatecli.reports import summary
from gatecli.reports.html.blast import blast
from gatecli.reports.html.context import Context, context
from gatecli.reports.html.elements import Html, tag
from gatecli.reports.html.functions import functions
from gatecli.reports.html.production import production
from gatecli.reports.html.record import files, findings, history, record
from gatecli.reports.html.score import score
from gatecli.reports.html.verdict import header, merge, why
from gatecli.reports.text import guard

_NAMES = {
    "why": "Why",
    "merge": "To merge",
    "production": "In production",
    "blast": "Blast radius",
    "functions": "Functions",
    "score": "Score",
    "findings": "Findings",
    "history": "History",
    "files": "Files",
    "record": "Record",
}


def render(report: Report, *, source_url: str | None = None) -> str:
    """The report as a page.

    ``source_url`` is what a path of the head is appended to to read it; with it, places are links.
    """
    page = context(report, source_url)
    sections = {
        "why": why(page),
        "merge": merge(page),
        "production": production(page),
        "blast": blast(page),
        "functions": functions(page),
        "score": score(page),
        "findings": findings(page),
        "history": history(page),
        "files": files(page),
        "record": record(page),
    }
    shown = {id: part for id, part in sections.items() if part is not None}
    body = tag(
        "body",
        tag("a", "Skip to the report", href="#main", class_="skip"),
        _navigation(report, shown),
        tag("main", header(page, shown), *shown.values(), id="main"),
        tag("footer", tag("p", f"gate {report.tool_version}")),
        tag("script", Html(_asset("script.js"))),
    )
    return guard(f"<!doctype html>\n{tag('html', _head(page), Html(chr(10)), body, lang='en')}\n")


def _head(page: Context) -> Html:
    title = f"gate: {summary.word(page.report)} · {', '.join(summary.headline(page.report))}"
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy()),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("link", rel="icon", href="data:,"),
        tag("style", Html(_asset("style.css"))),
    )


def _policy() -> str:
    """Only this page's own script runs, whatever the page is made to hold."""
    digest = base64.b64encode(hashlib.sha256(_asset("script.js").encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _navigation(report: Report, shown: dict[str, Html]) -> Html:
    word = summary.word(report)
    links = [tag("li", tag("a", _NAMES[id], href=f"#{id}")) for id in shown]
    home = tag("a", tag("span", word, class_="badge"), href="#main", aria_label=f"Verdict: {word}")
    return tag("nav", home, tag("ul", links), class_=word, aria_label="Sections")


@cache
def _asset(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")
