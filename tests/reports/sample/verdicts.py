"""Reports of every other answer."""

from dataclasses import replace

from gatecli.model import (
    AgentEvidence,
    Blast,
    Candidate,
    Case,
    ChangeKind,
    Contribution,
    Decision,
    Dismissal,
    Evidence,
    FileStatus,
    Finding,
    FunctionHistory,
    Grade,
    HistoryStatus,
    Mode,
    Outcome,
    ParseStatus,
    PolicyStamp,
    ProfileSummary,
    Provenance,
    ProvenanceClass,
    Reason,
    Report,
    Requirement,
    RequirementStatus,
    Score,
    ScorePart,
    Severity,
    SignOffStatus,
    SourceKind,
    Usage,
    UsageStatus,
    Verdict,
)
from tests.reports.sample.parts import (
    CART,
    CHECKOUT,
    DANA,
    DAY,
    LOAD,
    NOW,
    ORDERS,
    PRICE,
    QUOTE,
    as_branch,
    call,
    change,
    edited,
    fid,
    observed,
    parsed,
    ranked,
    rule_texts,
    sign_off,
    touched,
)
from tests.reports.sample.review import review


def block() -> Report:
    """A human's migration that drops a column which running code still reads; nothing else in it."""
    migration = fid("shop/migrations/0007_drop_note.py", "upgrade")
    order = fid("shop/models.py", "Order")
    files = (edited("shop/migrations/0007_drop_note.py", 18, 0, FileStatus.ADDED), edited("shop/models.py", 0, 1))
    return Report(
        tool_version="0.3.0",
        generated_at=NOW,
        mode=Mode.ENFORCE,
        case=Case(
            change=change(files),
            parsed=parsed(*(file.path for file in files)),
            functions=(touched(migration, ChangeKind.ADDED), touched(order, lines=())),
            usage={
                migration: Usage(status=UsageStatus.UNMATCHED, reason="new function"),
                order: observed(52_000.0, 0.33, 0.3, ("POST /orders", 0.8), ("GET /orders", 0.2)),
            },
            blast={
                migration: Blast(),
                order: Blast(callers=(call(ORDERS, 1, 52_000.0),), entry_points=("POST /orders", "GET /orders")),
            },
            history={order: FunctionHistory(status=HistoryStatus.SHALLOW)},
            provenance=Provenance(klass=ProvenanceClass.NO_EVIDENCE, authors=(DANA,)),
            profile=ProfileSummary(
                path="profile.json",
                service="shop",
                environment="production",
                sources=("traces.jsonl",),
                window_s=3_600.0,
                revision=None,
                age_s=41.0 * DAY,
                functions=412,
                grade=Grade.WEAK,
                touched=2,
                observed=1,
                unmatched=1,
                warnings=("the profile names no revision: lines may have moved since",),
            ),
        ),
        findings=(
            Finding(
                rule="column-dropped",
                code="M02",
                severity=Severity.BLOCK,
                outcome=Outcome.FLAGGED,
                message="orders.note is dropped while 2 functions still read it",
                path="shop/migrations/0007_drop_note.py",
                line=12,
                function=migration,
                points=15,
                evidence=(Evidence(kind="reader", text="Order.as_dict", path="shop/models.py", line=77),),
                remedy="drop the column one release later, when no deployed code reads it",
            ),
            Finding(
                rule="irreversible-migration",
                code="M08",
                severity=Severity.REVIEW,
                outcome=Outcome.FLAGGED,
                message="downgrade does not restore the dropped column",
                path="shop/migrations/0007_drop_note.py",
                line=17,
                function=migration,
                points=4,
                remedy="write the downgrade, or say that the data is gone for good",
            ),
        ),
        score=Score(
            likelihood=19,
            exposure=17,
            total=36,
            contributions=(
                Contribution(rule="column-dropped", points=15, text="orders.note is dropped", function=migration),
                Contribution(rule="irreversible-migration", points=4, text="no way back", function=migration),
                Contribution(
                    rule="hot-path", points=17, text="Order: 33 % of traffic", part=ScorePart.EXPOSURE, function=order
                ),
            ),
            by_function={migration: 19, order: 17},
        ),
        verdict=Verdict(
            decision=Decision.BLOCK,
            outcome=Decision.BLOCK,
            reasons=(
                Reason(
                    text="models.Order.as_dict (33 % of traffic) reads orders.note, which the migration drops",
                    points=15,
                    rule="column-dropped",
                    path="shop/migrations/0007_drop_note.py",
                    line=12,
                ),
                Reason(
                    text="the migration cannot be taken back",
                    points=4,
                    rule="irreversible-migration",
                    path="shop/migrations/0007_drop_note.py",
                    line=17,
                ),
            ),
        ),
        signoff=sign_off(
            status=SignOffStatus.OUTSTANDING,
            requirements=(
                Requirement(
                    name="two humans for a schema change",
                    count=2,
                    kind="human",
                    role="any",
                    reason="a schema change cannot be taken back",
                    status=RequirementStatus.UNSATISFIED,
                    who=(
                        Candidate(person="mei", evidence="wrote 5 of 7 migrations"),
                        Candidate(person="ravi", evidence=""),
                    ),
                    satisfied_by=("ines",),
                ),
            ),
        ),
        policy=PolicyStamp(path=None, revision=None, sha256="00" * 32),
        exit_code=1,
        rules_run=38,
        rules=rule_texts(),
        timings_ms={"change": 12.0, "rules": 20.5},
    )


