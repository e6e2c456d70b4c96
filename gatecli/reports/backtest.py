"""What a back-test found, at a terminal."""

from collections.abc import Iterator

import msgspec
from rich.console import Console
from rich.text import Text

from gatecli.reports.page import LABEL, Page, fit, page
from gatecli.reports.text import count, cut, share
from gatecli.scoring.backtest import BackTest, Missed
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
        tested(result),
    )
    yield from _label(out, "", opening(result))
    if caution := warning(result):
        yield from _label(out, "caution", caution, "bold")
    if result.heads[Head.ANY]["gate"].bad:
        yield Text()
        yield from _measured(out, result)
    for number, (who, (changes, bad, caught)) in enumerate(result.authors.items()):
        text = f"{who}: {count(changes, 'change')}, {bad:,} bad ({_share(bad, changes)}), {caught:,} of those reviewed"
        yield from _label(out, "authors" if not number else "", text)
    for number, sentence in enumerate(banded(result)):
        yield from _label(out, "bands" if not number else "", sentence)
    yield from _label(out, "cost", cost(result))
    yield from _missed(out, result)


def _measured(out: Page, result: BackTest) -> Iterator[Text]:
    """What each score caught; a narrow terminal has the columns that matter most."""
    wide = out.width >= LABEL + _WIDE
    heading = [fit(out.line(("in the top", "dim")), 26)]
    heading += [out.line((f"{100 * part:>6.0f} %", "dim")) for part in BUDGETS]
    heading += [out.line(("     AUC" + ("  95 %           by lines" if wide else ""), "dim"))]
    yield _margin(out, "caught") + sum(heading, Text())
    for head, name in HEADS.items():
        rankings = result.heads[head]
        if rankings["gate"].auc is None:
            yield _margin(out, "") + out.line((f"{name}: none", "dim"))
            continue
        yield _margin(out, "") + out.line((f"{name}, {100 * result.base_rate[head]:.2g} % of changes", "bold"))
        for rival, ranking in rankings.items():
            yield _margin(out, "") + _row(out, rival, ranking, wide=wide)
    yield Text()
    yield from _label(out, "lift", lift(result.heads[Head.ANY]["gate"]))
    for number, sentence in enumerate(_ahead(result)):
        yield from _label(out, "compared" if not number else "", sentence)
    yield from _calibration(out, "holds", result.calibration[Head.ANY])


_WIDE = 91
"""Columns of a row with its interval and what reading by lines finds."""


def tested(result: BackTest) -> str:
    """How much was replayed, and of which part the figures are."""
    last = "the last one is" if result.tested == 1 else f"the last {result.tested:,} are"
    return f"{count(result.changes, 'change')} of code; {last} tested, each with only its past"


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
    apart = [f"{number:,} {names[name]}" for name, number in result.apart.items() if number]
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
        few = f"only {count(bad, 'bad change')}"
        said.append(f"{few}: the intervals are wide, and the figures hardly more than an anecdote")
    return "; ".join(said) or None


def lift(ranking: Ranking) -> str:
    """How many times as many bad changes each budget holds as chance would, and how soon the first one comes."""
    if ranking.first_hit is None:
        return "not known: no bad change to find, or no good one"
    parts = [
        f"{times:.1f} times in the top {100 * part:.0f} %" for times, part in zip(ranking.lift, BUDGETS, strict=True)
    ]
    first = count(ranking.first_hit, "good change")
    return f"as many bad changes as chance finds: {', '.join(parts)}; {first} before the first"


def _row(out: Page, name: str, ranking: Ranking, *, wide: bool) -> Text:
    style = "bold" if name == "gate" else ""
    columns = "".join(f"{_number(value):>8}" for value in ranking.recall)
    interval = f"{_number(ranking.interval[0])} to {_number(ranking.interval[1])}" if ranking.interval else ""
    effort = _number(ranking.by_effort) if ranking.by_effort is not None else ""
    more = f"  {interval:<12}{effort:>11}" if wide else ""
    return out.line((f"  {name:<24}{columns}{_number(ranking.auc or 0):>8}{more}", style))


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
            (f"  {count(one.changes, 'change')} said {100 * one.said:.2g} %, came {100 * one.came:.2g} % ", "dim"), bar
        )


def banded(result: BackTest) -> Iterator[str]:
    """What each band is, and what it caught."""
    for band, name in zip(result.bands, ("review", "senior review"), strict=False):
        part, points = share(band.share), f"from {count(band.points, 'point')} on"
        bad = count(band.bad, "bad change")
        caught = f", would have caught {band.caught:,} of {bad}" if band.bad else ""
        yield f"{name} of the top {part}: {points}{caught}"


def cost(result: BackTest) -> str:
    """What the review band costs."""
    spent = result.cost
    each = f", {spent.hours / spent.caught:,.0f} h for each bad change that it caught" if spent.caught else ""
    return (
        f"{count(spent.changes, 'change')} to review, {spent.changes / spent.weeks:,.1f} a week, "
        f"{count(spent.lines, 'line')}: "
        f"about {spent.hours:,.0f} h at 300 lines an hour{each}"
    )


def passed(result: BackTest) -> str:
    """How many bad changes would have passed, and which are listed."""
    listed = "" if len(result.missed) == result.passed_bad else f"; the {len(result.missed):,} lowest are listed"
    return f"{count(result.passed_bad, 'bad change')} would have passed without a review{listed}"


def why_passed(one: Missed, budget: float) -> str:
    """What became of a change, where it stood on its day, and that this was not enough."""
    place = f"above {100 * one.percentile:.0f} % of the changes before it"
    return f"{_BECAME[one.head]} later; it stood {place}, below the top {share(budget)} that are reviewed"


def reasons(one: Missed) -> Iterator[str]:
    """What spoke for a look at a change that would have passed, strongest first, each with its points."""
    yield from (f"+{reason.points} {reason.text}" for reason in one.signals)
    if not one.signals:
        yield "nothing spoke for a look: no signal of it had any points"


_BECAME = {Head.ANY: "bad", Head.REVERT: "taken back", Head.REGRESSION: "named as the cause of a regression"}


def _missed(out: Page, result: BackTest) -> Iterator[Text]:
    if not result.missed:
        return
    yield Text()
    yield from _label(out, "passed", passed(result))
    for one in result.missed[:SHOWN]:
        yield from out.wrap(out.line((one.sha[:10], "bold"), f" {cut(one.subject, 90)}"), LABEL)
        yield from out.wrap(out.line(why_passed(one, result.budget.review)), LABEL + 2)
        for reason in reasons(one):
            yield from out.wrap(out.line((reason, "dim")), LABEL + 4)
    if (more := len(result.missed) - SHOWN) > 0:
        yield from out.wrap(out.line((f"and {more:,} more: gate backtest --html FILE", "dim")), LABEL)


def as_json(result: BackTest) -> str:
    """The answer as JSON, with the sentences of the page (schema ``gate-backtest/1``)."""
    document = {"schema": "gate-backtest/1", **msgspec.to_builtins(result)}
    for one, data in zip(result.missed, document["missed"], strict=True):
        data["text"] = why_passed(one, result.budget.review)
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2g} %" if whole else "none"


def _margin(out: Page, name: str) -> Text:
    return fit(out.line((name, "bold")), LABEL)


def _label(out: Page, name: str, text: str, style: str = "") -> list[Text]:
    return out.hang(_margin(out, name), out.line((text, style)), LABEL)
