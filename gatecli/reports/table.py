"""The table of touched functions: riskiest first, as many columns as the width allows."""

from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

from gatecli.model import ChangeKind, FunctionChange
from gatecli.reports import behaviour
from gatecli.reports.page import Page, fit, shorten, shorten_id
from gatecli.reports.summary import (
    MINOR_POINTS,
    Row,
    caller_count,
    calls_absent,
    changes_with,
    entry_points,
    first_seen,
    waited_for,
)
from gatecli.reports.text import UNKNOWN, count, listed, milliseconds, rate, share

MOST = 10
"""Rows that are shown without ``show_all``."""

MOST_ALL = 1_000
"""Rows that are shown at all; the JSON report has every one."""

_GAP = 2
_INDENT = 2
_NAME = 34
"""Columns a function's id keeps while there is another column to drop."""
_ENTRIES = 15
"""Columns that entry points need to say something: ``POST /orders +3``."""
_BAR = 6
_MOST_ENTRIES = 4
_STEPS = (
    ((), True),
    (("callers",), True),
    (("callers",), False),
    (("callers", "p95"), False),
    (("callers", "p95", "share"), False),
)
"""What is given up for room, a step at a time: columns, and whether the entry points stay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    head: str
    cells: tuple[str, ...]
    right: bool = False

    @property
    def width(self) -> int:
        return max(cell_len(cell) for cell in (self.head, *self.cells))


def functions(page: Page, rows: tuple[Row, ...], *, profiled: bool, show_all: bool, now: int) -> list[Text]:
    """The table's lines with what was left out below; empty where no function was touched.

    ``profiled`` says whether there is a profile: without one the columns of its figures would only hold dashes.
    ``now`` is UTC epoch seconds.
    """
    if not rows:
        return []
    notable = [row for row in rows if row.notable]
    shown = list(rows[:MOST_ALL]) if show_all else notable[:MOST]
    lines: list[Text] = []
    if shown:
        columns = _columns(page, shown, profiled)
        lines.append(_row(page, [fit(page.line((c.head, "dim")), c.width, c.right) for c in columns]))
        for index, row in enumerate(shown):
            cells = [fit(_cell(page, column, index, row), column.width, column.right) for column in columns]
            lines.append(_row(page, cells))
            lines += [line for text in _details(page, row, show_all, now) for line in page.wrap(text, _INDENT + 2)]
    rest = _rest(len(notable), len(rows), len(shown), show_all)
    return [*lines, *(page.wrap(page.line((rest, "dim")), _INDENT) if rest else [])]


def _row(page: Page, cells: list[Text]) -> Text:
    return Text(" " * _INDENT) + Text(" " * _GAP).join(cells)


def _cell(page: Page, column: _Column, index: int, row: Row) -> Text:
    style = "dim" if row.function.kind is ChangeKind.COSMETIC else ""
    content = column.cells[index]
    if column.head == "risk":
        number, _, bar = content.rpartition(" ") if row.risk > 0 else (content, "", "")
        return page.line((f"{number} ", style), (bar, "red"))
    if column.head == "function" and "::" in content:
        path, _, name = content.rpartition("::")
        return page.line((f"{path}::", "dim"), (name, "bold" if row.notable else style))
    return page.line((content, style))


def _columns(page: Page, shown: list[Row], profiled: bool) -> list[_Column]:
    most = max(row.risk for row in shown)
    ids = [(page.safe(row.function.id.path), page.safe(row.function.id.qualname)) for row in shown]
    natural = max(cell_len(f"{path}::{qualname}") for path, qualname in ids)
    figures = [
        _Column(head="change", cells=tuple(str(row.function.kind) for row in shown)),
        *(_figures(page, shown) if profiled else []),
        _Column(head="callers", cells=tuple(page.safe(caller_count(row)) for row in shown), right=True),
    ]
    risk = _Column(head="risk", cells=tuple(_risk(page, row, most) for row in shown))
    columns, entries = _fitting(page, figures, risk, min(natural, _NAME))
    if entries and any(entry_points(row) for row in shown):
        room = max(_ENTRIES, page.width - _taken([*columns, risk]) - _GAP - natural)
        columns.append(_Column(head="entry points", cells=tuple(_entries(page, row, room) for row in shown)))
    columns.append(risk)
    room = max(12, page.width - _taken(columns))
    mark = page.safe("…")
    names = _Column(head="function", cells=tuple(shorten_id(path, name, room, mark) for path, name in ids))
    return [names, *columns]


def _fitting(page: Page, figures: list[_Column], risk: _Column, name: int) -> tuple[list[_Column], bool]:
    """The columns that leave ``name`` columns for the names, and whether entry points fit beside them."""
    for dropped, entries in _STEPS:
        columns = [column for column in figures if column.head not in dropped]
        taken = _taken([*columns, risk]) + (_GAP + _ENTRIES if entries else 0)
        if taken + name <= page.width:
            break
    return columns, entries


def _entries(page: Page, row: Row, room: int) -> str:
    """As many entry points as fit in ``room`` columns, and how many more there are."""
    names = [page.safe(name) for name in entry_points(row)[:_MOST_ENTRIES]]
    total = len(entry_points(row))
    for shown in range(len(names), 0, -1):
        more = f" +{total - shown:,}" if total > shown else ""
        text = ", ".join(names[:shown]) + more
        if cell_len(text) <= room:
            return text
        if shown == 1:
            verb = names[0][: names[0].find(" ") + 1][: _ENTRIES // 2]  # a route without its method is hard to know
            rest = names[0].removeprefix(verb)
            return verb + shorten(rest, room - len(verb) - len(more), page.safe("…")) + more
    return page.safe(UNKNOWN)


def _risk(page: Page, row: Row, most: int) -> str:
    """The points in as many columns as the most have, and their bar."""
    return f"{row.risk:>{len(str(most))}} {page.bar(row.risk, most, _BAR)}".rstrip()


def _figures(page: Page, shown: list[Row]) -> list[_Column]:
    usages = [row.usage for row in shown]
    calls = [
        calls_absent(row) or rate(usage.calls_per_minute if usage else None)
        for row, usage in zip(shown, usages, strict=True)
    ]
    shares = [share(usage.share, usage.share_margin) if usage else UNKNOWN for usage in usages]
    slowest = [milliseconds(usage.p95_ms) if usage else UNKNOWN for usage in usages]
    return [
        _Column(head="calls/min", cells=tuple(map(page.safe, calls)), right=True),
        _Column(head="share", cells=tuple(map(page.safe, shares)), right=True),
        _Column(head="p95", cells=tuple(map(page.safe, slowest)), right=True),
    ]


def _taken(columns: list[_Column]) -> int:
    return _INDENT + sum(column.width + _GAP for column in columns)


def _details(page: Page, row: Row, show_all: bool, now: int) -> list[Text]:
    """What a cell cannot hold: another name before, a changed contract, incidents; on request also its use."""
    function = row.function
    facts = []
    if function.kind in (ChangeKind.RENAMED, ChangeKind.MOVED) and function.before:
        facts.append(f"{function.kind} from {function.before.id}")
    if function.signature:
        facts.append(f"signature: {listed(tuple(map(str, function.signature)), 3)}")
    facts += behaviour.relations(function)
    facts += _way_in(row)
    if not show_all and (does := behaviour.notable(function)):
        facts.append(listed(does, 3))
    if row.history and row.history.incidents:
        facts.append(f"incidents: {listed(row.history.incidents, 3)}")
    if show_all:
        facts += _behaviour(function)
        facts += _use(row, now)
    return [page.line((fact, "dim")) for fact in facts]


def _way_in(row: Row) -> list[str]:
    """Where the traffic of a function comes in, with the parts, and what its requests wait for."""
    observed = row.usage.entry_points if row.usage else ()
    waited = waited_for(row)
    if waited is None and len(observed) < 2:  # the entry point has a column, where there is room
        return []
    entries = [name if part is None or len(observed) < 2 else f"{name} {share(part)}" for name, part in observed]
    facts = [f"in by {listed(entries, 3)}"] if entries else []
    return [" · ".join([*facts, *([waited] if waited else [])])]


def _behaviour(function: FunctionChange) -> list[str]:
    """All that is known of what it does otherwise."""
    known = function.behaviour
    if known is None:
        return []
    facts = [known_complexity] if (known_complexity := behaviour.complexity(known)) else []
    facts += [f"constants: {listed(found, 6)}"] if (found := behaviour.constants(function)) else []
    facts += [f"now {listed(found, 6)}"] if (found := behaviour.added(known)) else []
    facts += [f"no longer {listed(found, 6)}"] if (found := behaviour.removed(known)) else []
    return facts


def _use(row: Row, now: int) -> list[str]:
    facts = []
    entries = entry_points(row)
    if len(entries) > 1:
        facts.append(f"entry points: {listed(entries, 12)}")
    usage = row.usage
    if usage and usage.basis:
        known = [f"figures {usage.basis}"]
        known += [f"match {usage.confidence}"] if usage.confidence else []
        known += [f"self {share(usage.self_share)}"] if usage.self_share is not None else []
        known += [f"errors {share(usage.error_rate)}"] if usage.error_rate is not None else []
        known += [f"p50 {milliseconds(usage.p50_ms)}"] if usage.p50_ms is not None else []
        facts.append(", ".join(known))
    if row.history and row.history.changes is not None:
        people = f" by {count(len(row.history.authors), 'author')}" if row.history.authors else ""
        first = f", {seen}" if (seen := first_seen(row.history, now)) else ""
        facts.append(f"history: {count(row.history.changes, 'change')}{people}{first}")
        facts += [f"usually changes with {files}"] if (files := changes_with(row.history)) else []
    return facts


def _rest(notable: int, total: int, shown: int, show_all: bool) -> str:
    if shown == total:
        return ""
    if show_all:
        return f"… {total - shown:,} more: gate check --report json has all"
    if shown < notable == total:
        return f"… {total - shown:,} more of them"
    if shown < notable:
        return f"… {notable - shown:,} more of them, {total - notable:,} below"
    if shown == 0:
        return f"{count(total, 'function')} touched, none above {MINOR_POINTS} points"
    return f"… {total - shown:,} more, none above {MINOR_POINTS} points"
