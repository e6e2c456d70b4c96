"""Which functions: what stands on each side of a change, and how the two differ."""

from dataclasses import dataclass
from enum import StrEnum


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
