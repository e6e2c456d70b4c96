from dataclasses import replace

import pytest

from gatecli.model import Change, Report, SourceKind
from gatecli.reports import merging, summary
from tests.reports import sample


def with_change(report: Report, **more: object) -> Report:
    change: Change = replace(report.case.change, **more)
    return replace(report, case=replace(report.case, change=change))


def test_rows_are_riskiest_first_and_cosmetic_last() -> None:
    assert [(row.function.id.name, row.risk, row.notable) for row in summary.rows(sample.review())] == [
        ("price_order", 26, True),
        ("__call__", 11, True),
        ("charge", 8, True),
        ("load_settings", 2, True),  # a finding for review names it
        ("total", 1, False),
        ("load_settings", 0, False),
        ("Order", 0, False),
        ("<module>", 0, False),
        ("_bulk_prices", 0, False),
        ("price_line", 0, False),
        ("_round_half_even", 0, False),
    ]


def test_rows_do_not_depend_on_the_order_of_the_functions() -> None:
    report = sample.review()
    turned = replace(report, case=replace(report.case, functions=report.case.functions[::-1]))
    assert summary.rows(turned) == summary.rows(report)


def test_findings_are_gravest_first_and_clear_ones_left_out() -> None:
    report = sample.review()
    turned = replace(report, findings=report.findings[::-1])
    assert [finding.rule for finding in summary.flagged(turned)] == [
        "io-in-hot-loop",
        "retry-removed",
        "timeout-lowered",
        "broad-except",
        "debug-print",
    ]


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ({}, "3 functions touched, none above 2 points"),
        ({sample.PRICE: 3}, "1 of 3 functions matters"),
        ({sample.PRICE: 3, sample.CHECKOUT: 9}, "2 of 3 functions matter"),
        ({sample.PRICE: 3, sample.CHECKOUT: 9, sample.LOAD: 3}, "all 3 functions matter"),
    ],
)
def test_headline_counts(scores: dict[object, int], said: str) -> None:
    report = sample.unprofiled()
    counted = replace(
        report,
        findings=(),
        score=replace(report.score, by_function=scores),
        verdict=replace(report.verdict, incomplete=()),
    )
    assert summary.headline(counted) == (said, "risk 9", "not profiled")


@pytest.mark.parametrize(
    ("percentile", "said"),
    [
        (0.0, "risk 41, by history in the lower half here"),
        (0.5, "risk 41, top 50 % of changes here"),
        (0.96, "risk 41, top 4 % of changes here"),
        (0.998, "risk 41, top 0.2 % of changes here"),
        (1.0, "risk 41, top < 0.1 % of changes here"),
        (None, "risk 41"),
    ],
)
def test_headline_standing(percentile: float | None, said: str) -> None:
    report = sample.review()
    standing = sample.ranked(percentile, points=41) if percentile is not None else None
    assert summary.headline(replace(report, score=replace(report.score, standing=standing)))[-1] == said


def test_headline_of_a_block_says_what_blocks() -> None:
    report = sample.block()
    twice = replace(report, findings=(*report.findings, replace(report.findings[0], line=13)))
    assert summary.headline(report) == ("column-dropped blocks", "both functions matter", "risk 36")
    assert summary.headline(twice)[0] == "column-dropped and 1 other block"


def test_an_empty_change_that_could_not_be_read_whole_is_not_called_empty() -> None:
    report = sample.empty()
    unread = replace(report, verdict=replace(report.verdict, incomplete=("missing objects",)))
    assert summary.headline(unread) == ("evidence incomplete", "the change seems empty")


def test_incomplete_evidence_is_no_verdict_on_the_change() -> None:
    assert summary.word(sample.incomplete()) == "incomplete"
    assert summary.word(sample.unprofiled()) == "review"


def test_headline_says_what_sign_off_did() -> None:
    assert summary.headline(sample.signed())[0] == "review signed off"


def test_limits_gravest_first_and_once() -> None:
    report = with_change(sample.unprofiled(), warnings=("shallow clone", "shallow clone"))
    assert summary.limits(report) == (
        "incomplete: no profile, although the policy names one",
        "shop/payments.py: not judged by function (larger than 2 MB)",
        "shop/utils.py: judged in part, 2 lines do not parse, first at line 12",
        "shallow clone",
        "more callers than could be followed for 1 function: counts are lower bounds",
        "history cut short for 3 functions: the counts are lower bounds",
    )


def test_a_type_checker_that_gave_up_is_said_once() -> None:
    report = sample.passing()
    unchecked = {id: replace(blast, unchecked="ty gave no answer") for id, blast in report.case.blast.items()}
    assert unchecked
    report = replace(report, case=replace(report.case, blast=unchecked))
    assert summary.limits(report) == ("callers are as the text says, without types: ty gave no answer",)


