"""Migrations: what they do on their way up that running code, a busy table or a rollback cannot take (family M)."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gatecli.model import ChangeKind, Evidence, FileChange, FileStatus, FunctionKind
from gatecli.rules import code
from gatecli.rules.checks.columns import is_altered
from gatecli.rules.checks.operations import (
    ALEMBIC,
    DJANGO,
    EFFECTS,
    Kind,
    Operation,
    arguments,
    operations,
    sql_argument,
    sql_operations,
)
from gatecli.rules.code import Code, Touched, View
from gatecli.rules.lines import decoded
from gatecli.rules.matching import Captures, Pattern
from gatecli.rules.observation import Check, Observation, seen
from gatecli.rules.paths import matches
from gatecli.rules.spec import Rule
from gatecli.rules.wording import snippet

if TYPE_CHECKING:
    from tree_sitter import Node

_DECLARED = Pattern("""
((assignment left: (identifier) @key right: (_) @value) @match (#any-of? @key "operations" "dependencies" "replaces"))
""")
# What a field is given that no database knows of (Django's documentation of model fields).
_NO_SCHEMA = Pattern("""
((keyword_argument name: (identifier) @key) @match
  (#any-of? @key "help_text" "verbose_name" "validators" "choices" "error_messages" "editable" "blank" "upload_to"
                 "storage" "sanitizer"))
""")
MAX_OPERATION = 400
"""Characters of an operation or statement that the evidence repeats."""


def does(*kinds: Kind) -> Check:
    """A check for operations of some kinds: M01 to M08 ask the same of different ones."""

    def check(rule: Rule, view: View) -> Iterator[Observation]:
        for kind in kinds:
            yield from _observe(view, kind)

    return check


def whole_table_written(rule: Rule, view: View) -> Iterator[Observation]:
    """M09: in migrations and ``.sql`` files, and in any statement that production code executes."""
    yield from _observe(view, Kind.WHOLE_TABLE)
    for touched in view.functions:
        if touched.after is None or is_migration(touched.after):
            continue
        for operation in _news(_executed(view, touched.before), _executed(view, touched.after)):
            yield _seen(touched.change.id.path, touched, operation)


def is_migration(side: Code) -> bool:
    """Whether a function belongs to a migration."""
    return matches(DJANGO, side.module.path) or matches(ALEMBIC, side.module.path)


_EXECUTES = Pattern("""
((call function: (attribute attribute: (identifier) @key)) @match (#any-of? @key "execute" "executemany" "raw"))
""")


def _executed(view: View, side: Code | None) -> list[Operation]:
    """The statements that a function executes on a whole table."""
    found = view.own(_EXECUTES, side) if side is not None else []
    return [
        operation
        for match in found
        for operation in sql_operations(sql_argument(match["match"], "sql"), code.line(match["match"]))
        if operation.kind is Kind.WHOLE_TABLE
    ]


def merged_edited(rule: Rule, view: View) -> Iterator[Observation]:
    """M12: what a merged migration does or depends on was changed, or the migration went away."""
    for touched in view.functions:
        if touched.file.status is FileStatus.COPIED or touched.before is None:
            continue
        before = _meaning(view, touched.before)
        after = _meaning(view, touched.after) if touched.after is not None else ""
        if before and touched.after is None and touched.file.after is None:
            yield seen(touched, None, "goes away, although it may already have run", before)
        elif before and after and touched.before.module.path != touched.change.id.path and _is_django(touched.before):
            says = "has another name than the one under which it may already have run"
            yield seen(touched, touched.change.function.span.def_line, says, touched.before.module.path)
        elif before and after and before != after and touched.change.kind is ChangeKind.EDITED:
            says = "changes what a merged migration does, which may already have run"
            line = min(touched.change.changed_lines, default=touched.change.function.span.def_line)
            yield seen(touched, line, says, after)


def _is_django(side: Code) -> bool:
    """Whether a migration is known by the name of its file (Alembic's carry their own)."""
    return side.function.id.name == "Migration" and matches(DJANGO, side.module.path)


def _meaning(view: View, side: Code) -> str:
    """The normal text of what a migration does and depends on, empty where it is none."""
    function, path = side.function, side.module.path
    if function.kind is FunctionKind.CLASS_BODY and function.id.name == "Migration" and matches(DJANGO, path):
        meaning = " ; ".join(_sorted_items(match) for match in view.own(_DECLARED, side))
        for match in view.own(_NO_SCHEMA, side):
            meaning = meaning.replace(code.normal(match["match"]), "", 1)
        return " ".join(meaning.replace(",", " ").split())
    if function.id.qualname == "upgrade" and matches(ALEMBIC, path):
        body = side.node.child_by_field_name("body")  # annotations do nothing, nor do brackets around what a loop fills
        return _BRACKETS.sub(r"for \1 in", code.normal(body if body is not None else side.node))
    return ""


_BRACKETS = re.compile(r"\bfor \( ([^()]{1,400}) \) in\b")


def _sorted_items(match: Captures) -> str:
    """The normal text of a declaration; only operations have an order that means something."""
    value = match["value"]
    items = [code.normal(item) for item in value.named_children if item.type != "comment"]
    return " , ".join(items if code.text(match["key"]) == "operations" else sorted(items))


def _observe(view: View, kind: Kind) -> Iterator[Observation]:
    created = {name.lower() for name in _created(view)}
    for touched in view.functions:
        if touched.after is None:
            continue
        for operation in _news(operations(view, touched.before), operations(view, touched.after)):
            if operation.kind is not kind or operation.model.lower() in created:
                continue
            if not operation.text.startswith("migrations . AlterField") or is_altered(view, touched, operation):
                yield _seen(touched.change.id.path, touched, operation)
        if kind is Kind.ONE_WAY:
            yield from _no_way_down(view, touched)
    for file in view.case.change.files:
        if matches(SQL_FILES, file.path):
            yield from _sql_file(file, kind)
        elif kind in _LOSES_DATA and matches(OTHER_SQL, file.path):
            made = {name.lower() for name in _MAKES_TABLE.findall(decoded(file.after))}
            yield from (one for one in _sql_file(file, kind) if not made & set(_NAMES.findall(one.text.lower())))


def _seen(path: str, touched: Touched | None, operation: Operation) -> Observation:
    """What an operation does, with it as the file has it, and what it does to data, way back and locks."""
    return Observation(
        says=f"{operation.kind.value} {snippet(operation.subject)}",
        path=path,
        line=operation.line,
        touched=touched,
        text=operation.text,
        evidence=(
            Evidence(kind="operation", text=snippet(operation.source, MAX_OPERATION), path=path, line=operation.line),
            Evidence(kind="effect", text=EFFECTS[operation.kind]),
        ),
    )


def _news(before: list[Operation], after: list[Operation]) -> Iterator[Operation]:
    """The operations that one side has more of than the other."""
    known = Counter(operation.text for operation in before)
    for operation in after:
        if known[operation.text] > 0:
            known[operation.text] -= 1
        else:
            yield operation


_CREATES = Pattern("""
((call function: [(identifier) (attribute)] @name arguments: (argument_list)) @match
  (#match? @name "(^|[.])(CreateModel|create_table)$"))
""")


def _created(view: View) -> Iterator[str]:
    """The models and tables that migrations of this change create."""
    for touched in view.functions:
        if touched.after is not None and touched.before is None and is_migration(touched.after):
            for match in view.own(_CREATES, touched.after):
                if name := arguments(match["match"], ("name",)).get("name"):
                    yield name


def _no_way_down(view: View, touched: Touched) -> Iterator[Observation]:
    """An Alembic revision that is new and whose ``downgrade`` is missing, empty or refuses."""
    side = touched.after
    if side is None or touched.change.kind is not ChangeKind.ADDED or side.function.id.qualname != "upgrade":
        return
    if not matches(ALEMBIC, side.module.path) or _does_nothing(side.node):
        return
    if not any(match["key"].text == b"revision" for match in view.own(_MODULE_NAMES, _module_body(side))):
        return
    down = next((node for node, f in _functions(side) if f == "downgrade"), None)
    if down is None or _does_nothing(down):
        how = "has no downgrade" if down is None else "has a downgrade that does nothing"
        line = code.line(down) if down is not None else side.function.span.def_line
        yield seen(touched, line, f"{Kind.ONE_WAY.value} the revision {how}", "downgrade")


_MODULE_NAMES = Pattern("(assignment left: (identifier) @key) @match")


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


_WAY_DOWN = ("!*down*.sql", "!*rollback*.sql", "!rollback/", "!down/")
SQL_FILES = ("**/migrations/**/*.sql", "**/delta/**/*.sql", "**/delta/**/*.sql.postgres", *_WAY_DOWN)
# Somebody runs these too: a clean-up, a procedure, a job. What sets up anew makes again what it drops.
_SET_UP = ("!*schema*.sql", "!*dump*.sql", "!*seed*.sql", "!docs/", "!examples/", "!fixtures/")
OTHER_SQL = ("*.sql", *_WAY_DOWN, *_SET_UP)
_LOSES_DATA = (Kind.DROP_TABLE, Kind.DROP_COLUMN)
_MAKES_TABLE = re.compile(
    r"(?i)\b(?:create\s{1,9}(?:\w{1,20}\s{1,9}){0,5}?table\s{1,9}(?:if\s{1,9}not\s{1,9}exists\s{1,9})?|rename\s{1,9}to\s{1,9})"
    r"[\"`\[]?([\w.]{1,200})"
)
_NAMES = re.compile(r"[\w.]{1,200}")


def _sql_file(file: FileChange, kind: Kind) -> Iterator[Observation]:
    for operation in _news(sql_operations(decoded(file.before), 1), sql_operations(decoded(file.after), 1)):
        if operation.kind is kind:
            yield _seen(file.path, None, operation)
