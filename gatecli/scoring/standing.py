"""Where changes stand among those before them: the steps that their signals have reached, as columns of 0 and 1.

Percentiles are those of the last changes before a block of them, so they are as causal as the signals are.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gatecli.history.signals import SIGNALS, Signal
from gatecli.scoring.learned import PERCENTILES, YES_OR_NO

WINDOW = 2_000
"""So many changes before are compared with."""
BLOCK = 250
"""After so many changes the percentiles are taken anew."""
ENOUGH = 200
"""Fewer past changes than this say nothing of percentiles: the prior's thresholds are used."""

Floats = NDArray[np.float64]
Thresholds = Mapping[Signal, tuple[float, ...]]


def thresholds(past: Floats) -> dict[Signal, tuple[float, ...]]:
    """The values at the percentiles of some changes, one row each, by signal."""
    found: dict[Signal, tuple[float, ...]] = {}
    ordered = np.sort(past, axis=0)
    for column, signal in enumerate(SIGNALS):
        if signal in YES_OR_NO:
            found[signal] = (0.0,)
            continue
        # The largest value that at most this share of the past is below: above it, at least the share is.
        places = [max(0, int(np.ceil(share * len(past))) - 1) for share in PERCENTILES]
        found[signal] = tuple(float(ordered[place, column]) for place in places)
    return found


def reached(values: Floats, above: Thresholds) -> NDArray[np.float32]:
    """The columns of some changes: 1 where a signal is above the threshold of a step."""
    columns = [
        values[:, column] > above[signal][step]
        for column, signal in enumerate(SIGNALS)
        for step in range(len(above[signal]))
    ]
    return np.array(columns, dtype=np.float32).T


def replayed(values: Floats, first: Thresholds) -> NDArray[np.float32]:
    """The columns of a whole history, each change compared with those before it; ``first`` serves its beginning."""
    parts = []
    for start in range(0, len(values), BLOCK):
        past = values[max(0, start - WINDOW) : start]
        above = thresholds(past) if start >= ENOUGH else first
        parts.append(reached(values[start : start + BLOCK], above))
    return np.concatenate(parts) if parts else np.zeros((0, 0), dtype=np.float32)
