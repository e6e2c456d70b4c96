"""Statements of SQL that drop, rename, rewrite or lock, found in a text of them. What the text creates is left out."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_SQL = 100_000
"""Characters of one SQL text that are read."""

_COMMENT = re.compile(r"--[^\n]*|/\*.{0,2000}?\*/", re.DOTALL)


def _sql(pattern: str) -> re.Pattern[str]:
    """A pattern in which a blank stands for white space, 80 characters at most: what is longer costs nothing."""
    return re.compile(pattern.replace(" ", r"\s{1,80}"), re.IGNORECASE)


_NAME = r'(?:IF EXISTS )?(?:ONLY )?([\w."`\[\]]{1,120})'
_DROP_TABLE = _sql(rf"\bDROP TABLE {_NAME}")
_DROP_COLUMN = _sql(rf"\bALTER TABLE {_NAME}[^;]{{0,400}}?\bDROP COLUMN {_NAME}")
_RENAME = _sql(rf"\bALTER TABLE {_NAME} RENAME (?:COLUMN {_NAME} )?TO {_NAME}")
_CREATE_TABLE = _sql(rf"\bCREATE TABLE (?:IF NOT EXISTS )?{_NAME}")
_ALTER = _sql(rf"^ALTER TABLE {_NAME}")
_ADD_COLUMN = _sql(
    r"\bADD (?:COLUMN )?(?:IF NOT EXISTS )?(?!CONSTRAINT\b|UNIQUE\b|PRIMARY\b|FOREIGN\b|CHECK\b|INDEX\b|COLUMN\b|IF\b)"
    r'([\w"`]{1,120})\s([^,;]{0,400})'
)
_SET_NOT_NULL = _sql(r'\bALTER (?:COLUMN )?([\w"`]{1,120}) SET NOT NULL')
_CHECK_NOT_NULL = _sql(r'\bCHECK\s{0,5}\(\s{0,5}([\w"`]{1,120})\s{1,5}IS\s{1,5}NOT\s{1,5}NULL\s{0,5}\)')
_SET_TYPE = _sql(r'\b(?:ALTER (?:COLUMN )?([\w"`]{1,120}) (?:SET DATA )?TYPE|MODIFY (?:COLUMN )?([\w"`]{1,120}))\s')
_INDEX = _sql(rf"^CREATE (?:UNIQUE )?INDEX (?!CONCURRENTLY\b)[^;]{{0,200}}?\bON {_NAME}")
_CONSTRAINT = _sql(r'\bADD (?:CONSTRAINT [\w"`]{1,120} )?(?:FOREIGN KEY|CHECK|UNIQUE)\b')
_LATER = _sql(r"\bNOT VALID\b|\bUSING INDEX\b")
_WRITES = _sql(rf"^(?:DELETE FROM|UPDATE|TRUNCATE(?: TABLE)?) {_NAME}")
_BOUNDED = _sql(r"\b(?:WHERE|LIMIT|JOIN|USING)\b")
_NOT_NULL = _sql(r"\bNOT NULL\b")
_DEFAULT = _sql(r"\b(?:DEFAULT|GENERATED|SERIAL|BIGSERIAL)\b")


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
