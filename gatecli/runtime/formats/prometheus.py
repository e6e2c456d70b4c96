"""Prometheus text: counters whose labels name a module and a function, as autometrics writes them.

https://prometheus.io/docs/instrumenting/exposition_formats/ · https://github.com/autometrics-dev/autometrics-shared
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO

from gatecli.errors import EvidenceError, UsageError
from gatecli.runtime.recording import Basis, Frame, Record, Recording

MAX_SERIES = 2_000_000
MAX_LINE_BYTES = 64 * 1024

_SERIES = re.compile(r"(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>.*)\})?[ \t]+(?P<value>\S+)(?:[ \t]+\S+)?", re.ASCII)
_LABEL = re.compile(r'\s*([a-zA-Z_]\w*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)', re.ASCII)
_ESCAPES = {"\\n": "\n", '\\"': '"', "\\\\": "\\"}
_FUNCTION = ("function", "function_name", "code_function_name", "code_function", "func")
_MODULE = ("module", "module_name", "code_namespace", "namespace")
_RESULT = ("result", "status", "outcome")
_FAILED = frozenset({"error", "failure", "failed", "exception"})
# autometrics' name, and that of its OpenTelemetry exporter.
_KNOWN = ("function_calls_total", "function_calls_count_total", "function_calls_count")
_COUNTER = re.compile(r"(?:.*_)?(?:calls|count|total|invocations)")
_REVISION = re.compile(r"[0-9a-f]{7,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    """One series at one moment."""

    metric: str
    labels: Mapping[str, str]
    value: float


def matches(head: bytes) -> bool:
    """Whether the first lines are comments of the format, or series with labels."""
    text = head.decode("utf-8", "replace")
    if "\0" in text:
        return False
    lines = [line for line in text.split("\n")[:50] if line.strip()]
    if any(line.startswith(("# TYPE ", "# HELP ")) for line in lines):
        return True
    first = lines[0] if lines else ""
    return "{" in first and first[0] not in "{[" and _SERIES.fullmatch(first.strip()) is not None


def read(stream: IO[bytes]) -> Recording:
    """Read what a ``/metrics`` endpoint answered, or several answers one behind another.

    Raises:
        EvidenceError: cut off, malformed, or above a bound.
        UsageError: no counter names a function.
    """
    samples = list(_samples(stream))
    metric = _metric(samples)
    calls: Counter[Frame] = Counter()
    errors: dict[Frame, int] = {}
    edges: Counter[tuple[Frame, Frame]] = Counter()
    for sample in samples:
        frame = function_of(sample.labels)
        if sample.metric != metric or frame is None:
            continue
        count = _count(sample)
        calls[frame] += count
        fails = failed(sample.labels)
        if fails is not None:
            errors[frame] = errors.get(frame, 0) + (count if fails else 0)
        caller = caller_of(sample.labels)
        if caller is not None and count:
            edges[frame, caller] += count
    return _recording(samples, metric, calls, errors, edges)


def _recording(
    samples: list[_Sample],
    metric: str,
    calls: Mapping[Frame, int],
    errors: Mapping[Frame, int],
    edges: Mapping[tuple[Frame, Frame], int],
) -> Recording:
    seconds = _seconds(samples, metric)
    frames = {frame: index for index, frame in enumerate(dict.fromkeys([*calls, *(caller for _, caller in edges)]))}
    callers: dict[Frame, list[tuple[int, int]]] = defaultdict(list)
    for (frame, caller), count in edges.items():
        callers[frame].append((frames[caller], count))
    never = sum(not count for count in calls.values())
    warnings = [f"only functions that {metric[:80]} counts are here: absence says nothing"]
    if never:
        warnings.append(f"{never:,} counted functions were not called since the process started")
    others = {s.metric for s in samples if s.metric != metric and _is_counter(s.metric) and function_of(s.labels)}
    if len(others - _of_histograms(metric)) > 0:
        warnings.append(f"other counters are left out: {', '.join(sorted(others - _of_histograms(metric)))[:200]}")
    starts = [s.value for s in samples if s.metric == "process_start_time_seconds" and 0 < s.value < 1e11]
    services = {s.labels["service_name"] for s in samples if s.labels.get("service_name")}
    commits = {s.labels["commit"] for s in samples if s.metric == "build_info" and s.labels.get("commit")}
    revision = next(iter(commits)) if len(commits) == 1 else None
    is_revision = revision is not None and _REVISION.fullmatch(revision) is not None
    return Recording(
        kind="prometheus",
        basis=Basis.COUNTED,
        frames=tuple(frames),
        records=tuple(
            Record(
                frame=frames[frame],
                calls=count,
                total_weight=seconds.get(frame),
                callers=tuple(callers[frame]),
                errors=errors.get(frame),
            )
            for frame, count in calls.items()
        ),
        clock="wall",
        started_at=min(starts, default=None),
        service=next(iter(services)) if len(services) == 1 else None,
        revision=revision if is_revision else None,
        revision_source="build_info" if is_revision else None,
        selective=True,
        warnings=tuple(warnings),
    )


def _samples(stream: IO[bytes]) -> Iterator[_Sample]:
    number = found = 0
    while raw := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(raw) > MAX_LINE_BYTES:
            raise EvidenceError(f"line {number:,} has more than {MAX_LINE_BYTES:,} bytes")
        line = raw.decode("utf-8", "replace").strip()
        if not line or line.startswith("#"):
            continue
        match = _SERIES.fullmatch(line.partition("} # {")[0] + "}" if "} # {" in line else line.partition(" # {")[0])
        if match is None:
            raise EvidenceError(f"line {number:,} is not Prometheus text", "was the answer cut off?")
        found += 1
        if found > MAX_SERIES:
            raise EvidenceError(f"more than {MAX_SERIES:,} series", "ask for fewer metrics")
        try:
            value = float(match["value"])
        except ValueError:
            raise EvidenceError(f"line {number:,} has no number", "was the answer cut off?") from None
        yield _Sample(metric=match["name"], labels=_labels(match["labels"] or "", number), value=value)


def _labels(text: str, number: int) -> dict[str, str]:
    result = {}
    position = 0
    while position < len(text):
        match = _LABEL.match(text, position)
        if match is None:
            raise EvidenceError(f"line {number:,} has a malformed label", "was the answer cut off?")
        result[match[1]] = re.sub(r'\\[n"\\]', lambda escape: _ESCAPES[escape[0]], match[2])
        position = match.end()
    return result


def function_of(labels: Mapping[str, str], prefix: str = "") -> Frame | None:
    """The dotted name of a function; the labels have it whole, or its module by itself."""
    function = next((value for name in _FUNCTION if (value := labels.get(prefix + name))), None)
    module = next((value for name in _MODULE if (value := labels.get(prefix + name))), None)
    if function is None or (module is None and "." not in function):
        return None
    return Frame(file=None, name=f"{module}.{function}" if module else function, dotted=True)


def caller_of(labels: Mapping[str, str]) -> Frame | None:
    """The function that called the one that is counted."""
    return function_of(labels, "caller_")


def failed(labels: Mapping[str, str]) -> bool | None:
    """Whether the calls that are counted failed, None where no label says."""
    result = next((labels[name] for name in _RESULT if name in labels), None)
    return None if result is None else result.lower() in _FAILED


def _is_counter(metric: str) -> bool:
    return _COUNTER.fullmatch(metric) is not None


def _metric(samples: list[_Sample]) -> str:
    """The counter that names functions: one of a known name, else the one with the most series."""
    found = Counter(s.metric for s in samples if _is_counter(s.metric) and function_of(s.labels))
    for known in _KNOWN:
        if known in found:
            return known
    if not found:
        raise UsageError(
            "no counter has labels for a function and its module",
            "gate reads labels such as module and function; traces give entry points",
        )
    return max(found, key=lambda metric: (found[metric], metric))


def _of_histograms(metric: str) -> set[str]:
    base = metric.removesuffix("_total").removesuffix("_count")
    return {f"{base}_duration_seconds_count", f"{base}_duration_count", f"{base}_count"}


def _seconds(samples: list[_Sample], metric: str) -> dict[Frame, float]:
    """Seconds in each function with what it calls, where a histogram beside the counter has them."""
    base = metric.removesuffix("_total").removesuffix("_count")
    wanted = (f"{base}_duration_seconds_sum", f"{base}_duration_sum")
    result: dict[Frame, float] = {}
    for sample in samples:
        if sample.metric in wanted and (frame := function_of(sample.labels)) and 0 <= sample.value < 1e15:
            result[frame] = result.get(frame, 0.0) + sample.value
    return result


def _count(sample: _Sample) -> int:
    if sample.value != sample.value:  # what a counter that never ran may be
        return 0
    if not 0 <= sample.value < 2**63:
        raise EvidenceError(f"{sample.metric[:80]} has the count {sample.value:g}", "was the answer edited?")
    return round(sample.value)
