"""What the readers of syntax nodes share: their bounds, and the text of a node."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

# Code that a person wrote nests a few levels; deeper forms are not known, so that nothing here runs out of stack.
MAX_DEPTH = 60
# A string that is longer is no key of a dispatch table and no name of a function.
MAX_TEXT = 100


def text_of(node: "Node | None") -> str:
    """The source text of a node."""
    return (node.text or b"").decode("utf-8", "replace") if node is not None else ""
