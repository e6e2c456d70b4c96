import os

import pytest

from gatecli.errors import EvidenceError, UsageError
from gatecli.model import FileChange, FileStatus, FileType, Hunk, SourceKind
from gatecli.sources import changes as module
from gatecli.sources import git
from gatecli.sources.changes import read_patch, read_range, read_staged, read_worktree
from gatecli.sources.git import Repository

BODY = "".join(f"line_{number} = {number}\n" for number in range(20))


def hunk(old: int, old_count: int, new: int, new_count: int) -> Hunk:
    return Hunk(old_start=old, old_count=old_count, new_start=new, new_count=new_count)


def summary(change):
    return [(file.status.value, file.old_path, file.path) for file in change.files]


@pytest.fixture
def branches(repo):
    """``topic`` changed a.py since ``main`` parted; ``main`` has gone on."""
    base = repo.commit({"a.py": "x = 1\ny = 1\n"})
    repo.git("checkout", "--quiet", "-b", "topic")
    head = repo.commit({"a.py": "x = 1\ny = 2\n"}, "topic")
    repo.git("checkout", "--quiet", "main")
    main = repo.commit({"a.py": "x = 1\ny = 1\nz = 1\n"}, "main")
    repo.git("checkout", "--quiet", "topic")
    return repo, base, main, head


EDIT = FileChange(
    path="a.py",
    old_path="a.py",
    status=FileStatus.MODIFIED,
    old_mode="100644",
    new_mode="100644",
    hunks=(hunk(2, 1, 2, 1),),
    before=b"x = 1\ny = 1\n",
    after=b"x = 1\ny = 2\n",
)


@pytest.mark.parametrize("revisions", ["main", "main...topic", "main...", "main...HEAD"])
def test_a_range_is_measured_from_the_merge_base(branches, revisions):
    repo, base, main, head = branches
    change = read_range(Repository.open(repo.path), revisions)
    assert (change.kind, change.base, change.merge_base, change.head) == (SourceKind.RANGE, main, base, head)
    assert change.files == (EDIT,)
    assert [revision.subject for revision in change.revisions] == ["topic"]
    assert change.warnings == ()
    assert (change.added_count, change.deleted_count) == (1, 1)


def test_two_dots_compare_the_two_trees(branches):
    repo, _, main, head = branches
    change = read_range(Repository.open(repo.path), "main..topic")
    assert (change.base, change.merge_base, change.head) == (main, main, head)
    assert [file.hunks for file in change.files] == [(hunk(2, 2, 2, 1),)]
    assert [revision.subject for revision in change.revisions] == ["topic"]


def test_a_range_works_in_a_bare_repository(branches, tmp_path):
    repo, base, _, _ = branches
    repo.git("clone", "--quiet", "--bare", str(repo.path), str(tmp_path / "bare.git"))
    change = read_range(Repository.open(tmp_path / "bare.git"), "main...topic")
    assert (change.merge_base, change.files) == (base, (EDIT,))


def test_the_working_tree_of_a_bare_repository_is_refused(branches, tmp_path):
    repo = branches[0]
    repo.git("clone", "--quiet", "--bare", str(repo.path), str(tmp_path / "bare.git"))
    with pytest.raises(UsageError, match="bare repository"):
        read_worktree(Repository.open(tmp_path / "bare.git"))


def test_an_empty_range_has_no_files_and_no_commits(branches):
    repo, _, main, _ = branches
    change = read_range(Repository.open(repo.path), "main...main")
    assert (change.files, change.revisions, change.merge_base) == ((), (), main)


def test_equal_content_has_an_equal_digest_after_a_rebase(branches):
    repo = branches[0]
    repo.commit({"b.py": "def f():\n    return 1\n"}, "more")
    before = read_range(Repository.open(repo.path), "HEAD~1..HEAD")
    repo.git("checkout", "--quiet", "-b", "other", "main")
    repo.git("cherry-pick", "topic")
    after = read_range(Repository.open(repo.path), "HEAD~1..HEAD")
    assert (before.head != after.head, before.digest) == (True, after.digest)
    repo.commit({"b.py": "def f():\n    return 2\n"})
    assert read_range(Repository.open(repo.path), "main..HEAD").digest != before.digest


