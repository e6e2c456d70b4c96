"""What a report comes to where it is published: never better than it is."""

from dataclasses import replace

import pytest

from gatecli.errors import UsageError
from gatecli.model import Decision, Mode, Report, SourceKind
from gatecli.reports import json, markdown
from gatecli.reports.judgement import MAX_COMMENT, Judgement, failure, judgement, read_document
from tests.reports import sample


def judged(report: Report) -> Judgement:
    return judgement(read_document(json.to_json(report)), markdown.render(report))


@pytest.mark.parametrize(
    ("report", "word", "summary"),
    [
        (sample.passing(), "pass", "risk 1"),
        (sample.signed(), "pass", "risk 41, signed by ines and ravi"),
        (sample.review(), "review", "risk 41; needs senior who knows price_order (ravi or mei)"),
        (replace(sample.review(), mode=Mode.ADVISE), "review",
         "risk 41, advice only; needs senior who knows price_order (ravi or mei)"),
    ],
)  # fmt: skip
def test_the_word_and_the_sentence(report: Report, word: str, summary: str) -> None:
    found = judged(report)
    assert (found.word, found.summary, found.head) == (word, summary, sample.HEAD)


def test_a_block_says_what_it_needs() -> None:
    found = judged(sample.block())
    assert found.word == "block"
    assert found.summary.startswith(f"risk {sample.block().score.total}; ")


def passing(**verdict: object) -> Report:
    report = sample.passing()
    return replace(report, verdict=replace(report.verdict, **verdict))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "report",
    [
        passing(incomplete=("the profile is stale",)),
        replace(sample.passing(), exit_code=4),
        replace(sample.passing(), exit_code=1),
        replace(sample.signed(), exit_code=3),
    ],
)
def test_a_pass_with_a_catch_is_none(report: Report) -> None:
    assert judged(report).word == "error"


@pytest.mark.parametrize("decision", [Decision.REVIEW, Decision.BLOCK])
@pytest.mark.parametrize("report", [sample.passing(), sample.signed()])
def test_only_the_outcome_pass_is_a_pass(report: Report, decision: Decision) -> None:
    found = judged(replace(report, exit_code=0, verdict=replace(report.verdict, outcome=decision)))
    assert found.word == decision


def test_paths_are_those_of_both_sides() -> None:
    report = sample.passing()
    file = replace(report.case.change.files[0], path="new.py", old_path="old.py")
    change = replace(report.case.change, files=(file,))
    assert judged(replace(report, case=replace(report.case, change=change))).paths == {"new.py", "old.py"}


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"null", b"\xff", b"{" * 10_000, b'{"schema": "gate-report/2"}'])
def test_what_is_no_report(data: bytes) -> None:
    with pytest.raises(UsageError, match="no JSON report of gate"):
        read_document(data)


@pytest.mark.parametrize("text", ["", "pass", f" {markdown.MARKER}", markdown.MARKER + "x" * MAX_COMMENT])
def test_what_is_no_comment_of_gate(text: str) -> None:
    with pytest.raises(UsageError, match="no comment of gate"):
        judgement(read_document(json.to_json(sample.passing())), text)


@pytest.mark.parametrize("kind", [SourceKind.STAGED, SourceKind.WORKTREE, SourceKind.PATCH])
def test_uncommitted_content_is_not_the_head_of_a_pull_request(kind: SourceKind) -> None:
    report = sample.passing()
    with pytest.raises(UsageError, match="not of commits"):
        judged(replace(report, case=replace(report.case, change=replace(report.case.change, kind=kind))))


def test_a_failure_is_an_error_of_the_commit_that_was_to_be_judged() -> None:
    assert failure("a" * 40) == Judgement(
        word="error", head="a" * 40, summary="gate could not judge this change, the log says why"
    )
