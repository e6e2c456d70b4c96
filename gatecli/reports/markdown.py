"""The report as a pull-request comment: the verdict and who can unblock it first, everything else folded away."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from gatecli.model import (
    Candidate,
    Contribution,
    Decision,
    Finding,
    Mode,
    Report,
    Requirement,
    ScorePart,
)
from gatecli.reports import behaviour, levels, merging, picture, standing, summary, tree
from gatecli.reports.summary import Row, Why
from gatecli.reports.text import UNKNOWN, count, cut, guard, listed, milliseconds, rate, share
from gatecli.reports.text import markdown as prose
from gatecli.reports.text import markdown_code as code

MARKER = "<!-- gate-report -->"
"""The comment's first line, by which the next run finds it again; readers do not see it."""

MAX_LENGTH = 64_000
"""Characters; GitHub refuses a comment of more than 65,536."""

MOST = 10
"""Entries of one visible section."""

MOST_FOLDED = 50
"""Entries of one folded section."""

_NAME = 200
_TEXT = 600
_NAMES_KNOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    """A part of the comment that is kept or left out as a whole; ``title`` says what would be missing."""

    title: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Writer:
    """How untrusted text is written: what ``quoted`` matches is set in code."""

    quoted: re.Pattern[str]
    source_url: str | None

    def text(self, text: str, limit: int = _TEXT) -> str:
        """Prose, with what stands in backticks and the names of touched functions and files in code."""
        text = cut(text, limit)
        written, end = "", 0
        for match in self.quoted.finditer(text):
            written += prose(text[end : match.start()]) + code(match["quoted"] or match["name"])
            end = match.end()
        return (written + prose(text[end:])).strip()

    def place(self, path: str | None, line: int | None) -> str:
        """``path:line``, as a link where it is known where the source is to be read."""
        shown = code(summary.place(path, line), _NAME)
        if not path or not self.source_url or not re.fullmatch(r"[\w./-]+", path, re.ASCII):
            return shown
        return f"[{shown}]({self.source_url}{path}{f'#L{line}' if line is not None else ''})"


def render(report: Report, *, source_url: str | None = None) -> str:
    """The report in GitHub Markdown, shorter than GitHub's limit.

    ``source_url`` is what a path of the head is appended to to read it (``https://github.com/o/r/blob/<commit>/``);
    with it, places are links.
    """
    writer = _Writer(quoted=_quoted(report), source_url=source_url)
    rows = summary.rows(report)
    sections = [
        _Section(title="the verdict", body=_verdict(writer, report)),
        *_blockers(writer, report),
        *_why(writer, report),
        *_merge(writer, report),
        *_functions(writer, report, rows),
        *_blast(rows),
        *_findings(writer, report),
        *_incidents(writer, report),
        *_signoff(writer, report),
        *_runtime(writer, report),
        *_judged(writer, report),
        *_scoring(writer, report),
        *_past(writer, report),
    ]
    return guard(_bounded(sections, _footer(report)))


def _bounded(sections: list[_Section], footer: str) -> str:
    """The sections that fit, in order, and the names of those that do not."""
    kept = [MARKER]
    left: list[str] = []
    room = MAX_LENGTH - len(MARKER) - len(footer) - 400
    for section in sections:
        if len(section.body) + 2 <= room:
            kept.append(section.body)
            room -= len(section.body) + 2
        else:
            left.append(section.title)
    if left:
        kept.append(f"**Left out**, as GitHub limits a comment: {listed(left, 10)}. All of it: `gate check --all`.")
    first, *rest = kept
    return f"{first}\n" + "\n\n".join([*rest, footer]) + "\n"


def _quoted(report: Report) -> re.Pattern[str]:
    """What is set in code: what is in backticks, and the riskiest functions' names that no sentence holds by chance."""
    names: set[str] = set()
    for row in summary.rows(report)[:_NAMES_KNOWN]:
        id = row.function.id
        module = id.path.rpartition("/")[2].removesuffix(".py")
        names |= {str(id), id.path, f"{module}.{id.qualname}", id.qualname, id.name}
    telling = [name for name in names if len(name) <= _NAME and re.search(r"[a-z][A-Z]|[\w)][_.:/]\w|^_", name)]
    ordered = sorted(telling, key=lambda name: (-len(name), name))
    known = "|".join(map(re.escape, ordered)) or r"(?!)"
    return re.compile(rf"`(?P<quoted>[^`]{{1,{_NAME}}})`|(?<![\w.])(?P<name>{known})(?!\w|\.\w)")


