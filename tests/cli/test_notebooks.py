"""``gate check`` and ``gate context`` on a repository with a notebook."""

import json

import pytest

from gatecli.cli.main import run
from tests.conftest import GitRepo
from tests.syntax.notebooks import cell, notebook

MODEL = "import time\n\nasync def predict(rows):\n    return sum(rows)"
SLOW = MODEL.replace("    return", "    time.sleep(1)\n    return")


@pytest.fixture
def lab(repo: GitRepo, monkeypatch: pytest.MonkeyPatch) -> GitRepo:
    """A repository with a notebook on main and a module that shares a name with it, and the process inside it."""
    model = notebook(cell("# Model", "markdown"), "%matplotlib inline", MODEL, "await predict([1])")
    repo.commit({"lab/model.ipynb": model, "lab/use.py": "from lab.model import predict\n\ndef use(): predict([])\n"})
    repo.git("checkout", "-q", "-b", "topic")
    monkeypatch.chdir(repo.path)
    return repo


def report(lab: GitRepo, capfd: pytest.CaptureFixture[str]) -> dict:
    """What ``gate check`` says of the branch."""
    run(["check", "main", "--report", "json"])
    return json.loads(capfd.readouterr().out)


def test_an_edit_in_a_cell_is_judged_by_function(lab: GitRepo, capfd: pytest.CaptureFixture[str]) -> None:
    after = notebook(cell("# Model", "markdown"), "%matplotlib inline", SLOW, "await predict([1])")
    lab.commit({"lab/model.ipynb": after})
    found = report(lab, capfd)
    (function,) = found["functions"]
    line = after.split("\n").index('    "    time.sleep(1)\\n",') + 1
    assert (function["path"], function["qualname"], function["kind"]) == ("lab/model.ipynb", "predict", "edited")
    assert function["changed_lines"] == [line]
    assert [(one["path"], one["line"]) for one in found["findings"]] == [("lab/model.ipynb", line)]
    assert found["verdict"]["decision"] == "review"


def test_new_outputs_are_no_change_of_a_function(lab: GitRepo, capfd: pytest.CaptureFixture[str]) -> None:
    ran = cell(MODEL, execution_count=4, outputs=[{"output_type": "stream", "name": "stdout", "text": ["1\n"]}])
    lab.commit({"lab/model.ipynb": notebook("%matplotlib inline", ran, "await predict([1])")})
    assert report(lab, capfd)["functions"] == []


def test_what_is_no_notebook_asks_for_review(lab: GitRepo, capfd: pytest.CaptureFixture[str]) -> None:
    lab.commit({"lab/model.ipynb": "<<<<<<< HEAD\n{}\n"})
    assert run(["check", "main"]) == 3
    assert "the notebook is not JSON" in capfd.readouterr().out


def test_code_on_a_shared_line_asks_for_review(lab: GitRepo, capfd: pytest.CaptureFixture[str]) -> None:
    lab.commit({"lab/new.ipynb": notebook(MODEL, indent=None)})
    assert run(["check", "main"]) == 3
    assert "does not parse" in capfd.readouterr().out


def test_the_context_of_a_function_in_a_notebook(lab: GitRepo, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["context", "lab/model.ipynb::predict"]) == 0
    assert "predict" in capfd.readouterr().out
