"""The shape of the JSON report: schema ``gate-report/1``, published as ``docs/report.schema.json``.

Every field is always present; ``null`` means "not known", never zero.
"""

from typing import Annotated, Literal

import msgspec

from gatecli.model import Mode
from gatecli.reports.document.change import (
    Agent,
    Change,
    File,
    Judged,
    LineRange,
    Person,
    Provenance,
    Stats,
    Unread,
    Whole,
)
from gatecli.reports.document.functions import (
    Behaviour,
    Blast,
    CoChange,
    Complexity,
    ConstantChange,
    EntryPoint,
    Fact,
    FactKind,
    Function,
    History,
    Relation,
    SignatureChange,
    Span,
    Usage,
)
from gatecli.reports.document.judgement import (
    AgentName,
    Caught,
    Contribution,
    Evidence,
    Finding,
    Incident,
    Match,
    Profile,
    Reason,
    Score,
    SignalEvidence,
    SignalPoints,
    Standing,
    StandingBand,
    Verdict,
    Without,
)
from gatecli.reports.document.signoff import (
    Approval,
    Audit,
    Branch,
    Candidate,
    Dismissal,
    Policy,
    Requirement,
    SignOff,
    Waiver,
)
from gatecli.reports.document.units import Object, Timestamp

__all__ = [
    "Agent",
    "AgentName",
    "Approval",
    "Audit",
    "Behaviour",
    "Blast",
    "Branch",
    "Candidate",
    "Caught",
    "Change",
    "CoChange",
    "Complexity",
    "ConstantChange",
    "Contribution",
    "Dismissal",
    "Document",
    "EntryPoint",
    "Evidence",
    "Fact",
    "FactKind",
    "File",
    "Finding",
    "Function",
    "History",
    "Incident",
    "Judged",
    "LineRange",
    "Match",
    "Person",
    "Policy",
    "Profile",
    "Provenance",
    "Reason",
    "Relation",
    "Requirement",
    "Score",
    "SignOff",
    "SignalEvidence",
    "SignalPoints",
    "SignatureChange",
    "Span",
    "Standing",
    "StandingBand",
    "Stats",
    "Tool",
    "Unread",
    "Usage",
    "Verdict",
    "Waiver",
    "Whole",
    "Without",
]


class Tool(Object):
    """What made the report."""

    name: Literal["gate"]
    version: str


class Document(Object):
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