def _folded(title: str, summary_text: str, lines: Iterable[str]) -> _Section:
    body = "\n".join(lines)
    return _Section(title=title, body=f"<details><summary>{summary_text}</summary>\n\n{body}\n\n</details>")


def _more(left: int) -> list[str]:
    return [f"- … {left:,} more: `gate check --all`"] if left > 0 else []


# --------------------------------------------------------------------------- what is seen at once


def _verdict(writer: _Writer, report: Report) -> str:
    said = [writer.text(phrase) for phrase in summary.headline(report)]
    first = f"**gate: {summary.word(report)}** · {', '.join(said)}."
    needed = merging.outstanding(report)
    if needed:
        first += f" Needs {listed([_needed(writer, needed, item) for item in needed[:3]], 3)}"
        first += f" +{len(needed) - 3:,}." if len(needed) > 3 else "."
    lines = [first, "", " · ".join(writer.text(phrase) for phrase in summary.authorship(report)).strip()]
    if report.verdict.incomplete:
        reasons = [writer.text(text) for text in report.verdict.incomplete]
        lines += ["", f"**Evidence incomplete:** {listed(reasons, 5)}"]
    return "\n".join(lines)


def _needed(writer: _Writer, needed: tuple[Requirement, ...], item: Requirement) -> str:
    """A requirement in bold; whom to ask is said once where the next one asks the same people."""
    following = needed[needed.index(item) + 1 : 3]
    people = {candidate.person for candidate in item.who}
    said_later = any({candidate.person for candidate in other.who} == people for other in following)
    return f"**{writer.text(item.name, _NAME)}**{'' if said_later else _who(writer, item.who)}"


def _who(writer: _Writer, who: tuple[Candidate, ...]) -> str:
    names = [writer.text(candidate.person, _NAME) for candidate in who[:3]]
    return f" ({listed(names, 3, 'or')})" if names else ""


def _blockers(writer: _Writer, report: Report) -> list[_Section]:
    found = summary.blockers(report)
    if not found:
        return []
    texts = {why.finding: why.reason.text for why in summary.whys(report) if why.finding}
    lines = ["**What has to change**", ""]
    for number, finding in enumerate(found[:MOST], 1):
        text = writer.text(texts.get(finding, finding.message))
        where = f"{writer.place(finding.path, finding.line)} {code(summary.rule_name(finding), _NAME)}"
        ask = f"**{writer.text(finding.remedy)}**<br>{text}" if finding.remedy else f"**{text}**"
        lines.append(f"{number}. {ask}<br>{where}")
    return [_Section(title="what has to change", body="\n".join([*lines, *_more(len(found) - MOST)]))]


def _why(writer: _Writer, report: Report) -> list[_Section]:
    said = summary.blockers(report)
    whys = [why for why in summary.whys(report) if why.finding is None or why.finding not in said]
    if not whys:
        return []
    lines = [f"{number}. {_reason(writer, why)}" for number, why in enumerate(whys, 1)]
    title = ["**Why**", ""] if said else []
    return [_Section(title="the reasons", body="\n".join([*title, *lines]))]


def _reason(writer: _Writer, why: Why) -> str:
    reason = why.reason
    points = f"**{reason.points:+d}** " if reason.points else ""
    line = points + writer.text(reason.text)
    if reason.path:
        line += f" · {writer.place(reason.path, reason.line)}"
    if why.finding and why.finding.remedy:
        line += f"<br>→ {writer.text(why.finding.remedy)}"
    return line


def _merge(writer: _Writer, report: Report) -> list[_Section]:
    needed, lifted = merging.outstanding(report), merging.waived(report)
    if not needed and not lifted:
        return []
    lines = [f"**{'To merge' if needed else 'Sign-off'}** · {merging.progress(report)}", ""]
    for requirement in merging.asked(report)[-MOST:]:
        detail = merging.ask(report, requirement) if requirement in needed else listed(requirement.satisfied_by, 5)
        detail = requirement.reason if requirement in lifted else detail
        mark = "✘" if requirement in needed else "~" if requirement in lifted else "✔"
        lines.append(f"- {mark} **{writer.text(requirement.name, _NAME)}**: {writer.text(detail)}")
    commands = merging.approve_commands(report)
    if commands:
        again = code(merging.check_command(report))
        lines += ["", f"{' or '.join(code(command) for command in commands)}, then {again}"]
    return [_Section(title="who must sign", body="\n".join(lines))]


