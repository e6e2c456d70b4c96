"""Django and Django REST framework: URLconfs, routers, view classes, management commands, middleware, admin."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gatecli.model import Function, FunctionKind
from gatecli.routes import readable
from gatecli.syntax.entrypoints.facts import (
    DOTTED,
    MODEL,
    OWNER,
    UNKNOWN,
    Action,
    Fact,
    Mount,
    Point,
    Route,
    Router,
    Style,
    View,
)
from gatecli.syntax.entrypoints.family import Family
from gatecli.syntax.entrypoints.source import Call, Source, as_call, here, text
from gatecli.syntax.trees import captures

if TYPE_CHECKING:
    from tree_sitter import Node

_VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_REGEX = ("re_path", "url")
_URL_LIST = re.compile(r"(?:^|\.|_)(?:urlpatterns|patterns|urls)$")
_MIDDLEWARE = ("process_request", "process_response", "process_view", "process_exception", "__call__")
_DECLARED = {"require_GET": ("GET",), "require_POST": ("POST",), "require_safe": ("GET", "HEAD")}
_ADMIN_ACTION = ("action", "display")


def _url(source: Source, call: Call) -> Iterator[Fact]:
    """``path("orders/", view)`` and its like, also a project's own that take a view for each verb."""
    route = _path_of(source, call)
    if route is None:
        return
    router, before = source.place(call, lambda outer: _path_of(source, outer) if _is_url(outer.name) else None)
    path = before + route
    if router:
        yield Router(name=router, is_root=router == "urlpatterns")
    verbs = [(verb, node) for verb in _VERBS if (node := call.keywords.get(verb)) is not None]
    for verb, node in verbs:
        first = node.named_children[0] if node.type == "tuple" and node.named_children else node
        yield from _view(source, call, router, path, first, (verb,))
    target = call.arg(1, "view")
    if target is None or verbs:
        return
    child, is_module = _included(source, target)
    if child is not None:
        yield Mount(parent=router, child=child, prefix=path, style=Style.DJANGO, is_module=is_module)
    elif not (target.type == "call" and _name(target) == "include") and target.type not in ("tuple", "list"):
        yield from _view(source, call, router, path, target, ())


def _is_url(name: str) -> bool:
    return name in ("path", *_REGEX) or name.endswith("_path")


def _path_of(source: Source, call: Call) -> str | None:
    node = call.arg(0, "route", "regex", "pattern")
    value = source.value(node)
    if value is None or node is None:
        return None
    is_regex = call.name in _REGEX or value.startswith("^")
    return readable(value) if is_regex else value


def _view(
    source: Source, call: Call, router: str, path: str, target: "Node", methods: tuple[str, ...]
) -> Iterator[Fact]:
    handler = source.handler(target, call.scope)
    if handler is not None:
        yield Route(
            router=router, path=path, handler=handler, style=Style.DJANGO, methods=methods,
            actions=_as_view_actions(source, target),
        )  # fmt: skip


def _as_view_actions(source: Source, target: "Node") -> tuple[tuple[str, str], ...]:
    """``Orders.as_view({"get": "list"})``, also inside a decorator's call."""
    call = as_call(target)
    while call is not None and call.name != "as_view":
        call = as_call(next((arg for arg in call.args if arg.type == "call"), None))
    first = call.arg(0, "actions") if call is not None else None
    if first is None or first.type != "dictionary":
        return ()
    pairs = [(source.value(p.child_by_field_name("key")), source.value(p.child_by_field_name("value")))
             for p in first.named_children if p.type == "pair"]  # fmt: skip
    return tuple((verb.upper(), method) for verb, method in pairs if verb and method)


def _included(source: Source, target: "Node") -> tuple[str | None, bool]:
    """What ``include(…)``, ``router.urls`` or ``(patterns, "app", "name")`` stands for: an expression or a module."""
    call = as_call(target)
    if call is not None:
        if call.name != "include":
            return None, False
        inner = call.arg(0, "arg")
        if (views := _model_views(source, inner)) is not None:
            return views, False
        if inner is not None and inner.type == "tuple" and inner.named_children:
            inner = inner.named_children[0]
    else:
        is_urls = target.type == "attribute" and text(target).endswith(".urls")
        inner = target if is_urls else target.named_children[0] if target.type == "tuple" else None
    if inner is None:
        return None, False
    if inner.type in ("identifier", "attribute"):
        return text(inner), False
    value = source.value(inner) if inner.type in ("string", "concatenated_string") else None
    return (value, True) if value and UNKNOWN not in value else (None, False)


