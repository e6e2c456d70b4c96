"""Every domain type of gate: frozen, slotted, keyword-only values.

The order of this file is the order of the flow: change, functions, runtime evidence, findings, score, verdict,
sign-off, report. A stage takes the types above its own and returns new values; nothing is filled in later.

Units: shares are 0..1 of the profile's total, times are milliseconds, rates are per minute over the profile's
window, lines are 1-based and inclusive, timestamps are UTC epoch seconds. ``None`` means "not known", never zero.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Protocol

# --------------------------------------------------------------------------- what changed


class FileStatus(StrEnum):
    """What happened to a file, in git's words."""

    ADDED = "added"
    DELETED = "deleted"
    MODIFIED = "modified"
    RENAMED = "renamed"
    COPIED = "copied"
    TYPE_CHANGED = "type-changed"


class FileType(StrEnum):
    """What a path is, from its git mode."""

    REGULAR = "file"
    SYMLINK = "symlink"
    SUBMODULE = "submodule"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A name and an address as a commit states them: a claim, not an identity."""

    name: str
    email: str

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One commit of the change, newest first in ``Change.revisions``."""

    sha: str
    author: Person
    committer: Person
    authored_at: int
    committed_at: int
    message: str

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return self.message.split("\n", 1)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunk:
    """A replaced block of lines, without context (as ``git diff -U0`` counts).

    ``old_start`` and ``new_start`` are 1-based; a side with count 0 holds no line, and its start is the line that
    follows, where git names the one before.
    """

    old_start: int
    old_count: int
    new_start: int
    new_count: int

    @property
    def removed(self) -> range:
        """Line numbers of the old side that went away."""
        return range(self.old_start, self.old_start + self.old_count)

    @property
    def added(self) -> range:
        """Line numbers of the new side that came."""
        return range(self.new_start, self.new_start + self.new_count)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """One file of the change, with its content on both sides where it could be had.

    ``before``/``after`` are None where that side has no content: the file did not exist, is binary, a submodule, or
    too large to read (``notes`` says which). ``partial`` means the sides were rebuilt from the hunks of a patch alone:
    lines outside the hunks are blank.
    """

    path: str
    old_path: str | None
    status: FileStatus
    type: FileType = FileType.REGULAR
    old_mode: str | None = None
    new_mode: str | None = None
    binary: bool = False
    partial: bool = False
    hunks: tuple[Hunk, ...] = ()
    before: bytes | None = None
    after: bytes | None = None
    notes: tuple[str, ...] = ()

    @property
    def added_count(self) -> int:
        """Lines added."""
        return sum(hunk.new_count for hunk in self.hunks)

    @property
    def deleted_count(self) -> int:
        """Lines deleted."""
        return sum(hunk.old_count for hunk in self.hunks)


class SourceKind(StrEnum):
    """Where the change was read from."""

    RANGE = "range"
    STAGED = "staged"
    WORKTREE = "worktree"
    PATCH = "patch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to be judged: files with both sides, and the commits that made them.

    ``base`` is the revision asked for, ``merge_base`` the commit the change is measured from (as a pull request is),
    ``head`` the newest commit or None for uncommitted content. ``digest`` is the sha256 of the canonical diff: equal
    digests mean equal content, also after a rebase. ``file_digests`` are those of each file's part of it, by path.
    ``warnings`` are what could not be known (shallow clone, missing objects, a malformed patch section): never silent.
    """

    kind: SourceKind
    base: str | None
    head: str | None
    merge_base: str | None
    digest: str
    files: tuple[FileChange, ...]
    revisions: tuple[Revision, ...] = ()
    branch: str | None = None
    warnings: tuple[str, ...] = ()
    file_digests: Mapping[str, str] = field(default_factory=dict)

    @property
    def added_count(self) -> int:
        """Lines added over all files."""
        return sum(file.added_count for file in self.files)

    @property
    def deleted_count(self) -> int:
        """Lines deleted over all files."""
        return sum(file.deleted_count for file in self.files)


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


class Tree(Protocol):
    """A tree of files at one revision (a commit, the index, a directory), handed between stages by the pipeline."""

    def paths(self) -> Iterable[str]:
        """Every file path, ``/``-separated, relative to the root."""
        ...

    def ids(self) -> Mapping[str, str]:
        """The git blob ids of the files whose content is known to be that blob, by path; others are left out."""
        ...

    def read(self, path: str) -> bytes | None:
        """The content of a file, None where there is none or it is too large to read."""
        ...

    def read_all(self, paths: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
        """The contents of many files, in their order."""
        ...

    def grep(self, words: Iterable[str], keep: Callable[[str], bool] | None = None) -> Iterator[tuple[str, bytes]]:
        """The Python files that contain one of the words (whole identifiers), with their content.

        ``keep`` says which paths are wanted; the others are not read.
        """
        ...


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
    with it. Times are what the commit claims.
    """

    sha: str
    author: Person
    committed_at: int
    message: str
    files: tuple[MainlineFile, ...] = ()
    branch: tuple[str, ...] = ()

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


