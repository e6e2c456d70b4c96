"""Are the callers right, and what do they cost? One command that prints every figure of docs/benchmarks.md on them.

    python -m tests.bench.callers pycg CLONE_OF_PYCG
    python -m tests.bench.callers services CLONE... [--functions 60]
    python -m tests.bench.callers speed CLONE --revisions BASE..HEAD [--semgrep PROGRAM]

``pycg`` runs the public micro-benchmark of PyCG: small programs with all edges of their call graph. ``services`` draws
functions of real programs and compares each place that names one with a second opinion (ty); places where the two
differ, or where ty does not know, are printed to be read. ``speed`` times the whole index, the first and later checks.
"""

import argparse
import json
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from pathlib import Path

from gatecli.model import FunctionId, FunctionKind
from gatecli.sources.git import Repository
from gatecli.sources.trees import DirectoryTree
from gatecli.syntax import types
from gatecli.syntax.building import build
from gatecli.syntax.cache import FactCache
from gatecli.syntax.calls import target_of, uses_in
from gatecli.syntax.edges import edges_of
from gatecli.syntax.imports import Project
from gatecli.syntax.inference.engine import Inference
from gatecli.syntax.inference.program import Program
from gatecli.syntax.python import is_python, read_functions
from gatecli.syntax.trees import parse
from tests.bench.run import GATE, Run, alternate, run

_NOT_CALLS = frozenset(
    {
        "function_definition",
        "class_definition",
        "keyword_argument",
        "aliased_import",
        "dotted_name",
        "default_parameter",
        "typed_default_parameter",
        "typed_parameter",
        "parameters",
    }
)


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    pycg = commands.add_parser("pycg")
    pycg.add_argument("clone", type=Path)
    pycg.set_defaults(run=lambda given: print_pycg(given.clone))
    services = commands.add_parser("services")
    services.add_argument("clones", type=Path, nargs="+")
    services.add_argument("--functions", type=int, default=60)
    services.add_argument("--seed", type=int, default=11)
    services.set_defaults(run=lambda given: print_services(given.clones, given.functions, given.seed))
    speed = commands.add_parser("speed")
    speed.add_argument("clone", type=Path)
    speed.add_argument("--revisions", required=True)
    speed.add_argument("--semgrep")
    speed.add_argument("--rounds", type=int, default=5)
    speed.set_defaults(run=lambda given: print_speed(given.clone, given.revisions, given.semgrep, given.rounds))
    given = parser.parse_args()
    given.run(given)


# ------------------------------------------------------------------------- the micro-benchmark


def print_pycg(clone: Path) -> None:
    """Precision and recall over the edges of PyCG's cases, without those to builtins, by category."""
    rows: dict[str, Counter[str]] = defaultdict(Counter)
    for case in sorted(path.parent for path in clone.glob("micro-benchmark/snippets/*/*/main.py")):
        truth = {
            (caller, callee)
            for caller, callees in json.loads((case / "callgraph.json").read_text()).items()
            for callee in callees
            if not callee.startswith("<")
        }
        found = pycg_edges(case)
        row = rows[case.parent.name]
        row.update(true=len(found & truth), wrong=len(found - truth), missed=len(truth - found), cases=1)
        row["exact"] += found == truth
        for kind, edges in (("wrong", found - truth), ("missed", truth - found)):
            for caller, callee in sorted(edges):
                print(f"  {kind}: {case.parent.name}/{case.name}: {caller} > {callee}")
    total: Counter[str] = sum(rows.values(), Counter())
    for name, row in [*sorted(rows.items()), ("all", total)]:
        precision = row["true"] / max(1, row["true"] + row["wrong"])
        recall = row["true"] / max(1, row["true"] + row["missed"])
        print(f"{name:14} precision {precision:.3f}  recall {recall:.3f}  exact {row['exact']} of {row['cases']}")