def _functions(writer: _Writer, report: Report, rows: tuple[Row, ...]) -> list[_Section]:
    shown = [row for row in rows if row.notable][:MOST]
    if not shown:
        return []
    profiled = report.case.profile is not None
    figures = ["calls/min", "share", "p95"] if profiled else []
    heads = ["function", "change", *figures, "callers", "risk"]
    ruler = ["---", "---", *["--:" for _ in figures], "--:", "--:"]
    lines = [_table_row(heads), _table_row(ruler)]
    for row in shown:
        usage = row.usage
        calls = summary.calls_absent(row) or rate(usage.calls_per_minute if usage else None)
        cells = [
            calls,
            share(usage.share, usage.share_margin) if usage else UNKNOWN,
            milliseconds(usage.p95_ms) if usage else UNKNOWN,
        ]
        lines.append(
            _table_row(
                [
                    code(str(row.function.id), _NAME),
                    _change(writer, row),
                    *(prose(cell).replace(" ", "&nbsp;") for cell in cells if profiled),
                    summary.caller_count(row),
                    f"**{row.risk:,}**",
                ]
            )
        )
    if len(rows) > len(shown):
        lines += ["", f"{count(len(rows) - len(shown), 'more function')}: `gate check --all`"]
    return [_Section(title="the functions", body="\n".join(lines))]


def _table_row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _change(writer: _Writer, row: Row) -> str:
    function = row.function
    past = row.history.incidents if row.history else ()
    facts = [
        *([f"incidents: {listed(past, 3)}"] if past else []),
        *map(str, function.signature),
        *behaviour.relations(function),
        *behaviour.notable(function),
    ]
    return f"{function.kind}, {writer.text(listed(facts, 2), _NAME)}" if facts else str(function.kind)


# --------------------------------------------------------------------------- what is folded away


def _blast(rows: tuple[Row, ...]) -> list[_Section]:
    drawn = picture.graph(rows)
    if drawn is None:
        return []
    counted = [
        *([count(len(drawn.entries), "entry point")] if drawn.entries else []),
        *([count(len(drawn.callers), "caller")] if drawn.callers else []),
        count(len(drawn.rows), "function"),
    ]
    legend = "Solid: a known call. Dotted: a possible call, or a way that is not recorded. Width: traffic."
    if drawn.total > drawn.drawn:
        legend += f" **Cut:** {drawn.drawn:,} of {drawn.total:,} boxes are shown."
    if drawn.bounded:
        legend += " There are more callers than could be followed."
    lines = ["```mermaid", picture.source(drawn), "```", "", f"<sub>{legend}</sub>"]
    return [_folded("the blast radius", f"Blast radius: {' → '.join(counted)}", lines)]


def _findings(writer: _Writer, report: Report) -> list[_Section]:
    found = summary.flagged(report)
    if not found:
        return []
    groups = summary.alike(found)
    lines = [_finding(writer, group) for group in groups[:MOST_FOLDED]]
    return [_folded("the findings", f"All findings ({len(found):,})", [*lines, *_more(len(groups) - MOST_FOLDED)])]


def _finding(writer: _Writer, group: tuple[Finding, ...]) -> str:
    finding = group[0]
    places = listed([writer.place(each.path, each.line) for each in group], 5)
    rule = code(summary.rule_name(finding), _NAME)
    remedy = f"<br>→ {writer.text(finding.remedy)}" if finding.remedy else ""
    return f"- **{finding.severity}** {rule} {places}: {writer.text(finding.message)}{remedy}"


def _incidents(writer: _Writer, report: Report) -> list[_Section]:
    """What went wrong before in the touched functions, or next to them."""
    found = report.case.incidents
    if not found:
        return []
    lines = [f"- {writer.text(summary.incident(one))}" for one in found[:MOST_FOLDED]]
    return [_folded("the incidents", f"Incidents ({len(found):,})", [*lines, *_more(len(found) - MOST_FOLDED)])]


