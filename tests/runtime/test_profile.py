"""The profile document: its exact shape, its bytes, and what is no profile."""

import gzip
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecli.errors import UsageError
from gatecli.runtime import profile as document
from gatecli.runtime.edges import Edge
from gatecli.runtime.profile import (
    EntryPoint,
    EntryShare,
    Latency,
    Meta,
    Profile,
    ProfiledFunction,
    Source,
    TimeShare,
    Unmatched,
    UnmatchedFrame,
    Window,
    decode,
    encode,
    load,
    save,
)
from tests.runtime.support import profile as sample

SMALL = Profile(meta=Meta())
FULL = Profile(
    meta=Meta(
        service="shop",
        environment="production",
        window=Window(start="2026-11-14T00:00:00Z", end="2026-11-21T00:00:00Z", observed_seconds=604_800.0),
        revision="0" * 40,
        revision_source="flag",
        path_prefixes=("/app/src/",),
        generated_at="2026-11-21T01:00:00Z",
        generator="gate 0.1.0",
        sources=(Source(kind="pyspy-raw", file="a.txt", sha256="0" * 64, basis="sampled", samples=887, rate_hz=200.0),),
    ),
    functions=(
        ProfiledFunction(
            id="shop/b.py::f",
            kind="async",
            first_line=24,
            def_line=25,
            end_line=28,
            calls=700,
            calls_per_min=12.5,
            calls_basis="counted",
            time_total=TimeShare(share=0.18, pm95=0.02, samples=160),
            error_types={"B": 1, "A": 2},
            latency_ms=Latency(mean=1.2, p50=0.9, p95=3.1, p99=9.0, n=700),
            entry_points=(EntryShare(id="http POST /orders", share=0.8),),
            match="qualname",
            sources=(0,),
        ),
        ProfiledFunction(id="shop/a.py::f", kind="function"),
    ),
    edges=(
        Edge(caller="shop/b.py::f", callee="shop/a.py::f", samples=3, basis="sampled"),
        Edge(caller="shop/a.py::f", callee="shop/b.py::f", calls=3, basis="counted"),
    ),
    entry_points=(EntryPoint(id="http POST /orders", kind="http", handler="shop/b.py::f", weight=0.6),),
    tests={"shop/b.py::f": ("tests/test_b.py::test_f",)},
    unmatched=Unmatched(
        frames={"stdlib": 4}, examples=(UnmatchedFrame(file=None, name="\x1b[31m", line=None, weight=2.0, reason="x"),)
    ),
)


def test_the_document_has_what_is_known() -> None:
    written = json.loads(encode(FULL))
    assert list(written) == ["schema", "meta", "functions", "edges", "entry_points", "tests", "unmatched"]
    assert written["schema"] == "gate.runtime-profile/1"
    assert written["functions"][0] == {"id": "shop/a.py::f", "kind": "function"}
    assert b'"error_types":{"A":2,"B":1}' in encode(FULL), "keys are sorted"
    assert written["edges"] == {
        "ids": ["shop/a.py::f", "shop/b.py::f"],
        "counted": {"callees": [1], "sizes": [1], "callers": [0], "weights": [3]},
        "sampled": {"callees": [0], "sizes": [1], "callers": [1], "weights": [3]},
        "spans": {"callees": [], "sizes": [], "callers": [], "weights": []},
    }
    assert list(written["meta"]) == [
        "service",
        "environment",
        "window",
        "revision",
        "revision_source",
        "path_prefixes",
        "generated_at",
        "generator",
        "sources",
    ]
    assert json.loads(encode(SMALL))["tests"] is None


def test_one_function_a_line_sorted_by_id() -> None:
    lines = encode(FULL).decode().split("\n")
    starts = [line for line in lines if line.startswith('{"id":')]
    assert [line.split('"')[3] for line in starts] == ["shop/a.py::f", "shop/b.py::f", "http POST /orders"]


