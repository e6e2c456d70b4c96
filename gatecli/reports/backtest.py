"""What a back-test found, at a terminal."""

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from gatecli.reports.page import LABEL, Page, fit, page
from gatecli.scoring.backtest import BackTest
from gatecli.scoring.learned import Head
from gatecli.scoring.measures import BUDGETS, Calibration, Ranking

HEADS = {
    Head.ANY: "any bad outcome",
    Head.REVERT: "reverted",
    Head.REGRESSION: "blamed for a regression",
}
SHOWN = 10
"""Missed changes at a terminal; the page has them all."""
FEW = 20
"""Below so many bad changes a figure is hardly more than an anecdote."""


def render(result: BackTest, console: Console) -> None:
    """Print the answer."""
    out = page(console)
    out.print(_lines(out, result))


def _lines(out: Page, result: BackTest) -> Iterator[Text]:
    yield from _label(
        out,
        "backtest",
        f"{result.changes:,} changes of code; the last {result.tested:,} are tested, each with only its past",
    )
    yield from _label(out, "", opening(result))
    if caution := warning(result):
        yield from _label(out, "caution", caution, "bold")
    yield Text()
    heading = [
        fit(out.line(("caught in the top", "dim")), 26),
        *(out.line((f"{100 * part:>6.0f} %", "dim")) for part in BUDGETS),
    ]
    yield _margin(out, "caught") + sum(heading, Text()) + out.line(("     AUC  95 %           by lines", "dim"))
    for head, name in HEADS.items():
        rankings = result.heads[head]
        if rankings["gate"].auc is None:
            yield _margin(out, "") + out.line((f"{name}: none", "dim"))
            continue
        yield _margin(out, "") + out.line((f"{name}, {100 * result.base_rate[head]:.2g} % of changes", "bold"))
        for rival, ranking in rankings.items():
            yield _margin(out, "") + _row(out, rival, ranking)
    yield Text()
    yield from _label(out, "lift", lift(result.heads[Head.ANY]["gate"]))
    for number, sentence in enumerate(_ahead(result)):
        yield from _label(out, "compared" if not number else "", sentence)
    yield from _calibration(out, "holds", result.calibration[Head.ANY])
    for number, (who, (changes, bad, caught)) in enumerate(result.authors.items()):
        text = f"{who}: {changes:,} changes, {bad:,} bad ({_share(bad, changes)}), {caught:,} of those reviewed"
        yield from _label(out, "authors" if not number else "", text)
    for number, sentence in enumerate(banded(result)):
        yield from _label(out, "bands" if not number else "", sentence)
    yield from _label(out, "cost", cost(result))
    yield from _missed(out, result)


def opening(result: BackTest) -> str:
    """The base rates, and what was counted apart."""
    counts = {head: result.heads[head]["gate"].bad for head in HEADS}
    rate = 100 * result.base_rate[Head.ANY]
    text = (
        f"{counts[Head.ANY]:,} of them bad ({rate:.2g} %): {counts[Head.REVERT]:,} reverted, "
        f"{counts[Head.REGRESSION]:,} blamed for a regression within 90 days"
    )
    if result.immediate[0]:
        within, reviewed = result.immediate
        text += f"; apart, {within:,} reverted within the hour, {reviewed:,} of them in the review band"
    names = {"planned": "planned", "immediate": "within the hour", "late": "later than that"}
    apart = [f"{count:,} {names[name]}" for name, count in result.apart.items() if count]
    return text + (f"; not counted, in all of the history: {', '.join(apart)}" if apart else "")


def warning(result: BackTest) -> str | None:
    """Why the figures should be read with care; None where there is nothing to say."""
    bad = result.heads[Head.ANY]["gate"].bad
    said = []
    if result.shallow:
        said.append("this clone is shallow: what happened before it is not known (git fetch --unshallow)")
    if not bad:
        said.append("no bad change is known here, so nothing can be measured; the shipped weights are used")
    elif bad == result.tested:
        said.append("every change is bad here, so nothing can be told apart; check the labels")
    elif bad < FEW:
        said.append(f"only {bad:,} bad changes: the intervals are wide, and the figures hardly more than an anecdote")
    return "; ".join(said) or None


