"""Who could sign a change: those who know the touched functions, own the files, or are senior."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from gatecli.config import People
from gatecli.history.ownership import rank
from gatecli.model import Candidate, Case, Person
from gatecli.policy.owners import Owners
from gatecli.provenance.identity import Directory, directory, normal
from gatecli.provenance.table import is_bot

MAX_CANDIDATES = 5
MAX_OWNED_FILES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """The best few of either role, best first."""

    reviewers: tuple[Candidate, ...]
    seniors: tuple[Candidate, ...]


def find_candidates(case: Case, people: People, *, now: int, owners: Owners | None) -> Candidates:
    """Everyone who is independent of the change: not an author, a committer, the operator or a bot."""
    known = directory(people)
    involved = _involved(case)
    barred = {known.key(person) for person in involved}
    authors = [one.person for history in case.history.values() for one in history.authors]
    by_key = {known.key(person): person for person in authors}
    ranked = rank(
        case.history.values(),
        now=now,
        exclude=lambda person: known.key(person) in barred or is_bot(person),
        identify=known.key,
        name=known.key,
    )
    knowing = {one.person: replace(one, person=known.called(by_key[one.person])) for one in ranked}
    owning = {key: one for key, one in _owning(case, owners, known) if key not in barred}
    reviewers = [
        replace(one, evidence=f"{one.evidence}; {owning[key].evidence}") if key in owning else one
        for key, one in knowing.items()
    ]
    reviewers += [one for key, one in owning.items() if key not in knowing]
    seniors = [one for key, one in knowing.items() if known.is_senior(by_key[key])]
    seniors += _listed_seniors(people, known, [*involved, *(by_key[key] for key in knowing)])
    return Candidates(reviewers=tuple(reviewers[:MAX_CANDIDATES]), seniors=tuple(seniors[:MAX_CANDIDATES]))


def _involved(case: Case) -> list[Person]:
    provenance = case.provenance
    committers = [one.committer for one in case.change.revisions if not is_bot(one.committer)]
    return [*provenance.authors, *committers, *([provenance.operator] if provenance.operator else [])]


def _owning(case: Case, owners: Owners | None, known: Directory) -> Iterator[tuple[str, Candidate]]:
    """The owners of the touched files, those of most files first."""
    owned: dict[str, list[str]] = {}
    for file in case.change.files[:MAX_OWNED_FILES] if owners else ():
        rule = owners.of(file.path) if owners else None
        for owner in rule.owners if rule else ():
            owned.setdefault(owner, []).append(file.path)
    for owner, paths in sorted(owned.items(), key=lambda item: (-len(item[1]), item[0])):
        key = known.key_of(owner) if owner.startswith("@") else known.key(Person(name="", email=owner))
        what = paths[0] if len(paths) == 1 else f"{len(paths):,} touched files, {paths[0]} first"
        yield key, Candidate(person=owner, evidence=f"owns {what}")


def _listed_seniors(people: People, known: Directory, mentioned: list[Person]) -> Iterator[Candidate]:
    """The seniors of the policy who are not among some people."""
    claims = {claim for one in mentioned for claim in (known.key(one), normal(one.email), normal(one.name))}
    for entry in people.seniors:
        key = known.groups.get(normal(entry), normal(entry))
        if key not in claims and normal(entry) not in claims:
            yield Candidate(person=known.names.get(key, entry), evidence="on the senior list, no changes here")
