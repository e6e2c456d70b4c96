"""One repository on a GitHub: what is in it, who may do what, and the troubles to come."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.github.fake.values import BOT, HEAD_SHA, SLUG, TOKEN, account, commit, pull_request


@dataclass
class Request:
    """What arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


@dataclass
class Trouble:
    """An answer that is given instead of the right one, ``times`` times, for paths that match."""

    method: str
    path: str
    status: int
    body: bytes
    headers: dict[str, str]
    times: int
    how: str


@dataclass
class FakeGitHub:
    """The state of the repository, to arrange before and to look at after."""

    pulls: dict[int, dict[str, Any]] = field(default_factory=lambda: {1204: pull_request()})
    reviews: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    commits: dict[int, list[dict[str, Any]]] = field(default_factory=lambda: {1204: [commit()]})
    files: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    comments: list[dict[str, Any]] = field(default_factory=list)
    statuses: list[dict[str, Any]] = field(default_factory=list)
    permissions: dict[str, str] = field(default_factory=dict)
    teams: dict[str, list[str]] = field(default_factory=dict)
    artifacts: list[dict[str, Any]] = field(default_factory=list)
    archives: dict[int, bytes] = field(default_factory=dict)
    issues: list[dict[str, Any]] = field(default_factory=list)
    check_runs: list[dict[str, Any]] = field(default_factory=list)
    allowed: set[str] = field(
        default_factory=lambda: {
            "pull-requests: write",
            "statuses: write",
            "collaborators: read",
            "members: read",
            "actions: read",
            "checks: read",
        }
    )
    viewer: str = BOT
    tells_user: bool = False
    tokens: tuple[str, ...] = (TOKEN,)
    requests: list[Request] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    before: Callable[[Request], None] = lambda _: None
    url: str = ""
    root: str = ""
    next_id: int = 9000

    def trouble(
        self,
        path: str,
        *,
        method: str = ".*",
        status: int = 200,
        body: bytes | dict[str, Any] = b"",
        headers: dict[str, str] | None = None,
        times: int = 1,
        how: str = "answer",
    ) -> None:
        """Answer the next requests for a path wrongly: ``how`` is answer, hang, drip, cut or drop."""
        given = headers or {}
        content = json.dumps(body).encode() if isinstance(body, dict) else body
        if isinstance(body, dict):
            given = {"Content-Type": "application/json; charset=utf-8", **given}
        self.troubles.append(Trouble(method, path, status, content, given, times, how))

    def comment(self, body: str, login: str = BOT) -> int:
        """A comment that is already there."""
        self.next_id += 1
        self.comments.append({"id": self.next_id, "body": body, "user": account(login), "issue": 1204})
        return self.next_id

    def status(self, description: str, *, state: str = "success", login: str = BOT, sha: str = HEAD_SHA) -> None:
        """A status that is already there."""
        self.statuses.insert(
            0,
            {"state": state, "context": "gate", "description": description, "creator": account(login), "sha": sha},
        )

    def artifact(self, name: str, archive: bytes, *, branch: str = "main", fork: bool = False, **more: Any) -> None:
        """Something that a run kept."""
        self.next_id += 1
        run = {"head_branch": branch, "repository_id": 1, "head_repository_id": 2 if fork else 1}
        self.artifacts.append({"id": self.next_id, "name": name, "expired": False, "workflow_run": run, **more})
        self.archives[self.next_id] = archive

    def becomes_enterprise(self) -> None:
        """From here on the API is where GitHub Enterprise Server has it: below ``/api/v3``, GraphQL beside it."""
        self.root = "/api/v3"
        self.url += self.root

    @property
    def written(self) -> list[tuple[str, str]]:
        """Method and path of every request that writes, without the repository's part."""
        return [(one.method, one.path.partition(SLUG)[2]) for one in self.requests if one.method != "GET"]

    def may(self, permission: str) -> tuple[int, Any] | None:
        """The refusal, where the token may not do it."""
        return None if permission in self.allowed else (403, {"message": "Resource not accessible by integration"})
