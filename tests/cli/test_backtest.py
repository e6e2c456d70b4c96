import csv
import json
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from gatecli.cli.main import run
from gatecli.hindsight import replay_past
from gatecli.scoring.learned import Head, read_learned
from tests.conftest import GitRepo


def dated(at: int | str) -> dict[str, str]:
    """A commit of a day of November 2023, or of whatever git takes for a date."""
    stamp = f"2023-11-{at + 1:02} 12:00:00 +0000" if isinstance(at, int) else at
    return {"GIT_AUTHOR_DATE": stamp, "GIT_COMMITTER_DATE": stamp}


@pytest.fixture
def past(repo: GitRepo) -> GitRepo:
    """Twelve changes of one function, a day apart, every fourth one takes back the one before."""
    for number in range(12):
        body = f"def price(total):\n    return total * {number}\n"
        message = f"Step {number}" if number % 4 != 3 else f"Undo\n\nThis reverts commit {repo.head()}."
        repo.commit({"shop/price.py": body, "README.md": f"{number}\n"}, message, env=dated(number))
    return repo


def stepped(repo: GitRepo, dates: Iterable[int | str]) -> None:
    """A change of one function on each of some dates; every third one takes back the one before."""
    for number, at in enumerate(dates):
        body = f"def price(total):\n    return total * {number}\n"
        message = f"Undo\n\nThis reverts commit {repo.head()}." if number % 3 == 2 else f"Step {number}"
        repo.commit({"shop/price.py": body}, message, env=dated(at))


