"""What an expression may stand for at run time, as far as the text says."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gatecli.model import FunctionId
from gatecli.syntax.inference import forms as form
from gatecli.syntax.inference.forms import Expression, Scope

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A scope with what is known of its arguments; ``outer`` is the frame its free names are looked up in.

    Frames are made once for equal content (``Inference.frame``), so that they compare by identity.
    """

    scope: Scope
    outer: "Frame | None"
    arguments: "Mapping[str, tuple[Thunk, ...]]"
    depth: int


@dataclass(frozen=True, slots=True)
class Known:
    """Values in place of an expression: an argument that was not written, such as ``self``."""

    values: "Values"


@dataclass(frozen=True, slots=True)
class Thunk:
    """An expression where it stands: an argument that is only looked at when something depends on it."""

    expression: "Expression | Known"
    frame: Frame


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the project; ``frame`` is where its free names were bound, None where nothing is known of it."""

    id: FunctionId
    frame: Frame | None = None


@dataclass(frozen=True, slots=True)
class Class:
    """A class of the project, or (not ``is_exact``) one of its subclasses: what ``cls`` and ``type(x)`` are."""

    id: FunctionId
    is_exact: bool = True


@dataclass(frozen=True, slots=True)
class Object:
    """An instance of a project class, or (not ``is_exact``) of one of its subclasses."""

    cls: FunctionId
    is_exact: bool


@dataclass(frozen=True, slots=True)
class Bound:
    """A method with the object or class that it was looked up on."""

    function: Function
    of: Object | Class


@dataclass(frozen=True, slots=True)
class Parent:
    """``super()`` inside a class."""

    cls: FunctionId
    of: Object | Class


@dataclass(frozen=True, slots=True)
class ModuleValue:
    """A module of the project."""

    path: str


@dataclass(frozen=True, slots=True)
class External:
    """Something of another library, by its dotted name; ``is_result`` says that it came out of a call there."""

    name: str
    is_result: bool = False


@dataclass(frozen=True, slots=True)
class Container:
    """A list, tuple, set or dictionary, by where it is written."""

    expression: form.Sequence | form.Dictionary | form.Many | form.Rest
    frame: Frame


@dataclass(frozen=True, slots=True)
class Items:
    """Something iterable whose every item is one of the values: what a library made of what it was given."""

    values: "Values"


@dataclass(frozen=True, slots=True)
class Operation:
    """A method of a container: ``table.get``."""

    of: "Container | Items"
    name: str


@dataclass(frozen=True, slots=True)
class Generator:
    """What calling a function that yields gives."""

    frame: Frame


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, a text, True, False or None."""

    value: str | int | bool | None


@dataclass(frozen=True, slots=True)
class Unknown:
    """Anything: the text does not say."""


UNKNOWN = Unknown()

Value = (
    Function
    | Class
    | Object
    | Bound
    | Parent
    | ModuleValue
    | External
    | Container
    | Items
    | Operation
    | Generator
    | Literal
    | Unknown
)
Values = frozenset[Value]


def order_of(value: Value) -> tuple[str, str]:
    """A key by which values stand in the same order in every run."""
    if isinstance(value, (Function, Class)):
        named = str(value.id)
    elif isinstance(value, Bound):
        named = str(value.function.id)
    elif isinstance(value, (Object, Parent)):
        named = str(value.cls)
    else:
        named = getattr(value, "name", "") or getattr(value, "path", "")
    return type(value).__name__, str(named)


NOTHING: Values = frozenset()
ANYTHING: Values = frozenset({UNKNOWN})
