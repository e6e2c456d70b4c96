"""A real web application recorded by seven tools: every frame to its function, and the same hot functions.

    python -m tests.bench.webapp PYTHON

PYTHON is an interpreter with datasette and the tools. datasette, copied out of ``site-packages``, is started under each
tool in turn and gets the same requests. Each recording is imported and every frame of the project compared with the
truth: the code objects that this interpreter compiles from the same files, by file, first line and lines. Then the
functions with the largest shares of time are compared between the tools.
"""

import http.client
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from gatecli.runtime import formats, sensor
from gatecli.runtime.frames import resolve
from gatecli.runtime.profile import Profile
from gatecli.runtime.record import _LOADER
from gatecli.runtime.recording import Recording
from gatecli.runtime.resolve import build_profile
from gatecli.sources.trees import DirectoryTree
from gatecli.syntax.python import read_functions

PORT = 8_951
REQUESTS = 600
PATHS = ("/data/orders.json?_size=50", "/data/orders?_size=20", "/data.json", "/-/versions.json")
HOT = 10
# Every code object of the files: where it starts, what its qualified name is (from 3.11 on), which lines it has.
DUMP = """
import json, sys, types
def walk(code, above):
    name = getattr(code, "co_qualname", None)
    inner = above if code.co_name.startswith("<") and code.co_name != "<module>" else code.co_firstlineno
    yield [code.co_firstlineno, inner, code.co_name, name, sorted({l for *_, l in code.co_lines() if l})]
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from walk(constant, inner)
print(json.dumps({path: list(walk(compile(open(path, "rb").read(), path, "exec"), 1)) for path in sys.argv[1:]}))
"""
SERVE = ("datasette", "serve", "data.db", "--port", str(PORT), "--host", "127.0.0.1")
TOOLS = {
    "py-spy raw": ("{bin}/py-spy", "record", "-r", "200", "--full-filenames", "-f", "raw", "-o", "{out}",
                   "--", "{python}", "-m"),
    "py-spy -F speedscope": ("{bin}/py-spy", "record", "-F", "-r", "200", "-f", "speedscope", "-o", "{out}",
                             "--", "{python}", "-m"),
    "pyinstrument": ("{python}", "-m", "pyinstrument", "-i", "0.005", "-r", "json", "-o", "{out}", "-m"),
    "cProfile": ("{python}", "-m", "cProfile", "-o", "{out}", "-m"),
    "viztracer": ("{bin}/viztracer", "--ignore_c_function", "--tracer_entries", "400000", "-o", "{out}", "-m"),
    "yappi": ("{python}", "-m", "yappi", "-f", "pstat", "-o", "{out}", "{app}/datasette/__main__.py"),
    "gate's sensor": ("env", "GATE_RECORD={out}", "GATE_RECORD_ROOTS={app}", "PYTHONPATH={site}:{app}",
                      "{python}", "-m"),
}  # fmt: skip
"""Those that need a script get its path in place of ``-m datasette``."""


def record(command: list[str], folder: Path) -> None:
    """Start the server under a tool, send the requests, and interrupt it."""
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(300):
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=10)
        try:
            connection.request("GET", "/-/versions.json")
            connection.getresponse().read()
            break
        except (OSError, http.client.HTTPException):
            time.sleep(0.1)
    for number in range(REQUESTS):
        connection.request("GET", PATHS[number % len(PATHS)])
        connection.getresponse().read()
    connection.close()
    process.send_signal(signal.SIGINT)
    try:
        process.wait(120)
    except subprocess.TimeoutExpired:
        process.kill()


def judged(
    recording: Recording, truth: dict[str, list[list[object]]], tree: DirectoryTree
) -> tuple[int, int, list[str]]:
    """Frames of the project, how many of them have a function, and those with a wrong one."""
    found = resolve([recording.frames], tree=tree, functions_of=read_functions)
    frames, matched, wrong = 0, 0, []
    for frame, match in zip(recording.frames, found.matches[0], strict=True):
        path = next((path for path in truth if (frame.file or "").endswith(path)), None)
        if path is None or "site-packages" in (frame.file or "") or frame.name.startswith("<frozen"):
            continue
        expected = _truth(truth[path], frame.name.replace("<locals>.", ""), frame.first_line, frame.line)
        if expected is None:
            continue
        frames += 1
        matched += match.function is not None
        if match.function is not None and match.function.span.first_line not in expected:
            wrong.append(f"{frame} is line {expected}, matched {match.function.id}")
    return frames, matched, wrong


