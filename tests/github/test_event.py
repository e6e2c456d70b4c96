"""What a run is about, event by event."""

import json
from typing import Any

import pytest

from gatecli.errors import UsageError
from gatecli.sources.github import GitHub
from gatecli.sources.github_api import ApiError
from gatecli.sources.github_event import Event, Target, locate, read_event
from tests.github.fake import BASE_SHA, HEAD_SHA, OLD_SHA, FakeGitHub, pull_request

QUEUE_SHA = "e" * 40
TARGET = Target(
    number=1204,
    base="refs/heads/main",
    base_branch="main",
    head=HEAD_SHA,
    branch="price-orders",
    commit=HEAD_SHA,
)


def event(value: Any) -> Event:
    return read_event(json.dumps(value).encode())


def found(github: GitHub, value: Any, number: int | None = None) -> Target:
    return locate(github, event(value), number=number, warn=lambda text: pytest.fail(text))


QUEUE = {
    "merge_group": {
        "head_sha": QUEUE_SHA,
        "head_ref": f"refs/heads/gh-readonly-queue/release/1.x/pr-1204-{BASE_SHA}",
        "base_sha": BASE_SHA,
        "base_ref": "refs/heads/release/1.x",
    }
}
RUN = {
    "workflow_run": {
        "head_sha": HEAD_SHA,
        "head_branch": "fix",
        "head_repository": {"owner": {"login": "mallory"}, "full_name": "mallory/shop"},
        "pull_requests": [],
    }
}


def test_a_pull_request_event_is_about_its_pull_request(github: GitHub) -> None:
    assert found(github, {"action": "opened", "pull_request": pull_request()}) == TARGET


def test_the_head_that_is_there_now_is_judged_not_that_of_the_event(github: GitHub, fake: FakeGitHub) -> None:
    fake.pulls[1204]["head"]["sha"] = OLD_SHA
    assert found(github, {"pull_request": pull_request()}).head == OLD_SHA


def test_a_number_that_is_named_goes_first(github: GitHub, fake: FakeGitHub) -> None:
    fake.pulls[7] = pull_request(7)
    assert found(github, {"pull_request": pull_request()}, 7).number == 7
    assert found(github, QUEUE, 7).commit == HEAD_SHA


def test_a_queue_is_about_the_pull_request_that_its_branch_names(github: GitHub) -> None:
    target = found(github, QUEUE)
    assert (target.number, target.base, target.head, target.commit) == (1204, BASE_SHA, HEAD_SHA, QUEUE_SHA)


def test_a_run_after_a_fork_s_run_finds_the_pull_request_by_branch_and_commit(github: GitHub, fake: FakeGitHub) -> None:
    fork = {"full_name": "mallory/shop", "default_branch": "main"}
    fake.pulls[9] = pull_request(9, head={"sha": HEAD_SHA, "ref": "fix", "repo": fork})
    fake.pulls[8] = pull_request(8, head={"sha": OLD_SHA, "ref": "fix", "repo": fork})
    assert found(github, RUN).number == 9


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"action": "created", "issue": {"number": 3}},
        {"ref": "refs/heads/main", "after": HEAD_SHA},
        RUN,
        {"workflow_run": {**RUN["workflow_run"], "head_branch": None}},
        {"merge_group": {**QUEUE["merge_group"], "head_ref": "refs/heads/gh-readonly-queue/main/pr-x"}},
        {"merge_group": {**QUEUE["merge_group"], "head_ref": f"refs/heads/pr-1204-{BASE_SHA}"}},
    ],
)
def test_a_run_about_nothing_says_what_to_do(github: GitHub, value: Any) -> None:
    with pytest.raises(UsageError, match="about no pull request") as caught:
        found(github, value)
    assert caught.value.hint == "name one: --pull NUMBER"


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"null", b"\xff", b"{", b'"a"', b"[" * 100_000, b'{"pull_request": 5}',
     b'{"pull_request": {"number": 1}}', b'{"merge_group": []}', b'{"workflow_run": {"head_sha": 1}}'],
)  # fmt: skip
def test_an_event_that_is_none(data: bytes) -> None:
    with pytest.raises(UsageError, match="event"):
        read_event(data)


def test_where_github_does_not_answer_the_event_has_to_do(github: GitHub, fake: FakeGitHub) -> None:
    fake.trouble("pulls", status=502, times=99)
    told: list[str] = []
    assert locate(github, event({"pull_request": pull_request()}), number=None, warn=told.append) == TARGET
    assert told == ["GET /repos/acme/shop/pulls/1204 answered 502; going by the event instead"]


@pytest.mark.parametrize(("value", "number"), [(QUEUE, None), ({"pull_request": pull_request()}, 7), ({}, 1204)])
def test_where_the_event_says_too_little_nothing_is_guessed(
    github: GitHub, fake: FakeGitHub, value: Any, number: int | None
) -> None:
    fake.trouble("pulls", status=502, times=99)
    with pytest.raises(ApiError, match="502"):
        found(github, value, number)


@pytest.mark.parametrize(
    "branch",
    ["-rf", "a b", "a\nx=y", "a..b", "a~1", "a:b", "a?", "a*", "a[b", "a\\b", "a^", "@", "a@{1}", "/a", "a/", "a//b",
     ".a", "a/.b", "a.lock", "a.lock/b", "a.", "", "a\x7f", "x" * 251],
)  # fmt: skip
def test_a_branch_that_git_refuses(github: GitHub, fake: FakeGitHub, branch: str) -> None:
    fake.pulls[1204]["head"]["ref"] = branch
    assert found(github, {"pull_request": pull_request()}).branch is None
    fake.pulls[1204]["base"]["ref"] = branch
    with pytest.raises(ApiError, match="branch that git does not allow"):
        found(github, {"pull_request": pull_request()})


@pytest.mark.parametrize(
    "branch", ["copilot/fix-1", "$(touch x)", "`x`", "a;b", "'", '"', "ü/漢", "a=b", "<<EOF", "a@b"]
)
def test_a_branch_that_git_allows_is_kept_as_it_is(github: GitHub, fake: FakeGitHub, branch: str) -> None:
    fake.pulls[1204]["head"]["ref"] = branch.replace(" ", "_")
    assert found(github, {"pull_request": pull_request()}).branch == branch.replace(" ", "_")


@pytest.mark.parametrize("end", ["head", "base"])
@pytest.mark.parametrize("sha", ["", "main", "--upload-pack=x", "a" * 39, f"{'a' * 40}\n"])
def test_a_commit_that_is_none_is_not_fetched(github: GitHub, fake: FakeGitHub, end: str, sha: str) -> None:
    fake.pulls[1204]["head"]["sha"] = sha if end == "head" else HEAD_SHA
    queue = {"merge_group": {**QUEUE["merge_group"], "base_sha": sha if end == "base" else BASE_SHA}}
    with pytest.raises(ApiError, match="commit that is none"):
        found(github, queue)
