"""Profiles from where they are kept: one module an engine, which adds up there and sends the sums.

What an engine is asked never changes anything there. Its answer is text of others: bounded, checked, and printed plain.
"""

import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from gatecli.config import Engine, FetchConfig
from gatecli.errors import EvidenceError, GateError
from gatecli.runtime import formats
from gatecli.runtime.engines.url import Question, ask, is_page, shown
from gatecli.runtime.recording import Recording

MAX_ANSWER_BYTES = 256 * 1024 * 1024

Ask = Callable[[Question], bytes]
"""Sends a question and returns the whole answer."""


def fetch(source: FetchConfig, *, now: float, window_s: float) -> Recording:
    """What a source answers about the last ``window_s`` seconds before ``now`` (UTC epoch seconds).

    Raises:
        UsageError: the source is configured wrongly.
        EvidenceError: it is down, slow, refuses, or answers something else.
    """
    from gatecli.runtime.engines import clickhouse, prometheus, pyroscope, sentry

    def answer(question: Question) -> bytes:
        content = ask(question, limit_bytes=MAX_ANSWER_BYTES, timeout_s=source.timeout_s)
        if is_page(content):
            raise EvidenceError(
                "the answer is a web page, no data", "is the address right, or is there a sign-in page?"
            )
        return content

    started, ended = now - window_s, now
    try:
        match source.engine:
            case Engine.CLICKHOUSE:
                found = clickhouse.fetch(source, answer, started, ended)
            case Engine.PROMETHEUS:
                found = prometheus.fetch(source, answer, started, ended)
            case Engine.PYROSCOPE:
                found = file(pyroscope.fetch(source, answer, started, ended), source)
            case Engine.SENTRY:
                found = file(sentry.fetch(source, answer, started, ended), source)
            case Engine.URL:
                return file(answer(Question(url=source.url)), source)
    except GateError as error:
        name = shown(urlsplit(source.url))
        message = error.message if name in error.message else f"{name}: {error.message}"
        raise type(error)(message, error.hint) from error
    return replace(
        found,
        file=shown(urlsplit(source.url)),
        window_s=found.window_s or window_s,
        started_at=found.started_at or started,
        ended_at=ended,
        sha256=found.sha256 or hashlib.sha256(repr((source, started, ended)).encode()).hexdigest(),
    )


def file(content: bytes, source: FetchConfig) -> Recording:
    """An answer that is a recording in one of the known formats."""
    with tempfile.TemporaryDirectory(prefix="gate-") as folder:
        path = Path(folder) / "answer"
        path.write_bytes(content)
        return formats.read(path, name_hint=shown(urlsplit(source.url)))
