"""Pictures of the comment before Mermaid's own parser, drawn in a browser as GitHub draws them.

Mermaid 11.4 and 12.3 read them alike (2026-11-26), but that 11.4 writes "Unsupported markdown: link" for an address.
"""

import html
import json
import re
import string
import subprocess
from typing import Any

import pytest

from gatecli.model import Report
from gatecli.reports import markdown, picture, text
from tests.reports import sample
from tests.reports.node import MODULES, SCRIPTS, package_file, program
from tests.reports.payloads import PAYLOADS

CHARACTERS = [*string.printable, "\x1b", "é", "漢", "\u202e", "\ud83d", "😀"]


def source(report: Report) -> str:
    """The picture as the comment has it."""
    match = re.search(r"^```mermaid\n(.*?)^```$", markdown.render(report), re.M | re.S)
    assert match is not None
    return match[1]


def one_line(label: str) -> str:
    return re.sub(r"\s+", " ", label).strip()


SOURCES = {
    "review": source(sample.review()),
    "block": source(sample.block()),
    "large": source(sample.large()),
    **{f"hostile: {name}": source(sample.hostile(payload)) for name, payload in PAYLOADS.items()},
}
FORMS = {
    form: [form.format(character) for character in CHARACTERS] for form in ("{0}", "a{0}b", "{0}{0}{0}", "{0} {0} b")
}
LABELLED = {
    form: "\n".join(["flowchart LR", *(f'  n{at}["{text.mermaid(label)}"]' for at, label in enumerate(labels))])
    for form, labels in FORMS.items()
}


@pytest.fixture(scope="module")
def drawn() -> dict[str, Any]:
    """What Mermaid made of each picture."""
    node, chromium = program("node"), program("chromium", "chromium-browser", "google-chrome")
    package_file("playwright-core/package.json")
    package_file("mermaid/dist/mermaid.min.js")
    done = subprocess.run(
        [node, str(SCRIPTS / "mermaid.mjs"), str(MODULES), chromium],
        input=json.dumps(SOURCES | LABELLED), capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["requests"] == []
    found: dict[str, Any] = said["found"]
    assert found.keys() == SOURCES.keys() | LABELLED.keys()
    return found


def meant(drawing: str) -> dict[str, str]:
    """The labels by node that the picture was written for, one line each."""
    labels = re.findall(r'^ {2}(n\d+)\(?\["([^"]*)"\]', drawing, re.M)
    return {name: one_line(html.unescape(re.sub(r"#(\d+);", r"&#\1;", label))) for name, label in labels}


def test_every_picture_is_read_as_it_was_meant(drawn: dict[str, Any]) -> None:
    """Every node and edge is there, each label says what it said before, and no label became anything else."""
    for name, drawing in SOURCES.items():
        found = drawn[name]
        assert found.get("error") is None, f"{name}: {found['error']}"
        assert found["type"] == "flowchart-v2", name
        assert found["nodes"] == meant(drawing), name
        arrows = re.findall(r"^  (n\d+) (-->|-\.->) (n\d+)$", drawing, re.M)
        expected = sorted((f"{start} {end}", arrow == "-.->") for start, arrow, end in arrows)
        assert sorted((edge["ends"], edge["dotted"]) for edge in found["edges"]) == expected, name
        assert found["foreign"] == [], name


def test_a_picture_that_was_cut_has_all_it_says(drawn: dict[str, Any]) -> None:
    assert len(drawn["large"]["nodes"]) == picture.MAX_NODES


def test_widths_are_those_of_the_traffic(drawn: dict[str, Any]) -> None:
    widths = {
        int(index): width
        for indices, width in re.findall(r"^  linkStyle ([\d,]+) stroke-width:(\d+)px$", SOURCES["review"], re.M)
        for index in indices.split(",")
    }
    order = [f"{start} {end}" for start, end in re.findall(r"^  (n\d+) \S+ (n\d+)$", SOURCES["review"], re.M)]
    styles = {edge["ends"]: edge["style"] for edge in drawn["review"]["edges"]}
    assert widths
    for index, width in widths.items():
        assert f"stroke-width:{width}px" in styles[order[index]]


@pytest.mark.parametrize("form", FORMS)
def test_every_character_stays_itself_in_a_label(drawn: dict[str, Any], form: str) -> None:
    found = drawn[form]
    assert found.get("error") is None
    said = [found["nodes"][f"n{at}"] for at in range(len(CHARACTERS))]
    assert said == [one_line(text.plain(label)) for label in FORMS[form]]
    assert found["foreign"] == []
