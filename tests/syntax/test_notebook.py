"""Notebooks: code cells by function, with the lines of the JSON file; and the place where a language is added."""

import contextlib
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecli.errors import EvidenceError
from gatecli.model import ParseStatus
from gatecli.syntax import decoding, languages, python
from gatecli.syntax.languages import read_module
from gatecli.syntax.notebook import SHARED_LINES
from tests.syntax.changes import changes, file_change, parsed, row
from tests.syntax.notebooks import cell, notebook

PRICING = '''import math


def net(price):
    """Of "one" article."""
    return math.floor(price)


def gross(price, vat=0.19):
    total = net(price) * (1 + vat)
    return total'''


def rows(before: str | bytes | None, after: str | bytes | None) -> list[str]:
    """The touched functions of a notebook."""
    return [row(change) for change in changes(file_change(before, after, "a.ipynb"))]


def code(text: str) -> dict[int, str]:
    """What gate reads of a notebook: the lines that are not blank, by number."""
    lines = read_module("a.ipynb", text.encode()).source.decode("utf-8", "surrogatepass").split("\n")
    assert len(lines) == text.count("\n") + 1
    return {number: line for number, line in enumerate(lines, 1) if line}


def of_cell(source: str) -> list[str]:
    """What gate reads of a cell, in its lines."""
    found = code(notebook(source))
    return [found.get(number, "") for number in range(min(found), max(found) + 1)]


def line_of(text: str, part: str) -> int:
    """The number of the line that holds a text."""
    return next(number for number, line in enumerate(text.split("\n"), 1) if part in line)


def test_functions_have_the_lines_of_the_file():
    text = notebook(cell("# Prices", "markdown"), PRICING, "print(gross(1))")
    module = read_module("a.ipynb", text.encode())
    assert {one.id.qualname: (one.span.first_line, one.span.end_line) for one in module.functions[1:]} == {
        "net": (line_of(text, "def net"), line_of(text, "math.floor")),
        "gross": (line_of(text, "def gross"), line_of(text, "return total")),
    }
    assert module.error_lines == ()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("math.floor", "math.ceil", ["edited net"]),
        ("    return total", "    return -total", ["edited gross"]),
        ("import math", "import math, sys", ["edited <module>"]),
        ("vat=0.19", "vat=0.07", ["edited gross"]),
        ("def net(price)", "def netto(price)", ["edited gross", "renamed net -> netto"]),
        ('Of "one" article', "Of an article", ["cosmetic net"]),
        ("    return total", "    return total\n\ndef tax(): return 1", ["added tax"]),
        ("    return total", "    return total\n\nprint(net(1))", ["edited <module>"]),
        ("\n    return total", "", ["edited gross"]),
    ],
)
def test_an_edit_in_a_cell_is_of_its_function(old, new, expected):
    before, after = notebook(PRICING), notebook(PRICING.replace(old, new).replace("total = net(", "total = net("))
    if new == "def netto(price)":
        after = after.replace("total = net(", "total = netto(")
    assert sorted(rows(before, after)) == expected
    assert parsed(file_change(before, after, "a.ipynb"))[0].status is ParseStatus.PARSED


def test_a_changed_line_is_the_line_of_the_file():
    before, after = notebook("x = 1", PRICING), notebook("x = 1", PRICING.replace("math.floor", "math.ceil"))
    (change,) = changes(file_change(before, after, "a.ipynb"))
    assert change.changed_lines == change.removed_lines == (line_of(after, "math.ceil"),)


def test_outputs_counts_and_text_are_no_code():
    output = {"name": "stdout", "output_type": "stream", "text": ["def f():\n", "    pass\n"]}
    before = notebook(cell("# Prices", "markdown"), PRICING, cell("def raw(): pass", "raw"))
    after = notebook(cell("# Costs", "markdown"), cell(PRICING, outputs=[output], execution_count=7))
    assert rows(before, after) == []
    assert {"def f():", "def raw(): pass"}.isdisjoint(code(after).values())


def test_cells_that_move_are_no_edit():
    assert rows(notebook("x = 1", PRICING), notebook("x = 1", cell("words", "markdown"), PRICING)) == []


