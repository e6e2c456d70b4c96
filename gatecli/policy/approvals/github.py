"""GitHub's own answers, read as evidence: the pull request, its reviews and commits, checks, and who may push.

A forge has authenticated the account of a review, so accounts decide here; names and addresses in commits only say
whose accounts are not independent. GitHub does not tell who pushed: the committer of the newest commit stands for it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from gatecli.config import People
from gatecli.errors import UsageError
from gatecli.model import ApprovalSource, Case, Person, PullText, SignerKind
from gatecli.policy.approvals.claims import Barred, Claim, Word
from gatecli.provenance.identity import Directory, normal
from gatecli.provenance.table import is_bot

MAX_BYTES = 50_000_000
_HINT = "save GitHub's REST answers as one object: {pull_request, reviews, commits, collaborators}, every page of each"
_WEB_FLOW = "web-flow"

_WORDS = {"APPROVED": Word.YES, "CHANGES_REQUESTED": Word.NO, "DISMISSED": Word.TAKEN_BACK}
# https://docs.github.com/en/rest/checks/runs: a neutral or skipped run has not looked, or says nothing.
_CONCLUSIONS = {"success": Word.YES, "failure": Word.NO, "action_required": Word.NO}


# --------------------------------------------------------------------------- what GitHub answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account; ``type`` is User, Bot or Organization."""

    login: str
    type: str = "User"

    @property
    def is_bot(self) -> bool:
        """Whether no human stands behind it."""
        return self.type != "User" or _is_bot(self.login)


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A review and the commit that it is of."""

    state: str
    user: Account | None = None
    commit_id: str | None = None
    submitted_at: str | None = None
    author_association: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """A name and an address as a commit states them."""

    name: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitData:
    """The part of a commit that git knows."""

    author: Stamp | None = None
    committer: Stamp | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """``author`` and ``committer`` are accounts, None where the address belongs to none."""

    commit: CommitData = field(default_factory=CommitData)
    author: Account | None = None
    committer: Account | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseRepository:
    """``owner/name``."""

    full_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One end of a pull request."""

    sha: str | None = None
    ref: str | None = None
    repo: BaseRepository | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """A pull request as far as it says who stands behind it and what it is about."""

    number: int | None = None
    state: str | None = None
    user: Account | None = None
    assignees: tuple[Account, ...] = ()
    commits: int | None = None
    body: str | None = None
    head: End | None = None
    base: End | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Collaborator:
    """Somebody with access to the repository."""

    login: str
    permissions: Mapping[str, bool] = field(default_factory=dict)
    role_name: str | None = None

    @property
    def may_push(self) -> bool:
        """Whether they can write to it."""
        return self.permissions.get("push", self.role_name in ("write", "maintain", "admin"))


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """The application that made a check."""

    slug: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A check run or check suite: what an application says of a commit."""

    head_sha: str
    status: str | None = None
    conclusion: str | None = None
    completed_at: str | None = None
    updated_at: str | None = None
    app: App | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """Another pull request of the same head, and its reviews."""

    pull_request: PullRequest
    reviews: tuple[Review, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Everything that GitHub was asked; ``twins`` are the other pull requests of the same head."""

    pull_request: PullRequest
    reviews: tuple[Review, ...]
    commits: tuple[Commit, ...]
    collaborators: tuple[Collaborator, ...] | None = None
    check_runs: tuple[Check, ...] = ()
    check_suites: tuple[Check, ...] = ()
    twins: tuple[Twin, ...] = ()


def read_answers(data: bytes) -> Answers:
    """The answers as they were saved.

    Raises:
        UsageError: not GitHub's answers, or commits are missing in them.
    """
    if len(data) > MAX_BYTES:
        raise UsageError(f"the approvals have more than {MAX_BYTES:,} bytes", _HINT)
    try:
        answers = msgspec.json.decode(data, type=Answers)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"the approvals are not GitHub's answers: {str(error)[:200]}", _HINT) from error
    total = answers.pull_request.commits
    if total is not None and total > len(answers.commits):
        raise UsageError(f"the approvals hold {len(answers.commits)} of {total} commits", _HINT)
    return answers


def pull_texts(answers: Answers, head: str | None) -> tuple[PullText, ...]:
    """What the pull request, and the other open ones of this head, say of themselves."""
    twins = (twin.pull_request for twin in _twins(answers, head))
    return tuple(_pull_text(pull) for pull in (answers.pull_request, *twins))


def _twins(answers: Answers, head: str | None) -> Iterator[Twin]:
    """The other open pull requests of the head that is judged: what made one of them made them all."""
    for twin in answers.twins:
        pull = twin.pull_request
        if pull.state in (None, "open") and head is not None and pull.head is not None and pull.head.sha == head:
            yield twin


def _pull_text(pull: PullRequest) -> PullText:
    """Whose it is: who opened it, of a bot's who was assigned."""
    people = pull.assignees if pull.user is None or pull.user.is_bot else (pull.user,)
    return PullText(
        body=pull.body or "",
        branch=pull.head.ref if pull.head else None,
        people=tuple(one.login for one in people if not one.is_bot),
    )


@lru_cache(maxsize=4096)
def _is_bot(login: str) -> bool:
    return is_bot(Person(name=login, email=f"{login}@users.noreply.github.com"))


