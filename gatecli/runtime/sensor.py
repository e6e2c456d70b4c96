"""The sensor that runs inside the recorded program: which project functions ever ran, and roughly how often.

It stands alone: nothing but the standard library, as it is loaded into interpreters that have no gate. On Python 3.12
and newer it listens to ``sys.monitoring`` (https://peps.python.org/pep-0669/): that a function starts is told once, and
then the interpreter forgets to tell, so "ever ran" costs nothing; calls, callers and errors are counted in short
windows (``GATE_RECORD_DUTY``, by default a twentieth of the time), in the project's own functions alone, and scaled up
by the processor time that the program used in all and in the windows. What it finds is written every few seconds and at
the end, whole or not at all, as a profile that ``gate profile import`` reads.

- ``GATE_RECORD``: the file to write; a folder gets a file a process. Without it nothing happens.
- ``GATE_RECORD_ROOTS``: folders of the project, separated as in ``PATH``; default: the working directory.
- ``GATE_RECORD_DUTY``: the part of the time in which calls are counted, 0..1.
"""

import atexit
import contextlib
import itertools
import json
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from types import CodeType
from typing import Any

PERIOD_S, LONGEST_PERIOD_S = 1.0, 3.0
FLUSH_S = 5.0
DUTY = 0.05
_CALLS = 1_000
# Less processor time than this says nothing of how much was done; then the clock has to.
_LEAST_CPU_S = 0.01
# Names that mean a folder of other people's code, wherever it lies.
_FOREIGN = frozenset({"site-packages", "dist-packages", ".venv", "venv", "node_modules", ".tox", ".nox"})
_monitoring: Any = getattr(sys, "monitoring", None)  # from Python 3.12 on
_PASSING = (StopIteration, StopAsyncIteration, GeneratorExit)
_OPTIMIZED, _GENERATOR, _COROUTINE, _ASYNC_GENERATOR = 0x1, 0x20, 0x80, 0x200


