"""Listening to ``sys.monitoring``: what ran is told once, and then counted, always or in windows."""

import atexit
import contextlib
import os
import random
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from itertools import repeat
from types import CodeType
from typing import Any

from . import windows as measuring
from .calls import Calls
from .document import Counter, Seen, document, own_file, value, write
from .windows import Windows

PERIOD_S, LONGEST_PERIOD_S = 0.25, 3.0
FLUSH_S = 5.0
# Deciding anew and writing hold the program up: they wait so many times as long as they took.
_SETTLE_WAITS, _FLUSH_WAITS = 3_000, 2_000
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


def _took(work: Callable[[], None]) -> float:
    """The processor seconds of this thread that it takes."""
    began = time.thread_time()
    work()
    return time.thread_time() - began


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
        self.calls = Calls.unlimited() if self.duty >= 1 else Calls()
        self.seen = Seen(self.path, self.calls)
        self.windows = Windows(self.duty)
        self.opened = 0
        self.costs: deque[measuring.Cost] = deque(maxlen=5)
        self.calls.left[id(measuring.TOLD)] = repeat(None)

    # ----------------------------------------------------------------- what the interpreter tells

    def once(self, code: CodeType, offset: int) -> object:
        """A function starts for the first time, and is counted from then on; it is never told again."""
        if self.path(code) is not None:
            self.seen.ran(code)
            if self.counter is not None:
                self.calls.first(id(code))
                _monitoring.set_local_events(self.counter, code, _monitoring.events.PY_START)
        return _monitoring.DISABLE

    def _counting(self) -> Callable[[CodeType, int], object]:
        """What is called for each start of a function that is counted, with all it needs at hand."""
        left, tick, key, otherwise = self.calls.left, next, id, self._uncounted

        def count(code: CodeType, offset: int) -> object:
            try:
                tick(left[key(code)])
            except (KeyError, StopIteration):
                return otherwise(code)
            return None

        return count

    def _uncounted(self, code: CodeType) -> object:
        """A call that is not counted: the first one, one of a hot function, or of what is not the project's."""
        if id(code) in self.calls.left:
            if self.calls.use_up(id(code), self.windows.program_s()):
                _monitoring.set_local_events(self.counter, code, 0)
        elif self.path(code) is None:
            return _monitoring.DISABLE
        else:
            self.seen.ran(code)
            self.calls.first(id(code))
        return None

    def _following(self) -> Callable[[CodeType, int], object]:
        """The same, with who calls: some times as slow, so what is hot is not counted meanwhile, unless all are."""
        count, callers, tick, new, key = self._counting(), self.seen.callers, next, Counter, id
        first, frame_at, left, is_exact = self.seen.first, sys._getframe, self.calls.left, self.duty >= 1

        def follow(code: CodeType, offset: int) -> object:
            if (is_exact or key(code) in left) and count(code, offset) is not None:
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
        if self.counter is not None:
            monitoring.use_tool_id(self.counter, "gate, counting")
        self._listen()
        if self.counter is not None:
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
        if self.counter is not None:
            _monitoring.register_callback(self.counter, events.PY_START, self._counting())
            _monitoring.register_callback(self.counter, events.PY_UNWIND, None)

    def _window(self, period: float) -> None:
        """Count for a while what is hot, too, or in every fourth window see who calls what."""
        self.opened += 1
        events, follows = _monitoring.events, self.opened % _FOLLOWING == 0
        affordable_a_s = measuring.LIGHT / (self._cost().told * (_FOLLOWING_COST if follows else 1))
        hot = self.calls.turn(affordable_a_s, follows=follows)
        self._set(hot, events.PY_START)
        before = self._followed()
        time.sleep(0)  # so that no other thread runs between the next lines, uncounted or untimed
        self.windows.open(self.calls.done(0.0).calls)
        if follows:
            _monitoring.register_callback(self.counter, events.PY_START, self._following())
        else:
            self.calls.open(hot)
            _monitoring.register_callback(self.counter, events.PY_UNWIND, self.fail)
        self.ended.wait(period * self.duty / (_FOLLOWING_COST if follows else 1))
        self._close(hot, before if follows else None)

    def _close(self, hot: list[int], followed: int | None) -> None:
        """Count no longer what is hot; ``followed`` is how many calls had been by then, in a window of callers."""
        add = self.windows.close(self.calls.done(0.0).calls)
        seen = self.calls.close()
        events = _monitoring.events
        _monitoring.register_callback(self.counter, events.PY_START, self._counting())
        _monitoring.register_callback(self.counter, events.PY_UNWIND, None)
        self._set([key for key in hot if key in self.calls.hot], 0)
        self.costs.append(measuring.cost())
        cost = self._cost()
        if followed is not None:
            self.windows.spend((self._followed() - followed) * cost.told * _FOLLOWING_COST)
            return
        self.calls.scale(seen, add(sum(seen.values()), cost), self.windows.program_s())
        if (factor := self.windows.stands_for()) is not None:
            self.seen.fold(factor)

    def _settle(self) -> None:
        """Decide anew what is counted always."""
        cost = self._cost().told
        cooler, hotter = self.calls.settle(self.windows.program_s(), measuring.ALWAYS / cost)
        self._set(cooler, _monitoring.events.PY_START)
        self._set(hotter, 0)

    def _cost(self) -> measuring.Cost:
        """What it takes to count one call, lately: a single measurement may fall into a neighbour's burst."""
        if not self.costs:  # in a fresh process the first is the dearest
            self.costs.extend(measuring.cost() for _ in range(self.costs.maxlen or 1))
        return measuring.Cost(*(sorted(column)[len(column) // 2] for column in zip(*self.costs, strict=True)))

    def _set(self, keys: Iterable[int], events: int) -> None:
        for number, key in enumerate(keys):
            _monitoring.set_local_events(self.counter, self.seen.codes[key], events)
            if number % _AT_ONCE == _AT_ONCE - 1:
                time.sleep(0)

    def _followed(self) -> int:
        return sum(value(counter) for counter in list(self.seen.callers.values()))

    def _run(self) -> None:
        self.thread = threading.Thread(target=self._work, name="gate-sensor", daemon=True)
        self.thread.start()

    def _work(self) -> None:
        """Windows at no fixed distance, so that they do not keep step with what the program does.

        They grow longer: of a short run something is seen, and of a long one fewer calls lie across a window's end.
        """
        period = PERIOD_S
        settle_at, flush_at = 0.0, time.monotonic() + FLUSH_S
        pause = random.uniform(0, period)
        while not self.ended.wait(pause):
            if self.counter is not None:
                if self.windows.is_affordable():
                    self.windows.spend_window(_took(partial(self._window, period)))
                if time.monotonic() >= settle_at:
                    settle_at = time.monotonic() + _SETTLE_WAITS * _took(self._settle)
            if time.monotonic() >= flush_at:
                flush_at = time.monotonic() + max(FLUSH_S, _FLUSH_WAITS * _took(self._flush))
            self.windows.own_s = time.thread_time()
            pause = period * (1 - self.duty) * random.uniform(0.5, 1.5)
            period = min(LONGEST_PERIOD_S, period * 1.2)

    def _flush(self) -> None:
        with contextlib.suppress(Exception):  # the program goes on, whatever becomes of the recording
            self.flush()

    def _forked(self) -> None:
        self.reset()
        self.target = own_file(self.target)
        self.ended = threading.Event()
        self._listen()
        _monitoring.restart_events()  # what ran in the parent did not yet run here
        self._run()

    def stop(self) -> None:
        """Listen no longer, and write."""
        self.ended.set()
        try:
            self.thread.join(_LONGEST_END_S)  # it closes the window that is open
            _monitoring.set_events(self.tool, 0)
            if self.counter is not None:
                _monitoring.set_events(self.counter, 0)
        finally:  # who presses Ctrl-C twice does not lose the end
            self._flush()

    def flush(self) -> None:
        """Write all that is known; a file of nothing, as that of a server's first process, would be no profile."""
        if not self.seen.first and not os.path.exists(self.target):
            return
        write(self.target, document(self.seen, self.windows, os.path.basename(self.target)))
