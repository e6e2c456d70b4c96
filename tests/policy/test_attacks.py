"""Attacks on sign-off, each by name, with real keys and real notes. None may end in a pass."""

import json
from dataclasses import replace

import pytest

from gatecli import pipeline
from gatecli.cli.main import run
from gatecli.errors import EXIT_PASS, EXIT_USAGE
from gatecli.model import Decision, RequirementStatus, SignOffStatus
from gatecli.policy.approvals import signed
from gatecli.reports import markdown
from gatecli.sources import notes
from gatecli.sources.git import Repository
from tests.policy.shop import (
    AI_MESSAGE,
    BY_DANA,
    DANA,
    EDITED,
    POLICY,
    PRICING,
    RAVI,
    TOM,
    Shop,
    needs_ssh,
    shop,
)  # fmt: skip

__all__ = ["shop"]
pytestmark = needs_ssh

REF = "refs/notes/gate-approvals"


def refused(shop: Shop, because: str, *, by: str | None = None, range: str = "main...HEAD", **more) -> None:
    """The change does not pass, and the attempt is listed with the reason."""
    report, said = shop.judged(range, **more)
    assert report.verdict.decision is not Decision.PASS
    assert report.verdict.outcome is not Decision.PASS
    assert report.exit_code != EXIT_PASS
    assert said.approvals == ()
    found = [(one.by, one.reason) for one in said.dismissed]
    assert any(because in reason and by in (None, who) for who, reason in found), found


def rewrite(shop: Shop, change) -> None:
    """Replace the text of every note."""
    for row in shop.repo.git("notes", "--ref=gate-approvals", "list").split("\n"):
        if row:
            blob, name = row.split()
            text = change(shop.repo.git("cat-file", "blob", blob))
            file = shop.folder / "note"
            file.write_text(text)
            shop.repo.git("notes", "--ref=gate-approvals", "add", "--force", f"--file={file}", name)


def hang(shop: Shop, line: str) -> None:
    """Put a line of a note where gate looks for it."""
    repository = Repository.open(shop.repo.path)
    change = shop.judge().case.change
    text = signed.anchor_text(change.digest)
    from gatecli.model import Person

    name = notes.anchor(text, like=change.head)
    notes.append_note(repository, REF, name, line, by=Person(name="m", email="m@x.example"), anchor_text=text)


def github(shop: Shop, *reviews: dict, **more) -> bytes:
    head = shop.repo.head()
    people = ("ravi", "tom", "dana-codes", "mallory")
    return json.dumps({
        "pull_request": {"number": 7, "user": {"login": "dana-codes", "type": "User"}, "head": {"sha": head}},
        "reviews": [
            {"user": {"login": "ravi", "type": "User"}, "state": "APPROVED", "commit_id": head,
             "submitted_at": "2026-01-02T10:00:00Z", "author_association": "MEMBER"} | one
            for one in reviews
        ],
        "commits": [],
        "collaborators": [{"login": login, "permissions": {"push": True}} for login in people],
        **more,
    }).encode()  # fmt: skip


# --------------------------------------------------------------------------- who


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


def test_a_key_that_is_listed_under_a_pattern_is_nobody_s(shop: Shop):
    shop.start(signers=shop.signers(f"*@shop.example {shop.public(TOM)}"))
    shop.approve(RAVI, key=TOM)
    refused(shop, "names nobody in particular", by=RAVI)


# --------------------------------------------------------------------------- what


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


# --------------------------------------------------------------------------- where


def replayed(shop: Shop, into: Shop) -> None:
    for line in shop.lines():
        hang(into, json.dumps(line))


def test_replay_from_another_repository(shop: Shop, make_repo):
    shop.start()
    shop.approve(RAVI)
    other = Shop(make_repo("other"), shop.folder, shop.keys)
    other.repo.commit({"README.md": "another history\n"}, "Other")
    other.start()
    assert other.judge().case.change.digest == shop.judge().case.change.digest
    replayed(shop, other)
    refused(other, "which is no commit of the base", by=RAVI)


def test_replay_from_a_fork_with_the_same_history(shop: Shop):
    shop.start()
    shop.repo.git("remote", "add", "origin", "git@github.com:mallory/shop.git")
    shop.approve(RAVI)
    shop.repo.git("remote", "set-url", "origin", "https://github.com/acme/shop")
    refused(shop, "signed for the repository mallory/shop", by=RAVI)


def test_replay_from_another_branch(shop: Shop):
    shop.start()
    shop.repo.git("branch", "release", "main")
    shop.approve(RAVI, range="release...HEAD")
    refused(shop, "signed for a merge into release, not into main", by=RAVI)


def test_replay_from_a_branch_whose_base_this_one_lacks(shop: Shop):
    shop.start()
    shop.repo.git("branch", "next", "main")
    shop.repo.git("switch", "--quiet", "next")
    shop.repo.commit({"next.py": "X = 1\n"}, "Next")
    shop.repo.git("switch", "--quiet", "dana/round")
    shop.approve(RAVI, range=f"{shop.repo.git('rev-parse', 'next').strip()}...HEAD")
    refused(shop, "which is no commit of the base", by=RAVI)


