from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecli.config import Bands, Config, FailOn, People, ProfileConfig, ProvenanceConfig, Treatment
from gatecli.model import (
    AgentEvidence,
    ChangeKind,
    Contribution,
    Decision,
    FileType,
    FunctionKind,
    Mode,
    Outcome,
    ParsedFile,
    ParseStatus,
    Provenance,
    ProvenanceClass,
    Reason,
    Score,
    ScorePart,
    Severity,
    Usage,
    UsageStatus,
    Verdict,
)
from gatecli.policy.verdict import decide, exit_code
from gatecli.scoring.points import score
from gatecli.scoring.weights import shipped_weights
from tests.scoring.cases import DANA, DAY, INES, case, changed, file, finding, function_id, observed, profile

PRICE = function_id()
NOTHING = Score(likelihood=0, exposure=0, total=0)
CLAUDE = AgentEvidence(tool="claude", channel="trailer", strength=3)
AI = Provenance(klass=ProvenanceClass.AI, agents=(CLAUDE,), operator=DANA, authors=(DANA,))
REQUIRED = Config(profile=ProfileConfig(required=True))
WITH_SENIORS = Config(people=People(seniors=("ines@shop.example",)))


def verdict(given_case=None, findings=(), given_score=NOTHING, config=None) -> Verdict:
    return decide(given_case or case(changed()), findings, given_score, config or Config())


def total(points: int, *contributions: Contribution) -> Score:
    return Score(likelihood=points, exposure=0, total=points, contributions=contributions)


def test_nothing_notable_passes_without_reasons():
    assert verdict() == Verdict(decision=Decision.PASS, outcome=Decision.PASS)


def test_an_empty_change_passes_and_says_so():
    strict = replace(REQUIRED, bands=Bands(review=0, senior=0))
    assert verdict(case(provenance=AI), config=strict) == Verdict(
        decision=Decision.PASS,
        outcome=Decision.PASS,
        reasons=(Reason(text="the change is empty: there is nothing to judge"),),
    )


def test_a_change_that_only_seems_empty_is_no_pass():
    found = verdict(case(warnings=("the patch is cut off",)))
    text = "the change seems empty, but the patch is cut off"
    assert found == Verdict(
        decision=Decision.REVIEW, outcome=Decision.REVIEW, reasons=(Reason(text=text),), incomplete=(text,)
    )


