"""Attacks by the files of the change itself, and by a stale base. None may end in a pass."""

import pytest

from gatecli.errors import EXIT_INCOMPLETE
from gatecli.model import Decision
from gatecli.sources import git
from tests.policy.attacks.attempts import refused
from tests.policy.shop import (
    DANA,
    POLICY,
    RAVI,
    TOM,
    Shop,
    needs_ssh,
    shop,
)  # fmt: skip

__all__ = ["shop"]
pytestmark = needs_ssh


def test_head_side_edit_of_the_policy(shop: Shop):
    shop.start()
    shop.change({".gate/policy.yml": POLICY.replace("[ravi]", "[ravi, tom@shop.example, dana]")})
    shop.approve(TOM, risks=True)
    report = shop.judge()
    assert report.verdict.outcome is not Decision.PASS
    assert "guardrails-changed" in {one.rule for one in report.findings if one.asks_for_somebody}


def test_a_stale_branch_is_judged_by_the_newest_policy(shop: Shop):
    """Tom was senior when the branch began, and is not any more; and what the base asks for since is asked of it."""
    shop.start(policy=POLICY.replace("[ravi]", "[ravi, tom@shop.example]"))
    shop.approve(TOM)
    assert shop.judge().verdict.outcome is Decision.PASS
    shop.on_main({".gate/policy.yml": POLICY})
    shop.approve(TOM)
    report = shop.judge()
    assert report.verdict.outcome is not Decision.PASS
    assert report.policy.revision == shop.repo.git("rev-parse", "main").strip()
    shop.on_main({".gate/policy.yml": POLICY + "requirements: [{name: two, requires: [{count: 2}]}]\n"})
    assert "two" in [one.name for one in shop.judge().signoff.requirements]


def test_head_side_edit_of_the_signers(shop: Shop):
    mallory = "mallory@shop.example"
    shop.start()
    shop.change({".gate/allowed_signers": shop.signers(f"{RAVI} {shop.public(mallory)}")})
    shop.approve(RAVI, key=mallory, risks=True)
    refused(shop, "no key of ravi@shop.example that the base revision lists", by=RAVI)


@pytest.mark.parametrize(
    ("more", "path"),
    [("  keys: ops/signers\n", "ops/signers"), ("  revoked_keys: ops/revoked\n", "ops/revoked"),
     ("profile: {path: ops/profile.json.gz}\n", "ops/profile.json.gz"), ("", ".mailmap"),
     ("", "claude.md"), ("", "tools/x/action.yml")],
)  # fmt: skip
def test_head_side_edit_of_what_the_policy_names_elsewhere(shop: Shop, more, path):
    """By a human, for the changes after this one: nobody may list a second key of theirs as a senior's."""
    shop.start(policy=POLICY + more)
    shop.repo.git("reset", "--quiet", "--hard", "main")
    shop.change({path: f"{RAVI} {shop.public('mallory')}\n"}, "List a key")
    report = shop.judge()
    assert report.verdict.outcome is not Decision.PASS
    assert [one.rule for one in report.findings if one.asks_for_somebody] == ["guardrails-changed"]


def test_head_side_edit_of_the_code_owners(shop: Shop):
    policy = "version: 1\npeople: {seniors: [ravi@shop.example]}\n"
    shop.start(policy=policy, files={"CODEOWNERS": "* ravi@shop.example\n"})
    shop.change({"shop/tax.py": "def tax(total):\n    return total / 4\n"})
    shop.approve(RAVI)
    shop.change({"shop/tax.py": "def tax(total):\n    return total / 3\n", "CODEOWNERS": "* tom@shop.example\n"})
    shop.approve(TOM, risks=True)
    report = shop.judge()
    assert report.verdict.outcome is not Decision.PASS
    assert RAVI not in {one.person for one in shop.said().approvals}


def test_head_side_edit_of_the_mailmap(shop: Shop):
    """Neither makes the operator somebody else, nor the author of the change senior."""
    shop.start(files={".mailmap": f"Dana Reed <{DANA}> <dreed@contractor.example>\n"},
               signers=shop.signers(f"dreed@contractor.example {shop.public(DANA)}"))  # fmt: skip
    shop.change({".mailmap": f"Ravi <{RAVI}> <{DANA}>\n"})
    shop.approve("dreed@contractor.example", key=DANA, risks=True)
    refused(shop, "prompted the agent", by="dreed@contractor.example")


def test_a_mailmap_on_the_base_that_calls_the_author_somebody_else(shop: Shop):
    shop.start(files={".mailmap": f"Nobody <nobody@shop.example> Dana Reed <{DANA}>\n"})
    shop.approve(DANA)
    refused(shop, "prompted the agent", by=DANA)


def test_a_mailmap_on_the_base_makes_nobody_senior(shop: Shop):
    shop.start(files={".mailmap": f"Ravi <{RAVI}> <{DANA}>\n"})
    assert shop.judge().verdict.outcome is not Decision.PASS
    assert shop.judge().signoff.requirements[0].role == "senior"


@pytest.mark.parametrize("path", [".gate/policy.yml", ".gate/allowed_signers", ".gate/rules/own.yml", ".gate"])
def test_what_judges_is_not_absent_behind_a_symbolic_link(shop: Shop, path, capsys):
    """A folder of settings that were moved elsewhere and linked would be judged by what gate asks without them."""
    shop.start(files={path: "id: own\n"} if "rules" in path else {})
    shop.repo.git("switch", "--quiet", "main")
    moved = shop.repo.path / "settings"
    (shop.repo.path / path).rename(moved)
    (shop.repo.path / path).symlink_to(moved)
    shop.repo.git("add", "--all")
    shop.repo.git("commit", "--quiet", "--message", "Keep settings elsewhere")
    shop.repo.git("switch", "--quiet", "dana/round")
    assert shop.check() == EXIT_INCOMPLETE
    assert "symbolic link" in capsys.readouterr().err


@pytest.mark.parametrize("path", [".gate/policy.yml", ".gate/grants.yml", ".gate/freeze.yml", ".gate/weights.yml"])
def test_what_judges_is_not_absent_where_it_is_too_large(shop: Shop, path, capsys, monkeypatch):
    monkeypatch.setattr(git, "MAX_BLOB_BYTES", 5_000)
    shop.start()
    shop.on_main({path: f"version: 1\n# {'x' * 5_000}\n"})
    assert shop.check() == EXIT_INCOMPLETE
    assert f"{path} of the base is too large to read" in capsys.readouterr().err


def test_a_list_of_names_that_git_does_not_read_either_is_no_error(shop: Shop):
    shop.start()
    shop.repo.git("switch", "--quiet", "main")
    (shop.repo.path / ".mailmap").symlink_to("shop/tax.py")
    shop.repo.git("add", "--all")
    shop.repo.git("commit", "--quiet", "--message", "Link names")
    shop.repo.git("switch", "--quiet", "dana/round")
    assert shop.check() != EXIT_INCOMPLETE
