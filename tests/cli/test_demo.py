"""``gate demo``: the example shows what gate notices, and what it says to try next does what it says."""

import json
from pathlib import Path

import pytest

from gatecli.cli.main import run


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "shop"
    assert run(["demo", "--into", str(folder)]) == 0
    return folder


def test_every_family_of_rules_has_a_finding_that_asks_for_a_review(
    shop: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", "main", "--repo", str(shop), "--report", "json"]) == 3
    findings = json.loads(capfd.readouterr().out)["findings"]
    assert {finding["severity"] for finding in findings} == {"review", "note"}
    assert {finding["code"][0] for finding in findings if finding["severity"] == "review"} == set("ACDEFMST")


def test_the_change_that_is_said_to_pass_passes(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "main~1..main", "--repo", str(shop)]) == 0


def test_what_it_says_to_try_next(shop: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "--into", str(tmp_path / "other")]) == 0
    lines = [line.strip() for line in capfd.readouterr().err.splitlines()]
    rule = next(line.split()[3] for line in lines if line.startswith("gate rules show"))
    assert run(["rules", "show", rule]) == 0
    assert run(["profile", "show", str(shop / ".gate" / "profile.json.gz")]) == 0
    assert any(line.startswith("gate check main~1..main") for line in lines)
