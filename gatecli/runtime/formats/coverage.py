"""coverage.py's data: its sqlite file, and ``coverage json --show-contexts``; only for which tests execute which lines.

https://coverage.readthedocs.io/en/latest/dbschema.html
"""

import io
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, TYPE_CHECKING

import msgspec

from gatecli.errors import EvidenceError, UsageError
from gatecli.runtime.formats.documents import decode, keys
from gatecli.runtime.recording import Basis, Covered, Frame, Recording

if TYPE_CHECKING:
    import sqlite3

MAX_BYTES = 256 * 1024 * 1024
MAX_LINES = 5_000_000
# Pairs of a line and a test that executed it.
MAX_PAIRS = 20_000_000

_SQLITE = b"SQLite format 3\0"
_TABLES = ("file", "context", "line_bits", "arc")
# A step is a thousand instructions of sqlite's machine: some ten seconds of queries.
_MAX_STEPS = 2_000_000
_INSTRUCTIONS = 1_000
_MAX_LINE = 10_000_000
# pytest-cov writes the phase behind the test's id.
_PHASE = re.compile(r"\|(?:run|setup|teardown)$")

_Lines = dict[str, dict[int, set[str]]]


class _File(msgspec.Struct):
    contexts: dict[str, list[str]] | None = None


class _Document(msgspec.Struct):
    files: dict[str, _File]


def matches(head: bytes) -> bool:
    """Whether the bytes start a sqlite file, or a JSON report."""
    return head.startswith(_SQLITE) or {b"meta", b"files", b"executed_lines"} <= keys(head)


def read(stream: IO[bytes]) -> Recording:
    """Read one data file or JSON report.

    Raises:
        EvidenceError: cut off, malformed, empty, or above a bound.
        UsageError: it does not say which test executed a line, or is another sqlite file.
    """
    data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise EvidenceError(f"more than {MAX_BYTES:,} bytes of coverage", "split the run")
    found = _sqlite(data) if data.startswith(_SQLITE) else _json(data)
    tests: dict[str, int] = {}
    frames: list[Frame] = []
    covered: list[Covered] = []
    for path, lines in found.items():
        for line, names in sorted(lines.items()):
            who = {tests.setdefault(_PHASE.sub("", name), len(tests)) for name in sorted(names) if name}
            if who:
                covered.append(Covered(frame=len(frames), tests=tuple(sorted(who))))
                frames.append(Frame(file=path, name="<module>", line=line))
    if not covered:
        raise UsageError(
            "the coverage does not say which test executed a line",
            "record contexts: pytest --cov --cov-context=test, or dynamic_context = test_function in .coveragerc; "
            "then coverage json --show-contexts",
        )
    return Recording(
        kind="coverage",
        basis=Basis.COVERAGE,
        frames=tuple(frames),
        covered=tuple(covered),
        tests=tuple(tests),
    )


def _json(data: bytes) -> _Lines:
    document = decode(io.BytesIO(data), _Document, "a coverage report")
    return _collected((path, _line(line), name) for path, line, name in _contexts(document.files))


def _contexts(files: Mapping[str, _File]) -> Iterator[tuple[str, str, str]]:
    for path, file in files.items():
        for line, names in (file.contexts or {}).items():
            for name in names:
                yield path, line, name


def _line(text: str) -> int:
    if re.fullmatch(r"[0-9]{1,8}", text) is None:
        raise EvidenceError(f"{text[:40]!r} is no line number", "make the report again")
    return int(text)


def _collected(found: Iterable[tuple[str, int, str]]) -> _Lines:
    lines: _Lines = defaultdict(lambda: defaultdict(set))
    total = 0
    for pairs, (path, line, name) in enumerate(found, start=1):
        if name and 0 < line <= _MAX_LINE:
            of = lines[path]
            total += line not in of
            of[line].add(name)
        if pairs > MAX_PAIRS or total > MAX_LINES:
            raise EvidenceError(f"more than {MAX_LINES:,} lines or {MAX_PAIRS:,} of them by test", "split the report")
    return lines


def _sqlite(data: bytes) -> _Lines:
    import sqlite3

    connection = sqlite3.connect(":memory:")
    try:
        connection.deserialize(data)
        _check_tables(connection)
        _confine(connection)
        return _collected(_executed(connection))
    except (sqlite3.Error, OverflowError, UnicodeDecodeError, MemoryError) as error:
        raise EvidenceError(
            f"the sqlite data is damaged or cut off ({str(error)[:100]})", "was the test run stopped? run it again"
        ) from error
    finally:
        connection.close()


def _check_tables(connection: "sqlite3.Connection") -> None:
    """That the tables are plain ones: a view can be a query without end."""
    connection.execute("PRAGMA trusted_schema = OFF")
    found = connection.execute("SELECT type, name, sql FROM sqlite_master LIMIT 1000").fetchall()
    plain = {name for kind, name, sql in found if kind == "table" and not _is_virtual(sql)}
    if not {"file", "context"} <= plain or not plain & {"line_bits", "arc"}:
        raise UsageError("a sqlite file, but not of coverage", "name the .coverage file of a test run")
    if any(name in _TABLES and name not in plain for _, name, _ in found):
        raise EvidenceError("a table of coverage's is none", "run the tests again")


def _is_virtual(sql: object) -> bool:
    return not isinstance(sql, str) or re.match(r"\s*CREATE\s+TABLE\b", sql, re.IGNORECASE) is None


def _confine(connection: "sqlite3.Connection") -> None:
    import sqlite3

    allowed = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ}
    connection.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in allowed else sqlite3.SQLITE_DENY)
    steps = iter(range(_MAX_STEPS))
    connection.set_progress_handler(lambda: next(steps, None) is None, _INSTRUCTIONS)


def _executed(connection: "sqlite3.Connection") -> Iterator[tuple[str, int, str]]:
    """File, line and context of what was executed; with branches the lines are the ends of arcs."""
    files = _names(connection, "SELECT id, path FROM file")
    contexts = _names(connection, "SELECT id, context FROM context")
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    if "line_bits" in tables:
        for file, context, bits in connection.execute("SELECT file_id, context_id, numbits FROM line_bits"):
            if file in files and context in contexts and isinstance(bits, bytes) and contexts[context]:
                yield from ((files[file], line, contexts[context]) for line in _numbers(bits))
    if "arc" in tables:
        for file, context, *ends in connection.execute("SELECT file_id, context_id, fromno, tono FROM arc"):
            if file in files and context in contexts and contexts[context]:
                for line in ends:
                    if isinstance(line, int):
                        yield files[file], line, contexts[context]


def _names(connection: "sqlite3.Connection", query: str) -> dict[object, str]:
    return {id: name for id, name in connection.execute(query) if isinstance(name, str)}


def _numbers(bits: bytes) -> Iterator[int]:
    """Bit ``j`` of byte ``i`` stands for line ``8 i + j``."""
    for index, byte in enumerate(bits):
        for bit in range(8):
            if byte >> bit & 1:
                yield 8 * index + bit
