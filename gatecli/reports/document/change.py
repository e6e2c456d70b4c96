"""What was judged and who wrote it: the parts of the report that come from the source and its commits."""

from typing import Annotated

import msgspec

from gatecli.model import FileKind, FileStatus, FileType, ParseStatus, ProvenanceClass, SourceKind
from gatecli.reports.document.units import Line, Object


class File(Object):
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


class Stats(Object):
    """How large the change is; ``added`` and ``deleted`` are lines."""

    files: int
    functions: int
    added: int
    deleted: int


class Whole(Object):
    """The files of one kind that were judged as a whole, and their changed lines."""

    kind: FileKind
    files: int
    lines: int


class Unread(Object):
    """How many files of one kind were not read: binary, a submodule, too large."""

    kind: FileKind
    files: int


class Judged(Object):
    """How closely the change was looked at: of ``lines`` (added and deleted) ``by_function`` function by function.

    The others are those of ``whole``; a line of Python that does not parse is one of them.
    """

    lines: int
    by_function: int
    whole: list[Whole]
    unread: list[Unread]


class Change(Object):
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


class Person(Object):
    """A name and an address as a commit states them."""

    name: str
    email: str


class LineRange(Object):
    """Lines of a file at one commit, first to last."""

    path: str
    first: Line
    last: Line


class Agent(Object):
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


class Provenance(Object, rename={"klass": "class"}):
    """Who really wrote the change; ``operator`` null means unknown; ``scope`` is what it says it is about."""

    klass: ProvenanceClass
    agents: list[Agent]
    operator: Person | None
    operator_source: str | None
    authors: list[Person]
    notes: list[str]
    scope: list[str]
