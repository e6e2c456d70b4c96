"""Collapsed (folded) stacks: one line a call chain, root first, and its weight: ``frame;frame;frame 12``.

Producers differ in what a frame and the number are, so the producer is told from the text:

- py-spy ``record -f raw``: ``qualname (path:line)``, number of samples; with ``-F`` the line is the function's first;
- austin 3: ``path:qualname:line`` after ``P<pid>;T<thread>``, microseconds, headers ``# key: value``;
- Python 3.15 ``profiling.sampling --collapsed``: ``basename:qualname:line`` after ``tid:<id>``, number of samples.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import IO

import msgspec

from gatecli.errors import EvidenceError, UsageError
from gatecli.runtime.formats.chain_texts import ChainTexts
from gatecli.runtime.formats.stack_table import StackTable, no_samples
from gatecli.runtime.recording import Basis, Frame, Recording
from gatecli.runtime.stacks import Stacks

MAX_LINE_BYTES = 4 * 1024 * 1024
_MAX_HEADERS = 100
_LONG_LINE = 50_000

# austin -f writes time, idle time and memory; the first is the time.
_WEIGHT = re.compile(rb"([0-9]{1,18})(?:,-?[0-9]{1,18}){0,2}")
_EMPTY_STACK = re.compile(r" [0-9]{1,18}\s?")  # as py-spy writes it, in any place
_NUMBER = re.compile(r"[0-9]{1,9}")
_AUSTIN = re.compile(rb"P[0-9]+;T[^;]*(;|$)")
_PYTHON = re.compile(rb"tid:[0-9]+(;|$)")
# What is kept of the lines, so that those that come again are known.
_MOST_KEPT_BYTES = 32 * 1024 * 1024
_MAX_AMOUNTS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Producer:
    """What a tool writes: its leading parts that are no frames, how a frame reads, what the number is."""

    kind: str
    root: re.Pattern[bytes] | None
    root_parts: int
    frame: Callable[[str], Frame | None]
    counts_samples: bool


def matches(head: bytes) -> bool:
    """Whether the first line that says something is a folded stack (or its beginning, where it is very long)."""
    text = head.decode("utf-8", "replace")
    if "\0" in text or text.lstrip()[:1] in ("{", "["):
        return False
    if text.startswith("# austin"):
        return True
    lines = text.split("\n")
    told = (line.strip() for line in lines if not _EMPTY_STACK.fullmatch(line))
    first = next((line for line in told if line and not line.startswith("#")), "")
    chain, _, weight = first.rpartition(" ")
    is_whole = len(lines) > 1 or len(head) < _LONG_LINE
    return (";" in first or _pyspy_frame(chain) is not None) and (
        not is_whole or _WEIGHT.fullmatch(weight.encode()) is not None
    )


def read(stream: IO[bytes]) -> Recording:
    """Read a file of folded stacks.

    Raises:
        EvidenceError: a line is no folded stack, the file is cut off, holds no samples, or is above a bound.
        UsageError: the frames are names without files, which cannot be matched, or the weights are not time.
    """
    lines = _Lines()
    lines.add(stream)
    if lines.producer is None or not any(lines.table.weights):
        raise no_samples()
    return _recording(lines, lines.producer)


class _Lines:
    """The lines of a file, added up.

    A sampler that writes one line a sample repeats the same stacks: their chains are kept as they are written, so that
    such a line costs two look-ups. Those that write each stack once differ from line to line in the innermost frames
    alone: what leads there is known by whole stretches.
    """

    def __init__(self) -> None:
        self.producer: _Producer | None = None
        self.table = StackTable()
        self.comments: dict[str, str] = {}
        self.processes: set[bytes] = set()
        self.cut_off = False
        self._chains: ChainTexts | None = None
        self._positions: dict[bytes, int] = {}
        self._amounts: dict[bytes, int] = {}
        self._kept_bytes = 0
        self._empty: int | None = None  # the first line without a frame, before there was one with any

    def add(self, stream: IO[bytes]) -> None:
        """Add every line."""
        positions, amounts = self._positions, self._amounts
        weights, times = self.table.weights, self.table.samples
        for number, line in enumerate(iter(partial(stream.readline, MAX_LINE_BYTES + 1), b""), 1):
            chain, _, tail = line.rpartition(b" ")
            # Where each stack is there once, a look-up by its whole text would only cost.
            position, weight = positions.get(chain) if positions else None, amounts.get(tail)
            if weight is None or (position is None and chain.startswith(b"#")):
                weight = self._weight(number, line, tail)
                if weight is None:
                    continue
            if position is None:
                position = self._position(number, chain)
            weights[position] += weight
            times[position] += 1

    def _weight(self, number: int, line: bytes, tail: bytes) -> int | None:
        """The weight of a line that ends like no earlier one, or of a comment; None where it holds no stack."""
        if len(line) > MAX_LINE_BYTES:  # it has no end, so it ends like no other
            raise EvidenceError(f"line {number:,} has more than {MAX_LINE_BYTES:,} bytes")
        is_comment = line.startswith(b"#")
        self.cut_off = not line.endswith(b"\n")
        if is_comment:
            key, _, value = line[1:].decode("utf-8", "replace").partition(":")
            if len(self.comments) < _MAX_HEADERS:
                self.comments.setdefault(key.strip(), value.strip())
            return None
        if not line.decode("utf-8", "replace").strip():
            return None
        match = _WEIGHT.fullmatch(tail.rstrip(b"\r\n"))
        if match is None or len(tail) == len(line):
            if len(tail) < len(line) and tail.strip().isdigit():
                count = tail.strip()[:40].decode()
                raise EvidenceError(f"line {number:,} has the count {count}, which is too large", "was it edited?")
            raise EvidenceError(f"line {number:,} is not a folded stack", "was the recording cut off?")
        if not self.cut_off and len(self._amounts) < _MAX_AMOUNTS:
            self._amounts[tail] = int(match[1])
        return int(match[1])

    def _position(self, number: int, chain: bytes) -> int:
        """The position of a chain that is not known as it is written."""
        if self._chains is None or self.producer is None:
            if not chain:  # py-spy writes a sample of an empty stack as `` 1``
                self._empty = self._empty or number
                return self.table.place(b"")
            self.producer = _producer(chain, self.comments)
            self._chains = ChainTexts(self.producer.frame, self.table)
            if self._empty is not None:
                self._check(self._empty, b"", self.producer)
        if self.producer.root is None:
            return self.table.place(self._chains.steps(chain))
        self._check(number, chain, self.producer)
        *root, frames = chain.split(b";", self.producer.root_parts)
        if len(root) < self.producer.root_parts:
            root, frames = [*root, frames], b""
        self.processes.update(root[:-1])
        position = self.table.place(self._chains.steps(frames))
        if not self.producer.counts_samples:
            self._keep(chain, position)
        return position

    def _keep(self, chain: bytes, position: int) -> None:
        self._kept_bytes += len(chain)
        if self._kept_bytes > _MOST_KEPT_BYTES:
            self._positions.clear()
            self._kept_bytes = len(chain)
        self._positions[chain] = position

    def _check(self, number: int, chain: bytes, producer: _Producer) -> None:
        if producer.root is not None and not producer.root.match(chain):
            raise EvidenceError(f"line {number:,} is not a stack as {producer.kind} writes it")


def _producer(chain: bytes, headers: Mapping[str, str]) -> _Producer:
    text = chain.decode("utf-8", "replace")
    if "austin" in headers or _AUSTIN.match(chain):
        if headers.get("mode", "wall") == "memory":
            raise UsageError("austin recorded memory, not time", "record without -m")
        return _Producer(kind="austin", root=_AUSTIN, root_parts=2, frame=_colon_frame, counts_samples=False)
    if _PYTHON.match(chain):
        return _Producer(kind="python-collapsed", root=_PYTHON, root_parts=1, frame=_colon_frame, counts_samples=True)
    if any(_pyspy_frame(part) for part in text.split(";")):
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


def _recording(lines: _Lines, producer: _Producer) -> Recording:
    frames, warnings = lines.table.frames, []
    if lines.cut_off:
        warnings.append("the last line has no end: the file may be cut off")
    if producer.kind == "pyspy-raw" and _holds_first_lines(frames):
        frames = tuple(msgspec.structs.replace(frame, line=None, first_line=frame.line) for frame in frames)
    if producer.kind == "python-collapsed":
        warnings.append("the frames have base names only: files of the same name cannot be told apart")
    headers = lines.comments
    interval, duration = headers.get("interval", ""), headers.get("duration", "")
    stacks, samples = lines.table.stacks, lines.table.samples
    if producer.counts_samples:
        samples = [int(weight) for weight in lines.table.weights]
    return Recording(
        kind=producer.kind,
        basis=Basis.SAMPLED,
        frames=frames,
        stacks=Stacks(stacks.steps, stacks.ends, stacks.weights, samples),
        clock=headers["mode"] if headers.get("mode") in ("wall", "cpu") else None,
        samples=sum(samples),
        rate_hz=round(1e6 / int(interval), 3) if _NUMBER.fullmatch(interval) and int(interval) else None,
        processes=len(lines.processes) or None,
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
