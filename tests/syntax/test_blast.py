import pytest

from gatecli.model import Blast, Caller, Certainty, EdgeBasis, FunctionId
from gatecli.syntax import blast as module
from gatecli.syntax.blast import trace
from tests.syntax.changes import changes, file_change
from tests.syntax.trees import MemoryTree

PRICES = "def price(n):\n    return n\n"
FILES = {
    "shop/prices.py": PRICES,
    "shop/orders.py": "from shop.prices import price\n\ndef total(n):\n    return price(n) + price(1)\n",
    "shop/api.py": "from shop.orders import total\n\n@app.post('/orders')\ndef create():\n    return total(1)\n",
    "shop/tasks.py": "from shop import orders\n\n@shared_task\ndef settle():\n    orders.total(2)\n",
    "tests/test_prices.py": "from shop.prices import price\n\ndef test_price():\n    assert price(1)\n",
}


def id(text: str) -> FunctionId:
    path, _, qualname = text.partition("::")
    return FunctionId(path=path, qualname=qualname)


def no_share(_):
    return None


def is_test(path: str) -> bool:
    return path.startswith("tests/")


def traced(files=None, *, before=PRICES, path="shop/prices.py", callers=None, entries=None, share_of=no_share):
    """The blast radius of each touched function of one edited file."""
    files = files or FILES
    found = changes(file_change(before, files.get(path), path=path))
    tree = MemoryTree({name: text for name, text in files.items() if text is not None})
    result = trace(
        found,
        tree,
        profile_callers=callers or {},
        profile_entry_points=entries or {},
        share_of=share_of,
        is_test=is_test,
    )
    return {str(key): value for key, value in result.items()}


EDITED = {**FILES, "shop/prices.py": PRICES.replace("return n", "return n * 2")}


def test_callers_are_followed_to_the_entry_points():
    assert traced(EDITED) == {
        "shop/prices.py::price": Blast(
            callers=(
                Caller(
                    id=id("shop/orders.py::total"),
                    basis=EdgeBasis.STATIC,
                    certainty=Certainty.CERTAIN,
                    depth=1,
                    line=4,
                    calls=("price(n)", "price(1)"),
                ),
                Caller(
                    id=id("shop/api.py::create"),
                    basis=EdgeBasis.STATIC,
                    certainty=Certainty.CERTAIN,
                    depth=2,
                    line=5,
                    via=id("shop/orders.py::total"),
                    calls=("total(1)",),
                ),
                Caller(
                    id=id("shop/tasks.py::settle"),
                    basis=EdgeBasis.STATIC,
                    certainty=Certainty.CERTAIN,
                    depth=2,
                    line=5,
                    via=id("shop/orders.py::total"),
                    calls=("orders.total(2)",),
                ),
            ),
            entry_points=("POST /orders", "task shop.tasks.settle"),
            static_only=True,
            depth=2,
        )
    }


def summary(blast: Blast):
    return [(str(caller.id), caller.certainty.value, caller.basis.value, caller.depth) for caller in blast.callers]


def test_a_touched_entry_point_is_its_own():
    files = {"shop/api.py": "@app.post('/orders')\ndef create():\n    return 2\n"}
    (found,) = traced(files, before=files["shop/api.py"].replace("2", "1"), path="shop/api.py").values()
    assert (found.entry_points, found.callers, found.depth) == (("POST /orders",), (), 0)


def test_a_django_route_is_found_through_its_urlconf():
    files = {
        "shop/views.py": "def orders(request):\n    return 2\n",
        "shop/urls.py": "from shop import views\nurlpatterns = [path('orders/', views.orders)]\n",
    }
    (found,) = traced(files, before=files["shop/views.py"].replace("2", "1"), path="shop/views.py").values()
    assert found.entry_points == ("/orders/",)
    assert summary(found) == [("shop/urls.py::<module>", "certain", "static", 1)]


def test_a_script_is_an_entry_point():
    files = {"run.py": "def go():\n    return 2\n\nif __name__ == '__main__':\n    go()\n"}
    (found,) = traced(files, before=files["run.py"].replace("2", "1"), path="run.py").values()
    assert found.entry_points == ("script run.py",)


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("tests/test_prices.py", PRICES, PRICES.replace("n\n", "n + 1\n")),
        ("shop/migrations/0001.py", PRICES, PRICES.replace("n\n", "n + 1\n")),
        ("shop/prices.py", PRICES, PRICES.replace("n\n", "n  # same\n")),
    ],
)
def test_tests_migrations_and_layout_are_not_traced(path, before, after):
    assert traced({path: after}, before=before, path=path) == {}


def test_possible_callers_are_named_and_not_followed():
    files = {
        "a.py": "class A:\n    def save(self):\n        return 2\n",
        "b.py": "def keep(x):\n    x.save()\n",
        "c.py": "from b import keep\ndef far():\n    keep(1)\n",
    }
    (found,) = traced(files, before=files["a.py"].replace("2", "1"), path="a.py").values()
    assert summary(found) == [("b.py::keep", "possible", "static", 1)]


def test_a_removed_function_still_has_callers():
    files = {**FILES, "shop/prices.py": "x = 1\n"}
    found = traced(files, before=PRICES + "x = 1\n")
    assert [row[0] for row in summary(found["shop/prices.py::price"])][:1] == ["shop/orders.py::total"]


