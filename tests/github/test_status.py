"""The commit status: green only where everything that it stands for holds."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecli.model import Decision
from gatecli.reports.judgement import Judgement
from gatecli.reports.publishing import publish
from gatecli.sources.github import GitHub, PullRequest, read
from gatecli.sources.github_api import Api
from tests.github.fake import (
    BASE_SHA,
    BOT,
    HEAD_SHA,
    OLD_SHA,
    SLUG,
    TOKEN,
    FakeGitHub,
    account,
    pull_request,
)
from tests.github.judgements import (
    BLOCK,
    ERROR,
    PASS,
    PLACE,
    REVIEW,
    STATUS,
    judged,
    state,
)
from tests.reports import sample


@pytest.mark.parametrize("judged", [PASS, REVIEW, BLOCK, ERROR])
@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"head": {"sha": OLD_SHA, "ref": "a"}}, "the head of #1204 is 1c02aa9 by now, a71b0d4 was judged"),
        ({"state": "closed"}, "#1204 is closed"),
        (
            {"base": {"sha": BASE_SHA, "ref": "release", "repo": {"full_name": SLUG, "default_branch": "main"}}},
            "#1204 is for release by now, it was judged for main",
        ),
    ],
)
def test_a_pull_request_that_moved_on_gets_nothing(
    run, fake: FakeGitHub, judged: Judgement, change: dict, why: str
) -> None:
    fake.pulls[1204] = pull_request(**change)
    assert run(judged) == [f"nothing is written: {why}"]
    assert fake.written == []


def test_a_force_push_while_it_is_written_leaves_the_old_commit_judged(run, fake: FakeGitHub) -> None:
    def push(request) -> None:
        if "/files" in request.path:
            fake.pulls[1204]["head"]["sha"] = OLD_SHA

    fake.before = push
    run(PASS, STATUS)
    assert [(one["sha"], one["state"]) for one in fake.statuses] == [(HEAD_SHA, "success")]


@pytest.mark.parametrize(
    ("file", "shown"),
    [
        ({"filename": "shop/evil.py"}, "shop/evil.py"),
        ({"filename": "shop/cart.py", "previous_filename": "shop/was.py"}, "shop/was.py"),
        ({"filename": "a\n::error::b"}, r"a\n::error::b"),
    ],
)
def test_a_file_of_the_pull_request_that_was_not_judged_is_an_error(
    run, fake: FakeGitHub, file: dict, shown: str
) -> None:
    fake.files[1204] = [{"filename": "shop/cart.py"}, file]
    run(PASS, STATUS)
    assert state(fake) == [("error", "gate", f"#1204 error: not judged, but changed: {shown}")]


def test_a_name_that_is_no_text_is_not_compared(run, fake: FakeGitHub) -> None:
    fake.files[1204] = [{"filename": "caf\ufffd.py"}]
    run(PASS, STATUS)
    assert state(fake)[0][0] == "success"


def test_another_base_has_a_status_of_its_own(run, fake: FakeGitHub) -> None:
    repository = {"full_name": SLUG, "default_branch": "main"}
    fake.pulls[1204]["base"] = {"sha": BASE_SHA, "ref": "playground", "repo": repository}
    run(PASS, STATUS, place=replace(PLACE, base="playground"))
    assert state(fake) == [("success", "gate (playground)", "#1204 pass: risk 1")]


def twin(number: int = 1205, **more: Any) -> dict[str, Any]:
    return pull_request(number, user=account("mallory"), **more)


WAITS = ("pending", "gate", "#1204 pass, but #1205 has the same head and must pass too")
GREEN = ("success", "gate", "#1204 pass: risk 1")


@pytest.mark.parametrize(
    ("earlier", "expected"),
    [
        ([], [WAITS]),
        ([("#1205 pass: risk 1", BOT)], [WAITS, GREEN]),
        ([("#1205 pass, but #1204 has the same head and must pass too", BOT)], [WAITS, GREEN]),
        ([("#1205 pass: risk 1", BOT), ("#1205 review: risk 9", BOT)], [WAITS]),
        ([("#1205 review: risk 9", BOT), ("#1205 pass: risk 1", BOT)], [WAITS, GREEN]),
        ([("#1205 block: risk 9", BOT)], [WAITS]),
        ([("#1205 error: a", BOT)], [WAITS]),
        ([("#1205 pass: risk 1", "mallory")], [WAITS]),
        ([("#12050 pass: risk 1", BOT)], [WAITS]),
        ([("#1205 passed", BOT)], [WAITS]),
        ([("pass", BOT)], [WAITS]),
    ],
)
def test_pull_requests_that_share_a_head_share_the_status_so_each_has_to_pass(
    run, fake: FakeGitHub, earlier: list[tuple[str, str]], expected: list
) -> None:
    fake.pulls[1205] = twin()
    for description, login in earlier:
        fake.status(description, login=login)
    run(PASS, STATUS)
    assert state(fake)[len(earlier) :] == expected


@pytest.mark.parametrize(
    "other",
    [
        twin(state="closed"),
        twin(head={"sha": OLD_SHA, "ref": "a", "repo": None}),
        twin(base={"sha": BASE_SHA, "ref": "release", "repo": {"full_name": SLUG, "default_branch": "main"}}),
    ],
)
def test_other_pull_requests_do_not_matter(run, fake: FakeGitHub, other: dict) -> None:
    fake.pulls[1205] = other
    run(PASS, STATUS)
    assert state(fake) == [GREEN]


def test_of_two_runs_at_once_the_later_one_sees_both(run, github: GitHub, fake: FakeGitHub) -> None:
    fake.pulls[1205] = twin()
    fake.files = {number: [{"filename": "shop/cart.py"}] for number in (1204, 1205)}
    inner: list[bool] = []

    def meanwhile(request) -> None:
        if request.method == "GET" and "/statuses" in request.path and not inner:
            inner.append(True)
            publish(github, replace(PLACE, number=1205), PASS, STATUS, say=lambda _: None)

    fake.before = meanwhile
    run(PASS, STATUS)
    assert state(fake)[-1][0] == "success"
    assert len(inner) == 1


def test_a_queue_s_commit_belongs_to_one_pull_request(run, fake: FakeGitHub) -> None:
    fake.pulls[1205] = twin()
    run(PASS, STATUS, place=replace(PLACE, commit="e" * 40))
    assert [(one["sha"], one["state"]) for one in fake.statuses] == [("e" * 40, "success")]


@pytest.mark.parametrize("path", ["/files", r"/pulls\?", "/commits/.*/statuses", "/graphql"])
def test_what_cannot_be_looked_up_is_not_green(run, fake: FakeGitHub, path: str) -> None:
    fake.pulls[1205] = twin()
    fake.status("#1205 pass: risk 1")
    fake.trouble(path, status=502, times=99)
    said = run(PASS, STATUS, ok=False)
    assert "502" in said[-1]
    assert "success" not in [one[0] for one in state(fake)[1:]]


@given(
    outcome=st.sampled_from(Decision),
    incomplete=st.booleans(),
    code=st.sampled_from([0, 1, 2, 3, 4]),
    same_head=st.booleans(),
    same_base=st.booleans(),
    is_open=st.booleans(),
    all_files=st.booleans(),
)
def test_success_means_every_condition_holds(**case: Any) -> None:
    report = sample.passing()
    verdict = replace(report.verdict, outcome=case["outcome"], incomplete=("a",) if case["incomplete"] else ())
    stub = _Stub(case)
    said: list[str] = []
    publish(stub, PLACE, judged(replace(report, verdict=verdict, exit_code=case["code"])), STATUS, say=said.append)
    holds = case["outcome"] is Decision.PASS and not case["incomplete"] and case["code"] == 0
    holds = holds and case["same_head"] and case["same_base"] and case["is_open"] and case["all_files"]
    assert ("success" in stub.states) is holds
    assert stub.states in ([], ["success"], ["pending"], ["failure"], ["error"])


class _Stub(GitHub):
    """A GitHub in this process, for many cases."""

    def __init__(self, case: dict[str, Any]) -> None:
        super().__init__(Api("http://127.0.0.1:9", TOKEN), SLUG)
        self.case = case
        self.states: list[str] = []

    def pull_request(self, number: int):
        fake = FakeGitHub()
        value = pull_request(
            number,
            state="open" if self.case["is_open"] else "closed",
            head={"sha": HEAD_SHA if self.case["same_head"] else OLD_SHA, "ref": "a", "repo": None},
        )
        value["base"]["ref"] = "main" if self.case["same_base"] else "release"
        fake.pulls[number] = value
        return read(value, PullRequest)

    def paths(self, number: int) -> frozenset[str]:
        return frozenset(["shop/cart.py"] if self.case["all_files"] else ["shop/cart.py", "b.py"])

    def open_pull_requests(self, *, base: str | None = None, head: str | None = None):
        return [self.pull_request(1204)]

    def set_status(self, sha: str, *, state: str, context: str, description: str, link: str | None) -> None:
        self.states.append(state)
