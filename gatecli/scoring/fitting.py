"""Logistic regression with weights that are never negative and never far from a prior: iterated least squares.

Each step solves a quadratic by coordinate descent on its Gram matrix, which is small whatever the number of rows.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STEPS = 25
SWEEPS = 60
TOLERANCE = 1e-4


def fit(
    design: NDArray[np.float32],
    bad: Floats,
    *,
    weight: Floats | None = None,
    group: NDArray[np.int64] | None = None,
    prior: Floats | None = None,
    ridge: float = 30.0,
    signed: bool = False,
    offset: Floats | None = None,
) -> tuple[Floats, Floats, Floats]:
    """The weights of the columns, the intercept of each group, and the standard error of each weight.

    Args:
        design: One row a change.
        bad: 0 or 1, or how likely it is that the change was bad.
        weight: How much each row counts; default 1.
        group: Which intercept a row has, counted from 0; default: all the same.
        prior: What the weights are drawn to; default 0.
        ridge: How strongly: as if so many squared units of evidence spoke for the prior.
        signed: Whether weights may be negative.
        offset: Added to the linear term of each row.
    """
    rows, columns = design.shape
    weight = np.ones(rows) if weight is None else weight
    group = np.zeros(rows, dtype=np.int64) if group is None else group
    prior = np.zeros(columns) if prior is None else prior
    offset = np.zeros(rows) if offset is None else offset
    groups = int(group.max()) + 1 if rows else 1
    w = prior.copy()
    b = _start(bad, weight, group, groups)
    hessian = np.eye(columns) * ridge
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-np.clip(design @ w + b[group] + offset, -30, 30)))
        curve = np.maximum(p * (1 - p) * weight, 1e-9)
        residual = (bad - p) * weight
        # Each group's intercept is solved for within the step, so that the columns are centred in their group.
        mass = np.bincount(group, curve, groups)
        scaled = design * curve[:, None].astype(np.float32)
        means = np.zeros((groups, columns))
        for one in range(groups):
            means[one] = scaled[group == one].sum(0) / mass[one]
        hessian = (scaled.T @ design).astype(np.float64) - (means.T * mass) @ means + ridge * np.eye(columns)
        shift = np.bincount(group, residual, groups)
        gradient = design.T @ residual - means.T @ shift - ridge * (w - prior)
        new = _descend(hessian, hessian @ w + gradient, w, signed=signed)
        b = b + shift / mass - means @ (new - w)
        moved = float(np.abs(new - w).max()) if columns else 0.0
        w = new
        if moved < TOLERANCE:
            break
    spread = np.sqrt(np.maximum(np.diag(np.linalg.inv(hessian)), 0)) if columns else np.zeros(0)
    return w, b, spread


def intercept(linear: Floats, bad: Floats, weight: Floats | None = None) -> float:
    """What must be added to a linear term so that its probabilities have the mean of the outcomes."""
    weight = np.ones(len(linear)) if weight is None else weight
    wanted = float((bad * weight).sum()) + 0.5
    low, high = -40.0, 40.0
    for _ in range(60):
        middle = (low + high) / 2
        found = float((weight / (1 + np.exp(-np.clip(linear + middle, -40, 40)))).sum())
        low, high = (middle, high) if found < wanted else (low, middle)
    return (low + high) / 2


def _start(bad: Floats, weight: Floats, group: NDArray[np.int64], groups: int) -> Floats:
    hits, mass = np.bincount(group, bad * weight, groups), np.bincount(group, weight, groups)
    rate = (hits + 0.5) / (mass + 1)
    return np.asarray(np.log(rate / (1 - rate)), dtype=np.float64)


def _descend(hessian: Floats, target: Floats, start: Floats, *, signed: bool) -> Floats:
    """The least of half w'Hw - target'w, weights not negative unless ``signed``."""
    w = start.copy()
    for _ in range(SWEEPS):
        before = w.copy()
        for j in range(len(w)):
            step = w[j] + (target[j] - hessian[j] @ w) / hessian[j, j]
            w[j] = step if signed else max(0.0, step)
        if np.abs(w - before).max() < TOLERANCE / 10:
            break
    return w
