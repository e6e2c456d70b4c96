import pytest

from gatecli.model import Function
from gatecli.syntax.python import read_functions
from gatecli.syntax.signature import binds_callers, differences


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
    assert list(differences(function(before), function(after))) == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("return 1", "yield 1", ["became a generator"]),
        ("yield 1", "return 1", ["no longer a generator"]),
        ("yield 1", "yield 2", []),
    ],
)
def test_a_generator_is_another_contract(before, after, expected):
    assert list(differences(function("def f()", before), function("def f()", after))) == expected


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        ("parameter removed: a", True),
        ("new required parameter: a", True),
        ("default changed: a 1 to 2", True),
        ("became async", True),
        ("parameters reordered", True),
        ("parameter inserted: a", True),
        ("parameter added: a", False),
        ("annotation changed: a", False),
        ("return annotation changed: none to int", False),
    ],
)
def test_what_can_break_a_caller(clause, expected):
    assert binds_callers(clause) is expected
