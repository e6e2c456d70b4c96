from dataclasses import replace
from datetime import date, timedelta

from gatecli.config import People
from gatecli.model import (
    Candidate,
    Closeness,
    FileKnowledge,
    Handler,
    Incident,
    IncidentSeverity,
    Person,
    Provenance,
    ProvenanceClass,
    Recollection,
)
from gatecli.policy.candidates import MAX_CANDIDATES, find_candidates
from gatecli.policy.owners import read_owners
from tests.scoring.cases import DANA, DAY, INES, RAVI, case, changed, file, function_id, known, revision

NOW = 1_800_000_000
PRICE = function_id()
BOT = Person(name="renovate[bot]", email="29139614+renovate[bot]@users.noreply.github.com")
TOM = Person(name="Tom", email="5+tomb@users.noreply.github.com")
PEOPLE = People(seniors=("ravi@shop.example", "mei", "@tomb"), aliases={"Ines L.": ("ines@shop.example", "inesl")})


def people_of(found: tuple[Candidate, ...]) -> list[tuple[str, str]]:
    return [(one.person, one.evidence) for one in found]


def test_nobody_involved_and_no_bot_is_asked():
    history = {PRICE: known((DANA, 50), (BOT, 40), (RAVI, 3), (INES, 2), (TOM, 1), at=NOW)}
    by_dana = Provenance(klass=ProvenanceClass.AI, operator=DANA, authors=(INES,))
    given_case = case(changed(), history=history, provenance=by_dana, revisions=(revision(INES, committer=TOM),))
    found = find_candidates(given_case, PEOPLE, now=NOW, owners=None)
    assert people_of(found.reviewers) == [("Ravi", "3 changes here, last today")]
    assert people_of(found.seniors) == [
        ("Ravi", "3 changes here, last today"),
        ("mei", "on the senior list, no changes here"),
    ]


def test_owners_join_those_who_know_the_code():
    owners = read_owners({"CODEOWNERS": b"*.py @inesl @shop/core\n*.md @dana\nREADME.md dana@shop.example\n"}.get)
    given_case = case(
        changed(),
        changed("other", path="shop/web.py"),
        history={PRICE: known((RAVI, 3), (INES, 2), at=NOW - DAY)},
        files=(file(), file("shop/web.py"), file("README.md"), file("LICENSE")),
    )
    found = find_candidates(given_case, PEOPLE, now=NOW, owners=owners)
    assert people_of(found.reviewers) == [
        ("Ravi", "3 changes here, last yesterday"),
        ("Ines L.", "2 changes here, last yesterday; owns 2 touched files, shop/pricing.py first"),
        ("@shop/core", "owns 2 touched files, shop/pricing.py first"),
    ]


def test_a_senior_is_listed_once_under_whatever_name():
    history = {PRICE: known((TOM, 4), at=NOW)}
    found = find_candidates(case(changed(), history=history), PEOPLE, now=NOW, owners=None)
    assert people_of(found.seniors) == [
        ("Tom", "4 changes here, last today"),
        ("ravi@shop.example", "on the senior list, no changes here"),
        ("mei", "on the senior list, no changes here"),
    ]


def test_a_senior_who_wrote_it_is_not_asked():
    by_tom = Provenance(klass=ProvenanceClass.NO_EVIDENCE, operator=TOM, authors=(TOM,))
    given_case = case(changed(), provenance=by_tom, revisions=(revision(TOM),))
    found = find_candidates(given_case, PEOPLE, now=NOW, owners=None)
    assert [one.person for one in found.seniors] == ["ravi@shop.example", "mei"]


def test_only_the_best_few_are_named():
    crowd = [(Person(name=f"P{n}", email=f"p{n}@shop.example"), n) for n in range(1, 50)]
    found = find_candidates(case(changed(), history={PRICE: known(*crowd, at=NOW)}), People(), now=NOW, owners=None)
    assert [one.person for one in found.reviewers] == ["P49", "P48", "P47", "P46", "P45"]
    assert len(found.reviewers) == MAX_CANDIDATES
    assert found.seniors == ()


def did(person: Person, changes: int, *, repairs: int = 0, days: int = 0) -> FileKnowledge:
    return FileKnowledge(person=person, changes=changes, repairs=repairs, last_at=NOW - days * DAY)


