import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecli.config import Config, People
from gatecli.model import (
    AgentEvidence,
    Approval,
    Binding,
    Candidate,
    Case,
    Counted,
    Decision,
    Dismissal,
    Provenance,
    ProvenanceClass,
    Requirement,
    RequirementStatus,
    Score,
    Severity,
    SignOff,
    SignOffStatus,
)
from gatecli.policy.approvals import Submitted, counted
from gatecli.policy.requirements import outcome, sign_off
from gatecli.policy.verdict import decide
from gatecli.provenance.identity import directory
from tests.scoring.cases import DANA, DAY, INES, RAVI, case, changed, finding, function_id, known, revision

HEAD = "a71b0d4" + "0" * 33
NOW = 1_800_000_000
PRICE = function_id()
AI = Provenance(
    klass=ProvenanceClass.AI,
    agents=(AgentEvidence(tool="claude", channel="trailer", strength=3),),
    operator=DANA,
    authors=(DANA,),
)
CONFIG = Config(people=People(seniors=("ravi", "mei"), aliases={"ravi": ("ravi@shop.example",)}))
LOW = Score(likelihood=4, exposure=0, total=4)
PAST = {PRICE: known((RAVI, 31), (DANA, 20), (INES, 14), at=NOW - 12 * DAY)}
KNOWERS = (
    Candidate(person="ravi", evidence="31 changes here, last 12 days ago", score=31 * 0.5 ** (12 / 365)),
    Candidate(person="Ines", evidence="14 changes here, last 12 days ago", score=14 * 0.5 ** (12 / 365)),
)
SENIORS = (KNOWERS[0], Candidate(person="mei", evidence="on the senior list, no changes here"))


def given_case(provenance: Provenance = AI):
    return case(changed(), history=PAST, provenance=provenance, head=HEAD, revisions=(revision(DANA, sha=HEAD),))


HUMAN = given_case(Provenance(klass=ProvenanceClass.NO_EVIDENCE, operator=DANA, authors=(DANA,)))


def approved_by(*logins: str, judged: Case | None = None) -> Counted:
    answers = json.dumps(
        {
            "pull_request": {"user": {"login": "danacodes", "type": "User"}},
            "reviews": [
                {"user": {"login": login, "type": "User"}, "state": "APPROVED", "commit_id": HEAD,
                 "submitted_at": "2026-11-20T16:02:00Z"}
                for login in logins
            ],
            "commits": [],
            "collaborators": [{"login": login, "permissions": {"push": True}} for login in ("ravi", "mei", "tom")],
        }
    ).encode()  # fmt: skip
    return counted(
        judged or given_case(), (), directory(CONFIG.people), CONFIG, submitted=Submitted(answers=answers),
        policy="p", now=NOW,
    )  # fmt: skip


def approval(login: str) -> Approval:
    return Approval(
        person=login, at=1_795_190_520, source="github review", commit=HEAD, digest="d", binding=Binding.MERGE_TREE
    )


def requirement(name: str, role: str, reason: str, *who: Candidate, by: tuple[str, ...] = ()) -> Requirement:
    return Requirement(
        name=name, count=1, kind="human", role=role, reason=reason, who=who, satisfied_by=by,
        status=RequirementStatus.SATISFIED if by else RequirementStatus.UNSATISFIED,
        level=Decision.BLOCK if name == "senior signs what blocks" else Decision.REVIEW,
    )  # fmt: skip


AI_REASON = "claude wrote this change, and Dana Reed is not on the senior list"


def test_a_pass_asks_for_nobody():
    assert sign_off(HUMAN, (), LOW, CONFIG, now=NOW) == SignOff(status=SignOffStatus.NOT_REQUIRED)


def test_an_ai_written_change_needs_a_senior():
    assert replace(sign_off(given_case(), (), LOW, CONFIG, now=NOW), tree=()) == SignOff(
        status=SignOffStatus.OUTSTANDING,
        requirements=(requirement("senior signs the AI-written change", "senior", AI_REASON, *SENIORS),),
        candidates=KNOWERS,
    )


def test_a_senior_signs_it():
    signed = sign_off(given_case(), (), LOW, CONFIG, now=NOW, reviewed=approved_by("Ravi"))
    assert replace(signed, tree=()) == SignOff(
        status=SignOffStatus.SATISFIED,
        requirements=(requirement("senior signs the AI-written change", "senior", AI_REASON, *SENIORS, by=("Ravi",)),),
        approvals=(approval("Ravi"),),
        candidates=KNOWERS,
    )


def test_somebody_else_does_not():
    signed = sign_off(given_case(), (), LOW, CONFIG, now=NOW, reviewed=approved_by("tom", "danacodes"))
    assert signed.status is SignOffStatus.OUTSTANDING
    assert signed.approvals == ()
    assert signed.dismissed == (
        Dismissal(by="danacodes", reason="opened the pull request", source="github review"),
        Dismissal(by="tom", reason="not on the senior list"),
    )


