"""Who has to sign, why, and how far that has come.

What was found asks for sign-offs: an AI-written change by someone who is not senior, a finding that blocks, or a risk
in the top band for a senior human; anything else that asks for review for a human who knows the code. None of them may
have written or prompted the change. One person can meet several requirements.
"""

from collections.abc import Iterable
from dataclasses import replace

from gatecli.config import POLICY_PATH, Config
from gatecli.config.freeze import Freeze
from gatecli.model import (
    Approval,
    Branch,
    Candidate,
    Case,
    Counted,
    Decision,
    Dismissal,
    Finding,
    Memory,
    Reason,
    Requirement,
    RequirementStatus,
    Score,
    SignerKind,
    SignOff,
    SignOffStatus,
    Verdict,
)
from gatecli.policy import pace, waivers
from gatecli.policy.candidates import Candidates, find_candidates
from gatecli.policy.conditions import facts
from gatecli.policy.named import Said, evaluate, rows
from gatecli.policy.owners import Owners
from gatecli.policy.verdict import Ask, Trigger, triggers
from gatecli.provenance.identity import Directory, directory

_WORST = (
    (RequirementStatus.ERROR, SignOffStatus.ERROR),
    (RequirementStatus.UNSATISFIED, SignOffStatus.OUTSTANDING),
    (RequirementStatus.OVERRIDDEN, SignOffStatus.OVERRIDDEN),
    (RequirementStatus.BYPASSED, SignOffStatus.BYPASSED),
)
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
    rules: frozenset[str] | None = None,
    freezes: tuple[Freeze, ...] = (),
    memory: Memory | None = None,
    keys: bool = False,
    mailmap: bytes | None = None,
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
        rules: The names and codes of all rules; None: not known, and not checked.
        freezes: Those of the newest base.
        memory: What is recorded of earlier decisions; None: nothing is.
        keys: Whether the newest base lists keys that may sign.
        mailmap: That of the newest base: it joins the addresses of those who could sign.
    """
    known = directory(config.people)
    findings = tuple(findings)
    about = facts(case, findings, score, config)
    reviewed = pace.timely(config.pace, about, memory, reviewed or Counted())
    paced = pace.branches(config.pace, freezes, about, memory, reviewed, now=now)
    asked: dict[Ask, list[Trigger]] = {}
    for trigger in triggers(case, findings, score, config):
        if trigger.ask is not Ask.NOBODY:
            asked.setdefault(trigger.ask, []).append(trigger)
    named = config.requirements if case.change.files else ()
    objected = _objections(reviewed, known)
    if not asked and not named and not paced and not objected:
        return SignOff(status=SignOffStatus.NOT_REQUIRED, approvals=reviewed.approvals, dismissed=reviewed.dismissed)
    people = find_candidates(case, config.people, now=now, owners=owners, mailmap=mailmap)
    built_in = tuple(_requirement(ask, asked[ask], reviewed.approvals, people, known) for ask in Ask if ask in asked)
    said = Said(
        approvals=reviewed.approvals,
        about=about,
        owners=owners,
        rules=rules,
        reviewers=people.reviewers,
        seniors=people.seniors,
    )
    blocking = [one.name for one in built_in if one.level is Decision.BLOCK]
    blocking += [one.name for one in named if Decision(one.level) is Decision.BLOCK]
    lifting = waivers.for_change(reviewed.waivers, about, config, blocking=frozenset(blocking))
    built_in, objected = (tuple(_lifted(one, lifting) for one in group) for group in (built_in, objected))
    branches = tuple(map(lifting.lift, evaluate(config, said) if named else ()))
    paced = tuple(map(lifting.lift, paced))
    requirements = (*built_in, *rows(config, branches), *objected, *pace.rows(paced))
    used: set[str] = set().union(*(requirement.satisfied_by for requirement in requirements))
    tree = (*map(_as_branch, built_in), *branches, *map(_as_branch, objected), *paced)
    return SignOff(
        status=status_of(requirements),
        requirements=requirements,
        approvals=tuple(approval for approval in reviewed.approvals if approval.person in used),
        dismissed=(*reviewed.dismissed, *_idle(reviewed.approvals, used, config)),
        candidates=people.reviewers,
        tree=tree,
        waivers=lifting.spent(tree),
        keys=keys,
    )


def _lifted(one: Requirement, lifting: waivers.Waivers) -> Requirement:
    branch = lifting.lift(_as_branch(one))
    return replace(one, status=branch.status, reason=branch.why)


def status_of(requirements: tuple[Requirement, ...]) -> SignOffStatus:
    """How a sign-off with these requirements stands as a whole."""
    statuses = {one.status for one in requirements}
    worst = next((whole for one, whole in _WORST if one in statuses), SignOffStatus.SATISFIED)
    return worst if requirements else SignOffStatus.NOT_REQUIRED


def _as_branch(one: Requirement) -> Branch:
    """A built-in requirement as a node of the tree."""
    return Branch(
        text=one.name, status=one.status, why=one.reason, satisfied_by=one.satisfied_by, who=one.who
    )  # fmt: skip


def outcome(verdict: Verdict, signoff: SignOff) -> Verdict:
    """The verdict with what is left of it: the strictest of the requirements that are open.

    What the policy asks for by name raises the decision too, with a reason of its own while it is open. What was waived
    is a reason too: it is never silent.
    """
    if not signoff.requirements:
        return verdict
    named = [one for one in signoff.requirements if not one.built_in]
    open_ = [one for one in signoff.requirements if one.status in OPEN]
    reasons = [Reason(text=f"{one.name}: {one.reason}") for one in signoff.requirements if one.status in WAIVED]
    reasons += [Reason(text=f"{one.name}: {one.reason}") for one in named if one in open_]
    return replace(
        verdict,
        decision=strictest([verdict.decision, *(one.level for one in named)]),
        outcome=strictest([Decision.PASS, *(one.level for one in open_)]),
        reasons=(*verdict.reasons, *dict.fromkeys(reasons)),
    )


OPEN = (RequirementStatus.UNSATISFIED, RequirementStatus.ERROR)
"""The states of a requirement that keep a change from merging."""

WAIVED = (RequirementStatus.OVERRIDDEN, RequirementStatus.BYPASSED)
"""The states of one that was lifted and not met."""


def strictest(decisions: Iterable[Decision]) -> Decision:
    """Of some decisions the one that asks for most."""
    return max(decisions, key=(Decision.PASS, Decision.REVIEW, Decision.BLOCK).index)


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
        level=Decision.BLOCK if ask is Ask.SENIOR_FOR_BLOCK else Decision.REVIEW,
    )


def _objections(reviewed: Counted, known: Directory) -> tuple[Requirement, ...]:
    """Whoever may approve and asked for changes keeps the change open, whoever else approved, until they say so."""
    people = [known.names.get(key, key) for key in reviewed.objections]
    return tuple(
        Requirement(
            name=f"{waivers.OBJECTION}{person} is settled",
            count=1,
            kind="human",
            role="objector",
            reason=f"{person} requested changes, and only {person} can take that back",
            status=RequirementStatus.UNSATISFIED,
            who=(Candidate(person=person, evidence="requested changes"),),
            built_in=False,
        )
        for person in people
    )


def _idle(approvals: tuple[Approval, ...], used: set[str], config: Config) -> Iterable[Dismissal]:
    """Independent approvals that no requirement asks for."""
    why = "not on the senior list" if config.people.seniors else f"no senior list is configured in {POLICY_PATH}"
    return (Dismissal(by=one.person, reason=why) for one in approvals if one.person not in used)
