"""speedscope, Chrome trace, pyinstrument, Sentry and Python 3.15's JSON lines: what is read, and what is refused."""

import io
import json
from types import ModuleType
from typing import Any

import pytest

from gatecli.errors import EvidenceError, GateError, UsageError
from gatecli.runtime.formats import chrome, pyinstrument, sampler_lines, sentry, speedscope
from gatecli.runtime.recording import Basis, Frame, Record, Recording, Stack
from tests.runtime.formats.samples import JSONL

PATH = "/app/shop/models.py"


def read(module: ModuleType, document: Any) -> Recording:
    data = document.encode() if isinstance(document, str) else json.dumps(document).encode()
    recording = module.read(io.BytesIO(data))
    assert isinstance(recording, Recording)
    assert module.matches(data)
    return recording


def scope(*profiles: dict[str, Any], exporter: str = "x") -> dict[str, Any]:
    frames = [{"name": "main", "file": PATH, "line": 3}, {"name": "Order.of", "file": PATH, "line": 31}]
    return {
        "$schema": "https://www.speedscope.app/file-format-schema.json",
        "shared": {"frames": frames},
        "profiles": list(profiles),
        "exporter": exporter,
    }


def sampled(**options: Any) -> dict[str, Any]:
    return {"type": "sampled", "unit": "milliseconds", "startValue": 0, "endValue": 30, "samples": [[0, 1], [0], [0]],
            "weights": [10, 10, 10], **options}  # fmt: skip


def test_speedscope_samples() -> None:
    assert read(speedscope, scope(sampled(), sampled(unit="bytes"))) == Recording(
        kind="speedscope (x)",
        basis=Basis.SAMPLED,
        frames=(Frame(file=PATH, name="main", line=3), Frame(file=PATH, name="Order.of", line=31)),
        stacks=(Stack(frames=(0, 1), weight=0.01, samples=1), Stack(frames=(0,), weight=0.02, samples=2)),
        samples=3,
        rate_hz=100.0,
        window_s=0.03,
        warnings=("1 profiles of another unit are left out",),
    )


def test_speedscope_without_a_unit_counts_samples() -> None:
    found = read(speedscope, scope(sampled(unit="none")))
    assert (found.samples, found.rate_hz, found.window_s) == (30, None, None)


def test_speedscope_events() -> None:
    """main for 1 s, in it Order.of for 2 s; pyinstrument's lines are first lines."""
    events = [("O", 0, 0.0), ("O", 1, 1.0), ("C", 1, 3.0), ("C", 0, 3.0)]
    profile = {"type": "evented", "unit": "seconds", "startValue": 0, "endValue": 3,
               "events": [{"type": type, "frame": frame, "at": at} for type, frame, at in events]}  # fmt: skip
    found = read(speedscope, scope(profile, exporter="pyinstrument"))
    assert found.frames[1] == Frame(file=PATH, name="Order.of", first_line=31)
    assert found.stacks == (Stack(frames=(0,), weight=1.0, samples=1), Stack(frames=(0, 1), weight=2.0, samples=1))


def events(*pairs: tuple[str, int]) -> dict[str, Any]:
    return {"unit": "seconds", "events": [{"type": type, "frame": frame, "at": 0} for type, frame in pairs]}


@pytest.mark.parametrize(
    ("document", "kind", "text"),
    [
        (scope(sampled(samples=[[2]], weights=[1])), EvidenceError, "frame 2 is not one of the 2"),
        (scope(sampled(samples=[[-1]], weights=[1])), EvidenceError, "frame -1 is not one of the 2"),
        (scope(sampled(weights=[1])), EvidenceError, "3 samples with 1 weights"),
        (scope(sampled(weights=[1, 1, -1])), EvidenceError, "not a speedscope document"),
        (scope(sampled(weights=[1, 1, 2**64])), EvidenceError, "not a speedscope document"),
        (scope(sampled(samples=[], weights=[])), EvidenceError, "holds no samples"),
        (scope(), EvidenceError, "holds no samples"),
        (scope(sampled(unit="bytes")), UsageError, "hold no time but 'bytes'"),
        (scope(events(("C", 0))), EvidenceError, "closes a frame that is not open"),
        (scope(events(("O", 0), ("C", 1))), EvidenceError, "closes a frame that is not open"),
        (scope(events(("O", 7))), EvidenceError, "frame 7 is not one of the 2"),
        ('{"$schema": "https://www.speedscope.app/file-format-schema.json", "sha', EvidenceError, "cut off|truncated"),
        ("{" + '"a":[' * 100_000, EvidenceError, "not a speedscope document"),
        ('{"shared":{"frames":[{"name":"x","line":NaN}]},"profiles":[]}', EvidenceError, "not a speedscope"),
    ],
)
def test_speedscope_that_is_wrong(document: Any, kind: type[GateError], text: str) -> None:
    data = document.encode() if isinstance(document, str) else json.dumps(document).encode()
    with pytest.raises(kind, match=text) as error:
        speedscope.read(io.BytesIO(data))
    assert error.value.hint


