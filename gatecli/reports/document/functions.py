"""The touched functions: where they are, how they run, who is reached, what they do otherwise, their past."""

from typing import Literal

from gatecli.model import ChangeKind, HistoryStatus, RelationKind, SignatureKind, UsageStatus
from gatecli.reports.document.units import Line, Milliseconds, Object, PerMinute, Points, Share, Timestamp


class Span(Object):
    """First and last line of a function, decorators included."""

    start: Line
    end: Line


class EntryPoint(Object):
    """Where traffic enters, with its share of this function's weight."""

    name: str
    share: Share | None


class Usage(Object):
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


class Blast(Object):
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


class CoChange(Object):
    """A file outside the change that ``together`` of the ``changes`` of the function changed as well."""

    path: str
    together: int
    changes: int


class History(Object):
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


class Relation(Object):
    """Where code came from or went, beyond one function before and one after."""

    kind: RelationKind
    others: list[str]


class SignatureChange(Object):
    """One difference of a function's contract; ``text`` says it in words."""

    kind: SignatureKind
    name: str | None
    before: str | None
    after: str | None
    binds_callers: bool
    text: str


FactKind = Literal["call", "raise", "await", "loop", "return", "decorator"]
FactChange = Literal["added", "removed"]


class Fact(Object):
    """Something that one side of a function does and the other does not, in a few words of its source.

    ``line`` is one of the new side where it was added, of the old side where it was removed.
    """

    kind: FactKind
    change: FactChange
    text: str
    line: Line


class ConstantChange(Object):
    """A constant that got another value at the same place."""

    where: str
    before: str
    after: str
    line: Line


class Complexity(Object):
    """McCabe's cyclomatic number on both sides; null where a side does not exist or is a module or class body."""

    before: int | None
    after: int | None


class Behaviour(Object):
    """What a function does otherwise than before, itself."""

    complexity: Complexity
    facts: list[Fact]
    constants: list[ConstantChange]


class Function(Object):
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
