"""What is notable: the case that everything is judged by, and the findings of the rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gatecli.model.change import Change
from gatecli.model.functions import ChangeKind, FunctionChange, FunctionId, FunctionKind, ParsedFile
from gatecli.model.history import FileKnowledge, FunctionHistory, Recollection
from gatecli.model.provenance import Provenance
from gatecli.model.standing import Standing
from gatecli.model.usage import Blast, ProfileSummary, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything a rule, the score and the policy may look at.

    ``tests`` are the touched paths that hold tests, ``file_knowledge`` who worked in the touched files, most first,
    ``incidents`` what went wrong in the touched functions or next to them, freshest first, ``standing`` where the past
    puts the change (None: nothing was learned here).
    """

    change: Change
    parsed: tuple[ParsedFile, ...]
    functions: tuple[FunctionChange, ...]
    usage: Mapping[FunctionId, Usage]
    blast: Mapping[FunctionId, Blast]
    history: Mapping[FunctionId, FunctionHistory]
    provenance: Provenance
    profile: ProfileSummary | None = None
    tests: frozenset[str] = frozenset()
    file_knowledge: tuple[FileKnowledge, ...] = ()
    incidents: tuple[Recollection, ...] = ()
    standing: Standing | None = None

    @property
    def running(self) -> tuple[FunctionChange, ...]:
        """The touched functions that a profile from before the change can know.

        Not the new ones, those that were only reformatted, module and class bodies, or tests.
        """
        return tuple(
            function
            for function in self.functions
            if function.before is not None
            and function.kind is not ChangeKind.COSMETIC
            and function.before.kind not in (FunctionKind.MODULE, FunctionKind.CLASS_BODY)
            and function.before.id.path not in self.tests
        )


class Severity(StrEnum):
    """What a finding asks for on its own."""

    BLOCK = "block"
    REVIEW = "review"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleText:
    """A rule that was run, in its own words: what it asks, why that matters, what to do about it."""

    id: str
    code: str
    family: str
    severity: Severity
    asks: str
    why: str
    remedy: str


class Outcome(StrEnum):
    """What a rule can answer; an unknown or an error is never a pass."""

    FLAGGED = "flagged"
    CLEAR = "clear"
    UNKNOWN = "unknown"
    ERROR = "error"


class Confidence(StrEnum):
    """How sure the rule is that what it saw is what it says."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A fact that a human can check: what it is, where it stands, what it measures."""

    kind: str
    text: str
    path: str | None = None
    line: int | None = None
    value: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule's answer on one subject.

    ``line`` is a line of the new side (removed code is anchored at the nearest surviving line). ``fingerprint`` names
    the finding by rule, function and normalised snippet, so it survives line shifts.
    """

    rule: str
    code: str
    severity: Severity
    outcome: Outcome
    message: str
    path: str
    line: int | None = None
    function: FunctionId | None = None
    points: int = 0
    confidence: Confidence = Confidence.HIGH
    evidence: tuple[Evidence, ...] = ()
    remedy: str = ""
    fingerprint: str = ""

    @property
    def id(self) -> str:
        """How somebody who signs calls it: ``M02-1f3a9c2e``."""
        return f"{self.code}-{self.fingerprint[:8]}"

    @property
    def asks_for_somebody(self) -> bool:
        """Whether whoever signs the change has to have looked at it."""
        return self.outcome is Outcome.FLAGGED and self.severity is not Severity.NOTE
