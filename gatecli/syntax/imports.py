"""What a name in a file stands for: import tables, module paths, re-exports, base classes.

A ``Project`` answers these questions for one tree and reads only the files that the questions lead to.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from gatecli.errors import EvidenceError
from gatecli.model import FunctionId, FunctionKind, Tree
from gatecli.syntax.decoding import as_utf8
from gatecli.syntax.python import MODULE, Module, definitions_in, is_python
from gatecli.syntax.trees import landmarks, parse

if TYPE_CHECKING:
    from tree_sitter import Node

# Files that are looked at for one name, through re-exports and ``from x import *``; more are needed only by mistake.
MAX_LOOKS = 40
# Classes that are looked at for one attribute.
MAX_CLASSES = 400
# Subclasses that are looked for below one class.
MAX_HEIRS = 40


@dataclass(frozen=True, slots=True)
class Imported:
    """What a local name was imported as: a module (``name`` None) or a name in a module."""

    module: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Names:
    """What the names of one file stand for, small enough to keep while its tree is let go.

    ``kinds`` maps each qualified name defined in it to its kind, ``imports`` each imported local name (star imports
    under ``*module``), ``bases`` each class to the expressions of its base classes, ``decorators`` each decorated
    function to the texts behind the ``@``.
    """

    path: str
    kinds: Mapping[str, FunctionKind]
    imports: Mapping[str, Imported]
    bases: Mapping[str, tuple[str, ...]]
    decorators: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def names_of(module: Module) -> Names:
    """The names of a parsed file."""
    return Names(
        path=module.path,
        kinds={function.id.qualname: function.kind for function in module.functions},
        imports=_import_table(module.path, landmarks(module.tree.root_node, module.source)),
        bases={
            function.id.qualname: tuple(_base_expressions(node))
            for function, node in zip(module.functions, module.nodes, strict=True)
            if function.kind is FunctionKind.CLASS_BODY
        },
        decorators={function.id.qualname: function.decorators for function in module.functions if function.decorators},
    )


def read_names(path: str, source: bytes) -> Names:
    """The names of a file, without the parameters and lines of its functions: in a third of the time.

    Raises:
        EvidenceError: the file cannot be parsed at all.
    """
    text = as_utf8(source)
    found = landmarks(parse(text).root_node, text)
    definitions = [*definitions_in(found)]
    return Names(
        path=path,
        kinds={MODULE: FunctionKind.MODULE, **{one.qualname: one.kind for one in definitions}},
        imports=_import_table(path, found),
        bases={
            one.qualname: tuple(_base_expressions(one.node))
            for one in definitions
            if one.kind is FunctionKind.CLASS_BODY
        },
        decorators={one.qualname: decorators for one in definitions if (decorators := one.decorators)},
    )


class Project:
    """The Python files of a tree, looked at lazily: only those that a question leads to are read.

    ``names`` answers for a path what ``names_of`` says of its file, from memory; without it the file is parsed.
    """

    def __init__(self, tree: Tree, names: Callable[[str], Names | None] | None = None) -> None:
        self._tree = tree
        self._names_of = names or self._read_names
        self._names: dict[str, Names | None] = {}
        self._found: dict[tuple[str, str], str | None] = {}
        self._orders: dict[FunctionId, Order] = {}
        self._heirs: dict[FunctionId, tuple[FunctionId, ...]] = {}

    @cached_property
    def _by_stem(self) -> Mapping[str, tuple[str, ...]]:
        """Last dotted part of the module name → paths that could be it."""
        result: dict[str, list[str]] = defaultdict(list)
        for path in self._tree.paths():
            if is_python(path):
                result[_parts(path)[-1]].append(path)
        return {stem: tuple(sorted(paths, key=lambda p: (len(p), p))) for stem, paths in result.items()}

    @cached_property
    def _packages(self) -> frozenset[str]:
        return frozenset(path for paths in self._by_stem.values() for path in paths if path.endswith("__init__.py"))

    @cached_property
    def _folders(self) -> tuple[str, ...]:
        """Every folder that holds Python files, with a slash at its end."""
        paths = (path for paths in self._by_stem.values() for path in paths)
        return tuple(sorted({f"{path.rpartition('/')[0]}/" for path in paths}))

    def names(self, path: str) -> Names | None:
        """The names of a file, None where it is not in the tree or cannot be parsed."""
        if path not in self._names:
            self._names[path] = self._names_of(path)
        return self._names[path]

    def _read_names(self, path: str) -> Names | None:
        content = self._tree.read(path)
        try:
            return read_names(path, content) if content is not None else None
        except EvidenceError:
            return None

    def add(self, names: Names) -> None:
        """Remember a file that was parsed for another reason."""
        self._names[names.path] = names

    def path_of(self, dotted: str, importer: str) -> str | None:
        """The file of an absolute module name, as a file that imports it would find it.

        A module is looked for below a source root: a folder that is no package itself. Of several the one that shares
        the longest way with the importer is meant (a repository may hold several programs), then the shortest.
        """
        key = (dotted, importer.rpartition("/")[0])
        if key not in self._found:
            self._found[key] = self._path_of(dotted, importer)
        return self._found[key]

    def _path_of(self, dotted: str, importer: str) -> str | None:
        wanted = tuple(dotted.split("."))
        here = importer.split("/")[:-1]
        best: tuple[int, int, str] | None = None
        for path in self._by_stem.get(wanted[-1], ()):
            parts = _parts(path)
            root = parts[: len(parts) - len(wanted)]
            if parts[len(root) :] != wanted or not self._is_root(root, here, len(wanted)):
                continue
            shared = next(
                (i for i, (a, b) in enumerate(zip(root, here, strict=False)) if a != b), min(len(root), len(here))
            )
            candidate = (-shared, len(root), path)
            best = min(best, candidate) if best is not None else candidate
        return best[2] if best is not None else None

    def _is_root(self, root: tuple[str, ...], here: list[str], length: int) -> bool:
        """Whether imports may start at a folder: no package, and for a bare module name one on the importer's way."""
        if not root or root[-1] in ("src", "lib", "python"):
            return True
        if "/".join((*root, "__init__.py")) in self._packages:
            return False
        return length > 1 or list(root) == here[: len(root)]

    def has_package(self, dotted: str, importer: str) -> bool:
        """Whether a dotted name is a folder of modules without an ``__init__.py`` (a namespace package)."""
        folder = dotted.replace(".", "/")
        return any(path.startswith(f"{folder}/") or f"/{folder}/" in path for path in self._folders)

    def submodule(self, package: str, name: str) -> str | None:
        """The file of a module inside a package folder (``shop/`` or empty)."""
        for path in self._by_stem.get(name, ()):
            if path in (f"{package}{name}.py", f"{package}{name}/__init__.py", f"{package}{name}.pyi"):
                return path
        return None

    def definition(self, names: Names, name: str) -> FunctionId | None:
        """The function or class that a module-level name of a file stands for, through imports and re-exports."""
        pending, seen = [(names, name)], {(names.path, name)}
        while pending and len(seen) <= MAX_LOOKS:
            current, name = pending.pop()
            if name in current.kinds:
                return FunctionId(path=current.path, qualname=name)
            for imported in self._candidates(current, name):
                path = self.path_of(imported.module, current.path)
                if path is None or imported.name is None or (path, imported.name) in seen:
                    continue
                seen.add((path, imported.name))
                if (following := self.names(path)) is not None:
                    pending.append((following, imported.name))
        return None

    def _candidates(self, names: Names, name: str) -> list[Imported]:
        """The import that binds a name, or all of ``from x import *``: the last of these is looked at first."""
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
        return self.path_of(f"{full}.{rest}" if rest else full, names.path)

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

    def decorators(self, id: FunctionId) -> tuple[str, ...]:
        """The decorator texts of a function or class."""
        names = self.names(id.path)
        return names.decorators.get(id.qualname, ()) if names is not None else ()

    def ancestors(self, class_id: FunctionId) -> frozenset[FunctionId]:
        """All base classes that are in the tree."""
        return frozenset(self.mro(class_id).classes[1:])

    def mro(self, class_id: FunctionId) -> "Order":
        """Where Python looks for an attribute of a class: C3 over the classes of the tree."""
        if class_id not in self._orders:
            self._orders[class_id] = Order((class_id,), ())  # a class that is its own base
            self._orders[class_id] = self._linearised(class_id)
        return self._orders[class_id]

    def _linearised(self, class_id: FunctionId) -> "Order":
        names = self.names(class_id.path)
        bases: list[FunctionId] = []
        external: dict[str, None] = {}
        for text in names.bases.get(class_id.qualname, ()) if names is not None else ():
            base = self.expression(names, text) if names is not None else None
            if base is not None and base != class_id and self.kind(base) is FunctionKind.CLASS_BODY:
                bases.append(base)
            elif names is not None:
                external[self.external(names, text)] = None
        orders = [self.mro(base) for base in bases]
        for order in orders:
            external |= dict.fromkeys(order.external)
        merged = _merged([[*order.classes] for order in orders] + [bases])
        return Order((class_id, *merged)[:MAX_CLASSES], tuple(name for name in external if name != "object"))

    def external(self, names: Names, text: str) -> str:
        """The dotted name that an expression has outside the tree."""
        head, dot, rest = text.partition(".")
        imported = names.imports.get(head)
        if imported is None:
            return text
        full = imported.module if imported.name is None else f"{imported.module}.{imported.name}"
        return f"{full}{dot}{rest}"

    def heirs(self, class_id: FunctionId) -> tuple[FunctionId, ...]:
        """The classes of the tree that inherit from a class, as far as ``MAX_HEIRS`` go."""
        found: dict[FunctionId, None] = {}
        pending = [class_id]
        while pending and len(found) < MAX_HEIRS:
            current = pending.pop(0)
            for heir in self._direct_heirs(current):
                if heir not in found and heir != class_id:
                    found[heir] = None
                    pending.append(heir)
        return tuple(found)

    def _direct_heirs(self, class_id: FunctionId) -> tuple[FunctionId, ...]:
        if class_id not in self._heirs:
            found: list[FunctionId] = []
            for path, _ in self._tree.grep([class_id.name]):
                names = self.names(path)
                ids = (FunctionId(path=path, qualname=qualname) for qualname in (names.bases if names else ()))
                found += [id for id in ids if class_id in self.mro(id).classes[1:]]
            self._heirs[class_id] = tuple(found)
        return self._heirs[class_id]

    def subclasses_in_file(self, class_id: FunctionId) -> list[FunctionId]:
        """The classes of the same file that inherit from a class."""
        names = self.names(class_id.path)
        if names is None:
            return []
        ids = (FunctionId(path=class_id.path, qualname=qualname) for qualname in names.bases)
        return [id for id in ids if id != class_id and class_id in self.mro(id).classes]