def _truth(codes: list[list[object]], name: str, first: int | None, line: int | None) -> set[object] | None:
    """The first lines of what the frame can be; None where the recording names code that is not in the file.

    A lambda is of the function around it, or one of its own where it has a name (``handle = lambda …``).
    """
    last = name.rpartition(".")[2]
    fitting = [
        code
        for code in codes
        if code[2] == last
        and (code[3] is None or "." not in name or str(code[3]).replace("<locals>.", "") == name)
        and (first is None or code[0] == first)
        and (line is None or line == code[0] or line in code[4])  # type: ignore[operator]
    ]
    return {first_line for code in fitting for first_line in code[:2]} or None


def hot(profile: Profile, once: frozenset[str]) -> list[str]:
    """The functions with the most time on the stack, those aside that are called ``once``.

    These are the start of the program and of its threads: how long they are on the stack is how long the tool takes the
    start, or a thread that waits, to be, and a tool that follows tasks does not see them above the event loop.
    """
    rows = [
        (row.time_total.share, row.id)
        for row in profile.functions
        if row.time_total is not None and row.kind not in ("module", "class_body") and row.id not in once
    ]
    return [id for _, id in sorted(rows, reverse=True)]


def main() -> None:
    """Record with each tool, then compare."""
    python = sys.argv[1]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        installed = subprocess.check_output([python, "-c", "import datasette; print(datasette.__path__[0])"], text=True)
        shutil.copytree(installed.strip(), folder / "app" / "datasette")
        os.environ["PYTHONPATH"] = str(folder / "app")
        with sqlite3.connect(folder / "data.db") as database:
            database.execute("create table orders (id integer primary key, item text, total integer)")
            database.executemany("insert into orders values (?, ?, ?)", [(n, f"item {n}", n) for n in range(2_000)])
        site = folder / "site"
        site.mkdir()
        (site / "sitecustomize.py").write_text(_LOADER.format(sensor=sensor.__file__))
        tree = DirectoryTree(folder / "app")
        files = [path for path in tree.paths() if path.endswith(".py")]
        truth = json.loads(subprocess.check_output([python, "-c", DUMP, *files], cwd=folder / "app", text=True))
        profiles = {}
        for tool, words in TOOLS.items():
            out = folder / f"{tool.replace(' ', '_')}.json"
            places = {"out": out, "python": python, "bin": Path(python).parent, "app": folder / "app", "site": site}
            command = [word.format(**places) for word in words]
            record([*command, *(SERVE if command[-1] == "-m" else SERVE[1:])], folder)
            if not out.exists():
                print(f"{tool}: left no recording")
                continue
            recording = formats.read(out)
            frames, matched, wrong = judged(recording, truth, tree)
            print(
                f"{tool}: {frames} project frames with a known truth, {matched} matched, {len(wrong)} wrong", flush=True
            )
            for line in wrong[:5]:
                print(f"      {line}")
            profiles[tool] = build_profile([recording], tree=tree, functions_of=read_functions, generated_at=0)
        counted = profiles["gate's sensor"].functions
        once = frozenset(row.id for row in counted if row.calls == 1)
        lists = {tool: ids for tool, profile in profiles.items() if (ids := hot(profile, once))}  # the sensor has none
        for tool, ids in lists.items():
            print(f"{tool}: {', '.join(ids[:HOT])}")
        for tool, ids in lists.items():
            for other, others in lists.items():
                if tool < other:
                    same = len({*ids[:HOT]} & {*others[:HOT]})
                    ranks = [of.index(id) + 1 if id in of else len(of) + 1 for one, of in ((ids, others), (others, ids))
                             for id in one[:HOT]]  # fmt: skip
                    print(f"{tool} / {other}: {same} of the {HOT} hottest are the same, "
                          f"all are among the {max(ranks)} hottest")  # fmt: skip


if __name__ == "__main__":
    main()
