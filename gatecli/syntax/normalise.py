"""Source to its meaning-bearing shape, so that layout, comments and docstrings do not count as change.

A shape is the pre-order walk of the syntax tree as bytes: node types with explicit ends (so that moving a statement
into an ``if`` is a change) and the text of the leaves. Left out: comments, docstrings, redundant parentheses, commas
before a closing bracket, the choice of quotes, line joins.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gatecli.syntax.python import Module

if TYPE_CHECKING:
    from tree_sitter import Node

_IGNORED = frozenset({"comment", "line_continuation"})
_TRANSPARENT = frozenset({"parenthesized_expression"})
_CLOSING = frozenset({")", "]", "}"})
_DEFINITIONS = frozenset({"function_definition", "class_definition", "decorated_definition"})
_SELF = b"\x00self"


def own_shape(module: Module, index: int) -> bytes:
    """Digest of the function's own code: nested functions and classes count only as "something is defined here"."""
    starts = frozenset(module.nodes[inner].start_byte for inner in _nested(module, index))
    return _digest(_walk(module.nodes[index], skip=starts))


def body_shape(module: Module, index: int) -> tuple[bytes, int]:
    """Digest of all of the function's code but its name, and its number of tokens.

    Equal digests mean the same code under another name; a call to itself counts as the same under either name.
    """
    tokens = list(_walk(module.nodes[index], name=_name(module, index)))
    return _digest(tokens), len(tokens)


def token_bag(module: Module, index: int) -> Counter[bytes]:
    """How often each leaf text stands in the function, its own name left out: the input of a similarity."""
    return Counter(
        token
        for token in _walk(module.nodes[index], name=_name(module, index))
        if not token.startswith(b"(") and token != b")" and token != _SELF
    )


def own_text(module: Module, index: int) -> tuple[bytes, ...]:
    """The function's own raw lines, without those of nested functions, leading blanks of the first line left out."""
    span = module.functions[index].span
    nested = [module.functions[inner].span for inner in _nested(module, index)]
    lines = module.source.split(b"\n")[span.first_line - 1 : span.end_line]
    held = {number for inner in nested for number in range(inner.first_line, inner.end_line + 1)}
    return tuple(line.strip(b"\r") for number, line in enumerate(lines, span.first_line) if number not in held)


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
    pending: list[Node | bytes] = [root]
    while pending:
        node = pending.pop()
        if isinstance(node, bytes):
            yield node
        elif node.type in _IGNORED or _is_docstring(node):
            continue
        elif node is not root and node.type in _DEFINITIONS and node.start_byte in skip:
            yield b"(definition"
        elif node.type == "string_start":
            yield b"quote:" + bytes(sorted((node.text or b"").lower().rstrip(b"\"'")))
        elif node.type == "string_end":
            yield b"quote"
        elif node.child_count == 0:
            text = node.text or b""
            yield _SELF if text == name and node.type == "identifier" else text
        else:
            wrap = node.type not in _TRANSPARENT
            if wrap:
                pending.append(b")")
            pending.extend(_meaningful(node.children, wrap))
            if wrap:
                pending.append(b"(" + node.type.encode())


def _meaningful(children: list["Node"], wrap: bool) -> Iterator["Node"]:
    """The children, last first, without commas before a closing bracket and (if not ``wrap``) without the brackets."""
    following: Node | None = None
    for child in reversed(children):
        if child.type in _IGNORED:
            continue
        trailing_comma = child.type == "," and following is not None and following.type in _CLOSING
        if not trailing_comma and (wrap or child.type not in ("(", ")")):
            yield child
        following = child


def _is_docstring(node: "Node") -> bool:
    if node.type != "expression_statement" or node.named_child_count != 1:
        return False
    if node.named_children[0].type not in ("string", "concatenated_string"):
        return False
    block = node.parent
    if block is None or block.type not in ("block", "module"):
        return False
    first = next((child for child in block.named_children if child.type not in _IGNORED), None)
    return first is not None and first.start_byte == node.start_byte
