"""Every request of the client against GitHub's own OpenAPI description, which Prism serves and checks them with.

Slow, and needs node: ``pytest tests/bench/test_github_description.py``.
"""

import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gatecli.sources.github import GitHub
from gatecli.sources.github_api import Api, ApiError
from tests.reports.node import package_file, program

SHA = "6dcb09b5b57875f334f61aebed695e2e4193db5e"
PATHS = re.compile(
    r"/user"
    r"|/repos/\{owner\}/\{repo\}/(pulls|issues|collaborators|compare|statuses|commits)(/.*)?"
    r"|/repos/\{owner\}/\{repo\}(/actions/artifacts(/\{artifact_id\}/\{archive_format\})?)?"
    r"|/orgs/\{org\}/teams/\{team_slug\}/members"
)
START_S = 60


@pytest.fixture(scope="module")
def prism(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """GitHub's description, cut to the paths that gate may ask, behind a port of this machine."""
    description = json.loads(package_file("@octokit/openapi/generated/api.github.com.json").read_bytes())
    description["paths"] = {path: one for path, one in description["paths"].items() if PATHS.fullmatch(path)}
    description.pop("x-webhooks", None)
    _accept(description)
    file = tmp_path_factory.mktemp("prism") / "github.json"
    file.write_text(json.dumps(description))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = package_file("@stoplight/prism-cli/dist/index.js")
    log = file.with_name("log").open("wb")
    server = subprocess.Popen(
        [program("node"), str(script), "mock", "--host", "127.0.0.1", "--port", str(port), str(file)],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
    )
    try:
        _wait(server, port, file.with_name("log"))
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait(10)
        log.close()


def _accept(description: dict[str, Any]) -> None:
    """Name answers as the documentation says to ask for them: Prism would refuse ``application/vnd.github+json``.

    And without the example of a next page, which is at the real GitHub.
    """
    operations = [one for path in description["paths"].values() for one in path.values() if isinstance(one, dict)]
    answers = [answer for one in operations for answer in one["responses"].values()]
    for answer in [*answers, *description["components"]["responses"].values()]:
        answer.get("headers", {}).pop("Link", None)
        if "application/json" in answer.get("content", {}):
            answer["content"]["application/vnd.github+json"] = answer["content"].pop("application/json")


def _wait(server: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    pytest.fail(f"Prism did not start: {log.read_text()[-2_000:]}")


@pytest.fixture(scope="module")
def github(prism: str) -> GitHub:
    return GitHub(Api(prism, "token"), "octocat/Hello-World")


def test_what_is_read(github: GitHub) -> None:
    assert github.me() == "octocat"
    pull = github.pull_request(1347)
    assert (pull.number, pull.state, pull.head.sha, pull.base.ref) == (1347, "open", SHA, "master")
    assert pull.base.repo is not None
    assert pull.base.repo.default_branch == "master"
    assert [one.number for one in github.open_pull_requests(base="master", head="octocat:new-topic")] == [1347]
    assert [(one.state, one.user and one.user.login) for one in github.reviews(1347)] == [("APPROVED", "octocat")]
    assert github.paths(1347) == {"file1.txt"}
    assert github.team_members("acme/pricing") == {"octocat"}
    assert [one.id for one in github.comments(1347)] == [1]
    assert [(one.state, one.context) for one in github.statuses(SHA)] == [("success", "continuous-integration/jenkins")]


def test_the_answers_for_the_policy(github: GitHub) -> None:
    answers, missing = github.answers(1347)
    assert missing is None
    assert answers["pull_request"]["number"] == 1347
    assert [one["sha"] for one in answers["commits"]] == [SHA]
    (collaborator,) = answers["collaborators"]
    assert collaborator["login"] == "octocat"
    assert collaborator["permissions"] == {"push": True}


def test_an_artifact_is_asked_for_as_described(github: GitHub) -> None:
    assert github.repository().default_branch == "master"
    assert [one["name"] for one in github.artifacts("Rails")] == ["Rails", "Test output"]  # the description's example
    # Prism's redirect leads to no file; that it answered says that the request was right.
    with pytest.raises(ApiError, match=r"file|address"):
        github.artifact(11)


def test_more_commits_than_are_listed(github: GitHub) -> None:
    found = github._commits(1347, github.api.get("/repos/octocat/Hello-World/pulls/1347") | {"commits": 251})
    assert [one["sha"] for one in found] == [SHA]


def test_what_is_written(github: GitHub) -> None:
    github.add_comment(1347, "**gate: review**")
    github.edit_comment(42, "**gate: pass**")
    github.delete_comment(42)
    for state in ("pending", "success", "failure", "error"):
        github.set_status(SHA, state=state, context="gate", description="#1 pass: risk 1", link="https://a.example")
    github.set_status(SHA, state="pending", context="gate (release/1.x)", description="", link=None)
    github.add_label(1347, "gate: review")
    github.remove_label(1347, "gate: pass")
    github.request_reviews(1347, ["ravi"], [])
    github.request_reviews(1347, [], ["pricing"])


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", f"statuses/{SHA}", {"state": "green"}),
        ("POST", f"statuses/{SHA}", {"context": "gate"}),
        ("POST", "issues/1347/comments", {"text": "a"}),
        ("PATCH", "issues/comments/1", {"body": 1}),
        ("POST", "issues/x/comments", {"body": "a"}),
    ],
)
def test_a_request_that_github_does_not_describe_is_refused(
    github: GitHub, method: str, path: str, body: dict[str, object]
) -> None:
    with pytest.raises(ApiError, match="answered 4"):
        github.api.send(method, f"/repos/octocat/Hello-World/{path}", body, repeatable=False)