def call(name: str, ts: float, dur: float, **options: Any) -> dict[str, Any]:
    return {"ph": "X", "name": f"{name} ({PATH}:{len(name)})", "ts": ts, "dur": dur, "pid": 1, "tid": 1, **options}


def test_viztracer_counts_every_call() -> None:
    """f runs 10 µs with two calls of gg (3 and 2 µs), the second of which calls itself for 1 µs."""
    trace = {"traceEvents": [call("gg", 7, 2), call("gg", 8, 1), call("f", 0, 10), call("gg", 1, 3),
                             {"ph": "X", "name": "builtins.len", "ts": 2, "dur": 1, "pid": 1, "tid": 1},
                             {"ph": "M", "name": "thread_name", "pid": 1, "tid": 1, "args": {"name": "Main"}}],
             "viztracer_metadata": {"overflow": True, "baseTimeNanoseconds": 10**18}}  # fmt: skip
    found = read(chrome, trace)
    assert found.frames == (Frame(file=PATH, name="gg", first_line=2), Frame(file=PATH, name="f", first_line=1))
    f, gg = sorted(found.records, key=lambda record: record.calls or 0)
    assert (f.calls, f.callers, gg.calls, gg.callers) == (1, (), 3, ((1, 2), (0, 1)))
    assert (f.self_weight, f.total_weight) == pytest.approx((5e-6, 10e-6))
    assert (gg.self_weight, gg.total_weight) == pytest.approx((5e-6, 5e-6))  # recursion is counted once
    assert (found.basis, found.resumed_generators, found.environment) == (Basis.COUNTED, True, "profile-run")
    assert (found.started_at, found.warnings[1][:32]) == (10**9, "viztracer's buffer was too small")


def test_threads_of_a_trace_are_kept_apart() -> None:
    found = read(chrome, [call("f", 0, 10), call("gg", 1, 2, tid=2)])
    assert [record.callers for record in found.records] == [(), ()]
    found = read(chrome, [{**call("f", 0, 0), "ph": "B"}, {**call("f", 6, 0), "ph": "E"}])
    (record,) = found.records
    assert (record.calls, record.self_weight, record.total_weight) == (1, pytest.approx(6e-6), pytest.approx(6e-6))


def pyspy(phase: str, name: str, ts: float) -> dict[str, Any]:
    return {"ph": phase, "name": name, "ts": ts, "pid": 1, "tid": 1, "cat": "py-spy",
            "args": {"filename": PATH, "line": 7}}  # fmt: skip


def test_chrome_trace_of_pyspy_is_sampled() -> None:
    found = read(chrome, [pyspy("B", "main", 0), pyspy("B", "f", 500), pyspy("E", "f", 1500), pyspy("E", "main", 1500)])
    assert found.basis is Basis.SAMPLED
    assert found.frames == (Frame(file=PATH, name="main", line=7), Frame(file=PATH, name="f", line=7))
    assert [(stack.frames, round(stack.weight, 9)) for stack in found.stacks] == [((0,), 0.0005), ((0, 1), 0.001)]
    assert (found.samples, found.window_s) == (2, 0.0015)


@pytest.mark.parametrize(
    ("document", "kind", "text"),
    [
        ([], EvidenceError, "holds no calls"),
        ({"traceEvents": []}, EvidenceError, "holds no calls"),
        ([{"ph": "X", "name": "builtins.len", "ts": 1, "dur": 1}], UsageError, "no event of the trace names a file"),
        ([pyspy("E", "f", 0)], EvidenceError, "ends a call that did not begin"),
        ([pyspy("B", "f", 5), pyspy("E", "f", 5)], EvidenceError, "holds no samples"),
        ([call("f", 0, -1)], EvidenceError, "not a trace of Chrome's"),
        ([call("f", 2**70, 1)], EvidenceError, "not a trace of Chrome's"),
        ([call("f", 0, 1), 5], EvidenceError, "not a trace of Chrome's"),
    ],
)
def test_chrome_traces_that_are_wrong(document: Any, kind: type[GateError], text: str) -> None:
    with pytest.raises(kind, match=text):
        chrome.read(io.BytesIO(json.dumps(document).encode()))


def node(function: str, time: float, *children: dict[str, Any], line: int = 1) -> dict[str, Any]:
    return {"function": function, "file_path": PATH, "line_no": line, "time": time, "class_name": "Wrong",
            "children": list(children)}  # fmt: skip


def test_pyinstrument() -> None:
    """Own time is what the children leave; [self] is the function's, [await] nobody's."""
    tree = node("main", 10.0, node("[self]", 1.0), node("[await]", 4.0), node("of", 3.0, line=31))
    found = read(pyinstrument, {"root_frame": tree, "sample_count": 100, "start_time": 1.7e9, "duration": 10.0})
    assert found.frames == (
        Frame(file=PATH, name="main", first_line=1),
        Frame(file=PATH, name="of", first_line=31),
    )
    assert {stack.frames: stack.weight for stack in found.stacks} == {(0,): 3.0, (0, 1): 3.0}
    assert (found.samples, found.rate_hz, found.clock, found.ended_at) == (100, 10.0, "wall", 1.7e9 + 10)
    assert found.warnings[1] == "4.0 s of awaiting are left out"


