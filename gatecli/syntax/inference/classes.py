"""What ``of.name`` is: attributes of modules, classes, objects, and what stands behind ``super()``."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gatecli.model import FunctionId
from gatecli.syntax.inference import forms as form
from gatecli.syntax.inference.values import (
    ANYTHING,
    NOTHING,
    Bound,
    Class,
    Container,
    External,
    Frame,
    Function,
    Items,
    Literal,
    ModuleValue,
    Object,
    Operation,
    Parent,
    Thunk,
    Unknown,
    Value,
    Values,
)
from gatecli.syntax.python import END

if TYPE_CHECKING:
    from gatecli.syntax.inference.engine import Inference

# Attributes under which libraries hand on the function itself: Celery, Dramatiq, functools.
_SAME_FUNCTION = frozenset(
    [
        "delay",
        "apply_async",
        "si",
        "s",
        "signature",
        "send",
        "send_with_options",
        "message",
        "enqueue",
        "__wrapped__",
        "func",
        "__call__",
        "fn",
    ]
)


def attribute(inference: "Inference", load: form.Attribute, frame: Frame) -> Values:
    """What an attribute in the text is."""
    found: set[Value] = set()
    for of in inference.values(load.of, frame):
        found |= attribute_of(inference, of, load.name)
    return frozenset(found)


def attribute_of(inference: "Inference", of: Value, name: str) -> Values:
    """What ``of.name`` is."""
    if isinstance(of, ModuleValue):
        return _of_module(inference, of, name)
    if isinstance(of, External):
        return frozenset({External(f"{of.name}.{name}", of.is_result)})
    if isinstance(of, Class):
        return of_class(inference, of.id, name, of)
    if isinstance(of, Object):
        return _of_object(inference, of, name)
    if isinstance(of, Parent):
        return of_class(inference, of.cls, name, of.of, skip=1)
    if isinstance(of, (Container, Items)):
        return frozenset({Operation(of, name)})
    if isinstance(of, (Function, Bound)):
        return frozenset({of}) if name in _SAME_FUNCTION else ANYTHING
    return ANYTHING if isinstance(of, Unknown) else NOTHING


def _of_module(inference: "Inference", of: ModuleValue, name: str) -> Values:
    if of.path.endswith("/"):
        dotted = f"{of.path[:-1]}.{name}"
        path = inference.project.path_of(dotted, "")
        if path is not None:
            return frozenset({ModuleValue(path)})
        return frozenset({ModuleValue(dotted + "/")}) if inference.project.has_package(dotted, "") else ANYTHING
    found = inference.module_attribute(of.path, name)
    return found if found is not None else ANYTHING


def methods(inference: "Inference", cls: FunctionId, name: str) -> Iterator[FunctionId]:
    """The definitions of a method along the order in which Python looks, nearest first."""
    for base in inference.project.mro(cls).classes:
        id = FunctionId(path=base.path, qualname=f"{base.qualname}.{name}")
        if inference.project.kind(id) is not None:
            yield id


def of_class(inference: "Inference", cls: FunctionId, name: str, of: Object | Class, *, skip: int = 0) -> Values:
    """What looking a name up on a class, or on one of its objects, gives."""
    order = inference.project.mro(cls)
    for base in order.classes[skip:]:
        scope = inference.scope(base)
        found = inference.local(name, END, inference.frame(scope)) if scope is not None else None
        if found is not None:
            return frozenset(bound for value in found for bound in _bind(inference, value, of))
    if order.external:
        return frozenset({External(f"{base}.{name}") for base in order.external})
    return NOTHING if isinstance(of, Object) and of.is_exact else ANYTHING


def _bind(inference: "Inference", value: Value, of: Object | Class) -> Values:
    """A class attribute as it comes out of the look-up: a method is bound, a property is read."""
    if not isinstance(value, Function):
        return frozenset({value})
    decorators = inference.project.decorators(value.id)
    names = {text.partition("(")[0].rpartition(".")[2] for text in decorators}
    if "staticmethod" in names:
        return frozenset({value})
    if "classmethod" in names:
        return frozenset({Bound(value, Class(of.cls, of.is_exact) if isinstance(of, Object) else of)})
    if isinstance(of, Class):
        return frozenset({value})
    if any(one.endswith("property") or one == "reify" for one in names):
        return inference.result_of(value, {}, of)
    return frozenset({Bound(value, of)})


def _of_object(inference: "Inference", of: Object, name: str) -> Values:
    found: set[Value] = set()
    for thunk in _stored(inference, of, name):
        found |= inference.values(thunk.expression, thunk.frame)
    if found and found.isdisjoint(ANYTHING):
        known = {value for value in found if not (isinstance(value, Literal) and value.value is None)}
        inherited = of_class(inference, of.cls, name, of) if _has(inference, of.cls, name) else NOTHING
        return frozenset(known or found) | inherited
    declared = _declared(inference, of.cls, name)
    if declared is not None:
        return declared
    if _has(inference, of.cls, name) or not found:
        found |= of_class(inference, of.cls, name, of)
    if not found and any(True for _ in methods(inference, of.cls, "__getattr__")):
        return ANYTHING
    return frozenset(found)


def _has(inference: "Inference", cls: FunctionId, name: str) -> bool:
    """Whether a class body of the project binds a name."""
    for base in inference.project.mro(cls).classes:
        scope = inference.scope(base)
        if scope is not None and name in scope.bindings:
            return True
    return False


def _declared(inference: "Inference", cls: FunctionId, name: str) -> Values | None:
    """What the annotation of a field in a class body says."""
    for base in inference.project.mro(cls).classes:
        scope = inference.scope(base)
        annotation = scope.declared.get(name) if scope is not None else None
        if scope is not None and annotation is not None:
            found = inference.values(annotation, inference.frame(scope))
            return found if found and found.isdisjoint(ANYTHING) else None
    return None


def _stored(inference: "Inference", of: Object, name: str) -> Iterator[Thunk]:
    """What the methods of a class, its bases and (of the same file) its subclasses store under ``inference.name``."""
    order = [*inference.project.mro(of.cls).classes]
    if not of.is_exact:
        order += inference.project.subclasses_in_file(of.cls)
    for cls in order:
        for method in inference.program.storing(cls, name):
            scope = inference.scope(method)
            if scope is None or not scope.parameters:
                continue
            frame = inference.frame(scope)
            for store in scope.stores:
                is_self = isinstance(store.of, form.Name) and store.of.id == scope.parameters[0].name
                if store.name == name and is_self:
                    yield Thunk(store.value, frame)
