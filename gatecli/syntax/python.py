"""Python source to functions, with tree-sitter.

A ``Module`` holds the tree and the functions of one source text in document order, outer before inner: the module
body first, then classes (as their body), functions, methods, nested functions and lambdas that are bound to a name.
Nothing here recurses over the tree, so nesting depth costs no stack.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gatecli.errors import EvidenceError
from gatecli.model import Function, FunctionId, FunctionKind, Parameter, ParameterKind, Span
from gatecli.syntax.decoding import as_utf8
from gatecli.syntax.trees import error_lines, landmarks, parse

if TYPE_CHECKING:
    from tree_sitter import Node, Tree

MODULE = "<module>"
# A place behind every other: what a scope leaves behind.
END = 1 << 60
SUFFIXES = (".py", ".pyi")

# Modules that later stages will ask for again are kept up to this number and this much source.
MAX_KEPT_MODULES = 160
MAX_KEPT_BYTES = 1_500_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One parsed source text. ``nodes[i]`` is the syntax node of ``functions[i]``, decorators included.

    ``error_lines`` are the lines that the grammar could not place; the functions around them are still right.
    ``source`` is UTF-8 with ``\\n`` line ends; ``crlf`` says that the file had others. ``is_derived`` says that its
    lines were made from those of the file, ``reason`` why some could not be read, where that is not their syntax.
    """

    path: str
    source: bytes
    tree: "Tree"
    functions: tuple[Function, ...]
    nodes: tuple["Node", ...]
    error_lines: tuple[int, ...]
    crlf: bool = False
    is_derived: bool = False
    reason: str | None = None


def is_python(path: str) -> bool:
    """Whether a path names Python source."""
    return path.endswith(SUFFIXES)


Reader = Callable[[str, bytes], Module]
"""A path and the bytes of its file to the module, or an ``EvidenceError``."""

_kept: dict[tuple[str, bytes, Reader], Module | EvidenceError] = {}


def read_module(path: str, source: bytes) -> Module:
    """Parse one file of Python; the last ones are remembered.

    Raises:
        EvidenceError: the file cannot be parsed at all (see ``as_utf8``).
    """
    return remembered(path, source, read)


def remembered(path: str, source: bytes, reader: Reader) -> Module:
    """What the reader makes of a file; the last ones are remembered, refusals too. Errors are the reader's."""
    key = (path, source, reader)
    known = _kept.pop(key, None)
    answer = known or _answer(reader, path, source)
    _kept[key] = answer  # last in, last out
    if known is None:
        _forget()
    if isinstance(answer, EvidenceError):
        raise answer
    return answer


def _answer(reader: Reader, path: str, source: bytes) -> Module | EvidenceError:
    try:
        return reader(path, source)
    except EvidenceError as error:
        return error


def _forget() -> None:
    """Drop what was asked for longest ago, down to the bounds."""
    size = sum(len(source) for _, source, _ in _kept)
    while len(_kept) > 2 and (size > MAX_KEPT_BYTES or len(_kept) > MAX_KEPT_MODULES):  # a file has two sides
        oldest = next(iter(_kept))
        del _kept[oldest]
        size -= len(oldest[1])


def read(path: str, source: bytes) -> Module:
    """Parse one file of Python; errors as of ``as_utf8`` and ``outlined``."""
    return outlined(path, as_utf8(source), crlf=b"\r\n" in source)


def outlined(path: str, text: bytes, *, crlf: bool) -> Module:
    """The functions of a UTF-8 text of Python with ``\\n`` line ends.

    Raises:
        EvidenceError: the tree is too large or too deep (see ``trees.parse``).
    """
    tree = parse(text)
    root = tree.root_node
    found = landmarks(root, text)
    functions, nodes = _outline(path, root, found)
    return Module(
        path=path,
        source=text,
        tree=tree,
        functions=functions,
        nodes=nodes,
        error_lines=error_lines(root) if root.has_error else (),
        crlf=crlf,
    )


