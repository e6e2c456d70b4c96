"""The report for people at a terminal: the verdict in one line, the reasons in a minute, nothing to guess."""

from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from gatecli.model import (
    Contribution,
    Decision,
    Evidence,
    Finding,
    Mode,
    Outcome,
    Report,
    Requirement,
    RequirementStatus,
    ScorePart,
    Severity,
)
from gatecli.reports import levels, merging, standing, summary
from gatecli.reports.page import LABEL, Page, fit, page
from gatecli.reports.table import functions
from gatecli.reports.text import count, listed, milliseconds, moment

MOST = 10
"""Entries of one section that are shown without ``show_all``."""

MOST_ALL = 500
"""Entries of one section that are shown at all; the JSON report has every one."""

_BADGES = {
    "pass": "bold black on green",
    "review": "bold black on yellow",
    "block": "bold white on red",
    "incomplete": "bold white on magenta",
}
# What has to be read is in the terminal's own colour: yellow and cyan are 2:1 on a white terminal, blue on a black one.
_SEVERITIES = {Severity.BLOCK: "bold red", Severity.REVIEW: "bold", Severity.NOTE: "dim"}
_COMMAND = "bold"
_POINTS = 7
_RULES = 20


def render(report: Report, console: Console, *, show_all: bool = False, source_url: str | None = None) -> None:
    """Write the report to ``console``; ``show_all`` leaves nothing out that is left out for brevity.

    ``source_url`` is what a path is appended to to open it: with it, places are links where the terminal has links.
    """
    sheet = page(console, source_url)
    brief = summary.word(report) == "pass" and not show_all
    sheet.print(_brief(sheet, report) if brief else _full(sheet, report, show_all))


def _brief(sheet: Page, report: Report) -> list[Text]:
    """A pass: two lines, and what qualifies it, if anything does."""
    phrases = list(summary.authorship(report))
    while len(phrases) > 1 and cell_len(sheet.safe(" · ".join(phrases))) >= sheet.prose:
        phrases.pop()
    found = len(summary.flagged(report))
    notes = sheet.wrap(sheet.line(f"{count(found, 'finding')} (gate check --all)"), LABEL) if found else []
    return [
        *_verdict(sheet, report),
        *sheet.flow([sheet.line(phrase) for phrase in phrases], 1),
        *_merge(sheet, report, False),
        *_labelled(sheet, "Notes", notes),
        *_judged(sheet, report),
        *_limits(sheet, report, False),
    ]


def _full(sheet: Page, report: Report, show_all: bool) -> list[Text]:
    authors = sheet.flow([sheet.line(phrase) for phrase in summary.authorship(report)], 1)
    rows = summary.rows(report)
    sections = (
        _blockers(sheet, report),
        _why(sheet, report),
        functions(sheet, rows, profiled=report.case.profile is not None, show_all=show_all, now=report.generated_at),
        _findings(sheet, report, show_all),
        [
            *_risk(sheet, report, show_all),
            *_past(sheet, report, show_all),
            *_runtime(sheet, report, show_all),
            *_judged(sheet, report),
            *_limits(sheet, report, show_all),
        ],
        _incidents(sheet, report) if show_all else [],
        _files(sheet, report) if show_all else [],
        _merge(sheet, report, show_all),
        _provenance(sheet, report) if show_all else [],
        _more(sheet, report, show_all),
    )
    lines = [*_verdict(sheet, report), *authors]
    for section in sections:
        if section:
            lines += [Text(), *section]
    return lines


def _verdict(sheet: Page, report: Report) -> list[Text]:
    """The line that stands alone; the tool's version and time only where they fit beside it."""
    word = summary.word(report)
    badge = sheet.line((f" {word.upper()} ", _BADGES[word]))
    phrases = [
        sheet.line((phrase, "bold" if index == 0 else "")) for index, phrase in enumerate(summary.headline(report))
    ]
    lines = sheet.flow(phrases, badge.cell_len + 1)
    lines[0] = badge + lines[0][badge.cell_len :]
    timings = report.timings_ms
    total = timings.get("total", sum(timings.values())) if timings else None
    took = f" · {milliseconds(total)}" if total is not None else ""
    stamp = sheet.line((f"gate {report.tool_version}{took}", "dim"))
    room = sheet.prose - lines[0].cell_len - stamp.cell_len
    if len(lines) == 1 and room >= 2:
        lines[0] = lines[0] + Text(" " * room) + stamp
    return lines


