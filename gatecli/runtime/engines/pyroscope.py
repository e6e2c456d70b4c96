"""Samples in Grafana Pyroscope: all profiles of a service merged there, answered as one pprof.

``SelectMergeStacktraces`` of https://github.com/grafana/pyroscope (api/querier/v1/querier.proto), as JSON over Connect;
older servers, which have no pprof there, answer ``SelectMergeProfile``.
"""

import base64
import binascii
from collections.abc import Callable

import msgspec

from gatecli.config import FetchConfig
from gatecli.errors import EvidenceError, UsageError
from gatecli.runtime.engines.url import Question

_SERVICE = "querier.v1.QuerierService"


class _Pprof(msgspec.Struct):
    profile: str = ""


class _Answer(msgspec.Struct):
    pprof: _Pprof | str | None = None


def fetch(source: FetchConfig, ask: Callable[[Question], bytes], started: float, ended: float) -> bytes:
    """The pprof of the time between two moments (UTC epoch seconds).

    Raises:
        UsageError: no service is named, or there are no samples of it.
        EvidenceError: the answer is none of Pyroscope's.
    """
    if not source.service:
        raise UsageError("Pyroscope keeps profiles by service", "name it: --service shop")
    quoted = msgspec.json.encode(source.service).decode()
    request = {
        "start": round(started * 1000),
        "end": round(ended * 1000),
        "profileTypeID": source.type,
        "labelSelector": f"{{service_name={quoted}}}",
    }
    answer = _ask(source, ask, "SelectMergeStacktraces", {**request, "format": "PROFILE_FORMAT_PPROF"})
    content = _pprof(answer)
    if content is None:  # a server that knows no formats answers a flame graph, which names neither files nor lines
        content = _ask(source, ask, "SelectMergeProfile", request, accept="application/proto")
    if not content:
        raise UsageError(
            f"no samples of {source.service} of type {source.type}", "check --service, --type and --window"
        )
    return content


def _ask(
    source: FetchConfig,
    ask: Callable[[Question], bytes],
    method: str,
    request: dict[str, object],
    accept: str = "application/json",
) -> bytes:
    headers = {"Content-Type": "application/json", "Accept": accept, "Connect-Protocol-Version": "1"}
    if source.tenant:
        headers["X-Scope-OrgID"] = source.tenant
    url = f"{source.url.rstrip('/')}/{_SERVICE}/{method}"
    return ask(Question(url=url, body=msgspec.json.encode(request), headers=headers))


def _pprof(answer: bytes) -> bytes | None:
    """The profile in an answer, empty where there are no samples, None where it is in another form."""
    try:
        found = msgspec.json.decode(answer, type=_Answer).pprof
        if found is None:
            return b"" if answer.strip() == b"{}" else None
        return base64.b64decode(found if isinstance(found, str) else found.profile, validate=True)
    except (msgspec.DecodeError, UnicodeDecodeError, binascii.Error, ValueError, RecursionError) as error:
        raise EvidenceError(f"not an answer of Pyroscope: {str(error)[:200]}", "is the address right?") from error
