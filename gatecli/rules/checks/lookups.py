"""Part of E02: a related row that may be gone, read where nobody expects any more that it is.

A mapper of objects fetches ``self.device`` when it is read, and raises ``DoesNotExist`` then; to plain code it is an
attribute like all others, so only a handler that names such an exception tells that it may fail.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gatecli.rules import code
from gatecli.rules.checks.handlers import handled
from gatecli.rules.code import Code, Range, Touched, View
from gatecli.rules.matching import Pattern

if TYPE_CHECKING:
    from tree_sitter import Node

TRY = Pattern("(try_statement body: (block) @body) @match")
_READS = Pattern("""
(attribute object: (identifier) @owner attribute: (identifier) @key) @match
((call function: (identifier) @how arguments: (argument_list . (identifier) @owner . (string (string_content) @key)))
  @match (#eq? @how "getattr"))
""")
_GONE = re.compile(r"(?:DoesNotExist|NoResultFound)$")


@dataclass(frozen=True, slots=True)
class Bare:
    """A row that is read without its handler now, and the handler's place (a line of the old side) and text."""

    touched: Touched
    name: str
    line: int
    text: str


def bare_lookups(view: View) -> Iterator[Bare]:
    """The first read of each handler that went away, if it is made without one and was not so before."""
    for touched in view.functions:
        if touched.before is None or touched.after is None or touched.is_container:
            continue
        old, new = _handlers(view, touched.before), _handlers(view, touched.after)
        if len(new) >= len(old):
            continue
        tries = [_tries(view, side) for side in (touched.before, touched.after)]
        reads_before = [(name, node) for name, node in _reads(view, touched.before)]
        was = {name for name, node in reads_before if not code.is_within(tries[0], node)}
        now = {name for name, node in _reads(view, touched.after) if not code.is_within(tries[1], node)}
        for held, line, text in old:
            inside = [name for name, node in reads_before if code.is_within([held], node)]
            name = next((name for name in inside if name in now and name not in was), None)
            if name is not None:
                yield Bare(touched, name, line, text)


def _handlers(view: View, side: Code) -> list[tuple[Range, int, str]]:
    """What each handler of a missing row holds, its line and its text."""
    found = []
    for match in view.own(TRY, side):
        clauses = [child for child in match["match"].children if child.type.startswith("except")]
        types = [name for clause in clauses for name in handled(clause)]
        if types and all(_GONE.search(name) for name in types):
            found.append((code.byte_range(match["body"]), code.line(clauses[0]), f"except {', '.join(types)}"))
    return found


def _tries(view: View, side: Code) -> list[Range]:
    return code.merged(code.byte_range(match["body"]) for match in view.own(TRY, side))


def _reads(view: View, side: Code) -> "Iterator[tuple[str, Node]]":
    """What is read of an object by a name, called methods and what is written left out."""
    for match in view.own(_READS, side):
        node, parent = match["match"], match["match"].parent
        is_called = parent is not None and parent.child_by_field_name("function") == node
        is_written = parent is not None and parent.type == "assignment" and parent.child_by_field_name("left") == node
        if not is_called and not is_written:
            yield f"{code.text(match['owner'])}.{code.text(match['key'])}", node
