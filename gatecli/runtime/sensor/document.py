"""What a sensor saw as a document of gate's schema, and writing it: whole or not at all."""

import calendar
import contextlib
import itertools
import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from types import CodeType
from typing import Any, TypeVar

from .calls import Calls
from .windows import Windows

_OPTIMIZED, _GENERATOR, _COROUTINE, _ASYNC_GENERATOR = 0x1, 0x20, 0x80, 0x200

_K = TypeVar("_K")
Counter = itertools.count
"""It is counted on in one step, whatever other threads do."""


def value(counter: "Counter[int]") -> int:
    """How often a counter was asked: ``count(7)``, as from Python 3.14 on it can be neither copied nor reduced."""
    return int(repr(counter)[len("count(") : -1])


class Seen:
    """What one process did: when each function first ran, how often it was called, by whom, and what it failed with.

    All is by the ``id`` of a code object, which ``codes`` keeps alive: to hash a code object, Python goes through its
    instructions, which takes some microseconds for a long function. ``path`` is the file of a function below a root.
    """

    def __init__(self, path: Callable[[CodeType], str | None], calls: Calls) -> None:
        self.path, self.calls = path, calls
        self.codes: dict[int, CodeType] = {}
        self._names: dict[int, str] = {}
        self.first: dict[int, float] = {}
        self.callers: dict[tuple[int, int], Counter[int]] = {}
        self.errors: dict[tuple[int, str], Counter[int]] = {}
        # What the exceptions of earlier windows stand for, and how many are in it.
        self._failures: dict[tuple[int, str], tuple[float, int]] = {}

    def ran(self, code: CodeType) -> None:
        """A function of the project ran, perhaps for the first time."""
        if id(code) not in self.first:
            self.codes[id(code)] = code
            self.first[id(code)] = time.time()

    def fold(self, factor: float) -> None:
        """The exceptions that were counted since the last time stand for so many times as many."""
        _fold(self.errors, self._failures, factor)

    def failures(self, windows: Windows) -> dict[tuple[int, str], float]:
        """How often an exception of a type left each function."""
        return _whole(self.errors, self._failures, windows)

    def name(self, key: int) -> str:
        """``path::qualname`` of a function; a lambda or comprehension is of the function around it."""
        if key not in self._names:
            code = self.codes[key]
            parts = [part for part in code.co_qualname.replace(".<locals>", "").split(".") if not part.startswith("<")]
            self._names[key] = f"{self.path(code)}::{'.'.join(parts) or '<module>'}"
        return self._names[key]


def _fold(counters: "dict[_K, Counter[int]]", folded: dict[_K, tuple[float, int]], factor: float) -> None:
    for key, counter in list(counters.items()):
        before, counted = folded.get(key, (0.0, 0))
        if (now := value(counter)) > counted:
            folded[key] = before + (now - counted) * factor, now


def _whole(
    counters: "dict[_K, Counter[int]]", folded: dict[_K, tuple[float, int]], windows: Windows
) -> dict[_K, float]:
    rest = windows.rest()
    if rest is None or windows.duty >= 1:
        scale = windows.scale() or 1.0
        return {key: value(counter) * scale for key, counter in list(counters.items())}
    return {key: calls * rest for key, (calls, _) in list(folded.items())}


