"""A GitHub to talk to, and nothing of the real one in the environment."""

import os
from collections.abc import Iterator

import pytest

from gatecli.sources.github import GitHub
from gatecli.sources.github_api import Api
from tests.github.fake import SLUG, TOKEN, FakeGitHub, serve


@pytest.fixture(autouse=True)
def no_workflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests may themselves run in a workflow."""
    for name in [name for name in os.environ if name.startswith(("GITHUB_", "GH_", "RUNNER_"))]:
        monkeypatch.delenv(name)


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    """An empty GitHub with pull request 1204."""
    yield from serve(FakeGitHub())


@pytest.fixture
def slept() -> list[float]:
    """How long the client would have waited, one entry a pause; nothing really waits."""
    return []


@pytest.fixture
def github(fake: FakeGitHub, slept: list[float]) -> GitHub:
    """A client of it at noon of 1970-01-01."""
    return GitHub(Api(fake.url, TOKEN, sleep=slept.append, now=lambda: 43_200), SLUG)