# --------------------------------------------------------------------------- which functions


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class FunctionId:
    """A function at one revision: ``path::qualname`` without ``<locals>``.

    The module body is ``path::<module>``, a class body ``path::Class``; a repeated qualified name in one file gets
    ``#2``, ``#3`` in source order.
    """

    path: str
    qualname: str

    def __str__(self) -> str:
        return f"{self.path}::{self.qualname}"

    @property
    def name(self) -> str:
        """The last part of the qualified name, without ``#2``."""
        return self.qualname.rpartition(".")[2].partition("#")[0]


class FunctionKind(StrEnum):
    """What holds the lines."""

    FUNCTION = "function"
    METHOD = "method"
    LAMBDA = "lambda"
    CLASS_BODY = "class_body"
    MODULE = "module"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Span:
    """Lines of a function: its first decorator, its ``def`` (or ``class``) line, its last line."""

    first_line: int
    def_line: int
    end_line: int

    def __contains__(self, line: object) -> bool:
        return isinstance(line, int) and self.first_line <= line <= self.end_line


class ParameterKind(StrEnum):
    """How an argument reaches a parameter (inspect's five kinds)."""

    POSITIONAL_ONLY = "positional-only"
    POSITIONAL = "positional"
    VAR_POSITIONAL = "var-positional"
    KEYWORD_ONLY = "keyword-only"
    VAR_KEYWORD = "var-keyword"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter; ``default`` and ``annotation`` are source text, None where absent."""

    name: str
    kind: ParameterKind
    default: str | None = None
    annotation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function, method, named lambda, class body or module body on one side of the change.

    ``decorators`` are the source texts behind the ``@``. ``is_generator`` says that it yields itself.
    """

    id: FunctionId
    kind: FunctionKind
    span: Span
    parameters: tuple[Parameter, ...] = ()
    returns: str | None = None
    is_async: bool = False
    is_generator: bool = False
    decorators: tuple[str, ...] = ()


class ChangeKind(StrEnum):
    """What happened to a function."""

    ADDED = "added"
    REMOVED = "removed"
    EDITED = "edited"
    RENAMED = "renamed"
    MOVED = "moved"
    COSMETIC = "cosmetic"


class SignatureKind(StrEnum):
    """One way in which a function's contract with its callers changed."""

    RENAMED = "parameter-renamed"
    REMOVED = "parameter-removed"
    NEW_REQUIRED = "parameter-new-required"
    INSERTED = "parameter-inserted"
    ADDED = "parameter-added"
    BECAME_OPTIONAL = "parameter-became-optional"
    BECAME_REQUIRED = "parameter-became-required"
    DEFAULT = "default-changed"
    PLACE = "parameter-place"
    REORDERED = "parameters-reordered"
    BECAME_ASYNC = "became-async"
    NO_LONGER_ASYNC = "no-longer-async"
    BECAME_GENERATOR = "became-generator"
    NO_LONGER_GENERATOR = "no-longer-generator"
    ANNOTATION = "annotation-changed"
    RETURN_ANNOTATION = "return-annotation-changed"


