"""Whole reports of whole changes, as users see them: terminal, Markdown and JSON.

A folder holds ``scenario.yml`` (a history, a branch, a profile) and the three expected reports. After a change that is
meant, write them anew with ``UPDATE_GOLDEN=1`` and read the diff.
"""

import json
import os
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from gatecli import pipeline, reports
from gatecli.cli import demo
from gatecli.sources.sample import build
from tests.conftest import GitRepo

HERE = Path(__file__).parent
SCHEMA = json.loads((HERE.parents[1] / "docs" / "report.schema.json").read_bytes())
NAMES = sorted(path.parent.name for path in HERE.glob("*/scenario.yml"))
FORMATS = {"terminal": "expected.txt", "markdown": "expected.md", "json": "expected.json"}


@pytest.mark.parametrize("name", NAMES)
def test_scenario(name: str, tmp_path: Path, make_repo: Callable[..., GitRepo]) -> None:
    scenario = yaml.safe_load((HERE / name / "scenario.yml").read_text())
    folder, revisions = _demo(tmp_path) if scenario.get("demo") else _history(scenario, make_repo())
    now = int(scenario["now"].timestamp()) if isinstance(scenario["now"], datetime) else 0
    assert now, "a scenario has a clock"

    origin = pipeline.open_source(folder, revisions=revisions)
    report = pipeline.judge(origin, pipeline.Request(now=now))

    for format, file in FORMATS.items():
        found = _stable(reports.render(format, report))
        expected = HERE / name / file
        if os.environ.get("UPDATE_GOLDEN"):
            expected.write_text(found, encoding="utf-8", newline="\n")
        assert found == expected.read_text(encoding="utf-8"), f"{name}/{file}"
    jsonschema.validate(json.loads(reports.render("json", report)), SCHEMA)


def _demo(tmp_path: Path) -> tuple[Path, str]:
    data = Path(demo.__file__).resolve().parents[1] / "demo"
    mails = [path.read_bytes() for path in sorted(data.glob("*.patch"))]
    build(tmp_path, mails, branch=demo.BRANCH, branch_at=demo.MAILS_ON_MAIN)
    (tmp_path / ".gate" / "profile.json.gz").write_bytes((data / "profile.json.gz").read_bytes())
    return tmp_path, f"main...{demo.BRANCH}"


def _history(scenario: dict[str, Any], repo: GitRepo) -> tuple[Path, str]:
    for commit in scenario["main"]:
        _commit(repo, commit)
    branch = scenario.get("branch_name", "topic")
    repo.git("checkout", "-q", "-b", branch)
    for commit in scenario["branch"]:
        _commit(repo, commit)
    if "profile" in scenario:
        deployed = repo.git("rev-parse", "main").strip()
        document = _profile(scenario["profile"], deployed, scenario["now"])
        repo.write(".gate/profile.json.gz", json.dumps(document))
    return repo.path, f"main...{branch}"


def _commit(repo: GitRepo, commit: dict[str, Any]) -> None:
    name, address = commit["by"][:-1].split(" <")
    env = {
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": address,
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": address,
    }
    repo.commit(commit["files"], commit["message"], env=env)


def _profile(short: dict[str, Any], revision: str, now: datetime) -> dict[str, Any]:
    """A profile of a day that ended when the scenario is judged, from a few words a function."""
    end = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    source = {"kind": "csv", "file": "counts.csv", "sha256": "0" * 64, "basis": "counted", "clock": "wall"}
    functions, entries = [], []
    for row in short["functions"]:
        entry = row.get("entry_point")
        function = {
            "id": row["id"],
            "kind": "function",
            "calls": int(row["calls_per_min"] * 1440),
            "calls_per_min": row["calls_per_min"],
            "calls_basis": "counted",
            "time_total": {"share": row["share"]},
            "match": "qualname",
            "sources": [0],
            "entry_points": [{"id": entry, "share": 1.0}] if entry else [],
        }
        functions.append(function)
        if entry:
            entries.append({"id": entry, "kind": "http", "handler": row["id"], "weight": row["share"]})
    return {
        "schema": "gate.runtime-profile/1",
        "meta": {
            "service": "shop",
            "environment": "production",
            "window": {"start": end, "end": end, "observed_seconds": 86400},
            "revision": revision,
            "generated_at": end,
            "generator": "test",
            "sources": [source],
        },
        "functions": functions,
        "entry_points": entries,
    }


def _stable(text: str) -> str:
    """The report without the time it took."""
    text = re.sub(r" +gate \d\S* · [\d.,]+ m?s\b", "  gate VERSION · TIME", text)
    return re.sub(r'"timings_ms": \{[^}]*\}', '"timings_ms": {}', text)


def test_the_demo_shows_a_finding_of_each_family() -> None:
    findings = json.loads((HERE / "demo" / "expected.json").read_bytes())["findings"]
    assert {finding["code"][0] for finding in findings} == set("MDECFAST")