def unprofiled() -> Report:
    """A review in advice mode without a profile: uncommitted work of an unknown agent, history cut short."""
    report = review()
    case = report.case
    wanted = tuple(function for function in case.functions if function.id in (PRICE, CHECKOUT, LOAD))
    return replace(
        report,
        mode=Mode.ADVISE,
        exit_code=0,
        case=replace(
            case,
            incidents=(),
            change=replace(case.change, kind=SourceKind.WORKTREE, head=None, revisions=(), warnings=("shallow clone",)),
            functions=wanted,
            parsed=(
                *parsed("shop/pricing.py", "shop/checkout.py"),
                replace(parsed("shop/utils.py")[0], status=ParseStatus.PARTIAL, error_lines=(14, 12)),
                replace(parsed("shop/payments.py")[0], status=ParseStatus.NOT_PARSED, reason="larger than 2 MB"),
                *parsed("docs/pricing.md"),
            ),
            usage={function.id: Usage(status=UsageStatus.NO_PROFILE) for function in wanted},
            blast={
                PRICE: Blast(
                    callers=(call(CHECKOUT, 1, None), call(QUOTE, 1, None), call(ORDERS, 2, None, via=CHECKOUT)),
                    truncated=True,
                )
            },
            history={function.id: FunctionHistory(status=HistoryStatus.SHALLOW) for function in wanted},
            provenance=Provenance(
                klass=ProvenanceClass.AI, agents=(AgentEvidence(tool="Codex", channel="branch", strength=1),)
            ),
            profile=None,
        ),
        findings=report.findings[1:4],
        production=None,
        score=Score(
            likelihood=9,
            exposure=0,
            total=9,
            contributions=report.score.contributions[1:2],
            by_function={CHECKOUT: 9, PRICE: 3},
        ),
        verdict=Verdict(
            decision=Decision.REVIEW,
            outcome=Decision.REVIEW,
            reasons=report.verdict.reasons[1:2],
            incomplete=("no profile, although the policy names one",),
        ),
        signoff=sign_off(
            status=SignOffStatus.OUTSTANDING,
            requirements=(
                Requirement(
                    name="someone who knows the code",
                    count=1,
                    kind="human",
                    role="any",
                    reason="exposure is unknown",
                    status=RequirementStatus.UNSATISFIED,
                ),
            ),
        ),
        timings_ms={},
    )


def incomplete() -> Report:
    """The same where the gate is enforced: evidence that the policy asks for is missing, so it fails closed."""
    return replace(unprofiled(), mode=Mode.ENFORCE, exit_code=4)


