"""The tools themselves, run now on the sample program: what they write must be read, and every frame be matched.

Each run writes down its own code objects, and every frame of the project is held against them (``truth``).

A tool that is not installed is skipped. ``GATE_PRODUCERS`` names further interpreters, separated as in ``PATH``, whose
tools are run too: other versions of Python write other names and lines.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gatecli.runtime import formats
from gatecli.runtime.profile import Profile
from tests.runtime.support import DATA, Files, build, rows
from tests.runtime.truth import Truth

PYTHONS = (sys.executable, *filter(None, os.environ.get("GATE_PRODUCERS", "").split(os.pathsep)))
# A test run without pytest, so that coverage is all it needs.
CHECK = """
from shop.models import Item


def test_bad_quantity():
    try:
        Item("a", 1, 0).validate()
    except ValueError:
        pass


def test_total():
    assert Item("a", 2, 3).total == 6


test_bad_quantity()
test_total()
"""
# A program that traces its own functions, as an instrumented one does, and exports as the SDK does.
TRACED = """
import sys
from opentelemetry import trace
from opentelemetry.exporter.otlp.json.file import FileSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from shop import pricing

if __name__ == "__main__":
    provider = TracerProvider(resource=Resource({"service.name": "shop"}))
    provider.add_span_processor(BatchSpanProcessor(FileSpanExporter(sys.argv[1])))
    tracer = provider.get_tracer("shop")
    for number in range(20):
        with tracer.start_as_current_span("POST", kind=trace.SpanKind.SERVER, attributes={"http.route": "/orders"}):
            function = pricing.price_order
            name = f"{function.__module__}.{function.__qualname__}"
            with tracer.start_as_current_span(name, attributes={"code.function.name": name}) as span:
                if number == 0:
                    span.record_exception(ValueError("x"))
                    span.set_status(trace.StatusCode.ERROR)
    provider.shutdown()
"""
AUDIT, PRICE = "shop/store.py::AuditedStore.audit", "shop/pricing.py::price_order"


@pytest.fixture(params=PYTHONS)
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Path]:
    """Run a module's command with one of the interpreters on a copy of the program, and return what it wrote."""
    source = tmp_path / "src"
    shutil.copytree(DATA / "shop", source)
    truth = Truth(tmp_path / "truth", source)
    environment = {**os.environ, **truth.environment()}
    # For yappi, which does not look where it is started.
    environment["PYTHONPATH"] += os.pathsep + str(source)

    def run(module: str, *arguments: str, output: str = "out") -> Path:
        python = Path(request.param)
        command = [str(python), "-m", module]
        if module == "py-spy":
            command = [str(python.with_name("py-spy"))]
            if not python.with_name("py-spy").exists():
                pytest.skip(f"py-spy is not installed beside {python}")
        elif module == "austin":
            command = [module]
        elif subprocess.run(
            [str(python), "-c", f"import {module}"], cwd=source, capture_output=True, check=False
        ).returncode:
            pytest.skip(f"{module} is not installed for {python}")
        path = tmp_path / output
        words = [word.format(out=path, python=python) for word in arguments]
        done = subprocess.run(
            [*command, *words], cwd=source, env=environment, capture_output=True, text=True, check=False
        )
        if "ermission" in done.stderr and module == "py-spy":
            pytest.skip("py-spy may not trace processes here")
        if "signal readiness within timeout" in done.stderr:
            pytest.skip("the machine is too busy for the sampler of Python 3.15, which gives up on a slow start")
        assert path.exists(), f"{command} {words}: {done.stderr[-2_000:]}"
        return path

    return run


def imported(path: Path) -> Profile:
    source = path.parent / "src"
    tree = Files({file.relative_to(source).as_posix(): file.read_bytes() for file in source.rglob("*.py")})
    recording = formats.read(path)
    checked = Truth(path.parent / "truth", source).check(recording, tree)
    assert (checked.unmatched, checked.wrong) == ([], [])
    assert checked.frames > 0
    profile = build(recording)
    source = profile.meta.sources[0]
    assert source.frames_matched == source.frames_project > 0, profile.unmatched.examples
    return profile


