"""Attacks on the order and the time of what was said. None may end in a pass."""

import pytest

from gatecli.errors import EXIT_PASS
from gatecli.model import Decision, RequirementStatus, SignOffStatus
from gatecli.reports import markdown
from tests.policy.attacks.attempts import github, refused
from tests.policy.shop import (
    AI_MESSAGE,
    BY_DANA,
    POLICY,
    RAVI,
    TOM,
    Shop,
    needs_ssh,
    shop,
)  # fmt: skip

__all__ = ["shop"]
pytestmark = needs_ssh


def test_dismissed_then_requested_again(shop: Shop):
    shop.start()
    reviews = [
        {"submitted_at": "2026-01-02T09:00:00Z"},
        {"state": "DISMISSED", "submitted_at": "2026-01-02T10:00:00Z"},
        {"state": "PENDING", "submitted_at": None},
        {"state": "COMMENTED", "submitted_at": "2026-01-02T12:00:00Z"},
    ]
    refused(shop, "the approval was dismissed", by="ravi", approvals=github(shop, *reviews))


def test_changes_requested_after_the_approval_at_the_same_second(shop: Shop):
    shop.start()
    reviews = [{"state": "CHANGES_REQUESTED"}, {"state": "APPROVED"}]
    refused(shop, "requested changes", by="ravi", approvals=github(shop, *reviews))


def test_an_objection_keeps_it_open_whoever_else_approves(shop: Shop):
    shop.start()
    asks = {"user": {"login": "tom", "type": "User"}, "state": "CHANGES_REQUESTED"}
    report = shop.judge(approvals=github(shop, {}, asks))
    assert [one.person for one in report.signoff.approvals] == ["ravi"]
    (open_,) = (one for one in report.signoff.requirements if one.status is RequirementStatus.UNSATISFIED)
    assert (open_.name, open_.who[0].evidence) == ("the objection of tom is settled", "requested changes")
    assert (report.signoff.status, report.verdict.outcome) == (SignOffStatus.OUTSTANDING, Decision.REVIEW)
    assert report.exit_code != EXIT_PASS
    assert "tom requested changes" in report.signoff.tree[-1].why
    assert open_.reason in markdown.render(report)

    later = {**asks, "state": "APPROVED", "submitted_at": "2026-01-02T11:00:00Z"}
    assert shop.judge(approvals=github(shop, {}, asks, later)).verdict.outcome is Decision.PASS
    dismissed = {**asks, "state": "DISMISSED"}
    assert shop.judge(approvals=github(shop, {}, dismissed)).verdict.outcome is Decision.PASS


@pytest.mark.parametrize(
    "user",
    [
        {"login": "outsider", "type": "User"},
        {"login": "dana-codes", "type": "User"},
        {"login": "noisy[bot]", "type": "Bot"},
        None,
    ],
)
def test_whoever_may_not_approve_cannot_object_either(shop: Shop, user):
    shop.start()
    objection = {"user": user, "state": "CHANGES_REQUESTED"}
    report = shop.judge(approvals=github(shop, {}, objection))
    assert report.verdict.outcome is Decision.PASS
    assert len(report.signoff.dismissed) == 1


def test_a_change_that_needs_nobody_waits_for_an_objection_too(shop: Shop):
    shop.start()
    shop.repo.git("switch", "--quiet", "--create", "dana/words", "main")
    shop.change({"README.md": "A shop\n"}, "Say what it is")
    objection = {"user": {"login": "tom", "type": "User"}, "state": "CHANGES_REQUESTED"}
    assert shop.judge().verdict.outcome is Decision.PASS
    report = shop.judge(approvals=github(shop, objection))
    assert (report.verdict.decision, report.verdict.outcome) == (Decision.REVIEW, Decision.REVIEW)
    assert "the objection of tom is settled" in [one.name for one in report.signoff.requirements]


def test_a_yes_for_another_place_settles_no_objection(shop: Shop, monkeypatch):
    shop.start()
    shop.approve(TOM, "--verdict", "object")
    monkeypatch.setattr("time.time", lambda: 1_900_000_000)
    approved = {"user": {"login": "tom", "type": "User"}, "submitted_at": "2026-12-31T10:00:00Z"}
    other = github(shop, approved, pull_request={"number": 8, "user": {"login": "x"}, "head": {"sha": "b" * 40}})
    assert shop.said(approvals=other).objections == (TOM,)


def test_a_signed_objection_outlives_a_change_of_the_policy(shop: Shop):
    shop.start()
    shop.approve(TOM, "--verdict", "object")
    shop.on_main({".gate/policy.yml": POLICY + "mode: enforce\n"})
    assert shop.said().objections == (TOM,)


def test_a_signed_objection_outweighs_an_earlier_review(shop: Shop):
    shop.start()
    shop.approve(RAVI, "--verdict", "object")
    refused(shop, "requested changes", approvals=github(shop, {}))


@pytest.mark.parametrize("at", ["2999-01-01T00:00:00Z", "9999-12-31T23:59:59+00:00"])
def test_dates_in_the_future(shop: Shop, at):
    shop.start()
    refused(shop, "dated in the future", by="ravi", approvals=github(shop, {"submitted_at": at}))


def test_a_signature_dated_in_the_future(shop: Shop, monkeypatch):
    shop.start()
    with monkeypatch.context() as ahead:
        ahead.setattr("time.time", lambda: 4_000_000_000)
        shop.approve(RAVI)
    refused(shop, "dated in the future", by=RAVI)


def test_a_clock_that_is_a_minute_ahead_is_no_attack(shop: Shop):
    shop.start()
    shop.approve(RAVI)
    signed_at = shop.said().approvals[0].at
    assert signed_at is not None
    assert len(shop.said(now=signed_at - 60).approvals) == 1


def test_an_approval_of_a_commit_with_a_date_of_its_own_choice(shop: Shop):
    shop.start()
    future = {"GIT_AUTHOR_DATE": "4000000000 +0000", "GIT_COMMITTER_DATE": "4000000000 +0000"}
    shop.repo.commit({"shop/tax.py": "def tax(total):\n    return 1\n"}, AI_MESSAGE, env={**BY_DANA, **future})
    assert shop.judge().verdict.outcome is not Decision.PASS
