import pytest

from gatecli.model import FunctionId, FunctionKind
from gatecli.syntax.imports import Imported, Project, names_of
from gatecli.syntax.python import read_module
from tests.syntax.trees import MemoryTree


def names(source: str, path: str = "shop/orders/api.py"):
    return names_of(read_module(path, source.encode()))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import os", {"os": Imported("os")}),
        ("import a.b.c", {"a": Imported("a")}),
        ("import a.b.c as d", {"d": Imported("a.b.c")}),
        ("import a, b as c", {"a": Imported("a"), "c": Imported("b")}),
        ("from a.b import c", {"c": Imported("a.b", "c")}),
        ("from a import b as c, d", {"c": Imported("a", "b"), "d": Imported("a", "d")}),
        ("from a import (\n    b,\n    c,\n)", {"b": Imported("a", "b"), "c": Imported("a", "c")}),
        ("from . import prices", {"prices": Imported("shop.orders", "prices")}),
        ("from .prices import total", {"total": Imported("shop.orders.prices", "total")}),
        ("from .. import models", {"models": Imported("shop", "models")}),
        ("from ..models.tax import rate as r", {"r": Imported("shop.models.tax", "rate")}),
        ("from a import *", {"*a": Imported("a")}),
        ("from .a import *", {"*shop.orders.a": Imported("shop.orders.a")}),
        ("if x:\n    import os\ndef f():\n    from a import b", {"os": Imported("os"), "b": Imported("a", "b")}),
        ("try:\n    import a\nexcept ImportError:\n    a = None", {"a": Imported("a")}),
        ("from __future__ import annotations", {}),
        ("from ..... import far", {"far": Imported("", "far")}),
    ],
)
def test_what_imports_bind(source, expected):
    found = dict(names(source).imports)
    assert {name: imported for name, imported in found.items() if imported.module != "__future__"} == expected


def test_relative_imports_of_a_package_and_of_the_top():
    assert names("from . import a", "shop/__init__.py").imports == {"a": Imported("shop", "a")}
    assert names("from .a import b", "top.py").imports == {"b": Imported("a", "b")}


def test_definitions_and_bases():
    found = names("class A(Base, mod.Other, Generic[T], metaclass=M):\n    def f(self): pass\n\ng = lambda: 1\n")
    assert found.kinds == {
        "<module>": FunctionKind.MODULE,
        "A": FunctionKind.CLASS_BODY,
        "A.f": FunctionKind.METHOD,
        "g": FunctionKind.LAMBDA,
    }
    assert found.bases == {"A": ("Base", "mod.Other", "Generic")}


FILES = {
    "src/shop/__init__.py": "from shop.prices import price as list_price\nfrom .orders import *\n",
    "src/shop/prices.py": "def price(n):\n    return n\n\nclass Base:\n    def save(self):\n        pass\n",
    "src/shop/orders.py": "def order(): pass\n\nclass Order(Base): pass\nfrom shop.prices import Base\n",
    "src/shop/deep/one.py": "from .two import x\n",
    "src/shop/deep/two.py": "from .one import x\n",
    "src/shop/prices/far.py": "",
    "lib/prices.py": "def price(): pass\n",
    "broken.py": "\0",
}


@pytest.fixture
def project():
    return Project(MemoryTree(FILES))


@pytest.mark.parametrize(
    ("dotted", "path"),
    [
        ("shop", "src/shop/__init__.py"),
        ("shop.prices", "src/shop/prices.py"),
        ("prices", "lib/prices.py"),
        ("lib.prices", "lib/prices.py"),
        ("other.prices", None),
        ("os", None),
        ("", None),
        ("src.shop.orders", "src/shop/orders.py"),
    ],
)
def test_the_file_of_a_module(project, dotted, path):
    assert project.path_of(dotted, "src/shop/orders.py") == path


@pytest.mark.parametrize(
    ("source", "expression", "expected"),
    [
        ("from shop.prices import price", "price", "src/shop/prices.py::price"),
        ("from shop import list_price", "list_price", "src/shop/prices.py::price"),
        ("from shop import order", "order", "src/shop/orders.py::order"),
        ("from shop import list_price as lp", "lp", "src/shop/prices.py::price"),
        ("import shop.prices", "shop.prices.price", "src/shop/prices.py::price"),
        ("import shop.prices as sp", "sp.price", "src/shop/prices.py::price"),
        ("from shop import prices", "prices.price", "src/shop/prices.py::price"),
        ("from shop.prices import *", "price", "src/shop/prices.py::price"),
        ("from shop.prices import Base", "Base", "src/shop/prices.py::Base"),
        ("from shop.prices import Base", "Base.save", "src/shop/prices.py::Base.save"),
        ("from shop.deep.one import x", "x", None),
        ("from shop.prices import *\nfrom shop.orders import *", "price", "src/shop/prices.py::price"),
        ("from shop.orders import *\nfrom shop.prices import *", "order", "src/shop/orders.py::order"),
        ("from lib.prices import *\nfrom shop.prices import *", "price", "src/shop/prices.py::price"),
        ("from shop.prices import *\nfrom lib.prices import *", "price", "lib/prices.py::price"),
        ("from os import path", "path", None),
        ("", "price", None),
        ("def price(): pass\nfrom shop.prices import price", "price", "app.py::price"),
    ],
)
def test_what_an_expression_stands_for(project, source, expression, expected):
    found = project.expression(names(source, "app.py"), expression)
    assert (str(found) if found else None) == expected


def test_base_classes_are_followed_through_imports(project):
    order = FunctionId(path="src/shop/orders.py", qualname="Order")
    assert project.ancestors(order) == {FunctionId(path="src/shop/prices.py", qualname="Base")}


def test_circular_base_classes_end():
    tree = MemoryTree({"a.py": "from b import B\nclass A(B): pass\n", "b.py": "from a import A\nclass B(A): pass\n"})
    a, b = FunctionId(path="a.py", qualname="A"), FunctionId(path="b.py", qualname="B")
    assert Project(tree).ancestors(a) == {a, b}


def test_files_that_cannot_be_parsed_have_no_names(project):
    assert (project.names("broken.py"), project.names("nowhere.py")) == (None, None)


def test_only_what_a_question_leads_to_is_read():
    tree = MemoryTree(FILES)
    Project(tree).expression(names("from shop.prices import price", "app.py"), "price")
    assert set(tree.asked) == {"src/shop/prices.py"}
