import random
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecli.history import churn
from gatecli.history.churn import look_up
from gatecli.model import (
    Authorship,
    ChangeKind,
    Function,
    FunctionChange,
    FunctionHistory,
    FunctionId,
    FunctionKind,
    HistoryStatus,
    Hunk,
    PastCommit,
    Person,
    Span,
)
from gatecli.sources.git import Repository

INES = Person(name="Ines", email="ines@shop.example")
RAVI = Person(name="Ravi", email="ravi@shop.example")
PATH = "shop/pricing.py"


def function(
    first: int,
    last: int,
    *,
    path: str = PATH,
    kind: FunctionKind = FunctionKind.FUNCTION,
    removed: tuple[int, ...] = (),
) -> FunctionChange:
    before = Function(
        id=FunctionId(path=path, qualname=f"f{first}"),
        kind=kind,
        span=Span(first_line=first, def_line=first, end_line=last),
    )
    return FunctionChange(id=before.id, kind=ChangeKind.EDITED, before=before, after=before, removed_lines=removed)


def hunk(old: int, old_count: int, new: int, new_count: int) -> Hunk:
    return Hunk(old_start=old, old_count=old_count, new_start=new, new_count=new_count)


def commit(*hunks: Hunk, author: Person = INES, at: int = 100, path: str = PATH) -> PastCommit:
    return PastCommit(sha=f"{at:040x}", author=author, committed_at=at, subject="s", files=((path, hunks),))


def history(commits: list[PastCommit], change: FunctionChange, **options) -> FunctionHistory:
    settings = {"shallow": False, "base_available": True} | options
    return look_up(commits, (change,), **settings)[change.id]


def test_changes_are_followed_back_to_the_creation():
    commits = [
        commit(hunk(12, 1, 12, 3), author=RAVI, at=500),  # inside
        commit(hunk(1, 0, 1, 5), author=RAVI, at=400),  # above: shifts by five
        commit(hunk(5, 1, 5, 1), at=300),  # was line 10, the first
        commit(hunk(1, 0, 1, 20), at=200),  # the file
        commit(hunk(1, 0, 1, 20), author=RAVI, at=100),  # an older file of that name
    ]
    assert history(commits, function(10, 20)) == FunctionHistory(
        status=HistoryStatus.KNOWN,
        changes=3,
        authors=(
            Authorship(person=INES, changes=2, last_at=300),
            Authorship(person=RAVI, changes=1, last_at=500),
        ),
        first_changed_at=200,
        last_changed_at=500,
        commits=tuple(f"{at:040x}" for at in (500, 300, 200)),
    )


@pytest.mark.parametrize(
    ("piece", "touches"),
    [
        (hunk(9, 1, 9, 1), False),  # the line above
        (hunk(10, 1, 10, 1), True),  # the first line
        (hunk(20, 1, 20, 1), True),  # the last line
        (hunk(21, 1, 21, 1), False),  # the line below
        (hunk(8, 2, 8, 3), True),  # reaches in from above
        (hunk(10, 0, 10, 1), True),  # inserted, now the first line
        (hunk(20, 0, 21, 4), False),  # inserted below
        (hunk(9, 3, 9, 0), False),  # deleted above line 9
        (hunk(10, 3, 10, 0), False),  # deleted right above the function
        (hunk(15, 3, 15, 0), True),  # deleted inside
        (hunk(21, 3, 21, 0), False),  # deleted right below
        (hunk(1, 30, 1, 30), True),  # all of it
    ],
)
def test_what_touches_lines_ten_to_twenty(piece, touches):
    assert history([commit(piece)], function(10, 20)).changes == int(touches)


def test_other_files_do_not_count():
    assert history([commit(hunk(1, 1, 1, 90), path="shop/other.py")], function(10, 20)).changes == 0


@pytest.mark.parametrize(
    ("change", "options", "expected"),
    [
        (
            FunctionChange(
                id=FunctionId(path=PATH, qualname="new"), kind=ChangeKind.ADDED, before=None,
                after=function(1, 2).after,
            ),
            {},
            FunctionHistory(status=HistoryStatus.NEW, changes=0),
        ),
        (function(1, 2), {"base_available": False}, FunctionHistory(status=HistoryStatus.UNAVAILABLE)),
        (function(1, 2), {"shallow": True}, FunctionHistory(status=HistoryStatus.SHALLOW, changes=0)),
        (function(1, 2), {}, FunctionHistory(status=HistoryStatus.KNOWN, changes=0)),
    ],
)  # fmt: skip
def test_what_is_not_known_is_said(change, options, expected):
    assert history([], change, **options) == expected


def test_a_renamed_function_is_followed_under_its_old_path():
    old = function(10, 20, path="shop/old.py")
    renamed = FunctionChange(
        id=FunctionId(path=PATH, qualname="g"), kind=ChangeKind.MOVED, before=old.before, after=old.after
    )
    assert history([commit(hunk(12, 1, 12, 1), path="shop/old.py")], renamed).changes == 1


def test_a_module_body_is_followed_by_its_replaced_lines():
    body = function(1, 400, kind=FunctionKind.MODULE, removed=(3, 200))
    commits = [commit(hunk(3, 1, 3, 1), at=3), commit(hunk(100, 1, 100, 1), at=2), commit(hunk(200, 1, 200, 1), at=1)]
    assert history(commits, body).changes == 2


def test_one_person_under_two_addresses_is_one_author():
    home = Person(name="I.", email="INES@shop.example")
    commits = [commit(hunk(10, 1, 10, 1), author=home, at=5), commit(hunk(10, 1, 10, 1), at=4)]
    found = history(commits, function(10, 20), identify=lambda person: person.email.lower())
    assert found.authors == (Authorship(person=home, changes=2, last_at=5),)


