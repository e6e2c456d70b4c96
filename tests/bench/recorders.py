"""Runs each command of the table in ``docs/profiles.md`` as it is printed, and holds what it wrote against it.

    python -m tests.bench.recorders PYTHON... [--only WORD]

PYTHON is the interpreter of an environment that has the tools; what lies beside it is first in ``PATH``. Each command
runs in a copy of the sample program, whose processes write down their code objects (``tests/runtime/truth.py``). The
table printed says for each command how many frames were code of the program, how many of them have no function, and
how many a wrong one; what could not be run has its reason. The exit code is 1 where a frame is unmatched or wrong.
"""

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gatecli.errors import GateError
from gatecli.runtime import formats
from tests.runtime.support import DATA, Files
from tests.runtime.truth import Truth

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "profiles.md"
# A program that is there to be looked at while a sampler runs for the sixty seconds that the table says.
_LASTS_S = "75"
_TESTS = "from shop.models import Item\n\n\ndef test_total():\n    assert Item('a', 2, 3).total == 6\n"
_COVERAGE = "[run]\ndynamic_context = test_function\n"
# What a command writes where it does not say so itself.
_WRITES = {
    "coverage run": ".coverage",
    "--cov": ".coverage",
    "ddtrace-run python": "dd.*.pprof",
    "gate profile record": ".gate/profile.json.gz",
}
# What has to be there before a command can be run.
_BEFORE = {
    "coverage json": ["coverage run -m pytest -q"],
    "gate profile import": [
        "git init -q && git add -A && git -c user.name=a -c user.email=a@a commit -qm a",
        "python -m cProfile -o run.pstats -m shop 0.1",
        "gate profile import run.pstats -o monday.json.gz",
        "python -m cProfile -o run.pstats -m shop 0.2",
        "gate profile import run.pstats -o tuesday.json.gz",
    ],
    "gate profile record": ["git init -q && git add -A && git -c user.name=a -c user.email=a@a commit -qm a"],
}
_METRICS = "localhost:9464"
_COUNTED = """
import time
from autometrics import autometrics, init
from prometheus_client import start_http_server
from shop import pricing
init(tracker="prometheus", service_name="shop")
quote = autometrics(pricing.quote_shipping)
start_http_server(PORT)
try:
    quote(None)
except Exception:
    pass
time.sleep(20)
"""
# A recording for go's tool, which knows gzip and not zstd.
_PPROF = """DD_PROFILING_ENABLED=true DD_PROFILING_OUTPUT_PPROF=dd ddtrace-run python -m shop && python -c '
import glob, gzip, zstandard
with open(glob.glob("dd.*.pprof")[0], "rb") as file:
    data = zstandard.ZstdDecompressor().stream_reader(file).read()
open("cpu.gz", "wb").write(gzip.compress(data))'"""
_OUTPUT = re.compile(r"(?:-o|-output|>) (\S+)")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pythons", nargs="+", type=Path, metavar="PYTHON")
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    todo = [
        (python, title, command)
        for python in arguments.pythons
        for title, command in commands(DOCUMENT.read_text())
        if arguments.only in f"{title}: {command}"
    ]
    failed = False
    with ThreadPoolExecutor(4) as pool:
        for (python, title, command), found in zip(todo, pool.map(_run, todo), strict=True):
            failed |= found.startswith("WRONG")
            print(f"{python.parent.parent.name:8} {title:24.24} {found:44} {command}", flush=True)
    return 1 if failed else 0


def commands(text: str) -> list[tuple[str, str]]:
    """Title and command of each row that has one: what begins with the name of a program."""
    rows = re.findall(r"^\| \*\*(.+?) \| .*? \| (.+?) \| [^|]+ \|$", text, re.MULTILINE)
    return [
        (title.replace("**", ""), command)
        for title, cell in rows
        for command in re.findall(r"`([^`]+)`", cell)
        if " " in command and not command.startswith(("GET ", "encode_spans", "dynamic_context", "format:"))
    ]


def _run(job: tuple[Path, str, str]) -> str:
    python, _, command = job
    with tempfile.TemporaryDirectory() as name:
        source, folder = Path(name) / "src", Path(name) / "truth"
        shutil.copytree(DATA / "shop", source)
        (source / "tests" / "test_shop.py").unlink()
        (source / "tests" / "test_models.py").write_text(_TESTS)
        (source / ".coveragerc").write_text(_COVERAGE)
        truth = Truth(folder, source)
        environment = {**os.environ, **truth.environment()}
        environment["PATH"] = f"{python.parent}{os.pathsep}{environment['PATH']}"
        environment["PYTHONPATH"] += os.pathsep + str(source)
        program = None
        if "PID" in command.split():
            program = subprocess.Popen([python, "-m", "shop", _LASTS_S], cwd=source, env=environment)
            time.sleep(1)
            command = command.replace("PID", str(program.pid))
        for needed in (one for part, all in _BEFORE.items() if part in command for one in all):
            subprocess.run(needed, shell=True, cwd=source, env=environment, capture_output=True)
        if _METRICS in command:
            # A port of its own: two environments at once would both ask whichever came first.
            port = _free_port()
            command = command.replace(_METRICS, f"localhost:{port}")
            (source / "counted.py").write_text(_COUNTED.replace("PORT", str(port)))
            program = subprocess.Popen([python, "counted.py"], cwd=source, env=environment, stderr=subprocess.DEVNULL)
            if not _answers(port, program):
                return "not run: autometrics does not start here"
        if command.endswith("pprof URL"):
            command = f"{_PPROF} && {command.replace('URL', 'cpu.gz')}"
        if command.startswith("PYTHONPATH=. "):
            # As printed, with the place of the truth beside it.
            command = command.replace("PYTHONPATH=.", f"PYTHONPATH=.:{folder}", 1)
        done = subprocess.run(command, shell=True, cwd=source, env=environment, capture_output=True, text=True)
        if program is not None:
            program.wait()
        return _said(command, done, source, truth)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _answers(port: int, program: "subprocess.Popen[bytes]") -> bool:
    """Whether a program listens there, in the end; it has ended where it cannot."""
    while program.poll() is None:
        try:
            socket.create_connection(("localhost", port), 1).close()
            return True
        except OSError:
            time.sleep(0.2)
    return False


def _said(command: str, done: "subprocess.CompletedProcess[str]", source: Path, truth: Truth) -> str:
    written = [word for word in _OUTPUT.findall(command) if word != "-"] or [
        name for part, name in _WRITES.items() if part in command
    ]
    paths = [path for name in written for path in sorted(source.glob(name)) if path.stat().st_size]
    if not paths:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["nothing was written"]
        return f"not run: {last[0][:80]}"
    tree = Files({file.relative_to(source).as_posix(): file.read_bytes() for file in source.rglob("*.py")})
    frames, unmatched, wrong = 0, [], []
    for path in paths:
        try:
            checked = truth.check(formats.read(path), tree)
        except GateError as error:
            return f"WRONG: {error.message}"
        frames += checked.frames
        unmatched += checked.unmatched
        wrong += checked.wrong
    if command.startswith("printf"):
        return "read; no program runs that could say what is true"
    for text in (unmatched + wrong)[:5]:
        print(" ", text, file=sys.stderr)
    verdict = "ok" if frames and not unmatched and not wrong else "WRONG"
    return f"{verdict}: {frames} frames, {len(unmatched)} unmatched, {len(wrong)} wrong"


if __name__ == "__main__":
    sys.exit(main())
