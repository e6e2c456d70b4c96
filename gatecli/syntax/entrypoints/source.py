"""The calls, decorators and constants of one file, as the readers of frameworks ask for them.

Calls are found by text first and then looked up in the tree, so the cost follows the calls of interest.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from gatecli.model import Function, FunctionKind
from gatecli.syntax.entrypoints.facts import CLOSE, OPEN, UNKNOWN, Handler
from gatecli.syntax.imports import Names
from gatecli.syntax.python import Module, owners
from gatecli.syntax.trees import captures

if TYPE_CHECKING:
    from tree_sitter import Node

# Bounds of one file: what lies beyond them is generated or hostile.
MAX_CALLS = 2_000
MAX_WORDS = 50
MAX_STEPS = 60

_CALL = re.compile(rb"(?<!\w)([^\W\d]\w*+)\s?\(")
_LISTS = frozenset({"list", "tuple", "list_splat", "parenthesized_expression", "binary_operator", "argument_list",
                    "keyword_argument", "conditional_expression", "set"})  # fmt: skip
_NO_PARTS = frozenset({"type_conversion", "format_specifier", "comment"})
# What routes are registered on, and so is none of their handlers.
_ROUTERS = ("Blueprint", "Router", "Flask", "FastAPI", "Application", "Namespace")
# Calls that give back the text they are given: marked for translation, or compiled.
_TEXT_CALLS = frozenset({"_", "gettext_lazy", "ugettext_lazy", "pgettext_lazy", "str", "compile"})


@dataclass(frozen=True, slots=True)
class Call:
    """A call ``owner.name(…)``, or a decorator written like one; ``scope`` is the function or class it stands in."""

    node: "Node"
    owner: str
    name: str
    args: tuple["Node", ...]
    keywords: Mapping[str, "Node"]
    scope: str

    def arg(self, position: int, *names: str) -> "Node | None":
        """The argument at a position, or by one of its names."""
        if 0 <= position < len(self.args):
            return self.args[position]
        return next((self.keywords[name] for name in names if name in self.keywords), None)


class Source:
    """One parsed file."""

    def __init__(self, module: Module, names: Names) -> None:
        self.module = module
        self.names = names

    def calls(self, wanted: Callable[[str], bool]) -> Iterator[Call]:
        """The calls of wanted names, in the order of the file."""
        root = self.module.tree.root_node
        found: list[Node] = []
        for match in _CALL.finditer(self.module.source):
            if len(found) >= MAX_CALLS:
                break
            if not wanted(match[1].decode("utf-8", "replace")):
                continue
            node = root.descendant_for_byte_range(match.start(1), match.end(1))
            called = node
            if node is not None and node.parent is not None and node.parent.type == "attribute":
                called = node.parent
            call = called.parent if called is not None else None
            if called is None or call is None or call.type != "call":
                continue
            function = call.child_by_field_name("function")
            if function is not None and function.id == called.id and called.end_byte == match.end(1):
                found.append(call)
        holders = owners(self.module.functions, {node.start_point.row + 1 for node in found})
        for node in found:
            holder = self.module.functions[holders[node.start_point.row + 1]]
            yield _call(node, "" if holder.kind is FunctionKind.MODULE else holder.id.qualname)

    def decorators(self) -> Iterator[tuple[Function, Call]]:
        """Each decorator of each function and class."""
        for function, node in zip(self.module.functions, self.module.nodes, strict=True):
            if not function.decorators:
                continue
            scope = function.id.qualname.rpartition(".")[0]
            for child in node.named_children:
                if child.type == "decorator" and child.named_children:
                    yield function, _call(child.named_children[0], scope)

    @cached_property
    def bindings(self) -> Mapping[str, list["Node"]]:
        """What is assigned to names and attributes (as they are written), wherever in the file."""
        result: dict[str, list[Node]] = defaultdict(list)
        for node in captures("(assignment right: (_)) @a", self.module.tree.root_node).get("a", ()):
            left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
            if left is not None and right is not None and left.type in ("identifier", "attribute"):
                result[text(left)].append(right)
        return result

    def constructor(self, expression: str) -> "Call | None":
        """The call whose result a name of the file is assigned."""
        for right in self.bindings.get(expression, ()):
            if right.type == "call":
                return _call(right, "")
        return None

    def value(self, node: "Node | None") -> str | None:
        """The text of a string expression; parts that are not literal stand between ``OPEN`` and ``CLOSE``.

        None where the expression is certainly no string.
        """
        if node is None:
            return None
        parts: list[str] = []
        pending = [node]
        for _ in range(4 * MAX_STEPS):
            if not pending:
                return "".join(parts)
            current = pending.pop()
            match current.type:
                case "string":
                    pending += reversed(
                        [c for c in current.named_children if c.type in ("string_content", "interpolation")]
                    )
                case "string_content":
                    parts.append(text(current))
                case "interpolation" | "concatenated_string" | "parenthesized_expression":
                    pending += reversed(
                        [
                            c
                            for c in current.named_children
                            if c.type not in ("type_conversion", "format_specifier", "comment")
                        ]
                    )
                case "binary_operator":
                    sides = current.child_by_field_name("right"), current.child_by_field_name("left")
                    pending += [side for side in sides if side is not None]
                case "identifier" | "attribute":
                    known = self.bindings.get(text(current), ())
                    if len(known) == 1 and known[0].type in ("string", "concatenated_string"):
                        pending.append(known[0])
                    else:
                        parts.append(f"{OPEN}{text(current)}{CLOSE}")
                case "call":
                    call = _call(current, "")
                    if call.name in _TEXT_CALLS and call.args:
                        pending.append(call.args[0])
                    else:
                        parts.append(UNKNOWN)
                case "integer" | "float" | "none" | "true" | "false" | "lambda" | "dictionary" | "list" | "tuple":
                    return None
                case _:
                    parts.append(UNKNOWN)
        return UNKNOWN

    def words(self, node: "Node | None") -> tuple[str, ...]:
        """The strings (or last parts of names) in a list, tuple or set; one alone counts as such a list."""
        if node is None:
            return ()
        items = node.named_children if node.type in ("list", "tuple", "set") else [node]
        found = [self.value(item) for item in items[:MAX_WORDS] if item.type in ("string", "identifier", "attribute")]
        return tuple(word.strip(OPEN + CLOSE).rpartition(".")[2] for word in found if word)

    def handler(self, node: "Node | None", scope: str) -> Handler | None:
        """The code behind an argument, through wrappers: ``login_required(views.order)``, ``Orders.as_view()``."""
        expressions: list[str] = []
        for _ in range(MAX_STEPS):
            if node is None:
                break
            if node.type in ("identifier", "attribute"):
                expressions.insert(0, self._constructed(text(node)))
                break
            if node.type == "string" and not expressions:
                dotted = self.value(node) or ""
                return Handler(expressions=(dotted,), is_dotted=True) if _is_dotted(dotted) else None
            if node.type == "parenthesized_expression":
                node = node.named_children[0] if node.named_children else None
            elif node.type == "call":
                call = _call(node, scope)
                if call.name in ("as_view", "as_asgi", "as_handler") and call.owner:
                    expressions.insert(0, call.owner)
                    break
                if call.owner or call.name:
                    expressions.insert(0, f"{call.owner}.{call.name}".lstrip("."))
                inner = [arg for arg in call.args if arg.type in ("identifier", "attribute", "call")]
                inner = [arg for arg in inner if not self._is_router(arg)]
                if sum(_is_class(text(arg)) for arg in inner) > 1:
                    break  # one of several classes is chosen when a request comes
                node = inner[0] if inner else None
            else:
                break
        plain = tuple(e for e in expressions if _is_dotted(e))
        return Handler(expressions=plain, scope=scope) if plain else None

    def _is_router(self, node: "Node") -> bool:
        made = self.constructor(text(node)) if node.type == "identifier" else None
        return made is not None and made.name.endswith(_ROUTERS)

    def _constructed(self, expression: str) -> str:
        """``handler.index`` → ``Handler.index`` where the file says ``handler = Handler(…)``."""
        head, dot, rest = expression.partition(".")
        made = self.constructor(head) if head not in ("self", "cls") else None
        if made is None or not (made.owner or made.name) or made.name in ("partial", "wraps"):
            if made is not None and made.args and made.args[0].type in ("identifier", "attribute"):
                return text(made.args[0])
            return expression
        if not dot and not made.name[:1].isupper():
            return expression
        return f"{made.owner}.{made.name}{dot}{rest}".lstrip(".")

    def place(self, call: Call, nests: Callable[[Call], str | None]) -> tuple[str, str]:
        """Where in a list of routes a call stands: the router it ends up on, and the prefix of the calls around it.

        ``nests`` gives the prefix that a surrounding call adds; None: none.
        """
        prefix = ""
        node = call.node
        for _ in range(MAX_STEPS):
            parent = node.parent
            if parent is None:
                break
            if parent.type == "call":
                outer = _call(parent, call.scope)
                if outer.name in ("append", "extend", "insert", "add_routes"):
                    return outer.owner.removesuffix(".router"), prefix
                prefix = (nests(outer) or "") + prefix
            elif parent.type in ("assignment", "augmented_assignment"):
                left = parent.child_by_field_name("left")
                return (text(left) if left is not None else ""), prefix
            elif parent.type == "return_statement":
                return call.scope, prefix
            elif parent.type not in _LISTS:
                break
            node = parent
        return "", prefix

    def is_parameter(self, name: str, scope: str) -> bool:
        """Whether a name is a parameter of the function ``scope``."""
        holders = (function for function in self.module.functions if function.id.qualname == scope)
        return any(parameter.name == name for function in holders for parameter in function.parameters)

    def each(self, node: "Node", expression: str) -> list[str]:
        """What an expression stands for inside ``for expression in (a, b):``; otherwise itself."""
        current: Node | None = node
        for _ in range(MAX_STEPS):
            current = current.parent if current is not None else None
            if current is None:
                break
            left = current.child_by_field_name("left") if current.type == "for_statement" else None
            right = current.child_by_field_name("right") if left is not None else None
            if left is None or right is None or text(left) != expression:
                continue
            if right.type == "identifier" and len(self.bindings.get(text(right), ())) == 1:
                right = self.bindings[text(right)][0]
            if right.type in ("list", "tuple", "set"):
                return [text(item) for item in right.named_children if item.type in ("identifier", "attribute")]
        return [expression]


def here(function: Function) -> Handler:
    """The handler that a function of the file is."""
    return Handler(expressions=(function.id.qualname,), is_here=True)


def dotted_module(path: str) -> str:
    """``src/shop/tasks/__init__.py`` → ``shop.tasks``."""
    return path.rsplit(".", 1)[0].removesuffix("/__init__").removeprefix("src/").replace("/", ".")


def text(node: "Node") -> str:
    """The source of a node."""
    return (node.text or b"").decode("utf-8", "replace")


def as_call(node: "Node | None", scope: str = "") -> Call | None:
    """The call that a node is, None if it is none."""
    return _call(node, scope) if node is not None and node.type == "call" else None


def _call(node: "Node", scope: str) -> Call:
    function = node.child_by_field_name("function") if node.type == "call" else node
    owner, name = "", ""
    if function is not None and function.type == "identifier":
        name = text(function)
    elif function is not None and function.type == "attribute":
        before, last = function.child_by_field_name("object"), function.child_by_field_name("attribute")
        owner, name = (text(before) if before is not None else "")[:200], text(last) if last is not None else ""
    arguments = node.child_by_field_name("arguments") if node.type == "call" else None
    args, keywords = [], {}
    for child in arguments.named_children if arguments is not None else ():
        if child.type == "keyword_argument":
            key, value = child.child_by_field_name("name"), child.child_by_field_name("value")
            if key is not None and value is not None:
                keywords[text(key)] = value
        elif child.type != "comment":
            args.append(child)
    return Call(node, owner, name, tuple(args), keywords, scope)


def _is_class(expression: str) -> bool:
    """Whether an expression is written as the name of a class: ``views.OrderList``."""
    last = expression.rpartition(".")[2]
    return last.isidentifier() and last[:1].isupper() and not last[1:].isupper()


def _is_dotted(expression: str) -> bool:
    return 0 < len(expression) < 300 and all(part.isidentifier() for part in expression.split("."))
