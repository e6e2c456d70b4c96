"""The touched functions: a table of all, and for the riskiest a part each with its traffic and its change."""

from gatecli.model import ChangeKind, FunctionChange, HistoryStatus
from gatecli.reports import behaviour, summary
from gatecli.reports.html.context import MAX_DETAILED, Context
from gatecli.reports.html.elements import Html, dotted, percent, prose, section, tag, text
from gatecli.reports.html.sides import Line, Pair, Sides, differing
from gatecli.reports.summary import Row
from gatecli.reports.text import UNKNOWN, age, count, cut, listed, milliseconds, rate, share

MAX_ROWS = 1_000
"""Rows of the table; the JSON report has every one."""

MAX_LINES = 3_000
"""Lines of all diffs together: more make a page that opens slowly, and nobody reads them here."""

_OPEN = 3
_LINE = 400
_MOST = 20
_NAMES = 12
_WIDE = ("share", "p95", "callers")  # given up first where the page is narrow


def functions(page: Context) -> Html | None:
    """The table and the parts; None where no function was touched."""
    if not page.rows:
        return None
    profiled = page.report.case.profile is not None
    notable = sum(row.notable for row in page.rows)
    lead = f"{count(len(page.rows), 'function')} touched, {notable:,} above {summary.MINOR_POINTS} points of risk."
    if len(page.rows) > MAX_DETAILED:
        lead += f" The riskiest {MAX_DETAILED:,} are shown one by one below the table."
    sides = Sides(page.report.case.change.files)
    room = MAX_LINES
    parts = []
    for number, row in enumerate(page.detailed):
        pairs = sides.pairs(row.function)
        fits = len(pairs) <= room
        room -= len(pairs) if fits else 0
        parts.append(_part(page, row, pairs if fits else None, is_open=number < _OPEN and row.notable))
    return section("functions", "Functions", _table(page, profiled), tag("div", parts, class_="parts"), lead=lead)


# --------------------------------------------------------------------------- the table


def _table(page: Context, profiled: bool) -> Html:
    figures = ("calls/min", "share", "p95") if profiled else ()
    heads = ("function", "change", *figures, "callers", "risk")
    numbers = {*figures, "callers", "risk"}
    classes = {name: "number" if name in numbers else None for name in heads} | dict.fromkeys(_WIDE, "number wide")
    head = tag("tr", *(tag("th", name, scope="col", class_=classes[name]) for name in heads))
    most = max((row.risk for row in page.rows), default=0)
    body = [_row(page, row, profiled, most) for row in page.rows[:MAX_ROWS]]
    left = len(page.rows) - MAX_ROWS
    more = tag("p", f"{left:,} more in gate check --report json.", class_="more") if left > 0 else None
    table = tag("table", tag("thead", head), tag("tbody", body), class_="functions sortable")
    return tag(
        "div", table, more, class_="scroll", tabindex="0", role="group", aria_label="Table of the touched functions"
    )


def _row(page: Context, row: Row, profiled: bool, most: int) -> Html:
    usage = row.usage
    calls = usage.calls_per_minute if usage else None
    figures = (
        _number(summary.calls_absent(row) or rate(calls), calls),
        _number(
            share(usage.share, usage.share_margin) if usage else UNKNOWN, usage.share if usage else None, wide=True
        ),
        _number(milliseconds(usage.p95_ms) if usage else UNKNOWN, usage.p95_ms if usage else None, wide=True),
    )
    return tag(
        "tr",
        tag("th", page.function(row.function.id), scope="row"),
        tag("td", tag("span", row.function.kind, class_=f"kind {row.function.kind}")),
        figures if profiled else None,
        _number(summary.caller_count(row), len(row.blast.callers) if row.blast else None, wide=True),
        tag(
            "td",
            tag("span", class_="riskbar", style=f"--w:{percent(row.risk, most)}", aria_hidden="true"),
            f"{row.risk:,}",
            class_="number risk",
            data_value=row.risk,
        ),
        class_=None if row.notable else "minor",
    )


def _number(shown: str, value: float | None, *, wide: bool = False) -> Html:
    return tag(
        "td", shown, class_="number wide" if wide else "number", data_value=f"{value:g}" if value is not None else "-1"
    )


