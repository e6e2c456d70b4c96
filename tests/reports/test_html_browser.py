"""The page in a real browser: nothing fails, nothing is fetched, axe has no complaint, keys lead where they should."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gatecli.reports import html
from tests.reports import sample
from tests.reports.node import MODULES, SCRIPTS, package_file, program
from tests.reports.payloads import PAYLOADS

PAGES = {
    "review": sample.review(),
    "block": sample.block(),
    "unprofiled": sample.unprofiled(),
    "empty": sample.empty(),
    "large": sample.large(500),
    "script": sample.hostile(PAYLOADS["script"] + PAYLOADS["image"] + "\"'></style></script><script>alert(1)</script>"),
    "long": sample.hostile(PAYLOADS["long"][:3_000]),
}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    node, chromium = program("node"), program("chromium", "chromium-browser", "google-chrome")
    package_file("playwright-core/package.json")
    package_file("axe-core/axe.min.js")
    folder = tmp_path_factory.mktemp("pages")
    files = {name: folder / f"{name}.html" for name in PAGES}
    for name, file in files.items():
        file.write_text(html.render(PAGES[name]), encoding="utf-8")
    command = [node, str(SCRIPTS / "page.mjs"), str(MODULES), chromium, *map(str, files.values())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    return {name: report[str(file)] for name, file in files.items()}


@pytest.mark.parametrize("name", PAGES)
def test_no_error_no_request_and_axe_has_no_complaint(seen: dict[str, Any], name: str) -> None:
    page = seen[name]
    assert len(page["looks"]) == 4
    for look in page["looks"]:
        where = f"{look['colorScheme']}, {look['width']} wide"
        assert look["violations"] == [], where
        assert look["errors"] == [], where
        assert look["requests"] == [], where
        assert look["overflow"] <= 0, f"{where}: the page scrolls sideways"
    assert page["walk"]["errors"] == page["print"]["errors"] == []


def test_tab_goes_past_the_navigation_and_through_the_page(seen: dict[str, Any]) -> None:
    assert seen["review"]["walk"]["stops"] == [
        "Skip to the report",
        "Verdict: review",
        "Why",
        "To merge",
        "In production",
        "Blast radius",
    ]


def test_the_icicle_is_walked_with_arrows_and_zoomed_with_enter(seen: dict[str, Any]) -> None:
    walk = seen["review"]["walk"]
    assert walk["stopsInTree"] == 1, "the tree is one stop of Tab"
    assert walk["down"] == "orders.create_order 31 %"
    assert walk["right"] == "POST /quotes 17 %"
    assert walk["zoomed"] > 0.98
    assert walk["escaped"] == pytest.approx(0.34, abs=0.02)
    assert walk["said"].startswith("POST /quotes: 17 % of the recorded time by this way")


def test_print_unfolds_what_matters_is_light_and_folds_it_again(seen: dict[str, Any]) -> None:
    printed = seen["review"]["print"]
    assert printed["before"] == printed["after"] == 1
    assert printed["during"] == 0
    assert printed["navigation"] == "none"
    assert printed["background"] == "rgb(255, 255, 255)"


def test_five_hundred_functions_open_in_under_a_second(seen: dict[str, Any], tmp_path: Path) -> None:
    assert seen["large"]["milliseconds"] < 1_000
