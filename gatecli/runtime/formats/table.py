"""Tables with named columns, one row a function: CSV, TSV, a JSON list of objects, or JSON lines.

That is what a query answers: ClickHouse's ``FORMAT CSVWithNames`` or ``JSONEachRow``, a vendor's export, a script's own.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any

from gatecli.errors import EvidenceError, UsageError
from gatecli.runtime.formats.documents import decode, decode_lines, keys
from gatecli.runtime.recording import Basis, Frame, Record, Recording

MAX_ROWS = 1_000_000
MAX_BYTES = 256 * 1024 * 1024
MAX_CELL_CHARACTERS = 100_000

_COLUMNS = {
    "function": ("function", "func", "qualname", "name", "code.function.name", "function_name"),
    "file": ("file", "path", "filename", "code.file.path"),
    "line": ("line", "lineno", "first_line", "firstlineno", "code.line.number"),
    "module": ("module", "namespace", "code.namespace"),
    "calls": ("calls", "count", "ncalls", "invocations", "hits"),
    "errors": ("errors", "failures"),
    "total_s": ("total_s", "seconds", "total_seconds", "cumtime"),
    "self_s": ("self_s", "self_seconds", "tottime"),
    "samples": ("samples", "total_samples", "cumulative"),
    "self_samples": ("self_samples", "self"),
    "service": ("service", "servicename", "service_name"),
    "environment": ("environment", "env"),
    "revision": ("revision", "commit"),
}
_ALIASES = {alias: column for column, aliases in _COLUMNS.items() for alias in aliases}
_NUMBER = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,18})?(?:e[+-]?[0-9]{1,2})?", re.IGNORECASE)
_REVISION = re.compile(r"[0-9a-f]{7,64}")
_DELIMITERS = ",;\t"

_Row = Mapping[str, str]


def matches(head: bytes) -> bool:
    """Whether the first line names a function column and a figure, or the first JSON object does."""
    start = head.lstrip()
    if start[:1] in (b"{", b"["):
        found = {key.decode("utf-8", "replace") for key in keys(start.lstrip(b"[ \r\n\t"))}
        return _is_table(found) and b'"ph"' not in head
    first = head.partition(b"\n")[0].decode("utf-8-sig", "replace")
    return "\0" not in first and any(
        _is_table({cell.strip().strip('"') for cell in first.split(delimiter)}) for delimiter in _DELIMITERS
    )


def read(stream: IO[bytes]) -> Recording:
    """Read one table.

    Raises:
        EvidenceError: cut off, malformed, a figure that is none, empty, or above a bound.
    """
    frames: dict[Frame, int] = {}
    records: list[Record] = []
    said: dict[str, set[str]] = {"service": set(), "environment": set(), "revision": set()}
    is_sampled: bool | None = None
    for number, row in _rows(stream):
        if len(records) >= MAX_ROWS:
            raise EvidenceError(f"more than {MAX_ROWS:,} rows", "give the functions with the most calls only")
        if is_sampled is None:
            is_sampled = "calls" not in row and "samples" in row
        frame = _frame(row, number)
        records.append(_record(row, number, frames.setdefault(frame, len(frames)), is_sampled))
        for name, values in said.items():
            if row.get(name):
                values.add(row[name])
    if not records:
        raise EvidenceError("the table has no rows", "did the query find anything?")
    return _recording(tuple(frames), records, said, bool(is_sampled))


def _recording(
    frames: tuple[Frame, ...], records: list[Record], said: Mapping[str, set[str]], is_sampled: bool
) -> Recording:
    only = {name: next(iter(values)) if len(values) == 1 else None for name, values in said.items()}
    samples = round(sum(record.self_weight or 0.0 for record in records)) if is_sampled else None
    if is_sampled and not samples:  # without a column of its own, no stack has fewer samples than its busiest function
        samples = round(max(record.total_weight or 0.0 for record in records))
        if not samples:
            raise EvidenceError("the table holds no samples", "did the query find anything?")
    revision = only["revision"] or ""
    return Recording(
        kind="table",
        basis=Basis.SAMPLED if is_sampled else Basis.COUNTED,
        frames=frames,
        records=tuple(records),
        samples=samples,
        service=only["service"],
        environment=only["environment"],
        revision=revision if _REVISION.fullmatch(revision) else None,
        revision_source="table" if _REVISION.fullmatch(revision) else None,
        selective=True,
        warnings=("a table has no call chains, and only the functions that were asked for: absence says nothing",),
    )


def _is_table(columns: Iterable[str]) -> bool:
    known = {_ALIASES.get(column.lower()) for column in columns}
    return "function" in known and bool(known & {"calls", "samples"})


def _rows(stream: IO[bytes]) -> Iterator[tuple[int, _Row]]:
    """The rows with gate's own column names, from whichever form."""
    head = b""
    while not head.strip():
        head = stream.readline(MAX_CELL_CHARACTERS)
        if not head:
            return
    if head.lstrip()[:1] == b"[":
        objects: Iterable[tuple[int, Any]] = enumerate(
            decode(_Joined(head, stream), list[dict[str, Any]], "a table"), start=1
        )
    elif head.lstrip()[:1] == b"{":
        objects = decode_lines(_Joined(head, stream), dict[str, Any], "a row of a table")  # type: ignore[arg-type]
    else:
        objects = _csv(head, stream)
    for number, row in objects:
        yield number, _named(row)


class _Joined:
    """A stream with its first line put back."""

    def __init__(self, head: bytes, stream: IO[bytes]) -> None:
        self._head = head
        self._stream = stream

    def read(self, size: int) -> bytes:
        head, self._head = self._head, b""
        return head + self._stream.read(size - len(head))

    def readline(self, size: int) -> bytes:
        if head := self._head:
            self._head = b""
            return head if head.endswith(b"\n") else head + self._stream.readline(size)
        return self._stream.readline(size)
