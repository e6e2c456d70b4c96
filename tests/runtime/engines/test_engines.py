"""Pyroscope, Sentry and plain addresses: what is asked, what comes of the answers, and what of other answers."""

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gatecli.config import Engine, FetchConfig
from gatecli.errors import EvidenceError, GateError, UsageError
from gatecli.runtime import engines
from gatecli.runtime.formats.protobuf import fields
from gatecli.runtime.recording import Recording
from tests.runtime.engines import fake
from tests.runtime.formats.wire import message
from tests.runtime.support import PROFILES, build, recording, rows

NOW = 1_795_223_600
STACKTRACES = "/querier.v1.QuerierService/SelectMergeStacktraces"
PPROF = (PROFILES / "pyroscope-python.pprof").read_bytes()
FLAMEGRAPH = "/api/0/organizations/my%20shop/profiling/flamegraph/"


@pytest.fixture
def engine() -> Iterator[fake.Engine]:
    with fake.engine() as found:
        yield found


def fetch(kind: Engine, engine: fake.Engine, path: str = "", **options: Any) -> Recording:
    source = FetchConfig(engine=kind, url=f"{engine.address}{path}", **options)
    return engines.fetch(source, now=NOW, window_s=3_600)


def answered(profile: bytes) -> bytes:
    """``SelectMergeStacktracesResponse.pprof.profile``: fields 5 and 1 of Pyroscope's querier.proto."""
    return message(5, message(1, profile))


def test_pyroscope_merges_and_answers_pprof(engine: fake.Engine) -> None:
    engine.answer(STACKTRACES, answered(PPROF))
    found = fetch(Engine.PYROSCOPE, engine, "/", service='sh"op', tenant="team-1")
    assert rows(build(found)).keys() == rows(build(recording("pyroscope-python.pprof"))).keys()
    method, _, headers, body = engine.asked[0]
    assert (method, headers["X-Scope-OrgID"], headers["Content-Type"]) == ("POST", "team-1", "application/proto")
    assert [(field, bytes(content) or value) for field, _, value, content in fields(memoryview(body))] == [
        (1, b"process_cpu:cpu:nanoseconds:cpu:nanoseconds"),
        (2, b'{service_name="sh\\"op"}'),
        (3, (NOW - 3_600) * 1_000),
        (4, NOW * 1_000),
        (6, 4),  # PROFILE_FORMAT_PPROF
    ]


def test_an_older_pyroscope_is_asked_the_older_way(engine: fake.Engine) -> None:
    engine.answer(STACKTRACES, message(1, message(1, b"total")))  # a flame graph
    engine.answer("/querier.v1.QuerierService/SelectMergeProfile", PPROF)
    found = fetch(Engine.PYROSCOPE, engine, service="shop")
    assert "shop/store.py::AuditedStore.audit" in rows(build(found))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "no samples of shop of type process_cpu"),
        (answered(b""), "no samples of shop of type process_cpu"),
        (answered(PPROF)[:-10], "not an answer of Pyroscope"),
        (answered(b"AAAA"), "not a known profile format"),
        (b"{}", "not an answer of Pyroscope"),
        (b"<html>", "the answer is a web page"),
    ],
)
def test_what_pyroscope_does_not_answer(engine: fake.Engine, body: bytes, message: str) -> None:
    engine.answer(STACKTRACES, body)
    with pytest.raises(GateError) as error:
        fetch(Engine.PYROSCOPE, engine, service="shop")
    assert message in error.value.message


def test_pyroscope_needs_a_service(engine: fake.Engine) -> None:
    with pytest.raises(UsageError, match="Pyroscope keeps profiles by service"):
        fetch(Engine.PYROSCOPE, engine)


def sentry_answer() -> bytes:
    """A flame graph in the shape of Sentry's, of two functions of the sample program."""
    frames = [
        {"name": "Checkout.__call__", "file": "shop/checkout.py", "path": "/srv/shop/checkout.py", "line": 16},
        {"name": "Store.save", "file": "shop/store.py", "path": "/srv/shop/store.py", "line": 19},
    ]
    profile = {
        "type": "sampled",
        "name": "",
        "unit": "nanoseconds",
        "startValue": 0,
        "endValue": 40,
        "samples": [[0], [0, 1]],
        "weights": [10_000_000, 30_000_000],
    }
    infos = [{"count": 4, "weight": 1, "sumDuration": 1}] * 2
    return json.dumps({"shared": {"frames": frames, "frame_infos": infos}, "profiles": [profile]}).encode()


