"""The functions that one scope calls: every call, loop, ``with``, ``raise`` and hand-over in it, followed."""

from collections.abc import Iterator
from dataclasses import dataclass

from gatecli.model import FunctionId
from gatecli.syntax.inference import classes, containers
from gatecli.syntax.inference import forms as form
from gatecli.syntax.inference.engine import Inference
from gatecli.syntax.inference.forms import ImpliedKind, Scope
from gatecli.syntax.inference.values import (
    Bound,
    Class,
    External,
    Frame,
    Function,
    Generator,
    Object,
    Value,
    Values,
    order_of,
)


@dataclass(frozen=True, slots=True)
class Edge:
    """A scope that reaches a function (or, ``callee`` a text, something of another library) at a byte of its file.

    ``is_call`` is False where the function is only handed to another library, which calls it when it likes.
    """

    caller: FunctionId
    callee: FunctionId | str
    at: int
    is_call: bool = True


def edges_of(inference: Inference, scope: Scope) -> Iterator[Edge]:
    """What a scope reaches, its anonymous functions apart, in the order of the text."""
    frame = inference.frame(scope)
    for call in scope.calls:
        callees = inference.ask(call.of, frame)
        for value in _ordered(callees):
            for callee in _entered(inference, value):
                yield Edge(scope.id, callee, call.at)
        if any(isinstance(value, External) for value in callees):
            yield from _handed_over(inference, scope, call, frame)
    for implied in scope.implied:
        for callee in _implied(inference, implied.kind, inference.ask(implied.of, frame)):
            yield Edge(scope.id, callee, implied.at)


def _ordered(found: Values) -> list[Value]:
    return sorted(found, key=order_of)


def _entered(inference: Inference, value: Value) -> Iterator[FunctionId | str]:
    """The code that runs when a value is called."""
    if isinstance(value, Function):
        yield value.id
    elif isinstance(value, Bound):
        yield value.function.id
    elif isinstance(value, Class):
        yield from _constructed(inference, value)
    elif isinstance(value, Object):
        yield from (one.function.id for one in _methods(inference, value, "__call__"))
    elif isinstance(value, External):
        yield value.name


def _constructed(inference: Inference, cls: Class) -> Iterator[FunctionId | str]:
    found = next(classes.methods(inference, cls.id, "__init__"), None) or next(
        classes.methods(inference, cls.id, "__new__"), None
    )
    if found is not None:
        yield found
        return
    external = inference.project.mro(cls.id).external
    yield from (f"{base}.__init__" for base in external)
    if not external:
        yield cls.id


def _methods(inference: Inference, of: Object, name: str) -> list[Bound]:
    found = (value for value in classes.of_class(inference, of.cls, name, of) if isinstance(value, Bound))
    return sorted(found, key=lambda one: one.function.id)


def _implied(inference: Inference, kind: ImpliedKind, found: Values) -> Iterator[FunctionId | str]:
    """The methods that syntax calls: iteration, ``with``, ``raise Class``."""
    for value in _ordered(found):
        if kind is ImpliedKind.RAISE and isinstance(value, Class):
            yield from _constructed(inference, value)
        elif kind is ImpliedKind.ITERATION and isinstance(value, Object):
            yield from (one.function.id for one in _methods(inference, value, "__iter__"))
            yield from (one.function.id for one in containers.steps(inference, value))
        elif kind is ImpliedKind.CONTEXT and isinstance(value, Object):
            for name in ("__enter__", "__aenter__", "__exit__", "__aexit__"):
                yield from (one.function.id for one in _methods(inference, value, name))
        elif kind is ImpliedKind.CONTEXT and isinstance(value, Generator):
            yield value.frame.scope.id


# What takes a function and does not call it.
_NOT_CALLING = frozenset({"wraps", "update_wrapper", "partial", "partialmethod", "isinstance", "callable"})


def _handed_over(inference: Inference, scope: Scope, call: form.Call, frame: Frame) -> Iterator[Edge]:
    """Functions of the project that a call hands to another library."""
    of = call.of.name if isinstance(call.of, form.Attribute) else call.of.id if isinstance(call.of, form.Name) else ""
    if call.decorates or of in _NOT_CALLING:
        return
    for argument in (*call.arguments, *(value for _, value in call.keywords)):
        for value in _ordered(inference.ask(argument, frame)):
            if isinstance(value, (Function, Bound)):
                for callee in _entered(inference, value):
                    yield Edge(scope.id, callee, call.at, is_call=False)
