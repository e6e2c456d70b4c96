"""Source to its meaning-bearing shape, so that layout, comments and docstrings do not count as change.

A shape is the pre-order walk of the syntax tree as bytes: node types with explicit ends (so that moving a statement
into an ``if`` is a change) and the text of the leaves. Left out: comments, docstrings, redundant parentheses, commas
before a closing bracket where they say nothing, the choice of quotes, line joins, the order of imports.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise, zip_longest
from typing import TYPE_CHECKING

from gatecli.syntax.importorder import grouped
from gatecli.syntax.python import Module
from gatecli.syntax.trees import children

if TYPE_CHECKING:
    from tree_sitter import Node

_IGNORED = frozenset({"comment", "line_continuation"})
_TRANSPARENT = frozenset({"parenthesized_expression"})
# Where parentheses only hold lines together.
_BARE = _TRANSPARENT | {"import_from_statement"}
_UNBRACKETED = frozenset({"pattern_list", "expression_list"})
_CLOSING = frozenset({")", "]", "}"})
# Nodes whose text is not all in their children (the grammar hides it): taken whole.
_OPAQUE = frozenset({"string_content", "format_specifier", "ERROR"})
# Where one element with a comma is the same as without; elsewhere the comma makes a tuple: d[1,], (a,) = b.
_LISTS = frozenset(
    {
        "argument_list",
        "parameters",
        "lambda_parameters",
        "list",
        "set",
        "dictionary",
        "list_pattern",
        "import_from_statement",
    }
)
_DEFINITIONS = frozenset({"function_definition", "class_definition", "decorated_definition"})
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_BODIES = frozenset({"block", "module"})
_SELF = b"\x00self"

Shingle = tuple[bytes, bytes, bytes]
"""Three leaf texts that follow each other."""


def same_own_code(before: Module, old: int, after: Module, new: int) -> bool:
    """Whether two functions do the same themselves: nested ones count only as "something is defined here"."""
    return all(a == b for a, b in zip_longest(_own_tokens(before, old), _own_tokens(after, new)))


def _own_tokens(module: Module, index: int) -> Iterator[bytes]:
    starts = frozenset(module.nodes[inner].start_byte for inner in _nested(module, index))
    return _walk(module.nodes[index], skip=starts)


def body_shape(module: Module, index: int) -> tuple[bytes, int]:
    """Digest of all of the function's code but its name, and its number of tokens.

    Equal digests mean the same code under another name; a call to itself counts as the same under either name.
    """
    tokens = list(_walk(module.nodes[index], name=_name(module, index)))
    return _digest(tokens), len(tokens)


def token_bag(module: Module, index: int) -> Counter[bytes]:
    """How often each leaf text stands in the function, its own name left out: the input of a similarity."""
    return Counter(_leaves(module, index))


def shingles(module: Module, index: int) -> Counter[Shingle]:
    """How often each three leaf texts follow each other: what is left of code that was lifted out of its place."""
    leaves = list(_leaves(module, index))
    return Counter(zip(leaves, leaves[1:], leaves[2:], strict=False))


def _leaves(module: Module, index: int) -> Iterator[bytes]:
    for token in _walk(module.nodes[index], name=_name(module, index)):
        if not token.startswith(b"(") and token != b")" and token != _SELF:
            yield token


def own_text(module: Module, index: int) -> tuple[bytes, ...]:
    """The function's own raw lines, without those of nested functions."""
    span = module.functions[index].span
    lines = source_lines(module.source)
    result: list[bytes] = []
    position = span.first_line
    for inner in _nested(module, index):
        held = module.functions[inner].span
        result += lines[position - 1 : held.first_line - 1]
        position = max(position, held.end_line + 1)
    return (*result, *lines[position - 1 : span.end_line])


@lru_cache(maxsize=4)
def source_lines(source: bytes) -> tuple[bytes, ...]:
    """The lines of a source text; remembered, because every touched function of a file asks."""
    return tuple(source.split(b"\n"))


def _nested(module: Module, index: int) -> Iterator[int]:
    """Indices of the outermost definitions inside a function (document order lets it stop early)."""
    end = module.nodes[index].end_byte
    covered = 0
    for inner in range(index + 1, len(module.nodes)):
        node = module.nodes[inner]
        if node.start_byte >= end:
            return
        if node.start_byte >= covered and node.type in _DEFINITIONS:
            covered = node.end_byte
            yield inner


