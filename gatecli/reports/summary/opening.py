"""The first two lines: the answer, what matters, who wrote it; and how people, commits and incidents are named."""

import re

from gatecli.errors import EXIT_INCOMPLETE
from gatecli.model import (
    AgentEvidence,
    ChangeKind,
    Closeness,
    Decision,
    FunctionHistory,
    HistoryStatus,
    ParseStatus,
    Person,
    ProvenanceClass,
    Recollection,
    Report,
    SourceKind,
    WaiverKind,
)
from gatecli.reports import standing
from gatecli.reports.summary.selection import MINOR_POINTS, blockers, rows
from gatecli.reports.text import age, count, listed

_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


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
    ranked = f", {top}" if place is not None and (top := standing.top(place)) else ""
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
