from gatecli.config import Bands, Config
from gatecli.model import Contribution, Decision, Score, ScorePart, Severity, Without
from gatecli.policy.counterfactual import MOST, without_each
from tests.scoring.cases import case, changed, finding

BANDS = Config(bands=Bands(review=40, senior=60))


def scored(*contributions: Contribution) -> Score:
    likelihood = sum(one.points for one in contributions if one.part is ScorePart.LIKELIHOOD)
    exposure = sum(one.points for one in contributions if one.part is ScorePart.EXPOSURE)
    return Score(
        likelihood=likelihood, exposure=exposure, total=likelihood + exposure, contributions=tuple(contributions)
    )


def of(rule: str, points: int, part=ScorePart.LIKELIHOOD) -> Contribution:
    return Contribution(rule=rule, points=points, text=rule, part=part)


def test_each_is_thought_away_strongest_first_with_the_decision_that_is_left():
    given = scored(of("files", 5), of("exposure", 30, ScorePart.EXPOSURE), of("signature", 9), of("history", 0))
    found = without_each(case(changed()), (), given, BANDS)
    assert list(found.items()) == [
        ("exposure", Without(total=14, decision=Decision.PASS)),
        ("signature", Without(total=35, decision=Decision.PASS)),
        ("files", Without(total=39, decision=Decision.PASS)),
    ]


def test_a_rule_takes_its_findings_with_it():
    flagged = finding(rule="io-in-loop", severity=Severity.BLOCK, points=9)
    found = without_each(case(changed()), (flagged,), scored(of("io-in-loop", 9), of("files", 5)), BANDS)
    assert found["io-in-loop"] == Without(total=5, decision=Decision.PASS)
    assert found["files"] == Without(total=9, decision=Decision.BLOCK)


def test_points_of_one_feature_in_both_parts_go_together():
    given = scored(of("hot", 5), of("hot", 7, ScorePart.EXPOSURE), of("files", 5))
    assert without_each(case(changed()), (), given, BANDS)["hot"].total == 5


def test_what_the_policy_asks_for_by_name_stays():
    found = without_each(case(changed()), (), scored(of("files", 45)), BANDS, named=[Decision.REVIEW])
    assert found["files"] == Without(total=0, decision=Decision.REVIEW)


def test_only_the_strongest_are_thought_away():
    many = scored(*(of(f"rule-{number}", 1 + number) for number in range(MOST + 9)))
    found = without_each(case(changed()), (), many, BANDS)
    assert len(found) == MOST
    assert f"rule-{MOST + 8}" in found
