"""Collapsed (folded) stacks: one line a call chain, root first, and its weight: ``frame;frame;frame 12``.

Producers differ in what a frame and the number are, so the producer is told from the text:

- py-spy ``record -f raw``: ``qualname (path:line)``, number of samples; with ``-F`` the line is the function's first;
- austin 3: ``path:qualname:line`` after ``P<pid>;T<thread>``, microseconds, headers ``# key: value``;
- Python 3.15 ``profiling.sampling --collapsed``: ``basename:qualname:line`` after ``tid:<id>``, number of samples.
"""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO

import msgspec

from gatecli.errors import EvidenceError, UsageError
from gatecli.runtime.recording import Basis, Frame, Recording, Stack

MAX_LINE_BYTES = 4 * 1024 * 1024
MAX_STACKS = 2_000_000
MAX_FRAMES = 1_000_000
_MAX_HEADERS = 100
_LONG_LINE = 50_000

# austin -f writes time, idle time and memory; the first is the time.
_WEIGHT = re.compile(r"([0-9]{1,18})(?:,-?[0-9]{1,18}){0,2}")
_NUMBER = re.compile(r"[0-9]{1,9}")
_AUSTIN = re.compile(r"P[0-9]+;T[^;]*(;|$)")
_PYTHON = re.compile(r"tid:[0-9]+(;|$)")


@dataclass(slots=True)
class _Comments:
    """What the lines that hold no stack say; known once the stream is read."""

    values: dict[str, str] = field(default_factory=dict)
    cut_off: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Producer:
    """What a tool writes: its leading parts that are no frames, how a frame reads, what the number is."""

    kind: str
    root: re.Pattern[str] | None
    root_parts: int
    frame: Callable[[str], Frame | None]
    counts_samples: bool


def matches(head: bytes) -> bool:
    """Whether the first line that is no comment is a folded stack (or its beginning, where it is very long)."""
    text = head.decode("utf-8", "replace")
    if "\0" in text or text.lstrip()[:1] in ("{", "["):
        return False
    if text.startswith("# austin"):
        return True
    lines = [line.strip() for line in text.split("\n")]
    first = next((line for line in lines if line and not line.startswith("#")), "")
    chain, _, weight = first.rpartition(" ")
    is_whole = len(lines) > 1 or len(head) < _LONG_LINE
    return (";" in first or _pyspy_frame(chain) is not None) and (not is_whole or _WEIGHT.fullmatch(weight) is not None)


def read(stream: IO[bytes]) -> Recording:
    """Read a file of folded stacks.

    Raises:
        EvidenceError: a line is no folded stack, the file is cut off, holds no samples, or is above a bound.
        UsageError: the frames are names without files, which cannot be matched, or the weights are not time.
    """
    comments = _Comments()
    lines = _weighted(_lines(stream, comments))
    head = list(_up_to_first_frames(lines))
    if not any(stack for _, stack, _ in head):
        raise _no_samples()
    producer = _producer(head[-1][1], comments.values)
    frames, totals, processes = _fold(itertools.chain(head, lines), producer)
    if not any(weight for weight, _ in totals.values()):
        raise _no_samples()
    return _recording(producer, comments, frames, totals, processes)


def _no_samples() -> EvidenceError:
    return EvidenceError("the recording holds no samples", "was the process idle, or the profiler stopped at once?")


def _up_to_first_frames(lines: Iterator[tuple[int, str, int]]) -> Iterator[tuple[int, str, int]]:
    """The lines up to the first that has a frame: py-spy writes a sample of an empty stack as `` 1``."""
    for line in lines:
        yield line
        if line[1]:
            return


def _lines(stream: IO[bytes], comments: _Comments) -> Iterator[tuple[int, str]]:
    """The numbered lines that hold a stack."""
    number = 0
    while raw := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(raw) > MAX_LINE_BYTES:
            raise EvidenceError(f"line {number:,} has more than {MAX_LINE_BYTES:,} bytes")
        comments.cut_off = not raw.endswith(b"\n")
        line = raw.decode("utf-8", "replace").rstrip("\r\n")
        if line.startswith("#"):
            key, _, value = line[1:].partition(":")
            if len(comments.values) < _MAX_HEADERS:
                comments.values.setdefault(key.strip(), value.strip())
        elif line.strip():
            yield number, line


def _weighted(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str, int]]:
    """Line number, call chain and weight of each line."""
    for number, line in lines:
        stack, space, weight = line.rpartition(" ")
        match = _WEIGHT.fullmatch(weight)
        if match is None or not space:
            raise EvidenceError(f"line {number:,} is not a folded stack", "was the recording cut off?")
        yield number, stack, int(match.group(1))


