"""What a program calls, construct by construct: each case is a small program and all edges between its functions."""

# ruff: noqa: E501 - a small program a line reads better than a wrapped one

import pytest

from gatecli.model import FunctionId
from gatecli.syntax.edges import edges_of
from gatecli.syntax.imports import Project
from gatecli.syntax.inference.engine import Inference
from gatecli.syntax.inference.program import Program
from tests.syntax.trees import MemoryTree


def edges(*sources: str, **files: str) -> list[str]:
    """``caller > callee`` for each edge of ``a.py`` (the first source) and its ``b.py``; other libraries left out."""
    tree = MemoryTree({**dict(zip(("a.py", "b.py", "c.py"), sources, strict=False)), **files})
    program = Program(tree, Project(tree))
    inference = Inference(program)
    found: dict[str, None] = {}
    for path in sorted(tree.files):
        module = program.module(path)
        pending = [program.scope(function.id) for function in module.functions] if module is not None else []
        while pending:
            scope = pending.pop(0)
            assert scope is not None
            pending += scope.lambdas.values()
            for edge in edges_of(inference, scope):
                if isinstance(edge.callee, FunctionId):
                    found[f"{short(edge.caller)} > {short(edge.callee)}"] = None
    return list(found)


def short(id: FunctionId) -> str:
    return id.qualname if id.path == "a.py" else f"{id.path.removesuffix('.py')}:{id.qualname}"


