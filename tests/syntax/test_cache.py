"""Facts on disk: kept, found again, and never in the way."""

import os
import sqlite3
import stat
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from gatecli.syntax import cache as module
from gatecli.syntax.cache import FactCache, Kept
from gatecli.syntax.outlines import Outlines

KEY = ("0" * 40, "shop/a.py")


@pytest.fixture(autouse=True)
def connections(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[sqlite3.Connection]]:
    """Every connection that is made is closed by whoever made it, and not by the garbage collector.

    Python 3.13 and newer warn of one that is not; this fails on every version.
    """
    made: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def kept(*arguments: object, **more: object) -> sqlite3.Connection:
        made.append(connect(*arguments, **more))  # type: ignore[call-overload]
        return made[-1]

    monkeypatch.setattr(sqlite3, "connect", kept)
    yield made
    for connection in made:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.execute("select 1")


def test_what_is_kept_is_found_by_the_next_run(tmp_path: Path):
    with FactCache(tmp_path) as first:
        first.keep({KEY: Kept(b"words", None)})
        first.keep({KEY: Kept(None, b"names")})
    with FactCache(tmp_path) as second:
        assert second.words([KEY, ("1" * 40, "b.py")]) == {KEY: b"words"}
        assert second.names(KEY) == b"names"
        assert second.names(("0" * 40, "shop/b.py")) is None
        assert second.info().files == 1
        beside = tmp_path / "facts-past-1.sqlite"
        size = second.info().size
        beside.write_bytes(b"x" * 1_000)
        assert second.info().size == size + 1_000, "what is cleared is counted"


@pytest.mark.parametrize("content", [b"", b"not a database" * 90, b"SQLite format 3\0" + b"\xff" * 4_096])
def test_a_damaged_file_is_made_anew(tmp_path: Path, content: bytes):
    with FactCache(tmp_path) as damaged:
        damaged.path.write_bytes(content)
        damaged.keep({KEY: Kept(b"words", None)})
        assert damaged.words([KEY]) in ({}, {KEY: b"words"})
    with FactCache(tmp_path) as again:
        again.keep({KEY: Kept(b"words", None)})
        assert again.words([KEY]) == {KEY: b"words"}


@pytest.mark.parametrize("content", [b"not a database" * 90, b"SQLite format 3\0" + b"\xff" * 4_096])
def test_a_damaged_file_of_outlines_is_let_go_of(tmp_path: Path, content: bytes, connections: list[sqlite3.Connection]):
    with Outlines(tmp_path) as kept:
        pass
    kept.path.write_bytes(content)
    with Outlines(tmp_path) as again:
        assert again.missing(["b"]) == ["b"]
    assert len(connections) == 3, "the damaged one was opened, closed, and given up for one in memory"


def test_a_file_of_another_shape_is_made_anew(tmp_path: Path):
    path = FactCache(tmp_path).path
    with sqlite3.connect(path) as other:
        other.execute("create table facts (a)")
    other.close()
    with FactCache(tmp_path) as cache:
        cache.keep({KEY: Kept(b"w", None)})
    with FactCache(tmp_path) as again:
        assert again.words([KEY]) == {}


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a folder that the user may not write to")
def test_a_folder_that_cannot_be_written_keeps_nothing(tmp_path: Path):
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with FactCache(tmp_path / "inner") as cache:
        cache.keep({KEY: Kept(b"words", None)})
        assert cache.words([KEY]) == {}


def test_a_file_where_the_folder_should_be(tmp_path: Path):
    (tmp_path / "gate").write_text("")
    with FactCache(tmp_path / "gate") as cache:
        cache.keep({KEY: Kept(b"words", None)})
        assert (cache.words([KEY]), cache.names(KEY), cache.info().files) == ({}, None, 0)


def write_many(folder: Path, number: int) -> int:
    with FactCache(folder) as cache:
        for part in range(20):
            cache.keep({(f"{number:040}", f"{part}-{i}.py"): Kept(b"words" * 50, b"names") for i in range(20)})
    return number


def test_runs_at_the_same_time_do_not_hurt_each_other(tmp_path: Path):
    with ProcessPoolExecutor(4) as pool:
        assert sorted(pool.map(write_many, [tmp_path] * 4, range(4))) == [0, 1, 2, 3]
    with FactCache(tmp_path) as cache:
        assert cache.info().files == 4 * 400
        assert len(cache.words([("0" * 39 + "2", f"{part}-{i}.py") for part in range(20) for i in range(20)])) == 400


def test_a_large_file_forgets_what_was_not_used_for_longest(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(module, "MAX_BYTES", 200_000)
    with FactCache(tmp_path) as cache:
        monkeypatch.setattr(module.time, "time", lambda: 100 * 86_400.0)
        cache.keep({(f"{i:040}", "a.py"): Kept(b"w" * 1_000, None) for i in range(100)})
        monkeypatch.setattr(module.time, "time", lambda: 101 * 86_400.0)
        cache.keep({(f"{i:040}", "a.py"): Kept(b"w" * 1_000, None) for i in range(50, 150)})
        assert cache.words([(f"{0:040}", "a.py")]) == {}
        assert cache.words([(f"{149:040}", "a.py")])
        assert cache.info().files <= 100


def test_clearing_frees_every_version(tmp_path: Path):
    with FactCache(tmp_path) as cache:
        cache.keep({KEY: Kept(b"words", None)})
        (tmp_path / "facts-0-old.sqlite").write_bytes(b"old")
        (tmp_path / "other.txt").write_text("not gate's")
        assert cache.clear() > 3
        assert [path.name for path in tmp_path.iterdir()] == ["other.txt"]
        assert cache.info().files == 0
