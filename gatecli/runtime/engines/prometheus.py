"""Counters in Prometheus, or anything that answers its query API: rates are computed there, and a row a function comes.

https://prometheus.io/docs/prometheus/latest/querying/api/ · Functions are counted by autometrics or by any counter
whose labels name a module and a function; where there are none, the Collector's span metrics tell entry points. Each
query can be replaced (``queries``); ``{window}`` and ``{selector}`` in it are the time asked for and the service, as
in ``increase(calls_total{selector}[{window}])``.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlencode

import msgspec

from gatecli.config import FetchConfig
from gatecli.errors import EvidenceError, UsageError
from gatecli.runtime.complaints import complaint
from gatecli.runtime.engines.url import Question
from gatecli.runtime.formats.prometheus import caller_of, failed, function_of
from gatecli.runtime.recording import Basis, Durations, Entry, Frame, Operation, Record, Recording

MAX_SERIES = 500_000
_REVISION = re.compile(r"[0-9a-f]{7,64}")

_FUNCTIONS = {
    "calls": "sum by (module, function, result) (increase(function_calls_total{selector}[{window}]))",
    "edges": "sum by (caller_module, caller_function, module, function) "
    "(increase(function_calls_total{selector}[{window}]))",
    **{
        f"p{part}": f"1000 * histogram_quantile(0.{part}, sum by (le, module, function) "
        "(rate(function_calls_duration_seconds_bucket{selector}[{window}])))"
        for part in (50, 95, 99)
    },
    "revision": "group by (commit) (build_info{selector})",
}
_SPANS = {
    "calls": "sum by (span_name, span_kind, status_code) "
    "(increase(traces_span_metrics_calls_total{selector}[{window}]))",
    **{
        f"p{part}": f"histogram_quantile(0.{part}, sum by (le, span_name, span_kind) "
        "(rate(traces_span_metrics_duration_milliseconds_bucket{selector}[{window}])))"
        for part in (50, 95, 99)
    },
}
QUERIES = frozenset({*_FUNCTIONS, "errors"})
"""What may be asked for: calls, errors (where results are no label), edges, latencies in ms, and the revision."""

_KINDS = {"SPAN_KIND_SERVER": "http", "SPAN_KIND_CONSUMER": "task"}
_ROUTE = re.compile(r"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) /*(.+|(?<=/))", re.DOTALL)
_TASK = re.compile(r"(?:run/)?([A-Za-z_][\w.]*)", re.ASCII)


class _Series(msgspec.Struct, gc=False):
    metric: dict[str, str]
    value: tuple[float, str]


class _Data(msgspec.Struct, rename={"result_type": "resultType"}):
    result_type: str
    result: msgspec.Raw = msgspec.Raw(b"[]")


class _Answer(msgspec.Struct, rename={"error_type": "errorType"}):
    status: str
    data: _Data | None = None
    error: str = ""
    error_type: str = ""
    warnings: list[str] = []


_Values = Mapping[str, list[tuple[Mapping[str, str], float]]]


def fetch(source: FetchConfig, ask: Callable[[Question], bytes], started: float, ended: float) -> Recording:
    """Ask for the time between two moments (UTC epoch seconds).

    Raises:
        UsageError: a query is unknown or refused, or none found anything.
        EvidenceError: the answer is cut off, or none of Prometheus'.
    """
    if unknown := sorted(source.queries.keys() - QUERIES):
        raise UsageError(f"unknown query {unknown[0]!r}", f"there are {', '.join(sorted(QUERIES))}")
    window = f"{max(1, round(ended - started))}s"

    def found(queries: Mapping[str, str]) -> _Values:
        asked = {name: _filled(query, source.service, window) for name, query in queries.items()}
        return {name: list(_ask(source, ask, name, query, ended)) for name, query in asked.items()}

    if source.queries:
        values = found(source.queries)
        if not values.get("calls"):
            raise UsageError("the query for calls found nothing", "try it in Prometheus itself")
        return _functions(values) if any(function_of(labels) for labels, _ in values["calls"]) else _spans(values)
    calls = found({"calls": _FUNCTIONS["calls"]})
    if any(function_of(labels) for labels, _ in calls["calls"]):
        return _functions({**found({name: _FUNCTIONS[name] for name in _FUNCTIONS if name != "calls"}), **calls})
    if (spans := found(_SPANS))["calls"]:
        return _spans(spans)
    of = f" of {source.service}" if source.service else ""
    raise UsageError(
        f"neither function_calls_total nor traces_span_metrics_calls_total{of} has anything in this time",
        "name your own counter: --query 'calls=sum by (module, function) (increase(my_total[{window}]))'",
    )


def _filled(query: str, service: str | None, window: str) -> str:
    quoted = "" if service is None else service.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    selector = "" if service is None else f'{{service_name="{quoted}"}}'
    return query.replace("{window}", window).replace("{selector}", selector)


def _ask(
    source: FetchConfig, ask: Callable[[Question], bytes], name: str, query: str, at: float
) -> Iterator[tuple[Mapping[str, str], float]]:
    """The series of an instant query that have a number, with it."""
    body = urlencode({"query": query, "time": f"{at:.3f}"}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    content = ask(Question(url=f"{source.url.rstrip('/')}/api/v1/query", body=body, headers=headers))
    try:
        answer = msgspec.json.decode(content, type=_Answer)
        if answer.status != "success" or answer.data is None:
            raise UsageError(f"the query for {name} was refused: {answer.error[:300]}", "try it in Prometheus itself")
        if answer.data.result_type != "vector":
            raise UsageError(f"the query for {name} gives a {answer.data.result_type[:40]}, not a vector", "add it up")
        series = msgspec.json.decode(answer.data.result, type=list[_Series])
        if len(series) > MAX_SERIES:
            raise EvidenceError(f"more than {MAX_SERIES:,} series", f"add the query for {name} up by function")
        for one in series:
            value = float(one.value[1])
            if 0 <= value < 1e18:  # NaN where a histogram is empty
                yield one.metric, value
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise EvidenceError(f"not an answer of Prometheus: {complaint(error)}", "is the address right?") from error


def _functions(values: _Values) -> Recording:
    frames: dict[Frame, int] = {}
    calls: dict[int, float] = defaultdict(float)
    errors: dict[int, float] = defaultdict(float)
    callers: dict[int, list[tuple[int, int]]] = defaultdict(list)
    told = "errors" in values
    for labels, value in values["calls"]:
        if (frame := function_of(labels)) is not None:
            index = frames.setdefault(frame, len(frames))
            calls[index] += value
            fails = failed(labels)
            told |= fails is not None
            errors[index] += value if fails else 0.0
    for labels, value in values.get("errors", ()):
        if (frame := function_of(labels)) is not None and frame in frames:
            errors[frames[frame]] += value
    for labels, value in values.get("edges", ()):
        frame, caller = function_of(labels), caller_of(labels)
        if frame in frames and caller is not None and round(value):
            callers[frames[frame]].append((frames.setdefault(caller, len(frames)), round(value)))
    times = _durations(values, lambda labels: frames.get(found) if (found := function_of(labels)) else None)
    commits = {labels["commit"] for labels, _ in values.get("revision", ()) if labels.get("commit")}
    revision = next(iter(commits)) if len(commits) == 1 else ""
    is_revision = _REVISION.fullmatch(revision) is not None
    return Recording(
        kind="prometheus",
        basis=Basis.COUNTED,
        frames=tuple(frames),
        records=tuple(
            Record(
                frame=index,
                calls=round(count),
                callers=tuple(callers[index]),
                errors=min(round(errors[index]), round(count)) if told else None,
                durations=_timed(times.get(index), round(count)),
            )
            for index, count in calls.items()
        ),
        clock="wall",
        revision=revision if is_revision else None,
        revision_source="build_info" if is_revision else None,
        selective=True,
        warnings=(
            "only functions that have a counter are here: absence says nothing",
            "counts are extrapolated between scrapes",
        ),
    )


def _durations(values: _Values, key: Callable[[Mapping[str, str]], int | None]) -> Mapping[int, dict[str, float]]:
    result: dict[int, dict[str, float]] = defaultdict(dict)
    for name in ("p50", "p95", "p99"):
        for labels, value in values.get(name, ()):
            if (index := key(labels)) is not None:
                result[index][name] = value
    return result


def _timed(times: Mapping[str, float] | None, count: int) -> Durations | None:
    return Durations(count=count, p50=times.get("p50"), p95=times.get("p95"), p99=times.get("p99")) if times else None


def _spans(values: _Values) -> Recording:
    """Span metrics: server spans are entry points, consumer spans tasks, others functions if they are named so."""
    frames: dict[Frame, int] = {}
    keys: dict[tuple[str, str], int] = {}
    calls: dict[int, float] = defaultdict(float)
    errors: dict[int, float] = defaultdict(float)
    for labels, value in values["calls"]:
        index = keys.setdefault(_span(labels), len(keys))
        calls[index] += value
        errors[index] += value if labels.get("status_code") in ("STATUS_CODE_ERROR", "Error") else 0.0
    times = _durations(values, lambda labels: keys.get(_span(labels)))
    operations = []
    for (name, kind), index in keys.items():
        entry, code = _named(name, kind, frames)
        if entry is None and code is None:
            continue
        durations = _timed(times.get(index), round(calls[index]))
        operations.append(
            Operation(
                count=calls[index],
                errors=min(errors[index], calls[index]),
                entry=entry,
                code=code,
                is_scaled=True,
                durations=durations,
            )
        )
    if not operations:
        raise UsageError("no span metric names a route, a task or a function", "add http.route to the span names")
    return Recording(
        kind="prometheus-spans",
        basis=Basis.SPANS,
        frames=tuple(frames),
        operations=tuple(operations),
        clock="wall",
        selective=True,
        warnings=("span metrics tell entry points, but not what they lead to",),
    )


def _span(labels: Mapping[str, str]) -> tuple[str, str]:
    return labels.get("span_name", ""), labels.get("span_kind", "")


def _named(name: str, kind: str, frames: dict[Frame, int]) -> tuple[Entry | None, int | None]:
    match _KINDS.get(kind):
        case "http" if route := _ROUTE.fullmatch(name):
            return Entry(kind="http", name=f"{route[1]} /{route[2]}"), None
        case "task" if (task := _TASK.fullmatch(name)) and "." in task[1]:
            frame = frames.setdefault(Frame(file=None, name=task[1], dotted=True), len(frames))
            return Entry(kind="task", name=task[1], frame=frame), None
        case None if kind == "SPAN_KIND_INTERNAL" and re.fullmatch(r"\w+(?:\.[\w<>]+)+", name):
            return None, frames.setdefault(Frame(file=None, name=name, dotted=True), len(frames))
    return None, None
