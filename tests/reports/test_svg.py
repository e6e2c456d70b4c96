import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings

from gatecli.reports import svg
from tests.reports import goldens, sample
from tests.reports.node import package_file, program, run
from tests.reports.payloads import PAYLOADS
from tests.reports.test_text import COMMAND, INVISIBLE, hostile

NAMESPACE = "{http://www.w3.org/2000/svg}"
TAGS = {"svg", "title", "style", "defs", "clipPath", "rect", "g", "text", "circle"}


def read(source: str) -> ElementTree.Element:
    """The picture, checked: known elements, nothing that runs or is loaded."""
    root = ElementTree.fromstring(source)
    for element in root.iter():
        assert element.tag.removeprefix(NAMESPACE) in TAGS, element.tag
        for name, value in element.attrib.items():
            assert not name.startswith("on"), name
            assert "href" not in name
            assert not re.search(r"url\((?!#)", value), value
    style = root.find(f"{NAMESPACE}style")
    assert style is not None
    assert not re.search(r"url\(|@import|@font-face", style.text or "")
    assert not INVISIBLE.search(source.replace("\n", ""))
    assert not COMMAND.search(source)
    return root


def test_golden() -> None:
    source = svg.render(sample.review())
    read(source)
    goldens.check("review.svg", source.encode())


@pytest.mark.parametrize("name", sample.SAMPLES)
def test_every_sample_is_a_picture(name: str) -> None:
    read(svg.render(sample.SAMPLES[name]()))


def test_it_has_a_title_and_the_words_of_the_terminal() -> None:
    root = read(svg.render(sample.block()))
    assert root.attrib["role"] == "img"
    title = root.find(f"{NAMESPACE}title")
    assert title is not None
    assert title.text == "gate: block · column-dropped blocks, both functions matter, risk 36"
    said = "".join(text.text or "" for text in root.iter(f"{NAMESPACE}text")).replace("\xa0", " ")
    assert "drop the column one release later, when no deployed code reads it" in said


def test_it_does_not_depend_on_the_terminal_it_is_made_in(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = svg.render(sample.review())
    for name, value in {"NO_COLOR": "1", "COLUMNS": "40", "TERM": "dumb"}.items():
        monkeypatch.setenv(name, value)
    assert svg.render(sample.review()) == usual


@pytest.mark.parametrize("name", PAYLOADS)
def test_hostile_text_is_inert(name: str) -> None:
    read(svg.render(sample.hostile(PAYLOADS[name])))


@given(payload=hostile)
@settings(max_examples=40)
def test_any_text_is_inert(payload: str) -> None:
    read(svg.render(sample.hostile(payload)))


def test_a_browser_draws_it_with_its_words_inside_and_fetches_nothing(tmp_path: Path) -> None:
    chromium = program("chromium", "chromium-browser", "google-chrome")
    package_file("playwright-core/package.json")
    pictures = {name: svg.render(make()) for name, make in sample.SAMPLES.items()}
    pictures |= {f"hostile-{at}": svg.render(sample.hostile(text)) for at, text in enumerate(PAYLOADS.values())}
    files = {name: tmp_path / f"{name}.svg" for name in pictures}
    for name, file in files.items():
        file.write_text(pictures[name], encoding="utf-8")
    drawn = json.loads(run("svg.mjs", chromium, *files.values()))
    for name, file in files.items():
        seen = drawn[str(file)]
        assert seen["root"] == "svg", name
        assert seen["heard"] == [], name
        assert seen["foreign"] == [], name
        assert seen["outside"] == [], name
        words = [text.text or "" for text in ElementTree.fromstring(pictures[name]).iter(f"{NAMESPACE}text")]
        assert seen["words"] == words, name