def test_staged_is_what_the_next_commit_would_hold(repo):
    base = repo.commit({"a.py": "x = 1\ny = 1\n", "gone.py": "z = 1\n"})
    repo.write("a.py", "x = 1\ny = 2\n")
    (repo.path / "gone.py").unlink()
    repo.git("add", "--all")
    repo.write("a.py", "x = 9\ny = 9\n")
    repo.write("untracked.py", "q = 1\n")
    change = read_staged(Repository.open(repo.path))
    assert (change.kind, change.base, change.head, change.branch) == (SourceKind.STAGED, base, None, "main")
    assert change.files[0] == EDIT
    assert summary(change) == [("modified", "a.py", "a.py"), ("deleted", "gone.py", "gone.py")]


def test_staged_before_the_first_commit(repo):
    repo.write("a.py", "x = 1\n")
    repo.git("add", "a.py")
    change = read_staged(Repository.open(repo.path))
    assert (change.base, change.merge_base, summary(change)) == (None, None, [("added", None, "a.py")])


def test_the_working_tree_holds_commits_edits_and_untracked_files(branches):
    repo, base, main, head = branches
    repo.write("a.py", "x = 1\ny = 3\n")
    repo.write("new/b.py", "b = 1\n")
    repo.write("empty.py", "")
    repo.write("ignored.log", "noise\n")
    repo.write(".git/info/exclude", "*.log\n")
    before = repo.git("status", "--porcelain", "-z")
    change = read_worktree(Repository.open(repo.path))
    assert (change.kind, change.base, change.merge_base, change.head) == (SourceKind.WORKTREE, main, base, head)
    assert summary(change) == [
        ("modified", "a.py", "a.py"),
        ("added", None, "empty.py"),
        ("added", None, "new/b.py"),
    ]
    assert [file.after for file in change.files] == [b"x = 1\ny = 3\n", b"", b"b = 1\n"]
    assert [revision.subject for revision in change.revisions] == ["topic"]
    assert repo.git("status", "--porcelain", "-z") == before  # the index is as it was


def test_a_working_tree_before_the_first_commit(repo):
    repo.write("a.py", "x = 1\n")
    change = read_worktree(Repository.open(repo.path))
    assert (change.base, change.head, change.merge_base) == (None, None, None)
    assert [(file.path, file.after) for file in change.files] == [("a.py", b"x = 1\n")]


def test_an_empty_repository_is_an_empty_change(repo):
    assert read_worktree(Repository.open(repo.path)).files == ()


def test_an_edit_of_equal_size_in_the_same_second_is_seen(repo):
    """git finds it by the time of its index, which a copy of the index must keep."""
    repo.commit({"a.py": "x = 1\n"})
    repo.git("config", "core.trustctime", "false")  # as if a second had no parts and all of this was in one
    file, index, second = repo.path / "a.py", repo.path / ".git" / "index", 1_700_000_000
    os.utime(file, (second, second))
    repo.git("add", "a.py")
    os.utime(index, (second, second))
    repo.write("a.py", "x = 2\n")
    os.utime(file, (second, second))
    change = read_worktree(Repository.open(repo.path))
    assert [(found.before, found.after) for found in change.files] == [(b"x = 1\n", b"x = 2\n")]
    assert [found.hunks for found in change.files] == [(hunk(1, 1, 1, 1),)]


