"""The findings as SARIF 2.1.0, as GitHub code scanning takes it.

What GitHub reads, and its limits:
https://docs.github.com/en/code-security/reference/code-scanning/sarif-support-for-code-scanning
"""

import gzip
import hashlib
import json
import re
from collections import Counter
from typing import Any

from gatecli.model import Evidence, Finding, Outcome, Report, RuleText, Severity
from gatecli.reports import merging, standing, summary
from gatecli.reports.anchors import anchors
from gatecli.reports.links import relative_url
from gatecli.reports.text import count, json_source, plain
from gatecli.reports.text import markdown as prose

MAX_RESULTS = 5_000
"""GitHub takes 25,000 results of a run and shows 5,000."""

MAX_COMPRESSED = 10_000_000
"""Bytes after gzip that GitHub takes of a file; it refuses a larger one whole:
https://docs.github.com/en/code-security/code-scanning/troubleshooting-sarif-uploads/file-too-large"""

MAX_NOTIFICATIONS = 100
MAX_RELATED = 20

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

SECURITY_FAMILIES = frozenset({"access", "supply-chain"})
"""Families of rules whose findings are about what an attacker may do."""

_LEVELS = {Severity.BLOCK: "error", Severity.REVIEW: "warning", Severity.NOTE: "note"}
_PROBLEMS = {Severity.BLOCK: "error", Severity.REVIEW: "warning", Severity.NOTE: "recommendation"}
# The middle of the bands that GitHub calls high (7.0-8.9), medium (4.0-6.9) and low.
_SECURITY = {Severity.BLOCK: "8.0", Severity.REVIEW: "5.5", Severity.NOTE: "2.0"}
_TEXT = 1_000
"""Characters of one text; GitHub cuts descriptions at 1,024."""


def render(report: Report) -> str:
    """The report as SARIF: one run, whose results are the flagged findings, gravest first.

    So many of them as fit into what GitHub takes; what is left out is counted in the run's notifications.
    """
    found = summary.flagged(report)
    shown = min(len(found), MAX_RESULTS)
    written = _document(report, found, shown)
    while shown and not _fits(written):
        shown //= 2
        written = _document(report, found, shown)
    return written


def _fits(written: str) -> bool:
    content = written.encode()
    return len(content) <= MAX_COMPRESSED or len(gzip.compress(content, 6)) <= MAX_COMPRESSED


def _document(report: Report, found: tuple[Finding, ...], shown: int) -> str:
    rules = _rules(report, found[:shown])
    indices = {_id(rule.id): index for index, rule in enumerate(rules)}
    run = {
        "tool": {
            "driver": {
                "name": "gate",
                "semanticVersion": plain(report.tool_version, 40),
                "rules": [_descriptor(rule) for rule in rules],
            }
        },
        # GitHub's category is what stands before the last slash: the same for every run of gate.
        "automationDetails": {"id": f"gate/{plain(report.case.change.digest, 64)}"},
        "invocations": [_invocation(report, left_out=len(found) - shown)],
        "columnKind": "unicodeCodePoints",
        "results": _results(report, found[:shown], indices),
        **_properties(report),
    }
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json_source(json.dumps(document, indent=2, ensure_ascii=False)) + "\n"


def _properties(report: Report) -> dict[str, Any]:
    """The place among past changes, where there is one; SARIF has no word for it."""
    place = report.score.standing
    if place is None:
        return {}
    said = [plain(text, _TEXT) for text in (standing.opening(place), *standing.following(place))]
    return {"properties": {"percentile": place.percentile, "standing": said}}


# --------------------------------------------------------------------------- rules


def _rules(report: Report, found: tuple[Finding, ...]) -> list[RuleText]:
    """The rules of the findings, by code; of one whose text is not in the report, as much as its findings say."""
    known = {rule.id: rule for rule in report.rules}
    named = {_id(finding.rule): known.get(finding.rule) or _untold(finding) for finding in found}
    return sorted(named.values(), key=lambda rule: (rule.code, rule.id))


def _untold(finding: Finding) -> RuleText:
    return RuleText(
        id=finding.rule,
        code=finding.code,
        family="",
        severity=finding.severity,
        asks=finding.rule,
        why=finding.message,
        remedy=finding.remedy,
    )


def _descriptor(rule: RuleText) -> dict[str, Any]:
    security = rule.family in SECURITY_FAMILIES
    tags = dict.fromkeys(plain(tag, 60) for tag in (rule.family, rule.code, "security" * security) if tag.strip())
    properties: dict[str, Any] = {
        "tags": list(tags),
        "precision": "high",
        "problem.severity": _PROBLEMS[rule.severity],
    }
    if security:
        properties["security-severity"] = _SECURITY[rule.severity]
    return {
        "id": _id(rule.id),
        "shortDescription": {"text": _message(rule.asks, _id(rule.id))},
        "fullDescription": {"text": _message(rule.why, _id(rule.id))},
        "help": {
            "text": _message(f"{rule.why} {_remedy(rule)}", _id(rule.id)),
            "markdown": _help(rule),
        },
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": properties,
    }


