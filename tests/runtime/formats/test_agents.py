"""The agents that send profiles and traces away, run now on the sample program and caught on this machine.

Each run writes down its live code objects at the end: the file, first line and qualified name of every function that
was loaded. That is the truth that each project frame of the recording is held against.
"""

import email.parser
import email.policy
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatecli.runtime import formats
from gatecli.runtime.formats.protobuf import fields
from gatecli.runtime.frames import resolve
from gatecli.runtime.profile import Profile
from gatecli.runtime.recording import Recording
from gatecli.syntax.python import read_functions
from tests.runtime.receiver import Receiver, receiver
from tests.runtime.support import DATA, SHOP, build, rows

PYTHONS = (sys.executable, *filter(None, os.environ.get("GATE_PRODUCERS", "").split(os.pathsep)))
AUDIT, PRICE = "shop/store.py::AuditedStore.audit", "shop/pricing.py::price_order"
# Runs what is behind it as a program does, and writes the code objects of all functions that are alive then.
DRIVER = """
import gc, json, os, runpy, sys, types

def codes(code):
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes(constant)

def alive():
    functions = [found for found in gc.get_objects() if type(found) is types.FunctionType]
    return {code for function in functions for code in codes(function.__code__)}

sys.path.insert(0, os.getcwd())
begin = end = lambda: None
exec(sys.argv[1])
begin()
sys.argv = ["shop", os.environ.get("SECONDS", "1")]
if "app" in globals():
    app()
else:
    runpy.run_module("shop", run_name="__main__", alter_sys=True)
end()
rows = [[code.co_filename, code.co_firstlineno, code.co_name, getattr(code, "co_qualname", code.co_name)]
        for code in alive()]
with open(os.environ["TRUTH"], "w") as file:
    json.dump(rows, file)
"""
SENTRY = """
import sentry_sdk
from sentry_sdk.transport import Transport

class Kept(Transport):
    def capture_envelope(self, envelope):
        for item in envelope.items:
            if item.type in ("profile", "profile_chunk"):
                name = os.path.join(os.environ["OUT"], str(len(os.listdir(os.environ["OUT"]))))
                with open(name, "wb") as file:
                    file.write(item.get_bytes())

"""
SENTRY_TRANSACTION = """
sentry_sdk.init(dsn="http://key@127.0.0.1:1/1", transport=Kept, traces_sample_rate=1.0, profiles_sample_rate=1.0,
                release="shop@0123456789abcdef0123456789abcdef01234567", environment="production")
transaction = sentry_sdk.start_transaction(name="orders", op="task")
begin, end = transaction.__enter__, lambda: (transaction.__exit__(None, None, None), sentry_sdk.flush())
"""
SENTRY_CONTINUOUS = """
sentry_sdk.init(dsn="http://key@127.0.0.1:1/1", transport=Kept, profile_session_sample_rate=1.0,
                profile_lifecycle="manual", environment="production")
from sentry_sdk.profiler import start_profiler, stop_profiler
begin = start_profiler
def end():
    stop_profiler()
    sentry_sdk.get_client().close()
    import time; time.sleep(0.5)
"""
PYROSCOPE = """
import pyroscope
pyroscope.configure(application_name="shop", server_address=os.environ["SERVER"], sample_rate=100)
end = pyroscope.shutdown
"""
# Flask with its published instrumentation, and code.* attributes as the semantic conventions name them.
OTEL = """
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from shop import pricing, web
provider = TracerProvider(resource=Resource({"service.name": "shop"}))
provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=os.environ["SERVER"] + "/v1/traces")))
trace.set_tracer_provider(provider)

def traced(function):
    code = function.__code__
    def call(*arguments, **named):
        with provider.get_tracer("shop").start_as_current_span(function.__name__, attributes={
            "code.function.name": f"{function.__module__}.{function.__qualname__}",
            "code.file.path": code.co_filename, "code.line.number": code.co_firstlineno,
        }):
            return function(*arguments, **named)
    return call

def app():
    import shop.checkout
    for name in ("price_order", "quote_shipping"):
        original = getattr(pricing, name)
        for module in (pricing, shop.checkout):
            if getattr(module, name, None) is original:
                setattr(module, name, traced(original))
    flask = web.create_app()
    FlaskInstrumentor().instrument_app(flask)
    client = flask.test_client()
    for number in range(20):
        client.post("/orders/3")
        client.get("/orders/3/receipt")
    try:
        client.get("/orders/boom")
    except RuntimeError:
        pass
    provider.shutdown()
"""


