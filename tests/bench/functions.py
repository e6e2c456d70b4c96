"""Every figure of docs/benchmarks.md on functions and their callers, one after the other: this takes about an hour.

    python -m tests.bench.functions CLONES [--revisions BASE..HEAD] [--semgrep PROGRAM] [--changes 300] [--quick]

CLONES is a folder with clones of public repositories; whatever of the following is there is used: PyCG (the
micro-benchmark), saleor and synapse (callers by a second opinion; saleor also for speed, with a change made by
``prepare`` or named by ``--revisions``), the repositories of ``data/renames.jsonl``, and any others for the oracle.
``--quick`` takes a few changes and functions: it shows that everything runs, and its figures say nothing.
"""

import argparse
import subprocess
import sys
from pathlib import Path

ORACLE = ("ansible", "netbox", "prefect", "readthedocs.org", "saleor", "synapse", "wagtail")
SERVICES = ("synapse", "saleor")


def main() -> int:
    """Run each benchmark that its clones are there for; returns 1 if one of them failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clones", type=Path)
    parser.add_argument("--revisions", default="HEAD~1..HEAD")
    parser.add_argument("--semgrep")
    parser.add_argument("--changes", type=int, default=300)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    here = {name: given.clones / name for name in (*ORACLE, "PyCG") if (given.clones / name).is_dir()}
    failed = [name for name, command in benchmarks(given, here) if not has_run(name, command)]
    print(f"failed: {', '.join(failed)}" if failed else "all of them ran")
    return 1 if failed else 0


def benchmarks(given: argparse.Namespace, here: dict[str, Path]) -> list[tuple[str, list[str]]]:
    """The commands, each behind what it asks."""
    changes = "5" if given.quick else str(given.changes)
    services = [str(here[name]) for name in SERVICES if name in here]
    oracle = [str(here[name]) for name in ORACLE if name in here]
    found = [("are the touched functions right", ["oracle", *oracle, "--changes", changes])] if oracle else []
    found.append(("are renames and moves found", ["renames", "score", str(given.clones)]))
    found.append(("can code pass for layout", ["mutants", "--seconds", "5" if given.quick else "60"]))
    inputs = ["--inputs", "1000" if given.quick else "100000"]
    found.append(("does any input stop it", ["fuzz_functions", *inputs]))
    if "PyCG" in here:
        found.append(("are callers right: small programs", ["callers", "pycg", str(here["PyCG"])]))
    if services:
        number = "3" if given.quick else "60"
        found.append(("are callers right: services", ["callers", "services", *services, "--functions", number]))
    if "saleor" in here:
        rounds = ["--rounds", "1" if given.quick else "5"]
        speed = ["callers", "speed", str(here["saleor"]), "--revisions", given.revisions, *rounds]
        found.append(("what do they cost", [*speed, *(["--semgrep", given.semgrep] if given.semgrep else [])]))
        found.append(("how does the cost grow", ["scale", str(here["saleor"]), *rounds]))
    return found


def has_run(name: str, command: list[str]) -> bool:
    """Run one benchmark, its figures on standard output."""
    print(f"\n== {name}: python -m tests.bench.{' '.join(command)}", flush=True)
    return (
        subprocess.run([sys.executable, "-m", f"tests.bench.{command[0]}", *command[1:]], check=False).returncode == 0
    )


if __name__ == "__main__":
    sys.exit(main())