# --------------------------------------------------------------------------- one function


def _part(page: Context, row: Row, pairs: tuple[Pair, ...] | None, is_open: bool) -> Html:
    function = row.function
    usage = row.usage
    calls = summary.calls_absent(row) or (f"{rate(usage.calls_per_minute)} a minute" if usage else "")
    heading = tag(
        "summary",
        tag("h3", tag("code", tag("span", f"{function.id.path}::", class_="path"), function.id.qualname)),
        tag("span", function.kind, class_=f"kind {function.kind}"),
        tag("span", calls, class_="quiet"),
        tag("span", f"{row.risk:,} points", class_="points" if row.notable else "quiet"),
    )
    body = (_facts(page, row), _findings(page, row), _diff(page, row, pairs))
    return tag(
        "details",
        heading,
        tag("div", body, class_="body"),
        id=page.anchors[function.id],
        class_="notable" if row.notable else None,
        open=is_open,
    )


def _facts(page: Context, row: Row) -> Html:
    function = row.function
    facts: list[tuple[str, Html | str | None]] = []
    if function.kind in (ChangeKind.RENAMED, ChangeKind.MOVED) and function.before:
        facts.append(("Was", tag("code", str(function.before.id))))
    if function.signature:
        facts.append(("Signature", listed(tuple(map(str, function.signature)), _MOST)))
    if function.relations:
        facts.append(("Code", listed(behaviour.relations(function), _MOST)))
    facts += _behaviour(function)
    facts += [("Traffic", _traffic(row)), ("Comes in by", _entries(row)), ("Called by", _callers(page, row))]
    facts.append(("History", _history(page, row)))
    facts.append(("Changes with", summary.changes_with(row.history) if row.history else None))
    if row.history and row.history.incidents:
        found = [tag("span", incident, class_="incident") for incident in row.history.incidents[:_MOST]]
        facts.append(("Incidents", dotted(*found)))
    return tag("dl", [(tag("dt", name), tag("dd", fact)) for name, fact in facts if fact], class_="facts")


def _behaviour(function: FunctionChange) -> list[tuple[str, Html | str | None]]:
    """What it does otherwise than before."""
    known = function.behaviour
    if known is None:
        return []
    return [
        ("Complexity", behaviour.complexity(known).removeprefix("complexity ") if known.complexity_changed else None),
        ("Constants", _codes(behaviour.constants(function))),
        ("Now", _codes(behaviour.added(known))),
        ("No longer", _codes(behaviour.removed(known))),
    ]


def _codes(texts: list[str]) -> Html | None:
    if not texts:
        return None
    more = f"{len(texts) - _NAMES:,} more" if len(texts) > _NAMES else None
    return dotted(*(tag("code", one) for one in texts[:_NAMES]), more)


def _traffic(row: Row) -> Html:
    usage = row.usage
    absent = summary.calls_absent(row)
    if usage is None or absent is not None:
        return text((usage.reason if usage else None) or absent or "not profiled")
    known = [f"{rate(usage.calls_per_minute)} calls a minute" if usage.calls_per_minute is not None else None]
    known += [f"{share(usage.share, usage.share_margin)} of traffic" if usage.share is not None else None]
    if row.blast and row.blast.share is not None and share(row.blast.share) != share(usage.share):
        known.append(f"{share(row.blast.share)} of all that comes in passes through here")
    known += [f"{share(usage.error_rate)} errors" if usage.error_rate is not None else None]
    if usage.p50_ms is not None or usage.p95_ms is not None:
        known.append(f"p50 {milliseconds(usage.p50_ms)}, p95 {milliseconds(usage.p95_ms)}")
    known.append(summary.waited_for(row))
    source = [part for part in (usage.basis, usage.confidence and f"match {usage.confidence}") if part]
    return dotted(*known, tag("span", ", ".join(source), class_="quiet") if source else None)


def _entries(row: Row) -> Html | None:
    """Entry points with their part of the function's traffic, where it is known."""
    observed = row.usage.entry_points if row.usage else ()
    known = observed or tuple((name, None) for name in (row.blast.entry_points if row.blast else ()))
    if not known:
        return None
    items = [
        tag(
            "li",
            tag("span", class_="sharebar", style=f"--w:{percent(part)}", aria_hidden="true")
            if part is not None
            else None,
            tag("code", name),
            tag("span", f" {share(part)}", class_="quiet") if part is not None else None,
        )
        for name, part in known[:_NAMES]
    ]
    more = [tag("li", f"and {len(known) - _NAMES:,} more", class_="quiet")] if len(known) > _NAMES else []
    return tag("ul", items, more, class_="entries")


