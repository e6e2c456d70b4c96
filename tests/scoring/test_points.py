from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecli.config import People
from gatecli.model import (
    Blast,
    ChangeKind,
    Contribution,
    FunctionKind,
    HistoryStatus,
    Outcome,
    ParsedFile,
    ParseStatus,
    Person,
    Provenance,
    ProvenanceClass,
    Score,
    ScorePart,
    Severity,
    SignatureChange,
    SignatureKind,
    Usage,
    UsageStatus,
)
from gatecli.scoring.points import score
from gatecli.scoring.weights import shipped_weights
from tests.scoring.cases import (
    DANA,
    INES,
    RAVI,
    caller,
    case,
    changed,
    file,
    finding,
    function_id,
    known,
    observed,
    profile,
    revision,
)

WEIGHTS = shipped_weights()
PRICE = function_id()


def contributions(given_case, findings=(), **options) -> dict[str, int]:
    return {one.rule: one.points for one in score(given_case, findings, WEIGHTS, **options).contributions}


def texts(given_case, findings=(), **options) -> list[str]:
    return [one.text for one in score(given_case, findings, WEIGHTS, **options).contributions]


def test_the_whole_score_of_a_busy_function():
    given_case = case(
        changed(added=20, signature=(SignatureChange(kind=SignatureKind.REMOVED, name="tier"),)),
        changed("quote", path="shop/quotes.py", added=4),
        usage={PRICE: observed(share=0.38, rate=61_400), function_id("quote", "shop/quotes.py"): observed(share=0.005)},
        blast={PRICE: Blast(callers=(caller("post_order"), caller("main", depth=2)))},
        history={PRICE: known((RAVI, 71), (INES, 9))},
        profile=profile(),
    )
    findings = [
        finding(points=18, function=PRICE),
        finding(points=12, function=PRICE, message="another loop"),
        finding("cleared", points=50, outcome=Outcome.CLEAR),
    ]
    assert score(given_case, findings, WEIGHTS) == Score(
        likelihood=18 + 7 + 6 + 5 + 4 + 2,
        exposure=52,
        total=94,
        contributions=(
            Contribution(
                rule="exposure", points=52, text="price_order runs 61,400 times a minute (38 % of the traffic)",
                part=ScorePart.EXPOSURE, path="shop/pricing.py", line=11, function=PRICE,
            ),
            Contribution(
                rule="io-in-hot-loop", points=18, text="price_order queries the database in a loop (and 1 more)",
                path="shop/pricing.py", line=41, function=PRICE,
            ),
            Contribution(
                rule="prior-changes", points=7, text="price_order changed 80 times before", path="shop/pricing.py",
                line=11, function=PRICE,
            ),
            Contribution(rule="author-new", points=6, text="Dana Reed never changed the touched function before"),
            Contribution(rule="files", points=5, text="2 Python files are touched"),
            Contribution(rule="lines-added", points=4, text="24 lines are added"),
            Contribution(
                rule="signature", points=2, path="shop/pricing.py", line=11, function=PRICE,
                text="the signature of price_order changed (parameter removed: tier); "
                "1 known caller is outside the change",
            ),
        ),
        by_function={PRICE: 52 + 18 + 7 + 2, function_id("quote", "shop/quotes.py"): 0},
    )  # fmt: skip


def test_nothing_changed_scores_nothing():
    assert score(case(), (), WEIGHTS) == Score(likelihood=0, exposure=0, total=0)


def test_cosmetic_changes_score_nothing():
    given_case = case(
        changed(kind=ChangeKind.COSMETIC, added=500, removed=500),
        usage={PRICE: observed(share=0.9)},
        history={PRICE: known((RAVI, 100))},
        profile=profile(),
    )
    assert score(given_case, (), WEIGHTS) == Score(likelihood=0, exposure=0, total=0, by_function={PRICE: 0})


def test_without_a_profile_exposure_is_unknown_and_says_so():
    found = score(case(changed()), (), WEIGHTS)
    assert found.contributions == (
        Contribution(rule="exposure", points=0, text="exposure unknown: no profile", part=ScorePart.EXPOSURE),
    )


