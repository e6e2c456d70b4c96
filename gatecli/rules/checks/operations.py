"""What migrations do: operations of Django and Alembic, and statements of SQL, read from their source.

Django operations are read from the classes of files under ``migrations/`` (not those under ``state_operations``, which
leave the database alone), Alembic's from ``upgrade`` functions, SQL from the strings of both and from ``.sql`` files.
What the same text creates may be changed at will: nothing runs on it yet.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from gatecli.model import FunctionKind
from gatecli.rules import code
from gatecli.rules.checks.statements import from_sql
from gatecli.rules.code import Code, View
from gatecli.rules.matching import Pattern
from gatecli.rules.paths import matches

if TYPE_CHECKING:
    from tree_sitter import Node

DJANGO = ("migrations/",)
ALEMBIC = ("alembic/", "versions/", "migrations/")

_STATE_ONLY = Pattern('((keyword_argument name: (identifier) @key value: (_) @match) (#eq? @key "state_operations"))')
_NOT_ATOMIC = Pattern('((assignment left: (identifier) @key right: (false)) @match (#eq? @key "atomic"))')

# Fields that have no column of their own.
_NO_COLUMN = re.compile(r"(?:ManyToMany|Taggable|Generic)\w{0,40}$")
_SET_DEFAULT = re.compile(r'(?i)\bALTER\s{1,80}(?:COLUMN\s{1,80})?([\w"]{1,120})\s{1,80}SET\s{1,80}DEFAULT\b')
MAX_TEXT = 200_000
_TEXT_TYPE = re.compile(r"(?:^|\.)(?:String|Unicode|VARCHAR|AutoString)$")
_TEMPORARY = re.compile(r"(?i)(?:^|_)(?:tmp|temp|old|new|backup|bak)(?:_|\d|$)")


class Kind(StrEnum):
    """What an operation does, in the words of a message."""

    DROP_TABLE = "drops the table of"
    DROP_COLUMN = "drops the column"
    RENAME = "renames"
    ONE_WAY = "cannot be reversed:"
    NOT_NULL = "adds a NOT NULL column that the database has no default for:"
    FORBID_NULL = "forbids NULL in"
    TYPE = "changes the type of"
    INDEX = "builds an index while writes wait:"
    CONSTRAINT = "checks every row for a new constraint while writes wait:"
    WHOLE_TABLE = "writes a whole table in one statement:"


# Data loss, way back and lock of each kind, on PostgreSQL. Source: its manual on ALTER TABLE, CREATE INDEX and explicit
# locking; django-migration-linter, squawk and strong_migrations agree.
EFFECTS = {
    Kind.DROP_TABLE: "loses data · the way back makes an empty table · exclusive lock, short",
    Kind.DROP_COLUMN: "loses data · the way back makes an empty column · exclusive lock, short",
    Kind.RENAME: "loses no data · can be reversed · exclusive lock, short; the running version uses the old name",
    Kind.ONE_WAY: "cannot be reversed",
    Kind.NOT_NULL: "loses no data · can be reversed · exclusive lock; inserts of the running version fail",
    Kind.FORBID_NULL: "loses no data · can be reversed · exclusive lock while every row is checked",
    Kind.TYPE: "may lose data · exclusive lock while every row is rewritten",
    Kind.INDEX: "loses no data · can be reversed · writes wait until the index is built",
    Kind.CONSTRAINT: "loses no data · can be reversed · writes wait until every row is checked",
    Kind.WHOLE_TABLE: "overwrites or loses data · cannot be reversed · locks every row until the end",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing that a migration does: ``text`` is what it is compared by, ``source`` what the file says."""

    kind: Kind
    subject: str
    line: int
    text: str
    source: str
    model: str = ""
    field: str = ""


def operations(view: View, side: Code | None) -> list[Operation]:
    """What a migration's class or ``upgrade`` does; nothing for other code."""
    if side is None:
        return []
    path, function = side.module.path, side.function
    if function.kind is FunctionKind.CLASS_BODY and function.id.name == "Migration" and matches(DJANGO, path):
        return _django(view, side)
    if function.id.name.startswith("upgrade") and function.kind is FunctionKind.FUNCTION and matches(ALEMBIC, path):
        return _alembic(view, side)
    return []


# --------------------------------------------------------------------------- Django


def _django(view: View, side: Code) -> list[Operation]:
    state_only = code.merged(code.byte_range(match["match"]) for match in view.own(_STATE_ONLY, side))
    is_atomic = not view.own(_NOT_ATOMIC, side)
    found: list[Operation] = []
    created: set[str] = set()
    for match in view.own(code.CALLS, side):
        call = match["match"]
        if code.is_within(state_only, call):
            continue
        if code.callee(call).rpartition(".")[2] == "CreateModel":
            created.add(arguments(call, ("name",)).get("name", "").lower())
        found += _django_operation(call, is_atomic)
    defaults = {name.strip('"').lower() for name in _SET_DEFAULT.findall(code.text(side.node)[:MAX_TEXT])}
    return [
        operation
        for operation in found
        if not (operation.model and operation.model.lower() in created)
        and not (operation.kind is Kind.NOT_NULL and operation.field.lower() in defaults)
    ]