# --------------------------------------------------------------------------- why


def _labelled(sheet: Page, title: str, lines: list[Text]) -> list[Text]:
    """Lines that leave the margin free, with the section's name in it."""
    if not lines:
        return []
    return [fit(sheet.line((f" {title}", "bold")), LABEL) + lines[0][LABEL:], *lines[1:]]


def _blockers(sheet: Page, report: Report) -> list[Text]:
    """A block starts with what would have to change."""
    found = summary.blockers(report)
    if not found:
        return []
    lines = [sheet.line((" What has to change", "bold"))]
    texts = {why.finding: why.reason.text for why in summary.whys(report) if why.finding}
    for number, finding in enumerate(found[:MOST], 1):
        text = texts.get(finding, finding.message)
        ask = finding.remedy or text
        lines += sheet.hang(sheet.line((f"  {number}. ", "bold red")), sheet.line((ask, "bold")), 5)
        if finding.remedy:
            lines += sheet.wrap(sheet.line(text), 5)
        lines += sheet.flow(_where(sheet, finding), 5)
    if len(found) > MOST:
        lines.append(sheet.line((f"  … {len(found) - MOST:,} more", "dim")))
    return lines


def _why(sheet: Page, report: Report) -> list[Text]:
    said = summary.blockers(report)
    whys = [why for why in summary.whys(report) if why.finding is None or why.finding not in said]
    if not whys:
        return []
    lines = [sheet.line((" Why", "bold"))]
    for why in whys:
        mark = f"{why.reason.points:+d}" if why.reason.points else "·"
        lines += sheet.hang(sheet.line((f"{mark:>5}  ", "bold")), sheet.line(why.reason.text), _POINTS)
        if why.finding:
            lines += sheet.flow([*_where(sheet, why.finding), *_remedy(sheet, why.finding)], _POINTS)
        elif why.reason.path:
            lines += sheet.wrap(sheet.place(why.reason.path, why.reason.line), _POINTS)
    left = len(report.verdict.reasons) - summary.MAX_REASONS
    if left > 0:
        lines.append(sheet.line((f"       … {count(left, 'weaker reason')} in gate check --all", "dim")))
    return lines


def _where(sheet: Page, finding: Finding) -> list[Text]:
    return [sheet.place(finding.path, finding.line), sheet.line((summary.rule_name(finding), "dim"))]


def _remedy(sheet: Page, finding: Finding) -> list[Text]:
    return [sheet.line(("→ ", "green"), finding.remedy)] if finding.remedy else []


def _findings(sheet: Page, report: Report, show_all: bool) -> list[Text]:
    """The findings that no line above has said; with ``show_all`` every one, with its evidence."""
    found = summary.flagged(report)
    said = [*summary.blockers(report)[:MOST], *(why.finding for why in summary.whys(report))]
    left = [finding for finding in found if finding not in said]
    grave = tuple(finding for finding in left if finding.severity is not Severity.NOTE)
    groups = [(finding,) for finding in found[:MOST_ALL]] if show_all else summary.alike(grave)[:MOST]
    lines = [line for group in groups for line in _finding(sheet, group, show_all)]
    shown = sum(len(group) for group in groups)
    if show_all and shown < len(found):
        lines.append(sheet.line((f"  … {len(found) - shown:,} more in gate check --all", "dim")))
    elif not show_all and shown < len(left):
        kinds = [f"{len(grave) - shown:,} more"] if shown < len(grave) else []
        kinds += [count(len(left) - len(grave), "note")] if len(grave) < len(left) else []
        lines.append(sheet.line((f"  … {listed(kinds, 2)}", "dim")))
    title = "Findings" if show_all or len(left) == len(found) else "Other findings"
    return [sheet.line((f" {title}", "bold")), *lines] if lines else []


