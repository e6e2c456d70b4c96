"""The pictures in docs/images show the report of ``gate demo`` as it is now.

``UPDATE_GOLDEN=1`` takes them anew, with Chromium and the packages of ``tests/node``.
"""

import os
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from gatecli import pipeline, reports
from gatecli.cli.demo import BRANCH, NOW
from gatecli.cli.main import run as gate
from gatecli.model import Report
from tests.reports.node import package_file, program, run

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "docs" / "images"
SHOWN = IMAGES / "html.txt"
"""What the page said in its parts when the pictures were taken."""

PARTS = {"html-verdict.png": (None, "why"), "html-production.png": ("production", "blast")}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    folder = tmp_path_factory.mktemp("pictures") / "shop"
    assert gate(["demo", "--into", str(folder)]) == 0
    origin = pipeline.open_source(folder, revisions=f"main...{BRANCH}")
    return pipeline.judge(origin, pipeline.Request(now=NOW, call_tree=True))


class Parts(HTMLParser):
    """The text of a page by its sections; None is what stands before the first."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.at: str | None = None
        self.is_shown = False
        self.text: dict[str | None, str] = {None: ""}
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.is_shown = self.is_shown or tag == "main"
        if tag == "section":
            self.at = dict(attrs).get("id")
            self.text[self.at] = ""
        elif tag in {"li", "p", "div", "tr", "h1", "h2"} and self.is_shown:
            self.text[self.at] += "\n"

    def handle_data(self, data: str) -> None:
        if self.is_shown:
            self.text[self.at] += data


def test_the_pictures_of_the_page_show_what_it_says(report: Report, tmp_path: Path) -> None:
    source = reports.render("html", report)
    text = Parts(source).text
    said = "".join(
        f"== {picture}\n" + "".join(re.sub(r"\s*\n\s*", "\n", text[part]).strip() + "\n" for part in parts)
        for picture, parts in PARTS.items()
    )
    if os.environ.get("UPDATE_GOLDEN") and said != SHOWN.read_text(encoding="utf-8"):
        chromium = program("chromium", "chromium-browser", "google-chrome")
        package_file("playwright-core/package.json")
        page = tmp_path / "report.html"
        page.write_text(source, encoding="utf-8")
        run("screenshots.mjs", chromium, page, IMAGES)
        SHOWN.write_text(said, encoding="utf-8", newline="\n")
    assert said == SHOWN.read_text(encoding="utf-8"), "the pictures are of another report: UPDATE_GOLDEN=1"
    assert all((IMAGES / picture).stat().st_size > 10_000 for picture in PARTS)


def test_the_picture_of_the_terminal_shows_what_it_says(report: Report) -> None:
    file = IMAGES / "terminal.svg"
    drawn = reports.render("svg", report)
    if os.environ.get("UPDATE_GOLDEN") and words(drawn) != words(file.read_text(encoding="utf-8")):
        file.write_text(drawn, encoding="utf-8", newline="\n")
    assert words(drawn) == words(file.read_text(encoding="utf-8")), "UPDATE_GOLDEN=1 draws it anew"


def words(drawing: str) -> str:
    """What a picture says, but for the version and the time of the run, whose length moves what stands before it."""
    texts = (text.text or "" for text in ElementTree.fromstring(drawing).iter("{http://www.w3.org/2000/svg}text"))
    return re.sub(r"\s+gate\s\S+\s·\s[\d.,]+\sm?s\b", " gate VERSION", "".join(texts), count=1)