def _django_operation(call: "Node", is_atomic: bool) -> Iterator[Operation]:
    name = code.callee(call).rpartition(".")[2]
    given = arguments(call, _DJANGO_ARGUMENTS.get(name, ()))
    model, field = given.get("model_name", given.get("name", "")), given.get("name", "")
    if name == "DeleteModel":
        yield _operation(Kind.DROP_TABLE, call, f"model {field}", model=field)
    elif name == "RemoveField":
        yield _operation(Kind.DROP_COLUMN, call, f"{model}.{field}", model=model, field=field)
    elif name == "RenameField":
        old, new = given.get("old_name", ""), given.get("new_name", "")
        yield _operation(Kind.RENAME, call, f"column {model}.{old} to {new}", model=model, field=old)
    elif name == "RenameModel":
        old, new = given.get("old_name", ""), given.get("new_name", "")
        yield _operation(Kind.RENAME, call, f"the table of model {old} to {new}", model=old)
    elif name == "AlterModelTable" and given.get("table"):
        yield _operation(Kind.RENAME, call, f"the table of model {field} to {given['table']}", model=field)
    elif name == "AddField" and _is_not_null(call):
        yield _operation(Kind.NOT_NULL, call, f"{model}.{field}", model=model, field=field)
    elif name == "AlterField":
        yield _operation(Kind.TYPE, call, f"{model}.{field}", model=model, field=field)
    elif name == "AddIndex" or (name == "AddIndexConcurrently" and is_atomic):
        where = f"on {model}" + ("" if name == "AddIndex" else ", concurrently but inside a transaction")
        yield _operation(Kind.INDEX, call, where, model=model)
    elif name == "AddConstraint" or (name == "AlterUniqueTogether" and given.get("unique_together")):
        yield _operation(Kind.CONSTRAINT, call, f"on {model}", model=model)
    elif name == "RunPython" and "reverse_code" not in given and "code" in given:
        yield _operation(Kind.ONE_WAY, call, f"RunPython({given['code']}) has no reverse_code")
    elif name == "RunSQL":
        if "reverse_sql" not in given:
            yield _operation(Kind.ONE_WAY, call, "RunSQL has no reverse_sql")
        yield from sql_operations(sql_argument(call, "sql"), code.line(call))


_DJANGO_ARGUMENTS = {
    "CreateModel": ("name", "fields"),
    "DeleteModel": ("name",),
    "AddField": ("model_name", "name", "field"),
    "AlterField": ("model_name", "name", "field"),
    "RemoveField": ("model_name", "name"),
    "RenameField": ("model_name", "old_name", "new_name"),
    "RenameModel": ("old_name", "new_name"),
    "AlterModelTable": ("name", "table"),
    "AddIndex": ("model_name", "index"),
    "AddIndexConcurrently": ("model_name", "index"),
    "AddConstraint": ("model_name", "constraint"),
    "AlterUniqueTogether": ("name", "unique_together"),
    "RunPython": ("code", "reverse_code"),
    "RunSQL": ("sql", "reverse_sql"),
}


def _is_not_null(call: "Node") -> bool:
    """Whether an AddField makes a column that old code's inserts leave out and the database refuses."""
    field = nodes_of(call, _DJANGO_ARGUMENTS["AddField"]).get("field")
    if field is None or field.type != "call" or _NO_COLUMN.search(code.callee(field)):
        return False
    given = code.keywords(field)
    null = given.get("null")
    return not ((null is not None and null.type != "false") or "db_default" in given or code.has_splat(field))


def nodes_of(call: "Node", names: tuple[str, ...]) -> "dict[str, Node]":
    """The arguments of a call, the positional ones by the names given; ``None`` counts as left out."""
    given = dict(zip(names, code.positionals(call), strict=False)) | code.keywords(call)
    return {name: value for name, value in given.items() if value.type != "none"}


def arguments(call: "Node", names: tuple[str, ...]) -> dict[str, str]:
    """The same as text, strings without their quotes; an empty set or list is left out."""
    given = nodes_of(call, names)
    return {name: _plain(node) for name, node in given.items() if code.normal(node) not in ("set ( )", "[ ]", "{ }")}


def _plain(node: "Node") -> str:
    text = code.text(node)
    return text.strip("\"'") if node.type == "string" else text


def _operation(kind: Kind, call: "Node", subject: str, *, model: str = "", field: str = "") -> Operation:
    return Operation(
        kind=kind,
        subject=subject,
        line=code.line(call),
        text=code.normal(call),
        source=code.text(call),
        model=model,
        field=field,
    )


# --------------------------------------------------------------------------- Alembic


