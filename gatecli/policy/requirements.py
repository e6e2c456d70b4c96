"""Who has to sign, why, and how far that has come.

What was found asks for sign-offs: an AI-written change by someone who is not senior, a finding that blocks, or a risk
in the top band for a senior human; anything else that asks for review for a human who knows the code. None of them may
have written or prompted the change. One person can meet several requirements.
"""

from collections.abc import Iterable
from dataclasses import replace

from gatecli.config import POLICY_PATH, Config
from gatecli.model import (
    Approval,
    Case,
    Counted,
    Decision,
    Dismissal,
    Finding,
    Requirement,
    RequirementStatus,
    Score,
    SignerKind,
    SignOff,
    SignOffStatus,
    Verdict,
)
from gatecli.policy.candidates import Candidates, find_candidates
from gatecli.policy.owners import Owners
from gatecli.policy.verdict import Ask, Trigger, triggers
from gatecli.provenance.identity import Directory, directory

_SENIOR = (Ask.SENIOR_FOR_BLOCK, Ask.SENIOR_FOR_AGENT, Ask.SENIOR_FOR_RISK)


def sign_off(
    case: Case,
    findings: Iterable[Finding],
    score: Score,
    config: Config,
    *,
    now: int,
    reviewed: Counted | None = None,
    owners: Owners | None = None,
) -> SignOff:
    """The sign-offs that the change needs, who can give them, and which approvals count.

    Args:
        case: What is judged; its history ranks the candidates.
        findings: The answers of the rules.
        score: The score.
        config: The policy.
        now: Epoch seconds.
        reviewed: The approvals that count and those that do not; None: nobody was asked.
        owners: The code owners at the base revision.
    """
    known = directory(config.people)
    reviewed = reviewed or Counted()
    asked: dict[Ask, list[Trigger]] = {}
    for trigger in triggers(case, findings, score, config):
        if trigger.ask is not Ask.NOBODY:
            asked.setdefault(trigger.ask, []).append(trigger)
    if not asked:
        return SignOff(status=SignOffStatus.NOT_REQUIRED, approvals=reviewed.approvals, dismissed=reviewed.dismissed)
    people = find_candidates(case, config.people, now=now, owners=owners)
    requirements = tuple(
        _requirement(ask, asked[ask], reviewed.approvals, people, known) for ask in Ask if ask in asked
    )
    done = all(requirement.status is RequirementStatus.SATISFIED for requirement in requirements)
    used = {name for requirement in requirements for name in requirement.satisfied_by}
    return SignOff(
        status=SignOffStatus.SATISFIED if done else SignOffStatus.OUTSTANDING,
        requirements=requirements,
        approvals=tuple(approval for approval in reviewed.approvals if approval.person in used),
        dismissed=(*reviewed.dismissed, *_idle(reviewed.approvals, used, config)),
        candidates=people.reviewers,
    )


def outcome(verdict: Verdict, signoff: SignOff) -> Verdict:
    """The verdict with what is left of it: block while a blocking finding is unsigned, review while anything is."""
    open_asks = {one.name for one in signoff.requirements if one.status is not RequirementStatus.SATISFIED}
    if verdict.decision is Decision.PASS or not signoff.requirements:
        return verdict
    if not open_asks:
        return replace(verdict, outcome=Decision.PASS)
    blocked = verdict.decision is Decision.BLOCK and Ask.SENIOR_FOR_BLOCK in open_asks
    return replace(verdict, outcome=Decision.BLOCK if blocked else Decision.REVIEW)


def _requirement(
    ask: Ask, why: list[Trigger], approvals: tuple[Approval, ...], people: Candidates, known: Directory
) -> Requirement:
    senior = ask in _SENIOR
    humans = [one.person for one in approvals if one.kind is SignerKind.HUMAN]
    signed = [person for person in humans if not senior or known.lists_as_senior(person)]
    reason = why[0].reason.text + (f" (and {len(why) - 1:,} more)" if len(why) > 1 else "")
    if senior and not known.seniors:
        reason += f"; no senior list is configured (people.seniors in {POLICY_PATH}), so nobody counts as senior yet"
    return Requirement(
        name=ask.value,
        count=1,
        kind="human",
        role="senior" if senior else "reviewer",
        reason=reason,
        status=RequirementStatus.SATISFIED if signed else RequirementStatus.UNSATISFIED,
        who=people.seniors if senior and known.seniors else people.reviewers,
        satisfied_by=tuple(signed),
    )


def _idle(approvals: tuple[Approval, ...], used: set[str], config: Config) -> Iterable[Dismissal]:
    """Independent approvals that no requirement asks for."""
    why = "not on the senior list" if config.people.seniors else f"no senior list is configured in {POLICY_PATH}"
    return (Dismissal(by=one.person, reason=why) for one in approvals if one.person not in used)
