import ast
import random
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecli.syntax import normalise
from gatecli.syntax.python import read_module
from tests.import_order import SortedImports


def same(one: str | bytes, other: str | bytes) -> bool:
    """Whether the first functions do the same, or the modules where there is none."""
    modules = [read_module("a.py", body if isinstance(body, bytes) else body.encode()) for body in (one, other)]
    indexes = [min(1, len(module.functions) - 1) for module in modules]
    return normalise.same_own_code(modules[0], indexes[0], modules[1], indexes[1])


UNIX = "def f():\n    return '''é\nb'''\n"


def f(body: str) -> str:
    return "def f(a, b, d):\n" + "".join(f"    {line}\n" for line in body.split("\n"))


COSMETIC = [
    ("x = 1", "x  =  1  # why"),
    ("x = 1", "# before\n\nx = 1\n# after"),
    ("x = 1", '"""Doc."""\nx = 1'),
    ('"""Doc."""\nx = 1', "'''Other\n\n    doc.'''\n\nx = 1"),
    ("'Doc.' 'more'\nx = 1", "x = 1"),
    ("# first\n'Doc.'\nx = 1", "x = 1"),
    ("x = 'a'", 'x = "a"'),
    ("x = 'a'", 'x = """a"""'),
    ("x = r'\\d'", 'x = R"\\d"'),
    ('x = "a \\"b\\" \'c\'"', "x = 'a \"b\" \\'c\\''"),
    ("x = f'{a}\\'{b}'", 'x = f"{a}\'{b}"'),
    ("x = u'a'", "x = 'a'"),
    ("x = rb'a'", "x = Br'a'"),
    ("g(1, 2)", "g(\n    1,\n    2,\n)"),
    ("g(1, a=2)", "g(1, a=2,)"),
    ("x = [1, 2]", "x = [\n    1,\n    2,  # two\n]"),
    ("x = {1}", "x = {1,}"),
    ("x = {1: 2}", "x = {1: 2,}"),
    ("x = (1, 2)", "x = (1, 2,)"),
    ("x = d[1, 2]", "x = d[1, 2,]"),
    ("x = a + b", "x = (a + b)"),
    ("x = a + b", "x = (\n    a\n    + b\n)"),
    ("x = a + b", "x = a + \\\n    b"),
    ("return a", "return (a)"),
    ("if (a):\n    pass", "if a: pass"),
    ("assert a, b", "assert (a), (b)"),
    ("from x import y", "from x import (y,)"),
    ("x = (a * b) + d", "x = a * b + d"),
    ("print (a)", "print(a)"),
    ("x = a, g(1)", "x = a, g(\n    1\n)"),
    ("import b\nimport a\nx = 1", "import a\nimport b\nx = 1"),
    ("import b, a", "import a\nimport b"),
    ("from x import b, a", "from x import (\n    a,\n    b,  # why\n)"),
    ("from .x import b as c\nfrom . import a\nimport d.e", "import d.e\nfrom . import a\nfrom .x import b as c"),
    ("import a.b\nimport a.c", "import a.c\n\nimport a.b"),
    ("if a:\n    import c\n    import b", "if a:\n    import b\n    import c"),
]

