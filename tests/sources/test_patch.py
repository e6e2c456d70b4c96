import contextlib
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecli.errors import EvidenceError, GateError, UsageError
from gatecli.model import FileStatus, Hunk
from gatecli.sources.patch import parse, plain_path


def hunk(old: int, old_count: int, new: int, new_count: int) -> Hunk:
    return Hunk(old_start=old, old_count=old_count, new_start=new, new_count=new_count)


def sections(data: bytes):
    return [(file.status.value, file.old_path, file.path, file.replaced) for file in parse(data).files]


EDIT = b"""diff --git a/a.py b/a.py
index 1234567..89abcde 100644
--- a/a.py
+++ b/a.py
@@ -1,3 +1,4 @@ def f():
 x = 1
-y = 1
+y = 2
+z = 2
 w = 1
"""
ONE = ("modified", "a.py", "a.py", (hunk(2, 1, 2, 2),))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(EDIT, [ONE], id="git diff"),
        pytest.param(EDIT.removesuffix(b"\n"), [ONE], id="without its last line end"),
        pytest.param(EDIT.replace(b"\n", b"\r\n"), [ONE], id="converted to CRLF"),
        pytest.param(b"Some words\nbefore it\n\n" + EDIT + b"\nand after\n", [ONE], id="text around it"),
        pytest.param(EDIT.replace(b"a/a.py", b"i/a.py").replace(b"b/a.py", b"w/a.py"), [ONE], id="mnemonic prefixes"),
        pytest.param(EDIT.replace(b"a/a.py", b"a.py").replace(b"b/a.py", b"a.py"), [ONE], id="no prefixes"),
        pytest.param(
            EDIT + EDIT.replace(b"a.py", b"b.py"), [ONE, ("modified", "b.py", "b.py", ONE[3])], id="two files"
        ),
        pytest.param(
            b"--- shop/a.py.orig\t2026-11-20 10:00:00\n+++ shop/a.py\t2026-11-21 10:00:00\n@@ -1 +1 @@\n-x\n+y\n",
            [("modified", "shop/a.py", "shop/a.py", (hunk(1, 1, 1, 1),))],
            id="diff -u of a backup",
        ),
        pytest.param(
            b"diff -ru old/shop/a.py new/shop/a.py\n--- old/shop/a.py\t2026\n+++ new/shop/a.py\t2026\n"
            b"@@ -0,0 +1 @@\n+y\n",
            [("modified", "shop/a.py", "shop/a.py", (hunk(1, 0, 1, 1),))],
            id="diff -ru of two folders",
        ),
        pytest.param(
            b"--- /dev/null\n+++ b/a.py\n@@ -0,0 +1,2 @@\n+x\n+y\n",
            [("added", None, "a.py", (hunk(1, 0, 1, 2),))],
            id="new file without git's header",
        ),
        pytest.param(
            b"diff --git a/e.py b/e.py\nnew file mode 100644\nindex 0000000..e69de29\n",
            [("added", None, "e.py", ())],
            id="new empty file",
        ),
        pytest.param(
            b"diff --git a/e.py b/e.py\ndeleted file mode 100644\nindex e69de29..0000000\n",
            [("deleted", "e.py", None, ())],
            id="deleted empty file",
        ),
        pytest.param(
            b"diff --git a/x.sh b/x.sh\nold mode 100644\nnew mode 100755\n",
            [("modified", "x.sh", "x.sh", ())],
            id="mode",
        ),
        pytest.param(
            b"diff --git a/a b.py b/c d.py\nsimilarity index 100%\nrename from a b.py\nrename to c d.py\n",
            [("renamed", "a b.py", "c d.py", ())],
            id="rename with spaces",
        ),
        pytest.param(
            b"diff --git a/a.py b/c.py\nsimilarity index 80%\ncopy from a.py\ncopy to c.py\n"
            b"index 1234567..89abcde 100644\n"
            b"--- a/a.py\n+++ b/c.py\n@@ -3 +3 @@\n-x\n+y\n",
            [("copied", "a.py", "c.py", (hunk(3, 1, 3, 1),))],
            id="copy",
        ),
        pytest.param(
            b'diff --git "a/new\\nline \\"q\\" \\303\\274.py" "b/new\\nline \\"q\\" \\303\\274.py"\n'
            b"new file mode 100644\nindex 0000000..e69de29\n",
            [("added", None, 'new\nline "q" ü.py', ())],
            id="quoted name",
        ),
        pytest.param(
            b"diff --git a/l.png b/l.png\nindex 1234567..89abcde 100644\nGIT binary patch\nliteral 3\nKcmZQzU|\n\n"
            b"literal 2\nJcmZQz\n\n" + EDIT,
            [("modified", "l.png", "l.png", ()), ONE],
            id="binary patch",
        ),
        pytest.param(
            b"diff --git a/l.png b/l.png\nindex 1234567..89abcde 100644\nBinary files a/l.png and b/l.png differ\n",
            [("modified", "l.png", "l.png", ())],
            id="binary files differ",
        ),
        pytest.param(
            b"--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@\n-x\n\\ No newline at end of file\n+y\n\n",
            [("modified", "a.py", "a.py", (hunk(1, 1, 1, 1),))],
            id="an empty line stands for empty context",
        ),
        pytest.param(
            b"--- a/q.sql\n+++ b/q.sql\n@@ -1,2 +1,2 @@\n--- drop\n-@@ -1 +1 @@\n+++ add\n+diff --git a/x b/x\n",
            [("modified", "q.sql", "q.sql", (hunk(1, 2, 1, 2),))],
            id="content that looks like headers",
        ),
        pytest.param(b"", [], id="empty"),
        pytest.param(b"\n \n", [], id="blank"),
    ],
)
def test_patches_of_every_kind(data, expected):
    assert sections(data) == expected


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (b"hello\nworld\n", UsageError, "holds no unified diff"),
        (b"\x00\xff\xfe garbage", UsageError, "holds no unified diff"),
        (
            b"diff --cc a.py\nindex 1,2..3\n--- a/a.py\n+++ b/a.py\n@@@ -1,1 -1,1 +1,1 @@@\n",
            UsageError,
            "combined diff",
        ),
        (b"diff --combined a.py\n", UsageError, "combined diff"),
        (b"@@ -1 +1 @@\n-x\n+y\n", EvidenceError, "a hunk without a file header"),
        (b"+++ b/a.py\n@@ -1 +1 @@\n-x\n+y\n", EvidenceError, "a hunk without a file header"),
        (
            b"--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@\n-x\n",
            EvidenceError,
            "ends inside a hunk, 1 old, 2 new lines short",
        ),
        (b"--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\nx\n", EvidenceError, "starts with neither"),
        (b"--- a/a.py\n+++ b/a.py\n@@ -1,2 +1 @@\n-x\n+y\n+z\n-w\n", EvidenceError, "more lines than its header says"),
        (b"--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x\n+y\n+z\n", EvidenceError, "more lines than its header says"),
        (b"--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x\n+y\n-z\n", EvidenceError, "more lines than its header says"),
        (b"--- a/a.py\n+++ b/a.py\n@@ -1 +9999999 @@\n-x\n+y\n", EvidenceError, "beyond 5,000,000"),
        (b"--- a/a.py\n+++ b/a.py\n@@ -" + b"9" * 5000 + b" +1 @@\n-x\n+y\n", EvidenceError, "beyond 5,000,000"),
        (b"--- a/a.py\n+++ b/a.py\n", EvidenceError, "ends in the middle of a file"),
        (b"diff --git a/a.py b/a.py\n", EvidenceError, "ends in the middle of a file"),
        (b"diff --git a/a.py b/a.py\nnew file mode 100644\nindex 0000000..1234567\n", EvidenceError, "in the middle"),
        (b"diff --git a/a b/c\nsimilarity index 90%\nrename from a\nrename to c\n", EvidenceError, "in the middle"),
        (b"diff --git a/a b/c\nold mode 100644\nnew mode 100755\n", EvidenceError, "in the middle"),
    ],
)
def test_what_is_no_whole_patch_is_refused(data, error, message):
    with pytest.raises(error, match=message) as caught:
        parse(data, name="p")
    assert caught.value.hint


