"""Every construct of Python 3.8 to 3.15: the function list, that it parses, and that a change to it is seen.

Each case is a source, its functions, and an edit of one token with the function that the edit touches.
"""

import pytest

from gatecli.model import FunctionKind, ParseStatus
from gatecli.syntax.python import read_functions, read_module
from tests.syntax.changes import file_change, parsed, touched

CONSTRUCTS = {
    "decorators": (
        "@first\n@second(1)\n@third[0].of(2)\n@(lambda f: f)\ndef f(): ...\n",
        ["f"],
        ("second(1)", "second(2)", "f"),
    ),
    "a decorated class": ("@dataclass(frozen=True)\nclass C:\n    x: int\n", ["C"], ("True", "False", "C")),
    "async": (
        "async def f(x):\n    async with a() as b, c:\n        pass\n    async for y in x:\n        await y\n"
        "    else:\n        pass\n    return [z async for z in x if await z]\n",
        ["f"],
        ("if await z", "if z", "f"),
    ),
    "generators": ("def f(x):\n    y = yield x\n    yield from y\n", ["f"], ("yield from y", "yield y", "f")),
    "nested": (
        "def f():\n    class C:\n        def g(self):\n            def h(): return 1\n            return h\n"
        "    return C\n",
        ["f", "f.C", "f.C.g", "f.C.g.h"],
        ("return 1", "return 2", "f.C.g.h"),
    ),
    "overloads": (
        "@overload\ndef f(a: int) -> int: ...\n@overload\ndef f(a: str) -> str: ...\ndef f(a): return a\n",
        ["f", "f#2", "f#3"],
        ("return a", "return -a", "f#3"),
    ),
    "a property with its setter and deleter": (
        "class C:\n    @property\n    def x(self): return 1\n    @x.setter\n    def x(self, v): self.v = v\n"
        "    @x.deleter\n    def x(self): del self.v\n",
        ["C", "C.x", "C.x#2", "C.x#3"],
        ("self.v = v", "self.v = -v", "C.x#2"),
    ),
    "conditional definitions": (
        "if A:\n    def f(): return 1\nelif B:\n    def f(): return 2\nelse:\n    f = None\n",
        ["f", "f#2"],
        ("return 2", "return 3", "f#2"),
    ),
    "definitions in try": (
        "try:\n    from a import f\nexcept ImportError:\n    def f(): return 1\n",
        ["f"],
        ("return 1", "return 2", "f"),
    ),
    "definitions in with, for and match": (
        "with a:\n    def f(): return 1\nfor x in y:\n    def g(): return 2\nmatch x:\n    case 1:\n"
        "        def h(): return 3\n",
        ["f", "g", "h"],
        ("return 3", "return 4", "h"),
    ),
    "duplicate definitions": (
        "def f(): return 1\ndef f(): return 2\nclass C:\n    def f(self): return 3\n"
        "class C:\n    def f(self): return 4\n",
        ["f", "f#2", "C", "C.f", "C#2", "C#2.f"],
        ("return 4", "return 5", "C#2.f"),
    ),
    "lambdas with names": (
        "f = lambda: 1\nself.g = lambda x: x\nif (h := lambda: 2): pass\nk: F = lambda: 3\n",
        ["f", "g", "h", "k"],
        ("x: x", "x: -x", "g"),
    ),
    "lambda defaults": (
        "def f(key=lambda a, *b, c=1, **d: a): return key\n",
        ["f"],
        ("c=1", "c=2", "f"),
    ),
    "every kind of parameter": (
        "def f(a, b: int = 1, /, c=2, *args, d, e: str = 'x', **rest) -> None: ...\n",
        ["f"],
        ("c=2", "c=3", "f"),
    ),
    "3.8 positional only, walrus, f-string with =": (
        "def f(a, /):\n    if (n := len(a)) > 3:\n        return f'{n = }'\n",
        ["f"],
        ("{n = }", "{n=}", "f"),
    ),
    "3.9 any expression decorates": ("@a[0].b(c).d\n@(x := e)\ndef f(): ...\n", ["f"], ("a[0]", "a[1]", "f")),
    "3.10 match": (
        "def f(x):\n    match x:\n        case Point(x=0, y=y) if y > 0: return 1\n"
        "        case [a, *rest] | (a, rest): return 2\n        case {'k': v, **kw}: return 3\n"
        "        case 'a' | b'c' | -1 | 1+2j | None | True: return 4\n        case str() as s: return 5\n"
        "        case A.B: return 6\n        case _: return 7\n",
        ["f"],
        ("x=0", "x=1", "f"),
    ),
    "3.10 soft keywords are names elsewhere": (
        "match = case = type = 1\ndef match(case, type, _): return match(case)\nclass type: ...\n"
        "match[a] = 1\ntype(x)\n",
        ["match", "type"],
        ("match(case)", "match(type)", "match"),
    ),
    "3.10 with in parentheses": (
        "def f():\n    with (open(a) as b, open(c) as d,):\n        pass\n",
        ["f"],
        ("open(c)", "open(e)", "f"),
    ),
    "3.11 except*": (
        "def f():\n    try: a()\n    except* ValueError as e: b()\n    except* (A, B): c()\n",
        ["f"],
        ("(A, B)", "(A, C)", "f"),
    ),
    "PEP 646 variadic generics": (
        "def f(*args: *Ts) -> tuple[*Ts]: return a[*b]\n",
        ["f"],
        ("*args: *Ts", "*args: *Us", "f"),
    ),
    "PEP 695 type parameters": (
        "def f[T](a: T) -> T: ...\nclass C[T, *Ts, **P](B[T]):\n    def m[U: (int, str)](self, a: U) -> U: ...\n"
        "type A[T] = list[T]\n",
        ["f", "C", "C.m"],
        ("(int, str)", "(int, bytes)", "C.m"),
    ),
    "PEP 696 defaults of type parameters": (
        "def f[T = int](a: T) -> T: ...\nclass C[T: str = str, *Ts = *tuple[int], **P = [int]]:\n"
        "    def m(self): ...\ntype A[T = int] = list[T]\n",
        ["f", "C", "C.m"],
        ("def f[T = int]", "def f[T = str]", "f"),
    ),
    "PEP 701 f-strings": (
        'def f(x):\n    return f"{f"{x["a"]!r:>{w}}"}{\'\\n\'.join(x)}{\n        x  # why\n    }{(lambda: 1)()}"\n',
        ["f"],
        ('x["a"]', 'x["b"]', "f"),
    ),
    "PEP 701 formatting a format": ("def f(x): return f'{x:{w}.{p}}'\n", ["f"], ("{p}", "{q}", "f")),
    "PEP 750 t-strings": (
        "def f(x): return t'hello {x!r:>{w}}' + rt'\\d' + T'{y}'\n",
        ["f"],
        ("hello {x", "hello {z", "f"),
    ),
    "PEP 758 except without parentheses": (
        "def f():\n    try: a()\n    except A, B: b()\ndef g():\n    try: a()\n    except* C, D: c()\n",
        ["f", "g"],
        ("C, D", "C, E", "g"),
    ),
    "PEP 765 return in finally": (
        "def f():\n    try: return 1\n    finally: return 2\n",
        ["f"],
        ("finally: return 2", "finally: return 3", "f"),
    ),
    "PEP 810 lazy imports": (
        "lazy import a\nlazy from b import c\nlazy = 1\ndef f(): return lazy(a)\n",
        ["f"],
        ("lazy import a", "import a", "<module>"),
    ),
    "unpacking": (
        "def f(x):\n    a, *b = *x, 1\n    for c in *a, b: print(*c, **d)\n    return {**a, **b}, [*a], {*b}\n",
        ["f"],
        ("[*a]", "[*b]", "f"),
    ),
    "comprehensions": (
        "def f(x):\n    return {a: b for a, b in x if a for c in b}, {a for a in x}, (a for a in x), "
        "[y := 1 for a in x]\n",
        ["f"],
        ("if a for", "if b for", "f"),
    ),
    "operators": (
        "def f(x):\n    x @= y @ z\n    return not a < b <= c is not d not in e and -x ** ~y // 2\n",
        ["f"],
        ("//", "/", "f"),
    ),
    "numbers": ("def f(): return 1_000 + 0xFF + 0o17 + 0b1 + 1e3 + 1j\n", ["f"], ("1_000", "1_001", "f")),
    "statements": (
        "def f():\n    global x, y\n    del a, b[0]\n    assert c, d\n    raise E from None\n",
        ["f"],
        ("from None", "from e", "f"),
    ),
    "line continuation": ("def f(a, \\\n      b):\n    return a + \\\n        b\n", ["f"], ("+ \\", "- \\", "f")),
    "names in any alphabet": (
        "def größe(ñ): return ñ\nclass Ünder: ...\n",
        ["größe", "Ünder"],
        ("ñ\n", "-ñ\n", "größe"),
    ),
}


