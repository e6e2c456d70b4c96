"""Whether a call that the change does not touch still fits the function that it does."""

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from gatecli.errors import EvidenceError
from gatecli.model import Caller, Certainty, Function, FunctionKind, Parameter, ParameterKind
from gatecli.rules import code
from gatecli.rules.code import View
from gatecli.rules.matching import Pattern, search_one
from gatecli.syntax.trees import parse

if TYPE_CHECKING:
    from tree_sitter import Node

_BY_POSITION = (ParameterKind.POSITIONAL_ONLY, ParameterKind.POSITIONAL)
_BY_NAME = (ParameterKind.POSITIONAL, ParameterKind.KEYWORD_ONLY)
_VARIADIC = (ParameterKind.VAR_POSITIONAL, ParameterKind.VAR_KEYWORD)


_NAMES = Pattern("(identifier) @match")
_ASKS = re.compile(
    r"(?i)^(?:isinstance|issubclass|cast|typevar|get_type_hints|implementer|\w{0,40}(?:query|select|join|load|alias|filter|exists|get_or_)\w{0,40})$"
)
"""Functions that are given a class to ask about it or for its rows, and do not make one."""


class Fit(StrEnum):
    """How a call site takes the change of what it calls."""

    FITS = "fits"
    BREAKS = "breaks"
    UNKNOWN = "unknown"


def is_constructor(function: Function) -> bool:
    """Whether it is called by the name of its class."""
    return function.id.name in ("__init__", "__new__") and "." in function.id.qualname


def is_filled(name: str, before: Function, after: Function) -> bool:
    """Whether a decorator that came with a parameter names it, and so may give it: ``@option("--dry-run")``."""
    new = [text.replace("-", "_") for text in after.decorators if text not in before.decorators]
    return any(re.search(rf"\b{re.escape(name)}\b", text.strip("_")) or f"__{name}" in text for text in new)


def is_overload(function: Function) -> bool:
    """Whether it is one of the stubs that only tell type checkers how the function below may be called."""
    return any(text.rpartition(".")[2] == "overload" for text in function.decorators)


def only_names(view: View, method: Function, caller: Caller) -> bool:
    """Whether a caller of a method just names its class: in an annotation, before a dot, as an alias, to ask about it.

    Where its code is not at hand, it may as well make one.
    """
    class_name = method.id.qualname.rpartition(".")[0].rpartition(".")[2]
    module = view.at_head(caller.id.path)
    index = next((n for n, one in enumerate(module.functions) if one.id == caller.id), None) if module else None
    if module is None or index is None:
        return False
    nodes = [match["match"] for match in search_one(_NAMES, module.nodes[index])]
    if not is_constructor(method) and any(code.text(node) == method.id.name for node in nodes):
        return False
    named = [node for node in nodes if code.text(node) == class_name]
    return bool(named) and all(_is_named(node) for node in named)


def _is_named(node: "Node") -> bool:
    parent = node.parent
    if parent is not None and parent.type == "attribute" and parent.child_by_field_name("attribute") == node:
        node, parent = parent, parent.parent  # keys.Keys
    if parent is not None and parent.type == "attribute" and parent.child_by_field_name("object") == node:
        return True
    if parent is not None and parent.type == "assignment":
        return True  # whoever uses the other name is a caller of its own
    while parent is not None and parent.type not in ("block", "module", "assignment", "call", "argument_list"):
        if parent.type in ("type", "except_clause", "dotted_name", "aliased_import", "case_pattern"):
            return True
        parent = parent.parent
    asked = parent.parent if parent is not None and parent.type == "argument_list" else None
    if asked is not None and asked.type == "class_definition":
        return True  # whoever makes one of the derived class is a caller of its own
    return asked is not None and asked.type == "call" and bool(_ASKS.match(code.callee(asked).rpartition(".")[2]))


def means_another(before: Function, caller: Caller) -> bool:
    """Whether no call of a possible caller could have meant the function as it was, or there is just a name.

    One that is certain and did not fit before either is served by a decorator, which gives what it leaves out.
    """
    if caller.certainty is not Certainty.POSSIBLE and not (caller.calls and _wrapped(before)):
        return False
    meant = [text for text in caller.calls if is_constructor(before) or called_name(text) == before.id.name]
    return all(bound(before, _call(text)[0]) is Fit.BREAKS for text in meant)


def fit(before: Function, after: Function, caller: Caller) -> Fit:
    """The worst of what a caller's calls would meet."""
    found = {_fit(before, after, text) for text in caller.calls} or {Fit.UNKNOWN}
    return next(worst for worst in (Fit.BREAKS, Fit.UNKNOWN, Fit.FITS) if worst in found)


