"""How often each function was called: every call is counted, but for functions that are called too often for that.

Each function has an allowance of calls in a round. What uses it up, or takes more than its part of the budget, is hot:
from then on it is counted in windows alone, which are scaled up. Most functions of a program, and nearly all that
handle a request or a job, are called so rarely that to count them costs nothing that could be measured; a window would
see few of their calls or none, which says little of how many there were.
"""

import math
import threading
from collections.abc import Iterable
from itertools import repeat
from operator import length_hint
from typing import NamedTuple

ALLOWANCE = 2_000
"""Calls of one function until the first round ends: half a millisecond to count."""

_LEAST_ALLOWANCE = 100

# Less processor time than this says nothing of how much was done.
LEAST_CPU_S = 0.01
_UNLIMITED = 2**62
# As many functions may use up what is affordable in a round before those that take most are told from the others.
_FEW = 4
# A hot function is counted always again where so many times its calls are affordable.
_CAUTION = 2.0


# Student's t, for 95 % on two sides, by degrees of freedom; few windows say little of how much they differ.
_T95 = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23)
_T95_OF_MORE, _T95_OF_MANY, _MANY = 2.23, 1.96, 30
# What counting a call may take, in parts of what it is taken to; and a call, of one that does nothing.
_CHEAPER, _DEARER, _FASTER = 0.6, 1.75, 0.8


class Counted(NamedTuple):
    """Processor seconds of a window.

    ``left`` are the program's own, ``told`` are what it took to count, ``least`` what the calls that were counted took
    at least: as long as calls that do nothing.
    """

    left: float
    told: float
    least: float


class Hot:
    """A function that is counted in windows: its calls are known up to ``since_s`` of the program's processor time.

    ``rate`` is in calls for each second of that, as it was last; ``seen`` calls in ``seen_s``, of ``used_s`` with the
    counting, are not yet scaled up. ``opened`` is in how many windows it was counted, ``followed`` in how many its
    callers were seen, ``sums`` is of what was in the former: calls, seconds, their squares and their product.
    """

    __slots__ = ("followed", "least_s", "opened", "rate", "seen", "seen_s", "since_s", "sums", "told_s", "used_s")

    def __init__(self, rate: float, since_s: float) -> None:
        self.opened = self.followed = 0
        self.sums: tuple[float, ...] = (0.0,) * 5
        self.told_s = self.least_s = 0.0
        self.begin(rate, since_s)

    def begin(self, rate: float, since_s: float) -> None:
        """It is hot from now on, perhaps once more."""
        self.rate, self.since_s = rate, since_s
        self.seen, self.seen_s, self.used_s = 0, 0.0, 0.0

    def add(self, calls: int, window: Counted) -> None:
        """What a window showed."""
        self.opened += 1
        self.seen += calls
        self.seen_s += window.left
        self.used_s += window.left + window.told
        self.told_s += window.told
        self.least_s += window.least
        row = calls, window.left, calls * calls, window.left**2, calls * window.left
        self.sums = tuple(map(float.__add__, self.sums, map(float, row)))

    def margins(self) -> tuple[float, float | None]:
        """How far below and above its rate it may be (95 %), as parts of it; None where nothing says so.

        That windows differ (a ratio estimate: Cochran, Sampling Techniques, 3rd ed., 6.4), and that it is not known
        what counting takes in the program.
        """
        calls, seconds, calls2, seconds2, product = self.sums
        if self.opened < 2 or not calls or not seconds:
            return 1.0, None
        rate, free = calls / seconds, self.opened - 1
        squares = max(0.0, calls2 - 2 * rate * product + rate * rate * seconds2)
        t = _T95[free - 1] if free <= len(_T95) else _T95_OF_MORE if free < _MANY else _T95_OF_MANY
        error = t * math.sqrt(squares * self.opened / free) / calls
        cheaper = seconds / (seconds + (1 - _CHEAPER) * self.told_s)
        dearer = seconds / max(seconds - (_DEARER - 1) * self.told_s, min(_FASTER * self.least_s, seconds))
        return min(1.0, math.hypot(error, 1 - cheaper)), math.hypot(error, dearer - 1)


