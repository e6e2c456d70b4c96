"""Which function of the tree a recorded frame is.

The file comes first (``paths``), then in the file, at the revision that was recorded: the qualified name; the first
line with the same last name part; the executing line, innermost; a name that is unique in the file. Names without
their class (cProfile, Python up to 3.10) are settled by lines. Lambdas, comprehensions and annotations are part of
the function they stand in. A bare name is never matched across files (reference: runtime data §15.4).
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from gatecli.errors import GateError
from gatecli.model import Function, FunctionId, FunctionKind, Tree
from gatecli.runtime.paths import Place, Reason, TreePaths, locate
from gatecli.runtime.recording import Frame

FunctionsOf = Callable[[str, bytes], tuple[Function, ...]]

_MODULE = "<module>"
_LAMBDA = "<lambda>"
# Evaluates the annotations of a module, class or function; the compiler writes it, from 3.14 on:
# https://peps.python.org/pep-0649/
_ANNOTATIONS = "__annotate__"
_CALLABLE = (FunctionKind.FUNCTION, FunctionKind.METHOD)
_REPEAT = re.compile(r"#\d+(?=\.|$)")
_MAX_MODULE_PARTS = 30


class Rule(StrEnum):
    """What a frame was matched by, strongest first."""

    QUALNAME = "qualname"
    DOTTED = "dotted"
    FIRST_LINE = "first-line"
    UNIQUE_NAME = "unique-name"
    LINE = "line"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The function of a frame, or the reason there is none.

    ``inner`` says that the frame is a lambda or comprehension of the function, or what evaluates its annotations: its
    time is the function's, its calls are not. ``disagrees`` says that the name fits and the line does not: another
    revision was recorded.
    """

    function: Function | None = None
    rule: Rule | None = None
    reason: Reason | None = None
    inner: bool = False
    disagrees: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """The match of each frame of each recording, in their order, and the functions that were matched or wanted."""

    matches: tuple[tuple[Match, ...], ...]
    functions: Mapping[FunctionId, Function]
    prefixes: tuple[str, ...]
    warnings: tuple[str, ...]


def resolve(
    tables: Iterable[tuple[Frame, ...]],
    *,
    tree: Tree,
    functions_of: FunctionsOf,
    maps: tuple[tuple[str, str], ...] = (),
    wanted: Iterable[FunctionId] = (),
) -> Resolved:
    """Match the frame tables of all recordings; together, since they learn the project's prefix from each other.

    ``wanted`` are functions that are known by their id; those that the tree has are among the result's functions.
    """
    tables = tuple(tables)
    paths = TreePaths(tree.paths())
    located = locate({frame.file for table in tables for frame in table if frame.file}, paths, maps)
    files = _Files(tree, functions_of)
    matches = tuple(tuple(_match(frame, located.places, paths, files) for frame in table) for table in tables)
    functions = {match.function.id: match.function for table in matches for match in table if match.function}
    for id in wanted:
        file = files.of(id.path) if id.path in paths.files else None
        functions.update((function.id, function) for function in (file.all if file else ()) if function.id == id)
    return Resolved(matches=matches, functions=functions, prefixes=located.prefixes, warnings=tuple(files.warnings))


def _match(frame: Frame, places: Mapping[str, Place], paths: TreePaths, files: "_Files") -> Match:
    place = places[frame.file] if frame.file else Place(reason=Reason.SPECIAL)
    if frame.dotted:
        if match := _match_dotted(frame, place, paths, files):
            return match
        if place.path is None:
            top = frame.name.partition(".")[0]
            return Match(reason=Reason.NO_FILE if paths.module(top) else Reason.THIRD_PARTY)
    if place.path is None:
        return Match(reason=place.reason)
    functions = files.of(place.path)
    if functions is None:
        return Match(reason=Reason.NO_FUNCTION)
    match = functions.match(frame)
    if place.by_name_only and (
        match.rule is not Rule.QUALNAME or match.disagrees or _is_any_module(frame, place.path, paths)
    ):
        return Match(reason=Reason.THIRD_PARTY)
    return match


