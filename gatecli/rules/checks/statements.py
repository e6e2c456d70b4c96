"""Statements of SQL that drop, rename, rewrite or lock, found in a text of them. What the text creates is left out."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_SQL = 100_000
"""Characters of one SQL text that are read."""

_COMMENT = re.compile(r"--[^\n]*|/\*.{0,2000}?\*/", re.DOTALL)
_NAME = r'(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?([\w."`\[\]]{1,120})'
_DROP_TABLE = re.compile(rf"\bDROP\s+TABLE\s+{_NAME}", re.IGNORECASE)
_DROP_COLUMN = re.compile(rf"\bALTER\s+TABLE\s+{_NAME}[^;]{{0,400}}?\bDROP\s+COLUMN\s+{_NAME}", re.IGNORECASE)
_RENAME = re.compile(rf"\bALTER\s+TABLE\s+{_NAME}\s+RENAME\s+(?:COLUMN\s+{_NAME}\s+)?TO\s+{_NAME}", re.IGNORECASE)
_CREATE_TABLE = re.compile(rf"\bCREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?{_NAME}", re.IGNORECASE)
_ALTER = re.compile(rf"^ALTER\s+TABLE\s+{_NAME}", re.IGNORECASE)
_ADD_COLUMN = re.compile(
    r"\bADD\s+(?:COLUMN\s+)?(?:IF\s+NOT\s+EXISTS\s+)?(?!CONSTRAINT\b|UNIQUE\b|PRIMARY\b|FOREIGN\b|CHECK\b|INDEX\b|COLUMN\b|IF\b)"
    r'([\w"`]{1,120})\s([^,;]{0,400})',
    re.IGNORECASE,
)
_SET_NOT_NULL = re.compile(r'\bALTER\s+(?:COLUMN\s+)?([\w"`]{1,120})\s+SET\s+NOT\s+NULL', re.IGNORECASE)
_CHECK_NOT_NULL = re.compile(
    r'\bCHECK\s{0,5}\(\s{0,5}([\w"`]{1,120})\s{1,5}IS\s{1,5}NOT\s{1,5}NULL\s{0,5}\)', re.IGNORECASE
)
_SET_TYPE = re.compile(
    r'\b(?:ALTER\s+(?:COLUMN\s+)?([\w"`]{1,120})\s+(?:SET\s+DATA\s+)?TYPE|MODIFY\s+(?:COLUMN\s+)?([\w"`]{1,120}))\s',
    re.IGNORECASE,
)
_INDEX = re.compile(rf"^CREATE\s+(?:UNIQUE\s+)?INDEX\s+(?!CONCURRENTLY\b)[^;]{{0,200}}?\bON\s+{_NAME}", re.IGNORECASE)
_CONSTRAINT = re.compile(r'\bADD\s+(?:CONSTRAINT\s+[\w"`]{1,120}\s+)?(?:FOREIGN\s+KEY|CHECK|UNIQUE)\b', re.IGNORECASE)
_LATER = re.compile(r"\bNOT\s+VALID\b|\bUSING\s+INDEX\b", re.IGNORECASE)
_WRITES = re.compile(rf"^(?:DELETE\s+FROM|UPDATE|TRUNCATE(?:\s+TABLE)?)\s+{_NAME}", re.IGNORECASE)
_BOUNDED = re.compile(r"\b(?:WHERE|LIMIT|JOIN|USING)\b", re.IGNORECASE)
_NOT_NULL = re.compile(r"\bNOT\s+NULL\b", re.IGNORECASE)
_DEFAULT = re.compile(r"\b(?:DEFAULT|GENERATED|SERIAL|BIGSERIAL)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Statement:
    """One finding in a text of SQL; ``kind`` is the name of an ``operations.Kind``, ``line`` counts from 0."""

    kind: str
    subject: str
    table: str
    line: int
    text: str
    statement: str


def from_sql(sql: str) -> list[Statement]:
    """What the statements of a text do, in their order; what they create themselves is not missed."""
    text = _COMMENT.sub(lambda found: "\n" * found[0].count("\n"), sql[:MAX_SQL])
    created = {_identifier(found[1]) for found in _CREATE_TABLE.finditer(text)}
    found = []
    for start, statement in _statements(text):
        line = text.count("\n", 0, start)
        whole = " ".join(statement.split())
        for kind, subject, table, match in _read(statement):
            at = line + statement.count("\n", 0, match.start())
            found.append(Statement(kind, subject, table, at, " ".join(match[0].split()), whole))
    return [item for item in found if item.subject not in created and item.table not in created]


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Start and text of each statement."""
    start = 0
    for part in text.split(";"):
        bare = part.lstrip()
        if bare:
            yield start + len(part) - len(bare), bare
        start += len(part) + 1


_Read = tuple[str, str, str, re.Match[str]]


def _read(statement: str) -> Iterator[_Read]:
    for match in _DROP_TABLE.finditer(statement):
        yield "DROP_TABLE", _identifier(match[1]), "", match
    for match in _DROP_COLUMN.finditer(statement):
        table = _identifier(match[1])
        yield "DROP_COLUMN", f"{table}.{_identifier(match[2])}", table, match
    for match in _RENAME.finditer(statement):
        table, column, new = (_identifier(part or "") for part in match.groups())
        subject = f"column {table}.{column} to {new}" if column else f"table {table} to {new}"
        yield "RENAME", subject, table, match
    if altered := _ALTER.match(statement):
        yield from _altered(statement, _identifier(altered[1]))
    if index := _INDEX.match(statement):
        yield "INDEX", f"on {_identifier(index[1])}", _identifier(index[1]), index
    if (written := _WRITES.match(statement)) and not _BOUNDED.search(statement):
        yield "WHOLE_TABLE", _identifier(written[1]), "", written


def _altered(statement: str, table: str) -> Iterator[_Read]:
    for match in _ADD_COLUMN.finditer(statement):
        if _NOT_NULL.search(match[2]) and not _DEFAULT.search(match[2]):
            yield "NOT_NULL", f"{table}.{_identifier(match[1])}", table, match
    for match in _SET_NOT_NULL.finditer(statement):
        yield "FORBID_NULL", f"{table}.{_identifier(match[1])}", table, match
    for match in _CHECK_NOT_NULL.finditer(statement):
        yield "FORBID_NULL", f"{table}.{_identifier(match[1])}", table, match
    for match in _SET_TYPE.finditer(statement):
        yield "TYPE", f"{table}.{_identifier(match[1] or match[2])}", table, match
    match_or_none = _CONSTRAINT.search(statement)
    if match_or_none is not None and not _LATER.search(statement):
        yield "CONSTRAINT", f"on {table}", table, match_or_none


def _identifier(name: str) -> str:
    return re.sub(r'["`\[\]]', "", name)