def test_sentry_merges_profiles(engine: fake.Engine) -> None:
    engine.answer(FLAMEGRAPH.replace("%20", "%20"), sentry_answer())
    found = rows(build(fetch(Engine.SENTRY, engine, organization="my shop", project="42", service="orders.create")))
    total = found["shop/checkout.py::Checkout.__call__"].time_total
    save = found["shop/store.py::Store.save"].time_self
    assert total is not None
    assert save is not None
    assert (total.share, save.share) == (1.0, 0.75)
    asked = parse_qs(urlsplit(engine.asked[0][1]).query)
    assert asked == {
        "dataSource": ["profiles"],
        "project": ["42"],
        "query": ["transaction:orders.create"],
        "start": ["2026-11-21T00:13:20"],
        "end": ["2026-11-21T01:13:20"],
    }


def test_sentry_needs_an_organisation(engine: fake.Engine) -> None:
    with pytest.raises(UsageError, match="Sentry keeps profiles by organisation"):
        fetch(Engine.SENTRY, engine)


@pytest.mark.parametrize(
    "name", ["pyspy.raw.txt", "otlp.flask.jsonl", "cprofile-3.11.pstats", "datadog-python.pprof.gz"]
)
def test_any_address_that_serves_a_recording(engine: fake.Engine, name: str) -> None:
    engine.answer("/latest", (PROFILES / name).read_bytes())
    there = build(fetch(Engine.URL, engine, "/latest?signature=secret"))
    assert rows(there).keys() == rows(build(recording(name))).keys()
    assert there.meta.sources[0].file == f"{engine.address}/latest", "without its query"


@pytest.mark.parametrize(
    ("body", "headers", "message"),
    [
        (b"<!doctype html>", {}, "the answer is a web page"),
        (b"", {}, "the file is empty"),
        (PPROF[:-100], {}, "cut off"),
        (PPROF[:-100], {"Content_Length": str(len(PPROF))}, "the answer was cut off"),
        (b"hello", {}, "not a known profile format"),
    ],
)
def test_addresses_that_serve_none(engine: fake.Engine, body: bytes, headers: dict[str, str], message: str) -> None:
    engine.answer("/latest", body, **headers)
    with pytest.raises(GateError) as error:
        fetch(Engine.URL, engine, "/latest")
    assert message in error.value.message


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_question_does_not_follow_redirects(engine: fake.Engine, status: int) -> None:
    engine.answer(STACKTRACES, b"", status, Location="http://169.254.169.254/")
    with pytest.raises(EvidenceError, match="redirects a question"):
        fetch(Engine.PYROSCOPE, engine, service="shop")


def test_a_token_with_a_user_is_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    from gatecli.runtime.engines import url

    monkeypatch.setenv(url.TOKEN_VARIABLE, "s3cret")
    assert url._header() == "Bearer s3cret"
    monkeypatch.setenv(url.USER_VARIABLE, "gate")
    assert url._header() == f"Basic {base64.b64encode(b'gate:s3cret').decode()}"
    monkeypatch.setenv(url.USER_VARIABLE, "ga:te")
    with pytest.raises(UsageError, match="GATE_PROFILE_USER holds a colon"):
        url._header()


def test_a_file_that_is_too_large(engine: fake.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "MAX_ANSWER_BYTES", 1_000)
    engine.answer("/latest", gzip.compress(b"0" * 10_000), Content_Encoding="gzip")
    with pytest.raises(EvidenceError, match="more than 1,000 bytes"):
        fetch(Engine.URL, engine, "/latest")


def test_nothing_is_left_in_the_temporary_folder(
    engine: fake.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    engine.answer("/latest", b"hello")
    with pytest.raises(GateError):
        fetch(Engine.URL, engine, "/latest")
    assert list(tmp_path.iterdir()) == []