def lift(ranking: Ranking) -> str:
    """How many times as many bad changes each budget holds as chance would, and how soon the first one comes."""
    if ranking.first_hit is None:
        return "not known: no bad change to find, or no good one"
    parts = [
        f"{times:.1f} times in the top {100 * part:.0f} %" for times, part in zip(ranking.lift, BUDGETS, strict=True)
    ]
    return (
        f"as many bad changes as chance finds: {', '.join(parts)}; {ranking.first_hit:,} good changes before the first"
    )


def _row(out: Page, name: str, ranking: Ranking) -> Text:
    style = "bold" if name == "gate" else ""
    columns = "".join(f"{_number(value):>8}" for value in ranking.recall)
    interval = f"{_number(ranking.interval[0])} to {_number(ranking.interval[1])}" if ranking.interval else ""
    effort = _number(ranking.by_effort) if ranking.by_effort is not None else ""
    return out.line((f"  {name:<24}{columns}{_number(ranking.auc or 0):>8}  {interval:<12}{effort:>11}", style))


def _number(value: float) -> str:
    return f"{value:.2f}".removeprefix("0") if value < 1 else f"{value:.1f}"


def _ahead(result: BackTest) -> Iterator[str]:
    for name, (mean, low, high) in result.ahead.items():
        sure = "" if low > 0 or high < 0 else ", which may be chance"
        yield f"AUC {mean:+.3f} against {name} ({low:+.3f} to {high:+.3f}{sure})"


def _calibration(out: Page, label: str, held: Calibration) -> Iterator[Text]:
    text = f"expected calibration error {held.error:.3f}, Brier {held.brier:.4f} (skill {held.skill:+.3f})"
    yield from _label(out, label, text)
    most = max((max(one.said, one.came) for one in held.bins), default=0)
    for one in held.bins:
        bar = out.bar(round(1000 * one.came), round(1000 * most), 20) if most else ""
        yield _margin(out, "") + out.line(
            (f"  {one.changes:,} changes said {100 * one.said:.2g} %, came {100 * one.came:.2g} % ", "dim"), bar
        )


def banded(result: BackTest) -> Iterator[str]:
    """What each band is, and what it caught."""
    for band, name in zip(result.bands, ("review", "senior review"), strict=False):
        share, points = f"{100 * band.share:.0f} %", f"from {band.points} points on"
        yield f"{name} of the top {share}: {points}, would have caught {band.caught:,} of {band.bad:,} bad changes"


def cost(result: BackTest) -> str:
    """What the review band costs."""
    spent = result.cost
    each = f", {spent.hours / spent.caught:,.0f} h for each bad change that it caught" if spent.caught else ""
    return (
        f"{spent.changes:,} changes to review, {spent.changes / spent.weeks:,.1f} a week, {spent.lines:,} lines: "
        f"about {spent.hours:,.0f} h at 300 lines an hour{each}"
    )


def _missed(out: Page, result: BackTest) -> Iterator[Text]:
    if not result.missed:
        return
    yield Text()
    yield from _label(
        out, "passed", f"{result.passed_bad:,} bad changes would have passed without review; the lowest first"
    )
    for one in result.missed[:SHOWN]:
        yield from out.wrap(out.line((one.sha[:10], "bold"), f" {one.subject[:90]}"), LABEL)
        why = ", ".join(f"{name} +{points}" for name, points in one.signals) or "no signal at all"
        yield from out.wrap(
            out.line(
                (f"{HEADS[one.head]}; {one.points} points, above {100 * one.percentile:.0f} % of changes: {why}", "dim")
            ),
            LABEL + 2,
        )


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2g} %" if whole else "none"


def _margin(out: Page, name: str) -> Text:
    return fit(out.line((name, "bold")), LABEL)


def _label(out: Page, name: str, text: str, style: str = "") -> list[Text]:
    return out.hang(_margin(out, name), out.line((text, style)), LABEL)
