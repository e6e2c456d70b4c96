"""An organisation's policy over a repository's: whatever the repository writes, it asks for no less."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatecli.config import (
    Bands,
    Config,
    FailOn,
    IgnoreConfig,
    Level,
    Paths,
    People,
    ProfileConfig,
    ProvenanceConfig,
    RuleConfig,
    Treatment,
)
from gatecli.config.layers import overlaid, tightened
from gatecli.config.requirements import Ask, Budget, Condition, CoolingOff, Limit, Pace, Required, Window
from gatecli.errors import EXIT_BLOCK, EXIT_PASS, EXIT_REVIEW, EXIT_USAGE
from gatecli.model import Approval, Binding, Counted, Decision, Memory, Mode, RequirementStatus, Score, Severity
from gatecli.policy.layers import Answer, together
from gatecli.policy.requirements import outcome, sign_off
from gatecli.policy.verdict import decide, exit_code
from gatecli.rules import registry
from tests.policy.shop import DANA, POLICY, RAVI, TOM, Shop, needs_ssh, shop
from tests.policy.test_requirements import HUMAN, NOW, given_case
from tests.scoring.cases import finding

__all__ = ["shop"]

ORDER = (Decision.PASS, Decision.REVIEW, Decision.BLOCK)
SEVERITY = (Severity.NOTE, Severity.REVIEW, Severity.BLOCK)
NAMES = ("ravi", "mei", "tom", "dana@shop.example")
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PATTERNS = st.sampled_from(["*", "shop/", "*.py", "docs/"])

# --------------------------------------------------------------------------- for any two policies

conditions = st.one_of(
    st.just(Condition()),
    st.builds(Condition, lines=st.integers(1, 8)),
    st.builds(Condition, points=st.integers(1, 80)),
    st.builds(Condition, rules=st.just(("a*",))),
    st.builds(Condition, tier=st.just("critical")),
    st.builds(Condition, not_=st.builds(Condition, author_in=st.just(("seniors",)))),
)
asks = st.builds(
    Ask,
    count=st.integers(1, 2),
    role=st.sampled_from(["anyone", "senior", "owner"]),
    among=st.one_of(st.none(), st.lists(st.sampled_from(NAMES), min_size=1, max_size=2).map(tuple)),
)
requirements = st.lists(
    st.builds(
        Required,
        name=st.sampled_from(["one", "two", "three"]),
        if_=conditions,
        requires=st.lists(asks, max_size=2).map(tuple),
        mode=st.sampled_from(list(Mode)),
        level=st.sampled_from(["review", "block"]),
    ),
    max_size=3,
    unique_by=lambda one: one.name,
).map(tuple)
paces = st.builds(
    Pace,
    applies=conditions,
    cooling_off=st.one_of(st.none(), st.builds(CoolingOff, hours=st.sampled_from([0, 2, 48]))),
    windows=st.sampled_from([(), (Window(days=("mon",)),), (Window(days=WEEK),)]),
    limits=st.sampled_from([(), (Limit(changes=1),)]),
    budget=st.one_of(st.none(), st.builds(Budget, lines=st.sampled_from([0, 1_000]))),
)  # fmt: skip
policies = st.builds(
    Config,
    mode=st.sampled_from(list(Mode)),
    fail_on=st.sampled_from(list(FailOn)),
    people=st.builds(People, seniors=st.lists(st.sampled_from(NAMES), max_size=3).map(tuple)),
    bands=st.integers(0, 80).flatmap(lambda low: st.builds(Bands, review=st.just(low), senior=st.integers(low, 90))),
    profile=st.builds(ProfileConfig, required=st.booleans(), max_age_days=st.sampled_from([1.0, 14.0, 90.0])),
    provenance=st.builds(
        ProvenanceConfig, no_evidence=st.sampled_from(list(Treatment)), assisted=st.sampled_from(list(Treatment))
    ),
    ignores=st.builds(IgnoreConfig, max_days=st.integers(0, 365)),
    paths=st.builds(Paths, tests=st.tuples(PATTERNS), generated=st.tuples(PATTERNS)),
    tiers=st.builds(lambda one: {"critical": one}, st.builds(Condition, lines=st.integers(1, 8))),
    requirements=requirements,
    pace=paces,
)
severities = st.lists(st.sampled_from(list(Severity)), max_size=3)
approvals = st.lists(st.sampled_from(NAMES), max_size=3, unique=True).map(
    lambda names: Counted(
        approvals=tuple(
            Approval(person=name, at=NOW - 60, source="github review", binding=Binding.DIFF) for name in names
        )
    )
)


def answer(config: Config, case, findings, score, reviewed, memory) -> Answer:
    signed = sign_off(case, findings, score, config, now=NOW, reviewed=reviewed, memory=memory)
    return Answer(score=score, verdict=outcome(decide(case, findings, score, config), signed), signoff=signed)


@settings(max_examples=150)
@given(policies, policies, severities, approvals, st.integers(0, 90), st.booleans(), st.booleans())
def test_both_together_never_accept_what_the_organisation_alone_refuses(
    organisation, repository, severities, reviewed, points, by_agent, remembered
):
    case = given_case() if by_agent else HUMAN
    findings = [finding(f"a{number}", severity=severity) for number, severity in enumerate(severities)]
    facts = (
        case,
        findings,
        Score(likelihood=points, exposure=0, total=points),
        reviewed,
        (Memory(first_seen=NOW - 10_000) if remembered else None),
    )
    alone = answer(organisation, *facts)
    layers = overlaid(repository, organisation)
    both = together(answer(layers.repository, *facts), answer(layers.organisation, *facts))
    assert ORDER.index(both.verdict.outcome) >= ORDER.index(alone.verdict.outcome)
    assert ORDER.index(both.verdict.decision) >= ORDER.index(alone.verdict.decision)
    assert set(alone.verdict.incomplete) <= set(both.verdict.incomplete)
    shared = layers.repository
    if exit_code(both.verdict, shared.mode, shared.fail_on) == EXIT_PASS:
        assert exit_code(alone.verdict, organisation.mode, organisation.fail_on) == EXIT_PASS


@given(policies, policies, st.sampled_from([None, *Mode]), st.sampled_from([None, *FailOn]))
def test_the_command_line_cannot_loosen_them_either(organisation, repository, mode, fail_on):
    layers = overlaid(repository, organisation)
    held = tightened(layers.repository, mode, fail_on, loosely=False)
    verdict = replace(decide(HUMAN, (), Score(likelihood=0, exposure=0, total=0), Config()), outcome=Decision.BLOCK)
    if exit_code(verdict, held.mode, held.fail_on) == EXIT_PASS:
        assert exit_code(verdict, organisation.mode, organisation.fail_on) == EXIT_PASS


rule_settings = st.dictionaries(
    st.sampled_from(["io-in-loop", "test-removed", "table-dropped"]),
    st.builds(
        RuleConfig,
        severity=st.one_of(st.none(), st.sampled_from(list(Level))),
        points=st.one_of(st.none(), st.integers(0, 40)),
    ),
    max_size=3,
)


@settings(max_examples=30)
@given(rule_settings, rule_settings)
def test_a_rule_is_as_strict_as_the_stricter_policy_has_it(one, other):
    theirs = registry.load({}, one, examples=False)
    both = {rule.id: rule for rule in registry.strictest(theirs, registry.load({}, other, examples=False))}
    for rule in theirs:
        assert SEVERITY.index(both[rule.id].severity) >= SEVERITY.index(rule.severity)
        assert both[rule.id].points.value >= rule.points.value
        assert both[rule.id].escalate or not rule.escalate


# --------------------------------------------------------------------------- as it is used

TWO = """\
version: 1
people: {seniors: [ravi@shop.example, tom@shop.example]}
requirements: [{name: two people, requires: [{count: 2}], level: block}]
"""


@pytest.fixture
def above(shop: Shop) -> Path:
    """The organisation's policy, outside of the repository."""
    path = shop.folder / "organisation.yml"
    path.write_text(TWO)
    return path


