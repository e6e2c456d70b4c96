import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecli.errors import EvidenceError
from gatecli.model import FileChange, FileStatus, FileType, Hunk
from gatecli.sources.patch import parse
from gatecli.sources.rebuild import file_changes, hunks_between

BODY = "".join(f"v{number} = {number}\n" for number in range(40))


def hunk(old: int, old_count: int, new: int, new_count: int) -> Hunk:
    return Hunk(old_start=old, old_count=old_count, new_start=new, new_count=new_count)


def changes(data, tree=None) -> tuple[FileChange, ...]:
    data = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
    return file_changes(parse(data).files, (tree or {}).get)


def sides(data, tree=None):
    return [(file.path, file.before, file.after, file.partial) for file in changes(data, tree)]


@pytest.fixture
def edited(repo):
    """A file edited in two places, and the patch."""
    repo.commit({"a.py": BODY})
    after = BODY.replace("= 3\n", "= 30\n").replace("= 33\n", "= 330\nnew = 1\n")
    repo.commit({"a.py": after})
    return repo.git("diff", "HEAD~1", "HEAD"), BODY.encode(), after.encode()


def test_a_patch_on_the_tree_it_was_made_from(edited):
    patch, before, after = edited
    assert sides(patch, {"a.py": before}) == [("a.py", before, after, False)]
    assert [file.hunks for file in changes(patch, {"a.py": before})] == [(hunk(4, 1, 4, 1), hunk(34, 1, 34, 2))]


def test_a_patch_that_is_already_applied(edited):
    patch, before, after = edited
    assert sides(patch, {"a.py": after}) == [("a.py", before, after, False)]


def test_a_patch_on_another_state_is_judged_by_its_lines(edited):
    patch, before, _ = edited
    for tree in ({}, {"a.py": b"something else\n"}, {"a.py": b"# first\n" + before}, {"a.py": b""}):
        file = changes(patch, tree)[0]
        assert file.partial
        assert file.before.split(b"\n")[0:7] == [
            b"v0 = 0",
            b"v1 = 1",
            b"v2 = 2",
            b"v3 = 3",
            b"v4 = 4",
            b"v5 = 5",
            b"v6 = 6",
        ]
        assert file.after.split(b"\n")[3] == b"v3 = 30"
        assert file.before.split(b"\n")[33] == b"v33 = 33"
        assert file.after.split(b"\n")[33:35] == [b"v33 = 330", b"new = 1"]
        assert file.after.split(b"\n")[10:25] == [b""] * 15


def test_the_heading_of_a_hunk_names_the_function_of_a_partial_file():
    patch = b"--- a/a.py\n+++ b/a.py\n@@ -10,3 +10,3 @@ def price(n):\n     a\n-    b\n+    c\n     d\n"
    assert sides(patch) == [
        (
            "a.py",
            b"\n" * 8 + b"def price(n):\n    a\n    b\n    d\n",
            b"\n" * 8 + b"def price(n):\n    a\n    c\n    d\n",
            True,
        )
    ]


def test_a_diff_that_lost_hunks_is_refused_where_the_file_is_at_hand(edited):
    patch, before, after = edited
    lines = patch.splitlines(keepends=True)
    second = [number for number, line in enumerate(lines) if line.startswith("@@")][1]
    with pytest.raises(EvidenceError, match=r"does not lead to the content that its index line names"):
        changes("".join(lines[:second]), {"a.py": before})
    with pytest.raises(EvidenceError):
        changes(patch.replace("+new = 1", "+new = 2"), {"a.py": before})
    for cut in range(1, len(lines)):
        try:
            result = sides("".join(lines[:cut]), {"a.py": before})
        except EvidenceError:
            continue
        raise AssertionError(f"cut at line {cut} was taken for {result}")
    assert sides(patch, {"a.py": before}) == [("a.py", before, after, False)]


def test_abbreviated_and_unknown_ids_are_no_reason_to_refuse(edited):
    patch, before, after = edited
    without = "".join(line for line in patch.splitlines(keepends=True) if not line.startswith("index"))
    made_up = patch.replace(patch.splitlines()[1], "index 1234567..89abcde 100644")
    assert sides(without, {"a.py": before}) == sides(made_up, {"a.py": before}) == [("a.py", before, after, False)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = 1\n", "x = 2\n"),
        ("x = 1", "x = 1\n"),
        ("x = 1\n", "x = 1"),
        ("x = 1", "x = 2"),
        ("x = 1\ny", "x = 1\nz = 2\ny"),
        ("", "x = 1\n"),
        ("x = 1\n", ""),
        ("\n\n\n", "\n\n\n\n"),
        ("x = 1\r\ny = 1\r\n", "x = 1\r\ny = 2\r\n"),
        ("x\u2028y\x0cz\n", "x\u2028y\x0cw\n"),
        (BODY, BODY[40:] + BODY[:40]),
    ],
)
def test_line_ends_are_exact(repo, before, after):
    repo.commit({"a.py": before})
    repo.commit({"a.py": after})
    for context in ("-U0", "-U3", "-U99"):
        patch = repo.git("diff", context, "HEAD~1", "HEAD")
        for tree in ({"a.py": before.encode()}, {"a.py": after.encode()}):
            assert sides(patch, tree) == [("a.py", before.encode(), after.encode(), False)], (context, patch)


