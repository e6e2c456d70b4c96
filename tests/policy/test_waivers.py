"""Overrides and grants, signed with real keys: shown wherever they count, and worth nothing where they may not."""

import json
from pathlib import Path

import pytest

from gatecli.cli.main import run
from gatecli.errors import EXIT_BLOCK, EXIT_PASS, EXIT_REVIEW, EXIT_USAGE
from gatecli.ledger import audit
from gatecli.model import Decision, RequirementStatus, SignOffStatus, WaiverKind
from gatecli.policy.approvals import waived
from gatecli.reports import FORMATS, render, tree
from tests.policy.shop import DANA, INES, POLICY, RAVI, TOM, Shop, needs_ssh, shop

__all__ = ["shop"]
pytestmark = needs_ssh

ALLOWED = f"{POLICY}override: {{signed_by: [seniors, {TOM}], at_most_hours: 8}}\ngrants: {{signed_by: [seniors]}}\n"
BY_AGENT = "senior signs the AI-written change"
Status = RequirementStatus


def keys(shop: Shop, *names: str) -> str:
    """A list of keys that may do everything."""
    listed = names or (RAVI, TOM, DANA)
    return "".join(
        f'{name} namespaces="gate-approval,gate-override,gate-grant" {shop.public(name)}\n' for name in listed
    )


def start(shop: Shop, policy: str = ALLOWED, **more) -> None:
    shop.start(policy=policy, signers=keys(shop), **more)


def override(shop: Shop, name: str, *options: str, key: str | None = None, reason: str = "INC-42") -> int:
    """``gate override`` for real, every finding acknowledged; its exit code."""
    named = [f"--acknowledge={one.id}" for one in shop.judge().findings if one.asks_for_somebody]
    signer = ["--as", name, "--key", str(shop.key(key or name)), "--repo", str(shop.repo.path)]
    return run(["override", "main...HEAD", "--reason", reason, *signer, *named, *options])


def grant(shop: Shop, name: str, *options: str) -> int:
    """``gate grant`` on the base."""
    shop.repo.git("switch", "--quiet", "main")
    signer = ["--as", name, "--key", str(shop.key(name)), "--repo", str(shop.repo.path)]
    code = run(["grant", "--reason", "TEST-7", *signer, *options])
    shop.repo.commit({}, "Grant")
    shop.repo.git("switch", "--quiet", "dana/round")
    return code


def refused(shop: Shop, because: str, **more) -> None:
    """Nothing is lifted, and the attempt is listed with the reason."""
    report = shop.judge(**more)
    assert report.verdict.outcome is not Decision.PASS
    assert report.signoff.waivers == ()
    assert {one.status for one in report.signoff.requirements}.isdisjoint({Status.OVERRIDDEN, Status.BYPASSED})
    assert any(because in one.reason for one in report.signoff.dismissed), report.signoff.dismissed


# --------------------------------------------------------------------------- overrides


def test_an_override_is_a_state_of_its_own_in_verdict_every_report_and_ledger(shop: Shop, tmp_path: Path, capsys):
    start(shop)
    assert shop.check() == EXIT_REVIEW
    assert override(shop, RAVI) == EXIT_PASS
    assert f"{RAVI} lifts {BY_AGENT} until" in capsys.readouterr().out
    report = shop.judge()
    assert (report.verdict.decision, report.verdict.outcome) == (Decision.REVIEW, Decision.PASS)
    assert report.signoff.status is SignOffStatus.OVERRIDDEN
    assert [(one.name, one.status, one.satisfied_by) for one in report.signoff.requirements] == [
        (BY_AGENT, Status.OVERRIDDEN, ())
    ]
    (waiver,) = report.signoff.waivers
    assert (waiver.kind, waiver.by, waiver.reason) == (WaiverKind.OVERRIDE, RAVI, "INC-42")
    assert any("overridden by ravi@shop.example until" in one.text for one in report.verdict.reasons)
    for format in FORMATS:
        said = render(format, report)
        assert "INC-42" in said, format
    assert "review overridden by ravi@shop.example" in render("terminal", report)
    assert "0 of 1 met, 1 overridden" in tree.render("terminal", report)
    ledger = tmp_path / "decisions.jsonl"
    assert shop.check("--ledger", str(ledger)) == EXIT_PASS
    (entry,) = audit.read(ledger).entries
    assert entry.requirements == {BY_AGENT: "overridden"}
    assert [(one.by, one.reason) for one in entry.waivers] == [(RAVI, "INC-42")]