def test_without_a_senior_list_the_requirement_says_so_and_names_who_knows_the_code():
    signed = sign_off(given_case(), (), LOW, Config(), now=NOW, reviewed=approved_by("ravi"))
    (asked,) = signed.requirements
    assert asked.status is RequirementStatus.UNSATISFIED
    assert asked.reason == (
        "claude wrote this change, and there is no senior list that Dana Reed could be on; "
        "no senior list is configured (people.seniors in .gate/policy.yml), so nobody counts as senior yet"
    )
    assert [one.person for one in asked.who] == ["Ravi", "Ines"]
    assert signed.dismissed == (Dismissal(by="ravi", reason="no senior list is configured in .gate/policy.yml"),)


def test_everything_that_was_found_asks_for_its_own_sign_off():
    findings = [
        finding("table-dropped", code="M01", severity=Severity.BLOCK, message="orders is dropped", points=20),
        finding("policy-changed", code="T08", severity=Severity.BLOCK, message="the policy is changed"),
        finding("timeout-raised", severity=Severity.REVIEW, message="timeout 3 to 30 s"),
    ]
    high = Score(likelihood=20, exposure=41, total=61)
    signed = sign_off(given_case(), findings, high, CONFIG, now=NOW, reviewed=approved_by("tom"))
    assert signed.requirements == (
        requirement("reviewer who knows the code", "reviewer", "timeout 3 to 30 s", *KNOWERS, by=("tom",)),
        requirement("senior signs what blocks", "senior", "orders is dropped (and 1 more)", *SENIORS),
        requirement("senior signs the AI-written change", "senior", AI_REASON, *SENIORS),
        requirement(
            "senior signs the risk", "senior",
            "risk is 61 points (likelihood 20, exposure 41), a senior is asked from 60 on", *SENIORS,
        ),
    )  # fmt: skip
    assert (signed.status, signed.approvals) == (SignOffStatus.OUTSTANDING, (approval("tom"),))
    assert signed.dismissed == ()


@pytest.mark.parametrize(
    ("findings", "logins", "expected"),
    [
        ([], (), Decision.REVIEW),
        ([], ("ravi",), Decision.PASS),
        ([finding(severity=Severity.BLOCK)], (), Decision.BLOCK),
        ([finding(severity=Severity.BLOCK)], ("tom",), Decision.BLOCK),
        ([finding(severity=Severity.BLOCK)], ("mei",), Decision.PASS),
        ([finding("a", severity=Severity.BLOCK), finding("b", severity=Severity.REVIEW)], ("tom",), Decision.BLOCK),
        ([finding("a", severity=Severity.BLOCK), finding("b", severity=Severity.REVIEW)], ("mei",), Decision.PASS),
        ([finding("b", severity=Severity.REVIEW)], ("tom",), Decision.REVIEW),
    ],
)
def test_what_is_left_of_the_verdict(findings, logins, expected):
    judged = given_case()
    signed = sign_off(judged, findings, LOW, CONFIG, now=NOW, reviewed=approved_by(*logins, judged=judged))
    before = decide(judged, findings, LOW, CONFIG)
    after = outcome(before, signed)
    assert (after.decision, after.outcome) == (before.decision, expected)
    assert after.reasons == before.reasons


def test_a_verdict_without_requirements_stays_what_it_is():
    judged = decide(given_case(), (), LOW, CONFIG)
    assert outcome(judged, SignOff(status=SignOffStatus.NOT_REQUIRED)) == judged


SEVERITIES = st.sampled_from(list(Severity))
LOGINS = st.lists(st.sampled_from(["ravi", "mei", "tom", "danacodes", "stranger"]), max_size=4)


@given(st.lists(SEVERITIES, max_size=3), LOGINS, st.integers(0, 80), st.booleans())
def test_a_decision_other_than_pass_never_passes_without_a_counted_approval(severities, logins, points, by_agent):
    judged = given_case() if by_agent else HUMAN
    findings = [finding(f"rule{number}", severity=severity) for number, severity in enumerate(severities)]
    high = Score(likelihood=points, exposure=0, total=points)
    signed = sign_off(judged, findings, high, CONFIG, now=NOW, reviewed=approved_by(*logins, judged=judged))
    before = decide(judged, findings, high, CONFIG)
    assert (signed.status is SignOffStatus.NOT_REQUIRED) == (before.decision is Decision.PASS)
    after = outcome(before, signed)
    if after.outcome is Decision.PASS and before.decision is not Decision.PASS:
        assert {"ravi", "mei", "tom"} & set(logins)
        assert signed.approvals
    more = sign_off(
        judged, findings, high, replace(CONFIG, people=People()), now=NOW, reviewed=approved_by(*logins, judged=judged)
    )
    order = (Decision.PASS, Decision.REVIEW, Decision.BLOCK)
    assert order.index(outcome(before, more).outcome) >= order.index(after.outcome)
