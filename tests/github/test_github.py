"""What is read of a pull request, and that the policy understands it unchanged."""

import json

import pytest

from gatecli.config import Config, People
from gatecli.errors import UsageError
from gatecli.model import Approval, Binding, Dismissal
from gatecli.policy.approvals import Submitted, counted
from gatecli.provenance.identity import directory
from gatecli.sources.github import GitHub, connect
from gatecli.sources.github_api import ApiError
from tests.github.fake import BASE_SHA, BOT, HEAD_SHA, OLD_SHA, TOKEN, FakeGitHub, account, commit, pull_request, review
from tests.scoring.cases import case, changed


def test_the_answers_are_github_s_own_and_the_policy_reads_them(github: GitHub, fake: FakeGitHub) -> None:
    fake.reviews[1204] = [
        review("ravi"),
        review("tom", commit=OLD_SHA),
        review("stranger"),
        review("reader"),
        review("copilot[bot]"),
        review("mei", "COMMENTED"),
    ]
    fake.permissions = {"ravi": "write", "tom": "admin", "reader": "read", "mei": "write"}
    answers, missing = github.answers(1204)
    assert missing is None
    assert answers["pull_request"] == fake.pulls[1204]
    assert answers["reviews"] == fake.reviews[1204]
    assert answers["commits"] == fake.commits[1204]
    assert [(one["login"], one["permissions"]) for one in answers["collaborators"]] == [
        ("ravi", {"push": True}),
        ("reader", {"push": False}),
        ("tom", {"push": True}),
    ]
    given = Submitted(answers=json.dumps(answers).encode())
    judged = case(changed(), head=HEAD_SHA)
    found = counted(judged, (), directory(People()), Config(), submitted=given, policy="p", now=1_800_000_000)
    assert [one.person for one in found.approvals] == ["ravi"]
    assert found.approvals[0] == Approval(
        person="ravi", at=1_795_190_520, source="github review", commit=HEAD_SHA, digest="d", binding=Binding.MERGE_TREE
    )
    assert set(found.dismissed) == {
        Dismissal(by="tom", reason="approved 1c02aa9f4051, not a71b0d4c2e3f that was judged", source="github review"),
        Dismissal(by="stranger", reason="may not push to this repository", source="github review"),
        Dismissal(by="reader", reason="may not push to this repository", source="github review"),
        Dismissal(by="copilot[bot]", reason="a bot", source="github review"),
    }


def test_where_who_may_push_cannot_be_seen_it_is_left_out_and_said(github: GitHub, fake: FakeGitHub) -> None:
    fake.allowed.discard("collaborators: read")
    fake.reviews[1204] = [review("ravi")]
    answers, missing = github.answers(1204)
    assert "collaborators" not in answers
    assert missing is not None
    assert missing.startswith("who may push is not known: GET /repos/acme/shop/collaborators/ravi/permission")


def test_nobody_said_yes_or_no_so_nobody_is_looked_up(github: GitHub, fake: FakeGitHub) -> None:
    fake.reviews[1204] = [review("ravi", "COMMENTED")]
    assert github.answers(1204)[0]["collaborators"] == []


def test_an_objection_counts_so_whoever_raised_it_is_looked_up(github: GitHub, fake: FakeGitHub) -> None:
    fake.reviews[1204] = [review("ravi", "CHANGES_REQUESTED")]
    fake.permissions = {"ravi": "write"}
    assert [one["login"] for one in github.answers(1204)[0]["collaborators"]] == ["ravi"]


def test_strangers_do_not_crowd_out_a_member(github: GitHub, fake: FakeGitHub) -> None:
    crowd = [review(f"a{number}", "CHANGES_REQUESTED") | {"author_association": "NONE"} for number in range(150)]
    fake.reviews[1204] = [*crowd, review("zoe", "CHANGES_REQUESTED")]
    fake.permissions = {"zoe": "write"}
    assert "zoe" in [one["login"] for one in github.answers(1204)[0]["collaborators"]]


