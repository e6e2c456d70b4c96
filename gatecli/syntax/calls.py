"""Who refers to a function: the uses of its name in a file, each resolved to *certain*, *possible* or not at all.

A use counts when it calls the function, passes it on, registers it or names it as a decorator. Only the places where
the name stands are looked at, so the cost follows the uses, not the size of the files.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gatecli.model import Certainty, Function, FunctionId, FunctionKind
from gatecli.syntax.imports import Names, Project, names_of
from gatecli.syntax.python import Module, owners

if TYPE_CHECKING:
    from tree_sitter import Node


# A longer call is not kept: nobody reads it, and nobody can say whether it still fits.
MAX_CALL_TEXT = 2_000


@dataclass(frozen=True, slots=True)
class Target:
    """A function whose callers are wanted: ``name`` is how code refers to it, ``owner`` the class of a method.

    ``homes`` are the words one of which a file says when it imports the function or its class: the class, the module,
    the package that may re-export it.
    """

    id: FunctionId
    kind: FunctionKind
    name: str
    owner: FunctionId | None

    @property
    def homes(self) -> tuple[bytes, ...]:
        """See the class."""
        parts = self.id.path.rsplit(".", 1)[0].removesuffix("/__init__").split("/")
        words = [self.owner.name] if self.owner is not None else parts[-2:]
        return tuple(word.encode("utf-8", "surrogateescape") for word in words)


@dataclass(frozen=True, slots=True)
class Use:
    """One place that refers to a target, in the function that holds it; ``call`` is the call's text, if it is one."""

    target: FunctionId
    caller: FunctionId
    line: int
    certainty: Certainty
    call: str | None


def target_of(id: FunctionId, kind: FunctionKind) -> Target | None:
    """How a function is referred to, or None where its name says nothing (module bodies, operator methods)."""
    if kind is FunctionKind.MODULE or (kind is FunctionKind.CLASS_BODY and "." in id.qualname):
        return None
    outer, _, _ = id.qualname.rpartition(".")
    if id.name in ("__init__", "__new__", "__post_init__") and outer:
        cls = FunctionId(path=id.path, qualname=outer)
        return Target(id, kind, cls.name, _owner(cls) if "." in outer else None)
    if id.name.startswith("__") and id.name.endswith("__"):
        return None
    return Target(id, kind, id.name, _owner(id) if kind is FunctionKind.METHOD else None)


def _owner(id: FunctionId) -> FunctionId:
    return FunctionId(path=id.path, qualname=id.qualname.rpartition(".")[0])


def uses_in(project: Project, module: Module, targets: Mapping[str, list[Target]]) -> Iterator[Use]:
    """The uses of targets in one file; ``targets`` by the name they are referred to."""
    file = names_of(module)
    project.add(file)
    wanted = dict(targets)
    for local, imported in file.imports.items():
        if imported.name is not None and imported.name in targets and local not in wanted:
            wanted[local] = targets[imported.name]
    nodes = list(_identifiers(module, wanted))
    holders = owners(module.functions, {node.start_point.row + 1 for node in nodes})
    for node in nodes:
        line = node.start_point.row + 1
        caller = module.functions[holders[line]]
        name = _text(node)
        for target in wanted[name]:
            certainty = _resolve(project, file, node, caller, target, name)
            if certainty is not None and caller.id != target.id:
                yield Use(target.id, caller.id, line, certainty, _call_text(node))


def _call_text(node: "Node") -> str | None:
    """The text of the call whose function the name is (``name(…)``, ``receiver.name(…)``), None if it is no call."""
    called = node
    parent = node.parent
    if parent is not None and parent.type == "attribute" and _is_field(parent, "attribute", node):
        called, parent = parent, parent.parent
    if parent is None or parent.type != "call" or not _is_field(parent, "function", called):
        return None
    awaited = parent.parent is not None and parent.parent.type == "await"
    text = _text(parent)
    return None if len(text) > MAX_CALL_TEXT else f"await {text}" if awaited else text


def _identifiers(module: Module, names: Iterable[str]) -> Iterator["Node"]:
    """The identifier nodes with one of the names, found by text first."""
    alternatives = b"|".join(re.escape(name.encode()) for name in names)
    root = module.tree.root_node
    for match in re.finditer(rb"(?<!\w)(?:" + alternatives + rb")(?!\w)", module.source):
        node = root.descendant_for_byte_range(match.start(), match.end())
        if node is not None and node.type == "identifier" and node.end_byte - node.start_byte == len(match[0]):
            yield node


_BINDING_FIELDS = {
    "function_definition": "name",
    "class_definition": "name",
    "keyword_argument": "name",
    "default_parameter": "name",
    "typed_default_parameter": "name",
    "assignment": "left",
    "for_statement": "left",
    "named_expression": "name",
    "aliased_import": "alias",
}
_IGNORED_PARENTS = frozenset(
    {"dotted_name", "parameters", "lambda_parameters", "typed_parameter", "global_statement", "delete_statement"}
)


