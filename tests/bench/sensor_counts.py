"""How near the sensor's counts are: ``python -m tests.bench.sensor_counts PYTHON... [--seconds 12]``.

PYTHON is an interpreter, 3.12 or newer. A program that knows how often it calls its functions runs under the sensor:
first functions of different lengths in a mix, all of them hot, then each of the shortest alone, where counting a call
takes longer than the call. Told are how far each count is off, and whether the 95 % interval that the profile gives
holds the truth.
"""

import argparse
import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from gatecli.runtime import sensor
from gatecli.runtime.record import _LOADER

_PROGRAM = """
import json, sys, time
def nothing(): pass
def sum_of(a, b): return a + b * 2
def ten():
    for _ in range(10): pass
def thousand():
    total = 0
    for i in range(1000): total += i
    return total
def text(x): return "-".join(str(x + n) for n in range(8))
def inner(d): return d.get("k")
def outer(d): return inner(d) or d
def request():
    for _ in range(20): nothing()
    for _ in range(10): sum_of(1, 2)
    for _ in range(10): ten()
    thousand()
    for i in range(3): text(i)
    for _ in range(5): outer({})
PER = {"nothing": 20, "sum_of": 10, "ten": 10, "thousand": 1, "text": 3, "inner": 5, "outer": 5, "request": 1}
def main(which, seconds):
    end, done = time.perf_counter() + seconds, 0
    arguments = {"sum_of": (1, 2)}.get(which, ())
    function = request if which == "mix" else globals()[which]
    many = 50 if which == "mix" else 5000
    while time.perf_counter() < end:
        for _ in range(many): function(*arguments)
        done += many
    truth = {name: done * times for name, times in PER.items()} if which == "mix" else {which: done}
    with open("truth.json", "w") as file: json.dump(truth, file)
main(sys.argv[1], float(sys.argv[2]))
"""


def recorded(python: str, which: str, seconds: float) -> tuple[dict[str, int], dict[str, dict[str, Any]]]:
    """How often each function was called, and its rows in the profile."""
    with tempfile.TemporaryDirectory() as name:
        site, app = Path(name) / "site", Path(name) / "app"
        site.mkdir()
        app.mkdir()
        (site / "sitecustomize.py").write_text(_LOADER.format(sensor=sensor.__file__))
        (app / "program.py").write_text(_PROGRAM)
        out = Path(name) / "out.json"
        environment = {"PYTHONPATH": str(site), "GATE_RECORD": str(out), "GATE_RECORD_ROOTS": str(app)}
        command = [python, "program.py", which, str(seconds)]
        subprocess.run(command, cwd=app, check=True, env={**os.environ, **environment})
        rows = {row["id"].partition("::")[2]: row for row in json.loads(out.read_text())["functions"]}
        return json.loads((app / "truth.json").read_text()), rows


def told(truth: int, row: dict[str, Any]) -> tuple[str, bool]:
    """How far a count is off with its interval, and whether that holds the truth; a count of all has none."""
    calls, low, high = row["calls"], row.get("calls_low"), row.get("calls_high")
    off = f"{calls / truth - 1:+.1%}"
    if row["calls_basis"] == "counted":
        return f"{off} (all counted)", calls == truth
    above = "?" if high is None else f"{high / calls - 1:+.0%}"
    return f"{off} ({low / calls - 1:+.0%} to {above})", low <= truth and (high is None or truth <= high)


def main() -> None:
    """Record with each interpreter, and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pythons", nargs="+")
    parser.add_argument("--seconds", type=float, default=12)
    arguments = parser.parse_args()
    for python in arguments.pythons:
        for which in ("mix", "nothing", "sum_of"):
            truth, rows = recorded(python, which, arguments.seconds)
            found = {name: told(times, rows[name]) for name, times in truth.items()}
            held = sum(holds for _, holds in found.values())
            print(f"{python} {which}: {held} of {len(found)} intervals hold the truth", flush=True)
            print("   " + ", ".join(f"{name} {text}" for name, (text, _) in found.items()), flush=True)


if __name__ == "__main__":
    main()