def _alembic(view: View, side: Code) -> list[Operation]:
    found: list[Operation] = []
    created: set[str] = set()
    for match in view.own(code.CALLS, side):
        call = match["match"]
        if code.callee(call).rpartition(".")[2] == "create_table":
            created.add(arguments(call, ("table",)).get("table", ""))
        found += _alembic_operation(call)
    return [
        item
        for item in found
        if not (item.subject in created or (item.model and item.model in created) or _TEMPORARY.search(item.subject))
    ]


def _alembic_operation(call: "Node") -> Iterator[Operation]:
    callee = code.callee(call)
    name = callee.rpartition(".")[2]
    given = arguments(call, ("first", "second"))
    keys = code.keywords(call)
    first, second = given.get("first", ""), given.get("second", "")
    batch = callee.rpartition(".")[0].rpartition(".")[2] != "op"  # with op.batch_alter_table("orders") as batch_op
    table = given.get("table_name", "" if batch else first)
    column = first if batch else f"{table}.{second or given.get('column_name', '')}"
    if name == "drop_table":
        yield _operation(Kind.DROP_TABLE, call, f"{first or 'a model'}")
    elif name == "drop_column":
        yield _operation(Kind.DROP_COLUMN, call, column, model=table, field=second or first)
    elif name == "rename_table":
        yield _operation(Kind.RENAME, call, f"table {first} to {second}", model=first)
    elif name == "alter_column" and "new_column_name" in given:
        new = given["new_column_name"]
        yield _operation(Kind.RENAME, call, f"column {column} to {new}", model=table, field=second or first)
    elif name == "alter_column":
        if "type_" in keys and not _is_longer(keys.get("existing_type"), keys["type_"]):
            yield _operation(Kind.TYPE, call, column, model=table)
        if "nullable" in keys and keys["nullable"].type == "false":
            yield _operation(Kind.FORBID_NULL, call, column, model=table)
    elif name == "add_column" and _is_required(call):
        yield _operation(Kind.NOT_NULL, call, _added_column(call, table), model=table)
    elif name == "create_index" and not _is_true(keys, "postgresql_concurrently"):
        yield _operation(Kind.INDEX, call, f"on {second or table}", model=second)
    elif name in ("create_foreign_key", "create_unique_constraint", "create_check_constraint"):
        if not _is_true(keys, "postgresql_not_valid"):
            yield _operation(Kind.CONSTRAINT, call, f"on {second}", model=second)
    elif name == "execute":
        yield from sql_operations(sql_argument(call, "sqltext"), code.line(call))


def _is_longer(old: "Node | None", new: "Node") -> bool:
    """Whether a text column only gets longer, for which PostgreSQL rewrites nothing."""
    if old is None or _TEXT_TYPE.search(code.callee(old)) is None:
        return False
    if _TEXT_TYPE.search(code.callee(new)) is None:
        return code.callee(new).rpartition(".")[2] in ("Text", "TEXT")
    was, now = (code.number(nodes_of(one, ("length",)).get("length")) for one in (old, new))
    return was is not None and (now is None or now >= was)


def _is_true(keys: "dict[str, Node]", name: str) -> bool:
    return name in keys and keys[name].type == "true"


def _column(call: "Node") -> "Node | None":
    """The ``sa.Column(...)`` that ``add_column`` is given."""
    node = call.child_by_field_name("arguments")
    found = (child for child in (node.named_children if node is not None else ()) if child.type == "call")
    return next((child for child in found if code.callee(child).rpartition(".")[2] == "Column"), None)


def _is_required(call: "Node") -> bool:
    column = _column(call)
    keys = code.keywords(column) if column is not None else {}
    return "nullable" in keys and keys["nullable"].type == "false" and not {"server_default", "computed"} & keys.keys()


def _added_column(call: "Node", table: str) -> str:
    column = _column(call)
    name = arguments(column, ("name",)).get("name", "") if column is not None else ""
    return f"{table}.{name}" if table and not table.startswith("sa.") else name


# --------------------------------------------------------------------------- SQL


def sql_argument(call: "Node", name: str) -> str:
    """The string contents of a call's SQL argument, joined."""
    value = code.keywords(call).get(name) or next(iter(code.positionals(call)), None)
    strings: list[str] = []
    pending = [value] if value is not None else []
    while pending:
        inner = pending.pop()
        if inner.type == "string_content":
            strings.append(code.text(inner))
        elif inner.type != "keyword_argument":
            pending.extend(reversed(inner.children))
    return " ".join(strings)


def sql_operations(sql: str, line: int) -> list[Operation]:
    """What a text of SQL statements does; ``line`` is that of its first line."""
    return [
        Operation(
            kind=Kind[found.kind],
            subject=found.subject,
            line=line + found.line,
            text=found.text,
            source=found.statement,
            model=found.table,
        )
        for found in from_sql(sql)
        if not (_TEMPORARY.search(found.subject) or _TEMPORARY.search(found.table))
    ]
