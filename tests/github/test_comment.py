"""The sticky comment: one, this account's, up to date, with a line of history."""

from dataclasses import replace

import pytest

from gatecli.reports.judgement import Judgement
from gatecli.reports.markdown import MARKER
from gatecli.reports.publishing import Commenting, Wanted, comment_body
from tests.github.fake import (
    BOT,
    MAX_COMMENT,
    FakeGitHub,
)
from tests.github.judgements import (
    BLOCK,
    COMMENT,
    ERROR,
    LINK,
    PASS,
    REVIEW,
    SIGNED,
    judged,
)
from tests.reports import sample


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
