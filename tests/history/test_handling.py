"""Who ended an incident, told by its record and by later commits."""

from datetime import date

import pytest

from gatecli.history.handling import handlers, repairing
from gatecli.history.outcomes import repairs
from gatecli.model import Handler, Incident, IncidentSeverity, Person, Revision

CAUSE, OTHER, FIX = "1f3a9c2e" * 5, "9b1c22d0" * 5, "71e0aa41" * 5
INES = Person(name="Ines", email="ines@shop.example")
RAVI = Person(name="Ravi", email="ravi@shop.example")


def incident(**more) -> Incident:
    return Incident(id="INC-42", day=date(2026, 8, 14), severity=IncidentSeverity.SEV2, caused_by=(CAUSE,), **more)


def told(sha: str, message: str, author: Person = RAVI) -> Revision:
    return Revision(sha=sha, author=author, committer=author, authored_at=0, committed_at=0, message=message)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (f'Revert "Round prices"\n\nThis reverts commit {CAUSE}.', True),
        (f"Round half to even\n\nFixes: {CAUSE[:12]} (Round prices)", True),
        (f"Round half to even\n\nFixes: {CAUSE[:9].upper()}", True),
        (f"Prices: regression from {CAUSE[:7]}", True),
        (f"Back out {OTHER[:12]} and {CAUSE[:12]}", True),
        (f"Follow {CAUSE[:12]} with a test", False),
        (f"Round half to even\n\nFixes: {OTHER}", False),
        (f"> This reverts commit {CAUSE}.", False),
        (f'Reapply "Round prices"\n\nThis reverts commit {CAUSE}.', False),
        (f'Revert "Revert "Round prices""\n\nThis reverts commit {CAUSE}.', False),
        ("", False),
    ],
)
def test_a_message_says_that_it_repairs(message, expected):
    assert repairs(message, CAUSE) is expected
    assert repairs(message, CAUSE[:7]) is expected


def test_the_cause_is_not_its_own_repair():
    later = [told(FIX, f"Fixes: {CAUSE}"), told(CAUSE, f"Fixes: {CAUSE}"), told(OTHER, "Something else")]
    assert [one.sha for one in repairing(incident(), later)] == [FIX]


def test_repairs_and_names_of_the_record_are_handlers_each_once():
    record = incident(handled_by=("ravi@shop.example", "mei"))
    found = handlers(record, fixed=[(FIX, RAVI), (OTHER, RAVI)], caused=(), identify=lambda one: one.email or one.name)
    assert found == (Handler(person=RAVI, commit=FIX), Handler(person=Person(name="mei", email="")))


def test_whoever_caused_it_is_not_credited_with_ending_it():
    record = incident(handled_by=("Ravi",))
    found = handlers(record, fixed=[(FIX, INES)], caused=[INES], identify=lambda one: one.name.casefold())
    assert found == (Handler(person=Person(name="Ravi", email="")),)
    assert handlers(record, fixed=(), caused=[RAVI], identify=lambda one: one.name.casefold()) == ()