@dataclass(frozen=True, slots=True)
class Order:
    """The classes of the tree that an attribute is looked up on, nearest first, and the bases outside the tree."""

    classes: tuple[FunctionId, ...]
    external: tuple[str, ...]


def _merged(orders: list[list[FunctionId]]) -> list[FunctionId]:
    """The C3 merge (https://docs.python.org/3/howto/mro.html); where it has no answer, the first that is left."""
    result: list[FunctionId] = []
    while orders := [order for order in orders if order]:
        tails = {id for order in orders for id in order[1:]}
        head = next((order[0] for order in orders if order[0] not in tails), orders[0][0])
        result.append(head)
        orders = [[id for id in order if id != head] for order in orders]
    return result


def _parts(path: str) -> tuple[str, ...]:
    """Dotted name parts of a path: ``src/shop/__init__.py`` → ``("src", "shop")``."""
    stem = path.rsplit(".", 1)[0]
    return tuple(stem.removesuffix("/__init__").split("/"))


def _import_table(path: str, found: Mapping[str, list["Node"]]) -> dict[str, Imported]:
    table: dict[str, Imported] = {}
    for node in found.get("import", ()):
        for child in node.named_children:
            if child.type == "aliased_import":
                table[_field(child, "alias")] = Imported(_field(child, "name"))
            elif child.type == "dotted_name":
                # `import a.b` binds `a`; the rest is found through the dotted expression.
                head = _text(child).partition(".")[0]
                table[head] = Imported(head)
    for node in found.get("from", ()):
        source = absolute(path, node.child_by_field_name("module_name"))
        for child in node.children_by_field_name("name"):
            if child.type == "aliased_import":
                table[_field(child, "alias")] = Imported(source, _field(child, "name"))
            else:
                table[_text(child)] = Imported(source, _text(child))
        if any(child.type == "wildcard_import" for child in node.named_children):
            table[f"*{source}"] = Imported(source)
    return table


def absolute(path: str, node: "Node | None") -> str:
    """The module name of an import; relative ones are made absolute from the path of the importing file."""
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