def _model_views(source: Source, node: "Node | None") -> str | None:
    """``get_model_urls("shop", "order", detail=False)`` of NetBox: what is put on a model's list."""
    call = as_call(node)
    if call is None or call.name != "get_model_urls":
        return None
    app, model = source.value(call.arg(0, "app_label")), source.value(call.arg(1, "model_name"))
    return f"{MODEL}{app}.{model}/{_list_or_detail(call)}" if app and model else None


def _list_or_detail(call: Call) -> str:
    detail = call.keywords.get("detail")
    return "list" if detail is not None and text(detail) == "False" else "detail"


def _model_view(source: Source, function: Function, call: Call) -> Iterator[Fact]:
    """``@register_model_view(Order, "pay", path="pay-now", detail=True)`` of NetBox and its plugins."""
    model, path = call.arg(0, "model"), source.value(call.arg(2, "path"))
    path = source.value(call.arg(1, "name")) or "" if path is None else path
    if model is not None and model.type in ("identifier", "attribute") and function.kind is FunctionKind.CLASS_BODY:
        yield Route(
            router=f"{MODEL}{text(model)}/{_list_or_detail(call)}", path=f"{path}/" if path else "",
            handler=here(function), style=Style.DJANGO,
        )  # fmt: skip


def _name(node: "Node") -> str:
    call = as_call(node)
    return call.name if call is not None else ""


def _register(source: Source, call: Call) -> Iterator[Fact]:
    """``router.register("orders", OrderViewSet)``, on a router of this file or an imported one."""
    prefix, handler = source.value(call.arg(0, "prefix")), source.handler(call.arg(1, "viewset"), call.scope)
    made = source.constructor(call.owner)
    name = made.name if made is not None else call.owner
    if prefix is None or handler is None or not call.owner or not name.lower().endswith("router"):
        return
    slash = made.keywords.get("trailing_slash") if made is not None else None
    end = "" if slash is not None and text(slash) == "False" else "/"
    yield Route(
        router=call.owner, path=readable(prefix).rstrip("/") + end, handler=handler, style=Style.DJANGO, is_viewset=True
    )


def _nested_router(source: Source, call: Call) -> Iterator[Fact]:
    """drf-nested-routers: ``NestedSimpleRouter(router, "domains", lookup="domain")``."""
    parent = call.node.parent
    left = parent.child_by_field_name("left") if parent is not None and parent.type == "assignment" else None
    above, prefix = call.arg(0), source.value(call.arg(1))
    if left is not None and above is not None and prefix:
        lookup = source.value(call.keywords.get("lookup")) or "nested_1"
        yield Router(name=text(left))
        yield Mount(parent=text(above), child=text(left), prefix=f"{prefix}/<{lookup}_pk>/", style=Style.DJANGO)


def _action(source: Source, function: Function, call: Call) -> Iterator[Fact]:
    """``@action(detail=True, methods=["post"], url_path="pay")`` on a method of a view set."""
    owner, _, method = function.id.qualname.rpartition(".")
    detail = call.keywords.get("detail")
    if not owner or function.kind is not FunctionKind.METHOD:
        return
    if detail is None and call.name == "action":
        return
    path = source.value(call.keywords.get("url_path")) or method
    verbs = tuple(word.upper() for word in source.words(call.keywords.get("methods") or call.arg(0, "methods")))
    is_detail = call.name == "detail_route" or (detail is not None and text(detail) == "True")
    extra = Action(method=method, verbs=verbs or ("GET",), path=readable(path), is_detail=is_detail)
    yield View(name=owner, actions=(extra,))


def _admin(source: Source, function: Function, call: Call) -> Iterator[Fact]:
    if call.owner.endswith("admin") and (call.name != "register" or function.kind is FunctionKind.CLASS_BODY):
        yield Point(handler=here(function), label=f"admin {DOTTED}")


def _declared(source: Source, function: Function, call: Call) -> Iterator[Fact]:
    """Which methods a view function answers: ``@api_view(["GET"])``, ``@require_POST``."""
    verbs = _DECLARED.get(call.name) or tuple(word.upper() for word in source.words(call.arg(0)))
    if call.name == "api_view" and not verbs:
        verbs = ("GET",)
    if verbs and function.kind is not FunctionKind.CLASS_BODY:
        yield View(name=function.id.qualname, actions=(Action(method="", verbs=verbs, path="", is_detail=False),))


