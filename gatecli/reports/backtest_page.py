"""What a back-test found, as one HTML page: the curve of what is caught, and how probabilities hold."""

from collections.abc import Mapping, Sequence

from gatecli.reports.backtest import HEADS, banded, cost, opening, passed, reasons, tested, warning, why_passed
from gatecli.reports.html.elements import Content, Html, join, tag
from gatecli.reports.text import guard
from gatecli.scoring.backtest import BackTest
from gatecli.scoring.learned import Head
from gatecli.scoring.measures import BUDGETS, Bin

_SIZE = 320
_COLOURS = ("#d97706", "#3b82f6", "#059669", "#8b5cf6", "#7c8594")
"""Each at least 3 to 1 against white and against the dark ground of a browser (WCAG 2.2, 1.4.11)."""
_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; }
.wide { overflow-x: auto; } th { white-space: nowrap; }
th, td { padding: .2rem .8rem; text-align: right; } th:first-child, td:first-child { text-align: left; }
svg { max-width: 100%; }
figure { display: inline-block; width: 21rem; max-width: 100%; margin: 1rem 2rem 1rem 0; vertical-align: top; }
figure ul { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: 0 1rem; }
.axis { stroke: currentColor; opacity: .4; } .note { opacity: .75; } code { font-family: ui-monospace, monospace; }
"""


def render(result: BackTest) -> str:
    """The page."""
    caution = warning(result)
    body = tag(
        "main",
        tag("h1", "What the gate would have caught"),
        tag("p", tested(result) + "."),
        tag("p", opening(result) + "."),
        tag("p", tag("strong", "Caution: "), caution + ".") if caution else None,
        _gains(result.gains) if any(result.gains.values()) else None,
        _reliability(result.calibration[Head.ANY].bins),
        tag("h2", "By kind of outcome"),
        *(_table(result, head) for head in HEADS),
        tag("h2", "What review would have cost"),
        tag("ul", *(tag("li", sentence) for sentence in (*banded(result), cost(result)))),
        tag("h2", "Bad changes that would have passed"),
        _missed(result),
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content="default-src 'none'; style-src 'unsafe-inline'"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", "gate backtest"),
        tag("style", Html(_STYLE)),
    )
    return guard(f"<!doctype html>\n{tag('html', head, tag('body', body), lang='en')}\n")


def _table(result: BackTest, head: Head) -> Html:
    rankings = result.heads[head]
    if rankings["gate"].auc is None:
        return tag("p", f"{HEADS[head]}: none.", class_="note")
    names = ["", *(f"top {100 * part:.0f} %" for part in BUDGETS), "AUC", "95 %", "in 20 % of the lines"]
    rows = []
    for name, one in rankings.items():
        low, high = one.interval or (0.0, 0.0)
        cells = [name, *(f"{value:.2f}" for value in one.recall), f"{one.auc or 0:.2f}", f"{low:.2f} to {high:.2f}"]
        rows.append(tag("tr", *(tag("td", cell) for cell in (*cells, f"{one.by_effort or 0:.2f}"))))
    caption = tag("caption", f"{HEADS[head]}: {rankings['gate'].bad:,} of {result.tested:,}, share caught")
    table = tag("table", caption, tag("tr", *(tag("th", name, scope="col") for name in names)), rows)
    return tag("div", table, class_="wide", tabindex="0")


def _gains(gains: Mapping[str, Sequence[float]]) -> Html:
    lines: list[Content] = [_line([(0, 0), (1, 1)], "currentColor", dashed=True)]
    legend = []
    for (name, curve), colour in zip(gains.items(), _COLOURS, strict=False):
        lines.append(_line([(at / 20, value) for at, value in enumerate(curve)], colour))
        legend.append(tag("li", tag("span", "■ ", style=f"color: {colour}"), name))
    said = "Share of the bad changes caught, by the share of changes looked at, riskiest first"
    return tag("figure", _chart(said, lines), tag("figcaption", said), tag("ul", legend))


def _reliability(bins: Sequence[Bin]) -> Html:
    most = max((max(one.said, one.came) for one in bins), default=0) or 1
    marks: list[Content] = [_line([(0, 0), (1, 1)], "currentColor", dashed=True)]
    for one in bins:
        x, y = _place(one.said / most, one.came / most)
        text = tag("title", f"{one.changes:,} changes said {100 * one.said:.2g} %, came {100 * one.came:.2g} %")
        marks.append(tag("circle", text, cx=x, cy=y, r="5", fill=_COLOURS[0]))
    said = f"Probability said and share that came, in ten parts; both axes end at {100 * most:.2g} %"
    return tag("figure", _chart(said, marks), tag("figcaption", said))


def _chart(label: str, marks: Sequence[Content]) -> Html:
    frame = tag("rect", x="0", y="0", width=str(_SIZE), height=str(_SIZE), fill="none", class_="axis")
    view = f"-8 -8 {_SIZE + 16} {_SIZE + 16}"
    return tag("svg", frame, *marks, viewBox=view, width=str(_SIZE), role="img", aria_label=label)


def _line(points: Sequence[tuple[float, float]], colour: str, *, dashed: bool = False) -> Html:
    drawn = " ".join(",".join(_place(x, y)) for x, y in points)
    dashes = "4 4" if dashed else None
    return tag("polyline", points=drawn, fill="none", stroke=colour, stroke_width="2", stroke_dasharray=dashes)


def _place(x: float, y: float) -> tuple[str, str]:
    return f"{_SIZE * x:.1f}", f"{_SIZE * (1 - y):.1f}"


def _missed(result: BackTest) -> Html:
    if not result.missed:
        return tag("p", "None.")
    items = []
    for one in result.missed:
        why = tag("p", why_passed(one, result.budget.review) + ".")
        spoke = tag("ul", *(tag("li", reason) for reason in reasons(one)), class_="note")
        items.append(tag("li", tag("code", one.sha[:10]), join(" ", one.subject), why, spoke))
    return join(tag("p", passed(result) + "."), tag("ol", items))
