"""Made-up pasts: changes whose size says how likely they turn out bad."""

import numpy as np

from gatecli.history.signals import SIGNALS, Signal
from gatecli.scoring.learned import Head
from gatecli.scoring.past import Past

DAY = 86_400


def past(count: int = 1_200, *, rate: float = 0.1, seed: int = 0, signal: Signal = Signal.FILES) -> Past:
    """Changes a day apart; the more of a signal one has, the likelier it is reverted, five changes later."""
    random = np.random.default_rng(seed)
    values = np.zeros((count, len(SIGNALS)))
    values[:, SIGNALS.index(Signal.LINES_ADDED)] = random.integers(1, 300, count)
    values[:, SIGNALS.index(signal)] = random.integers(0, 100, count)
    risk = values[:, SIGNALS.index(signal)] / 50 * rate
    bad = random.random(count) < risk
    number = np.arange(count)
    known = np.where(bad, number + 5, -1)
    return Past(
        shas=tuple(f"{one:040x}" for one in range(count)),
        subjects=tuple(f"Step {one}" for one in range(count)),
        times=np.arange(count, dtype=np.int64) * DAY,
        number=number,
        values=values,
        known_at={Head.ANY: known, Head.REVERT: known, Head.REGRESSION: np.full(count, -1)},
        agent=np.zeros(count, dtype=np.bool_),
        immediate=np.zeros(count, dtype=np.bool_),
        files=np.ones(count, dtype=np.int64),
        apart={},
    )
