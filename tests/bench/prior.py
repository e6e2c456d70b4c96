"""Train the shipped prior on public repositories, and measure it on each one with that one left out.

    python -m tests.bench.prior CLONE… --measure              leave one out, last 40 % of each
    python -m tests.bench.prior CLONE… --unseen CLONE…        train on the first ones, measure on the others
    python -m tests.bench.prior CLONE… -o rules/prior.yml     train on all of them

CLONE is a folder NAME that holds a whole clone (or its git directory); outlines are kept below --cache. Changes of the
first tenth of a history are not learned from: nothing is known of what they touch. Every repository has its own
intercept, and counts by the square root of its bad changes: a large one does not outvote all others.
"""

import argparse
import pickle
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from gatecli import hindsight
from gatecli.history.signals import SIGNALS, Signal
from gatecli.reports import weights as written
from gatecli.scoring import fitting, standing
from gatecli.scoring.learned import (
    POINTS_PER_UNIT,
    Head,
    Learned,
    SignalWeight,
    Taught,
    steps_of,
)
from gatecli.scoring.past import MAX_FILES, Past
from tests.bench import left_out

RIDGE = 30.0
WARM_UP = 0.1
# Of what these say, most is chance, or size in another guise: see docs/backtest.md.
LEFT_OUT = frozenset({Signal.EXPERIENCE, Signal.AGENT})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clones", nargs="+", type=Path)
    parser.add_argument("--cache", type=Path, default=Path("build/prior"))
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--unseen", nargs="+", type=Path, default=[])
    parser.add_argument("-o", "--output", type=Path)
    arguments = parser.parse_args()
    pasts = {clone.name: past_of(clone, arguments.cache) for clone in arguments.clones}
    if arguments.measure:
        left_out.measure(pasts, lambda name: train(pasts, left_out=name))
    if arguments.unseen:
        prior = train(pasts)
        left_out.measure({clone.name: past_of(clone, arguments.cache) for clone in arguments.unseen}, lambda _: prior)
    if arguments.output:
        arguments.output.write_text(written.as_yaml(train(pasts)), encoding="utf-8")


def past_of(clone: Path, cache: Path) -> Past:
    head = subprocess.run(["git", "-C", str(clone), "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    kept = cache / f"{clone.name}-{head.stdout.strip()[:12]}.past"
    if kept.exists():
        return pickle.loads(kept.read_bytes())
    started = time.monotonic()
    past = hindsight.replay_past(clone, folder=cache)
    print(
        f"{clone.name}: {len(past):,} changes, {int(past.bad(Head.ANY).sum())} bad, {time.monotonic() - started:.0f} s"
    )
    kept.write_bytes(pickle.dumps(past))
    return past


def train(pasts: dict[str, Past], left_out: str | None = None) -> Learned:
    """The prior of some repositories."""
    used = {name: past for name, past in pasts.items() if name != left_out}
    own = [standing.thresholds(past.values) for past in used.values()]
    first = {
        signal: tuple(float(np.median([one[signal][step] for one in own])) for step in range(steps_of(signal)))
        for signal in SIGNALS
    }
    columns = {name: standing.replayed(past.values, first) for name, past in used.items()}
    kept = [signal not in LEFT_OUT for signal in SIGNALS for _ in range(steps_of(signal))]
    heads, intercepts = {}, {}
    for head in Head:
        parts, bad, group, weight = [], [], [], []
        for number, (name, past) in enumerate(used.items()):
            rows = np.flatnonzero((past.files <= MAX_FILES) & ~past.immediate)
            rows = rows[rows >= int(len(past) * WARM_UP)]
            found = past.bad(head)[rows]
            parts.append(columns[name][rows][:, kept])
            bad.append(found)
            group.append(np.full(len(rows), number))
            weight.append(np.full(len(rows), 1 / max(1.0, float(found.sum())) ** 0.5 * 5))
        w, b, _ = fitting.fit(
            np.concatenate(parts),
            np.concatenate(bad).astype(float),
            weight=np.concatenate(weight),
            group=np.concatenate(group),
            ridge=RIDGE,
        )
        steps = np.zeros(len(kept))
        steps[kept] = w * POINTS_PER_UNIT
        heads[head] = steps
        intercepts[head] = round(float(np.median(b)) * POINTS_PER_UNIT, 1)
    signals, at = [], 0
    for signal in SIGNALS:
        part = slice(at, at + steps_of(signal))
        at = part.stop
        points = {head: tuple(int(v) for v in np.rint(np.cumsum(steps[part]))) for head, steps in heads.items()}
        signals.append(SignalWeight(id=signal, above=tuple(round(v, 4) for v in first[signal]), points=points))
    return Learned(
        schema="gate-weights/1",
        taught=Taught(
            day=datetime.now(UTC).date().isoformat(),
            changes=sum(len(past) for past in used.values()),
            bad={head: sum(int(past.bad(head).sum()) for past in used.values()) for head in Head},
            repositories=tuple(sorted(name.replace("+", "/") for name in used)),
        ),
        intercepts=intercepts,
        signals=tuple(signals),
    )


if __name__ == "__main__":
    main()