class Run:
    """A run of the sample program with an agent in it: what it sent, and the code objects that it had."""

    def __init__(self, python: str, folder: Path, sent: Receiver) -> None:
        self.python, self.folder, self.sent = python, folder, sent
        self.truth: dict[str, list[tuple[int, str, str]]] = {}

    def __call__(self, module: str, setup: str, *command: str, **environment: str) -> None:
        known = subprocess.run([self.python, "-c", f"import {module}"], capture_output=True, check=False)
        if known.returncode:
            pytest.skip(f"{module} is not installed for {self.python}")
        driver, truth = self.folder / "driver.py", self.folder / "truth.json"
        driver.write_text(DRIVER)
        done = subprocess.run(
            [*command, self.python, str(driver), setup],
            cwd=self.folder / "src",
            env={**os.environ, "TRUTH": str(truth), "SERVER": self.sent.address, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert truth.exists(), done.stderr[-2_000:]
        source = os.path.realpath(self.folder / "src")
        for file, line, name, qualname in json.loads(truth.read_text()):
            path = os.path.relpath(os.path.realpath(file), source).replace(os.sep, "/")
            if path in SHOP.files:
                self.truth.setdefault(path, []).append((line, name, qualname.replace("<locals>.", "")))

    def check(self, recording: Recording) -> Profile:
        """Every project frame is matched, and to the function that the code object says."""
        found = resolve([recording.frames], tree=SHOP, functions_of=read_functions)
        source = os.path.realpath(self.folder / "src")
        checked = 0
        for frame, match in zip(recording.frames, found.matches[0], strict=True):
            path = os.path.relpath(os.path.realpath(frame.file), source).replace(os.sep, "/") if frame.file else None
            if path not in SHOP.files and not (path is None and frame.dotted):
                continue
            assert match.function is not None, frame
            assert match.function.span.first_line in self._lines(match.function.id.path, frame.name), (frame, match)
            checked += 1
        assert checked, "no frame of the project: the recording is of no use"
        return build(recording)

    def _lines(self, path: str, name: str) -> set[int]:
        """The first lines of what a name is in a file; of what is around it, for a lambda or comprehension."""
        parts = name.replace("<locals>.", "").split(".")
        while parts[-1].startswith("<") and parts[-1] != "<module>":
            parts.pop()
        if parts == ["<module>"]:
            return {1}  # its code is gone once it ran
        names = {
            ".".join(parts[begin:]) for begin in range(len(parts))
        }  # with its module before it, or without a class
        codes = self.truth[path]
        return {line for line, _, qualname in codes if qualname in names} or {
            line for line, bare, _ in codes if bare == name
        }


@pytest.fixture(params=PYTHONS)
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Run]:
    shutil.copytree(DATA / "shop", tmp_path / "src")
    with receiver() as sent:
        yield Run(str(request.param), tmp_path, sent)


def written(folder: Path, name: str, content: bytes) -> Recording:
    path = folder / name
    path.write_bytes(content)
    return formats.read(path)


def test_datadog_sends_pprof_to_its_agent(run: Run) -> None:
    beside = Path(run.python).with_name("ddtrace-run")
    if not beside.exists():
        pytest.skip(f"ddtrace is not installed for {run.python}")
    pytest.importorskip("zstandard", reason="zstandard is not installed: ddtrace compresses with it")
    run(
        "ddtrace", "", str(beside), DD_TRACE_AGENT_URL=run.sent.address, DD_PROFILING_ENABLED="true",
        DD_TRACE_ENABLED="false", DD_INSTRUMENTATION_TELEMETRY_ENABLED="false",
        DD_REMOTE_CONFIGURATION_ENABLED="false",
    )  # fmt: skip
    bodies = [sent for sent in run.sent.sent if sent.path.startswith("/profiling/")]
    assert bodies, [sent.path for sent in run.sent.sent]
    parser = email.parser.BytesParser(policy=email.policy.HTTP)
    for sent in bodies:
        parts = parser.parsebytes(f"Content-Type: {sent.type}\r\n\r\n".encode() + sent.body)
        [content] = [part.get_payload(decode=True) for part in parts.walk() if part.get_filename("").endswith("pprof")]
        assert AUDIT in rows(run.check(written(run.folder, "dd.pprof", content)))


def test_pyroscope_pushes_pprof_to_its_server(run: Run) -> None:
    run("pyroscope", PYROSCOPE)
    pushed = [sent.body for sent in run.sent.sent if sent.path == "/push.v1.PusherService/Push"]
    assert pushed, [sent.path for sent in run.sent.sent]
    # PushRequest.series (1), RawProfileSeries.samples (2), RawSample.raw_profile (1), by push/v1/push.proto
    profiles = [
        bytes(raw)
        for body in pushed
        for series in _parts(memoryview(body), 1)
        for sample in _parts(series, 2)
        for raw in _parts(sample, 1)
    ]
    found = [rows(run.check(written(run.folder, "pyroscope.pprof", profile))) for profile in profiles]
    assert any(AUDIT in one for one in found)


def _parts(message: memoryview, number: int) -> list[memoryview]:
    return [content for field, _, _, content in fields(message) if field == number]


@pytest.mark.parametrize("setup", [SENTRY_TRANSACTION, SENTRY_CONTINUOUS], ids=["profile", "chunk"])
def test_the_envelopes_of_sentry(run: Run, setup: str) -> None:
    out = run.folder / "out"
    out.mkdir()
    run("sentry_sdk", SENTRY + setup, OUT=str(out))
    items = sorted(out.iterdir())
    assert items
    profiles = [run.check(formats.read(item)) for item in items]
    assert {profile.meta.environment for profile in profiles} == {"production"}
    assert any("shop/__main__.py::main" in rows(profile) for profile in profiles)


def test_opentelemetry_exports_to_a_collector(run: Run) -> None:
    run("opentelemetry.exporter.otlp.proto.http, opentelemetry.instrumentation.flask", OTEL)
    requests = [sent.body for sent in run.sent.sent if sent.path == "/v1/traces"]
    assert requests
    # What a Collector's file exporter writes: export requests one behind the other are one longer request.
    profile = run.check(written(run.folder, "spans.pb", b"".join(requests)))
    price = rows(profile)[PRICE]
    assert (price.calls, price.match) == (20, "dotted")
    assert {entry.id: entry.share for entry in price.entry_points} == {"http POST /orders/<int:size>": 1.0}
    assert {entry.id for entry in profile.entry_points} >= {
        "http POST /orders/<int:size>",
        "http GET /orders/<int:size>/receipt",
        "http GET /orders/boom",
    }
