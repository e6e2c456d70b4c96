import json
import re
from dataclasses import replace

import pytest
from hypothesis import given

from gatecli.model import Finding, Report, Severity
from gatecli.reports import annotations, markdown
from tests.reports import goldens, sample
from tests.reports.node import package_file, run
from tests.reports.payloads import PAYLOADS
from tests.reports.test_markdown import inert as inert_markdown
from tests.reports.test_text import INVISIBLE, hostile

# What the runner parses: https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
LINE = re.compile(r"::(?P<command>[a-z]+) (?P<properties>[^:]*)::(?P<data>.*)")


def parsed(written: str) -> list[tuple[str, dict[str, str], str]]:
    """The commands as a runner reads them; fails where one is none that gate meant."""
    found = []
    for line in written.splitlines():
        match = LINE.fullmatch(line)
        if match is None:
            assert line.startswith("gate: "), line
            assert "##[" not in line
            continue
        assert match["command"] in {"error", "warning", "notice"}
        pairs = [part.partition("=") for part in match["properties"].split(",")]
        found.append((match["command"], {key: _unescaped(value) for key, _, value in pairs}, _unescaped(match["data"])))
    return found


def _unescaped(value: str) -> str:
    for code, char in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        value = value.replace(code, char)
    return value


def many(severity: Severity, number: int) -> tuple[Finding, ...]:
    return tuple(replace(sample.review().findings[0], severity=severity, line=line) for line in range(1, number + 1))


@pytest.mark.parametrize("name", [name for name in sample.SAMPLES if name != "large"])
def test_golden(name: str) -> None:
    goldens.check(f"{name}.github.txt", annotations.render(sample.SAMPLES[name]()).encode())


def test_the_verdict_comes_first_and_names_who_is_missing() -> None:
    assert parsed(annotations.render(sample.review()))[0] == (
        "warning",
        {"title": "gate: review"},
        "4 of 11 functions matter, risk 41, top 4 % of changes here. Needs senior who knows price_order",
    )


def test_a_finding_is_on_its_line_with_its_remedy() -> None:
    assert parsed(annotations.render(sample.review()))[1] == (
        "warning",
        {"file": "shop/pricing.py", "line": "41", "endLine": "41", "title": "gate: io-in-hot-loop P01"},
        "cursor.execute is called once for every line of the order\n"
        "→ load the prices of all lines with one query before the loop",
    )


@pytest.mark.parametrize(
    ("report", "level"),
    [
        (sample.block(), "error"),
        (sample.incomplete(), "error"),
        (sample.review(), "warning"),
        (sample.signed(), "notice"),
        (sample.passing(), "notice"),
        (sample.empty(), "notice"),
    ],
)
def test_the_verdict_s_level_is_how_grave_it_is(report: Report, level: str) -> None:
    assert parsed(annotations.render(report))[0][0] == level


@pytest.mark.parametrize(
    ("severity", "level"), [(Severity.BLOCK, "error"), (Severity.REVIEW, "warning"), (Severity.NOTE, "notice")]
)
def test_no_more_of_a_level_than_github_shows(severity: Severity, level: str) -> None:
    report = replace(sample.review(), findings=many(severity, 25))
    written = annotations.render(report)
    shown = [command for command, _, _ in parsed(written)]
    # The verdict of this report is itself a warning.
    left = 16 if level == "warning" else 15
    assert shown.count(level) == annotations.MAX_PER_LEVEL == 10
    assert written.splitlines()[-1] == f"gate: {left} more of 25 findings, all of them in gate check --all"


def test_the_gravest_are_kept() -> None:
    report = sample.block()
    found = (*many(Severity.REVIEW, 12), *report.findings)
    shown = parsed(annotations.render(replace(report, findings=found)))
    assert shown[1][1]["title"] == "gate: column-dropped M02"


def test_the_step_summary_is_the_comment_without_its_mark() -> None:
    summary = annotations.step_summary(sample.review())
    assert summary.startswith("**gate: review**")
    assert f"{markdown.MARKER}\n{summary}" == markdown.render(sample.review())
    assert "](https://example.org/shop/pricing.py#L41)" in annotations.step_summary(
        sample.review(), source_url="https://example.org/"
    )


@pytest.mark.parametrize("name", PAYLOADS)
def test_hostile_text_is_inert(name: str) -> None:
    inert(PAYLOADS[name])


@given(payload=hostile)
def test_any_text_is_inert(payload: str) -> None:
    inert(payload)


def inert(payload: str) -> None:
    report = sample.hostile(payload)
    report = replace(report, findings=(*report.findings, replace(report.findings[0], rule=payload, code=payload)))
    written = annotations.render(report)
    assert len(parsed(written)) == 4, "the verdict and three findings, whatever they say"
    assert not INVISIBLE.search(written.replace("\n", ""))
    assert len(written) < 200_000
    inert_markdown(annotations.step_summary(report))


# --------------------------------------------------------------------------- GitHub's own toolkit


def test_they_are_the_lines_that_github_s_toolkit_prints() -> None:
    """The same data through ``@actions/core`` gives the same commands, character for character."""
    package_file("@actions/core/lib/core.js")
    reports = [make() for make in sample.SAMPLES.values()] + [sample.hostile(text) for text in PAYLOADS.values()]
    written = [line for report in reports for line in annotations.render(report).splitlines() if line.startswith("::")]
    asked = [
        {"level": level, "message": data, "properties": _for_toolkit(properties)}
        for level, properties, data in parsed("\n".join(written))
    ]
    assert len(asked) > 100
    printed = run("commands.mjs", stdin=json.dumps(asked)).splitlines()
    assert [_normal(line) for line in printed] == [_normal(line) for line in written]


def _for_toolkit(properties: dict[str, str]) -> dict[str, str | int]:
    names = {"line": "startLine", "endLine": "endLine"}
    return {names.get(key, key): int(value) if key in names else value for key, value in properties.items()}


def _normal(line: str) -> tuple[str, list[str], str]:
    """The toolkit puts the properties in another order, which means nothing to a runner."""
    match = LINE.fullmatch(line)
    assert match is not None, line
    return match["command"], sorted(match["properties"].split(",")), match["data"]
