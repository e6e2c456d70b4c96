"""What every report says, before how it is said: the same phrases, order and selection for all renderers.

Everything returned here is raw text: a renderer makes it inert for its own target (``reports.text``).
"""

import re
from dataclasses import dataclass

from gatecli.errors import EXIT_INCOMPLETE
from gatecli.model import (
    AgentEvidence,
    Blast,
    ChangeKind,
    Closeness,
    Decision,
    Finding,
    FunctionChange,
    FunctionHistory,
    Grade,
    HistoryStatus,
    Outcome,
    ParseStatus,
    Person,
    ProvenanceClass,
    Reason,
    Recollection,
    Report,
    Severity,
    SourceKind,
    Usage,
    UsageStatus,
    WaiverKind,
)
from gatecli.reports import standing
from gatecli.reports.text import age, count, listed, share

MAX_REASONS = 5
"""More reasons than a reviewer keeps in mind are a list, not an answer."""

MINOR_POINTS = 2
"""Up to here a function is named only on request: 2 points are odds times 1.15, less than any weight is known to."""

_SEVERITIES = (Severity.BLOCK, Severity.REVIEW, Severity.NOTE)
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A touched function with what is known of it; ``risk`` in points."""

    function: FunctionChange
    usage: Usage | None
    blast: Blast | None
    history: FunctionHistory | None
    risk: int
    notable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """A reason with the finding behind it, where one finding is."""

    reason: Reason
    finding: Finding | None


def rows(report: Report) -> tuple[Row, ...]:
    """Every touched function, riskiest first, then busiest; those that matter before those that do not."""
    named = {
        finding.function for finding in flagged(report) if finding.function and finding.severity is not Severity.NOTE
    }
    case = report.case
    found = [
        Row(
            function=function,
            usage=case.usage.get(function.id),
            blast=case.blast.get(function.id),
            history=case.history.get(function.id),
            risk=(risk := report.score.by_function.get(function.id, 0)),
            notable=risk > MINOR_POINTS or function.id in named,
        )
        for function in case.functions
    ]
    return tuple(sorted(found, key=_row_order))


def _row_order(row: Row) -> tuple[bool, int, bool, float, str]:
    calls = row.usage.calls_per_minute if row.usage else None
    cosmetic = row.function.kind is ChangeKind.COSMETIC
    return not row.notable, -row.risk, cosmetic, -(calls or 0.0), str(row.function.id)


def flagged(report: Report) -> tuple[Finding, ...]:
    """The findings that ask for something, gravest first."""
    return tuple(
        sorted(
            (finding for finding in report.findings if finding.outcome is Outcome.FLAGGED),
            key=lambda finding: (
                _SEVERITIES.index(finding.severity),
                -finding.points,
                finding.path,
                finding.line or 0,
                finding.rule,
                finding.message,
            ),
        )
    )


def alike(findings: tuple[Finding, ...]) -> tuple[tuple[Finding, ...], ...]:
    """Findings that say the same of several places, together; in the order of the first of each."""
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.rule, finding.severity, finding.message, finding.remedy), []).append(finding)
    return tuple(map(tuple, groups.values()))


def blockers(report: Report) -> tuple[Finding, ...]:
    """The findings that block on their own: empty unless the verdict is block."""
    if report.verdict.outcome is not Decision.BLOCK:
        return ()
    return tuple(finding for finding in flagged(report) if finding.severity is Severity.BLOCK)


def whys(report: Report) -> tuple[Why, ...]:
    """The reasons of the verdict, strongest first and at most five, each with its finding."""
    findings = flagged(report)
    return tuple(
        Why(reason=reason, finding=finding_of(reason, findings)) for reason in report.verdict.reasons[:MAX_REASONS]
    )


def finding_of(reason: Reason, findings: tuple[Finding, ...]) -> Finding | None:
    """The finding that a reason speaks of: the same rule at the same place."""
    for finding in findings:
        if finding.rule == reason.rule and finding.path == reason.path and finding.line == reason.line:
            return finding
    return None


def place(path: str | None, line: int | None) -> str:
    """``path:line`` as editors and terminals link it, as far as it is known."""
    if path is None:
        return ""
    return path if line is None else f"{path}:{line}"


def rule_name(finding: Finding) -> str:
    """The rule with its short code: ``io-in-hot-loop P01``."""
    return f"{finding.rule} {finding.code}".strip()


# --------------------------------------------------------------------------- the first two lines


def word(report: Report) -> str:
    """The answer in one word: pass, review, block; ``incomplete`` where the gate could not answer and fails closed."""
    return "incomplete" if report.exit_code == EXIT_INCOMPLETE else str(report.verdict.outcome)


def headline(report: Report) -> tuple[str, ...]:
    """The verdict's phrases, made to stand alone: what blocks, what matters, and how risky it is."""
    verdict, case = report.verdict, report.case
    if not case.change.files:
        return ("evidence incomplete", "the change seems empty") if verdict.incomplete else ("nothing changed",)
    phrases = []
    blocking = blockers(report)
    if blocking:
        others = f" and {count(len(blocking) - 1, 'other')} block" if len(blocking) > 1 else " blocks"
        phrases.append(f"{blocking[0].rule}{others}")
    if verdict.incomplete:
        phrases.append("evidence incomplete")
    if verdict.decision is not verdict.outcome:
        signed = "signed off" if verdict.outcome is Decision.PASS else "lowered by sign-off"
        phrases.append(f"{verdict.decision} {_waived(report) or signed}")
    phrases.append(_mattering(report))
    place = report.score.standing
    ranked = f", {standing.top(place.percentile)}" if place is not None and place.percentile is not None else ""
    phrases.append(f"risk {report.score.total}{ranked}")
    if case.functions and case.profile is None:
        phrases.append("not profiled")
    return tuple(phrases)