def test_added_deleted_renamed_and_copied_files(repo):
    repo.commit({"gone.py": "x = 1\ny", "moved.py": BODY, "copied.py": BODY.upper()})
    repo.git("mv", "moved.py", "there.py")
    renamed = BODY.replace("= 3\n", "= 30\n")
    source, copy = BODY.upper() + "MORE\n", BODY.upper().replace("= 9\n", "= 90\n")
    repo.commit({"new.py": "z = 1", "gone.py": None, "there.py": renamed, "copied.py": source, "copy.py": copy})
    patch = repo.git("diff", "-M", "-C", "HEAD~1", "HEAD")
    expected = [
        ("copied.py", BODY.upper().encode(), source.encode(), False),
        ("copy.py", BODY.upper().encode(), copy.encode(), False),
        ("gone.py", b"x = 1\ny", None, False),
        ("new.py", None, b"z = 1", False),
        ("there.py", BODY.encode(), renamed.encode(), False),
    ]
    old = {"gone.py": b"x = 1\ny", "moved.py": BODY.encode(), "copied.py": BODY.upper().encode()}
    assert sides(patch, old) == expected
    new = {"there.py": renamed.encode(), "copied.py": source.encode(), "copy.py": copy.encode(), "new.py": b"z = 1"}
    found = sides(patch, new)
    assert [row for row in found if row[0] != "copy.py"] == [row for row in expected if row[0] != "copy.py"]
    assert {file.path: (file.status, file.old_path) for file in changes(patch, old)} == {
        "copied.py": (FileStatus.MODIFIED, "copied.py"),
        "copy.py": (FileStatus.COPIED, "copied.py"),
        "gone.py": (FileStatus.DELETED, "gone.py"),
        "new.py": (FileStatus.ADDED, None),
        "there.py": (FileStatus.RENAMED, "moved.py"),
    }


def test_a_series_on_one_file_is_one_change(repo):
    base = repo.commit({"a.py": BODY, "b.py": "x = 1\n"})
    middle = BODY.replace("= 3\n", "= 30\n")
    repo.commit({"a.py": middle})
    repo.git("mv", "a.py", "z.py")
    last = middle.replace("v3 = 30\n", "v3 = 300\n").replace("= 5\n", "= 50\n")
    repo.commit({"z.py": last})
    repo.commit({"new.py": "y = 1\n"})
    repo.commit({"new.py": "y = 2\n", "b.py": None})
    repo.commit({"b.py": "x = 2\n"})
    patch = repo.git("format-patch", "--stdout", base)
    expected = [
        ("renamed", "a.py", "z.py", BODY.encode(), last.encode(), (hunk(4, 1, 4, 1), hunk(6, 1, 6, 1))),
        ("added", None, "new.py", None, b"y = 2\n", (hunk(1, 0, 1, 1),)),
        ("modified", "b.py", "b.py", b"x = 1\n", b"x = 2\n", (hunk(1, 1, 1, 1),)),
    ]
    for tree in (
        {"a.py": BODY.encode(), "b.py": b"x = 1\n"},
        {"z.py": last.encode(), "new.py": b"y = 2\n", "b.py": b"x = 2\n"},
    ):
        assert [
            (file.status.value, file.old_path, file.path, file.before, file.after, file.hunks)
            for file in changes(patch, tree)
        ] == expected


def test_a_file_that_came_and_went_is_no_content(repo):
    base = repo.commit({"a.py": "x = 1\n"})
    repo.commit({"b.py": "y = 1\n"})
    repo.commit({"b.py": None})
    assert [(file.before, file.after, file.hunks) for file in changes(repo.git("format-patch", "--stdout", base))] == [
        (None, None, ())
    ]


