import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings

from gatecli.model import Report
from gatecli.reports import gitlab
from tests.reports import goldens, sample
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
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
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
        "location": {"path": "shop/migrations/0007_drop_note.py", "lines": {"begin": 12}},
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
@settings(max_examples=50, deadline=None)
def test_any_text_is_inert(payload: str) -> None:
    inert(payload)


def inert(payload: str) -> None:
    report = sample.hostile(payload)
    written = gitlab.render(report)
    assert len(issues(report)) == 2
    assert not INVISIBLE.search(written.replace("\n", ""))
    assert not COMMAND.search(written)
    assert len(written) < 100_000