def test_a_removed_notebook_and_a_new_one():
    assert rows(None, notebook(PRICING)) == ["added <module>", "added net", "added gross"]
    assert rows(notebook(PRICING), None) == ["removed <module>", "removed net", "removed gross"]


def test_a_function_moves_from_a_notebook_to_a_module():
    body = "def f(x):\n    for y in x:\n        print(y + 1)\n    return sum(x) * 2\n"
    found = changes(
        file_change(notebook("import a", body), notebook("import a"), "a.ipynb"), file_change("", body, "b.py")
    )
    assert [(one.kind.value, one.before.id.path, one.id.path) for one in found] == [("moved", "a.ipynb", "b.py")]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("%matplotlib inline", ['get_ipython().run_line_magic("matplotlib", "inline")']),
        ("!pip install x", ['get_ipython().system("pip install x")']),
        ("!!ls", ['get_ipython().getoutput("ls")']),
        ("?help", ['get_ipython().run_line_magic("pinfo", "help")']),
        ("a.b??", ['get_ipython().run_line_magic("pinfo", "a.b??")']),
        ("x = !ls -l", ['x = get_ipython().getoutput("ls -l")']),
        ("x = %env HOME", ['x = get_ipython().run_line_magic("env", "HOME")']),
        ("def f():\n    !ls\n    return 1", ["def f():", '    get_ipython().system("ls")', "    return 1"]),
        ("!pip \\\n  install x\ny = 1", ['get_ipython().system("pip \\\\"', '"  install x")', "y = 1"]),
        (
            "%%bash -e\ndef f(): pass\nls 'a",
            ['get_ipython().run_cell_magic("bash", "-e",', '"def f(): pass"', '"ls \'a")'],
        ),
        ("%%html", ['get_ipython().run_cell_magic("html", "",)']),
        ("%%time\ndef f():\n    pass", ['get_ipython().run_cell_magic("time", "",)', "def f():", "    pass"]),
        ("x = (a\n % b)\ny = 1", ["x = (a", " % b)", "y = 1"]),
        ("x = '''\n!ls\n'''", ["x = '''", "!ls", "'''"]),
        ("x = a \\\n % b", ["x = a \\", " % b"]),
        ("x = 'a(' # (\n!ls", ["x = 'a(' # (", 'get_ipython().system("ls")']),
        ("  def f():\n    return 1\n  x = 1", ["def f():", "  return 1", "x = 1"]),
        ("x = a == 1 and b != 2", ["x = a == 1 and b != 2"]),
        ("print('ä', '\\u2028', \"\\\\\")", ["print('ä', '\\u2028', \"\\\\\")"]),
    ],
)
def test_what_ipython_adds_is_a_call(source, expected):
    assert of_cell(source) == expected
    assert read_module("a.ipynb", notebook(source).encode()).error_lines == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [("!pip install x", "!pip install y"), ("%%bash\nls\npwd", "%%bash\nls\nrm -rf x"), ("x = %env A", "x = %env B")],
)
def test_an_edit_of_a_magic_is_seen(old, new):
    assert rows(notebook(old), notebook(new)) == ["edited <module>"]


@pytest.mark.parametrize(
    "unfinished",
    ["x = (", "x = '''", "def f(a,", "x = 1 \\", "@dec", "x = {'a': [", "f'{'", "!ls\nx = [", "class C(:", "x = '''\\"],
)
def test_an_unfinished_cell_does_not_swallow_the_next(unfinished):
    text = notebook("def a(): return 1", unfinished, "def b(): return 1")
    module = read_module("a.ipynb", text.encode())
    assert [one.id.qualname for one in module.functions] == ["<module>", "a", "b"]
    start = line_of(text, json.dumps(unfinished.split("\n")[0])[:-1])
    assert module.error_lines == tuple(range(start, start + unfinished.count("\n") + 1))
    (file,) = parsed(file_change(notebook("x = 1"), text, "a.ipynb"))
    assert (file.status, file.error_lines) == (ParseStatus.PARTIAL, module.error_lines)


