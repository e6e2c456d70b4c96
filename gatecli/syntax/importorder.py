"""Imports that stand together, in an order of their own: a formatter may sort them, and then nothing was changed.

Only where the order binds nothing: a star import, or two imports that give one name different meanings, stay as they
are. That importing a module may do something which the next one relies on is left out of account: the code between
imports ends a group, so a patch that must run first (``monkey.patch_all()``) does too.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tree_sitter import Node

_IMPORTS = frozenset({"import_statement", "import_from_statement"})


def grouped(statements: "Iterable[Node]") -> "list[Node | tuple[bytes, ...]]":
    """The statements of a block in order; imports that stand together and may be sorted as one sorted tuple."""
    result: list[Node | tuple[bytes, ...]] = []
    group: list[Node] = []
    for statement in statements:
        if statement.type in _IMPORTS:
            group.append(statement)
            continue
        result += _sorted(group)
        group = []
        result.append(statement)
    return result + _sorted(group)


def _sorted(group: "list[Node]") -> "list[Node | tuple[bytes, ...]]":
    units: list[bytes] = []
    meanings: dict[bytes, bytes] = {}
    for statement in group:
        if statement.has_error:
            return [*group]
        for unit, name, meaning in _units(statement):
            if name == b"*" or meanings.setdefault(name, meaning) != meaning:
                return [*group]
            units.append(unit)
    return [tuple(sorted(units))] if units else [*group]


def _units(statement: "Node") -> "Iterable[tuple[bytes, bytes, bytes]]":
    """Each thing that is imported: all of it, the name that it binds, and what the name then means."""
    module = statement.child_by_field_name("module_name")
    origin = b"from " + _dense(module) + b" " if module is not None else b""
    for child in statement.named_children:
        if child.type == "wildcard_import":
            yield origin + b"*", b"*", origin
        elif module is not None and child == module:
            continue
        elif child.type == "aliased_import":
            name, alias = (child.child_by_field_name(field) for field in ("name", "alias"))
            whole = origin + b"import " + _dense(name)
            yield whole + b" as " + _dense(alias), _dense(alias), whole
        elif child.type == "dotted_name":
            whole = origin + b"import " + _dense(child)
            first = _dense(child).partition(b".")[0]
            yield whole, first, origin + b"import " + first


def _dense(node: "Node | None") -> bytes:
    return b"".join((node.text or b"").split()) if node is not None else b""
