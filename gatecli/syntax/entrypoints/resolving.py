"""What the names and texts of registrations stand for: functions, classes, constants of other files."""

import re

from gatecli.errors import EvidenceError
from gatecli.model import FunctionId, FunctionKind
from gatecli.syntax.entrypoints.collected import Collected
from gatecli.syntax.entrypoints.facts import CLOSE, OPEN, UNKNOWN, Handler
from gatecli.syntax.entrypoints.source import Source
from gatecli.syntax.imports import Names, names_of
from gatecli.syntax.python import read_module

MAX_HOPS = 8
"""Files that a name is followed through."""

_REFERENCE = re.compile(f"{OPEN}([^{OPEN}{CLOSE}]*){CLOSE}")


class Resolver:
    """Follows names through the imports of the collected files."""

    def __init__(self, files: Collected) -> None:
        self._files = files
        self._constants: dict[str, Source | None] = {}

    def handler(self, registered: Handler, names: Names) -> FunctionId | None:
        """The function or class behind a registration, None where none of the tree is."""
        if registered.is_here:
            return FunctionId(path=names.path, qualname=registered.expressions[0])
        for expression in registered.expressions:
            found = self.dotted(expression, names.path) if registered.is_dotted else None
            found = found or (None if registered.is_dotted else self._expression(expression, registered.scope, names))
            if found is not None:
                return found
        return None

    def _expression(self, expression: str, scope: str, names: Names) -> FunctionId | None:
        head, _, rest = expression.partition(".")
        outer = scope
        while outer:
            if head in ("self", "cls") and names.kinds.get(outer) is FunctionKind.CLASS_BODY:
                return self.method(FunctionId(path=names.path, qualname=outer), rest) if rest else None
            if f"{outer}.{expression}" in names.kinds:
                return FunctionId(path=names.path, qualname=f"{outer}.{expression}")
            outer = outer.rpartition(".")[0]
        found = self._files.project.expression(names, expression)
        if found is None or self._files.project.kind(found) is not None:
            return found
        owner, _, name = found.qualname.rpartition(".")
        return self.method(FunctionId(path=found.path, qualname=owner), name) if owner else None

    def dotted(self, dotted: str, importer: str) -> FunctionId | None:
        """The function of an absolute dotted name."""
        parts = dotted.split(".")
        for cut in range(len(parts) - 1, 0, -1):
            path = self._files.project.path_of(".".join(parts[:cut]), importer)
            names = self._files.project.names(path) if path is not None else None
            if names is not None:
                return self._expression(".".join(parts[cut:]), "", names)
        return None

    def method(self, id: FunctionId, name: str) -> FunctionId | None:
        """The method of a class, its own or the first that it inherits from the tree."""
        for cls in self._files.project.mro(id).classes:
            method = FunctionId(path=cls.path, qualname=f"{cls.qualname}.{name}")
            if self._files.project.kind(method) is not None:
                return method
        return None

    def text(self, value: str, names: Names) -> str:
        """A text with its references to constants of other files replaced by what they are."""
        if OPEN not in value:
            return value
        return _REFERENCE.sub(lambda match: self._constant(match[1], names) or UNKNOWN, value)

    def _constant(self, expression: str, names: Names) -> str | None:
        """The text of ``settings.API_PREFIX``, also where ``settings = Settings()`` and the class has the text."""
        for _ in range(MAX_HOPS):
            source = self._source(names.path)
            if source is None:
                return None
            head, dot, rest = expression.partition(".")
            if made := source.constructor(head) if dot else None:
                expression = f"{made.name}.{rest}"
                head = made.name
            last = expression.rpartition(".")[2]
            if (not dot or head in names.kinds) and len(source.bindings.get(last, ())) == 1:
                found = source.value(source.bindings[last][0])
                return found if found is not None and OPEN not in found else None
            imported = names.imports.get(head)
            if imported is None:
                return None
            path = self._files.project.imported_module(names, head) if dot else None
            path, expression = (path, rest) if path else (
                self._files.project.path_of(imported.module, names.path), f"{imported.name or head}{dot}{rest}"
            )  # fmt: skip
            following = self._files.project.names(path) if path is not None else None
            if following is None:
                return None
            names = following
        return None

    def _source(self, path: str) -> Source | None:
        if path not in self._constants:
            content = self._files.tree.read(path)
            try:
                module = read_module(path, content) if content is not None else None
            except EvidenceError:
                module = None
            self._constants[path] = Source(module, names_of(module)) if module is not None else None
        return self._constants[path]