def test_nothing_unknown_has_no_limits() -> None:
    assert summary.limits(sample.passing()) == ()


def test_unobserved_groups_by_reason() -> None:
    assert summary.unobserved(sample.review()) == (
        ("two functions fit", ("shop/utils.py::load_settings", "shop/legacy/utils.py::load_settings")),
        ("not seen in 48,210 samples (≤ 0.1 %)", ("shop/models.py::Order", "shop/pricing.py::<module>")),
        ("never called in the window", ("shop/pricing.py::price_line",)),
    )


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "base 3f9c2e1 → head a71b0d4"),
        ({"merge_base": None}, "base main → head a71b0d4"),
        ({"kind": SourceKind.STAGED}, "base 3f9c2e1 → index"),
        ({"kind": SourceKind.WORKTREE, "head": None}, "base 3f9c2e1 → working tree"),
        ({"kind": SourceKind.PATCH, "revisions": ()}, "a patch, +180 −34 in 5 files (1 not Python)"),
    ],
)
def test_authorship_ends_with_where_it_comes_from(more: dict[str, object], said: str) -> None:
    assert summary.authorship(with_change(sample.review(), **more))[-1] == said


# --------------------------------------------------------------------------- sign-off


@pytest.mark.parametrize(
    ("more", "approve", "check"),
    [
        ({}, ("gh pr review --approve",), "gate check 3f9c2e1..a71b0d4"),
        ({"merge_base": None}, ("gh pr review --approve",), "gate check main..a71b0d4"),
        ({"merge_base": None, "base": "$(rm -rf ~)"}, ("gh pr review --approve",), "gate check"),
        ({"merge_base": None, "base": "--exec=x"}, ("gh pr review --approve",), "gate check"),
        ({"kind": SourceKind.STAGED}, (), "gate check --staged"),
        ({"kind": SourceKind.WORKTREE, "head": None}, (), "gate check"),
        ({"kind": SourceKind.PATCH}, (), "gate check --diff FILE"),
    ],
)
def test_commands_are_exact_and_safe_to_paste(more: dict[str, object], approve: tuple[str, ...], check: str) -> None:
    report = with_change(sample.review(), **more)
    assert merging.approve_commands(report) == approve
    assert merging.check_command(report) == check


def test_where_the_base_lists_keys_signing_comes_first() -> None:
    report = sample.review()
    report = replace(report, signoff=replace(report.signoff, keys=True))
    assert merging.approve_commands(report) == ("gate approve main...a71b0d4", "gh pr review --approve")
    assert merging.approve_commands(with_change(report, base="$(rm -rf ~)")) == ("gh pr review --approve",)
    assert merging.approve_commands(with_change(report, kind=SourceKind.PATCH)) == ()


def test_no_command_where_no_human_is_asked() -> None:
    report = sample.review()
    for kind in ("agent", "time"):
        other = replace(report.signoff.requirements[0], kind=kind)
        assert merging.approve_commands(replace(report, signoff=replace(report.signoff, requirements=(other,)))) == ()
    assert merging.approve_commands(sample.signed()) == ()


def test_rules_with_odd_names_are_not_pasted() -> None:
    report = sample.review()
    odd = replace(report.findings[0], rule="a; rm -rf ~")
    reason = replace(report.verdict.reasons[0], rule=odd.rule)
    odd_report = replace(report, findings=(odd,), verdict=replace(report.verdict, reasons=(reason,)))
    assert merging.rule_commands(odd_report) == ()
    assert merging.rule_commands(report) == ("gate rules show io-in-hot-loop",)


def test_asked_puts_what_is_missing_last() -> None:
    asked = merging.asked(sample.review())
    assert [requirement.name for requirement in asked] == [
        "code owner of shop/pricing.py",
        "senior who knows price_order",
    ]
    assert merging.progress(sample.review()) == "1 of 2 signed"
    assert merging.progress(sample.passing()) == "not required"


def test_ask() -> None:
    report = sample.review()
    senior = report.signoff.requirements[0]
    assert merging.ask(report, senior) == "ask ravi (31 changes here, last 12 days ago) or mei (14 changes)"
    two = replace(senior, count=3, satisfied_by=("ines",))
    assert merging.ask(report, two) == (
        "ines signed; ask 2 of ravi (31 changes here, last 12 days ago) and mei (14 changes)"
    )
    assert merging.ask(report, replace(senior, who=(), role="any", count=2)) == "needs 2 humans"
    assert merging.ask(report, replace(senior, who=())) == "needs 1 senior (human)"
