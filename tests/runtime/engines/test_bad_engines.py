"""Every engine against every way to fail: one clear error of gate's, in bounded time, and nothing read of it."""

import socket
from collections.abc import Iterator

import pytest

from gatecli.config import Engine, FetchConfig
from gatecli.errors import GateError
from gatecli.runtime import engines
from gatecli.runtime.engines import url
from tests.runtime.engines import fake

NOW = 1_795_223_600
ENGINES = [Engine.CLICKHOUSE, Engine.PROMETHEUS, Engine.PYROSCOPE, Engine.SENTRY, Engine.URL]
HTML = b"<!DOCTYPE html><html><body>Please sign in</body></html>"
ANSWERS: dict[str, tuple[int, bytes, dict[str, str]]] = {
    "a web page": (200, HTML, {"Content-Type": "text/html"}),
    "a web page as an error": (502, HTML, {"Content-Type": "text/html"}),
    "overloaded": (503, b"busy", {}),
    "a refusal": (401, b'{"detail": "Authentication credentials were not provided."}', {}),
    "not here": (404, b"not here", {}),
    "nothing": (200, b"", {}),
    "half a body": (200, b'{"status": "success", "data": {"resultType": "vector", "result": [{"metric"', {}),
    "less than it says": (200, b'{"status":', {"Content-Length": "900"}),
    "no JSON": (200, b"\x00\xff\xfe garbage \x1b[2J ::error::x", {}),
    "a list": (200, b"[1, 2, 3]", {}),
    "a number": (200, b"9" * 400, {}),
    "null": (200, b"null", {}),
    "deep": (200, b"[" * 200_000, {}),
    "gzip that is none": (200, b"\x1f\x8b\x08 not gzip", {"Content-Encoding": "gzip"}),
    "another engine": (200, b'{"shared": {"frames": []}, "profiles": []}', {}),
    "a redirect to the cloud's own address": (302, b"", {"Location": "http://169.254.169.254/latest/meta-data/"}),
    "a redirect to a file": (307, b"", {"Location": "file:///etc/passwd"}),
    "a redirect to nowhere": (301, b"", {}),
}


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[fake.Engine]:
    monkeypatch.setattr(url, "_PAUSES_S", (0.01, 0.01))
    with fake.engine() as found:
        yield found


def refused(kind: Engine, address: str, **options: float) -> GateError:
    source = FetchConfig(engine=kind, url=address, service="shop", organization="shop", **options)
    with pytest.raises(GateError) as error:
        engines.fetch(source, now=NOW, window_s=3_600)
    assert error.value.hint
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 1_000
    return error.value


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("kind", ENGINES)
def test_an_answer_that_is_none(kind: Engine, answer: str, engine: fake.Engine) -> None:
    status, body, headers = ANSWERS[answer]
    engine.answers = Everywhere(status, body, headers)
    refused(kind, f"{engine.address}/")


class Everywhere(dict[str, tuple[int, bytes, dict[str, str]]]):
    """The same answer at every path."""

    def __init__(self, *answer: object) -> None:
        self.answer = answer

    def get(self, path: str, default: object = None) -> object:  # type: ignore[override]
        return self.answer


@pytest.mark.parametrize("kind", ENGINES)
def test_nobody_is_there(kind: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(url, "_PAUSES_S", (0.01, 0.01))
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        error = refused(kind, f"http://127.0.0.1:{reserved.getsockname()[1]}/")
    assert "cannot be fetched" in error.message


@pytest.mark.parametrize("kind", ENGINES)
def test_an_engine_that_does_not_answer_in_time(kind: Engine, engine: fake.Engine) -> None:
    engine.pause_s = 3.0
    assert "did not answer in 0.3 s" in refused(kind, f"{engine.address}/", timeout_s=0.3).message
