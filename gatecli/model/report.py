"""All that is said of a change."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gatecli.model.findings import Case, Finding, RuleText
from gatecli.model.signoff import Mode, SignOff
from gatecli.model.usage import CallTree
from gatecli.model.verdict import Score, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyStamp:
    """Which policy judged: its path (None: the built-in default), revision and content hash.

    Where an organisation's policy at ``organisation`` was laid over it, the hash is of both.
    """

    path: str | None
    revision: str | None
    sha256: str
    organisation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditStamp:
    """A decision's place in the record: its number, and the hash of its line, which holds that of the one before."""

    entry: int
    head: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The whole answer; renderers only read it.

    ``rules`` are the texts of those that were run; ``production`` is None where no profile says how it runs; ``audit``
    is None where decisions are not recorded.
    """

    tool_version: str
    generated_at: int
    mode: Mode
    case: Case
    findings: tuple[Finding, ...]
    score: Score
    verdict: Verdict
    signoff: SignOff
    policy: PolicyStamp
    exit_code: int
    rules_run: int = 0
    rules: tuple[RuleText, ...] = ()
    production: CallTree | None = None
    audit: AuditStamp | None = None
    timings_ms: Mapping[str, float] = field(default_factory=dict)