def _name(module: Module, index: int) -> bytes:
    return module.functions[index].id.name.encode()


def _digest(tokens: Iterator[bytes] | list[bytes]) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for token in tokens:
        digest.update(len(token).to_bytes(4, "big"))
        digest.update(token)
    return digest.digest()


def _walk(root: "Node", skip: frozenset[int] = frozenset(), name: bytes | None = None) -> Iterator[bytes]:
    """Tokens of a subtree in document order: ``(type`` and ``)`` around inner nodes, the text of leaves.

    ``skip`` holds start bytes of definitions to stand for themselves; ``name`` is the identifier to call "self".
    """
    pending: list[Node | bytes | tuple[bytes, ...]] = [root]
    raw: list[bool] = []  # of the strings that the walk is in
    while pending:
        node = pending.pop()
        if isinstance(node, bytes):
            yield node
        elif isinstance(node, tuple):
            yield b"(imports"
            yield from node
            yield b")"
        elif node.type in _IGNORED:
            continue
        elif node is not root and node.type in _DEFINITIONS and node.start_byte in skip:
            yield b"(definition"
        elif node.type == "string_start":
            prefix = (node.text or b"").lower().rstrip(b"\"'").replace(b"u", b"")  # which says nothing since Python 3
            raw.append(b"r" in prefix)
            yield b"quote:" + bytes(sorted(prefix))
        elif node.type == "string_end":
            raw[-1:] = []
            yield b"quote"
        elif node.type == "string_content":
            text = node.text or b""
            yield text if raw[-1:] == [True] else _ESCAPED.sub(_unquoted, text)
        elif node.child_count == 0 or _is_opaque(node):
            text = node.text or b""
            yield _SELF if text == name and node.type == "identifier" else text
        elif node.type in _TRANSPARENT:
            pending.extend(_meaningful(node))
        else:
            pending.append(b")")
            inner = _meaningful(node)
            pending.extend(grouped(inner) if node.type in _BODIES else inner)
            pending.append(b"(" + node.type.encode())
            if node.type in _UNBRACKETED and (broken := _broken_lines(node)):
                pending.append(b"lines:%d" % broken)


def _unquoted(escape: "re.Match[bytes]") -> bytes:
    """An escaped quote says the same as the quote where the string has the other ones."""
    return escape[1] if escape[1] in (b"'", b'"') else escape[0]


def tokens(node: "Node") -> bytes:
    """A piece of code without what says nothing: equal where two pieces differ in layout only."""
    return b"\0".join(_walk(node))


def _is_opaque(node: "Node") -> bool:
    """Whether a node must be taken by its text; f"{ x = }" prints its own."""
    return node.type in _OPAQUE or (node.type == "interpolation" and any(child.type == "=" for child in node.children))


def _broken_lines(node: "Node") -> int:
    """How many elements of an unbracketed list stand on a line after their comma: the grammar joins ``a,`` with the
    statement on the next line, Python does not.
    """
    if node.start_point.row == node.end_point.row:
        return 0
    found = [child for child in children(node) if child.type not in _IGNORED]
    return sum(b.start_point.row > a.end_point.row for a, b in pairwise(found) if a.type == ",")


def _meaningful(node: "Node") -> list["Node"]:
    """The children, last first, without comments, docstring, and commas and parentheses that say nothing."""
    found = [child for child in children(node) if child.type not in _IGNORED]
    if node.type in _BODIES and found and _is_plain_string(found[0]):
        del found[0]
    closed = len(found) > 1 and found[-1].type in _CLOSING and found[-2].type == ","
    if closed and (node.type in _LISTS or sum(child.type == "," for child in found) > 1):
        del found[-2]
    if node.type == "class_definition":  # class C(): as class C:
        found = [child for child in found if child.type != "argument_list" or child.named_child_count]
    if node.type in _BARE:
        found = [child for child in found if child.type not in ("(", ")")]
    return found[::-1]


def _is_plain_string(node: "Node") -> bool:
    """Whether a statement is a string and runs nothing: ``f"{launch()}"`` is no docstring."""
    if node.type != "expression_statement" or node.child_count != 1:
        return False
    string = node.named_children[0]
    parts = string.named_children if string.type == "concatenated_string" else [string]
    return all(
        part.type == "string" and all(child.type != "interpolation" for child in part.children)
        for part in parts
        if part.type not in _IGNORED
    )
