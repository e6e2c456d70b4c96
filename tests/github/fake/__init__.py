"""A small GitHub on this machine: one repository with state, permissions, pages, ETags, and troubles on demand."""

from tests.github.fake.routes import MAX_COMMENT
from tests.github.fake.server import serve
from tests.github.fake.state import FakeGitHub, Request
from tests.github.fake.values import (
    BASE_SHA,
    BOT,
    HEAD_SHA,
    OLD_SHA,
    SLUG,
    TOKEN,
    account,
    commit,
    pull_request,
    review,
)

__all__ = [
    "BASE_SHA",
    "BOT",
    "HEAD_SHA",
    "MAX_COMMENT",
    "OLD_SHA",
    "SLUG",
    "TOKEN",
    "FakeGitHub",
    "Request",
    "account",
    "commit",
    "pull_request",
    "review",
    "serve",
]
