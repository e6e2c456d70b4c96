"""Whether the rules that fire on a change say more of its fate than the signals of the replay do.

    python -m tests.bench.rules_in_history PASTS CLONES NAME… [--good 60] [--whole] [--families contract,schema]

PASTS is the cache of ``prior.py``, CLONES the folder of the clones it read. Of each repository some bad and some good
changes, drawn at random, are looked at by the rules: with ``--whole`` as ``gate check`` does (callers are searched for
in the tree of the day), else with the change and its touched functions alone, which is what a replay could afford.
No profile. Prints the processor time a change, how often findings stand on bad and on good changes, and what a
doubling of each count adds to the log-odds beside the signals: their points come from the other repositories alone,
every repository has an intercept, and the weight is drawn to 0 as if by half an observation.
"""

import argparse
import pickle
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gatecli import config, pipeline
from gatecli.errors import GateError
from gatecli.model import Case, Finding, Outcome, Provenance, ProvenanceClass, Severity
from gatecli.rules import registry
from gatecli.rules.code import Around
from gatecli.rules.spec import Rule
from gatecli.scoring import learn, measures, standing
from gatecli.scoring.learned import POINTS_PER_UNIT, Head
from gatecli.scoring.past import Past
from gatecli.syntax import match
from tests.bench.prior import train

NOW = 1_795_000_000
RIDGE = 0.5

Found = tuple[Finding, ...]
COUNTS: dict[str, Callable[[Found], int]] = {
    "findings": len,
    "kinds of findings": lambda found: len({one.rule for one in found}),
    "of review or block": lambda found: sum(one.severity is not Severity.NOTE for one in found),
    "their points": lambda found: sum(one.points for one in found),
}


@dataclass(frozen=True)
class Sample:
    """Some changes of a repository: what became of them, their log-odds by the signals, and their findings."""

    bad: NDArray[np.bool_]
    signals: NDArray[np.float64]
    found: list[Found]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pasts", type=Path)
    parser.add_argument("clones", type=Path)
    parser.add_argument("names", nargs="+")
    parser.add_argument("--good", type=int, default=60)
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--families", default="")
    arguments = parser.parse_args()
    pasts = {one.name.rsplit("-", 1)[0]: pickle.loads(one.read_bytes()) for one in arguments.pasts.glob("*.past")}
    families = frozenset(filter(None, arguments.families.split(",")))
    rules = [one for one in registry.load({}, {}, examples=False) if not families or one.family in families]
    look = whole if arguments.whole else alone(rules)
    samples = []
    for name in arguments.names:
        print(name, end=": ", flush=True)
        samples.append(sampled(name, pasts, arguments.clones / name, arguments.good, look))
    for kind, count in COUNTS.items():
        summarise(kind, [(one.bad, one.signals, np.array([count(found) for found in one.found])) for one in samples])


def sampled(
    name: str, pasts: dict[str, Past], clone: Path, good: int, look: Callable[[Path, str], tuple[Finding, ...]]
) -> Sample:
    past = pasts[name]
    prior = train(pasts, left_out=name)
    design = standing.replayed(past.values, {one.id: one.above for one in prior.signals})
    signals = design @ learn.increments(prior, Head.ANY) / POINTS_PER_UNIT
    started, kept, found = time.process_time(), [], []
    for row in drawn(past, good):
        try:
            found.append(look(clone, past.shas[row]))
            kept.append(row)
        except GateError:
            continue
    spent = (time.process_time() - started) / max(1, len(kept))
    bad = past.bad(Head.ANY)[kept]
    print(f"{int(bad.sum())} bad, {int((~bad).sum())} good, {spent:.3f} s of processor time a change", flush=True)
    return Sample(bad, signals[kept], found)


def drawn(past: Past, good: int) -> NDArray[np.int64]:
    """At most as many bad changes as good ones, of the last four fifths."""
    bad, random = past.bad(Head.ANY), np.random.default_rng(0)
    old = np.arange(len(past)) < len(past) // 5
    groups = [np.flatnonzero(group & ~old) for group in (bad, ~bad & ~past.immediate)]
    return np.sort(np.concatenate([random.permutation(group)[:good] for group in groups]))


def whole(clone: Path, sha: str) -> Found:
    """The findings of a change as ``gate check`` has them."""
    origin = pipeline.open_source(clone, revisions=f"{sha}^1..{sha}")
    report = pipeline.judge(origin, pipeline.Request(now=NOW))
    return tuple(one for one in report.findings if one.outcome is Outcome.FLAGGED)


def alone(rules: list[Rule]) -> Callable[[Path, str], Found]:
    """The findings of a change that need nothing beyond it."""
    around = Around(rules=frozenset(one.id for one in rules))

    def look(clone: Path, sha: str) -> Found:
        change = pipeline.open_source(clone, revisions=f"{sha}^1..{sha}").change
        functions, parsed = match.changed_functions(change.files)
        nobody = Provenance(klass=ProvenanceClass.NO_EVIDENCE)
        case = Case(
            change=change, parsed=parsed, functions=functions, usage={}, blast={}, history={}, provenance=nobody
        )
        found = registry.run(rules, case, config.Paths(), around)
        return tuple(one for one in found if one.outcome is Outcome.FLAGGED)

    return look


def summarise(kind: str, rows: list[tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.int64]]]) -> None:
    weight, error = beside([(bad, signals, np.log2(1 + counts)) for bad, signals, counts in rows])
    bad, counts = np.concatenate([one[0] for one in rows]), np.concatenate([one[2] for one in rows])
    area = np.mean([measures.area(bad, counts.astype(float)) for bad, _, counts in rows])
    print(
        f"{kind:20s} on {(counts[bad] > 0).mean():.2f} of the bad, {(counts[~bad] > 0).mean():.2f} of the good, AUC"
        f" {area:.3f}; a doubling adds {weight:+.2f} ({weight - 1.96 * error:+.2f} to {weight + 1.96 * error:+.2f})"
    )


def beside(rows: list[tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]]) -> tuple[float, float]:
    """The weight of a value beside given log-odds, and its standard error."""
    bad = np.concatenate([one[0] for one in rows]).astype(float)
    given, value = np.concatenate([one[1] for one in rows]), np.concatenate([one[2] for one in rows])
    group = np.concatenate([np.full(len(one[0]), number) for number, one in enumerate(rows)])
    design = np.column_stack([value, np.eye(len(rows))[group]])
    pull = np.array([RIDGE, *[0.0] * len(rows)])
    weights = np.zeros(design.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(design @ weights + given, -30, 30)))
        hessian = design.T @ (design * (p * (1 - p))[:, None]) + np.diag(pull)
        weights += np.linalg.solve(hessian, design.T @ (bad - p) - pull * weights)
    return float(weights[0]), float(np.sqrt(np.linalg.inv(hessian)[0, 0]))


if __name__ == "__main__":
    main()
