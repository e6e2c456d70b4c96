"""How functions run, and who calls them."""

from dataclasses import dataclass
from enum import StrEnum

from gatecli.model.functions import FunctionId


class UsageStatus(StrEnum):
    """What the profile knows of a function; four different answers, none of them zero."""

    OBSERVED = "observed"
    NOT_OBSERVED = "not_observed"
    UNMATCHED = "unmatched"
    NO_PROFILE = "no_profile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """How a function runs, as far as the profile knows.

    ``share`` is the inclusive share of the profile's weight (on the stack, once a stack), ``self_share`` its own,
    ``share_margin`` the half width of the 95 % interval of ``share`` where it was sampled. ``basis`` is how the calls
    were got (counted, spans, sampled); ``reason`` says why there is no figure where there is none. ``entry_points``
    maps an entry point to its share of this function's weight, largest first. ``critical_path_share`` is the part of
    the time of the requests that reach it which they wait for it, by ``critical_path_basis``: ``trace``, or where there
    are no traces ``inclusive``, the part of their samples that it is in.
    """

    status: UsageStatus
    calls_per_minute: float | None = None
    share: float | None = None
    share_margin: float | None = None
    self_share: float | None = None
    error_rate: float | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    entry_points: tuple[tuple[str, float | None], ...] = ()
    callers: tuple[FunctionId, ...] = ()
    callees: tuple[FunctionId, ...] = ()
    critical_path_share: float | None = None
    critical_path_basis: str | None = None
    services: tuple[str, ...] = ()
    basis: str | None = None
    source: str | None = None
    confidence: str | None = None
    reason: str | None = None


class Grade(StrEnum):
    """How far a profile can be trusted (reference: runtime data §15.5)."""

    GOOD = "good"
    USABLE = "usable"
    WEAK = "weak"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileSummary:
    """What the report says of the profile as a whole; ``observed`` of ``touched`` functions have a figure.

    ``commits_behind`` is how many commits the base of the change is ahead of the revision that was recorded (None: not
    known), ``changed_since`` how many of the touched functions those commits changed.
    """

    path: str
    service: str | None
    environment: str | None
    sources: tuple[str, ...]
    window_s: float | None
    revision: str | None
    age_s: float | None
    functions: int
    grade: Grade
    touched: int = 0
    observed: int = 0
    not_observed: int = 0
    unmatched: int = 0
    warnings: tuple[str, ...] = ()
    commits_behind: int | None = None
    changed_since: int = 0


class EdgeBasis(StrEnum):
    """Where a caller is known from."""

    STATIC = "static"
    PROFILE = "profile"
    BOTH = "both"


class Certainty(StrEnum):
    """Whether a call is sure to reach the function, or may."""

    CERTAIN = "certain"
    POSSIBLE = "possible"


@dataclass(frozen=True, slots=True, order=True)
class Definition:
    """Where a name is defined, by a type checker: a path relative to the root, and its 1-based line."""

    path: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A function that reaches a touched one in ``depth`` calls (1 = calls it directly); ``line`` is the call site.

    ``calls`` are the source texts of its calls, as far as they were read; empty where it only passes the function on.
    """

    id: FunctionId
    basis: EdgeBasis
    certainty: Certainty
    depth: int = 1
    line: int | None = None
    calls_per_minute: float | None = None
    via: FunctionId | None = None
    calls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Blast:
    """Who is reached when this function misbehaves.

    ``share`` is the part of the profile's observed traffic that runs through it (None: not known). ``truncated`` says
    that a bound on nodes or depth was hit, so the figures are lower bounds. ``checked_by`` names the
    type checker (with its version) that was asked about receivers which the text leaves open, ``unchecked`` says why it
    could not answer.
    """

    callers: tuple[Caller, ...] = ()
    entry_points: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    share: float | None = None
    static_only: bool = True
    depth: int = 0
    truncated: bool = False
    checked_by: str | None = None
    unchecked: str | None = None


class Measure(StrEnum):
    """What the widths of a call tree stand for."""

    TIME = "time"
    CALLS = "calls"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFrame:
    """A function as production reaches it by one way, or (``function`` None) an entry point; the largest child first.

    ``share`` is the part, 0..1, of all that the tree measures; those of the children add up to at most their parent's.
    """

    label: str
    function: FunctionId | None
    share: float
    children: tuple["CallFrame", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTree:
    """What production does, from its entry points down, put together from who calls whom.

    Recordings keep pairs of caller and callee, not whole stacks: a function's share is split between its callers as
    the pairs say, which is exact where each of them uses it alike. ``truncated`` says that small or deep frames are
    left out.
    """

    measure: Measure
    frames: tuple[CallFrame, ...]
    truncated: bool = False