@needs_ssh
def test_what_the_organisation_asks_for_is_named_and_met_by_both(shop: Shop, above: Path, capsys):
    shop.start()
    assert shop.check() == EXIT_REVIEW
    assert shop.check("--organisation", str(above)) == EXIT_BLOCK
    assert "organisation: two people" in capsys.readouterr().out
    shop.approve(RAVI, "--organisation", str(above))
    assert "counts" in capsys.readouterr().out
    assert shop.check("--organisation", str(above)) == EXIT_BLOCK
    shop.approve(TOM, "--organisation", str(above))
    assert shop.check("--organisation", str(above)) == EXIT_PASS
    report = shop.judge(organisation=above)
    assert report.policy.organisation == str(above)
    assert report.policy.sha256 != shop.judge().policy.sha256


@needs_ssh
@pytest.mark.parametrize(
    "weaker",
    [
        "mode: \"off\"\n",
        "fail_on: never\n",
        "bands: {review: 1000, senior: 1000}\n",
        "paths: {generated: ['*'], tests: ['*']}\n",
        "requirements: [{name: two people}]\n",
        "requirements: [{name: two people, mode: shadow, requires: [{count: 2}]}]\n",
        "override: {signed_by: [seniors]}\n",
        "people: {seniors: [dana@shop.example], aliases: {ravi@shop.example: [dana@shop.example]}}\n",
    ],
)  # fmt: skip
def test_attack_a_repository_that_weakens_it(shop: Shop, above: Path, weaker):
    policy = "version: 1\n" + weaker if weaker.startswith("people") else POLICY + weaker
    shop.start(policy=policy)
    assert shop.check("--organisation", str(above)) == EXIT_BLOCK
    assert shop.check("--organisation", str(above), "--mode", "advise", "--fail-on", "never") == EXIT_BLOCK


