"""How much was counted in windows, what that cost, and how many calls one that was counted stands for.

How much a program does shows in its processor time better than on the clock: it is what calls take, and windows in
which it waits count for little. What counting takes is left out of it: it is measured at the end of each window, in
the state that the machine is in, since a busy neighbour makes it dearer as it makes everything else.
"""

import math
import time
from collections.abc import Callable

from .calls import LEAST_CPU_S

DUTY = 0.05
# The part of the program's processor time that counting may take: with it, listening and writing stay below 2 %.
BUDGET = 0.012
# The part that counting outside windows may take, by what it costs in a loop: in a program that is some times more.
ALWAYS = 0.004
_CALLS = 300
_LEAST_WINDOWS = 4


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


def cost_s() -> float:
    """Processor seconds that it takes to tell of one start and to count it, now; ``TOLD`` is listened to.

    The median of some, not the least: what the program's own calls took is not the least either.
    """
    pairs = sorted(_seconds(_told) - _seconds(_plain) for _ in range(5))
    return max(0.0, pairs[2]) / _CALLS


class Windows:
    """The windows of one process; ``own_s`` is what the sensor's own thread took so far."""

    def __init__(self, duty: float) -> None:
        self.duty = duty
        self.began, self.began_at, self._began_cpu = time.monotonic(), time.time(), time.process_time()
        self.own_s = self.counted_s = 0.0
        self._told_s = self._always_s = 0.0
        self._opened: tuple[float, float] | None = None
        self._rows: list[tuple[int, float]] = []  # calls and processor seconds of each
        # What the windows since ``_covered_s`` of the program's processor time have of it.
        self._covered_s = self._pending_s = 0.0

    @property
    def is_open(self) -> bool:
        """Whether calls are counted now."""
        return self._opened is not None or self.duty >= 1

    def open(self) -> None:
        """Calls are counted from now on."""
        self._opened = time.monotonic(), time.process_time()

    def close(self) -> Callable[[int, float], float]:
        """They no longer are; what is returned takes the calls that were, and what it takes to count one.

        It returns the processor time of the window, without what counting took.
        """
        now, cpu = time.monotonic(), time.process_time()
        opened, self._opened = self._opened, None

        def add(calls: int, cost: float) -> float:
            if opened is None:
                return 0.0
            used, told = cpu - opened[1], calls * cost
            left = max(used / 4, used - told)
            self._told_s += min(told, 0.75 * used)
            self._rows.append((calls, left))
            self._pending_s += left
            self.counted_s += now - opened[0]
            return left

        return add

    def spend(self, seconds: float) -> None:
        """Something else took so long in the program's own threads."""
        self._told_s += seconds

    def spend_always(self, seconds: float) -> None:
        """Counting outside windows took so long: in them it takes its part as well, so it is of the program's time."""
        self._always_s += seconds

    def is_affordable(self) -> bool:
        """Whether counting kept within its budget so far; a duty that was asked for is what it is."""
        if self.duty > DUTY:
            return True
        return self._told_s + self._always_s + self.own_s <= BUDGET * (time.process_time() - self._began_cpu)

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
        cpu = sum(cpu for _, cpu in self._rows)
        if cpu >= LEAST_CPU_S:
            return max(1.0, self.program_s() / cpu)
        return max(1.0, self.elapsed_s() / self.counted_s) if self.counted_s else None

    def margin(self) -> float | None:
        """Half of the 95 % interval of all calls in windows, as a part of them; None where too little is known.

        Calls for the processor time of the windows, as a ratio estimate (Cochran, Sampling Techniques, 3rd ed., 6.4).
        """
        calls, cpu = sum(calls for calls, _ in self._rows), sum(cpu for _, cpu in self._rows)
        if len(self._rows) < _LEAST_WINDOWS or not calls or cpu < LEAST_CPU_S:
            return None
        rate, many = calls / cpu, len(self._rows)
        squares = sum((one - rate * seconds) ** 2 for one, seconds in self._rows)
        return 1.96 * math.sqrt(squares * many / (many - 1)) / calls
