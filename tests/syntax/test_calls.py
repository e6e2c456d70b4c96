import pytest

from gatecli.model import FunctionId
from gatecli.syntax.calls import target_of, uses_in
from gatecli.syntax.imports import Project
from gatecli.syntax.inference.engine import Inference
from gatecli.syntax.inference.program import Program
from tests.syntax.trees import MemoryTree

PRICES = """\
def price(n):
    return helper(n)

def helper(n):
    return n

@shared_task
def settle(n):
    pass

class Base:
    def __init__(self, n):
        self.save()
    def save(self):
        pass
    def __call__(self):
        pass

class Order(Base):
    def total(self):
        self.save()
        return super().save()

class Lazy(Base):
    def save(self):
        pass
    def go(self):
        self.save()
        super().save()

def outer():
    def inner():
        pass
    inner()
"""


def uses(target: str, source: str | None = None, path: str = "app.py", **files: str) -> list[str]:
    """``caller:line certainty`` of each use of a function of shop/prices.py in another file (or its own)."""
    tree = MemoryTree({"shop/prices.py": PRICES, "shop/__init__.py": "from .prices import price\n", **files})
    if source is not None:
        tree.files[path] = source.encode()
    else:
        path = "shop/prices.py"
    project = Project(tree)
    inference = Inference(Program(tree, project))
    id = FunctionId(path="shop/prices.py", qualname=target)
    kind = project.kind(id)
    assert kind is not None, target
    wanted = target_of(id, kind)
    assert wanted is not None
    return [
        f"{use.caller.qualname}:{use.line} {use.certainty.value}"
        for use in uses_in(inference, path, {wanted.name: [wanted]})
    ]


@pytest.mark.parametrize(
    ("target", "source", "expected"),
    [
        # names and imports
        ("price", "from shop.prices import price\ndef f():\n    price(1)\n", ["f:3 certain"]),
        ("price", "from shop.prices import price as p\ndef f():\n    p(1)\n", ["f:3 certain"]),
        ("price", "import shop.prices\ndef f():\n    shop.prices.price(1)\n", ["f:3 certain"]),
        ("price", "import shop.prices as sp\ndef f():\n    sp.price(1)\n", ["f:3 certain"]),
        ("price", "from shop import prices\ndef f():\n    prices.price(1)\n", ["f:3 certain"]),
        ("price", "from shop import price\ndef f():\n    price(1)\n", ["f:3 certain"]),
        ("price", "from shop.prices import *\ndef f():\n    price(1)\n", ["f:3 certain"]),
        ("price", "def f():\n    from shop.prices import price\n    price(1)\n", ["f:3 certain"]),
        ("price", "from shop.prices import price\nprice(1)\n", ["<module>:2 certain"]),
        ("price", "from shop.prices import price\nclass A:\n    x = price(1)\n", ["A:3 certain"]),
        ("price", "from shop.prices import price\ndef f():\n    return [price(i) for i in x]\n", ["f:3 certain"]),
        ("price", "from shop.prices import price\nasync def f():\n    await price(1)\n", ["f:3 certain"]),
        # what is not the function
        ("price", "def price(n):\n    pass\ndef f():\n    price(1)\n", []),
        ("price", "from other import price\ndef f():\n    price(1)\n", []),
        ("price", "def f():\n    price(1)\n", []),
        ("price", "from shop.prices import price\ndef f(price):\n    price(1)\n", []),
        ("price", "from shop.prices import price\ndef f():\n    g(price=1)\n", []),
        ("price", "from shop.prices import price\ndef f():\n    return 'price', x.price  # price\n", []),
        ("price", "from shop.prices import price\n", []),
        ("price", "from shop.prices import price\n__all__ = ['price']\n", []),
        # references that are no calls
        ("price", "from shop.prices import price\ndef f():\n    map(price, x)\n", ["f:3 certain"]),
        ("price", "from shop.prices import price\ndef f():\n    g(key=price)\n", ["f:3 certain"]),
        ("price", "from shop.prices import price\nTABLE = {'a': price}\n", ["<module>:2 certain"]),
        ("price", "from shop.prices import price\n@price\ndef f():\n    pass\n", ["f:2 certain"]),
        ("price", "from shop.prices import price\n@price(1)\ndef f():\n    pass\n", ["f:2 certain"]),
        ("price", "from shop.prices import price\nprices = price\n", ["<module>:2 certain"]),
        ("price", "from shop.prices import price\ndef f():\n    return price\n", ["f:3 certain"]),
        ("settle", "from shop.prices import settle\ndef f():\n    settle.delay(1)\n", ["f:3 certain"]),
        ("settle", "from shop import prices\ndef f():\n    prices.settle.apply_async(args=[1])\n", ["f:3 certain"]),
        # texts that name it
        ("price", "MIDDLEWARE = ['shop.prices.price']\n", ["<module>:1 certain"]),
        ("settle", "def f(app):\n    app.send_task('shop.prices.settle')\n", ["f:2 certain"]),
        ("price", "x = 'other.prices.price'\ny = 'price'\nz = 'see shop.prices.price'\n", []),
        ("price", "# 'shop.prices.price'\nx = 'a\\'shop.prices.price'\n", []),
        ("Base.save", "HOOK = 'shop.prices.Base.save'\n", ["<module>:1 certain"]),
        ("Base.__init__", "BACKEND = 'shop.prices.Base'\n", ["<module>:1 certain"]),
        # methods
        ("Base.save", "def f(x):\n    x.save()\n", ["f:2 possible"]),
        ("Base.save", "def f():\n    g().save()\n", ["f:2 possible"]),
        ("Base.save", "def f(xs):\n    xs[0].save()\n", ["f:2 possible"]),
        ("Base.save", "from shop.prices import Base\ndef f():\n    Base(1).save()\n", ["f:3 certain"]),
        ("Base.save", "from shop.prices import Base\ndef f(x):\n    Base.save(x)\n", ["f:3 certain"]),
        ("Base.save", "from shop.prices import Order\ndef f():\n    Order(1).save()\n", ["f:3 certain"]),
        ("Base.save", "from shop.prices import Lazy\ndef f():\n    Lazy(1).save()\n", []),
        ("Base.save", "import os\ndef f():\n    os.save()\n", []),
        ("Base.save", "import shop.prices\ndef f():\n    shop.prices.save()\n", []),
        (
            "Base.save",
            "from shop.prices import Base\nclass A(Base):\n    def f(self):\n        self.save()\n",
            ["A.f:4 certain"],
        ),
        (
            "Base.save",
            "from shop.prices import Base\nclass A(Base):\n    def f(self):\n        super().save()\n",
            ["A.f:4 certain"],
        ),
        (
            "Base.save",
            "from shop.prices import Base\nclass A(Base):\n    @classmethod\n    def f(cls):\n        cls.save()\n",
            ["A.f:5 certain"],
        ),
        # a class without that method: one that inherits from both brings it
        ("Base.save", "class A:\n    def f(self):\n        self.save()\n", []),
        (
            "Base.save",
            "from shop.prices import Order\nclass A:\n    def f(self):\n        self.save()\nclass B(A, Order): ...\n",
            ["A.f:4 possible"],
        ),
        (
            "Base.save",
            "import shop.prices as p\nclass A:\n    def save(self):\n        super().save()\nclass B(A, p.Base): ...\n",
            ["A.save:4 possible"],
        ),
        ("Base.save", "import x\nclass A(x.Y):\n    def f(self):\n        self.save()\n", []),
        ("Base.save", "class A:\n    def f(self):\n        def g():\n            self.save()\n", []),
        ("Base.save", "def save(): pass\ndef f():\n    save()\n", []),
        ("Lazy.save", "from shop.prices import Base\nclass A(Base):\n    def f(self):\n        self.save()\n", []),
        # classes
        ("Base.__init__", "from shop.prices import Base\ndef f():\n    Base(1)\n", ["f:3 certain"]),
        ("Base.__init__", "from shop import prices\ndef f():\n    prices.Base(1)\n", ["f:3 certain"]),
        ("Base", "from shop.prices import Base\ndef f():\n    Base(1)\n", ["f:3 certain"]),
        ("Base", "from shop.prices import Base\nclass A(Base):\n    pass\n", ["A:2 certain"]),
        (
            "Base",
            "from shop.prices import Base\ndef f(x: Base):\n    isinstance(x, Base)\n",
            ["f:2 certain", "f:3 certain"],
        ),
    ],
)
def test_a_use_in_another_file(target, source, expected):
    assert uses(target, source) == expected


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("helper", ["price:2 certain"]),
        (
            "Base.save",
            ["Base.__init__:13 certain", "Order.total:21 certain", "Order.total:22 certain", "Lazy.go:29 certain"],
        ),
        ("Lazy.save", ["Base.__init__:13 possible", "Lazy.go:28 certain"]),
        ("outer.inner", ["outer:34 certain"]),
    ],
)
def test_a_use_in_the_same_file(target, expected):
    assert uses(target) == expected


