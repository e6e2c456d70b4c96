import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecli.model import (
    ChangeKind,
    FileStatus,
    FunctionId,
    Hunk,
)
from gatecli.syntax.match import changed_functions
from gatecli.syntax.python import read_functions
from tests.syntax.changes import BASE, changes, file_change, row, touched


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("LIMIT = 3", "LIMIT = 4", ["edited <module>"]),
        ("import os", "import os, sys", ["edited <module>"]),
        ("return n * 2", "return n * 3", ["edited price"]),
        ("@cached", "@cached(ttl=1)", ["edited price"]),
        ("@cached\n", "", ["edited price"]),
        ("def price(n)", "def price(n, m=1)", ["edited price"]),
        ("def price", "async def price", ["edited price"]),
        ("tax = 1", "tax = 2", ["edited Shop"]),
        ("class Shop:", "class Shop(Base):", ["edited Shop"]),
        ("return x + 1", "return x + 2", ["edited Shop.total.inner"]),
        ("return inner(n)", "return inner(n + 1)", ["edited Shop.total"]),
        ("n * self.tax", "n / self.tax", ["edited Shop.tax_of"]),
        ("item.price", "item.cost", ["edited key"]),
        ("def tax_of", "def tax_for", ["renamed Shop.tax_of -> Shop.tax_for"]),
        ("def inner(x)", "def step(x)", ["renamed Shop.total.inner -> Shop.total.step"]),
        ("key =", "by_price =", ["renamed key -> by_price"]),
        ("class Shop", "class Store", None),
        # layout
        ("Doc.", "Documentation.", ["cosmetic price"]),
        ('    """Doc."""\n', "", ["cosmetic price"]),
        ("# sum", "# the sum", ["cosmetic Shop.total"]),
        ("        # sum\n", "", ["cosmetic Shop.total"]),
        ("n * 2", "(n * 2)", ["cosmetic price"]),
        ("n * 2", "n*2", ["cosmetic price"]),
        ("LIMIT = 3", "LIMIT  =  3", ["cosmetic <module>"]),
        ("LIMIT = 3", "LIMIT = 3  # why", ["cosmetic <module>"]),
        ("tax = 1", "tax = (1)", ["cosmetic Shop"]),
        ("\n\n\nclass", "\n\nclass", []),
        ("\n\n\nclass", "\n\n\n\n\nclass", []),
        ("tax = 1\n\n", "tax = 1\n\n\n", []),
        ("        return inner(n)\n", "\n        return inner(n)\n", ["cosmetic Shop.total"]),
        # and what only looks like it
        ("        return inner(n)", "        if n:\n            return inner(n)", ["edited Shop.total"]),
        ("    return n * 2", '    f"{launch()}"\n    return n * 2', ["edited price"]),
    ],
)
def test_one_edit(old, new, expected):
    assert BASE.count(old) == 1
    after = BASE.replace(old, new)
    if expected is None:
        expected = [
            "renamed Shop -> Store",
            "renamed Shop.tax_of -> Store.tax_of",
            "renamed Shop.total -> Store.total",
            "renamed Shop.total.inner -> Store.total.inner",
        ]
        assert sorted(touched(BASE, after)) == expected
    else:
        assert touched(BASE, after) == expected
        assert touched(after, BASE) == [_inverse(line) for line in expected]


def _inverse(line: str) -> str:
    kind, _, rest = line.partition(" ")
    old, arrow, new = rest.partition(" -> ")
    return f"{kind} {new} -> {old}" if arrow else line


def test_lines_are_those_of_the_function_itself():
    after = BASE.replace("return x + 1", "y = x\n            return y + 1").replace("# sum", "# the sum")
    found = {
        change.id.qualname: (change.changed_lines, change.removed_lines) for change in changes(file_change(BASE, after))
    }
    assert found == {"Shop.total": ((16,), (16,)), "Shop.total.inner": ((18, 19), (18,))}


def test_both_sides_and_the_contract_of_a_change():
    before = "def f(a, b=1):\n    return a\n"
    after = "\n\ndef f(a, b=2, *, c):\n    return a\n"
    (change,) = changes(file_change(before, after, path="shop/a.py"))
    assert change.id == change.base_id == FunctionId(path="shop/a.py", qualname="f")
    assert (change.kind, change.changed_lines, change.removed_lines) == (ChangeKind.EDITED, (3,), (1,))
    assert [str(clause) for clause in change.signature] == ["new required parameter: c", "default changed: b 1 to 2"]
    assert change.signature_changed
    assert (change.before.span.first_line, change.after.span.first_line) == (1, 3)


def test_added_and_removed_functions():
    grown = BASE + "\n\ndef extra(n):\n    def deep():\n        pass\n    return deep\n"
    assert touched(BASE, grown) == ["added extra", "added extra.deep"]
    assert touched(grown, BASE) == ["removed extra", "removed extra.deep"]


def test_added_and_removed_files():
    names = ["<module>", "price", "Shop", "Shop.total", "Shop.total.inner", "Shop.tax_of", "key"]
    assert touched(None, BASE) == [f"added {name}" for name in names]
    assert touched(BASE, None) == [f"removed {name}" for name in names]
    assert touched(None, "def f():\n    pass\n") == ["added f"]  # a module body without code is nothing


