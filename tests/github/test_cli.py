"""``gate github`` as it is typed: what goes to stdout, what to stderr, and the exit codes."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gatecli.cli.github import WorkflowOption
from gatecli.cli.main import run
from gatecli.reports import json as json_report
from gatecli.reports import markdown
from gatecli.reports.workflows import FILES, Workflow
from gatecli.sources.github_api import Api
from tests.github.fake import HEAD_SHA, OLD_SHA, SLUG, TOKEN, FakeGitHub, pull_request, review
from tests.reports import sample


@pytest.fixture
def gate(fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple]:
    """Run a command and return exit code, stdout and stderr; nothing waits, and no output holds the token."""
    monkeypatch.setenv("GITHUB_API_URL", fake.url)
    monkeypatch.setenv("GITHUB_REPOSITORY", SLUG)
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    monkeypatch.setitem(Api.__init__.__kwdefaults__, "sleep", lambda _: None)

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        code = run(["github", *map(str, arguments)])
        out, err = capfd.readouterr()
        assert TOKEN not in out + err
        assert "Traceback" not in err
        return code, out, err

    return call


@pytest.fixture
def reports(tmp_path: Path) -> list[str]:
    """The options for the reports of a review."""
    (tmp_path / "gate.json").write_bytes(json_report.to_json(sample.review()))
    (tmp_path / "gate.md").write_text(markdown.render(sample.review()))
    return ["--report", str(tmp_path / "gate.json"), "--markdown", str(tmp_path / "gate.md")]


def test_locate_prints_what_a_script_needs(gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": pull_request()}))
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(event))
    names = f"base-branch=main\nhead={HEAD_SHA}\nbranch=price-orders\ncommit={HEAD_SHA}\n"
    expected = f"number=1204\nbase=refs/heads/main\n{names}"
    assert gate("locate") == (0, expected, "")
    assert gate("locate", "--pull", "1204") == (0, expected, "")
    assert gate("locate", "--event", event) == (0, expected, "")


def test_locate_without_a_pull_request_is_wrong_usage(gate) -> None:
    assert gate("locate") == (
        2, "", "gate: this run is about no pull request\n  hint: name one: --pull NUMBER\n"
    )  # fmt: skip
    code, _, err = gate("locate", "--event", "nowhere.json")
    assert (code, err.startswith("gate: cannot read nowhere.json")) == (2, True)


@pytest.mark.parametrize("arguments", [["locate", "--pull", "0"], ["approvals", "-1"], ["approvals", "x"], ["publish"]])
def test_wrong_arguments(gate, arguments: list[str]) -> None:
    assert gate(*arguments)[0] == 2


def test_approvals_prints_github_s_answers(gate, fake: FakeGitHub) -> None:
    fake.reviews[1204] = [review("ravi")]
    code, out, err = gate("approvals", "1204")
    assert (code, err) == (0, "")
    assert list(json.loads(out)) == ["pull_request", "reviews", "commits", "twins", "collaborators", "check_runs"]


def test_approvals_without_the_permission_says_so(gate, fake: FakeGitHub) -> None:
    fake.reviews[1204] = [review("ravi")]
    fake.allowed.clear()
    code, out, err = gate("approvals", "1204")
    assert (code, "collaborators" in json.loads(out)) == (0, False)
    assert err.startswith("gate: who may push is not known")


@pytest.mark.parametrize(
    ("status", "hint"),
    [(404, "grant the token"), (401, "set GITHUB_TOKEN anew"), (502, "githubstatus.com"), (403, "grant the token")],
)
def test_approvals_that_cannot_be_read_are_no_approvals(gate, fake: FakeGitHub, status: int, hint: str) -> None:
    fake.trouble("pulls", status=status, body={"message": "\x1b[31mno\n::error::no"}, times=99)
    code, out, err = gate("approvals", "1204")
    assert (code, out) == (4, "")
    assert f"answered {status}: " in err
    assert hint in err
    assert "\x1b" not in err
    assert "\n::" not in err


def test_outputs_are_names_and_values(gate, reports: list[str]) -> None:
    assert gate("outputs", reports[1]) == (
        0, "verdict=review\noutcome=review\nscore=41\nsign-off=outstanding\n", ""
    )  # fmt: skip


def test_outputs_of_no_report(gate, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("{}")
    assert gate("outputs", tmp_path / "a")[0] == 2
    assert gate("outputs", tmp_path / "b")[0] == 2


def test_publish_says_what_it_did(gate, fake: FakeGitHub, reports: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.com")
    monkeypatch.setenv("GITHUB_RUN_ID", "77")
    code, out, err = gate("publish", "1204", *reports, "--head", HEAD_SHA, "--base", "main")
    assert (code, out) == (0, "")
    assert err == (
        "gate: status: set gate to pending on a71b0d4 "
        "(#1204 review: risk 41; needs senior who knows price_order (ravi or mei)), done\n"
        "gate: comment: begin the comment, done\n"
    )
    assert fake.statuses[0]["target_url"] == "https://github.com/acme/shop/actions/runs/77"


@pytest.mark.parametrize(
    ("name", "value"),
    [("GITHUB_SERVER_URL", "javascript:alert(1)//"), ("GITHUB_RUN_ID", "77)[x](evil"), ("GITHUB_RUN_ID", "")],
)
def test_a_link_that_is_none_is_left_out(
    gate, fake: FakeGitHub, reports: list[str], monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.com")
    monkeypatch.setenv("GITHUB_RUN_ID", "77")
    monkeypatch.setenv(name, value)
    assert gate("publish", "1204", *reports, "--head", HEAD_SHA)[0] == 0
    assert "target_url" not in fake.statuses[0]


@pytest.mark.parametrize("broken", ["gate.json", "gate.md"])
@pytest.mark.parametrize("content", [None, b"", b"{}", b"\xff"])
def test_a_report_that_is_missing_or_broken_turns_the_status_to_error(
    gate, fake: FakeGitHub, reports: list[str], tmp_path: Path, broken: str, content: bytes | None
) -> None:
    if content is None:
        (tmp_path / broken).unlink()
    else:
        (tmp_path / broken).write_bytes(content)
    fake.status("#1204 pass: risk 1")
    assert gate("publish", "1204", *reports, "--head", HEAD_SHA)[0] == 0
    assert [one["state"] for one in fake.statuses] == ["error", "success"]
    assert fake.comments == []


def test_a_report_of_another_commit_is_no_report(gate, fake: FakeGitHub, tmp_path: Path, reports: list[str]) -> None:
    report = replace(
        sample.passing(),
        case=replace(sample.passing().case, change=replace(sample.passing().case.change, head=OLD_SHA)),
    )
    (tmp_path / "gate.json").write_bytes(json_report.to_json(report))
    code, _, err = gate("publish", "1204", *reports, "--head", HEAD_SHA)
    assert code == 0
    assert "the report is of 1c02aa9f4051, not of a71b0d4c2e3f" in err
    assert [one["state"] for one in fake.statuses] == ["error"]


def test_a_failure_is_exit_code_4(gate, fake: FakeGitHub, reports: list[str]) -> None:
    fake.trouble("statuses", method="POST", status=500, times=99)
    code, _, err = gate("publish", "1204", *reports, "--head", HEAD_SHA)
    assert (code, len(fake.comments)) == (4, 1)
    assert "gate: status: not written, POST " in err


def test_without_a_token_nothing_is_written(
    gate, fake: FakeGitHub, reports: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")
    code, _, err = gate("publish", "1204", *reports, "--head", HEAD_SHA, "--label")
    assert (code, fake.written) == (0, [])
    assert err.count("would ") == 3


def test_help_has_no_secret_and_every_command(gate) -> None:
    code, out, _ = gate("--help")
    assert code == 0
    for name in ("locate", "approvals", "outputs", "publish"):
        assert f"  {name} " in out


# --------------------------------------------------------------------------- gate github workflow

ACTION = f"acme/gate@{'c' * 40}"


@pytest.mark.parametrize("name", WorkflowOption)
def test_workflow_prints_one_that_is_ready(gate, name: WorkflowOption) -> None:
    code, out, err = gate("workflow", name, "--action", ACTION)
    assert code == 0
    assert "OWNER" not in out
    assert "COMMIT" not in out
    assert (f"uses: {ACTION}" in out) == (name != "profile")
    assert f"for .github/workflows/{FILES[Workflow(name)]} on the default branch" in err
    assert ("yours to fill in" in err) == (name == "profile")


def test_workflow_s_default_is_the_pull_request(gate) -> None:
    assert gate("workflow", "--action", ACTION) == gate("workflow", "pull-request", "--action", ACTION)


def test_workflow_names_the_server_of_an_enterprise(gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.acme.example")
    assert f"git+https://github.acme.example/{ACTION}" in gate("workflow", "profile", "--action", ACTION)[1]


def test_workflow_takes_no_tag(gate) -> None:
    code, out, err = gate("workflow", "--action", "acme/gate@v1")
    assert (code, out) == (2, "")
    assert "no commit by its full hash" in err


def test_every_workflow_can_be_asked_for() -> None:
    assert [one.value for one in WorkflowOption] == [one.value for one in Workflow] == [one.value for one in FILES]
