import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecli.config import People
from gatecli.model import Person
from gatecli.provenance.identity import directory, login_of

KNOWN = directory(
    People(
        seniors=("ines@shop.example", "@ravi", "Mei Lin", "42+tomb@users.noreply.github.com"),
        aliases={
            "ravi": ("ravi@shop.example", "R.Shah@old.example"),
            "Mei Lin": ("mei@shop.example", "meilin"),
            "dana": ("dana@shop.example", "7+danacodes@users.noreply.github.com"),
        },
    )
)


def person(name: str, email: str) -> Person:
    return Person(name=name, email=email)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (person("Ravi", "ravi@shop.example"), person("R. Shah", "r.shah@OLD.example")),
        (person("Ravi", "ravi@shop.example"), person("x", "12+ravi@users.noreply.github.com")),
        (person("Tom", "42+tomb@users.noreply.github.com"), person("", "tomb@users.noreply.github.com")),
        (person("Mei", "mei@shop.example"), person("M", "99+MeiLin@users.noreply.github.com")),
        (person("Ada", "Ada@Lovelace.example"), person("A. L.", "ada@lovelace.example ")),
        (person("Dana", "dana@shop.example"), person("D", "danacodes@users.noreply.github.com")),
    ],
)
def test_one_person_under_two_addresses(one, other):
    assert KNOWN.key(one) == KNOWN.key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (person("Ravi", "ravi@shop.example"), person("Ravi", "ravi@other.example")),
        (person("Tom", "42+tomb@users.noreply.github.com"), person("Tom", "tomb@shop.example")),
        (person("Alex", "alex@a.example"), person("Alex", "alex@b.example")),
    ],
)
def test_two_people(one, other):
    assert KNOWN.key(one) != KNOWN.key(other)


@pytest.mark.parametrize(
    ("who", "senior"),
    [
        (person("x", "INES@shop.example"), True),
        (person("x", "r.shah@old.example"), True),
        (person("x", "5+ravi@users.noreply.github.com"), True),
        (person("mei lin", "private@home.example"), True),
        (person("x", "meilin@users.noreply.github.com"), True),
        (person("Tom", "tomb@users.noreply.github.com"), True),
        (person("Dana", "dana@shop.example"), False),
        (person("Mei", "mei@elsewhere.example"), False),
        (person("Mei Lin Wong", "wong@shop.example"), False),
        (person("", ""), False),
    ],
    ids=str,
)
def test_who_is_senior(who, senior):
    assert KNOWN.is_senior(who) is senior


@pytest.mark.parametrize(
    ("login", "senior"),
    [("ravi", True), ("RAVI", True), ("@ravi", True), ("meilin", True), ("tomb", True), ("danacodes", False),
     ("ines", False), ("", False), ("stranger", False)],
)  # fmt: skip
def test_which_account_is_senior(login, senior):
    assert KNOWN.lists_as_senior(login) is senior


def test_an_account_is_its_commit_address():
    assert KNOWN.key_of("DanaCodes") == KNOWN.key(person("Dana", "dana@shop.example"))
    assert login_of(person("x", "123+Some-One@users.noreply.github.com")) == "some-one"
    assert login_of(person("x", "some-one@github.com")) is None


def test_nobody_is_senior_without_a_list():
    nobody = directory(People())
    assert not nobody.is_senior(person("Ines", "ines@shop.example"))
    assert not nobody.is_senior(person("", ""))
    assert not nobody.lists_as_senior("")


@given(st.text(max_size=40), st.text(st.characters(codec="ascii"), max_size=40))
def test_any_claim_has_a_stable_key(name, email):
    who = person(name, email)
    assert KNOWN.key(who) == KNOWN.key(person(name, email.upper().lower()))
    assert isinstance(KNOWN.is_senior(who), bool)


def test_a_team_on_the_senior_list_is_its_members():
    known = directory(People(seniors=("@acme/staff", "mei"), teams={"acme/Staff": ("ravi", "tom@shop.example")}))
    assert known.lists_as_senior("ravi")
    assert known.lists_as_senior("tom@shop.example")
    assert known.lists_as_senior("mei")
    assert not known.lists_as_senior("acme/staff")


MAILMAP = b"""\
# Who is who
Dana Reed <dana@shop.example> <dreed@contractor.example>
Dana Reed <dana@shop.example> Builds <builds@shop.example>
<ines@shop.example> <ines@home.example>
Ravi <ravi@shop.example>
nonsense
Mallory <ravi@shop.example> <mallory@shop.example>
"""


@pytest.mark.parametrize(
    ("name", "email", "key"),
    [
        ("D", "dreed@contractor.example", "dana@shop.example"),
        ("D", "DREED@Contractor.example", "dana@shop.example"),
        ("Builds", "builds@shop.example", "dana@shop.example"),
        ("Tom", "builds@shop.example", "builds@shop.example"),
        ("Ines", "ines@home.example", "ines@shop.example"),
        ("R", "ravi@shop.example", "ravi@shop.example"),
    ],
)
def test_the_mailmap_joins_addresses(name, email, key):
    assert directory(People(), MAILMAP).key(person(name, email)) == key


def test_the_mailmap_makes_nobody_senior():
    known = directory(People(seniors=("ravi@shop.example",)), MAILMAP)
    mallory = person("M", "mallory@shop.example")
    assert known.key(mallory) == known.key_of("ravi@shop.example")
    assert not known.is_senior(mallory)
    assert not known.lists_as_senior("mallory@shop.example")