def test_the_other_open_pull_requests_of_the_head_come_with_their_reviews(github: GitHub, fake: FakeGitHub) -> None:
    fake.pulls |= {
        7: pull_request(7, base={"sha": BASE_SHA, "ref": "release", "repo": None}),
        8: pull_request(8, head={"sha": OLD_SHA, "ref": "other", "repo": None}),
        9: pull_request(9, state="closed"),
    }
    fake.reviews[7] = [review("tom", "CHANGES_REQUESTED")]
    fake.permissions = {"tom": "write"}
    answers, _ = github.answers(1204)
    assert answers["twins"] == [{"pull_request": fake.pulls[7], "reviews": fake.reviews[7]}]
    assert [one["login"] for one in answers["collaborators"]] == ["tom"]


def test_the_checks_of_the_head_are_an_agent_s_word(github: GitHub, fake: FakeGitHub) -> None:
    ran = {
        "status": "completed",
        "conclusion": "success",
        "completed_at": "2026-11-20T16:02:00Z",
        "app": {"slug": "rb"},
    }
    fake.check_runs = [{"head_sha": HEAD_SHA, **ran}, {"head_sha": OLD_SHA, **ran}]
    answers, missing = github.answers(1204)
    assert (answers["check_runs"], missing) == (fake.check_runs[:1], None)
    config = Config(people=People(agents={"rb": "gpt"}))
    given = Submitted(answers=json.dumps(answers).encode())
    judged = case(changed(), head=HEAD_SHA)
    known = directory(config.people)
    found = counted(judged, (), known, config, submitted=given, policy="p", now=1_800_000_000)
    assert [(one.person, one.kind, one.model) for one in found.approvals] == [("rb", "agent", "gpt")]
    fake.allowed.discard("checks: read")
    answers, missing = github.answers(1204)
    assert "check_runs" not in answers
    assert (missing or "").startswith("the word of applications is not known: GET /repos/acme/shop/commits/")


@pytest.mark.parametrize("login", ["../../../user", "a/b", "", "a?b=c", "é", "a" * 200])
def test_a_login_that_is_none_reaches_no_address(github: GitHub, fake: FakeGitHub, login: str) -> None:
    fake.reviews[1204] = [review(login)]
    assert github.answers(1204)[0]["collaborators"] == []
    assert not [one for one in fake.requests if "permission" in one.path]


def test_more_commits_than_github_lists_of_a_pull_request(github: GitHub, fake: FakeGitHub) -> None:
    fake.pulls[1204]["commits"] = 412
    fake.commits[1204] = [commit(f"{number:040x}") for number in range(412)]
    assert [one["sha"] for one in github.answers(1204)[0]["commits"]] == [f"{number:040x}" for number in range(412)]
    assert any(f"/compare/{BASE_SHA}...{HEAD_SHA}" in one.path for one in fake.requests)


@pytest.mark.parametrize("path", ["pulls/1204$", "reviews", "commits"])
def test_answers_that_are_not_whole_are_none(github: GitHub, fake: FakeGitHub, path: str) -> None:
    fake.trouble(path, status=500, times=99)
    with pytest.raises(ApiError, match="500"):
        github.answers(1204)


@pytest.mark.parametrize(
    ("tells_user", "viewer", "asked"),
    [(True, "dana", ["/user"]), (False, BOT, ["/user", "/graphql"])],
)
def test_who_the_token_writes_as(
    github: GitHub, fake: FakeGitHub, tells_user: bool, viewer: str, asked: list[str]
) -> None:
    fake.tells_user, fake.viewer = tells_user, viewer
    assert github.me() == viewer
    assert [one.path for one in fake.requests] == asked


def test_an_expired_token_is_not_asked_twice(github: GitHub, fake: FakeGitHub) -> None:
    fake.tokens = ()
    with pytest.raises(ApiError, match="401"):
        github.me()
    assert [one.path for one in fake.requests] == ["/user"]


def test_paths_hold_old_names_and_come_over_pages(github: GitHub, fake: FakeGitHub) -> None:
    fake.files[1204] = [
        {"filename": "new.py", "previous_filename": "old.py", "status": "renamed"},
        *({"filename": f"{number}.py", "status": "added"} for number in range(2_999)),
    ]
    found = github.paths(1204)
    assert len(found) == 3_001
    assert {"new.py", "old.py", "2998.py"} <= found
    assert len(fake.requests) == 30


