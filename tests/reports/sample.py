"""Reports made by hand, as the pipeline would hand them over: what the renderers' tests and goldens show."""

from dataclasses import replace
from datetime import date
from typing import Any

from gatecli.model import (
    AgentEvidence,
    AgentName,
    Approval,
    Authorship,
    BandAsk,
    Behaviour,
    Blast,
    Branch,
    Caller,
    CallFrame,
    CallTree,
    Candidate,
    Case,
    Certainty,
    Change,
    ChangeKind,
    Closeness,
    CoChange,
    ConstantChange,
    Contribution,
    Decision,
    Dismissal,
    EdgeBasis,
    Evidence,
    Fact,
    Facts,
    FileChange,
    FileStatus,
    Finding,
    Function,
    FunctionChange,
    FunctionHistory,
    FunctionId,
    FunctionKind,
    Grade,
    HistoryStatus,
    Hunk,
    Incident,
    IncidentSeverity,
    Measure,
    Mode,
    Outcome,
    ParsedFile,
    ParseStatus,
    Person,
    PolicyStamp,
    ProfileSummary,
    Provenance,
    ProvenanceClass,
    Reason,
    Recollection,
    Relation,
    RelationKind,
    Report,
    Requirement,
    RequirementStatus,
    Revision,
    RuleText,
    Score,
    ScorePart,
    Severity,
    SignalPoints,
    SignatureChange,
    SignatureKind,
    SignOff,
    SignOffStatus,
    SourceKind,
    Span,
    Standing,
    StandingBand,
    Usage,
    UsageStatus,
    Verdict,
    Without,
)
from gatecli.syntax.kinds import kind_of

BASE = "3f9c2e1b7d5a4c8e9f0a1b2c3d4e5f6071829304"
HEAD = "a71b0d4c2e3f405162738495a6b7c8d9e0f1a2b3"
DAY = 86_400
NOW = 1_795_190_520  # 2026-11-20 16:02 UTC

DANA = Person(name="Dana Ruiz", email="dana@shop.example")
RAVI = Person(name="Ravi Menon", email="ravi@shop.example")
CLAUDE = AgentEvidence(
    tool="Claude Code",
    model="claude-opus-4-7",
    channel="trailer",
    strength=3,
    session="session_01Hk",
    commit=HEAD,
    text="Co-Authored-By: Claude Opus 4.7 <noreply@anthropic.com>",
)


def fid(path: str, qualname: str) -> FunctionId:
    return FunctionId(path=path, qualname=qualname)


def side(id: FunctionId, first: int = 10, last: int = 40) -> Function:
    kind = FunctionKind.METHOD if "." in id.qualname else FunctionKind.FUNCTION
    return Function(id=id, kind=kind, span=Span(first_line=first, def_line=first, end_line=last))


def touched(
    id: FunctionId,
    kind: ChangeKind = ChangeKind.EDITED,
    *,
    was: FunctionId | None = None,
    lines: tuple[int, ...] = (12,),
    signature: tuple[SignatureChange, ...] = (),
    relations: tuple[Relation, ...] = (),
    behaviour: Behaviour | None = None,
) -> FunctionChange:
    return FunctionChange(
        id=id,
        kind=kind,
        before=None if kind is ChangeKind.ADDED else side(was or id),
        after=None if kind is ChangeKind.REMOVED else side(id),
        changed_lines=lines,
        signature=signature,
        relations=relations,
        behaviour=behaviour,
    )


def recollection(name: str, tool: str, lesson: str, function: FunctionId) -> Recollection:
    return Recollection(
        incident=Incident(
            id=name,
            day=date(2026, 8, 14),
            severity=IncidentSeverity.SEV2,
            caused_by=(HEAD,),
            lesson=lesson,
            functions=(function,),
            agents=(AgentName(tool=tool),),
        ),
        closeness=Closeness.SAME,
        touched=(function,),
        age_days=98,
        freshness=0.6857,
    )