SEMANTIC = [
    ("x = r'a\\'b'", "x = 'a\\'b'"),
    ("x = '\\\\\\'a'", "x = '\\\\a'"),
    ("x = r'\\\"'", "x = r'\"'"),
    ("x = f'{d[\"a\"]}\\\\'", "x = f'{d[\"a\"]}'"),
    ("import a\nx = 1\nimport b", "import b\nx = 1\nimport a"),  # what runs between may matter
    (
        "import gevent.monkey\ngevent.monkey.patch_all()\nimport ssl",
        "import gevent.monkey\nimport ssl\ngevent.monkey.patch_all()",
    ),
    ("from a import f\nfrom b import f", "from b import f\nfrom a import f"),
    ("from a import *\nfrom b import *", "from b import *\nfrom a import *"),
    ("import a.b\nimport x as a", "import x as a\nimport a.b"),
    ("import a", "import a as b"),
    ("import a\nimport b", "import a"),
    ("from .a import b", "from ..a import b"),
    ("from a import b", "import a.b"),
    ("from a.b import c", "from a import b, c"),
    ("x = 1", "x = 2"),
    ("x = a + b", "x = b + a"),
    ("x = a + b * d", "x = (a + b) * d"),
    ("x = a < b < d", "x = (a < b) < d"),
    ("if a:\n    g()\nh()", "if a:\n    g()\n    h()"),
    ("for x in a:\n    g()\nelse:\n    h()", "for x in a:\n    g()\nh()"),
    ("try:\n    g()\nfinally:\n    h()", "try:\n    g()\n    h()\nfinally:\n    pass"),
    ("with a:\n    g()\nh()", "with a:\n    g()\n    h()"),
    ("g()\nh()", "h()\ng()"),
    ("await g()", "g()"),
    ("g(*a)", "g(a)"),
    ("g(**a)", "g(*a)"),
    ("x: int = 1", "x: str = 1"),
    ("x = 'a'", "x = b'a'"),
    ("x = 'a'", "x = 'a '"),
    ("x = '\\n'", "x = r'\\n'"),
    ("x = 'a\\nb'", "x = 'c\\nd'"),
    ("x = f'{a}'", "x = '{a}'"),
    ("x = f'{a:>10}'", "x = f'{a:<10}'"),
    ("x = f'{a!r}'", "x = f'{a!s}'"),
    ("x = f'{a:{b}}'", "x = f'{a:{d}}'"),
    ("x = f'{a=}'", "x = f'{a}'"),
    ("x = f'{a = }'", "x = f'{a=}'"),
    ("x = f'{(a)=}'", "x = f'{a=}'"),
    ("x = f'a{{b}}'", "x = f'c{{d}}'"),
    ("x = 1", "f'{g()}'\nx = 1"),
    ("x = 1", "'a' f'{g()}'\nx = 1"),
    ("x = (1)", "x = (1,)"),
    ("x = d[1]", "x = d[1,]"),
    ("(a) = g()", "(a,) = g()"),
    ("for (a) in b: pass", "for (a,) in b: pass"),
    ("for a in b: pass", "for a, in b: pass"),
    ("return a", "return a,"),
    ("match a:\n    case (b): pass", "match a:\n    case (b,): pass"),
    ("x = [a]", "x = (a)"),
    ("x = (a for a in b)", "x = [a for a in b]"),
    ("g()\n'text'", "g()\n'other'"),
    ("global a", "nonlocal a"),
    ("x = a if b else d", "x = d if b else a"),
    ("x = not (a in b)", "x = (not a) in b"),
    ("del a", "del b"),
    ("x = -1", "x = +1"),
    ("x = a.b", "x = a[b]"),
    ("x = 1_0", "x = 1_1"),
    ("x = 1 ?? 2", "x = 1 ! 2"),
    ("return a,", "return (a)"),
    ("a, b, d = g()", "a, b,\nd = g()"),
    ("x = a, b", "x = a,\nb"),
    ("assert (a, b)", "assert a, b"),
    ("raise a from b", "raise a"),
    ("except_ = 1", "except_ = 1; g()"),
]


@pytest.mark.parametrize(("before", "after"), COSMETIC)
def test_layout_is_no_change(before, after):
    assert same(f(before), f(after))


@pytest.mark.parametrize(("before", "after"), SEMANTIC)
def test_code_is_a_change(before, after):
    assert not same(f(before), f(after))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("@d\ndef f(): pass", "@e\ndef f(): pass"),
        ("@d(1)\ndef f(): pass", "@d(2)\ndef f(): pass"),
        ("@a\n@b\ndef f(): pass", "@b\n@a\ndef f(): pass"),
        ("def f(): pass", "async def f(): pass"),
        ("def f(a): pass", "def f(b): pass"),
        ("def f(a=1): pass", "def f(a=2): pass"),
        ("def f(a: int): pass", "def f(a: str): pass"),
        ("def f(a, b): pass", "def f(a, *, b): pass"),
        ("def f() -> int: pass", "def f() -> str: pass"),
        ("class A(B): pass", "class A(C): pass"),
        ("class A: x = 1", "class A: x = 2"),
        ("f = lambda: 1", "f = lambda: 2"),
    ],
)
def test_the_head_of_a_definition_counts(before, after):
    assert not same(before, after)


@pytest.mark.parametrize(
    "other",
    [
        UNIX.replace("\n", "\r\n").encode(),
        ("\ufeff" + UNIX).encode(),
        ("# coding: latin-1\n" + UNIX).encode("latin-1"),
        ("# coding: latin-1\r\n" + UNIX.replace("\n", "\r\n")).encode("latin-1"),
    ],
)
def test_line_ends_and_encoding_are_layout(other):
    assert same(UNIX, other)
    assert not same(UNIX.replace("b", "c"), other)


