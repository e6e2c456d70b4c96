"""Whether ``gate check`` sees of a change before its merge what the back-test sees of it afterwards, on a real history.

    python -m tests.bench.same_place REPOSITORY [CHANGES]

Weights are learned at the change before the last CHANGES (30) ones. Each of those is then looked at twice: as a check
of it alone would, with what is kept brought forward, and in a replay of the whole line that kept nothing.
"""

import sys
import tempfile
from pathlib import Path

from gatecli import config, hindsight
from gatecli.history.signals import SIGNALS
from gatecli.pipeline import open_source
from gatecli.pipeline.standing import _Outlines, next_change
from gatecli.replaying import known_before
from gatecli.scoring.learn import learn
from gatecli.scoring.learned import Learned, prior
from gatecli.scoring.placing import place
from gatecli.sources.git import Repository

NOW = 4_000_000_000


def seen_before(repository: Repository, sha: str, folder: Path) -> tuple[float, ...]:
    """The signals of a change by what is known before it."""
    origin = open_source(repository.root, revisions=f"{sha}~1..{sha}")
    settings, _ = config.load(origin.governing.read)
    change = next_change(origin, now=NOW)
    assert origin.change.base is not None
    with known_before(repository, origin.change.base, settings, folder) as known:
        known.state.pieces = _Outlines(origin.change.files).before(known.state.pieces)
        return known.certain(known.state.step(change).values)


def main() -> None:
    """Compare, and print what differs."""
    directory, count = Path(sys.argv[1]), int((sys.argv[2:] or ["30"])[0])
    repository = Repository.open(directory)
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        whole = hindsight.replay_past(directory, folder=Path(one))
        shas = whole.shas[-count:]
        past = hindsight.replay_past(directory, revision=f"{shas[0]}~1", folder=Path(other))
        learned: Learned = learn(past, prior())
        values = dict(zip(whole.shas, whole.values.tolist(), strict=True))
        same = points = places = 0
        for sha in shas:
            before, after = seen_before(repository, sha, Path(other)), tuple(values[sha])
            differ = [
                f"{signal} {x:g} / {y:g}"
                for signal, x, y in zip(SIGNALS, before, after, strict=True)
                if abs(x - y) > 1e-9
            ]
            check, replayed = place(learned, before), place(learned, after)
            same += not differ
            points += check.points == replayed.points
            places += check.percentile == replayed.percentile
            print(sha[:10], check.points, replayed.points, check.percentile, "; ".join(differ), flush=True)
        print(f"{count} changes: {same} with all signals the same, {points} with the same points, {places} places")


if __name__ == "__main__":
    main()
