"""Tables with named columns, one row a function: CSV, TSV, a JSON list of objects, or JSON lines.

That is what a query answers: ClickHouse's ``FORMAT CSVWithNames`` or ``JSONEachRow``, a vendor's export, or a script.
"""

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any

from gatecli.errors import EvidenceError
from gatecli.runtime.formats.documents import decode, decode_lines, keys, line_number
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
_TOO_LARGE = "2^64 or more"
_NUMBER = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,18})?(?:e[+-]?[0-9]{1,2})?", re.IGNORECASE)
_REVISION = re.compile(r"[0-9a-f]{7,64}")
_DELIMITERS = ",;\t"

_Row = Mapping[str, str]


def matches(head: bytes) -> bool:
    """Whether the first line names a function column and a figure, or the first JSON object does."""
    start = head.lstrip()
    if start[:1] in (b"{", b"["):
        row = start.lstrip(b"[ \r\n\t").partition(b"}")[0]  # a row is flat
        return b"{" not in row[1:] and _is_table(key.decode("utf-8", "replace") for key in keys(row))
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
    data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise EvidenceError(f"more than {MAX_BYTES:,} bytes of table", "give the functions with the most calls only")
    rows: Iterable[tuple[int, Mapping[str, Any]]]
    if data.lstrip()[:1] == b"[":
        rows = enumerate(decode(io.BytesIO(data), list[dict[str, Any]], "a table"), start=1)
    elif data.lstrip()[:1] == b"{":
        rows = decode_lines(io.BytesIO(data), dict[str, Any], "a row of a table")
    else:
        rows = _csv(data)
    for number, row in rows:
        yield number, _named(row)


def _csv(data: bytes) -> Iterator[tuple[int, Mapping[str, str]]]:
    import csv

    lines = io.StringIO(data.decode("utf-8-sig", "replace"), newline="")
    first = lines.readline()
    lines.seek(0)
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        header = next(reader)
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                raise EvidenceError(
                    f"line {reader.line_num:,} has {len(cells):,} cells for {len(header):,} columns",
                    "was the file cut off?",
                )
            yield reader.line_num, dict(zip(header, cells, strict=True))
    except (csv.Error, StopIteration) as error:
        raise EvidenceError(f"line {reader.line_num:,} is no row of a table: {error}", "was it cut off?") from None


def _named(row: Mapping[str, Any]) -> _Row:
    """The columns that are known, as text; the first of several with the same meaning."""
    result: dict[str, str] = {}
    for name, value in row.items():
        column = _ALIASES.get(name.strip().lower())
        if column is None or value is None or isinstance(value, bool | dict | list):
            continue
        if isinstance(value, int) and abs(value) >= 2**64:
            value = _TOO_LARGE if value > 0 else "below 0"
        text = str(value).strip()
        if text and len(text) <= MAX_CELL_CHARACTERS:
            result.setdefault(column, text)
    return result


def _frame(row: _Row, number: int) -> Frame:
    """The function of a row: ``path::qualname``, a name with its file, or a dotted name with its module."""
    name = row.get("function", "")
    if not name:
        raise EvidenceError(f"row {number:,} names no function", "the column is called function")
    path, separator, qualname = name.rpartition("::")
    if separator and path and qualname:
        return Frame(file=path, name=qualname, first_line=_line(row, number))
    file, module = row.get("file"), row.get("module")
    if module and not name.startswith(f"{module}."):
        name = f"{module}.{name}"
    is_dotted = bool(module) or (file is None and "." in name)
    return Frame(file=file, name=name, first_line=_line(row, number), dotted=is_dotted)


def _line(row: _Row, number: int) -> int | None:
    return line_number(round(line)) if (line := _figure(row, "line", number)) is not None else None


def _record(row: _Row, number: int, frame: int, is_sampled: bool) -> Record:
    if is_sampled:
        total = _figure(row, "samples", number)
        return Record(
            frame=frame, calls=None, self_weight=_figure(row, "self_samples", number), total_weight=total or 0.0
        )
    calls, errors = _figure(row, "calls", number), _figure(row, "errors", number)
    if errors is not None and errors > (calls or 0.0):
        raise EvidenceError(f"row {number:,} has more errors than calls", "check the query")
    return Record(
        frame=frame,
        calls=round(calls or 0.0),
        self_weight=_figure(row, "self_s", number),
        total_weight=_figure(row, "total_s", number),
        errors=None if errors is None else round(errors),
    )


def _figure(row: _Row, column: str, number: int) -> float | None:
    text = row.get(column)
    if text is None:
        return None
    if _NUMBER.fullmatch(text) is None or not (value := float(text)) < 2**63:
        what = "is too large" if text == _TOO_LARGE or (text.isascii() and text.isdigit()) else "is no figure"
        raise EvidenceError(f"row {number:,}: {column} {text[:40]!r} {what}", "give a plain number of 0 or more")
    return value
