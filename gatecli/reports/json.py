"""The report for programs: the same bytes for the same report, but for ``generated_at`` and ``timings_ms``."""

import inspect
import json
import math
from collections.abc import Iterator
from typing import Any

import msgspec

from gatecli import model
from gatecli.reports import document, levels, summary
from gatecli.reports.text import cut, json_source, valid_unicode

MAX_TEXT = 16_384
"""Characters of one string; what is longer is cut and says so. Paths are at most 4,096 bytes on Linux."""


def to_json(report: model.Report) -> bytes:
    r"""The report as UTF-8 JSON, indented by two, with a newline at its end.

    A byte of a path that is not UTF-8 is written as ``\xNN``; what a terminal would obey is written as a JSON escape.
    """
    encoded = msgspec.json.encode(_inert(msgspec.to_builtins(_document(report))))
    return json_source(msgspec.json.format(encoded, indent=2).decode()).encode() + b"\n"


def schema() -> bytes:
    """The JSON Schema (draft 2020-12) of ``to_json``, as published."""
    described = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gate-report/1",
        **msgspec.json.schema(document.Document),
    }
    return json.dumps(_level(described), indent=2, ensure_ascii=False).encode() + b"\n"


def _level(value: Any) -> Any:
    """``value`` with descriptions as Python 3.13 keeps them: older ones keep how docstrings were indented."""
    if isinstance(value, dict):
        return {
            key: inspect.cleandoc(one) if key == "description" and isinstance(one, str) else _level(one)
            for key, one in value.items()
        }
    return [_level(one) for one in value] if isinstance(value, list) else value


