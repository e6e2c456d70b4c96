"""The labels of a registered handler: a function for its verbs, a class for what each of its methods answers."""

from collections.abc import Iterator

from gatecli.model import FunctionId, FunctionKind
from gatecli.syntax.entrypoints.collected import Collected
from gatecli.syntax.entrypoints.facts import Action, Route, Style
from gatecli.syntax.entrypoints.resolving import Resolver

_VERBS = ("get", "post", "put", "patch", "delete", "head", "options")
# Which method of a view set answers what, and whether its route names one object (rest_framework.routers).
_VIEWSET = {
    "list": ("GET", False), "create": ("POST", False), "retrieve": ("GET", True), "update": ("PUT", True),
    "partial_update": ("PATCH", True), "destroy": ("DELETE", True),
}  # fmt: skip
# The library's classes that answer for one object where the project's class says nothing (rest_framework.mixins).
_ANSWERS_FOR_ONE = ("ModelViewSet", "RetrieveModelMixin", "UpdateModelMixin", "DestroyModelMixin")
# Methods that frameworks call on a view class for any of its requests.
VIEW_HOOKS = frozenset({
    "dispatch", "initial", "get_queryset", "get_object", "get_context_data", "get_form", "get_form_class",
    "get_form_kwargs", "form_valid", "form_invalid", "get_template_names", "get_success_url", "render_to_response",
    "get_serializer_class", "get_serializer", "get_serializer_context", "perform_create", "perform_update",
    "perform_destroy", "get_permissions", "check_permissions", "filter_queryset", "test_func", "get_redirect_url",
    "prepare",
})  # fmt: skip


class Views:
    """Knows what a framework calls on a view class for which request."""

    def __init__(self, files: Collected, resolver: Resolver) -> None:
        self._files = files
        self._resolver = resolver

    def labels(self, route: Route, path: str, id: FunctionId) -> Iterator[tuple[str, FunctionId]]:
        """The labels of what is registered as ``route`` at ``path``, each with the function that answers."""
        if route.style is Style.COMMAND:
            yield f"command {path}", id
        elif self._files.project.kind(id) is FunctionKind.CLASS_BODY:
            yield from self._class_labels(route, path, id)
        else:
            yield _verbs(route.methods or self._declared(id), path), id

    def _declared(self, id: FunctionId) -> tuple[str, ...]:
        """The methods that decorators of a view function allow."""
        facts = self._files.get(id.path)
        found = (view.actions for view in (facts.views if facts else ()) if view.name == id.qualname)
        return next((actions[0].verbs for actions in found if actions), ())

    def _class_labels(self, route: Route, path: str, id: FunctionId) -> Iterator[tuple[str, FunctionId]]:
        """The class for any method, its own and inherited methods each for what they answer.

        A class without methods of such names answers what its registration says.
        """
        if route.is_viewset:
            yield path, id
            yield from self._viewset_labels(path, id)
            return
        if route.methods and not any(self._resolver.method(id, verb) for verb in _VERBS):
            path = _verbs(route.methods, path)
            yield path, id
            yield from self._hook_labels(path, id)
            return
        yield path, id
        actions = dict(route.actions)
        if not actions:
            actions = {verb.upper(): verb for verb in _VERBS}
            generic = {verb: name for name, (verb, _) in _VIEWSET.items() if name not in ("list", "retrieve")}
            for verb, name in (*generic.items(), ("GET", "list"), ("GET", "retrieve")):
                if (method := self._resolver.method(id, name)) is not None and self._is_generic(id):
                    yield _verbs((verb,), path), method
        for verb, name in actions.items():
            for candidate in (name, f"on_{name}"):  # Falcon
                if (method := self._resolver.method(id, candidate)) is not None:
                    yield _verbs((verb,), path), method
        yield from self._hook_labels(path, id)

    def _is_generic(self, id: FunctionId) -> bool:
        """Whether Django REST framework's own ``get`` calls the class's ``list``."""
        return any(name.endswith("APIView") or "Mixin" in name for name in self._files.project.mro(id).external)

    def _hook_labels(self, path: str, id: FunctionId) -> Iterator[tuple[str, FunctionId]]:
        for cls in self._files.project.mro(id).classes:
            names = self._files.project.names(cls.path)
            for hook in sorted(VIEW_HOOKS):
                if names is not None and f"{cls.qualname}.{hook}" in names.kinds:
                    yield path, FunctionId(path=cls.path, qualname=f"{cls.qualname}.{hook}")

    def _viewset_labels(self, path: str, id: FunctionId) -> Iterator[tuple[str, FunctionId]]:
        lookup = "pk"
        actions: list[Action] = []
        for cls in reversed(self._files.project.mro(id).classes):
            facts = self._files.get(cls.path)
            for view in facts.views if facts else ():
                if view.name == cls.qualname:
                    lookup = view.lookup or lookup
                    actions += view.actions
        one = f"{path.removesuffix('/')}/<{lookup}>{'/' if path.endswith('/') else ''}"
        if any(name.endswith(_ANSWERS_FOR_ONE) for name in self._files.project.mro(id).external):
            yield one, id
        for name, (verb, is_detail) in _VIEWSET.items():
            if (method := self._resolver.method(id, name)) is not None:
                yield _verbs((verb,), one if is_detail else path), method
        for action in actions:
            if (method := self._resolver.method(id, action.method)) is not None:
                yield _verbs(action.verbs, _extra(action, one if action.is_detail else path)), method
        yield from self._hook_labels(path, id)


def _verbs(methods: tuple[str, ...], path: str) -> str:
    return f"{'|'.join(methods)} {path}" if methods else path


def _extra(action: Action, path: str) -> str:
    return f"{path.removesuffix('/')}/{action.path}{'/' if path.endswith('/') else ''}"