def test_a_renamed_function_is_looked_for_under_both_names():
    body = "".join(f"    total += values[{i}] * {i}\n" for i in range(9))
    files = {
        "a.py": f"def new_name(values, total):\n{body}    return total\n",
        "b.py": "from a import old_name\ndef one():\n    old_name(1, 2)\n",
        "c.py": "from a import new_name\ndef two():\n    new_name(1, 2)\n",
    }
    (found,) = traced(files, before=files["a.py"].replace("new_name", "old_name"), path="a.py").values()
    assert [row[0] for row in summary(found)] == ["c.py::two", "b.py::one"]


def test_edges_of_the_profile_are_followed_too():
    price, total, hidden = id("shop/prices.py::price"), id("shop/orders.py::total"), id("shop/magic.py::dispatch")
    (found,) = traced(
        EDITED,
        callers={price: ((total, 40.0), (hidden, 2.0)), hidden: ((id("shop/jobs.py::run"), None),)},
        entries={hidden: ("GET /magic",)},
        share_of=lambda ids: 0.25 if price in set(ids) else None,
    ).values()
    assert [(row, caller.calls_per_minute) for row, caller in zip(summary(found), found.callers, strict=True)] == [
        (("shop/magic.py::dispatch", "certain", "profile", 1), 2.0),
        (("shop/orders.py::total", "certain", "both", 1), 40.0),
        (("shop/jobs.py::run", "certain", "profile", 2), None),
        (("shop/api.py::create", "certain", "static", 2), None),
        (("shop/tasks.py::settle", "certain", "static", 2), None),
    ]
    assert (found.share, found.static_only, "GET /magic" in found.entry_points) == (0.25, False, True)


def test_recursion_and_circles_end():
    files = {"a.py": "def f(n):\n    return g(n) + f(n - 2)\n\ndef g(n):\n    return f(n - 1)\n"}
    (found,) = traced(files, before=files["a.py"].replace("- 2", "- 1"), path="a.py").values()
    assert summary(found) == [("a.py::g", "certain", "static", 1)]


def test_a_file_that_cannot_be_read_makes_the_figures_lower_bounds():
    (found,) = traced({**EDITED, "shop/odd.py": "from shop.prices import price\nprice(1)\0\n"}).values()
    assert found.truncated


def chain(length: int) -> dict[str, str]:
    return {
        "a.py": "def f0():\n    return 2\n",
        **{
            f"m{i}.py": f"from {'a' if i == 1 else f'm{i - 1}'} import f{i - 1}\ndef f{i}():\n    f{i - 1}()\n"
            for i in range(1, length)
        },
    }


def bounded(files):
    (found,) = traced(files, before=files["a.py"].replace("2", "1"), path="a.py").values()
    return found


def test_a_chain_longer_than_the_bound_says_so():
    found = bounded(chain(module.MAX_DEPTH + 3))
    assert (found.truncated, found.depth) == (True, module.MAX_DEPTH)
    assert not bounded(chain(module.MAX_DEPTH)).truncated


def callers(number: int, call: str = "f0()") -> dict[str, str]:
    return {
        "a.py": "def f0():\n    return 2\n",
        "b.py": "from a import f0\n" + "".join(f"def c{i}():\n    {call}\n" for i in range(number)),
    }


def test_more_callers_than_anyone_reads_are_cut_and_that_is_said():
    found = bounded(callers(module.MAX_CALLERS + 5))
    assert (found.truncated, len(found.callers)) == (True, module.MAX_CALLERS)
    assert not bounded(callers(module.MAX_CALLERS)).truncated


def test_possible_callers_have_their_own_bound():
    files = callers(module.MAX_POSSIBLE + 5, "x.f0()")
    files["a.py"] = "class A:\n    def f0(self):\n        return 2\n"
    found = bounded(files)
    assert (found.truncated, len(found.callers)) == (True, module.MAX_POSSIBLE)


@pytest.mark.parametrize(
    ("name", "bound", "files"),
    [
        ("MAX_NODES", 3, callers(5)),
        ("MAX_FILES", 1, {**chain(3), "z.py": "from a import f0\nf0()\n"}),
    ],
)
def test_the_bounds_of_the_search_are_said(monkeypatch, name, bound, files):
    assert not bounded(files).truncated
    monkeypatch.setattr(module, name, bound)
    assert bounded(files).truncated


def test_a_file_of_more_places_than_are_looked_at_says_so():
    calls = "".join(f"def c{i}(x):\n    x.f0()\n" for i in range(3_000))
    found = bounded({"a.py": "class A:\n    def f0(self):\n        return 2\n", "b.py": calls})
    assert found.truncated
    assert len(found.callers) == module.MAX_POSSIBLE


def test_more_touched_functions_than_are_traced_are_said(monkeypatch):
    monkeypatch.setattr(module, "MAX_TARGETS", 1)
    files = {"a.py": "def f0():\n    return 2\ndef f1():\n    return 2\n"}
    found = traced(files, before=files["a.py"].replace("2", "1"), path="a.py")
    assert [blast.truncated for blast in found.values()] == [False, True]


def test_a_long_list_of_calls_is_kept_short():
    calls = "".join(f"    f0({i})\n" for i in range(50))
    found = bounded({"a.py": "def f0():\n    return 2\n", "b.py": f"from a import f0\ndef c():\n{calls}"})
    assert len(found.callers[0].calls) == module.MAX_CALLS_KEPT
