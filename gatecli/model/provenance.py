"""Who wrote a change: people, and the tools that wrote for them."""

from dataclasses import dataclass
from enum import StrEnum

from gatecli.model.change import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentName:
    """A tool that wrote code, and its model where that is known."""

    tool: str
    model: str | None = None

    def __str__(self) -> str:
        return f"{self.tool} ({self.model})" if self.model else self.tool


class ProvenanceClass(StrEnum):
    """What is known of who wrote the change. There is no "human": absence of evidence is only that."""

    AI = "ai"
    ASSISTED = "assisted"
    NO_EVIDENCE = "no_evidence"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class LineRange:
    """Lines of a file at one revision, first to last."""

    path: str
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentEvidence:
    """One sign that a tool wrote (part of) the change.

    ``strength`` 3 = the tool's own account, address or session id; 2 = text the tool emits and anyone may type;
    1 = circumstantial. ``channel`` is trailer, identity, body, branch, note, trace or declared; ``source`` says where
    that stands. ``operator`` is the human whom the sign itself names as the one who prompted, ``lines`` what the tool
    wrote at ``commit``, where the sign says so.
    """

    tool: str
    channel: str
    strength: int
    model: str | None = None
    session: str | None = None
    commit: str | None = None
    text: str = ""
    source: str = ""
    operator: Person | None = None
    lines: tuple[LineRange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PullText:
    """What a pull request says of itself: its text, its branch, and whose it is (logins of people, not of bots)."""

    body: str = ""
    branch: str | None = None
    people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Who really wrote the change: agents, and the human who operated them (None: unknown, the least senior).

    ``notes`` say what was set aside, ``unread`` what was too large to read whole: an agent or an author may stand
    there, and who is independent of the change is not known then. ``scope`` is what the change says it is about:
    gitignore patterns of files, or ``path::function``; ``twin_scopes`` is what each other open pull request of the same
    head says.
    """

    klass: ProvenanceClass
    agents: tuple[AgentEvidence, ...] = ()
    operator: Person | None = None
    operator_source: str | None = None
    authors: tuple[Person, ...] = ()
    notes: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()
    twin_scopes: tuple[tuple[str, ...], ...] = ()
