"""The findings as workflow commands of GitHub Actions, which shows them on the run and on the lines of the diff."""

from gatecli.model import Decision, Finding, Report, Severity
from gatecli.reports import markdown, merging, summary
from gatecli.reports.anchors import anchors
from gatecli.reports.text import cut, listed, plain

MAX_PER_LEVEL = 10
"""GitHub shows ten errors, ten warnings and ten notices of a step and drops the rest without a word:
https://docs.github.com/en/actions/reference/limits"""

MAX_SUMMARY = 1_000_000
"""Bytes of a step summary; GitHub refuses more than 1 MiB."""

_LEVELS = {Severity.BLOCK: "error", Severity.REVIEW: "warning", Severity.NOTE: "notice"}
_TEXT = 1_000
_PATH = 4_096


def render(report: Report) -> str:
    """The report as ``::error`` / ``::warning`` / ``::notice`` lines: the verdict, then the gravest findings.

    A last line, no command, says how many findings were left off. A pass without findings is one notice.
    """
    anchor = anchors(report)
    found = summary.flagged(report)
    lines = [_verdict(report)]
    room = dict.fromkeys(("error", "warning", "notice"), MAX_PER_LEVEL)
    room[_verdict_level(report)] -= 1
    left = 0
    for finding in found:
        level = _LEVELS[finding.severity]
        if room[level]:
            room[level] -= 1
            lines.append(_annotation(finding, level, anchor(finding)))
        else:
            left += 1
    if left:
        lines.append(f"gate: {left:,} more of {len(found):,} findings, all of them in gate check --all")
    return "\n".join(lines) + "\n"


def step_summary(report: Report, *, source_url: str | None = None) -> str:
    """What goes to ``GITHUB_STEP_SUMMARY``: the pull-request comment, without the mark it is found again by."""
    body = markdown.render(report, source_url=source_url).removeprefix(f"{markdown.MARKER}\n")
    assert len(body.encode()) <= MAX_SUMMARY, "a comment is shorter than a summary may be"
    return body


def _verdict_level(report: Report) -> str:
    word = summary.word(report)
    usual = "warning" if report.signoff.waivers else "notice"
    return {"block": "error", "incomplete": "error", "review": "warning"}.get(word, usual)


def _verdict(report: Report) -> str:
    word = summary.word(report)
    text = ", ".join(summary.headline(report))
    needed = [item.name for item in merging.outstanding(report)]
    if needed and report.verdict.outcome is not Decision.PASS:
        text += f". Needs {listed(needed, 3)}"
    text += "".join(f". {one}" for one in merging.waivers(report))
    return f"::{_verdict_level(report)} title={_property(f'gate: {word}')}::{_data(text)}"


def _annotation(finding: Finding, level: str, line: int) -> str:
    at = f" (at line {finding.line})" if finding.line not in (None, line) else ""
    remedy = f"\n→ {plain(finding.remedy, _TEXT)}" if finding.remedy.strip() else ""
    where = f"file={_property(finding.path, _PATH)},line={line},endLine={line}," if finding.path else ""
    title = _property(f"gate: {summary.rule_name(finding)}")
    message = plain(finding.message, _TEXT).strip() or plain(finding.rule)
    return f"::{level} {where}title={title}::{_escaped(message + at + remedy)}"


def _data(text: str) -> str:
    return _escaped(plain(cut(text, _TEXT)))


def _escaped(text: str) -> str:
    """The part after the last ``::``: what a runner decodes there.

    https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts
    """
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str, limit: int = 200) -> str:
    return _escaped(plain(text, limit)).replace(":", "%3A").replace(",", "%2C")