def test_a_history_is_replayed(past: GitRepo, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    scores = tmp_path / "scores.csv"
    assert run(["backtest", "--repo", str(past.path), "--scores", str(scores)]) == 0
    out = capsys.readouterr().out
    assert "12 changes of code" in out
    assert "lines added" in out
    assert "good changes before the first" in out
    assert len(re.findall(r"\d changes? said ", out)) == 5
    rows = list(csv.DictReader(scores.read_text().splitlines()))
    assert len(rows) == 12
    assert list(rows[0]) == ["sha", "likelihood", "total", "p_any", "p_revert", "p_regression"]
    assert all(0 <= float(row[f"p_{head}"]) <= 1 for row in rows for head in ("any", "revert", "regression"))


def test_a_page_holds_pictures_and_no_markup_of_others(past: GitRepo, tmp_path: Path) -> None:
    past.commit({"shop/price.py": "a = 1\n"}, "<script>alert(1)</script>")
    past.commit({"shop/price.py": "a = 2\n"}, f"Undo\n\nThis reverts commit {past.head()}.")
    page = tmp_path / "page.html"
    assert run(["backtest", "--repo", str(past.path), "--html", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert text.count("<svg") == 2
    assert "<script" not in text
    assert "default-src" in text


def test_the_answer_is_the_same_twice(past: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    answers = []
    for _ in range(2):
        assert run(["backtest", "--repo", str(past.path)]) == 0
        answers.append(capsys.readouterr().out)
    assert answers[0] == answers[1]


def test_outcomes_of_ones_own(past: GitRepo, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    labels = tmp_path / "labels.jsonl"
    labels.write_text(json.dumps({"sha": past.head(), "bad": True}) + "\n" + json.dumps({"sha": "f" * 40, "bad": True}))
    assert run(["backtest", "--repo", str(past.path), "--labels", str(labels)]) == 0
    out, err = capsys.readouterr()
    assert "1 of them bad" in out
    assert "1 of 2 labels is of no code change of this line" in err


@pytest.mark.parametrize("line", ["{", "[]", '{"sha": "a"}', "[" * 100_000, "nonsense"])
def test_labels_that_are_none(past: GitRepo, capsys: pytest.CaptureFixture[str], tmp_path: Path, line: str) -> None:
    labels = tmp_path / "labels.jsonl"
    labels.write_text(line)
    assert run(["backtest", "--repo", str(past.path), "--labels", str(labels)]) == 2
    assert "labels.jsonl:1: not an outcome" in capsys.readouterr().err


def test_weights_are_learned_into_a_file(past: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["learn", "--repo", str(past.path)]) == 0
    written = past.path / ".gate" / "weights.yml"
    learned = read_learned(written.read_bytes(), "weights.yml")
    assert learned.taught.revision == past.head()
    assert [band.share for band in learned.bands] == [0.2, 0.05]
    assert "the prior stays" in capsys.readouterr().out
    assert run(["learn", "--repo", str(past.path), "--dry-run"]) == 0
    assert capsys.readouterr().out == written.read_text()


def test_bands_are_suggested(past: GitRepo) -> None:
    assert run(["backtest", "--repo", str(past.path), "--suggest-bands"]) == 0
    assert read_learned((past.path / ".gate" / "weights.yml").read_bytes(), "weights.yml").bands


def test_without_a_history_it_is_said(repo: GitRepo, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["backtest", "--repo", str(repo.path)]) == 2
    assert "no commit yet" in capsys.readouterr().err
    repo.commit({"README.md": "a\n"}, "one")
    assert run(["backtest", "--repo", str(repo.path)]) == 2
    assert "touches Python code" in capsys.readouterr().err
    assert run(["backtest", "nowhere", "--repo", str(repo.path)]) == 2
    assert run(["backtest", "--repo", str(tmp_path)]) == 2


def test_a_single_commit_and_a_shallow_clone(past: GitRepo, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    past.git("clone", "-q", "--depth=1", f"file://{past.path}", str(tmp_path / "shallow"))
    assert run(["backtest", "--repo", str(tmp_path / "shallow")]) == 0
    out = capsys.readouterr().out
    assert "1 change of code" in out
    assert "shallow" in out


def test_missing_objects_are_said(past: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    blob = past.git("rev-parse", "HEAD~3:shop/price.py").strip()
    (past.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    assert run(["backtest", "--repo", str(past.path)]) == 4
    assert "lacks objects" in capsys.readouterr().err


@pytest.mark.parametrize(
    "dates",
    [
        pytest.param(range(6, 0, -1), id="rewritten, so that the newest is the oldest"),
        pytest.param([0] * 6, id="all at one moment"),
        pytest.param(["@0 +0000"] * 6, id="1970"),
        pytest.param(["@0 +0000", "@4102444800 +0000"] * 3, id="1970 and 2100 in turn"),
        pytest.param(["@4102444800 +0000"] * 6, id="2100"),
    ],
)
def test_strange_dates(repo: GitRepo, capsys: pytest.CaptureFixture[str], dates: Iterable[int | str]) -> None:
    stepped(repo, dates)
    assert run(["backtest", "--repo", str(repo.path)]) == 0
    out = capsys.readouterr().out
    assert "6 changes of code" in out
    assert "nan" not in out
    assert run(["learn", "--repo", str(repo.path), "--dry-run"]) == 0
    assert read_learned(capsys.readouterr().out.encode(), "weights.yml").taught.revision == repo.head()


def test_a_history_of_merges_alone(repo: GitRepo, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    made = repo.commit({"README.md": "shop\n"}, "Begin", env=dated(0))
    for number in range(1, 7):
        repo.git("checkout", "-q", "-b", f"work-{number}")
        what = f"Merge {number}" if number % 3 else f"Undo\n\nThis reverts commit {made}."
        made = repo.commit({"shop.py": f"def price():\n    return {number}\n"}, f"Step {number}", env=dated(number))
        repo.git("checkout", "-q", "-")
        repo.git("merge", "-q", "--no-ff", "-m", what, f"work-{number}", env=dated(number))
    found = replay_past(repo.path, folder=tmp_path)
    assert len(found) == 6
    assert found.bad(Head.REVERT).sum() == 2  # a merge stands for the commit that is taken back by name
    assert run(["backtest", "--repo", str(repo.path)]) == 0
    assert "6 changes of code" in capsys.readouterr().out


def test_no_bad_outcome_and_only_bad_ones(past: GitRepo, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    shas = past.git("log", "--format=%H").split()
    for bad, said in ((False, "no bad change is known here"), (True, "every change is bad here")):
        labels = tmp_path / f"{bad}.jsonl"
        labels.write_text("\n".join(json.dumps({"sha": sha, "bad": bad}) for sha in shas))
        assert run(["backtest", "--repo", str(past.path), "--labels", str(labels)]) == 0
        assert said in capsys.readouterr().out


def test_only_unknown_labels(past: GitRepo, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    labels = tmp_path / "labels.jsonl"
    labels.write_text(json.dumps({"sha": "f" * 40, "bad": True}))
    assert run(["backtest", "--repo", str(past.path), "--labels", str(labels)]) == 0
    out, err = capsys.readouterr()
    assert "no bad change is known here" in out
    assert "1 of 1 label is of no code change" in err
