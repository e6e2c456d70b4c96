"""A weak profile never lowers risk: against no profile, and against a good one that says the same."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatecli.config import Config, load
from gatecli.model import Blast, Case, Counted, Decision, Grade, RequirementStatus, Score, Severity, Usage, UsageStatus
from gatecli.policy.requirements import outcome, sign_off
from gatecli.policy.verdict import decide, triggers
from gatecli.scoring.points import score
from tests.policy.test_requirements import NOW
from tests.policy.test_verdict import FINDINGS, ORDER, PROVENANCES
from tests.scoring.cases import DAY, case, changed, finding, function_id, known, observed, profile
from tests.scoring.test_points import shipped_weights

PEOPLE = "people: {seniors: [ravi, mei]}\n"
TRAFFIC = ["{traffic_share: 0.2}", "{calls_per_minute: 100}"]
_conditions = st.recursive(
    st.sampled_from([*TRAFFIC, *TRAFFIC, "{lines: 100}", "{paths: [shop/]}", "{points: 40}", "{not: {lines: 100}}"]),
    lambda inner: st.one_of(
        st.builds("{{all: [{}, {}]}}".format, inner, inner), st.builds("{{any: [{}, {}]}}".format, inner, inner)
    ),
    max_leaves=3,
)
_policies = st.builds(
    ("requirements: [{{name: always}}, {{name: r, if: {}, requires: [{{role: senior}}], level: {}}}]").format,
    _conditions,
    st.sampled_from(["review", "block"]),
).map(lambda text: load({".gate/policy.yml": f"version: 1\n{PEOPLE}{text}".encode()}.get)[0])
_rates = st.none() | st.floats(0, 1e7)
_usages = st.builds(
    Usage,
    status=st.just(UsageStatus.OBSERVED),
    share=st.none() | st.floats(0, 1),
    calls_per_minute=_rates,
    entry_points=st.sampled_from([(), (("http GET /", 1.0),)]),
) | st.sampled_from([Usage(status=UsageStatus.NOT_OBSERVED), Usage(status=UsageStatus.UNMATCHED)])
_ages = st.sampled_from([0.0, 3.0 * DAY, 13.9 * DAY, 20.0 * DAY, 400.0 * DAY, None])


@st.composite
def _cases(draw: st.DrawFn) -> Case:
    """A change with a weak profile, of any age, that has seen any part of it in any way."""
    functions = [changed(name, added=draw(st.integers(0, 300))) for name in draw(st.sampled_from(["", "a", "ab"]))]
    blasts = {one.id: Blast(share=draw(st.none() | st.floats(0, 1))) for one in functions if draw(st.booleans())}
    return case(
        *functions,
        usage={one.id: draw(_usages) for one in functions if draw(st.integers(0, 5))},
        blast=blasts,
        history={one.id: known() for one in functions},
        provenance=draw(PROVENANCES),
        profile=profile(age_s=draw(_ages), grade=Grade.WEAK),
    )


def _without(judged: Case) -> Case:
    """The same change where nobody recorded anything."""
    usage = {one.id: Usage(status=UsageStatus.NO_PROFILE) for one in judged.functions}
    blasts = {id: replace(blast, share=None) for id, blast in judged.blast.items()}
    return replace(judged, profile=None, usage=usage, blast=blasts)


def _scored(judged: Case, findings: list) -> Score:
    return score(judged, findings, shipped_weights())


def _asked(judged: Case, findings: list, config: Config) -> tuple[int, int, set[str], set[str]]:
    """How grave the decision and the outcome with nobody's approval are, who is asked, and what is not satisfied."""
    total = _scored(judged, findings)
    verdict = decide(judged, findings, total, config)
    signoff = sign_off(judged, findings, total, config, now=NOW, reviewed=Counted())
    asks = {one.ask.name for one in triggers(judged, findings, total, config) if one.level is not Decision.PASS}
    skipped = (RequirementStatus.SATISFIED, RequirementStatus.NOT_APPLICABLE)
    open_ = {one.name for one in signoff.requirements if one.status not in skipped} & {"r"}
    return ORDER.index(verdict.decision), ORDER.index(outcome(verdict, signoff).outcome), asks, open_


