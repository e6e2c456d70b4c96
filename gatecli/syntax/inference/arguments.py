"""Which argument of a call fills which parameter, and which calls there are that may fill one."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gatecli.syntax.inference import classes
from gatecli.syntax.inference import forms as form
from gatecli.syntax.inference.forms import Expression, Scope
from gatecli.syntax.inference.values import Bound, Class, Frame, Function, Thunk

if TYPE_CHECKING:
    from gatecli.model import FunctionId
    from gatecli.syntax.inference.engine import Inference
    from gatecli.syntax.inference.program import Site

# Other names that a function goes by (variables, parameters, attributes) which are followed.
MAX_ALIASES = 16


def filled(scope: Scope, call: form.Call, frame: Frame, skip: int) -> dict[str, tuple[Thunk, ...]]:
    """The arguments of a call by parameter; the first ``skip`` parameters are filled already (``self``)."""
    given: dict[str, list[Thunk]] = {}
    positional = [one for one in scope.parameters if not one.kind][skip:]
    rest = next((one.name for one in scope.parameters if one.kind == "*"), None)
    more = next((one.name for one in scope.parameters if one.kind == "**"), None)
    extra: list[Expression] = []
    for place, argument in enumerate(call.arguments):
        if isinstance(argument, form.Starred):
            for parameter in positional[place:]:
                given.setdefault(parameter.name, []).append(Thunk(form.Element(argument.of), frame))
            extra.append(argument)
        elif place < len(positional):
            given.setdefault(positional[place].name, []).append(Thunk(argument, frame))
        else:
            extra.append(argument)
    if rest is not None and extra:
        given[rest] = [Thunk(form.Sequence(tuple(extra), call.at), frame)]
    names = {one.name for one in scope.parameters if not one.kind}
    unnamed: list[tuple[Expression, Expression]] = []
    for name, value in call.keywords:
        if name in names:
            given.setdefault(name, []).append(Thunk(value, frame))
        elif name is not None:
            unnamed.append((form.Constant(name), value))
    if more is not None and unnamed:
        given[more] = [Thunk(form.Dictionary(tuple(unnamed), call.at), frame)]
    return {name: tuple(thunks) for name, thunks in given.items()}


# Decorators that keep the parameters of a function.
_SAME_PARAMETERS = frozenset(["staticmethod", "classmethod", "abstractmethod", "override", "final", "property"])


def accepts(inference: "Inference", id: "FunctionId", call: form.Call) -> bool:
    """Whether a method could be what a call on an unknown object reaches: Python would refuse other arguments."""
    scope = inference.scope(id)
    decorators = inference.project.decorators(id)
    if scope is None or any(text.rpartition(".")[2] not in _SAME_PARAMETERS for text in decorators):
        return True
    is_static = any(text.endswith("staticmethod") for text in decorators)
    parameters = scope.parameters[0 if is_static else 1 :]
    named = [one for one in parameters if not one.kind]
    names = {one.name for one in named}
    has_more = any(one.kind == "**" for one in parameters)
    if not has_more and any(name is not None and name not in names for name, _ in call.keywords):
        return False
    is_open = any(isinstance(one, form.Starred) for one in call.arguments)
    if not is_open and len(call.arguments) > len(named) and not any(one.kind == "*" for one in parameters):
        return False
    if is_open or any(name is None for name, _ in call.keywords):
        return True
    given = {one.name for one in named[: len(call.arguments)]} | {name for name, _ in call.keywords}
    return all(one.name in given or one.has_default for one in named)


def handed_in(inference: "Inference", scope: Scope, parameter: str) -> Iterator[Thunk]:
    """What the calls of a function hand to one of its parameters."""
    for site in call_sites(inference, scope.id):
        assert site.call is not None
        frame = inference.frame(site.scope)
        skip = skipped(inference, scope, site.call, frame)
        if skip is not None:
            yield from filled(scope, site.call, frame, skip).get(parameter, ())


def skipped(inference: "Inference", scope: Scope, call: form.Call, frame: Frame) -> int | None:
    """How many parameters a call fills by itself, None where it does not call this function."""
    for value in inference.values(call.of, frame):
        if isinstance(value, Function) and value.id == scope.id:
            return 0
        if isinstance(value, Bound) and value.function.id == scope.id:
            return 1
        if isinstance(value, Class) and next(classes.methods(inference, value.id, "__init__"), None) == scope.id:
            return 1
    return None


def call_sites(inference: "Inference", id: "FunctionId") -> tuple["Site", ...]:
    """The calls that may reach a function: under its own name, and under those that it is handed on as."""
    if id not in inference.calls:
        inference.calls[id] = ()  # a function that is handed to itself
        inference.calls[id] = tuple(_call_sites(inference, id))
    return inference.calls[id]


def _call_sites(inference: "Inference", id: "FunctionId") -> Iterator["Site"]:
    program = inference.program
    pending = [(path, name) for path, name in program.named(id)]
    seen = set(pending)
    while pending:
        path, name = pending.pop(0)
        for site in program.sites(path, frozenset({name})):
            if site.call is not None:
                yield site
            else:
                for alias in aliases(inference, site):
                    if alias not in seen and len(seen) < MAX_ALIASES:
                        seen.add(alias)
                        pending.append(alias)


def aliases(inference: "Inference", site: "Site") -> Iterator[tuple[str, str]]:
    """The file and name under which a value goes on from a place that reads it."""
    scope, load = site.scope, site.load
    path = scope.id.path
    for name, bindings in scope.bindings.items():
        if any(_holds(binding.value, load) for binding in bindings):
            yield path, name
    for store in scope.stores:
        if store.name is not None and _holds(store.value, load):
            yield path, store.name
    for call in scope.calls:
        if not any(one is load for one in (*call.arguments, *(value for _, value in call.keywords))):
            continue
        frame = inference.frame(scope)
        for value in inference.values(call.of, frame):
            function = value.function if isinstance(value, Bound) else value
            callee = inference.program.scope(function.id) if isinstance(function, Function) else None
            if callee is not None:
                given = filled(callee, call, frame, 1 if isinstance(value, Bound) else 0)
                for name, thunks in given.items():
                    if any(thunk.expression is load for thunk in thunks):
                        yield callee.id.path, name


def _holds(value: Expression, load: form.Name | form.Attribute) -> bool:
    """Whether a bound value is what a place reads, as it is or as one of several."""
    if value is load:
        return True
    if isinstance(value, form.Item) and isinstance(value.of, form.Sequence):
        return any(one is load for one in value.of.items)
    return isinstance(value, form.Choice) and any(one is load for one in value.options)
