"""The shape of the JSON report: schema ``gate-report/1``, published as ``docs/report.schema.json``.

Every field is always present; ``null`` means "not known", never zero.
"""

from typing import Annotated, Literal

import msgspec

from gatecli.model import (
    BandAsk,
    Binding,
    ChangeKind,
    Closeness,
    Confidence,
    Decision,
    FileKind,
    FileStatus,
    FileType,
    Grade,
    HistoryStatus,
    IncidentSeverity,
    Mode,
    Outcome,
    ParseStatus,
    ProvenanceClass,
    RelationKind,
    RequirementStatus,
    ScorePart,
    Severity,
    SignatureKind,
    SignerKind,
    SignOffStatus,
    SourceKind,
    UsageStatus,
    WaiverKind,
)

Share = Annotated[float, msgspec.Meta(description="A part of the profile's total, 0 to 1.")]
Milliseconds = Annotated[float, msgspec.Meta(description="Milliseconds.")]
PerMinute = Annotated[float, msgspec.Meta(description="Calls per minute over the profile's window.")]
Seconds = Annotated[float, msgspec.Meta(description="Seconds.")]
Line = Annotated[int, msgspec.Meta(description="A 1-based line number.")]
Timestamp = Annotated[int, msgspec.Meta(description="UTC epoch seconds.")]
Points = Annotated[int, msgspec.Meta(description="10 points double the odds of a bad outcome, or the traffic touched.")]


