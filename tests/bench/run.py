"""How fast is gate? One command that prints ratios of commands that ran alternately on the same machine.

    python -m tests.bench.run --repo CLONE --revisions BASE..HEAD --profile FILE [--semgrep PROGRAM] [--rounds 5]

CLONE is a work tree with HEAD checked out and nothing uncommitted; ``prepare.py`` makes one, and the profile. Prints
``gate check`` end to end against ``semgrep scan --baseline-commit`` with two rules on the same change, ``gate --help``
against ``python -c "import typer, rich"``, peak memory, and where the time of ``gate check`` goes. Neither tool has
anything cached between runs: each run gets an empty home folder.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

RULES = Path(__file__).with_name("semgrep.yml")
# The program that is installed next to this Python.
GATE = str(Path(sys.executable).with_name("gate"))


@dataclass(frozen=True)
class Run:
    """One run: seconds on the clock, processor seconds of all its processes, peak memory of the largest one in MB."""

    seconds: float
    cpu_seconds: float
    megabytes: float
    status: int


def run(command: list[str], folder: Path) -> Run:
    """Run a command to its end, in a folder, with a home folder of its own."""
    with tempfile.TemporaryDirectory(prefix="gate-bench-") as home:
        environment = {
            "PATH": os.pathsep.join([str(Path(command[0]).resolve().parent), os.environ["PATH"]]),
            "HOME": home,
            "LC_ALL": "C.UTF-8",
            "SEMGREP_SEND_METRICS": "off",
            "SEMGREP_ENABLE_VERSION_CHECK": "0",
        }
        start = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
    megabytes = usage.ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)
    return Run(seconds, usage.ru_utime + usage.ru_stime, megabytes, process.returncode)


def alternate(first: list[str], second: list[str], folder: Path, rounds: int) -> tuple[list[Run], list[Run]]:
    """The two commands in turn, so that whatever else the machine does meets both."""
    results: tuple[list[Run], list[Run]] = ([], [])
    for _ in range(rounds):
        for command, runs in zip((first, second), results, strict=True):
            runs.append(run(command, folder))
    return results


def compare(name: str, ours: list[Run], theirs: list[Run], labels: tuple[str, str], target: float) -> None:
    """Print the medians of two commands and their ratio."""
    for label, runs in zip(labels, (ours, theirs), strict=True):
        seconds = [one.seconds for one in runs]
        cpu = statistics.median(one.cpu_seconds for one in runs)
        print(
            f"  {label:32} median {statistics.median(seconds):5.2f} s  first {seconds[0]:5.2f}  "
            f"range {min(seconds):.2f}-{max(seconds):.2f}  cpu {cpu:5.2f}  "
            f"peak {max(one.megabytes for one in runs):4.0f} MB  exit {sorted({one.status for one in runs})}"
        )
    ratio = _median_ratio([one.seconds for one in ours], [one.seconds for one in theirs])
    work = _median_ratio([one.cpu_seconds for one in ours], [one.cpu_seconds for one in theirs])
    first = ours[0].seconds / theirs[0].seconds
    print(f"  {name}: ratio {ratio:.2f} (first pair {first:.2f}, cpu {work:.2f}); {_against(ratio, target)}\n")


def _median_ratio(ours: list[float], theirs: list[float]) -> float:
    return statistics.median(ours) / statistics.median(theirs)


def _against(value: float, target: float) -> str:
    return f"target {target:g}: {'met' if value <= target else 'MISSED'}"


def stages(check: list[str], folder: Path) -> None:
    """Print where the time of one ``gate check`` goes, from its own report."""
    with tempfile.TemporaryDirectory(prefix="gate-bench-") as out:
        file = Path(out, "gate.json")
        subprocess.run([*check, "--report", f"json={file}"], cwd=folder, check=False, capture_output=True)
        document = json.loads(file.read_bytes())
    timings = document["timings_ms"]
    print("  stage          ms")
    for name, milliseconds in timings.items():
        print(f"  {name:12} {milliseconds:6.0f}")
    functions = document["functions"]
    print(f"  (of {len(functions)} functions, {document['change']['stats']['files']} files)\n")


def main() -> None:
    """Run everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repo", type=Path, required=True)
    parser.add_argument("--revisions", required=True, metavar="BASE..HEAD")
    parser.add_argument("--profile", type=Path, required=True)
    parser.add_argument("--semgrep", default="semgrep", metavar="PROGRAM")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    base = arguments.revisions.partition("..")[0]
    check = [GATE, "check", arguments.revisions, "--profile", str(arguments.profile.resolve()), "--mode", "advise"]
    scan = [
        *(arguments.semgrep, "scan", "--config", str(RULES), "--baseline-commit", base),
        *("--metrics", "off", "--disable-version-check", "--quiet", "--json"),
    ]
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, {arguments.rounds} rounds, commands in turn\n")

    print("(a) gate check, end to end, against semgrep with two rules on the same change")
    ours, theirs = alternate(check, scan, arguments.repo, arguments.rounds)
    compare("gate check / semgrep", ours, theirs, ("gate check", "semgrep scan --baseline-commit"), 0.5)

    print("(b) gate --help, against the import of what it is built on")
    imports = [sys.executable, "-c", "import typer, rich"]
    helped, imported = alternate([GATE, "--help"], imports, arguments.repo, 4 * arguments.rounds)
    compare("gate --help / import", helped, imported, ("gate --help", 'python -c "import typer, rich"'), 2.0)

    peak = max(one.megabytes for one in ours)
    print(f"(c) peak memory of gate check: {peak:.0f} MB; {_against(peak, 200)}\n")

    print("(d) where the time of gate check goes")
    stages(check, arguments.repo)


if __name__ == "__main__":
    main()