def _fold(
    lines: Iterable[tuple[int, str, int]], producer: _Producer
) -> tuple[tuple[Frame, ...], dict[tuple[int, ...], tuple[int, int]], int]:
    """Distinct frames, weight and samples of each distinct chain, and the number of processes."""
    indices: dict[str, int | None] = {}
    frames: list[Frame] = []
    totals: dict[tuple[int, ...], tuple[int, int]] = {}
    processes: set[str] = set()
    for number, chain, weight in lines:
        if producer.root is not None and not producer.root.match(chain):
            raise EvidenceError(f"line {number:,} is not a stack as {producer.kind} writes it")
        parts = chain.split(";") if chain else []
        processes.update(parts[: 1 if producer.root_parts > 1 else 0])
        texts = parts[producer.root_parts :]
        try:
            found = [indices[text] for text in texts]
        except KeyError:
            found = [_index(text, producer, indices, frames) for text in texts]
        key = tuple(index for index in found if index is not None)
        before, samples = totals.get(key, (0, 0))
        totals[key] = before + weight, samples + (weight if producer.counts_samples else 1)
        if len(totals) > MAX_STACKS or len(indices) > MAX_FRAMES:
            raise EvidenceError(
                f"more than {MAX_STACKS:,} different stacks or {MAX_FRAMES:,} frames", "record for a shorter time"
            )
    return tuple(frames), totals, len(processes)


def _index(text: str, producer: _Producer, indices: dict[str, int | None], frames: list[Frame]) -> int | None:
    if text not in indices:
        frame = producer.frame(text)
        indices[text] = None if frame is None else len(frames)
        if frame is not None:
            frames.append(frame)
    return indices[text]


def _producer(chain: str, headers: Mapping[str, str]) -> _Producer:
    if "austin" in headers or _AUSTIN.match(chain):
        if headers.get("mode", "wall") == "memory":
            raise UsageError("austin recorded memory, not time", "record without -m")
        return _Producer(kind="austin", root=_AUSTIN, root_parts=2, frame=_colon_frame, counts_samples=False)
    if _PYTHON.match(chain):
        return _Producer(kind="python-collapsed", root=_PYTHON, root_parts=1, frame=_colon_frame, counts_samples=True)
    if any(_pyspy_frame(text) for text in chain.split(";")):
        return _Producer(kind="pyspy-raw", root=None, root_parts=0, frame=_pyspy_frame, counts_samples=True)
    raise UsageError(
        "folded stacks of names without files: a name alone cannot be matched to a function",
        "record with: py-spy record --format raw --full-filenames",
    )


def _pyspy_frame(text: str) -> Frame | None:
    """``qualname (path:line)``; thread and process labels are no frames."""
    name, bracket, place = text.removesuffix(")").partition(" (")  # a path may hold one too
    if not bracket or not text.endswith(")"):
        return None
    file, _, line = place.rpartition(":")
    if file and _NUMBER.fullmatch(line):
        return Frame(file=file, name=name, line=int(line) or None)
    return Frame(file=place, name=name)


def _colon_frame(text: str) -> Frame | None:
    """``path:qualname:line``; synthetic frames such as ``<GC>`` or ``:GC:`` are no frames."""
    parts = text.rsplit(":", 2)  # a drive letter before the path survives
    if len(parts) != 3 or not parts[0] or not _NUMBER.fullmatch(parts[2]):
        return None
    return Frame(file=parts[0], name=parts[1], line=int(parts[2]) or None)


def _recording(
    producer: _Producer,
    comments: _Comments,
    frames: tuple[Frame, ...],
    totals: Mapping[tuple[int, ...], tuple[int, int]],
    processes: int,
) -> Recording:
    warnings = []
    if comments.cut_off:
        warnings.append("the last line has no end: the file may be cut off")
    if producer.kind == "pyspy-raw" and _holds_first_lines(frames):
        frames = tuple(msgspec.structs.replace(frame, line=None, first_line=frame.line) for frame in frames)
    if producer.kind == "python-collapsed":
        warnings.append("the frames have base names only: files of the same name cannot be told apart")
    headers = comments.values
    interval, duration = headers.get("interval", ""), headers.get("duration", "")
    return Recording(
        kind=producer.kind,
        basis=Basis.SAMPLED,
        frames=frames,
        stacks=tuple(
            Stack(frames=chain, weight=weight, samples=samples) for chain, (weight, samples) in totals.items()
        ),
        clock=headers["mode"] if headers.get("mode") in ("wall", "cpu") else None,
        samples=sum(samples for _, samples in totals.values()),
        rate_hz=round(1e6 / int(interval), 3) if _NUMBER.fullmatch(interval) and int(interval) else None,
        processes=processes or None,
        window_s=int(duration) / 1e6 if _NUMBER.fullmatch(duration) and int(duration) else None,
        warnings=tuple(warnings),
    )


def _holds_first_lines(frames: tuple[Frame, ...]) -> bool:
    """Whether py-spy ran with ``-F``: all module bodies have line 1; without any, each function has one line."""
    modules = [frame.line for frame in frames if frame.name == "<module>" and not (frame.file or "<").startswith("<")]
    if modules:
        return set(modules) == {1}
    lines: dict[tuple[str | None, str], int | None] = {}
    return all(lines.setdefault((frame.file, frame.name), frame.line) == frame.line for frame in frames)
