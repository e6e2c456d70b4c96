"""Who could sign a change: those who know the touched functions, own the files, or are senior."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain

from gatecli.config import People
from gatecli.history.ownership import rank, with_files, with_incidents
from gatecli.model import Candidate, Case, Person
from gatecli.policy.owners import Owners, members
from gatecli.provenance.identity import Directory, directory, normal
from gatecli.provenance.table import is_bot

MAX_CANDIDATES = 5
MAX_OWNED_FILES = 500
ABSENT_DAYS = 180
"""A judgement: an owner who has not touched what they own for half a year may not be there any more."""

_DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """The best few of either role, best first."""

    reviewers: tuple[Candidate, ...]
    seniors: tuple[Candidate, ...]


def find_candidates(
    case: Case, people: People, *, now: int, owners: Owners | None, mailmap: bytes | None = None
) -> Candidates:
    """Everyone who is independent of the change: not an author, a committer, the operator or a bot."""
    known = directory(people, mailmap)
    involved = _involved(case)
    barred = {key for person in involved for key in known.keys(person)}
    people_seen = [handler.person for one in case.incidents for handler in one.handlers]
    people_seen += [one.person for history in case.history.values() for one in history.authors]
    people_seen += [one.person for one in case.file_knowledge]
    by_key = {known.key(person): person for person in people_seen}

    def asked(person: Person) -> str | None:
        """A person's key; None: whoever stands behind the change, and bots, are not asked."""
        key = known.key(person)
        return None if key in barred or is_bot(person) else key

    ranked = _ranked(case, known, asked, now)
    knowing = {one.person: replace(one, person=known.called(by_key[one.person])) for one in ranked}
    owning = {key: one for key, one in _owning(case, owners, known, people) if key not in barred}
    if case.history or case.file_knowledge:
        owning = _noticed(owning, case, known, now)
    reviewers = [
        (key, replace(one, evidence=f"{one.evidence}; {owning[key].evidence}") if key in owning else one)
        for key, one in knowing.items()
    ]
    reviewers += [(key, one) for key, one in owning.items() if key not in knowing]
    seniors = [(key, one) for key, one in knowing.items() if known.is_senior(by_key[key])]
    listed = _listed_seniors(people, known, [*involved, *(by_key[key] for key in knowing)])
    seniors += [(known.key_of(one.person), one) for one in listed]
    today = datetime.fromtimestamp(now, UTC).date().isoformat()
    away = {known.key_of(name): day for name, day in people.away.items() if day >= today}
    return Candidates(reviewers=_there_first(reviewers, away), seniors=_there_first(seniors, away))


def _ranked(case: Case, known: Directory, asked: Callable[[Person], str | None], now: int) -> tuple[Candidate, ...]:
    """Those who know the functions, their files and what went wrong there, best first, each under their key."""
    ranked = rank(
        case.history.values(),
        now=now,
        exclude=lambda person: asked(person) is None,
        identify=known.key,
        name=known.key,
    )
    files = [(asked(one.person), one) for one in case.file_knowledge]
    ranked = with_files(ranked, [(key, one) for key, one in files if key is not None], now=now)
    return with_incidents(ranked, case.incidents, name=asked)


def _there_first(found: Iterable[tuple[str, Candidate]], away: dict[str, str]) -> tuple[Candidate, ...]:
    """The best few, those behind that the policy says are away."""
    found = list(found)
    there = [one for key, one in found if key not in away]
    gone = [replace(one, evidence=f"{one.evidence}; away until {away[key]}") for key, one in found if key in away]
    return tuple((there + gone)[:MAX_CANDIDATES])


def _noticed(owning: dict[str, Candidate], case: Case, known: Directory, now: int) -> dict[str, Candidate]:
    """The owners, with a remark on those who may no longer be there; teams do not commit."""
    seen: dict[str, int] = {}
    acts = [(one.person, one.last_at) for one in case.file_knowledge]
    acts += [(one.person, one.last_at) for history in case.history.values() for one in history.authors]
    for person, at in acts:
        seen[known.key(person)] = max(seen.get(known.key(person), 0), at)
    idle = {key: (now - at) // _DAY for key, at in seen.items() if (now - at) // _DAY > ABSENT_DAYS}
    absent = {key: f"; absent? nothing from them here for {days:,} days" for key, days in idle.items()}
    return {key: replace(one, evidence=one.evidence + absent.get(key, "")) for key, one in owning.items()}


def _involved(case: Case) -> list[Person]:
    provenance = case.provenance
    committers = [one.committer for one in case.change.revisions if not is_bot(one.committer)]
    return [*provenance.authors, *committers, *([provenance.operator] if provenance.operator else [])]


def _owning(case: Case, owners: Owners | None, known: Directory, people: People) -> Iterator[tuple[str, Candidate]]:
    """The owners of the touched files, those of most files first; of a team that the policy lists, its members."""
    owned: dict[tuple[str, str], list[str]] = {}
    for file in case.change.files[:MAX_OWNED_FILES] if owners else ():
        for rule in owners.rules_of(file.path) if owners else ():
            for owner in rule.owners:
                for member in members(people, owner):
                    through = "" if member == owner else f" through {owner}"
                    owned.setdefault((member, through), []).append(file.path)
    for (owner, through), paths in sorted(owned.items(), key=lambda item: (-len(item[1]), item[0])):
        paths = list(dict.fromkeys(paths))
        what = paths[0] if len(paths) == 1 else f"{len(paths):,} touched files, {paths[0]} first"
        yield known.key_of(owner), Candidate(person=owner, evidence=f"owns {what}{through}")


def _listed_seniors(people: People, known: Directory, mentioned: list[Person]) -> Iterator[Candidate]:
    """The seniors of the policy who are not among some people."""
    claims = {claim for one in mentioned for claim in (known.key(one), normal(one.email), normal(one.name))}
    for entry in chain.from_iterable(members(people, one) for one in people.seniors):
        key = known.groups.get(normal(entry), normal(entry))
        if key not in claims and normal(entry) not in claims:
            yield Candidate(person=known.names.get(key, entry), evidence="on the senior list, no changes here")