def test_nested_functions_are_judged_apart():
    outer = "def f():\n    def g():\n        return {}\n    return g\n"
    assert same(outer.format(1), outer.format(2))
    assert not same(outer.format(1), outer.format(1).replace("    def g", "    x = 1\n    def g"))
    assert not same(outer.format(1), outer.format(1).replace("    return g", "    def h(): pass\n    return g"))
    body = "class A:\n    x = 1\n    def g(self):\n        return {}\n"
    assert same(body.format(1), body.format(2))
    assert not same(body.format(1), body.format(1).replace("x = 1", "x = 2"))


def test_the_shape_of_all_code_leaves_out_only_the_name():
    module = read_module("a.py", b"def f(n):\n    return n * f(n - 1)\n\ndef g(n):\n    return n * g(n - 1)\n")
    other = read_module("a.py", b"def f(n):\n    return n * f(n - 2)\n")
    assert normalise.body_shape(module, 1) == normalise.body_shape(module, 2)
    assert normalise.body_shape(module, 1) != normalise.body_shape(other, 1)
    assert normalise.body_shape(module, 1)[1] > 20


def test_similarity_counts_words():
    module = read_module("a.py", b"def f(n):\n    return g(n, n)  # n\n")
    bag = normalise.token_bag(module, 1)
    assert (bag[b"n"], bag[b"g"], bag[b"return"], bag[b"f"]) == (3, 1, 1, 0)


def test_own_text_leaves_out_nested_definitions():
    source = b"class A:\n    x = 1\n    @d\n    def f(self):\n        pass\n    y = 2\n\n    class B:\n        z = 3\n"
    module = read_module("a.py", source)
    assert normalise.own_text(module, 1) == (b"class A:", b"    x = 1", b"    y = 2", b"")
    assert normalise.own_text(module, 0) == (b"",) * (source.count(b"\n") - 9 + len(normalise.own_text(module, 0)))


# ---------------------------------------------------------------- a second opinion: the standard library's parser


class _Undocumented(ast.NodeTransformer):
    """Without docstrings, as the shape is: any plain string at the start of any block."""

    def generic_visit(self, node):
        super().generic_visit(node)
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list) and block and _is_text(block[0]):
                setattr(node, name, block[1:])
        return node


def _is_text(statement: ast.stmt) -> bool:
    value = statement.value if isinstance(statement, ast.Expr) else None
    if isinstance(value, ast.JoinedStr):
        return not any(isinstance(part, ast.FormattedValue) for part in value.values)
    return isinstance(value, ast.Constant) and isinstance(value.value, str | bytes)


def _parse(source: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd escapes and literals of mutants
        return ast.parse(source)


def meaning(source: str) -> str:
    """The syntax tree as text, without docstrings and ``u`` before strings, and with imports in order."""
    return ast.dump(SortedImports().visit(_Undocumented().visit(_parse(source)))).replace(", kind='u'", "")


CORPUS = [f(body) for pair in (*COSMETIC, *SEMANTIC) for body in pair if "??" not in body and "1 ! 2" not in body]


def parses(source: str) -> bool:
    """Whether the running Python accepts a source."""
    try:
        _parse(source)
    except (SyntaxError, ValueError):
        return False
    return True


VALID = [source for source in CORPUS if parses(source)]


def test_equal_shapes_mean_equal_syntax_trees():
    by_shape: dict[bytes, set[str]] = {}
    for source in VALID:
        by_shape.setdefault(shape_of_module(source), set()).add(meaning(source))
    assert [meanings for meanings in by_shape.values() if len(meanings) > 1] == []
    assert len(by_shape) > 60


@given(st.sampled_from(VALID), st.integers(min_value=0, max_value=2**32))
def test_a_mutated_function_has_another_shape_unless_it_means_the_same(source, seed):
    generator = random.Random(seed)
    position = generator.randrange(len(source))
    piece = generator.choice([*"()[]{},.:;=+-*'\"#fr \n\\x1", "    ", "''", "()", ", ", "not ", "await "])
    cut = generator.choice([0, 1, 1, 2])
    mutant = source[:position] + piece * (generator.random() < 0.8) + source[position + cut :]
    if not parses(mutant) or read_module("a.py", mutant.encode()).error_lines:
        return
    try:
        same_shape = shape_of_module(source) == shape_of_module(mutant)
    except Exception as error:
        raise AssertionError(mutant) from error
    if same_shape:
        assert meaning(source) == meaning(mutant), mutant


def shape_of_module(source: str) -> bytes:
    module = read_module("a.py", source.encode())
    return normalise.body_shape(module, 0)[0]
