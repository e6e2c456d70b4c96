import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecli.errors import EvidenceError
from gatecli.model import Function, FunctionId, FunctionKind, Parameter, ParameterKind, Span
from gatecli.syntax import decoding, trees
from gatecli.syntax.decoding import as_utf8
from gatecli.syntax.python import is_python, owners, read_functions, read_module


def outline(source: str | bytes) -> list[tuple[str, str, tuple[int, int, int]]]:
    source = source.encode() if isinstance(source, str) else source
    return [
        (f.kind.value, f.id.qualname, (f.span.first_line, f.span.def_line, f.span.end_line))
        for f in read_functions("a.py", source)
    ]


EVERYTHING = '''\
import os
LIMIT = 3

@first
@second(
    1,
)
def plain(a, b=1):
    """Doc."""
    def inner():
        return (lambda: 1)()
    return inner

class Shop(Base):
    tax = 0.2
    rate = lambda self: 2

    def price(self):
        class Local:
            def deep(self):
                pass
        return Local

    @property
    async def total(self):
        yield 1

key = lambda item: item.price
if LIMIT:
    def plain():
        pass
else:
    def plain():
        pass
order.sort = lambda: None
if (found := lambda: 1):
    pass
'''


def test_every_construct():
    assert outline(EVERYTHING) == [
        ("module", "<module>", (1, 1, 37)),
        ("function", "plain", (4, 8, 12)),
        ("function", "plain.inner", (10, 10, 11)),
        ("class_body", "Shop", (14, 14, 26)),
        ("lambda", "Shop.rate", (16, 16, 16)),
        ("method", "Shop.price", (18, 18, 22)),
        ("class_body", "Shop.price.Local", (19, 19, 21)),
        ("method", "Shop.price.Local.deep", (20, 20, 21)),
        ("method", "Shop.total", (24, 25, 26)),
        ("lambda", "key", (28, 28, 28)),
        ("function", "plain#2", (30, 30, 31)),
        ("function", "plain#3", (33, 33, 34)),
        ("lambda", "sort", (35, 35, 35)),
        ("lambda", "found", (36, 36, 36)),
    ]


def test_one_function_with_all_it_says():
    source = (
        b"class A:\n    @one\n    @two.three(4)\n    async def f(self, a: int = 1, *, b) -> str:\n        yield a\n"
    )
    assert read_functions("shop/a.py", source)[2] == Function(
        id=FunctionId(path="shop/a.py", qualname="A.f"),
        kind=FunctionKind.METHOD,
        span=Span(first_line=2, def_line=4, end_line=5),
        parameters=(
            Parameter(name="self", kind=ParameterKind.POSITIONAL),
            Parameter(name="a", kind=ParameterKind.POSITIONAL, default="1", annotation="int"),
            Parameter(name="b", kind=ParameterKind.KEYWORD_ONLY),
        ),
        returns="str",
        is_async=True,
        is_generator=True,
        decorators=("one", "two.three(4)"),
    )


POSITIONAL_ONLY, POSITIONAL, KEYWORD_ONLY = (
    ParameterKind.POSITIONAL_ONLY,
    ParameterKind.POSITIONAL,
    ParameterKind.KEYWORD_ONLY,
)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(): pass", []),
        ("def f(a, b): pass", [("a", POSITIONAL, None), ("b", POSITIONAL, None)]),
        ("def f(a, /, b): pass", [("a", POSITIONAL_ONLY, None), ("b", POSITIONAL, None)]),
        ("def f(a=1, /): pass", [("a", POSITIONAL_ONLY, "1")]),
        ("def f(*, a=(1, 2)): pass", [("a", KEYWORD_ONLY, "(1, 2)")]),
        (
            "def f(*args: int, b, **rest): pass",
            [
                ("args", ParameterKind.VAR_POSITIONAL, None),
                ("b", KEYWORD_ONLY, None),
                ("rest", ParameterKind.VAR_KEYWORD, None),
            ],
        ),
        (
            "f = lambda a, *b, c=1, **d: 0",
            [
                ("a", POSITIONAL, None),
                ("b", ParameterKind.VAR_POSITIONAL, None),
                ("c", KEYWORD_ONLY, "1"),
                ("d", ParameterKind.VAR_KEYWORD, None),
            ],
        ),
        ("f = lambda: 0", []),
        ("def f[T: int](a: T = {'x': lambda: 1}): pass", [("a", POSITIONAL, "{'x': lambda: 1}")]),
    ],
)
def test_parameters(source, expected):
    function = read_functions("a.py", source.encode())[1]
    assert [(p.name, p.kind, p.default) for p in function.parameters] == expected