def _signoff(writer: _Writer, report: Report) -> list[_Section]:
    """The tree that ``gate signoff`` shows."""
    lines = [line for branch in report.signoff.tree[:MOST_FOLDED] for line in tree.items(branch, write=writer.text)]
    lines += _more(len(report.signoff.tree) - MOST_FOLDED)
    lines += [
        f"- not counted: {writer.text(item.by, _NAME)} ({writer.text(item.reason, _NAME)})"
        for item in report.signoff.dismissed[:MOST_FOLDED]
    ]
    return [_folded("the sign-off", f"Sign-off: {merging.progress(report)}", lines)] if lines else []


def _runtime(writer: _Writer, report: Report) -> list[_Section]:
    lines = []
    if report.case.profile is not None:
        lines += [f"- {writer.text(', '.join(summary.matching(report)))}"]
        lines += [f"- {writer.text(', '.join(summary.profile_origin(report)))}"]
        lines += [
            f"- {writer.text(reason, _NAME)}: {listed([code(id, _NAME) for id in ids], 3)}"
            for reason, ids in summary.unobserved(report)[:MOST]
        ]
    elif report.case.functions:
        lines.append("- not profiled: how often these functions run is unknown")
    limits = summary.limits(report)
    lines += [f"- {writer.text(limit)}" for limit in limits[:MOST_FOLDED]]
    lines += _more(len(limits) - MOST_FOLDED)
    known = "Profile" if report.case.profile is not None else "Not profiled"
    title = f"{known} and {count(len(limits), 'limit')}" if limits else known
    return [_folded("the profile", title, lines)] if lines else []


def _judged(writer: _Writer, report: Report) -> list[_Section]:
    """What was judged as whole files or not read, and every file by kind; nothing where all of it went by function."""
    phrases = levels.phrases(levels.levels(report.case))
    if not phrases:
        return []
    files = levels.by_kind(report.case)
    lines = [f"- {writer.text(phrase)}" for phrase in phrases[1:]]
    lines += [f"- {writer.place(path, None)}: {writer.text(facts)}" for path, facts in files[:MOST_FOLDED]]
    return [_folded("the files", f"Judged: {phrases[0]}", [*lines, *_more(len(files) - MOST_FOLDED)])]


def _scoring(writer: _Writer, report: Report) -> list[_Section]:
    score = report.score
    if not score.contributions:
        return []
    lines = ["10 points double the odds of a bad outcome, or the traffic touched.", ""]
    for part in ScorePart:
        items = sorted((c for c in score.contributions if c.part is part), key=_contribution_order)
        lines += [_contribution(writer, report, item) for item in items[:MOST_FOLDED]]
        lines += _more(len(items) - MOST_FOLDED)
    unknown = " (not profiled)" if report.case.profile is None else ""
    title = f"How this was scored: {score.total} = {score.likelihood} likelihood + {score.exposure} exposure{unknown}"
    return [_folded("the score", title, lines)]


def _past(writer: _Writer, report: Report) -> list[_Section]:
    """Where the change stands among past ones, and by which signals."""
    place = report.score.standing
    if place is None:
        return []
    said = "; ".join(writer.text(text) for text in (standing.opening(place), *standing.following(place)))
    lines = [
        *(f"- **{one.points:+d}** {writer.text(standing.signal(place, one))}" for one in place.signals[:MOST_FOLDED])
    ]
    return [_folded("the past", f"Among past changes: {said}", lines)]


def _contribution_order(item: Contribution) -> tuple[int, str, str]:
    return -item.points, item.rule, item.text


def _contribution(writer: _Writer, report: Report, item: Contribution) -> str:
    where = f" {writer.place(item.path, item.line)}" if item.path else ""
    left = summary.without(report, item.rule) if item.points else None
    otherwise = f" · without it: {left}" if left else ""
    return f"- **{item.points:+d}** {item.part}: {writer.text(item.text)} {code(item.rule, _NAME)}{where}{otherwise}"


def _footer(report: Report) -> str:
    policy = report.policy
    named = code(policy.path, _NAME) if policy.path else "built in"
    parts = [f"gate {prose(report.tool_version, 40)}", f"policy {named} {code(policy.sha256[:7])}"]
    parts.append(f"content {code(report.case.change.digest[:7])}")
    if report.audit is not None:
        parts.append(f"decision {report.audit.entry:,} {code(report.audit.head)}")
    if report.mode is not Mode.ENFORCE and report.verdict.outcome is not Decision.PASS:
        parts.append("advice only")
    return f"<sub>{' · '.join(parts)}</sub>"
