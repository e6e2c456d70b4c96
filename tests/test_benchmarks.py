"""The benchmarks are run by hand: here only that each still fits the code it measures."""

import importlib
from pathlib import Path

import pytest

MODULES = sorted(path.stem for path in (Path(__file__).parent / "bench").glob("[!_]*.py") if "test_" not in path.name)


@pytest.mark.parametrize("name", MODULES)
def test_a_benchmark_can_be_loaded(name: str) -> None:
    assert importlib.import_module(f"tests.bench.{name}").__doc__, "its docstring says how to run it"
