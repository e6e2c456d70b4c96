"""Where the outside world enters a program: routes, tasks, commands, signal receivers, scripts.

Read from the syntax tree, never by importing. A label is what a person calls the entry point:
``POST /orders/<int:size>``, ``task shop.tasks.settle``, ``command sync``. ``read`` gives what one file says as plain
values (``facts``); ``EntryPoints`` joins the files of a tree: prefixes, URLconfs, routers, classes that answer
requests. Frameworks are listed in ``reading.FAMILIES``.
"""

from gatecli.syntax.entrypoints.facts import Facts
from gatecli.syntax.entrypoints.joining import EntryPoints, routes
from gatecli.syntax.entrypoints.reading import read

__all__ = ["EntryPoints", "Facts", "read", "routes"]
