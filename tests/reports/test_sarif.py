import gzip
import json
import random
import string
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings

from gatecli.model import Evidence, Finding, Hunk, Outcome, Report, Severity
from gatecli.reports import sarif
from tests.reports import goldens, sample
from tests.reports.node import package_file
from tests.reports.payloads import PAYLOADS
from tests.reports.test_text import COMMAND, INVISIBLE, hostile

PACKAGE = "@microsoft/sarif-multitool-linux"


def results(report: Report) -> Any:
    return run(report)["results"]


def run(report: Report) -> Any:
    document = json.loads(sarif.render(report))
    assert len(document["runs"]) == 1
    return document["runs"][0]


def everything() -> dict[str, str]:
    """Every sample, and every payload in every text."""
    found = {name: sarif.render(make()) for name, make in sample.SAMPLES.items()}
    return found | {f"hostile {index}": sarif.render(vicious(text)) for index, text in enumerate(PAYLOADS.values())}


def vicious(payload: str) -> Report:
    """The hostile sample, whose rules are named by an attacker too."""
    report = sample.hostile(payload)
    return replace(
        report,
        findings=(*report.findings, replace(report.findings[0], rule=payload, code=payload, fingerprint="")),
    )


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads(package_file(f"{PACKAGE}/sarif-2.1.0.json").read_bytes()))


@pytest.mark.parametrize("name", ["review", "block", "pass"])
def test_golden(name: str) -> None:
    goldens.check(f"{name}.sarif", sarif.render(sample.SAMPLES[name]()).encode())


def test_the_schema_takes_all(schema: jsonschema.Draft202012Validator) -> None:
    for name, written in everything().items():
        problems = [
            f"{name}: {error.json_path}: {error.message[:200]}" for error in schema.iter_errors(json.loads(written))
        ]
        assert problems == []


