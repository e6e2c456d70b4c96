import os
import subprocess
from pathlib import Path

import pytest

from gatecli.errors import EvidenceError, UsageError
from gatecli.model import Person, Revision
from gatecli.sources import git as module
from gatecli.sources.git import Repository

INES = Person(name="Ines Example", email="ines@shop.example")


def test_open_finds_the_top_folder_from_any_folder_inside(repo):
    repo.commit({"shop/prices/a.py": "x = 1\n"})
    assert Repository.open(repo.path / "shop" / "prices").root == repo.path.resolve()


def test_open_refuses_what_is_no_repository(tmp_path):
    with pytest.raises(UsageError, match="is not inside a git repository") as caught:
        Repository.open(tmp_path)
    assert "--diff FILE" in caught.value.hint


def test_open_refuses_the_inside_of_a_git_directory(repo):
    repo.commit({"a.py": "x = 1\n"})
    with pytest.raises(UsageError, match="is inside the git directory") as caught:
        Repository.open(repo.path / ".git" / "refs")
    assert "--repo" in caught.value.hint


@pytest.mark.parametrize("revision", ["a.py", "./a.py"])
def test_a_path_is_told_from_a_revision(repo, monkeypatch, revision):
    repo.commit({"a.py": "x = 1\n"})
    monkeypatch.chdir(repo.path)
    with pytest.raises(UsageError, match="unknown revision") as caught:
        Repository.open(repo.path).resolve(revision)
    assert "that is a path" in caught.value.hint


@pytest.mark.parametrize("revision", ["x" * 5_000, "a\0b", "", " ", "\udcff", "-x", "@{", "HEAD~99999999999"])
def test_a_hostile_revision_is_unknown(repo, revision):
    repo.commit({"a.py": "x = 1\n"})
    with pytest.raises(UsageError, match="unknown revision"):
        Repository.open(repo.path).resolve(revision)


def test_open_refuses_what_is_no_folder(tmp_path):
    with pytest.raises(UsageError, match="is not a folder"):
        Repository.open(tmp_path / "nowhere")


def test_open_reads_a_bare_repository(repo, tmp_path):
    sha = repo.commit({"a.py": "x = 1\n"})
    repo.git("clone", "--quiet", "--bare", str(repo.path), str(tmp_path / "bare.git"))
    bare = Repository.open(tmp_path / "bare.git")
    assert (bare.bare, bare.head(), bare.tree("HEAD").read("a.py")) == (True, sha, b"x = 1\n")


def test_a_branch_without_commits_has_no_head(repo):
    opened = Repository.open(repo.path)
    assert (opened.head(), opened.branch(), opened.default_branch(), opened.is_shallow) == (None, "main", None, False)


def test_a_detached_head_has_no_branch(repo):
    sha = repo.commit({"a.py": "x = 1\n"})
    repo.git("checkout", "--quiet", "--detach")
    assert (Repository.open(repo.path).branch(), Repository.open(repo.path).head()) == (None, sha)


@pytest.mark.parametrize(
    "revision",
    [
        "nowhere",
        "",
        "--all",
        "-h",
        "HEAD~5",
        "HEAD:a.py",
        "a" * 40,
        "main\0",
        "main\nHEAD",
        "$(touch pwned)",
        ":/nothing",
    ],
)
def test_an_unknown_revision_is_a_usage_error(repo, revision):
    repo.commit({"a.py": "x = 1\n"})
    with pytest.raises(UsageError, match="unknown revision"):
        Repository.open(repo.path).resolve(revision)
    assert not (repo.path / "pwned").exists()


def test_tags_and_expressions_resolve_to_commits(repo):
    first = repo.commit({"a.py": "x = 1\n"})
    repo.git("tag", "--annotate", "--message", "first", "v1")
    repo.commit({"a.py": "x = 2\n"})
    opened = Repository.open(repo.path)
    assert [opened.resolve(name) for name in ("v1", "HEAD~1", first[:12], "main@{0}~1")] == [first] * 4


def test_merge_base_of_branches(repo):
    base = repo.commit({"a.py": "x = 1\n"})
    repo.git("checkout", "--quiet", "-b", "topic")
    topic = repo.commit({"b.py": "y = 1\n"})
    repo.git("checkout", "--quiet", "main")
    main = repo.commit({"a.py": "x = 2\n"})
    assert Repository.open(repo.path).merge_base(main, topic) == base


