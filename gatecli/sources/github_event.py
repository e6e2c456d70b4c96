"""What a run on GitHub is about: the pull request of its event, and the commits to judge."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import msgspec

from gatecli.errors import UsageError
from gatecli.sources.github import Account, GitHub, PullRequest, commit_id
from gatecli.sources.github_api import ApiError

# What git refuses in the name of a branch: https://git-scm.com/docs/git-check-ref-format
_NO_BRANCH = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^[-./]|/\.|\.lock(/|$)|[./]$|^@$")
# A queue names its branch after the pull request that it is about to merge.
_QUEUED = re.compile(r"refs/heads/gh-readonly-queue/.{1,250}/pr-(\d{1,9})-[0-9a-f]{40,64}")

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a run is to judge and where the answer goes.

    ``base`` is what to fetch as the base (a full branch name, or a commit), ``head`` the commit, ``branch`` the name of
    its branch where git would take it, ``commit`` the one that gets the status (a merge queue has its own).
    """

    number: int
    base: str
    base_branch: str
    head: str
    branch: str | None
    commit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """The part of a workflow's event that says what it is about; empty outside a workflow."""

    pull_request: PullRequest | None = None
    queue: "MergeGroup | None" = None
    run: "WorkflowRun | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeGroup:
    """A queue's commit, its parent, and the branch that names the pull request."""

    head_sha: str
    head_ref: str
    base_sha: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowRun:
    """The run that another one was started by."""

    head_sha: str
    head_branch: str | None
    head_repository: "RunRepository"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRepository:
    """Where a run's branch is."""

    owner: Account


def read_event(data: bytes) -> Event:
    """The event of a workflow (``GITHUB_EVENT_PATH``); what it is not about is left out.

    Raises:
        UsageError: it is no event.
    """
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise UsageError("the event is no JSON object", "check GITHUB_EVENT_PATH, or give --pull")
    return Event(
        pull_request=_part(value, "pull_request", PullRequest),
        queue=_part(value, "merge_group", MergeGroup),
        run=_part(value, "workflow_run", WorkflowRun),
    )


def locate(github: GitHub, event: Event, *, number: int | None, warn: Callable[[str], None]) -> Target:
    """The pull request that a run is about: the one named, else that of the event.

    Where GitHub does not answer, what the event holds of it has to do, and ``warn`` is told.

    Raises:
        UsageError: the run is about no pull request.
        ApiError: GitHub does not answer and the event says too little.
    """
    found = number or _number_of(event)
    if found is None and event.run is not None:
        found = _number_of_run(github, event.run)
    if found is None:
        raise UsageError("this run is about no pull request", "name one: --pull NUMBER")
    try:
        pull = github.pull_request(found)
    except ApiError as error:
        if event.pull_request is None or event.pull_request.number != found:
            raise
        warn(f"{error.message}; going by the event instead")
        pull = event.pull_request
    target = Target(
        number=pull.number,
        base=f"refs/heads/{_branch(pull.base.ref)}",
        base_branch=_branch(pull.base.ref),
        head=commit_id(pull.head.sha),
        branch=pull.head.ref if _is_branch(pull.head.ref) else None,
        commit=commit_id(pull.head.sha),
    )
    if event.queue is not None and number is None:
        return replace(target, base=commit_id(event.queue.base_sha), commit=commit_id(event.queue.head_sha))
    return target


def _number_of(event: Event) -> int | None:
    if event.pull_request is not None:
        return event.pull_request.number
    queued = _QUEUED.fullmatch(event.queue.head_ref) if event.queue else None
    return int(queued[1]) if queued else None


def _number_of_run(github: GitHub, run: WorkflowRun) -> int | None:
    """GitHub says nothing of the pull request where it is from a fork, but vouches for branch and commit."""
    head = f"{run.head_repository.owner.login}:{run.head_branch}"
    found = [pull.number for pull in github.open_pull_requests(head=head) if pull.head.sha == run.head_sha]
    return min(found, default=None)


def _part(event: dict[str, Any], name: str, type: type[_T]) -> _T | None:
    if event.get(name) is None:
        return None
    try:
        return msgspec.convert(event[name], type)
    except msgspec.ValidationError as error:
        problem = f"the event's {name} is not understood: {str(error)[:200]}"
        raise UsageError(problem, "check GITHUB_EVENT_PATH, or give --pull") from error


def _is_branch(name: str) -> bool:
    return 0 < len(name) <= 250 and not _NO_BRANCH.search(name)


def _branch(name: str) -> str:
    if not _is_branch(name):
        raise ApiError("GitHub named a branch that git does not allow", "check GITHUB_API_URL")
    return name
