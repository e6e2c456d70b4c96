"""A GitHub to talk to, and nothing of the real one in the environment."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gatecli.reports.judgement import Judgement
from gatecli.reports.publishing import Place, Wanted, publish
from gatecli.sources.github import GitHub
from gatecli.sources.github_api import Api
from tests.conftest import GitRepo
from tests.github.action import SAFE, Job
from tests.github.fake import SLUG, TOKEN, FakeGitHub, commit, pull_request, serve
from tests.github.judgements import EVERYTHING, PLACE


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


@pytest.fixture
def run(github: GitHub, fake: FakeGitHub) -> Callable[..., list[str]]:
    """Publish, and return what was said; the files of the pull request are those that were judged."""

    def call(judged: Judgement, wanted: Wanted = EVERYTHING, *, place: Place = PLACE, ok: bool = True, **more: Any):
        if not fake.files:
            fake.files[1204] = [{"filename": path} for path in sorted(judged.paths)]
        said: list[str] = []
        assert publish(github, place, judged, wanted, say=said.append, **more) is ok
        assert TOKEN not in "".join(said)
        return said

    return call


@pytest.fixture
def remote(make_repo: Callable[..., GitRepo]) -> GitRepo:
    """The repository on the server, with one function on main."""
    repo = make_repo(f"server/{SLUG}")
    repo.git("config", "uploadpack.allowAnySHA1InWant", "true")  # as GitHub allows it
    repo.commit({"shop/pricing.py": SAFE, "README.md": "shop\n"})
    return repo


@pytest.fixture
def propose(remote: GitRepo, fake: FakeGitHub, tmp_path: Path) -> Callable[..., Job]:
    """Push a branch, open pull request 1204 of it, and start a job for it."""

    def call(
        files: dict[str, str | bytes | None],
        *,
        branch: str = "topic",
        message: str = "change",
        inputs: dict[str, str] | None = None,
        **more: Any,
    ) -> Job:
        base = remote.head()
        remote.git("checkout", "-q", "-b", branch)
        head = remote.commit(files, message)
        remote.git("checkout", "-q", "main")
        repository = {"full_name": SLUG, "default_branch": "main"}
        pull = pull_request(
            head={"sha": head, "ref": branch, "repo": repository},
            base={"sha": base, "ref": "main", "repo": repository},
            **more,
        )
        fake.pulls[1204] = pull
        fake.commits[1204] = [commit(head)]
        names = remote.git("diff", "--name-only", "-z", base, head).split("\0")
        fake.files[1204] = [{"filename": name} for name in names if name]
        event = {"action": "opened", "pull_request": json.loads(json.dumps(pull))}
        job = Job(tmp_path / "runner", tmp_path / "server", fake, event, inputs or {})
        job.install()
        return job

    return call
