"""What happened before: past commits, authors, and incidents."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from gatecli.model.change import Hunk, Person
from gatecli.model.functions import FunctionId
from gatecli.model.provenance import AgentName, ProvenanceClass


@dataclass(frozen=True, slots=True, kw_only=True)
class PastCommit:
    """A commit before the change, with the lines it replaced in the paths that were asked for."""

    sha: str
    author: Person
    committed_at: int
    subject: str
    files: tuple[tuple[str, tuple[Hunk, ...]], ...]


ChangedFiles = tuple[tuple[str, str], ...]
"""All files of one commit: the path before and after it, which differ only where a file was renamed."""


@dataclass(frozen=True, slots=True)
class MainlineFile:
    """A file of a past change: its path before (None: new) and after (None: deleted), its blobs, Python lines replaced.

    ``added`` and ``deleted`` are 0 for files that are not Python.
    """

    old_path: str | None
    new_path: str | None
    before: str | None
    after: str | None
    added: int = 0
    deleted: int = 0

    @property
    def path(self) -> str:
        """Where it is, or was."""
        return self.new_path or self.old_path or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MainlineChange:
    """One step of the mainline: a commit, or a merge with all that it brought, measured against its first parent.

    ``author`` wrote what was merged: of a merge, the newest commit of its branch. ``branch`` are the commits that came
    with it, ``said`` the messages of those that may speak of earlier commits, oldest first. Times are what the commit
    claims.
    """

    sha: str
    author: Person
    committed_at: int
    message: str
    files: tuple[MainlineFile, ...] = ()
    branch: tuple[str, ...] = ()
    said: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return self.message.split("\n", 1)[0]


@dataclass(frozen=True, slots=True)
class Piece:
    """A function in a past version of a file, by digests of its own text.

    ``body`` is all of it without comments and layout, ``signature`` its parameters, ``flow`` its branches, loops,
    returns and raises, ``constants`` its literals. Equal digests: nothing of that kind changed.
    """

    qualname: str
    body: int
    lines: int
    signature: int
    flow: int
    constants: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorship:
    """One person's changes to one function in its history."""

    person: Person
    changes: int
    last_at: int


class HistoryStatus(StrEnum):
    """What the history can tell."""

    KNOWN = "known"
    NEW = "new"
    SHALLOW = "shallow"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class CoChange:
    """A file outside the change that ``together`` of the ``changes`` of a function changed as well."""

    path: str
    together: int
    changes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionHistory:
    """Past changes of a touched function, before the change; authors by number of changes, most first.

    ``first_changed_at`` is the oldest change that was found: the creation where the status is known, only a least age
    where the history was cut (shallow). ``commits`` are those changes, newest first; ``incidents`` the ids of those
    that came from this function.
    """

    status: HistoryStatus
    changes: int | None = None
    authors: tuple[Authorship, ...] = ()
    first_changed_at: int | None = None
    last_changed_at: int | None = None
    cochange: tuple[CoChange, ...] = ()
    commits: tuple[str, ...] = ()
    incidents: tuple[str, ...] = ()


class IncidentSeverity(StrEnum):
    """How bad an incident was; 1 is the gravest."""

    SEV1 = "sev1"
    SEV2 = "sev2"
    SEV3 = "sev3"
    SEV4 = "sev4"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """What went wrong in production, the commits that caused it, and who ended it.

    ``functions`` are those that the causes changed, by their ids then; without any they are told by the lines that the
    causes left. ``provenance`` (None: not looked up) and ``agents`` say who wrote the causes. ``fixed_by`` are the
    commits that repaired it, ``handled_by`` the people whom the record names: addresses, names or logins.
    """

    id: str
    day: date
    severity: IncidentSeverity
    caused_by: tuple[str, ...]
    lesson: str = ""
    url: str | None = None
    functions: tuple[FunctionId, ...] = ()
    provenance: ProvenanceClass | None = None
    agents: tuple[AgentName, ...] = ()
    fixed_by: tuple[str, ...] = ()
    handled_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """Somebody who ended an incident.

    ``commit`` is what they repaired it by; None where the record of the incident names them: of ``person`` only the
    name is known then, or only the address.
    """

    person: Person
    commit: str | None = None


class Closeness(StrEnum):
    """How near a touched function is to those that an incident came from."""

    SAME = "same"
    NEIGHBOUR = "neighbour"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recollection:
    """An incident that a change brings to mind: the touched functions it came from, or that are one call from those.

    ``freshness`` is 1 on the day of the incident, and halves with every half-life since. ``handlers`` are those who
    ended it and did not cause it.
    """

    incident: Incident
    closeness: Closeness
    touched: tuple[FunctionId, ...]
    age_days: int
    freshness: float
    handlers: tuple[Handler, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileKnowledge:
    """What one person did in the touched files before: commits, how many of those repaired something, the last one."""

    person: Person
    changes: int
    repairs: int
    last_at: int
