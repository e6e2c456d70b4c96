"""Notebooks to functions: the code cells of an ``.ipynb`` file as a Python text with the lines of the file.

A line of the file that holds a line of a code cell becomes that line, every other line is blank: line numbers, hunks
and spans of the file hold without a map. The format is nbformat 4
(https://nbformat.readthedocs.io/en/latest/format_description.html), one line of code a line, as Jupyter writes it.

What IPython adds to Python stands as the call that it stands for
(https://ipython.readthedocs.io/en/stable/interactive/reference.html). A cell that is no Python, which a kernel refuses
as a whole, and a cell whose lines are not lines of the file, stand as texts: they define nothing, and a change to them
is a change of the notebook's body.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from gatecli.errors import EvidenceError
from gatecli.syntax.decoding import MAX_SOURCE_BYTES
from gatecli.syntax.python import Module, outlined
from gatecli.syntax.trees import error_lines, parse

SHARED_LINES = "cells whose lines are not lines of the file: their code counts as a whole"

_PYTHON = frozenset({"python", "python2", "python3", "ipython"})
# Cell magics whose cell is Python in the notebook's own namespace; the cell of any other is a text for it.
_TRANSPARENT = frozenset({"capture", "debug", "prun", "time", "timeit"})

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[][{},\n]')
_PIECE = re.compile(
    r"""'''|\"""|\#.*|\\.?|[][(){}]|'(?:[^'\\]|\\.)*'?|"(?:[^"\\]|\\.)*"?""",
)
_END_OF_TEXT = {quote: re.compile(rf"(?:[^\\]|\\.)*?{quote}") for quote in ("'''", '"""')}
_ESCAPED = re.compile(r"(\s*)(%|!!?|\?\??)(.+)")
_ASSIGNED = re.compile(r"""(\s*[^=#'"()]+=\s*)([%!])(.+)""")
_HELP = re.compile(r"(\s*)(%{0,2}[\w.*]+\?\??)\s*$")


@dataclass(frozen=True, slots=True)
class _Piece:
    """One string of a code cell's source: the line of the file (from 1), its JSON, its text."""

    line: int
    literal: str
    text: str


def read(path: str, source: bytes) -> Module:
    """Parse the code cells of a notebook.

    Raises:
        EvidenceError: it is too large, no JSON, no notebook of nbformat 4, or not one of Python.
    """
    if len(source) > MAX_SOURCE_BYTES:
        raise EvidenceError(f"the file has {len(source):,} bytes, more than the {MAX_SOURCE_BYTES:,} that are parsed")
    text = _decoded(source)
    is_code = [cell["cell_type"] == "code" for cell in _cells(_parsed(text))]
    by_cell: dict[int, list[_Piece]] = defaultdict(list)
    by_line: dict[int, list[_Piece]] = defaultdict(list)
    for cell, piece in _pieces(text):
        if is_code[cell] and piece.text:
            by_cell[cell].append(piece)
            by_line[piece.line].append(piece)
    lines = [""] * (text.count("\n") + 1)
    opaque: set[int] = set()
    is_shared = False
    for pieces in by_cell.values():
        has_own_lines = _has_own_lines(pieces) and all(len(by_line[piece.line]) == 1 for piece in pieces)
        is_shared |= not has_own_lines
        code = _code([piece.text.rstrip("\r\n") for piece in pieces]) if has_own_lines else None
        if code is None:
            opaque.update(piece.line for piece in pieces)
        else:
            for piece, line in zip(pieces, code, strict=True):
                lines[piece.line - 1] = line
    for number in opaque:
        lines[number - 1] = f"get_ipython().run_cell({' '.join(piece.literal for piece in by_line[number])})"
    module = outlined(path, "\n".join(lines).encode("utf-8", "surrogatepass"), crlf=b"\r\n" in source)
    return replace(
        module,
        error_lines=tuple(sorted(opaque.union(module.error_lines))),
        reason=SHARED_LINES if is_shared else None,
        is_derived=True,
    )


# --------------------------------------------------------------------------- the file


def _decoded(source: bytes) -> str:
    try:
        return source.decode()
    except UnicodeDecodeError as error:
        raise EvidenceError("the notebook is not UTF-8") from error


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except RecursionError as error:
        raise EvidenceError("the notebook is nested too deep") from error
    except ValueError as error:
        raise EvidenceError("the notebook is not JSON") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; of two entries with one name, readers take one or the other, so that code could hide."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise EvidenceError("the notebook has an object with two entries of one name")
    return found


def _cells(notebook: Any) -> list[dict[str, Any]]:
    """The cells of a notebook, of the right types."""
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise EvidenceError("the notebook has no cells (only nbformat 4 is read)")
    if (language := _language(notebook.get("metadata"))) not in _PYTHON:
        raise EvidenceError(f"the notebook is written in {language[:40]!r}, not in Python")
    for number, cell in enumerate(cells, 1):
        source = cell.get("source", "") if isinstance(cell, dict) else None
        strings = [source] if isinstance(source, str) else source
        if not isinstance(strings, list) or not all(isinstance(one, str) for one in strings):
            raise EvidenceError(f"cell {number} of the notebook has no source that is text")
        if not isinstance(cell.get("cell_type"), str):
            raise EvidenceError(f"cell {number} of the notebook does not say its type")
        if cell["cell_type"] == "code" and any("\0" in one for one in strings):
            raise EvidenceError(f"cell {number} of the notebook contains NUL characters")
    return cells