def pycg_edges(case: Path) -> set[tuple[str, str]]:
    """The edges of one case in PyCG's words; a class without ``__init__`` is no callee there."""
    tree = DirectoryTree(case)
    program = Program(tree, Project(tree))
    inference = Inference(program)
    names: dict[FunctionId, str] = {}
    classes: set[FunctionId] = set()
    scopes = []
    for path in sorted(filter(is_python, tree.paths())):
        module = program.module(path)
        pending = [scope for one in (module.functions if module else ()) if (scope := program.scope(one.id))]
        while pending:
            scope = pending.pop(0)
            scopes.append(scope)
            names.setdefault(scope.id, dotted(scope.id))
            if scope.kind is FunctionKind.CLASS_BODY:
                classes.add(scope.id)
            for name, inner in scope.lambdas.items():  # PyCG numbers them, also those with a name
                names[inner.id] = f"{dotted(scope.id)}.{name}"
                pending.append(inner)
    found = set()
    for scope in scopes:
        for edge in edges_of(inference, scope):
            if isinstance(edge.callee, FunctionId) and edge.callee not in classes:
                found.add((names[scope.id], names.get(edge.callee, dotted(edge.callee))))
            elif isinstance(edge.callee, str) and not edge.callee.startswith("builtins."):
                found.add((names[scope.id], edge.callee))
    return found


def dotted(id: FunctionId) -> str:
    """``pkg/mod.py::A.f`` in Python's words."""
    module = id.path.rsplit(".", 1)[0].removesuffix("/__init__").replace("/", ".")
    return module if id.qualname == "<module>" else re.sub(r"#\d+", "", f"{module}.{id.qualname}")


# ------------------------------------------------------------------------- real programs


def is_left_out(path: str) -> bool:
    """Tests and migrations are no callers."""
    return bool(re.search(r"(^|/)(tests?|migrations)/|conftest|(^|/)test_", path))


def print_services(clones: list[Path], number: int, seed: int) -> None:
    """Every place that names one of some random functions: what gate says, and what ty says."""
    types.MAX_QUESTIONS, types.TIMEOUT_S = 10**6, 3_600.0
    for clone in clones:
        counts: Counter[tuple[str, str]] = Counter()
        with types.TypeServer(types.program, lambda clone=clone: nullcontext(clone)) as checker:
            for id, path, line, ours, theirs, text in places(clone, number, seed, checker):
                counts[ours, theirs] += 1
                if (ours, theirs) not in (("certain", "yes"), ("no", "no")):
                    print(f"  {ours:8} {theirs:8} {id}  {path}:{line}  {text}")
        print(f"{clone.name}: {number} functions, {counts.total()} places (gate, ty): {dict(counts)}\n")


def places(clone: Path, number: int, seed: int, checker: types.TypeServer) -> Iterator[tuple[object, ...]]:
    """Each place that names a drawn function outside of its own definition."""
    tree = DirectoryTree(clone)
    paths = sorted(path for path in tree.paths() if is_python(path) and not is_left_out(path))
    for function in drawn(tree, paths, number, seed):
        target = target_of(function.id, function.kind)
        assert target is not None
        inference = Inference(Program(tree, Project(tree)))
        for path in paths:
            content = tree.read(path) or b""
            if target.name.encode() not in content:
                continue
            uses = {use.line: use.certainty.value for use in uses_in(inference, path, {target.name: [target]})}
            source = inference.program.source(path)
            root = parse(source).root_node
            for match in re.finditer(rb"(?<!\w)" + re.escape(target.name.encode()) + rb"(?!\w)", source):
                node = root.descendant_for_byte_range(match.start(), match.end())
                line = source.count(b"\n", 0, match.start()) + 1
                is_own = path == function.id.path and function.span.first_line <= line <= function.span.end_line
                if node is None or node.type != "identifier" or is_own:
                    continue
                if node.parent is not None and node.parent.type in _NOT_CALLS:
                    continue
                answer = checker.definitions(path, source, match.start())
                span = range(function.span.first_line, function.span.def_line + 1)
                is_it = any(one.path == function.id.path and one.line in span for one in answer or ())
                theirs = "unknown" if not answer else "yes" if is_it else "no"
                yield function.id, path, line, uses.get(line, "no"), theirs, lines_of(source, line)


def lines_of(source: bytes, line: int) -> str:
    """One line of a source, to be read."""
    return source.split(b"\n")[line - 1].strip().decode("utf-8", "replace")[:90]


def drawn(tree: DirectoryTree, paths: list[str], number: int, seed: int) -> list:
    """Functions drawn by file, so that large files do not fill the sample."""
    chance = random.Random(seed)
    found: dict[FunctionId, object] = {}
    while len(found) < number:
        path = chance.choice(paths)
        functions = [
            one
            for one in read_functions(path, tree.read(path) or b"")
            if one.kind in (FunctionKind.FUNCTION, FunctionKind.METHOD)
            and (target := target_of(one.id, one.kind)) is not None
            and not target.is_by_class
        ]
        if functions:
            one = chance.choice(functions)
            found[one.id] = one
    return list(found.values())


