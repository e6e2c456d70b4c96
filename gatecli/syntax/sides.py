"""One function on one side of a change, with the touched lines that are its own."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from gatecli.model import Function, FunctionChange, FunctionId, FunctionKind
from gatecli.syntax import normalise
from gatecli.syntax.languages import read_module
from gatecli.syntax.python import Module, owners

CONTAINERS = (FunctionKind.MODULE, FunctionKind.CLASS_BODY)
_START_OF_LINE = re.compile(rb"(?:\n|\A)[ \t\f]*\Z")
_REST_OF_LINE = re.compile(rb"[ \t\f]*(?:#|\n|\Z)")
_MAX_INDENT = 200


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One function on one side, with the touched lines that are its own; the module is read again when it is asked for.

    A large change has many functions to pair across files: their sources are kept, not their trees.
    """

    path: str
    source: bytes
    index: int
    function: Function
    lines: tuple[int, ...]

    @property
    def id(self) -> FunctionId:
        """Path and qualified name."""
        return self.function.id

    @property
    def module(self) -> Module:
        """The parsed file."""
        return read_module(self.path, self.source)

    @property
    def is_container(self) -> bool:
        """Whether it is a module or class body."""
        return self.function.kind in CONTAINERS


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """A function change with the sides that it was made from; one of them may be None."""

    before: Side | None
    after: Side | None
    change: FunctionChange


def sides(module: Module | None, source: bytes | None, lines: Iterable[int]) -> list[Side]:
    """Every function of a module with its touched lines; blank lines are nobody's outside functions."""
    if module is None or source is None:
        return []
    text = normalise.source_lines(module.source)
    shared = _shared_lines(module)
    touched: dict[int, list[int]] = defaultdict(list)
    for line, innermost in owners(module.functions, lines).items():
        blank = line > len(text) or not text[line - 1].strip()
        for index in sorted(shared.get(line, ()) or (innermost,)):
            if not (blank and module.functions[index].kind in CONTAINERS):
                touched[index].append(line)
    return [
        Side(module.path, source, index, function, tuple(touched.get(index, ())))
        for index, function in enumerate(module.functions)
    ]


def _shared_lines(module: Module) -> dict[int, set[int]]:
    """Lines on which a lambda begins or ends amid other code, and all the functions that have code there."""
    shared: dict[int, set[int]] = defaultdict(set)
    enclosing: list[int] = []
    for index, (function, node) in enumerate(zip(module.functions, module.nodes, strict=True)):
        while enclosing and module.nodes[enclosing[-1]].end_byte <= node.start_byte:
            enclosing.pop()
        if function.kind is FunctionKind.LAMBDA:
            if _START_OF_LINE.search(module.source, max(0, node.start_byte - _MAX_INDENT), node.start_byte) is None:
                shared[function.span.first_line].update((index, enclosing[-1]))
            if _REST_OF_LINE.match(module.source, node.end_byte) is None:
                shared[function.span.end_line].update((index, enclosing[-1]))
        enclosing.append(index)
    return shared
