"""The facts of many files to labels: prefixes through routers and URLconfs, views through classes."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from gatecli.errors import EvidenceError
from gatecli.model import FunctionId, FunctionKind, Tree
from gatecli.routes import RPC
from gatecli.syntax.entrypoints.facts import (
    CLOSE,
    DOTTED,
    OPEN,
    OWNER,
    UNKNOWN,
    Action,
    Facts,
    Handler,
    Mount,
    Route,
    Router,
    Style,
)
from gatecli.syntax.entrypoints.manifests import scripts_of
from gatecli.syntax.entrypoints.reading import MOUNT_WORDS, ROUTE_WORDS, read
from gatecli.syntax.entrypoints.source import Source, dotted_module
from gatecli.syntax.imports import Names, Project, names_of
from gatecli.syntax.python import MODULE, Module, read_module

# Bounds of one join, so that a check's cost follows the diff: what lies beyond them has no label.
MAX_FILES = 300
MAX_HOPS = 8
MAX_PREFIXES = 16
MAX_LABELS = 40

_REFERENCE = re.compile(f"{OPEN}([^{OPEN}{CLOSE}]*){CLOSE}")
_VERBS = ("get", "post", "put", "patch", "delete", "head", "options")
# Which method of a view set answers what, and whether its route names one object (rest_framework.routers).
_VIEWSET = {
    "list": ("GET", False), "create": ("POST", False), "retrieve": ("GET", True), "update": ("PUT", True),
    "partial_update": ("PATCH", True), "destroy": ("DELETE", True),
}  # fmt: skip
# Methods that frameworks call on a view class for any of its requests.
_VIEW_HOOKS = frozenset({
    "dispatch", "initial", "get_queryset", "get_object", "get_context_data", "get_form", "get_form_class",
    "get_form_kwargs", "form_valid", "form_invalid", "get_template_names", "get_success_url", "render_to_response",
    "get_serializer_class", "get_serializer", "get_serializer_context", "perform_create", "perform_update",
    "perform_destroy", "get_permissions", "check_permissions", "filter_queryset", "test_func", "get_redirect_url",
    "prepare",
})  # fmt: skip
_SERVED = re.compile(r"(?:View|ViewSet|APIView|Resource|Endpoint|Handler|Mixin)$")

_Key = tuple[str, str]


@dataclass(slots=True)
class _Graph:
    """Routers by file and name, and what they are mounted on."""

    routers: dict[_Key, Router] = field(default_factory=dict)
    parents: dict[_Key, list[tuple[_Key | None, Mount, Names]]] = field(default_factory=lambda: defaultdict(list))


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
        self._project = project
        self._tree = tree
        self._named = named or {}
        self._is_test = is_test
        self._facts: dict[str, Facts] = {}
        self._constants: dict[str, Source | None] = {}
        self.is_cut = False

    def add(self, module: Module, names: Names) -> None:
        """Take in a file that was parsed for another reason."""
        if module.path not in self._facts:
            self._facts[module.path] = read(module, names)

    def labels(self) -> dict[FunctionId, tuple[str, ...]]:
        """The labels of each function, those that were written down first."""
        result: dict[FunctionId, dict[str, None]] = defaultdict(dict)
        for label, id in self.registrations():
            if len(result[id]) < MAX_LABELS:
                result[id][label] = None
            else:
                self.is_cut = True
        return {id: tuple(found) for id, found in result.items()}

    def registrations(self) -> Iterator[tuple[str, FunctionId]]:
        """Every label with a function behind it."""
        for label, target in self._named.items():
            path, _, qualname = target.partition("::")
            yield label, FunctionId(path=path, qualname=qualname)
        for label, id in self._found():
            if label not in self._named:
                yield label, id

    # ------------------------------------------------------------------ files

    def add_all(self, words: tuple[str, ...]) -> None:
        """Take in every file that says one of the words."""
        for path, content in self._tree.grep(words, lambda path: path.endswith(".py") and not self._is_test(path)):
            self._add(path, content)

    def _add(self, path: str, content: bytes | None) -> Facts | None:
        if path not in self._facts and content is not None:
            try:
                module = read_module(path, content)
            except EvidenceError:
                return None
            names = names_of(module)
            self._project.add(names)
            self._facts[path] = read(module, names)
        return self._facts.get(path)

    def _facts_of(self, path: str) -> Facts | None:
        if path in self._facts:
            return self._facts[path]
        if len(self._facts) >= MAX_FILES:
            self.is_cut = True
            return None
        return self._add(path, self._tree.read(path))

    def add_mounts(self) -> None:
        """Look for what registers or mounts the contents of the files that were added, where something does."""
        if not any(self._is_served(facts) for facts in self._facts.values()):
            return
        for count, (path, content) in enumerate(self._tree.grep(MOUNT_WORDS, lambda path: not self._is_test(path))):
            if count >= MAX_FILES:
                self.is_cut = True
                return
            self._add(path, content)

    def _is_served(self, facts: Facts) -> bool:
        """Whether a file has routes without a root, or something like a view."""
        roots = {router.name for router in facts.routers if router.is_root}
        if facts.views or any(route.router not in roots for route in facts.routes):
            return True
        names = self._project.names(facts.path)
        if names is None:
            return False
        says_django = any(
            one.module.partition(".")[0] in ("django", "rest_framework") for one in names.imports.values()
        )
        return says_django or any(_SERVED.search(base) for bases in names.bases.values() for base in bases)

    # ------------------------------------------------------------------ labels

    def _found(self) -> Iterator[tuple[str, FunctionId]]:
        graph = self._graph()
        for facts in [*self._facts.values()]:
            names = self._project.names(facts.path)
            if names is None or self._is_test(facts.path):
                continue
            for route in facts.routes:
                if (id := self._resolve(route.handler, names)) is not None:
                    for path in self._paths(graph, facts, names, route):
                        yield from self._route_labels(route, path, id)
            for point in facts.points:
                if (id := self._resolve(point.handler, names)) is not None:
                    dotted = self._name(id)
                    owner = dotted.rpartition(".")[0]
                    yield point.label.replace(DOTTED, dotted).replace(OWNER, owner), id
        for label, dotted, path in scripts_of(self._tree, {facts.path for facts in self._facts.values()}):
            if (id := self._dotted(dotted.replace(":", "."), path)) is not None:
                yield label, id

    def _name(self, id: FunctionId) -> str:
        """``backend/shop/tasks.py::settle`` → ``shop.tasks.settle``, as Celery calls it: from the outermost package."""
        folders = id.path.split("/")[:-1]
        start = len(folders)
        while start and "/".join((*folders[:start], "__init__.py")) in self._paths_of_tree:
            start -= 1
        above = "".join(f"{folder}/" for folder in folders[:start]) if start < len(folders) else ""
        module = dotted_module(id.path.removeprefix(above))
        return module if id.qualname == MODULE else f"{module}.{id.qualname}"

    @cached_property
    def _paths_of_tree(self) -> frozenset[str]:
        return frozenset(self._tree.paths())

    def _route_labels(self, route: Route, path: str, id: FunctionId) -> Iterator[tuple[str, FunctionId]]:
        if route.style is Style.COMMAND:
            yield f"command {path}", id
        elif self._project.kind(id) is FunctionKind.CLASS_BODY:
            yield from self._class_labels(route, path, id)
        else:
            yield _verbs(route.methods or self._declared(id), path), id

    def _declared(self, id: FunctionId) -> tuple[str, ...]:
        """The methods that decorators of a view function allow."""
        facts = self._facts_of(id.path)
        found = (view.actions for view in (facts.views if facts else ()) if view.name == id.qualname)
        return next((actions[0].verbs for actions in found if actions), ())

    def _class_labels(self, route: Route, path: str, id: FunctionId) -> Iterator[tuple[str, FunctionId]]:
        """The class for any method, its own and inherited methods each for what they answer."""
        yield path, id
        if route.is_viewset:
            yield from self._viewset_labels(path, id)
            return
        actions = dict(route.actions)
        if not actions:
            actions = {verb.upper(): verb for verb in _VERBS}
            generic = {verb: name for name, (verb, _) in _VIEWSET.items() if name not in ("list", "retrieve")}
            for verb, name in (*generic.items(), ("GET", "list"), ("GET", "retrieve")):
                if (method := self._method(id, name)) is not None and self._is_generic(id):
                    yield _verbs((verb,), path), method
        for verb, name in actions.items():
            for candidate in (name, f"on_{name}"):  # Falcon
                if (method := self._method(id, candidate)) is not None:
                    yield _verbs((verb,), path), method
        yield from self._hook_labels(path, id)

    def _is_generic(self, id: FunctionId) -> bool:
        """Whether Django REST framework's own ``get`` calls the class's ``list``."""
        return any(name.endswith("APIView") or "Mixin" in name for name in self._project.mro(id).external)

    def _hook_labels(self, path: str, id: FunctionId) -> Iterator[tuple[str, FunctionId]]:
        for cls in self._project.mro(id).classes:
            names = self._project.names(cls.path)
            for hook in sorted(_VIEW_HOOKS):
                if names is not None and f"{cls.qualname}.{hook}" in names.kinds:
                    yield path, FunctionId(path=cls.path, qualname=f"{cls.qualname}.{hook}")

    def _viewset_labels(self, path: str, id: FunctionId) -> Iterator[tuple[str, FunctionId]]:
        lookup = "pk"
        actions: list[Action] = []
        for cls in reversed(self._project.mro(id).classes):
            facts = self._facts_of(cls.path)
            for view in facts.views if facts else ():
                if view.name == cls.qualname:
                    lookup = view.lookup or lookup
                    actions += view.actions
        one = f"{path.removesuffix('/')}/<{lookup}>{'/' if path.endswith('/') else ''}"
        for name, (verb, is_detail) in _VIEWSET.items():
            if (method := self._method(id, name)) is not None:
                yield _verbs((verb,), one if is_detail else path), method
        for action in actions:
            if (method := self._method(id, action.method)) is not None:
                yield _verbs(action.verbs, _extra(action, one if action.is_detail else path)), method
        yield from self._hook_labels(path, id)

    def _method(self, id: FunctionId, name: str) -> FunctionId | None:
        for cls in self._project.mro(id).classes:
            method = FunctionId(path=cls.path, qualname=f"{cls.qualname}.{name}")
            if self._project.kind(method) is not None:
                return method
        return None

    # ------------------------------------------------------------------ names

    def _resolve(self, handler: Handler, names: Names) -> FunctionId | None:
        """The function or class behind a registration, None where none of the tree is."""
        if handler.is_here:
            return FunctionId(path=names.path, qualname=handler.expressions[0])
        for expression in handler.expressions:
            found = self._dotted(expression, names.path) if handler.is_dotted else None
            found = found or (None if handler.is_dotted else self._expression(expression, handler.scope, names))
            if found is not None:
                return found
        return None

    def _expression(self, expression: str, scope: str, names: Names) -> FunctionId | None:
        head, _, rest = expression.partition(".")
        outer = scope
        while outer:
            if head in ("self", "cls") and names.kinds.get(outer) is FunctionKind.CLASS_BODY:
                return self._method(FunctionId(path=names.path, qualname=outer), rest) if rest else None
            if f"{outer}.{expression}" in names.kinds:
                return FunctionId(path=names.path, qualname=f"{outer}.{expression}")
            outer = outer.rpartition(".")[0]
        found = self._project.expression(names, expression)
        if found is None or self._project.kind(found) is not None:
            return found
        owner, _, name = found.qualname.rpartition(".")
        return self._method(FunctionId(path=found.path, qualname=owner), name) if owner else None

    def _dotted(self, dotted: str, importer: str) -> FunctionId | None:
        """The function of an absolute dotted name."""
        parts = dotted.split(".")
        for cut in range(len(parts) - 1, 0, -1):
            path = self._project.path_of(".".join(parts[:cut]), importer)
            names = self._project.names(path) if path is not None else None
            if names is not None:
                return self._expression(".".join(parts[cut:]), "", names)
        return None

    # ------------------------------------------------------------------ routers

    def _graph(self) -> _Graph:
        graph = _Graph()
        pending = list(self._facts)
        seen: set[str] = set()
        while pending and len(seen) < 10 * MAX_FILES + len(self._facts):
            path = pending.pop()
            facts, names = self._facts_of(path), self._project.names(path)
            if path in seen or facts is None or names is None or self._is_test(path):
                continue
            seen.add(path)
            for router in facts.routers:
                graph.routers.setdefault((path, router.name), router)
            for mount in facts.mounts:
                child = self._module_router(mount.child, names) if mount.is_module else self._router(mount.child, names)
                if child is not None and child != (path, mount.parent):
                    parent = self._router(mount.parent, names)
                    graph.parents[child].append((parent or (path, mount.parent), mount, names))
                    pending += [key[0] for key in (child, parent) if key is not None]
        return graph

    def _module_router(self, dotted: str, names: Names) -> _Key | None:
        path = self._project.path_of(dotted, names.path)
        if path is None or (target := self._project.names(path)) is None:
            return None
        return self._router("urlpatterns", target) or (path, "urlpatterns")

    def _router(self, expression: str, names: Names) -> _Key | None:
        """The file and the name that a router is bound to, through imports and re-exports."""
        for _ in range(MAX_HOPS):
            facts = self._facts_of(names.path)
            known = {router.name for router in facts.routers} if facts is not None else set()
            for name in (expression, expression.removesuffix(".urls")):
                if name in known:
                    return names.path, name
            owner, dot, name = expression.rpartition(".")
            path = self._project.imported_module(names, expression)
            if path is not None:
                following, expression = self._project.names(path), "urlpatterns"
            elif dot and (path := self._project.imported_module(names, owner)) is not None:
                following, expression = self._project.names(path), name
            else:
                head, dot, rest = expression.partition(".")
                imported = names.imports.get(head) or next(
                    (one for key, one in names.imports.items() if key.startswith("*")), None
                )
                path = self._project.path_of(imported.module, names.path) if imported is not None else None
                if imported is None or path is None or path == names.path:
                    return None
                following, expression = self._project.names(path), f"{imported.name or head}{dot}{rest}"
            if following is None:
                return None
            names = following
        return None

    def _paths(self, graph: _Graph, facts: Facts, names: Names, route: Route) -> list[str]:
        key = self._router(route.router, names) if route.router else None
        path = self._explained(route.path, names)
        prefixes = self._prefixes(graph, key or (facts.path, route.router), frozenset())
        whole = [_joined(prefix, path, route.style) for prefix in prefixes]
        if route.style is Style.COMMAND:
            return whole
        whole = [re.sub(f"{UNKNOWN}{{2,}}", UNKNOWN, path) for path in whole]
        return [path if path.startswith((UNKNOWN, "/")) else f"/{path}" for path in dict.fromkeys(whole)]

    def _prefixes(self, graph: _Graph, key: _Key, above: frozenset[_Key], own: bool = True) -> list[str]:
        """What stands before the routes of a router: one text for each way to a root."""
        router, names = graph.routers.get(key), self._project.names(key[0])
        prefix = self._explained(router.prefix, names) if router is not None and names is not None and own else ""
        mounts = graph.parents.get(key, [])
        if key in above or len(above) > MAX_HOPS:
            return []
        if not mounts:
            return [
                prefix
                if router is None or router.is_root
                else f"{UNKNOWN}{prefix}"
                if prefix[:1] != UNKNOWN
                else prefix
            ]
        result: dict[str, None] = {}
        for parent, mount, where in mounts:
            below = self._explained(mount.prefix, where)
            if not mount.replaces:
                below = _joined(below, prefix, mount.style)
            if parent is None:
                continue
            for start in self._prefixes(graph, parent, above | {key}):
                result[_joined(start, below, mount.style)] = None
            if len(result) >= MAX_PREFIXES:
                break
        return list(result)[:MAX_PREFIXES]

    def _explained(self, value: str, names: Names) -> str:
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
            path = self._project.imported_module(names, head) if dot else None
            path, expression = (path, rest) if path else (
                self._project.path_of(imported.module, names.path), f"{imported.name or head}{dot}{rest}"
            )  # fmt: skip
            following = self._project.names(path) if path is not None else None
            if following is None:
                return None
            names = following
        return None

    def _source(self, path: str) -> Source | None:
        if path not in self._constants:
            content = self._tree.read(path)
            try:
                module = read_module(path, content) if content is not None else None
            except EvidenceError:
                module = None
            self._constants[path] = Source(module, names_of(module)) if module is not None else None
        return self._constants[path]


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
        if id.name in _VIEW_HOOKS and "." in id.qualname:
            methods.setdefault(label, id)
        else:
            found.setdefault(label, id)
    found.update((label, ids.pop()) for label, ids in servicers.items() if len(ids) == 1)
    return {**methods, **found}


def _verbs(methods: tuple[str, ...], path: str) -> str:
    return f"{'|'.join(methods)} {path}" if methods else path


def _extra(action: Action, path: str) -> str:
    return f"{path.removesuffix('/')}/{action.path}{'/' if path.endswith('/') else ''}"


def _joined(left: str, right: str, style: Style) -> str:
    if style is Style.COMMAND:
        return f"{left} {right}".strip()
    if style is Style.DJANGO or not left or not right:
        return left + right
    return f"{left.rstrip('/')}/{right.lstrip('/')}"
