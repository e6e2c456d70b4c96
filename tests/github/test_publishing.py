"""What ends up on the pull request: once, up to date, and nothing where it may not."""

from dataclasses import replace

import pytest

from gatecli.model import Decision
from gatecli.reports.judgement import Judgement
from gatecli.reports.publishing import Commenting, Wanted, publish
from gatecli.sources.github import GitHub
from gatecli.sources.github_api import Api, ApiError
from tests.github.fake import (
    BOT,
    HEAD_SHA,
    MAX_COMMENT,
    SLUG,
    TOKEN,
    FakeGitHub,
    Request,
    account,
)
from tests.github.judgements import (
    BLOCK,
    ERROR,
    EVERYTHING,
    LINK,
    PASS,
    PLACE,
    REVIEW,
    SIGNED,
    STATUS,
    judged,
    requested,
    state,
)
from tests.reports import sample
from tests.reports.payloads import PAYLOADS


def test_a_review_is_published_whole(run, fake: FakeGitHub) -> None:
    fake.permissions = {"ravi": "write", "mei": "write"}
    said = run(REVIEW)
    assert fake.statuses == [
        {
            "state": "pending",
            "context": "gate",
            "description": "#1204 review: risk 41; needs senior who knows price_order (ravi or mei)",
            "target_url": LINK,
            "sha": HEAD_SHA,
            "creator": account(BOT),
        }
    ]
    assert [one["body"] for one in fake.comments] == [
        f"{REVIEW.body.rstrip()}\n\n<!-- gate-history review@a71b0d4 -->\n"
    ]
    assert [one["login"] for one in fake.pulls[1204]["requested_reviewers"]] == ["ravi"]
    assert fake.pulls[1204]["labels"] == [{"name": "gate: review"}]
    assert said == [
        "status: set gate to pending on a71b0d4 "
        "(#1204 review: risk 41; needs senior who knows price_order (ravi or mei)), done",
        "comment: begin the comment, done",
        "reviewers: request a review of ravi, done",
        "label: add 'gate: review', done",
    ]


def test_running_again_writes_nothing_new_but_the_status(run, fake: FakeGitHub) -> None:
    fake.permissions = {"ravi": "write"}
    run(REVIEW)
    before = len(fake.requests)
    run(REVIEW)
    assert [one.method for one in fake.requests[before:] if one.method != "GET"] == ["POST", "POST"]
    assert [path for _, path in fake.written[-2:]] == [f"/statuses/{HEAD_SHA}", ""]  # the second asks who it is
    assert len(fake.comments) == 1


def test_a_review_that_becomes_a_pass(run, fake: FakeGitHub) -> None:
    fake.permissions = {"ravi": "write"}
    run(REVIEW)
    fake.files.clear()
    run(SIGNED)
    assert state(fake)[-1] == ("success", "gate", "#1204 pass: risk 41, signed by ines and ravi")
    assert fake.pulls[1204]["labels"] == [{"name": "gate: pass"}]
    (comment,) = fake.comments
    assert comment["body"] == (
        f"{SIGNED.body.rstrip()}\n\n<sub>was review at a71b0d4 → now pass at a71b0d4</sub>\n"
        "<!-- gate-history review@a71b0d4 pass@a71b0d4 -->\n"
    )


@pytest.mark.parametrize(
    ("judged", "expected"),
    [(PASS, "success"), (SIGNED, "success"), (REVIEW, "pending"), (BLOCK, "failure"), (ERROR, "error")],
)
def test_each_word_has_its_state(run, fake: FakeGitHub, judged: Judgement, expected: str) -> None:
    run(judged, STATUS)
    assert [one[0] for one in state(fake)] == [expected]


# --------------------------------------------------------------------------- permissions and failures


def test_a_read_only_token_writes_nothing_and_says_what_it_needs(run, fake: FakeGitHub) -> None:
    fake.allowed = set()
    assert run(REVIEW) == [
        "status: not written, the token needs `statuses: write, pull-requests: read` "
        f"(POST /repos/acme/shop/statuses/{HEAD_SHA} answered 403: Resource not accessible by integration)",
        "comment: not written, the token needs `pull-requests: write` "
        "(POST /repos/acme/shop/issues/1204/comments answered 403: Resource not accessible by integration)",
        "reviewers: not written, the token needs `pull-requests: write` "
        "(POST /repos/acme/shop/pulls/1204/requested_reviewers answered 403: Resource not accessible by integration)",
        "label: not written, the token needs `pull-requests: write, and issues: write to make a new label` "
        "(POST /repos/acme/shop/issues/1204/labels answered 403: Resource not accessible by integration)",
    ]
    assert (fake.statuses, fake.comments, fake.pulls[1204]["labels"]) == ([], [], [])