def test_modes_of_links_and_submodules_stand_on_the_index_line():
    link = EDIT.replace(b"100644", b"120000")
    assert [(file.old_mode, file.new_mode) for file in parse(link).files] == [("120000", "120000")]
    assert [(file.old_blob, file.new_blob) for file in parse(link).files] == [("1234567", "89abcde")]


def test_files_that_diff_only_names_are_not_forgotten():
    out = b"Only in new: evil.py\nBinary files old/x and new/x differ\n"
    assert parse(out).unseen == ("Only in new: evil.py", "Binary files old/x and new/x differ")


@pytest.mark.parametrize(
    ("written", "path"),
    [
        (b"a/shop/a.py", "shop/a.py"),
        (b"shop/a.py", "shop/a.py"),
        (b"/dev/null", "/dev/null"),
        (b"b/sp ace.py\t", "sp ace.py"),
        (b'"b/\\303\\274\\t\\\\.py"', "ü\t\\.py"),
        (b'"b/\\777"', "\udcff"),
        (b"a/", "a/"),
    ],
)
def test_names(written, path):
    assert plain_path(written) == path


SERIES = [
    ("first", {"a.py": "x = 1\ny = 1\n", "b.py": "z = 1\n"}),
    ("second: ünïcode", {"a.py": "x = 1\ny = 2\n"}),
    ("third", {"a.py": "x = 3\ny = 2\n", "c.py": "w = 1\n", "b.py": None}),
]


