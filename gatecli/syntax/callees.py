"""What a function calls, as far as the text says for certain: functions of the same tree that its calls name.

A call on an unknown receiver (``order.save()``) may reach any method of that name and is left out: the profile knows.
"""

from collections.abc import Iterator

from gatecli.errors import EvidenceError
from gatecli.model import Function, FunctionId, FunctionKind, Tree
from gatecli.syntax.imports import Names, Project, names_of
from gatecli.syntax.python import Module, captures, owners, read_module

MAX_CALLS = 5_000
"""Calls of one file that are looked at."""

_CALLS = "(call function: [(identifier) (attribute)] @called)"


def callees(tree: Tree, path: str) -> dict[FunctionId, tuple[FunctionId, ...]]:
    """Each function of a file with what it calls, in the order of the first calls; empty where it does not parse."""
    source = tree.read(path)
    if source is None:
        return {}
    try:
        module = read_module(path, source)
    except EvidenceError:
        return {}
    project = Project(tree)
    names = names_of(module)
    project.add(names)
    found: dict[FunctionId, dict[FunctionId, None]] = {}
    for caller, called in _calls(module):
        callee = _resolve(project, names, caller, called)
        if callee is not None and callee != caller.id:
            found.setdefault(caller.id, {})[callee] = None
    return {id: tuple(ids) for id, ids in found.items()}


def _calls(module: Module) -> Iterator[tuple[Function, str]]:
    """The innermost function around each call, and the text of what is called."""
    nodes = captures(_CALLS, module.tree.root_node).get("called", [])[:MAX_CALLS]
    holders = owners(module.functions, {node.start_point.row + 1 for node in nodes})
    for node in nodes:
        text = (node.text or b"").decode("utf-8", "replace")
        if all(part.isidentifier() for part in text.split(".")):
            yield module.functions[holders[node.start_point.row + 1]], text


def _resolve(project: Project, names: Names, caller: Function, called: str) -> FunctionId | None:
    head, _, rest = called.partition(".")
    if head in ("self", "cls") and rest.isidentifier():
        return _method(project, names, caller.id, rest)
    if any(parameter.name == head for parameter in caller.parameters):
        return None
    nested = _nested(names, caller.id, called)
    found = nested or project.expression(names, called)
    if found is None:
        return None
    kind = project.kind(found)
    if kind is FunctionKind.CLASS_BODY:
        init = FunctionId(path=found.path, qualname=f"{found.qualname}.__init__")
        return init if project.kind(init) is not None else found
    return found if kind is not None else None


def _nested(names: Names, caller: FunctionId, called: str) -> FunctionId | None:
    """A function that is defined in the caller, or beside it in the function around it."""
    scope = caller.qualname
    while scope and "." not in called:
        inner = f"{scope}.{called}"
        if names.kinds.get(scope) is not FunctionKind.CLASS_BODY and inner in names.kinds:
            return FunctionId(path=names.path, qualname=inner)
        scope = scope.rpartition(".")[0]
    return None


def _method(project: Project, names: Names, caller: FunctionId, name: str) -> FunctionId | None:
    """A method of the class around the caller, its own or an inherited one."""
    scope = caller.qualname.rpartition(".")[0]
    while scope and names.kinds.get(scope) is not FunctionKind.CLASS_BODY:
        scope = scope.rpartition(".")[0]
    if not scope:
        return None
    holder = FunctionId(path=names.path, qualname=scope)
    candidates = [holder, *sorted(project.ancestors(holder))]
    methods = [FunctionId(path=one.path, qualname=f"{one.qualname}.{name}") for one in candidates]
    known = [method for method in methods if project.kind(method) is not None]
    return known[0] if known and (known[0] == methods[0] or len(known) == 1) else None
