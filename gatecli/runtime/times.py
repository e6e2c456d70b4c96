"""How long spans took: every one up to a bound, then every n-th."""

import math
from array import array
from collections.abc import Iterable, Sequence

MOST = 65_536
"""Durations that are kept of one operation: the error of a percentile is far below that of the sampling of spans."""


class Times:
    """Durations in nanoseconds: number and sum of all, and every ``step``-th (a power of two) for percentiles."""

    __slots__ = ("_next", "count", "kept", "step", "total")

    def __init__(self) -> None:
        self.count = 0
        self.total = 0
        self.step = 1
        self.kept = array("q")
        self._next = 0  # how many are passed over before one is kept

    def add(self, durations: Sequence[int]) -> None:
        """Add durations in the order in which they came."""
        self.count += len(durations)
        self.total += sum(durations)
        self.kept.extend(durations[self._next :: self.step])
        self._next = (self._next - len(durations)) % self.step
        while len(self.kept) > MOST:
            self._thin()

    def _thin(self) -> None:
        if len(self.kept) % 2:  # the last one stays, so the next is a whole new step away
            self._next += self.step
        self.kept = self.kept[::2]
        self.step *= 2

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Times) and (self.count, self.total, self.step, sorted(self.kept)) == (
            other.count,
            other.total,
            other.step,
            sorted(other.kept),
        )

    __hash__ = None  # type: ignore[assignment]

    @property
    def mean_ms(self) -> float:
        """Of all, in milliseconds; there is at least one."""
        return self.total / self.count / 1e6

    def percentiles_ms(self, *parts: float) -> list[float]:
        """Nearest-rank percentiles in milliseconds, ``parts`` of 0..1; there is at least one duration."""
        ordered = sorted(self.kept)
        return [ordered[max(0, math.ceil(part * len(ordered)) - 1)] / 1e6 for part in parts]


def together(times: Iterable[Times]) -> Times:
    """The durations of several, with one step for all."""
    found = list(times)
    result = Times()
    result.step = max((one.step for one in found), default=1)
    for one in found:
        result.count += one.count
        result.total += one.total
        result.kept.extend(one.kept[:: result.step // one.step])
    while len(result.kept) > MOST:
        result.kept = result.kept[::2]
        result.step *= 2
    return result