def _lists(source: Source) -> Iterator[Fact]:
    """Lists of routes, and those that are put together: ``urlpatterns += router.urls``."""
    if b"patterns" not in source.module.source and b"urls" not in source.module.source:
        return
    query = "[(assignment right: (_)) (augmented_assignment)] @a"
    for node in captures(query, source.module.tree.root_node).get("a", ()):
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None or not _URL_LIST.search(text(left)):
            continue
        yield Router(name=text(left), is_root=text(left) == "urlpatterns")
        for operand in _operands(right):
            yield Mount(parent=text(left), child=operand, prefix="", style=Style.DJANGO)


def _root_views(source: Source) -> Iterator[Fact]:
    """``router.APIRootView = views.Root``: what answers at the beginning of a router of Django REST framework."""
    if b"APIRootView" not in source.module.source:
        return
    for expression, (value, *_) in source.bindings.items():
        router, _, name = expression.rpartition(".")
        handler = source.handler(value, "") if router and name == "APIRootView" else None
        if handler is not None:
            yield Route(router=router, path="", handler=handler, style=Style.DJANGO, methods=("GET",))


def _operands(node: "Node") -> list[str]:
    """The names that are added up to a list."""
    found, pending = [], [node]
    for _ in range(400):
        if not pending:
            break
        current = pending.pop()
        if current.type in ("identifier", "attribute"):
            found.append(text(current))
        elif current.type in ("binary_operator", "list_splat", "parenthesized_expression", "list"):
            pending += [c for c in reversed(current.named_children) if current.type != "list" or c.type == "list_splat"]
        elif current.type == "call" and _name(current) in ("i18n_patterns", "format_suffix_patterns", "include"):
            call = as_call(current)
            pending += list(reversed(call.args)) if call is not None else []
    return found


def _classes(source: Source) -> Iterator[Fact]:
    path = f"/{source.module.path}"
    for function in source.module.functions:
        owner, _, name = function.id.qualname.rpartition(".")
        if function.kind is FunctionKind.CLASS_BODY:
            lookup = _lookup(source, function.id.qualname) if b"lookup" in source.module.source else None
            if lookup:
                yield View(name=function.id.qualname, lookup=lookup)
        if function.kind is not FunctionKind.METHOD:
            continue
        if name == "handle" and "/management/commands/" in path:
            yield Point(handler=here(function), label=f"command {path.rsplit('/', 1)[-1].removesuffix('.py')}")
        elif name in _MIDDLEWARE and _is_middleware(source, owner):
            yield Point(handler=here(function), label=f"middleware {OWNER}")


def _is_middleware(source: Source, owner: str) -> bool:
    """Django's take ``get_response``; those of ASGI ``scope, receive, send``."""
    if any(base.rpartition(".")[2] == "MiddlewareMixin" for base in source.names.bases.get(owner, ())):
        return True
    for function in source.module.functions:
        names = [parameter.name for parameter in function.parameters]
        if function.id.qualname == f"{owner}.__init__" and "get_response" in names:
            return True
        if function.id.qualname == f"{owner}.__call__" and names[1:4] == ["scope", "receive", "send"]:
            return True
    return False


def _lookup(source: Source, qualname: str) -> str | None:
    for name, node in zip(source.module.functions, source.module.nodes, strict=True):
        if name.id.qualname != qualname:
            continue
        found = dict(re.findall(rb"^\s+lookup_(url_kwarg|field)\s*=\s*['\"](\w+)['\"]", node.text or b"", re.M))
        lookup = found.get(b"url_kwarg") or found.get(b"field")
        return lookup.decode() if lookup else None
    return None


FAMILY = Family(
    decorators={
        **dict.fromkeys(("action", "detail_route", "list_route"), _action),
        "register_model_view": _model_view,
        **dict.fromkeys(("api_view", "require_http_methods", *_DECLARED), _declared),
    },
    calls={**dict.fromkeys(("path", *_REGEX), _url), "register": _register},
    suffixes={"_path": _url, "NestedSimpleRouter": _nested_router, "NestedDefaultRouter": _nested_router},
    files=lambda source: [*_lists(source), *_classes(source), *_root_views(source)],
)
ADMIN = Family(decorators=dict.fromkeys(("register", *_ADMIN_ACTION), _admin))
