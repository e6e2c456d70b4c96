"""A tree with a memory answers as the tree itself."""

from contextlib import closing
from pathlib import Path

import pytest

from gatecli.model import Tree
from gatecli.sources.git import Repository
from gatecli.syntax import indexed as module
from gatecli.syntax.building import build
from gatecli.syntax.cache import FactCache
from gatecli.syntax.imports import Names
from gatecli.syntax.indexed import IndexedTree
from tests.conftest import GitRepo

FILES = {
    "shop/__init__.py": "",
    "shop/a.py": "from .b import price\n\ndef f():\n    price()\n",
    "shop/b.py": "def price(): ...\nclass Ä: ...\n",
    "shop/c.pyi": "def price() -> int: ...\n",
    "shop/d.txt": "price",
    "shop/e.py": "préprice = 1; price_ = 2\n",
    "shop/bad.py": b"price \xff\0",
    "über.py": "import shop.a\nprice\n",
}


@pytest.fixture
def tree(repo: GitRepo):
    repo.commit(dict(FILES), "first")
    return Repository.open(repo.path).tree(repo.head())


def searched(tree, *words: str) -> list[str]:
    return [path for path, _ in tree.grep(words)]


def built(tree: Tree, folder: Path) -> list[tuple[int, int]]:
    with FactCache(folder) as cache:
        return [*build(tree, cache)]


def names_of(tree: Tree, folder: Path, path: str) -> Names | None:
    with closing(IndexedTree(tree, FactCache(folder))) as indexed:
        return indexed.names(path)


QUESTIONS = [("price",), ("f", "Ä"), ("price", "nothing"), ("nothing",), (), ("price_",), ("not a word",)]


@pytest.mark.parametrize("first", [True, False])
def test_searches_find_the_same_cold_and_warm(tree, tmp_path: Path, first):
    expected = [sorted(searched(tree, *words)) for words in QUESTIONS]
    for _ in range(2):  # cold, then from the file
        indexed = IndexedTree(tree, FactCache(tmp_path))
        for words, paths in zip(QUESTIONS, expected, strict=True):
            assert sorted(searched(indexed, *words)) == paths
            assert all(content == tree.read(path) for path, content in indexed.grep(words))
        indexed.close()


def test_a_known_file_is_not_read_to_be_searched(tree, tmp_path: Path, monkeypatch):
    assert built(tree, tmp_path)[-1] == (7, 7)
    with closing(IndexedTree(tree, FactCache(tmp_path))) as indexed:
        asked: list[str] = []
        read_all = tree.read_all
        monkeypatch.setattr(tree, "read_all", lambda paths: (asked.extend(paths), read_all(paths))[1])
        assert searched(indexed, "f") == ["shop/a.py"]
        assert asked == ["shop/a.py"]


def test_names_are_kept_and_damage_is_repaired(tree, tmp_path: Path, monkeypatch):
    indexed = IndexedTree(tree, FactCache(tmp_path))
    names = indexed.names("shop/a.py")
    assert names is not None
    assert names.imports["price"].module == "shop.b"
    assert indexed.names("shop/bad.py") is None
    assert indexed.names("none.py") is None
    indexed.close()
    monkeypatch.setattr(tree, "read", lambda path: pytest.fail(f"read {path}"))
    assert names_of(tree, tmp_path, "shop/a.py") == names
    assert names_of(tree, tmp_path, "shop/bad.py") is None


def test_the_index_is_whole_after_it_was_built_with_several_processes(tree, tmp_path: Path, monkeypatch):
    monkeypatch.setattr("gatecli.syntax.building.MIN_FILES_TO_SHARE", 1)
    steps = built(tree, tmp_path)
    assert (steps[0], steps[-1]) == ((0, 7), (7, 7))
    assert built(tree, tmp_path) == [(0, 7)]


def test_what_is_remembered_is_bounded(tree, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(module, "MAX_REMEMBERED_BYTES", 30)
    with closing(IndexedTree(tree, FactCache(tmp_path))) as indexed:
        assert sorted(searched(indexed, "price")) == sorted(searched(tree, "price"))
        assert sorted(searched(indexed, "price")) == sorted(searched(tree, "price"))
        assert indexed.read("shop/a.py") == FILES["shop/a.py"].encode()


def test_changed_files_of_a_working_tree_are_read(repo: GitRepo, tmp_path: Path):
    repo.commit(dict(FILES), "first")
    tree = Repository.open(repo.path).tree(None)
    assert built(tree, tmp_path / "cache")[-1] == (7, 7)
    (repo.path / "shop/a.py").write_text("other = 1\n")
    (repo.path / "new.py").write_text("price()\n")
    changed = Repository.open(repo.path).tree(None)
    assert "shop/a.py" not in changed.ids()
    with closing(IndexedTree(changed, FactCache(tmp_path / "cache"))) as indexed:
        assert searched(indexed, "other") == ["shop/a.py"]
        assert "new.py" in searched(indexed, "price")
        assert "shop/a.py" not in searched(indexed, "price")