@pytest.mark.parametrize(
    ("source", "call"),
    [
        ("def f():\n    price(1, a=2)\n", "price(1, a=2)"),
        ("async def f():\n    await price(1)\n", "await price(1)"),
        ("def f():\n    map(price, x)\n", None),
        ("def f():\n    price.delay(1)\n", None),
        ("@price(1)\ndef f():\n    pass\n", "price(1)"),
        ("@price\ndef f():\n    pass\n", None),
        ("def f():\n    price(" + "1, " * 1_000 + ")\n", None),
    ],
)
def test_the_text_of_a_call_is_kept(source, call):
    tree = MemoryTree({"shop/prices.py": PRICES})
    target = target_of(
        FunctionId(path="shop/prices.py", qualname="price"), Project(tree).names("shop/prices.py").kinds["price"]
    )
    tree.files["app.py"] = ("from shop.prices import price\n" + source).encode()
    inference = Inference(Program(tree, Project(tree)))
    assert [use.call for use in uses_in(inference, "app.py", {"price": [target]})] == [call]


def test_a_removed_function_is_found_by_what_still_imports_it():
    tree = MemoryTree({"shop/prices.py": "x = 1\n"})
    id = FunctionId(path="shop/prices.py", qualname="price")
    from gatecli.model import FunctionKind

    target = target_of(id, FunctionKind.FUNCTION)
    for source in (
        "from shop.prices import price\nprice(1)\n",
        "from shop import prices\nprices.price(1)\n",
    ):
        tree.files["app.py"] = source.encode()
        inference = Inference(Program(tree, Project(tree)))
        assert [use.certainty.value for use in uses_in(inference, "app.py", {"price": [target]})] == ["certain"]


@pytest.mark.parametrize("qualname", ["<module>", "A.__eq__", "A.B"])
def test_names_that_say_nothing_are_not_looked_for(qualname):
    from gatecli.model import FunctionKind

    kinds = {"<module>": FunctionKind.MODULE, "A.__eq__": FunctionKind.METHOD, "A.B": FunctionKind.CLASS_BODY}
    assert target_of(FunctionId(path="a.py", qualname=qualname), kinds[qualname]) is None
