"""The top of the page: the answer, who wrote what, why, and what is left to do before a merge."""

from collections.abc import Container

from gatecli.model import Branch, Decision, Finding, Mode, Report, RequirementStatus
from gatecli.reports import merging, summary, tree
from gatecli.reports.html.context import Context
from gatecli.reports.html.elements import Html, dotted, lines, prose, section, tag
from gatecli.reports.summary import Why
from gatecli.reports.text import count, listed, moment, share

MOST = 50
"""Entries of one list."""

_NEEDED = 3

_MARKS = {
    RequirementStatus.SATISFIED: ("✔", "done"),
    RequirementStatus.OVERRIDDEN: ("~", "open"),
    RequirementStatus.BYPASSED: ("~", "open"),
    RequirementStatus.UNSATISFIED: ("✘", "open"),
    RequirementStatus.ERROR: ("!", "open"),
    RequirementStatus.NOT_APPLICABLE: ("–", "idle"),
}


def header(page: Context, sections: Container[str]) -> Html:
    """The verdict, made to be read alone, with figures that lead to the ``sections`` behind them."""
    report = page.report
    word = summary.word(report)
    first, *others = summary.headline(report)
    incomplete = report.verdict.incomplete
    return tag(
        "header",
        tag("p", tag("span", word, class_="badge"), tag("span", _advice(report), class_="advice"), class_="said"),
        tag("h1", tag("span", f"{word}: ", class_="unseen"), f"{first[:1].upper()}{first[1:]}"),
        tag("p", ", ".join(others), class_="also") if others else None,
        _needs(report),
        tag("p", " · ".join(summary.authorship(report)), class_="authors"),
        tag("ul", [tag("li", prose(reason)) for reason in incomplete[:MOST]], class_="incomplete")
        if incomplete
        else None,
        tag("dl", _figures(page, sections), class_="figures"),
        class_=f"verdict {word}",
    )


def _needs(report: Report) -> Html | None:
    """Whose move it is: the first thing that a reader wants to know of a change that waits."""
    needed = merging.outstanding(report)
    if not needed:
        return None
    names = [item.name for item in needed[:_NEEDED]]
    names += [f"{len(needed) - _NEEDED:,} more"] if len(needed) > _NEEDED else []
    people = dict.fromkeys(person.person for item in needed for person in item.who or report.signoff.candidates)
    asked = listed(list(people)[:_NEEDED], _NEEDED, "or")
    return tag(
        "p",
        "Waits for ",
        tag("b", prose(listed(names, _NEEDED + 1))),
        f" · ask {asked}" if asked else None,
        class_="needs",
    )


def _advice(report: Report) -> str:
    is_open = report.verdict.outcome is not Decision.PASS
    return "advice only: nothing is stopped" if report.mode is Mode.ADVISE and is_open else ""


def _figures(page: Context, sections: Container[str]) -> list[Html]:
    """At most four figures, each with what it is of."""
    report, score = page.report, page.report.score

    def figure(name: str, value: str, below: str, section: str) -> Html:
        shown = tag("a", value, href=f"#{section}") if section in sections else tag("span", value)
        return tag("div", tag("dt", name), tag("dd", shown, tag("small", below)))

    parts = f"{score.likelihood:,} likelihood + {score.exposure:,} exposure"
    figures = [figure("Risk", f"{score.total:,}", parts, "score")]
    shares = [row.blast.share for row in page.rows if row.blast and row.blast.share is not None]
    profile = report.case.profile
    if shares:
        figures.append(figure("Traffic reached", share(max(shares)), "by the busiest function", "blast"))
    elif profile is None and page.rows:
        figures.append(figure("Traffic reached", "unknown", "not profiled", "record"))
    if profile is not None and profile.touched:
        said = f"of {count(profile.touched, 'function')} · grade {profile.grade}"
        figures.append(figure("Seen in production", f"{profile.observed:,}", said, "functions"))
    asked = merging.asked(report)
    if asked:
        done = len(asked) - len(merging.outstanding(report))
        figures.append(figure("Sign-off", f"{done:,}", f"of {len(asked):,} given", "merge"))
    return figures


# --------------------------------------------------------------------------- why


def why(page: Context) -> Html | None:
    """What has to change where something blocks, and the reasons, strongest first."""
    blocking = summary.blockers(page.report)
    whys = [each for each in summary.whys(page.report) if each.finding is None or each.finding not in blocking]
    if not blocking and not whys:
        return None
    texts = {each.finding: each.reason.text for each in summary.whys(page.report) if each.finding}
    must = [_blocker(page, finding, texts.get(finding, finding.message)) for finding in blocking[:MOST]]
    reasons = [_reason(page, each) for each in whys]
    left = len(page.report.verdict.reasons) - summary.MAX_REASONS
    more = tag("p", f"{count(left, 'weaker reason')} in the findings below.", class_="more") if left > 0 else None
    if not must:
        return section("why", "Why", tag("ol", reasons, class_="reasons"), more)
    also = [tag("h3", "Also"), tag("ol", reasons, class_="reasons")] if reasons else []
    return section("why", "What has to change", tag("ol", must, class_="reasons blocking"), also, more)


