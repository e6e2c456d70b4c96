"""Who knows the touched functions and files: who changed them, repaired them and ended incidents, for a sign-off."""

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace

from gatecli.model import Candidate, Closeness, FileKnowledge, FunctionHistory, PastCommit, Person, Recollection

HALF_LIFE_DAYS = 365
"""A judgement: a year after the last change, knowledge of a function counts half."""

FILE_WEIGHT = 0.25
"""A judgement: four changes elsewhere in a file teach as much of a function as one of its own."""

REPAIR_WEIGHT = 3
"""A judgement: whoever took a change back or ended an incident has understood what went wrong."""

INCIDENT_WEIGHT = 6
"""A judgement: an incident that somebody ended in the very function teaches twice what a repair in its file does."""

NEIGHBOUR_WEIGHT = 2
"""A judgement: an incident one call away shows the function from outside, which teaches less."""

_DAY = 86_400
_REPAIR = re.compile(
    r"^revert\b|\b(?:hot-?fix|incident|outage|post-?mortem|roll(?:ed)? ?back|INC-\d{1,9}|SEV-?\d)\b", re.IGNORECASE
)


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


def of_files(
    commits: Iterable[PastCommit],
    paths: Collection[str],
    *,
    identify: Callable[[Person], str] = str,
    counted: Collection[str] = (),
) -> tuple[FileKnowledge, ...]:
    """Who worked in some files, and who repaired something there as far as the subject of a commit tells.

    Repairs that are ``counted`` already, as they ended an incident, are commits like any other.
    """
    found: dict[str, FileKnowledge] = {}
    for commit in commits:
        if any(path in paths for path, _ in commit.files):
            key = identify(commit.author)
            earlier = found.get(key)
            is_repair = commit.sha not in counted and _REPAIR.search(commit.subject) is not None
            found[key] = FileKnowledge(
                person=earlier.person if earlier else commit.author,
                changes=1 + (earlier.changes if earlier else 0),
                repairs=is_repair + (earlier.repairs if earlier else 0),
                last_at=max(commit.committed_at, earlier.last_at if earlier else 0),
            )
    return tuple(sorted(found.values(), key=lambda one: (-one.changes, -one.last_at, str(one.person))))


def with_files(
    ranked: Iterable[Candidate], known: Iterable[tuple[str, FileKnowledge]], *, now: int
) -> tuple[Candidate, ...]:
    """The ranking with what people did in the files around: ``known`` pairs the name in the ranking with it."""
    people = {one.person: one for one in ranked}
    for name, file in known:
        earlier = people.get(name)
        days = max(0, now - file.last_at) // _DAY
        commits = "1 commit" if file.changes == 1 else f"{file.changes:,} commits"
        repaired = "1 repair" if file.repairs == 1 else f"{file.repairs:,} repairs"
        facts = [f"{commits} to these files, last {_ago(days)}"] if earlier is None else [earlier.evidence]
        text = "; ".join(facts + ([f"{repaired} in these files"] if file.repairs else []))
        weight = FILE_WEIGHT * file.changes + REPAIR_WEIGHT * file.repairs
        people[name] = Candidate(
            person=name,
            evidence=text,
            score=(earlier.score if earlier else 0) + weight * 0.5 ** (days / HALF_LIFE_DAYS),
        )
    return tuple(sorted(people.values(), key=lambda candidate: (-candidate.score, candidate.person)))


def with_incidents(
    ranked: Iterable[Candidate], recalled: Iterable[Recollection], *, name: Callable[[Person], str | None]
) -> tuple[Candidate, ...]:
    """The ranking with the incidents that people ended in the touched functions, or one call from them.

    Each counts by its own age, halved for every year; ``name`` says how the ranking calls a person, None: not asked.
    """
    people = {one.person: one for one in ranked}
    ended: dict[str, list[Recollection]] = {}
    for one in recalled:
        for person in dict.fromkeys(name(handler.person) for handler in one.handlers):
            if person is not None:
                ended.setdefault(person, []).append(one)
    for person, found in ended.items():
        earlier = people.get(person, Candidate(person=person, evidence=""))
        text = "; ".join(filter(None, (earlier.evidence, _ended(found))))
        people[person] = replace(earlier, evidence=text, score=earlier.score + sum(map(_worth, found)))
    return tuple(sorted(people.values(), key=lambda candidate: (-candidate.score, candidate.person)))


def _worth(one: Recollection) -> float:
    weight = INCIDENT_WEIGHT if one.closeness is Closeness.SAME else NEIGHBOUR_WEIGHT
    worth: float = weight * 0.5 ** (one.age_days / HALF_LIFE_DAYS)
    return worth


def _ended(found: list[Recollection]) -> str:
    """``handled INC-12 (2026-03-02) in price_order``, the one that counts for most, and how many more."""
    best = max(found, key=lambda one: (_worth(one), one.incident.id))
    where = (
        f"in {best.touched[0].name}" if best.closeness is Closeness.SAME else f"one call from {best.touched[0].name}"
    )
    more = len(found) - 1
    others = f" and {more:,} more incident{'s' if more > 1 else ''}" if more else ""
    return f"handled {best.incident.id} ({best.incident.day}) {where}{others}"


def _candidate(known: _Knowledge, name: str, now: int) -> Candidate:
    days = max(0, now - known.last_at) // _DAY
    changes = "1 change" if known.changes == 1 else f"{known.changes:,} changes"
    return Candidate(
        person=name,
        evidence=f"{changes} here, last {_ago(days)}",
        score=known.changes * 0.5 ** (days / HALF_LIFE_DAYS),
    )


def _ago(days: int) -> str:
    return "today" if days == 0 else "yesterday" if days == 1 else f"{days:,} days ago"
