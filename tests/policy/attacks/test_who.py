"""Attacks on who approves: under another name, for somebody else, or as nobody. None may end in a pass."""

from gatecli.cli.main import run
from gatecli.model import Decision
from tests.policy.attacks.attempts import github, refused
from tests.policy.shop import (
    BY_DANA,
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


def test_own_change_approved_under_a_second_address(shop: Shop):
    other = "dana@home.example"
    shop.start(signers=shop.signers(f"{other} {shop.public(other)}"))
    shop.approve(other)
    refused(shop, "prompted the agent", by=other)


def test_own_change_approved_under_a_second_address_that_only_the_mailmap_joins(shop: Shop):
    other = "dreed@contractor.example"
    mailmap = {".mailmap": f"Dana Reed <{DANA}> <{other}>\n"}
    shop.start(signers=shop.signers(f"{other} {shop.public(other)}"), files=mailmap)
    shop.approve(other)
    refused(shop, "prompted the agent", by=other)


def test_own_change_approved_under_a_second_name_of_the_same_key(shop: Shop):
    lines = [f"{DANA} {shop.public(DANA)}", f"senior.dana@shop.example {shop.public(DANA)}"]
    shop.start(policy=POLICY.replace("[ravi]", "[ravi, senior.dana@shop.example]"), signers=shop.signers(*lines))
    shop.approve("senior.dana@shop.example", key=DANA)
    refused(shop, "prompted the agent", by="senior.dana@shop.example")


def test_own_change_approved_by_a_second_account_on_github(shop: Shop):
    shop.start()
    data = github(shop, {"user": {"login": "Dana-Codes", "type": "User"}})
    refused(shop, "prompted the agent", by="Dana-Codes", approvals=data)


def test_one_person_under_two_names_does_not_count_twice(shop: Shop):
    lines = [f"{RAVI} {shop.public(RAVI)}", f"r.menon@shop.example {shop.public(RAVI)}"]
    shop.start(signers=shop.signers(*lines))
    shop.approve(RAVI)
    shop.approve("r.menon@shop.example", key=RAVI)
    assert len(shop.said(approvals=github(shop, {})).approvals) == 1


def test_an_agent_approves_its_operators_change(shop: Shop):
    bot = "claude@agents.example"
    shop.start(signers=shop.signers(f"{bot} {shop.public(bot)}"), policy=f"{POLICY}  agents: {{{bot}: claude}}\n")
    shop.approve(bot)
    report = shop.judge()
    assert report.verdict.outcome is not Decision.PASS
    assert [one.kind for one in shop.said().approvals] in ([], ["agent"])


def test_the_agents_own_account_approves(shop: Shop):
    shop.start(policy=f"{POLICY}  agents: {{noreply@anthropic.com: claude}}\n",
               signers=shop.signers(f"noreply@anthropic.com {shop.public('noreply@anthropic.com')}"))  # fmt: skip
    shop.approve("noreply@anthropic.com")
    refused(shop, "wrote part of it", by="noreply@anthropic.com")


def test_a_bot_reviews_on_github(shop: Shop):
    shop.start()
    data = github(shop, {"user": {"login": "ravi", "type": "Bot"}}, {"user": {"login": "claude[bot]", "type": "Bot"}})
    refused(shop, "a bot", by="claude[bot]", approvals=data)


def test_the_committer_of_a_rebase_approves(shop: Shop):
    shop.start()
    by_ravi = {"GIT_COMMITTER_NAME": "Ravi", "GIT_COMMITTER_EMAIL": RAVI}
    shop.repo.git("commit", "--amend", "--quiet", "--no-edit", env={**BY_DANA, **by_ravi})
    shop.approve(RAVI)
    refused(shop, "pushed last", by=RAVI)


def test_unicode_look_alike_logins(shop: Shop):
    shop.start()
    for login in ("r\u0430vi", "ravı", "ｒavi", "ravi\u200b"):
        data = github(shop, {"user": {"login": login, "type": "User"}}, collaborators=None)
        refused(shop, "letters that look like others", by=login, approvals=data)


def test_unicode_look_alike_principals(shop: Shop):
    fake = "r\u0430vi@shop.example"
    shop.start(signers=shop.signers(f"{fake} {shop.public(TOM)}", f"{RAVI} {shop.public(RAVI)}"))
    shop.approve(fake, key=TOM)
    refused(shop, "signed under a name that no key is listed under", by=fake)


def test_case_tricks_in_an_address(shop: Shop):
    lines = [f"DANA@Shop.Example {shop.public(DANA)}"]
    shop.start(signers=shop.signers(*lines))
    shop.approve("DANA@Shop.Example", key=DANA)
    refused(shop, "prompted the agent", by="DANA@Shop.Example")
    shop.approve("Ravi@shop.example", key=DANA)
    refused(shop, "no key of Ravi@shop.example that the base revision lists", by="Ravi@shop.example")


def test_somebody_signs_in_the_name_of_a_senior(shop: Shop):
    shop.start()
    shop.approve(RAVI, key=TOM)
    refused(shop, "no key of ravi@shop.example that the base revision lists made this signature", by=RAVI)


def test_somebody_is_called_seniors(shop: Shop):
    """The word stands for the list, wherever the policy asks for people; nobody is on it for being called so."""
    more = "requirements: [{name: two eyes, requires: [{among: [seniors]}]}]\noverride: {signed_by: [seniors]}\n"
    keys = [f'seniors namespaces="gate-approval,gate-override" {shop.public("seniors")}']
    shop.start(policy=POLICY + more, signers=shop.signers(*keys))
    shop.approve("seniors", risks=True)
    report, said = shop.judged()
    assert [one.person for one in said.approvals] == ["seniors"], "it is somebody's, but not a senior's"
    assert all(not one.satisfied_by for one in report.signoff.requirements)
    assert report.verdict.outcome is not Decision.PASS
    findings = [f"--acknowledge={one.id}" for one in report.findings if one.asks_for_somebody]
    signer = ["--as", "seniors", "--key", str(shop.key("seniors")), "--repo", str(shop.repo.path)]
    run(["override", "main...HEAD", "--reason", "incident 42", *signer, *findings])
    report, said = shop.judged()
    assert said.waivers == ()
    assert report.verdict.outcome is not Decision.PASS


def test_a_key_that_is_listed_under_a_pattern_is_nobody_s(shop: Shop):
    shop.start(signers=shop.signers(f"*@shop.example {shop.public(TOM)}"))
    shop.approve(RAVI, key=TOM)
    refused(shop, "names nobody in particular", by=RAVI)
