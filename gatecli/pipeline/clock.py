"""How long each stage took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


def milliseconds_since(started: float) -> float:
    """Time on the clock since a moment of ``time.perf_counter``."""
    return round(1_000 * (time.perf_counter() - started), 1)


class Clock:
    """Wall-clock milliseconds of each stage, in the order they ran."""

    def __init__(self) -> None:
        self._spent: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Time a stage."""
        started = time.perf_counter()
        yield
        self._spent[stage] = milliseconds_since(started)

    def timings(self, read_ms: float) -> dict[str, float]:
        """Stage → milliseconds, reading the change first, and their sum."""
        spent = {"sources": read_ms, **self._spent}
        return {**spent, "total": round(sum(spent.values()), 1)}
