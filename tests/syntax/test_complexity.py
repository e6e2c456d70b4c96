import pytest

from gatecli.model import Behaviour
from tests.syntax.changes import behaviour, body, changes, file_change


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["a()"], 1),
        (["if x: a()"], 2),
        (["if x: a()", "elif y: b()", "else: c()"], 3),
        (["a() if x else b()"], 2),
        (["for y in x: a()", "else: b()"], 2),
        (["while x: a()"], 2),
        (["if x and y or z: a()"], 4),
        (["try: a()", "except E: b()", "except (F, G): c()", "else: d()", "finally: e()"], 3),
        (["try: a()", "except* E: b()"], 2),
        (["[y for y in x if y if z]"], 4),
        (["assert x"], 2),
        (["with a(): b()"], 1),
        (["match x:", "    case 1: a()", "    case _ if y: b()", "    case _: c()"], 3),
        (["def g():", "    if x: a()", "return g"], 1),
        (["return lambda: a() if x else b()"], 2),
    ],
)
def test_cyclomatic_complexity(lines, expected):
    (found,) = (change for change in changes(file_change(None, body(*lines))) if change.id.qualname == "f")
    assert found.behaviour == Behaviour(complexity=(None, expected))


def test_what_runs_before_the_function_does_is_not_its_complexity():
    source = "@skipif(a and b)\ndef f(x=c or d): return x\ng = lambda y=a or b: y if y else 1\n"
    found = {change.id.qualname: change.behaviour for change in changes(file_change(None, source))}
    assert found["f"].complexity == (None, 1)
    assert found["g"].complexity == (None, 2)


def test_complexity_before_and_after():
    found = behaviour(body("a()"), body("if x: a()"))
    assert (found.complexity, found.complexity_changed) == ((1, 2), True)
    assert not behaviour(body("a()"), body("b()")).complexity_changed
