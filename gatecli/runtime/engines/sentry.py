"""Profiles in Sentry, merged there into one flame graph of functions.

https://docs.sentry.io/api/ : ``GET /api/0/organizations/ORG/profiling/flamegraph/``. The answer is speedscope JSON.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from gatecli.config import FetchConfig
from gatecli.errors import UsageError
from gatecli.runtime.engines.url import Question


def fetch(source: FetchConfig, ask: Callable[[Question], bytes], started: float, ended: float) -> bytes:
    """The flame graph of the time between two moments (UTC epoch seconds).

    Raises:
        UsageError: no organisation is named.
    """
    if not source.organization:
        raise UsageError("Sentry keeps profiles by organisation", "name it: --organization my-company")
    parameters = {"dataSource": "profiles", "start": _moment(started), "end": _moment(ended)}
    if source.project:
        parameters["project"] = source.project
    if source.service:
        parameters["query"] = f"transaction:{source.service}"
    path = f"api/0/organizations/{quote(source.organization, safe='')}/profiling/flamegraph/"
    return ask(Question(url=f"{source.url.rstrip('/')}/{path}?{urlencode(parameters)}"))


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
