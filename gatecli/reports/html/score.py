"""The score as a waterfall: what each contribution adds, from nothing to the total."""

from dataclasses import dataclass

from gatecli.model import Contribution, ScorePart
from gatecli.reports import picture, standing, summary
from gatecli.reports.html.context import Context
from gatecli.reports.html.elements import Html, dotted, join, percent, prose, section, tag
from gatecli.reports.text import count

MOST = 60
"""Steps that are drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """From where to where a step goes, in points; ``item`` is None for a sum."""

    start: int
    end: int
    name: str
    item: Contribution | None = None


def score(page: Context) -> Html | None:
    """The waterfall, and what counted for nothing; None where nothing was scored."""
    result = page.report.score
    if not result.contributions:
        return None
    steps = _steps(page)
    low = min(0, *(min(step.start, step.end) for step in steps))
    high = max(1, *(max(step.start, step.end) for step in steps))
    rows = [_row(page, step, low, high) for step in steps]
    names = ("what", "points", "from nothing to the total", "without it")
    head = tag("tr", *(tag("th", name, scope="col") for name in names))
    table = tag("table", tag("thead", head), tag("tbody", rows), class_="waterfall")
    lead = "10 points double the odds of a bad outcome, or the traffic touched."
    if page.report.case.profile is None:
        lead += " Not profiled: exposure is unknown, which is not zero."
    return section("score", "How this was scored", table, _worthless(page), _past(page), lead=lead)


def _steps(page: Context) -> list[_Step]:
    result = page.report.score
    steps: list[_Step] = []
    at = 0
    for part, total in ((ScorePart.LIKELIHOOD, result.likelihood), (ScorePart.EXPOSURE, result.exposure)):
        items = [item for item in result.contributions if item.part is part and item.points]
        items.sort(key=lambda item: (-item.points, item.rule, item.text))
        start = at
        for item in items[:MOST]:
            steps.append(_Step(start=at, end=at + item.points, name=item.rule, item=item))
            at += item.points
        if len(items) > MOST:
            rest = sum(item.points for item in items[MOST:])
            steps.append(_Step(start=at, end=at + rest, name=f"{len(items) - MOST:,} more"))
        at = start + total
        steps.append(_Step(start=start, end=at, name=str(part)))
    steps.append(_Step(start=0, end=result.total, name="risk"))
    return steps


def _row(page: Context, step: _Step, low: int, high: int) -> Html:
    item = step.item
    points = step.end - step.start
    left, width = percent(min(step.start, step.end) - low, high - low), percent(abs(points), high - low)
    kind = "sum" if item is None else str(item.part)
    what = tag("strong", step.name) if item is None else _what(page, item)
    return tag(
        "tr",
        tag("th", what, scope="row"),
        tag("td", f"{points:+,d}" if item else f"{points:,}", class_="number"),
        tag("td", tag("span", class_="step", style=f"--x:{left};--w:{width}"), class_="track"),
        tag("td", (summary.without(page.report, item.rule) if item else None) or "", class_="number without"),
        class_=f"{kind} {'less' if points < 0 else ''}".strip(),
    )


def _what(page: Context, item: Contribution) -> Html:
    """What a step is for; what a finding says is said above, so its rule and place are enough."""
    said = any(finding.rule == item.rule for finding in summary.flagged(page.report))
    if not said:
        return join(prose(item.text), tag("span", tag("span", item.rule, class_="rule"), class_="where"))
    function = page.function(item.function, picture.label(item.function)) if item.function else None
    where = dotted(function, page.place(item.path, item.line))
    return join(tag("span", item.rule, class_="rule"), tag("span", where, class_="where") if where else None)


def _past(page: Context) -> Html | None:
    """Where the change stands among past ones, and by which signals."""
    place = page.report.score.standing
    if place is None:
        return None
    said = [standing.opening(place), *standing.following(place)]
    rows = [
        tag("tr", tag("td", f"{one.points:+,d}", class_="number"), tag("td", prose(standing.signal(place, one))))
        for one in place.signals[:MOST]
    ]
    head = tag("tr", tag("th", "points", scope="col"), tag("th", "what the past says", scope="col"))
    return join(
        tag("h3", "Among past changes"),
        [tag("p", prose(text)) for text in said],
        tag("table", tag("thead", head), tag("tbody", rows)) if rows else None,
    )


def _worthless(page: Context) -> Html | None:
    """What was looked at and is worth no points: it says what is not known."""
    items = [item for item in page.report.score.contributions if not item.points]
    if not items:
        return None
    more = tag("li", count(len(items) - MOST, "more note")) if len(items) > MOST else None
    return tag("ul", [tag("li", prose(item.text)) for item in items[:MOST]], more, class_="notes")