@pytest.mark.parametrize(
    ("source", "generators"),
    [
        ("def f():\n    yield 1\n", ["f"]),
        ("def f():\n    x = yield from g()\n", ["f"]),
        ("def f():\n    def g():\n        yield\n    return g\n", ["f.g"]),
        ("def f():\n    def g():\n        pass\n    yield g\n", ["f"]),
        ("def f():\n    return (x for x in y)\n", []),
        ("f = lambda: (yield)\n", ["f"]),
        ("class A:\n    def f(self):\n        yield\n    def g(self):\n        pass\n", ["A.f"]),
    ],
)
def test_a_generator_yields_itself(source, generators):
    assert [f.id.qualname for f in read_functions("a.py", source.encode()) if f.is_generator] == generators


def test_a_repeated_name_counts_on_every_level():
    source = "class A:\n    def f(): pass\n    def f():\n        def g(): pass\nclass A:\n    def f(): pass\n"
    assert [row[1] for row in outline(source)] == ["<module>", "A", "A.f", "A.f#2", "A.f#2.g", "A#2", "A#2.f"]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (b"x = 1\n", "x = 1\n"),
        (codecs.BOM_UTF8 + b"x = 1\n", "x = 1\n"),
        (b"x = 1\r\ny = 2\r\n", "x = 1\ny = 2\n"),
        (codecs.BOM_UTF8 + b"# coding: utf-8\r\nx = 1\n", "# coding: utf-8\nx = 1\n"),
        ("# coding: latin-1\nx = 'é'\n".encode("latin-1"), "# coding: latin-1\nx = 'é'\n"),
        ("# -*- coding: cp1251 -*-\nx = 'д'\n".encode("cp1251"), "# -*- coding: cp1251 -*-\nx = 'д'\n"),
        (
            "#!/bin/x\n# vim: set fileencoding=gbk :\n'中'\n".encode("gbk"),
            "#!/bin/x\n# vim: set fileencoding=gbk :\n'中'\n",
        ),
        ("# coding: utf-8\nx = 'é'\n".encode("latin-1"), "# coding: utf-8\nx = 'é'\n"),
        ("x = 'é'\n".encode("latin-1"), "x = 'é'\n"),
        (b"# coding: nonsense\nx = 1\n", "# coding: nonsense\nx = 1\n"),
        ("# coding: latin-1 é\nx = 1\n".encode("latin-1"), "# coding: latin-1 é\nx = 1\n"),
        ("# coding: iso_8859_1-unix\n'é'\n".encode("latin-1"), "# coding: iso_8859_1-unix\n'é'\n"),
        ("# coding: utf-8-unix\n'é'\n".encode(), "# coding: utf-8-unix\n'é'\n"),
        ("\r\n# coding=cp1251\n'д'\n".encode("cp1251"), "\n# coding=cp1251\n'д'\n"),
        ("x = 1\n# coding: cp1251\n'д'\n".encode(), "x = 1\n# coding: cp1251\n'д'\n"),
        ("#\n#\n# coding: cp1251\n'д'\n".encode(), "#\n#\n# coding: cp1251\n'д'\n"),
        (codecs.BOM_UTF8 + "# coding: cp1251\n'д'\n".encode(), "# coding: cp1251\n'д'\n"),
        (b"# coding: rot13\nx = 1\n", "# coding: rot13\nx = 1\n"),
        (b"", ""),
    ],
)
def test_source_is_decoded_as_python_would(source, text):
    assert as_utf8(source).decode() == text


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (b"x = 1\0\n", "NUL bytes"),
        (b"# harmless\rimport os\n", "bare carriage returns"),
        (b"x = 1\r", "bare carriage returns"),
        (b"# coding: unicode_escape\n# \\u000aimport os\n", "comments can hold code"),
        (b"# coding: raw_unicode_escape\n# \\u000aimport os\n", "comments can hold code"),
        (b"# coding: utf-7\n# +AAo-import os\n", "comments can hold code"),
        (b"# coding: punycode\n", "comments can hold code"),
        (b"\x0c#\r\n# vim: set fileencoding=UTF7 :\r\n", "comments can hold code"),
        (b"# coding: utf-16\nx = 12\n", "changes its lines"),
        (b"# coding: utf-16-le\nx = 1\n", "changes its lines"),
    ],
)
def test_source_in_which_code_can_hide_is_not_judged_by_its_lines(source, reason):
    with pytest.raises(EvidenceError, match=reason):
        as_utf8(source)


