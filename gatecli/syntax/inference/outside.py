"""What builtins and the standard library do to the values they are given, where that decides which function runs.

Everything else of another library is unknown once it has been called: it may hand back an object of the project.
"""

from typing import TYPE_CHECKING

from gatecli.syntax.inference import classes, containers
from gatecli.syntax.inference import forms as form
from gatecli.syntax.inference.values import (
    ANYTHING,
    NOTHING,
    Bound,
    Class,
    Container,
    External,
    Function,
    Items,
    Literal,
    Object,
    Operation,
    Parent,
    Unknown,
    Value,
    Values,
)

if TYPE_CHECKING:
    from gatecli.syntax.inference.engine import Inference
    from gatecli.syntax.inference.values import Frame

# What gives back, or iterates over, the items of its first argument.
_SAME_ITEMS = frozenset(
    f"builtins.{name}" for name in ("list", "tuple", "set", "frozenset", "iter", "reversed", "sorted", "filter")
)
_FIRST_ITEM = frozenset({"builtins.next", "builtins.min", "builtins.max"})
_SAME_VALUE = frozenset({"copy.copy", "copy.deepcopy", "typing.cast", "weakref.proxy", "weakref.ref", "inspect.unwrap"})
# Decorators and wrappers that hand on the function they are given.
_SAME_FUNCTION = frozenset(
    {
        "functools.partial",
        "functools.partialmethod",
        "functools.update_wrapper",
        "functools.cache",
        "functools.lru_cache",
        "asyncio.coroutine",
        "types.MethodType",
    }
)
# Constructors and functions of the language: what they give is no object of the project.
_PLAIN = frozenset(
    f"builtins.{name}"
    for name in [
        "str",
        "bytes",
        "int",
        "float",
        "bool",
        "complex",
        "bytearray",
        "memoryview",
        "len",
        "abs",
        "round",
        "sum",
        "any",
        "all",
        "repr",
        "hash",
        "id",
        "ord",
        "chr",
        "range",
        "isinstance",
        "issubclass",
        "callable",
        "hasattr",
        "print",
        "format",
        "input",
        "open",
        "dict",
        "slice",
        "object",
        "divmod",
        "pow",
        "bin",
        "hex",
        "oct",
    ]
)


def called_library(inference: "Inference", callee: External, call: form.Call, frame: "Frame") -> Values:
    """What calling something outside the project gives."""
    name = callee.name
    first = call.arguments[0] if call.arguments else None
    if call.decorates or name in _SAME_FUNCTION:
        return _callables(inference.values(first, frame)) if first is not None else frozenset({callee})
    if name == "builtins.super":
        return _parent(inference, call, frame)
    if name in _SAME_ITEMS:
        chosen = call.arguments[-1] if name == "builtins.filter" and call.arguments else first
        return (
            frozenset({Items(containers.element_of_all(inference, chosen, frame))}) if chosen is not None else NOTHING
        )
    if name in _FIRST_ITEM and first is not None:
        return containers.element_of_all(inference, first, frame)
    if name in _SAME_VALUE and call.arguments:
        return inference.values(call.arguments[-1], frame)
    if name == "builtins.map":
        return _mapped(inference, call, frame)
    if name in ("builtins.zip", "builtins.enumerate"):
        return frozenset({Items(_paired(inference, call, frame, name))})
    if name == "builtins.getattr" and len(call.arguments) > 1:
        return _named_attribute(inference, call, frame)
    if name == "builtins.type" and len(call.arguments) == 1:
        found = inference.values(first, frame)
        return frozenset(Class(one.cls, one.is_exact) if isinstance(one, Object) else one for one in found)
    if name in _PLAIN:
        return frozenset({External(name, is_result=True)})
    last = name.rpartition(".")[2]
    if last[:1].isupper():
        return frozenset({External(name, is_result=True)})  # an instance of somebody else's class
    return frozenset({External(name, is_result=True)}) | ANYTHING


def _callables(found: Values) -> Values:
    return frozenset(one for one in found if isinstance(one, (Function, Bound, Class, Unknown)))


def _parent(inference: "Inference", call: form.Call, frame: "Frame") -> Values:
    """``super()`` looks behind the class around it; ``super(Class, self)`` behind the class named."""
    holder: Frame | None = frame
    while holder is not None and not _is_method(holder):
        holder = holder.outer
    if holder is None or not holder.scope.parameters:
        return ANYTHING
    cls = holder.scope.parent
    if len(call.arguments) == 2:
        named = [one for one in inference.values(call.arguments[0], frame) if isinstance(one, Class)]
        cls = named[0].id if named else None
    of = inference.values(form.Name(holder.scope.parameters[0].name, 0), holder)
    return frozenset(Parent(cls, one) for one in of if cls is not None and isinstance(one, (Object, Class))) or ANYTHING


def _is_method(frame: "Frame") -> bool:
    return frame.scope.kind.value == "method"


def _mapped(inference: "Inference", call: form.Call, frame: "Frame") -> Values:
    found: set[Value] = set()
    for argument in call.arguments:
        for value in _callables(inference.values(argument, frame)):
            found |= inference.result(value, form.Call(argument, (), (), call.at, call.start, call.end), frame)
    return frozenset({Items(frozenset(found))})


def _paired(inference: "Inference", call: form.Call, frame: "Frame", name: str) -> Values:
    parts: list[form.Expression] = [form.Element(one) for one in call.arguments]
    if name == "builtins.enumerate":
        parts = [form.Constant(0), *parts[:1]]
    return frozenset({Container(form.Sequence(tuple(parts), call.at), frame)})


def _named_attribute(inference: "Inference", call: form.Call, frame: "Frame") -> Values:
    """``getattr(of, "name", default)`` with a name that the text says."""
    names = [one.value for one in inference.values(call.arguments[1], frame) if isinstance(one, Literal)]
    found: set[Value] = set()
    for name in names:
        if not isinstance(name, str) or not name.isidentifier():
            return ANYTHING
        for of in inference.values(call.arguments[0], frame):
            found |= classes.attribute_of(inference, of, name)
    if len(call.arguments) > 2 and found:
        found |= inference.values(call.arguments[2], frame)
    return frozenset(found) if names else ANYTHING


def item_of_operation(inference: "Inference", callee: Operation, call: form.Call, frame: "Frame") -> Values:
    """What a method of a list or dictionary gives: ``table.get(key)``, ``table.items()``, ``things.pop()``."""
    of = callee.of
    if isinstance(of, Items):
        return of.values if callee.name in ("pop", "popleft", "get") else frozenset({of})
    if callee.name in ("get", "pop", "setdefault", "__getitem__", "popleft"):
        key = call.arguments[0] if call.arguments else None
        found = containers.item_of(
            inference, of, containers.keys_of(inference, key, frame) if key is not None else None
        )
        default = inference.values(call.arguments[1], frame) if len(call.arguments) > 1 else NOTHING
        return found | default
    if callee.name == "values":
        return frozenset({Items(containers.item_of(inference, of, None))})
    if callee.name == "items" and isinstance(of.expression, form.Dictionary):
        pairs = tuple(form.Sequence((key, value), -1) for key, value in of.expression.items)
        return frozenset({Container(form.Sequence(pairs, -1), of.frame)})
    if callee.name in ("copy", "keys", "__iter__"):
        return frozenset({of})
    return NOTHING
