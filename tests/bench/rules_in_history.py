"""Whether the rules that fire on a change say more of its fate than the signals of the replay do.

    python tests/bench/rules_in_history.py PASTS CLONES NAME… [--good 150]

PASTS is the cache of ``prior.py``, CLONES the folder of the clones it read. Of each repository every bad change and so
many good ones, drawn at random, are judged as ``gate check`` would have, without a profile. Prints how often findings
of each severity and family stand on bad and on good changes, and the area under the curve of the points of a prior
learned from the other repositories alone, and with points for findings added.
"""

import argparse
import pickle
import time
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gatecli import pipeline
from gatecli.errors import GateError
from gatecli.model import Outcome, Severity
from gatecli.scoring import learn, measures, standing
from gatecli.scoring.learned import Head
from gatecli.scoring.past import Past
from tests.bench.prior import train

WEIGHTS = {Severity.NOTE: 1.0, Severity.REVIEW: 3.0, Severity.BLOCK: 6.0}
NOW = 1_795_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pasts", type=Path)
    parser.add_argument("clones", type=Path)
    parser.add_argument("names", nargs="+")
    parser.add_argument("--good", type=int, default=150)
    arguments = parser.parse_args()
    pasts = {one.name.rsplit("-", 1)[0]: pickle.loads(one.read_bytes()) for one in arguments.pasts.glob("*.past")}
    for name in arguments.names:
        one_repository(name, pasts, arguments.clones / name, arguments.good)


def one_repository(name: str, pasts: dict[str, Past], clone: Path, good: int) -> None:
    past = pasts[name]
    prior = train(pasts, left_out=name)
    design = standing.replayed(past.values, {one.id: one.above for one in prior.signals})
    base = design @ learn.increments(prior, Head.ANY)
    rows = drawn(past, good)
    started, kept, found = time.perf_counter(), [], []
    for row in rows:
        try:
            found.append(findings(clone, past.shas[row]))
            kept.append(row)
        except GateError:
            continue
    spent = (time.perf_counter() - started) / max(1, len(rows))
    bad = past.bad(Head.ANY)[kept]
    print(f"{name}: {int(bad.sum())} bad, {int((~bad).sum())} good, {spent:.2f} s a change")
    for kind in sorted({key for one in found for key in one}):
        has = np.array([one[kind] > 0 for one in found])
        print(f"  {kind:28s} on {has[bad].mean():.2f} of the bad, {has[~bad].mean():.2f} of the good")
    weighed = np.array([sum(WEIGHTS.get(key, 0.0) * count for key, count in one.items()) for one in found])
    alone = measures.area(bad, base[kept])
    print(f"  AUC: signals {alone:.3f}, findings {measures.area(bad, weighed):.3f}, both:", end=" ")
    for points in (1, 3, 6):
        print(f"{points} a doubling {measures.area(bad, base[kept] + points * np.log2(1 + weighed)):.3f}", end="  ")
    print(flush=True)


def drawn(past: Past, good: int) -> NDArray[np.int64]:
    """Every bad change and some good ones, of the last four fifths."""
    bad = past.bad(Head.ANY)
    old = np.arange(len(past)) < len(past) // 5
    others = np.flatnonzero(~bad & ~past.immediate & ~old)
    some = np.random.default_rng(0).choice(others, min(good, len(others)), replace=False)
    return np.sort(np.concatenate([np.flatnonzero(bad & ~old), some]))


def findings(clone: Path, sha: str) -> Counter[str]:
    """How many findings of each severity and family a change has."""
    origin = pipeline.open_source(clone, revisions=f"{sha}^1..{sha}")
    report = pipeline.judge(origin, pipeline.Request(now=NOW))
    flagged = [one for one in report.findings if one.outcome is Outcome.FLAGGED]
    families = {text.id: text.family for text in report.rules}
    return Counter([one.severity for one in flagged] + [f"family {families.get(one.rule, '?')}" for one in flagged])


if __name__ == "__main__":
    main()
