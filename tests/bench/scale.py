"""What does a check cost against the size of the change and of the repository? Prints both tables, and draws them.

    python -m tests.bench.scale CLONE [--picture docs/images/scale.svg]

The changes put a statement into 1 to 100 functions, drawn by file with a fixed seed; the repositories hold 250 files up
to all of them, with the same five functions changed. Every figure is the median of some runs with a warm index. The
picture needs matplotlib.
"""

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from gatecli.model import FunctionKind
from gatecli.sources.git import Repository
from gatecli.syntax.python import is_python, read_module
from tests.bench.callers import is_left_out
from tests.bench.run import GATE, run

DIFFS = (1, 5, 10, 25, 50, 100)
SIZES = (250, 500, 1_000, 2_000, 4_000)


def main() -> None:
    """Print and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clone", type=Path)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    tree = Repository.open(given.clone).tree("HEAD")
    files = {path: content for path, content in tree.read_all([*tree.paths()]) if content is not None}
    chosen = touchable(files, max(DIFFS))
    by_diff = {}
    with tempfile.TemporaryDirectory() as folder:
        base = committed(Path(folder), files, "base")
        for number in DIFFS:
            changed = {path: touched(path, files[path], line) for path, line in chosen[:number]}
            head = committed(Path(folder), changed, f"{number} functions", onto=base)
            by_diff[number] = seconds(Path(folder), f"{base}..{head}", given.rounds)
            print(f"{number:5} functions touched, {len(files):,} files: {by_diff[number]:.2f} s", flush=True)
    by_size = {}
    for size in (one for one in SIZES if one < len(files) * 2):
        with tempfile.TemporaryDirectory() as folder:
            five = dict(chosen[:5])
            others = [path for path in sorted(files) if is_python(path) and path not in five]
            random.Random(size).shuffle(others)
            kept = {path: files[path] for path in [*five, *others[: size - 5]]}
            base = committed(Path(folder), kept, "base")
            head = committed(Path(folder), {path: touched(path, files[path], five[path]) for path in five}, "five")
            by_size[len(kept)] = seconds(Path(folder), f"{base}..{head}", given.rounds)
            print(f"    5 functions touched, {len(kept):,} files: {by_size[len(kept)]:.2f} s", flush=True)
    if given.picture:
        draw(by_diff, by_size, given.picture)


def touchable(files: dict[str, bytes], number: int) -> list[tuple[str, int]]:
    """Functions in as many files: path, and the line in front of which a statement can be put."""
    paths = [path for path in sorted(files) if is_python(path) and not is_left_out(path)]
    random.Random(5).shuffle(paths)
    found = []
    for path in paths:
        module = read_module(path, files[path])
        for function, node in zip(module.functions, module.nodes, strict=True):
            inner = node.child_by_field_name("definition") or node
            body = inner.child_by_field_name("body")
            is_plain = function.kind in (FunctionKind.FUNCTION, FunctionKind.METHOD)
            if is_plain and body is not None and body.start_point.row > inner.start_point.row:
                found.append((path, body.start_point.row + 1))
                break
        if len(found) == number:
            break
    return found


def touched(path: str, content: bytes, line: int) -> bytes:
    """A file with one more statement in a function."""
    lines = content.split(b"\n")
    indent = lines[line - 1][: len(lines[line - 1]) - len(lines[line - 1].lstrip())]
    lines.insert(line - 1, indent + b"checked = True")
    return b"\n".join(lines)


def committed(folder: Path, files: dict[str, bytes], message: str, onto: str | None = None) -> str:
    """Write and commit some files; returns the commit."""

    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=Bench", "-c", "user.email=bench@example.invalid", "-c", "commit.gpgsign=false")
        done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    if not (folder / ".git").exists():
        git("init", "--quiet", "--initial-branch=main")
    if onto is not None:
        git("checkout", "--quiet", "--force", onto)
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    git("add", "--all", "--force")
    git("commit", "--quiet", "--message", message)
    return git("rev-parse", "HEAD")


def seconds(clone: Path, revisions: str, rounds: int) -> float:
    """The median of some checks after two that fill the index."""
    with tempfile.TemporaryDirectory() as cache:
        command = ["env", f"XDG_CACHE_HOME={cache}", GATE, "check", revisions, "--report", "json=/dev/null"]
        for _ in range(2):
            run(command, clone)
        return statistics.median(run(command, clone).seconds for _ in range(rounds))


def draw(by_diff: dict[int, float], by_size: dict[int, float], picture: Path) -> None:
    """Both curves side by side."""
    from matplotlib import pyplot

    pyplot.rcParams.update({"svg.hashsalt": "gate", "font.size": 9})
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(8, 3), sharey=True)
    for axes, values, label in ((left, by_diff, "functions touched"), (right, by_size, "files in the repository")):
        axes.plot([*values], [*values.values()], marker="o")
        axes.set_xlabel(label)
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    left.set_ylabel("seconds, warm index")
    figure.tight_layout()
    figure.savefig(picture, metadata={"Date": None})


if __name__ == "__main__":
    sys.exit(main())
