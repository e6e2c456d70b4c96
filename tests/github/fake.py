"""A small GitHub on this machine: one repository with state, permissions, pages, ETags, and troubles on demand."""

import hashlib
import json
import re
import threading
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "ghs_0123456789abcdefghijklmnopqrstuvwxyzAB"
BOT = "github-actions[bot]"
SLUG = "acme/shop"
BASE_SHA = "3f9c2e1b7d5a4c8e9f0a1b2c3d4e5f6071829304"
HEAD_SHA = "a71b0d4c2e3f405162738495a6b7c8d9e0f1a2b3"
OLD_SHA = "1c02aa9f405162738495a6b7c8d9e0f1a2b3a71b"

MAX_DESCRIPTION = 140
MAX_COMMENT = 65_536


def account(login: str, type: str = "User") -> dict[str, Any]:
    """An account as it stands in answers."""
    return {"login": login, "id": sum(login.encode()), "type": "Bot" if login.endswith("[bot]") else type}


def pull_request(number: int = 1204, **more: Any) -> dict[str, Any]:
    """A pull request of ``dana`` from a branch of the repository to ``main``."""
    repository = {"full_name": SLUG, "default_branch": "main"}
    return {
        "number": number,
        "state": "open",
        "title": "Price orders",
        "user": account("dana"),
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "labels": [],
        "commits": 1,
        "head": {"sha": HEAD_SHA, "ref": "price-orders", "repo": repository},
        "base": {"sha": BASE_SHA, "ref": "main", "repo": repository},
        **more,
    }


def review(login: str, state: str = "APPROVED", *, commit: str = HEAD_SHA) -> dict[str, Any]:
    """A review by a member of the organisation."""
    return {
        "id": 80,
        "user": account(login),
        "state": state,
        "commit_id": commit,
        "submitted_at": "2026-11-20T16:02:00Z",
        "author_association": "MEMBER",
    }


def commit(sha: str = HEAD_SHA, login: str = "dana") -> dict[str, Any]:
    """A commit by an account."""
    stamp = {"name": login, "email": f"{login}@shop.example"}
    return {"sha": sha, "commit": {"author": stamp, "committer": stamp}, "author": account(login), "committer": None}


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

    @property
    def written(self) -> list[tuple[str, str]]:
        """Method and path of every request that writes, without the repository's part."""
        return [(one.method, one.path.partition(SLUG)[2]) for one in self.requests if one.method != "GET"]

    # ----------------------------------------------------------------- answering

    def answer(self, request: Request) -> tuple[int, Any]:
        """Status and body of the right answer."""
        path = urllib.parse.urlsplit(request.path).path
        for method, pattern, handle in _ROUTES:
            found = re.fullmatch(pattern, path)
            if found and method == request.method:
                return handle(self, request, *found.groups())
        return 404, {"message": "Not Found"}

    def may(self, permission: str) -> tuple[int, Any] | None:
        """The refusal, where the token may not do it."""
        return None if permission in self.allowed else (403, {"message": "Resource not accessible by integration"})


def _user(github: FakeGitHub, request: Request) -> tuple[int, Any]:
    if github.tells_user:
        return 200, account(github.viewer)
    return 403, {"message": "Resource not accessible by integration"}


def _graphql(github: FakeGitHub, request: Request) -> tuple[int, Any]:
    return 200, {"data": {"viewer": {"login": github.viewer}}}


def _pull(github: FakeGitHub, request: Request, number: str) -> tuple[int, Any]:
    found = github.pulls.get(int(number))
    return (200, found) if found else (404, {"message": "Not Found"})


def _pulls(github: FakeGitHub, request: Request) -> tuple[int, Any]:
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(request.path).query)
    found = [pull for pull in github.pulls.values() if pull["state"] == query.get("state", ["open"])[0]]
    if "base" in query:
        found = [pull for pull in found if pull["base"]["ref"] == query["base"][0]]
    if "head" in query:
        owner, _, branch = query["head"][0].partition(":")
        found = [
            pull
            for pull in found
            if pull["head"]["repo"]["full_name"].startswith(f"{owner}/") and pull["head"]["ref"] == branch
        ]
    return 200, found


def _list(name: str) -> Callable[[FakeGitHub, Request, str], tuple[int, Any]]:
    def handle(github: FakeGitHub, request: Request, number: str) -> tuple[int, Any]:
        return 200, getattr(github, name).get(int(number), [])

    return handle


def _compare(github: FakeGitHub, request: Request, base: str, head: str) -> tuple[int, Any]:
    return 200, {"commits": github.commits[1204]}


def _issues(github: FakeGitHub, request: Request) -> tuple[int, Any]:
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(request.path).query)
    wanted = query["labels"][0]
    return 200, [one for one in github.issues if wanted in [label["name"] for label in one["labels"]]]


def _comments(github: FakeGitHub, request: Request, number: str) -> tuple[int, Any]:
    return 200, [one for one in github.comments if one["issue"] == int(number)]