def test_microsoft_s_validator_finds_nothing_that_github_would_refuse(tmp_path: Path) -> None:
    tool = package_file(f"{PACKAGE}/Sarif.Multitool")
    tool.chmod(0o755)
    files = []
    for index, written in enumerate(everything().values()):
        files.append(tmp_path / f"{index}.sarif")
        files[-1].write_text(written, encoding="utf-8")
    command = [str(tool), "validate", *map(str, files), "--rule-kind", "Sarif;Ghas", "--level", "Error;Warning"]
    command += ["--json-schema", str(package_file(f"{PACKAGE}/sarif-2.1.0.json"))]
    environment = {"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1", "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    checked = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=False)
    assert f"{len(files)} files scanned" in checked.stdout, checked.stdout + checked.stderr
    # SARIF2005 asks for the address of the tool's home page.
    found = [line for line in checked.stdout.splitlines() if ": error" in line or ": warning" in line]
    assert [line for line in found if "SARIF2005" not in line] == []


# --------------------------------------------------------------------------- what GitHub reads


def test_only_what_asks_for_something_is_a_result_gravest_first() -> None:
    assert [(item["ruleId"], item["level"]) for item in results(sample.block())] == [
        ("column-dropped", "error"),
        ("irreversible-migration", "warning"),
    ]
    assert [item["ruleId"] for item in results(sample.review())] == [
        "io-in-hot-loop",
        "retry-removed",
        "timeout-lowered",
        "broad-except",
        "debug-print",
    ]
    assert results(sample.passing()) == []


def test_a_result_names_its_rule_by_index() -> None:
    found = run(sample.review())
    rules = found["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == sorted((rule["id"] for rule in rules), key=lambda id: _code(id))
    for result in found["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]


def _code(rule: str) -> str:
    return next(text.code for text in sample.rule_texts() if text.id == rule)


def test_a_rule_explains_itself_in_text_and_in_markdown() -> None:
    rule = next(r for r in run(sample.review())["tool"]["driver"]["rules"] if r["id"] == "retry-removed")
    assert rule["shortDescription"] == {"text": "Was a retry taken away?"}
    assert rule["fullDescription"] == {"text": "It has gone wrong before."}
    assert rule["help"] == {
        "text": "It has gone wrong before. What to do: Put it back.",
        "markdown": "**Was a retry taken away?**\n\nIt has gone wrong before.\n\n**What to do:** Put it back.",
    }
    assert rule["defaultConfiguration"] == {"level": "warning"}
    assert rule["properties"] == {
        "tags": ["resilience", "R02"],
        "precision": "high",
        "problem.severity": "warning",
    }


@pytest.mark.parametrize(
    ("severity", "score"), [(Severity.BLOCK, "8.0"), (Severity.REVIEW, "5.5"), (Severity.NOTE, "2.0")]
)
def test_rules_about_attackers_have_a_security_severity(severity: Severity, score: str) -> None:
    report = sample.review()
    rules = tuple(replace(rule, family="access", severity=severity) for rule in report.rules)
    properties = run(replace(report, rules=rules))["tool"]["driver"]["rules"][0]["properties"]
    assert properties["security-severity"] == score
    assert properties["tags"][-1] == "security"


def test_the_category_is_the_same_for_every_run() -> None:
    assert run(sample.review())["automationDetails"]["id"].rpartition("/")[0] == "gate"


def test_alerts_are_pinned_to_added_lines_and_say_where_they_are_meant() -> None:
    report = sample.review()
    files = report.case.change.files
    # Line 41 of pricing.py is no longer among the added lines: 10 to 12 of price_order (10 to 40) and 90 are.
    hunks = (
        Hunk(old_start=9, old_count=0, new_start=10, new_count=3),
        Hunk(old_start=80, old_count=0, new_start=90, new_count=1),
    )
    change = replace(report.case.change, files=(replace(files[0], hunks=hunks), *files[1:]))
    moved = replace(report, case=replace(report.case, change=change))
    first = results(moved)[0]
    assert first["locations"][0]["physicalLocation"]["region"] == {"startLine": 12, "endLine": 12}
    assert first["message"]["text"].splitlines()[0].endswith("once for every line of the order (at line 41)")


def test_columns_are_those_of_the_visible_line() -> None:
    report = sample.review()
    content = b"\n" * 40 + "\tcursor.execute('ü') \r\n".encode()
    file = replace(report.case.change.files[0], after=content)
    change = replace(report.case.change, files=(file, *report.case.change.files[1:]))
    region = results(replace(report, case=replace(report.case, change=change)))[0]["locations"][0]["physicalLocation"]
    assert region["region"] == {"startLine": 41, "endLine": 41, "startColumn": 2, "endColumn": 21}


def test_equal_findings_have_different_fingerprints_which_lines_do_not_change() -> None:
    report = sample.review()
    twin = replace(report.findings[0], line=50)
    hashes = [
        r["partialFingerprints"]["primaryLocationLineHash"]
        for r in results(replace(report, findings=(*report.findings, twin)))
    ]
    assert hashes[:2] == ["c0ffee01:1", "c0ffee01:2"]
    bare = replace(report.findings[0], fingerprint="")
    first, later = (results(replace(report, findings=(replace(bare, line=line),)))[0] for line in (41, 60))
    assert first["partialFingerprints"] == later["partialFingerprints"]


def test_evidence_is_where_it_stands() -> None:
    related = results(sample.review())[0]["relatedLocations"]
    assert [item["message"]["text"] for item in related] == ["cursor.execute(SELECT_PRICE, (line.sku,))"]
    assert related[0]["physicalLocation"]["region"] == {"startLine": 43}


def test_what_could_not_be_known_is_said_of_the_run() -> None:
    report = sample.incomplete()
    invocation = run(report)["invocations"][0]
    assert invocation["executionSuccessful"] is False
    assert invocation["exitCode"] == 4
    said = [item["message"]["text"] for item in invocation["toolExecutionNotifications"]]
    assert said[0] == "incomplete: no profile, although the policy names one"


def test_a_rule_that_failed_is_no_success() -> None:
    report = sample.passing()
    failed = replace(sample.review().findings[0], outcome=Outcome.ERROR)
    assert run(replace(report, findings=(failed,)))["invocations"][0]["executionSuccessful"] is False


def test_more_results_than_github_shows_are_left_out_and_counted() -> None:
    report = sample.review()
    many = tuple(replace(report.findings[0], line=line) for line in range(1, sarif.MAX_RESULTS + 11))
    found = run(replace(report, findings=many))
    assert len(found["results"]) == sarif.MAX_RESULTS
    said = found["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]
    assert said == "10 results left out: GitHub shows 5,000, of a file of 10 MB"


def test_a_file_that_github_would_refuse_for_its_size_has_fewer_results(monkeypatch: pytest.MonkeyPatch) -> None:
    """Text that does not compress, in every field: the gravest half, quarter … that fits is kept."""
    monkeypatch.setattr(sarif, "MAX_COMPRESSED", 60_000)
    report = sample.review()
    noise = random.Random(7)

    def one(line: int) -> Finding:
        text = "".join(noise.choices(string.ascii_letters, k=900))
        evidence = tuple(Evidence(kind="code", text=text[n:], path="a.py", line=line) for n in range(5))
        return replace(report.findings[0], line=line, message=text, remedy=text, evidence=evidence)

    written = sarif.render(replace(report, findings=tuple(one(line) for line in range(1, 101))))
    assert len(gzip.compress(written.encode())) <= 60_000
    kept = json.loads(written)["runs"][0]
    assert len(kept["results"]) in (25, 50)
    said = kept["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]
    assert said.startswith(f"{100 - len(kept['results'])} results left out: ")


def test_the_other_limits_of_github_hold_for_every_sample_and_every_payload() -> None:
    """https://docs.github.com/en/code-security/reference/code-scanning/sarif-support-for-code-scanning"""
    for written in everything().values():
        (one,) = json.loads(written)["runs"]
        rules = one["tool"]["driver"]["rules"]
        assert len(one["results"]) <= 5_000
        assert len(rules) <= 25_000
        assert all(len(rule["properties"]["tags"]) <= 10 for rule in rules)
        assert all(len(result["locations"]) == 1 for result in one["results"])
        assert all(len(result.get("relatedLocations", ())) <= 100 for result in one["results"])


# --------------------------------------------------------------------------- hostile text


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("shop/a b.py", "shop/a%20b.py"),
        ("a:b/c.py", "a%3Ab/c.py"),
        ("//evil.example/a.py", "evil.example/a.py"),
        ("javascript:alert(1)", "javascript%3Aalert%281%29"),
        ("caf\udce9.py", "caf%E9.py"),
        ("\ud83d.py", "%ED%A0%BD.py"),
        ("日.py", "%E6%97%A5.py"),
        ("", "."),
    ],
)
def test_paths_are_relative_addresses(path: str, uri: str) -> None:
    report = sample.review()
    finding = replace(report.findings[0], path=path, evidence=())
    location = results(replace(report, findings=(finding,)))[0]["locations"][0]
    assert location["physicalLocation"]["artifactLocation"] == {"uri": uri, "uriBaseId": "%SRCROOT%"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[click](https://evil.example)", r"\[click\](https://evil.example)"),
        ("a[0] \\ b", r"a\[0\] \\ b"),
        ("{0} {1} {name}", "{{0}} {{1}} {name}"),
        ("", "io-in-hot-loop"),
        ("a\nb", r"a\\nb"),
    ],
)
def test_messages_hold_no_links_and_no_placeholders(text: str, shown: str) -> None:
    report = sample.review()
    evidence = Evidence(kind="code", text=text or "–", path="a.py")
    finding = replace(report.findings[0], message=text, remedy="", evidence=(evidence,))
    result = results(replace(report, findings=(finding,)))[0]
    assert result["message"]["text"] == shown


@pytest.mark.parametrize("name", PAYLOADS)
def test_hostile_text_is_inert(name: str) -> None:
    inert(sarif.render(vicious(PAYLOADS[name])))


@given(payload=hostile)
@settings(max_examples=50)
def test_any_text_is_inert(payload: str) -> None:
    inert(sarif.render(vicious(payload)))


def inert(written: str) -> None:
    assert not INVISIBLE.search(written.replace("\n", ""))
    assert not COMMAND.search(written)
    assert len(written) < 400_000
    for text in _strings(json.loads(written)):
        assert text.strip(), "GitHub refuses empty strings"


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in _strings(item)]
    if isinstance(value, list):
        return [text for item in value for text in _strings(item)]
    return [value] if isinstance(value, str) else []
