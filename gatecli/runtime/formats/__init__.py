"""Recordings from files: one reader a format, told apart by content."""

import gc
import hashlib
import io
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import IO, TYPE_CHECKING

from gatecli.errors import EvidenceError, GateError, UsageError
from gatecli.runtime.formats import (
    chrome,
    collapsed,
    coverage,
    gate_profile,
    jaeger,
    otlp,
    otlp_protobuf,
    pprof,
    prometheus,
    pstats,
    pyinstrument,
    sampler_lines,
    sentry,
    speedscope,
    table,
)
from gatecli.runtime.formats.compressed import Inflated, inflated
from gatecli.runtime.recording import Basis, Recording

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

HEAD_BYTES = 65_536
_BUFFER_BYTES = 1024 * 1024
_DIGEST_BYTES = 16 * 1024 * 1024
# What is held at once: more is too much for one process; an hour of py-spy at 100 Hz is some megabytes.
MAX_BYTES = 512 * 1024 * 1024
# What is added up while it is read: an hour of a busy fleet. More is better added up where it is kept.
MAX_STREAMED_BYTES = 64 * 1024 * 1024 * 1024
# Traces in JSON are compressed to a thirtieth or so; a gzip file can hold a thousand times its size.
MAX_INFLATION = 100
# What to do about a recording that is not as its format says.
_DAMAGED = "it is damaged, or no profiler wrote it: record it again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A format: how it is recognised by its first ``HEAD_BYTES`` and read from a stream.

    ``is_streamed`` says that the memory it takes does not grow with the recording.
    """

    title: str
    matches: Callable[[bytes], bool]
    read: Callable[[IO[bytes]], Recording]
    is_streamed: bool = False

    def most_bytes(self, size: int) -> int:
        """How much content a file of this many bytes may have."""
        if not self.is_streamed:
            return MAX_BYTES
        return min(MAX_STREAMED_BYTES, max(MAX_BYTES, size * MAX_INFLATION))


READERS = (
    Reader(title="pstats (cProfile, yappi, Python 3.15 sampler)", matches=pstats.matches, read=pstats.read),
    Reader(title="gate's own profile", matches=gate_profile.matches, read=gate_profile.read),
    Reader(title="OTLP JSON or JSON lines", matches=otlp.matches, read=otlp.read, is_streamed=True),
    Reader(title="OTLP protobuf", matches=otlp_protobuf.matches, read=otlp_protobuf.read, is_streamed=True),
    Reader(title="pprof", matches=pprof.matches, read=pprof.read),
    Reader(title="speedscope", matches=speedscope.matches, read=speedscope.read),
    Reader(title="Chrome trace (viztracer, py-spy)", matches=chrome.matches, read=chrome.read),
    Reader(title="pyinstrument JSON", matches=pyinstrument.matches, read=pyinstrument.read),
    Reader(title="Sentry profile or chunk", matches=sentry.matches, read=sentry.read),
    Reader(title="Python 3.15 --jsonl", matches=sampler_lines.matches, read=sampler_lines.read),
    Reader(title="coverage (sqlite, JSON with contexts)", matches=coverage.matches, read=coverage.read),
    Reader(title="Jaeger JSON", matches=jaeger.matches, read=jaeger.read),
    Reader(title="Prometheus text", matches=prometheus.matches, read=prometheus.read),
    Reader(title="CSV or JSON with the columns function and calls or samples", matches=table.matches, read=table.read),
    Reader(title="collapsed stacks (py-spy raw, austin, Python 3.15)", matches=collapsed.matches, read=collapsed.read),
)


def read(path: Path, *, name_hint: str | None = None, progress: Callable[[int], None] | None = None) -> Recording:
    """Read one recording, plain or compressed.

    ``name_hint`` is what messages call it instead of its path; ``progress`` is told now and then how many bytes of the
    file are read.

    Raises:
        UsageError: no such file, or no known format.
        EvidenceError: the file is empty, cut off, malformed or above a bound.
    """
    name = name_hint or path.name
    try:
        with _opened(path, MAX_BYTES) as stream:
            head = stream.read(HEAD_BYTES)
        reader = _reader(head)
        most = reader.most_bytes(path.stat().st_size)
        with _digest(path) as digest, _opened(path, most, progress) as stream, _no_collection():
            recording = reader.read(stream)
            sha256 = digest()
        if recording.ended_at is None and recording.basis is not Basis.PROFILE:
            recording = replace(
                recording,
                ended_at=path.stat().st_mtime,
                warnings=(*recording.warnings, "the recording does not say when it was made: the file's time is taken"),
            )
    except GateError as error:
        raise type(error)(f"{name}: {error.message}", error.hint or _DAMAGED) from error
    except OSError as error:
        raise UsageError(
            f"{name}: cannot be read ({error.strerror or type(error).__name__})", "check the path"
        ) from error
    except (RecursionError, MemoryError) as error:
        raise EvidenceError(f"{name}: too deep or too large to read", "split the recording") from error
    return replace(recording, file=name, sha256=sha256)


def _reader(head: bytes) -> Reader:
    if not head.strip():
        raise EvidenceError("the file is empty", "was the recording stopped before it was written?")
    for reader in READERS:
        if reader.matches(head):
            return reader
    known = "; ".join(reader.title for reader in READERS)
    raise UsageError("not a known profile format", f"known formats: {known}")


@contextmanager
def _opened(path: Path, most: int, progress: Callable[[int], None] | None = None) -> Iterator[IO[bytes]]:
    """The content of a regular file, inflated if it is compressed, of at most so many bytes."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise UsageError("not a regular file", "name the file that the profiler wrote")
    with path.open("rb") as file, inflated(file) as inner:
        yield io.BufferedReader(_Bounded(inner, most, progress and (lambda: progress(file.tell()))), _BUFFER_BYTES)


@contextmanager
def _digest(path: Path) -> Iterator[Callable[[], str]]:
    """The SHA-256 of a file, made beside what is done with it: a quarter of the time that folded stacks take."""
    is_over = Event()
    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(_sha256, path, is_over)
        try:
            yield result.result
        finally:
            is_over.set()


def _sha256(path: Path, is_over: Event) -> str:
    """In large parts: between two of them Python's lock is waited for."""
    digest, part = hashlib.sha256(), memoryview(bytearray(_DIGEST_BYTES))
    with path.open("rb", buffering=0) as file:
        while not is_over.is_set() and (size := file.readinto(part)):
            digest.update(part[:size])
    return digest.hexdigest()


@contextmanager
def _no_collection() -> Iterator[None]:
    """What readers make has no cycles: looking for some again and again takes a tenth of their time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class _Bounded(io.RawIOBase):
    """A stream that fails once it gave ``most`` bytes: a small gzip file can hold a terabyte."""

    def __init__(self, inner: Inflated, most: int, progress: Callable[[], None] | None = None) -> None:
        self._inner = inner
        self._progress = progress
        self._most = self._left = most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        count = self._inner.readinto(buffer) or 0
        self._left -= count
        if self._progress is not None:
            self._progress()
        if self._left < 0:
            raise EvidenceError(f"more than {self._most:,} bytes of content", "record for a shorter time, or split it")
        return count
