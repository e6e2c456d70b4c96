"""The sensor, in real programs under the Pythons that are here: what it sees is what ran."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gatecli.cli.main import run
from gatecli.errors import GateError
from gatecli.runtime import record, sensor
from gatecli.runtime.profile import Profile, load
from gatecli.runtime.sensor import calls, document, hot, windows

PROGRAM = """
import asyncio, os, sys


class Store:
    def save(self, number):
        if number % 4 == 0:
            raise ValueError(number)

    def never(self):
        pass


def numbers(count):
    yield from range(count)


async def send():
    await asyncio.sleep(0)


def outer():
    def inner():
        pass
    inner()
    return sorted([3, 1], key=lambda n: -n)


def main():
    store = Store()
    for number in numbers(100):
        try:
            store.save(number)
        except ValueError:
            pass
        outer()
    asyncio.run(send())
    sys.exit(7)


if __name__ == "__main__":
    main()
"""


def pythons() -> list[str]:
    """The interpreters that have ``sys.monitoring``: this one, those named in the environment, and those beside it."""
    named = os.environ.get("GATE_PRODUCERS", "").split(os.pathsep)
    beside = sorted(map(str, Path(sys.base_prefix).parent.glob("3.1[2-9]*/bin/python")))
    newest = {".".join(Path(one).parts[-3].split(".")[:2]): one for one in beside}
    found = [*([sys.executable] if sys.version_info >= record.LEAST_VERSION else []), *filter(None, named)]
    return [one for one in found if (record._version(Path(one)) or (0, 0)) >= record.LEAST_VERSION] or [
        *newest.values()
    ]


PYTHONS = pythons()
needs_python = pytest.mark.skipif(not PYTHONS, reason="no Python 3.12 or newer is here")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a program, a library in a virtual environment, and a sitecustomize of its own."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").write_text("")
    (tmp_path / "shop" / "main.py").write_text(PROGRAM)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def recorded(*arguments: str, output: Path) -> tuple[int, Profile]:
    code = run(["profile", "record", "-o", str(output), *arguments])
    return code, load(output)


@needs_python
@pytest.mark.parametrize("python", PYTHONS)
def test_every_call_is_counted_where_that_is_asked_for(
    python: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, profile = recorded("--duty", "1", "--", python, "-m", "shop.main", output=folder / "p.json")
    assert code == 7, "the command's own"
    rows = {row.id: row for row in profile.functions}
    calls = {id.partition("::")[2]: row.calls for id, row in rows.items() if row.kind not in ("module", "class_body")}
    assert calls == {
        "main": 1,
        "numbers": 1,
        "Store.save": 100,
        "outer": 100,
        "outer.inner": 100,
        "send": 1,
    }
    save = rows["shop/main.py::Store.save"]
    assert (save.errors, save.error_rate, save.error_types) == (25, 0.25, {"ValueError": 25})
    assert save.calls_basis == "counted"
    edges = {(edge.caller.partition("::")[2], edge.callee.partition("::")[2]): edge.calls for edge in profile.edges}
    assert edges["main", "Store.save"] == 100
    assert edges["outer", "outer.inner"] == 100
    assert profile.meta.environment == "profile-run"
    out, err = capfd.readouterr()
    assert out == "", "it is the command's"
    assert "gate-sensor" in err


@needs_python
@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("duty", ["0", "0.05"])
def test_what_ran_is_known_even_where_nothing_is_counted(python: str, duty: str, folder: Path) -> None:
    _, profile = recorded("--duty", duty, "--", python, "-m", "shop.main", output=folder / "p.json")
    names = {row.id.partition("::")[2] for row in profile.functions}
    assert {"main", "numbers", "Store.save", "outer", "outer.inner", "send"} <= names
    assert "Store.never" not in names
    if duty == "0":
        assert {row.calls for row in profile.functions} == {None}


@needs_python
def test_forked_processes_and_children_are_added_up(folder: Path) -> None:
    (folder / "forks.py").write_text(
        "import os, subprocess, sys, time\n"
        "def work(): pass\n"
        "def main():\n"
        "    for _ in range(3):\n"
        "        if os.fork() == 0:\n"
        "            work(); sys.exit()\n"
        "        os.wait()\n"
        "    subprocess.run([sys.executable, '-c', 'import forks; forks.work()'])\n"
        "if __name__ == '__main__': main()\n"
    )
    code, profile = recorded("--duty", "1", "--", PYTHONS[0], "forks.py", output=folder / "p.json")
    assert code == 0
    calls = {row.id: row.calls for row in profile.functions}
    assert calls["forks.py::work"] == 4
    assert calls["forks.py::main"] == 1
    assert profile.meta.sources[0].processes == 5


@needs_python
def test_libraries_are_left_out_and_sitecustomize_still_runs(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    library = folder / ".venv" / "lib" / "site-packages"
    library.mkdir(parents=True)
    (library / "theirs.py").write_text("def f(): pass\n")
    (library / "sitecustomize.py").write_text("print('customized')\n")
    (folder / "use.py").write_text("import json, theirs\ndef g():\n    theirs.f(); json.dumps({})\ng()\n")
    monkeypatch.setenv("PYTHONPATH", str(library))
    _, profile = recorded("--", PYTHONS[0], "use.py", output=folder / "p.json")
    assert {row.id for row in profile.functions} == {"use.py::<module>", "use.py::g"}
    assert capfd.readouterr().out == "customized\n"


@needs_python
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_command_still_leaves_a_profile(number: signal.Signals, folder: Path) -> None:
    (folder / "long.py").write_text(
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))\n"
        "def g(): print('ready', flush=True)\n"
        # Not one long sleep: a signal just before it would wait for its end (Python 3.14, with nothing of gate in it).
        "try:\n    g()\n    for _ in range(6_000): time.sleep(0.01)\nexcept KeyboardInterrupt: sys.exit(5)\n"
    )
    command = [
        sys.executable,
        "-c",
        "from gatecli.cli.main import main; main()",
        "profile",
        "record",
        "-o",
        "p.json",
        "--",
        PYTHONS[0],
        "long.py",
    ]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # What runs in the background of a script is started deaf to it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        if number == signal.SIGINT:
            os.killpg(process.pid, number)  # as Ctrl-C does
        else:
            process.send_signal(number)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 5, err
    assert "long.py::g" in {row.id for row in load(folder / "p.json").functions}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interruption_is_taken_wherever_it_comes(
    number: signal.Signals, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the command is begun, and as its end is told: it is waited for, and its exit code is not lost."""
    (folder / "long.py").write_text(
        "import signal, sys, time\nsignal.signal(signal.SIGINT, lambda *_: sys.exit(5))\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))\nprint('ready', flush=True)\n"
        f"for _ in range({6_000 if number == signal.SIGTERM else 50}): time.sleep(0.01)\nsys.exit(5)\n"
    )

    class Begun(subprocess.Popen[bytes]):
        def __init__(self, command: list[str], *, env: dict[str, str]) -> None:
            super().__init__(command, env=env, stdout=subprocess.PIPE)
            assert self.stdout is not None
            with self.stdout:
                self.stdout.readline()
            signal.raise_signal(number)

        def wait(self, timeout: float | None = None) -> int:
            assert timeout is not None, "a signal just before it would be handled only behind it"
            return super().wait(timeout)

        def _try_wait(self, flags: int) -> tuple[int, int]:
            found: tuple[int, int] = super()._try_wait(flags)  # type: ignore[misc]
            if found[0]:  # it ended, and nobody else will be told
                signal.raise_signal(number)
            return found

    before = [signal.signal(one, signal.default_int_handler) for one in (signal.SIGINT, signal.SIGTERM)]
    try:
        monkeypatch.setattr(record.subprocess, "Popen", Begun)
        assert record._run([sys.executable, "long.py"], {}) == 5
        assert signal.getsignal(number) is signal.default_int_handler, "as it was"
    finally:
        for one, handler in zip((signal.SIGINT, signal.SIGTERM), before, strict=True):
            signal.signal(one, handler)


