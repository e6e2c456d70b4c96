"""Where a change stands: what ``gate check`` sees of a change is what the replay of the history saw of it."""

import json
import random
import re
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gatecli import config, hindsight, replaying
from gatecli.cli.main import run
from gatecli.errors import UsageError
from gatecli.history.signals import SIGNALS
from gatecli.pipeline import open_source
from gatecli.pipeline.places import cache_folder
from gatecli.pipeline.standing import _Outlines, next_change
from gatecli.replaying import known_before
from gatecli.scoring import placing, standing
from gatecli.scoring.learn import ENOUGH_BAD, increments
from gatecli.scoring.learned import Head, read_learned
from gatecli.sources.git import Repository
from tests.conftest import GitRepo

LATER = 4_000_000_000
_PATHS = ("shop/price.py", "shop/cart.py", "tests/test_cart.py", "setup.cfg", "tools/run.py", "shop/moved.py")
_WORDS = ("Fix rounding", "Add discounts", "Rework carts", "Use the cache", "Try again")
_PEOPLE = ("ines", "ravi", "mei")
CHANGES = 150
MINUTES_A_DAY = 1_440


def a_history(repo: GitRepo, seed: int, count: int) -> None:
    """Edits, renames, copies, deletions, merges and reverts, as chance has it."""
    chance = random.Random(seed)
    repo.commit({"shop/price.py": "def price(a):\n    return a\n"}, "Begin")
    for number in range(count):
        who = chance.choice(_PEOPLE)
        env = {"GIT_AUTHOR_NAME": who, "GIT_AUTHOR_EMAIL": f"{who}@shop.example"}
        there = [path for path in _PATHS if (repo.path / path).exists()]
        kind = chance.choice(["edit", "edit", "edit", "move", "delete", "revert", "merge", "copy"])
        if kind == "move" and there:
            old, new = chance.choice(there), chance.choice(_PATHS)
            content = (repo.path / old).read_text()
            edited = content + "\n# moved\nX = 1\n" if chance.random() < 0.5 else content
            files: dict[str, str | bytes | None] = {old: None} if old != new else {}
            repo.commit({**files, new: edited}, chance.choice(_WORDS), env=env)
        elif kind == "copy" and there:
            content = (repo.path / chance.choice(there)).read_text()
            repo.commit({chance.choice(_PATHS): content + "Y = 2\n"}, "Add a copy", env=env)
        elif kind == "delete" and len(there) > 1:
            repo.commit({chance.choice(there): None}, "Remove it", env=env)
        elif kind == "revert":
            repo.commit(_edit(chance, number), f"Undo\n\nThis reverts commit {repo.head()}.", env=env)
        elif kind == "merge":
            repo.git("checkout", "-q", "-b", f"topic-{number}")
            for _ in range(chance.randint(1, 2)):
                repo.commit(_edit(chance, number), chance.choice(_WORDS), env=env)
            repo.git("checkout", "-q", "main")
            repo.git("merge", "-q", "--no-ff", "-m", f"Merge topic {number}", f"topic-{number}")
            repo.commits += 1
        else:
            repo.commit(_edit(chance, number), chance.choice(_WORDS), env=env)


def _edit(chance: random.Random, number: int) -> dict[str, str | bytes | None]:
    found: dict[str, str | bytes | None] = {}
    for path in chance.sample(_PATHS, chance.randint(1, 3)):
        functions = [f"def f{one}(a):\n    return a + {chance.randint(0, 3)}\n" for one in range(chance.randint(1, 5))]
        found[path] = "\n".join(functions) + f"# {number}\n"
    return found


