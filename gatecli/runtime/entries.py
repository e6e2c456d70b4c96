"""Entry points: where traffic comes in, and the functions that handle it.

A label is what a person calls an entry point: ``POST /orders/<int:size>``, ``task shop.tasks.settle``,
``command sync``. In a profile those of HTTP are written with their kind: ``http POST /orders/<int:size>``.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gatecli.model import FunctionId
from gatecli.routes import RPC, comparable

_VERBS = re.compile(r"(?P<methods>[A-Z]+(?:\|[A-Z]+)*) (?P<path>.*)", re.DOTALL)
# Where a route of Django REST framework says the format: ``/orders.{format}``. Nothing else is behind it.
_FORMAT = re.compile(r"\.?\{format\}/?$")
# Parts of a path that say nothing of what is asked: ``/api/v1/``.
_VERSION = re.compile(r"api|rest|v\d[\w.]*")
# What a path that was read without its beginning begins with.
_UNKNOWN = "…"
# The first word of a label that is no route, and the kind of entry point it is. A signal is not traffic from outside.
_KINDS = {
    "task": "task",
    "consumer": "consumer",
    "command": "cli",
    "script": "cli",
    "grpc": "http",
    "graphql": "http",
    "view": "http",
    "lambda": "http",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry point: ``kind`` is http, task, consumer, thread, cli or None, ``handler`` the function behind it."""

    id: str
    kind: str | None
    handler: FunctionId | None


class Routes:
    """The handlers that were named by label, compared as ``gatecli.routes.comparable`` says.

    A path that begins with ``…`` was read without its beginning: it stands for every path that ends so, if no other
    handler's does. The code of a servicer does not say the package of its service: ``grpc Orders/Place`` is
    ``shop.v1.Orders/Place``, whatever the package.
    """

    def __init__(self, handlers: Mapping[str, FunctionId]) -> None:
        self._labels = handlers
        self._handlers: dict[tuple[str, str], FunctionId] = {}
        self._ends: dict[tuple[str, str], set[FunctionId]] = {}
        for name, id in handlers.items():
            for method, path in _keys(name):
                if path.startswith(_UNKNOWN):
                    self._ends.setdefault((method, path.lstrip(f"{_UNKNOWN}/")), set()).add(id)
                else:
                    self._handlers.setdefault((method, path), id)

    def handler(self, id: str) -> FunctionId | None:
        """The function behind an entry point; a route without a method is one for all of them."""
        if id.startswith(RPC):
            return self._rpc(id)
        method, path = _keys(id)[0]
        return self._found(method, path) or self._found(method, _FORMAT.sub("", path).rstrip("/"))

    def _found(self, method: str, path: str) -> FunctionId | None:
        return self._handlers.get((method, path)) or self._handlers.get(("", path)) or self._by_end(method, path)

    def _rpc(self, id: str) -> FunctionId | None:
        service, _, method = id.removeprefix(RPC).rpartition("/")
        return self._labels.get(id) or self._labels.get(f"{RPC}{service.rpartition('.')[2]}/{method}")

    def _by_end(self, method: str, path: str) -> FunctionId | None:
        """The longest known end decides, then the method. One word alone (``search``) is in too many paths."""
        parts = path.split("/") if path else []
        for start in range(len(parts)):
            end = "/".join(parts[start:])
            if not _tells(parts[:start], parts[start:]):
                return None
            if found := self._ends.get((method, end)) or self._ends.get(("", end)):
                return next(iter(found)) if len(found) == 1 else None
        return None

    def entries(self) -> list[Entry]:
        """An entry point for each label that is one."""
        result = []
        for name, id in sorted(self._labels.items()):
            if _is_route(label(name)):
                result.append(Entry(id=f"http {label(name)}", kind="http", handler=id))
            elif kind := _KINDS.get(name.partition(" ")[0]):
                result.append(Entry(id=name, kind=kind, handler=id))
        return result


def _tells(before: Sequence[str], end: Sequence[str]) -> bool:
    """Whether the end of a path says which route it is, whatever stands before it.

    One word alone (``search``) is in too many paths: before it may stand what only says the version (``api/v1``).
    """
    words = [part for part in end if not part.startswith("{")]
    return bool(words) and (len(end) > 1 or all(_VERSION.fullmatch(part) for part in before))


def label(id: str) -> str:
    """What a person calls the entry point of an id."""
    return id.removeprefix("http ")


def by_handler(traced: Iterable[Entry], routes: Routes) -> dict[FunctionId, Entry]:
    """The entry point of each handler: as it was traced, else as it is labelled.

    A function that handles several stands for itself: a stack does not say which of them it was.
    """
    result: dict[FunctionId, Entry] = {}
    for entries in (traced, routes.entries()):
        found: dict[FunctionId, list[Entry]] = {}
        for entry in entries:
            if entry.handler is not None and entry.handler not in result:
                found.setdefault(entry.handler, []).append(entry)
        for id, alternatives in found.items():
            first = alternatives[0]
            result[id] = first if len(alternatives) == 1 else Entry(id=str(id), kind=first.kind, handler=id)
    return result


def _is_route(name: str) -> bool:
    return name.startswith(("/", _UNKNOWN)) or _VERBS.fullmatch(name) is not None


def _keys(name: str) -> list[tuple[str, str]]:
    """Method ("" for any) and path of a route as they are compared; anything else is compared whole."""
    match = _VERBS.fullmatch(label(name).strip())
    if match is None:
        return [("", comparable(label(name)))]
    return [(method, comparable(match["path"])) for method in match["methods"].split("|")]