def test_the_reasons_come_strongest_first_and_each_fact_once():
    findings = [
        finding(
            "table-dropped", severity=Severity.BLOCK, points=20, message="orders is dropped", path="m/1.py", line=3
        ),
        finding("io-in-hot-loop", severity=Severity.REVIEW, points=18),
        finding("io-in-hot-loop", severity=Severity.REVIEW, points=9, line=50),
        finding("timeout-raised", severity=Severity.REVIEW, points=25, message="timeout 3 to 30 s", line=7),
        finding("log-removed", points=2, message="a log line is gone"),
        finding("noise", message="nothing to say"),
        finding("cleared", outcome=Outcome.CLEAR, severity=Severity.BLOCK, points=90),
    ]
    given_case = case(changed(), usage={PRICE: observed(share=0.04)}, profile=profile())
    given_score = score(given_case, findings, shipped_weights())
    assert verdict(given_case, findings, given_score, WITH_SENIORS) == Verdict(
        decision=Decision.BLOCK,
        outcome=Decision.BLOCK,
        reasons=(
            Reason(text="orders is dropped", points=20, rule="table-dropped", path="m/1.py", line=3),
            Reason(text="timeout 3 to 30 s", points=25, rule="timeout-raised", path="shop/pricing.py", line=7),
            Reason(
                text="price_order queries the database in a loop (and 1 more)", points=18, rule="io-in-hot-loop",
                path="shop/pricing.py", line=41,
            ),
            Reason(text="risk is 85 points (likelihood 65, exposure 20), a senior is asked from 60 on"),
            Reason(
                text="price_order carries 4 % of the traffic", points=20, rule="exposure", path="shop/pricing.py",
                line=11,
            ),
            Reason(text="a log line is gone", points=2, rule="log-removed", path="shop/pricing.py", line=41),
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("severity", "outcome", "decision", "incomplete"),
    [
        (Severity.BLOCK, Outcome.FLAGGED, Decision.BLOCK, 0),
        (Severity.REVIEW, Outcome.FLAGGED, Decision.REVIEW, 0),
        (Severity.NOTE, Outcome.FLAGGED, Decision.PASS, 0),
        (Severity.BLOCK, Outcome.UNKNOWN, Decision.REVIEW, 0),
        (Severity.REVIEW, Outcome.UNKNOWN, Decision.REVIEW, 0),
        (Severity.NOTE, Outcome.UNKNOWN, Decision.PASS, 0),
        (Severity.BLOCK, Outcome.ERROR, Decision.REVIEW, 1),
        (Severity.REVIEW, Outcome.ERROR, Decision.REVIEW, 1),
        (Severity.NOTE, Outcome.ERROR, Decision.PASS, 0),
        (Severity.BLOCK, Outcome.CLEAR, Decision.PASS, 0),
    ],
)
def test_a_finding_by_severity_and_outcome(severity, outcome, decision, incomplete):
    found = verdict(findings=[finding(severity=severity, outcome=outcome)])
    assert (found.decision, len(found.incomplete)) == (decision, incomplete)


@pytest.mark.parametrize(
    ("points", "decision", "text"),
    [
        (39, Decision.PASS, None),
        (40, Decision.REVIEW, "risk is 40 points (likelihood 40, exposure 0), review starts at 40"),
        (59, Decision.REVIEW, "risk is 59 points (likelihood 59, exposure 0), review starts at 40"),
        (60, Decision.REVIEW, "risk is 60 points (likelihood 60, exposure 0), a senior is asked from 60 on"),
    ],
)
def test_bands(points, decision, text):
    found = verdict(given_score=total(points))
    assert found.decision is decision
    assert [reason.text for reason in found.reasons] == ([text] if text else [])


# --------------------------------------------------------------------------- authorship


@pytest.mark.parametrize(
    ("provenance", "config", "text"),
    [
        (AI, WITH_SENIORS, "claude wrote this change, and Dana Reed is not on the senior list"),
        (AI, Config(), "claude wrote this change, and there is no senior list that Dana Reed could be on"),
        (replace(AI, operator=None), WITH_SENIORS, "claude wrote this change, and who prompted it is not known"),
        (replace(AI, operator=INES), WITH_SENIORS, None),
        (replace(AI, klass=ProvenanceClass.ASSISTED), WITH_SENIORS, None),
        (replace(AI, klass=ProvenanceClass.ASSISTED),
         replace(WITH_SENIORS, provenance=ProvenanceConfig(assisted=Treatment.TREAT_AS_AI)),
         "claude assisted with this change, which the policy treats as AI-written, and Dana Reed is not on the "
         "senior list"),
        (Provenance(klass=ProvenanceClass.NO_EVIDENCE, operator=DANA), WITH_SENIORS, None),
        (Provenance(klass=ProvenanceClass.NO_EVIDENCE, operator=DANA),
         replace(WITH_SENIORS, provenance=ProvenanceConfig(no_evidence=Treatment.TREAT_AS_AI)),
         "who wrote this change is not known, which the policy treats as AI-written, and Dana Reed is not on the "
         "senior list"),
        (replace(AI, agents=(replace(CLAUDE, tool="unknown", channel="declared"),)), WITH_SENIORS,
         "an agent wrote this change, and Dana Reed is not on the senior list"),
    ],
)  # fmt: skip
def test_an_ai_written_change_needs_a_senior_behind_it(provenance, config, text):
    found = verdict(case(changed(), provenance=provenance), config=config)
    assert found.decision is (Decision.REVIEW if text else Decision.PASS)
    assert [reason.text for reason in found.reasons] == ([text] if text else [])


# --------------------------------------------------------------------------- evidence

UNMATCHED = Usage(status=UsageStatus.UNMATCHED, reason="ambiguous")
SEEN = {PRICE: observed(share=0.001)}


@pytest.mark.parametrize(
    ("given_profile", "usage", "config", "text", "incomplete"),
    [
        (None, {}, Config(), None, False),
        (None, {}, REQUIRED, "the policy requires a runtime profile and there is none at .gate/profile.json.gz", True),
        (profile(), SEEN, REQUIRED, None, False),
        (profile(age_s=14 * DAY), SEEN, REQUIRED, None, False),
        (profile(age_s=14.3 * DAY), SEEN, REQUIRED, "the runtime profile is 14.3 days old, the policy allows 14",
         False),
        (profile(age_s=None), SEEN, Config(), "the age of the runtime profile is not known, so it counts as stale",
         False),
        (profile(), {PRICE: UNMATCHED}, Config(),
         "1 of 1 touched functions could not be matched in the runtime profile, price_order first", False),
        (profile(), {}, Config(),
         "1 of 1 touched functions could not be matched in the runtime profile, price_order first", False),
        (profile(), {PRICE: Usage(status=UsageStatus.NOT_OBSERVED)}, REQUIRED, None, False),
    ],
)  # fmt: skip
def test_a_configured_profile_must_be_there_fresh_and_matching(given_profile, usage, config, text, incomplete):
    found = verdict(case(changed(), usage=usage, profile=given_profile), config=config)
    assert found.decision is (Decision.REVIEW if text else Decision.PASS)
    assert [reason.text for reason in found.reasons] == ([text] if text else [])
    assert found.incomplete == ((text,) if incomplete else ())


@pytest.mark.parametrize(
    "function",
    [
        changed(kind=ChangeKind.ADDED),
        changed(kind=ChangeKind.COSMETIC),
        changed("<module>", of=FunctionKind.MODULE),
        changed("Cart", of=FunctionKind.CLASS_BODY),
    ],
)
def test_what_no_profile_can_know_needs_no_match(function):
    assert verdict(case(function, profile=profile())).decision is Decision.PASS


@pytest.mark.parametrize(
    ("files", "parsed", "text"),
    [
        ((file(),), ParsedFile(path="shop/pricing.py", status=ParseStatus.NOT_PARSED, reason="12 MB"),
         "shop/pricing.py could not be judged: 12 MB"),
        ((file(),), ParsedFile(path="shop/pricing.py", status=ParseStatus.NOT_PARSED),
         "shop/pricing.py could not be judged: it could not be parsed"),
        ((file(),), ParsedFile(path="shop/pricing.py", status=ParseStatus.PARTIAL, error_lines=(13, 14, 90)),
         "shop/pricing.py could not be judged: 2 changed lines do not parse"),
        ((file(),), ParsedFile(path="shop/pricing.py", status=ParseStatus.PARTIAL, error_lines=(90,)), None),
        ((file(),), ParsedFile(path="shop/pricing.py", status=ParseStatus.PARTIAL), None),
        ((file("docs/a.md"),), ParsedFile(path="docs/a.md", status=ParseStatus.NOT_PYTHON), None),
        ((file("vendor/x", type=FileType.SUBMODULE),), ParsedFile(path="vendor/x", status=ParseStatus.NOT_PYTHON),
         "vendor/x could not be judged: what a submodule brings is not in the diff"),
    ],
)  # fmt: skip
def test_a_file_that_could_not_be_judged_asks_for_review(files, parsed, text):
    found = verdict(case(files=files, parsed=(parsed,)))
    assert found.decision is (Decision.REVIEW if text else Decision.PASS)
    assert [reason.text for reason in found.reasons] == ([text] if text else [])


def test_many_files_that_could_not_be_judged_are_one_reason():
    parsed = [ParsedFile(path=f"shop/{n}.py", status=ParseStatus.NOT_PARSED, reason="12 MB") for n in (3, 1, 2)]
    found = verdict(case(files=tuple(file(one.path) for one in parsed), parsed=tuple(parsed)))
    assert found.reasons == (
        Reason(text="3 files, shop/1.py first, could not be judged: 12 MB", path="shop/1.py"),
    )  # fmt: skip


def test_contributions_are_reasons_even_of_a_pass():
    given_score = total(
        5,
        Contribution(rule="files", points=5, text="2 Python files are touched"),
        Contribution(rule="exposure", points=0, text="exposure unknown: no profile", part=ScorePart.EXPOSURE),
    )
    assert verdict(given_score=given_score).reasons == (
        Reason(text="2 Python files are touched", points=5, rule="files"),
    )


# --------------------------------------------------------------------------- exit codes


@pytest.mark.parametrize(
    ("outcome", "incomplete", "codes"),
    [
        # enforce with fail-on review, block, never; advise
        (Decision.PASS, (), (0, 0, 0, 0)),
        (Decision.REVIEW, (), (3, 0, 0, 0)),
        (Decision.BLOCK, (), (1, 1, 0, 0)),
        (Decision.PASS, ("no profile",), (4, 4, 0, 0)),
        (Decision.REVIEW, ("no profile",), (4, 4, 0, 0)),
        (Decision.BLOCK, ("no profile",), (1, 1, 0, 0)),
    ],
)
def test_exit_codes(outcome, incomplete, codes):
    given_verdict = Verdict(decision=Decision.BLOCK, outcome=outcome, incomplete=incomplete)
    enforced = tuple(
        exit_code(given_verdict, Mode.ENFORCE, level) for level in (FailOn.REVIEW, FailOn.BLOCK, FailOn.NEVER)
    )
    assert (*enforced, exit_code(given_verdict, Mode.ADVISE, FailOn.REVIEW)) == codes


# --------------------------------------------------------------------------- what must hold

ORDER = (Decision.PASS, Decision.REVIEW, Decision.BLOCK)
FINDINGS = st.lists(
    st.builds(
        finding,
        rule=st.sampled_from(["a", "b", "exposure"]),
        points=st.integers(-30, 60),
        outcome=st.sampled_from(list(Outcome)),
        severity=st.sampled_from(list(Severity)),
        message=st.text("ab", max_size=3),
    ),
    max_size=5,
)
USAGES = st.sampled_from(
    [observed(share=0.5), observed(share=0.001), observed(), UNMATCHED, Usage(status=UsageStatus.NOT_OBSERVED)]
)
PROVENANCES = st.sampled_from([AI, replace(AI, operator=INES), Provenance(klass=ProvenanceClass.NO_EVIDENCE)])


@st.composite
def cases(draw: st.DrawFn):
    functions = [changed(name, added=draw(st.integers(0, 300))) for name in draw(st.sampled_from(["", "a", "ab"]))]
    return case(
        *functions,
        usage={one.id: draw(USAGES) for one in functions},
        provenance=draw(PROVENANCES),
        profile=profile(age_s=draw(st.sampled_from([0.0, 3.0 * DAY, 20.0 * DAY, None]))),
    )


def judged(given_case, findings, config) -> tuple[int, bool]:
    """The decision's rank, and whether an enforcing run would let the change through."""
    found = decide(given_case, findings, score(given_case, findings, shipped_weights()), config)
    return ORDER.index(found.decision), exit_code(found, Mode.ENFORCE, FailOn.REVIEW) == 0


CONFIGS = st.sampled_from([REQUIRED, replace(REQUIRED, people=WITH_SENIORS.people)])


@given(cases(), FINDINGS, FINDINGS, CONFIGS)
def test_another_finding_never_improves_the_decision(given_case, findings, more, config):
    before, after = judged(given_case, findings, config), judged(given_case, findings + more, config)
    assert after[0] >= before[0]
    assert after[1] <= before[1]


@given(cases(), FINDINGS, CONFIGS, st.sampled_from(["lose", "age", "forget its age", "unmatch", "empty"]))
def test_a_worse_profile_never_improves_the_decision(given_case, findings, config, how):
    assert given_case.profile is not None
    worse = {
        "lose": replace(given_case, profile=None, usage={}),
        "age": replace(
            given_case, profile=replace(given_case.profile, age_s=(given_case.profile.age_s or 0) + 30 * DAY)
        ),
        "forget its age": replace(given_case, profile=replace(given_case.profile, age_s=None)),
        "unmatch": replace(given_case, usage=dict.fromkeys(given_case.usage, UNMATCHED)),
        "empty": replace(given_case, usage={}),
    }[how]
    before, after = judged(given_case, findings, config), judged(worse, findings, config)
    assert after[0] >= before[0]
    assert after[1] <= before[1]


@given(cases(), FINDINGS)
def test_the_order_of_findings_does_not_matter(given_case, findings):
    forward, backward = (decide(given_case, found, NOTHING, Config()) for found in (findings, list(reversed(findings))))
    assert forward == backward