def _blocker(page: Context, finding: Finding, said: str) -> Html:
    ask = finding.remedy or said
    return tag(
        "li",
        _points(finding.points),
        tag("p", tag("strong", prose(ask))),
        tag("p", prose(said)) if finding.remedy else None,
        _where(page, finding.path, finding.line, finding),
    )


def _reason(page: Context, each: Why) -> Html:
    reason, finding = each.reason, each.finding
    return tag(
        "li",
        _points(reason.points),
        tag("p", prose(reason.text)),
        tag("p", tag("span", "→ ", class_="arrow"), prose(finding.remedy), class_="remedy")
        if finding and finding.remedy
        else None,
        _where(page, reason.path, reason.line, finding),
    )


def _points(points: int) -> Html:
    shown = f"{points:+,d}" if points else "·"
    return tag("span", shown, tag("span", " points", class_="unseen") if points else None, class_="points")


def _where(page: Context, path: str | None, line: int | None, finding: Finding | None) -> Html | None:
    rule = tag("span", summary.rule_name(finding), class_="rule") if finding else None
    anchor = page.anchors.get(finding.function) if finding and finding.function else None
    shown = dotted(page.place(path, line), rule, tag("a", "its diff", href=f"#{anchor}") if anchor else None)
    return tag("p", shown, class_="where") if shown else None


# --------------------------------------------------------------------------- who must sign


def merge(page: Context) -> Html | None:
    """The tree of ``gate signoff``: what is asked, why, who gave it, who can; what is open comes first."""
    report = page.report
    if not report.signoff.tree and not report.signoff.dismissed:
        return None
    asked = sorted(
        report.signoff.tree,
        key=lambda item: (_MARKS[item.status][1] != "open", item.status is RequirementStatus.NOT_APPLICABLE),
    )
    named: set[frozenset[str]] = set()
    branches = [_branch(item, named) for item in asked[:MOST]]
    if report.signoff.dismissed:
        branches.append(_dismissed(report))
    root = tag("li", tag("p", tag("strong", "Merge"), f" · {merging.progress(report)}"), tag("ul", branches))
    return section("merge", "To merge", tag("ul", root, class_="tree"), _commands(report))


def _branch(item: Branch, named: set[frozenset[str]]) -> Html:
    """A node and those below it; ``named`` are the people who were asked above."""
    mark, state = _MARKS[item.status]
    given = [
        tag("li", tag("span", "✔", class_="mark done", aria_hidden="true"), f"signed by {name}")
        for name in item.satisfied_by[:MOST]
    ]
    below = [*given, *(_candidates(item, named) if tree.asks(item) else ())]
    below += [_branch(need, named) for need in item.needs[:MOST]]
    return tag(
        "li",
        tag(
            "p",
            tag("span", mark, class_=f"mark {state}", aria_hidden="true"),
            tag("strong", prose(tree.title(item))),
            tag("span", f" · {item.status}", class_="quiet") if item.status in tree.SAID else None,
        ),
        tag("p", "because ", prose(item.why), class_="because") if item.why else None,
        tag("ul", below) if below else None,
        class_=state,
    )


def _candidates(item: Branch, named: set[frozenset[str]]) -> list[Html]:
    """Who can sign; people who were named before are not named again."""
    mark = tag("span", "?", class_="mark", aria_hidden="true")
    people = frozenset(person.person for person in item.who)
    if people in named:
        return [tag("li", mark, merging.ABOVE)]
    named.add(people)
    return [
        tag(
            "li",
            mark,
            dotted(
                tag("span", f"{person.person} can sign"),
                tag("span", person.evidence, class_="quiet") if person.evidence else None,
            ),
        )
        for person in item.who[:MOST]
    ]


def _dismissed(report: Report) -> Html:
    items = [
        tag("li", tag("span", "–", class_="mark", aria_hidden="true"), f"{item.by}: {item.reason}")
        for item in report.signoff.dismissed[:MOST]
    ]
    return tag("li", tag("p", tag("strong", "Not counted")), tag("ul", items), class_="idle")


def _commands(report: Report) -> Html | None:
    commands = merging.approve_commands(report)
    if not commands:
        return None
    shown = [*commands, merging.check_command(report)]
    return tag("div", tag("p", "Sign, then judge again:"), tag("pre", lines(shown), tabindex="0"), class_="commands")


def approvals(report: Report) -> str:
    """Who approved when, for the record."""
    return listed([f"{item.person} ({moment(item.at)}, {item.source})" for item in report.signoff.approvals], 20)