def test_an_old_committer_clock_does_not_move_the_last_change_back():
    commits = [commit(hunk(10, 1, 10, 1), at=5), commit(hunk(10, 1, 10, 1), at=9)]
    found = history(commits, function(10, 20))
    assert (found.last_changed_at, found.authors[0].last_at) == (9, 9)


def test_a_commit_without_a_date_does_not_make_a_function_as_old_as_1970():
    commits = [commit(hunk(10, 1, 10, 1), at=at) for at in (5, 0, 4)]
    assert history(commits, function(10, 20)).first_changed_at == 4
    assert history(commits[1:2], function(10, 20)).first_changed_at is None


def test_a_history_that_is_too_long_is_cut_and_says_so(monkeypatch):
    monkeypatch.setattr(churn, "MAX_COMMITS", 3)
    commits = [commit(hunk(10, 1, 10, 1), at=at) for at in (4, 3, 2, 1)]
    assert history(commits, function(10, 20)).changes == 3
    assert history(commits, function(10, 20)).status is HistoryStatus.SHALLOW
    assert history(commits[:3], function(10, 20)).status is HistoryStatus.KNOWN
    ended = [commit(hunk(1, 0, 1, 50), at=4), *commits]
    assert history(ended, function(10, 20)).status is HistoryStatus.KNOWN


def test_scattered_lines_and_huge_commits_are_bounded():
    hunks = tuple(hunk(2 * line, 1, 2 * line, 1) for line in range(1, 50_001))
    functions = tuple(function(100 * n, 100 * n + 99) for n in range(1, 1000))
    found = look_up([commit(*hunks, at=at) for at in (3, 2, 1)], functions, shallow=False, base_available=True)
    assert {one.changes for one in found.values()} == {3}


# --------------------------------------------------------------------------- against a naive model

SIZE = 40


@st.composite
def hunk_lists(draw: st.DrawFn) -> tuple[Hunk, ...]:
    """Hunks of a file, in order and apart by at least one unchanged line, as a diff without context has them."""
    hunks, old, new = [], 1, 1
    for _ in range(draw(st.integers(0, 4))):
        gap = draw(st.integers(1, 8))
        old, new = old + gap, new + gap
        removed, added = draw(st.integers(0, 4)), draw(st.integers(0, 4))
        if removed or added:
            hunks.append(hunk(old, removed, new, added))
            old, new = old + removed, new + added
    return tuple(hunks)


def naive(lines: set[int], hunks: tuple[Hunk, ...]) -> tuple[bool, set[int]]:
    """Line by line: which old lines the given new lines stand for."""
    before, touched = set(), False
    for line in lines:
        if not any(line in piece.added for piece in hunks):
            before.add(line + sum(h.old_count - h.new_count for h in hunks if h.new_start + h.new_count <= line))
    for piece in hunks:
        inside = piece.new_count == 0 and {piece.new_start - 1, piece.new_start} <= lines
        if inside or lines & set(piece.added):
            touched = True
            before |= set(piece.removed)
    return touched, before


@given(st.lists(hunk_lists(), max_size=6), st.integers(1, SIZE), st.integers(0, 12))
def test_the_pass_agrees_with_a_line_by_line_walk(versions, first, length):
    lines, expected = set(range(first, first + length + 1)), 0
    for hunks in versions:
        touched, lines = naive(lines, hunks)
        expected += touched
    commits = [commit(*hunks, at=len(versions) - number) for number, hunks in enumerate(versions)]
    assert history(commits, function(first, first + length)).changes == expected


# --------------------------------------------------------------------------- against git log -L


def git(folder: Path, *arguments: str, author: Person = INES, at: int = 0) -> str:
    env = {
        "PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": author.name, "GIT_AUTHOR_EMAIL": author.email, "GIT_COMMITTER_NAME": author.name,
        "GIT_COMMITTER_EMAIL": author.email, "GIT_AUTHOR_DATE": f"{at} +0000", "GIT_COMMITTER_DATE": f"{at} +0000",
    }  # fmt: skip
    return subprocess.run(["git", *arguments], cwd=folder, env=env, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("seed", range(6))
def test_counts_and_authors_agree_with_git_log_l(tmp_path, seed):
    dice = random.Random(seed)
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "shop").mkdir()
    file = tmp_path / PATH
    lines = [f"line {number} of the first version\n" for number in range(30)]
    for step in range(40):
        if step:
            at = dice.randrange(len(lines))
            fresh = [f"step {step} wrote line {number}\n" for number in range(dice.randrange(4))]
            lines[at : at + dice.randrange(3)] = fresh
            lines = lines or ["a last line\n"]
        file.write_text("".join(lines))
        author = dice.choice((INES, RAVI))
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "-q", "--allow-empty", "-m", f"step {step}", author=author, at=1_700_000_000 + step)
    spans = [sorted(dice.sample(range(1, len(lines) + 1), 2)) for _ in range(8)]
    commits = list(Repository.open(tmp_path).log("HEAD", [PATH], limit=1000))
    found = look_up(
        commits, [function(first, last) for first, last in spans], shallow=False, base_available=True
    )  # fmt: skip
    for first, last in spans:
        out = git(tmp_path, "log", f"-L{first},{last}:{PATH}", "--format=%x00%an", "-s").replace("\0", "")
        authors = out.split()
        known = found[FunctionId(path=PATH, qualname=f"f{first}")]
        if sum(other[0] == first for other in spans) > 1:
            continue  # the same start twice: one id
        assert known.changes == len(authors), (first, last)
        assert {one.person.name: one.changes for one in known.authors} == {
            name: authors.count(name) for name in set(authors)
        }
