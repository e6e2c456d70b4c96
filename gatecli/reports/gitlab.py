"""The findings as GitLab's code quality report, which a merge request shows beside its lines.

The format: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

import hashlib
import json

from gatecli.model import Finding, Report, Severity
from gatecli.reports import merging, summary
from gatecli.reports.anchors import anchors
from gatecli.reports.text import json_source, plain

MAX_FINDINGS = 5_000

_SEVERITIES = {Severity.BLOCK: "blocker", Severity.REVIEW: "major", Severity.NOTE: "info"}
_TEXT = 1_000
_PATH = 4_096


def render(report: Report) -> str:
    """The flagged findings as a JSON array, gravest first; an empty one where there are none."""
    anchor = anchors(report)
    seen: set[str] = set()
    issues: list[dict[str, object]] = []
    for finding in summary.flagged(report)[:MAX_FINDINGS]:
        line = anchor(finding)
        issues.append(
            {
                "description": _description(finding, line),
                "check_name": plain(summary.rule_name(finding), 200),
                "fingerprint": _fingerprint(finding, seen),
                "severity": _SEVERITIES[finding.severity],
                "location": {"path": plain(finding.path, _PATH), "lines": {"begin": line, "end": line}},
            }
        )
    issues += _waivers(report)
    return json_source(json.dumps(issues, indent=2, ensure_ascii=False)) + "\n"


def _waivers(report: Report) -> list[dict[str, object]]:
    """What somebody lifted, at the first file of the change: a place that GitLab shows."""
    path = report.case.change.files[0].path if report.case.change.files else "."
    return [
        {
            "description": plain(said, _TEXT),
            "check_name": "waiver",
            "fingerprint": hashlib.sha256(f"waiver\0{said}".encode(errors="surrogatepass")).hexdigest()[:32],
            "severity": "major",
            "location": {"path": plain(path, _PATH), "lines": {"begin": 1, "end": 1}},
        }
        for said in merging.waivers(report)
    ]


def _description(finding: Finding, line: int) -> str:
    at = f" (at line {finding.line})" if finding.line not in (None, line) else ""
    remedy = f" → {plain(finding.remedy, _TEXT)}" if finding.remedy.strip() else ""
    return (plain(finding.message, _TEXT).strip() or plain(finding.rule, 200)) + at + remedy


def _fingerprint(finding: Finding, seen: set[str]) -> str:
    """What GitLab knows a finding by, the same while lines shift; never twice in one report."""
    said = "\0".join((finding.rule, finding.fingerprint or finding.message, str(finding.function or finding.path)))
    number = 0
    while True:
        digest = hashlib.sha256(f"{said}\0{number}".encode(errors="surrogatepass")).hexdigest()[:32]
        if digest not in seen:
            seen.add(digest)
            return digest
        number += 1
