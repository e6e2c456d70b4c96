"""Whether a call that the change does not touch still fits the function that it does."""

from enum import StrEnum
from typing import TYPE_CHECKING

from gatecli.model import Caller, Function, FunctionKind, Parameter, ParameterKind
from gatecli.rules import code
from gatecli.rules.code import View

if TYPE_CHECKING:
    from tree_sitter import Node

_CALLS = "(call) @match"
_BY_POSITION = (ParameterKind.POSITIONAL_ONLY, ParameterKind.POSITIONAL)
_BY_NAME = (ParameterKind.POSITIONAL, ParameterKind.KEYWORD_ONLY)
_VARIADIC = (ParameterKind.VAR_POSITIONAL, ParameterKind.VAR_KEYWORD)


class Fit(StrEnum):
    """How a call site takes the change of what it calls."""

    FITS = "fits"
    BREAKS = "breaks"
    UNKNOWN = "unknown"


def calls_of(view: View, caller: Caller, name: str) -> list["Node"]:
    """The calls by a name in the code of a caller at the head revision; empty if it is only passed on."""
    side = view.head(caller.id)
    found = view.own(_CALLS, side) if side is not None else []
    return [match["match"] for match in found if code.callee(match["match"]).rpartition(".")[2] == name]


def called_name(function: Function) -> str:
    """The last name of a call of a function: its own, or its class's."""
    return function.id.qualname.split(".")[-2] if is_constructor(function) else function.id.name


def is_constructor(function: Function) -> bool:
    """Whether it is called by the name of its class."""
    return function.id.name in ("__init__", "__new__") and "." in function.id.qualname


def fit(before: Function, after: Function, calls: list["Node"]) -> Fit:
    """The worst of what a caller's calls would meet."""
    found = {_fit(before, after, call) for call in calls} or {Fit.UNKNOWN}
    return next(worst for worst in (Fit.BREAKS, Fit.UNKNOWN, Fit.FITS) if worst in found)


def _fit(before: Function, after: Function, call: "Node") -> Fit:
    old, new = bound(before, call), bound(after, call)
    if old is Fit.UNKNOWN or new is Fit.UNKNOWN:
        return Fit.UNKNOWN
    if not isinstance(old, dict):
        return Fit.UNKNOWN  # it did not fit before either: another function is meant
    if not isinstance(new, dict):
        return Fit.BREAKS
    names = {parameter.name for parameter in after.parameters}
    if any(new.get(place) != name and name in names for place, name in old.items()):
        return Fit.BREAKS  # an argument by position now means another parameter
    if before.is_async != after.is_async or before.is_generator != after.is_generator:
        return _awaited(after, call) if before.is_async != after.is_async else Fit.UNKNOWN
    return Fit.FITS


def _awaited(after: Function, call: "Node") -> Fit:
    parent = call.parent
    if after.is_async and parent is not None and parent.type in ("expression_statement", "assignment", "attribute"):
        return Fit.BREAKS  # the coroutine is thrown away, or used as if it were its result
    return Fit.FITS if after.is_async and parent is not None and parent.type == "await" else Fit.UNKNOWN


def leaves_out(function: Function, name: str, call: "Node") -> Fit:
    """``BREAKS`` if a call relies on the default of a parameter, ``FITS`` if it names it."""
    given = bound(function, call)
    if not isinstance(given, dict):
        return Fit.UNKNOWN
    return Fit.FITS if name in given.values() else Fit.BREAKS


def bound(function: Function, call: "Node") -> dict[int | str, str] | Fit:
    """Which parameter each argument (by position or keyword) goes to; ``BREAKS`` if Python would refuse the call."""
    arguments = call.child_by_field_name("arguments")
    if arguments is None or arguments.type != "argument_list":
        return Fit.UNKNOWN
    nodes = [node for node in arguments.named_children if node.type != "comment"]
    parameters = _bindable(function, call)
    if parameters is None or any(node.type in ("list_splat", "dictionary_splat") for node in nodes):
        return Fit.UNKNOWN
    given: dict[int | str, str] = {}
    positional = [parameter.name for parameter in parameters if parameter.kind in _BY_POSITION]
    takes = {parameter.kind: parameter.name for parameter in parameters if parameter.kind in _VARIADIC}
    for place in range(sum(node.type != "keyword_argument" for node in nodes)):
        name = positional[place] if place < len(positional) else takes.get(ParameterKind.VAR_POSITIONAL)
        if name is None:
            return Fit.BREAKS
        given[place] = name
    by_name = {parameter.name for parameter in parameters if parameter.kind in _BY_NAME}
    for key in code.keywords(call):
        name = key if key in by_name and key not in given.values() else takes.get(ParameterKind.VAR_KEYWORD)
        if name is None:
            return Fit.BREAKS
        given[key] = name
    required = (p.name for p in parameters if p.default is None and p.kind not in _VARIADIC)
    return Fit.BREAKS if any(name not in given.values() for name in required) else given


def _bindable(function: Function, call: "Node") -> tuple[Parameter, ...] | None:
    """The parameters that a call fills: without ``self``; None where it is not clear whether it is filled."""
    decorators = {decorator.partition("(")[0] for decorator in function.decorators}
    if function.kind is not FunctionKind.METHOD or "staticmethod" in decorators:
        return function.parameters if decorators <= {"staticmethod"} else None
    if not decorators <= {"classmethod"} or not function.parameters:
        return None  # a decorator may change the signature
    target = call.child_by_field_name("function")
    receiver = target.child_by_field_name("object") if target is not None and target.type == "attribute" else None
    through_class = receiver is not None and code.text(receiver)[:1].isupper() and "classmethod" not in decorators
    return None if through_class and not is_constructor(function) else function.parameters[1:]
