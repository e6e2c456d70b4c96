import pytest

from gatecli.history.ownership import rank
from gatecli.model import Authorship, Candidate, FunctionHistory, HistoryStatus, Person

DAY = 86_400
NOW = 1_800_000_000
INES = Person(name="Ines", email="ines@shop.example")
RAVI = Person(name="Ravi", email="ravi@shop.example")
DANA = Person(name="Dana", email="dana@shop.example")
BOT = Person(name="", email="bot@ci.example")


def history(*authors: Authorship) -> FunctionHistory:
    return FunctionHistory(status=HistoryStatus.KNOWN, authors=authors)


def changes(person: Person, count: int, days_ago: float) -> Authorship:
    return Authorship(person=person, changes=count, last_at=int(NOW - days_ago * DAY))


def test_changes_are_summed_over_functions_and_fade_with_the_years():
    histories = [
        history(changes(RAVI, 20, 12), changes(INES, 30, 730)),
        history(changes(RAVI, 11, 300), changes(DANA, 40, 0)),
        FunctionHistory(status=HistoryStatus.NEW, changes=0),
    ]
    ranked = rank(histories, now=NOW, exclude=lambda person: person == DANA)
    assert [(one.person, one.evidence) for one in ranked] == [
        ("Ravi", "31 changes here, last 12 days ago"),
        ("Ines", "30 changes here, last 730 days ago"),
    ]
    assert ranked[0].score == pytest.approx(31 * 0.5 ** (12 / 365))
    assert ranked[1].score == pytest.approx(7.5)


@pytest.mark.parametrize(
    ("count", "days", "evidence"),
    [
        (1, 0, "1 change here, last today"),
        (2, 1.5, "2 changes here, last yesterday"),
        (1234, 2, "1,234 changes here, last 2 days ago"),
        (1, -400, "1 change here, last today"),
    ],
)
def test_evidence_reads_like_a_sentence(count, days, evidence):
    assert rank([history(changes(BOT, count, days))], now=NOW, exclude=lambda person: False) == (
        Candidate(person="bot@ci.example", evidence=evidence, score=count * 0.5 ** (int(max(0, days)) / 365)),
    )


def test_one_person_under_two_addresses_is_one_candidate_under_the_newest():
    home = Person(name="R.", email="RAVI@shop.example")
    ranked = rank(
        [history(changes(RAVI, 3, 50), changes(home, 2, 5))],
        now=NOW,
        exclude=lambda person: False,
        identify=lambda person: person.email.lower(),
        name=lambda person: f"<{person.name}>",
    )
    assert [(one.person, one.evidence) for one in ranked] == [("<R.>", "5 changes here, last 5 days ago")]


def test_nobody_knows_what_is_new():
    assert rank([FunctionHistory(status=HistoryStatus.NEW)], now=NOW, exclude=lambda person: False) == ()
