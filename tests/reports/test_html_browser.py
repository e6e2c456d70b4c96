"""The page in a real browser: nothing fails, nothing is fetched, axe has no complaint, keys lead where they should."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pypdf
import pytest

from gatecli.model import Report
from gatecli.reports import html
from tests.reports import sample
from tests.reports.node import MODULES, SCRIPTS, package_file, program, run
from tests.reports.payloads import PAYLOADS

PAGES = {
    "review": sample.review(),
    "block": sample.block(),
    "unprofiled": sample.unprofiled(),
    "empty": sample.empty(),
    "script": sample.hostile(PAYLOADS["script"] + PAYLOADS["image"] + "\"'></style></script><script>alert(1)</script>"),
    "long": sample.hostile(PAYLOADS["long"][:3_000]),
}


def seen(mode: str, folder: Path, pages: dict[str, Report]) -> dict[str, Any]:
    """What the browser says of each page."""
    node, chromium = program("node"), program("chromium", "chromium-browser", "google-chrome")
    package_file("playwright-core/package.json")
    package_file("axe-core/axe.min.js")
    files = {name: folder / f"{name}.html" for name in pages}
    for name, file in files.items():
        file.write_text(html.render(pages[name]), encoding="utf-8")
    command = [node, str(SCRIPTS / "page.mjs"), mode, str(MODULES), chromium, *map(str, files.values())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    return {name: report[str(file)][0] for name, file in files.items()}


def test_no_error_no_request_and_axe_has_no_complaint(tmp_path: Path) -> None:
    for name, looks in seen("look", tmp_path, PAGES).items():
        assert len(looks) == 4
        for look in looks:
            where = f"{name}, {look['colorScheme']}, {look['width']} wide"
            assert look["violations"] == [], where
            assert look["errors"] == [], where
            assert look["requests"] == [], where
            assert look["overflow"] <= 0, f"{where}: the page scrolls sideways"


def test_keys_lead_through_the_page_and_through_the_icicle(tmp_path: Path) -> None:
    walk = seen("walk", tmp_path, {"review": PAGES["review"]})["review"]
    assert walk["stops"] == [
        "Skip to the report",
        "Verdict: review",
        "Why",
        "To merge",
        "In production",
        "Blast radius",
    ]
    assert walk["stopsInTree"] == 1, "the tree is one stop of Tab"
    assert walk["down"] == "orders.create_order 31 %"
    assert walk["right"] == "POST /quotes 17 %"
    assert walk["zoomed"] > 0.98
    assert walk["escaped"] == pytest.approx(0.34, abs=0.02)
    assert walk["said"].startswith("POST /quotes: 17 % of the recorded time by this way")
    assert walk["errors"] == walk["requests"] == []


def test_print_unfolds_what_matters_is_light_and_folds_it_again(tmp_path: Path) -> None:
    printed = seen("print", tmp_path, {"review": PAGES["review"]})["review"]
    assert printed["before"] == printed["after"] == 1
    assert printed["during"] == 0
    assert printed["navigation"] == "none"
    assert printed["background"] == "rgb(255, 255, 255)"
    assert printed["errors"] == printed["requests"] == []


def test_paper_has_the_verdict_every_function_and_its_lines(tmp_path: Path) -> None:
    report = sample.review()
    printed = seen("paper", tmp_path, {"review": report})["review"]
    pages = pypdf.PdfReader(printed["path"]).pages
    # Where a line is broken on paper means nothing, and whether "ffi" is one sign.
    text = re.sub(r"\s+", "", normalize("NFKC", "".join(page.extract_text() for page in pages)))
    assert "Review4of11functionsmatter" in text
    for reason in report.verdict.reasons:
        assert re.sub(r"\s+|`", "", reason.text) in text
    for function in report.case.functions:
        assert function.id.qualname.replace(" ", "") in text, function.id
    assert len(pages) < 20
    assert printed["errors"] == printed["requests"] == []


def test_five_hundred_functions_open_without_a_complaint(tmp_path: Path) -> None:
    """How fast is measured, not asserted: ``python -m tests.bench.page``."""
    opened = seen("time", tmp_path, {"large": sample.large(500)})["large"]
    assert opened["errors"] == opened["requests"] == []
    assert opened["functions"] == 500


def test_html_validate_finds_nothing(tmp_path: Path) -> None:
    package_file("html-validate/package.json")
    pages = {name: html.render(make()) for name, make in sample.SAMPLES.items()}
    pages |= {f"hostile-{at}": html.render(sample.hostile(text[:3_000])) for at, text in enumerate(PAYLOADS.values())}
    pages["bad"] = pages["review"].replace("</main>", "<p id='x'><div></p id='x'>")
    files = {name: tmp_path / f"{name}.html" for name in pages}
    for name, file in files.items():
        file.write_text(pages[name], encoding="utf-8")
    found = json.loads(run("markup.mjs", *files.values()))
    assert {one["file"] for one in found} == {str(files["bad"])}, found[:5]