def _language(metadata: Any) -> str:
    """The language that a notebook names, Python where it names none."""
    for entry, name in (("language_info", "name"), ("kernelspec", "language")):
        said = metadata.get(entry) if isinstance(metadata, dict) else None
        language = said.get(name) if isinstance(said, dict) else None
        if isinstance(language, str) and language:
            return language.lower()
    return "python"


def _pieces(text: str) -> Iterator[tuple[int, _Piece]]:
    """The source strings of all cells, with the number of their cell; the text is JSON and has the right types."""
    line = 1
    place: list[str | int | None] = []  # of each open object or list: the key (None: a key comes next), the index
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark == "\n":
            line += 1
        elif mark in "{[":
            place.append(0 if mark == "[" else None)
        elif mark in "}]":
            place.pop()
        elif mark == ",":
            last = place[-1]
            place[-1] = last + 1 if isinstance(last, int) else None
        elif place[-1] is None:
            place[-1] = json.loads(mark)
        elif place[0] == "cells" and len(place) in (3, 4) and place[2] == "source" and isinstance(place[1], int):
            yield place[1], _Piece(line, mark, json.loads(mark))


def _has_own_lines(pieces: list[_Piece]) -> bool:
    """Whether each string of a cell is one line of its code."""
    *firsts, last = (re.sub(r"\r?\n\Z", "", piece.text) for piece in pieces)
    ends = all(piece.text.endswith("\n") for piece in pieces[:-1])
    return ends and not any("\n" in line or "\r" in line for line in (*firsts, last))


# --------------------------------------------------------------------------- a cell


def _code(lines: list[str]) -> list[str] | None:
    """The lines of a cell as Python, None where they are not Python that ends in the cell."""
    first = next((number for number, line in enumerate(lines) if line.strip()), None)
    if first is None:
        return lines
    indent = lines[first][: len(lines[first]) - len(lines[first].lstrip())]
    lines = [line.removeprefix(indent) for line in lines]  # as IPython does
    head: list[str] = []
    if lines[first].startswith("%%"):
        name, _, arguments = lines[first][2:].strip().partition(" ")
        call = f"get_ipython().run_cell_magic({json.dumps(name)}, {json.dumps(arguments.strip())},"
        if name not in _TRANSPARENT:
            return [*lines[:first], *_call(call, lines[first + 1 :])]
        head = [*lines[:first], *_call(call, [])]
        lines = lines[first + 1 :]
    code = _without_magics(lines)
    if code is None:
        return None
    try:
        root = parse("\n".join(code).encode("utf-8", "surrogatepass")).root_node
    except EvidenceError:  # too deep, or no Python at all
        return None
    return None if root.has_error and error_lines(root) else [*head, *code]


def _call(head: str, texts: list[str]) -> list[str]:
    """A call over several lines: its head, then a text a line."""
    *lines, last = (head, *(json.dumps(text) for text in texts))
    return [*lines, f"{last})"]


@dataclass(frozen=True, slots=True)
class _State:
    """What is open at the end of a line: a text in triple quotes, brackets, a joined line."""

    quote: str = ""
    depth: int = 0
    is_joined: bool = False


def _without_magics(lines: list[str]) -> list[str] | None:
    """The lines with calls in place of magics; None where something is still open at the end."""
    result: list[str] = []
    state = _State()
    position = 0
    while position < len(lines):
        line = lines[position]
        head = _magic(line) if state == _State() else None
        position += 1
        if head is None:
            result.append(line)
            state = _after(line, state)
            continue
        start = position
        while lines[position - 1].endswith("\\") and position < len(lines):
            position += 1
        result += _call(head, lines[start:position])
    return result if state == _State() else None


def _magic(line: str) -> str | None:
    """The open call that a line of IPython's own stands for, None for Python."""
    if found := _ESCAPED.match(line):
        indent, escape, rest = found.groups()
        return f"{indent}{_escape(escape, rest.strip())}"
    if found := _ASSIGNED.match(line):
        target, escape, rest = found.groups()
        return f"{target}{_escape('!!' if escape == '!' else escape, rest.strip())}"
    if found := _HELP.match(line):
        return f"{found[1]}{_escape('?', found[2])}"
    return None


def _escape(escape: str, rest: str) -> str:
    if escape == "%":
        name, _, arguments = rest.partition(" ")
        return f"get_ipython().run_line_magic({json.dumps(name)}, {json.dumps(arguments.strip())}"
    if escape.startswith("?"):
        return f'get_ipython().run_line_magic("pinfo", {json.dumps(rest)}'
    return f"get_ipython().{'system' if escape == '!' else 'getoutput'}({json.dumps(rest)}"


def _after(line: str, state: _State) -> _State:
    """What is open behind a line."""
    quote, depth, position = state.quote, state.depth, 0
    is_joined = False
    while position < len(line) or quote:
        if quote:
            end = _END_OF_TEXT[quote].match(line, position)
            if end is None:
                return _State(quote, depth)
            quote, position = "", end.end()
            continue
        piece = _PIECE.search(line, position)
        if piece is None:
            break
        mark, position = piece[0], piece.end()
        if mark in _END_OF_TEXT:
            quote = mark
        elif mark in "([{":
            depth += 1
        elif mark in ")]}":
            depth = max(0, depth - 1)
        is_joined = mark == "\\"
    return _State(quote, depth, is_joined)