def _finding(sheet: Page, group: tuple[Finding, ...], show_all: bool) -> list[Text]:
    """One finding, or several that say the same of other places."""
    finding = group[0]
    mark = sheet.line((f"  {finding.severity}", _SEVERITIES[finding.severity]))
    lines = sheet.hang(mark, sheet.line(finding.message), LABEL)
    places = [summary.place(each.path, each.line) for each in group]
    where = [sheet.line((listed(places, 3), "dim")), sheet.line((summary.rule_name(finding), "dim"))]
    points = [sheet.line((f"{finding.points:+d}", "dim"))] if finding.points and len(group) == 1 else []
    lines += sheet.flow([*where, *points, *_remedy(sheet, finding)], LABEL)
    if show_all:
        for evidence in finding.evidence[:MOST]:
            lines += sheet.wrap(sheet.line((_evidence(evidence), "dim")), LABEL + 2)
    return lines


def _evidence(evidence: Evidence) -> str:
    where = summary.place(evidence.path, evidence.line)
    return f"{evidence.kind}: {evidence.text}" + (f" ({where})" if where else "")


# --------------------------------------------------------------------------- how risky, how known


def _risk(sheet: Page, report: Report, show_all: bool) -> list[Text]:
    score = report.score
    if not score.contributions:
        return []
    unknown = " (not profiled)" if report.case.profile is None else ""
    total = sheet.line(f"{score.total} = {score.likelihood} likelihood + {score.exposure} exposure{unknown}")
    legend = sheet.line(("+10 doubles the odds, or the traffic", "dim"))
    lines = sheet.flow([total, legend], LABEL)
    for part in ScorePart:
        items = sorted((c for c in score.contributions if c.part is part), key=lambda c: (-c.points, c.rule, c.text))
        if show_all:
            lines += [line for item in items[:MOST_ALL] for line in _contribution(sheet, report, item)]
        elif items:
            first, *others = _by_rule(items) if part is ScorePart.LIKELIHOOD else _by_text(items)
            lines += sheet.flow([sheet.line((f"{part}  ", "dim"), first), *map(sheet.line, others)], LABEL)
    if not show_all and (otherwise := summary.counterfactuals(report, 3)):
        lines += sheet.flow([sheet.line((phrase, "dim")) for phrase in otherwise], LABEL)
    return _labelled(sheet, "Risk", lines)


def _past(sheet: Page, report: Report, show_all: bool) -> list[Text]:
    """Where the change stands among past ones; nothing where nobody learned from those."""
    place = report.score.standing
    if place is None:
        return []
    lines = sheet.wrap(sheet.line(standing.opening(place)), LABEL)
    for text in standing.following(place):
        lines += sheet.wrap(sheet.line(text), LABEL)
    for one in place.signals[: None if show_all else standing.SHOWN]:
        lines += sheet.hang(
            sheet.line((" " * LABEL + f"{one.points:+d}", "dim")),
            sheet.line((standing.signal(place, one), "dim")),
            LABEL + 5,
        )
    if (more := len(place.signals) - standing.SHOWN) > 0 and not show_all:
        lines += sheet.wrap(sheet.line((f"… {count(more, 'weaker signal')} in gate check --all", "dim")), LABEL)
    return _labelled(sheet, "Past", lines)


def _by_text(items: Sequence[Contribution]) -> list[str]:
    return [f"{item.points:+d} {item.text}" if item.points else item.text for item in items[:3]]


def _by_rule(items: Iterable[Contribution]) -> list[str]:
    sums: dict[str, int] = {}
    for item in items:
        sums[item.rule] = sums.get(item.rule, 0) + item.points
    ordered = sorted(sums.items(), key=lambda pair: (-pair[1], pair[0]))
    more = [f"{len(ordered) - _RULES:,} more"] if len(ordered) > _RULES else []
    return [f"{points:+d} {rule}" for rule, points in ordered[:_RULES]] + more


