"""A pull request as GitHub tells it: who made it, who reviewed it, what stands on it; and the writes that gate makes.

Everything here was written by others: callers make it inert where they print it.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import msgspec

from gatecli.errors import UsageError
from gatecli.sources.github_address import API_URL
from gatecli.sources.github_api import Api, ApiError

MAX_REVIEWERS = 100
MAX_LISTED_COMMITS = 250
"""GitHub lists no more commits of a pull request: https://docs.github.com/en/rest/pulls/pulls#list-commits-on-a-pull-request"""

_SLUG = re.compile(r"[\w.-]{1,100}/[\w.-]{1,100}", re.ASCII)
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
"""A person's account, as it may stand in an address."""

TEAM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}/[A-Za-z0-9_-][\w.-]{0,99}", re.ASCII)
"""``org/slug``, likewise."""


_VERDICTS = ("APPROVED", "CHANGES_REQUESTED")
_MEMBERS = ("OWNER", "MEMBER", "COLLABORATOR")
_HINT = "check GITHUB_API_URL: this is not how GitHub answers"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who it is, by login; a deleted account is None where it would stand."""

    login: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """A team of the organisation that owns the repository."""

    slug: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryName:
    """``owner/name`` and the branch that it is about."""

    full_name: str
    default_branch: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One end of a pull request; ``repo`` is None where a fork was deleted."""

    sha: str
    ref: str
    repo: RepositoryName | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A label, by name."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """A pull request as it stands now."""

    number: int
    state: str
    head: End
    base: End
    user: Account | None = None
    requested_reviewers: tuple[Account, ...] = ()
    requested_teams: tuple[Team, ...] = ()
    labels: tuple[Label, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A review and the commit it is of."""

    state: str
    user: Account | None = None
    commit_id: str | None = None
    author_association: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A comment in the conversation of a pull request."""

    id: int
    body: str | None = None
    user: Account | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitStatus:
    """One status that somebody set on a commit."""

    state: str
    context: str
    description: str | None = None
    creator: Account | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Merged:
    merged: bool = False
    merge_commit_sha: str | None = None


class GitHub:
    """One repository on GitHub."""

    def __init__(self, api: Api, slug: str) -> None:
        if not _SLUG.fullmatch(slug) or set(slug.split("/")) & {".", ".."}:
            raise UsageError("no repository is named", "set GITHUB_REPOSITORY to OWNER/NAME, or give --repository")
        self.api = api
        self.slug = slug
        self._at = f"/repos/{slug}"

    # ----------------------------------------------------------------- reading

    def me(self) -> str:
        """The login that the token writes as.

        REST does not tell it to the token of a workflow; GraphQL does.
        """
        try:
            return read(self.api.get("/user"), Account).login
        except ApiError as error:
            if not error.refused:
                raise
        return read(self.api.graphql("query { viewer { login } }").get("viewer"), Account).login

    def pull_request(self, number: int) -> PullRequest:
        """A pull request by number."""
        return read(self.api.get(f"{self._at}/pulls/{number}"), PullRequest)

    def open_pull_requests(self, *, base: str | None = None, head: str | None = None) -> list[PullRequest]:
        """The open ones, of a base branch or a head (``owner:branch``)."""
        wanted = {"base": base, "head": head}
        found = self.api.pages(f"{self._at}/pulls", state="open", **{key: one for key, one in wanted.items() if one})
        return [read(one, PullRequest) for one in found]

    def reviews(self, number: int) -> list[Review]:
        """Every review, oldest first."""
        return [read(one, Review) for one in self.api.pages(f"{self._at}/pulls/{number}/reviews")]

    def paths(self, number: int) -> frozenset[str]:
        """Every path that the pull request touches, old names included; GitHub lists the first 3,000 files."""
        files = [read(one, _File) for one in self.api.pages(f"{self._at}/pulls/{number}/files")]
        return frozenset(path for file in files for path in (file.filename, file.previous_filename) if path)

    def team_members(self, team: str) -> frozenset[str]:
        """The logins of ``org/slug``, child teams included, in lower case."""
        if not TEAM.fullmatch(team):
            raise UsageError("a team is written ORG/NAME", "check the code owners")
        org, slug = team.split("/")
        found = self.api.pages(f"/orgs/{org}/teams/{slug}/members")
        return frozenset(read(one, Account).login.casefold() for one in found)

    def comments(self, number: int) -> list[Comment]:
        """The conversation, oldest first."""
        return [read(one, Comment) for one in self.api.pages(f"{self._at}/issues/{number}/comments")]

    def statuses(self, sha: str) -> list[CommitStatus]:
        """Every status that was ever set on a commit, newest first."""
        return [read(one, CommitStatus) for one in self.api.pages(f"{self._at}/commits/{commit_id(sha)}/statuses")]

    def repository(self) -> RepositoryName:
        """The repository's name as GitHub has it, and its default branch."""
        return read(self.api.get(self._at), RepositoryName)

    def issues(self, label: str) -> list[Any]:
        """The issues with a label, open and closed; pull requests are among them."""
        return self.api.pages(f"{self._at}/issues", labels=label, state="all")

    def merged_as(self, number: int) -> str | None:
        """The commit that a pull request was merged as; None where it was not merged, or there is none."""
        try:
            pull = read(self.api.get(f"{self._at}/pulls/{number}"), _Merged)
        except ApiError as error:
            if error.status != 404:
                raise
            return None
        return pull.merge_commit_sha if pull.merged else None

    def artifacts(self, name: str) -> list[Any]:
        """What runs have kept by that name, newest first."""
        return self.api.pages(f"{self._at}/actions/artifacts", within="artifacts", name=name)

    def artifact(self, id: int) -> bytes:
        """The archive of an artifact."""
        return self.api.file(f"{self._at}/actions/artifacts/{id}/zip")

    def answers(self, number: int) -> tuple[dict[str, Any], str | None]:
        """GitHub's answers as ``gate check --approvals`` reads them, and what is not in them, if anything.

        ``collaborators`` holds those who reviewed; it is left out where the token may not see who may push, and
        ``check_runs`` where it may not see checks. ``twins`` are the other open pull requests of the same head.
        """
        pull = self.api.get(f"{self._at}/pulls/{number}")
        head = read(pull, PullRequest).head.sha
        found: dict[str, Any] = {
            "pull_request": pull,
            "reviews": self._reviews(number),
            "commits": self._commits(number, pull),
            "twins": self._twins(number, head),
        }
        said = [one for twin in (found, *found["twins"]) for one in twin["reviews"]]
        missing = []
        asks: tuple[tuple[str, str, Callable[[], list[Any]]], ...] = (
            ("collaborators", "who may push", partial(self._collaborators, _who_counts(said))),
            ("check_runs", "the word of applications", partial(self._check_runs, head)),
        )
        for name, unknown, ask in asks:
            try:
                found[name] = ask()
            except ApiError as error:
                if not error.refused:
                    raise
                missing.append(f"{unknown} is not known: {error.message}")
        return found, "; ".join(missing) or None

    def _reviews(self, number: int) -> list[Any]:
        return self.api.pages(f"{self._at}/pulls/{number}/reviews")

    def _twins(self, number: int, head: str) -> list[Any]:
        """The other open pull requests of a head, whatever they are for, with their reviews."""
        pulls = self.api.pages(f"{self._at}/pulls", state="open")
        numbers = {one.number for one in (read(pull, PullRequest) for pull in pulls) if one.head.sha == head}
        return [
            {"pull_request": pull, "reviews": self._reviews(pull["number"])}
            for pull in pulls
            if pull["number"] in numbers - {number}
        ]

    def _check_runs(self, head: str) -> list[Any]:
        """The newest run of every check on a commit."""
        return self.api.pages(f"{self._at}/commits/{commit_id(head)}/check-runs", within="check_runs")

    def _commits(self, number: int, pull: Any) -> list[Any]:
        total = pull.get("commits") if isinstance(pull, dict) else None
        if isinstance(total, int) and total > MAX_LISTED_COMMITS:
            whole = read(pull, PullRequest)
            ends = f"{commit_id(whole.base.sha)}...{commit_id(whole.head.sha)}"
            return self.api.pages(f"{self._at}/compare/{ends}", within="commits")
        return self.api.pages(f"{self._at}/pulls/{number}/commits")

    def _collaborators(self, logins: Iterable[str]) -> list[Any]:
        """The accounts with their permissions; strangers are left out, which says that they may not push."""
        found = []
        for login in logins:
            if not LOGIN.fullmatch(login):
                continue
            try:
                answer = self.api.get(f"{self._at}/collaborators/{login}/permission")
            except ApiError as error:
                if error.status != 404:
                    raise
                continue
            one = read(answer, _Permission)
            if one.user is not None:
                found.append({"permissions": {"push": one.permission in ("write", "admin")}, **one.user})
        return found

    # ----------------------------------------------------------------- writing

    def add_comment(self, number: int, body: str) -> None:
        """A new comment."""
        self.api.send("POST", f"{self._at}/issues/{number}/comments", {"body": body}, repeatable=False)

    def edit_comment(self, id: int, body: str) -> None:
        """Another text for a comment."""
        self.api.send("PATCH", f"{self._at}/issues/comments/{id}", {"body": body}, repeatable=True)

    def delete_comment(self, id: int) -> None:
        """Remove a comment."""
        self.api.send("DELETE", f"{self._at}/issues/comments/{id}", repeatable=False)

    def set_status(self, sha: str, *, state: str, context: str, description: str, link: str | None) -> None:
        """A status on a commit; the newest of a context counts."""
        body = {"state": state, "context": context, "description": description}
        whole = body | ({"target_url": link} if link else {})
        self.api.send("POST", f"{self._at}/statuses/{commit_id(sha)}", whole, repeatable=True)

    def add_label(self, number: int, name: str) -> None:
        """Label a pull request."""
        self.api.send("POST", f"{self._at}/issues/{number}/labels", {"labels": [name]}, repeatable=True)

    def remove_label(self, number: int, name: str) -> None:
        """Take a label off a pull request."""
        from urllib.parse import quote

        self.api.send("DELETE", f"{self._at}/issues/{number}/labels/{quote(name, safe='')}", repeatable=False)

    def request_reviews(self, number: int, logins: Sequence[str], teams: Sequence[str]) -> None:
        """Ask people and teams (by slug) for a review."""
        body = {"reviewers": list(logins), "team_reviewers": list(teams)}
        self.api.send("POST", f"{self._at}/pulls/{number}/requested_reviewers", body, repeatable=True)


