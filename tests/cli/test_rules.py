"""``gate rules list``, ``show`` and ``test``, as a person and as a build see them."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gatecli.cli.main import _complain
from gatecli.cli.rules import app
from gatecli.errors import EXIT_BLOCK, GateError, UsageError
from gatecli.rules import accepted, document
from tests.rules.support import SHIPPED
from tests.rules.test_spec import GOOD


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("NO_COLOR", "1")
    return tmp_path


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(app, arguments)
    if isinstance(result.exception, GateError):
        raise result.exception
    return result


def own(here: Path, content: str = GOOD, name: str = "no-sleep.yml") -> Path:
    folder = here / ".gate" / "rules"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(content, encoding="utf-8")
    return folder


def test_list_is_one_row_a_rule() -> None:
    lines = run("list").output.splitlines()
    rows = [line.split() for line in lines]
    for rule in SHIPPED:
        assert any(row[:2] == [rule.code, rule.id] for row in rows), rule.id
    assert any(line.strip().startswith("code") and "severity" in line for line in lines)


def test_list_fits_the_terminal() -> None:
    assert max(map(len, run("list").output.splitlines())) <= 120


def test_list_as_a_page() -> None:
    assert run("list", "--markdown").output == document.page(SHIPPED)


def test_list_has_a_repositorys_own(here: Path) -> None:
    own(here)
    assert any(line.split()[:2] == ["X01", "no-sleep"] for line in run("list").output.splitlines())
    assert "no-sleep" in run("list", "--own", ".gate/rules/no-sleep.yml").output


@pytest.mark.parametrize("name", ["timeout-changed", "E05"])
def test_show(name: str) -> None:
    lines = run("show", name).output.splitlines()
    assert lines[:4] == [
        "timeout-changed  E05",
        "resilience · review · 8 points · since 0.1.0",
        "",
        "Was a timeout removed, made three times longer or shorter, or left out of a new network call?",
    ]
    start = lines.index("✘ flagged: ten times shorter")
    assert lines[start : start + 8] == [
        "✘ flagged: ten times shorter",
        "  --- shop/payments.py",
        "  +++ shop/payments.py",
        "  @@ -1,2 +1,2 @@",
        "   def client():",
        "  -    return Client(url, timeout=30)",
        "  +    return Client(url, timeout=3)",
        "",
    ]
    assert "✔ not flagged: tuned" in lines


def test_show_what_is_not_there() -> None:
    with pytest.raises(UsageError) as error:
        run("show", "timeout-change")
    assert error.value.message == "there is no rule 'timeout-change', did you mean 'timeout-changed'?"
    assert error.value.hint == "gate rules list shows them all"


def test_show_makes_foreign_text_inert(here: Path) -> None:
    own(here, GOOD.replace("why: It waits.", 'why: "\\e[31m [bold]red[/bold] \\u202e"'))
    output = run("show", "no-sleep").output
    assert "\x1b" not in output
    assert "\u202e" not in output
    assert "[bold]red[/bold]" in output


def test_test_runs_every_example() -> None:
    result = run("test")
    count = sum(len(rule.examples) for rule in SHIPPED)
    missed = sum(bool(example.missed) for rule in SHIPPED for example in rule.examples)
    assert result.output == f"{count} examples of {len(SHIPPED)} rules ({missed} known misses), 0 failed\n"
    assert result.exit_code == 0


def test_test_names_what_fails(here: Path) -> None:
    folder = own(here, GOOD.replace('after: "go()"', 'after: "sleep(3)"'))
    result = run("test", str(folder))
    assert result.output.splitlines()[0] == "no-sleep: c: flagged: a.py now sleeps: sleep(3)"
    assert re.search(rf"of {len(SHIPPED) + 1} rules \(\d+ known misses\), 1 failed$", result.output.splitlines()[1])
    assert result.exit_code == EXIT_BLOCK


MISSED = """\
  - {name: asleep elsewhere, flags: false, missed: Another program sleeps., files: {a.py: {after: "nap()"}}}
"""


def test_a_known_miss_is_shown_with_its_reason(here: Path) -> None:
    own(here, GOOD + MISSED)
    lines = run("show", "no-sleep").output.splitlines()
    start = lines.index("○ missed: asleep elsewhere")
    assert lines[start + 1] == "  Another program sleeps."


def test_a_known_miss_that_is_flagged_after_all_fails(here: Path) -> None:
    folder = own(here, GOOD + MISSED.replace("nap()", "sleep(4)"))
    result = run("test", str(folder))
    assert result.output.startswith("no-sleep: asleep elsewhere: flagged, so it is no known miss any more")
    assert result.exit_code == EXIT_BLOCK


def test_test_reports_a_broken_rule_by_line(here: Path) -> None:
    own(here, GOOD.replace("severity: review", "severity: high"))
    with pytest.raises(UsageError) as error:
        run("test")
    assert ".gate/rules/no-sleep.yml:4: severity: 'high' is none of block, review, note" in error.value.message


@pytest.mark.parametrize(
    "command", [("test", "nowhere"), ("list", "--own", "nowhere"), ("show", "E05", "--own", "nowhere")]
)
def test_a_path_that_is_not_there(command: tuple[str, ...]) -> None:
    with pytest.raises(UsageError) as error:
        run(*command)
    assert error.value.message == "there is no file or folder nowhere"


def test_other_files_in_the_folder_are_passed_over(here: Path) -> None:
    own(here, "not yaml: [", "README.md")
    own(here)
    assert run("test").exit_code == 0


def test_show_as_a_page() -> None:
    assert run("show", "D05", "--markdown").output.startswith("# io-in-loop\n")


def test_new_writes_a_rule_that_works(here: Path) -> None:
    assert "no-print.yml written" in run("new", "no-print").output
    assert run("test").exit_code == 0
    assert "no-print" in run("list").output
    with pytest.raises(UsageError, match="is there already"):
        run("new", "no-print")


@pytest.mark.parametrize("id", ["No_Print", "../x", "io-in-loop/..", ""])
def test_new_refuses_what_is_no_id(here: Path, id: str) -> None:
    with pytest.raises(UsageError):
        run("new", id)
    assert not list(here.rglob("*.yml"))


def test_baseline_of_reports(here: Path) -> None:
    finding = {"rule": "io-in-loop", "fingerprint": "ab", "outcome": "flagged", "function": "a.py::f"}
    guard = {"rule": "guardrails-changed", "fingerprint": "cd", "outcome": "flagged", "function": None}
    (here / "report.json").write_text(json.dumps({"findings": [finding, finding, guard]}), encoding="utf-8")
    assert "1 finding accepted" in run("baseline", "report.json", "--reason", 'as "before"').output
    read = accepted.read_baseline((here / ".gate" / "baseline.yml").read_bytes())
    assert read.accepted == (
        accepted.Accepted(rule="io-in-loop", fingerprint="ab", function="a.py::f", reason='as "before"'),
    )
    (here / "bad.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UsageError, match="not a report"):
        run("baseline", "bad.json")
    with pytest.raises(UsageError, match="cannot read"):
        run("baseline", "missing.json")


def test_problems_stand_one_a_line_and_none_is_a_workflow_command(capsys: pytest.CaptureFixture[str]) -> None:
    _complain("2 problems in a.yml\na.yml:1: no id\n::error::x\x1b[2J", "correct it")
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["gate: 2 problems in a.yml", "  - a.yml:1: no id"]
    assert lines[2].startswith("  - ")
    assert "\x1b" not in lines[2]
