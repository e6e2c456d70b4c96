"""Where the routes of a router are reached: the prefixes of what it is mounted on, up to a root."""

import re
from collections import defaultdict
from dataclasses import dataclass, field

from gatecli.syntax.entrypoints.collected import MAX_FILES, Collected
from gatecli.syntax.entrypoints.facts import MODEL, UNKNOWN, Facts, Mount, Route, Router, Style
from gatecli.syntax.entrypoints.resolving import MAX_HOPS, Resolver
from gatecli.syntax.imports import Names

MAX_PREFIXES = 16
"""Ways to a root that are told apart."""

MAX_STEPS = 500
"""Mounts looked at for one route: routers that are all mounted on each other have more ways than can be walked."""

_Key = tuple[str, str]


@dataclass(slots=True)
class _Graph:
    """Routers by file and name, and what they are mounted on.

    ``handed`` are the mounts of applications that a function gets as an argument, ``serving`` all that have routes of
    the web, ``loose`` those of them that may have been handed over.
    """

    routers: dict[_Key, Router] = field(default_factory=dict)
    parents: dict[_Key, list[tuple[_Key | None, Mount, Names]]] = field(default_factory=lambda: defaultdict(list))
    handed: list[tuple[_Key, Mount, Names]] = field(default_factory=list)
    serving: set[_Key] = field(default_factory=set)
    loose: set[_Key] = field(default_factory=set)

    def take_handed(self) -> None:
        """Mount the application that is handed over: the only one that nobody mounts. Of several it may be any."""
        if not self.handed:
            return
        mounted = {key for key, _, _ in self.handed} | set(self.parents)
        roots = {key for key, router in self.routers.items() if router.is_root}
        self.loose = (self.serving & roots) - mounted
        if len(self.loose) == 1:
            self.parents[self.loose.pop()] += self.handed


class Prefixes:
    """The routers of the collected files, as they are mounted on each other when this is made."""

    def __init__(self, files: Collected, resolver: Resolver) -> None:
        self._files = files
        self._resolver = resolver
        self._graph = self._mounted()
        self._steps = 0

    def paths(self, facts: Facts, names: Names, route: Route) -> list[str]:
        """Every path that a route of a file answers, one for each way to a root."""
        key = self._router(route.router, names) if route.router else None
        path = self._resolver.text(route.path, names)
        self._steps = 0
        prefixes = self._prefixes(key or (facts.path, route.router), frozenset())
        whole = [_joined(prefix, path, route.style) for prefix in prefixes]
        if route.style is Style.COMMAND:
            return whole
        whole = [re.sub(f"{UNKNOWN}{{2,}}", UNKNOWN, path) for path in whole]
        return [path if path.startswith((UNKNOWN, "/")) else f"/{path}" for path in dict.fromkeys(whole)]

    def _prefixes(self, key: _Key, above: frozenset[_Key]) -> list[str]:
        """What stands before the routes of a router: one text for each way to a root."""
        router, names = self._graph.routers.get(key), self._files.project.names(key[0])
        prefix = self._resolver.text(router.prefix, names) if router is not None and names is not None else ""
        mounts = self._graph.parents.get(key, [])
        self._steps += 1
        if self._steps > MAX_STEPS:
            self._files.is_cut = True
            return []
        if key in above or len(above) > MAX_HOPS:
            return []
        if not mounts:
            is_open = router is None and not key[1].startswith(MODEL)
            is_root = router is not None and router.is_root and key not in self._graph.loose
            is_whole = is_open or is_root or prefix.startswith(UNKNOWN)
            return [prefix if is_whole else f"{UNKNOWN}{prefix}"]
        result: dict[str, None] = {}
        for parent, mount, where in mounts:
            below = self._resolver.text(mount.prefix, where)
            if not mount.replaces:
                below = _joined(below, prefix, mount.style)
            if parent is None:
                continue
            for start in self._prefixes(parent, above | {key}):
                result[_joined(start, below, mount.style)] = None
            if len(result) >= MAX_PREFIXES:
                break
        return list(result)[:MAX_PREFIXES]

    def _mounted(self) -> _Graph:
        graph = _Graph()
        pending = [facts.path for facts in self._files]
        most = 10 * MAX_FILES + len(pending)
        seen: set[str] = set()
        while pending and len(seen) < most:
            path = pending.pop()
            facts, names = self._files.get(path), self._files.project.names(path)
            if path in seen or facts is None or names is None or self._files.is_test(path):
                continue
            seen.add(path)
            for router in facts.routers:
                graph.routers.setdefault((path, router.name), router)
            graph.serving |= {(path, route.router) for route in facts.routes if route.style is Style.SLASHED}
            for mount in facts.mounts:
                child = self._module_router(mount.child, names) if mount.is_module else self._router(mount.child, names)
                if mount.is_handed:
                    graph.handed.append(((path, mount.parent), mount, names))
                if child is not None and child != (path, mount.parent):
                    parent = self._router(mount.parent, names)
                    graph.parents[child].append((parent or (path, mount.parent), mount, names))
                    if mount.style is Style.SLASHED:
                        graph.serving.add(parent or (path, mount.parent))
                    pending += [key[0] for key in (child, parent) if key is not None]
        graph.take_handed()
        return graph

    def _module_router(self, dotted: str, names: Names) -> _Key | None:
        path = self._files.project.path_of(dotted, names.path)
        if path is None or (target := self._files.project.names(path)) is None:
            return None
        return self._router("urlpatterns", target) or (path, "urlpatterns")

    def _router(self, expression: str, names: Names) -> _Key | None:
        """The file and the name that a router is bound to, through imports and re-exports."""
        if expression.startswith(MODEL):
            return self._model_list(expression, names)
        for _ in range(MAX_HOPS):
            facts = self._files.get(names.path)
            known = {router.name for router in facts.routers} if facts is not None else set()
            for name in (expression, expression.removesuffix(".urls")):
                if name in known:
                    return names.path, name
            owner, dot, name = expression.rpartition(".")
            path = self._files.project.imported_module(names, expression)
            if path is not None:
                following, expression = self._files.project.names(path), "urlpatterns"
            elif dot and (path := self._files.project.imported_module(names, owner)) is not None:
                following, expression = self._files.project.names(path), name
            else:
                head, dot, rest = expression.partition(".")
                imported = names.imports.get(head) or next(
                    (one for key, one in names.imports.items() if key.startswith("*")), None
                )
                path = self._files.project.path_of(imported.module, names.path) if imported is not None else None
                if imported is None or path is None or path == names.path:
                    return None
                following, expression = self._files.project.names(path), f"{imported.name or head}{dot}{rest}"
            if following is None:
                return None
            names = following
        return None

    def _model_list(self, expression: str, names: Names) -> _Key | None:
        """The list of a model's views, by the name of its application: ``shop/models/order.py::Order`` is shop's."""
        model, _, end = expression.removeprefix(MODEL).rpartition("/")
        if not re.fullmatch(r"[a-z_0-9]+\.[a-z_0-9]+", model):
            found = self._files.project.expression(names, model)
            app = re.search(r"(?:^|/)(\w+)/models(?:/|\.py$)", found.path) if found is not None else None
            if found is None or app is None:
                return None
            model = f"{app[1]}.{found.name}".lower()
        return "", f"{MODEL}{model}/{end}"


def _joined(left: str, right: str, style: Style) -> str:
    if style is Style.COMMAND:
        return f"{left} {right}".strip()
    if style is Style.DJANGO or not left or not right:
        return left + right
    return f"{left.rstrip('/')}/{right.lstrip('/')}"