def test_replay_from_another_pull_request(shop: Shop):
    shop.start()
    shop.approve(RAVI)
    lines = shop.lines()
    shop.repo.git("switch", "--quiet", "--create", "dana/other", "main")
    shop.change({"shop/tax.py": "def tax(total):\n    return total / 50\n"})
    for line in lines:
        hang(shop, json.dumps(line))
    refused(shop, "not", by=RAVI)
    other = json.loads(github(shop, {}))
    other["pull_request"]["head"]["sha"] = "b" * 40
    refused(shop, "given on a pull request whose head is bbbbbbbbbbbb", by="ravi", approvals=json.dumps(other).encode())


def pull(shop: Shop, number: int, login: str, **more) -> dict:
    """Another open pull request of the head."""
    return {
        "number": number,
        "state": "open",
        "user": {"login": login, "type": "User"},
        "head": {"sha": shop.repo.head(), "ref": "x"},
        **more,
    }


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


# --------------------------------------------------------------------------- keys


@pytest.mark.parametrize(
    ("options", "because"),
    [
        ('namespaces="gate-approval",valid-before="20200101"', "no longer valid"),
        ('namespaces="gate-approval",valid-after="20990101"', "not yet valid"),
        ('namespaces="git"', "not listed for gate-approval"),
    ],
)
def test_expired_early_and_wrong_namespace_keys(shop: Shop, options, because):
    shop.start(signers=shop.signers(f"{RAVI} {options} {shop.public(RAVI)}"))
    shop.approve(RAVI)
    refused(shop, because, by=RAVI)


def test_a_signature_that_outlives_its_key(shop: Shop):
    shop.start(signers=shop.signers(f'{RAVI} valid-before="20990101" {shop.public(RAVI)}'))
    shop.approve(RAVI)
    assert shop.judge().verdict.outcome is Decision.PASS
    refused(shop, "no longer valid", by=RAVI, now=4_100_000_000)


def test_a_key_that_was_revoked_since_on_the_base(shop: Shop):
    shop.start()
    shop.approve(RAVI)
    assert shop.judge().verdict.outcome is Decision.PASS
    shop.on_main({".gate/revoked_keys": shop.key(RAVI).with_suffix(".pub").read_text()})
    refused(shop, "a key that was revoked", by=RAVI)


def test_a_key_that_was_taken_off_the_list_since(shop: Shop):
    shop.start()
    shop.approve(RAVI)
    shop.on_main({".gate/allowed_signers": shop.signers(f"{TOM} {shop.public(TOM)}")})
    refused(shop, "no key of ravi@shop.example", by=RAVI)


def test_no_keys_are_listed(shop: Shop):
    shop.start(signers="")
    shop.approve(RAVI)
    refused(shop, "lists no keys", by=RAVI)


def test_a_commit_signature_is_no_approval(shop: Shop):
    """The same key, the same bytes, another namespace: what git signs with."""
    import subprocess

    shop.start()
    shop.approve(RAVI)
    statement = shop.lines()[0]["statement"]
    command = ["ssh-keygen", "-Y", "sign", "-q", "-n", "git", "-f", str(shop.key(RAVI))]
    made = subprocess.run(command, input=statement.encode(), capture_output=True, check=True)
    shop.repo.git("update-ref", "-d", REF)
    hang(shop, json.dumps({"statement": statement, "signature": made.stdout.decode()}))
    refused(shop, "", by=RAVI)


# --------------------------------------------------------------------------- notes


def edited(line: str, **more) -> str:
    entry = json.loads(line)
    statement = json.loads(entry["statement"]) | more
    return json.dumps(entry | {"statement": json.dumps(statement)})


@pytest.mark.parametrize("more", [{"by": TOM}, {"at": 1}, {"digest": "0" * 64}, {"acknowledged": ["f" * 32]}])
def test_an_edited_note(shop: Shop, more):
    shop.start()
    shop.approve(RAVI)
    rewrite(shop, lambda text: "\n".join(edited(line, **more) for line in text.splitlines() if line))
    refused(shop, "")


def test_an_objection_edited_into_an_approval(shop: Shop):
    shop.start()
    shop.approve(RAVI, "--verdict", "object")
    rewrite(shop, lambda text: "\n".join(edited(line, verdict="approve") for line in text.splitlines() if line))
    refused(shop, "one of them was edited", by=RAVI)


def test_a_deleted_note(shop: Shop):
    shop.start()
    shop.approve(RAVI)
    assert shop.judge().verdict.outcome is Decision.PASS
    shop.repo.git("update-ref", "-d", REF)
    assert shop.judge().verdict.outcome is not Decision.PASS
    assert shop.said().approvals == ()


@pytest.mark.parametrize(
    "text",
    [
        "approved by ravi", "{}", "[]", '{"statement": 3, "signature": 4}', '{"statement": "{}", "signature": ""}',
        "[" * 10_000, '{"statement": "' + "[" * 5_000 + '", "signature": "x"}', "\x00\xff",
    ],
)  # fmt: skip
def test_a_note_that_is_none(shop: Shop, text):
    shop.start()
    hang(shop, text)
    refused(shop, "it was edited, or is not gate's", by="a note")


def test_hundreds_of_notes_are_bounded_and_said(shop: Shop, monkeypatch):
    monkeypatch.setattr("gatecli.policy.approvals.signed.MAX_SIGNED", 2)
    shop.start()
    hang(shop, "\n".join(f'{{"junk": {number}}}' for number in range(50)))
    refused(shop, "more signed notes: the first 2 were read")


# --------------------------------------------------------------------------- the head's own files


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


# --------------------------------------------------------------------------- when


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


# --------------------------------------------------------------------------- GitHub's answers


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