def _callers(page: Context, row: Row) -> Html | None:
    if row.blast is None or not row.blast.callers:
        return None
    direct = dict.fromkeys(caller.id for caller in row.blast.callers if caller.depth == 1)
    shown = [page.function(id) for id in list(direct)[:_NAMES]]
    more = f"{summary.caller_count(row)} in all" if len(row.blast.callers) > len(shown) else None
    return dotted(*shown, more)


def _history(page: Context, row: Row) -> str | None:
    history = row.history
    if history is None or history.status in (HistoryStatus.SHALLOW, HistoryStatus.UNAVAILABLE):
        return None
    if history.status is HistoryStatus.NEW or not history.changes:
        return "new"
    said = count(history.changes, "change")
    if history.authors:
        people = [f"{summary.person_name(author.person)} ({author.changes:,})" for author in history.authors]
        said += f" by {listed(people, 4)}"
    if first := summary.first_seen(history, page.report.generated_at):
        said += f", {first}"
    if history.last_changed_at is not None:
        said += f", last {age(page.report.generated_at - history.last_changed_at)} ago"
    return said


def _findings(page: Context, row: Row) -> Html | None:
    found = [finding for finding in summary.flagged(page.report) if finding.function == row.function.id]
    items = [
        tag(
            "li",
            tag("span", finding.severity, class_=f"severity {finding.severity}"),
            tag("span", prose(finding.message)),
            tag("span", dotted(summary.rule_name(finding), page.place(finding.path, finding.line)), class_="where"),
        )
        for finding in found[:_MOST]
    ]
    return tag("ul", items, class_="found") if items else None


# --------------------------------------------------------------------------- side by side


def _diff(page: Context, row: Row, pairs: tuple[Pair, ...] | None) -> Html | None:
    if pairs is None:
        return tag("p", f"The diff is left out: the page holds {MAX_LINES:,} lines of diff at most.", class_="quiet")
    if not any(pair.changed for pair in pairs):
        return None
    rows = [part for pair in pairs for part in _pair(pair)]
    name = f"Diff of {row.function.id.qualname}, before and after"
    head = tag(
        "thead",
        tag(
            "tr",
            *(
                tag("th", tag("span", head, class_="unseen" if head != side else None), scope="col")
                for side, head in (("", "line before"), ("before", "before"), ("", "line after"), ("after", "after"))
            ),
        ),
    )
    table = tag("table", head, tag("tbody", rows), class_="diff")
    return tag("div", table, class_="scroll", tabindex="0", role="group", aria_label=name)


def _pair(pair: Pair) -> list[Html]:
    rows = []
    if pair.gap:
        rows.append(tag("tr", tag("td", f"{count(pair.gap, 'unchanged line')}", colspan="4"), class_="gap"))
    old, new = pair.old, pair.new
    common = differing(old.text, new.text) if pair.changed and old and new else (0, 0)
    sides = (
        _side(old, pair.changed and old is not None, common, "del"),
        _side(new, pair.changed and new is not None, common, "ins"),
    )
    is_same = old is not None and new is not None and not pair.changed
    return [*rows, tag("tr", sides, class_="same" if is_same else None)]


def _side(line: Line | None, changed: bool, common: tuple[int, int], mark: str) -> tuple[Html, Html]:
    if line is None:
        return tag("td", class_="no"), tag("td", class_="none")
    head, tail = common
    code: Html | tuple[Html, ...] = _code(line.text)
    if changed and (head or tail):
        end = len(line.text) - tail
        middle = line.text[head:end]
        code = (_code(line.text[:head]), tag("mark", _code(middle)) if middle else text(""), _code(line.text[end:]))
    return (
        tag("td", str(line.number), class_=f"no {mark}" if changed else "no"),
        tag("td", code, class_=mark if changed else None),
    )


def _code(content: str) -> Html:
    return text(cut(content, _LINE)) if content else Html("")
