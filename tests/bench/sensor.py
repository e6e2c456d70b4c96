"""What the sensor costs a real web application, and whether it counts right: ``python -m tests.bench.sensor PYTHON``.

PYTHON is an interpreter (3.12 or newer) with datasette installed. datasette, copied out of ``site-packages`` so that it
is taken for the project, serves a table. Two servers, one with the sensor, take turns of a few seconds each under the
same paced load, so that whatever else the machine does hits both; the figure is the ratio of their median latencies.
The calls counted of the function that takes each request are compared with the requests.
"""

import argparse
import http.client
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from gatecli.runtime import sensor
from gatecli.runtime.record import _LOADER

PATH = "/data/orders.json?_size=20"
HANDLER = "datasette/app.py::DatasetteRouter.__call__"


def serve(python: str, folder: Path, port: int, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    command = [python, "-m", "datasette", "serve", "data.db", "--port", str(port), "--host", "127.0.0.1"]
    process = subprocess.Popen(
        command, cwd=folder, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    for _ in range(200):
        try:
            ask(http.client.HTTPConnection("127.0.0.1", port, timeout=5))
            return process
        except OSError:
            time.sleep(0.1)
    raise SystemExit("datasette did not start")


def ask(connection: http.client.HTTPConnection) -> None:
    connection.request("GET", PATH)
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise SystemExit(f"datasette answered {response.status}: {body[:200]!r}")


def latencies(port: int, seconds: float, rate: float) -> list[float]:
    """Milliseconds of requests that come at a rate, one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    found = []
    end = time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        ask(connection)
        found.append(1_000 * (time.perf_counter() - began))
        time.sleep(max(0.0, 1 / rate - (time.perf_counter() - began)))
    connection.close()
    return found


def main() -> None:
    """Serve, load, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("python")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rate", type=float, default=40)
    parser.add_argument("--duty", default="0.05")
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
        servers = {"plain": (8_941, {}), "sensor": (8_942, recorded)}
        running = [serve(arguments.python, folder, port, env) for port, env in servers.values()]
        times: dict[str, list[float]] = {name: [] for name in servers}
        ratios = []
        try:
            for number in range(arguments.rounds):
                order = list(servers) if number % 2 else list(servers)[::-1]
                medians = {}
                for name in order:
                    found_here = latencies(servers[name][0], arguments.seconds, arguments.rate)
                    times[name] += found_here
                    medians[name] = statistics.median(found_here)
                ratios.append(medians["sensor"] / medians["plain"])
        finally:
            for process in running:
                process.terminate()
                process.wait(20)
        profile = json.loads((folder / "out.json").read_text())
    rows = {row["id"]: row for row in profile["functions"]}
    handler = rows[HANDLER]
    requests = len(times["sensor"]) + 1
    for name, of in times.items():
        p95 = statistics.quantiles(of, n=20)[-1]
        print(f"{name}: {len(of):,} requests, median {statistics.median(of):.2f} ms, p95 {p95:.2f} ms")
    print(f"median of the ratios of {len(ratios)} rounds: {statistics.median(ratios):.4f} "
          f"(quartiles {', '.join(f'{q:.3f}' for q in statistics.quantiles(ratios, n=4))})")  # fmt: skip
    print(f"{handler['id']}: {handler['calls']} calls for {requests} requests; {len(rows):,} functions ran")
    print(f"counts are {handler['calls'] / requests - 1:+.1%} off")


if __name__ == "__main__":
    main()
