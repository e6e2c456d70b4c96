"""``gate demo``: the example shows what gate notices, and what it says to try next does what it says."""

import json
from pathlib import Path

import pytest

from gatecli.cli.main import run
from gatecli.config.incidents import read_incidents
from gatecli.scoring.learned import read_learned
from gatecli.sources.git import Repository


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


def test_what_the_example_knows_of_its_past_is_what_gate_finds_there(
    shop: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The weights and the incident are written by gate; another prior may give other points, not other outcomes."""
    repository = Repository.open(shop)
    written = read_learned((shop / ".gate" / "weights.yml").read_bytes(), "weights.yml")
    assert written.taught.revision is not None
    assert written.taught.revision in repository.text("rev-list", "--first-parent", "main").split()
    (added,) = repository.text("log", "--format=%H", "--diff-filter=A", "main", "--", ".gate/weights.yml").split()
    assert run(["learn", f"{added}~1", "--repo", str(shop), "--dry-run"]) == 0
    found = read_learned(capfd.readouterr().out.encode(), "found")
    assert (found.taught, found.compared) == (written.taught, written.compared)
    assert [band.bad for band in found.bands] == [band.bad for band in written.bands]
    (incident,) = read_incidents(repository.tree("main").read)
    assert repository.resolve(incident.caused_by[0]) == incident.caused_by[0]
    assert str(incident.functions[0]) == "shop/pricing.py::price_order"


def test_the_report_of_the_example_has_a_place_a_catch_rate_and_an_incident(
    shop: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run(["check", "main", "--repo", str(shop), "--report", "json"])
    found = json.loads(capfd.readouterr().out)
    standing = found["score"]["standing"]
    assert standing["problem"] is None
    assert 0 <= standing["percentile"] <= 1
    assert all(band["bad"] > 0 for band in standing["bands"])
    assert "incident-memory" in [one["rule"] for one in found["score"]["contributions"]]
