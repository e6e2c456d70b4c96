"""What share of a whole check do the rules take? On real merged changes of about fifty functions.

    python -m tests.bench.rule_cost CLONE [--changes 6] [--least 45] [--most 75]

The newest first-parent commits of a clone that touch 14 to 24 Python files are judged in this process; those that touch
so many functions are counted. Loading the rules and running them is set against all of it, in processor time and in
elapsed time. The figures in ``docs/rules-measured.md`` come from here.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatecli.rules import registry
from tests.bench.precision import judge


@dataclass(slots=True)
class Spent:
    """Seconds of processor and of clock."""

    processor: float = 0.0
    elapsed: float = 0.0

    def add(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, with what it takes added up here."""

        def timed(*args: Any, **kwargs: Any) -> Any:
            processor, elapsed = time.process_time(), time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                self.processor += time.process_time() - processor
                self.elapsed += time.perf_counter() - elapsed

        return timed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clone", type=Path)
    parser.add_argument("--changes", type=int, default=6)
    parser.add_argument("--least", type=int, default=45)
    parser.add_argument("--most", type=int, default=75)
    arguments = parser.parse_args()
    rules, shares = Spent(), []
    registry.load, registry.run = rules.add(registry.load), rules.add(registry.run)
    for sha in commits(arguments.clone):
        rules.processor, rules.elapsed, whole = 0.0, 0.0, Spent()
        functions = len(whole.add(judge)(arguments.clone, sha).case.functions)
        if not arguments.least <= functions <= arguments.most:
            continue
        shares.append((rules.processor / whole.processor, rules.elapsed / whole.elapsed))
        print(
            f"{sha[:12]} {functions} functions: rules {rules.processor:.2f} of {whole.processor:.2f} s of the processor"
            f" ({shares[-1][0]:.0%}), {rules.elapsed:.2f} of {whole.elapsed:.2f} s elapsed ({shares[-1][1]:.0%})",
            flush=True,
        )
        if len(shares) == arguments.changes:
            break
    if shares:
        medians = [statistics.median(share) for share in zip(*shares, strict=True)]
        print(f"median: {medians[0]:.0%} of the processor time, {medians[1]:.0%} of the elapsed time")
    return 0


def commits(clone: Path) -> Iterator[str]:
    """The newest first-parent commits that touch 14 to 24 Python files."""
    command = ["git", "-C", str(clone), "log", "--first-parent", "-m", "--format=%x01%H", "--name-only", "-n600"]
    out = subprocess.run([*command, "--", "*.py"], check=True, capture_output=True, text=True).stdout
    for entry in out.split("\x01")[1:]:
        sha, *files = entry.split()
        if 14 <= len(files) <= 24:
            yield sha


if __name__ == "__main__":
    sys.exit(main())
