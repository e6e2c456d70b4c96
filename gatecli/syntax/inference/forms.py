"""The few forms of expression that say where a value comes from, and the statements of one scope in those terms.

What decides nothing about which function runs (arithmetic, formatting, comparisons) is ``None``: not known. ``at`` is
the byte where a form stands, so that a name can be looked up as it was bound at that point. Forms compare by identity:
two calls of the same text are two calls.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gatecli.model import FunctionId, FunctionKind


@dataclass(frozen=True, slots=True, eq=False)
class Name:
    """A variable."""

    id: str
    at: int


@dataclass(frozen=True, slots=True, eq=False)
class Attribute:
    """``of.name``; ``at`` is where the name stands."""

    of: "Expression"
    name: str
    at: int


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """``of(…)``; ``keywords`` holds None for ``**more``. ``decorates`` says that it is written
    as ``@of``. ``start`` and ``end`` are its extent in bytes.
    """

    of: "Expression"
    arguments: tuple["Expression", ...]
    keywords: tuple[tuple[str | None, "Expression"], ...]
    at: int
    start: int
    end: int
    decorates: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """``of[key]``; a slice has the key ``Slice``."""

    of: "Expression"
    key: "Expression"
    at: int


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """``[start:]``; ``start`` None where it is not a plain number."""

    start: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    """A list, tuple or set that is written out."""

    items: tuple["Expression", ...]
    at: int


@dataclass(frozen=True, slots=True, eq=False)
class Dictionary:
    """A dictionary that is written out; the key None stands for ``**more``."""

    items: tuple[tuple["Expression", "Expression"], ...]
    at: int


@dataclass(frozen=True, slots=True, eq=False)
class Constant:
    """A number, a short string, True, False or None."""

    value: str | int | bool | None


@dataclass(frozen=True, slots=True, eq=False)
class Lambda:
    """An anonymous function, by the name of its scope."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """One of several: ``a or b``, ``a if c else b``."""

    options: tuple["Expression", ...]


@dataclass(frozen=True, slots=True, eq=False)
class Starred:
    """``*of``, in a display, a call or a target."""

    of: "Expression"


@dataclass(frozen=True, slots=True, eq=False)
class Element:
    """What iterating over ``of`` gives."""

    of: "Expression"


@dataclass(frozen=True, slots=True, eq=False)
class Entered:
    """What ``with of as name`` binds."""

    of: "Expression"


@dataclass(frozen=True, slots=True, eq=False)
class Rest:
    """The items ``start`` to ``-stop`` of a sequence: ``first, *rest, last = of``."""

    of: "Expression"
    start: int
    stop: int


@dataclass(frozen=True, slots=True, eq=False)
class Many:
    """A sequence whose every item is ``of``: a comprehension."""

    of: "Expression"


@dataclass(frozen=True, slots=True, eq=False)
class Imported:
    """``import module`` (``name`` None) or ``from module import name``; the module name is absolute."""

    module: str
    name: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Definition:
    """A function or class that is defined here."""

    id: FunctionId


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """An object of the class that an annotation or an ``isinstance`` names."""

    of: "Expression"


Expression = (
    Name
    | Attribute
    | Call
    | Item
    | Slice
    | Sequence
    | Dictionary
    | Constant
    | Lambda
    | Choice
    | Starred
    | Element
    | Entered
    | Rest
    | Many
    | Imported
    | Definition
    | Instance
    | None
)


class ImpliedKind(StrEnum):
    """Syntax that calls a method without naming it."""

    ITERATION = "iteration"
    CONTEXT = "context"
    RAISE = "raise"


@dataclass(frozen=True, slots=True, eq=False)
class Implied:
    """A ``for``, ``with`` or ``raise`` over ``of``."""

    kind: ImpliedKind
    of: Expression
    at: int


@dataclass(frozen=True, slots=True, eq=False)
class Binding:
    """A name that is given a value from ``at`` on, or (a narrowing) only before ``until``."""

    value: Expression
    at: int
    until: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Store:
    """``of.name = value``, or ``of[key] = value`` where ``name`` is None."""

    of: Expression
    name: str | None
    key: Expression
    value: Expression
    at: int


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A part of a scope that may not run (a branch), or may run again (a loop): bytes ``start`` to ``end``."""

    start: int
    end: int
    is_loop: bool

    def __contains__(self, at: object) -> bool:
        return isinstance(at, int) and self.start <= at < self.end


@dataclass(frozen=True, slots=True, eq=False)
class ScopeParameter:
    """A parameter with what its default and its annotation stand for; ``kind`` is ``*`` or ``**`` for the variadic."""

    name: str
    kind: str = ""
    default: Expression = None
    annotation: Expression = None
    has_default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scope:
    """What a module, class, function or lambda does itself, in the terms of this module.

    ``owner`` is the function that its code belongs to (a lambda has no row of its own). ``calls`` and ``loads`` are in
    document order; a load is a name or attribute that is read and not called at once. ``is_whole`` is False where the
    code was nested too deep to be read to its end.
    """

    id: FunctionId
    kind: FunctionKind
    owner: FunctionId
    parent: FunctionId | None
    parameters: tuple[ScopeParameter, ...] = ()
    decorators: tuple[Expression, ...] = ()
    bases: tuple[Expression, ...] = ()
    bindings: Mapping[str, tuple[Binding, ...]] = field(default_factory=dict)
    declared: Mapping[str, Expression] = field(default_factory=dict)
    stars: tuple[str, ...] = ()
    stores: tuple[Store, ...] = ()
    calls: tuple[Call, ...] = ()
    loads: tuple[Name | Attribute, ...] = ()
    implied: tuple[Implied, ...] = ()
    returns: tuple[Expression, ...] = ()
    yields: tuple[Expression, ...] = ()
    blocks: tuple[Block, ...] = ()
    outer_names: frozenset[str] = frozenset()
    lambdas: Mapping[str, "Scope"] = field(default_factory=dict)
    is_abstract: bool = False
    is_whole: bool = True