class Calls:
    """The calls of all functions, by the ``id`` of their code.

    ``left`` has what may still be counted of each that is counted now: to take one from it is one step, whatever other
    threads do, and fails where nothing is left. Times are of the program's processor time, in seconds.
    """

    def __init__(self, allowance: int = ALLOWANCE) -> None:
        self.left: dict[int, repeat[None]] = {}
        self.hot: dict[int, Hot] = {}
        self._allowance = allowance
        self._given: dict[int, int] = {}
        self._counted: dict[int, int] = {}
        self._estimated: dict[int, float] = {}
        self._cooled: dict[int, Hot] = {}
        self._round_s = 0.0
        # Held again by the same thread, where a signal's handler uses up an allowance.
        self._lock = threading.RLock()

    @classmethod
    def unlimited(cls) -> "Calls":
        """Calls that are all counted, whatever it costs."""
        return cls(_UNLIMITED)

    def first(self, key: int) -> None:
        """A function was called for the first time."""
        if key not in self._given and key not in self.hot:
            self._give(key, used=1)

    def _give(self, key: int, used: int = 0) -> None:
        self._given[key] = self._allowance
        self.left[key] = repeat(None, self._allowance - used)

    def _take(self, key: int) -> int:
        """What was counted in this round, which begins anew."""
        given, left = self._given.get(key), self.left.get(key)
        if given is None or left is None or given == length_hint(left):
            return 0
        self._give(key)
        spent = given - length_hint(left)
        self._counted[key] = self._counted.get(key, 0) + spent
        return spent

    def use_up(self, key: int, now_s: float) -> bool:
        """A call for which nothing is left; returns whether the function is hot from now on."""
        with self._lock:
            left = self.left.get(key)
            if left is None or next(left, 0) is None:  # another thread was here before
                return False
            counted = self._take(key) + 1
            self._counted[key] += 1
            self._heat(key, counted, now_s)
            return True

    def _heat(self, key: int, counted: int, now_s: float) -> None:
        rate = counted / max(now_s - self._round_s, LEAST_CPU_S)
        known = self._cooled.pop(key, None)
        if known is not None:
            known.begin(rate, now_s)
        self.hot[key] = known or Hot(rate, now_s)
        self._given.pop(key, None)
        self.left.pop(key, None)

    # ----------------------------------------------------------------- in windows

    def turn(self, affordable_a_s: float, *, follows: bool) -> list[int]:
        """Those of the hot functions whose turn it is: as many as together are called so often, or one.

        All at once would slow the program down so much that what counting takes decides what is found. Those that were
        in no window yet are in it all the same, as what made them hot, such as a start, says little of their rate.
        """
        hot = list(self.hot.items())
        chosen: list[int] = []
        total = 0.0
        for key, one in sorted(hot, key=lambda item: item[1].followed if follows else item[1].opened):
            is_new = not (one.followed if follows else one.opened)
            if is_new or not chosen or total + one.rate <= affordable_a_s:
                chosen.append(key)
                total += one.rate
                one.followed += follows
        return chosen

    def open(self, keys: Iterable[int]) -> None:
        """Count these, which are hot, too."""
        self.left.update((key, repeat(None, _UNLIMITED)) for key in keys if key in self.hot)

    def close(self) -> dict[int, int]:
        """Count it no longer; what was."""
        found = {}
        for key in list(self.hot):
            left = self.left.pop(key, None)
            if left is not None:
                found[key] = _UNLIMITED - length_hint(left)
        return found

    def scale(self, seen: dict[int, int], window: Counted, now_s: float) -> None:
        """What was counted in a window stands for all since the one before, of each function by itself."""
        for key, calls in seen.items():
            hot = self.hot[key]
            hot.add(calls, window)
            if hot.used_s >= LEAST_CPU_S:
                hot.rate = hot.seen / hot.seen_s
                self._estimated[key] = self._estimated.get(key, 0.0) + max(hot.seen, hot.rate * (now_s - hot.since_s))
                hot.begin(hot.rate, now_s)

    # ----------------------------------------------------------------- what is counted always

    def settle(self, now_s: float, affordable_a_s: float) -> tuple[list[int], list[int]]:
        """End a round: what is to be counted always from now on, and what no longer.

        The rarest come first, until there are more than are affordable for a second of processor time.
        """
        spent_s = now_s - self._round_s
        if spent_s < LEAST_CPU_S:
            return [], []
        with self._lock:
            rates = [(self._take(key) / spent_s, key) for key in list(self._given)]
            hot_rates = [(_CAUTION * hot.rate, key) for key, hot in list(self.hot.items()) if key not in self.left]
            cooler, hotter, total = [], [], 0.0
            if self._allowance < _UNLIMITED:
                self._allowance = max(_LEAST_ALLOWANCE, round(affordable_a_s * spent_s / _FEW))
            for rate, key in sorted([*rates, *hot_rates]):
                total += rate
                if total > affordable_a_s and key in self._given:
                    self._heat(key, round(rate * spent_s), now_s)
                    hotter.append(key)
                elif total <= affordable_a_s and key in self.hot:
                    hot = self._cooled[key] = self.hot.pop(key)
                    self._estimated[key] = self._estimated.get(key, 0.0) + hot.rate * max(0.0, now_s - hot.since_s)
                    self._give(key)
                    cooler.append(key)
            self._round_s = now_s
        return cooler, hotter

    # ----------------------------------------------------------------- what is known

    def total(self, now_s: float) -> dict[int, float]:
        """How often each function was called, in all."""
        found: dict[int, float] = dict(self._counted)
        for key, given in list(self._given.items()):
            left = self.left.get(key)
            found[key] = found.get(key, 0) + (given - length_hint(left) if left is not None else 0)
        for key, calls in list(self._estimated.items()):
            found[key] = found.get(key, 0) + calls
        for key, hot in list(self.hot.items()):
            found[key] = found.get(key, 0) + max(hot.seen, hot.rate * max(0.0, now_s - hot.since_s))
        return found

    def bounds(self, now_s: float) -> dict[int, tuple[float, float | None]]:
        """Between what the calls of each function lie that were not all counted (95 %); None where nothing says so."""
        found = {}
        for key, calls in self.total(now_s).items():
            hot = self.hot.get(key) or self._cooled.get(key)
            if hot is not None:
                below, above = hot.margins()
                scaled = calls - self._counted.get(key, 0)
                low = max(calls - scaled * below, self._counted.get(key, 0) + hot.sums[0])
                found[key] = low, None if above is None else calls + scaled * above
        return found

    def estimated(self) -> set[int]:
        """The functions of which not every call was counted."""
        return {*list(self._estimated), *list(self.hot)}