@pytest.mark.parametrize(
    ("usage", "blast", "points", "text"),
    [
        (observed(share=0.02), None, 10, "price_order carries 2 % of the traffic"),
        (observed(share=0.0005, rate=3), None, 0, "price_order runs 3 times a minute (0.05 % of the traffic)"),
        (observed(rate=1200), None, 10, "price_order runs 1,200 times a minute"),
        (observed(rate=0.25), None, 0, "price_order runs 0.25 times a minute"),
        (observed(share=0.01), Blast(share=0.04), 20, "price_order carries 4 % of the traffic"),
        (observed(share=0.04), Blast(share=0.01), 20, "price_order carries 4 % of the traffic"),
        (observed(), None, 0, "exposure unknown: price_order is not matched"),
        (Usage(status=UsageStatus.UNMATCHED, reason="ambiguous"), None, 0,
         "exposure unknown: price_order is not matched"),
        (Usage(status=UsageStatus.NOT_OBSERVED), None, 0, "price_order is not seen in the profile"),
        (None, None, 0, "exposure unknown: price_order is not matched"),
    ],
)  # fmt: skip
def test_exposure_by_what_is_known(usage, blast, points, text):
    given_case = case(
        changed(), usage={PRICE: usage} if usage else {}, blast={PRICE: blast} if blast else {}, profile=profile()
    )
    found = score(given_case, (), WEIGHTS)
    assert (found.exposure, [one.text for one in found.contributions]) == (points, [text])


def test_exposure_is_that_of_the_busiest_function_and_names_the_unknown_ones():
    ids = [function_id(name) for name in ("a", "b", "c", "d")]
    given_case = case(
        *(changed(one.qualname) for one in ids),
        changed("fresh", kind=ChangeKind.ADDED),
        usage={
            ids[0]: observed(share=0.02),
            ids[1]: observed(share=0.08),
            ids[2]: Usage(status=UsageStatus.UNMATCHED),
            ids[3]: Usage(status=UsageStatus.NOT_OBSERVED),
        },
        profile=profile(),
    )
    found = score(given_case, (), WEIGHTS)
    assert found.exposure == 30
    assert [one.text for one in found.contributions if one.rule == "exposure"] == [
        "b carries 8 % of the traffic",
        "d is not seen in the profile",
        "exposure unknown: c is not matched",
    ]


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (HistoryStatus.SHALLOW, "the past of 1 function is not known: history is cut off"),
        (HistoryStatus.UNAVAILABLE, "the past of 1 function is not known: no history"),
    ],
)
def test_an_unknown_past_is_said_and_counts_nothing(status, text):
    given_case = case(changed(), history={PRICE: known(status=status)})
    assert texts(given_case) == [text, "exposure unknown: no profile"]


def test_a_cut_history_cannot_say_that_the_author_is_new():
    given_case = case(changed(), history={PRICE: known((RAVI, 12), status=HistoryStatus.SHALLOW)})
    assert contributions(given_case) == {"prior-changes": 2, "history": 0, "exposure": 0}


def test_an_author_is_known_under_any_address():
    home = Person(name="D", email="9+danacodes@users.noreply.github.com")
    given_case = case(changed(), history={PRICE: known((home, 3))})
    people = People(aliases={"dana": ("dana@shop.example", "danacodes")})
    assert "author-new" in contributions(given_case)
    assert "author-new" not in contributions(given_case, people=people)


def test_uncommitted_work_says_nothing_about_its_author():
    given_case = case(changed(), history={PRICE: known((RAVI, 3))}, revisions=())
    assert "author-new" not in contributions(given_case)


@pytest.mark.parametrize("klass", list(ProvenanceClass))
def test_authorship_by_an_agent_is_worth_no_points(klass):
    agent = Provenance(klass=klass, operator=DANA, authors=(DANA,))
    given_case = case(changed(added=30), history={PRICE: known((RAVI, 3))}, provenance=agent)
    assert contributions(given_case) == {"author-new": 6, "lines-added": 4, "exposure": 0}


def test_hiding_the_human_behind_an_agent_wins_nothing():
    nobody = Provenance(klass=ProvenanceClass.AI)
    given_case = case(changed(), history={PRICE: known((RAVI, 3))}, provenance=nobody)
    assert texts(given_case)[0] == (
        "no human author is known, so nobody is known to have changed the touched function before"
    )
    assert contributions(given_case)["author-new"] == 6


def test_annotations_do_not_change_a_contract_and_new_functions_have_none():
    clauses = (
        SignatureChange(kind=SignatureKind.ANNOTATION, name="tier"),
        SignatureChange(kind=SignatureKind.ADDED, name="note"),
        SignatureChange(kind=SignatureKind.RETURN_ANNOTATION, after="int"),
    )
    assert "signature" not in contributions(case(changed(signature=clauses)))
    broken = (SignatureChange(kind=SignatureKind.NEW_REQUIRED, name="tier"),)
    assert "signature" not in contributions(case(changed(kind=ChangeKind.ADDED, signature=broken)))
    assert contributions(case(*(changed(name, signature=broken) for name in "abc")))["signature"] == 4


