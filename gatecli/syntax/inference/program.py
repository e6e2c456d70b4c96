"""The program as far as a question has looked: parsed files, their scopes, and where names stand in them.

Scopes are kept; syntax trees are let go, because they need a hundred times the memory of the source.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from gatecli.errors import EvidenceError
from gatecli.model import FunctionId, FunctionKind, Tree
from gatecli.syntax.imports import Project, names_of
from gatecli.syntax.inference import forms as form
from gatecli.syntax.inference.forms import Scope
from gatecli.syntax.inference.scopes import ScopeReader
from gatecli.syntax.python import Module, is_python, owners, read_module

# In a tree of up to this many Python files the calls that hand something to a parameter are looked for everywhere; in a
# larger one in the file of the function, or every question would read half of the tree.
SMALL_TREE = 400

_STORED = re.compile(rb"\.(\w+)(?=[^\n=]*(?<![=!<>])=(?!=))")
_OPENING = {"__init__", "__new__", "__post_init__"}


@dataclass(frozen=True, slots=True)
class Site:
    """A name or attribute in a scope, and the call that it is called in (None: only passed on)."""

    scope: Scope
    load: form.Name | form.Attribute
    call: form.Call | None


@dataclass(frozen=True, slots=True)
class _Place:
    """The extent of a function in bytes."""

    start: int
    end: int
    id: FunctionId
    kind: FunctionKind


class Program:
    """Files, scopes and sites of one tree."""

    def __init__(self, tree: Tree, project: Project) -> None:
        self._tree = tree
        self.project = project
        self._scopes: dict[FunctionId, Scope | None] = {}
        self._places: dict[str, tuple[_Place, ...]] = {}
        self._stored: dict[str, Mapping[tuple[str, str], tuple[FunctionId, ...]]] = {}
        self._readers = lru_cache(maxsize=16)(self._open)
        self._sources = lru_cache(maxsize=SMALL_TREE)(self._source)
        self._sites: dict[FunctionId, Mapping[int, Site]] = {}
        self._found: dict[tuple[str, frozenset[str]], tuple[Site, ...]] = {}
        self._mentions: dict[tuple[str, str], tuple[FunctionId, ...]] = {}

    # ------------------------------------------------------------------ files

    def _source(self, path: str) -> bytes | None:
        return self._tree.read(path)

    def module(self, path: str) -> Module | None:
        """A parsed file, None where there is none or it cannot be parsed."""
        source = self._sources(path)
        if source is None or not is_python(path):
            return None
        try:
            return read_module(path, source)
        except EvidenceError:
            return None

    def _open(self, path: str) -> ScopeReader | None:
        module = self.module(path)
        if module is None:
            return None
        self.project.add(names_of(module))
        return ScopeReader(module)

    def scope(self, id: FunctionId) -> Scope | None:
        """The scope under an id."""
        if id not in self._scopes:
            reader = self._readers(id.path)
            self._scopes[id] = reader.read(id) if reader is not None else None
        return self._scopes[id]

    # ------------------------------------------------------------------ where names stand

    def sites(self, path: str, names: frozenset[str]) -> tuple[Site, ...]:
        """The loads of some names in a file, in document order."""
        key = (path, names)
        if key not in self._found:
            self._found[key] = tuple(self._look_for(path, names))
        return self._found[key]

    def _look_for(self, path: str, names: frozenset[str]) -> Iterator[Site]:
        module = self.module(path)
        if module is None:
            return
        pattern = _any_word(names)
        for match in pattern.finditer(module.source):
            for id in self._around(module, match.start()):
                site = self._table(id).get(match.start())
                if site is not None:
                    yield site
                    break

    def dotted_texts(self, path: str, names: frozenset[str]) -> Iterator[tuple[int, str]]:
        """The texts of a file that are a dotted name which ends in one of some names: where, and the name."""
        module = self.module(path)
        for match in _any_dotted(names).finditer(module.source) if module is not None else ():
            node = module.tree.root_node.descendant_for_byte_range(*match.span(2)) if module is not None else None
            if node is not None and node.type == "string_content" and node.byte_range == match.span(2):
                yield match.start(2), match[2].decode("utf-8", "replace")

    def _around(self, module: Module, at: int) -> Iterator[FunctionId]:
        """The functions and classes around a byte, innermost first: a default stands inside that of its function."""
        places = self._places.get(module.path)
        if places is None:
            places = self._places[module.path] = tuple(
                _Place(node.start_byte, node.end_byte, function.id, function.kind)
                for function, node in zip(module.functions, module.nodes, strict=True)
            )
        last = bisect_right(places, at, key=lambda place: place.start)
        for place in reversed(places[:last]):
            if at < place.end or place.kind is FunctionKind.MODULE:
                yield place.id

    def source(self, path: str) -> bytes:
        """The text of a parsed file as its bytes are counted."""
        module = self.module(path)
        return module.source if module is not None else b""

    def spans(self, path: str) -> tuple[tuple[FunctionId, range], ...]:
        """The functions of a file, with their lines from the first decorator to the ``def``."""
        module = self.module(path)
        if module is None:
            return ()
        return tuple((one.id, range(one.span.first_line, one.span.def_line + 1)) for one in module.functions)

    def place(self, path: str, at: int) -> tuple[int, FunctionId]:
        """The line of a byte, and the function that holds that line."""
        module = self.module(path)
        assert module is not None, "only places in parsed files are asked for"
        line = module.source.count(b"\n", 0, at) + 1
        return line, module.functions[owners(module.functions, (line,))[line]].id

    def call_text(self, path: str, call: form.Call) -> str:
        """The source text of a call, with its ``await``."""
        module = self.module(path)
        assert module is not None, "only places in parsed files are asked for"
        text = module.source[call.start : call.end].decode("utf-8", "replace")
        before = module.source[max(0, call.start - 20) : call.start].decode("utf-8", "replace").rstrip()
        return f"await {text}" if before.endswith("await") else text

    def _table(self, id: FunctionId) -> Mapping[int, Site]:
        """The sites of a scope and of the lambdas in it, by byte."""
        found = self._sites.get(id)
        if found is None:
            scope = self.scope(id)
            found = self._sites[id] = dict(_sites_of(scope)) if scope is not None else {}
        return found

    # ------------------------------------------------------------------ what inference asks

    def named(self, id: FunctionId) -> Iterator[tuple[str, str]]:
        """The files in which calls of a function are looked for, and the names it has there."""
        name = id.name
        if name in _OPENING:
            name = id.qualname.rpartition(".")[0].rpartition(".")[2]
        if name.startswith("<"):
            return
        for path in self._all_paths() if self._is_small() else (id.path,):
            source = self._sources(path)
            if source is not None and name.encode() in source:
                yield path, name
                for alias in self._aliases(path, name):
                    yield path, alias

    def _aliases(self, path: str, name: str) -> Iterator[str]:
        names = self.project.names(path)
        for local, imported in names.imports.items() if names is not None else ():
            if imported.name == name and local != name:
                yield local

    @lru_cache(maxsize=1)  # noqa: B019 - one program lives as long as its question
    def _all_paths(self) -> tuple[str, ...]:
        return tuple(sorted(path for path in self._tree.paths() if is_python(path)))

    def _is_small(self) -> bool:
        return len(self._all_paths()) <= SMALL_TREE

    def storing(self, cls: FunctionId, name: str) -> tuple[FunctionId, ...]:
        """The methods of a class whose text may store an attribute of that name."""
        if cls.path not in self._stored:
            self._stored[cls.path] = self._index_stores(cls.path)
        return self._stored[cls.path].get((cls.qualname, name), ())

    def _index_stores(self, path: str) -> Mapping[tuple[str, str], tuple[FunctionId, ...]]:
        module = self.module(path)
        if module is None:
            return {}
        found: dict[tuple[str, str], dict[FunctionId, None]] = defaultdict(dict)
        for match in _STORED.finditer(module.source):
            method = next(self._around(module, match.start()))
            cls, _, _ = method.qualname.rpartition(".")
            if cls:
                found[cls, match[1].decode("utf-8", "replace")][method] = None
        return {key: tuple(methods) for key, methods in found.items()}

    def mentioning(self, path: str, text: str) -> tuple[FunctionId, ...]:
        """The functions of a file whose text holds some text."""
        key = (path, text)
        if key not in self._mentions:
            source = self._sources(path)
            module = self.module(path) if source is not None and text.encode() in source else None
            places = re.finditer(re.escape(text.encode()), module.source) if module is not None else ()
            found = (next(self._around(module, match.start())) for match in places if module is not None)
            self._mentions[key] = tuple(dict.fromkeys(found))
        return self._mentions[key]


@lru_cache(maxsize=64)
def _any_word(names: frozenset[str]) -> "re.Pattern[bytes]":
    alternatives = b"|".join(re.escape(name.encode("utf-8", "surrogateescape")) for name in sorted(names))
    return re.compile(rb"(?<!\w)(?:" + alternatives + rb")(?!\w)")


@lru_cache(maxsize=64)
def _any_dotted(names: frozenset[str]) -> "re.Pattern[bytes]":
    alternatives = b"|".join(re.escape(name.encode("utf-8", "surrogateescape")) for name in sorted(names))
    return re.compile(rb"(['\"])((?:\w{1,100}\.){1,20}(?:" + alternatives + rb"))\1")


def _sites_of(scope: Scope) -> Iterator[tuple[int, Site]]:
    for load in scope.loads:
        yield load.at, Site(scope, load, None)
    for call in scope.calls:
        if isinstance(call.of, (form.Name, form.Attribute)):
            yield call.of.at, Site(scope, call.of, call)
    for inner in scope.lambdas.values():
        yield from _sites_of(inner)