def _waived(report: Report) -> str | None:
    """Who lifted requirements, as that is no signature."""
    by = {WaiverKind.OVERRIDE: "overridden by", WaiverKind.GRANT: "bypassed by a grant of"}
    said = [f"{words} {listed(_by(report, kind), 3)}" for kind, words in by.items() if _by(report, kind)]
    return " and ".join(said) or None


def _by(report: Report, kind: WaiverKind) -> list[str]:
    return list(dict.fromkeys(one.by for one in report.signoff.waivers if one.kind is kind))


def _mattering(report: Report) -> str:
    functions = report.case.functions
    if not functions:
        return f"no function touched in {count(len(report.case.change.files), 'file')}"
    if all(function.kind is ChangeKind.COSMETIC for function in functions):
        return f"only cosmetic changes, in {count(len(functions), 'function')}"
    mattering = sum(row.notable for row in rows(report))
    if mattering == 0:
        if len(functions) == 1:
            return "1 function touched"
        return f"{len(functions):,} functions touched, none above {MINOR_POINTS} points"
    verb = "matters" if mattering == 1 else "matter"
    if mattering == len(functions):
        return {1: "1 function matters", 2: "both functions matter"}.get(
            mattering, f"all {mattering:,} functions matter"
        )
    return f"{mattering:,} of {count(len(functions), 'function')} {verb}"


def authorship(report: Report) -> tuple[str, ...]:
    """The second line's phrases: who wrote it, how much, from where to where."""
    change = report.case.change
    ends = f"base {short(change.merge_base or change.base)} → {_head(report)}"
    if not change.files:
        return (ends,)
    size = f"+{change.added_count:,} −{change.deleted_count:,} in {count(len(change.files), 'file')}"
    other = sum(file.status is ParseStatus.NOT_PYTHON for file in report.case.parsed)
    if other:
        size += f" ({other:,} not Python)"
    said = (_author(report), f"{_commits(report)}, {size}")
    return said if change.kind is SourceKind.PATCH else (*said, ends)


def _author(report: Report) -> str:
    provenance = report.case.provenance
    people = list(dict.fromkeys(person_name(person) for person in provenance.authors))
    if provenance.klass is ProvenanceClass.NO_EVIDENCE:
        who = listed(people, 2) if people else "author unknown"
        return f"{who}, no sign of an agent"
    agents = listed(list(dict.fromkeys(map(agent_name, _agents(provenance.agents)))), 2) or "an agent"
    operator = person_name(provenance.operator) if provenance.operator else None
    if provenance.klass is ProvenanceClass.ASSISTED:
        return f"{operator or listed(people, 2) or 'author unknown'}, assisted by {agents}"
    return f"{agents} for {operator or 'an unknown operator'}"


def _agents(found: tuple[AgentEvidence, ...]) -> list[AgentEvidence]:
    """Without what may be chance where better evidence names the same tool."""
    known = {agent.tool for agent in found if agent.strength > 1}
    return [agent for agent in found if agent.strength > 1 or agent.tool not in known]


def agent_name(agent: AgentEvidence) -> str:
    """``Claude Code (claude-opus-4-7)``; evidence that anyone may have left by chance is said to be that."""
    if agent.strength <= 1:
        return f"{agent.tool} (circumstantial: {agent.channel})"
    return f"{agent.tool} ({agent.model})" if agent.model else agent.tool


