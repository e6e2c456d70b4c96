"""Compares what gate reads of routes and tasks with what the frameworks list (``tests/bench/route_truth.py``).

    python -m tests.bench.routes DIRECTORY TRUTH [--package FOLDER] [--show 30]

DIRECTORY is the root of the application's code: every Python file below it is read. Each row of the truth is looked up
as a span of a recording would be. ``right``: the function that runs, or the class where that is the library's own;
``around``: the class or function around the one that runs; ``none``: no function; ``wrong``: any other one.
``shadowed``: behind an equal route that comes first (or the library's own behind one that is written alike).
"""

import argparse
import json
import re
import time
from collections import Counter
from pathlib import Path

from gatecli.config import Paths
from gatecli.model import FunctionId
from gatecli.routes import comparable
from gatecli.rules.paths import matches
from gatecli.runtime.entries import Routes
from gatecli.syntax.entrypoints import routes
from tests.syntax.trees import MemoryTree

_FORMAT = re.compile(r"<drf_format_suffix:format>|\\\.\(\?P<format>.*")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--package", default="")
    parser.add_argument("--show", type=int, default=30)
    arguments = parser.parse_args()
    started = time.process_time()
    known = Routes(
        routes(_tree(arguments.directory, arguments.package), is_test=lambda path: matches(Paths().tests, path))
    )
    seconds = time.process_time() - started
    counts: Counter[str] = Counter()
    examples, seen = [], set()
    for row in json.loads(arguments.truth.read_text()):
        found = known.handler(row["label"])
        kind = compared(found, row["function"], row["class"])
        verb, _, path = row["label"].partition(" ")
        key = verb, comparable(_FORMAT.sub("", path))
        is_library = row["function"] is row["class"] is None
        if kind == "wrong" and (row["label"] in seen or (is_library and key in seen)):
            kind = "shadowed"
        seen |= {key, row["label"]}
        counts[kind] += 1
        if kind in ("none", "wrong", "around"):
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
    is_around = str(found) == cls or (function or "").startswith(f"{found}.")
    return "around" if is_around else "wrong"


def _tree(root: Path, package: str = "") -> MemoryTree:
    files = {}
    for path in (root / package).rglob("*.py"):
        try:
            files[path.relative_to(root).as_posix()] = path.read_text()
        except (OSError, UnicodeDecodeError):
            continue
    return MemoryTree(files)


if __name__ == "__main__":
    main()