def write(target: str, document: Mapping[str, Any]) -> None:
    """Write it, to a temporary file that takes the place of the last one.

    What is no regular file, as a device or a pipe, is written to: nothing takes its place.
    """
    content = json.dumps(document, separators=(",", ":")).encode()
    if os.path.exists(target) and not os.path.isfile(target):
        with os.fdopen(os.open(target, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0)), "wb") as file:
            file.write(content)
        return
    folder, name = os.path.split(os.path.abspath(target))
    os.makedirs(folder, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(temporary, 0o644)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def document(seen: Seen, windows: Windows, name: str) -> dict[str, Any]:
    """The profile; ``name`` is what the recording is called in it."""
    elapsed = windows.elapsed_s()
    rows = _rows(seen, windows, elapsed)
    return {
        "schema": "gate.runtime-profile/1",
        "meta": {
            "window": {
                "start": _moment(windows.began_at),
                "end": _moment(time.time()),
                "observed_seconds": round(elapsed, 3),
            },
            "revision": os.environ.get("GATE_RECORD_REVISION") or None,
            "revision_source": "flag" if os.environ.get("GATE_RECORD_REVISION") else None,
            "generator": "gate sensor",
            "sources": [
                {
                    "kind": "gate-sensor",
                    "file": name,
                    "sha256": f"{os.getpid():x}-{time.time_ns():x}",
                    "basis": "counted",
                    "clock": "wall",
                    "processes": 1,
                    "python": ".".join(map(str, sys.version_info[:3])),
                    "frames_project": len(rows),
                    "frames_matched": len(rows),
                    "warnings": [] if windows.duty >= 1 else [_precision(seen, windows, elapsed)],
                }
            ],
        },
        "functions": [rows[id] for id in sorted(rows)],
        "edges": _edges(seen, rows),
    }


def _precision(seen: Seen, windows: Windows, elapsed: float) -> str:
    hot = seen.calls.bounds(windows.program_s())
    window = f"in windows of {windows.counted_s:.1f} of {elapsed:.1f} s and scaled up"
    if not hot:
        return f"errors were counted {window}"
    calls = seen.calls.total(windows.program_s())
    widths = sorted(
        (math.inf if high is None else max(high - calls[key], calls[key] - low)) / max(calls[key], 1)
        for key, (low, high) in hot.items()
    )
    said = f"calls of the {len(hot):,} busiest of {len(seen.first):,} functions, and all errors, were counted {window}"
    middle = widths[len(widths) // 2]
    return f"{said}: half of them are known to {max(1, round(100 * middle))} %" if middle < 1 else said


def _rows(seen: Seen, windows: Windows, elapsed: float) -> dict[str, dict[str, Any]]:
    calls: dict[str, float] = {}
    errors: dict[str, dict[str, float]] = {}
    bounds = seen.calls.bounds(windows.program_s())
    scaled: dict[str, list[tuple[float, float | None]]] = {}
    for key, times in seen.calls.total(windows.program_s()).items():
        if not _is_part(seen.codes[key]):
            name = seen.name(key)
            calls[name] = calls.get(name, 0) + times
            if key in bounds:
                scaled.setdefault(name, []).append((bounds[key][0] - times, _less(bounds[key][1], times)))
    for (key, kind), times in seen.failures(windows).items():
        types = errors.setdefault(seen.name(key), {})
        types[kind] = types.get(kind, 0) + times
    rows: dict[str, dict[str, Any]] = {}
    for key, first in list(seen.first.items()):
        code = seen.codes[key]
        if _is_part(code):
            continue
        name = seen.name(key)
        called = calls.get(name, 0)
        failed = {kind: round(count) for kind, count in errors.get(name, {}).items()} if called else {}
        rows[name] = {
            "id": name,
            "kind": _kind(code),
            "first_line": code.co_firstlineno,
            "calls": round(called) if called else None,
            "calls_per_min": round(called * 60 / elapsed, 6) if called else None,
            "calls_basis": ("counted_scaled" if name in scaled else "counted") if called else None,
            **_bounds(called, scaled.get(name, [])),
            "errors": sum(failed.values()) if called else None,
            "error_rate": round(min(1.0, sum(errors.get(name, {}).values()) / called), 6) if called else None,
            "error_types": failed or None,
            "first_seen": _moment(min(first, _epoch(rows.get(name, {}).get("first_seen")) or first)),
            "match": "qualname",
            "sources": [0],
        }
    return rows


def _less(number: float | None, other: float) -> float | None:
    return None if number is None else number - other


def _bounds(called: float, margins: list[tuple[float, float | None]]) -> dict[str, int | None]:
    """The 95 % interval of calls that were scaled up; the parts of one function are taken to be off together."""
    above = [more for _, more in margins if more is not None]
    if not called or not margins:
        return {}
    return {
        "calls_low": max(0, math.floor(called + sum(less for less, _ in margins))),
        "calls_high": math.ceil(called + sum(above)) if len(above) == len(margins) else None,
    }


def _edges(seen: Seen, rows: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Who calls whom: the calls of each function, as its callers were seen."""
    callers: dict[tuple[str, str], int] = {}
    for (caller, callee), counter in list(seen.callers.items()):
        key = seen.name(caller), seen.name(callee)
        callers[key] = callers.get(key, 0) + value(counter)
    followed: dict[str, int] = {}
    for (_, called), times in callers.items():
        followed[called] = followed.get(called, 0) + times
    return [
        {
            "caller": above,
            "callee": below,
            "calls": max(1, round((rows[below]["calls"] or 0) * times / followed[below])),
            "basis": "counted",
        }
        for (above, below), times in sorted(callers.items())
        if above in rows and below in rows and above != below
    ]


def _is_part(code: CodeType) -> bool:
    """Whether it is a lambda or comprehension: its calls are not those of the function around it."""
    return code.co_name.startswith("<") and code.co_name != "<module>"


def _kind(code: CodeType) -> str:
    flags = code.co_flags
    if code.co_name == "<module>":
        return "module"
    if not flags & _OPTIMIZED:
        return "class_body"
    if flags & _ASYNC_GENERATOR:
        return "async_generator"
    if flags & _COROUTINE:
        return "async"
    return "generator" if flags & _GENERATOR else "function"


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _epoch(moment: str | None) -> float | None:
    return calendar.timegm(time.strptime(moment, "%Y-%m-%dT%H:%M:%SZ")) if moment else None


def own_file(target: str) -> str:
    """Another file for another process."""
    folder, name = os.path.split(target)
    stem, dot, suffix = name.partition(".")
    return os.path.join(folder, f"{stem.rpartition('-')[0] or stem}-{os.getpid()}{dot}{suffix}")
