"""A profile for other tools."""

import csv
import io
import json
from pathlib import Path

import pytest

from gatecli.errors import UsageError
from gatecli.runtime.edges import Edge
from gatecli.runtime.export import export
from gatecli.runtime.profile import EntryPoint, EntryShare, Meta, Profile, ProfiledFunction, TimeShare, decode
from tests.runtime.support import profile


def test_csv() -> None:
    recorded = profile("pyspy.raw.txt")
    table = list(csv.DictReader(io.StringIO(export(recorded, "csv").decode())))
    assert [row["function"] for row in table] == [row.id for row in recorded.functions]
    first, row = table[0], recorded.functions[0]
    assert row.time_total is not None
    assert (first["share"], first["calls"], first["kind"]) == (str(row.time_total.share), "", row.kind)


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_no_cell_is_a_formula(start: str) -> None:
    """A file may be named ``=cmd().py``, and a profile is opened in a spreadsheet."""
    rows = (ProfiledFunction(id=f"{start}cmd|x.py::f", kind="function", calls=-0),)
    lines = export(Profile(meta=Meta(), functions=rows), "csv").decode().splitlines()
    assert lines[1].startswith(f"'{start}cmd|x.py::f,function,")


def test_json_is_the_profile() -> None:
    recorded = profile("pyspy.raw.txt")
    assert decode(export(recorded, "json")) == recorded


def test_speedscope() -> None:
    """An entry point, its handler with 60 %, of which 45 % is spent in what it calls."""
    recorded = Profile(
        meta=Meta(service="shop", generator="gate 1"),
        functions=(
            ProfiledFunction(id="a.py::C.f", kind="method", def_line=7, time_total=TimeShare(share=0.6, samples=60),
                             entry_points=(EntryShare(id="http GET /", share=1.0),)),
            ProfiledFunction(id="a.py::g", kind="function", time_total=TimeShare(share=0.45, samples=45),
                             entry_points=(EntryShare(id="http GET /", share=1.0),)),
        ),
        edges=(Edge(caller="a.py::C.f", callee="a.py::g", samples=45, basis="sampled"),),
        entry_points=(EntryPoint(id="http GET /", kind="http", handler="a.py::C.f", weight=0.6),),
    )  # fmt: skip
    found = json.loads(export(recorded, "speedscope"))
    assert found["shared"]["frames"] == [
        {"name": "GET /"},
        {"name": "C.f", "file": "a.py", "line": 7},
        {"name": "g", "file": "a.py"},
    ]
    (tree,) = found["profiles"]
    assert dict(zip(map(tuple, tree["samples"]), tree["weights"], strict=True)) == {(0, 1): 15.0, (0, 1, 2): 45.0}
    assert (tree["type"], tree["unit"], tree["startValue"], tree["endValue"]) == ("sampled", "none", 0, 60.0)
    assert found["$schema"] == "https://www.speedscope.app/file-format-schema.json"


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    """The reader of speedscope files takes it for one."""
    from gatecli.runtime.formats import read

    path = tmp_path / "x.json"
    path.write_bytes(export(profile("pyspy.raw.txt"), "speedscope"))
    assert "speedscope" in read(path).kind


def test_no_callers_no_flame_graph() -> None:
    with pytest.raises(UsageError, match="does not say who calls whom"):
        export(Profile(meta=Meta()), "speedscope")
