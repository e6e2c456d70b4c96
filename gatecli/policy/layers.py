"""Two policies asked about one change: what each of them requires has to be met, and the stricter answer stands."""

from dataclasses import dataclass, replace

from gatecli.model import Branch, Requirement, Score, SignOff, Verdict
from gatecli.policy.requirements import status_of, strictest

ORGANISATION = "organisation: "
"""Stands before what the organisation's policy asks for, where the repository's does not ask the very same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one policy says of a change."""

    score: Score
    verdict: Verdict
    signoff: SignOff


def together(repository: Answer, organisation: Answer) -> Answer:
    """Both answers as one: never better than either."""
    return Answer(
        score=_score(repository, organisation),
        verdict=_verdict(repository.verdict, organisation.verdict),
        signoff=_signoff(repository.signoff, organisation.signoff),
    )


def _score(one: Answer, other: Answer) -> Score:
    """The higher score; what either policy would still ask for stands."""
    higher, lower = (one, other) if one.score.total >= other.score.total else (other, one)
    without = {
        rule: replace(
            left,
            decision=strictest(
                (
                    left.decision,
                    lower.score.without[rule].decision if rule in lower.score.without else lower.verdict.decision,
                )
            ),
        )
        for rule, left in higher.score.without.items()
    }
    return replace(higher.score, without=without)


def _verdict(one: Verdict, other: Verdict) -> Verdict:
    return Verdict(
        decision=strictest((one.decision, other.decision)),
        outcome=strictest((one.outcome, other.outcome)),
        reasons=tuple(dict.fromkeys((*one.reasons, *other.reasons))),
        incomplete=tuple(dict.fromkeys((*one.incomplete, *other.incomplete))),
    )


def _signoff(one: SignOff, other: SignOff) -> SignOff:
    asked = {_essence(row) for row in one.requirements}
    rows = (*one.requirements, *(_named(row) for row in other.requirements if _essence(row) not in asked))
    shown = {(branch.text, branch.status, branch.satisfied_by) for branch in one.tree}
    tree = [branch for branch in other.tree if (branch.text, branch.status, branch.satisfied_by) not in shown]
    return SignOff(
        status=status_of(rows),
        requirements=rows,
        approvals=tuple(dict.fromkeys((*one.approvals, *other.approvals))),
        dismissed=tuple(dict.fromkeys((*one.dismissed, *other.dismissed))),
        candidates=tuple(dict.fromkeys((*one.candidates, *other.candidates))),
        tree=(*one.tree, *map(_titled, tree)),
        waivers=tuple(dict.fromkeys((*one.waivers, *other.waivers))),
        keys=one.keys or other.keys,
    )


def _essence(row: Requirement) -> tuple[object, ...]:
    """What makes two rows say the same: who can still give it may differ."""
    return row.name, row.count, row.kind, row.role, row.status, row.satisfied_by, row.level


def _named(row: Requirement) -> Requirement:
    return replace(row, name=f"{ORGANISATION}{row.name}")


def _titled(branch: Branch) -> Branch:
    return replace(branch, text=f"{ORGANISATION}{branch.text}")