def edited(path: str, added: int, deleted: int, status: FileStatus = FileStatus.MODIFIED, **more: object) -> FileChange:
    hunk = Hunk(old_start=10, old_count=deleted, new_start=10, new_count=added)
    return replace(FileChange(path=path, old_path=path, status=status, hunks=(hunk,)), **more)


def commits(number: int) -> tuple[Revision, ...]:
    return tuple(
        Revision(
            sha=f"{index:040x}" if index else HEAD,
            author=DANA,
            committer=DANA,
            authored_at=NOW - index * 600,
            committed_at=NOW - index * 600,
            message="Price orders in one pass\n\nClaude-Session: 01Hk\n",
        )
        for index in range(number)
    )


def change(files: tuple[FileChange, ...], number: int = 1) -> Change:
    return Change(
        kind=SourceKind.RANGE,
        base="main",
        head=HEAD,
        merge_base=BASE,
        digest="5f" * 32,
        files=files,
        revisions=commits(number),
        branch="price-orders",
    )


def parsed(*paths: str) -> tuple[ParsedFile, ...]:
    return tuple(
        ParsedFile(
            path=path,
            status=ParseStatus.PARSED if path.endswith(".py") else ParseStatus.NOT_PYTHON,
            kind=kind_of(path),
        )
        for path in paths
    )


PRICE = fid("shop/pricing.py", "price_order")
CHECKOUT = fid("shop/checkout.py", "Checkout.__call__")
CHARGE = fid("shop/payments.py", "PaymentClient.charge")
ROUNDING = fid("shop/pricing.py", "_round_half_even")
LOAD = fid("shop/utils.py", "load_settings")
LEGACY = fid("shop/legacy/utils.py", "load_settings")
QUOTE = fid("shop/api/quotes.py", "create_quote")
ORDERS = fid("shop/api/orders.py", "create_order")
SETTLE = fid("shop/tasks/settle.py", "settle_batch")
CART = fid("shop/cart.py", "Cart.total")
MODULE = fid("shop/pricing.py", "<module>")


def call(caller: FunctionId, depth: int, rate: float | None, via: FunctionId | None = None, line: int = 31) -> Caller:
    return Caller(
        id=caller,
        basis=EdgeBasis.BOTH if rate is not None else EdgeBasis.STATIC,
        certainty=Certainty.CERTAIN if rate is not None else Certainty.POSSIBLE,
        depth=depth,
        line=line,
        calls_per_minute=rate,
        via=via,
    )


def observed(rate: float | None, part: float, p95: float | None, *entries: tuple[str, float | None]) -> Usage:
    return Usage(
        status=UsageStatus.OBSERVED,
        calls_per_minute=rate,
        share=part,
        self_share=part / 4,
        error_rate=0.002,
        p50_ms=p95 / 3 if p95 is not None else None,
        p95_ms=p95,
        entry_points=entries,
        callers=(ORDERS,),
        services=("shop",),
        basis="spans",
        source="traces-2026-11.jsonl",
        confidence="exact",
    )


def frame(id: FunctionId | str, part: float, *children: CallFrame) -> CallFrame:
    label = id if isinstance(id, str) else f"{id.path.rpartition('/')[2].removesuffix('.py')}.{id.qualname}"
    return CallFrame(label=label, function=None if isinstance(id, str) else id, share=part, children=children)


def production() -> CallTree:
    """What the shop does: half of the time, the rest is libraries."""
    orders = frame(ORDERS, 0.31, frame(CHECKOUT, 0.28, frame(PRICE, 0.19), frame(CHARGE, 0.061)))
    return CallTree(
        measure=Measure.TIME,
        frames=(
            frame("POST /orders", 0.31, orders),
            frame("POST /quotes", 0.17, frame(QUOTE, 0.17, frame(PRICE, 0.15, frame(ROUNDING, 0.004)))),
            frame("GET /cart", 0.02, frame(CART, 0.02)),
        ),
        truncated=True,
    )


