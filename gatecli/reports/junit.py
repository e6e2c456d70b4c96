"""The report as JUnit XML, which most CI servers read as test results.

A test fails only where the gate does: on a pass, and in advice, what was found is skipped tests with their reason.
The elements are those that readers agree on: https://github.com/testmoapp/junitxml
"""

from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from gatecli.model import Finding, Mode, Outcome, Report, RequirementStatus, Severity
from gatecli.reports import merging, summary
from gatecli.reports.text import UNKNOWN, count, guard, moment, plain

MAX_CASES = 2_000
"""Test cases of one suite."""

_TEXT = 2_000
_LINES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class _Test:
    """A test case; ``state`` is passed, failure, error or skipped, ``said`` its first line, ``detail`` the rest."""

    classname: str
    name: str
    state: str = "passed"
    kind: str = ""
    said: str = ""
    detail: str = ""


def render(report: Report) -> str:
    """The verdict, the findings and the sign-offs as three suites; never all green unless the gate exits with 0."""
    suites = (
        ("gate.verdict", [_verdict(report)]),
        ("gate.findings", _findings(report)),
        ("gate.signoff", _signoffs(report)),
    )
    timings = report.timings_ms
    total = timings.get("total", sum(timings.values()))
    tests = [test for _, suite in suites for test in suite]
    root = Element("testsuites", {"name": "gate", **_counts(tests), "time": f"{total / 1000:.3f}"})
    root.extend(_suite(report, name, suite) for name, suite in suites if suite)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{guard(tostring(root, encoding="unicode"))}\n'


# --------------------------------------------------------------------------- what was tested


def _verdict(report: Report) -> _Test:
    text = ", ".join(summary.headline(report))
    detail = "\n".join(why.reason.text for why in summary.whys(report))
    word = summary.word(report)
    if word == "incomplete":
        incomplete = "\n".join(report.verdict.incomplete)
        return _Test(classname="gate", name="verdict", state="error", kind=word, said=text, detail=incomplete)
    state = _failing(report) if word != "pass" or report.exit_code else "passed"
    return _Test(classname="gate", name="verdict", state=state, kind=word, said=_excused(report, text), detail=detail)


def _failing(report: Report) -> str:
    return "failure" if report.exit_code else "skipped"


def _excused(report: Report, text: str) -> str:
    """What a skipped test says: why it does not fail."""
    if report.exit_code:
        return text
    if report.verdict.outcome is not report.verdict.decision:
        return f"signed off: {text}"
    return f"advice only: {text}" if report.mode is not Mode.ENFORCE else text


def _findings(report: Report) -> list[_Test]:
    flagged = summary.flagged(report)
    asked = [finding for finding in flagged if finding.severity is not Severity.NOTE]
    tests = [_finding(report, finding) for finding in asked]
    tests += [_note(finding) for finding in flagged if finding.severity is Severity.NOTE]
    tests += [
        _unknown(report, finding) for finding in report.findings if finding.outcome in (Outcome.UNKNOWN, Outcome.ERROR)
    ]
    if len(tests) <= MAX_CASES:
        return tests
    left = _Test(classname="gate", name=f"{count(len(tests) - MAX_CASES, 'more finding')}", state="skipped")
    return [*tests[:MAX_CASES], left]


def _finding(report: Report, finding: Finding) -> _Test:
    return _Test(
        classname=finding.path,
        name=_name(finding),
        state=_failing(report),
        kind=str(finding.severity),
        said=_excused(report, finding.message),
        detail="\n".join(part for part in (summary.place(finding.path, finding.line), finding.remedy) if part),
    )


def _note(finding: Finding) -> _Test:
    return _Test(classname=finding.path, name=_name(finding), detail=finding.message)


def _unknown(report: Report, finding: Finding) -> _Test:
    said = f"could not tell: {finding.message}"
    state = "error" if finding.outcome is Outcome.ERROR and report.exit_code else "skipped"
    return _Test(classname=finding.path, name=_name(finding), state=state, kind=str(finding.outcome), said=said)


def _name(finding: Finding) -> str:
    where = finding.function.qualname if finding.function else ""
    line = f" line {finding.line}" if finding.line is not None else ""
    return f"{summary.rule_name(finding)} {where}".strip() + line


def _signoffs(report: Report) -> list[_Test]:
    tests = []
    for requirement in merging.asked(report)[:MAX_CASES]:
        needed = requirement.status in merging.OUTSTANDING
        state = _failing(report) if needed else "passed"
        if requirement.status is RequirementStatus.ERROR and report.exit_code:
            state = "error"
        said = _excused(report, merging.ask(report, requirement)) if needed else ""
        given = f"signed by {', '.join(requirement.satisfied_by)}"
        detail = requirement.reason if needed or requirement.status in merging.WAIVED else given
        kind = str(requirement.status)
        tests.append(
            _Test(classname="sign-off", name=requirement.name, state=state, kind=kind, said=said, detail=detail)
        )
    return tests


# --------------------------------------------------------------------------- XML


def _suite(report: Report, name: str, tests: list[_Test]) -> Element:
    skipped = str(_number(tests, "skipped"))
    suite = Element("testsuite", {"name": name, **_counts(tests), "skipped": skipped, "time": "0"})
    at = moment(report.generated_at)
    if at != UNKNOWN:
        suite.set("timestamp", at.removesuffix(" UTC").replace(" ", "T") + ":00")
    suite.extend(map(_case, tests))
    return suite


def _counts(tests: list[_Test]) -> dict[str, str]:
    return {
        "tests": str(len(tests)),
        "failures": str(_number(tests, "failure")),
        "errors": str(_number(tests, "error")),
    }


def _number(tests: list[_Test], state: str) -> int:
    return sum(test.state == state for test in tests)


def _case(test: _Test) -> Element:
    case = Element("testcase", classname=_inert(test.classname), name=_inert(test.name), time="0")
    if test.state != "passed":
        result = SubElement(case, test.state, message=_inert(test.said))
        if test.state != "skipped":
            result.set("type", _inert(test.kind))
        result.text = _lines(test.detail)
    elif test.detail.strip():
        SubElement(case, "system-out").text = _lines(test.detail)
    return case


def _inert(text: str) -> str:
    return plain(text, _TEXT).strip() or "-"


def _lines(text: str) -> str:
    """What gate put together line by line, each line made inert."""
    return "\n".join(plain(line, _TEXT) for line in text.split("\n")[:_LINES])
