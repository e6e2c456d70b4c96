"""What a name in a file stands for: import tables, module paths, re-exports, base classes.

A ``Project`` answers these questions for one tree and reads only the files that the questions lead to.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from gatecli.errors import EvidenceError
from gatecli.model import FunctionId, FunctionKind, Tree
from gatecli.syntax.python import Module, captures, is_python, read_module

if TYPE_CHECKING:
    from tree_sitter import Node

# How many re-exports or base classes are followed; deeper chains exist only by mistake.
MAX_HOPS = 8

_IMPORTS = "(import_statement) @import (import_from_statement) @from"


@dataclass(frozen=True, slots=True)
class Imported:
    """What a local name was imported as: a module (``name`` None) or a name in a module."""

    module: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Names:
    """What the names of one file stand for, small enough to keep while its tree is let go.

    ``kinds`` maps each qualified name defined in it to its kind, ``imports`` each imported local name (star imports
    under ``*module``), ``bases`` each class to the expressions of its base classes.
    """

    path: str
    kinds: Mapping[str, FunctionKind]
    imports: Mapping[str, Imported]
    bases: Mapping[str, tuple[str, ...]]


def names_of(module: Module) -> Names:
    """The names of a parsed file."""
    return Names(
        path=module.path,
        kinds={function.id.qualname: function.kind for function in module.functions},
        imports=_import_table(module),
        bases={
            function.id.qualname: tuple(_base_expressions(node))
            for function, node in zip(module.functions, module.nodes, strict=True)
            if function.kind is FunctionKind.CLASS_BODY
        },
    )


class Project:
    """The Python files of a tree, looked at lazily: only those that a question leads to are read."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._names: dict[str, Names | None] = {}

    @cached_property
    def _by_stem(self) -> Mapping[str, tuple[str, ...]]:
        """Last dotted part of the module name → paths that could be it."""
        result: dict[str, list[str]] = defaultdict(list)
        for path in self._tree.paths():
            if is_python(path):
                result[_parts(path)[-1]].append(path)
        return {stem: tuple(sorted(paths, key=lambda p: (len(p), p))) for stem, paths in result.items()}

    def names(self, path: str) -> Names | None:
        """The names of a file, None where it is not in the tree or cannot be parsed."""
        if path not in self._names:
            content = self._tree.read(path)
            try:
                self._names[path] = names_of(read_module(path, content)) if content is not None else None
            except EvidenceError:
                self._names[path] = None
        return self._names[path]

    def add(self, names: Names) -> None:
        """Remember a file that was parsed for another reason."""
        self._names[names.path] = names

    def path_of(self, dotted: str) -> str | None:
        """The file of an absolute module name: the shortest path that ends in it (flat and ``src`` layouts)."""
        wanted = tuple(dotted.split("."))
        for path in self._by_stem.get(wanted[-1], ()):
            if _parts(path)[-len(wanted) :] == wanted:
                return path
        return None

    def definition(self, names: Names, name: str) -> FunctionId | None:
        """The function or class that a module-level name of a file stands for, through imports and re-exports."""
        for _ in range(MAX_HOPS):
            if name in names.kinds:
                return FunctionId(path=names.path, qualname=name)
            following = None
            for imported in self._candidates(names, name):
                path = self.path_of(imported.module)
                if path is not None and path != names.path and imported.name is not None:
                    following, name = self.names(path), imported.name
                    break
            if following is None:
                return None
            names = following
        return None

    def _candidates(self, names: Names, name: str) -> list[Imported]:
        if name in names.imports:
            return [names.imports[name]]
        return [Imported(star.module, name) for key, star in names.imports.items() if key.startswith("*")]

    def imported_module(self, names: Names, dotted: str) -> str | None:
        """The file that a dotted expression (``shop.pricing``, ``pricing``) names as a module, if it does."""
        head, _, rest = dotted.partition(".")
        imported = names.imports.get(head)
        if imported is None:
            return None
        full = imported.module if imported.name is None else f"{imported.module}.{imported.name}"
        return self.path_of(f"{full}.{rest}" if rest else full)

    def expression(self, names: Names, text: str) -> FunctionId | None:
        """The class or function that ``Name`` or ``module.Name`` stands for in a file."""
        owner, dot, name = text.rpartition(".")
        if not dot:
            return self.definition(names, text)
        path = self.imported_module(names, owner)
        if path is not None and (target := self.names(path)) is not None:
            return self.definition(target, name)
        outer = self.expression(names, owner)
        return FunctionId(path=outer.path, qualname=f"{outer.qualname}.{name}") if outer else None

    def kind(self, id: FunctionId) -> FunctionKind | None:
        """What is defined under an id, None where nothing is."""
        names = self.names(id.path)
        return names.kinds.get(id.qualname) if names is not None else None

    def ancestors(self, class_id: FunctionId) -> frozenset[FunctionId]:
        """All base classes that are in the tree."""
        seen: set[FunctionId] = set()
        pending = [class_id]
        for _ in range(MAX_HOPS * 4):
            if not pending:
                break
            current = pending.pop()
            names = self.names(current.path)
            for text in names.bases.get(current.qualname, ()) if names is not None else ():
                base = self.expression(names, text) if names is not None else None
                if base is not None and base not in seen:
                    seen.add(base)
                    pending.append(base)
        return frozenset(seen)


