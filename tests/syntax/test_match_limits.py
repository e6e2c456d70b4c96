"""How far a changed file could be read, and that no change takes more than bounded time."""

import pytest

from gatecli.model import (
    FileStatus,
    FileType,
    ParsedFile,
    ParseStatus,
)
from gatecli.syntax.kinds import kind_of
from tests.syntax.changes import BASE, changes, file_change, parsed, touched


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (file_change("x = 1\n", "x = 2\n"), (ParseStatus.PARSED, (), None)),
        (file_change("x = 1\n", "x = 2\n", path="a.txt"), (ParseStatus.NOT_PYTHON, (), None)),
        (
            file_change("x = 1\n", "x = 2\n", path="a.pyx"),
            (ParseStatus.NOT_PYTHON, (), "Cython is not parsed"),
        ),
        (
            file_change("{{ x }}\n", "{{ y|safe }}\n", path="shop/templates/cart.html"),
            (ParseStatus.NOT_PYTHON, (), "templates are not parsed"),
        ),
        (file_change("x = 1\n", "def f(:\n"), (ParseStatus.PARTIAL, (1,), "syntax errors: judged as far as it parses")),
        (file_change("def f(:\n", "x = 1\n"), (ParseStatus.PARTIAL, (), "syntax errors before the change")),
        (file_change("x = 1\n", b"\0\n"), (ParseStatus.NOT_PARSED, (), "the file contains NUL bytes")),
        (
            file_change(b"# \r\n\r", "x = 1\n"),
            (
                ParseStatus.NOT_PARSED,
                (),
                "the file contains bare carriage returns, which end a line for Python but not for git",
            ),
        ),
        (file_change("x\n", "y\n", type=FileType.SYMLINK), (ParseStatus.NOT_PARSED, (), "symlink")),
        (file_change(None, None, status=FileStatus.MODIFIED, binary=True), (ParseStatus.NOT_PARSED, (), None)),
        (
            file_change(None, None, status=FileStatus.MODIFIED, notes=("too large",)),
            (ParseStatus.NOT_PARSED, (), "too large"),
        ),
        (
            file_change("x = 1\n", "x = 2\n", partial=True),
            (ParseStatus.PARTIAL, (), "only the lines of the patch were at hand"),
        ),
        (file_change("x = 1\n", "x = 1\n", old_mode="100644", new_mode="100755"), (ParseStatus.PARSED, (), None)),
    ],
)
def test_how_a_file_was_read(file, expected):
    assert parsed(file) == (
        ParsedFile(
            path=file.path, status=expected[0], kind=kind_of(file.path), error_lines=expected[1], reason=expected[2]
        ),
    )


def test_a_syntax_error_does_not_hide_the_functions_around_it():
    broken = BASE.replace("tax = 1", "tax = = 1").replace("n * 2", "n * 3")
    assert "edited price" in touched(BASE, broken)


def test_conflict_markers_are_an_edit_and_an_error():
    broken = BASE.replace("    return n * 2\n", "<<<<<<< HEAD\n    return n * 2\n=======\n    return 3\n>>>>>>> x\n")
    assert parsed(file_change(BASE, broken))[0].status is ParseStatus.PARTIAL
    assert any(line.startswith("edited") for line in touched(BASE, broken))


# ---------------------------------------------------------------- bounds


N = 10_000
CASES = {
    "every function edited": (
        "".join(f"def f{i}(x):\n    return x + {i}\n\n" for i in range(N)),
        "".join(f"def f{i}(x):\n    return x - {i}\n\n" for i in range(N)),
        {"edited": N},
    ),
    "every function renamed": (
        "".join(f"def f{i}(x):\n    return x\n\n" for i in range(N)),
        "".join(f"def g{i}(x):\n    return x\n\n" for i in range(N)),
        {"renamed": N},
    ),
    "one name, many times": (
        "def f(x):\n    return x\n\n" * 5_000,
        "def f(x):\n    return x + 1\n\n" * 5_000,
        {"edited": 5_000},
    ),
    "large bodies that are alike": (
        "".join(f"def f{i}(x):\n" + "".join(f"    a{i}_{j} = b\n" for j in range(60)) for i in range(200)),
        "".join(f"def g{i}(x):\n" + "".join(f"    a{i}_{j} = c\n" for j in range(60)) for i in range(200)),
        None,
    ),
    "nested deeply, the outermost renamed": (
        "".join(" " * i + f"def f{i}():\n" for i in range(400)) + " " * 400 + "return 1\n",
        "".join(" " * i + f"def {'g' if not i else 'f'}{i}():\n" for i in range(400)) + " " * 400 + "return 1\n",
        None,
    ),
    "blocks nested 700 deep": (
        "def f():\n" + "".join(" " * i + "if x:\n" for i in range(1, 2_001)) + " " * 2_001 + "a = 1\n",
        "def f():\n" + "".join(" " * i + "if x:\n" for i in range(1, 2_001)) + " " * 2_001 + "a = 2\n",
        None,
    ),
    "brackets nested 700 deep": (
        "x = " + "(" * 700 + "1" + ")" * 700 + "\n",
        "x = " + "(" * 700 + "2" + ")" * 700 + "\n",
        {"edited": 1},
    ),
    "calls nested 700 deep": (
        "x = " + "f(" * 700 + "1" + ")" * 700 + "\n",
        "x = " + "f(" * 700 + "2" + ")" * 700 + "\n",
        {"edited": 1},
    ),
    "a sum of 2,900 terms": (
        "def f(x):\n    return x" + " + 1" * 2_900 + "\n",
        "def f(x):\n    return x" + " + 2" * 2_900 + "\n",
        {"edited": 1},
    ),
    "yields nested 700 deep": (
        "def f(x):\n    " + "(yield " * 700 + "1" + ")" * 700 + "\n",
        "def f(x):\n    " + "(yield " * 700 + "2" + ")" * 700 + "\n",
        {"edited": 1},
    ),
    "comparisons nested 700 deep": (
        "def f(x):\n    return " + "x < (" * 700 + "1" + ")" * 700 + "\n",
        "def f(x):\n    return " + "x < (" * 700 + "2" + ")" * 700 + "\n",
        {"edited": 1},
    ),
    "a long line": (
        "x = [" + ", ".join("1" for _ in range(50_000)) + "]\n",
        "x = [" + ", ".join("1" for _ in range(50_001)) + "]\n",
        {"edited": 1},
    ),
    "a line of lambdas": (
        ";".join(f"a{i} = lambda: {i}" for i in range(5_000)) + "\n",
        ";".join(f"a{i} = lambda: {i}" for i in range(5_000)) + "; x = 1\n",
        None,
    ),
    "50,000 generated lines": (
        "".join(f"v{i} = {i}\n" for i in range(50_000)),
        "".join(f"v{i} = {i + 1}\n" for i in range(50_000)),
        {"edited": 1},
    ),
    "50,000 strings": ("'''doc'''\n" * 50_000, "'''doc'''\n" * 50_001, {"edited": 1}),
}


@pytest.mark.parametrize("name", CASES)
def test_large_changes_take_bounded_time(name):
    before, after, expected = CASES[name]
    found = changes(file_change(before, after))
    if expected is not None:
        kinds = [change.kind.value for change in found]
        assert {kind: kinds.count(kind) for kind in set(kinds)} == expected
    assert found