@needs_ssh
def test_attack_an_override_that_the_repository_allows_does_not_lift_what_the_organisation_asks_for(
    shop: Shop, above: Path
):
    from tests.policy.test_waivers import keys, override

    shop.start(policy=POLICY + "override: {signed_by: [seniors]}\n", signers=keys(shop))
    assert override(shop, RAVI, "--organisation", str(above)) == EXIT_PASS
    report = shop.judge(organisation=above)
    statuses = {one.name: one.status for one in report.signoff.requirements}
    assert statuses["senior signs the AI-written change"] is RequirementStatus.OVERRIDDEN
    assert statuses["organisation: two people"] is RequirementStatus.UNSATISFIED
    assert report.verdict.outcome is Decision.BLOCK
    above.write_text(TWO + "override: {signed_by: [ravi@shop.example]}\n")
    assert override(shop, RAVI, "--organisation", str(above)) == EXIT_PASS
    assert shop.judge(organisation=above).verdict.outcome is Decision.PASS


@needs_ssh
def test_attack_an_approval_under_the_repository_s_policy_alone(shop: Shop, above: Path):
    shop.start()
    shop.approve(RAVI)
    shop.approve(TOM)
    report = shop.judge(organisation=above)
    assert report.verdict.outcome is Decision.BLOCK
    assert "signed under another policy than the one that judges" in {one.reason for one in report.signoff.dismissed}


def test_a_repository_may_ask_for_more(shop: Shop, above: Path):
    above.write_text("version: 1\npeople: {seniors: [dana@shop.example]}\nmode: advise\n")
    shop.start(policy=POLICY, signers=f"{DANA} ssh-ed25519 AAAA\n")
    assert shop.check("--organisation", str(above)) == EXIT_REVIEW


@pytest.mark.parametrize("text", ["versoin: 1\n", "requirements: 3\n", None])
def test_a_policy_of_the_organisation_that_cannot_be_read_stops_the_run(shop: Shop, above: Path, text, capsys):
    shop.start(signers="")
    if text is None:
        above.unlink()
    else:
        above.write_text(text)
    assert shop.check("--organisation", str(above)) == EXIT_USAGE
    assert "organisation.yml" in capsys.readouterr().err
