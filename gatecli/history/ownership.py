"""Who knows the touched functions and files: the people who changed and repaired them before, ranked for a sign-off."""

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from gatecli.model import Candidate, FileKnowledge, FunctionHistory, PastCommit, Person

HALF_LIFE_DAYS = 365
"""A judgement: a year after the last change, knowledge of a function counts half."""

FILE_WEIGHT = 0.25
"""A judgement: four changes elsewhere in a file teach as much of a function as one of its own."""

REPAIR_WEIGHT = 3
"""A judgement: whoever took a change back or ended an incident has understood what went wrong."""

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
    commits: Iterable[PastCommit], paths: Collection[str], *, identify: Callable[[Person], str] = str
) -> tuple[FileKnowledge, ...]:
    """Who worked in some files, and who repaired something there as far as the subject of a commit tells."""
    found: dict[str, FileKnowledge] = {}
    for commit in commits:
        if any(path in paths for path, _ in commit.files):
            key = identify(commit.author)
            earlier = found.get(key)
            found[key] = FileKnowledge(
                person=earlier.person if earlier else commit.author,
                changes=1 + (earlier.changes if earlier else 0),
                repairs=(_REPAIR.search(commit.subject) is not None) + (earlier.repairs if earlier else 0),
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
