"""Over random policies with tiers, pace, owners, overrides and grants: nothing said less ever improves the outcome.

That is: no approval, override or grant fewer and no finding more.
"""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from gatecli.config import Config, load
from gatecli.config.freeze import Freeze
from gatecli.config.grants import Grant
from gatecli.model import (
    Approval,
    Binding,
    Case,
    Counted,
    Decision,
    FileChange,
    Memory,
    Outcome,
    Passed,
    Provenance,
    ProvenanceClass,
    RequirementStatus,
    Severity,
    SignerKind,
    Waiver,
    WaiverKind,
)
from gatecli.policy import pace
from gatecli.policy.approvals import barred, statements, waived
from gatecli.policy.conditions import facts
from gatecli.policy.owners import read_owners
from gatecli.policy.requirements import outcome, sign_off
from gatecli.policy.verdict import decide
from gatecli.provenance.identity import directory
from gatecli.sources.signatures import Checked
from gatecli.sources.standing import Standing
from tests.policy.test_requirements import AI, LOW, NOW, given_case
from tests.scoring.cases import RAVI, file, finding

HOUR = 3_600
PEOPLE = "people: {seniors: [ravi, mei], teams: {'@shop/pay': [tom, mei]}, agents: {reviewbot: gpt}}"
_ORDER = (Decision.PASS, Decision.REVIEW, Decision.BLOCK)

# --------------------------------------------------------------------------- policies

_EVIDENCE = ["{rules: ['M*']}", "{irreversible: true}", "{crosses_boundary: true}", "{points: 3}"]
_PLAIN = ["{}", "{paths: [shop/]}", "{paths: [docs/]}", "{lines: 100}", "{provenance: [ai]}"]
_TIERED = ["{tier: critical}", "{tier: calm}", "{any: [{tier: calm}, {tier: critical}]}", "{all: [{tier: critical}]}"]
_conditions = st.sampled_from(_EVIDENCE + _PLAIN + _TIERED)
_asks = st.sampled_from(
    ["{}", "{count: 2}", "{role: senior}", "{role: owner}", "{role: owner, count: 2}", "{kind: agent}", "{bind: diff}",
     "{among: ['@shop/pay']}", "{any: [{role: owner}, {role: senior, count: 2}]}"]
)  # fmt: skip
_tiers = st.builds(
    "tiers: {{critical: {}, calm: {}}}".format, st.sampled_from(_EVIDENCE), st.sampled_from(_EVIDENCE + _PLAIN)
)
_requirements = st.lists(
    st.tuples(_conditions, st.lists(_asks, max_size=2), st.sampled_from(["enforce", "advise"]),
              st.sampled_from(["review", "block"])),
    max_size=1,
).map(
    lambda found: "requirements: [{}]".format(
        ", ".join(
            f"{{name: r{number}, if: {condition}, requires: [{', '.join(asks)}], mode: {mode}, level: {level}}}"
            for number, (condition, asks, mode, level) in enumerate(found)
        )
    )
)  # fmt: skip
_hours, _more_hours = st.sampled_from([0, 0, 0, 24]), st.sampled_from([0, 100])
_parts = {
    "applies": _conditions,
    "cooling_off": st.builds(
        "{{hours: {}, hours_per_100_lines: {}, tiers: {{critical: {}, calm: {}}}, waived_by: {}}}".format,
        _hours, _hours, _more_hours, _more_hours, st.integers(1, 3),
    ),
    "review_seconds_per_100_lines": st.integers(0, 600).map(str),
    "windows": st.sampled_from(
        ["[]", "[]", "[{days: [mon, tue, wed, thu, fri, sat, sun]}]", "[{days: [mon], start: '00:00', until: '00:01'}]"]
    ),
    "limits": st.builds("[{{changes: {}, hours: 24}}]".format, st.integers(1, 3)),
    "budget": st.builds("{{lines: {}, days: 7}}".format, st.integers(0, 100)),
}  # fmt: skip
_pace = st.lists(st.sampled_from(sorted(_parts)), min_size=1, max_size=3, unique=True).flatmap(
    lambda names: st.tuples(*(_parts[name] for name in names)).map(
        lambda found: f"pace: {{{', '.join(f'{name}: {value}' for name, value in zip(names, found, strict=True))}}}"
    )
)
_override = st.builds("override: {{signed_by: [seniors], count: {}}}".format, st.integers(1, 2)) | st.just("")
_policies = st.tuples(_tiers, _requirements, _pace, _override).map(
    lambda found: "\n".join(("version: 1", PEOPLE, *found))
)

# --------------------------------------------------------------------------- what there is to judge