def test_a_moved_function_in_a_file():
    a, b = "def a(n):\n    return n + 1\n", "def b(n):\n    return n - 1\n"
    (line,) = touched(f"{a}\n\n{b}", f"{b}\n\n{a}")
    assert line in ("moved a", "moved b")


BODY = """
    total = 0
    for item in items:
        total += item.price * item.amount
    if discount:
        total -= total * discount
    log.info("total %s", total)
    return total
"""


def test_a_function_moved_to_another_file():
    found = changes(
        file_change(f"def total(items, discount):{BODY}\n\nX = 1\n", "X = 1\n", path="old.py"),
        file_change("Y = 1\n", f"Y = 1\n\n\ndef total(items, discount):{BODY}", path="new.py"),
    )
    assert [(row(change), str(change.base_id), str(change.id)) for change in found] == [
        ("moved total", "old.py::total", "new.py::total")
    ]


def test_a_function_moved_and_renamed():
    found = changes(
        file_change(f"def order_total(items, discount):{BODY}", None, path="old.py"),
        file_change(None, f"def order_amount(items, discount):{BODY}", path="new.py"),
    )
    assert [row(change) for change in found] == ["renamed order_total -> order_amount"]


def test_a_function_renamed_and_edited():
    edited = BODY.replace("log.info", "log.debug")
    assert touched(f"def total(items, discount):{BODY}", f"def order_amount(items, discount):{edited}") == [
        "renamed total -> order_amount"
    ]


def test_small_bodies_are_no_evidence_of_a_move():
    found = changes(
        file_change("def a():\n    return None\n", None, path="old.py"),
        file_change(None, "def b():\n    return None\n", path="new.py"),
    )
    assert [row(change) for change in found] == ["added b", "removed a"]


def test_a_function_is_paired_with_its_closest_likeness():
    method = BODY.replace("\n", "\n    ")
    old = f"def one(items, discount):{BODY}\n\nclass A:\n    def two(items, discount):{method}"
    new = old.replace("class A", "class B")
    assert sorted(touched(old, new)) == ["renamed A -> B", "renamed A.two -> B.two"]


def test_a_renamed_file_says_so_once_and_lists_what_was_edited():
    found = changes(file_change(BASE, BASE.replace("n * 2", "n * 3"), path="new.py", old_path="old.py"))
    assert [(row(change), str(change.base_id), str(change.id)) for change in found] == [
        ("moved <module>", "old.py::<module>", "new.py::<module>"),
        ("edited price", "old.py::price", "new.py::price"),
    ]


def test_a_copied_file_is_new_code_all_through():
    found = changes(
        file_change(BASE, BASE.replace("n * 2", "n * 3"), path="b.py", old_path="a.py", status=FileStatus.COPIED)
    )
    assert [(row(change), change.before) for change in found] == [
        (f"added {name}", None)
        for name in ("<module>", "price", "Shop", "Shop.total", "Shop.total.inner", "Shop.tax_of", "key")
    ]
    assert next(change for change in found if change.id.qualname == "price").changed_lines == (6, 7, 8, 9)


def test_python_that_became_something_else_is_removed():
    found = changes(file_change("def f():\n    pass\n", "def f():\n    pass\n", path="a.txt", old_path="a.py"))
    assert [row(change) for change in found] == ["removed f"]


def test_repeated_definitions():
    overloads = "@overload\ndef f(a: int): ...\n@overload\ndef f(a: str): ...\ndef f(a):\n    return a\n"
    assert touched(overloads, overloads.replace("return a", "return a + 1")) == ["edited f#3"]
    assert touched(overloads, overloads.replace("@overload\ndef f(a: str): ...\n", "")) == ["removed f#2"]
    more = overloads.replace("def f(a):", "@overload\ndef f(a: set): ...\ndef f(a):")
    assert touched(overloads, more) == ["added f#3"]


def test_property_pairs():
    getter = "class A:\n    @property\n    def x(self):\n        return 1\n"
    source = getter + "\n    @x.setter\n    def x(self, v):\n        pass\n"
    assert touched(source, source.replace("pass", "self.v = v")) == ["edited A.x#2"]
    assert touched(source, source.replace("return 1", "return 2")) == ["edited A.x"]
    assert touched(source, getter) == ["removed A.x#2"]