def test_the_next_cell_does_not_continue_the_last():
    module = read_module("a.ipynb", notebook("def a():\n    x = 1", "    def b():\n        pass").encode())
    assert [one.id.qualname for one in module.functions] == ["<module>", "a", "b"]
    assert read_module("a.ipynb", notebook("if a:\n    pass", "else:\n    pass").encode()).error_lines


def test_python_that_the_grammar_does_not_know_is_no_error():
    assert of_cell("class C[T = int]:\n    x = 1") == ["class C[T = int]:", "    x = 1"]


SHARING = {
    "a cell in one string": notebook(cell("") | {"source": "def f():\n    return 1\n"}),
    "without layout": notebook("def f():\n    return 1", indent=None),
    "pieces of lines": notebook(cell("") | {"source": ["def f", "():\n", "    return 1"]}),
    "lines in one string": notebook(cell("") | {"source": ["x = 1\n", "def f():\n    return 1"]}),
    "a carriage return": notebook(cell("") | {"source": ["def f():\r", "    return 1"]}),
}


@pytest.mark.parametrize("text", SHARING.values(), ids=SHARING)
def test_code_that_shares_a_line_counts_as_a_whole_and_is_said(text):
    module = read_module("a.ipynb", text.encode())
    assert [one.id.qualname for one in module.functions] == ["<module>"]
    assert module.error_lines
    assert all(line.startswith("get_ipython().run_cell(") for line in code(text).values())
    after = text.replace("return 1", "return 2")
    assert rows(text, after) == ["edited <module>"]
    (file,) = parsed(file_change(text, after, "a.ipynb"))
    assert (file.status, file.reason) == (ParseStatus.PARTIAL, SHARED_LINES)


def test_one_line_in_one_string_is_a_line():
    text = notebook(cell("") | {"source": "def f(): return 1"})
    assert rows(text, text.replace('1"', '2"')) == ["edited f"]
    assert read_module("a.ipynb", text.encode()).error_lines == ()


def test_windows_line_ends_and_escaped_keys():
    text = notebook("x = 1", "def f():\n    return 1").replace('"source"', '"s\\u006furce"')
    crlf = text.replace("\n", "\r\n").encode()
    assert [one.span.first_line for one in read_module("a.ipynb", crlf).functions] == [1, line_of(text, "def f")]


