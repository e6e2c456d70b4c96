"""Running a command with the sensor in it, or under py-spy where its Python is too old for one."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType

import msgspec

from gatecli.errors import EvidenceError, UsageError
from gatecli.runtime import formats, sensor
from gatecli.runtime.profile import Profile, ProfiledFunction, Source, basis_of_sum, decode, encode, interval_of_sum
from gatecli.runtime.recording import Recording

LEAST_VERSION = (3, 12)
_PYSPY_HZ = 100
_TURN_S = 1.0
# It is the first sitecustomize that Python finds; the one that it hides is run behind it.
_LOADER = """
import importlib.machinery, importlib.util, os, sys
here = os.path.dirname(os.path.abspath(__file__))
place = {sensor!r}
spec = importlib.util.spec_from_file_location(
    "_gate_sensor", place, submodule_search_locations=[os.path.dirname(place)]
)
module = sys.modules["_gate_sensor"] = importlib.util.module_from_spec(spec)
try:
    spec.loader.exec_module(module)
    module.start()
except Exception as error:
    sys.stderr.write("gate: not recorded: %s\\n" % error)
sys.path[:] = [path for path in sys.path if os.path.abspath(path) != here]
hidden = importlib.machinery.PathFinder.find_spec("sitecustomize", sys.path)
if hidden is not None and hidden.loader is not None:
    other = sys.modules["sitecustomize"] = importlib.util.module_from_spec(hidden)
    hidden.loader.exec_module(other)
