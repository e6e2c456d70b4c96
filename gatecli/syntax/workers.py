"""Work for all processors, in order."""

import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from gatecli.errors import EvidenceError

Part = TypeVar("Part")
Answer = TypeVar("Answer")


def mapped(work: Callable[[Part], Answer], parts: Iterable[Part]) -> Iterator[Answer]:
    """The answer for each part, in their order, each made by one of as many processes as there are processors.

    Who stops listening, or is interrupted, waits for the few parts that were begun: to end the processes at once can
    leave the others waiting for what they held.

    Raises:
        EvidenceError: one of them was killed, as the kernel does where memory runs out.
    """
    with ProcessPoolExecutor(initializer=_leave_interruptions_to_the_parent) as pool:
        try:
            yield from pool.map(work, parts)
        except BrokenProcessPool as error:
            hint = "memory may have run out: run it again, it goes on from there"
            raise EvidenceError("a process that read files was killed", hint) from error


def _leave_interruptions_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
