"""A back-test of a very long history: time, processor time and memory, cold and with its facts kept.

    python tests/bench/long_history.py [--commits 100000]

The history is made up with ``git fast-import``: one commit an hour to one of 400 small files, every fiftieth takes back
the one ten before it.
"""

import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FILES = 400
AUTHORS = 40
BEGIN = 1_400_000_000
HOUR = 3_600


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commits", type=int, default=100_000)
    count = parser.parse_args().commits
    with tempfile.TemporaryDirectory() as folder:
        repository = Path(folder) / "repository"
        make(repository, count)
        for name in ("cold", "kept"):
            print(f"{count:,} commits, {name}: {timed(repository, Path(folder) / 'cache')}", flush=True)


def make(repository: Path, count: int) -> None:
    subprocess.run(["git", "init", "-q", "--bare", str(repository)], check=True)
    command = ["git", "-C", str(repository), "fast-import", "--quiet", "--done"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        chance = random.Random(0)
        for number in range(count):
            process.stdin.write(commit(number, chance))
        process.stdin.write(b"done\n")
    subprocess.run(["git", "-C", str(repository), "symbolic-ref", "HEAD", "refs/heads/main"], check=True)


def commit(number: int, chance: random.Random) -> bytes:
    taken_back = number >= 10 and number % 50 == 0
    message = f'Revert "Step {number - 10}"' if taken_back else f"Step {number}"
    who = f"Person {number % AUTHORS} <p{chance.randrange(AUTHORS)}@shop.example> {BEGIN + HOUR * number} +0000"
    path = f"shop/part{number % 20}/file{number % FILES}.py"
    body = "".join(f"def f{one}(a, b):\n    return a * {chance.randrange(9)} + b\n\n\n" for one in range(6))
    parts = (f"commit refs/heads/main\ncommitter {who}\n", data(message), f"M 644 inline {path}\n", data(body))
    return "".join(parts).encode()


def data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}\n"


def timed(repository: Path, cache: Path) -> str:
    """One run of ``gate backtest``, its cache in a folder."""
    script = "from gatecli.cli.main import run; import sys; sys.exit(run(sys.argv[1:]))"
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", script, "backtest", "--repo", str(repository)],
        env={**os.environ, "XDG_CACHE_HOME": str(cache)},
        capture_output=True,
        text=True,
        check=False,
    )
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        return f"exit {done.returncode}: {done.stderr[-500:]}"
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    load = f", load {os.getloadavg()[0]:.0f}" if hasattr(os, "getloadavg") else ""
    return f"{wall:.0f} s, {spent:.0f} s of processor time, {after.ru_maxrss // 1024} MB at most in a process{load}"


if __name__ == "__main__":
    main()
