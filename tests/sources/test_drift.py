"""What happened between two commits, as a profile of the first one needs it."""

import pytest

from gatecli.model import FileStatus
from gatecli.sources import changes as module
from gatecli.sources.changes import read_python_between
from gatecli.sources.git import Repository
from gatecli.sources.source import Drift, open_patch, open_tree
from tests.conftest import GitRepo

BODY = "".join(f"line_{number} = {number}\n" for number in range(20))


@pytest.fixture
def drifted(repo: GitRepo) -> tuple[GitRepo, str, str]:
    old = repo.commit(
        {"a.py": BODY, "b.py": "b = 1\n", "sub/c.pyi": "c = 1\n", "notes.md": "x\n", "gone.py": "g = 1\n"}
    )
    files = {"a.py": None, "new.py": BODY + "more = 1\n", "b.py": "b = 2\n", "sub/c.pyi": "c = 2\n", "notes.md": "y\n"}
    return repo, old, repo.commit({**files, "gone.py": None, "*.py": "star = 1\n"})


@pytest.mark.parametrize("limit", [20_000, 0])
def test_only_what_is_chosen_is_read(
    drifted: tuple[GitRepo, str, str], monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    """Few paths are named to git, many are not: the same comes of it."""
    monkeypatch.setattr(module, "MAX_PATHS_TEXT", limit)
    repo, old, new = drifted
    seen = []

    def choose(pairs: list[tuple[str | None, str]]) -> set[str]:
        seen.extend(pairs)
        return {"new.py", "gone.py", "*.py"}

    files, differing = read_python_between(Repository.open(repo.path), old, new, choose)
    assert sorted(seen, key=str) == sorted(
        [("a.py", "new.py"), ("b.py", "b.py"), ("sub/c.pyi", "sub/c.pyi"), ("gone.py", "gone.py"), (None, "*.py")],
        key=str,
    )
    assert differing == 5
    assert {(file.path, file.old_path, file.status) for file in files} == {
        ("new.py", "a.py", FileStatus.RENAMED),
        ("gone.py", "gone.py", FileStatus.DELETED),
        ("*.py", None, FileStatus.ADDED),
    }
    renamed = next(file for file in files if file.path == "new.py")
    assert (renamed.before, renamed.after) == (BODY.encode(), f"{BODY}more = 1\n".encode())
    assert [(hunk.old_count, hunk.new_start, hunk.new_count) for hunk in renamed.hunks] == [(0, 21, 1)]


def test_nothing_chosen_nothing_read(drifted: tuple[GitRepo, str, str]) -> None:
    repo, old, new = drifted
    assert read_python_between(Repository.open(repo.path), old, new, lambda pairs: ()) == ((), 5)


def test_the_distance_is_counted_both_ways(repo: GitRepo) -> None:
    start = repo.commit({"a.py": "1\n"})
    repo.git("checkout", "--quiet", "-b", "topic")
    topic = repo.commit({"a.py": "2\n"})
    repo.git("checkout", "--quiet", "main")
    repo.commit({"b.py": "1\n"})
    main = repo.commit({"b.py": "2\n"})
    opened = Repository.open(repo.path)
    assert opened.distance(start, main) == (2, 0)
    assert opened.distance(topic, main) == (2, 1)
    assert opened.distance(main, main) == (0, 0)


def test_a_source_knows_its_drift(drifted: tuple[GitRepo, str, str]) -> None:
    repo, old, new = drifted
    source = open_tree(repo.path)
    assert source.drift(new, _never) == Drift()
    assert source.drift("f" * 40, _never) is None
    assert source.drift(old, lambda pairs: ()) == Drift(behind=1, differing=5)


def test_no_repository_no_drift(drifted: tuple[GitRepo, str, str]) -> None:
    repo, old, _ = drifted
    folder = repo.path.parent / "plain"
    folder.mkdir()
    (folder / "b.py").write_text("b = 1\n")
    patch = b"--- a/b.py\n+++ b/b.py\n@@ -1 +1 @@\n-b = 1\n+b = 2\n"
    assert open_patch(folder, patch, "p").drift(old, _never) is None
    assert open_tree(folder).drift(old, _never) is None


def _never(pairs: object) -> set[str]:
    raise AssertionError("nothing to choose from")