def passing() -> Report:
    """A small change by a person: nothing is asked."""
    report = review()
    case = report.case
    return replace(
        report,
        case=replace(
            case,
            incidents=(),
            change=change((edited("shop/cart.py", 4, 2),)),
            parsed=parsed("shop/cart.py"),
            functions=(touched(CART),),
            usage={CART: case.usage[CART]},
            blast={CART: case.blast[CART]},
            history={CART: FunctionHistory(status=HistoryStatus.KNOWN, changes=3)},
            provenance=Provenance(klass=ProvenanceClass.NO_EVIDENCE, authors=(DANA,)),
        ),
        findings=(),
        score=Score(likelihood=0, exposure=1, total=1, standing=ranked(0.12, points=3), by_function={CART: 1}),
        verdict=Verdict(decision=Decision.PASS, outcome=Decision.PASS),
        signoff=sign_off(status=SignOffStatus.NOT_REQUIRED),
        exit_code=0,
        timings_ms={"total": 96.0},
    )


def signed() -> Report:
    """The review once the senior has signed."""
    report = review()
    done = replace(report.signoff.requirements[0], status=RequirementStatus.SATISFIED, satisfied_by=("ravi",))
    return replace(
        report,
        verdict=replace(report.verdict, outcome=Decision.PASS),
        signoff=replace(
            report.signoff,
            status=SignOffStatus.SATISFIED,
            requirements=(done, *report.signoff.requirements[1:]),
            tree=(as_branch(done), *report.signoff.tree[1:]),
        ),
        findings=report.findings[:4],
        exit_code=0,
    )


def empty() -> Report:
    """Nothing changed."""
    report = passing()
    return replace(
        report,
        case=replace(
            report.case,
            incidents=(),
            change=replace(change(()), revisions=()),
            parsed=(),
            functions=(),
            usage={},
            blast={},
            history={},
            provenance=Provenance(klass=ProvenanceClass.NO_EVIDENCE),
            profile=None,
        ),
        score=Score(likelihood=0, exposure=0, total=0),
        production=None,
        timings_ms={"total": 31.0},
    )


def large(number: int = 200) -> Report:
    """Many functions with long names, callers and findings: every bound of every report is hit."""
    report = review()
    ids = [
        fid(f"services/accounting/internal/ledger/postings_{index:03}.py", f"PostingService.apply_batch_{index:03}")
        for index in range(number)
    ]
    entries = tuple(f"POST /v1/accounts/{{account}}/postings/{index}" for index in range(40))
    near = [fid(f"services/api/handlers_{index}.py", f"handle_{index}") for index in range(20)]
    far = [fid(f"services/api/routes_{index}.py", f"route_{index}") for index in range(20)]
    callers = tuple(
        [call(caller, 1, 100.0 * index) for index, caller in enumerate(near)]
        + [call(caller, 2, 90.0 * index, near[index]) for index, caller in enumerate(far)]
    )
    findings = tuple(
        replace(
            report.findings[0], path=id.path, line=index + 1, function=id, points=index % 20, fingerprint=str(index)
        )
        for index, id in enumerate(ids)
    )
    return replace(
        report,
        case=replace(
            report.case,
            incidents=(),
            change=change(tuple(edited(id.path, 20, 4) for id in ids), 40),
            parsed=tuple(replace(parsed(id.path)[0], status=ParseStatus.NOT_PARSED, reason="too deep") for id in ids),
            functions=tuple(touched(id) for id in ids),
            usage={
                id: observed(10.0 * index, index / (2 * number), 4.0, (entries[0], 1.0)) for index, id in enumerate(ids)
            },
            blast={id: Blast(callers=callers, entry_points=entries, truncated=True) for id in ids},
            history={},
        ),
        findings=findings,
        score=replace(report.score, by_function={id: index % 20 for index, id in enumerate(ids)}),
        signoff=replace(
            report.signoff,
            dismissed=tuple(Dismissal(by=f"bot-{index}", reason="not a human") for index in range(40)),
        ),
    )
