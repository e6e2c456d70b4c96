import os

import pytest

from gatecli.errors import UsageError
from gatecli.sources import trees
from gatecli.sources.git import Repository
from gatecli.sources.trees import DirectoryTree, EmptyTree, read_file

FILES = {
    "shop/prices.py": "def price():\n    return 1\n",
    "shop/orders.pyi": "def order(): price()\n",
    "shop/other.py": "prices = my_price = 1\n",
    "notes.txt": "price",
    "shop/ünï.py": "price = 1\n",
}
WITH_PRICE = ["shop/orders.pyi", "shop/prices.py", "shop/ünï.py"]


@pytest.fixture(params=["commit", "worktree", "directory"])
def tree(request, repo):
    repo.commit(FILES)
    (repo.path / "link.py").symlink_to("shop/prices.py")
    if request.param == "commit":
        repo.commit()
        return Repository.open(repo.path).tree("HEAD")
    return Repository.open(repo.path).tree(None) if request.param == "worktree" else DirectoryTree(repo.path)


def test_every_tree_answers_alike(tree):
    assert set(FILES) <= set(tree.paths())
    assert {path: tree.read(path).decode() for path in FILES} == FILES
    assert sorted(path for path, _ in tree.grep(["price"])) == WITH_PRICE
    assert dict(tree.grep(["price"]))["shop/prices.py"] == FILES["shop/prices.py"].encode()
    assert sorted(path for path, _ in tree.grep(["order", "prices"])) == ["shop/orders.pyi", "shop/other.py"]
    assert list(tree.grep([])) == list(tree.grep(["nothing_is_called_this"])) == []


def test_a_word_is_no_pattern(tree):
    assert list(tree.grep(["pri.e", "p*", ".", "-e", "--help"])) == []


@pytest.mark.parametrize(
    "path",
    [
        "nowhere.py",
        "shop",
        "",
        ".",
        "../secret.py",
        "/etc/passwd",
        "shop/../../secret.py",
        "a\0b",
        "link.py",
        "x" * 5000,
    ],
)
def test_nothing_is_read_outside_the_tree(tree, repo, path):
    (repo.path.parent / "secret.py").write_text("password = 1\n")
    assert tree.read(path) is None


def test_the_working_tree_has_untracked_files_and_not_the_ignored(repo):
    repo.commit({"a.py": "x = price\n", ".gitignore": "ignored.py\n"})
    repo.write("new.py", "price\n")
    repo.write("ignored.py", "price\n")
    repo.write("gone.py", "price\n")
    repo.git("add", "gone.py")
    (repo.path / "gone.py").unlink()
    tree = Repository.open(repo.path).tree(None)
    assert {"a.py", "new.py"} <= set(tree.paths())
    assert "ignored.py" not in tree.paths()
    assert tree.read("gone.py") is None
    assert [path for path, _ in tree.grep(["price"])] == ["a.py", "new.py"]


def test_a_commit_does_not_see_the_working_tree(repo):
    repo.commit({"a.py": "x = 1\n"})
    repo.write("a.py", "x = 2\n")
    repo.write("b.py", "y = 1\n")
    tree = Repository.open(repo.path).tree("HEAD")
    assert (list(tree.paths()), tree.read("a.py")) == (["a.py"], b"x = 1\n")


def test_a_linked_folder_leads_nowhere(repo, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.py").write_text("price\n")
    repo.commit({"a.py": "x = 1\n"})
    (repo.path / "inside").symlink_to(tmp_path / "outside")
    assert read_file(repo.path, "inside/secret.py") is None
    assert DirectoryTree(repo.path).read("inside/secret.py") is None
    assert list(DirectoryTree(repo.path).grep(["price"])) == []


def test_pipes_and_large_files_are_not_read(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "big.py").write_text("x" * 100)
    monkeypatch.setattr(trees, "MAX_FILE_BYTES", 99)
    assert (read_file(tmp_path, "pipe.py"), read_file(tmp_path, "big.py")) == (None, None)


def test_a_folder_with_too_many_files_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(trees, "MAX_FILES", 2)
    for number in range(3):
        (tmp_path / f"{number}.py").touch()
    with pytest.raises(UsageError, match="more than 2 files"):
        list(DirectoryTree(tmp_path).paths())


def test_tool_folders_are_left_out(tmp_path):
    for path in (".git/a.py", "node_modules/b.py", "shop/__pycache__/c.py", "shop/d.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    assert list(DirectoryTree(tmp_path).paths()) == ["shop/d.py"]


def test_the_empty_tree_holds_nothing():
    assert (list(EmptyTree().paths()), EmptyTree().read("a.py"), list(EmptyTree().grep(["x"]))) == ([], None, [])
