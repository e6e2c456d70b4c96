import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings

from gatecli.model import Report
from gatecli.reports import gitlab
from tests.reports import goldens, sample
from tests.reports.node import MODULES, package_file, program
from tests.reports.payloads import PAYLOADS
from tests.reports.test_text import COMMAND, INVISIBLE, hostile

# https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format: every field is required.
SCHEMA = {
    "type": "array",
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string"},
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "additionalProperties": False,
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "not": {"pattern": r"^\./"}},
                    "lines": {
                        "type": "object",
                        "additionalProperties": False,
                        "required": ["begin", "end"],
                        "properties": {
                            "begin": {"type": "integer", "minimum": 1},
                            "end": {"type": "integer", "minimum": 1},
                        },
                    },
                },
            },
        },
    },
}


def issues(report: Report) -> Any:
    found = json.loads(gitlab.render(report))
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    assert len({issue["fingerprint"] for issue in found}) == len(found)
    return found


@pytest.mark.parametrize("name", ["review", "block", "pass"])
def test_golden(name: str) -> None:
    goldens.check(f"{name}.gitlab.json", gitlab.render(sample.SAMPLES[name]()).encode())


def test_a_finding_is_an_issue() -> None:
    first = issues(sample.block())[0]
    assert first == {
        "description": "orders.note is dropped while 2 functions still read it"
        " → drop the column one release later, when no deployed code reads it",
        "check_name": "column-dropped M02",
        "fingerprint": first["fingerprint"],
        "severity": "blocker",
        "location": {"path": "shop/migrations/0007_drop_note.py", "lines": {"begin": 12, "end": 12}},
    }


def test_fingerprints_survive_moved_lines_and_tell_twins_apart() -> None:
    report = sample.review()
    finding = report.findings[0]
    first = issues(replace(report, findings=(finding,)))[0]["fingerprint"]
    later = issues(replace(report, findings=(replace(finding, line=99),)))[0]["fingerprint"]
    twins = [issue["fingerprint"] for issue in issues(replace(report, findings=(finding, replace(finding, line=99))))]
    assert first == later == twins[0] != twins[1]


def test_nothing_found_is_an_empty_list() -> None:
    assert gitlab.render(sample.passing()) == "[]\n"


@pytest.mark.parametrize("name", PAYLOADS)
def test_hostile_text_is_inert(name: str) -> None:
    inert(PAYLOADS[name])


@given(payload=hostile)
@settings(max_examples=50)
def test_any_text_is_inert(payload: str) -> None:
    inert(payload)


def inert(payload: str) -> None:
    report = sample.hostile(payload)
    written = gitlab.render(report)
    assert len(issues(report)) == 2
    assert not INVISIBLE.search(written.replace("\n", ""))
    assert not COMMAND.search(written)
    assert len(written) < 100_000


# --------------------------------------------------------------------------- what Code Climate says

# GitLab reads this subset of Code Climate's issues, and wants a fingerprint and a severity, which are optional there.
READ = """import type { Issue } from "codeclimate-types";
type Read = Required<Pick<Issue, "description" | "check_name" | "fingerprint" | "severity" | "location">>;
const issues: Read[] = """


def compiled(folder: Path, **written: str) -> list[str]:
    """What the TypeScript compiler says of reports as values of the published types."""
    compiler = package_file("typescript/lib/tsc.js")
    package_file("codeclimate-types/index.d.ts")
    (folder / "node_modules").symlink_to(MODULES)
    files = [folder / f"{name}.ts" for name in written]
    for file, text in zip(files, written.values(), strict=True):
        file.write_text(f"{READ}{text.strip()};\nexport default issues;\n", encoding="utf-8")
    options = {"noEmit": True, "strict": True, "types": [], "skipLibCheck": True, "moduleResolution": "node10"}
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "include": ["*.ts"]}))
    command = [program("node"), str(compiler), "--project", str(folder), "--pretty", "false"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=folder)
    return [line for line in done.stdout.splitlines() if "error" in line]


def test_they_are_issues_as_code_climate_s_types_have_them(tmp_path: Path) -> None:
    written = {f"sample-{name}": gitlab.render(make()) for name, make in sample.SAMPLES.items()}
    written |= {f"hostile-{at}": gitlab.render(sample.hostile(text)) for at, text in enumerate(PAYLOADS.values())}
    assert compiled(tmp_path, **written) == []


def test_the_types_would_refuse_another_severity_and_a_missing_field(tmp_path: Path) -> None:
    good = gitlab.render(sample.block())
    found = compiled(
        tmp_path, severity=good.replace('"blocker"', '"fatal"'), field=good.replace("fingerprint", "finger_print")
    )
    assert any(line.startswith("severity.ts") and "fatal" in line for line in found)
    assert any(line.startswith("field.ts") for line in found)
