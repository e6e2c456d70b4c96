"""What every part of the page needs: the report, its functions in order, and where to link to."""

from collections.abc import Mapping
from dataclasses import dataclass

from gatecli.model import FunctionId, Report
from gatecli.reports import summary
from gatecli.reports.html.elements import Html, name, source_place, tag
from gatecli.reports.summary import Row

MAX_DETAILED = 100
"""Functions with a part of their own; the table has the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The report and its functions, riskiest first.

    ``touched`` has their ids before and after the change, ``anchors`` those that have a part of their own.
    """

    report: Report
    rows: tuple[Row, ...]
    touched: frozenset[FunctionId]
    anchors: Mapping[FunctionId, str]
    source_url: str | None

    @property
    def detailed(self) -> tuple[Row, ...]:
        """The functions that have a part of their own."""
        return self.rows[:MAX_DETAILED]

    def place(self, path: str | None, line: int | None) -> Html | None:
        """``path:line``, linked where the source can be read."""
        return source_place(path, line, self.source_url)

    def function(self, id: FunctionId, shown: str | None = None) -> Html:
        """A function by its name, a link to its part where it has one."""
        anchor = self.anchors.get(id)
        code = tag("code", name(shown or str(id)))
        return tag("a", code, href=f"#{anchor}") if anchor else code


def context(report: Report, source_url: str | None) -> Context:
    """What the page of a report is made from."""
    rows = summary.rows(report)
    anchors: dict[FunctionId, str] = {}
    for number, row in enumerate(rows[:MAX_DETAILED], 1):
        anchors.setdefault(row.function.id, f"f{number}")
        anchors.setdefault(row.function.base_id, f"f{number}")
    touched = frozenset(id for row in rows for id in (row.function.id, row.function.base_id))
    return Context(report=report, rows=rows, touched=touched, anchors=anchors, source_url=source_url)
