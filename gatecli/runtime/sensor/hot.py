"""A function that is counted in windows, and what its calls there stand for.

Two figures say how much the program did in a window and in all: its processor time, and how many calls there were of
the functions that are counted always. The second is nearly always the better one where there are such calls, as in a
server: what counting takes, a busy neighbour and other threads do not change it. Both are kept, and that is taken which
windows differ less in.
"""

import math
import sys
from typing import NamedTuple

# Student's t, for 95 % on two sides, by degrees of freedom; few windows say little of how much they differ.
_T95 = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23)
_T95_OF_MORE, _T95_OF_MANY, _MANY = 2.23, 1.96, 30
# What counting a call may take, in parts of what it is taken to; and a call, of one that does nothing.
_CHEAPER, _DEARER, _FASTER = 0.6, 1.75, 0.8
# So many windows at least before calls are believed to keep step with those of other functions.
_ENOUGH = 4


class Done(NamedTuple):
    """How much a program did: processor seconds of its own, and calls of what is counted always."""

    seconds: float
    calls: float


class Counted(NamedTuple):
    """What a window is of.

    ``seconds`` are the program's own, ``told`` are what it took to count, ``least`` what the calls that were counted
    took at least: as long as calls that do nothing. ``calls`` are those of what is counted always.
    """

    seconds: float
    told: float
    least: float
    calls: float


class Scale:
    """The calls of a function for each unit of what the program does.

    What was seen in all windows stands for all that was done while it was hot. ``scaled`` are calls until ``since``;
    ``before`` is how much was done before the first window (None: there was none), which may have been a start that
    does other things. ``sums`` is of all windows: calls, units, their squares and their product.
    """

    __slots__ = ("before", "guess", "scaled", "since", "sums")

    def __init__(self) -> None:
        self.scaled = self.since = self.guess = 0.0
        self.before: float | None = None
        self.sums: tuple[float, ...] = (0.0,) * 5

    @property
    def rate(self) -> float:
        """Calls for each unit; without a window, what made it hot."""
        return self.sums[0] / self.sums[1] if self.sums[1] else self.guess

    def begin(self, guess: float, now: float) -> None:
        """It is hot from now on, perhaps once more."""
        self.guess, self.since = guess, now

    def add(self, calls: int, base: float, now: float) -> None:
        """What was seen in a window."""
        if self.before is None:
            self.before = max(0.0, now - self.since - base)
        row = calls, base, calls * calls, base * base, calls * base
        self.sums = tuple(map(float.__add__, self.sums, map(float, row)))

    def end(self, now: float) -> None:
        """It is not hot any more."""
        self.scaled, self.since = self.total(now), now

    def total(self, now: float) -> float:
        """Calls until now, scaled up."""
        return max(self.sums[0], self.scaled + self.rate * max(0.0, now - self.since))

    def error(self, windows: int, now: float) -> float | None:
        """How far it may be off (95 %), as a part of it; None where nothing says so.

        By how windows differ, a ratio estimate (Cochran, Sampling Techniques, 3rd ed., 6.4), and what was guessed.
        """
        calls, base, calls2, base2, product = self.sums
        if windows < 2 or not calls or not base:
            return None
        rate, free = calls / base, windows - 1
        squares = max(0.0, calls2 - 2 * rate * product + rate * rate * base2)
        t = _T95[free - 1] if free <= len(_T95) else _T95_OF_MORE if free < _MANY else _T95_OF_MANY
        total = self.total(now)
        guessed = min(1.0, rate * (self.before or 0.0) / total) if total else 0.0
        return math.hypot(t * math.sqrt(squares * windows / free) / calls, guessed)


class Hot:
    """``opened`` is in how many windows a function was counted, ``followed`` in how many its callers were seen."""

    __slots__ = ("by_calls", "by_time", "followed", "least_s", "opened", "told_s")

    def __init__(self) -> None:
        self.opened = self.followed = 0
        self.told_s = self.least_s = 0.0
        self.by_time, self.by_calls = Scale(), Scale()

    def begin(self, rate: float, now: Done) -> None:
        """It is hot from now on, perhaps once more; ``rate`` is in calls for each second of processor time."""
        self.by_time.begin(rate, now.seconds)
        self.by_calls.begin(0.0, now.calls)

    def add(self, calls: int, window: Counted, now: Done) -> None:
        """What a window showed."""
        self.opened += 1
        self.told_s += window.told
        self.least_s += window.least
        self.by_time.add(calls, window.seconds, now.seconds)
        self.by_calls.add(calls, window.calls, now.calls)

    def end(self, now: Done) -> None:
        """It is not hot any more."""
        self.by_time.end(now.seconds)
        self.by_calls.end(now.calls)

    def total(self, now: Done) -> tuple[float, float, float | None]:
        """Its calls while it was hot, and between what they lie (95 %); None where nothing says how many at most."""
        below, above = self._margins(now)
        error = self._with_edges(self.by_calls.error(self.opened, now.calls))
        if error is not None and self.opened >= _ENOUGH and above is not None and error <= max(below, above):
            calls, below, above = self.by_calls.total(now.calls), error, error
        else:
            calls = self.by_time.total(now.seconds)
        low = max(calls * (1 - min(1.0, below)), self.by_time.sums[0])
        return calls, low, None if above is None else calls * (1 + above)

    def _with_edges(self, error: float | None) -> float | None:
        """What windows say, and that they begin and end where a thread lets the sensor's have a turn.

        That is by itself, as where it waits, or a switch interval later: what runs until then is not there by chance.
        """
        seconds = self.by_time.sums[1]
        if error is None or not seconds:
            return None
        return math.hypot(error, min(1.0, sys.getswitchinterval() * self.opened / seconds))

    def _margins(self, now: Done) -> tuple[float, float | None]:
        """How far calls by processor time may be off: windows differ, and what counting takes is not quite known."""
        error, seconds = self._with_edges(self.by_time.error(self.opened, now.seconds)), self.by_time.sums[1]
        if error is None:
            return 1.0, None
        cheaper = seconds / (seconds + (1 - _CHEAPER) * self.told_s)
        dearer = seconds / max(seconds - (_DEARER - 1) * self.told_s, min(_FASTER * self.least_s, seconds))
        return math.hypot(error, 1 - cheaper), math.hypot(error, dearer - 1)