def _add_comment(github: FakeGitHub, request: Request, number: str) -> tuple[int, Any]:
    if refusal := github.may("pull-requests: write"):
        return refusal
    if len(request.body["body"]) > MAX_COMMENT:
        return 422, {"message": "Validation Failed", "errors": [{"message": "body is too long"}]}
    github.comment(request.body["body"], github.viewer)
    return 201, github.comments[-1]


def _edit_comment(github: FakeGitHub, request: Request, id: str) -> tuple[int, Any]:
    if refusal := github.may("pull-requests: write"):
        return refusal
    for one in github.comments:
        if one["id"] == int(id):
            one["body"] = request.body["body"]
            return 200, one
    return 404, {"message": "Not Found"}


def _delete_comment(github: FakeGitHub, request: Request, id: str) -> tuple[int, Any]:
    if refusal := github.may("pull-requests: write"):
        return refusal
    github.comments[:] = [one for one in github.comments if one["id"] != int(id)]
    return 204, None


def _statuses(github: FakeGitHub, request: Request, sha: str) -> tuple[int, Any]:
    return 200, [one for one in github.statuses if one["sha"] == sha]


def _set_status(github: FakeGitHub, request: Request, sha: str) -> tuple[int, Any]:
    if refusal := github.may("statuses: write"):
        return refusal
    if len(request.body["description"]) > MAX_DESCRIPTION:
        return 422, {"message": "description is too long (maximum is 140 characters)"}
    github.statuses.insert(0, {**request.body, "sha": sha, "creator": account(github.viewer)})
    return 201, github.statuses[0]


def _add_label(github: FakeGitHub, request: Request, number: str) -> tuple[int, Any]:
    if refusal := github.may("pull-requests: write"):
        return refusal
    github.pulls[int(number)]["labels"] += [{"name": name} for name in request.body["labels"]]
    return 200, github.pulls[int(number)]["labels"]


def _remove_label(github: FakeGitHub, request: Request, number: str, name: str) -> tuple[int, Any]:
    labels = github.pulls[int(number)]["labels"]
    labels[:] = [one for one in labels if one["name"] != urllib.parse.unquote(name)]
    return 200, labels


def _request_reviews(github: FakeGitHub, request: Request, number: str) -> tuple[int, Any]:
    if refusal := github.may("pull-requests: write"):
        return refusal
    logins = request.body["reviewers"]
    if any(github.permissions.get(login, "none") == "none" for login in logins):
        return 422, {"message": "Reviews may only be requested from collaborators."}
    pull = github.pulls[int(number)]
    pull["requested_reviewers"] += [account(login) for login in logins]
    pull["requested_teams"] += [{"slug": slug} for slug in request.body["team_reviewers"]]
    return 201, pull


def _permission(github: FakeGitHub, request: Request, login: str) -> tuple[int, Any]:
    if refusal := github.may("collaborators: read"):
        return refusal
    if login not in github.permissions:
        return 404, {"message": f"{login} is not a user"}
    level = github.permissions[login]
    return 200, {"permission": level, "role_name": level, "user": {**account(login), "role_name": level}}


def _members(github: FakeGitHub, request: Request, team: str) -> tuple[int, Any]:
    if refusal := github.may("members: read"):
        return refusal
    return 200, [account(login) for login in github.teams.get(team, [])]


def _check_runs(github: FakeGitHub, request: Request, sha: str) -> tuple[int, Any]:
    if refusal := github.may("checks: read"):
        return refusal
    found = [one for one in github.check_runs if one["head_sha"] == sha]
    return 200, {"total_count": len(found), "check_runs": found}


def _repository(github: FakeGitHub, request: Request) -> tuple[int, Any]:
    return 200, {"full_name": SLUG, "default_branch": "main"}


def _artifacts(github: FakeGitHub, request: Request) -> tuple[int, Any]:
    if refusal := github.may("actions: read"):
        return refusal
    name = urllib.parse.parse_qs(urllib.parse.urlsplit(request.path).query)["name"][0]
    found = [one for one in reversed(github.artifacts) if one["name"] == name]
    return 200, {"total_count": len(found), "artifacts": found}