def _contribution(sheet: Page, report: Report, item: Contribution) -> list[Text]:
    mark = sheet.line((" " * LABEL + f"{item.points:+d}", "bold"))
    lines = sheet.hang(mark, sheet.line(item.text), LABEL + 5)
    where = summary.place(item.path, item.line)
    left = summary.without(report, item.rule) if item.points else None
    otherwise = f"without it: {left}" if left else ""
    parts = [sheet.line((text, "dim")) for text in (str(item.part), item.rule, where, otherwise) if text]
    return [*lines, *sheet.flow(parts, LABEL + 5)]


def _runtime(sheet: Page, report: Report, show_all: bool) -> list[Text]:
    if not report.case.functions:
        return []
    if report.case.profile is None:
        missing = sheet.line("not profiled: how often these functions run is unknown")
        command = sheet.line(("gate profile import FILE", _COMMAND))
        return _labelled(sheet, "Runtime", sheet.flow([missing, command], LABEL))
    lines = sheet.flow([sheet.line(phrase) for phrase in summary.matching(report)], LABEL)
    lines += sheet.flow([sheet.line((phrase, "dim")) for phrase in summary.profile_origin(report)], LABEL)
    for reason, ids in summary.unobserved(report)[: MOST_ALL if show_all else MOST]:
        lines += sheet.wrap(sheet.line((f"{reason}: {listed(ids, MOST_ALL if show_all else 3)}", "dim")), LABEL)
    return _labelled(sheet, "Runtime", lines)


def _judged(sheet: Page, report: Report) -> list[Text]:
    """How much of the change was judged as whole files or not read; nothing where all of it went by function."""
    phrases = levels.phrases(levels.levels(report.case))
    return _labelled(sheet, "Judged", sheet.flow([sheet.line(phrase) for phrase in phrases], LABEL) if phrases else [])


def _incidents(sheet: Page, report: Report) -> list[Text]:
    """What went wrong before in the touched functions, or next to them."""
    lines = [
        line
        for one in report.case.incidents[:MOST_ALL]
        for line in sheet.wrap(sheet.line(summary.incident(one)), LABEL)
    ]
    return _labelled(sheet, "Incidents", lines)


def _files(sheet: Page, report: Report) -> list[Text]:
    """Every file of the change by kind, and how closely it was looked at."""
    files = levels.by_kind(report.case)
    lines = [
        line
        for path, facts in files[:MOST_ALL]
        for line in sheet.wrap(sheet.place(path, None) + sheet.line("  ", (facts, "dim")), LABEL)
    ]
    if len(files) > MOST_ALL:
        lines += sheet.wrap(sheet.line((f"… {len(files) - MOST_ALL:,} more", "dim")), LABEL)
    return _labelled(sheet, "Files", lines)


def _limits(sheet: Page, report: Report, show_all: bool) -> list[Text]:
    limits = summary.limits(report)
    most = MOST_ALL if show_all else MOST
    lines = [line for text in limits[:most] for line in sheet.wrap(sheet.line(text), LABEL)]
    if len(limits) > most:
        lines += sheet.wrap(sheet.line((f"… {len(limits) - most:,} more", "dim")), LABEL)
    return _labelled(sheet, "Limits", lines)


# --------------------------------------------------------------------------- who must sign


