"""Findings that someone has accepted: by a comment in the code, or in the baseline. They stay in the report, as notes.

Both are read as they stood before the change. What guards the repository cannot be accepted away.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import msgspec

from gatecli.config.document import decode
from gatecli.errors import UsageError
from gatecli.model import Case, Evidence, Finding, FunctionId, Outcome, Severity, Span
from gatecli.rules.code import Around
from gatecli.rules.ignores import Ignore, read_ignores
from gatecli.rules.registry import ALWAYS_ON, MAX_MESSAGE, fingerprint
from gatecli.rules.spec import Rule
from gatecli.rules.wording import snippet

BASELINE_PATH = ".gate/baseline.yml"
RULE = "ignore-unsound"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """One finding of the baseline; the fingerprint stands for rule, function and normalised snippet, not for a line."""

    rule: str
    fingerprint: str
    function: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """``.gate/baseline.yml`` of the base revision."""

    accepted: tuple[Accepted, ...] = field(default_factory=tuple)


def read_baseline(data: bytes | None) -> Baseline:
    """The baseline, an empty one where there is none.

    Raises:
        UsageError: it has problems; the message lists every one with its line.
    """
    return Baseline() if data is None or not data.strip() else decode(data, Baseline, BASELINE_PATH)


def from_reports(reports: list[bytes], reason: str) -> Baseline:
    """The flagged findings of JSON reports as a baseline.

    Raises:
        UsageError: one is no report.
    """
    found: dict[tuple[str, str], Accepted] = {}
    for data in reports:
        try:
            findings = msgspec.json.decode(data)["findings"]
            for one in findings:
                if one["outcome"] == Outcome.FLAGGED and one["rule"] not in ALWAYS_ON:
                    key = (one["rule"], one["fingerprint"])
                    function = one.get("function") or ""
                    found[key] = Accepted(rule=key[0], fingerprint=key[1], function=function, reason=reason)
        except (msgspec.DecodeError, KeyError, TypeError) as error:
            raise UsageError("not a report of gate", "write one with gate check --report json=FILE") from error
    return Baseline(accepted=tuple(found[key] for key in sorted(found)))


def to_yaml(baseline: Baseline) -> str:
    """The file, one finding a block, with quoted text."""
    title = "# Findings that were accepted, by rule, function and normalised code. Read from the base revision.\n"
    lines = [title, "accepted:\n" if baseline.accepted else "accepted: []\n"]
    for one in baseline.accepted:
        given = msgspec.to_builtins(one)
        rows = [f"{key}: {msgspec.json.encode(value).decode()}" for key, value in given.items() if value]
        lines.append("  - " + "\n    ".join(rows) + "\n")
    return "".join(lines)


def settle(
    findings: tuple[Finding, ...], case: Case, rules: tuple[Rule, ...], around: Around, baseline: Baseline
) -> tuple[Finding, ...]:
    """The findings with the accepted ones as notes, and comments that accept something and were not needed."""
    marks = [mark for file in case.change.files for mark in read_ignores(file)]
    known = frozenset(rule.id for rule in rules)
    sound = [mark for mark in marks if not (mark.added or mark.problem(known, around.today, around.ignore_days))]
    fingerprints = {(one.rule, one.fingerprint): one for one in baseline.accepted}
    spans = {function.id: function.after.span for function in case.functions if function.after is not None}
    used: set[tuple[str, int]] = set()
    settled = []
    for finding in findings:
        mark = next((mark for mark in sound if _covers(mark, finding, spans)), None)
        one = fingerprints.get((finding.rule, finding.fingerprint))
        if not _can_be_accepted(finding) or (mark is None and one is None):
            settled.append(finding)
        elif mark is not None:
            used.add((mark.path, mark.line))
            settled.append(_noted(finding, f"ignored until {mark.until}: {snippet(mark.reason)}", mark.line))
        elif one is not None:
            settled.append(_noted(finding, f"in the baseline{': ' if one.reason else ''}{snippet(one.reason)}", None))
    own = next((rule for rule in rules if rule.id == RULE), None)
    needless = [mark for mark in sound if (mark.path, mark.line) not in used and _is_touched(mark, case)]
    settled += [_needless(own, mark) for mark in needless if own is not None]
    return tuple(sorted(settled, key=_by_severity))


def _is_touched(mark: Ignore, case: Case) -> bool:
    """Whether the change edits what a comment counts for."""
    hunks = (hunk for file in case.change.files if file.path == mark.path for hunk in file.hunks)
    return any(line in mark.covers for hunk in hunks for line in hunk.added)


def _by_severity(finding: Finding) -> int:
    return [Severity.BLOCK, Severity.REVIEW, Severity.NOTE].index(finding.severity)


def _can_be_accepted(finding: Finding) -> bool:
    return finding.outcome is Outcome.FLAGGED and finding.rule not in ALWAYS_ON


def _covers(mark: Ignore, finding: Finding, spans: Mapping[FunctionId, Span]) -> bool:
    if finding.path != mark.path or finding.rule not in mark.rules or finding.line is None:
        return False
    span = spans.get(finding.function) if finding.function is not None else None
    heads = range(span.first_line, span.def_line + 1) if span is not None else range(0)
    return finding.line in mark.covers or any(line in heads for line in mark.covers)


def _noted(finding: Finding, how: str, line: int | None) -> Finding:
    evidence = Evidence(kind="accepted", text=how, path=finding.path, line=line)
    return replace(
        finding,
        severity=Severity.NOTE,
        points=0,
        message=f"{finding.message} ({how})"[:MAX_MESSAGE],
        evidence=(*finding.evidence, evidence),
    )


def _needless(rule: Rule, mark: Ignore) -> Finding:
    says = f"has a comment to ignore {', '.join(sorted(mark.rules))}, which this change did not need"
    return Finding(
        rule=rule.id,
        code=rule.code,
        severity=Severity.NOTE,
        outcome=Outcome.FLAGGED,
        message=f"{snippet(mark.path)} {says}"[:MAX_MESSAGE],
        path=mark.path,
        line=mark.line,
        remedy=rule.remedy,
        fingerprint=fingerprint(rule.id, mark.path, says, 0),
    )
