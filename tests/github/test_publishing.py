"""What ends up on the pull request: once, up to date, and green only where it is."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecli.model import Candidate, Decision, Report, RequirementStatus
from gatecli.reports import json, markdown
from gatecli.reports.judgement import Judgement, failure, judgement, read_document
from gatecli.reports.markdown import MARKER
from gatecli.reports.publishing import Commenting, Place, Wanted, comment_body, publish
from gatecli.sources.github import GitHub
from gatecli.sources.github_api import Api, ApiError
from tests.github.fake import (
    BASE_SHA,
    BOT,
    HEAD_SHA,
    MAX_COMMENT,
    OLD_SHA,
    SLUG,
    TOKEN,
    FakeGitHub,
    account,
    pull_request,
    review,
)
from tests.reports import sample
from tests.reports.payloads import PAYLOADS

LINK = "https://github.com/acme/shop/actions/runs/77"
PLACE = Place(number=1204, base="main", commit=HEAD_SHA, link=LINK)
EVERYTHING = Wanted(comment=Commenting.AUTO, status=True, reviewers=True, label=True)
COMMENT = Wanted(status=False)
STATUS = Wanted(comment=Commenting.NEVER)
REVIEWERS = Wanted(comment=Commenting.NEVER, status=False, reviewers=True)
LABEL = Wanted(comment=Commenting.NEVER, status=False, label=True)


def judged(report: Report) -> Judgement:
    return judgement(read_document(json.to_json(report)), markdown.render(report))


PASS, REVIEW, BLOCK, SIGNED = map(judged, (sample.passing(), sample.review(), sample.block(), sample.signed()))
ERROR = failure(HEAD_SHA)


@pytest.fixture
def run(github: GitHub, fake: FakeGitHub) -> Callable[..., list[str]]:
    """Publish, and return what was said; the files of the pull request are those that were judged."""

    def call(judged: Judgement, wanted: Wanted = EVERYTHING, *, place: Place = PLACE, ok: bool = True, **more: Any):
        if not fake.files:
            fake.files[1204] = [{"filename": path} for path in sorted(judged.paths)]
        said: list[str] = []
        assert publish(github, place, judged, wanted, say=said.append, **more) is ok
        assert TOKEN not in "".join(said)
        return said

    return call


def state(fake: FakeGitHub) -> list[tuple[str, str, str]]:
    return [(one["state"], one["context"], one["description"]) for one in reversed(fake.statuses)]


# --------------------------------------------------------------------------- all together


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


# --------------------------------------------------------------------------- never green by accident


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
        from gatecli.sources.github import PullRequest, read

        return read(value, PullRequest)

    def paths(self, number: int) -> frozenset[str]:
        return frozenset(["shop/cart.py"] if self.case["all_files"] else ["shop/cart.py", "b.py"])

    def open_pull_requests(self, *, base: str | None = None, head: str | None = None):
        return [self.pull_request(1204)]

    def set_status(self, sha: str, *, state: str, context: str, description: str, link: str | None) -> None:
        self.states.append(state)


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


# --------------------------------------------------------------------------- the comment


@pytest.mark.parametrize(
    ("judged", "when", "there"),
    [
        (PASS, Commenting.AUTO, False),
        (SIGNED, Commenting.AUTO, False),
        (ERROR, Commenting.AUTO, False),
        (REVIEW, Commenting.AUTO, True),
        (BLOCK, Commenting.AUTO, True),
        (PASS, Commenting.ALWAYS, True),
        (ERROR, Commenting.ALWAYS, True),
        (BLOCK, Commenting.NEVER, False),
    ],
)
def test_when_a_comment_is_begun(run, fake: FakeGitHub, judged: Judgement, when: Commenting, there: bool) -> None:
    run(judged, Wanted(comment=when, status=False))
    assert len(fake.comments) == there


@pytest.mark.parametrize("judged", [PASS, REVIEW, BLOCK, ERROR])
def test_one_that_is_there_is_kept_up_to_date(run, fake: FakeGitHub, judged: Judgement) -> None:
    id = fake.comment(f"{MARKER}\nout of date")
    run(judged, COMMENT)
    assert [one["id"] for one in fake.comments] == [id]
    assert "out of date" not in fake.comments[0]["body"]
    assert [method for method, _ in fake.written if _] == ["PATCH"]


def test_never_touches_none(run, fake: FakeGitHub) -> None:
    fake.comment(f"{MARKER}\nold")
    run(BLOCK, Wanted(comment=Commenting.NEVER, status=False))
    assert fake.comments[0]["body"] == f"{MARKER}\nold"


def test_duplicates_are_healed_the_oldest_stays(run, fake: FakeGitHub) -> None:
    ids = [fake.comment(f"{MARKER}\n{number}") for number in range(3)]
    other = fake.comment("hello", "dana")
    fake.comments.reverse()
    run(REVIEW, COMMENT)
    assert {one["id"] for one in fake.comments} == {ids[0], other}


@pytest.mark.parametrize(
    ("body", "login"),
    [
        (f"{MARKER}\nforged", "mallory"),
        (f"{MARKER}\nforged", "github-actions"),
        (f"quoted: {MARKER}", BOT),
        ("another action", BOT),
        ("", BOT),
    ],
)
def test_marker_and_author_have_to_match(run, fake: FakeGitHub, body: str, login: str) -> None:
    fake.comment(body, login)
    run(REVIEW, COMMENT)
    assert fake.comments[0]["body"] == body
    assert len(fake.comments) == 2


def test_it_is_found_behind_a_thousand_others(run, fake: FakeGitHub) -> None:
    for number in range(999):
        fake.comment(f"{MARKER} {number}", "mallory")
    id = fake.comment(f"{MARKER}\nold")
    run(REVIEW, COMMENT)
    assert len(fake.comments) == 1_000
    assert fake.comments[-1]["id"] == id
    assert fake.comments[-1]["body"].startswith(f"{MARKER}\n**gate: review**")


def test_a_failure_replaces_what_was_said_before(run, fake: FakeGitHub) -> None:
    fake.comment(comment_body(PASS, None, None))
    run(ERROR, COMMENT)
    assert fake.comments[0]["body"] == (
        f"{MARKER}\n**gate: error** · `a71b0d4` could not be judged, so nothing is known of it. "
        f"[The log says why]({LINK}).\n\n<sub>was pass at a71b0d4 → now error at a71b0d4</sub>\n"
        "<!-- gate-history pass@a71b0d4 error@a71b0d4 -->\n"
    )


def said(*words: tuple[str, str]) -> str:
    body: str | None = None
    for word, head in words:
        body = comment_body(replace(PASS, word=word, head=head * 40, body=MARKER), body, None)
    assert body is not None
    return body.removeprefix(MARKER).strip()


def test_history_has_one_line_of_what_changed() -> None:
    assert said(("pass", "1")) == "<!-- gate-history pass@1111111 -->"
    assert said(("pass", "1"), ("pass", "2")) == "<!-- gate-history pass@2222222 -->"
    assert said(("pass", "1"), ("review", "2"), ("review", "3"), ("pass", "4")) == (
        "<sub>was pass at 1111111 → review at 3333333 → now pass at 4444444</sub>\n"
        "<!-- gate-history pass@1111111 review@3333333 pass@4444444 -->"
    )


def test_history_is_bounded() -> None:
    text = said(*((("pass", "review")[number % 2], f"{number % 10}") for number in range(50)))
    assert text.count("→") == 4
    assert len(text) < 500


@pytest.mark.parametrize(
    "previous",
    [
        "<!-- gate-history -->",
        "<!-- gate-history pass@xyz -->",
        "<!-- gate-history evil@1111111 -->",
        "<!-- gate-history pass@1111111 --> and more",
        "<!-- gate-history " + "pass@1111111 " * 5_000 + "-->",
        "",
    ],
)
def test_a_history_that_is_none_is_begun_anew(previous: str) -> None:
    assert comment_body(PASS, previous, None).endswith("\n\n<!-- gate-history pass@a71b0d4 -->\n")


def test_the_largest_comment_fits() -> None:
    large = judged(sample.large())
    body: str | None = None
    for number in range(20):
        body = comment_body(replace(large, word=("review", "block")[number % 2]), body, LINK)
        assert len(body) <= MAX_COMMENT


# --------------------------------------------------------------------------- reviewers


def needing(*people: str, count: int = 1, satisfied: tuple[str, ...] = ()) -> Judgement:
    report = sample.review()
    asked = replace(
        report.signoff.requirements[0],
        count=count,
        satisfied_by=satisfied,
        status=RequirementStatus.UNSATISFIED,
        who=tuple(Candidate(person=person, evidence="") for person in people),
    )
    return judged(replace(report, signoff=replace(report.signoff, requirements=(asked,), candidates=())))


def requested(fake: FakeGitHub) -> list[str]:
    pull = fake.pulls[1204]
    return [one["login"] for one in pull["requested_reviewers"]] + [one["slug"] for one in pull["requested_teams"]]


@pytest.mark.parametrize(
    ("judged", "expected"),
    [
        (needing("ravi", "mei"), ["ravi"]),
        (needing("@ravi"), ["ravi"]),
        (needing("ravi", "mei", "tom", count=2), ["ravi", "mei"]),
        (needing("ravi", "mei", count=2, satisfied=("tom",)), ["ravi"]),
        (needing("Ravi Menon", "ravi@shop.example", "mei"), ["mei"]),
        (needing("dana", "DANA", "mei"), ["mei"]),
        (needing("@acme/pricing"), ["pricing"]),
        (needing("Ravi Menon"), []),
        (needing(), []),
        (needing("../../x", "a/b/c", "a b", "--x", "@"), []),
        (PASS, []),
    ],
)
def test_the_fewest_who_can_give_what_is_missing_are_asked(
    run, fake: FakeGitHub, judged: Judgement, expected: list[str]
) -> None:
    fake.permissions = dict.fromkeys(("ravi", "mei", "tom", "dana"), "write")
    run(judged, REVIEWERS)
    assert requested(fake) == expected


def test_who_is_asked_already_counts(run, fake: FakeGitHub) -> None:
    fake.permissions = {"ravi": "write", "mei": "write"}
    fake.pulls[1204]["requested_reviewers"] = [account("Mei")]
    run(needing("ravi", "mei"), REVIEWERS)
    assert requested(fake) == ["Mei"]


def test_a_team_that_is_asked_already_counts(run, fake: FakeGitHub) -> None:
    fake.pulls[1204]["requested_teams"] = [{"slug": "pricing"}]
    run(needing("@Acme/Pricing", "mei"), REVIEWERS)
    assert requested(fake) == ["pricing"]


@pytest.mark.parametrize(("commit", "expected"), [(HEAD_SHA, []), (OLD_SHA, ["ravi"])])
def test_who_has_spoken_of_this_head_is_not_asked_again(
    run, fake: FakeGitHub, commit: str, expected: list[str]
) -> None:
    fake.permissions = {"ravi": "write"}
    fake.reviews[1204] = [review("Ravi", "COMMENTED", commit=commit)]
    run(needing("ravi"), REVIEWERS)
    assert requested(fake) == expected


@pytest.mark.parametrize(
    ("member", "visible", "expected"),
    [("mei", True, []), ("tom", True, ["pricing"]), ("tom", False, [])],
)
def test_a_team_of_which_somebody_has_spoken_is_not_asked_again(
    run, fake: FakeGitHub, member: str, visible: bool, expected: list[str]
) -> None:
    fake.teams = {"pricing": [member]}
    fake.reviews[1204] = [review("mei", "COMMENTED")]
    if not visible:
        fake.allowed.discard("members: read")
    run(needing("@acme/pricing"), REVIEWERS)
    assert requested(fake) == expected


def test_a_candidate_who_is_no_collaborator_is_said_and_the_next_requirement_goes_on(run, fake: FakeGitHub) -> None:
    fake.permissions = {"mei": "write"}
    said = run(needing("ravi", "mei", count=2), REVIEWERS)
    assert requested(fake) == ["mei"]
    assert said == [
        "reviewers: ravi cannot be asked (POST /repos/acme/shop/pulls/1204/requested_reviewers answered 422: "
        "Reviews may only be requested from collaborators.)",
        "reviewers: request a review of mei, done",
    ]


def test_nobody_known_is_said(run) -> None:
    assert run(needing("Ravi Menon"), REVIEWERS) == [
        "reviewers: nobody who could give 'senior who knows price_order' is known by login"
    ]


# --------------------------------------------------------------------------- the label


@pytest.mark.parametrize(
    ("before", "judged", "after"),
    [
        ([], PASS, ["gate: pass"]),
        (["gate: pass"], PASS, ["gate: pass"]),
        (["gate: pass"], BLOCK, ["gate: block"]),
        (["gate: pass", "gate: review", "bug"], BLOCK, ["bug", "gate: block"]),
        (["gate: mine", "Gate: Pass"], REVIEW, ["gate: mine", "Gate: Pass", "gate: review"]),
        (["gate: pass"], ERROR, ["gate: pass"]),
    ],
)
def test_one_label_is_kept(run, fake: FakeGitHub, before: list[str], judged: Judgement, after: list[str]) -> None:
    fake.pulls[1204]["labels"] = [{"name": name} for name in before]
    run(judged, LABEL)
    assert [one["name"] for one in fake.pulls[1204]["labels"]] == after


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