@pytest.fixture
def series(repo):
    for message, files in SERIES:
        repo.commit(files, f"{message}\n\nWhy it is so.\n\nCo-authored-by: Bot <bot@example.com>")
    return repo


def mails(repo, *options) -> bytes:
    return repo.git("format-patch", "--stdout", "--root", *options, "HEAD").encode("utf-8", "surrogateescape")


def test_a_series_of_mails_carries_its_commits(series):
    patch = parse(mails(series))
    assert [revision.subject for revision in patch.revisions] == ["third", "second: ünïcode", "first"]
    assert [revision.sha for revision in patch.revisions] == series.git("rev-list", "HEAD").split()
    assert patch.revisions[1].message == ("second: ünïcode\n\nWhy it is so.\n\nCo-authored-by: Bot <bot@example.com>")
    assert {(str(revision.author), revision.authored_at - 1_700_000_000) for revision in patch.revisions} == {
        ("Ines Example <ines@shop.example>", 0),
        ("Ines Example <ines@shop.example>", 60),
        ("Ines Example <ines@shop.example>", 120),
    }
    assert [(file.status, file.path or file.old_path) for file in patch.files] == [
        (FileStatus.ADDED, "a.py"),
        (FileStatus.ADDED, "b.py"),
        (FileStatus.MODIFIED, "a.py"),
        (FileStatus.MODIFIED, "a.py"),
        (FileStatus.DELETED, "b.py"),
        (FileStatus.ADDED, "c.py"),
    ]


def test_a_cover_letter_is_no_commit(series):
    patch = parse(mails(series, "--cover-letter"))
    assert [revision.subject for revision in patch.revisions] == ["third", "second: ünïcode", "first"]


@pytest.mark.parametrize(
    "date", [b"", b"soon", b"Mon, 99 Foo 99999999 99:99:99 +9999", b"Tue, 14 Nov 999999999999 22:13:20 +0000"]
)
def test_an_impossible_date_is_no_date(date):
    mail = (
        b"From "
        + b"a" * 40
        + b" Mon Sep 17 00:00:00 2001\nFrom: I <i@x>\nDate: "
        + date
        + b"\nSubject: [PATCH] s\n\n---\n"
    )
    assert [revision.authored_at <= 0 for revision in parse(mail + EDIT).revisions] == [True]


def test_bad_encoded_words_stay_as_they_are():
    mail = (
        b"From "
        + b"a" * 40
        + b" Mon Sep 17 00:00:00 2001\nFrom: =?nonsense?Q?x?= <i@x>\nSubject: =?utf-8?B?%%%?=\n\n---\n"
    )
    assert len(parse(mail + EDIT).revisions) == 1