def test_members_of_a_team(github: GitHub, fake: FakeGitHub) -> None:
    fake.teams = {"pricing": ["Ravi", "mei"]}
    assert github.team_members("acme/pricing") == {"ravi", "mei"}


@pytest.mark.parametrize("team", ["", "pricing", "a/b/c", "../x", "a/b?c"])
def test_a_team_that_is_none(github: GitHub, team: str) -> None:
    with pytest.raises(UsageError):
        github.team_members(team)


def test_open_pull_requests_of_a_base_and_of_a_head(github: GitHub, fake: FakeGitHub) -> None:
    other = {"full_name": "mallory/shop", "default_branch": "main"}
    fake.pulls |= {
        1: pull_request(1, state="closed"),
        2: pull_request(2, base={"sha": BASE_SHA, "ref": "release", "repo": other}),
        3: pull_request(3, head={"sha": OLD_SHA, "ref": "fix", "repo": other}),
    }
    assert [one.number for one in github.open_pull_requests(base="main")] == [1204, 3]
    assert [one.number for one in github.open_pull_requests(head="mallory:fix")] == [3]


def test_a_pull_request_of_a_deleted_fork_and_account(github: GitHub, fake: FakeGitHub) -> None:
    fake.pulls[1204] = pull_request(user=None, head={"sha": HEAD_SHA, "ref": "fix", "repo": None})
    found = github.pull_request(1204)
    assert (found.user, found.head.repo) == (None, None)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"number": "1204"},
        {"number": 1204, "state": "open", "head": None, "base": None},
        {"number": 1204, "state": "open", "head": {"sha": 1, "ref": "a"}, "base": {"sha": "a", "ref": "b"}},
    ],
)
def test_an_answer_of_another_shape_is_an_error(github: GitHub, fake: FakeGitHub, answer: dict) -> None:
    fake.trouble("pulls/1204", body=answer)
    with pytest.raises(ApiError, match="not understood"):
        github.pull_request(1204)


@pytest.mark.parametrize("sha", ["", "main", "../x", "A" * 40, "a" * 39, f"{'a' * 40}\n"])
def test_only_a_commit_gets_a_status(github: GitHub, fake: FakeGitHub, sha: str) -> None:
    with pytest.raises(ApiError, match="commit"):
        github.set_status(sha, state="success", context="gate", description="", link=None)
    assert fake.requests == []


@pytest.mark.parametrize("slug", ["", "shop", "a/b/c", "../..", "a/..", "a b/c", "a/b?c", "a/b\n"])
def test_a_repository_needs_a_name(slug: str) -> None:
    with pytest.raises(UsageError, match="no repository is named"):
        connect({"GITHUB_REPOSITORY": slug})


def test_the_environment_of_a_workflow(fake: FakeGitHub) -> None:
    found = connect({"GITHUB_API_URL": fake.url, "GITHUB_REPOSITORY": "acme/shop", "GH_TOKEN": TOKEN})
    assert found.api.has_token
    assert found.pull_request(1204).user is not None
    assert fake.requests[0].headers["authorization"] == f"Bearer {TOKEN}"
    fake.tokens = ("first",)
    first = connect({"GITHUB_API_URL": fake.url, "GITHUB_TOKEN": "first", "GH_TOKEN": "second"}, repository="acme/shop")
    assert first.pull_request(1204).number == 1204
    assert not connect({"GITHUB_REPOSITORY": "acme/shop"}).api.has_token


def test_a_label_s_name_is_no_path(github: GitHub, fake: FakeGitHub) -> None:
    fake.pulls[1204]["labels"] = [{"name": "a/b: ü?"}, {"name": "c"}]
    github.remove_label(1204, "a/b: ü?")
    assert fake.pulls[1204]["labels"] == [{"name": "c"}]


def test_accounts_are_read_as_they_are(github: GitHub, fake: FakeGitHub) -> None:
    fake.comments.append({"id": 1, "body": None, "user": None, "issue": 1204})
    fake.comments.append({"id": 2, "body": "a", "user": account("dana"), "issue": 1204})
    assert [(one.id, one.body, one.user and one.user.login) for one in github.comments(1204)] == [
        (1, None, None),
        (2, "a", "dana"),
    ]
