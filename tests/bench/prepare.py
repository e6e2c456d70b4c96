"""Prepare a clone for ``run.py``: a commit that touches five functions, and a profile of a large service.

    python -m tests.bench.prepare CLONE --profile FILE [--functions 20000] [--edges 200000]

The commit goes on a new branch ``gate-bench``, from the commit that is checked out. The profile holds the functions
of the clone (and made-up ones, if it has fewer) with figures from a fixed seed, so it is the same each time.
"""

import argparse
import ast
import gzip
import json
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

TOUCHED = 5
LINES = ("import requests", 'requests.get("https://payments.example/health")')


def _git(repository: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Bench", "-c", "user.email=bench@example.com"]
    command = ["git", "-C", str(repository), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def functions_of(path: Path) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """The module-level functions and the methods of a file, by qualified name."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield f"{node.name}.{inner.name}", inner
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node


def production_files(repository: Path) -> list[str]:
    """The tracked Python files that are neither tests nor migrations."""
    paths = _git(repository, "ls-files", "-z", "*.py").split("\0")
    return sorted(
        path for path in paths if path[:1] not in ("", ".") and not {"tests", "migrations"} & {*path.split("/")}
    )


def touch(repository: Path, paths: list[str]) -> list[str]:
    """Put two lines into one function of each of five files, spread over the tree; their ids."""
    touched: list[str] = []
    for start in range(TOUCHED):
        for path in paths[start * len(paths) // TOUCHED :]:
            file = repository / path
            found = next(((name, node) for name, node in functions_of(file) if len(node.body) > 2), None)
            if found is None or any(id.startswith(f"{path}::") for id in touched):
                continue
            name, node = found
            first = node.body[1]
            lines = file.read_text(encoding="utf-8").split("\n")
            lines[first.lineno - 1 : first.lineno - 1] = [" " * first.col_offset + line for line in LINES]
            file.write_text("\n".join(lines), encoding="utf-8")
            touched.append(f"{path}::{name}")
            break
    return touched


def profile(repository: Path, paths: list[str], touched: list[str], revision: str, count: int, edges: int) -> bytes:
    """A profile of a week, gzipped: a layered call graph below a few hundred routes."""
    chance = random.Random(20261121)
    known = [(f"{path}::{name}", node) for path in paths for name, node in functions_of(repository / path)]
    chance.shuffle(known)
    known.sort(key=lambda item: item[0] not in touched)
    rows = {id: (node.lineno, node.end_lineno) for id, node in known[:count]}
    for number in range(count - len(rows)):
        rows[f"service/part_{number // 50}.py::function_{number}"] = (number % 50 * 10 + 1, number % 50 * 10 + 9)
    ids = list(rows)
    chance.shuffle(ids)  # the order of the layers: callers stand before what they call
    routes = [f"http GET /route/{number}" for number in range(300)]
    graph = set()
    while len(graph) < edges:
        caller, callee = sorted(chance.sample(range(len(ids)), 2))
        graph.add((ids[caller], ids[callee]))
    functions = []
    for id in ids:
        calls = int(chance.paretovariate(0.6) * 100)
        share = min(1.0, chance.paretovariate(1.2) / 5_000)
        functions.append(
            {
                "id": id,
                "kind": "method" if "." in id.partition("::")[2] else "function",
                "first_line": rows[id][0],
                "def_line": rows[id][0],
                "end_line": rows[id][1],
                "calls": calls,
                "calls_per_min": round(calls / 10_080, 4),
                "calls_basis": "counted",
                "time_self": {"share": round(share / 3, 9), "pm95": 0.0001, "samples": 9},
                "time_total": {"share": round(share, 9), "pm95": 0.0002, "samples": 27},
                "errors": calls // 1_000,
                "error_rate": 0.001,
                "latency_ms": {
                    "mean": 1.2,
                    "p50": 0.9,
                    "p95": round(chance.expovariate(0.1), 3),
                    "p99": 90.0,
                    "n": calls,
                },
                "entry_points": [{"id": route, "share": 0.5} for route in chance.sample(routes, 2)],
                "match": "qualname",
                "sources": [0],
            }
        )
    document = {
        "schema": "gate.runtime-profile/1",
        "meta": {
            "service": "shop",
            "environment": "production",
            "window": {"start": "2026-11-13T00:00:00Z", "end": "2026-11-20T00:00:00Z", "observed_seconds": 604_800},
            "revision": revision,
            "revision_source": "flag",
            "generated_at": "2026-11-20T00:00:00Z",
            "generator": "tests/bench/prepare.py",
            "sources": [{"kind": "otlp-json", "file": "made-up", "sha256": "0" * 64, "basis": "counted"}],
        },
        "functions": sorted(functions, key=lambda row: row["id"]),
        "edges": [
            {"caller": caller, "callee": callee, "calls": chance.randrange(1, 10_000), "basis": "counted"}
            for caller, callee in sorted(graph)
        ],
        "entry_points": [
            {"id": route, "kind": "http", "calls_per_min": 40, "weight": 1 / 300} for route in sorted(routes)
        ],
    }
    return gzip.compress(json.dumps(document, separators=(",", ":")).encode(), mtime=0)


def main() -> None:
    """Make the commit and the profile, and print how to go on."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clone", type=Path)
    parser.add_argument("--profile", type=Path, required=True)
    parser.add_argument("--functions", type=int, default=20_000)
    parser.add_argument("--edges", type=int, default=200_000)
    arguments = parser.parse_args()
    base = _git(arguments.clone, "rev-parse", "HEAD").strip()
    _git(arguments.clone, "checkout", "--quiet", "-B", "gate-bench")
    paths = production_files(arguments.clone)
    touched = touch(arguments.clone, paths)
    _git(arguments.clone, "commit", "--quiet", "--all", "--no-verify", "--message", "Check payments in five places")
    arguments.profile.write_bytes(profile(arguments.clone, paths, touched, base, arguments.functions, arguments.edges))
    print(f"touched {', '.join(touched)}")
    print(f"--repo {arguments.clone} --revisions {base}..gate-bench --profile {arguments.profile}")


if __name__ == "__main__":
    main()
