"""How fast changes may go: freezes, windows, cooling-off, time to review, agents' changes, lines without a human.

Each is a branch of the tree like any requirement. What has to be remembered is handed in; where it was to be and is
not, the answer is an error, not a pass.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from gatecli.config.freeze import EVERYTHING, SERVICE, Freeze, moment
from gatecli.config.requirements import Budget, CoolingOff, Limit, Pace, Window
from gatecli.model import (
    Branch,
    Counted,
    Decision,
    Dismissal,
    Memory,
    Mode,
    Passed,
    ProvenanceClass,
    Requirement,
    RequirementStatus,
    SignerKind,
)
from gatecli.policy.conditions import Facts, holds

Status = RequirementStatus
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FREEZE = "freeze"


def branches(
    pace: Pace, freezes: Iterable[Freeze], about: Facts, memory: Memory | None, reviewed: Counted, *, now: int
) -> tuple[Branch, ...]:
    """Everything of the pace that applies to a change, and how it stands now."""
    if not about.paths:
        return ()
    found = list(_frozen(freezes, about, now))
    if holds(pace.applies, about) is False:
        return tuple(found)
    if pace.windows:
        found.append(_window(pace.windows, now))
    if pace.cooling_off is not None:
        found.append(_cooling_off(pace.cooling_off, about, memory, reviewed, now))
    if _by_agent(about):
        found += [_limit(limit, about, memory, now) for limit in pace.limits]
    if pace.budget is not None:
        found.append(_budget(pace.budget, about, memory, reviewed, now))
    return tuple(found)


def rows(found: Iterable[Branch]) -> Iterator[Requirement]:
    """What of it binds: a freeze blocks, the rest asks for time."""
    for one in found:
        if one.mode is Mode.ENFORCE:
            yield Requirement(
                name=one.text,
                count=1,
                kind="time",
                role="",
                reason=one.why,
                status=one.status,
                satisfied_by=one.satisfied_by,
                level=Decision.BLOCK if one.text.startswith(FREEZE) else Decision.REVIEW,
                built_in=False,
            )


def timely(pace: Pace, about: Facts, memory: Memory | None, reviewed: Counted) -> Counted:
    """The approvals that nobody gave faster than the change can be read.

    The clock starts when the content was first seen here; where that is not recorded, at the author date of the newest
    commit, which a rebase keeps.
    """
    least = pace.review_seconds_per_100_lines * _lines(about) / 100
    started = memory.first_seen if memory else None
    if started is None:
        started = max((one.authored_at for one in about.case.change.revisions[:1]), default=None)
    if not least or holds(pace.applies, about) is False or started is None:
        return reviewed
    kept, dismissed = [], list(reviewed.dismissed)
    for one in reviewed.approvals:
        if one.kind is SignerKind.AGENT or (one.at is not None and one.at >= started + least):
            kept.append(one)
            continue
        took = f"{max(0, one.at - started):,} s" if one.at is not None else "an unknown time"
        why = f"approved {took} after the push: {_lines(about):,} lines want {least:,.0f} s"
        dismissed.append(Dismissal(by=one.person, reason=why, source=one.source))
    return replace(reviewed, approvals=tuple(kept), dismissed=tuple(dismissed))


def _frozen(freezes: Iterable[Freeze], about: Facts, now: int) -> Iterator[Branch]:
    for one in freezes:
        if not one.is_in_force(now):
            continue
        paths = [scope for scope in one.scope if not scope.startswith(SERVICE) and scope != EVERYTHING]
        touched = about.matching(paths) if paths else []
        services = {scope.removeprefix(SERVICE) for scope in one.scope if scope.startswith(SERVICE)}
        if EVERYTHING not in one.scope and not touched and not services & about.services:
            continue
        what = ", ".join(one.scope[:3])
        why = f"{one.reason}; {what} is frozen until {shown(moment(one.until))} by {one.by}"
        yield Branch(
            text=f"{FREEZE} of {what}",
            status=Status.UNSATISFIED,
            why=f"{why} (dry run: it stops nothing)" if one.dry_run else why,
            mode=Mode.SHADOW if one.dry_run else Mode.ENFORCE,
        )


# --------------------------------------------------------------------------- windows


def _window(windows: tuple[Window, ...], now: int) -> Branch:
    said = "; ".join(f"{' '.join(one.days)} {one.start}-{one.until} {one.zone}" for one in windows[:3])
    if any(is_open(one, now) for one in windows):
        return Branch(text="change window", status=Status.SATISFIED, why=said)
    following = min((at for one in windows if (at := opens(one, now)) is not None), default=None)
    then = f"; opens {shown(following)}" if following is not None else ""
    return Branch(text="change window", status=Status.UNSATISFIED, why=said + then)


def is_open(window: Window, at: int) -> bool:
    """Whether a window is open at a time, by the clock on the wall there: an hour may come twice, or not at all."""
    local = datetime.fromtimestamp(at, ZoneInfo(window.zone))
    minute, start, until = local.hour * 60 + local.minute, _minute(window.start), _minute(window.until)
    today, yesterday = _DAYS[local.weekday()], _DAYS[local.weekday() - 1]
    if start < until:
        return today in window.days and start <= minute < until
    return (today in window.days and minute >= start) or (yesterday in window.days and minute < until)


def opens(window: Window, now: int) -> int | None:
    """When a window opens next; None if it does not within eight days."""
    zone = ZoneInfo(window.zone)
    today = datetime.fromtimestamp(now, zone).date()
    start = _minute(window.start)
    for days in range(9):
        day = today + timedelta(days=days)
        local = datetime(day.year, day.month, day.day, start // 60 % 24, start % 60, tzinfo=zone)
        at = int(local.timestamp())
        if at > now and is_open(window, at):
            return at
    return None


def _minute(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    return int(hours) * 60 + int(minutes)


# --------------------------------------------------------------------------- what has to be remembered


def _unknown(text: str, memory: Memory | None) -> Branch | None:
    """An error where decisions are not recorded, or the record is not what was written."""
    if memory is None:
        return Branch(text=text, status=Status.ERROR, why="decisions are not recorded: run gate check with --ledger")
    if memory.problem is not None:
        return Branch(text=text, status=Status.ERROR, why=f"the record of decisions is damaged: {memory.problem}")
    return None


def _cooling_off(rule: CoolingOff, about: Facts, memory: Memory | None, reviewed: Counted, now: int) -> Branch:
    lines = _lines(about)
    hours = max(
        rule.hours,
        rule.hours_per_100_lines * lines / 100,
        *(
            hours
            for tier, hours in rule.tiers.items()
            if tier not in about.config.tiers or holds(about.config.tiers[tier], about) is not False
        ),
        0,
    )
    hours = min(hours, rule.at_most_hours)
    text = "cooling-off"
    if (error := _unknown(text, memory)) is not None:
        return error
    humans = _humans(reviewed, about)
    if rule.waived_by is not None and len(humans) >= rule.waived_by:
        why = f"waived by {len(humans)} people who approved"
        return Branch(text=text, status=Status.SATISFIED, why=why, satisfied_by=humans)
    seen = memory.first_seen if memory is not None and memory.first_seen is not None else now
    ends = min(seen, now) + round(hours * 3_600) if seen <= now else now + round(hours * 3_600)
    why = f"{lines:,} lines lie for {hours:g} h from when this content was first seen, until {shown(ends)}"
    return Branch(text=text, status=Status.SATISFIED if now >= ends else Status.UNSATISFIED, why=why)


def _limit(limit: Limit, about: Facts, memory: Memory | None, now: int) -> Branch:
    text = f"{limit.changes:,} agent changes in {limit.hours:g} h"
    text += " a service" if limit.per == "service" else ""
    if (error := _unknown(text, memory)) is not None:
        return error
    recent = [one for one in _others(memory, about, now - limit.hours * 3_600) if one.by_agent]
    if limit.per == "service":
        counts = {name: sum(name in one.services for one in recent) for name in sorted(about.services)}
        # Where it runs is not known: it may be any service.
        where, most = max(counts.items(), key=lambda pair: pair[1], default=("any service", len(recent)))
    else:
        where, most = "the repository", len(recent)
    status = Status.SATISFIED if most < limit.changes else Status.UNSATISFIED
    return Branch(text=text, status=status, why=f"{most:,} have passed in {where}")


def _budget(budget: Budget, about: Facts, memory: Memory | None, reviewed: Counted, now: int) -> Branch:
    text = f"{budget.lines:,} lines without a human in {budget.days:g} days"
    humans = _humans(reviewed, about)
    if humans:
        return Branch(text=text, status=Status.SATISFIED, why="a human approved this one", satisfied_by=humans)
    if (error := _unknown(text, memory)) is not None:
        return error
    spent = sum(one.lines for one in _others(memory, about, now - budget.days * 86_400) if not one.humans)
    left = budget.lines - spent - _lines(about)
    why = f"{spent:,} lines have passed, this change has {_lines(about):,}; a human's approval needs no budget"
    return Branch(text=text, status=Status.SATISFIED if left >= 0 else Status.UNSATISFIED, why=why)


def _others(memory: Memory | None, about: Facts, since: float) -> list[Passed]:
    """What passed since, each content once and not the one that is judged; what is dated in the future counts."""
    passed = {one.digest: one for one in (memory.passed if memory else ()) if one.at >= since}
    return [one for digest, one in passed.items() if digest != about.case.change.digest]


def _humans(reviewed: Counted, about: Facts) -> tuple[str, ...]:
    people = {about.known.key_of(one.person): one.person for one in reviewed.approvals if one.kind is SignerKind.HUMAN}
    return tuple(people.values())


def _by_agent(about: Facts) -> bool:
    return about.case.provenance.klass is not ProvenanceClass.NO_EVIDENCE


def _lines(about: Facts) -> int:
    return about.case.change.added_count + about.case.change.deleted_count


def shown(at: int) -> str:
    """A time (epoch seconds) in words."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