def _id(rule: str) -> str:
    return plain(rule, 200).strip() or "rule"


def _remedy(rule: RuleText) -> str:
    return f"What to do: {rule.remedy}" if rule.remedy.strip() else ""


def _help(rule: RuleText) -> str:
    parts = [f"**{prose(rule.asks, _TEXT)}**", prose(rule.why, _TEXT)]
    if rule.remedy.strip():
        parts.append(f"**What to do:** {prose(rule.remedy, _TEXT)}")
    return "\n\n".join(part for part in parts if part.strip())


# --------------------------------------------------------------------------- results


def _results(report: Report, found: tuple[Finding, ...], indices: dict[str, int]) -> list[dict[str, Any]]:
    anchor = anchors(report)
    columns = _Columns(report)
    seen: Counter[str] = Counter()
    results = []
    for finding in found:
        line = anchor(finding)
        fingerprint = finding.fingerprint.strip() or _fingerprint(finding)
        seen[fingerprint] += 1
        result = {
            "ruleId": _id(finding.rule),
            "ruleIndex": indices[_id(finding.rule)],
            "level": _LEVELS[finding.severity],
            "message": {"text": _said(finding, line)},
            "locations": [_location(finding, line, columns)],
            "partialFingerprints": {"primaryLocationLineHash": f"{plain(fingerprint, 100)}:{seen[fingerprint]}"},
            "properties": {"points": finding.points, "confidence": str(finding.confidence)},
        }
        related = [_related(item) for item in finding.evidence if item.path][:MAX_RELATED]
        results.append(result | ({"relatedLocations": related} if related else {}))
    return results


def _said(finding: Finding, line: int) -> str:
    """What was found, where it is if it is pinned elsewhere, and what to do."""
    at = f" (at line {finding.line})" if finding.line not in (None, line) else ""
    remedy = f"\n{_message(finding.remedy, '')}" if finding.remedy.strip() else ""
    return _message(finding.message, finding.rule) + at + remedy


def _fingerprint(finding: Finding) -> str:
    """Of a finding that came without one: what it says of what, wherever that moves to."""
    said = "\0".join((finding.rule, str(finding.function or finding.path), finding.message))
    return hashlib.sha256(said.encode(errors="surrogatepass")).hexdigest()[:16]


class _Columns:
    """From the first to the last visible character of a line, where its file can be read."""

    def __init__(self, report: Report) -> None:
        self._contents = {file.path: file.after for file in report.case.change.files if file.after is not None}
        self._lines: dict[str, list[str]] = {}

    def region(self, path: str, line: int) -> dict[str, int]:
        region = {"startLine": line, "endLine": line}
        if path in self._contents and path not in self._lines:
            self._lines[path] = self._contents[path].decode("utf-8", "replace").split("\n")
        lines = self._lines.get(path, [])
        text = lines[line - 1].rstrip() if line <= len(lines) else ""
        if not text:
            return region
        return region | {"startColumn": len(text) - len(text.lstrip()) + 1, "endColumn": len(text) + 1}


def _location(finding: Finding, line: int, columns: _Columns) -> dict[str, Any]:
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": relative_url(finding.path), "uriBaseId": "%SRCROOT%"},
            "region": columns.region(finding.path, line),
        }
    }
    if finding.function:
        location["logicalLocations"] = [{"fullyQualifiedName": plain(str(finding.function)), "kind": "function"}]
    return location


def _related(item: Evidence) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": relative_url(item.path or ""), "uriBaseId": "%SRCROOT%"}}
    if item.line is not None and item.line > 0:
        physical["region"] = {"startLine": item.line}
    return {"physicalLocation": physical, "message": {"text": _message(item.text, item.kind)}}


def _message(text: str, instead: str) -> str:
    """A message: brackets are no links (SARIF 2.1.0 §3.11.6), braces no placeholders (§3.11.5), and never empty."""
    shown = plain(text, _TEXT).strip() or plain(instead, 200).strip() or "–"
    return re.sub(r"\{(\d+)\}", r"{{\1}}", re.sub(r"([\\\[\]])", r"\\\1", shown))


# --------------------------------------------------------------------------- how the run went


def _invocation(report: Report, *, left_out: int) -> dict[str, Any]:
    failed = [finding for finding in report.findings if finding.outcome is Outcome.ERROR]
    texts = [*merging.waivers(report), *summary.limits(report)]
    if left_out:
        limits = f"GitHub shows {MAX_RESULTS:,}, of a file of {MAX_COMPRESSED // 1_000_000} MB"
        texts.insert(0, f"{count(left_out, 'result')} left out: {limits}")
    if len(texts) > MAX_NOTIFICATIONS:
        texts[MAX_NOTIFICATIONS:] = [f"{len(texts) - MAX_NOTIFICATIONS:,} more"]
    notifications = [{"level": "warning", "message": {"text": _message(text, "limit")}} for text in texts]
    return {
        "executionSuccessful": not failed and not report.verdict.incomplete,
        "exitCode": report.exit_code,
        "toolExecutionNotifications": notifications,
    }
