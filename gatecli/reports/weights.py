"""Learned weights as the file that a reviewer reads: in a fixed order, what moved beside what it was."""

from gatecli.reports.text import count
from gatecli.scoring.learned import Head, Learned, SignalWeight

_HEADER = """\
# What history says makes a change risky, as `gate learn` writes it. `gate check` reads it from the base revision: it
# says where a change stands among the last ones, and asks whom a band that the change has reached asks for.
# Points are 10 * log2(odds ratio): +10 doubles the odds. A value above the n-th threshold of a signal
# has its n-th points. Heads: any bad outcome, a revert, a regression that a later change names.
"""


def as_yaml(learned: Learned) -> str:
    """The weights as YAML, byte for byte the same for the same weights."""
    taught = learned.taught
    lines = [
        _HEADER,
        f"schema: {learned.schema}",
        "taught:",
        f'  day: "{taught.day}"',
        *([f"  revision: {taught.revision}"] if taught.revision else []),
        f"  changes: {taught.changes}",
        f"  bad: {_flow({str(head): taught.bad.get(head, 0) for head in Head})}",
        *(["  repositories:", *(f"    - {name}" for name in taught.repositories)] if taught.repositories else []),
        *([f"  note: >-\n    {taught.note}"] if taught.note else []),
        f"intercepts: {_flow({str(head): learned.intercepts[head] for head in Head})}",
        "signals:",
    ]
    for weight in learned.signals:
        lines += _signal(weight)
    if learned.standing:
        lines.append(f"compared: {learned.compared}")
        lines.append(f"standing: {_list(learned.standing)}")
    if learned.bands:
        lines.append("bands:")
        lines += [
            f"  - {{share: {band.share}, points: {band.points}, asks: {band.asks}, "
            f"caught: {band.caught}, bad: {band.bad}}}"
            for band in learned.bands
        ]
    if learned.catches:
        lines.append("# Bad changes that stood in the top 1, 2, ... 100 % of the back-test.")
        lines.append(f"catches: {_list(learned.catches)}")
    return "\n".join(lines) + "\n"


def _signal(weight: SignalWeight) -> list[str]:
    lines = [
        f"  - id: {weight.id}",
        f"    above: {_list(weight.above)}",
        f"    points: {_flow({str(head): _list(weight.points[head]) for head in Head})}",
    ]
    if weight.prior is not None:
        lines.append(f"    prior: {_flow({str(head): _list(weight.prior[head]) for head in Head})}")
    if weight.low and weight.high:
        for name, bound in (("low", weight.low), ("high", weight.high)):
            lines.append(f"    {name}: {_flow({str(head): points for head, points in bound.items()})}")
    if weight.count is not None:
        lines.append(f"    count: {weight.count}")
    return lines


def summary(learned: Learned, before: Learned) -> str:
    """What was learned, in a few lines: the labels, and the signals that moved."""
    taught = learned.taught
    bad = ", ".join(
        f"{taught.bad.get(head, 0):,} {name}"
        for head, name in ((Head.REVERT, "reverted"), (Head.REGRESSION, "blamed for a regression"))
    )
    known_bad = taught.bad.get(Head.ANY, 0)
    lines = [f"{count(taught.changes, 'change')} with a known outcome, {known_bad:,} bad: {bad}"]
    known = before.by_signal()
    moved = [
        f"  {weight.id}: {_steps(known[weight.id])} → {_steps(weight)}"
        for weight in learned.signals
        if weight.id in known and weight.points[Head.ANY] != known[weight.id].points[Head.ANY]
    ]
    if moved:
        lines += ["moved, the points of each step for any bad outcome:", *moved]
    elif not known_bad:
        lines.append("no bad change is known here: the prior stays")
    elif known_bad == taught.changes:
        lines.append("every change is bad here, so nothing can be told apart: the prior stays; check the labels")
    else:
        lines.append(
            "too few bad changes to move a weight: the prior stays, and only the base rate is this repository's"
        )
    rate = learned.probability(0, Head.ANY)
    lines.append(f"a change with 0 points is bad with a probability of {100 * rate:.2g} %")
    return "\n".join(lines)


def _steps(weight: SignalWeight) -> str:
    return " ".join(map(str, weight.points[Head.ANY]))


def _flow(values: dict[str, object]) -> str:
    return "{" + ", ".join(f"{key}: {value}" for key, value in values.items()) + "}"


def _list(values: tuple[float, ...]) -> str:
    return "[" + ", ".join(f"{value:.12g}" for value in values) + "]"