def test_an_override_ends(shop: Shop):
    start(shop)
    override(shop, RAVI, "--for", "1h")
    (waiver,) = shop.judge().signoff.waivers
    assert shop.judge(now=waiver.until - 1).verdict.outcome is Decision.PASS
    refused(shop, "has expired", now=waiver.until)


def test_it_takes_as_many_people_as_the_policy_wants(shop: Shop):
    start(shop, ALLOWED.replace("at_most_hours: 8", "count: 2"))
    override(shop, RAVI)
    override(shop, RAVI, reason="again")
    assert shop.judge().verdict.outcome is Decision.REVIEW
    override(shop, TOM)
    report = shop.judge()
    assert report.verdict.outcome is Decision.PASS
    assert [one.by for one in report.signoff.waivers] == [RAVI, TOM]


def test_what_blocks_can_be_overridden_and_what_was_named_alone(shop: Shop):
    start(shop, ALLOWED + "requirements:\n  - {name: two people, requires: [{count: 2}], level: block}\n")
    assert shop.check() == EXIT_BLOCK
    override(shop, RAVI, "--requirement", BY_AGENT)
    assert shop.check() == EXIT_BLOCK
    statuses = {one.name: one.status for one in shop.judge().signoff.requirements}
    assert statuses == {BY_AGENT: Status.OVERRIDDEN, "two people": Status.UNSATISFIED}
    override(shop, TOM, "--requirement", "two people")
    assert shop.check() == EXIT_PASS


def test_attack_nobody_may_override_without_a_word_of_the_policy(shop: Shop):
    start(shop, POLICY)
    override(shop, RAVI)
    refused(shop, "the policy lets nobody override")


@pytest.mark.parametrize("name", [DANA, "dana@home.example"])
def test_attack_the_operator_overrides_their_own_change(shop: Shop, name):
    signers = f"{keys(shop)}{name} {shop.public(name)}\n"
    shop.start(policy=ALLOWED.replace("signed_by: [seniors,", f"signed_by: [seniors, {name},"), signers=signers)
    override(shop, name)
    refused(shop, "prompted the agent")


def test_attack_somebody_overrides_whom_the_policy_does_not_name(shop: Shop):
    shop.start(policy=ALLOWED, signers=keys(shop, RAVI, INES))
    override(shop, INES)
    refused(shop, "none of those whom the policy lets sign it")


def test_attack_an_override_in_the_name_of_a_senior(shop: Shop):
    start(shop)
    override(shop, RAVI, key=TOM)
    refused(shop, "no key of ravi@shop.example")


def test_attack_an_override_longer_than_the_policy_allows(shop: Shop):
    start(shop)
    override(shop, RAVI, "--for", "30d")
    refused(shop, "lasts longer than the 8 h")


def test_attack_override_then_push_one_changed_blank(shop: Shop):
    start(shop)
    override(shop, RAVI)
    line = notes(shop)[0]
    shop.change({"shop/tax.py": "def tax(total):\n    return total / 4\n"})
    assert shop.judge().verdict.outcome is Decision.REVIEW
    hang(shop, line)
    refused(shop, "which is other content than what was judged")


def test_attack_an_approval_is_no_override_and_an_override_no_approval(shop: Shop):
    """The same key and the same person, but signed for something else."""
    start(shop)
    shop.approve(RAVI)
    approval = shop.lines()[0]
    shop.repo.git("update-ref", "-d", "refs/notes/gate-approvals")
    hang(shop, json.dumps(approval))
    refused(shop, "it was edited, or is not gate's")
    shop.repo.git("update-ref", "-d", waived.REF)
    override(shop, RAVI)
    line = json.loads(notes(shop)[0])
    statement = json.loads(approval["statement"])
    hang(shop, json.dumps({**line, "statement": json.dumps(statement)}), "refs/notes/gate-approvals", "gate-approval")
    shop.repo.git("update-ref", "-d", waived.REF)
    report = shop.judge()
    assert report.verdict.outcome is Decision.REVIEW
    assert any("one of them was edited" in one.reason or "not listed" in one.reason for one in report.signoff.dismissed)


def test_attack_a_key_for_approvals_alone_cannot_override(shop: Shop):
    shop.start(policy=ALLOWED)
    override(shop, RAVI)
    refused(shop, "not listed for gate-override")


@pytest.mark.parametrize(
    "more", [{"until": 9_999_999_999}, {"reason": "other"}, {"requirements": ["*"]}, {"by": TOM}, {"acknowledged": []}]
)
def test_attack_an_edited_override(shop: Shop, more):
    start(shop)
    override(shop, RAVI, "--for", "1h")
    entry = json.loads(notes(shop)[0])
    shop.repo.git("update-ref", "-d", waived.REF)
    hang(shop, json.dumps(entry | {"statement": json.dumps(json.loads(entry["statement"]) | more)}))
    refused(shop, "edited")


