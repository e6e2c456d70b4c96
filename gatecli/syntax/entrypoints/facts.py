"""What one file says about entry points: plain values that can be kept, and joined over files (``joining``).

A text may hold expressions that only other files explain (``settings.API_PREFIX``): they stand between ``OPEN`` and
``CLOSE``. ``DOTTED`` stands for the dotted name of the handler, ``OWNER`` for that of its class, ``NAMED`` for the
module and the last part of the name, without classes and functions between them.
"""

from dataclasses import dataclass
from enum import StrEnum

OPEN, CLOSE, DOTTED, OWNER, NAMED = "\ue000", "\ue001", "\ue002", "\ue003", "\ue004"
# What is shown where the beginning of a route (or a part of it) cannot be read from the code.
UNKNOWN = "…"


# What a router begins with that is no expression of a file, but a list that views of a model are put on by its name:
# ``MODEL + "Order/detail"``, where they are put on it, ``MODEL + "shop.order/detail"``, where it is mounted.
MODEL = "\ue005"


class Style(StrEnum):
    """How the parts of a route are put together and written."""

    DJANGO = "django"  # as they are
    SLASHED = "slashed"  # with one slash between them (Flask, aiohttp, Sanic, …)
    COMMAND = "command"  # with a space (groups of commands)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """The code behind a registration: expressions, the likeliest first, as they stand inside function ``scope``.

    ``is_here``: it is the qualified name of a function of the file. ``is_dotted``: it is a dotted path in a string.
    """

    expressions: tuple[str, ...]
    scope: str = ""
    is_here: bool = False
    is_dotted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """An entry point that is called by a name of its own: a task, a signal receiver, a script."""

    handler: Handler
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A registration on a router, which is an expression of the file ("" where it is on none).

    ``methods`` is empty where any will do. ``actions`` names the methods of a class that answer (``("GET", "list")``).
    ``is_viewset``: the handler is a class of Django REST framework whose routes the router makes.
    """

    router: str
    path: str
    handler: Handler
    style: Style
    methods: tuple[str, ...] = ()
    actions: tuple[tuple[str, str], ...] = ()
    is_viewset: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Router:
    """Something that routes are registered on: an application, a blueprint, a URLconf, a group of commands.

    ``is_root``: it serves without being mounted. Any other one that nobody mounts begins with ``UNKNOWN``.
    """

    name: str
    prefix: str = ""
    is_root: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """Router ``child`` is served below ``prefix`` of router ``parent``; both are expressions of the file.

    ``replaces``: the prefix stands in place of the child's own. ``is_module``: the child is the dotted name of a
    URLconf, in a string. ``is_handed``: it is an application that the function around gets as an argument.
    """

    parent: str
    child: str
    prefix: str
    style: Style
    replaces: bool = False
    is_module: bool = False
    is_handed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """An extra route of a view set (``@action``)."""

    method: str
    verbs: tuple[str, ...]
    path: str
    is_detail: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A class that may answer requests: what its routes are made of, besides its methods and base classes."""

    name: str
    actions: tuple[Action, ...] = ()
    lookup: str | None = None


Fact = Point | Route | Router | Mount | View


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that one file says about entry points."""

    path: str
    points: tuple[Point, ...] = ()
    routes: tuple[Route, ...] = ()
    routers: tuple[Router, ...] = ()
    mounts: tuple[Mount, ...] = ()
    views: tuple[View, ...] = ()
