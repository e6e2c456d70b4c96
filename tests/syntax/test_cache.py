"""Facts on disk: kept, found again, and never in the way."""

import os
import sqlite3
import stat
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from gatecli.syntax import cache as module
from gatecli.syntax.cache import FactCache, Kept

KEY = ("0" * 40, "shop/a.py")


def test_what_is_kept_is_found_by_the_next_run(tmp_path: Path):
    first = FactCache(tmp_path)
    first.keep({KEY: Kept(b"words", None)})
    first.keep({KEY: Kept(None, b"names")})
    first.close()
    second = FactCache(tmp_path)
    assert second.words([KEY, ("1" * 40, "b.py")]) == {KEY: b"words"}
    assert second.names(KEY) == b"names"
    assert second.names(("0" * 40, "shop/b.py")) is None
    assert second.info().files == 1
    assert second.info().size > 0


@pytest.mark.parametrize("content", [b"", b"not a database" * 90, b"SQLite format 3\0" + b"\xff" * 4_096])
def test_a_damaged_file_is_made_anew(tmp_path: Path, content: bytes):
    damaged = FactCache(tmp_path)
    damaged.path.write_bytes(content)
    damaged.keep({KEY: Kept(b"words", None)})
    assert damaged.words([KEY]) in ({}, {KEY: b"words"})
    damaged.close()
    again = FactCache(tmp_path)
    again.keep({KEY: Kept(b"words", None)})
    assert again.words([KEY]) == {KEY: b"words"}


def test_a_file_of_another_shape_is_made_anew(tmp_path: Path):
    path = FactCache(tmp_path).path
    with sqlite3.connect(path) as other:
        other.execute("create table facts (a)")
    other.close()
    FactCache(tmp_path).keep({KEY: Kept(b"w", None)})
    assert FactCache(tmp_path).words([KEY]) == {}


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a folder that the user may not write to")
def test_a_folder_that_cannot_be_written_keeps_nothing(tmp_path: Path):
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    cache = FactCache(tmp_path / "inner")
    cache.keep({KEY: Kept(b"words", None)})
    assert cache.words([KEY]) == {}


def test_a_file_where_the_folder_should_be(tmp_path: Path):
    (tmp_path / "gate").write_text("")
    cache = FactCache(tmp_path / "gate")
    cache.keep({KEY: Kept(b"words", None)})
    assert (cache.words([KEY]), cache.names(KEY), cache.info().files) == ({}, None, 0)


def write_many(folder: Path, number: int) -> int:
    cache = FactCache(folder)
    for part in range(20):
        cache.keep({(f"{number:040}", f"{part}-{i}.py"): Kept(b"words" * 50, b"names") for i in range(20)})
    cache.close()
    return number


def test_runs_at_the_same_time_do_not_hurt_each_other(tmp_path: Path):
    with ProcessPoolExecutor(4) as pool:
        assert sorted(pool.map(write_many, [tmp_path] * 4, range(4))) == [0, 1, 2, 3]
    cache = FactCache(tmp_path)
    assert cache.info().files == 4 * 400
    assert len(cache.words([("0" * 39 + "2", f"{part}-{i}.py") for part in range(20) for i in range(20)])) == 400


def test_a_large_file_forgets_what_was_not_used_for_longest(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(module, "MAX_BYTES", 200_000)
    cache = FactCache(tmp_path)
    monkeypatch.setattr(module.time, "time", lambda: 100 * 86_400.0)
    cache.keep({(f"{i:040}", "a.py"): Kept(b"w" * 1_000, None) for i in range(100)})
    monkeypatch.setattr(module.time, "time", lambda: 101 * 86_400.0)
    cache.keep({(f"{i:040}", "a.py"): Kept(b"w" * 1_000, None) for i in range(50, 150)})
    assert cache.words([(f"{0:040}", "a.py")]) == {}
    assert cache.words([(f"{149:040}", "a.py")])
    assert cache.info().files <= 100


def test_clearing_frees_every_version(tmp_path: Path):
    cache = FactCache(tmp_path)
    cache.keep({KEY: Kept(b"words", None)})
    (tmp_path / "facts-0-old.sqlite").write_bytes(b"old")
    (tmp_path / "other.txt").write_text("not gate's")
    assert cache.clear() > 3
    assert [path.name for path in tmp_path.iterdir()] == ["other.txt"]
    assert cache.info().files == 0
