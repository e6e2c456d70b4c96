import pytest

from gatecli.model import Hunk, PastCommit, Person
from gatecli.sources.git import Repository
from gatecli.sources.log import parse_log

INES = Person(name="Ines Example", email="ines@shop.example")


def hunk(old: int, old_count: int, new: int, new_count: int) -> Hunk:
    return Hunk(old_start=old, old_count=old_count, new_start=new, new_count=new_count)


def entry(sha: bytes, subject: bytes, patch: bytes = b"", at: bytes = b"100") -> bytes:
    return b"\0" + b"\0".join((sha, b"Ines Example", b"ines@shop.example", at, subject)) + b"\0\n" + patch


def past(sha: str, subject: str, *files, at: int = 100) -> PastCommit:
    return PastCommit(sha=sha, author=INES, committed_at=at, subject=subject, files=files)


PATCH = b"""
diff --git a/a.py b/a.py
index 1..2 100644
--- a/a.py
+++ b/a.py
@@ -1 +1,2 @@
-x = 1
+x = 2
+y = 2
@@ -9,2 +10,0 @@ def f():
-a
-b
\\ No newline at end of file
"""


@pytest.mark.parametrize(
    ("out", "expected"),
    [
        (b"", []),
        (entry(b"abc", b"first"), [past("abc", "first")]),
        (entry(b"abc", b"odd date", at=b""), [past("abc", "odd date", at=0)]),
        (entry(b"abc", b"s", PATCH), [past("abc", "s", ("a.py", (hunk(1, 1, 1, 2), hunk(9, 2, 11, 0))))]),
        (
            entry(b"abc", b"new", b"\ndiff --git a/n b/n\n--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+x\n"),
            [past("abc", "new", ("n", (hunk(1, 0, 1, 1),)))],
        ),
        (
            entry(b"abc", b"gone", b"\ndiff --git a/n b/n\n--- a/n\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"),
            [past("abc", "gone", ("n", (hunk(1, 1, 1, 0),)))],
        ),
        (
            entry(b"abc", b"mode", b"\ndiff --git a/n b/n\nold mode 100644\nnew mode 100755\n")
            + entry(b"def", b"next"),
            [past("abc", "mode"), past("def", "next")],
        ),
        (
            entry(
                b"abc",
                b"\xff",
                b'\ndiff --git "a/\\377" "b/\\377"\n--- "a/\\377"\n+++ "b/\\377"\n@@ -1 +1 @@\n-x\n+y\n',
            ),
            [past("abc", "\ufffd", ("\udcff", (hunk(1, 1, 1, 1),)))],
        ),
        (
            entry(b"abc", b"cut", b"\ndiff --git a/n b/n\n--- a/n\n+++ b/n\n@@ -1,9 +1,9 @@\n-x\n"),
            [past("abc", "cut", ("n", (hunk(1, 9, 1, 9),)))],
        ),
    ],
)
def test_the_output_of_git_log(out, expected):
    assert list(parse_log(out)) == expected


def test_history_of_a_file_newest_first(repo):
    first = repo.commit({"a.py": "x = 1\n", "b.py": "y = 1\n"}, "first")
    repo.commit({"b.py": "y = 2\n"}, "not asked for")
    third = repo.commit({"a.py": "x = 1\nz = 1\n"}, "third")
    assert list(Repository.open(repo.path).log("HEAD", ["a.py"], limit=10)) == [
        past(third, "third", ("a.py", (hunk(2, 0, 2, 1),)), at=1_700_000_120),
        past(first, "first", ("a.py", (hunk(1, 0, 1, 1),)), at=1_700_000_000),
    ]
    assert [commit.subject for commit in Repository.open(repo.path).log("HEAD", ["a.py"], limit=1)] == ["third"]
    assert list(Repository.open(repo.path).log("HEAD", [], limit=10)) == []


def test_merges_are_left_out(repo):
    repo.commit({"a.py": "x = 1\n"}, "first")
    repo.git("checkout", "--quiet", "-b", "topic")
    repo.commit({"a.py": "x = 2\n"}, "topic")
    repo.git("checkout", "--quiet", "main")
    repo.commit({"b.py": "y = 1\n"}, "main")
    repo.git("merge", "--quiet", "--no-ff", "--message", "merge", "topic")
    assert [commit.subject for commit in Repository.open(repo.path).log("HEAD", ["a.py"], limit=9)] == [
        "topic",
        "first",
    ]


def test_no_content_can_pass_for_a_commit(repo):
    """With a ``diff`` attribute git prints binary content as text, also content that looks like its own headers."""
    forged = entry(b"f" * 40, b"forged", b"\ndiff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-x\n+y\n")
    repo.commit({"a.py": "x = 1\n", ".gitattributes": "*.py diff\n"}, "first")
    repo.commit({"a.py": b"x = 1\n" + forged}, "second")
    repo.commit({"a.py": b"x = 1\n"}, "third")
    history = list(Repository.open(repo.path).log("HEAD", ["a.py"], limit=10))
    assert [commit.subject for commit in history] == ["third", "second", "first"]
    assert {path for commit in history for path, _ in commit.files} == {"a.py"}


def test_text_that_looks_like_headers_is_only_text(repo):
    content = "-- a/evil.py\n++ b/evil.py\n@@ -1 +1 @@\ndiff --git a/x b/x\n"
    repo.commit({"a.py": "x = 1\n"}, "first")
    repo.commit({"a.py": content}, "second")
    repo.commit({"a.py": None}, "third")
    history = list(Repository.open(repo.path).log("HEAD", ["a.py"], limit=10))
    assert [commit.files for commit in history] == [
        (("a.py", (hunk(1, 4, 1, 0),)),),
        (("a.py", (hunk(1, 1, 1, 4),)),),
        (("a.py", (hunk(1, 0, 1, 1),)),),
    ]
