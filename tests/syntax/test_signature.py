import pytest

from gatecli.model import Function
from gatecli.syntax.python import read_functions
from gatecli.syntax.signature import differences


def function(head: str, body: str = "pass") -> Function:
    return read_functions("a.py", f"{head}:\n    {body}\n".encode())[1]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("def f(a)", "def f(a)", []),
        ("def f(a)", "def g(a)", []),
        ("def f()", "def f(a)", ["new required parameter: a"]),
        ("def f()", "def f(a=1)", ["parameter added: a"]),
        ("def f()", "def f(*args, **rest)", ["parameter added: args", "parameter added: rest"]),
        ("def f(a)", "def f()", ["parameter removed: a"]),
        ("def f(a, b=1)", "def f(a, c=1)", ["parameter renamed: b to c"]),
        ("def f(a, b=1)", "def f(a, c=2)", ["parameter removed: b", "parameter added: c"]),
        ("def f(a, b)", "def f(b, a)", ["parameters reordered"]),
        ("def f(a=1)", "def f(a=2)", ["default changed: a 1 to 2"]),
        ("def f(a)", "def f(a=None)", ["parameter became optional: a = None"]),
        ("def f(a=None)", "def f(a)", ["parameter became required: a"]),
        ("def f(a)", "def f(*, a)", ["parameter a became keyword-only"]),
        ("def f(a)", "def f(a, /)", ["parameter a became positional-only"]),
        ("def f(a)", "async def f(a)", ["became async"]),
        ("async def f(a)", "def f(a)", ["no longer async"]),
        ("def f(a: int)", "def f(a: str)", ["annotation changed: a"]),
        ("def f(a)", "def f(a: str)", ["annotation changed: a"]),
        ("def f()", "def f() -> int", ["return annotation changed: none to int"]),
        ("def f() -> int", "def f() -> str", ["return annotation changed: int to str"]),
        (
            "def f(a, b: int = 1)",
            "async def f(b: str = 2, *, c) -> int",
            [
                "parameter removed: a",
                "new required parameter: c",
                "default changed: b 1 to 2",
                "became async",
                "annotation changed: b",
                "return annotation changed: none to int",
            ],
        ),
        # A parameter before the others shifts them for callers by position.
        ("def f(a, b)", "def f(x, a, b)", ["new required parameter: x"]),
        ("def f(a, b)", "def f(a, x=1, b=2)", ["parameter inserted: x", "parameter became optional: b = 2"]),
        ("def f(a, b=1)", "def f(a, x=0, b=1)", ["parameter inserted: x"]),
        ("def f(a, *, b=1)", "def f(a, x=0, *, b=1)", ["parameter added: x"]),
        ("def f(a, b=1)", "def f(a, *rest, b=1)", ["parameter added: rest", "parameter b became keyword-only"]),
        ("def f(a, b, c)", "def f(c, *, b, a)", ["parameter a became keyword-only", "parameter b became keyword-only"]),
    ],
)
def test_each_difference_is_one_clause(before, after, expected):
    assert [str(clause) for clause in differences(function(before), function(after))] == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("return 1", "yield 1", ["became a generator"]),
        ("yield 1", "return 1", ["no longer a generator"]),
        ("yield 1", "yield 2", []),
    ],
)
def test_a_generator_is_another_contract(before, after, expected):
    found = differences(function("def f()", before), function("def f()", after))
    assert [str(clause) for clause in found] == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("def f(a, b)", "def f(b)", ("parameter-removed", "a", None, None, True)),
        ("def f(a)", "def f(b)", ("parameter-renamed", "a", "a", "b", True)),
        ("def f()", "def f(a)", ("parameter-new-required", "a", None, None, True)),
        ("def f()", "def f(a=1)", ("parameter-added", "a", None, "1", False)),
        ("def f(a, b=1)", "def f(a, x=0, b=1)", ("parameter-inserted", "x", None, "0", True)),
        ("def f(a, b)", "def f(b, a)", ("parameters-reordered", None, None, None, True)),
        ("def f(a=30)", "def f(a=3)", ("default-changed", "a", "30", "3", True)),
        ("def f(a)", "def f(a=3)", ("parameter-became-optional", "a", None, "3", True)),
        ("def f(a=3)", "def f(a)", ("parameter-became-required", "a", "3", None, True)),
        ("def f(a)", "def f(*, a)", ("parameter-place", "a", "positional", "keyword-only", True)),
        ("def f(a)", "async def f(a)", ("became-async", None, None, None, True)),
        ("def f(a: int)", "def f(a: str)", ("annotation-changed", "a", "int", "str", False)),
        ("def f() -> int", "def f() -> str", ("return-annotation-changed", None, "int", "str", False)),
    ],
)
def test_a_difference_is_a_value_that_rules_can_ask(before, after, expected):
    (found,) = differences(function(before), function(after))
    assert (found.kind, found.name, found.before, found.after, found.binds_callers) == expected
