"""How risky a change is, in points that add up and name their evidence.

Likelihood is what the change is like and what the rules found; exposure is how much traffic it touches. Both are on one
scale, shown apart and added. Unknown evidence is a contribution of 0 that says so.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import log2

from gatecli.config import People
from gatecli.model import (
    Case,
    ChangeKind,
    Contribution,
    Finding,
    FunctionChange,
    FunctionHistory,
    FunctionId,
    FunctionKind,
    HistoryStatus,
    Outcome,
    ParseStatus,
    Score,
    ScorePart,
    Usage,
    UsageStatus,
)
from gatecli.provenance.identity import directory
from gatecli.scoring import memory
from gatecli.scoring.weights import ExposureScale, Feature, Weights

_CONTAINERS = (FunctionKind.MODULE, FunctionKind.CLASS_BODY)
_PAST = (HistoryStatus.KNOWN, HistoryStatus.SHALLOW)


def score(case: Case, findings: Iterable[Finding], weights: Weights, *, people: People | None = None) -> Score:
    """The score of a change, contributions strongest first.

    A rule counts once a change, by its strongest finding: its points are the odds that go with the rule having fired.
    ``by_function`` is each function's own risk (its exposure, its past, its signature, the rules that fired on it); it
    is no partition of the total. ``people`` are the policy's, to know an author under several addresses.
    """
    flagged = sorted(
        (finding for finding in findings if finding.outcome is Outcome.FLAGGED and finding.points > 0),
        key=_by_strength,
    )
    likelihood = [
        *(_contribution(fact, weights) for fact in _facts(case, people or People())),
        *_unknown_past(case),
        *memory.contributions(case),
        *_rules(flagged),
    ]
    exposure = list(_exposure(case, weights.exposure))
    contributions = [one for one in likelihood if one.points or one.rule == "history"] + exposure
    totals = sum(one.points for one in likelihood), sum(one.points for one in exposure)
    return Score(
        likelihood=totals[0],
        exposure=totals[1],
        total=sum(totals),
        contributions=tuple(sorted(contributions, key=lambda one: -one.points)),
        standing=case.standing,
        by_function={function.id: _own(case, function, flagged, weights) for function in case.functions},
    )


def _by_strength(finding: Finding) -> tuple[int, str, int, str, str, str]:
    where = finding.path, finding.line or 0, str(finding.function or "")
    return -finding.points, *where, finding.rule, finding.message


# --------------------------------------------------------------------------- likelihood


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fact:
    """What a weight looks at: a value, and the sentence that says it."""

    feature: Feature
    value: float
    text: str
    function: FunctionChange | None = None


def _contribution(fact: _Fact, weights: Weights) -> Contribution:
    function = fact.function
    return Contribution(
        rule=fact.feature,
        points=weights.points(fact.feature, fact.value),
        text=fact.text,
        path=function.id.path if function else None,
        line=function.after.span.def_line if function and function.after else None,
        function=function.id if function else None,
    )


def _facts(case: Case, people: People) -> Iterator[_Fact]:
    functions = [function for function in case.functions if function.kind is not ChangeKind.COSMETIC]
    added, removed = _lines_by_file(case, functions)
    files = sorted(path for path in added.keys() | removed.keys() if added.get(path, 0) + removed.get(path, 0))
    lines = [added.get(path, 0) + removed.get(path, 0) for path in files]
    yield from _sizes(sum(added.values()), sum(removed.values()), len(files), len(functions))
    if len(files) > 1:
        bits = -sum(count / sum(lines) * log2(count / sum(lines)) for count in lines)
        text = f"the changed lines are spread over {len(files):,} files (entropy {bits:.1f} bits)"
        yield _Fact(feature=Feature.ENTROPY, value=bits, text=text)
    past = [(function, case.history[function.id]) for function in functions if _has_past(case, function)]
    yield from _author_new(case, [history for _, history in past], people)
    if past:
        function, history = max(past, key=lambda pair: pair[1].changes or 0)
        text = f"{called(function.id)} changed {_times(history.changes or 0)} before"
        yield _Fact(feature=Feature.PRIOR_CHANGES, value=history.changes or 0, text=text, function=function)
    if broken := [function for function in functions if _breaks_callers(function)]:
        yield _signature(case, broken)


def _sizes(added: int, removed: int, files: int, functions: int) -> Iterator[_Fact]:
    for feature, value, noun, verb in (
        (Feature.LINES_ADDED, added, "line", "added"),
        (Feature.LINES_REMOVED, removed, "line", "removed"),
        (Feature.FILES, files, "Python file", "touched"),
        (Feature.FUNCTIONS, functions, "function", "touched"),
    ):
        subject = f"1 {noun} is" if value == 1 else f"{value:,} {noun}s are"
        yield _Fact(feature=feature, value=value, text=f"{subject} {verb}")


def _lines_by_file(case: Case, functions: Iterable[FunctionChange]) -> tuple[dict[str, int], dict[str, int]]:
    """Added and removed Python lines by path, without reformatted functions; unparsed files count whole."""
    added: dict[str, int] = {}
    removed: dict[str, int] = {}
    for function in functions:
        path = function.id.path
        added[path] = added.get(path, 0) + len(function.changed_lines)
        removed[path] = removed.get(path, 0) + len(function.removed_lines)
    unparsed = {file.path for file in case.parsed if file.status is ParseStatus.NOT_PARSED}
    for file in case.change.files:
        if file.path in unparsed:
            added[file.path], removed[file.path] = file.added_count, file.deleted_count
    return added, removed


def _has_past(case: Case, function: FunctionChange) -> bool:
    """Whether earlier changes of a function are known; the past of a module body is that of its replaced lines only."""
    history = case.history.get(function.id)
    contained = function.function.kind in _CONTAINERS
    return not contained and history is not None and history.status in _PAST and bool(history.changes)


def _author_new(case: Case, histories: list[FunctionHistory], people: People) -> Iterator[_Fact]:
    """Whether nobody who wrote the change has touched the functions before; a cut history cannot tell."""
    if not histories or not case.change.revisions:
        return
    known = directory(people)
    before = {known.key(one.person) for history in histories for one in history.authors}
    authors = case.provenance.authors
    if any(known.key(author) in before for author in authors):
        return
    if any(history.status is not HistoryStatus.KNOWN for history in histories):
        return
    functions = "the touched function" if len(histories) == 1 else f"any of the {len(histories):,} touched functions"
    if authors:
        who = " and ".join(author.name or author.email for author in authors[:2])
        who += f" (and {len(authors) - 2} more)" if len(authors) > 2 else ""
        text = f"{who} never changed {functions} before"
    else:
        text = f"no human author is known, so nobody is known to have changed {functions} before"
    yield _Fact(feature=Feature.AUTHOR_NEW, value=1, text=text)


def _breaks_callers(function: FunctionChange) -> bool:
    return function.before is not None and any(clause.binds_callers for clause in function.signature)


def _signature(case: Case, broken: list[FunctionChange]) -> _Fact:
    touched = {function.id for function in case.functions}
    outside = {
        caller.id
        for function in broken
        if function.id in case.blast
        for caller in case.blast[function.id].callers
        if caller.depth == 1 and caller.id not in touched
    }
    first = broken[0]
    clause = next(clause for clause in first.signature if clause.binds_callers)
    text = f"the signature of {called(first.id)} changed ({clause})"
    if len(broken) > 1:
        text = f"{len(broken):,} signatures changed, {called(first.id)} first ({clause})"
    callers = "1 known caller is" if len(outside) == 1 else f"{len(outside):,} known callers are"
    return _Fact(
        feature=Feature.SIGNATURE, value=len(broken), text=f"{text}; {callers} outside the change", function=first
    )


def _unknown_past(case: Case) -> Iterator[Contribution]:
    statuses = [
        history.status
        for function in case.functions
        if function.kind is not ChangeKind.COSMETIC and (history := case.history.get(function.id))
    ]
    for status, why in ((HistoryStatus.SHALLOW, "history is cut off"), (HistoryStatus.UNAVAILABLE, "no history")):
        if count := statuses.count(status):
            functions = "1 function" if count == 1 else f"{count:,} functions"
            yield Contribution(rule="history", points=0, text=f"the past of {functions} is not known: {why}")


def _rules(flagged: list[Finding]) -> Iterator[Contribution]:
    """One contribution a rule, from its strongest finding; ``flagged`` is strongest first."""
    by_rule: dict[str, list[Finding]] = {}
    for finding in flagged:
        by_rule.setdefault(finding.rule, []).append(finding)
    for rule, found in by_rule.items():
        more = len(found) - 1
        yield Contribution(
            rule=rule,
            points=found[0].points,
            text=found[0].message + (f" (and {more:,} more)" if more else ""),
            path=found[0].path,
            line=found[0].line,
            function=found[0].function,
        )


# --------------------------------------------------------------------------- exposure


def _exposure(case: Case, scale: ExposureScale) -> Iterator[Contribution]:
    """The busiest touched function, and how many there are whose traffic is not known.

    Shares overlap where one function calls another, so they are not added: the figure is a lower bound.
    """
    functions = [function for function in case.functions if function.kind is not ChangeKind.COSMETIC]
    if not functions:
        return
    if case.profile is None:
        yield _no_exposure("exposure unknown: no profile")
        return
    points = {function.id: _exposure_points(case, function.id, scale) for function in functions}
    measured = [function for function in functions if points[function.id] is not None]
    if measured:
        busiest = max(measured, key=lambda function: (points[function.id] or 0, str(function.id)))
        yield Contribution(
            rule="exposure",
            points=points[busiest.id] or 0,
            text=_traffic(case, busiest.id),
            part=ScorePart.EXPOSURE,
            path=busiest.id.path,
            line=busiest.function.span.def_line if busiest.after else None,
            function=busiest.id,
        )
    existing = [function for function in functions if function.before and points[function.id] is None]
    unseen = [one for one in existing if _status(case, one.id) is UsageStatus.NOT_OBSERVED]
    if unseen:
        yield _no_exposure(f"{_named(unseen)} not seen in the profile")
    if len(existing) > len(unseen):
        yield _no_exposure(f"exposure unknown: {_named([one for one in existing if one not in unseen])} not matched")


def _no_exposure(text: str) -> Contribution:
    return Contribution(rule="exposure", points=0, text=text, part=ScorePart.EXPOSURE)


def _exposure_points(case: Case, function: FunctionId, scale: ExposureScale) -> int | None:
    share, rate = _share(case, function), _rate(case.usage.get(function))
    if share is not None:
        return scale.of_share(share)
    return scale.of_rate(rate) if rate is not None else None


def _share(case: Case, function: FunctionId) -> float | None:
    usage, blast = case.usage.get(function), case.blast.get(function)
    shares = [side.share for side in (usage, blast) if side is not None and side.share is not None]
    return max(shares, default=None)


def _rate(usage: Usage | None) -> float | None:
    return usage.calls_per_minute if usage else None


def _status(case: Case, function: FunctionId) -> UsageStatus:
    usage = case.usage.get(function)
    return usage.status if usage else UsageStatus.UNMATCHED


def _traffic(case: Case, function: FunctionId) -> str:
    share, rate = _share(case, function), _rate(case.usage.get(function))
    runs = None if rate is None else f"{rate:,.0f} times a minute" if rate >= 1 else f"{rate:.2g} times a minute"
    part = None if share is None else f"{_percent(share)} of the traffic"
    if runs is None:
        return f"{called(function)} carries {part}"
    return f"{called(function)} runs {runs}" + (f" ({part})" if part else "")


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.095 else f"{100 * share:.2g} %"


def called(function: FunctionId) -> str:
    """A function in a sentence: its last name, or which module's body it is."""
    return f"the module body of {function.path}" if function.qualname == "<module>" else function.name


def _named(functions: list[FunctionChange]) -> str:
    if len(functions) == 1:
        return f"{called(functions[0].id)} is"
    return f"{len(functions):,} functions are"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


# --------------------------------------------------------------------------- by function


def _own(case: Case, function: FunctionChange, flagged: list[Finding], weights: Weights) -> int:
    rules: dict[str, int] = {}
    for finding in flagged:
        if finding.function == function.id:
            rules[finding.rule] = max(rules.get(finding.rule, 0), finding.points)
    points = sum(rules.values())
    if function.kind is ChangeKind.COSMETIC:
        return points
    points += _exposure_points(case, function.id, weights.exposure) or 0
    points += memory.of_function(case, function.id)
    if _has_past(case, function):
        points += weights.points(Feature.PRIOR_CHANGES, case.history[function.id].changes or 0)
    return points + weights.points(Feature.SIGNATURE, int(_breaks_callers(function)))
