"""Which approvals count: GitHub's own answers, read as evidence.

A forge has authenticated the account of a review, so accounts decide here; names and addresses in commits only say
whose accounts are not independent. GitHub does not tell who pushed: the committer of the newest commit stands for it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from gatecli.errors import UsageError
from gatecli.model import Approval, Case, Counted, Dismissal, Person, SourceKind
from gatecli.provenance.identity import Directory, normal
from gatecli.provenance.table import is_bot

MAX_BYTES = 50_000_000
_HINT = "save GitHub's REST answers as one object: {pull_request, reviews, commits, collaborators}, every page of each"
_WEB_FLOW = "web-flow"


def read_approvals(data: bytes, case: Case, known: Directory) -> Counted:
    """The reviews of a pull request, judged for the change at hand.

    Each person's newest approval, request for changes or dismissal decides; comments do not. An approval counts if it
    is of the commit that was judged, by a human who has not written, committed, pushed, opened or prompted any of it,
    and who may push. Where no collaborators are given, GitHub's word on how the person belongs to the repository, or a
    place on the senior list, stands for that.

    Raises:
        UsageError: not GitHub's answers, or commits are missing in them.
    """
    if len(data) > MAX_BYTES:
        raise UsageError(f"the approvals have more than {MAX_BYTES:,} bytes", _HINT)
    try:
        answers = msgspec.json.decode(data, type=_Answers)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"the approvals are not GitHub's answers: {str(error)[:200]}", _HINT) from error
    total = answers.pull_request.commits
    if total is not None and total > len(answers.commits):
        raise UsageError(f"the approvals hold {len(answers.commits)} of {total} commits", _HINT)
    banned = _banned(answers, case, known)
    pushers = None
    if answers.collaborators is not None:
        pushers = {known.key_of(one.login) for one in answers.collaborators if one.may_push}
    approvals, dismissed = [], []
    for review in _newest(answers.reviews, known):
        login = review.user.login if review.user else "a deleted account"
        if (why := _why_not(review, case, known, banned, pushers)) is not None:
            dismissed.append(Dismissal(by=login, reason=why))
        else:
            approvals.append(
                Approval(
                    person=login,
                    at=_at(review),
                    source="github review",
                    commit=review.commit_id,
                    digest=case.change.digest,
                )
            )
    return Counted(approvals=tuple(approvals), dismissed=tuple(dismissed))


# --------------------------------------------------------------------------- what GitHub answers


@dataclass(frozen=True, slots=True, kw_only=True)
class _Account:
    login: str
    type: str = "User"

    @property
    def is_bot(self) -> bool:
        email = f"{self.login}@users.noreply.github.com"
        return self.type != "User" or is_bot(Person(name=self.login, email=email))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Review:
    state: str
    user: _Account | None = None
    commit_id: str | None = None
    submitted_at: str | None = None
    author_association: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stamp:
    name: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _CommitData:
    author: _Stamp | None = None
    committer: _Stamp | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Commit:
    """``author`` and ``committer`` are accounts, None where the address belongs to none."""

    commit: _CommitData = field(default_factory=_CommitData)
    author: _Account | None = None
    committer: _Account | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _PullRequest:
    user: _Account | None = None
    assignees: tuple[_Account, ...] = ()
    commits: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Collaborator:
    login: str
    permissions: Mapping[str, bool] = field(default_factory=dict)
    role_name: str | None = None

    @property
    def may_push(self) -> bool:
        return self.permissions.get("push", self.role_name in ("write", "maintain", "admin"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answers:
    pull_request: _PullRequest
    reviews: tuple[_Review, ...]
    commits: tuple[_Commit, ...]
    collaborators: tuple[_Collaborator, ...] | None = None


# --------------------------------------------------------------------------- judging them


def _newest(reviews: Iterable[_Review], known: Directory) -> list[_Review]:
    """The last verdict of every person, in the order in which they were given."""
    verdicts = [review for review in reviews if review.state.upper() in ("APPROVED", "CHANGES_REQUESTED", "DISMISSED")]
    last: dict[str, _Review] = {}
    for number, review in sorted(enumerate(verdicts), key=lambda pair: (_at(pair[1]) or 0, pair[0])):
        key = known.key_of(review.user.login) if review.user else f"deleted account {number}"
        last.pop(key, None)
        last[key] = review
    return list(last.values())


def _at(review: _Review) -> int | None:
    if review.submitted_at is None:
        return None
    try:
        moment = datetime.fromisoformat(review.submitted_at)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError) as error:
        raise UsageError(f"a review was submitted at {review.submitted_at[:60]!r}, which is no time", _HINT) from error


def _why_not(
    review: _Review, case: Case, known: Directory, banned: Mapping[str, str], pushers: set[str] | None
) -> str | None:
    """Why a review does not count, None where it does."""
    state, account, head = review.state.upper(), review.user, case.change.head
    if state != "APPROVED":
        return "requested changes" if state == "CHANGES_REQUESTED" else "the approval was dismissed"
    if account is None:
        return "the account was deleted"
    if account.is_bot:
        return "a bot"
    key = known.key_of(account.login)
    if key in banned:
        return banned[key]
    if case.change.kind is not SourceKind.RANGE or head is None:
        return "what was judged is no commit that an approval could name"
    if review.commit_id != head:
        named = review.commit_id[:12] if review.commit_id else "an unknown commit"
        return f"approved {named}, not {head[:12]} that was judged"
    if pushers is not None:
        return None if key in pushers else "may not push to this repository"
    outsider = review.author_association not in (None, "OWNER", "MEMBER", "COLLABORATOR")
    return "no collaborator of this repository" if outsider and not known.lists_as_senior(account.login) else None


def _banned(answers: _Answers, case: Case, known: Directory) -> dict[str, str]:
    """Everyone whose approval is not independent, with the reason; the first reason stands."""
    accounts = dict(_addresses(answers.commits))
    banned: dict[str, str] = {}

    def ban(people: Iterable[Person], logins: Iterable[_Account | None], reason: str) -> None:
        for person in people:
            banned.setdefault(known.key(person), reason)
            if login := accounts.get(normal(person.email)):
                banned.setdefault(known.key_of(login), reason)
        for account in logins:
            if account is not None and account.login != _WEB_FLOW:
                banned.setdefault(known.key_of(account.login), reason)

    pull, commits = answers.pull_request, answers.commits
    operator = case.provenance.operator
    by_bot = pull.user is not None and pull.user.is_bot
    if operator is not None and case.provenance.agents:
        ban([operator], (), "prompted the agent")
    ban((), pull.assignees if by_bot else (), "asked the agent for this change")
    ban(case.provenance.authors, (commit.author for commit in commits), "wrote part of it")
    ban((), [pull.user], "opened the pull request")
    ban((), [commit.committer for commit in commits[-1:]], "pushed last")
    committers = [revision.committer for revision in case.change.revisions]
    ban(
        (one for one in committers if not is_bot(one)), (commit.committer for commit in commits), "committed part of it"
    )
    return banned


def _addresses(commits: Iterable[_Commit]) -> Iterator[tuple[str, str]]:
    """Which account GitHub knows an address to belong to."""
    for commit in commits:
        for stamp, account in (
            (commit.commit.author, commit.author),
            (commit.commit.committer, commit.committer),
        ):
            if stamp and stamp.email and account and account.login != _WEB_FLOW:
                yield normal(stamp.email), account.login