_CLAUSES = {
    SignatureKind.RENAMED: "parameter renamed: {before} to {after}",
    SignatureKind.REMOVED: "parameter removed: {name}",
    SignatureKind.NEW_REQUIRED: "new required parameter: {name}",
    SignatureKind.INSERTED: "parameter inserted: {name}",
    SignatureKind.ADDED: "parameter added: {name}",
    SignatureKind.BECAME_OPTIONAL: "parameter became optional: {name} = {after}",
    SignatureKind.BECAME_REQUIRED: "parameter became required: {name}",
    SignatureKind.DEFAULT: "default changed: {name} {before} to {after}",
    SignatureKind.PLACE: "parameter {name} became {after}",
    SignatureKind.REORDERED: "parameters reordered",
    SignatureKind.BECAME_ASYNC: "became async",
    SignatureKind.NO_LONGER_ASYNC: "no longer async",
    SignatureKind.BECAME_GENERATOR: "became a generator",
    SignatureKind.NO_LONGER_GENERATOR: "no longer a generator",
    SignatureKind.ANNOTATION: "annotation changed: {name}",
    SignatureKind.RETURN_ANNOTATION: "return annotation changed: {before} to {after}",
}
# Those that no existing call can notice: an argument more that may be left out, and what binds nobody at run time.
_HARMLESS = (SignatureKind.ADDED, SignatureKind.ANNOTATION, SignatureKind.RETURN_ANNOTATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureChange:
    """One difference of a contract, in words by ``str()``.

    ``name`` is the parameter, ``before`` and ``after`` the source text of what changed about it: its name, its
    default, its place (one of ``ParameterKind``) or the return annotation. None where there is nothing to name.
    """

    kind: SignatureKind
    name: str | None = None
    before: str | None = None
    after: str | None = None

    @property
    def binds_callers(self) -> bool:
        """Whether it can break or change an existing call."""
        return self.kind not in _HARMLESS

    def __str__(self) -> str:
        return _CLAUSES[self.kind].format(name=self.name, before=self.before or "none", after=self.after or "none")


class RelationKind(StrEnum):
    """What is known of where a function's code came from or went, beyond one function before and one after."""

    EXTRACTED_FROM = "extracted from"
    SPLIT_INTO = "split into"
    MERGED_FROM = "merged from"
    MERGED_INTO = "merged into"
    WAS_METHOD_OF = "was a method of"
    BECAME_METHOD_OF = "became a method of"
    BECAME_MODULE = "became functions of"
    WAS_MODULE = "was functions of"


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A relation to other functions, classes or modules of the same change; ``others`` in file and line order."""

    kind: RelationKind
    others: tuple[FunctionId, ...]

    def __str__(self) -> str:
        return f"{self.kind} {', '.join(map(str, self.others))}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something a function does, in a few words of its source, and the line where it does it."""

    text: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What one side does that the other does not: ``added`` with lines of the new side, ``removed`` of the old one."""

    added: tuple[Fact, ...] = ()
    removed: tuple[Fact, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstantChange:
    """A constant that got another value at the same place.

    ``where`` names the place (``timeout``, ``get(timeout)``, ``self.limit``, ``retries >``), ``before`` and ``after``
    are source text, ``line`` is the new value's.
    """

    where: str
    before: str
    after: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What a function does otherwise than before, itself: nested functions have a behaviour of their own.

    ``complexity`` is McCabe's cyclomatic number before and after, None on a side that does not exist and for module
    and class bodies. A function that is on one side only has its complexity and no facts: all of it is new, or gone.
    """

    complexity: tuple[int | None, int | None] = (None, None)
    calls: Facts = Facts()
    raises: Facts = Facts()
    awaits: Facts = Facts()
    loops: Facts = Facts()
    returns: Facts = Facts()
    decorators: Facts = Facts()
    constants: tuple[ConstantChange, ...] = ()

    @property
    def complexity_changed(self) -> bool:
        """Whether the cyclomatic number is known on both sides and differs."""
        before, after = self.complexity
        return before is not None and after is not None and before != after


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionChange:
    """A touched function.

    ``id`` is the id after the change, or before it where the function was removed. ``changed_lines`` are lines of
    the new side, ``removed_lines`` of the old side, both only those that no nested function holds. ``signature`` says
    how the contract changed, empty where it did not. ``behaviour`` is None where nothing but layout or the place
    changed.
    """

    id: FunctionId
    kind: ChangeKind
    before: Function | None
    after: Function | None
    changed_lines: tuple[int, ...] = ()
    removed_lines: tuple[int, ...] = ()
    signature: tuple[SignatureChange, ...] = ()
    relations: tuple[Relation, ...] = ()
    behaviour: Behaviour | None = None

    @property
    def signature_changed(self) -> bool:
        """Whether callers may have to change."""
        return bool(self.signature)

    @property
    def base_id(self) -> FunctionId:
        """The id at the base revision: what a profile recorded before the change knows it by."""
        return self.before.id if self.before else self.id

    @property
    def function(self) -> Function:
        """The newest side there is."""
        side = self.after or self.before
        assert side is not None, "a function change has at least one side"
        return side


class ParseStatus(StrEnum):
    """How far a file could be judged at function level."""

    PARSED = "parsed"
    PARTIAL = "partial"
    NOT_PYTHON = "not-python"
    NOT_PARSED = "not-parsed"


class FileKind(StrEnum):
    """What a file is for, by its path alone; languages by their name."""

    PYTHON = "python"
    STUB = "stub"
    NOTEBOOK = "notebook"
    CYTHON = "cython"
    TEMPLATE = "template"
    SQL = "sql"
    DEPENDENCIES = "dependencies"
    LOCK = "lock"
    CONTAINER = "container"
    WORKFLOW = "workflow"
    INFRASTRUCTURE = "infrastructure"
    ENVIRONMENT = "environment"
    CONFIGURATION = "configuration"
    BUILD = "build"
    SHELL = "shell"
    GO = "go"
    RUST = "rust"
    C = "c"
    CPP = "c++"
    JAVA = "java"
    KOTLIN = "kotlin"
    SCALA = "scala"
    CSHARP = "c#"
    SWIFT = "swift"
    DART = "dart"
    JAVASCRIPT = "javascript"
    TYPESCRIPT = "typescript"
    RUBY = "ruby"
    PHP = "php"
    PERL = "perl"
    LUA = "lua"
    ELIXIR = "elixir"
    R = "r"
    POWERSHELL = "powershell"
    HTML = "html"
    CSS = "css"
    PROTOBUF = "protobuf"
    GRAPHQL = "graphql"
    DOCUMENTATION = "documentation"
    DATA = "data"
    IMAGE = "image"
    BINARY = "binary"
    GENERATED = "generated"
    VENDORED = "vendored"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFile:
    """How a touched file was read: ``error_lines`` are lines of the new side that the parser could not place."""

    path: str
    status: ParseStatus
    kind: FileKind = FileKind.OTHER
    error_lines: tuple[int, ...] = ()
    reason: str | None = None


# --------------------------------------------------------------------------- how it is used


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
    type checker (with its version) that was asked about receivers which the text leaves open.
    """

    callers: tuple[Caller, ...] = ()
    entry_points: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    share: float | None = None
    static_only: bool = True
    depth: int = 0
    truncated: bool = False
    checked_by: str | None = None


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


# --------------------------------------------------------------------------- what happened before, who wrote it


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
class AgentName:
    """A tool that wrote code, and its model where that is known."""

    tool: str
    model: str | None = None

    def __str__(self) -> str:
        return f"{self.tool} ({self.model})" if self.model else self.tool


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """What went wrong in production, and the commits that caused it.

    ``functions`` are those that the causes changed, by their ids then; without any they are told by the lines that the
    causes left. ``provenance`` (None: not looked up) and ``agents`` say who wrote the causes.
    """

    id: str
    day: date
    severity: IncidentSeverity
    caused_by: tuple[str, ...]
    lesson: str = ""
    url: str | None = None
    functions: tuple[FunctionId, ...] = ()
    provenance: "ProvenanceClass | None" = None
    agents: tuple[AgentName, ...] = ()


class Closeness(StrEnum):
    """How near a touched function is to those that an incident came from."""

    SAME = "same"
    NEIGHBOUR = "neighbour"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recollection:
    """An incident that a change brings to mind: the touched functions it came from, or that are one call from those.

    ``freshness`` is 1 on the day of the incident, and halves with every half-life since.
    """

    incident: Incident
    closeness: Closeness
    touched: tuple[FunctionId, ...]
    age_days: int
    freshness: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FileKnowledge:
    """What one person did in the touched files before: commits, how many of those repaired something, the last one."""

    person: Person
    changes: int
    repairs: int
    last_at: int


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

    ``notes`` say what was set aside or too large to read whole. ``scope`` is what the change says it is about:
    gitignore patterns of files, or ``path::function``.
    """

    klass: ProvenanceClass
    agents: tuple[AgentEvidence, ...] = ()
    operator: Person | None = None
    operator_source: str | None = None
    authors: tuple[Person, ...] = ()
    notes: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()


# --------------------------------------------------------------------------- what is notable


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything a rule, the score and the policy may look at.

    ``tests`` are the touched paths that hold tests, ``file_knowledge`` who worked in the touched files, most first,
    ``incidents`` what went wrong in the touched functions or next to them, freshest first.
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


# --------------------------------------------------------------------------- how risky


class ScorePart(StrEnum):
    """Which of the two shown figures a contribution belongs to."""

    LIKELIHOOD = "likelihood"
    EXPOSURE = "exposure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """Points with their reason: +10 doubles the odds of a bad outcome, or the traffic touched."""

    rule: str
    points: int
    text: str
    part: ScorePart = ScorePart.LIKELIHOOD
    path: str | None = None
    line: int | None = None
    function: FunctionId | None = None


class Decision(StrEnum):
    """The gate's answer."""

    PASS = "pass"
    REVIEW = "review"
    BLOCK = "block"


@dataclass(frozen=True, slots=True, kw_only=True)
class Without:
    """What the change would be without one thing that adds points: the total that is left, and the decision then."""

    total: int
    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """``total = likelihood + exposure``; ``percentile`` is this change's place in the repository's past, 0..1.

    ``without`` says by rule (or feature) what would be if it had not added its points.
    """

    likelihood: int
    exposure: int
    total: int
    contributions: tuple[Contribution, ...] = ()
    percentile: float | None = None
    by_function: Mapping[FunctionId, int] = field(default_factory=dict)
    without: Mapping[str, Without] = field(default_factory=dict)


# --------------------------------------------------------------------------- what must happen


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One sentence with a number a human can check, strongest first."""

    text: str
    points: int = 0
    rule: str | None = None
    path: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """``decision`` is what the change needs; ``outcome`` what is left of it once sign-offs are counted."""

    decision: Decision
    outcome: Decision
    reasons: tuple[Reason, ...] = ()
    incomplete: tuple[str, ...] = ()


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


# --------------------------------------------------------------------------- how to say it


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
