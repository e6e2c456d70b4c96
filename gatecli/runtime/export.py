"""A profile for other tools: a table, plain JSON, or a flame graph for https://www.speedscope.app."""

import csv
import io

import msgspec

from gatecli.errors import UsageError
from gatecli.model import CallFrame, FunctionId
from gatecli.runtime.call_tree import call_tree
from gatecli.runtime.profile import Profile, ProfiledFunction, encode

FORMATS = ("csv", "json", "speedscope")

_COLUMNS = (
    "function", "kind", "first_line", "end_line", "calls", "calls_per_min", "calls_basis", "share", "share_pm95",
    "self_share", "errors", "error_rate", "p50_ms", "p95_ms", "p99_ms", "critical_path_share", "critical_path_basis",
    "callers", "callees", "entry_points",
)  # fmt: skip


def export(profile: Profile, format: str) -> bytes:
    """The profile in one of ``FORMATS``; what is not known is empty in a table, and null elsewhere.

    Raises:
        UsageError: a flame graph is wanted of a profile without callers.
    """
    if format == "csv":
        return _csv(profile)
    return _speedscope(profile) if format == "speedscope" else encode(profile)


def _csv(profile: Profile) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows([_inert(cell) for cell in _row(row)] for row in profile.functions)
    return out.getvalue().encode("utf-8", "replace")


def _row(row: ProfiledFunction) -> list[object]:
    total, latency = row.time_total, row.latency_ms
    return [
        row.id, row.kind, row.first_line, row.end_line, row.calls, row.calls_per_min, row.calls_basis,
        total.share if total else None, total.pm95 if total else None, row.time_self.share if row.time_self else None,
        row.errors, row.error_rate,
        latency.p50 if latency else None, latency.p95 if latency else None, latency.p99 if latency else None,
        row.critical_path_share, row.critical_path_basis, row.callers, row.callees,
        "; ".join(entry.id for entry in row.entry_points),
    ]  # fmt: skip


def _inert(cell: object) -> object:
    """A text that no spreadsheet takes for a formula (https://owasp.org/www-community/attacks/CSV_Injection)."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def _speedscope(profile: Profile) -> bytes:
    """What production does, as stacks weighted by their own share in percent.

    https://github.com/jlfwong/speedscope/wiki/Importing-from-custom-sources
    """
    tree = call_tree(profile, set())
    if tree is None:
        raise UsageError("the profile does not say who calls whom: no flame graph", "export it as csv or json")
    frames: dict[tuple[str, FunctionId | None], int] = {}
    samples: list[list[int]] = []
    weights: list[float] = []
    waiting: list[tuple[CallFrame, list[int]]] = [(frame, []) for frame in reversed(tree.frames)]
    while waiting:
        frame, above = waiting.pop()
        stack = [*above, frames.setdefault((frame.label, frame.function), len(frames))]
        own = frame.share - sum(child.share for child in frame.children)
        if own > 0:
            samples.append(stack)
            weights.append(round(100 * own, 6))
        waiting.extend((child, stack) for child in reversed(frame.children))
    return msgspec.json.encode(
        {
            "$schema": "https://www.speedscope.app/file-format-schema.json",
            "exporter": profile.meta.generator or "gate",
            "name": profile.meta.service or "profile",
            "activeProfileIndex": 0,
            "shared": {"frames": [_frame(profile, label, function) for label, function in frames]},
            "profiles": [
                {
                    "type": "sampled",
                    "name": f"percent of {tree.measure.value}",
                    "unit": "none",
                    "startValue": 0,
                    "endValue": round(sum(weights), 6),
                    "samples": samples,
                    "weights": weights,
                }
            ],
        }
    )


def _frame(profile: Profile, label: str, function: FunctionId | None) -> dict[str, object]:
    if function is None:
        return {"name": label}
    row = profile.function(str(function))
    line = {"line": row.def_line} if row and row.def_line else {}
    return {"name": function.qualname, "file": function.path, **line}