HOSTILE = {
    "empty": (b"", "not JSON"),
    "no JSON": (b"def f(): pass", "not JSON"),
    "cut off": (notebook(PRICING)[:-30].encode(), "not JSON"),
    "conflict markers": (notebook("x").replace("{", "<<<<<<< HEAD\n{", 1).encode(), "not JSON"),
    "a list": (b"[]", "no cells"),
    "null": (b"null", "no cells"),
    "nbformat 3": (b'{"worksheets": [{"cells": []}]}', "no cells"),
    "cells of the wrong type": (b'{"cells": {"a": 1}}', "no cells"),
    "a cell that is a number": (b'{"cells": [1]}', "cell 1"),
    "a source that is a number": (b'{"cells": [{"cell_type": "code", "source": 1}]}', "cell 1"),
    "a line that is a list": (b'{"cells": [{"cell_type": "code", "source": [["x"]]}]}', "cell 1"),
    "no type": (b'{"cells": [{"source": "x"}]}', "its type"),
    "a type that is a list": (b'{"cells": [{"source": "x", "cell_type": []}]}', "its type"),
    "two sources": (b'{"cells": [{"cell_type": "code", "source": "x", "source": "y"}]}', "two entries"),
    "two cells": (b'{"cells": [], "cells": []}', "two entries"),
    "deep": (b'{"cells": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "too deep"),
    "deep objects": (b'{"a":' * 200_000, "too deep"),
    "a number of many digits": (b'{"cells": [' + b"1" * 10_000 + b"]}", "not JSON"),
    "large": (b'{"cells": []}' + b" " * decoding.MAX_SOURCE_BYTES, "bytes"),
    "latin-1": (notebook("x = 'ä'").encode("latin-1"), "UTF-8"),
    "UTF-16": (notebook("x").encode("utf-16"), "UTF-8"),
    "NUL": (notebook("x = '\0'").encode(), "NUL"),
    "another language": (notebook("f <- 1", language="R").encode(), "'r'"),
    "another kernel": (b'{"cells": [], "metadata": {"kernelspec": {"language": "julia"}}}', "'julia'"),
}


@pytest.mark.parametrize(("source", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_notebook_is_judged_as_a_whole(source, reason):
    with pytest.raises(EvidenceError, match=reason):
        read_module("a.ipynb", source)
    (file,) = parsed(file_change(notebook("x = 1"), source, "a.ipynb"))
    assert file.status is ParseStatus.NOT_PARSED
    assert reason in file.reason


@pytest.mark.parametrize(
    "text",
    [
        '{"cells": []}',
        '{"cells": [], "metadata": []}',
        '{"cells": [{"cell_type": "code"}]}',
        '{"cells": [{"cell_type": "code", "source": []}, {"cell_type": "code", "source": ["", "\\n"]}]}',
        '{"cells": [{"cell_type": "code", "source": ["%%"]}, {"cell_type": "code", "source": ["!"]}]}',
        '{"metadata": {"cells": [{"source": ["x"]}], "source": "x"}, "cells": [], "source": ["x"]}',
        '{"cells": [{"cell_type": "code", "source": ["x = \'\\ud800\'"]}]}',
        '{"cells": [{"cell_type": "code", "metadata": {"source": ["a(\\n"]}, "source": ["x"], "a": [1, NaN, -1e9]}]}',
    ],
)
def test_odd_notebooks_are_read(text):
    for layout in (text, text.replace(",", ",\n").replace("[", "[\n")):
        assert read_module("a.ipynb", layout.encode()).functions[0].id.qualname == "<module>"


@pytest.mark.parametrize("line", ["(", '"' * 3, "\\", "!" * 9, "x = '", "%", "f'{", "?", "    "])
def test_large_notebooks_are_read(line):
    text = notebook("\n".join([line] * 2_000), *[line] * 2_000, line * 20_000)
    assert len(read_module("a.ipynb", text.encode()).source.split(b"\n")) == text.count("\n") + 1


ODD_LINES = st.lists(
    st.sampled_from(["def f():", "    x = 1", "!ls", "%%time", "'''", "(", ")", "\\", "", "x = %a", "\r"])
)


JSON = st.recursive(
    st.none() | st.text() | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["source", "cell_type", "metadata"]), inner)
    ),
    max_leaves=8,
)


@given(st.lists(ODD_LINES.map("\n".join), max_size=4))
def test_any_code_stands_in_its_line_of_the_file(cells):
    text = notebook(*cells)
    found = code(text)
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith('    "') and (words := set(re.findall(r"\w+", json.loads(line.strip().rstrip(","))))):
            assert words <= set(re.findall(r"\w+", found.pop(number)))
    assert not re.search(r"def|ls|x", "".join(found.values()))


@given(st.binary() | JSON.map(lambda cells: json.dumps({"cells": cells}).encode()))
def test_any_bytes_are_read_or_refused(source):
    with contextlib.suppress(EvidenceError):
        assert read_module("a.ipynb", source).source.count(b"\n") == source.count(b"\n")


@pytest.mark.parametrize("path", ["a.pyx", "a.pxd", "a.pxi", "a.html", "a.j2", "a.ipynb.txt"])
def test_other_files_are_not_read_by_function(path):
    (file,) = parsed(file_change("def f(): pass\n", "def f(): return 1\n", path))
    assert file.status is ParseStatus.NOT_PYTHON
    with pytest.raises(EvidenceError, match="no language"):
        read_module(path, b"")


def test_a_notebook_that_was_a_module():
    change = file_change("def f(): return 1\n", notebook("def f(): return 2"), "a.ipynb", "a.py")
    assert [row(one) for one in changes(change)] == ["moved <module>", "edited f"]


def test_a_language_is_one_line(monkeypatch):
    monkeypatch.setitem(languages.READERS, ".toy", lambda path, source: python.read(path, source.upper().lower()))
    (change,) = changes(file_change("def f(): return 1\n", "DEF F(): RETURN 2\n", "a.toy"))
    assert row(change) == "edited f"
    assert parsed(file_change("x\n", "y\n", "a.toy"))[0].status is ParseStatus.PARSED