def live(repo: GitRepo, revisions: str) -> tuple[float, ...]:
    """The signals of a change as ``gate check`` sees them."""
    origin = open_source(repo.path, revisions=revisions)
    repository = Repository.open(repo.path)
    policy, _ = config.load(origin.governing.read)
    looked_at = next_change(origin, now=LATER)
    assert origin.change.base is not None
    paths = [path for file in looked_at.files for path in (file.old_path, file.new_path) if path]
    with known_before(repository, origin.change.base, policy, cache_folder(), paths) as known:
        known.state.pieces = _Outlines(origin.change.files).before(known.state.pieces)
        return known.certain(known.state.step(looked_at).values)


few_histories = settings(max_examples=6)
"""Each is a repository of its own, and takes a second."""


@example(seed=2005)  # a file of settings that is renamed to a Python file
@given(seed=st.integers(0, 10_000))
@few_histories
def test_what_is_seen_before_a_merge_is_what_the_replay_sees_after_it(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    repo = GitRepo(tmp_path_factory.mktemp("repo"))
    repo.git("init", "-q", "-b", "main")
    a_history(repo, seed, 14)
    line = repo.git("rev-list", "--first-parent", "--reverse", "main").split()
    known = hindsight.replay_past(repo.path, revision=line[7], folder=cache_folder())
    assert known.shas[-1] in line[:8]
    past = hindsight.replay_past(repo.path, folder=tmp_path_factory.mktemp("other"))
    at = dict(zip(past.shas, past.values.tolist(), strict=True))
    for before, after in pairwise(line[7:]):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(replaying, "MAX_AT_ONCE", 0)
            seen = dict(zip(SIGNALS, live(repo, f"{before}..{after}"), strict=True))
        if after in at:
            assert seen == pytest.approx(dict(zip(SIGNALS, at[after], strict=True)))


# --------------------------------------------------------------------------- from the file to the report


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> GitRepo:
    """Half of the changes are small; each large one is taken back a day later. What that teaches is committed."""
    repo = GitRepo(tmp_path_factory.mktemp("built"))
    repo.git("init", "-q", "-b", "main")
    for number in range(CHANGES):
        body = "".join(f"def f{one}():\n    return {number}\n\n" for one in range(40 if number % 4 == 2 else 1))
        undo = number % 4 == 3
        message = f"Undo\n\nThis reverts commit {repo.head()}." if undo else f"Step {number}"
        repo.commit({f"shop/part{(number - undo) % 3}.py": body}, message)
        repo.commits += MINUTES_A_DAY  # the next one is of the next day: what is undone within the hour teaches nothing
    assert run(["learn", "--repo", str(repo.path)]) == 0
    taught = read_learned((repo.path / ".gate" / "weights.yml").read_bytes(), "weights.yml").taught
    assert taught.bad[Head.REVERT] >= ENOUGH_BAD, "or the prior alone says what is risky"
    repo.commit({}, "What the past taught")
    return repo


@pytest.fixture
def learned(built: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GitRepo:
    """A copy of it, of which the facts are kept."""
    repo = GitRepo(Path(shutil.copytree(built.path, tmp_path / "learned")), built.commits)
    hindsight.replay_past(repo.path, folder=cache_folder())
    monkeypatch.setattr(replaying, "MAX_AT_ONCE", 0)  # what is kept is used, or nothing
    return repo


def checked(repo: GitRepo, capfd: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    capfd.readouterr()
    run(["check", "--repo", str(repo.path), "--report", "json", *arguments])
    found: dict[str, Any] = json.loads(capfd.readouterr().out)
    return found


def large(repo: GitRepo) -> str:
    body = "".join(f"def g{one}():\n    return {repo.commits}\n\n" for one in range(60))
    return repo.commit({"shop/part1.py": body}, "Add more")


def small(repo: GitRepo) -> str:
    return repo.commit({"shop/part0.py": f"def f0():\n    return {repo.commits}\n"}, "Fix f0")


def test_a_large_change_ranks_higher_and_its_band_asks(learned: GitRepo, capfd: pytest.CaptureFixture[str]) -> None:
    small(learned)
    low = checked(learned, capfd, "HEAD~1..HEAD")
    large(learned)
    high = checked(learned, capfd, "HEAD~1..HEAD")
    assert low["score"]["percentile"] < high["score"]["percentile"]
    assert high["score"]["standing"]["signals"][0]["points"] > 0
    band = high["score"]["standing"]["band"]
    assert band is not None
    assert (band["share"], band["asks"]) in [(0.2, "review"), (0.05, "senior")]
    assert any("history gives it" in reason["text"] for reason in high["verdict"]["reasons"])
    assert not any("history gives it" in reason["text"] for reason in low["verdict"]["reasons"])
    assert high["verdict"]["decision"] == "review"


def test_the_policy_may_only_show_the_place(learned: GitRepo, capfd: pytest.CaptureFixture[str]) -> None:
    learned.commit({".gate/policy.yml": "bands: {history: show}\n"}, "Only show it")
    large(learned)
    found = checked(learned, capfd, "HEAD~1..HEAD")
    assert found["score"]["percentile"] > 0.8
    assert not any("history gives it" in reason["text"] for reason in found["verdict"]["reasons"])


def test_the_place_equals_that_of_the_back_test(
    learned: GitRepo, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Without numpy and before the merge, or with it and after: the same points for the same weights."""
    changes = [large(learned), small(learned), large(learned)]
    weights = read_learned((learned.path / ".gate" / "weights.yml").read_bytes(), "weights.yml")
    seen = [checked(learned, capfd, f"{sha}~1..{sha}")["score"]["standing"]["points"] for sha in changes]
    past = hindsight.replay_past(learned.path, folder=tmp_path)
    columns = standing.reached(past.values, {one.id: one.above for one in weights.signals})
    totals = dict(zip(past.shas, columns @ increments(weights, Head.ANY), strict=True))
    assert seen == [totals[sha] for sha in changes]


def test_facts_of_something_else_are_never_used(learned: GitRepo, capfd: pytest.CaptureFixture[str]) -> None:
    """A rewritten history, another policy of tests, or a damaged file: said in words, never taken for these."""
    learned.git("checkout", "-q", "-b", "rewritten", "HEAD~3")
    weights = learned.git("show", "main:.gate/weights.yml")
    learned.commit({"a.py": "a = 1\n", ".gate/weights.yml": weights}, "Another past")
    large(learned)
    for change in (lambda: None, lambda: _damage(b"garbage"), lambda: _damage(b"")):
        change()
        found = checked(learned, capfd, "HEAD~1..HEAD")["score"]
        assert found["standing"]["problem"] or "not at hand" in found["standing"]["missing"]
        assert "gate learn" in found["standing"]["remedy"]


def _damage(content: bytes) -> None:
    for file in sorted(cache_folder().glob("facts-past-*")):
        file.write_bytes(content) if file.suffix == ".sqlite" else file.unlink()


def test_the_change_at_hand_does_not_bring_its_own_weights(learned: GitRepo, capfd: pytest.CaptureFixture[str]) -> None:
    file = learned.path / ".gate" / "weights.yml"
    lenient = re.sub(r"points: \d+, asks", "points: 99999, asks", file.read_text())
    learned.commit({".gate/weights.yml": lenient, "shop/part1.py": large_text(60)}, "Nothing to see")
    found = checked(learned, capfd, "HEAD~1..HEAD")
    assert found["score"]["standing"]["band"] is not None
    assert any(".gate/weights.yml" in finding["message"] for finding in found["findings"])


def large_text(count: int) -> str:
    return "".join(f"def h{one}():\n    return 1\n\n" for one in range(count))


def test_weights_that_cannot_be_read_ask_for_a_look(learned: GitRepo, capfd: pytest.CaptureFixture[str]) -> None:
    learned.commit({".gate/weights.yml": "schema: gate-weights/1\nsignals: [\x1b[31m::error::]\n"}, "Broken")
    small(learned)
    found = checked(learned, capfd, "HEAD~1..HEAD")
    assert found["score"]["percentile"] is None
    assert any("cannot be read" in reason["text"] for reason in found["verdict"]["reasons"])
    assert found["verdict"]["decision"] == "review"
    assert run(["check", "HEAD~1..HEAD", "--repo", str(learned.path)]) == 3
    assert "\x1b" not in capfd.readouterr().out


def test_a_place_that_is_required_and_not_known_asks_for_a_look(
    learned: GitRepo, capfd: pytest.CaptureFixture[str]
) -> None:
    learned.commit({".gate/policy.yml": "bands: {history: required}\n"}, "Every change is ranked")
    small(learned)
    ranked = checked(learned, capfd, "HEAD~1..HEAD")
    assert ranked["verdict"]["decision"] == "pass"
    _damage(b"")
    lost = checked(learned, capfd, "HEAD~1..HEAD")
    assert lost["verdict"]["decision"] == "review"
    assert any("could not be ranked" in reason["text"] for reason in lost["verdict"]["reasons"])


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (r"caught: \d+", "caught: -1", "caught"),
        (r"caught: \d+", "caught: 999999", "cannot have caught"),
        (r"share: 0.2", "share: 0.01", "the later is the smaller one"),
        (r"share: 0.2", "share: 7", "share"),
        (r"standing: \[\d+", "standing: [99999", "rising"),
        (r"standing: \[\d+", "standing: [.nan", "standing"),
        (r"standing: \[\d+,", "standing: [", "rising"),
        (r"intercepts: \{any", "intercepts: {all", "none of any"),
        (r"intercepts: \{any: [-\d.]+, ", "intercepts: {", "has no any"),
        (r"above: \[\d+", "above: [1e99", "above"),
        (r"points: \{any", "points: {every", "none of any"),
        (r"day: \S+", 'day: "\\x1b[31m"', "day"),
        (r"  revision: \w+", '  revision: "](http://x)"', "revision"),
        (r"compared: \d+", "compared: 99999999999999999999", "compared"),
        (r"compared:", "compard:", "did you mean 'compared'"),
        (r"asks: review", "asks: nobody", "none of review, senior"),
    ],
)
def test_hostile_weights(learned: GitRepo, old: str, new: str, complaint: str) -> None:
    text = (learned.path / ".gate" / "weights.yml").read_text()
    changed = re.sub(old, lambda _: new, text, count=1)
    assert changed != text
    with pytest.raises(UsageError, match=re.escape(complaint)) as refused:
        read_learned(changed.encode(), "weights.yml")
    assert re.search(r"weights\.yml:\d+: ", str(refused.value))


def test_every_signal_has_a_sentence() -> None:
    assert not [signal for signal in SIGNALS if signal not in placing._SENTENCES]


def test_no_numpy_in_a_check() -> None:
    modules = "gatecli.pipeline.standing, gatecli.scoring.placing, gatecli.history.kept"
    code = f"import sys, {modules}; print('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


# --------------------------------------------------------------------------- what a place is made of


def test_a_signal_names_what_it_is_about_and_where_the_change_would_stand_without_it(
    learned: GitRepo, capfd: pytest.CaptureFixture[str]
) -> None:
    undone = large(learned)
    learned.commit({"shop/part1.py": "a = 1\n"}, f"Undo\n\nThis reverts commit {undone}.")
    large(learned)
    found = checked(learned, capfd, "HEAD~1..HEAD")["score"]["standing"]
    by_signal = {one["signal"]: one for one in found["signals"]}
    assert by_signal["ever-reverted"]["evidence"]["about"] == ["shop/part1.py"]
    assert by_signal["ever-reverted"]["evidence"]["change"]["sha"] == undone
    strongest = found["signals"][0]
    assert strongest["without"] < found["percentile"]
    assert by_signal["lines-added"]["evidence"] == {"about": ["shop/part1.py"], "count": 1, "change": None}
    capfd.readouterr()
    run(["check", "HEAD~1..HEAD", "--all", "--repo", str(learned.path)])
    out = " ".join(capfd.readouterr().out.split())
    assert f"shop/part1.py, {undone[:10]} “Add more”" in out
    assert "without it:" in out


def test_what_looking_down_to_a_place_caught_is_said_whatever_the_bands_are(
    learned: GitRepo, capfd: pytest.CaptureFixture[str]
) -> None:
    large(learned)
    found = checked(learned, capfd, "HEAD~1..HEAD")["score"]
    weights = read_learned((learned.path / ".gate" / "weights.yml").read_bytes(), "weights.yml")
    level = found["standing"]["level"]
    assert level["share"] - 0.01 <= 1 - found["percentile"] <= level["share"]
    assert level["bad"] == weights.catches[-1] > 0
    assert level["caught"] == weights.catches[round(100 * level["share"]) - 1]
    for band in weights.bands:
        assert weights.catches[round(100 * band.share) - 1] == band.caught


def test_explaining_the_policy_shows_every_band_and_what_it_caught(
    learned: GitRepo, capfd: pytest.CaptureFixture[str]
) -> None:
    large(learned)
    for report in ("terminal", "markdown", "json"):
        capfd.readouterr()
        assert run(["policy", "explain", "HEAD~1..HEAD", "--repo", str(learned.path), "--report", report]) == 0
        out = capfd.readouterr().out
        assert f"of the last {CHANGES} changes here" in out
        assert re.search(r"a review of the top 20 % \(from \d+ points? on\): caught \d+ of \d+ bad changes", out)
        assert re.search(r"a senior review of the top 5 % .*: caught \d+ of \d+ bad changes", out)
        assert "this change is in it" in out


# --------------------------------------------------------------------------- a machine that keeps nothing


def test_a_long_history_of_which_nothing_is_kept_is_looked_at_in_the_touched_files(
    learned: GitRepo, capfd: pytest.CaptureFixture[str]
) -> None:
    large(learned)
    whole = checked(learned, capfd, "HEAD~1..HEAD")["score"]
    _forget()
    least = checked(learned, capfd, "HEAD~1..HEAD")["score"]
    assert whole["standing"]["missing"] == ""
    assert "not at hand" in least["standing"]["missing"]
    assert "gate learn" in least["standing"]["remedy"]
    assert 0 < least["standing"]["points"] <= whole["standing"]["points"]
    assert least["percentile"] <= whole["percentile"]
    capfd.readouterr()
    run(["check", "HEAD~1..HEAD", "--all", "--repo", str(learned.path)])
    out = " ".join(capfd.readouterr().out.split())
    assert "or higher of the last" in out
    assert "run gate learn (or gate backtest) on this machine once" in out


def test_a_place_of_which_a_part_is_missing_is_no_required_place(
    learned: GitRepo, capfd: pytest.CaptureFixture[str]
) -> None:
    learned.commit({".gate/policy.yml": "bands: {history: required}\n"}, "Every change is ranked")
    small(learned)
    _forget()
    assert checked(learned, capfd, "HEAD~1..HEAD")["verdict"]["decision"] == "review"


def _forget() -> None:
    for file in cache_folder().glob("facts-past-*"):
        file.unlink()


@given(seed=st.integers(0, 10_000))
@few_histories
def test_what_is_known_of_the_touched_files_is_never_more_than_of_everything(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    repo = GitRepo(tmp_path_factory.mktemp("repo"))
    repo.git("init", "-q", "-b", "main")
    a_history(repo, seed, 12)
    line = repo.git("rev-list", "--first-parent", "--reverse", "main").split()
    for before, after in pairwise(line[5:]):
        whole = live(repo, f"{before}..{after}")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(replaying, "MAX_AT_ONCE", 0)
            least = live(repo, f"{before}..{after}")
        more = [signal for signal, one, other in zip(SIGNALS, least, whole, strict=True) if one > other + 1e-9]
        assert more == []
