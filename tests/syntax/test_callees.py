"""What a function calls for certain."""

import pytest

from gatecli.model import FunctionId
from gatecli.syntax.callees import callees
from tests.syntax.trees import MemoryTree

OTHER = "class Store:\n    def save(self): ...\n\n\nclass Bare: ...\n\n\ndef load(): ...\n"
BASE = (
    "class Base:\n    def shared(self): ...\n\n\nclass Second:\n    def twice(self): ...\n\n    def shared(self): ...\n"
)


def called(code: str, caller: str) -> list[str]:
    tree = MemoryTree({"pkg/a.py": code, "pkg/other.py": OTHER, "pkg/base.py": BASE, "pkg/__init__.py": ""})
    found = callees(tree, "pkg/a.py").get(FunctionId(path="pkg/a.py", qualname=caller), ())
    return [str(id).removeprefix("pkg/") for id in found]


@pytest.mark.parametrize(
    ("code", "caller", "expected"),
    [
        ("def f():\n    g()\n    h()\n    g()\n\ndef g(): ...\ndef h(): ...\n", "f", ["a.py::g", "a.py::h"]),
        ("def f():\n    f()\n", "f", []),
        ("def f(g):\n    g()\n\ndef g(): ...\n", "f", []),  # the parameter, not the function
        ("from pkg.other import load as l\n\ndef f():\n    l()\n", "f", ["other.py::load"]),
        ("from pkg import other\n\ndef f():\n    other.load()\n    other.nothing()\n", "f", ["other.py::load"]),
        ("from pkg.other import Store\n\ndef f():\n    Store.save()\n    Store()\n",
         "f", ["other.py::Store.save", "other.py::Store"]),
        ("class C:\n    def __init__(self): ...\n\ndef f():\n    C()\n", "f", ["a.py::C.__init__"]),
        ("class C:\n    def f(self):\n        self.g()\n        self.no()\n\n    def g(self): ...\n",
         "C.f", ["a.py::C.g"]),
        ("from pkg.base import Base\n\nclass C(Base):\n    def f(self):\n        self.shared()\n",
         "C.f", ["base.py::Base.shared"]),
        ("from pkg.base import Base, Second\n\nclass C(Base, Second):\n    def f(self):\n        self.shared()\n",
         "C.f", ["base.py::Base.shared"]),
        ("def f():\n    def g(): ...\n    g()\n", "f", ["a.py::f.g"]),
        ("def f():\n    def g():\n        h()\n    def h(): ...\n", "f.g", ["a.py::f.h"]),
        # a method is no name in the bodies of the others
        ("class C:\n    def f(self):\n        g()\n\n    def g(self): ...\n", "C.f", []),
        ("def f(order):\n    order.save()\n    print(1)\n    x[0]()\n    f2()()\n", "f", []),
        ("def f(:\n", "f", []),
    ],
)  # fmt: skip
def test_calls(code: str, caller: str, expected: list[str]) -> None:
    assert called(code, caller) == expected


def test_no_such_file() -> None:
    assert callees(MemoryTree({}), "a.py") == {}