def _parts(path: str) -> tuple[str, ...]:
    """Dotted name parts of a path: ``src/shop/__init__.py`` → ``("src", "shop")``."""
    stem = path.rsplit(".", 1)[0]
    return tuple(stem.removesuffix("/__init__").split("/"))


def _import_table(module: Module) -> dict[str, Imported]:
    table: dict[str, Imported] = {}
    found = captures(_IMPORTS, module.tree.root_node)
    for node in found.get("import", ()):
        for child in node.named_children:
            if child.type == "aliased_import":
                table[_field(child, "alias")] = Imported(_field(child, "name"))
            elif child.type == "dotted_name":
                # `import a.b` binds `a`; the rest is found through the dotted expression.
                head = _text(child).partition(".")[0]
                table[head] = Imported(head)
    for node in found.get("from", ()):
        source = _absolute(module.path, node.child_by_field_name("module_name"))
        for child in node.children_by_field_name("name"):
            if child.type == "aliased_import":
                table[_field(child, "alias")] = Imported(source, _field(child, "name"))
            else:
                table[_text(child)] = Imported(source, _text(child))
        if any(child.type == "wildcard_import" for child in node.named_children):
            table[f"*{source}"] = Imported(source)
    return table


def _absolute(path: str, node: "Node | None") -> str:
    """The module name of an import, relative ones made absolute from the path of the importing file."""
    if node is None:
        return ""
    if node.type != "relative_import":
        return _text(node)
    text = _text(node)
    rest = text.lstrip(".")
    dots = len(text) - len(rest)
    package = path.rsplit("/", 1)[0].split("/") if "/" in path else []
    kept = package[: len(package) - (dots - 1)] if dots > 1 else package
    return ".".join([*kept, *([rest] if rest else [])])


def _base_expressions(node: "Node") -> list[str]:
    definition = node.child_by_field_name("definition") if node.type == "decorated_definition" else node
    bases = definition.child_by_field_name("superclasses") if definition is not None else None
    if bases is None:
        return []
    result = []
    for child in bases.named_children:
        target = child.child_by_field_name("value") if child.type == "subscript" else child  # Generic[T]
        if target is not None and target.type in ("identifier", "attribute"):
            result.append(_text(target))
    return result


def _field(node: "Node", name: str) -> str:
    child = node.child_by_field_name(name)
    return _text(child) if child is not None else ""


def _text(node: "Node") -> str:
    return (node.text or b"").decode("utf-8", "replace")