# ------------------------------------------------------------------------- speed


def print_speed(clone: Path, revisions: str, semgrep: str | None, rounds: int) -> None:
    """The index against bare parsing; the first and the later checks against git grep, parsing and semgrep."""
    repository = Repository.open(clone)
    tree = repository.tree(repository.head())
    paths = [path for path in tree.paths() if is_python(path)]
    contents = [content for _, content in tree.read_all(paths) if content is not None]
    print(f"{len(contents):,} Python files, {sum(map(len, contents)) / 1e6:.1f} MB")
    ratios = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder, FactCache(Path(folder)) as cache:
            built = timed(lambda cache=cache: [*build(repository.tree(repository.head()), cache)])
        ratios.append((built, timed(lambda: parse_all(contents))))
    ours, bare = (statistics.median(column) for column in zip(*ratios, strict=True))
    print(
        f"whole index {ours:.2f} s, bare parsing with as many processes {bare:.2f} s: "
        f"{statistics.median(a / b for a, b in ratios):.2f} x (target 1.5)"
    )
    words = touched_names(clone, revisions)
    print(f"touched: {', '.join(words)}")
    arguments = [GATE, "check", revisions, "--report", "json=/dev/null"]
    cold = [run(arguments, clone) for _ in range(rounds)]
    reference = [timed(lambda: grep_and_parse(clone, words)) for _ in range(rounds)]
    print(
        f"first check {median(cold):.2f} s; git grep -l and parsing the files twice "
        f"{statistics.median(reference):.2f} s: {median(cold) / statistics.median(reference):.2f} x (target 1.0)"
    )
    with tempfile.TemporaryDirectory() as home:
        warm_command = ["env", f"XDG_CACHE_HOME={home}", *arguments]
        run(warm_command, clone)
        run(warm_command, clone)
        base = revisions.partition("..")[0]
        if semgrep is None:
            warm = [run(warm_command, clone) for _ in range(rounds)]
            print(f"later checks {median(warm):.2f} s, peak {max(one.megabytes for one in warm):.0f} MB")
            return
        rules = str(Path(__file__).with_name("semgrep.yml").resolve())
        scan = [semgrep, "scan", "--baseline-commit", base, "--config", rules, "--metrics=off", "--quiet", "--json"]
        warm, theirs = alternate(warm_command, scan, clone, rounds)
    ratio = statistics.median(a.seconds / b.seconds for a, b in zip(warm, theirs, strict=True))
    print(
        f"later checks {median(warm):.2f} s, semgrep {median(theirs):.2f} s: {ratio:.2f} x (target 0.35); "
        f"peak {max(one.megabytes for one in warm):.0f} MB (target 300)"
    )


def median(runs: list[Run]) -> float:
    """The middle of the seconds of some runs."""
    return statistics.median(one.seconds for one in runs)


def timed(work: object) -> float:
    """Seconds on the clock."""
    start = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - start


def parse_all(contents: list[bytes]) -> None:
    """Parse every file with as many processes as the index uses."""
    with ProcessPoolExecutor() as pool:
        for _ in pool.map(parse_some, [contents[i : i + 100] for i in range(0, len(contents), 100)]):
            pass


def parse_some(contents: list[bytes]) -> int:
    """Parse some files and let the trees go."""
    for content in contents:
        parse(content)
    return len(contents)


def touched_names(clone: Path, revisions: str) -> list[str]:
    """The names of the functions that a change touches."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        subprocess.run(
            [GATE, "check", revisions, "--report", f"json={report}"], cwd=clone, capture_output=True, check=False
        )
        functions = json.loads(report.read_text())["functions"]
    names = {function["qualname"].rpartition(".")[2] for function in functions}
    return sorted(name for name in names if name.isidentifier())


def grep_and_parse(clone: Path, words: list[str]) -> None:
    """What nobody can do without: find the files that say the names, and parse them before and after."""
    pattern = f"({'|'.join(words)})"
    done = subprocess.run(
        ["git", "grep", "-l", "-z", "-w", "-E", pattern, "HEAD", "--", "*.py"],
        cwd=clone,
        capture_output=True,
        check=False,
    )
    paths = [path.partition(b":")[2].decode() for path in done.stdout.split(b"\0") if path]
    for path in paths:
        content = (clone / path).read_bytes()
        parse(content)
        parse(content)


if __name__ == "__main__":
    sys.exit(main())
