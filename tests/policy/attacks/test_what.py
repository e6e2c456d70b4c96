"""Attacks on what is approved: other content than what is judged. None may end in a pass."""

from dataclasses import replace

from gatecli import pipeline
from gatecli.errors import EXIT_USAGE
from gatecli.model import Decision
from tests.policy.attacks.attempts import github, refused
from tests.policy.shop import (
    EDITED,
    PRICING,
    RAVI,
    Shop,
    needs_ssh,
    shop,
)  # fmt: skip

__all__ = ["shop"]
pytestmark = needs_ssh


def test_approve_then_push_one_changed_indentation(shop: Shop):
    shop.start()
    shop.approve(RAVI)
    assert shop.judge().verdict.outcome is Decision.PASS
    shop.change({"shop/pricing.py": EDITED.replace("    return total * rate", "        return total * rate")})
    refused(shop, "shop/pricing.py changed since", by=RAVI)


def test_approve_then_push_trailing_white_space(shop: Shop):
    shop.start()
    shop.approve(RAVI)
    shop.change({"shop/pricing.py": EDITED.replace("* rate\n", "* rate \n")})
    refused(shop, "changed since", by=RAVI)


def test_approve_an_empty_change_and_then_swap(shop: Shop, capsys):
    shop.start()
    shop.repo.git("reset", "--quiet", "--hard", "main")
    shop.change({})
    assert shop.approve(RAVI) == EXIT_USAGE
    assert "there is nothing to sign" in capsys.readouterr().err
    data = github(shop, {})
    shop.change({"shop/pricing.py": EDITED})
    refused(shop, "given on a pull request whose head is", by="ravi", approvals=data)


def test_approve_white_space_and_then_swap(shop: Shop):
    shop.start()
    shop.repo.git("reset", "--quiet", "--hard", "main")
    shop.change({"shop/pricing.py": PRICING.replace("return total * rate", "return  total * rate")})
    shop.approve(RAVI)
    shop.change({"shop/pricing.py": EDITED})
    refused(shop, "changed since", by=RAVI)


def test_an_approval_before_the_last_force_push(shop: Shop):
    head = shop.start()
    shop.approve(RAVI)
    shop.repo.git("reset", "--quiet", "--hard", "main")
    shop.change({"shop/pricing.py": EDITED.replace("round(", "int(")})
    report = shop.judge()
    assert report.verdict.outcome is not Decision.PASS
    refused(shop, "not", by="ravi", approvals=github(shop, {"commit_id": head}))


def test_a_base_that_moved_under_the_approval_does_not_keep_the_merge_tree(shop: Shop):
    shop.start()
    shop.approve(RAVI)
    shop.on_main({"shop/tax.py": "def tax(total):\n    return 0\n"})
    assert [one.binding for one in shop.said().approvals] == ["diff"]


def test_a_risk_that_was_not_there_when_it_was_signed(shop: Shop):
    shop.start()
    shop.change({".github/workflows/ci.yml": "on: push\njobs: {}\n"})
    origin = pipeline.open_source(shop.repo.path, revisions="main...HEAD")
    request = pipeline.Request()
    report = pipeline.judge(origin, request)
    shop.approve(RAVI, risks=True)
    asked = next(one for one in report.findings if one.asks_for_somebody)
    worse = replace(report, findings=(*report.findings, replace(asked, code="M99", fingerprint="f" * 32)))
    said = pipeline.said_of(origin, request, worse)
    assert said.approvals == ()
    assert "has not acknowledged M99" in said.dismissed[0].reason