def test_a_module_body_has_no_past_of_its_own():
    given_case = case(changed("<module>", of=FunctionKind.MODULE), history={function_id("<module>"): known((RAVI, 50))})
    assert contributions(given_case) == {"exposure": 0}


def test_a_file_that_does_not_parse_counts_by_its_lines():
    given_case = case(
        files=(file(added=90, removed=12),),
        parsed=(ParsedFile(path="shop/pricing.py", status=ParseStatus.NOT_PARSED, reason="too large"),),
    )
    assert contributions(given_case) == {"lines-added": 5, "lines-removed": 1}


def test_entropy_is_that_of_the_lines_over_the_files():
    spread = case(*(changed("f", path=f"shop/{n}.py", added=2) for n in range(4)))
    assert contributions(spread)["entropy"] == 1
    assert "the changed lines are spread over 4 files (entropy 2.0 bits)" in texts(spread)
    lopsided = case(*(changed("f", path=f"shop/{n}.py", added=1000 if n == 0 else 1) for n in range(4)))
    assert "entropy" not in contributions(lopsided)


def test_by_function_counts_each_rule_once_a_function():
    findings = [
        finding("a", points=5, function=PRICE),
        finding("a", points=9, function=PRICE),
        finding("b", points=2, function=PRICE),
        finding("a", points=20, function=function_id("other")),
        finding("c", points=4),
    ]
    found = score(case(changed(), changed("other")), findings, WEIGHTS)
    assert found.by_function == {PRICE: 11, function_id("other"): 20}
    assert found.likelihood == 20 + 2 + 4


def test_points_below_zero_are_no_discount():
    assert score(case(changed()), [finding(points=-40)], WEIGHTS).total == 0


# --------------------------------------------------------------------------- what must hold

FINDINGS = st.lists(
    st.builds(
        finding,
        rule=st.sampled_from(["a", "b", "c", "exposure", "files"]),
        points=st.integers(-50, 50),
        outcome=st.sampled_from(list(Outcome)),
        severity=st.sampled_from(list(Severity)),
        function=st.sampled_from([None, PRICE, function_id("other")]),
        message=st.text("ab", max_size=3),
    ),
    max_size=6,
)
SHARE = st.none() | st.floats(0, 1)


@st.composite
def cases(draw: st.DrawFn):
    functions = [
        changed(
            name,
            kind=draw(st.sampled_from(list(ChangeKind))),
            added=draw(st.integers(0, 300)),
            removed=draw(st.integers(0, 300)),
            signature=draw(st.sampled_from([(), (SignatureChange(kind=SignatureKind.REMOVED, name="x"),)])),
        )
        for name in draw(st.lists(st.sampled_from(["price_order", "other", "third"]), unique=True))
    ]
    usage = {one.id: observed(share=draw(SHARE), rate=draw(st.none() | st.floats(0, 1e9))) for one in functions}
    history = {one.id: known((draw(st.sampled_from([DANA, RAVI])), draw(st.integers(0, 60)))) for one in functions}
    return case(
        *functions, usage=usage, history=history, profile=draw(st.none() | st.just(profile())),
        revisions=(revision(),),
    )  # fmt: skip


@given(cases(), FINDINGS, FINDINGS)
def test_another_finding_never_lowers_the_score(given_case, findings, more):
    before, after = (score(given_case, found, WEIGHTS) for found in (findings, findings + more))
    assert after.total >= before.total
    assert all(after.by_function[one] >= points for one, points in before.by_function.items())


@given(cases(), FINDINGS)
def test_the_total_is_the_sum_of_what_is_shown(given_case, findings):
    found = score(given_case, findings, WEIGHTS)
    parts = {part: sum(one.points for one in found.contributions if one.part is part) for part in ScorePart}
    assert (found.likelihood, found.exposure) == (parts[ScorePart.LIKELIHOOD], parts[ScorePart.EXPOSURE])
    assert found.total == found.likelihood + found.exposure >= 0
    assert list(found.contributions) == sorted(found.contributions, key=lambda one: -one.points)
    assert score(given_case, list(reversed(findings)), WEIGHTS) == found


@given(cases(), FINDINGS, st.floats(0, 1))
def test_more_traffic_never_lowers_the_score(given_case, findings, more):
    busier = replace(
        given_case,
        usage={
            one: replace(usage, share=min(1.0, usage.share + more)) if usage.share is not None else usage
            for one, usage in given_case.usage.items()
        },
    )
    assert score(busier, findings, WEIGHTS).total >= score(given_case, findings, WEIGHTS).total
