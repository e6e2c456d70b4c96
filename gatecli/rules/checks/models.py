"""M10, M11, D03 in part: models and the migrations that ought to follow them, or to wait for the code."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from gatecli.model import Confidence, FileChange, FunctionKind
from gatecli.rules import code
from gatecli.rules.checks.migrations import is_migration
from gatecli.rules.checks.operations import DJANGO, Kind, Operation, operations
from gatecli.rules.code import Code, Touched, View
from gatecli.rules.lines import removed
from gatecli.rules.matching import Pattern
from gatecli.rules.observation import Observation, seen
from gatecli.rules.paths import matches
from gatecli.rules.spec import Rule
from gatecli.rules.wording import listed, snippet

if TYPE_CHECKING:
    from tree_sitter import Node

_FIELDS = Pattern("(assignment left: (identifier) @key right: (call) @value) @match")
_BASES = Pattern("(class_definition superclasses: (argument_list) @match)")
_FIELD = re.compile(r"(?:^|\.)(?:\w{1,60}Field|ForeignKey|OneToOneField)$")
_MODEL = re.compile(r"(?:^|\.)(?:models\.Model|Model|\w{0,60}Model)$")
_ABSTRACT = re.compile(r"\babstract\s{0,3}=\s{0,3}True\b")
_IN_DATABASE = ("null", "max_length", "unique", "db_index", "max_digits", "decimal_places", "db_column", "db_default")
_NO_COLUMN = re.compile(r"(?:ManyToMany|Taggable|Generic)\w{0,40}$")
_CONTRACTS = (Kind.DROP_COLUMN, Kind.DROP_TABLE, Kind.RENAME)
_TELLING = 6
"""Characters from which a column's name is its own; shorter ones ("name", "total") are everywhere."""


def contracted_with_code(rule: Rule, view: View) -> Iterator[Observation]:
    """M10: a migration takes away what code outside of the models used until this same change."""
    for touched in view.functions:
        if touched.after is None or touched.before is not None or not is_migration(touched.after):
            continue
        for operation in operations(view, touched.after):
            users = _users(view, operation) if operation.kind in _CONTRACTS else []
            if users:
                says = f"{operation.kind.value} {snippet(operation.subject)} in the change that stops using it"
                says += f" ({listed(users)}): while it rolls out, one of the two versions does not fit the database"
                sure = len(operation.field or operation.model) >= _TELLING
                confidence = Confidence.HIGH if sure else Confidence.LOW
                yield seen(touched, operation.line, says, operation.text, confidence=confidence)


def _users(view: View, operation: Operation) -> list[str]:
    """Where code that is no model and no migration named the column or table until now."""
    name = re.escape(operation.field or operation.model)
    if not name:
        return []
    used = re.compile(rf"[.\"']{name}\b|\b{name}\s{{0,3}}=[^=]|\b{name}__")
    users = []
    for file in view.case.change.files:
        if view.is_production(file.path) and not _is_schema(file):
            found = next((line for line, text in removed(file, 500) if used.search(text)), None)
            if found is not None:
                users.append(f"{file.path}:{found}")
    return users


def _is_schema(file: FileChange) -> bool:
    path = PurePosixPath(file.path)
    return path.stem == "models" or "models" in path.parts or "migrations" in path.parts or "versions" in path.parts


def model_without_migration(rule: Rule, view: View) -> Iterator[Observation]:
    """M11: the columns of a Django model changed, and no migration of the change says so to the database."""
    if any(matches(DJANGO, file.path) and file.after is not None for file in view.case.change.files):
        return
    for touched in view.functions:
        if not _is_model(view, touched) or not _has_migrations(view, touched.change.id.path):
            continue
        assert touched.before is not None
        assert touched.after is not None
        old, new = _columns(view, touched.before), _columns(view, touched.after)
        what = [f"{name} added" for name in new.keys() - old.keys()]
        what += [f"{name} removed" for name in old.keys() - new.keys()]
        what += [f"{name} changed" for name in new.keys() & old.keys() if _differs(old[name], new[name])]
        if what:
            says = f"changed its columns ({listed(sorted(what))}), and the change holds no migration"
            yield seen(touched, min(touched.change.changed_lines, default=None), says, " ".join(sorted(what)))


def _is_model(view: View, touched: Touched) -> bool:
    """Whether it is the body of a model that has a table, on both sides."""
    if touched.before is None or touched.after is None or touched.change.function.kind is not FunctionKind.CLASS_BODY:
        return False
    if is_migration(touched.after) or _ABSTRACT.search(code.text(touched.after.node)):
        return False
    bases = [base for match in view.own(_BASES, touched.after) for base in match["match"].named_children]
    return any(_MODEL.search(code.callee(base)) for base in bases if base.type in ("identifier", "attribute"))


def _has_migrations(view: View, path: str) -> bool:
    """Whether the app of a model keeps migrations: beside its file, or beside the folder of its models."""
    tree = view.around.base
    folder = PurePosixPath(path).parent
    folders = [folder, folder.parent] if folder.name == "models" else [folder]
    return tree is not None and any(tree.read(f"{one}/migrations/__init__.py") is not None for one in folders)


def _columns(view: View, side: Code) -> "dict[str, Node]":
    return {
        code.text(match["key"]): match["value"]
        for match in view.own(_FIELDS, side)
        if _FIELD.search(name := code.callee(match["value"])) and not _NO_COLUMN.search(name)
    }


def _differs(old: "Node", new: "Node") -> bool:
    """Whether the database has to know: another class of field, or another of the arguments that make the column."""
    if code.callee(old).rpartition(".")[2] != code.callee(new).rpartition(".")[2]:
        return True
    was, now = code.keywords(old), code.keywords(new)
    return any(_text(was.get(name)) != _text(now.get(name)) for name in _IN_DATABASE)


def _text(node: "Node | None") -> str:
    return code.normal(node) if node is not None and node.type != "false" else ""