def test_work_in_the_files_and_repairs_count_beside_changes_of_the_functions():
    given_case = case(changed(), history={PRICE: known((INES, 2), at=NOW)})
    given_case = replace(
        given_case, file_knowledge=(did(TOM, 8, repairs=2, days=3), did(INES, 4), did(DANA, 90), did(BOT, 9))
    )
    found = find_candidates(given_case, PEOPLE, now=NOW, owners=None)
    assert people_of(found.reviewers) == [
        ("Tom", "8 commits to these files, last 3 days ago; 2 repairs in these files"),
        ("Ines L.", "2 changes here, last today"),
    ]


def ended(id: str, *handlers: Handler, days: int = 0, closeness=Closeness.SAME) -> Recollection:
    day = date.fromtimestamp(NOW) - timedelta(days=days)
    was = Incident(id=id, day=day, severity=IncidentSeverity.SEV2, caused_by=("1f3a9c2",))
    return Recollection(
        incident=was, closeness=closeness, touched=(PRICE,), age_days=days, freshness=0.5, handlers=handlers
    )


def test_incidents_that_somebody_ended_count_and_are_named():
    mailmap = b"Mei <mei@shop.example> <mei@old.example>\n"
    history = {PRICE: known((INES, 3), (Person(name="Mei", email="mei@shop.example"), 1), at=NOW)}
    by_tom, by_mei = Handler(person=TOM, commit="a" * 40), Handler(person=Person(name="M", email="mei@old.example"))
    incidents = (
        ended("INC-7", by_tom, by_mei, days=365),
        ended("INC-9", by_mei, Handler(person=Person(name="inesl", email="")), closeness=Closeness.NEIGHBOUR),
    )
    found = find_candidates(
        replace(case(changed(), history=history), incidents=incidents), PEOPLE, now=NOW, owners=None, mailmap=mailmap
    )
    day = date.fromtimestamp(NOW)
    last_year = day - timedelta(days=365)
    assert [(one.person, one.evidence, one.score) for one in found.reviewers] == [
        ("Mei", f"1 change here, last today; handled INC-7 ({last_year}) in price_order and 1 more incident", 6.0),
        ("Ines L.", f"3 changes here, last today; handled INC-9 ({day}) one call from price_order", 5.0),
        ("Tom", f"handled INC-7 ({last_year}) in price_order", 3.0),
    ]


def test_whoever_ended_an_incident_and_wrote_the_change_is_not_asked():
    incidents = (ended("INC-7", Handler(person=DANA, commit="a" * 40), Handler(person=BOT)),)
    by_dana = Provenance(klass=ProvenanceClass.AI, operator=DANA, authors=(DANA,))
    found = find_candidates(
        replace(case(changed(), provenance=by_dana), incidents=incidents), PEOPLE, now=NOW, owners=None
    )
    assert found.reviewers == ()


def test_members_of_a_team_stand_for_it():
    people = replace(PEOPLE, teams={"@Shop/Core": ("inesl", "dana@shop.example")})
    owners = read_owners({"CODEOWNERS": b"*.py @shop/core\n"}.get)
    found = find_candidates(case(changed()), people, now=NOW, owners=owners)
    assert people_of(found.reviewers) == [("inesl", "owns shop/pricing.py through @shop/core")]


def test_absent_owners_are_noticed_and_those_who_are_away_come_last():
    people = replace(PEOPLE, away={"ravi@shop.example": "2027-02-01", "inesl": "2020-01-01"})
    owners = read_owners({"CODEOWNERS": b"*.py ravi@shop.example @tomb\n"}.get)
    given_case = replace(case(changed()), file_knowledge=(did(RAVI, 50), did(TOM, 1, days=400), did(INES, 1)))
    found = find_candidates(given_case, people, now=NOW, owners=owners)
    assert people_of(found.reviewers) == [
        ("Ines L.", "1 commit to these files, last today"),
        ("Tom", "1 commit to these files, last 400 days ago; owns shop/pricing.py"
         "; absent? nothing from them here for 400 days"),
        ("Ravi", "50 commits to these files, last today; owns shop/pricing.py; away until 2027-02-01"),
    ]  # fmt: skip
