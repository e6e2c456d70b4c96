"""What a recorded frame really was: the code objects that the recorded run itself had, written down by that run.

``sitecustomize`` listens for code that is executed (module bodies, which hold the code of all that is defined in them)
and writes file, first line, name and lines of every code object below a folder when the process ends. A recording is
held against that: each frame of the project has to be matched, and to the function whose code object it was.
"""

import json
import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from gatecli.model import Function, FunctionKind
from gatecli.runtime.frames import resolve
from gatecli.runtime.recording import Frame, Recording
from gatecli.syntax.python import read_functions
from tests.runtime.support import Files

# Python runs it at its start, in every process whose path it is on.
SITECUSTOMIZE = """
import atexit, json, os, sys, types

def _listen(folder, root):
    executed = []

    def heard(event, arguments):
        if event == "exec" and isinstance(arguments[0], types.CodeType):
            executed.append(arguments[0])

    def rows(code, owner):
        file = os.path.realpath(code.co_filename)
        qualname = getattr(code, "co_qualname", None)
        # The compiler's own: part of the function that they stand in.
        inner = owner and (code.co_name.startswith("<") or code.co_name == "__annotate__")
        own = owner if inner else [code.co_firstlineno, code.co_name]
        lines = sorted({line for _, _, line in code.co_lines() if line})
        yield [file, code.co_firstlineno, code.co_name, qualname, own[0], own[1], lines]
        for constant in code.co_consts:
            if isinstance(constant, types.CodeType):
                yield from rows(constant, own)

    def write():
        found = [row for code in executed for row in rows(code, None)
                 if code.co_filename[:1] != "<" and os.path.realpath(code.co_filename).startswith(root + os.sep)]
        if found:
            with open(os.path.join(folder, str(os.getpid()) + ".json"), "w") as file:
                json.dump(found, file)

    sys.addaudithook(heard)
    atexit.register(write)

if "TRUTH" in os.environ:
    _listen(os.environ["TRUTH"], os.path.realpath(os.environ["TRUTH_ROOT"]))
"""


class Code(NamedTuple):
    """One code object; ``owner`` is the first line and the name of the function, class or module that it is part of."""

    path: str
    first_line: int
    name: str
    qualname: str
    owner: tuple[int, str]
    lines: frozenset[int]


class Truth:
    """The code objects of all processes that ran while a recording was made of the program in ``root``."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder, self.root = folder, Path(os.path.realpath(root))

    def environment(self) -> dict[str, str]:
        """What a process has to be started with so that it writes its code objects."""
        self.folder.mkdir(exist_ok=True)
        (self.folder / "sitecustomize.py").write_text(SITECUSTOMIZE)
        paths = (str(self.folder), os.environ.get("PYTHONPATH", ""))
        return {
            "TRUTH": str(self.folder),
            "TRUTH_ROOT": str(self.root),
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        }

    def codes(self) -> list[Code]:
        found = {
            Code(
                os.path.relpath(file, self.root).replace(os.sep, "/"),
                first_line,
                name,
                (qualname or name).replace("<locals>.", ""),
                (owner_line, owner_name),
                frozenset(lines),
            )
            for path in self.folder.glob("*.json")
            for file, first_line, name, qualname, owner_line, owner_name, lines in json.loads(path.read_text())
        }
        return sorted(found, key=lambda code: (code.path, code.first_line, code.name))

    def check(self, recording: Recording, tree: Files) -> "Checked":
        """Hold each frame against the code objects; what is matched and was none of them is wrong, too."""
        return check(recording, self.codes(), self.root, tree)


class Checked(NamedTuple):
    """Frames that were code of the project, and what is not as it was, each with what it should be."""

    frames: int
    unmatched: list[str]
    wrong: list[str]


def check(recording: Recording, codes: Iterable[Code], root: Path, tree: Files) -> Checked:
    by_path = defaultdict(list)
    for code in codes:
        by_path[code.path].append(code)
    matches = resolve([recording.frames], tree=tree, functions_of=read_functions).matches[0]
    frames, unmatched, wrong = 0, [], []
    for frame, match in zip(recording.frames, matches, strict=True):
        meant = _meant(frame, by_path, root)
        if match.function is None and frame.name == "<module>" and "/" not in (frame.file or "/"):
            continue  # a base name alone does not tell whose module it is, so that nothing is right
        frames += bool(meant)
        if match.function is None:
            if meant:
                unmatched.append(f"{frame} is {meant[0][:5]}")
        elif not any(_is(match.function, code) for code in meant):
            wrong.append(f"{frame} was said to be {match.function.id}, and is {[code[:5] for code in meant]}")
    return Checked(frames, unmatched, wrong)


def _meant(frame: Frame, by_path: dict[str, list[Code]], root: Path) -> list[Code]:
    """The code objects that a frame may be: by file and line as long as it has them, by name where it has only that."""
    if frame.dotted:
        found = [code for codes in by_path.values() for code in codes if f"{_module(code.path)}.{code.qualname}" ==
                 frame.name.replace("<locals>.", "")]  # fmt: skip
        return found or [
            code for codes in by_path.values() for code in codes if frame.name == f"__main__.{code.qualname}"
        ]
    names = frame.name.replace("<locals>.", "")
    found = [code for path in _paths(frame.file, by_path, root) for code in by_path[path]]
    line = frame.first_line or frame.line
    if line is not None:
        starting = [code for code in found if frame.first_line in (None, code.first_line)]
        found = [code for code in starting if line == code.first_line or line in code.lines]
    if names and not names.startswith("<module>"):
        named = [code for code in found if code.name == names.rpartition(".")[2]]
        # A class before the name may be that of self, which inherits the method.
        found = [code for code in named if code.qualname == names] or named
    return found


def _paths(file: str | None, by_path: dict[str, list[Code]], root: Path) -> list[str]:
    if not file:
        return []
    if Path(file).is_absolute():
        path = os.path.relpath(os.path.realpath(file), root).replace(os.sep, "/")
        return [path] if path in by_path else []
    # A shortened path: whatever ends so.
    return [path for path in by_path if f"/{path}".endswith(f"/{file}")]


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _is(function: Function, code: Code) -> bool:
    if function.id.path != code.path:
        return False
    if function.kind is FunctionKind.LAMBDA:
        return function.span.first_line <= code.first_line <= function.span.end_line
    line, name = code.owner
    return function.id.qualname == name == "<module>" or (
        function.id.name == name and line in (function.span.first_line, function.span.def_line)
    )
