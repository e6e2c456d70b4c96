"""The facts of many files to labels: what is registered, where it is mounted, and which function answers."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping

from gatecli.model import FunctionId, Tree
from gatecli.routes import RPC
from gatecli.syntax.entrypoints.collected import Collected
from gatecli.syntax.entrypoints.facts import DOTTED, NAMED, OWNER
from gatecli.syntax.entrypoints.manifests import scripts_of
from gatecli.syntax.entrypoints.prefixes import Prefixes
from gatecli.syntax.entrypoints.reading import ROUTE_WORDS
from gatecli.syntax.entrypoints.resolving import Resolver
from gatecli.syntax.entrypoints.source import dotted_module
from gatecli.syntax.entrypoints.views import VIEW_HOOKS, Views
from gatecli.syntax.imports import Names, Project
from gatecli.syntax.python import MODULE, Module

MAX_LABELS = 40
"""Labels of one function: what lies beyond is no news to a reader."""


class EntryPoints:
    """The entry points of the files that were added, and of those that register what they hold.

    ``named`` are handlers by label that somebody wrote down (``path::qualname``): they stand before what is read.
    ``is_test`` says which files hold tests: what they register serves nobody.
    """

    def __init__(
        self,
        project: Project,
        tree: Tree,
        *,
        named: Mapping[str, str] | None = None,
        is_test: Callable[[str], bool] = lambda path: False,
    ) -> None:
        self._files = Collected(project, tree, is_test)
        self._resolver = Resolver(self._files)
        self._named = named or {}
        self._is_cut = False

    @property
    def is_cut(self) -> bool:
        """Whether a bound was reached: there may be more labels."""
        return self._is_cut or self._files.is_cut

    def add(self, module: Module, names: Names) -> None:
        """Take in a file that was parsed for another reason."""
        self._files.add(module, names)

    def add_all(self, words: tuple[str, ...]) -> None:
        """Take in every file that says one of the words."""
        self._files.add_all(words)

    def add_mounts(self) -> None:
        """Look for what registers or mounts the contents of the files that were added, where something does."""
        self._files.add_mounts()

    def labels(self) -> dict[FunctionId, tuple[str, ...]]:
        """The labels of each function, those that were written down first."""
        result: dict[FunctionId, dict[str, None]] = defaultdict(dict)
        for label, id in self.registrations():
            if len(result[id]) < MAX_LABELS:
                result[id][label] = None
            else:
                self._is_cut = True
        return {id: tuple(found) for id, found in result.items()}

    def registrations(self) -> Iterator[tuple[str, FunctionId]]:
        """Every label with a function behind it."""
        for label, target in self._named.items():
            path, _, qualname = target.partition("::")
            yield label, FunctionId(path=path, qualname=qualname)
        for label, id in self._found():
            if label not in self._named:
                yield label, id

    def _found(self) -> Iterator[tuple[str, FunctionId]]:
        prefixes = Prefixes(self._files, self._resolver)
        views = Views(self._files, self._resolver)
        for facts in self._files:
            names = self._files.project.names(facts.path)
            if names is None or self._files.is_test(facts.path):
                continue
            for route in facts.routes:
                if (id := self._resolver.handler(route.handler, names)) is not None:
                    for path in prefixes.paths(facts, names, route):
                        yield from views.labels(route, path, id)
            for point in facts.points:
                if (id := self._resolver.handler(point.handler, names)) is not None:
                    yield self._label(point.label, id), id
        for label, dotted, path in scripts_of(self._files.tree, {facts.path for facts in self._files}):
            if (id := self._resolver.dotted(dotted.replace(":", "."), path)) is not None:
                yield label, id

    def _label(self, label: str, id: FunctionId) -> str:
        dotted = self._name(id)
        owner = dotted.rpartition(".")[0]
        named = f"{dotted.removesuffix(f'.{id.qualname}')}.{id.name}"
        return label.replace(DOTTED, dotted).replace(OWNER, owner).replace(NAMED, named)

    def _name(self, id: FunctionId) -> str:
        """``backend/shop/tasks.py::settle`` → ``shop.tasks.settle``, as Celery calls it: from the outermost package."""
        folders = id.path.split("/")[:-1]
        start = len(folders)
        while start and "/".join((*folders[:start], "__init__.py")) in self._files.paths:
            start -= 1
        above = "".join(f"{folder}/" for folder in folders[:start]) if start < len(folders) else ""
        module = dotted_module(id.path.removeprefix(above))
        return module if id.qualname == MODULE else f"{module}.{id.qualname}"


def routes(
    tree: Tree, *, named: Mapping[str, str] | None = None, is_test: Callable[[str], bool] = lambda path: False
) -> Mapping[str, FunctionId]:
    """Every entry point of a tree: label → handler. Reads only the files that speak of them.

    Of several handlers of one label the first counts, as it does for the frameworks; but of several servicers of one
    name none does: which of them a server has is not in their names.
    """
    entries = EntryPoints(Project(tree), tree, named=named, is_test=is_test)
    entries.add_all(ROUTE_WORDS)
    found: dict[str, FunctionId] = {}
    methods: dict[str, FunctionId] = {}
    servicers: dict[str, set[FunctionId]] = {}
    for label, id in entries.registrations():
        if label.startswith(RPC):
            servicers.setdefault(label, set()).add(id)
            continue
        # A hook of a view class is called for its requests, but what handles them is the class.
        if id.name in VIEW_HOOKS and "." in id.qualname:
            methods.setdefault(label, id)
        else:
            found.setdefault(label, id)
    found.update((label, ids.pop()) for label, ids in servicers.items() if len(ids) == 1)
    return {**methods, **found}
