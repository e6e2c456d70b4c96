from datetime import date

import pytest

from gatecli.history.memory import Surroundings, recall, remembered
from gatecli.model import (
    ChangeKind,
    Closeness,
    Function,
    FunctionChange,
    FunctionHistory,
    FunctionId,
    FunctionKind,
    HistoryStatus,
    Incident,
    IncidentSeverity,
    Span,
)

CAUSE = "1f3a9c2e" * 5
DAY = 86_400
NOW = 1_786_665_600 + 3_600  # 2026-08-14 01:00 UTC


def id_of(name: str, path: str = "shop/pricing.py") -> FunctionId:
    return FunctionId(path=path, qualname=name)


def change(name: str = "price", *, kind=ChangeKind.EDITED, was: str | None = None, of=FunctionKind.FUNCTION):
    span = Span(first_line=1, def_line=1, end_line=9)
    before = Function(id=id_of(was or name), kind=of, span=span)
    after = Function(id=id_of(name), kind=of, span=span)
    return FunctionChange(id=after.id, kind=kind, before=None if kind is ChangeKind.ADDED else before, after=after)


def past(*commits: str, status=HistoryStatus.KNOWN) -> FunctionHistory:
    return FunctionHistory(status=status, changes=len(commits), commits=commits)


def incident(id: str = "INC-1", *functions: str, day=date(2026, 8, 14), caused_by=(CAUSE,)) -> Incident:
    return Incident(
        id=id,
        day=day,
        severity=IncidentSeverity.SEV2,
        caused_by=caused_by,
        functions=tuple(map(id_of, functions)),
    )


def recalled(incidents, functions, history=None, *, now=NOW, half_life_days=180.0, **around):
    return recall(incidents, functions, history or {}, Surroundings(**around), now=now, half_life_days=half_life_days)


def names(found) -> list[str]:
    return [one.incident.id for one in found]


def test_a_function_that_an_incident_came_from_is_known_by_its_id():
    (one,) = recalled([incident("INC-1", "price"), incident("INC-2", "other")], [change("price")])
    assert (one.incident.id, one.closeness, one.touched) == ("INC-1", Closeness.SAME, (id_of("price"),))


def test_a_renamed_function_is_known_by_its_id_before_the_change():
    (one,) = recalled([incident("INC-1", "price")], [change("cost", was="price", kind=ChangeKind.RENAMED)])
    assert one.touched == (id_of("cost"),)


@pytest.mark.parametrize("kind", [ChangeKind.ADDED, ChangeKind.COSMETIC])
def test_what_is_new_or_only_reformatted_remembers_nothing(kind):
    assert recalled([incident("INC-1", "price")], [change("price", kind=kind)]) == ()


def test_without_functions_the_lines_of_the_cause_tell():
    hand_written = incident("INC-1", caused_by=(CAUSE[:9],))
    history = {id_of("price"): past("0" * 40, CAUSE), id_of("other"): past("0" * 40)}
    (one,) = recalled([hand_written], [change("price"), change("other")], history)
    assert one.touched == (id_of("price"),)


def test_names_are_not_lines_where_the_commit_only_begins_alike():
    history = {id_of("price"): past(CAUSE[:8] + "0" * 32)}
    assert recalled([incident("INC-1")], [change("price")], history) == ()


def test_a_function_that_was_renamed_since_is_known_by_its_lines():
    history = {id_of("cost"): past(CAUSE)}
    standing = {id_of("cost")}
    (one,) = recalled([incident("INC-1", "price")], [change("cost")], history, exists=standing.__contains__)
    assert one.touched == (id_of("cost"),)


def test_who_took_a_function_off_the_list_is_not_overruled():
    history = {id_of("other"): past(CAUSE)}
    assert recalled([incident("INC-1", "price")], [change("other")], history) == ()


def test_a_function_that_moved_to_another_file_is_followed():
    moved = {id_of("price", "old.py"): id_of("price")}
    listed = Incident(
        id="INC-1", day=date(2026, 8, 14), severity=IncidentSeverity.SEV1, caused_by=(CAUSE,), functions=tuple(moved)
    )
    (one,) = recalled([listed], [change("price")], has_file=lambda path: path != "old.py", moved=lambda _: moved)
    assert one.touched == (id_of("price"),)


def test_a_module_body_remembers_by_the_lines_that_are_touched():
    module = change("<module>", of=FunctionKind.MODULE)
    listed = [incident("INC-1", "<module>")]
    assert names(recalled(listed, [module], {module.id: past(CAUSE)})) == ["INC-1"]
    assert names(recalled(listed, [module], {module.id: past("0" * 40)})) == []
    cut = past("0" * 40, status=HistoryStatus.SHALLOW)
    assert names(recalled(listed, [module], {module.id: cut})) == ["INC-1"], "what is not known never lowers risk"


def test_a_neighbour_counts_where_no_function_of_the_incident_is_touched():
    next_to = {id_of("checkout"): [id_of("price")]}
    around = {"neighbours": lambda change: next_to.get(change.id, ())}
    (one,) = recalled([incident("INC-1", "price")], [change("checkout"), change("other")], **around)
    assert (one.closeness, one.touched) == (Closeness.NEIGHBOUR, (id_of("checkout"),))
    (one,) = recalled([incident("INC-1", "price")], [change("checkout"), change("price")], **around)
    assert (one.closeness, one.touched) == (Closeness.SAME, (id_of("price"),))


@pytest.mark.parametrize(
    ("days", "freshness"), [(-1, 1.0), (0, 1.0), (90, 0.5**0.5), (180, 0.5), (360, 0.25), (36_000, 0.5**200)]
)
def test_memory_halves_with_every_half_life(days, freshness):
    (one,) = recalled([incident("INC-1", "price")], [change("price")], now=NOW + days * DAY)
    assert one.age_days == max(0, days)
    assert one.freshness == pytest.approx(freshness)


def test_the_freshest_comes_first_and_histories_name_the_same_alone():
    next_to = {"neighbours": lambda _: [id_of("elsewhere")]}
    found = recalled(
        [
            incident("OLD", "price", day=date(2024, 1, 1)),
            incident("NEAR", "elsewhere"),
            incident("NEW", "price", day=date(2026, 8, 1)),
        ],
        [change("price")],
        {id_of("price"): past()},
        **next_to,
    )
    assert names(found) == ["NEAR", "NEW", "OLD"]
    assert remembered({id_of("price"): past()}, found)[id_of("price")].incidents == ("NEW", "OLD")
