"""Where the outside world enters a program: routes, tasks, commands, signal receivers, scripts.

Read from decorators, base classes and file names, never by importing. A label is what a person calls the entry point:
``POST /orders/<int:size>``, ``task shop.tasks.settle``, ``command sync``.
"""

import re
from collections.abc import Mapping

from gatecli.model import Function, FunctionId, FunctionKind, Tree
from gatecli.syntax.imports import Names, Project, names_of
from gatecli.syntax.python import MODULE, Module, read_module

# Framework facts: Flask and Blueprint, FastAPI/Starlette routers, aiohttp RouteTableDef share the verb decorators.
_ROUTE = re.compile(
    r"^(?P<owner>[\w.]+)\.(?P<verb>route|get|post|put|delete|patch|head|options|websocket|api_route)"
    r"\(\s*(?:path\s*=\s*|rule\s*=\s*)?[rbuf]?['\"](?P<path>[^'\"]*)['\"](?P<rest>.*)$",
    re.S,
)
_METHODS = re.compile(r"methods\s*=\s*[\[({](?P<methods>[^\])}]*)")
_PREFIX = re.compile(
    rb"^(?P<name>\w+)\s*(?::[^=\n]+)?=\s*[\w.]*(?:Blueprint|APIRouter|Router)\((?P<args>[^)]{0,500})\)", re.M
)
_PREFIX_VALUE = re.compile(rb"(?:url_)?prefix\s*=\s*[rbuf]?['\"](?P<value>[^'\"]*)")
# Celery, RQ, Dramatiq, Huey, Procrastinate, APScheduler.
_TASK = re.compile(r"^(?:[\w.]+\.)?(?P<what>shared_task|task|periodic_task|actor|job|scheduled_job|db_task)(?:\(|$)")
_TASK_NAME = re.compile(r"(?:\bname|\bactor_name)\s*=\s*['\"](?P<name>[^'\"]+)|\(\s*['\"](?P<first>[^'\"]+)")
# Click, Typer and Flask command groups; Django, Blinker and Celery signals; Strawberry and Graphene.
_COMMAND = re.compile(r"^(?:[\w.]+\.)?(?:command|callback|cli\.command|group)(?:\(|$)")
_SIGNAL = re.compile(r"^(?:[\w.]+\.)?(?:receiver\(|connect(?:\(|_via\(|$)|on_event\(|listens_for\()")
_RESOLVER = re.compile(r"^strawberry(?:\.\w+)*\.?(?:field|mutation|subscription)(?:\(|$)")

_HTTP_METHODS = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "list", "retrieve", "create"})
_VIEW_BASE = re.compile(r"(?:View|ViewSet|Resource|HTTPEndpoint|RequestHandler|MethodView)$")
_MAIN = re.compile(rb"^if\s+__name__\s*==", re.M)
_URL = re.compile(rb"(?:path|re_path|url)\(\s*r?['\"](?P<route>[^'\"]*)")

# Words whose presence makes a file worth reading for routes and tasks.
ROUTE_WORDS = ("route", "Blueprint", "APIRouter", "FastAPI", "Flask", "shared_task", "task", "actor", "RouteTableDef")


def entry_points(module: Module, names: Names) -> Mapping[FunctionId, str]:
    """The functions of a file that the outside world calls, with their labels."""
    prefixes = {match["name"].decode(): _prefix(match["args"]) for match in _PREFIX.finditer(module.source)}
    result = {}
    for function in module.functions:
        label = _label(function, module, names, prefixes)
        if label is not None:
            result[function.id] = label
    return result


def routes(tree: Tree) -> Mapping[str, FunctionId]:
    """Every decorated route and task of a tree: label → handler. Reads only the files that speak of them."""
    from gatecli.errors import EvidenceError

    found: dict[str, FunctionId] = {}
    project = Project(tree)
    for path, source in tree.grep(ROUTE_WORDS):
        try:
            module = read_module(path, source)
        except EvidenceError:
            continue
        names = names_of(module)
        project.add(names)
        for id, label in entry_points(module, names).items():
            found.setdefault(label, id)
    return found


def url_label(module: Module, line: int) -> str | None:
    """The route that a line of a Django URLconf registers."""
    if not module.path.endswith("urls.py"):
        return None
    lines = module.source.split(b"\n")
    match = _URL.search(b"\n".join(lines[max(0, line - 3) : line]))
    return f"/{match['route'].decode('utf-8', 'replace').lstrip('^/')}" if match else f"urls {module.path}"


def _prefix(arguments: bytes) -> str:
    match = _PREFIX_VALUE.search(arguments)
    return match["value"].decode("utf-8", "replace").rstrip("/") if match else ""


def _label(function: Function, module: Module, names: Names, prefixes: Mapping[str, str]) -> str | None:
    for decorator in function.decorators:
        label = _decorator_label(function.id, decorator, prefixes)
        if label is not None:
            return label
    if function.kind is FunctionKind.METHOD:
        return _method_label(function.id, names)
    if function.id.qualname == MODULE and _MAIN.search(module.source):
        return f"script {module.path}"
    if function.id.qualname == "lambda_handler":
        return f"lambda {function.id}"
    return None


def _decorator_label(id: FunctionId, decorator: str, prefixes: Mapping[str, str]) -> str | None:
    match = _ROUTE.match(decorator[:2_000])
    if match and match["path"][:1] in ("", "/"):  # mock.patch("shop.pay") is no route
        return f"{_verb(match['verb'], match['rest'])} {prefixes.get(match['owner'], '')}{match['path']}"
    if match := _TASK.match(decorator):
        named = _TASK_NAME.search(decorator[:2_000])
        return f"task {(named['name'] or named['first']) if named else _dotted(id)}"
    if _COMMAND.match(decorator):
        named = _TASK_NAME.search(decorator[:2_000])
        return f"command {(named['first'] or named['name']) if named else id.name.replace('_', '-')}"
    if _SIGNAL.match(decorator):
        return f"signal {_dotted(id)}"
    if _RESOLVER.match(decorator):
        return f"graphql {id.qualname}"
    return None


def _verb(verb: str, rest: str) -> str:
    if verb not in ("route", "api_route"):
        return verb.upper()
    methods = _METHODS.search(rest)
    named = re.findall(r"\w+", methods["methods"]) if methods else []
    return "|".join(name.upper() for name in named) or "GET"


def _method_label(id: FunctionId, names: Names) -> str | None:
    owner, _, name = id.qualname.rpartition(".")
    bases = names.bases.get(owner, ())
    if name in _HTTP_METHODS and any(_VIEW_BASE.search(base) for base in bases):
        return f"view {owner}.{name}"
    if name == "handle" and "/management/commands/" in f"/{id.path}":
        return f"command {id.path.rsplit('/', 1)[-1].removesuffix('.py')}"
    if any(base.endswith("Servicer") for base in bases) and not name.startswith("_"):
        return f"grpc {owner}.{name}"
    if name.startswith("resolve_") and any(base.endswith(("ObjectType", "Query", "Type")) for base in bases):
        return f"graphql {owner}.{name.removeprefix('resolve_')}"
    if name in ("mutate", "perform_mutation") and any("Mutation" in base for base in bases):
        return f"graphql {owner}"
    return None


def _dotted(id: FunctionId) -> str:
    """``shop/tasks.py::settle`` → ``shop.tasks.settle``, Celery's default task name."""
    module = id.path.rsplit(".", 1)[0].removesuffix("/__init__").removeprefix("src/")
    return f"{module.replace('/', '.')}.{id.qualname}"
