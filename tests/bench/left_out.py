"""How well priors do on histories that they were not trained on: the figures of ``tests/bench/prior.py``.

Of each history the last 40 % counts, gate and what it is compared with on the same rows. A mean is over the
repositories with ``LEAST_BAD`` or more bad changes there; its bounds, and those of a difference, are 95 % by the
bootstrap over repositories and, within each, over its bad and its good changes.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from gatecli.scoring import backtest, measures
from gatecli.scoring.learned import Head, Learned
from gatecli.scoring.past import Past

LEAST_BAD = 5
DRAWS = 1_000
RECALLS = (1, 2, 4, 10)
"""5, 10, 20 and 50 %, in parts of twenty."""

Rows = tuple[NDArray[np.bool_], Mapping[str, NDArray[np.float64]]]


def measure(pasts: Mapping[str, Past], prior_of: Callable[[str], Learned]) -> None:
    """Print the figures of each repository and head, the means, and by how much gate is ahead."""
    tested: dict[Head, dict[str, Rows]] = {head: {} for head in Head}
    for name, past in pasts.items():
        scores = backtest.replay_scores(past, prior_of(name))
        last = slice(int(len(past) * (1 - backtest.TESTED)), len(past))
        for head in Head:
            bad = past.bad(head)[last]
            rivals = {"gate": scores.by_head[head], **scores.baselines, "smallest first": -past.lines}
            error = measures.calibration(bad, scores.probability[head][last]).error
            print(f"{name} {head}: {int(bad.sum())} bad of {len(bad):,}, ECE {error:.4f}", flush=True)
            if bad.sum() >= LEAST_BAD:
                tested[head][name] = bad, {rival: score[last] for rival, score in rivals.items()}
                for rival, score in rivals.items():
                    print(f"  {rival:20s} {_said(_figures(bad, score[last]))}", flush=True)
    for head, found in tested.items():
        summarise(head, list(found.values()))


def summarise(head: Head, found: list[Rows]) -> None:
    """Print the means of some repositories, and the differences with their bounds."""
    if not found:
        return
    print(
        f"mean of {len(found)} repositories, {head}, {sum(int(bad.sum()) for bad, _ in found)} bad: AUC, R@5/10/20/50"
    )
    mean = {rival: np.mean([_figures(bad, scores[rival]) for bad, scores in found], axis=0) for rival in found[0][1]}
    random, drawn = np.random.default_rng(0), []
    for _ in range(DRAWS):
        picked = [_resampled(found[one], random) for one in random.integers(0, len(found), len(found))]
        drawn.append({rival: np.mean([_figures(b, s[rival]) for b, s in picked], axis=0) for rival in mean})
    for rival, figures in mean.items():
        print(f"  {rival:20s} {_bounded(figures, [one[rival] for one in drawn])}")
    for rival in [one for one in mean if one != "gate"]:
        ahead = [one["gate"] - one[rival] for one in drawn]
        print(f"  ahead of {rival:20s} {_bounded(mean['gate'] - mean[rival], ahead)}", flush=True)


def _figures(bad: NDArray[np.bool_], score: NDArray[np.float64]) -> NDArray[np.float64]:
    gain = measures.gain(bad, score)
    return np.array([measures.area(bad, score), *[gain[part] for part in RECALLS]])


def _resampled(rows: Rows, random: np.random.Generator) -> Rows:
    bad, scores = rows
    groups = np.flatnonzero(bad), np.flatnonzero(~bad)
    drawn = np.concatenate([random.choice(group, len(group)) for group in groups])
    return bad[drawn], {rival: score[drawn] for rival, score in scores.items()}


def _said(figures: NDArray[np.float64]) -> str:
    return " ".join(f"{value:.3f}" for value in figures)


def _bounded(figures: NDArray[np.float64], drawn: list[NDArray[np.float64]]) -> str:
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    return "  ".join(f"{v:+.3f} ({a:+.3f} to {b:+.3f})" for v, a, b in zip(figures, low, high, strict=True))