@pytest.mark.parametrize("text", ["{}", "[" * 10_000, "ravi says so", '{"statement": "{}", "signature": ""}'])
def test_attack_a_line_that_is_no_override(shop: Shop, text):
    start(shop)
    hang(shop, text)
    refused(shop, "it was edited, or is not gate's")


def test_attack_an_override_does_not_end_a_freeze(shop: Shop, capsys):
    start(shop)
    shop.on_main({".gate/freeze.yml": "freezes: [{scope: [everything], until: 2999-01-01T00:00Z, reason: stop}]\n"})
    override(shop, RAVI)
    assert shop.check() == EXIT_BLOCK
    assert {one.name: one.status for one in shop.judge().signoff.requirements} == {
        BY_AGENT: Status.OVERRIDDEN, "freeze of everything": Status.UNSATISFIED,
    }  # fmt: skip
    capsys.readouterr()
    assert override(shop, RAVI, "--requirement", "freeze of everything") == EXIT_USAGE
    assert "nothing that is open is called 'freeze of everything'" in capsys.readouterr().err


def test_attack_a_risk_that_was_not_there_when_it_was_overridden(shop: Shop, capsys):
    start(shop)
    shop.change({".github/workflows/ci.yml": "on: push\njobs: {}\n"})
    signer = ["--as", RAVI, "--key", str(shop.key(RAVI)), "--repo", str(shop.repo.path)]
    assert run(["override", "main...HEAD", "--reason", "incident", *signer]) == EXIT_USAGE
    assert "not acknowledged yet" in capsys.readouterr().err


def test_attack_an_override_does_not_hide_evidence_that_is_missing(shop: Shop):
    start(shop, ALLOWED + "profile: {required: true}\n")
    override(shop, RAVI)
    report = shop.judge()
    assert report.verdict.incomplete
    assert report.exit_code not in (EXIT_PASS, EXIT_REVIEW)


def test_an_objection_can_be_overridden_and_says_so(shop: Shop):
    start(shop)
    shop.approve(RAVI)
    shop.approve(TOM, "--verdict", "object")
    override(shop, RAVI)
    report = shop.judge()
    assert report.verdict.outcome is Decision.PASS
    assert {one.name: one.status for one in report.signoff.requirements} == {
        BY_AGENT: Status.SATISFIED, "the objection of tom@shop.example is settled": Status.OVERRIDDEN,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--for", "soon"], "'soon' is no time to end an override"),
        (["--for", "2020-01-01T00:00Z"], "is over already"),
        (["--requirement", "nothing"], "nothing that is open is called 'nothing'"),
    ],
)
def test_what_is_wrong_is_said(shop: Shop, capsys, options, message):
    start(shop)
    assert override(shop, RAVI, *options) == EXIT_USAGE
    assert message in capsys.readouterr().err
    assert override(shop, RAVI, reason=" ") == EXIT_USAGE


def notes(shop: Shop, ref: str = waived.REF) -> list[str]:
    rows = shop.repo.git("notes", f"--ref={ref}", "list").splitlines()
    return [line for row in rows for line in shop.repo.git("cat-file", "blob", row.split()[0]).splitlines() if line]


def hang(shop: Shop, line: str, ref: str = waived.REF, word: str = "gate-override") -> None:
    """Put a line of a note where gate looks for it."""
    from gatecli.model import Person
    from gatecli.sources import notes as git_notes
    from gatecli.sources.git import Repository

    change = shop.judge().case.change
    text = f"{word} {change.digest}\n"
    by = Person(name="m", email="m@x.example")
    name = git_notes.anchor(text, like=change.head)
    git_notes.append_note(Repository.open(shop.repo.path), ref, name, line, by=by, anchor_text=text)


# --------------------------------------------------------------------------- grants

FOR_PRICING = ["--requirement", BY_AGENT, "--path", "shop/pricing.py", "--for", "7d"]


def test_a_grant_bypasses_a_requirement_for_its_paths_and_people_until_it_ends(shop: Shop, capsys):
    start(shop)
    assert grant(shop, RAVI, *FOR_PRICING, "--to", "dana") == EXIT_PASS
    assert "it holds once it is on the base branch" in capsys.readouterr().out
    report = shop.judge()
    assert (report.verdict.outcome, report.signoff.status) == (Decision.PASS, SignOffStatus.BYPASSED)
    assert [one.status for one in report.signoff.requirements] == [Status.BYPASSED]
    for format in FORMATS:
        assert "TEST-7" in render(format, report), format
    assert "review bypassed by a grant of ravi@shop.example" in render("terminal", report)
    (waiver,) = report.signoff.waivers
    assert shop.judge(now=waiver.until).verdict.outcome is Decision.REVIEW
    shop.change({"shop/tax.py": "def tax(total):\n    return total / 4\n"})
    assert shop.judge().verdict.outcome is Decision.REVIEW