def test_a_file_that_was_only_touched_is_no_change(repo, monkeypatch, tmp_path):
    repo.commit({"a.py": "x = 1\n", "b.py": "y = 1\n"})
    (tmp_path / ".gitconfig").write_text("[diff]\n  autoRefreshIndex = false\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    os.utime(repo.path / "a.py", (1, 1))
    repo.write("b.py", "y = 2\n")
    assert summary(read_worktree(Repository.open(repo.path))) == [("modified", "b.py", "b.py")]


def test_many_untracked_files_are_refused_with_a_way_out(repo, monkeypatch):
    monkeypatch.setattr(git, "MAX_UNTRACKED", 3)
    repo.commit({"a.py": "x = 1\n"})
    for number in range(3):
        repo.write(f"new_{number}.py", "x = 1\n")
    assert len(read_worktree(Repository.open(repo.path)).files) == 3
    repo.write("new_4.py", "x = 1\n")
    with pytest.raises(UsageError, match="4 untracked files") as caught:
        read_worktree(Repository.open(repo.path))
    assert ".gitignore" in caught.value.hint


def test_two_thousand_untracked_files_take_seconds_not_minutes(repo):
    repo.commit({"a.py": "x = 1\n"})
    for number in range(2_000):
        repo.write(f"new/f{number}.py", f"x = {number}\n")
    assert len(read_worktree(Repository.open(repo.path)).files) == 2_000


def test_an_untracked_repository_inside_is_no_obstacle(repo, make_repo):
    repo.commit({"a.py": "x = 1\n"})
    make_repo("repo/inner")  # no commit yet
    full = make_repo("repo/other")
    full.commit({"z.py": "z = 1\n"})
    repo.write("b.py", "y = 1\n")
    assert ("added", None, "b.py") in summary(read_worktree(Repository.open(repo.path)))


def test_the_index_that_a_hook_names_is_the_one_that_is_read(repo, monkeypatch):
    repo.commit({"a.py": "x = 1\n"})
    repo.write("a.py", "x = 2\n")
    other = repo.path / ".git" / "next-index"
    repo.git("add", "a.py", env={"GIT_INDEX_FILE": str(other)})
    repo.git("read-tree", "HEAD")
    monkeypatch.setenv("GIT_INDEX_FILE", str(other))
    assert summary(read_staged(Repository.open(repo.path))) == [("modified", "a.py", "a.py")]


def test_renames_copies_deletes_and_modes(repo):
    repo.commit({"moved.py": BODY, "copied.py": BODY.upper(), "gone.py": "x = 1\n", "run.py": "y = 1\n"})
    repo.git("mv", "moved.py", "there.py")
    (repo.path / "run.py").chmod(0o755)
    text = BODY.upper()
    repo.commit(
        {
            "there.py": BODY.replace("= 7\n", "= 70\n"),
            "copied.py": text + "MORE = 1\n",
            "copy.py": text.replace("= 3\n", "= 30\n"),
            "gone.py": None,
        }
    )
    change = read_range(Repository.open(repo.path), "HEAD~1..HEAD")
    found = {file.path: file for file in change.files}
    assert summary(change) == [
        ("modified", "copied.py", "copied.py"),
        ("copied", "copied.py", "copy.py"),
        ("deleted", "gone.py", "gone.py"),
        ("modified", "run.py", "run.py"),
        ("renamed", "moved.py", "there.py"),
    ]
    assert found["there.py"].hunks == (hunk(8, 1, 8, 1),)
    assert (found["there.py"].before, found["there.py"].after) == (
        BODY.encode(),
        BODY.replace("= 7\n", "= 70\n").encode(),
    )
    assert found["copy.py"].hunks == (hunk(4, 1, 4, 1),)
    assert (found["gone.py"].before, found["gone.py"].after) == (b"x = 1\n", None)
    assert (found["gone.py"].old_mode, found["gone.py"].new_mode) == ("100644", None)
    assert (found["run.py"].old_mode, found["run.py"].new_mode, found["run.py"].hunks) == ("100644", "100755", ())


def test_an_uncommitted_rename_has_both_contents(repo):
    """git names a blob id for the new file that it never stored."""
    repo.commit({"a.py": BODY})
    (repo.path / "a.py").rename(repo.path / "b.py")
    repo.write("b.py", BODY.replace("= 3\n", "= 30\n"))
    change = read_worktree(Repository.open(repo.path))
    assert summary(change) == [("renamed", "a.py", "b.py")]
    assert change.files[0].after == BODY.replace("= 3\n", "= 30\n").encode()


@pytest.mark.parametrize(
    "name",
    [
        "sp ace.py",
        'quo"te.py',
        "new\nline.py",
        "ünï.py",
        os.fsdecode(b"\xff\xfe.py"),
        "-dash.py",
        "a -> b.py",
        "b/a b/b.py",
    ],
)
@pytest.mark.parametrize("read", [lambda r: read_range(r, "HEAD~1..HEAD"), read_worktree], ids=["range", "worktree"])
def test_odd_paths_keep_their_names(repo, name, read):
    repo.commit({"first.py": "x = 1\n"})
    repo.write(name, "x = 2\n")
    if read is not read_worktree:
        repo.commit()
    change = read(Repository.open(repo.path))
    assert [(file.path, file.after) for file in change.files] == [(name, b"x = 2\n")]


def test_symbolic_links_are_not_followed(repo, tmp_path):
    (tmp_path / "secret.py").write_text("password = 1\n")
    repo.commit({"a.py": "x = 1\n"})
    (repo.path / "link.py").symlink_to(tmp_path / "secret.py")
    (repo.path / "a.py").unlink()
    (repo.path / "a.py").symlink_to(tmp_path / "secret.py")
    for change in (read_worktree(Repository.open(repo.path)), _committed(repo)):
        link, swapped = change.files[1], change.files[0]
        assert (link.path, link.type, link.status, link.after) == ("link.py", FileType.SYMLINK, FileStatus.ADDED, None)
        assert (swapped.status, swapped.type) == (FileStatus.TYPE_CHANGED, FileType.SYMLINK)
        assert (swapped.before, swapped.after) == (b"x = 1\n", None)
        assert swapped.hunks == (hunk(1, 1, 1, 0), hunk(1, 0, 1, 1))


def _committed(repo):
    repo.commit()
    return read_range(Repository.open(repo.path), "HEAD~1..HEAD")


def test_a_link_that_became_a_file_has_its_content(repo):
    (repo.path / "a.py").symlink_to("nowhere")
    repo.commit()
    (repo.path / "a.py").unlink()
    repo.write("a.py", "x = 1\n")
    file = _committed(repo).files[0]
    assert (file.status, file.type, file.before, file.after) == (
        FileStatus.TYPE_CHANGED,
        FileType.REGULAR,
        None,
        b"x = 1\n",
    )


@pytest.mark.parametrize("ignore", [None, "all"])
def test_a_submodule_is_named_and_cannot_be_hidden(repo, make_repo, ignore):
    inner = make_repo("inner")
    first = inner.commit({"z.py": "z = 1\n"})
    repo.commit({"a.py": "x = 1\n"})
    repo.git("submodule", "--quiet", "add", str(inner.path), "lib")
    if ignore:
        repo.git("config", "--file", ".gitmodules", "submodule.lib.ignore", ignore)
    repo.commit()
    second = inner.commit({"z.py": "z = 2\n"})
    repo.git("fetch", "--quiet", str(inner.path), "main")
    subprocess_dir = repo.path / "lib"
    assert first != second
    inside = type(repo)(subprocess_dir)
    inside.git("pull", "--quiet")
    for change in (read_worktree(Repository.open(repo.path)), _committed_submodule(repo)):
        assert [(file.path, file.type, file.before, file.after) for file in change.files] == [
            ("lib", FileType.SUBMODULE, None, None)
        ]
        assert change.files[0].hunks == (hunk(1, 1, 1, 1),)


def _committed_submodule(repo):
    repo.git("update-index", "lib")
    repo.git("commit", "--quiet", "--message", "bump")
    return read_range(Repository.open(repo.path), "HEAD~1..HEAD")


def test_binary_files_are_named_without_content(repo):
    repo.commit({"logo.png": b"\x89PNG\0\0\1", "bad.py": b"x = 1\n"})
    change = _commit_and_read(repo, {"logo.png": b"\x89PNG\0\0\2", "bad.py": b"x = 1\n\0\n"})
    assert [(file.path, file.binary, file.hunks, file.before, file.after) for file in change.files] == [
        ("bad.py", True, (), None, None),
        ("logo.png", True, (), None, None),
    ]


def _commit_and_read(repo, files):
    repo.commit(files)
    return read_range(Repository.open(repo.path), "HEAD~1..HEAD")


@pytest.mark.parametrize("attribute", ["-diff", "binary", "-text -diff", "diff=odd"])
def test_an_attribute_does_not_hide_code(repo, attribute):
    repo.git("config", "diff.odd.binary", "true")
    repo.commit({"a.py": "x = 1\ny = 1\n"})
    change = _commit_and_read(repo, {"a.py": "x = 1\ny = 2\n", ".gitattributes": f"*.py {attribute}\n"})
    file = change.files[1]
    assert (file.binary, file.hunks, file.before, file.after) == (
        False,
        (hunk(2, 1, 2, 1),),
        b"x = 1\ny = 1\n",
        b"x = 1\ny = 2\n",
    )
    assert file.notes == ("marked binary by .gitattributes, judged as text",)


def test_line_end_attributes_do_not_hide_code(repo):
    repo.commit({"a.py": b"x = 1\r\ny = 1\r\n", ".gitattributes": "*.py text eol=crlf\n"})
    repo.write("a.py", b"x = 1\r\ny = 2\r\n")
    change = read_worktree(Repository.open(repo.path))
    assert [(file.path, file.hunks) for file in change.files] == [("a.py", (hunk(2, 1, 2, 1),))]


def test_a_merge_conflict_is_refused(repo):
    repo.commit({"a.py": "x = 1\n"})
    repo.git("checkout", "--quiet", "-b", "topic")
    repo.commit({"a.py": "x = 2\n"})
    repo.git("checkout", "--quiet", "main")
    repo.commit({"a.py": "x = 3\n"})
    repo.git("merge", "topic", check=False)
    for read in (read_worktree, read_staged):
        with pytest.raises(EvidenceError, match=r"a\.py has an unresolved merge conflict"):
            read(Repository.open(repo.path))


def test_a_shallow_clone_is_judged_with_a_warning(branches, tmp_path):
    repo = branches[0]
    clone = tmp_path / "shallow"
    repo.git("clone", "--quiet", "--depth", "2", "--branch", "topic", f"file://{repo.path}", str(clone))
    change = read_range(Repository.open(clone), "HEAD~1..HEAD")
    assert change.warnings == ("the clone is shallow: the history of the touched functions is cut off",)
    assert change.files == (EDIT,)


def test_unrelated_histories_can_be_compared_as_trees(repo):
    repo.commit({"a.py": "x = 1\n"})
    repo.git("checkout", "--quiet", "--orphan", "other")
    repo.commit({"a.py": "x = 2\n"})
    opened = Repository.open(repo.path)
    with pytest.raises(EvidenceError, match="share no history"):
        read_range(opened, "main...other")
    assert summary(read_range(opened, "main..other")) == [("modified", "a.py", "a.py")]


def test_a_content_beyond_the_budget_is_noted(repo, monkeypatch):
    monkeypatch.setattr(module, "MAX_TOTAL_BYTES", 10)
    repo.commit({"a.py": "x = 1\n"})
    change = _commit_and_read(repo, {"a.py": "x = 22222\n", "b.py": "y = 1\n"})
    assert [(file.path, file.after) for file in change.files] == [("a.py", b"x = 22222\n"), ("b.py", None)]
    assert "judged as a whole" in change.files[1].notes[0]


def test_only_the_newest_commits_are_read_and_that_is_said(repo, monkeypatch):
    monkeypatch.setattr(module, "MAX_REVISIONS", 2)
    monkeypatch.setattr(git, "MAX_REVISIONS", 2)
    base = repo.commit({"a.py": "x = 0\n"})
    for number in range(3):
        repo.commit({"a.py": f"x = {number + 1}\n"}, f"step {number}")
    change = read_range(Repository.open(repo.path), f"{base}..HEAD")
    assert [revision.subject for revision in change.revisions] == ["step 2", "step 1"]
    assert change.more_revisions


def test_a_patch_is_read_against_what_is_at_hand():
    patch = b"diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@\n x = 1\n-y = 1\n+y = 2\n"
    change = read_patch(patch, "p", {"a.py": b"x = 1\ny = 1\n"}.get)
    assert (change.kind, change.base, change.head, change.warnings) == (SourceKind.PATCH, None, None, ())
    assert [(file.before, file.after, file.partial) for file in change.files] == [(EDIT.before, EDIT.after, False)]
    alone = read_patch(patch, "p", lambda _: None)
    assert [file.partial for file in alone.files] == [True]
    assert "1 of 1 files are not at hand" in alone.warnings[0]
    with_ids = patch.replace(b"--- a", b"index 1234567..89abcde 100644\n--- a")
    assert alone.digest == change.digest == read_patch(with_ids, "p", lambda _: None).digest
    assert alone.digest != read_patch(patch.replace(b"y = 2", b"y = 3"), "p", lambda _: None).digest


def test_a_patch_beyond_the_bound_is_refused(monkeypatch):
    monkeypatch.setattr(module, "MAX_PATCH_BYTES", 10)
    with pytest.raises(UsageError, match="more than 10"):
        read_patch(b"x" * 11, "p", lambda _: None)
