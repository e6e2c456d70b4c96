"""What the sensor costs a real web application, and whether it counts right: ``python -m tests.bench.sensor PYTHON``.

PYTHON is an interpreter (3.12 or newer) with datasette installed. datasette, copied out of ``site-packages`` so that it
is taken for the project, serves a table. Two servers, one with the sensor, take turns of some requests each, one behind
the other, so that whatever else the machine does hits both. Two figures are ratios of sensor to plain, each over
the rounds: the median latency, and the processor seconds a request, which a busy machine touches less; with them the
95 % interval of their median (order statistics). The calls counted of the function that takes each request are compared
with the requests. ``--against plain`` compares two servers without a sensor: what the method itself is good for.
``--exact N`` then sends N requests to a third server in which every call is counted (``GATE_RECORD_DUTY=1``), and
compares the calls a request of each function that was counted in windows, and whether its interval holds them.
"""

import argparse
import http.client
import json
import math
import os
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from gatecli.runtime import sensor
from gatecli.runtime.record import _LOADER

PATH = "/data/orders.json?_size=20"
WARM_UP = 50
HANDLER = "datasette/app.py::DatasetteRouter.__call__"


def serve(python: str, folder: Path, port: int, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    command = [python, "-m", "datasette", "serve", "data.db", "--port", str(port), "--host", "127.0.0.1"]
    process = subprocess.Popen(
        command, cwd=folder, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    for _ in range(900):
        try:
            ask(http.client.HTTPConnection("127.0.0.1", port, timeout=5))
            return process
        except OSError:
            time.sleep(0.1)
    process.kill()
    raise SystemExit("datasette did not start")


def ask(connection: http.client.HTTPConnection) -> None:
    connection.request("GET", PATH)
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise SystemExit(f"datasette answered {response.status}: {body[:200]!r}")


def turn(port: int, requests: int) -> list[float]:
    """Milliseconds of some requests, one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    found = []
    for _ in range(requests):
        began = time.perf_counter()
        ask(connection)
        found.append(1_000 * (time.perf_counter() - began))
    connection.close()
    return found


def processor_s(process: subprocess.Popen[bytes]) -> float:
    """What all threads of a process used so far (Linux)."""
    tasks = Path(f"/proc/{process.pid}/task")
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9


def told(title: str, ratios: list[float]) -> None:
    """The median of ratios with its 95 % interval."""
    ordered, many = sorted(ratios), len(ratios)
    reach = 0.98 * math.sqrt(many)  # half of 1.96 standard deviations of a binomial count with p = 0.5
    low, high = ordered[max(0, int(many / 2 - reach))], ordered[min(many - 1, math.ceil(many / 2 + reach))]
    print(f"{title}: median of the ratios of {many} rounds {statistics.median(ratios):.4f} "
          f"(95 %: {low:.4f} to {high:.4f})", flush=True)  # fmt: skip


def main() -> None:
    """Serve, load, compare."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # a run that is cut off leaves no server behind
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("python")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--requests", type=int, default=50)
    parser.add_argument("--duty", default="0.05")
    parser.add_argument("--against", choices=("sensor", "plain"), default="sensor")
    parser.add_argument("--exact", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = subprocess.check_output(
            [arguments.python, "-c", "import datasette; print(datasette.__path__[0])"], text=True
        )
        shutil.copytree(found.strip(), folder / "datasette")
        with sqlite3.connect(folder / "data.db") as database:
            database.execute("create table orders (id integer primary key, item text, total integer)")
            database.executemany("insert into orders values (?, ?, ?)", [(n, f"item {n}", n) for n in range(2_000)])
        (folder / "site").mkdir()
        (folder / "site" / "sitecustomize.py").write_text(_LOADER.format(sensor=sensor.__file__))
        recorded = {
            "PYTHONPATH": str(folder / "site"),
            "GATE_RECORD": str(folder / "out.json"),
            "GATE_RECORD_ROOTS": str(folder),
            "GATE_RECORD_DUTY": arguments.duty,
        }
        servers = {"plain": (8_941, {}), "sensor": (8_942, recorded if arguments.against == "sensor" else {})}
        running = {name: serve(arguments.python, folder, port, env) for name, (port, env) in servers.items()}
        try:
            compare(servers, running, arguments.rounds, arguments.requests)
        finally:
            for process in running.values():
                # Not SIGTERM: uvicorn raises it again behind its own end, so that nothing is written at the end.
                process.send_signal(signal.SIGINT)
                process.wait(20)
        if arguments.against == "sensor":
            profile = json.loads((folder / "out.json").read_text())
            requests = arguments.rounds * arguments.requests + WARM_UP + 1
            counted(profile, requests)
            if arguments.exact:
                few, many = (
                    every_call(arguments.python, folder, recorded, number)
                    for number in (arguments.exact, 2 * arguments.exact)
                )
                against(profile, few, many)


def compare(
    servers: dict[str, tuple[int, dict[str, str]]],
    running: dict[str, subprocess.Popen[bytes]],
    rounds: int,
    requests: int,
) -> None:
    times: dict[str, list[float]] = {name: [] for name in servers}
    used: dict[str, float] = dict.fromkeys(servers, 0.0)
    latencies, seconds = [], []
    for port, _ in servers.values():
        turn(port, WARM_UP)
    for number in range(rounds):
        medians, spent = {}, {}
        for name in list(servers) if number % 2 else list(servers)[::-1]:
            before = processor_s(running[name])
            found = turn(servers[name][0], requests)
            spent[name] = processor_s(running[name]) - before
            used[name] += spent[name]
            times[name] += found
            medians[name] = statistics.median(found)
        latencies.append(medians["sensor"] / medians["plain"])
        seconds.append(spent["sensor"] / spent["plain"])
    for name, of in times.items():
        print(f"{name}: {len(of):,} requests, median {statistics.median(of):.2f} ms, "
              f"{1_000 * used[name] / len(of):.3f} ms of processor a request")  # fmt: skip
    told("median latency", latencies)
    told("processor seconds", seconds)
    print(f"processor seconds of all: {used['sensor'] / used['plain']:.4f}")


def counted(profile: dict[str, Any], requests: int) -> None:
    """Calls of the function that takes each request, against the requests."""
    rows = {row["id"]: row for row in profile["functions"]}
    calls = rows[HANDLER]["calls"]
    print(
        f"{HANDLER}: {calls} calls for {requests} requests ({calls / requests - 1:+.1%}); {len(rows):,} functions ran"
    )
    print(profile["meta"]["sources"][0]["warnings"])


def every_call(python: str, folder: Path, recorded: dict[str, str], requests: int) -> dict[str, int]:
    """How often each function is called for so many requests, start-up included: every call is counted."""
    out = folder / "exact.json"
    process = serve(python, folder, 8_943, {**recorded, "GATE_RECORD": str(out), "GATE_RECORD_DUTY": "1"})
    turn(8_943, requests)
    process.send_signal(signal.SIGINT)
    process.wait(20)
    return {row["id"]: row["calls"] for row in json.loads(out.read_text())["functions"] if row["calls"]}


def against(profile: dict[str, Any], few: dict[str, int], many: dict[str, int]) -> None:
    """What was counted in windows, against what as many requests call where every call is counted.

    How many there were is what was counted of the function that takes each.
    """
    requests = next(row["calls"] for row in profile["functions"] if row["id"] == HANDLER)
    apart = many[HANDLER] - few[HANDLER]
    print(f"every call counted for {few[HANDLER]:,} and {many[HANDLER]:,} requests")
    off, held, whole, all_of_it = [], 0, 0, 0.0
    for row in profile["functions"]:
        a_request = (many.get(row["id"], 0) - few.get(row["id"], 0)) / apart
        if row["calls_basis"] == "counted_scaled" and a_request >= 1:
            expected = few[row["id"]] + (requests - few[HANDLER]) * a_request
            off.append(row["calls"] / expected - 1)
            whole, all_of_it = whole + row["calls"], all_of_it + expected
            held += row["calls_low"] <= expected and (row["calls_high"] is None or expected <= row["calls_high"])
    if off:
        off.sort()
        print(f"{len(off)} functions counted in windows: off by {statistics.median(off):+.1%} (median), "
              f"{off[len(off) // 10]:+.1%} to {off[-1 - len(off) // 10]:+.1%} (eight of ten), "
              f"{whole / all_of_it - 1:+.1%} (all calls); {held} of {len(off)} intervals hold the truth")  # fmt: skip


if __name__ == "__main__":
    main()
