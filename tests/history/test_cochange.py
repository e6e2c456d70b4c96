"""Age and co-change of functions, in real repositories and through the pipeline."""

from pathlib import Path

import pytest

from gatecli import pipeline
from gatecli.agents.context import look_up, to_text
from gatecli.history import churn, cochange
from gatecli.model import CoChange, FunctionHistory, HistoryStatus
from gatecli.pipeline import Request
from gatecli.sources import git as git_source
from gatecli.sources import source
from gatecli.sources.git import Repository
from gatecli.sources.log import parse_changed_files
from tests.conftest import FIRST_COMMIT_AT, GitRepo

CODE, PRICES = "shop/pricing.py", "shop/prices.sql"
MINUTE = 60
"""Between two commits of ``GitRepo``."""


def body(step: int) -> str:
    return f"def price(order):\n    return order * {step}\n"


def change(repo: GitRepo, *steps: int, also: tuple[str, ...] = ()) -> None:
    """Commits that change the function, and some other files with it."""
    for step in steps:
        repo.commit({CODE: body(step), **dict.fromkeys(also, f"-- {step}\n")})


def past(repo: GitRepo, files: dict[str, str] | None = None, at: Path | None = None) -> FunctionHistory:
    """The history of the function when it (and the files) are changed in the working tree."""
    path = at or repo.path
    for name, content in {CODE: body(999), **(files or {})}.items():
        (path / name).write_text(content)
    origin = source.open_worktree(path)
    report = pipeline.judge(origin, Request(now=FIRST_COMMIT_AT))
    return next(known for id, known in report.case.history.items() if id.qualname == "price")


@pytest.fixture
def shop(repo: GitRepo) -> GitRepo:
    """A first commit without the function, which is then written in the second."""
    repo.commit({"README.md": "shop\n"})
    return repo


# --------------------------------------------------------------------------- age


def test_the_age_is_that_of_the_creation(shop: GitRepo) -> None:
    change(shop, 1)
    shop.commit({"README.md": "a shop\n"})
    change(shop, 2)
    found = past(shop)
    assert (found.status, found.changes) == (HistoryStatus.KNOWN, 2)
    assert (found.first_changed_at, found.last_changed_at) == (FIRST_COMMIT_AT + MINUTE, FIRST_COMMIT_AT + 3 * MINUTE)


def test_a_shallow_clone_knows_a_least_age(shop: GitRepo, tmp_path: Path) -> None:
    change(shop, 1, 2, 3)
    clone = tmp_path / "shallow"
    shop.git("clone", "--quiet", "--depth", "2", f"file://{shop.path}", str(clone))
    found = past(shop, at=clone)
    assert (found.status, found.first_changed_at) == (HistoryStatus.SHALLOW, FIRST_COMMIT_AT + 2 * MINUTE)
    assert ", at least 3 days old" in to_text(
        look_up(clone, f"{CODE}::price", Request(now=FIRST_COMMIT_AT)), FIRST_COMMIT_AT + 2 * MINUTE + 3 * 86_400
    )