def test_a_neighbour_that_the_diff_blames_is_not_touched():
    """The hunk of an added look-alike runs from the middle of one function into the next."""
    before = "def a():\n    x = 1\n    return x\n"
    after = "def b():\n    x = 1\n    return x\n\ndef a():\n    x = 1\n    return x\n"
    hunk = Hunk(old_start=1, old_count=0, new_start=1, new_count=4)
    skewed = Hunk(old_start=4, old_count=0, new_start=4, new_count=4)
    rotated = before.replace("a", "b", 1) + "\n" + before
    assert rotated == after
    for hunks in ((hunk,), (skewed,)):
        change = file_change(before, after)
        assert [row(found) for found in changes(replace(change, hunks=hunks))] == ["added b"]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            "f = lambda: 1; g = lambda: 2\n",
            "f = lambda: 3; g = lambda: 2\n",
            ["edited <module>", "edited f", "cosmetic g"],
        ),
        ("def f(): x = lambda: 1\n", "def f(a): x = lambda: 1\n", ["edited f", "cosmetic f.x"]),
        ("class A: x = lambda: 1\n", "class A(B): x = lambda: 1\n", ["edited A", "cosmetic A.x"]),
        ("if (f := lambda: 1)() > 2: g()\n", "if (f := lambda: 1)() > 3: g()\n", ["edited <module>", "cosmetic f"]),
        (
            "def f():\n    x = lambda: (\n        1\n    ); launch(1)\n",
            "def f():\n    x = lambda: (\n        1\n    ); launch(2)\n",
            ["edited f", "cosmetic f.x"],
        ),
        ("f = lambda: 1\n", "f = lambda: 2\n", ["edited f"]),
        ("f = lambda: 1  # one\n", "f = lambda: 2  # two\n", ["edited f"]),
    ],
)
def test_code_that_shares_a_line_with_a_lambda_is_not_overlooked(before, after, expected):
    assert touched(before, after) == expected


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("class C():", "class C:", "cosmetic"),
        ("class C:", "class C( ):  # why", "cosmetic"),
        ("class C(A):", "class C:", "edited"),
        ("class C(A):", "class C(A,):", "cosmetic"),
        ("class C(A):", "class C(A, metaclass=M):", "edited"),
    ],
)
def test_the_head_of_a_class(before, after, kind):
    body = "\n    x = 1\n"
    assert touched(before + body, after + body) == [f"{kind} C"]


def test_a_change_of_line_ends_alone_is_layout():
    windows = BASE.replace("\n", "\r\n")
    names = ["<module>", "price", "Shop", "Shop.total", "Shop.total.inner", "Shop.tax_of", "key"]
    assert touched(BASE, windows) == [f"cosmetic {name}" for name in names]
    assert touched(windows, windows.replace("n * 2", "n * 3")) == ["edited price"]


# ---------------------------------------------------------------- properties


LINES = [
    "def f(a):\n",
    "    return a\n",
    "class A:\n",
    "    def g(self):\n",
    "        x = 1\n",
    "@d\n",
    "k = lambda: 1\n",
    "\n",
    "# c\n",
    "    '''doc'''\n",
    "x = [\n",
    "]\n",
    "if a:\n",
    "    pass\n",
]
SOURCES = st.lists(st.sampled_from(LINES), max_size=20).map("".join)


@given(SOURCES, SOURCES)
def test_every_touched_line_with_code_is_somebodys(before, after):
    file = file_change(before, after)
    found, _ = changed_functions([file])
    text = after.split("\n")
    held = {line for change in found for line in change.changed_lines}
    added = {line for hunk in file.hunks for line in hunk.added if text[line - 1].strip()}
    untouched = {change.id for change in found if change.kind is ChangeKind.COSMETIC}
    missing = added - held
    # A line that nobody holds belongs to a function whose own text is as it was: the diff blamed a look-alike.
    functions = read_functions("a.py", after.encode())
    for line in missing:
        holders = [function for function in functions if line in function.span]
        assert holders[-1].id not in untouched
        assert plain(holders[-1].id) in {plain(function.id) for function in read_functions("a.py", before.encode())}


def plain(id):
    """The qualified name without the ``#2`` of repeated definitions, on every level."""
    return ".".join(part.partition("#")[0] for part in id.qualname.split("."))


@given(SOURCES)
def test_no_change_touches_nothing(source):
    assert changes(file_change(source, source)) == ()


@given(SOURCES, SOURCES)
def test_the_inverse_change_touches_the_same_functions(before, after):
    file = file_change(before, after)
    hunks = tuple(
        Hunk(old_start=h.new_start, old_count=h.new_count, new_start=h.old_start, new_count=h.old_count)
        for h in file.hunks
    )
    inverse = replace(file, hunks=hunks, before=file.after, after=file.before)
    assert _both_sides(changes(file)) == _both_sides(changes(inverse))[::-1]


def _both_sides(found) -> tuple[set[FunctionId], ...]:
    return {change.before.id for change in found if change.before}, {
        change.after.id for change in found if change.after
    }


@given(st.binary(max_size=120), st.binary(max_size=120))
def test_any_bytes_are_judged_or_named_as_not_parsed(before, after):
    _, files = changed_functions([file_change(before, after)])
    assert len(files) == 1


def test_the_order_of_files_does_not_matter():
    files = [
        file_change("def a():\n    pass\n", "def a():\n    return 1\n", path="a.py"),
        file_change(None, f"def total(items, discount):{BODY}", path="b.py"),
        file_change(f"def total(items, discount):{BODY}", None, path="c.py"),
        file_change(None, "def d():\n    pass\n", path="d.py"),
    ]
    expected = changed_functions(files)[0]
    for seed in range(5):
        random.Random(seed).shuffle(files)
        assert changed_functions(files)[0] == expected
