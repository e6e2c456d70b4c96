"""Who must sign, who did, what was lifted, and the record of it."""

from gatecli.model import Binding, Mode, RequirementStatus, SignerKind, SignOffStatus, WaiverKind
from gatecli.reports.document.units import Object, Timestamp


class Candidate(Object):
    """Someone who can sign, and why they are the right one; best first."""

    person: str
    evidence: str


class Requirement(Object):
    """A sign-off that is asked for."""

    name: str
    count: int
    kind: str
    role: str
    who: list[Candidate]
    reason: str
    status: RequirementStatus
    satisfied_by: list[str]


class Approval(Object):
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


class Dismissal(Object):
    """An approval that does not count, or a person who cannot give one, and why."""

    by: str
    reason: str
    source: str | None


class Branch(Object):
    """One node of the tree of what must happen, as ``gate signoff`` shows it; ``needs`` are the nodes below it."""

    text: str
    status: RequirementStatus
    why: str
    mode: Mode
    satisfied_by: list[str]
    who: list[Candidate]
    needs: list["Branch"]


class Waiver(Object):
    """A signed override or grant that lifted requirements off the change, and until when."""

    kind: WaiverKind
    by: str
    until: Timestamp
    reason: str
    requirements: list[str]
    at: Timestamp | None
    paths: list[str]
    to: list[str]


class SignOff(Object):
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


class Policy(Object):
    """Which policy judged; ``path`` null is the built-in one, ``organisation`` the path of the one laid over it."""

    path: str | None
    revision: str | None
    sha256: str
    organisation: str | None


class Audit(Object):
    """The decision's number in the record and the hash of its line; null where none is kept."""

    entry: int | None
    head: str | None