_REPO = f"/repos/{SLUG}"
_ROUTES: tuple[tuple[str, str, Callable[..., tuple[int, Any]]], ...] = (
    ("GET", "/user", _user),
    ("POST", "/graphql", _graphql),
    ("GET", _REPO + r"/pulls", _pulls),
    ("GET", _REPO + r"/pulls/(\d+)", _pull),
    ("GET", _REPO + r"/pulls/(\d+)/reviews", _list("reviews")),
    ("GET", _REPO + r"/pulls/(\d+)/commits", _list("commits")),
    ("GET", _REPO + r"/pulls/(\d+)/files", _list("files")),
    ("POST", _REPO + r"/pulls/(\d+)/requested_reviewers", _request_reviews),
    ("GET", _REPO + r"/compare/([0-9a-f]+)\.\.\.([0-9a-f]+)", _compare),
    ("GET", _REPO + r"/commits/([^/]+)/check-runs", _check_runs),
    ("GET", _REPO + r"/collaborators/([^/]+)/permission", _permission),
    ("GET", _REPO + r"/issues", _issues),
    ("GET", _REPO + r"/issues/(\d+)/comments", _comments),
    ("POST", _REPO + r"/issues/(\d+)/comments", _add_comment),
    ("PATCH", _REPO + r"/issues/comments/(\d+)", _edit_comment),
    ("DELETE", _REPO + r"/issues/comments/(\d+)", _delete_comment),
    ("POST", _REPO + r"/issues/(\d+)/labels", _add_label),
    ("DELETE", _REPO + r"/issues/(\d+)/labels/([^/]+)", _remove_label),
    ("GET", _REPO + r"/commits/([0-9a-f]+)/statuses", _statuses),
    ("POST", _REPO + r"/statuses/([0-9a-f]+)", _set_status),
    ("GET", _REPO, _repository),
    ("GET", _REPO + r"/actions/artifacts", _artifacts),
    ("GET", r"/orgs/acme/teams/([^/]+)/members", _members),
)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else every answer waits 40 ms for an acknowledgement
    github: FakeGitHub

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""

    def _handle(self) -> None:
        github = self.github
        length = int(self.headers.get("content-length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        request = Request(self.command, self.path, {key.lower(): one for key, one in self.headers.items()}, body)
        github.requests.append(request)
        for trouble in github.troubles:
            if trouble.times and re.search(trouble.path, self.path) and re.fullmatch(trouble.method, self.command):
                trouble.times -= 1
                return self._trouble(trouble)
        token = self.headers.get("authorization", "")
        if token and token.removeprefix("Bearer ") not in github.tokens:
            return self._reply(401, {"message": "Bad credentials"})
        if not token and self.command != "GET":
            return self._reply(401, {"message": "Requires authentication"})
        github.before(request)
        if found := re.fullmatch(_REPO + r"/actions/artifacts/(\d+)/zip", self.path):
            elsewhere = github.url.replace("127.0.0.1", "localhost")  # another host, as at the real one
            return self._send(302, b"", {"Location": f"{elsewhere}/store/{found[1]}?signature=secret"})
        if found := re.fullmatch(r"/store/(\d+)\?signature=secret", self.path):
            return self._send(200, github.archives[int(found[1])], {"Content-Type": "application/zip"})
        return self._reply(*github.answer(request))

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _handle  # noqa: N815

    def _reply(self, status: int, value: Any) -> None:
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        headers = {"Content-Type": "application/json; charset=utf-8"}
        if status == 200 and self.command == "GET" and "per_page" in query:
            value, link = self._page(value, query)
            headers |= {"Link": link} if link else {}
        content = b"" if value is None else json.dumps(value).encode()
        if status == 200 and self.command == "GET":
            headers["ETag"] = f'W/"{hashlib.sha256(content).hexdigest()}"'
            if self.headers.get("if-none-match") == headers["ETag"]:
                status, content = 304, b""
        self._send(status, content, headers)

    def _page(self, value: Any, query: dict[str, list[str]]) -> tuple[Any, str]:
        size, page = int(query["per_page"][0]), int(query.get("page", ["1"])[0])
        within = next((name for name in ("commits", "artifacts", "check_runs") if name in value), "")
        entries = value[within] if within else value
        shown = entries[(page - 1) * size : page * size]
        link = ""
        if page * size < len(entries):
            following = urllib.parse.urlencode(
                {**{key: one[0] for key, one in query.items()}, "page": page + 1, "per_page": size}
            )
            path = urllib.parse.urlsplit(self.path).path
            link = f'<{self.github.url}{path}?{following}>; rel="next", <{self.github.url}{path}?page=99>; rel="last"'
        return ({within: shown} if within else shown), link

    def _send(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for key, one in headers.items():
            self.send_header(key, one)
        if status != 304 and "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _trouble(self, trouble: Trouble) -> None:
        if trouble.how == "answer":
            self._send(trouble.status, trouble.body, trouble.headers)
            return
        self.close_connection = True
        if trouble.how == "hang":
            self.github.released.wait(10)
        elif trouble.how == "drip":
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            while not self.github.released.wait(0.02):
                self.wfile.write(b" ")
                self.wfile.flush()
        elif trouble.how == "cut":
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", "5000")
            self.end_headers()
            self.wfile.write(b'{"number": 12')


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is part of the tests."""


def serve(github: FakeGitHub) -> Iterator[FakeGitHub]:
    """Run it on a free port of this machine until the caller is done."""
    handler = type("Handler", (_Handler,), {"github": github})
    server = _Server(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    github.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield github
    finally:
        github.released.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