def test_a_missing_permission_leaves_the_rest(run, fake: FakeGitHub) -> None:
    fake.allowed.discard("statuses: write")
    run(BLOCK, Wanted(label=True))
    assert fake.statuses == []
    assert len(fake.comments) == 1
    assert fake.pulls[1204]["labels"] == [{"name": "gate: block"}]


@pytest.mark.parametrize("more", [{"dry_run": True}, {}])
def test_a_dry_run_says_what_it_would_write(fake: FakeGitHub, more: dict) -> None:
    fake.permissions = {"ravi": "write"}
    api = Api(fake.url, TOKEN if more else "")
    said: list[str] = []
    assert publish(GitHub(api, SLUG), PLACE, REVIEW, EVERYTHING, say=said.append, **more)
    assert [line.partition(" (")[0] for line in said] == [
        *([] if more else ["nothing is written: there is no token"]),
        "status: would set gate to pending on a71b0d4",
        "comment: would begin the comment",
        "reviewers: would request a review of ravi",
        "label: would add 'gate: review'",
    ]
    assert [path for _, path in fake.written if path] == []


def test_an_expired_token_fails_before_anything_is_written(github: GitHub, fake: FakeGitHub) -> None:
    fake.tokens = ()
    with pytest.raises(ApiError, match="401: Bad credentials"):
        publish(github, PLACE, PASS, EVERYTHING, say=lambda _: None)
    assert fake.written == []


def test_a_token_that_expires_in_the_middle_is_a_failure_and_not_a_permission(run, fake: FakeGitHub) -> None:
    def expire(request: Request) -> None:
        if "/files" in request.path:
            fake.tokens = ()

    fake.before = expire
    said = run(PASS, Wanted(comment=Commenting.ALWAYS), ok=False)
    assert [line.partition(" answered ")[2] for line in said] == [
        "401: Bad credentials; the token is wrong or has expired: set GITHUB_TOKEN anew"
    ] * 2
    assert (fake.statuses, fake.comments) == ([], [])


@pytest.mark.parametrize(
    ("path", "feature"), [("/statuses/", "status"), ("/comments", "comment"), ("/labels", "label")]
)
@pytest.mark.parametrize("status", [422, 500, 502])
def test_a_failure_of_one_thing_is_said_and_the_rest_done(
    run, fake: FakeGitHub, path: str, feature: str, status: int
) -> None:
    fake.trouble(path, method="POST", status=status, body={"message": "no"}, times=99)
    said = run(BLOCK, Wanted(label=True), ok=False)
    failed = [line for line in said if ": not written, " in line]
    assert len(failed) == 1
    assert failed[0].startswith(f"{feature}: not written, POST ")
    assert failed[0].endswith(f"answered {status}: no")
    assert len(said) == 3


def test_a_passing_failure_is_not_noticed(run, fake: FakeGitHub, slept: list[float]) -> None:
    fake.trouble("/statuses/", method="POST", status=502)
    fake.trouble("/comments", method="GET", status=403, headers={"Retry-After": "3"}, body={"message": "limit"})
    run(BLOCK)
    assert (len(fake.statuses), len(fake.comments), slept) == (1, 1, [1, 3])


# --------------------------------------------------------------------------- hostile text


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_hostile_text_is_inert_wherever_it_is_written(run, fake: FakeGitHub, payload: str) -> None:
    report = sample.hostile(payload)
    change = replace(report.case.change, head=HEAD_SHA)
    report = replace(
        report,
        case=replace(report.case, change=change),
        verdict=replace(report.verdict, outcome=Decision.REVIEW, incomplete=()),
    )
    branch = payload.encode("utf-8", "replace").decode()
    fake.pulls[1204]["base"]["ref"] = branch
    said = run(judged(report), EVERYTHING, place=replace(PLACE, base=branch))
    (status,) = fake.statuses
    for text in (status["context"], status["description"], *said):
        assert not any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 or ord(char) > 0xFFFF for char in text)
        assert not any(char in text for char in "\u202e\u2066\u2028\u200b")
        assert not text.lstrip().startswith("::")
    assert len(status["context"]) <= 100
    assert len(status["description"]) <= 140
    body = fake.comments[0]["body"]
    assert len(body) <= MAX_COMMENT
    assert body.count("<!-- gate-history") == 1 + body.count("`<!-- gate-history")
    assert requested(fake) == []
