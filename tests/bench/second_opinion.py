"""Functions and changed lines read without gate: ``ast`` for the functions, plain git output for the lines.

What counts as the same code is a decision and no fact: docstrings and the order of imports that stand together are left
out here as gate says that it leaves them out.
"""

import ast
import re
import subprocess
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.import_order import SortedImports

_HUNK = re.compile(rb"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
MODULE = "<module>"


# --------------------------------------------------------------------------- git, read for itself


def git(repository: Path, *arguments: str) -> bytes:
    """The output of a git command, with the diff settings fixed."""
    command = ["git", "-C", str(repository), "-c", "diff.algorithm=myers", "-c", "diff.indentHeuristic=true"]
    return subprocess.run([*command, *arguments], check=True, capture_output=True).stdout


def merged_changes(repository: Path, count: int) -> Iterator[tuple[str, str]]:
    """The newest first-parent commits that touch Python, with their parents."""
    out = git(repository, "log", "--first-parent", "--format=%H %P", f"--max-count={count}", "HEAD", "--", "*.py")
    for line in out.decode().splitlines():
        commit, *parents = line.split()
        if parents:
            yield parents[0], commit


@dataclass
class File:
    """One Python file of a change: its paths, its texts, and the line numbers that went and came."""

    old_path: str | None
    path: str | None
    blobs: tuple[str, str]
    before: bytes | None = None
    after: bytes | None = None
    removed: set[int] = field(default_factory=set)
    added: set[int] = field(default_factory=set)


def changed_files(repository: Path, base: str, head: str) -> Iterator[File]:
    """The regular Python files of a change."""
    fields = iter(git(repository, "diff", "--raw", "-z", "-M", "--no-abbrev", base, head).split(b"\0"))
    for meta in fields:
        if not meta:
            continue
        old_mode, new_mode, old_blob, new_blob, status = meta.decode()[1:].split()
        old_path = next(fields).decode("utf-8", "surrogateescape")
        path = next(fields).decode("utf-8", "surrogateescape") if status[0] in "RC" else old_path
        if not path.endswith((".py", ".pyi")) or "120000" in (old_mode, new_mode):
            continue
        file = File(None if status[0] == "A" else old_path, None if status[0] == "D" else path, (old_blob, new_blob))
        file.before = None if status[0] == "A" else git(repository, "cat-file", "blob", old_blob)
        file.after = None if status[0] == "D" else git(repository, "cat-file", "blob", new_blob)
        if file.before is not None and file.after is not None:
            file.removed, file.added = changed_lines(repository, file.blobs, context=0)
        else:
            file.removed.update(range(1, len(lines_of(file.before)) + 1) if file.before else ())
            file.added.update(range(1, len(lines_of(file.after)) + 1) if file.after else ())
        yield file


def changed_lines(repository: Path, blobs: tuple[str, str], *, context: int) -> tuple[set[int], set[int]]:
    """The line numbers that went and came between two blobs."""
    removed: set[int] = set()
    added: set[int] = set()
    old = new = old_left = new_left = 0
    for line in git(repository, "diff", f"-U{context}", "--text", *blobs).split(b"\n"):
        if old_left or new_left:
            tag = line[:1]
            removed |= {old} if tag == b"-" else set()
            added |= {new} if tag == b"+" else set()
            old, old_left = (old + 1, old_left - 1) if tag in b"- " else (old, old_left)
            new, new_left = (new + 1, new_left - 1) if tag in b"+ " else (new, new_left)
        elif match := _HUNK.match(line):
            old, old_left, new, new_left = (int(number) if number else 1 for number in match.groups())
    return removed, added


def lines_of(text: bytes) -> list[bytes]:
    return text.removesuffix(b"\n").split(b"\n") if text else []


# --------------------------------------------------------------------------- functions, read for themselves


@dataclass
class Unit:
    """A function, class body or module body on one side, with the changed lines of which it is the innermost holder."""

    qualname: str
    node: ast.AST
    first: int
    end: int
    start: tuple[int, int]
    is_container: bool
    nested: list["Unit"] = field(default_factory=list)
    lines: set[int] = field(default_factory=set)


class _Outline(ast.NodeVisitor):
    """The units of a file in document order."""

    def __init__(self, source: bytes) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
        end = max(1, len(lines_of(source)))
        self.units = [Unit(MODULE, tree, 1, end, (0, 0), is_container=True)]
        self._stack = [self.units[0]]
        self._seen: Counter[str] = Counter()
        self.visit(tree)

    def _define(self, name: str, node: ast.stmt | ast.expr, *, is_class: bool = False) -> None:
        parent = self._stack[-1]
        qualname = name if parent.qualname == MODULE else f"{parent.qualname}.{name}"
        self._seen[qualname] += 1
        if self._seen[qualname] > 1:
            qualname += f"#{self._seen[qualname]}"
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
        unit = Unit(qualname, node, first, node.end_lineno or first, (node.lineno, node.col_offset), is_class)
        self.units.append(unit)
        parent.nested.append(unit)
        self._stack.append(unit)
        self.generic_visit(node)
        self._stack.pop()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._define(node.name, node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._define(node.name, node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._define(node.name, node, is_class=True)

    def visit_Assign(self, node: ast.Assign) -> None:
        self._bind(node, node.targets[-1], node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._bind(node, node.target, node.value)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self._bind(node, node.target, node.value)

    def _bind(self, node: ast.stmt | ast.expr, target: ast.expr, value: ast.expr | None) -> None:
        name = target.id if isinstance(target, ast.Name) else target.attr if isinstance(target, ast.Attribute) else None
        if name is not None and isinstance(value, ast.Lambda):
            self._define(name, node)
        else:
            self.generic_visit(node)


def units(source: bytes | None, lines: set[int]) -> dict[str, Unit]:
    """The units of one side by qualified name, each with its own changed lines."""
    if source is None:
        return {}
    found = _Outline(source).units
    for line in lines:
        holders = [unit for unit in found if unit.first <= line <= unit.end]
        if holders:
            max(holders, key=lambda unit: (unit.first, unit.start)).lines.add(line)
    return {unit.qualname: unit for unit in found}


class _OwnCode(ast.NodeTransformer):
    """A function without docstrings and without the code of what is defined inside."""

    def __init__(self, root: ast.AST) -> None:
        self._root = root

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if node is not self._root and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return ast.Pass()
        fields = dict(ast.iter_fields(node))
        for name, value in fields.items():
            if isinstance(value, list):
                rest = value[1:] if name in ("body", "orelse", "finalbody") and value and _is_text(value[0]) else value
                fields[name] = [self.generic_visit(item) if isinstance(item, ast.AST) else item for item in rest]
            elif isinstance(value, ast.AST):
                fields[name] = self.generic_visit(value)
        return type(node)(**fields)


def _is_text(statement: object) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant | ast.JoinedStr)
        and (not isinstance(statement.value, ast.Constant) or isinstance(statement.value.value, str | bytes))
    )


def own_code(unit: Unit) -> str:
    """What a function itself does, as text that layout does not change."""
    return ast.dump(SortedImports().visit(_OwnCode(unit.node).generic_visit(unit.node))).replace(", kind='u'", "")


def own_text(unit: Unit, source: bytes) -> list[bytes]:
    """The lines of a function without those of what is defined inside."""
    held = {line for inner in unit.nested for line in range(inner.first, inner.end + 1)}
    return [
        line
        for number, line in enumerate(lines_of(source), 1)
        if unit.first <= number <= unit.end and number not in held
    ]