def test_unrelated_histories_have_no_merge_base(repo):
    one = repo.commit({"a.py": "x = 1\n"})
    repo.git("checkout", "--quiet", "--orphan", "other")
    two = repo.commit({"a.py": "x = 2\n"})
    with pytest.raises(EvidenceError, match="share no history") as caught:
        Repository.open(repo.path).merge_base(one, two)
    assert "BASE..HEAD" in caught.value.hint


def test_a_shallow_clone_says_that_it_is_one(repo, tmp_path):
    for number in range(4):
        repo.commit({"a.py": f"x = {number}\n"})
    repo.git("clone", "--quiet", "--depth", "1", f"file://{repo.path}", str(tmp_path / "shallow"))
    shallow = Repository.open(tmp_path / "shallow")
    assert shallow.is_shallow
    with pytest.raises(UsageError, match="unknown revision") as caught:
        shallow.resolve("HEAD~1")
    assert "git fetch --unshallow" in caught.value.hint


def test_no_merge_base_in_a_shallow_clone_is_not_called_unrelated(repo, tmp_path):
    repo.commit({"a.py": "x = 0\n"})
    repo.git("checkout", "--quiet", "-b", "topic")
    repo.commit({"b.py": "y = 1\n"})
    repo.git("checkout", "--quiet", "main")
    repo.commit({"a.py": "x = 1\n"})
    clone = tmp_path / "shallow"
    repo.git("clone", "--quiet", "--depth", "1", "--no-single-branch", f"file://{repo.path}", str(clone))
    shallow = Repository.open(clone)
    main, topic = shallow.resolve("origin/main"), shallow.resolve("origin/topic")
    with pytest.raises(EvidenceError, match="in this shallow clone") as caught:
        shallow.merge_base(main, topic)
    assert "--unshallow" in caught.value.hint


def test_revisions_are_read_newest_first_with_whole_messages(repo):
    base = repo.commit({"a.py": "x = 1\n"})
    message = "Subject: ünïcode\n\nBody with :: and |\n\nCo-authored-by: Bot <bot@example>"
    first = repo.commit({"a.py": "x = 2\n"}, message)
    second = repo.commit(
        {"a.py": "x = 3\n"}, "second", env={"GIT_AUTHOR_NAME": "Ravi, R", "GIT_AUTHOR_EMAIL": "ravi@shop.example"}
    )
    assert Repository.open(repo.path).revisions(base, second) == (
        Revision(
            sha=second,
            author=Person(name="Ravi, R", email="ravi@shop.example"),
            committer=INES,
            authored_at=1_700_000_120,
            committed_at=1_700_000_120,
            message="second",
        ),
        Revision(
            sha=first,
            author=INES,
            committer=INES,
            authored_at=1_700_000_060,
            committed_at=1_700_000_060,
            message=message,
        ),
    )


@pytest.mark.parametrize("date", [b"", b"soon", b"99999999999999999999 +0000", b"-1 +0000"])
def test_a_commit_with_an_impossible_date_is_still_read(repo, date):
    base = repo.commit({"a.py": "x = 1\n"})
    tree = repo.git("rev-parse", "HEAD^{tree}").strip()
    person = b"I <i@x> " + date
    raw = b"tree %b\nparent %b\nauthor %b\ncommitter %b\n\nodd\n" % (tree.encode(), base.encode(), person, person)
    sha = subprocess.run(
        ["git", "hash-object", "-t", "commit", "-w", "--stdin", "--literally"],
        input=raw,
        cwd=repo.path,
        capture_output=True,
        check=True,
    )
    revisions = Repository.open(repo.path).revisions(base, sha.stdout.decode().strip())
    assert [(revision.subject, revision.author.email) for revision in revisions] == [("odd", "i@x")]


def test_show_reads_regular_files_only(repo):
    repo.write("shop/a.py", "x = 1\n")
    (repo.path / "link.py").symlink_to("shop/a.py")
    repo.commit()
    opened = Repository.open(repo.path)
    shown = [
        opened.tree("HEAD").read(path)
        for path in ("shop/a.py", "link.py", "shop", "nowhere", "*.py", ":(top)shop/a.py")
    ]
    assert shown == [b"x = 1\n", None, None, None, None, None]


