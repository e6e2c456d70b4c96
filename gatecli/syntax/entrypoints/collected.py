"""The files of a tree that speak of entry points, read when asked for and within bounds."""

import re
from collections.abc import Callable, Iterator
from functools import cached_property

from gatecli.errors import EvidenceError
from gatecli.model import Tree
from gatecli.syntax.entrypoints.facts import Facts
from gatecli.syntax.entrypoints.reading import MOUNT_WORDS, read
from gatecli.syntax.imports import Names, Project, names_of
from gatecli.syntax.python import Module, read_module

MAX_FILES = 300
"""Files read for one join, so that a check's cost follows the diff: what lies beyond has no label."""

_SERVED = re.compile(r"(?:View|ViewSet|APIView|Resource|Endpoint|Handler|Mixin)$")


class Collected:
    """The facts of the files that were added or asked for. ``is_test`` says which files serve nobody."""

    def __init__(self, project: Project, tree: Tree, is_test: Callable[[str], bool]) -> None:
        self.project = project
        self.tree = tree
        self.is_test = is_test
        self.is_cut = False
        self._facts: dict[str, Facts] = {}

    def __iter__(self) -> Iterator[Facts]:
        """Those read so far; more may be read meanwhile."""
        return iter([*self._facts.values()])

    def add(self, module: Module, names: Names) -> None:
        """Take in a file that was parsed for another reason."""
        if module.path not in self._facts:
            self._facts[module.path] = read(module, names)

    def add_all(self, words: tuple[str, ...]) -> None:
        """Take in every file that says one of the words."""
        for path, content in self.tree.grep(words, lambda path: path.endswith(".py") and not self.is_test(path)):
            self._add(path, content)

    def _add(self, path: str, content: bytes | None) -> Facts | None:
        if path not in self._facts and content is not None:
            try:
                module = read_module(path, content)
            except EvidenceError:
                return None
            names = names_of(module)
            self.project.add(names)
            self._facts[path] = read(module, names)
        return self._facts.get(path)

    def get(self, path: str) -> Facts | None:
        """The facts of a file, None where there is none, it cannot be read or the bound is reached."""
        if path in self._facts:
            return self._facts[path]
        if len(self._facts) >= MAX_FILES:
            self.is_cut = True
            return None
        return self._add(path, self.tree.read(path))

    def add_mounts(self) -> None:
        """Look for what registers or mounts the contents of the files that were added, where something does."""
        if not any(self._is_served(facts) for facts in self._facts.values()):
            return
        for count, (path, content) in enumerate(self.tree.grep(MOUNT_WORDS, lambda path: not self.is_test(path))):
            if count >= MAX_FILES:
                self.is_cut = True
                return
            self._add(path, content)

    def _is_served(self, facts: Facts) -> bool:
        """Whether a file has routes without a root, or something like a view."""
        roots = {router.name for router in facts.routers if router.is_root}
        if facts.views or any(route.router not in roots for route in facts.routes):
            return True
        names = self.project.names(facts.path)
        if names is None:
            return False
        says_django = any(
            one.module.partition(".")[0] in ("django", "rest_framework") for one in names.imports.values()
        )
        return says_django or any(_SERVED.search(base) for bases in names.bases.values() for base in bases)

    @cached_property
    def paths(self) -> frozenset[str]:
        """All paths of the tree."""
        return frozenset(self.tree.paths())
