"""pyinstrument's JSON: a tree of calls with times, and the first line of each function.

Its ``class_name`` is the class of ``self``, which an inherited method does not belong to: it is not
read, the line tells.
"""

from collections.abc import Iterator
from typing import IO

import msgspec

from gatecli.runtime.formats.documents import Amount, Count, Integer, Time, decode, keys, line_number
from gatecli.runtime.formats.stack_table import StackTable
from gatecli.runtime.recording import Basis, Frame, Recording

_AWAIT = "[await]"


class _Node(msgspec.Struct):
    function: str
    time: Amount
    file_path: str | None = None
    line_no: Integer | None = None
    children: list["_Node"] = []


class _Session(msgspec.Struct):
    root_frame: _Node | None
    sample_count: Count
    start_time: Time | None = None
    duration: Amount | None = None


def matches(head: bytes) -> bool:
    """Whether the bytes start a JSON object with pyinstrument's keys."""
    return {b"root_frame", b"sample_count"} <= keys(head)


def read(stream: IO[bytes]) -> Recording:
    """Read one session.

    Raises:
        EvidenceError: cut off, malformed, without samples, or above a bound.
    """
    session = decode(stream, _Session, "a pyinstrument session")
    table = StackTable()
    awaited = 0.0
    for chain, function, time in _own_times(session.root_frame, table):
        if function == _AWAIT:
            awaited += time
        elif time > 0:
            table.add(chain, time, 0)
    stacks = table.stacks
    warnings = ["functions with less than 1 % of the time are part of their callers, as pyinstrument leaves them out"]
    if awaited:
        warnings.append(f"{awaited:.1f} s of awaiting are left out")
    has_time = session.start_time is not None and session.duration is not None
    return Recording(
        kind="pyinstrument",
        basis=Basis.SAMPLED,
        frames=table.frames,
        stacks=stacks,
        clock="wall",
        samples=session.sample_count,
        rate_hz=round(session.sample_count / session.duration, 3) if session.duration else None,
        window_s=session.duration,
        started_at=session.start_time,
        ended_at=(session.start_time or 0.0) + (session.duration or 0.0) if has_time else None,
        warnings=tuple(warnings),
    )


def _own_times(root: _Node | None, table: StackTable) -> Iterator[tuple[tuple[int, ...], str, float]]:
    """Each node's own time with its call chain; ``[self]`` and its like are part of the function around them."""
    pending: list[tuple[_Node, tuple[int, ...]]] = [(root, ())] if root else []
    while pending:
        node, chain = pending.pop()
        if not node.function.startswith("["):
            frame = Frame(file=node.file_path or None, name=node.function, first_line=line_number(node.line_no))
            chain = (*chain, table.frame(frame))
        yield chain, node.function, node.time - sum(child.time for child in node.children)
        pending += [(child, chain) for child in node.children]