def person_name(person: Person) -> str:
    """The name, or the address where there is no name."""
    return person.name.strip() or person.email


def first_seen(history: FunctionHistory, now: int) -> str | None:
    """``first 2 years ago``; where the history is cut that is only a least age."""
    if history.first_changed_at is None:
        return None
    least = "at least " if history.status is HistoryStatus.SHALLOW else ""
    return f"first {least}{age(now - history.first_changed_at)} ago"


def incident(one: Recollection) -> str:
    """``INC-42 (sev2, 12 days ago, written by claude, handled by Ravi) came from price_order: round half to even``."""
    past = one.incident
    writers = listed(list(map(str, past.agents)), 2)
    facts = [str(past.severity), f"{age(one.age_days * 86_400)} ago", *([f"written by {writers}"] if writers else [])]
    handlers = listed([person_name(handler.person) for handler in one.handlers], 2)
    facts += [f"handled by {handlers}"] if handlers else []
    how = "came from" if one.closeness is Closeness.SAME else "is one call from"
    where = listed([id.name for id in one.touched], 3)
    return f"{past.id} ({', '.join(facts)}) {how} {where}" + (f": {past.lesson}" if past.lesson else "")


def changes_with(history: FunctionHistory) -> str | None:
    """``shop/prices.sql (6 of 8 changes)``: files that usually change with a function and are not in this change."""
    named = [f"{one.path} ({one.together:,} of {one.changes:,} changes)" for one in history.cochange]
    return listed(named, len(named)) if named else None


def _commits(report: Report) -> str:
    change = report.case.change
    pending = {SourceKind.STAGED: "staged changes", SourceKind.WORKTREE: "uncommitted changes"}.get(change.kind)
    commits = count(len(change.revisions), "commit") if change.revisions else None
    if change.kind is SourceKind.PATCH:
        return commits or "a patch"
    return " and ".join(part for part in (commits, pending) if part) or "no commit"


def _head(report: Report) -> str:
    change = report.case.change
    if change.kind is SourceKind.STAGED:
        return "index"
    if change.kind is SourceKind.WORKTREE or change.head is None:
        return "working tree"
    return f"head {short(change.head)}"


def short(revision: str | None) -> str:
    """A commit id as git abbreviates it; any other name as it is."""
    if revision is None:
        return "unknown"
    return revision[:7] if _SHA.fullmatch(revision) else revision


# --------------------------------------------------------------------------- what would be otherwise


def without(report: Report, rule: str) -> str | None:
    """``31, pass``: what the change would be without one rule or feature; the decision only where it is another."""
    left = report.score.without.get(rule)
    if left is None:
        return None
    return f"{left.total:,}" + (f", {left.decision}" if left.decision is not report.verdict.decision else "")


def counterfactuals(report: Report, most: int) -> tuple[str, ...]:
    """``without signature: 31, pass``: first what would change the decision, else the strongest alone."""
    decision = report.verdict.decision
    telling = [rule for rule, left in report.score.without.items() if left.decision is not decision]
    rules = telling or list(report.score.without)[:1]
    return tuple(f"without {rule}: {without(report, rule)}" for rule in rules[:most])


# --------------------------------------------------------------------------- runtime


def calls_absent(row: Row) -> str | None:
    """Why a function has no figures, in a word or two; None where it was observed."""
    status = row.usage.status if row.usage else UsageStatus.NO_PROFILE
    if status is UsageStatus.OBSERVED:
        return None
    if status is UsageStatus.NO_PROFILE:
        return "not profiled"
    if row.function.kind is ChangeKind.ADDED:
        return "new"
    return "not seen" if status is UsageStatus.NOT_OBSERVED else "no match"


def entry_points(row: Row) -> tuple[str, ...]:
    """Where traffic enters that reaches the function: as the profile ranks them, else as the code reaches them."""
    observed = tuple(name for name, _ in row.usage.entry_points) if row.usage else ()
    return observed or (row.blast.entry_points if row.blast else ())


def waited_for(row: Row) -> str | None:
    """How much of their time the requests that reach a function wait for it, and how that is known."""
    usage = row.usage
    if usage is None or usage.critical_path_share is None:
        return None
    of = "of the critical path" if usage.critical_path_basis == "trace" else "of its requests' samples"
    return f"{share(usage.critical_path_share)} {of}"


def caller_count(row: Row) -> str:
    """How many functions reach this one: ``12``, ``12+`` where a bound was hit, a dash where it is not known."""
    if row.blast is None:
        return "–"
    callers = len({caller.id for caller in row.blast.callers})
    return f"{callers:,}{'+' if row.blast.truncated else ''}"