def test_a_command_started_deaf_to_an_interruption_stays_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """As under nohup, or in the background of a script: not even gate's own handling of it changes that."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        record._run([sys.executable, "-c", "import signal; print(signal.getsignal(signal.SIGINT).name)"], {})
    finally:
        signal.signal(signal.SIGINT, before)
    assert capfd.readouterr().out == "SIG_IGN\n"


@needs_python
def test_a_killed_process_leaves_what_it_wrote_last(folder: Path) -> None:
    """As in production: no gate around it, and nobody waits for it to end."""
    (folder / "long.py").write_text("import time\ndef g(): pass\ng()\nprint('ready', flush=True)\ntime.sleep(60)\n")
    starter = (
        f"import importlib.util as u, runpy, sys; s = u.spec_from_file_location('s', {sensor.__file__!r}, "
        f"submodule_search_locations=[{str(Path(sensor.__file__).parent)!r}]); "
        "sys.modules['s'] = m = u.module_from_spec(s); s.loader.exec_module(m); m.listening.FLUSH_S = 0.1; m.start(); "
        "runpy.run_path('long.py', run_name='__main__')"
    )
    environment = {**os.environ, "GATE_RECORD": str(folder / "out.json")}
    with subprocess.Popen([PYTHONS[0], "-c", starter], env=environment, stdout=subprocess.PIPE) as process:
        for _ in range(200):
            if (folder / "out.json").exists():
                break
            time.sleep(0.05)
        process.kill()
    assert "long.py::g" in {row.id for row in load(folder / "out.json").functions}
    assert [file.name for file in folder.iterdir() if file.name.startswith(".out")] == []


def test_an_older_python_is_sampled_by_pyspy(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "_version", lambda program: (3, 11))
    monkeypatch.setattr(record.shutil, "which", lambda name: None if name == "py-spy" else f"/usr/bin/{name}")
    with pytest.raises(GateError, match=r"runs Python 3\.11, which has no sys\.monitoring") as error:
        record.record(["python"], folder, 0.05, None)
    assert "pip install py-spy" in error.value.hint


def test_wrong_commands(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["profile", "record", "--", "no-such-command"]) == 2
    assert "there is no command 'no-such-command'" in capsys.readouterr().err
    assert run(["profile", "record", "--", "true"]) == 4
    assert "true left no recording (exit code 0)" in capsys.readouterr().err
    assert not (folder / ".gate").exists()


@pytest.mark.parametrize(
    ("name", "first", "expected"),
    [
        ("python3.12", "", "python3.12"),
        ("gunicorn", "#!/venv/bin/python3\n", "/venv/bin/python3"),
        ("flask", "#!/usr/bin/env python3\n", "python3"),
        ("script", "#!/bin/sh\n", None),
        ("binary", "\x7fELF", None),
    ],
)
def test_which_python_runs_a_command(name: str, first: str, expected: str | None, tmp_path: Path) -> None:
    (tmp_path / name).write_text(first)
    found = record._interpreter(tmp_path / name)
    assert found is None if expected is None else found is not None and found.endswith(expected)


def test_the_sensor_needs_nothing_of_gate() -> None:
    for file in Path(sensor.__file__).parent.glob("*.py"):
        assert not re.search(r"^\s*(?:from|import) gatecli", file.read_text(), re.M)


def test_the_sensor_is_quiet_where_it_cannot_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GATE_RECORD", raising=False)
    assert sensor.start() is None


@needs_python
def test_a_process_that_runs_nothing_of_the_project_leaves_no_file(folder: Path) -> None:
    """As the first process of gunicorn: a file without a function is no profile, and its import would fail."""
    (folder / "server.py").write_text(
        "import os\nif os.fork() == 0:\n    import shop.main as m\n    m.outer()\nelse:\n    os.wait()\n"
    )
    site = folder / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(record._LOADER.format(sensor=sensor.__file__))
    (folder / "found").mkdir()
    environment = {
        "PYTHONPATH": os.pathsep.join([str(site), str(folder)]),
        "GATE_RECORD": str(folder / "found"),
        "GATE_RECORD_ROOTS": str(folder / "shop"),
    }
    subprocess.run([PYTHONS[0], "server.py"], env={**os.environ, **environment}, check=True, timeout=60)
    [file] = (folder / "found").iterdir()
    assert {row.id.partition("::")[2] for row in load(file).functions} >= {"outer", "outer.inner"}


def test_a_counter_tells_its_value() -> None:
    counter = document.Counter()
    assert [document.value(counter), *(next(counter) for _ in range(3)), document.value(counter)] == [0, 0, 1, 2, 3]


def take(counted: calls.Calls, key: int, times: int, now_s: float = 0.0) -> None:
    """Call a function so often, as the sensor hears of it."""
    for _ in range(times):
        try:
            next(counted.left[key])
        except KeyError:
            counted.first(key)
        except StopIteration:
            counted.use_up(key, now_s)


def test_what_is_called_rarely_is_counted_exactly_and_what_is_not_by_windows() -> None:
    counted = calls.Calls()
    take(counted, 1, 30)
    take(counted, 2, calls.ALLOWANCE)
    assert counted.total(1.0) == {1: 30, 2: calls.ALLOWANCE}
    take(counted, 2, 1, now_s=1.0)
    assert (counted.bounds(1.0).keys(), counted.total(1.0)[2]) == ({2}, calls.ALLOWANCE + 1)
    counted.open([2])
    take(counted, 2, 500)
    counted.scale(counted.close(), hot.Counted(0.1, 0.01, 0.0, 0.0), now_s=3.0)  # 5,000 a second, for two seconds
    take(counted, 1, 30)
    assert counted.total(3.0) == {1: 60, 2: calls.ALLOWANCE + 1 + 10_000}
    assert counted.bounds(3.0) == {2: (calls.ALLOWANCE + 1 + 500, None)}, "one window says nothing of the others"


def test_how_well_calls_are_known_follows_from_how_windows_differ_and_what_counting_took() -> None:
    def bounds(*windows: tuple[int, hot.Counted], begun: float = 0.1) -> tuple[float, float | None]:
        counted = calls.Calls()
        take(counted, 1, calls.ALLOWANCE + 1)
        for number, (seen, window) in enumerate(windows):
            counted.scale({1: seen}, window, now_s=number + begun)
        low, high = counted.bounds(len(windows) + begun)[1]
        whole = counted.total(len(windows) + begun)[1] - calls.ALLOWANCE - 1
        return 1 - (low - calls.ALLOWANCE - 1) / whole, (high - calls.ALLOWANCE - 1) / whole - 1 if high else None

    free = hot.Counted(0.1, 0.0, 0.0, 0.0)
    # A switch interval of 5 ms, of 100 ms in each window.
    assert bounds(*[(1_000, free)] * 4) == pytest.approx((0.05, 0.05), abs=1e-6)
    # Of 5.1 seconds 1 had been over when the first window opened.
    assert bounds(*[(1_000, free)] * 4, begun=1.1) == pytest.approx((0.2024, 0.2024), abs=0.001)
    # Deviations of 100 from a mean of 1,000 in four windows: 3.18 * sqrt(4 * 100² * 4 / 3) / 4,000.
    assert bounds((900, free), (1_100, free), (900, free), (1_100, free)) == pytest.approx((0.1903, 0.1903), abs=0.001)
    # Counting took a tenth of the rest: 0.4 of it less or 0.75 more.
    assert bounds(*[(1_000, hot.Counted(0.1, 0.01, 0.0, 0.0))] * 4) == pytest.approx((0.0631, 0.0953), abs=0.001)
    # It took four times the rest, which is at least eight tenths of what calls that do nothing take.
    assert bounds(*[(1_000, hot.Counted(0.1, 0.4, 0.1, 0.0))] * 4) == pytest.approx((0.6174, 0.255), abs=0.001)


def test_calls_are_scaled_by_those_of_other_functions_where_these_keep_step_with_them() -> None:
    """Of a window's processor time so much is a neighbour's that nothing follows from it; calls do not mind."""
    one = hot.Hot()
    one.begin(1.0, hot.Done(0.0, 0))
    one.add(1_000, hot.Counted(0.02, 0.0, 0.0, 500), hot.Done(0.02, 500))
    for number in range(2, 5):
        one.add(1_000, hot.Counted((0.1, 0.02)[number % 2], 0.0, 0.0, 500), hot.Done(2.0 * number, 50_000 * number))
    # The edges of four windows of 0.24 s in all may be off by 0.02 s.
    assert one.total(hot.Done(8.0, 200_000)) == pytest.approx((400_000, 366_667, 433_333), abs=1)
    loose = hot.Hot()
    loose.begin(1.0, hot.Done(0.0, 0))
    for number in range(1, 5):
        loose.add(1_000, hot.Counted(0.1, 0.0, 0.0, (500, 5)[number % 2]), hot.Done(2.0 * number, 50_000 * number))
    assert loose.total(hot.Done(8.0, 200_000))[0] == pytest.approx(80_000), "by processor time"


def test_hot_functions_take_turns_in_windows_that_stay_light() -> None:
    counted = calls.Calls()
    for key, rate in ((1, 600.0), (2, 500.0), (3, 300.0), (4, 5_000.0)):
        counted.hot[key] = hot.Hot()
        counted.hot[key].begin(rate, hot.Done(0.0, 0))
    turns = []
    for _ in range(6):
        turns.append(counted.turn(1_000.0, follows=False))
        for key in turns[-1]:
            counted.hot[key].add(0, hot.Counted(0.0, 0.0, 0.0, 0.0), hot.Done(0.0, 0))
    assert turns == [[1, 2, 3, 4], [1, 3], [2, 3], [4], [1, 3], [2, 3]], "at first all, as nothing is known of them"
    for one in counted.hot.values():
        one.followed = 1
    assert counted.turn(100.0, follows=True) == [1], "one at least"
    assert counted.turn(100.0, follows=True) == [2]


def test_a_round_decides_what_is_affordable_the_rarest_first() -> None:
    counted = calls.Calls()
    for key, times in ((1, 10), (2, 100), (3, 1_000)):
        take(counted, key, times)
    assert counted.settle(1.0, 500.0) == ([], [3])
    assert counted.bounds(1.0).keys() == {3}
    take(counted, 1, 5)
    cooler, hotter = counted.settle(2.0, 5_000.0)
    assert (cooler, hotter) == ([3], []), "there is room for it now"
    assert counted.total(2.0) == {1: 15, 2: 100, 3: 2_000}, "while it was hot it went on as before"


@needs_python
@pytest.mark.parametrize("python", PYTHONS)
def test_every_call_of_what_is_not_hot_is_counted(python: str, folder: Path) -> None:
    (folder / "busy.py").write_text(
        "import threading\ndef hot(): pass\ndef rare():\n    for _ in range(5_000): hot()\n"
        "def work():\n    for _ in range(40): rare()\n"
        "threads = [threading.Thread(target=work) for _ in range(3)]\n"
        "for thread in threads: thread.start()\nfor thread in threads: thread.join()\n"
    )
    _, profile = recorded("--", python, "busy.py", output=folder / "p.json")
    rows = {row.id.partition("::")[2]: row for row in profile.functions}
    assert (rows["work"].calls, rows["rare"].calls, rows["rare"].calls_basis) == (3, 120, "counted")
    busy = rows["hot"]
    assert (busy.calls_basis, rows["rare"].calls_low) == ("counted_scaled", None)
    assert busy.calls is not None
    assert busy.calls_low is not None
    assert busy.calls_low <= busy.calls
    assert busy.calls_high is None or busy.calls_high >= busy.calls


def measured(*cpu_s: float, whole_cpu_s: float, duty: float = 0.05) -> windows.Windows:
    """Windows of so much processor time, of a program that used ``whole_cpu_s``."""
    found = windows.Windows(duty)
    found._began_cpu = time.process_time() - whole_cpu_s
    found._cpu_s = found.counted_s = sum(cpu_s)
    return found


def test_errors_are_scaled_by_processor_time() -> None:
    assert measured(*[0.1] * 5, whole_cpu_s=10.0).scale() == pytest.approx(20, rel=0.02)
    assert measured(whole_cpu_s=1.0).scale() is None


def test_counting_stops_where_it_would_cost_too_much() -> None:
    found = measured(whole_cpu_s=100.0)
    assert found.is_affordable()
    found.spend(2 * windows.BUDGET * 100.0)
    assert not found.is_affordable()
    asked_for = measured(whole_cpu_s=100.0, duty=0.5)
    asked_for.spend(50.0)
    assert asked_for.is_affordable(), "who asks for more gets it"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name here")
def test_what_is_no_file_is_written_to_and_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        sensor.Sensor(str(pipe), [str(tmp_path)], 0.0).flush()
        assert json.loads(os.read(reader, 65_536))["schema"] == "gate.runtime-profile/1"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode), "a device such as /dev/null would be gone"
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]