class Sensor:
    """What one process has seen; ``start`` begins, ``flush`` writes."""

    def __init__(self, target: str, roots: list[str], duty: float) -> None:
        self.target, self.roots, self.duty = target, [os.path.join(root, "") for root in roots], duty
        self.ended = threading.Event()
        self.reset()

    def reset(self) -> None:
        """Begin anew: a forked process has done nothing yet."""
        # The path of a function's file below a root, None where it is other people's code.
        self.paths: dict[CodeType, str | None] = {}
        self.first: dict[CodeType, float] = {}
        # A counter is counted on in one step, whatever other threads do.
        self.counters: dict[CodeType, itertools.count[int]] = {}
        self.callers: dict[tuple[CodeType, CodeType], itertools.count[int]] = {}
        self.errors: dict[tuple[CodeType, str], itertools.count[int]] = {}
        # What passed in the windows in which calls were counted: seconds, and processor seconds of the program.
        self.counted_s = self.counted_cpu = 0.0
        self.opened_at: float | None = None
        self.opened_cpu, self.told, self.opened = 0.0, 0, 0
        self.listened: list[CodeType] = []  # the functions that are counted in the open window
        self.began, self.began_at = time.monotonic(), time.time()
        self.began_cpu, self.own_cpu = time.process_time(), 0.0

    # ----------------------------------------------------------------- what the interpreter tells

    def once(self, code: CodeType, offset: int) -> object:
        """A function starts, outside the windows: never told again until the next one."""
        if code not in self.first and self.path(code) is not None:
            self.first[code] = time.time()
        return _monitoring.DISABLE

    def _counting(self) -> Callable[[CodeType, int], object]:
        """What is called for each start of a function in a window, with all it needs at hand."""
        counters, disable, tick, new = self.counters, _monitoring.DISABLE, next, itertools.count

        def count(code: CodeType, offset: int) -> object:
            try:
                tick(counters[code])
            except KeyError:
                if self.path(code) is None:
                    return disable
                self.first.setdefault(code, time.time())
                tick(counters.setdefault(code, new()))
            return None

        return count

    def _following(self) -> Callable[[CodeType, int], object]:
        """The same, with who calls: four times as slow, so not where calls are counted as well, unless all are."""
        count, callers, tick, new = self._counting(), self.callers, next, itertools.count
        counters, frame_at, is_exact = self.counters, sys._getframe, self.duty >= 1

        def follow(code: CodeType, offset: int) -> object:
            if is_exact and count(code, offset) is not None:
                return _monitoring.DISABLE
            if code not in counters and self.path(code) is None:
                return _monitoring.DISABLE
            above = frame_at(1).f_back
            if above is not None and self.path(above.f_code) is not None:
                pair = above.f_code, code
                try:
                    tick(callers[pair])
                except KeyError:
                    tick(callers.setdefault(pair, new()))
            return None

        return follow

    def fail(self, code: CodeType, offset: int, error: BaseException) -> None:
        """An exception leaves a function, in a window."""
        if self.opened_at is not None and self.path(code) is not None and not isinstance(error, _PASSING):
            next(self.errors.setdefault((code, type(error).__name__), itertools.count()))

    def path(self, code: CodeType) -> str | None:
        """The file of a function below a root, None where it is not the project's."""
        try:
            return self.paths[code]
        except KeyError:
            found = self.paths[code] = self._path(code.co_filename)
            return found

    def _path(self, file: str) -> str | None:
        if file.startswith("<"):
            return None
        file = os.path.abspath(file)
        for root in self.roots:
            if file.startswith(root):
                path = file[len(root) :].replace(os.sep, "/")
                return None if _FOREIGN.intersection(path.split("/")) else path
        return None

    # ----------------------------------------------------------------- when it listens

    def start(self) -> bool:
        """Listen, from now until the process ends; the tool ids of debuggers, coverage and profilers stay free."""
        monitoring, events = _monitoring, _monitoring.events
        free = [tool for tool in (4, 3) if monitoring.get_tool(tool) is None]
        if not free:
            return False
        self.tool = free[0]
        self.counter: int | None = free[1] if 0 < self.duty < 1 and len(free) > 1 else None
        monitoring.use_tool_id(self.tool, "gate")
        self._listen()
        if self.counter is not None:
            monitoring.use_tool_id(self.counter, "gate, counting")
            self.cost_s = self._calibrated(self.counter)
            # Asked for once and for all: to turn an event of the whole interpreter on costs every function something.
            monitoring.set_events(self.counter, events.PY_UNWIND)
        monitoring.set_events(self.tool, events.PY_START | (events.PY_UNWIND if self.duty >= 1 else 0))
        self._run()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forked)
        atexit.register(self.stop)
        return True

    def _listen(self) -> None:
        """Be told of what runs: once of each function, or of every start."""
        events, is_exact = _monitoring.events, self.duty >= 1
        _monitoring.register_callback(self.tool, events.PY_START, self._following() if is_exact else self.once)
        _monitoring.register_callback(self.tool, events.PY_UNWIND, self.fail if is_exact else None)
        if is_exact:
            self.opened_at = self.began

    def _calibrated(self, tool: int) -> float:
        """Seconds that it takes to tell of one start and to count it."""

        def nothing() -> None:
            pass

        def seconds() -> float:
            began = time.perf_counter()
            for _ in range(_CALLS):
                nothing()
            return time.perf_counter() - began

        code, start = nothing.__code__, _monitoring.events.PY_START
        plain = min(seconds() for _ in range(5))
        self.paths[code] = ""
        _monitoring.register_callback(tool, start, self._counting())
        _monitoring.set_local_events(tool, code, start)
        told = min(seconds() for _ in range(5))
        _monitoring.set_local_events(tool, code, 0)
        self.reset()
        return max(0.0, told - plain) / _CALLS

    def _open(self) -> None:
        """Begin to count what ran before, or in every fourth window to see who calls it."""
        self.opened += 1
        follows = self.opened % 4 == 0
        events = _monitoring.events
        callback = self._following() if follows else self._counting()
        self.listened = list(self.first)
        for code in self.listened:
            _monitoring.set_local_events(self.counter, code, events.PY_START)
        self.told = self._told()
        time.sleep(0)  # so that no other thread runs between the two next lines, uncounted or untimed
        now, cpu = time.monotonic(), time.process_time()
        _monitoring.register_callback(self.counter, events.PY_START, callback)
        if not follows:
            self.opened_at, self.opened_cpu = now, cpu
            _monitoring.register_callback(self.counter, events.PY_UNWIND, self.fail)

    def _close(self) -> None:
        """Count no longer: only what never ran before is told."""
        now, cpu = time.monotonic(), time.process_time()
        events = _monitoring.events
        _monitoring.register_callback(self.counter, events.PY_START, None)
        _monitoring.register_callback(self.counter, events.PY_UNWIND, None)
        seconds, cpu = self._window(now, cpu)
        self.opened_at = None
        self.counted_s += seconds
        self.counted_cpu += cpu
        for code in self.listened:
            _monitoring.set_local_events(self.counter, code, 0)
        self.listened = []

    def _window(self, now: float, cpu: float) -> tuple[float, float]:
        """How long the open window is, and the processor seconds of the program in it: less what counting took."""
        if self.opened_at is None:
            return 0.0, 0.0
        told = (self._told() - self.told) * self.cost_s if self.counter is not None else 0.0
        used = cpu - self.opened_cpu
        return now - self.opened_at, max(used / 4, used - told)

    def _scale(self) -> float | None:
        """How many calls one that was counted stands for; None where none was.

        How much a program does shows in its processor time better than on the clock: it is what calls take, windows
        in which it waits count for little, and what counting or a busy machine takes from it makes no difference.
        """
        if self.duty >= 1:
            return 1.0
        seconds, cpu = self._window(time.monotonic(), time.process_time())
        seconds, cpu = seconds + self.counted_s, cpu + self.counted_cpu
        if not seconds:
            return None
        whole_cpu = time.process_time() - self.began_cpu - self.own_cpu
        if cpu >= _LEAST_CPU_S:
            return max(1.0, whole_cpu / cpu)
        return max(1.0, (time.monotonic() - self.began) / seconds)

    def _told(self) -> int:
        return sum(_value(counter) for counter in list(self.counters.values()))

    def _run(self) -> None:
        threading.Thread(target=self._work, name="gate-sensor", daemon=True).start()

    def _work(self) -> None:
        """Windows at no fixed distance, so that they do not keep step with what the program does.

        They grow longer: of a short run something is seen, and of a long one fewer calls lie across a window's end.
        """
        period = PERIOD_S
        due = time.monotonic() + FLUSH_S
        pause = random.uniform(0, period)
        while not self.ended.wait(pause):
            if self.counter is not None:
                self._open()
                self.ended.wait(period * self.duty)
                self._close()
            if time.monotonic() > due:
                began = time.monotonic()
                with contextlib.suppress(Exception):  # the program goes on, whatever becomes of the recording
                    self.flush()
                took = time.monotonic() - began
                due = time.monotonic() + max(FLUSH_S, 200 * took)  # it holds the program up, so rarely if it is long
            self.own_cpu = time.thread_time()
            pause = period * (1 - self.duty) * random.uniform(0.5, 1.5)
            period = min(LONGEST_PERIOD_S, period * 1.5)

    def _forked(self) -> None:
        for code in self.listened:
            _monitoring.set_local_events(self.counter, code, 0)
        self.reset()
        self.target = _own(self.target)
        self.ended = threading.Event()
        self._listen()
        _monitoring.restart_events()  # what ran in the parent did not yet run here
        self._run()

    def stop(self) -> None:
        """Listen no longer, and write."""
        self.ended.set()
        with contextlib.suppress(Exception):
            _monitoring.set_events(self.tool, 0)
            if self.counter is not None:
                self._close()
                _monitoring.set_events(self.counter, 0)
            self.flush()

    # ----------------------------------------------------------------- what is written

    def flush(self) -> None:
        """Write all that is known, to a temporary file that takes the place of the last one.

        What is no regular file, as a device or a pipe, is written to: nothing takes its place.
        """
        content = json.dumps(self.profile(), separators=(",", ":")).encode()
        if os.path.exists(self.target) and not os.path.isfile(self.target):
            with os.fdopen(os.open(self.target, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0)), "wb") as file:
                file.write(content)
            return
        folder, name = os.path.split(os.path.abspath(self.target))
        os.makedirs(folder, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.chmod(temporary, 0o644)
            os.replace(temporary, self.target)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise

    def profile(self) -> dict[str, Any]:
        """A document of gate's schema."""
        now = time.monotonic()
        elapsed = max(now - self.began, 1e-9)
        counted = self.counted_s + self._window(now, 0.0)[0]
        scale = self._scale()
        exact = self.duty >= 1
        calls: dict[str, int] = {}
        errors: dict[str, dict[str, int]] = {}
        callers: dict[tuple[str, str], int] = {}
        for code, counter in list(self.counters.items()):
            if _is_part(code):
                continue
            calls[self.id(code)] = calls.get(self.id(code), 0) + _value(counter)
        for (code, kind), counter in list(self.errors.items()):
            types = errors.setdefault(self.id(code), {})
            types[kind] = types.get(kind, 0) + _value(counter)
        for (caller, callee), counter in list(self.callers.items()):
            key = self.id(caller), self.id(callee)
            callers[key] = callers.get(key, 0) + _value(counter)
        followed: dict[str, int] = {}
        for (_, called), times in callers.items():
            followed[called] = followed.get(called, 0) + times
        rows: dict[str, dict[str, Any]] = {}
        for code, first in list(self.first.items()):
            if _is_part(code):
                continue
            id = self.id(code)
            times = calls.get(id, 0)
            types = {kind: round(count * (scale or 1)) for kind, count in errors.get(id, {}).items()} if times else {}
            rows[id] = {
                "id": id,
                "kind": _kind(code),
                "first_line": code.co_firstlineno,
                "calls": round(times * (scale or 1)) if times else None,
                "calls_per_min": round(times * (scale or 1) * 60 / elapsed, 6) if times else None,
                "calls_basis": ("counted" if exact else "counted_scaled") if times else None,
                "errors": sum(types.values()) if times else None,
                "error_rate": round(min(1.0, sum(errors.get(id, {}).values()) / times), 6) if times else None,
                "error_types": types or None,
                "first_seen": _moment(min(first, _epoch(rows.get(id, {}).get("first_seen")) or first)),
                "match": "qualname",
                "sources": [0],
            }
        return {
            "schema": "gate.runtime-profile/1",
            "meta": {
                "window": {
                    "start": _moment(self.began_at),
                    "end": _moment(time.time()),
                    "observed_seconds": round(elapsed, 3),
                },
                "revision": os.environ.get("GATE_RECORD_REVISION") or None,
                "revision_source": "flag" if os.environ.get("GATE_RECORD_REVISION") else None,
                "generator": "gate sensor",
                "sources": [
                    {
                        "kind": "gate-sensor",
                        "file": os.path.basename(self.target),
                        "sha256": f"{os.getpid():x}-{time.time_ns():x}",
                        "basis": "counted",
                        "clock": "wall",
                        "processes": 1,
                        "python": ".".join(map(str, sys.version_info[:3])),
                        "frames_project": len(rows),
                        "frames_matched": len(rows),
                        "warnings": []
                        if exact
                        else [f"calls were counted for {counted:.1f} of {elapsed:.1f} s and scaled up"],
                    }
                ],
            },
            "functions": [rows[id] for id in sorted(rows)],
            "edges": [
                {
                    "caller": caller,
                    "callee": callee,
                    "calls": max(1, round((rows[callee]["calls"] or 0) * times / followed[callee])),
                    "basis": "counted",
                }
                for (caller, callee), times in sorted(callers.items())
                if caller in rows and callee in rows and caller != callee
            ],
        }

    def id(self, code: CodeType) -> str:
        """``path::qualname`` of a function; a lambda or comprehension is of the function around it."""
        parts = [part for part in code.co_qualname.replace(".<locals>", "").split(".") if not part.startswith("<")]
        return f"{self.path(code)}::{'.'.join(parts) or '<module>'}"


def _value(counter: "itertools.count[int]") -> int:
    """How often a counter was asked."""
    return int(counter.__reduce__()[1][0])


def _is_part(code: CodeType) -> bool:
    """Whether it is a lambda or comprehension: its calls are not those of the function around it."""
    return code.co_name.startswith("<") and code.co_name != "<module>"


def _kind(code: CodeType) -> str:
    flags = code.co_flags
    if code.co_name == "<module>":
        return "module"
    if not flags & _OPTIMIZED:
        return "class_body"
    if flags & _ASYNC_GENERATOR:
        return "async_generator"
    if flags & _COROUTINE:
        return "async"
    return "generator" if flags & _GENERATOR else "function"


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _epoch(moment: str | None) -> float | None:
    import calendar

    return calendar.timegm(time.strptime(moment, "%Y-%m-%dT%H:%M:%SZ")) if moment else None


def _own(target: str) -> str:
    """Another file for another process."""
    folder, name = os.path.split(target)
    stem, dot, suffix = name.partition(".")
    return os.path.join(folder, f"{stem.rpartition('-')[0] or stem}-{os.getpid()}{dot}{suffix}")


def start() -> Sensor | None:
    """Begin, where ``GATE_RECORD`` says so and the interpreter can; never a reason for the program not to run."""
    target = os.environ.get("GATE_RECORD", "")
    if not target or _monitoring is None:
        return None
    try:
        if os.path.isdir(target) or target.endswith(("/", os.sep)):
            target = os.path.join(target, f"gate-{os.getpid()}.json")
        elif os.environ.get("GATE_RECORD_PROCESS"):
            target = _own(target)
        os.environ["GATE_RECORD_PROCESS"] = str(os.getpid())
        roots = os.environ.get("GATE_RECORD_ROOTS") or os.getcwd()
        duty = float(os.environ.get("GATE_RECORD_DUTY") or DUTY)
        sensor = Sensor(target, [os.path.abspath(root) for root in roots.split(os.pathsep) if root], duty)
        return sensor if sensor.start() else None
    except Exception as error:
        sys.stderr.write(f"gate: not recorded: {type(error).__name__}: {error}\n")
        return None
