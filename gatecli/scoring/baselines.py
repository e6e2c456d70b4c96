"""What a team could use instead of gate: lines added, churn, and the fourteen classic features with a regression.

The fourteen are those of Kamei et al. (https://doi.org/10.1109/TSE.2012.70), refitted at the same origins on the same
rows as gate's own weights, without gate's percentiles, steps and prior.
"""

import numpy as np
from numpy.typing import NDArray

from gatecli.history.signals import Signal
from gatecli.scoring import fitting
from gatecli.scoring.past import Past

Floats = NDArray[np.float64]

# NS, ND, NF, entropy, LA, LD, LT, FIX, NDEV, AGE, NUC, EXP, REXP, SEXP
_KAMEI = (
    Signal.OTHER_FILES,
    Signal.DIRECTORIES,
    Signal.FILES,
    Signal.ENTROPY,
    Signal.LINES_ADDED,
    Signal.LINES_REMOVED,
    Signal.FILE_LINES,
    Signal.FIX,
    Signal.FILE_AUTHORS,
    Signal.FRESH,
    Signal.FILE_CHANGES,
    Signal.EXPERIENCE,
    Signal.INEXPERIENCE,
    Signal.NEW_TO_AREA,
)


def kamei_columns(past: Past) -> NDArray[np.float32]:
    """The fourteen features of each change, in logarithms."""
    return np.column_stack([np.log1p(np.maximum(0, past.column(signal))) for signal in _KAMEI]).astype(np.float32)


def kamei(columns: NDArray[np.float32], train: NDArray[np.int64], bad: NDArray[np.bool_], rows: slice) -> Floats:
    """The scores of some rows by a logistic regression on others."""
    if not bad.any() or bad.all():
        return np.asarray(columns[rows].sum(1), dtype=np.float64)
    mean, spread = columns[train].mean(0), columns[train].std(0) + 1e-9
    scaled = (columns - mean) / spread
    weights, _, _ = fitting.fit(scaled[train], bad.astype(np.float64), ridge=1.0, signed=True)
    return np.asarray(scaled[rows] @ weights, dtype=np.float64)