def _complete(files) -> list[tuple]:
    return [(file.path or file.old_path, file.status, file.replaced) for file in files]


def _is_prefix(part: list, whole: list) -> bool:
    """Whole files, but for hunks missing at the end of the last one."""
    if not part:
        return True
    last, same = part[-1], whole[len(part) - 1]
    return part[:-1] == whole[: len(part) - 1] and last[:2] == same[:2] and same[2][: len(last[2])] == last[2]


def test_a_series_cut_at_any_line_is_refused_or_lacks_whole_mails(series):
    data = mails(series)
    lines = data.splitlines(keepends=True)
    ends = {0, 2, 3, 6}  # how many files there are after each whole mail
    for cut in range(len(lines)):
        try:
            patch = parse(b"".join(lines[:cut]))
        except GateError:
            continue
        assert len(patch.files) in ends


def test_a_diff_cut_at_any_line_is_refused_or_lacks_whole_hunks(repo):
    body = "".join(f"v{number} = {number}\n" for number in range(60))
    repo.commit({"a.py": body, "b.py": body.upper(), "m.sh": "x\n", "gone.py": "y\n", "p.bin": b"\0\1"})
    repo.git("mv", "b.py", "moved.py")
    (repo.path / "m.sh").chmod(0o755)
    repo.commit(
        {
            "a.py": body.replace("= 3\n", "= 30\n").replace("= 50\n", "= 500\n"),
            "moved.py": body.upper().replace("= 7\n", "= 70\n"),
            "gone.py": None,
            "new.py": "z = 1\n",
            "empty.py": "",
            "p.bin": b"\0\2",
        }
    )
    data = repo.git("diff", "-M", "--binary", "HEAD~1", "HEAD").encode()
    whole = _complete(parse(data).files)
    assert len(whole) == 7
    lines = data.splitlines(keepends=True)
    accepted = []
    for cut in range(len(lines)):
        try:
            part = _complete(parse(b"".join(lines[:cut])).files)
        except GateError:
            continue
        assert _is_prefix(part, whole), cut
        accepted.append(cut)
    # Only cuts between two sections or two hunks look whole: no cut inside one is accepted.
    boundaries = [number for number, line in enumerate(lines) if line.startswith((b"diff --git", b"@@"))]
    inside = [
        cut for cut in accepted if cut not in boundaries and cut and b"".join(lines[:cut]).find(b"GIT binary") < 0
    ]
    assert inside == []


def test_git_agrees_on_what_is_a_patch(series, tmp_path):
    """What gate accepts of a cut series, git accepts too."""
    lines = mails(series).splitlines(keepends=True)
    for cut in range(0, len(lines), 3):
        data = b"".join(lines[:cut])
        try:
            files = parse(data).files
        except GateError:
            continue
        if files:
            numbers = subprocess.run(
                ["git", "apply", "--numstat"], input=data, cwd=tmp_path, capture_output=True, check=False
            )
            assert numbers.returncode == 0


@given(st.binary(max_size=400))
def test_random_bytes_are_read_or_refused(data):
    with contextlib.suppress(GateError):
        parse(data)


FRAGMENTS = st.lists(
    st.sampled_from(
        [
            *EDIT.splitlines(keepends=True),
            b"--- a/b\n",
            b"+++ b/b\n",
            b"@@ -0,0 +1,2 @@\n",
            b"@@ -1 +0,0 @@\n",
            b"new file mode 100644\n",
            b"deleted file mode 100644\n",
            b"rename from x\n",
            b"rename to y\n",
            b"similarity index 90%\n",
            b"\\ No newline at end of file\n",
            b"GIT binary patch\n",
            b"literal 3\n",
            b"From " + b"a" * 40 + b" Mon Sep 17 00:00:00 2001\n",
            b"---\n",
            b" 1 file changed, 1 insertion(+)\n",
            b"-- \n",
            b"\r\n",
            b"\n",
            b'diff --git "a/\\777" b/x\n',
            b'diff --git "\n',
        ]
    ),
    max_size=14,
)


@given(FRAGMENTS)
def test_shuffled_headers_are_read_or_refused(fragments):
    with contextlib.suppress(GateError):
        parse(b"".join(fragments))
