"""What of a report is shown, and in which order: touched functions, findings, reasons, and what would be otherwise."""

from dataclasses import dataclass

from gatecli.model import (
    Blast,
    ChangeKind,
    Decision,
    Finding,
    FunctionChange,
    FunctionHistory,
    Outcome,
    Reason,
    Report,
    Severity,
    Usage,
)

MAX_REASONS = 5
"""More reasons than a reviewer keeps in mind are a list, not an answer."""

MINOR_POINTS = 2
"""Up to here a function is named only on request: 2 points are odds times 1.15, less than any weight is known to."""

_SEVERITIES = (Severity.BLOCK, Severity.REVIEW, Severity.NOTE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A touched function with what is known of it; ``risk`` in points."""

    function: FunctionChange
    usage: Usage | None
    blast: Blast | None
    history: FunctionHistory | None
    risk: int
    notable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """A reason with the finding behind it, where one finding is."""

    reason: Reason
    finding: Finding | None


def rows(report: Report) -> tuple[Row, ...]:
    """Every touched function, riskiest first, then busiest; those that matter before those that do not."""
    named = {
        finding.function for finding in flagged(report) if finding.function and finding.severity is not Severity.NOTE
    }
    case = report.case
    found = [
        Row(
            function=function,
            usage=case.usage.get(function.id),
            blast=case.blast.get(function.id),
            history=case.history.get(function.id),
            risk=(risk := report.score.by_function.get(function.id, 0)),
            notable=risk > MINOR_POINTS or function.id in named,
        )
        for function in case.functions
    ]
    return tuple(sorted(found, key=_row_order))


def _row_order(row: Row) -> tuple[bool, int, bool, float, str]:
    calls = row.usage.calls_per_minute if row.usage else None
    cosmetic = row.function.kind is ChangeKind.COSMETIC
    return not row.notable, -row.risk, cosmetic, -(calls or 0.0), str(row.function.id)


def flagged(report: Report) -> tuple[Finding, ...]:
    """The findings that ask for something, gravest first."""
    return tuple(
        sorted(
            (finding for finding in report.findings if finding.outcome is Outcome.FLAGGED),
            key=lambda finding: (
                _SEVERITIES.index(finding.severity),
                -finding.points,
                finding.path,
                finding.line or 0,
                finding.rule,
                finding.message,
            ),
        )
    )


def alike(findings: tuple[Finding, ...]) -> tuple[tuple[Finding, ...], ...]:
    """Findings that say the same of several places, together; in the order of the first of each."""
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.rule, finding.severity, finding.message, finding.remedy), []).append(finding)
    return tuple(map(tuple, groups.values()))


def blockers(report: Report) -> tuple[Finding, ...]:
    """The findings that block on their own: empty unless the verdict is block."""
    if report.verdict.outcome is not Decision.BLOCK:
        return ()
    return tuple(finding for finding in flagged(report) if finding.severity is Severity.BLOCK)


def whys(report: Report) -> tuple[Why, ...]:
    """The reasons of the verdict, strongest first and at most five, each with its finding."""
    findings = flagged(report)
    return tuple(
        Why(reason=reason, finding=finding_of(reason, findings)) for reason in report.verdict.reasons[:MAX_REASONS]
    )


def finding_of(reason: Reason, findings: tuple[Finding, ...]) -> Finding | None:
    """The finding that a reason speaks of: the same rule at the same place."""
    for finding in findings:
        if finding.rule == reason.rule and finding.path == reason.path and finding.line == reason.line:
            return finding
    return None


def place(path: str | None, line: int | None) -> str:
    """``path:line`` as editors and terminals link it, as far as it is known."""
    if path is None:
        return ""
    return path if line is None else f"{path}:{line}"


def rule_name(finding: Finding) -> str:
    """The rule with its short code: ``io-in-hot-loop P01``."""
    return f"{finding.rule} {finding.code}".strip()


def without(report: Report, rule: str) -> str | None:
    """``31, pass``: what the change would be without one rule or feature; the decision only where it is another."""
    left = report.score.without.get(rule)
    if left is None:
        return None
    return f"{left.total:,}" + (f", {left.decision}" if left.decision is not report.verdict.decision else "")


def counterfactuals(report: Report, most: int) -> tuple[str, ...]:
    """``without signature: 31, pass``: first what would change the decision, else the strongest alone."""
    decision = report.verdict.decision
    telling = [rule for rule, left in report.score.without.items() if left.decision is not decision]
    rules = telling or list(report.score.without)[:1]
    return tuple(f"without {rule}: {without(report, rule)}" for rule in rules[:most])
