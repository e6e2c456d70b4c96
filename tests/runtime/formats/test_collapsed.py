"""Folded stacks of py-spy, austin and Python 3.15."""

import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecli.errors import EvidenceError, GateError, UsageError
from gatecli.runtime.formats import collapsed, stack_table
from gatecli.runtime.recording import Basis, Frame, Recording, Stack
from tests.runtime.support import recording


def parse(text: str | bytes) -> Recording:
    return collapsed.read(io.BytesIO(text if isinstance(text, bytes) else text.encode()))


def test_an_empty_stack_may_come_first() -> None:
    """py-spy writes its stacks in any order, and a sample of an empty one as a weight alone."""
    stack = b"<module> (a.py:1);f (a.py:2) 3\n"
    assert collapsed.matches(b" 2\n" + stack)
    assert not collapsed.matches(b" 2\nshopping list 3\n")
    assert parse(b" 2\n" + stack).samples == parse(stack + b" 2\n").samples == 5


def test_pyspy() -> None:
    text = (
        "<module> (shop/__main__.py:34);main (shop/__main__.py:25);Order.of (shop/models.py:33) 12\n"
        "<module> (shop/__main__.py:34);main (shop/__main__.py:25) 3\n"
        " 2\n"  # a thread without Python frames
        "work.<locals>.<lambda> (/srv/my app (old)/x.py:7) 1\n"
    )
    assert parse(text) == Recording(
        kind="pyspy-raw",
        basis=Basis.SAMPLED,
        frames=(
            Frame(file="shop/__main__.py", name="<module>", line=34),
            Frame(file="shop/__main__.py", name="main", line=25),
            Frame(file="shop/models.py", name="Order.of", line=33),
            Frame(file="/srv/my app (old)/x.py", name="work.<locals>.<lambda>", line=7),
        ),
        stacks=(
            Stack(frames=(0, 1, 2), weight=12, samples=12),
            Stack(frames=(0, 1), weight=3, samples=3),
            Stack(frames=(), weight=2, samples=2),
            Stack(frames=(3,), weight=1, samples=1),
        ),
        samples=18,
    )


def test_pyspy_with_threads_windows_paths_and_native_frames() -> None:
    labels = 'process 7:"python -m shop";thread (10415): MainThread'
    found = parse(
        f"{labels};main (C:\\app\\shop\\x.py:3);PyEval (libpython3.12.so) 4\n{labels};main (C:\\app\\shop\\x.py:4) 1\n"
    )
    assert found.frames == (
        Frame(file="C:\\app\\shop\\x.py", name="main", line=3),
        Frame(file="libpython3.12.so", name="PyEval"),
        Frame(file="C:\\app\\shop\\x.py", name="main", line=4),
    )
    assert found.stacks == (Stack(frames=(0, 1), weight=4, samples=4), Stack(frames=(2,), weight=1, samples=1))


@pytest.mark.parametrize(
    ("name", "is_function_mode"),
    [
        ("pyspy.raw.txt", False),
        ("pyspy-3.8.raw.txt", False),
        ("pyspy.function.raw.txt", True),
        ("pyspy-3.10.function.threads.raw.txt", True),
    ],
)
def test_function_mode_is_told_from_executing_lines(name: str, is_function_mode: bool) -> None:
    frames = [frame for frame in recording(name).frames if "shop/" in (frame.file or "")]
    assert {frame.first_line is not None for frame in frames} == {is_function_mode}
    assert {frame.line is not None for frame in frames} == {not is_function_mode}


def test_austin() -> None:
    text = (
        "# austin: 3.7.0\n# interval: 10000\n# mode: cpu\n\n"
        "P12;T0:12 795\n"
        "P12;T0:12;/srv/shop/a.py:<module>:3;/srv/shop/a.py:run:9 10086\n"
        "P12;T0:12;/srv/shop/a.py:<module>:3;/srv/shop/a.py:run:9 9914\n"
        "P13;T1:15;C:\\shop\\a.py:C.run.<locals>.f:12;:GC: 500,0,-12\n"
        "# duration: 1273220\n"
    )
    assert parse(text) == Recording(
        kind="austin",
        basis=Basis.SAMPLED,
        frames=(
            Frame(file="/srv/shop/a.py", name="<module>", line=3),
            Frame(file="/srv/shop/a.py", name="run", line=9),
            Frame(file="C:\\shop\\a.py", name="C.run.<locals>.f", line=12),
        ),
        stacks=(
            Stack(frames=(), weight=795, samples=1),
            Stack(frames=(0, 1), weight=20_000, samples=2),
            Stack(frames=(2,), weight=500, samples=1),
        ),
        clock="cpu",
        samples=4,
        rate_hz=100.0,
        processes=2,
        window_s=1.27322,
    )


