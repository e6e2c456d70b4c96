"""What sample reports are made of: people, functions, files, requirements."""

from dataclasses import replace
from datetime import date
from typing import Any

from gatecli.model import (
    AgentEvidence,
    AgentName,
    BandAsk,
    Behaviour,
    Branch,
    Caller,
    CallFrame,
    CallTree,
    Certainty,
    Change,
    ChangeKind,
    Closeness,
    EdgeBasis,
    FileChange,
    FileStatus,
    Function,
    FunctionChange,
    FunctionId,
    FunctionKind,
    Hunk,
    Incident,
    IncidentSeverity,
    Measure,
    ParsedFile,
    ParseStatus,
    Person,
    Recollection,
    Relation,
    Requirement,
    Revision,
    RuleText,
    Severity,
    SignalPoints,
    SignatureChange,
    SignOff,
    SourceKind,
    Span,
    Standing,
    StandingBand,
    Usage,
    UsageStatus,
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