@pytest.mark.parametrize("format", ["speedscope", "chrometrace", "raw"])
@pytest.mark.parametrize("function", [True, False])
def test_pyspy(run: Callable[..., Path], format: str, function: bool) -> None:
    options = ["-F"] if function else []
    path = run("py-spy", "record", *options, "-r", "200", "-f", format, "-o", "{out}", "--", "{python}",
               "-m", "shop", "1")  # fmt: skip
    assert AUDIT in rows(imported(path))


@pytest.mark.parametrize("renderer", ["json", "speedscope"])
def test_pyinstrument(run: Callable[..., Path], renderer: str) -> None:
    # It leaves out what takes less than one percent, of a timeline as speedscope's every single call: the one call that
    # lasts is sure to be there.
    found = rows(imported(run("pyinstrument", "-r", renderer, "-o", "{out}", "-m", "shop", "1")))
    assert "shop/__main__.py::main" in found


def test_viztracer(run: Callable[..., Path]) -> None:
    path = run("viztracer", "--ignore_c_function", "--tracer_entries", "5000000", "-o", "{out}",
               "-m", "shop", "0.05", output="out.json")  # fmt: skip
    found = rows(imported(path))
    assert found[PRICE].calls is not None
    assert found[PRICE].calls_basis == "counted"
    # Every order has one price and is saved once, which makes one entry in the audit.
    for id in (AUDIT, "shop/store.py::AuditedStore.save", "shop/store.py::Store.save"):
        assert found[id].calls == found[PRICE].calls


def test_cprofile(run: Callable[..., Path]) -> None:
    found = rows(imported(run("cProfile", "-o", "{out}", "-m", "shop", "0.1")))
    assert (found[AUDIT].calls or 0) >= 20


def test_yappi(run: Callable[..., Path]) -> None:
    found = rows(imported(run("yappi", "-f", "pstat", "-o", "{out}", "shop/__main__.py", "0.1")))
    assert (found[AUDIT].calls or 0) >= 20


def test_opentelemetry(run: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "src" / "traced.py").write_text(TRACED)
    profile = imported(run("traced", "{out}", output="spans.jsonl"))
    price = rows(profile)["shop/pricing.py::price_order"]
    assert (price.calls, price.errors, price.match) == (20, 1, "dotted")
    assert [(entry.id, entry.share) for entry in price.entry_points] == [("http /orders", 1.0)]


@pytest.mark.parametrize("format", ["jsonl", "collapsed", "pstats"])
def test_the_sampler_of_python_315(run: Callable[..., Path], format: str) -> None:
    path = run("profiling.sampling", "run", f"--{format}", "-o", "{out}", "-m", "shop", "1")
    assert AUDIT in rows(imported(path))


def test_austin(run: Callable[..., Path]) -> None:
    if shutil.which("austin") is None:
        pytest.skip("austin is not installed")
    path = run("austin", "-i", "1ms", "-o", "{out}", "{python}", "-m", "shop", "1")
    if not path.stat().st_size:
        pytest.skip("this austin does not know this Python")
    assert AUDIT in rows(imported(path))


@pytest.mark.parametrize("as_json", [True, False])
def test_coverage(run: Callable[..., Path], tmp_path: Path, as_json: bool) -> None:
    (tmp_path / "src" / "check.py").write_text(CHECK)
    path = run("coverage", "run", "--data-file={out}", "check.py", output="data")
    if as_json:
        path = run("coverage", "json", f"--data-file={path}", "--show-contexts", "-o", "{out}", output="cov.json")
    profile = imported(path)
    assert profile.tests == {
        "shop/models.py::Item.validate": ("__main__.test_bad_quantity",),
        "shop/models.py::Item.total": ("__main__.test_total",),
    }


def test_zstd(run: Callable[..., Path]) -> None:
    pytest.importorskip("zstandard", reason="zstandard is not installed: Python before 3.14 has no zstd of its own")
    import zstandard

    path = run("cProfile", "-o", "{out}", "-m", "shop", "0.1")
    path.write_bytes(zstandard.ZstdCompressor().compress(path.read_bytes()))
    assert AUDIT in rows(imported(path))