class _Object(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An object whose fields are all required and which has no others."""


class Tool(_Object):
    """What made the report."""

    name: Literal["gate"]
    version: str


class Reason(_Object):
    """One sentence with a number a human can check; ``remedy`` is that of the finding behind it."""

    text: str
    points: Points
    rule: str | None
    path: str | None
    line: Line | None
    remedy: str | None


class Verdict(_Object):
    """``decision`` is what the change needs, ``outcome`` what is left of it once sign-offs are counted."""

    decision: Decision
    outcome: Decision
    reasons: list[Reason]
    incomplete: Annotated[list[str], msgspec.Meta(description="Evidence that was asked for and could not be had.")]


class File(_Object):
    """A touched file; ``parse_status`` says how far it was judged by function, null where it was not tried.

    ``kind`` is what the file is for, by its path alone.
    """

    path: str
    old_path: str | None
    status: FileStatus
    type: FileType
    binary: bool
    added: int
    deleted: int
    parse_status: ParseStatus | None
    parse_reason: str | None
    kind: FileKind | None
    error_lines: list[Line]
    notes: list[str]


class Stats(_Object):
    """How large the change is; ``added`` and ``deleted`` are lines."""

    files: int
    functions: int
    added: int
    deleted: int


class Whole(_Object):
    """The files of one kind that were judged as a whole, and their changed lines."""

    kind: FileKind
    files: int
    lines: int


class Unread(_Object):
    """How many files of one kind were not read: binary, a submodule, too large."""

    kind: FileKind
    files: int


class Judged(_Object):
    """How closely the change was looked at: of ``lines`` (added and deleted) ``by_function`` function by function.

    The others are those of ``whole``; a line of Python that does not parse is one of them.
    """

    lines: int
    by_function: int
    whole: list[Whole]
    unread: list[Unread]


class Change(_Object):
    """What was judged; ``digest`` is the sha256 of the canonical diff, which approvals are bound to."""

    kind: SourceKind
    base: str | None
    head: str | None
    merge_base: str | None
    branch: str | None
    digest: str
    commits: Annotated[list[str], msgspec.Meta(description="Commit ids, newest first.")]
    files: list[File]
    stats: Stats
    judged: Judged
    warnings: list[str]


class Person(_Object):
    """A name and an address as a commit states them."""

    name: str
    email: str


class LineRange(_Object):
    """Lines of a file at one commit, first to last."""

    path: str
    first: Line
    last: Line


class Agent(_Object):
    """One sign that a tool wrote (part of) the change; ``strength`` 3 is the tool's own account or session."""

    tool: str
    model: str | None
    session: str | None
    channel: str
    strength: int
    commit: str | None
    text: str
    source: str
    operator: Person | None
    lines: list[LineRange]


class Provenance(_Object, rename={"klass": "class"}):
    """Who really wrote the change; ``operator`` null means unknown; ``scope`` is what it says it is about."""

    klass: ProvenanceClass
    agents: list[Agent]
    operator: Person | None
    operator_source: str | None
    authors: list[Person]
    notes: list[str]
    scope: list[str]


class Span(_Object):
    """First and last line of a function, decorators included."""

    start: Line
    end: Line


class EntryPoint(_Object):
    """Where traffic enters, with its share of this function's weight."""

    name: str
    share: Share | None


class Usage(_Object):
    """How a function runs, as far as the profile knows; ``reason`` says why there is no figure where there is none."""

    status: UsageStatus
    calls_per_minute: PerMinute | None
    share: Share | None
    share_margin: Share | None
    self_share: Share | None
    error_rate: Share | None
    p50_ms: Milliseconds | None
    p95_ms: Milliseconds | None
    entry_points: list[EntryPoint]
    callers: list[str]
    callees: list[str]
    critical_path_share: Share | None
    critical_path_basis: str | None
    services: list[str]
    basis: str | None
    source: str | None
    confidence: str | None
    reason: str | None


class Blast(_Object):
    """Who is reached when the function misbehaves; lower bounds where ``truncated``.

    ``checked_by`` is the type checker, with its version, that was asked about receivers that the text leaves open.
    """

    callers: int
    entry_points: list[str]
    services: list[str]
    share: Share | None
    static_only: bool
    depth: int
    truncated: bool
    checked_by: str | None


class CoChange(_Object):
    """A file outside the change that ``together`` of the ``changes`` of the function changed as well."""

    path: str
    together: int
    changes: int


class History(_Object):
    """Past changes of the function; ``authors`` is how many people made them.

    Where ``status`` is ``shallow`` the history was cut, by the clone or a bound: all figures are lower bounds then, and
    ``first_changed_at`` is the oldest change that was found.
    """

    status: HistoryStatus
    changes: int | None
    authors: int | None
    first_changed_at: Timestamp | None
    last_changed_at: Timestamp | None
    cochange: list[CoChange]
    incidents: list[str]


class Relation(_Object):
    """Where code came from or went, beyond one function before and one after."""

    kind: RelationKind
    others: list[str]


class SignatureChange(_Object):
    """One difference of a function's contract; ``text`` says it in words."""

    kind: SignatureKind
    name: str | None
    before: str | None
    after: str | None
    binds_callers: bool
    text: str


FactKind = Literal["call", "raise", "await", "loop", "return", "decorator"]
FactChange = Literal["added", "removed"]


class Fact(_Object):
    """Something that one side of a function does and the other does not, in a few words of its source.

    ``line`` is one of the new side where it was added, of the old side where it was removed.
    """

    kind: FactKind
    change: FactChange
    text: str
    line: Line


class ConstantChange(_Object):
    """A constant that got another value at the same place."""

    where: str
    before: str
    after: str
    line: Line


class Complexity(_Object):
    """McCabe's cyclomatic number on both sides; null where a side does not exist or is a module or class body."""

    before: int | None
    after: int | None


class Behaviour(_Object):
    """What a function does otherwise than before, itself."""

    complexity: Complexity
    facts: list[Fact]
    constants: list[ConstantChange]


class Function(_Object):
    """A touched function; ``old_span`` is null where it was added, ``span`` where it was removed."""

    id: str
    path: str
    qualname: str
    kind: ChangeKind
    old_id: str | None
    span: Span | None
    old_span: Span | None
    changed_lines: list[Line]
    removed_lines: list[Line]
    signature_changed: bool
    signature: list[str]
    signature_changes: list[SignatureChange]
    relations: list[Relation]
    behaviour: Behaviour | None
    risk: Points
    usage: Usage | None
    blast: Blast | None
    history: History | None


class Match(_Object):
    """How many touched functions the profile knows."""

    touched: int
    observed: int
    not_observed: int
    unmatched: int


class Profile(_Object):
    """Which profile was asked and how far it can be trusted."""

    path: str
    service: str | None
    environment: str | None
    sources: list[str]
    window_s: Seconds | None
    revision: str | None
    commits_behind: int | None
    changed_since: int
    age_s: Seconds | None
    functions: int
    grade: Grade
    match: Match
    warnings: list[str]


class Evidence(_Object):
    """A fact that a human can check."""

    kind: str
    text: str
    path: str | None
    line: Line | None
    value: float | None


class Finding(_Object):
    """One rule's answer on one subject; an unknown or an error is never a pass."""

    rule: str
    code: str
    severity: Severity
    outcome: Outcome
    confidence: Confidence
    message: str
    path: str
    line: Line | None
    function: str | None
    points: Points
    evidence: list[Evidence]
    remedy: str
    fingerprint: str


class Without(_Object):
    """What the change would be without this rule or feature; what the policy requires by name is taken to stay."""

    total: Points
    decision: Decision


class Contribution(_Object):
    """Points with their reason. ``without`` is null where it adds nothing, and below the thirty strongest."""

    rule: str
    points: Points
    text: str
    part: ScorePart
    path: str | None
    line: Line | None
    function: str | None
    without: Without | None


class StandingBand(_Object):
    """A share of changes that is looked at: from how many points on, by whom, and what it caught in the back-test."""

    share: Annotated[float, msgspec.Meta(gt=0, le=1)]
    points: Points
    asks: BandAsk
    caught: int
    bad: int


class SignalPoints(_Object):
    """What one signal of the past adds, on the scale of the learned weights."""

    signal: str
    points: Points
    text: str


class Standing(_Object):
    """The place among the last ``changes`` changes of this repository up to ``day``, by ``.gate/weights.yml``.

    Its points are no part of ``total``. Where ``problem`` says why the change was not ranked, they are null.
    """

    points: Points | None
    percentile: Annotated[float, msgspec.Meta(ge=0, le=1)] | None
    changes: int
    day: str
    band: StandingBand | None
    bands: list[StandingBand]
    signals: list[SignalPoints]
    problem: str | None
    remedy: str


class Score(_Object):
    """``total`` is ``likelihood`` plus ``exposure``; ``standing`` is null where nothing was learned here."""

    likelihood: Points
    exposure: Points
    total: Points
    percentile: Annotated[float, msgspec.Meta(description="Place among this repository's past changes, 0 to 1.")] | None
    standing: Standing | None
    contributions: list[Contribution]


class AgentName(_Object):
    """A tool that wrote code, and its model where that is known."""

    tool: str
    model: str | None


class Incident(_Object):
    """What went wrong before in touched functions (``same``), or one call from them (``neighbour``).

    ``freshness`` is 1 on the day of the incident and halves with every half-life since; ``functions`` are the touched
    ones, ``provenance`` and ``agents`` say who wrote the commits in ``caused_by``, null where nobody looked;
    ``handled_by`` who ended it, as its record or the commits that repaired it tell, but nobody who caused it.
    """

    id: str
    date: str
    severity: IncidentSeverity
    closeness: Closeness
    age_days: int
    freshness: float
    lesson: str
    url: str | None
    caused_by: list[str]
    provenance: ProvenanceClass | None
    agents: list[AgentName]
    functions: list[str]
    handled_by: list[str]


class Candidate(_Object):
    """Someone who can sign, and why they are the right one; best first."""

    person: str
    evidence: str


class Requirement(_Object):
    """A sign-off that is asked for."""

    name: str
    count: int
    kind: str
    role: str
    who: list[Candidate]
    reason: str
    status: RequirementStatus
    satisfied_by: list[str]


class Approval(_Object):
    """Someone's yes, bound to what they looked at."""

    person: str
    at: Timestamp | None
    source: str
    kind: SignerKind
    commit: str | None
    digest: str | None
    binding: Binding
    changed_since: list[str]
    model: str | None
    acknowledged: list[str]


class Dismissal(_Object):
    """An approval that does not count, or a person who cannot give one, and why."""

    by: str
    reason: str
    source: str | None


class Branch(_Object):
    """One node of the tree of what must happen, as ``gate signoff`` shows it; ``needs`` are the nodes below it."""

    text: str
    status: RequirementStatus
    why: str
    mode: Mode
    satisfied_by: list[str]
    who: list[Candidate]
    needs: list["Branch"]


class Waiver(_Object):
    """A signed override or grant that lifted requirements off the change, and until when."""

    kind: WaiverKind
    by: str
    until: Timestamp
    reason: str
    requirements: list[str]
    at: Timestamp | None
    paths: list[str]
    to: list[str]


class SignOff(_Object):
    """What must be signed, by whom, and what was counted or not; ``tree`` is how that came to be.

    ``waivers`` are those that lifted a requirement; ``keys`` says that the base lists keys that may sign.
    """

    status: SignOffStatus
    requirements: list[Requirement]
    approvals: list[Approval]
    dismissed: list[Dismissal]
    candidates: list[Candidate]
    tree: list[Branch]
    waivers: list[Waiver]
    keys: bool


class Policy(_Object):
    """Which policy judged; ``path`` null is the built-in one, ``organisation`` the path of the one laid over it."""

    path: str | None
    revision: str | None
    sha256: str
    organisation: str | None


class Audit(_Object):
    """The decision's number in the record and the hash of its line; null where none is kept."""

    entry: int | None
    head: str | None


class Document(_Object):
    """The whole report of one judged change."""

    schema: Literal["gate-report/1"]
    tool: Tool
    generated_at: Timestamp
    mode: Mode
    verdict: Verdict
    exit_code: int
    change: Change
    provenance: Provenance
    functions: list[Function]
    profile: Profile | None
    findings: list[Finding]
    rules_run: int
    score: Score
    incidents: list[Incident]
    signoff: SignOff
    policy: Policy
    audit: Audit
    limits: Annotated[list[str], msgspec.Meta(description="What could not be known, one sentence each.")]
    timings_ms: dict[str, float]