def test_the_austin_sample() -> None:
    found = recording("austin.raw.txt")
    # One line a sample: 197 lines that are no comment, 2,290,850 µs in all.
    assert found.samples == 197
    assert sum(stack.weight for stack in found.stacks) == 2_290_850
    assert (found.clock, found.processes, found.window_s) == ("wall", 1, 1.27322)


def test_python_315() -> None:
    found = parse("tid:41;__main__.py:<module>:3;models.py:Order.of:33;<GC> 5\ntid:42;worker.py:run:8 2\n")
    assert found.kind == "python-collapsed"
    assert found.frames == (
        Frame(file="__main__.py", name="<module>", line=3),
        Frame(file="models.py", name="Order.of", line=33),
        Frame(file="worker.py", name="run", line=8),
    )
    assert [stack.weight for stack in found.stacks] == [5, 2]
    assert found.warnings == ("the frames have base names only: files of the same name cannot be told apart",)


def test_a_file_without_an_end_may_be_cut_off() -> None:
    assert parse("main (a.py:1) 12").warnings == ("the last line has no end: the file may be cut off",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no samples"),
        ("# austin: 3.7.0\n", "holds no samples"),
        (" 5\n", "holds no samples"),
        ("main (a.py:1) 0\n", "holds no samples"),
        ("main (a.py:1) 5\nmain (a.py:2);f (b.p", "line 2 is not a folded stack"),
        ("main (a.py:1) -5\n", "line 1 is not a folded stack"),
        ("main (a.py:1) nan\n", "line 1 is not a folded stack"),
        ("main (a.py:1) 1e9\n", "line 1 is not a folded stack"),
        ("main (a.py:1) ٣\n", "line 1 is not a folded stack"),
        (f"main (a.py:1) {'9' * 5_000}\n", f"line 1 has the count {'9' * 40}, which is too large"),
        ("main (a.py:1)\n", "line 1 is not a folded stack"),
        ("\x1b[31m\n", "line 1 is not a folded stack"),
        ("P1;T0:1;/a.py:f:1 10\n/a.py:f:1 10\n", "line 2 is not a stack as austin writes it"),
        ("tid:1;a.py:f:1 10\nfoo;bar 10\n", "line 2 is not a stack as python-collapsed writes it"),
    ],
)
def test_damaged_files_are_refused(text: str, message: str) -> None:
    with pytest.raises(EvidenceError) as error:
        parse(text)
    assert message in error.value.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("main;run;leaf 5\n", "names without files"),
        ("# austin: 3.7.0\n# mode: memory\n\nP1;T0:1;/a.py:f:1 4096\n", "memory, not time"),
    ],
)
def test_what_cannot_be_used_is_said(text: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        parse(text)
    assert message in error.value.message
    assert error.value.hint


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collapsed, "MAX_LINE_BYTES", 1_000)
    with pytest.raises(EvidenceError, match="line 1 has more than 1,000 bytes"):
        parse("main (a.py:1);" * 200 + "f (a.py:2) 1\n")
    monkeypatch.setattr(stack_table, "MAX_STACKS", 10)
    with pytest.raises(EvidenceError, match="more than 10 different stacks"):
        parse("".join(f"main (a.py:{line}) 1\n" for line in range(1, 20)))


def test_long_hostile_lines_take_no_time() -> None:
    for part in ("x (" * 300_000, ":" * 1_000_000, "1," * 500_000, ";" * 1_000_000, " " * 1_000_000):
        for line in (f"{part} 1\n", f"main (a.py:1);{part} 1\n", f"P1;T0:1;{part} 1\n"):
            with suppress(GateError):
                parse(line)


@given(st.lists(st.tuples(st.text(max_size=30), st.integers(-5, 10**20)), max_size=6))
def test_only_gate_errors_come_of_noise(lines: list[tuple[str, int]]) -> None:
    text = "main (a.py:1) 1\n" + "".join(f"{chain} {weight}\n" for chain, weight in lines)
    with suppress(GateError):
        found = parse(text.encode("utf-8", "surrogatepass"))
        assert found.samples == sum(stack.samples for stack in found.stacks)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"main (a.py:1) 5\n", True),
        (b"# austin: 3.7.0\n# interval: 100\n", True),
        (b"a;b;c 5\n", True),
        (b"f (a.py:1);" * 6_000, True),  # one chain that is longer than the head
        (b"Hello world 42\n", False),
        (b"", False),
        (b"\n\n", False),
        (b'{"a": [1, 2]} 5\n', False),
        (b"function;calls\nf;3\n", False),
        (b"main (a.py:1) 5\n\0", False),
        (b"# a comment\n", False),
    ],
)
def test_detection(head: bytes, expected: bool) -> None:
    assert collapsed.matches(head) is expected