def rule_texts() -> tuple[RuleText, ...]:
    """The rules behind the findings of ``review`` and ``block``, as their files would say."""
    words = (
        ("io-in-hot-loop", "P01", "data", Severity.REVIEW, "Does a loop now wait for something outside?"),
        ("retry-removed", "R02", "resilience", Severity.REVIEW, "Was a retry taken away?"),
        ("timeout-lowered", "R04", "resilience", Severity.REVIEW, "Did a timeout change?"),
        ("broad-except", "R07", "resilience", Severity.REVIEW, "Are more exceptions caught than before?"),
        ("debug-print", "S03", "hygiene", Severity.NOTE, "Is a print left in?"),
        ("column-dropped", "M02", "schema", Severity.BLOCK, "Is a column dropped that running code reads?"),
        ("irreversible-migration", "M08", "schema", Severity.REVIEW, "Can the migration be taken back?"),
    )
    return tuple(
        RuleText(
            id=id,
            code=code,
            family=family,
            severity=severity,
            asks=asks,
            why="It has gone wrong before.",
            remedy="Put it back.",
        )
        for id, code, family, severity, asks in words
    )


def as_branch(one: Requirement) -> Branch:
    """A requirement as the node of the tree that it is."""
    return Branch(text=one.name, status=one.status, why=one.reason, satisfied_by=one.satisfied_by, who=one.who)


def sign_off(*, requirements: tuple[Requirement, ...] = (), **more: Any) -> SignOff:
    """A sign-off whose tree is its requirements."""
    return SignOff(requirements=requirements, tree=tuple(map(as_branch, requirements)), **more)


def ranked(percentile: float, points: int) -> Standing:
    """A place among past changes, with the bands of a review and a senior one."""
    wide = StandingBand(share=0.2, points=22, caught=9, bad=21)
    narrow = StandingBand(share=0.05, points=35, caught=4, bad=21, asks=BandAsk.SENIOR)
    return Standing(
        points=points,
        percentile=percentile,
        changes=1_000,
        day="2026-11-20",
        signals=(
            SignalPoints(
                signal="file-reverts",
                points=4,
                text="a file with 0.8 recent changes that were taken back, more than 90 % of changes here",
            ),
            SignalPoints(signal="testless", points=2, text="code without a test in the same change"),
            SignalPoints(signal="files", points=1, text="4 files, more than 50 % of changes here"),
            SignalPoints(signal="not-fix", points=1, text="it does not say that it repairs something"),
        ),
        bands=(wide, narrow),
        band=next((band for band in (narrow, wide) if points >= band.points), None),
    )