def test_a_grant_for_somebody_else_s_changes(shop: Shop):
    start(shop)
    grant(shop, RAVI, *FOR_PRICING, "--to", TOM)
    report = shop.judge()
    assert (report.verdict.outcome, report.signoff.waivers) == (Decision.REVIEW, ())


def test_attack_an_unknown_operator_is_none_of_those_who_were_granted(shop: Shop):
    start(shop)
    bot = {"GIT_AUTHOR_NAME": "Claude", "GIT_AUTHOR_EMAIL": "noreply@anthropic.com"}
    shop.repo.git("commit", "--amend", "--quiet", "--reset-author", "--message", "Round", env=bot)
    grant(shop, RAVI, *FOR_PRICING, "--to", "dana")
    assert shop.judge().verdict.outcome is Decision.REVIEW


def test_attack_a_grant_of_the_operator_to_themself(shop: Shop):
    start(shop, ALLOWED.replace("grants: {signed_by: [seniors]}", "grants: {signed_by: [seniors, dana]}"))
    grant(shop, DANA, *FOR_PRICING)
    refused(shop, "prompted the agent")


def test_attack_a_grant_that_lifts_what_blocks(shop: Shop):
    start(shop, ALLOWED + "requirements:\n  - {name: two people, requires: [{count: 2}], level: block}\n")
    shop.change({".gate/policy.yml": POLICY})
    grant(shop, RAVI, "--requirement", "*", "--path", "*", "--for", "7d")
    report = shop.judge()
    statuses = {one.name: one.status for one in report.signoff.requirements}
    assert statuses["two people"] is Status.UNSATISFIED
    assert statuses["senior signs what blocks"] is Status.UNSATISFIED
    assert report.verdict.outcome is Decision.BLOCK


def test_attack_a_grant_that_settles_an_objection(shop: Shop):
    start(shop)
    shop.approve(TOM, "--verdict", "object")
    grant(shop, RAVI, "--requirement", "*", "--path", "*", "--for", "7d")
    assert shop.judge().verdict.outcome is Decision.REVIEW


def test_attack_a_grant_longer_than_the_policy_allows(shop: Shop):
    start(shop)
    grant(shop, RAVI, *FOR_PRICING[:-1], "300d")
    refused(shop, "lasts longer than the 30 days")


def test_attack_a_grant_that_nobody_may_give(shop: Shop):
    start(shop, POLICY)
    grant(shop, RAVI, *FOR_PRICING)
    refused(shop, "the policy lets nobody grant anything")


@pytest.mark.parametrize(("before", "after"), [("7d", "7d"), ("shop/pricing.py", "shop/*"), ("TEST-7", "another")])
def test_attack_an_edited_grant(shop: Shop, before, after):
    start(shop)
    grant(shop, RAVI, *FOR_PRICING)
    text = shop.repo.git("show", "main:.gate/grants.yml")
    edited = text.replace(before, after) if before != after else text.replace("until: '2", "until: '3")
    assert edited != text
    shop.on_main({".gate/grants.yml": edited})
    refused(shop, "one of them was edited" if before != after else "")


def test_attack_a_grant_that_the_change_brings_itself(shop: Shop):
    start(shop)
    grant(shop, RAVI, "--requirement", "*", "--path", "*", "--for", "7d")
    text = shop.repo.git("show", "main:.gate/grants.yml")
    shop.on_main({".gate/grants.yml": None})
    shop.change({".gate/grants.yml": text})
    report = shop.judge()
    assert report.signoff.waivers == ()
    assert "guardrails-changed" in {one.rule for one in report.findings if one.asks_for_somebody}
    assert report.verdict.outcome is Decision.BLOCK


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("grants: [{requirements: []}]", "grants.0.requirements is empty"),
        ("grants: [{requirements: [a], paths: [b], since: x, until: y, reason: z, by: w}]", "'x' is no time"),
        ("grants: 3", "expected a list"),
        ("grants: [{who: x}]", "unknown key"),
    ],
)
def test_a_file_of_grants_that_is_wrong_stops_the_run(shop: Shop, capsys, text, message):
    start(shop, files={".gate/grants.yml": text})
    assert shop.check() == EXIT_USAGE
    assert message in capsys.readouterr().err
