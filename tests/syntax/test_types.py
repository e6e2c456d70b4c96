"""The optional type checker: what it decides, and that nothing fails without it."""

import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from gatecli.model import Definition, FunctionId
from gatecli.syntax import types
from gatecli.syntax.calls import target_of, uses_in
from gatecli.syntax.imports import Project
from gatecli.syntax.inference.engine import Inference
from gatecli.syntax.inference.program import Program
from gatecli.syntax.types import TypeServer
from tests.syntax.trees import MemoryTree

FILES = {
    "shop/orders.py": (
        "class Order:\n    def save(self):\n        pass\n\n\nclass Draft(Order):\n    def save(self):\n        pass\n"
    ),
    "shop/other.py": "class Other:\n    def save(self):\n        pass\n",
    "app.py": "def f(order, other):\n    order.save()\n",
}
SAVE = FunctionId(path="shop/orders.py", qualname="Order.save")
DRAFT = FunctionId(path="shop/orders.py", qualname="Draft.save")


@pytest.mark.parametrize(
    ("target", "answer", "expected"),
    [
        (SAVE, (Definition("shop/orders.py", 2),), ["certain"]),
        (SAVE, (Definition("shop/other.py", 2),), []),
        (SAVE, (), ["possible"]),  # it does not know
        (SAVE, None, ["possible"]),  # it was not asked
        (DRAFT, (Definition("shop/orders.py", 2),), ["possible"]),  # the base method, which Draft overrides
        (SAVE, (Definition("shop/orders.py", 2), Definition("shop/other.py", 2)), ["certain"]),  # a union
    ],
)
def test_an_opinion_decides_what_the_text_leaves_open(target, answer, expected):
    tree = MemoryTree(FILES)
    project = Project(tree)
    wanted = target_of(target, project.kind(target))
    found = uses_in(Inference(Program(tree, project)), "app.py", {"save": [wanted]}, lambda path, source, at: answer)
    assert [use.certainty.value for use in found] == expected


def test_what_the_text_decides_is_not_asked():
    tree = MemoryTree({**FILES, "app.py": "from shop.orders import Order\n\nOrder().save()\n"})
    project = Project(tree)

    def refuse(path, source, at):
        raise AssertionError

    wanted = target_of(SAVE, project.kind(SAVE))
    found = list(uses_in(Inference(Program(tree, project)), "app.py", {"save": [wanted]}, refuse))
    assert [use.certainty.value for use in found] == ["certain"]


@pytest.mark.parametrize(
    "script",
    [
        "",  # ends at once
        "import time; time.sleep(60)",  # never answers
        "print('Content-Length: 5\\r\\n\\r\\nhello', flush=True)",  # no JSON
        "print('Content-Length: 999999999\\r\\n\\r\\n', flush=True)",
        "print('Content-Length: 2\\r\\n\\r\\n[]', flush=True)",
        "raise SystemExit(3)",
    ],
)
def test_a_checker_that_fails_is_asked_no_more(tmp_path: Path, monkeypatch, script):
    monkeypatch.setattr(types, "TIMEOUT_S", 0.5)
    program = tmp_path / "ty"
    program.write_text(f"#!{sys.executable}\n{script}\n")
    program.chmod(0o755)
    with TypeServer(lambda: str(program), lambda: nullcontext(tmp_path)) as server:
        assert server.definitions("a.py", b"x.y()\n", 2) is None
        assert (server.has_failed, server.name) == (True, None)
        assert server.problem == f"{types.NAME} gave no answer (it has 0.5 s)"
        assert server.definitions("a.py", b"x.y()\n", 2) is None


def test_where_none_is_installed_nothing_is_asked(tmp_path: Path):
    with TypeServer(lambda: None, lambda: nullcontext(tmp_path)) as server:
        assert server.definitions("a.py", b"x.y()\n", 2) is None
        assert (server.name, server.problem) == (None, None)


def test_a_program_that_cannot_be_started(tmp_path: Path):
    with TypeServer(lambda: str(tmp_path / "none"), lambda: nullcontext(tmp_path)) as server:
        assert server.definitions("a.py", b"x.y()\n", 2) is None


@pytest.mark.skipif(types.program() is None, reason=f"{types.NAME} is not installed: pip install gatecli[types]")
def test_the_real_checker(tmp_path: Path):
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    (tmp_path / "shop/__init__.py").touch()
    source = "from shop.orders import Order\n\ndef é(order: Order | None):\n    '𝄞'; order.save()\n"
    (tmp_path / "app.py").write_text(source)
    encoded = source.encode()
    with TypeServer(types.program, lambda: nullcontext(tmp_path)) as server:
        assert server.definitions("app.py", encoded, encoded.index(b"save")) == (Definition("shop/orders.py", 2),)
        assert server.definitions("app.py", encoded, encoded.index(b"def")) == ()
        assert server.name == types.NAME
