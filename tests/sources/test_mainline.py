import pytest

from gatecli.errors import GateError
from gatecli.model import MainlineFile
from gatecli.sources.git import Repository
from gatecli.sources.mainline import read_mainline
from tests.conftest import GitRepo


def test_a_merge_is_one_change_by_whoever_wrote_what_it_brought(repo: GitRepo) -> None:
    repo.write("a.py", "a = 1\n")
    repo.write("logo.png", b"\0\1\2")
    first = repo.commit({}, "one")
    repo.git("switch", "-q", "-c", "side")
    repo.write("b.py", "b = 1\n")
    repo.git("add", "b.py")
    repo.git("commit", "-q", "-m", "side", "--author", "Ravi <ravi@shop.example>")
    side = repo.head()
    repo.git("switch", "-q", "-")
    repo.git("merge", "-q", "--no-ff", "-m", "Merge side", "side")
    initial, merge = read_mainline(Repository.open(repo.path))
    assert (initial.sha, initial.branch, initial.author.name) == (first, (), "Ines Example")
    assert (merge.subject, merge.branch, merge.author.email) == ("Merge side", (side,), "ravi@shop.example")
    assert [(file.old_path, file.new_path, file.added) for file in merge.files] == [(None, "b.py", 1)]
    assert {file.path: file.added for file in initial.files} == {"a.py": 1, "logo.png": 0}


def test_a_merge_comes_with_what_its_commits_say_of_earlier_ones(repo: GitRepo) -> None:
    bad = repo.commit({"a.py": "a = 1\n"}, "Round up")
    repo.git("switch", "-q", "-c", "side")
    told = f'Revert "Round up"\n\nThis reverts commit {bad}.'
    repo.commit({"a.py": "a = 0\n"}, told)
    repo.commit({"b.py": "b = 1\n"}, f"Round again\n\nIntroduced by {bad[:8]}: \x01 half up")
    repo.commit({"b.py": "b = 2\n"}, "Reverting is hard")
    repo.git("switch", "-q", "-")
    repo.git("merge", "-q", "--no-ff", "-m", "Merge side", "side")
    first, merge = read_mainline(Repository.open(repo.path))
    assert first.said == ()
    assert [one.strip().split("\n")[0] for one in merge.said] == ['Revert "Round up"', "Round again"]
    assert [one.said for one in read_mainline(Repository.open(repo.path), after=bad)] == [merge.said]


def test_renames_deletions_and_strange_paths_are_told(repo: GitRepo) -> None:
    strange = "\x01" + "a" * 40 + " :100644 x.py"
    repo.write("old.py", "a = 1\n" * 5)
    repo.write(strange, "b = 1\n")
    repo.commit({}, "one")
    repo.git("mv", "old.py", "new.py")
    repo.git("rm", "-q", "--", strange)
    repo.commit({}, "two\n\n:000000 in the message\x01")
    first, second = read_mainline(Repository.open(repo.path))
    assert {file.path for file in first.files} == {"old.py", strange}
    moved = {file.path: file for file in second.files}
    blob = moved["new.py"].after
    assert moved["new.py"] == MainlineFile("old.py", "new.py", blob, blob, 0, 0)
    assert (moved[strange].new_path, moved[strange].deleted) == (None, 1)


def test_an_unknown_revision_is_said(repo: GitRepo) -> None:
    repo.commit({"c.py": "c = 1\n"}, "one")
    with pytest.raises(GateError, match="unknown revision"):
        list(read_mainline(Repository.open(repo.path), "nowhere"))