def test_a_file_beyond_the_bound_is_not_parsed(monkeypatch):
    monkeypatch.setattr(decoding, "MAX_SOURCE_BYTES", 5)
    with pytest.raises(EvidenceError, match="has 6 bytes"):
        as_utf8(b"x = 1\n")


@pytest.mark.parametrize(
    ("source", "functions", "errors"),
    [
        ("def f(:\n    pass\n\ndef g():\n    pass\n", ["<module>", "f", "g"], (1,)),
        ("def f():\n    x = = 1\n\ndef g():\n    pass\n", ["<module>", "f", "g"], (2,)),
        ("<<<<<<< HEAD\ndef f():\n    pass\n=======\n>>>>>>> x\n", ["<module>", "f"], (1, 4)),
        ("print 'two'\n", ["<module>"], ()),
        ("def f():\n", ["<module>", "f"], ()),
        ("", ["<module>"], ()),
    ],
)
def test_syntax_errors_are_judged_as_far_as_it_parses(source, functions, errors):
    found = read_module("a.py", source.encode())
    assert [f.id.qualname for f in found.functions] == functions
    assert set(errors) <= set(found.error_lines)
    assert bool(errors) == bool(found.error_lines)


@pytest.mark.parametrize("bracket", ["((a,", "def f(", "lazy ", "f'{"])
def test_a_file_of_unfinished_code_is_read(bracket):
    """A query for the errors took time by the square of these: hours for a file within the bound."""
    assert read_module("a.py", bracket.encode() * 50_000).functions[0].kind is FunctionKind.MODULE


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("lazy import a\nlazy from b import c\n", ()),
        ("lazy\n?\nimport a\n", (2,)),
        ("class A[T = int]:\n    x = )\n", (2,)),
        ("x = (\n\n", (1,)),
    ],
)
def test_the_lines_of_errors_are_those_that_python_cannot_place(source, lines):
    assert read_module("a.py", source.encode()).error_lines == lines


@pytest.mark.parametrize(
    ("path", "expected"),
    [("a.py", True), ("a.pyi", True), ("a.pyc", False), ("a.txt", False), ("py", False), (".py", True)],
)
def test_python_is_told_by_its_ending(path, expected):
    assert is_python(path) is expected


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("".join(f"v{i} = {{'a': {i}, 'b': [1, 2]}}\n" for i in range(20_000)), 1),
        ("".join(f"def f{i}(x):\n    return x + {i}\n\n" for i in range(10_000)), 10_001),
        ("".join("    " * i + f"def f{i}():\n" for i in range(400)) + "    " * 400 + "pass\n", None),
        ("".join(" " * i + f"if a{i}:\n" for i in range(1_000)) + " " * 1_000 + "pass\n", None),
        ("x = " + "(" * 1_400 + "1" + ")" * 1_400 + "\n", 1),
        ("x = " + "[" * 2_000 + "]" * 2_000 + "\n", 1),
        ("x = " + "f(" * 1_400 + ")" * 1_400 + "\n", 1),
        ("x = " + "lambda: " * 1_400 + "1\n", None),
        ("x = " + "not " * 2_900 + "y\n", 1),
        ("def f(" * 2_000, None),
        ("x = [" + ", ".join("1" for _ in range(250_000)) + "]\n", 1),
        ("x = '" + "a" * 2_000_000 + "'\n", 1),
        (";".join(f"a{i} = lambda: {i}" for i in range(10_000)) + "\n", 10_001),
        ("@d\n" * 10_000 + "def f(): pass\n", 2),
        ("f'" + "{x:" * 300 + "}" * 300 + "'\n", None),
    ],
    ids=[
        "20,000 lines",
        "10,000 functions",
        "nested functions",
        "nested blocks",
        "parentheses",
        "lists",
        "calls",
        "lambdas",
        "not",
        "open definitions",
        "long list",
        "long string",
        "one line",
        "decorators",
        "f-string",
    ],
)
def test_large_and_deep_files_are_read(source, count):
    functions = read_functions("a.py", source.encode())
    assert functions[0].kind is FunctionKind.MODULE
    assert count is None or len(functions) == count


