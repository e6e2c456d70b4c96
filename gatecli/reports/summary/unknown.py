"""What could not be known, in sentences."""

from gatecli.model import HistoryStatus, Outcome, ParseStatus, Report
from gatecli.reports.summary.selection import place
from gatecli.reports.text import count, listed


def limits(report: Report) -> tuple[str, ...]:
    """What could not be known, one sentence each, gravest first; empty where everything was read whole."""
    case = report.case
    found = [f"incomplete: {text}" for text in report.verdict.incomplete]
    unread: dict[str, list[str]] = {}
    for file in case.parsed:
        if file.status is ParseStatus.NOT_PARSED:
            unread.setdefault(file.reason or "reason unknown", []).append(file.path)
    found += [f"{listed(paths, 3)}: not judged by function ({reason})" for reason, paths in unread.items()]
    for file in case.parsed:
        if file.status is ParseStatus.PARTIAL:
            lines = count(len(file.error_lines), "line does", "lines do")
            where = f", first at line {min(file.error_lines)}" if file.error_lines else ""
            found.append(f"{file.path}: judged in part, {lines} not parse{where}")
    found += [f"{file.path}: {note}" for file in case.change.files for note in file.notes]
    found += case.change.warnings
    for finding in report.findings:
        if finding.outcome is Outcome.UNKNOWN:
            found.append(f"{place(finding.path, finding.line)}: {finding.rule} could not tell ({finding.message})")
        elif finding.outcome is Outcome.ERROR:
            found.append(f"{place(finding.path, finding.line)}: {finding.rule} failed ({finding.message})")
    found += _bounded(report)
    found += (*case.provenance.notes, *case.provenance.unread)
    found += case.profile.warnings if case.profile else ()
    return tuple(dict.fromkeys(found))


def _bounded(report: Report) -> list[str]:
    case = report.case
    touched = {function.id for function in case.functions}
    cut = sum(blast.truncated for id, blast in case.blast.items() if id in touched)
    unchecked = {blast.unchecked for id, blast in case.blast.items() if id in touched and blast.unchecked}
    histories = [history.status for id, history in case.history.items() if id in touched]
    shallow = histories.count(HistoryStatus.SHALLOW)
    unavailable = histories.count(HistoryStatus.UNAVAILABLE)
    return [
        *(
            [f"more callers than could be followed for {count(cut, 'function')}: counts are lower bounds"]
            if cut
            else []
        ),
        *(f"callers are as the text says, without types: {why}" for why in sorted(unchecked)),
        *([f"history cut short for {count(shallow, 'function')}: the counts are lower bounds"] if shallow else []),
        *([f"no history for {count(unavailable, 'function')}"] if unavailable else []),
    ]
