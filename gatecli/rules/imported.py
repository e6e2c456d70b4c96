"""Names as they were imported, spelled out: ``from time import sleep`` makes ``sleep(1)`` read as ``time.sleep(1)``.

Rules name what they look for by its module. Without this, an import written another way would hide a call from them,
or make news of one that stood before. Only what a name surely means is spelled out: one that is bound by anything but
one import (a parameter, an assignment, a second import) is left as it is. Lines stay what they are, columns do not.
"""

import re
from typing import TYPE_CHECKING

from gatecli.errors import EvidenceError
from gatecli.rules.matching import search_one
from gatecli.syntax import python
from gatecli.syntax.python import Module

if TYPE_CHECKING:
    from tree_sitter import Node

MODULES = (
    *("aiohttp", "asyncio", "base64", "builtins", "cloudpickle", "codecs", "copy", "ctypes", "dill", "ftplib", "httpx"),
    *("imaplib", "importlib", "jwt", "marshal", "MySQLdb", "os", "paramiko", "pickle", "psycopg", "psycopg2", "pty"),
    *("pymysql", "requests", "shutil", "smtplib", "socket", "sqlite3", "ssl", "subprocess", "time", "urllib", "yaml"),
    *("zlib",),
)
"""Modules that rules name calls of."""

_ANY = "|".join(MODULES)
_SAYS = re.compile(rf"^[ \t]{{0,40}}(?:from\s{{1,4}}(?:{_ANY})\b|import\s[^\n]{{0,200}}\sas\s)".encode(), re.MULTILINE)
_OF = re.compile(rf"(?:{_ANY})(?:[.]\w{{1,80}})?|urllib[.]request[.]\w{{1,80}}")
"""What rules name: a module or what stands in it, not what it carries along (``requests.packages.urllib3``)."""

_IMPORTS = """
(import_statement (aliased_import name: (dotted_name) @of alias: (identifier) @match))
(import_statement (dotted_name) @match)
(import_from_statement module_name: (_) @from name: (dotted_name) @of @match)
(import_from_statement module_name: (_) @from name: (aliased_import name: (dotted_name) @of alias: (identifier) @match))
"""
_NAMES = "(identifier) @match"
_BINDS = frozenset(
    {
        *("parameters", "lambda_parameters", "typed_parameter", "list_splat_pattern", "dictionary_splat_pattern"),
        *("pattern_list", "tuple_pattern", "list_pattern", "as_pattern_target", "global_statement"),
        *("nonlocal_statement", "delete_statement", "case_pattern", "splat_pattern"),
    }
)
_LEFT = {
    **dict.fromkeys(("assignment", "augmented_assignment", "for_statement", "for_in_clause"), "left"),
    **dict.fromkeys(
        ("default_parameter", "typed_default_parameter", "named_expression", "function_definition"), "name"
    ),
    "class_definition": "name",
}


def spelled_out(module: Module) -> Module:
    """The module with the names of what it imports from ``MODULES`` written in full; the same one if there is none."""
    if module.is_derived or not module.path.endswith(python.SUFFIXES) or not _SAYS.search(module.source):
        return module
    meant = _meant(module)
    edits = _edits(module, meant) if meant else []
    if not edits:
        return module
    source, parts, at = module.source, [], 0
    for start, end, name in edits:
        parts += [source[at:start], name]
        at = end
    try:
        return python.read_module(module.path, b"".join([*parts, source[at:]]))
    except EvidenceError:
        return module


def _meant(module: Module) -> dict[bytes, bytes]:
    """What each local name of an import stands for; none that two imports bind."""
    found: dict[bytes, set[bytes]] = {}
    for match in search_one(_IMPORTS, module.tree.root_node):
        local, of, source = match["match"].text or b"", match.get("of"), match.get("from")
        if of is None:
            local = local.partition(b".")[0]
        name = (of.text or b"") if of is not None else local
        found.setdefault(local, set()).add(((source.text or b"") + b"." if source is not None else b"") + name)
    sure = {local: next(iter(names)) for local, names in found.items() if len(names) == 1}
    return {
        local: name for local, name in sure.items() if local != name and _OF.fullmatch(name.decode("utf-8", "replace"))
    }


def _edits(module: Module, meant: dict[bytes, bytes]) -> list[tuple[int, int, bytes]]:
    """Start, end and full name of each place that reads one of the names, in their order."""
    edits = []
    bound = set()
    for match in search_one(_NAMES, module.tree.root_node):
        node = match["match"]
        text = node.text or b""
        if text not in meant or text in bound:
            continue
        if _is_bound(node):
            bound.add(text)
        elif _is_read(node):
            edits.append((node.start_byte, node.end_byte, text))
    return [(start, end, meant[text]) for start, end, text in edits if text not in bound]


def _is_bound(node: "Node") -> bool:
    parent = node.parent
    if parent is None:
        return False
    side = _LEFT.get(parent.type)
    return parent.type in _BINDS or (side is not None and parent.child_by_field_name(side) == node)


def _is_read(node: "Node") -> bool:
    """Whether a name is looked up: not an attribute, a keyword or a part of an import."""
    parent = node.parent
    if parent is None or parent.type in ("dotted_name", "aliased_import"):
        return False
    if parent.type == "attribute":
        return parent.child_by_field_name("object") == node
    return not (parent.type == "keyword_argument" and parent.child_by_field_name("name") == node)
