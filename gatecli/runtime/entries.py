"""Entry points: where traffic comes in, and the functions that handle it.

A label is what a person calls an entry point: ``POST /orders/<int:size>``, ``task shop.tasks.settle``,
``command sync``. In a profile those of HTTP are written with their kind: ``http POST /orders/<int:size>``.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gatecli.model import FunctionId

_VERBS = re.compile(r"(?P<methods>[A-Z]+(?:\|[A-Z]+)*) (?P<path>.*)", re.DOTALL)
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
    """The handlers that were named by label; slashes at the ends of a path and the case of a method do not count."""

    def __init__(self, handlers: Mapping[str, FunctionId]) -> None:
        self._labels = handlers
        self._handlers = {key: id for name, id in handlers.items() for key in _keys(name)}

    def handler(self, id: str) -> FunctionId | None:
        """The function behind an entry point; a route without a method is one for all of them."""
        method, path = _keys(id)[0]
        return self._handlers.get((method, path)) or self._handlers.get(("", path))

    def entries(self) -> list[Entry]:
        """An entry point for each label that is one."""
        result = []
        for name, id in sorted(self._labels.items()):
            if _is_route(label(name)):
                result.append(Entry(id=f"http {label(name)}", kind="http", handler=id))
            elif kind := _KINDS.get(name.partition(" ")[0]):
                result.append(Entry(id=name, kind=kind, handler=id))
        return result


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
    return name.startswith("/") or _VERBS.fullmatch(name) is not None


def _keys(name: str) -> list[tuple[str, str]]:
    """Method ("" for any) and path of a route as they are compared; anything else is compared whole."""
    match = _VERBS.fullmatch(label(name).strip())
    if match is None:
        return [("", label(name).strip().strip("/"))]
    return [(method, match["path"].strip().strip("/")) for method in match["methods"].split("|")]
