"""How much was counted in windows, what that cost, and how many calls one that was counted stands for.

How much a program does shows in its processor time better than on the clock: it is what calls take, and windows in
which it waits count for little. What counting takes is left out of it: it is measured at the end of each window, in
the state that the machine is in, since a busy neighbour makes it dearer as it makes everything else.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

from .calls import LEAST_CPU_S
from .hot import Counted

DUTY = 0.05
# The part of the program's processor time that windows may take.
BUDGET = 0.005
# The part of a window's processor time that counting may take in it: the less, the less it matters how much it is.
LIGHT = 0.05
# The part that counting outside windows may take, by what it costs in a loop: in a program that is some times more.
ALWAYS = 0.003
_CALLS = 300
# In a program it takes more than in a loop of its own, as other code comes between two calls: what makes the counts of
# ``tests.bench.sensor_counts`` neither too high nor too low (3.12 to 3.14, 2026-11-27).
_IN_PROGRAM = 1.15


def _plain() -> None:
    pass


def _told() -> None:
    pass


TOLD = _told.__code__
"""A function of its own, which is listened to while it is measured what that takes."""


def _seconds(function: Callable[[], None]) -> float:
    began = time.thread_time()
    for _ in range(_CALLS):
        function()
    return time.thread_time() - began


class Cost(NamedTuple):
    """Processor seconds that it takes to tell of one call and to count it, and those of a call that does nothing."""

    told: float
    call: float


def cost() -> Cost:
    """What it costs now; ``TOLD`` is listened to.

    The median of some, not the least: what the program's own calls took is not the least either.
    """
    plain = [_seconds(_plain) for _ in range(5)]
    told = sorted(_seconds(_told) - one for one in plain)
    return Cost(max(1e-9, _IN_PROGRAM * told[2] / _CALLS), max(1e-9, sorted(plain)[2] / _CALLS))


def _others_s() -> float:
    """Processor seconds of all threads but this one, which is the sensor's."""
    return time.process_time() - time.thread_time()


class Windows:
    """The windows of one process; ``own_s`` is what the sensor's own thread took so far."""

    def __init__(self, duty: float) -> None:
        self.duty = duty
        self.began, self.began_at, self._began_cpu = time.monotonic(), time.time(), time.process_time()
        self.own_s = self.counted_s = 0.0
        self._told_s = self._opening_s = 0.0
        self._opened: tuple[float, float, float] | None = None
        self._cpu_s = 0.0  # the processor time of all of them
        # What the windows since ``_covered_s`` of the program's processor time have of it.
        self._covered_s = self._pending_s = 0.0

    @property
    def is_open(self) -> bool:
        """Whether calls are counted now."""
        return self._opened is not None or self.duty >= 1

    def open(self, done: float) -> None:
        """Calls are counted from now on; so many there were of what is counted always."""
        self._opened = time.monotonic(), _others_s(), done

    def close(self, done: float) -> Callable[[int, Cost], Counted]:
        """They no longer are; what is returned takes the calls that were, and what it takes to count one."""
        now, cpu = time.monotonic(), _others_s()
        opened, self._opened = self._opened, None

        def add(calls: int, cost: Cost) -> Counted:
            if opened is None:
                return Counted(0.0, 0.0, 0.0, 0.0)
            used = max(0.0, cpu - opened[1])
            least = min(used, calls * cost.call)
            left = max(used - calls * cost.told, least)
            self._told_s += used - left
            self._cpu_s += left
            self._pending_s += left
            self.counted_s += now - opened[0]
            return Counted(left, used - left, least, done - opened[2])

        return add

    def spend(self, seconds: float) -> None:
        """Something else took so long in the program's own threads."""
        self._told_s += seconds

    def spend_window(self, seconds: float) -> None:
        """Opening and closing a window took so long in the sensor's own thread."""
        self._opening_s += seconds

    def is_affordable(self) -> bool:
        """Whether windows kept within their budget so far; a duty that was asked for is what it is."""
        if self.duty > DUTY:
            return True
        return self._told_s + self._opening_s <= BUDGET * (time.process_time() - self._began_cpu)

    def elapsed_s(self) -> float:
        """Seconds since it began."""
        return max(time.monotonic() - self.began, 1e-9)

    def program_s(self) -> float:
        """Processor seconds of the program itself, so far."""
        return max(0.0, time.process_time() - self._began_cpu - self.own_s - self._told_s)

    def stands_for(self) -> float | None:
        """How many calls each that was counted since the last answer stands for; None where too little was seen.

        A window stands for what the program did since the one before: what it does changes, as behind its start.
        """
        if self._pending_s < LEAST_CPU_S:
            return None
        now = self.program_s()
        factor = max(1.0, (now - self._covered_s) / self._pending_s)
        self._covered_s, self._pending_s = now, 0.0
        return factor

    def rest(self) -> float | None:
        """What to multiply by for the time since the last window; None where no window stands for anything yet."""
        return max(1.0, self.program_s() / self._covered_s) if self._covered_s else None

    def scale(self) -> float | None:
        """How many calls one that was counted stands for, over all windows; None where none was."""
        if self.duty >= 1:
            return 1.0
        if self._cpu_s >= LEAST_CPU_S:
            return max(1.0, self.program_s() / self._cpu_s)
        return max(1.0, self.elapsed_s() / self.counted_s) if self.counted_s else None
