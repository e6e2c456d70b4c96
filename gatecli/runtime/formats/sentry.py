"""Sentry's profile (of a transaction) and profile chunk (continuous), as the Python SDK makes them.

The sampler is a thread of the program: it runs when another thread gives up the GIL, so code that computes without a
pause is hardly ever seen.
"""

import re
from datetime import datetime
from typing import IO

import msgspec

from gatecli.errors import EvidenceError
from gatecli.runtime.formats.documents import Integer, Time, decode, keys, line_number
from gatecli.runtime.formats.stack_table import StackTable
from gatecli.runtime.recording import Basis, Frame, Recording

_GIL_BIAS = "sampled from a thread of the program: code that holds the GIL is hardly seen, waiting code too much"
_OWN_THREADS = ("sentry.", "sentry-")
_REVISION = re.compile(r"(?:.*[@+])?([0-9a-f]{7,64})")


class _Frame(msgspec.Struct, gc=False):
    abs_path: str | None = None
    filename: str | None = None
    function: str | None = None
    lineno: Integer | None = None


class _Sample(msgspec.Struct, gc=False):
    stack_id: Integer
    thread_id: str | int = ""
    elapsed_since_start_ns: str | int | None = None
    timestamp: Time | None = None


class _Thread(msgspec.Struct, gc=False):
    name: str | None = None


class _Profile(msgspec.Struct):
    frames: list[_Frame]
    stacks: list[list[Integer]]
    samples: list[_Sample]
    thread_metadata: dict[str, _Thread] = {}


class _Transaction(msgspec.Struct, gc=False):
    active_thread_id: str | int | None = None


class _Runtime(msgspec.Struct, gc=False):
    version: str | None = None


class _Document(msgspec.Struct):
    profile: _Profile
    environment: str | None = None
    release: str | None = None
    timestamp: str | float | None = None
    runtime: _Runtime | None = None
    transactions: list[_Transaction] | None = None
    transaction: _Transaction | None = None


def matches(head: bytes) -> bool:
    """Whether the bytes start a JSON object with Sentry's keys."""
    found = keys(head)
    return b"profile" in found and (b"abs_path" in found or {b"frames", b"stacks"} <= found or b"stack_id" in found)


def read(stream: IO[bytes]) -> Recording:
    """Read one profile or chunk: the transaction's thread, or every thread but the SDK's own.

    Raises:
        EvidenceError: cut off, malformed, an index without a target, without samples, or above a bound.
    """
    document = decode(stream, _Document, "a Sentry profile")
    profile = document.profile
    threads = _threads(document)
    table = StackTable()
    frames = [table.frame(_frame(frame)) for frame in profile.frames]
    chains = [[frames[_index(index, len(frames), "frame")] for index in reversed(stack)] for stack in profile.stacks]
    kept = [sample for sample in profile.samples if str(sample.thread_id) in threads]
    for sample in kept:
        table.add(chains[_index(sample.stack_id, len(chains), "stack")], 1.0)
    stacks = table.stacks
    moments = [time for sample in kept if (time := _moment(sample)) is not None]
    window = max(moments) - min(moments) if moments else 0.0
    started = min((s.timestamp for s in kept if s.timestamp is not None), default=_epoch(document.timestamp))
    warnings = [_GIL_BIAS, *table.warnings()]
    if len(threads) > 1:
        warnings.append(f"{len(threads):,} threads are added up, those that wait too")
    revision = _REVISION.fullmatch(document.release or "")
    return Recording(
        kind="sentry",
        basis=Basis.SAMPLED,
        frames=table.frames,
        stacks=stacks,
        clock="wall",
        samples=sum(table.samples),
        rate_hz=round((len(set(moments)) - 1) / window, 3) if window > 0 else None,
        window_s=window or None,
        started_at=started,
        ended_at=None if started is None else started + window,
        python=document.runtime.version if document.runtime else None,
        environment=document.environment,
        revision=revision[1] if revision else None,
        revision_source="release" if revision else None,
        warnings=tuple(warnings),
    )


def _threads(document: _Document) -> set[str]:
    """The threads that are of use: that of the transaction, else all that the SDK did not start."""
    transactions = [*(document.transactions or ()), *([document.transaction] if document.transaction else ())]
    active = {str(item.active_thread_id) for item in transactions if item.active_thread_id is not None}
    sampled = {str(sample.thread_id) for sample in document.profile.samples}
    if active & sampled:
        return active & sampled
    names = {id: thread.name or "" for id, thread in document.profile.thread_metadata.items()}
    return {id for id in sampled if not names.get(id, "").startswith(_OWN_THREADS)}


def _frame(frame: _Frame) -> Frame:
    return Frame(
        file=frame.abs_path or frame.filename, name=frame.function or "<unknown>", line=line_number(frame.lineno)
    )


def _index(index: int, size: int, what: str) -> int:
    if not 0 <= index < size:
        raise EvidenceError(f"{what} {index} is not one of the {size:,} in the file", "record it again")
    return index


def _moment(sample: _Sample) -> float | None:
    """Seconds, from the start of the profile or since the epoch."""
    if sample.timestamp is not None:
        return sample.timestamp
    text = str(sample.elapsed_since_start_ns)
    return int(text) / 1e9 if re.fullmatch(r"[0-9]{1,18}", text) else None


def _epoch(moment: str | float | None) -> float | None:
    if not isinstance(moment, str):
        return moment if moment is not None and 0 < moment < 1e11 else None
    try:
        return datetime.fromisoformat(moment).timestamp()
    except (ValueError, OverflowError):
        return None
