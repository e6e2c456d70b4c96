"""Histories, labels, weights and caches as they should not be: each command says in words what is wrong, and goes on or
stops with the exit code for it; never a crash, and never more than the prior where nothing can be learned."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gatecli import replaying
from gatecli.cli.main import run
from gatecli.pipeline.places import cache_folder
from gatecli.scoring.learned import Learned, prior, read_learned
from tests.conftest import GitRepo
from tests.scoring.bad_histories import DAYS, KINDS, WEIGHTS, price, stepped, weights

Capture = pytest.CaptureFixture[str]

REPLAYED = ("merges", "rewritten", "of_1970", "of_the_future", "in_turn")
LACKING = ("blobless", "without_a_blob", "without_a_tree", "without_a_commit")
STOPPED = {
    "nothing": (2, "has no commit yet"),
    "without_code": (2, "touches Python code"),
    **dict.fromkeys(LACKING, (4, "the clone lacks objects")),
}
"""Kinds that cannot be replayed, with the exit code and the words of it."""


def said(capfd: Capture, *arguments: str) -> tuple[int, str]:
    """The exit code of a command, and all that it says, on one line."""
    capfd.readouterr()
    code = run([*arguments])
    out, err = capfd.readouterr()
    assert "internal error" not in err
    assert not re.search(r"\b(?:nan|inf)\b", out)
    return code, " ".join((out + err).split())


def judged(capfd: Capture, path: Path) -> tuple[int, dict[str, Any] | None, str]:
    """What ``gate check`` says of the last change: its exit code, the place, and stderr."""
    capfd.readouterr()
    code = run(["check", "HEAD~1..HEAD", "--repo", str(path), "--report", "json"])
    out, err = capfd.readouterr()
    assert "internal error" not in err
    return code, json.loads(out)["score"]["standing"] if out else None, err


def learned(capfd: Capture, path: Path) -> Learned:
    """What ``gate learn`` would write."""
    capfd.readouterr()
    assert run(["learn", "--dry-run", "--repo", str(path)]) == 0
    return read_learned(capfd.readouterr().out.encode(), "weights.yml")


def is_prior(found: Learned) -> bool:
    """Whether every weight is the one that gate ships."""
    shipped = prior().by_signal()
    return all(dict(one.points) == dict(shipped[one.id].points) for one in found.signals)


@pytest.mark.parametrize("command", ["backtest", "learn"])
@pytest.mark.parametrize("kind", STOPPED)
def test_what_cannot_be_replayed_is_said(repo: GitRepo, capfd: Capture, kind: str, command: str) -> None:
    code, words = STOPPED[kind]
    path = KINDS[kind](repo)
    assert said(capfd, command, "--repo", str(path))[0] == code
    assert words in said(capfd, command, "--repo", str(path))[1]
    assert not (path / WEIGHTS).exists() or (path / WEIGHTS).read_text() == weights(), "nothing was written"


@pytest.mark.parametrize("kind", ["single", "shallow", *REPLAYED])
def test_a_strange_history_is_replayed_and_leaves_the_prior(repo: GitRepo, capfd: Capture, kind: str) -> None:
    path = KINDS[kind](repo)
    code, words = said(capfd, "backtest", "--repo", str(path))
    assert code == 0
    assert re.search(r"backtest (\d changes|1 change) of code; the last (\d are|one is) tested", words)
    assert is_prior(learned(capfd, path))


def test_of_a_shallow_clone_every_command_says_that_it_is_one(repo: GitRepo, capfd: Capture) -> None:
    path = KINDS["shallow"](repo)
    for command in (["backtest"], ["learn"], ["learn", "--dry-run"]):
        code, words = said(capfd, *command, "--repo", str(path))
        assert (code, "this clone is shallow" in words) == (0, True), command
    (path / WEIGHTS).write_text(weights())
    code, place, _ = judged(capfd, path)
    assert code == 0
    assert place is not None
    assert place["problem"] == "this clone is shallow"
    assert "git fetch --unshallow" in place["remedy"]


@pytest.mark.parametrize("kind", REPLAYED)
@pytest.mark.parametrize("at_once", [replaying.MAX_AT_ONCE, 0], ids=["replayed now", "touched files alone"])
def test_a_change_of_a_strange_history_has_a_place(
    repo: GitRepo, capfd: Capture, monkeypatch: pytest.MonkeyPatch, kind: str, at_once: int
) -> None:
    path = KINDS[kind](repo)
    monkeypatch.setattr(replaying, "MAX_AT_ONCE", at_once)
    code, place, _ = judged(capfd, path)
    assert code in (0, 3)
    assert place is not None
    assert 0 <= place["percentile"] <= 1
    assert bool(place["missing"]) == (at_once == 0)


@pytest.mark.parametrize("kind", LACKING)
def test_a_change_whose_past_is_not_at_hand_is_no_pass(repo: GitRepo, capfd: Capture, kind: str) -> None:
    code, _, err = judged(capfd, KINDS[kind](repo))
    assert code == 4
    assert "the clone lacks objects" in err


@pytest.mark.parametrize(
    ("kind", "revision", "code", "words"),
    [
        ("nothing", "HEAD", 2, "unknown revision: HEAD"),
        ("single", "HEAD", 0, "came from shop/price.py::price"),
        ("single", "HEAD~1", 2, "unknown revision: HEAD~1"),
        ("shallow", "HEAD", 0, "came from shop/price.py::price"),
        ("shallow", "HEAD~1", 4, "this clone is shallow, and ends there"),
        ("shallow", "HEAD~3", 2, "this clone is shallow: git fetch --unshallow"),
        ("without_code", "HEAD", 2, "changed no function outside of tests"),
        ("blobless", "HEAD", 4, "the clone lacks objects"),
        ("without_a_blob", "HEAD~3", 4, "the clone lacks objects"),
        ("without_a_tree", "HEAD~3", 4, "the clone lacks objects"),
        ("without_a_commit", "HEAD", 4, "the clone lacks objects"),
        *((kind, "HEAD", 0, "came from shop/price.py::price") for kind in REPLAYED),
    ],
)
def test_a_cause_in_a_strange_history(
    repo: GitRepo, capfd: Capture, kind: str, revision: str, code: int, words: str
) -> None:
    path = KINDS[kind](repo)
    cause = ["--caused-by", revision, "--severity", "1", "--date", "2023-01-01"]
    answer, text = said(capfd, "incident", "add", "A", *cause, "--repo", str(path))
    assert (answer, words in text) == (code, True), text
    assert (path / ".gate" / "incidents.yml").exists() == (code == 0)
    assert said(capfd, "incident", "list", "--repo", str(path))[0] == 0


# --------------------------------------------------------------------------- outcomes


@pytest.mark.parametrize("command", ["backtest", "learn"])
@pytest.mark.parametrize(
    "line",
    [
        pytest.param("{", id="cut"),
        pytest.param("[]", id="a list"),
        pytest.param("nonsense", id="no JSON"),
        pytest.param("[" * 100_000, id="nested deeply"),
        pytest.param('{"sha": "a", "bad": true}', id="a short id"),
        pytest.param('{"sha": 7, "bad": true}', id="a number for an id"),
        pytest.param('{"sha": "%s"}' % ("f" * 40), id="no outcome"),
        pytest.param('{"sha": "%s", "bad": "yes"}' % ("f" * 40), id="a word for an outcome"),
        pytest.param('{"sha": "%s", "bad": 2}' % ("f" * 40), id="another number"),
        pytest.param('{"sha": "%s", "bad": []}' % ("f" * 40), id="a list for an outcome"),
        pytest.param('{"sha": "%s", "bad": NaN}' % ("f" * 40), id="no number"),
    ],
)
def test_malformed_labels(repo: GitRepo, capfd: Capture, tmp_path: Path, line: str, command: str) -> None:
    stepped(repo, DAYS[:3])
    labels = tmp_path / "labels.jsonl"
    labels.write_text(json.dumps({"sha": repo.head(), "bad": 0}) + f"\n\n{line}\n")
    code, words = said(capfd, command, "--labels", str(labels), "--repo", str(repo.path))
    assert code == 2
    assert "labels.jsonl:3: not an outcome" in words
    assert (repo.path / WEIGHTS).read_text() == weights(), "nothing was written"


@pytest.mark.parametrize("content", [b"\xff\xfe", b"\x1f\x8b cut"], ids=["no text", "a damaged archive"])
def test_labels_that_cannot_be_read(repo: GitRepo, capfd: Capture, tmp_path: Path, content: bytes) -> None:
    stepped(repo, DAYS[:3])
    labels = tmp_path / "labels.jsonl"
    labels.write_bytes(content)
    code, words = said(capfd, "learn", "--labels", str(labels), "--repo", str(repo.path))
    assert (code, "cannot read" in words) == (2, True)


@pytest.mark.parametrize(
    ("bad", "words"), [(False, "no bad change is known"), (True, "every change is bad")], ids=["all good", "all bad"]
)
def test_one_kind_of_outcome_alone_leaves_the_prior(
    repo: GitRepo, capfd: Capture, tmp_path: Path, bad: bool, words: str
) -> None:
    stepped(repo, [1_600_000_000 + 20 * 86_400 * day for day in range(12)])
    labels = tmp_path / "labels.jsonl"
    shas = repo.git("log", "--format=%H").split()
    labels.write_text("".join(json.dumps({"sha": sha, "bad": bad}) + "\n" for sha in shas))
    for command in ("backtest", "learn"):
        code, text = said(capfd, command, "--labels", str(labels), "--repo", str(repo.path))
        assert (code, words in text) == (0, True), text
    assert is_prior(read_learned((repo.path / WEIGHTS).read_bytes(), "weights.yml"))


@pytest.mark.parametrize("command", ["backtest", "learn"])
def test_labels_of_commits_that_are_not_there_are_counted(
    repo: GitRepo, capfd: Capture, tmp_path: Path, command: str
) -> None:
    stepped(repo, DAYS[:3])
    labels = tmp_path / "labels.jsonl"
    labels.write_text("".join(json.dumps({"sha": f"{n:040x}", "bad": True}) + "\n" for n in range(1_200)))
    code, words = said(capfd, command, "--labels", str(labels), "--repo", str(repo.path))
    assert code == 0
    assert "1,200 of 1,200 labels are of no code change of this line" in words


# --------------------------------------------------------------------------- budgets


@pytest.mark.parametrize("command", [("learn", "--dry-run"), ("backtest",)], ids=["learn", "backtest"])
@pytest.mark.parametrize("budget", ["", "20", "5,20", "20,20", "20,0", "-20,-30", "120,5", "a,b", "20,5,1", "nan,nan"])
def test_a_budget_that_is_none_is_refused(repo: GitRepo, capfd: Capture, command: tuple[str, ...], budget: str) -> None:
    stepped(repo, DAYS[:3])
    code, words = said(capfd, *command, "--budget", budget, "--repo", str(repo.path))
    assert code == 2
    assert "not a budget" in words
    assert "--budget 20,5" in words


@pytest.mark.parametrize(
    ("budget", "shares"),
    [("10,2", [0.1, 0.02]), (" 30 % , 0.5% ", [0.3, 0.005]), ("100,99", [1, 0.99]), ("12.5,1e0", [0.125, 0.01])],
)
@pytest.mark.parametrize("command", [("learn",), ("backtest", "--suggest-bands")], ids=["learn", "backtest"])
def test_a_budget_sets_the_bands_and_is_kept(
    repo: GitRepo, capfd: Capture, command: tuple[str, ...], budget: str, shares: list[float]
) -> None:
    stepped(repo, DAYS[:6])
    for more in (["--budget", budget], []):  # a later refit keeps it
        assert said(capfd, *command, *more, "--repo", str(repo.path))[0] == 0
        found = read_learned((repo.path / WEIGHTS).read_bytes(), "weights.yml")
        assert [band.share for band in found.bands] == pytest.approx(shares)


# --------------------------------------------------------------------------- weights

HOSTILE: dict[str, tuple[Callable[[str], str | bytes], str]] = {
    "of a newer schema": (lambda text: text.replace("gate-weights/1", "gate-weights/2"), "another version of gate"),
    "newer, with unknown keys": (
        lambda text: text.replace("gate-weights/1", "gate-weights/12").replace("compared:", "among: 7\ncompared:"),
        "another version of gate",
    ),
    "no number": (lambda text: re.sub(r"any: -[\d.]+", "any: .nan", text, count=1), "intercepts.any"),
    "an infinite number": (lambda text: re.sub(r"any: -[\d.]+", "any: -.inf", text, count=1), "intercepts.any"),
    "a huge number": (lambda text: text.replace("compared: ", "compared: 99999999999999999999"), "compared"),
    "points beyond all bounds": (
        lambda text: re.sub(r"points: {any: \[\d+", "points: {any: [101", text, count=1),
        "points",
    ),
    "aliases that multiply": (
        lambda _: "a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b]\n",
        "aliases are not read",
    ),
    "a tag that makes objects": (lambda text: text.replace("taught:", "taught: !!python/object:os.system", 1), "tags"),
    "a list": (lambda _: "- 1\n", "expected keys and values"),
    "text": (lambda _: "hello", "expected keys and values"),
    "nothing": (lambda _: "", "expected keys and values"),
    "a NUL": (lambda _: "\0", "not valid YAML"),
    "nested deeply": (lambda _: "[" * 100_000, "not valid YAML"),
    "too large": (lambda text: text + "#" * 1_000_000, "more than 1,000,000 bytes"),
    "no UTF-8": (lambda text: text.encode() + b"\xff", "not UTF-8"),
    "cut in half": (lambda text: text[: len(text) // 2], "problem"),
    "a signal twice": (lambda text: text.replace("id: files", "id: lines-added", 1), "weighed twice"),
    "an unknown signal": (lambda text: text.replace("id: files", "id: filez", 1), "did you mean 'files'"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_weights_ask_for_a_look_and_rank_nothing(repo: GitRepo, capfd: Capture, kind: str) -> None:
    damage, words = HOSTILE[kind]
    stepped(repo, DAYS[:4])
    repo.commit({WEIGHTS: damage(weights())}, "Other weights")
    repo.commit({"shop/price.py": price(77)}, "Change the price")
    code, place, err = judged(capfd, repo.path)
    assert (code, err) == (3, ""), "somebody looks at it"
    assert place is not None
    assert (place["points"], place["percentile"]) == (None, None)
    assert words in place["problem"]
    assert "gate learn" in place["remedy"]


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_weights_are_not_learned_from(repo: GitRepo, capfd: Capture, kind: str) -> None:
    stepped(repo, DAYS[:4])
    (repo.path / WEIGHTS).write_bytes(bytes(as_bytes(HOSTILE[kind][0](weights()))))
    capfd.readouterr()
    assert run(["learn", "--dry-run", "--repo", str(repo.path)]) == 0
    out, err = capfd.readouterr()
    assert is_prior(read_learned(out.encode(), "weights.yml"))
    assert "the budget of .gate/weights.yml cannot be read, 20 and 5 % are used" in err


def as_bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


# --------------------------------------------------------------------------- what is kept


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def overwritten(content: bytes) -> bytes:
    return content[:8_192] + b"\xff" * max(0, len(content) - 8_192)


@pytest.mark.parametrize("damage", [cut, overwritten])
@pytest.mark.parametrize("command", ["backtest", "learn", "incident", "check"])
@pytest.mark.parametrize("which", ["outlines", "past", "weights"])
def test_a_damaged_cache_is_said_or_made_anew(
    repo: GitRepo, capfd: Capture, monkeypatch: pytest.MonkeyPatch, which: str, command: str, damage: Any
) -> None:
    stepped(repo, DAYS[:1])
    for number in range(6):
        body = "".join(f"def f{one}(a):\n    return a * {number * one}\n\n" for one in range(90))
        repo.commit({"shop/price.py": body}, f"Step {number}")
    monkeypatch.setattr(replaying, "MAX_AT_ONCE", 0)
    _, whole = said(capfd, "backtest", "--repo", str(repo.path))
    known = judged(capfd, repo.path)[1]
    assert known is not None
    found = sorted(cache_folder().glob(f"facts-{which}-*"))
    assert found
    for file in found:
        file.write_bytes(damage(file.read_bytes()))
    if command == "check":
        code, place, _ = judged(capfd, repo.path)
        assert code in (0, 3)
        assert place is not None
        assert place == known or place["missing"] or re.search("gate learn|made anew", place["remedy"])
    elif command == "incident":
        cause = ["--caused-by", "HEAD", "--severity", "1", "--date", "2023-01-01"]
        assert said(capfd, "incident", "add", "A", *cause, "--repo", str(repo.path))[0] == 0
    else:
        code, words = said(capfd, command, "--repo", str(repo.path))
        assert code == 0 or (code == 4 and "run it again: the file is made anew" in words)
        assert said(capfd, "backtest", "--repo", str(repo.path)) == (0, whole), "the same answer as before"