def test_pyinstrument_that_is_wrong() -> None:
    deep = '{"root_frame":' + '{"function":"f","time":1,"children":[' * 50_000
    for text in (deep, '{"root_frame":null,"sample_count":0}', '{"root_frame":{"function":"f","time":-1}}'):
        with pytest.raises(EvidenceError):
            pyinstrument.read(io.BytesIO(text.encode()))


def sentry_profile(**options: Any) -> dict[str, Any]:
    frames = [{"abs_path": PATH, "filename": "shop/models.py", "function": "Order.of", "lineno": 33},
              {"abs_path": PATH, "function": "main", "lineno": 3}]  # fmt: skip
    samples = [{"stack_id": 0, "thread_id": thread, "elapsed_since_start_ns": str(at * 10**7)}
               for at in range(4) for thread in ("1", "2", "3")]  # fmt: skip
    names = {"1": {"name": "MainThread"}, "2": {"name": "sentry.monitor"}, "3": {"name": "worker"}}
    return {
        "profile": {"frames": frames, "stacks": [[0, 1]], "samples": samples, "thread_metadata": names},
        "environment": "prod", "release": "shop@1.2.3+0123abc", "timestamp": "2026-11-21T01:00:00Z",
        "runtime": {"name": "CPython", "version": "3.12.1"}, **options,
    }  # fmt: skip


def test_sentry_chunk() -> None:
    found = read(sentry, sentry_profile())
    assert found.frames == (Frame(file=PATH, name="Order.of", line=33), Frame(file=PATH, name="main", line=3))
    assert found.stacks == (Stack(frames=(1, 0), weight=8.0, samples=8),)  # not the SDK's own thread
    assert (found.samples, found.window_s, found.rate_hz, found.python) == (8, 0.03, 100.0, "3.12.1")
    assert (found.environment, found.revision, found.revision_source) == ("prod", "0123abc", "release")
    assert found.started_at == 1_795_222_800.0
    assert len(found.warnings) == 2
    assert "hold the GIL" in found.warnings[0].replace("holds", "hold")
    assert found.warnings[1] == "2 threads are added up, those that wait too"


def test_sentry_profile_of_a_transaction_has_its_thread() -> None:
    found = read(sentry, sentry_profile(transactions=[{"active_thread_id": "1"}]))
    assert (found.samples, len(found.warnings)) == (4, 1)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"stacks": [[5]]}, "frame 5 is not one of the 2"),
        ({"stacks": []}, "stack 0 is not one of the 0"),
        ({"samples": []}, "holds no samples"),
        ({"frames": None}, "not a Sentry profile"),
    ],
)
def test_sentry_that_is_wrong(change: dict[str, Any], text: str) -> None:
    document = sentry_profile()
    document["profile"].update(change)
    with pytest.raises(EvidenceError, match=text):
        sentry.read(io.BytesIO(json.dumps(document).encode()))


STORE, MAIN = "/srv/shop/releases/42/src/shop/store.py", "/srv/shop/releases/42/src/shop/__main__.py"


def test_the_json_lines_of_python_315() -> None:
    found = read(sampler_lines, JSONL)
    assert found.frames == (
        Frame(file=STORE, name="AuditedStore.audit", line=31),
        Frame(file=STORE, name="AuditedStore.audit", line=32),
        Frame(file=MAIN, name="main", line=25),
        Frame(file=None, name="<GC>"),
    )
    assert found.records[2] == Record(frame=2, calls=None, self_weight=8, total_weight=40)
    assert (found.samples, found.rate_hz, found.clock) == (40, 1000.0, "wall")


@pytest.mark.parametrize(
    ("old", "new", "kind", "text"),
    [
        ('"type":"end"', '"type":"x"', EvidenceError, "the last record is missing"),
        ('"func_str_id":2', '"func_str_id":9', EvidenceError, "frame 2 is not defined"),
        ('"frame_id":3,"self"', '"frame_id":33,"self"', EvidenceError, "frame 33 is not defined"),
        ('"cumulative":40', '"cumulative":41', EvidenceError, "more samples than there are"),
        ('"cumulative":40', '"cumulative":-1', EvidenceError, "line 4 is not a record"),
        ('"samples_total":40}', '"samples_total":0}', EvidenceError, "holds no samples"),
        ('"mode":"wall"', '"mode":"exception"', UsageError, "exceptions, not time"),
        ('"path_str_id":3,', "", EvidenceError, "line 3 defines a frame without its names"),
    ],
)
def test_json_lines_that_are_wrong(old: str, new: str, kind: type[GateError], text: str) -> None:
    assert old in JSONL
    with pytest.raises(kind, match=text):
        sampler_lines.read(io.BytesIO(JSONL.replace(old, new).encode()))