"""


def record(command: Sequence[str], root: Path, duty: float, revision: str | None) -> tuple[int, Recording]:
    """Run a command, and return its exit code with what was recorded of the functions below ``root``.

    Raises:
        UsageError: there is no such command, or nothing can record it.
        EvidenceError: it left no recording.
    """
    program = shutil.which(command[0])
    if program is None:
        raise UsageError(f"there is no command {command[0]!r}", "name what to run behind --, such as python -m shop")
    version = _version(Path(program))
    with tempfile.TemporaryDirectory(prefix="gate-") as folder:
        if version is not None and version < LEAST_VERSION:
            return _under_pyspy(command, Path(program), version, Path(folder))
        return _with_sensor(command, root, duty, revision, Path(folder))


def _version(program: Path) -> tuple[int, int] | None:
    """The version of the Python that runs a program, None where it is not told by its name or first line."""
    interpreter = _interpreter(program)
    if interpreter is None:
        return None
    question = "import sys; print(*sys.version_info[:2])"
    try:
        done = subprocess.run([interpreter, "-c", question], capture_output=True, text=True, timeout=30, check=False)
        major, minor = map(int, done.stdout.split())
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return major, minor


def _interpreter(program: Path) -> str | None:
    if re.fullmatch(r"python[0-9.]*(?:\.exe)?", program.name):
        return str(program)
    with program.open("rb") as file:
        first = file.readline(1_000)
    words = first[2:].decode("utf-8", "replace").split() if first.startswith(b"#!") else []
    if words and words[0].endswith("/env"):
        words = words[1:]
    return words[0] if words and "python" in words[0] else None


def _with_sensor(
    command: Sequence[str], root: Path, duty: float, revision: str | None, folder: Path
) -> tuple[int, Recording]:
    site, found = folder / "site", folder / "found"
    site.mkdir()
    found.mkdir()
    (site / "sitecustomize.py").write_text(_LOADER.format(sensor=sensor.__file__), encoding="utf-8")
    paths = [str(site), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    code = _run(
        command,
        {
            "PYTHONPATH": os.pathsep.join(paths),
            "GATE_RECORD": str(found),
            "GATE_RECORD_ROOTS": str(root),
            "GATE_RECORD_DUTY": str(duty),
            **({"GATE_RECORD_REVISION": revision} if revision else {}),
        },
    )
    profiles = list(_profiles(found))
    if not profiles:
        raise EvidenceError(
            f"{command[0]} left no recording (exit code {code})",
            "the sensor needs Python 3.12 or newer, an environment that is not isolated (-I, -E, -S), "
            "and a program below the repository",
        )
    joined = folder / "joined.json"
    joined.write_bytes(encode(_side_by_side(profiles)))
    return code, formats.read(joined, name_hint=" ".join(command)[:100])


def _profiles(folder: Path) -> Iterator[Profile]:
    for file in sorted(folder.glob("*.json")):
        yield decode(file.read_bytes())


def _side_by_side(profiles: Sequence[Profile]) -> Profile:
    """What several processes did at the same time: calls are added, the time is that of the longest."""
    first = max(profiles, key=lambda profile: profile.meta.window.observed_seconds or 0.0)
    seconds = first.meta.window.observed_seconds or 0.0
    rows: dict[str, ProfiledFunction] = {}
    for row in (row for profile in profiles for row in profile.functions):
        known = rows.get(row.id)
        rows[row.id] = row if known is None else _added(known, row, seconds)
    sources = [source for profile in profiles for source in profile.meta.sources]
    source: Source = msgspec.structs.replace(
        first.meta.sources[0],
        file="gate profile record",
        processes=len(profiles),
        frames_project=len(rows),
        frames_matched=len(rows),
        warnings=tuple(dict.fromkeys(warning for one in sources for warning in one.warnings))[:5],
    )
    return msgspec.structs.replace(
        first,
        meta=msgspec.structs.replace(first.meta, sources=(source,)),
        functions=tuple(rows[id] for id in sorted(rows)),
        edges=tuple(edge for profile in profiles for edge in profile.edges),
    )


def _added(one: ProfiledFunction, other: ProfiledFunction, seconds: float) -> ProfiledFunction:
    calls = None if one.calls is None and other.calls is None else (one.calls or 0) + (other.calls or 0)
    low, high = interval_of_sum([row for row in (one, other) if row.calls is not None])
    errors = None if calls is None else (one.errors or 0) + (other.errors or 0)
    types = {**(one.error_types or {})}
    for kind, count in (other.error_types or {}).items():
        types[kind] = types.get(kind, 0) + count
    return msgspec.structs.replace(
        one,
        calls=calls,
        calls_per_min=round(calls * 60 / seconds, 6) if calls is not None and seconds else None,
        calls_basis=basis_of_sum(one.calls_basis, other.calls_basis),
        calls_low=low,
        calls_high=high,
        errors=errors,
        error_rate=round(min(1.0, errors / calls), 6) if calls and errors is not None else None,
        error_types=types or None,
        first_seen=min(filter(None, (one.first_seen, other.first_seen)), default=None),
    )


def _under_pyspy(
    command: Sequence[str], program: Path, version: tuple[int, int], folder: Path
) -> tuple[int, Recording]:
    beside = program.with_name("py-spy")
    pyspy = str(beside) if beside.exists() else shutil.which("py-spy")
    if pyspy is None:
        raise UsageError(
            f"{command[0]} runs Python {version[0]}.{version[1]}, which has no sys.monitoring (3.12 and newer have)",
            "pip install py-spy, and gate records with it",
        )
    output = folder / "stacks.txt"
    options = ["record", "--subprocesses", "--full-filenames", "-r", str(_PYSPY_HZ), "-f", "raw", "-o", str(output)]
    code = _run([pyspy, *options, "--", *command], {})
    if not output.exists():
        raise EvidenceError(
            f"py-spy left no recording (exit code {code})", "may it trace processes here? see its README on ptrace"
        )
    return code, formats.read(output, name_hint=" ".join(command)[:100])


def _run(command: Sequence[str], environment: dict[str, str]) -> int:
    """Run to the end: Ctrl-C reaches the command by itself, and what it recorded until then counts."""
    running: list[subprocess.Popen[bytes]] = []
    stopped: list[int] = []

    def stop(number: int, _: object) -> None:
        stopped.append(number)
        for process in running:
            process.terminate()

    # Before there is a command: who interrupts may be faster than we get on. A handler that returns, not one that
    # raises, as what Popen.wait was told is lost where that is interrupted; and not SIG_IGN, which a command inherits.
    with _handled(signal.SIGINT, lambda *_: None), _handled(signal.SIGTERM, stop):
        running.append(subprocess.Popen(list(command), env={**os.environ, **environment}))
        if stopped:
            running[0].terminate()
        while True:
            # By turns, as a signal that comes just before a wait without an end is handled only behind it: Python
            # 3.14 looks for signals rarely enough that one in eight was, sent as the command said it was ready.
            with contextlib.suppress(subprocess.TimeoutExpired):
                return running[0].wait(_TURN_S)


@contextlib.contextmanager
def _handled(number: signal.Signals, handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Handle a signal in our own way, unless whoever started us wants it ignored, as ``nohup`` does."""
    before = signal.getsignal(number)
    if before is None or before == signal.SIG_IGN:
        yield
        return
    signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)