CASES = {
    # assignments
    "alias": ("def f(): ...\ng = f\ng()\n", ["<module> > f"]),
    "last assignment counts": ("def f(): ...\ndef g(): ...\nh = f\nh = g\nh()\n", ["<module> > g"]),
    "a branch may have assigned": (
        "def f(): ...\ndef g(): ...\nh = f\nif x:\n    h = g\nh()\n",
        ["<module> > f", "<module> > g"],
    ),
    "both branches": (
        "def f(): ...\ndef g(): ...\nif x:\n    h = f\nelse:\n    h = g\nh()\n",
        ["<module> > f", "<module> > g"],
    ),
    "later in a loop is earlier in the next round": (
        "def f(): ...\ndef g(): ...\nh = f\nwhile x:\n    h()\n    h = g\n",
        ["<module> > f", "<module> > g"],
    ),
    "unpacking": ("def f(): ...\ndef g(): ...\na, *b, c = f, g, g, f\nb[0]()\nc()\n", ["<module> > g", "<module> > f"]),
    "walrus": ("def f(): ...\nif (g := f):\n    g()\n", ["<module> > f"]),
    "conditional expression": ("def f(): ...\ndef g(): ...\n(f if x else g)()\n", ["<module> > f", "<module> > g"]),
    "or": ("def f(): ...\ng = None or f\ng()\n", ["<module> > f"]),
    "global": ("def f(): ...\ng = None\ndef h():\n    global g\n    g = f\n    g()\n", ["h > f"]),
    # functions as values
    "passed": ("def f(): ...\ndef g(x):\n    x()\ng(f)\n", ["<module> > g", "g > f"]),
    "passed by name": ("def f(): ...\ndef g(*, x=None):\n    x()\ng(x=f)\n", ["<module> > g", "g > f"]),
    "default": ("def f(): ...\ndef g(x=f):\n    x()\ng()\n", ["<module> > g", "g > f"]),
    "args": ("def f(): ...\ndef g(*xs):\n    xs[1]()\ng(1, f)\n", ["<module> > g", "g > f"]),
    "kwargs": ("def f(): ...\ndef g(**xs):\n    xs['k']()\ng(k=f)\n", ["<module> > g", "g > f"]),
    "starred": ("def f(): ...\ndef g(x):\n    x()\ng(*[f])\n", ["<module> > g", "g > f"]),
    "returned": ("def f(): ...\ndef g():\n    return f\ng()()\n", ["<module> > g", "<module> > f"]),
    "closure": (
        "def f(): ...\ndef g(x):\n    def inner():\n        x()\n    return inner\ng(f)()\n",
        ["<module> > g", "<module> > g.inner", "g.inner > f"],
    ),
    "handed on twice": (
        "def f(): ...\ndef g(x):\n    h(x)\ndef h(y):\n    y()\ng(f)\n",
        ["<module> > g", "g > h", "h > f"],
    ),
    "lambda": ("def f(): ...\ng = lambda: f()\ng()\n", ["<module> > g", "g > f"]),
    "lambda as argument": (
        "def f(): ...\ndef g(x):\n    x()\ng(lambda: f())\n",
        ["<module> > g", "g > <lambda1>", "<lambda1> > f"],
    ),
    "identity keeps apart": (
        "def f(): ...\ndef g(): ...\ndef same(x):\n    return x\nsame(f)()\n",
        ["<module> > same", "<module> > f"],
    ),
    "partial": ("from functools import partial\ndef f(a): ...\ng = partial(f, 1)\ng()\n", ["<module> > f"]),
    "handed to another library": ("import pool\ndef f(): ...\npool.submit(f)\n", ["<module> > f"]),
    "map": ("def f(x): ...\nlist(map(f, [1]))\n", ["<module> > f"]),
    "sorted key": ("def f(x): ...\nsorted([1], key=f)\n", ["<module> > f"]),
    "getattr": ("class A:\n    def f(self): ...\ngetattr(A(), 'f')()\n", ["<module> > A.f", "<module> > A"]),
    # dispatch
    "dict": ("def f(): ...\ndef g(): ...\nT = {'a': f, 'b': g}\nT['a']()\n", ["<module> > f"]),
    "dict, any key": (
        "def f(): ...\ndef g(): ...\nT = {'a': f, 'b': g}\ndef h(k):\n    T[k]()\n",
        ["h > f", "h > g"],
    ),
    "dict get": ("def f(): ...\nT = {'a': f}\nT.get('a')()\n", ["<module> > f"]),
    "dict values": ("def f(): ...\nT = {'a': f}\nfor g in T.values():\n    g()\n", ["<module> > f"]),
    "dict items": ("def f(): ...\nT = {'a': f}\nfor k, g in T.items():\n    g()\n", ["<module> > f"]),
    "registered by a function": (
        "T = {}\ndef f(): ...\ndef register(g):\n    T['x'] = g\nregister(f)\ndef run():\n    T['x']()\n",
        ["<module> > register", "run > f"],
    ),
    "list": ("def f(): ...\ndef g(): ...\nL = [f, g]\nL[1]()\n", ["<module> > g"]),
    "list, each": ("def f(): ...\nL = [f]\nfor g in L:\n    g()\n", ["<module> > f"]),
    "appended": ("def f(): ...\nL = []\nL.append(f)\nfor g in L:\n    g()\n", ["<module> > f"]),
    "comprehension": ("def f(): ...\n[g() for g in [f]]\n", ["<module> > f"]),
    "zip": ("def f(): ...\nfor i, g in zip([1], [f]):\n    g()\n", ["<module> > f"]),
    # classes
    "method": (
        "class A:\n    def f(self):\n        self.g()\n    def g(self): ...\nA().f()\n",
        ["<module> > A", "<module> > A.f", "A.f > A.g"],
    ),
    "constructor": ("class A:\n    def __init__(self): ...\nA()\n", ["<module> > A.__init__"]),
    "inherited": (
        "class A:\n    def f(self): ...\nclass B(A): ...\nB().f()\n",
        ["<module> > B", "<module> > A.f"],
    ),
    "order of bases": (
        "class A:\n    def f(self): ...\nclass B(A): ...\nclass C(A):\n    def f(self): ...\nclass D(B, C): ...\nD().f()\n",
        ["<module> > D", "<module> > C.f"],
    ),
    "super": (
        "class A:\n    def f(self): ...\nclass B(A):\n    def f(self):\n        super().f()\n",
        ["B.f > A.f"],
    ),
    "super with arguments": (
        "class A:\n    def f(self): ...\nclass B(A):\n    def f(self):\n        super(B, self).f()\n",
        ["B.f > A.f"],
    ),
    "static": ("class A:\n    @staticmethod\n    def f(x): ...\nA.f(1)\n", ["<module> > A.f"]),
    "classmethod makes one": (
        "class A:\n    @classmethod\n    def make(cls):\n        return cls()\n    def f(self): ...\nA.make().f()\n",
        ["<module> > A.make", "<module> > A.f", "A.make > A"],
    ),
    "property": (
        "class A:\n    def f(self): ...\nclass B:\n    @property\n    def a(self):\n        return A()\nB().a.f()\n",
        ["<module> > B", "<module> > A.f", "B.a > A"],
    ),
    "stored on self": (
        "class A:\n    def f(self): ...\nclass B:\n    def __init__(self):\n        self.a = A()\n"
        "    def g(self):\n        self.a.f()\n",
        ["B.__init__ > A", "B.g > A.f"],
    ),
    "stored argument": (
        "class A:\n    def f(self): ...\nclass B:\n    def __init__(self, a):\n        self.a = a\n"
        "    def g(self):\n        self.a.f()\nB(A())\n",
        ["<module> > B.__init__", "<module> > A", "B.g > A.f"],
    ),
    "stored by a subclass": (
        "class A:\n    def f(self):\n        self.hook()\nclass B(A):\n    def __init__(self):\n        self.hook = self.g\n"
        "    def g(self): ...\n",
        ["A.f > B.g"],
    ),
    "dataclass field": (
        "from dataclasses import dataclass\nclass A:\n    def f(self): ...\n@dataclass\nclass B:\n    a: A\n"
        "    def g(self):\n        self.a.f()\n",
        ["B.g > A.f"],
    ),
    "optional field": (
        "from typing import Optional\nclass A:\n    def f(self): ...\nclass B:\n    a: Optional[A] = None\n"
        "    def g(self):\n        self.a.f()\n",
        ["B.g > A.f"],
    ),
    "called object": (
        "class A:\n    def __call__(self): ...\na = A()\na()\n",
        ["<module> > A", "<module> > A.__call__"],
    ),
    "bound method": ("class A:\n    def f(self): ...\ng = A().f\ng()\n", ["<module> > A", "<module> > A.f"]),
    "unbound method": ("class A:\n    def f(self): ...\nA.f(A())\n", ["<module> > A.f", "<module> > A"]),
    "method of a nested class": (
        "class A:\n    class B:\n        def f(self): ...\nA.B().f()\n",
        ["<module> > A.B", "<module> > A.B.f"],
    ),
    # annotations
    "annotated parameter": ("class A:\n    def f(self): ...\ndef g(a: A):\n    a.f()\n", ["g > A.f"]),
    "quoted": ("class A:\n    def f(self): ...\ndef g(a: 'A'):\n    a.f()\n", ["g > A.f"]),
    "or none": ("class A:\n    def f(self): ...\ndef g(a: A | None):\n    a.f()\n", ["g > A.f"]),
    "list of": ("class A:\n    def f(self): ...\ndef g(xs: list[A]):\n    for x in xs:\n        x.f()\n", ["g > A.f"]),
    "dict of": ("class A:\n    def f(self): ...\ndef g(xs: dict[str, A]):\n    xs['a'].f()\n", ["g > A.f"]),
    "returns": (
        "class A:\n    def f(self): ...\ndef g() -> A:\n    return load()\ng().f()\n",
        ["<module> > g", "<module> > A.f"],
    ),
    "class as parameter": (
        "class A:\n    def __init__(self): ...\ndef g(kind: type[A]):\n    kind()\n",
        ["g > A.__init__"],
    ),
    "isinstance": (
        "class A:\n    def f(self): ...\ndef g(x):\n    if isinstance(x, A):\n        x.f()\n    x.f()\n",
        ["g > A.f"],
    ),
    "match": (
        "class A:\n    def f(self): ...\ndef g(x):\n    match x:\n        case A():\n            x.f()\n",
        ["g > A.f"],
    ),
    # decorators
    "decorator": (
        "def d(f):\n    return f\n@d\ndef g(): ...\ng()\n",
        ["<module> > d", "<module> > g"],
    ),
    "wrapper": (
        "def d(f):\n    def w():\n        f()\n    return w\n@d\ndef g(): ...\ng()\n",
        ["<module> > d", "<module> > d.w", "d.w > g"],
    ),
    "wraps": (
        "import functools\ndef d(f):\n    @functools.wraps(f)\n    def w():\n        f()\n    return w\n@d\ndef g(): ...\n",
        ["<module> > d", "d.w > g"],
    ),
    "decorator with arguments": (
        "def d(n):\n    def inner(f):\n        return f\n    return inner\n@d(3)\ndef g(): ...\ng()\n",
        ["<module> > d", "<module> > d.inner", "<module> > g"],
    ),
    "decorator of another library": ("import x\n@x.y(1)\ndef g(): ...\ng()\n", ["<module> > g"]),
    # syntax that calls
    "for": (
        "class A:\n    def __iter__(self):\n        return self\n    def __next__(self): ...\nfor x in A():\n    pass\n",
        ["<module> > A", "<module> > A.__iter__", "<module> > A.__next__"],
    ),
    "with": (
        "class A:\n    def __enter__(self):\n        return self\n    def __exit__(self, *a): ...\n    def f(self): ...\n"
        "with A() as a:\n    a.f()\n",
        ["<module> > A", "<module> > A.f", "<module> > A.__enter__", "<module> > A.__exit__"],
    ),
    "context manager": (
        "from contextlib import contextmanager\nclass A:\n    def f(self): ...\n@contextmanager\ndef g():\n    yield A()\n"
        "with g() as a:\n    a.f()\n",
        ["<module> > g", "<module> > A.f", "g > A"],
    ),
    "raise": ("class E(Exception):\n    def __init__(self): ...\nraise E\n", ["<module> > E.__init__"]),
    "except as": (
        "class E(Exception):\n    def f(self): ...\ntry:\n    x()\nexcept E as e:\n    e.f()\n",
        ["<module> > E.f"],
    ),
    "generator": (
        "def f(): ...\ndef g():\n    yield f\nfor h in g():\n    h()\n",
        ["<module> > g", "<module> > f"],
    ),
    "await": ("async def f(): ...\nasync def g():\n    await f()\n", ["g > f"]),
    "f-string": ("def f(): ...\nx = f'{f()!r:>{f()}}'\n", ["<module> > f"]),
    "default of a parameter": ("def f(): ...\ndef g(x=f()): ...\n", ["<module> > f"]),
    "base class": ("def f(): ...\nclass A(f()): ...\n", ["<module> > f"]),
    "recursion": ("def f(n):\n    return f(n - 1)\n", ["f > f"]),
    # definitions
    "conditional definition": (
        "if x:\n    def f(): ...\nelse:\n    def f(): ...\nf()\n",
        ["<module> > f", "<module> > f#2"],
    ),
    "overloads": (
        "from typing import overload\n@overload\ndef f(a: int): ...\n@overload\ndef f(a: str): ...\ndef f(a): ...\nf(1)\n",
        ["<module> > f#3"],
    ),
    "nested functions": (
        "def f():\n    def g():\n        h()\n    def h(): ...\n    g()\n",
        ["f > f.g", "f.g > f.h"],
    ),
    "a method is no name in other methods": ("def g(): ...\nclass A:\n    def f(self):\n        g()\n    def g(self): ...\n",
                                             ["A.f > g"]),
    # what is not known stays unknown
    "unknown receiver": ("class A:\n    def f(self): ...\ndef g(x):\n    x.f()\n", []),
    "unknown module": ("import y\ndef f(): ...\ny.f()\n", []),
    "shadowed by a parameter": ("def f(): ...\ndef g(f):\n    f()\n", []),
    "text": ("def f(): ...\nx = 'f()'  # f()\n", []),
}  # fmt: skip


