"""speedscope JSON, sampled (py-spy, Sentry's flamegraph) and evented (pyinstrument).

https://github.com/jlfwong/speedscope/blob/main/src/lib/file-format-spec.ts
"""

from typing import IO

import msgspec

from gatecli.errors import EvidenceError, UsageError
from gatecli.runtime.formats.documents import Amount, Integer, Time, decode, keys, line_number
from gatecli.runtime.formats.stack_table import StackTable
from gatecli.runtime.recording import Basis, Frame, Recording

_SECONDS = {"seconds": 1.0, "milliseconds": 1e-3, "microseconds": 1e-6, "nanoseconds": 1e-9}
# Samples without a unit are counted.
_COUNT = "none"


class _Frame(msgspec.Struct, gc=False):
    name: str
    file: str | None = None
    path: str | None = None  # Sentry's flamegraph: the absolute path
    line: Integer | None = None


class _Event(msgspec.Struct, gc=False):
    type: str
    frame: Integer
    at: Time


class _Profile(msgspec.Struct, rename="camel"):
    unit: str = _COUNT
    start_value: Time = 0.0
    end_value: Time = 0.0
    samples: list[list[Integer]] | None = None
    weights: list[Amount] | None = None
    events: list[_Event] | None = None


class _Shared(msgspec.Struct):
    frames: list[_Frame]


class _Document(msgspec.Struct):
    shared: _Shared
    profiles: list[_Profile]
    exporter: str | None = None


def matches(head: bytes) -> bool:
    """Whether the bytes start a JSON object that names speedscope's schema, or has its parts."""
    found = keys(head)
    return (b"$schema" in found and b"www.speedscope.app/file-format" in head) or {b"shared", b"profiles"} <= found


def read(stream: IO[bytes]) -> Recording:
    """Read one file; the profiles of all its threads are added up.

    Raises:
        EvidenceError: cut off, malformed, without samples, or above a bound.
        UsageError: it holds memory, not time.
    """
    document = decode(stream, _Document, "a speedscope document")
    profiles = [profile for profile in document.profiles if profile.unit in _SECONDS]
    profiles = profiles or [profile for profile in document.profiles if profile.unit == _COUNT]
    if not profiles and document.profiles:
        raise UsageError("the profiles hold no time but " + repr(document.profiles[0].unit)[:40], "record time")
    exporter = (document.exporter or "").lower()
    table = StackTable()
    # pyinstrument keeps the code object's first line, every other producer the executing one.
    has_first_lines = exporter.startswith("pyinstrument")
    frames = [table.frame(_frame(frame, has_first_lines)) for frame in document.shared.frames]
    is_evented = False
    for profile in profiles:
        if profile.events is not None:
            is_evented = True
            _add_events(profile, frames, table)
        else:
            _add_samples(profile, frames, table)
    stacks = table.stacks
    is_time = profiles[0].unit in _SECONDS
    warnings = table.warnings()
    if is_evented:
        warnings.append("the number of samples is not in the file: changes of the stack are counted, fewer than it")
    if len(profiles) < len(document.profiles):
        warnings.append(f"{len(document.profiles) - len(profiles):,} profiles of another unit are left out")
    return Recording(
        kind="speedscope" + (f" ({exporter.partition('@')[0][:40]})" if exporter else ""),
        basis=Basis.SAMPLED,
        frames=table.frames,
        stacks=stacks,
        samples=sum(table.samples),
        rate_hz=_rate(profiles) if is_time and not is_evented else None,
        window_s=max(_seconds(profile, profile.end_value - profile.start_value) for profile in profiles) or None
        if is_time
        else None,
        warnings=tuple(warnings),
    )


def _frame(frame: _Frame, has_first_lines: bool) -> Frame:
    line = line_number(frame.line)
    return Frame(
        file=frame.path or frame.file,
        name=frame.name,
        line=None if has_first_lines else line,
        first_line=line if has_first_lines else None,
    )


def _seconds(profile: _Profile, value: float) -> float:
    return max(0.0, value) * _SECONDS.get(profile.unit, 1.0)


def _add_samples(profile: _Profile, frames: list[int], table: StackTable) -> None:
    samples = profile.samples or []
    weights = profile.weights if profile.weights is not None else [1.0] * len(samples)
    if len(samples) != len(weights):
        raise EvidenceError(f"{len(samples):,} samples with {len(weights):,} weights", "record it again")
    is_count = profile.unit == _COUNT
    for sample, weight in zip(samples, weights, strict=True):
        chain = [frames[_index(index, frames)] for index in sample]
        table.add(chain, _seconds(profile, weight), max(1, round(weight)) if is_count else 1)


def _add_events(profile: _Profile, frames: list[int], table: StackTable) -> None:
    """Each stretch between two changes of the stack is a sample at least."""
    stack: list[int] = []
    last: float | None = None
    for event in profile.events or ():
        if last is not None and event.at > last and stack:
            table.add(stack, _seconds(profile, event.at - last))
        last = event.at if last is None else max(last, event.at)
        frame = frames[_index(event.frame, frames)]
        if event.type == "O":
            stack.append(frame)
        elif event.type == "C" and stack and stack[-1] == frame:
            stack.pop()
        else:
            raise EvidenceError("an event closes a frame that is not open", "record it again")


def _index(index: int, frames: list[int]) -> int:
    if not 0 <= index < len(frames):
        raise EvidenceError(f"frame {index} is not one of the {len(frames):,} in the file", "record it again")
    return index


def _rate(profiles: list[_Profile]) -> float | None:
    """Samples a second, where every sample weighs the same."""
    weights = {_seconds(profile, weight) for profile in profiles for weight in profile.weights or ()}
    return round(1 / weights.pop(), 3) if len(weights) == 1 and min(weights) > 1e-9 else None
