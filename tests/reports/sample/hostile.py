"""A report in which every text that an author controls is the same payload."""

from dataclasses import replace

from gatecli.model import (
    AgentEvidence,
    Approval,
    Behaviour,
    Blast,
    CallTree,
    Candidate,
    ChangeKind,
    ConstantChange,
    Contribution,
    Dismissal,
    Evidence,
    Fact,
    Facts,
    FunctionHistory,
    HistoryStatus,
    Measure,
    Mode,
    Outcome,
    ParsedFile,
    ParseStatus,
    Person,
    PolicyStamp,
    Provenance,
    ProvenanceClass,
    Reason,
    Relation,
    RelationKind,
    Report,
    RequirementStatus,
    RuleText,
    Severity,
    SignatureChange,
    SignatureKind,
    SignOffStatus,
    Usage,
    UsageStatus,
)
from tests.reports.sample.parts import call, change, edited, fid, frame, observed, recollection, sign_off, touched
from tests.reports.sample.review import review


def hostile(payload: str) -> Report:
    """Every text that someone else writes is ``payload``."""
    report = review()
    id = fid(payload, payload)
    person = Person(name=payload, email=payload)
    usage = replace(
        observed(10.0, 0.3, 4.0, (payload, 0.5)), basis=payload, source=payload, confidence=payload, services=(payload,)
    )
    caller = fid(f"{payload}/caller", payload)
    content = b"\n" * 9 + payload.encode(errors="replace")
    finding = replace(
        report.findings[0],
        message=payload,
        path=payload,
        function=id,
        remedy=payload,
        evidence=(Evidence(kind="code", text=payload, path=payload, line=1),),
        fingerprint=payload,
    )
    asked = replace(
        report.signoff.requirements[0],
        name=payload,
        role=payload,
        reason=payload,
        who=(Candidate(person=payload, evidence=payload),),
        satisfied_by=(payload,),
    )
    return replace(
        report,
        mode=Mode.ADVISE,
        case=replace(
            report.case,
            change=replace(
                change((edited(payload, 2, 1, notes=(payload,), before=b"x" + content, after=content),)),
                base=payload,
                merge_base=None,
                head=payload,
                branch=payload,
                warnings=(payload,),
            ),
            parsed=(ParsedFile(path=payload, status=ParseStatus.NOT_PARSED, reason=payload),),
            functions=(
                touched(
                    id,
                    ChangeKind.RENAMED,
                    was=fid(payload, "old"),
                    signature=(
                        SignatureChange(kind=SignatureKind.DEFAULT, name=payload, before=payload, after=payload),
                    ),
                    relations=(Relation(kind=RelationKind.MERGED_FROM, others=(fid(payload, payload),)),),
                    behaviour=Behaviour(
                        complexity=(1, 9),
                        calls=Facts(added=(Fact(text=payload, line=1),), removed=(Fact(text=payload, line=1),)),
                        constants=(ConstantChange(where=payload, before=payload, after=payload, line=1),),
                    ),
                ),
                touched(fid(payload, "unseen")),
            ),
            usage={id: usage, fid(payload, "unseen"): Usage(status=UsageStatus.UNMATCHED, reason=payload)},
            blast={
                id: Blast(
                    callers=(call(caller, 1, 3.0), call(fid(payload, "far"), 2, 3.0, caller)),
                    entry_points=(payload,),
                    services=(payload,),
                )
            },
            history={id: FunctionHistory(status=HistoryStatus.KNOWN, changes=1, incidents=(payload,))},
            incidents=(recollection(payload, payload, payload, id),),
            provenance=Provenance(
                klass=ProvenanceClass.AI,
                agents=(
                    AgentEvidence(
                        tool=payload,
                        channel=payload,
                        strength=2,
                        model=payload,
                        session=payload,
                        commit=payload,
                        text=payload,
                    ),
                ),
                operator=person,
                operator_source=payload,
                authors=(person,),
                notes=(payload,),
            ),
            profile=replace(
                report.case.profile,
                path=payload,
                service=payload,
                environment=payload,
                sources=(payload,),
                revision=payload,
                warnings=(payload,),
            )
            if report.case.profile
            else None,
        ),
        findings=(finding, replace(finding, line=2), replace(finding, outcome=Outcome.UNKNOWN)),
        score=replace(
            report.score,
            by_function={id: 20},
            contributions=(Contribution(rule=payload, points=20, text=payload, path=payload, line=3, function=id),),
        ),
        verdict=replace(
            report.verdict,
            reasons=(
                Reason(text=payload, points=3, rule=finding.rule, path=payload, line=41),
                Reason(text=payload, path=payload),
            ),
            incomplete=(payload,),
        ),
        signoff=sign_off(
            status=SignOffStatus.OUTSTANDING,
            requirements=(asked, replace(asked, status=RequirementStatus.SATISFIED)),
            approvals=(Approval(person=payload, at=10**18, source=payload, commit=payload, digest=payload),),
            dismissed=(Dismissal(by=payload, reason=payload),),
        ),
        policy=PolicyStamp(path=payload, revision=payload, sha256=payload),
        rules=(
            RuleText(
                id=finding.rule,
                code=payload,
                family=payload,
                severity=Severity.REVIEW,
                asks=payload,
                why=payload,
                remedy=payload,
            ),
        ),
        production=CallTree(measure=Measure.CALLS, frames=(frame(payload, 0.5, frame(id, 0.5, frame(caller, 0.1))),)),
    )