@pytest.mark.parametrize(("source", "expected"), CASES.values(), ids=CASES.keys())
def test_a_program(source: str, expected: list[str]) -> None:
    assert edges(source) == expected


IMPORTS = {
    "from": ("from b import f\nf()\n", "def f(): ...\n", ["<module> > b:f"]),
    "as": ("import b as q\nq.f()\n", "def f(): ...\n", ["<module> > b:f"]),
    "star": ("from b import *\nf()\n", "def f(): ...\n", ["<module> > b:f"]),
    "alias there": ("from b import g\ng()\n", "def f(): ...\ng = f\n", ["<module> > b:f"]),
    "conditional": (
        "try:\n    from b import f\nexcept ImportError:\n    def f(): ...\nf()\n", "def f(): ...\n",
        ["<module> > f", "<module> > b:f"],
    ),
    "inside a function": ("def g():\n    from b import f\n    f()\n", "def f(): ...\n", ["g > b:f"]),
    "object of another module": (
        "from b import a\na.f()\n", "class A:\n    def f(self): ...\na = A()\n",
        ["<module> > b:A.f", "b:<module> > b:A"],
    ),
    "argument from another module": (
        "from b import g\ndef f(): ...\ng(f)\n", "def g(x):\n    x()\n", ["<module> > b:g", "b:g > f"],
    ),
    "base class there": (
        "from b import A\nclass B(A):\n    def g(self):\n        self.f()\n", "class A:\n    def f(self): ...\n",
        ["B.g > b:A.f"],
    ),
    "only for types": (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from b import A\ndef g(a: 'A'):\n    a.f()\n",
        "class A:\n    def f(self): ...\n", ["g > b:A.f"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("one", "other", "expected"), IMPORTS.values(), ids=IMPORTS.keys())
def test_another_module(one: str, other: str, expected: list[str]) -> None:
    assert edges(one, other) == expected


def test_packages_and_relative_imports() -> None:
    files = {
        "a.py": "from shop import price, orders\nprice()\norders.total()\n",
        "shop/__init__.py": "from .prices import price\n",
        "shop/prices.py": "def price(): ...\n",
        "shop/orders.py": "from . import prices\nfrom .prices import price as p\n\ndef total():\n    prices.price()\n    p()\n",
    }
    assert edges(**files) == [
        "<module> > shop/prices:price",
        "<module> > shop/orders:total",
        "shop/orders:total > shop/prices:price",
    ]


@pytest.mark.parametrize(
    "source",
    [
        "def f(x):\n    return f(f(x))\nf(f)()\n",
        "def f(x):\n    return g(x)\ndef g(x):\n    return f(x)\nf(1)()\n",
        "x = y\ny = x\nx()\n",
        "class A(B): ...\nclass B(A): ...\nA().f()\n",
        "x = [lambda: x]\nx[0]()()()\n",
        "d = {}\nd['a'] = d\nd['a']['a']['a']()\n",
        "from a import f\nf()\n",
        "class A:\n    def __getattr__(self, n):\n        return getattr(self, n)\nA().x.y.z()\n",
        "def f(g):\n    return lambda h: f(h)(g)\nf(f)(f)(f)\n",
        "x = " + "(" * 300 + "f" + ")" * 300 + "()\n",
        "x = f" + "()" * 300 + "\n",
        "x = f" + ".a" * 2_000 + "()\n",
        "".join("    " * i + "if x:\n" for i in range(95)) + "    " * 95 + "f()\n",
        "".join(f"def f{i}(x):\n    return f{i + 1}(x)\n" for i in range(300)) + "f0(1)()\n",
        "def f(*a, **k):\n    return f(*a, **k)\nf(**{f: f}, *[f])\n",
        "def (:\nclass\n    f(\n",
    ],
)  # fmt: skip
def test_hostile_programs_end(source: str) -> None:
    edges(source)


def test_a_statement_within_an_unfinished_expression_is_no_expression() -> None:
    """Found by ``tests.bench.fuzz_functions``: the grammar puts a block of statements there."""
    assert edges("def f():\n    try:\n        c = ()\n    except(o+(f\"'{g+(f\"'{e[\n") == []
    assert edges("try:\n c=()\nexcept(o+(f\"'{g+(f\"'{e[") == []
