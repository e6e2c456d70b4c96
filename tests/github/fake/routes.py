"""The right answers: one function a route of the REST API, with the refusals and limits that GitHub has."""

import re
import urllib.parse
from collections.abc import Callable
from typing import Any

from tests.github.fake.state import FakeGitHub, Request
from tests.github.fake.values import SLUG, account

MAX_DESCRIPTION = 140
MAX_COMMENT = 65_536


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


REPO = f"/repos/{SLUG}"
ROUTES: tuple[tuple[str, str, Callable[..., tuple[int, Any]]], ...] = (
    ("GET", "/user", _user),
    ("POST", "/graphql", _graphql),
    ("GET", REPO + r"/pulls", _pulls),
    ("GET", REPO + r"/pulls/(\d+)", _pull),
    ("GET", REPO + r"/pulls/(\d+)/reviews", _list("reviews")),
    ("GET", REPO + r"/pulls/(\d+)/commits", _list("commits")),
    ("GET", REPO + r"/pulls/(\d+)/files", _list("files")),
    ("POST", REPO + r"/pulls/(\d+)/requested_reviewers", _request_reviews),
    ("GET", REPO + r"/compare/([0-9a-f]+)\.\.\.([0-9a-f]+)", _compare),
    ("GET", REPO + r"/commits/([^/]+)/check-runs", _check_runs),
    ("GET", REPO + r"/collaborators/([^/]+)/permission", _permission),
    ("GET", REPO + r"/issues", _issues),
    ("GET", REPO + r"/issues/(\d+)/comments", _comments),
    ("POST", REPO + r"/issues/(\d+)/comments", _add_comment),
    ("PATCH", REPO + r"/issues/comments/(\d+)", _edit_comment),
    ("DELETE", REPO + r"/issues/comments/(\d+)", _delete_comment),
    ("POST", REPO + r"/issues/(\d+)/labels", _add_label),
    ("DELETE", REPO + r"/issues/(\d+)/labels/([^/]+)", _remove_label),
    ("GET", REPO + r"/commits/([0-9a-f]+)/statuses", _statuses),
    ("POST", REPO + r"/statuses/([0-9a-f]+)", _set_status),
    ("GET", REPO, _repository),
    ("GET", REPO + r"/actions/artifacts", _artifacts),
    ("GET", r"/orgs/acme/teams/([^/]+)/members", _members),
)


def answer(github: FakeGitHub, request: Request) -> tuple[int, Any]:
    """Status and body of the right answer."""
    path = urllib.parse.urlsplit(request.path).path
    for method, pattern, handle in ROUTES:
        found = re.fullmatch(pattern, path)
        if found and method == request.method:
            return handle(github, request, *found.groups())
    return 404, {"message": "Not Found"}