def read_functions(path: str, source: bytes) -> tuple[Function, ...]:
    """The functions of one file, in document order, the module body first.

    Raises:
        EvidenceError: the file cannot be parsed at all (see ``as_utf8``).
    """
    return read_module(path, source).functions


def _outline(
    path: str, root: "Node", found: dict[str, list["Node"]]
) -> tuple[tuple[Function, ...], tuple["Node", ...]]:
    definitions = [*definitions_in(found)]
    generators = _generator_starts([one.node for one in definitions], found.get("yield", ()))
    functions = [_module_body(path, root)]
    for one in definitions:
        id = FunctionId(path=path, qualname=one.qualname)
        functions.append(_function(id, one.node, one.outer, one.in_class, one.node.start_byte in generators))
    return tuple(functions), (root, *(one.outer for one in definitions))


@dataclass(frozen=True, slots=True)
class Definition:
    """A function, class or named lambda: its node, the one with its decorators, its name, whether a class is around."""

    node: "Node"
    outer: "Node"
    qualname: str
    in_class: bool

    @property
    def kind(self) -> FunctionKind:
        """What it is."""
        if self.node.type == "class_definition":
            return FunctionKind.CLASS_BODY
        if self.node.type != "function_definition":
            return FunctionKind.LAMBDA
        return FunctionKind.METHOD if self.in_class else FunctionKind.FUNCTION

    @property
    def decorators(self) -> tuple[str, ...]:
        """The texts behind the ``@``."""
        if self.outer is self.node:
            return ()
        found = (child for child in self.outer.children if child.type == "decorator")
        return tuple(_text(child).removeprefix("@").strip() for child in found)


def definitions_in(found: dict[str, list["Node"]]) -> Iterator[Definition]:
    """The definitions of a file in document order, outer before inner, of what a query captured."""
    decorated = {
        inner.start_byte: outer
        for outer in found.get("decorated", ())
        if (inner := outer.child_by_field_name("definition")) is not None
    }
    nodes = sorted(
        (*found.get("definition", ()), *found.get("bound", ())), key=lambda node: (node.start_byte, -node.end_byte)
    )
    seen: Counter[str] = Counter()
    open_parents: list[tuple[int, str, bool]] = []  # end byte, qualified name, is a class
    for node in nodes:
        while open_parents and open_parents[-1][0] <= node.start_byte:
            open_parents.pop()
        name = _bound_name(node)
        if name is None:
            continue
        parent, in_class = open_parents[-1][1:] if open_parents else ("", False)
        qualname = f"{parent}.{name}" if parent else name
        seen[qualname] += 1
        if seen[qualname] > 1:
            qualname = f"{qualname}#{seen[qualname]}"
        open_parents.append((node.end_byte, qualname, node.type == "class_definition"))
        yield Definition(node, decorated.get(node.start_byte, node), qualname, in_class)


def _module_body(path: str, root: "Node") -> Function:
    return Function(
        id=FunctionId(path=path, qualname=MODULE),
        kind=FunctionKind.MODULE,
        span=Span(first_line=1, def_line=1, end_line=max(1, _end_line(root))),
    )


def _bound_name(node: "Node") -> str | None:
    """The name a definition binds: ``def``/``class`` name, or the target of an assigned lambda."""
    field = {"assignment": "left"}.get(node.type, "name")
    target = node.child_by_field_name(field)
    if target is not None and target.type == "attribute":
        target = target.child_by_field_name("attribute")
    if target is None or target.text is None or not target.text:
        return None
    return target.text.decode("utf-8", "replace")


