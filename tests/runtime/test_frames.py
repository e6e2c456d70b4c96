"""Which function a frame is, rule by rule, in files that are hard on names and lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecli.errors import EvidenceError
from gatecli.model import Function, FunctionId
from gatecli.runtime.frames import FileFunctions, Match, Rule, resolve, wraps
from gatecli.runtime.paths import Reason
from gatecli.runtime.recording import Frame
from gatecli.syntax.python import read_functions
from tests.runtime.support import SHOP, Files

SOURCE = b'''\
"""A module."""
import functools


def deco(fn):
    @functools.wraps(fn)
    def wrapper(*args):
        return fn(*args)

    return wrapper


def save(): return 1


class A:
    key = lambda self: 1

    @property
    @deco
    def value(self):
        return [x for x in (1, 2)]

    @value.setter
    def value(self, new):
        self.new = new

    def save(self):
        double = lambda x: 2 * x
        return sorted([1], key=lambda x: double(x))


class B(A):
    def save(
        self,
        more=1,
    ):
        return super().save()

    async def wait(self):
        yield 1
'''
FILE = FileFunctions(read_functions("m.py", SOURCE))


def match(name: str, line: int | None = None, first: int | None = None) -> Match:
    return FILE.match(Frame(file="m.py", name=name, line=line, first_line=first))


def say(found: Match) -> str:
    if found.function is None:
        return str(found.reason)
    notes = " inner" * found.inner + " disagrees" * found.disagrees
    return f"{found.function.id.qualname} by {found.rule}{notes}"


@pytest.mark.parametrize(
    ("name", "line", "expected"),
    [
        # Qualified names (3.11+): the name decides, the line may be of another revision.
        ("A.save", 30, "A.save by qualname"),
        ("A.save", 36, "A.save by qualname disagrees"),
        ("A.save", None, "A.save by qualname"),
        ("deco.<locals>.wrapper", 8, "deco.wrapper by qualname"),
        ("A", 16, "A by qualname"),
        ("<module>", 15, "<module> by qualname"),
        ("<module>", None, "<module> by qualname"),
        # Repeated names: the line tells which.
        ("A.value", 21, "A.value by qualname"),
        ("A.value", 25, "A.value#2 by qualname"),
        ("A.value", None, "ambiguous"),
        ("A.value", 40, "ambiguous"),
        # Bare names (up to 3.10): the line tells; without it, only a name that the file has once.
        ("save", 13, "save by qualname"),
        ("save", 30, "A.save by line"),
        ("save", 37, "B.save by line"),
        ("save", 33, "save by qualname disagrees"),
        ("wait", 40, "B.wait by line"),
        ("wait", 2, "B.wait by unique-name"),
        ("wait", None, "B.wait by unique-name"),
        ("value", None, "ambiguous"),
        ("gone", 30, "no such function"),
        ("Other.wait", 1, "B.wait by unique-name"),
        ("", 30, "no such function"),
        # The executing line of an outer function may be the def line of an inner one.
        ("deco", 7, "deco by qualname"),
        # Lambdas and comprehensions are part of what they stand in; a lambda with a name is a function.
        ("A.save.<locals>.<lambda>", 29, "A.save.double by first-line"),
        ("A.save.<locals>.<lambda>", 30, "A.save by qualname inner"),
        ("A.<lambda>", 17, "A.key by first-line"),
        ("A.value.<locals>.<listcomp>", 22, "A.value by line inner"),  # two of that name; the line is in one
        ("<listcomp>", 22, "A.value by line inner"),
        ("<lambda>", 30, "A.save by line inner"),
        ("A.save.<locals>.<lambda>.<locals>.<genexpr>", 29, "A.save by qualname inner"),
        ("<genexpr>", 2, "<module> by line inner"),
        ("<genexpr>", 9_999, "no such function"),
        ("<generic parameters of f>", 30, "A.save by line inner"),
        # What evaluates annotations (3.14+) is written by the compiler, and part of what has them.
        ("A.__annotate__", 16, "A by qualname inner"),
        ("__annotate__", 22, "A.value by line inner"),
        ("__annotate__", 2, "<module> by line inner"),
        ("A.save.<locals>.__annotate__", 30, "A.save by qualname inner"),
        # A race in austin names the line of a function <module>; but def lines are the module's own.
        ("<module>", 30, "A.save by line"),
        ("<module>", 28, "<module> by qualname"),
        ("<module>", 19, "<module> by qualname"),
    ],
)
def test_executing_lines(name: str, line: int | None, expected: str) -> None:
    assert say(match(name, line=line)) == expected


def test_an_annotate_of_the_source_is_a_function_like_any_other() -> None:
    file = FileFunctions(read_functions("m.py", b"class A:\n    def __annotate__(self): ...\n"))
    assert say(file.match(Frame(file="m.py", name="A.__annotate__", line=2, first_line=2))) == (
        "A.__annotate__ by qualname"
    )


@pytest.mark.parametrize(
    ("name", "first", "expected"),
    [
        ("save", 13, "save by qualname"),
        ("save", 28, "A.save by first-line"),
        ("save", 34, "B.save by first-line"),
        ("value", 19, "A.value by first-line"),  # the first decorator, in every CPython
        ("value", 21, "A.value by first-line"),  # the def line
        ("value", 24, "A.value#2 by first-line"),
        ("B.save", 28, "A.save by first-line"),  # the class of self (pyinstrument, yappi): the line is right
        ("A.save", 28, "A.save by qualname"),
        ("wrapper", 6, "deco.wrapper by first-line"),
        ("A", 16, "A by qualname"),
        ("<module>", 1, "<module> by qualname"),
        ("<lambda>", 29, "A.save.double by first-line"),
        ("<lambda>", 30, "A.save by line inner"),
        ("<listcomp>", 22, "A.value by line inner"),
        ("A.save", 99, "A.save by qualname disagrees"),
        ("save", 29, "A.save by line"),  # py-spy without -F, taken for -F
    ],
)
def test_first_lines(name: str, first: int, expected: str) -> None:
    assert say(match(name, first=first)) == expected


def qualname(function: Function | None) -> str | None:
    return str(function.id) if function else None


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (
            Frame(file="/x/shop/deco.py", name="shop.pricing.price_order", first_line=9, dotted=True),
            "shop/pricing.py::price_order",
        ),
        (Frame(file=None, name="shop.models.Order.Line.render", dotted=True), "shop/models.py::Order.Line.render"),
        (
            Frame(file=None, name="shop.deco.retry.<locals>.decorate.<locals>.inner", dotted=True),
            "shop/deco.py::retry.decorate.inner",
        ),
        # A dotted name that is no module's: the file and its last part.
        (
            Frame(file="/x/shop/store.py", name="__main__.AuditedStore.audit", dotted=True),
            "shop/store.py::AuditedStore.audit",
        ),
        (Frame(file=None, name="shop.models.Order", dotted=True), None),  # a class is not called by its body
        (Frame(file=None, name="shop.tasks.settle", dotted=True), None),
        (Frame(file=None, name="a" + ".b" * 10_000, dotted=True), None),
    ],
)
def test_dotted_names(frame: Frame, expected: str | None) -> None:
    found = resolve([(frame,)], tree=SHOP, functions_of=read_functions).matches[0][0]
    assert qualname(found.function) == expected
    assert found.rule is None if expected is None else found.rule in (Rule.DOTTED, Rule.UNIQUE_NAME)


@pytest.mark.parametrize(
    ("name", "reason"), [("shop.tasks.settle", Reason.NO_FILE), ("django.views.View.get", Reason.THIRD_PARTY)]
)
def test_why_a_dotted_name_has_no_function(name: str, reason: Reason) -> None:
    found = resolve([(Frame(file=None, name=name, dotted=True),)], tree=SHOP, functions_of=read_functions)
    assert found.matches == ((Match(reason=reason),),)


def test_a_base_name_needs_a_name_and_a_line_that_agree() -> None:
    frames = (
        Frame(file="models.py", name="Order.of", line=33),
        Frame(file="models.py", name="Order.of", line=3),
        Frame(file="models.py", name="Model.save", line=33),
        Frame(file="base.py", name="run", line=3),
    )
    found = resolve([frames], tree=SHOP, functions_of=read_functions).matches[0]
    assert [say(item) for item in found] == ["Order.of by qualname", "third-party", "third-party", "third-party"]


@pytest.mark.parametrize(
    ("file", "matched"),
    [
        # asyncio's, and every library's, is named so, too.
        ("__init__.py", False),
        ("pricing.py", False),
        # What the program was started with.
        ("__main__.py", True),
        ("run.py", True),
    ],
)
def test_a_base_name_does_not_tell_whose_module_body_it_is(file: str, matched: bool) -> None:
    tree = Files({"shop/__init__.py": "A = 1\n", "shop/pricing.py": "B = 1\n", "shop/__main__.py": "", "run.py": ""})
    found = resolve([(Frame(file=file, name="<module>", line=18),)], tree=tree, functions_of=read_functions).matches[0][
        0
    ]
    assert (found.function is not None) == matched


def test_a_file_that_does_not_parse_is_said() -> None:
    def fail(path: str, source: bytes) -> tuple[Function, ...]:
        raise EvidenceError(f"{path} is odd")

    found = resolve([(Frame(file="shop/a.py", name="f"),)], tree=Files({"shop/a.py": "x"}), functions_of=fail)
    assert found.matches == ((Match(reason=Reason.NO_FUNCTION),),)
    assert found.warnings == ("shop/a.py cannot be parsed, its frames are not matched: shop/a.py is odd",)


def test_wanted_functions_are_looked_up_once() -> None:
    here, gone = FunctionId(path="shop/web.py", qualname="boom"), FunctionId(path="shop/x.py", qualname="y")
    found = resolve([()], tree=SHOP, functions_of=read_functions, wanted=[here, gone])
    assert list(found.functions) == [here]


@pytest.mark.parametrize(
    ("wrapper", "wrapped", "expected"),
    [
        ("shop/deco.py::counted.wrapper", "shop/pricing.py::price_order", True),
        ("shop/deco.py::retry.decorate.inner", "shop/pricing.py::quote_shipping", True),
        ("shop/deco.py::retry.decorate.inner", "shop/pricing.py::price_order", False),
        ("shop/deco.py::counted", "shop/pricing.py::price_order", False),  # the decorator itself runs once
        ("shop/checkout.py::Checkout.__call__", "shop/pricing.py::price_order", False),
    ],
)
def test_wrappers(wrapper: str, wrapped: str, expected: bool) -> None:
    functions = {
        str(function.id): function for path, source in SHOP.files.items() for function in read_functions(path, source)
    }
    assert wraps(functions[wrapper], functions[wrapped]) is expected


@given(
    st.text(max_size=30)
    | st.sampled_from(["A.save", "<lambda>", "<module>", "value", "A.<locals>.", "....", "<a>.<b>"]),
    st.none() | st.integers(0, 10**9),
    st.none() | st.integers(0, 10**9),
)
def test_any_frame_has_a_function_or_a_reason(name: str, line: int | None, first: int | None) -> None:
    found = match(name, line, first)
    assert (found.function is None) is (found.reason is not None)
    assert (found.function is None) is (found.rule is None)