def _inert(value: Any) -> Any:
    """``value`` (made of builtins) with every string bounded and valid Unicode; no number that JSON does not have."""
    if isinstance(value, str):
        return cut(valid_unicode(value), MAX_TEXT)
    if isinstance(value, dict):
        return {_inert(key): _inert(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_inert(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _document(report: model.Report) -> document.Document:
    case = report.case
    return document.Document(
        schema="gate-report/1",
        tool=document.Tool(name="gate", version=report.tool_version),
        generated_at=report.generated_at,
        mode=report.mode,
        verdict=_verdict(report),
        exit_code=report.exit_code,
        change=_change(case),
        provenance=msgspec.convert(case.provenance, document.Provenance, from_attributes=True),
        functions=[_function(row) for row in summary.rows(report)],
        profile=_profile(case.profile) if case.profile else None,
        findings=[_finding(finding) for finding in report.findings],
        rules_run=report.rules_run,
        score=_score(report.score),
        incidents=list(map(_incident, case.incidents)),
        signoff=msgspec.convert(report.signoff, document.SignOff, from_attributes=True),
        policy=msgspec.convert(report.policy, document.Policy, from_attributes=True),
        audit=document.Audit(
            entry=report.audit.entry if report.audit else None, head=report.audit.head if report.audit else None
        ),
        limits=list(summary.limits(report)),
        timings_ms={stage: round(took, 3) for stage, took in sorted(report.timings_ms.items()) if math.isfinite(took)},
    )


def _verdict(report: model.Report) -> document.Verdict:
    verdict = report.verdict
    findings = summary.flagged(report)
    return document.Verdict(
        decision=verdict.decision,
        outcome=verdict.outcome,
        reasons=[_reason(reason, summary.finding_of(reason, findings)) for reason in verdict.reasons],
        incomplete=list(verdict.incomplete),
    )


def _reason(reason: model.Reason, finding: model.Finding | None) -> document.Reason:
    return document.Reason(
        text=reason.text,
        points=reason.points,
        rule=reason.rule,
        path=reason.path,
        line=reason.line,
        remedy=finding.remedy if finding and finding.remedy else None,
    )


def _change(case: model.Case) -> document.Change:
    change = case.change
    parsed = {file.path: file for file in case.parsed}
    return document.Change(
        kind=change.kind,
        base=change.base,
        head=change.head,
        merge_base=change.merge_base,
        branch=change.branch,
        digest=change.digest,
        commits=[revision.sha for revision in change.revisions],
        files=[_file(file, parsed.get(file.path)) for file in change.files],
        stats=document.Stats(
            files=len(change.files),
            functions=len(case.functions),
            added=change.added_count,
            deleted=change.deleted_count,
        ),
        judged=_judged(levels.levels(case)),
        warnings=list(change.warnings),
    )


def _judged(found: levels.Levels) -> document.Judged:
    return document.Judged(
        lines=found.lines,
        by_function=found.by_function,
        whole=[document.Whole(kind=one.kind, files=one.files, lines=one.lines) for one in found.whole],
        unread=[document.Unread(kind=kind, files=number) for kind, number in found.unread],
    )


def _file(file: model.FileChange, parsed: model.ParsedFile | None) -> document.File:
    return document.File(
        path=file.path,
        old_path=file.old_path,
        status=file.status,
        type=file.type,
        binary=file.binary,
        added=file.added_count,
        deleted=file.deleted_count,
        parse_status=parsed.status if parsed else None,
        parse_reason=parsed.reason if parsed else None,
        kind=parsed.kind if parsed else None,
        error_lines=list(parsed.error_lines) if parsed else [],
        notes=list(file.notes),
    )


def _function(row: summary.Row) -> document.Function:
    function = row.function
    return document.Function(
        id=str(function.id),
        path=function.id.path,
        qualname=function.id.qualname,
        kind=function.kind,
        old_id=str(function.before.id) if function.before else None,
        span=_span(function.after),
        old_span=_span(function.before),
        changed_lines=list(function.changed_lines),
        removed_lines=list(function.removed_lines),
        signature_changed=function.signature_changed,
        signature=list(map(str, function.signature)),
        signature_changes=[_signature_change(change) for change in function.signature],
        relations=[
            document.Relation(kind=relation.kind, others=list(map(str, relation.others)))
            for relation in function.relations
        ],
        behaviour=_behaviour(function.behaviour) if function.behaviour else None,
        risk=row.risk,
        usage=_usage(row.usage) if row.usage else None,
        blast=_blast(row.blast) if row.blast else None,
        history=_history(row.history) if row.history else None,
    )


def _signature_change(change: model.SignatureChange) -> document.SignatureChange:
    return document.SignatureChange(
        kind=change.kind,
        name=change.name,
        before=change.before,
        after=change.after,
        binds_callers=change.binds_callers,
        text=str(change),
    )


def _behaviour(behaviour: model.Behaviour) -> document.Behaviour:
    before, after = behaviour.complexity
    return document.Behaviour(
        complexity=document.Complexity(before=before, after=after),
        facts=list(_facts(behaviour)),
        constants=[
            document.ConstantChange(where=one.where, before=one.before, after=one.after, line=one.line)
            for one in behaviour.constants
        ],
    )


def _facts(behaviour: model.Behaviour) -> Iterator[document.Fact]:
    kinds: tuple[tuple[document.FactKind, model.Facts], ...] = (
        ("call", behaviour.calls),
        ("raise", behaviour.raises),
        ("await", behaviour.awaits),
        ("loop", behaviour.loops),
        ("return", behaviour.returns),
        ("decorator", behaviour.decorators),
    )
    for kind, facts in kinds:
        for fact in facts.added:
            yield document.Fact(kind=kind, change="added", text=fact.text, line=fact.line)
        for fact in facts.removed:
            yield document.Fact(kind=kind, change="removed", text=fact.text, line=fact.line)


def _span(side: model.Function | None) -> document.Span | None:
    return document.Span(start=side.span.first_line, end=side.span.end_line) if side else None


def _usage(usage: model.Usage) -> document.Usage:
    return document.Usage(
        status=usage.status,
        calls_per_minute=usage.calls_per_minute,
        share=usage.share,
        share_margin=usage.share_margin,
        self_share=usage.self_share,
        error_rate=usage.error_rate,
        p50_ms=usage.p50_ms,
        p95_ms=usage.p95_ms,
        entry_points=[document.EntryPoint(name=name, share=share) for name, share in usage.entry_points],
        callers=list(map(str, usage.callers)),
        callees=list(map(str, usage.callees)),
        critical_path_share=usage.critical_path_share,
        critical_path_basis=usage.critical_path_basis,
        services=list(usage.services),
        basis=usage.basis,
        source=usage.source,
        confidence=usage.confidence,
        reason=usage.reason,
    )


def _blast(blast: model.Blast) -> document.Blast:
    return document.Blast(
        callers=len({caller.id for caller in blast.callers}),
        entry_points=list(blast.entry_points),
        services=list(blast.services),
        share=blast.share,
        static_only=blast.static_only,
        depth=blast.depth,
        truncated=blast.truncated,
        checked_by=blast.checked_by,
    )


def _history(history: model.FunctionHistory) -> document.History:
    return document.History(
        status=history.status,
        changes=history.changes,
        authors=len(history.authors) if history.changes is not None else None,
        first_changed_at=history.first_changed_at,
        last_changed_at=history.last_changed_at,
        cochange=[
            document.CoChange(path=one.path, together=one.together, changes=one.changes) for one in history.cochange
        ],
        incidents=list(history.incidents),
    )


def _profile(profile: model.ProfileSummary) -> document.Profile:
    return document.Profile(
        path=profile.path,
        service=profile.service,
        environment=profile.environment,
        sources=list(profile.sources),
        window_s=profile.window_s,
        revision=profile.revision,
        commits_behind=profile.commits_behind,
        changed_since=profile.changed_since,
        age_s=profile.age_s,
        functions=profile.functions,
        grade=profile.grade,
        match=msgspec.convert(profile, document.Match, from_attributes=True),
        warnings=list(profile.warnings),
    )


def _finding(finding: model.Finding) -> document.Finding:
    return document.Finding(
        rule=finding.rule,
        code=finding.code,
        severity=finding.severity,
        outcome=finding.outcome,
        confidence=finding.confidence,
        message=finding.message,
        path=finding.path,
        line=finding.line,
        function=str(finding.function) if finding.function else None,
        points=finding.points,
        evidence=[msgspec.convert(item, document.Evidence, from_attributes=True) for item in finding.evidence],
        remedy=finding.remedy,
        fingerprint=finding.fingerprint,
    )


def _score(score: model.Score) -> document.Score:
    return document.Score(
        likelihood=score.likelihood,
        exposure=score.exposure,
        total=score.total,
        percentile=score.standing.percentile if score.standing else None,
        standing=msgspec.convert(score.standing, document.Standing, from_attributes=True) if score.standing else None,
        contributions=[
            document.Contribution(
                rule=item.rule,
                points=item.points,
                text=item.text,
                part=item.part,
                path=item.path,
                line=item.line,
                function=str(item.function) if item.function else None,
                without=_without(score, item),
            )
            for item in score.contributions
        ],
    )


def _without(score: model.Score, item: model.Contribution) -> document.Without | None:
    left = score.without.get(item.rule) if item.points else None
    return document.Without(total=left.total, decision=left.decision) if left else None


def _incident(one: model.Recollection) -> document.Incident:
    incident = one.incident
    return document.Incident(
        id=incident.id,
        date=incident.day.isoformat(),
        severity=incident.severity,
        closeness=one.closeness,
        age_days=one.age_days,
        freshness=round(one.freshness, 4),
        lesson=incident.lesson,
        url=incident.url,
        caused_by=list(incident.caused_by),
        provenance=incident.provenance,
        agents=[document.AgentName(tool=agent.tool, model=agent.model) for agent in incident.agents],
        functions=list(map(str, one.touched)),
        handled_by=[summary.person_name(handler.person) for handler in one.handlers],
    )
