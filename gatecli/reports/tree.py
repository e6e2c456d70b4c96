"""The tree of what must happen before a merge: required, met, dismissed and why, who can give the rest and how."""

from collections.abc import Callable, Iterator

import msgspec

from gatecli.model import Branch, Mode, Report, RequirementStatus
from gatecli.reports import merging, standing
from gatecli.reports.text import listed, markdown, plain

FORMATS = ("terminal", "json", "markdown")
SCHEMA = "gate-signoff/1"

_MARKS = {
    RequirementStatus.SATISFIED: "✔",
    RequirementStatus.UNSATISFIED: "✘",
    RequirementStatus.ERROR: "!",
    RequirementStatus.NOT_APPLICABLE: "·",
    RequirementStatus.OVERRIDDEN: "~",
    RequirementStatus.BYPASSED: "~",
}
SAID = (RequirementStatus.SATISFIED, RequirementStatus.UNSATISFIED)
"""The states that a mark alone says."""


def render(format: str, report: Report) -> str:
    """The tree in one of ``FORMATS``."""
    if format == "json":
        return _json(report)
    return _markdown(report) if format == "markdown" else _terminal(report)


def _headline(report: Report) -> str:
    said = merging.progress(report).replace("signed", "met") if merging.asked(report) else "nothing is required"
    decision = report.verdict.decision
    was = f", {decision} before sign-off" if decision is not report.verdict.outcome else ""
    return f"{report.verdict.outcome}: {said}{was}"


def _terminal(report: Report) -> str:
    lines = [_headline(report)]
    for branch in report.signoff.tree:
        lines += _lines(branch, "  ")
    if report.signoff.dismissed:
        lines.append("not counted")
        lines += [f"  {plain(one.by, 80)}: {plain(one.reason, 300)}" for one in report.signoff.dismissed]
    if todo := merging.approve_commands(report):
        lines.append("to give what is missing")
        lines += [f"  {plain(one)}" for one in todo]
    if past := _past(report):
        lines += ["among past changes", *(f"  {plain(one, 400)}" for one in past)]
    change, policy = report.case.change, report.policy
    lines.append(f"content {change.digest[:12]}, policy {plain(policy.path or 'built in')} {policy.sha256[:12]}")
    return "\n".join(lines) + "\n"


def _past(report: Report) -> list[str]:
    """The place of the change, and what each band looks at and caught; nothing where nobody learned."""
    place = report.score.standing
    if place is None:
        return []
    if place.percentile is None:
        return [standing.opening(place), *standing.following(place)]
    said = [standing.opening(place), *standing.bands(place), *filter(None, [standing.level(place)])]
    return [*said, f"the least it can be: {place.missing}", place.remedy] if place.missing else said


def _lines(branch: Branch, indent: str) -> Iterator[str]:
    yield f"{indent}{_MARKS[branch.status]} {plain(title(branch), 200)}"
    if branch.why:
        yield f"{indent}    {plain(branch.why, 400)}"
    if branch.satisfied_by:
        yield f"{indent}    by {plain(listed(branch.satisfied_by, 5), 300)}"
    if asks(branch):
        yield f"{indent}    ask {plain(_people(branch), 400)}"
    for need in branch.needs:
        yield from _lines(need, indent + "    ")


def title(branch: Branch) -> str:
    """What a node asks for, with its state where a mark does not say it, and its mode where it binds nobody."""
    state = "" if branch.status in SAID else f" ({branch.status.replace('_', ' ')})"
    mode = "" if branch.mode is Mode.ENFORCE else f" [{branch.mode}: it binds nobody]"
    return f"{branch.text}{state}{mode}"


def asks(branch: Branch) -> bool:
    """Whether the node itself waits for people who are known."""
    return branch.status is RequirementStatus.UNSATISFIED and bool(branch.who) and not branch.needs


def _people(branch: Branch) -> str:
    return listed([merging.candidate(one) for one in branch.who], 3, "or")


def _markdown(report: Report) -> str:
    lines = [f"**{markdown(_headline(report))}**", ""]
    for branch in report.signoff.tree:
        lines += items(branch)
    if report.signoff.dismissed:
        lines += ["", "Not counted:", ""]
        lines += [f"- {markdown(one.by, 80)}: {markdown(one.reason, 300)}" for one in report.signoff.dismissed]
    if past := _past(report):
        lines += ["", "Among past changes:", "", *(f"- {markdown(one, 400)}" for one in past)]
    if todo := merging.approve_commands(report):
        lines += ["", "To give what is missing:", "", "```sh", *map(plain, todo), "```"]
    return "\n".join(lines) + "\n"


def items(branch: Branch, indent: str = "", write: Callable[[str, int], str] = markdown) -> Iterator[str]:
    """A node and those below it as lines of a Markdown list; ``write`` makes text of some length harmless."""
    text = f"{indent}- {_MARKS[branch.status]} **{write(title(branch), 200)}**"
    text += f": {write(branch.why, 400)}" if branch.why else ""
    text += f", by {write(listed(branch.satisfied_by, 5), 300)}" if branch.satisfied_by else ""
    if asks(branch):
        text += f", ask {write(_people(branch), 400)}"
    yield text
    for need in branch.needs:
        yield from items(need, indent + "  ", write)


def _json(report: Report) -> str:
    answer = {
        "schema": SCHEMA,
        "outcome": report.verdict.outcome,
        "decision": report.verdict.decision,
        "status": report.signoff.status,
        "mode": report.mode,
        "digest": report.case.change.digest,
        "policy": report.policy,
        "tree": report.signoff.tree,
        "approvals": report.signoff.approvals,
        "dismissed": report.signoff.dismissed,
        "past": _past(report),
        "commands": merging.approve_commands(report),
    }
    return msgspec.json.format(msgspec.json.encode(answer), indent=2).decode() + "\n"
