"""Who knows the touched functions: the people who changed them before, ranked for a sign-off."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gatecli.model import Candidate, FunctionHistory, Person

HALF_LIFE_DAYS = 365
"""A judgement: a year after the last change, knowledge of a function counts half."""

_DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class _Knowledge:
    person: Person
    changes: int
    last_at: int


def rank(
    histories: Iterable[FunctionHistory],
    *,
    now: int,
    exclude: Callable[[Person], bool],
    identify: Callable[[Person], str] = str,
    name: Callable[[Person], str] = lambda person: person.name or person.email,
) -> tuple[Candidate, ...]:
    """The people who changed the functions, best knowledge first: changes, halved for every year since the last one.

    Args:
        histories: Of the touched functions.
        now: Epoch seconds.
        exclude: Who cannot sign: authors, the operator, bots.
        identify: What two mentions of one person share.
        name: How to call a person.
    """
    known: dict[str, _Knowledge] = {}
    for history in histories:
        for one in history.authors:
            key, earlier = identify(one.person), known.get(identify(one.person))
            newest = one.person if earlier is None or one.last_at > earlier.last_at else earlier.person
            known[key] = _Knowledge(
                person=newest,
                changes=one.changes + (earlier.changes if earlier else 0),
                last_at=max(one.last_at, earlier.last_at if earlier else one.last_at),
            )
    candidates = [_candidate(one, name(one.person), now) for one in known.values() if not exclude(one.person)]
    return tuple(sorted(candidates, key=lambda candidate: (-candidate.score, candidate.person)))


def _candidate(known: _Knowledge, name: str, now: int) -> Candidate:
    days = max(0, now - known.last_at) // _DAY
    changes = "1 change" if known.changes == 1 else f"{known.changes:,} changes"
    when = "today" if days == 0 else "yesterday" if days == 1 else f"{days:,} days ago"
    return Candidate(
        person=name,
        evidence=f"{changes} here, last {when}",
        score=known.changes * 0.5 ** (days / HALF_LIFE_DAYS),
    )