@pytest.mark.parametrize("name", CONSTRUCTS)
def test_the_function_list_of_a_construct(name):
    source, functions, (old, new, changed) = CONSTRUCTS[name]
    module = read_module("a.py", source.encode())
    assert [function.id.qualname for function in module.functions[1:]] == functions
    assert module.error_lines == ()
    assert source.count(old) == 1
    assert touched(source, source.replace(old, new)) == [f"edited {changed}"]


def test_a_stub_is_read_as_source():
    source = (
        b"from typing import overload\nX: int\n@overload\ndef f(a: int) -> int: ...\n"
        b"@overload\ndef f(a: str) -> str: ...\n"
        b"class C:\n    y: int\n    @property\n    def z(self) -> int: ...\n    async def w(self) -> None: ...\n"
    )
    found = read_functions("shop/a.pyi", source)
    assert [(function.kind, function.id.qualname) for function in found] == [
        (FunctionKind.MODULE, "<module>"),
        (FunctionKind.FUNCTION, "f"),
        (FunctionKind.FUNCTION, "f#2"),
        (FunctionKind.CLASS_BODY, "C"),
        (FunctionKind.METHOD, "C.z"),
        (FunctionKind.METHOD, "C.w"),
    ]
    change = file_change(source, source.replace(b"-> str", b"-> bytes"), path="shop/a.pyi")
    assert parsed(change)[0].status is ParseStatus.PARSED


@pytest.mark.parametrize(
    ("source", "functions"),
    [
        # What the grammar does not know yet (PEP 798): the file is judged as far as it parses, and says so.
        ("def f(x): return [*y for y in x]\ndef g(): return {**y for y in x}\ndef h(): ...\n", ["f", "g", "h"]),
        ("def f(x):\n    lazy\n    import a\n    def g(: ...\ndef h(): ...\n", ["f", "h"]),
        ("def f[T =](a): ...\ndef g(): ...\nx = = 1\n", ["f", "g"]),
    ],
)
def test_what_is_not_understood_is_said_and_the_functions_around_it_are_right(source, functions):
    module = read_module("a.py", source.encode())
    assert module.error_lines
    assert set(functions) <= {function.id.qualname for function in module.functions}