def connect(environment: Mapping[str, str], *, repository: str | None = None) -> GitHub:
    """The repository that the environment of a workflow names.

    ``GITHUB_API_URL`` and ``GITHUB_REPOSITORY`` as GitHub sets them; the token is ``GITHUB_TOKEN``, else ``GH_TOKEN``.
    """
    token = environment.get("GITHUB_TOKEN") or environment.get("GH_TOKEN") or ""
    api = Api(environment.get("GITHUB_API_URL") or API_URL, token)
    return GitHub(api, repository or environment.get("GITHUB_REPOSITORY", ""))


# --------------------------------------------------------------------------- checking what was answered


def _who_counts(reviews: Iterable[Any]) -> list[str]:
    """The logins whose yes or no may count, members first: strangers must not crowd them out."""
    given = [one for one in (read(review, Review) for review in reviews) if one.state.upper() in _VERDICTS and one.user]
    ranked = sorted((one.author_association not in _MEMBERS, one.user.login) for one in given if one.user)
    return list(dict.fromkeys(login for _, login in ranked))[:MAX_REVIEWERS]


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    filename: str
    previous_filename: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Permission:
    permission: str
    user: dict[str, Any] | None = None


def read(value: Any, type: type[_T]) -> _T:
    """A decoded answer as one of the types above.

    Raises:
        ApiError: it does not fit.
    """
    try:
        return msgspec.convert(value, type)
    except msgspec.ValidationError as error:
        raise ApiError(f"GitHub's answer is not understood: {str(error)[:200]}", _HINT) from error


def commit_id(sha: str) -> str:
    """A commit's id, checked: it becomes part of an address."""
    if not _SHA.fullmatch(sha):
        raise ApiError("GitHub named a commit that is none", _HINT)
    return sha
