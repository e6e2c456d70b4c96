"""Requirements by name: when they apply, what meets them, and that nothing can be had by asking for too little."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatecli.config import Config, load
from gatecli.errors import UsageError
from gatecli.model import (
    AgentEvidence,
    Approval,
    Binding,
    Blast,
    Closeness,
    Counted,
    Decision,
    Incident,
    IncidentSeverity,
    Mode,
    Outcome,
    Provenance,
    ProvenanceClass,
    Recollection,
    RequirementStatus,
    Severity,
    SignerKind,
    SignOff,
    SignOffStatus,
)
from gatecli.policy.conditions import facts, holds
from gatecli.policy.named import NOTHING_APPLIES
from gatecli.policy.owners import read_owners
from gatecli.policy.requirements import outcome, sign_off
from gatecli.policy.verdict import decide
from tests.policy.test_requirements import AI, HUMAN, LOW, NOW, given_case
from tests.scoring.cases import DANA, case, changed, file, finding, function_id, observed

Status = RequirementStatus
PEOPLE = """
people:
  seniors: [ravi, mei]
  teams: {"@shop/pay": [tom, mei]}
  agents: {reviewbot: gpt, helper: claude}
"""
FLOOR = "  - name: the rest\n"


def policy(requirements: str, more: str = "") -> Config:
    return load({".gate/policy.yml": f"version: 1{PEOPLE}{more}\nrequirements:\n{requirements}".encode()}.get)[0]


def yes(person: str, **more) -> Approval:
    return Approval(person=person, at=NOW - 60, source="github review", binding=Binding.DIFF, **more)


def signed(config: Config, *approvals: Approval, findings=(), judged=HUMAN, **more) -> SignOff:
    return sign_off(judged, findings, LOW, config, now=NOW, reviewed=Counted(approvals=approvals), **more)


def result(config: Config, *approvals: Approval, findings=(), judged=HUMAN, **more) -> Decision:
    before = decide(judged, findings, LOW, config)
    return outcome(before, signed(config, *approvals, findings=findings, judged=judged, **more)).outcome


# --------------------------------------------------------------------------- conditions

HOT, PAY = function_id(), function_id("charge")
SCOPED = case(changed(), provenance=replace(HUMAN.provenance, scope=("shop/tax/",)))
BUSY = case(changed(), usage={HOT: observed(share=0.3, rate=9_000)})
UNPROFILED = case(changed())


def recalled(id: str, *touched, severity="sev3", days=100, closeness=Closeness.SAME) -> Recollection:
    was = Incident(id=id, day=date(2026, 8, 14), severity=IncidentSeverity(severity), caused_by=("1f3a9c2",))
    return Recollection(incident=was, closeness=closeness, touched=touched or (HOT,), age_days=days, freshness=0.5)


REMEMBERED = replace(
    case(changed()),
    incidents=(
        recalled("INC-1", HOT, PAY, severity="sev2", days=400),
        recalled("INC-2", days=30),
        recalled("INC-3", severity="sev1", days=1, closeness=Closeness.NEIGHBOUR),
    ),
)


@pytest.mark.parametrize(
    ("text", "judged", "findings", "expected"),
    [
        ("{}", HUMAN, (), True),
        ("{provenance: [ai]}", given_case(), (), True),
        ("{provenance: [ai]}", HUMAN, (), False),
        ("{not: {provenance: [ai]}}", HUMAN, (), True),
        ("{tools: [Claude]}", given_case(), (), True),
        ("{operator_in: [seniors]}", given_case(), (), False),
        ("{operator_in: [dana@shop.example]}", given_case(), (), True),
        ("{operator_in: [seniors]}", given_case(replace(AI, operator=None)), (), None),
        ("{not: {operator_in: [seniors]}}", given_case(replace(AI, operator=None)), (), None),
        ("{author_in: [Dana Reed]}", HUMAN, (), True),
        ("{paths: [shop/]}", HUMAN, (), True),
        ("{paths: ['*.sql']}", HUMAN, (), False),
        ("{only_paths: [docs/]}", HUMAN, (), False),
        ("{only_paths: ['*.py']}", HUMAN, (), True),
        ("{files: 2}", HUMAN, (), False),
        ("{lines: 3}", HUMAN, (), True),
        ("{lines: 4}", HUMAN, (), False),
        ("{rules: [M01]}", HUMAN, (finding("table-dropped", code="M01"),), True),
        ("{rules: [M*]}", HUMAN, (finding("table-dropped", code="M01", outcome=Outcome.UNKNOWN),), True),
        ("{rules: [M*]}", HUMAN, (finding("table-dropped", code="M01", outcome=Outcome.CLEAR),), False),
        ("{points: 4}", HUMAN, (), True),
        ("{points: 5}", HUMAN, (), False),
        ("{traffic_share: 0.05}", BUSY, (), True),
        ("{traffic_share: 0.31}", BUSY, (), False),
        ("{traffic_share: 0.05}", UNPROFILED, (), None),
        ("{calls_per_minute: 1000}", BUSY, (), True),
        ("{entry_points: ['POST *']}", case(changed(), blast={HOT: Blast(entry_points=("POST /orders",))}), (), True),
        ("{services: [pay]}", case(changed(), blast={HOT: Blast(services=("pay",))}), (), True),
        ("{destructive_schema: true}", HUMAN, (finding("column-dropped"),), True),
        ("{irreversible: true}", HUMAN, (finding("migration-irreversible"),), True),
        ("{irreversible: true}", HUMAN, (), False),
        ("{crosses_boundary: true}", HUMAN, (finding("cross-zone-import"),), True),
        ("{crosses_boundary: true}", HUMAN, (finding("outbound-host-added", message="now talks to a.io"),), True),
        ("{crosses_boundary: true}", HUMAN, (finding("outbound-host-added", message="now talks to ok.io"),), False),
        ("{crosses_boundary: true}", case(files=(file("shop/a.py"), file("pay/a.py"))), (), True),
        ("{incidents: 1}", HUMAN, (), False),
        ("{incidents: 2}", REMEMBERED, (), True),
        ("{incidents: 3}", REMEMBERED, (), False),  # one incident of two functions is one
        ("{incidents: {count: 2}}", REMEMBERED, (), True),
        ("{incidents: {within_days: 30}}", REMEMBERED, (), True),
        ("{incidents: {within_days: 29}}", REMEMBERED, (), False),
        ("{incidents: {within_days: 29, neighbours: true}}", REMEMBERED, (), True),
        ("{incidents: {severity: sev2}}", REMEMBERED, (), True),
        ("{incidents: {severity: sev1}}", REMEMBERED, (), False),
        ("{incidents: {severity: sev2, within_days: 300}}", REMEMBERED, (), False),
        ("{incidents: {severity: sev1, neighbours: true}}", REMEMBERED, (), True),
        ("{incidents: {}}", HUMAN, (), False),
        ("{zones: [pay]}", case(files=(file("pay/a.py"),)), (), True),
        ("{drift: outside_scope}", SCOPED, (), True),
        ("{drift: outside_scope}", HUMAN, (), False),
        ("{drift: undeclared}", HUMAN, (), True),
        ("{tier: critical}", HUMAN, (finding("table-dropped", code="M01"),), True),
        ("{any: [{lines: 100}, {all: [{lines: 1}, {files: 1}]}]}", HUMAN, (), True),
        ("{any: [{lines: 100}, {traffic_share: 0.5}]}", UNPROFILED, (), None),
    ],
)  # fmt: skip
def test_a_condition(text, judged, findings, expected):
    more = "tiers: {critical: {rules: ['M*']}}\nzones: {shop: [shop/], pay: [pay/]}\nhosts: [ok.io]"
    config = policy(f"  - {{name: a, if: {text}}}\n", more)
    assert holds(config.requirements[0].if_, facts(judged, findings, LOW, config)) is expected


# --------------------------------------------------------------------------- asks

ANOTHER = "[{kind: agent, another_model: true}]"


@pytest.mark.parametrize(
    ("asks", "approvals", "expected"),
    [
        ("[]", (), Decision.PASS),
        ("[{count: 1}]", (), Decision.REVIEW),
        ("[{count: 1}]", (yes("tom"),), Decision.PASS),
        ("[{count: 2}]", (yes("tom"), yes("Tom")), Decision.REVIEW),
        ("[{count: 2}]", (yes("tom"), yes("ines")), Decision.PASS),
        ("[{role: senior}]", (yes("tom"),), Decision.REVIEW),
        ("[{role: senior}]", (yes("mei"),), Decision.PASS),
        ("[{among: ['@shop/pay']}]", (yes("ravi"),), Decision.REVIEW),
        ("[{among: ['@shop/pay']}]", (yes("tom"),), Decision.PASS),
        ("[{kind: agent}]", (yes("tom"),), Decision.REVIEW),
        ("[{kind: agent}]", (yes("helper", kind=SignerKind.AGENT, model="claude"),), Decision.PASS),
        ("[{count: 1}]", (yes("helper", kind=SignerKind.AGENT, model="claude"),), Decision.REVIEW),
        (ANOTHER, (yes("helper", kind=SignerKind.AGENT, model="claude"),), Decision.REVIEW),
        (ANOTHER, (yes("x", kind=SignerKind.AGENT),), Decision.REVIEW),
        (ANOTHER, (yes("reviewbot", kind=SignerKind.AGENT, model="gpt"),), Decision.PASS),
        ("[{bind: merge tree}]", (yes("tom"),), Decision.REVIEW),
        ("[{sources: [ssh signature]}]", (yes("tom"),), Decision.REVIEW),
        ("[{any: [{role: senior}, {count: 2}]}]", (yes("tom"), yes("ines")), Decision.PASS),
        ("[{any: [{role: senior}, {count: 2}]}]", (yes("tom"),), Decision.REVIEW),
        ("[{all: [{role: senior}, {count: 2}]}]", (yes("mei"), yes("tom")), Decision.PASS),
        ("[{count: 1}, {kind: agent}]", (yes("tom"),), Decision.REVIEW),
    ],
)  # fmt: skip
def test_what_meets_an_ask(asks, approvals, expected):
    config = policy(f"  - {{name: a, requires: {asks}}}\n")
    judged = given_case(replace(AI, operator=None)) if "another" in asks else HUMAN
    if "another" in asks:
        row = next(one for one in signed(config, *approvals, judged=judged).requirements if not one.built_in)
        assert (row.status is Status.SATISFIED) == (expected is Decision.PASS)
    else:
        assert result(config, *approvals) is expected


def test_an_owner_of_every_owned_file_is_asked():
    config = policy("  - {name: a, requires: [{role: owner}]}\n")
    owners = read_owners({"CODEOWNERS": b"/shop/ @tom\n/pay/ @ines\n"}.get)
    judged = case(files=(file("shop/a.py"), file("pay/a.py")))
    assert result(config, yes("tom"), judged=judged, owners=owners) is Decision.REVIEW
    assert result(config, yes("tom"), yes("ines"), judged=judged, owners=owners) is Decision.PASS


def test_without_an_owner_the_requirement_is_an_error():
    config = policy("  - {name: a, requires: [{role: owner}]}\n")
    assert result(config, yes("tom")) is Decision.REVIEW
    assert signed(config, yes("tom")).status is SignOffStatus.ERROR


def test_a_requirement_that_blocks():
    config = policy("  - {name: a, level: block, requires: [{role: senior}]}\n")
    assert result(config, yes("tom")) is Decision.BLOCK
    assert result(config, yes("mei")) is Decision.PASS


def test_the_tree_says_what_is_required_and_why():
    config = policy(
        "  - {name: a, if: {paths: [docs/]}, requires: [{}]}\n"
        "  - {name: b, why: money, requires: [{any: [{role: senior}, {count: 2}]}]}\n"
    )
    first, second = signed(config, yes("tom")).tree
    assert (first.text, first.status, first.why) == ("a", Status.NOT_APPLICABLE, "not: paths docs/")
    assert (second.status, second.why) == (Status.UNSATISFIED, "money")
    (choice,) = second.needs
    assert (choice.text, [one.status for one in choice.needs]) == ("1 senior or 2 humans", [Status.UNSATISFIED] * 2)
    assert choice.needs[1].satisfied_by == ("tom",)


@pytest.mark.parametrize("mode", [Mode.OFF, Mode.SHADOW, Mode.ADVISE])
def test_a_requirement_that_is_not_enforced_binds_nobody(mode):
    config = policy(f"  - {{name: a, mode: '{mode}', level: block, requires: [{{count: 9}}]}}\n{FLOOR}")
    assert result(config) is Decision.PASS
    shown = [one.text for one in signed(config).tree]
    assert shown == ([] if mode is Mode.OFF else ["a"]) + ["the rest"]


# --------------------------------------------------------------------------- attacks: none may end in pass


def test_attack_a_policy_in_which_everything_is_skipped_fails():
    config = policy("  - {name: a, if: {paths: [docs/]}, requires: [{}]}\n")
    assert result(config, yes("mei")) is Decision.REVIEW
    assert signed(config, yes("mei")).tree[-1].text == NOTHING_APPLIES


def test_attack_another_finding_does_not_mend_a_policy_in_which_everything_is_skipped():
    config = policy("  - {name: a, if: {rules: ['P*']}, requires: [{}]}\n")
    assert result(config, yes("mei")) is Decision.REVIEW
    assert result(config, yes("mei"), findings=[finding()]) is Decision.REVIEW


@pytest.mark.parametrize("mode", ["off", "shadow", "advise"])
def test_attack_a_requirement_that_binds_nobody_is_no_floor(mode):
    assert result(policy(f"  - {{name: a, mode: '{mode}'}}\n"), yes("mei")) is Decision.REVIEW


def test_attack_a_rule_that_nobody_knows_is_an_error():
    config = policy(f"  - {{name: a, if: {{any: [{{rules: [tabel-dropped]}}, {{}}]}}}}\n{FLOOR}")
    assert result(config, yes("mei"), rules=frozenset({"table-dropped", "M01"})) is Decision.REVIEW


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tiers: {a: {tier: b}, b: {not: {tier: a}}}", "the tier 'a' is defined by itself"),
        ("tiers: {a: {tier: a}}", "the tier 'a' is defined by itself"),
        ("requirements: [{name: x, if: {tier: critcal}}]\ntiers: {critical: {}}", "did you mean 'critical'"),
        ("requirements: [{name: x, if: {zones: [pay]}}]", "no zone is called 'pay'"),
        ("requirements: [{name: x, if: {not: {rules: [M01]}}}]", "more evidence would then ask for less"),
        ("requirements: [{name: x, if: {not: {any: [{not: {not: {points: 3}}}]}}}]", "would then ask for less"),
        ("requirements: [{name: x, if: {not: {tier: t}}}]\ntiers: {t: {points: 3}}", "would then ask for less"),
        ("requirements: [{name: x}, {name: x}]", "a second requirement is called 'x'"),
        ("requirements: [{name: x, fi: {}}]", "unknown key 'fi'"),
        ("requirements: [{name: x, if: {incidents: {within: 3}}}]", "unknown key 'within' in requirements.0.if"),
        ("requirements: [{name: x, if: {incidents: {within_days: 0}}}]", "if.incidents.within_days"),
        ("requirements: [{name: x, if: {incidents: {severity: sev0}}}]", "did you mean 'sev"),
        ("requirements: [{name: x, if: {incidents: many}}]", "if.incidents: Expected `int`"),
        ("requirements: [{name: x, if: {not: {incidents: {within_days: 9}}}}]", "not stands before what was found"),
        ("requirements: [{}]", "has no name"),
        ("requirements: [{name: x, requires: [{count: 0}]}]", "count"),
        ("requirements: [{name: x, requires: [{any: []}]}]", "at least one ask"),
        ("requirements: [{name: x, requires: [{any: [{}], count: 2}]}]", "says nothing of its own"),
        ("requirements: [{name: x, requires: [{another_model: true}]}]", "add kind: agent"),
        ("requirements: [{name: x, if: {paths: ['" + "*a" * 40 + "']}}]", "more than 10 wildcards"),
        ("requirements: [{name: x, mode: enforced}]", "did you mean 'enforce'"),
        ("pace: {windows: [{days: [mon], zone: Mars/Olympus}]}", "no time zone"),
    ],
)  # fmt: skip
def test_attack_a_policy_that_contradicts_itself_is_refused(text, said):
    with pytest.raises(UsageError, match=r"\.gate/policy\.yml:\d+: ") as refused:
        load({".gate/policy.yml": text.encode()}.get)
    assert said in refused.value.message


def test_attack_a_catastrophic_regular_expression_is_only_a_name_that_does_not_exist():
    config = policy("  - {name: a, if: {paths: ['(a+)+$', '*a*a*a*a*a*a*a*a*a*b']}}\n")
    judged = case(files=(file("a" * 5_000),))
    assert result(config, yes("mei"), judged=judged) is Decision.REVIEW


def test_attack_conditions_nested_without_end_are_refused():
    text = "requirements: [{name: x, if: " + "{not: " * 100 + "{}" + "}" * 100 + "}]"
    with pytest.raises(UsageError, match="more than 32 levels"):
        load({".gate/policy.yml": text.encode()}.get)


# --------------------------------------------------------------------------- what always holds

_FACTS = st.sampled_from(
    ["{paths: [shop/]}", "{paths: [docs/]}", "{provenance: [ai]}", "{lines: 2}", "{operator_in: [seniors]}"]
)
_EVIDENCE = st.sampled_from(
    ["{rules: ['P*']}", "{rules: [M01]}", "{points: 3}", "{traffic_share: 0.1}", "{irreversible: true}"]
)
_CONDITIONS = st.recursive(
    st.one_of(_FACTS, _EVIDENCE, _FACTS.map("{{not: {}}}".format)),
    lambda inner: st.tuples(st.sampled_from(["all", "any"]), st.lists(inner, min_size=1, max_size=3)).map(
        lambda pair: f"{{{pair[0]}: [{', '.join(pair[1])}]}}"
    ),
    max_leaves=5,
)
_ASKS = st.recursive(
    st.sampled_from(
        [
            "{}",
            "{count: 2}",
            "{role: senior}",
            "{kind: agent}",
            "{kind: agent, another_model: true}",
            "{among: ['@shop/pay']}",
            "{bind: diff}",
        ]
    ),
    lambda inner: st.tuples(st.sampled_from(["all", "any"]), st.lists(inner, min_size=1, max_size=3)).map(
        lambda pair: f"{{{pair[0]}: [{', '.join(pair[1])}]}}"
    ),
    max_leaves=4,
)
_MODES, _LEVELS = st.sampled_from(["'off'", "shadow", "advise", "enforce"]), st.sampled_from(["review", "block"])
_REQUIREMENTS = st.lists(
    st.tuples(_CONDITIONS | st.just("{}"), st.lists(_ASKS, max_size=2), _MODES, _LEVELS), max_size=4
).map(
    lambda found: (
        "".join(
            f"  - {{name: r{number}, if: {condition}, requires: [{', '.join(asks)}], mode: {mode}, level: {level}}}\n"
            for number, (condition, asks, mode, level) in enumerate(found)
        )
        or "  []\n"
    )
)
_APPROVALS = st.lists(
    st.sampled_from(
        [yes("ravi"), yes("mei"), yes("tom"), yes("ines"), yes("reviewbot", kind=SignerKind.AGENT, model="gpt"),
         yes("helper", kind=SignerKind.AGENT, model="claude")]
    ),
    max_size=4, unique=True,
)  # fmt: skip
_FINDINGS = st.lists(
    st.builds(
        finding,
        st.sampled_from(["io-in-loop", "table-dropped", "migration-irreversible", "outbound-host-added"]),
        code=st.sampled_from(["P01", "M01", "A03"]),
        severity=st.sampled_from(list(Severity)),
        outcome=st.sampled_from(list(Outcome)),
    ),
    max_size=3,
)
_ORDER = (Decision.PASS, Decision.REVIEW, Decision.BLOCK)


@settings(max_examples=150)
@given(_REQUIREMENTS, _APPROVALS, _FINDINGS, _FINDINGS, st.booleans(), st.data())
def test_less_approval_or_more_evidence_never_improves_the_outcome(requirements, said, found, more, by_agent, data):
    config = policy(requirements)
    judged = given_case() if by_agent else HUMAN
    before = _ORDER.index(result(config, *said, findings=found, judged=judged))
    assert _ORDER.index(result(config, *said, findings=[*found, *more], judged=judged)) >= before
    fewer = data.draw(st.lists(st.sampled_from(said), unique=True)) if said else []
    kept = [one for one in said if one in fewer]
    assert _ORDER.index(result(config, *kept, findings=found, judged=judged)) >= before


def test_the_provenance_of_nobody_known_is_the_least_senior():
    nobody = Provenance(klass=ProvenanceClass.AI, agents=(AgentEvidence(tool="claude", channel="trailer", strength=3),))
    config = policy("  - {name: a, if: {not: {operator_in: [seniors]}}, requires: [{role: senior}]}\n")
    row = next(one for one in signed(config, judged=given_case(nobody)).requirements if not one.built_in)
    assert row.status is Status.UNSATISFIED
    assert "which counts as if it were" in row.reason
    assert DANA.name not in row.reason
