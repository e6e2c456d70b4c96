"""How fast changes may go: freezes, windows, cooling-off, time to review, limits and budgets."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from gatecli.config import Config, load
from gatecli.config.freeze import Freeze, read_freezes, write_freezes
from gatecli.config.requirements import Window
from gatecli.errors import UsageError
from gatecli.model import Approval, Binding, Blast, Counted, Decision, Memory, Passed, SignerKind
from gatecli.policy.pace import is_open, opens
from gatecli.policy.requirements import outcome, sign_off
from gatecli.policy.verdict import decide
from tests.policy.test_requirements import AI, HUMAN, LOW, NOW, given_case
from tests.scoring.cases import RAVI, case, changed, file, finding, function_id, revision

HOUR, DAY = 3_600, 86_400
BY_SENIOR = given_case(replace(AI, operator=RAVI))
"""Written by an agent whose operator is senior: nothing built in asks for anybody."""
PEOPLE = "people: {seniors: [ravi], aliases: {ravi: [ravi@shop.example]}}\n"


def policy(pace: str, more: str = "") -> Config:
    return load({".gate/policy.yml": f"{PEOPLE}{more}\npace: {pace}".encode()}.get)[0]


def yes(person: str, at: int | None = NOW - 60, kind: SignerKind = SignerKind.HUMAN) -> Approval:
    return Approval(person=person, at=at, source="github review", binding=Binding.DIFF, kind=kind)


def judged(config: Config, *approvals: Approval, about=HUMAN, findings=(), now: int = NOW, **more):
    signoff = sign_off(
        about, findings, LOW, config, now=now, reviewed=Counted(approvals=approvals), **more
    )  # fmt: skip
    return outcome(decide(about, findings, LOW, config), signoff).outcome, signoff


def result(config: Config, *approvals: Approval, **more) -> Decision:
    return judged(config, *approvals, **more)[0]


# --------------------------------------------------------------------------- freezes


def frozen(*scope: str, until: str = "2100-01-01T00:00Z", **more) -> tuple[Freeze, ...]:
    return (Freeze(scope=scope, until=until, reason="incident 42", **more),)


@pytest.mark.parametrize(
    ("freezes", "expected"),
    [
        (frozen("everything"), Decision.BLOCK),
        (frozen("shop/"), Decision.BLOCK),
        (frozen("pay/"), Decision.PASS),
        (frozen("service:pay"), Decision.BLOCK),
        (frozen("service:web"), Decision.PASS),
        (frozen("everything", until="2020-01-01T00:00Z"), Decision.PASS),
        (frozen("everything", since="2099-01-01T00:00Z"), Decision.PASS),
        (frozen("everything", dry_run=True), Decision.PASS),
    ],
)
def test_a_freeze_blocks_what_it_names_while_it_holds(freezes, expected):
    about = case(changed(), blast={function_id(): Blast(services=("pay",))})
    found, signoff = judged(Config(), yes("ravi"), about=about, freezes=freezes)
    assert found is expected
    if freezes[0].dry_run:
        assert "it stops nothing" in signoff.tree[0].why


def test_a_freeze_says_what_it_says():
    _, signoff = judged(Config(), freezes=frozen("shop/", by="ines"))
    (row,) = signoff.requirements
    assert (row.name, row.reason) == (
        "freeze of shop/",
        "incident 42; shop/ is frozen until 2100-01-01 00:00 UTC by ines",
    )


def test_freezes_are_written_as_they_are_read():
    freezes = (*frozen("shop/", "service:pay", by="off"), *frozen("everything", dry_run=True))
    assert read_freezes({".gate/freeze.yml": write_freezes(freezes).encode()}.get) == freezes


@pytest.mark.parametrize(
    "text",
    [
        "freezes: [{scope: [a], until: tomorrow, reason: x}]",
        "freezes: [{scope: [a], until: '2026-12-01T08:00', reason: x}]",
        "freezes: [{scope: [], until: '2026-12-01T08:00Z', reason: x}]",
        "freezes: [{until: '2026-12-01T08:00Z', reason: x}]",
        "freeze: []",
        "freezes: [",
        "freezes: {}",
    ],
)
def test_attack_a_freeze_that_cannot_be_read_stops_the_run(text):
    with pytest.raises(UsageError, match=r"\.gate/freeze\.yml"):
        read_freezes({".gate/freeze.yml": text.encode()}.get)


# --------------------------------------------------------------------------- windows

BERLIN = Window(days=("mon", "tue", "wed", "thu"), start="09:00", until="16:00", zone="Europe/Berlin")
NIGHT = Window(days=("fri",), start="22:00", until="04:00", zone="America/New_York")
SPRING = Window(days=("sun",), start="02:00", until="03:00", zone="Europe/Berlin")
"""On 2026-03-29 there is no such hour; on 2026-10-25 it comes twice."""


def at(text: str, zone: str = "UTC", fold: int = 0) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp())


@pytest.mark.parametrize(
    ("window", "moment", "expected"),
    [
        (BERLIN, at("2026-11-26T09:00", "Europe/Berlin"), True),
        (BERLIN, at("2026-11-26T08:59", "Europe/Berlin"), False),
        (BERLIN, at("2026-11-26T16:00", "Europe/Berlin"), False),
        (BERLIN, at("2026-11-27T10:00", "Europe/Berlin"), False),
        (BERLIN, at("2026-07-02T07:00"), True),  # 09:00 in summer
        (BERLIN, at("2026-11-26T07:30"), False),  # 08:30 in winter
        (NIGHT, at("2026-11-27T23:00", "America/New_York"), True),
        (NIGHT, at("2026-11-28T03:59", "America/New_York"), True),
        (NIGHT, at("2026-11-28T04:00", "America/New_York"), False),
        (NIGHT, at("2026-11-27T03:00", "America/New_York"), False),
        (SPRING, at("2026-03-29T00:59"), False),
        (SPRING, at("2026-03-29T01:00"), False),  # 03:00 in Berlin: the hour is left out
        (SPRING, at("2026-10-25T02:30", "Europe/Berlin"), True),
        (SPRING, at("2026-10-25T02:30", "Europe/Berlin", fold=1), True),
    ],
)
def test_a_window_goes_by_the_clock_on_the_wall(window, moment, expected):
    assert is_open(window, moment) is expected


def test_when_a_window_opens_next():
    assert opens(BERLIN, at("2026-11-27T10:00")) == at("2026-11-30T09:00", "Europe/Berlin")
    # The hour that is left out on the 29th is no opening.
    assert opens(SPRING, at("2026-03-28T00:00")) == at("2026-04-05T02:00", "Europe/Berlin")


def test_outside_its_window_a_change_waits():
    config = policy("{windows: [{days: [mon, tue, wed, thu], start: '09:00', until: '16:00', zone: Europe/Berlin}]}")
    assert result(config, now=at("2026-11-26T12:00")) is Decision.PASS
    found, signoff = judged(config, yes("ravi"), now=at("2026-11-27T12:00"))
    assert found is Decision.REVIEW
    assert "opens 2026-11-30 08:00 UTC" in signoff.requirements[0].reason


def test_pace_applies_to_what_it_names():
    config = policy("{applies: {provenance: [ai]}, windows: [{days: [mon], start: '00:00', until: '00:01'}]}")
    assert result(config, now=at("2026-11-27T12:00")) is Decision.PASS
    assert result(config, about=BY_SENIOR, now=at("2026-11-27T12:00")) is Decision.REVIEW


# --------------------------------------------------------------------------- cooling-off

COOL = policy("{cooling_off: {hours_per_100_lines: 100, waived_by: 2}}")  # three lines: three hours


@pytest.mark.parametrize(
    ("memory", "expected"),
    [
        (Memory(first_seen=NOW - 3 * HOUR), Decision.PASS),
        (Memory(first_seen=NOW - 3 * HOUR + 1), Decision.REVIEW),
        (Memory(), Decision.REVIEW),
        (None, Decision.REVIEW),
        (Memory(first_seen=NOW - DAY, problem="line 3 is no entry"), Decision.REVIEW),
    ],
)
def test_a_content_lies_from_when_it_was_first_seen(memory, expected):
    assert result(COOL, memory=memory) is expected


def test_attack_a_first_sight_in_the_future_does_not_shorten_the_wait():
    assert result(COOL, memory=Memory(first_seen=NOW + DAY)) is Decision.REVIEW
    assert result(COOL, memory=Memory(first_seen=NOW + DAY), now=NOW + 1) is Decision.REVIEW


def test_two_people_waive_it_and_one_of_them_under_two_names_does_not():
    assert result(COOL, yes("ravi"), yes("tom"), memory=Memory()) is Decision.PASS
    assert result(COOL, yes("ravi"), yes("ravi@shop.example"), memory=Memory()) is Decision.REVIEW
    assert result(COOL, yes("ravi"), yes("bot", kind=SignerKind.AGENT), memory=Memory()) is Decision.REVIEW


def test_a_tier_lies_longer():
    config = policy("{cooling_off: {hours: 1, tiers: {critical: 24}}}", "tiers: {critical: {rules: ['M*']}}")
    memory = Memory(first_seen=NOW - 2 * HOUR)
    assert result(config, memory=memory) is Decision.PASS
    assert result(config, memory=memory, findings=[finding(code="M01")]) is Decision.REVIEW


# --------------------------------------------------------------------------- time to review

QUICK = load(
    {".gate/policy.yml": b"requirements: [{name: a, requires: [{}]}]\npace: {review_seconds_per_100_lines: 600}"}.get
)[0]


@pytest.mark.parametrize(
    ("approved_at", "expected"),
    [(NOW - 100 + 1_800, Decision.PASS), (NOW - 100 + 20, Decision.REVIEW), (None, Decision.REVIEW),
     (NOW - 10_000, Decision.REVIEW)],
)  # fmt: skip
def test_attack_an_approval_seconds_after_three_hundred_lines_were_pushed(approved_at, expected):
    about = case(changed(), files=(file(added=300),))
    memory = Memory(first_seen=NOW - 100)
    found, signoff = judged(QUICK, yes("tom", approved_at), about=about, memory=memory)
    assert found is expected
    if approved_at == NOW - 80:
        assert signoff.dismissed[0].reason == "approved 20 s after the push: 300 lines want 1,800 s"


def test_without_a_record_the_clock_starts_when_the_newest_commit_was_written():
    about = case(changed(), files=(file(added=300),), revisions=(replace(revision(), authored_at=NOW - 100),))
    assert result(QUICK, yes("tom", NOW - 80), about=about) is Decision.REVIEW
    assert result(QUICK, yes("tom", NOW + 1_700), about=about) is Decision.PASS


# --------------------------------------------------------------------------- limits and budgets


def passed(digest: str, *, ago: int = HOUR, lines: int = 50, by_agent: bool = True, humans: int = 0) -> Passed:
    return Passed(digest=digest, at=NOW - ago, lines=lines, by_agent=by_agent, humans=humans, services=("pay",))


def test_agents_may_pass_so_many_changes_in_so_many_hours():
    config = policy("{limits: [{changes: 2, hours: 24}]}")
    two = (passed("a"), passed("b"))
    assert result(config, about=BY_SENIOR, memory=Memory(passed=two)) is Decision.REVIEW
    assert result(config, about=HUMAN, memory=Memory(passed=two)) is Decision.PASS
    assert result(config, about=BY_SENIOR, memory=Memory(passed=(passed("a"), passed("a")))) is Decision.PASS
    assert result(config, about=BY_SENIOR, memory=Memory(passed=(passed("a"), passed("d")))) is Decision.PASS
    assert (
        result(config, about=BY_SENIOR, memory=Memory(passed=(passed("a"), passed("b", ago=2 * DAY)))) is Decision.PASS
    )
    assert result(config, about=BY_SENIOR, memory=None) is Decision.REVIEW


def test_a_limit_of_a_service_counts_that_service():
    config = policy("{limits: [{changes: 1, per: service}]}")
    pay = replace(BY_SENIOR, blast={function_id(): Blast(services=("pay",))})
    web = replace(BY_SENIOR, blast={function_id(): Blast(services=("web",))})
    memory = Memory(passed=(passed("a"),))
    assert result(config, about=pay, memory=memory) is Decision.REVIEW
    assert result(config, about=web, memory=memory) is Decision.PASS
    assert result(config, about=BY_SENIOR, memory=memory) is Decision.REVIEW  # where it runs is not known


def test_attack_a_record_dated_in_the_future_still_counts():
    config = policy("{limits: [{changes: 1}]}")
    assert result(config, about=BY_SENIOR, memory=Memory(passed=(passed("a", ago=-DAY),))) is Decision.REVIEW


def test_lines_without_a_human_have_a_budget():
    config = policy("{budget: {lines: 100, days: 7}}")
    assert result(config, memory=Memory(passed=(passed("a", lines=97),))) is Decision.PASS
    assert result(config, memory=Memory(passed=(passed("a", lines=98),))) is Decision.REVIEW
    assert result(config, memory=Memory(passed=(passed("a", lines=98, humans=1),))) is Decision.PASS
    assert result(config, yes("tom"), memory=Memory(passed=(passed("a", lines=98),))) is Decision.PASS
    agent = yes("bot", kind=SignerKind.AGENT)
    assert result(config, agent, memory=Memory(passed=(passed("a", lines=98),))) is Decision.REVIEW
