"""How often each function was called: every call is counted, but for functions that are called too often for that.

Each function has an allowance of calls in a round. What uses it up, or takes more than its part of the budget, is hot:
from then on it is counted in windows alone, which are scaled up. Most functions of a program, and nearly all that
handle a request or a job, are called so rarely that to count them costs nothing that could be measured; a window would
see few of their calls or none, which says little of how many there were.
"""

import threading
from collections.abc import Iterable
from itertools import repeat
from operator import length_hint

from .hot import Counted, Done, Hot

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
        self._cooled: dict[int, Hot] = {}
        self._round_s = 0.0
        self._done = 0  # calls that were counted, of all functions in all rounds that ended
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
        self._done += spent
        return spent

    def done(self, seconds: float) -> Done:
        """How much the program did in so many seconds of processor time."""
        given = list(self._given.items())
        running = sum(calls - length_hint(self.left.get(key, ())) for key, calls in given if key in self.left)
        return Done(seconds, self._done + running)

    def use_up(self, key: int, now_s: float) -> bool:
        """A call for which nothing is left; returns whether the function is hot from now on."""
        with self._lock:
            left = self.left.get(key)
            if left is None or next(left, 0) is None:  # another thread was here before
                return False
            counted = self._take(key) + 1
            self._counted[key] += 1
            self._heat(key, counted, self.done(now_s))
            return True

    def _heat(self, key: int, counted: int, now: Done) -> None:
        hot = self._cooled.pop(key, None) or Hot()
        hot.begin(counted / max(now.seconds - self._round_s, LEAST_CPU_S), now)
        self.hot[key] = hot
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
            if is_new or not chosen or total + one.by_time.rate <= affordable_a_s:
                chosen.append(key)
                total += one.by_time.rate
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
        now = self.done(now_s)
        for key, calls in seen.items():
            self.hot[key].add(calls, window, now)

    # ----------------------------------------------------------------- what is counted always

    def settle(self, now_s: float, affordable_a_s: float) -> tuple[list[int], list[int]]:
        """End a round: what is to be counted always from now on, and what no longer.

        The rarest come first, until there are more than are affordable for a second of processor time.
        """
        spent_s = now_s - self._round_s
        if spent_s < LEAST_CPU_S:
            return [], []
        with self._lock:
            now = self.done(now_s)
            rates = [(self._take(key) / spent_s, key) for key in list(self._given)]
            hot_rates = [
                (_CAUTION * hot.by_time.rate, key) for key, hot in list(self.hot.items()) if key not in self.left
            ]
            cooler, hotter, total = [], [], 0.0
            if self._allowance < _UNLIMITED:
                self._allowance = max(_LEAST_ALLOWANCE, round(affordable_a_s * spent_s / _FEW))
            for rate, key in sorted([*rates, *hot_rates]):
                total += rate
                if total > affordable_a_s and key in self._given:
                    self._heat(key, round(rate * spent_s), now)
                    hotter.append(key)
                elif total <= affordable_a_s and key in self.hot:
                    hot = self._cooled[key] = self.hot.pop(key)
                    hot.end(now)
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
        for key, (calls, _, _) in self._scaled(now_s).items():
            found[key] = found.get(key, 0) + calls
        return found

    def bounds(self, now_s: float) -> dict[int, tuple[float, float | None]]:
        """Between what the calls of each function lie that were not all counted (95 %); None where nothing says so."""
        total = self.total(now_s)
        return {
            key: (total[key] + low - calls, None if high is None else total[key] + high - calls)
            for key, (calls, low, high) in self._scaled(now_s).items()
        }

    def _scaled(self, now_s: float) -> dict[int, tuple[float, float, float | None]]:
        now = self.done(now_s)
        return {key: hot.total(now) for key, hot in [*list(self._cooled.items()), *list(self.hot.items())]}
