"""Listening to ``sys.monitoring``: what ran is told once, and counted in windows."""

import atexit
import contextlib
import os
import random
import sys
import threading
import time
from collections.abc import Callable
from types import CodeType
from typing import Any

from . import windows as measuring
from .document import Counter, Seen, document, own_file, value, write
from .windows import Windows

PERIOD_S, LONGEST_PERIOD_S = 1.0, 3.0
FLUSH_S = 5.0
# One window in so many shows who calls: it costs four times as much, and is a quarter as long.
_FOLLOWING, _FOLLOWING_COST = 4, 4
_LONGEST_END_S = 2.0
# Functions that are listened to before other threads get their turn.
_AT_ONCE = 64
# Names that mean a folder of other people's code, wherever it lies.
_FOREIGN = frozenset({"site-packages", "dist-packages", ".venv", "venv", "node_modules", ".tox", ".nox"})
_monitoring: Any = getattr(sys, "monitoring", None)  # from Python 3.12 on
_PASSING = (StopIteration, StopAsyncIteration, GeneratorExit)


def is_possible() -> bool:
    """Whether this interpreter can tell what runs."""
    return _monitoring is not None


class Sensor:
    """What one process has seen; ``start`` begins, ``flush`` writes."""

    def __init__(self, target: str, roots: list[str], duty: float) -> None:
        self.target, self.roots, self.duty = target, [os.path.join(root, "") for root in roots], duty
        self.tool: int | None = None
        self.counter: int | None = None
        self.ended = threading.Event()
        self.reset()

    def reset(self) -> None:
        """Begin anew: a forked process has done nothing yet."""
        # By the id of a code object, which is kept alive beside it (``Seen``).
        self.paths: dict[int, tuple[str | None, CodeType]] = {id(measuring.TOLD): (None, measuring.TOLD)}
        self.seen = Seen(self.path)
        self.windows = Windows(self.duty)
        self.opened = 0
        self.listened: list[CodeType] = []  # the functions that are counted in the open window
        self.is_counting = False

    # ----------------------------------------------------------------- what the interpreter tells

    def once(self, code: CodeType, offset: int) -> object:
        """A function starts, outside the windows: never told again until the next one."""
        if self.path(code) is not None:
            self.seen.ran(code)
            if self.is_counting:  # it belongs to the open window from its first call on
                self.listened.append(code)
                self.seen.counters.setdefault(id(code), Counter(1))
                _monitoring.set_local_events(self.counter, code, _monitoring.events.PY_START)
        return _monitoring.DISABLE

    def _counting(self) -> Callable[[CodeType, int], object]:
        """What is called for each start of a function in a window, with all it needs at hand."""
        counters, disable, tick, new, key = self.seen.counters, _monitoring.DISABLE, next, Counter, id

        def count(code: CodeType, offset: int) -> object:
            try:
                tick(counters[key(code)])
            except KeyError:
                if self.path(code) is None:
                    return disable
                self.seen.ran(code)
                tick(counters.setdefault(key(code), new()))
            return None

        return count

    def _following(self) -> Callable[[CodeType, int], object]:
        """The same, with who calls: some times as slow, so not where calls are counted as well, unless all are."""
        count, callers, tick, new, key = self._counting(), self.seen.callers, next, Counter, id
        first, frame_at, is_exact = self.seen.first, sys._getframe, self.duty >= 1

        def follow(code: CodeType, offset: int) -> object:
            if is_exact and count(code, offset) is not None:
                return _monitoring.DISABLE
            above = frame_at(1).f_back
            if above is not None and key(above.f_code) in first and key(code) in first:
                pair = key(above.f_code), key(code)
                try:
                    tick(callers[pair])
                except KeyError:
                    tick(callers.setdefault(pair, new()))
            return None

        return follow

    def fail(self, code: CodeType, offset: int, error: BaseException) -> None:
        """An exception leaves a function, in a window."""
        if self.windows.is_open and self.path(code) is not None and not isinstance(error, _PASSING):
            self.seen.ran(code)
            next(self.seen.errors.setdefault((id(code), type(error).__name__), Counter()))

    def path(self, code: CodeType) -> str | None:
        """The file of a function below a root, None where it is not the project's."""
        try:
            return self.paths[id(code)][0]
        except KeyError:
            found = self._path(code.co_filename)
            self.paths[id(code)] = found, code
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
        self.counter = free[1] if 0 < self.duty < 1 and len(free) > 1 else None
        monitoring.use_tool_id(self.tool, "gate")
        self._listen()
        if self.counter is not None:
            monitoring.use_tool_id(self.counter, "gate, counting")
            monitoring.set_local_events(self.counter, measuring.TOLD, events.PY_START)
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

    def _window(self, period: float) -> None:
        """Count for a while what ran before, or in every fourth window see who calls it."""
        self.opened += 1
        events, follows = _monitoring.events, self.opened % _FOLLOWING == 0
        callback = self._following() if follows else self._counting()
        self.listened = list(self.seen.codes.values())
        self._set(self.listened, events.PY_START)
        before = self._told(follows)
        time.sleep(0)  # so that no other thread runs between the two next lines, uncounted or untimed
        self.windows.open()
        self.is_counting = not follows
        _monitoring.register_callback(self.counter, events.PY_START, callback)
        if not follows:
            _monitoring.register_callback(self.counter, events.PY_UNWIND, self.fail)
        self.ended.wait(period * self.duty / (_FOLLOWING_COST if follows else 1))
        self._close(before, follows)

    def _close(self, before: int, follows: bool) -> None:
        """Count no longer: only what never ran before is told."""
        add = self.windows.close()
        self.is_counting = False
        events = _monitoring.events
        _monitoring.register_callback(self.counter, events.PY_START, None)
        _monitoring.register_callback(self.counter, events.PY_UNWIND, None)
        told, cost = self._told(follows) - before, self._cost_s()
        if follows:
            self.windows.spend(told * cost * _FOLLOWING_COST)
        else:
            add(told, cost)
            if (factor := self.windows.stands_for()) is not None:
                self.seen.fold(factor)
        self._set(self.listened, 0)
        self.listened = []

    def _set(self, codes: list[CodeType], events: int) -> None:
        for number, code in enumerate(codes):
            _monitoring.set_local_events(self.counter, code, events)
            if number % _AT_ONCE == _AT_ONCE - 1:
                time.sleep(0)

    def _cost_s(self) -> float:
        """What it takes to count one call, now: as in a window, but of a function of the sensor's own."""
        tick, counters, new, key = next, {id(measuring.TOLD): Counter()}, Counter, id

        def count(code: CodeType, offset: int) -> object:
            try:
                tick(counters[key(code)])
            except KeyError:
                tick(counters.setdefault(key(code), new()))
            return None

        _monitoring.register_callback(self.counter, _monitoring.events.PY_START, count)
        cost = measuring.cost_s()
        _monitoring.register_callback(self.counter, _monitoring.events.PY_START, None)
        return cost

    def _told(self, follows: bool) -> int:
        counters = list((self.seen.callers if follows else self.seen.counters).values())
        return sum(value(counter) for counter in counters)

    def _run(self) -> None:
        self.thread = threading.Thread(target=self._work, name="gate-sensor", daemon=True)
        self.thread.start()

    def _work(self) -> None:
        """Windows at no fixed distance, so that they do not keep step with what the program does.

        They grow longer: of a short run something is seen, and of a long one fewer calls lie across a window's end.
        """
        period = PERIOD_S
        due = time.monotonic() + FLUSH_S
        pause = random.uniform(0, period)
        while not self.ended.wait(pause):
            if self.counter is not None and self.windows.is_affordable():
                self._window(period)
            if time.monotonic() > due:
                began = time.monotonic()
                with contextlib.suppress(Exception):  # the program goes on, whatever becomes of the recording
                    self.flush()
                took = time.monotonic() - began
                due = time.monotonic() + max(FLUSH_S, 200 * took)  # it holds the program up, so rarely if it is long
            self.windows.own_s = time.thread_time()
            pause = period * (1 - self.duty) * random.uniform(0.5, 1.5)
            period = min(LONGEST_PERIOD_S, period * 1.5)

    def _forked(self) -> None:
        for code in self.listened:
            _monitoring.set_local_events(self.counter, code, 0)
        if self.counter is not None:
            _monitoring.register_callback(self.counter, _monitoring.events.PY_START, None)
            _monitoring.register_callback(self.counter, _monitoring.events.PY_UNWIND, None)
        self.reset()
        self.target = own_file(self.target)
        self.ended = threading.Event()
        self._listen()
        _monitoring.restart_events()  # what ran in the parent did not yet run here
        self._run()

    def stop(self) -> None:
        """Listen no longer, and write."""
        self.ended.set()
        with contextlib.suppress(Exception):
            self.thread.join(_LONGEST_END_S)  # it closes the window that is open
            _monitoring.set_events(self.tool, 0)
            if self.counter is not None:
                _monitoring.set_events(self.counter, 0)
            self.flush()

    def flush(self) -> None:
        """Write all that is known; a file of nothing, as that of a server's first process, would be no profile."""
        if not self.seen.first and not os.path.exists(self.target):
            return
        write(self.target, document(self.seen, self.windows, os.path.basename(self.target)))