_owners = st.lists(
    st.tuples(
        st.sampled_from(["*", "/shop/", "/pay/", "*.py"]), st.sampled_from(["@tom", "@ines", "@mei", "@dana", ""])
    ),
    max_size=4,
).map(lambda lines: "".join(f"{pattern} {owner}\n" for pattern, owner in lines))  # fmt: skip
_freezes = st.lists(
    st.builds(
        Freeze,
        scope=st.sampled_from([("elsewhere/",), ("shop/",), ("everything",)]),
        until=st.sampled_from(["2020-01-01T00:00Z", "2100-01-01T00:00Z"]),
        reason=st.just("incident 42"),
    ),
    max_size=1,
).map(tuple)
_passed = st.builds(
    Passed,
    digest=st.sampled_from("abc"),
    at=st.integers(NOW - 30 * HOUR, NOW),
    lines=st.integers(0, 60),
    by_agent=st.booleans(),
    humans=st.integers(0, 1),
)
_seen = st.integers(NOW - 60 * HOUR, NOW)
_remembered = st.builds(Memory, first_seen=_seen, passed=st.lists(_passed, max_size=3).map(tuple))
_memories = _remembered | _remembered | st.sampled_from([None, Memory()])
_approvals = st.lists(
    st.builds(
        Approval,
        person=st.sampled_from(["ravi", "mei", "tom", "ines"]),
        at=st.none() | st.integers(NOW - 60 * HOUR, NOW),
        source=st.just("github review"),
        binding=st.sampled_from(Binding),
    )
    | st.builds(
        Approval,
        person=st.just("reviewbot"),
        at=st.just(NOW - 60),
        source=st.just("github check"),
        binding=st.just(Binding.DIFF),
        kind=st.just(SignerKind.AGENT),
        model=st.just("gpt"),
    ),
    max_size=4,
    unique_by=lambda one: one.person,
)
_lifted = st.lists(
    st.sampled_from(
        ["*", "r0", "r*", "cooling-off", "change window", "senior*", "someone*", "the objection of *", "freeze*"]
    ),
    min_size=1,
    max_size=2,
).map(tuple)
_waivers = st.lists(
    st.builds(
        Waiver,
        kind=st.just(WaiverKind.OVERRIDE),
        by=st.sampled_from(["ravi", "mei"]),
        at=st.just(NOW - 60),
        until=st.just(NOW + HOUR),
        reason=st.just("incident 42"),
        requirements=_lifted,
    )
    | st.builds(
        Waiver,
        kind=st.just(WaiverKind.GRANT),
        by=st.sampled_from(["ravi", "mei"]),
        until=st.just(NOW + HOUR),
        reason=st.just("words"),
        requirements=_lifted,
        paths=st.sampled_from([("*",), ("shop/",), ("pay/",), ()]),
        to=st.sampled_from([(), ("dana@shop.example",), ("seniors",)]),
    ),
    max_size=3,
    unique_by=lambda one: (one.kind, one.by),
)
_objections = st.sampled_from([(), (), ("tom",)])
_findings = st.lists(
    st.builds(
        finding,
        st.sampled_from(["io-in-loop", "table-dropped", "migration-irreversible", "outbound-host-added"]),
        code=st.sampled_from(["P01", "M01", "A03"]),
        severity=st.sampled_from(list(Severity)),
        outcome=st.sampled_from(list(Outcome)),
    ),
    max_size=3,
)
_few = st.just([]) | _findings
_PROVENANCES = (
    AI,
    replace(AI, operator=None),
    replace(AI, operator=RAVI),
    *[replace(AI, klass=ProvenanceClass.NO_EVIDENCE, agents=())] * 3,
)
_SMALL = (file("shop/pricing.py"),)
_LARGE = (*_SMALL, file("pay/charge.py", added=120))


def _case(provenance: Provenance, files: tuple[FileChange, ...]) -> Case:
    judged = given_case(provenance)
    return replace(judged, change=replace(judged.change, files=files))


_cases = st.builds(_case, st.sampled_from(_PROVENANCES), st.sampled_from([_SMALL, _LARGE]))


@settings(max_examples=400)
@given(_policies, _owners, _freezes, _memories, _cases, _approvals, _waivers, _objections, _few, _findings, st.data())
def test_no_approval_or_waiver_fewer_and_no_finding_more_improves_the_outcome(
    policy, owners, freezes, memory, judged, approvals, waivers, objections, found, more, data
):
    config = load({".gate/policy.yml": policy.encode()}.get)[0]
    about = {"owners": read_owners({"CODEOWNERS": owners.encode()}.get), "freezes": freezes, "memory": memory}
    said = Counted(approvals=tuple(approvals), waivers=tuple(waivers), objections=objections)
    before = _outcome(config, judged, said, found, about)
    assert _outcome(config, judged, said, [*found, *more], about) >= before
    fewer = replace(said, approvals=_some(data, said.approvals), waivers=_some(data, said.waivers))
    assert _outcome(config, judged, fewer, found, about) >= before
    freer = replace(said, objections=())
    assert _outcome(config, judged, freer, found, about) <= before


def _some(data, of: tuple) -> tuple:
    """Some of these, in their order."""
    kept = data.draw(st.sets(st.sampled_from(range(len(of))))) if of else set()
    return tuple(one for at, one in enumerate(of) if at in kept)


def _outcome(config: Config, judged, said: Counted, found, about) -> int:
    signoff = sign_off(judged, found, LOW, config, now=NOW, reviewed=said, **about)
    return _ORDER.index(outcome(decide(judged, found, LOW, config), signoff).outcome)