def _function(id: FunctionId, node: "Node", outer: "Node", in_class: bool, is_generator: bool) -> Function:
    span = Span(
        first_line=outer.start_point.row + 1, def_line=node.start_point.row + 1, end_line=max(1, _end_line(outer))
    )
    decorators = tuple(_text(child).removeprefix("@").strip() for child in outer.children if child.type == "decorator")
    if node.type == "class_definition":
        return Function(id=id, kind=FunctionKind.CLASS_BODY, span=span, decorators=decorators)
    kind = FunctionKind.METHOD if in_class else FunctionKind.FUNCTION
    callable_node: Node | None = node
    if node.type != "function_definition":
        kind = FunctionKind.LAMBDA
        callable_node = node.child_by_field_name("right") or node.child_by_field_name("value")
    assert callable_node is not None, "the query asks for a lambda on the right"
    returns = callable_node.child_by_field_name("return_type")
    return Function(
        id=id,
        kind=kind,
        span=span,
        parameters=_parameters(callable_node.child_by_field_name("parameters")),
        returns=_text(returns) if returns is not None else None,
        is_async=bool(callable_node.children) and callable_node.children[0].type == "async",
        is_generator=is_generator,
        decorators=decorators,
    )


_VARIADIC = {"list_splat_pattern": ParameterKind.VAR_POSITIONAL, "dictionary_splat_pattern": ParameterKind.VAR_KEYWORD}


def _parameters(node: "Node | None") -> tuple[Parameter, ...]:
    """The parameters of a ``parameters`` or ``lambda_parameters`` node."""
    if node is None:
        return ()
    result: list[Parameter] = []
    kind = ParameterKind.POSITIONAL
    for child in node.named_children:
        if child.type == "keyword_separator":
            kind = ParameterKind.KEYWORD_ONLY
        elif child.type == "positional_separator":
            result = [_positional_only(parameter) for parameter in result]
        elif (parameter := _parameter(child, kind)) is not None:
            result.append(parameter)
            if parameter.kind is ParameterKind.VAR_POSITIONAL:
                kind = ParameterKind.KEYWORD_ONLY
    return tuple(result)


def _positional_only(parameter: Parameter) -> Parameter:
    return Parameter(
        name=parameter.name,
        kind=ParameterKind.POSITIONAL_ONLY,
        default=parameter.default,
        annotation=parameter.annotation,
    )


def _parameter(node: "Node", kind: ParameterKind) -> Parameter | None:
    """One parameter, or None for a comment or something the grammar could not place."""
    target: Node | None = node
    if node.type in ("default_parameter", "typed_default_parameter"):
        target = node.child_by_field_name("name")
    elif node.type == "typed_parameter":
        target = node.named_children[0] if node.named_children else None
    if target is None:
        return None
    if target.type in _VARIADIC:
        kind = _VARIADIC[target.type]
    elif target.type not in ("identifier", "tuple_pattern"):
        return None
    default, annotation = node.child_by_field_name("value"), node.child_by_field_name("type")
    return Parameter(
        name=_text(target).lstrip("*"),
        kind=kind,
        default=_text(default) if default is not None else None,
        annotation=_text(annotation) if annotation is not None else None,
    )


def _generator_starts(definitions: list["Node"], yields: Iterable["Node"]) -> frozenset[int]:
    """Start bytes of the definitions that yield themselves."""
    generators = set()
    enclosing: list[Node] = []
    position = 0
    for node in yields:
        while position < len(definitions) and definitions[position].start_byte <= node.start_byte:
            enclosing.append(definitions[position])
            position += 1
        while enclosing and enclosing[-1].end_byte <= node.start_byte:
            enclosing.pop()
        if enclosing:
            generators.add(enclosing[-1].start_byte)
    return frozenset(generators)


def _end_line(node: "Node") -> int:
    end = node.end_point
    return end.row + 1 if end.column else end.row


def _text(node: "Node") -> str:
    return (node.text or b"").decode("utf-8", "replace")


def owners(functions: tuple[Function, ...], lines: Iterable[int]) -> dict[int, int]:
    """Which function holds each line: line → index of the innermost function, the module body at the outermost."""
    result: dict[int, int] = {}
    enclosing: list[int] = []
    position = 0
    for line in sorted(lines):
        while position < len(functions) and functions[position].span.first_line <= line:
            while enclosing and functions[enclosing[-1]].span.end_line < functions[position].span.first_line:
                enclosing.pop()
            enclosing.append(position)
            position += 1
        while len(enclosing) > 1 and functions[enclosing[-1]].span.end_line < line:
            enclosing.pop()
        result[line] = enclosing[-1] if enclosing else 0
    return result
