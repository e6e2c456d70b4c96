"""Who must sign off, and who did."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gatecli.model.verdict import Decision


class RequirementStatus(StrEnum):
    """Gerrit's six states. An override makes a requirement overridden, a grant makes it bypassed."""

    NOT_APPLICABLE = "not_applicable"
    UNSATISFIED = "unsatisfied"
    SATISFIED = "satisfied"
    OVERRIDDEN = "overridden"
    BYPASSED = "bypassed"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Someone who can sign, and why they are the right one ("31 changes here, last 12 days ago")."""

    person: str
    evidence: str
    score: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """A sign-off that is asked for: how many, of whom, why, and how it stands.

    ``level`` is what the change is while it is open; ``built_in`` is False where the policy asks for it by name.
    """

    name: str
    count: int
    kind: str
    role: str
    reason: str
    status: RequirementStatus
    who: tuple[Candidate, ...] = ()
    satisfied_by: tuple[str, ...] = ()
    level: Decision = Decision.REVIEW
    built_in: bool = True


class SignerKind(StrEnum):
    """Who gives an approval: people, or the agents that the policy lists."""

    HUMAN = "human"
    AGENT = "agent"


class ApprovalSource(StrEnum):
    """Who vouches for an approval: the forge for the account, a key for the person, nobody for a trailer."""

    GITHUB = "github review"
    SSH = "ssh signature"
    TRAILER = "commit trailer"


class Binding(StrEnum):
    """How much of what is judged the person is known to have seen, strongest first.

    The tree that the merge would make; the whole canonical diff (the base has moved since, or may have); the diff but
    for some files, each of which one of its owners approved since.
    """

    MERGE_TREE = "merge tree"
    DIFF = "diff"
    FILES = "files"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Someone's yes, bound to what they looked at. Only those that are independent and current are approvals.

    ``person`` is a login, or the principal of a key: ``Directory.key_of`` says who that is. ``commit`` and ``digest``
    are what they approved, ``changed_since`` the files that differ from that (``Binding.FILES`` alone). ``model`` is
    the family of an agent's model. ``acknowledged`` are the fingerprints of the findings that a signature names.
    """

    person: str
    at: int | None
    source: str
    kind: SignerKind = SignerKind.HUMAN
    commit: str | None = None
    digest: str | None = None
    binding: Binding = Binding.DIFF
    changed_since: tuple[str, ...] = ()
    model: str | None = None
    acknowledged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dismissal:
    """An approval that does not count, or a person who cannot give one, and why."""

    by: str
    reason: str
    source: str | None = None


class WaiverKind(StrEnum):
    """Why a requirement need not be met: this very content must go now, or changes of its kind were excused before."""

    OVERRIDE = "override"
    GRANT = "grant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """Someone's signed word that requirements (by name, or with ``*`` at the end) need not be met until a time.

    ``at`` is when an override was signed. A grant is for changes to ``paths`` alone, by the people of ``to`` alone
    (none: by anybody).
    """

    kind: WaiverKind
    by: str
    until: int
    reason: str
    requirements: tuple[str, ...]
    at: int | None = None
    paths: tuple[str, ...] = ()
    to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What was said of a change: the approvals that count, each person once, and all the others with the reason.

    Roles are not judged here. ``barred`` maps the key of everyone who is not independent to the reason;
    ``objections`` are the keys of people who might have approved and whose latest word is no. ``waivers`` are genuine,
    in force, and by people who may sign them.
    """

    approvals: tuple[Approval, ...] = ()
    dismissed: tuple[Dismissal, ...] = ()
    barred: Mapping[str, str] = field(default_factory=dict)
    objections: tuple[str, ...] = ()
    waivers: tuple[Waiver, ...] = ()


class SignOffStatus(StrEnum):
    """How the sign-off as a whole stands: a waived requirement is never called satisfied."""

    NOT_REQUIRED = "not_required"
    OUTSTANDING = "outstanding"
    OVERRIDDEN = "overridden"
    BYPASSED = "bypassed"
    SATISFIED = "satisfied"
    ERROR = "error"


class Mode(StrEnum):
    """How much a policy, or one requirement of it, has to say.

    ``off`` nothing, ``shadow`` shown in the tree alone, ``advise`` reported without a failure, ``enforce`` binding.
    """

    OFF = "off"
    SHADOW = "shadow"
    ADVISE = "advise"
    ENFORCE = "enforce"


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A change that passed: its content, when, how many lines, whether an agent wrote it, how many people approved."""

    digest: str
    at: int
    lines: int
    by_agent: bool
    humans: int = 0
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What is recorded of earlier decisions; ``first_seen`` is when this content was first judged (None: never)."""

    first_seen: int | None = None
    passed: tuple[Passed, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """One node of the tree of what must happen: what it says, how it stands and why, who can give it.

    ``needs`` are the nodes below it; only those of a requirement that is enforced bear on the verdict.
    """

    text: str
    status: RequirementStatus
    why: str = ""
    mode: Mode = Mode.ENFORCE
    satisfied_by: tuple[str, ...] = ()
    who: tuple[Candidate, ...] = ()
    needs: tuple["Branch", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOff:
    """What must be signed, by whom, and what was counted or not; ``tree`` is how that came to be.

    ``waivers`` are those that lifted a requirement; ``keys`` says that the base lists keys that may sign.
    """

    status: SignOffStatus
    requirements: tuple[Requirement, ...] = ()
    approvals: tuple[Approval, ...] = ()
    dismissed: tuple[Dismissal, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    tree: tuple[Branch, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    keys: bool = False