@pytest.mark.parametrize("name", ["profile.json", "profile.json.gz", "deep/er/.gate/profile.json.gz"])
def test_what_is_saved_is_loaded(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    save(FULL, path)
    found = load(path)
    assert sorted(found.functions, key=lambda row: row.id) == sorted(FULL.functions, key=lambda row: row.id)
    assert (found.meta, found.tests, found.unmatched) == (FULL.meta, FULL.tests, FULL.unmatched)
    assert [file.name for file in path.parent.iterdir()] == [path.name], "no temporary file is left"


def test_the_same_profile_gives_the_same_bytes(tmp_path: Path) -> None:
    turned = msgspec.structs.replace(FULL, functions=FULL.functions[::-1], edges=FULL.edges[::-1])
    save(FULL, tmp_path / "a.json.gz")
    save(turned, tmp_path / "b.json.gz")
    packed = (tmp_path / "a.json.gz").read_bytes()
    assert packed == (tmp_path / "b.json.gz").read_bytes()
    # No name, no time, no operating system in the gzip header (RFC 1952).
    assert packed[3:8] == b"\0\0\0\0\0"
    assert packed[9] == 0xFF


def test_a_sample_survives_the_round_trip(tmp_path: Path) -> None:
    found = sample("pyspy.raw.txt", "cprofile-3.9.pstats")
    save(found, tmp_path / "p.json.gz")
    assert load(tmp_path / "p.json.gz") == found


def test_a_failed_write_leaves_the_old_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "profile.json"
    save(SMALL, path)
    before = path.read_bytes()

    def fail(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(UsageError, match=r"cannot be written \(No space left on device\)"):
        save(FULL, path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["profile.json"]


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        save(SMALL, tmp_path / "file" / "profile.json")


def patched(**fields: Any) -> bytes:
    return json.dumps({**json.loads(encode(SMALL)), **fields}).encode()


FUNCTION = {"id": "a.py::f", "kind": "function"}


def table(**columns: list[int]) -> dict[str, Any]:
    """Two functions that call each other, with some columns otherwise."""
    known = {"callees": [0, 1], "sizes": [1, 1], "callers": [1, 0], "weights": [5, 7]}
    return {"ids": ["a.py::f", "a.py::g"], "counted": {**known, **columns}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the profile is empty"),
        (b"  \n", "the profile is empty"),
        (b"not json", "not a runtime profile"),
        (b"[]", "not a runtime profile"),
        (b"{}", "not a runtime profile"),
        (b'{"schema": "speedscope"}', "not a runtime profile"),
        (b'{"schema": "gate.runtime-profile/2"}', "has schema 'gate.runtime-profile/2', this gate reads"),
        (b'{"schema": 1}', "not a runtime profile"),
        (b'{"schema": "gate.runtime-profile/1"}', "missing required field `meta`"),
        (encode(FULL)[:-200], "not a runtime profile"),
        (b"[" * 200_000, "not a runtime profile"),
        (b"\xff\xfe", "not a runtime profile"),
        (gzip.compress(encode(FULL), mtime=0)[:200], "damaged or cut off"),
        (b"\x1f\x8b\x08", "damaged or cut off"),
        (patched(functions=[FUNCTION, FUNCTION]), "a function is there twice"),
        (patched(functions=[{"id": "a.py::f"}]), "missing required field `kind`"),
        (patched(functions=[{**FUNCTION, "kind": "macro"}]), "Invalid enum value 'macro'"),
        (patched(functions=[{**FUNCTION, "calls": -1}]), "is smaller than 0"),
        (patched(functions=[{**FUNCTION, "calls": "many"}]), "Expected `int | null`"),
        (patched(functions=[{**FUNCTION, "error_rate": 1.5}]), "is larger than 1"),
        (patched(functions=[{**FUNCTION, "time_total": {"share": -0.1}}]), "is smaller than 0"),
        (patched(functions=[{**FUNCTION, "calls_per_min": float("nan")}]), "not a runtime profile"),
        (patched(functions=[{**FUNCTION, "calls_per_min": float("inf")}]), "not a runtime profile"),
        (patched(edges=[{"caller": "a", "callee": "b", "basis": "guessed"}]), "Invalid enum value 'guessed'"),
        (patched(edges={"counted": {"callees": [0], "sizes": [1]}}), "1 callers by size and 0 in their list"),
        (patched(edges=table(weights=[])), "2 callers and 0 weights"),
        (patched(edges=table(callers=[0, 2])), "name functions that are not among their ids"),
        (patched(edges=table(callees=[-1, 1])), "is smaller than 0"),
        (patched(edges=table(callees=[0, 2])), "name functions that are not among their ids"),
        (patched(edges=table(callees=[1, 0])), "not in order"),
        (patched(edges=table(sizes=[3, -1])), "is smaller than 0"),
        (patched(edges=table(weights=[1, 2**64])), "not a valid runtime profile"),
        (patched(meta=None), "Expected `object`, got `null`"),
    ],
)
def test_what_is_no_profile_is_said(content: bytes, message: str) -> None:
    with pytest.raises(UsageError) as error:
        decode(content)
    assert message in error.value.message
    assert error.value.hint


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no profile at") as error:
        load(tmp_path / "gone.json")
    assert "gate profile import" in error.value.hint
    with pytest.raises(UsageError, match="no profile at"):
        load(tmp_path)
    (tmp_path / "p.json").write_text("{")
    with pytest.raises(UsageError, match=r"p\.json: not a runtime profile"):
        load(tmp_path / "p.json")


def test_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(FULL, tmp_path / "p.json")
    bomb = gzip.compress(b" " * 5_000, mtime=0)
    monkeypatch.setattr(document, "MAX_BYTES", 1_000)
    with pytest.raises(UsageError, match="more than 1,000 bytes"):
        load(tmp_path / "p.json")
    with pytest.raises(UsageError, match="more than 1,000 bytes of content"):
        decode(bomb)


def test_fields_of_a_later_gate_are_passed_over() -> None:
    assert decode(patched(functions=[{**FUNCTION, "novel": 1}])).functions[0].id == "a.py::f"


@given(st.binary(max_size=300), st.integers(0, 2_000))
def test_only_usage_errors_come_of_damaged_profiles(noise: bytes, at: int) -> None:
    text = encode(FULL)
    for content in (noise, text[:at] + noise + text[at + len(noise) :]):
        with suppress(UsageError):
            decode(content)


def many(*ids: str) -> bytes:
    return encode(
        Profile(meta=Meta(), functions=tuple(ProfiledFunction(id=id, kind="function", calls=3) for id in ids))
    )


def test_rows_are_made_when_they_are_asked_for() -> None:
    ids = [f"a{number}.py::f" for number in range(9)]
    found = decode(many(*ids).replace(b'"a3.py::f","kind":"function"', b'"a3.py::f","kind":"macro"'))
    assert (len(found.functions), list(found.ids())) == (9, ids)
    assert found.has_file("a3.py")
    assert not found.has_file("a.py")
    row = found.function("a4.py::f")
    assert row is not None
    assert row.calls == 3
    assert found.function("b.py::f") is None
    with pytest.raises(UsageError, match="not a valid runtime profile: Invalid enum value 'macro'"):
        found.function("a3.py::f")
    with pytest.raises(UsageError, match="not a valid runtime profile"):
        list(found.functions)


def test_a_row_has_one_id() -> None:
    doubled = many("a.py::f", "b.py::f").replace(b'"kind":"function"', b'"kind":"function","id":"c.py::f"', 1)
    with pytest.raises(UsageError, match="a function has two ids"):
        decode(doubled).function("a.py::f")


@pytest.mark.parametrize("id", ['a.py::"f', "a\\b.py::f", "é.py::f", "a\n.py::f", ""])
def test_ids_of_any_text(id: str) -> None:
    found = decode(many(id, "z.py::f"))
    assert sorted(found.ids()) == list(found.ids()) == sorted([id, "z.py::f"])
    row = found.function(id)
    assert row is not None
    assert row.id == id
    assert found == Profile(meta=Meta(), functions=tuple(found.functions))


ROWS = [b'{"id":"a.py::f","kind":"function"}', b'{"id":"b.py::f","kind":"method"}', b'{"id":"c.py::f","kind":"async"}']


@pytest.mark.parametrize(
    "functions",
    [
        b"[\n" + b",\n".join(ROWS) + b"\n]",
        b"[" + b",".join(ROWS) + b"]",
        b"[\n" + b",".join(ROWS) + b"\n]",
        b"[\n" + b"\n,".join(ROWS) + b"\n]",
        b"[\n" + b" ,\n".join(ROWS) + b"\n]",
        b"[\n" + b",\n\n".join(ROWS) + b"\n]",
        b"[\n" + b",\n".join(reversed(ROWS)) + b"\n]",
        b"[\n" + b",\n".join([*ROWS[:2], ROWS[2].replace(b"c.py", b"\\u0063.py")]) + b"\n]",
        b"[\n" + b",\n".join([*ROWS[:2], ROWS[2].replace(b",", b",\n")]) + b"\n]",
        b"[\n" + b",\n".join([*ROWS[:2], ROWS[2].replace(b'{"id"', b'{ "id"')]) + b"\n]",
    ],
)
def test_rows_are_the_same_however_their_lines_are_laid_out(functions: bytes) -> None:
    found = decode(b'{"schema": "gate.runtime-profile/1", "meta": {}, "functions": ' + functions + b"}")
    assert [(row.id, row.kind) for row in found.functions] == [
        ("a.py::f", "function"),
        ("b.py::f", "method"),
        ("c.py::f", "async"),
    ]
    assert found.function("b.py::f") == found.functions[1]
    assert found.function("c.py::g") is None
