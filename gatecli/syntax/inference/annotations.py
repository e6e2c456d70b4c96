"""Parameters and annotations: what a value is declared to be."""

import re
from typing import TYPE_CHECKING

from gatecli.syntax.inference import forms as form
from gatecli.syntax.inference.forms import Expression, ScopeParameter
from gatecli.syntax.inference.nodes import MAX_DEPTH, MAX_TEXT, text_of
from gatecli.syntax.trees import children

if TYPE_CHECKING:
    from tree_sitter import Node

    from gatecli.syntax.inference.conversion import Converter

# Annotations whose first argument is what the value is, those that hold many of it, and those that hold it by a key.
_TRANSPARENT = frozenset({"Optional", "Annotated", "ClassVar", "Final", "Required", "NotRequired", "Awaitable"})
_MANY = re.compile(
    r"[lL]ist|(?:[fF]rozen)?[sS]et|FrozenSet|[tT]uple|(?:Mutable)?Sequence|(?:Async)?Itera(?:ble|tor)|Collection"
    r"|(?:Async)?Generator|[dD]eque|QuerySet"
)
_MAPPINGS = frozenset({"dict", "Dict", "Mapping", "MutableMapping", "defaultdict", "DefaultDict", "OrderedDict"})


def parameters(converter: "Converter", node: "Node | None", depth: int = 0) -> tuple[ScopeParameter, ...]:
    """The parameters; their defaults and annotations belong to the scope around the function."""
    found = [] if node is None else [_parameter(converter, child, depth) for child in children(node) if child.is_named]
    return tuple(parameter for parameter in found if parameter is not None)


def _parameter(converter: "Converter", node: "Node", depth: int) -> ScopeParameter | None:
    default = converter.expression(node.child_by_field_name("value"), depth)
    declared = annotation(converter, node.child_by_field_name("type"), depth)
    if node.type in ("default_parameter", "typed_default_parameter"):
        target = node.child_by_field_name("name")
    elif node.type == "typed_parameter":
        target = node.named_children[0] if node.named_children else None
    else:
        target = node
    if target is None:
        return None
    kind = {"list_splat_pattern": "*", "dictionary_splat_pattern": "**"}.get(target.type, "")
    if not kind and target.type != "identifier":
        return None
    name = text_of(target).lstrip("*")
    return ScopeParameter(name, kind, default, declared, node.child_by_field_name("value") is not None)


def annotation(converter: "Converter", node: "Node | None", depth: int = 0) -> Expression:
    """What a value with this annotation is; the names in it are loads."""
    if node is None or depth > MAX_DEPTH:
        return None
    if node.type == "type":
        return annotation(converter, node.named_children[0] if node.named_children else None, depth + 1)
    if node.type in ("identifier", "attribute"):
        return form.Instance(converter.expression(node, depth))
    if node.type == "none":
        return form.Constant(None)
    if node.type == "string":
        return _quoted(converter, node, depth)
    if node.type in ("binary_operator", "union_type"):
        return form.Choice(tuple(annotation(converter, child, depth + 1) for child in node.named_children))
    if node.type in ("generic_type", "subscript"):
        return _generic(converter, node, depth)
    converter.expression(node, depth)
    return None


def _quoted(converter: "Converter", node: "Node", depth: int) -> Expression:
    """A forward reference: only a dotted name is read."""
    text = text_of(node).strip("\"'")
    parts = text.split(".")
    if len(text) > MAX_TEXT or not all(part.isidentifier() for part in parts):
        return None
    found: form.Name | form.Attribute = form.Name(parts[0], node.start_byte)
    for part in parts[1:]:
        found = form.Attribute(found, part, node.start_byte)
    return form.Instance(found)


def _generic(converter: "Converter", node: "Node", depth: int) -> Expression:
    found = children(node)
    of = found[0] if found else None
    arguments = [child for child in found[1:] if child.is_named]
    if node.type == "generic_type" and arguments:
        arguments = [child for child in children(arguments[0]) if child.is_named]
    inner = [annotation(converter, child, depth + 1) for child in arguments]
    name = text_of(of).rpartition(".")[2]
    if name in _TRANSPARENT:
        return inner[0] if inner else None
    if name == "Union":
        return form.Choice(tuple(inner))
    if _MANY.fullmatch(name):
        return form.Many(inner[0]) if inner else None
    if name in _MAPPINGS:
        return form.Dictionary(((None, inner[-1]),), node.start_byte) if inner else None
    if name in ("Coroutine", "AwaitableGenerator"):
        return inner[-1] if inner else None
    if name in ("type", "Type") and inner and isinstance(inner[0], form.Instance):
        kind = form.Name("type", node.start_byte)  # as type(value) is: the class or a subclass
        return form.Call(kind, (inner[0],), (), node.start_byte, node.start_byte, node.end_byte)
    return form.Instance(converter.expression(of, depth)) if name != "Callable" else None