def test_the_bound_of_commits_is_said(shop: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(churn, "MAX_COMMITS", 3)
    monkeypatch.setattr(source, "MAX_PAST_COMMITS", 4)
    change(shop, 1, 2, 3)
    assert past(shop).status is HistoryStatus.KNOWN
    change(shop, 4)
    found = past(shop)
    assert (found.status, found.changes) == (HistoryStatus.SHALLOW, 3)
    assert found.first_changed_at == FIRST_COMMIT_AT + 2 * MINUTE


def test_one_commit_more_is_read_than_is_followed() -> None:
    assert source.MAX_PAST_COMMITS == churn.MAX_COMMITS + 1


# --------------------------------------------------------------------------- co-change


def test_a_file_that_usually_changes_with_it_is_named(shop: GitRepo) -> None:
    change(shop, *range(6), also=(PRICES,))
    change(shop, 7, 8)
    assert past(shop).cochange == (CoChange(path=PRICES, together=6, changes=8),)


def test_a_file_of_the_change_is_not(shop: GitRepo) -> None:
    change(shop, *range(4), also=(PRICES,))
    assert past(shop, {PRICES: "-- now too\n"}).cochange == ()


def test_nor_one_that_the_change_renames(shop: GitRepo) -> None:
    change(shop, *range(4), also=(PRICES,))
    shop.git("mv", PRICES, "shop/tariff.sql")
    assert past(shop).cochange == ()


@pytest.mark.parametrize(
    ("together", "alone", "named"),
    [
        (2, 0, False),  # twice may be chance
        (3, 0, True),
        (3, 3, True),  # exactly half
        (3, 4, False),  # less than half
    ],
)
def test_what_is_usual(shop: GitRepo, together: int, alone: int, named: bool) -> None:
    change(shop, *range(together), also=(PRICES,))
    change(shop, *range(100, 100 + alone))
    assert bool(past(shop).cochange) is named


def test_at_most_three_in_a_fixed_order(shop: GitRepo) -> None:
    change(shop, *range(3), also=("d.sql", "b.sql", "c.sql", "a.sql"))
    change(shop, 4, also=("d.sql",))
    assert [one.path for one in past(shop).cochange] == ["d.sql", "a.sql", "b.sql"]


def test_commits_of_very_many_files_do_not_count(shop: GitRepo) -> None:
    change(shop, *range(2), also=(PRICES,))
    change(shop, 3, also=(PRICES, *(f"vendor/{n}.txt" for n in range(cochange.MAX_FILES - 1))))
    assert past(shop).cochange == ()
    change(shop, 4, also=(PRICES, *(f"vendor/{n}.txt" for n in range(cochange.MAX_FILES - 2))))
    assert past(shop).cochange == (CoChange(path=PRICES, together=3, changes=4),)


def test_the_first_commit_of_all_does_not_count(repo: GitRepo) -> None:
    change(repo, *range(3), also=(PRICES,))
    assert past(repo).cochange == ()


def test_merges_do_not_count_but_their_commits_do(shop: GitRepo) -> None:
    change(shop, 1, also=(PRICES,))
    shop.git("checkout", "--quiet", "-b", "topic")
    change(shop, 2, 3, also=(PRICES,))
    shop.git("checkout", "--quiet", "main")
    shop.commit({"README.md": "meanwhile\n"})
    shop.git("merge", "--quiet", "--no-ff", "--no-edit", "topic")
    found = past(shop)
    assert (found.changes, found.cochange) == (3, (CoChange(path=PRICES, together=3, changes=3),))


def test_a_renamed_partner_counts_under_its_new_name(shop: GitRepo) -> None:
    change(shop, 1, 2, also=(PRICES,))
    shop.git("mv", PRICES, "tariff.sql")
    change(shop, 3)
    change(shop, 4, also=("tariff.sql",))
    assert past(shop).cochange == (CoChange(path="tariff.sql", together=4, changes=4),)


def test_a_partner_that_is_gone_is_not_named(shop: GitRepo) -> None:
    change(shop, *range(4), also=(PRICES,))
    shop.commit({PRICES: None})
    assert past(shop).cochange == ()


def test_only_commits_before_the_change_count(shop: GitRepo) -> None:
    change(shop, 1, 2, also=(PRICES,))
    shop.git("checkout", "--quiet", "-b", "topic")
    change(shop, 3, 4, 5)
    shop.git("checkout", "--quiet", "main")
    change(shop, 6, 7, also=(PRICES,))
    report = pipeline.judge(source.open_range(shop.path, "main...topic"), Request(now=FIRST_COMMIT_AT))
    (found,) = report.case.history.values()
    assert (found.changes, found.last_changed_at, found.cochange) == (2, FIRST_COMMIT_AT + 2 * MINUTE, ())


def test_names_that_no_terminal_should_print_are_tolerated(shop: GitRepo) -> None:
    hostile = "a\nb\tM\x1b[31m \udcff.sql"
    change(shop, *range(3), also=(hostile,))
    assert past(shop).cochange == (CoChange(path=hostile, together=3, changes=3),)
    text = to_text(look_up(shop.path, f"{CODE}::price", Request(now=FIRST_COMMIT_AT)), FIRST_COMMIT_AT)
    assert "\x1b" not in text
    assert "(3 of 3)" in text


def test_context_names_them(shop: GitRepo) -> None:
    change(shop, *range(3), also=(PRICES,))
    found = look_up(shop.path, f"{CODE}::price", Request(now=FIRST_COMMIT_AT))
    assert [(one.path, one.together, one.changes) for one in found.functions[0].history.cochange] == [(PRICES, 3, 3)]
    assert f"  changes with: {PRICES} (3 of 3)\n" in to_text(found, FIRST_COMMIT_AT + 9 * MINUTE)


# --------------------------------------------------------------------------- the files of commits


def test_what_git_says_of_commits(shop: GitRepo) -> None:
    first = shop.head()
    shop.commit({CODE: body(1), PRICES: "-- 1\n"})
    second = shop.head()
    shop.git("mv", PRICES, "b.sql")
    third = shop.commit({CODE: None})
    assert Repository.open(shop.path).changed_files([third, second, first]) == {
        third: ((PRICES, "b.sql"), (CODE, CODE)),
        second: ((PRICES, PRICES), (CODE, CODE)),
    }


def test_names_beyond_the_bound_are_left_out_with_their_commit(shop: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    commits = [shop.commit({CODE: body(step), PRICES: f"-- {step}\n"}) for step in range(5)]
    whole = Repository.open(shop.path).changed_files(commits)
    assert len(whole) == 5
    for bound in (1, 41, 43, 60, 150, 200, 300):
        monkeypatch.setattr(git_source, "MAX_CHANGED_FILES_BYTES", bound)
        found = Repository.open(shop.path).changed_files(commits)
        assert len(found) < 5
        assert list(found.items()) == list(whole.items())[: len(found)]


@pytest.mark.parametrize(
    ("out", "expected"),
    [
        (b"", {}),
        (b"1" * 40 + b"\0", {"1" * 40: ()}),
        (b"1" * 64 + b"\0M\0" + b"2" * 40 + b"\0", {"1" * 64: (("2" * 40, "2" * 40),)}),  # a path like a commit
        (b"1" * 40 + b"\0R100\0a\0M\0T\0R100\0", {"1" * 40: (("a", "M"), ("R100", "R100"))}),  # paths like statuses
        (b"1" * 40 + b"\0M\0", {}),
    ],
)
def test_a_field_means_what_its_place_says(out: bytes, expected: dict[str, object]) -> None:
    assert parse_changed_files(out) == expected
