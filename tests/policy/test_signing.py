"""An AI-written change by somebody who is not senior, blocked on the right person and signed for real."""

import json
from pathlib import Path

import pytest

from gatecli.errors import EXIT_PASS, EXIT_REVIEW
from gatecli.ledger import audit
from gatecli.model import Binding, Decision
from tests.policy.shop import DANA, EDITED, POLICY, RAVI, TOM, Shop, needs_ssh, shop

__all__ = ["shop"]
pytestmark = needs_ssh


def test_the_demo_blocked_on_ravi_and_unblocked_by_his_signature(shop: Shop, make_repo, capsys):
    shop.start()
    origin = make_repo("origin.git", "--bare")
    shop.repo.git("remote", "add", "origin", str(origin.path))
    shop.repo.git("push", "--quiet", "origin", "main", "dana/round")
    assert shop.check() == EXIT_REVIEW
    before = shop.judge()
    assert [(one.role, one.satisfied_by) for one in before.signoff.requirements][:1] == [("senior", ())]
    assert "ravi" in {one.person for one in before.signoff.requirements[0].who}

    assert shop.approve(DANA) == EXIT_REVIEW
    assert "does not count: prompted the agent" in capsys.readouterr().out
    assert shop.check() == EXIT_REVIEW

    reviewer = make_repo("reviewer")
    reviewer.git("remote", "add", "origin", str(origin.path))
    reviewer.git("fetch", "--quiet", "origin")
    reviewer.git("switch", "--quiet", "dana/round")
    theirs = Shop(reviewer, shop.folder, shop.keys)
    assert theirs.approve(RAVI, range="origin/main...HEAD") == EXIT_PASS
    assert "the approval of ravi@shop.example counts" in capsys.readouterr().out
    reviewer.git("push", "--quiet", "origin", "refs/notes/gate-approvals")

    ci = make_repo("ci")
    ci.git("remote", "add", "origin", str(origin.path))
    ci.git("fetch", "--quiet", "origin", "+refs/heads/*:refs/remotes/origin/*", "+refs/notes/*:refs/notes/*")
    judged = Shop(ci, shop.folder, shop.keys)
    range = "origin/main...origin/dana/round"
    assert judged.check(range=range) == EXIT_PASS
    (approval,) = judged.said(range).approvals
    assert (approval.person, approval.source, approval.binding) == (RAVI, "ssh signature", Binding.MERGE_TREE)
    assert judged.judge(range).verdict.outcome is Decision.PASS


def test_a_rebase_keeps_an_approval_but_not_its_merge_tree(shop: Shop):
    shop.start()
    shop.approve(RAVI)
    shop.on_main({"shop/other.py": "X = 1\n"})
    shop.repo.git("rebase", "--quiet", "main")
    (approval,) = shop.said().approvals
    assert approval.binding is Binding.DIFF
    shop.approve(RAVI)
    assert [one.binding for one in shop.said().approvals] == [Binding.MERGE_TREE]


def test_squashing_and_a_new_message_keep_an_approval(shop: Shop):
    shop.start()
    shop.approve(RAVI)
    shop.repo.git(
        "commit", "--amend", "--quiet", "--message", "Rounded\n\nCo-Authored-By: Claude <noreply@anthropic.com>"
    )
    assert [one.binding for one in shop.said().approvals] == [Binding.MERGE_TREE]


def test_only_the_owner_of_the_file_that_changed_has_to_look_again(shop: Shop):
    policy = "version: 1\npeople: {seniors: [ravi@shop.example], teams: {shop/tax: [tom@shop.example]}}\n"
    shop.start(policy=policy, files={"CODEOWNERS": "* ravi@shop.example\n/shop/tax.py @shop/tax\n"})
    shop.change({"shop/tax.py": "def tax(total):\n    return total / 4\n"})
    shop.approve(RAVI)
    shop.change({"shop/tax.py": "def tax(total):\n    return total / 3\n"})
    assert shop.said().approvals == ()
    assert "shop/tax.py changed since" in shop.said().dismissed[0].reason
    shop.approve(TOM)
    found = {one.person: one for one in shop.said().approvals}
    assert (found[RAVI].binding, found[RAVI].changed_since) == (Binding.FILES, ("shop/tax.py",))
    assert found[TOM].binding is Binding.MERGE_TREE
    shop.change({"shop/pricing.py": EDITED + "\n\ndef free():\n    return 0\n"})
    assert shop.said().approvals == ()


def test_every_risk_has_to_be_acknowledged(shop: Shop, capsys):
    shop.start()
    shop.change({".github/workflows/ci.yml": "on: push\njobs: {}\n"})
    assert shop.approve(RAVI) == 2
    asked = [one for one in shop.judge().findings if one.asks_for_somebody]
    assert asked
    said = capsys.readouterr().err
    assert all(one.id in said for one in asked)
    assert f"--acknowledge {asked[0].id}" in said
    assert shop.approve(RAVI, "--acknowledge", "X99-00000000") == 2
    assert "no finding of this change is called X99-00000000" in capsys.readouterr().err
    assert shop.approve(RAVI, risks=True) == EXIT_PASS
    statement = json.loads(shop.lines()[0]["statement"])
    assert statement["acknowledged"] == sorted(one.fingerprint for one in asked)


def test_what_is_signed_names_content_base_tree_policy_and_place(shop: Shop):
    head = shop.start()
    report = shop.judge()
    shop.approve(RAVI)
    statement = json.loads(shop.lines()[0]["statement"])
    change = report.case.change
    assert {
        key: statement[key] for key in ("schema", "by", "verdict", "head", "base", "digest", "policy", "target")
    } == {
        "schema": "gate-approval/1",
        "by": RAVI,
        "verdict": "approve",
        "head": head,
        "base": change.base,
        "digest": change.digest,
        "policy": report.policy.sha256,
        "target": "main",
    }
    assert statement["merge_tree"] == shop.repo.git("rev-parse", "HEAD^{tree}").strip()
    assert set(statement["files"]) == {"shop/pricing.py"}


