"""Reads the entry points of repositories: ``python -m tests.bench.entry_points REPOSITORY... [--sample 30]``.

Prints how many there are of each kind, the time, and a sample (fixed seed) to be read by hand.
"""

import argparse
import random
import time
from collections import Counter
from pathlib import Path

from gatecli.config import Paths
from gatecli.rules.paths import matches
from gatecli.sources.git import Repository
from gatecli.syntax.entrypoints import routes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repositories", nargs="+", type=Path)
    parser.add_argument("--sample", type=int, default=0)
    arguments = parser.parse_args()
    for directory in arguments.repositories:
        repository = Repository.open(directory)
        started = time.process_time()
        tree = repository.tree(repository.resolve("HEAD"))
        found = routes(tree, is_test=lambda path: matches(Paths().tests, path))
        kinds = Counter(kind_of(label) for label in found)
        seconds = time.process_time() - started
        print(f"{directory.name}: {len(found):,} labels, {seconds:.1f} s of processor", dict(kinds))
        for label, id in sorted(random.Random(7).sample(sorted(found.items()), min(arguments.sample, len(found)))):
            print(f"  {label:70} {id}")


def kind_of(label: str) -> str:
    first = label.partition(" ")[0]
    return "route" if first.isupper() or label.startswith(("/", "…")) or "|" in first else first


if __name__ == "__main__":
    main()
