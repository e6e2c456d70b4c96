"""Python 3.15's ``profiling.sampling --jsonl``: full paths, samples on top and on the stack, and the interval.

https://github.com/python/cpython/blob/main/Lib/profiling/sampling/jsonl_collector.py
"""

from typing import IO

import msgspec

from gatecli.errors import EvidenceError, UsageError
from gatecli.runtime.formats.documents import Count, Integer, decode_lines, keys, line_number
from gatecli.runtime.formats.stack_table import MAX_FRAMES
from gatecli.runtime.recording import Basis, Frame, Record, Recording

_CLOCKS = {"wall": "wall", "cpu": "cpu"}


class _Definition(msgspec.Struct, gc=False):
    str_id: Count | None = None
    value: str | None = None
    frame_id: Count | None = None
    path_str_id: Count | None = None
    func_str_id: Count | None = None
    line: Integer | None = None
    synthetic: bool = False


class _Figures(msgspec.Struct, gc=False):
    frame_id: Count
    self: Count
    cumulative: Count


class _Line(msgspec.Struct, gc=False):
    type: str
    mode: str | None = None
    sample_interval_usec: Count | None = None
    strings: list[_Definition] = []
    frames: list[_Definition] = []
    entries: list[_Figures] = []
    samples_total: Count | None = None


def matches(head: bytes) -> bool:
    """Whether the first line is the sampler's header."""
    first = head.partition(b"\n")[0]
    return {b"type", b"run_id", b"sample_interval_usec"} <= keys(first)


def read(stream: IO[bytes]) -> Recording:
    """Read one file.

    Raises:
        EvidenceError: cut off, malformed, an id without a definition, without samples, or above a bound.
        UsageError: it holds exceptions, not time.
    """
    meta, end = _Line(type=""), None
    strings: dict[int, str] = {}
    places: dict[int, tuple[int, int, int | None, bool]] = {}
    figures: list[_Figures] = []
    for number, line in decode_lines(stream, _Line, "a record of Python's sampler"):
        if line.type == "meta":
            meta = line
        elif line.type == "string_table":
            known = ((item.str_id, item.value) for item in line.strings)
            strings.update((id, text) for id, text in known if id is not None and text is not None)
        elif line.type == "frame_table":
            for item in line.frames:
                if item.frame_id is None or item.path_str_id is None or item.func_str_id is None:
                    raise EvidenceError(f"line {number:,} defines a frame without its names", "record it again")
                places[item.frame_id] = item.path_str_id, item.func_str_id, item.line, item.synthetic
        elif line.type == "agg":
            figures += line.entries
        elif line.type == "end":
            end = line
        if len(strings) > MAX_FRAMES or len(places) > MAX_FRAMES or len(figures) > MAX_FRAMES:
            raise EvidenceError(f"more than {MAX_FRAMES:,} frames", "record for a shorter time")
    if end is None:
        raise EvidenceError("the last record is missing: the file is cut off", "record or copy the file again")
    return _recording(meta, end.samples_total or 0, strings, places, figures)


def _recording(
    meta: _Line,
    samples: int,
    strings: dict[int, str],
    places: dict[int, tuple[int, int, int | None, bool]],
    figures: list[_Figures],
) -> Recording:
    if meta.mode == "exception":
        raise UsageError("the sampler recorded exceptions, not time", "record with --mode=wall or --mode=cpu")
    if not samples or not figures:
        raise EvidenceError("the recording holds no samples", "was the process idle, or stopped at once?")
    frames: dict[Frame, int] = {}
    records = []
    for entry in figures:
        if entry.self > samples or entry.cumulative > samples:
            raise EvidenceError(f"frame {entry.frame_id} has more samples than there are", "record it again")
        path, function, line, is_synthetic = places.get(entry.frame_id, (-1, -1, None, False))
        if path not in strings or function not in strings:
            raise EvidenceError(f"frame {entry.frame_id} is not defined in the file", "record it again")
        frame = Frame(file=None if is_synthetic else strings[path], name=strings[function], line=line_number(line))
        index = frames.setdefault(frame, len(frames))
        records.append(Record(frame=index, calls=None, self_weight=entry.self, total_weight=entry.cumulative))
    interval = meta.sample_interval_usec
    warnings = ["the file has no call chains: callers, entry points and time with libraries are not known"]
    if meta.mode == "gil":
        warnings.append("only time that held the GIL was sampled")
    return Recording(
        kind="python-jsonl",
        basis=Basis.SAMPLED,
        frames=tuple(frames),
        records=tuple(records),
        clock=_CLOCKS.get(meta.mode or ""),
        samples=samples,
        rate_hz=round(1e6 / interval, 3) if interval else None,
        warnings=tuple(warnings),
    )
