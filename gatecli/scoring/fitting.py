"""Logistic regression with weights that are never negative and never far from a prior: iterated least squares.

Each step solves a quadratic by coordinate descent on its Gram matrix, which is small whatever the number of rows. A
step that would make the fit worse is halved: far from the answer a whole one overshoots, and the next one by more.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STEPS = 25
SWEEPS = 60
HALVINGS = 12
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
    """
    rows, columns = design.shape
    wanted = _Wanted(
        design=design,
        bad=bad,
        weight=np.ones(rows) if weight is None else weight,
        group=np.zeros(rows, dtype=np.int64) if group is None else group,
        prior=np.zeros(columns) if prior is None else prior,
        ridge=ridge,
    )
    w = wanted.prior.copy()
    b = wanted.intercepts(w)
    hessian, target, rises = wanted.quadratic(w, b)
    for _ in range(STEPS if columns else 0):
        step = _descend(hessian, target, w, signed=signed) - w
        rise = rises[0] - rises[1] @ step
        part = wanted.part(w, b, step, rise)
        w, b = w + part * step, b + part * rise
        hessian, target, rises = wanted.quadratic(w, b)
        if np.abs(part * step).max() < TOLERANCE:
            break
    spread = np.sqrt(np.maximum(np.diag(np.linalg.inv(hessian)), 0)) if columns else np.zeros(0)
    return w, b, spread


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What the fit makes small: the loss of the outcomes, and the distance of the weights from the prior."""

    design: NDArray[np.float32]
    bad: Floats
    weight: Floats
    group: NDArray[np.int64]
    prior: Floats
    ridge: float

    def intercepts(self, w: Floats) -> Floats:
        """What each group needs so that its probabilities have the mean of its outcomes."""
        linear = self.design @ w
        count = int(self.group.max()) + 1 if len(self.group) else 1
        members = [self.group == one for one in range(count)]
        return np.array([intercept(linear[own], self.bad[own], self.weight[own]) for own in members], dtype=np.float64)

    def quadratic(self, w: Floats, b: Floats) -> tuple[Floats, Floats, tuple[Floats, Floats]]:
        """The Hessian and the target of the next step, and how the intercepts follow it.

        Each group's intercept is solved for within the step, so that the columns are centred in their group.
        """
        p = 1 / (1 + np.exp(-np.clip(self.design @ w + b[self.group], -30, 30)))
        curve = np.maximum(p * (1 - p) * self.weight, 1e-9)
        residual = (self.bad - p) * self.weight
        mass = np.bincount(self.group, curve, len(b))
        scaled = self.design * curve[:, None].astype(np.float32)
        means = np.array([scaled[self.group == one].sum(0) / mass[one] for one in range(len(b))], dtype=np.float64)
        hessian = (scaled.T @ self.design).astype(np.float64) - (means.T * mass) @ means
        hessian += self.ridge * np.eye(len(w))
        shift = np.bincount(self.group, residual, len(b))
        gradient = self.design.T @ residual - means.T @ shift - self.ridge * (w - self.prior)
        return hessian, hessian @ w + gradient, (shift / mass, means)

    def part(self, w: Floats, b: Floats, step: Floats, rise: Floats) -> float:
        """How much of a step makes the fit no worse: all of it, or half, a quarter …"""
        before, along = self.design @ w + b[self.group], self.design @ step + rise[self.group]
        worst, part = self._loss(before, w), 1.0
        for _ in range(HALVINGS):
            if self._loss(before + part * along, w + part * step) <= worst:
                return part
            part /= 2
        return 0.0

    def _loss(self, linear: Floats, w: Floats) -> float:
        missed = float((self.weight * (np.logaddexp(0, linear) - self.bad * linear)).sum())
        return missed + self.ridge / 2 * float(np.square(w - self.prior).sum())


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