# --------------------------------------------------------------------------- overrides and grants as they are signed

PLACE = Standing(is_before=lambda _: True, target="main", repository="acme/shop")
WANTED = """
people: {seniors: [ravi, mei, dana@shop.example]}
requirements: [{name: r0, requires: [{count: 2}]}]
"""
MAY_OVERRIDE, MAY_GRANT = "override: {signed_by: [seniors]}\n", "grants: {signed_by: [seniors]}\n"
_signers = st.sampled_from(["ravi", "ravi", "mei", "dana@shop.example", "mallory"])
_signed_overrides = st.lists(
    st.fixed_dictionaries(
        {
            "by": _signers,
            "at": st.sampled_from([NOW - HOUR, NOW - 60, NOW - 60, NOW + 2 * HOUR]),
            "until": st.sampled_from([NOW + HOUR, NOW + HOUR, NOW - 1, NOW + 90 * HOUR]),
            "reason": st.sampled_from(["incident 42", "incident 42", " "]),
            "requirements": st.just(("*",)) | _lifted,
            "digest": st.sampled_from(["same", "same", "same", "other"]),
            "acknowledged": st.sampled_from([("f1",), ("f1",), ("f1", "f2"), ()]),
            "policy": st.sampled_from(["ours", "ours", "old"]),
            "target": st.sampled_from(["main", "main", "old"]),
            "genuine": st.sampled_from([True, True, False]),
        }
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda one: one["by"],
)
_signed_grants = st.lists(
    st.builds(
        Grant,
        requirements=st.just(("*",)) | _lifted,
        paths=st.sampled_from([("*",), ("*",), ("docs/",)]),
        since=st.just("2027-01-01T00:00:00Z"),
        until=st.sampled_from(["2027-01-20T00:00:00Z", "2027-01-02T00:00:00Z", "2029-01-01T00:00:00Z"]),
        reason=st.just("words"),
        by=_signers,
        repository=st.sampled_from(["acme/shop", "acme/shop", "acme/other"]),
        signature=st.sampled_from(["good", "good", "bad"]),
    ),
    max_size=2,
)


def _line(case: Case, one: dict) -> bytes:
    change = case.change
    digest = change.digest if one["digest"] == "same" else "0" * 64
    statement = waived.make(
        replace(change, digest=digest, base="b" * 40, head="c" * 40),
        replace(PLACE, target=one["target"]),
        **{name: one[name] for name in ("by", "at", "until", "reason", "requirements", "policy", "acknowledged")},
    )
    return statements.line(statement, "good" if one["genuine"] else "bad").encode()


def _check(payload: bytes, signature: str, principal: str, namespace: str) -> Checked:
    return Checked(names=(principal,), key=principal, problem=None if signature == "good" else "forged")


@settings(max_examples=300)
@given(_signed_overrides, _signed_grants, st.sampled_from([True, True, False]), st.booleans(), st.data())
def test_no_signed_override_or_grant_fewer_and_no_finding_more_improves_the_outcome(
    overrides, grants, may_override, may_grant, data
):
    policy = (
        WANTED + "override: {signed_by: [seniors]}\n" * may_override + "grants: {signed_by: [seniors]}\n" * may_grant
    )
    config = load({".gate/policy.yml": policy.encode()}.get)[0]
    judged = _case(AI, _SMALL)
    known = directory(config.people)
    signers = waived.Signers(known=known, config=config, barred=barred(judged, known), check=_check, now=NOW)

    def result(lines: tuple, granted: tuple, marks: tuple[str, ...]) -> int:
        found = [replace(finding("io-in-loop"), fingerprint=mark, severity=Severity.REVIEW) for mark in marks]
        notes = [_line(judged, one) for one in lines]
        said = [
            *waived.overrides(notes, judged, found, signers, PLACE, policy="ours"),
            *waived.grants(granted, signers, PLACE),
        ]
        counted = Counted(waivers=tuple(one for one in said if isinstance(one, Waiver)))
        assert not any(one.by in ("dana@shop.example", "mallory") for one in counted.waivers), (
            "its own author, and nobody"
        )
        return _outcome(config, judged, counted, found, {})

    lines, granted = tuple(overrides), tuple(grants)
    before = result(lines, granted, ("f1",))
    assert result(lines, granted, ("f1", "f2")) >= before
    assert result(_some(data, lines), _some(data, granted), ("f1",)) >= before


@settings(max_examples=200)
@given(_policies, _freezes, _memories, _cases, _approvals, _few, _findings)
def test_another_finding_never_ends_a_wait(policy, freezes, memory, judged, said, found, more):
    config = load({".gate/policy.yml": policy.encode()}.get)[0]

    def waits(findings) -> set[str]:
        about = facts(judged, findings, LOW, config)
        reviewed = Counted(approvals=tuple(said))
        branches = pace.branches(config.pace, freezes, about, memory, reviewed, now=NOW)
        return {one.text for one in branches if one.status is not RequirementStatus.SATISFIED}

    assert waits(found) <= waits([*found, *more])
