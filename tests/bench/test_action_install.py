"""The action with nothing prepared: gate is really installed, from the lock, in a clean folder. Needs an index.

Slow: ``pytest tests/bench/test_action_install.py``.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import GitRepo
from tests.github.action import Job
from tests.github.fake import SLUG, FakeGitHub, commit, pull_request, serve


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    yield from serve(FakeGitHub())


def test_it_installs_itself_by_hash_and_judges(
    make_repo: Callable[..., GitRepo], fake: FakeGitHub, tmp_path: Path
) -> None:
    remote = make_repo(f"server/{SLUG}")
    remote.git("config", "uploadpack.allowAnySHA1InWant", "true")
    base = remote.commit({"README.md": "shop\n"})
    remote.git("checkout", "-q", "-b", "topic")
    head = remote.commit({"README.md": "a shop\n"})
    remote.git("checkout", "-q", "main")
    repository = {"full_name": SLUG, "default_branch": "main"}
    ends = {name: {"sha": sha, "ref": ref, "repo": repository} for name, sha, ref in
            (("head", head, "topic"), ("base", base, "main"))}  # fmt: skip
    fake.pulls[1204] = pull_request(**ends)
    fake.commits[1204] = [commit(head)]
    fake.files[1204] = [{"filename": "README.md"}]
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    job = Job(tmp_path / "runner", tmp_path / "server", fake, {"pull_request": fake.pulls[1204]}, {}, pip)

    result = job.run()
    assert (result.code, result.outputs["outcome"]) == (0, "pass"), result.errors
    assert [one["state"] for one in fake.statuses] == ["success"]

    # A wheel that came back from the cache with another content is not installed.
    wheels = job.temp / "gate-wheels"
    victim = next(wheels.glob("mdurl-*.whl"))
    victim.write_bytes(victim.read_bytes() + b"\0")
    for venv in job.temp.glob("gate-venv-*"):
        shutil.rmtree(venv)
    result = job.run()
    assert result.code == 1
    assert "DO NOT MATCH THE HASHES" in result.errors
    assert len(fake.statuses) == 1
