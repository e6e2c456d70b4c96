"""Flask, Quart, FastAPI, Starlette, aiohttp, Sanic, Bottle, Falcon, Tornado: routes, routers and what mounts them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gatecli.model import Function, FunctionKind
from gatecli.routes import readable
from gatecli.syntax.entrypoints.facts import DOTTED, OPEN, UNKNOWN, Fact, Handler, Mount, Point, Route, Router, Style
from gatecli.syntax.entrypoints.family import Family
from gatecli.syntax.entrypoints.source import Call, Source, as_call, here, text

if TYPE_CHECKING:
    from tree_sitter import Node

VERBS = ("get", "post", "put", "patch", "delete", "head", "options", "trace")
_ROOTS = ("Flask", "Quart", "FastAPI", "Starlette", "Sanic", "Bottle", "Application", "APIFlask", "NinjaAPI", "OpenAPI")
_NO_WEB = ("Typer", "Celery", "Huey", "RedisHuey", "SqliteHuey")
# Functions that a web framework calls around requests.
_HOOKS = (
    "before_request", "after_request", "teardown_request", "before_app_request", "after_app_request", "errorhandler",
    "app_errorhandler", "exception_handler", "teardown_appcontext", "context_processor", "before_serving", "on_event",
    "middleware", "http_middleware",
)  # fmt: skip


def _decorated(source: Source, function: Function, call: Call) -> Iterator[Fact]:
    made = source.constructor(call.owner)
    if made is not None and made.name in _NO_WEB:
        return
    path = source.value(call.arg(0, "path", "rule", "uri"))
    if path is None or path[:1] not in ("", "/", OPEN, UNKNOWN):  # mock.patch("shop.pay") is no route
        return
    if not path and not call.args and not call.keywords:
        return
    yield Route(
        router=call.owner.removesuffix(".router"),
        path=path,
        handler=here(function),
        style=Style.SLASHED,
        methods=_methods(source, function, call),
    )


def _methods(source: Source, function: Function, call: Call) -> tuple[str, ...]:
    if call.name in VERBS:
        return (call.name.upper(),)
    if call.name.startswith("websocket"):
        return ("WEBSOCKET",)
    if call.name == "view" or function.kind is FunctionKind.CLASS_BODY:
        return ()
    named = source.words(call.keywords.get("methods") or call.keywords.get("method"))
    return tuple(word.upper() for word in named) or ("GET",)


def _hook(source: Source, function: Function, call: Call) -> Iterator[Fact]:
    if call.owner or call.name == "middleware":
        yield Point(handler=here(function), label=f"hook {call.name} → {DOTTED}")


def _router(source: Source, call: Call) -> Iterator[Fact]:
    """An application or router that is bound to a name."""
    name = _bound(call)
    if not name:
        return
    prefix = source.value(call.keywords.get("url_prefix") or call.keywords.get("prefix")) or ""
    if call.name == "Namespace":
        prefix = source.value(call.keywords.get("path")) or f"/{source.value(call.arg(0)) or UNKNOWN}"
    yield Router(name=name, prefix=prefix, is_root=call.name in (*_ROOTS, "RouteTableDef"))
    routes = call.arg(0, "routes")
    if call.name in (*_ROOTS, "Router", "URLRouter") and routes is not None and routes.type == "identifier":
        yield Mount(parent=name, child=text(routes), prefix="", style=Style.SLASHED)
    if call.name == "Application" and routes is not None and routes.type == "list":
        yield from _tornado(source, call, routes, name)


def _api(source: Source, call: Call) -> Iterator[Fact]:
    """``api = Api(blueprint, prefix="/v1")`` of Flask-RESTful, RESTX and smorest: its routes are those of the first."""
    name, below = _bound(call), call.arg(0, "app")
    if name and below is not None and below.type in ("identifier", "attribute"):
        yield Router(name=name, prefix=source.value(call.keywords.get("prefix")) or "")
        yield Mount(parent=text(below), child=name, prefix="", style=Style.SLASHED)


def _bound(call: Call) -> str:
    node = call.node
    while node.parent is not None and node.parent.type in ("parenthesized_expression", "await"):
        node = node.parent
    parent = node.parent
    left = parent.child_by_field_name("left") if parent is not None and parent.type == "assignment" else None
    return text(left) if left is not None else ""


def _tornado(source: Source, call: Call, routes: "Node", name: str) -> Iterator[Fact]:
    for item in routes.named_children:
        made = as_call(item)
        parts = item.named_children if item.type == "tuple" else made.args if made and made.name == "url" else ()
        if len(parts) >= 2 and (path := source.value(parts[0])) and (handler := source.handler(parts[1], call.scope)):
            yield Route(router=name, path=readable(path), handler=handler, style=Style.SLASHED)


def _include(source: Source, call: Call) -> Iterator[Fact]:
    """``include_router``, ``register_blueprint``, ``mount``, ``add_subapp`` and their like."""
    child, prefix, replaces = call.arg(0, "router", "blueprint"), call.keywords.get("prefix"), False
    if call.name in ("register_blueprint", "blueprint"):
        prefix = call.keywords.get("url_prefix") or (call.args[1] if len(call.args) > 1 else None)
        replaces = prefix is not None
    elif call.name in ("mount", "add_subapp", "add_router"):
        prefix, child = call.arg(0, "path", "prefix"), call.arg(1, "app", "router", "subapp")
    elif call.name == "add_namespace":
        prefix = call.keywords.get("path") or (call.args[1] if len(call.args) > 1 else None)
        replaces = prefix is not None
    if child is None or child.type not in ("identifier", "attribute") or not call.owner:
        return
    where = source.value(prefix) if prefix is not None else ""
    is_handed = call.name in ("mount", "add_subapp") and source.is_parameter(text(child), call.scope)
    for expression in source.each(call.node, text(child)):
        yield Mount(
            parent=call.owner.removesuffix(".router"),
            child=expression,
            prefix=UNKNOWN if where is None and prefix is not None and prefix.type != "none" else where or "",
            style=Style.SLASHED,
            replaces=replaces,
            is_handed=is_handed,
        )


def _add_routes(source: Source, call: Call) -> Iterator[Fact]:
    routes = call.arg(0)
    if routes is not None and routes.type in ("identifier", "attribute"):
        yield Mount(parent=call.owner.removesuffix(".router"), child=text(routes), prefix="", style=Style.SLASHED)


def _added(source: Source, call: Call) -> Iterator[Fact]:
    """``add_url_rule``, ``add_api_route``, ``add_route``, ``add_get`` and their like."""
    first, second = call.arg(0, "rule", "path"), call.arg(1, "endpoint", "handler")
    verb = call.name.removeprefix("add_")
    methods = tuple(word.upper() for word in source.words(call.keywords.get("methods")))
    if verb in VERBS:
        methods = (verb.upper(),)
    elif verb == "url_rule":
        second = call.arg(2, "view_func")
        methods = methods or (() if second is None or "as_view" in text(second) else ("GET",))
    elif "websocket" in verb:
        methods = ("WEBSOCKET",)
    elif verb == "api_route":
        methods = methods or ("GET",)
    elif verb == "route" and first is not None and first.type != "string" and second is not None:
        first, second = second, first  # Sanic
    elif verb == "route" and len(call.args) >= 3 and first is not None and first.type == "string":
        named, path = source.value(first), source.value(second)
        if named and path is not None and path[:1] in ("/", OPEN, ""):  # aiohttp
            methods, first, second = (() if named == "*" else (named.upper(),)), second, call.args[2]
    yield from _route(source, call, first, second, methods, call.owner.removesuffix(".router"))


def _listed(source: Source, call: Call) -> Iterator[Fact]:
    """``Route("/x", f)`` of Starlette, ``web.get("/x", f)`` of aiohttp, in a list."""
    first, second = call.arg(0, "path"), call.arg(1, "endpoint", "handler")
    methods = tuple(word.upper() for word in source.words(call.keywords.get("methods")))
    if call.name in (*VERBS, "view", "route"):
        if call.owner.rpartition(".")[2] != "web":
            return
        methods = (call.name.upper(),) if call.name in VERBS else ()
        if call.name == "route":
            named = source.value(first) or "*"
            methods, first, second = (() if named == "*" else (named.upper(),)), call.arg(1), call.arg(2)
    elif call.name == "WebSocketRoute":
        methods = ("WEBSOCKET",)
    elif not methods:
        methods = ("GET",)
    router, prefix = source.place(call, lambda outer: _nested(source, outer))
    if router:
        yield Router(name=router, is_root=True)
    yield from _route(source, call, first, second, methods, router, prefix)


def _nested(source: Source, outer: Call) -> str | None:
    return source.value(outer.arg(0, "path")) if outer.name == "Mount" else None


def _mounted(source: Source, call: Call) -> Iterator[Fact]:
    """``Mount("/x", app=sub)`` and ``Mount("/x", routes=routes)``."""
    child = call.keywords.get("routes") or call.arg(1, "app")
    if child is not None and child.type in ("identifier", "attribute"):
        router, prefix = source.place(call, lambda outer: _nested(source, outer))
        where = prefix + (source.value(call.arg(0, "path")) or "")
        yield Mount(parent=router, child=text(child), prefix=where, style=Style.SLASHED)


def _resource(source: Source, call: Call) -> Iterator[Fact]:
    """Flask-RESTful: ``api.add_resource(Orders, "/orders", "/old-orders")``."""
    if len(call.args) < 2 or call.args[0].type == "string":
        return
    for path in call.args[1:]:
        yield from _route(source, call, path, call.args[0], (), call.owner)


def _route(
    source: Source,
    call: Call,
    path_node: "Node | None",
    handler_node: "Node | None",
    methods: tuple[str, ...],
    router: str,
    prefix: str = "",
) -> Iterator[Fact]:
    path = source.value(path_node)
    handler: Handler | None = source.handler(handler_node, call.scope)
    if path is None or handler is None or path[:1] not in ("", "/", OPEN, UNKNOWN):
        return
    yield Route(router=router, path=prefix + path, handler=handler, style=Style.SLASHED, methods=methods)


FAMILY = Family(
    decorators={
        **dict.fromkeys((*VERBS, "route", "view", "websocket", "websocket_route", "api_route"), _decorated),
        **dict.fromkeys(_HOOKS, _hook),
    },
    calls={
        **dict.fromkeys((*_ROOTS, "RouteTableDef", "Router", "Namespace"), _router),
        **dict.fromkeys(("include_router", "register_blueprint", "blueprint", "mount", "add_subapp", "add_router",
                         "add_namespace"), _include),
        **dict.fromkeys(("add_url_rule", "add_api_route", "add_route", "add_view", "add_websocket_route",
                         "add_api_websocket_route", *(f"add_{verb}" for verb in VERBS)), _added),
        **dict.fromkeys(("Route", "WebSocketRoute"), _listed),
        "Api": _api,
        "Mount": _mounted,
        "add_routes": _add_routes,
        "add_resource": _resource,
    },
    suffixes={"APIRouter": _router, "Blueprint": _router, "Router": _router},
)  # fmt: skip

# ``web.get(…)``: the words are too common to be looked at in files that do not speak of aiohttp.
AIOHTTP = Family(calls=dict.fromkeys((*VERBS, "view", "route"), _listed), marks=(b"aiohttp",))