def matching(report: Report) -> tuple[str, ...]:
    """How far the profile knows the touched functions, as phrases; empty without a profile."""
    profile = report.case.profile
    if profile is None:
        return ()
    phrases = [f"{profile.observed:,} of {count(profile.touched, 'touched function')} observed"]
    if profile.not_observed:
        phrases.append(f"{profile.not_observed:,} not seen")
    if profile.unmatched:
        phrases.append(f"{profile.unmatched:,} not matched")
    if profile.changed_since:
        phrases.append(f"{profile.changed_since:,} changed since")
    phrases.append(f"grade {profile.grade}" + (", never lowers risk" if profile.grade is Grade.WEAK else ""))
    return tuple(phrases)


def profile_origin(report: Report) -> tuple[str, ...]:
    """Which profile it was: service and environment, window, age, revision, basis; empty without a profile."""
    profile = report.case.profile
    if profile is None:
        return ()
    name = " ".join(part for part in (profile.service, profile.environment) if part) or profile.path
    bases = {usage.basis for usage in report.case.usage.values() if usage.basis}
    return (
        f"profile {name}",
        f"{age(profile.window_s)} of traffic" if profile.window_s is not None else "window unknown",
        f"{age(profile.age_s)} old" if profile.age_s is not None else "age unknown",
        f"revision {short(profile.revision)}",
        *([f"{count(profile.commits_behind, 'commit')} behind"] if profile.commits_behind else []),
        *([f"figures {listed(sorted(bases), 3)}"] if bases else []),
    )


def unobserved(report: Report) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What should have a figure and has none, by reason: ``(reason, function ids)``, the commonest reason first."""
    groups: dict[str, list[str]] = {}
    expected = {function.id for function in report.case.running}
    for row in rows(report):
        word = calls_absent(row)
        if (
            row.function.id not in expected
            or row.usage is None
            or word is None
            or row.usage.status is UsageStatus.NO_PROFILE
        ):
            continue
        groups.setdefault(row.usage.reason or word, []).append(str(row.function.id))
    return tuple((reason, tuple(ids)) for reason, ids in sorted(groups.items(), key=lambda item: -len(item[1])))


# --------------------------------------------------------------------------- what could not be known


def limits(report: Report) -> tuple[str, ...]:
    """What could not be known, one sentence each, gravest first; empty where everything was read whole."""
    case = report.case
    found = [f"incomplete: {text}" for text in report.verdict.incomplete]
    unread: dict[str, list[str]] = {}
    for file in case.parsed:
        if file.status is ParseStatus.NOT_PARSED:
            unread.setdefault(file.reason or "reason unknown", []).append(file.path)
    found += [f"{listed(paths, 3)}: not judged by function ({reason})" for reason, paths in unread.items()]
    for file in case.parsed:
        if file.status is ParseStatus.PARTIAL:
            lines = count(len(file.error_lines), "line does", "lines do")
            where = f", first at line {min(file.error_lines)}" if file.error_lines else ""
            found.append(f"{file.path}: judged in part, {lines} not parse{where}")
    found += [f"{file.path}: {note}" for file in case.change.files for note in file.notes]
    found += case.change.warnings
    for finding in report.findings:
        if finding.outcome is Outcome.UNKNOWN:
            found.append(f"{place(finding.path, finding.line)}: {finding.rule} could not tell ({finding.message})")
        elif finding.outcome is Outcome.ERROR:
            found.append(f"{place(finding.path, finding.line)}: {finding.rule} failed ({finding.message})")
    found += _bounded(report)
    found += (*case.provenance.notes, *case.provenance.unread)
    found += case.profile.warnings if case.profile else ()
    return tuple(dict.fromkeys(found))


def _bounded(report: Report) -> list[str]:
    case = report.case
    touched = {function.id for function in case.functions}
    cut = sum(blast.truncated for id, blast in case.blast.items() if id in touched)
    unchecked = {blast.unchecked for id, blast in case.blast.items() if id in touched and blast.unchecked}
    histories = [history.status for id, history in case.history.items() if id in touched]
    shallow = histories.count(HistoryStatus.SHALLOW)
    unavailable = histories.count(HistoryStatus.UNAVAILABLE)
    return [
        *(
            [f"more callers than could be followed for {count(cut, 'function')}: counts are lower bounds"]
            if cut
            else []
        ),
        *(f"callers are as the text says, without types: {why}" for why in sorted(unchecked)),
        *([f"history cut short for {count(shallow, 'function')}: the counts are lower bounds"] if shallow else []),
        *([f"no history for {count(unavailable, 'function')}"] if unavailable else []),
    ]
