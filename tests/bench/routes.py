"""Compares what gate reads of routes and tasks with what the frameworks list (``tests/bench/route_truth.py``).

    python -m tests.bench.routes DIRECTORY TRUTH [--show 30]

DIRECTORY is the root of the application's code: every Python file below it is read. Each row of the truth is looked up
as a span of a recording would be. ``right``: the function that runs, or the class where that is the library's own;
``class``: the class where a function of the project runs; ``none``: no function; ``wrong``: any other one.
"""

import argparse
import json
import time
from collections import Counter
from pathlib import Path

from gatecli.config import Paths
from gatecli.model import FunctionId
from gatecli.rules.paths import matches
from gatecli.runtime.entries import Routes
from gatecli.syntax.entrypoints import routes
from tests.syntax.trees import MemoryTree


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--show", type=int, default=30)
    arguments = parser.parse_args()
    started = time.process_time()
    known = Routes(routes(_tree(arguments.directory), is_test=lambda path: matches(Paths().tests, path)))
    seconds = time.process_time() - started
    counts: Counter[str] = Counter()
    examples = []
    for row in json.loads(arguments.truth.read_text()):
        found = known.handler(row["label"])
        kind = compared(found, row["function"], row["class"])
        counts[kind] += 1
        if kind in ("none", "wrong", "class"):
            examples.append((kind, row["label"], row["function"] or row["class"], str(found)))
    print(dict(counts), f"{seconds:.1f} s of processor")
    for example in sorted(examples, key=lambda one: one[0] != "wrong")[: arguments.show]:
        print(*example, sep="  ")


def compared(found: FunctionId | None, function: str | None, cls: str | None) -> str:
    if function is None and cls is None:
        return "library" if found is None else "wrong"
    if found is None:
        return "none"
    if str(found) == (function or cls):
        return "right"
    return "class" if str(found) == cls else "wrong"


def _tree(root: Path) -> MemoryTree:
    files = {}
    for path in root.rglob("*.py"):
        try:
            files[path.relative_to(root).as_posix()] = path.read_text()
        except (OSError, UnicodeDecodeError):
            continue
    return MemoryTree(files)


if __name__ == "__main__":
    main()
