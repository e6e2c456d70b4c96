"""The icicle: what production does, from its entry points down, with the touched functions lit.

It is a nested list whose items are as wide as their share, so that it reads and prints without a script; the script
makes it a tree that can be walked with the arrow keys and zoomed.
"""

from gatecli.model import CallFrame, Measure
from gatecli.reports.html.context import Context
from gatecli.reports.html.elements import Html, percent, section, tag
from gatecli.reports.text import rate, share

_OF = {Measure.TIME: "of the recorded time", Measure.CALLS: "of the calls"}
_LEAD = {
    Measure.TIME: "As wide as the share of recorded time; below each what it calls.",
    Measure.CALLS: "Entry points as wide as their share of requests; below each what it calls, by number of calls.",
}


def production(page: Context) -> Html | None:
    """The chart with what it says in words; None where no profile says who calls whom."""
    tree = page.report.production
    if tree is None:
        return None
    whole = sum(frame.share for frame in tree.frames)
    lit = sum(_lit(page, frame) for frame in tree.frames)
    lead = [
        _LEAD[tree.measure],
        tag("span", " Lit", class_="key"),
        f": {lit:,} places that this change touches." if lit != 1 else ": the place that this change touches.",
        " Put together from pairs of caller and callee.",
    ]
    if tree.truncated:
        lead.append(" What is small and leads to no touched function is left out.")
    root = tag(
        "li",
        tag(
            "span",
            tag("b", "this repository"),
            tag("i", f" {share(whole)} {_OF[tree.measure]}"),
            class_="bar root",
            data_said=f"this repository: {share(whole)} {_OF[tree.measure]}",
        ),
        tag("ul", [_frame(page, frame, whole, tree.measure) for frame in tree.frames]),
    )
    chart = tag("ul", root, class_="icicle", id="icicle", aria_label="What production does")
    said = tag("p", class_="said-of-frame", id="icicle-said", aria_live="polite")
    return section("production", "In production", tag("div", chart, said, class_="chart"), lead=lead)


def _lit(page: Context, frame: CallFrame) -> int:
    return (frame.function in page.touched) + sum(_lit(page, child) for child in frame.children)


def _frame(page: Context, frame: CallFrame, parent: float, measure: Measure) -> Html:
    anchor = page.anchors.get(frame.function) if frame.function else None
    kind = "entry" if frame.function is None else "lit" if frame.function in page.touched else None
    label = (tag("b", frame.label), _part(frame.share))
    bar = tag(
        "a" if anchor else "span",
        label,
        class_="bar",
        href=f"#{anchor}" if anchor else None,
        data_said=_said(page, frame, measure),
    )
    below = [_frame(page, child, frame.share, measure) for child in frame.children]
    return tag(
        "li",
        bar,
        tag("ul", below) if below else None,
        class_=kind,
        style=f"--w:{percent(frame.share, parent)}",
    )


def _part(value: float) -> Html:
    return tag("i", f" {share(value)}")


def _said(page: Context, frame: CallFrame, measure: Measure) -> str:
    said = f"{frame.function or frame.label}: {share(frame.share)} {_OF[measure]} by this way"
    if frame.function not in page.touched:
        return said
    calls = next(
        (row.usage.calls_per_minute for row in page.rows if row.usage and row.function.base_id == frame.function), None
    )
    return f"{said}{f', {rate(calls)} calls a minute in all' if calls is not None else ''}, touched by this change"
