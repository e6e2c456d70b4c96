"""Whether a call fits a signature: Python itself is asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecli.model import Caller, Certainty, EdgeBasis, Function, FunctionId
from gatecli.rules.checks.callsites import Fit, _call, bound, called_name, fit, leaves_out
from gatecli.syntax.python import read_functions

NAMES = ["a", "b", "c"]


def function(source: str, qualname: str = "f") -> Function:
    (found,) = (known for known in read_functions("m.py", source.encode()) if known.id.qualname == qualname)
    return found


def caller(*calls: str) -> Caller:
    return Caller(
        id=FunctionId(path="n.py", qualname="g"), basis=EdgeBasis.STATIC, certainty=Certainty.CERTAIN, calls=calls
    )


@st.composite
def signatures(draw: st.DrawFn) -> str:
    names = draw(st.permutations(NAMES))[: draw(st.integers(0, 3))]
    defaults = sorted(draw(st.lists(st.booleans(), min_size=len(names), max_size=len(names))))
    parts = [f"{name}=1" if default else name for name, default in zip(names, defaults, strict=True)]
    cut = draw(st.integers(0, len(parts)))
    keyword_only = draw(st.sampled_from(["", "*", "*args"]))
    if keyword_only and not (keyword_only == "*" and cut == len(parts)):
        parts.insert(cut, keyword_only)
    elif cut and draw(st.booleans()):
        parts.insert(cut, "/")
    if draw(st.booleans()):
        parts.append("**kw")
    return ", ".join(parts)


CALLS = st.tuples(st.integers(0, 4), st.lists(st.sampled_from([*NAMES, "d"]), unique=True, max_size=3))


@given(signatures(), CALLS)
def test_bound_agrees_with_python(signature: str, given_: tuple[int, list[str]]) -> None:
    count, keys = given_
    text = f"f({', '.join([*map(str, range(count)), *(f'{key}={key!r}' for key in keys)])})"
    namespace: dict[str, object] = {}
    exec(f"def f({signature}): pass", namespace)
    ours = bound(function(f"def f({signature}):\n    pass\n"), _call(text)[0])
    try:
        namespace["f"](*range(count), **{key: key for key in keys})  # type: ignore[operator]
    except TypeError:
        assert ours is Fit.BREAKS
    else:
        assert isinstance(ours, dict)
        assert set(ours) == {*range(count), *keys}


@pytest.mark.parametrize(
    ("before", "after", "calls", "expected"),
    [
        ("def f(a): 1", "def f(a, b): 1", ["f(1)"], Fit.BREAKS),
        ("def f(a): 1", "def f(a, b=1): 1", ["f(1)"], Fit.FITS),
        ("def f(a, b=1): 1", "def f(a): 1", ["f(1)"], Fit.FITS),
        ("def f(a, b=1): 1", "def f(a): 1", ["f(1)", "f(1, 2)"], Fit.BREAKS),
        ("def f(a, b=1): 1", "def f(a): 1", ["f(1, b=2)"], Fit.BREAKS),
        ("def f(a, b): 1", "def f(b, a): 1", ["f(1, 2)"], Fit.BREAKS),
        ("def f(a, b): 1", "def f(b, a): 1", ["f(a=1, b=2)"], Fit.FITS),
        ("def f(old): 1", "def f(new): 1", ["f(1)"], Fit.FITS),
        ("def f(old): 1", "def f(new): 1", ["f(old=1)"], Fit.BREAKS),
        ("def f(a): 1", "def f(a, b): 1", ["f(*rest)"], Fit.UNKNOWN),
        ("def f(a): 1", "def f(a, b): 1", ["f(1, **rest)"], Fit.UNKNOWN),
        ("def f(a): 1", "def f(a, b): 1", [], Fit.UNKNOWN),
        ("def f(a): 1", "def f(a, b): 1", ["f(1, 2, 3)"], Fit.UNKNOWN),  # fitted neither before nor after
        ("def f(a): 1", "def f(a, b): 1", ["not a call"], Fit.UNKNOWN),
        ("def f(a): 1", "def f(a, b): 1", [""], Fit.UNKNOWN),
        ("def f(a): 1", "@wrapped\ndef f(a, b): 1", ["f(1)"], Fit.UNKNOWN),
        ("def f(): 1", "async def f(): 1", ["await f()"], Fit.FITS),
        ("def f(): 1", "async def f(): 1", ["f()"], Fit.UNKNOWN),
        ("def f(): return 1", "def f(): yield 1", ["f()"], Fit.UNKNOWN),
    ],
)
def test_fit_of_a_function(before: str, after: str, calls: list[str], expected: Fit) -> None:
    assert fit(function(before + "\n"), function(after + "\n"), caller(*calls)) is expected


@pytest.mark.parametrize(
    ("before", "after", "call", "expected"),
    [
        ("def m(self, a): 1", "def m(self): 1", "c.m(1)", Fit.BREAKS),
        ("def m(self, a=1): 1", "def m(self): 1", "c.m()", Fit.FITS),
        ("def m(self, a): 1", "def m(self): 1", "C.m(c, 1)", Fit.UNKNOWN),
        ("@classmethod\n def m(cls, a): 1", "@classmethod\n def m(cls): 1", "C.m(1)", Fit.BREAKS),
        ("@staticmethod\n def m(a): 1", "@staticmethod\n def m(): 1", "C.m(1)", Fit.BREAKS),
        ("@staticmethod\n def m(a): 1", "def m(self, a): 1", "self.m(1)", Fit.FITS),
        ("@property\n def m(self): 1", "@property\n def m(self, a): 1", "c.m()", Fit.UNKNOWN),
    ],
)
def test_fit_of_a_method(before: str, after: str, call: str, expected: Fit) -> None:
    one, other = (function(f"class C:\n {text}\n", "C.m") for text in (before, after))
    assert fit(one, other, caller(call)) is expected


def test_fit_of_a_constructor() -> None:
    before = function("class C:\n def __init__(self, a): 1\n", "C.__init__")
    after = function("class C:\n def __init__(self, a, b): 1\n", "C.__init__")
    assert fit(before, after, caller("C(1)")) is Fit.BREAKS
    assert fit(before, after, caller("module.C(1)")) is Fit.BREAKS


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        (["f(1)"], Fit.BREAKS),
        (["f(1, 2)"], Fit.FITS),
        (["f(1, b=2)"], Fit.FITS),
        (["f(1, 2)", "f(1)"], Fit.BREAKS),
        (["f(1, **k)"], Fit.UNKNOWN),
        ([], Fit.UNKNOWN),
    ],
)
def test_leaves_out(calls: list[str], expected: Fit) -> None:
    assert leaves_out(function("def f(a, b=1):\n    pass\n"), "b", caller(*calls)) is expected


@pytest.mark.parametrize(
    ("text", "name"), [("f(1)", "f"), ("await a.b.f(1)", "f"), ("x = f(1)", ""), ("\udc80(", ""), ("f(1)(2)", "f()")]
)
def test_called_name(text: str, name: str) -> None:
    assert called_name(text) == name