def _resolve(
    project: Project, file: Names, node: "Node", caller: Function, target: Target, name: str
) -> Certainty | None:
    parent = node.parent
    if parent is None or parent.type in _IGNORED_PARENTS:
        return None
    if (field := _BINDING_FIELDS.get(parent.type)) and _is_field(parent, field, node):
        return None
    if parent.type == "attribute" and _is_field(parent, "attribute", node):
        receiver = parent.child_by_field_name("object")
        return _resolve_attribute(project, file, receiver, caller.id, target) if receiver is not None else None
    return _resolve_name(project, file, caller, target, name)


def _is_field(parent: "Node", field: str, node: "Node") -> bool:
    child = parent.child_by_field_name(field)
    return child is not None and child.start_byte == node.start_byte and child.end_byte == node.end_byte


def _resolve_name(project: Project, file: Names, caller: Function, target: Target, name: str) -> Certainty | None:
    """A bare name: a nested or module-level function of the file, or an import that leads to the target."""
    wanted = _visible(target)
    scope, _, _ = wanted.qualname.rpartition(".")
    if scope and wanted.path == file.path:
        inside = caller.id.qualname == scope or caller.id.qualname.startswith(f"{scope}.")
        return Certainty.CERTAIN if inside and target.owner is None else None
    if any(parameter.name == name for parameter in caller.parameters):
        return None
    if project.definition(file, name) == wanted:
        return Certainty.CERTAIN
    # A function that the change removed is defined nowhere; the import still says which one was meant.
    imported = file.imports.get(name)
    removed = imported is not None and imported.name == wanted.qualname and project.kind(wanted) is None
    return Certainty.CERTAIN if removed and imported and project.path_of(imported.module, file.path) == wanted.path else None


def _visible(target: Target) -> FunctionId:
    """What a name must stand for to mean the target: the class, where the target is its ``__init__``."""
    if target.id.name != target.name:
        return FunctionId(path=target.id.path, qualname=target.id.qualname.rpartition(".")[0])
    return target.id


def _resolve_attribute(
    project: Project, file: Names, receiver: "Node", caller: FunctionId, target: Target
) -> Certainty | None:
    """``receiver.name``: a module's function, or a method of what the receiver is."""
    text = _text(receiver)
    if target.owner is None or target.id.name != target.name:
        return _resolve_in_module(project, file, text, _visible(target))
    if text in ("self", "cls") or text.startswith("super("):
        return _resolve_self(project, file, caller, target, is_super=text.startswith("super("))
    called = receiver.child_by_field_name("function") if receiver.type == "call" else receiver
    if called is not None and called.type in ("identifier", "attribute") and _is_plain(_text(called)):
        found = project.expression(file, _text(called))
        if found is not None and project.kind(found) is FunctionKind.CLASS_BODY:
            return _through_class(project, found, target)
        if receiver.type != "call" and project.imported_module(file, _text(called)) is not None:
            return None
    return Certainty.POSSIBLE


def _is_plain(dotted: str) -> bool:
    return all(part.isidentifier() for part in dotted.split("."))


def _resolve_in_module(project: Project, file: Names, text: str, wanted: FunctionId) -> Certainty | None:
    path = project.imported_module(file, text) if _is_plain(text) else None
    found = project.names(path) if path is not None else None
    if found is None:
        return None
    removed = found.path == wanted.path and wanted.qualname not in found.kinds
    return Certainty.CERTAIN if removed or project.definition(found, wanted.qualname) == wanted else None


def _resolve_self(
    project: Project, file: Names, caller: FunctionId, target: Target, *, is_super: bool
) -> Certainty | None:
    holder = _enclosing_class(file, caller)
    if holder is None:
        return Certainty.POSSIBLE
    if is_super:
        return Certainty.CERTAIN if target.owner in project.ancestors(holder) else None
    return _through_class(project, holder, target)


def _through_class(project: Project, holder: FunctionId, target: Target) -> Certainty | None:
    """A method looked up on a class: its own, an inherited one, or (possibly) one that a subclass overrides."""
    if holder == target.owner:
        return Certainty.CERTAIN
    assert target.owner is not None, "only methods are looked up on a class"
    if target.owner in project.ancestors(holder):
        own = FunctionId(path=holder.path, qualname=f"{holder.qualname}.{target.name}")
        return None if project.kind(own) is not None else Certainty.CERTAIN
    return Certainty.POSSIBLE if holder in project.ancestors(target.owner) else None


def _enclosing_class(file: Names, caller: FunctionId) -> FunctionId | None:
    qualname = caller.qualname
    while qualname:
        if file.kinds.get(qualname) is FunctionKind.CLASS_BODY:
            return FunctionId(path=file.path, qualname=qualname)
        qualname = qualname.rpartition(".")[0]
    return None


def _text(node: "Node") -> str:
    return (node.text or b"").decode("utf-8", "replace")
