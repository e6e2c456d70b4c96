"""Samples in Grafana Pyroscope: all profiles of a service merged there, answered as one pprof.

``SelectMergeStacktraces`` of https://github.com/grafana/pyroscope (api/querier/v1/querier.proto) over Connect, in
protobuf: an answer is in the codec of its question, and in JSON it would be no pprof but an object like it. Older
servers, which know no formats, answer a flame graph without files and lines; they are asked ``SelectMergeProfile``.
"""

from collections.abc import Callable

import msgspec

from gatecli.config import FetchConfig
from gatecli.errors import EvidenceError, UsageError
from gatecli.runtime.engines.url import Question
from gatecli.runtime.formats.protobuf import BYTES, fields

_SERVICE = "querier.v1.QuerierService"
# Numbers of fields: of both requests, of the first alone with its value for pprof, and of its answer.
_TYPE, _SELECTOR, _START, _END = 1, 2, 3, 4
_FORMAT, _FORMAT_PPROF = 6, 4
_ANSWERED_PPROF, _PROFILE = 5, 1


def fetch(source: FetchConfig, ask: Callable[[Question], bytes], started: float, ended: float) -> bytes:
    """The pprof of the time between two moments (UTC epoch seconds).

    Raises:
        UsageError: no service is named, or there are no samples of it.
        EvidenceError: the answer is none of Pyroscope's.
    """
    if not source.service:
        raise UsageError("Pyroscope keeps profiles by service", "name it: --service shop")
    quoted = msgspec.json.encode(source.service).decode()
    request = (
        _bytes(_TYPE, source.type.encode())
        + _bytes(_SELECTOR, f"{{service_name={quoted}}}".encode())
        + _number(_START, round(started * 1000))
        + _number(_END, round(ended * 1000))
    )
    content = _pprof(_ask(source, ask, "SelectMergeStacktraces", request + _number(_FORMAT, _FORMAT_PPROF)))
    if content is None:
        content = _ask(source, ask, "SelectMergeProfile", request)
    if not content:
        raise UsageError(
            f"no samples of {source.service} of type {source.type}", "check --service, --type and --window"
        )
    return content


def _ask(source: FetchConfig, ask: Callable[[Question], bytes], method: str, request: bytes) -> bytes:
    headers = {"Content-Type": "application/proto", "Connect-Protocol-Version": "1"}
    if source.tenant:
        headers["X-Scope-OrgID"] = source.tenant
    url = f"{source.url.rstrip('/')}/{_SERVICE}/{method}"
    return ask(Question(url=url, body=request, headers=headers))


def _pprof(answer: bytes) -> bytes | None:
    """The profile in an answer, empty where there are no samples, None where it is in another form."""
    if not answer:
        return b""
    try:
        for number, wire, _, content in fields(memoryview(answer)):
            if number == _ANSWERED_PPROF and wire == BYTES:
                inner = (part for at, kind, _, part in fields(content) if at == _PROFILE and kind == BYTES)
                return bytes(next(inner, b""))
    except EvidenceError:
        raise EvidenceError("not an answer of Pyroscope", "is the address right?") from None
    return None


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | BYTES) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))
