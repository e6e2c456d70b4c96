"""gate incident import --github: the issues with a label, from a GitHub on this machine."""

import pytest

from gatecli.cli.main import run
from tests.conftest import GitRepo
from tests.github.fake import SLUG, TOKEN, FakeGitHub, pull_request


@pytest.fixture
def connected(fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> FakeGitHub:
    monkeypatch.setenv("GITHUB_API_URL", fake.url)
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    monkeypatch.setenv("GITHUB_REPOSITORY", SLUG)
    return fake


def issue(number: int, body: str, *labels: str) -> dict:
    return {
        "number": number,
        "title": "Checkout was down",
        "body": body,
        "created_at": "2023-11-14T22:00:00Z",
        "html_url": f"https://github.com/{SLUG}/issues/{number}",
        "labels": [{"name": name} for name in ("outage", *labels)],
    }


def test_issues_with_the_label_are_remembered(connected: FakeGitHub, repo: GitRepo, capsys):
    first = repo.commit({"shop.py": "def price():\n    return 1\n"}, "A shop")
    second = repo.commit({"shop.py": "def price():\n    return 2\n"}, "Edit")
    connected.pulls[9] = pull_request(9, merged=True, merge_commit_sha=second)
    connected.pulls[10] = pull_request(10, merged=False, merge_commit_sha=second)
    connected.issues = [
        issue(1, f"Caused by: {first}", "P1"),
        issue(2, "Caused by: #9"),
        issue(3, "Caused by: #10"),
        issue(4, "Nobody knows why \x1b[31m"),
        issue(5, "Caused by: #404"),
    ]
    command = ["incident", "import", "--github", "--label", "outage", "--repo", str(repo.path)]
    assert run(command) == 0
    said = capsys.readouterr()
    assert said.out.startswith("2 remembered")
    assert "#3: pull request #10 was not merged" in said.err
    assert "#4 names no cause" in said.err
    assert "#5: pull request #404 was not merged" in said.err
    text = (repo.path / ".gate/incidents.yml").read_text()
    assert "severity: sev1" in text
    assert f"- {second}\n" in text
    assert TOKEN not in text + said.out + said.err


def test_whom_an_issue_was_given_to_and_what_it_names_ended_it(connected: FakeGitHub, repo: GitRepo, capsys):
    first = repo.commit({"shop.py": "def price():\n    return 1\n"}, "A shop")
    second = repo.commit({"shop.py": "def price():\n    return 2\n"}, "Edit")
    connected.pulls[9] = pull_request(9, merged=True, merge_commit_sha=second)
    connected.pulls[10] = pull_request(10, merged=False, merge_commit_sha=second)
    given = [{"login": "ravi-codes", "id": 1, "type": "User"}, {"login": "copilot", "id": 2, "type": "Bot"}]
    connected.issues = [
        {**issue(1, f"Caused by: {first}\nFixed by #9 and #10"), "assignees": given},
        {**issue(2, f"Caused by: {first}\n**Handled by:** @mei and @tom-k, not x@y.example"), "assignees": given},
    ]
    assert run(["incident", "import", "--github", "--label", "outage", "--repo", str(repo.path)]) == 0
    text = (repo.path / ".gate/incidents.yml").read_text()
    assert f"fixed_by:\n    - {second}\n    handled_by:\n    - ravi-codes\n" in text
    assert "handled_by:\n    - mei\n    - tom-k\n" in text
    assert "copilot" not in text


def test_a_github_that_refuses_is_named(connected: FakeGitHub, repo: GitRepo, capsys):
    repo.commit({"shop.py": "x = 1\n"}, "A shop")
    connected.trouble("/repos/acme/shop/issues", status=403, body={"message": "Resource not accessible"}, times=9)
    assert run(["incident", "import", "--github", "--repo", str(repo.path)]) == 4
    assert "gate: " in capsys.readouterr().err
    assert not (repo.path / ".gate").exists()