def _fit(before: Function, after: Function, text: str) -> Fit:
    if _wrapped(before) != _wrapped(after) or "property" in after.decorators:
        return Fit.UNKNOWN  # a decorator may change the signature; one that stays showed that the call fits through it
    call, is_awaited = _call(text)
    old, new = bound(before, call), bound(after, call)
    if not isinstance(old, dict) or new is Fit.UNKNOWN:
        return Fit.UNKNOWN  # one that did not fit before either means another function
    if not isinstance(new, dict):
        return Fit.BREAKS
    names = {parameter.name for parameter in after.parameters if parameter.kind is not ParameterKind.VAR_KEYWORD}
    if any(new.get(place) != name and name in names for place, name in old.items()):
        # An argument by position now means another parameter. Where as many names came as went, one of them may just
        # be called what another was: copy(destination, source, dst) and copy(location, source, destination).
        is_renamed = len(before.parameters) == len(after.parameters) and not _same_names(before, after)
        return Fit.UNKNOWN if is_renamed else Fit.BREAKS
    if before.is_generator != after.is_generator:
        return Fit.UNKNOWN
    if before.is_async == after.is_async:
        return Fit.FITS
    return Fit.FITS if is_awaited and after.is_async else Fit.UNKNOWN


def _same_names(before: Function, after: Function) -> bool:
    return {one.name for one in before.parameters} == {one.name for one in after.parameters}


def waits_otherwise(before: Function, after: Function, caller: Caller) -> bool:
    """Whether a call gets a coroutine that it does not await, or awaits what is none any more."""
    if before.is_async == after.is_async or before.is_generator or after.is_generator:
        return False
    return any(_call(text)[1] is not after.is_async for text in caller.calls)


def _wrapped(function: Function) -> list[str]:
    """The decorators whose effect on the signature is not known."""
    return [text for text in function.decorators if text not in ("staticmethod", "classmethod")]


def leaves_out(function: Function, name: str, caller: Caller) -> Fit:
    """``BREAKS`` if a call relies on the default of a parameter, ``FITS`` if every one names it."""
    found = set()
    for text in caller.calls:
        given = bound(function, _call(text)[0])
        found.add(Fit.UNKNOWN if not isinstance(given, dict) else Fit.FITS if name in given.values() else Fit.BREAKS)
    return next(worst for worst in (Fit.BREAKS, Fit.UNKNOWN, Fit.FITS) if worst in (found or {Fit.UNKNOWN}))


def called_name(text: str) -> str:
    """The last name of what a call's text calls."""
    call, _ = _call(text)
    return code.callee(call).rpartition(".")[2] if call is not None else ""


def _call(text: str) -> "tuple[Node | None, bool]":
    """The call that a text is, None if it is none, and whether it is awaited."""
    try:
        node: Node | None = parse(text.encode("utf-8", "replace")).root_node
    except EvidenceError:
        return None, False
    is_awaited = False
    while node is not None and node.type in ("module", "expression_statement", "await"):
        is_awaited = is_awaited or node.type == "await"
        node = node.named_children[0] if node.named_children else None
    return (node if node is not None and node.type == "call" else None), is_awaited


def bound(function: Function, call: "Node | None") -> dict[int | str, str] | Fit:
    """Which parameter each argument (by position or keyword) goes to; ``BREAKS`` if Python would refuse the call."""
    arguments = call.child_by_field_name("arguments") if call is not None else None
    if call is None or arguments is None or arguments.type != "argument_list":
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
        name = key if key in by_name else takes.get(ParameterKind.VAR_KEYWORD)
        if name is None or (key in by_name and key in given.values()):
            return Fit.BREAKS
        given[key] = name
    required = (p.name for p in parameters if p.default is None and p.kind not in _VARIADIC)
    return Fit.BREAKS if any(name not in given.values() for name in required) else given


def _bindable(function: Function, call: "Node") -> tuple[Parameter, ...] | None:
    """The parameters that a call fills: without ``self``; None where it is not clear whether it is filled."""
    if function.kind is not FunctionKind.METHOD or "staticmethod" in function.decorators:
        return function.parameters
    if not function.parameters:
        return None
    target = call.child_by_field_name("function")
    receiver = target.child_by_field_name("object") if target is not None and target.type == "attribute" else None
    is_class = "classmethod" in function.decorators
    if receiver is not None and receiver.type not in ("identifier", "attribute"):
        return function.parameters[1:]  # Money().show() is on an object
    through_class = receiver is not None and code.text(receiver)[:1].isupper() and not is_class
    return None if through_class and not is_constructor(function) else function.parameters[1:]
