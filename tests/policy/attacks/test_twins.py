"""Attacks with two pull requests on one head. None may end in a pass."""

import json

import pytest

from gatecli.model import Decision
from tests.policy.attacks.attempts import github, pull, refused
from tests.policy.shop import (
    BY_DANA,
    Shop,
    needs_ssh,
    shop,
)  # fmt: skip

__all__ = ["shop"]
pytestmark = needs_ssh


def test_two_pull_requests_on_one_head_do_not_change_who_made_it(shop: Shop):
    """A second, human-opened pull request from the agent's branch: its author is barred, and so is the operator."""
    shop.start()
    by_ravi, by_tom = pull(shop, 8, "ravi"), pull(shop, 8, "tom")
    refused(shop, "opened the pull request", by="ravi", approvals=github(shop, {}, pull_request=by_ravi))
    dana = {"user": {"login": "dana-codes", "type": "User"}}
    refused(shop, "prompted the agent", by="dana-codes", approvals=github(shop, dana, pull_request=by_tom))


def test_two_pull_requests_on_one_head_the_opener_of_the_other_approves(shop: Shop):
    """Ravi opens one for the agent's branch, and approves the other one."""
    shop.start()
    twins = [{"pull_request": pull(shop, 8, "ravi"), "reviews": []}]
    refused(shop, "opened #8, of the same head", by="ravi", approvals=github(shop, {}, twins=twins))
    bot = {"user": {"login": "copilot[bot]", "type": "Bot"}, "assignees": [{"login": "ravi", "type": "User"}]}
    twins = [{"pull_request": pull(shop, 8, "x", **bot), "reviews": []}]
    refused(shop, "asked the agent for #8", by="ravi", approvals=github(shop, {}, twins=twins))


def test_two_pull_requests_on_one_head_an_approval_of_one_is_none_of_the_other(shop: Shop):
    shop.start()
    (review,) = json.loads(github(shop, {}))["reviews"]
    twins = [{"pull_request": pull(shop, 8, "tom"), "reviews": [review]}]
    refused(shop, "given on #8, another pull request of the same head", by="ravi", approvals=github(shop, twins=twins))


def test_two_pull_requests_on_one_head_an_objection_to_one_holds_both(shop: Shop):
    shop.start()
    (no,) = json.loads(github(shop, {"user": {"login": "tom", "type": "User"}, "state": "CHANGES_REQUESTED"}))[
        "reviews"
    ]
    twins = [{"pull_request": pull(shop, 8, "mallory"), "reviews": [no]}]
    assert shop.judge(approvals=github(shop, {})).verdict.outcome is Decision.PASS
    report = shop.judge(approvals=github(shop, {}, twins=twins))
    assert report.verdict.outcome is Decision.REVIEW
    assert "the objection of tom is settled" in [one.name for one in report.signoff.requirements]
    closed = [{"pull_request": pull(shop, 8, "mallory", state="closed"), "reviews": [no]}]
    assert shop.judge(approvals=github(shop, {}, twins=closed)).verdict.outcome is Decision.PASS


@pytest.mark.parametrize(
    "told",
    [
        {"body": "Generated with [Claude Code](https://claude.com/claude-code)"},
        {"branch": "claude/round"},
        {"body": "- [x] An agent wrote code of this change <!-- gate:ai=yes -->"},
    ],
)
def test_two_pull_requests_on_one_head_what_one_says_of_the_agent_holds_for_both(shop: Shop, told):
    """The second one leaves out what the first one said: that an agent wrote it."""
    shop.start()
    shop.repo.git("commit", "--amend", "--quiet", "--message", "Round each line", env=BY_DANA)
    other = pull(shop, 8, "tom") | told
    other["head"]["ref"] = told.get("branch", "x")
    assert shop.judge(approvals=github(shop)).case.provenance.klass == "no_evidence"
    report = shop.judge(approvals=github(shop, twins=[{"pull_request": other, "reviews": []}]))
    assert report.case.provenance.klass != "no_evidence"
