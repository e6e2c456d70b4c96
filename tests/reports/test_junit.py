import os
from dataclasses import replace
from xml.etree import ElementTree

import pytest
import xmlschema
from hypothesis import given, settings

from gatecli.model import Mode, Outcome, Report, RequirementStatus
from gatecli.reports import junit
from tests.reports import goldens, sample
from tests.reports.payloads import PAYLOADS
from tests.reports.test_text import COMMAND, INVISIBLE, hostile

# The elements and attributes of Jenkins' schema (junit-10.xsd) that gate uses, and what each may hold.
ATTRIBUTES = {
    "testsuites": {"name", "tests", "failures", "errors", "time"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"},
    "testcase": {"classname", "name", "time"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "skipped": {"message"},
    "system-out": set(),
}
CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"testcase"},
    "testcase": {"failure", "error", "skipped", "system-out"},
}


def read(report: Report) -> ElementTree.Element:
    """The report, checked: known elements only, and counts that are those of the tests."""
    written = junit.render(report)
    root = ElementTree.fromstring(written)
    for element in root.iter():
        assert set(element.attrib) <= ATTRIBUTES[element.tag], element.tag
        assert {child.tag for child in element} <= CHILDREN.get(element.tag, set()), element.tag
    for suite in (root, *root):
        assert int(suite.attrib["tests"]) == len(list(suite.iter("testcase")))
        assert int(suite.attrib["failures"]) == len(list(suite.iter("failure")))
        assert int(suite.attrib["errors"]) == len(list(suite.iter("error")))
        if suite is not root:
            assert int(suite.attrib["skipped"]) == len(list(suite.iter("skipped")))
            assert int(suite.attrib["tests"]) > 0
    return root


def state(root: ElementTree.Element, name: str) -> tuple[str, str | None]:
    """What became of a test case, and what it says."""
    case = next(case for case in root.iter("testcase") if case.attrib["name"].startswith(name))
    result = next((child for child in case if child.tag != "system-out"), None)
    return ("passed", None) if result is None else (result.tag, result.get("message"))


def is_green(root: ElementTree.Element) -> bool:
    return not list(root.iter("failure")) and not list(root.iter("error"))


@pytest.mark.parametrize("name", [name for name in sample.SAMPLES if name != "large"])
def test_golden(name: str) -> None:
    read(sample.SAMPLES[name]())
    goldens.check(f"{name}.junit.xml", junit.render(sample.SAMPLES[name]()).encode())


@pytest.mark.parametrize("name", sample.SAMPLES)
def test_green_exactly_where_the_gate_lets_it_pass(name: str) -> None:
    report = sample.SAMPLES[name]()
    assert is_green(read(report)) == (report.exit_code == 0)


def test_a_review_fails_by_its_verdict_its_findings_and_its_missing_sign_off() -> None:
    root = read(sample.review())
    assert state(root, "verdict") == ("failure", "4 of 11 functions matter, risk 41, top 4 % of changes here")
    assert state(root, "io-in-hot-loop")[0] == "failure"
    assert state(root, "debug-print") == ("passed", None)
    assert state(root, "untested-lines") == ("skipped", "could not tell: no coverage data")
    assert state(root, "code owner") == ("passed", None)
    assert state(root, "senior who knows")[0] == "failure"


def test_advice_skips_what_it_would_fail() -> None:
    root = read(replace(sample.review(), mode=Mode.ADVISE, exit_code=0))
    assert state(root, "verdict")[0] == "skipped"
    assert state(root, "io-in-hot-loop") == (
        "skipped",
        "advice only: cursor.execute is called once for every line of the order",
    )
    assert state(root, "senior who knows")[0] == "skipped"


def test_what_was_signed_off_does_not_fail() -> None:
    root = read(sample.signed())
    assert state(root, "verdict") == ("passed", None)
    assert state(root, "io-in-hot-loop")[1] == "signed off: cursor.execute is called once for every line of the order"
    assert state(root, "senior who knows") == ("passed", None)


def test_incomplete_evidence_is_an_error_not_a_failure_of_the_change() -> None:
    assert state(read(sample.incomplete()), "verdict")[0] == "error"


def test_a_rule_that_failed_is_an_error() -> None:
    report = sample.review()
    broken = replace(report.findings[0], outcome=Outcome.ERROR, message="recursion too deep")
    assert state(read(replace(report, findings=(broken,))), "io-in-hot-loop") == (
        "error",
        "could not tell: recursion too deep",
    )


def test_a_requirement_that_cannot_be_judged_is_an_error() -> None:
    report = sample.review()
    broken = replace(report.signoff.requirements[0], status=RequirementStatus.ERROR)
    root = read(replace(report, signoff=replace(report.signoff, requirements=(broken,))))
    assert state(root, "senior who knows")[0] == "error"


def test_too_many_findings_are_counted() -> None:
    report = sample.review()
    many = tuple(replace(report.findings[0], line=line) for line in range(1, junit.MAX_CASES + 6))
    root = read(replace(report, findings=many))
    assert state(root, "5 more findings")[0] == "skipped"


def test_a_clock_outside_the_calendar_is_left_out() -> None:
    root = read(replace(sample.review(), generated_at=10**18))
    assert "timestamp" not in root[0].attrib


@pytest.mark.parametrize("name", PAYLOADS)
def test_hostile_text_is_inert(name: str) -> None:
    inert(PAYLOADS[name])


@given(payload=hostile)
@settings(max_examples=50)
def test_any_text_is_inert(payload: str) -> None:
    inert(payload)


def inert(payload: str) -> None:
    report = sample.hostile(payload)
    for made in (report, replace(report, mode=Mode.ENFORCE, exit_code=3)):
        written = junit.render(made)
        assert len(list(read(made).iter("testcase"))) == 6, "whatever they say"
        assert not INVISIBLE.search(written.replace("\n", ""))
        assert not COMMAND.search(written)
        assert len(written) < 100_000


@pytest.fixture(scope="module")
def schema() -> xmlschema.XMLSchema:
    """Jenkins' own schema, as the source package of pytest has it for its own tests; a wheel has none."""
    file = os.environ.get("GATE_JUNIT_SCHEMA")
    if not file:
        pytest.skip("GATE_JUNIT_SCHEMA does not name Jenkins' schema: junit-10.xsd of pytest's source package")
    return xmlschema.XMLSchema(file)


@pytest.mark.parametrize("name", sample.SAMPLES)
def test_jenkins_schema_takes_every_sample(name: str, schema: xmlschema.XMLSchema) -> None:
    schema.validate(junit.render(sample.SAMPLES[name]()))


@pytest.mark.parametrize("name", PAYLOADS)
def test_jenkins_schema_takes_hostile_text(name: str, schema: xmlschema.XMLSchema) -> None:
    schema.validate(junit.render(sample.hostile(PAYLOADS[name])))


def test_jenkins_schema_would_refuse_an_unknown_attribute(schema: xmlschema.XMLSchema) -> None:
    assert not schema.is_valid(junit.render(sample.review()).replace(" classname=", " class=", 1))
