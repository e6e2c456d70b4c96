"""Who is asked for a review, and which label is kept."""

import pytest

from gatecli.reports.judgement import Judgement
from tests.github.fake import (
    HEAD_SHA,
    OLD_SHA,
    FakeGitHub,
    account,
    review,
)
from tests.github.judgements import (
    BLOCK,
    ERROR,
    LABEL,
    PASS,
    REVIEW,
    REVIEWERS,
    needing,
    requested,
)


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
