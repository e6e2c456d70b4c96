"""The rest of the page: every finding with its evidence, history and incidents, what could not be known, the record."""

from collections.abc import Iterator

from gatecli.model import Evidence, Finding, FunctionHistory, HistoryStatus, Outcome
from gatecli.reports import levels, summary
from gatecli.reports.html.context import Context
from gatecli.reports.html.elements import Html, dotted, percent, prose, section, tag
from gatecli.reports.html.verdict import approvals
from gatecli.reports.summary import Row
from gatecli.reports.text import UNKNOWN, age, count, listed, milliseconds, moment

MOST = 200
"""Entries of one list; the JSON report has every one."""


def findings(page: Context) -> Html | None:
    """Every finding with its evidence and its remedy, gravest first."""
    groups = summary.alike(summary.flagged(page.report))
    if not groups:
        return None
    items = [_finding(page, group) for group in groups[:MOST]]
    left = len(groups) - MOST
    more = tag("p", f"{left:,} more in gate check --report json.", class_="more") if left > 0 else None
    run = page.report.rules_run
    clear = sum(finding.outcome is Outcome.CLEAR for finding in page.report.findings)
    lead = f"{count(run, 'rule')} run." + (f" {clear:,} found nothing." if clear else "")
    return section("findings", "Findings", tag("ul", items, class_="findings"), more, lead=lead)


def _finding(page: Context, group: tuple[Finding, ...]) -> Html:
    finding = group[0]
    places = dotted(*(page.place(each.path, each.line) for each in group[:10]))
    more = f"and {len(group) - 10:,} more places" if len(group) > 10 else None
    points = f"{finding.points:+,d} points" if finding.points else None
    evidence = [_evidence(page, item) for item in finding.evidence[:20]]
    return tag(
        "li",
        tag("span", finding.severity, class_=f"severity {finding.severity}"),
        tag("p", prose(finding.message)),
        tag("p", tag("span", "→ ", class_="arrow"), prose(finding.remedy), class_="remedy") if finding.remedy else None,
        tag(
            "p",
            dotted(places, more, tag("span", summary.rule_name(finding), class_="rule"), points),
            class_="where",
        ),
        tag("ul", evidence, class_="evidence") if evidence else None,
    )


def _evidence(page: Context, item: Evidence) -> Html:
    shown = tag("code", item.text) if item.kind == "code" else prose(item.text)
    return tag("li", tag("span", f"{item.kind}: ", class_="quiet"), dotted(shown, page.place(item.path, item.line)))


# --------------------------------------------------------------------------- what happened before


def history(page: Context) -> Html | None:
    """Who changed the touched functions before, when last, and what went wrong there."""
    known = [(row, row.history) for row in page.rows if row.history and (row.history.changes or row.history.incidents)][
        :MOST
    ]
    if not known:
        return None
    most = max(past.changes or 0 for _, past in known)
    heads = ("function", "changes", "by", "last", "incidents")
    head = tag("tr", *(tag("th", name, scope="col") for name in heads))
    rows = [_past(page, row, past, most) for row, past in known]
    table = tag("table", tag("thead", head), tag("tbody", rows), class_="history")
    scroll = tag("div", table, class_="scroll", tabindex="0", role="group", aria_label="Table of past changes")
    shallow = sum(row.history.status is HistoryStatus.SHALLOW for row in page.rows if row.history)
    recalled = page.report.case.incidents
    came = f"{count(len(recalled), 'incident')} came from these functions, or from what is one call away."
    lead = came if recalled else "No incident on record."
    if shallow:
        lead += " Of some the history is cut short: there may be more."
    more = tag("li", count(len(recalled) - MOST, "more incident")) if len(recalled) > MOST else None
    told = tag("ul", [tag("li", prose(summary.incident(one))) for one in recalled[:MOST]], more, class_="notes")
    return section("history", "History and incidents", scroll, told if recalled else None, lead=lead)


def _past(page: Context, row: Row, past: FunctionHistory, most: int) -> Html:
    people = [f"{summary.person_name(author.person)} ({author.changes:,})" for author in past.authors]
    last = f"{age(page.report.generated_at - past.last_changed_at)} ago" if past.last_changed_at is not None else ""
    bar = tag("span", class_="sharebar", style=f"--w:{percent(past.changes or 0, most)}", aria_hidden="true")
    return tag(
        "tr",
        tag("th", page.function(row.function.id), scope="row"),
        tag("td", bar, f"{past.changes:,}" if past.changes is not None else UNKNOWN, class_="changes"),
        tag("td", listed(people, 4)),
        tag("td", last, title=moment(past.last_changed_at)),
        tag("td", dotted(*(tag("span", name, class_="incident") for name in past.incidents[:10]))),
    )


# --------------------------------------------------------------------------- limits and record


def files(page: Context) -> Html | None:
    """Every file by kind, where some were judged as a whole or not read."""
    phrases = levels.phrases(levels.levels(page.report.case))
    if not phrases:
        return None
    found = levels.by_kind(page.report.case)
    items = [tag("li", dotted(page.place(path, None), facts)) for path, facts in found[:MOST]]
    more = tag("li", f"{len(found) - MOST:,} more") if len(found) > MOST else None
    return section("files", "Files", tag("ul", items, more, class_="limits"), lead=f"{'; '.join(phrases)}.")


def record(page: Context) -> Html:
    """What could not be known, and by what the answer can be checked."""
    limits = summary.limits(page.report)
    items = [tag("li", prose(limit)) for limit in limits[:MOST]]
    more = tag("li", f"{len(limits) - MOST:,} more") if len(limits) > MOST else None
    told = [tag("h3", "What could not be known"), tag("ul", items, more, class_="limits")] if items else []
    facts = [(tag("dt", name), tag("dd", fact)) for name, fact in _facts(page) if fact]
    return section("record", "Record", told, tag("dl", facts, class_="facts"))


def _facts(page: Context) -> Iterator[tuple[str, Html | str | None]]:
    report = page.report
    change, policy, provenance = report.case.change, report.policy, report.case.provenance
    yield "Profile", ", ".join((*summary.profile_origin(report), *summary.matching(report))) or "none"
    for reason, ids in summary.unobserved(report)[:20]:
        yield "No figures", f"{reason}: {listed(ids, 5)}"
    for agent in provenance.agents[:20]:
        said = f"{summary.agent_name(agent)}, {agent.channel}, strength {agent.strength} of 3"
        yield "Agent", f"{said}: {agent.text}" if agent.text else said
    if provenance.operator:
        yield "Operator", f"{provenance.operator} ({provenance.operator_source or 'source unknown'})"
    yield "Approvals", approvals(report)
    yield "Base", tag("code", change.merge_base or change.base or "unknown")
    yield "Head", tag("code", change.head or str(change.kind))
    yield "Content", tag("code", f"sha256 {change.digest}")
    revision = f", revision {summary.short(policy.revision)}" if policy.revision else ""
    yield "Policy", dotted(f"{policy.path or 'built in'}{revision}", tag("code", f"sha256 {policy.sha256}"))
    yield "Judged", f"{moment(report.generated_at)} by gate {report.tool_version}, mode {report.mode}"
    if report.audit is not None:
        yield "Decision", dotted(f"number {report.audit.entry:,}", tag("code", f"sha256 {report.audit.head}"))
    timings = report.timings_ms
    if timings:
        yield "Took", milliseconds(timings.get("total", sum(timings.values())))
