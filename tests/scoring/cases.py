"""Cases to score and judge: small builders with whole values."""

from gatecli.model import (
    Authorship,
    Blast,
    Caller,
    Case,
    Certainty,
    Change,
    ChangeKind,
    EdgeBasis,
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
    Outcome,
    ParsedFile,
    ParseStatus,
    Person,
    ProfileSummary,
    Provenance,
    ProvenanceClass,
    Revision,
    Severity,
    SignatureChange,
    SourceKind,
    Span,
    Usage,
    UsageStatus,
)

DANA = Person(name="Dana Reed", email="dana@shop.example")
INES = Person(name="Ines", email="ines@shop.example")
RAVI = Person(name="Ravi", email="ravi@shop.example")
DAY = 86_400


def function_id(name: str = "price_order", path: str = "shop/pricing.py") -> FunctionId:
    return FunctionId(path=path, qualname=name)


def changed(
    name: str = "price_order",
    *,
    path: str = "shop/pricing.py",
    kind: ChangeKind = ChangeKind.EDITED,
    added: int = 3,
    removed: int = 0,
    signature: tuple[SignatureChange, ...] = (),
    of: FunctionKind = FunctionKind.FUNCTION,
) -> FunctionChange:
    side = Function(id=function_id(name, path), kind=of, span=Span(first_line=10, def_line=11, end_line=60))
    return FunctionChange(
        id=side.id,
        kind=kind,
        before=None if kind is ChangeKind.ADDED else side,
        after=None if kind is ChangeKind.REMOVED else side,
        changed_lines=tuple(range(12, 12 + added)),
        removed_lines=tuple(range(12, 12 + removed)),
        signature=signature,
    )


def file(path: str = "shop/pricing.py", *, added: int = 3, removed: int = 0, **more) -> FileChange:
    hunk = Hunk(old_start=12, old_count=removed, new_start=12, new_count=added)
    return FileChange(path=path, old_path=path, status=FileStatus.MODIFIED, hunks=(hunk,), **more)


def revision(author: Person = DANA, committer: Person | None = None, sha: str = "a71b0d4") -> Revision:
    return Revision(
        sha=sha, author=author, committer=committer or author, authored_at=1, committed_at=1, message="Change"
    )


def known(*authors: tuple[Person, int], status: HistoryStatus = HistoryStatus.KNOWN, at: int = 1) -> FunctionHistory:
    return FunctionHistory(
        status=status,
        changes=sum(count for _, count in authors),
        authors=tuple(Authorship(person=person, changes=count, last_at=at) for person, count in authors),
        last_changed_at=at if authors else None,
    )


def observed(share: float | None = None, rate: float | None = None) -> Usage:
    return Usage(status=UsageStatus.OBSERVED, share=share, calls_per_minute=rate)


def caller(name: str, *, depth: int = 1) -> Caller:
    return Caller(id=function_id(name, "shop/web.py"), basis=EdgeBasis.STATIC, certainty=Certainty.CERTAIN, depth=depth)


def profile(**more) -> ProfileSummary:
    values = {
        "path": ".gate/profile.json.gz", "service": "shop", "environment": "production", "sources": ("otlp",),
        "window_s": 7 * DAY, "revision": "3f9c2e1", "age_s": 3 * DAY, "functions": 400, "grade": Grade.GOOD,
    }  # fmt: skip
    return ProfileSummary(**(values | more))


def finding(
    rule: str = "io-in-hot-loop",
    *,
    severity: Severity = Severity.NOTE,
    outcome: Outcome = Outcome.FLAGGED,
    points: int = 0,
    message: str = "price_order queries the database in a loop",
    code: str = "P01",
    path: str = "shop/pricing.py",
    line: int | None = 41,
    function: FunctionId | None = None,
) -> Finding:
    return Finding(
        rule=rule, code=code, severity=severity, outcome=outcome, message=message, path=path, line=line,
        function=function, points=points,
    )  # fmt: skip


def case(
    *functions: FunctionChange,
    usage: dict[FunctionId, Usage] | None = None,
    blast: dict[FunctionId, Blast] | None = None,
    history: dict[FunctionId, FunctionHistory] | None = None,
    provenance: Provenance | None = None,
    profile: ProfileSummary | None = None,
    files: tuple[FileChange, ...] | None = None,
    parsed: tuple[ParsedFile, ...] | None = None,
    revisions: tuple[Revision, ...] = (revision(),),
    kind: SourceKind = SourceKind.RANGE,
    head: str | None = "a71b0d4",
    warnings: tuple[str, ...] = (),
) -> Case:
    paths = sorted({function.id.path for function in functions})
    return Case(
        change=Change(
            kind=kind, base="3f9c2e1", head=head, merge_base="3f9c2e1", digest="d",
            files=tuple(file(path) for path in paths) if files is None else files,
            revisions=revisions, warnings=warnings,
        ),
        parsed=tuple(ParsedFile(path=path, status=ParseStatus.PARSED) for path in paths) if parsed is None else parsed,
        functions=functions,
        usage=usage or {},
        blast=blast or {},
        history=history or {},
        provenance=provenance or Provenance(klass=ProvenanceClass.NO_EVIDENCE, operator=DANA, authors=(DANA,)),
        profile=profile,
    )  # fmt: skip