# --------------------------------------------------------------------------- what was said


def claims(answers: Answers, case: Case, known: Directory, people: People) -> Iterator[Claim]:
    """Every verdict in the answers, oldest first as GitHub lists them; comments and pending reviews are none.

    Where no collaborators are given, GitHub's word on how the person belongs to the repository, or a place on the
    senior list, stands for the right to push.
    """
    agents = {normal(name): family for name, family in people.agents.items()}
    pushers = None
    if answers.collaborators is not None:
        pushers = {known.key_of(one.login) for one in answers.collaborators if one.may_push}
    other = _of_another(answers.pull_request, case)
    reviews = [(review, other) for review in answers.reviews]
    reviews += [(one, _on_twin(one, twin)) for twin in _twins(answers, case.change.head) for one in twin.reviews]
    for number, (review, elsewhere) in enumerate(reviews):
        word = _WORDS.get(review.state.upper())
        if word is None:
            continue
        account = review.user
        family = agents.get(normal(account.login)) if account and account.is_bot else None
        yield Claim(
            by=account.login if account else "a deleted account",
            word=word,
            source=ApprovalSource.GITHUB,
            at=_moment(review.submitted_at, "a review was submitted"),
            kind=SignerKind.AGENT if family else SignerKind.HUMAN,
            model=family,
            commit=review.commit_id,
            names=() if account else (f"deleted account {number}",),
            problem=_problem(review, known, pushers, family) or elsewhere,
        )
    for check in (*answers.check_runs, *answers.check_suites):
        slug = check.app.slug if check.app else None
        word = _CONCLUSIONS.get(check.conclusion or "")
        family = agents.get(normal(slug or "")) or agents.get(normal(f"{slug}[bot]"))
        if slug and word and family:
            yield Claim(
                by=slug,
                word=word,
                source=ApprovalSource.GITHUB,
                at=_moment(check.completed_at or check.updated_at, "a check was completed"),
                kind=SignerKind.AGENT,
                model=family,
                commit=check.head_sha,
                problem=other,
            )


def _on_twin(review: Review, twin: Twin) -> str | None:
    """A yes is for the pull request it was given on; a no is about the content, whichever of them shows it."""
    given = _WORDS.get(review.state.upper()) is Word.YES
    number = twin.pull_request.number
    return f"given on #{number}, another pull request of the same head" if given else None


def _of_another(pull: PullRequest, case: Case) -> str | None:
    """Answers on another pull request say nothing of who stands behind this one."""
    head = pull.head.sha if pull.head else None
    if head is None or case.change.head is None or head == case.change.head:
        return None
    return f"given on a pull request whose head is {head[:12]}, not {case.change.head[:12]} that was judged"


def _problem(review: Review, known: Directory, pushers: set[str] | None, family: str | None) -> str | None:
    account = review.user
    if account is None:
        return "the account was deleted"
    if account.is_bot:
        return None if family else "a bot"
    if not account.login.isascii():
        return "no login that GitHub gives: it is written with letters that look like others"
    if pushers is not None:
        return None if known.key_of(account.login) in pushers else "may not push to this repository"
    outsider = review.author_association not in (None, "OWNER", "MEMBER", "COLLABORATOR")
    return "no collaborator of this repository" if outsider and not known.lists_as_senior(account.login) else None


def _moment(text: str | None, what: str) -> int | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{what} at {text[:60]!r}, which is no time", _HINT) from error


# --------------------------------------------------------------------------- who is not independent


def bar(answers: Answers, case: Case, known: Directory, barred: Barred) -> None:
    """Bar everyone whom the answers show to stand behind the change."""
    pull, commits = answers.pull_request, answers.commits
    accounts = dict(_addresses(commits))

    def login(account: Account | None, reason: str) -> None:
        if account is not None and account.login != _WEB_FLOW:
            barred.add(known.key_of(account.login), reason)

    # Whoever is barred by an address is barred by the account that GitHub knows to have it.
    people = [case.provenance.operator, *case.provenance.authors]
    people += [person for one in case.change.revisions for person in (one.author, one.committer)]
    for person in (one for one in people if one is not None):
        account = accounts.get(normal(person.email))
        if account and (reason := barred.reasons.get(known.key(person))):
            barred.add(known.key_of(account), reason)
    if pull.user is not None and pull.user.is_bot:
        for one in pull.assignees:
            login(one, "asked the agent for this change")
    for commit in commits:
        login(commit.author, "wrote part of it")
    login(pull.user, "opened the pull request")
    for twin in _twins(answers, case.change.head):
        other = twin.pull_request
        login(other.user, f"opened #{other.number}, of the same head")
        for one in other.assignees if other.user is not None and other.user.is_bot else ():
            login(one, f"asked the agent for #{other.number}, of the same head")
    for commit in commits[-1:]:
        login(commit.committer, "pushed last")
    for commit in commits:
        login(commit.committer, "committed part of it")


def _addresses(commits: tuple[Commit, ...]) -> Iterator[tuple[str, str]]:
    """Which account GitHub knows an address to belong to."""
    for commit in commits:
        for stamp, account in ((commit.commit.author, commit.author), (commit.commit.committer, commit.committer)):
            if stamp and stamp.email and account and account.login != _WEB_FLOW:
                yield normal(stamp.email), account.login