def _merge(sheet: Page, report: Report, show_all: bool) -> list[Text]:
    """The requirements, who can give what is missing, who cannot, and the command."""
    asked = merging.asked(report)
    if not asked:
        return []
    most = MOST_ALL if show_all else MOST
    lines = sheet.wrap(sheet.line(merging.progress(report)), LABEL)
    for requirement in asked[-most:]:
        lines += _requirement(sheet, report, requirement, show_all)
    dismissed = report.signoff.dismissed
    if dismissed and (merging.outstanding(report) or show_all):
        items = [f"{item.by} ({item.reason})" for item in dismissed[:most]]
        more = [f"+{len(dismissed) - most:,}"] if len(dismissed) > most else []
        parts = [sheet.line((text, "dim")) for text in ("not counted: " + items[0], *items[1:], *more)]
        lines += sheet.flow(parts, LABEL + 2)
    commands = merging.approve_commands(report)
    if commands:
        lines += sheet.wrap(_alternatives(sheet, commands), LABEL + 2)
        again = sheet.line(("then: ", "dim"), (merging.check_command(report), _COMMAND))
        lines += sheet.wrap(again, LABEL + 2)
    return _labelled(sheet, "To merge" if merging.outstanding(report) else "Sign-off", lines)


def _alternatives(sheet: Page, commands: tuple[str, ...]) -> Text:
    return sheet.line((" or ", "dim")).join([sheet.line((command, _COMMAND)) for command in commands])


def _requirement(sheet: Page, report: Report, requirement: Requirement, show_all: bool) -> list[Text]:
    open_, lifted = requirement.status in merging.OUTSTANDING, requirement.status in merging.WAIVED
    mark = sheet.line(" " * LABEL, ("✘", "bold red") if open_ else ("~", "bold") if lifted else ("✔", "bold green"))
    status = (
        ""
        if requirement.status in (RequirementStatus.SATISFIED, RequirementStatus.UNSATISFIED)
        else f" ({requirement.status})"
    )
    given = listed(requirement.satisfied_by, 5)
    named = sheet.line((requirement.name, "bold"), f"{status}  ", merging.ask(report, requirement) if open_ else given)
    lines = sheet.hang(mark, named, LABEL + 2)
    if requirement.reason and (open_ or lifted or show_all):
        why = requirement.reason if lifted else f"because {requirement.reason}"
        lines += sheet.wrap(sheet.line((why, "" if lifted else "dim")), LABEL + 2)
    return lines


# --------------------------------------------------------------------------- where it comes from, where to go on


def _provenance(sheet: Page, report: Report) -> list[Text]:
    provenance, change, policy = report.case.provenance, report.case.change, report.policy
    facts = [
        f"{agent.tool}: {agent.channel}, strength {agent.strength}"
        + (f", commit {summary.short(agent.commit)}" if agent.commit else "")
        + (f": {agent.text}" if agent.text else "")
        for agent in provenance.agents[:MOST_ALL]
    ]
    if provenance.operator:
        facts.append(f"operator {provenance.operator} ({provenance.operator_source or 'source unknown'})")
    facts += [
        f"approval of {approval.person}, {moment(approval.at)}, from {approval.source}"
        for approval in report.signoff.approvals[:MOST_ALL]
    ]
    facts.append(f"content sha256 {change.digest}")
    facts.append(f"policy {policy.path or 'built in'}, revision {summary.short(policy.revision)}")
    facts.append(f"policy sha256 {policy.sha256}")
    if report.audit is not None:
        facts.append(f"recorded as decision {report.audit.entry:,}, sha256 {report.audit.head}")
    clear = sum(finding.outcome is Outcome.CLEAR for finding in report.findings)
    facts.append(f"{count(report.rules_run, 'rule')} run" + (f", {clear:,} clear" if clear else ""))
    lines = [line for fact in facts for line in sheet.wrap(sheet.line((fact, "dim")), LABEL)]
    return _labelled(sheet, "Record", lines)


def _more(sheet: Page, report: Report, show_all: bool) -> list[Text]:
    commands = [*([] if show_all else ["gate check --all"]), *merging.rule_commands(report)]
    phrases = [sheet.line((command, _COMMAND)) for command in commands]
    if report.mode is not Mode.ENFORCE and report.verdict.outcome is not Decision.PASS:
        phrases.append(sheet.line(("advice only: exits 0 (--mode enforce exits with the verdict)", "dim")))
    return _labelled(sheet, "More", sheet.flow(phrases, LABEL)) if phrases else []