def test_two_reviewers_who_signed_at_once_are_joined_by_git(shop: Shop, make_repo):
    shop.start()
    shop.approve(RAVI)
    shop.repo.git("update-ref", "refs/notes/other", "refs/notes/gate-approvals")
    shop.repo.git("update-ref", "-d", "refs/notes/gate-approvals")
    shop.approve(TOM)
    shop.repo.git("notes", "--ref=gate-approvals", "merge", "--quiet", "--strategy=cat_sort_uniq", "refs/notes/other")
    assert {one.person for one in shop.said().approvals} == {RAVI, TOM}


def test_an_objection_stands_until_its_author_says_otherwise(shop: Shop, monkeypatch):
    shop.start()
    shop.approve(RAVI)
    monkeypatch.setattr("time.time", lambda: 1_900_000_000)
    shop.approve(RAVI, "--verdict", "object")
    found = shop.said()
    assert (found.approvals, found.objections) == ((), ("ravi",))
    assert [one.reason for one in found.dismissed] == ["requested changes"]
    monkeypatch.setattr("time.time", lambda: 1_900_000_100)
    shop.approve(RAVI)
    assert [one.person for one in shop.said().approvals] == [RAVI]


def test_the_key_and_the_name_come_from_git(shop: Shop, monkeypatch):
    shop.start()
    shop.repo.git("config", "user.email", RAVI)
    shop.repo.git("config", "user.signingKey", str(shop.key(RAVI)))
    from gatecli.cli.main import run

    assert run(["approve", "--repo", str(shop.repo.path)]) == EXIT_PASS
    assert [one.person for one in shop.said().approvals] == [RAVI]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["main...HEAD", "--as", RAVI], "git has no user.signingKey"),
        (["main...HEAD", "--key", "nowhere"], "git has no user.email"),
        (["main...HEAD", "--as", RAVI, "--key", "nowhere"], "ssh-keygen does not sign with nowhere"),
        (["main...main", "--as", RAVI, "--key", "nowhere"], "there is nothing to sign"),
        (["nonsense...HEAD"], "unknown revision: nonsense"),
    ],
)
def test_what_is_missing_is_said(shop: Shop, capsys, options, message):
    shop.start()
    from gatecli.cli.main import run

    assert run(["approve", *options, "--repo", str(shop.repo.path)]) == 2
    assert message in capsys.readouterr().err
    assert Path(shop.repo.path, ".git/refs/notes").exists() is False


@pytest.mark.parametrize(
    ("typed", "agreed", "code", "message"),
    [
        (None, True, EXIT_PASS, "counts"),
        ("yes", True, 2, "a finding was not acknowledged"),
        (None, False, 2, "nothing was signed"),
    ],
)
def test_at_a_terminal_each_finding_is_asked_for_by_its_id(
    shop: Shop, capsys, monkeypatch, typed, agreed, code, message
):
    shop.start()
    shop.change({".github/workflows/ci.yml": "on: push\njobs: {}\n"})
    asked = [one.id for one in shop.judge().findings if one.asks_for_somebody]
    prompts = []

    def prompt(text: str, **_: object) -> str:
        prompts.append(text)
        return typed or text.split()[1]

    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("typer.prompt", prompt)
    monkeypatch.setattr("typer.confirm", lambda text, **_: agreed)
    assert shop.approve(RAVI) == code
    said = capsys.readouterr()
    assert message in said.out + said.err
    assert [text.split()[1] for text in prompts] == (asked if typed is None else asked[:1])
    assert bool(shop.lines()) is (code == EXIT_PASS)


def test_the_record_has_to_be_signed_where_the_policy_says_so(shop: Shop, tmp_path):
    """Cooling-off of no hours: all it needs is a record that can be believed."""
    more = "ledger: {signed_by: [ci@shop.example]}\npace: {cooling_off: {hours: 0}}\n"
    line = f'ci@shop.example namespaces="gate-audit" {shop.public("ci")}'
    shop.start(policy=POLICY + more, signers=shop.signers() + line + "\n")
    shop.approve(RAVI)
    ledger = tmp_path / "decisions.jsonl"
    options = ["--ledger", str(ledger), "--ledger-key", str(shop.key("ci"))]
    assert shop.check(*options) == EXIT_PASS
    assert shop.check(*options) == EXIT_PASS
    ledger.write_bytes(ledger.read_bytes().splitlines(keepends=True)[0])
    reasons = [one.reason for one in shop.judge(ledger=ledger).signoff.requirements]
    assert any("1 signed decisions are missing at its end" in one for one in reasons), reasons
    assert shop.check("--ledger", str(ledger)) == EXIT_REVIEW


def test_the_report_names_the_decision_in_the_record(shop: Shop, tmp_path, capsys):
    shop.start()
    ledger, report = tmp_path / "decisions.jsonl", tmp_path / "gate.json"
    files = [f"--report={format}={tmp_path / format}" for format in ("markdown", "html")]
    shop.check("--ledger", str(ledger), f"--report=json={report}", *files, "--report=terminal", "--all")
    head = audit.read(ledger).head
    assert json.loads(report.read_text())["audit"] == {"entry": 1, "head": head}
    assert f"decision 1 `{head}`" in (tmp_path / "markdown").read_text()
    assert head in (tmp_path / "html").read_text()
    assert "recorded as decision 1, sha256" in " ".join(capsys.readouterr().out.split())
