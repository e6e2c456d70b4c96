"""The code of the touched functions on both sides: parsed once, searched once a pattern, compared by normal text.

A function's own code is what no nested function or class holds, as everywhere in gate. Nothing here walks up the tree
or recurses, so depth costs no stack and no square.
"""

import copy
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from gatecli.config import Paths
from gatecli.errors import EvidenceError
from gatecli.model import (
    Blast,
    Case,
    ChangeKind,
    FileChange,
    Function,
    FunctionChange,
    FunctionId,
    FunctionKind,
    Tree,
    Usage,
)
from gatecli.rules.imported import spelled_out
from gatecli.rules.matching import Captures, Pattern, search, search_one
from gatecli.rules.paths import is_production, matches
from gatecli.syntax.languages import is_read, read_module
from gatecli.syntax.python import Module, owners

if TYPE_CHECKING:
    from tree_sitter import Node

# Up to this many touched functions of a file are searched one by one, above it the file is searched as a whole.
_MAX_SINGLE_SEARCHES = 8
# Searching for all patterns at once keeps the matches of each until it is asked for: above this number of touched
# functions they are searched one by one, which takes a little longer and a quarter less memory.
_MAX_JOINED = 500
_IGNORED = frozenset({"comment", "line_continuation"})
CALLS = Pattern("(call) @match")
_CLOSING = frozenset({")", "]", "}"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One function on one side."""

    module: Module
    index: int

    @property
    def function(self) -> Function:
        """Name, span, parameters and decorators."""
        return self.module.functions[self.index]

    @property
    def node(self) -> "Node":
        """The syntax node, decorators included."""
        return self.module.nodes[self.index]


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """A touched function with its code, its file and what is known of its use."""

    change: FunctionChange
    file: FileChange
    before: Code | None
    after: Code | None
    usage: Usage | None = None
    blast: Blast | None = None

    @property
    def survives(self) -> bool:
        """Whether there is code on both sides to compare."""
        return self.before is not None and self.after is not None

    @property
    def is_container(self) -> bool:
        """Whether it is a module or class body, which holds lines but is not called."""
        return self.change.function.kind in (FunctionKind.MODULE, FunctionKind.CLASS_BODY)

    def line_after(self, old_line: int) -> int:
        """Where a line of the old side stood, in lines of the new side: the nearest added or following line."""
        if self.after is None:
            return anchor(self.file, old_line)
        span = self.after.function.span
        if self.before is None or self.before.module.path != (self.file.old_path or self.file.path):
            return span.def_line
        return min(max(anchor(self.file, old_line), span.first_line), span.end_line)


def anchor(file: FileChange, old_line: int) -> int:
    """The line of the new side where an old line stood; of a removed line, the first added or following one."""
    shift = 0
    for hunk in file.hunks:
        if old_line < hunk.old_start:
            break
        if old_line in hunk.removed:
            shift = hunk.new_start - old_line
            break
        shift = (hunk.new_start + hunk.new_count) - (hunk.old_start + hunk.old_count)
    last = (file.after or b"").count(b"\n") + (not (file.after or b"\n").endswith(b"\n"))
    return max(1, min(old_line + shift, last))


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What is known beyond the change: the trees of both sides (None: not at hand), and the traffic of any function.

    ``usage`` is asked by the id of a function at the base revision. ``rules`` are the ids that there are, ``today`` and
    ``ignore_days`` say when a comment that ignores a finding ends. ``guards`` are the files that the policy names for
    its keys and its profile, which guard the repository wherever they lie.
    """

    base: Tree | None = None
    head: Tree | None = None
    usage: Callable[[FunctionId], Usage | None] = lambda _: None
    rules: frozenset[str] = frozenset()
    today: date | None = None
    ignore_days: int = 180
    guards: frozenset[str] = frozenset()


_NOTHING = Around()


Reader = tuple[FunctionId, Usage | None]
"""A function that names a setting, and how it runs."""


class View:
    """A case with the code at hand: what a rule looks at. Each side is parsed once, and searched once for ``patterns``.

    What is asked beyond them is found too, each in a search of its own.
    """

    def __init__(self, case: Case, paths: Paths, around: Around = _NOTHING, patterns: tuple[Pattern, ...] = ()) -> None:
        self.case = case
        self.around = around
        self.paths = paths
        self.touched_ids = frozenset(id for change in case.functions for id in (change.id, change.base_id))
        self._old = {file.old_path or file.path: file for file in case.change.files if file.before is not None}
        self._new = {file.path: file for file in case.change.files}
        self._modules: dict[tuple[str, bool], Module | None] = {}
        self._index: dict[int, dict[str, int]] = {}
        self._owners: dict[int, dict[int, int]] = {}
        self._calls: dict[tuple[int, int], dict[str, list[Node]]] = {}
        self.lines: dict[tuple[str, bool], list[tuple[int, str]]] = {}  # by path and whether removed: lines.py fills it
        self.readers: dict[frozenset[str], list[Reader]] = {}  # by spellings: checks/readers.py fills it
        self._patterns = frozenset(patterns) if len(case.functions) <= _MAX_JOINED else frozenset()
        self._joined = patterns
        self._matches: dict[tuple[int, int], dict[str, list[Captures]]] = {}
        self._own: dict[tuple[str, int], dict[int, list[Captures]]] = {}
        self.functions = tuple(self._touched())
        self._searched: dict[int, int] = defaultdict(int)
        for touched in self.functions:
            for code in (touched.before, touched.after):
                if code is not None:
                    self._searched[id(code.module)] += 1

    def is_test(self, path: str) -> bool:
        """Whether a file holds tests or their fixtures."""
        return matches(self.paths.tests, path)

    def is_production(self, path: str) -> bool:
        """Whether a file may run in production and was written by someone."""
        return not self.is_test(path) and not matches(self.paths.generated, path) and is_production(path)

    def within(self, applies: Callable[[str], bool]) -> "View":
        """The same view with only the functions of some files; what was parsed and found is shared."""
        other = copy.copy(self)
        other.functions = tuple(touched for touched in self.functions if applies(touched.change.id.path))
        return other

    def _touched(self) -> Iterator[Touched]:
        for change in self.case.functions:
            if change.kind is ChangeKind.COSMETIC:
                continue
            before = self._code(change.before, old=True)
            after = self._code(change.after, old=False)
            file = self._new.get(change.id.path) or self._old.get(change.id.path)
            if file is None or (before is None and after is None):
                continue
            usage = self.case.usage.get(change.id) or self.case.usage.get(change.base_id)
            blast = self.case.blast.get(change.id) or self.case.blast.get(change.base_id)
            yield Touched(change=change, file=file, before=before, after=after, usage=usage, blast=blast)

    def _code(self, function: Function | None, *, old: bool) -> Code | None:
        if function is None:
            return None
        module = self.module(function.id.path, old=old)
        index = self._indexes(module).get(function.id.qualname) if module is not None else None
        return Code(module=module, index=index) if module is not None and index is not None else None

    def module(self, path: str, *, old: bool) -> Module | None:
        """A side of a changed Python file, None where there is none or it cannot be parsed."""
        key = (path, old)
        if key not in self._modules:
            file = (self._old if old else self._new).get(path)
            source = (file.before if old else file.after) if file is not None else None
            self._modules[key] = read(path, source)
        return self._modules[key]

    def at_head(self, path: str) -> Module | None:
        """A file of the head revision, changed or not, None where there is none or it cannot be parsed."""
        module = self.module(path, old=False)
        if module is None and self.around.head is not None:
            module = read(path, self.around.head.read(path))
        return module

    def _indexes(self, module: Module) -> dict[str, int]:
        if id(module) not in self._index:
            self._index[id(module)] = {function.id.qualname: index for index, function in enumerate(module.functions)}
        return self._index[id(module)]

    def own(self, pattern: Pattern, code: Code) -> list[Captures]:
        """The matches of a query in the function's own code, in document order; ``@match`` says where each stands."""
        module, index = code.module, code.index
        found = self._own.setdefault((pattern, id(module)), {})
        if index in found:
            return found[index]
        if module.functions[index].kind is not FunctionKind.MODULE and self._searched[id(module)] <= (
            _MAX_SINGLE_SEARCHES
        ):
            found[index] = [match for match in self._in(pattern, module, index) if self.owner(module, match) == index]
            return found[index]
        grouped: dict[int, list[Captures]] = {number: [] for number in range(len(module.functions))}
        for match in self._in(pattern, module, 0):
            grouped[self.owner(module, match)].append(match)
        found.update(grouped)
        return found[index]

    def calls(self, side: Code) -> "dict[str, list[Node]]":
        """The calls in a function's own code by the name they go to, each in document order."""
        key = (id(side.module), side.index)
        if key not in self._calls:
            found: dict[str, list[Node]] = defaultdict(list)
            for match in self.own(CALLS, side):
                found[callee(match["match"])].append(match["match"])
            self._calls[key] = dict(found)
        return self._calls[key]

    def _in(self, pattern: Pattern, module: Module, index: int) -> list[Captures]:
        """The matches of a query anywhere in a function, nested ones too."""
        if pattern not in self._patterns:
            return search_one(pattern, module.nodes[index])
        key = id(module), index
        if key not in self._matches:
            self._matches[key] = search(self._joined, module.nodes[index])
        return self._matches[key].pop(pattern, [])

    def owner(self, module: Module, match: Captures) -> int:
        """The index of the function that holds a match."""
        lines = self._owners.get(id(module))
        if lines is None:
            lines = owners(module.functions, range(1, module.source.count(b"\n") + 2))
            self._owners[id(module)] = lines
        return lines.get(match["match"].start_point.row + 1, 0)


def read(path: str, source: bytes | None) -> Module | None:
    """A file of a language whose functions are read, None where there is none or it cannot be parsed."""
    if source is None or not is_read(path):
        return None
    try:
        return spelled_out(read_module(path, source))
    except EvidenceError:
        return None  # the file is reported as not parsed; no function of it is in the case


# --------------------------------------------------------------------------- ranges


Range = tuple[int, int]


def merged(ranges: Iterable[Range]) -> list[Range]:
    """The union of byte ranges, sorted."""
    result: list[Range] = []
    for start, end in sorted(ranges):
        if result and start < result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result


def is_within(ranges: list[Range], node: "Node") -> bool:
    """Whether a node starts inside one of the (merged) ranges."""
    position = bisect_right(ranges, (node.start_byte, 1 << 62)) - 1
    return position >= 0 and node.start_byte < ranges[position][1]


def byte_range(node: "Node") -> Range:
    """Start and end byte."""
    return node.start_byte, node.end_byte


# --------------------------------------------------------------------------- text


def text(node: "Node") -> str:
    """The source text of a node."""
    return (node.text or b"").decode("utf-8", "replace")


def line(node: "Node") -> int:
    """The first line of a node, from 1."""
    return node.start_point.row + 1


def normal(node: "Node") -> str:
    """The text of a node without comments, layout, trailing commas and the choice of quotes."""
    leaves: list[str] = []
    pending = [node]
    while pending:
        current = pending.pop()
        if current.type in _IGNORED:
            continue
        if current.type == "string_start":
            leaves.append(text(current).lower().replace('"', "'").replace("'''", "'"))
        elif current.type == "string_end":
            leaves.append("'")
        elif current.child_count == 0:
            leaf = text(current)
            if leaf in _CLOSING and leaves and leaves[-1] == ",":
                leaves.pop()
            leaves.append(leaf)
        else:
            pending.extend(reversed(current.children))
    return " ".join(leaves)


def callee(call: "Node") -> str:
    """The dotted name a call (or a bare name) goes to, arguments left out: ``Order.objects.filter().get``."""
    parts: list[str] = []
    node = call.child_by_field_name("function") if call.type == "call" else call
    while node is not None:
        if node.type == "attribute":
            parts.append("." + _field(node, "attribute"))
            node = node.child_by_field_name("object")
        elif node.type == "call":
            parts.append("()")
            node = node.child_by_field_name("function")
        elif node.type == "subscript":
            parts.append("[]")
            node = node.child_by_field_name("value")
        else:
            parts.append(text(node) if node.type == "identifier" else "…")
            node = None
    return "".join(reversed(parts))


def _field(node: "Node", name: str) -> str:
    child = node.child_by_field_name(name)
    return text(child) if child is not None else ""


def positionals(call: "Node") -> list["Node"]:
    """The arguments of a call that have no name, in their order."""
    arguments = call.child_by_field_name("arguments")
    given = arguments.named_children if arguments is not None else []
    return [argument for argument in given if argument.type not in ("keyword_argument", "comment")]


def keywords(call: "Node") -> dict[str, "Node"]:
    """The keyword arguments of a call: name → value."""
    arguments = call.child_by_field_name("arguments")
    if arguments is None or arguments.type != "argument_list":
        return {}
    return {
        _field(argument, "name"): value
        for argument in arguments.named_children
        if argument.type == "keyword_argument" and (value := argument.child_by_field_name("value")) is not None
    }


def has_splat(call: "Node") -> bool:
    """Whether a call passes ``**something``, which may hold any keyword."""
    arguments = call.child_by_field_name("arguments")
    return arguments is not None and any(child.type == "dictionary_splat" for child in arguments.named_children)


def number(node: "Node | None") -> float | None:
    """The value of a number, a negative number or a product of two, None where it is not known from the text."""
    if node is None:
        return None
    if node.type == "parenthesized_expression" and node.named_child_count == 1:
        node = node.named_children[0]
    if node.type in ("integer", "float"):
        try:
            return float(text(node)) if node.type == "float" else float(int(text(node).replace("_", ""), 0))
        except (ValueError, OverflowError):
            return None
    if node.type == "binary_operator" and _field(node, "operator") == "*":
        sides = [node.child_by_field_name("left"), node.child_by_field_name("right")]
        values = [number(side) if side is not None and side.type in ("integer", "float") else None for side in sides]
        return values[0] * values[1] if values[0] is not None and values[1] is not None else None
    if node.type == "unary_operator" and text(node).startswith("-"):
        argument = node.child_by_field_name("argument")
        value = number(argument) if argument is not None and argument.type in ("integer", "float") else None
        return -value if value is not None else None
    return None
