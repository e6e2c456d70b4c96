"""What a GitHub answers with: accounts, pull requests, reviews and commits, as they stand in its JSON."""

from typing import Any

TOKEN = "ghs_0123456789abcdefghijklmnopqrstuvwxyzAB"
BOT = "github-actions[bot]"
SLUG = "acme/shop"
BASE_SHA = "3f9c2e1b7d5a4c8e9f0a1b2c3d4e5f6071829304"
HEAD_SHA = "a71b0d4c2e3f405162738495a6b7c8d9e0f1a2b3"
OLD_SHA = "1c02aa9f405162738495a6b7c8d9e0f1a2b3a71b"


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