def _is_any_module(frame: Frame, path: str, paths: TreePaths) -> bool:
    """Whether a frame may be the body of a library's file of that base name: each file has one, of the same name.

    What the program was started with is its own: a file at the root of the tree, or the one ``__main__.py``.
    """
    name = path.rpartition("/")[2]
    return frame.name == _MODULE and name != "__main__.py" and paths.at_root(name) != path


def _match_dotted(frame: Frame, place: Place, paths: TreePaths, files: "_Files") -> Match | None:
    """``module.qualname``; where it disagrees with the recorded file, as behind functools.wraps, the name is right."""
    parts = frame.name.replace("<locals>.", "").split(".")
    for end in range(min(len(parts) - 1, _MAX_MODULE_PARTS), 0, -1):
        path = paths.module(".".join(parts[:end]))
        functions = files.of(path) if path else None
        if path is None or functions is None:
            continue
        found = functions.named(".".join(parts[end:]))
        if len(found) > 1 and place.path == path:
            found = [function for function in found if frame.first_line in _first_lines(function)]
        if len(found) == 1:
            return Match(function=found[0], rule=Rule.DOTTED)
        if found:
            return Match(reason=Reason.AMBIGUOUS)
    return None


class _Files:
    """The functions of each file of the tree, read once."""

    def __init__(self, tree: Tree, functions_of: FunctionsOf) -> None:
        self._tree = tree
        self._functions_of = functions_of
        self._read: dict[str, FileFunctions | None] = {}
        self.warnings: list[str] = []

    def of(self, path: str) -> "FileFunctions | None":
        if path not in self._read:
            self._read[path] = self._load(path)
        return self._read[path]

    def _load(self, path: str) -> "FileFunctions | None":
        source = self._tree.read(path)
        if source is None:
            self.warnings.append(f"{path} cannot be read: its frames are not matched")
            return None
        try:
            return FileFunctions(self._functions_of(path, source))
        except GateError as error:
            self.warnings.append(f"{path} cannot be parsed, its frames are not matched: {error.message}")
            return None


