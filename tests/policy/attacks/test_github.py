"""Attacks on GitHub's answers, and on commit messages. None may end in a pass."""

import json

import pytest

from gatecli.cli.main import run
from gatecli.errors import EXIT_USAGE
from gatecli.model import Decision
from tests.policy.attacks.attempts import github, refused
from tests.policy.shop import (
    AI_MESSAGE,
    POLICY,
    RAVI,
    Shop,
    needs_ssh,
    shop,
)  # fmt: skip

__all__ = ["shop"]
pytestmark = needs_ssh


def test_a_thousand_reviews(shop: Shop):
    shop.start()
    crowd = [
        {"user": {"login": f"user{number}", "type": "User"}, "commit_id": f"{number:040x}"} for number in range(1000)
    ]
    refused(shop, "may not push", approvals=github(shop, *crowd))


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b"null", b'{"pull_request": {}}', b"[" * 100_000, b"\xff", b'{"reviews": [], "commits": []}'],
)
def test_malformed_json(shop: Shop, tmp_path, data):
    shop.start()
    file = tmp_path / "approvals.json"
    file.write_bytes(data)
    assert shop.check("--approvals", str(file)) == EXIT_USAGE


def test_answers_that_leave_commits_out(shop: Shop, tmp_path):
    shop.start()
    file = tmp_path / "approvals.json"
    values = json.loads(github(shop, {}))
    values["pull_request"]["commits"] = 3
    file.write_text(json.dumps(values))
    assert run(["check", "main...HEAD", "--repo", str(shop.repo.path), "--approvals", str(file)]) == EXIT_USAGE


def test_a_check_of_an_agent_that_the_policy_does_not_list(shop: Shop):
    shop.start()
    checks = [{"head_sha": shop.repo.head(), "conclusion": "success", "app": {"slug": "mallory-review"}}]
    assert shop.judge(approvals=github(shop, check_runs=checks)).verdict.outcome is not Decision.PASS


def test_a_check_of_a_listed_agent_is_no_human(shop: Shop):
    shop.start(policy=f"{POLICY}  agents: {{review-bot: gpt}}\n")
    checks = [{"head_sha": shop.repo.head(), "conclusion": "success", "app": {"slug": "review-bot"},
               "completed_at": "2026-01-02T10:00:00Z"}]  # fmt: skip
    data = github(shop, check_runs=checks)
    (approval,) = shop.said(approvals=data).approvals
    assert (approval.kind, approval.model) == ("agent", "gpt")
    assert shop.judge(approvals=data).verdict.outcome is not Decision.PASS


def test_a_trailer_that_anyone_may_type(shop: Shop):
    shop.start()
    shop.change({"shop/tax.py": "def tax(total):\n    return 1\n"}, f"{AI_MESSAGE}\nReviewed-by: Ravi <{RAVI}>")
    refused(shop, "a claim that anyone may write", by=RAVI)
