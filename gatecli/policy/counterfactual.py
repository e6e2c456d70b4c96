"""What the change would be without one of the things that make it risky."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from gatecli.config import Config
from gatecli.model import Case, Decision, Finding, Score, ScorePart, Without
from gatecli.policy.requirements import strictest
from gatecli.policy.verdict import decide

MOST = 30
"""Rules that are thought away, those of most points; nobody reads more."""


def without_each(
    case: Case, findings: Iterable[Finding], score: Score, config: Config, *, named: Iterable[Decision] = ()
) -> Mapping[str, Without]:
    """For each rule or feature that adds points: the total and the decision if it had not been there.

    ``named`` are the levels of what the policy requires by name: that is taken to stay, so that nothing is promised.
    """
    findings = tuple(findings)
    stays = tuple(named)
    points: dict[str, int] = {}
    for one in score.contributions:
        points[one.rule] = points.get(one.rule, 0) + one.points
    ordered = sorted((-given, rule) for rule, given in points.items() if given > 0)
    found = {}
    for _, rule in ordered[:MOST]:
        left = _score_without(score, rule)
        others = [one for one in findings if one.rule != rule]
        decision = strictest((decide(case, others, left, config).decision, *stays))
        found[rule] = Without(total=left.total, decision=decision)
    return found


def _score_without(score: Score, rule: str) -> Score:
    kept = tuple(one for one in score.contributions if one.rule != rule)
    likelihood, exposure = (sum(one.points for one in kept if one.part is part) for part in ScorePart)
    return replace(score, likelihood=likelihood, exposure=exposure, total=likelihood + exposure, contributions=kept)