class FileFunctions:
    """The functions of one file, looked up by name and by line."""

    def __init__(self, functions: tuple[Function, ...]) -> None:
        self.all = functions
        self._by_qualname: dict[str, list[Function]] = defaultdict(list)
        self._by_name: dict[str, list[Function]] = defaultdict(list)
        for function in functions:
            # What is called by the code object's name: a lambda's is <lambda>, whatever it is bound to.
            if function.kind is not FunctionKind.LAMBDA:
                self._by_qualname[_REPEAT.sub("", function.id.qualname)].append(function)
                self._by_name[function.id.name].append(function)
        self._ordered = sorted(functions, key=lambda function: (function.span.first_line, -function.span.end_line))
        self._starts = [function.span.first_line for function in self._ordered]
        self._parents = _parents(self._ordered)

    def named(self, qualname: str) -> list[Function]:
        """Functions and methods of a qualified name; several where it is defined repeatedly."""
        return [function for function in self._by_qualname.get(qualname, ()) if function.kind in _CALLABLE]

    def around(self, line: int | None) -> list[Function]:
        """The functions that hold a line, innermost first."""
        result = []
        index = bisect_right(self._starts, line) - 1 if line is not None else -1
        while index >= 0:
            if line in self._ordered[index].span:
                result.append(self._ordered[index])
            index = self._parents[index]
        return result

    def match(self, frame: Frame) -> Match:
        """The function of a frame that is known to be of this file."""
        parts = frame.name.replace("<locals>.", "").split(".")
        inner = 0
        while parts and self._is_inner(parts[-1]):
            parts.pop()
            inner += 1
        qualname = ".".join(parts)
        around = self.around(frame.line or frame.first_line)
        if inner:
            is_lambda = inner == 1 and frame.name.endswith(_LAMBDA)
            return self._match_inner(qualname, around, is_lambda=is_lambda)
        if qualname == _MODULE:
            return self._match_module(frame, around)
        return self._match_named(qualname, frame, around)

    def _is_inner(self, name: str) -> bool:
        """Whether the compiler gave the name, and not the source."""
        return (name.startswith("<") and name != _MODULE) or (name == _ANNOTATIONS and name not in self._by_name)

    def _match_inner(self, qualname: str, around: list[Function], *, is_lambda: bool) -> Match:
        """A lambda that is bound to a name is a function of its own; other inner code is part of what encloses it."""
        if is_lambda and around and around[0].kind is FunctionKind.LAMBDA:
            return Match(function=around[0], rule=Rule.FIRST_LINE)
        found = self._by_qualname.get(qualname, [])
        if len(found) == 1:
            return Match(function=found[0], rule=Rule.QUALNAME, inner=True)
        if around and (around[0] in found or not found):
            return Match(function=around[0], rule=Rule.LINE, inner=True)
        return Match(reason=Reason.AMBIGUOUS if found else Reason.NO_FUNCTION)

    def _match_module(self, frame: Frame, around: list[Function]) -> Match:
        """The module body; or the function, where austin in a race named its line ``<module>``."""
        if frame.line is not None and around and around[0].kind in _CALLABLE and frame.line > around[0].span.def_line:
            return Match(function=around[0], rule=Rule.LINE)
        module = self._by_qualname.get(_MODULE, ())
        return Match(function=module[0], rule=Rule.QUALNAME) if module else Match(reason=Reason.NO_FUNCTION)

    def _match_named(self, qualname: str, frame: Frame, around: list[Function]) -> Match:
        name = qualname.rpartition(".")[2]
        exact = self._by_qualname.get(qualname, [])
        same_name = self._by_name.get(name, [])
        starting = [function for function in same_name if frame.first_line in _first_lines(function)]
        if len(starting) == 1:
            return Match(function=starting[0], rule=Rule.QUALNAME if starting[0] in exact else Rule.FIRST_LINE)
        line = frame.line or frame.first_line
        if len(exact) == 1 and (line is None or "." in qualname):
            function = exact[0]
            return Match(
                function=function, rule=Rule.QUALNAME, disagrees=line is not None and line not in function.span
            )
        # A name without its class may be that of a function at the top of the file; the line tells.
        holding = [function for function in around if function.id.name == name]
        for function in holding:
            if function in exact:
                return Match(function=function, rule=Rule.QUALNAME)
        if holding:
            return Match(function=holding[0], rule=Rule.LINE)
        if len(exact) == 1:
            return Match(function=exact[0], rule=Rule.QUALNAME, disagrees=True)
        if len(same_name) == 1:
            return Match(function=same_name[0], rule=Rule.UNIQUE_NAME)
        return Match(reason=Reason.AMBIGUOUS if same_name else Reason.NO_FUNCTION)


def _first_lines(function: Function) -> tuple[int, int]:
    """What a code object's first line may be: the first decorator's (Python up to 3.13) or the ``def`` line."""
    return function.span.first_line, function.span.def_line


def _parents(ordered: list[Function]) -> list[int]:
    """The index of each function's enclosing one, -1 at the outermost."""
    result: list[int] = []
    enclosing: list[int] = []
    for index, function in enumerate(ordered):
        while enclosing and ordered[enclosing[-1]].span.end_line < function.span.first_line:
            enclosing.pop()
        result.append(enclosing[-1] if enclosing else -1)
        enclosing.append(index)
    return result


def wraps(wrapper: Function, wrapped: Function) -> bool:
    """Whether one function is the wrapper that a decorator of the other returned.

    ``retry.decorate.inner`` wraps what is decorated with ``@retry(...)``: an enclosing part is the decorator's name.
    """
    enclosing = wrapper.id.qualname.split(".")[:-1]
    return bool(enclosing) and any(
        decorator.partition("(")[0].strip().rpartition(".")[2] in enclosing for decorator in wrapped.decorators
    )
