import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings

from gatecli.model import Report, Usage, UsageStatus
from gatecli.reports import json as report_json
from tests.reports import goldens, sample
from tests.reports.payloads import PAYLOADS
from tests.reports.test_text import COMMAND, INVISIBLE, hostile

PUBLISHED = Path(__file__).parents[2] / "docs" / "report.schema.json"
VALIDATOR = jsonschema.Draft202012Validator(json.loads(report_json.schema()))


def loaded(report: Report) -> Any:
    document = json.loads(report_json.to_json(report))
    VALIDATOR.validate(document)
    return document


def test_published_schema_is_current() -> None:
    assert PUBLISHED.read_bytes().decode() == report_json.schema().decode()


def test_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(report_json.schema()))


def test_every_object_is_closed_and_whole() -> None:
    for name, definition in json.loads(report_json.schema())["$defs"].items():
        if definition.get("type") == "object":
            assert definition["additionalProperties"] is False, name
            assert set(definition["required"]) == set(definition["properties"]), name


@pytest.mark.parametrize("name", [name for name in sample.SAMPLES if name != "large"])
def test_golden(name: str) -> None:
    loaded(sample.SAMPLES[name]())
    goldens.check(f"{name}.json", report_json.to_json(sample.SAMPLES[name]()))


def test_large_report_is_valid() -> None:
    assert len(loaded(sample.large())["functions"]) == 200


def test_nesting_is_as_designed() -> None:
    document = loaded(sample.review())
    assert list(document) == [
        "schema",
        "tool",
        "generated_at",
        "mode",
        "verdict",
        "exit_code",
        "change",
        "provenance",
        "functions",
        "profile",
        "findings",
        "rules_run",
        "score",
        "incidents",
        "signoff",
        "policy",
        "audit",
        "limits",
        "timings_ms",
    ]
    assert document["schema"] == "gate-report/1"
    assert document["provenance"]["class"] == "ai"
    assert document["change"]["stats"] == {"files": 5, "functions": 11, "added": 180, "deleted": 34}
    assert document["functions"][0]["id"] == "shop/pricing.py::price_order"
    assert document["functions"][0]["span"] == {"start": 10, "end": 40}
    assert document["functions"][0]["blast"]["callers"] == 5
    assert document["functions"][0]["usage"]["entry_points"][0] == {"name": "POST /orders", "share": 0.71}
    assert document["profile"]["match"] == {"touched": 11, "observed": 5, "not_observed": 3, "unmatched": 3}
    assert document["audit"] == {"entry": None, "head": None}


def test_a_reason_carries_the_remedy_of_its_finding() -> None:
    first, *_, last = loaded(sample.review())["verdict"]["reasons"]
    assert first["remedy"] == "load the prices of all lines with one query before the loop"
    assert last["remedy"] is None


def test_functions_and_spans_of_each_kind() -> None:
    functions = {function["id"]: function for function in loaded(sample.review())["functions"]}
    added = functions["shop/pricing.py::_bulk_prices"]
    removed = functions["shop/pricing.py::price_line"]
    moved = functions["shop/legacy/utils.py::load_settings"]
    assert (added["old_span"], added["old_id"]) == (None, None)
    assert (removed["span"], removed["old_id"]) == (None, "shop/pricing.py::price_line")
    assert moved["old_id"] == "shop/legacy/io.py::load_settings"


def test_only_time_depends_on_the_run() -> None:
    report = sample.review()
    later = replace(report, generated_at=1, timings_ms={"total": 9.0})
    first, second = loaded(report), loaded(later)
    for document in (first, second):
        del document["generated_at"], document["timings_ms"]
    assert first == second
    assert report_json.to_json(report) == report_json.to_json(sample.review())


def test_layout() -> None:
    written = report_json.to_json(sample.empty())
    assert written.startswith(b'{\n  "schema": "gate-report/1",\n  "tool": {\n    "name": "gate",\n')
    assert written.endswith(b"}\n")


def test_bytes_that_are_not_utf8_are_shown() -> None:
    written = report_json.to_json(sample.hostile("caf\udce9\udcff.py"))
    assert written.decode()
    assert loaded(sample.hostile("caf\udce9\udcff.py"))["change"]["files"][0]["path"] == r"caf\xe9\xff.py"


def test_control_characters_survive_as_escapes() -> None:
    payload = "a\x1b[31m\u202e\x9b\nb"
    written = report_json.to_json(sample.hostile(payload)).decode()
    assert r"a\u001b[31m\u202e\u009b\nb" in written
    assert loaded(sample.hostile(payload))["change"]["files"][0]["path"] == payload


def test_numbers_that_json_does_not_have_are_unknown() -> None:
    report = sample.passing()
    broken = Usage(status=UsageStatus.OBSERVED, calls_per_minute=float("inf"), share=float("nan"))
    document = loaded(replace(report, case=replace(report.case, usage={sample.CART: broken})))
    assert document["functions"][0]["usage"]["calls_per_minute"] is None
    assert document["functions"][0]["usage"]["share"] is None


def test_long_strings_are_cut_and_say_so() -> None:
    path = loaded(sample.hostile("x" * 100_000))["change"]["files"][0]["path"]
    assert path == "x" * 16_384 + "… (+83,616 characters)"


@pytest.mark.parametrize("name", PAYLOADS)
def test_hostile_text_is_inert_and_valid(name: str) -> None:
    document = report_json.to_json(sample.hostile(PAYLOADS[name]))
    VALIDATOR.validate(json.loads(document))
    assert not INVISIBLE.search(document.decode().replace("\n", ""))
    assert not COMMAND.search(document.decode())


@given(payload=hostile)
@settings(max_examples=50)
def test_any_text_is_inert_and_valid(payload: str) -> None:
    document = report_json.to_json(sample.hostile(payload))
    VALIDATOR.validate(json.loads(document))
    assert not INVISIBLE.search(document.decode().replace("\n", ""))
