"""Where a finding is pinned in the diff: code scanning shows on a pull request only what lies on a line it added."""

from collections.abc import Callable

from gatecli.model import Finding, FunctionId, Report, Span


def anchors(report: Report) -> Callable[[Finding], int]:
    """Finding → line of the new side to pin it to.

    Its own line where the change added it; else the nearest added line of its function, else of its file; else its own
    line all the same, or 1 where it has none.
    """
    added = {file.path: sorted(line for hunk in file.hunks for line in hunk.added) for file in report.case.change.files}
    spans = {change.id: change.after.span for change in report.case.functions if change.after is not None}

    def anchor(finding: Finding) -> int:
        lines = added.get(finding.path, [])
        wanted = max(1, finding.line or 1)
        if wanted in lines:
            return wanted
        return _nearest(wanted, _within(lines, spans, finding.function)) or _nearest(wanted, lines) or wanted

    return anchor


def _within(lines: list[int], spans: dict[FunctionId, Span], function: FunctionId | None) -> list[int]:
    span = spans.get(function) if function else None
    return [line for line in lines if line in span] if span else []


def _nearest(wanted: int, lines: list[int]) -> int | None:
    return min(lines, key=lambda line: (abs(line - wanted), line), default=None)
