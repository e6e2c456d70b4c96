"""Reverts that are no fault that anybody met: they stand apart from the bad changes."""

from pathlib import Path

from gatecli.hindsight import replay_past
from gatecli.scoring import backtest
from gatecli.scoring.learn import training_rows
from gatecli.scoring.learned import prior
from gatecli.scoring.past import Head, Past
from tests.conftest import GitRepo

CODE = "def price():\n    return {}\n"


def stamped(day: int, minute: int = 0) -> dict[str, str]:
    stamp = f"2023-11-{day:02} 12:{minute:02}:00 +0000"
    return {"GIT_AUTHOR_DATE": stamp, "GIT_COMMITTER_DATE": stamp}


def undo(sha: str) -> str:
    return f'Revert "Step"\n\nThis reverts commit {sha}.'


def reverted(repo: GitRepo, folder: Path) -> Past:
    """A change that is taken back after ten minutes, one after a day, and a planned one."""
    repo.commit({"shop.py": CODE.format(0)}, "Begin", env=stamped(1))
    for day, back, subject in ((2, (2, 10), "Round up"), (4, (5, 0), "Round down"), (6, (7, 0), "Temporary logging")):
        sha = repo.commit({"shop.py": CODE.format(day)}, subject, env=stamped(day))
        repo.commit({"shop.py": CODE.format(0)}, undo(sha), env=stamped(*back))
    return replay_past(repo.path, folder=folder)


def test_an_immediate_revert_and_a_planned_one_are_not_bad(repo: GitRepo, tmp_path: Path) -> None:
    past = reverted(repo, tmp_path)
    assert past.bad(Head.ANY).tolist() == [False, False, False, True, False, False, False]
    assert past.bad(Head.REVERT).tolist() == past.bad(Head.ANY).tolist()
    assert past.immediate.tolist() == [False, True, False, False, False, False, False]
    assert past.apart == {"planned": 1, "immediate": 1, "late": 0}


def test_nothing_is_learned_from_an_immediate_revert(repo: GitRepo, tmp_path: Path) -> None:
    past = reverted(repo, tmp_path)
    assert 1 not in training_rows(past, 7, int(past.times.max()) + 90 * 86_400)


def test_a_change_that_is_also_blamed_for_a_regression_is_bad(repo: GitRepo, tmp_path: Path) -> None:
    sha = repo.commit({"shop.py": CODE.format(1)}, "Round up", env=stamped(1))
    repo.commit({"shop.py": CODE.format(0)}, undo(sha), env=stamped(1, 10))
    repo.commit({"shop.py": CODE.format(2)}, f"Repair orders\n\nFixes: {sha}", env=stamped(3))
    past = replay_past(repo.path, folder=tmp_path)
    assert past.bad(Head.REGRESSION).tolist() == [True, False, False]
    assert not past.immediate.any()


def test_the_back_test_tells_them_apart(repo: GitRepo, tmp_path: Path) -> None:
    past = reverted(repo, tmp_path)
    found = backtest.examine(past, backtest.replay_scores(past, prior()))
    assert found.apart["immediate"] == 1
    assert found.heads[Head.ANY]["gate"].bad == 0  # the last two fifths hold the planned one alone