def test_a_partial_series_keeps_every_patch(repo):
    base = repo.commit({"a.py": BODY})
    repo.commit({"a.py": BODY.replace("= 3\n", "= 30\n")})
    repo.commit({"a.py": BODY.replace("= 3\n", "= 30\n").replace("= 33\n", "= 330\n")})
    found = changes(repo.git("format-patch", "--stdout", base))
    assert [(file.path, file.partial, file.hunks) for file in found] == [
        ("a.py", True, (hunk(4, 1, 4, 1),)),
        ("a.py", True, (hunk(34, 1, 34, 1),)),
    ]


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "a/../../b"])
def test_paths_are_only_handed_to_the_tree(path):
    asked = []
    patch = f"--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-x\n+y\n".encode()
    file_changes(parse(patch).files, lambda name: asked.append(name))
    assert set(asked) <= {path}


def test_links_and_binaries_have_no_content(repo):
    (repo.path / "l.py").symlink_to("a.py")
    repo.commit({"p.bin": b"\0\1"})
    (repo.path / "l.py").unlink()
    (repo.path / "l.py").symlink_to("b.py")
    repo.commit({"p.bin": b"\0\2"})
    found = {file.path: file for file in changes(repo.git("diff", "--binary", "HEAD~1", "HEAD"))}
    assert found["l.py"].type is FileType.SYMLINK
    assert (found["p.bin"].binary, found["p.bin"].before, found["p.bin"].after) == (True, None, None)


def test_a_link_that_became_a_file_shows_its_content(repo):
    (repo.path / "l.py").symlink_to("a.py")
    repo.commit()
    (repo.path / "l.py").unlink()
    repo.commit({"l.py": "x = 1\n"})
    patch = repo.git("diff", "HEAD~1", "HEAD")
    assert [(file.status, file.type, file.before, file.after, file.partial) for file in changes(patch)] == [
        (FileStatus.DELETED, FileType.SYMLINK, None, None, False),
        (FileStatus.ADDED, FileType.REGULAR, None, b"x = 1\n", False),
    ]


def _apply(before: bytes, after: bytes, hunks: tuple[Hunk, ...]) -> bytes:
    """The old side with the hunks' blocks taken from the new one."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    result, position = [], 0
    for block in hunks:
        result += old[position : block.old_start - 1] + new[block.new_start - 1 : block.new_start - 1 + block.new_count]
        position = block.old_start - 1 + block.old_count
    return b"".join(result + old[position:])


LINES = st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n", b"d\n", b"e\n", b"\n"]), max_size=25).map(b"".join)


@given(LINES, LINES)
def test_hunks_lead_from_one_side_to_the_other(before, after):
    hunks = hunks_between(before, after)
    assert _apply(before, after, hunks) == after
    assert (
        _apply(after, before, tuple(hunk(h.new_start, h.new_count, h.old_start, h.old_count) for h in hunks)) == before
    )
    assert all(block.old_count or block.new_count for block in hunks)
    assert (hunks == ()) == (before == after)


@given(LINES, LINES, st.sampled_from([b"", b"last"]), st.sampled_from([b"", b"other"]))
def test_a_patch_made_by_diff_leads_back_to_both_sides(tmp_path_factory, before, after, end, new_end):
    before, after = before + end, after + new_end
    if before == after:
        return
    folder = tmp_path_factory.mktemp("round")
    (folder / "old").write_bytes(before)
    (folder / "new").write_bytes(after)
    command = ["git", "diff", "--no-index", "--no-color", "old", "new"]
    patch = subprocess.run(command, cwd=folder, capture_output=True, check=False).stdout.replace(b"/old", b"/new")
    assert sides(patch, {"new": before}) == [("new", before, after, False)]
    assert sides(patch, {"new": after}) == [("new", before, after, False)]


N = 60_000


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([b"x\n"] * N, [b"y\n"] + [b"x\n"] * N + [b"z\n"]),
        ([b"%d\n" % i for i in range(N)], [b"%d\n" % i for i in reversed(range(N))]),
        (
            [b"%d\n" % (i // 2) if i % 2 else b"old %d\n" % i for i in range(N)],
            [b"%d\n" % (i // 2) if i % 2 else b"new %d\n" % i for i in range(N)],
        ),
        ([b"%d\n" % (i % 500) for i in range(N)], [b"%d\n" % (i * 7 % 500) for i in range(N)]),
        ([b"a\n", b"b\n"] * (N // 2), [b"b\n", b"b\n", b"a\n"] * (N // 3)),
    ],
    ids=["all alike", "reversed", "every other line", "few lines", "two lines"],
)
def test_no_content_makes_it_slow(before, after):
    hunks = hunks_between(b"".join(before), b"".join(after))
    assert _apply(b"".join(before), b"".join(after), hunks) == b"".join(after)