@pytest.mark.parametrize(
    "source",
    [
        "x = " + "(" * 5_000 + "1" + ")" * 5_000 + "\n",
        "x = f" + "()" * 20_000 + "\n",
        "x = " + "lambda: " * 50_000 + "1\n",
        "x = " + "not " * 20_000 + "y\n",
        "def f():\n    pass\nx = 1" + " + 1" * 3_300 + "\n",
    ],
    ids=["brackets", "calls", "lambdas", "not", "a sum"],
)
def test_what_is_nested_deeper_than_python_compiles_is_refused(source):
    with pytest.raises(EvidenceError, match=r"^line \d+ is nested more than 3,000 levels deep$"):
        read_functions("a.py", source.encode())


def test_a_tree_beyond_the_bound_is_refused():
    with pytest.raises(EvidenceError, match="its syntax tree has 640,008 nodes, more than the 600,000"):
        read_functions("a.py", b"x = [" + b"1," * 320_000 + b"]\n")


@pytest.mark.parametrize("bracket", ["(", "[", "{"])
def test_a_file_of_open_brackets_is_refused(bracket):
    """At each of them a query looks through all that follow: minutes for a file within the other bounds."""
    read_functions("a.py", bracket.encode() * 900)
    with pytest.raises(EvidenceError, match=r"line 2 has more than 1,000 marks in a row that the grammar cannot place"):
        read_functions("a.py", b"x = 1\n" + bracket.encode() * 50_000)


def test_the_parser_gives_up_on_what_is_no_python():
    with pytest.raises(EvidenceError, match="the parser gave up"):
        read_functions("a.py", b'<div class="x">\n<p>hello & world</p></div>\n' * 60_000)


def test_a_large_file_of_python_is_parsed_as_a_small_one(monkeypatch):
    source = b"".join(b"def f%d(x):\n    return [x, 'a'] + g(%d)\n\n" % (i, i) for i in range(8_000))
    assert len(source) > trees.MAX_UNWATCHED_BYTES
    watched = trees.parse(source)
    monkeypatch.setattr(trees, "MAX_UNWATCHED_BYTES", len(source))
    assert str(watched.root_node) == str(trees.parse(source).root_node)
    assert watched.root_node.named_children[-1].text is not None


SNIPPETS = st.lists(
    st.sampled_from(
        [
            "def f():\n",
            "    return 1\n",
            "class A:\n",
            "    def g(self):\n",
            "        pass\n",
            "@d\n",
            "x = lambda: 1\n",
            "if x:\n",
            "\n",
            "# c\n",
            "'''doc'''\n",
            "(",
            ")",
            "\t",
            "\\\n",
            "async ",
            "yield\n",
            "f'{x}'\n",
            "\x0c",
            "é",
        ]
    ),
    max_size=30,
).map("".join)


@given(st.one_of(st.binary(max_size=200), SNIPPETS.map(str.encode)))
def test_any_bytes_are_read_or_refused(source):
    try:
        functions = read_functions("a.py", source)
    except EvidenceError:
        return
    assert functions[0].id.qualname == "<module>"
    assert len({function.id for function in functions}) == len(functions)
    lines = source.count(b"\n") + 1
    for function in functions:
        span = function.span
        assert 1 <= span.first_line <= span.def_line <= span.end_line <= lines + 1


def _owner(functions: tuple[Function, ...], line: int) -> int:
    """The last function to start of those that hold the line, or the module body."""
    holders = [i for i, function in enumerate(functions) if i and line in function.span]
    return holders[-1] if holders else 0


@given(SNIPPETS, st.lists(st.integers(min_value=1, max_value=60), max_size=40))
def test_owners_are_the_innermost_functions(source, lines):
    functions = read_functions("a.py", source.encode())
    assert owners(functions, lines) == {line: _owner(functions, line) for line in lines}