def _at_least(one: tuple[int, int, set[str], set[str]], other: tuple[int, int, set[str], set[str]]) -> bool:
    seniors = {"SENIOR_FOR_RISK", "SENIOR_FOR_BLOCK", "SENIOR_FOR_AGENT"}
    asks = {ask for ask in other[2] if ask in seniors} <= one[2] and bool(one[2]) >= bool(other[2])
    return one[0] >= other[0] and one[1] >= other[1] and asks and one[3] >= other[3]


@settings(max_examples=400)
@given(_cases(), FINDINGS, FINDINGS, _policies)
def test_a_weak_profile_asks_for_no_less_than_none(weak, findings, by_traffic, config):
    """What it has seen can only add findings (``by_traffic``), points and requirements: to be cold is worth nothing."""
    without = _without(weak)
    assert _scored(weak, findings).likelihood == _scored(without, findings).likelihood
    assert _scored(weak, findings).exposure >= _scored(without, findings).exposure == 0
    assert _at_least(_asked(weak, findings + by_traffic, config), _asked(without, findings, config))


@settings(max_examples=400)
@given(_cases(), FINDINGS, _policies, st.sampled_from([Grade.GOOD, Grade.USABLE]), _ages)
def test_the_same_figures_in_a_weaker_or_older_profile_ask_for_no_less(weak, findings, config, grade, age):
    assert weak.profile is not None
    older = max(age or 0.0, weak.profile.age_s or 0.0) if None not in (age, weak.profile.age_s) else None
    better = replace(weak, profile=replace(weak.profile, grade=grade, age_s=age))
    worse = replace(weak, profile=replace(weak.profile, age_s=older))
    assert _scored(worse, findings).total == _scored(better, findings).total
    assert _at_least(_asked(worse, findings, config), _asked(better, findings, config))


@settings(max_examples=400)
@given(_cases(), FINDINGS, st.data())
def test_a_sparser_weak_profile_passes_nothing_that_it_held_up(weak, findings, data):
    """It loses what it had seen of a function: no point of it is left, and somebody has to look all the same."""
    if not weak.functions:
        return
    lost = data.draw(st.sampled_from([one.id for one in weak.functions]))
    unseen = data.draw(st.sampled_from([UsageStatus.NOT_OBSERVED, UsageStatus.UNMATCHED]))
    sparser = replace(weak, usage={**weak.usage, lost: Usage(status=unseen)})
    before, after = (_asked(one, findings, Config())[0] for one in (weak, sparser))
    assert after >= before
    assert after >= ORDER.index(Decision.REVIEW)


@pytest.mark.parametrize(
    ("grade", "usage", "expected"),
    [
        (Grade.GOOD, Usage(status=UsageStatus.NOT_OBSERVED), Decision.PASS),
        (Grade.WEAK, Usage(status=UsageStatus.NOT_OBSERVED), Decision.REVIEW),
        (Grade.WEAK, observed(share=0.0001), Decision.PASS),
    ],
)
def test_that_a_weak_profile_has_not_seen_a_function_is_no_answer(grade, usage, expected):
    judged = case(
        changed(), usage={function_id(): usage}, history={function_id(): known()}, profile=profile(grade=grade)
    )
    verdict = decide(judged, [], _scored(judged, []), Config())
    assert verdict.decision is expected
    said = "the runtime profile is weak: that it has not seen price_order does not say that it never runs"
    assert (said in {reason.text for reason in verdict.reasons}) == (expected is Decision.REVIEW)


@pytest.mark.parametrize("condition", TRAFFIC)
@pytest.mark.parametrize(("grade", "asks"), [(Grade.GOOD, False), (Grade.WEAK, True)])
def test_little_traffic_in_a_weak_profile_does_not_lift_a_requirement(condition, grade, asks):
    asked_for = f"{{name: r, if: {condition}, requires: [{{role: senior}}]}}"
    text = f"version: 1\n{PEOPLE}requirements: [{{name: always}}, {asked_for}]"
    config = load({".gate/policy.yml": text.encode()}.get)[0]
    cold = observed(share=0.01, rate=3.0)
    judged = case(
        changed(), usage={function_id(): cold}, history={function_id(): known()}, profile=profile(grade=grade)
    )
    asked = _asked(judged, [finding(severity=Severity.NOTE)], config)[3]
    assert bool(asked) is asks