def test_a_large_blob_is_not_read(repo, monkeypatch):
    repo.commit({"big.py": "x" * 1000, "small.py": "y"})
    monkeypatch.setattr(module, "MAX_BLOB_BYTES", 999)
    opened = Repository.open(repo.path)
    assert opened.tree("HEAD").read("big.py") is None
    assert opened.tree("HEAD").read("small.py") == b"y"  # the stream stays in step after the refusal


HOSTILE_CONFIG = """
[diff]
  noprefix = true
  mnemonicPrefix = true
  external = {pwn}
  context = 0
  interHunkContext = 50
  algorithm = patience
  renames = false
  suppressBlankEmpty = true
  colorMoved = zebra
  wsErrorHighlight = all
  orderFile = {order}
  relative = true
  ignoreSubmodules = all
  autoRefreshIndex = false
  submodule = log
[diff "python"]
  textconv = {pwn}
  command = {pwn}
  cachetextconv = true
[color]
  ui = always
  diff = always
  grep = always
[color "grep"]
  filename = red
[core]
  fsmonitor = {pwn}
  hooksPath = {hooks}
  attributesFile = {attributes}
  pager = {pwn}
  quotePath = false
[pager]
  diff = {pwn}
  log = {pwn}
[log]
  showSignature = true
  follow = true
  mailmap = true
  date = relative
  decorate = full
  abbrevCommit = true
[format]
  pretty = oneline
[grep]
  lineNumber = true
  column = true
  patternType = perl
  fullName = false
[submodule]
  recurse = true
[i18n]
  logOutputEncoding = UTF-16
[alias]
  diff = !{pwn}
  log = !{pwn}
"""


@pytest.fixture
def hostile_home(tmp_path, monkeypatch):
    """A user whose configuration changes every output it can and starts a program that leaves a mark."""
    home, mark = tmp_path / "hostile", tmp_path / "pwned"
    (home / "hooks").mkdir(parents=True)
    pwn = home / "pwn.sh"
    pwn.write_text(f"#!/bin/sh\ntouch {mark}\nexit 1\n")
    pwn.chmod(0o755)
    for hook in ("post-index-change", "pre-commit", "fsmonitor-watchman"):
        (home / "hooks" / hook).symlink_to(pwn)
    (home / "order").write_text("z*\n")
    (home / "attributes").write_text("zz.py -diff\n")
    config = HOSTILE_CONFIG.format(pwn=pwn, hooks=home / "hooks", order=home / "order", attributes=home / "attributes")
    (home / ".gitconfig").write_text(config)
    monkeypatch.setenv("HOME", str(home))
    return mark


def _all_answers(path: Path, base: str, head: str) -> list[object]:
    opened = Repository.open(path)
    return [
        opened.diff(base, head),
        opened.diff(base),
        opened.revisions(base, head),
        list(opened.log(head, ["shop/b.py"], limit=9)),
        opened.grep(["price"], head),
        opened.grep(["price"], None),
        opened.entries(head)[0],
        opened.tree(head).read("shop/b.py"),
        opened.default_branch(),
    ]


@pytest.fixture
def two_commits(repo):
    body = "def price(n):\n    return n\n\n\ndef other(n):\n    return n * 2\n"
    base = repo.commit({"shop/a.py": body, "zz.py": "import shop\n", ".mailmap": "X <x@x> <ines@shop.example>\n"})
    repo.commit({".gitattributes": "shop/*.py diff=python\n"})
    repo.git("mv", "shop/a.py", "shop/b.py")
    head = repo.commit({"shop/b.py": body.replace("n * 2", "n * 3"), "zz.py": "import price\n"}, "second\n\nbody")
    return repo, base, head


def test_user_configuration_changes_nothing_and_runs_nothing(two_commits, hostile_home, monkeypatch, empty_home):
    repo, base, head = two_commits
    hostile = _all_answers(repo.path, base, head)
    monkeypatch.setenv("HOME", str(empty_home))
    assert hostile == _all_answers(repo.path, base, head)
    assert not hostile_home.exists()


