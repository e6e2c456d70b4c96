"""Which approvals count: reviews and checks on GitHub, signatures with people's own keys, trailers of commits."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from gatecli.config import Config, People
from gatecli.config.grants import Grant
from gatecli.model import ApprovalSource, Case, Counted, Dismissal, Finding, Person, Waiver
from gatecli.policy.approvals import github, signed, waived
from gatecli.policy.approvals.claims import Barred, Claim, Word
from gatecli.policy.approvals.counting import count
from gatecli.policy.approvals.statements import Check
from gatecli.policy.owners import Owners
from gatecli.provenance.identity import Directory
from gatecli.provenance.trailers import trailers
from gatecli.sources import signatures
from gatecli.sources.signatures import Checked, Keys
from gatecli.sources.standing import Standing

__all__ = ["Submitted", "barred", "counted"]

MAX_TRAILERS = 20
_REVIEWED = ("reviewed-by", "acked-by", "approved-by")


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """What was handed in: GitHub's answers (``--approvals``), the notes on this change, grants and keys of the base."""

    answers: bytes | None = None
    notes: tuple[bytes, ...] = ()
    overrides: tuple[bytes, ...] = ()
    grants: tuple[Grant, ...] = ()
    keys: Keys = field(default_factory=lambda: Keys(allowed=b""))


def counted(
    case: Case,
    findings: Iterable[Finding],
    known: Directory,
    config: Config,
    *,
    submitted: Submitted,
    standing: Standing | None = None,
    policy: str,
    now: int,
    owners: Owners | None = None,
) -> Counted:
    """The approvals of a change that count, and everything else that was said with the reason why it does not.

    Args:
        case: What is judged.
        findings: The answers of the rules: a signature has to acknowledge those that ask for review or block.
        known: Who is who.
        config: The policy: agents that may approve, teams, whether trailers count, who may override.
        submitted: The evidence.
        standing: What it is held against; without it only approvals of this very commit count.
        policy: The sha256 of the policy that judges.
        now: Epoch seconds.
        owners: The code owners: theirs is the word on files that changed since an approval.

    Raises:
        UsageError: the answers are not GitHub's, or ssh-keygen is needed and missing.
    """
    standing, people, findings = standing or Standing(), config.people, tuple(findings)
    answers = github.read_answers(submitted.answers) if submitted.answers is not None else None
    if answers is not None:
        standing = _as_github_says(standing, answers)
    check = _checker(submitted.keys, people.keys, now)
    claims = [
        *(github.claims(answers, case, known, people) if answers else ()),
        *signed.claims(submitted.notes, check, standing, people, policy=policy),
        *_in_trailers(case, people),
    ]
    not_independent = barred(case, known, answers)
    found = count(claims, case, findings, known, people, not_independent, standing, now=now, owners=owners)
    signers = waived.Signers(known=known, config=config, barred=not_independent, check=check, now=now)
    said = [
        *waived.overrides(submitted.overrides, case, findings, signers, standing, policy=policy),
        *waived.grants(submitted.grants, signers, standing),
    ]
    return replace(
        found,
        dismissed=(*found.dismissed, *(one for one in said if isinstance(one, Dismissal))),
        waivers=tuple(one for one in said if isinstance(one, Waiver)),
    )


def barred(case: Case, known: Directory, answers: github.Answers | None = None) -> Barred:
    """Everyone whose approval of a change is not independent."""
    found = Barred()

    def bar(person: Person, reason: str) -> None:
        for key in known.keys(person):
            found.add(key, reason)

    provenance, revisions = case.provenance, case.change.revisions
    prompted = [provenance.operator, *(sign.operator for sign in provenance.agents)] if provenance.agents else []
    for person in prompted:
        if person is not None:
            bar(person, "prompted the agent")
    for person in (*provenance.authors, *(one.author for one in revisions)):
        bar(person, "wrote part of it")
    for one in revisions[:1]:
        bar(one.committer, "pushed last")
    for one in revisions:
        bar(one.committer, "committed part of it")
    if answers is not None:
        github.bar(answers, case, known, found)
    return found


def _as_github_says(standing: Standing, answers: github.Answers) -> Standing:
    base = answers.pull_request.base
    name = base.repo.full_name if base and base.repo else None
    return replace(
        standing,
        target=(base.ref if base else None) or standing.target,
        repository=name.casefold() if name else standing.repository,
    )


def _checker(keys: Keys, path: str, now: int) -> Check:
    def check(payload: bytes, signature: str, principal: str, namespace: str) -> Checked:
        if not keys.allowed.strip():
            return Checked(problem=f"the base lists no keys that may sign: there is no {path}")
        return signatures.check(payload, signature, principal, keys, now=now, namespace=namespace)

    return check


def _in_trailers(case: Case, people: People) -> Iterator[Claim]:
    """What the newest commit's message says of who reviewed it: the commit cannot change without it."""
    for revision in case.change.revisions[:1]:
        found = [(key, value) for key, value in trailers(revision.message) if key.casefold() in _REVIEWED]
        for key, value in found[:MAX_TRAILERS]:
            address = value.rpartition("<")[2].rstrip("> ") if "<" in value else value
            yield Claim(
                by=address[:200],
                word=Word.YES,
                source=ApprovalSource.TRAILER,
                commit=revision.sha,
                problem=None if people.trailers else f"{key}: is a claim that anyone may write into a commit message",
                genuine=people.trailers,
            )
