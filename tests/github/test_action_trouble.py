"""The action where something is missing, gone or down: the verdict stands, and nothing is green by accident."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gatecli.reports.markdown import MARKER
from tests.conftest import GitRepo
from tests.github.action import SLOWER, Job, ended, statuses
from tests.github.fake import TOKEN, FakeGitHub, Request, review

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the steps run under bash")


def test_a_read_only_token_judges_and_writes_nothing(propose: Callable[..., Job], fake: FakeGitHub) -> None:
    fake.allowed = set()
    job = propose({"shop/pricing.py": SLOWER}, inputs={"request-reviewers": "true", "label": "true"})
    result = ended(job, 3)
    assert (fake.statuses, fake.comments, fake.pulls[1204]["labels"]) == ([], [], [])
    for feature, permission in (("status", "statuses"), ("comment", "pull-requests"), ("label", "pull-requests")):
        assert f"gate: {feature}: not written, the token needs `{permission}: write" in result.errors
    assert (result.outputs["outcome"], "warning" in result.commands) == ("review", True)
    assert result.summary.startswith(MARKER)


def test_an_api_that_is_down_leaves_the_verdict_and_is_no_pass(propose: Callable[..., Job], fake: FakeGitHub) -> None:
    job = propose({"README.md": "a\n"})
    fake.trouble("/", status=502, times=999)
    result = ended(job, 4)
    assert result.outputs["outcome"] == "pass"
    assert "going by the event instead" in result.errors
    assert "::warning::gate cannot read the reviews" in result.log
    assert fake.statuses == []


def test_a_head_that_is_gone_turns_an_earlier_green_off(
    propose: Callable[..., Job], fake: FakeGitHub, remote: GitRepo
) -> None:
    job = propose({"README.md": "a\n"})
    fake.pulls[1204]["head"]["sha"] = "d" * 40
    fake.status("#1204 pass: risk 0", sha="d" * 40)
    result = ended(job, 4)
    assert (result.outputs["verdict"], result.outputs["outcome"], result.outputs["score"]) == ("error", "error", "")
    assert result.outputs["json-file"] == ""
    assert statuses(fake)[-1] == ("error", "#1204 error: gate could not judge this change, the log says why")
    assert "could not be judged" in result.summary
    assert "::error::gate cannot fetch what it is to judge" in result.log


def test_a_branch_that_was_deleted_is_judged_by_its_commit(
    propose: Callable[..., Job], fake: FakeGitHub, remote: GitRepo
) -> None:
    job = propose({"README.md": "a\n"})
    remote.git("branch", "-D", "topic")
    assert ended(job, 0).outputs["outcome"] == "pass"
    assert [one["state"] for one in fake.statuses] == ["success"]


def test_a_branch_that_is_deleted_and_swept_away_is_an_error(
    propose: Callable[..., Job], fake: FakeGitHub, remote: GitRepo
) -> None:
    job = propose({"README.md": "a\n"})
    remote.git("branch", "-D", "topic")
    head = fake.pulls[1204]["head"]["sha"]
    (remote.path / ".git" / "objects" / head[:2] / head[2:]).unlink()
    result = ended(job, 4)
    assert (
        "::error::gate cannot fetch what it is to judge: was the branch deleted or pushed over meanwhile?" in result.log
    )
    assert [one["state"] for one in fake.statuses] == ["error"]


def test_a_force_push_while_it_is_judged_gets_no_status(propose: Callable[..., Job], fake: FakeGitHub) -> None:
    job = propose({"README.md": "a\n"})

    def push(request: Request) -> None:
        if "/reviews" in request.path:
            fake.pulls[1204]["head"]["sha"] = "d" * 40

    fake.before = push
    result = ended(job, 0)
    assert result.outputs["outcome"] == "pass"
    assert "nothing is written: the head of #1204 is ddddddd by now" in result.errors
    assert fake.statuses == []


def test_a_pull_request_of_more_files_than_github_lists(propose: Callable[..., Job], fake: FakeGitHub) -> None:
    """GitHub lists 3,000 files; those beyond are judged as well."""
    job = propose({f"docs/page-{number:04}.md": "A page\n" for number in range(3_050)} | {"zzz/last.py": SLOWER})
    fake.files[1204] = fake.files[1204][:3_000]
    result = ended(job, 3)
    report = json.loads(Path(result.outputs["json-file"]).read_text())
    assert len(report["change"]["files"]) == 3_051
    assert "price" in [one["qualname"] for one in report["functions"]]
    assert [one["state"] for one in fake.statuses] == ["pending"]
    assert len(fake.comments[0]["body"]) < 65_536


def test_an_expired_token_is_no_pass(propose: Callable[..., Job], fake: FakeGitHub) -> None:
    job = propose({"README.md": "a\n"})
    fake.tokens = ("another",)
    result = ended(job, 4)
    assert result.outputs["outcome"] == "pass"
    assert "expired" in result.errors
    assert (fake.statuses, fake.comments) == ([], [])


def test_a_token_that_expires_in_the_middle_is_no_pass(propose: Callable[..., Job], fake: FakeGitHub) -> None:
    job = propose({"README.md": "a\n"})

    def expire(request: Request) -> None:
        if "/files" in request.path:  # read when the verdict is there and the status is about to be set
            fake.tokens = ("another",)

    fake.before = expire
    result = ended(job, 4)
    assert result.outputs["outcome"] == "pass"
    assert "gate: status: not written, " in result.errors
    assert "the token is wrong or has expired" in result.errors
    assert fake.statuses == []


def test_approvals_that_a_token_expired_on_do_not_count(propose: Callable[..., Job], fake: FakeGitHub) -> None:
    job = propose({"shop/pricing.py": SLOWER})
    fake.reviews[1204] = [review("ravi", commit=fake.pulls[1204]["head"]["sha"])]

    def expire(request: Request) -> None:
        if "/collaborators" in request.path:
            fake.tokens = ("another",)

    fake.before = expire
    fake.permissions = {"ravi": "write"}
    fake.tokens = (TOKEN,)
    result = ended(job, 3)
    assert "::warning::gate cannot read the reviews" in result.log
    assert (result.outputs["outcome"], result.outputs["sign-off"]) == ("review", "outstanding")


def test_without_a_token_it_is_judged_and_nothing_is_written(propose: Callable[..., Job], fake: FakeGitHub) -> None:
    job = propose({"README.md": "a\n"}, inputs={"token": ""})
    result = job.run()
    assert result.outputs["outcome"] == "pass", result.errors
    assert "gate: nothing is written: there is no token" in result.errors
    assert (fake.statuses, fake.comments) == ([], [])


def test_a_profile_that_is_missing_is_no_pass(propose: Callable[..., Job], fake: FakeGitHub) -> None:
    job = propose({"README.md": "a\n"}, inputs={"profile": "nowhere.json.gz"})
    result = ended(job, 2)
    assert "no profile at nowhere.json.gz" in result.errors
    assert [one["state"] for one in fake.statuses] == ["error"]


def test_a_run_about_no_pull_request(propose: Callable[..., Job], fake: FakeGitHub) -> None:
    job = propose({"README.md": "a\n"})
    job.event = {"ref": "refs/heads/main"}
    assert "about no pull request" in ended(job, 2).errors
    job.inputs = {"pull-request": "1204"}
    assert ended(job, 0).outputs["outcome"] == "pass"


def test_the_policy_of_an_organisation_that_is_missing_is_no_pass(
    propose: Callable[..., Job], fake: FakeGitHub
) -> None:
    ended(propose({"README.md": "a\n"}, inputs={"organisation": "policies/gate.yml"}), 2)
    assert [state for state, _ in statuses(fake)][-1] == "error"
