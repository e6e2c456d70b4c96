"""What a function does otherwise than before: its calls, raises, awaits, loops, returns, constants, and complexity.

Facts are compared as counted texts, so code that only moved within a function is no fact. A function's own code is what
no named function or class inside it holds; comprehensions and unnamed lambdas are its own. Nothing here recurses.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gatecli.model import Behaviour, ConstantChange, Fact, Facts
from gatecli.syntax import normalise
from gatecli.syntax.complexity import complexity, own_nodes
from gatecli.syntax.sides import Side
from gatecli.syntax.trees import children

if TYPE_CHECKING:
    from tree_sitter import Node

# A fact is read by people and lands in every report: longer source is cut.
MAX_TEXT = 80
# And this much of it is looked at: expressions nest, and each level holds the ones below.
MAX_SOURCE_BYTES = 2_000
# A chain of calls longer than this is shown from its end ("….filter().first").
_MAX_CHAIN = 6

_COMPREHENSIONS = frozenset(
    {"list_comprehension", "set_comprehension", "dictionary_comprehension", "generator_expression"}
)
_LITERALS = frozenset({"integer", "float", "string", "concatenated_string", "true", "false", "none", "ellipsis"})
# What may stand around literals and still leave a constant: -1, 60 * 60, (1, 2).
_CONSTANT_PARTS = _LITERALS | {
    "unary_operator",
    "binary_operator",
    "parenthesized_expression",
    "tuple",
    "list",
    "set",
    "string_start",
    "string_content",
    "string_end",
    "escape_sequence",
}
_MAX_CONSTANT_NODES = 40
# Names whose text is nobody's business in a report (https://cwe.mitre.org/data/definitions/532.html).
_SECRETS = ("password", "passwd", "secret", "token", "api_key", "apikey", "private_key", "credential")
_QUOTES = frozenset("'\"")


@dataclass(frozen=True, slots=True)
class _Doing:
    """One fact, and what it is compared by: its code without layout."""

    text: str
    line: int
    code: bytes


@dataclass(slots=True)
class _Doings:
    """What one side does: for each kind of fact its texts with their lines, in source order."""

    calls: "list[_Doing]" = field(default_factory=list)
    raises: "list[_Doing]" = field(default_factory=list)
    awaits: "list[_Doing]" = field(default_factory=list)
    loops: "list[_Doing]" = field(default_factory=list)
    returns: "list[_Doing]" = field(default_factory=list)
    decorators: "list[_Doing]" = field(default_factory=list)
    constants: "dict[str, list[_Doing]]" = field(default_factory=lambda: defaultdict(list))
    complexity: int | None = None
    decorating: set[int] = field(default_factory=set)


def between(before: Side, after: Side) -> Behaviour:
    """What the later side does and the earlier does not, and the reverse."""
    old, new = _doings(before), _doings(after)
    return Behaviour(
        complexity=(old.complexity, new.complexity),
        calls=_facts(old.calls, new.calls),
        raises=_facts(old.raises, new.raises),
        awaits=_facts(old.awaits, new.awaits),
        loops=_facts(old.loops, new.loops),
        returns=_facts(old.returns, new.returns),
        decorators=_facts(old.decorators, new.decorators),
        constants=tuple(sorted(_constants(old.constants, new.constants), key=lambda one: (one.line, one.where))),
    )


def _facts(old: list[_Doing], new: list[_Doing]) -> Facts:
    return Facts(added=_shown(_beyond(new, old)), removed=_shown(_beyond(old, new)))


def _beyond(doings: list[_Doing], others: list[_Doing]) -> list[_Doing]:
    """Those that the others do not hold as often; of equal ones the last."""
    spare = Counter(other.code for other in others)
    found = []
    for doing in doings:
        if spare[doing.code]:
            spare[doing.code] -= 1
        else:
            found.append(doing)
    return found


def _shown(doings: list[_Doing]) -> tuple[Fact, ...]:
    return tuple(Fact(text=_cut(doing.text), line=doing.line) for doing in doings)


def _constants(old: dict[str, list[_Doing]], new: dict[str, list[_Doing]]) -> Iterator[ConstantChange]:
    """Places that both sides have and whose value differs; more values at one place pair in source order."""
    for where in old.keys() & new.keys():
        gone, come = _beyond(old[where], new[where]), _beyond(new[where], old[where])
        for before, after in zip(gone, come, strict=False):
            hidden = _is_secret(where) and any(_QUOTES.intersection(doing.text) for doing in (before, after))
            texts = ("…", "…") if hidden else (_cut(before.text), _cut(after.text))
            yield ConstantChange(where=_cut(where), before=texts[0], after=texts[1], line=after.line)


# --------------------------------------------------------------------------- reading one side


def _doings(side: Side) -> _Doings:
    """What a side does itself. A module or class body is read where it was touched: the rest is as it was."""
    found = _Doings()
    nodes = list(own_nodes(side.module.nodes[side.index], side.lines if side.is_container else None))
    found.complexity = complexity(side, nodes)
    for node in nodes:
        if reader := _READERS.get(node.type):
            reader(node, found)
    return found


def _call(node: "Node", found: _Doings) -> None:
    function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    if function is None:
        return
    name = callee(function)
    if node.id not in found.decorating:
        found.calls.append(_fact(name, function))
    if arguments is None or arguments.type == "generator_expression":
        return
    short = name.rpartition(".")[2].removesuffix("()")
    position = 0
    for argument in arguments.named_children:
        if argument.type == "keyword_argument":
            key, value = argument.child_by_field_name("name"), argument.child_by_field_name("value")
            if key is not None and value is not None:
                _constant(f"{short}({_text(key)})", value, found)
        elif argument.type != "comment":
            position += 1
            _constant(f"{short}(argument {position})", argument, found)


def _raise(node: "Node", found: _Doings) -> None:
    raised = node.named_children[0] if node.named_children else None
    found.raises.append(_fact("raise" if raised is None else _named(raised), node))


def _await(node: "Node", found: _Doings) -> None:
    if node.named_children:
        found.awaits.append(_fact(_named(node.named_children[0]), node))


def _loop(node: "Node", found: _Doings) -> None:
    """``for x in xs``, ``while x``: the head without its body."""
    body = node.child_by_field_name("body")
    before = [child for child in children(node) if body is None or child.end_byte <= body.start_byte]
    parts = [part for part in before if part.type not in (":", "comment")]
    fact = _fact(" ".join(map(_text, parts)), node, *parts)
    found.loops.append(fact)
    if parts and parts[0].type == "async":
        found.awaits.append(fact)


def _with(node: "Node", found: _Doings) -> None:
    parts = children(node)
    if parts and parts[0].type == "async":
        found.awaits.append(_fact(" ".join(map(_text, parts[:3])), node, *parts[:3]))


def _return(node: "Node", found: _Doings) -> None:
    found.returns.append(_fact(_text(node), node, node))


def _decorator(node: "Node", found: _Doings) -> None:
    found.decorators.append(_fact(_text(node), node, node))
    found.decorating.update(child.id for child in node.named_children)


def _assignment(node: "Node", found: _Doings) -> None:
    target, value = node.child_by_field_name("left"), node.child_by_field_name("right")
    if target is not None and value is not None and target.type in ("identifier", "attribute", "subscript"):
        _constant(_text(target), value, found)


def _default(node: "Node", found: _Doings) -> None:
    name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
    if name is not None and value is not None:
        _constant(_text(name), value, found)


def _pair(node: "Node", found: _Doings) -> None:
    key, value = node.child_by_field_name("key"), node.child_by_field_name("value")
    if key is not None and value is not None and key.type in _LITERALS:
        _constant(f"[{_text(key)}]", value, found)


def _comparison(node: "Node", found: _Doings) -> None:
    """``retries > 3``: each constant by how it is compared with what."""
    parts = [child for child in children(node) if child.type != "comment"]
    for place in range(1, len(parts) - 1, 2):
        left, operator, right = parts[place - 1 : place + 2]
        if not _is_constant(left):
            _constant(f"{_text(left)} {_text(operator)}", right, found)
        elif not _is_constant(right):
            _constant(f"{_text(operator)} {_text(right)}", left, found)


def _operation(node: "Node", found: _Doings) -> None:
    """``total * 0.2``: a constant beside something that is none."""
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    operator = node.child_by_field_name("operator")
    if left is None or right is None or operator is None:
        return
    if not _is_constant(left):
        _constant(f"{_text(left)} {_text(operator)}", right, found)
    elif not _is_constant(right):
        _constant(f"{_text(operator)} {_text(right)}", left, found)


def _returned(node: "Node", found: _Doings) -> None:
    _return(node, found)
    if len(node.named_children) == 1:
        _constant(node.children[0].type, node.named_children[0], found)


_READERS = {
    "call": _call,
    "raise_statement": _raise,
    "await": _await,
    "for_statement": _loop,
    "while_statement": _loop,
    "for_in_clause": _loop,
    "with_statement": _with,
    "return_statement": _returned,
    "yield": _return,
    "decorator": _decorator,
    "assignment": _assignment,
    "augmented_assignment": _assignment,
    "named_expression": _default,
    "default_parameter": _default,
    "typed_default_parameter": _default,
    "pair": _pair,
    "comparison_operator": _comparison,
    "binary_operator": _operation,
}


# --------------------------------------------------------------------------- words


def callee(node: "Node") -> str:
    """What is called, without arguments on the way: ``Order.objects.filter().first`` for a chain of calls."""
    parts: list[str] = []
    current: Node | None = node
    while current is not None:
        kind = current.type
        if len(parts) >= _MAX_CHAIN:
            parts.append("…")
            break
        if kind == "attribute":
            name = current.child_by_field_name("attribute")
            parts.append(f".{_text(name)}" if name is not None else "")
            current = current.child_by_field_name("object")
        elif kind == "call":
            parts.append("()")
            current = current.child_by_field_name("function")
        elif kind == "subscript":
            parts.append("[]")
            current = current.child_by_field_name("value")
        elif kind == "await" or kind == "parenthesized_expression":
            current = current.named_children[0] if current.named_children else None
        else:
            parts.append(_text(current) if kind == "identifier" else _WORDS.get(kind, "…"))
            break
    return "".join(reversed(parts))


_WORDS = {"string": '""', "list": "[]", "dictionary": "{}", "lambda": "lambda"}


def _named(node: "Node") -> str:
    """A call by its callee, anything else by its text."""
    function = node.child_by_field_name("function") if node.type == "call" else None
    return callee(function) if function is not None else _text(node)


def _constant(where: str, value: "Node", found: _Doings) -> None:
    if _is_constant(value):
        found.constants[where].append(_fact(_text(value), value, value))


def _is_constant(node: "Node") -> bool:
    """Whether a value is made of literals alone; large tables are data and no constant."""
    pending, seen = [node], 0
    literal = False
    while pending:
        part = pending.pop()
        seen += 1
        if seen > _MAX_CONSTANT_NODES or (part.is_named and part.type not in _CONSTANT_PARTS):
            return False
        literal = literal or part.type in _LITERALS
        pending.extend(part.children)
    return literal


def _is_secret(where: str) -> bool:
    lowered = where.lower()
    return any(word in lowered for word in _SECRETS)


def _fact(text: str, node: "Node", *parts: "Node") -> _Doing:
    """A fact by its words, or by the code of parts of it where the words are source."""
    code = b"\0".join(map(_code, parts)) if parts else text.encode("utf-8", "surrogatepass")
    return _Doing(text, node.start_point.row + 1, code)


def _code(node: "Node") -> bytes:
    """What a piece of code is compared by: without layout, if it is of a size that people write."""
    return normalise.tokens(node) if node.end_byte - node.start_byte <= MAX_SOURCE_BYTES else node.text or b""


def _text(node: "Node") -> str:
    """The beginning of the source, on one line."""
    return " ".join((node.text or b"")[:MAX_SOURCE_BYTES].decode("utf-8", "replace").split())


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"
