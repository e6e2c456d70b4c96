from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from gatecli.model import Closeness, Incident, IncidentSeverity, Recollection
from gatecli.scoring import memory
from gatecli.scoring.points import score
from gatecli.scoring.weights import shipped_weights
from tests.scoring.cases import case, changed, function_id


def recollection(
    id="INC-42", severity=IncidentSeverity.SEV2, freshness=1.0, closeness=Closeness.SAME, lesson="", touched=None
) -> Recollection:
    return Recollection(
        incident=Incident(
            id=id, day=date(2026, 8, 14), severity=severity, caused_by=("1f3a9c2",), lesson=lesson, functions=()
        ),
        closeness=closeness,
        touched=touched or (function_id(),),
        age_days=12,
        freshness=freshness,
    )


def with_incidents(*found: Recollection):
    return replace(case(changed()), incidents=found)


def points(*found: Recollection) -> list[int]:
    return [one.points for one in memory.contributions(with_incidents(*found))]


def test_an_incident_is_named_with_its_day_its_function_and_its_lesson():
    (one,) = memory.contributions(with_incidents(recollection(lesson="round half\nto even")))
    assert one.text == "incident INC-42 (sev2, 2026-08-14) came from price_order; lesson: round half to even"
    assert (one.rule, one.points, one.function, one.path) == ("incident-memory", 10, function_id(), "shop/pricing.py")


def test_the_nearer_the_fresher_and_the_graver_the_more():
    assert points(recollection(freshness=0.5)) == [5]
    assert points(recollection(closeness=Closeness.NEIGHBOUR)) == [5]
    assert points(recollection(severity=IncidentSeverity.SEV1)) == [14]
    assert points(recollection(freshness=0.01)) == []


def test_all_together_have_an_end():
    assert points(*(recollection(f"INC-{number}") for number in range(9))) == [10, 10]


def test_the_score_of_the_change_and_of_the_function_hold_them():
    bare = score(with_incidents(), (), shipped_weights())
    full = score(with_incidents(recollection()), (), shipped_weights())
    assert full.likelihood - bare.likelihood == 10
    assert full.by_function[function_id()] - bare.by_function[function_id()] == 10
    assert "incident-memory" in [one.rule for one in full.contributions]


recollections = st.builds(
    recollection,
    id=st.uuids().map(str),
    severity=st.sampled_from(IncidentSeverity),
    freshness=st.floats(0, 1),
    closeness=st.sampled_from(Closeness),
)


@given(found=st.lists(recollections, max_size=5), more=recollections)
def test_one_more_incident_never_lowers_the_score(found, more):
    assert 0 <= sum(points(*found)) <= sum(points(*found, more)) <= memory.memory_weights().most_points
