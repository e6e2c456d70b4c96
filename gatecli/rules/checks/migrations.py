"""M01, M02, M03, M08, M12: what a migration does on its way up that running code or a rollback cannot take.

Django operations are read from the classes of files under ``migrations/`` (not those under ``state_operations``, which
leave the database alone), Alembic's from ``upgrade`` functions, SQL from the strings of both and from ``.sql`` files.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from gatecli.model import ChangeKind, FileChange, FileStatus, FunctionKind
from gatecli.rules import code
from gatecli.rules.code import Code, Touched, View
from gatecli.rules.observation import Observation, seen
from gatecli.rules.paths import matches
from gatecli.rules.spec import Rule
from gatecli.rules.wording import snippet

if TYPE_CHECKING:
    from tree_sitter import Node

_DJANGO = ("migrations/",)
_ALEMBIC = ("alembic/", "versions/", "migrations/")
_SQL_FILES = ("**/migrations/**/*.sql", "**/delta/**/*.sql", "!*down*.sql", "!*rollback*.sql", "!rollback/", "!down/")

_CALLS = "(call) @match"
_DECLARED = """
((assignment left: (identifier) @key right: (_) @value) @match (#any-of? @key "operations" "dependencies" "replaces"))
"""
_STATE_ONLY = '((keyword_argument name: (identifier) @key value: (_) @match) (#eq? @key "state_operations"))'

MAX_SQL = 100_000
"""Characters of one SQL text that are read."""

_COMMENT = re.compile(r"--[^\n]*|/\*.{0,2000}?\*/", re.DOTALL)
_NAME = r'(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?([\w."`\[\]]{1,120})'
_DROP_TABLE = re.compile(rf"\bDROP\s+TABLE\s+{_NAME}", re.IGNORECASE)
_DROP_COLUMN = re.compile(rf"\bALTER\s+TABLE\s+{_NAME}[^;]{{0,400}}?\bDROP\s+COLUMN\s+{_NAME}", re.IGNORECASE)
_RENAME = re.compile(rf"\bALTER\s+TABLE\s+{_NAME}\s+RENAME\s+(?:COLUMN\s+{_NAME}\s+)?TO\s+{_NAME}", re.IGNORECASE)
_CREATE_TABLE = re.compile(rf"\bCREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?{_NAME}", re.IGNORECASE)
_TEMPORARY = re.compile(r"(?i)(?:^|_)(?:tmp|temp|old|new|backup|bak)(?:_|\d|$)")


class Kind(StrEnum):
    """What an operation does, in the words of a message."""

    DROP_TABLE = "drops the table of"
    DROP_COLUMN = "drops the column"
    RENAME = "renames"
    ONE_WAY = "cannot be reversed:"


@dataclass(frozen=True, slots=True)
class _Operation:
    kind: Kind
    subject: str
    line: int
    text: str


def table_dropped(rule: Rule, view: View) -> Iterator[Observation]:
    """M01."""
    yield from _observe(view, Kind.DROP_TABLE)


def column_dropped(rule: Rule, view: View) -> Iterator[Observation]:
    """M02."""
    yield from _observe(view, Kind.DROP_COLUMN)


def renamed(rule: Rule, view: View) -> Iterator[Observation]:
    """M03."""
    yield from _observe(view, Kind.RENAME)


def irreversible(rule: Rule, view: View) -> Iterator[Observation]:
    """M08."""
    yield from _observe(view, Kind.ONE_WAY)


def merged_edited(rule: Rule, view: View) -> Iterator[Observation]:
    """M12: what a migration does, or what it depends on, was changed after it was merged."""
    for touched in view.functions:
        if touched.before is None or touched.after is None or touched.change.kind is not ChangeKind.EDITED:
            continue
        if touched.file.status is FileStatus.COPIED:
            continue
        before, after = _meaning(view, touched.before), _meaning(view, touched.after)
        if before and after and before != after:
            says = "changes what a merged migration does, which may already have run"
            line = min(touched.change.changed_lines, default=touched.after.function.span.def_line)
            yield seen(touched, line, says, after)


def _meaning(view: View, side: Code) -> str:
    """The normal text of what a migration does and depends on, empty where it is none."""
    function, path = side.function, side.module.path
    if function.kind is FunctionKind.CLASS_BODY and function.id.name == "Migration" and matches(_DJANGO, path):
        return " ; ".join(_sorted_items(match) for match in view.own(_DECLARED, side))
    if function.id.qualname == "upgrade" and matches(_ALEMBIC, path):
        return code.normal(side.node)
    return ""


def _sorted_items(match: code.Captures) -> str:
    """The normal text of a declaration; only operations have an order that means something."""
    value = match["value"]
    items = [code.normal(item) for item in value.named_children if item.type != "comment"]
    return " , ".join(items if code.text(match["key"]) == "operations" else sorted(items))


def _observe(view: View, kind: Kind) -> Iterator[Observation]:
    for touched in view.functions:
        if touched.after is None:
            continue
        known = Counter(operation.text for operation in _operations(view, touched.before))
        for operation in _operations(view, touched.after):
            if known[operation.text] > 0:
                known[operation.text] -= 1
            elif operation.kind is kind:
                says = f"{kind.value} {snippet(operation.subject)}"
                yield seen(touched, operation.line, says, operation.text)
        if kind is Kind.ONE_WAY:
            yield from _no_way_down(view, touched)
    for file in view.case.change.files:
        if matches(_SQL_FILES, file.path):
            yield from _sql_file(file, kind)


def _operations(view: View, side: Code | None) -> list[_Operation]:
    if side is None:
        return []
    path, function = side.module.path, side.function
    if function.kind is FunctionKind.CLASS_BODY and function.id.name == "Migration" and matches(_DJANGO, path):
        return _django(view, side)
    if function.id.name.startswith("upgrade") and function.kind is FunctionKind.FUNCTION and matches(_ALEMBIC, path):
        return _alembic(view, side)
    return []


# --------------------------------------------------------------------------- Django


def _django(view: View, side: Code) -> list[_Operation]:
    state_only = code.merged(code.byte_range(match["match"]) for match in view.own(_STATE_ONLY, side))
    found: list[_Operation] = []
    for match in view.own(_CALLS, side):
        if not code.is_within(state_only, match["match"]):
            found += _django_operation(match["match"])
    return found


def _django_operation(call: "Node") -> list[_Operation]:
    name = code.callee(call).rpartition(".")[2]
    given = _arguments(call, _DJANGO_ARGUMENTS.get(name, ()))
    model, field, new = given.get("model_name", given.get("name", "")), given.get("name", ""), given.get("new_name", "")
    if name == "DeleteModel":
        return [_operation(Kind.DROP_TABLE, call, f"model {field}")]
    if name == "RemoveField":
        return [_operation(Kind.DROP_COLUMN, call, f"{model}.{field}")]
    if name == "RenameField":
        return [_operation(Kind.RENAME, call, f"column {model}.{given.get('old_name', '')} to {new}")]
    if name == "RenameModel":
        return [_operation(Kind.RENAME, call, f"the table of model {given.get('old_name', '')} to {new}")]
    if name == "AlterModelTable" and given.get("table"):
        return [_operation(Kind.RENAME, call, f"the table of model {field} to {given['table']}")]
    if name == "RunPython" and "reverse_code" not in given and "code" in given:
        return [_operation(Kind.ONE_WAY, call, f"RunPython({given['code']}) has no reverse_code")]
    if name == "RunSQL":
        sql = _sql_argument(call, "sql")
        found = [] if "reverse_sql" in given else [_operation(Kind.ONE_WAY, call, "RunSQL has no reverse_sql")]
        return found + _from_sql(sql, code.line(call))
    return []


_DJANGO_ARGUMENTS = {
    "DeleteModel": ("name",),
    "RemoveField": ("model_name", "name"),
    "RenameField": ("model_name", "old_name", "new_name"),
    "RenameModel": ("old_name", "new_name"),
    "AlterModelTable": ("name", "table"),
    "RunPython": ("code", "reverse_code"),
    "RunSQL": ("sql", "reverse_sql"),
}


def _arguments(call: "Node", names: tuple[str, ...]) -> dict[str, str]:
    """The arguments of a call as text, the positional ones by the names given; ``None`` counts as left out."""
    arguments = call.child_by_field_name("arguments")
    nodes = arguments.named_children if arguments is not None else []
    positional = [node for node in nodes if node.type not in ("keyword_argument", "comment")]
    given = dict(zip(names, positional, strict=False)) | code.keywords(call)
    return {name: _plain(node) for name, node in given.items() if node.type != "none"}


def _plain(node: "Node") -> str:
    text = code.text(node)
    return text.strip("\"'") if node.type == "string" else text


def _operation(kind: Kind, call: "Node", subject: str) -> _Operation:
    return _Operation(kind, subject, code.line(call), code.normal(call))


# --------------------------------------------------------------------------- Alembic


def _alembic(view: View, side: Code) -> list[_Operation]:
    found: list[_Operation] = []
    created: set[str] = set()
    for match in view.own(_CALLS, side):
        call = match["match"]
        name = code.callee(call).rpartition(".")[2]
        given = _arguments(call, ("first", "second"))
        first, second = given.get("first", ""), given.get("second", "")
        batch = "batch" in code.callee(call)
        column = first if batch else f"{first}.{second}"
        if name == "create_table":
            created.add(first)
        elif name == "drop_table":
            found.append(_operation(Kind.DROP_TABLE, call, f"{first or 'a model'}"))
        elif name == "drop_column":
            found.append(_operation(Kind.DROP_COLUMN, call, column))
        elif name == "rename_table":
            found.append(_operation(Kind.RENAME, call, f"table {first} to {second}"))
        elif name == "alter_column" and "new_column_name" in given:
            found.append(_operation(Kind.RENAME, call, f"column {column} to {given['new_column_name']}"))
        elif name == "execute":
            found += _from_sql(_sql_argument(call, "sqltext"), code.line(call))
    return [item for item in found if not (item.subject in created or _TEMPORARY.search(item.subject))]


def _no_way_down(view: View, touched: Touched) -> Iterator[Observation]:
    """An Alembic revision that is new and whose ``downgrade`` is missing, empty or refuses."""
    side = touched.after
    if side is None or touched.change.kind is not ChangeKind.ADDED or side.function.id.qualname != "upgrade":
        return
    if not matches(_ALEMBIC, side.module.path) or _does_nothing(side.node):
        return
    if not any(match["key"].text == b"revision" for match in view.own(_MODULE_NAMES, _module_body(side))):
        return
    down = next((node for node, f in _functions(side) if f == "downgrade"), None)
    if down is None or _does_nothing(down):
        how = "has no downgrade" if down is None else "has a downgrade that does nothing"
        line = code.line(down) if down is not None else side.function.span.def_line
        yield seen(touched, line, f"{Kind.ONE_WAY.value} the revision {how}", "downgrade")


_MODULE_NAMES = "(assignment left: (identifier) @key) @match"


def _module_body(side: Code) -> Code:
    return Code(module=side.module, index=0)


def _functions(side: Code) -> Iterator[tuple["Node", str]]:
    for node, function in zip(side.module.nodes, side.module.functions, strict=True):
        yield node, function.id.qualname


def _does_nothing(function: "Node") -> bool:
    """Whether a function's body is only ``pass``, a docstring or a raise."""
    body = function.child_by_field_name("body")
    if body is None:
        return False
    for statement in body.named_children:
        only_text = statement.type == "expression_statement" and all(
            child.type in ("string", "ellipsis") for child in statement.named_children
        )
        if not only_text and statement.type not in ("pass_statement", "raise_statement", "comment"):
            return False
    return True


# --------------------------------------------------------------------------- SQL


def _sql_argument(call: "Node", name: str) -> str:
    """The string contents of a call's SQL argument, joined."""
    arguments = call.child_by_field_name("arguments")
    if arguments is None:
        return ""
    value = code.keywords(call).get(name)
    if value is None:
        value = next(
            (node for node in arguments.named_children if node.type not in ("keyword_argument", "comment")), None
        )
    if value is None:
        return ""
    strings: list[str] = []
    pending = [value]
    while pending:
        node = pending.pop()
        if node.type == "string_content":
            strings.append(code.text(node))
        elif node.type != "keyword_argument":
            pending.extend(reversed(node.children))
    return " ".join(strings)[:MAX_SQL]


def _from_sql(sql: str, line: int) -> list[_Operation]:
    """What a text of SQL statements drops or renames; what it creates itself is not missed."""
    text = _COMMENT.sub(lambda found: "\n" * found[0].count("\n"), sql[:MAX_SQL])
    created = {_identifier(found[1]) for found in _CREATE_TABLE.finditer(text)}
    found = [
        _sql_operation(Kind.DROP_TABLE, _identifier(match[1]), text, match, line)
        for match in _DROP_TABLE.finditer(text)
    ]
    for match in _DROP_COLUMN.finditer(text):
        subject = f"{_identifier(match[1])}.{_identifier(match[2])}"
        found.append(_sql_operation(Kind.DROP_COLUMN, subject, text, match, line))
    for match in _RENAME.finditer(text):
        table, column, new = (_identifier(part or "") for part in match.groups())
        subject = f"column {table}.{column} to {new}" if column else f"table {table} to {new}"
        if table not in created and not _TEMPORARY.search(table):
            found.append(_sql_operation(Kind.RENAME, subject, text, match, line))
    return [item for item in found if item.subject not in created and not _TEMPORARY.search(item.subject)]


def _sql_operation(kind: Kind, subject: str, text: str, match: re.Match[str], line: int) -> _Operation:
    return _Operation(kind, subject, line + text.count("\n", 0, match.start()), " ".join(match[0].split()))


def _identifier(name: str) -> str:
    return re.sub(r'["`\[\]]', "", name)


def _sql_file(file: FileChange, kind: Kind) -> Iterator[Observation]:
    known = Counter(operation.text for operation in _from_sql(_decoded(file.before), 1))
    for operation in _from_sql(_decoded(file.after), 1):
        if known[operation.text] > 0:
            known[operation.text] -= 1
        elif operation.kind is kind:
            says = f"{kind.value} {snippet(operation.subject)}"
            yield Observation(says=says, path=file.path, line=operation.line, text=operation.text)


def _decoded(content: bytes | None) -> str:
    return (content or b"")[:MAX_SQL].decode("utf-8", "replace")
