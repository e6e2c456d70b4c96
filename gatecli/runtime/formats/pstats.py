"""pstats dumps: cProfile and profile, yappi's ``save(type="pstat")``, and Python 3.15's sampling profiler.

A dump is the marshal of ``{(file, first line, name): (primitive calls, calls, self s, total s, callers)}``. None of
them says when, where or for how long it was recorded.
"""

import math
import re
from typing import IO

from gatecli.errors import EvidenceError
from gatecli.runtime.formats import marshal
from gatecli.runtime.recording import Basis, Frame, Record, Recording

MAX_BYTES = 64 * 1024 * 1024
# Caller entries in all: a callers dict that many functions share is small in the file and large once walked.
MAX_EDGES = 5_000_000
MAX_COUNT = 2**63

# Python 3.15's sampler marks its dumps; its counts are samples, its lines executing lines:
# https://github.com/python/cpython/blob/main/Lib/profiling/sampling/pstats_collector.py
_SAMPLED_MARKER = ("__sampled__",)
_BUILTINS = "~"
# What 3.15's sampler writes where a frame has no line.
_NO_LINE = -1
_PYTHON = re.compile(r"[/\\]lib[/\\]python(\d\.\d{1,2})[/\\]")

_Key = tuple[str, int, str]


def matches(head: bytes) -> bool:
    """Whether the bytes start a marshalled dict whose first key is a tuple (or that is empty)."""
    return len(head) > 1 and chr(head[0] & 0x7F) == "{" and chr(head[1] & 0x7F) in "()0"


def read(stream: IO[bytes]) -> Recording:
    """Read one dump.

    Raises:
        EvidenceError: cut off, malformed, empty, or above a bound.
    """
    data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise EvidenceError(f"more than {MAX_BYTES:,} bytes of pstats", "record for a shorter time")
    table = marshal.loads(data)
    if not isinstance(table, dict):
        raise EvidenceError("not a pstats dump: no table of functions")
    is_sampled = table.pop(_SAMPLED_MARKER, None) is not None
    rows = _rows(table)
    if not rows:
        raise EvidenceError("the profile holds no function", "was it enabled while the program ran?")
    keys = dict.fromkeys(key for key, _ in rows)
    keys.update(dict.fromkeys(caller for _, (_, _, _, _, callers) in rows for caller, _ in callers))
    index = {key: position for position, key in enumerate(keys)}
    records = _records(rows, index, is_sampled)
    return _sampled(keys, records, rows) if is_sampled else _counted(keys, records)


_Row = tuple[int, int, float, float, list[tuple[_Key, int]]]


def _records(rows: list[tuple[_Key, _Row]], index: dict[_Key, int], is_sampled: bool) -> tuple[Record, ...]:
    result = []
    for key, (primitive, calls, self_s, total_s, callers) in rows:
        result.append(
            Record(
                frame=index[key],
                # yappi writes the two counts the other way round.
                calls=None if is_sampled else max(primitive, calls),
                self_weight=primitive if is_sampled else self_s,
                total_weight=calls if is_sampled else total_s,
                callers=tuple((index[caller], count) for caller, count in callers),
            )
        )
    return tuple(result)


def _counted(keys: dict[_Key, None], records: tuple[Record, ...]) -> Recording:
    # cProfile names functions without their class; yappi writes Class.method, and no builtin is in file "~".
    is_yappi = not any(file == _BUILTINS for file, _, _ in keys) and any("." in name for _, _, name in keys)
    warnings = []
    if not is_yappi and any(file.endswith("threading.py") and name == "_bootstrap_inner" for file, _, name in keys):
        # From 3.12 on cProfile sees every thread and puts a switch down as a call (reference: runtime data §0.9).
        warnings.append(
            "several threads are mixed (cProfile of Python 3.12 or newer): callers and total times left out"
        )
        records = tuple(
            Record(frame=record.frame, calls=record.calls, self_weight=record.self_weight) for record in records
        )
    return Recording(
        kind="pstats",
        basis=Basis.COUNTED,
        frames=tuple(Frame(file=file, name=name, first_line=line or None) for file, line, name in keys),
        records=records,
        clock="wall" if not is_yappi else None,
        python=_python(keys),
        environment="profile-run",
        resumed_generators=True,
        resumed_coroutines=not is_yappi,
        warnings=tuple(warnings),
    )


def _sampled(keys: dict[_Key, None], records: tuple[Record, ...], rows: list[tuple[_Key, _Row]]) -> Recording:
    samples = sum(primitive for _, (primitive, *_) in rows)
    if not samples:
        raise EvidenceError("the profile holds no samples")
    seconds = sum(self_s for _, (_, _, self_s, _, _) in rows)
    return Recording(
        kind="pstats-sampled",
        basis=Basis.SAMPLED,
        frames=tuple(Frame(file=file, name=name, line=line if line > 0 else None) for file, line, name in keys),
        records=records,
        samples=samples,
        rate_hz=round(samples / seconds, 3) if seconds else None,
        python=_python(keys),
    )


def _python(keys: dict[_Key, None]) -> str | None:
    found = (match for file, _, _ in keys if (match := _PYTHON.search(file)))
    return next((match.group(1) for match in found), None)


def _rows(table: dict[object, object]) -> list[tuple[_Key, _Row]]:
    rows = []
    edges = 0
    for key, value in table.items():
        rows.append((_key(key), _row(key, value)))
        edges += len(rows[-1][1][4])
        if edges > MAX_EDGES:
            raise EvidenceError(f"more than {MAX_EDGES:,} pairs of caller and function", "record for a shorter time")
    return rows


def _key(key: object) -> _Key:
    if isinstance(key, tuple) and len(key) == 3:
        file, line, name = key
        if isinstance(file, str) and isinstance(name, str) and type(line) is int and _NO_LINE <= line < MAX_COUNT:
            return file, line, name
    raise EvidenceError("not a pstats dump: a key is not (file, line, name)")


def _row(key: object, value: object) -> _Row:
    if not (isinstance(value, tuple) and len(value) == 5 and isinstance(value[4], dict)):
        raise EvidenceError(f"not a pstats dump: the figures of {_short(key)} are not five")
    primitive, calls, self_s, total_s, callers = value
    return (
        _count(key, primitive),
        _count(key, calls),
        _seconds(key, self_s),
        _seconds(key, total_s),
        [(_key(caller), _caller_count(key, figures)) for caller, figures in callers.items()],
    )


def _caller_count(key: object, figures: object) -> int:
    if isinstance(figures, tuple) and len(figures) == 4:
        return max(_count(key, figures[0]), _count(key, figures[1]))
    return _count(key, figures)


def _count(key: object, value: object) -> int:
    if type(value) is not int or not 0 <= value < MAX_COUNT:
        what = "is too large" if type(value) is int and value > 0 else "is no count"
        raise EvidenceError(f"malformed: {_short(key)} has a count that {what}")
    return value


def _seconds(key: object, value: object) -> float:
    if type(value) not in (int, float) or not math.isfinite(float(value)):  # type: ignore[arg-type]
        raise EvidenceError(f"malformed: {_short(key)} has a time that is no time")
    return max(0.0, float(value))  # type: ignore[arg-type]


def _short(key: object) -> str:
    return repr(key)[:200]