def test_environment_variables_change_nothing_and_run_nothing(two_commits, make_repo, tmp_path, monkeypatch):
    repo, base, head = two_commits
    clean = _all_answers(repo.path, base, head)
    other, mark = make_repo("other"), tmp_path / "pwned"
    other.commit({"secret.py": "x = 1\n"})
    pwn = tmp_path / "pwn.sh"
    pwn.write_text(f"#!/bin/sh\ntouch {mark}\nexit 1\n")
    pwn.chmod(0o755)
    hostile = {
        "GIT_DIR": str(other.path / ".git"),
        "GIT_WORK_TREE": str(other.path),
        "GIT_OBJECT_DIRECTORY": str(other.path / ".git/objects"),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(other.path / ".git/objects"),
        "GIT_COMMON_DIR": str(other.path / ".git"),
        "GIT_NAMESPACE": "x",
        "GIT_CEILING_DIRECTORIES": "/",
        "GIT_EXTERNAL_DIFF": str(pwn),
        "GIT_DIFF_OPTS": "-u0",
        "GIT_PAGER": str(pwn),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "diff.noprefix",
        "GIT_CONFIG_VALUE_0": "true",
        "GIT_CONFIG_PARAMETERS": "'diff.noprefix=true'",
        "GIT_LITERAL_PATHSPECS": "0",
        "GIT_GLOB_PATHSPECS": "1",
        "GIT_TRACE": "2",
        "GIT_REPLACE_REF_BASE": "refs/heads/",
        "GIT_ASKPASS": str(pwn),
        "GIT_PROXY_COMMAND": str(pwn),
    }
    for name, value in hostile.items():
        monkeypatch.setenv(name, value)
    assert _all_answers(repo.path, base, head) == clean
    assert not mark.exists()


def test_replacement_objects_do_not_change_what_is_judged(two_commits):
    repo, base, head = two_commits
    clean = _all_answers(repo.path, base, head)
    repo.git("replace", head, base)
    assert _all_answers(repo.path, base, head) == clean


def test_a_binary_attribute_hides_no_caller_from_grep(repo):
    head = repo.commit(
        {"a.py": "price(1)\n", "b.py": "prices(1)\n", "c.txt": "price", ".gitattributes": "*.py binary\n"}
    )
    repo.write("untracked.py", "price()\n")
    opened = Repository.open(repo.path)
    assert opened.grep(["price"], head) == ["a.py"]
    assert opened.grep(["price"], None) == ["a.py", "untracked.py"]
    assert opened.grep([], head) == []


@pytest.mark.parametrize(
    "name",
    [
        "sp ace.py",
        'quo"te.py',
        "new\nline.py",
        "tab\t.py",
        "ünï.py",
        os.fsdecode(b"\xff\xfe.py"),
        "-dash.py",
        ":(top).py",
    ],
)
def test_odd_paths_survive_every_command(repo, name):
    base = repo.commit({"a.py": "x = 1\n"})
    head = repo.commit({name: "def price():\n    return 1\n"})
    opened = Repository.open(repo.path)
    assert opened.entries(head)[0][name]
    assert opened.tree(head).read(name) == b"def price():\n    return 1\n"
    assert opened.grep(["price"], head) == [name]
    assert [commit.files for commit in opened.log(head, [name], limit=5)] == [((name, _hunks((1, 0, 1, 2))),)]
    assert os.fsencode(name) in opened.run("diff", "--name-only", "-z", base, head)


def _hunks(*numbers):
    from gatecli.model import Hunk

    return tuple(Hunk(old_start=a, old_count=b, new_start=c, new_count=d) for a, b, c, d in numbers)


def test_missing_objects_of_a_partial_clone_are_said_and_never_fetched(repo, tmp_path):
    base = repo.commit({"a.py": "x = 1\n"})
    head = repo.commit({"a.py": "x = 2\n"})
    repo.git("config", "uploadpack.allowFilter", "true")
    repo.git("config", "uploadpack.allowAnySHA1InWant", "true")
    clone = tmp_path / "partial"
    repo.git("clone", "--quiet", "--filter=blob:none", "--no-checkout", f"file://{repo.path}", str(clone))
    before = sorted(path.name for path in (clone / ".git").rglob("*"))
    opened = Repository.open(clone)
    with pytest.raises(EvidenceError) as diffed:
        opened.diff(base, head)
    with pytest.raises(EvidenceError) as shown:
        opened.tree(head).read("a.py")
    assert "clone again without --filter" in diffed.value.hint, diffed.value
    assert "clone again without --filter" in shown.value.hint, shown.value
    assert sorted(path.name for path in (clone / ".git").rglob("*")) == before


def test_create_makes_a_repository_on_main(tmp_path):
    created = Repository.create(tmp_path)
    assert (created.head(), created.branch(), list((tmp_path / ".git" / "hooks").glob("*"))) == (None, "main", [])