def review() -> Report:
    """An agent's change for a junior, on a hot path, with a good profile; one of two sign-offs is there."""
    functions = (
        touched(ROUNDING, ChangeKind.COSMETIC, lines=(61,)),
        touched(
            PRICE,
            lines=(41, 42, 43, 44),
            behaviour=Behaviour(
                complexity=(4, 9),
                calls=Facts(added=(Fact(text="rates.get", line=42),), removed=(Fact(text="rate_of", line=40),)),
                loops=Facts(added=(Fact(text="for line in order.lines", line=41),)),
                raises=Facts(removed=(Fact(text="UnknownCurrency", line=44),)),
                constants=(ConstantChange(where="round(argument 2)", before="2", after="4", line=43),),
            ),
        ),
        touched(LEGACY, ChangeKind.MOVED, was=fid("shop/legacy/io.py", "load_settings")),
        touched(LOAD),
        touched(CHECKOUT, lines=(88, 89)),
        touched(
            CHARGE,
            lines=(17,),
            signature=(SignatureChange(kind=SignatureKind.DEFAULT, name="timeout", before="30", after="3"),),
        ),
        touched(CART),
        touched(
            fid("shop/pricing.py", "_bulk_prices"),
            ChangeKind.ADDED,
            relations=(Relation(kind=RelationKind.EXTRACTED_FROM, others=(PRICE,)),),
            behaviour=Behaviour(complexity=(None, 3)),
        ),
        touched(fid("shop/pricing.py", "price_line"), ChangeKind.REMOVED),
        touched(MODULE),
        touched(fid("shop/models.py", "Order")),
    )
    usage = {
        PRICE: observed(
            61_432.7,
            0.381,
            12.2,
            ("POST /orders", 0.71),
            ("POST /quotes", 0.2),
            ("GET /cart", 0.06),
            ("task settle", 0.03),
        ),
        CHECKOUT: observed(9_801.0, 0.061, 210.4, ("POST /orders", 1.0)),
        CHARGE: observed(9_799.0, 0.0607, 2_113.0, ("POST /orders", 0.98), ("task settle", 0.02)),
        ROUNDING: observed(184_300.0, 0.004, 0.02, ("POST /orders", 0.7)),
        CART: observed(1_210.0, 0.0004, 1.4, ("GET /cart", 1.0)),
        LOAD: Usage(status=UsageStatus.UNMATCHED, reason="two functions fit"),
        LEGACY: Usage(status=UsageStatus.UNMATCHED, reason="two functions fit"),
        fid("shop/pricing.py", "_bulk_prices"): Usage(status=UsageStatus.UNMATCHED, reason="new function"),
        fid("shop/pricing.py", "price_line"): Usage(
            status=UsageStatus.NOT_OBSERVED, calls_per_minute=0.0, reason="never called in the window"
        ),
        MODULE: Usage(status=UsageStatus.NOT_OBSERVED, reason="not seen in 48,210 samples (≤ 0.1 %)"),
        fid("shop/models.py", "Order"): Usage(
            status=UsageStatus.NOT_OBSERVED, reason="not seen in 48,210 samples (≤ 0.1 %)"
        ),
    }
    blast = {
        PRICE: Blast(
            callers=(
                call(CHECKOUT, 1, 43_000.0, line=52),
                call(QUOTE, 1, 12_300.0),
                call(CART, 1, 1_210.0),
                call(ORDERS, 2, 43_000.0, via=CHECKOUT),
                call(fid("tests/test_pricing.py", "test_price_order"), 1, None),
            ),
            entry_points=("POST /orders", "POST /quotes", "GET /cart", "task settle"),
            services=("shop",),
            share=0.381,
            static_only=False,
            depth=3,
        ),
        CHECKOUT: Blast(
            callers=(call(ORDERS, 1, 9_801.0),), entry_points=("POST /orders",), share=0.061, static_only=False, depth=3
        ),
        CHARGE: Blast(
            callers=(
                call(CHECKOUT, 1, 9_600.0, line=88),
                call(SETTLE, 1, 199.0),
                call(ORDERS, 2, 9_600.0, via=CHECKOUT),
            ),
            entry_points=("POST /orders", "task settle"),
            share=0.0607,
            static_only=False,
            depth=3,
        ),
        CART: Blast(callers=(call(fid("shop/api/cart.py", "show_cart"), 1, 1_210.0),), entry_points=("GET /cart",)),
    }
    history = {
        PRICE: FunctionHistory(
            status=HistoryStatus.KNOWN,
            changes=31,
            authors=(
                Authorship(person=RAVI, changes=24, last_at=NOW - 12 * DAY),
                Authorship(person=DANA, changes=7, last_at=NOW - 90 * DAY),
            ),
            first_changed_at=NOW - 900 * DAY,
            last_changed_at=NOW - 12 * DAY,
            cochange=(
                CoChange(path="shop/prices.sql", together=24, changes=31),
                CoChange(path="tests/test_pricing.py", together=18, changes=31),
            ),
            incidents=("INC-42",),
        ),
        CHECKOUT: FunctionHistory(status=HistoryStatus.KNOWN, changes=9, last_changed_at=NOW - 40 * DAY),
        CHARGE: FunctionHistory(status=HistoryStatus.KNOWN, changes=4, last_changed_at=NOW - 200 * DAY),
    }
    files = (
        edited("shop/pricing.py", 96, 21),
        edited("shop/checkout.py", 31, 7),
        edited("shop/payments.py", 1, 1),
        edited("shop/utils.py", 20, 3),
        edited("docs/pricing.md", 32, 2),
    )
    findings = (
        Finding(
            rule="io-in-hot-loop",
            code="P01",
            severity=Severity.REVIEW,
            outcome=Outcome.FLAGGED,
            message="cursor.execute is called once for every line of the order",
            path="shop/pricing.py",
            line=41,
            function=PRICE,
            points=18,
            evidence=(
                Evidence(
                    kind="code", text="cursor.execute(SELECT_PRICE, (line.sku,))", path="shop/pricing.py", line=43
                ),
                Evidence(kind="runtime", text="61,400 calls a minute", value=61_432.7),
            ),
            remedy="load the prices of all lines with one query before the loop",
            fingerprint="c0ffee01",
        ),
        Finding(
            rule="retry-removed",
            code="R02",
            severity=Severity.REVIEW,
            outcome=Outcome.FLAGGED,
            message="the retry around PaymentClient.charge is gone (was 3 attempts)",
            path="shop/checkout.py",
            line=88,
            function=CHECKOUT,
            points=9,
            remedy="keep the retry, or say in the pull request who retries now",
            fingerprint="c0ffee02",
        ),
        Finding(
            rule="timeout-lowered",
            code="R04",
            severity=Severity.REVIEW,
            outcome=Outcome.FLAGGED,
            message="timeout 30 → 3 s",
            path="shop/payments.py",
            line=17,
            function=CHARGE,
            points=8,
            remedy="keep it above the p99 of the payment provider",
            fingerprint="c0ffee03",
        ),
        Finding(
            rule="broad-except",
            code="R07",
            severity=Severity.REVIEW,
            outcome=Outcome.FLAGGED,
            message="`except Exception` now hides failures of load_settings",
            path="shop/utils.py",
            line=23,
            function=LOAD,
            remedy="catch OSError, let the rest through",
            fingerprint="c0ffee04",
        ),
        Finding(
            rule="debug-print",
            code="S03",
            severity=Severity.NOTE,
            outcome=Outcome.FLAGGED,
            message="print left in",
            path="shop/utils.py",
            line=29,
            function=LOAD,
            remedy="remove it or log it",
        ),
        Finding(
            rule="untested-lines",
            code="T01",
            severity=Severity.NOTE,
            outcome=Outcome.UNKNOWN,
            message="no coverage data",
            path="shop/utils.py",
        ),
        Finding(
            rule="sql-injection",
            code="S01",
            severity=Severity.BLOCK,
            outcome=Outcome.CLEAR,
            message="every query is a constant",
            path="shop/pricing.py",
        ),
    )
    contributions = (
        Contribution(
            rule="hot-path",
            points=18,
            text="price_order runs 61,400 times a minute",
            part=ScorePart.EXPOSURE,
            path="shop/pricing.py",
            line=38,
            function=PRICE,
        ),
        Contribution(
            rule="retry-removed", points=9, text="retry removed", path="shop/checkout.py", line=88, function=CHECKOUT
        ),
        Contribution(
            rule="timeout-lowered", points=8, text="timeout 30 → 3 s", path="shop/payments.py", line=17, function=CHARGE
        ),
        Contribution(rule="untested-lines", points=4, text="no changed line of price_order is tested", function=PRICE),
        Contribution(
            rule="incident-memory", points=2, text="INC-42 (2026-08-14) came from price_order", function=PRICE
        ),
    )
    reasons = (
        Reason(
            text="pricing.price_order runs 61,400 times a minute (38 % of traffic) "
            "and now queries the database in a loop",
            points=18,
            rule="io-in-hot-loop",
            path="shop/pricing.py",
            line=41,
        ),
        Reason(
            text="checkout.Checkout.__call__ lost its retry around PaymentClient.charge (was 3 attempts)",
            points=9,
            rule="retry-removed",
            path="shop/checkout.py",
            line=88,
        ),
        Reason(
            text="PaymentClient.charge waits 3 s instead of 30; 2 entry points wait on it, p95 today is 2.1 s",
            points=8,
            rule="timeout-lowered",
            path="shop/payments.py",
            line=17,
        ),
        Reason(text="no changed line of price_order is executed by a test", points=4, path="shop/pricing.py", line=41),
        Reason(text="incident INC-42 (2026-08-14) came from price_order", points=2),
    )
    owner = Requirement(
        name="code owner of shop/pricing.py",
        count=1,
        kind="human",
        role="owner",
        reason="CODEOWNERS names @acme/pricing",
        status=RequirementStatus.SATISFIED,
        satisfied_by=("ines",),
    )
    senior = Requirement(
        name="senior who knows price_order",
        count=1,
        kind="human",
        role="senior",
        reason="an agent wrote it for a junior and it touches 38 % of traffic",
        status=RequirementStatus.UNSATISFIED,
        who=(
            Candidate(person="ravi", evidence="31 changes here, last 12 days ago", score=0.9),
            Candidate(person="mei", evidence="14 changes", score=0.4),
        ),
    )
    database = Requirement(
        name="database owner",
        count=1,
        kind="human",
        role="dba",
        reason="no migration touched",
        status=RequirementStatus.NOT_APPLICABLE,
    )
    return Report(
        tool_version="0.3.0",
        generated_at=NOW,
        mode=Mode.ENFORCE,
        case=Case(
            change=change(files, 6),
            parsed=parsed(*(file.path for file in files)),
            functions=functions,
            usage=usage,
            blast=blast,
            history=history,
            incidents=(recollection("INC-42", "claude", "round half to even, per order", PRICE),),
            provenance=Provenance(
                klass=ProvenanceClass.AI,
                agents=(CLAUDE,),
                operator=DANA,
                operator_source="commit author",
                authors=(DANA,),
            ),
            profile=ProfileSummary(
                path=".gate/profile.json.gz",
                service="shop",
                environment="production",
                sources=("traces-2026-11.jsonl",),
                window_s=7.0 * DAY,
                revision="1c02aa9" + "0" * 33,
                age_s=3.0 * DAY,
                functions=6_210,
                grade=Grade.GOOD,
                touched=11,
                observed=5,
                not_observed=3,
                unmatched=3,
            ),
        ),
        findings=findings,
        score=Score(
            likelihood=23,
            exposure=18,
            total=41,
            contributions=contributions,
            standing=ranked(0.96, points=41),
            by_function={PRICE: 26, CHECKOUT: 11, CHARGE: 8, LOAD: 2, CART: 1},
            without={
                "hot-path": Without(total=23, decision=Decision.PASS),
                "retry-removed": Without(total=32, decision=Decision.REVIEW),
                "timeout-lowered": Without(total=33, decision=Decision.REVIEW),
            },
        ),
        verdict=Verdict(decision=Decision.REVIEW, outcome=Decision.REVIEW, reasons=reasons),
        signoff=sign_off(
            status=SignOffStatus.OUTSTANDING,
            requirements=(senior, owner, database),
            approvals=(Approval(person="ines", at=NOW, source="github review", commit=HEAD),),
            dismissed=(
                Dismissal(by="dana", reason="prompted the agent"),
                Dismissal(by="copilot-review", reason="bot"),
                Dismissal(by="tom", reason="approved before the last change"),
            ),
        ),
        policy=PolicyStamp(path=".gate/policy.yml", revision=BASE, sha256="9b" * 32),
        exit_code=3,
        rules_run=38,
        rules=rule_texts(),
        production=production(),
        timings_ms={"change": 82.25, "rules": 121.5, "total": 410.0},
    )


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


SAMPLES = {
    "block": block,
    "review": review,
    "unprofiled": unprofiled,
    "incomplete": incomplete,
    "signed": signed,
    "pass": passing,
    "empty": empty,
    "large": large,
}
